"""The model of raters: cameras that are there, that can be found at all, and that are found.

At a site stand N cameras, negative binomial around exp(x b). Each can be found with chance phi, so
M of N can. A rater reports BetaBinomial(M, q, rho) of those, and Poisson(f) that are none. An
expert reports N. All of it is summed over N and M exactly, so what is fitted are the parameters
alone: a marginal likelihood, explored around its maximum (Laplace) by importance sampling.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, gammaincinv, ndtr

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

PRIORS: Final = {
    "log mean of findable cameras": (0.0, 2.0),
    "effects of groups and covariates": (0.0, 1.0),
    "log dispersion": (0.0, 1.5),
    "logit detection of what can be found": (0.0, 1.5),
    "log false positives a site": (-3.5, 1.0),
    "logit spread of detection": (-2.5, 1.0),
    "logit share that can be found": (0.0, 1.5),
}
"""Normal priors, mean and standard deviation: wide, and stated with every result."""

_DRAWS: Final = 800
_KEPT: Final = 300
_T_DF: Final = 5.0
_STEP: Final = 2e-3
_MOST_CAMERAS: Final = 400


class Data(NamedTuple):
    """Sites that differ in nothing are one row with a weight.

    rater, reported: rows x most ratings of a site, rater -1 for none. expert: count or -1. design:
    number of the row of `covariates` (with an intercept). n_groups: of raters.
    """

    rater: Index
    reported: Index
    expert: Index
    design: Index
    weight: Floats
    covariates: Floats
    n_groups: int
    most: int  # largest number of cameras considered

    @property
    def has_expert(self) -> bool:
        """Whether the share that can be found at all can be told."""
        return bool((self.expert >= 0).any())


class Fit(NamedTuple):
    """Draws of the parameters and of the totals.

    total, findable: draws of the sums over all sites. by_row, spread: draws x rows, expectation
    and variance of the cameras at a site of each row, for sums over parts. q, f: draws x groups;
    rho, phi, dispersion: draws. effective: what the draws of importance sampling are worth.
    """

    total: Floats
    findable: Floats
    by_row: Floats
    spread: Floats
    q: Floats
    f: Floats
    rho: Floats
    phi: Floats
    dispersion: Floats
    effective: float


class _Parameters(NamedTuple):
    mean: Floats  # of findable cameras, by row of covariates
    dispersion: float
    q: Floats
    f: Floats
    rho: float
    phi: float


def fit(data: Data, random: np.random.Generator) -> Fit:
    """Fit the model and draw from its posterior."""
    centre, scale = _prior(data)

    def loss(theta: Floats) -> float:
        return -_log_posterior(theta, data, centre, scale)

    found = minimize(loss, _start(data, centre), method="L-BFGS-B", options={"maxiter": 200})
    precision = _hessian(loss, found.x)
    covariance = _inverse(precision, scale)
    draws, effective = _importance(loss, found.x, covariance, random)
    return _summed(draws, effective, data, random)


def _prior(data: Data) -> tuple[Floats, Floats]:
    names = list(PRIORS)
    n_effects = data.covariates.shape[1] - 1
    order = [names[0], *[names[1]] * n_effects, names[2], *[names[3]] * data.n_groups,
             *[names[4]] * data.n_groups, names[5]]  # fmt: skip
    if data.has_expert:
        order.append(names[6])
    priors = np.array([PRIORS[name] for name in order])
    return priors[:, 0], priors[:, 1]


def _start(data: Data, centre: Floats) -> Floats:
    start = centre.copy()
    rated = data.rater >= 0
    seen = (data.reported * rated).sum(axis=1) / np.maximum(rated.sum(axis=1), 1)
    start[0] = np.log(max(2 * float(np.average(seen, weights=data.weight)), 0.05))
    return start


def _unpacked(theta: Floats, data: Data) -> _Parameters:
    n, g = data.covariates.shape[1], data.n_groups
    theta = np.clip(theta, -12.0, 12.0)
    rest = theta[n + 1 :]
    return _Parameters(
        mean=np.exp(np.clip(data.covariates @ theta[:n], -12.0, 6.0)),
        dispersion=float(np.exp(theta[n])),
        q=expit(rest[:g]),
        f=np.exp(rest[g : 2 * g]),
        rho=float(expit(rest[2 * g])),
        phi=float(expit(rest[2 * g + 1])) if data.has_expert else 1.0,
    )


def _log_posterior(theta: Floats, data: Data, centre: Floats, scale: Floats) -> float:
    p = _unpacked(theta, data)
    likely, *_ = _sums(data, p)
    value = float(data.weight @ likely) - 0.5 * float((((theta - centre) / scale) ** 2).sum())
    return value if np.isfinite(value) else -1e12


def _sums(data: Data, p: _Parameters) -> tuple[Floats, ...]:
    reports = _reports(p.q, p.f, p.rho, data.most, int(data.reported.max()))
    findable = _negative_binomial(p.mean, p.dispersion, data.most)
    whole = _negative_binomial(p.mean / p.phi, p.dispersion, data.most)
    answer: tuple[Floats, ...] = _marginal(
        data.rater, data.reported, data.expert, data.design, reports, findable, whole, p.mean,
        p.dispersion, p.phi,
    )  # fmt: skip
    return answer


@numba.njit(cache=True)
def _negative_binomial(mean: Floats, dispersion: float, most: int) -> Floats:
    """Return the chance of 0 to most cameras: rows x counts."""
    table = np.empty((len(mean), most + 1))
    for i in range(len(mean)):
        share = mean[i] / (mean[i] + dispersion)
        table[i, 0] = (1 - share) ** dispersion
        for m in range(most):
            table[i, m + 1] = table[i, m] * share * (dispersion + m) / (m + 1)
    return table


@numba.njit(cache=True)
def _reports(q: Floats, f: Floats, rho: float, most: int, largest: int) -> Floats:
    """Return the chance that a rater of each group reports y where m can be found: g x m x y."""
    groups = len(q)
    table = np.zeros((groups, most + 1, largest + 1))
    wrong, right = np.empty(largest + 1), np.empty(largest + 1)
    for g in range(groups):
        wrong[0] = np.exp(-f[g])
        for y in range(largest):
            wrong[y + 1] = wrong[y] * f[g] / (y + 1)
        a, b = q[g] * (1 - rho) / rho, (1 - q[g]) * (1 - rho) / rho
        none = 1.0
        for m in range(most + 1):
            if m:
                none *= (b + m - 1) / (a + b + m - 1)
            right[:] = 0.0
            right[0] = none
            for x in range(min(m, largest)):
                right[x + 1] = right[x] * (m - x) / (x + 1) * (a + x) / (b + m - x - 1)
            for y in range(largest + 1):
                total = 0.0
                for x in range(min(m, y) + 1):
                    total += right[x] * wrong[y - x]
                table[g, m, y] = total
    return table


@numba.njit(cache=True)
def _binomial(m: int, n: int, p: float) -> float:
    logs = math.lgamma(n + 1) - math.lgamma(m + 1) - math.lgamma(n - m + 1)
    return math.exp(logs + m * math.log(p) + (n - m) * math.log1p(-p))


@numba.njit(cache=True)
def _marginal(
    rater: Index,
    reported: Index,
    expert: Index,
    design: Index,
    reports: Floats,
    findable: Floats,
    whole: Floats,
    mean: Floats,
    dispersion: float,
    phi: float,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return log likelihood, and means and variances of M and N given what was counted."""
    n, most = len(rater), findable.shape[1] - 1
    likely, mean_m, variance_m = np.empty(n), np.empty(n), np.empty(n)
    mean_n, variance_n = np.empty(n), np.empty(n)
    for i in range(n):
        d, truth = design[i], expert[i]
        total, first, second = 0.0, 0.0, 0.0
        last = most if truth < 0 else truth
        for m in range(last + 1):
            weight = findable[d, m] if truth < 0 else _binomial(m, truth, phi)
            for r in range(rater.shape[1]):
                if rater[i, r] >= 0:
                    weight *= reports[rater[i, r], m, reported[i, r]]
            total += weight
            first += weight * m
            second += weight * m * m
        total = max(total, 1e-300)
        mean_m[i] = first / total
        variance_m[i] = max(second / total - mean_m[i] ** 2, 0.0)
        if truth >= 0:
            likely[i] = np.log(total) + np.log(max(whole[d, truth], 1e-300))
            mean_n[i], variance_n[i] = truth, 0.0
        else:
            likely[i] = np.log(total)
            # Given M, what cannot be found is negative binomial with shape k + M.
            ratio = (1 - phi) / (dispersion / (mean[d] / phi) + phi)
            mean_n[i] = mean_m[i] + ratio * (dispersion + mean_m[i])
            inner = (dispersion + mean_m[i]) * ratio * (1 + ratio)
            variance_n[i] = (1 + ratio) ** 2 * variance_m[i] + inner
    return likely, mean_m, variance_m, mean_n, variance_n


def _hessian(loss: Callable[[Floats], float], at: Floats) -> Floats:
    n = len(at)
    unit = np.eye(n) * _STEP
    middle = loss(at)
    one = np.array([[loss(at + s * unit[i]) for s in (1, -1)] for i in range(n)])
    result = np.empty((n, n))
    for i in range(n):
        result[i, i] = (one[i].sum() - 2 * middle) / _STEP**2
        for j in range(i):
            both = loss(at + unit[i] + unit[j])
            neither = loss(at - unit[i] - unit[j])
            crossed = (both + neither - one[i].sum() - one[j].sum() + 2 * middle) / 2
            result[i, j] = result[j, i] = crossed / _STEP**2
    return result


def _inverse(precision: Floats, scale: Floats) -> Floats:
    """Return the covariance; no direction is tighter or wider than numbers or priors allow."""
    values, vectors = np.linalg.eigh((precision + precision.T) / 2)
    values = np.clip(values, 1 / (scale.max() * 2) ** 2, None)
    return np.asarray((vectors / values) @ vectors.T)


def _importance(
    loss: Callable[[Floats], float], mode: Floats, covariance: Floats, random: np.random.Generator
) -> tuple[Floats, float]:
    """Return draws from the posterior, through a t distribution around its mode."""
    n = len(mode)
    root = np.linalg.cholesky(covariance)
    normal = random.standard_normal((_DRAWS, n))
    stretch = np.sqrt(_T_DF / random.chisquare(_T_DF, _DRAWS))
    steps = normal * stretch[:, None]
    theta = mode + steps @ root.T
    log_q = -(_T_DF + n) / 2 * np.log1p((steps**2).sum(axis=1) / _T_DF)
    log_w = np.array([-loss(row) for row in theta]) - log_q
    weight = np.exp(log_w - log_w.max())
    # A few draws in a far tail must not carry the answer (Ionides 2008, truncated weights).
    weight = np.minimum(weight / weight.mean(), np.sqrt(_DRAWS))
    weight /= weight.sum()
    kept = random.choice(_DRAWS, _KEPT, p=weight)
    return theta[kept], float(1 / (weight**2).sum())


def _summed(draws: Floats, effective: float, data: Data, random: np.random.Generator) -> Fit:
    total, findable, rows, spread, parameters = [], [], [], [], []
    for theta in draws:
        p = _unpacked(theta, data)
        _, mean_m, variance_m, mean_n, variance_n = _sums(data, p)
        total.append(drawn(data.weight, mean_n, variance_n, random.standard_normal()))
        findable.append(drawn(data.weight, mean_m, variance_m, random.standard_normal()))
        rows.append(mean_n)
        spread.append(variance_n)
        parameters.append(p)
    return Fit(
        np.array(total),
        np.array(findable),
        np.array(rows),
        np.array(spread),
        np.array([p.q for p in parameters]),
        np.array([p.f for p in parameters]),
        np.array([p.rho for p in parameters]),
        np.array([p.phi for p in parameters]),
        np.array([p.dispersion for p in parameters]),
        effective,
    )


def drawn(weight: Floats, mean: Floats, variance: Floats, z: float) -> float:
    """Return a sum over sites, drawn: what is sure of it, and a gamma variable for the rest.

    A sum of counts is not negative; where it is large, the gamma is nearly normal. z: standard
    normal, where in the distribution to be.
    """
    is_sure = variance <= 0
    sure = float(weight[is_sure] @ mean[is_sure])
    rest = float(weight[~is_sure] @ mean[~is_sure])
    if rest <= 0:
        return sure
    scale = float(weight[~is_sure] @ variance[~is_sure]) / rest
    return sure + scale * float(gammaincinv(rest / scale, ndtr(z)))


def most_cameras(largest: int) -> int:
    """Return how many cameras at a site are considered, for the largest count at one."""
    return min(8 * largest + 30, _MOST_CAMERAS)
