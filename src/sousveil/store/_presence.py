"""From the rows of a register to the cameras that existed on a day, as its sources then told.

A camera is on a list from a source that holds it until a later source of the same series that
covers its place and does not. It exists while one list at least holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from math import ceil
from typing import Any, Final

import numpy as np
import pyarrow as pa
import shapely
from duckdb.func import ARROW

from sousveil import register
from sousveil.records import LINKS, OBSERVATIONS
from sousveil.register import Register
from sousveil.store._file import Connection

CHUNK: Final = 150_000
"""Observations that are built into cameras at a time; this bounds the memory."""

SIGHTING: Final = "o.*, l.camera_id, l.probability, s.series, s.dated"

COVERED_BY: Final = """(t.extent = 'list' or (
    t.extent = 'area' and place.lon between t.west and t.east
    and place.lat between t.south and t.north and covers(t.source_id, place.lon, place.lat)))"""
"""Whether the source t would have told of a camera at `place`."""

EXISTS: Final = """lifecycle is null and not_camera is null
    and (installed is null or installed <= dated) and (removed is null or removed > dated)"""
"""Whether a sighting says that there is a camera."""

KNOWN_SINCE: Final = "least(dated, case when seen_by = 'edit' then seen_on end)"
"""From when on what a sighting tells of was on the map: a list of then or later that lacks it does
not tell of its place, whatever its area says."""

_HEAVY: Final = ("raw", "evidence_url", "capabilities", "bearings", "purpose")

_LIVE: Final = f"""
    with mine as (select * from work where chunk = $chunk and dated <= $until),
    latest as (
        select camera_id, series, max(dated) as last_dated,
               max_by(struct_pack(lon := lon, lat := lat), (dated, source_id)) as place
        from mine group by camera_id, series
    ),
    gone as (
        select distinct camera_id, latest.series
        from latest join known_sources t
            on t.series = latest.series and t.dated > last_dated and t.dated <= $until
        where {COVERED_BY}
    )
    select * replace (case
        when removed <= $until then 'removed'
        when lifecycle is null and installed > $until then 'planned'
        else lifecycle end as lifecycle)
    from mine anti join gone using (camera_id, series)
"""  # noqa: S608  (constants of this module alone)


def look(connection: Connection, *, run: int | None = None) -> None:
    """Make the views `known_sources` and `sightings`: what was on the register after a run.

    run: None for the newest. A sighting is an observation with its camera, series and the date of
    its source.
    """
    known = "" if run is None else f" where run_id <= {run:d}"
    then = (
        "until_run is null"
        if run is None
        else f"since_run <= {run:d} and (until_run is null or until_run > {run:d})"
    )
    connection.execute(f"create temp view known_sources as from sources{known}")
    connection.execute(f"""
        create temp view sightings as select {SIGHTING}
        from observations o
        join links l using (observation_id)
        join known_sources s on s.source_id = o.source_id
        where {then}
    """)  # noqa: S608  (integers and constants)
    connection.create_function(
        "covers", _covers(connection), ["VARCHAR", "DOUBLE", "DOUBLE"], "BOOLEAN", type=ARROW
    )


def _covers(connection: Connection) -> Any:
    """Return a function of source ids and points that tells which lie in their source's area."""
    rows = connection.sql("select source_id, area from sources where area is not null").fetchall()
    areas = {source_id: shapely.from_wkb(wkb) for source_id, wkb in rows}
    shapely.prepare(list(areas.values()))

    def covers(source_ids: Any, lon: Any, lat: Any) -> pa.Array:
        ids, x, y = (np.asarray(column) for column in (source_ids, lon, lat))
        inside = np.zeros(len(ids), dtype=bool)
        for source_id in set(ids) & areas.keys():
            its = ids == source_id
            inside[its] = shapely.intersects_xy(areas[source_id], x[its], y[its])
        return pa.array(inside)

    return covers


def split(connection: Connection, where: str = "", parameters: Sequence[str] = ()) -> int:
    """Make the table `work`: the sightings in chunks that each hold whole cameras.

    where: SQL behind `from sightings` that keeps some of them. Returns the number of chunks.
    """
    [(rows,)] = connection.execute(
        f"select count(*) from sightings {where}",  # noqa: S608
        parameters,
    ).fetchall()
    chunks: int = max(1, ceil(rows / CHUNK))
    # In order of their chunks, so that fetching one skips the others.
    order = "order by chunk" if chunks > 1 else ""
    sql = f"select *, (hash(camera_id) % {chunks})::integer as chunk from sightings"  # noqa: S608
    connection.execute(f"create or replace temp table work as {sql} {where} {order}", parameters)
    return chunks


def existing(connection: Connection, until: date, *, chunk: int, light: bool = False) -> Register:
    """Build the cameras of one chunk as the sources dated up to a day tell of them.

    light: without the attributes that do not decide whether a camera exists.
    """
    return _built(connection, _LIVE, {"chunk": chunk, "until": until}, light=light)


def told_by(connection: Connection, source_id: str, *, chunk: int) -> Register:
    """Build the cameras of one chunk as a single source tells of them."""
    sql = "select * from work where chunk = $chunk and source_id = $source_id"
    return _built(connection, sql, {"chunk": chunk, "source_id": source_id})


def everything(connection: Connection, until: date) -> Register:
    """Build all cameras that existed on a day as the sources dated up to it tell of them."""
    parts = [existing(connection, until, chunk=chunk) for chunk in range(split(connection))]
    return Register(
        cameras=pa.concat_tables(part.cameras for part in parts),
        apart=pa.concat_tables(part.apart for part in parts),
    )


def _built(
    connection: Connection, sightings: str, values: dict[str, Any], *, light: bool = False
) -> Register:
    """Build cameras from a query for sightings; of two that are as old the later source counts."""
    columns = ", ".join(
        f'null as "{name}"' if light and name in _HEAVY else f'"{name}"'
        for name in OBSERVATIONS.names
    )
    rows = connection.sql(
        f"select {columns}, camera_id, probability from ({sightings}) "  # noqa: S608
        "order by dated, source_id, observation_id",
        params=values,
    )
    table = rows.to_arrow_table()
    return register.build(
        table.select(OBSERVATIONS.names).cast(OBSERVATIONS), table.select(LINKS.names).cast(LINKS)
    )
