"""A table of published figures, worked out again row by row.

Which columns stand for what is read from their names; what is tested is said, so that a table in
which nothing was recognised cannot pass for one that holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sousveil.claims import _printed, _table, _totals
from sousveil.claims._found import ROUNDED, WRONG, Found, as_dict, compare
from sousveil.claims._printed import Figure
from sousveil.claims._table import Table
from sousveil.errors import UnusableInput

_HUNDREDS: Final = {"thousand": 1000.0, "hundred": 100.0, "capita": 1.0, "person": 1.0}
_PER_UNITS: Final = {"per_100": 100.0, "per_1000": 1000.0}


def check(path: str | Path) -> dict[str, Any]:
    """Work out again the ratios, shares, sums and arithmetic in a table of published figures.

    Returns {"file", "rows", "tested": [{"check", "figures"}], "figures", "hold", "wrong": [...],
    "within_rounding": [...], "checks": [...], "not_tested"}; wrong, within_rounding and checks, all
    of them, hold Found as dicts with a sentence "says". Raises UnusableInput for a file that is no
    CSV or has nothing to test.
    """
    table = _table.read(Path(path))
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
        "wrong": [as_dict(item) for item in found if item.status == WRONG],
        "within_rounding": [as_dict(item) for item in found if item.status == ROUNDED],
        "checks": [as_dict(item) for item in found],
        "not_tested": [
            {"line": line, "name": _table.name(table, row)}
            for line, row in table.rows
            if line not in tested_lines
        ],
    }


def _ratios(table: Table) -> Iterator[Found]:
    cameras, people = _table.column(table, _table.CAMERAS), _table.column(table, _table.PEOPLE)
    if not (cameras and people):
        return
    for column in table.columns:
        per = _table.PER.fullmatch(column)
        inverse = re.fullmatch(_table.PER_CAMERA, column) is not None
        if not (per or inverse):
            continue
        base = _HUNDREDS.get(per["n"]) or float(per["n"].replace("_", "")) if per else None
        label = "people per camera" if inverse else f"cameras per {base:,.0f} people"
        for line, row in table.rows:
            found = _table.figures(row, cameras, people)
            printed = _printed.read_ratio(row[column])
            if found and printed and (computed := _ratio(*found, base)):
                yield compare(line, _table.name(table, row), label, column, printed, computed)


def _stated_ratios(table: Table) -> Iterator[Found]:
    """Test the ratios of a table of claims (records.CLAIMS), whose unit stands in a column."""
    if not {"ratio", "ratio_unit", "number", "people"} <= set(table.columns):
        return
    for line, row in table.rows:
        found = _table.figures(row, "number", "people")
        printed = _printed.read_ratio(row["ratio"])
        base = _PER_UNITS.get(row["ratio_unit"])
        if found and printed and (computed := _ratio(*found, base)):
            label = row["ratio_unit"].replace("_", " ")
            yield compare(line, _table.name(table, row), label, "ratio", printed, computed)


def _ratio(cameras: Figure, people: Figure, base: float | None) -> Figure | None:
    """Return cameras per `base` people, or people per camera without a base."""
    if base is None:
        return _printed.divide(people, cameras)
    rate = _printed.divide(cameras, people)
    return rate and _printed.multiply(rate, _printed.exact(base))


def _areas(table: Table) -> Iterator[Found]:
    cameras = _table.column(table, _table.CAMERAS)
    for pattern, area_pattern in _table.PER_AREA:
        density, area = _table.column(table, pattern), _table.column(table, area_pattern)
        if not (cameras and density and area):
            continue
        for line, row in table.rows:
            n, size = _printed.read(row[cameras]), _printed.read(row[area], measured=True)
            printed = _printed.read_ratio(row[density])
            if n and size and printed and (computed := _printed.divide(n, size)):
                yield compare(
                    line, _table.name(table, row), "cameras by area", density, printed, computed
                )


def _shares(table: Table) -> Iterator[Found]:
    share, whole = _table.column(table, _table.SHARE), _table.column(table, _table.WHOLE)
    result = _table.column(table, _table.CAMERAS) or _table.column(table, _table.RESULT)
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
            yield compare(
                line, _table.name(table, row), "share of a whole", result, printed, computed
            )


def _formulas(table: Table) -> Iterator[Found]:
    """Test arithmetic that stands in a cell, with its result there or in a column of its own."""
    formula = _table.column(table, _table.FORMULA)
    if not formula:
        return
    column = (
        _table.column(table, _table.RESULT)
        or _table.column(table, _table.CAMERAS)
        or _table.column(table, _table.TOTAL)
        or formula
    )
    for line, row in table.rows:
        worked, _, after = row[formula].partition("=")
        computed = _printed.evaluate(worked)
        printed = _printed.read_ratio(after) if after else _printed.read_ratio(row[column])
        if computed and printed:
            yield compare(line, _table.name(table, row), worked.strip(), column, printed, computed)


_TESTS: Final = (
    _ratios,
    _stated_ratios,
    _areas,
    _shares,
    _formulas,
    _totals.across,
    _totals.below,
    _totals.said_twice,
)


def _tested(found: list[Found]) -> list[dict[str, Any]]:
    labels: dict[str, int] = {}
    for item in found:
        labels[item.check] = labels.get(item.check, 0) + 1
    return [{"check": label, "figures": n} for label, n in labels.items()]
