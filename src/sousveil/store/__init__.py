"""The register on disk: every list ever read, the cameras they come to, and what changed when."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain, count
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely

from sousveil.errors import UnusableInput
from sousveil.sources import Source
from sousveil.store import _editions, _intake, _merging, _presence
from sousveil.store._file import Connection, changing, one, reading, writing_alone
from sousveil.store._intake import Linker, Part

__all__ = [
    "CHANGES",
    "Added",
    "Linker",
    "add",
    "area_told",
    "fingerprint",
    "history",
    "holds",
    "relink",
    "resolve",
    "show",
]

Progress = Callable[[str], None]

CHANGES: Final = ("new", "returned", "vanished", "merge", "split")
"""What a run can do to cameras, as the table camera_changes records it."""

EDGE_M: Final = 50.0
"""How far inside the area that an extract seems to cover it is sure to; see docs/register.md."""

_DEG_M: Final = 111_195.0  # a degree of latitude on the sphere of the Earth's mean radius


@dataclass(frozen=True, kw_only=True)
class Added:
    """What an import did; status is "unchanged" where the register held the file already."""

    status: str  # added | unchanged
    source_id: str
    series: str
    dated: date
    run_id: int
    rows: int
    observations: int
    quarantined: int
    known: int  # observations of cameras that were on the register before
    cameras: int  # on the register after the run
    changes: dict[str, int]  # of CHANGES, how many
    compared: int = 0  # entries of all lists near each other that were compared for links


def add(
    register: str | Path,
    source: Source,
    parts: Iterable[Part] = (),
    *,
    series: str | None = None,
    dated: date | None = None,
    area: shapely.Geometry | None = None,
    is_whole_list: bool = False,
    has_ids: bool | None = None,
    spec: Path | None = None,
    linker: Linker | None = None,
    progress: Progress = lambda _: None,
) -> Added:
    """Add a source to a register as one transaction; make the register where there is none.

    The same file with the same spec changes nothing. Killed at any moment the register is as it
    was before, or as it is afterwards; readers are never kept waiting.

    parts: rows that are not in the source's tables, for a list too large to hold in memory.
    series: the list of which this is one edition; by default "osm" for objects of OpenStreetMap,
        else the publisher's name.
    dated: the day of the content; by default what the source says, else its newest row.
    area: (Multi)Polygon within which the source tells of every camera of its series: what an
        earlier edition has there and this one not, has vanished. is_whole_list: so everywhere.
        With neither, nothing vanishes by this source.
    has_ids: a row keeps its id from edition to edition; by default the ids are looked at. Where it
        does not, rows are known again by place, operator and direction.
    linker: finds the same cameras in other lists (see records.OBSERVATIONS and LINKS; its camera
        ids name groups only); by default only editions of the same list are compared.

    Raises UnusableInput where the register cannot be read or written, or the source has no date.
    """
    register = Path(register)
    mark = fingerprint(source.path, spec=spec)
    with writing_alone(register, progress):
        source_id = source.source_id
        if register.exists():
            with reading(register) as connection:
                if held := _holds(connection, mark):
                    return _added(connection, held, status="unchanged")
                source_id = _free_id(connection, source_id)
        started_at = _intake.now()
        with changing(register) as connection:
            run = _intake.next_run(connection)
            progress("Storing the rows")
            _intake.store(
                connection,
                source,
                parts,
                source_id=source_id,
                series=series,
                dated=dated,
                area=area,
                is_whole_list=is_whole_list,
                fingerprint=mark,
                run=run,
            )
            until = _latest(connection)
            progress("Linking them to the cameras of the register")
            compared = _intake.link(
                connection, source_id, has_ids=has_ids, linker=linker, run=run, until=until
            )
            progress("Building the cameras")
            _intake.rebuild(connection, source_id, run=run, until=until, merged=linker is not None)
            _intake.finish(
                connection, run=run, action="add", source_id=source_id, started_at=started_at
            )
            return _added(connection, source_id, status="added", compared=compared)


def area_told(source: Source) -> shapely.Geometry | None:
    """Return the area within which an extract of OpenStreetMap tells of every camera.

    That is where it has streets and buildings (see place.covered_area) but for a strip of EDGE_M
    along the edge, since the edge is estimated. None for a list without streets and buildings.
    """
    if not source.streets.num_rows + source.buildings.num_rows:
        return None
    from sousveil import place  # takes a while, and lists do without

    points = np.column_stack([source.observations["lon"], source.observations["lat"]])
    boxes = [source.header_box] if source.header_box else []
    area, _ = place.covered_area(source.streets, source.buildings, points, boxes)
    return _shrunk(area)


def _shrunk(area: shapely.Geometry) -> shapely.Geometry:
    """Return an area without the strip of EDGE_M inside its edge."""
    _, south, _, north = shapely.bounds(area)
    stretch = np.array([np.cos(np.radians((south + north) / 2)), 1.0]) * _DEG_M
    metres = shapely.transform(area, lambda degrees: degrees * stretch)
    inner = shapely.buffer(metres, -EDGE_M, quad_segs=2)
    return shapely.transform(inner, lambda metres: metres / stretch)


def relink(
    register: str | Path, links: pa.Table, *, progress: Progress = lambda _: None
) -> dict[str, int]:
    """Apply a linking of the whole register, such as one that a person reviewed.

    links: records.LINKS; observations in one group of its camera ids become one camera, others
    apart. Ids stay where they can; merges and splits are recorded. Returns how much of CHANGES.
    """
    register = Path(register)
    with writing_alone(register, progress):
        with reading(register):
            pass  # says so where there is no register
        started_at = _intake.now()
        with changing(register) as connection:
            run = _intake.next_run(connection)
            _editions.name_cameras(connection)
            _presence.look(connection)
            _merging.apply(connection, links, run=run, everywhere=True)
            connection.execute("create temp table touched (camera_id varchar)")
            _intake.touch_merged(connection)
            _intake.replace(connection, run=run, until=_latest(connection))
            _intake.finish(
                connection, run=run, action="relink", source_id=None, started_at=started_at
            )
            return _changes(connection, run)


def fingerprint(path: str | Path, *, spec: Path | None = None) -> str:
    """Return what tells a file (or all files of a directory) with its spec from any other."""
    digest = hashlib.sha256()
    path = Path(path)
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in [*files, *([spec] if spec else [])]:
        try:
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UnusableInput(f"{file}: cannot be read ({reason}); check the path") from error
    return digest.hexdigest()


def holds(register: str | Path, mark: str) -> Added | None:
    """Return what is on the register of a file with this `fingerprint`, None if nothing is."""
    if not Path(register).exists():
        return None
    with reading(Path(register)) as connection:
        held = _holds(connection, mark)
        return _added(connection, held, status="unchanged") if held else None


def resolve(register: str | Path, camera_id: str) -> list[str]:
    """Return the ids that now hold what a camera id ever stood for, the id itself first.

    One id where the camera was kept or merged into another, several where it was split, none
    where the register never had it.
    """
    with reading(Path(register)) as connection:
        return _now(connection, camera_id)


def history(register: str | Path, camera_id: str) -> dict[str, Any]:
    """Return what became of a camera, as JSON: `now` (see `resolve`) and its `changes` by run."""
    with reading(Path(register)) as connection:
        changes = connection.sql(
            """select run_id, finished_at::date as recorded_on, kind, from_ids, to_ids
            from camera_changes join runs using (run_id)
            where list_contains(from_ids, $id) or list_contains(to_ids, $id) order by run_id""",
            params={"id": camera_id},
        )
        return {
            "camera_id": camera_id,
            "now": _now(connection, camera_id),
            "changes": changes.to_arrow_table().to_pylist(),
        }


def _now(connection: Connection, camera_id: str) -> list[str]:
    rows = connection.execute(
        """select distinct now.camera_id, now.camera_id <> $id as other
        from links was join links now using (observation_id)
        where was.camera_id = $id and now.until_run is null
        order by other, now.camera_id""",
        {"id": camera_id},
    ).fetchall()
    return [row[0] for row in rows]


def show(register: str | Path) -> dict[str, Any]:
    """Return what is on a register, as JSON: sources, cameras, links, changes and runs."""
    with reading(Path(register)) as connection:
        [(cameras, devices)] = connection.sql(
            'select count(*), coalesce(sum("count"), 0)::bigint from cameras'
        ).fetchall()
        [(open_links, closed_links)] = connection.sql(
            "select count(*) filter (until_run is null), count(until_run) from links"
        ).fetchall()
        return {
            "register": str(register),
            "sources": _rows(connection, _SOURCES),
            "cameras": {
                "records": cameras,
                "devices": devices,
                "by_kind": _tally(connection, "kind", "cameras"),
                "by_operator_class": _tally(connection, "operator_class", "cameras"),
                "by_sources": _tally(connection, "n_sources", "cameras"),
            },
            "links": {"now": open_links, "earlier": closed_links},
            "quarantined": _tally(connection, "reason", "quarantine"),
            "changes": _tally(connection, "kind", "camera_changes"),
            "runs": _rows(connection, _RUNS),
        }


_SOURCES: Final = """
    select s.source_id as id, series, dated, name as file, format, publisher, licence, "rows",
           observations, evidence, quarantined, extent,
           date_trunc('second', finished_at) as added_at
    from sources s join runs using (run_id) order by dated, s.run_id
"""
_RUNS: Final = """
    select run_id, action, source_id, date_trunc('second', started_at) as started_at,
           date_trunc('second', finished_at) as finished_at, version, cameras
    from runs order by run_id
"""


def _rows(connection: Connection, sql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
    return rows


def _tally(connection: Connection, what: str, table: str) -> dict[str, int]:
    rows = connection.sql(
        f"select coalesce(({what})::varchar, 'unknown'), count(*) from {table} "  # noqa: S608
        "group by 1 order by 2 desc, 1"
    ).fetchall()
    return dict(rows)


def _holds(connection: Connection, mark: str) -> str | None:
    row = one(connection, "select source_id from sources where fingerprint = ?", [mark])
    return row[0] if row else None


def _free_id(connection: Connection, wanted: str) -> str:
    """Return the id or, where an earlier edition has it, the id with the next free number."""
    taken = {row[0] for row in connection.sql("select source_id from sources").fetchall()}
    numbered = (f"{wanted}-{n}" for n in count(2))
    return next(name for name in chain([wanted], numbered) if name not in taken)


def _latest(connection: Connection) -> date:
    [(latest,)] = connection.sql("select max(dated) from sources").fetchall()
    day: date = latest
    return day


def _changes(connection: Connection, run: int) -> dict[str, int]:
    rows = connection.execute(
        "select kind, count(*) from camera_changes where run_id = ? group by kind", [run]
    ).fetchall()
    return dict.fromkeys(CHANGES, 0) | dict(rows)


def _added(connection: Connection, source_id: str, *, status: str, compared: int = 0) -> Added:
    row = one(
        connection,
        """select source_id, series, dated, run_id, "rows", observations, quarantined, cameras
        from sources join runs using (run_id, source_id) where source_id = ?""",
        [source_id],
    )
    names = ("source_id", "series", "dated", "run_id", "rows", "observations", "quarantined",
             "cameras")  # fmt: skip
    told = dict(zip(names, row or (), strict=True))
    [(known,)] = connection.execute(
        """select count(*) from links
        where source_id = $id and since_run = $run and camera_id in (
            select camera_id from links where since_run < $run)""",
        {"id": source_id, "run": told["run_id"]},
    ).fetchall()
    changes = _changes(connection, told["run_id"])
    return Added(status=status, known=known, changes=changes, compared=compared, **told)
