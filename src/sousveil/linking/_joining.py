"""List after list onto the cameras known so far: the order, the constraints, the bookkeeping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sousveil.linking import LEAST_IN_PAIRS, _duplicates
from sousveil.linking._blocking import Array, Index, Pairs, select
from sousveil.linking._chance import Surroundings
from sousveil.linking._features import join
from sousveil.linking._learning import Listing, candidates, learn, probabilities, take
from sousveil.linking._matching import assign, by_pair

Masks = npt.NDArray[np.bool_]


class Units(NamedTuple):
    """What is linked as one: observations that surely are, such as editions of one object.

    unit: of each observation, its unit; listing, one row a unit; lists: unit by list, whether the
    list holds it.
    """

    unit: Index
    listing: Listing
    lists: Masks


class Scored(NamedTuple):
    """Pairs of units that may be one camera: units of one end and the other, aligned.

    probability: that they are one camera. taken: whether they were linked.
    """

    left: Index
    right: Index
    probability: Array
    taken: Masks


_NOTHING: Final = np.empty(0)
_NO_PAIRS: Final = Scored(
    _NOTHING.astype(np.int64),
    _NOTHING.astype(np.int64),
    _NOTHING,
    _NOTHING.astype(np.bool_),
)


class Rates(NamedTuple):
    """How well one list was linked to another: see `linking.RATES`; lists by number."""

    source_l: int
    source_r: int
    n_l: int
    n_r: int
    linked: int
    alpha: float | None
    beta: float | None


class Joined(NamedTuple):
    """Cameras: of each unit its camera and the probability that it belongs there; and how."""

    camera: Index
    probability: Array
    scored: Scored
    expected_links: float
    pairs_compared: int
    rates: list[Rates]


class _Cameras(NamedTuple):
    """The cameras known so far: what they are like, by which lists, and their first units."""

    listing: Listing
    lists: Masks
    anchor: Index


class _Step(NamedTuple):
    """What was found of one list: pairs of rows of cameras and of its units, aligned."""

    left: Index
    right: Index
    probability: Array
    taken: Masks
    compared: int


def without_duplicates(units: Units, *, threshold: float, apart: Index) -> Joined:
    """Find the units of each list that are the same camera; see `Joined` and `regrouped`.

    A unit is joined to one other at most: whole rows of cameras look alike to a list that tells
    little of them. apart: pairs of units, one a row, that are known to be different cameras.
    """
    found, compared, expected = [], 0, 0.0
    for of_list in range(units.lists.shape[1]):
        rows = np.flatnonzero(units.lists[:, of_list])
        pairs, probability = _duplicates.find(take(units.listing, rows))
        left, right = rows[pairs.left], rows[pairs.right]
        sort = units.listing.features.sort
        kept = (sort[left] == sort[right]) & ~_among(left, right, apart)
        kept &= probability >= LEAST_IN_PAIRS
        taken = _best_of_both(left, right, np.where(kept, probability, 0.0), threshold)
        scored = Scored(left, right, probability, taken)
        found.append(_kept(scored, kept))
        compared += len(left)
        expected += float(probability[kept].sum())
    scored = all_of(found)
    left, right = scored.left[scored.taken], scored.right[scored.taken]
    believed = np.full(len(units.lists), np.nan)
    believed[left] = believed[right] = scored.probability[scored.taken]
    group = groups(len(units.lists), left, right)
    return Joined(group, np.nan_to_num(believed, nan=1.0), scored, expected, compared, [])


def regrouped(units: Units, group: Index) -> Units:
    """Return the units with some joined: `group` gives each its new unit."""
    n = int(group.max(initial=-1)) + 1
    lists = np.zeros((n, units.lists.shape[1]), np.bool_)
    np.logical_or.at(lists, group, units.lists)
    return Units(group[units.unit], _join(units.listing, group, n), lists)


def join_lists(
    units: Units,
    order: Sequence[int],
    *,
    threshold: float | None,
    apart: Index,
    rng: np.random.Generator,
) -> Joined:
    """Link list after list, in the given order, to the cameras known so far.

    No camera takes two units of a list, unless it is a site with several devices. threshold: the
    least probability of a link; None takes what promises the best F1. apart: pairs of units, one
    a row, that are known to be different cameras.
    """
    n = len(units.lists)
    camera, probability = np.full(n, -1), np.full(n, np.nan)
    nothing = np.empty(0, np.int64)
    cameras = _Cameras(take(units.listing, nothing), units.lists[:0], nothing)
    scored, rates, compared, expected = [], [], 0, 0.0
    for of_list in order:
        new = np.flatnonzero(units.lists[:, of_list] & (camera < 0))
        told = _apart_now(apart, camera, new)
        step = _link(cameras, units, of_list, new, threshold=threshold, apart=told, rng=rng)
        ends = Scored(cameras.anchor[step.left], new[step.right], *step[2:4])
        _believe(probability, _kept(ends, ends.taken))
        scored.append(_kept(ends, ends.probability >= LEAST_IN_PAIRS))
        rates += _rates(of_list, cameras.lists, units.lists[new], step)
        compared += step.compared
        expected += float(step.probability.sum())
        group = groups(
            len(cameras.anchor) + len(new),
            step.left[step.taken],
            len(cameras.anchor) + step.right[step.taken],
        )
        camera[camera >= 0] = group[camera[camera >= 0]]
        camera[new] = group[len(cameras.anchor) :]
        cameras = _Cameras(
            _of_members(units, camera),
            _any_by(group, np.vstack([cameras.lists, units.lists[new]])),
            _first_by(group, np.concatenate([cameras.anchor, new])),
        )
    of_no_list = np.flatnonzero(camera < 0)
    camera[of_no_list] = len(cameras.anchor) + np.arange(len(of_no_list))
    believed = np.nan_to_num(probability, nan=1.0)
    return Joined(camera, believed, all_of(scored), expected, compared, rates)


def _link(
    cameras: _Cameras,
    units: Units,
    of_list: int,
    new: Index,
    *,
    threshold: float | None,
    apart: Index,
    rng: np.random.Generator,
) -> _Step:
    """Link the new units of a list to the cameras that it does not hold yet."""
    free = np.flatnonzero(~cameras.lists[:, of_list])
    known, listing = take(cameras.listing, free), take(units.listing, new)
    model = learn(known, listing, rng=rng)
    if model is None:
        return _Step(*_NO_PAIRS, compared=0)
    pairs = candidates(known, listing, model)
    compared = len(pairs.left)
    left = free[pairs.left]
    barred = (cameras.lists[left] & units.lists[new[pairs.right]]).any(axis=1)
    barred |= known.features.sort[pairs.left] != listing.features.sort[pairs.right]
    barred |= _among(left, pairs.right, apart, either_way=False)
    pairs, left = select(pairs, ~barred), left[~barred]
    slots, by_slot = probabilities(known, listing, pairs, model)
    probability = by_pair(slots, by_slot)
    least = model.threshold if threshold is None else threshold
    chosen = slots.pair[assign(slots.edges, probability[slots.pair] - least)]
    taken = np.zeros(len(left), np.bool_)
    taken[_without_doubled_sites(chosen, pairs, known, listing)] = True
    return _Step(left, pairs.right, probability, taken, compared)


def _without_doubled_sites(taken: Index, pairs: Pairs, cameras: Listing, listing: Listing) -> Index:
    """Return the links without those of single cameras to a site that is linked to a site."""
    is_site = [cameras.features.devices > 1, listing.features.devices > 1]
    whole = is_site[0][pairs.left[taken]] & is_site[1][pairs.right[taken]]
    full = [np.isin(end[taken], end[taken[whole]]) for end in (pairs.left, pairs.right)]
    return taken[whole | ~(full[0] | full[1])]


def _believe(probability: Array, links: Scored) -> None:
    """Note the probability of each link with the unit it brings and with a camera's first unit."""
    first = np.isnan(probability[links.left])
    np.fmax.at(probability, links.left[first], links.probability[first])
    np.fmax.at(probability, links.right, links.probability)


def _rates(of_list: int, camera_lists: Masks, unit_lists: Masks, step: _Step) -> list[Rates]:
    """Return how well a list was linked to each list before it."""
    before = np.flatnonzero(camera_lists.any(axis=0)).tolist()
    return [
        _rate(other, of_list, camera_lists, unit_lists, step)
        for other in before
        if other != of_list
    ]


def _rate(other: int, of_list: int, camera_lists: Masks, unit_lists: Masks, step: _Step) -> Rates:
    """Return how well a list was linked to another; what is certain counts as linked and true."""
    n_new, in_other = len(unit_lists), camera_lists[:, other]
    certain = int((camera_lists[:, of_list] & in_other).sum() + unit_lists[:, other].sum())
    to_other = in_other[step.left]
    right, probability = step.right[to_other], step.probability[to_other]
    matched = np.minimum(np.bincount(right, probability, n_new), 1.0)
    linked = np.zeros(n_new, np.bool_)
    linked[right[step.taken[to_other]]] = True
    uncertain = ~unit_lists[:, other]
    held = float(matched[uncertain].sum()) + certain
    not_held = float((1 - matched[uncertain]).sum())
    return Rates(
        source_l=other,
        source_r=of_list,
        n_l=int(in_other.sum()),
        n_r=n_new + int(camera_lists[:, of_list].sum()),
        linked=int(linked.sum()) + certain,
        alpha=(float(matched[linked].sum()) + certain) / held if held else None,
        beta=float((1 - matched[linked]).sum()) / not_held if not_held else None,
    )


def _apart_now(apart: Index, camera: Index, new: Index) -> Index:
    """Return which rows of cameras and of new units are known to be different."""
    row_of_unit = np.full(len(camera), -1)
    row_of_unit[new] = np.arange(len(new))
    both = np.vstack([apart, apart[:, ::-1]])
    rows = np.column_stack([camera[both[:, 0]], row_of_unit[both[:, 1]]])
    return rows[(rows >= 0).all(axis=1)]


def _among(left: Index, right: Index, known: Index, *, either_way: bool = True) -> Masks:
    """Return which pairs are among the known ones, with their ends in that order or in either."""
    if not len(known):
        return np.zeros(len(left), np.bool_)
    n = int(max(known.max(), left.max(initial=0), right.max(initial=0))) + 1
    keys = [known[:, 0] * n + known[:, 1]]
    keys += [known[:, 1] * n + known[:, 0]] if either_way else []
    return np.isin(left * n + right, np.concatenate(keys))


def _best_of_both(left: Index, right: Index, probability: Array, threshold: float) -> Masks:
    """Return which pairs to take, likeliest first, so that nothing is taken twice."""
    taken, used = np.zeros(len(left), np.bool_), set[int]()
    likely = np.flatnonzero(probability >= threshold)
    for pair in likely[np.lexsort((right[likely], left[likely], -probability[likely]))].tolist():
        ends = {int(left[pair]), int(right[pair])}
        if not ends & used:
            used |= ends
            taken[pair] = True
    return taken


def _kept(scored: Scored, kept: Masks) -> Scored:
    return Scored(
        scored.left[kept],
        scored.right[kept],
        scored.probability[kept],
        scored.taken[kept],
    )


def all_of(parts: Sequence[Scored]) -> Scored:
    """Return the pairs of all parts, one after the other."""
    parts = [_NO_PAIRS, *parts]
    return Scored(
        np.concatenate([part.left for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.probability for part in parts]),
        np.concatenate([part.taken for part in parts]),
    )


def groups(n: int, left: Index, right: Index) -> Index:
    """Return the group of each of n things, of which some pairs belong together."""
    graph = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(n, n))
    label: Index = connected_components(graph, directed=False)[1].astype(np.int64)
    return label


def _join(listing: Listing, group: Index, n_groups: int) -> Listing:
    around = Surroundings(
        _sum_by(group, listing.around.found, n_groups),
        _sum_by(group, listing.around.usual, n_groups),
    )
    return Listing(join(listing.features, group, n_groups), around)


def _of_members(units: Units, camera: Index) -> Listing:
    """Return what cameras are like, from all their units."""
    rows = np.flatnonzero(camera >= 0)
    return _join(take(units.listing, rows), camera[rows], int(camera.max(initial=-1)) + 1)


def _sum_by(group: Index, table: Array, n_groups: int) -> Array:
    columns = [np.bincount(group, column, n_groups) for column in table.T]
    return np.column_stack(columns).astype(np.float64)


def _any_by(group: Index, value: Masks) -> Masks:
    made = np.zeros((int(group.max(initial=-1)) + 1, value.shape[1]), np.bool_)
    np.logical_or.at(made, group, value)
    return made


def _first_by(group: Index, value: Index) -> Index:
    first = np.full(int(group.max(initial=-1)) + 1, len(group))
    np.minimum.at(first, group, np.arange(len(group)))
    chosen: Index = value[first]
    return chosen
