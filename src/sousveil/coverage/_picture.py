"""The coverage as a still picture: for print, and where a browser cannot draw the map."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.records import LEVELS

if TYPE_CHECKING:
    from sousveil.coverage import Coverage

Floats = npt.NDArray[np.float64]

WIDTH: Final = 1200
_HEIGHTS: Final = (500, 1400)
_MARGIN: Final = 24
_LEGEND: Final = 110
_SCALE_BAR_LARGEST: Final = 260

COLOURS: Final = {
    "detect": "#e3b23c",
    "observe": "#e07a1f",
    "recognise": "#c2352b",
    "identify": "#7a0f4d",
}
"""From least to most; told apart in grey, too."""

MEANING: Final = {
    "detect": "somebody is there",
    "observe": "clothing, what they do",
    "recognise": "somebody known",
    "identify": "anybody",
}
_LEAST: Final = 0.02


def svg(result: Coverage, *, legend: bool = True) -> str:
    """Return streets coloured by what is seen of them, opaque as likely, over the buildings.

    legend: below the picture; a page has its own, which can be read on a small screen, too.
    """
    streets, buildings = result.background
    frame = _Frame(_box(result, streets))
    height = frame.height + (_LEGEND if legend else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="15" role="img">',
        f"<title>{escape(_title(result))}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<svg width="{WIDTH}" height="{frame.height}">',
        f'<rect width="{WIDTH}" height="{frame.height}" fill="#f4f2ee"/>',
        f'<path d="{frame.areas(_geometry(buildings))}" fill="#dedad2" fill-rule="evenodd"/>',
        f'<path d="{frame.lines(_geometry(streets))}" fill="none" stroke="#ffffff" '
        'stroke-width="3"/>',
    ]
    parts += _stretches(result.streets, frame)
    parts += [_cameras(result.views, frame), "</svg>"]
    parts += [_legend(result, frame) if legend else "", "</svg>"]
    return "\n".join(parts) + "\n"


def png(picture: str) -> bytes:
    """Return an SVG picture as PNG, twice as fine."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(picture, scale=2.0))


def _title(result: Coverage) -> str:
    place = result.summary["place"] or "The place"
    return f"{place}: what cameras see of the streets"


class _Frame:
    """How longitude and latitude become units of the picture."""

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        self.west, south, east, self.north = box
        narrowing = np.cos(np.radians((south + self.north) / 2))
        inside = WIDTH - 2 * _MARGIN
        self.x = inside / max(east - self.west, 1e-6)
        self.y = self.x / narrowing
        height = (self.north - south) * self.y + 2 * _MARGIN
        if height > _HEIGHTS[1]:
            self.y *= (_HEIGHTS[1] - 2 * _MARGIN) / (height - 2 * _MARGIN)
            self.x = self.y * narrowing
        self.left = (WIDTH - (east - self.west) * self.x) / 2
        self.height = int(np.clip(height, *_HEIGHTS))
        self.units_per_m = self.y / 111_195.0

    def xy(self, lonlat: Floats) -> Floats:
        east = self.left + (lonlat[:, 0] - self.west) * self.x
        return np.column_stack([east, _MARGIN + (self.north - lonlat[:, 1]) * self.y])

    def lines(self, shapes: npt.NDArray[Any]) -> str:
        points, of = shapely.get_coordinates(shapes, return_index=True)
        return self._path(points, of, "")

    def areas(self, shapes: npt.NDArray[Any]) -> str:
        points, of = shapely.get_coordinates(
            shapely.get_rings(shapely.get_parts(shapes)), return_index=True
        )
        return self._path(points, of, "Z")

    def _path(self, points: Floats, of: npt.NDArray[np.int64], end: str) -> str:
        at = self.xy(points)
        shown = (at > -50).all(axis=1) & (at[:, 0] < WIDTH + 50) & (at[:, 1] < self.height + 50)
        some = np.bincount(of, shown, minlength=int(of.max(initial=-1)) + 1) > 0
        kept = some[of] if len(of) else shown
        at, of = at[kept], of[kept]
        first = np.r_[True, of[1:] != of[:-1]] if len(of) else shown[:0]
        moves = [
            ("M" if new else "L") + f"{x:.1f},{y:.1f}"
            for (x, y), new in zip(at.tolist(), first.tolist(), strict=True)
        ]
        if end:
            last = np.r_[first[1:], True] if len(of) else first
            for i in np.flatnonzero(last).tolist():
                moves[i] += end
        return "".join(moves)


def _box(result: Coverage, streets: pa.Table) -> tuple[float, float, float, float]:
    """Return the box of what is seen, with a little around; of all streets where nothing is."""
    lon, lat = result.views["lon"].to_numpy(), result.views["lat"].to_numpy()
    if not len(lon):
        west, south, east, north = shapely.total_bounds(_geometry(streets))
        return float(west), float(south), float(east), float(north)
    ends = [0.01, 0.99] if len(lon) > 50 else [0.0, 1.0]
    (west, east), (south, north) = np.quantile(lon, ends), np.quantile(lat, ends)
    up = 120 / 111_195.0
    aside = up / np.cos(np.radians(float(lat.mean())))
    return float(west - aside), float(south - up), float(east + aside), float(north + up)


def _geometry(table: pa.Table) -> npt.NDArray[Any]:
    shapes: npt.NDArray[Any] = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    return shapes


def _stretches(stretches: pa.Table, frame: _Frame) -> list[str]:
    parts = []
    for i, level in enumerate(LEVELS):
        mine = stretches.filter(
            pc.and_(pc.equal(stretches["level"], level),
                    pc.greater_equal(stretches["could"], _LEAST))
        )  # fmt: skip
        opacity = np.ceil(np.sqrt(mine["could"].to_numpy()) * 10) / 10
        lines = _geometry(mine)
        for step in np.unique(opacity):
            path = frame.lines(lines[opacity == step])
            parts.append(
                f'<path d="{path}" fill="none" stroke="{COLOURS[level]}" '
                f'stroke-width="{6 - i}" stroke-opacity="{step:.1f}" stroke-linecap="butt"/>'
            )
    return parts


def _cameras(views: pa.Table, frame: _Frame) -> str:
    shown = pc.and_(pc.equal(views["sight"], "street"),
                    pc.not_equal(views["operator_class"], "private"))  # fmt: skip
    outside = views.filter(shown)
    at = frame.xy(np.column_stack([outside["lon"].to_numpy(), outside["lat"].to_numpy()]))
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in at.tolist())
    return f'<g fill="#1d1d1b">{dots}</g>'


def _legend(result: Coverage, frame: _Frame) -> str:
    y = frame.height + 28
    parts = [f'<text x="24" y="{y}" font-weight="bold">{escape(_title(result))}</text>']
    shown = ("streets", "could", "any")
    said = {row["level"]: row for row in result.summary["seen"]
            if (row["ways"], row["question"], row["by"]) == shown}  # fmt: skip
    for i, level in enumerate(LEVELS):
        x = 24 + i * 292
        share = said[level]
        parts.append(f'<rect x="{x}" y="{y + 16}" width="26" height="7" fill="{COLOURS[level]}"/>')
        parts.append(f'<text x="{x + 34}" y="{y + 24}">{level}: {MEANING[level]}</text>')
        parts.append(
            f'<text x="{x + 34}" y="{y + 44}" fill="#555">{share["share"]:.1%} of street km '
            f"({share['low']:.1%} to {share['high']:.1%})</text>"
        )
    parts.append(
        f'<text x="24" y="{y + 70}" fill="#555">Could be seen, if cameras that turn were turned '
        "there; the fainter, the less likely. Dots: cameras, private ones left out. "
        "© OpenStreetMap contributors</text>"
    )
    metres = next((m for m in (1000, 500, 200, 100, 50, 20, 10)
                   if m * frame.units_per_m <= _SCALE_BAR_LARGEST), 10)  # fmt: skip
    end = WIDTH - 24
    start = end - metres * frame.units_per_m
    parts.append(f'<path d="M{start:.1f},{y - 6}H{end}" stroke="#1d1d1b" stroke-width="2"/>')
    parts.append(f'<text x="{end}" y="{y - 12}" text-anchor="end">{metres} m</text>')
    return "\n".join(parts)
