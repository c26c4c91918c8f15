"""Which pairs of points are near enough to be looked at: H3 cells and their neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
_Cells = npt.NDArray[np.uint64]

EARTH_RADIUS_M: Final = 6_371_008.8

_FINEST, _COARSEST = 12, 5
_MOST_RINGS: Final = 3
# A point is at least one edge away from all outside its cell and the ring around it, and each
# ring more adds one and a half. Cells vary in size over the globe, slowly: some are measured.
_CELLS_MEASURED: Final = 12
_SAFETY: Final = 0.93
_PAIRS_AT_ONCE: Final = 2_000_000


class Points(NamedTuple):
    """Positions in degrees with their accuracy (standard deviation, each axis), aligned arrays."""

    lon: Array
    lat: Array
    accuracy_m: Array


class Pairs(NamedTuple):
    """Rows of the left and the right points, aligned, and how far apart they are."""

    left: Index
    right: Index
    distance_m: Array


class Reach(NamedTuple):
    """How far apart the two ends of a pair may be: a multiple of their joint accuracy, bounded."""

    accuracies: float
    least_m: float
    most_m: float


def nearby(left: Points, right: Points, reach: Reach) -> Pairs:
    """Return all pairs of a left and a right point within reach of each other.

    The points are joined through H3 cells, class of accuracy by class of accuracy, so that a few
    vague points do not make everything a neighbour of everything.
    """
    found = [
        chunk
        for of_left in _accuracy_classes(left)
        for of_right in _accuracy_classes(right)
        for chunk in _nearby_in_class(left, right, of_left, of_right, reach)
    ]
    return _joined(found)


def nearby_within(points: Points, reach: Reach) -> Pairs:
    """Return all pairs of two different points within reach of each other, each pair once."""
    classes = _accuracy_classes(points)
    found = [
        chunk
        for number, of_left in enumerate(classes)
        for of_right in classes[number:]
        for chunk in _nearby_in_class(points, points, of_left, of_right, reach)
    ]
    return _joined(found)


def select(pairs: Pairs, chosen: npt.NDArray[np.bool_] | Index) -> Pairs:
    """Return the chosen pairs, by mask or by position."""
    return Pairs(pairs.left[chosen], pairs.right[chosen], pairs.distance_m[chosen])


def select_points(points: Points, rows: Index) -> Points:
    """Return the points at some rows."""
    return Points(points.lon[rows], points.lat[rows], points.accuracy_m[rows])


def joint_accuracy_m(left: Points, right: Points, pairs: Pairs) -> Array:
    """Return the standard deviation (each axis) of the offset between the two ends of each pair."""
    return _joint_m(left, right, pairs.left, pairs.right)


def cells(lon: Array, lat: Array, resolution: int) -> _Cells:
    """Return the H3 cell of each point."""
    cell = h3.latlng_to_cell
    degrees = zip(lat.tolist(), lon.tolist(), strict=True)
    return np.fromiter((cell(y, x, resolution) for y, x in degrees), np.uint64, len(lon))


def _joined(found: list[Pairs]) -> Pairs:
    if not found:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    left, right, distance_m = zip(*found, strict=True)
    return Pairs(np.concatenate(left), np.concatenate(right), np.concatenate(distance_m))


def _accuracy_classes(points: Points) -> list[Index]:
    """Return the positions of the points by class: accuracies that differ less than twofold."""
    octave = np.ceil(np.log2(points.accuracy_m)).astype(np.int64)
    return [np.flatnonzero(octave == value) for value in np.unique(octave)]


def _nearby_in_class(
    left: Points, right: Points, of_left: Index, of_right: Index, reach: Reach
) -> Iterator[Pairs]:
    """Yield the pairs of some left and right points; of points with themselves each pair once."""
    widest = np.hypot(left.accuracy_m[of_left].max(), right.accuracy_m[of_right].max())
    resolution, rings = _grid_for(float(_reach_m(widest, reach)), left, of_left)
    cells_l = cells(left.lon[of_left], left.lat[of_left], resolution)
    within = left is right and of_left is of_right
    cells_r = cells_l if within else cells(right.lon[of_right], right.lat[of_right], resolution)
    place_l, place_r = _on_sphere(left), _on_sphere(right)
    for at_l, at_r in _sharing(cells_l, cells_r, rings):
        if within:
            once = at_l < at_r
            at_l, at_r = at_l[once], at_r[once]
        i, j = of_left[at_l], of_right[at_r]
        squared = ((place_l[i] - place_r[j]) ** 2).sum(axis=1)
        near = squared <= _reach_m(widest, reach) ** 2
        i, j, apart = i[near], j[near], np.sqrt(squared[near])
        in_reach = apart <= _reach_m(_joint_m(left, right, i, j), reach)
        yield Pairs(i[in_reach], j[in_reach], apart[in_reach])


def _on_sphere(points: Points) -> Array:
    """Return the points in metres from the centre of the Earth; chords are distances here."""
    lon, lat = np.radians(points.lon), np.radians(points.lat)
    cos = np.cos(lat)
    axes = [cos * np.cos(lon), cos * np.sin(lon), np.sin(lat)]
    return EARTH_RADIUS_M * np.column_stack(axes)


def _joint_m(left: Points, right: Points, i: Index, j: Index) -> Array:
    joint: Array = np.hypot(left.accuracy_m[i], right.accuracy_m[j])
    return joint


def _reach_m(joint_m: Array | float, reach: Reach) -> Array:
    return np.clip(reach.accuracies * np.asarray(joint_m), reach.least_m, reach.most_m)


def _grid_for(reach_m: float, points: Points, rows: Index) -> tuple[int, int]:
    """Return the H3 resolution and number of rings that hold all in reach, in the least area."""
    some = rows[:: max(len(rows) // _CELLS_MEASURED, 1)]
    lon, lat = points.lon[some], points.lat[some]
    fitting = []
    for resolution in range(_COARSEST, _FINEST + 1):
        edge_m = _shortest_edge_m(np.unique(cells(lon, lat, resolution)))
        area_m2 = h3.average_hexagon_area(resolution, "m^2")
        fitting += [
            (_cells_in_disk(rings) * area_m2, resolution, rings)
            for rings in range(1, _MOST_RINGS + 1)
            if edge_m * (1.5 * rings - 0.5) >= reach_m
        ]
    return min(fitting)[1:]


def _shortest_edge_m(some: _Cells) -> float:
    edges = (edge for cell in some.tolist() for edge in h3.origin_to_directed_edges(cell))
    return _SAFETY * float(min(h3.edge_length(edge, "m") for edge in edges))


def _cells_in_disk(rings: int) -> int:
    return 3 * rings * (rings + 1) + 1


def _with_neighbours(distinct: _Cells, rings: int) -> _Cells:
    """Return for each cell a row of itself and those around it, padded with zero."""
    rows = np.zeros((len(distinct), _cells_in_disk(rings)), np.uint64)
    for row, cell in enumerate(distinct.tolist()):
        disk = h3.grid_disk(cell, rings)
        rows[row, : len(disk)] = disk
    return rows


def _sharing(cells_l: _Cells, cells_r: _Cells, rings: int) -> Iterator[tuple[Index, Index]]:
    """Yield, in chunks, the positions of left and right points in cells that near each other."""
    order = np.argsort(cells_r, kind="stable")
    distinct_r, start_r, size_r = np.unique(cells_r[order], return_index=True, return_counts=True)
    distinct, of_left = np.unique(cells_l, return_inverse=True)
    around = _with_neighbours(distinct, rings)
    position = np.minimum(np.searchsorted(distinct_r, around), len(distinct_r) - 1)
    size = np.where(distinct_r[position] == around, size_r[position], 0)
    start = start_r[position]
    ends = np.cumsum(size.sum(axis=1)[of_left])
    bounds = np.searchsorted(
        ends, np.arange(1, int(ends[-1]) // _PAIRS_AT_ONCE + 1) * _PAIRS_AT_ONCE
    )
    for at in np.split(np.arange(len(cells_l)), bounds):
        starts, sizes = start[of_left[at]].ravel(), size[of_left[at]].ravel()
        offset = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        per_left = np.repeat(at, around.shape[1])
        yield np.repeat(per_left, sizes), order[np.repeat(starts, sizes) + offset]
