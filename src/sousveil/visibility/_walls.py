"""Buildings as walls: what is none, ways through, and a grid that finds walls near a point."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.visibility._plane import Floats, Plane

OPEN_BELOW: Final = frozenset({"roof", "carport", "canopy", "no"})
"""Values of `building` of what one sees through at the height of people."""

COVERED_WAYS: Final = frozenset({"yes", "arcade", "colonnade"})
"""Values of `covered` of a way that runs through or under a building in the open."""

PASSAGE_WIDTH_M: Final = 4.0
"""Clear width of a passage; OpenStreetMap rarely says, and a way in for fire engines has 3 to 4."""

_CELL_M: Final = 36.0
_MOST_CELLS: Final = 8_000_000


class Walls(NamedTuple):
    """Walls in cells, as the kernel takes them: see grid_of."""

    walls: Floats  # ax, ay, bx, by, the building on the left
    cell_start: npt.NDArray[np.int64]
    cell_box: Floats  # around the walls of each cell
    west: float
    south: float
    cell_m: float
    nx: int
    ny: int


class Obstacles(NamedTuple):
    """What blocks the view: footprints in metres of a plane, and their walls in a grid."""

    plane: Plane
    footprints: npt.NDArray[Any]  # polygons
    tree: shapely.STRtree
    grid: Walls


def obstacles(plane: Plane, buildings: pa.Table, streets: pa.Table | None = None) -> Obstacles:
    """Return what blocks the view of a person's height.

    buildings, streets: records.BUILDINGS and STREETS. Left out is what stands on posts, hangs
    above, or lies underground; passages and covered ways (of streets) are cut through.
    """
    shapes = shapely.from_wkb(_standing(buildings)["geometry"].to_numpy(zero_copy_only=False))
    flat = plane.flat(shapes)
    if streets is not None:
        flat = _opened(flat, plane.flat(_ways_through(streets)))
    return of_footprints(flat, plane)


def of_footprints(footprints: npt.NDArray[Any], plane: Plane | None = None) -> Obstacles:
    """Return polygons in metres as obstacles."""
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(footprints)))
    parts = parts[(shapely.get_type_id(parts) == 3) & ~shapely.is_empty(parts)]
    walls = _split_long(_split_at_crossings(walls_of(parts)))
    return Obstacles(plane or Plane(0.0, 0.0), parts, shapely.STRtree(parts), grid_of(walls))


def _standing(buildings: pa.Table) -> pa.Table:
    def number(name: str) -> pa.Array:
        text = pc.replace_substring_regex(pc.fill_null(buildings[name], "0"), r"[^0-9.\-].*", "")
        usable = pc.match_substring_regex(text, r"^-?\d+(\.\d+)?$")
        return pc.cast(pc.if_else(usable, text, "0"), pa.float64())

    open_below = pc.is_in(buildings["building"], value_set=pa.array(sorted(OPEN_BELOW)))
    raised = pc.or_(pc.greater(number("min_height"), 2.0), pc.greater(number("min_level"), 0.0))
    buried = pc.or_(
        pc.fill_null(pc.equal(buildings["location"], "underground"), False),
        pc.less(number("layer"), 0.0),
    )
    return buildings.filter(pc.invert(pc.or_(open_below, pc.or_(raised, buried))))


def _ways_through(streets: pa.Table) -> npt.NDArray[Any]:
    passage = pc.fill_null(pc.equal(streets["tunnel"], "building_passage"), False)
    covered = pc.is_in(streets["covered"], value_set=pa.array(sorted(COVERED_WAYS)))
    indoor = pc.fill_null(pc.equal(streets["indoor"], "yes"), False)
    ways = streets.filter(pc.and_not(pc.or_(passage, covered), indoor))
    lines: npt.NDArray[Any] = shapely.from_wkb(ways["geometry"].to_numpy(zero_copy_only=False))
    return lines


def _opened(footprints: npt.NDArray[Any], ways: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Cut ways through footprints, a little beyond their ends so that no thin wall is left."""
    if not len(ways) or not len(footprints):
        return footprints
    corridors = shapely.buffer(ways, PASSAGE_WIDTH_M / 2, cap_style="square", quad_segs=2)
    way, building = shapely.STRtree(footprints).query(corridors, predicate="intersects")
    opened = footprints.copy()
    for i in np.unique(building):
        opened[i] = shapely.difference(opened[i], shapely.union_all(corridors[way[building == i]]))
    return opened


def walls_of(polygons: npt.NDArray[Any]) -> Floats:
    """Return the edges of polygons as rows ax, ay, bx, by with the inside on the left."""
    rings = shapely.get_rings(shapely.orient_polygons(polygons, exterior_cw=False))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(points):
        return np.empty((0, 4))
    first = np.flatnonzero(ring[1:] == ring[:-1])
    walls = np.hstack([points[first], points[first + 1]])
    return walls[np.any(walls[:, :2] != walls[:, 2:], axis=1)]


def _split_at_crossings(walls: Floats) -> Floats:
    """Cut walls where others cross them, which happens where footprints overlap."""
    lines = shapely.linestrings(walls.reshape(-1, 2, 2))
    left, right = shapely.STRtree(lines).query(lines, predicate="crosses")
    if not len(left):
        return walls
    meeting = shapely.intersection(
        lines[np.minimum(left, right)], lines[np.maximum(left, right)]
    )  # in one order, so that both walls are cut at the very same point
    usable = shapely.get_type_id(meeting) == 0
    at = shapely.get_coordinates(meeting[usable])
    cut = left[usable]
    start, end = walls[cut, :2], walls[cut, 2:]
    along = ((at - start) * (end - start)).sum(axis=1) / ((end - start) ** 2).sum(axis=1)
    order = np.lexsort((along, cut))
    cut, at = cut[order], at[order]
    pieces = []
    for i, where in zip(*np.unique(cut, return_index=True), strict=True):
        n = int((cut == i).sum())
        chain = np.vstack([walls[i, :2], at[where : where + n], walls[i, 2:]])
        pieces.append(np.hstack([chain[:-1], chain[1:]]))
    whole = np.delete(walls, np.unique(cut), axis=0)
    split = np.vstack([whole, *pieces])
    return split[np.any(split[:, :2] != split[:, 2:], axis=1)]


def _split_long(walls: Floats) -> Floats:
    """Cut walls into pieces no longer than a cell, so that a wall sticks out of few cells."""
    length = np.hypot(walls[:, 2] - walls[:, 0], walls[:, 3] - walls[:, 1])
    pieces = np.maximum(np.ceil(length / _CELL_M), 1).astype(np.int64)
    of = np.repeat(np.arange(len(walls)), pieces)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    start, end = walls[of, :2], walls[of, 2:]

    def at(i: npt.NDArray[np.int64]) -> Floats:
        share = (i / pieces[of])[:, None]
        # The ends stay the very numbers they are: neighbours must share their corner exactly.
        return np.where(share == 0, start, np.where(share == 1, end, start + share * (end - start)))

    return np.hstack([at(nth), at(nth + 1)])


def grid_of(walls: Floats) -> Walls:
    """Return walls sorted into square cells by their middles."""
    if not len(walls):
        return Walls(np.empty((0, 4)), np.zeros(2, np.int64), np.zeros((1, 4)), 0, 0, _CELL_M, 1, 1)
    x, y = (walls[:, 0] + walls[:, 2]) / 2, (walls[:, 1] + walls[:, 3]) / 2
    west, south = float(x.min()), float(y.min())
    width, height = float(x.max()) - west, float(y.max()) - south
    cell_m = max(_CELL_M, float(np.sqrt(width * height / _MOST_CELLS)))
    nx, ny = int(width / cell_m) + 1, int(height / cell_m) + 1
    cell = ((y - south) / cell_m).astype(np.int64) * nx + ((x - west) / cell_m).astype(np.int64)
    order = np.argsort(cell, kind="stable")
    walls, cell = np.ascontiguousarray(walls[order]), cell[order]
    start = np.searchsorted(cell, np.arange(nx * ny + 1))
    box = np.full((nx * ny, 4), np.nan)
    occupied = np.flatnonzero(start[1:] > start[:-1])
    heads = start[occupied]
    low, high = np.minimum(walls[:, :2], walls[:, 2:]), np.maximum(walls[:, :2], walls[:, 2:])
    box[occupied, :2] = np.minimum.reduceat(low, heads)
    box[occupied, 2:] = np.maximum.reduceat(high, heads)
    return Walls(walls, start, box, west, south, cell_m, nx, ny)


def rings_of_cells(grid: Walls, radius_m: float) -> Floats:
    """Return the steps to cells within a radius, near ones first.

    Rows: columns east, rows north, the least distance of any wall of that cell from any point of
    the cell in the middle.
    """
    sticks_out = grid.cell_m * (0.5 * np.sqrt(2.0)) * 2 + min(_CELL_M, grid.cell_m) / 2
    n = min(int((radius_m + sticks_out) / grid.cell_m) + 1, max(grid.nx, grid.ny) + 1)
    east, north = np.meshgrid(np.arange(-n, n + 1), np.arange(-n, n + 1))
    middle = np.hypot(east, north).ravel() * grid.cell_m
    steps = np.column_stack([east.ravel(), north.ravel(), np.maximum(middle - sticks_out, 0.0)])
    steps = steps[steps[:, 2] <= radius_m]
    near_first = np.argsort(np.hypot(steps[:, 0], steps[:, 1]), kind="stable")
    return np.ascontiguousarray(steps[near_first], dtype=np.float64)
