"""Official totals by area against a list: two numbers, and the share of the total carried on."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.claims import counted
from sousveil.completeness._carrying import LEVEL, Priors, Register, back_test, grown
from sousveil.errors import UnusableInput
from sousveil.sources import Source

METHOD: Final = "share by a carried total: from a model of growth, no measurement"

_PRINTED: Final = re.compile(r"([\d,]+) printed, ([\d,]+) summed")
_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_QUARTERS: Final = (0.125, 0.375, 0.625, 0.875)
_UNMATCHED: Final = (
    "counts are compared, not cameras: what the list holds was not matched one by one"
)
_ABOVE_1: Final = (
    "an interval above 100% says that the list holds more than the total would have grown to, by "
    "another definition or because more was built; one that reaches above it, that it may"
)

_Array = npt.NDArray[np.float64]


def against(official: Source, held: Source, *, seed: int = 0) -> dict[str, Any]:
    """Compare a list with official totals by area.

    Where a printed total is not the sum of its parts both are used. "ratio" is the list over the
    total as it stands, which is no share where the list is younger; "share" is of the total carried
    on to the day of the list (sousveil.completeness._carrying), where that can be done.
    """
    totals = _official(official)
    devices = _devices_by_operator(held.observations)
    rows: list[dict[str, Any]] = []
    for area, (low, high) in totals.items():
        n = sum(count for operator, count in devices.items() if operator.startswith(area))
        rows.append(
            {
                "area": area,
                "official_low": low,
                "official_high": high,
                "devices": n,
                "ratio_low": n / high if high else None,
                "ratio_high": n / low if low else None,
            }
        )
    if not any(row["devices"] for row in rows):
        raise UnusableInput(
            f"{held.path}: no operator begins with an area of {official.path}; name a list whose "
            "operators are those areas"
        )
    return {"method": "totals by area"} | _carried(official, held.seen_on, rows, seed)


def _carried(
    official: Source, on: date | None, rows: list[dict[str, Any]], seed: int
) -> dict[str, Any]:
    """Add to each row its share of the carried total; return all that was found with its notes."""
    register = _register(official)
    spans = () if register is None or on is None else _spans(register.years[-1], on)
    notes = [_UNMATCHED]
    if any(row["official_low"] != row["official_high"] for row in rows):
        notes.append("printed totals are not the sums of their parts: both are used")
    if register is None or on is None or not spans:
        notes.append("no share and no interval can be given: the day of the list or of the totals "
                     "is not known, or the list is the older one")  # fmt: skip
        return {"by_area": rows, "whole": None, "carried": None, "notes": notes}
    country = counted(official.country) if official.country else {}
    growth = np.exp(grown(register, country, spans=spans, seed=seed))
    by_area = [row | _share([row], growth[:, [i]]) for i, row in enumerate(rows)]
    whole = _summed(rows) | _share(rows, growth)
    notes.append(
        "shares are of totals that a model carried on, so they are wide and no measurement"
    )
    if any(row["share"]["high"] > 1 for row in (*by_area, whole)):
        notes.append(_ABOVE_1)
    return {
        "by_area": by_area,
        "whole": whole,
        "carried": {
            "method": METHOD,
            "from_year": register.years[-1],
            "to_year": on.year,
            "years": [min(spans), max(spans)],
            "columns": list(register.years),
            "growth": _interval(_of_whole(rows, growth)),
            "country": official.country,
            "country_counts": {str(year): count for year, count in sorted(country.items())},
            "priors": Priors()._asdict(),
            "back_test": back_test(register, country, seed=seed),
        },
        "notes": notes,
    }


def _share(rows: list[dict[str, Any]], growth: _Array) -> dict[str, Any]:
    """Return what the list holds of the carried total of some areas together.

    growth: factors, draws x areas. Which of two official totals is right is not known: each has
    half of the draws.
    """
    devices = sum(row["devices"] for row in rows)
    totals = {
        name: growth @ np.array([row[name] for row in rows], dtype=float)
        for name in ("official_low", "official_high")
    }
    both = np.concatenate(list(totals.values()))
    return {
        "carried_total": _interval(both),
        "share": _interval(devices / both) | {"level": LEVEL, "method": METHOD},
        "share_by_reading": {name: _interval(devices / total) for name, total in totals.items()},
        "holds_more_probability": float((devices > both).mean()),
    }


def _of_whole(rows: list[dict[str, Any]], growth: _Array) -> _Array:
    weights = np.array([row["official_high"] for row in rows], dtype=float)
    factor: _Array = growth @ weights / weights.sum()
    return factor


def _summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"area": "all areas"} | {
        name: sum(row[name] for row in rows)
        for name in ("official_low", "official_high", "devices")
    }


def _interval(draws: _Array) -> dict[str, float]:
    low, middle, high = np.quantile(draws, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    return {"estimate": float(middle), "low": float(low), "high": float(high)}


def _spans(last: int, on: date) -> tuple[float, ...]:
    """Return the years from the end of the last column to the list; 1 January is any day."""
    if (on.month, on.day) == (1, 1):
        return tuple(on.year - last - 1 + part for part in _QUARTERS) if on.year > last else ()
    span = (on - date(last, 12, 31)).days / 365.25
    return (span,) if span > 0 else ()


def _register(official: Source) -> Register | None:
    """Return the totals by area and year, by the columns that name one year each.

    Without such columns it is the totals of the year of the register alone, and the growth rests
    on the country and the priors. An area whose first column is empty has no growth from it.
    """
    raws = [json.loads(row["raw"]) for row in official.evidence.to_pylist() if row["raw"]]
    totals = list(_official(official).values())
    columns = _year_columns(raws)
    if columns and len(raws) == len(totals):
        years = tuple(sorted(columns))
        built = np.array([[_whole(raw[columns[year]]) for year in years] for raw in raws])
        cumulative = built.cumsum(axis=1)
        if (cumulative > 0).all() and years == tuple(range(years[0], years[-1] + 1)):
            return Register(years, cumulative)
    if official.seen_on is None or not all(high for _, high in totals):
        return None
    return Register((official.seen_on.year,), np.array([[float(high)] for _, high in totals]))


def _year_columns(raws: list[dict[str, Any]]) -> dict[int, str]:
    """Return the columns that name one year and hold a whole number in every row."""
    found: dict[int, str] = {}
    for name in raws[0] if raws else ():
        years = _YEAR.findall(name)
        if len(years) == 1 and all(_whole(raw.get(name)) is not None for raw in raws):
            found[int(years[0])] = name
    return found


def _whole(value: Any) -> float | None:
    text = str(value).replace(",", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _official(official: Source) -> dict[str, tuple[int, int]]:
    """Return the total of each area, twice where it is printed and its parts sum to another."""
    said: dict[str, tuple[int, int]] = {}
    by_row = {row["row"]: row["value"] for row in official.quarantine.to_pylist()
              if row["field"] == "count"}  # fmt: skip
    for row in official.evidence.to_pylist():
        match = _PRINTED.fullmatch(by_row.get(row["row"]) or "")
        if match:
            low, high = sorted(int(text.replace(",", "")) for text in match.groups())
            said[row["place"]] = low, high
        elif row["count"] is not None:
            said[row["place"]] = row["count"], row["count"]
    if not said:
        raise UnusableInput(f"{official.path}: gives no total that could be used; check the file")
    return said


def _devices_by_operator(observations: pa.Table) -> dict[str, int]:
    counted = observations.group_by("operator").aggregate([("count", "sum")])
    return {row["operator"]: row["count_sum"] for row in counted.to_pylist() if row["operator"]}
