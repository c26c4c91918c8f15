"""Which cameras of a register the observations of a new source speak of, by the list's own word.

The same object of OpenStreetMap, the same id in an earlier edition of the list or, in a list
without lasting ids, the same place and what else is told of it.
"""

from __future__ import annotations

import hashlib
from typing import Final

import pyarrow as pa
from duckdb.func import ARROW

from sousveil.store._file import Connection, one

MOVED_WITHIN_M: Final = 25.0
"""How far a camera of a list without ids can be off in the next edition and still be the same."""
MOVED_PROBABILITY: Final = 0.9
"""Of such a link; from a real list, see docs/register.md."""

SAME_PLACE_M: Final = 100.0
LASTING_SHARE: Final = 0.5
"""Ids of a list last from edition to edition if at least this share of the rows that have an id of
the edition before are within SAME_PLACE_M of where it was; else the list is numbered anew."""

METRES: Final = """2 * 6371008.8 * asin(sqrt(least(1, pow(sin(radians({0}.lat - {1}.lat) / 2), 2)
    + cos(radians({0}.lat)) * cos(radians({1}.lat))
    * pow(sin(radians({0}.lon - {1}.lon) / 2), 2))))"""
"""Distance between two points on the sphere of the Earth's mean radius (haversine), as SQL."""

MADE_ID: Final = "row-"
"""How an id begins that the reader made from what a row says, for want of one in the list."""

_OSM_ID: Final = "(node|way|relation)/[0-9]+"

_TABLES: Final = (
    "create or replace temp table adding as from sources where source_id = $source_id",
    """create or replace temp table found (
        observation_id varchar not null, camera_id varchar not null, probability double not null
    )""",
    """create or replace temp view fresh as
    select observation_id, native_id, lon, lat, coalesce(operator, '') as operator,
           coalesce(bearings::varchar, '') as bearings
    from observations where source_id = (select source_id from adding)""",
    "create or replace temp view unlinked as from fresh anti join found using (observation_id)",
)

_LASTING: Final = f"""
    with earlier as (
        select o.native_id, o.lon, o.lat from observations o join sources s using (source_id)
        where s.namespace = (select namespace from adding)
        and s.source_id <> (select source_id from adding)
    )
    select avg(({METRES.format("f", "e")} <= {SAME_PLACE_M})::integer)
    from fresh f join earlier e using (native_id)
"""  # noqa: S608  (constants of this module alone)

# One camera for each row and one row for each camera, the newest edition first.
_SAME_ID: Final = """
    insert into found
    with pairs as (
        select f.observation_id, l.camera_id, max(s.dated) as dated
        from unlinked f
        join links l on l.native_id = f.native_id and l.until_run is null
        join sources s on s.source_id = l.source_id
        where s.namespace = (select namespace from adding)
        and l.camera_id not in (select camera_id from found)
        group by f.observation_id, l.camera_id
    )
    select observation_id, camera_id, 1.0 from pairs
    qualify row_number() over (
            partition by observation_id order by dated desc, camera_id) = 1
        and row_number() over (
            partition by camera_id order by dated desc, observation_id) = 1
"""

# The edition before this one or, where there is none, the one after.
_KNOWN: Final = """
    create or replace temp table known as
    with neighbour as (
        select s.source_id from sources s, adding a
        where s.series = a.series and s.source_id <> a.source_id
        order by s.dated > a.dated, abs(s.dated - a.dated), s.run_id desc limit 1
    )
    select l.camera_id, o.lon, o.lat, coalesce(o.operator, '') as operator,
           coalesce(o.bearings::varchar, '') as bearings
    from observations o join links l using (observation_id)
    where l.until_run is null and o.source_id = (select source_id from neighbour)
"""
_FREE: Final = "select * from known anti join found using (camera_id)"

# What is told alike is paired off: the first here with the first there, and so on.
_ALIKE: Final = """
    insert into found
    select f.observation_id, k.camera_id, 1.0
    from (select *, row_number() over (partition by {key} order by observation_id) as nth
          from unlinked) f
    join (select *, row_number() over (partition by {key} order by camera_id) as nth
          from ({free})) k
    using ({key}, nth)
"""
_KEYS: Final = ("lon, lat, operator, bearings", "lon, lat, operator", "lon, lat")

# Cells as wide as the limit, in rows of latitude each with columns of its own; a known camera is
# put into its own cell and the eight around, so that a pair within the limit meets in one cell.
_MOVED: Final = f"""
    insert into found
    with cells as (
        select k.*, side.i + floor(lat / $step)::integer as row
        from ({_FREE}) k, (select unnest([-1, 0, 1]) as i) side
    ),
    near as (
        select cells.*, side.i
            + floor(lon * greatest(cos(radians(row * $step)), 0.01) / $step)::integer as col
        from cells, (select unnest([-1, 0, 1]) as i) side
    ),
    here as (
        select *, floor(lat / $step)::integer as row,
            floor(lon * greatest(cos(radians(row * $step)), 0.01) / $step)::integer as col
        from unlinked
    ),
    pairs as (
        select f.observation_id, k.camera_id, {METRES.format("f", "k")} as metres
        from here f join near k using (row, col, operator)
    )
    select observation_id, camera_id, $probability from pairs where metres <= $limit
    qualify row_number() over (partition by observation_id order by metres, camera_id) = 1
        and row_number() over (partition by camera_id order by metres, observation_id) = 1
"""  # noqa: S608  (constants of this module alone)
_STEP_DEG: Final = MOVED_WITHIN_M / 111_000  # a little more than the limit

# An id that any run ever gave to another camera is not given again.
_NEW: Final = """
    insert into found
    with wanted as (
        select observation_id,
               named_camera((select namespace from adding) || ':' || native_id) as camera_id
        from unlinked
    )
    select observation_id, camera_id, 1.0 from wanted
    where camera_id not in (select camera_id from links)
    union all
    select observation_id, named_camera(observation_id), 1.0 from wanted
    where camera_id in (select camera_id from links)
"""


def kind_of_ids(connection: Connection, source_id: str) -> str | None:
    """Return what the ids of a source are: "osm", "own", "made" by us, or None without any row."""
    answer = one(
        connection,
        """select count(*), bool_and(regexp_full_match(native_id, $osm)),
                  bool_or(starts_with(native_id, $made))
        from observations where source_id = $source_id""",
        {"osm": _OSM_ID, "made": MADE_ID, "source_id": source_id},
    )
    rows, is_osm, is_made = answer or (0, None, None)
    return ("osm" if is_osm else "made" if is_made else "own") if rows else None


def link(connection: Connection, source_id: str, *, has_ids: bool | None) -> None:
    """Link each observation of a source to a camera, known or new, in the temporary table `found`.

    The source's row and its observations are on the register already, its links are not. has_ids:
    a row keeps its id from edition to edition of the list; None: look (see LASTING_SHARE).
    """
    name_cameras(connection)
    for statement in _TABLES:
        parameters = {"source_id": source_id} if "$source_id" in statement else None
        connection.execute(statement, parameters)
    ids = kind_of_ids(connection, source_id)
    if has_ids is None:
        has_ids = ids != "made" and (ids == "osm" or _ids_last(connection))
    if has_ids:
        connection.execute(_SAME_ID)
    else:
        _link_by_content(connection, ids_tell_content=ids == "made")
    connection.execute(_NEW)


def _ids_last(connection: Connection) -> bool:
    [(share,)] = connection.sql(_LASTING).fetchall()
    return share is None or share >= LASTING_SHARE


def _link_by_content(connection: Connection, *, ids_tell_content: bool) -> None:
    connection.execute(_KNOWN)
    for key in _KEYS:
        connection.execute(_ALIKE.format(key=key, free=_FREE))
    if ids_tell_content:
        connection.execute(_SAME_ID)
    limits = {"step": _STEP_DEG, "limit": MOVED_WITHIN_M, "probability": MOVED_PROBABILITY}
    connection.execute(_MOVED, limits)


def name_cameras(connection: Connection) -> None:
    """Give a connection the SQL function `named_camera`: the id of a camera by its first name."""
    connection.create_function("named_camera", _named, ["VARCHAR"], "VARCHAR", type=ARROW)


def _named(names: pa.Array) -> pa.Array:
    # As linking.by_identity names them, so that a census and a register agree on ids.
    return pa.array(
        "cam-" + hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
        for name in names.to_pylist()
    )
