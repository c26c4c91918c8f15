"""Capture histories: how many cameras stand in exactly these lists; read, checked, counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil._words import plural
from sousveil.errors import UnusableInput

MOST_LISTS: Final = 10
"""Most lists that are taken: there are two to this power of cells."""

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


class Histories(NamedTuple):
    """Counts of the cameras that stand in exactly these lists.

    lists: names. counts: one number a cell, 2 to the number of lists; the bit 1 << i of a cell's
    position says whether list i holds it. Cell 0, in no list, is not observed and holds 0.
    """

    lists: tuple[str, ...]
    counts: Array

    @property
    def observed(self) -> int:
        """Cameras in at least one list."""
        return round(float(self.counts.sum()))

    def in_lists(self) -> npt.NDArray[np.bool_]:
        """Return for each cell (rows) whether it is in each list (columns)."""
        return in_lists(len(self.lists))

    def sizes(self) -> Array:
        """Return how many cameras each list holds."""
        sizes: Array = self.counts @ self.in_lists()
        return sizes

    def both(self) -> Array:
        """Return how many cameras each two lists share, the size of each on the diagonal."""
        member = self.in_lists().astype(float)
        shared: Array = member.T @ (self.counts[:, None] * member)
        return shared

    def times(self) -> Array:
        """Return how many cameras stand in exactly 1, 2, ... lists."""
        n = self.in_lists().sum(axis=1)
        return np.array([self.counts[n == i].sum() for i in range(1, len(self.lists) + 1)])


def in_lists(k: int) -> npt.NDArray[np.bool_]:
    """Return for each of the 2^k cells whether it is in each of the k lists."""
    return (np.arange(1 << k)[:, None] >> np.arange(k) & 1).astype(bool)


def from_table(
    table: pa.Table, *, name: str = "table", ignore: Sequence[str] = ()
) -> tuple[Histories, Index]:
    """Count a table with one 0/1 column a list, and `count` where a row stands for several cameras.

    ignore: columns that are no lists (covariates). Returns the histories, and the cell of each
    row. Raises UnusableInput, in one line, for anything else; rows are counted from 1 below the
    header.
    """
    lists = [column for column in table.column_names if column != "count" and column not in ignore]
    _check_lists(lists, name)
    member = np.column_stack([_zero_or_one(table[column], f"{name}: {column}") for column in lists])
    counts = _counts(table, name)
    cells = member @ (1 << np.arange(len(lists)))
    unseen = np.flatnonzero((cells == 0) & (counts > 0))
    if unseen.size:
        raise UnusableInput(
            f"{name}: row {unseen[0] + 1} counts cameras in no list; how many those are is what is "
            "to be estimated: remove the row"
        )
    total = np.bincount(cells, weights=counts, minlength=1 << len(lists)).astype(float)
    if not total.sum():
        raise UnusableInput(f"{name}: holds no camera; every count is 0")
    empty = [
        column for column, size in zip(lists, Histories(tuple(lists), total).sizes(), strict=True)
        if not size
    ]  # fmt: skip
    if empty:
        raise UnusableInput(f"{name}: {empty[0]}: the list holds no camera; remove the column")
    return Histories(tuple(lists), total), cells


def to_table(histories: Histories) -> pa.Table:
    """Return the table that `from_table` reads: a row for each history that was seen."""
    seen = np.flatnonzero(histories.counts)
    member = histories.in_lists()[seen].astype(np.int8)
    columns: dict[str, Any] = {
        name: member[:, i] for i, name in enumerate(histories.lists)
    }  # fmt: skip
    return pa.table(columns | {"count": histories.counts[seen].round().astype(np.int64)})


def _check_lists(lists: list[str], name: str) -> None:
    if len(lists) < 2:
        raise UnusableInput(
            f"{name}: {plural(len(lists), 'column')} of lists; two or more are needed, with 0 and "
            "1 for whether a list holds the cameras of the row, and `count`"
        )
    if len(lists) > MOST_LISTS:
        raise UnusableInput(
            f"{name}: {len(lists)} columns of lists; more than {MOST_LISTS} cannot be used: join "
            "some into one"
        )
    if len(set(lists)) < len(lists):
        raise UnusableInput(f"{name}: two columns have the same name; rename one")


def _zero_or_one(column: pa.ChunkedArray, where: str) -> Index:
    for row, value in enumerate(column.to_pylist(), 1):
        if value not in (0, 1, True, False, "0", "1"):
            said = "nothing" if value is None or value == "" else repr(value)
            raise UnusableInput(
                f"{where}: row {row} holds {said}; a list has 0 or 1 in every row (or name the "
                "column with --covariates if it is no list)"
            )
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.cast(column, pa.int64())
    return np.array([int(value) for value in column.to_pylist()], dtype=np.int64)


def _counts(table: pa.Table, name: str) -> Array:
    if "count" not in table.column_names:
        return np.ones(table.num_rows)
    counts = []
    for row, value in enumerate(table["count"].to_pylist(), 1):
        number = _whole(value)
        if number is None:
            raise UnusableInput(
                f"{name}: count: row {row} holds {value!r}; write how many cameras have this "
                "history, a whole number"
            )
        counts.append(number)
    return np.array(counts, dtype=float)


def _whole(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number >= 0 and number.is_integer() else None
