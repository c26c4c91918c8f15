"""What cameras could have recorded of a person on their own way, by whom, and how surely.

The way is a track that is read on this machine (`exposure`), or one that is planned between two
points (`ways`). Two questions are kept apart everywhere: whether a camera *could* see a place,
being turned to it, and whether somebody there *is seen* at a random moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from scipy.spatial import cKDTree

from sousveil import track as tracks
from sousveil import undercount as undercounts
from sousveil._output import complete_directory
from sousveil.coverage import Sightings, sightings
from sousveil.errors import UnusableInput
from sousveil.export import write_csv, write_geoparquet, write_json
from sousveil.exposure import _along, _between, _summary
from sousveil.exposure._register import Register, register_of
from sousveil.records import LEVELS, MOMENTS
from sousveil.undercount import Stated
from sousveil.visibility import Plane, plane_around

__all__ = ["FILES", "Exposure", "exposure", "ways"]

Progress = Callable[[str], None]

FILES: Final = {
    "report": "report.html",
    "summary": "exposure.json",
    "passes": "exposure.parquet",
    "passes_csv": "exposure.csv",
    "moments": "moments.parquet",
    "watchful": "watchful.parquet",
    "ways": "ways.parquet",
    "set_aside": "set_aside.csv",
    "attribution": "ATTRIBUTION.md",
}
"""The files of an exposure by what they are for; ways only for a planned way."""

RADIUS_M: Final = 150.0
"""Cameras farther away are left out, as in `coverage`."""

_MARKER: Final = FILES["summary"]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """What cameras could have recorded along a way, in tables, and what it comes to.

    summary is the JSON object of the command; its "files" is empty until `write`.
    """

    summary: dict[str, Any]
    moments: pa.Table  # records.MOMENTS
    watchful: pa.Table  # records.WATCHFUL
    passes: pa.Table  # records.PASSES
    ways: pa.Table | None  # records.WAYS, for a planned way
    set_aside: list[tracks.SetAside]
    cameras: pa.Table  # records.CAMERAS near the way
    streets: pa.Table  # records.STREETS
    notice: str  # ATTRIBUTION.md: whom to name, and what may not leave the machine
    letters: dict[str, Any] | None = None  # the JSON object of the letters that `write` wrote

    def to_html(self) -> str:
        """Return the report: one private HTML page that needs nothing but itself."""
        from sousveil.report.exposure import render

        return render(self)

    def write(self, directory: str | Path, *, letters: bool = False, **how: Any) -> Exposure:
        """Write page and tables to a directory of the user's own, all of them or none.

        letters: also write them, in the folder letters; `how` goes to sousveil.letters.
        Returns the exposure with the summary's "files" filled in.
        """
        return _write(self, Path(directory), letters=letters, **how)


def exposure(
    track: str | Path,
    sources: str | Path | Sequence[str | Path],
    *,
    undercount: Stated | Path | None = None,
    timezone: str | None = None,
    on: date | None = None,
    draws: int = 200,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Exposure:
    """Return which cameras could have recorded a person on the way of their own track.

    track: a file on this machine (GPX, KML, GeoJSON, CSV, FIT). sources: files as in a census; no
    place is downloaded, because that would tell a server where the person was.
    undercount: how many cameras there are for each one on record, as (estimate, low, high) or
    "1.8/1.4/2.6", or what else `undercount.missing` takes; without it, what the overlap of several
    lists tells, and where that is nothing figures are lower bounds. timezone: IANA name for clock
    times; by default that of the nearest city.
    on: the day that the cameras stand for. draws, seed: of the unknowns of cameras.

    Raises UnusableInput, in one line, for anything the user can mend.
    """
    undercounts.check(undercount)
    progress("Reading the track")
    way = tracks.read(track, timezone=timezone)
    there = register_of(sources, on=on, undercount=undercount, seed=seed, progress=progress)
    lon, lat = way.points["lon"].to_numpy(), way.points["lat"].to_numpy()
    _between.check_order(track, lon, lat, there.streets)
    progress("Matching the track to the streets")
    graph = tracks.graph(there.streets, plane_around(lon, lat))
    matched = tracks.match(way, graph, m_per_s=tracks.WALKING_M_PER_S)
    moments = _covered(tracks.moments(matched, graph, there.streets), there, track)
    progress("Looking for the cameras that see it")
    began = _began(way)
    passes, tally, watchful, near = _seen(moments, there, began, draws=draws, seed=seed)
    told = _summary.of_track(
        way, matched, moments, watchful, passes, tally, near, there, began,
        draws=draws, seed=seed,
    )  # fmt: skip
    return Exposure(
        summary=told,
        moments=moments,
        watchful=watchful,
        passes=passes,
        ways=None,
        set_aside=way.set_aside,
        cameras=near,
        streets=there.streets,
        notice=there.notice,
    )


def ways(
    start: tuple[float, float],
    goal: tuple[float, float],
    sources: str | Path | Sequence[str | Path],
    *,
    level: str = "detect",
    undercount: Stated | Path | None = None,
    on: date | None = None,
    draws: int = 200,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Exposure:
    """Return ways on foot between two points (longitude, latitude): short ones and less seen ones.

    level: the one whose exposure is weighed against length. No way is promised to be unseen: there
    are cameras that are on no record. The other parameters are those of `exposure`.
    """
    if level not in LEVELS:
        raise UnusableInput(f"--level {level}: unknown; use {', '.join(LEVELS)}")
    undercounts.check(undercount)
    if start == goal:
        raise UnusableInput(
            f"--from and --to {goal[0]},{goal[1]}: are the same point; give two that lie apart"
        )
    there = register_of(sources, on=on, undercount=undercount, seed=seed, progress=progress)
    progress("Looking for ways")
    look = partial(_look, there=there, draws=draws, seed=seed)
    found = _between.find(start, goal, there, level=level, look=look)
    progress("Looking for the cameras that see them")
    passes, tally, watchful, near = _seen(found.moments, there, None, draws=draws, seed=seed)
    told = _summary.of_ways(
        found, watchful, passes, tally, near, there, level=level, draws=draws, seed=seed
    )
    return Exposure(
        summary=told,
        moments=found.moments,
        watchful=watchful,
        passes=passes,
        ways=found.table,
        set_aside=[],
        cameras=near,
        streets=there.streets,
        notice=there.notice,
    )


def _covered(moments: pa.Table, there: Register, track: str | Path) -> pa.Table:
    """Tell which moments lie in what the sources map: elsewhere no camera is no finding."""
    if there.area is None:
        return moments
    lon, lat = moments["lon"].to_numpy(), moments["lat"].to_numpy()
    plane = plane_around(lon, lat)
    area = plane.flat(np.array([there.area]))[0]
    shapely.prepare(area)
    covered = shapely.dwithin(area, shapely.points(plane.to_xy(lon, lat)), RADIUS_M)
    if not covered.any():
        raise UnusableInput(
            f"{track}: lies outside what the sources map (it is near longitude {lon[0]:.2f}, "
            f"latitude {lat[0]:.2f}); give an extract of the place where you were"
        )
    place = moments.schema.get_field_index("covered")
    return moments.set_column(place, MOMENTS.field("covered"), pa.array(covered))


def _seen(
    moments: pa.Table, there: Register, began: datetime | None, *, draws: int, seed: int
) -> tuple[pa.Table, _along.Tally, pa.Table, pa.Table]:
    """Return passes, their draws, what is seen at moments, and the cameras near the way."""
    where = _along.places(moments)
    seen, near = _look(where.lon, where.lat, there, draws=draws, seed=seed)
    pairs = _along.pairs(seen, where)
    passes, tally = _along.passes(pairs, seen, moments, near, there.streets, began=began)
    return passes, tally, _along.watchful(pairs, seen, moments, near), near


def _look(
    lon: Any, lat: Any, there: Register, *, draws: int, seed: int
) -> tuple[Sightings, pa.Table]:
    plane = plane_around(lon, lat)
    points = cKDTree(plane.to_xy(lon, lat))
    cameras = plane.to_xy(there.cameras["lon"].to_numpy(), there.cameras["lat"].to_numpy())
    # A camera that a list puts into a building looks out of its wall, so it may be nearer.
    away_m, _ = points.query(cameras, distance_upper_bound=2 * RADIUS_M)
    near = np.flatnonzero(np.isfinite(away_m))
    chosen = there.cameras.take(pa.array(near))
    buildings = _buildings_near(there.buildings, plane, points, cKDTree(cameras[near]))
    seen = sightings(
        chosen, buildings, lon, lat, streets=there.streets, draws=draws, seed=seed,
        radius_m=RADIUS_M, on=there.on,
    )  # fmt: skip
    return seen, chosen


def _buildings_near(
    buildings: pa.Table, plane: Plane, points: cKDTree, cameras: cKDTree
) -> pa.Table:
    """Leave out buildings that cannot stand between a point and a camera, or around a camera."""
    shapes = shapely.from_wkb(buildings["geometry"].to_numpy(zero_copy_only=False))
    west, south, east, north = shapely.bounds(shapes).reshape(-1, 4).T
    corners = plane.to_xy(west, south), plane.to_xy(east, north)
    half_m = np.hypot(*(corners[1] - corners[0]).T) / 2
    middles, reach_m = (corners[0] + corners[1]) / 2, 2 * RADIUS_M + half_m
    kept = np.ones(len(middles), np.bool_)
    for near in (points, cameras):
        kept &= near.query(middles)[0] <= reach_m
    return buildings.filter(pa.array(kept))


def _began(way: tracks.Track) -> datetime | None:
    if not way.has_times:
        return None
    first: datetime = way.points["time"][0].as_py()
    return first.astimezone(way.zone)


def _write(found: Exposure, directory: Path, *, letters: bool, **how: Any) -> Exposure:
    names = [n for n in FILES if (n != "ways" or found.ways is not None)]
    paths = {name: str(directory / FILES[name]) for name in names}
    if letters:
        paths["letters"] = str(directory / "letters")
    found = replace(found, summary=found.summary | {"files": paths})
    html = found.to_html()
    with complete_directory(directory, marker=_MARKER) as folder:
        (folder / FILES["report"]).write_text(html, encoding="utf-8")
        pq.write_table(found.passes, folder / FILES["passes"], compression="zstd")
        write_csv(found.passes, folder / FILES["passes_csv"])
        pq.write_table(found.moments, folder / FILES["moments"], compression="zstd")
        pq.write_table(found.watchful, folder / FILES["watchful"], compression="zstd")
        if found.ways is not None:
            write_geoparquet(found.ways, folder / FILES["ways"])
        write_csv(_set_aside(found), folder / FILES["set_aside"])
        (folder / FILES["attribution"]).write_text(found.notice, encoding="utf-8")
        if letters:
            from sousveil.letters import write_letters

            told = write_letters(found.summary, found.passes, folder / "letters", **how)
            found = replace(found, letters=told)
        write_json(found.summary, folder / FILES["summary"])
    return found


def _set_aside(found: Exposure) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in tracks.SetAside._fields])
    return pa.Table.from_pylist([one._asdict() for one in found.set_aside], schema=schema)
