"""Points and cameras brought together, tile by tile, so that memory follows the tile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

import h3
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from sousveil.coverage import _kernel
from sousveil.coverage._draws import Drawn, Plan, draw
from sousveil.coverage._views import Views, select
from sousveil.records import LEVELS
from sousveil.visibility import Obstacles, rings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TILE: Final = 8
"""Resolution of the h3 cells that work is done in, 0.7 km2 each; no result depends on it."""

_CELL_M: Final = 25.0
_SQUARE_M: Final = 50.0
_TASKS: Final = 4
_AT_ONCE: Final = 4_000_000  # views times draws
_95: Final = 1.959964
FIGURES: Final = (
    "probability", "could", "public", "private", "unknown", "maybe_public", "maybe_private",
    "expected",
)  # fmt: skip
"""What is told of a point. Of owners: by at least one camera known to be public, known to be
private, of unknown owner, that is or may be public, that is or may be private."""


class Points(NamedTuple):
    """Places where somebody may be, in metres of a plane."""

    xy: Floats
    kind: Ints  # 0 on a street, 1 on a way for walking
    length_mm: Ints


class Seen(NamedTuple):
    """What the draws come to.

    near: the points that a camera may see; the figures of the others are 0.
    figures: near x FIGURES x levels x (estimate, low, high).
    sums: question x class (_kernel.N_CLASSES) x kind x level x draw, in millimetres.
    """

    near: Ints
    figures: npt.NDArray[np.float32]
    sums: Ints
    lengths_mm: Ints  # camera x draw, seen by that camera alone; empty if not asked for


class Pairs(NamedTuple):
    """Points and cameras that see them: probabilities by question (moment, could) and level."""

    point: Ints
    camera: Ints
    probability: npt.NDArray[np.float32]


def see(
    points: Points,
    views: Views,
    obstacles: Obstacles,
    plan: Plan,
    *,
    radius_m: float,
    groups: int,
    presence: Floats | None = None,
    tile: int = TILE,
    by_camera: bool = False,
) -> Seen:
    """Count in how many draws each point is seen, and how much each draw sees in all."""
    tiles = list(_tiles(points.xy, views, obstacles, radius_m, tile))
    near = np.concatenate([mine for mine, _ in tiles]) if tiles else np.zeros(0, np.int64)
    group = (np.arange(plan.n) * groups // plan.n).astype(np.int64)
    sums = np.zeros((2, _kernel.N_CLASSES, 2, len(LEVELS), plan.n), np.int64)
    lengths = np.zeros((len(views.camera_id) if by_camera else 0, plan.n), np.int64)
    figures = [np.zeros((0, len(FIGURES), len(LEVELS), 3), np.float32)]
    for mine, cameras in tiles:
        part = Tile(points, mine, select(views, cameras), obstacles, radius_m)
        made = part.accumulate(plan, presence, group, groups, by_camera=by_camera)
        figures.append(made[0])
        sums += made[1]
        if by_camera:
            lengths[cameras] += made[2]
    return Seen(near, np.concatenate(figures), sums, lengths)


def pairs(
    points: Points,
    views: Views,
    obstacles: Obstacles,
    plan: Plan,
    *,
    radius_m: float,
    presence: Floats | None = None,
    tile: int = TILE,
) -> Pairs:
    """Return each point with each camera that sees it in any draw, by point, then camera."""
    point, camera = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    probability = [np.zeros((0, 2, len(LEVELS)), np.float32)]
    for mine, cameras in _tiles(points.xy, views, obstacles, radius_m, tile):
        part = Tile(points, mine, select(views, cameras), obstacles, radius_m)
        counts = part.count_pairs(plan, presence)
        seen = counts.any(axis=(1, 2))
        point.append(mine[part.which[seen, 0]])
        camera.append(cameras[part.which[seen, 1]])
        probability.append((counts[seen] / plan.n).astype(np.float32))
    found = np.concatenate(point), np.concatenate(camera)
    order = np.lexsort((found[1], found[0]))
    return Pairs(found[0][order], found[1][order], np.concatenate(probability)[order])


def _tiles(
    xy: Floats, views: Views, obstacles: Obstacles, radius_m: float, tile: int
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the points of each tile that a camera may see, and the cameras around."""
    outside = np.flatnonzero(~views.indoor)
    if not len(outside) or not len(xy):
        return
    trees = cKDTree(views.xy[outside]), cKDTree(xy)
    near = np.flatnonzero(trees[0].query(xy, distance_upper_bound=radius_m * 1.000001)[0] < np.inf)
    # Points of a square of 50 m share the cell of its middle: h3 is asked for squares, not points.
    squares, square = np.unique(np.floor(xy[near] / _SQUARE_M), axis=0, return_inverse=True)
    lonlat = obstacles.plane.to_lonlat((squares + 0.5) * _SQUARE_M)
    of_square = [h3.str_to_int(h3.latlng_to_cell(lat, lon, tile)) for lon, lat in lonlat.tolist()]
    cells = np.array(of_square, np.uint64)[square.ravel()]
    order = np.argsort(cells, kind="stable")
    borders = np.flatnonzero(np.diff(cells[order])) + 1
    for mine in np.split(near[order], borders):
        if not len(mine):
            continue
        low, high = xy[mine].min(axis=0) - radius_m, xy[mine].max(axis=0) + radius_m
        halo = np.all((views.xy[outside] >= low) & (views.xy[outside] <= high), axis=1)
        yield mine, outside[halo]


class Tile:
    """The points of a tile with the cameras around, and who has a line of sight to whom."""

    def __init__(
        self, points: Points, mine: Ints, views: Views, obstacles: Obstacles, radius_m: float
    ) -> None:
        self.views = views
        self.xy = points.xy[mine]
        self.kind = points.kind[mine]
        self.length_mm = points.length_mm[mine]
        self.first_view = np.searchsorted(views.camera, np.arange(len(views.camera_id) + 1))
        self.which, self.offset = self._lines_of_sight(obstacles, radius_m)

    def _lines_of_sight(self, obstacles: Obstacles, radius_m: float) -> tuple[Ints, Floats]:
        outlines = rings(self.views.xy, obstacles, radius_m=radius_m)
        closing = outlines.start[1:] - 1
        xy = np.delete(outlines.xy, closing, axis=0)
        start = outlines.start - np.arange(len(outlines.start))
        west, south = self.xy.min(axis=0)
        nx, ny = (np.ptp(self.xy, axis=0) / _CELL_M).astype(np.int64) + 1
        column, row = ((self.xy - [west, south]) / _CELL_M).astype(np.int64).T
        cell = row * nx + column
        order = np.argsort(cell, kind="stable")
        cell_start = np.searchsorted(cell[order], np.arange(nx * ny + 1))
        grid = (float(west), float(south), _CELL_M, int(nx), int(ny))
        which, offset = _kernel.lines_of_sight(
            self.xy, order, cell_start, grid, self.views.xy, xy, start, float(radius_m)
        )
        by_point = np.lexsort((which[:, 1], which[:, 0]))
        return which[by_point], offset[by_point]

    def accumulate(
        self, plan: Plan, presence: Floats | None, group: Ints, groups: int, *, by_camera: bool
    ) -> tuple[npt.NDArray[np.float32], Ints, Ints]:
        n, cameras = len(self.xy), len(self.views.camera_id)
        tasks = min(_TASKS, 2 * (os.cpu_count() or 1))
        sums = np.zeros((2, _kernel.N_CLASSES, 2, len(LEVELS), plan.n), np.int64)
        total = np.zeros((n, len(FIGURES), len(LEVELS)), np.int64)
        squares = np.zeros_like(total)
        lengths = np.zeros((cameras if by_camera else 0, plan.n), np.int64)
        pairs = np.searchsorted(self.which[:, 0], np.arange(n + 1)), self.which[:, 1], self.offset
        for first, last in self._blocks(plan, group):
            some = plan if last - first == plan.n else plan.part(first, last)
            there = None if presence is None else presence[first:last]
            made = np.zeros((tasks, *sums.shape[:-1], some.n), np.int64)
            alone = np.zeros((tasks, len(lengths), some.n), np.int64)
            _kernel.accumulate(
                *pairs, self.kind, self.length_mm, self.first_view, self.views.turns,
                self.views.operator_class, tuple(draw(self.views, some, there)), group[first:last],
                _kernel.tasks_of(n, tasks), made, total, squares, alone,
            )  # fmt: skip
            sums[..., first:last] = made.sum(axis=0)
            lengths[:, first:last] = alone.sum(axis=0)
        bounded = np.array([figure != "expected" for figure in FIGURES])[:, None]
        figures = _interval(total, squares, plan.n, groups, bounded)
        return figures, sums, lengths

    def _blocks(self, plan: Plan, group: Ints) -> list[tuple[int, int]]:
        """Return the draws in blocks of whole groups, so that memory follows the block."""
        most = max(_AT_ONCE // max(len(self.views.camera), 1), 1)
        if plan.n <= most or plan.stratified:
            return [(0, plan.n)]
        starts = np.flatnonzero(np.r_[True, np.diff(group) > 0])
        if len(starts) == 1:  # nothing is told of groups
            starts = np.arange(plan.n)
        bounds = [0]
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), plan.n], strict=True):
            if end - bounds[-1] > most and start > bounds[-1]:
                bounds.append(start)
        return list(zip(bounds, [*bounds[1:], plan.n], strict=True))

    def count_pairs(self, plan: Plan, presence: Floats | None) -> npt.NDArray[np.int32]:
        by_pair = np.zeros((len(self.which), 2, len(LEVELS)), np.int32)
        drawn: Drawn = draw(self.views, plan, presence)
        _kernel.accumulate_pairs(
            self.which[:, 1], self.offset, self.first_view, self.views.turns, tuple(drawn), by_pair
        )
        return by_pair


def _interval(
    total: Ints, squares: Ints, draws: int, groups: int, bounded: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Return mean, low and high of figures that were counted in groups of draws.

    The interval is of the mean itself: what the unknowns that all cameras share would make of it
    (the variance between groups beyond what chance in them explains), and the number of draws.
    bounded: whether a figure is a probability; else it is a number of cameras, near Poisson.
    """
    mean = total / draws
    if groups < 2:
        return np.stack([mean, mean, mean], axis=-1).astype(np.float32)
    size = draws / groups
    between = np.maximum(squares / size**2 - groups * mean**2, 0.0) / (groups - 1)
    within = np.where(bounded, mean * (1 - mean), mean)
    shared = np.maximum(between - within / size, 0.0)
    half = _95 * np.sqrt(shared + within / draws)
    low, high = np.maximum(mean - half, 0.0), mean + half
    high = np.where(bounded, np.minimum(high, 1.0), high)
    return np.stack([mean, low, high], axis=-1).astype(np.float32)
