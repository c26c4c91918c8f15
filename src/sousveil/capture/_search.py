"""A search among log-linear models with effects of pairs of lists, for more than five lists."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
from scipy.stats import poisson

from sousveil.capture._existence import FINE, check, reduce
from sousveil.capture._histories import Array
from sousveil.capture._loglinear import Fits, Terms, design_of, fit

ENTERS_BELOW: Final = 0.02
"""The p-value below which a pair enters, as in SparseMSE."""


def fit_one(terms: Terms, counts: Array) -> Fits:
    """Fit one model, the terms that are minus infinity and their cells left out."""
    reduced = reduce(terms, counts)
    k = (len(counts) - 1).bit_length()
    design = design_of([reduced.terms], k)[:, reduced.cells]
    return fit(design, counts[1:][reduced.cells])


def stepwise(counts: Array, *, enters_below: float = ENTERS_BELOW) -> Terms:
    """Add, from main effects on, the pair whose overlap the model explains worst.

    The p-value of a pair is the smaller Poisson tail of its observed overlap given the expected
    one; pairs without which no finite maximum exists never enter. It ends when no pair is below
    `enters_below`. Source: Chan, Silverman and Vincent 2021 (SparseMSE).
    """
    k = (len(counts) - 1).bit_length()
    pairs = [1 << i | 1 << j for i, j in itertools.combinations(range(k), 2)]
    codes = np.arange(len(counts))
    overlap = {pair: counts[codes & pair == pair].sum() for pair in pairs}
    terms: Terms = tuple(1 << i for i in range(k))
    while True:
        expected = _expected(terms, counts)
        p_values = {}
        for pair in pairs:
            if pair not in terms and check((*terms, pair), counts) == FINE:
                mean = expected[codes & pair == pair].sum()
                at_most, more = (
                    poisson.cdf(overlap[pair], mean),
                    poisson.sf(overlap[pair] - 1, mean),
                )
                p_values[pair] = min(at_most, more)
        best = min(p_values, key=lambda pair: p_values[pair], default=None)
        if best is None or p_values[best] >= enters_below:
            return terms
        terms = (*terms, best)


def _expected(terms: Terms, counts: Array) -> Array:
    expected = np.zeros(len(counts))
    expected[1:][reduce(terms, counts).cells] = fit_one(terms, counts).expected[0]
    return expected


def near(searched: Terms, counts: Array) -> list[Terms]:
    """Return the models with pairs that a search passed, and all one pair away from them."""
    k = (len(counts) - 1).bit_length()
    pairs = [1 << i | 1 << j for i, j in itertools.combinations(range(k), 2)]
    passed = [searched[:n] for n in range(k, len(searched) + 1)]
    found = {tuple(sorted(terms)): terms for terms in passed}
    for terms in passed:
        for pair in pairs:
            other = tuple(t for t in terms if t != pair) if pair in terms else (*terms, pair)
            found.setdefault(tuple(sorted(other)), other)
    return list(found.values())
