"""Where the names of streets stand on the map: straight pieces long enough for their name."""

from __future__ import annotations

import math
import unicodedata
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

EARTH_RADIUS_M: Final = 6_378_137.0
LAST_ZOOM: Final = 18
"""Names that would fit only beyond this zoom get no place."""

_WORLD_PX: Final = 512  # width of the world at zoom 0, as MapLibre counts zooms
_CHARACTER_PX: Final = 6.4
_WIDE_CHARACTER_PX: Final = 12.0
_MARGIN_PX: Final = 10
_PIECE_M: Final = 260.0
_STRAIGHT_WITHIN_M: Final = 5.0
_SAME_PLACE_M: Final = 140.0

Floats = npt.NDArray[np.float64]


def street_labels(streets: pa.Table, *, rank: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    """Return where names stand: records of lon, lat, name, angle (degrees clockwise), zoom.

    streets: records.STREETS; rank: one a street, 0 for the greatest, negative for those without
    a name on the map. zoom is the first at which the straight piece is as long as its name.
    Names are joined across the pieces of a street first, since OpenStreetMap splits streets.
    """
    named = pc.fill_null(pc.not_equal(streets["name"], ""), False).to_numpy(zero_copy_only=False)
    chosen = np.flatnonzero(named & (rank >= 0))
    if not len(chosen):
        return []
    names = streets["name"].take(chosen).to_numpy(zero_copy_only=False)
    lines = shapely.from_wkb(streets["geometry"].take(chosen).to_numpy(zero_copy_only=False))
    usable = shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING
    if not usable.any():
        return []
    unique, group = np.unique(names[usable].astype(str), return_inverse=True)
    order = np.argsort(group, kind="stable")
    metres, cos_lat = _mercator(lines[usable][order])
    merged = shapely.line_merge(shapely.multilinestrings(metres, indices=group[order]))
    best_rank = np.full(len(unique), np.iinfo(np.int64).max)
    np.minimum.at(best_rank, group, rank[chosen][usable])
    return _places(merged, unique, best_rank, cos_lat)


def _mercator(lines: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], float]:
    """Return the lines in Web Mercator metres, and the cosine of their mean latitude."""
    lats = shapely.get_coordinates(lines)[:, 1]

    def project(lonlat: Floats) -> Floats:
        lon, lat = np.radians(lonlat[:, 0]), np.radians(np.clip(lonlat[:, 1], -85, 85))
        y = np.log(np.tan(np.pi / 4 + lat / 2))
        return np.column_stack([lon, y]) * EARTH_RADIUS_M

    return shapely.transform(lines, project), math.cos(math.radians(float(lats.mean())))


def _places(
    merged: npt.NDArray[Any], names: npt.NDArray[np.str_], rank: npt.NDArray[np.int64], scale: float
) -> list[dict[str, Any]]:
    parts, of = shapely.get_parts(merged, return_index=True)
    straight = shapely.simplify(parts, _STRAIGHT_WITHIN_M / scale)
    xy, line = shapely.get_coordinates(straight, return_index=True)
    joined = line[1:] == line[:-1]
    start, end, group = xy[:-1][joined], xy[1:][joined], of[line[:-1][joined]]
    middle, length, group, angle, depth = _pieces(start, end, group, piece=_PIECE_M / scale)
    needed = np.array([_width_px(name) for name in names])[group]
    pixels = np.maximum(length / (2 * np.pi * EARTH_RADIUS_M) * _WORLD_PX, 1e-12)
    zoom = np.ceil(np.log2(needed / pixels)).astype(int) + depth
    keep = np.flatnonzero(zoom <= LAST_ZOOM)
    keep = keep[np.lexsort((-length[keep], zoom[keep], rank[group[keep]]))]
    taken: set[tuple[int, int, int]] = set()
    places = []
    for i in keep:
        cell = np.round(middle[i] / (_SAME_PLACE_M / scale)).astype(int)
        key = (int(group[i]), int(cell[0]), int(cell[1]))
        if key not in taken:
            taken.add(key)
            places.append(
                _place(middle[i], str(names[group[i]]), angle[i], zoom[i], rank[group[i]])
            )
    return places


def _pieces(
    start: Floats, end: Floats, group: npt.NDArray[np.int64], *, piece: float
) -> tuple[Floats, Floats, npt.NDArray[np.int64], Floats, npt.NDArray[np.int64]]:
    """Cut straight stretches into pieces; depth is how many zooms later a piece is named."""
    length = np.hypot(*(end - start).T)
    count = np.maximum(1, np.round(length / piece)).astype(int)
    repeat = np.repeat(np.arange(len(length)), count)
    j = np.arange(len(repeat)) - np.repeat(np.cumsum(count) - count, count)
    n = count[repeat]
    fraction = ((j + 0.5) / n)[:, None]
    middle = start[repeat] * (1 - fraction) + end[repeat] * fraction
    off = np.abs(j - n // 2)
    depth = np.where(off == 0, 0, np.where(off % 4 == 0, 1, np.where(off % 2 == 0, 2, 3)))
    dx, dy = (end - start)[repeat].T
    angle = (-np.degrees(np.arctan2(dy, dx)) + 90) % 180 - 90  # upright, clockwise from east
    return middle, (length / count)[repeat], group[repeat], angle, depth


def _width_px(name: str) -> float:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in name)
    return (len(name) - wide) * _CHARACTER_PX + wide * _WIDE_CHARACTER_PX + _MARGIN_PX


def _place(xy: Floats, name: str, angle: float, zoom: int, rank: int) -> dict[str, Any]:
    lat = math.degrees(2 * math.atan(math.exp(xy[1] / EARTH_RADIUS_M)) - math.pi / 2)
    return {
        "lon": round(math.degrees(xy[0] / EARTH_RADIUS_M), 6),
        "lat": round(lat, 6),
        "name": name,
        "angle": round(float(angle)),
        "zoom": int(zoom),
        "rank": int(rank),
    }
