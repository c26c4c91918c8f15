"""Draw the pictures of the pages on samples, raters and completeness.

python docs/_pictures.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
import vl_convert

import sousveil as sv
from sousveil.raters import _model
from sousveil.raters import _rehearsal as volunteers
from sousveil.sources import download, osm
from sousveil.survey import _maps, _planning, _rehearsal

DOCS = Path(__file__).resolve().parent
INK, QUIET, GOOD, BAD, MARK = "#1d1d1d", "#8a8f94", "#00695c", "#b3261e", "#d98200"
FONT = "system-ui, sans-serif"


class Bar(NamedTuple):
    """One interval: where it starts and ends, its estimate, its colour, marks to the side."""

    label: str
    low: float
    middle: float
    high: float
    colour: str
    marks: tuple[tuple[float, str], ...] = ()


def chart(
    bars: Sequence[Bar],
    *,
    most: float,
    axis: str,
    height: int,
    title: str,
    truth: float | None = None,
    left: int = 150,
) -> str:
    """Return horizontal intervals as SVG, over one axis from 0."""
    width, top, row = 720, 14, height / max(len(bars), 1)
    bottom = top + height

    def x(value: float) -> float:
        return left + (width - left - 20) * value / most

    step = 10 ** np.floor(np.log10(most))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if most / s <= 8)
    parts = [
        f'<path d="M{x(tick):.1f},{top}V{bottom}" stroke="{QUIET}" stroke-opacity=".35"/>'
        f'<text x="{x(tick):.1f}" y="{bottom + 16:.0f}" text-anchor="middle" font-size="12" '
        f'fill="{QUIET}">{tick:,.0f}</text>'
        for tick in np.arange(0, most + step / 2, step)
    ]
    if truth is not None:
        parts.append(
            f'<path d="M{x(truth):.1f},{top - 6}V{bottom}" stroke="{MARK}" stroke-width="2"/>'
        )
    for i, bar in enumerate(bars):
        y = top + row * (i + 0.5)
        thick = 2.2 if row < 14 else 5
        parts.append(
            f'<path d="M{x(bar.low):.1f},{y:.1f}H{x(min(bar.high, most)):.1f}" '
            f'stroke="{bar.colour}" stroke-width="{thick}"/>'
            f'<circle cx="{x(bar.middle):.1f}" cy="{y:.1f}" r="{min(row / 2.2, 5):.1f}" '
            f'fill="{bar.colour}"/>'
        )
        parts += [
            f'<rect x="{x(at) - 2.5:.1f}" y="{y - min(row / 2, 9):.1f}" width="5" '
            f'height="{min(row, 18):.1f}" fill="{colour}"/>'
            for at, colour in bar.marks
        ]
        if bar.label:
            parts.append(
                f'<text x="{left - 10}" y="{y + 4:.1f}" text-anchor="end" font-size="13" '
                f'fill="{QUIET}">{bar.label}</text>'
            )
    parts.append(
        f'<text x="{(left + width - 20) / 2:.0f}" y="{bottom + 36:.0f}" font-size="13" '
        f'text-anchor="middle" fill="{QUIET}">{axis}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 46:.0f}" '
        f'font-family="{FONT}" role="img"><title>{title}</title>{"".join(parts)}</svg>\n'
    )


def recall() -> str:
    """Return the published interval beside those that carry the validation of recall."""
    known: dict[str, Any] = {
        "images": 100_000,
        "detections": 400,
        "metres_per_image": 25.0,
        "street_km": 10_000.0,
    }
    exact = sv.sample_estimate(**known, recall=0.63)
    bars = [Bar("taken as exact", exact["low"], exact["total"], exact["high"], BAD)]
    for of in (1000, 300, 100):
        answer = sv.sample_estimate(**known, recall_found=round(0.63 * of), recall_of=of)
        bars.append(Bar(f"of {of} validated", answer["low"], answer["total"], answer["high"], GOOD))
    return chart(
        bars,
        most=8000,
        axis="cameras",
        height=110,
        title="The fewer cameras recall was validated with, the wider the interval",
    )


def helsinki() -> tuple[_planning.Ground, Any, Any]:
    """Return the ground of the sample of Helsinki, its cameras by stretch, and its source."""
    source = osm.read(download.sample(), source_id="helsinki")
    where = _planning.ground(source.streets, boundary=None, footways=False)
    lon, lat = (source.observations[name].to_numpy() for name in ("lon", "lat"))
    return where, _rehearsal.mapped(where, lon, lat), source


def surveys() -> str:
    """Return the intervals of sixty rehearsed surveys of Helsinki."""
    where, cameras, _ = helsinki()
    random = np.random.default_rng(3)
    truth, bars = int(cameras.sum()), []
    while len(bars) < 60:
        result = _rehearsal.rehearse(where, cameras, 80, random, sees=(0.8, 0.7))
        if result is not None:
            hit = result.low <= truth <= result.high
            bars.append(Bar("", result.low, result.total, result.high, GOOD if hit else BAD))
    missed = sum(bar.colour == BAD for bar in bars)
    return chart(
        bars,
        most=500,
        axis="cameras estimated; the line is what is there",
        height=420,
        truth=truth,
        left=30,
        title=f"Of 60 rehearsed surveys {60 - missed} hold the truth, {missed} do not",
    )


def route() -> bytes:
    """Return the first walker's map of the example as PNG."""
    plan = sv.survey_plan("helsinki", hours=4, people=4, double=0.3, seed=1)
    walker = plan.walkers[0]
    lines = [stretch["line"] for stretch in walker["stretches"]]
    corners = np.concatenate([walker["route"], shapely.get_coordinates(lines)])
    at = _maps.view(corners, width=760, height=560, least_m=300, margin_m=40)
    picture: bytes = vl_convert.svg_to_png(
        _maps.overview(plan.ground, at, walker["route"], lines), scale=1.0
    )
    return picture


def raters() -> str:
    """Return for a dozen made-up towns the truth, the sum of medians and the model's interval."""
    bars, held = [], 0
    for seed in range(12):
        random = np.random.default_rng(100 + seed)
        made = volunteers.crossings(800, random)
        rows = np.column_stack([np.sort(made.reported, axis=1), made.expert])
        rows, weight = np.unique(rows, axis=0, return_counts=True)
        found = _model.fit(
            _model.Data(
                np.zeros((len(rows), 3), dtype=np.int64),
                rows[:, :3].copy(),
                rows[:, 3].copy(),
                np.zeros(len(rows), dtype=np.int64),
                weight.astype(float),
                np.ones((1, 1)),
                1,
                _model.most_cameras(int(rows.max())),
            ),
            random,
        )
        low, middle, high = np.quantile(found.total, [0.025, 0.5, 0.975])
        marks = (
            (float(np.median(made.reported, axis=1).sum()), BAD),
            (float(made.there.sum()), MARK),
        )
        held += bool(low <= made.there.sum() <= high)
        bars.append(Bar(f"town {seed + 1}", low, middle, high, GOOD, marks))
    return chart(
        bars,
        most=1800,
        axis="cameras: sum of medians (red), truth (amber), the model's 95 % interval (green)",
        height=260,
        left=80,
        title=f"The sum of medians finds a third; {held} of 12 intervals hold the truth",
    )


def completeness() -> str:
    """Return the shares of Milan's gates and of Seoul's carried totals, from the real lists."""
    data = Path(os.environ.get("SOUSVEIL_DATA") or DOCS.parent.parent / "shared" / "data")
    lists, seoul = data / "lists", data / "lists" / "seoul_districts"
    milan = sv.completeness(
        lists / "milano_official_gates_2026-08.geojson",
        lists / "osm_italy_surveillance_2026-08.geojson",
    )
    areas = {row["group"]: row for row in milan["by_series"]}
    named = {
        "Milan, all gates": milan,
        "Milan, Area C": areas["milano:areac"],
        "Milan, Area B": areas["milano:areab"],
    }
    bars = [_share(name, row, GOOD) for name, row in named.items()]
    carried = sv.completeness(
        seoul / "CCTV_in_Seoul_2016.csv", lists / "seoul_ansimi_cctv_2021.csv"
    )
    features = json.loads((seoul / "seoul_gu_boundaries.geojson").read_text("utf-8"))["features"]
    english = {f["properties"]["name"]: f["properties"]["name_eng"] for f in features}
    bars.append(_share("Seoul, all districts", carried["whole"], MARK))
    for row in sorted(carried["by_area"], key=lambda row: float(row["share"]["estimate"])):
        above = row["share"]["low"] > 1
        bars.append(_share(english[row["area"].split()[-1]], row, BAD if above else QUIET))
    return chart(
        bars,
        most=300,
        truth=100,
        axis="% of the register (Milan) or of its total carried to 2021 (Seoul); cut at 300",
        height=500,
        title="Milan: measured shares. Seoul: model-based shares, mostly around 100 %, all wide",
    )


def _share(name: str, row: dict[str, Any], colour: str) -> Bar:
    low, middle, high = (100 * row["share"][key] for key in ("low", "estimate", "high"))
    return Bar(name, low, middle, high, colour)


def main() -> None:
    """Write the pictures beside the pages."""
    (DOCS / "sampling-recall.svg").write_text(recall(), encoding="utf-8")
    (DOCS / "survey-intervals.svg").write_text(surveys(), encoding="utf-8")
    (DOCS / "survey-route.png").write_bytes(route())
    (DOCS / "raters.svg").write_text(raters(), encoding="utf-8")
    (DOCS / "completeness.svg").write_text(completeness(), encoding="utf-8")


if __name__ == "__main__":
    main()
