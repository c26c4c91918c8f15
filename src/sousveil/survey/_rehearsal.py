"""A survey rehearsed: cameras placed on real streets, walked by chance, estimated like any other.

For measuring whether the estimates are right. Nothing here describes where cameras are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from sousveil.survey import _estimating, _forms, _frame, _planning, _reckoning

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

NEAR_M: Final = 60.0
"""A camera further from every stretch is of no street of the frame."""

_BUSY: Final = {"main": 2.0, "pedestrian": 2.0, "side": 0.7, "service": 0.5, "footway": 0.5}


class Result(NamedTuple):
    """What one rehearsal came to."""

    total: float
    low: float
    high: float


def mapped(where: _planning.Ground, lon: Floats, lat: Floats) -> Index:
    """Return how many of some cameras stand nearest to each stretch."""
    points = _frame.project(shapely.points(lon, lat), where.to_m)
    nearest, apart = shapely.STRtree(where.lines).query_nearest(
        points, return_distance=True, all_matches=False
    )
    stretch: Index = nearest[1][apart <= NEAR_M]
    return np.asarray(np.bincount(stretch, minlength=len(where.stratum)), dtype=np.int64)


def placed(where: _planning.Ground, n: float, random: np.random.Generator) -> Index:
    """Return about n cameras by stretch: more in six centres and busy streets, and in clumps."""
    centres = where.points[random.integers(len(where.points), size=6)]
    apart2 = ((where.points[:, None] - centres[None]) ** 2).sum(axis=2)
    density = np.exp(-apart2 / (2 * 250.0**2)).sum(axis=1) + 0.1
    busy = np.array([_BUSY[name] for name in where.strata])[where.stratum]
    mean = density * busy * where.length_m * random.gamma(1.0, 1.0, len(busy))
    return np.asarray(random.poisson(mean / mean.sum() * n), dtype=np.int64)


def rehearse(
    where: _planning.Ground,
    cameras: Index,
    n: int,
    random: np.random.Generator,
    *,
    sees: tuple[float, float] | None = None,
    double: float = 1.0,
    skipped: float = 0.0,
    more: int = 0,
) -> Result | None:
    """Walk n stretches and estimate; None where no camera was seen by both, or none at all.

    cameras: what is really there, by stretch. sees: the chance of two walkers to see a camera;
    without it all are seen. double: share of the stretches that both walk, the others one of them
    each. skipped: share of the stretches that nobody walks after all. more: stretches added after
    the first results, where they narrow the interval most.
    """
    free = np.ones(len(cameras), dtype=np.bool_)
    draws = [_draw(where, n, free, None, random)]
    walked = draws[0].drawn & (random.random(len(cameras)) >= skipped)
    brought = _walk(cameras, walked, sees, double, random)
    frame = _estimating.Frame(where.stratum, where.size, where.points, len(where.strata))
    if more:
        seen = _reckoning.correct(brought, random).seen
        deviation = _estimating.deviations(frame, draws, seen)
        draws.append(_draw(where, more, ~walked, deviation, random))
        walked = walked | draws[1].drawn
        brought = _walk(cameras, walked, sees, double, random)
    corrected = _reckoning.correct(brought, random)
    if sees is not None and corrected.detection is None:
        return None
    found = _estimating.totals(frame, draws, corrected.seen)
    total = float(found.total.sum())
    if not total:
        return None
    low, high = _estimating.interval(
        total,
        float(found.variance.sum()),
        float(found.unevenness.sum()),
        relative_variance=_reckoning.of_detection(brought, corrected, found.weight),
    )
    return Result(total, max(low, float(brought.found.sum())), high)


def _draw(
    where: _planning.Ground,
    n: int,
    free: npt.NDArray[np.bool_],
    deviation: Floats | None,
    random: np.random.Generator,
) -> _estimating.Draw:
    shares = _planning.shares(where, n, free, deviation)
    return _estimating.Draw(*_planning.sample(where, shares, free, random), ~free)


def _walk(
    cameras: Index,
    walked: npt.NDArray[np.bool_],
    sees: tuple[float, float] | None,
    double: float,
    random: np.random.Generator,
) -> _reckoning.Walked:
    if sees is None:
        alone: list[tuple[int, ...]] = [(0,) if here else () for here in walked]
        return _reckoning.Walked((cameras * walked).astype(np.float64), walked, alone, ["a"], [])
    first, both, only = _seen(cameras, sees, random)
    second = both + only
    kind = np.where(random.random(len(cameras)) < double, 2, random.integers(2, size=len(cameras)))
    observers: list[tuple[int, ...]] = [((0,), (1,), (0, 1))[k] for k in kind]
    found = np.select([kind == 0, kind == 1], [first, second], first + only)
    pairs = [
        _forms.Pair(str(i), "a", "b", int(first[i] - both[i]), int(only[i]), int(both[i]))
        for i in np.flatnonzero(walked & (kind == 2))
    ]
    return _reckoning.Walked(
        (found * walked).astype(np.float64),
        walked,
        [who if here else () for who, here in zip(observers, walked, strict=True)],
        ["a", "b"],
        pairs,
    )


def _seen(
    cameras: Index, sees: tuple[float, float], random: np.random.Generator
) -> tuple[Index, Index, Index]:
    """Return what the first walker sees, of it the second as well, and the second alone."""
    first = random.binomial(cameras, sees[0])
    return first, random.binomial(first, sees[1]), random.binomial(cameras - first, sees[1])
