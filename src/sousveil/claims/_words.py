"""The answer of `claims` in sentences, and figures as people read them."""

from __future__ import annotations

from typing import Any, Final

from sousveil._words import plural

ROLES: Final = {
    "independent": "independent",
    "copy": "copy",
    "derived": "arithmetic on other figures",
    "forecast": "forecast",
    "undated": "undated",
    "no definition": "does not say what was counted",
    "part": "one network only",
    "visible": "only what the street shows",
}

_COUNTED: Final = {
    "copy": ("copy", "copies"),
    "forecast": ("forecast", "forecasts"),
    "no definition": ("that does not say what was counted", "that do not say what was counted"),
    "part": ("of one network only", "of one network only"),
    "visible": ("of only what the street shows", "of only what the street shows"),
}
"""The same behind a number, of one and of several."""


def number(value: float | None) -> str:
    """Return a number of cameras to three digits: 1.24 million, 350 million, 4,200."""
    if value is None:
        return "unknown"
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if value >= size * 0.9995:
            return f"{_digits(value / size)}{word}"
    return f"{_digits(value)}"


def _digits(value: float) -> str:
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.0f}"


def per_camera(value: float | None) -> str:
    """Return people per camera as "1 per 4.1"."""
    return (
        "unknown"
        if value is None
        else f"1 per {value:,.2g}"
        if value < 10
        else (f"1 per {value:,.0f}")
    )


def sentences(summary: dict[str, Any]) -> list[str]:
    """Return the answer in words, the main thing first."""
    return [
        *(_estimate(row) for row in summary["estimates"]),
        _claimed(summary),
        *_rank(summary),
        *_forecast(summary),
    ]


def _estimate(row: dict[str, Any]) -> str:
    place = row["place"]
    if row["high"] is not None:
        per = row["people_per_camera"]
        ratio = (
            f", one per {per['estimate']:.2g} people ({per['low']:.2g} to {per['high']:.2g})"
            if per
            else ""
        )
        note = f" Note: {row['note']}." if row["note"] else ""
        return (
            f"{place}, {row['definition']}: {number(row['estimate'])} cameras "
            f"({number(row['low'])} to {number(row['high'])}, {row['level']:.0%} interval){ratio}."
            f"{note}"
        )
    return f"{place}, {row['definition']}: {row['note']}."


def _claimed(summary: dict[str, Any]) -> str:
    roles = [claim["role"] for claim in summary["claims"]]
    counts = [
        plural(roles.count(role), *_COUNTED.get(role, (word, word)))
        for role, word in ROLES.items()
        if role in roles
    ]
    return f"{plural(len(roles), 'claim')} found: {', '.join(counts)}."


def _rank(summary: dict[str, Any]) -> list[str]:
    rank = summary["rank"]
    if not rank["possible"]:
        return [f"No rank among countries: {rank['why']}."]
    said = []
    for key, words in (("per_person", "per person"), ("total", "in all")):
        table = rank[key]
        best = table["most_likely"]
        chance = table["probabilities"][str(best)]
        said.append(f"number {best} {words} with probability {_chance(chance)}")
    n = len(rank["among"])
    return [f"Among the {n} countries that can be compared, in {rank['year']}: {'; '.join(said)}."]


def _chance(p: float) -> str:
    return "over 0.99" if p >= 0.995 else f"{p:.2f}"


def _forecast(summary: dict[str, Any]) -> list[str]:
    told = summary["forecast"]
    rows, record, later = told["rows"], told["record"], told["written_later"]
    known = f" from what was written by {told['on']}" if later else ""
    if not rows:
        if not later:
            return []
        why = "; ".join(f"{one['definition']}: {one['why']}" for one in told["not_forecast"])
        return [f"No forecast{known}{f' ({why})' if why else ''}."]
    said = [
        f"{row['definition']} in {row['year']}: {number(row['estimate'])} "
        f"({number(row['low'])} to {number(row['high'])})"
        for row in rows
    ]
    tested = (
        f" Of {plural(record['n'], 'such forecast')} made earlier {record['inside']} held the "
        "later claim."
        if record["n"]
        else ""
    )
    beyond = sorted({str(row["year"]) for row in rows if row["beyond_record"]})
    if beyond:
        tested += (
            f" For {' and '.join(beyond)} there is no such record: further ahead than any that "
            "could be tested."
        )
    return [f"Forecast{known}, if growth goes on and slows: {'; '.join(said)}.{tested}"]
