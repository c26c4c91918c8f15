"""Counts with their nouns and days, for every sentence that a person reads."""

from __future__ import annotations

from datetime import date
from typing import Final

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: ``1 camera``, ``2 cameras``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def day(value: date | str | None) -> str:
    """Return a date as ``20 July 2020``."""
    if value is None:
        return "date not recorded"
    when = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def listed(parts: list[str], last: str = "and") -> str:
    """Return the parts as an English enumeration."""
    return f" {last} ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
