"""Small tables for tests: observations with only what a test cares about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyarrow as pa

from sousveil.records import OBSERVATIONS

_DEFAULTS: dict[str, Any] = {
    "source_id": "a",
    "native_id": "node/1",
    "seen_on": date(2024, 1, 1),
    "seen_by": "edit",
    "lon": 11.5,
    "lat": 48.1,
    "count": 1,
    "kind": "camera",
    "operator_class": "unknown",
    "operator_class_rule": "none",
    "private_home": False,
    "raw": "{}",
}


def observations(*rows: dict[str, Any]) -> pa.Table:
    """Return records.OBSERVATIONS, each row the defaults with what the test says."""
    full = [_DEFAULTS | row for row in rows]
    for row in full:
        row.setdefault("observation_id", f"{row['source_id']}/{row['native_id']}")
    return pa.Table.from_pylist(full, schema=OBSERVATIONS)
