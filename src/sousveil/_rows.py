"""Small tables that people type: CSV rows with their numbers, and errors that name file and row."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sousveil.errors import UnusableInput


class Row(NamedTuple):
    """One row: where it stands (1-based, the header is row 1) and its values by column."""

    path: Path
    number: int
    values: dict[str, str]

    def text(self, column: str) -> str:
        """Return the value without the space around it, empty where there is none."""
        return self.values.get(column, "")

    def refuse(self, column: str, reason: str) -> UnusableInput:
        """Return the error that names file, row, column and value."""
        value = self.text(column)
        said = f" {value!r}" if value else ""
        return UnusableInput(f"{self.path}: row {self.number}, column {column}:{said} {reason}")

    def number_of(
        self,
        column: str,
        *,
        least: float = -math.inf,
        most: float = math.inf,
        whole: bool = False,
    ) -> float | None:
        """Return the number in a column, None where it is empty; UnusableInput for anything else.

        A comma as decimal sign is read as such.
        """
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text.replace(",", ".") if text.count(",") == 1 else text)
        except ValueError:
            raise self.refuse(column, "is no number; write digits or leave it empty") from None
        if not math.isfinite(value):
            raise self.refuse(column, "is no number; write digits or leave it empty")
        if whole and value != round(value):
            raise self.refuse(column, "is no whole number")
        if not least <= value <= most:
            raise self.refuse(column, f"is out of range; give {_range(least, most)}")
        return value


def _range(least: float, most: float) -> str:
    if math.isinf(most):
        return f"{least:g} or more"
    return f"{least:g} to {most:g}"


def read_rows(path: Path, *, needed: Sequence[str]) -> tuple[list[str], list[Row]]:
    """Return the names of the columns and the rows of a CSV file; rows without a value are none.

    Columns are told apart by comma, semicolon or tab, whichever the header has; names are read
    without case and with underscores for spaces. Raises UnusableInput for a file that is no such
    table or lacks a needed column.
    """
    text = _text(path)
    header_line = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header_line.count)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise UnusableInput(f"{path}: is no CSV table ({error}); export it as CSV") from None
    if not lines:
        raise UnusableInput(f"{path}: is empty; it needs a header and a row for each record")
    header = [name.strip().lower().replace(" ", "_") for name in lines[0]]
    _check_header(path, header, needed)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        values = [value.strip() for value in line]
        if not any(values):
            continue
        if len(values) > len(header) and any(values[len(header) :]):
            raise UnusableInput(
                f"{path}: row {number}: has {len(values)} values for {len(header)} columns; "
                "put a value that holds the separator in quotes"
            )
        rows.append(Row(path, number, dict(zip(header, values, strict=False))))
    return header, rows


def _check_header(path: Path, header: Sequence[str], needed: Sequence[str]) -> None:
    twice = next((name for name in header if name and header.count(name) > 1), None)
    if twice:
        raise UnusableInput(f"{path}: row 1: two columns are called {twice}; rename one")
    missing = [name for name in needed if name not in header]
    if missing:
        raise UnusableInput(
            f"{path}: row 1: no column {missing[0]}; the file needs {', '.join(needed)}"
        )


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UnusableInput(f"{path}: no such file; check the path") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableInput(f"{path}: cannot be read ({reason})") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        raise UnusableInput(f"{path}: row {row}: is not UTF-8; save the file as UTF-8") from None
