"""The cameras, streets and buildings of sources, as a census joins them; files only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import shapely

from sousveil import undercount as undercounts
from sousveil.errors import UnusableInput
from sousveil.overlap import lists
from sousveil.sources import licences
from sousveil.sources._country import country_at
from sousveil.undercount import Missing, Stated


class Register(NamedTuple):
    """What surrounds a way."""

    cameras: pa.Table  # records.CAMERAS
    streets: pa.Table  # records.STREETS
    buildings: pa.Table  # records.BUILDINGS
    on: date
    sources: list[dict[str, str | None]]
    attribution: list[str]
    notice: str  # ATTRIBUTION.md
    country: str | None  # ISO 3166-1 alpha-2
    area: shapely.Geometry | None = None  # that the sources map; None: not known
    missing: Missing | None = None  # what is on no record; None: not known


def register_of(
    sources: str | Path | Sequence[str | Path],
    *,
    on: date | None,
    undercount: Stated | Path | None = None,
    seed: int = 0,
    progress: Callable[[str], None],
) -> Register:
    """Return the cameras of sources that are files, or "helsinki".

    Raises UnusableInput for a place to download: asking for it would tell where the person was.
    """
    from sousveil.census import census

    named = [sources] if isinstance(sources, str | Path) else list(sources)
    if not named:
        raise UnusableInput("no source given; name an extract of the place behind the track")
    for one in named:
        file = str(one).removeprefix("spec=")
        is_data = Path(file).is_file() or (
            Path(file).is_dir() and not (Path(file) / "sources.json").is_file()
        )
        if not is_data and file.casefold() != "helsinki":
            raise UnusableInput(
                f"{one}: no such file; no place is downloaded here, because that would tell a "
                "server where you were: get an extract of the whole region first"
            )
    counted = census(named, on=on, progress=progress)
    missing = undercounts.missing(
        undercount,
        counted.cameras,
        lists=lists(counted.sources),
        told=counted.summary["undercount"],
        streets=counted.streets,
        seed=seed,
    )
    return Register(
        cameras=counted.cameras,
        streets=counted.streets,
        buildings=counted.buildings,
        on=counted.on,
        sources=[
            {
                "id": s.source_id,
                "licence": s.licence,
                "seen_on": _iso(s.seen_on),
            }
            for s in counted.sources
        ],
        attribution=list(dict.fromkeys(s.attribution for s in counted.sources)),
        notice=licences.attribution(counted.sources),
        country=_country(counted.cameras, counted.place.country),
        area=counted.place.boundary if counted.place.area_km2 is not None else None,
        missing=missing if missing.known else None,
    )


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _country(cameras: pa.Table, of_place: str | None) -> str | None:
    if of_place or not cameras.num_rows:
        return of_place
    return country_at(cameras["lon"][0].as_py(), cameras["lat"][0].as_py())
