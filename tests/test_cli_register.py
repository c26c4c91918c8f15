"""sousveil register: what its commands print, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from sousveil import linking
from sousveil.cli.register import app
from sousveil.errors import UnusableInput
from sousveil.sources.reading import with_specs

SPEC = """
title = "A city's cameras"
publisher = "A city"
url = "https://example.org"
documentation = "https://example.org"
licence = "CC0-1.0"
redistributable = true
attribution = "A city"
covers = "cameras of the city"
counts = "devices"
seen_by = "list"
[fields]
native_id = "id"
lat = "lat"
lon = "lon"
operator = "who"
"""


@pytest.fixture
def city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two editions of a list and its description, and the register beside them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "city.toml").write_text(SPEC)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "city_2020-01-01.csv").write_text("id,lat,lon,who\nA,48.1,11.5,X\nB,48.2,11.6,Y\n")
    (tmp_path / "city_2022-01-01.csv").write_text("id,lat,lon,who\nB,48.2,11.6,Z\nC,48.3,11.7,Y\n")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def told(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def add_both() -> dict[str, Any]:
    return told("add", "city_2020-01-01.csv", "spec=city.toml", "city_2022-01-01.csv",
                "spec=city.toml", "--complete", "--quiet")  # fmt: skip


@pytest.mark.usefixtures("city")
def test_lists_are_added_and_compared() -> None:
    first, second = add_both()["added"]
    assert (first["series"], first["dated"], first["changes"]["new"]) == ("city", "2020-01-01", 2)
    assert (second["known"], second["cameras"], second["changes"]["vanished"]) == (1, 2, 1)
    again = told("add", "city_2020-01-01.csv", "spec=city.toml", "-q")["added"]
    assert [one["status"] for one in again] == ["unchanged"]

    assert told("show")["cameras"]["records"] == 2
    assert told("at", "2021-01-01")["cameras"]["records"] == 2
    found = told("diff", "2020-01-01", "2022-01-01")
    assert [found[name] for name in ("appeared", "vanished", "changed")] == [1, 1, 1]
    assert found["attributes"]["operator"] == {"changed": 1}
    by_id = told("diff", "city_2020-01-01", "city_2022-01-01")
    assert [by_id[name] for name in ("appeared", "vanished", "changed")] == [1, 1, 1]
    dates = told("timeline")["dates"]
    assert [(row["dated"], row["cameras"]) for row in dates] == [
        ("2020-01-01", 2), ("2022-01-01", 2)
    ]  # fmt: skip


@pytest.mark.usefixtures("city")
def test_every_command_says_the_same_in_words() -> None:
    add_both()
    assert "nothing changed" in run("add", "city_2020-01-01.csv", "spec=city.toml", "-q").stdout
    assert "2 cameras (2 devices)" in run("show").stdout
    assert "1 had vanished" in run("at", "2022-01-01").stdout
    assert "appeared 1, vanished 1" in run("diff", "2020-01-01", "2022-01-01").stdout
    words = run("timeline").stdout
    assert "not when it is put up" in words
    assert "2022-01-01" in words
    assert "by 1 source;" in run("at", "2020-01-01").stdout


@pytest.mark.usefixtures("city")
def test_what_a_list_without_a_claim_leaves_open_is_said() -> None:
    days, ids = ("2020-01-01", "2022-01-01"), ("city_2020-01-01", "city_2022-01-01")
    one, other = "city_2020-01-01.csv", "city_2022-01-01.csv"
    run("add", one, "spec=city.toml", other, "spec=city.toml", "-q", "-r", "silent.duckdb")
    for pair in (days, ids):
        answer = told("diff", *pair, "-r", "silent.duckdb")
        assert (answer["newly_covered"], answer["appeared"], answer["vanished"]) == (1, 0, 0)
        assert answer["extent_unknown"] == {"from": [ids[0]], "to": [ids[1]]}
        [line] = [
            line
            for line in run("diff", *pair, "-r", "silent.duckdb").stdout.splitlines()
            if "--complete" in line
        ]
        assert "whether any vanished and whether those newly covered are new cannot be" in line
    # The later edition alone claims it: what vanished is known then, what is new is not.
    run("add", one, "spec=city.toml", "-q", "-r", "half.duckdb")
    run("add", other, "spec=city.toml", "--complete", "-q", "-r", "half.duckdb")
    words = run("diff", *days, "-r", "half.duckdb").stdout
    assert "  whether those newly covered are new cannot be said: city_2020-01-01 does not" in words
    add_both()
    assert "--complete" not in run("diff", *days).stdout
    assert told("diff", *days)["extent_unknown"] == {"from": [], "to": []}
    assert "--complete" not in run("diff", days[0], days[0], "-r", "silent.duckdb").stdout


def test_files_are_written_where_asked(city: Path) -> None:
    add_both()
    for command in (["export"], ["diff", "2020-01-01", "2022-01-01"], ["timeline"]):
        files = told(*command, "-o", f"out-{command[0]}")["files"]
        assert files
        assert all((city / path).is_file() for path in files.values())


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "-r", "none.duckdb"], "no such register"),
        (["at", "2019-01-01"], "no source of then"),
        (["at", "yesterday"], "not a day"),
        (["diff", "2020-01-01", "x"], "two days or two sources"),
        (["add", "none.csv"], "none.csv"),
        (["add", "empty.csv"], "empty.csv: is empty; get the file again"),
        (["show", "--camera", "cam-x"], "register.duckdb never had this id"),
        (["show", "-r", "city_2020-01-01.csv"], "city_2020-01-01.csv: is no register"),
        (["add", "spec=city.toml"], "stands behind no file"),
        (["add", "city_2020-01-01.csv", "--dated", "1.1.2020"], "--dated"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(arguments: list[str], message: str) -> None:
    add_both()
    done = run(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


@pytest.mark.usefixtures("city")
def test_another_list_is_linked_unless_told_not_to(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[list[str]] = []

    def fake(rows: pa.Table) -> linking.Linked:
        compared.append(rows["source_id"].to_pylist())
        links = linking.by_identity(rows)
        no_pairs, no_rates = linking.PAIRS.empty_table(), linking.RATES.empty_table()
        return linking.Linked(links, 0, None, None, None, None, no_pairs, no_rates, 0, 0.0)

    monkeypatch.setattr(linking, "link", fake)
    told("add", "city_2020-01-01.csv", "spec=city.toml", "-q")
    assert compared == []
    told("add", "city_2022-01-01.csv", "spec=city.toml", "--series", "other", "--no-link", "-q")
    assert compared == []
    Path("third.csv").write_text("id,lat,lon,who\nQ,48.2,11.6,Z\n")
    third = ("add", "third.csv", "spec=city.toml", "--series", "third", "--dated", "2023-01-01")
    assert told(*third, "-q")["added"][0]["compared"] == 3
    assert compared == [["city", "other", "third"]]
    Path("fourth.csv").write_text("id,lat,lon,who\nR,48.2,11.6,Z\n")
    said = run("add", "fourth.csv", *third[2:4], "fourth", *third[5:], "-q").stdout
    assert "4 entries near other lists compared" in said
    assert "they can come to fewer cameras" in said


def test_a_description_stands_behind_its_file() -> None:
    files = ["a.csv", "spec=x.toml", "b.osm.pbf", "c.csv", "spec=korea_standard"]
    assert with_specs(files) == [
        ("a.csv", "x.toml"), ("b.osm.pbf", None), ("c.csv", "korea_standard")
    ]  # fmt: skip
    with pytest.raises(UnusableInput, match="behind no file"):
        with_specs(["a.csv", "spec=x", "spec=y"])
