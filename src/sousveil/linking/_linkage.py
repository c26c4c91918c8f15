"""From observations to cameras: what is certain, duplicates, then list after list."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.linking._blocking import Array, Index, select_points
from sousveil.linking._chance import RINGS_M, Surroundings, surroundings
from sousveil.linking._features import Features, describe, is_osm_object
from sousveil.linking._joining import (
    Rates,
    Scored,
    Units,
    groups,
    join_lists,
    regrouped,
    without_duplicates,
)
from sousveil.linking._learning import Listing

IdPairs = list[tuple[str, str]]

MOST_AT_ONE_POINT: Final = 50
"""How many rows of one list at one point may be cameras that are really there."""


class Linkage(NamedTuple):
    """Of each observation the number of its camera and the probability that it belongs there.

    Pairs by rows of the observations: certain, one a row of the table; doubles, within a list;
    between, of a list with the cameras known before it, each by its first row. sources: the lists
    that `rates` count. expected_links: between lists, without what is certain.
    """

    camera: Index
    probability: Array
    certain: Index
    doubles: Scored
    between: Scored
    pairs_compared: int
    expected_links: float
    sources: list[str]
    rates: list[Rates]


def link(
    observations: pa.Table,
    *,
    same: IdPairs,
    different: IdPairs,
    threshold: float | None,
    duplicate_from: float,
    rng: np.random.Generator,
) -> Linkage:
    """Link observations; see `linking.link`. same and different: pairs of observation ids."""
    unit = _certain_groups(observations, same)
    units, sources = _units(observations, unit)
    apart = _apart(observations, different, unit)
    doubles = without_duplicates(units, threshold=duplicate_from, apart=apart)
    single = regrouped(units, doubles.camera)
    joined = join_lists(
        single,
        _order(single, sources),
        threshold=threshold,
        apart=doubles.camera[apart],
        rng=rng,
    )
    return Linkage(
        camera=joined.camera[single.unit],
        probability=doubles.probability[unit] * joined.probability[single.unit],
        certain=_certain_pairs(unit),
        doubles=_of_rows(doubles.scored, _first(unit)),
        between=_of_rows(joined.scored, _first(single.unit)),
        pairs_compared=doubles.pairs_compared + joined.pairs_compared,
        expected_links=joined.expected_links,
        sources=sources,
        rates=joined.rates,
    )


def _certain_pairs(unit: Index) -> Index:
    """Return the first row of each unit with each other one."""
    first = _first(unit)[unit]
    other = np.flatnonzero(first != np.arange(len(unit)))
    return np.column_stack([first[other], other])


def _certain_groups(observations: pa.Table, same: IdPairs) -> Index:
    """Return the group of each observation, of those that are one camera for certain."""
    native = observations["native_id"].combine_chunks().dictionary_encode()
    of_osm = np.array([is_osm_object(x) for x in native.dictionary.to_pylist()], np.bool_)
    code = native.indices.to_numpy().astype(np.int64)
    n = len(code)
    object_ = np.where(of_osm[code], code, len(of_osm) + np.arange(n))
    left, right = _rows(observations, same).T
    label = groups(
        n + len(of_osm) + n,
        np.concatenate([np.arange(n), left]),
        np.concatenate([n + object_, right]),
    )[:n]
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _rows(observations: pa.Table, pairs: IdPairs) -> Index:
    """Return the rows of pairs of observation ids, of those pairs that are there."""
    wanted = pa.array([name for pair in pairs for name in pair], pa.string())
    found = pc.index_in(wanted, observations["observation_id"].combine_chunks())
    rows = np.asarray(found.fill_null(-1), np.int64).reshape(-1, 2)
    return rows[(rows >= 0).all(axis=1)]


def _apart(observations: pa.Table, different: IdPairs, unit: Index) -> Index:
    """Return the pairs of units that are known to be different cameras."""
    pairs: Index = unit[_rows(observations, different)].reshape(-1, 2)
    apart: Index = pairs[pairs[:, 0] != pairs[:, 1]]
    return apart


def _units(observations: pa.Table, unit: Index) -> tuple[Units, list[str]]:
    """Return the units of observations and the names of their lists.

    A point that a list gives to very many rows stands in for a place it does not know better: it
    tells nothing of a single camera, and its rows take no part (no list holds them).
    """
    source = observations["source_id"].combine_chunks().dictionary_encode()
    sources = source.dictionary.to_pylist()
    of_list = source.indices.to_numpy().astype(np.int64)
    features = describe(observations)
    places = np.column_stack([of_list, features.points.lon, features.points.lat])
    _, place, rows_there = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    precise = rows_there[place] <= MOST_AT_ONE_POINT
    rows = Units(
        unit=np.arange(len(unit)),
        listing=Listing(features, _around(features, np.where(precise, of_list, -1))),
        lists=(of_list[:, None] == np.arange(len(sources))) & precise[:, None],
    )
    return regrouped(rows, unit), sources


def _around(features: Features, of_list: Index) -> Surroundings:
    """Return the surroundings of each observation in its own list, none where that is -1."""
    made = [np.zeros((len(of_list), len(RINGS_M))) for _ in range(2)]
    for number in np.unique(of_list[of_list >= 0]):
        rows = np.flatnonzero(of_list == number)
        around = surroundings(select_points(features.points, rows))
        made[0][rows], made[1][rows] = around.found, around.usual
    return Surroundings(*made)


def _order(units: Units, sources: list[str]) -> list[int]:
    """Return the lists, those with the finest positions first, of those the longest."""
    accuracy_m = units.listing.features.points.accuracy_m
    keys = []
    for number, name in enumerate(sources):
        held = units.lists[:, number]
        if held.any():
            keys.append((float(np.median(accuracy_m[held])), -int(held.sum()), name, number))
    return [key[-1] for key in sorted(keys)]


def _first(group: Index) -> Index:
    """Return the first position of each group, numbered 0 and up without a gap."""
    first: npt.NDArray[np.int64] = np.unique(group, return_index=True)[1]
    return first


def _of_rows(scored: Scored, row: Index) -> Scored:
    return scored._replace(left=row[scored.left], right=row[scored.right])
