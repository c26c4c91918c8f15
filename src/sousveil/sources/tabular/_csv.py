"""Delimited text to Arrow tables of text: fast where the file is regular, careful where it is not.

The fast way is Arrow's parser, which loses rows without a word where a quote is never closed. So
it only reads files whose quotes all open and close at the edge of a cell and whose rows are all
as long as their header; any other goes the careful way, line by line, which keeps every row it
can read and says which it cannot. A row bears the number that a spreadsheet shows for it: the
first row of the file is 1, headers and empty rows count.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from sousveil.errors import UnusableInput
from sousveil.sources.tabular._files import Utf8, encoding_of, marked_encoding, reading, text_of
from sousveil.sources.tabular._spec import FileSpec

BATCH_ROWS: Final = 65_536
_BLOCK_BYTES: Final = 4 << 20
_LONGEST_LINE: Final = 10_000_000
_LINES_OF_A_CELL: Final = 100  # a quoted cell that runs on further was never closed
_DELIMITERS: Final = ",;\t|"
REGULAR, LITERAL, IRREGULAR = "regular", "literal", "irregular"


class Batch(NamedTuple):
    """Some rows of a file: all columns text, missing and empty alike null."""

    table: pa.Table
    rows: npt.NDArray[np.int64]  # the number of each row in its file
    broken: list[tuple[int, str, str]]  # (row, its text, why it cannot be read)
    file: str  # the name of the file, for a list that is a directory of them


class Layout(NamedTuple):
    """How a delimited text is to be read."""

    encoding: str
    delimiter: str
    columns: list[str]
    first_row: int  # the number of the first row of data
    quotes: str  # REGULAR | LITERAL | IRREGULAR


def layout(path: Path, file: FileSpec) -> Layout:
    """Find out how a delimited text is to be read, as far as its description does not say."""
    encoding = marked_encoding(path) or file.encoding or encoding_of(path)
    delimiter = file.delimiter or delimiter_of(head(path, encoding, lines=50))
    skipped = file.skip_rows + file.header
    first = list(islice(records(path, encoding, delimiter), skipped + 1))
    if len(first) < max(skipped, 1):
        raise UnusableInput(f"{path}: ends before its first row; get the file again")
    named = names_of(first[file.skip_rows].cells if file.header else [])
    wide = len(first[-1].cells)
    columns = named or [*file.columns[:wide], *names_of([None] * wide)[len(file.columns) :]]
    return Layout(encoding, delimiter, columns, skipped + 1, _quotes(path, encoding, delimiter))


def head(path: Path, encoding: str, *, lines: int) -> list[str]:
    """Return the first lines of a text file that are not empty."""
    with text_of(path, encoding) as file, reading(path):
        try:
            return list(islice((line for line in _lines(path, file) if line.strip()), lines))
        except UnicodeDecodeError as error:
            raise _undecodable(path, encoding, error) from error


def names_of(cells: Iterable[str | None]) -> list[str]:
    """Return the names of columns from a header: trimmed, none empty, none twice."""
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = " ".join((cell or "").split()) or f"column {position}"
        names.append(name if name not in names else f"{name} ({position})")
    return names


def batches(path: Path, seen: Layout) -> Iterator[Batch]:
    """Yield the rows of a file, in order.

    Raises Irregular where a row is longer or shorter than the header, unless the layout says
    IRREGULAR already; then read again with a layout that does.
    """
    return _careful(path, seen) if seen.quotes == IRREGULAR else _fast(path, seen)


class Irregular(Exception):
    """A row of a file read the fast way is longer or shorter than its header."""


def _fast(path: Path, seen: Layout) -> Iterator[Batch]:
    stream = Utf8(path, seen.encoding)
    row = seen.first_row
    with stream, reading(path):
        try:
            reader = pyarrow.csv.open_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(
                    column_names=seen.columns, skip_rows=row - 1, block_size=_BLOCK_BYTES
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=seen.delimiter,
                    quote_char='"' if seen.quotes == REGULAR else False,
                    newlines_in_values=seen.quotes == REGULAR,
                    ignore_empty_lines=False,
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(seen.columns, pa.string()),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
            for chunk in reader:
                if seen.quotes == REGULAR and _has_endless_cell(chunk):
                    raise Irregular
                rows = np.arange(row, row + chunk.num_rows)
                row += chunk.num_rows
                yield Batch(pa.Table.from_batches([chunk]), rows, [], path.name)
        except pa.ArrowInvalid as error:
            raise Irregular from error


def _has_endless_cell(chunk: pa.RecordBatch) -> bool:
    """Whether a cell runs on over so many lines that its quote was never closed."""
    return any(
        (pc.max(pc.count_substring(column, "\n")).as_py() or 0) > _LINES_OF_A_CELL
        for column in chunk.columns
    )


class _Record(NamedTuple):
    cells: list[str]
    fault: str | None  # then cells holds the text of the line alone


def _careful(path: Path, seen: Layout) -> Iterator[Batch]:
    wide = len(seen.columns)
    kept: list[list[str]] = []
    rows: list[int] = []
    broken: list[tuple[int, str, str]] = []
    every = enumerate(records(path, seen.encoding, seen.delimiter), start=1)
    numbered = islice(every, seen.first_row - 1, None)
    for row, (cells, fault) in numbered:
        while len(cells) > wide and not cells[-1].strip():
            cells.pop()
        if fault:
            broken.append((row, cells[0], fault))
        elif len(cells) == wide:
            kept.append(cells)
            rows.append(row)
        elif any(cells):
            found = f"{len(cells)} cells where there should be {wide}"
            broken.append((row, seen.delimiter.join(cells), found))
        if len(kept) + len(broken) == BATCH_ROWS:
            yield Batch(as_table(seen.columns, kept), np.array(rows, np.int64), broken, path.name)
            kept, rows, broken = [], [], []
    if kept or broken:
        yield Batch(as_table(seen.columns, kept), np.array(rows, np.int64), broken, path.name)


def as_table(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.Table:
    """Return rows of text as a table; an empty text is null."""
    across = zip(*rows, strict=True) if rows else [[] for _ in columns]
    arrays = [pa.array([cell or None for cell in cells], pa.string()) for cells in across]
    return pa.table(arrays, names=list(columns))


def records(path: Path, encoding: str, delimiter: str) -> Iterator[_Record]:
    """Yield every record of a file; a line whose quotes do not close is a record of its own."""
    with text_of(path, encoding) as file, reading(path):
        lines = _lines(path, file)
        waiting: deque[str] = deque()
        try:
            while (line := waiting.popleft() if waiting else next(lines, None)) is not None:
                if '"' not in line:
                    yield _Record(line.rstrip("\r\n").split(delimiter), None)
                    continue
                cells, fault = _cells([line], delimiter)
                more: list[str] = []
                while fault == _OPEN and len(more) < _LINES_OF_A_CELL:
                    following = waiting.popleft() if waiting else next(lines, None)
                    if following is None:
                        break
                    more.append(following)
                    if '"' in following:
                        cells, fault = _cells([line, *more], delimiter)
                if fault:
                    waiting.extendleft(reversed(more))
                yield _Record(cells, None) if not fault else _Record([line.strip()], fault)
        except UnicodeDecodeError as error:
            raise _undecodable(path, encoding, error) from error


_OPEN: Final = "a quote that is never closed"


def _cells(lines: list[str], delimiter: str) -> tuple[list[str], str | None]:
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True)), None
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return [], _OPEN
        if "field larger" in str(error):
            return [], "a cell of more than 131,072 characters"
        return [], "a quote in the middle of a quoted cell"


def _lines(path: Path, file: Iterable[str]) -> Iterator[str]:
    readline = file.readline  # type: ignore[attr-defined]
    number = 0
    while line := readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise UnusableInput(
                f"{path}: line {number:,} is longer than 10 million characters; it is no list"
            )
        yield line


def _undecodable(path: Path, encoding: str, error: UnicodeDecodeError) -> UnusableInput:
    return UnusableInput(
        f"{path}: is not {encoding} ({error.reason}); state file.encoding in its description"
    )


def delimiter_of(lines: list[str]) -> str:
    """The character that cuts the most lines into the same number of cells, more than one."""
    best, score = ",", (0.0, 0)
    for delimiter in _DELIMITERS if lines else "":
        plain = (re.sub(r'"[^"]*"', "", line) for line in lines)
        (count, times), *_ = Counter(line.count(delimiter) for line in plain).most_common(1)
        if count and (times / len(lines), count) > score:
            best, score = delimiter, (times / len(lines), count)
    return best


def _quotes(path: Path, encoding: str, delimiter: str) -> str:
    """Say whether the quotes of a file enclose whole cells, are mere letters, or neither.

    In order, quotes open and close by turns (RFC 4180; a doubled quote is a close and an open).
    They are regular where each stands at the edge of a cell, literal where none opens one.
    """
    before_cell = np.array([ord("\n"), ord("\r"), ord(delimiter)], np.uint8)
    edges = np.append(before_cell, np.uint8(ord('"')))
    opening, before, regular, literal = True, b"\n", True, True
    with Utf8(path, encoding) as stream, reading(path):
        chunk = _chunk(stream, path, encoding)
        while chunk and (regular or literal):
            following = _chunk(stream, path, encoding)
            if b'"' in chunk:
                text = np.frombuffer(before + chunk + (following[:1] or b"\n"), np.uint8)
                at = np.flatnonzero(text[1:-1] == ord('"')) + 1
                opens, closes = at[0 if opening else 1 :: 2], at[1 if opening else 0 :: 2]
                regular &= bool(np.isin(text[opens - 1], edges).all())
                regular &= bool(np.isin(text[closes + 1], edges).all())
                literal &= not np.isin(text[at - 1], before_cell).any()
                opening ^= bool(at.size % 2)
            before, chunk = chunk[-1:], following
    return REGULAR if regular and opening else LITERAL if literal else IRREGULAR


def _chunk(stream: Utf8, path: Path, encoding: str) -> bytes:
    try:
        return stream.read(_BLOCK_BYTES)
    except UnicodeDecodeError as error:
        raise _undecodable(path, encoding, error) from error
