"""The register through time: what was known on a day, what changed, how long cameras last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sousveil.errors import UnusableInput
from sousveil.register import Register, installed
from sousveil.store import _presence
from sousveil.store._file import Connection, one, reading
from sousveil.timeline import _diff, _survival

__all__ = ["Difference", "State", "at", "diff", "timeline"]


@dataclass(frozen=True, kw_only=True)
class State:
    """The register as of a day; summary is the JSON object of the command."""

    summary: dict[str, Any]
    cameras: pa.Table  # records.CAMERAS
    apart: pa.Table  # records.OBSERVATIONS: no cameras, and what does not exist


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What changed between two states; summary is the JSON object of the command."""

    summary: dict[str, Any]
    changes: pa.Table  # _diff.CHANGED, without cameras of private homes


# Cameras that some list held once and that are not there.
_GONE: Final = f"""
    select count(distinct camera_id) from sightings
    where dated <= $until and {_presence.EXISTS} and camera_id not in (select camera_id from there)
"""  # noqa: S608  (constants of this package)


def at(register: str | Path, on: date, *, recorded_by: date | None = None) -> State:
    """Return the register as the sources dated up to a day tell of it.

    A camera is there if a list dated up to that day holds it and no later list of its series, up
    to that day, covers its place and does not. recorded_by: only what had been added to the
    register by the end of that day (UTC), as it was linked then.

    Raises UnusableInput where the register has no source of that day or before.
    """
    with _looking(Path(register), recorded_by) as connection:
        sources = _sources_until(connection, on)
        state = _presence.everything(connection, on)
        connection.register("there", state.cameras.select(["camera_id"]))
        [(vanished,)] = connection.sql(_GONE, params={"until": on}).fetchall()
    return State(
        summary={
            "on": on,
            "recorded_by": recorded_by,
            "sources": sources,
            "cameras": {
                "records": state.cameras.num_rows,
                "devices": pc.sum(state.cameras["count"]).as_py() or 0,
                "by_kind": _tally(state.cameras["kind"]),
                "by_operator_class": _tally(state.cameras["operator_class"]),
            },
            "vanished": vanished,
            "not_cameras": _tally(state.apart["not_camera"].drop_null()),
            "lifecycle": _tally(state.apart["lifecycle"].drop_null()),
        },
        cameras=state.cameras,
        apart=state.apart,
    )


def diff(
    register: str | Path, before: date | str, after: date | str, *, recorded_by: date | None = None
) -> Difference:
    """Return what changed from one day to a later one, or from one source to another.

    Days compare the register as of each (see `at`). Of cameras that are there on the second only,
    "appeared" are those that an earlier list covering their place did not hold, "newly_covered"
    those of places that no list covered, "returned" those that a list held once before. Of those
    there on the first only, "vanished" are all but "not_covered" (sources only): those in places
    of which the second source does not tell. Attributes count as stated (unknown before),
    withdrawn (unknown after) or changed; a camera moved if by _diff.MOVED_M or more.
    "extent_unknown" names the sources that do not say of which area they tell, so that what entered
    ("from") or left ("to") cannot be said by them.

    before, after: both days, the earlier first, or both ids of sources (see `store.show`).
    Raises UnusableInput for anything else.
    """
    if isinstance(before, date) and isinstance(after, date) and before > after:
        raise UnusableInput(f"{before} is after {after}; name the earlier day first")
    with _looking(Path(register), recorded_by) as connection:
        if isinstance(before, date) and isinstance(after, date):
            compared = _between_days(connection, before, after)
        elif isinstance(before, str) and isinstance(after, str):
            compared = _between_sources(connection, before, after)
        else:
            raise UnusableInput(f"{before} and {after}: name two days or two sources, not one each")
    rows = compared.rows
    summary = {"from": before, "to": after, "recorded_by": recorded_by, **compared.told}
    return Difference(
        summary=summary | _diff.counted(rows),
        changes=rows.filter(pc.invert(rows["private_home"])).drop_columns(["private_home"]),
    )


class _Compared(NamedTuple):
    told: dict[str, Any]  # what each side is
    rows: pa.Table  # _diff.CHANGED


def _between_days(connection: Connection, before: date, after: date) -> _Compared:
    sources = [_sources_until(connection, day) for day in (before, after)]
    counts, rows = _compare(
        _presence.split(connection),
        lambda chunk: _presence.existing(connection, before, chunk=chunk),
        lambda chunk: _presence.existing(connection, after, chunk=chunk),
    )
    why = _diff.why_entered(connection, rows, before=before, until=after)
    told = _sides(connection, sources, counts)
    return _Compared(told, _diff.explained(rows, why, left="vanished"))


def _between_sources(connection: Connection, before: str, after: str) -> _Compared:
    for source_id in (before, after):
        if one(connection, "select 1 from known_sources where source_id = ?", [source_id]) is None:
            raise UnusableInput(
                f"{source_id}: the register has no such source, and it is no day written as "
                "2026-11-23; see: sousveil register show"
            )
    counts, rows = _compare(
        _presence.split(connection, "where source_id in ($1, $2)", [before, after]),
        lambda chunk: _presence.told_by(connection, before, chunk=chunk),
        lambda chunk: _presence.told_by(connection, after, chunk=chunk),
    )
    why = _diff.why_alone(connection, rows, before=before, after=after)
    told = _sides(connection, [[before], [after]], counts)
    return _Compared(told, _diff.explained(rows, why))


def _compare(
    chunks: int, before: Callable[[int], Register], after: Callable[[int], Register]
) -> tuple[list[int], pa.Table]:
    """Compare two states chunk by chunk; return how many cameras each has, and what differs."""
    counts, rows = [0, 0], []
    for chunk in range(chunks):
        cameras = before(chunk).cameras, after(chunk).cameras
        counts = [n + table.num_rows for n, table in zip(counts, cameras, strict=True)]
        rows.append(_diff.rows(*cameras))
    return counts, pa.concat_tables(rows)


def _sides(connection: Connection, sources: list[list[str]], counts: list[int]) -> dict[str, Any]:
    names = ("from", "to")
    early = sources[0]
    later = [one for one in sources[1] if one not in early]
    silent = [_extent_unknown(connection, *pair) for pair in ((early, later), (later, early))]
    return {
        "sources": dict(zip(names, sources, strict=True)),
        "cameras": dict(zip(names, counts, strict=True)),
        "extent_unknown": dict(zip(names, silent, strict=True)),
    }


def _extent_unknown(connection: Connection, mine: list[str], others: list[str]) -> list[str]:
    """Return which of my sources tell of no area, though another edition could be held to it."""
    sql = """
        select source_id from known_sources
        where extent = 'unknown' and list_contains($mine, source_id) and series in (
            select series from known_sources where list_contains($others, source_id))
        order by dated, source_id
    """
    found = connection.execute(sql, {"mine": mine, "others": others}).fetchall()
    return [source_id for (source_id,) in found]


def timeline(register: str | Path, *, recorded_by: date | None = None) -> dict[str, Any]:
    """Return the register's history, as JSON.

    dates: for each day of which a source is, how many cameras there are (see `at`) and how many of
    them are new against the day before, and why (see `diff`); lifetimes: how long cameras stay on
    lists (see _survival.lifetimes); installed: how many were installed in each month, where lists
    say so.
    """
    with _looking(Path(register), recorded_by) as connection:
        days = connection.sql(_DAYS).fetchall()
        chunks = _presence.split(connection)
        rows: list[dict[str, Any]] = []
        there = _NOBODY
        for day, sources in days:
            now = pa.concat_tables(
                _presence.existing(connection, day, chunk=chunk, light=True).cameras.select(_KEPT)
                for chunk in range(chunks)
            )
            before = rows[-1]["dated"] if rows else None
            rows.append(
                {"dated": day, "sources": sources, "cameras": now.num_rows}
                | _steps(connection, there, now, before=before, day=day)
            )
            there = now
        return {
            "recorded_by": recorded_by,
            "dates": rows,
            "lifetimes": _survival.lifetimes(connection),
            "installed": installed(there),
        }


_DAYS: Final = "select dated, list_sort(list(source_id)) from known_sources group by 1 order by 1"
_KEPT: Final = ["camera_id", "count", "installed"]
_NOBODY: Final = pa.table({"camera_id": pa.array([], pa.string())})


def _steps(
    connection: Connection, there: pa.Table, now: pa.Table, *, before: date | None, day: date
) -> dict[str, int]:
    """Count the cameras that entered since the day before, by reason, and those that left."""
    entered, left = _diff.exchanged(there, now)
    if before is None:
        why = {"newly_covered": entered.num_rows}
    else:
        told = _diff.why_entered(connection, entered, before=before, until=day)
        why = _tally(told["change"])
    steps = dict.fromkeys(("appeared", "newly_covered", "returned"), 0) | why
    return steps | {"vanished": left}


@contextmanager
def _looking(register: Path, recorded_by: date | None) -> Iterator[Connection]:
    """Open a register as it was at the end of a day (UTC), or as it is."""
    with reading(register) as connection:
        run = None
        if recorded_by is not None:
            [(run,)] = connection.execute(
                "select max(run_id) from runs where finished_at::date <= ?", [recorded_by]
            ).fetchall()
            if run is None:
                raise UnusableInput(
                    f"{register}: nothing was on it by {recorded_by}; name a later day"
                )
        _presence.look(connection, run=run)
        yield connection


def _sources_until(connection: Connection, day: date) -> list[str]:
    rows = connection.sql("select source_id, dated from known_sources order by dated").fetchall()
    if not any(dated <= day for _, dated in rows):
        first = rows[0][1] if rows else None
        raise UnusableInput(f"{day}: the register has no source of then; its first is of {first}")
    return [source_id for source_id, dated in rows if dated <= day]


def _tally(column: pa.ChunkedArray) -> dict[str, int]:
    counted = column.value_counts().to_pylist()
    return {
        row["values"] or "unknown": row["counts"]
        for row in sorted(counted, key=lambda row: (-row["counts"], row["values"] or ""))
    }
