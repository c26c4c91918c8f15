"""A CSV file of published figures as text, and what its columns stand for by their names."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final, NamedTuple

from sousveil.claims import _printed
from sousveil.claims._printed import Figure
from sousveil.errors import UnusableInput

NAME: Final = r"place|city|country|name|item|town|district|what|title|claim_id|기관명|구별"
CAMERAS: Final = (
    r"((number|no|n|count|total|of|cctv|surveillance|security|public|estimated|installed)_)*"
    r"(cameras?|cctvs?|devices)(_total|_count|_installed|_\d{4})?|"
    r"number|count|figure|카메라대수"
)
PEOPLE: Final = (
    r"(?!.*per_)(\w+_)?(people|population|inhabitants|residents|persons|einwohner|인구수|인구)"
    r"(_\d{4})?"
)
PER_CAMERA: Final = (
    r"(people|persons|inhabitants)_(per|to_a|a)_camera|(one|1)_(camera_)?(per|for_every|in)"
    r"(_people|_n)?|people_per"
)
PER: Final = re.compile(
    r"(?:(?:\w*_)?per_?|cameras?_)(?P<n>\d[\d_]*|thousand|hundred|capita|person)"
    r"(?:_(?:people|persons|inhabitants|residents|population|capita))?"
)
PER_AREA: Final = (
    (r".*per_(km2|square_km|sq_km|square_kilometre)", r"km2|area(_km2)?|(square|sq)_km"),
    (r".*per_(mile2|square_mile|sq_mile|mi2)", r"miles2?|(square|sq)_miles|mi2|area_mi2"),
)
SHARE: Final = r"share.*|percent.*|per_cent|pct|proportion|fraction"
WHOLE: Final = r"of|whole|base|out_of|of_total|share_of"
FORMULA: Final = r"formula|calculation|arithmetic|worked(_out)?(_as)?|expression|how"
RESULT: Final = r"result|printed|answer|comes_to|published|claimed|claim|value"
TOTAL: Final = r"total|sum|sums|grand_total|all|소계|합계|계|gesamt|summe|totale|insgesamt"
GROUP: Final = r"group|part_of|total_of|by|division|set"
NO_FIGURE: Final = (
    r"quoted_by|origin|year|date|rank|id|line|row|lon|lat|made_in|page|source|note.*|.*_url|grade"
)


class Table(NamedTuple):
    """A CSV file as text. rows: the line of each and its cells by normal column name."""

    columns: list[str]
    titles: dict[str, str]  # as the file writes them
    rows: list[tuple[int, dict[str, str]]]


def read(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{path}: is not in UTF-8; save it as CSV in UTF-8") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableInput(f"{path}: cannot be read ({reason}); check the path") from error
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


def known(column: str) -> bool:
    patterns = (NAME, PEOPLE, CAMERAS, PER_CAMERA, FORMULA, RESULT, TOTAL, GROUP,
                NO_FIGURE, WHOLE)  # fmt: skip
    return PER.fullmatch(column) is not None or any(re.fullmatch(p, column) for p in patterns)


def is_figures(table: Table, column: str) -> bool:
    cells = [row[column] for _, row in table.rows if row[column]]
    return bool(cells) and all(_printed.read(cell) for cell in cells)


def figures(row: dict[str, str], first: str, second: str) -> tuple[Figure, Figure] | None:
    left, right = _printed.read(row[first]), _printed.read(row[second])
    return (left, right) if left and right else None


def column(table: Table, pattern: str) -> str | None:
    return next((column for column in table.columns if re.fullmatch(pattern, column)), None)


def name_column(table: Table) -> str | None:
    """Return the column that names the rows: by what it is called, else the first of words."""
    words = (c for c in table.columns if not known(c) and not is_figures(table, c))
    return column(table, NAME) or next(words, None)


def name(table: Table, row: dict[str, str]) -> str:
    column = name_column(table)
    return row[column] if column and row[column] else next(iter(row.values()), "")
