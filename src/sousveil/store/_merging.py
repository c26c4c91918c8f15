"""What becomes of the cameras of a register when a linking says otherwise: kept, merged, split.

An id stays with the camera that keeps most of its observations; of several that turn out to be
one camera the oldest id stays. The others resolve by where their observations are now.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import pyarrow as pa

from sousveil.records import OBSERVATIONS
from sousveil.store._file import Connection
from sousveil.store._presence import COVERED_BY

NEAR_DEG: Final = 0.01
"""How far around a new source the cameras of other lists are compared; about 1 km."""

CELL_DEG: Final = 0.05
"""Side of the cells by which it is found where several lists are; about 5 km."""

# Of each camera the newest row of each list that still holds it, where other lists are near: what
# is far from all others says nothing of links and would only fill the memory.
_COMPARED: Final = f"""
    with box as (
        select min(lon) - {NEAR_DEG} as west, max(lon) + {NEAR_DEG} as east,
               min(lat) - {NEAR_DEG} as south, max(lat) + {NEAR_DEG} as north
        from observations where source_id = $source_id
    ),
    cells as (
        select distinct series, floor(lon / {CELL_DEG})::int as x, floor(lat / {CELL_DEG})::int as y
        from sightings s, box
        where lon between west and east and lat between south and north
    ),
    crowded as (
        select x + dx as x, y + dy as y
        from cells, unnest([-1, 0, 1]) as a(dx), unnest([-1, 0, 1]) as b(dy)
        group by all having count(distinct series) > 1
    ),
    newest as (
        select s.* replace (null::varchar as raw), struct_pack(lon := lon, lat := lat) as place
        from sightings s, box
        where lon between west and east and lat between south and north
            and (floor(lon / {CELL_DEG})::int, floor(lat / {CELL_DEG})::int) in (from crowded)
        qualify row_number() over (
            partition by camera_id, series order by dated desc, source_id, observation_id) = 1
    ),
    gone as (
        select distinct observation_id from newest join known_sources t
            on t.series = newest.series and t.dated > newest.dated and t.dated <= $until
        where {COVERED_BY}
    )
    select * replace (series as source_id) from newest anti join gone using (observation_id)
    where not_camera is null and lifecycle is null
    order by source_id, observation_id
"""  # noqa: S608  (constants of this module alone)

_TABLES: Final = (
    """create or replace temp table labels as
    select l.observation_id, l.camera_id, s.series, l.since_run, p.camera_id as label,
           p.probability
    from links l join sources s on s.source_id = l.source_id
    left join proposed p on p.observation_id = l.observation_id
    where l.until_run is null""",
    # Only what the new observations touch is linked anew, so that ids elsewhere stay.
    """create or replace temp table touched_labels as
    select distinct label from labels where label is not null and (since_run = $run or $all)""",
    """create or replace temp table affected as
    select distinct camera_id from labels join touched_labels using (label)""",
    """create or replace temp table grouped as
    with own as (
        select observation_id, camera_id, series, since_run, probability,
               case when t.label is not null then labels.label
                    when labels.label is not null then labels.label || '/' || camera_id
               end as label
        from labels semi join affected using (camera_id)
        left join touched_labels t on t.label = labels.label
    )
    select * replace (coalesce(label, max(label) over (partition by camera_id, series)) as label)
    from own""",
    """create or replace temp table old as
    select camera_id, min(since_run) as since from links semi join affected using (camera_id)
    group by camera_id having since < $run""",
    """create or replace temp table heirs as
    select label, camera_id, count(*) as n, any_value(since) as since
    from grouped join old using (camera_id) where label is not null
    group by label, camera_id
    qualify row_number() over (partition by camera_id order by n desc, label) = 1""",
    """create or replace temp table named as
    with winners as (
        select label, camera_id from heirs
        qualify row_number() over (partition by label order by since, n desc, camera_id) = 1
    )
    select g.label, coalesce(
        any_value(w.camera_id),
        min(g.camera_id) filter (o.camera_id is null),
        named_camera(min(g.observation_id) || '@' || $run)) as new_id
    from grouped g left join winners w using (label) left join old o on o.camera_id = g.camera_id
    where g.label is not null group by g.label""",
    """create or replace temp table final as
    select g.observation_id, g.camera_id, g.since_run, g.probability, n.new_id
    from grouped g left join heirs h on h.camera_id = g.camera_id
    join named n on n.label = coalesce(g.label, h.label)""",
)

_RECORD: Final = (
    """create or replace temp table moves as
    select f.camera_id as was, list_sort(list(distinct f.new_id)) as now
    from final f semi join old using (camera_id) group by f.camera_id""",
    "insert into camera_changes select $run, 'split', [was], now from moves where len(now) > 1",
    """insert into camera_changes
    select $run, 'merge', list_sort(list_distinct(list(was) || [now[1]])), [now[1]]
    from moves where len(now) = 1 group by now[1] having bool_or(was <> now[1])""",
)

_RELINK: Final = (
    """update links set camera_id = final.new_id,
        probability = least(links.probability, coalesce(final.probability, 1))
    from final where links.observation_id = final.observation_id
    and links.until_run is null and links.since_run = $run""",
    """insert into links
    select l.observation_id, l.source_id, l.native_id, f.new_id,
           coalesce(f.probability, l.probability), $run, null
    from links l join final f using (observation_id)
    where l.until_run is null and l.since_run < $run and f.new_id <> l.camera_id""",
    """update links set until_run = $run
    from final where links.observation_id = final.observation_id
    and links.until_run is null and links.since_run < $run
    and links.camera_id <> final.new_id""",
)


def compared(connection: Connection, source_id: str, until: date) -> pa.Table:
    """Return what a linking of lists is to compare: of each list near a source its newest rows.

    records.OBSERVATIONS, with the series as source_id, so that editions of one list are one list.
    """
    if connection.sql("select count(distinct series) from sources").fetchall() == [(1,)]:
        return OBSERVATIONS.empty_table()
    rows = connection.sql(_COMPARED, params={"source_id": source_id, "until": until})
    return rows.to_arrow_table().select(OBSERVATIONS.names).cast(OBSERVATIONS)


def apply(connection: Connection, proposed: pa.Table, *, run: int, everywhere: bool) -> None:
    """Give observations the cameras that a linking found, and record what that changed.

    proposed: observation_id, camera_id (any name for a group) and probability; rows of a list that
    it does not name go with the row of their camera and list that it names. everywhere: also
    where no observation of this run is concerned. Makes the temporary tables `affected` and
    `named` (new_id): the cameras to build anew.
    """
    connection.register("proposed", proposed)
    for statement in (*_TABLES, *_RECORD, *_RELINK):
        values = {"run": run, "all": everywhere}
        used = {name: value for name, value in values.items() if f"${name}" in statement}
        connection.execute(statement, used or None)
    connection.unregister("proposed")
