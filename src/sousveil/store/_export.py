"""The tables of a register as files, with the licences and notices that go with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sousveil import export, publication, timeline
from sousveil._output import complete_directory
from sousveil.records import BUILDINGS, LINKS, OBSERVATIONS, QUARANTINE, STREETS
from sousveil.sources import Source, licences
from sousveil.sources._gate import check_gate
from sousveil.store._file import Connection, reading
from sousveil.timeline._survival import SURVIVAL

FILES: Final = {
    "register": "cameras.parquet",
    "geojson": "cameras.geojson",
    "csv": "cameras.csv",
    "links": "links.parquet",
    "history": "camera_changes.csv",
    "quarantine": "quarantine.csv",
    "sources": "sources.json",
    "attribution": "ATTRIBUTION.md",
}
"""The files of an exported register by what they are for."""

DIFF_FILES: Final = {"changes": "changes.csv"} | {k: FILES[k] for k in ("sources", "attribution")}
"""The files of a comparison."""

TIMELINE_FILES: Final = {
    "dates": "dates.csv",
    "lifetimes": "lifetimes.csv",
    "installed": "installed.csv",
    "timeline": "timeline.json",
    "page": "timeline.html",
} | {k: FILES[k] for k in ("sources", "attribution")}
"""The files of a timeline."""

_SOURCES: Final = """
    select * from sources where source_id in (select unnest($ids)) order by dated, run_id
"""
_LINKS: Final = """
    select * from links where until_run is null and source_id in (select unnest($ids))
    order by camera_id, observation_id
"""
_QUARANTINE: Final = """
    select * from quarantine where source_id in (select unnest($ids)) order by source_id, row
"""
# Without the cameras of private homes: they are counted, not shown one by one.
_HISTORY: Final = """
    with homes as (
        select l.camera_id from links l join observations o using (observation_id)
        where o.private_home
    )
    select run_id, finished_at::date as recorded_on, kind, from_ids, to_ids
    from camera_changes join runs using (run_id)
    where not list_has_any(from_ids || to_ids, (select coalesce(list(camera_id), []) from homes))
    order by run_id, kind, to_ids, from_ids
"""


class _Open(NamedTuple):
    """A register that is read and a directory that is written."""

    connection: Connection
    directory: Path
    sources: list[Source]

    def table(self, sql: str, schema: pa.Schema | None = None, **values: Any) -> pa.Table:
        rows = self.connection.sql(sql, params=values or None).to_arrow_table()
        return rows if schema is None else rows.select(schema.names).cast(schema)


def write_register(
    register: Path, directory: Path, *, on: date | None = None, local_only: bool = False
) -> dict[str, str]:
    """Write a register as of a day, by default its newest, to a directory, all of it or nothing.

    Files as of a census: GeoParquet and the links with every attribute, for use on this machine;
    GeoJSON and CSV under the rules of publication. local_only: also with sources whose licence
    does not let them be passed on, else UnusableInput. Returns FILES with their paths.
    """
    state = timeline.at(register, on or _newest(register))
    published = publication.publish(state.cameras)
    ids = state.summary["sources"]
    with _results(register, directory, ids, local_only=local_only) as out:
        path = {name: out.directory / file for name, file in FILES.items()}
        export.write_geoparquet(export.points(state.cameras), path["register"])
        export.write_geojson(published, path["geojson"])
        export.write_csv(published, path["csv"])
        links = out.table(_LINKS, LINKS, ids=ids)
        pq.write_table(links, path["links"], compression="zstd")
        export.write_csv(out.table(_HISTORY), path["history"])
        export.write_csv(out.table(_QUARANTINE, QUARANTINE, ids=ids), path["quarantine"])
    return _paths(directory, FILES)


def write_difference(
    register: Path, directory: Path, difference: timeline.Difference, *, local_only: bool = False
) -> dict[str, str]:
    """Write what changed to a directory; returns DIFF_FILES with their paths.

    local_only: as for `write_register`.
    """
    told = difference.summary["sources"]
    ids = told["from"] + told["to"]
    with _results(register, directory, ids, local_only=local_only) as out:
        export.write_csv(difference.changes, out.directory / DIFF_FILES["changes"])
    return _paths(directory, DIFF_FILES)


def write_timeline(register: Path, directory: Path, told: dict[str, Any]) -> dict[str, str]:
    """Write a timeline, which holds no record of any source, to a directory, with its page.

    Returns TIMELINE_FILES with their paths.
    """
    from sousveil.report import timeline_html  # brings jinja2 and the charts, only for this page

    ids = [source_id for row in told["dates"] for source_id in row["sources"]]
    group = pa.field("cameras", pa.string(), nullable=False)
    curves = [
        {"cameras": name} | row
        for name in ("entered", "already_there")
        for row in told["lifetimes"][name]["curve"]
    ]
    months = pa.schema([("month", pa.string()), ("cameras", pa.int64()), ("devices", pa.int64())])
    tables = {
        "dates": pa.Table.from_pylist(told["dates"]),
        "lifetimes": pa.Table.from_pylist(curves, schema=pa.schema([group, *SURVIVAL])),
        "installed": pa.Table.from_pylist(told["installed"]["by_month"], schema=months),
    }
    with _results(register, directory, ids, local_only=True) as out:
        for name, table in tables.items():
            export.write_csv(table, out.directory / TIMELINE_FILES[name])
        export.write_json(told, out.directory / TIMELINE_FILES["timeline"])
        page = timeline_html(told, register=register.name, sources=out.sources)
        (out.directory / TIMELINE_FILES["page"]).write_text(page, encoding="utf-8")
    return _paths(directory, TIMELINE_FILES)


@contextmanager
def _results(
    register: Path, directory: Path, ids: Sequence[str], *, local_only: bool
) -> Iterator[_Open]:
    """Yield a directory that is complete or absent, with the sources and their notices in it."""
    with reading(register) as connection:
        rows = connection.sql(_SOURCES, params={"ids": list(ids)}).to_arrow_table().to_pylist()
        sources = [_source(row) for row in rows]
        check_gate(sources, local_only=local_only)
        with complete_directory(directory, marker=FILES["sources"]) as partial:
            told = licences.described(sources)
            export.write_json(list(map(_with_counts, told, rows)), partial / FILES["sources"])
            notice = licences.attribution(sources)
            (partial / FILES["attribution"]).write_text(notice, encoding="utf-8")
            yield _Open(connection, partial, sources)


def _with_counts(told: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    return told | {
        name: row[name] for name in ("observations", "quarantined", "evidence", "series")
    }


def _source(row: dict[str, Any]) -> Source:
    """Return a source of the register without its tables: enough for its licence and notice."""
    names = {field.name for field in fields(Source)} - {"observations", "quarantine", "evidence"}
    told = {name: value for name, value in row.items() if name in names}
    return Source(
        **told | {"notes": tuple(row["notes"])},
        path=row["name"],
        seen_on=row["dated"],
        header_box=None,
        observations=OBSERVATIONS.empty_table(),
        quarantine=QUARANTINE.empty_table(),
        streets=STREETS.empty_table(),
        buildings=BUILDINGS.empty_table(),
    )


def _newest(register: Path) -> date:
    with reading(register) as connection:
        [(newest,)] = connection.sql("select max(dated) from sources").fetchall()
    day: date = newest
    return day


def _paths(directory: Path, files: dict[str, str]) -> dict[str, str]:
    return {name: str(directory / file) for name, file in files.items()}
