"""Who walks which stretch, in which order: routes of nearly equal time."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

WALKING_KM_H: Final = 4.5
"""Speed between stretches."""

COUNTING_KM_H: Final = 2.5
"""Speed along a stretch, looking at both sides."""

WRITING_MIN: Final = 2.0
"""Minutes to write down what was seen on a stretch."""

_ROUNDS: Final = 12


class Route(NamedTuple):
    """One walker's way: the stretches in order, and whether each is walked from its start."""

    stretches: Index
    forward: npt.NDArray[np.bool_]
    walk_m: float
    minutes: float


def minutes_on(length_m: Floats) -> Floats:
    """Return the minutes that stretches take, without the way to them."""
    return np.asarray(length_m / 1000 / COUNTING_KM_H * 60 + WRITING_MIN)


def minutes_between(walk_m: Floats | float) -> Floats | float:
    """Return the minutes of walking between stretches."""
    return walk_m / 1000 / WALKING_KM_H * 60


def plan(
    length_m: Floats, distance_m: Floats, n_walkers: int, twice: npt.NDArray[np.bool_] | None = None
) -> list[Route]:
    """Return routes that share the stretches among walkers so that the longest is short.

    distance_m: between the ends of stretches, end 2 i the start of stretch i. twice: stretches
    that a second walker visits as well, the next one around. One round trip through all (nearest
    neighbour, then 2-opt and or-opt) is cut into parts of equal time (Beasley 1983, route first,
    cluster second), and each part improved by itself.
    """
    n = len(length_m)
    apart = np.minimum.reduce([distance_m[a::2, b::2] for a in (0, 1) for b in (0, 1)])
    tour = _tour(apart, np.arange(n), closed=True)
    parts = _cut(tour, minutes_on(length_m), np.asarray(minutes_between(apart)), n_walkers)
    if twice is not None and n_walkers > 1:
        again = [part[twice[part]] for part in parts]
        parts = [
            np.concatenate([part, again[i - 1]]).astype(np.int64) for i, part in enumerate(parts)
        ]
    return [_route(_tour(apart, part, closed=False), length_m, distance_m) for part in parts]


def _tour(apart: Floats, members: Index, *, closed: bool) -> Index:
    """Return the members in an order with short ways between."""
    if len(members) < 3:
        return members
    inner = np.ascontiguousarray(apart[np.ix_(members, members)])
    starts = {0, int(np.argmax(inner.sum(axis=1)))}
    tours = [_improved(_greedy(inner, start), inner, closed, _ROUNDS) for start in sorted(starts)]
    best = min(tours, key=lambda tour: _length(tour, inner, closed))
    return members[best]


@numba.njit(cache=True)
def _greedy(apart: Floats, start: int) -> Index:
    n = len(apart)
    left = np.ones(n, np.bool_)
    tour = np.empty(n, np.int64)
    at = start
    for i in range(n):
        tour[i] = at
        left[at] = False
        best, nearest = -1, np.inf
        for j in range(n):
            if left[j] and apart[at, j] < nearest:
                best, nearest = j, apart[at, j]
        at = best
    return tour


@numba.njit(cache=True)
def _length(tour: Index, apart: Floats, closed: bool) -> float:
    total = 0.0
    for i in range(len(tour) - 1):
        total += apart[tour[i], tour[i + 1]]
    return total + (apart[tour[-1], tour[0]] if closed else 0.0)


@numba.njit(cache=True)
def _improved(tour: Index, apart: Floats, closed: bool, rounds: int) -> Index:
    n = len(tour)
    for _ in range(rounds):
        before = _length(tour, apart, closed)
        _two_opt(tour, apart, closed)
        for size in (1, 2, 3):
            if size < n - 1:
                tour = _moved(tour, apart, size)
        if _length(tour, apart, closed) > before - 1e-6:
            break
    return tour


@numba.njit(cache=True)
def _two_opt(tour: Index, apart: Floats, closed: bool) -> None:
    """Turn pieces of the tour around where that shortens it."""
    n = len(tour)
    for i in range(n - 1):
        for j in range(i + 1, n):
            if i == 0 and j == n - 1:
                continue
            gain = 0.0
            if i > 0 or closed:
                gain += apart[tour[i - 1], tour[i]] - apart[tour[i - 1], tour[j]]
            if j < n - 1 or closed:
                after = tour[(j + 1) % n]
                gain += apart[tour[j], after] - apart[tour[i], after]
            if gain > 1e-9:
                tour[i : j + 1] = tour[i : j + 1][::-1].copy()


@numba.njit(cache=True)
def _moved(tour: Index, apart: Floats, size: int) -> Index:
    """Move pieces of some length to where they cost least."""
    n = len(tour)
    for i in range(n - size + 1):
        piece = tour[i : i + size].copy()
        rest = np.concatenate((tour[:i], tour[i + size :]))
        cost_here = 0.0
        if i > 0:
            cost_here += apart[tour[i - 1], piece[0]]
        if i + size < n:
            cost_here += apart[piece[-1], tour[i + size]]
        if i > 0 and i + size < n:
            cost_here -= apart[tour[i - 1], tour[i + size]]
        best, least = -1, cost_here - 1e-9
        for at in range(len(rest) + 1):
            cost = 0.0
            if at > 0:
                cost += apart[rest[at - 1], piece[0]]
            if at < len(rest):
                cost += apart[piece[-1], rest[at]]
            if at > 0 and at < len(rest):
                cost -= apart[rest[at - 1], rest[at]]
            if cost < least:
                best, least = at, cost
        if best >= 0:
            tour = np.concatenate((rest[:best], piece, rest[best:]))
    return tour


def _cut(tour: Index, on: Floats, between: Floats, n_walkers: int) -> list[Index]:
    """Cut a round trip into one part a walker, the longest as short as can be found."""
    n = len(tour)
    n_parts = min(n_walkers, n)
    best: tuple[float, list[Index]] | None = None
    for start in range(0, n, max(1, n // 24)):
        turned = np.roll(tour, -start)
        steps = np.array([between[a, b] for a, b in pairwise(turned.tolist())])
        low, high = 0.0, float(on.sum() + steps.sum())
        for _ in range(30):
            middle = (low + high) / 2
            if len(_filled(on[turned], steps, middle)) <= n_parts:
                high = middle
            else:
                low = middle
        if best is None or high < best[0]:
            ends = _filled(on[turned], steps, high)
            best = high, [part for part in np.split(turned, ends[:-1]) if len(part)]
    parts = [] if best is None else best[1]
    return parts + [np.empty(0, np.int64)] * (n_walkers - len(parts))


def _filled(on: Floats, steps: Floats, most: float) -> list[int]:
    """Return where each part ends when parts are filled in order to at most so many minutes."""
    ends, spent = [], 0.0
    for i, own in enumerate(on):
        more = own + (steps[i - 1] if spent else 0.0)
        if spent and spent + more > most:
            ends.append(i)
            spent = own
        else:
            spent += more
    return [*ends, len(on)]


def _route(order: Index, length_m: Floats, distance_m: Floats) -> Route:
    """Return the route with each stretch walked the way that makes it shortest."""
    n = len(order)
    if not n:
        return Route(order, np.empty(0, dtype=np.bool_), 0.0, 0.0)
    cost = np.zeros((n, 2))  # of reaching the far end of stretch i, walked forward or backward
    came = np.zeros((n, 2), dtype=np.int64)
    for i in range(1, n):
        for turn in (0, 1):
            entry = 2 * order[i] + turn
            exits = [2 * order[i - 1] + 1, 2 * order[i - 1]]
            ways = [cost[i - 1, k] + distance_m[exits[k], entry] for k in (0, 1)]
            came[i, turn] = int(np.argmin(ways))
            cost[i, turn] = min(ways)
    turns = [int(np.argmin(cost[-1]))]
    for i in range(n - 1, 0, -1):
        turns.append(int(came[i, turns[-1]]))
    walk_m = float(cost[-1].min())
    minutes = float(minutes_on(length_m[order]).sum() + minutes_between(walk_m))
    return Route(order, np.array(turns[::-1]) == 0, walk_m, minutes)
