"""The streets of a place as a network for walking."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.ops import substring

from sousveil.errors import UnusableInput
from sousveil.place import FOOTWAY_CLASSES, STREET_CLASSES, TRACK_CLASSES

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

LONGEST_EDGE_M: Final = 60.0
"""Edges are cut to at most this length, so that a door is never far from the next node."""

_NOT_WALKED: Final = frozenset({"motorway", "motorway_link", "busway", "bus_guideway"})
_CLOSED: Final = ("no", "private")
_M_PER_DEG: Final = 111_195.0


class Frame(NamedTuple):
    """How longitude and latitude become metres east and north of a point, for one place."""

    lon: float
    lat: float

    def xy(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Return metres east and north; good to 0.1 % within 50 km."""
        scale = _M_PER_DEG * np.cos(np.radians(self.lat))
        return (lon - self.lon) * scale, (lat - self.lat) * _M_PER_DEG


class Network(NamedTuple):
    """Nodes and edges of the largest connected part of the streets, and how they hang together.

    The edges at node i are via[start[i]:start[i + 1]], each leading to the node in `to`.
    """

    frame: Frame
    x_m: Floats  # of nodes
    y_m: Floats
    ends: Ints  # n_edges x 2: nodes
    length_m: Floats  # of edges
    lines: npt.NDArray[Any]  # of edges, longitude and latitude
    start: Ints
    to: Ints
    via: Ints


def network(streets: pa.Table) -> Network:
    """Return the network of what may be walked in records.STREETS.

    Ways meet where they share a node. Raises UnusableInput where there are no streets to walk.
    """
    pieces = _pieces(_walked(streets))
    if not len(pieces):
        raise UnusableInput("the source holds no streets to walk on; give an extract with streets")
    box = shapely.bounds(shapely.MultiLineString(list(pieces)))
    frame = Frame(float(box[[0, 2]].mean()), float(box[[1, 3]].mean()))
    edges = _cut(pieces, frame)
    length_m = _lengths_m(edges, frame)
    first, last = shapely.get_point(edges, 0), shapely.get_point(edges, -1)
    points = np.round(shapely.get_coordinates(np.concatenate([first, last])), 7)
    places, node = np.unique(points, axis=0, return_inverse=True)
    ends = node.reshape(2, -1).T.astype(np.int32)
    return _connected(frame, places, ends, length_m, edges)


def _walked(streets: pa.Table) -> npt.NDArray[Any]:
    classes = sorted((STREET_CLASSES | FOOTWAY_CLASSES | TRACK_CLASSES) - _NOT_WALKED)
    usable = pc.is_in(streets["highway"], value_set=pa.array(classes))
    allowed = pc.is_in(streets["foot"], value_set=pa.array(["yes", "designated", "permissive"]))
    closed = pc.or_(
        pc.is_in(streets["foot"], value_set=pa.array(_CLOSED)),
        pc.and_not(pc.is_in(streets["access"], value_set=pa.array(_CLOSED)), allowed),
    )
    chosen = streets.filter(pc.and_not(usable, closed))
    lines = shapely.from_wkb(chosen["geometry"].to_numpy(zero_copy_only=False))
    return np.asarray(shapely.get_parts(lines))


def _pieces(lines: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Cut lines where they meet another line, or themselves, at a common point."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    if not len(points):
        return np.empty(0, dtype=object)
    _, where, times = np.unique(
        np.round(points, 7), axis=0, return_inverse=True, return_counts=True
    )
    shared = times[where.ravel()] > 1
    edge = np.flatnonzero(line[1:] == line[:-1])  # segments, by their first point
    new_line = np.concatenate([[True], line[edge[1:]] != line[edge[:-1]]])
    piece = np.cumsum(new_line | shared[edge]) - 1
    is_last = np.concatenate([piece[1:] != piece[:-1], [True]])
    of_points = np.concatenate([piece, piece[is_last]])
    order = np.argsort(np.concatenate([np.arange(len(edge)) * 2.0,
                                       np.flatnonzero(is_last) * 2.0 + 1]))  # fmt: skip
    coordinates = np.concatenate([points[edge], points[edge[is_last] + 1]])[order]
    return np.asarray(shapely.linestrings(coordinates, indices=of_points[order]))


def _lengths_m(lines: npt.NDArray[Any], frame: Frame) -> Floats:
    points, line = shapely.get_coordinates(lines, return_index=True)
    x_m, y_m = frame.xy(points[:, 0], points[:, 1])
    step = np.hypot(np.diff(x_m), np.diff(y_m)) * (line[1:] == line[:-1])
    return np.bincount(line[1:], step, len(lines)).astype(np.float64)


def _cut(pieces: npt.NDArray[Any], frame: Frame) -> npt.NDArray[Any]:
    """Cut what is longer than LONGEST_EDGE_M into equal parts; drop what has no length."""
    length_m = _lengths_m(pieces, frame)
    long = length_m > LONGEST_EDGE_M
    parts = []
    for line, metres in zip(pieces[long], length_m[long], strict=True):
        n = int(np.ceil(metres / LONGEST_EDGE_M))
        at = np.linspace(0.0, 1.0, n + 1)
        parts += [substring(line, at[i], at[i + 1], normalized=True) for i in range(n)]
    return np.concatenate([pieces[~long & (length_m > 0)], np.array(parts, dtype=object)])


def _connected(
    frame: Frame, places: Floats, ends: Ints, length_m: Floats, edges: npt.NDArray[Any]
) -> Network:
    n = len(places)
    ones = np.ones(len(ends), dtype=np.int8)
    graph = coo_array((ones, (ends[:, 0], ends[:, 1])), shape=(n, n))
    _, part = connected_components(graph, directed=False)
    largest = part == np.bincount(part[ends[:, 0]]).argmax()
    kept = largest[ends[:, 0]] & (ends[:, 0] != ends[:, 1])
    new = np.cumsum(largest) - 1
    ends, length_m, edges = new[ends[kept]].astype(np.int32), length_m[kept], edges[kept]
    x_m, y_m = frame.xy(places[largest, 0], places[largest, 1])
    both = np.concatenate([ends[:, 0], ends[:, 1]])
    order = np.argsort(both, kind="stable")
    number = np.tile(np.arange(len(ends), dtype=np.int32), 2)
    start = np.concatenate([[0], np.cumsum(np.bincount(both, minlength=len(x_m)))])
    return Network(
        frame=frame,
        x_m=x_m,
        y_m=y_m,
        ends=ends,
        length_m=length_m,
        lines=edges,
        start=start.astype(np.int32),
        to=np.concatenate([ends[:, 1], ends[:, 0]])[order].astype(np.int32),
        via=number[order],
    )
