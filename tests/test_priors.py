"""The table of priors: that each kind of camera finds its row, and each distribution its values."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from sousveil import priors
from sousveil.errors import UnusableInput
from sousveil.records import CAMERAS

HEADER = ",".join(priors.COLUMNS)


def cameras(*rows: dict[str, Any]) -> pa.Table:
    blank = dict.fromkeys(CAMERAS.names) | {
        "camera_id": "c", "lon": 0.0, "lat": 0.0, "count": 1, "operator_class": "unknown",
        "operator_class_rule": "none", "private_home": False, "sources": [], "n_sources": 1,
        "link_probability": 1.0, "native_ids": [],
    }  # fmt: skip
    return pa.Table.from_pylist([blank | row for row in rows], schema=CAMERAS)


def row_for(quantity: str, **attributes: Any) -> priors.Row:
    rows, index = priors.chosen(priors.read(), quantity, cameras(attributes))
    return rows[index[0]]


def test_every_row_has_a_source_and_every_quantity_a_fallback() -> None:
    table = priors.read()
    assert all(len(row.source) > 20 for row in table)
    assert {row.quantity for row in table} == set(priors.QUANTITIES)


def test_the_most_particular_row_counts() -> None:
    assert row_for("height_m").values == (2, 3, 4, 5, 10)
    assert row_for("height_m", mount="wall").values == (2, 3, 3, 4, 6)
    assert row_for("pixels_h", operator_class="public").values[3] == 0.85
    assert row_for("pixels_h", installed=date(2005, 1, 1)).values[0] == 704
    assert row_for("pixels_h", installed=date(2015, 1, 1)).values[0] == 1280
    assert row_for("hfov_deg", kind="alpr").values[2] == 25
    assert row_for("hfov_deg", housing="panning").values[2] == 30


def row(distribution: str, *values: float) -> priors.Row:
    return priors.Row("height_m", {}, (None, None), distribution, values, 0.0, "a test")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (row("uniform", 2, 5), stats.uniform(2, 3)),
        (row("triangular", 1, 2, 5), stats.triang(0.25, 1, 4)),
        (row("normal", 0, 35, -80, 80), stats.truncnorm(-80 / 35, 80 / 35, 0, 35)),
    ],
)
def test_distributions_are_those_of_scipy(ours: priors.Row, theirs: Any) -> None:
    p = np.linspace(0.01, 0.99, 50)
    assert priors.quantile(ours, p) == pytest.approx(theirs.ppf(p), abs=1e-9)


def test_choices_and_quantiles() -> None:
    p = (np.arange(1000) + 0.5) / 1000
    values, n = np.unique(priors.quantile(row("choice", 3, 1, 4, 3), p), return_counts=True)
    assert dict(zip(values, n, strict=True)) == {3: 250, 4: 750}
    stated = row("quantiles", 2, 3, 4, 5, 10)
    assert priors.quantile(stated, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist() == [2, 3, 4, 5, 10]
    assert priors.quantile(row("value", 7), [0.0, 1.0]).tolist() == [7, 7]


def table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mine.csv"
    usual = {q: f"{q},,,,,,,,,value,{max(low, 1.0)},0,mine" for q, (low, _) in
             priors.QUANTITIES.items()}  # fmt: skip
    usual |= {line.split(",")[0]: line for line in lines}
    path.write_text("\n".join([HEADER, *usual.values()]), encoding="utf-8")
    return path


def test_a_table_of_the_users(tmp_path: Path) -> None:
    read = priors.read(table(tmp_path, "height_m,,,,,,,,,uniform,3 4,0,my own survey"))
    assert next(r for r in read if r.quantity == "height_m").values == (3, 4)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("height_m,,,,,,,,,uniform,4 3,0,x", "uniform takes values"),
        ("height_m,,,,,,,,,uniform,3,0,x", "uniform takes values"),
        ("height_m,,,,,,,,,bell,3,0,x", "'bell' is unknown"),
        ("height_m,,,,,,,,,value,three,0,x", "'three' is no number"),
        ("height_m,,,,,,,,,value,3000,0,x", "must lie from"),
        ("height_m,,,,,,,,,value,3,2,x", "correlation"),
        ("height_m,,,,,,,,,value,3,0,", "no source"),
        ("height_m,round,,,,,,,,value,3,0,x", "housing 'round' is unknown"),
        ("height_m,dome,,,,,,,,value,3,0,x", "no row without conditions for height_m"),
        ("weight,,,,,,,,,value,3,0,x", "quantity 'weight' is unknown"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(UnusableInput, match=said) as refused:
        priors.read(table(tmp_path, line))
    assert "mine.csv" in str(refused.value)
    assert "\n" not in str(refused.value)
