"""Where and when an operator's cameras could have recorded the person, as lines of a letter."""

from __future__ import annotations

from datetime import datetime
from math import cos, hypot, radians
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from sousveil.letters import _addressees, _words

LEAST_CHANCE: Final = 0.05
"""A pass with less is left out of a letter, unless it is the likeliest of its camera."""

MOST_PLACES: Final = 25

SITE_M: Final = 150.0
"""Cameras of "hotel" farther from each other are those of different hotels."""

_MARGIN_S: Final = 60.0
"""Clocks of cameras and phones differ: times are widened by this on both sides."""

_DEGREE_M: Final = 111_320.0


class Seen(NamedTuple):
    """One camera at one time; the position is the camera's."""

    street: str | None
    lon: float
    lat: float
    start: datetime | None
    end: datetime | None
    chance: float
    probability: float
    near_street: str | None = None  # the nearest one with a name, where the street has none
    near_street_m: float | None = None


def of_operator(passes: pa.Table, operator: dict[str, Any]) -> list[Seen]:
    """Return the passes (records.PASSES) of an operator's cameras, by time; the likeliest ones.

    As many cameras as the exposure counts for the operator, those likeliest to have seen.
    """
    mine = passes.filter(pc.equal(passes["operator"], operator["operator"]))
    found = [one for rows in _by_camera(mine, operator["cameras"]) for one in _worth_telling(rows)]
    found = sorted(found, key=lambda one: -one.chance)[:MOST_PLACES]
    return sorted(found, key=lambda one: (one.start is None, one.start and one.start.timestamp()))


def of_unknown(passes: pa.Table, cameras: int) -> list[Seen]:
    """Return where the cameras are whose operator nobody names, each at its likeliest pass."""
    mine = passes.filter(pc.is_null(passes["operator"]))
    return [max(rows, key=lambda one: one.probability) for rows in _by_camera(mine, cameras)]


def _by_camera(passes: pa.Table, most: int) -> list[list[Seen]]:
    """Return the passes of each camera on the (first) way, of the likeliest cameras; no homes."""
    mine = passes.filter(
        pc.and_(
            pc.and_(pc.equal(passes["level"], "detect"), pc.equal(passes["way"], 0)),
            pc.invert(passes["private_home"]),
        )
    )
    cameras: dict[str, list[Seen]] = {}
    for r in mine.to_pylist():
        one = Seen(r["street"], r["lon"], r["lat"], r["start"], r["end"], r["could"],
                   r["probability"], r["near_street"], r["near_street_m"])  # fmt: skip
        cameras.setdefault(r["camera_id"], []).append(one)
    return sorted(cameras.values(), key=lambda rows: -max(one.chance for one in rows))[:most]


def _worth_telling(rows: list[Seen]) -> list[Seen]:
    best = max(one.chance for one in rows)
    return [one for one in rows if one.chance >= min(LEAST_CHANCE, best)]


def sites(seen: list[Seen]) -> list[list[Seen]]:
    """Return passes apart by site: those within SITE_M of another one of the site."""
    found: list[list[Seen]] = []
    for one in seen:
        near = [site for site in found if any(_away_m(one, other) <= SITE_M for other in site)]
        found = [site for site in found if site not in near]
        found.append([other for site in near for other in site] + [one])
    return [sorted(site, key=seen.index) for site in sorted(found, key=lambda s: seen.index(s[0]))]


def _away_m(a: Seen, b: Seen) -> float:
    east = (a.lon - b.lon) * cos(radians(a.lat))
    return _DEGREE_M * hypot(a.lat - b.lat, east)


def lines(seen: list[Seen], timezone: str, language: str, *, with_times: bool) -> list[str]:
    """Return a line for each pass, or for each place without times.

    The place comes first: a line that begins with "24. November" is a numbered list in Markdown.
    """

    def told(one: Seen) -> str:
        time = when(one, timezone, language) if with_times else ""
        return ": ".join(filter(None, [where(one, language), time]))

    return list(dict.fromkeys(told(one) for one in seen))


def where(one: Seen, language: str) -> str:
    """Return a place: its street, or the nearest one with a name, and the camera's position."""
    street = "–"
    if one.street:
        street = _addressees.bare(one.street)
    elif one.near_street:
        near = _addressees.bare(one.near_street)
        street = _words.words_of(language)["near"].format(street=near, m=f"{one.near_street_m:.0f}")
    return f"{street} ({one.lat:.5f}, {one.lon:.5f})"


def when(one: Seen, timezone: str, language: str) -> str:
    """Return a time, widened on both sides, as the language writes days; "" without a clock."""
    if one.start is None or one.end is None:
        return ""
    zone = ZoneInfo(timezone)
    start = datetime.fromtimestamp(one.start.timestamp() - _MARGIN_S, zone)
    end = datetime.fromtimestamp(one.end.timestamp() + _MARGIN_S, zone)
    days = [_words.day(moment.date(), language) for moment in (start, end)]
    last = f"{end:%H:%M}" if days[0] == days[1] else f"{days[1]}, {end:%H:%M}"
    return f"{days[0]}, {start:%H:%M} – {last}"
