"""Checks of a list as a whole: the same row twice, one point for hundreds of rows, rows far away.

The first pass over a list keeps 36 bytes of each row in Keys; `marks` turns
them into what is known of single rows, which the second pass looks up batch by batch.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
Mark = tuple[Ints, npt.NDArray[Any]]

STAND_IN_ROWS: Final = 50
"""So many rows at one point are no installations at that point: it stands for an address."""

STAND_IN_LEAST_M: Final = 100.0
FAR_TIMES: Final = 3.0
FAR_LEAST_M: Final = 5_000.0
_NEAR_SHARE: Final = 90.0  # percent of a group that say how far it reaches
_SMALLEST_GROUP: Final = 10
_SPACING_SAMPLE: Final = 64
_METRES_A_DEGREE: Final = 111_195.0  # of latitude, on a sphere of 6,371 km
_DEGREES_KEPT: Final = 1e7  # 1e-7 degrees are about 1 cm
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no id is lost in the product
_NOTHING: Final[Mark] = (np.array([], np.int64), np.array([]))


class Keys(NamedTuple):
    """What the first pass keeps of each row of a list, in its order."""

    row: Ints  # its number in the file
    says: Hashes  # of all that it says but its id
    native_id: Hashes  # of its id, or of what tells it apart
    point: Ints  # see points(), -1 where there is no place
    group: npt.NDArray[np.int32]  # of rows that lie near each other, -1 for none


class Marks(NamedTuple):
    """What is known of single rows: positions in the list, ascending, and a value for each."""

    same: Mark  # says the same as an earlier row, id and all: the number of that row
    again: Mark  # has an id that an earlier row has: 2 for its second time
    stand_in: Mark  # shares its point with so many that this is its accuracy_m
    far: Mark  # lies so many metres from the middle of its group
    alike: int  # rows that say the same as an earlier one but for their id


def join(parts: list[Keys]) -> Keys:
    """Return the keys of all batches as one, in their order; the parts are used up."""
    columns = [list(column) for column in zip(*parts, strict=True)]
    parts.clear()
    return Keys(*(np.concatenate(columns.pop(0)) for _ in Keys._fields))


def marks(keys: Keys) -> Marks:
    """Find the rows of a list that are not what they seem."""
    same, first = _repeats(keys.says ^ (keys.native_id * _MIX))
    distinct = np.ones(len(keys.row), dtype=bool)
    distinct[same] = False
    return Marks(
        (same, keys.row[first]),
        _again(keys.native_id, distinct),
        _stand_ins(keys.point, distinct),
        _far(keys),
        len(_repeats(keys.says)[0]) - len(same),
    )


def points(lon: Floats, lat: Floats) -> Ints:
    """Return one number for each place, the same for places that agree to about 1 cm."""
    known = ~(np.isnan(lon) | np.isnan(lat))
    x = np.round((np.where(known, lon, 0.0) + 180.0) * _DEGREES_KEPT).astype(np.int64)
    y = np.round((np.where(known, lat, 0.0) + 90.0) * _DEGREES_KEPT).astype(np.int64)
    return np.where(known, (y << 32) | x, -1)


def _places(point: Ints) -> tuple[Floats, Floats]:
    lon = (point & 0xFFFFFFFF) / _DEGREES_KEPT - 180.0
    lat = (point >> 32) / _DEGREES_KEPT - 90.0
    return lon, lat


def within(mark: Mark, start: int, stop: int) -> Mark:
    """Return what a mark says of the rows from start to stop, positions counted from start."""
    first, last = np.searchsorted(mark[0], [start, stop])
    return mark[0][first:last] - start, mark[1][first:last]


def _again(ids: Hashes, distinct: npt.NDArray[np.bool_]) -> Mark:
    """Number the rows that share an id, in their order; those that repeat a row do not count."""
    place = None if distinct.all() else np.flatnonzero(distinct)
    at, first = _repeats(ids if place is None else ids[place])
    # Rows with the same first row are the second, third... with its id, in their order.
    by_id = np.argsort(first, kind="stable")
    _, starts, times = np.unique(first[by_id], return_index=True, return_counts=True)
    nth = np.empty(len(at), np.int64)
    nth[by_id] = np.arange(len(at)) - np.repeat(starts, times) + 2
    return (at if place is None else place[at]), nth


def _repeats(values: Hashes) -> tuple[Ints, Ints]:
    """Positions that hold what an earlier one holds, ascending, and that first one for each."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
    del ordered
    new_run = np.diff(again, prepend=-1) != 1
    lengths = np.diff(np.append(np.flatnonzero(new_run), len(again)))
    first = np.repeat(again[new_run] - 1, lengths)
    at = np.argsort(order[again], kind="stable")
    return order[again][at], order[first][at]


def _stand_ins(point: Ints, distinct: npt.NDArray[np.bool_]) -> Mark:
    """Rows whose point stands for an address or an area, and the accuracy it deserves.

    n installations that are spaced like the rest of the list fill a circle of radius
    sqrt(n / pi) times that spacing, but at least STAND_IN_LEAST_M.
    """
    usable = distinct & (point >= 0)
    ordered = np.sort(point[usable])
    ahead = ordered[STAND_IN_ROWS - 1 :]
    if not (ahead == ordered[: len(ahead)]).any():
        return _NOTHING
    del ordered, ahead
    place = np.flatnonzero(usable)
    known, which, times = np.unique(point[place], return_inverse=True, return_counts=True)
    crowded = times[which] >= STAND_IN_ROWS
    spacing_m = _spacing_m(known[times < STAND_IN_ROWS])
    radius_m = np.sqrt(times[which][crowded] / np.pi) * spacing_m
    return place[crowded], np.maximum(radius_m, STAND_IN_LEAST_M)


def _spacing_m(point: Ints) -> float:
    """The median distance from a point to its nearest other, over a sample spread evenly."""
    if len(point) < 2:
        return 0.0
    lon, lat = _places(point)
    sample = np.unique(np.linspace(0, len(point) - 1, _SPACING_SAMPLE).astype(np.int64))
    nearest = []
    for at in sample:
        apart = _metres(lon, lat, lon[at], lat[at])
        apart[at] = np.inf
        nearest.append(apart.min())
    return float(np.median(nearest))


def _far(keys: Keys) -> Mark:
    """Rows much farther from the middle of their group than nearly all others of it.

    The middle is the median of longitude and latitude; far is FAR_TIMES the distance within
    which 90 % of the group lie, and at least FAR_LEAST_M.
    """
    if not (keys.group >= 0).any():
        return _NOTHING
    place = np.flatnonzero((keys.group >= 0) & (keys.point >= 0))
    order = place[np.argsort(keys.group[place], kind="stable")]
    edges = np.flatnonzero(np.diff(keys.group[order], prepend=-1, append=-1))
    at: list[Ints] = []
    metres: list[Floats] = []
    for start, stop in pairwise(edges):
        rows = order[start:stop]
        if len(rows) < _SMALLEST_GROUP:
            continue
        lon, lat = _places(keys.point[rows])
        apart = _metres(lon, lat, float(np.median(lon)), float(np.median(lat)))
        reach = max(FAR_LEAST_M, FAR_TIMES * float(np.percentile(apart, _NEAR_SHARE)))
        at.append(rows[apart > reach])
        metres.append(apart[apart > reach])
    if not at:
        return _NOTHING
    found, distance = np.concatenate(at), np.concatenate(metres)
    by_row = np.argsort(found)
    return found[by_row], distance[by_row]


def _metres(lon: Floats, lat: Floats, lon_0: float, lat_0: float) -> Floats:
    """Distances from one point, on a plane that touches the sphere there."""
    east = ((lon - lon_0 + 180.0) % 360.0 - 180.0) * np.cos(np.radians(lat_0))
    apart: Floats = np.hypot(east, lat - lat_0) * _METRES_A_DEGREE
    return apart
