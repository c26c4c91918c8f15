"""Regions that a point sees: analytic cases, slow independent computations, degenerate input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
import shapely.affinity
from shapely import box

from sousveil import visibility
from sousveil.records import BUILDINGS, STREETS
from sousveil.sources import osm
from tests.visibility_truth import (
    by_differences,
    made_up_footprints,
    overlap,
    sees_exactly,
)

DISC = 360 / 2 * np.sin(2 * np.pi / 360)  # area of the regular polygon of 360 corners, radius 1


def obstacles(*shapes: Any) -> visibility.Obstacles:
    return visibility.of_footprints(np.array(shapes, dtype=object))


def seen(
    x: float, y: float, *shapes: Any, radius: float, bearing: float = 0.0, hfov: float = 360.0
) -> Any:
    (region,) = visibility.regions(
        np.array([[x, y]]), obstacles(*shapes), radius_m=radius, bearing_deg=bearing, hfov_deg=hfov
    )
    assert region.is_valid
    return region


def test_the_open_field() -> None:
    assert seen(3, 4, radius=50).area == pytest.approx(DISC * 2500, rel=1e-12)
    assert np.pi * 0.9999 < DISC


@pytest.mark.parametrize("hfov", [10, 90, 179, 180, 181, 300])
@pytest.mark.parametrize("bearing", [0, 77, 200, 359])
def test_a_sector_of_the_open_field(bearing: float, hfov: float) -> None:
    region = seen(0, 0, radius=20, bearing=bearing, hfov=hfov)
    assert region.area == pytest.approx(np.radians(hfov) / 2 * 400, rel=1e-4)
    ahead = np.array([np.sin(np.radians(bearing)), np.cos(np.radians(bearing))])
    assert shapely.contains_xy(region, *(19 * ahead))
    assert not shapely.contains_xy(region, *(-0.1 * ahead)) or hfov > 180


def test_one_wall_hides_its_triangle() -> None:
    # A thin wall from (-10, 10) to (10, 10) hides all beyond it: within radius 40, the sector of a
    # right angle less the triangle before the wall.
    region = seen(0, 0, box(-10, 10, 10, 10.5), radius=40)
    assert region.area == pytest.approx(np.pi * 1600 * 3 / 4 + 100, rel=1e-4)
    assert shapely.get_coordinates(region)[:, 1].max() < 40 * np.sin(np.pi / 4) + 1e-9


def test_a_room_is_all_that_is_seen() -> None:
    room = box(-11, -7, 11, 7).difference(box(-10, -6, 10, 6))
    region = seen(3, 2, room, radius=100)
    assert region.area == pytest.approx(240, rel=1e-12)
    assert region.equals(box(-10, -6, 10, 6))


def test_a_pillar_casts_its_shadow() -> None:
    # A square of 2 m, 9 m ahead: shadow from its near corners (9, -1), (9, 1) to the circle.
    region = seen(0, 0, box(9, -1, 11, 1), radius=30)
    half = np.arctan(1 / 9)
    shadow = half * 900 - 9  # sector less the triangle before the pillar
    assert region.area == pytest.approx(DISC * 900 - shadow, rel=1e-5)


def test_a_slit_lets_a_wedge_through() -> None:
    # Two walls 10 m ahead with a gap of 1 m: beyond them only the wedge through the gap is seen.
    left, right = box(-1000, 10, -0.5, 11), box(0.5, 10, 1000, 11)
    region = seen(0, 0, left, right, radius=50)
    beyond = region.intersection(box(-100, 11.0001, 100, 100)).area
    wedge = np.arctan(0.5 / 11) * 2500 - 11 * 0.5  # limited by the far corners of the slit
    assert beyond == pytest.approx(wedge, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_random_places_against_differences_of_shadows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = obstacles(*made_up_footprints(rng, 30, 60))
    n = 10
    xy = visibility.place(rng.uniform(-60, 60, (n, 2)), blocks).xy
    radius, bearing = rng.uniform(10, 80, n), rng.uniform(0, 360, n)
    hfov = np.where(rng.random(n) < 0.5, 360.0, rng.uniform(5, 355, n))
    ours = visibility.regions(xy, blocks, radius_m=radius, bearing_deg=bearing, hfov_deg=hfov)
    for i in range(n):
        truth = by_differences(xy[i], blocks.footprints, radius[i], bearing[i], hfov[i])
        assert overlap(ours[i], truth) >= 0.9999 or _is_right_point_by_point(
            ours[i], truth, xy[i], blocks.footprints, rng
        )


def _is_right_point_by_point(
    ours: Any, truth: Any, point: Any, footprints: Any, rng: np.random.Generator
) -> bool:
    """Settle a difference in rational arithmetic: GEOS' difference was seen to lose polygons."""
    # The largest piece: others are the slivers between chords and the arc.
    differing = max(shapely.get_parts(shapely.symmetric_difference(ours, truth)), key=shapely.area)
    west, south, east, north = differing.bounds
    tries = rng.uniform([west, south], [east, north], (4000, 2))
    inside = tries[shapely.contains_xy(differing, tries)][:50]
    wrong = [
        shapely.contains_xy(ours, *target) != sees_exactly(point, target, footprints)
        for target in inside
    ]
    return len(wrong) > 0 and not any(wrong)


@pytest.fixture(scope="module")
def munich(shared_data: Path) -> Any:
    source = osm.read(shared_data / "osm" / "munich_2020-07.osm.pbf", source_id="munich")
    lon = source.observations["lon"].to_numpy()
    lat = source.observations["lat"].to_numpy()
    plane = visibility.plane_around(lon, lat)
    blocks = visibility.obstacles(plane, source.buildings, source.streets)
    return source, plane.to_xy(lon, lat), blocks


def test_real_cameras_against_differences_of_shadows(munich: Any) -> None:
    _, points, blocks = munich
    placed = visibility.place(points, blocks)
    rng = np.random.default_rng(7)
    chosen = rng.choice(len(points), 40, replace=False)
    xy = placed.xy[chosen]
    radius = np.where(np.arange(40) % 2, 50.0, 150.0)
    radius[::4] = 100.0
    ours = visibility.regions(xy, blocks, radius_m=radius)
    for i in range(40):
        truth = by_differences(xy[i], blocks.footprints, radius[i])
        assert overlap(ours[i], truth) >= 0.9999 or _is_right_point_by_point(
            ours[i], truth, xy[i], blocks.footprints, rng
        )


def test_real_cameras_in_footprints_are_moved_out(munich: Any) -> None:
    _, points, blocks = munich
    placed = visibility.place(points, blocks)
    inside = np.zeros(len(points), bool)
    inside[np.unique(blocks.tree.query(shapely.points(points), predicate="intersects")[0])] = True
    assert inside.sum() > 100  # most cameras are mapped into the house they hang on
    assert np.all(placed.moved_m[inside] > 0)
    assert not len(blocks.tree.query(shapely.points(placed.xy), predicate="intersects")[0])
    # Nowhere outside is much nearer: the boundary of all footprints around is that far away.
    for i in np.flatnonzero(inside)[:20]:
        near = blocks.footprints[shapely.dwithin(blocks.footprints, shapely.Point(points[i]), 60)]
        edge = shapely.boundary(shapely.union_all(near)).distance(shapely.Point(points[i]))
        assert placed.moved_m[i] >= edge - 0.01


def test_a_camera_on_an_edge_or_inside_sees_the_street_and_not_the_house() -> None:
    house = box(0, 0, 10, 10)
    placed = visibility.place(np.array([[5.0, 10.0], [5.0, 9.0], [5.0, 12.0]]), obstacles(house))
    assert placed.xy[:2] == pytest.approx(np.array([[5, 10.05], [5, 10.05]]), abs=1e-3)
    assert placed.moved_m == pytest.approx([0.05, 1.05, 0], abs=1e-3)
    assert placed.facing_deg % 360 == pytest.approx([0, 0, 0], abs=1e-3)
    region = seen(*placed.xy[0], house, radius=30)
    assert region.area == pytest.approx(np.pi * 900 / 2, rel=0.05)
    assert region.intersection(house).area < 1e-6


def test_a_camera_inside_a_row_of_houses_is_moved_out_of_the_whole_row() -> None:
    row = [box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10)]
    (x, y), *_ = visibility.place(np.array([[10.1, 4.0]]), obstacles(*row)).xy
    assert (x, y) == pytest.approx((10.1, -0.05), abs=0.01)


def test_a_slit_between_houses_is_no_place_for_a_camera() -> None:
    row = [box(0, 0, 10, 10), box(10.02, 0, 20, 10)]
    ((x, y),) = visibility.place(np.array([[9.9, 5.0]]), obstacles(*row)).xy
    assert min(abs(y), abs(y - 10)) == pytest.approx(0.05, abs=0.01)
    assert 9.8 < x < 10.1


def test_a_camera_in_a_yard_stays_there() -> None:
    block = box(0, 0, 40, 40).difference(box(10, 10, 30, 30))
    placed = visibility.place(np.array([[12.0, 20.0], [9.0, 20.0]]), obstacles(block))
    assert placed.moved_m[0] == 0
    assert placed.xy[1] == pytest.approx([10.05, 20], abs=0.01)
    assert seen(*placed.xy[0], block, radius=100).area == pytest.approx(400, rel=1e-9)


@pytest.mark.parametrize(
    "shapes",
    [
        [box(0, 0, 10, 10), box(0, 0, 10, 10)],  # a duplicate
        [box(0, 0, 10, 10), box(10, 0, 20, 10)],  # a shared wall
        [box(0, 0, 10, 10), box(5, 5, 15, 15)],  # overlapping
        [box(0, 0, 10, 10), box(10, 10, 20, 20)],  # touching in a corner
        [shapely.Polygon([(0, 0), (5, 0), (5, 0), (10, 0), (10, 10), (0, 10)])],  # zero length
        [shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])],  # crossing itself
        [shapely.Polygon([(0, 0), (10, 0), (0, 0)])],  # no area
        [shapely.Polygon()],
    ],
)
def test_degenerate_input_gives_valid_regions(shapes: list[Any]) -> None:
    blocks = obstacles(*shapes)
    corners = np.array([[x, y] for x in (0.0, 5.0, 10.0, 15.0, 20.0) for y in (0.0, 5.0, 10.0)])
    for hfov in (360.0, 90.0):
        regions = visibility.regions(corners, blocks, radius_m=40.0, bearing_deg=45, hfov_deg=hfov)
        assert shapely.is_valid(regions).all()
        assert np.isin(shapely.get_type_id(regions), [3, 6]).all()
        placed = visibility.place(corners, blocks).xy
        regions = visibility.regions(placed, blocks, radius_m=40.0, hfov_deg=hfov)
        truths = [by_differences(p, blocks.footprints, 40.0, 0.0, hfov) for p in placed]
        assert min(map(overlap, regions, truths)) >= 0.9999


def test_no_camera_and_no_house() -> None:
    assert len(visibility.regions(np.empty((0, 2)), obstacles(), radius_m=50)) == 0
    assert visibility.place(np.empty((0, 2)), obstacles()).moved_m.tolist() == []


def test_the_number_of_cores_changes_nothing(munich: Any) -> None:
    _, points, blocks = munich
    many = np.tile(points, (6, 1))
    one = visibility.rings(many, blocks, radius_m=60, cores=1)
    two = visibility.rings(many, blocks, radius_m=60, cores=2)
    assert np.array_equal(one.xy, two.xy)
    assert np.array_equal(one.start, two.start)


def _table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    blank = dict.fromkeys(schema.names)
    return pa.Table.from_pylist([blank | row for row in rows], schema=schema)


PLANE = visibility.Plane(11.0, 48.0)


def _wkb(shape: Any) -> bytes:
    return bytes(shapely.to_wkb(PLANE.round(np.array([shape]))[0]))


def _building(shape: Any, kind: str = "yes", **more: Any) -> dict[str, Any]:
    return {"building_id": f"way/{id(shape)}", "building": kind, "geometry": _wkb(shape)} | more


def test_roofs_bridges_and_cellars_hide_nothing() -> None:
    house = box(-5, 10, 5, 20)
    for more in (
        {"kind": "roof"},
        {"kind": "carport"},
        {"min_height": "4 m"},
        {"min_level": "1"},
        {"layer": "-1"},
        {"location": "underground"},
    ):
        table = _table(BUILDINGS, [_building(house, **more)])
        assert len(visibility.obstacles(PLANE, table).footprints) == 0, more
    table = _table(BUILDINGS, [_building(house, min_height="0", layer="1")])
    assert len(visibility.obstacles(PLANE, table).footprints) == 1


@pytest.mark.parametrize("tag", [{"tunnel": "building_passage"}, {"covered": "yes"}])
def test_one_sees_through_a_passage(tag: dict[str, str]) -> None:
    house = box(-30, 10, 30, 20)
    buildings = _table(BUILDINGS, [_building(house)])
    way = shapely.LineString([(0, 10), (0, 20)])
    street = {"street_id": "way/1", "highway": "service", "geometry": _wkb(way)}
    streets = _table(STREETS, [street | tag])
    here = np.array([[0.0, 0.0]])
    closed = visibility.regions(here, visibility.obstacles(PLANE, buildings), radius_m=50)[0]
    opened = visibility.regions(here, visibility.obstacles(PLANE, buildings, streets), radius_m=50)
    assert not shapely.contains_xy(closed, 0, 30)
    assert shapely.contains_xy(opened[0], 0, 30)
    assert not shapely.contains_xy(opened[0], 10, 30)


def test_the_plane_is_true_to_scale() -> None:
    from sousveil.place._geodesy import GEOD

    plane = visibility.plane_around([11.5, 11.6], [48.1, 48.2])
    lon, lat = np.array([11.45, 11.65]), np.array([48.05, 48.21])
    xy = plane.to_xy(lon, lat)
    _, _, length = GEOD.inv(lon[0], lat[0], lon[1], lat[1])
    assert np.hypot(*(xy[1] - xy[0])) == pytest.approx(length, rel=3e-6)
    assert plane.to_lonlat(xy) == pytest.approx(np.column_stack([lon, lat]), abs=1e-9)
