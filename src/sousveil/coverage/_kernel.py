"""Who sees which point, and in how many draws: compiled loops."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit, prange

from sousveil.visibility._kernel import turn_of

N_LEVELS: Final = 4
N_CLASSES: Final = 6
"""Any camera, one known to be public, to be private, one of unknown owner, one that is or may be
public, one that is or may be private."""
N_FIGURES: Final = 8


@njit(nogil=True, cache=True, error_model="numpy")
def _sees(xy, turns, lo, hi, x, y):  # type: ignore[no-untyped-def]
    """Tell whether a point relative to a camera lies in the ring lo:hi, sorted by turn."""
    t = turn_of(x, y)
    a, b = lo, hi  # the last corner whose turn is not beyond t
    while b - a > 1:
        m = (a + b) // 2
        if turns[m] <= t:
            a = m
        else:
            b = m
    n = a + 1 if a + 1 < hi else lo
    if turns[a] > t:  # before the first corner: the edge from the last to the first
        a, n = hi - 1, lo
    ex, ey = xy[n, 0] - xy[a, 0], xy[n, 1] - xy[a, 1]
    return ex * (y - xy[a, 1]) - ey * (x - xy[a, 0]) >= 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _turns_of(xy, start, cameras, turns):  # type: ignore[no-untyped-def]
    for c in range(cameras.shape[0]):
        for k in range(start[c], start[c + 1]):
            xy[k, 0] -= cameras[c, 0]
            xy[k, 1] -= cameras[c, 1]
            turns[k] = turn_of(xy[k, 0], xy[k, 1])
        if start[c] < start[c + 1]:
            turns[start[c]] = 0.0  # rounding may have put it a hair below the first direction


@njit(nogil=True, cache=True, error_model="numpy")
def lines_of_sight(points, order, cell_start, grid, cameras, xy, start, radius):  # type: ignore[no-untyped-def]
    """Return the pairs (point, camera, east, north) of points that a camera's ring holds.

    points lie sorted in cells: order[cell_start[c]:cell_start[c + 1]]. xy, start: rings without
    their closing corner; they are made relative to the cameras in place.
    """
    west, south, cell_m, nx, ny = grid
    turns = np.empty(xy.shape[0])
    _turns_of(xy, start, cameras, turns)
    n, room = 0, 1024
    which = np.empty((room, 2), np.int64)
    offset = np.empty((room, 2))
    for c in range(cameras.shape[0]):
        cx, cy = cameras[c, 0], cameras[c, 1]
        lo, hi = start[c], start[c + 1]
        if hi - lo < 3:
            continue
        x0 = max(int((cx - radius - west) / cell_m), 0)
        x1 = min(int((cx + radius - west) / cell_m), nx - 1)
        y0 = max(int((cy - radius - south) / cell_m), 0)
        y1 = min(int((cy + radius - south) / cell_m), ny - 1)
        for iy in range(y0, y1 + 1):
            for ix in range(x0, x1 + 1):
                cell = iy * nx + ix
                for k in range(cell_start[cell], cell_start[cell + 1]):
                    p = order[k]
                    dx, dy = points[p, 0] - cx, points[p, 1] - cy
                    if dx * dx + dy * dy > radius * radius:
                        continue
                    if not _sees(xy, turns, lo, hi, dx, dy):
                        continue
                    if n == room:
                        room *= 2
                        more = np.empty((room, 2), np.int64)
                        more[:n] = which
                        which = more
                        far = np.empty((room, 2))
                        far[:n] = offset
                        offset = far
                    which[n, 0], which[n, 1] = p, c
                    offset[n, 0], offset[n, 1] = dx, dy
                    n += 1
    return which[:n], offset[:n]


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _level(g, reach, v, d):  # type: ignore[no-untyped-def]
    level = 0
    while level < N_LEVELS and g <= reach[level, v, d]:
        level += 1
    return level


@njit(nogil=True, cache=True, error_model="numpy")
def _one_camera(dx, dy, c, first_view, turns, drawn, moment, could):  # type: ignore[no-untyped-def]
    """Write, for each draw, the highest level (0 to 4) at which camera c sees the point.

    Returns whether it does in any draw.
    """
    east, north, cos_half, blind, upper, reach, exists = drawn
    n_draws = east.shape[1]
    g = np.float32(np.sqrt(dx * dx + dy * dy))
    ux = np.float32(dx / g) if g > 0 else np.float32(0.0)
    uy = np.float32(dy / g) if g > 0 else np.float32(0.0)
    moment[:] = 0
    could[:] = 0
    found = False
    for v in range(first_view[c], first_view[c + 1]):
        for d in range(n_draws):
            if g > reach[0, v, d] or not exists[c, d]:
                continue
            level = _level(g, reach, v, d)
            inside = (
                g >= blind[v, d]
                and g <= upper[v, d]
                and east[v, d] * ux + north[v, d] * uy >= cos_half[v, d]
            )
            if inside:
                moment[d] = max(moment[d], level)
                found = True
            if inside or turns[v]:
                could[d] = max(could[d], level)
                found = True
    return found


@njit(nogil=True, cache=True, error_model="numpy")
def _classes(best, d):  # type: ignore[no-untyped-def]
    """Fill in, of a draw, the classes that follow from the three of owners: best[q, 1:4, d]."""
    for q in range(2):
        public, private, unknown = best[q, 1, d], best[q, 2, d], best[q, 3, d]
        best[q, 4, d] = max(public, unknown)
        best[q, 5, d] = max(private, unknown)
        best[q, 0, d] = max(best[q, 4, d], private)


@njit(nogil=True, cache=True, error_model="numpy")
def _by_group(best, number, group, p, counts, total, squares):  # type: ignore[no-untyped-def]
    """Add, for point p, what the draws of each group count, and the squares of it.

    The figures are those of _seeing.FIGURES. Draws of a group stand together.
    """
    n_draws = number.shape[1]
    counts[:] = 0
    for d in range(n_draws):
        for level in range(best[0, 0, d]):
            counts[0, level] += 1
        for level in range(best[1, 0, d]):
            counts[1, level] += 1
        for owner in range(1, N_CLASSES):
            for level in range(best[0, owner, d]):
                counts[1 + owner, level] += 1
        for level in range(N_LEVELS):
            counts[N_FIGURES - 1, level] += number[level, d]
        if d + 1 == n_draws or group[d + 1] != group[d]:
            for figure in range(N_FIGURES):
                for level in range(N_LEVELS):
                    total[p, figure, level] += counts[figure, level]
                    squares[p, figure, level] += counts[figure, level] * counts[figure, level]
            counts[:] = 0


@njit(nogil=True, cache=True, error_model="numpy", parallel=True)
def accumulate(  # type: ignore[no-untyped-def]
    first_pair, pair_camera, offset, kind, length_mm, first_view, turns, operator_class, drawn,
    group, chunk, sums, total, squares, lengths,
):  # fmt: skip
    """Count, for every point, in how many draws it is seen; and sum lengths for every draw.

    first_pair: the pairs of point p are first_pair[p]:first_pair[p + 1]. kind[p]: 0 street, 1 way
    for walking. chunk: bounds of points, one for each parallel task. Written are
    sums[task, question, class (N_CLASSES), kind, level, draw] in millimetres,
    total[point, figure, level] as counts, and the sum of the squares of the groups' counts;
    and lengths[task, camera, draw], the length that a camera alone sees at the first level at a
    random moment, where it has cameras.
    """
    n_draws = drawn[0].shape[1]
    for task in prange(chunk.shape[0] - 1):
        moment = np.empty(n_draws, np.uint8)
        could = np.empty(n_draws, np.uint8)
        best = np.empty((2, N_CLASSES, n_draws), np.uint8)
        number = np.empty((N_LEVELS, n_draws), np.int32)
        counts = np.empty((N_FIGURES, N_LEVELS), np.int64)
        for p in range(chunk[task], chunk[task + 1]):
            best[:] = 0
            number[:] = 0
            any_pair = False
            for k in range(first_pair[p], first_pair[p + 1]):
                c = pair_camera[k]
                if not _one_camera(
                    offset[k, 0], offset[k, 1], c, first_view, turns, drawn, moment, could
                ):
                    continue
                any_pair = True
                mine = 1 + operator_class[c]
                for d in range(n_draws):
                    m, q = moment[d], could[d]
                    best[0, mine, d] = max(best[0, mine, d], m)
                    best[1, mine, d] = max(best[1, mine, d], q)
                    for level in range(m):
                        number[level, d] += 1
                    if lengths.shape[1] > 0 and m > 0:
                        lengths[task, c, d] += length_mm[p]
            if not any_pair:
                continue
            for d in range(n_draws):
                _classes(best, d)
            _by_group(best, number, group, p, counts, total, squares)
            for q in range(2):
                for k in range(N_CLASSES):
                    for d in range(n_draws):
                        for level in range(best[q, k, d]):
                            sums[task, q, k, kind[p], level, d] += length_mm[p]


@njit(nogil=True, cache=True, error_model="numpy", parallel=True)
def accumulate_pairs(pair_camera, offset, first_view, turns, drawn, by_pair):  # type: ignore[no-untyped-def]
    """Count, for every pair of point and camera, the draws in which it is seen at each level."""
    n_draws = drawn[0].shape[1]
    n = pair_camera.shape[0]
    tasks = 64
    for task in prange(tasks):
        moment = np.empty(n_draws, np.uint8)
        could = np.empty(n_draws, np.uint8)
        for k in range(n * task // tasks, n * (task + 1) // tasks):
            if not _one_camera(offset[k, 0], offset[k, 1], pair_camera[k], first_view, turns,
                               drawn, moment, could):  # fmt: skip
                continue
            for d in range(n_draws):
                for level in range(moment[d]):
                    by_pair[k, 0, level] += 1
                for level in range(could[d]):
                    by_pair[k, 1, level] += 1


@njit(nogil=True, cache=True, error_model="numpy", parallel=True)
def accumulate_groups(pair, first, pair_camera, offset, first_view, turns, drawn, best):  # type: ignore[no-untyped-def]
    """Write, for every group of pairs, question and draw, the highest level of any of them."""
    n_draws = drawn[0].shape[1]
    n = first.shape[0] - 1
    tasks = 64
    for task in prange(tasks):
        moment = np.empty(n_draws, np.uint8)
        could = np.empty(n_draws, np.uint8)
        for g in range(n * task // tasks, n * (task + 1) // tasks):
            for i in range(first[g], first[g + 1]):
                k = pair[i]
                if not _one_camera(offset[k, 0], offset[k, 1], pair_camera[k], first_view, turns,
                                   drawn, moment, could):  # fmt: skip
                    continue
                for d in range(n_draws):
                    best[g, 0, d] = max(best[g, 0, d], moment[d])
                    best[g, 1, d] = max(best[g, 1, d], could[d])


def tasks_of(n_points: int, n_tasks: int) -> Any:
    """Return the bounds of parallel tasks over points."""
    return np.linspace(0, n_points, n_tasks + 1).astype(np.int64)
