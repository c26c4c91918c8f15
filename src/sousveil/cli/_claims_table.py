"""The claims about a place as a table for the terminal, or as a list where that is narrow."""

from __future__ import annotations

import shutil
import sys
from typing import Any, Final
from urllib.parse import urlsplit

_WIDTH: Final = 120
"""Columns where the output is no terminal, so that it is the same everywhere."""

_NARROW: Final = 100
"""Below this the columns would break their words: a list is easier to read."""

_ROLES: Final = {
    "derived": "arithmetic",
    "part": "one network",
    "visible": "street only",
}
"""Roles whose word in the JSON says too little alone, and short ones."""


def claims_table(claims: list[dict[str, Any]], width: int | None = None) -> str:
    """Return claims by year, a row each, in at most width columns (those of the terminal)."""
    width = width or _columns()
    rows = [_cells(c) for c in sorted(claims, key=lambda c: (c["year"] or 9999, c["claim_id"]))]
    return _as_table(rows, width) if width >= _NARROW else _as_list(rows, width)


def _columns() -> int:
    return shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH


def _cells(claim: dict[str, Any]) -> dict[str, str]:
    from sousveil.claims._words import number

    host = urlsplit(claim["quoted_by"] or "").hostname or claim["quoted_by"] or "-"
    return {
        "number": "ratio only" if claim["number"] is None else number(claim["number"]),
        "year": str(claim["year"] or "-"),
        "scope": claim["scope"],
        "publisher": claim["publisher"] or "-",
        "taken from": claim["origin"] or "-",
        "read on": host.removeprefix("www."),
        "role": _ROLES.get(claim["role"], claim["role"]),
        "grade": claim["grade"],
    }


def _as_table(rows: list[dict[str, str]], width: int) -> str:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    whole = ("number", "year", "role", "grade")
    for name in rows[0]:
        table.add_column(
            name,
            justify="right" if name == "number" else "left",
            no_wrap=name in whole,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row.values()))
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as printed:
        console.print(table)
    return "\n".join(line.rstrip() for line in printed.get().splitlines())


def _as_list(rows: list[dict[str, str]], width: int) -> str:
    import textwrap

    lines = []
    for row in rows:
        said = f"{row['number']}, {row['year']}, {row['scope']}: {row['publisher']}"
        said += "" if row["taken from"] == "-" else f", taken from {row['taken from']}"
        said += f"; read on {row['read on']}; {row['role']}, grade {row['grade']}"
        lines += textwrap.wrap(said, width, subsequent_indent="  ")
    return "\n".join(lines)
