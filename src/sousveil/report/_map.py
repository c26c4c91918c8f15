"""What the map and the list of cameras need, as compact columns for the page's script."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely

from sousveil.report import _words
from sousveil.report._tiles import Tiles

# Code 0 is always "not recorded"; the order of the others is the order of the legend.
VOCABULARIES: Final[dict[str, Mapping[str, str]]] = {
    "kind": _words.KINDS,
    "operator_class": _words.OWNERS,
    "setting": _words.SETTINGS,
    "housing": _words.HOUSINGS,
}

_TEXTS: Final = (
    "mount",
    "zone",
    "operator",
    "operator_class_rule",
    "purpose",
    "seen_by",
    "evidence_url",
)
_DATES: Final = ("installed", "first_seen", "last_seen")
_NUMBERS: Final = (
    "count",
    "height_m",
    "hfov_deg",
    "pixels_h",
    "retention_days",
    "n_sources",
    "link_probability",
)
_LISTS: Final = ("capabilities", "sources")
_OUTERMOST: Final = 0.01  # share of cameras on each side that may lie outside the first view
_MICRO: Final = 1_000_000  # coordinates as whole millionths of a degree
_BOUNDARY_TOLERANCE_DEG: Final = 0.00005
_OSM_ID: Final = re.compile(r"(node|way|relation)/\d+")


def cameras(published: pa.Table) -> dict[str, Any]:
    """Return the cameras as columns: codes for vocabularies, dictionaries for repeated text.

    published: records.PUBLISHED, that is without private homes and with rounded coordinates where
    the operator is private.
    """
    rows = published.num_rows
    return {
        "n": rows,
        "id": published["camera_id"].to_pylist(),
        "lon": [round(v * _MICRO) for v in published["lon"].to_pylist()],
        "lat": [round(v * _MICRO) for v in published["lat"].to_pylist()],
        "rounded": [int(v == "rounded") for v in published["coordinates"].to_pylist()],
        "codes": {name: _codes(published[name], VOCABULARIES[name]) for name in VOCABULARIES},
        "texts": {name: _dictionary(published[name].to_pylist()) for name in _TEXTS}
        | {name: _dictionary(_iso(published[name])) for name in _DATES}
        | {name: _dictionary(_joined(published[name])) for name in _LISTS},
        "numbers": {name: _numbers(published[name]) for name in _NUMBERS},
        "bearings": [_bearings(v) for v in published["bearings"].to_pylist()],
        "objects": [_objects(v) for v in published["native_ids"].to_pylist()],
        "tags": _tags(published["raw"].to_pylist()),
    }


def vocabularies() -> dict[str, list[str]]:
    """Return the names of the codes of each vocabulary, code 0 first."""
    return {name: [words["unknown"], *_known(words).values()]
            for name, words in VOCABULARIES.items()}  # fmt: skip


def boundary(shape: shapely.Geometry | None) -> dict[str, Any] | None:
    """Return the boundary as a GeoJSON geometry, simplified to about 5 m."""
    if shape is None or shape.is_empty:
        return None
    simple = shapely.simplify(shape, _BOUNDARY_TOLERANCE_DEG)
    geometry: dict[str, Any] = json.loads(shapely.to_geojson(shapely.transform(simple, _rounded)))
    return geometry


def view(
    published: pa.Table, shape: shapely.Geometry | None, tiles: Tiles | None
) -> list[float] | None:
    """Return the box (west, south, east, north) that the map shows first.

    That is the box of all cameras, or of all but the outermost few where those would shrink the
    rest to less than half of the picture's width or height.
    """
    if published.num_rows:
        lonlat = np.column_stack([published["lon"].to_numpy(), published["lat"].to_numpy()])
        whole = np.array([lonlat.min(axis=0), lonlat.max(axis=0)])
        most = np.quantile(lonlat, [_OUTERMOST, 1 - _OUTERMOST], axis=0)
        shrunk = np.any(2 * np.ptp(most, axis=0) < np.ptp(whole, axis=0))
        box = (most if shrunk else whole).ravel()
        return [round(float(side), 6) for side in box]
    if shape is not None and not shape.is_empty:
        return [round(float(side), 6) for side in shape.bounds]
    return list(tiles.bounds) if tiles else None


def safe_json(value: Any) -> str:
    """Return JSON that can stand inside a script element whatever text it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _known(words: Mapping[str, str]) -> dict[str, str]:
    return {value: label for value, label in words.items() if value != "unknown"}


def _codes(column: pa.ChunkedArray, words: Mapping[str, str]) -> list[int]:
    code = {value: i for i, value in enumerate(_known(words), start=1)}
    return [code.get(value, 0) for value in column.to_pylist()]


def _dictionary(values: Sequence[str | None]) -> dict[str, list[Any]] | None:
    """Return distinct texts and, for each row, 0 or 1 + its place; None where all is unknown."""
    place: dict[str, int] = {}
    rows = [0 if v is None else place.setdefault(v, len(place) + 1) for v in values]
    return {"words": list(place), "rows": rows} if place else None


def _iso(column: pa.ChunkedArray) -> list[str | None]:
    return [None if v is None else v.isoformat() for v in column.to_pylist()]


def _joined(column: pa.ChunkedArray) -> list[str | None]:
    return [", ".join(v).replace("_", " ") if v else None for v in column.to_pylist()]


def _numbers(column: pa.ChunkedArray) -> list[float | None] | None:
    if column.null_count == len(column):
        return None
    return [None if v is None else _short(v) for v in column.to_pylist()]


def _short(value: float) -> float:
    return int(value) if value == int(value) else round(value, 2)


def _bearings(values: list[float] | None) -> list[float] | int:
    return [_short(round(v, 1)) for v in values] if values else 0


def _objects(native_ids: list[str]) -> str:
    """Return the OpenStreetMap objects of a camera, as they stand in an address."""
    return " ".join(native_id for native_id in native_ids if _OSM_ID.fullmatch(native_id))


def _tags(raws: list[str | None]) -> dict[str, list[Any]]:
    """Return the original tags: distinct texts, and for each row key, value, key, value, ..."""
    words: dict[str, int] = {}

    def code(text: str) -> int:
        return words.setdefault(text, len(words))

    rows = []
    for raw in raws:
        tags = json.loads(raw) if raw else {}
        rows.append([code(str(part)) for pair in tags.items() for part in pair] or 0)
    return {"words": list(words), "rows": rows}


_rounded: Callable[[Any], Any] = lambda xy: xy.round(6)  # noqa: E731
