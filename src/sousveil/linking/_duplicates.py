"""Which rows of one list speak of the same camera."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sousveil.linking._blocking import Array, Pairs, Reach, joint_accuracy_m, nearby_within
from sousveil.linking._comparing import COMPARISONS, Vectors, vectors
from sousveil.linking._learning import Listing

TELLING_MATES_APART: Final = frozenset({"bearing", "kind", "housing", "devices"})
"""What tells two cameras on one mast apart; owner, mast and purpose they share."""

_NEAR: Final = Reach(accuracies=3.0, least_m=2.0, most_m=60.0)
_STACK_M: Final = 0.5
_WIDE_M2: Final = 109_000.0  # of the wide neighbourhood in Surroundings
_DOUBLES_ASSUMED, _MATES_ASSUMED = 0.02, 0.1  # to the usual row
_ROWS_ASSUMED: Final = 50.0
_PAIRS_ASSUMED: Final = 10.0
_ROUNDS: Final = 20


class Duplicates(NamedTuple):
    """Pairs of rows of one list that may be one camera, with the probability that they are."""

    pairs: Pairs
    probability: Array


def find(listing: Listing) -> Duplicates:
    """Return all near pairs of rows of one list with the probability of being one camera.

    A near pair is one camera listed twice, two cameras on one mast, or neighbours. How often each
    happens, and how alike the list describes neighbours, is learnt from these pairs; without an
    attribute that tells cameras on one mast apart, nearness alone never makes a duplicate.
    """
    points, n = listing.features.points, len(listing.features.devices)
    pairs = nearby_within(points, _NEAR)
    alike = vectors(listing.features, listing.features, pairs)
    variance = joint_accuracy_m(points, points, pairs) ** 2
    at_one_place = np.exp(-(pairs.distance_m**2) / (2 * variance)) / (2 * np.pi * variance)
    around = listing.around.found[pairs.left, -1] + listing.around.found[pairs.right, -1]
    neighbours = (around / 2 + 1) / _WIDE_M2 / at_one_place
    others = _stacked(pairs, n) - 1.0
    doubles, mates, probability = _DOUBLES_ASSUMED, _MATES_ASSUMED, np.zeros(len(pairs.left))
    for _ in range(_ROUNDS):
        all_told, mates_told = _told(alike, 1 - probability)
        as_mates = np.maximum(mates, others) * np.exp(-mates_told)
        either = doubles + as_mates + neighbours * np.exp(-all_told)
        probability = doubles / either
        doubles = _rate(probability, n, _DOUBLES_ASSUMED)
        mates = _rate(as_mates / either, n, _MATES_ASSUMED)
    return Duplicates(pairs, probability)


def _rate(probability: Array, n: int, assumed: float) -> float:
    """Return how many such partners the usual row has."""
    return float((2 * probability.sum() + assumed * _ROWS_ASSUMED) / (n + _ROWS_ASSUMED))


def _stacked(pairs: Pairs, n: int) -> Array:
    """Return how many rows lie right where either row of each pair does."""
    stacked = pairs.distance_m < _STACK_M
    ends = np.concatenate([pairs.left[stacked], pairs.right[stacked]])
    others = np.bincount(ends, minlength=n).astype(np.float64)
    return np.maximum(others[pairs.left], others[pairs.right])


def _told(alike: Vectors, different: Array) -> tuple[Array, Array]:
    """Return how much attributes speak for one camera, against neighbours and against mates.

    As logarithms. different: the chance that each pair is two cameras; from little of that,
    neighbours are taken to be described half as if they were one.
    """
    all_told, mates_told = np.zeros(len(alike)), np.zeros(len(alike))
    for column, comparison in enumerate(COMPARISONS):
        same = np.array(comparison.usual[::-1])
        assumed = _PAIRS_ASSUMED * (same + 1 / comparison.n_levels) / 2
        other = np.bincount(alike[:, column] + 1, different, len(same) + 1)[1:] + assumed
        told = np.append(np.log(same / (other / other.sum())), 0.0)[alike[:, column]]
        all_told += told
        mates_told += told if comparison.name in TELLING_MATES_APART else 0.0
    return all_told, mates_told
