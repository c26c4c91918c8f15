"""What drives the uncertainty, and which cameras one should go and look at.

Shares of variance are total-effect indices of groups of unknowns (Sobol 2001; Saltelli et al.
2010, as computed by SALib): how much of the variance of the kilometres seen would be left if all
but one group were known. An unknown of the whole city, such as all directions together, enters as
the stream of its random numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sousveil.coverage import _seeing
from sousveil.coverage._draws import FACTORS, QUANTITIES, Plan, found_on_site, mixed, plan

if TYPE_CHECKING:
    from sousveil.coverage import Scene

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BASE: Final = 128
"""Rows of the design: (factors + 2) times as many draws are made."""

_ALONE_DRAWS: Final = 200
_MOST_CAMERAS: Final = 20_000
_MOST_UNLISTED: Final = 10  # candidates for each listed camera; with more, no visit narrows much
_TRIALS: Final = 3
_TRIAL_DRAWS: Final = 300
_ON_SITE: Final = ("direction", "height and tilt")


class Visits(NamedTuple):
    """Whom to look at, for one thing that a person before a camera can see.

    cameras: as few as would halve the interval if that were known of them, or all of whom it is
    not, if that does not; narrowed: the width of the interval then, against the width now, as runs
    with these values held show it; n_unknown: cameras of which it is not known.
    """

    cameras: list[str]
    narrowed: float | None
    n_unknown: int


class Drivers(NamedTuple):
    """Shares of the variance by factor, the largest first, and whom to look at.

    on_site: the factor that matters most among those that a person before a camera can see; visits
    are for it, directions for the direction.
    """

    question: str
    level: str
    shares: dict[str, float]
    errors: dict[str, float]
    on_site: str
    visits: Visits
    directions: Visits


def drivers(scene: Scene, seed: int) -> Drivers | None:
    """Return what drives the uncertainty of the street kilometres seen at the first level.

    Returns None where SALib is not installed (extra `sensitivity`), or nothing varies.
    """
    try:
        from SALib.analyze import sobol as analysis
        from SALib.sample import sobol as design
    except ImportError:
        return None
    names = [f for f in FACTORS if f != "cameras that no list has" or scene.unlisted is not None]
    problem = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    rows = design.sample(problem, BASE, calc_second_order=False, seed=seed)
    lengths = _km(scene, _plan_of(rows, names, seed))
    if np.ptp(lengths) == 0:
        return None
    found = analysis.analyze(problem, lengths, calc_second_order=False, seed=seed)
    total = np.clip(found["ST"], 0.0, 1.0)  # beyond 1 is chance of the design
    order = np.argsort(-total, kind="stable")
    on_site = max(_ON_SITE, key=lambda factor: total[names.index(factor)])
    visits = _worth_a_visit(scene, on_site, seed)
    directions = visits if on_site == _ON_SITE[0] else _worth_a_visit(scene, _ON_SITE[0], seed)
    return Drivers(
        question="moment",
        level="detect",
        shares={names[i]: float(total[i]) for i in order},
        errors={names[i]: float(found["ST_conf"][i]) for i in order},
        on_site=on_site,
        visits=visits,
        directions=directions,
    )


def _plan_of(rows: Floats, names: list[str], seed: int) -> Plan:
    """Return the draws that a design asks for: each factor's number names a stream."""
    column = {q: names.index(f) for f, qs in FACTORS.items() if f in names for q in qs}
    streams, shared = {}, {}
    for i, quantity in enumerate(QUANTITIES):
        if quantity not in column:
            streams[quantity] = shared[quantity] = np.zeros(len(rows), np.uint64)
            continue
        number = (rows[:, column[quantity]] * 2.0**52).astype(np.uint64)
        mine = mixed(number ^ mixed(np.uint64(seed) + np.uint64(104_729 * (i + 1))))
        streams[quantity] = mine | np.uint64(1)
        shared[quantity] = mixed(~mine) | np.uint64(1)
    return Plan(streams, shared)


def _km(scene: Scene, draws: Plan) -> Floats:
    """Return the street kilometres seen at the first level at a random moment, for each draw."""
    presence = scene.unlisted and scene.unlisted.presence(draws)
    seen = _seeing.see(scene.points, scene.views, scene.obstacles, draws,
                       radius_m=scene.radius_m, groups=1, presence=presence)  # fmt: skip
    km: Floats = seen.sums[0, 0, 0, 0] / 1e6
    return km


def _worth_a_visit(scene: Scene, factor: str, seed: int) -> Visits:
    """Return the cameras whose unknown matters most, what knowing it does, and how many there are.

    factor: of _ON_SITE. The list is the shortest that halves the interval, found by bisection
    among cameras by what their unknown alone does to the length they see; all, if none does.
    """
    views = scene.views
    unknown = np.zeros(len(views.camera_id), bool)
    unknown[views.camera[_unknown_views(scene, factor)]] = True
    unknown &= ~views.indoor & views.listed
    n = int(unknown.sum())
    n_all, n_listed = len(views.camera_id), int(views.listed.sum())
    if n == 0 or n_all > min(_MOST_CAMERAS, (1 + _MOST_UNLISTED) * n_listed):
        return Visits([], None, n)
    only = plan(_ALONE_DRAWS, seed + 1, groups=1, vary=FACTORS[factor])
    alone = _seeing.see(scene.points, views, scene.obstacles, only, radius_m=scene.radius_m,
                        groups=1, presence=_nobody_else(scene, only), by_camera=True)  # fmt: skip
    variance = (alone.lengths_mm / 1e6).var(axis=1)
    order = np.argsort(-np.where(unknown, variance, -1.0), kind="stable")[:n]
    now = _width(scene, factor, order[:0], seed)
    if now == 0:
        return Visits([], None, n)
    narrowed = _width(scene, factor, order, seed) / now
    fewest, most = 0, n
    while narrowed <= 0.5 and most - fewest > 1:
        middle = (fewest + most) // 2
        width = _width(scene, factor, order[:middle], seed) / now
        if width <= 0.5:
            most, narrowed = middle, width
        else:
            fewest = middle
    return Visits([views.camera_id[i] for i in order[:most]], narrowed, n)


def _unknown_views(scene: Scene, factor: str) -> npt.NDArray[np.bool_]:
    views = scene.views
    if factor == "direction":
        return np.isnan(views.bearing_deg) & ~views.turns
    return np.isnan(views.height_m)[views.camera]


def _nobody_else(scene: Scene, draws: Plan) -> Floats | None:
    return None if scene.unlisted is None else np.zeros(draws.n)


def _width(scene: Scene, factor: str, known: Ints, seed: int) -> float:
    """Return the mean width of the interval of kilometres once a factor of cameras is known.

    What a visit will find is not known beforehand: the mean is over a few ways it may turn out.
    """
    views = scene.views
    is_known = np.zeros(len(views.camera_id), bool)
    is_known[known] = True
    mine = is_known[views.camera] & _unknown_views(scene, factor)
    widths = []
    for trial in range(_TRIALS if len(known) else 1):
        found = found_on_site(views, factor, mine, seed + 100 + trial)
        draws = plan(_TRIAL_DRAWS, seed, groups=_TRIAL_DRAWS)
        km = _km(scene._replace(views=found), draws)
        widths.append(float(np.quantile(km, 0.975) - np.quantile(km, 0.025)))
    return float(np.mean(widths))


def sentence(found: Drivers) -> str:
    """Say what would help most, and what knowing directions would."""
    first, share = next(iter(found.shares.items()))
    text = _COSTS.get(first, f"not knowing {first} costs most")
    text = f"{text} ({share:.0%} of the variance)"
    would = _would(found.on_site, found.visits)
    text = text[0].upper() + text[1:] + (f": {would}" if would else "") + "."
    would = _would(_ON_SITE[0], found.directions)
    if found.on_site != _ON_SITE[0] and would:
        text += f" {would[0].upper()}{would[1:]}."
    return text


def _would(factor: str, visits: Visits) -> str:
    """Say what mapping one thing would do; nothing where it is known of all, or was not tried."""
    if not visits.cameras or visits.narrowed is None:
        return ""
    n, gain, whose = len(visits.cameras), 1 - visits.narrowed, _WHOSE[factor]
    if visits.narrowed <= 0.5:
        return f"mapping the {whose} of {n} cameras would halve the interval"
    text = f"mapping the {whose} of all {n} cameras where they are not known would "
    return text + (f"narrow the interval by {gain:.0%}" if gain >= 0.02 else "hardly narrow it")


_WHOSE: Final = {"direction": "directions", "height and tilt": "heights and tilts"}
_COSTS: Final[dict[str, str]] = {
    "direction": "not knowing directions costs most",
    "field of view": "not knowing lenses costs most",
    "pixels and picture quality": "not knowing pixels and picture quality costs most",
    "height and tilt": "not knowing heights and tilts costs most",
    "existence": "not knowing which cameras are still there costs most",
    "cameras that no list has": "not knowing the cameras that no list has costs most",
}


def as_json(found: Drivers | None) -> dict[str, Any] | None:
    """Return what the summary says of the drivers."""
    if found is None:
        return None
    return {
        "question": found.question,
        "level": found.level,
        "shares_of_variance": {k: round(v, 4) for k, v in found.shares.items()},
        "confidence_95": {k: round(v, 4) for k, v in found.errors.items()},
        "sentence": sentence(found),
        "to_map": found.on_site,
        **_told(found.visits),
        "directions": _told(found.directions),
    }


def _told(visits: Visits) -> dict[str, Any]:
    return {
        "cameras_where_unknown": visits.n_unknown,
        "cameras_to_map": visits.cameras,
        "width_once_mapped": None if visits.narrowed is None else round(visits.narrowed, 4),
    }
