"""The first look over a whole list: what no single row shows, kept in a few bytes a row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.errors import UnusableInput
from sousveil.sources.tabular import _checks, _fields
from sousveil.sources.tabular._compose import totals
from sousveil.sources.tabular._coordinates import RUINED, Located
from sousveil.sources.tabular._csv import Batch
from sousveil.sources.tabular._observe import filled, identity, place
from sousveil.sources.tabular._readers import Rows
from sousveil.sources.tabular._spec import Field, Spec

Progress = Callable[[str], None]


_TOLD_EVERY: Final = 500_000


def report(progress: Progress | None, doing: str, rows: int, more: int) -> None:
    """Tell how far the reading is, each time that it has passed another half a million rows."""
    if progress and rows // _TOLD_EVERY > (rows - more) // _TOLD_EVERY:
        progress(f"{doing} row {rows:,}")


class Survey(NamedTuple):
    """What a list comes to as a whole."""

    rows: int  # that say anything
    marks: _checks.Marks
    ruined: int  # rows whose coordinates thousands separators have ruined
    newest: date | None  # of the dates that its rows state
    printed: int  # the sum of its printed totals
    summed: int  # the sum of the parts that should add up to them


def survey(
    path: Path, rows: Rows, spec: Spec, *, latest: date, progress: Progress | None
) -> Survey:
    """Read a list once for what only the whole of it shows.

    latest: no row is taken to be newer than this day.
    Raises UnusableInput where the file lacks the columns that the description names.
    """
    keys: list[_checks.Keys] = []
    groups: dict[str, int] = {}
    columns: set[str] = set()
    seen = ruined = printed = summed = 0
    newest: date | None = None
    for batch in map(filled, rows.batches()):
        columns |= set(batch.table.column_names)
        located = place(
            batch.table,
            spec,
            crs=spec.file.crs or rows.crs,
            accept_swapped=False,
            ruined=False,
        )
        keys.append(_keys(batch, located, spec, groups))
        ruined += located.reasons.count(RUINED)
        newest = max(filter(None, (newest, _newest(batch.table, spec, latest))), default=None)
        if spec.total is not None:
            amounts = [pc.sum(column).as_py() or 0 for column in totals(batch.table, spec.total)]
            printed, summed = printed + amounts[0], summed + amounts[1]
        seen += batch.table.num_rows
        report(progress, "Looking over", seen, batch.table.num_rows)
    _refuse_missing(path, columns if seen else None, spec)
    marks = _checks.marks(_checks.join(keys or [_NO_KEYS]))
    return Survey(seen, marks, ruined, newest, printed, summed)


def _newest(table: pa.Table, spec: Spec, latest: date) -> date | None:
    if "seen_on" not in spec.fields:
        return None
    days = _fields.read(table, "seen_on", spec.fields["seen_on"]).values
    found: date | None = pc.max(days.filter(pc.less_equal(days, latest))).as_py()
    return found


def _refuse_missing(path: Path, columns: set[str] | None, spec: Spec) -> None:
    """Refuse a file that has none of the columns without which no row of it can be read."""
    needed = ("operator", "place") if spec.is_evidence else ("lon", "lat")
    for field in (spec.fields[target] for target in needed if target in spec.fields):
        if columns and field.columns and columns.isdisjoint(field.columns):
            names = " or ".join(field.columns)
            raise UnusableInput(
                f"{path}: has no column {names}, as its description says; mend {spec.path}"
            )


_NO_KEYS = _checks.Keys(
    np.array([], np.int64),
    np.array([], np.uint64),
    np.array([], np.uint64),
    np.array([], np.int64),
    np.array([], np.int32),
)


def _keys(batch: Batch, located: Located, spec: Spec, groups: dict[str, int]) -> _checks.Keys:
    told = identity(batch.table, spec)
    return _checks.Keys(
        batch.rows,
        told["says"].to_numpy(),
        told["hash"].to_numpy(),
        _checks.points(located.lon, located.lat),
        _grouped(batch.table, spec.area.near, groups),
    )


def _grouped(table: pa.Table, column: str | None, groups: dict[str, int]) -> npt.NDArray[np.int32]:
    """A number for the group of each row, the same in every batch; -1 for none."""
    if column is None or column not in table.column_names:
        return np.full(table.num_rows, -1, np.int32)
    encoded = _fields.text_of(table, Field(columns=(column,))).dictionary_encode()
    numbers = [groups.setdefault(name, len(groups)) for name in encoded.dictionary.to_pylist()]
    spread = pa.array(numbers, pa.int32()).take(encoded.indices)
    return np.asarray(pc.fill_null(spread, -1).to_numpy(zero_copy_only=False), np.int32)
