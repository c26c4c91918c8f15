"""Ways on foot between two points, on the trade-off between length and exposure.

A way's cost is w1 * length + w2 * exposure, both sums over its edges. Every way that is best for
some weights lies on the lower convex hull of all (length, exposure); they are found without
guessing weights, from the two ends inwards (J. L. Cohon, Multiobjective Programming and Planning,
1978).
Ways that are efficient but off the hull are not found.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from sousveil.errors import UnusableInput
from sousveil.track import Graph

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FARTHEST_M: Final = 250.0
"""A point to start from or to go to must lie no farther from a way that may be walked."""

DETOUR: Final = 1.6
"""Ways longer than this many times the shortest are not looked for."""

MOST_WAYS: Final = 6

_ROOM_M: Final = 100.0
_TIE: Final = 1e-6


class Net(NamedTuple):
    """The part of a graph that ways may use, with a node at each end."""

    a: Ints
    b: Ints
    length_m: Floats
    lines: npt.NDArray[Any]  # from a to b, metres
    n_nodes: int
    start: int
    goal: int


class Way(NamedTuple):
    """One way: its edges in order, and whether each is walked from a to b."""

    edges: Ints
    forward: npt.NDArray[np.bool_]
    length_m: float
    exposed_m: float


def net(graph: Graph, start: Floats, goal: Floats) -> Net:
    """Return the graph with two points (metres) joined to the nearest places on its edges.

    Raises UnusableInput for a point too far from any way, or without a way to the other.
    """
    a, b, length = graph.a.tolist(), graph.b.tolist(), graph.length_m.tolist()
    lines = list(graph.lines)
    ends: list[int] = []
    cuts: dict[int, list[tuple[float, int]]] = {}
    for name, point in (("--from", start), ("--to", goal)):
        edge = _nearest(name, point, graph)
        at_m = float(shapely.line_locate_point(graph.lines[edge], shapely.Point(point)))
        node = graph.n_nodes + len(ends)
        cuts.setdefault(edge, []).append((at_m, node))
        ends.append(node)
    for edge, at in cuts.items():
        marks = [(0.0, a[edge]), *sorted(at), (length[edge], b[edge])]
        for (low, first), (high, second) in pairwise(marks):
            a.append(first)
            b.append(second)
            length.append(high - low)
            lines.append(_piece(graph.lines[edge], low, high))
    keep = np.ones(len(a), bool)
    keep[list(cuts)] = False
    whole = Net(
        np.array(a)[keep], np.array(b)[keep], np.array(length)[keep],
        np.array(lines, dtype=object)[keep], graph.n_nodes + 2, *ends,
    )  # fmt: skip
    return _within_reach(whole)


def _nearest(name: str, point: Floats, graph: Graph) -> int:
    found = graph.tree.query_nearest(shapely.Point(point), max_distance=FARTHEST_M)
    if not len(found):
        raise UnusableInput(
            f"{name}: no way on foot within {FARTHEST_M:.0f} m; give a point among the source's "
            "streets"
        )
    return int(np.min(found))


def _piece(line: Any, low: float, high: float) -> Any:
    from shapely.ops import substring

    piece = substring(line, low, high)
    if piece.geom_type == "Point":
        return shapely.LineString([piece, piece])
    return piece


def _within_reach(whole: Net) -> Net:
    """Leave out what no way of the allowed length can use."""
    weight, _ = _matrix(whole, whole.length_m)
    there = dijkstra(weight, directed=False, indices=[whole.start, whole.goal])
    shortest = there[0, whole.goal]
    if not np.isfinite(shortest):
        raise UnusableInput("--from, --to: no way on foot leads from one to the other")
    total = np.minimum(
        there[0, whole.a] + there[1, whole.b], there[0, whole.b] + there[1, whole.a]
    ) + whole.length_m  # fmt: skip
    keep = total <= DETOUR * shortest + _ROOM_M
    return whole._replace(
        a=whole.a[keep], b=whole.b[keep], length_m=whole.length_m[keep], lines=whole.lines[keep]
    )


def _matrix(net: Net, cost: Floats) -> tuple[Any, dict[tuple[int, int], int]]:
    """Return costs between nodes, and the cheapest edge of each pair of nodes."""
    low, high = np.minimum(net.a, net.b), np.maximum(net.a, net.b)
    order = np.lexsort((cost, high, low))
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(low[order]) != 0) | (np.diff(high[order]) != 0)
    best = order[first & (low[order] != high[order])]
    # A cost of nothing would be no edge at all in a sparse matrix.
    shape = (net.n_nodes, net.n_nodes)
    matrix = csr_matrix((np.maximum(cost[best], 1e-9), (low[best], high[best])), shape)
    return matrix, {(int(low[e]), int(high[e])): int(e) for e in best}


def best(net: Net, exposed_m: Floats, weights: tuple[float, float]) -> Way:
    """Return the way of least weighted sum of length and exposure (metres of each edge)."""
    cost = weights[0] * net.length_m + weights[1] * exposed_m
    matrix, edge_of = _matrix(net, cost)
    _, before = dijkstra(matrix, directed=False, indices=net.start, return_predecessors=True)
    nodes = [net.goal]
    while nodes[-1] != net.start:
        nodes.append(int(before[nodes[-1]]))
    nodes.reverse()
    steps = list(pairwise(nodes))
    edges = np.array([edge_of[min(s), max(s)] for s in steps], np.int64)
    forward = net.a[edges] == np.array([s[0] for s in steps]) if steps else np.zeros(0, bool)
    return Way(edges, forward, float(net.length_m[edges].sum()), float(exposed_m[edges].sum()))


def trade_offs(net: Net, exposed_m: Floats, most: int = MOST_WAYS) -> list[Way]:
    """Return the ways on the hull of length and exposure, the shortest first.

    No way is longer than DETOUR times the shortest. Where there are more than `most`, those that
    save most exposure for each metre of detour stay.
    """
    ends = [best(net, exposed_m, (1.0, _TIE)), best(net, exposed_m, (_TIE, 1.0))]
    found = [ends[0], *_between(net, exposed_m, *ends), ends[1]]
    limit_m = DETOUR * ends[0].length_m + _ROOM_M
    distinct: list[Way] = []
    for way in sorted(found, key=lambda w: (w.length_m, w.exposed_m)):
        better = not distinct or way.exposed_m < distinct[-1].exposed_m - 0.5
        if better and way.length_m <= limit_m:
            distinct.append(way)
    return distinct[:most]


def _between(net: Net, exposed_m: Floats, short: Way, quiet: Way) -> list[Way]:
    weights = short.exposed_m - quiet.exposed_m, quiet.length_m - short.length_m
    if min(weights) <= 1e-3:
        return []
    way = best(net, exposed_m, weights)
    line = weights[0] * short.length_m + weights[1] * short.exposed_m
    if weights[0] * way.length_m + weights[1] * way.exposed_m >= line - 1e-6 * abs(line):
        return []
    return [*_between(net, exposed_m, short, way), way, *_between(net, exposed_m, way, quiet)]


def outline(net: Net, way: Way) -> Any:
    """Return a way as one line in metres."""
    parts = [
        shapely.get_coordinates(line)[:: 1 if forward else -1]
        for line, forward in zip(net.lines[way.edges], way.forward, strict=True)
    ]
    return shapely.LineString(np.vstack(parts) if parts else [(0.0, 0.0), (0.0, 0.0)])
