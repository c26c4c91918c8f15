"""The frame of a survey: the streets that can be walked, cut into stretches of about 100 m."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyproj
import shapely
from shapely.ops import substring

from sousveil.errors import UnusableInput
from sousveil.place import FOOTWAY_CLASSES, STREET_CLASSES, TRACK_CLASSES
from sousveil.records import SURVEY_STRETCHES

Floats = npt.NDArray[np.float64]

STRETCH_M: Final = 100.0
"""Length that streets are cut into, as nearly as equal pieces allow."""

LEAST_SIZE_M: Final = 50.0
"""A shorter stretch is drawn as often as one of this length: it takes as long to record."""

STRATA: Final = {
    **dict.fromkeys(("trunk", "primary", "secondary", "tertiary"), "main"),
    **dict.fromkeys(("trunk_link", "primary_link", "secondary_link", "tertiary_link"), "main"),
    **dict.fromkeys(("residential", "unclassified", "living_street", "road"), "side"),
    "service": "service",
    "pedestrian": "pedestrian",
}
"""Stratum of each class of street; motorways and busways are no place to walk."""

FOOT_STRATA: Final = {"footway": "footway", "path": "footway", "steps": "footway"}
"""Added where footways are asked for: they run beside most streets and would count them twice."""

_NO_ENTRY: Final = frozenset({"no", "private"})
_INNER_SERVICE: Final = frozenset({"driveway", "drive-through", "parking_aisle"})
_BESIDE: Final = frozenset({"yes", "both", "left", "right", "separate"})


def metric(lon: float, lat: float) -> pyproj.Transformer:
    """Return the projection to metres around a point, true to length within a city."""
    return pyproj.Transformer.from_crs(
        "EPSG:4326", f"+proj=aeqd +lon_0={lon} +lat_0={lat} +ellps=WGS84", always_xy=True
    )


def project(geometry: Any, transformer: pyproj.Transformer, *, back: bool = False) -> Any:
    """Return geometry in metres, or back in degrees."""
    direction = pyproj.enums.TransformDirection.INVERSE if back else "FORWARD"
    return shapely.transform(
        geometry,
        lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1], direction=direction)),
    )


def centre_of(lines: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the middle of the box around lines, rounded so that small edits do not move it."""
    west, south, east, north = shapely.total_bounds(lines)
    return round((west + east) / 2, 3), round((south + north) / 2, 3)


def stretches(
    streets: pa.Table, *, boundary: shapely.Geometry | None = None, footways: bool = False
) -> pa.Table:
    """Return the stretches that a survey can draw from.

    streets: records.STREETS. boundary: streets are cut at it. footways: whether footways, paths
    and steps belong to the frame. Ways of one class and name are joined end to end, then cut into
    pieces of nearly STRETCH_M. Returns records.SURVEY_STRETCHES, without probabilities. Raises
    UnusableInput where there is nothing to walk.
    """
    strata = np.array(_strata(streets, footways=footways), dtype=object)
    chosen = np.flatnonzero(strata != "")
    if not len(chosen):
        raise UnusableInput("the source holds no street to walk; give an extract with streets")
    lines = np.asarray(shapely.from_wkb(streets["geometry"].to_numpy()))[chosen]
    to_m = metric(*centre_of(lines))
    lines = project(lines, to_m)
    names = np.array([name or "" for name in streets["name"].to_pylist()], dtype=object)[chosen]
    rows: list[tuple[str, str, Any]] = []
    area = None if boundary is None else project(boundary, to_m)
    for stratum, name, line in _joined(lines, strata[chosen], names, area):
        rows += [(stratum, name, piece) for piece in _cut(line)]
    if not rows:
        raise UnusableInput("no street to walk lies in the boundary; give one that the source has")
    return _table(rows, to_m)


def walkable(streets: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which ways a walker may use to get from one stretch to another."""
    usable = STREET_CLASSES | FOOTWAY_CLASSES | TRACK_CLASSES
    barred = {"motorway", "motorway_link", "busway", "bus_guideway", "corridor", "platform"}
    return np.array(
        [
            row["highway"] in usable - barred and _may_enter(row)
            for row in streets.drop_columns(["geometry"]).to_pylist()
        ],
        dtype=np.bool_,
    )


def _strata(streets: pa.Table, *, footways: bool) -> list[str]:
    known = STRATA | (FOOT_STRATA if footways else {})
    return [
        known.get(row["highway"], "") if _is_street_to_watch(row) else ""
        for row in streets.drop_columns(["geometry"]).to_pylist()
    ]


def _is_street_to_watch(row: dict[str, Any]) -> bool:
    return (
        _may_enter(row)
        and row["area"] != "yes"
        and row["service"] not in _INNER_SERVICE
        and (row["foot"] != "no" or row["sidewalk"] in _BESIDE)
    )


def _may_enter(row: dict[str, Any]) -> bool:
    barred = row["access"] in _NO_ENTRY and row["foot"] not in ("yes", "designated", "permissive")
    return not barred and row["indoor"] in (None, "no") and row["tunnel"] != "yes"


def _joined(
    lines: npt.NDArray[Any], strata: npt.NDArray[Any], names: npt.NDArray[Any], area: Any
) -> list[tuple[str, str, Any]]:
    """Return lines joined end to end by stratum and name, inside the area."""
    if area is not None:
        shapely.prepare(area)
        lines = shapely.intersection(lines, area)
    groups: dict[tuple[str, str], list[Any]] = {}
    for line, stratum, name in zip(lines, strata.tolist(), names.tolist(), strict=True):
        groups.setdefault((stratum, name), []).extend(shapely.get_parts(line))
    joined = []
    for (stratum, name), parts in sorted(groups.items()):
        kept = [part for part in parts if part.geom_type == "LineString" and part.length > 0]
        merged = shapely.line_merge(shapely.MultiLineString(kept))
        joined += [(stratum, name, part) for part in shapely.get_parts(merged)]
    return joined


def _cut(line: Any) -> list[Any]:
    n = max(1, round(line.length / STRETCH_M))
    if n == 1:
        return [line]
    ends = np.linspace(0.0, line.length, n + 1)
    return [substring(line, start, end) for start, end in pairwise(ends)]


def _table(rows: list[tuple[str, str, Any]], to_m: pyproj.Transformer) -> pa.Table:
    pieces = np.array([piece for _, _, piece in rows], dtype=object)
    middles = shapely.get_coordinates(shapely.line_interpolate_point(pieces, 0.5, normalized=True))
    order = np.lexsort((middles[:, 0], -middles[:, 1]))  # from north to south, then east
    digits = max(4, len(str(len(rows))))
    pieces = pieces[order]
    lonlat = shapely.get_coordinates(project(shapely.points(middles[order]), to_m, back=True))
    return pa.table(
        {
            "stretch_id": [f"s{i + 1:0{digits}d}" for i in range(len(rows))],
            "stratum": [rows[i][0] for i in order],
            "name": [rows[i][1] or None for i in order],
            "length_m": shapely.length(pieces),
            "size_m": np.maximum(shapely.length(pieces), LEAST_SIZE_M),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "probability": np.zeros(len(rows)),
            "drawn": np.zeros(len(rows), dtype=bool),
            "geometry": shapely.to_wkb(project(pieces, to_m, back=True)),
        },
        schema=SURVEY_STRETCHES,
    )
