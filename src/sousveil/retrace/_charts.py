"""The charts and the map of the report: SVG whose colours follow the page's CSS."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
import vl_convert

_WIDTH_PX: Final = 336
_ROW_PX: Final = 46
_TEXT: Final = {"type": "text", "fontSize": 13, "baseline": "middle"}
_AXIS: Final = {
    "labelColor": "var(--muted)", "titleColor": "var(--muted)", "domainColor": "var(--line)",
    "tickColor": "var(--line)", "gridColor": "var(--line)", "labelFontSize": 12,
    "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8,
}  # fmt: skip

MAP_WIDTH: Final = 1000
_STEPS: Final = (0.02, 0.1, 0.3, 0.6)
"""Chance of being named on a stretch from which each of the map's shades is used."""


class Row(NamedTuple):
    """A share with its interval: a line of a chart."""

    label: str
    mean: float
    low: float
    high: float
    fill: str = "var(--bar)"
    note: str = ""  # after the value


def rows_chart(rows: list[Row], *, most: float = 1.0) -> str:
    """Return shares as bars from nought with the interval as a line over the end of each."""
    data = [
        row._asdict() | {"i": i, "value": percent(row.mean) + row.note, "zero": 0}
        for i, row in enumerate(rows)
    ]
    x = {"type": "quantitative", "scale": {"domain": [0, most]}, "axis": None}
    y = {"field": "i", "type": "ordinal", "axis": None}
    return _svg(
        {
            "data": {"values": data},
            "width": _WIDTH_PX,
            "height": _ROW_PX * len(rows),
            "encoding": {"y": y},
            "layer": [
                {
                    "mark": {"type": "bar", "height": 12, "yOffset": 10},
                    "encoding": {
                        "x": {"field": "mean", **x},
                        "color": {"field": "fill", "type": "nominal", "scale": None},
                    },
                },
                {
                    "mark": {
                        "type": "rule",
                        "color": "var(--muted)",
                        "strokeWidth": 2,
                        "yOffset": 20,
                    },
                    "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
                },
                {
                    "mark": _TEXT | {"align": "left", "yOffset": -8, "color": "var(--ink)"},
                    "encoding": {"text": {"field": "label"}, "x": {"value": 0}},
                },
                {
                    "mark": _TEXT | {"align": "right", "yOffset": -8, "color": "var(--muted)"},
                    "encoding": {"text": {"field": "value"}, "x": {"value": _WIDTH_PX}},
                },
            ],
        }
    )


def histogram(values: npt.NDArray[np.float64], title: str) -> str:
    """Return how many residents have which share, in tenths."""
    known = values[np.isfinite(values)]
    counts, _ = np.histogram(known, np.linspace(0, 1, 11))
    data = [
        {"from": i / 10, "to": (i + 1) / 10, "n": int(n) / max(len(known), 1)}
        for i, n in enumerate(counts)
    ]
    return _svg(
        {
            "data": {"values": data},
            "width": _WIDTH_PX - 50,
            "height": 190,
            "mark": {"type": "bar", "color": "var(--bar)", "binSpacing": 1},
            "encoding": {
                "x": {
                    "field": "from",
                    "type": "quantitative",
                    "bin": {"binned": True, "step": 0.1},
                    "title": title,
                    "axis": {"format": "%", "tickCount": 5, "grid": False},
                },
                "x2": {"field": "to"},
                "y": {
                    "field": "n",
                    "type": "quantitative",
                    "title": "residents",
                    "axis": {"format": "%", "tickCount": 4},
                },
            },
        }
    )


def days_chart(named: dict[str, Any], followed: dict[str, Any]) -> str:
    """Return which share of residents the record of so many days singles out, of two records."""
    rows = [
        {"day": i + 1, "share": share, "low": low, "high": high, "fill": fill}
        for told, fill in ((followed, "var(--light)"), (named, "var(--bar)"))
        for i, (share, low, high) in enumerate(
            zip(told["until_day"], told["until_day_low"], told["until_day_high"], strict=True)
        )
    ]
    y = {
        "type": "quantitative",
        "title": "singled out",
        "stack": None,
        "scale": {"domain": [0, 1]},
        "axis": {"format": "%", "tickCount": 4},
    }
    return _svg(
        {
            "data": {"values": rows},
            "width": _WIDTH_PX - 50,
            "height": 190,
            "encoding": {
                "x": {
                    "field": "day",
                    "type": "ordinal",
                    "title": "days on record",
                    "axis": {"labelAngle": 0, "labelOverlap": True},
                },
            },
            "layer": [
                {
                    "mark": {"type": "bar"},
                    "encoding": {
                        "y": {"field": "share", **y},
                        "color": {"field": "fill", "type": "nominal", "scale": None},
                    },
                },
                {
                    "mark": {"type": "rule", "color": "var(--ink)", "strokeWidth": 1.5},
                    "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
                },
            ],
        }
    )


def steps_chart(rows: list[dict[str, Any]], title: str) -> str:
    """Return a share with its interval as one thing grows: rows have value, mean, low, high."""
    data = [row for row in rows if row["mean"] is not None and row["low"] is not None]
    y = {"type": "quantitative", "title": "trips named", "scale": {"domainMin": 0},
         "axis": {"format": "%", "tickCount": 4}}  # fmt: skip
    x = {"field": "value", "type": "quantitative", "title": title,
         "axis": {"format": "%", "tickCount": 5, "grid": False}}  # fmt: skip
    data = [row | {"value": float(row["value"])} for row in data]
    return _svg(
        {
            "data": {"values": data},
            "width": _WIDTH_PX - 50,
            "height": 190,
            "encoding": {"x": x},
            "layer": [
                {
                    "mark": {"type": "area", "color": "var(--bar)", "opacity": 0.22},
                    "encoding": {"y": {"field": "low", **y}, "y2": {"field": "high"}},
                },
                {
                    "mark": {
                        "type": "line",
                        "color": "var(--bar)",
                        "point": {"color": "var(--bar)"},
                    },
                    "encoding": {"y": {"field": "mean", **y}},
                },
            ],
        }
    )


def _svg(spec: dict[str, Any]) -> str:
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": None,
        "padding": 4,
        "config": {"view": {"stroke": None}, "aria": False, "axis": _AXIS},
    } | spec
    svg: str = vl_convert.vegalite_to_svg(whole)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def percent(value: float) -> str:
    """Return a share as people write it."""
    return f"{value:.0%}" if value >= 0.1 or value == 0 else f"{value:.1%}"


def named_map(lines: npt.NDArray[Any], chance: npt.NDArray[np.float64]) -> str:
    """Return the streets as SVG, darker where a passage is more often named."""
    if not len(lines):
        return ""
    west, south, east, north = shapely.total_bounds(lines)
    squeeze = np.cos(np.radians((south + north) / 2))
    width, height = (east - west) * squeeze, north - south
    scale = MAP_WIDTH / max(width, height, 1e-6)
    size = f"{max(width * scale, 300) + 20:.0f} {max(height * scale, 300) + 20:.0f}"

    def path(chosen: npt.NDArray[np.bool_]) -> str:
        points, line = shapely.get_coordinates(lines[chosen], return_index=True)
        x = np.round((points[:, 0] - west) * squeeze * scale).astype(int)
        y = np.round((north - points[:, 1]) * scale).astype(int)
        first = np.append(True, line[1:] != line[:-1]) if len(line) else np.empty(0, bool)
        return "".join(
            f"{'M' if start else 'L'}{a},{b}"
            for start, a, b in zip(first.tolist(), x.tolist(), y.tolist(), strict=True)
        )

    parts = [f'<path class="way" d="{path(chance < _STEPS[0])}"/>']
    for i, low in enumerate(_STEPS):
        high = _STEPS[i + 1] if i + 1 < len(_STEPS) else 2.0
        parts.append(f'<path class="named n{i}" d="{path((chance >= low) & (chance < high))}"/>')
    return (
        f'<svg viewBox="-10 -10 {size}" xmlns="http://www.w3.org/2000/svg" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def steps_of_map() -> list[str]:
    """Return in words what the shades of the map mean, the lightest first."""
    bounds = [*_STEPS, 1.0]
    return [f"{percent(a)} to {percent(b)}" for a, b in pairwise(bounds)]
