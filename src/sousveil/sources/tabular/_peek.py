"""A first look at a file: its format and first rows, without saying yet what is a header."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sousveil.sources.tabular import _csv
from sousveil.sources.tabular._files import encoding_of, format_of
from sousveil.sources.tabular._readers import GEOMETRY, json_rows, open_rows, sheet_rows
from sousveil.sources.tabular._spec import FileSpec

PEEK_ROWS = 50

Cells = list[str | None]


class Peek(NamedTuple):
    """The first rows of a file; of formats without names of columns the header is one of them."""

    format: str  # a key of _files.FORMAT_NAMES, or "osm"
    encoding: str | None
    delimiter: str | None
    names: list[str] | None  # of the columns, where the format has them
    rows: list[Cells]

    def under(self, file: FileSpec) -> tuple[list[str], list[Cells]]:
        """Return names of columns and rows as a description would read them."""
        if self.names is not None:
            return self.names, self.rows
        rows = self.rows[file.skip_rows :]
        if file.header:
            return (_csv.names_of(rows[0]) if rows else []), rows[1:]
        width = len(rows[0]) if rows else 0
        return list(file.columns[:width]) or [f"column {n + 1}" for n in range(width)], rows


def peek(path: Path, *, rows: int = PEEK_ROWS) -> Peek:
    """Look at the first rows of a file.

    Raises UnusableInput where it is of no format that is read here.
    """
    found = format_of(path)
    if found == "osm":
        return Peek(found, None, None, [], [])
    if found == "csv":
        encoding = encoding_of(path)
        delimiter = _csv.delimiter_of(_csv.head(path, encoding, lines=rows))
        cells = [list(record.cells) for record in
                 islice(_csv.records(path, encoding, delimiter), rows)]  # fmt: skip
        return Peek(found, encoding, delimiter, None, [[c or None for c in row] for row in cells])
    if found == "xlsx":
        return Peek(found, None, None, None, sheet_rows(path, FileSpec(), most=rows))
    if found in ("json", "geojson"):
        objects = json_rows(path, FileSpec(), most=rows)[1]
        names = sorted({name for record in objects for name in record})
        listed: list[Cells] = [[record.get(name) for name in names] for record in objects]
        return Peek("geojson" if GEOMETRY in names else "json", None, None, names, listed)
    batch = next(iter(open_rows(path, FileSpec()).batches()))
    return Peek(found, None, None, list(batch.table.column_names), _first(batch, rows))


def _first(batch: _csv.Batch, rows: int) -> list[Cells]:
    columns = batch.table.slice(0, rows).to_pydict().values()
    return [list(row) for row in zip(*columns, strict=True)]
