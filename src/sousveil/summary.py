"""The census in one object: the JSON of the command contract, counted from the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sousveil import estimates
from sousveil._words import day as written
from sousveil.place import Place
from sousveil.register import Register, installed
from sousveil.sources import Source
from sousveil.sources._owners import RULES
from sousveil.sources.tabular._compose import OWNER_RULES

ATTRIBUTES: Final = (
    "kind",
    "housing",
    "bearings",
    "hfov_deg",
    "height_m",
    "mount",
    "setting",
    "zone",
    "operator",
    "operator_class",
    "purpose",
    "capabilities",
    "pixels_h",
    "retention_days",
    "installed",
    "last_seen",
)
"""Attributes whose known share a census states."""

LOOKED: Final = ("check", "edit")
"""What `seen_by` says where `last_seen` is a look at the camera, not the date of a whole list."""

AGE_CLASSES: Final = ((1, "under 1 year"), (2, "1 to 2 years"), (5, "2 to 5 years"),
                      (10, "5 to 10 years"), (1000, "10 years or more"))  # fmt: skip
"""Upper bounds in years and names of the age classes of last check or edit."""

_DAYS_PER_YEAR: Final = 365.2425


def summarise(
    *,
    place: Place,
    on: date,
    dated: bool,
    asked: dict[str, Any],
    sources: Sequence[Source],
    register: Register,
    estimated: pa.Table,
    outside: int,
    withheld: dict[str, str] | None = None,
    lists: dict[str, Any] | None = None,
    undercount: dict[str, Any] | None = None,
    timeline: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the summary of a census; every value can be written as JSON.

    asked: the arguments of the census, without folders.
    dated: whether `on` was given or comes from a source, not from today's calendar.
    outside: installations that the sources hold but that lie outside the boundary.
    withheld: sources whose records may not be passed on, with the reason.
    lists: see `overlap.compare`. undercount: see `undercount.estimate`. timeline: see
        `timeline.timeline`.
    "coverage" is null and "files" empty here: a census that looks at the streets, or is written,
        fills them in.
    """
    cameras = register.cameras
    quarantine = pa.concat_tables([source.quarantine for source in sources])
    newest = max((source.seen_on for source in sources if source.seen_on), default=None)
    return {
        "place": place.name,
        "on": on.isoformat(),
        "dated": dated,
        "data_on": newest and newest.isoformat(),
        "warnings": _warnings(cameras, on, newest or _newest_look(sources)),
        "asked": asked,
        "area_km2": place.area_km2,
        "street_km": place.street_km,
        "footway_km": place.footway_km,
        "street_km_by_class": place.street_km_by_class,
        "population": place.population,
        "population_source": place.population_source,
        "population_note": place.population_note,
        "boundary": {"kind": place.boundary_kind, "note": place.boundary_note},
        "sources": [_source(source) for source in sources],
        "cameras": {
            "records": cameras.num_rows,
            "devices": pc.sum(cameras["count"]).as_py() or 0,
            "by_kind": tally(cameras["kind"]),
            "by_setting": tally(cameras["setting"]),
            "by_operator_class": tally(cameras["operator_class"]),
            "by_housing": tally(cameras["housing"]),
            "by_mount": tally(cameras["mount"]),
            "by_zone": tally(cameras["zone"]),
            "untyped": _untyped(cameras),
            "private_homes": pc.sum(cameras["private_home"]).as_py() or 0,
            "outside": outside,
        },
        "not_cameras": tally(register.apart["not_camera"], unknown=None),
        "lifecycle": tally(register.apart["lifecycle"], unknown=None),
        "rates": estimates.rates(cameras.num_rows, place),
        "attributes_known": attributes_known(cameras),
        "operator_rules": {
            rule: {"cameras": n, "meaning": (RULES | OWNER_RULES)[rule]}
            for rule, n in tally(cameras["operator_class_rule"]).items()
        },
        "ages": ages(cameras, on=on),
        "installed": installed(cameras),
        "links_dropped": sum(source.links_dropped for source in sources),
        "quarantine": _quarantine(quarantine),
        "estimates": estimated.to_pylist(),
        "withheld": withheld or {},
        "lists": lists,
        "undercount": undercount,
        "timeline": timeline,
        "coverage": None,
        "files": {},
    }


def asked(
    sources: Sequence[str | Path],
    within: str | Path | None,
    population: int | None,
    on: date | None,
    *,
    threshold: float | None = None,
    accept_swapped: bool = False,
    undercount: str | tuple[float, float, float] | Path | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return what was asked for, for whoever wants to ask it again; no folder of the user's."""

    def plain(source: str | Path) -> str:
        if str(source).startswith("spec="):
            return f"spec={Path(str(source)[5:]).name}"
        return Path(source).name if Path(source).exists() else str(source)

    return {
        "sources": [plain(source) for source in sources],
        "within": None if within is None else plain(within),
        "population": population,
        "on": on and on.isoformat(),
        "threshold": threshold,
        "accept_swapped": accept_swapped,
        "undercount": _stated(undercount),
        "seed": seed,
    }


def _stated(undercount: str | tuple[float, float, float] | Path | None) -> str | None:
    """Return an undercount as it is written on the command line; no folder of the user's."""
    if undercount is None:
        return None
    if isinstance(undercount, tuple):
        return "/".join(f"{number:g}" for number in undercount)
    return Path(undercount).name if Path(undercount).exists() else str(undercount)


def tally(column: pa.ChunkedArray, *, unknown: str | None = "unknown") -> dict[str, int]:
    """Return how often each value stands in a column, most frequent first, nulls as `unknown`.

    With unknown=None nulls are left out.
    """
    counts = Counter(column.to_pylist())
    nulls = counts.pop(None, 0)
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    if nulls and unknown is not None:
        ordered[unknown] = ordered.get(unknown, 0) + nulls
    return ordered


def attributes_known(cameras: pa.Table) -> dict[str, float]:
    """Return the share of cameras of which each attribute is known, 0 where there is none.

    Of last_seen that is the share of those that somebody checked or edited on a known day.
    """
    n = cameras.num_rows
    known = {name: n - cameras[name].null_count for name in ATTRIBUTES}
    classes = cameras["operator_class"]
    known["last_seen"] = sum(day is not None for day, _ in _looks(cameras))
    known["operator_class"] = n - (pc.sum(pc.equal(classes, "unknown")).as_py() or 0)
    return {name: count / n if n else 0.0 for name, count in known.items()}


def ages(cameras: pa.Table, *, on: date) -> dict[str, Any]:
    """Return how long ago the cameras were last checked or edited, seen from the day `on`.

    JSON: {"classes": {age class: cameras}, "median_years", "checked", "edited", "later", "listed",
    "unknown"}, where checked counts a check on the ground and edited only a change of the map.
    Cameras that were touched after `on` have no age then; they are the `later` ones. The date of a
    list that does not say when it looked at a camera tells nothing of that: those cameras are
    `listed`, and among the unknown.
    """
    looks = [(day, by) for day, by in _looks(cameras) if day is not None]
    by_then = [(day, by) for day, by in looks if day <= on]
    years = sorted((on - day).days / _DAYS_PER_YEAR for day, _ in by_then)
    classes = dict.fromkeys((name for _, name in AGE_CLASSES), 0)
    for age in years:
        classes[next(name for limit, name in AGE_CLASSES if age < limit)] += 1
    by = Counter(by for _, by in by_then)
    return {
        "classes": classes,
        "median_years": _median(years),
        "checked": by["check"],
        "edited": by["edit"],
        "later": len(looks) - len(by_then),
        "listed": pc.sum(pc.equal(cameras["seen_by"], "list")).as_py() or 0,
        "unknown": cameras.num_rows - len(looks),
    }


def _looks(cameras: pa.Table) -> list[tuple[date | None, str | None]]:
    """Return the day of the last check or edit of each camera and which it was, if known."""
    seen = zip(cameras["last_seen"].to_pylist(), cameras["seen_by"].to_pylist(), strict=True)
    return [(day, by) if by in LOOKED else (None, None) for day, by in seen]


def _newest_look(sources: Sequence[Source]) -> date | None:
    """Return the day of the newest check or edit in sources: they cannot be older."""
    tables = [source.observations for source in sources]
    looks = [pc.max(t.filter(pc.is_in(t["seen_by"], pa.array(LOOKED)))["seen_on"]) for t in tables]
    return max((day.as_py() for day in looks if day.is_valid), default=None)


def _warnings(cameras: pa.Table, on: date, newest: date | None) -> list[str]:
    """Return what the reader of the figures has to know before all else."""
    if newest is None or newest <= on:
        return []
    known = cameras.num_rows - cameras["installed"].null_count
    return [
        f"The data are of {written(newest)} and cannot tell what stood on {written(on)}, except "
        "for cameras whose day of installation is recorded "
        f"({known:,} of the {cameras.num_rows:,} counted)."
    ]


def _untyped(cameras: pa.Table) -> int:
    """Count the ordinary cameras of OpenStreetMap whose tags do not say that they are cameras."""
    raw = pc.fill_null(cameras["raw"], "")
    untyped = pc.and_not(
        pc.match_substring(raw, '"man_made"'), pc.match_substring(raw, '"surveillance:type"')
    )
    return int(pc.sum(pc.and_(pc.equal(cameras["kind"], "camera"), untyped)).as_py() or 0)


def _median(ordered: list[float]) -> float | None:
    if not ordered:
        return None
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[~middle]) / 2


def _source(source: Source) -> dict[str, Any]:
    whole = pc.sum(pc.invert(source.quarantine["kept"])).as_py() or 0
    return {
        "id": source.source_id,
        "path": source.path,
        "format": source.format,
        "publisher": source.publisher,
        "rows": source.rows,
        "observations": source.observations.num_rows,
        "evidence": source.evidence.num_rows,
        "quarantined": whole,
        "fields_quarantined": source.quarantine.num_rows - whole,
        "licence": source.licence,
        "attribution": source.attribution,
        "seen_on": source.seen_on.isoformat() if source.seen_on else None,
        "list": source.list_id,
        "notes": list(source.notes),
    }


def _quarantine(quarantine: pa.Table) -> dict[str, Any]:
    kept = pc.sum(quarantine["kept"]).as_py() or 0
    return {
        "rows_set_aside": quarantine.num_rows - kept,
        "fields_set_aside": kept,
        "by_reason": tally(quarantine["reason"]),
    }
