"""Tracks made up for tests: walks on the streets of an extract, with the errors of a phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from sousveil.track import Graph
from sousveil.visibility import plane_around

START = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
PACE = 1.34


def walk(graph: Graph, *, seed: int, least_m: float, pauses: int = 0) -> tuple[Any, Any, list[int]]:
    """Walk shortest ways from node to node until least_m are walked.

    Returns points in metres of the plane, one a second, the seconds, and the edges walked.
    """
    rng = np.random.default_rng(seed)
    n = graph.n_nodes
    best = {}
    for e, (a, b, m) in enumerate(zip(graph.a, graph.b, graph.length_m, strict=True)):
        for key in ((a, b), (b, a)):
            if key not in best or graph.length_m[best[key]] > m:
                best[key] = e
    ends = np.array(list(best))
    weights = csr_matrix((graph.length_m[list(best.values())] + 1e-9, ends.T), (n, n))
    distance = dijkstra(weights, directed=False, indices=0)
    node = int(rng.choice(np.flatnonzero(np.isfinite(distance)))) if n else 0
    edges, total, nodes = [], 0.0, [node]
    while total < least_m:
        distance, before = dijkstra(weights, directed=False, indices=node, return_predecessors=True)
        far = np.flatnonzero(np.isfinite(distance) & (distance > 300) & (distance < 1500))
        goal = int(rng.choice(far))
        chain = [goal]
        while chain[-1] != node:
            chain.append(int(before[chain[-1]]))
        chain.reverse()
        for a, b in pairwise(chain):
            edges.append(best[a, b])
            total += graph.length_m[best[a, b]]
            nodes.append(b)
        node = goal
    xy = [graph.node_xy[nodes[0]]]
    for e, a in zip(edges, nodes[:-1], strict=True):
        line = graph.vertex_xy[graph.first[e] : graph.first[e + 1]]
        xy.extend((line if graph.a[e] == a else line[::-1])[1:])
    way = np.array(xy)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
    seconds = np.arange(0.0, along[-1] / PACE)
    points = np.column_stack([np.interp(seconds * PACE, along, way[:, k]) for k in (0, 1)])
    for at in sorted(rng.integers(0, len(seconds), pauses)):
        points = np.insert(points, at, np.repeat(points[at : at + 1], 120, axis=0), axis=0)
    return points, np.arange(float(len(points))), edges


def noisy(points: Any, *, seed: int, sigma_m: float = 5.0) -> Any:
    """Add the errors of a phone: they last, as the paths of its signals do (AR(1), 20 s)."""
    rng = np.random.default_rng(seed)
    keep = np.exp(-1.0 / 20.0)
    shock = rng.normal(0.0, sigma_m * np.sqrt(1 - keep**2), points.shape)
    error = np.empty_like(shock)
    error[0] = rng.normal(0.0, sigma_m, 2)
    for i in range(1, len(points)):
        error[i] = keep * error[i - 1] + shock[i]
    return points + error


def gpx(path: Path, lonlat: Any, seconds: Any | None, *, start: datetime = START) -> Path:
    """Write a GPX file and return its path."""
    rows = []
    for i, (lon, lat) in enumerate(lonlat):
        when = (
            f"<time>{start + timedelta(seconds=float(seconds[i])):%Y-%m-%dT%H:%M:%SZ}</time>"
            if seconds is not None
            else ""
        )
        rows.append(f'<trkpt lat="{lat:.7f}" lon="{lon:.7f}">{when}</trkpt>')
    path.write_text(
        '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1">'
        f"<trk><trkseg>{''.join(rows)}</trkseg></trk></gpx>",
        encoding="utf-8",
    )
    return path


def stroll(path: Path, line: Any, *, seed: int) -> Path:
    """Write the track of somebody who walks a line (longitude, latitude) with a phone."""
    lonlat = shapely.get_coordinates(line)
    plane = plane_around(lonlat[:, 0], lonlat[:, 1])
    xy = plane.to_xy(lonlat[:, 0], lonlat[:, 1])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    seconds = np.arange(0.0, along[-1] / PACE)
    points = np.column_stack([np.interp(seconds * PACE, along, xy[:, k]) for k in (0, 1)])
    return gpx(path, plane.to_lonlat(noisy(points, seed=seed)), seconds)
