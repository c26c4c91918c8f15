"""The ways that residents take: the shortest, as it seems to them, and what they pass on it.

All trips that share an end are followed in one tree of shortest ways (Dijkstra 1959) from there, so
that the cost is that of as many trees as there are places with trips, and of walking up the trees.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil._heap import drop_least, push
from sousveil.residents._chance import cores
from sousveil.residents._parameters import DETOUR, HOME, Parameters
from sousveil.residents._plans import Trips
from sousveil.residents._streets import Floats, Ints, Network
from sousveil.residents._town import Town

VARIANTS: Final = 3
"""Number of opinions on how long each stretch seems; a trip takes one by its key."""

_PARTS: Final = 16  # pieces of work, each a run of trees


class Marks(NamedTuple):
    """What there is to pass on the edges of a network.

    The marks of edge e are start[e]:start[e + 1]. group: whose mark it is; a trip meets each group
    once, at the mark with the highest rank. at_m: metres from the first end of the edge.
    """

    start: Ints
    group: Ints
    rank: npt.NDArray[np.int8]
    at_m: npt.NDArray[np.float32]


class Passed(NamedTuple):
    """Marks that trips passed, in the order of trips and of the way.

    Those of trip t are start[t]:start[t + 1]; at_m: metres walked before. length_m: of each trip.
    """

    start: npt.NDArray[np.int64]
    group: Ints
    rank: npt.NDArray[np.int8]
    at_m: npt.NDArray[np.float32]
    length_m: npt.NDArray[np.float32]


def no_marks(network: Network) -> Marks:
    """Return marks for a network on which there is nothing to pass."""
    return Marks(
        np.zeros(len(network.ends) + 1, np.int32), np.empty(0, np.int32),
        np.empty(0, np.int8), np.empty(0, np.float32),
    )  # fmt: skip


def seeming_m(network: Network, parameters: Parameters, seed: int) -> Floats:
    """Return how long each edge seems, VARIANTS x n_edges."""
    draw = np.random.default_rng([seed, 2])
    spread = parameters.rates.scalars[DETOUR]
    factor = np.exp(spread * draw.standard_normal((VARIANTS, len(network.length_m))))
    return np.asarray(network.length_m * factor)


def follow(
    town: Town, trips: Trips, marks: Marks, seeming: Floats, *, every: bool = False
) -> Passed:
    """Follow the ways of all trips past the marks. seeming: of seeming_m.

    every: take each mark that is passed, and not the best of each group.
    """
    origin, destination = town.node[trips.origin], town.node[trips.destination]
    is_home = np.zeros(len(town.node), bool)
    is_home[town.of[HOME]] = True
    # Many live in few places to go to: the tree stands at the end that is nobody's home.
    at_origin = is_home[trips.destination] & ~is_home[trips.origin]
    root = np.where(at_origin, origin, destination)
    leaf = np.where(at_origin, destination, origin)
    tree = root.astype(np.int64) * VARIANTS + trips.key % VARIANTS
    order = np.argsort(tree, kind="stable").astype(np.int32)
    first = np.flatnonzero(np.diff(tree[order], prepend=-1))
    bounds = np.append(first, len(order)).astype(np.int64)
    length_m = np.zeros(len(order), np.float32)
    net, edges = town.network, np.linspace(0, len(first), _PARTS + 1).astype(np.int64)

    def part(k: int) -> Any:
        return _follow(
            edges[k], edges[k + 1], bounds, order, root.astype(np.int32), leaf.astype(np.int32),
            at_origin, trips.key, net.start, net.to, net.via, net.ends, net.length_m, seeming,
            marks.start, marks.group, marks.rank, marks.at_m, every, length_m,
        )  # fmt: skip

    with ThreadPoolExecutor(cores()) as pool:
        parts = list(pool.map(part, range(_PARTS)))
    start_of_trip, group, rank, at_m = _in_order(parts, len(order))
    return Passed(start_of_trip, group, rank, at_m, length_m)


def _in_order(parts: list[Any], n_trips: int) -> list[Any]:
    """Put what was passed in the order of trips, of each trip in the order that it has."""
    number = np.zeros(n_trips + 1, np.int64)
    for part in parts:
        number[1:] += np.bincount(part[0], minlength=n_trips)
    start = np.cumsum(number)
    at = start[:-1].copy()
    out = [np.empty(start[-1], part.dtype) for part in parts[0][1:]]
    for trip, *columns in parts:
        _place(trip, at, columns[0], columns[1], columns[2], out[0], out[1], out[2])
    return [start, *out]


@numba.njit(cache=True, nogil=True)
def _place(
    trip: Any, at: Any, group: Any, rank: Any, at_m: Any, groups: Any, ranks: Any, ats_m: Any
) -> None:
    for i in range(len(trip)):
        j = at[trip[i]]
        groups[j], ranks[j], ats_m[j] = group[i], rank[i], at_m[i]
        at[trip[i]] = j + 1


@numba.njit(cache=True, nogil=True)
def _follow(
    begin: int, end: int, bounds: Any, order: Any, root: Any, leaf: Any, at_origin: Any, key: Any,
    start: Any, to: Any, via: Any, ends: Any, length_m: Any, seeming: Any,
    mark_start: Any, mark_group: Any, mark_rank: Any, mark_m: Any, every: bool, trip_m: Any,
) -> Any:  # fmt: skip
    n = len(start) - 1
    before, edge_to = np.empty(n, np.int32), np.empty(n, np.int32)
    wanted = np.zeros(n, np.bool_)
    seen = (np.empty(4096, np.int32), np.empty(4096, np.int8), np.empty(4096, np.float32))
    trip, group = np.empty(1024, np.int32), np.empty(1024, np.int32)
    rank, at_m = np.empty(1024, np.int8), np.empty(1024, np.float32)
    used = 0
    for g in range(begin, end):
        t0 = order[bounds[g]]
        trips_here = order[bounds[g] : bounds[g + 1]]
        for t in trips_here:
            wanted[leaf[t]] = True
        shortest_ways(root[t0], wanted, start, to, via, seeming[key[t0] % VARIANTS],
                      before, edge_to)  # fmt: skip
        for t in trips_here:
            k, metres = _climb(leaf[t], root[t0], before, edge_to, ends, length_m, mark_start,
                               mark_group, mark_rank, mark_m, every, seen)  # fmt: skip
            trip_m[t] = metres
            if used + k > len(trip):
                trip, group = _grown(trip, k), _grown(group, k)
                rank, at_m = _grown(rank, k), _grown(at_m, k)
            for j in range(k):
                i = used + j
                trip[i], group[i], rank[i] = t, seen[0][j], seen[1][j]
                at_m[i] = metres - seen[2][j] if at_origin[t] else seen[2][j]
                while i > used and at_m[i - 1] > at_m[i]:
                    group[i - 1], group[i] = group[i], group[i - 1]
                    rank[i - 1], rank[i] = rank[i], rank[i - 1]
                    at_m[i - 1], at_m[i] = at_m[i], at_m[i - 1]
                    i -= 1
            used += k
    return trip[:used], group[:used], rank[:used], at_m[:used]


@numba.njit(cache=True, nogil=True)
def _grown(array: Any, more: int) -> Any:
    larger = np.empty(2 * len(array) + more, array.dtype)
    larger[: len(array)] = array
    return larger


@numba.njit(cache=True, nogil=True)
def _climb(
    leaf: int, root: int, before: Any, edge_to: Any, ends: Any, length_m: Any,
    mark_start: Any, mark_group: Any, mark_rank: Any, mark_m: Any, every: bool, seen: Any,
) -> tuple[int, float]:  # fmt: skip
    """Walk from a node to the root; collect the best mark of each group, metres from the leaf."""
    k, metres, node = 0, 0.0, leaf
    groups, ranks, at_m = seen
    while node != root:
        e = edge_to[node]
        for i in range(mark_start[e], mark_start[e + 1]):
            here = mark_m[i] if ends[e, 0] == node else length_m[e] - mark_m[i]
            j = -1 if every else k - 1
            while j >= 0 and groups[j] != mark_group[i]:
                j -= 1
            if j < 0 and k < len(groups):
                groups[k], ranks[k], at_m[k] = mark_group[i], mark_rank[i], metres + here
                k += 1
            elif j >= 0 and ranks[j] < mark_rank[i]:
                ranks[j], at_m[j] = mark_rank[i], metres + here
        metres += length_m[e]
        node = before[node]
    return k, metres


@numba.njit(cache=True, nogil=True)
def shortest_ways(
    root: int, wanted: Any, start: Any, to: Any, via: Any, weight: Any, before: Any, edge_to: Any
) -> None:
    """Fill in, for every wanted node, the next node and the edge on the shortest way to the root.

    Stops when all wanted nodes are reached, and clears the marks in `wanted`.
    """
    n = len(start) - 1
    far = np.full(n, np.inf)
    left = 0
    for i in range(n):
        left += wanted[i]
    keys, nodes = np.empty(4 * n + 16), np.empty(4 * n + 16, np.int32)
    far[root], keys[0], nodes[0], size = 0.0, 0.0, root, 1
    while size > 0 and left > 0:
        d, u = keys[0], nodes[0]
        size = drop_least(keys, nodes, size)
        if d > far[u]:
            continue
        if wanted[u]:
            wanted[u] = False
            left -= 1
        for j in range(start[u], start[u + 1]):
            v = to[j]
            nd = d + weight[via[j]]
            if nd < far[v]:
                far[v], before[v], edge_to[v] = nd, u, via[j]
                if size == len(keys):
                    keys, nodes = _grown(keys, 0), _grown(nodes, 0)
                size = push(keys, nodes, size, nd, v)
