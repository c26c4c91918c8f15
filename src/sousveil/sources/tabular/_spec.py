"""The description of one list: who published it, under which licence, and what it says where."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sousveil.records import CAPABILITIES, HOUSINGS, KINDS, LIFECYCLES, NOT_CAMERAS, SETTINGS
from sousveil.sources import Box

FORMATS: Final = ("csv", "xlsx", "json", "geojson", "gpkg", "shapefile", "parquet")
COUNTS: Final = ("devices", "sites", "agencies", "totals")
"""What one row stands for: a device, a place with one or more, an agency, or a total of an area."""

EVIDENCE_COUNTS: Final = ("agencies", "totals")
"""Of COUNTS, those that place no camera."""

VOCABULARIES: Final[dict[str, tuple[str, ...]]] = {
    "kind": KINDS,
    "housing": HOUSINGS,
    "setting": SETTINGS,
    "lifecycle": LIFECYCLES,
    "not_camera": NOT_CAMERAS,
    "capabilities": CAPABILITIES,
    "operator_class": ("public", "private"),
    "seen_by": ("check", "edit", "list"),
}
"""Fields whose values are words of ours; a list's own words come to them through a map."""

TARGETS: Final = (
    "native_id",
    "lon",
    "lat",
    "accuracy_m",
    "count",
    "kind",
    "housing",
    "bearings",
    "hfov_deg",
    "height_m",
    "mount",
    "setting",
    "zone",
    "operator",
    "operator_class",
    "purpose",
    "capabilities",
    "pixels_h",
    "retention_days",
    "installed",
    "removed",
    "seen_on",
    "evidence_url",
    "not_camera",
    "lifecycle",
    "place",
    "technology",
)
"""The fields of ours that a list can fill; place and technology only as evidence."""

READERS: Final = (
    "text",
    "words",
    "json",
    "number",
    "devices",
    "day",
    "epoch_ms",
    "directions",
    "korean_directions",
    "field_of_view",
    "height_m",
    "pixels",
    "retention_days",
    "document",
)
"""How a text can be read, see _fields.py."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """Where one of our fields comes from, and how its texts are to be read."""

    columns: tuple[str, ...] = ()  # of several, the first that is filled
    value: str | None = None  # the same for every row, instead of a column
    map: Mapping[str, str] | None = None  # the list's words to ours, compared without case
    other: str | None = None  # for texts that the map does not hold
    empty: str | None = None  # for rows that say nothing
    zero: str | None = None  # "unknown": 0 means that nothing is stated
    read: str | None = None
    formats: tuple[str, ...] = ()  # of dates, as strptime writes them, tried first
    suffix: str = ""  # a unit that the texts carry, taken off before reading
    prefix: str = ""  # put before the text
    strip: str = ""  # taken off the front of the text
    pattern: re.Pattern[str] | None = None  # its first group is the text; no match, no text
    sum: bool = False  # the columns are added up
    join: str | None = None  # the columns are joined by this, instead of the first that is filled
    makers: str | None = None  # "drop": the name of a maker is no operator


@dataclass(frozen=True, kw_only=True)
class FileSpec:
    """What the file is like where looking at it would not tell."""

    formats: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    columns: tuple[str, ...] = ()  # names in order, for a file without a header
    skip_rows: int = 0  # before the header
    sheet: str | None = None
    layer: str | None = None
    records: str | None = None  # where the array of rows stands in a JSON object: "data.items"
    decimal: str = "."
    crs: str | None = None  # of projected coordinates: "EPSG:28992"


@dataclass(frozen=True, kw_only=True)
class Match:
    """By what a file is known to be this list; without columns and names it never is."""

    columns: tuple[str, ...] = ()  # all of them are there
    exactly: bool = False  # and no others
    names: tuple[str, ...] = ()  # one of these patterns fits the file's name
    values: Mapping[str, re.Pattern[str]] | None = None  # column -> pattern of all its values


@dataclass(frozen=True, kw_only=True)
class Area:
    """Where the list's rows can lie."""

    name: str
    country: str | None = None  # ISO 3166-1 alpha-2, for the languages of its operators
    box: Box | None = None
    near: str | None = None  # rows that agree in this column lie near each other


@dataclass(frozen=True, kw_only=True)
class Total:
    """A printed total and the columns that should add up to it."""

    column: str
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One entry of the catalogue."""

    spec_id: str
    path: str  # of the TOML file
    title: str
    publisher: str
    url: str
    documentation: str
    licence: str  # SPDX identifier, or its name in plain words
    redistributable: bool | None  # None where nobody said
    attribution: str
    covers: str  # which cameras the list can hold at all
    counts: str
    has_duplicates: bool | None
    date: date | None
    seen_by: str
    identity: tuple[str, ...]  # columns that tell rows apart where the list has no ids
    drop: tuple[str, ...]  # columns that are never kept: live feeds, names of persons
    only: Mapping[str, tuple[str, ...]]  # column -> the values of rows that are cameras
    total: Total | None
    notes: tuple[str, ...]
    file: FileSpec
    match: Match
    area: Area
    fields: Mapping[str, Field]

    @property
    def is_evidence(self) -> bool:
        """Whether the rows speak of agencies or areas instead of installations."""
        return self.counts in EVIDENCE_COUNTS

    @property
    def list_id(self) -> str:
        """The list that the file is an edition of; whatever is made from OpenStreetMap is "osm"."""
        is_osm = "openstreetmap contributors" in self.attribution.casefold()
        return "osm" if is_osm else self.spec_id
