"""sousveil survey from outside: what it writes, what it reads back, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gpxpy
import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import sousveil
from sousveil.cli import app
from sousveil.survey import FILES
from tests.surveys import fill, ground, write

OPTIONS = ("--hours", "3", "--people", "2", "--double", "0.5", "--seed", "7")


def run(*arguments: str | Path) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["survey", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def place(shared_data: Path) -> Path:
    return shared_data / "osm" / "munich_2020-07.osm.pbf"


@pytest.fixture(scope="module")
def plan(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("survey") / "walk"
    run("plan", place, *OPTIONS, "-o", target)
    return target


def test_a_plan_has_all_its_files(plan: Path) -> None:
    assert {path.name for path in plan.iterdir()} == {
        *FILES.values(), "walker-1.gpx", "walker-2.gpx"
    }  # fmt: skip
    assert (plan / "sheets.pdf").read_bytes().startswith(b"%PDF")
    held = json.loads((plan / "plan.json").read_text())
    form = (plan / "form.csv").read_text(encoding="utf-8").splitlines()
    assert len(form) - 1 == sum(len(walker["stretches"]) for walker in held["walkers"])
    table = pq.read_table(plan / "stretches.parquet")
    drawn = table.filter(table["drawn"])
    assert drawn.num_rows == len(held["stretches"])
    known = dict(
        zip(drawn["stretch_id"].to_pylist(), drawn["probability"].to_pylist(), strict=True)
    )
    assert held["draws"][0]["probability"] == known
    lines = json.loads((plan / "stretches.geojson").read_text())["features"]
    assert len(lines) == drawn.num_rows + 2


def test_a_track_leads_to_every_stretch(plan: Path) -> None:
    held = json.loads((plan / "plan.json").read_text())
    for walker in held["walkers"]:
        gpx = gpxpy.parse((plan / f"{walker['walker']}.gpx").read_text())
        names = [point.name.split()[1] for point in gpx.waypoints]
        assert names == walker["stretches"]
        walked_km = gpx.length_2d() / 1000
        lengths = {row["stretch_id"]: row["length_m"] / 1000 for row in held["stretches"]}
        on_km = sum(lengths[name] for name in walker["stretches"])
        assert walked_km == pytest.approx(walker["walk_km"] + on_km, rel=0.1)


def test_the_same_seed_writes_the_same_bytes(place: Path, plan: Path, tmp_path: Path) -> None:
    run("plan", place, *OPTIONS, "-o", tmp_path / "again")
    for path in plan.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_filled_forms_give_an_estimate(place: Path, plan: Path, tmp_path: Path) -> None:
    _, cameras = ground(place)
    fill(plan, cameras, tmp_path / "form.csv", sees=0.8)
    answer = run("estimate", plan, tmp_path / "form.csv")
    assert answer["low"] <= cameras.sum() <= answer["high"]
    assert answer["seen"] <= answer["low"] < answer["total"] < answer["high"]
    assert answer["per_km"] == pytest.approx(answer["total"] / answer["street_km"])
    assert answer["stretches"]["not_surveyed"] == 0
    assert answer["detection"]["seen_share"] < 1
    assert {row["stratum"] for row in answer["strata"]} == {"main", "side", "service", "pedestrian"}
    assert sum(row["total"] for row in answer["strata"]) == pytest.approx(answer["total"])
    assert sum(row["share_of_more"] for row in answer["worth"]) == pytest.approx(1)
    assert answer == sousveil.survey_estimate(plan, tmp_path / "form.csv")


def test_what_was_not_walked_is_said(place: Path, plan: Path, tmp_path: Path) -> None:
    _, cameras = ground(place)
    rows = fill(plan, cameras, tmp_path / "form.csv", sees=1.0)
    once = {row["stretch_id"]: row for row in rows}.values()  # one walker's rows alone
    kept = [{k: "" if k == "both" else v for k, v in row.items()} for row in once]
    for row in kept[:10]:
        row |= {"cameras": "", "surveyed": "no"}
    write(tmp_path / "some.csv", kept)
    answer = run("estimate", plan, tmp_path / "some.csv")
    assert answer["stretches"]["not_surveyed"] == 10
    assert answer["detection"] is None
    assert "a walker sees" in answer["definition"]
    assert any("10 of" in warning for warning in answer["warnings"])
    stratum = {row["stretch_id"]: row["stratum"]
               for row in json.loads((plan / "plan.json").read_text())["stretches"]}  # fmt: skip
    for row in kept:
        if stratum[row["stretch_id"]] == "service":
            row |= {"cameras": "", "surveyed": ""}
    write(tmp_path / "fewer.csv", kept)
    answer = run("estimate", plan, tmp_path / "fewer.csv")
    assert answer["high"] is None
    assert any("at least" in warning for warning in answer["warnings"])
    service = next(row for row in answer["strata"] if row["stratum"] == "service")
    assert (service["total"], service["high"]) == (None, None)
    one = [row if row is kept[-1] else row | {"cameras": "", "surveyed": ""} for row in kept]
    one[-1] |= {"cameras": "2", "surveyed": "yes"}
    write(tmp_path / "one.csv", one)
    refused = CliRunner().invoke(app, ["survey", "estimate", str(plan), str(tmp_path / "one.csv")])
    assert refused.exit_code == 2
    assert "one stretch was surveyed" in refused.stderr
    assert (
        "At least"
        in CliRunner()
        .invoke(app, ["survey", "estimate", str(plan), str(tmp_path / "fewer.csv")])
        .stdout
    )


def test_no_camera_found_still_bounds_them(plan: Path, tmp_path: Path) -> None:
    fill(plan, np.zeros(722, dtype=np.int64), tmp_path / "form.csv", sees=1.0)
    answer = run("estimate", plan, tmp_path / "form.csv")
    held = json.loads((plan / "plan.json").read_text())
    walked_m = sum(row["size_m"] for row in held["stretches"])
    whole_m = sum(row["size_m"] for row in held["frame"]["strata"])
    assert (answer["total"], answer["low"]) == (0, 0)
    assert answer["high"] == pytest.approx(-np.log(0.025) * whole_m / walked_m)
    told = CliRunner().invoke(app, ["survey", "estimate", str(plan), str(tmp_path / "form.csv")])
    assert "One more hour" not in told.stdout


def test_a_walker_who_missed_nothing_is_inside_their_interval(
    place: Path, plan: Path, tmp_path: Path
) -> None:
    _, cameras = ground(place)
    fill(plan, cameras, tmp_path / "form.csv", sees=1.0)
    for row in run("estimate", plan, tmp_path / "form.csv")["detection"]["walkers"]:
        assert row["low"] < row["p"] <= row["high"] == 1


def test_more_stretches_go_where_the_interval_is_widest(
    place: Path, plan: Path, tmp_path: Path
) -> None:
    _, cameras = ground(place)
    fill(plan, cameras, tmp_path / "form.csv", sees=0.8)
    more = tmp_path / "more"
    summary = run("plan", place, "--hours", "2", "--people", "2", "--double", "0.5",
                  "--add", plan, "--form", tmp_path / "form.csv", "-o", more)  # fmt: skip
    first = {row["stretch_id"] for row in json.loads((plan / "plan.json").read_text())["stretches"]}
    held = json.loads((more / "plan.json").read_text())
    assert set(held["draws"][1]["settled"]) == first
    assert not first & set(held["draws"][1]["probability"])
    assert summary["stretches"]["earlier"] == len(first)
    most = max(summary["worth"], key=lambda row: row["share_of_more"])
    drawn = {row["stratum"]: row["drawn"] / row["stretches"] for row in summary["strata"]}
    assert drawn[most["stratum"]] > min(drawn.values())
    assert summary["worth"][0]["narrows_by"] > 0
    fill(more, cameras, tmp_path / "second.csv", sees=0.8, seed=1)
    before = run("estimate", plan, tmp_path / "form.csv")
    after = run("estimate", more, tmp_path / "form.csv", tmp_path / "second.csv")
    assert after["low"] <= cameras.sum() <= after["high"]
    assert after["stretches"]["surveyed"] > before["stretches"]["surveyed"]
    assert after["se"] / after["total"] < before["se"] / before["total"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plan", "nowhere.pbf", "--hours", "1", "-o", "x"), "nowhere.pbf: no such file"),
        (("plan", "{place}", "--hours", "0", "-o", "x"), "--hours 0"),
        (("plan", "{place}", "--hours", "1", "--people", "0", "-o", "x"), "--people 0"),
        (("plan", "{place}", "--hours", "1", "--double", "0.5", "-o", "x"), "--people 2"),
        (("plan", "{place}", "--hours", "1", "--form", "f.csv", "-o", "x"), "--form"),
        (("plan", "{place}", "--hours", "1", "--add", "nowhere", "-o", "x"), "plan.json|nowhere"),
        (("plan", "{place}", "--hours", "9", "--add", "{plan}", "--footways", "-o", "x"),
         "other streets"),
        (("estimate", "{plan}", "nowhere.csv"), "nowhere.csv: no such file"),
        (("estimate", "nowhere", "nowhere.csv"), "survey plan"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(
    arguments: tuple[str, ...],
    words: str,
    place: Path,
    plan: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    filled = [argument.format(place=place, plan=plan) for argument in arguments]
    quiet = ["--quiet"] if arguments[0] == "plan" else []
    done = CliRunner().invoke(app, ["survey", *filled, *quiet])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert any(word in done.stderr for word in words.split("|"))
    assert not (tmp_path / "x").exists()


def test_a_third_draw_adds_to_two(place: Path, plan: Path, tmp_path: Path) -> None:
    _, cameras = ground(place)
    forms = [tmp_path / f"form{i}.csv" for i in range(3)]
    plans = [plan, tmp_path / "second", tmp_path / "third"]
    for i in (1, 2):
        fill(plans[i - 1], cameras, forms[i - 1], sees=1.0, seed=i)
        given = [option for form in forms[:i] for option in ("--form", str(form))]
        run("plan", place, "--hours", "2", "--people", "2", "--add", plans[i - 1], *given,
            "-o", plans[i])  # fmt: skip
    fill(plans[2], cameras, forms[2], sees=1.0)
    answer = run("estimate", plans[2], *forms)
    held = json.loads((plans[2] / "plan.json").read_text())
    assert len(held["draws"]) == 3
    assert len(held["draws"][2]["settled"]) == answer["stretches"]["surveyed"] - len(
        held["draws"][2]["probability"]
    )
    assert answer["low"] <= cameras.sum() <= answer["high"]


def test_the_frame_is_cut_at_a_boundary(place: Path, tmp_path: Path) -> None:
    box = [[11.57, 48.134], [11.58, 48.134], [11.58, 48.140], [11.57, 48.140], [11.57, 48.134]]
    outline = {"type": "Polygon", "coordinates": [box]}
    (tmp_path / "core.geojson").write_text(json.dumps(outline))
    summary = run("plan", place, "--hours", "2", "--people", "2", "--within",
                  tmp_path / "core.geojson", "-o", tmp_path / "core")  # fmt: skip
    table = pq.read_table(tmp_path / "core" / "stretches.parquet")
    assert min(table["lon"].to_pylist()) >= 11.57
    assert max(table["lat"].to_pylist()) <= 48.140
    assert summary["street_km"] < 30
