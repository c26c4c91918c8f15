"""The picture of claims: by year on a logarithmic scale, as SVG in the colours of the page."""

from __future__ import annotations

import math
from typing import Any, Final

import vl_convert

from sousveil.claims import _words

SIZE_PX: Final = (640, 380)
NARROW_PX: Final = (250, 280)
"""For a telephone: letters keep their size when the picture is as wide as the screen."""
_SCOPES: Final = {
    "installed base": "var(--c1)",
    "public bodies": "var(--c2)",
    "public-facing": "var(--c3)",
    "business premises": "var(--c4)",
    "visible from the street": "var(--c5)",
    "one network": "var(--c6)",
    "unstated": "var(--c0)",
}


def timeline(summary: dict[str, Any], *, narrow: bool = False) -> str:
    """Return the claims of a place as SVG, "" where none is dated; narrow: for a telephone.

    Filled: independent; hollow: copies and arithmetic; triangles: forecasts. A line with a bar
    across is an estimate with its interval.
    """
    points = [_point(claim) for claim in summary["claims"] if claim["year"] and claim["number"]]
    if not points:
        return ""
    bars = [_bar(row) for row in summary["estimates"] if row["high"] is not None]
    svg: str = vl_convert.vegalite_to_svg(_spec(points, bars, NARROW_PX if narrow else SIZE_PX))
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def key(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the definitions in the picture with their colours."""
    there = {claim["scope"] for claim in summary["claims"] if claim["year"] and claim["number"]}
    return [(scope, colour) for scope, colour in _SCOPES.items() if scope in there]


def in_words(summary: dict[str, Any]) -> str:
    """Return the picture in words, for who cannot see it."""
    said = [
        f"{claim['year']}: {_words.number(claim['number'])}, {claim['scope']}, "
        f"{_words.ROLES[claim['role']]}, {claim['publisher']}"
        for claim in sorted(summary["claims"], key=lambda claim: claim["year"] or 0)
        if claim["year"] and claim["number"]
    ]
    return "; ".join(said)


def _point(claim: dict[str, Any]) -> dict[str, Any]:
    colour = _SCOPES[claim["scope"]]
    whole = claim["role"] in ("independent", "part", "visible", "no definition")
    return {
        "year": claim["year"],
        "number": claim["number"],
        "stroke": colour,
        "fill": colour if whole else "none",
        "size": 80 if whole else 190,  # a copy is a ring around what it copies
        "shape": "triangle-up" if claim["role"] == "forecast" else "circle",
    }


def _bar(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "year": row["year"],
        "low": row["low"],
        "high": row["high"],
        "middle": row["estimate"],
        "stroke": _SCOPES[row["scope"]],
    }


def _spec(
    points: list[dict[str, Any]], bars: list[dict[str, Any]], size_px: tuple[int, int]
) -> dict[str, Any]:
    years = [point["year"] for point in points] + [bar["year"] for bar in bars]
    numbers = [p["number"] for p in points] + [b[e] for b in bars for e in ("low", "high")]
    low, high = min(numbers) / 1.6, max(numbers) * 1.6
    x = {
        "field": "year",
        "type": "quantitative",
        "scale": {"domain": [min(years) - 1, max(years) + 1], "nice": False},
        "axis": _axis("d") | {"tickMinStep": 1, "grid": False},
        "title": None,
    }
    y = {
        "field": "number",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": _axis("~s") | {"labelExpr": _LABEL, "values": _ticks(low, high)},
        "title": None,
    }
    layers = [_bars(bars, x, y), _middles(bars, x, y)] if bars else []
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": size_px[0],
        "height": size_px[1],
        "background": None,
        "padding": 6,
        "layer": [*layers, _marks(points, x, y)],
        "config": {"view": {"stroke": None}, "aria": False, "font": "system-ui, sans-serif"},
    }


# The axis has no labels but these, 1, 2 and 5 of each power of ten.
_LABEL: Final = (
    "datum.value >= 1e9 ? format(datum.value / 1e9, '~g') + ' bn' : "
    "datum.value >= 1e6 ? format(datum.value / 1e6, '~g') + ' M' : format(datum.value, ',')"
)


def _ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [
        d * 10.0**power for power in powers for d in (1, 2, 5) if low <= d * 10.0**power <= high
    ]


def _axis(form: str) -> dict[str, Any]:
    return {
        "format": form,
        "labelColor": "var(--muted)",
        "labelFontSize": 13,
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
    }


def _marks(points: list[dict[str, Any]], x: Any, y: Any) -> dict[str, Any]:
    own = {"type": "nominal", "scale": None}
    return {
        "data": {"values": points},
        "mark": {"type": "point", "strokeWidth": 2, "opacity": 1},
        "encoding": {
            "x": x,
            "y": y,
            "stroke": {"field": "stroke", **own},
            "fill": {"field": "fill", **own},
            "shape": {"field": "shape", **own},
            "size": {"field": "size", "type": "quantitative", "scale": None},
        },
    }


def _bars(bars: list[dict[str, Any]], x: Any, y: Any) -> dict[str, Any]:
    return {
        "data": {"values": bars},
        "mark": {"type": "rule", "strokeWidth": 12, "opacity": 0.28},
        "encoding": {
            "x": x,
            "y": y | {"field": "low"},
            "y2": {"field": "high"},
            "stroke": {"field": "stroke", "type": "nominal", "scale": None},
        },
    }


def _middles(bars: list[dict[str, Any]], x: Any, y: Any) -> dict[str, Any]:
    return {
        "data": {"values": bars},
        "mark": {"type": "tick", "orient": "horizontal", "size": 26, "thickness": 3},
        "encoding": {
            "x": x,
            "y": y | {"field": "middle"},
            "color": {"field": "stroke", "type": "nominal", "scale": None},
        },
    }
