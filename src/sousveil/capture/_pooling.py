"""Estimates that are put together: models, draws of uncertain links, methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from sousveil.capture._histories import Array
from sousveil.capture._loglinear import NORMAL_95

_LEAST_UNSEEN: Final = 1e-4
_FARTHEST: Final = 1e7
"""Times the cameras seen: a quantile above that is infinite."""


class Spread(NamedTuple):
    """An estimate with its 95 % interval, and the cameras that are certain to exist."""

    centre: float
    low: float
    high: float
    at_least: float


class Mixture(NamedTuple):
    """Spreads, each a curve of confidence, mixed by weight.

    The logarithm of the unseen is taken as normal on either side of the centre, each side as wide
    as the interval says.
    """

    centre: Array
    below: Array
    above: Array
    at_least: Array
    weight: Array

    @classmethod
    def of(cls, spreads: Sequence[Spread], weight: Array | None = None) -> Mixture:
        """Mix spreads, equally unless weights are given; weights of next to nothing are dropped."""
        share = np.full(len(spreads), 1.0) if weight is None else weight
        kept = share > 1e-6 * share.max()
        centre, low, high, at_least = np.array(spreads, float)[kept].T
        far = np.log(_FARTHEST * np.maximum(at_least, 1))
        middle, bottom, top = (
            np.log(np.maximum(one - at_least, _LEAST_UNSEEN)) for one in (centre, low, high)
        )
        above = np.maximum(np.minimum(top, far) - middle, 1e-6)
        # A lower end at the cameras seen says nothing of the width: take that of the other side.
        bounded = bottom > np.log(2 * _LEAST_UNSEEN)
        below = np.maximum(np.where(bounded, middle - bottom, above), 1e-6)
        return cls(middle, below, above, at_least, share[kept] / share[kept].sum())

    def quantile(self, share: float) -> float:
        """Return the total below which so much of the confidence lies."""
        lowest = float(self.at_least.min())
        end = np.log(_FARTHEST * max(lowest, 1.0))
        if self._below(lowest + np.exp(end)) < share:
            return float(np.inf)
        if self._below(lowest + np.exp(-20.0)) > share:
            return lowest
        found = brentq(lambda at: self._below(lowest + np.exp(at)) - share, -20.0, end, xtol=1e-10)
        return lowest + float(np.exp(found))

    def _below(self, total: float) -> float:
        unseen = total - self.at_least
        at = np.log(np.maximum(unseen, 1e-12))
        step = np.where(at < self.centre, self.below, self.above)
        return float(self.weight @ ndtr(NORMAL_95 * (at - self.centre) / step))


def pooled(estimates: Sequence[float], errors: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard error over draws, by the rules of Rubin 1987."""
    values, se = np.array(estimates), np.array(errors)
    between = values.var(ddof=1) if len(values) > 1 else 0.0
    variance = (se**2).mean() + (1 + 1 / len(values)) * between
    return float(values.mean()), float(np.sqrt(variance))
