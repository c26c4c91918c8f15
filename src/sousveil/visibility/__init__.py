"""What a point sees: the exact region within a radius and a field of view, buildings in the way.

Buildings are walls without end in height, so nothing is seen behind or over them. The region is
exact but for its arcs, which are chords of at most one degree. Everything here is in metres of a
flat map (`plane_around`); bearings are degrees clockwise from north.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from sousveil.visibility import _kernel
from sousveil.visibility._placing import Placed, place
from sousveil.visibility._plane import Floats, Plane
from sousveil.visibility._plane import around as plane_around
from sousveil.visibility._walls import (
    Obstacles,
    obstacles,
    of_footprints,
    rings_of_cells,
)

__all__ = [
    "Obstacles",
    "Placed",
    "Plane",
    "Rings",
    "obstacles",
    "of_footprints",
    "place",
    "plane_around",
    "polygons",
    "regions",
    "rings",
]

_BLOCK: Final = 512
_ROOM: Final = 4096  # walls near a point that may matter; grows where it does not do


class Rings(NamedTuple):
    """Closed outlines, one after the other: ring i is xy[start[i]:start[i + 1]]."""

    xy: Floats
    start: npt.NDArray[np.int64]


def regions(
    points: Floats,
    obstacles: Obstacles,
    *,
    radius_m: npt.ArrayLike,
    bearing_deg: npt.ArrayLike = 0.0,
    hfov_deg: npt.ArrayLike = 360.0,
) -> npt.NDArray[Any]:
    """Return what points see as valid shapely polygons, empty where that has no area.

    points: n x 2 in metres, outside every footprint (see `place`). The others: numbers or n.
    """
    return polygons(
        rings(points, obstacles, radius_m=radius_m, bearing_deg=bearing_deg, hfov_deg=hfov_deg)
    )


def polygons(outlines: Rings) -> npt.NDArray[Any]:
    """Return outlines as valid shapely polygons."""
    sizes = np.diff(outlines.start)
    good = np.flatnonzero(sizes >= 4)
    made = np.full(len(sizes), shapely.Polygon(), dtype=object)
    chosen = np.repeat(sizes >= 4, sizes)
    index = np.repeat(np.arange(len(good)), sizes[good])
    if len(good):
        made[good] = shapely.polygons(shapely.linearrings(outlines.xy[chosen], indices=index))
    broken = np.flatnonzero(~shapely.is_valid(made))
    for i in broken:  # corners that rounding put on the wrong side of one another
        made[i] = _only_area(shapely.make_valid(made[i]))
    return made


def _only_area(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shapely.get_parts(shape))
    return shapely.union_all(parts[shapely.get_type_id(parts) == 3])


def rings(
    points: Floats,
    obstacles: Obstacles,
    *,
    radius_m: npt.ArrayLike,
    bearing_deg: npt.ArrayLike = 0.0,
    hfov_deg: npt.ArrayLike = 360.0,
    cores: int | None = None,
) -> Rings:
    """Return the outlines of what points see, on all cores; parameters as in `regions`."""
    points = np.ascontiguousarray(points, np.float64).reshape(-1, 2)
    n = len(points)
    radius = np.ascontiguousarray(np.broadcast_to(np.asarray(radius_m, np.float64), n))
    sectors = _sectors(n, bearing_deg, hfov_deg)
    grid = obstacles.grid
    steps = rings_of_cells(grid, float(radius.max(initial=0.0)))
    cuts = [*range(0, n, _BLOCK), n]

    def work(cut: tuple[int, int]) -> tuple[Floats, npt.NDArray[np.int64]]:
        mine = slice(*cut)
        return _block(points[mine], sectors[mine], radius[mine], grid, steps)

    cores = cores or len(os.sched_getaffinity(0))
    if cores == 1 or n <= _BLOCK:
        done = [work(cut) for cut in pairwise(cuts)]
    else:
        with ThreadPoolExecutor(cores) as pool:
            done = list(pool.map(work, pairwise(cuts)))
    xy = [part for part, _ in done]
    sizes = [part for _, part in done]
    start = np.concatenate([[0], np.cumsum(np.concatenate(sizes or [np.zeros(0, np.int64)]))])
    return Rings(np.concatenate(xy) if xy else np.empty((0, 2)), start.astype(np.int64))


def _sectors(n: int, bearing_deg: npt.ArrayLike, hfov_deg: npt.ArrayLike) -> Floats:
    """Return what the kernel needs of a field of view, counter-clockwise from its right side."""
    hfov = np.broadcast_to(np.asarray(hfov_deg, np.float64), n)
    bearing = np.broadcast_to(np.asarray(bearing_deg, np.float64), n)
    whole = hfov >= 360.0
    first = np.where(whole, 0.0, np.radians(90.0 - bearing - hfov / 2.0))
    width = np.where(whole, 0.0, np.radians(hfov))
    last = np.column_stack([np.cos(width), np.sin(width)])
    turn = np.array([_kernel.turn_of(x, y) for x, y in np.unique(last, axis=0)])
    _, back = np.unique(last, axis=0, return_inverse=True)
    turns = np.where(whole, 4.0, turn[back.ravel()] if n else 0.0)
    return np.column_stack([np.cos(first), np.sin(first), last, turns])


def _block(
    points: Floats, sectors: Floats, radius: Floats, grid: Any, steps: Floats
) -> tuple[Floats, npt.NDArray[np.int64]]:
    sizes = np.zeros(len(points), np.int64)
    parts, done, room, space = [], 0, _ROOM, 64 * _BLOCK
    while done < len(points):
        out = np.empty((space + 8 * room, 2))
        reached = _kernel.sweep_block(
            points, sectors, radius, tuple(grid), steps, room, done, out, sizes
        )
        if reached < 0:
            room, reached = 2 * room, -1 - reached
        parts.append(out[: sizes[done:reached].sum()].copy())
        done = reached
    return np.concatenate(parts), sizes
