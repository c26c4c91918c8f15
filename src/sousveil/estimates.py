"""What a register can say in numbers by itself: lower bounds and rates, never a total."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sousveil.overlap import OSM, Listed
from sousveil.place import Place
from sousveil.records import ESTIMATES

ONE_LIST: Final = "lower bound (one list)"
JOINED: Final = "lower bound (lists joined)"


def rates(n_cameras: int, place: Place) -> dict[str, float | None]:
    """Return cameras per km of street, per km2 and per 1,000 people; None where unknown."""
    return {
        "per_street_km": _ratio(n_cameras, place.street_km),
        "per_km2": _ratio(n_cameras, place.area_km2),
        "per_1000": _ratio(1000 * n_cameras, place.population),
    }


def at_least(
    cameras: pa.Table, place: Place, *, lists: Sequence[Listed], unlinked: float = 0.0
) -> pa.Table:
    """Return lower bounds for the place: what its lists hold, and the rates that follow.

    Nothing here tells how many cameras all lists miss, so each row is "at least low" and its high
    is null. cameras: records.CAMERAS. lists: those that the cameras come from. unlinked: how many
    of the cameras are expected to be others over again whose link was missed; low is without them,
    but never below what the longest list holds. Returns records.ESTIMATES.
    """
    n, most = cameras.num_rows, _longest(cameras, lists)
    share = max(n - unlinked, most) / n if n else 1.0
    what, owners = _definition(lists), cameras["operator_class"]
    counted = [
        (what, n),
        (
            f"devices: {what.removesuffix(', one per installation')}, each lens housing by itself "
            "where the number at an installation is stated, one otherwise",
            pc.sum(cameras["count"]).as_py() or 0,
        ),
        (f"{what}, run by public bodies by the rules of ownership", _count(owners, "public")),
        (f"{what}, run privately by the rules of ownership", _count(owners, "private")),
    ]
    units = ("per km of street centre line", "per km2", "per 1,000 people")
    measured = [
        (f"{what}, {unit}", rate)
        for rate, unit in zip(rates(n, place).values(), units, strict=True)
        if rate is not None
    ]
    rows = [
        {"place": place.name, "lists": len(lists), "n_observed": n,
         "sources": [source for one in lists for source in one.sources],
         "method": JOINED if len(lists) > 1 else ONE_LIST} | _bounded(definition, value, share)
        for definition, value in [*counted, *measured]
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ESTIMATES)


def _definition(lists: Sequence[Listed]) -> str:
    if len(lists) > 1:
        titles = ", ".join(one.title for one in lists)
        what = f"surveillance cameras in at least one of {len(lists)} lists ({titles})"
    elif not lists or lists[0].list_id == OSM:
        what = "surveillance cameras mapped in OpenStreetMap"
    else:
        covers = f" ({lists[0].covers})" if lists[0].covers else ""
        what = f"surveillance cameras in the list of {lists[0].title}{covers}"
    return f"{what}, one per installation"


def _longest(cameras: pa.Table, lists: Sequence[Listed]) -> int:
    held = cameras["sources"].to_pylist()
    return max(
        (sum(not set(one.sources).isdisjoint(by) for by in held) for one in lists), default=0
    )


def _bounded(definition: str, value: float, share: float) -> dict[str, Any]:
    low = value if share == 1.0 else value * share
    if isinstance(value, int):
        low = math.floor(low + 1e-9)
    return {
        "definition": definition,
        "estimate": float(value),
        "low": float(low),
        "high": None,
        "level": None,
        "note": f"at least {low:,.4g}" if isinstance(low, float) else f"at least {low:,}",
    }


def _count(column: pa.ChunkedArray, value: str) -> int:
    return int(pc.sum(pc.equal(column, value)).as_py() or 0)


def _ratio(numerator: float, denominator: float | None) -> float | None:
    return numerator / denominator if denominator else None
