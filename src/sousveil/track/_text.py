"""Tracks as GeoJSON and as CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Final

from sousveil.errors import UnusableInput
from sousveil.track._raw import Raw

_LON: Final = ("lon", "lng", "long", "longitude", "x", "location-long")
_LAT: Final = ("lat", "latitude", "y", "location-lat")
_TIME: Final = ("time", "timestamp", "datetime", "date_time", "utc", "t", "date time")
_ACCURACY: Final = ("accuracy_m", "accuracy", "horizontal_accuracy", "hacc", "horizontalaccuracy")
_TIMES_OF_LINES: Final = ("coordTimes", "times", "timestamps", "time")


def geojson(path: Path) -> list[Raw]:
    """Return the points of lines (times in coordTimes), or else of dated points."""
    try:
        document = json.loads(_read(path))
    except ValueError as error:
        raise UnusableInput(f"{path}: is no JSON ({error}); export the track again") from error
    lines: list[Raw] = []
    points: list[Raw] = []
    part = 0
    for feature in _features(document):
        told = feature.get("properties") or {}
        geometry = feature.get("geometry") or {}
        kind, where = geometry.get("type"), geometry.get("coordinates")
        if kind in ("LineString", "MultiLineString") and isinstance(where, list):
            several = where if kind == "MultiLineString" else [where]
            times = _times(told, kind)
            for i, line in enumerate(several):
                given = times[i] if i < len(times) else []
                if given and len(given) != len(line):
                    raise UnusableInput(
                        f"{path}: line {part + 1}: {len(given)} times for {len(line)} points; "
                        "export it again"
                    )
                for n, place in enumerate(line):
                    time = given[n] if given else None
                    lines.append(_raw(f"point {len(lines) + 1}", part, place, time, None))
                part += 1
        elif kind == "Point":
            by_name = {str(key).casefold(): value for key, value in told.items()}
            time = next((by_name[name] for name in _TIME if by_name.get(name)), None)
            accuracy = next((by_name[name] for name in _ACCURACY if by_name.get(name)), None)
            points.append(_raw(f"point {len(points) + 1}", 0, where, time, accuracy))
    return lines or points


def _features(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    kind = document.get("type")
    if kind == "FeatureCollection":
        listed = document.get("features")
        return [f for f in listed if isinstance(f, dict)] if isinstance(listed, list) else []
    if kind == "Feature":
        return [document]
    return [{"geometry": document, "properties": {}}]


def _times(told: dict[str, Any], kind: str) -> list[list[Any]]:
    told = told | (told.get("coordinateProperties") or {})
    found: list[Any] = next((told[k] for k in _TIMES_OF_LINES if isinstance(told.get(k), list)), [])
    return found if kind == "MultiLineString" else [found]


def _raw(where: str, part: int, place: Any, time: Any, accuracy: Any) -> Raw:
    usable = isinstance(place, list) and len(place) > 1
    lon, lat = (place[0], place[1]) if usable else (None, None)
    return Raw(where, part, lon, lat, None if time is None else str(time), accuracy)


def comma_separated(path: Path) -> list[Raw]:
    """Return the rows of a table with a header; separators are comma, semicolon or tab."""
    text = _read(path)
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=separator)
    names = {(name or "").strip().casefold(): name for name in rows.fieldnames or ()}
    lon, lat, time, accuracy = (_column(names, c) for c in (_LON, _LAT, _TIME, _ACCURACY))
    if lon is None or lat is None:
        missing = "longitude" if lon is None else "latitude"
        raise UnusableInput(
            f"{path}: line 1: no column of the {missing}; name the columns time, lat, lon"
        )
    found = []
    for row in rows:
        time_text = row.get(time) if time else None
        accuracy_text = row.get(accuracy) if accuracy else None
        where = f"line {rows.line_num}"
        found.append(Raw(where, 0, row.get(lon), row.get(lat), time_text, accuracy_text))
    return found


def _column(names: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return next((names[name] for name in wanted if name in names), None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(
            f"{path}: byte {error.start}: is no UTF-8 text; save the track as UTF-8"
        ) from error
