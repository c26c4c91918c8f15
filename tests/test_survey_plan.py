"""Planning a survey: stretches, probabilities, routes. Exact cases and real streets."""

from __future__ import annotations

from itertools import pairwise, permutations
from pathlib import Path

import networkx as nx
import numpy as np
import pyarrow as pa
import pyproj
import pytest
import shapely
from scipy.spatial import cKDTree

from sousveil.errors import UnusableInput
from sousveil.sources import osm
from sousveil.survey import _drawing, _frame, _network, _planning, _routes
from tests.places import METRES_PER_DEGREE, streets, town
from tests.surveys import ground

KM = 1000 / METRES_PER_DEGREE


def lengths(table: pa.Table) -> list[float]:
    return sorted(round(x, 1) for x in table["length_m"].to_pylist())


def test_a_street_is_cut_into_equal_stretches_of_nearly_100_m() -> None:
    found = _frame.stretches(streets(("residential", [(0, 0), (0, 1.04 * KM)])))
    whole = pyproj.Geod(ellps="WGS84").line_length([0, 0], [0, 1.04 * KM])
    assert found.num_rows == 10
    assert found["length_m"].to_numpy() == pytest.approx(whole / 10, rel=1e-6)


def test_ways_of_one_street_are_joined_before_they_are_cut() -> None:
    ways = [("primary", [(0, i * 0.03 * KM), (0, (i + 1) * 0.03 * KM)], {"name": "High"})
            for i in range(10)]  # fmt: skip
    found = _frame.stretches(streets(*ways))
    assert found.num_rows == 3
    assert set(found["name"].to_pylist()) == {"High"}
    assert set(found["stratum"].to_pylist()) == {"main"}


def test_what_nobody_may_walk_is_no_stretch() -> None:
    line = [(0, 0), (0, 0.1 * KM)]
    shut = [
        ("motorway", line),
        ("busway", line),
        ("construction", line),
        ("residential", line, {"access": "private"}),
        ("service", line, {"service": "driveway"}),
        ("pedestrian", line, {"area": "yes"}),
        ("primary", line, {"tunnel": "yes"}),
        ("primary", line, {"foot": "no"}),
        ("footway", line),
    ]
    with pytest.raises(UnusableInput, match="no street to walk"):
        _frame.stretches(streets(*shut))
    open_ = [
        ("residential", line, {"access": "private", "foot": "yes"}),
        ("primary", [(1, 0), (1, 0.1 * KM)], {"foot": "no", "sidewalk": "separate"}),
    ]
    assert _frame.stretches(streets(*open_)).num_rows == 2


def test_footways_belong_to_the_frame_where_asked_for() -> None:
    ways = streets(
        ("residential", [(0, 0), (0, 0.1 * KM)]), ("steps", [(0.01, 0), (0.01, 0.1 * KM)])
    )
    assert _frame.stretches(ways).num_rows == 1
    assert set(_frame.stretches(ways, footways=True)["stratum"].to_pylist()) == {"side", "footway"}


def test_stretches_are_cut_at_the_boundary() -> None:
    ways = streets(("residential", [(0, 0), (0, 1 * KM)]))
    inside = shapely.box(-1, 0, 1, 0.35 * KM)
    found = _frame.stretches(ways, boundary=inside)
    assert sum(found["length_m"].to_pylist()) == pytest.approx(350, rel=0.01)
    with pytest.raises(UnusableInput, match="boundary"):
        _frame.stretches(ways, boundary=shapely.box(5, 5, 6, 6))


def test_no_metre_of_munich_is_lost_or_doubled(shared_data: Path) -> None:
    """Against the geodesic length of the ways that the frame takes, one by one."""
    path = shared_data / "osm" / "munich_2020-07.osm.pbf"
    source = osm.read(path, source_id="x")
    taken = np.array(_frame._strata(source.streets, footways=False)) != ""
    geod = pyproj.Geod(ellps="WGS84")
    ways = shapely.from_wkb(source.streets["geometry"].to_numpy())[taken]
    whole_m = sum(geod.geometry_length(way) for way in ways)
    where, _ = ground(path)
    assert where.length_m.sum() == pytest.approx(whole_m, rel=1e-5)
    assert 60 < np.median(where.length_m) < 110
    assert where.length_m.max() <= 150.1


def test_probabilities_are_proportional_and_sum_to_the_number_drawn() -> None:
    size = np.array([50.0, 100.0, 150.0, 100.0])
    assert _drawing.probabilities(size, 2) == pytest.approx(size / 200)
    capped = _drawing.probabilities(np.array([1.0, 1.0, 8.0]), 2)
    assert capped == pytest.approx([0.5, 0.5, 1.0])
    assert _drawing.probabilities(size, 9) == pytest.approx(np.ones(4))


def test_shares_add_up_and_no_stratum_is_left_out() -> None:
    given = _drawing.allocate(40, np.array([70.0, 29.0, 1.0]), np.array([500, 500, 2]))
    assert given.sum() == 40
    assert given.tolist() == [27, 11, 2]
    assert _drawing.allocate(99, np.ones(2), np.array([3, 5])).tolist() == [3, 5]


def test_each_stretch_is_drawn_as_often_as_its_probability_says() -> None:
    random = np.random.default_rng(3)
    points = random.random((40, 2))
    size = random.uniform(50, 150, 40)
    probability = _drawing.probabilities(size, 12)
    draws = np.array([_drawing.draw(probability, points, random) for _ in range(6000)])
    assert set(draws.sum(axis=1)) == {12}
    error = np.sqrt(probability * (1 - probability) / 6000)
    assert np.abs((draws.mean(axis=0) - probability) / error).max() < 4


def test_a_sample_lies_apart() -> None:
    random = np.random.default_rng(0)
    points = random.random((400, 2))
    probability = np.full(400, 0.1)

    def gap(rows: np.ndarray) -> float:
        return float(cKDTree(points[rows]).query(points[rows], k=2)[0][:, 1].mean())

    balanced = np.mean([gap(_drawing.draw(probability, points, random)) for _ in range(30)])
    plain = np.mean([gap(random.choice(400, 40, replace=False)) for _ in range(30)])
    assert balanced > 1.3 * plain


def test_ways_are_the_shortest_ones() -> None:
    """Against networkx on the grid of a made-up town."""
    table = streets(*town(11.5, 48.1, side_m=400.0))
    where = _planning.ground(table, boundary=None, footways=False)
    ends = _network.between(where.network, where.lines)
    graph = nx.Graph()
    matrix = where.network.weights.tocoo()
    graph.add_weighted_edges_from(
        zip(matrix.row.tolist(), matrix.col.tolist(), matrix.data.tolist(), strict=True)
    )
    for start, end in ((0, 7), (3, 20), (11, 38)):
        known = nx.shortest_path_length(
            graph, int(ends.vertex[start]), int(ends.vertex[end]), weight="weight"
        )
        assert ends.distance_m[start, end] == pytest.approx(known)
        way = _network.path(where.network, ends, start, end)
        assert np.hypot(*np.diff(way, axis=0).T).sum() == pytest.approx(known)


def test_a_route_is_as_short_as_the_best_order() -> None:
    """Against all orders and directions of six stretches."""
    random = np.random.default_rng(8)
    starts = random.random((6, 2)) * 1000
    ends = starts + random.normal(0, 60, (6, 2))
    at = np.stack([starts, ends], axis=1).reshape(-1, 2)
    distance = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
    length = np.hypot(*(ends - starts).T)
    best = np.inf
    for order in permutations(range(6)):
        for turns in range(64):
            turn = [(turns >> i) & 1 for i in range(6)]
            walk = sum(distance[2 * a + 1 - turn[a], 2 * b + turn[b]] for a, b in pairwise(order))
            best = min(best, walk)
    (route,) = _routes.plan(length, distance, 1)
    assert sorted(route.stretches.tolist()) == list(range(6))
    assert best <= route.walk_m + 1e-6 <= 1.1 * best


@pytest.fixture(scope="module")
def munich(shared_data: Path) -> _planning.Ground:
    return ground(shared_data / "osm" / "munich_2020-07.osm.pbf")[0]


def made(where: _planning.Ground, seed: int = 0, double: float = 0.0) -> _planning.Drawn:
    return _planning.make(
        where,
        hours=3.0,
        people=3,
        double=double,
        settled=np.zeros(len(where.stratum), dtype=bool),
        deviation=None,
        seed=seed,
        progress=lambda _: None,
    )


def test_the_work_fits_the_hours_and_is_shared(munich: _planning.Ground) -> None:
    drawn = made(munich)
    minutes = [route.minutes for route in drawn.routes]
    assert 150 < max(minutes) < 200
    assert min(minutes) > 0.75 * max(minutes)
    walked = np.concatenate([route.stretches for route in drawn.routes])
    assert sorted(walked.tolist()) == np.flatnonzero(drawn.drawn).tolist()
    assert drawn.probability.sum() == pytest.approx(drawn.drawn.sum())


def test_a_stretch_walked_twice_has_two_walkers(munich: _planning.Ground) -> None:
    drawn = made(munich, double=0.4)
    n = int(drawn.drawn.sum())
    assert drawn.twice.sum() == int(np.ceil(0.4 * n))
    walked = np.concatenate([np.unique(route.stretches) for route in drawn.routes])
    times = np.bincount(walked, minlength=len(munich.stratum))
    assert (times[drawn.twice] == 2).all()
    assert (times[drawn.drawn & ~drawn.twice] == 1).all()


def test_the_same_seed_draws_the_same(munich: _planning.Ground) -> None:
    first, again, other = made(munich, 5), made(munich, 5), made(munich, 6)
    assert (first.drawn == again.drawn).all()
    assert (first.drawn != other.drawn).any()


def test_too_little_time_is_said(munich: _planning.Ground) -> None:
    with pytest.raises(UnusableInput, match=r"--hours 0.2: 1 people see about"):
        _planning.make(
            munich,
            hours=0.2,
            people=1,
            double=0.0,
            settled=np.zeros(len(munich.stratum), dtype=bool),
            deviation=None,
            seed=0,
            progress=lambda _: None,
        )
