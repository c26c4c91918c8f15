"""Coverage: speed, memory, whether intervals cover, and what buildings change at which reach.

python bench/seeing.py              the table
python bench/seeing.py intervals    intervals on generated places, counted
python bench/seeing.py buildings    what a walker meets with and without buildings in the way
python bench/seeing.py large [N]    N cameras (100,000) in a process of its own
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from _measure import BENCH, DATA, machine, measure, write_section
from sousveil import undercount as undercounts
from sousveil import visibility
from sousveil.census import census
from sousveil.coverage import of_tables, seen_at
from sousveil.coverage._buildings import what_walkers_meet
from sousveil.optics import blind_m, distance_m, reach_m, vfov_deg
from sousveil.records import BUILDINGS, CAMERAS, LEVELS, STREETS

sys.path.insert(0, str(BENCH.parent))

MUNICH = DATA / "osm" / "munich_2020-07.osm.pbf"
HELSINKI = DATA / "osm" / "helsinki_centre_2019-04.osm.pbf"
TRACK_POINTS = 86_400
TRACK_CAMERAS = 10_000


def table() -> None:
    """Measure and write the section of the README."""
    rows = [_optics(), _munich(draws=1000), _points(), _large_in_a_process(100_000)]
    write_section("coverage", rows, f"{machine()}. CPU time of all threads.")


def _row(what: str, cpu_s: float, wall_s: float, bar: str, note: str) -> dict[str, Any]:
    print(what, round(cpu_s, 2), round(wall_s, 2), note, flush=True)
    return {"what": what, "cpu s": cpu_s, "wall s": wall_s, "bar": bar, "note": note}


def _optics() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    n = 1_000_000
    pixels, hfov = rng.choice([1280, 1920, 3840], n), rng.uniform(20, 120, n)
    height, tilt = rng.uniform(2, 10, n), rng.uniform(0, 60, n)
    start, wall = time.process_time(), time.perf_counter()
    for density in (25, 62.5, 125, 250):
        reach_m(distance_m(pixels, hfov, density), height)
    blind_m(height, tilt, vfov_deg(hfov))
    took = time.process_time() - start, time.perf_counter() - wall
    return _row("optics of a million cameras", *took, "1 s", "four levels and the blind zone")


def _munich(draws: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sousveil", "coverage", str(MUNICH), "-o",
                   f"{folder}/out", "--draws", str(draws), "--quiet"]  # fmt: skip
        took = measure(command)
    note = f"the whole command with all files and sensitivity, {took['peak_mb']:.0f} MB"
    return _row(f"sousveil coverage munich, {draws} draws", took["cpu_s"], took["wall_s"],
                "30 s on two cores", note)  # fmt: skip


def scattered(n: int, half_m: float, rng: np.random.Generator) -> tuple[pa.Table, Any]:
    """Return n cameras like Munich's at random in a square, and the census they are from."""
    counted = census(MUNICH)
    listed = counted.cameras.filter(pa.array([s != "indoor" for s in
                                              counted.cameras["setting"].to_pylist()]))  # fmt: skip
    like = listed.take(pa.array(rng.integers(0, listed.num_rows, n)))
    plane = visibility.Plane(11.57, 48.14)
    lonlat = plane.to_lonlat(rng.uniform(-half_m, half_m, (n, 2)))
    columns = {name: like[name] for name in CAMERAS.names}
    columns |= {"camera_id": pa.array([f"cam-{i}" for i in range(n)]),
                "lon": pa.array(lonlat[:, 0]), "lat": pa.array(lonlat[:, 1])}  # fmt: skip
    return pa.table(columns).cast(CAMERAS), counted


def _points() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    cameras, counted = scattered(TRACK_CAMERAS, 5000, rng)
    heading = np.cumsum(rng.normal(0, 0.05, TRACK_POINTS))
    walked = np.cumsum(np.column_stack([np.cos(heading), np.sin(heading)]) * 1.3, axis=0)
    inside = np.abs((walked + 5000) % 20_000 - 10_000) - 5000
    lonlat = visibility.Plane(11.57, 48.14).to_lonlat(inside)
    seen_at(cameras.slice(0, 50), counted.buildings, *lonlat[:50].T)
    start, wall = time.process_time(), time.perf_counter()
    found = seen_at(cameras, counted.buildings, *lonlat.T)
    took = time.process_time() - start, time.perf_counter() - wall
    what = f"seen_at: {TRACK_POINTS:,} points, {TRACK_CAMERAS:,} cameras, 200 draws"
    return _row(what, *took, "", f"{found.num_rows:,} rows")


def _large_in_a_process(n: int) -> dict[str, Any]:
    said = subprocess.run([sys.executable, __file__, "large", str(n)], capture_output=True,
                          text=True, check=True).stdout  # fmt: skip
    took = json.loads(said.splitlines()[-1])
    note = f"{took['peak_mb']:.0f} MB, {took['street_km']:,.0f} km of street, 100 draws"
    return _row(f"coverage of {n:,} cameras", took["cpu_s"], took["wall_s"], "", note)


def large(n: int) -> None:
    """Cover a made-up city of n cameras, and print what it took as JSON."""
    from tests.seen_towns import PLANE, cameras, grid

    blocks = 8
    lines, houses = grid(blocks)
    side = blocks * 76.0
    towns = max(1, int(np.ceil(np.sqrt(n / 400))))
    rng = np.random.default_rng(0)
    shift = [np.array([i * side, j * side]) for i in range(towns) for j in range(towns)]

    def tiled(shapes: Any) -> Any:
        flat = np.concatenate([shapely.transform(np.array(shapes), lambda xy, s=s: xy + s)
                               for s in shift])  # fmt: skip
        return shapely.to_wkb(PLANE.round(flat))

    street = _blank(STREETS, tiled(lines), street_id="way", highway="residential")
    building = _blank(BUILDINGS, tiled(houses), building_id="way", building="apartments")
    xy = rng.uniform(0, towns * side, (n, 2))
    one = cameras({"x": 0.0, "y": 0.0})
    many = one.take(pa.array(np.zeros(n, np.int64)))
    lonlat = PLANE.to_lonlat(xy)
    columns = {name: many[name] for name in CAMERAS.names}
    columns |= {"camera_id": pa.array([f"cam-{i}" for i in range(n)]),
                "lon": pa.array(lonlat[:, 0]), "lat": pa.array(lonlat[:, 1])}  # fmt: skip
    start, wall = time.process_time(), time.perf_counter()
    made = of_tables(pa.table(columns).cast(CAMERAS), street, building, draws=100,
                     sensitivity=False, progress=lambda s: print(s, file=sys.stderr))  # fmt: skip
    answer = {
        "cpu_s": time.process_time() - start,
        "wall_s": time.perf_counter() - wall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "street_km": made.summary["street_km"],
    }
    print(json.dumps(answer))


def _blank(schema: pa.Schema, shapes: Any, **usual: str) -> pa.Table:
    n = len(shapes)
    columns = {f.name: pa.nulls(n, f.type) for f in schema}
    for name, value in usual.items():
        values = [f"{value}/{i}" for i in range(n)] if name.endswith("_id") else [value] * n
        columns[name] = pa.array(values)
    columns["geometry"] = pa.array(shapes, pa.binary())
    return pa.table(columns).cast(schema)


def intervals(places: int, truths: int) -> None:
    """Count how often 95 % intervals hold the truth of towns whose cameras are drawn anew."""
    from tests import seen_towns as towns
    from tests.test_coverage import row_of, true_towns, uncertain_table

    lines, houses = towns.grid()
    streets, blocks = towns.streets(*lines), towns.buildings(*houses)
    held: dict[str, list[bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        uncertain, certain = (make(Path(folder)) for make in (uncertain_table, towns.prior_table))
    many = undercounts.stated("1.8/1.4/2.6", 12)

    def unlisted(rng: np.random.Generator) -> list[dict[str, float]]:
        number = 12 * 0.8 * np.exp(rng.normal(0, np.log(2) / 1.96))
        return towns.on_streets(rng, round(number))

    for place in range(places):
        rng = np.random.default_rng(place)
        at = towns.on_streets(rng, 12)
        listed = towns.cameras(*[p | {"last_seen": date(2020, 1, 1)} for p in at])
        for undercount, extra in ((None, None), (many, unlisted)):
            made = of_tables(listed, streets, blocks, draws=2000, seed=place, priors=uncertain,
                             on=date(2026, 1, 1), sensitivity=False,
                             undercount=undercount)  # fmt: skip
            km, _, _ = true_towns(rng, at, truths, certain, extra=extra)
            for i, level in enumerate(LEVELS):
                said = row_of(made.summary, level)
                share = km[:, i] / made.summary["street_km"]
                key = f"{level}, {'with' if undercount else 'without'} unlisted cameras"
                inside = (share >= said["low"] - 1e-6) & (share <= said["high"] + 1e-6)
                held.setdefault(key, []).extend(inside.tolist())
    for key, found in held.items():
        print(f"{key}: {np.mean(found):.3f} of {len(found)}")


def listings(places: int, lists: int) -> None:
    """Count how often intervals hold the truth where lists find some cameras more easily."""
    from tests import seen_towns as towns
    from tests.test_coverage import row_of

    with tempfile.TemporaryDirectory() as folder:
        certain = towns.prior_table(Path(folder), pixels_h="value,1280,0")
    told: dict[tuple[str, str], list[tuple[float, bool]]] = {}
    for place in range(places):
        rng = np.random.default_rng([place, lists])
        town = towns.surveyed(rng, int(rng.poisson(250)), lists=lists)
        real = of_tables(town.really, town.streets, town.buildings, draws=0, priors=certain)
        by = {"by covariates": town.missing(), "by one factor": town.by_one_factor(), "none": None}
        for how, missing in by.items():
            made = of_tables(town.listed, town.streets, town.buildings, draws=200, seed=place,
                             priors=certain, sensitivity=False, undercount=missing)  # fmt: skip
            for level in LEVELS:
                said, truth = (row_of(m.summary, level) for m in (made, real))
                error = said["share"] - truth["share"]
                held = said["low"] - 1e-6 <= truth["share"] <= said["high"] + 1e-6
                told.setdefault((how, level), []).append((error, held))
        if place % 25 == 24:
            print(place + 1, "towns", flush=True)
    for (how, level), found in told.items():
        errors, held = (np.array(column, float) for column in zip(*found, strict=True))
        print(f"{lists} lists, {how}, {level}: held {held.mean():.3f}, bias {errors.mean():+.4f}, "
              f"error {np.sqrt((errors**2).mean()):.4f}")  # fmt: skip


def buildings() -> None:
    """Print what a walker meets with and without buildings, for both cities."""
    for path in (MUNICH, HELSINKI):
        counted = census(path)
        print(counted.place.name)
        for row in what_walkers_meet(
            counted.cameras, counted.streets, counted.buildings
        ).to_pylist():
            print("  ", {k: round(v, 4) for k, v in row.items()})


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["intervals"]:
            intervals(20, 100)
            listings(120, 2)
            listings(50, 3)
        case ["buildings"]:
            buildings()
        case ["large", *count]:
            large(int(next(iter(count), "100000")))
        case _:
            table()
