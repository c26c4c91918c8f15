"""How the model did on claims that came later, and how the publishers' own forecasts did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from sousveil.claims._model import Priors, predict
from sousveil.claims._reading import Read, for_model, modelled

FEWEST: Final = 3
"""Claims from which a fit is tried."""
COMPARED: Final = ("n", "inside", "coverage", "mean_error_factor", "mean_log_score")


def back_tests(
    reads: Sequence[Read], *, level: float, priors: Priors | None = None
) -> dict[str, Any]:
    """Return how claims of year Y and later compare with a fit on what was written before Y.

    For every Y: the fit takes the independent claims that were written before Y; it predicts each
    later one whose place and definition it has seen. Beside it stands the plainest forecast, the
    last earlier claim unchanged. One claim is predicted from several Y, so the rows are not
    independent of each other. "mean_log_score" is the mean logarithm of the density at what was
    claimed (Good 1952), by which ways to forecast are compared; "straight_line" is the same record
    of the model without damping.
    """
    priors = priors or Priors()
    record = _record(reads, level, priors)
    straight = _record(reads, level, priors.straight())
    return record | {"straight_line": {k: straight[k] for k in COMPARED}}


def _record(reads: Sequence[Read], level: float, priors: Priors) -> dict[str, Any]:
    usable = [read for read in reads if modelled(read)]
    years = sorted({read.claim["made_in"] + 1 for read in usable})
    rows = [row for year in years for row in _cut(usable, year, level, priors)]
    inside = sum(row["inside"] for row in rows)
    return {
        "rows": rows,
        "n": len(rows),
        "inside": inside,
        "coverage": inside / len(rows) if rows else None,
        "level": level,
        "claims_predicted": len({row["claim_id"] for row in rows}),
        "mean_error_factor": _factor([row["error_factor"] for row in rows]),
        "mean_log_score": sum(row["log_score"] for row in rows) / len(rows) if rows else None,
        "mean_error_factor_unchanged": _factor([row["error_factor_unchanged"] for row in rows]),
    }


def _cut(usable: list[Read], year: int, level: float, priors: Priors) -> list[dict[str, Any]]:
    before = [r for r in usable if r.claim["made_in"] < year and r.claim["year"] < year]
    seen = {(r.stands_for, r.claim["scope"]) for r in before}
    later = [
        r for r in usable
        if r.claim["year"] >= year and (r.stands_for, r.claim["scope"]) in seen
    ]  # fmt: skip
    if len(before) < FEWEST or not later:
        return []
    new = [for_model(r) for r in later]
    posterior = predict([for_model(r) for r in before], new, priors)
    rows = []
    for i, read in enumerate(later):
        middle, low, high = (
            math.exp(posterior.quantile(i, p)) for p in (0.5, (1 - level) / 2, (1 + level) / 2)
        )
        row = _row(read, year, before, (middle, low, high))
        rows.append(row | {"log_score": posterior.log_density(i, new[i].log_rate)})
    return rows


def _row(
    read: Read, year: int, before: list[Read], rates: tuple[float, float, float]
) -> dict[str, Any]:
    people = read.people.people if read.people else math.nan
    middle, low, high = (rate * people for rate in rates)
    said = read.number or math.nan
    same = [
        r for r in before
        if (r.stands_for, r.claim["scope"]) == (read.stands_for, read.claim["scope"])
    ]  # fmt: skip
    last = max(same, key=lambda r: (r.claim["year"], r.claim["made_in"]))
    unchanged = (last.rate or math.nan) * people
    return {
        "fitted_before": year,
        "claim_id": read.claim["claim_id"],
        "place": read.claim["place"],
        "definition": read.claim["scope"],
        "year": read.claim["year"],
        "years_ahead": read.claim["year"] - last.claim["year"],
        "predicted": middle,
        "low": low,
        "high": high,
        "claimed": said,
        "inside": bool(low <= said <= high),
        "error_factor": math.exp(abs(math.log(said / middle))),
        "error_factor_unchanged": math.exp(abs(math.log(said / unchanged))),
    }


def _factor(factors: list[float]) -> float | None:
    """Return the geometric mean."""
    if not factors:
        return None
    return math.exp(sum(math.log(factor) for factor in factors) / len(factors))


def published_forecasts(reads: Sequence[Read]) -> list[dict[str, Any]]:
    """Return the forecasts of publishers beside what was later claimed of that year, if anything.

    Copies are left out: a forecast is judged once.
    """
    rows = []
    for read in reads:
        if read.role != "forecast":
            continue
        claim = read.claim
        later = [
            r for r in reads
            if modelled(r)
            and (r.stands_for, r.claim["scope"], r.claim["year"])
            == (read.stands_for, claim["scope"], claim["year"])
        ]  # fmt: skip
        said = later[0].number if later else None
        rows.append(
            {
                "claim_id": claim["claim_id"],
                "place": claim["place"],
                "publisher": claim["publisher"],
                "made_in": claim["made_in"],
                "year": claim["year"],
                "forecast": read.number,
                "claimed_later": said,
                "claimed_by": later[0].claim["claim_id"] if later else None,
                "ratio": read.number / said if read.number and said else None,
            }
        )
    return rows
