"""Counts with their nouns, for every sentence that a person reads."""

from __future__ import annotations


def plural(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: ``1 camera``, ``2 cameras``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
