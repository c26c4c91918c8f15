"""The command `sousveil sources`: what it prints, for people and for programs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from sousveil.cli.sources import app
from tests.lists import csv_file, spec


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def as_json(*arguments: str) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_list_names_every_list_with_its_licence() -> None:
    text = run("list").stdout
    assert "perth" in text
    assert "CC-BY-4.0" in text
    assert "(not to be passed on)" in text
    listed = {one["id"]: one for one in as_json("list")["sources"]}
    assert listed["perth"]["redistributable"] is True
    assert listed["milan_gates"]["redistributable"] == "unknown"


def test_show_prints_a_description_that_can_be_read_again() -> None:
    assert tomllib.loads(run("show", "perth").stdout)["licence"] == "CC-BY-4.0"
    shown = as_json("show", "perth")
    assert shown["fields"]["lon"] == ["lng"]
    assert run("show", "berlin").exit_code == 2


def test_check_says_what_would_be_read(shared_data: Path) -> None:
    path = str(shared_data / "lists/seoul_ansimi_cctv_2021.csv")
    found = as_json("check", path, "--quiet")
    assert found["spec"] == "seoul_points"
    assert found["rows"] == found["used"] + found["quarantined"] == 37_340
    assert sum(found["by_reason"].values()) == found["quarantined"]
    assert found["known"]["count"] == 1.0
    assert "bearings" not in found["known"]
    assert found["publishing_stops"] is None
    accepted = as_json("check", path, "--quiet", "--accept-swapped")
    assert accepted["used"] - found["used"] == 110
    text = run("check", path, "--quiet").stdout
    assert "37,340 rows = 36,807 used + 533 set aside" in text


def test_check_reads_by_a_description_of_ones_own(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,lat,lon", "1,48.1,11.5", "2,0,0")
    described = spec(tmp_path)
    found = as_json("check", str(path), f"spec={described.path}")
    assert (found["used"], found["by_reason"]) == (1, {"the coordinates are 0, 0": 1})


def test_what_cannot_be_used_is_one_line_and_exit_2(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "a,b", "1,2")
    empty = tmp_path / "empty.csv"
    empty.touch()
    for arguments, said in (
        (("check", str(empty)), "empty.csv: is empty; get the file again"),
        (("check", str(path)), "fits no known list; draft its description"),
        (("check", str(tmp_path / "absent.csv")), "no such file"),
        (("check", str(path), "spec=perth"), "has no column lng"),
        (("new", str(tmp_path / "absent.csv")), "cannot be read"),
    ):
        result = run(*arguments, "--quiet") if arguments[0] == "check" else run(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""


def test_new_prints_a_draft(shared_data: Path) -> None:
    path = str(shared_data / "lists/baltimore_cctv_2014.csv")
    assert tomllib.loads(run("new", path).stdout)["fields"]["lat"] == "Latitude"
    found = as_json("new", path)
    assert tomllib.loads(found["toml"])["fields"]["lon"] == "Longitude"
    assert "operator from Owner" in found["findings"]


def test_new_warns_where_it_found_no_coordinates(shared_data: Path, tmp_path: Path) -> None:
    path = str(csv_file(tmp_path, "name,owner", "x,y"))
    for arguments in (("new", path), ("new", path, "--json")):
        result = run(*arguments)
        assert result.exit_code == 0
        assert (
            f"sousveil: warning: {path}: no columns of coordinates were recognised; name them"
            in result.stderr
        )
        assert result.stderr.count("\n") == 1
    assert run("new", str(shared_data / "lists/baltimore_cctv_2014.csv")).stderr == ""


def test_check_says_what_is_read_of_openstreetmap(shared_data: Path) -> None:
    path = str(shared_data / "osm/munich_2020-07.osm.pbf")
    found = as_json("check", path, "--quiet")
    assert (found["spec"], found["rows"], found["cameras"]) == (None, 211, 211)
    assert found["rows"] == found["used"] + found["quarantined"]
    text = run("check", path, "--quiet").stdout
    assert "OpenStreetMap data, which needs no description" in text
    assert "All of the rows used are cameras." in text
