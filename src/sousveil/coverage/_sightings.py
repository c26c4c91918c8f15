"""Points and the cameras that see them, kept draw by draw, so that points can be taken together.

A camera's direction and lens are the same in a draw wherever one stands, so whether it sees
somebody on their way past it follows from its draws, not from the probabilities of single points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sousveil.coverage import _kernel, _seeing
from sousveil.coverage._draws import Drawn, Plan, draw
from sousveil.coverage._views import Views, select
from sousveil.records import LEVELS
from sousveil.visibility import Obstacles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Sightings(NamedTuple):
    """Pairs of a point and a camera that sees it in any draw, by camera, then point.

    camera: row of the table of cameras. probability: pairs x question (moment, could) x level.
    The rest is what `levels_by_draw` needs; drawn_camera: row among the cameras that were drawn.
    """

    point: Ints
    camera: Ints
    probability: npt.NDArray[np.float32]
    n_draws: int
    drawn_camera: Ints
    offset: Floats
    first_view: Ints
    turns: npt.NDArray[np.bool_]
    drawn: Drawn


def find(
    points: _seeing.Points, views: Views, obstacles: Obstacles, plan: Plan, *, radius_m: float
) -> Sightings:
    """Return who sees which point, as `_seeing.pairs` does, with what was drawn."""
    which, offset = [np.zeros((0, 2), np.int64)], [np.zeros((0, 2))]
    for mine, cameras in _seeing._tiles(points.xy, views, obstacles, radius_m, _seeing.TILE):
        part = _seeing.Tile(points, mine, select(views, cameras), obstacles, radius_m)
        which.append(np.column_stack([mine[part.which[:, 0]], cameras[part.which[:, 1]]]))
        offset.append(part.offset)
    pair, away = np.concatenate(which), np.concatenate(offset)
    order = np.lexsort((pair[:, 0], pair[:, 1]))
    pair, away = pair[order], np.ascontiguousarray(away[order])
    watching, camera = np.unique(pair[:, 1], return_inverse=True)
    camera = np.ascontiguousarray(camera.ravel(), dtype=np.int64)
    views = select(views, watching)  # most cameras see nothing of a way and need no draws
    first_view = np.searchsorted(views.camera, np.arange(len(views.camera_id) + 1))
    drawn = draw(views, plan)
    counts = np.zeros((len(pair), 2, len(LEVELS)), np.int32)
    _kernel.accumulate_pairs(camera, away, first_view, views.turns, tuple(drawn), counts)
    seen = counts.any(axis=(1, 2))
    probability = (counts[seen] / plan.n).astype(np.float32)
    return Sightings(pair[seen, 0], pair[seen, 1], probability, plan.n, camera[seen], away[seen],
                     first_view, views.turns, drawn)  # fmt: skip


def levels_by_draw(found: Sightings, pair: Ints, first: Ints) -> npt.NDArray[np.uint8]:
    """Return the highest level at which each group of pairs is seen, in each draw.

    Group g is pair[first[g]:first[g + 1]], rows of the sightings. Returns groups x question
    (moment, could) x draws: 0 for not at all, 1 to 4 for records.LEVELS.
    """
    best = np.zeros((len(first) - 1, 2, found.n_draws), np.uint8)
    _kernel.accumulate_groups(
        pair, first, found.drawn_camera, found.offset, found.first_view, found.turns,
        tuple(found.drawn), best,
    )  # fmt: skip
    return best
