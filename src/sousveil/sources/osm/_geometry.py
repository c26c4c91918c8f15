"""Geometry of OpenStreetMap objects from the lines of their ways; longitude and latitude."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
import shapely

Position = tuple[float, float]  # longitude, latitude in degrees


def line_through(runs: Sequence[Sequence[Position]]) -> shapely.Geometry | None:
    """Return the line through runs of neighbouring positions, None if no run has two.

    A way of which the file lacks nodes in the middle becomes several lines: nothing is known of
    what lies between, so nothing is drawn there.
    """
    lines = [shapely.LineString(run) for run in map(_without_repeats, runs) if len(run) > 1]
    if not lines:
        return None
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


def area_within(lines: Sequence[shapely.Geometry]) -> shapely.Geometry | None:
    """Return the (multi)polygon that the ways of a relation enclose, None if they enclose nothing.

    Inside is what an odd number of rings surrounds, whatever the roles of the members say: roles
    are often wrong, and this is how OpenStreetMap's own tools read multipolygons.
    """
    return areas_within([lines])[0]


def areas_within(
    relations: Sequence[Sequence[shapely.Geometry]],
) -> list[shapely.Geometry | None]:
    """Return the same for the ways of many relations, faster than one by one."""
    sizes = [len(lines) for lines in relations]
    every = np.array([line for lines in relations for line in lines], object)
    owners = np.repeat(np.arange(len(relations)), sizes)
    together = np.full(len(relations), shapely.GeometryCollection(), object)
    shapely.geometrycollections(every, indices=owners, out=together)
    with np.errstate(invalid="ignore"):  # GEOS leaves the flag behind where all went well
        areas = shapely.build_area(together)
        failed = shapely.is_empty(areas) | ~shapely.is_valid(areas)
    for at in np.flatnonzero(failed).tolist():
        area = _odd_even(relations[at])
        areas[at] = None if area is None or area.is_empty else area
    return list(areas)


def whole_of(
    lines: Sequence[shapely.Geometry], nodes: Sequence[Position]
) -> shapely.Geometry | None:
    """Return what the members of a relation come to: an area if they enclose one, else all."""
    area = area_within(lines) if lines else None
    if area is not None:
        return area
    return shapely.GeometryCollection([*lines, *(shapely.Point(node) for node in nodes)])


def representative_point(geometry: shapely.Geometry | None) -> Position | None:
    """Return a point that lies on a geometry; a line that closes stands for its area."""
    if geometry is None or geometry.is_empty:
        return None
    if geometry.geom_type == "LineString" and not _is_ring(geometry):
        point = shapely.line_interpolate_point(geometry, 0.5, normalized=True)
    elif geometry.geom_type == "LineString":
        point = shapely.point_on_surface(shapely.make_valid(shapely.Polygon(geometry.coords)))
    else:
        point = shapely.point_on_surface(geometry)
    return None if point.is_empty else (float(point.x), float(point.y))


def _odd_even(lines: Sequence[shapely.Geometry]) -> shapely.Geometry | None:
    """Like build_area, slower, and also right where rings share a stretch of line."""
    rings = [line for line in lines if _is_ring(line)]
    joined = shapely.line_merge(
        shapely.MultiLineString([line for line in lines if not _is_ring(line)])
    )
    rings += [line for line in shapely.get_parts(joined) if _is_ring(line)]
    if not rings:
        return None
    polygons = shapely.polygons([shapely.LinearRing(ring.coords) for ring in rings])
    areas = shapely.make_valid(polygons, method="structure", keep_collapsed=False)
    area = reduce(shapely.symmetric_difference, areas)
    parts = [p for p in shapely.get_parts(area) if p.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _is_ring(line: shapely.Geometry) -> bool:
    return bool(line.is_closed) and shapely.get_num_points(line) > 3


def _without_repeats(run: Sequence[Position]) -> list[Position]:
    return [p for i, p in enumerate(run) if i == 0 or p != run[i - 1]]
