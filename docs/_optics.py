"""Draws docs/optics.svg: `python docs/_optics.py`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from sousveil import visibility
from sousveil.optics import LEVELS_PX_PER_M, blind_m, distance_m, reach_m, vfov_deg
from sousveil.records import LEVELS

PICTURE = Path(__file__).with_name("optics.svg")
_SHADES = {"detect": "#cfe3e0", "observe": "#8fc1ba", "recognise": "#3f8f86", "identify": "#12504a"}
_SCALE = 8.0  # units a metre


def render() -> str:
    """Return a camera before houses from above, and the same from the side."""
    houses = np.array([shapely.box(-26, 8, -7, 20), shapely.box(4, 14, 24, 22)])
    blocks = visibility.of_footprints(houses)
    here = np.array([[-5.0, 0.0]])
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 520" font-family="sans-serif" '
        'font-size="12" fill="#222">',
        '<rect width="640" height="520" fill="#ffffff"/>',
    ]
    parts += [_path(shapely.Polygon(h), "#b9b4aa") for h in houses]
    blind = float(blind_m(4.0, 25.0, vfov_deg(88.0)))
    for level in LEVELS:
        reach = float(reach_m(distance_m(1920, 88.0, LEVELS_PX_PER_M["2014"][level]), 4.0))
        (seen,) = visibility.regions(here, blocks, radius_m=reach, bearing_deg=20.0, hfov_deg=88.0)
        seen = seen.difference(shapely.Point(here[0]).buffer(blind))
        parts.append(_path(seen, _SHADES[level]))
    x, y = _xy(here)[0]
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#b3261e"/>')
    for i, level in enumerate(LEVELS):
        density = LEVELS_PX_PER_M["2014"][level]
        reach = float(reach_m(distance_m(1920, 88.0, density), 4.0))
        parts.append(
            f'<rect x="20" y="{366 + 24 * i}" width="16" height="16" fill="{_SHADES[level]}"/>'
        )
        parts.append(
            f'<text x="44" y="{379 + 24 * i}">{level}: {density:g} pixels a metre, up to '
            f"{reach:.1f} m along the ground</text>"
        )
    said = (
        "1920 pixels, 88 degrees, 4 m high, tilted by 25 degrees.",
        f"Nothing is seen nearer than {blind:.1f} m, nothing behind a house.",
    )
    parts += [f'<text x="20" y="{475 + 24 * i}">{line}</text>' for i, line in enumerate(said)]
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _xy(points: np.ndarray) -> np.ndarray:
    return np.column_stack([320 + _SCALE * points[:, 0], 345 - _SCALE * points[:, 1]])


def _path(shape: shapely.Geometry, colour: str) -> str:
    rings = []
    for part in shapely.get_parts(shape):
        for ring in (part.exterior, *part.interiors):
            corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in _xy(shapely.get_coordinates(ring)))
            rings.append(f"M{corners}Z")
    return f'<path d="{"".join(rings)}" fill="{colour}" fill-rule="evenodd"/>'


if __name__ == "__main__":
    PICTURE.write_text(render(), encoding="utf-8")
