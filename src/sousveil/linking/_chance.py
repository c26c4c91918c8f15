"""How near two different cameras are by chance: learnt inside one list, where all differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sousveil.linking._blocking import (
    EARTH_RADIUS_M,
    Array,
    Index,
    Pairs,
    Points,
    Reach,
    nearby_within,
)

RINGS_M: Final = np.array([0.0, 25.0, 50.0, 100.0])
"""Distances between which the neighbours of a point are counted, ring by ring."""

_EDGES_M: Final = np.concatenate([[0.0, 1.5, 3.0], np.arange(6.0, 301.0, 3.0)])
_TILE_M: Final = 110.0  # nine of them are as a circle of 186 m
METRES_PER_DEGREE: Final = EARTH_RADIUS_M * np.pi / 180
_WITHIN_RINGS: Final = Reach(accuracies=0.0, least_m=RINGS_M[-1], most_m=RINGS_M[-1])
_PAIRS_ASSUMED: Final = 2.0  # a distance bin, spread like all pairs
_MUCH_FINER: Final = 0.8
_LEAST_ASSUMED, _MOST_ASSUMED = 0.5, 1000.0


class Surroundings(NamedTuple):
    """How many others of its own list lie around each point, and around the usual one.

    One column a ring of RINGS_M, then one for the wide neighbourhood. Of a camera that several
    lists hold, both are sums over those lists.
    """

    found: Array
    usual: Array


class Chance(NamedTuple):
    """The density of right points around a left one that is another camera.

    density: a square metre, by distance bins `edges_m`, for the usual left point. usual_left and
    usual_right scale the usual surroundings to the ground that both lists cover; certainty: by
    ring and for the wide neighbourhood, how many neighbours the usual count weighs against those
    found around a place.
    """

    edges_m: Array
    density: Array
    usual_left: Array
    usual_right: Array
    certainty: Array


def surroundings(points: Points) -> Surroundings:
    """Count the neighbours of each point of one list."""
    n, n_rings = len(points.lon), len(RINGS_M) - 1
    pairs = nearby_within(points, _WITHIN_RINGS)
    ring = ring_of(pairs.distance_m)
    at = np.concatenate([pairs.left, pairs.right]) * n_rings + np.concatenate([ring, ring])
    count = np.empty((n, n_rings + 1))
    count[:, :-1] = np.bincount(at, minlength=n * n_rings).reshape(n, n_rings)
    count[:, -1] = _wide_count(points)
    return Surroundings(count, np.broadcast_to(count.mean(axis=0), count.shape))


def learn_chance(
    left: Points,
    right: Points,
    around_left: Surroundings,
    around_right: Surroundings,
    *,
    reach_m: float,
    rng: np.random.Generator,
) -> Chance:
    """Learn from two lists of the same ground how near different cameras come.

    Inside a list without duplicates all points are different cameras; how they lie to each other
    is how a camera of one list lies to the *other* cameras of the other. A list with finer
    positions is roughened to what lies between two lists; a much coarser one is left out.
    """
    edges = _EDGES_M[: np.searchsorted(_EDGES_M, max(reach_m, RINGS_M[-1]), "right")]
    per_point = _from_within(left, right, edges, rng)
    area = np.pi * np.diff(edges**2)
    n = len(left.lon) + len(right.lon)
    overall = max(per_point.sum() / area.sum(), 1e-12)
    density = (per_point * n + _PAIRS_ASSUMED) / (area * n + _PAIRS_ASSUMED / overall)
    usual_left, usual_right = _on_this_ground(around_left), _on_this_ground(around_right)
    return Chance(
        edges,
        density,
        usual_left,
        usual_right,
        _certainty(around_left, around_right, usual_left, usual_right),
    )


def log_density(
    chance: Chance, around_left: Surroundings, around_right: Surroundings, pairs: Pairs
) -> Array:
    """Return the logarithm of the density of other right points at each pair's distance and place.

    How crowded a place is follows from the lists themselves there: first the wide neighbourhood
    against the usual one, then the ring of the pair's distance against what that leads to expect.
    """
    middle = np.sqrt((chance.edges_m[1:] ** 2 + chance.edges_m[:-1] ** 2) / 2)
    usual = np.interp(pairs.distance_m, middle, chance.density)
    found_wide, expected_wide = _both(chance, around_left, around_right, pairs, -1)
    wide = (found_wide + chance.certainty[-1]) / (expected_wide + chance.certainty[-1])
    ring = ring_of(pairs.distance_m)
    found, expected = _both(chance, around_left, around_right, pairs, ring)
    near = (found + chance.certainty[ring]) / (wide * expected + chance.certainty[ring])
    density: Array = usual * wide * near
    return np.log(density)


def tiles(points: Points, size_m: float, *, spread: bool = False) -> Index:
    """Return numbers of the squares of about that size that points lie in, one row of them.

    spread: nine rows, the first the tile itself, then those around it.
    """
    steps = [(0, 0), *((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0))]
    rows = []
    for north, east in steps if spread else steps[:1]:
        row = np.floor(points.lat * METRES_PER_DEGREE / size_m) + north
        width = size_m / np.maximum(np.cos(np.radians(row * size_m / METRES_PER_DEGREE)), 0.01)
        column = np.floor((points.lon % 360) * METRES_PER_DEGREE / width) + east
        rows.append((row * 2**32 + column).astype(np.int64))
    return np.array(rows)


def ring_of(distance_m: Array) -> Index:
    """Return the ring of RINGS_M each distance falls in; what lies beyond counts to the last."""
    ring: Index = np.searchsorted(RINGS_M, distance_m, "right") - 1
    return np.minimum(ring, len(RINGS_M) - 2)


def _wide_count(points: Points) -> Array:
    """Return how many other points lie in the 3 by 3 tiles around each point."""
    around = tiles(points, _TILE_M, spread=True)
    distinct, size = np.unique(around[0], return_counts=True)
    position = np.minimum(np.searchsorted(distinct, around), len(distinct) - 1)
    total: Array = np.where(distinct[position] == around, size[position], 0).sum(axis=0)
    return total - 1.0


def _from_within(left: Points, right: Points, edges: Array, rng: np.random.Generator) -> Array:
    """Return how many other right points the usual left point has in each distance bin."""
    finest = min(float(np.median(left.accuracy_m)), float(np.median(right.accuracy_m)))
    total, weight = np.zeros(len(edges) - 1), 0
    for own, other in ((left, right), (right, left)):
        own_m, other_m = float(np.median(own.accuracy_m)), float(np.median(other.accuracy_m))
        if finest < _MUCH_FINER * own_m:
            continue
        rough = _roughened(own, np.sqrt(max(other_m**2 - own_m**2, 0.0) / 2), rng)
        pairs = nearby_within(rough, Reach(0.0, edges[-1], edges[-1]))
        to_right = len(right.lon) / len(own.lon)
        total += 2 * to_right * np.histogram(pairs.distance_m, edges)[0]
        weight += len(own.lon)
    return total / max(weight, 1)


def _roughened(points: Points, by_m: float, rng: np.random.Generator) -> Points:
    if by_m == 0:
        return points
    shift = rng.normal(0, by_m / METRES_PER_DEGREE, (2, len(points.lon)))
    return points._replace(
        lon=points.lon + shift[0] / np.cos(np.radians(points.lat)), lat=points.lat + shift[1]
    )


def _on_this_ground(around: Surroundings) -> Array:
    found = around.found.sum(axis=0)
    ratio: Array = found / np.maximum(around.usual.sum(axis=0), 1e-9)
    return ratio


def _both(
    chance: Chance,
    around_left: Surroundings,
    around_right: Surroundings,
    pairs: Pairs,
    column: Index | int,
) -> tuple[Array, Array]:
    """Return the neighbours found and expected around the two ends of each pair, together."""
    found = around_left.found[pairs.left, column] + around_right.found[pairs.right, column]
    expected = (
        around_left.usual[pairs.left, column] * chance.usual_left[column]
        + around_right.usual[pairs.right, column] * chance.usual_right[column]
    )
    return found, expected


def _certainty(
    around_left: Surroundings,
    around_right: Surroundings,
    usual_left: Array,
    usual_right: Array,
) -> Array:
    """Return how much the expected counts are worth: empirical Bayes, by overdispersion.

    If the density of a place is the usual one times a gamma variable of mean 1 and variance 1/c,
    a Poisson count varies by e + e^2 / c around its expectation e, and c neighbours are what the
    expectation weighs (Clayton & Kaldor 1987, doi:10.2307/2532003).
    """
    count = [around_left.found, around_right.found]
    usual = [around_left.usual * usual_left, around_right.usual * usual_right]
    wide = _overdispersion([k[:, -1] for k in count], [e[:, -1] for e in usual])
    factor = [(k[:, -1:] + wide) / (e[:, -1:] + wide) for k, e in zip(count, usual, strict=True)]
    rings = [
        _overdispersion(
            [k[:, ring] for k in count],
            [f[:, 0] * e[:, ring] for f, e in zip(factor, usual, strict=True)],
        )
        for ring in range(len(RINGS_M) - 1)
    ]
    return np.array([*rings, wide])


def _overdispersion(count: Sequence[Array], expected: Sequence[Array]) -> float:
    squares = sum(float((e**2).sum()) for e in expected)
    over = sum(float(((k - e) ** 2 - e).sum()) for k, e in zip(count, expected, strict=True))
    return float(np.clip(squares / max(over, 1e-12), _LEAST_ASSUMED, _MOST_ASSUMED))
