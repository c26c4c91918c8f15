"""Where a camera really hangs: out of the footprint that a list puts it into, and its wall."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from sousveil.visibility._plane import Floats
from sousveil.visibility._walls import Obstacles

AWAY_M: Final = 0.05
"""How far before its wall a camera hangs once it was moved out of a footprint."""

WALL_WITHIN_M: Final = 5.0
"""A wall farther away is not the one that a camera hangs on: positions err by some metres."""

_AROUND: Final = np.radians(np.arange(0.0, 360.0, 7.5))
_LEAST_YARD_M2: Final = 1.0


class Placed(NamedTuple):
    """Points where cameras see from, how far each was moved, and what its wall faces."""

    xy: Floats
    moved_m: Floats
    facing_deg: Floats  # bearing away from the nearest wall, NaN without one


def place(points: Floats, obstacles: Obstacles) -> Placed:
    """Move points that lie in a footprint, or on its edge, to the nearest place outside.

    points: n x 2 in metres. Of footprints that touch or overlap the whole group counts as one;
    a courtyard is outside.
    """
    xy = np.array(points, np.float64).reshape(-1, 2)
    within = shapely.points(xy)
    inside = np.unique(obstacles.tree.query(within, predicate="dwithin", distance=AWAY_M / 2)[0])
    for i in inside:
        xy[i] = _outside(xy[i], obstacles)
    moved = np.hypot(*(xy - np.asarray(points, np.float64).reshape(-1, 2)).T)
    return Placed(xy, moved, _facing(xy, obstacles))


def _outside(point: Floats, obstacles: Obstacles) -> Floats:
    here = shapely.Point(point)
    group = _group(here, obstacles)
    solid = _without_slits(shapely.union_all(group))
    boundary = shapely.get_coordinates(
        shapely.line_interpolate_point(
            rings := _rings(solid), shapely.line_locate_point(rings, here)
        )
    )
    for k in np.argsort(np.hypot(*(boundary - point).T), kind="stable"):
        steps = boundary[k] + AWAY_M * np.column_stack([np.cos(_AROUND), np.sin(_AROUND)])
        free = shapely.distance(solid, shapely.points(steps))
        best = int(np.argmax(free))
        if free[best] > AWAY_M / 10:  # less in the corner of a yard
            free_place: Floats = steps[best]
            return free_place
    return point


def _rings(solid: shapely.Geometry) -> npt.NDArray[Any]:
    rings: npt.NDArray[Any] = shapely.get_rings(shapely.get_parts(solid))
    return rings


def _group(here: shapely.Point, obstacles: Obstacles) -> npt.NDArray[Any]:
    """Return the footprints around a point with all that touch them, one after the other."""
    tree, footprints = obstacles.tree, obstacles.footprints
    found = set(tree.query(here, predicate="dwithin", distance=AWAY_M).tolist())
    todo = list(found)
    while todo:
        near = tree.query(footprints[todo], predicate="dwithin", distance=AWAY_M)[1]
        todo = [i for i in np.unique(near).tolist() if i not in found]
        found.update(todo)
    return footprints[sorted(found)]


def _without_slits(solid: shapely.Geometry) -> shapely.Geometry:
    """Fill gaps between footprints that nobody could stand in."""
    filled = []
    for part in shapely.get_parts(solid):
        holes = [h for h in part.interiors if shapely.area(shapely.Polygon(h)) >= _LEAST_YARD_M2]
        filled.append(shapely.Polygon(part.exterior, holes))
    return shapely.union_all(filled)


def _facing(xy: Floats, obstacles: Obstacles) -> Floats:
    facing = np.full(len(xy), np.nan)
    if not len(obstacles.footprints) or not len(xy):
        return facing
    points = shapely.points(xy)
    near, of = obstacles.tree.query_nearest(points, max_distance=WALL_WITHIN_M, all_matches=False)
    line = shapely.shortest_line(obstacles.footprints[of], points[near])
    ends = shapely.get_coordinates(line).reshape(-1, 2, 2)
    dx, dy = (ends[:, 1] - ends[:, 0]).T
    away = np.hypot(dx, dy) > 1e-6
    facing[near[away]] = np.degrees(np.arctan2(dx, dy))[away] % 360.0
    return facing
