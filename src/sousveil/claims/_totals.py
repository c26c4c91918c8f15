"""Totals worked out again: across a row, below other rows, and one total stated twice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sousveil.claims import _printed, _table
from sousveil.claims._found import EXACT, Found, compare
from sousveil.claims._printed import Figure
from sousveil.claims._table import Table

_TOTAL_ROW: Final = re.compile(r"\b(totals?|sum|합계|소계|gesamt|summe|totale)\b|^(all|계)$", re.I)
_NO_SUM: Final = re.compile(
    r"(^|_)(per|ratio|rate|percent|pct|share|mean|average|avg|median|density|each|index|year)(_|$)"
)
_NO_SUMS: Final = (
    _table.NAME, _table.PER.pattern, _table.PER_CAMERA, _table.SHARE, _table.WHOLE, _table.FORMULA,
    _table.GROUP, _table.NO_FIGURE, *(density for density, _ in _table.PER_AREA),
)  # fmt: skip
_DIVIDED: Final = re.compile(r"^by\b|\b(totals?|sum)\b.*\bby\b", re.I)


def across(table: Table) -> Iterator[Found]:
    """Test a column of totals against the other figures of its row: their sum, or their product.

    The product is taken where it fits more rows than the sum, or lies nearer. A column that is
    called total is tested in any case, one of cameras only where one of both fits some row.
    """
    named = _table.column(table, _table.TOTAL)
    result = named or _table.column(table, _table.CAMERAS) or _table.column(table, _table.RESULT)
    parts = [
        column
        for column in table.columns
        if column != result
        and _table.is_figures(table, column)
        and (not _table.known(column) or (named and re.fullmatch(_table.CAMERAS, column)))
    ]
    if result is None or len(parts) < 2:
        return
    ways = {}
    for label, join in (("sum", _printed.add), ("product", _printed.multiply)):
        ways[label] = list(_joined(table, result, parts, label, join))
    fits = {label: sum(item.status == EXACT for item in items) for label, items in ways.items()}
    best = max(ways, key=lambda label: (fits[label], -_distance(ways[label])))
    if named or fits[best]:
        yield from ways[best]


def _distance(items: list[Found]) -> float:
    """Return by how many powers of e the figures are off, all together."""
    known = [item for item in items if item.printed > 0 and item.computed > 0]
    return sum(abs(math.log(item.printed / item.computed)) for item in known)


def _joined(table: Table, result: str, parts: list[str], label: str, join: Any) -> Iterator[Found]:
    for line, row in table.rows:
        figures = [figure for part in parts if (figure := _printed.read(row[part]))]
        printed = _printed.read(row[result])
        if printed and len(figures) == len(parts):
            computed = figures[0]
            for figure in figures[1:]:
                computed = join(computed, figure)
            text = f"{label} of {', '.join(table.titles[part] for part in parts)}"
            yield compare(line, _table.name(table, row), text, result, printed, computed)


class _Line(NamedTuple):
    """A row as the test of totals sees it. words: all its cells that are no figures."""

    line: int
    name: str
    words: str
    group: str
    figure: Figure

    @property
    def is_total(self) -> bool:
        return _TOTAL_ROW.search(self.words) is not None


def below(table: Table) -> Iterator[Found]:
    """Test a row called total against the rows of its group, and totals of one thing together.

    In every column whose figures can be added up.
    """
    for column in _summable(table):
        yield from _below(table, column)


def _summable(table: Table) -> list[str]:
    """Return the columns that a row of totals sums: that of cameras, and others without a gap.

    Ratios, shares, means and years are no sums.
    """
    main = (
        _table.column(table, _table.CAMERAS)
        or _table.column(table, _table.RESULT)
        or _table.column(table, _table.TOTAL)
    )
    others = [
        column
        for column in table.columns
        if column != main
        and not _NO_SUM.search(column)
        and not any(re.fullmatch(pattern, column) for pattern in _NO_SUMS)
        and not any("%" in row[column] for _, row in table.rows)
        and all(
            _printed.read(row[column])
            for _, row in table.rows
            if main is None or _printed.read(row[main])
        )
    ]
    return [main, *others] if main else others


def _below(table: Table, number: str) -> Iterator[Found]:
    rows = _lines(table, number)
    parts: dict[str, list[Figure]] = {}
    totals: list[_Line] = []
    before: _Line | None = None
    for row in rows:
        named = [other.figure for other in rows if other.group and other.group == row.name]
        above = named or (parts.get(row.group, []) if row.is_total else [])
        if len(above) > 1:
            summed = _sum(above)
            yield compare(row.line, row.name, "sum of its rows", number, row.figure, summed)
        if row.is_total and not row.group:
            parts.clear()
        if not row.is_total:
            parts.setdefault(row.group, []).append(row.figure)
        follows = before is not None and before.is_total and row.is_total
        if _DIVIDED.search(row.name) or (row.is_total and _is_division(table)) or follows:
            if before is not None and follows and before not in totals:
                totals.append(before)
            totals.append(row)
        before = row
    for row in totals[1:]:
        label = f"the same total as {totals[0].name}"
        yield compare(row.line, row.name, label, number, row.figure, totals[0].figure)


def _lines(table: Table, number: str) -> list[_Line]:
    group = _table.column(table, _table.GROUP)
    found = []
    for line, row in table.rows:
        figure = _printed.read(row[number])
        if figure is None:
            continue
        said = {
            column: cell
            for column, cell in row.items()
            if cell and not _printed.read(cell) and not re.fullmatch(_table.NO_FIGURE, column)
        }
        own = [cell for column, cell in said.items() if column != group]
        name = _table.name(table, row) if not any(map(_TOTAL_ROW.search, own)) else " ".join(own)
        if _is_division(table) and _TOTAL_ROW.search(name):
            name = f"{name} by {row[group]}" if group else name
        found.append(
            _Line(line, name, " ".join(said.values()), row[group] if group else "", figure)
        )
    return found


def _is_division(table: Table) -> bool:
    """Say whether the groups divide one thing, as "by type" and "by borough" do."""
    return _table.column(table, _table.GROUP) in ("by", "division")


def _sum(figures: list[Figure]) -> Figure:
    total = figures[0]
    for figure in figures[1:]:
        total = _printed.add(total, figure)
    return total


def said_twice(table: Table) -> Iterator[Found]:
    """Test whether one publisher gives one figure for one place, year and definition."""
    keys = ("place", "year", "publisher")
    number = _table.column(table, _table.CAMERAS)
    if number is None or not set(keys) <= set(table.columns):
        return
    more = [c for c in ("scope", "basis", "definition") if c in table.columns]
    first: dict[tuple[str, ...], tuple[str, Figure]] = {}
    for line, row in table.rows:
        figure, key = _printed.read(row[number]), tuple(row[c].casefold() for c in (*keys, *more))
        if figure is None or not all(key[: len(keys)]):
            continue
        if key in first:
            label = f"the figure that {row['publisher']} gives in another row"
            yield compare(line, _table.name(table, row), label, number, figure, first[key][1])
        first.setdefault(key, (_table.name(table, row), figure))
