"""The area that data covers, for when nobody says where the place ends.

An extract's header box can be far larger than what it holds, and complete ways stick out of it. So
the area is found from the streets and buildings themselves: they are drawn into square cells, gaps
are bridged, strips too thin to be more than a way that sticks out are dropped, and what is left is
cut to the header box where the data is mostly in it. In the terms of J. Serra, Image Analysis and
Mathematical Morphology (1982): a closing, the filling of small holes, and an opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from sousveil.place._geodesy import CHUNK, Floats, area_km2, cut_at_antimeridian, polygons_of
from sousveil.sources import Box

CELL_M: Final = 25.0
"""Side of a cell; doubled until no more than MAX_CELLS hold streets or buildings."""
MAX_CELLS: Final = 250_000
BRIDGED_M: Final = 50.0
"""Gaps up to twice this wide belong to the area: the inside of a block, a square, a river."""
THIN_M: Final = 75.0
"""Strips narrower than twice this are ways that stick out, and do not belong to the area."""
LARGEST_HOLE: Final = 0.05
"""Parks, water and fields that are enclosed belong to the area up to this share of it each."""
BOX_SHARE: Final = 0.5
"""A header box that holds less of the area than this does not describe the data."""
CAMERA_M: Final = 50.0
"""Half the side of the square that is added around a camera outside."""

_DEG_M: Final = 111_195.0  # a degree of latitude on the sphere of the Earth's mean radius
_LONGEST_EDGE_CELLS: Final = 400  # a longer edge is a fault of the data: its middle is not drawn

# A cell is one integer, row * _ROW + column + _COLUMN, so that cells sort by row and then column.
_ROW: Final = 1 << 32
_COLUMN: Final = 1 << 31

Ints = npt.NDArray[np.int64]


class _Runs(NamedTuple):
    """Cells as runs along rows: the first cell of each and the one after its last."""

    start: Ints
    end: Ints


class _Frame(NamedTuple):
    """A local frame in metres; good enough to lay out cells, never used to measure."""

    lon: float
    lat: float

    @property
    def _metres_per_degree(self) -> Floats:
        return np.array([_DEG_M * max(np.cos(np.radians(self.lat)), 0.01), _DEG_M])

    def metres(self, points: Floats) -> Floats:
        lon = (points[:, 0] - self.lon + 180.0) % 360.0 - 180.0
        return np.column_stack([lon, points[:, 1] - self.lat]) * self._metres_per_degree

    def degrees(self, points: Floats) -> Floats:
        return points / self._metres_per_degree + [self.lon, self.lat]


def covered(
    lines: npt.NDArray[Any], corners: Floats, points: Floats, boxes: Sequence[Box]
) -> tuple[shapely.Geometry, str]:
    """Return the area that streets and buildings cover, and how large it is in words for people.

    lines: array of streets in longitude and latitude. corners: n x 2, those of the buildings.
    points: n x 2, the cameras, each of which lies in the answer. boxes: header boxes; none unless
    all sources have one.
    """
    area = extent(lines, corners, points)
    area, words, remark = _cut_to_boxes(area, boxes)
    outside = points[~shapely.intersects_xy(area, points)]
    if len(outside):
        added = shapely.union_all(_squares(outside))
        area = polygons_of(shapely.union_all([area, cut_at_antimeridian(added)]))
        cameras = "a camera" if len(outside) == 1 else f"{len(outside):,} cameras"
        words += f", and squares of {2 * CAMERA_M:.0f} m around {cameras} outside it"
    return area, words + remark


def extent(lines: npt.NDArray[Any], corners: Floats, points: Floats) -> shapely.Geometry:
    """Return where streets, buildings and points lie close together, as a (multi)polygon.

    Where they nowhere do (a single street), everything is kept that they touch. Points alone cover
    nothing.
    """
    if not len(lines) + len(corners):
        return shapely.MultiPolygon()
    frame = _frame(lines, corners)
    cells, cell_m = _cells(lines, np.concatenate([corners, points]), frame)
    reach = max(1, round(BRIDGED_M / cell_m))
    closed = _eroded(_dilated(_runs(cells), reach), reach)
    parts = np.array([_without_small_holes(part) for part in _outlines(closed, cell_m)])
    parts = shapely.simplify(parts, cell_m / 2)
    thin_m = max(THIN_M, cell_m * 1.5)
    thick = shapely.buffer(shapely.buffer(parts, -thin_m, quad_segs=4), thin_m, quad_segs=4)
    area = shapely.union_all(thick)
    if shapely.is_empty(area):
        area = shapely.union_all(parts)
    return cut_at_antimeridian(
        polygons_of(shapely.transform(shapely.simplify(area, cell_m / 4), frame.degrees))
    )


def area_for_people(km2: float) -> str:
    """Return an area in words short enough for a sentence, such as "2.1 km2"."""
    return f"{km2:,.0f} km2" if km2 >= 100 else f"{km2:.1f} km2" if km2 >= 1 else f"{km2:.2g} km2"


def _cut_to_boxes(
    area: shapely.Geometry, boxes: Sequence[Box]
) -> tuple[shapely.Geometry, str, str]:
    """Return the area inside the header boxes, its size in words, and a remark or nothing."""
    says = area_for_people
    whole_km2 = area_km2(area)
    frame = shapely.union_all([shapely.box(*box) for box in boxes])
    if shapely.is_empty(frame) or not whole_km2:
        return area, says(whole_km2), ""
    box_km2 = area_km2(frame)
    inside = polygons_of(shapely.intersection(area, frame))
    inside_km2 = area_km2(inside)
    if inside_km2 < BOX_SHARE * whole_km2:
        not_used = f"the header box of {says(box_km2)} is not used: most of the data is outside it"
        return area, says(whole_km2), f"; {not_used}"
    return inside, f"{says(inside_km2)} of the {says(box_km2)} in the header box", ""


def _squares(points: Floats) -> npt.NDArray[Any]:
    lon, lat = points.T
    high_deg = CAMERA_M / _DEG_M
    wide_deg = high_deg / np.maximum(np.cos(np.radians(lat)), 0.01)
    return np.asarray(shapely.box(lon - wide_deg, lat - high_deg, lon + wide_deg, lat + high_deg))


def _frame(lines: npt.NDArray[Any], corners: Floats) -> _Frame:
    """Return a frame in the middle of the data, as far as a sample of it tells."""
    sample = shapely.get_coordinates(lines[:: len(lines) // 1000 + 1]) if len(lines) else corners
    # Whole degrees: the cells of a place are the same for every extract and date of it.
    return _Frame(round(float(sample[len(sample) // 2, 0])), round(float(np.median(sample[:, 1]))))


def _cells(lines: npt.NDArray[Any], corners: Floats, frame: _Frame) -> tuple[Ints, float]:
    """Return the sorted cells that lines and corners touch, and the side of a cell.

    Of buildings the corners do: what they enclose is a small hole.
    """
    cell_m = CELL_M
    found = [_cells_of(frame.metres(corners), cell_m)]
    for at in range(0, len(lines), CHUNK):
        vertices, line = shapely.get_coordinates(lines[at : at + CHUNK], return_index=True)
        found.append(_cells_of(_drawn(frame.metres(vertices), line, cell_m), cell_m))
    cells = _distinct(np.concatenate(found))
    while len(cells) > MAX_CELLS:
        row, column = cells // _ROW, cells % _ROW - _COLUMN
        cells = _distinct(row // 2 * _ROW + column // 2 + _COLUMN)
        cell_m *= 2
    return cells, cell_m


def _cells_of(points: Floats, cell_m: float) -> Ints:
    column, row = np.floor(points.T / cell_m).astype(np.int64)
    return _distinct(row * _ROW + column + _COLUMN)


def _drawn(points: Floats, line: Ints, step_m: float) -> Floats:
    """Return the points of lines and, along edges longer than a step, points in between."""
    edge = np.flatnonzero(line[1:] == line[:-1])
    across = points[edge + 1] - points[edge]
    steps = np.ceil(np.abs(across).max(axis=1, initial=0.0) / step_m)
    long = np.flatnonzero(steps > 1)
    between = np.minimum(steps[long], _LONGEST_EDGE_CELLS).astype(np.int64) - 1
    nth = np.arange(between.sum()) - np.repeat(np.cumsum(between) - between, between) + 1
    share = (nth / np.repeat(steps[long], between))[:, None]
    start, way = points[edge[long]], across[long]
    return np.concatenate(
        [points, np.repeat(start, between, axis=0) + np.repeat(way, between, axis=0) * share]
    )


def _distinct(cells: Ints) -> Ints:
    # Neighbours in the data mostly share a cell: dropping those first leaves little to sort.
    ordered: Ints = np.sort(cells[np.diff(cells, prepend=-1 << 62) != 0])
    distinct: Ints = ordered[np.diff(ordered, prepend=-1 << 62) != 0]
    return distinct


def _runs(cells: Ints) -> _Runs:
    first = np.flatnonzero(np.diff(cells, prepend=-1 << 62) != 1)
    return _Runs(cells[first], cells[np.append(first[1:], len(cells)) - 1] + 1)


def _dilated(runs: _Runs, reach: int) -> _Runs:
    """Return the cells at most `reach` from a cell of the runs."""
    layers = [
        _Runs(runs.start + row * _ROW - wide, runs.end + row * _ROW + wide)
        for row, wide in _disc(reach)
    ]
    return _where_covered(layers, at_least=1)


def _eroded(runs: _Runs, reach: int) -> _Runs:
    """Return the cells of the runs that are more than `reach` from every cell outside."""
    layers = []
    for row, wide in _disc(reach):
        start, end = runs.start + row * _ROW + wide, runs.end + row * _ROW - wide
        layers.append(_Runs(start[end > start], end[end > start]))
    return _where_covered(layers, at_least=len(layers))


def _disc(reach: int) -> list[tuple[int, int]]:
    """Return the rows of a disc of cells and how far each extends to both sides."""
    return [(row, int(np.sqrt(reach**2 + 0.5 - row**2))) for row in range(-reach, reach + 1)]


def _where_covered(layers: list[_Runs], *, at_least: int) -> _Runs:
    """Return the runs of cells that lie in at least so many runs of all layers together."""
    start = np.concatenate([layer.start for layer in layers])
    end = np.concatenate([layer.end for layer in layers])
    at = np.concatenate([start, end])
    order = np.argsort(at, kind="stable")
    depth = np.cumsum(np.repeat([1, -1], len(start))[order])
    at = at[order]
    last = np.diff(at, append=1 << 62) != 0
    inside = np.concatenate([[False], depth[last] >= at_least])
    turns = at[last][inside[1:] != inside[:-1]]
    return _Runs(turns[::2], turns[1::2])


def _outlines(runs: _Runs, cell_m: float) -> npt.NDArray[Any]:
    row = runs.start // _ROW
    west, east = runs.start % _ROW - _COLUMN, runs.end - row * _ROW - _COLUMN
    boxes = shapely.box(west * cell_m, row * cell_m, east * cell_m, (row + 1) * cell_m)
    return np.asarray(shapely.get_parts(shapely.disjoint_subset_union_all(boxes)))


def _without_small_holes(part: shapely.Polygon) -> shapely.Polygon:
    largest = LARGEST_HOLE * shapely.Polygon(part.exterior).area
    holes = [hole for hole in part.interiors if shapely.Polygon(hole).area > largest]
    return shapely.Polygon(part.exterior, holes)
