"""One import into a register, step by step, on the copy that will take its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol

import pyarrow as pa
import shapely

from sousveil import __version__
from sousveil.errors import BrokenInvariant, UnusableInput
from sousveil.records import LINKS, OBSERVATIONS, QUARANTINE
from sousveil.sources import Source
from sousveil.sources._evidence import EVIDENCE
from sousveil.store import _editions, _merging, _presence
from sousveil.store._file import Connection, one
from sousveil.store._presence import COVERED_BY

Linker = Callable[[pa.Table], pa.Table]

OSM: Final = "osm"
"""The series and namespace of OpenStreetMap: its extracts are editions of one list."""

_OSM_FORMATS: Final = ("OpenStreetMap", "Overpass")  # how Source.format begins


class Part(Protocol):
    """Some rows of a source as read; sources.tabular yields such."""

    @property
    def rows(self) -> int: ...
    @property
    def records(self) -> pa.Table: ...
    @property
    def quarantine(self) -> pa.Table: ...
    @property
    def links(self) -> int: ...


# Every camera whose row in `cameras` the new source can change.
_TOUCHED: Final = f"""
    create or replace temp table touched as
    with added as (from sources where source_id = $source_id),
    latest as (
        select coalesce(max(dated) filter (source_id <> $source_id), date '0001-01-01') as before,
               max(dated) as now
        from sources
    )
    select camera_id from links where source_id = $source_id and until_run is null
    union
    select s.camera_id
    from (select *, struct_pack(lon := lon, lat := lat) as place from sightings) s
    join added t on s.series = t.series and s.dated < t.dated
    where {COVERED_BY}
    union
    select camera_id from sightings, latest
    where (installed > before and installed <= now) or (removed > before and removed <= now)
"""  # noqa: S608  (constants of this package)

_BEFORE: Final = (
    """create or replace temp table before as
    select camera_id from cameras semi join touched using (camera_id)""",
    "delete from cameras where camera_id in (select camera_id from before)",
    "create temp table rebuilt (camera_id varchar not null)",
)

_CHANGED: Final = (
    """insert into camera_changes
    with entered as (select camera_id from rebuilt anti join before using (camera_id)),
    made as (
        select unnest(to_ids) as camera_id, run_id from camera_changes where kind <> 'vanished'
    ),
    earlier as (select camera_id, max(run_id) as run_id from made group by camera_id)
    select $run, case when run_id is null then 'new' else 'returned' end, [], [camera_id]
    from entered left join earlier using (camera_id)
    where run_id is distinct from $run""",
    """insert into camera_changes
    select $run, 'vanished', [camera_id], []
    from before anti join rebuilt using (camera_id)
    semi join (from links where until_run is null) using (camera_id)""",
)


def next_run(connection: Connection) -> int:
    """Return the number of the run that begins."""
    [(last,)] = connection.sql("select coalesce(max(run_id), 0) from runs").fetchall()
    return int(last) + 1


def store(
    connection: Connection,
    source: Source,
    parts: Iterable[Part],
    *,
    source_id: str,
    series: str | None,
    dated: date | None,
    area: shapely.Geometry | None,
    is_whole_list: bool,
    fingerprint: str,
    run: int,
) -> None:
    """Put the rows of a source on the register, and the source itself with its counts.

    Raises UnusableInput where nothing says of which day it is, and BrokenInvariant where a row was
    lost or two carry one id.
    """
    read = _insert_parts(connection, source, parts, source_id)
    counts = _counts(connection, source_id)
    if read["rows"] != counts["observations"] + counts["evidence"] + counts["quarantined"]:
        raise BrokenInvariant(f"{source.path}: {read['rows']} rows, but {counts}")
    if counts["ids"] != counts["observations"]:
        raise BrokenInvariant(f"{source.path}: {counts}: two observations have one id")
    day = dated or source.seen_on or counts["newest"]
    if day is None:
        raise UnusableInput(
            f"{source.path}: does not say of which day it is; name the day of its content (--dated)"
        )
    namespace = OSM if _is_osm(connection, source, source_id) else series or source.publisher
    row: dict[str, Any] = {
        "source_id": source_id,
        "series": series or namespace,
        "namespace": namespace,
        "dated": day,
        **{name: getattr(source, name) for name in _TOLD},
        **read,
        **{name: counts[name] for name in ("observations", "evidence", "quarantined")},
        "notes": list(source.notes),
        **_extent(area, is_whole_list=is_whole_list),
        "fingerprint": fingerprint,
        "run_id": run,
    }
    columns = ", ".join(f'"{name}"' for name in row)
    holes = ", ".join("?" * len(row))
    connection.execute(f"insert into sources ({columns}) values ({holes})", list(row.values()))  # noqa: S608


_TOLD: Final = (
    "name",
    "format",
    "publisher",
    "licence",
    "attribution",
    "url",
    "covers",
    "counts",
    "has_duplicates",
    "redistributable",
)


def _is_osm(connection: Connection, source: Source, source_id: str) -> bool:
    ids = _editions.kind_of_ids(connection, source_id)
    return ids == OSM or (ids is None and source.format.startswith(_OSM_FORMATS))


def _extent(area: shapely.Geometry | None, *, is_whole_list: bool) -> dict[str, Any]:
    if is_whole_list or area is None or shapely.is_empty(area):
        return {"extent": "list" if is_whole_list else "unknown"}
    box = zip(("west", "south", "east", "north"), map(float, shapely.bounds(area)), strict=True)
    return {"extent": "area", "area": shapely.to_wkb(area), **dict(box)}


def _insert_parts(
    connection: Connection, source: Source, parts: Iterable[Part], source_id: str
) -> dict[str, int]:
    read = {"rows": source.rows, "links_dropped": source.links_dropped}
    _insert(connection, "observations", source.observations, OBSERVATIONS, source_id)
    _insert(connection, "evidence", source.evidence, EVIDENCE, source_id)
    _insert(connection, "quarantine", source.quarantine, QUARANTINE, source_id)
    for part in parts:
        is_evidence = part.records.schema.names == EVIDENCE.names
        table, schema = ("evidence", EVIDENCE) if is_evidence else ("observations", OBSERVATIONS)
        _insert(connection, table, part.records, schema, source_id)
        _insert(connection, "quarantine", part.quarantine, QUARANTINE, source_id)
        read["rows"] += part.rows
        read["links_dropped"] += part.links
    return read


def _insert(
    connection: Connection, table: str, rows: pa.Table, schema: pa.Schema, source_id: str
) -> None:
    """Insert rows, with the id that their source has on the register."""
    ids = {"source_id": "$id", "observation_id": "$id || '/' || native_id"}
    columns = ", ".join(f'"{name}"' for name in schema.names)
    values = ", ".join(ids.get(name, f'"{name}"') for name in schema.names)
    connection.register("incoming", rows)
    connection.execute(
        f"insert into {table} ({columns}) select {values} from incoming",  # noqa: S608
        {"id": source_id},
    )
    connection.unregister("incoming")


def _counts(connection: Connection, source_id: str) -> dict[str, Any]:
    row = one(
        connection,
        """select
            (select count(*) from observations where source_id = $id),
            (select count(distinct native_id) from observations where source_id = $id),
            (select max(seen_on) from observations where source_id = $id),
            (select count(*) from evidence where source_id = $id),
            (select count(*) from quarantine where source_id = $id and not kept)""",
        {"id": source_id},
    )
    names = ("observations", "ids", "newest", "evidence", "quarantined")
    return dict(zip(names, row or (), strict=True))


def link(
    connection: Connection,
    source_id: str,
    *,
    has_ids: bool | None,
    linker: Linker | None,
    run: int,
    until: date,
) -> int:
    """Link the observations of a source, first within its list, then with a linker across lists.

    Returns how many entries of lists the linker looked at.
    """
    _editions.link(connection, source_id, has_ids=has_ids)
    connection.execute(
        """insert into links
        select o.observation_id, o.source_id, o.native_id, f.camera_id, f.probability, $run, null
        from observations o join found f using (observation_id)""",
        {"run": run},
    )
    _presence.look(connection)
    if linker is None:
        return 0
    rows = _merging.compared(connection, source_id, until)
    meets_others = len(rows["source_id"].unique()) > 1
    links = linker(rows) if meets_others else LINKS.empty_table()
    _merging.apply(connection, links, run=run, everywhere=False)
    return rows.num_rows if meets_others else 0


def rebuild(connection: Connection, source_id: str, *, run: int, until: date, merged: bool) -> None:
    """Bring `cameras` up to date and record which are new, returned or vanished."""
    connection.execute(_TOUCHED, {"source_id": source_id})
    if merged:
        touch_merged(connection)
    replace(connection, run=run, until=until)


def touch_merged(connection: Connection) -> None:
    """Add to `touched` the cameras that a linking changed."""
    connection.execute(
        """insert into touched
        (select camera_id from affected union select new_id from named) except from touched"""
    )


def replace(connection: Connection, *, run: int, until: date) -> None:
    """Build the cameras in `touched` anew and record which entered or left the register.

    Raises BrokenInvariant where the table then does not hold what was built.
    """
    for statement in _BEFORE:
        connection.execute(statement)
    (expected,) = one(connection, _CAMERAS) or (0,)
    for chunk in range(_presence.split(connection, "semi join touched using (camera_id)")):
        built = _presence.existing(connection, until, chunk=chunk).cameras
        connection.register("built", built)
        connection.execute("insert into cameras by name from built")
        connection.execute("insert into rebuilt select camera_id from built")
        connection.unregister("built")
        expected += built.num_rows
    if one(connection, _CAMERAS) != (expected,):
        raise BrokenInvariant("the table of cameras does not hold what was built")
    for statement in _CHANGED:
        connection.execute(statement, {"run": run})


_CAMERAS: Final = "select count(*) from (select camera_id from cameras where camera_id <> '')"
"""Reads every camera, where a plain count would believe what the table says of itself."""


def finish(
    connection: Connection, *, run: int, action: str, source_id: str | None, started_at: datetime
) -> None:
    """Record the run; raises BrokenInvariant where an observation has not exactly one camera."""
    broken = connection.sql(
        """select count(*) from (
            select observation_id from links where until_run is null
            group by observation_id having count(*) > 1
            union all
            select observation_id from observations
            anti join (from links where until_run is null) using (observation_id)
        )"""
    ).fetchall()
    if broken != [(0,)]:
        raise BrokenInvariant(f"{broken[0][0]} observations have no camera, or more than one")
    connection.execute(
        "insert into runs select ?, ?, ?, ?, ?, ?, count(*) from cameras",
        [run, action, source_id, started_at, now(), __version__],
    )


def now() -> datetime:
    """Return the time of a run: UTC, without a zone as DuckDB keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)
