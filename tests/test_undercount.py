"""What the lists of a census miss: of which cameras it is said, and how often it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from sousveil import export, register, undercount
from sousveil.capture import Linkage, capture
from sousveil.capture._simple import log_interval
from sousveil.errors import UnusableInput
from sousveil.overlap import Listed, comparable
from sousveil.records import LINKS
from sousveil.undercount import _listing
from tests import seen_towns as towns
from tests.tables import observations

LISTS = [
    Listed("osm", "OpenStreetMap", "", ("osm_2020", "osm_2021")),
    Listed("city", "The city", "cameras of the city", ("city",)),
]


def told(rows: list[dict[str, Any]]) -> undercount.Undercount | None:
    """Estimate from observations, each with `camera`, the camera that it speaks of."""
    table = observations(*({k: v for k, v in row.items() if k != "camera"} for row in rows))
    links = pa.table(
        {
            "observation_id": table["observation_id"],
            "source_id": table["source_id"],
            "native_id": table["native_id"],
            "camera_id": [f"cam-{row['camera']}" for row in rows],
            "probability": [1.0] * len(rows),
        },
        schema=LINKS,
    )
    cameras = register.build(table, links).cameras
    return undercount.estimate(cameras, table, links, lists=LISTS, rates=None, place="Town", seed=1)


def seen(camera: int, source: str, **said: Any) -> dict[str, Any]:
    where = np.random.default_rng(camera).uniform(0, 0.02, 2)
    place = {"lon": 11.5 + where[0], "lat": 48.1 + where[1]}
    return {"camera": camera, "source_id": source, "native_id": f"{source}-{camera}"} | place | said


def town(n: int, seed: int, *, osm: float = 0.5, city: float = 0.4) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    rows = []
    for camera in range(n):
        if random.random() < osm:
            rows.append(seen(camera, "osm_2020"))
            if random.random() < 0.5:
                rows.append(seen(camera, "osm_2021"))
        if random.random() < city:
            rows.append(seen(camera, "city"))
    return rows


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    # 95 % of 100: between 89 and 99 in 99 of 100 such studies (binomial)
    held = 0
    for seed in range(100):
        found = told(town(300, seed))
        assert found is not None
        held += found.told["low"] <= 300 <= found.told["high"]
    assert 89 <= held <= 100


def test_editions_of_one_list_are_one_list() -> None:
    rows = town(300, 1)
    found = told(rows)
    alone = told([row for row in rows if row["source_id"] != "osm_2021"])
    assert found is not None
    assert alone is not None
    assert found.told["estimate"] == pytest.approx(alone.told["estimate"])
    [row] = found.estimates.to_pylist()
    assert row["lists"] == 2
    assert row["low"] < row["estimate"] < row["high"]
    # Chapman by hand
    held = {name: {r["camera"] for r in rows if r["source_id"].startswith(name)} for name in
            ("osm", "city")}  # fmt: skip
    n1, n2, m = len(held["osm"]), len(held["city"]), len(held["osm"] & held["city"])
    assert row["estimate"] == pytest.approx((n1 + 1) * (n2 + 1) / (m + 1) - 1)


def test_only_what_both_lists_can_hold_is_counted() -> None:
    rows = town(300, 2)
    first = told(rows)
    far = [seen(1000 + i, "osm_2020", lon=13.0, lat=52.0) for i in range(200)]
    readers = [seen(2000 + i, "osm_2020", kind="alpr") for i in range(200)]
    both = told(rows + far + readers)
    assert first is not None
    assert both is not None
    assert both.told["estimate"] == pytest.approx(first.told["estimate"], rel=0.01)
    assert "ordinary cameras" in both.told["definition"]
    assert "cameras of the city" in both.told["definition"]


def test_without_overlap_there_is_a_reason_or_a_bound_but_no_number() -> None:
    rows = [row for row in town(300, 3) if row["source_id"] == "osm_2020" or row["camera"] < 3]
    few = told(rows)
    assert few is not None
    assert "The city holds fewer than 10" in few.told["reason"]
    assert few.estimates.num_rows == 0
    apart = [row for row in town(300, 4) if (row["source_id"] == "city") == (row["camera"] % 2)]
    bound = told(apart)
    assert bound is not None
    assert bound.told["estimate"] is None
    [row] = bound.estimates.to_pylist()
    assert (row["high"], row["note"].split(":")[0]) == (None, f"at least {row['n_observed']}")


def test_the_ground_of_all_lists_does_not_depend_on_their_order() -> None:
    random = np.random.default_rng(5)
    wide = random.uniform(0, 1, (400, 2))
    small = random.uniform(0.4, 0.6, (100, 2))
    lon, lat = np.concatenate([wide, small]).T
    kinds = ["alpr"] * 400 + ["alpr"] * 60 + ["speed"] * 40
    for names in (("a", "b"), ("b", "a")):
        of_list = np.array([names[0]] * 400 + [names[1]] * 100)
        kept, which = comparable(lon, lat, kinds, of_list)
        assert which == "number-plate readers"
        assert kept[400:].tolist() == [True] * 60 + [False] * 40
        inside = (np.abs(wide - 0.5) < 0.06).all(axis=1)
        outside = (np.abs(wide - 0.5) > 0.11).any(axis=1)
        assert kept[:400][inside].all()
        assert not kept[:400][outside].any()


# What `--undercount` can be


def listed(seed: int = 3, lists: int = 2) -> towns.Surveyed:
    return towns.surveyed(np.random.default_rng(seed), 300, lists=lists)


@pytest.mark.parametrize(
    "text", ["2", "1/2/x", "0.5/0.4/0.9", "2/3/4", "2/1/inf", "2/1/400", "out/of/here"]
)
def test_an_undercount_that_cannot_be(text: str) -> None:
    with pytest.raises(UnusableInput, match=f"^--undercount {text}: "):
        undercount.missing(text, listed().listed)


def test_stated_prior_and_none() -> None:
    cameras = listed().listed
    n = cameras.num_rows
    stated = undercount.missing("1.8/1.3/2.6", cameras)
    assert (stated.estimate, stated.low, stated.high) == pytest.approx((0.8 * n, 0.3 * n, 1.6 * n))
    assert stated.like == pytest.approx(np.full(n, 1 / n))
    nobody = undercount.missing("none", cameras)
    assert not nobody.known
    assert nobody.told()["estimate"] is None
    prior = undercount.missing("prior", cameras)
    # docs/completeness.md: "anything between 1 and 74 %"
    shares = 1 / (1 + np.array([prior.high, prior.low]) / n)
    assert shares == pytest.approx([0.01, 0.74], abs=0.005)
    assert "not a measurement" in prior.note


def test_numbers_are_log_normal_and_never_below_none() -> None:
    scores = np.random.default_rng(0).standard_normal(200_000)
    like = np.ones(1)
    for low, middle, high in ((10.0, 30.0, 120.0), (-5.0, 8.0, 40.0), (0.0, 0.0, 0.0)):
        drawn = undercount.Missing("x", like, 1, middle, low, high).numbers(scores)
        told = np.quantile(drawn, [0.025, 0.5, 0.975])
        assert told == pytest.approx([max(low, 0), middle, high], abs=0.6)
        assert drawn.min() >= 0


def on_main(town: towns.Surveyed, cameras: pa.Table) -> Any:
    """Return which cameras stand nearer to a main street, those east to west, than to others."""
    points = shapely.points(cameras["lon"].to_numpy(), cameras["lat"].to_numpy())
    lines = shapely.from_wkb(town.streets["geometry"].to_numpy())
    main = np.array(town.streets["highway"].to_pylist()) == "primary"
    away = [shapely.distance(points[:, None], lines[of]).min(axis=1) for of in (main, ~main)]
    return away[0] < away[1]


def test_two_lists_tell_where_those_are_that_neither_has() -> None:
    """Cameras on main streets are found more easily: the others are those that are missing."""
    shares, totals = [], []
    for seed in range(12):
        town = listed(seed)
        found = town.missing()
        assert found.covariates == ("place", "class of street")
        known = set(town.listed["camera_id"].to_pylist())
        missed = [name not in known for name in town.really["camera_id"].to_pylist()]
        shares.append([
            found.like[on_main(town, town.listed)].sum(),
            on_main(town, town.listed).mean(),
            on_main(town, town.really.filter(pa.array(missed))).mean(),
        ])  # fmt: skip
        totals.append([found.estimate, town.by_one_factor().estimate, sum(missed)])
    like, alike, truth = np.mean(shares, axis=0)
    assert like == pytest.approx(truth, abs=0.06)
    assert alike > truth + 0.25
    estimate, plain, truth = np.mean(totals, axis=0)
    assert estimate == pytest.approx(truth, rel=0.15)
    assert plain < 0.75 * truth


def test_chances_hold_the_total_as_often_as_they_say() -> None:
    held = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        n, x = 250, rng.uniform(-1, 1, 250)
        chance = 1 / (1 + np.exp(-np.outer(x, [1.2, 0.9]) - [0.2, -0.1]))
        y = rng.random((n, 2)) < chance
        y, seen = y[y.any(axis=1)], y.any(axis=1)
        found = _listing._fitted(_listing._standardised(x[seen, None]), y.astype(float), None)
        assert found is not None
        low, high = log_interval(len(y) + found[1], found[2], len(y))
        held.append(low <= n <= high)
    assert 0.90 <= np.mean(held) <= 0.99  # 95 % of 150: within this in 99 of 100 studies


def test_links_that_were_missed_are_not_cameras() -> None:
    """As many cameras are found when a fifth of the links is missed, if that is known."""
    errors = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y = rng.random((600, 2)) < [0.6, 0.5]
        broken = y.all(axis=1) & (rng.random(600) < 0.2)
        apart = np.tile([[True, False], [False, True]], (broken.sum(), 1))
        rows = np.concatenate([y[y.any(axis=1) & ~broken], apart])
        x = _listing._standardised(rng.uniform(-1, 1, (len(rows), 1)))
        found = _listing._fitted(x, rows.astype(float), Linkage(alpha=0.8))
        assert found is not None
        errors.append(len(rows) + found[1] - 600)
    assert np.mean(errors) == pytest.approx(0, abs=12)


def test_what_one_list_never_states_is_no_covariate() -> None:
    town = listed()
    own = [name == ["a"] for name in town.listed["sources"].to_pylist()]
    housing = [None if mine else ("dome" if i % 2 else "fixed") for i, mine in enumerate(own)]
    place = town.listed.schema.get_field_index("housing")
    said = town.listed.set_column(place, "housing", pa.array(housing, pa.string()))
    found = undercount.missing(None, said, lists=town.lists, told=town.told)
    assert found.covariates == ("place",)
    both = ["dome" if i % 2 else "fixed" for i in range(said.num_rows)]
    said = town.listed.set_column(place, "housing", pa.array(both, pa.string()))
    found = undercount.missing(None, said, lists=town.lists, told=town.told)
    assert found.covariates == ("place", "housing")


def test_lists_that_bound_nothing_add_nothing() -> None:
    town = listed()
    told = town.told | {"estimate": None, "high": None}
    found = undercount.missing(None, town.listed, lists=town.lists, told=told)
    assert not found.known
    assert "at least" in found.note
    assert town.told["definition"] in found.note
    # nor does an interval that a place could not hold
    town = listed(lists=3)
    wide = undercount.missing(
        None, town.listed, lists=town.lists, told=town.told | {"high": 1e6, "estimate": 1e3}
    )
    assert not wide.known
    assert "more would fit" in wide.note
    alone = undercount.missing(None, town.listed)
    assert not alone.known
    assert "at least" in alone.note


def test_a_camera_of_two_kinds_does_not_widen_what_the_lists_could_hold() -> None:
    # One list holds plate readers alone; one of them is joined to a mere camera of the other, and
    # more of those stand on the other list.
    town = listed()
    both = np.flatnonzero([len(held) == 2 for held in town.listed["sources"].to_pylist()])
    other = np.flatnonzero([held == ["b"] for held in town.listed["sources"].to_pylist()])[:20]
    kinds = np.array(["alpr"] * town.listed.num_rows, dtype=object)
    kinds[[both[0], *other]] = "camera"
    cameras = town.listed.set_column(
        town.listed.schema.get_field_index("kind"), "kind", pa.array(kinds.tolist())
    )
    told = town.told | {"kinds": ["alpr"]}
    found = undercount.missing(None, cameras, lists=town.lists, told=told)
    assert found.like[[both[0], *other]].sum() == 0
    assert found.listed == cameras.num_rows - 21
    wider = undercount.missing(None, cameras, lists=town.lists, told=town.told | {"kinds": None})
    assert wider.listed == cameras.num_rows


def written(folder: Path, town: towns.Surveyed) -> Path:
    """Write what a census of the town's lists would."""
    row = {"method": "capture-recapture (chapman)", "lists": 2, "sources": ["a", "b"],
           "estimate": town.told["estimate"], "low": town.told["low"], "high": town.told["high"],
           "n_observed": town.told["observed"], "definition": "such cameras"}  # fmt: skip
    folder.mkdir()
    export.write_json([{"method": "count", "lists": 2}, row], folder / "estimates.json")
    pq.write_table(town.listed, folder / "cameras.parquet")
    pq.write_table(town.streets, folder / "streets.parquet")
    return folder


def test_a_census_of_before_tells_number_and_places(tmp_path: Path) -> None:
    town = listed()
    found = undercount.missing(str(written(tmp_path / "out", town)), town.listed)
    observed = town.told["observed"]
    assert found.estimate == pytest.approx(town.told["estimate"] - observed)
    assert found.low == pytest.approx(town.told["low"] - observed)
    assert found.definition == "such cameras"
    assert found.like == pytest.approx(town.missing().like)
    assert found.ground is not None
    # and of these cameras here only those of its kinds and ground
    elsewhere = town.listed.set_column(
        town.listed.schema.get_field_index("kind"), "kind",
        pa.array(["alpr"] * 50 + ["camera"] * (town.listed.num_rows - 50)),
    )  # fmt: skip
    some = undercount.missing(tmp_path / "out", elsewhere)
    assert some.like[:50].sum() == 0
    assert some.listed == town.listed.num_rows - 50
    assert f"held {observed}" in some.note
    assert some.estimate == pytest.approx(town.told["estimate"] - some.listed)


def test_json_of_capture_and_of_a_census(tmp_path: Path) -> None:
    cameras = listed().listed
    table = pa.table({"a": [1, 1, 0], "b": [1, 0, 1], "count": [40, 60, 50]})
    (tmp_path / "capture.json").write_text(export.dumps(capture(table).as_json()))
    found = undercount.missing(tmp_path / "capture.json", cameras)
    assert found.estimate == pytest.approx(101 * 91 / 41 - 1 - 150)  # Chapman by hand
    assert "that each of the lists could hold" in found.definition
    (tmp_path / "census.json").write_text(export.dumps({"undercount": listed().told}))
    assert undercount.missing(tmp_path / "census.json", cameras).known
    unbounded = {"observed": 9, "recommended": {"estimate": None, "low": 9.0, "high": None}}
    (tmp_path / "nothing.json").write_text(export.dumps(unbounded))
    assert not undercount.missing(tmp_path / "nothing.json", cameras).known


@pytest.mark.parametrize(
    ("text", "said"),
    [("[]", "holds no estimate"), ("{", "cannot be read"),
     ('{"undercount": {"reason": "few"}}', "few"),
     ('{"recommended": {"estimate": "x"}, "observed": 3}', "no number")],
)  # fmt: skip
def test_files_that_hold_no_estimate(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UnusableInput, match=said):
        undercount.missing(tmp_path / "a.json", listed().listed)
    with pytest.raises(UnusableInput, match="is no result of"):
        undercount.missing(tmp_path, listed().listed)
