"""What the register of one list can say in numbers: lower bounds and rates, never a total."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sousveil.place import Place
from sousveil.records import ESTIMATES

ONE_LIST: Final = "lower bound (one list)"

_MAPPED: Final = "surveillance cameras mapped in OpenStreetMap, one per installation"


def rates(n_cameras: int, place: Place) -> dict[str, float | None]:
    """Return cameras per km of street, per km2 and per 1,000 people; None where unknown."""
    return {
        "per_street_km": _ratio(n_cameras, place.street_km),
        "per_km2": _ratio(n_cameras, place.area_km2),
        "per_1000": _ratio(1000 * n_cameras, place.population),
    }


def at_least(cameras: pa.Table, place: Place, *, source_ids: list[str]) -> pa.Table:
    """Return lower bounds for the place: what one list holds, and the rates that follow.

    One list has no overlap with another from which the missed cameras could be estimated, so each
    row is "at least low" and its high is null. cameras: records.CAMERAS.
    Returns records.ESTIMATES.
    """
    n = cameras.num_rows
    owners = cameras["operator_class"]
    rows = [
        _row(_MAPPED, n, n),
        _row(
            "devices: surveillance cameras mapped in OpenStreetMap, each lens housing by itself "
            "where the number at an installation is stated, one otherwise",
            pc.sum(cameras["count"]).as_py() or 0,
            n,
        ),
        *(
            _row(f"{_MAPPED}, {meaning}", _count(owners, value), n)
            for value, meaning in (
                ("public", "run by public bodies by the rules of ownership"),
                ("private", "run privately by the rules of ownership"),
            )
        ),
        *(
            _row(f"{_MAPPED}, {unit}", rate, n)
            for rate, unit in zip(
                rates(n, place).values(),
                ("per km of street centre line", "per km2", "per 1,000 people"),
                strict=True,
            )
            if rate is not None
        ),
    ]
    for row in rows:
        row |= {"place": place.name, "lists": 1, "sources": source_ids}
    return pa.Table.from_pylist(rows, schema=ESTIMATES)


def _row(definition: str, value: float, n_observed: int) -> dict[str, Any]:
    return {
        "definition": definition,
        "method": ONE_LIST,
        "estimate": float(value),
        "low": float(value),
        "high": None,
        "level": None,
        "n_observed": n_observed,
        "note": f"at least {value:,.4g}" if isinstance(value, float) else f"at least {value:,}",
    }


def _count(column: pa.ChunkedArray, value: str) -> int:
    return int(pc.sum(pc.equal(column, value)).as_py() or 0)


def _ratio(numerator: float, denominator: float | None) -> float | None:
    return numerator / denominator if denominator else None
