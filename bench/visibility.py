"""Visibility polygons: speed and exactness beside every peer that runs here, and the large study.

python bench/visibility.py            the table, two cities, 50 and 150 m
python bench/visibility.py study [N]  N real and N random cases (1,000) against differences

Peers that are not there are left out: Debian's grass-core, gdal-bin, libcgal-dev, pip's visilibity,
and npm's visibility-polygon, whose folder $VISIBILITY_POLYGON names.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from _measure import BENCH, DATA, machine, measure, version, write_section
from sousveil import visibility
from sousveil.sources import osm

sys.path.insert(0, str(BENCH.parent))
from tests.visibility_truth import (
    by_differences,
    made_up_footprints,
    overlap,
    sees_exactly,
    shadow,
)

CITIES = {"Munich": "munich_2020-07", "Helsinki": "helsinki_centre_2019-04"}
RADII_M = (50.0, 150.0)
BARS = {50.0: 100_000, 150.0: 25_000}
FEW = 24  # cameras that a slow peer is measured on, of each city
FEWER = 4  # the same for rasters
ROUNDS = 5
CELL_M = 0.5


def city(name: str) -> tuple[Any, visibility.Obstacles]:
    """Return where the cameras of a city see from, and the obstacles."""
    source = osm.read(DATA / "osm" / f"{CITIES[name]}.osm.pbf", source_id=name)
    lon, lat = (source.observations[c].to_numpy() for c in ("lon", "lat"))
    plane = visibility.plane_around(lon, lat)
    blocks = visibility.obstacles(plane, source.buildings, source.streets)
    return visibility.place(plane.to_xy(lon, lat), blocks).xy, blocks


def near(point: Any, blocks: visibility.Obstacles, radius: float) -> Any:
    found = blocks.tree.query(shapely.Point(point), predicate="dwithin", distance=radius)
    return blocks.footprints[found]


def differences(point: Any, blocks: visibility.Obstacles, radius: float) -> Any:
    return by_differences(point, near(point, blocks, radius), radius)


def united(point: Any, blocks: visibility.Obstacles, radius: float) -> Any:
    """The free disc less the united shadows of the walls that face the point, in one go."""
    walls = shapely.get_coordinates(
        shapely.get_rings(near(point, blocks, radius)), return_index=True
    )
    corners, ring = walls
    first = np.flatnonzero(ring[1:] == ring[:-1])
    a, b = corners[first] - point, corners[first + 1] - point
    close = shapely.dwithin(
        shapely.linestrings(np.stack([a, b], axis=1)), shapely.Point(0, 0), radius
    )
    facing = close & (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] != 0)
    zero = np.zeros(2)
    shadows = [shadow(zero, u, v, radius) for u, v in zip(a[facing], b[facing], strict=True)]
    seen = shapely.difference(
        shapely.buffer(shapely.Point(0, 0), radius, quad_segs=90), shapely.union_all(shadows)
    )
    return shapely.transform(seen, lambda xy: xy + point)


def rays(n: int) -> Callable[..., Any]:
    """n rays, each cut at the nearest wall with shapely, as small mapping tools do it."""

    def cast(point: Any, blocks: visibility.Obstacles, radius: float) -> Any:
        houses = near(point, blocks, radius)
        walls = shapely.union_all(shapely.boundary(houses)) if len(houses) else shapely.Point()
        here = shapely.Point(point)
        ends = []
        for angle in 2 * np.pi * np.arange(n) / n:
            end = point + radius * np.array([np.cos(angle), np.sin(angle)])
            hit = shapely.intersection(shapely.LineString([point, end]), walls)
            if not shapely.is_empty(hit):
                parts = shapely.get_parts(hit)
                nearest = parts[np.argmin(shapely.distance(parts, here))]
                end = shapely.get_coordinates(nearest)[0]
            ends.append(end)
        return shapely.make_valid(shapely.Polygon(ends))

    return cast


def visilibity(point: Any, blocks: visibility.Obstacles, radius: float) -> Any:
    """VisiLibity1 through its Python binding; without a radius, so it gets the houses near."""
    import visilibity as vis

    houses = near(point, blocks, radius)
    frame = shapely.box(*(point - 1.5 * radius), *(point + 1.5 * radius))
    inner = shapely.box(*(point - 1.4 * radius), *(point + 1.4 * radius))
    solid = shapely.intersection(shapely.union_all(houses), inner)
    free = shapely.get_parts(shapely.difference(frame, solid))
    around = free[np.argmin(shapely.distance(free, shapely.Point(point)))]
    rings = shapely.get_rings(shapely.orient_polygons(around, exterior_cw=False))
    shapes = [
        vis.Polygon([vis.Point(float(x), float(y)) for x, y in shapely.get_coordinates(r)[:-1]])
        for r in rings
    ]
    found = vis.Visibility_Polygon(
        vis.Point(float(point[0]), float(point[1])), vis.Environment(shapes), 1e-7
    )
    corners = [(found[i].x(), found[i].y()) for i in range(found.n())]
    region = shapely.make_valid(shapely.Polygon(corners))
    return shapely.intersection(region, shapely.buffer(shapely.Point(point), radius, quad_segs=90))


def raster(point: Any, blocks: visibility.Obstacles, radius: float, engine: str) -> Any:
    """A viewshed over houses 100 m high on flat ground; returns the region and CPU seconds."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        side = radius + 2
        shapes = near(point, blocks, radius)
        lines = ",".join(shapely.to_geojson(s) for s in shapes)
        collection = f'{{"type":"GeometryCollection","geometries":[{lines}]}}'
        feature = f'{{"type":"Feature","properties":{{}},"geometry":{collection}}}'
        text = f'{{"type":"FeatureCollection","features":[{feature}]}}'
        (here / "h.json").write_text(text)
        x, y = point
        bounds = f"{x - side} {y - side} {x + side} {y + side}"
        measure(
            f"gdal_rasterize -q -burn 100 -init 0 -a_srs EPSG:32632 -tr {CELL_M} {CELL_M} "
            f"-te {bounds} -ot Float32 {here}/h.json {here}/h.tif"
        )
        if engine == "gdal_viewshed":
            command = (
                f"gdal_viewshed -q -md {radius} -ox {x} -oy {y} -oz 2 -tz 1.6 -cc 0 "
                f"{here}/h.tif {here}/v.tif"
            )
        else:
            inside = (
                f"r.in.gdal -o --q input={here}/h.tif output=h && g.region raster=h && "
                f"r.viewshed --q -b input=h output=v coordinates={x},{y} observer_elevation=2 "
                f"target_elevation=1.6 max_distance={radius} && "
                f"r.out.gdal --q input=v output={here}/v.tif format=GTiff type=Byte"
            )
            command = f"grass --tmp-location EPSG:32632 --exec sh -c '{inside}' >/dev/null 2>&1"
        took = measure(command)["cpu_s"]
        return _pixels_seen(here / "v.tif"), took


def _pixels_seen(path: Path) -> Any:
    measure(f"gdal_polygonize.py -q {path} -b 1 -f GeoJSON {path.with_suffix('.json')}")
    shapes = json.loads(path.with_suffix(".json").read_text())["features"]
    seen = [shapely.geometry.shape(f["geometry"]) for f in shapes if f["properties"]["DN"]]
    return shapely.union_all(seen) if seen else shapely.Polygon()


def table() -> None:
    """Measure all in one run and write the section of the README."""
    rows = []
    for name in CITIES:
        points, blocks = city(name)
        few = points[np.linspace(0, len(points) - 1, FEW).astype(int)]
        for radius in RADII_M:
            truth = [differences(p, blocks, radius) for p in few]
            rows += _ours(name, points, few, blocks, radius, truth)
            rows += _peers(name, few, blocks, radius, truth)
    write_section(
        "visibility",
        rows,
        f"{machine()}. One core, CPU time, real cameras; the median of {ROUNDS} rounds for "
        f"sousveil, one pass over {FEW} cameras for the slow ({FEWER} for rasters). Exactness: "
        "intersection over union with the free disc less the shadow of every wall; least and mean. "
        "A raster puts a camera that hangs on a wall into a cell of the wall, or beside it.",
    )


def _row(name: str, radius: float, who: str, a_second: float, exact: list[float]) -> dict[str, Any]:
    print(name, radius, who, round(a_second, 1), min(exact), flush=True)
    return {
        "city": name,
        "radius m": f"{radius:g}",
        "way": who,
        "polygons a second": f"{a_second:,.0f}" if a_second >= 10 else f"{a_second:.1f}",
        "least IoU": f"{min(exact):.5f}",
        "mean IoU": f"{statistics.mean(exact):.5f}",
    }


def _ours(name: str, points: Any, few: Any, blocks: Any, radius: float, truth: Any) -> list[Any]:
    many = np.tile(points, (max(1, 4000 // len(points)), 1))
    visibility.rings(many[:10], blocks, radius_m=radius)
    speeds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        visibility.rings(many, blocks, radius_m=radius, cores=1)
        speeds.append(len(many) / (time.process_time() - start))
    regions = visibility.regions(few, blocks, radius_m=radius)
    exact = [overlap(*pair) for pair in zip(regions, truth, strict=True)]
    row = _row(name, radius, "sousveil", statistics.median(speeds), exact)
    return [row | {"way": f"sousveil (bar {BARS[radius]:,})"}]


def _peers(name: str, few: Any, blocks: Any, radius: float, truth: Any) -> list[Any]:
    ways: dict[str, Callable[..., Any]] = {
        "shapely, wall after wall (the truth)": differences,
        "shapely, united shadows": united,
        "63 rays, shapely": rays(63),
    }
    ways["720 rays, shapely"] = rays(720)
    if importlib.util.find_spec("visilibity"):
        ways["PyVisiLibity 1.0.10"] = visilibity
    rows = _outside(name, few, blocks, radius, truth)
    for who, way in ways.items():
        start = time.process_time()
        made = [way(p, blocks, radius) for p in few]
        speed = len(few) / (time.process_time() - start)
        rows.append(_row(name, radius, who, speed, list(map(overlap, made, truth))))
    for engine in ("gdal_viewshed", "r.viewshed"):
        if shutil.which("grass" if engine == "r.viewshed" else engine):
            done = [raster(p, blocks, radius, engine) for p in few[:FEWER]]
            speed = len(done) / sum(took for _, took in done)
            exact = [overlap(made, t) for (made, _), t in zip(done, truth, strict=False)]
            who = f"{engine} at {CELL_M} m"
            if engine == "gdal_viewshed":
                who += f", GDAL {version('gdalinfo --version')}"
            rows.append(_row(name, radius, who, speed, exact))
    return rows


def _outside(name: str, few: Any, blocks: Any, radius: float, truth: Any) -> list[Any]:
    """Peers in other languages, which time only their own computing, with walls prepared."""
    rows = []
    for way in (visibility_polygon, triangular_expansion):
        found = way(few, blocks, radius)
        if found:
            who, seconds, polygons = found
            discs = shapely.buffer(shapely.points(few), radius, quad_segs=90)
            regions = shapely.make_valid(np.array([shapely.Polygon(ring) for ring in polygons]))
            exact = list(map(overlap, shapely.intersection(regions, discs), truth))
            rows.append(_row(name, radius, who, len(few) / seconds, exact))
    return rows


def _walls(houses: Any) -> Any:
    """Return the walls of united houses, which meet at their ends only: (n, 2, 2)."""
    rings = shapely.get_rings(shapely.get_parts(shapely.union_all(houses)))
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    first = np.flatnonzero(ring[1:] == ring[:-1])
    return np.stack([corners[first], corners[first + 1]], axis=1)


def visibility_polygon(few: Any, blocks: Any, radius: float) -> tuple[str, float, Any] | None:
    """The npm package, given the walls of the houses near."""
    package = Path(os.environ.get("VISIBILITY_POLYGON", ""))
    if not (package / "package.json").is_file() or not shutil.which("node"):
        return None
    cases = [
        {"at": at.tolist(), "radius": radius, "walls": _walls(near(at, blocks, radius)).tolist()}
        for at in few
    ]
    asked = {"package": str(package.resolve()), "rounds": ROUNDS, "cases": cases}
    command = ["node", str(BENCH / "peers" / "visibility_polygon.cjs")]
    said = subprocess.run(
        command, input=json.dumps(asked).encode(), capture_output=True, check=True
    )
    told = json.loads(said.stdout)
    called = json.loads((package / "package.json").read_text())["version"]
    return f"visibility-polygon {called} (npm), walls prepared", told["seconds"], told["polygons"]


def triangular_expansion(few: Any, blocks: Any, radius: float) -> tuple[str, float, Any] | None:
    """CGAL's triangular expansion, which knows no radius and sees the whole city."""
    if not Path("/usr/include/CGAL").is_dir() or not shutil.which("g++"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "cgal_visibility"
        source = BENCH / "peers" / "cgal_visibility.cpp"
        options = ["-std=c++17", "-O2", "-DNDEBUG", "-DCGAL_NDEBUG"]
        subprocess.run(["g++", *options, source, "-o", program, "-lgmp", "-lmpfr"], check=True)
        houses = blocks.footprints
        within = [shapely.total_bounds(houses), shapely.total_bounds(shapely.points(few))]
        west, south = np.min(within, axis=0)[:2] - 200
        east, north = np.max(within, axis=0)[2:] + 200
        frame = np.array([[west, south], [east, south], [east, north], [west, north]])
        edges = np.stack([frame, np.roll(frame, -1, axis=0)], axis=1)
        lines = [f"{x} {y} {u} {v}" for (x, y), (u, v) in np.vstack([_walls(houses), edges])]
        points = [f"{x} {y}" for x, y in few]
        asked = [str(len(lines)), *lines, str(len(points)), *points, "200"]
        said = subprocess.run([program], input="\n".join(asked), capture_output=True, text=True,
                              check=True).stdout.splitlines()  # fmt: skip
    rings = [np.array(line.split()[1:], float).reshape(-1, 2) for line in said[1:]]
    called = version("dpkg-query -W -f ${Version} libcgal-dev")
    return f"CGAL {called} triangular expansion, no radius, walls prepared", float(said[0]), rings


def study(n: int) -> None:
    """Compare n real and n random cases with the truth; settle doubtful ones in rationals."""
    rng = np.random.default_rng(0)
    cases: list[tuple[str, Any, Any]] = []
    for name in CITIES:
        points, blocks = city(name)
        more = np.vstack([points, points + rng.normal(0, 15, points.shape), points + 25.0])
        chosen = rng.choice(len(more), min(n // 2, len(more)), replace=False)
        cases.append((name, visibility.place(more[chosen], blocks).xy, blocks))
    for _ in range(max(1, n // 20)):
        blocks = visibility.of_footprints(made_up_footprints(rng, 40, 60))
        cases.append(("random", visibility.place(rng.uniform(-60, 60, (20, 2)), blocks).xy, blocks))
    result: dict[str, list[tuple[float, bool]]] = {}
    for name, points, blocks in cases:
        k = len(points)
        radius, bearing = rng.uniform(10, 150, k), rng.uniform(0, 360, k)
        hfov = np.where(rng.random(k) < 0.5, 360.0, rng.uniform(5, 355, k))
        ours = visibility.regions(points, blocks, radius_m=radius, bearing_deg=bearing,
                                  hfov_deg=hfov)  # fmt: skip
        for i in range(k):
            houses = near(points[i], blocks, radius[i])
            truth = by_differences(points[i], houses, radius[i], bearing[i], hfov[i])
            share = overlap(ours[i], truth)
            settled = share >= 0.9999 or _settled(ours[i], truth, points[i], houses, rng)
            result.setdefault(name, []).append((share, settled))
            if share < 0.9999:
                print(name, i, f"{share:.6f}", "ours is right" if settled else "WRONG", flush=True)
    rows = [_case_row(name, found) for name, found in result.items()]
    for row in rows:
        print(*row.values(), sep=" | ")
    write_section(
        "visibility-study",
        rows,
        f"`python bench/visibility.py study {n}`: real cameras and places beside them, and places "
        "among random footprints; radii of 10 to 150 m, half of them with a direction and a field "
        "of view. Against the free view less the shadow of every wall; what differs by more than "
        "chords do is settled on 100 points by rational arithmetic.",
    )


def _case_row(name: str, found: list[tuple[float, bool]]) -> dict[str, Any]:
    shares = [share for share, _ in found]
    return {
        "cases": name,
        "number": len(found),
        "least IoU": f"{min(shares):.6f}",
        "below 0.9999": sum(share < 0.9999 for share in shares),
        "of them wrong": sum(not ok for _, ok in found),
    }


def _settled(ours: Any, truth: Any, point: Any, houses: Any, rng: Any) -> bool:
    # The largest piece: others are the slivers between chords and the arc.
    differing = max(shapely.get_parts(shapely.symmetric_difference(ours, truth)), key=shapely.area)
    west, south, east, north = differing.bounds
    tries = rng.uniform([west, south], [east, north], (20_000, 2))
    inside = tries[shapely.contains_xy(differing, tries)][:100]
    right = [shapely.contains_xy(ours, *at) == sees_exactly(point, at, houses) for at in inside]
    return bool(right) and all(right)


if __name__ == "__main__":
    os.environ.setdefault("GDAL_PAM_ENABLED", "NO")
    match sys.argv[1:]:
        case ["study", *count]:
            study(int(next(iter(count), "1000")))
        case _:
            table()
