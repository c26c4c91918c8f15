"""All hierarchical log-linear models of a few lists, and averages over them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sousveil.capture._existence import FINE, check_all, reduce
from sousveil.capture._histories import Array, Histories, Index
from sousveil.capture._loglinear import (
    Terms,
    design_of,
    fit,
    hierarchical,
    information_criteria,
    profile,
    total,
)
from sousveil.capture._pooling import Mixture, Spread
from sousveil.capture._repeated import HETEROGENEITY, models_of_histories

MOST_LISTS: Final = 5
"""Most lists for which all hierarchical models are fitted; above, see `_search`."""


class Model(NamedTuple):
    """A fitted log-linear model.

    estimate and se are those of the Poisson form, low and high the 95 % profile interval around
    `centre`, the maximum of the profile likelihood. high is infinite where nothing bounds it.
    """

    terms: Terms
    estimate: float
    se: float
    low: float
    high: float
    centre: float
    deviance: float
    df: int
    aic: float
    aicc: float
    bic: float


class Fitted(NamedTuple):
    """Models with a finite, unique maximum, and those without, with the answer of `check`."""

    models: list[Model]
    failed: dict[Terms, int]


def fit_all(histories: Histories) -> Fitted:
    """Fit every hierarchical model with all main effects but the saturated one."""
    return fit_models(list(hierarchical(len(histories.lists))), histories.counts)


def fit_heterogeneous(histories: Histories) -> list[Model]:
    """Fit Mth Poisson2 and Mth Darroch: lists apart in size, cameras in how easily they are seen.

    With three lists or more, and only where their maximum exists.
    """
    counts, seen = histories.counts, histories.observed
    if len(histories.lists) < 3:
        return []
    found = []
    for repeated in models_of_histories(counts, only=HETEROGENEITY[1:]):
        fits, profiles = repeated.fits, repeated.profiles
        estimate, se = total(fits, seen)
        criteria = information_criteria(fits, seen)
        columns = (estimate, se, profiles.low, profiles.high, profiles.estimate, fits.deviance)
        row = np.column_stack([*columns, *criteria])[0].tolist()
        found.append(_model(row, repeated.df))
    return found


def fit_models(models: Sequence[Terms], counts: Array) -> Fitted:
    """Fit models whose maximum exists and is unique, many at a time; their order is kept."""
    answers = dict(zip(models, check_all(models, counts), strict=True))
    alike = defaultdict(list)
    for terms in models:
        if answers[terms] == FINE:
            reduced = reduce(terms, counts)
            alike[len(reduced.terms), reduced.zero_terms].append((terms, reduced))
    found: dict[Terms, Model] = {}
    for (_, zero), group in alike.items():
        cells = group[0][1].cells
        designs = design_of([reduced.terms for _, reduced in group], _lists(counts))[:, cells]
        for (terms, _), model in zip(
            group, _fit_alike(designs, counts, cells, len(zero)), strict=True
        ):
            found[terms] = model._replace(terms=terms)
    failed = {terms: answer for terms, answer in answers.items() if answer != FINE}
    return Fitted([found[terms] for terms in models if terms in found], failed)


def _lists(counts: Array) -> int:
    return (len(counts) - 1).bit_length()


def _fit_alike(designs: Array, counts: Array, cells: Index, n_zero: int) -> list[Model]:
    y, seen = counts[1:][cells], float(counts.sum())
    fits = fit(designs, y)
    estimate, se = total(fits, seen)
    aic, aicc, bic = information_criteria(fits, seen, extra=n_zero)
    centre, low, high = profile(designs, y, fits)
    df = len(cells) - designs.shape[2]
    columns = (estimate, se, low, high, centre, fits.deviance, aic, aicc, bic)
    return [_model(row, df) for row in np.column_stack(columns).tolist()]


def _model(row: Sequence[float], df: int) -> Model:
    """Return a model without terms from its numbers, in their order but for df."""
    estimate, se, low, high, centre, deviance, aic, aicc, bic = row
    return Model((), estimate, se, low, high, centre, deviance, df, aic, aicc, bic)


def weights(models: Sequence[Model], criterion: str) -> Array:
    """Return the weight of each model by aic, aicc or bic, their sum 1."""
    values = np.array([getattr(model, criterion) for model in models])
    weight = np.exp(-(values - values.min()) / 2)
    shares: Array = weight / weight.sum()
    return shares


class Averaged(NamedTuple):
    """An average over models: mean, standard error between and within, and 95 % interval."""

    estimate: float
    se: float
    low: float
    high: float


def averaged(models: Sequence[Model], seen: float, *, criterion: str) -> Averaged:
    """Average the totals of models with their weights.

    The standard error is that of Buckland, Burnham and Augustin 1997; the interval has tail areas
    averaged over the profiles of the models (Fletcher and Turek 2012).
    """
    weight = weights(models, criterion)
    estimates = np.array([model.estimate for model in models])
    mean = float(weight @ estimates)
    se = float(weight @ np.sqrt(np.array([m.se for m in models]) ** 2 + (estimates - mean) ** 2))
    mixture = Mixture.of([Spread(m.centre, m.low, m.high, seen) for m in models], weight)
    return Averaged(mean, se, mixture.quantile(0.025), mixture.quantile(0.975))
