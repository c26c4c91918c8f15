"""The command retrace: files, page, seeds, errors, and the example in the docs."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import sousveil
from sousveil.cli import app
from sousveil.errors import UnusableInput
from sousveil.records import RETRACED
from sousveil.retrace import _credits, _page, _rules
from sousveil.retrace._powers import read_powers
from tests import stand_in
from tests.conftest import PROJECT

retrace = importlib.import_module("sousveil.retrace")  # the package has the function by that name


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    patch = pytest.MonkeyPatch()
    patch.setattr(retrace, "seen_at", stand_in.seen_at)
    folder = tmp_path_factory.mktemp("retrace") / "week"
    done = CliRunner().invoke(
        app, ["retrace", "helsinki", "-o", str(folder), "--residents", "400", "--draws", "6",
              "--what-if", "--json", "--quiet"],
    )  # fmt: skip
    patch.undo()
    assert done.exit_code == 0, done.output
    return folder, json.loads(done.stdout)


def test_the_command_writes_what_it_says(helsinki: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = helsinki
    assert summary["residents"] == 400
    assert {row["name"] for row in summary["measures"]} == set(_rules.MEASURES)
    assert {Path(file).name for file in summary["files"].values()} == {
        file.name for file in folder.iterdir()
    }
    table = pq.read_table(folder / "residents.parquet")
    assert table.schema.equals(RETRACED)
    assert table.num_rows == 400
    assert {row["of"] for row in summary["curves"]} == {
        "cameras", "level", "recognition", "retention_days"
    }  # fmt: skip
    singled = {row.get("rule"): row for row in summary["singled_out"]}
    now = singled["as_it_is"]
    assert now["unique"] == pytest.approx(1 - summary["unique"]["never"], abs=1e-3)
    assert now["unique_low"] == summary["unique"]["low"] <= now["unique"]
    for row in (*summary["measures"], *summary["rules"], *summary["curves"]):
        if row["mean"] is not None:
            assert row["low"] <= row["mean"] <= row["high"], row
    assert singled["half"]["unique_if_followed"] <= now["unique_if_followed"]
    assert singled["no_recognition"]["unique"] == 0
    assert "ActivitySim" in (folder / "ATTRIBUTION.md").read_text()


def test_the_page_needs_nothing_but_itself(helsinki: tuple[Path, dict[str, Any]]) -> None:
    html = unescape((helsinki[0] / "report.html").read_text(encoding="utf-8"))
    assert "<script" not in html
    assert "src=" not in html
    assert "default-src 'none'" in html
    assert html.count("<svg") >= 6
    assert "nan" not in html.lower().replace("finance", "")
    assert "What would change it" in html


def test_each_share_says_of_how_many_it_is(helsinki: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = helsinki
    works = pq.read_table(folder / "residents.parquet")["work_found"]
    (work,) = (row for row in summary["measures"] if row["name"] == "work_found")
    assert work["residents"] == len(works) - works.null_count < 100
    assert work["sample"] == work["residents"]  # as long as there are no more than the sample
    html = (folder / "report.html").read_text(encoding="utf-8")
    for row in summary["measures"]:
        assert f" of {row['residents']:,}</text>" in html, row["name"]
    assert f"the {work['residents']} who work in the area" in html


def test_planned_cameras_of_a_census_are_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrace, "seen_at", stand_in.seen_at)
    every = sousveil.census("helsinki").cameras
    pq.write_table(every.slice(0, 100), tmp_path / "there.parquet")
    pq.write_table(every.slice(80), tmp_path / "planned.parquet")
    given = {"residents": 60, "draws": 4, "cameras": tmp_path / "there.parquet"}
    ahead = {"planned": tmp_path / "planned.parquet"}
    before = sousveil.retrace("helsinki", what_if=True, **given)
    found = sousveil.retrace("helsinki", what_if=True, **given, **ahead)
    n = every.num_rows - 100  # those that stand already are not planned
    cameras = found.summary["cameras"]
    assert cameras["records"] == 100 == sum(cameras[k] for k in ("public", "private", "unknown"))
    assert cameras == before.summary["cameras"] | {"planned": n}
    seen = {row["rule"]: row for row in found.summary["rules"] if row["measure"] == "trips_seen"}
    assert seen["planned"]["mean"] > seen["as_it_is"]["mean"]
    assert seen["planned"]["text"] == f"the {n} planned cameras are added"
    assert "adding planned ones was not tried" not in found.to_html()
    # All else is the same to the last bit.
    for key in before.summary.keys() - {"cameras"}:
        kept = found.summary[key]
        if key in ("rules", "singled_out"):
            kept = [row for row in kept if row.get("rule") != "planned"]
        assert kept == before.summary[key], key
    assert found.residents.equals(before.residents)
    assert (found.named_at == before.named_at).all()
    # Without --what-if that one rule is tried, and what is printed says so.
    alone = sousveil.retrace("helsinki", **given, **ahead)
    assert {row["rule"] for row in alone.summary["rules"]} == {"as_it_is", "planned"}
    assert [row for row in found.summary["rules"] if row in alone.summary["rules"]] == (
        alone.summary["rules"]
    )
    (said,) = (line for line in _page.sentences(alone.summary) if "planned" in line)
    assert said.startswith(f"Adding the {n} planned cameras raises the trips that could be named")
    assert said in _page.sentences(found.summary)
    assert "What it depends on" not in alone.to_html()


@pytest.mark.parametrize("name", ["planned.csv", "planned.geojson"])
def test_a_planned_list_says_how_a_census_is_made_of_it(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("id,lat,lon\n1,60.17,24.94\n", encoding="utf-8")
    with pytest.raises(UnusableInput, match=f"make one: sousveil census .*{name} -o DIR"):
        sousveil.retrace("helsinki", residents=1, days=1, planned=tmp_path / name)


def test_the_same_seed_gives_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrace, "seen_at", stand_in.seen_at)
    runs = [sousveil.retrace("helsinki", residents=60, draws=4, seed=seed) for seed in (1, 1, 2)]
    assert runs[0].summary == runs[1].summary
    assert runs[0].residents.equals(runs[1].residents)
    assert runs[0].summary["measures"] != runs[2].summary["measures"]


def test_a_place_without_cameras_gives_nothing_away(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrace, "seen_at", stand_in.seen_at)
    old = shared_data / "osm" / "monaco_2012-07.osm.gz"
    found = sousveil.retrace(old, residents=50, draws=4, what_if=True)
    by_name = {row["name"]: row["mean"] for row in found.summary["measures"]}
    assert by_name["trips_seen"] == by_name["home_found"] == 0
    assert "No camera" in found.to_html()
    found.write(tmp_path / "none")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--residents", "0"], "--residents 0"),
        (["--days", "0"], "--days 0"),
        (["--days", "400"], "--days 400"),
        (["--draws", "2"], "--draws 2"),
        (["--parameters", "none.toml"], "none.toml"),
        (["--powers", "none.toml"], "none.toml"),
        (["--cameras", "none.parquet"], "none.parquet"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    target = tmp_path / "week"
    done = CliRunner().invoke(app, ["retrace", "helsinki", "-o", str(target), "-q", *arguments])
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[0.40, 0.80, 0.98]", "[0.40, 0.80, 1.98]", "no share"),
        ("[0.40, 0.80, 0.98]", "[0.01, 0.02, 0.03]", "falls from one level"),
        ("days = [3, 30, 90]", "days = [0, 30, 90]", "above 0"),
        ("[reading]", "[read]", "lacks reading"),
        ("[reading]", "[reading", "no valid TOML"),
    ],
)
def test_powers_that_cannot_be_used_are_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    shipped = Path(retrace.__file__).with_name("powers.toml").read_text(encoding="utf-8")
    assert old in shipped
    file = tmp_path / "mine.toml"
    file.write_text(shipped.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UnusableInput, match=said):
        read_powers(file)


def test_the_example_in_the_docs_is_what_comes_out(tmp_path: Path) -> None:
    page = (PROJECT / "docs" / "retrace.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```console\n\$ sousveil (.*?)```", page, re.DOTALL)
    command, _, expected = block.partition("\n")
    arguments = command.replace("-o week", f"-o {tmp_path / 'week'}").split()
    done = CliRunner().invoke(app, [*arguments, "--quiet"])
    assert done.exit_code == 0, done.output
    said, _, _ = done.stdout.partition("\n\nReport: ")
    assert said.strip() == expected.strip()


def test_every_measure_rule_and_file_is_explained() -> None:
    page = (PROJECT / "docs" / "retrace.md").read_text(encoding="utf-8")
    rules = set(re.findall(r'"(\w+)": "[A-Z]', inspect.getsource(_page).split("_RULES")[1]))
    for word in {*_rules.MEASURES, _rules.DAYS_HELD, *retrace.FILES.values()} | rules:
        assert f"`{word}`" in page, word


@pytest.mark.parametrize(("residents", "what_if"), [(1, False), (10, True)])
def test_a_day_of_few_residents_says_what_cannot_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, residents: int, what_if: bool
) -> None:
    monkeypatch.setattr(retrace, "seen_at", stand_in.seen_at)
    arguments = ["--residents", str(residents), "--days", "1", "--draws", "4"]
    done = CliRunner().invoke(
        app, ["retrace", "helsinki", "-o", str(tmp_path / "day"), *arguments, "--json", "-q"]
        + ["--what-if"] * what_if,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["plausibility"]["rank_exponent"] is None
    assert any("8 places or more on this day" in note for note in found["notes"])
    html = (tmp_path / "day" / "report.html").read_text(encoding="utf-8")
    assert "Nobody went to 8 places or more on this day" in html


def test_cameras_of_a_census_bring_whom_to_name(tmp_path: Path) -> None:
    sources = [{"attribution": "City of Perth", "licence": "CC-BY-4.0"}]
    (tmp_path / "sources.json").write_text(json.dumps(sources), encoding="utf-8")
    assert _credits(tmp_path / "cameras.parquet") == [("City of Perth", "CC-BY-4.0")]
    unnamed = _credits(tmp_path / "elsewhere" / "cameras.parquet")
    assert unnamed == [
        ("The sources of cameras.parquet, which no sources.json beside it names", "unknown")
    ]
