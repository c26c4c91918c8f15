"""The streets as a graph: junctions, and the ways between them with their bends."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.place import FOOTWAY_CLASSES, STREET_CLASSES, TRACK_CLASSES
from sousveil.visibility import Plane

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NOT_ON_FOOT: Final = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
_CLOSED: Final = frozenset({"no", "private", "use_sidepath"})
_OPEN: Final = frozenset({"yes", "designated", "permissive"})


class Graph(NamedTuple):
    """Edges between junctions, in metres of a plane, passable in both directions.

    Edge e runs from node a[e] to node b[e] along vertex_xy[first[e]:first[e + 1]]; vertex_m is the
    distance of each vertex from the edge's start. Half edges out of node n are those of
    out_first[n]:out_first[n + 1].
    """

    plane: Plane
    a: Ints
    b: Ints
    length_m: Floats
    street: Ints  # row of the table of streets
    vertex_xy: Floats
    vertex_m: Floats
    first: Ints
    n_nodes: int
    node_xy: Floats
    out_first: Ints
    out_edge: Ints
    out_to: Ints
    tree: shapely.STRtree  # of the edges' lines
    lines: npt.NDArray[Any]


def graph(streets: pa.Table, plane: Plane, *, on_foot: bool = False) -> Graph:
    """Return the graph of streets, joined where ways share a point, as OpenStreetMap has it.

    streets: records.STREETS. on_foot: only what may be walked; else everything that is a street,
    a footway or a track, whoever may use it.
    """
    usable = np.flatnonzero(_usable(streets, on_foot=on_foot))
    lines = shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False)[usable])
    lonlat, line = shapely.get_coordinates(lines, return_index=True)
    # OpenStreetMap keeps seven decimals: equal numbers are one and the same point.
    key = np.round(lonlat * 1e7).astype(np.int64)
    fresh = np.ones(len(key), bool)
    fresh[1:] = (line[1:] != line[:-1]) | np.any(key[1:] != key[:-1], axis=1)
    lonlat, line, key = lonlat[fresh], line[fresh], key[fresh]
    _, point, times = np.unique(key, axis=0, return_inverse=True, return_counts=True)
    point = point.ravel()
    starts = np.ones(len(line), bool)
    starts[1:] = line[1:] != line[:-1]
    ends = np.roll(starts, -1)
    junction = starts | ends | (times[point] > 1)
    return _built(
        plane, plane.to_xy(lonlat[:, 0], lonlat[:, 1]), usable[line], point, junction, ends
    )


def _usable(streets: pa.Table, *, on_foot: bool) -> npt.NDArray[np.bool_]:
    classes = sorted(STREET_CLASSES | FOOTWAY_CLASSES | TRACK_CLASSES)
    known = pc.is_in(streets["highway"], value_set=pa.array(classes))
    if on_foot:
        invited = pc.is_in(streets["foot"], value_set=pa.array(sorted(_OPEN)))
        closed = pc.or_(
            pc.is_in(streets["foot"], value_set=pa.array(sorted(_CLOSED))),
            pc.and_(
                pc.is_in(streets["access"], value_set=pa.array(["no", "private"])),
                pc.invert(invited),
            ),
        )
        fast = pc.and_(
            pc.is_in(streets["highway"], value_set=pa.array(sorted(_NOT_ON_FOOT))),
            pc.invert(invited),
        )
        known = pc.and_(known, pc.invert(pc.or_(closed, fast)))
    found: npt.NDArray[np.bool_] = known.to_numpy(zero_copy_only=False)
    return found


def _built(
    plane: Plane,
    xy: Floats,
    street: Ints,
    point: Ints,
    junction: npt.NDArray[np.bool_],
    ends: npt.NDArray[np.bool_],
) -> Graph:
    """Cut lines at junctions into edges. ends: whether a vertex is the last of its line."""
    at = np.flatnonzero(junction)
    begin = at[~ends[at]]
    stop = at[np.searchsorted(at, begin, side="right")] if len(begin) else begin
    sizes = stop - begin + 1
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    vertex = np.repeat(begin - first[:-1], sizes) + np.arange(first[-1])
    vertex_xy = np.ascontiguousarray(xy[vertex]).reshape(-1, 2)
    step = np.hypot(*np.diff(vertex_xy, axis=0, prepend=vertex_xy[:1]).T)
    step[first[:-1]] = 0.0
    along = np.cumsum(step)
    vertex_m = along - np.repeat(along[first[:-1]], sizes)
    node_of, back = np.unique(point[np.concatenate([begin, stop])], return_inverse=True)
    a, b = back[: len(begin)].astype(np.int64), back[len(begin) :].astype(np.int64)
    length_m = vertex_m[first[1:] - 1] if len(begin) else np.empty(0)
    node_xy = np.empty((len(node_of), 2))
    node_xy[a], node_xy[b] = xy[begin], xy[stop]
    start = np.concatenate([a, b])
    order = np.argsort(start, kind="stable")
    edges = np.arange(len(a))
    lines = shapely.linestrings(vertex_xy, indices=np.repeat(edges, sizes)) if len(a) else edges
    lines = np.asarray(lines, dtype=object)
    return Graph(
        plane=plane,
        a=a,
        b=b,
        length_m=length_m,
        street=street[begin],
        vertex_xy=vertex_xy,
        vertex_m=vertex_m,
        first=first,
        n_nodes=len(node_of),
        node_xy=node_xy,
        out_first=np.searchsorted(start[order], np.arange(len(node_of) + 1)).astype(np.int64),
        out_edge=np.concatenate([edges, edges])[order],
        out_to=np.concatenate([b, a])[order],
        tree=shapely.STRtree(lines),
        lines=lines,
    )
