"""What the readers of OpenStreetMap formats hand over, the same from each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from sousveil.sources import Box
from sousveil.sources.osm._tags import RawObject


class SetAside(NamedTuple):
    """Something that a reader could not take over; field None when the object went as a whole."""

    native_id: str | None
    field: str | None
    value: str | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Contents:
    """One file as read, before its tags are interpreted."""

    objects: list[RawObject]
    content_date: date | None  # the day up to which the file holds edits
    header_box: Box | None
    streets: pa.Table  # records.STREETS
    buildings: pa.Table  # records.BUILDINGS
    set_aside: Sequence[SetAside] = ()
    notes: Sequence[str] = ()  # for people: what of streets and buildings was left out
