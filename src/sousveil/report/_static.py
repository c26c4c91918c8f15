"""The map as a still picture in SVG: for print, and where a browser cannot draw the other one."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil.report._tiles import CLASSES, street_class

WIDTH: Final = 1000
"""Units of the picture from west to east."""

MOST_CAMERAS: Final = 2000
"""More are drawn as circles by cells of a grid, their area by the number in the cell."""

_MOST_POINTS: Final = 12_000  # of all streets together
_HEIGHTS: Final = (480, 1000)
_MARGIN: Final = 40
_CELL: Final = 20
_WEDGE: Final = 30
_STROKES: Final = (3.2, 2.2, 1.3, 0.8, 0.6)  # of each class of streets
_SCALE_BAR_LARGEST: Final = 250  # units

_OWNERS: Final = ("public", "private", "unknown")  # the first is drawn last, on top

Floats = npt.NDArray[np.float64]


class Frame(NamedTuple):
    """How longitude and latitude become units of the picture."""

    west: float
    north: float
    x_per_deg: float
    y_per_deg: float
    height: int
    units_per_m: float

    def xy(self, lonlat: Floats) -> Floats:
        x = (lonlat[:, 0] - self.west) * self.x_per_deg
        y = (self.north - lonlat[:, 1]) * self.y_per_deg
        return np.column_stack([x, y])


def picture(
    published: pa.Table,
    streets: pa.Table,
    boundary: shapely.Geometry | None,
    view: list[float] | None,
) -> str:
    """Return the overview as SVG markup, empty where there is nothing to show.

    published: records.PUBLISHED; streets: records.STREETS; view: west, south, east, north.
    """
    if view is None:
        return ""
    frame = frame_of(view)
    lonlat = np.column_stack([published["lon"].to_numpy(), published["lat"].to_numpy()])
    parts = [
        street_paths(streets, frame),
        _boundary(boundary, frame),
        *(_marks if len(lonlat) <= MOST_CAMERAS else _cells)(published, frame.xy(lonlat)),
        scale_bar(frame),
    ]
    return (
        f'<svg class="still" viewBox="0 0 {WIDTH} {frame.height}" '
        'xmlns="http://www.w3.org/2000/svg" aria-hidden="true" focusable="false">'
        f"{''.join(parts)}</svg>"
    )


def frame_of(view: list[float]) -> Frame:
    west, south, east, north = view
    metres_per_deg = 111_320.0
    cos_lat = max(0.05, math.cos(math.radians((south + north) / 2)))
    width_m = max((east - west) * metres_per_deg * cos_lat, 300.0)
    height_m = max((north - south) * metres_per_deg, 300.0)
    room = WIDTH - 2 * _MARGIN
    units_per_m = min(room / width_m, (_HEIGHTS[1] - 2 * _MARGIN) / height_m)
    height = round(max(_HEIGHTS[0], min(_HEIGHTS[1], height_m * units_per_m + 2 * _MARGIN)))
    x_per_deg = units_per_m * metres_per_deg * cos_lat
    y_per_deg = units_per_m * metres_per_deg
    return Frame(
        west=(west + east) / 2 - WIDTH / 2 / x_per_deg,
        north=(north + south) / 2 + height / 2 / y_per_deg,
        x_per_deg=x_per_deg,
        y_per_deg=y_per_deg,
        height=height,
        units_per_m=units_per_m,
    )


def street_paths(streets: pa.Table, frame: Frame, *, around: float = 0.0) -> str:
    """Return the streets of a frame, and of so many units north and south of it."""
    room = around / frame.y_per_deg
    classes = street_class(streets)
    lines = shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False))
    box = shapely.box(
        frame.west,
        frame.north - frame.height / frame.y_per_deg - room,
        frame.west + WIDTH / frame.x_per_deg,
        frame.north + room,
    )
    shown = (classes >= 0) & shapely.intersects(shapely.envelope(lines), box)
    lines = shapely.simplify(lines[shown], 0.7 / frame.x_per_deg)
    classes = classes[shown]
    paths = []
    budget = _MOST_POINTS
    for i, name in enumerate(CLASSES):
        chosen = lines[classes == i]
        budget -= int(shapely.get_num_coordinates(chosen).sum())
        if budget < 0:
            break
        if len(chosen):
            paths.append(
                f'<path class="street {name}" stroke-width="{_STROKES[i]}" '
                f'd="{path_of(chosen, frame)}"/>'
            )
    return "".join(reversed(paths))


def _boundary(boundary: shapely.Geometry | None, frame: Frame) -> str:
    if boundary is None or boundary.is_empty:
        return ""
    simple = shapely.simplify(boundary, 1.0 / frame.x_per_deg)
    outline = shapely.get_parts(shapely.boundary(simple))
    return f'<path class="boundary" d="{path_of(outline, frame)}"/>'


def path_of(lines: npt.NDArray[Any], frame: Frame) -> str:
    """Return the lines as one path: whole units, each point relative to the one before."""
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    xy = np.round(frame.xy(coordinates)).astype(int)
    first = np.concatenate([[True], line[1:] != line[:-1]])
    step = np.diff(xy, axis=0, prepend=xy[:1])
    step[first] = xy[first]
    return "".join(
        f"{'M' if start else 'l'}{x},{y}"
        for start, (x, y) in zip(first.tolist(), step.tolist(), strict=True)
        if start or x or y
    )


def _owners(published: pa.Table) -> npt.NDArray[np.str_]:
    return np.array(published["operator_class"].to_pylist(), dtype=str)


def _marks(published: pa.Table, xy: Floats) -> list[str]:
    owners = _owners(published)
    exact = np.array(published["coordinates"].to_pylist(), dtype=str) == "exact"
    bearings = published["bearings"].to_pylist()
    wedges, dots = [], []
    for owner in reversed(_OWNERS):
        rows = np.flatnonzero(owners == owner)
        sectors = "".join(
            _wedge(xy[i], bearing) for i in rows[exact[rows]] for bearing in bearings[i] or []
        )
        if sectors:
            wedges.append(f'<path class="wedge {owner}" d="{sectors}"/>')
        places = np.unique(np.round(xy[rows]).astype(int), axis=0).tolist()
        dots += [f'<circle class="dot {owner}" cx="{x}" cy="{y}" r="5"/>' for x, y in places]
    return wedges + dots + _numbers(xy)


def _numbers(xy: Floats) -> list[str]:
    """Return the number of cameras beside each point that stands for several."""
    places, counts = np.unique(np.round(xy).astype(int), axis=0, return_counts=True)
    return [
        f'<text class="many" x="{x}" y="{y - 10}">{n}</text>'
        for (x, y), n in zip(places.tolist(), counts.tolist(), strict=True)
        if n > 1
    ]


def _wedge(at: Floats, bearing: float) -> str:
    x, y = at
    left, right = (math.radians(bearing + turn) for turn in (-25, 25))
    return (
        f"M{x:.0f},{y:.0f}l{_WEDGE * math.sin(left):.0f},{-_WEDGE * math.cos(left):.0f}"
        f"L{x + _WEDGE * math.sin(right):.0f},{y - _WEDGE * math.cos(right):.0f}z"
    )


def _cells(published: pa.Table, xy: Floats) -> list[str]:
    owners = _owners(published)
    cell = np.floor(xy / _CELL).astype(int)
    counts: dict[tuple[int, int, str], int] = {}
    for (x, y), owner in zip(cell.tolist(), owners.tolist(), strict=True):
        counts[x, y, owner] = counts.get((x, y, owner), 0) + 1
    largest = max(counts.values())
    # One path for all circles of a size and an owner: a browser lays out each element by itself.
    alike: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for (x, y, owner), n in counts.items():
        alike.setdefault((n, owner), []).append((x, y))
    return [
        f'<path class="cell {owner}" d="'
        + _circles(places, max(1.5, _CELL * 0.75 * math.sqrt(n / largest)))
        + '"/>'
        for (n, owner), places in sorted(alike.items(), key=lambda item: (-item[0][0], item[0][1]))
    ]


def _circles(cells: list[tuple[int, int]], radius: float) -> str:
    arcs = f"a{radius:.1f},{radius:.1f} 0 1,0 {2 * radius:.1f},0"
    arcs += arcs.replace(f" {2 * radius:.1f},0", f" {-2 * radius:.1f},0") + "z"
    half = _CELL / 2
    return "".join(
        f"M{x * _CELL + half - radius:.1f},{y * _CELL + half:.0f}{arcs}" for x, y in cells
    )


def scale_bar(frame: Frame, *, below: float = 0.0) -> str:
    """Return a bar at the lower left, or so many units lower."""
    largest_m = _SCALE_BAR_LARGEST / frame.units_per_m
    step = 10 ** math.floor(math.log10(largest_m))
    length_m = max(f * step for f in (1, 2, 5) if f * step <= largest_m)
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    width, y = length_m * frame.units_per_m, frame.height - 18 + round(below)
    return (
        f'<path class="scale" d="M20,{y - 8}v8h{width:.0f}v-8"/>'
        f'<text class="scale" x="{20 + width / 2:.0f}" y="{y - 8}">{text}</text>'
    )
