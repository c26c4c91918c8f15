"""Cameras that no list has: how many the undercount makes likely, and where they may hang."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from scipy.special import ndtri

from sousveil.coverage._draws import Plan, _mixed, _uniform
from sousveil.coverage._views import Views, _key, select
from sousveil.errors import UnusableInput
from sousveil.visibility import Obstacles, place

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NEIGHBOURHOOD_M: Final = 250.0
"""Unlisted cameras are placed on streets this near to a listed camera of their sort."""

_ASIDE_M: Final = 12.0
_ROOM: Final = 1.5  # candidates beyond the upper end of the undercount
_MOST: Final = 200_000


class Undercount(NamedTuple):
    """How many cameras there are for each listed one: estimate and 95 % interval."""

    estimate: float
    low: float
    high: float


def parsed(text: str) -> Undercount:
    """Read an undercount written as estimate/low/high, such as 1.8/1.4/2.6.

    Raises UnusableInput for anything else, and for less than one camera a listed camera.
    """
    try:
        estimate, low, high = (float(part) for part in text.split("/"))
    except ValueError:
        raise UnusableInput(
            f"--undercount {text}: write it as estimate/low/high, such as 1.8/1.4/2.6"
        ) from None
    if not 1 <= low <= estimate <= high < float("inf"):
        raise UnusableInput(
            f"--undercount {text}: cameras for each listed one, so at least 1, and in the order "
            "estimate/low/high"
        )
    return Undercount(estimate, low, high)


def factors(undercount: Undercount, plan: Plan) -> Floats:
    """Return the undercount of each draw: log-normal, the same for draws of one group."""
    common = _uniform(_mixed(plan.shared["unlisted"]))
    spread = np.log(undercount.high / undercount.low) / (2 * 1.959964)
    drawn = np.exp(np.log(undercount.estimate) + spread * ndtri(common))
    return np.maximum(np.where(plan.shared["unlisted"] == 0, undercount.estimate, drawn), 1.0)


def candidates(
    views: Views,
    street_xy: Floats,
    weight: Floats,
    obstacles: Obstacles,
    undercount: Undercount,
    seed: int,
) -> Views:
    """Return candidates for unlisted cameras: each like a listed one of the neighbourhood.

    street_xy: points of streets, weight: the length each stands for. A candidate has the owner,
    housing and mount of a listed camera drawn at random, a place on a street near it, to the side
    of the street, and nothing else that is known.
    """  # fmt: skip
    listed = np.flatnonzero(~views.indoor)
    n = min(int(np.ceil(_ROOM * (undercount.high - 1) * len(listed))) + 20, _MOST)
    if not len(listed) or not len(street_xy):
        return select(views, np.zeros(0, np.int64))
    rng = np.random.default_rng([seed, 0x0FF1])
    like = rng.choice(listed, n)
    at = _near(views.xy[like], street_xy, weight, rng)
    angle, aside = rng.uniform(0, 2 * np.pi, n), rng.uniform(2.0, _ASIDE_M, n)
    xy = street_xy[at] + np.column_stack([np.cos(angle), np.sin(angle)]) * aside[:, None]
    placed = place(xy, obstacles)
    first_view = np.searchsorted(views.camera, like)
    made: dict[str, Any] = select(views, like)._asdict()
    unknown = np.full(n, np.nan)
    names = [f"unlisted-{i}" for i in range(n)]
    one = {
        "camera_id": names, "key": np.array([_key(f"{name}/{seed}") for name in names], np.uint64),
        "xy": placed.xy, "moved_m": placed.moved_m, "height_m": unknown,
        "facing_deg": np.where(np.isfinite(views.facing_deg[like]), placed.facing_deg, np.nan),
        "age_years": np.zeros(n), "certain": np.zeros(n, bool), "listed": np.zeros(n, bool),
        "camera": np.arange(n), "number": np.zeros(n, np.int64), "bearing_deg": unknown,
        "turns": views.turns[first_view], "hfov_deg": unknown, "pixels_h": unknown,
        "tilt_deg": unknown, "quality": unknown,
    }  # fmt: skip
    return Views(**made | one)


def _near(xy: Floats, street_xy: Floats, weight: Floats, rng: np.random.Generator) -> Ints:
    tree = cKDTree(street_xy)
    chosen = np.zeros(len(xy), np.int64)
    for i, around in enumerate(tree.query_ball_point(xy, NEIGHBOURHOOD_M)):
        if not around:
            chosen[i] = tree.query(xy[i])[1]
            continue
        length = weight[np.array(around)]
        chosen[i] = rng.choice(around, p=length / length.sum())
    return chosen


def presence(drawn: Floats, n_listed: int, n_candidates: int) -> Floats:
    """Return, for each draw, the probability that a candidate is there."""
    share: Floats = np.minimum((drawn - 1.0) * n_listed / max(n_candidates, 1), 1.0)
    return share
