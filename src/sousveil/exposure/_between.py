"""A planned way: the streets between two points, how exposed each is, and the ways on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil import track as tracks
from sousveil.coverage import Sightings
from sousveil.errors import UnusableInput
from sousveil.exposure import _ways
from sousveil.exposure._register import Register
from sousveil.exposure._totals import more
from sousveil.records import LEVELS, MOMENTS, WAYS
from sousveil.track._matching import Matched
from sousveil.visibility import plane_around

Floats = npt.NDArray[np.float64]
Look = Callable[[Any, Any], tuple[Sightings, pa.Table]]

_ALMOST: Final = 1.0 - 1e-12

_ROOM_DEG: Final = 0.01
"""A point this far from all streets may still be meant for them."""

SAMPLE_M = 5.0
"""Streets are looked at once in so many metres."""


class Found(NamedTuple):
    """Ways as records.WAYS, and all of them in records.MOMENTS."""

    table: pa.Table
    moments: pa.Table
    start: tuple[float, float]
    goal: tuple[float, float]


def find(
    start: tuple[float, float],
    goal: tuple[float, float],
    there: Register,
    *,
    level: str,
    look: Look,
) -> Found:
    """Return the ways between two points (longitude, latitude) on the streets of a register."""
    bounds = _bounds(there.streets)
    for name, point in (("--from", start), ("--to", goal)):
        _check_point(name, point, bounds)
    plane = plane_around([start[0], goal[0]], [start[1], goal[1]])
    graph = tracks.graph(there.streets, plane, on_foot=True)
    ends = plane.to_xy([start[0], goal[0]], [start[1], goal[1]])
    net = _ways.net(graph, ends[0], ends[1])
    exposed = _exposed(net, graph, look, _most(there), level)
    weighed = exposed[level]
    found = _ways.trade_offs(net, weighed)
    lines = [_ways.outline(net, way) for way in found]
    moments = pa.concat_tables(
        [_moments(i, line, graph, there.streets) for i, line in enumerate(lines)]
    )
    table = pa.table(
        {
            "way": np.arange(len(found), dtype=np.int32),
            "length_m": [way.length_m for way in found],
            "minutes": [way.length_m / tracks.WALKING_M_PER_S / 60 for way in found],
            "level": [level] * len(found),
            "seen_m": [float(weighed[way.edges].sum()) for way in found],
            "seen_m_high": [float(exposed["high"][way.edges].sum()) for way in found],
            "could_m": [float(exposed["could"][way.edges].sum()) for way in found],
            "identify_m": [float(exposed["identify"][way.edges].sum()) for way in found],
            "geometry": [shapely.to_wkb(shapely.transform(x, plane.to_lonlat)) for x in lines],
        },
        schema=WAYS,
    )
    return Found(table, moments, start, goal)


def _bounds(streets: pa.Table) -> Floats:
    shapes = shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False))
    return np.asarray(shapely.total_bounds(shapes))


def _check_point(name: str, point: tuple[float, float], bounds: Floats) -> None:
    """Raise UnusableInput for what is no point, or one whose numbers stand in the wrong order."""
    lon, lat = point
    if _inside((lat, lon), bounds) and not _inside(point, bounds):
        raise UnusableInput(
            f"{name} {lon},{lat}: lies far from the streets of the source, and {lat},{lon} among "
            f"them; longitude comes first: write {name} {lat},{lon}"
        )
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise UnusableInput(
            f"{name} {lon},{lat}: is no longitude and latitude, in degrees; write LON,LAT such as "
            "11.57,48.14"
        )


def check_order(track: str | Path, lon: Floats, lat: Floats, streets: pa.Table) -> None:
    """Raise UnusableInput for a track whose longitudes and latitudes are exchanged."""
    bounds = _bounds(streets)
    middle = float(np.median(lon)), float(np.median(lat))
    is_table = Path(track).suffix.casefold() in (".csv", ".tsv", ".txt")
    mend = "the names of the two columns" if is_table else "the two numbers of each point"
    if _inside(middle[::-1], bounds) and not _inside(middle, bounds):
        raise UnusableInput(
            f"{track}: lies far from the streets of the source with longitude {middle[0]:.2f} and "
            f"latitude {middle[1]:.2f}, and among them the other way round; longitude and latitude "
            f"are swapped: exchange {mend}"
        )


def _inside(point: tuple[float, float], bounds: Floats) -> bool:
    west, south, east, north = bounds
    lon, lat = point
    return bool(
        west - _ROOM_DEG <= lon <= east + _ROOM_DEG
        and south - _ROOM_DEG <= lat <= north + _ROOM_DEG
    )


def _most(there: Register) -> float | None:
    return there.missing and there.missing.per(there.cameras.num_rows)[2]


def _exposed(
    net: _ways.Net, graph: tracks.Graph, look: Look, most: float | None, level: str
) -> dict[str, Floats]:
    """Return metres of each edge seen at each level; and at one, that could be, and at most.

    most: cameras there may be for each one on record.
    """
    pieces = np.maximum(np.ceil(net.length_m / SAMPLE_M), 1).astype(np.int64)
    edge = np.repeat(np.arange(len(pieces)), pieces)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    size_m = (net.length_m / pieces)[edge]
    points = shapely.line_interpolate_point(net.lines[edge], (nth + 0.5) * size_m)
    lonlat = graph.plane.to_lonlat(shapely.get_coordinates(points))
    seen, _ = look(lonlat[:, 0], lonlat[:, 1])

    def any_of(question: int, level: int) -> Floats:
        chance = np.minimum(seen.probability[:, question, level].astype(np.float64), _ALMOST)
        return np.asarray(-np.expm1(np.bincount(seen.point, np.log1p(-chance), len(edge))))

    def metres(chance: Floats) -> Floats:
        return np.bincount(edge, chance * size_m, len(pieces)).astype(np.float64)

    found = {name: any_of(0, i) for i, name in enumerate(LEVELS)}
    high = found[level] if most is None else more(found[level], most)
    return {name: metres(chance) for name, chance in found.items()} | {
        "high": metres(high),
        "could": metres(any_of(1, LEVELS.index(level))),
    }


def _moments(number: int, line: Any, graph: tracks.Graph, streets: pa.Table) -> pa.Table:
    xy = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    edge = graph.tree.query_nearest(shapely.points((xy[1:] + xy[:-1]) / 2), all_matches=False)[1]
    walked = Matched(
        xy, along / tracks.WALKING_M_PER_S, np.zeros(len(xy), np.int64),
        np.concatenate([edge[:1], edge]), 1.0,
    )  # fmt: skip
    table = tracks.moments(walked, graph, streets)
    return table.set_column(
        0, MOMENTS.field("way"), pa.array(np.full(table.num_rows, number, np.int32))
    )
