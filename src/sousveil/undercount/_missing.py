"""Cameras that no list has: how many there are, and which of the listed ones they are like."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]

_95: Final = 1.959964
_MOST_SYMMETRIC: Final = 10.0


class Missing(NamedTuple):
    """How many cameras of a population no list has, and where they may be.

    estimate, low, high: their number with its 95 % interval; estimate None where it is not known,
    so that none are added and figures are "at least". basis: where it is from: stated, file, lists,
    prior or none. listed: cameras of the population on the lists. like: for each listed camera,
    the share of the unlisted ones that is like it, 0 outside the population. ground: longitude and
    latitude, None for anywhere. definition: the population in words. covariates: what decides how
    likely a camera is listed; none, if all are alike.
    """

    basis: str
    like: Floats
    listed: int
    estimate: float | None = None
    low: float = 0.0
    high: float = 0.0
    ground: shapely.Geometry | None = None
    definition: str = ""
    method: str = ""
    covariates: tuple[str, ...] = ()
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether a number is known, so that cameras are added."""
        return self.estimate is not None

    def per(self, n: int) -> tuple[float, float, float]:
        """Return cameras for each of n listed ones: estimate, low and high."""
        more = (max(x or 0.0, 0.0) for x in (self.estimate, self.low, self.high))
        estimate, low, high = (1 + x / max(n, 1) for x in more)
        return estimate, low, high

    def numbers(self, scores: Floats) -> Floats:
        """Return the numbers of unlisted cameras at standard normal scores.

        They are log-normal above and below the estimate, so that it is the median and the interval
        the middle 95 %; never below 0.
        """
        if self.estimate is None:
            return np.zeros(len(scores))
        base = 0.0 if self.low > 0 else _base(self.estimate, self.low, self.high)
        up = _spread(self.high - base, self.estimate - base)
        down = _spread(self.estimate - base, self.low - base)
        drawn = base + (self.estimate - base) * np.exp(scores * np.where(scores < 0, down, up))
        return np.maximum(drawn, 0.0)

    def told(self) -> dict[str, Any]:
        """Return what a summary says of it."""
        estimate, low, high = self.per(self.listed) if self.known else (None, None, None)
        return {
            "basis": self.basis,
            "estimate": estimate and round(estimate, 6),
            "low": low and round(low, 6),
            "high": high and round(high, 6),
            "unlisted": {
                "estimate": round(max(self.estimate, 0.0), 3),
                "low": round(max(self.low, 0.0), 3),
                "high": round(max(self.high, 0.0), 3),
            }
            if self.estimate is not None
            else None,
            "listed": self.listed,
            "definition": self.definition,
            "method": self.method,
            "covariates": list(self.covariates),
            "note": self.note,
        }


def _spread(greater: float, less: float) -> float:
    return float(np.log(greater / less) / _95) if greater > less > 0 else 0.0


def _base(estimate: float, low: float, high: float) -> float:
    """Return from where the interval is log-normal on both sides, where it reaches below 0."""
    below, above = estimate - low, high - estimate
    if below <= 0:
        return low - max(above, 1e-9)
    return low - below**2 / max(above - below, below / _MOST_SYMMETRIC)
