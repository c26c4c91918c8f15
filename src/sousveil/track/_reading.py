"""A track file read, checked and put in order."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.errors import UnusableInput
from sousveil.records import TRACK
from sousveil.track import _fit, _text, _xml
from sousveil.track._raw import Raw
from sousveil.track._zones import zone_at, zone_named

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

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
    if not path.stat().st_size:
        raise UnusableInput(f"{path}: is empty; export the track again")
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


def _checked(path: Path, title: str, raw: list[Raw], zone: ZoneInfo | None) -> Track:
    aside: list[SetAside] = []
    lon, lat = (_numbers([getattr(one, name) for one in raw]) for name in ("lon", "lat"))
    rows = _placed(raw, lon, lat, aside)
    times = {i: _time(raw[i]) for i in rows.tolist()}
    untimed = [(i, (raw[i].time or "")) for i, time in times.items() if time is None]
    wrong = [(raw[i].where, str(text)) for i, text in untimed if str(text).strip()]
    if wrong and not any(times.values()):
        where, text = wrong[0]
        raise UnusableInput(
            f"{path}: {where}: {text[:40]!r} is no time, and no point has one; write it as "
            "2026-11-25T08:30:00Z"
        )
    if any(times.values()):
        aside += [
            SetAside(raw[i].where, str(text)[:40],
                     "is no time" if str(text).strip() else "no time, where others have one")
            for i, text in untimed
        ]  # fmt: skip
        rows = np.array([i for i in rows.tolist() if times[i] is not None], np.int64)
    if len(rows) < 2:
        why = f" ({aside[0].where}: {aside[0].reason})" if aside else ""
        raise UnusableInput(f"{path}: fewer than two usable points{why}; export the track again")
    middle = rows[len(rows) // 2]
    zone = zone or zone_at(float(lon[middle]), float(lat[middle]))
    seconds = None
    if times[int(rows[0])] is not None:
        seconds = np.array([_seconds(times[i], zone) for i in rows.tolist()])
        order = np.argsort(seconds, kind="stable")
        rows, seconds = rows[order], seconds[order]
        keep = _without_jumps(lon[rows], lat[rows], seconds)
        told = [(raw[i].where, f"{lon[i]:.5f}, {lat[i]:.5f}") for i in rows[~keep].tolist()]
        aside += [SetAside(*one, "farther than anything moves in that time") for one in told]
        rows, seconds = rows[keep], seconds[keep]
    if len(rows) < 2:
        raise UnusableInput(f"{path}: all points but one are jumps; export the track again")
    accuracy_m = _numbers([raw[i].accuracy_m for i in rows.tolist()])
    stamps = pa.nulls(len(rows), pa.int64())
    if seconds is not None:
        stamps = pa.array(np.round(1000 * seconds).astype(np.int64))
    table = pa.table(
        {
            "part": [raw[i].part for i in rows.tolist()],
            "time": stamps.cast(pa.timestamp("ms", tz="UTC")),
            "lon": lon[rows],
            "lat": lat[rows],
            "accuracy_m": pa.array(accuracy_m, mask=~(accuracy_m > 0)),
        },
        schema=TRACK,
    )
    return Track(path.stem, title, table, aside, zone)


def _placed(raw: list[Raw], lon: Floats, lat: Floats, aside: list[SetAside]) -> Ints:
    """Return the rows that have a place on the Earth, and set the others aside."""
    missing = np.isnan(lon) | np.isnan(lat)
    nowhere = (np.abs(lon) > 180) | (np.abs(lat) > 90) | ((lon == 0) & (lat == 0))
    for i in np.flatnonzero(missing | nowhere).tolist():
        reason = "no longitude and latitude" if missing[i] else "no place on the Earth"
        aside.append(SetAside(raw[i].where, f"{raw[i].lon}, {raw[i].lat}", reason))
    return np.flatnonzero(~missing & ~nowhere)


def _numbers(values: list[Any]) -> Floats:
    """Return values as numbers, NaN for what is none."""
    try:
        found = np.array(values, np.float64)
    except (TypeError, ValueError):
        found = np.array([_number(v) for v in values], np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _time(raw: Raw) -> datetime | None:
    """Return when a point was, None where it does not say or says no time."""
    if raw.time is None or isinstance(raw.time, datetime):
        return raw.time
    text = raw.time.strip()
    if not text:
        return None
    try:
        number = float(text) if text.replace(".", "", 1).isdigit() else 0.0
        if number > 1e8:  # seconds, or milliseconds, since 1970
            return datetime.fromtimestamp(number / (1000 if number > 1e11 else 1), UTC)
        return datetime.fromisoformat(text.replace("/", "-"))
    except (ValueError, OverflowError, OSError):
        return None


def _seconds(time: datetime | None, zone: ZoneInfo) -> float:
    if time is None:
        return math.nan
    return (time if time.tzinfo else time.replace(tzinfo=zone)).timestamp()


def _without_jumps(lon: Floats, lat: Floats, seconds: Floats) -> npt.NDArray[np.bool_]:
    """Return which points are not too far both from the one kept before and from the next."""
    keep = np.ones(len(lon), bool)

    def too_far(i: Any, j: Any) -> Any:
        east = (lon[j] - lon[i]) * np.cos(np.radians(lat[i]))
        metres = _M_PER_DEG * np.hypot(east, lat[j] - lat[i])
        return metres > FASTEST_M_PER_S * np.maximum(seconds[j] - seconds[i], 1.0)

    row = np.arange(len(lon) - 1)
    onward = np.append(too_far(row, row + 1), True)
    if not onward[:-1].any():
        return keep
    last = -1
    for i in range(len(lon)):
        keep[i] = not (onward[i] and (last < 0 or too_far(last, i)))
        last = i if keep[i] else last
    return keep
