"""What the same camera looks like in two lists, learnt from the lists without any label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sousveil.linking._blocking import Array, Index, Pairs, Points, Reach, joint_accuracy_m, nearby
from sousveil.linking._chance import Chance, Surroundings, learn_chance, log_density, tiles
from sousveil.linking._comparing import COMPARISONS, Vectors, evidence, vectors
from sousveil.linking._features import Features
from sousveil.linking._features import take as take_features
from sousveil.linking._matching import Slots, best_threshold, by_pair, log_weight, marginals, slots


class Listing(NamedTuple):
    """What one side of a linkage consists of: features and how crowded it is around each."""

    features: Features
    around: Surroundings


class Model(NamedTuple):
    """The parameters of linking a left and a right listing.

    scale: by how much positions are worse than stated. in_left: chance that a camera of the right
    listing is in the left one; in_right: the reverse. m and u, one array a comparison: the
    probabilities of its levels for the same camera and for different ones. threshold: the
    probability from which on links are worth taking for the greatest expected F1.
    """

    scale: float
    in_left: float
    in_right: float
    m: list[Array]
    u: list[Array]
    chance: Chance
    threshold: float


class _Known(NamedTuple):
    """What is known of the candidate pairs of a linkage besides how alike they are."""

    pairs: Pairs
    joint_m: Array
    log_density: Array
    slots: Slots


_LEARNING_REACH: Final = Reach(accuracies=6.0, least_m=100.0, most_m=300.0)
_LINKING_SPREADS: Final = 4.5  # joint standard deviations: one link in 25,000 lies beyond
_LEAST_REACH_M: Final = 5.0
_LEAST_JOINT_M: Final = 0.7
_FIRST_SCALES: Final = (0.05, 0.3, 1.0, 2.0)
_FIRST_ROUNDS, _ROUNDS, _MESSAGE_ROUNDS = 8, 90, 15
_CONVERGED: Final = 0.0003
_LONGEST_LEAP, _FARTHEST_LEAP = 8.0, 0.2  # in steps of the expectation maximisation, in logarithms
_MOST_IN_LIST: Final = 0.98
_PAIRS_ASSUMED: Final = 5.0
_ONE_PAIR: Final = [np.ones(c.n_levels) for c in COMPARISONS]
_SCALE_UNSURE: Final = 1.0  # standard deviation of its logarithm
_MOST_TO_LEARN_FROM: Final = 6_000  # of the right listing
_GROUND_M, _PATCH_M = 500.0, 2_000.0


def learn(left: Listing, right: Listing, *, rng: np.random.Generator) -> Model | None:
    """Learn how to link two listings, on the ground that both cover or a sample of it.

    Expectation maximisation (Fellegi & Sunter 1969; Winkler 1988) whose expectation step knows
    that links exclude each other, and whose chance of being near comes from inside the lists.
    None where they cover no common ground.
    """
    on_left, on_right = common_ground(left.features.points, right.features.points, rng)
    if not len(on_left) or not len(on_right):
        return None
    left, right = take(left, on_left), take(right, on_right)
    points = left.features.points, right.features.points
    chance = learn_chance(
        *points, left.around, right.around, reach_m=_LEARNING_REACH.least_m, rng=rng
    )
    pairs = nearby(*points, _LEARNING_REACH)
    known = _known(left, right, pairs, chance)
    alike = vectors(left.features, right.features, pairs)
    starts = [
        _maximise(known, alike, _start(known, alike, chance, scale), _FIRST_ROUNDS)
        for scale in _FIRST_SCALES
    ]
    best = max(starts, key=lambda got: got[1])[0]
    model = _maximise(known, alike, best, _ROUNDS, learn_u=True)[0]
    probability, _ = marginals(known.slots.edges, _odds(known, model, _told(alike, model)))
    expected = float(probability.sum())
    return model._replace(
        threshold=best_threshold(known.slots.edges, probability, expected_links=expected)
    )


def take(listing: Listing, rows: Index) -> Listing:
    """Return some rows of a listing."""
    around = Surroundings(listing.around.found[rows], listing.around.usual[rows])
    return Listing(take_features(listing.features, rows), around)


def candidates(left: Listing, right: Listing, model: Model) -> Pairs:
    """Return all pairs near enough to be the same camera under a model."""
    reach = Reach(_LINKING_SPREADS * model.scale, _LEAST_REACH_M, _LEARNING_REACH.most_m)
    return nearby(left.features.points, right.features.points, reach)


def probabilities(left: Listing, right: Listing, pairs: Pairs, model: Model) -> tuple[Slots, Array]:
    """Return the slots of the candidate pairs and the probability of a link in each slot."""
    known = _known(left, right, pairs, model.chance)
    told = evidence(left.features, right.features, pairs, model.m, model.u)
    return known.slots, marginals(known.slots.edges, _odds(known, model, told))[0]


def common_ground(left: Points, right: Points, rng: np.random.Generator) -> tuple[Index, Index]:
    """Return the rows of two listings where both have points, or of a sample of such ground."""
    own = tiles(left, _GROUND_M)[0], tiles(right, _GROUND_M)[0]
    rows_l = np.flatnonzero(np.isin(own[0], tiles(right, _GROUND_M, spread=True)))
    rows_r = np.flatnonzero(np.isin(own[1], tiles(left, _GROUND_M, spread=True)))
    if len(rows_r) <= _MOST_TO_LEARN_FROM:
        return rows_l, rows_r
    patch_l, patch_r = tiles(left, _PATCH_M)[0][rows_l], tiles(right, _PATCH_M)[0][rows_r]
    patches, size = np.unique(patch_r, return_counts=True)
    order = rng.permutation(len(patches))
    enough = int(np.searchsorted(np.cumsum(size[order]), _MOST_TO_LEARN_FROM)) + 1
    chosen = patches[order[:enough]]
    return rows_l[np.isin(patch_l, chosen)], rows_r[np.isin(patch_r, chosen)]


def _known(left: Listing, right: Listing, pairs: Pairs, chance: Chance) -> _Known:
    return _Known(
        pairs=pairs,
        joint_m=joint_accuracy_m(left.features.points, right.features.points, pairs),
        log_density=log_density(chance, left.around, right.around, pairs),
        slots=slots(pairs.left, pairs.right, left.features.devices, right.features.devices),
    )


def _start(known: _Known, alike: Vectors, chance: Chance, scale: float) -> Model:
    spreads = known.pairs.distance_m / known.joint_m
    usual = float(np.median(spreads)) if len(spreads) else 0.0
    # Too far apart to be the same camera, near enough to be of the same neighbourhood.
    apart = (spreads > min(_LINKING_SPREADS, usual)).astype(np.float64)
    edges = known.slots.edges
    matches = 0.5 * min(edges.n_left, edges.n_right)
    return Model(
        scale=scale,
        in_left=_share(matches, edges.n_right),
        in_right=_share(matches, edges.n_left),
        m=[_usual(column) for column in range(len(COMPARISONS))],
        u=_all_levels(alike, apart, _ONE_PAIR),
        chance=chance,
        threshold=0.5,
    )


def _maximise(
    known: _Known, alike: Vectors, model: Model, rounds: int, *, learn_u: bool = False
) -> tuple[Model, float]:
    """Return the model after some rounds of expectation maximisation, and its log-likelihood.

    Where positions tell little each round moves little, so every third begins with a leap.
    """
    messages, likelihood = None, -np.inf
    found = [model]
    for number in range(rounds):
        odds = _odds(known, model, _told(alike, model))
        probability, messages = marginals(
            known.slots.edges, odds, messages=messages, rounds=_MESSAGE_ROUNDS
        )
        likelihood = _log_likelihood(known, model, odds, messages)
        found.append(
            _maximised(known, alike, model, by_pair(known.slots, probability), learn_u=learn_u)
        )
        model = found[-1]
        if number > _FIRST_ROUNDS and np.abs(_place(model) - _place(found[-2])).max() < _CONVERGED:
            break
        if len(found) == 3:
            model = _leap(*found)
            found = [model]
    return model, likelihood


def _leap(first: Model, second: Model, third: Model) -> Model:
    """Return where two rounds lead to if those after them go on likewise.

    SQUAREM (Varadhan & Roland 2008, doi:10.1111/j.1467-9469.2007.00585.x), of the factor of the
    positions and of the shares; bounded, and the next rounds mend a leap too far.
    """
    step = _place(second) - _place(first)
    bend = _place(third) - _place(second) - step
    length = float(np.linalg.norm(step)) / max(float(np.linalg.norm(bend)), 1e-12)
    length = min(max(length, 1.0), _LONGEST_LEAP)
    leap = _place(first) + 2 * length * step + length**2 * bend - _place(third)
    scale, share = np.exp(np.clip(leap, -_FARTHEST_LEAP, _FARTHEST_LEAP)).tolist()
    return third._replace(
        scale=third.scale * scale,
        in_left=min(third.in_left * share, _MOST_IN_LIST),
        in_right=min(third.in_right * share, _MOST_IN_LIST),
    )


def _place(model: Model) -> Array:
    return np.log([model.scale, model.in_left])


def _maximised(known: _Known, alike: Vectors, model: Model, same: Array, *, learn_u: bool) -> Model:
    """Return the parameters that fit best if each pair is the same camera with these chances."""
    scale = _scale(same, known.pairs.distance_m / known.joint_m)
    near = known.pairs.distance_m < _LINKING_SPREADS * scale * known.joint_m
    assumed = [_PAIRS_ASSUMED * _usual(column) for column in range(len(COMPARISONS))]
    return model._replace(
        scale=scale,
        in_left=_share(same.sum(), known.slots.edges.n_right),
        in_right=_share(same.sum(), known.slots.edges.n_left),
        m=_all_levels(alike, same, assumed),
        u=_all_levels(alike, np.where(near, 1 - same, 0.0), _ONE_PAIR) if learn_u else model.u,
    )


def _told(alike: Vectors, model: Model) -> Array:
    """Return the log of how much likelier each pair's likeness is for one camera than for two."""
    told = np.zeros(len(alike))
    for column, (m, u) in enumerate(zip(model.m, model.u, strict=True)):
        told += np.append(np.log(m / u), 0.0)[alike[:, column]]
    return told


def _odds(known: _Known, model: Model, told: Array) -> Array:
    """Return the odds of each slot: one camera against two that are each seen only once."""
    variance = np.maximum(model.scale * known.joint_m, _LEAST_JOINT_M) ** 2
    log = -(known.pairs.distance_m**2) / (2 * variance) - np.log(2 * np.pi * variance)
    log += np.log(model.in_right) - np.log1p(-model.in_left) - np.log1p(-model.in_right)
    log += told - known.log_density
    odds: Array = np.exp(np.clip(log, -50, 30))[known.slots.pair]
    return odds


def _log_likelihood(known: _Known, model: Model, odds: Array, messages: Array) -> float:
    """Return the log-likelihood of distances and overlap, up to a constant, with the prior.

    Comparable between models with the same u and chance. The part besides the weight of all
    linkings is that of a Poisson number of cameras of which each listing holds its share.
    """
    edges = known.slots.edges
    alone = edges.n_left * np.log1p(-model.in_right) + edges.n_right * np.log1p(-model.in_left)
    prior = -(np.log(model.scale) ** 2) / (2 * _SCALE_UNSURE**2)
    matches = model.in_left * edges.n_right
    return float(log_weight(edges, odds, messages) + alone + matches + prior)


def _share(matches: float, n: int) -> float:
    return min((matches + 0.5) / (n + 1), _MOST_IN_LIST)


def _usual(column: int) -> Array:
    return np.array(COMPARISONS[column].usual[::-1])


def _all_levels(alike: Vectors, weight: Array, assumed: Sequence[Array]) -> list[Array]:
    return [
        _levels(alike[:, column], weight, assumed[column]) for column in range(len(COMPARISONS))
    ]


def _levels(level: Vectors, weight: Array, assumed: Array) -> Array:
    known = np.bincount(level + 1, weight, len(assumed) + 1)[1:]
    share: Array = (known + assumed) / (known.sum() + assumed.sum())
    return share


def _scale(same: Array, spreads: Array) -> float:
    """Return the most probable scale: Rayleigh distances, log-normal prior around 1 (Newton)."""
    n, squares = float(same.sum()), float((same * spreads**2).sum()) / 2
    log = 0.5 * np.log(max(squares / max(n, 1e-9), 1e-6))
    for _ in range(50):
        slope = 2 * squares * np.exp(-2 * log) - 2 * n - log / _SCALE_UNSURE**2
        curve = -4 * squares * np.exp(-2 * log) - 1 / _SCALE_UNSURE**2
        step = float(np.clip(slope / curve, -0.5, 0.5))
        log -= step
        if abs(step) < 1e-6:
            break
    return float(np.exp(log))
