"""A track file read, checked and put in order."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from sousveil.errors import UnusableInput
from sousveil.records import TRACK
from sousveil.track import _fit, _text, _xml
from sousveil.track._raw import Raw
from sousveil.track._zones import zone_at, zone_named

FORMATS: Final[dict[str, tuple[str, Callable[[Path], list[Raw]]]]] = {
    ".gpx": ("GPX", _xml.gpx),
    ".kml": ("KML", _xml.kml),
    ".geojson": ("GeoJSON", _text.geojson),
    ".json": ("GeoJSON", _text.geojson),
    ".csv": ("CSV", _text.comma_separated),
    ".tsv": ("CSV", _text.comma_separated),
    ".txt": ("CSV", _text.comma_separated),
    ".fit": ("FIT", _fit.fit),
}
"""How a track is read, by the ending of its file."""

FASTEST_M_PER_S: Final = 100.0
"""A point that can only be reached faster, from both sides, is an error of the device."""

_M_PER_DEG: Final = 111_320.0


class SetAside(NamedTuple):
    """A point that is not used, and why."""

    where: str
    value: str
    reason: str


class Track(NamedTuple):
    """A track as read. points: records.TRACK, in the order of time where there are times.

    zone: the time zone that clock times are told in, and that times without a zone were read in.
    """

    name: str
    format: str
    points: pa.Table
    set_aside: list[SetAside]
    zone: ZoneInfo

    @property
    def has_times(self) -> bool:
        """Whether the points say when."""
        return bool(self.points["time"].null_count == 0)


def read(path: str | Path, *, timezone: str | None = None) -> Track:
    """Read a track from a file on this machine.

    timezone: IANA name ("Europe/Berlin"); by default that of the nearest city. Times that say no
    zone are taken as clock times there.

    A point without a usable place, or that only a jump leads to, is set aside with its reason.
    Raises UnusableInput, in one line, for what is no file, cannot be read or has no two points.
    """
    path, zone = _file(path), zone_named(timezone)
    known = FORMATS.get(path.suffix.casefold())
    if known is None:
        raise UnusableInput(
            f"{path}: not a kind of track that is known; give one of {', '.join(FORMATS)}"
        )
    title, reader = known
    try:
        raw = reader(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableInput(f"{path}: cannot be read ({reason}); check the file") from error
    if not raw:
        raise UnusableInput(f"{path}: holds no point of a track; export the track itself")
    return _checked(path, title, raw, zone)


def _file(path: str | Path) -> Path:
    if "://" in str(path):
        raise UnusableInput(
            f"{path}: is an address; a track is only read from a file on this machine"
        )
    path = Path(path)
    if not path.is_file():
        raise UnusableInput(f"{path}: no such file; check the path of the track")
    return path


class _Point(NamedTuple):
    where: str
    part: int
    lon: float
    lat: float
    time: datetime | None
    accuracy_m: float | None


def _checked(path: Path, title: str, raw: list[Raw], zone: ZoneInfo | None) -> Track:
    aside: list[SetAside] = []
    points = [p for p in (_point(path, one, aside) for one in raw) if p is not None]
    if any(p.time for p in points):
        aside += [SetAside(p.where, "", "no time, where others have one")
                  for p in points if p.time is None]  # fmt: skip
        points = [p for p in points if p.time is not None]
    if len(points) < 2:
        why = f" ({aside[0].where}: {aside[0].reason})" if aside else ""
        raise UnusableInput(f"{path}: fewer than two usable points{why}; export the track again")
    middle = points[len(points) // 2]
    zone = zone or zone_at(middle.lon, middle.lat)
    seconds = [_seconds(p.time, zone) for p in points]
    if seconds[0] is not None:
        order = sorted(range(len(points)), key=lambda i: seconds[i] or 0.0)
        points, seconds = [points[i] for i in order], [seconds[i] for i in order]
    keep = _without_jumps(points, seconds, aside)
    if len(keep) < 2:
        raise UnusableInput(f"{path}: all points but one are jumps; export the track again")
    table = pa.table(
        {
            "part": [points[i].part for i in keep],
            "time": pa.array(
                [None if (s := seconds[i]) is None else round(1000 * s) for i in keep],
                pa.timestamp("ms", tz="UTC"),
            ),
            "lon": [points[i].lon for i in keep],
            "lat": [points[i].lat for i in keep],
            "accuracy_m": pa.array([points[i].accuracy_m for i in keep], pa.float64()),
        },
        schema=TRACK,
    )
    return Track(path.stem, title, table, aside, zone)


def _point(path: Path, raw: Raw, aside: list[SetAside]) -> _Point | None:
    lon, lat = _number(raw.lon), _number(raw.lat)
    if lon is None or lat is None:
        aside.append(SetAside(raw.where, f"{raw.lon}, {raw.lat}", "no longitude and latitude"))
        return None
    if abs(lon) > 180 or abs(lat) > 90 or (lon == 0 and lat == 0):
        aside.append(SetAside(raw.where, f"{raw.lon}, {raw.lat}", "no place on the Earth"))
        return None
    accuracy = _number(raw.accuracy_m)
    if accuracy is not None and not accuracy > 0:
        accuracy = None
    return _Point(raw.where, raw.part, lon, lat, _time(path, raw), accuracy)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _time(path: Path, raw: Raw) -> datetime | None:
    if raw.time is None or isinstance(raw.time, datetime):
        return raw.time
    text = raw.time.strip()
    if not text:
        return None
    number = _number(text)
    try:
        if number is not None and number > 1e8:  # seconds, or milliseconds, since 1970
            return datetime.fromtimestamp(number / (1000 if number > 1e11 else 1), UTC)
        return datetime.fromisoformat(text.replace("/", "-"))
    except (ValueError, OverflowError, OSError):
        raise UnusableInput(
            f"{path}: {raw.where}: {text[:40]!r} is no time; write it as 2026-11-25T08:30:00Z"
        ) from None


def _seconds(time: datetime | None, zone: ZoneInfo) -> float | None:
    if time is None:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=zone)).timestamp()


def _without_jumps(
    points: list[_Point], seconds: list[float | None], aside: list[SetAside]
) -> list[int]:
    """Return the points without those that are too far from the one before and the one after."""
    if seconds[0] is None:
        return list(range(len(points)))

    def too_far(i: int, j: int) -> bool:
        (_, _, lon_i, lat_i, *_), (_, _, lon_j, lat_j, *_) = points[i], points[j]
        shrink = math.cos(math.radians(lat_i))
        metres = _M_PER_DEG * math.hypot((lon_j - lon_i) * shrink, lat_j - lat_i)
        elapsed = max((seconds[j] or 0.0) - (seconds[i] or 0.0), 1.0)
        return metres / elapsed > FASTEST_M_PER_S

    last = len(points) - 1
    if not any(too_far(i, i + 1) for i in range(last)):
        return list(range(len(points)))
    keep: list[int] = []
    for i in range(len(points)):
        before = not keep or too_far(keep[-1], i)
        after = i == last or too_far(i, i + 1)
        if before and after and last > 0:
            told = f"{points[i].lon:.5f}, {points[i].lat:.5f}"
            aside.append(
                SetAside(points[i].where, told, "farther than anything moves in that time")
            )
        else:
            keep.append(i)
    return keep
