"""Which stretches are walked: a spatially balanced sample with known probabilities."""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEAST_OF_STRATUM: Final = 4
"""Stretches drawn of a stratum at least, so that its own variance can be seen."""

LEAST_MORE: Final = 1
"""The same of a draw that adds to earlier ones: one, as without it the stratum would be lost."""

_NEIGHBOURS: Final = 24
_DECIDED: Final = 1e-9


def allocate(
    n: int, weight: Floats, available: Index, *, least_each: int = LEAST_OF_STRATUM
) -> Index:
    """Share n stretches over strata by weight: at least least_each, at most all they have.

    Largest remainders decide the rest, so that the shares add up to n where that is possible.
    """
    least = np.minimum(least_each, available)
    given = least.astype(np.int64)
    while given.sum() < min(n, int(available.sum())):
        open_ = given < available
        wanted = n * weight / weight.sum() if weight.sum() else np.full(len(weight), 1.0)
        lack = np.where(open_, wanted - given, -np.inf)
        given[int(np.argmax(lack))] += 1
    return given


def probabilities(size: Floats, n: int) -> Floats:
    """Return the inclusion probability of each stretch of a stratum, proportional to its size.

    A stretch whose share of n exceeds 1 is taken for certain, and the others share the rest.
    """
    if n >= len(size):
        return np.ones(len(size))
    certain = np.zeros(len(size), dtype=np.bool_)
    while True:
        left = n - certain.sum()
        share = np.where(certain, 1.0, left * size / size[~certain].sum())
        above = (share > 1.0) & ~certain
        if not above.any():
            return share
        certain |= above


def draw(probability: Floats, points: Floats, random: np.random.Generator) -> Flags:
    """Draw a sample whose members lie apart; each is in it with exactly its probability.

    probability: of each of n stretches, points: n x 2 in metres. The number drawn is the sum of
    the probabilities where that is whole. Method: local pivotal method 2 (Grafström, Lundström
    and Schelin 2012, Biometrics 68, 514-520): a random stretch and its nearest undecided
    neighbour play for their probabilities until every one is 0 or 1.
    """
    n = len(probability)
    if n < 2:
        return random.random(n) < probability
    k = min(_NEIGHBOURS + 1, n)
    _, near = cKDTree(points).query(points, k=k)
    uniform = random.random((2 * n + 8, 2))
    decided = _pivot(probability.astype(np.float64), points, near.astype(np.int64), uniform)
    return np.asarray(decided > 0.5)


@numba.njit(cache=True)
def _pivot(start: Floats, points: Floats, near: Index, uniform: Floats) -> Floats:
    p = start.copy()
    n = len(p)
    todo = np.empty(n, np.int64)  # the undecided, in any order
    place = np.full(n, -1, np.int64)
    m = 0
    for i in range(n):
        if _DECIDED < p[i] < 1 - _DECIDED:
            todo[m], place[i] = i, m
            m += 1
    step = 0
    while m > 1:
        i = todo[int(uniform[step, 0] * m)]
        j = _nearest_undecided(i, place, todo, m, points, near)
        total = p[i] + p[j]
        if total < 1:
            wins = uniform[step, 1] * total < p[i]
            p[i], p[j] = (total, 0.0) if wins else (0.0, total)
        else:
            wins = uniform[step, 1] * (2 - total) < 1 - p[j]
            p[i], p[j] = (1.0, total - 1) if wins else (total - 1, 1.0)
        step += 1
        for unit in (i, j):
            if p[unit] <= _DECIDED or p[unit] >= 1 - _DECIDED:
                m -= 1
                last = todo[m]
                todo[place[unit]] = last
                place[last] = place[unit]
                place[unit] = -1
    if m == 1:
        p[todo[0]] = 1.0 if uniform[step, 1] < p[todo[0]] else 0.0
    return p


@numba.njit(cache=True)
def _nearest_undecided(
    i: int, place: Index, todo: Index, m: int, points: Floats, near: Index
) -> int:
    for j in near[i]:
        if j != i and place[j] >= 0:
            return int(j)
    best, best_d2 = -1, np.inf
    for at in range(m):
        j = todo[at]
        if j != i:
            d2 = (points[i, 0] - points[j, 0]) ** 2 + (points[i, 1] - points[j, 1]) ** 2
            if d2 < best_d2:
                best, best_d2 = j, d2
    return best
