"""Sources: one list from one publisher, read into observations that say where each came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from sousveil.sources._evidence import NO_EVIDENCE

Box = tuple[float, float, float, float]  # west, south, east, north in degrees


@dataclass(frozen=True, kw_only=True)
class Source:
    """One list as read: its tables and where they came from.

    rows = observations + evidence + rows of the quarantine that were set aside whole.
    """

    source_id: str
    path: str
    format: str  # for people: "OpenStreetMap PBF", "Overpass JSON", ...
    publisher: str
    licence: str  # SPDX identifier
    attribution: str
    seen_on: date | None  # the date of the content, not of the download
    rows: int
    links_dropped: int  # links to possible live feeds, dropped on reading
    header_box: Box | None
    observations: pa.Table  # records.OBSERVATIONS
    quarantine: pa.Table  # records.QUARANTINE
    streets: pa.Table  # records.STREETS
    buildings: pa.Table  # records.BUILDINGS
    evidence: pa.Table = field(default_factory=lambda: NO_EVIDENCE)  # _evidence.EVIDENCE
    list_id: str = "osm"  # the list of which this is an edition or extract; all OSM data is one
    url: str = ""  # the page of the publisher
    area: str = ""  # where its rows can lie, as its description calls it
    country: str | None = None  # ISO 3166-1 alpha-2 of its area, where its description says so
    covers: str = ""  # which cameras the list can hold at all: "cameras of public bodies", ...
    counts: str = "devices"  # what a row stands for: _spec.COUNTS
    has_duplicates: bool | None = None  # whether one installation can stand in it twice
    redistributable: bool | None = None  # None where nobody said; see _gate.py
    notes: tuple[str, ...] = ()  # what a person should know of the list before using it

    @property
    def name(self) -> str:
        """The file's name without its folder, fit for what is published."""
        return Path(self.path).name
