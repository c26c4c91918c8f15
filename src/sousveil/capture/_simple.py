"""Estimates by formula: Lincoln-Petersen, Chapman, Chao's lower bound, sample coverage."""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import numpy as np

from sousveil.capture._histories import Array, Histories
from sousveil.capture._loglinear import NORMAL_95

HIGH_COVERAGE: Final = 0.55
"""Coverage from which dependence is solved for; below, it is measured once (CARE1)."""

_RESAMPLES: Final = 500


class Simple(NamedTuple):
    """An estimate with its standard error, and the cameras that are certain to exist."""

    estimate: float
    se: float
    at_least: float


def log_interval(estimate: float, se: float, at_least: float) -> tuple[float, float]:
    """Return the 95 % interval of Chao 1987: the unseen are taken as log-normal.

    It never goes below the cameras that were seen.
    """
    unseen = estimate - at_least
    if unseen <= 0:
        return at_least, at_least
    factor = float(np.exp(NORMAL_95 * np.sqrt(np.log1p((se / unseen) ** 2))))
    return at_least + unseen / factor, at_least + unseen * factor


class Linkage(NamedTuple):
    """How well two lists were linked.

    alpha: chance that a camera of both lists is linked; beta: chance that one of the second list
    that the first does not hold is linked to something. With their standard errors.
    """

    alpha: float = 1.0
    beta: float = 0.0
    alpha_se: float = 0.0
    beta_se: float = 0.0


class TwoLists(NamedTuple):
    """Two lists of n1 and n2 cameras, the shared ones corrected for errors of linkage.

    linked were linked; shared is the estimate of those in both, shared_variance what the errors
    of linkage add to its variance.
    """

    n1: float
    n2: float
    linked: float
    shared: float
    shared_variance: float

    @property
    def at_least(self) -> float:
        """Cameras in either list, by the corrected number of shared ones."""
        return self.n1 + self.n2 - self.shared


def two_lists(histories: Histories, linkage: Linkage | None = None) -> TwoLists:
    """Return sizes and overlap of two lists, corrected for errors of linkage.

    Source: Ding and Fienberg 1994: of n2, m are shared and linked = alpha m + beta (n2 - m) on
    average.
    """
    (n1, linked), (_, n2) = histories.both().tolist()
    alpha, beta, alpha_se, beta_se = linkage or Linkage()
    shared = (linked - beta * n2) / (alpha - beta)
    inside = min(max(shared, 0.0), n1, n2)
    by_chance = inside * alpha * (1 - alpha) + (n2 - inside) * beta * (1 - beta)
    by_rates = (inside * alpha_se) ** 2 + ((n2 - inside) * beta_se) ** 2
    return TwoLists(n1, n2, linked, shared, (by_chance + by_rates) / (alpha - beta) ** 2)


def lincoln_petersen(lists: TwoLists) -> Simple:
    """Return N = n1 n2 / m; with errors of linkage n1 n2 (alpha - beta) / (linked - beta n2).

    The variance is that of the overlap given the sizes, and of the linkage, by the delta method.
    """
    n1, n2, m = lists.n1, lists.n2, lists.shared
    estimate = n1 * n2 / m
    sampling = n1 * n2 * (n1 - m) * (n2 - m) / m**3
    variance = max(sampling, 0.0) + (estimate / m) ** 2 * lists.shared_variance
    return Simple(estimate, float(np.sqrt(variance)), lists.at_least)


def chapman(lists: TwoLists) -> Simple:
    """Return N = (n1 + 1)(n2 + 1) / (m + 1) - 1. Source: Chapman 1951, Seber 1970."""
    n1, n2, m = lists.n1, lists.n2, lists.shared
    whole = (n1 + 1) * (n2 + 1)
    sampling = whole * (n1 - m) * (n2 - m) / ((m + 1) ** 2 * (m + 2))
    variance = max(sampling, 0.0) + (whole / (m + 1) ** 2) ** 2 * lists.shared_variance
    return Simple(whole / (m + 1) - 1, float(np.sqrt(variance)), lists.at_least)


def chao(histories: Histories) -> Simple:
    """Return Chao's lower bound from the cameras in exactly one and exactly two lists."""
    times = histories.times()
    return lower_bound(times[0], times[1], histories.observed, len(histories.lists))


def lower_bound(f1: float, f2: float, seen: float, t: int | None = None, *,
                corrected: bool | None = None) -> Simple:  # fmt: skip
    """Return Chao's lower bound: seen + f1^2 / (2 f2), times (t - 1) / t for t occasions.

    corrected: the form f1 (f1 - 1) / (2 (f2 + 1)), by default only where f2 is 0.
    Source: Chao 1987 (Biometrics 43); variances of Chao and of Chiu et al. 2014.
    """
    share = 1.0 if t is None else (t - 1) / t
    if f2 == 0 if corrected is None else corrected:
        unseen = share * f1 * (f1 - 1) / (2 * (f2 + 1))
        variance = (
            share * f1 * (f1 - 1) / (2 * (f2 + 1))
            + share**2 * f1 * (2 * f1 - 1) ** 2 / (4 * (f2 + 1) ** 2)
            + share**2 * f1**2 * f2 * (f1 - 1) ** 2 / (4 * (f2 + 1) ** 4)
        )
    else:
        ratio = f1 / f2
        unseen = share * f1 * ratio / 2
        variance = f2 * (share * ratio**2 / 2 + share**2 * ratio**3 + share**2 * ratio**4 / 4)
    return Simple(seen + unseen, float(np.sqrt(max(variance, 0.0))), seen)


def sample_coverage(histories: Histories, *, seed: int = 0) -> Simple | None:
    """Return the estimate by sample coverage, with a bootstrap standard error.

    Dependence between pairs of lists is measured by their overlaps; above HIGH_COVERAGE the total
    is solved for with it, below it is corrected in one step.
    For three lists or more; None where no camera is in two. Source: Chao and Tsay 1998
    (JASA 93), Tsay and Chao 2001.
    """
    counts = histories.counts
    covered = coverage(counts)
    if covered <= 0:
        return None
    high = covered > HIGH_COVERAGE and np.isfinite(coverage_estimates(counts)[2])
    estimate = _by_coverage(counts, high)
    drawn = _resamples(counts, estimate, np.random.default_rng(seed))
    values = np.array([_by_coverage(one, high) for one in drawn if coverage(one) > 0])
    values = values[np.isfinite(values)]
    return Simple(estimate, float(values.std(ddof=1)), histories.observed)


def _resamples(counts: Array, estimate: float, rng: np.random.Generator) -> Array:
    """Return tables drawn from the observed histories with the estimated number unseen."""
    shares = counts.copy()
    shares[0] = max(estimate - counts.sum(), 0.0)
    drawn = rng.multinomial(round(shares.sum()), shares / shares.sum(), size=_RESAMPLES)
    drawn[:, 0] = 0
    return drawn.astype(float)


def coverage(counts: Array) -> float:
    """Return C = 1 - the mean share of each list that no other list holds."""
    singles, sizes = _singles(counts)
    return float(1 - np.mean(singles / np.maximum(sizes, 1)))


def _singles(counts: Array) -> tuple[Array, Array]:
    k = (len(counts) - 1).bit_length()
    codes = np.arange(len(counts))
    sizes = np.array([counts[codes >> i & 1 == 1].sum() for i in range(k)])
    return counts[1 << np.arange(k)], sizes


def _by_coverage(counts: Array, high: bool) -> float:
    _, one_step, solved = coverage_estimates(counts)
    return float(max(solved if high else one_step, counts.sum()))


def coverage_estimates(counts: Array) -> tuple[float, float, float]:
    """Return the estimates for independent lists, in one step, and for high coverage.

    The last one is infinite where its denominator is not positive.
    """
    k = (len(counts) - 1).bit_length()
    codes = np.arange(len(counts))
    singles, sizes = _singles(counts)
    c, d = coverage(counts), counts.sum() - singles.mean()
    alone, together = [], []
    for i, j in itertools.combinations(range(k), 2):
        one, other = 1 << i, 1 << j
        shared = counts[codes & (one | other) == one | other].sum()
        alone.append(counts[one] + counts[other] + 2 * counts[one | other])
        together.append(shared / (sizes[i] * sizes[j]))
    a, b = np.array(alone), np.array(together)
    independent = d / c
    nearer = independent + (a * (independent * b - 1)).sum() / (k * c)
    one_step = independent + (a * (nearer * b - 1)).sum() / (k * c)
    room = k * c - (a * b).sum()
    high = (k * d - a.sum()) / room if room > 0 else np.inf
    return float(independent), float(one_step), float(high)
