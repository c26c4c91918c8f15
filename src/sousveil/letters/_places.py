"""Where and when an operator's cameras could have recorded the person, as lines of a letter."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

LEAST_CHANCE: Final = 0.05
"""A pass that a camera could hardly have seen is left out of a letter, as exposure does."""

MOST_PLACES: Final = 25

_MARGIN_S: Final = 60.0
"""Clocks of cameras and phones differ: times are widened by this on both sides."""


class Seen(NamedTuple):
    """One camera at one time; the position is the camera's."""

    street: str | None
    lon: float
    lat: float
    start: datetime | None
    end: datetime | None
    chance: float


def of_operator(passes: pa.Table, operator: dict[str, Any]) -> list[Seen]:
    """Return the passes (records.PASSES) of an operator's cameras, by time; the likeliest ones."""
    mine = passes.filter(
        pc.and_(
            pc.and_(pc.equal(passes["level"], "detect"), pc.invert(passes["private_home"])),
            pc.and_(
                pc.equal(passes["operator"], operator["operator"]),
                pc.equal(passes["operator_class"], operator["operator_class"]),
            ),
        )
    )
    found = [
        Seen(r["street"], r["lon"], r["lat"], r["start"], r["end"], r["could"])
        for r in mine.to_pylist()
        if r["could"] >= LEAST_CHANCE
    ]
    found = sorted(found, key=lambda one: -one.chance)[:MOST_PLACES]
    return sorted(found, key=lambda one: (one.start is None, one.start and one.start.timestamp()))


def lines(seen: list[Seen], timezone: str, *, with_times: bool) -> list[str]:
    """Return a line for each pass, or for each place without times, in no language."""
    told = [
        ": ".join(filter(None, [_when(one, timezone) if with_times else "", _where(one)]))
        for one in seen
    ]
    return list(dict.fromkeys(told))


def _where(one: Seen) -> str:
    return f"{one.street or '–'} ({one.lat:.5f}, {one.lon:.5f})"


def _when(one: Seen, timezone: str) -> str:
    if one.start is None or one.end is None:
        return ""
    zone = ZoneInfo(timezone)
    start = datetime.fromtimestamp(one.start.timestamp() - _MARGIN_S, zone)
    end = datetime.fromtimestamp(one.end.timestamp() + _MARGIN_S, zone)
    last = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} – {last}"


def of_unknown(passes: pa.Table, summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return where cameras are whose operator nobody names, for the sign there to say."""
    track = summary.get("track") or {}
    mine = passes.filter(
        pc.and_(
            pc.and_(pc.equal(passes["level"], "detect"), pc.is_null(passes["operator"])),
            pc.invert(passes["private_home"]),
        )
    ).to_pylist()
    best: dict[str, dict[str, Any]] = {}
    for row in sorted(mine, key=lambda r: -r["probability"]):
        best.setdefault(row["camera_id"], row)
    return [
        {
            "street": row["street"],
            "lon": row["lon"],
            "lat": row["lat"],
            "when": _when(
                Seen(row["street"], row["lon"], row["lat"], row["start"], row["end"], row["could"]),
                track.get("timezone", "UTC"),
            ),
            "probability": row["probability"],
        }
        for row in best.values()
        if row["could"] >= LEAST_CHANCE
    ]
