"""Rules and step-by-step changes tried in drawn worlds: what is left of each figure, with interval.

A figure differs between worlds, by what is not known of cameras, and between residents, by who
happens to live there. Its interval holds both: in each world the mean is drawn as it would be for
as many other households of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri

from sousveil.residents import Residents, some
from sousveil.retrace import _rules, _summary
from sousveil.retrace._network import Cameras, Watch
from sousveil.retrace._powers import Ranges

Floats = npt.NDArray[np.float64]

SAMPLE: Final = 1000
"""Residents, about, whom all rules and all draws of what is not known are tried on."""

Which = Literal["now", "planned", "all"]
"""What is tried: nothing, planned cameras alone, or all rules and steps."""

_FOUND: Final = ("home_found", "work_found")


@dataclass(frozen=True)
class Drawn:
    """Residents and cameras, and how what is not known of them is drawn."""

    residents: Residents
    cameras: Cameras
    watch: Watch
    ranges: Ranges
    draws: int
    seed: int


class Tried(NamedTuple):
    """What came out, by world. Of rules and steps nothing if they were not asked for."""

    means: Floats  # worlds x MEASURES, as things are
    anew: Floats  # the same of residents drawn anew
    by_day: Floats  # worlds x (named, seen) x days: share of the sample that is singled out
    ties: Floats  # worlds x (named, seen): of other residents, share found of pairs that met
    of: list[int]  # by measure: residents of the sample whom it is of
    rules: list[dict[str, Any]]
    curves: list[dict[str, Any]]
    singled_out: list[dict[str, Any]]


def attempt(
    drawn: Drawn, world: _rules.World, *, which: Which, progress: Callable[[str], None]
) -> Tried:
    """Try rules and step-by-step changes in every world, or only what is there now.

    world: that of middle powers, in which all residents walk.
    """
    sample = some(drawn.residents, SAMPLE)
    rules, steps = _asked(drawn, sample, which)
    every = [*rules, *(rule for _, _, rule in steps)]
    n = len(_rules.MEASURES) + 1
    means, anew = np.empty((2, drawn.draws, len(every), n))
    by_day = np.empty((drawn.draws, len(every), 2, sample.days))
    found = np.full((drawn.draws, len(every), 2), np.nan)
    met = _summary.met(sample)
    strata = evenly(drawn.draws, n + 1, drawn.seed)
    of: list[int] = []
    for w, one in enumerate(_worlds(drawn, sample)):
        progress(f"World {w + 1} of {drawn.draws}")
        u = strata[w]
        for r, rule in enumerate(every):
            told = _rules.tried(sample, one, rule, drawn.watch, drawn.seed)
            means[w, r] = _rules.means(told.values)
            anew[w, r] = of_others(told.values, sample.people.household, u[:-1])
            by_day[w, r], found[w, r] = _singled(sample, told, met, u[-1], named_ties=r == 0)
            of = of or np.isfinite(told.values[:, :-1]).sum(axis=0).tolist()
    k = len(rules)
    heads: list[dict[str, Any]] = [{"rule": rule.name, "text": rule.text} for rule in rules]
    heads += [{"of": what, "value": value} for what, value, _ in steps]
    rows = [
        _rows(head, means[:, r], anew[:, r], means[:, 0] if r < k else None)
        for r, head in enumerate(heads)
    ]
    return Tried(
        means=means[:, 0, :-1],
        anew=anew[:, 0, :-1],
        by_day=by_day[:, 0],
        ties=found[:, 0],
        of=of,
        rules=[row for some_rows in rows[:k] for row in some_rows] if which != "now" else [],
        curves=[row for some_rows in rows[k:] for row in some_rows],
        singled_out=_singled_out(drawn, world, which, heads, by_day[..., -1], found, progress)
        if which != "now"
        else [],
    )


def _asked(
    drawn: Drawn, residents: Residents, which: Which
) -> tuple[list[_rules.Rule], list[tuple[str, str, _rules.Rule]]]:
    """Return the rules, what stands now first, and the steps to try."""
    rules = _rules.rules(residents, drawn.cameras, drawn.ranges, drawn.watch)
    if which == "all":
        return rules, _rules.curves(drawn.cameras, residents.days, drawn.ranges)
    return [rules[0], *(rule for rule in rules[1:] if rule.name == which)], []


def evenly(draws: int, n: int, seed: int) -> Floats:
    """Return draws x n numbers from 0 to 1, each column with one in each equal part of it.

    So few draws reach into both ends of a distribution (a Latin hypercube).
    """
    random = np.random.default_rng([seed, 5])
    part = random.permuted(np.tile(np.arange(draws), (n, 1)), axis=1).T
    return np.asarray((part + random.uniform(size=(draws, n))) / draws)


def _worlds(drawn: Drawn, sample: Residents) -> Any:
    return _rules.worlds(
        sample, drawn.watch, drawn.cameras, drawn.ranges, draws=drawn.draws, seed=drawn.seed
    )


def of_others(values: Floats, household: Any, u: Floats) -> Floats:
    """Return the mean of each column as it would be of other households of the same kind.

    values: by resident, NaN where there is nothing to measure; the last column is no share. u: a
    number from 0 to 1 for each, where in the spread of such means to be. Whether a home or place of
    work is found is drawn from as many trials as there are households (Jeffreys), since whoever
    lives together is found together; other columns by the spread between households.
    """
    known = np.isfinite(values)
    n_households = int(household.max()) + 1
    out = np.full(values.shape[1], np.nan)
    for c, name in enumerate([*_rules.MEASURES, _rules.DAYS_HELD]):
        who = household[known[:, c]]
        if not len(who):
            continue
        total = np.bincount(who, values[known[:, c], c], n_households)
        number = np.bincount(who, minlength=n_households)
        mean, groups = total.sum() / number.sum(), int((number > 0).sum())
        if name in _FOUND:
            nothing = values[:, -1].sum() == 0  # nobody was named, which is no matter of chance
            out[c] = 0.0 if nothing else share_of_others(mean, groups, u[c])
            continue
        spread = np.sqrt(((total - mean * number) ** 2).sum()) / number.sum()
        out[c] = max(mean + spread * ndtri(u[c]), 0.0)
        if name != _rules.DAYS_HELD:
            out[c] = min(out[c], 1.0)
    return out


def share_of_others(share: float, n: int, u: float) -> float:
    """Return quantile u of what a share of n may be in truth (Jeffreys)."""
    return float(betaincinv(share * n + 0.5, (1 - share) * n + 0.5, u))


def _singled(
    sample: Residents, told: _rules.Outcome, met: _summary.Met, u: float, *, named_ties: bool
) -> tuple[Floats, list[float]]:
    """Return who is singled out by each day, and the share of pairs found, named and followed.

    The share as it would be of as many other households with pairs that met (Jeffreys), who are
    found together; where nobody passes, none are found whoever lives there.
    """
    days, found = [], []
    for passages, wanted in (
        (_summary.named(sample, told.held, told.reach), named_ties),
        (_summary.followed(sample, told.held, told.reach), True),
    ):
        had = _summary.points(sample.people.n, passages)
        days.append(_summary.unique_by_day(had, sample.days))
        share = None
        if wanted:
            ties = _summary.household_ties(sample, passages, told.powers, met, sample.people.n)
            share = ties["recall_of_met"]
            if share is not None:
                share = share_of_others(share, met.households, u) if len(passages[0]) else 0.0
        found.append(np.nan if share is None else share)
    return np.array(days), found


def carried_over(worlds: Floats, sample: Floats, everybody: Floats) -> Floats:
    """Return shares of the sample, by world, as they would be of all residents.

    Among more people fewer are alone. Between the sample and all, that moves the log odds by the
    same amount in every world, as far as a trial tells (docs/retrace.md): by as much as in the
    world in which both are known. Shares of nought, where nobody is named, stay.
    """
    inner = 1.0 / (2.0 * SAMPLE)

    def odds(share: Floats) -> Floats:
        share = np.clip(share, inner, 1.0 - inner)
        return np.asarray(np.log(share / (1.0 - share)))

    moved = 1.0 / (1.0 + np.exp(-(odds(worlds) + odds(everybody) - odds(sample))))
    return np.where(worlds == 0.0, 0.0, moved)


def _singled_out(
    drawn: Drawn, world: _rules.World, which: Which, heads: list[dict[str, Any]],
    ever: Floats, found: Floats, progress: Callable[[str], None],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return, for each rule and step, how many are unique and which ties show.

    All residents are looked at with middle powers: who is unique depends on how many there are. The
    worlds of the sample, ever (worlds x rules x 2) and found, are carried over to them.
    """
    town = drawn.residents
    met = _summary.met(town)
    n = some(town, SAMPLE).people.n
    rules, steps = _asked(drawn, town, which)
    rules = rules + [rule for _, _, rule in steps]
    rows = []
    for r, (head, rule) in enumerate(zip(heads, rules, strict=True)):
        name = {key: value for key, value in head.items() if key != "text"}
        progress(f"Who is singled out: {' '.join(name.values())}")
        powers, held = _rules.recorded(town, world, rule, drawn.watch, drawn.seed)
        reach = rule.reach(world)
        row: dict[str, Any] = dict(name)
        for i, (key, passages) in enumerate(
            {
                "unique": _summary.named(town, held, reach),
                "unique_if_followed": _summary.followed(town, held, reach),
            }.items()
        ):
            whole, part = (
                _summary.unique_by_day(_summary.points(many, had), town.days)[-1]
                for many, had in ((town.people.n, passages), (n, _summary.first(passages, n)))
            )
            share = carried_over(ever[:, r, i], part, whole)
            low, high = _summary.interval(share)
            row |= {key: _summary.mean_of(share), f"{key}_low": low, f"{key}_high": high}
        ties = _summary.household_ties(town, passages, powers, met, _summary.TARGETS)
        low, high = _summary.around(ties["recall_of_met"], found[:, r, 1])
        row |= {f"ties_{key}": ties[key] for key in _TIES}
        rows.append(row | {"ties_recall_of_met_low": low, "ties_recall_of_met_high": high})
    return rows


_TIES: Final = ("suggested", "precision", "precision_low", "precision_high", "recall_of_met")


def _rows(head: dict[str, Any], values: Floats, anew: Floats, now: Any) -> list[dict[str, Any]]:
    """Return a row a measure: mean over worlds, interval, and how much less it is than now."""
    rows = []
    for i, name in enumerate([*_rules.MEASURES, _rules.DAYS_HELD]):
        mean = _summary.mean_of(values[:, i])
        low, high = _summary.around(mean, anew[:, i])
        row = head | {"measure": name, "mean": mean, "low": low, "high": high}
        if now is not None:
            row |= _reduction(now[:, i], values[:, i])
        rows.append(row)
    return rows


def _reduction(now: Any, then: Any) -> dict[str, float | None]:
    """Return by how much of what it is now a share falls, world by world."""
    usable = np.isfinite(now) & np.isfinite(then) & (now > 0)
    if usable.sum() < 4:
        return {"reduced": None, "reduced_low": None, "reduced_high": None}
    less = 1.0 - then[usable] / now[usable]
    low, high = _summary.interval(less)
    return {"reduced": _summary.number(less.mean()), "reduced_low": low, "reduced_high": high}
