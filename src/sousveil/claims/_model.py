"""Claims reconciled: a hierarchical normal model of log cameras per person, solved exactly.

log rate = level + growth t + place + growth of the place t + drift of the place (a random walk)
         + definition (and how it differs from place to place)
a claim  = log rate + publisher (and publisher in that place) + error by its grade

with t in years from YEAR_0, which run ever slower after the last claim about a place: growth, its
differences and the drift fade there (a damped trend, Gardner & McKenzie 1985, Management Science
31, 1237-1246). All terms are normal, so the posterior for given scales is a
conditional normal distribution (Rasmussen & Williams 2006, eq. 2.22-2.24; Gelman et al. 2013,
ch. 14-15). Four scales that the claims can say something about are integrated over a grid with
log-normal weights (prior x marginal likelihood), so a posterior is a mixture of normals.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.float64]

YEAR_0: Final = 2018
BASE: Final = "installed base"
MODELLED_SCOPES: Final = (BASE, "public-facing", "public bodies", "business premises")
GRID_STEPS: Final = (-1, 0, 1)
"""Powers of two by which the integrated scales are tried."""
GRID_SD: Final = 0.7
"""Standard deviation of the logarithm of an integrated scale."""
INTEGRATED: Final = ("place", "walk", "publisher", "error")
CEILINGS: Final = 19
"""Values by which the unknown ceiling is tried."""


class Priors(NamedTuple):
    """Means and standard deviations of all terms, on the scale of natural logarithms.

    error is a factor on error_by_grade.
    """

    level_mean: float = math.log(1 / 20)
    level: float = 1.5
    growth_mean: float = 0.10
    growth: float = 0.10
    growth_of_place: float = 0.05
    place: float = 1.0
    walk: float = 0.10  # per square root of a year
    definition_mean: float = -1.0  # of what is a part of the installed base
    definition: float = 1.0
    definition_of_place: float = 0.5
    publisher: float = 0.20
    publisher_of_place: float = 0.10
    publisher_that_counted: float = 0.25  # a factor on both where the publisher counted its own
    error: float = 1.0
    error_by_grade: tuple[float, float, float, float] = (0.03, 0.15, 0.35, 0.70)  # A, B, C, D
    damping: tuple[float, ...] = (0.80, 0.85, 0.90, 0.95)  # a year, equally likely; 1 is none
    ceiling: float = 1.0  # cameras per person that no place passes: median, of forecasts alone
    ceiling_sd: float = 0.7

    def widened(self, factor: float) -> Priors:
        """Return the priors with all standard deviations but the claims' own errors multiplied."""
        names = ("level", "growth", "growth_of_place", "place", "walk", "definition",
                 "definition_of_place", "publisher", "publisher_of_place")  # fmt: skip
        return self._replace(**{name: factor * getattr(self, name) for name in names})

    def straight(self) -> Priors:
        """Return the priors under which growth goes on unchanged and without a ceiling."""
        return self._replace(damping=(1.0,), ceiling=math.inf)

    def ceilings(self) -> _Array:
        """Return equally likely values of the logarithm of the ceiling."""
        from scipy.special import ndtri

        steps = (np.arange(CEILINGS) + 0.5) / CEILINGS
        return np.asarray(np.log(self.ceiling) + self.ceiling_sd * ndtri(steps))


class Claimed(NamedTuple):
    """One independent claim as the model takes it."""

    place: str
    scope: str
    year: int
    publisher: str
    log_rate: float
    grade: str  # A to D
    log_range_sd: float  # from the range that the publisher gave, 0 without
    counted: bool = False  # by those who run the cameras


class Wanted(NamedTuple):
    """What is asked for: the true rate of a place, by definition and year."""

    place: str
    scope: str
    year: int


class Posterior(NamedTuple):
    """A mixture of normals over the log rates asked for; weights sum to 1."""

    weights: _Array  # (k,)
    means: _Array  # (k, n)
    covariances: _Array  # (k, n, n)

    def quantile(self, i: int, p: float, ceilings: _Array | None = None) -> float:
        """Return the quantile of the i-th log rate, by bisection on the mixture's distribution.

        ceilings: equally likely values that the log rate cannot pass.
        """
        from scipy.special import ndtr

        means, sd = self.means[:, i], np.sqrt(self.covariances[:, i, i])
        tops = np.array([np.inf]) if ceilings is None else ceilings

        def mass(below: float) -> float:
            ends = np.minimum(below, tops)
            return float(self.weights @ ndtr((ends[None, :] - means[:, None]) / sd[:, None]).sum(1))

        low, high, whole = (
            float((means - 9 * sd).min()),
            float((means + 9 * sd).max()),
            mass(np.inf),
        )
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if mass(middle) < p * whole else (low, middle)
        return (low + high) / 2

    def log_density(self, i: int, value: float) -> float:
        """Return the logarithm of the density of the i-th log rate at a value."""
        sd = np.sqrt(self.covariances[:, i, i])
        z = (value - self.means[:, i]) / sd
        return math.log(float(self.weights @ (np.exp(-0.5 * z**2) / (sd * math.sqrt(2 * math.pi)))))

    def draw(self, n: int, rng: np.random.Generator) -> _Array:
        """Return n draws of all log rates together, (n, number asked for)."""
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        draws = np.empty((n, self.means.shape[1]))
        for k in np.unique(which):
            chosen = which == k
            factor = np.linalg.cholesky(self.covariances[k] + 1e-10 * np.eye(self.means.shape[1]))
            noise = rng.standard_normal((int(chosen.sum()), self.means.shape[1]))
            draws[chosen] = self.means[k] + noise @ factor.T
        return draws


def fit(
    claims: Sequence[Claimed], wanted: Sequence[Wanted], priors: Priors | None = None
) -> Posterior:
    """Return the posterior of the log rates asked for (cameras per person), given the claims."""
    return _posterior(claims, [_asked(want) for want in wanted], priors or Priors())


def predict(
    claims: Sequence[Claimed], new: Sequence[Claimed], priors: Priors | None = None
) -> Posterior:
    """Return what the model expects new claims to say, their publishers and errors included."""
    priors = priors or Priors()
    points = [_point(claim) for claim in new]
    errors = np.array([_error_sd(c, priors) for c in new])
    posterior = _posterior(claims, points, priors)
    return posterior._replace(covariances=posterior.covariances + np.diag(errors**2))


def prior_draw(
    claims: Sequence[Claimed], wanted: Sequence[Wanted], priors: Priors, rng: np.random.Generator
) -> tuple[_Array, _Array]:
    """Return made-up values of claims and of what is asked for, together, from the priors.

    The scales and the damping are drawn from their grids; for simulation studies.
    """
    scaled = _scales(priors)
    weights = np.array([weight for weight, _ in scaled])
    chosen = scaled[rng.choice(len(scaled), p=weights / weights.sum())][1]
    points = [_point(c) for c in claims] + [_asked(want) for want in wanted]
    points = _slowed(points, claims, rng.choice(priors.damping))
    covariance = _covariance(_alike(points, points), chosen)
    errors = np.array([_error_sd(c, chosen) for c in claims] + [0.0] * len(wanted))
    covariance += np.diag(errors**2 + 1e-10)
    values = _mean(points, chosen) + np.linalg.cholesky(covariance) @ rng.standard_normal(
        len(points)
    )
    return values[: len(claims)], values[len(claims) :]


class _Point(NamedTuple):
    place: str
    scope: str
    t: float  # years from YEAR_0
    publisher: str | None  # None for the truth, which no publisher colours
    counted: bool = False


def _point(claim: Claimed) -> _Point:
    return _Point(claim.place, claim.scope, claim.year - YEAR_0, claim.publisher, claim.counted)


def _asked(want: Wanted) -> _Point:
    return _Point(want.place, want.scope, want.year - YEAR_0, None)


def _slowed(points: list[_Point], claims: Sequence[Claimed], damping: float) -> list[_Point]:
    """Return the points with the years after the last claim about their place damped.

    Of h years the sum of damping + ... + damping^h is left. The last claim of all stands for a
    place that has none.
    """
    last: dict[str, int] = {}
    for claim in claims:
        last[claim.place] = max(claim.year - YEAR_0, last.get(claim.place, claim.year - YEAR_0))
    latest = max(last.values(), default=0)

    def left(point: _Point) -> float:
        end = last.get(point.place, latest)
        past = max(point.t - end, 0)
        slow = past if damping == 1 else damping * (1 - damping**past) / (1 - damping)
        return min(point.t, end) + slow

    return [point._replace(t=left(point)) for point in points]


def _posterior(claims: Sequence[Claimed], points: list[_Point], priors: Priors) -> Posterior:
    """Return the mixture over scales and damping; only what lies after the claims is damped."""
    ways = Counter(tuple(_slowed(points, claims, damping)) for damping in priors.damping)
    found = _over_scales(claims, [point for way in ways for point in way], priors)
    n = len(points)
    own = [slice(i * n, (i + 1) * n) for i in range(len(ways))]
    shares = np.array(list(ways.values())) / ways.total()
    return Posterior(
        np.concatenate([share * found.weights for share in shares]),
        np.concatenate([found.means[:, at] for at in own]),
        np.concatenate([found.covariances[:, at, at] for at in own]),
    )


def _over_scales(claims: Sequence[Claimed], points: Sequence[_Point], priors: Priors) -> Posterior:
    known = [_point(claim) for claim in claims]
    y = np.array([claim.log_rate for claim in claims])
    among, across, asked = _alike(known, known), _alike(known, points), _alike(points, points)
    log_weights, means, covariances = [], [], []
    for weight, scaled in _scales(priors):
        error_sd = np.array([_error_sd(claim, scaled) for claim in claims])
        kk = _covariance(among, scaled) + np.diag(error_sd**2)
        kp = _covariance(across, scaled)
        factor = np.linalg.cholesky(kk)
        white_y = np.linalg.solve(factor, y - _mean(known, scaled))
        white_p = np.linalg.solve(factor, kp)
        log_weights.append(
            math.log(weight) - 0.5 * float(white_y @ white_y) - float(np.log(np.diag(factor)).sum())
        )
        means.append(_mean(points, scaled) + white_p.T @ white_y)
        covariances.append(_covariance(asked, scaled) - white_p.T @ white_p)
    weights = np.exp(np.array(log_weights) - max(log_weights))
    return Posterior(weights / weights.sum(), np.array(means), np.array(covariances))


def _scales(priors: Priors) -> list[tuple[float, Priors]]:
    """Return the grid of integrated scales, each with its prior weight."""
    found = []
    for steps in itertools.product(GRID_STEPS, repeat=len(INTEGRATED)):
        weight = math.exp(-0.5 * sum((k * math.log(2) / GRID_SD) ** 2 for k in steps))
        scaled = {
            name: getattr(priors, name) * 2.0**k for name, k in zip(INTEGRATED, steps, strict=True)
        }
        found.append((weight, priors._replace(**scaled)))
    return found


def _error_sd(claim: Claimed, priors: Priors) -> float:
    return max(priors.error * priors.error_by_grade["ABCD".index(claim.grade)], claim.log_range_sd)


def _mean(points: Sequence[_Point], priors: Priors) -> _Array:
    part = np.array([point.scope != BASE for point in points], dtype=float)
    return priors.level_mean + priors.growth_mean * _t(points) + priors.definition_mean * part


class _Alike(NamedTuple):
    """What two sets of points have in common, as matrices: the covariance without its scales."""

    product: _Array  # of the years from YEAR_0
    place: _Array
    drift: _Array  # of one place, years that both have behind them
    scope: _Array
    scope_of_place: _Array
    publisher: _Array
    counted: tuple[_Array, _Array]  # 1 where who runs the cameras counted them, of both sets


def _alike(left: Sequence[_Point], right: Sequence[_Point]) -> _Alike:
    t_l, t_r = _t(left)[:, None], _t(right)[None, :]
    place = _same([p.place for p in left], [p.place for p in right])
    part = np.array([float(p.scope != BASE) for p in left])[:, None]
    scope = _same([p.scope for p in left], [p.scope for p in right]) * part
    product = t_l * t_r
    drift = np.where(product > 0, np.minimum(np.abs(t_l), np.abs(t_r)), 0.0)
    return _Alike(
        product=product,
        place=place,
        drift=place * drift,
        scope=scope,
        scope_of_place=scope * place,
        publisher=_same([p.publisher for p in left], [p.publisher for p in right]),
        counted=(_counted(left), _counted(right)),
    )


def _counted(points: Sequence[_Point]) -> _Array:
    return np.array([float(point.counted) for point in points])


def _covariance(alike: _Alike, priors: Priors) -> _Array:
    colour_l, colour_r = (
        1.0 + (priors.publisher_that_counted - 1.0) * counted for counted in alike.counted
    )
    publisher = alike.publisher * np.outer(colour_l, colour_r)
    covariance: _Array = (
        priors.level**2
        + priors.growth**2 * alike.product
        + alike.place * (priors.place**2 + priors.growth_of_place**2 * alike.product)
        + priors.walk**2 * alike.drift
        + priors.definition**2 * alike.scope
        + priors.definition_of_place**2 * alike.scope_of_place
        + publisher * (priors.publisher**2 + priors.publisher_of_place**2 * alike.place)
    )
    return covariance


def _t(points: Sequence[_Point]) -> _Array:
    return np.array([point.t for point in points], dtype=float)


def _same(left: Sequence[str | None], right: Sequence[str | None]) -> _Array:
    return np.array([[float(a is not None and a == b) for b in right] for a in left])
