"""The way of a track shared into pieces short enough that each is one place."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from sousveil.records import MOMENTS
from sousveil.track._graph import Floats, Graph, Ints
from sousveil.track._matching import Matched

WALKING_M_PER_S: Final = 1.34
"""Mean speed of people on foot (U. Weidmann, Transporttechnik der Fussgänger, 1993)."""

STEP_M: Final = 5.0
"""Longest piece: below the error of the points."""


def moments(
    matched: Matched, graph: Graph, streets: pa.Table, *, step_m: float = STEP_M
) -> pa.Table:
    """Return the way as records.MOMENTS.

    streets: records.STREETS that the graph was made of. step_m: longest piece; pieces between two
    bends that are shorter are joined up to it, so a moment may turn a corner.
    """
    step = np.hypot(*np.diff(matched.xy, axis=0).T)
    joined = matched.leg[1:] == matched.leg[:-1]
    along = np.concatenate([[0.0], np.cumsum(np.where(joined, step, 0.0))])
    starts = np.flatnonzero(np.concatenate([[True], ~joined]))
    ends = np.concatenate([starts[1:], [len(along)]]) - 1
    pieces = np.maximum(np.ceil((along[ends] - along[starts]) / step_m - 1e-9), 1).astype(np.int64)
    leg = np.repeat(np.arange(len(starts)), pieces)
    nth = np.arange(len(leg)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    size_m = np.repeat((along[ends] - along[starts]) / pieces, pieces)
    begin, share = np.repeat(along[starts], pieces), np.repeat(starts, pieces)
    # A hair for each point makes distances grow strictly, also where a person stood.
    hair = along + 1e-6 * np.arange(len(along))

    def at(nth_: Floats) -> Floats:
        where = begin + nth_ * size_m
        i = np.searchsorted(along, where, side="right") - 1
        inside = np.clip(i, share, np.repeat(ends, pieces))
        found: Floats = hair[inside] + (where - along[inside])
        return found

    lower, upper, middle = at(nth), at(nth + 1.0), at(nth + 0.5)
    first, last = nth == 0, nth == np.repeat(pieces, pieces) - 1
    lower[first], upper[last] = hair[starts], hair[ends]
    time = [np.interp(x, hair, matched.time_s) for x in (lower, upper)]
    xy = np.column_stack([np.interp(middle, hair, matched.xy[:, k]) for k in (0, 1)])
    edge = matched.edge[np.minimum(np.searchsorted(hair, middle), len(hair) - 1)]
    lonlat = graph.plane.to_lonlat(xy)
    return pa.table(
        {
            "way": np.zeros(len(leg), np.int32),
            "moment": np.arange(len(leg)),
            "leg": leg.astype(np.int32),
            "start_s": time[0],
            "end_s": time[1],
            "length_m": size_m,
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "on_street": edge >= 0,
            "covered": np.ones(len(leg), bool),
            "street": _names(edge, graph, streets),
        },
        schema=MOMENTS,
    )


def _names(edge: Ints, graph: Graph, streets: pa.Table) -> pa.Array:
    on = edge >= 0
    rows = np.zeros(len(edge), np.int64)
    rows[on] = graph.street[edge[on]]
    if not len(graph.street):
        return pa.nulls(len(edge), pa.string())
    names = streets["name"].combine_chunks().take(pa.array(rows)).to_pylist()
    return pa.array([name if here else None for name, here in zip(names, on, strict=True)])
