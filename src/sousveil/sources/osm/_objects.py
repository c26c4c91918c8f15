"""The objects of interest in OpenStreetMap data: what may be a camera, each of them once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Final, Literal, NamedTuple

from sousveil.sources.osm._kinds import LIFECYCLE_WORDS, MAIN_TAGS
from sousveil.sources.osm._tags import RawObject

ObjectType = Literal["node", "way", "relation"]
Key = tuple[ObjectType, int]  # what identifies an object in OpenStreetMap

INSTALLATION_TAGS: Final = (
    *MAIN_TAGS.items(),
    *((f"{word}:{key}", value) for word in LIFECYCLE_WORDS for key, value in MAIN_TAGS.items()),
)
"""An object with one of these tags is, was or will be an installation of some kind."""

_ORDER: Final = {"node": 0, "way": 1, "relation": 2}


class Found(NamedTuple):
    """One object of interest as it stands in a file; lon and lat None where nothing places it."""

    type: ObjectType
    id: int
    version: int
    lon: float | None
    lat: float | None
    tags: dict[str, str]
    edited_at: datetime | None


def is_installation(tags: Mapping[str, str]) -> bool:
    """Tell whether an object is, was or will be an installation by its own tags."""
    return any(tags.get(key) == value for key, value in INSTALLATION_TAGS)


def is_enforcement(tags: Mapping[str, str]) -> bool:
    """Tell whether a relation says which device watches a stretch of road."""
    return tags.get("type") == "enforcement"


def known_time(moment: datetime | None) -> datetime | None:
    """Return a time of edit, None for the zero of the clock that stands for an unknown one."""
    return None if moment is None or moment.timestamp() <= 0 else moment.astimezone(UTC)


def newest(found: Iterable[Found]) -> dict[Key, Found]:
    """Keep of every object the newest version, in the order of OpenStreetMap files.

    That order is nodes, ways, relations, each by id.
    """
    kept: dict[Key, Found] = {}
    for one in found:
        key = (one.type, one.id)
        if key not in kept or one.version >= kept[key].version:
            kept[key] = one
    return dict(sorted(kept.items(), key=lambda item: (_ORDER[item[0][0]], item[0][1])))


def numbered(found: Mapping[Key, Found], enforcement: Mapping[Key, str]) -> list[RawObject]:
    """Return objects as rows counted from 1; enforcement: value by device of such a relation."""
    return [
        RawObject(
            row=row,
            native_id=f"{one.type}/{one.id}",
            lon=one.lon,
            lat=one.lat,
            tags=one.tags,
            edited_on=edited_on(one),
            enforcement=enforcement.get(key),
        )
        for row, (key, one) in enumerate(found.items(), start=1)
    ]


def edited_on(one: Found) -> date | None:
    """Return the day (UTC) on which an object was last edited, None if the file does not say."""
    return one.edited_at.date() if one.edited_at else None
