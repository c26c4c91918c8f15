"""The tables of the report: captions, column heads and rows of text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from sousveil.report import _words
from sousveil.report._text import Summary
from sousveil.summary import tally

_MOST_OPERATORS: Final = 25


class Table(NamedTuple):
    """A table as the template prints it; heads are dicts of name and number (right-aligned)."""

    caption: str
    heads: list[dict[str, Any]]
    rows: list[list[str]]
    note: str = ""


def tables(summary: Summary, published: pa.Table) -> list[Table]:
    """Return the tables that have at least one row, in the order of the report."""
    n = summary["cameras"]["records"]
    made = [
        _estimates(summary["estimates"]),
        *([_operators(published), _rules(summary, n), _known(summary, n)] if n else []),
        _streets(summary["street_km_by_class"]),
        _apart(summary),
        _sources(summary["sources"]),
    ]
    return [table for table in made if table.rows]


def reasons(summary: Summary) -> Table:
    """Return the table of how often each reason for setting aside occurs."""
    rows = [[reason, f"{n:,}"] for reason, n in summary["quarantine"]["by_reason"].items()]
    return Table("Reasons for setting aside", heads("Reason", "#Cases"), rows)


def heads(*names: str) -> list[dict[str, Any]]:
    """Return column heads; a name that starts with ``#`` is that of a column of numbers."""
    return [{"name": name.lstrip("#"), "number": name.startswith("#")} for name in names]


def _estimates(estimates: Iterable[dict[str, Any]]) -> Table:
    rows = [
        [
            row["definition"].replace("km2", "km²"),
            _interval(row),
            row["method"],
            f"{row['n_observed']:,}",
        ]
        for row in estimates
    ]
    return Table("Estimates", heads("What", "#How many", "Method", "#Observed"), rows)


def _interval(row: dict[str, Any]) -> str:
    if row["high"] is None:
        return f"at least {_words.precise(row['low'])}" if row["low"] is not None else "–"
    return (
        f"{_words.precise(row['estimate'])} ({_words.precise(row['low'])} to "
        f"{_words.precise(row['high'])}, {100 * row['level']:.0f}% interval)"
    )


def _operators(published: pa.Table) -> Table:
    counts = tally(published["operator"], unknown=None)
    rows = [[name, f"{n:,}"] for name, n in list(counts.items())[:_MOST_OPERATORS]]
    more = len(counts) - len(rows)
    note = f"The {_MOST_OPERATORS} with most cameras; {more:,} more are in cameras.csv."
    return Table(
        "Operators by name, as recorded", heads("Operator", "#Cameras"), rows, note if more else ""
    )


def _rules(summary: Summary, n: int) -> Table:
    rows = [
        [rule["meaning"], f"{rule['cameras']:,}", _words.percent(rule["cameras"], n)]
        for rule in summary["operator_rules"].values()
    ]
    return Table("Rules that decide public or private", heads("Rule", "#Cameras", "#Share"), rows)


def _known(summary: Summary, n: int) -> Table:
    rows = [
        [
            _words.label(name, _words.ATTRIBUTES),
            f"{round(share * n):,}",
            _words.percent(round(share * n), n),
        ]
        for name, share in summary["attributes_known"].items()
    ]
    return Table(
        "How much is known of each attribute", heads("Attribute", "#Known", "#Share"), rows
    )


def _streets(km_by_class: dict[str, float]) -> Table:
    ordered = sorted(km_by_class.items(), key=lambda item: -item[1])
    rows = [[_words.label(name), f"{km:,.2f}"] for name, km in ordered]
    return Table(
        "Streets by class", heads("Class in OpenStreetMap", "#Kilometres of centre line"), rows
    )


def _apart(summary: Summary) -> Table:
    rows = [
        [f"No cameras: {_words.label(name, _words.NOT_CAMERAS)}", f"{n:,}"]
        for name, n in summary["not_cameras"].items()
    ]
    rows += [
        [f"Cameras that are {_words.label(name, _words.LIFECYCLES)}", f"{n:,}"]
        for name, n in summary["lifecycle"].items()
    ]
    if summary["cameras"]["outside"]:
        rows.append(["Outside the boundary", f"{summary['cameras']['outside']:,}"])
    return Table("Counted apart", heads("What", "#Objects"), rows)


def _sources(sources: Iterable[dict[str, Any]]) -> Table:
    rows = [
        [
            Path(source["path"]).name,
            source["format"],
            _words.day(source["seen_on"]),
            f"{source['rows']:,}",
            f"{source['observations']:,}",
            f"{source['quarantined']:,}",
            f"{source['fields_quarantined']:,}",
        ]
        for source in sources
    ]
    columns = heads(
        "File", "Format", "As of", "#Rows", "#Used", "#Rows set aside", "#Values set aside"
    )
    return Table("Sources", columns, rows)
