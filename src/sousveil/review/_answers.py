"""Pairs as a table to fill in, and the answers read back."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sousveil import export
from sousveil.errors import UnusableInput
from sousveil.linking import REVIEWED

ANSWERS: Final = ("same", "different")
"""What may stand in the column `answer`; an empty cell, or "unsure", decides nothing."""

SHOWN: Final = (
    ("source_id", "list"),
    ("native_id", "id there"),
    ("seen_on", "seen on"),
    ("kind", "kind"),
    ("housing", "housing"),
    ("bearings", "looks towards"),
    ("mount", "mount"),
    ("operator", "operator"),
    ("purpose", "purpose"),
    ("count", "devices"),
    ("accuracy_m", "accuracy, m"),
)
"""What of each end is shown, and how it is called."""

_COLUMNS: Final = ("lon", "lat", *(name for name, _ in SHOWN))
_UNDECIDED: Final = frozenset({"", "unsure"})
_GUARDED: Final = re.compile(r"^'[=+\-@\t\r]")


def table(uncertain: pa.Table, observations: pa.Table) -> pa.Table:
    """Return the pairs with what is said of both ends, and an empty column for the answer.

    uncertain: linking.UNCERTAIN; observations: records.OBSERVATIONS.
    """
    columns = {"answer": pa.nulls(uncertain.num_rows, pa.string())}
    columns |= {name: uncertain[name] for name in uncertain.column_names}
    for side in ("l", "r"):
        end = observations.take(rows_of(uncertain, observations, side))
        columns |= {f"{name}_{side}": end[name] for name in _COLUMNS}
    return pa.table(columns)


def read_answers(path: str | Path) -> pa.Table:
    """Read answers from a CSV file: review.csv filled in, or what the page saved.

    Returns linking.REVIEWED, only the rows with an answer. Raises UnusableInput for a file that
    cannot be read, lacks a column, or holds another answer.
    """
    file = Path(path)
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            missing = [name for name in REVIEWED.names if name not in (reader.fieldnames or [])]
            if missing:
                raise UnusableInput(
                    f"{file}: line 1 has no column {missing[0]}; give the review.csv of sousveil "
                    "link, or what its page saved"
                )
            rows = [_answer(file, reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInput(f"{file}: cannot be read as CSV ({error}); check the path") from error
    return pa.Table.from_pylist([row for row in rows if row["answer"]], schema=REVIEWED)


def write_table(uncertain: pa.Table, observations: pa.Table, path: Path) -> None:
    """Write `table` as CSV, fit to be filled in and read back."""
    export.write_csv(table(uncertain, observations), path)


def rows_of(uncertain: pa.Table, observations: pa.Table, side: str) -> pa.Array:
    """Return the row of the observation at one side ("l" or "r") of each pair."""
    ids = observations["observation_id"].combine_chunks()
    return pc.index_in(uncertain[f"observation_id_{side}"].combine_chunks(), ids)


def _answer(file: Path, line: int, row: dict[str, Any]) -> dict[str, str | None]:
    answer = (row["answer"] or "").strip().casefold()
    if answer not in ANSWERS and answer not in _UNDECIDED:
        raise UnusableInput(
            f"{file}: line {line}: answer {answer!r}; write {' or '.join(ANSWERS)} or nothing"
        )
    ids = {name: _unguarded(row[name] or "") for name in REVIEWED.names if name != "answer"}
    return ids | {"answer": answer if answer in ANSWERS else None}


def _unguarded(text: str) -> str:
    """Return a text without the apostrophe that `export.write_csv` put before a formula."""
    return text[1:] if _GUARDED.match(text) else text
