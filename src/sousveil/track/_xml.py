"""GPX (1.0, 1.1) and KML (2.2, with gx:Track) read as a stream of elements."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from sousveil.errors import UnusableInput
from sousveil.track._raw import Raw

USER_RANGE_ERROR_M: Final = 5.0
"""What HDOP is multiplied with for an accuracy: a usual user range error of a phone."""

_POINTS: Final = ("trkpt", "rtept")
_HEAD: Final = 4096


def gpx(path: Path) -> list[Raw]:
    """Return the points of all tracks, or of the routes where there is no track."""
    found: dict[str, list[Raw]] = {name: [] for name in _POINTS}
    part = 0
    for name, element in _elements(path):
        if name in _POINTS:
            points, inner = found[name], {_local(child.tag): child.text for child in element}
            if "extensions" in inner:
                inner |= {_local(child.tag): child.text for child in element.iter()}
            where, told = f"point {len(points) + 1}", element.attrib
            place = told.get("lon"), told.get("lat")
            points.append(Raw(where, part, *place, inner.get("time"), _accuracy(inner)))
            element.clear()
        elif name in ("trkseg", "rte"):
            part += 1
            element.clear()
    return found["trkpt"] or found["rtept"]


def _accuracy(inner: dict[str, str | None]) -> str | float | None:
    if inner.get("accuracy"):
        return inner["accuracy"]
    hdop = inner.get("hdop")
    if not hdop:
        return None
    try:
        return float(hdop) * USER_RANGE_ERROR_M
    except ValueError:
        return None


def kml(path: Path) -> list[Raw]:
    """Return the points of gx:Track, of lines, or of dated points, whichever come first in this."""
    tracks: list[Raw] = []
    lines: list[Raw] = []
    dated: list[Raw] = []
    part = 0
    for name, element in _elements(path):
        if name == "Track":
            times = [child.text for child in element if _local(child.tag) == "when"]
            places = [child.text for child in element if _local(child.tag) == "coord"]
            if len(times) != len(places):
                raise UnusableInput(
                    f"{path}: gx:Track {part + 1}: {len(times)} times for {len(places)} places; "
                    "export it again"
                )
            for time, place in zip(times, places, strict=True):
                lon, lat = _two(place, None)
                tracks.append(Raw(f"point {len(tracks) + 1}", part, lon, lat, time))
            part += 1
        elif name == "LineString":
            for place in _text(element, "coordinates").split():
                lon, lat = _two(place, ",")
                lines.append(Raw(f"point {len(lines) + 1}", part, lon, lat))
            part += 1
        elif name == "Placemark":
            time = _text(element, "when")
            if time and _text(element, "coordinates"):
                lon, lat = _two(_text(element, "coordinates"), ",")
                dated.append(Raw(f"point {len(dated) + 1}", 0, lon, lat, time))
            element.clear()
    return tracks or lines or dated


def _two(text: str | None, separator: str | None) -> tuple[str | None, str | None]:
    numbers = (text or "").strip().split(separator)
    return (numbers[0], numbers[1]) if len(numbers) > 1 else (None, None)


def _text(element: ElementTree.Element, name: str) -> str:
    return next((c.text or "" for c in element.iter() if _local(c.tag) == name), "").strip()


def _elements(path: Path) -> Iterator[tuple[str, ElementTree.Element]]:
    with path.open("rb") as file:
        if b"<!DOCTYPE" in file.read(_HEAD).upper():
            raise UnusableInput(
                f"{path}: line 1: declares a document type, which no track needs; remove <!DOCTYPE>"
            )
        file.seek(0)
        try:
            for _, element in ElementTree.iterparse(file):  # noqa: S314  (no entities: see above)
                yield _local(element.tag), element
        except ElementTree.ParseError as error:
            line, column = error.position
            raise UnusableInput(
                f"{path}: line {line}, column {column}: is no XML "
                f"({str(error).split(':')[0]}); export the track again"
            ) from error


@cache
def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]
