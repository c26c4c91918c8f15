"""What the lists of a census miss, estimated where their overlap can tell it.

`estimate` says how many cameras there are of those that all lists could hold; `missing`, for
whoever adds the cameras that no list has, how many these are and which listed ones they are like.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.overlap import Listed, comparable
from sousveil.records import ESTIMATES
from sousveil.undercount._listing import STREET, street_groups
from sousveil.undercount._missing import Missing
from sousveil.undercount._options import check, missing
from sousveil.undercount._stated import Stated, stated

__all__ = [
    "STREET",
    "Missing",
    "Stated",
    "Undercount",
    "check",
    "estimate",
    "missing",
    "stated",
    "street_groups",
]

_LEAST_ON_A_LIST: Final = 10  # with fewer, a list's ground and kinds are guesswork


class Undercount(NamedTuple):
    """An estimate of the total, or the reason why there is none.

    estimates: records.ESTIMATES, no row or one. told: JSON: {"estimate", "low", "high",
    "observed", "definition", "kinds", "method", "linkage", "warnings", "reason"}; estimate and high
    null where the lists cannot bound the total; kinds: that all lists hold; linkage of two lists
    (capture.Linkage and which is the second); reason null unless nothing could be estimated at all.
    """

    estimates: pa.Table
    told: dict[str, Any]


def estimate(
    cameras: pa.Table,
    observations: pa.Table,
    links: pa.Table,
    *,
    lists: Sequence[Listed],
    rates: pa.Table | None,
    place: str,
    seed: int = 0,
) -> Undercount | None:
    """Estimate how many cameras there are by capture-recapture; None for a single list.

    Lists count only what all of them can hold: kinds that each holds, on the ground that all look
    at (`overlap.comparable`). The estimate is of that population, and its definition says so.
    cameras: records.CAMERAS. observations: records.OBSERVATIONS. links: records.LINKS. rates:
    linking.RATES. See docs/capture.md for the methods and what they assume.
    """
    if len(lists) < 2:
        return None
    list_of = {source: one.list_id for one in lists for source in one.sources}
    known = pc.is_in(links["camera_id"], cameras["camera_id"])
    links, rows = links.filter(known), observations.filter(known)
    list_ids = np.array([list_of[source] for source in links["source_id"].to_pylist()])
    kept, what = _comparable(rows, list_ids, lists)
    counts = {one.list_id: int((kept & (list_ids == one.list_id)).sum()) for one in lists}
    few = [one.title for one in lists if counts[one.list_id] < _LEAST_ON_A_LIST]
    if few:
        return _none(
            f"on the ground and of the kinds that all lists share, {' and '.join(few)} "
            f"{'hold' if len(few) > 1 else 'holds'} fewer than {_LEAST_ON_A_LIST} cameras: "
            "too few to tell what the lists miss"
        )
    chosen = links.filter(pa.array(kept))
    named = chosen.set_column(
        chosen.schema.get_field_index("source_id"),
        chosen.schema.field("source_id"),
        pa.array(list_ids[kept].tolist(), pa.string()),
    )
    found = _captured(
        named, what, lists=lists, rates=_renamed(rates, lists), place=place, seed=seed
    )
    kinds = sorted({kind or "camera" for kind in rows["kind"].filter(pa.array(kept)).to_pylist()})
    return found._replace(told=found.told | {"kinds": kinds})


def _comparable(
    rows: pa.Table, list_ids: npt.NDArray[np.str_], lists: Sequence[Listed]
) -> tuple[npt.NDArray[np.bool_], str]:
    """Return which observations all lists could hold, and in words what they are."""
    lon, lat = rows["lon"].to_numpy(), rows["lat"].to_numpy()
    kept, which = comparable(lon, lat, rows["kind"].to_pylist(), list_ids)
    covers = "; ".join(f"{one.title}: {one.covers}" for one in lists if one.covers)
    limits = f" ({covers})" if covers else ""
    return kept, f"{which} of the sort that each list could hold{limits}, on the ground of all"


def _renamed(rates: pa.Table | None, lists: Sequence[Listed]) -> pa.Table | None:
    """Return linkage rates by list, None where a list has several sources and they do not hold."""
    if rates is None or not rates.num_rows or any(len(one.sources) > 1 for one in lists):
        return None
    list_of = {one.sources[0]: one.list_id for one in lists}
    rows = [
        row | {"source_l": list_of[row["source_l"]], "source_r": list_of[row["source_r"]]}
        for row in rates.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=rates.schema)


def _captured(
    links: pa.Table,
    what: str,
    *,
    lists: Sequence[Listed],
    rates: pa.Table | None,
    place: str,
    seed: int,
) -> Undercount:
    from sousveil.capture import capture  # takes a while to load, and one list does without

    model = "chapman" if len(lists) == 2 else "loglinear-average"
    found = capture(links, model=model, rates=rates, population_of=what, seed=seed)
    best = found.recommended
    method = f"capture-recapture ({model}), linkage errors carried"
    note = _note(best, found.observed, len(lists))
    row = {
        "place": place,
        "definition": what,
        "method": method,
        "estimate": best["estimate"],
        "low": best["low"],
        "high": best["high"],
        "level": 0.95 if best["high"] is not None else None,
        "n_observed": found.observed,
        "lists": len(lists),
        "sources": [source for one in lists for source in one.sources],
        "note": note,
    }
    told = {
        "estimate": best["estimate"],
        "low": best["low"],
        "high": best["high"],
        "observed": found.observed,
        "definition": what,
        "method": method,
        "linkage": _linkage(rates, links),
        "warnings": found.warnings,
        "reason": None,
    }
    return Undercount(pa.Table.from_pylist([row], schema=ESTIMATES), told)


def _linkage(rates: pa.Table | None, links: pa.Table) -> dict[str, Any] | None:
    """Return alpha and beta of two lists, and which list they are of; None where not known."""
    from sousveil.capture._linkage import in_the_order_of_rates, two_list_rates

    lists = in_the_order_of_rates(sorted(set(links["source_id"].to_pylist())), rates)
    found = two_list_rates(rates, lists) if rates is not None and len(lists) == 2 else None
    return found and found._asdict() | {"second": lists[1]}


def _note(best: dict[str, Any], observed: int, n_lists: int) -> str:
    if best["estimate"] is None or best["high"] is None:
        return f"at least {observed:,}: the overlap of the lists cannot bound the total"
    independent = (
        "if the two lists found their cameras independently of each other, which cannot be tested; "
        "lists that look at the same places make it too low"
        if n_lists == 2
        else "averaged over models of how the lists depend on each other; cameras that every list "
        "finds hard to see make it too low"
    )
    return (
        f"about {best['estimate']:,.0f} ({best['low']:,.0f} to {best['high']:,.0f}), {independent}"
    )


def _none(reason: str) -> Undercount:
    told = dict.fromkeys(
        (
            "estimate", "low", "high", "observed", "definition", "method", "linkage", "warnings",
            "kinds",
        )
    )  # fmt: skip
    return Undercount(ESTIMATES.empty_table(), told | {"reason": reason})
