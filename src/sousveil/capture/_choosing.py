"""From many estimates to one: the rule, the ensemble, and the warnings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sousveil.capture._methods import AICC, NEAR_AICC, Estimate
from sousveil.capture._pooling import Mixture, Spread

RULES: Final = {
    "chapman": "two lists: Chapman's estimate, less biased than Lincoln-Petersen; that the lists "
    "are independent cannot be tested",
    "doubly-robust": "covariates were given: the two lists that share most cameras, independent "
    "only among cameras alike in the covariates",
    "loglinear-average": "three lists or more: the average of log-linear models by AICc, with "
    "models of heterogeneity; no single model is trusted",
    "repeated": "repeated counts: the lowest AIC",
}
"""Why an estimate is the one recommended."""

_TWO_INDEPENDENT: Final = (
    "the lists found their cameras independently of each other, all cameras are alike in one of "
    "them, and {links}; where one list helped the other or cameras differ, fewer than 15 "
    "of 100 such intervals held the truth"
)

ASSUMES: Final = {
    "lincoln-petersen": _TWO_INDEPENDENT,
    "chapman": _TWO_INDEPENDENT,
    "chao": "lists find each camera independently, however cameras differ; it is a floor, and the "
    "truth may well be above its interval",
    "sample-coverage": "the overlaps of pairs of lists tell how much the lists depend",
    "loglinear": "this one model is right; chosen among many, it is too sure of itself",
    "loglinear-average": "one of the models is nearly right, and {links}; where cameras differ in "
    "other ways, as few as 70 of 100 such intervals held the truth",
    "latent-class": "lists are independent among cameras of one class, and the chains agree",
    "doubly-robust": "the two lists are independent among cameras alike in the covariates, and "
    "links are right; what lists share beyond the covariates is not in the interval",
    "repeated": "no camera came or went between the occasions",
}
"""What an estimate stands and falls with, and how often made-up places broke its interval
(bench/README.md). {links}: what is assumed of the links, RIGHT unless their errors are carried."""

RIGHT: Final = "links are right"

_ENSEMBLE_LEAVES_OUT: Final = ("loglinear", "chao", "lincoln-petersen", "repeated")


def recommended(estimates: Sequence[Estimate], model: str | None) -> Estimate | None:
    """Return the estimate to quote, of `model` if asked for; None where none is possible."""
    if model is not None:
        return next((row for row in estimates if row.name == model), None)
    for name in ("repeated", "doubly-robust"):
        for row in estimates:
            if row.name == name:
                return row
    for row in estimates:
        if row.terms and row.terms[0] in (AICC, NEAR_AICC):
            return row
    return next((row for row in estimates if row.name == "chapman"), None)


def is_bounded(row: Estimate | None) -> bool:
    """Return whether an estimate has a finite value, and an interval that is finite and none of
    no width: that of lists which agree wholly tells nothing of what all of them missed."""
    if row is None or not np.isfinite([row.estimate, row.high]).all():
        return False
    return row.high > row.low


def members(estimates: Sequence[Estimate], chosen: Estimate | None) -> list[Estimate]:
    """Return what makes up the ensemble: each method once, bounds and single models left out."""
    rows = [row for row in estimates if row.name not in _ENSEMBLE_LEAVES_OUT]
    first: dict[tuple[str, ...], Estimate] = {}
    for row in rows:
        key = (row.name, *row.terms) if row.name == "loglinear-average" else (row.name,)
        first.setdefault(key, row)
    if not first and chosen is not None:
        return [chosen]
    return list(first.values())


def ensemble(rows: Sequence[Estimate]) -> dict[str, float | None]:
    """Return median and 95 % range of the members mixed with equal weights."""
    spreads = [
        Spread(min(max(row.estimate, row.low), row.high), row.low, row.high, row.at_least)
        for row in rows
    ]
    mixture = Mixture.of(spreads)
    middle, low, high = (mixture.quantile(share) for share in (0.5, 0.025, 0.975))
    return {"estimate": finite(middle), "low": low, "high": finite(high)}


def disagreements(rows: Sequence[Estimate]) -> list[str]:
    """Say, with the lowest and the highest, that methods disagree by more than their intervals."""
    apart = [
        (one, other)
        for one, other in itertools.permutations(rows, 2)
        if not other.low <= one.estimate <= other.high
    ]
    if not apart:
        return []
    ends = min(rows, key=lambda row: row.estimate), max(rows, key=lambda row: row.estimate)
    told = (f"{label(row)} says {row.estimate:,.0f} ({row.low:,.0f} to {_high(row)})"
            for row in ends)  # fmt: skip
    return [f"the methods disagree by more than their intervals: {', '.join(told)}"]


def below_the_bound(chosen: Estimate | None, estimates: Sequence[Estimate]) -> list[str]:
    """Say where the recommended interval ends below Chao's lower bound."""
    bound = next((row for row in estimates if row.name == "chao"), None)
    if chosen is None or bound is None or chosen.high >= bound.low:
        return []
    return [
        f"the recommended interval ends at {chosen.high:,.0f}, below Chao's lower bound "
        f"({bound.low:,.0f} to {_high(bound)})"
    ]


def label(row: Estimate) -> str:
    """Return a short name for a row: "loglinear-average (BIC)"."""
    if row.name != "loglinear-average" or not row.terms:
        return row.name
    words = row.terms[0]
    kind = "AICc" if "AICc" in words else "BIC" if "BIC" in words else "decomposable"
    return f"{row.name} ({kind})"


def _high(row: Estimate) -> str:
    return f"{row.high:,.0f}" if np.isfinite(row.high) else "no upper end"


def finite(value: float | None) -> float | None:
    """Return a number, None for what is infinite or unknown."""
    return float(value) if value is not None and np.isfinite(value) else None


def as_row(row: Estimate) -> dict[str, Any]:
    """Return an estimate as a row of records.CAPTURE_MODELS."""
    return {
        "name": row.name,
        "terms": list(row.terms),
        "estimate": finite(row.estimate),
        "se": finite(row.se),
        "low": finite(row.low),
        "high": finite(row.high),
        "deviance": finite(row.deviance),
        "df": row.df,
        "aic": finite(row.aic),
        "bic": finite(row.bic),
    }
