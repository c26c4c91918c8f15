"""From what was seen on the drawn stretches to the whole frame, with design-based intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEVEL: Final = 0.95
NEIGHBOURHOOD: Final = 8
"""Stretches, itself included, whose mean a stretch is compared with for the variance."""

_LEAST_DF: Final = 2.0


class Frame(NamedTuple):
    """All stretches of a survey: arrays of one entry each, `points` n x 2 in metres."""

    stratum: Index
    size: Floats
    points: Floats
    n_strata: int


class Draw(NamedTuple):
    """One draw: the probability and the outcome of each stretch, and what it left out.

    settled: stretches that earlier draws had brought in; this draw is of the others.
    """

    probability: Floats
    drawn: Flags
    settled: Flags


class Seen(NamedTuple):
    """What walkers brought: cameras of each stretch corrected for detection.

    noise: variance of that correction's chance (who is seen), by stretch. walked: whether the
    stretch was surveyed at all; the others hold 0.
    """

    cameras: Floats
    noise: Floats
    walked: Flags


class Totals(NamedTuple):
    """Estimates by stratum. Each total is the sum of `weight` x cameras over its stretches.

    unevenness: variance of the estimate of the variance, for its degrees of freedom.
    """

    weight: Floats  # of each stretch
    total: Floats  # by stratum, as the next two
    variance: Floats
    unevenness: Floats
    walked: Index  # stretches surveyed


def totals(frame: Frame, draws: Sequence[Draw], seen: Seen) -> Totals:
    """Return the estimates by stratum from one draw or several, one after the other.

    A draw is Horvitz and Thompson's estimator over the stretches that were left, plus what earlier
    draws had settled for certain. Given those, it is unbiased whatever they brought, so its error
    is not correlated with theirs, and the two are averaged by the number of stretches drawn. One
    share serves all strata: where later draws went follows from what earlier ones found, and a
    share that followed it too would favour what was found by chance.
    """
    result = _of_draw(frame, draws[0], seen)
    n_before = int((draws[0].drawn & ~draws[0].settled).sum())
    for draw in draws[1:]:
        later = _of_draw(frame, draw, seen)
        n = int((draw.drawn & ~draw.settled).sum())
        share = n_before / (n_before + n)
        rest = 1 - share
        result = Totals(
            weight=share * result.weight + rest * later.weight,
            total=share * result.total + rest * later.total,
            variance=share**2 * result.variance + rest**2 * later.variance,
            unevenness=share**4 * result.unevenness + rest**4 * later.unevenness,
            walked=result.walked + later.walked,
        )
        n_before += n
    return result


def _of_draw(frame: Frame, draw: Draw, seen: Seen) -> Totals:
    sampled = draw.drawn & ~draw.settled & seen.walked
    weight = _weights(frame, draw, seen, sampled)
    settled = np.where(draw.settled, weight, 0.0)
    extra = np.where(sampled, seen.noise / np.maximum(draw.probability, 1e-12), 0.0)
    by_stratum = {"minlength": frame.n_strata}
    expanded = weight * seen.cameras
    total = np.bincount(frame.stratum, expanded, **by_stratum).astype(np.float64)
    noise = settled**2 * seen.noise + extra
    variance = np.bincount(frame.stratum, noise, **by_stratum).astype(np.float64)
    unevenness = np.zeros(frame.n_strata)
    walked = np.bincount(frame.stratum[sampled], **by_stratum)
    for h, rows in _variance_groups(frame, sampled, walked):
        terms = _terms(rows, weight, seen.cameras, draw.probability, frame)
        variance[h] += terms.sum()
        n = len(rows)
        unevenness[h] += n / max(n - 1, 1) * ((terms - terms.mean()) ** 2).sum()
    return Totals(weight, total, variance, unevenness, walked)


def _weights(frame: Frame, draw: Draw, seen: Seen, sampled: Flags) -> Floats:
    """Return what each stretch counts for: 1 / probability, more where others were not walked."""
    size, stratum, n = frame.size, frame.stratum, frame.n_strata
    planned = draw.drawn & ~draw.settled
    inverse = np.where(planned, 1 / np.maximum(draw.probability, 1e-12), 0.0)
    weight = np.zeros(len(size))
    for chosen, base in ((planned, inverse), (draw.settled, np.ones(len(size)))):
        walked = chosen & seen.walked
        whole = np.bincount(stratum[chosen], (size * base)[chosen], minlength=n)
        got = np.bincount(stratum[walked], (size * base)[walked], minlength=n)
        factor = np.divide(whole, got, out=np.zeros(n), where=got > 0)
        weight += np.where(walked, base * factor[stratum], 0.0)
    return weight


def _variance_groups(frame: Frame, sampled: Flags, walked: Index) -> list[tuple[int, Index]]:
    """Return the rows of each stratum; one walked stretch alone joins the largest stratum."""
    rows = [np.flatnonzero(sampled & (frame.stratum == h)) for h in range(frame.n_strata)]
    largest = int(np.argmax(walked))
    lone = [h for h in range(frame.n_strata) if walked[h] == 1 and h != largest]
    rows[largest] = np.concatenate([rows[largest], *(rows[h] for h in lone)])
    return [(h, rows[h]) for h in range(frame.n_strata) if len(rows[h]) > 1 and h not in lone]


def _terms(
    rows: Index, weight: Floats, cameras: Floats, probability: Floats, frame: Frame
) -> Floats:
    """Return the terms of the variance: of the draw, and of what was drawn but not walked.

    The two phases of Särndal, Swensson and Wretman 1992 (Model Assisted Survey Sampling, 9.3 and
    15.6): who was not walked is taken as chance within a stratum, whose other stretches stand for
    it by size, so its variance is around the stratum's cameras per size, not around neighbours.
    """
    base = 1 / probability[rows]
    more = weight[rows] * probability[rows]  # of each walked stretch for those not walked
    drawn = _local_terms(base * cameras[rows], probability[rows], frame.points[rows])
    size = frame.size[rows]
    ratio = (weight[rows] @ cameras[rows]) / (weight[rows] @ size)
    apart = base * (cameras[rows] - ratio * size)
    n = len(rows)
    not_walked = n / (n - 1) * np.maximum(more - 1, 0) * apart**2
    return np.asarray(more * (drawn + not_walked))


def _local_terms(expanded: Floats, probability: Floats, points: Floats) -> Floats:
    """Return the terms of the variance of a spatially balanced sample.

    Each expanded value against the mean of its nearest NEIGHBOURHOOD (Grafström and Schelin 2014,
    Scandinavian Journal of Statistics 41, 277-290), less what a certain stretch cannot vary.
    """
    k = min(NEIGHBOURHOOD, len(expanded))
    _, near = cKDTree(points).query(points, k=k)
    deviation = expanded - expanded[near].mean(axis=1)
    return np.asarray(k / (k - 1) * (1 - probability) * deviation**2)


def interval(
    total: float, variance: float, unevenness: float, *, relative_variance: float = 0.0
) -> tuple[float, float]:
    """Return the 95 % interval of a positive total, on the log scale.

    relative_variance: what detection adds to variance / total^2. The degrees of freedom of t are
    2 variance^2 / unevenness (Satterthwaite, with the fourth moment that the sample shows), for
    cameras stand in clumps and a few stretches carry most of the variance.
    """
    whole = variance / total**2 + relative_variance
    df = np.inf if not unevenness else 2 * (whole * total**2) ** 2 / unevenness
    t = float(stats.t.ppf((1 + LEVEL) / 2, max(df, _LEAST_DF)))
    factor = math.exp(t * math.sqrt(math.log1p(whole)))
    return total / factor, total * factor


def deviations(frame: Frame, draws: Sequence[Draw], seen: Seen) -> Floats:
    """Return by stratum the standard deviation of cameras / size of its stretches.

    Shrunk towards what the place as a whole shows (weight of four stretches): a stratum in which
    nothing was found yet is not therefore without cameras.
    """
    walked = np.any([draw.drawn for draw in draws], axis=0) & seen.walked
    density = np.divide(seen.cameras, frame.size)
    overall = float(density[walked].var(ddof=1)) if walked.sum() > 1 else 0.0
    squares = np.empty(frame.n_strata)
    for h in range(frame.n_strata):
        own = density[walked & (frame.stratum == h)]
        n = len(own)
        variance = float(own.var(ddof=1)) if n > 1 else overall
        squares[h] = (n * variance + 4 * overall) / (n + 4)
    return np.sqrt(squares)
