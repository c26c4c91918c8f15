"""Reading cameras, buildings and streets with their geometry, against the peers that run here."""

from __future__ import annotations

import importlib.metadata
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from _measure import in_turn, machine, version, write_section
from make_large import make

RUNS = 3

OURS = """
from pathlib import Path
from sousveil.sources import osm
source = osm.read(Path({path!r}), source_id="large", context={context})
assert source.rows > 9_000
"""

# As the manual of pyosmium shows it: a file processor with areas, geometry from a factory.
PYOSMIUM = """
import osmium
factory = osmium.geom.WKBFactory()
kept = []
processor = osmium.FileProcessor({path!r}).with_areas().with_filter(
    osmium.filter.KeyFilter("building", "highway", "man_made"))
for obj in processor:
    tags = dict(obj.tags)
    try:
        if obj.is_area() and "building" in tags:
            kept.append((obj.id, tags, factory.create_multipolygon(obj)))
        elif obj.is_way() and "highway" in tags:
            kept.append((obj.id, tags, factory.create_linestring(obj)))
        elif obj.is_node() and tags.get("man_made") == "surveillance":
            kept.append((obj.id, tags, factory.create_point(obj)))
    except (RuntimeError, osmium.InvalidLocationError):
        pass
"""

PYROSM = """
from pyrosm import OSM
reader = OSM({path!r})
streets = reader.get_network("all")
buildings = reader.get_buildings()
cameras = reader.get_data_by_custom_criteria(
    custom_filter={{"man_made": ["surveillance"]}}, filter_type="keep")
"""

FIRST = "sousveil, first large file after installing"
PACKAGES = {"pyosmium as its manual shows": "osmium", FIRST: "sousveil"}

CAMERAS = "nwr/man_made=surveillance nwr/highway=speed_camera r/type=enforcement"


def main() -> None:
    """Measure both bars, as many times as the first argument says, and write their tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    path = str(make())
    size_mb = Path(path).stat().st_size / 1e6
    with tempfile.TemporaryDirectory() as folder:
        cameras = in_turn(_cameras(path, folder), runs)
        whole = in_turn(_whole(path, folder), runs)
    note = (
        f"{machine()}. A file of {size_mb:.0f} MB, whole processes in turn, median of runs: "
        f"{runs}; ratio: wall time against osmium. osmium writes all tags as GeoJSON text, "
        "sousveil keeps the columns of its records. DuckDB's ST_ReadOSM and QuackOSM are missing: "
        "the extension of DuckDB that both need is downloaded when they run, which this machine "
        "cannot do. pyrosm keeps what it has read; what it keeps is removed before each run."
    )
    write_section("reading", _rows(whole, "osmium tags-filter + export"), note)
    write_section("cameras", _rows(cameras, "osmium tags-filter"), f"The same file, runs: {runs}.")


def _whole(path: str, folder: str) -> dict[str, list[str] | str]:
    filtered = f"{folder}/filtered.osm.pbf"
    ours = shlex.join([sys.executable, "-c", OURS.format(path=path, context=True)])
    pyrosm = shlex.join([sys.executable, "-c", PYROSM.format(path=path)])
    commands: dict[str, list[str] | str] = {
        "sousveil": [sys.executable, "-c", OURS.format(path=path, context=True)],
        "osmium tags-filter + export": (
            f"osmium tags-filter -O --no-progress -o {filtered} {path} {CAMERAS} w/highway "
            f"nwr/building; osmium export -O --no-progress -f geojsonseq "
            f"-o {folder}/whole.geojsonseq {filtered}"
        ),
        "pyosmium as its manual shows": [sys.executable, "-c", PYOSMIUM.format(path=path)],
        # What pyrosm has read once it keeps in the folder for temporary files, and takes it from
        # there the next time: it has to read the file like the others here.
        "pyrosm": f"rm -rf {folder}/t; mkdir {folder}/t; TMPDIR={folder}/t {pyrosm}",
        FIRST: f"rm -rf {folder}/n; NUMBA_CACHE_DIR={folder}/n {ours}",
    }
    if shutil.which("ogr2ogr"):
        commands["GDAL (ogr2ogr to GeoPackage)"] = (
            f"rm -f {folder}/gdal.gpkg; ogr2ogr -q -f GPKG {folder}/gdal.gpkg {path} "
            "points lines multipolygons"
        )
    return commands


def _cameras(path: str, folder: str) -> dict[str, list[str] | str]:
    return {
        "sousveil": [sys.executable, "-c", OURS.format(path=path, context=False)],
        "osmium tags-filter": (
            f"osmium tags-filter -O --no-progress -o {folder}/cameras.osm.pbf {path} {CAMERAS}"
        ),
        "osmium tags-filter -R (without the nodes of ways)": (
            f"osmium tags-filter -R -O --no-progress -o {folder}/cameras.osm.pbf {path} {CAMERAS}"
        ),
    }


def _rows(measured: dict[str, dict[str, float]], peer: str) -> list[dict[str, Any]]:
    against = measured[peer]["wall_s"]
    return [
        {
            "reader": f"{name} {_version(name)}".strip(),
            "wall s": one["wall_s"],
            "lowest to highest s": f"{one['lowest_s']:.2f} to {one['highest_s']:.2f}",
            "cpu s": one["cpu_s"],
            "peak MB": round(one["peak_mb"]),
            "ratio": one["wall_s"] / against,
        }
        for name, one in sorted(measured.items(), key=lambda item: item[1]["wall_s"])
    ]


def _version(name: str) -> str:
    if name.startswith("osmium"):
        return version("osmium --version")
    if name.startswith("GDAL"):
        return version("ogr2ogr --version")
    return importlib.metadata.version(PACKAGES.get(name, name))


if __name__ == "__main__":
    main()
