"""Residents: made by the rates, the same for the same seed, on real streets by the shortest way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import osmium
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from sousveil.errors import UnusableInput
from sousveil.residents import PURPOSES, Marks, Residents, populate, some, streets_of, walk
from sousveil.residents._compile import compile_survey
from sousveil.residents._laws import laws
from sousveil.residents._parameters import DETOUR, read_parameters
from sousveil.sources import osm

TOWN = "boston_north_2020-08.osm.pbf"
SHIPPED = Path(__file__).parent.parent / "src" / "sousveil" / "residents" / "san_francisco.toml"


def made(shared_data: Path, *, residents: int, days: int = 7, seed: int = 0) -> Residents:
    path = shared_data / "osm" / TOWN
    source = osm.read(path, source_id="town")
    return populate(
        streets_of(source.streets), source.buildings, osm.read_places(path),
        residents=residents, days=days, seed=seed,
    )  # fmt: skip


@pytest.fixture(scope="module")
def town(shared_data: Path) -> Residents:
    return made(shared_data, residents=3000)


def test_the_shipped_parameters_are_what_the_survey_compiles_to(shared_data: Path) -> None:
    compiled = compile_survey(shared_data / "mobility" / "activitysim_sf")
    assert compiled == SHIPPED.read_text(encoding="utf-8")


def test_there_are_as_many_residents_as_asked_for_in_households_of_the_survey(
    town: Residents,
) -> None:
    people = town.people
    assert people.n == 3000
    assert people.first[-1] == 3000
    sizes = np.diff(people.first)
    parameters = read_parameters()
    weight = parameters.weight / parameters.weight.sum()
    lengths = np.array([len(m) for m in parameters.members])
    expected = (weight * lengths).sum()
    spread = np.sqrt((weight * (lengths - expected) ** 2).sum() / len(sizes))
    assert abs(sizes.mean() - expected) < 4 * spread


def test_homes_are_dwellings_chosen_by_their_floors(town: Residents) -> None:
    homes, weight = town.town.of[0], town.town.weight[0]
    lived = np.bincount(town.people.home, minlength=len(homes))[: len(homes)]
    assert set(town.people.home) <= set(homes)
    large = weight > np.quantile(weight, 0.9)
    share, n = weight[large].sum() / weight.sum(), lived.sum()
    assert abs(lived[large].sum() / n - share) < 4 * np.sqrt(share * (1 - share) / n)


def test_trips_hang_together_and_are_in_order(town: Residents) -> None:
    trips = town.trips
    same = trips.resident[1:] == trips.resident[:-1]
    assert (trips.origin[1:] == trips.destination[:-1])[same].all()
    assert (np.diff(trips.depart_s) >= 0)[same].all()
    first = np.flatnonzero(np.append(True, ~same))
    home = town.people.home[town.people.household]
    assert (trips.origin[first] == home[trips.resident[first]]).all()
    assert (trips.origin != trips.destination).all()


def test_full_time_workers_go_to_work_as_often_as_in_the_survey(town: Residents) -> None:
    trips, people = town.trips, town.people
    workers = np.flatnonzero(people.person_type == 1)
    weekday = trips.depart_s // 86_400 % 7 < 5
    at_work = weekday & (trips.destination == people.work[trips.resident])
    days = {(int(i), int(d)) for i, d in zip(trips.resident[at_work],
            trips.depart_s[at_work] // 86_400, strict=True)}  # fmt: skip
    went = sum(people.person_type[i] == 1 for i, _ in days) / (5 * len(workers))
    # A few do not go after all: the way to school took too long.
    assert went == pytest.approx(read_parameters().rates.work[0], abs=0.02)


def test_the_same_seed_makes_the_same_residents_and_another_seed_others(
    shared_data: Path, town: Residents
) -> None:
    again = made(shared_data, residents=3000)
    for before, after in zip(town.trips, again.trips, strict=True):
        np.testing.assert_array_equal(before, after)
    other = made(shared_data, residents=3000, seed=1)
    assert len(other.trips.depart_s) != len(town.trips.depart_s)


def test_a_longer_simulation_begins_with_the_shorter_one(
    shared_data: Path, town: Residents
) -> None:
    longer = made(shared_data, residents=3000, days=9)
    early = longer.trips.depart_s < 5 * 86_400
    np.testing.assert_array_equal(
        longer.trips.destination[early],
        town.trips.destination[town.trips.depart_s < 5 * 86_400],
    )


def test_some_residents_are_the_first_households(town: Residents) -> None:
    few = some(town, 100)
    assert 100 <= few.people.n < 110
    n = len(few.trips.resident)
    np.testing.assert_array_equal(few.trips.depart_s, town.trips.depart_s[:n])
    assert few.people.first[-1] == few.people.n
    assert some(town, 10_000) is town


def test_ways_are_as_long_as_the_shortest_by_scipy(town: Residents) -> None:
    net = town.town.network
    n = len(net.x_m)
    straight = town._replace(seeming_m=np.tile(net.length_m, (3, 1)))
    passed = walk(some(straight, 300))
    few = some(straight, 300).trips
    # Of parallel edges scipy would add the lengths: keep the shortest.
    order = np.argsort(-net.length_m)
    matrix = np.full((n, n), np.inf)
    a, b = net.ends[order].T
    matrix[a, b] = matrix[b, a] = net.length_m[order]
    row, column = np.nonzero(np.isfinite(matrix))
    graph = coo_array((matrix[row, column], (row, column)), shape=(n, n)).tocsr()
    shortest = dijkstra(graph)
    expected = shortest[town.town.node[few.origin], town.town.node[few.destination]]
    np.testing.assert_allclose(passed.length_m, expected, rtol=1e-4, atol=0.01)


def test_ways_that_seem_short_are_little_longer_than_the_shortest(town: Residents) -> None:
    net = town.town.network
    straight = walk(town._replace(seeming_m=np.tile(net.length_m, (3, 1)))).length_m
    taken = walk(town).length_m
    assert (taken >= straight - 0.1).all()
    assert 1.0 < taken.sum() / straight.sum() < 1.1
    assert read_parameters().rates.scalars[DETOUR] == 0.15


def test_marks_are_passed_once_a_group_at_the_best_and_in_order(town: Residents) -> None:
    few, net = some(town, 200), town.town.network
    draw = np.random.default_rng(0)
    per_edge = draw.poisson(1.0, len(net.ends))
    n = int(per_edge.sum())
    start = np.concatenate([[0], np.cumsum(per_edge)]).astype(np.int32)
    edge = np.repeat(np.arange(len(net.ends)), per_edge)
    marked = Marks(
        start, draw.integers(0, 20, n).astype(np.int32), draw.integers(1, 5, n).astype(np.int8),
        (draw.uniform(size=n) * net.length_m[edge]).astype(np.float32),
    )  # fmt: skip
    every, best = walk(few, marked, every=True), walk(few, marked)
    for t in range(len(few.trips.resident)):
        seen = slice(every.start[t], every.start[t + 1])
        kept = slice(best.start[t], best.start[t + 1])
        ranks: dict[int, int] = {}
        for group, rank in zip(every.group[seen], every.rank[seen], strict=True):
            ranks[group] = max(rank, ranks.get(group, 0))
        assert dict(zip(best.group[kept], best.rank[kept], strict=True)) == ranks
        assert (np.diff(best.at_m[kept]) >= 0).all()
        assert (best.at_m[kept] <= best.length_m[t] + 0.01).all()


def test_those_who_go_together_walk_the_same_way_at_the_same_time(town: Residents) -> None:
    trips, household = town.trips, town.people.household
    shared = np.flatnonzero(trips.together)
    assert len(shared) > 100
    groups: dict[tuple[int, ...], list[int]] = {}
    for t in shared:
        walked = (int(household[trips.resident[t]]), int(trips.depart_s[t]),
                  int(trips.origin[t]), int(trips.destination[t]))  # fmt: skip
        groups.setdefault(walked, []).append(t)
    alone = sum(len(walkers) == 1 for walkers in groups.values())
    assert alone < 0.1 * len(groups)  # whose companion was held up
    assert all(len({int(trips.key[t]) for t in walkers}) == 1 for walkers in groups.values())


def test_figures_are_near_those_of_studies_of_real_people(town: Residents) -> None:
    found = laws(town.town, town.people, town.trips, walk(town), town.days)
    assert 2.3 < found["trips_per_day"] < 3.6  # 3.3 on a weekday in the survey itself
    assert 0.6 < found["at_home"] < 0.85
    assert 0.8 < found["rank_exponent"] < 1.5  # 1.2 (Song et al. 2010)


def test_places_are_what_osmium_finds_by_itself(shared_data: Path) -> None:
    path = shared_data / "osm" / TOWN
    shops = sum(
        "shop" in obj.tags for obj in osmium.FileProcessor(str(path)) if not obj.is_relation()
    )
    tags = osm.read_places(path)["tag"].to_pylist()
    with_shop_first = sum(tag.startswith("shop=") for tag in tags)
    assert 0 < with_shop_first <= shops
    assert with_shop_first + sum(
        "shop" in obj.tags and "amenity" in obj.tags
        for obj in osmium.FileProcessor(str(path))
        if not obj.is_relation()
    ) == shops  # fmt: skip


def test_places_of_an_overpass_answer_lie_in_the_middle_of_their_nodes(tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    elements = [
        {"type": "node", "id": 1, "lat": 1.0, "lon": 2.0, "tags": {"shop": "bakery"}},
        {"type": "node", "id": 2, "lat": 1.0, "lon": 3.0},
        {"type": "way", "id": 3, "nodes": [1, 2], "tags": {"amenity": "school", "shop": "no"}},
        {"type": "way", "id": 4, "nodes": [], "center": {"lat": 5.0, "lon": 6.0},
         "tags": {"office": "company"}},
        {"type": "node", "id": 5, "lat": 7.0, "lon": 8.0, "tags": {"highway": "bus_stop"}},
        {"type": "node", "id": 6, "lat": 7.0, "lon": 8.0, "tags": {"highway": "crossing"}},
        {"type": "way", "id": 7, "nodes": [99], "tags": {"shop": "lost"}},
    ]  # fmt: skip
    file.write_text(json.dumps({"version": 0.6, "elements": elements}))
    rows = [tuple(row.values()) for row in osm.read_places(file).to_pylist()]
    assert rows == [
        ("node/1", "shop=bakery", 2.0, 1.0),
        ("way/3", "amenity=school", 2.5, 1.0),
        ("way/4", "office=company", 6.0, 5.0),
        ("node/5", "highway=bus_stop", 8.0, 7.0),
    ]


def test_every_purpose_is_served_or_residents_leave_the_area(town: Residents) -> None:
    assert not len(town.town.of[PURPOSES.index("school")])  # none in this extract
    pupils = town.people.school[town.people.person_type == 7]
    assert set(pupils) <= set(town.town.of[PURPOSES.index("gate")])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("work = [0.8365", "work = [1.8365"), "day.work: holds a value below 0 or above 1"),
        (("[households]", "[house]"), "lacks households"),
        (("members = [", "members = [9, "), "1 to 8 digits"),
        (("[day]", "[day"), "no valid TOML"),
        (("awake_hours = [7, 23]", "awake_hours = [23, 7]"), "the earlier first"),
    ],
)
def test_parameters_that_cannot_be_used_are_refused_in_one_line(
    tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    file = tmp_path / "mine.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    assert change[0] in text
    file.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(UnusableInput, match=said) as refused:
        read_parameters(file)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_source_without_buildings_or_streets_is_refused(shared_data: Path) -> None:
    source = osm.read(shared_data / "osm" / TOWN, source_id="town")
    with pytest.raises(UnusableInput, match="no streets"):
        streets_of(source.streets.slice(0, 0))
    places = osm.read_places(shared_data / "osm" / TOWN)
    with pytest.raises(UnusableInput, match="no dwellings"):
        populate(streets_of(source.streets), source.buildings.slice(0, 0), places,
                 residents=10, days=1)  # fmt: skip
