"""The methods one by one: each takes histories and returns its estimates, or none."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sousveil.capture import _averaging, _decomposable, _simple
from sousveil.capture._histories import Array, Histories, Index
from sousveil.capture._loglinear import Terms, information_criteria, named, total
from sousveil.capture._repeated import Repeated
from sousveil.capture._search import near, stepwise
from sousveil.capture._simple import Linkage, Simple

AICC: Final = "weights by AICc, all hierarchical models and two of heterogeneity"
BIC: Final = "weights by BIC, all hierarchical models"
NEAR_AICC: Final = "weights by AICc, models near the search and two of heterogeneity"
NEAR_BIC: Final = "weights by BIC, models near the search"
_MOST_CLIPPED: Final = 0.1  # of the cameras with next to no chance to be in both lists
_MANY: Final = 60
"""Histories above which the latent classes are sampled more shortly."""
CONVERGED: Final = 1.05
"""R-hat above which chains have not converged."""
DECOMPOSABLE: Final = "posterior over decomposable graphs"


class Estimate(NamedTuple):
    """One estimate: a row of records.CAPTURE_MODELS, and the cameras that are certain to exist.

    sound: false where chains have not converged; it then stays out of the ensemble.
    """

    name: str
    terms: tuple[str, ...]
    estimate: float
    se: float
    low: float
    high: float
    at_least: float
    deviance: float | None = None
    df: int | None = None
    aic: float | None = None
    bic: float | None = None
    sound: bool = True


class Found(NamedTuple):
    """Estimates of one method, and what there is to say of them."""

    estimates: list[Estimate]
    warnings: list[str]


def by_formula(name: str, simple: Simple) -> Estimate:
    """Return an estimate with the log interval of Chao 1987."""
    low, high = _simple.log_interval(*simple)
    return Estimate(name, (), simple.estimate, simple.se, low, high, simple.at_least)


def two_lists(histories: Histories, linkage: Linkage | None) -> Found:
    """Return Lincoln-Petersen and Chapman, corrected for errors of linkage."""
    lists = _simple.two_lists(histories, linkage)
    if lists.shared <= 0:
        return Found([], ["the two lists share no camera" + _beyond(linkage)])
    found = [
        by_formula("lincoln-petersen", _simple.lincoln_petersen(lists)),
        by_formula("chapman", _simple.chapman(lists)),
    ]
    few = [f"the two lists share only {lists.shared:.3g} cameras: below 7, Chapman's estimate is "
           "too low on average"] if lists.shared < 7 else []  # fmt: skip
    return Found(found, few)


def _beyond(linkage: Linkage | None) -> str:
    return " beyond what false links would make" if linkage and linkage.beta else ""


def chao(histories: Histories) -> Found:
    """Return Chao's lower bound."""
    if not histories.times()[1:].sum():
        return Found([], [])
    return Found([by_formula("chao", _simple.chao(histories))], [])


def sample_coverage(histories: Histories, *, seed: int) -> Found:
    """Return the estimate by sample coverage, for three lists or more."""
    simple = _simple.sample_coverage(histories, seed=seed) if len(histories.lists) > 2 else None
    return Found([by_formula("sample-coverage", simple)] if simple else [], [])


class LogLinear(NamedTuple):
    """Log-linear models of a table, those of heterogeneity apart, and what could not be fitted."""

    fitted: _averaging.Fitted
    heterogeneous: list[_averaging.Model]
    searched: Terms | None


def log_linear(histories: Histories, *, among: Sequence[Terms] | None = None) -> LogLinear:
    """Fit all hierarchical models of up to five lists, above those near the one of a search.

    among: only these.
    """
    searched = None
    if among is None and len(histories.lists) > _averaging.MOST_LISTS:
        searched = stepwise(histories.counts)
        among = near(searched, histories.counts)
    fitted = (
        _averaging.fit_all(histories)
        if among is None
        else _averaging.fit_models(among, histories.counts)
    )
    return LogLinear(fitted, _averaging.fit_heterogeneous(histories), searched)


def log_linear_models(models: LogLinear, histories: Histories) -> Found:
    """Return every fitted model, the searched one or the one of the lowest BIC first."""
    seen = float(histories.observed)
    ordered = sorted(models.fitted.models, key=lambda m: (m.terms != models.searched, m.bic))
    found = [
        Estimate("loglinear", tuple(named(m.terms, histories.lists)), m.estimate, m.se, m.low,
                 m.high, seen, m.deviance, m.df, m.aic, m.bic)
        for m in ordered
    ]  # fmt: skip
    failed = models.fitted.failed
    if not failed:
        return Found(found, [])
    counted = f"{len(failed):,} of {len(failed) + len(found):,} log-linear models"
    return Found(found, [f"{counted} have no finite, unique maximum and are left out"])


def log_linear_averages(models: LogLinear, histories: Histories) -> Found:
    """Return averages by AICc (with heterogeneity) and by BIC, for three lists or more."""
    seen = float(histories.observed)
    if len(histories.lists) < 3 or not models.fitted.models:
        return Found([], [])
    everything = [*models.fitted.models, *models.heterogeneous]
    searched = models.searched is not None
    averages = [
        (NEAR_AICC if searched else AICC, everything, "aicc"),
        (NEAR_BIC if searched else BIC, models.fitted.models, "bic"),
    ]
    return Found(
        [
            Estimate("loglinear-average", (label,),
                     *_averaging.averaged(chosen, seen, criterion=criterion), seen)
            for label, chosen, criterion in averages
        ],
        [],
    )  # fmt: skip


def decomposable(histories: Histories) -> Found:
    """Return the average of Madigan and York over decomposable graphs, for 3 to 6 lists."""
    if not 3 <= len(histories.lists) <= _decomposable.MOST_LISTS:
        return Found([], [])
    posterior = _decomposable.average(histories.counts)
    middle, low, high = (posterior.quantile(share) for share in (0.5, 0.025, 0.975))
    se = posterior.moments()[1]
    seen = float(histories.observed)
    row = Estimate("loglinear-average", (DECOMPOSABLE,), middle, se, low, high, seen)
    return Found([row], [])


def latent_class(tables: Sequence[Histories], *, seed: int) -> Found:
    """Return the latent-class model, its draws pooled over tables, for three lists or more."""
    if len(tables[0].lists) < 3:
        return Found([], [])
    from sousveil.capture import _latent  # compiles on first use

    # Steps take as long as there are histories: with very many, fewer of them.
    n_seen = int(np.count_nonzero(tables[0].counts))
    thinning = max(1, int(_latent.THINNING * min(1.0, _MANY / n_seen)) // len(tables))
    posteriors = [
        _latent.sample(
            one.counts,
            seed=seed + i,
            warm_up=_latent.WARM_UP,
            samples=_latent.SAMPLES,
            thinning=thinning,
        )
        for i, one in enumerate(tables)
    ]
    draws = np.concatenate([one.totals.ravel() for one in posteriors])
    worst, effective = max(p.r_hat for p in posteriors), sum(p.effective for p in posteriors)
    middle, low, high = np.quantile(draws, [0.5, 0.025, 0.975])
    seen = float(np.mean([one.observed for one in tables]))
    told = (f"R-hat {worst:.3f}", f"{effective:.0f} independent draws")
    agreed = worst <= CONVERGED
    row = Estimate("latent-class", told, float(middle), float(draws.std()), float(low), float(high),
                   seen, sound=agreed)  # fmt: skip
    return Found([row], [] if agreed else [
        f"latent-class: its chains have not converged (R-hat {worst:.2f}, above {CONVERGED}); do "
        "not quote it"
    ])  # fmt: skip


def doubly_robust(
    lists: Sequence[str], cells: Index, weight: Array, covariates: Array, *, seed: int
) -> Found:
    """Return the doubly robust estimate of each two lists, most shared cameras first."""
    from sousveil.capture import _robust

    seen = float(weight.sum())
    found = []
    for i, j in itertools.combinations(range(len(lists)), 2):
        first, second = cells >> i & 1, cells >> j & 1
        robust = _robust.estimate(first, second, covariates, weight, seed=seed)
        if robust is None:
            continue
        row = by_formula("doubly-robust", Simple(robust.estimate, robust.se, seen))
        shared = float((weight * first * second).sum())
        found.append((shared, row._replace(terms=(f"{lists[i]}:{lists[j]}",)), robust.clipped))
    found.sort(key=lambda one: -one[0])
    unsure = [
        f"doubly-robust {row.terms[0]}: {share:.0%} of the cameras are hardly ever in both lists"
        + ("; it is left out" if share > _MOST_CLIPPED else "")
        for _, row, share in found
        if share > 0.02
    ]
    return Found([row for _, row, share in found if share <= _MOST_CLIPPED], unsure)


def repeated(models: Sequence[Repeated], seen: float) -> Found:
    """Return models of repeated counts, the lowest AIC first."""
    found = []
    for one in models:
        estimate, se = total(one.fits, seen)
        aic, _, bic = information_criteria(one.fits, seen)
        low, high = float(one.profiles.low[0]), float(one.profiles.high[0])
        found.append(
            Estimate("repeated", (one.name,), float(estimate[0]), float(se[0]), low, high, seen,
                     float(one.fits.deviance[0]), one.df, float(aic[0]), float(bic[0]))
        )  # fmt: skip
    found.sort(key=lambda row: row.aic or 0.0)
    return Found(found, [])
