"""Linking: what is certain, what is learnt, what may never be joined, and how sure it is."""

from __future__ import annotations

import itertools
import socket
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sousveil import linking, register, synthetic
from sousveil.linking import by_identity, link
from sousveil.linking._blocking import Pairs, Points, Reach, nearby, nearby_within
from sousveil.linking._comparing import COMPARISONS, evidence, vectors
from sousveil.linking._features import describe, near_bits, normal_name
from sousveil.linking._features import take as take_features
from sousveil.linking._matching import Edges, assign, best_threshold, log_weight, marginals, slots
from sousveil.records import LINKS
from sousveil.synthetic import ListModel
from tests.tables import observations

METRES_PER_DEGREE = 111_195.0
PRECISE = {"accuracy_m": 2.0}


def east_of(metres: float, lon: float = 11.5, lat: float = 48.1) -> float:
    return lon + metres / METRES_PER_DEGREE / float(np.cos(np.radians(lat)))


def cameras_of(table: pa.Table, **options: Any) -> list[str]:
    found: list[str] = link(table, **options).links["camera_id"].to_pylist()
    return found


def town(models: list[ListModel], *, blocks: int = 6, seed: int = 0) -> synthetic.Synthetic:
    cameras = synthetic.cameras(synthetic.street_grid(blocks=blocks), seed=seed)
    return synthetic.lists(cameras, models, seed=seed)


def score(made: synthetic.Synthetic, links: pa.Table) -> tuple[float, float]:
    """Precision and recall over pairs of observations of two lists."""
    truth = [set(names) for names in made.truth["cameras"].to_pylist()]
    sources = made.observations["source_id"].to_pylist()

    def pairs(keys: list[Any]) -> set[tuple[int, int]]:
        rows = defaultdict(list)
        for row, key in enumerate(keys):
            rows[key].append(row)
        every = (p for r in rows.values() for p in itertools.combinations(r, 2))
        return {p for p in every if sources[p[0]] != sources[p[1]]}

    said = pairs(links["camera_id"].to_pylist())
    true = {(i, j) for i, j in pairs([0] * len(truth)) if truth[i] & truth[j]}
    return len(said & true) / max(len(said), 1), len(said & true) / len(true)


# What is certain


def test_by_identity_links_the_same_object_only() -> None:
    table = observations(
        {"source_id": "old"}, {"source_id": "new"}, {"source_id": "new", "native_id": "node/2"}
    )
    links = by_identity(table)
    first, second, other = links["camera_id"].to_pylist()
    assert first == second != other
    assert links["probability"].to_pylist() == [1.0] * 3


def test_the_same_osm_object_is_one_camera_wherever_it_was_moved() -> None:
    table = observations(
        {"source_id": "old"},
        {"source_id": "new", "lon": east_of(400)},
        {"source_id": "new", "native_id": "node/2"},
    )
    linked = link(table)
    old, new, at_the_old_place = linked.links["camera_id"].to_pylist()
    assert old == new != at_the_old_place
    assert linked.links["probability"].to_pylist()[:2] == [1.0, 1.0]
    assert linked.expected_precision == 1.0


def test_ids_agree_with_those_of_a_census() -> None:
    table = observations({"native_id": "node/7"}, {"native_id": "way/7", "lon": 12.0})
    assert link(table).links.equals(by_identity(table))


def test_an_id_of_another_list_is_no_object_of_osm() -> None:
    table = observations(
        {"source_id": "a", "native_id": "7"},
        {"source_id": "b", "native_id": "7", "lon": 12.0},
    )
    assert len(set(cameras_of(table))) == 2


def test_the_id_comes_from_the_oldest_object_and_stays_when_others_join() -> None:
    first = observations({"source_id": "osm", "native_id": "node/9"} | PRECISE)
    joined = observations(
        {"source_id": "a", "native_id": "1"} | PRECISE,
        {"source_id": "osm", "native_id": "node/9"} | PRECISE,
        {"source_id": "osm", "native_id": "node/10", "lon": east_of(300)} | PRECISE,
    )
    [before] = cameras_of(first)
    in_a, same, later = cameras_of(joined, threshold=0.2)
    assert before == same == in_a != later


# What a person said


def two_apart(metres: float) -> pa.Table:
    return observations(
        {"source_id": "a", "native_id": "1"} | PRECISE,
        {"source_id": "b", "native_id": "1", "lon": east_of(metres)} | PRECISE,
    )


def answered(answer: str) -> pa.Table:
    row = {"observation_id_l": "b/1", "observation_id_r": "a/1", "answer": answer}
    return pa.Table.from_pylist([row], schema=linking.REVIEWED)


def test_pairs_that_a_person_joined_are_one_camera() -> None:
    assert len(set(cameras_of(two_apart(200)))) == 2
    assert len(set(cameras_of(two_apart(200), reviewed=answered("same")))) == 1


def test_pairs_that_a_person_told_apart_are_two() -> None:
    assert len(set(cameras_of(two_apart(0), threshold=0.1))) == 1
    apart = cameras_of(two_apart(0), threshold=0.1, reviewed=answered("different"))
    assert len(set(apart)) == 2


def test_an_answer_about_a_member_holds_for_the_camera_it_went_to() -> None:
    # a and b are certain to be one; c was told apart from b, so it may not join them.
    rows = [
        {"source_id": "a", "native_id": "node/1"},
        {"source_id": "b", "native_id": "node/1"},
        {"source_id": "c", "native_id": "1"},
    ]
    table = observations(*(row | PRECISE for row in rows))
    assert len(set(cameras_of(table, threshold=0.05))) == 1
    said = {"observation_id_l": "c/1", "observation_id_r": "b/node/1", "answer": "different"}
    reviewed = pa.Table.from_pylist([said], schema=linking.REVIEWED)
    in_a, in_b, in_c = cameras_of(table, threshold=0.05, reviewed=reviewed)
    assert in_a == in_b != in_c


# What is never joined


def test_no_camera_takes_two_of_one_list() -> None:
    made = town([ListModel(source_id=name, error_m=20.0) for name in "abc"])
    links = link(made.observations).links
    pairs = list(zip(links["camera_id"].to_pylist(), links["source_id"].to_pylist(), strict=True))
    assert len(set(pairs)) == len(pairs)


def test_a_guard_is_no_camera_but_the_same_guard() -> None:
    table = observations(
        {"source_id": "a", "native_id": "1", "kind": None, "not_camera": "guard"} | PRECISE,
        {"source_id": "a", "native_id": "2"} | PRECISE,
        {"source_id": "b", "native_id": "1", "kind": None, "not_camera": "guard"} | PRECISE,
        {"source_id": "b", "native_id": "2"} | PRECISE,
    )
    guard, camera, same_guard, same_camera = cameras_of(table, threshold=0.05)
    assert guard == same_guard != camera == same_camera


def test_cameras_on_one_mast_are_told_apart_by_where_they_look() -> None:
    rows = [
        {"source_id": source, "native_id": str(n), "lon": east_of(60 * (n // 2)), "bearings": [b]}
        for source, shift in (("a", 0), ("b", 8))
        for n, b in enumerate([shift, 180 + shift] * 10)
    ]
    made = link(observations(*(row | PRECISE for row in rows))).links
    assert made["camera_id"].to_pylist()[:20] == made["camera_id"].to_pylist()[20:]
    assert len(set(made["camera_id"].to_pylist())) == 20


# What is learnt


@pytest.fixture(scope="module")
def made() -> synthetic.Synthetic:
    """Two lists that err by 10 m each, cameras 12 to 22 m apart, good attributes."""
    models = [ListModel(source_id=name, wrong=0.05, unknown=0.1) for name in "ab"]
    return town(models, blocks=10)


@pytest.fixture(scope="module")
def linked(made: synthetic.Synthetic) -> linking.Linked:
    return link(made.observations)


def test_links_are_complete_and_in_the_order_given(
    made: synthetic.Synthetic, linked: linking.Linked
) -> None:
    assert linked.links.schema.equals(LINKS)
    for name in ("observation_id", "source_id", "native_id"):
        assert linked.links[name].equals(made.observations[name])


def test_good_attributes_make_up_for_bad_positions(
    made: synthetic.Synthetic, linked: linking.Linked
) -> None:
    # Positions alone allow 0.34 here (bench/linking.py: the best assignment, true parameters).
    precision, recall = score(made, linked.links)
    assert precision > 0.9
    assert recall > 0.9


def test_what_is_expected_comes_true(made: synthetic.Synthetic, linked: linking.Linked) -> None:
    precision, recall = score(made, linked.links)
    assert linked.expected_precision == pytest.approx(precision, abs=0.04)
    assert linked.expected_recall == pytest.approx(recall, abs=0.04)


def test_of_links_given_a_probability_so_many_are_true() -> None:
    models = [ListModel(source_id=name) for name in "ab"]
    made = town(models, blocks=22)
    linked = link(made.observations)
    links = linked.links
    names = [names[0] for names in made.truth["cameras"].to_pylist()]
    rows = defaultdict(list)
    for row, camera in enumerate(links["camera_id"].to_pylist()):
        rows[camera].append(row)
    pairs = [r for r in rows.values() if len(r) == 2]
    given = links["probability"].to_numpy()[[i for i, _ in pairs]]
    true = np.array([names[i] == names[j] for i, j in pairs])
    _check_calibration(given, true, (0.5, 0.7, 0.9))
    ids = made.observations["observation_id"].combine_chunks()
    left, right = (pa.compute.index_in(linked.pairs[f"observation_id_{x}"], ids) for x in "lr")
    real = np.array(names)
    true = real[left.to_numpy()] == real[right.to_numpy()]
    _check_calibration(linked.pairs["probability"].to_numpy(), true, (0.1, 0.3, 0.5, 0.7, 0.9))


def _check_calibration(given: np.ndarray, true: np.ndarray, bands: tuple[float, ...]) -> None:
    for low in bands:
        chosen = (given >= low) & (given < low + 0.2)
        assert chosen.sum() > 300
        assert true[chosen].mean() == pytest.approx(given[chosen].mean(), abs=0.05)


def test_alpha_and_beta_lead_back_to_the_number_of_true_matches(
    made: synthetic.Synthetic, linked: linking.Linked
) -> None:
    # m* = alpha M + beta (n2 - M) is what section 4 of the published numbers inverts.
    [rates] = linked.rates.to_pylist()
    in_both = set.intersection(
        *({n[0] for o, n in _truth(made) if o.startswith(f"{source}/")} for source in "ab")
    )
    n_r, alpha, beta = rates["n_r"], rates["alpha"], rates["beta"]
    assert 0.9 < alpha < 1
    assert (rates["linked"] - beta * n_r) / (alpha - beta) == pytest.approx(len(in_both), rel=0.03)


def _truth(made: synthetic.Synthetic) -> list[tuple[str, list[str]]]:
    table = made.truth.to_pydict()
    return list(zip(table["observation_id"], table["cameras"], strict=True))


def test_the_order_of_observations_does_not_matter(
    made: synthetic.Synthetic, linked: linking.Linked
) -> None:
    order = np.random.default_rng(1).permutation(made.observations.num_rows)
    again = link(made.observations.take(order)).links
    assert again.equals(linked.links.take(order))


def test_a_higher_threshold_gives_fewer_and_surer_links(
    made: synthetic.Synthetic, linked: linking.Linked
) -> None:
    sure = link(made.observations, threshold=0.95)
    assert len(set(sure.links["camera_id"].to_pylist())) > len(
        set(linked.links["camera_id"].to_pylist())
    )
    assert score(made, sure.links)[0] > 0.98
    joined = sure.links["probability"].to_numpy() < 1
    assert sure.links["probability"].to_numpy()[joined].min() >= 0.95


def test_uncertain_pairs_are_uncertain_the_least_certain_first(linked: linking.Linked) -> None:
    low, high = linking.UNCERTAIN_BAND
    probability = linked.uncertain["probability"].to_numpy()
    assert linked.uncertain.num_rows > 50
    assert probability.min() >= low
    assert probability.max() <= high
    assert (np.diff(np.abs(probability - 0.5)) >= 0).all()


@pytest.mark.parametrize("error_m", [0.0, 3.0, 15.0])
def test_the_error_of_positions_is_learnt_where_it_is_not_stated(error_m: float) -> None:
    models = [
        ListModel(source_id=name, error_m=error_m, wrong=0.05, unknown=0.1, states_error=False)
        for name in "ab"
    ]
    made = town(models, blocks=8)
    stated = town([ListModel(**(vars(m) | {"states_error": True})) for m in models], blocks=8)
    f1 = [2 * p * r / (p + r) for p, r in (
        score(made, link(x.observations).links) for x in (made, stated)
    )]  # fmt: skip
    assert f1[0] > f1[1] - 0.02


def test_lists_that_share_no_ground_share_no_camera() -> None:
    here, there = (
        synthetic.cameras(synthetic.street_grid(blocks=3, lonlat=at))
        for at in ((11.57, 48.14), (12.57, 48.14))
    )
    table = pa.concat_tables(
        [
            synthetic.lists(here, [ListModel(source_id="a")]).observations,
            synthetic.lists(there, [ListModel(source_id="b")]).observations,
        ]
    )
    linked = link(table)
    assert len(set(linked.links["camera_id"].to_pylist())) == table.num_rows
    assert linked.expected_precision is None


def test_nothing_and_one_observation_are_lists_too() -> None:
    nothing = link(observations().slice(0, 0))
    assert nothing.links.num_rows == 0
    assert nothing.expected_recall is None
    assert link(observations({})).links["probability"].to_pylist() == [1.0]


def test_linking_is_quiet_and_asks_no_server(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    link(town([ListModel(source_id=name) for name in "ab"], blocks=3).observations)
    assert capfd.readouterr() == ("", "")


def test_darmstadt_two_years_later_without_ids(shared_data: Path) -> None:
    # The 21 objects that both extracts hold under one id are the truth.
    from sousveil.sources import osm

    names = "frankfurt_darmstadt_2024-03", "darmstadt_hbf_2026-02"
    tables = [osm.read(shared_data / "osm" / f"{n}.osm.pbf", source_id=n) for n in names]
    objects = [x for t in tables for x in t.observations["native_id"].to_pylist()]
    full = pa.concat_tables([t.observations for t in tables])
    ids = pa.array([f"row {i}" for i in np.random.default_rng(0).permutation(len(objects))])
    hidden = full.set_column(full.schema.get_field_index("native_id"), "native_id", ids)
    hidden = hidden.set_column(0, "observation_id", ids)
    first = tables[0].observations.num_rows
    camera = cameras_of(hidden)
    said = {
        (i, j) for i in range(first) for j in range(first, len(camera)) if camera[i] == camera[j]
    }
    true = {
        (i, j) for i in range(first) for j in range(first, len(camera)) if objects[i] == objects[j]
    }
    assert len(true) == 21
    assert said == true


# Sites


def test_a_site_takes_as_many_cameras_as_it_has_devices() -> None:
    rows = [
        {"source_id": "sites", "native_id": str(n), "count": 3, "lon": east_of(100 * n)}
        for n in range(12)
    ] + [
        {"source_id": "single", "native_id": f"{n}-{k}", "lon": east_of(100 * n + k)}
        for n in range(12)
        for k in range(4)
    ]
    links = link(observations(*(row | PRECISE for row in rows)), threshold=0.1).links
    cameras = links["camera_id"].to_pylist()
    for n in range(12):
        joined = [k for k in range(4) if cameras[12 + 4 * n + k] == cameras[n]]
        assert len(joined) == 3


def test_two_sites_are_linked_as_wholes() -> None:
    rows = [
        {"source_id": source, "native_id": str(n), "count": 2 + n % 3, "lon": east_of(70 * n)}
        for source in ("a", "b")
        for n in range(15)
    ]
    cameras = cameras_of(observations(*(row | PRECISE for row in rows)))
    assert cameras[:15] == cameras[15:]
    assert len(set(cameras)) == 15


# Duplicates inside a list


def test_rows_that_repeat_a_camera_are_found_and_neighbours_are_not() -> None:
    models = [ListModel(source_id="a", error_m=3.0, wrong=0.0, unknown=0.0, duplicated=0.1)]
    made = town(models, blocks=10)
    cameras = cameras_of(made.observations)
    names = [names[0] for names in made.truth["cameras"].to_pylist()]
    said = {
        p for p in itertools.combinations(range(len(names)), 2) if cameras[p[0]] == cameras[p[1]]
    }
    true = {p for p in itertools.combinations(range(len(names)), 2) if names[p[0]] == names[p[1]]}
    assert len(said & true) > 0.8 * len(true)
    assert len(said & true) > 0.8 * len(said)


def test_a_row_of_cameras_described_alike_is_not_one_camera() -> None:
    rows = [
        {"native_id": str(n), "lon": east_of(18 * n), "bearings": [0.0], "housing": "fixed",
         "mount": "pole", "accuracy_m": 5.0}
        for n in range(12)
    ]  # fmt: skip
    assert len(set(cameras_of(observations(*rows)))) == 12


def test_many_rows_at_one_point_stay_many() -> None:
    rows = [{"native_id": str(n), "operator": "City"} | PRECISE for n in range(40)]
    assert len(set(cameras_of(observations(*rows)))) == 40


# With the register


def test_the_register_builds_cameras_from_links(made: synthetic.Synthetic) -> None:
    links = link(made.observations).links
    cameras = register.build(made.observations, links).cameras
    assert cameras.num_rows == len(set(links["camera_id"].to_pylist()))
    twice = cameras.filter(pa.compute.equal(cameras["n_sources"], 2))
    assert pa.compute.max(twice["link_probability"]).as_py() <= 1
    assert twice.num_rows > 0.5 * cameras.num_rows


# The parts


def brute_force(edges: Edges, odds: np.ndarray) -> tuple[np.ndarray, float]:
    """Marginals and log of the summed weight by enumerating all sets of links."""
    total, of_link = 0.0, np.zeros(len(odds))
    for chosen in itertools.product([False, True], repeat=len(odds)):
        links = np.flatnonzero(chosen)
        ends = edges.left[links], edges.right[links]
        if all(len(set(end.tolist())) == len(end) for end in ends):
            weight = float(np.prod(odds[links]))
            total += weight
            of_link[links] += weight
    return of_link / total, float(np.log(total))


def test_marginals_are_exact_on_a_tree() -> None:
    # A chain l0 - r0 - l1 - r1 - l2: no loop.
    edges = Edges(np.array([0, 1, 1, 2]), np.array([0, 0, 1, 1]), 3, 2)
    odds = np.array([0.3, 2.0, 5.0, 0.7])
    expected, weight = brute_force(edges, odds)
    probability, messages = marginals(edges, odds)
    assert probability == pytest.approx(expected, abs=1e-3)
    assert log_weight(edges, odds, messages) == pytest.approx(weight, abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_marginals_are_nearly_exact_with_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = np.unique(rng.integers(0, 4, (11, 2)), axis=0)
    edges = Edges(ends[:, 0], ends[:, 1], 4, 4)
    odds = rng.lognormal(0, 1.5, len(ends))
    expected, _ = brute_force(edges, odds)
    assert marginals(edges, odds)[0] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_assignments_gain_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ends = np.unique(rng.integers(0, 5, (12, 2)), axis=0)
    edges = Edges(ends[:, 0], ends[:, 1], 5, 5)
    gain = rng.uniform(-0.3, 0.9, len(ends))
    best = max(
        sum(gain[list(links)])
        for n in range(6)
        for links in itertools.combinations(range(len(ends)), n)
        if len(set(ends[list(links), 0])) == n == len(set(ends[list(links), 1]))
    )
    taken = assign(edges, gain)
    assert gain[taken].sum() == pytest.approx(best)
    assert (gain[taken] > 0).all()


def test_no_threshold_promises_more_than_the_best() -> None:
    rng = np.random.default_rng(0)
    edges = Edges(np.arange(300), np.arange(300), 300, 300)
    probability = rng.uniform(0, 1, 300)

    def promised(threshold: float) -> float:
        taken = probability >= threshold
        return 2 * float(probability[taken].sum()) / (int(taken.sum()) + probability.sum())

    best = best_threshold(edges, probability, expected_links=probability.sum())
    every = max(promised(threshold) for threshold in np.linspace(0, 1, 1001))
    assert promised(best) == pytest.approx(every, abs=1e-3)


def test_a_site_has_slots_for_single_cameras_and_one_for_another_site() -> None:
    left, right = np.array([0, 0, 1]), np.array([0, 1, 0])
    made = slots(left, right, np.array([3, 1]), np.array([1, 2]))
    # site 0 with single 0: three slots; site 0 with site 1: the first; single 1 with single 0.
    assert made.pair.tolist() == [0, 0, 0, 1, 2]
    assert made.edges.left.tolist() == [0, 1, 2, 0, 3]
    assert made.edges.right.tolist() == [0, 0, 0, 1, 0]
    assert (made.edges.n_left, made.edges.n_right) == (4, 3)


@pytest.mark.parametrize(("lon", "lat"), [(11.5, 48.1), (179.9995, -17.0), (25.7, 71.1), (0, 0)])
@pytest.mark.parametrize("reach_m", [8.0, 40.0, 120.0, 300.0])
def test_blocking_finds_all_pairs_in_reach_and_no_other(
    lon: float, lat: float, reach_m: float
) -> None:
    rng = np.random.default_rng(0)
    metres = rng.uniform(-600, 600, (2, 300, 2))
    east = METRES_PER_DEGREE * np.cos(np.radians(lat))
    sides = [
        Points((lon + m[:, 0] / east + 180) % 360 - 180, lat + m[:, 1] / METRES_PER_DEGREE,
               np.full(300, 5.0))
        for m in metres
    ]  # fmt: skip
    pairs = nearby(*sides, Reach(0.0, reach_m, reach_m))
    apart = np.hypot(*(metres[0][:, None] - metres[1][None]).T).T
    expected = {(i, j) for i, j in np.argwhere(apart <= reach_m).tolist()}
    on_the_edge = {(i, j) for i, j in np.argwhere(np.abs(apart / reach_m - 1) < 0.001).tolist()}
    found = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    assert found ^ expected <= on_the_edge
    assert len(found) == len(pairs.left)


def test_vague_points_reach_farther_than_others() -> None:
    lon = [11.5, east_of(60), east_of(61)]
    points = Points(np.array(lon), np.full(3, 48.1), np.array([2.0, 2.0, 30.0]))
    pairs = nearby_within(points, Reach(4.0, 5.0, 300.0))
    assert set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True)) == {(0, 2), (1, 2)}


def level(column: str, left: dict[str, Any], right: dict[str, Any]) -> int:
    features = describe(observations(left, right | {"native_id": "node/2"}))
    sides = (take_features(features, np.array([row])) for row in (0, 1))
    zero = np.zeros(1, np.int64)
    made = vectors(*sides, Pairs(zero, zero, np.zeros(1)))
    return int(made[0, [c.name for c in COMPARISONS].index(column)])


@pytest.mark.parametrize(
    ("column", "left", "right", "expected"),
    [
        ("bearing", {"bearings": [10.0]}, {"bearings": [345.0]}, 3),
        ("bearing", {"bearings": [90.0]}, {"bearings": [95.0]}, 4),
        ("bearing", {"bearings": [90.0]}, {"bearings": [270.0]}, 0),
        ("bearing", {"bearings": [0.0, 180.0]}, {"bearings": [182.0]}, 4),
        ("bearing", {"bearings": None}, {"bearings": [182.0]}, -1),
        ("kind", {"kind": "alpr"}, {"kind": "alpr"}, 3),
        ("kind", {"kind": "camera"}, {"kind": "camera"}, 2),
        ("kind", {"kind": "camera"}, {"kind": "alpr"}, 1),
        ("kind", {"kind": "speed"}, {"kind": "alpr"}, 0),
        ("housing", {"housing": "dome"}, {"housing": "fixed"}, 0),
        ("housing", {"housing": "dome"}, {"housing": None}, -1),
        ("mount", {"mount": "Wall"}, {"mount": "wall"}, 1),
        ("operator", {"operator": "Stadtwerke GmbH"}, {"operator": "STADTWERKE"}, 3),
        ("operator", {"operator": "Stadtwerke"}, {"operator": "Stadtwerk"}, 2),
        ("operator", {"operator": "Stadtwerke"}, {"operator": "Polizei"}, 0),
        ("devices", {"count": 1}, {"count": 1}, -1),
        ("devices", {"count": 4}, {"count": 4}, 2),
        ("devices", {"count": 4}, {"count": 1}, 1),
        ("devices", {"count": 4}, {"count": 2}, 0),
    ],
)  # fmt: skip
def test_levels_of_likeness(
    column: str, left: dict[str, Any], right: dict[str, Any], expected: int
) -> None:
    assert level(column, left, right) == expected


def test_evidence_is_the_sum_of_what_each_comparison_tells() -> None:
    table = observations(
        {"housing": "dome", "mount": "pole"}, {"housing": "dome", "mount": "wall", "native_id": "2"}
    )
    features = describe(table)
    left, right = (take_features(features, np.array([row])) for row in (0, 1))
    pairs = Pairs(np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1))
    m = {c.name: np.full(c.n_levels, 1 / c.n_levels) for c in COMPARISONS}
    u = dict(m)
    m["housing"], u["housing"] = np.array([0.1, 0.9]), np.array([0.7, 0.3])
    m["mount"], u["mount"] = np.array([0.2, 0.8]), np.array([0.6, 0.4])
    # Same housing 0.9 / 0.3, different mount 0.2 / 0.6: together they tell nothing.
    told = evidence(left, right, pairs, list(m.values()), list(u.values()))
    assert told == pytest.approx([0.0], abs=1e-9)
    m["mount"] = u["mount"]
    told = evidence(left, right, pairs, list(m.values()), list(u.values()))
    assert told == pytest.approx([np.log(3)], abs=1e-9)


def test_bearings_are_near_around_north() -> None:
    north = np.array([1], np.int64)
    assert near_bits(north, 1)[0] == (1 << 59) | 0b11


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Stadtwerke München GmbH", "stadtwerke munchen"),
        ("A.T.M. S.p.A. (Milano)", "atm"),
        ("K-Mart, Inc.", "k mart"),
        ("AG", "ag"),
        ("부산광역시", "부산광역시"),
    ],
)
def test_names_are_compared_without_case_accents_and_legal_form(name: str, expected: str) -> None:
    assert normal_name(name) == expected


def test_a_point_given_to_very_many_rows_is_a_stand_in_and_costs_nothing() -> None:
    rows = [{"source_id": s, "native_id": f"{n}"} for s in ("a", "b") for n in range(5000)]
    real = [{"source_id": s, "native_id": "x", "lon": 11.6} | PRECISE for s in ("a", "b")]
    linked = link(observations(*rows, *real), threshold=0.1)
    assert linked.pairs_compared < 10
    cameras = linked.links["camera_id"].to_pylist()
    assert len(set(cameras)) == 10_001
    assert cameras[-1] == cameras[-2]
