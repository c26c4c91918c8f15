"""Pairs: every chance of being one camera, and the set of them that promises the best F1."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy.spatial import cKDTree

from sousveil import linking, synthetic
from sousveil.linking import Linked, link
from sousveil.linking._matching import best_pair_threshold
from sousveil.synthetic import ListModel
from tests.tables import observations

RADII_M = (10, 15, 25, 50, 75)
METRES_PER_DEGREE = 111_195.0

Index = npt.NDArray[np.int64]


class Town:
    """Two lists of a made-up town of about 1,500 cameras, linked, and which pairs are true."""

    def __init__(
        self, *, error_m: float, missed: float, dense: bool, wrong: float, unknown: float
    ) -> None:
        streets = synthetic.street_grid(blocks=10 if dense else 17)
        spacing_m = synthetic.MUNICH_SPACING_M if dense else (30.0, 60.0)
        cameras = synthetic.cameras(streets, spacing_m=spacing_m)
        models = [
            ListModel(source_id=name, error_m=error_m, missed=missed, wrong=wrong, unknown=unknown,
                      states_error=False)
            for name in "ab"
        ]  # fmt: skip
        made = synthetic.lists(cameras, models)
        self.observations = made.observations
        self.linked: Linked = link(made.observations)
        self.real = np.array([names[0] for names in made.truth["cameras"].to_pylist()])
        source = np.array(made.observations["source_id"].to_pylist())
        self.sides = np.flatnonzero(source == "a"), np.flatnonzero(source == "b")
        self.n_true = len(np.intersect1d(*(self.real[rows] for rows in self.sides)))

    def f1(self, left: Index, right: Index) -> float:
        return 2 * int((self.real[left] == self.real[right]).sum()) / (len(left) + self.n_true)

    def rows(self, pairs: pa.Table) -> tuple[Index, Index]:
        ids = self.observations["observation_id"].combine_chunks()
        left, right = (pc.index_in(pairs[f"observation_id_{end}"], ids) for end in "lr")
        return left.to_numpy(), right.to_numpy()

    def f1_of(self, column: str) -> float:
        """F1 of the pairs between lists that a column of the pairs marks."""
        pairs = self.linked.pairs
        marked = pc.and_(pairs[column], pc.invert(pairs["one_list"]))
        return self.f1(*self.rows(pairs.filter(marked)))

    def best_radius(self) -> float:
        """The best F1 of linking all, or the nearest first, within any of five radii."""
        lon, lat = (self.observations[name].to_numpy() for name in ("lon", "lat"))
        east = lon * np.cos(np.radians(lat.mean()))
        places = np.column_stack([east, lat]) * METRES_PER_DEGREE
        trees = [cKDTree(places[rows]) for rows in self.sides]
        return max(self._within(trees, radius_m) for radius_m in RADII_M)

    def _within(self, trees: list[cKDTree], radius_m: float) -> float:
        near = trees[0].sparse_distance_matrix(trees[1], radius_m, output_type="coo_matrix")
        left, right = self.sides[0][near.row], self.sides[1][near.col]
        used, kept = set[int](), []
        for pair in np.argsort(near.data, kind="stable").tolist():
            ends = {int(left[pair]), int(right[pair])}
            if not ends & used:
                used |= ends
                kept.append(pair)
        return max(self.f1(left, right), self.f1(left[kept], right[kept]))


@pytest.fixture(scope="module")
def vague() -> Town:
    """Errors of 20 m, each axis and list, no attributes, a pole every 12 to 22 m."""
    return Town(error_m=20.0, missed=0.1, dense=True, wrong=0.0, unknown=1.0)


@pytest.fixture(scope="module")
def described() -> Town:
    """Errors of 10 m, good attributes, the same town."""
    return Town(error_m=10.0, missed=0.1, dense=True, wrong=0.05, unknown=0.1)


@pytest.fixture(scope="module")
def nearly() -> list[Town]:
    """Two towns without attributes where links come as near the truth as the best radius does."""
    return [
        Town(error_m=10.0, missed=0.4, dense=True, wrong=0.0, unknown=1.0),
        Town(error_m=20.0, missed=0.1, dense=False, wrong=0.0, unknown=1.0),
    ]


def test_where_positions_are_hopeless_pairs_beat_every_radius(vague: Town) -> None:
    # The radius is chosen with the truth at hand, the pairs are not; the links cannot compete,
    # as they take nobody twice.
    assert vague.f1_of("linked") < vague.best_radius() < vague.f1_of("best_f1")
    assert vague.linked.better == "pairs"


def test_pairs_beat_every_radius_where_links_hardly_do(nearly: list[Town]) -> None:
    for town in nearly:
        assert town.f1_of("best_f1") > town.best_radius() + 0.02
        assert town.linked.better == "pairs"


def test_where_cameras_are_told_apart_the_links_are_as_good(described: Town) -> None:
    assert described.linked.better == "links"
    assert described.f1_of("linked") > described.f1_of("best_f1") - 0.005
    assert described.f1_of("linked") > 2 * described.best_radius()


def test_the_share_that_both_lists_hold_is_learnt_from_vague_positions(vague: Town) -> None:
    # Every round of learning moves little here; stopping early put it a quarter too low.
    assert vague.linked.expected_links == pytest.approx(vague.n_true, rel=0.15)


def test_of_pairs_given_a_probability_so_many_are_true(
    vague: Town, described: Town, nearly: list[Town]
) -> None:
    told, came_true = [], []
    for town in (vague, described, *nearly):
        left, right = town.rows(town.linked.pairs)
        told.append(town.linked.pairs["probability"].to_numpy())
        came_true.append(town.real[left] == town.real[right])
    given, true = np.concatenate(told), np.concatenate(came_true)
    assert given.min() >= linking.LEAST_IN_PAIRS
    for low in (0.05, 0.15, 0.25, 0.35, 0.95):  # few lie between: see test_linking for those
        chosen = (given >= low) & (given < low + 0.1)
        assert chosen.sum() > 300
        assert true[chosen].mean() == pytest.approx(given[chosen].mean(), abs=0.05)


def test_what_is_expected_of_pairs_comes_true(vague: Town, described: Town) -> None:
    for town in (vague, described):
        assert town.linked.expected_f1_of_pairs == pytest.approx(town.f1_of("best_f1"), abs=0.03)
        assert town.linked.expected_f1 == pytest.approx(town.f1_of("linked"), abs=0.03)


def test_pairs_hold_every_link_and_the_uncertain_ones(described: Town) -> None:
    pairs, links = described.linked.pairs, described.linked.links
    assert pairs.schema.equals(linking.PAIRS)
    cameras = np.array(links["camera_id"].to_pylist())
    left, right = described.rows(pairs.filter(pairs["linked"]))
    assert (cameras[left] == cameras[right]).all()
    assert len(left) == len(cameras) - len(np.unique(cameras))
    assert (np.diff(pairs["probability"].to_numpy()) <= 0).all()
    low, high = linking.UNCERTAIN_BAND
    given = pairs["probability"].to_numpy()
    assert described.linked.uncertain.num_rows == ((given >= low) & (given <= high)).sum()


def test_certain_pairs_and_pairs_inside_a_list_are_told_as_such() -> None:
    twice = {"source_id": "b", "bearings": [90.0], "housing": "dome", "lon": 11.6}
    table = observations(
        {"source_id": "a", "native_id": "node/1"},
        {"source_id": "b", "native_id": "node/1", "lon": 11.55},
        twice | {"native_id": "2"},
        twice | {"native_id": "3"},
    )
    certain, double = link(table).pairs.to_pylist()
    assert {certain["observation_id_l"], certain["observation_id_r"]} == {"a/node/1", "b/node/1"}
    assert certain["probability"] == 1.0
    assert certain["linked"]
    assert certain["best_f1"]
    assert not certain["one_list"]
    assert certain["distance_m"] == pytest.approx(3_713, rel=0.01)
    assert double["one_list"]
    assert double["linked"] == double["best_f1"]


@pytest.mark.parametrize("seed", range(5))
def test_no_set_of_pairs_promises_more_than_the_best(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability = rng.beta(0.4, 1.0, 10)
    expected = float(probability.sum()) + 0.3

    def promised(chosen: Index) -> float:
        return 2 * float(probability[chosen].sum()) / (len(chosen) + expected)

    threshold = best_pair_threshold(probability, expected_links=expected)
    best = promised(np.flatnonzero(probability >= threshold))
    sets = itertools.product([False, True], repeat=10)
    assert best == pytest.approx(max(promised(np.flatnonzero(chosen)) for chosen in sets))
    assert threshold >= best / 2 > max([0.0, *probability[probability < threshold]])
    assert best_pair_threshold(np.empty(0), expected_links=0.0) == 1.0
