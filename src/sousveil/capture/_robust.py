"""A doubly robust estimate: two lists that are independent among cameras alike in covariates.

Das, Kennedy and Jewell 2023 (JRSS B 85), one-step estimator with cross-fitting.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from sousveil.capture._histories import Array, Index

FOLDS: Final = 5
SPLITS: Final = 7
"""How often the cameras are put into folds anew."""
RIDGES: Final = (0.01, 0.1, 1.0, 10.0, 100.0)
"""Penalties that are tried on the squared coefficients of standardised features."""

_LEAST: Final = 0.005  # chance of being in both lists below which one camera would weigh too much
_STEPS: Final = 50


class Robust(NamedTuple):
    """Estimate and standard error of the total.

    clipped: share of the cameras whose chance of being in both lists had to be raised to a floor.
    """

    estimate: float
    se: float
    clipped: float


def estimate(first: Index, second: Index, covariates: Array, weight: Array, *,
             seed: int = 0, splits: int = SPLITS) -> Robust | None:  # fmt: skip
    """Estimate the total from the cameras that were seen, each with covariates.

    first, second: whether each is in either list of the pair (both 0 where only in further
    lists); weight: how many cameras a row stands for, whole; covariates: (rows, columns) numbers.
    None where no camera is in both lists.

    With q1, q2 and q12 the chances of a seen camera to be in the first, the second, in both,
    N = sum of q1 q2 / q12 (y1 / q1 + y2 / q2 - y1 y2 / q12). Off-fold estimates of q come from a
    multinomial logistic regression with squares and products, its penalty chosen by likelihood
    inside the fold. How the cameras fall into folds moves the estimate; it is the median over
    `splits` of them, and its variance the median of variance and squared distance to it
    (Chernozhukov et al. 2018, Econometrics Journal 21, definition 3.3).
    """
    rows = np.repeat(np.arange(len(first)), weight.round().astype(int))
    y1, y2, x = first[rows], second[rows], covariates[rows]
    if not (y1 & y2).any():
        return None
    features, n_plain = _features(x)
    found = [_of_split(y1, y2, features, n_plain, [seed, split]) for split in range(splits)]
    estimates, errors, clipped = np.array(found).T
    middle = float(np.median(estimates))
    variance = np.median(errors**2 + (estimates - middle) ** 2)
    return Robust(middle, float(np.sqrt(variance)), float(np.median(clipped)))


def _of_split(y1: Index, y2: Index, features: Array, n_plain: int, seed: list[int]) -> Robust:
    """Estimate with one split of the cameras into folds."""
    seen, kind = len(y1), y1 + 2 * y2
    fold = np.random.default_rng(seed).permutation(seen) % FOLDS
    q = np.empty((seen, 3))
    for k in range(FOLDS):
        trained = fold != k
        q[~trained] = _chances(features[trained], kind[trained], features[~trained], n_plain, seed)
    q1, q2, q12 = q.T
    clipped = float((q12 < _LEAST).mean())
    q12 = np.maximum(q12, _LEAST)
    q1, q2 = np.maximum(q1, q12), np.maximum(q2, q12)
    part = q1 * q2 / q12 * (y1 / q1 + y2 / q2 - y1 * y2 / q12)
    total = float(part.sum())
    psi = min(seen / total, 1.0) if total > 0 else 1.0
    variance = seen * float(part.var(ddof=1)) + max(total, seen) * (1 - psi) / max(psi, 1e-9)
    return Robust(max(total, float(seen)), float(np.sqrt(variance)), clipped)


def _features(x: Array) -> tuple[Array, int]:
    """Return 1, standardised covariates, their squares and products; and how many come before."""
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    n = z.shape[1]
    products = [z[:, i] * z[:, j] for i in range(n) for j in range(i, n) if _varies(z, i, j)]
    columns = np.column_stack([z, *products]) if products else z
    scale = columns.std(axis=0)
    columns = (columns - columns.mean(axis=0)) / np.where(scale > 0, scale, 1)
    return np.column_stack([np.ones(len(x)), columns]), 1 + n


def _varies(z: Array, i: int, j: int) -> bool:
    """Return whether a product adds anything: the square of a yes or no does not."""
    return i != j or len(np.unique(z[:, i])) > 2


def _chances(x: Array, kind: Index, at: Array, n_plain: int,
             seed: list[int]) -> Array:  # fmt: skip
    """Return q1, q2 and q12 at some rows, learnt from others.

    Penalty, and whether squares and products (after the first n_plain columns) are used, are those
    that foretell a quarter of the others best.
    """
    n = len(kind)
    held_out = np.random.default_rng([*seed, 1]).permutation(n) % 4 == 0
    scores = {}
    found = {}
    for columns in (n_plain, x.shape[1]):
        z = x[:, :columns]
        beta = np.zeros((3, columns))
        for ridge in sorted(RIDGES, reverse=True):
            beta = _multinomial(z[~held_out], kind[~held_out], ridge, beta)
            p = _probabilities(z[held_out], beta)[np.arange(held_out.sum()), kind[held_out]]
            scores[columns, ridge] = float(np.log(np.maximum(p, 1e-12)).mean())
            found[columns, ridge] = beta
    columns, ridge = best = max(scores, key=lambda key: scores[key])
    p = _probabilities(at[:, :columns], _multinomial(x[:, :columns], kind, ridge, found[best]))
    q = np.column_stack([p[:, 1] + p[:, 3], p[:, 2] + p[:, 3], p[:, 3]])
    return np.maximum(q, 1e-6)


def _probabilities(x: Array, beta: Array) -> Array:
    eta = np.column_stack([np.zeros(len(x)), x @ beta.T])
    p = np.exp(eta - eta.max(axis=1, keepdims=True))
    shares: Array = p / p.sum(axis=1, keepdims=True)
    return shares


def _multinomial(x: Array, kind: Index, ridge: float, start: Array) -> Array:
    """Fit a penalised multinomial logistic regression; coefficients of kinds 1, 2 and 3.

    Kind 0, in neither list, is the reference. start: coefficients to start from.
    """
    p = x.shape[1]
    beta = start.copy()
    penalty = np.full(p, ridge)
    penalty[0] = 1e-3
    y = (kind[:, None] == np.arange(1, 4)).astype(float)
    for _ in range(_STEPS):
        share = _probabilities(x, beta)[:, 1:]
        score = (y - share).T @ x - penalty * beta
        information = np.zeros((3 * p, 3 * p))
        for a in range(3):
            for b in range(a, 3):
                w = share[:, a] * ((a == b) - share[:, b])
                block = (x * w[:, None]).T @ x
                information[a * p : (a + 1) * p, b * p : (b + 1) * p] = block
                information[b * p : (b + 1) * p, a * p : (a + 1) * p] = block
        information += np.diag(np.tile(penalty, 3))
        step = np.linalg.solve(information, score.ravel()).reshape(3, p)
        size = np.abs(step).max()
        beta += step * min(1.0, 3.0 / max(size, 1e-12))
        if size < 1e-6:
            break
    return beta
