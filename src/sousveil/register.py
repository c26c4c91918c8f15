"""The register: the cameras of a place, each built from the observations that are linked to it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pyarrow as pa

from sousveil import _engine
from sousveil.records import CAMERAS, OBSERVATIONS


class Register(NamedTuple):
    """What the observations of a place come to.

    cameras holds what exists (records.CAMERAS); apart holds, as records.OBSERVATIONS, the newest
    observation of each installation that is no camera or does not exist (any more, or yet).
    """

    cameras: pa.Table
    apart: pa.Table


_NEWEST: Final = "arg_max({0}, age_rank)"  # skips nulls: the newest value that is known

_FROM_NEWEST: Final = (
    "accuracy_m",
    "kind",
    "housing",
    "bearings",
    "hfov_deg",
    "height_m",
    "mount",
    "setting",
    "zone",
    "operator",
    "purpose",
    "capabilities",
    "pixels_h",
    "retention_days",
    "installed",
    "removed",
    "evidence_url",
    "raw",
    "seen_by",
)

# age_rank orders the observations of a camera from oldest to newest, ties by the order given.
_RANKED: Final = """
    select o.*, l.camera_id, l.probability,
           row_number() over (
               order by coalesce(o.seen_on, date '0001-01-01'), o.position
           ) as age_rank
    from (select *, row_number() over () as position from observations) o
    join links l using (observation_id)
"""

_CAMERAS: Final = f"""
    with ranked as ({_RANKED}),
    newest as (
        select camera_id, max_by(not_camera is null and lifecycle is null, age_rank) as is_camera
        from ranked group by camera_id
    )
    select
        camera_id,
        max_by(lon, age_rank) as lon,
        max_by(lat, age_rank) as lat,
        max_by("count", age_rank) as "count",
        {", ".join(f'{_NEWEST.format(c)} as "{c}"' for c in _FROM_NEWEST)},
        coalesce(
            max_by(operator_class, age_rank) filter (operator_class <> 'unknown'), 'unknown'
        ) as operator_class,
        coalesce(
            max_by(operator_class_rule, age_rank) filter (operator_class <> 'unknown'),
            max_by(operator_class_rule, age_rank)
        ) as operator_class_rule,
        bool_or(private_home) as private_home,
        list_sort(list_distinct(list(source_id))) as sources,
        count(distinct source_id) as n_sources,
        min(probability) as link_probability,
        min(seen_on) as first_seen,
        max(seen_on) as last_seen,
        list_sort(list_distinct(list(native_id))) as native_ids
    from ranked join newest using (camera_id)
    where is_camera
    group by camera_id
    order by min(position)
"""  # noqa: S608  (names from this module alone)

_APART: Final = f"""
    with ranked as ({_RANKED})
    select * from ranked
    qualify row_number() over (partition by camera_id order by age_rank desc) = 1
        and (not_camera is not null or lifecycle is not null)
    order by position
"""  # noqa: S608


def build(observations: pa.Table, links: pa.Table) -> Register:
    """Build the cameras of a place from its observations and links.

    Of each attribute the newest known value stands, of the owner the newest that is not unknown;
    a camera whose newest observation calls it removed or planned is kept apart.

    observations: records.OBSERVATIONS; links: records.LINKS, one row an observation.
    """
    tables = {"observations": observations, "links": links}
    return Register(
        cameras=_engine.query(_CAMERAS, CAMERAS, **tables),
        apart=_engine.query(_APART, OBSERVATIONS, **tables),
    )


def installed(cameras: pa.Table) -> dict[str, Any]:
    """Return how many cameras were installed in each month, and of how many no list says when.

    cameras: records.CAMERAS, of which count and installed are used.
    """
    sql = """
        select strftime(installed, '%Y-%m') as month, count(*) as cameras,
               sum("count")::bigint as devices
        from cameras where installed is not null group by month order by month
    """
    schema = pa.schema([("month", pa.string()), ("cameras", pa.int64()), ("devices", pa.int64())])
    months = _engine.query(sql, schema, cameras=cameras.select(["count", "installed"]))
    return {"by_month": months.to_pylist(), "unknown": cameras["installed"].null_count}
