"""Draws the pictures of docs/capture.md from our own estimates: `python docs/_capture.py`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import vl_convert

from sousveil.capture import Linkage, capture
from sousveil.capture import _averaging as averaging
from sousveil.capture import _choosing as choosing
from sousveil.capture import _latent as latent
from sousveil.capture import _robust as robust
from sousveil.capture import _simple as simple
from sousveil.capture._histories import Histories, in_lists, to_table
from sousveil.capture._methods import Estimate

DOCS = Path(__file__).parent
BENCH = DOCS.parent / "bench" / "README.md"

KOSOVO = Histories(
    ("EXH", "ABA", "OSCE", "HRW"),
    np.array([0, 1131, 845, 177, 936, 228, 217, 181, 306, 106, 31, 18, 123, 42, 32, 27.0]),
)
TEAL, ORANGE, GREY, RED = "#00796b", "#e67700", "#868e96", "#c92a2a"
HELD, COLOURS = ("hold", "nearly", "fail"), (TEAL, ORANGE, RED)
AXIS = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "grid": True}


def main() -> None:
    """Draw all pictures."""
    write("methods", methods())
    write("models", models())
    write("heterogeneity", heterogeneity())
    write("linkage", linkage())
    write("chains", chains())
    write("covariates", covariates())
    write("coverage", coverage())


def write(name: str, spec: dict[str, Any]) -> None:
    """Draw one picture into docs/capture-NAME.svg."""
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "white",
        "padding": 8,
        "config": {"axis": AXIS, "legend": {"labelFontSize": 12, "titleFontSize": 12},
                   "view": {"stroke": "#dee2e6"}},
    } | spec  # fmt: skip
    svg = vl_convert.vegalite_to_svg(whole)
    (DOCS / f"capture-{name}.svg").write_text(svg + "\n", encoding="utf-8")


def x(field: str, title: str, **scale: Any) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"zero": False} | scale,
    }


def methods() -> dict[str, Any]:
    """All methods on one table, with their intervals and the ensemble."""
    result = capture(to_table(KOSOVO))
    rows = []
    singles = 0
    for row in result.models.to_pylist():
        singles += row["name"] == "loglinear"
        if row["name"] == "loglinear" and singles > 1:
            continue
        told = Estimate(row["name"], tuple(row["terms"]), *([0.0] * 5))
        name = choosing.label(told)
        best = row["terms"] == result.recommended["terms"]
        rows.append(row | {"label": "loglinear, lowest BIC" if row["name"] == "loglinear" else name,
                           "colour": ORANGE if best else TEAL})  # fmt: skip
    rows.append(dict(result.ensemble) | {"label": "ensemble", "colour": GREY})
    y = {
        "field": "label",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelLimit": 300},
    }
    colour = {"field": "colour", "type": "nominal", "scale": None}
    return {
        "data": {"values": rows},
        "width": 420,
        "height": 220,
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 3},
             "encoding": {"y": y, "color": colour, "x": x("low", "killings"),
                          "x2": {"field": "high"}}},
            {"mark": {"type": "point", "filled": True, "size": 90},
             "encoding": {"y": y, "color": colour, "x": x("estimate", "killings")}},
        ],
    }  # fmt: skip


def models() -> dict[str, Any]:
    """The 113 models of four lists: estimates against how well they fit."""
    found = averaging.fit_all(KOSOVO).models
    lowest = min(model.bic for model in found)
    rows = [
        {"estimate": m.estimate, "bic": m.bic - lowest, "weight": w}
        for m, w in zip(found, averaging.weights(found, "bic"), strict=True)
        if m.bic - lowest < 60 and m.estimate < 40_000
    ]
    y = {"field": "bic", "type": "quantitative", "title": "BIC above the lowest",
         "scale": {"reverse": True}}  # fmt: skip
    return {
        "data": {"values": rows},
        "width": 420,
        "height": 240,
        "mark": {"type": "point", "filled": True, "color": TEAL, "opacity": 0.7},
        "encoding": {
            "x": x("estimate", "estimate of the model", type="log", domain=[6000, 40000]),
            "y": y,
            "size": {"field": "weight", "type": "quantitative", "title": "weight"},
        },
    }


def expected(spread: float, k: int = 4, n: float = 10_000) -> Histories:
    """The expected histories of lists when cameras differ in how visible they are."""
    nodes, weight = np.polynomial.hermite_e.hermegauss(80)
    base = np.log([0.45 / 0.55, 0.35 / 0.65, 0.3 / 0.7, 0.25 / 0.75][:k])
    p = 1 / (1 + np.exp(-(base + spread * nodes[:, None])))
    member = in_lists(k)
    cells = np.array([np.where(row, p, 1 - p).prod(axis=1) @ weight for row in member])
    counts = n * cells / weight.sum()
    counts[0] = 0
    return Histories(tuple("abcd"[:k]), counts)


def heterogeneity() -> dict[str, Any]:
    """What methods tend to when cameras differ in how easily they are seen."""
    rows = []
    for spread in np.linspace(0, 2, 17):
        table = expected(float(spread))
        fits = averaging.fit_models([(1, 2, 4, 8)], table.counts).models
        dispersed = averaging.fit_heterogeneous(table)
        _, one_step, _ = simple.coverage_estimates(table.counts)
        for name, value in (
            ("independent lists", fits[0].estimate),
            ("Chao's lower bound", simple.chao(table).estimate),
            ("sample coverage", one_step),
            ("Darroch's model", dispersed[1].estimate),
        ):
            rows.append({"spread": spread, "ratio": value / 10_000, "method": name})
    return {
        "data": {"values": rows},
        "width": 420,
        "height": 240,
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": {
            "x": x("spread", "how much cameras differ (standard deviation of the logit)"),
            "y": x("ratio", "estimate / truth"),
            "color": {"field": "method", "type": "nominal", "title": None},
            "strokeDash": {"field": "method", "type": "nominal", "title": None},
        },
    }


def linkage() -> dict[str, Any]:
    """What errors of linkage do to two lists, and what the correction gives."""
    n, p1, p2, rows = 10_000, 0.3, 0.4, []
    for beta in (0.0, 0.02, 0.05):
        for alpha in np.linspace(0.6, 1, 21):
            shared = n * p1 * p2
            linked = shared * alpha + (n * p2 - shared) * beta
            counts = np.array([0, n * p1 - linked, n * p2 - linked, linked])
            table = Histories(("a", "b"), counts)
            for label, known in (
                (f"beta {beta:.2f}, ignored", None),
                ("corrected", Linkage(float(alpha), beta)),
            ):
                found = simple.lincoln_petersen(simple.two_lists(table, known))
                rows.append({"alpha": alpha, "ratio": found.estimate / n, "line": label})
    return {
        "data": {"values": rows},
        "width": 420,
        "height": 240,
        "mark": {"type": "line", "strokeWidth": 2.5},
        "encoding": {
            "x": x("alpha", "alpha: share of the true links that were found"),
            "y": x("ratio", "estimate / truth"),
            "color": {"field": "line", "type": "nominal", "title": None},
        },
    }


def chains() -> dict[str, Any]:
    """Chains that agree, and chains that stay where they are."""
    uk = table_of_the_uk()
    rows = []
    for name, counts in (("four lists, Kosovo: they agree", KOSOVO.counts),
                         ("six lists, UK: they do not", uk)):  # fmt: skip
        draws = latent.sample(counts, seed=2).totals[:, ::25]
        rows += [
            {"table": name, "step": 1000 * step, "total": float(value), "chain": f"chain {i + 1}"}
            for i, chain in enumerate(draws)
            for step, value in enumerate(chain)
        ]
    return {
        "data": {"values": rows},
        "facet": {"column": {"field": "table", "type": "nominal", "title": None,
                             "header": {"labelFontSize": 12}}},
        "resolve": {"scale": {"y": "independent"}},
        "spec": {
            "width": 230,
            "height": 200,
            "mark": {"type": "line", "strokeWidth": 1},
            "encoding": {
                "x": x("step", "step"),
                "y": x("total", "total"),
                "color": {"field": "chain", "type": "nominal", "title": None},
            },
        },
    }  # fmt: skip


def table_of_the_uk() -> Any:
    text = (DOCS.parent / "tests" / "capture_tables.py").read_text(encoding="utf-8")
    part = text.split("UK = table(")[1].split('"LA NG')[0]
    counts = np.zeros(64)
    for history, count in re.findall(r"([01]{6}):(\d+)", part):
        counts[sum(1 << i for i, held in enumerate(history) if held == "1")] += int(count)
    return counts


def covariates() -> dict[str, Any]:
    """Lists that are independent only among cameras alike: with covariates and without."""
    rows = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        z = rng.normal(2, 1, (3000, 3))
        chances = [1 / (1 + np.exp(-(-0.6 + slope * z).sum(axis=1))) for slope in (0.4, 0.3)]
        a, b = (rng.random(3000) < chance for chance in chances)
        seen = a | b
        found = robust.estimate(a[seen].astype(int), b[seen].astype(int), z[seen],
                                np.ones(int(seen.sum())))  # fmt: skip
        rows += [
            {"ratio": found.estimate / 3000 if found else None, "method": "doubly robust"},
            {"ratio": a.sum() * b.sum() / (a & b).sum() / 3000, "method": "Lincoln-Petersen"},
        ]
    return {
        "data": {"values": rows},
        "width": 420,
        "height": 90,
        "mark": {"type": "tick", "thickness": 1.5, "opacity": 0.7},
        "encoding": {
            "x": x("ratio", "estimate / truth, 60 made-up places"),
            "y": {"field": "method", "type": "nominal", "title": None},
            "color": {"field": "method", "type": "nominal", "legend": None},
        },
    }


def coverage() -> dict[str, Any]:
    """How often the recommended interval held the truth, from bench/README.md."""
    part = BENCH.read_text(encoding="utf-8").split("<!-- capture-coverage -->")[1]
    rows = []
    for line in re.findall(r"^\| (\d lists.*) \|$", part, re.MULTILINE):
        cells = [cell.strip() for cell in line.split("|")]
        for n, cell in (("300 cameras", cells[2]), ("1,500 cameras", cells[8])):
            rows.append({"setting": cells[0], "assumptions": f"assumptions {cells[1]}", "n": n,
                         "held": float(cell.rstrip("%"))})  # fmt: skip
    return {
        "data": {"values": rows},
        "width": 330,
        "height": 460,
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "size": 70},
                "encoding": {
                    "y": {"field": "setting", "type": "nominal", "sort": None, "title": None,
                          "axis": {"labelLimit": 330}},
                    "x": x("held", "intervals that held the truth, %", domain=[0, 100]),
                    "shape": {"field": "n", "type": "nominal", "title": None},
                    "color": {
                        "field": "assumptions", "type": "nominal", "title": None,
                        "scale": {"domain": [f"assumptions {w}" for w in HELD], "range": COLOURS},
                    },
                },
            },
            {"data": {"values": [{"at": 90}]}, "mark": {"type": "rule", "strokeDash": [4, 3]},
             "encoding": {"x": {"field": "at", "type": "quantitative"}}},
        ],
    }  # fmt: skip


if __name__ == "__main__":
    main()
