"""What a record gives away, against exact cases, brute force, and itself."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sousveil import linking, register, residents
from sousveil.records import RETRACED
from sousveil.residents import Passed, Residents, populate, streets_of, walk
from sousveil.retrace import _measures as m
from sousveil.retrace import _rules, _summary, _trying
from sousveil.retrace._measures import Reach, everything, measure
from sousveil.retrace._network import (
    Cameras,
    all_marks,
    cameras_of,
    in_world,
    levels,
    marks,
    spots,
    watch,
)
from sousveil.retrace._powers import Powers, read_powers
from sousveil.retrace._recording import MISSED, NAMED, SEEN, Record, record
from sousveil.retrace._ties import ties
from sousveil.sources import download, osm
from tests import stand_in

HOUR = 3600
retrace = importlib.import_module("sousveil.retrace")  # the package has the function by that name


class Scene:
    """Residents of the Helsinki sample, and its cameras by the stand-in for coverage."""

    def __init__(self) -> None:
        path = download.sample()
        source = osm.read(path, source_id="helsinki")
        self.net = streets_of(source.streets)
        self.residents = populate(
            self.net, source.buildings, osm.read_places(path), residents=1500, days=7, seed=3
        )
        seen = source.observations
        table = register.build(seen, linking.by_identity(seen)).cameras
        known = cameras_of(table, self.net)
        self.cameras = known._replace(sees_faces=np.ones(table.num_rows, bool))
        at = spots(self.net)
        self.watch = watch(
            self.net, self.cameras, at, stand_in.seen_at(table, source.buildings, at.lon, at.lat)
        )
        self.ranges = read_powers()
        self.passed = self.world(0)

    def world(self, number: int) -> Passed:
        level = levels(self.watch, seed=0, world=number)
        return walk(self.residents, marks(self.watch, self.net, level))

    def record(self, powers: Powers) -> Record:
        return record(self.residents, self.passed, self.cameras, self.watch.attends, powers,
                      seed=0, world=0)  # fmt: skip

    def shares(self, powers: Powers, reach: Reach | None = None) -> dict[str, float]:
        held = self.record(powers)
        reach = reach or everything(self.cameras)
        found = measure(self.residents, self.passed, held, self.cameras, reach, powers)
        return {name: float(np.nanmean(v)) for name, v in _rules.shares(found).items()}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def sure(scene: Scene, recognised: float, **others: float) -> Powers:
    return scene.ranges.middle._replace(
        recognised=np.full(4, recognised), at_night=1.0, false_match=0.0, **others
    )


# --- the network of cameras


def test_a_camera_sees_each_place_in_as_many_worlds_as_it_should(scene: Scene) -> None:
    seen = np.mean([levels(scene.watch, seed=0, world=w) > 0 for w in range(600)], axis=0)
    assert seen.mean() == pytest.approx(0.33, abs=0.01)
    # Of each single place, within four standard errors.
    assert np.abs(seen - 0.33).max() < 4.2 * np.sqrt(0.33 * 0.67 / 600)


def test_a_camera_of_unknown_direction_sees_one_sector_and_not_a_patchwork(scene: Scene) -> None:
    camera = np.bincount(scene.watch.camera).argmax()
    rows = np.flatnonzero(scene.watch.camera == camera)
    rows = rows[np.argsort(scene.watch.angle[rows])]
    for world in range(20):
        seen = levels(scene.watch, seed=0, world=world)[rows] > 0
        assert (seen != np.roll(seen, 1)).sum() <= 2


def test_two_ways_of_passing_a_world_agree(scene: Scene) -> None:
    every = walk(scene.residents, all_marks(scene.watch, scene.net), every=True)
    there = in_world(every, scene.watch, levels(scene.watch, seed=0, world=5))
    direct = scene.world(5)
    np.testing.assert_array_equal(there.start, direct.start)
    for t in range(0, len(there.start) - 1, 7):
        row = slice(there.start[t], there.start[t + 1])
        assert dict(zip(there.group[row], there.rank[row], strict=True)) == dict(
            zip(direct.group[row], direct.rank[row], strict=True)
        )
        assert (np.diff(there.at_m[row]) >= 0).all()


# --- the record


def test_perfect_recognition_names_every_passage_and_none_names_nobody(scene: Scene) -> None:
    assert (scene.record(sure(scene, 1.0)).state == NAMED).all()
    assert (scene.record(sure(scene, 0.0)).state == SEEN).all()


def test_passages_are_named_as_often_as_the_powers_say(scene: Scene) -> None:
    powers = scene.ranges.middle
    held = scene.record(powers)
    clock = held.time_s % 86_400
    dark = (clock >= 20 * HOUR) | (clock < 6 * HOUR)
    for level, chance in enumerate(powers.recognised, start=1):
        for night, factor in ((False, 1.0), (True, powers.at_night)):
            rows = (held.level == level) & (dark == night)
            expected, n = chance * factor, int(rows.sum())
            assert n > 300
            spread = np.sqrt(max(expected * (1 - expected), 1e-9) / n)
            assert abs((held.state[rows] == NAMED).mean() - expected) < 4 * spread


def test_wrong_names_are_as_many_as_the_powers_say_and_hit_anybody(scene: Scene) -> None:
    powers = sure(scene, 0.0)._replace(false_match=0.05)
    held = scene.record(powers)
    eligible = int((held.level >= 3).sum())
    n = len(held.wrong_camera)
    assert abs(n - 0.05 * eligible) < 4 * np.sqrt(0.05 * eligible)
    victims = np.repeat(np.arange(scene.residents.people.n), np.diff(held.wrong_start))
    half = scene.residents.people.n // 2
    assert abs((victims < half).mean() - 0.5) < 4 * 0.5 / np.sqrt(n)


def test_a_camera_that_turns_sees_as_many_as_it_attends_to(scene: Scene) -> None:
    attends = np.tile([0.5, 0.5, 0.25, 0.25], (len(scene.cameras.camera_id), 1))
    held = record(scene.residents, scene.passed, scene.cameras, attends, sure(scene, 1.0),
                  seed=0, world=0)  # fmt: skip
    high = scene.passed.rank >= 3
    assert (held.state == MISSED)[high].mean() == pytest.approx(0.5, abs=0.03)
    assert (held.level[high] >= 3).mean() == pytest.approx(0.25, abs=0.03)
    assert (held.level <= scene.passed.rank).all()


def test_nothing_is_recorded_out_of_hours(scene: Scene) -> None:
    held = scene.record(sure(scene, 1.0)._replace(recorded_hours=(7.0, 19.0)))
    clock = held.time_s % 86_400
    by_day = (clock >= 7 * HOUR) & (clock < 19 * HOUR)
    assert (held.state[by_day] == NAMED).all()
    assert (held.state[~by_day] == MISSED).all()
    assert 0 < by_day.sum() < len(by_day)


def test_plate_readers_name_nobody_who_walks(scene: Scene) -> None:
    blind = scene.cameras._replace(sees_faces=np.zeros(len(scene.cameras.camera_id), bool))
    held = record(scene.residents, scene.passed, blind, scene.watch.attends, sure(scene, 1.0),
                  seed=0, world=0)  # fmt: skip
    assert (held.state == SEEN).all()


# --- what it gives away: one resident, two days, worked out by hand


@pytest.fixture
def one(scene: Scene) -> tuple[Residents, Passed, Cameras]:
    """One worker who walks 1,000 m at 1 m/s to work at 8:00 and home at 16:00, on two days.

    Camera 0 stands at home, 1 half way, 2 at work.
    """
    full = scene.residents
    town = full.town._replace(
        x_m=np.array([0.0, 1000.0]), y_m=np.zeros(2), node=np.zeros(2, np.int32),
        of=[np.array([0], np.int32), np.array([1], np.int32), *[np.empty(0, np.int32)] * 7],
    )  # fmt: skip
    people = full.people._replace(
        first=np.array([0, 1], np.int32), home=np.array([0], np.int32),
        household=np.zeros(1, np.int32), person_type=np.ones(1, np.int8),
        work=np.array([1], np.int32), school=np.full(1, -1, np.int32),
        speed_m_s=np.ones(1, np.float32),
    )  # fmt: skip
    depart = [8 * HOUR, 16 * HOUR, 32 * HOUR, 40 * HOUR]
    trips = full.trips._replace(
        resident=np.zeros(4, np.int32), origin=np.array([0, 1, 0, 1], np.int32),
        destination=np.array([1, 0, 1, 0], np.int32), depart_s=np.array(depart, np.int32),
        purpose=np.array([1, 0, 1, 0], np.int8), key=np.zeros(4, np.uint32),
        together=np.zeros(4, bool),
    )  # fmt: skip
    cameras = Cameras(
        np.array(["a", "b", "c"], object), np.array([10.0, 500.0, 990.0]), np.zeros(3),
        np.ones(3, np.int8), np.arange(3, dtype=np.int32), np.full(3, np.nan), np.ones(3, bool),
        np.zeros(3, bool),
    )  # fmt: skip
    out, back = [10.0, 500.0, 990.0], [10.0, 500.0, 990.0]
    passed = Passed(
        np.arange(0, 13, 3), np.array([0, 1, 2, 2, 1, 0] * 2, np.int32), np.full(12, 4, np.int8),
        np.array((out + back) * 2, np.float32), np.full(4, 1000.0, np.float32),
    )  # fmt: skip
    return full._replace(town=town, people=people, trips=trips, days=2), passed, cameras


def measured(
    one: tuple[Residents, Passed, Cameras], powers: Powers, reach: Reach | None = None
) -> dict[str, float]:
    who, passed, cameras = one
    held = record(who, passed, cameras, np.ones((3, 4)), powers, seed=0, world=0)
    reach = reach or everything(cameras)
    row = measure(who, passed, held, cameras, reach, powers)[0]
    return dict(zip(m.COLUMNS, row.tolist(), strict=True))


def test_all_is_given_away_by_perfect_cameras(
    scene: Scene, one: tuple[Residents, Passed, Cameras]
) -> None:
    found = measured(one, sure(scene, 1.0))
    assert found["trips"] == found["trips_seen"] == found["trips_named"] == 4
    assert found["places"] == found["places_retraced"] == 1
    assert found["home_found"] == found["works"] == found["work_found"] == 1
    assert found["days_named"] == 2
    assert found["passages"] == found["passages_named"] == 12
    # Awake at home from 7 to 8 and from 16:16:40 to 23, out of it in between; walking 1,000 s.
    evening, walked = 23 * HOUR - (16 * HOUR + 1000), 4 * 1000
    at_work = 2 * (8 * HOUR - 1000)
    assert found["waking_s"] == 2 * HOUR + 2 * evening + walked + at_work
    # All but the first morning and the last evening, and of each walk the middle 980 s.
    assert found["waking_retraced_s"] == at_work + evening + HOUR + 4 * 980


def test_a_camera_half_way_gives_away_the_trip_and_nothing_else(
    scene: Scene, one: tuple[Residents, Passed, Cameras]
) -> None:
    half_way = Reach(np.array([False, True, False]), np.zeros(3, np.int32))
    found = measured(one, sure(scene, 1.0), half_way)
    assert found["trips_named"] == 4
    assert found["places_retraced"] == found["waking_retraced_s"] == 0
    assert found["home_found"] == found["work_found"] == 0


def test_what_is_deleted_gives_nothing_away(
    scene: Scene, one: tuple[Residents, Passed, Cameras]
) -> None:
    _, _, cameras = one
    since = _rules.since_s(cameras, 2, 1.0)
    assert list(since) == [86_400] * 3
    found = measured(one, sure(scene, 1.0), Reach(np.ones(3, bool), since))
    assert found["trips"] == 4
    assert found["trips_seen"] == found["trips_named"] == 2
    assert found["days_named"] == 1


def test_who_is_not_named_is_seen_all_the_same(
    scene: Scene, one: tuple[Residents, Passed, Cameras]
) -> None:
    found = measured(one, sure(scene, 0.0))
    assert found["trips_seen"] == 4
    assert found["trips_named"] == found["places_retraced"] == found["home_found"] == 0


# --- the rules


def test_more_power_never_gives_away_less(scene: Scene) -> None:
    low, middle, high = (scene.shares(one._replace(false_match=0.0)) for one in scene.ranges)
    for name in ("trips_named", "places_retraced", "time_retraced"):
        assert low[name] <= middle[name] <= high[name]
        assert low[name] < high[name]
    assert low["trips_seen"] == middle["trips_seen"] == high["trips_seen"]


def test_fewer_cameras_shorter_retention_and_higher_levels_give_away_less(scene: Scene) -> None:
    powers, n = sure(scene, 0.5), len(scene.cameras.camera_id)
    all_time = np.zeros(n, np.int32)
    now = scene.shares(powers)
    half = Reach(np.arange(n) % 2 == 0, all_time)
    short = Reach(np.ones(n, bool), _rules.since_s(scene.cameras, 7, 3.0))
    sharp = Reach(np.ones(n, bool), all_time, 3)
    for less in (half, short, sharp):
        then = scene.shares(powers, less)
        for name in ("trips_seen", "trips_named", "places_retraced", "time_retraced"):
            assert then[name] < now[name]


def worlds(scene: Scene, draws: int, n: int = 150) -> Iterator[_rules.World]:
    few = residents.some(scene.residents, n)
    return _rules.worlds(few, scene.watch, scene.cameras, scene.ranges, draws=draws, seed=0)


def table_of(scene: Scene, draws: int) -> tuple[list[str], Any]:
    few = residents.some(scene.residents, 150)
    rules = _rules.rules(few, scene.cameras, scene.ranges, scene.watch)
    rows = [
        [_rules.means(_rules.tried(few, world, rule, scene.watch, 0).values) for rule in rules]
        for world in worlds(scene, draws)
    ]
    return [rule.name for rule in rules], np.array(rows)


@pytest.fixture(scope="module")
def tried(scene: Scene) -> tuple[list[str], Any]:
    return table_of(scene, 140)


def test_rules_do_in_every_world_what_they_say(tried: tuple[list[str], Any]) -> None:
    names, table = tried
    named = table[:, :, list(_rules.MEASURES).index("trips_named")]
    now = named[:, names.index("as_it_is")]
    assert (now > 0).all()
    assert (named[:, names.index("no_recognition")] == 0).all()
    for less in (
        "retention_3", "public_only", "each_alone", "no_school", "no_school_way", "half"
    ):  # fmt: skip
        assert (named[:, names.index(less)] <= now).all()
    # A week that ends today is in no need of a month.
    for same in ("retention_30", "retention_90"):
        assert (named[:, names.index(same)] == now).all()
    held = table[:, :, -1]
    longer = held[:, names.index("retention_90")] / held[:, names.index("retention_30")]
    assert longer == pytest.approx(3.0)


def test_no_camera_is_left_on_a_way_to_school(scene: Scene) -> None:
    few = residents.some(scene.residents, 150)
    to_school = few.trips.purpose == residents.PURPOSES.index("school")
    assert to_school.any()
    for world in worlds(scene, 3):
        gone = _rules.on_school_ways(few, world)
        for trip in range(len(to_school)):
            passed = world.passed.group[world.passed.start[trip] : world.passed.start[trip + 1]]
            if to_school[trip]:
                assert gone[passed].all()
        expected = {
            int(c)
            for trip in np.flatnonzero(to_school)
            for c in world.passed.group[world.passed.start[trip] : world.passed.start[trip + 1]]
        }
        assert set(np.flatnonzero(gone).tolist()) == expected


def test_planned_cameras_add_to_what_is_there(scene: Scene) -> None:
    few, n = residents.some(scene.residents, 150), len(scene.cameras.camera_id)
    cameras = scene.cameras._replace(planned=np.arange(n) >= n // 2)
    rules = {r.name: r for r in _rules.rules(few, cameras, scene.ranges, scene.watch)}
    drawn = _rules.worlds(few, scene.watch, cameras, scene.ranges, draws=4, seed=0)
    for world in drawn:
        now, then = (
            _rules.means(_rules.tried(few, world, rules[name], scene.watch, 0).values)[0]
            for name in ("as_it_is", "planned")
        )
        assert then > now > 0


def test_common_random_numbers_make_the_difference_sharper(tried: tuple[list[str], Any]) -> None:
    names, table = tried
    seen = table[:, :, 0]
    now, half = seen[:, names.index("as_it_is")], seen[:, names.index("retention_3")]
    independent = np.var(now) + np.var(half)
    assert np.var(now - half) < 0.5 * independent


def test_the_interval_covers_a_new_world(tried: tuple[list[str], Any]) -> None:
    # Of 20 draws the 2.5 and 97.5 percentiles lie just inside the extremes, which hold a further
    # draw with probability 19/21: so many of the worlds left over must lie inside.
    _, table = tried
    values = table[:, 0, list(_rules.MEASURES).index("trips_named")]
    inside, tried_worlds = 0, 0
    draw = np.random.default_rng(0)
    for _ in range(200):
        chosen = draw.permutation(len(values))
        low, high = _summary.interval(values[chosen[:24]])
        assert low is not None
        assert high is not None
        rest = values[chosen[24:]]
        inside += int(((rest >= low) & (rest <= high)).sum())
        tried_worlds += len(rest)
    assert 0.85 < inside / tried_worlds < 0.95


def test_the_interval_covers_what_is_true_of_other_residents() -> None:
    # Households of one to four. Homes are found by household, 4 in 100; work is measured of one
    # person in 12; shares of trips differ between households and within them. 24 draws as above.
    draw = np.random.default_rng(1)
    names = [*_rules.MEASURES, _rules.DAYS_HELD]
    truth = {"trips_named": 0.2, "home_found": 0.04, "work_found": 0.05}
    inside = dict.fromkeys(truth, 0)
    times = 150
    for _ in range(times):
        household = np.repeat(np.arange(300), draw.integers(1, 5, 300))
        n = len(household)
        values = np.ones((n, len(names)))
        habit = draw.beta(2, 8, 300)[household]
        values[:, names.index("trips_named")] = draw.binomial(20, habit) / 20
        values[:, names.index("home_found")] = (draw.uniform(size=300) < 0.04)[household]
        works = draw.uniform(size=n) < 1 / 12
        values[:, names.index("work_found")] = np.where(works, draw.uniform(size=n) < 0.05, np.nan)
        drawn = np.array(
            [_trying.of_others(values, household, draw.uniform(size=len(names))) for _ in range(24)]
        )
        for name, true in truth.items():
            low, high = _summary.interval(drawn[:, names.index(name)])
            assert low is not None
            assert high is not None
            inside[name] += low <= true <= high
    assert all(0.84 < covered / times <= 0.99 for covered in inside.values()), inside


def test_the_interval_of_ties_holds_its_share_and_the_truth(scene: Scene) -> None:
    # Pairs are found by household: 80 of them, of which 5 in 100 are. Each world sees the same.
    draw = np.random.default_rng(2)
    inside, times = 0, 300
    for seed in range(times):
        share = draw.binomial(80, 0.05) / 80
        u = _trying.evenly(24, 1, seed)[:, 0]
        drawn = np.array([_trying.share_of_others(share, 80, one) for one in u])
        low, high = _summary.interval(drawn)
        assert low is not None
        assert high is not None
        inside += low <= 0.05 <= high
    assert 0.9 < inside / times <= 0.99
    # As a run has it: few of few pairs.
    few = residents.some(scene.residents, 150)
    drawn_by = _trying.Drawn(few, scene.cameras, scene.watch, scene.ranges, 8, 0)
    middle = scene.ranges.middle
    passed = walk(few, marks(scene.watch, scene.net, levels(scene.watch, seed=0, world=0)))
    held = record(few, passed, scene.cameras, scene.watch.attends, middle, seed=0, world=0)
    world = _rules.World(0, passed, scene.cameras, middle, held)
    found = _trying.attempt(drawn_by, world, which="all", progress=lambda _: None)
    for row in found.singled_out:
        share, low = row["ties_recall_of_met"], row["ties_recall_of_met_low"]
        assert low <= share <= row["ties_recall_of_met_high"], row
        if row.get("rule") == "as_it_is":
            assert low < share
    met = _summary.met(few)
    assert met.households < met.pairs


def test_draws_reach_evenly_from_0_to_1() -> None:
    u = _trying.evenly(10, 3, 0)
    np.testing.assert_array_equal(
        np.sort((u * 10).astype(int), axis=0), np.arange(10)[:, None] * np.ones((1, 3))
    )
    assert (u == _trying.evenly(10, 3, 0)).all()
    assert not (u[:, 0] == u[:, 1]).any()


def test_the_middle_of_draws_covers_what_it_says() -> None:
    draw = np.random.default_rng(4).uniform(size=(4000, 25))
    for n in (4, 24):
        low, high = np.percentile(draw[:, :n], [2.5, 97.5], axis=1)
        share = ((low <= draw[:, -1]) & (draw[:, -1] <= high)).mean()
        assert share == pytest.approx(_summary.covers(n), abs=4 * 0.5 / 4000**0.5)


def test_nobody_named_is_no_matter_of_chance() -> None:
    values = np.zeros((40, len(_rules.MEASURES) + 1))
    drawn = _trying.of_others(values, np.arange(40), np.full(values.shape[1], 0.99))
    assert (drawn == 0).all()


def test_who_is_alone_among_few_tells_who_is_among_many(scene: Scene) -> None:
    # In each world all 900 residents are looked at, against what 300 of them tell and one world. A
    # tenth of the cameras, so that not everybody is alone anyway.
    there = np.arange(len(scene.cameras.camera_id)) % 10 == 0
    reach = everything(scene.cameras)._replace(on=there)

    def alone(many: int) -> Any:
        who = residents.some(scene.residents, many)
        n = who.people.n
        return np.array(
            [
                _summary.unique_by_day(
                    _summary.points(n, _summary.named(who, world.held, reach)), who.days
                )
                for world in worlds(scene, 8, n)
            ]
        )

    true, told = alone(900), alone(300)
    carried = _trying.carried_over(told[1:], told[0], true[0])
    assert np.ptp(true[1:, -1]) > 0.2
    assert np.abs(carried - true[1:]).mean() < 0.5 * np.abs(told - true)[1:].mean()
    assert np.abs(carried - true[1:]).max() < 0.1


@pytest.mark.parametrize(
    ("hits", "tries", "low", "high"),
    # Of all or none the exact bounds are powers; 4 of 20 is from Clopper & Pearson's own method
    # as R's binom.test(4, 20) prints it.
    [(22, 22, 0.025 ** (1 / 22), 1.0), (0, 9, 0.0, 1 - 0.025 ** (1 / 9)), (4, 20, 0.0573, 0.4366)],
)
def test_shares_of_few_have_exact_intervals(hits: int, tries: int, low: float, high: float) -> None:
    assert _summary.binomial(hits, tries) == pytest.approx((low, high), abs=1e-4)
    assert _summary.binomial(0, 0) == (None, None)


def test_unknown_operators_may_be_anybody_and_known_ones_stay(scene: Scene) -> None:
    n = 3000
    owner = np.array([1] * 20 + [0] * 80 + [-1] * (n - 100), np.int8)
    cameras = scene.cameras._replace(owner=owner)
    drawn = [_rules.owners(cameras, np.random.default_rng(i)) for i in range(300)]
    assert all((one[:100] == owner[:100]).all() for one in drawn)
    shares = np.array([(one[100:] == 1).mean() for one in drawn])
    quarters = np.histogram(shares, np.linspace(0, 1, 5))[0]
    assert np.abs(quarters - 75).max() < 4 * np.sqrt(300 * 0.25 * 0.75)


# --- ties


def test_planted_pairs_are_found_and_strangers_are_not(scene: Scene) -> None:
    people = scene.residents.people
    pair = int(np.flatnonzero(np.diff(people.first) >= 2)[0])
    a, b = people.first[pair], people.first[pair] + 1
    stranger = int(people.first[pair + 5])
    times = np.array([0, 5000, 12_000, 90_000])
    who = np.array([a] * 4 + [b] * 4 + [stranger] * 2)
    camera = np.array([0, 1, 0, 1] * 2 + [0, 1], np.int32)
    when = np.concatenate([times, times + 10, times[:2] + 3]).astype(np.int32)
    rule = {"together_s": 15.0, "meetings": 3, "places": 2}
    found = ties(people, np.array([a]), who, camera, when, 1, **rule)  # type: ignore[arg-type]
    assert (found.suggested, found.right) == (1, 1)
    apart = np.concatenate([times, times + 16, times[:2] + 3]).astype(np.int32)
    assert ties(people, np.array([a]), who, camera, apart, 1, **rule).suggested == 0  # type: ignore[arg-type]
    one_place = np.zeros(10, np.int32)
    assert ties(people, np.array([a]), who, one_place, when, 1, **rule).suggested == 0  # type: ignore[arg-type]


def test_who_walks_together_past_cameras_that_follow_everybody_is_tied(scene: Scene) -> None:
    held = scene.record(sure(scene, 1.0))
    passages = _summary.followed(scene.residents, held, everything(scene.cameras))
    found = _summary.household_ties(
        scene.residents, passages, scene.ranges.middle, _summary.met(scene.residents), 2000
    )
    assert found["met_pairs"] > 100
    assert found["suggested"] > 20
    assert found["precision"] > 0.5


# --- the charter


def test_nothing_takes_a_track_or_a_person(scene: Scene) -> None:
    """The public functions take a place, numbers and files of rates: no table of anybody."""
    asked = {
        "retrace": set(inspect.signature(retrace.retrace).parameters),
        "populate": set(inspect.signature(residents.populate).parameters),
    }
    assert asked["retrace"] == {
        "source", "residents", "days", "cameras", "planned", "parameters", "powers", "what_if",
        "draws", "seed", "progress", "on_download",
    }  # fmt: skip
    assert asked["populate"] == {
        "net", "buildings", "places", "residents", "days", "seed", "parameters"
    }  # fmt: skip
    for module in (retrace, residents):
        public = [
            value
            for name, value in vars(module).items()
            if not name.startswith("_")
            and inspect.isfunction(value)
            and value.__module__ == module.__name__
        ]
        for function in public:
            for name in inspect.signature(function).parameters:
                assert name not in {"track", "gpx", "trace", "people", "persons", "path", "points"}
    assert not {"name", "lon", "lat", "geometry", "home"} & set(RETRACED.names)
    # A resident's number is its place in the run and nothing else.
    assert (np.diff(scene.residents.trips.resident) >= 0).all()
