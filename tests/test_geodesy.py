"""Lengths and areas on the ellipsoid, against published numbers and equal-area projections."""

from __future__ import annotations

import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil.place._geodesy import (
    area_km2,
    cut_at_antimeridian,
    line_lengths_m,
    polygons_of,
)
from tests.places import extract


def quadrangle_km2(south: float, north: float, width: float) -> float:
    """Area between two parallels and two meridians: J. P. Snyder, Map Projections (1987), 3-12."""
    a, f = 6378.137, 1 / 298.257223563
    e = math.sqrt(f * (2 - f))

    def q(lat: float) -> float:
        sine = math.sin(math.radians(lat))
        log = math.log((1 - e * sine) / (1 + e * sine))
        return (1 - e * e) * (sine / (1 - (e * sine) ** 2) - log / (2 * e))

    return a * a * math.radians(width) / 2 * (q(north) - q(south))


@pytest.mark.parametrize("south", [-90, -33, -1, 0, 48, 60, 89])
def test_area_of_a_one_degree_cell(south: int) -> None:
    cell = shapely.box(11, south, 12, south + 1)
    assert area_km2(cell) == pytest.approx(quadrangle_km2(south, south + 1, 1), rel=1e-7)


def test_area_of_a_cell_on_the_equator_is_the_published_one() -> None:
    # Snyder's q gives 12,308.46 km2; the sphere of the mean radius would give 12,363.7.
    assert area_km2(shapely.box(0, 0, 1, 1)) == pytest.approx(12_308.46, abs=0.01)


def test_holes_are_subtracted_whatever_the_orientation_of_rings() -> None:
    shell, hole = shapely.box(11, 48, 12, 49), shapely.box(11.2, 48.2, 11.6, 48.6)
    expected = quadrangle_km2(48, 49, 1) - quadrangle_km2(48.2, 48.6, 0.4)
    for turned in (shell.exterior.coords, shell.exterior.coords[::-1]):
        for cut in (hole.exterior.coords, hole.exterior.coords[::-1]):
            assert area_km2(shapely.Polygon(turned, [cut])) == pytest.approx(expected, rel=1e-7)


def test_area_of_parts_adds_up_and_nothing_has_none() -> None:
    parts = [shapely.box(11, 48, 12, 49), shapely.box(20, -5, 21, -4)]
    expected = quadrangle_km2(48, 49, 1) + quadrangle_km2(-5, -4, 1)
    assert area_km2(shapely.MultiPolygon(parts)) == pytest.approx(expected, rel=1e-7)
    assert area_km2(shapely.MultiPolygon()) == 0.0


ACROSS = {
    "jumps": [(179, -17), (-179, -17), (-179, -16), (179, -16)],
    "runs on east": [(179, -17), (181, -17), (181, -16), (179, -16)],
    "runs on west": [(-181, -17), (-179, -17), (-179, -16), (-181, -16)],
}


@pytest.mark.parametrize("ring", ACROSS.values(), ids=ACROSS.keys())
def test_a_polygon_across_the_antimeridian(ring: list[tuple[float, float]]) -> None:
    crossing = shapely.Polygon(ring)
    cut = cut_at_antimeridian(crossing)
    expected = quadrangle_km2(16, 17, 2)
    assert area_km2(crossing) == pytest.approx(expected, rel=1e-7)
    assert area_km2(cut) == pytest.approx(expected, rel=1e-7)
    assert shapely.equals(
        cut, shapely.union(shapely.box(179, -17, 180, -16), shapely.box(-180, -17, -179, -16))
    )


def test_a_hole_stays_in_its_polygon_when_that_is_cut() -> None:
    hole = [(-179.8, -16.6), (-179.4, -16.6), (-179.4, -16.4), (-179.8, -16.4)]
    cut = cut_at_antimeridian(shapely.Polygon(ACROSS["jumps"], [hole]))
    expected = quadrangle_km2(16, 17, 2) - quadrangle_km2(16.4, 16.6, 0.4)
    assert area_km2(cut) == pytest.approx(expected, rel=1e-7)


def test_a_polygon_that_is_cut_already_or_ordinary_stays() -> None:
    fiji = shapely.union(shapely.box(179, -17, 180, -16), shapely.box(-180, -17, -179, -16))
    assert shapely.equals(cut_at_antimeridian(fiji), fiji)
    assert cut_at_antimeridian(shapely.box(11, 48, 12, 49)) == shapely.box(11, 48, 12, 49)


def test_length_from_wellington_to_salamanca() -> None:
    # 19,959,679.267 m: the example in the manual of GeographicLib for Python (Karney).
    line = shapely.LineString([(174.81, -41.32), (-5.50, 40.96)])
    assert line_lengths_m(np.array([line]))[0] == pytest.approx(19_959_679.267, abs=0.001)


def test_length_of_a_degree_of_the_equator() -> None:
    line = shapely.LineString([(10, 0), (10.25, 0), (11, 0)])
    expected = math.pi * 6_378_137 / 180
    assert line_lengths_m(np.array([line]))[0] == pytest.approx(expected, abs=1e-6)


def test_lengths_keep_to_their_lines() -> None:
    one = shapely.LineString([(0, 0), (1, 0)])
    lines = np.array([one, shapely.LineString(), shapely.LineString([(5, 0), (7, 0)])])
    single = line_lengths_m(np.array([one]))[0]
    assert line_lengths_m(lines) == pytest.approx([single, 0.0, 2 * single])
    assert len(line_lengths_m(lines[:0])) == 0


def test_polygons_of_a_mixed_collection() -> None:
    square, other = shapely.box(0, 0, 1, 1), shapely.box(2, 2, 3, 3)
    mixed = shapely.GeometryCollection(
        [
            shapely.Point(9, 9),
            shapely.MultiPolygon([square, other]),
            shapely.LineString([(0, 0), (1, 1)]),
        ]
    )
    assert polygons_of(mixed) == shapely.MultiPolygon([square, other])
    assert polygons_of(shapely.GeometryCollection([square])) == square
    assert shapely.is_empty(polygons_of(shapely.Point(0, 0)))


@settings(deadline=None)  # the first example waits for libraries to load
@given(
    lon=st.floats(-150, 150),
    lat=st.floats(-80, 80),
    spokes=st.lists(st.floats(0.01, 0.5), min_size=3, max_size=12),
    start=st.integers(0, 11),
)
def test_area_agrees_with_an_equal_area_projection(
    lon: float, lat: float, spokes: list[float], start: int
) -> None:
    angles = np.linspace(0, 2 * np.pi, len(spokes), endpoint=False)
    ring = np.column_stack([lon + spokes * np.cos(angles), lat + spokes * np.sin(angles)])
    polygon = shapely.Polygon(np.roll(ring, start, axis=0))
    equal_area = f"+proj=laea +lon_0={lon} +lat_0={lat} +ellps=WGS84"
    fine = gpd.GeoSeries([polygon.segmentize(0.001)], crs=4326).to_crs(equal_area)
    # Our longest edge leaves the straight line by under 1 cm, along the whole outline.
    under_km2 = 1e-5 * 111.7 * polygon.length
    assert area_km2(polygon) == pytest.approx(fine.area[0] / 1e6, abs=under_km2)


@pytest.mark.parametrize("name", ["munich_2020-07.osm.pbf", "helsinki_centre_2019-04.osm.pbf"])
def test_area_of_real_buildings_agrees_with_geopandas(shared_data: Path, name: str) -> None:
    found = extract(shared_data / "osm" / name)
    buildings = shapely.from_wkb(found.buildings["geometry"].to_numpy())
    lon, lat = found.cameras.mean(axis=0)
    equal_area = f"+proj=laea +lon_0={lon} +lat_0={lat} +ellps=WGS84"
    expected_m2 = gpd.GeoSeries(buildings, crs=4326).to_crs(equal_area).area.sum()
    ours_km2 = sum(area_km2(building) for building in buildings)
    # Edges are straight in different projections: far below a millionth for lengths under 1 km.
    assert ours_km2 == pytest.approx(expected_m2 / 1e6, rel=1e-6)
