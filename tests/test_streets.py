"""Street length: exact cases, and real places against geopandas, GDAL and osmnx."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import osmium
import osmnx
import pyarrow as pa
import pyarrow.compute as pc
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil.place import (
    FOOTWAY_CLASSES,
    STREET_CLASSES,
    TRACK_CLASSES,
    street_lengths_km,
)
from tests.places import extract, streets

DEGREE_KM = math.pi * 6_378.137 / 180  # of longitude on the equator, exactly
ALL = shapely.box(-30, -30, 30, 30)
EQUATOR = [(0, 0), (0.01, 0)]


def test_a_street_has_its_length_by_class() -> None:
    table = streets(
        ("residential", EQUATOR),
        ("residential", [(1, 0), (1.02, 0)]),
        ("footway", [(2, 0), (2.04, 0)]),
    )
    assert street_lengths_km(table, ALL) == pytest.approx(
        {"footway": 0.04 * DEGREE_KM, "residential": 0.03 * DEGREE_KM}
    )


def test_a_two_way_street_counts_once_like_a_one_way_street() -> None:
    two_way, one_way = (
        streets(("primary", EQUATOR)),
        streets(("primary", EQUATOR, {"oneway": "yes"})),
    )
    expected = pytest.approx({"primary": 0.01 * DEGREE_KM})
    assert street_lengths_km(two_way, ALL) == expected
    assert street_lengths_km(one_way, ALL) == expected


def test_a_divided_road_counts_as_two_ways() -> None:
    table = streets(("primary", EQUATOR), ("primary", [(0.01, 0.0001), (0, 0.0001)]))
    assert street_lengths_km(table, ALL)["primary"] == pytest.approx(0.02 * DEGREE_KM)


def test_a_way_that_two_extracts_hold_counts_once() -> None:
    table = streets(("primary", EQUATOR))
    assert street_lengths_km(pa.concat_tables([table, table]), ALL) == street_lengths_km(table, ALL)


def test_a_street_is_cut_at_the_boundary() -> None:
    half = shapely.box(0.005, -1, 1, 1)
    lengths = street_lengths_km(streets(("service", EQUATOR)), half)
    assert lengths["service"] == pytest.approx(0.005 * DEGREE_KM)


def test_a_street_that_leaves_and_comes_back_counts_with_both_pieces() -> None:
    notched = shapely.difference(shapely.box(-1, -1, 1, 1), shapely.box(0.004, -0.5, 0.006, 0.5))
    lengths = street_lengths_km(streets(("service", EQUATOR)), notched)
    assert lengths["service"] == pytest.approx(0.008 * DEGREE_KM)


def test_a_street_that_only_touches_the_boundary_has_no_length_inside() -> None:
    assert street_lengths_km(streets(("service", EQUATOR)), shapely.box(0.01, -1, 1, 1)) == {}


def test_areas_and_what_is_not_there_have_no_length() -> None:
    table = streets(
        ("pedestrian", [(0, 0), (0.01, 0), (0.01, 0.01), (0, 0)], {"area": "yes"}),
        ("proposed", EQUATOR),
        ("construction", EQUATOR),
        ("raceway", EQUATOR),
    )
    assert street_lengths_km(table, ALL) == {}
    assert street_lengths_km(table.slice(0, 0), ALL) == {}


def test_the_three_kinds_of_ways_do_not_overlap() -> None:
    assert not STREET_CLASSES & FOOTWAY_CLASSES
    assert not TRACK_CLASSES & (STREET_CLASSES | FOOTWAY_CLASSES)


points = st.tuples(st.floats(10, 10.1), st.floats(48, 48.1))


@settings(deadline=None)  # the first example waits for libraries to load
@given(
    ways=st.lists(st.lists(points, min_size=2, max_size=6), min_size=1, max_size=8),
    across=st.floats(10, 10.1),
)
def test_the_two_halves_of_a_place_hold_all_of_its_streets(
    ways: list[list[tuple[float, float]]], across: float
) -> None:
    table = streets(*(("tertiary", way) for way in ways))
    west, east = shapely.box(9, 47, across, 49), shapely.box(across, 47, 11, 49)
    parts = [street_lengths_km(table, half).get("tertiary", 0.0) for half in (west, east)]
    whole = street_lengths_km(table, shapely.box(9, 47, 11, 49)).get("tertiary", 0.0)
    along_the_cut = sum(  # lies in both halves
        abs(b[1] - a[1]) * 111.3 for way in ways for a, b in pairwise(way) if a[0] == b[0] == across
    )
    assert whole - 1e-4 <= sum(parts) <= whole + along_the_cut + 1e-4


@pytest.mark.parametrize("name", ["munich_2020-07.osm.pbf", "monaco_2023-12.osm.pbf"])
def test_street_km_agrees_with_gdal_and_geopandas(shared_data: Path, name: str) -> None:
    path = shared_data / "osm" / name
    found = extract(path)
    boundary = shapely.box(*found.box)
    theirs = gpd.read_file(path, layer="lines")
    theirs = theirs[theirs["highway"].isin(STREET_CLASSES)]
    theirs = theirs[~theirs["other_tags"].fillna("").str.contains('"area"=>"yes"')]
    # GDAL takes some closed ways for polygons: only ways that both have as lines are compared.
    both = pc.is_in(found.streets["street_id"], pa.array("way/" + theirs["osm_id"]))
    utm = theirs.estimate_utm_crs()
    clipped = gpd.clip(theirs, gpd.GeoDataFrame(geometry=[boundary], crs=4326)).to_crs(utm)
    scale = pyproj.Proj(utm).get_factors(boundary.centroid.x, boundary.centroid.y).meridional_scale
    expected_km = clipped.length.sum() / 1000 / scale
    lengths = street_lengths_km(found.streets.filter(both), boundary)
    ours_km = sum(km for way, km in lengths.items() if way in STREET_CLASSES)
    assert ours_km > 40
    # Over 3 km the scale of UTM varies by less than 2e-5 about that of the centre.
    assert ours_km == pytest.approx(expected_km, rel=2e-5)


def test_street_km_agrees_with_osmnx(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "osm" / "helsinki_centre_2019-04.osm.pbf"
    written = tmp_path / "streets.osm"
    whole = _write_streets(path, written)
    graph = osmnx.graph_from_xml(written, simplify=False, retain_all=True)
    undirected = osmnx.convert.to_undirected(graph)
    theirs_km = sum(m for _, _, m in undirected.edges(data="length")) / 1000
    found = extract(path).streets
    both = found.filter(pc.is_in(found["street_id"], pa.array(whole)))
    lengths = street_lengths_km(both, shapely.box(24, 60, 26, 61))
    ours_km = sum(km for way, km in lengths.items() if way in STREET_CLASSES)
    # osmnx measures on a sphere of 6,371,009 m. The radii of the ellipsoid at this latitude, along
    # the meridian and across it, bound how much longer each edge is on the ellipsoid.
    a, e2, sine = 6_378_137, 0.00669437999014, math.sin(math.radians(60.17))
    across = a / math.sqrt(1 - e2 * sine**2)
    along = across * (1 - e2) / (1 - e2 * sine**2)
    assert along / 6_371_009 - 1e-5 < ours_km / theirs_km < across / 6_371_009 + 1e-5


def _write_streets(path: Path, written: Path) -> list[str]:
    """Write the ways of STREET_CLASSES as OSM XML, but not those that the extract cut off.

    osmnx wants all nodes of a way. Returns the ids of the ways.
    """
    ids = []
    with osmium.BackReferenceWriter(str(written), ref_src=str(path)) as writer:
        for thing in osmium.FileProcessor(path).with_locations():
            if (
                thing.is_way()
                and thing.tags.get("highway") in STREET_CLASSES
                and thing.tags.get("area") != "yes"
                and all(node.location.valid() for node in thing.nodes)
            ):
                writer.add_way(thing)
                ids.append(f"way/{thing.id}")
    return ids
