"""What share of the cameras walkers see, from the stretches that two of them walked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit

Floats = npt.NDArray[np.float64]

_DRAWS: Final = 2_000
_SMOOTHING: Final = 0.5  # added to the cells for the uncertainty alone, so that 0 is not certain
_LIKENESS: Final = 0.5  # standard deviation (logits) of three walkers or more around their mean
_SURE: Final = 12.0  # logits beyond this are 1 for any purpose


class Cells(NamedTuple):
    """Cameras that two walkers found on the stretches that both walked."""

    first: int  # number of the walker
    second: int
    only_first: float
    only_second: float
    both: float


class Detection(NamedTuple):
    """Chance of each walker to see a camera; `draws` x walkers carry how sure that is."""

    p: Floats
    draws: Floats

    def seen_by(self, walkers: Sequence[int]) -> tuple[float, Floats]:
        """Return the chance that at least one of some walkers sees a camera, and its draws."""
        at = list(walkers)
        return float(1 - np.prod(1 - self.p[at])), 1 - np.prod(1 - self.draws[:, at], axis=1)


def perfect(n_walkers: int) -> Detection:
    """Return what is left without a second walker: nothing is known, so nothing is corrected."""
    return Detection(np.ones(n_walkers), np.ones((1, n_walkers)))


def estimate(
    cells: Sequence[Cells], n_walkers: int, random: np.random.Generator
) -> Detection | None:
    """Return the chance of each walker to see a camera; None where nothing was found by both.

    The likelihood is conditional on being seen by either (Huggins 1989, Biometrika 76, 133-140);
    for two walkers it is Lincoln and Petersen's p1 = both / seen by 2, with one more seen by both
    as in Chapman's version, which makes 1 / p1 unbiased. Three or more share what each has little
    of: their logits are drawn together, as normal around their mean. Walkers see independently,
    and each camera alike. A walker without a partner gets the mean of the others (on the logit
    scale) and the widest of their uncertainties.
    """
    pooled = _pooled(cells)
    if not sum(c.both for c in pooled):
        return None
    known = sorted({w for c in pooled for w in (c.first, c.second)})
    number = {walker: i for i, walker in enumerate(known)}
    own = [c._replace(first=number[c.first], second=number[c.second]) for c in pooled]
    one = 1 / len(own)
    logit = _most_likely([c._replace(both=c.both + one) for c in own], len(known))
    some = _SMOOTHING / len(own)
    smooth = [
        Cells(c.first, c.second, c.only_first + some, c.only_second + some, c.both + some)
        for c in own
    ]
    centre = _most_likely(smooth, len(known))
    spread = np.linalg.inv(_information(smooth, centre) + 1e-6 * np.eye(len(known)))
    drawn = random.multivariate_normal(centre, spread, _DRAWS, method="eigh")
    p, draws = np.full(n_walkers, expit(logit.mean())), np.empty((_DRAWS, n_walkers))
    widest = drawn[:, [int(np.argmax(np.diag(spread)))]]
    draws[:] = expit(widest - widest.mean() + centre.mean())
    p[known] = np.where(logit >= _SURE, 1.0, expit(logit))  # who missed nothing that others saw
    draws[:, known] = expit(drawn)
    return Detection(p, draws)


def _pooled(cells: Sequence[Cells]) -> list[Cells]:
    sums: dict[tuple[int, int], list[float]] = {}
    for c in cells:
        turned = c.first > c.second
        key = (c.second, c.first) if turned else (c.first, c.second)
        alone = (c.only_second, c.only_first) if turned else (c.only_first, c.only_second)
        total = sums.setdefault(key, [0.0, 0.0, 0.0])
        for i, value in enumerate((*alone, c.both)):
            total[i] += value
    return [Cells(*key, *total) for key, total in sums.items()]


def _most_likely(cells: Sequence[Cells], n: int) -> Floats:
    """Return the logits of greatest conditional likelihood, within what floats tell from 1."""
    if n == 2 and len(cells) == 1:
        c = cells[0]
        with np.errstate(divide="ignore"):
            closed = np.log(c.both) - np.log([c.only_second, c.only_first])
        return np.asarray(np.clip(closed, -_SURE, _SURE))
    found = minimize(
        _negative_log_likelihood,
        np.ones(n),
        args=(cells,),
        method="L-BFGS-B",
        bounds=[(-_SURE, _SURE)] * n,
    )
    return np.asarray(found.x)


def _negative_log_likelihood(logit: Floats, cells: Sequence[Cells]) -> float:
    yes, no = log_expit(logit), log_expit(-logit)
    total = 0.0
    for c in cells:
        a, b = c.first, c.second
        terms = np.array([yes[a] + no[b], no[a] + yes[b], yes[a] + yes[b]])
        seen = np.array([c.only_first, c.only_second, c.both])
        total += float(seen @ (terms - np.logaddexp.reduce(terms)))
    apart = logit - logit.mean() if len(logit) > 2 else np.zeros(1)
    return float((apart**2).sum()) / (2 * _LIKENESS**2) - total


def _information(cells: Sequence[Cells], logit: Floats) -> Floats:
    """Return the observed information by central differences."""
    n, step = len(logit), 1e-3
    result = np.empty((n, n))
    unit = np.eye(n) * step
    for i in range(n):
        for j in range(n):
            corners = [
                si * sj * _negative_log_likelihood(logit + si * unit[i] + sj * unit[j], cells)
                for si in (1, -1)
                for sj in (1, -1)
            ]
            result[i, j] = sum(corners) / (4 * step**2)
    return result
