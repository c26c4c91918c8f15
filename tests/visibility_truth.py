"""What a point sees, computed slowly in other ways than the product does, to compare with."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import shapely

FINE = 512  # chords in a quarter of a circle


def disc(point: Any, radius: float, bearing: float = 0.0, hfov: float = 360.0) -> Any:
    """Return the free field of view, its arc in chords far finer than the product's."""
    if hfov >= 360:
        return shapely.buffer(shapely.Point(point), radius, quad_segs=FINE)
    middle = np.radians(90 - bearing)
    half = np.radians(hfov / 2)
    angle = np.linspace(middle - half, middle + half, FINE)
    arc = np.column_stack([np.cos(angle), np.sin(angle)]) * radius + point
    return shapely.Polygon(np.vstack([point, arc]))


def by_differences(
    point: Any, footprints: Any, radius: float, bearing: float = 0.0, hfov: float = 360.0
) -> Any:
    """Return the region that a point sees: the free view less each wall's shadow, one by one."""
    point = np.asarray(point, float)
    seen = disc(point, radius, bearing, hfov)
    here = shapely.Point(point)
    near = footprints[shapely.dwithin(footprints, here, radius)] if len(footprints) else footprints
    rings = shapely.get_rings(near)
    for ring in rings:
        corners = shapely.get_coordinates(ring)
        for a, b in itertools.pairwise(corners):
            if shapely.LineString([a, b]).distance(here) < radius:
                seen = _area(seen.difference(shadow(point, a, b, radius)))
    return _area(seen.difference(shapely.union_all(near))) if len(near) else seen


def shadow(point: Any, a: Any, b: Any, radius: float) -> Any:
    """Return what a wall hides, as a polygon that reaches far beyond the radius."""
    u, v = a - point, b - point
    lengths = np.hypot(*u), np.hypot(*v)
    if min(lengths) == 0 or abs(u[0] * v[1] - u[1] * v[0]) < 1e-12 * lengths[0] * lengths[1]:
        return shapely.Polygon()
    u_away, v_away = u / lengths[0], v / lengths[1]
    # The ends lie farther out than the wall itself, whatever the radius.
    away = 10 * max(radius, *lengths)
    between = u_away + v_away
    between = between / np.hypot(*between)
    return shapely.Polygon(
        [a, b, point + v_away * away, point + between * away, point + u_away * away]
    )


def _area(shape: Any) -> Any:
    parts = shapely.get_parts(shapely.get_parts(shape))
    parts = parts[shapely.get_type_id(parts) == 3]
    return shapely.MultiPolygon(list(parts)) if len(parts) != 1 else parts[0]


def overlap(one: Any, other: Any) -> float:
    """Return the intersection over union of two regions, 1 for two empty ones."""
    both = shapely.intersection(one, other).area
    either = one.area + other.area - both
    return both / either if either > 0 else 1.0


def sees_exactly(point: Any, target: Any, footprints: Any) -> bool:
    """Tell, in exact rational arithmetic, whether no wall crosses the line to a target.

    For points in general position: a line that only touches a corner counts as blocked.
    """
    p = _fractions(point)
    q = _fractions(target)
    box = shapely.LineString([point, target])
    for footprint in footprints[shapely.intersects(shapely.envelope(footprints), box)]:
        for ring in shapely.get_rings(footprint):
            corners = [_fractions(c) for c in shapely.get_coordinates(ring)]
            for a, b in itertools.pairwise(corners):
                if _side(p, q, a) * _side(p, q, b) <= 0 and _side(a, b, p) * _side(a, b, q) <= 0:
                    return False
    return True


def _fractions(point: Any) -> tuple[Fraction, Fraction]:
    return Fraction(float(point[0])), Fraction(float(point[1]))


def _side(a: Any, b: Any, c: Any) -> int:
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return (cross > 0) - (cross < 0)


def made_up_footprints(rng: np.random.Generator, n: int, span: float) -> Any:
    """Return n polygons in a square: boxes, some turned, with yards, overlapping or touching."""
    made = []
    for _ in range(n):
        x, y = rng.uniform(-span, span, 2)
        width, depth = rng.uniform(3, 30, 2)
        kind = rng.integers(0, 4)
        shape = shapely.box(x, y, x + width, y + depth)
        if kind == 1:
            shape = shapely.affinity.rotate(shape, rng.uniform(0, 90))
        elif kind == 2 and min(width, depth) > 8:
            yard = shapely.buffer(shape, -3, join_style="mitre")
            shape = shape.difference(yard)
        elif kind == 3 and made:  # a wall shared with the one before
            west, _, east, north = made[-1].bounds
            shape = shapely.box(west, north, east, north + depth)
        made.append(shape)
    return np.array(made, dtype=object)
