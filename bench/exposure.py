"""A day of walking against 10,000 cameras: how long it takes, and beside the way of a peer.

The peer is cctv-exposure (Fuziih/cctv-exposure, its Python program): every point against every
camera, one circle of 10 m around each. Its way is done here, as plain as there, on few points
because its time is their product; its own program is run too where CCTV_EXPOSURE names a checkout.
What it finds is measured in bench/peers.py.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from _measure import BENCH, machine, write_section
from peers import PROGRAM, cctv_exposure, checkout

sys.path.insert(0, str(BENCH.parent))

from tests.report_census import town
from tests.tracks import gpx, noisy, walk

from sousveil import track as tracks
from sousveil.exposure import _along, _look, _totals
from sousveil.exposure._register import Register
from sousveil.visibility import plane_around

CAMERAS = 10_000
BLOCKS = 100
DAY_S = 86_400
PACE_M_PER_S = 1.34
RUNS = 3
PEER_POINTS = 60
PEER_RADIUS_M = 10.0


def main() -> None:
    """Measure and write the section of the README."""
    counted = town(CAMERAS, BLOCKS)
    there = Register(
        counted.cameras, counted.streets, counted.buildings, counted.on, [], [], "", None
    )
    plane = plane_around(counted.cameras["lon"].to_numpy(), counted.cameras["lat"].to_numpy())
    graph = tracks.graph(counted.streets, plane)
    points, seconds, _ = walk(graph, seed=1, least_m=DAY_S * PACE_M_PER_S)
    points, seconds = noisy(points, seed=1)[:DAY_S], seconds[:DAY_S]
    lonlat = plane.to_lonlat(points)
    with tempfile.TemporaryDirectory() as folder:
        path = gpx(Path(folder) / "day.gpx", lonlat, seconds)
        ours = min((_ours(path, there) for _ in range(RUNS + 1)), key=lambda t: t["cpu_s"])
    peer_s = _peer(lonlat, counted.cameras) * DAY_S / PEER_POINTS
    _program(lonlat, counted.cameras, ours["cpu_s"])
    circles_s = _timed(lambda: _circles(lonlat, counted.cameras))
    rows = [
        _row("sousveil, match the track to the streets", ours["match"], ""),
        _row("sousveil, place cameras and walls, and look", ours["look"], ""),
        _row("sousveil, passes, moments, totals", ours["sum"], ""),
        _row("sousveil, all three", ours["cpu_s"], "2", ours["wall_s"]),
        _row("sousveil, with the reading of the GPX file", ours["cpu_s"] + ours["read"], ""),
        _row(f"cctv-exposure's way, done here, {PEER_POINTS} points scaled", peer_s, ""),
        _row("cctv-exposure's circles in numpy, who alone", circles_s, ""),
    ]
    for row in rows:
        row["against sousveil"] = row["cpu s"] / ours["cpu_s"]
    area_km2 = counted.place.area_km2 or 0.0
    note = (
        f"{machine()}. {DAY_S:,} points, one a second, with the errors of a phone, on the streets "
        f"of a made-up town of {area_km2:.0f} km2 with {CAMERAS:,} cameras and "
        f"{counted.buildings.num_rows:,} buildings; 200 draws. CPU time of all threads, the best "
        f"of {RUNS} runs after one that compiles; {ours['pairs']:,} pairs of place and camera, "
        f"{ours['passes']:,} passes."
    )
    write_section("exposure", rows, note)


def _row(what: str, cpu_s: float, bar: str, wall_s: float | str = "") -> dict[str, Any]:
    print(what, round(cpu_s, 2), wall_s, flush=True)
    return {"what": what, "cpu s": cpu_s, "wall s": wall_s, "bar s": bar}


def _ours(path: Path, there: Register) -> dict[str, Any]:
    start = time.process_time()
    way = tracks.read(path)
    took = {"read": time.process_time() - start}
    wall, start = time.perf_counter(), time.process_time()
    lon, lat = way.points["lon"].to_numpy(), way.points["lat"].to_numpy()
    graph = tracks.graph(there.streets, plane_around(lon, lat))
    matched = tracks.match(way, graph, m_per_s=PACE_M_PER_S)
    moments = tracks.moments(matched, graph, there.streets)
    took["match"] = time.process_time() - start
    where = _along.places(moments)
    seen, near = _look(where.lon, where.lat, there, draws=200, seed=0)
    took["look"] = time.process_time() - start - took["match"]
    pairs = _along.pairs(seen, where)
    passes, tally = _along.passes(pairs, seen, moments, near, there.streets, began=None)
    watchful = _along.watchful(pairs, seen, moments, near)
    _totals.cameras_by_level(tally, near, None, seed=0)
    _totals.seconds(watchful, moments, None)
    cpu_s = time.process_time() - start
    took |= {"sum": cpu_s - took["match"] - took["look"], "cpu_s": cpu_s}
    took |= {"wall_s": time.perf_counter() - wall, "pairs": len(seen.point)}
    print({k: round(v, 2) for k, v in took.items()}, flush=True)
    return took | {"passes": int(passes["pass"].to_numpy().max()) + 1}


def _timed(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _peer(lonlat: Any, cameras: pa.Table) -> float:
    places = list(zip(cameras["lat"].to_pylist(), cameras["lon"].to_pylist(), strict=True))
    some = lonlat[:PEER_POINTS]

    def circles() -> int:
        return sum(
            _metres(lat, lon, at[0], at[1]) <= PEER_RADIUS_M for lon, lat in some for at in places
        )

    return _timed(circles)


def _program(lonlat: Any, cameras: pa.Table, ours_s: float) -> None:
    """Write the section on the peer's own program, where there is a checkout of it."""
    program = checkout("CCTV_EXPOSURE", PROGRAM)
    if program is None:
        print("cctv-exposure's own program is left out: CCTV_EXPOSURE names no checkout of it")
        return
    places = list(zip(cameras["lat"].to_pylist(), cameras["lon"].to_pylist(), strict=True))
    told = cctv_exposure(program, lonlat[:PEER_POINTS], range(PEER_POINTS), places)
    scaled_s = told["cpu_s"] * DAY_S / PEER_POINTS
    rows = [
        {"what": "sousveil, all three", "cpu s": ours_s, "against sousveil": 1.0},
        {"what": f"cctv-exposure, its own program, {PEER_POINTS} points scaled",
         "cpu s": scaled_s, "against sousveil": scaled_s / ours_s},
    ]  # fmt: skip
    load = os.getloadavg()[0]
    note = f"{machine()}. The same day and cameras. Load of the machine: {load:.1f}."
    write_section("exposure-program", rows, note)


def _metres(lat_a: float, lon_a: float, lat_b: float, lon_b: float) -> float:
    east = (lon_b - lon_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return 111_319 * math.hypot(lat_b - lat_a, east)


def _circles(lonlat: Any, cameras: pa.Table) -> int:
    lat, lon = cameras["lat"].to_numpy(), cameras["lon"].to_numpy()
    shrink = math.cos(math.radians(float(lat.mean())))
    found = 0
    for at in range(0, len(lonlat), 200):
        part = lonlat[at : at + 200]
        away = np.hypot((part[:, :1] - lon) * shrink, part[:, 1:] - lat) * 111_319
        found += int((away <= PEER_RADIUS_M).sum())
    return found


if __name__ == "__main__":
    main()
