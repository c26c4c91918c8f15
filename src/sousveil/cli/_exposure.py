"""What the options of sousveil exposure mean."""

from __future__ import annotations

import re
from typing import Final

from sousveil.errors import UnusableInput

Point = tuple[float, float]

_TRACKS: Final = (".gpx", ".kml", ".fit")
"""Endings of files that are tracks and never cameras."""

_NUMBER: Final = r"-?\d+(?:\.\d+)?"


def between(start: str | None, goal: str | None) -> tuple[Point, Point] | None:
    """Return the two points of a planned way, None where none is asked for."""
    if start is None and goal is None:
        return None
    if start is None or goal is None:
        raise UnusableInput("--from and --to: give both, each as LON,LAT in degrees")
    return _point("--from", start), _point("--to", goal)


def sources_only(files: list[str]) -> list[str]:
    """Return the sources of a planned way, which has no track."""
    for file in files:
        if file.casefold().endswith(_TRACKS):
            raise UnusableInput(f"{file}: is a track; give either a track or --from and --to")
    return files


def _point(option: str, text: str) -> Point:
    match = re.fullmatch(rf"\s*({_NUMBER})\s*,\s*({_NUMBER})\s*", text)
    if match is None:
        raise UnusableInput(f"{option} {text}: write it as LON,LAT in degrees, such as 11.57,48.14")
    return float(match[1]), float(match[2])


def track_and_sources(files: list[str]) -> tuple[str, list[str]]:
    """Return the track and the sources of the arguments."""
    if len(files) < 2:
        raise UnusableInput(
            "TRACK SOURCE: give your track and at least one file with the cameras of the place, or "
            "--from and --to"
        )
    return files[0], files[1:]
