"""What cameras see along a way: from points to passes, and to what all together see at a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.coverage import Sightings, levels_by_draw
from sousveil.records import LEVELS, PASSES, WATCHFUL
from sousveil.visibility import plane_around

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CELL_M: Final = 2.0
"""Moments in one cell of this size are looked at once: less than a point errs by."""

PASS_GAP_S: Final = 60.0
"""A camera that does not see a person for longer starts a new pass."""

_ALMOST: Final = 1.0 - 1e-12


class Places(NamedTuple):
    """The distinct places of moments: their coordinates, and which one each moment is at."""

    lon: Floats
    lat: Floats
    of: Ints


class Pairs(NamedTuple):
    """Rows of cameras by moments: all that could see the person at a moment."""

    camera: Ints  # row of the table of cameras
    moment: Ints  # row of the table of moments
    sighting: Ints  # row of the sightings


class Tally(NamedTuple):
    """For each pass, the highest level at which its camera sees the person, draw by draw.

    best: passes x question (moment, could) x draws, 0 for not at all. Passes are numbered by start.
    """

    camera: Ints
    way: Ints
    best: npt.NDArray[np.uint8]


def places(moments: pa.Table) -> Places:
    """Return the distinct places of moments (records.MOMENTS)."""
    lon, lat = moments["lon"].to_numpy(), moments["lat"].to_numpy()
    cell = np.floor(plane_around(lon, lat).to_xy(lon, lat) / CELL_M).astype(np.int64)
    _, first, of = np.unique(
        cell[:, 0] * (1 << 32) + cell[:, 1], return_index=True, return_inverse=True
    )
    return Places(lon[first], lat[first], of.ravel().astype(np.int64))


def pairs(seen: Sightings, where: Places) -> Pairs:
    """Return what is seen at places for each moment that is at them."""
    by_place = np.argsort(where.of, kind="stable")
    first = np.searchsorted(where.of[by_place], np.arange(len(where.lon) + 1))
    times = np.diff(first)[seen.point]
    row = np.repeat(np.arange(len(seen.point)), times)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    moment = by_place[first[seen.point[row]] + nth].astype(np.int64)
    return Pairs(seen.camera[row], moment, row)


def passes(
    there: Pairs,
    seen: Sightings,
    moments: pa.Table,
    cameras: pa.Table,
    streets: pa.Table,
    *,
    began: datetime | None,
) -> tuple[pa.Table, Tally]:
    """Return when each camera could have recorded the person: records.PASSES, and draw by draw.

    cameras: records.CAMERAS, streets: records.STREETS. began: the time of 0 s, None for a track
    without times.
    The probability of a pass is that of being seen at some moment of it: in each draw a camera's
    direction and lens stay as they are while one walks by.
    """
    cameras = _with_near_street(cameras, streets)
    number = _numbered(there, moments)
    tally = _tally(there, seen, moments, number)
    start_s, end_s = moments["start_s"].to_numpy(), moments["end_s"].to_numpy()
    parts = []
    for i, level in enumerate(LEVELS):
        here = np.flatnonzero(seen.probability[there.sighting, 1, i] > 0)
        order = here[np.lexsort((there.moment[here], number[here]))]
        if not len(order):
            continue
        one, moment = number[order], there.moment[order]
        first = np.flatnonzero(np.concatenate([[True], one[1:] != one[:-1]]))
        last = np.concatenate([first[1:], [len(order)]]) - 1
        found = {
            "way": moments["way"].to_numpy()[moment[first]],
            "pass": one[first],
            "level": pa.array([level] * len(first), pa.string()),
            "start_s": start_s[moment[first]],
            "end_s": end_s[moment[last]],
            "seconds": np.add.reduceat((end_s - start_s)[moment], first),
            "probability": (tally.best[one[first], 0] > i).mean(axis=1),
            "could": (tally.best[one[first], 1] > i).mean(axis=1),
            "street": moments["street"].take(pa.array(_best(there, seen, order, first, last))),
        }
        found |= _times(found["start_s"], found["end_s"], began)
        parts.append(_described(found, cameras.take(pa.array(there.camera[order][first]))))
    table = pa.concat_tables([PASSES.empty_table(), *parts])
    return _without_home_ids(table.sort_by([("way", "ascending"), ("pass", "ascending")])), tally


def _tally(there: Pairs, seen: Sightings, moments: pa.Table, number: Ints) -> Tally:
    n = int(number.max(initial=-1)) + 1
    key = np.unique(number * len(seen.point) + there.sighting)
    group, pair = np.divmod(key, max(len(seen.point), 1))
    first = np.searchsorted(group, np.arange(n + 1)).astype(np.int64)
    opening = np.zeros(n, np.int64)
    opening[number[::-1]] = np.arange(len(number))[::-1]
    way = moments["way"].to_numpy()[there.moment[opening]].astype(np.int64)
    return Tally(there.camera[opening], way, levels_by_draw(seen, pair, first))


def _best(there: Pairs, seen: Sightings, order: Ints, first: Ints, last: Ints) -> Ints:
    """Return the moment at which each group is seen best."""
    likely = seen.probability[there.sighting[order], 0, :].sum(axis=1)
    group = np.repeat(np.arange(len(first)), last - first + 1)
    by = np.lexsort((-likely, group))
    moment: Ints = there.moment[order][by[first]]
    return moment


def _numbered(there: Pairs, moments: pa.Table) -> Ints:
    """Return the pass of each row; passes are numbered by their start."""
    start_s, end_s = moments["start_s"].to_numpy(), moments["end_s"].to_numpy()
    trip = moments["way"].to_numpy().astype(np.int64) * (1 << 20) + moments["leg"].to_numpy()
    order = np.lexsort((there.moment, there.camera))
    camera, moment = there.camera[order], there.moment[order]
    anew = np.ones(len(order), bool)
    anew[1:] = (
        (camera[1:] != camera[:-1])
        | (trip[moment[1:]] != trip[moment[:-1]])
        | (start_s[moment[1:]] - end_s[moment[:-1]] > PASS_GAP_S)
    )
    group = np.cumsum(anew) - 1
    opening = np.flatnonzero(anew)
    rank = np.empty(len(opening), np.int64)
    rank[np.lexsort((camera[opening], moment[opening]))] = np.arange(len(opening))
    number = np.empty(len(order), np.int64)
    number[order] = rank[group] if len(order) else group
    return number


def _times(start_s: Floats, end_s: Floats, began: datetime | None) -> dict[str, Any]:
    kind = pa.timestamp("ms", tz="UTC")
    if began is None:
        return {"start": pa.nulls(len(start_s), kind), "end": pa.nulls(len(start_s), kind)}
    zero = round(1000 * began.timestamp())
    return {
        name: pa.array((zero + np.round(1000 * s)).astype(np.int64), kind)
        for name, s in (("start", start_s), ("end", end_s))
    }


def _described(found: dict[str, Any], cameras: pa.Table) -> pa.Table:
    """Add what is known of the cameras; where a private home has its camera is not told."""
    home = cameras["private_home"].to_numpy(zero_copy_only=False)
    kept = ("camera_id", "operator_class", "private_home", "kind", "retention_days")
    found |= {name: cameras[name] for name in kept}
    names = zip(home, cameras["operator"].to_pylist(), strict=True)
    found["operator"] = pa.array([None if h else name for h, name in names], pa.string())
    for where in ("lon", "lat", "near_street", "near_street_m"):
        found[where] = pc.if_else(pa.array(home), None, cameras[where])
    return pa.table({name: found[name] for name in PASSES.names}, schema=PASSES)


def _with_near_street(cameras: pa.Table, streets: pa.Table) -> pa.Table:
    """Add to cameras the nearest street that has a name, and how far it is, null if there is none.

    It helps to find the sign at a camera in a yard or on a square.
    """
    n, streets = cameras.num_rows, streets.filter(pc.is_valid(streets["name"]))
    names, away_m = pa.nulls(n, pa.string()), pa.nulls(n, pa.float64())
    if n and streets.num_rows:
        plane = plane_around(cameras["lon"].to_numpy(), cameras["lat"].to_numpy())
        lines = plane.flat(shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False)))
        xy = plane.to_xy(cameras["lon"].to_numpy(), cameras["lat"].to_numpy())
        (_, row), metres = shapely.STRtree(lines).query_nearest(
            shapely.points(xy), return_distance=True, all_matches=False
        )
        names, away_m = streets["name"].take(pa.array(row)), pa.array(metres)
    return cameras.append_column("near_street", names).append_column("near_street_m", away_m)


def _without_home_ids(table: pa.Table) -> pa.Table:
    """Number the cameras of private homes: their ids would lead to the map's own object."""
    number: dict[str, str] = {}
    rows = zip(table["camera_id"].to_pylist(), table["private_home"].to_pylist(), strict=True)
    ids = [number.setdefault(i, f"home-{len(number) + 1}") if h else i for i, h in rows]
    place = table.schema.get_field_index("camera_id")
    return table.set_column(place, PASSES.field("camera_id"), pa.array(ids, pa.string()))


def watchful(there: Pairs, seen: Sightings, moments: pa.Table, cameras: pa.Table) -> pa.Table:
    """Return what all cameras together see at each moment, as records.WATCHFUL.

    Cameras are taken as independent; a moment that nobody sees has rows of zeros.
    """
    classes = np.array(cameras["operator_class"].to_pylist(), dtype=str)[there.camera]
    n = moments.num_rows
    columns = {name: np.zeros((n, len(LEVELS))) for name in WATCHFUL.names[3:]}
    for i in range(len(LEVELS)):
        moment, could = (seen.probability[there.sighting, q, i].astype(np.float64) for q in (0, 1))

        def any_of(chance: Floats, chosen: Any = slice(None)) -> Floats:
            log = np.log1p(-np.minimum(chance[chosen], _ALMOST))
            return -np.expm1(np.bincount(there.moment[chosen], log, n))

        columns["probability"][:, i] = any_of(moment)
        columns["could"][:, i] = any_of(could)
        columns["public"][:, i] = any_of(moment, classes == "public")
        columns["private"][:, i] = any_of(moment, classes == "private")
        columns["expected"][:, i] = np.bincount(there.moment, moment, n)
    return pa.table(
        {
            "way": np.repeat(moments["way"].to_numpy(), len(LEVELS)),
            "moment": np.repeat(moments["moment"].to_numpy(), len(LEVELS)),
            "level": pa.array(list(LEVELS) * n, pa.string()),
            **{name: column.ravel() for name, column in columns.items()},
        },
        schema=WATCHFUL,
    )
