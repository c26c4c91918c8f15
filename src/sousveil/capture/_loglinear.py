"""Log-linear models of capture histories: Poisson regressions, many at a time.

Fienberg 1972 (Biometrika 59), Cormack 1992 (Biometrics 48) for the profile likelihood.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import digamma, gammaln

from sousveil.capture._histories import Array, Index

NORMAL_95: Final = 1.959963984540054

_MOST_STEPS: Final = 60
_UNBOUNDED: Final = 1e7
"""Times the cameras seen; an upper bound above that is none."""


class Fits(NamedTuple):
    """Maximum likelihood of several models with as many parameters: one row a model.

    coefficients: (models, parameters), the logarithm of the unseen first. covariance of them.
    expected: counts by cell. converged says where a finite maximum was reached.
    """

    coefficients: Array
    covariance: Array
    expected: Array
    deviance: Array
    log_likelihood: Array
    converged: npt.NDArray[np.bool_]


class Profiles(NamedTuple):
    """Multinomial profile likelihood of the total, one row a model.

    estimate, low, high: the total at the maximum, and where it falls by what 95 % allows; high is
    infinite where it never does.
    """

    estimate: Array
    low: Array
    high: Array


def fit(design: Array, counts: Array, *, offset: Array | None = None) -> Fits:
    """Fit Poisson regressions with logarithmic link by Newton's method.

    design: (models, cells, parameters); counts: (cells,); offset: (cells,).
    """
    y = np.broadcast_to(counts, design.shape[:2])
    beta, deviance, converged = maximise(design, y, offset, None)
    mu = _expected(design, beta, _shift(offset, design))
    covariance = np.linalg.pinv(_information(design, mu), hermitian=True)
    likelihood = (y * np.log(np.maximum(mu, 1e-300)) - mu - gammaln(y + 1)).sum(axis=1)
    return Fits(beta, covariance.astype(np.float64), mu, deviance, likelihood, converged)


def maximise(design: Array, y: Array, offset: Array | None,
             start: Array | None) -> tuple[Array, Array, npt.NDArray[np.bool_]]:  # fmt: skip
    """Return coefficients, deviance and whether a maximum was reached, of models (rows).

    y: (models, cells). start: coefficients to start from.
    """
    shift = _shift(offset, design)
    beta = _start(design, y, shift) if start is None else start.copy()
    deviance = _deviance(y, _expected(design, beta, shift))
    going = np.arange(len(design))
    for _ in range(_MOST_STEPS):
        x, seen = design[going], y[going]
        step = _newton_step(x, seen, _expected(x, beta[going], shift))
        new, new_deviance = _shortened(x, seen, shift, beta[going], step, deviance[going])
        gain = np.abs(deviance[going] - new_deviance)
        beta[going], deviance[going] = new, new_deviance
        going = going[gain > 1e-10 * (np.abs(new_deviance) + 1e-2)]
        if not going.size:
            break
    converged = np.ones(len(design), bool)
    converged[going] = False
    return beta, deviance, converged


def without_negative(design: Array, y: Array, offset: Array | None,
                     n_bounded: int) -> tuple[Array, int]:  # fmt: skip
    """Drop, one by one, negative ones of the last parameters of a single model.

    Returns the design that is left and how many bounded parameters it has.
    """
    while n_bounded:
        beta, _, _ = maximise(design, y, offset, None)
        negative = np.flatnonzero(beta[0, design.shape[2] - n_bounded :] < 0)
        if not negative.size:
            break
        design = np.delete(design, design.shape[2] - n_bounded + negative[0], axis=2)
        n_bounded -= 1
    return design, n_bounded


def _shift(offset: Array | None, design: Array) -> Array:
    return np.zeros(design.shape[1]) if offset is None else offset


def _start(design: Array, y: Array, shift: Array) -> Array:
    """Return the least squares of the logarithms, weighted by the counts, as a first guess."""
    weight = y + 0.1
    target = np.log(weight) - shift
    weighted = design * weight[..., None]
    normal = weighted.swapaxes(1, 2) @ design
    return _solve(normal, (weighted * target[..., None]).sum(axis=1))


def _expected(design: Array, beta: Array, shift: Array) -> Array:
    eta = (design @ beta[..., None])[..., 0] + shift
    expected: Array = np.exp(np.clip(eta, -300, 300))
    return expected


def _information(design: Array, mu: Array) -> Array:
    information: Array = (design * mu[..., None]).swapaxes(1, 2) @ design
    return information


def _newton_step(design: Array, y: Array, mu: Array) -> Array:
    score = ((y - mu)[:, None, :] @ design)[:, 0, :]
    return _solve(_information(design, mu), score)


def _solve(matrices: Array, right: Array) -> Array:
    scale = np.einsum("bii->bi", matrices).mean(axis=1) * 1e-13 + 1e-300
    steady = matrices + scale[:, None, None] * np.eye(matrices.shape[1])
    solved: Array = np.linalg.solve(steady, right[..., None])[..., 0]
    return solved


def _shortened(design: Array, y: Array, shift: Array, beta: Array, step: Array,
               before: Array) -> tuple[Array, Array]:  # fmt: skip
    """Go by the step, or half as far as often as that makes the fit worse."""
    new = beta + step
    deviance = _deviance(y, _expected(design, new, shift))
    for _ in range(30):
        worse = np.flatnonzero(~(deviance <= before + 1e-9 * (np.abs(before) + 1)))
        if not worse.size:
            break
        step[worse] /= 2
        new[worse] = beta[worse] + step[worse]
        deviance[worse] = _deviance(y[worse], _expected(design[worse], new[worse], shift))
    return new, deviance


def _deviance(y: Array, mu: Array) -> Array:
    ratio = np.log(np.where(y > 0, y, 1)) - np.log(np.maximum(mu, 1e-300))
    deviance: Array = 2 * (np.where(y > 0, y * ratio, 0.0) - (y - mu)).sum(axis=1)
    return deviance


def total(fits: Fits, observed: float) -> tuple[Array, Array]:
    """Return the total of each model and its standard error (Poisson sampling, delta method).

    The first coefficient is the logarithm of the unseen.
    """
    unseen = np.exp(fits.coefficients[:, 0])
    variance = unseen + unseen**2 * fits.covariance[:, 0, 0]
    return observed + unseen, np.sqrt(variance)


def information_criteria(
    fits: Fits, observed: float, *, extra: int = 0
) -> tuple[Array, Array, Array]:
    """Return AIC, AICc and BIC of each model; extra: parameters at infinity.

    The sample size in BIC and AICc is the number of cameras seen, as in Rcapture.
    """
    p = fits.coefficients.shape[1] + extra
    aic = 2 * p - 2 * fits.log_likelihood
    room = observed - p - 1
    correction = 2 * p * (p + 1) / room if room > 0 else np.inf
    return aic, aic + correction, np.log(observed) * p - 2 * fits.log_likelihood


def profile(design: Array, counts: Array, fits: Fits, *, offset: Array | None = None,
            n_bounded: int = 0) -> Profiles:  # fmt: skip
    """Return estimates and 95 % intervals from the multinomial profile likelihood of the total.

    For a number of unseen cameras the model is fitted to all cells, the unseen one with it; the
    number is continuous. n_bounded: that many last parameters are dropped one by one while
    negative. Source: Cormack 1992. Shapes as for `fit`.
    """
    seen = float(counts.sum())
    curve = _Curve.of(design, counts, offset, n_bounded)
    guess = np.clip(fits.coefficients[:, 0], np.log(1e-6), np.log(_UNBOUNDED * seen))
    centre = _highest(curve, guess, seen)
    top = curve.height(centre)[0]
    spread = np.sqrt(np.clip(fits.covariance[:, 0, 0] + np.exp(-centre), 1e-8, 25.0))
    low = _crossing(curve, centre, top, spread, seen, side=-1)
    high = _crossing(curve, centre, top, spread, seen, side=1)
    return Profiles(seen + np.exp(centre), seen + np.exp(low), seen + np.exp(high))


class _Curve(NamedTuple):
    """What the profile likelihood of several models is made from, the unseen cell last.

    start holds the coefficients found last, from which the next ones are looked for.
    """

    design: Array
    counts: Array
    offset: Array | None
    n_bounded: int
    start: Array

    @classmethod
    def of(cls, design: Array, counts: Array, offset: Array | None, n_bounded: int) -> _Curve:
        empty = np.zeros((len(design), 1, design.shape[2]))
        empty[:, 0, 0] = 1
        return cls(
            np.concatenate([design, empty], axis=1),
            np.broadcast_to(counts, design.shape[:2]),
            None if offset is None else np.append(offset, 0.0),
            n_bounded,
            np.full((len(design), design.shape[2]), np.nan),
        )

    def height(self, log_unseen: Array, rows: Index | None = None) -> tuple[Array, Array]:
        """Return the likelihood at the logarithm of the unseen, and its slope there."""
        rows = np.arange(len(self.design)) if rows is None else rows
        unseen = np.exp(log_unseen)
        y = np.concatenate([self.counts[rows], unseen[:, None]], axis=1)
        deviance, expected = self._fitted(y, rows)
        n = y.sum(axis=1)
        height = (
            unseen * log_unseen
            - n * np.log(n)
            + gammaln(n + 1)
            - gammaln(unseen + 1)
            - deviance / 2
        )
        slope = digamma(n + 1) - digamma(unseen + 1) + np.log(expected[:, -1] / n)
        return height, slope * unseen

    def _fitted(self, y: Array, rows: Index) -> tuple[Array, Array]:
        if self.n_bounded:
            return self._bounded(y)
        design, known = self.design[rows], self.start[rows]
        start = None if np.isnan(known).any() else known
        beta, deviance, _ = maximise(design, y, self.offset, start)
        self.start[rows] = beta
        return deviance, _expected(design, beta, _shift(self.offset, design))

    def _bounded(self, y: Array) -> tuple[Array, Array]:
        design, _ = without_negative(self.design, y, self.offset, self.n_bounded)
        beta, deviance, _ = maximise(design, y, self.offset, None)
        return deviance, _expected(design, beta, _shift(self.offset, design))


def _highest(curve: _Curve, guess: Array, seen: float) -> Array:
    """Return where the slope is zero, by safeguarded secants."""
    at = guess.copy()
    low, high = np.full_like(at, np.log(1e-9)), np.full_like(at, np.log(_UNBOUNDED * seen * 10))
    _, slope = curve.height(at)
    before, slope_before = at - 0.05, curve.height(at - 0.05)[1]
    going = np.arange(len(at))
    for _ in range(40):
        falling = slope[going] < 0
        high[going] = np.where(falling, np.minimum(high[going], at[going]), high[going])
        low[going] = np.where(falling, low[going], np.maximum(low[going], at[going]))
        change = slope[going] - slope_before[going]
        with np.errstate(divide="ignore", invalid="ignore"):
            new = at[going] - slope[going] * (at[going] - before[going]) / change
        away = ~((new > low[going]) & (new < high[going]))
        capped = np.clip(new, at[going] - 2, at[going] + 2)
        new = np.where(away, _inside(low[going], high[going], at[going], falling), capped)
        before[going], slope_before[going] = at[going], slope[going]
        at[going] = new
        slope[going] = curve.height(new, going)[1]
        going = going[np.abs(at[going] - before[going]) > 1e-6]
        if not going.size:
            break
    return at


def _inside(low: Array, high: Array, at: Array, falling: np.ndarray) -> Array:
    """Return a step of at most 2 towards the side where the curve rises."""
    return np.where(
        falling, np.maximum((low + at) / 2, at - 2), np.minimum((high + at) / 2, at + 2)
    )


def _crossing(curve: _Curve, centre: Array, top: Array, spread: Array, seen: float,
              *, side: int) -> Array:  # fmt: skip
    """Return where the signed root of the likelihood ratio passes 1.96, by secants on the root.

    The root is nearly a straight line in the logarithm of the unseen. Minus or plus infinity where
    it never gets there.
    """
    limit = np.log(1e-4) if side < 0 else np.log(_UNBOUNDED * seen)
    at = centre + side * NORMAL_95 * spread
    at = np.maximum(at, limit) if side < 0 else np.minimum(at, limit)
    near, near_root = centre.copy(), np.zeros_like(centre)
    far, far_root = np.full_like(centre, np.nan), np.full_like(centre, np.nan)
    result = np.full_like(centre, np.nan)
    going = np.arange(len(centre))
    for _ in range(60):
        height, _ = curve.height(at[going], going)
        root = np.sqrt(np.maximum(2 * (top[going] - height), 0))
        done = np.abs(root - NORMAL_95) < 1e-7
        short = root < NORMAL_95
        ended = short & (np.abs(at[going] - limit) < 1e-9)
        result[going[done]] = at[going[done]]
        result[going[ended & ~done]] = side * np.inf
        inner, outer = going[short], going[~short]
        near[inner], near_root[inner] = at[inner], root[short]
        far[outer], far_root[outer] = at[outer], root[~short]
        at[going] = _next(near, near_root, far, far_root, at, spread, going, side, limit)
        closed = np.abs(far[going] - near[going]) < 1e-9
        result[going[closed & ~done & ~ended]] = at[going[closed & ~done & ~ended]]
        going = going[~(done | ended | closed)]
        if not going.size:
            break
    result[going] = at[going]
    return result


def _next(near: Array, near_root: Array, far: Array, far_root: Array, at: Array, spread: Array,
          going: Index, side: int, limit: float) -> Array:  # fmt: skip
    a, ra, b, rb = near[going], near_root[going], far[going], far_root[going]
    share = (NORMAL_95 - ra) / np.where(np.isnan(rb), 1, np.maximum(rb - ra, 1e-12))
    between = a + np.clip(share, 0.02, 0.98) * (b - a)
    rate = np.where(ra > 0.2, np.abs(a - at[going]) + spread[going], 2 * spread[going])
    beyond = a + side * np.maximum(rate, 0.3)
    new = np.where(np.isnan(b), beyond, between)
    return np.maximum(new, limit) if side < 0 else np.minimum(new, limit)


Terms = tuple[int, ...]
"""The terms of a hierarchical model: each a set of lists, as bits; the single lists among them."""


def hierarchical(k: int) -> Iterator[Terms]:
    """Yield all hierarchical models of k lists with every list's main effect, but the saturated.

    113 for four lists, 6,893 for five.
    """
    levels = [
        [sum(1 << i for i in chosen) for chosen in itertools.combinations(range(k), size)]
        for size in range(2, k)
    ]
    singles = tuple(1 << i for i in range(k))
    yield from _grown(singles, levels, k)


def _grown(terms: Terms, levels: list[list[int]], k: int) -> Iterator[Terms]:
    if not levels:
        yield terms
        return
    known = set(terms)
    allowed = [t for t in levels[0] if all(t & ~(1 << i) in known for i in range(k) if t >> i & 1)]
    for n in range(len(allowed) + 1):
        for chosen in itertools.combinations(allowed, n):
            if n:
                yield from _grown(terms + chosen, levels[1:], k)
            else:
                yield terms


def generators(terms: Terms) -> Terms:
    """Return the terms that no other one contains, larger ones first."""
    most = [t for t in terms if not any(t != s and t & s == t for s in terms)]
    return tuple(sorted(most, key=lambda t: (-t.bit_count(), *_positions(t))))


def _positions(term: int) -> list[int]:
    return [i for i in range(term.bit_length()) if term >> i & 1]


def named(terms: Terms, lists: tuple[str, ...]) -> list[str]:
    """Return the generators of a model, each with the names of its lists: "A:B"."""
    return [":".join(lists[i] for i in _positions(term)) for term in generators(terms)]


def design_of(models: list[Terms], k: int) -> Array:
    """Return (models, 2^k - 1 cells, 1 + terms): for each cell whether each term applies to it."""
    terms = np.array([(0, *model) for model in models])
    cells = np.arange(1, 1 << k)
    applies: Array = (cells[None, :, None] & terms[:, None, :] == terms[:, None, :]).astype(float)
    return applies
