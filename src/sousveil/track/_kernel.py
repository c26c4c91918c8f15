"""The compiled part of matching: ways between candidates, the likeliest chain, its outline.

A candidate is a place on an edge (edge number and metres from its start), or the point itself
away from any street (edge -1).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sousveil._heap import drop_least, push

_INF = np.inf


@njit(cache=True, nogil=True)
def _spread(
    edge: int, at_m: float, most_m: float, graph: Any, distance: Any, seen: Any, stamp: int,
    parent: Any, keys: Any, nodes: Any,
) -> None:  # fmt: skip
    """Find the shortest ways from a place on an edge to all nodes within most_m (Dijkstra).

    distance[n] and parent[n] (the edge that leads to n) hold where seen[n] == stamp.
    """
    a, b, length, out_first, out_edge, out_to = graph
    size = 0
    for node, away in ((a[edge], at_m), (b[edge], length[edge] - at_m)):
        if seen[node] != stamp or away < distance[node]:
            seen[node], distance[node], parent[node] = stamp, away, edge
            size = push(keys, nodes, size, away, node)
    while size > 0:
        key, node = keys[0], nodes[0]
        size = drop_least(keys, nodes, size)
        if key > most_m:
            return
        if key > distance[node]:
            continue
        for i in range(out_first[node], out_first[node + 1]):
            to, away = out_to[i], key + length[out_edge[i]]
            if away <= most_m and (seen[to] != stamp or away < distance[to]):
                seen[to], distance[to], parent[to] = stamp, away, out_edge[i]
                if size < len(keys):
                    size = push(keys, nodes, size, away, to)


@njit(cache=True, nogil=True)
def _reach(
    edge: int, at_m: float, to_edge: int, to_m: float, graph: Any, distance: Any, seen: Any,
    stamp: int,
) -> float:  # fmt: skip
    """Return the length of the shortest way between two places, after _spread from the first."""
    a, b, length = graph[0], graph[1], graph[2]
    best = abs(to_m - at_m) if edge == to_edge else _INF
    if seen[a[to_edge]] == stamp:
        best = min(best, distance[a[to_edge]] + to_m)
    if seen[b[to_edge]] == stamp:
        best = min(best, distance[b[to_edge]] + length[to_edge] - to_m)
    return best


@njit(cache=True, nogil=True)
def likeliest(
    first: Any, edge: Any, at_m: Any, x: Any, y: Any, cost: Any, step_m: Any, starts: Any,
    graph: Any, n_nodes: int, beta_m: float, leaving: float, slack_m: float,
) -> Any:  # fmt: skip
    """Return which candidate of each point the likeliest chain goes through (Viterbi).

    Candidates of point p are first[p]:first[p + 1]; cost: minus the log of how well each fits.
    step_m: straight distance from the point before. starts: whether a chain starts anew here.
    leaving: cost of leaving a street or coming to one.
    """
    n = len(first) - 1
    total = cost.copy()
    before = np.full(len(cost), -1, np.int64)
    distance, seen = np.empty(n_nodes), np.full(n_nodes, -1, np.int64)
    parent = np.empty(n_nodes, np.int64)
    keys, nodes = np.empty(65536), np.empty(65536, np.int64)
    stamp = 0
    for p in range(1, n):
        if starts[p]:
            continue
        for j in range(first[p], first[p + 1]):
            total[j] = _INF
        most_m = 2.0 * step_m[p] + slack_m
        for i in range(first[p - 1], first[p]):
            if total[i] == _INF:
                continue
            if edge[i] >= 0:
                stamp += 1
                _spread(edge[i], at_m[i], most_m, graph, distance, seen, stamp, parent, keys, nodes)
            for j in range(first[p], first[p + 1]):
                if edge[i] >= 0 and edge[j] >= 0:
                    way = _reach(edge[i], at_m[i], edge[j], at_m[j], graph, distance, seen, stamp)
                    change = 0.0
                else:
                    way = np.hypot(x[j] - x[i], y[j] - y[i])
                    change = leaving if edge[i] >= 0 or edge[j] >= 0 else 0.0
                new = total[i] + cost[j] + change + abs(way - step_m[p]) / beta_m
                if new < total[j]:
                    total[j], before[j] = new, i
    chosen = np.empty(n, np.int64)
    best = -1
    for p in range(n - 1, -1, -1):
        if best < 0:
            best = first[p]
            for j in range(first[p], first[p + 1]):
                if total[j] < total[best]:
                    best = j
        chosen[p] = best
        best = -1 if starts[p] else before[best]
    return chosen


@njit(cache=True, nogil=True)
def _walk(
    edge: int, from_m: float, to_m: float, vertex_xy: Any, vertex_m: Any, vertex_first: Any,
    out: Any, n: int,
) -> int:  # fmt: skip
    """Write the points of an edge from one place to another, the first left out."""
    low, high = vertex_first[edge], vertex_first[edge + 1]
    if to_m >= from_m:
        for v in range(low, high):
            if from_m < vertex_m[v] < to_m:
                out[n] = vertex_xy[v]
                n += 1
    else:
        for v in range(high - 1, low - 1, -1):
            if to_m < vertex_m[v] < from_m:
                out[n] = vertex_xy[v]
                n += 1
    for v in range(low + 1, high):
        if to_m <= vertex_m[v]:
            length = vertex_m[v] - vertex_m[v - 1]
            share = (to_m - vertex_m[v - 1]) / length if length > 0.0 else 0.0
            out[n] = vertex_xy[v - 1] + share * (vertex_xy[v] - vertex_xy[v - 1])
            return n + 1
    out[n] = vertex_xy[high - 1]
    return n + 1


@njit(cache=True, nogil=True)
def outline(
    edge: Any, at_m: Any, x: Any, y: Any, starts: Any, graph: Any, vertices: Any, n_nodes: int,
    slack_m: float, room: int,
) -> Any:  # fmt: skip
    """Return the way along the chosen places: points, and the index of the one of each place.

    Also returns the edge that each piece between two points runs on (-1 away from streets), which
    is told at the point where it ends. None of it where `room` is too small: size[0] is -1.
    """
    a, b, length = graph[0], graph[1], graph[2]
    vertex_xy, vertex_m, vertex_first = vertices
    out = np.empty((room, 2))
    on = np.full(room, -1, np.int64)
    size = np.zeros(len(edge), np.int64)
    distance, seen = np.empty(n_nodes), np.full(n_nodes, -1, np.int64)
    parent = np.empty(n_nodes, np.int64)
    keys, nodes = np.empty(65536), np.empty(65536, np.int64)
    chain = np.empty(4096, np.int64)
    n = 0
    for p in range(len(edge)):
        if n + 8192 > room:
            size[0] = -1
            return out, on, size
        here = np.hypot(x[p] - x[p - 1], y[p] - y[p - 1]) if p else 0.0
        if starts[p] or edge[p] < 0 or edge[p - 1] < 0:
            out[n, 0], out[n, 1] = x[p], y[p]
            n += 1
            size[p] = n - 1
            continue
        q = p - 1
        _spread(edge[q], at_m[q], 2.0 * here + 4.0 * slack_m, graph, distance, seen, p, parent,
                keys, nodes)  # fmt: skip
        way = _reach(edge[q], at_m[q], edge[p], at_m[p], graph, distance, seen, p)
        begin = n
        if way == _INF or (edge[q] == edge[p] and abs(at_m[p] - at_m[q]) <= way + 1e-9):
            if edge[q] == edge[p]:
                n = _walk(edge[p], at_m[q], at_m[p], vertex_xy, vertex_m, vertex_first, out, n)
            else:
                out[n, 0], out[n, 1] = x[p], y[p]
                n += 1
            on[begin:n] = edge[p]
            size[p] = n - 1
            continue
        by_a = distance[a[edge[p]]] + at_m[p] if seen[a[edge[p]]] == p else _INF
        node = a[edge[p]] if by_a <= way + 1e-9 else b[edge[p]]
        enter_m = 0.0 if by_a <= way + 1e-9 else length[edge[p]]
        k = 0
        back = node
        while k < 4096:
            e = parent[back]
            other = b[e] if a[e] == back else a[e]
            seed = at_m[q] if back == a[e] else length[e] - at_m[q]
            if e == edge[q] and distance[back] == seed:
                break
            chain[k] = back
            k += 1
            back = other
        mark = n
        n = _walk(edge[q], at_m[q], 0.0 if back == a[edge[q]] else length[edge[q]], vertex_xy,
                  vertex_m, vertex_first, out, n)  # fmt: skip
        on[mark:n] = edge[q]
        for i in range(k - 1, -1, -1):
            e, mark = parent[chain[i]], n
            if a[e] == b[e]:
                continue
            forward = chain[i] == b[e]
            n = _walk(e, 0.0 if forward else length[e], length[e] if forward else 0.0, vertex_xy,
                      vertex_m, vertex_first, out, n)  # fmt: skip
            on[mark:n] = e
        mark = n
        n = _walk(edge[p], enter_m, at_m[p], vertex_xy, vertex_m, vertex_first, out, n)
        on[mark:n] = edge[p]
        size[p] = n - 1
    return out[:n], on[:n], size


@njit(cache=True, nogil=True)
def thin(xy: Any, leg: Any, apart_m: Any) -> Any:
    """Return which points to keep: the first and last of each leg, and those away from the last."""
    n = len(leg)
    keep = np.zeros(n, np.bool_)
    last = 0
    for i in range(n):
        first_of_leg = i == 0 or leg[i] != leg[i - 1]
        last_of_leg = i == n - 1 or leg[i] != leg[i + 1]
        away = np.hypot(xy[i, 0] - xy[last, 0], xy[i, 1] - xy[last, 1])
        if first_of_leg or last_of_leg or away >= apart_m[i]:
            keep[i] = True
            last = i
    return keep
