"""What two peers find and write, beside sousveil, on the same tracks and cameras.

cctv-exposure (Fuziih/cctv-exposure, Python) tells who was within 10 m of a camera. CCTV-Log
(idltd/CCTV-Log, JavaScript) writes a letter for one camera that was photographed. Nothing of them
is part of this project: their own programs are run where CCTV_EXPOSURE and CCTV_LOG name a
checkout, and are left out, with the reason, where not. CCTV-Log needs node.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from _measure import BENCH, DATA, machine, write_section

sys.path.insert(0, str(BENCH.parent))

import shapely
from tests.tracks import START, gpx, noisy, stroll, walk

import sousveil as sv
from sousveil import track as tracks
from sousveil.exposure import Exposure, _along, _look, _totals
from sousveil.exposure._register import Register, register_of
from sousveil.letters import LANGUAGES, drafts
from sousveil.visibility import plane_around

PLACES = ("munich_2020-07", "london_2020-07", "helsinki_centre_2019-04", "porto_2020-07")
WALK_M = 5_000.0
PACE_M_PER_S = 1.34
PROGRAM = "exposure_python/main.py"
LETTER = "js/sar.js"


def main() -> None:
    """Measure and write the two sections of the README."""
    walks = {place: _walked(place) for place in PLACES}
    found = [_found(place, *walk) for place, walk in walks.items()]
    reason = (
        ""
        if checkout("CCTV_EXPOSURE", PROGRAM)
        else (" cctv-exposure is missing: CCTV_EXPOSURE names no checkout of it.")
    )
    write_section("exposure-peers", found, (
        f"{machine()}. A walk of {WALK_M:,.0f} m a place along its streets, a point a second, with "
        "the errors of a phone; the cameras are those of the extract. Processor time of both in "
        "one process, after a run that compiles; the machine did other work, so the ratio counts. "
        "cctv-exposure is told nothing but positions, as most of its own data, with its 10 m. A "
        "camera within 10 m that could not see is behind a wall, turned elsewhere, too steep "
        "above, or only the error of the track came so near." + reason
    ))  # fmt: skip
    rows, why = _letters(_way_with_letters())
    write_section("letters-peers", rows, (
        "The way of the example in docs/exposure.md, with the letters to the operators that its "
        "source states, a hotel and the police. CCTV-Log writes to the cameras that its user "
        f"photographed: here it is given all of the same.{why}"
    ))  # fmt: skip


def checkout(variable: str, file: str) -> Path | None:
    """Return a file of a checkout that an environment variable names."""
    named = os.environ.get(variable)
    path = Path(named) / file if named else None
    return path if path and path.is_file() else None


def _way_with_letters() -> Exposure:
    source = DATA / "osm" / f"{PLACES[0]}.osm.pbf"
    plan = sv.ways((11.5685, 48.1365), (11.5815, 48.1375), source)
    assert plan.ways is not None
    with tempfile.TemporaryDirectory() as folder:
        path = stroll(Path(folder) / "way.gpx", shapely.from_wkb(plan.ways["geometry"][0].as_py()),
                      seed=9)  # fmt: skip
        return sv.exposure(path, source)


def _walked(place: str) -> tuple[Exposure, Register, Any, Any]:
    source = DATA / "osm" / f"{place}.osm.pbf"
    there = register_of(source, on=None, progress=lambda _: None)
    cameras = there.cameras
    plane = plane_around(cameras["lon"].to_numpy(), cameras["lat"].to_numpy())
    graph = tracks.graph(there.streets, plane, on_foot=True)
    points, seconds, _ = walk(graph, seed=3, least_m=WALK_M)
    lonlat = plane.to_lonlat(noisy(points, seed=3))
    with tempfile.TemporaryDirectory() as folder:
        exposure = sv.exposure(gpx(Path(folder) / "way.gpx", lonlat, seconds), source)
    return exposure, there, lonlat, seconds


def _found(
    place: str, exposure: Exposure, there: Register, lonlat: Any, seconds: Any
) -> dict[str, Any]:
    """Return a row: what both find of the cameras, and what it takes."""
    told = exposure.summary
    detect, parts = told["cameras"]["detect"], told["parts"]
    cpu_s, could = _ours(lonlat, seconds, there)
    row = {
        "place": place,
        "cameras": there.cameras.num_rows,
        "points": len(lonlat),
        "could, of them expected": f"{detect['could']}, {detect['expected']:.1f} "
        f"({detect['low']} to {detect['high']})",
        "likely, possibly, not seen s": f"{parts['likely_s']}, {parts['possible_s']}, "
        f"{parts['none_s']}",
        "expected s": round(told["time"]["detect"]["seen_s"]),
        "cpu s": cpu_s,
    }
    program = checkout("CCTV_EXPOSURE", PROGRAM)
    if program is None:
        return row
    places = list(zip(there.cameras["lat"].to_pylist(), there.cameras["lon"].to_pylist(),
                      strict=True))  # fmt: skip
    peer = cctv_exposure(program, lonlat, seconds, places)
    within = {there.cameras["camera_id"][i].as_py() for i in peer["cameras"]}
    return row | {
        "peer: within 10 m": len(within),
        "of these could not see": len(within - could),
        "that could, missed": len(could - within),
        "peer s": round(peer["exposed_s"]),
        "peer cpu s": peer["cpu_s"],
        "peer cpu / ours": peer["cpu_s"] / cpu_s,
    }


def _ours(lonlat: Any, seconds: Any, there: Register) -> tuple[float, set[str]]:
    """Return the processor time from points and cameras to the totals, and which could see."""
    with tempfile.TemporaryDirectory() as folder:
        way = tracks.read(gpx(Path(folder) / "way.gpx", lonlat, seconds))
    start = time.process_time()
    lon, lat = way.points["lon"].to_numpy(), way.points["lat"].to_numpy()
    graph = tracks.graph(there.streets, plane_around(lon, lat))
    moments = tracks.moments(tracks.match(way, graph, m_per_s=PACE_M_PER_S), graph, there.streets)
    where = _along.places(moments)
    seen, near = _look(where.lon, where.lat, there, draws=200, seed=0)
    pairs = _along.pairs(seen, where)
    _, tally = _along.passes(pairs, seen, moments, near, there.streets, began=None)
    _totals.cameras_by_level(tally, near, None, seed=0)
    _totals.seconds(_along.watchful(pairs, seen, moments, near), moments, None)
    cpu_s = time.process_time() - start
    by_camera = _totals._by_camera(tally)
    could = near["camera_id"].take(by_camera.camera[by_camera.could])
    return cpu_s, set(could.to_pylist())


def cctv_exposure(
    program: Path, lonlat: Any, seconds: Iterable[float], places: list[tuple[float, float]]
) -> dict[str, Any]:
    """Run the peer's own class on points; its reader of cameras is fed a file."""
    spec = importlib.util.spec_from_file_location("cctv_exposure", program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cameras.csv"
        rows = [f"{lat},{lon},round,10" for lat, lon in places]
        file.write_text("\n".join(["latitude,longitude,camera type,radius", *rows]))
        points = [
            SimpleNamespace(longitude=lon, latitude=lat, speed=None,
                            time=START + timedelta(seconds=float(s)))
            for (lon, lat), s in zip(lonlat, seconds, strict=True)
        ]  # fmt: skip
        start = time.process_time()
        told = module.CCTVExposure(
            Namespace(camfile=str(file), radius=None), SimpleNamespace(points=points)
        )
        _, exposed_s = told.time_and_distance_in_camera_fov()
        cpu_s = time.process_time() - start
    return {"cpu_s": cpu_s, "exposed_s": exposed_s, "cameras": sorted(told.unique_cameras)}


def _letters(exposure: Exposure) -> tuple[list[dict[str, Any]], str]:
    on = date(2026, 11, 25)
    start = time.process_time()
    made = drafts(exposure.summary, exposure.passes, on=on)
    took_s = time.process_time() - start
    access = [one for one in made if one.kind == "access"]
    lines = [line for one in access for line in one.markdown.splitlines() if " – " in line]
    rows = [
        {
            "program": "sousveil",
            "letters for access": len(access),
            "for records": len(made) - len(access),
            "operators": exposure.summary["named_operators"],
            "minutes asked for": round(sum(map(_minutes, lines))),
            "under the law of police": sum(one.ground.enforcement for one in access),
            "to fill in, a letter": sum(len(one.to_fill_in) for one in access) / len(access),
            "languages": len(LANGUAGES),
            "ms a letter": 1000 * took_s / len(made),
        }
    ]
    program, node = checkout("CCTV_LOG", LETTER), shutil.which("node")
    if program is None or node is None:
        missing = "CCTV_LOG names no checkout of it" if program is None else "there is no node"
        return rows, f" CCTV-Log is missing: {missing}."
    seen = [one for one in exposure.passes.to_pylist()
            if one["level"] == "detect" and one["operator"]
            and one["could"] >= _totals.LEAST_TOLD]  # fmt: skip
    told = _cctv_log(node, program, seen)
    texts = told["letters"]
    rows.append(
        {
            "program": "CCTV-Log",
            "letters for access": len(texts),
            "for records": 0,
            "operators": len({one["operator"] for one in seen}),
            "minutes asked for": round(sum(map(_minutes, _windows(texts)))),
            "under the law of police": 0,
            "to fill in, a letter": sum(len(re.findall(r"\[[^\]]+\]", t)) for t in texts)
            / len(texts),
            "languages": 1,
            "ms a letter": told["ms"] / len(texts),
        }
    )
    return rows, (
        " It cites Article 15 UK GDPR and section 45 of the Data Protection Act 2018 in every "
        "letter, whoever is asked and wherever."
    )


def _windows(texts: list[str]) -> list[str]:
    return [line for text in texts for line in text.splitlines() if "Time window" in line]


def _minutes(line: str) -> float:
    """Return the length of a time window ("08:30 – 08:33") in a line."""
    hours = re.findall(r"(\d\d):(\d\d)", line)
    first, last = (60 * int(h) + int(m) for h, m in hours[:2])
    return (last - first) % (24 * 60)


def _cctv_log(node: str, program: Path, seen: list[dict[str, Any]]) -> dict[str, Any]:
    """Run the peer's own function on passes, each as a camera that was photographed."""
    asked = [
        {
            "operator": one["operator"],
            "place": one["street"],
            "time": (one["start"] or datetime(2026, 11, 24, tzinfo=UTC)).isoformat(),
        }
        for one in seen
    ]
    script = f"""
import {{ generateLetter }} from {json.dumps(program.resolve().as_uri())};
const asked = {json.dumps(asked)};
const start = performance.now();
const letters = asked.map(one => generateLetter({{
  profile: {{}}, location: null, description: "",
  camera: {{ operator: {{ name: one.operator }}, location_desc: one.place }},
  photoTime: new Date(one.time), incidentTime: null }}));
console.log(JSON.stringify({{ letters, ms: performance.now() - start }}));
"""
    done = subprocess.run([node, "--input-type=module", "-e", script],
                          capture_output=True, text=True, check=True)  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout)
    return told


if __name__ == "__main__":
    main()
