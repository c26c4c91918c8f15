"""Rules for a network of cameras, run against each other in the same worlds.

A world is one draw of all that is not known: which way cameras look, who runs those without a known
operator, how well faces are recognised. All rules see the same residents, ways and chances in each
world, so that the difference between two of them is theirs alone (common random numbers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from sousveil.residents import DAY_S, PURPOSES, Passed, Residents, walk
from sousveil.retrace import _measures as m
from sousveil.retrace._measures import Reach, measure
from sousveil.retrace._network import (
    PRIVATE,
    PUBLIC,
    UNKNOWN,
    Bools,
    Cameras,
    Floats,
    Watch,
    all_marks,
    in_world,
    levels,
)
from sousveil.retrace._powers import Powers, Ranges
from sousveil.retrace._recording import NAMED, Record, record

MEASURES: Final = {
    "trips_seen": "trips that a camera sees any part of",
    "trips_named": "trips to which a camera puts the name",
    "places_retraced": "places visited that the record gives away",
    "time_retraced": "waking time in the area that the record accounts for",
    "home_found": "residents whose home the record gives away",
    "work_found": "of those who work in the area, whose work it gives away",
}
"""Shares that are measured, and what they are of."""

DAYS_HELD: Final = "days_held"
"""Measured for rules besides: days of a resident's life that the record holds a name from, at any
moment, if weeks go on as this one (so that retention longer than the simulation counts too)."""

SCHOOL_M: Final = 100.0
_SCHOOL: Final = PURPOSES.index("school")


class World(NamedTuple):
    """One draw of what is not known, as far as residents pass it."""

    number: int
    passed: Passed
    cameras: Cameras  # with an owner for each
    powers: Powers
    held: Record


class Rule(NamedTuple):
    """A rule by its name, what it says, and which record is left in a world."""

    name: str
    text: str
    reach: Callable[[World], Reach]
    powers: Callable[[World], Powers] | None = None  # where recognition itself is another
    retention_days: float | None = None  # where it is not the usual one


def worlds(
    residents: Residents, watch: Watch, cameras: Cameras, ranges: Ranges, *, draws: int, seed: int
) -> Iterator[World]:
    """Yield draws of what is not known, recognition anywhere between low and high."""
    passed = walk(residents, all_marks(watch, residents.town.network), every=True)
    for number in range(1, draws + 1):
        draw = np.random.default_rng([seed, 3, number])
        there = in_world(passed, watch, levels(watch, seed=seed, world=number))
        powers = ranges.between(float(draw.uniform()))
        yield World(
            number,
            there,
            cameras._replace(owner=owners(cameras, draw)),
            powers,
            record(residents, there, cameras, watch.attends, powers, seed=seed, world=number),
        )


def owners(cameras: Cameras, draw: np.random.Generator | None) -> npt.NDArray[np.int8]:
    """Return who runs each camera; None: half of those without a known operator are public.

    The share of public ones among the unknown is drawn evenly between none and all: those who are
    known are no sample of the others, since it is the sign on the wall that makes them known.
    """
    n = len(cameras.owner)
    chance = 0.5 if draw is None else float(draw.uniform())
    u = (draw or np.random.default_rng(0)).uniform(size=n)
    drawn = np.where(u < chance, PUBLIC, PRIVATE)
    return np.where(cameras.owner == UNKNOWN, drawn, cameras.owner).astype(np.int8)


def since_s(cameras: Cameras, days: int, retention_days: float, *, stated: bool = True) -> Any:
    """Return by camera from when on recordings are left at the end of so many days."""
    kept = np.full(len(cameras.camera_id), retention_days)
    if stated:
        kept = np.where(np.isnan(cameras.retention_days), kept, cameras.retention_days)
    return np.maximum(days * DAY_S - kept * DAY_S, 0).astype(np.int32)


def rules(residents: Residents, cameras: Cameras, ranges: Ranges, watch: Watch) -> list[Rule]:
    """Return the rules to compare, the first what stands now.

    Planned cameras have a part in the rule "planned" alone, which is last.
    """
    days = residents.days
    usual = since_s(cameras, days, ranges.middle.retention_days)
    there = ~cameras.planned
    schools = ~near_schools(residents, watch)

    def on(chosen: Bools) -> Callable[[World], Reach]:
        return lambda world: Reach(chosen, usual)

    def kept(retention_days: float) -> Callable[[World], Reach]:
        since = since_s(cameras, days, retention_days, stated=False)
        return lambda world: Reach(there, since)

    found = [
        Rule("as_it_is", "all recordings are searched together", on(there)),
        *(
            Rule(f"retention_{d}", f"recordings are deleted after {d} days", kept(d), None, d)
            for d in (3, 30, 90)
        ),
        Rule(
            "public_only",
            "private operators share nothing; public bodies search their own",
            lambda world: Reach(there & (world.cameras.owner == PUBLIC), usual),
        ),
        Rule(
            "each_alone",
            "nobody shares; what the best placed operator alone holds",
            lambda world: Reach(there & _best_placed(world), usual),
        ),
        Rule(
            "no_recognition",
            "faces are not searched",
            on(there),
            lambda world: world.powers._replace(recognised=np.zeros(4), false_match=0.0),
        ),
        Rule(
            "no_school", f"no camera looks within {SCHOOL_M:.0f} m of a school", on(there & schools)
        ),
        Rule(
            "no_school_way",
            "no camera looks at a street on which a resident walks to school",
            lambda world: Reach(there & ~on_school_ways(residents, world), usual),
        ),
        Rule(
            "half", "half of the cameras, taken at random", lambda w: Reach(there & _half(w), usual)
        ),
    ]
    if cameras.planned.any():
        n = int(cameras.planned.sum())
        every = np.ones(len(there), bool)
        found.append(Rule("planned", f"the {n} planned cameras are added", on(every)))
    return found


def near_schools(residents: Residents, watch: Watch) -> Bools:
    """Return the cameras that watch a place within SCHOOL_M of a school, as the crow flies."""
    town, net = residents.town, residents.town.network
    near = np.zeros(len(watch.attends), bool)
    schools = town.of[_SCHOOL]
    if len(schools) and len(watch.edge):
        tree = cKDTree(np.column_stack([town.x_m[schools], town.y_m[schools]]))
        t = (watch.at_m / net.length_m[watch.edge])[:, None]
        ends = net.ends[watch.edge]
        nodes = np.column_stack([net.x_m, net.y_m])
        away_m, _ = tree.query(nodes[ends[:, 0]] * (1 - t) + nodes[ends[:, 1]] * t)
        near[watch.camera[away_m <= SCHOOL_M]] = True
    return near


def on_school_ways(residents: Residents, world: World) -> Bools:
    """Return the cameras that some resident passes on a way to school."""
    passed = world.passed
    to_school = np.repeat(residents.trips.purpose == _SCHOOL, np.diff(passed.start))
    found = np.zeros(len(world.cameras.camera_id), bool)
    found[passed.group[to_school]] = True
    return found


def _best_placed(world: World) -> Bools:
    """Return the cameras of the operator whose standing ones name the most passages."""
    operator, there = world.cameras.operator, ~world.cameras.planned
    named = world.held.camera[world.held.state == NAMED]
    by_operator = np.bincount(operator[named[there[named]]], minlength=operator.max(initial=0) + 1)
    has_any = np.bincount(operator[there], minlength=len(by_operator)) > 0
    return np.asarray(operator == np.where(has_any, by_operator, -1).argmax())


def _half(world: World) -> Bools:
    return kept_share(world, 0.5)


def kept_share(world: World, part: float) -> Bools:
    """Return a share of the cameras that stand, the same ones and more as the share grows."""
    there = ~world.cameras.planned
    n = int(there.sum())
    rank = np.random.default_rng([81, world.number]).permutation(n)
    kept = np.zeros(len(there), bool)
    kept[there] = rank < round(part * n)
    return kept


def shares(measured: npt.NDArray[np.float32]) -> dict[str, Floats]:
    """Return the MEASURES of each resident, NaN where a resident has nothing to measure."""
    table = measured.astype(np.float64)

    def ratio(part: int, whole: int) -> Floats:
        out = np.full(len(table), np.nan)
        np.divide(table[:, part], table[:, whole], out=out, where=table[:, whole] > 0)
        return out

    works = table[:, m.WORKS] > 0
    return {
        "trips_seen": ratio(m.TRIPS_SEEN, m.TRIPS),
        "trips_named": ratio(m.TRIPS_NAMED, m.TRIPS),
        "places_retraced": ratio(m.PLACES_RETRACED, m.PLACES),
        "time_retraced": ratio(m.WAKING_RETRACED, m.WAKING),
        "home_found": table[:, m.HOME_FOUND],
        "work_found": np.where(works, table[:, m.WORK_FOUND], np.nan),
    }


class Outcome(NamedTuple):
    """What a rule leaves in a world."""

    values: Floats  # by resident: MEASURES and DAYS_HELD, NaN where there is nothing to measure
    powers: Powers
    held: Record
    reach: Reach


def tried(residents: Residents, world: World, rule: Rule, watch: Watch, seed: int) -> Outcome:
    """Return what a rule leaves of the record in one world, and what that gives away."""
    powers, held = recorded(residents, world, rule, watch, seed)
    reach = rule.reach(world)
    measured = measure(residents, world.passed, held, world.cameras, reach, powers)
    kept = rule.retention_days or powers.retention_days
    days = measured[:, m.DAYS_NAMED] / min(kept, residents.days) * kept
    values = np.column_stack([*shares(measured).values(), days])
    return Outcome(values, powers, held, reach)


def means(values: Floats) -> Floats:
    """Return the mean of each column over those who have something to measure."""
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def recorded(
    residents: Residents, world: World, rule: Rule, watch: Watch, seed: int
) -> tuple[Powers, Record]:
    """Return the powers of a rule in a world, and the record that they make."""
    if rule.powers is None:
        return world.powers, world.held
    powers = rule.powers(world)
    held = record(residents, world.passed, world.cameras, watch.attends, powers,
                  seed=seed, world=world.number)  # fmt: skip
    return powers, held


def curves(cameras: Cameras, days: int, ranges: Ranges) -> list[tuple[str, str, Rule]]:
    """Return rules that change one thing step by step: (what, value, rule)."""
    usual = since_s(cameras, days, ranges.middle.retention_days)
    there = ~cameras.planned
    return [
        *(("cameras", f"{part:g}", _step(_thinned(there, part, usual))) for part in _PARTS),
        *(("level", str(k), _step(_always(Reach(there, usual, k)))) for k in range(1, 5)),
        *(
            ("recognition", name, _step(_always(Reach(there, usual)), _always(powers)))
            for name, powers in ranges._asdict().items()
        ),
        *(
            ("retention_days", str(kept), _step(_always(Reach(there, since))))
            for kept in (1, 2, 3, 5, 7)
            for since in [since_s(cameras, days, kept, stated=False)]
        ),
    ]


_PARTS: Final = (0.1, 0.25, 0.5, 0.75, 1.0)
_T = TypeVar("_T")


def _step(reach: Callable[[World], Reach], powers: Callable[[World], Powers] | None = None) -> Rule:
    return Rule("", "", reach, powers)


def _always(value: _T) -> Callable[[World], _T]:
    return lambda _: value


def _thinned(there: Bools, part: float, usual: Any) -> Callable[[World], Reach]:
    return lambda world: Reach(there & kept_share(world, part), usual)
