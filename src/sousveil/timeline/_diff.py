"""What differs between two states of a register."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sousveil import _engine
from sousveil.store._editions import METRES
from sousveil.store._file import Connection
from sousveil.store._presence import COVERED_BY, EXISTS, KNOWN_SINCE

MOVED_M: Final = 1.0
"""From which distance on a camera counts as moved: less is rounding."""

ATTRIBUTES: Final = (
    "count",
    "kind",
    "housing",
    "bearings",
    "hfov_deg",
    "height_m",
    "mount",
    "setting",
    "zone",
    "operator",
    "operator_class",
    "private_home",
    "purpose",
    "capabilities",
    "pixels_h",
    "retention_days",
    "installed",
    "removed",
    "evidence_url",
)
"""Attributes that are compared."""

ENTERED_OR_LEFT: Final = ("appeared", "newly_covered", "returned", "vanished", "not_covered")
"""Why a camera is in one of two states only; timeline.diff says what the words mean."""

CHANGED: Final = pa.schema(
    [
        pa.field("camera_id", pa.string(), nullable=False),
        # appeared | newly_covered | returned | vanished | not_covered | changed | moved
        pa.field("change", pa.string(), nullable=False),
        pa.field("attribute", pa.string()),  # of what changed, one row each
        pa.field("before", pa.string()),
        pa.field("after", pa.string()),
        pa.field("distance_m", pa.float64()),  # of what moved
        pa.field("private_home", pa.bool_(), nullable=False),  # counted, not shown one by one
    ]
)

_ROWS: Final = f"""
    with pairs as materialized (
        select {", ".join(f'a."{x}" as "a_{x}", b."{x}" as "b_{x}"' for x in ATTRIBUTES)},
               a.camera_id, a.private_home or b.private_home as private_home,
               {METRES.format("a", "b")} as metres
        from a join b using (camera_id)
    )
    {
    " union all ".join(
        f'''select camera_id, 'changed' as change, '{x}' as attribute, a_{x}::varchar as before,
                   b_{x}::varchar as after, null::double as distance_m, private_home
            from pairs where a_{x} is distinct from b_{x}'''
        for x in ATTRIBUTES
    )
}
    union all
    select camera_id, 'moved', null, null, null, metres, private_home
    from pairs where metres >= {MOVED_M}
    union all
    select camera_id, 'entered', null, null, null, null, private_home from b
    anti join a using (camera_id)
    union all
    select camera_id, 'left', null, null, null, null, private_home from a
    anti join b using (camera_id)
"""  # noqa: S608  (constants of this module alone)

# Of what entered: was there a list before that would have told of it?
_ENTERED: Final = f"""
    with entering as (select camera_id from differing where change = 'entered'),
    mine as (
        select s.*, struct_pack(lon := lon, lat := lat) as place,
               min({KNOWN_SINCE}) over (partition by camera_id) as known_since
        from sightings s semi join entering using (camera_id) where dated <= $until
    ),
    held as (select distinct camera_id from mine where dated <= $before and {EXISTS}),
    covered as (
        select distinct camera_id from mine join known_sources t
            on t.series = mine.series and t.dated <= $before and t.dated < known_since
        where {COVERED_BY}
    )
    select e.camera_id, case
        when held.camera_id is not null then 'returned'
        when covered.camera_id is not null then 'appeared'
        else 'newly_covered' end as change
    from entering e left join held using (camera_id) left join covered using (camera_id)
"""  # noqa: S608  (constants of this package)

# Of what one source holds and the other does not: does the other tell of its place?
_ALONE: Final = f"""
    with alone as (select camera_id, change from differing where change in ('entered', 'left')),
    mine as (
        select s.camera_id, change, series, dated, struct_pack(lon := lon, lat := lat) as place,
               {KNOWN_SINCE} as known_since
        from sightings s join alone using (camera_id)
        where source_id = case change when 'left' then $before else $after end
    ),
    covered as (
        select distinct camera_id from mine join known_sources t
            on t.series = mine.series
            and t.source_id = case change when 'left' then $after else $before end
            and (t.dated < known_since or t.dated > mine.dated)
        where {COVERED_BY}
    )
    select a.camera_id, case
        when change = 'left' then if(c.camera_id is null, 'not_covered', 'vanished')
        else if(c.camera_id is null, 'newly_covered', 'appeared') end as change
    from alone a left join covered c using (camera_id)
"""  # noqa: S608  (constants of this package)

_WHY: Final = pa.schema([CHANGED.field("camera_id"), CHANGED.field("change")])

_COLUMNS: Final = ["camera_id", "lon", "lat", *ATTRIBUTES]


def rows(before: pa.Table, after: pa.Table) -> pa.Table:
    """Compare two states of the same cameras, records.CAMERAS each.

    Returns CHANGED with "entered" and "left" for what is in one of them only.
    """
    return _engine.query(_ROWS, CHANGED, a=before.select(_COLUMNS), b=after.select(_COLUMNS))


def exchanged(before: pa.Table, after: pa.Table) -> tuple[pa.Table, int]:
    """Return what entered (camera_id, change) and how many left, by camera_id alone."""
    sql = "select camera_id, 'entered' as change from b anti join a using (camera_id)"
    ids = [table.select(["camera_id"]) for table in (before, after)]
    entered = _engine.query(sql, _WHY, a=ids[0], b=ids[1])
    return entered, before.num_rows - (after.num_rows - entered.num_rows)


def why_entered(
    connection: Connection, differing: pa.Table, *, before: date, until: date
) -> pa.Table:
    """Return of each camera that "entered" between two days why: camera_id, change."""
    return _why(connection, _ENTERED, differing, before=before, until=until)


def why_alone(connection: Connection, differing: pa.Table, *, before: str, after: str) -> pa.Table:
    """Return of each camera that only one of two sources holds why: camera_id, change."""
    return _why(connection, _ALONE, differing, before=before, after=after)


def _why(connection: Connection, sql: str, differing: pa.Table, **values: date | str) -> pa.Table:
    connection.register("differing", differing.select(_WHY.names))
    why = connection.sql(sql, params=values).to_arrow_table()
    connection.unregister("differing")
    return why.cast(_WHY)


def explained(rows: pa.Table, why: pa.Table, *, left: str = "left") -> pa.Table:
    """Return rows with why each camera "entered" or "left" in the place of these words."""
    sql = """
        select rows.* replace (
            case when rows.change in ('entered', 'left')
                 then coalesce(why.change, $left) else rows.change end as change)
        from rows left join why on why.camera_id = rows.camera_id
            and rows.change in ('entered', 'left')
        order by change, rows.camera_id, attribute
    """.replace("$left", f"'{left}'")
    return _engine.query(sql, CHANGED, rows=rows, why=why)


def counted(rows: pa.Table) -> dict[str, Any]:
    """Return how many cameras changed and how, as JSON, from explained rows."""
    changes = Counter(rows["change"].to_pylist())
    attributes: dict[str, Counter[str]] = {}
    altered = rows.filter(pc.equal(rows["change"], "changed"))
    columns = (altered[name].to_pylist() for name in ("attribute", "before", "after"))
    for attribute, was, now in zip(*columns, strict=True):
        kind = "stated" if was is None else "withdrawn" if now is None else "changed"
        attributes.setdefault(attribute, Counter())[kind] += 1
    moved = rows["distance_m"].drop_null()
    return {
        **{name: changes[name] for name in ENTERED_OR_LEFT},
        "changed": len(altered["camera_id"].unique()),
        "attributes": {name: dict(counts) for name, counts in sorted(attributes.items())},
        "moved": {
            "cameras": len(moved),
            "median_m": pc.quantile(moved, 0.5)[0].as_py() if len(moved) else None,
            "max_m": pc.max(moved).as_py(),
        },
    }
