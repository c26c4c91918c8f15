"""The way from one stretch to another on foot: distances and paths along walkable ways."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_STEP_M: Final = 25.0  # longest piece of a way, so that an end of a stretch finds a vertex near
_SAME_POINT_M: Final = 0.05
_CROSS_COUNTRY: Final = 1.4  # detour over the straight line where no way is known
_NO_WAY: Final = -9999
_REACH: Final = 8.0  # times the root of the ground that each stretch has
_LEAST_REACH_M: Final = 5_000.0
_AT_ONCE: Final = 32  # ends, so that memory does not grow with their number times the network


class Network(NamedTuple):
    """A graph of walkable ways: vertices in metres, weights of edges in metres."""

    points: Floats
    weights: csr_matrix
    tree: cKDTree


class Ends(NamedTuple):
    """Ways between the ends of stretches: end 2 i is the start of stretch i, 2 i + 1 its end."""

    vertex: Index
    distance_m: Floats  # ends x ends


def build(lines: npt.NDArray[Any]) -> Network:
    """Return the network of lines (metres): ways meet where they share a point."""
    lines = shapely.segmentize(lines, _STEP_M)
    xy, line = shapely.get_coordinates(lines, return_index=True)
    keys, vertex = np.unique(np.round(xy / _SAME_POINT_M).astype(np.int64), axis=0,
                             return_inverse=True)  # fmt: skip
    vertex = vertex.ravel()
    points = keys * _SAME_POINT_M
    step = np.flatnonzero(line[1:] == line[:-1])
    a, b = vertex[step], vertex[step + 1]
    proper = a != b
    a, b = a[proper], b[proper]
    # Two ways between the same two points become one edge: the matrix would add their lengths.
    low, high = np.minimum(a, b), np.maximum(a, b)
    edges = np.unique(np.column_stack([low, high]), axis=0)
    length = np.hypot(*(points[edges[:, 0]] - points[edges[:, 1]]).T)
    weights = csr_matrix((length, (edges[:, 0], edges[:, 1])), shape=(len(points),) * 2)
    return Network(points, weights, cKDTree(points))


def between(network: Network, stretches: npt.NDArray[Any]) -> Ends:
    """Return the ways between the ends of stretches (lines in metres).

    Ways longer than several times the usual distance between neighbours are not looked for, as no
    good route takes them: for those, and where no way is known, stands the straight line with a
    detour.
    """
    ends = shapely.get_coordinates(
        np.column_stack([shapely.get_point(stretches, 0), shapely.get_point(stretches, -1)]).ravel()
    )
    _, vertex = network.tree.query(ends)
    area_m2 = float(np.prod(np.ptp(ends, axis=0)))
    reach_m = max(_LEAST_REACH_M, _REACH * float(np.sqrt(area_m2 / len(stretches))))
    distance = np.empty((len(ends), len(ends)))
    for at in range(0, len(ends), _AT_ONCE):
        rows = slice(at, at + _AT_ONCE)
        far = dijkstra(network.weights, directed=False, indices=vertex[rows], limit=reach_m)
        distance[rows] = far[:, vertex]
    straight = _CROSS_COUNTRY * np.hypot(*(ends[:, None] - ends[None]).transpose(2, 0, 1))
    return Ends(vertex, np.where(np.isfinite(distance), distance, straight))


def path(network: Network, ends: Ends, start: int, end: int) -> Floats:
    """Return the points of the way from one end of a stretch to another, n x 2 in metres."""
    at, goal = int(ends.vertex[end]), int(ends.vertex[start])
    _, before = dijkstra(network.weights, directed=False, indices=goal, return_predecessors=True)
    way = [at]
    while at != goal:
        at = int(before[at])
        if at == _NO_WAY:
            return network.points[[goal, int(ends.vertex[end])]]
        way.append(at)
    return network.points[way[::-1]]
