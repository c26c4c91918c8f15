"""The sweep: what a point sees among walls, compiled.

A wall is a row ax, ay, bx, by with the building on its left. A point outside every building sees
the front of walls only, so a wall counts where it runs clockwise around the point. Angles are
compared as "turns": a number from 0 to 4 that grows with the angle and needs no trigonometry.

Method: cells of walls are taken from near to far; coarse sectors remember how far one can still
see in them, so that hidden walls are dropped unsorted. What is left is swept by angle, with the
nearest wall at hand (after T. Asano, An efficient algorithm for finding the visibility polygon,
IEICE Transactions E68 (1985), 557-559).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

ARC_POINTS: Final = 360
"""Chords of a whole circle: the polygon loses at most 0.005 % of a free disc."""

_SECTORS: Final = 96  # a multiple of 4, so that borders fall on the quarters of the turn
_TIE: Final = 1e-12
_TOUCH: Final = 1e-9  # walls cut at a crossing meet up to rounding
_FURTHER: Final = 5.0  # beyond every turn


def _directions(n: int) -> Any:
    angle = 2.0 * np.pi * np.arange(n + 1) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def _turns(points: Any) -> Any:
    x, y = points[:, 0], points[:, 1]
    share = np.abs(y) / (np.abs(x) + np.abs(y))
    quarter = np.where(y >= 0, np.where(x >= 0, 0, 1), np.where(x < 0, 2, 3))
    return quarter + np.where(quarter % 2 == 0, share, 1.0 - share)


_ARC: Final = _directions(ARC_POINTS)
_ARC_TURNS: Final = _turns(_ARC)
_ARC_TURNS[-1] = 4.0


def _sector_borders() -> Any:
    """Return a point on the diamond |x| + |y| = 1 at the start of each sector."""
    turn = np.arange(_SECTORS + 1) * 4.0 / _SECTORS
    within = turn % 1.0
    quarter = turn.astype(np.int64) % 4
    x = np.choose(quarter, [1 - within, -within, within - 1, within])
    y = np.choose(quarter, [within, 1 - within, -within, within - 1])
    return np.column_stack([x, y])


_BORDERS: Final = _sector_borders()
_BORDER_LENGTH2: Final = (_BORDERS**2).sum(axis=1)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def turn_of(x: float, y: float) -> float:
    """Return the angle of a vector as a number from 0 (east) over 1 (north) to below 4."""
    if y >= 0.0:
        if x >= 0.0:
            s = x + y
            return y / s if s > 0.0 else 0.0
        return 1.0 - x / (y - x)
    if x < 0.0:
        return 2.0 - y / (-x - y)
    return 3.0 + x / (x - y)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _along(w: Any, i: int, x: float, y: float) -> Any:
    """Return by what (x, y) must be multiplied to lie on the line of wall i."""
    ex = w[i, 2] - w[i, 0]
    ey = w[i, 3] - w[i, 1]
    down = x * ey - y * ex
    if down == 0.0:
        return 1e300
    return (w[i, 0] * ey - w[i, 1] * ex) / down


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _nearer(w: Any, i: int, ri: float, j: int, rj: float) -> Any:
    """Tell whether wall i lies before wall j just after a direction that meets them at ri, rj."""
    if abs(ri - rj) > _TOUCH * (abs(ri) + abs(rj)):
        return ri < rj
    # They meet here: the one that bends more towards the point comes first.
    ix, iy = w[i, 0] - w[i, 2], w[i, 1] - w[i, 3]
    jx, jy = w[j, 0] - w[j, 2], w[j, 1] - w[j, 3]
    return jx * iy - jy * ix > 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _clip(w: Any, i: int, radius2: float) -> None:
    """Shorten wall i, given relative to the point, to the circle; it is known to reach in."""
    ax, ay, bx, by = w[i, 0], w[i, 1], w[i, 2], w[i, 3]
    ex, ey = bx - ax, by - ay
    a = ex * ex + ey * ey
    b = ax * ex + ay * ey
    root = b * b - a * (ax * ax + ay * ay - radius2)
    root = np.sqrt(root) if root > 0.0 else 0.0
    if ax * ax + ay * ay > radius2:
        t = (-b - root) / a
        w[i, 0], w[i, 1] = ax + t * ex, ay + t * ey
    if bx * bx + by * by > radius2:
        t = (-b + root) / a
        w[i, 2], w[i, 3] = ax + t * ex, ay + t * ey


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _distance2(ax: float, ay: float, bx: float, by: float, cross: float) -> float:
    ex, ey = bx - ax, by - ay
    length2 = ex * ex + ey * ey
    t = -(ax * ex + ay * ey)
    if t <= 0.0:
        return ax * ax + ay * ay
    if t >= length2:
        return bx * bx + by * by
    return cross * cross / length2


@njit(nogil=True, cache=True, error_model="numpy")
def _shade(w: Any, i: int, start: float, end: float, depth2: Any) -> None:
    """Note, for the sectors that wall i covers whole, that nothing behind it is seen."""
    first = int(np.ceil(start * (_SECTORS / 4.0)))
    last = int(end * (_SECTORS / 4.0))
    if last <= first:
        return
    r = _along(w, i, _BORDERS[first, 0], _BORDERS[first, 1])
    far2 = r * r * _BORDER_LENGTH2[first]
    for k in range(first, last):
        r = _along(w, i, _BORDERS[k + 1, 0], _BORDERS[k + 1, 1])
        next2 = r * r * _BORDER_LENGTH2[k + 1]
        behind = max(far2, next2) * 1.000001
        if behind < depth2[k]:
            depth2[k] = behind
        far2 = next2


@njit(nogil=True, cache=True, error_model="numpy")
def _is_hidden(near2: float, start: float, end: float, depth2: Any) -> bool:
    first = int(start * (_SECTORS / 4.0))
    last = min(int(end * (_SECTORS / 4.0)), _SECTORS - 1)
    for k in range(first, last + 1):  # noqa: SIM110  (a loop compiles better)
        if near2 <= depth2[k]:
            return False
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _is_cell_hidden(west, south, east, north, c, s, near2, depth2):  # type: ignore[no-untyped-def]
    """Tell whether nothing of a box that does not hold the point can be seen."""
    a = turn_of(c * west + s * south, c * south - s * west)
    b = turn_of(c * east + s * south, c * south - s * east)
    d = turn_of(c * west + s * north, c * north - s * west)
    e = turn_of(c * east + s * north, c * north - s * east)
    low, high = min(min(a, b), min(d, e)), max(max(a, b), max(d, e))
    if high - low <= 2.0:
        return _is_hidden(near2, low, high, depth2)
    high, low = 4.0, 0.0  # across the first direction
    for turn in (a, b, d, e):
        if turn > 2.0:
            high = min(high, turn)
        else:
            low = max(low, turn)
    return _is_hidden(near2, 0.0, low, depth2) and _is_hidden(near2, high, 4.0, depth2)


@njit(nogil=True, cache=True, error_model="numpy")
def _gather(px, py, c, s, radius, end_turn, grid, offsets, w, turns, near2, depth2):  # type: ignore[no-untyped-def]
    """Collect the walls that may be seen, relative to the point and turned by the angle (c, s).

    Returns how many there are; -1 when there is no room for all.
    """
    walls, cell_start, cell_box, west, south, cell_m, nx, ny = grid
    n = 0
    radius2 = radius * radius
    depth2[:] = radius2
    for k in range(_SECTORS):
        if k * 4.0 / _SECTORS >= end_turn:
            depth2[k] = 0.0
    farthest2 = radius2
    cx = int(np.floor((px - west) / cell_m))
    cy = int(np.floor((py - south) / cell_m))
    ring = -1.0
    for o in range(offsets.shape[0]):
        if offsets[o, 2] > ring + cell_m / 2.0:  # farther out: how far can one still see?
            ring = offsets[o, 2]
            farthest2 = 0.0
            for k in range(_SECTORS):
                farthest2 = max(farthest2, depth2[k])
            if ring > 0.0 and ring * ring > farthest2:
                break
        ix, iy = cx + int(offsets[o, 0]), cy + int(offsets[o, 1])
        if ix < 0 or iy < 0 or ix >= nx or iy >= ny:
            continue
        cell = iy * nx + ix
        lo, hi = cell_start[cell], cell_start[cell + 1]
        if lo == hi:
            continue
        dx = max(cell_box[cell, 0] - px, px - cell_box[cell, 2], 0.0)
        dy = max(cell_box[cell, 1] - py, py - cell_box[cell, 3], 0.0)
        if dx * dx + dy * dy >= farthest2:
            continue
        if hi - lo > 3 and dx + dy > 0.0 and _is_cell_hidden(
            cell_box[cell, 0] - px, cell_box[cell, 1] - py,
            cell_box[cell, 2] - px, cell_box[cell, 3] - py, c, s, dx * dx + dy * dy, depth2,
        ):  # fmt: skip
            continue
        for k in range(lo, hi):
            ax, ay = walls[k, 0] - px, walls[k, 1] - py
            bx, by = walls[k, 2] - px, walls[k, 3] - py
            cross = ax * by - ay * bx
            if cross >= 0.0:
                continue
            close2 = _distance2(ax, ay, bx, by, cross)
            if close2 >= farthest2:
                continue
            if n == w.shape[0]:
                return -1
            w[n, 0], w[n, 1] = c * ax + s * ay, c * ay - s * ax
            w[n, 2], w[n, 3] = c * bx + s * by, c * by - s * bx
            if ax * ax + ay * ay > radius2 or bx * bx + by * by > radius2:
                _clip(w, n, radius2)
            start = turn_of(w[n, 2], w[n, 3])
            end = turn_of(w[n, 0], w[n, 1])
            if start == end:
                continue
            if start > end:  # across the first direction
                if _is_hidden(close2, 0.0, end, depth2) and _is_hidden(close2, start, 4.0, depth2):
                    continue
                _shade(w, n, start, 4.0, depth2)
                _shade(w, n, 0.0, end, depth2)
            else:
                if _is_hidden(close2, start, end, depth2):
                    continue
                _shade(w, n, start, end, depth2)
            turns[n, 0], turns[n, 1] = start, end
            near2[n] = close2
            n += 1
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def _order(n, turns, near2, depth2, end_turn, starts, order, active):  # type: ignore[no-untyped-def]
    """Drop what later walls were found to hide; sort the rest by start.

    Returns how many start in order, and how many are met already in the first direction.
    """
    m, at_first = 0, 0
    for i in range(n):
        start, end = turns[i, 0], turns[i, 1]
        if start > end:
            if not _is_hidden(near2[i], 0.0, end, depth2):
                active[at_first] = i
                at_first += 1
            if _is_hidden(near2[i], start, 4.0, depth2):
                continue
        elif _is_hidden(near2[i], start, end, depth2):
            continue
        if start >= end_turn:
            continue
        place = m
        while place > 0 and starts[place - 1] > start:
            starts[place] = starts[place - 1]
            order[place] = order[place - 1]
            place -= 1
        starts[place] = start
        order[place] = i
        m += 1
    return m, at_first


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _put(out: Any, n: int, x: float, y: float) -> int:
    if n > 0 and abs(out[n - 1, 0] - x) + abs(out[n - 1, 1] - y) < 1e-9:
        return n
    out[n, 0], out[n, 1] = x, y
    return n + 1


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _put_on_circle(out: Any, n: int, x: float, y: float, radius: float) -> int:
    r = radius / np.sqrt(x * x + y * y)
    return _put(out, n, x * r, y * r)


@njit(nogil=True, cache=True, error_model="numpy")
def _put_arc(out: Any, n: int, arc: int, now: float, until: float, radius: float) -> Any:
    """Write the corners of the circle between two turns; arc is the first that may lie there.

    Returns the new size of out, and the first corner that may lie beyond.
    """
    while arc < ARC_POINTS and _ARC_TURNS[arc] <= now:
        arc += 1
    while arc < ARC_POINTS and _ARC_TURNS[arc] < until:
        n = _put(out, n, radius * _ARC[arc, 0], radius * _ARC[arc, 1])
        arc += 1
    return n, arc


@njit(nogil=True, cache=True, error_model="numpy")
def _sweep(w, turns, starts, order, active, m, n_active, end_turn, end_x, end_y, radius, out):  # type: ignore[no-untyped-def]
    """Write the outline around the point into out, from the first direction on; return its size.

    turns[i] is (start, end) of wall i; where start > end the wall crosses the first direction:
    it is in `active` at once, and once more among the sorted, then without an end.
    """
    n = 0
    arc = 1
    current, now = -1, 0.0
    best = 1e300
    for k in range(n_active):
        r = _along(w, active[k], 1.0, 0.0)
        if current < 0 or _nearer(w, active[k], r, current, best):
            current, best = active[k], r
    n = _put(out, n, best, 0.0) if current >= 0 else _put(out, n, radius, 0.0)
    i = 0
    x, y = 1.0, 0.0
    while True:
        cur_end = turns[current, 1] if current >= 0 else _FURTHER
        next_start = starts[i] if i < m else _FURTHER
        if min(cur_end, next_start) >= end_turn:
            break
        if next_start <= cur_end + _TIE:
            new = order[i]
            i += 1
            x, y = w[new, 2], w[new, 3]
            if turns[new, 0] > turns[new, 1]:
                turns[new, 1] = _FURTHER
            if current < 0:
                n, arc = _put_arc(out, n, arc, now, next_start, radius)
                n = _put_on_circle(out, n, x, y, radius)
                n = _put(out, n, x, y)
                current = new
            else:
                r = _along(w, current, x, y)
                if _nearer(w, new, 1.0, current, r):
                    n = _put(out, n, x * r, y * r)
                    n = _put(out, n, x, y)
                    active[n_active] = current
                    n_active += 1
                    current = new
                else:
                    active[n_active] = new
                    n_active += 1
            now = next_start
            continue
        x, y = w[current, 0], w[current, 1]
        now = cur_end
        n = _put(out, n, x, y)
        current, best = -1, 1e300
        kept = 0
        for k in range(n_active):
            j = active[k]
            if turns[j, 1] <= now + _TIE:
                continue
            active[kept] = j
            kept += 1
            r = _along(w, j, x, y)
            if current < 0 or _nearer(w, j, r, current, best):
                current, best = j, r
        n_active = kept
        if current >= 0:
            for k in range(n_active):
                if active[k] == current:
                    active[k] = active[n_active - 1]
                    n_active -= 1
                    break
            n = _put(out, n, x * best, y * best)
        else:
            n = _put_on_circle(out, n, x, y, radius)
    if current >= 0:
        r = _along(w, current, end_x, end_y)
        return _put(out, n, end_x * r, end_y * r)
    n, arc = _put_arc(out, n, arc, now, end_turn, radius)
    return _put_on_circle(out, n, end_x, end_y, radius)


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_block(points, sectors, radius, grid, offsets, room, first, out, sizes):  # type: ignore[no-untyped-def]
    """Write the rings of points[first:] into out one after the other.

    points: x, y. sectors: cosine and sine of the first direction, cosine and sine of the last
    seen from the first, and its turn (4 for a whole circle). sizes: vertices of each ring, the
    closing one included. Returns the index after the last point that was done: smaller than the
    number of points when out is full, minus one less the index where `room` walls do not do.
    """
    w = np.empty((room, 4))
    turns = np.empty((room, 2))
    near2 = np.empty(room)
    starts = np.empty(room)
    order = np.empty(room, np.int64)
    active = np.empty(2 * room, np.int64)
    depth2 = np.empty(_SECTORS)
    used = 0
    for p in range(first, points.shape[0]):
        px, py = points[p, 0], points[p, 1]
        c, s, end_turn = sectors[p, 0], sectors[p, 1], sectors[p, 4]
        n = _gather(px, py, c, s, radius[p], end_turn, grid, offsets, w, turns, near2, depth2)
        if n < 0:
            return -1 - p
        m, at_first = _order(n, turns, near2, depth2, end_turn, starts, order, active)
        if used + ARC_POINTS + 6 * n + 8 > out.shape[0]:
            return p
        ring = out[used:]
        size = _sweep(
            w, turns, starts, order, active, m, at_first, end_turn,
            sectors[p, 2], sectors[p, 3], radius[p], ring,
        )  # fmt: skip
        if end_turn < 4.0:
            size = _put(ring, size, 0.0, 0.0)
        for k in range(size):
            x, y = ring[k, 0], ring[k, 1]
            ring[k, 0], ring[k, 1] = px + c * x - s * y, py + s * x + c * y
        if abs(ring[0, 0] - ring[size - 1, 0]) + abs(ring[0, 1] - ring[size - 1, 1]) < 1e-9:
            size -= 1
        ring[size, 0], ring[size, 1] = ring[0, 0], ring[0, 1]
        sizes[p] = size + 1
        used += size + 1
    return points.shape[0]
