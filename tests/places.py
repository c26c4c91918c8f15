"""Places for tests: street grids made on the spot, and real extracts read straight by pyosmium."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import osmium
import pyarrow as pa
import shapely

from sousveil.records import BUILDINGS, STREETS
from sousveil.sources import Box

METRES_PER_DEGREE = 111_195.0

Coordinates = Iterable[tuple[float, float]]


def streets(*ways: tuple[str, Coordinates] | tuple[str, Coordinates, dict[str, str]]) -> pa.Table:
    """Return records.STREETS of (highway, coordinates[, other columns]); ids are way/1, way/2..."""
    rows = [
        {
            "street_id": f"way/{number}",
            "highway": way[0],
            "geometry": shapely.to_wkb(shapely.LineString(list(way[1]))),
        }
        | (way[2] if len(way) == 3 else {})
        for number, way in enumerate(ways, 1)
    ]
    return pa.Table.from_pylist(rows, schema=STREETS)


def town(
    lon: float, lat: float, *, side_m: float = 1000.0, spacing_m: float = 100.0
) -> list[tuple[str, Coordinates]]:
    """Return the streets of a square town, a grid of residential streets, from its south west."""
    high = 1 / METRES_PER_DEGREE
    wide = high / np.cos(np.radians(lat))
    steps = np.arange(0.0, side_m + 1.0, spacing_m)
    east_west = [[(lon, lat + y * high), (lon + side_m * wide, lat + y * high)] for y in steps]
    south_north = [[(lon + x * wide, lat), (lon + x * wide, lat + side_m * high)] for x in steps]
    return [("residential", way) for way in east_west + south_north]


class Extract(NamedTuple):
    """What a real extract holds, as the reader of the tests found it."""

    name: str
    streets: pa.Table
    buildings: pa.Table
    cameras: npt.NDArray[np.float64]  # n x 2 degrees
    box: Box | None


@cache
def extract(path: Path) -> Extract:
    """Read an extract of OpenStreetMap, without any code of ours."""
    wkb = osmium.geom.WKBFactory()
    ways, outlines, cameras = [], [], []
    for thing in osmium.FileProcessor(path).with_locations().with_areas():
        if thing.is_node() and thing.tags.get("man_made") == "surveillance":
            cameras.append((thing.location.lon, thing.location.lat))
        elif thing.is_way() and "highway" in thing.tags:
            tags = {key: thing.tags.get(key) for key in ("highway", "area")}
            line = _line(wkb, thing)
            if line is not None:
                ways.append({"street_id": f"way/{thing.id}", "geometry": line} | tags)
        elif thing.is_area() and "building" in thing.tags:
            outline = bytes.fromhex(wkb.create_multipolygon(thing))
            outlines.append({"building_id": f"{thing.id}", "building": "yes", "geometry": outline})
    return Extract(
        path.name.split(".")[0].replace("_", " "),
        pa.Table.from_pylist(ways, schema=STREETS),
        pa.Table.from_pylist(outlines, schema=BUILDINGS),
        np.array(cameras, dtype=np.float64).reshape(-1, 2),
        _header_box(path),
    )


def _line(wkb: osmium.geom.WKBFactory, way: osmium.osm.Way) -> bytes | None:
    try:
        return bytes.fromhex(wkb.create_linestring(way))
    except (osmium.InvalidLocationError, RuntimeError):  # its nodes were cut off
        return None


def _header_box(path: Path) -> Box | None:
    with osmium.io.Reader(path) as reader:
        box = reader.header().box()
    if not box.valid():
        return None
    low, high = box.bottom_left, box.top_right
    return low.lon, low.lat, high.lon, high.lat
