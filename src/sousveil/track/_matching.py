"""Which streets a track followed: a hidden Markov model over places on the streets.

Method: P. Newson and J. Krumm, Hidden Markov Map Matching Through Noise and Sparseness, ACM
SIGSPATIAL GIS 2009. Changed for people on foot: a place may also lie away from every street (in a
square, a park, a house), which no point has to pay more for than one OFF_STREET_SIGMAS away.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from sousveil.track import _kernel
from sousveil.track._graph import Floats, Graph, Ints
from sousveil.track._reading import Track

GAP_S: Final = 300.0
"""A silence longer than this is a gap: nothing is said about where the person was."""

GAP_M: Final = 500.0
"""So is a step longer than this."""

SIGMA_M: Final = 8.0
"""Standard deviation of a point from the middle of its street where the device states none: about
5 m of a phone's error in a city, and 5 m from the pavement to the middle."""

BETA_M: Final = 10.0
"""Mean of how much longer a way on the streets is than the straight line between two points."""

OFF_STREET_SIGMAS: Final = 3.5
_LEAVING: Final = 6.0
_HALF_STREET_M: Final = 5.0
_RADIUS_OF_ONE: Final = 1.515  # a radius that holds 68 % of points, in standard deviations an axis
_SIGMA_LIMITS_M: Final = (5.0, 40.0)
_SLACK_M: Final = 60.0
_MOST_CANDIDATES: Final = 10


class Matched(NamedTuple):
    """The way of a track, as points in metres of the graph's plane.

    leg grows at each gap. time_s: since the track began; evenly spread between the points of the
    track that were kept. edge: that the piece ending here runs on, -1 away from streets.
    """

    xy: Floats
    time_s: Floats
    leg: Ints
    edge: Ints
    on_street_share: float  # of the track's kept points


def match(track: Track, graph: Graph, *, m_per_s: float) -> Matched:
    """Match a track to the streets of a graph.

    m_per_s: the speed at which a track without times is taken to be walked.
    Points closer than two standard deviations to the last one kept say nothing new and are left
    out, as the paper does.
    """
    points = track.points
    xy = graph.plane.to_xy(points["lon"].to_numpy(), points["lat"].to_numpy())
    time_s = _times(track, xy, m_per_s)
    leg = _legs(points["part"].to_numpy(), xy, time_s, has_times=track.has_times)
    sigma_m = _sigmas(points["accuracy_m"].to_numpy(zero_copy_only=False))
    kept = np.flatnonzero(_kernel_thin(xy, leg, 2.0 * sigma_m))
    xy, time_s, leg, sigma_m = xy[kept], time_s[kept], leg[kept], sigma_m[kept]
    edge, at_m, place = _chosen(xy, leg, sigma_m, graph)
    starts = np.ones(len(xy), bool)
    starts[1:] = leg[1:] != leg[:-1]
    way, on, size = _outline(edge, at_m, place, starts, graph)
    return Matched(way, _spread(way, size, time_s, starts), _repeat(leg, size), on,
                   float((edge >= 0).mean()))  # fmt: skip


def _times(track: Track, xy: Floats, m_per_s: float) -> Floats:
    if not track.has_times:
        return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T)) / m_per_s])
    ms: Ints = track.points["time"].cast("int64").to_numpy()
    return np.asarray((ms - ms[0]) / 1000.0, np.float64)


def _legs(part: Ints, xy: Floats, time_s: Floats, *, has_times: bool) -> Ints:
    far = np.hypot(*np.diff(xy, axis=0).T) > GAP_M
    late = (np.diff(time_s) > GAP_S) if has_times else np.zeros(len(far), bool)
    # Apps begin a new segment for every pause; with times, the pause itself says what it is.
    cut = far | late if has_times else far | (np.diff(part) != 0)
    return np.concatenate([[0], np.cumsum(cut)]).astype(np.int64)


def _sigmas(accuracy_m: Floats) -> Floats:
    stated = np.hypot(accuracy_m.astype(np.float64) / _RADIUS_OF_ONE, _HALF_STREET_M)
    sigma_m: Floats = np.clip(np.where(np.isfinite(stated), stated, SIGMA_M), *_SIGMA_LIMITS_M)
    return sigma_m


def _kernel_thin(xy: Floats, leg: Ints, apart_m: Floats) -> npt.NDArray[np.bool_]:
    keep: npt.NDArray[np.bool_] = _kernel.thin(xy, leg, apart_m)
    return keep


def _chosen(xy: Floats, leg: Ints, sigma_m: Floats, graph: Graph) -> tuple[Ints, Floats, Floats]:
    """Return edge (-1: none), metres along it and place of each point."""
    point, edge, at_m, away_m, place = _near(xy, sigma_m, graph)
    n = len(xy)
    off = 0.5 * OFF_STREET_SIGMAS**2
    point = np.concatenate([np.arange(n), point])
    order = np.argsort(point, kind="stable")
    edge = np.concatenate([np.full(n, -1), edge])[order]
    at_m = np.concatenate([np.zeros(n), at_m])[order]
    place = np.vstack([xy, place])[order]
    cost = np.concatenate([np.full(n, off), 0.5 * (away_m / sigma_m[point[n:]]) ** 2])[order]
    first = np.searchsorted(point[order], np.arange(n + 1))
    step_m = np.concatenate([[0.0], np.hypot(*np.diff(xy, axis=0).T)])
    starts = np.concatenate([[True], leg[1:] != leg[:-1]])
    x, y = np.ascontiguousarray(place[:, 0]), np.ascontiguousarray(place[:, 1])
    chosen = _kernel.likeliest(
        first, edge, at_m, x, y, cost, step_m, starts,
        _topology(graph), graph.n_nodes, BETA_M, _LEAVING, _SLACK_M,
    )  # fmt: skip
    return edge[chosen], at_m[chosen], place[chosen]


def _near(xy: Floats, sigma_m: Floats, graph: Graph) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Return the places on edges near each point, the nearest _MOST_CANDIDATES of each."""
    points = shapely.points(xy)
    point, edge = graph.tree.query(
        points, predicate="dwithin", distance=OFF_STREET_SIGMAS * sigma_m
    )
    away_m = shapely.distance(points[point], graph.lines[edge])
    order = np.lexsort((away_m, point))
    point, edge, away_m = point[order], edge[order], away_m[order]
    rank = np.arange(len(point)) - np.searchsorted(point, point)
    near = rank < _MOST_CANDIDATES
    point, edge, away_m = point[near], edge[near], away_m[near]
    at_m = shapely.line_locate_point(graph.lines[edge], points[point])
    at_m = np.clip(at_m, 0.0, graph.length_m[edge])
    found: npt.NDArray[Any] = shapely.line_interpolate_point(graph.lines[edge], at_m)
    place = shapely.get_coordinates(found).reshape(-1, 2)
    return point, edge, at_m, away_m, place


def _topology(graph: Graph) -> tuple[Any, ...]:
    return graph.a, graph.b, graph.length_m, graph.out_first, graph.out_edge, graph.out_to


def _outline(
    edge: Ints, at_m: Floats, place: Floats, starts: npt.NDArray[np.bool_], graph: Graph
) -> tuple[Floats, Ints, Ints]:
    room = 16384 + 32 * len(edge)
    x, y = np.ascontiguousarray(place[:, 0]), np.ascontiguousarray(place[:, 1])
    vertices = graph.vertex_xy, graph.vertex_m, graph.first
    while True:
        way, on, size = _kernel.outline(
            edge, at_m, x, y, starts, _topology(graph), vertices, graph.n_nodes, _SLACK_M, room
        )
        if size[0] >= 0:
            return way, on, size
        room *= 2


def _spread(way: Floats, size: Ints, time_s: Floats, starts: npt.NDArray[np.bool_]) -> Floats:
    """Return the time at each point of the way: spread by length between the kept points."""
    step = np.concatenate([[0.0], np.hypot(*np.diff(way, axis=0).T)])
    step[size[starts]] = 0.0
    # Where a person stood there is no length to spread the time over; a hair gives it one.
    along = np.cumsum(step + 1e-6)
    return np.interp(along, along[size], time_s)


def _repeat(leg: Ints, size: Ints) -> Ints:
    return np.repeat(leg, np.diff(size, prepend=-1))
