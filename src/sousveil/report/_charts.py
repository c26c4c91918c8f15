"""The charts of the report: Vega-Lite drawn to SVG whose colours follow the page's CSS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import vl_convert

from sousveil.report import _words
from sousveil.report._text import Summary

_LABEL_PX: Final = 146
_BAR_PX: Final = 112
_VALUE_PX: Final = 112
_ROW_PX: Final = 26
_MOST_ROWS: Final = 9
_TEXT: Final = {"type": "text", "fontSize": 13, "baseline": "middle"}
_OWNER_FILLS: Final = {
    "public": "var(--owner-public)",
    "private": "var(--owner-private)",
    "unknown": "var(--bar-unknown)",
}


class Bar(NamedTuple):
    """One row of a chart: its name, its number of cameras and its colour in CSS."""

    label: str
    n: int
    fill: str = "var(--bar)"


class Chart(NamedTuple):
    """A chart as the template prints it; svg is empty where nothing is known.

    text is the chart in words; note says what is not in it.
    """

    name: str
    title: str
    bars: list[Bar]
    whole: int
    svg: str
    text: str
    note: str


def charts(summary: Summary) -> list[Chart]:
    """Return the charts of a census in the order of the report; none without a camera."""
    cameras = summary["cameras"]
    n = cameras["records"]
    if not n:
        return []
    found = summary["ages"]
    later = {"later": found["later"]} if found["later"] else {}
    ages = {**found["classes"], **later, "unknown": found["unknown"]}
    return [
        _chart("kind", "Kind of camera", _bars(cameras["by_kind"], _words.KINDS), n),
        _chart("owner", "Who runs them", _owner_bars(cameras["by_operator_class"]), n),
        _chart("setting", "Where they look", _bars(cameras["by_setting"], _words.SETTINGS), n),
        _chart("zone", "Zone watched", _bars(cameras["by_zone"]), n),
        _chart("mount", "What they hang on", _bars(cameras["by_mount"]), n),
        _chart("housing", "Housing", _bars(cameras["by_housing"], _words.HOUSINGS), n),
        _chart("age", "Time since the last check or edit", _bars(ages, _words.AGES), n),
        _known(summary),
    ]


def _bars(counts: Mapping[str, int], labels: Mapping[str, str] | None = None) -> list[Bar]:
    """Return the bars in the order of the counts, what is not recorded last, rare values joined."""
    known = [(_words.label(v, labels), n) for v, n in counts.items() if v != "unknown"]
    if len(known) > _MOST_ROWS:
        rest = known[_MOST_ROWS - 1 :]
        known = [*known[: _MOST_ROWS - 1], (f"{len(rest)} others", sum(n for _, n in rest))]
    bars = [Bar(label, n) for label, n in known]
    if counts.get("unknown"):
        bars.append(Bar(_words.label("unknown"), counts["unknown"], "var(--bar-unknown)"))
    return bars


def _owner_bars(counts: Mapping[str, int]) -> list[Bar]:
    return [
        Bar(label, counts.get(value, 0), _OWNER_FILLS[value])
        for value, label in _words.OWNERS.items()
    ]


def _known(summary: Summary) -> Chart:
    n = summary["cameras"]["records"]
    shares = sorted(summary["attributes_known"].items(), key=lambda item: -item[1])
    names = {name: _words.label(name, _words.ATTRIBUTES) for name, _ in shares}
    bars = [Bar(names[name], round(share * n)) for name, share in shares if share]
    chart = _chart("known", "How much is known", bars, n)
    nothing = _words.listed([names[name].lower() for name, share in shares if not share], "or")
    return chart._replace(note=f"Not recorded of any camera: {nothing}." if nothing else "")


def _chart(name: str, title: str, bars: list[Bar], whole: int) -> Chart:
    known = [bar for bar in bars if bar.label != _words.label("unknown") and bar.n]
    text = "; ".join(f"{bar.label}: {_words.of_all(bar.n, whole)}" for bar in bars)
    if not known:
        return Chart(name, title, bars, whole, "", text, "Not recorded of any camera.")
    return Chart(name, title, bars, whole, _svg(bars, whole), text, "")


def _svg(bars: list[Bar], whole: int) -> str:
    svg: str = vl_convert.vegalite_to_svg(_spec(bars, whole))
    # Named and described by its figure; the drawing itself has nothing more to tell.
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _spec(bars: list[Bar], whole: int) -> dict[str, Any]:
    """Return the Vega-Lite specification of horizontal bars with their numbers beside them."""
    rows = [
        {"i": i, "label": bar.label, "n": bar.n, "fill": bar.fill, "value": _value(bar.n, whole)}
        for i, bar in enumerate(bars)
    ]
    scale = {"domain": [0, max(bar.n for bar in bars)]}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "data": {"values": rows},
        "width": _BAR_PX,
        "height": _ROW_PX * len(bars),
        "padding": {"left": _LABEL_PX, "right": _VALUE_PX, "top": 2, "bottom": 2},
        "autosize": {"type": "none"},
        "background": None,
        "encoding": {
            "y": {"field": "i", "type": "ordinal", "axis": None},
            "x": {"field": "n", "type": "quantitative", "axis": None, "scale": scale},
        },
        "layer": [
            {
                "mark": {"type": "bar", "height": 15},
                "encoding": {"color": {"field": "fill", "type": "nominal", "scale": None}},
            },
            {
                "mark": _TEXT | {"align": "left", "dx": 6, "color": "var(--muted)"},
                "encoding": {"text": {"field": "value"}},
            },
            {
                "mark": _TEXT | {"align": "right", "limit": _LABEL_PX - 12, "color": "var(--ink)"},
                "encoding": {"text": {"field": "label"}, "x": {"value": -10}},
            },
        ],
        "config": {"view": {"stroke": None}, "aria": False},
    }


def _value(n: int, whole: int) -> str:
    return f"{n:,} · {_words.percent(n, whole)}" if n else "0"
