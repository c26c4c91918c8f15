"""The place of a census, measured as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from sousveil import place
from sousveil.errors import UnusableInput
from sousveil.place import FOOTWAY_CLASSES, STREET_CLASSES, Place, area_km2, describe, inside
from sousveil.records import BUILDINGS, STREETS
from tests.places import METRES_PER_DEGREE, extract, streets, town

LON, LAT = 11.57, 48.13
TOWN = streets(
    *town(LON, LAT),
    ("footway", [(LON, LAT), (LON, LAT + 0.005)]),
    ("track", [(LON, LAT), (LON, LAT + 0.002)]),
)
NO_CAMERAS = np.empty((0, 2))
HIGH = 1000 / METRES_PER_DEGREE
WIDE = HIGH / np.cos(np.radians(LAT))
TOWN_SQUARE = shapely.box(LON, LAT, LON + WIDE, LAT + HIGH)


def described(**changes: Any) -> Place:
    defaults: dict[str, Any] = {
        "name": "town",
        "streets": TOWN,
        "buildings": BUILDINGS.empty_table(),
        "cameras_lonlat": NO_CAMERAS,
    }
    return describe(**defaults | changes)


def test_a_town_inside_a_boundary_from_a_file() -> None:
    # 22 streets of 1 km on the sphere of METRES_PER_DEGREE: 1.0 km within 0.3 % on the ellipsoid.
    found = described(boundary=TOWN_SQUARE.buffer(1e-6), boundary_kind="file")
    assert found.boundary_kind == "file"
    assert found.boundary_note == "The boundary is the outline in the file that was given."
    assert found.area_km2 == pytest.approx(1.0, rel=5e-3)
    assert found.street_km == pytest.approx(22.0, rel=3e-3)
    assert found.footway_km == pytest.approx(0.556, rel=3e-3)
    assert found.street_km_by_class == pytest.approx(
        {"residential": found.street_km, "footway": found.footway_km, "track": 0.2224}, rel=1e-3
    )


def test_without_a_boundary_it_is_what_the_data_covers() -> None:
    found = described()
    assert found.boundary_kind == "covered"
    assert found.boundary_note.startswith("No boundary was given: the area is what the data covers")
    assert found.area_km2 == area_km2(found.boundary)
    # The corners of the town are rounded off: 1 % of its streets lie there.
    assert found.street_km == pytest.approx(22.0, rel=0.02)


def test_a_boundary_much_larger_than_the_data_is_remarked() -> None:
    found = described(boundary=TOWN_SQUARE.buffer(0.02), boundary_kind="relation")
    assert found.boundary_note.startswith("The boundary is that of the relation in the data")
    assert "fill 1.0 km2 of its 18.8 km2: if the sources hold" in found.boundary_note
    assert "rates are too low" in found.boundary_note


def test_a_boundary_that_crosses_itself_is_mended_and_said_so() -> None:
    west, south, east, north = TOWN_SQUARE.bounds
    bow_tie = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    found = described(boundary=bow_tie, boundary_kind="relation")
    assert shapely.is_valid(found.boundary)
    assert found.area_km2 == pytest.approx(0.5, rel=5e-3)
    assert "mended because it crosses itself" in found.boundary_note


def test_a_boundary_elsewhere_is_refused() -> None:
    with pytest.raises(
        UnusableInput, match="--within: the boundary does not touch the data of town"
    ):
        described(boundary=shapely.box(2, 41, 3, 42), boundary_kind="file")


def test_a_boundary_with_swapped_coordinates_is_told() -> None:
    swapped = shapely.transform(TOWN_SQUARE, lambda points: points[:, ::-1])
    with pytest.raises(UnusableInput, match="its latitudes and longitudes are swapped"):
        described(boundary=swapped, boundary_kind="file")


def test_a_boundary_without_any_data_is_no_fault() -> None:
    found = described(boundary=TOWN_SQUARE, boundary_kind="file", streets=STREETS.empty_table())
    assert found.area_km2 == pytest.approx(1.0, rel=5e-3)
    assert found.street_km == 0.0
    assert found.street_km_by_class == {}


def test_cameras_alone_have_no_area_and_no_population() -> None:
    cameras = np.array([[11.5755, 48.1374], [11.6, 48.2]])
    found = described(
        streets=STREETS.empty_table(), cameras_lonlat=cameras, name="Munich", name_is_certain=True
    )
    assert found.area_km2 is None
    assert found.population is None
    assert inside(cameras[:, 0], cameras[:, 1], found.boundary).all()


def test_a_given_population_is_taken_and_named() -> None:
    found = described(population=9_000)
    assert (found.population, found.population_source) == (9_000, "given with --population")
    assert found.population_note is None
    assert found.country == "DE"
    assert place.population_attribution(found) == []


def test_a_given_population_beyond_any_city_is_remarked() -> None:
    found = described(population=1_500_000)
    assert found.population == 1_500_000
    assert "people per km2, more than nearly any city has" in str(found.population_note)


@pytest.mark.parametrize("population", [0, -5, 2.5, True, "many"])
def test_a_population_must_be_a_positive_whole_number(population: Any) -> None:
    with pytest.raises(UnusableInput, match=f"--population {population}: .*whole number above 0"):
        described(population=population)


def test_points_inside_include_the_edge_and_exclude_holes() -> None:
    ring = shapely.difference(shapely.box(0, 0, 4, 4), shapely.box(1, 1, 3, 3))
    lon, lat = np.array([0.5, 0.0, 2.0, 5.0]), np.array([0.5, 2.0, 2.0, 2.0])
    assert inside(lon, lat, ring).tolist() == [True, True, False, False]
    assert inside(lon[:0], lat[:0], ring).tolist() == []


# Street km and area are pinned within 2 % of what was measured when the method was judged by eye.
MEASURED = {
    "boston_north_2020-08": (0.29, 5.8, None, "US"),
    "darmstadt_hbf_2026-02": (0.38, 9.1, None, "DE"),
    "helsinki_centre_2019-04": (3.88, 81.9, None, "FI"),
    "london_2020-07": (2.03, 55.8, None, "GB"),
    "monaco_2023-12": (2.21, 66.7, "GeoNames: Monaco (id 2993458)", "MC"),
    "munich_2020-07": (2.15, 48.0, None, "DE"),
    "porto_2020-07": (7.44, 168.5, None, "PT"),
}


@pytest.mark.parametrize(("name", "measured"), MEASURED.items(), ids=MEASURED.keys())
def test_real_extracts(shared_data: Path, name: str, measured: tuple[Any, ...]) -> None:
    held = extract(shared_data / "osm" / f"{name}.osm.pbf")
    found = describe(
        name=held.name,
        streets=held.streets,
        buildings=held.buildings,
        cameras_lonlat=held.cameras,
        header_boxes=[held.box],
    )
    area, street_km, source, country = measured
    assert found.area_km2 == pytest.approx(area, rel=0.02)
    assert found.street_km == pytest.approx(street_km, rel=0.02)
    assert found.country == country
    if source is None:
        assert (found.population, found.population_source) == (None, None)
        assert "people, but the area is" in str(found.population_note)
        assert "pass --population" in str(found.population_note)
    else:
        assert str(found.population_source).startswith(source)
        assert f"{found.population:,}" in str(found.population_source)
    assert place.population_attribution(found) == [
        ("GeoNames (https://www.geonames.org/)", "CC-BY-4.0")
    ]


def test_lengths_by_class_add_up_on_a_real_place(shared_data: Path) -> None:
    held = extract(shared_data / "osm" / "munich_2020-07.osm.pbf")
    found = describe(
        name="Altstadt",
        streets=held.streets,
        buildings=held.buildings,
        cameras_lonlat=held.cameras,
        boundary=shapely.box(*held.box),
        boundary_kind="file",
        population=20_000,
    )
    by_class = found.street_km_by_class
    assert sum(by_class[c] for c in by_class if c in STREET_CLASSES) == pytest.approx(
        found.street_km
    )
    assert sum(by_class[c] for c in by_class if c in FOOTWAY_CLASSES) == pytest.approx(
        found.footway_km
    )
    assert list(by_class.values()) == sorted(by_class.values(), reverse=True)
