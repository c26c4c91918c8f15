"""What a run comes to, as the JSON object of the command."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from sousveil.residents import Residents
from sousveil.retrace import _attacks, _ties, _unicity
from sousveil.retrace._measures import Reach
from sousveil.retrace._powers import Powers
from sousveil.retrace._recording import NAMED, SEEN, Record
from sousveil.retrace._rules import MEASURES, shares

Floats = npt.NDArray[np.float64]

TARGETS: Final = 2000
"""Residents, at most, who are looked for in the record of all."""

_RISK_TARGETS: Final = 200
_QUANTILES: Final = (5, 25, 50, 75, 95)
_POINTS: Final = (1, 2, 3, 4)
_HOUR_S: Final = 3600


def distributions(
    measured: npt.NDArray[np.float32], drawn: Floats, anew: Floats, of: list[int]
) -> list[dict[str, Any]]:
    """Return each measure: its mean with interval over drawn worlds, and how residents differ.

    drawn: worlds x MEASURES, means over a sample of residents; anew: the same of other residents of
    the same kind, for the interval; of: how many of the sample each is of. middle and quantiles: of
    all residents, with middle powers.
    """
    rows = []
    for i, (name, values) in enumerate(shares(measured).items()):
        known = values[np.isfinite(values)]
        quantiles = np.percentile(known, _QUANTILES) if len(known) else [None] * len(_QUANTILES)
        mean = mean_of(drawn[:, i])
        low, high = around(mean, anew[:, i])
        rows.append(
            {
                "name": name,
                "definition": MEASURES[name],
                "mean": mean,
                "low": low,
                "high": high,
                "middle": mean_of(values),
                "quantiles": {
                    f"p{q}": None if v is None else number(v)
                    for q, v in zip(_QUANTILES, quantiles, strict=True)
                },
                "residents": len(known),
                "sample": of[i],
            }
        )
    return rows


def covers(draws: int) -> float:
    """Return the chance that the interval of so many draws holds a further one.

    The middle 95 % of n draws reach over 0.95 (n - 1) of the n + 1 equally likely places between
    and beyond them.
    """
    return number(0.95 * (draws - 1) / (draws + 1))


def interval(values: Floats) -> tuple[float | None, float | None]:
    """Return the middle 95 % of draws, None where there are too few; see covers."""
    known = values[np.isfinite(values)]
    if len(known) < 4:
        return None, None
    low, high = np.percentile(known, [2.5, 97.5])
    return number(low), number(high)


def around(mean: float | None, values: Floats) -> tuple[float | None, float | None]:
    """Return the interval of draws, widened to its mean where that lies at the very end."""
    low, high = interval(values)
    if mean is None or low is None or high is None:
        return low, high
    return min(low, mean), max(high, mean)


def mean_of(values: Floats) -> float | None:
    """Return the mean of what is known, None where nothing is."""
    known = values[np.isfinite(values)]
    return number(known.mean()) if len(known) else None


def number(value: Any) -> float:
    """Return a number with as many digits as mean something."""
    return float(f"{float(value):.4g}")


Passages = tuple[Any, Any, Any]  # resident, camera, time_s


def named(residents: Residents, held: Record, reach: Reach) -> Passages:
    """Return the passages with a name in a record, wrong ones too."""
    who, camera, time_s = _kept(residents, held, reach, NAMED)
    wrong_who = np.repeat(np.arange(residents.people.n, dtype=np.int32), np.diff(held.wrong_start))
    wrong = reach.on[held.wrong_camera] & (held.wrong_time_s >= reach.since_s[held.wrong_camera])
    return (
        np.concatenate([who, wrong_who[wrong]]),
        np.concatenate([camera, held.wrong_camera[wrong]]),
        np.concatenate([time_s, held.wrong_time_s[wrong]]),
    )


def followed(residents: Residents, held: Record, reach: Reach) -> Passages:
    """Return all passages that are seen, as if everybody were known again without a name.

    The most that a record can hold, by gait, clothes or a telephone: an upper bound.
    """
    return _kept(residents, held, reach, SEEN)


def _kept(residents: Residents, held: Record, reach: Reach, least: int) -> Passages:
    who = np.repeat(residents.trips.resident, np.diff(held.start))
    kept = (held.state >= least) & reach.on[held.camera]
    kept &= (held.time_s >= reach.since_s[held.camera]) & (held.level >= reach.least_level)
    return who[kept], held.camera[kept], held.time_s[kept]


def first(passages: Passages, n: int) -> Passages:
    """Return the passages of the first n residents."""
    who, camera, time_s = passages
    mine = who < n
    return who[mine], camera[mine], time_s[mine]


def points(n_residents: int, passages: Passages) -> _unicity.Points:
    """Return which cameras passed which of the first residents in which hours."""
    who, camera, time_s = passages
    return _unicity.points(n_residents, who, camera, time_s // _HOUR_S)


def uniqueness(had: _unicity.Points, passages: Passages, seed: int) -> dict[str, Any]:
    """Return how few passages single out one resident, if names were replaced by numbers."""
    who, camera, time_s = passages
    n = len(had.start) - 1
    targets = np.arange(min(TARGETS, n))
    by_number = {
        str(k): None if np.isnan(one := _unicity.unicity(had, targets, k, draws=4, seed=seed))
        else number(one)
        for k in _POINTS
    }  # fmt: skip
    known = _attacks.traces(n, who, had_keys(camera, time_s))
    risk = _attacks.worst_case_risk(known, 2, targets[:_RISK_TARGETS])
    return {
        "residents": len(targets),
        "by_points": by_number,
        "risk_of_two_points": number(risk.mean()),
    }


def unique_by_day(had: _unicity.Points, days: int) -> Floats:
    """Return which share of the first residents, at most TARGETS, is unique after each day."""
    targets = np.arange(min(TARGETS, len(had.start) - 1))
    day = _unicity.days_until_unique(had, targets, 24)
    return np.array([((day > 0) & (day <= d)).mean() for d in range(1, days + 1)])


def singled_out(worlds: Floats, middle: Floats) -> dict[str, Any]:
    """Return the share that is unique by each day, by the end, and the day by which half are.

    worlds: worlds x days; middle: by day, with middle powers.
    """
    by_day = worlds.mean(axis=0)
    bounds = [interval(column) for column in worlds.T]
    half = [(one >= 0.5).argmax() + 1 if one[-1] >= 0.5 else np.inf for one in (by_day, *worlds)]
    low, high = np.percentile(half[1:], [2.5, 97.5], method="closest_observation")
    return {
        "share": number(by_day[-1]),
        "low": bounds[-1][0],
        "high": bounds[-1][1],
        "middle": number(middle[-1]),
        "never": number(1.0 - by_day[-1]),
        "by_day": [number(one) for one in np.diff(by_day, prepend=0.0)],
        "until_day": [number(one) for one in by_day],
        "until_day_low": [low for low, _ in bounds],
        "until_day_high": [high for _, high in bounds],
        "median_day": _day(half[0]),
        "median_day_low": _day(low),
        "median_day_high": _day(high),
    }


def _day(day: float) -> int | None:
    return int(day) if np.isfinite(day) else None


def had_keys(camera: Any, time_s: Any) -> Any:
    """Return one key for each camera and hour."""
    codes = (time_s // _HOUR_S).astype(np.int64) * (int(camera.max()) + 1 if len(camera) else 1)
    return np.unique(codes + camera, return_inverse=True)[1]


def household_ties(
    residents: Residents, passages: Passages, powers: Powers, met: Met, most: int
) -> dict[str, Any]:
    """Return how well the record tells who lives together."""
    targets = np.arange(min(most, residents.people.n))
    found = _ties.ties(
        residents.people, targets, *passages, met.pairs,
        together_s=powers.together_s, meetings=powers.meetings, places=powers.places,
    )  # fmt: skip
    low, high = binomial(found.right, found.suggested)
    return {
        "residents": len(targets),
        "suggested": found.suggested,
        "right": found.right,
        "household_pairs": found.household_pairs,
        "met_pairs": found.met_pairs,
        "precision": _or_none(found.precision),
        "precision_low": low,
        "precision_high": high,
        "recall": _or_none(found.recall),
        "recall_of_met": _or_none(found.recall_of_met),
    }


def binomial(hits: int, tries: int) -> tuple[float | None, float | None]:
    """Return the exact 95 % interval of a share (Clopper & Pearson 1934), None without tries."""
    if not tries:
        return None, None
    low = betaincinv(hits, tries - hits + 1, 0.025) if hits else 0.0
    high = betaincinv(hits + 1, tries - hits, 0.975) if hits < tries else 1.0
    return number(low), number(high)


def _or_none(value: float | None) -> float | None:
    return None if value is None else number(value)


class Met(NamedTuple):
    """Pairs of a target and a household member who walked together, and of how many households."""

    pairs: int
    households: int


def met(residents: Residents) -> Met:
    """Return which targets walked anywhere together with a member of their household.

    Targets are the first residents, at most TARGETS.
    """
    trips, people = residents.trips, residents.people
    targets = np.arange(min(TARGETS, people.n))
    mine = np.flatnonzero(trips.together)
    household = people.household[trips.resident[mine]]
    walk = np.column_stack([household, trips.depart_s[mine], trips.origin[mine],
                            trips.destination[mine]])  # fmt: skip
    _, group = np.unique(walk, axis=0, return_inverse=True)
    group = group.ravel()
    pairs: set[tuple[int, int]] = set()
    order = np.argsort(group, kind="stable")
    bounds = np.flatnonzero(np.append(True, np.diff(group[order]) > 0))
    last = int(targets[-1])
    for company in np.split(trips.resident[mine][order], bounds[1:]):
        if len(company) > 1 and company.min() <= last:
            pairs |= {(int(a), int(b)) for a in company for b in company if a != b and a <= last}
    return Met(len(pairs), len({int(people.household[a]) for a, _ in pairs}))
