"""The files of a plan: what walkers take along, what the estimate is made from later."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import gpxpy.gpx
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil import export
from sousveil.errors import UnusableInput
from sousveil.survey import _forms

FILES: Final = {
    "plan": "plan.json",
    "stretches": "stretches.parquet",
    "geojson": "stretches.geojson",
    "form": "form.csv",
    "sheets": "sheets.pdf",
    "attribution": "ATTRIBUTION.md",
}
"""The files of a plan by what they are for; each walker gets walker-1.gpx and so on as well."""

FORMAT: Final = 1

_NEEDED: Final = ("format", "frame", "projection", "stretches", "draws", "stretches_an_hour")


def read_plan(directory: Path) -> dict[str, Any]:
    """Return what plan.json of a directory holds. Raises UnusableInput for anything else."""
    path = directory / FILES["plan"] if directory.is_dir() else directory
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnusableInput(
            f"{path}: no such file; name the directory that `sousveil survey plan` wrote"
        ) from None
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path}: cannot be read as a plan ({error})") from None
    missing = [key for key in _NEEDED if not isinstance(plan, dict) or key not in plan]
    if missing:
        raise UnusableInput(f"{path}: is no plan of a survey ({missing[0]} is missing)")
    if plan["format"] != FORMAT:
        raise UnusableInput(f"{path}: is of format {plan['format']}; this version reads {FORMAT}")
    return dict(plan)


def write_form(path: Path, walkers: Sequence[Mapping[str, Any]]) -> None:
    """Write the form to fill in: a row for each stretch of each walker, in the order of the way."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, _forms.COLUMNS, restval="", lineterminator="\n")
        rows.writeheader()
        for walker in walkers:
            for stretch in walker["stretches"]:
                rows.writerow(
                    {
                        "stretch_id": stretch["id"],
                        "walker": walker["walker"],
                        "order": stretch["order"],
                        "street": _plain(stretch["street"]),
                        "length_m": round(stretch["length_m"]),
                    }
                )


def _plain(text: str) -> str:
    # Spreadsheets run a cell that starts like this; names in open data can be anything.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def write_gpx(path: Path, walker: Mapping[str, Any]) -> None:
    """Write a walker's way as a GPX track, with a waypoint where each stretch starts."""
    gpx = gpxpy.gpx.GPX()
    gpx.name, gpx.creator = walker["title"], "Sousveil"
    for stretch in walker["stretches"]:
        lon, lat = stretch["start"]
        gpx.waypoints.append(
            gpxpy.gpx.GPXWaypoint(
                latitude=round(lat, 7),
                longitude=round(lon, 7),
                name=f"{stretch['order']} {stretch['id']}",
                description=f"{stretch['street']}, {stretch['length']}",
            )
        )
    track = gpxpy.gpx.GPXTrack(name=walker["walker"])
    segment = gpxpy.gpx.GPXTrackSegment()
    for lon, lat in walker["lonlat"].tolist():
        segment.points.append(gpxpy.gpx.GPXTrackPoint(round(lat, 7), round(lon, 7)))
    track.segments.append(segment)
    gpx.tracks.append(track)
    path.write_text(gpx.to_xml(version="1.1"), encoding="utf-8")


def write_geojson(
    path: Path, stretches: pa.Table, routes: Mapping[str, npt.NDArray[np.float64]]
) -> None:
    """Write the drawn stretches and the walkers' ways as GeoJSON (RFC 7946)."""
    drawn = stretches.filter(stretches["drawn"])
    features = [
        {
            "type": "Feature",
            "id": row["stretch_id"],
            "geometry": json.loads(shapely.to_geojson(shapely.from_wkb(row.pop("geometry")))),
            "properties": row,
        }
        for row in drawn.to_pylist()
    ]
    features += [
        {
            "type": "Feature",
            "id": walker,
            "geometry": {"type": "LineString", "coordinates": np.round(lonlat, 7).tolist()},
            "properties": {"walker": walker},
        }
        for walker, lonlat in routes.items()
        if len(lonlat) > 1
    ]
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(export.dumps(collection) + "\n", encoding="utf-8")
