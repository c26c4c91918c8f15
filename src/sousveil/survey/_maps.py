"""Maps of a survey as SVG, drawn from the streets and buildings of its source."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

Floats = npt.NDArray[np.float64]

_INK: Final = "#1d1d1d"
_STRETCH: Final = "#b3261e"
_WAY: Final = "#00695c"
_FONT: Final = "Libertinus Serif, Georgia, serif"


class Base(NamedTuple):
    """What every map of a place shows: ways and buildings in metres, found by their boxes."""

    ways: npt.NDArray[Any]
    way_tree: shapely.STRtree
    buildings: npt.NDArray[Any]
    building_tree: shapely.STRtree


class View(NamedTuple):
    """A box of the ground (metres) as a picture."""

    west: float
    north: float
    scale: float  # units a metre
    width: int
    height: int

    def xy(self, points: Floats) -> Floats:
        """Return points in units of the picture."""
        return np.column_stack(
            [(points[:, 0] - self.west) * self.scale, (self.north - points[:, 1]) * self.scale]
        )


def base(ways: npt.NDArray[Any], buildings: npt.NDArray[Any]) -> Base:
    """Return what maps are drawn on, from geometry in metres."""
    return Base(ways, shapely.STRtree(ways), buildings, shapely.STRtree(buildings))


def view(points: Floats, *, width: int, height: int, least_m: float, margin_m: float) -> View:
    """Return the picture of the box around points, at least so many metres wide and high."""
    (west, south), (east, north) = points.min(axis=0) - margin_m, points.max(axis=0) + margin_m
    scale = min(width / max(east - west, least_m), height / max(north - south, least_m))
    return View(
        (west + east) / 2 - width / 2 / scale,
        (south + north) / 2 + height / 2 / scale,
        scale,
        width,
        height,
    )


def overview(ground: Base, at: View, route: Floats, stretches: Sequence[Any]) -> str:
    """Return a walker's route with its stretches, numbered in order."""
    parts = [*_ground(ground, at), _scale_bar(at)]
    if len(route) > 1:
        parts.append(
            f'<path d="{_path([route], at)}" fill="none" stroke="{_WAY}" stroke-width="2.2" '
            'stroke-dasharray="5 3"/>'
        )
    parts.append(
        f'<path d="{_path([shapely.get_coordinates(s) for s in stretches], at)}" fill="none" '
        f'stroke="{_STRETCH}" stroke-width="5" stroke-opacity="0.85"/>'
    )
    for number, stretch in enumerate(stretches, start=1):
        middle = shapely.get_coordinates(
            shapely.line_interpolate_point(stretch, 0.5, normalized=True)
        )
        parts.append(_badge(at.xy(middle)[0], str(number)))
    return _svg(at, parts)


def card(ground: Base, at: View, stretch: Any, *, forward: bool) -> str:
    """Return one stretch from close by, with A where to start and B where to end."""
    parts = _ground(ground, at)
    line = shapely.get_coordinates(stretch)
    line = line if forward else line[::-1]
    parts.append(
        f'<path d="{_path([line], at)}" fill="none" stroke="{_STRETCH}" stroke-width="5" '
        'stroke-opacity="0.8"/>'
    )
    for point, letter in ((line[0], "A"), (line[-1], "B")):
        parts.append(_badge(at.xy(point[None])[0], letter))
    return _svg(at, [*parts, _scale_bar(at)])


def _ground(ground: Base, at: View) -> list[str]:
    box = shapely.box(
        at.west, at.north - at.height / at.scale, at.west + at.width / at.scale, at.north
    )
    buildings = ground.buildings[np.sort(ground.building_tree.query(box))]
    rings = shapely.get_rings(shapely.simplify(buildings, 0.5 / at.scale))
    ways = ground.ways[np.sort(ground.way_tree.query(box))]
    ways = shapely.simplify(ways, 0.5 / at.scale)
    width = max(1.2, min(9.0, 5.0 * at.scale))
    return [
        f'<rect width="{at.width}" height="{at.height}" fill="#fff"/>',
        f'<path d="{_path([shapely.get_coordinates(r) for r in rings], at, closed=True)}" '
        'fill="#e4e1dc" stroke="#bdb8b0" stroke-width="0.6" fill-rule="evenodd"/>',
        f'<path d="{_path([shapely.get_coordinates(w) for w in ways], at)}" fill="none" '
        f'stroke="#c9d3d6" stroke-width="{width:.1f}" stroke-linecap="round"/>',
    ]


def _path(lines: Sequence[Floats], at: View, *, closed: bool = False) -> str:
    parts = []
    for line in lines:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in at.xy(line).tolist())
        parts.append(f"M{points}{'Z' if closed else ''}")
    return "".join(parts) or "M0,0"


def _badge(xy: Floats, text: str) -> str:
    x, y = xy.tolist()
    radius = 9 if len(text) < 3 else 11
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="#fff" stroke="{_STRETCH}" '
        f'stroke-width="1.5"/><text x="{x:.1f}" y="{y + 4:.1f}" font-size="12" '
        f'text-anchor="middle" font-family="{_FONT}" fill="{_INK}">{escape(text)}</text>'
    )


def _scale_bar(at: View) -> str:
    largest_m = at.width / 4 / at.scale
    step = 10 ** math.floor(math.log10(largest_m))
    length_m = max(f * step for f in (1, 2, 5) if f * step <= largest_m)
    width, y = length_m * at.scale, at.height - 10
    return (
        f'<rect x="4" y="{y - 20}" width="{width + 14:.1f}" height="28" fill="#fff" '
        f'fill-opacity="0.85"/><path d="M10,{y - 4}v6h{width:.1f}v-6" fill="none" '
        f'stroke="{_INK}" stroke-width="1.2"/><text x="{10 + width / 2:.1f}" y="{y - 5}" '
        f'font-size="11" text-anchor="middle" font-family="{_FONT}">{length_m:g} m</text>'
    )


def _svg(at: View, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{at.width}" height="{at.height}" '
        f'viewBox="0 0 {at.width} {at.height}">{"".join(parts)}</svg>'
    )
