"""Cameras that no list has: candidates for them, and which of these are there in a draw."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree
from scipy.special import ndtri

from sousveil.coverage._draws import Plan, mixed, uniform
from sousveil.coverage._views import Views, key_of, select
from sousveil.undercount import STREET, Missing
from sousveil.visibility import Obstacles, place

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

NEIGHBOURHOOD_M: Final = 250.0
"""Unlisted cameras are placed on streets this near to a listed camera of their sort."""

_ASIDE_M: Final = 12.0
_ROOM: Final = 1.5  # candidates beyond the upper end of the undercount
_MOST: Final = 200_000
_AT_ONCE: Final = 4_000_000  # numbers
_MANY: Final = 1000  # candidates for unlisted cameras, which are drawn as the listed ones are


class Unlisted(NamedTuple):
    """Candidates by the keys of their random numbers, and how many of them there are.

    share: of the cameras that no list has, those outdoors that are not of private homes.
    """

    missing: Missing
    share: float
    key: Words

    def numbers(self, plan: Plan) -> Ints:
        """Return how many candidates are there in each draw: the same for draws of one group."""
        common = plan.shared["unlisted"]
        scores = np.where(common == 0, 0.0, ndtri(uniform(mixed(common))))
        drawn = self.missing.numbers(scores) * self.share
        part = np.where(common == 0, 0.5, uniform(mixed(~common)))
        return np.minimum((drawn + part).astype(np.int64), len(self.key))

    def presence(self, plan: Plan) -> Floats:
        """Return, for each draw, below which of their random numbers candidates are there.

        So many are as the draw says, whichever of them.
        """
        number, n = self.numbers(plan), len(self.key)
        chances, key = np.ones(plan.n), mixed(~self.key)[:, None]
        size = max(_AT_ONCE // max(n, 1), 1)
        for at in range(0, plan.n, size):
            own = uniform(mixed(key ^ plan.streams["unlisted"][at : at + size]))
            own = np.sort(own, axis=0)
            which = number[at : at + size]
            short = np.flatnonzero(which < n)
            chances[at + short] = own[which[short], short]
        return chances


def candidates(
    views: Views,
    street_xy: Floats,
    weight: Floats,
    groups: Ints,
    obstacles: Obstacles,
    missing: Missing,
    seed: int,
) -> tuple[Views, Unlisted]:
    """Return candidates for unlisted cameras: each like a listed one of the neighbourhood.

    street_xy: points of streets, weight: the length each stands for, groups: the group of its
    street (undercount.street_groups). missing: its `like` is of the cameras of the views. A
    candidate has the owner, housing and mount of a listed camera drawn at random by `like`, a place
    on a street near it, to the side of the street, and nothing else that is known. Where listing
    depends on the class of street it is one of that class.
    """
    like = np.where(views.indoor, 0.0, missing.like)
    share = float(like.sum())
    usable = _usable(street_xy, obstacles, missing.ground)
    n = min(int(np.ceil(_ROOM * missing.high * share)) + 20, _MOST)
    if share <= 0 or not missing.known or missing.high <= 0 or not len(usable):
        nobody = select(views, np.zeros(0, np.int64))
        return nobody, Unlisted(missing, share, nobody.key)
    rng = np.random.default_rng([seed, 0x0FF1])
    like_whom = rng.choice(len(like), n, p=like / share)
    of = groups[usable] if STREET in missing.covariates else np.zeros(len(usable), np.int64)
    at = usable[_near(views.xy, like_whom, street_xy[usable], weight[usable], of, rng)]
    more = _made(views, like_whom, street_xy[at], obstacles, seed, rng)
    return more, Unlisted(missing, share, more.key)


def slowly(views: Views, mend: str = "") -> str:
    """Say that a step takes long, and why, where it does."""
    unlisted = int((~views.listed).sum())
    if unlisted < _MANY:
        return ""
    why = f", which may take minutes: unlisted cameras could be at {unlisted:,} places"
    return f"{why}; {mend}" if mend else why


def _usable(street_xy: Floats, obstacles: Obstacles, ground: Any) -> Ints:
    if ground is None or not len(street_xy):
        return np.arange(len(street_xy))
    flat = obstacles.plane.flat(np.array([ground]))[0]
    shapely.prepare(flat)
    return np.flatnonzero(shapely.intersects_xy(flat, street_xy))


def _made(
    views: Views, like: Ints, at: Floats, obstacles: Obstacles, seed: int, rng: np.random.Generator
) -> Views:
    n = len(like)
    angle, aside = rng.uniform(0, 2 * np.pi, n), rng.uniform(2.0, _ASIDE_M, n)
    xy = at + np.column_stack([np.cos(angle), np.sin(angle)]) * aside[:, None]
    placed = place(xy, obstacles)
    first_view = np.searchsorted(views.camera, like)
    made: dict[str, Any] = select(views, like)._asdict()
    unknown = np.full(n, np.nan)
    names = [f"unlisted-{i}" for i in range(n)]
    one = {
        "camera_id": names,
        "key": np.array([key_of(f"{name}/{seed}") for name in names], np.uint64),
        "xy": placed.xy, "moved_m": placed.moved_m, "height_m": unknown,
        "facing_deg": np.where(np.isfinite(views.facing_deg[like]), placed.facing_deg, np.nan),
        "age_years": np.zeros(n), "certain": np.zeros(n, bool), "listed": np.zeros(n, bool),
        "camera": np.arange(n), "number": np.zeros(n, np.int64), "bearing_deg": unknown,
        "turns": views.turns[first_view], "hfov_deg": unknown, "pixels_h": unknown,
        "tilt_deg": unknown, "quality": unknown,
    }  # fmt: skip
    return Views(**made | one)


def _near(
    xy: Floats, like: Ints, street_xy: Floats, weight: Floats, group: Ints, rng: np.random.Generator
) -> Ints:
    """Return a point of a street near the camera that each candidate is like."""
    tree = cKDTree(street_xy)
    chosen = np.zeros(len(like), np.int64)
    order = np.argsort(like, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(like[order])) + 1):
        here = xy[like[mine[0]]]
        nearest = tree.query(here)[1]
        around = np.array(tree.query_ball_point(here, NEIGHBOURHOOD_M), np.int64)
        around = around[group[around] == group[nearest]]
        if not len(around):
            chosen[mine] = nearest
            continue
        length = weight[around]
        chosen[mine] = rng.choice(around, len(mine), p=length / length.sum())
    return chosen
