"""A table of published figures, worked out again row by row.

Which columns stand for what is read from their names; what is tested is said, so that a table in
which nothing was recognised cannot pass for one that holds.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from sousveil.claims import _printed
from sousveil.claims._printed import Figure
from sousveil.errors import UnusableInput

EXACT: Final = "holds"
ROUNDED: Final = "holds within rounding"
WRONG: Final = "does not hold"

_NAME: Final = r"place|city|country|name|item|town|district|what|title|claim_id|기관명|구별"
_CAMERAS: Final = (
    r"((number|no|n|count|total|of|cctv|surveillance|security|public|estimated|installed)_)*"
    r"(cameras?|cctvs?|devices)(_total|_count|_installed|_\d{4})?|"
    r"number|count|figure|카메라대수"
)
_PEOPLE: Final = r"(?!.*per_)(\w+_)?(people|population|inhabitants|residents|persons|einwohner|인구수|인구)(_\d{4})?"
_PER_CAMERA: Final = (
    r"(people|persons|inhabitants)_(per|to_a|a)_camera|(one|1)_(camera_)?(per|for_every|in)"
    r"(_people|_n)?|people_per"
)
_PER: Final = re.compile(
    r"(?:(?:\w*_)?per_?|cameras?_)(?P<n>\d[\d_]*|thousand|hundred|capita|person)"
    r"(?:_(?:people|persons|inhabitants|residents|population|capita))?"
)
_PER_AREA: Final = (
    (r".*per_(km2|square_km|sq_km|square_kilometre)", r"km2|area(_km2)?|(square|sq)_km"),
    (r".*per_(mile2|square_mile|sq_mile|mi2)", r"miles2?|(square|sq)_miles|mi2|area_mi2"),
)
_SHARE: Final = r"share.*|percent.*|per_cent|pct|proportion|fraction"
_WHOLE: Final = r"of|whole|base|out_of|of_total|share_of"
_FORMULA: Final = r"formula|calculation|arithmetic|worked(_out)?(_as)?|expression|how"
_RESULT: Final = r"result|printed|answer|comes_to|published|claimed|claim|value"
_TOTAL: Final = r"total|sum|sums|grand_total|all|소계|합계|계|gesamt|summe|totale|insgesamt"
_GROUP: Final = r"group|part_of|total_of|by|division|set"
_NO_FIGURE: Final = (
    r"quoted_by|origin|year|date|rank|id|line|row|lon|lat|made_in|page|source|note.*|.*_url|grade"
)
_TOTAL_ROW: Final = re.compile(r"\b(totals?|sum|합계|소계|gesamt|summe|totale)\b|^(all|계)$", re.I)
_DIVIDED: Final = re.compile(r"^by\b|\b(totals?|sum)\b.*\bby\b", re.I)
_HUNDREDS: Final = {"thousand": 1000.0, "hundred": 100.0, "capita": 1.0, "person": 1.0}
_PER_UNITS: Final = {"per_100": 100.0, "per_1000": 1000.0}


class Found(NamedTuple):
    """One figure worked out again. line: 1-based, as the file counts."""

    line: int
    name: str
    check: str
    column: str
    printed: float
    computed: float
    low: float
    high: float
    status: str


class Table(NamedTuple):
    """A CSV file as text. rows: the line of each and its cells by normal column name."""

    columns: list[str]
    titles: dict[str, str]  # as the file writes them
    rows: list[tuple[int, dict[str, str]]]


def check(path: str | Path) -> dict[str, Any]:
    """Work out again the ratios, shares, sums and arithmetic in a table of published figures.

    Returns {"file", "rows", "tested": [{"check", "figures"}], "figures", "hold", "wrong": [...],
    "within_rounding": [...], "checks": [...], "not_tested"}; wrong, within_rounding and checks, all
    of them, hold Found as dicts with a sentence "says". Raises UnusableInput for a file that is no CSV or has nothing to test.
    """
    table = _read(Path(path))
    found = [item for test in _TESTS for item in test(table)]
    if not found:
        raise UnusableInput(
            f"{path}: nothing to work out again; name columns as cameras, people, per_1000, "
            "people_per_camera, share and of, formula and result, or total"
        )
    tested_lines = {item.line for item in found}
    return {
        "file": str(path),
        "rows": len(table.rows),
        "tested": _tested(found),
        "figures": len(found),
        "hold": sum(item.status != WRONG for item in found),
        "wrong": [_as_dict(item) for item in found if item.status == WRONG],
        "within_rounding": [_as_dict(item) for item in found if item.status == ROUNDED],
        "checks": [_as_dict(item) for item in found],
        "not_tested": [
            {"line": line, "name": _name(table, row)}
            for line, row in table.rows
            if line not in tested_lines
        ],
    }


def compare(
    line: int, name: str, check_name: str, column: str, printed: Figure, computed: Figure
) -> Found:
    """Return a figure against what it was worked out to be.

    It holds where the value computed from the figures as printed is what would be printed like
    this, and within rounding where some value that those figures leave open would.
    """
    slack = 1e-9 * max(abs(printed.value), abs(computed.value))
    low, high = printed.printed_low - slack, printed.printed_high + slack
    if low <= computed.value <= high:
        status = EXACT
    elif computed.low <= high and computed.high >= low:
        status = ROUNDED
    else:
        status = WRONG
    return Found(
        line=line,
        name=name,
        check=check_name,
        column=column,
        printed=_rounded(printed.value),
        computed=_rounded(computed.value),
        low=_rounded(computed.low),
        high=_rounded(computed.high),
        status=status,
    )


def _rounded(value: float) -> float:
    """Return a value without the last digits of binary arithmetic."""
    return float(f"{value:.12g}")


def _ratios(table: Table) -> Iterator[Found]:
    cameras, people = _column(table, _CAMERAS), _column(table, _PEOPLE)
    if not (cameras and people):
        return
    for column in table.columns:
        per = _PER.fullmatch(column)
        inverse = re.fullmatch(_PER_CAMERA, column) is not None
        if not (per or inverse):
            continue
        base = _HUNDREDS.get(per["n"]) or float(per["n"].replace("_", "")) if per else None
        label = "people per camera" if inverse else f"cameras per {base:,.0f} people"
        for line, row in table.rows:
            found = _figures(row, cameras, people)
            printed = _printed.read_ratio(row[column])
            if found and printed and (computed := _ratio(*found, base)):
                yield compare(line, _name(table, row), label, column, printed, computed)


def _stated_ratios(table: Table) -> Iterator[Found]:
    """Test the ratios of a table of claims (records.CLAIMS), whose unit stands in a column."""
    if not {"ratio", "ratio_unit", "number", "people"} <= set(table.columns):
        return
    for line, row in table.rows:
        found = _figures(row, "number", "people")
        printed = _printed.read_ratio(row["ratio"])
        base = _PER_UNITS.get(row["ratio_unit"])
        if found and printed and (computed := _ratio(*found, base)):
            label = row["ratio_unit"].replace("_", " ")
            yield compare(line, _name(table, row), label, "ratio", printed, computed)


def _ratio(cameras: Figure, people: Figure, base: float | None) -> Figure | None:
    """Return cameras per `base` people, or people per camera without a base."""
    if base is None:
        return _printed.divide(people, cameras)
    rate = _printed.divide(cameras, people)
    return rate and _printed.multiply(rate, _printed.exact(base))


def _areas(table: Table) -> Iterator[Found]:
    cameras = _column(table, _CAMERAS)
    for pattern, area_pattern in _PER_AREA:
        density, area = _column(table, pattern), _column(table, area_pattern)
        if not (cameras and density and area):
            continue
        for line, row in table.rows:
            n, size = _printed.read(row[cameras]), _printed.read(row[area], measured=True)
            printed = _printed.read_ratio(row[density])
            if n and size and printed and (computed := _printed.divide(n, size)):
                yield compare(
                    line, _name(table, row), "cameras by area", density, printed, computed
                )


def _shares(table: Table) -> Iterator[Found]:
    share, whole = _column(table, _SHARE), _column(table, _WHOLE)
    result = _column(table, _CAMERAS) or _column(table, _RESULT)
    if not (share and whole and result):
        return
    percent = re.search(r"percent|per_cent|pct", share) or "%" in table.titles[share]
    for line, row in table.rows:
        part, base = _printed.read(row[share], measured=True), _printed.read(row[whole])
        printed = _printed.read(row[result])
        if part and base and printed:
            if (percent or part.value > 1) and "%" not in row[share]:
                part = _printed.multiply(part, _printed.exact(0.01))
            computed = _printed.multiply(part, base)
            yield compare(line, _name(table, row), "share of a whole", result, printed, computed)


def _formulas(table: Table) -> Iterator[Found]:
    """Test arithmetic that stands in a cell, with its result there or in a column of its own."""
    formula = _column(table, _FORMULA)
    if not formula:
        return
    column = (
        _column(table, _RESULT) or _column(table, _CAMERAS) or _column(table, _TOTAL) or formula
    )
    for line, row in table.rows:
        worked, _, after = row[formula].partition("=")
        computed = _printed.evaluate(worked)
        printed = _printed.read_ratio(after) if after else _printed.read_ratio(row[column])
        if computed and printed:
            yield compare(line, _name(table, row), worked.strip(), column, printed, computed)


def _totals_across(table: Table) -> Iterator[Found]:
    """Test a column of totals against the other figures of its row: their sum, or their product.

    The product is taken where it fits more rows than the sum, or lies nearer. A column that is
    called total is tested in any case, one of cameras only where one of both fits some row.
    """
    named = _column(table, _TOTAL)
    result = named or _column(table, _CAMERAS) or _column(table, _RESULT)
    parts = [
        column
        for column in table.columns
        if column != result
        and _is_figures(table, column)
        and (not _known(column) or (named and re.fullmatch(_CAMERAS, column)))
    ]
    if result is None or len(parts) < 2:
        return
    ways = {}
    for label, join in (("sum", _printed.add), ("product", _printed.multiply)):
        ways[label] = list(_across(table, result, parts, label, join))
    fits = {label: sum(item.status == EXACT for item in items) for label, items in ways.items()}
    best = max(ways, key=lambda label: (fits[label], -_distance(ways[label])))
    if named or fits[best]:
        yield from ways[best]


def _distance(items: list[Found]) -> float:
    """Return by how many powers of e the figures are off, all together."""
    known = [item for item in items if item.printed > 0 and item.computed > 0]
    return sum(abs(math.log(item.printed / item.computed)) for item in known)


def _across(table: Table, result: str, parts: list[str], label: str, join: Any) -> Iterator[Found]:
    for line, row in table.rows:
        figures = [figure for part in parts if (figure := _printed.read(row[part]))]
        printed = _printed.read(row[result])
        if printed and len(figures) == len(parts):
            computed = figures[0]
            for figure in figures[1:]:
                computed = join(computed, figure)
            text = f"{label} of {', '.join(table.titles[part] for part in parts)}"
            yield compare(line, _name(table, row), text, result, printed, computed)


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


def _totals_below(table: Table) -> Iterator[Found]:
    """Test a row called total against the rows of its group, and totals of one thing together."""
    number = _column(table, _CAMERAS) or _column(table, _RESULT) or _column(table, _TOTAL)
    if number is None:
        return
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
    group = _column(table, _GROUP)
    found = []
    for line, row in table.rows:
        figure = _printed.read(row[number])
        if figure is None:
            continue
        said = {
            column: cell
            for column, cell in row.items()
            if cell and not _printed.read(cell) and not re.fullmatch(_NO_FIGURE, column)
        }
        own = [cell for column, cell in said.items() if column != group]
        name = _name(table, row) if not any(map(_TOTAL_ROW.search, own)) else " ".join(own)
        if _is_division(table) and _TOTAL_ROW.search(name):
            name = f"{name} by {row[group]}" if group else name
        found.append(
            _Line(line, name, " ".join(said.values()), row[group] if group else "", figure)
        )
    return found


def _is_division(table: Table) -> bool:
    """Say whether the groups divide one thing, as "by type" and "by borough" do."""
    return _column(table, _GROUP) in ("by", "division")


def _sum(figures: list[Figure]) -> Figure:
    total = figures[0]
    for figure in figures[1:]:
        total = _printed.add(total, figure)
    return total


def _said_twice(table: Table) -> Iterator[Found]:
    """Test whether one publisher gives one figure for one place, year and definition."""
    keys = ("place", "year", "publisher")
    number = _column(table, _CAMERAS)
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
            yield compare(line, _name(table, row), label, number, figure, first[key][1])
        first.setdefault(key, (_name(table, row), figure))


_TESTS: Final = (
    _ratios,
    _stated_ratios,
    _areas,
    _shares,
    _formulas,
    _totals_across,
    _totals_below,
    _said_twice,
)


def _known(column: str) -> bool:
    patterns = (_NAME, _PEOPLE, _CAMERAS, _PER_CAMERA, _FORMULA, _RESULT, _TOTAL, _GROUP,
                _NO_FIGURE, _WHOLE)  # fmt: skip
    return _PER.fullmatch(column) is not None or any(re.fullmatch(p, column) for p in patterns)


def _is_figures(table: Table, column: str) -> bool:
    cells = [row[column] for _, row in table.rows if row[column]]
    return bool(cells) and all(_printed.read(cell) for cell in cells)


def _figures(row: dict[str, str], first: str, second: str) -> tuple[Figure, Figure] | None:
    left, right = _printed.read(row[first]), _printed.read(row[second])
    return (left, right) if left and right else None


def _column(table: Table, pattern: str) -> str | None:
    return next((column for column in table.columns if re.fullmatch(pattern, column)), None)


def _name_column(table: Table) -> str | None:
    """Return the column that names the rows: by what it is called, else the first of words."""
    words = (c for c in table.columns if not _known(c) and not _is_figures(table, c))
    return _column(table, _NAME) or next(words, None)


def _name(table: Table, row: dict[str, str]) -> str:
    column = _name_column(table)
    return row[column] if column and row[column] else next(iter(row.values()), "")


def _tested(found: list[Found]) -> list[dict[str, Any]]:
    labels: dict[str, int] = {}
    for item in found:
        labels[item.check] = labels.get(item.check, 0) + 1
    return [{"check": label, "figures": n} for label, n in labels.items()]


def _as_dict(item: Found) -> dict[str, Any]:
    open_ = f" (between {_text(item.low)} and {_text(item.high)})" if item.low < item.high else ""
    joint = "and" if item.status == EXACT else "but"
    says = (
        f"line {item.line}, {item.name}: {item.column} is printed as {_text(item.printed)}, "
        f"{joint} {item.check} comes to {_text(item.computed)}{open_}"
    )
    return item._asdict() | {"difference": item.printed - item.computed, "says": says}


def _text(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"


def _read(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UnusableInput(f"{path}: cannot be read as CSV ({reason}); check the path") from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        titles = next(reader, [])
        rows = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise UnusableInput(f"{path}: line {reader.line_num}: no CSV ({error}); mend it") from error
    columns = [_normal(title) or f"column_{i}" for i, title in enumerate(titles, start=1)]
    _check_shape(path, columns, rows)
    cells = [(line, dict(zip(columns, map(str.strip, row), strict=True))) for line, row in rows]
    return Table(columns, dict(zip(columns, titles, strict=True)), cells)


def _check_shape(path: Path, columns: list[str], rows: list[tuple[int, list[str]]]) -> None:
    if len(columns) < 2 or not rows:
        raise UnusableInput(f"{path}: line 1: no table; give column names and rows below them")
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice:
        raise UnusableInput(f"{path}: line 1 names the column {twice} twice; rename one")
    for line, row in rows:
        if len(row) != len(columns):
            raise UnusableInput(
                f"{path}: line {line} has {len(row)} cells, line 1 has {len(columns)}; put figures "
                "with commas in quotes"
            )


def _normal(title: str) -> str:
    words = re.sub(r"(?<=\d),(?=\d{3})", "", title.strip().lower())
    return re.sub(r"[^\w%]+", "_", words).strip("_").replace("%", "percent")
