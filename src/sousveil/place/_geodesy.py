"""Lengths and areas on the WGS 84 ellipsoid of geometry in longitude and latitude."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

Floats = npt.NDArray[np.float64]

GEOD: Final = pyproj.Geod(ellps="WGS84")

CHUNK: Final = 50_000
"""Geometries handled at a time, so that memory does not grow with what is computed of them."""

_EDGE_DEG: Final = 0.005
"""Longest edge taken as a geodesic: a straight line in degrees leaves it by less than 1 cm."""


def area_km2(geometry: shapely.Geometry) -> float:
    """Return the area of a (multi)polygon on the WGS 84 ellipsoid, holes subtracted.

    Edges are straight in longitude and latitude, as RFC 7946 has them for GeoJSON. The orientation
    of rings does not matter, and an edge that jumps by more than 180 degrees crosses the
    antimeridian. Method: C. F. F. Karney, Algorithms for geodesics, J. Geodesy 87 (2013), 43-55.
    """
    total_m2 = 0.0
    for polygon in shapely.get_parts(geometry):
        total_m2 += _ring_area_m2(polygon.exterior)
        total_m2 -= sum(_ring_area_m2(hole) for hole in polygon.interiors)
    return total_m2 / 1e6


def _ring_area_m2(ring: shapely.LinearRing) -> float:
    fine = shapely.segmentize(shapely.transform(ring, unwrapped), _EDGE_DEG)
    lon, lat = shapely.get_coordinates(fine).T
    return abs(float(GEOD.polygon_area_perimeter(lon, lat)[0]))


def line_lengths_m(lines: npt.NDArray[Any]) -> Floats:
    """Return the geodesic length of each line string in an array of them."""
    chunks = [_lengths_m(lines[at : at + CHUNK]) for at in range(0, len(lines), CHUNK)]
    return np.concatenate(chunks) if chunks else np.empty(0)


def _lengths_m(lines: npt.NDArray[Any]) -> Floats:
    points, line = shapely.get_coordinates(lines, return_index=True)
    edges = np.flatnonzero(line[1:] == line[:-1])
    start, end = points[edges], points[edges + 1]
    _, _, length_m = GEOD.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    return np.bincount(line[edges], weights=length_m, minlength=len(lines)).astype(np.float64)


def unwrapped(points: Floats) -> Floats:
    """Return the points (n x 2, degrees) of one ring with longitudes that never jump by 360."""
    lon = points[:, 0]
    if np.ptp(lon) <= 180.0:
        return points
    return np.column_stack([np.unwrap(lon, period=360.0), points[:, 1:]])


def cut_at_antimeridian(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return a (multi)polygon with all longitudes in -180..180, cut where it crosses 180.

    Rings may cross by jumping from 179 to -179 or by running on beyond 180, up to 360.
    """
    west, _, east, _ = shapely.bounds(geometry)
    if west >= -180.0 and east <= 180.0 and east - west <= 180.0:
        return geometry
    whole = shapely.union_all([_unwrapped_polygon(part) for part in shapely.get_parts(geometry)])
    pieces = [
        shapely.transform(
            shapely.intersection(whole, shapely.box(turn - 180.0, -90.0, turn + 180.0, 90.0)),
            lambda points, turn=turn: points - [turn, 0.0],
        )
        for turn in (-360.0, 0.0, 360.0)
    ]
    return polygons_of(shapely.union_all(pieces))


def _unwrapped_polygon(polygon: shapely.Polygon) -> shapely.Polygon:
    shell = unwrapped(shapely.get_coordinates(polygon.exterior))
    middle = shell[:, 0].mean()
    holes = [unwrapped(shapely.get_coordinates(hole)) for hole in polygon.interiors]
    turns = [np.round((middle - hole[:, 0].mean()) / 360.0) for hole in holes]
    near = [hole + np.array([360.0 * turn, 0.0]) for hole, turn in zip(holes, turns, strict=True)]
    return shapely.make_valid(shapely.Polygon(shell, near))


def polygons_of(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons in a geometry as one (multi)polygon; points and lines are left out."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    polygons = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
    polygons = polygons[~shapely.is_empty(polygons)]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(list(polygons))
