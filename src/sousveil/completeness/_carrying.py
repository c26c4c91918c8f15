"""Official totals carried on to the day of a list: growth by a model, with its uncertainty.

log growth of an area in a year = growth of the country's public cameras in that year
    + difference of the register's areas together + difference of the area + chance of the year
    + chance of the area in that year

All terms are normal, so that the growth after the last column is a conditional normal distribution
given the growth that the columns of the register show (Rasmussen & Williams 2006, eq. 2.23-2.24).
After what is known, the country's growth and the differences fade (a damped trend, Gardner &
McKenzie 1985, Management Science 31, 1237-1246). Scales and damping are integrated over grids.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]

DRAWS: Final = 20_000
LEVEL: Final = 0.95


class Priors(NamedTuple):
    """Standard deviations of a year's log growth; those in a tuple are equally likely."""

    alone: float = 0.10  # mean growth where the country's is not known
    together: float = 0.10  # all areas of the register against the country
    area: tuple[float, ...] = (0.025, 0.05, 0.10)
    year: float = 0.05
    area_in_year: tuple[float, ...] = (0.08, 0.12, 0.18)
    damping: tuple[float, ...] = (0.80, 0.85, 0.90, 0.95)


class Register(NamedTuple):
    """Totals by area and year: cumulative is areas x years, at the ends of consecutive years."""

    years: tuple[int, ...]
    cumulative: _Array


def grown(
    register: Register,
    country: Mapping[int, float],
    *,
    spans: tuple[float, ...],
    draws: int = DRAWS,
    seed: int = 0,
    priors: Priors | None = None,
) -> _Array:
    """Return draws of the log growth of each area after the last column, draws x areas.

    country: its public cameras by year, {} where unknown. spans: years to carry over, equally
    likely; several where the day of the list is not known.
    """
    priors = priors or Priors()
    rng = np.random.default_rng(seed)
    cases = [
        (math.exp(log_like), case)
        for log_like, scales in _scales(register, country, priors)
        for case in itertools.product([scales], priors.damping, spans)
    ]
    weights = np.array([weight for weight, _ in cases])
    counts = rng.multinomial(draws, weights / weights.sum())
    parts = [
        _draw(register, country, *case, n, rng, priors)
        for (_, case), n in zip(cases, counts, strict=True)
        if n
    ]
    return np.concatenate(parts)


class _Scales(NamedTuple):
    """One choice of scales: the factor of the covariance of what is seen, and what it explains."""

    area: float
    area_in_year: float
    factor: _Array
    white: _Array


def _scales(
    register: Register, country: Mapping[int, float], priors: Priors
) -> list[tuple[float, _Scales]]:
    """Return each choice of scales with its log marginal likelihood, the best at 0."""
    years = register.years[1:]
    seen = np.diff(np.log(register.cumulative), axis=1) - [
        _mean(priors, country) + _national(country, year, 1.0) for year in years
    ]
    areas, n = len(seen), len(years)
    area, year = np.divmod(np.arange(areas * n), max(n, 1))
    found = []
    for by_area, by_both in itertools.product(priors.area, priors.area_in_year):
        covariance = (
            priors.together**2
            + by_area**2 * (area[:, None] == area)
            + priors.year**2 * (year[:, None] == year)
            + by_both**2 * np.eye(areas * n)
        )
        factor = np.linalg.cholesky(covariance)
        white = np.linalg.solve(factor, seen.ravel())
        log_like = -0.5 * float(white @ white) - float(np.log(np.diag(factor)).sum())
        found.append((log_like, _Scales(by_area, by_both, factor, white)))
    best = max(log_like for log_like, _ in found)
    return [(log_like - best, scales) for log_like, scales in found]


def _draw(
    register: Register,
    country: Mapping[int, float],
    scales: _Scales,
    damping: float,
    span: float,
    n: int,
    rng: np.random.Generator,
    priors: Priors,
) -> _Array:
    areas, seen_years = len(register.cumulative), len(register.years) - 1
    parts = np.array([min(span - i, 1.0) for i in range(math.ceil(span))])
    ahead = [register.years[-1] + 1 + i for i in range(len(parts))]
    fading = damping ** np.arange(1, len(parts) + 1)
    left = float(parts @ fading)
    mean = left * _mean(priors, country) + sum(
        part * _national(country, year, damping) for part, year in zip(parts, ahead, strict=True)
    )
    own = np.eye(areas)
    across = left * (
        priors.together**2 + scales.area**2 * np.repeat(own, seen_years, axis=1)
    )  # areas x (areas and years seen)
    white = np.linalg.solve(scales.factor, across.T)
    squares = float(parts @ parts)
    covariance = (
        (left * priors.together) ** 2
        + squares * priors.year**2
        + own * ((left * scales.area) ** 2 + squares * scales.area_in_year**2)
        - white.T @ white
    )
    noise = rng.standard_normal((n, areas)) @ np.linalg.cholesky(covariance).T
    drawn: _Array = mean + white.T @ scales.white + noise
    return drawn


def _mean(priors: Priors, country: Mapping[int, float]) -> float:
    """Return the mean growth beyond the country's: none, or all of it where that is unknown."""
    return 0.0 if len(country) > 1 else priors.alone


def _national(country: Mapping[int, float], year: int, damping: float) -> float:
    """Return the log growth of a country's cameras in a year; even between two counts.

    After the last count the last growth fades, before the first the first goes on.
    """
    known = sorted(country)
    if len(known) < 2:
        return 0.0
    i = min(max(int(np.searchsorted(known, year)), 1), len(known) - 1)
    start, end = known[i - 1], known[i]
    growth = math.log(country[end] / country[start]) / (end - start)
    return float(growth * damping ** max(year - known[-1], 0))


def back_test(register: Register, country: Mapping[int, float], *, seed: int = 0) -> dict[str, Any]:
    """Return how totals of earlier columns, carried to later ones, compare with those.

    Every column but the last is carried to every later one, with nothing but the columns up to it
    and the country's counts up to its year. Areas share what happens to all of them in a year, so
    the comparisons are not independent.
    """
    rows = []
    for i, start in enumerate(register.years[:-1]):
        before = Register(register.years[: i + 1], register.cumulative[:, : i + 1])
        known = {year: count for year, count in country.items() if year <= start}
        for j in range(i + 1, len(register.years)):
            span = float(register.years[j] - start)
            draws = grown(before, known, spans=(span,), seed=seed)
            said = np.log(register.cumulative[:, j] / register.cumulative[:, i])
            low, middle, high = np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2], axis=0)
            rows.append(
                {
                    "carried_from": start,
                    "carried_to": register.years[j],
                    "areas": len(said),
                    "inside": int(((low <= said) & (said <= high)).sum()),
                    "mean_error_factor": float(np.exp(np.abs(said - middle).mean())),
                    "median_width_factor": float(np.exp(np.median(high - low))),
                }
            )
    n = sum(row["areas"] for row in rows)
    inside = sum(row["inside"] for row in rows)
    return {"rows": rows, "n": n, "inside": inside, "coverage": inside / n if n else None}
