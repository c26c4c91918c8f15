"""The plan of a survey: how many stretches fit the time, which are drawn, who walks them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil.errors import UnusableInput
from sousveil.survey import _drawing, _frame, _network, _routes
from sousveil.survey._drawing import LEAST_MORE, LEAST_OF_STRATUM, Flags, Floats, Index

_TRIALS: Final = 3
_TOUR_CONSTANT: Final = 0.9  # metres of tour over sqrt(stretches x area), to begin with
_MOST: Final = 2_000  # stretches of one plan; ways between more of them take too long to find


class Ground(NamedTuple):
    """Where a survey is: its stretches as a table and in metres, and the ways between them."""

    stretches: pa.Table  # records.SURVEY_STRETCHES
    lines: npt.NDArray[Any]  # in metres
    points: Floats  # middles, n x 2 in metres
    stratum: Index
    strata: list[str]
    ways: npt.NDArray[Any]  # walkable ways in metres, for the network and the maps
    network: _network.Network
    to_m: Any

    @property
    def size(self) -> Floats:
        """What the probability of each stretch is made from, in metres."""
        return np.asarray(self.stretches["size_m"].to_numpy())

    @property
    def length_m(self) -> Floats:
        """Length of each stretch."""
        return np.asarray(self.stretches["length_m"].to_numpy())


class Drawn(NamedTuple):
    """A draw with its routes: arrays over all stretches, routes number them."""

    probability: Floats
    drawn: Flags
    twice: Flags
    routes: list[_routes.Route]
    paths: list[list[Floats]]  # by walker: the ways to each stretch, in metres


def ground(streets: pa.Table, *, boundary: shapely.Geometry | None, footways: bool) -> Ground:
    """Return where a survey is, from records.STREETS."""
    stretches = _frame.stretches(streets, boundary=boundary, footways=footways)
    lonlat = np.asarray(shapely.from_wkb(stretches["geometry"].to_numpy()))
    to_m = _frame.metric(*_frame.centre_of(lonlat))
    lines = _frame.project(lonlat, to_m)
    ways = np.asarray(shapely.from_wkb(streets["geometry"].to_numpy()))[_frame.walkable(streets)]
    ways = _frame.project(ways, to_m)
    names = stretches["stratum"].to_pylist()
    strata = sorted(set(names))
    return Ground(
        stretches=stretches,
        lines=lines,
        points=shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True)),
        stratum=np.array([strata.index(name) for name in names], dtype=np.int64),
        strata=strata,
        ways=ways,
        network=_network.build(np.concatenate([ways, lines])),
        to_m=to_m,
    )


def digest(stretches: pa.Table) -> str:
    """Return what tells one frame from another."""
    said = hashlib.sha256()
    for name in ("stretch_id", "stratum", "geometry"):
        for value in stretches[name].to_pylist():
            said.update(value if isinstance(value, bytes) else value.encode())
    return said.hexdigest()[:16]


def make(
    where: Ground,
    *,
    hours: float,
    people: int,
    double: float,
    settled: Flags,
    deviation: Floats | None,
    seed: int,
    progress: Callable[[str], None],
) -> Drawn:
    """Draw the stretches that fit the time and lay the routes.

    settled: stretches not to be drawn. deviation: by stratum, of cameras / size, where earlier
    results tell it; the share of a stratum grows with it (Neyman 1934), else with its length.
    The number is fixed by trial draws of other seeds before the one that counts, so that
    probabilities are exactly what they say; routes may take a little more or less than asked.
    """
    free = ~settled

    def share(n: int) -> Index:
        return shares(where, n, free, deviation)

    progress("Finding how many stretches fit")
    n = _that_fit(where, share, free, hours=hours, people=people, double=double, seed=seed)
    progress(f"Drawing {n} of {int(free.sum())} stretches")
    random = np.random.default_rng([seed, 0])
    return _draw(where, share(n), free, people=people, double=double, random=random)


def shares(where: Ground, n: int, free: Flags, deviation: Floats | None) -> Index:
    """Return how many of n stretches each stratum gets, of those that are free; see `make`."""
    n_strata = len(where.strata)
    weight = np.asarray(
        np.bincount(where.stratum[free], where.size[free], minlength=n_strata), dtype=np.float64
    )
    if deviation is not None and deviation.any():
        weight = weight * deviation
    available = np.bincount(where.stratum[free], minlength=n_strata)
    least_each = LEAST_OF_STRATUM if free.all() else LEAST_MORE
    return _drawing.allocate(n, weight, available, least_each=least_each)


def _that_fit(
    where: Ground,
    share: Callable[[int], Index],
    free: Flags,
    *,
    hours: float,
    people: int,
    double: float,
    seed: int,
) -> int:
    least = int(share(0).sum())
    most = min(int(free.sum()), _MOST)
    budget_min = hours * 60 * people
    on = float(_routes.minutes_on(where.length_m[free]).mean()) * (1 + double)
    area_m2 = shapely.convex_hull(shapely.multipoints(where.points[free])).area
    per_root = _TOUR_CONSTANT * math.sqrt(area_m2 * (1 + double))
    n = _solve(budget_min, on, per_root)
    for trial in range(_TRIALS):
        n = min(max(n, least), most)
        random = np.random.default_rng([seed, 1 + trial])
        made = _draw(
            where, share(n), free, people=people, double=double, random=random, with_paths=False
        )
        longest = max(route.minutes for route in made.routes) * people
        walked_m = sum(route.walk_m for route in made.routes)
        on = (longest - float(_routes.minutes_between(walked_m))) / n
        per_root = walked_m / math.sqrt(n)
        n = _solve(budget_min, on, per_root)
    if n < least:
        raise UnusableInput(
            f"--hours {hours:g}: {people} people see about {n} stretches then, and {least} are the "
            f"least for {len(where.strata)} kinds of street; give more hours or people, or a "
            "smaller place with --within"
        )
    return min(n, most)


def _solve(budget_min: float, on_min: float, per_root_m: float) -> int:
    """Return n with n on + walking(n) = budget, walking growing with the root of n."""
    walk = float(_routes.minutes_between(per_root_m))
    root = (-walk + math.sqrt(walk**2 + 4 * on_min * budget_min)) / (2 * on_min)
    return int(root**2)


def _draw(
    where: Ground,
    share: Index,
    free: Flags,
    *,
    people: int,
    double: float,
    random: np.random.Generator,
    with_paths: bool = True,
) -> Drawn:
    probability, drawn = sample(where, share, free, random)
    chosen = np.flatnonzero(drawn)
    twice = np.zeros(len(drawn), dtype=np.bool_)
    if double:
        even = np.full(len(chosen), min(1.0, math.ceil(double * len(chosen)) / len(chosen)))
        twice[chosen] = _drawing.draw(even, where.points[chosen], random)
    ends = _network.between(where.network, where.lines[chosen])
    routes = _routes.plan(where.length_m[chosen], ends.distance_m, people, twice[chosen])
    numbered = [route._replace(stretches=chosen[route.stretches]) for route in routes]
    paths = [_paths(where, ends, route) for route in routes] if with_paths else []
    return Drawn(probability, drawn, twice, numbered, paths)


def sample(
    where: Ground, share: Index, free: Flags, random: np.random.Generator
) -> tuple[Floats, Flags]:
    """Draw so many stretches of each stratum; return all probabilities and what was drawn."""
    n = len(where.stratum)
    probability, drawn = np.zeros(n), np.zeros(n, dtype=np.bool_)
    for h, n_drawn in enumerate(share):
        rows = np.flatnonzero(free & (where.stratum == h))
        if n_drawn:
            probability[rows] = _drawing.probabilities(where.size[rows], int(n_drawn))
            drawn[rows] = _drawing.draw(probability[rows], where.points[rows], random)
    return probability, drawn


def _paths(where: Ground, ends: _network.Ends, route: _routes.Route) -> list[Floats]:
    """Return the way to each stretch of a route from the one before; none to the first."""
    ways = []
    pairs = zip(route.stretches.tolist(), route.forward.tolist(), strict=True)
    last: int | None = None
    for stretch, forward in pairs:
        entry, leave = (2 * stretch, 2 * stretch + 1) if forward else (2 * stretch + 1, 2 * stretch)
        ways.append(
            np.empty((0, 2)) if last is None else _network.path(where.network, ends, last, entry)
        )
        last = leave
    return ways


def kilometres(where: Ground) -> Floats:
    """Return the km of stretches by stratum."""
    km = np.bincount(where.stratum, where.length_m / 1000, minlength=len(where.strata))
    return np.asarray(km, dtype=np.float64)
