"""Quarantine: what a source said that could not be used, and why, so that no row is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from sousveil.records import QUARANTINE
from sousveil.sources._links import safe_text

VALUE_LENGTH = 200  # characters of a value that are shown


def table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Build the quarantine of one source from rows that carry the names of its schema.

    Every value passes here on its way out: it is cut to 200 characters, and control characters
    and links are taken out, so that no link to a live feed leaves by this door.
    """
    safe = ({**row, "value": _shown(row.get("value"))} for row in rows)
    return pa.Table.from_pylist(list(safe), schema=QUARANTINE)


def set_aside(
    *,
    source_id: str,
    row: int,
    reason: str,
    field: str | None = None,
    value: str | None = None,
    native_id: str | None = None,
) -> dict[str, Any]:
    """One row of the quarantine: a whole row of the source, or only one ``field`` of it."""
    return {
        "source_id": source_id,
        "row": row,
        "field": field,
        "value": value,
        "reason": reason,
        "kept": field is not None,
        "native_id": native_id,
    }


def _shown(value: object) -> str | None:
    if value is None:
        return None
    return safe_text(str(value)[: 2 * VALUE_LENGTH])[:VALUE_LENGTH]
