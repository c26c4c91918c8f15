"""The pages on samples and raters: their examples run, and say what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sousveil.cli import app
from sousveil.raters import MOST_OWN, OWN_RATINGS
from sousveil.survey import FILES, _drawing, _estimating, _forms, _frame, _routes
from tests.conftest import PROJECT


def page(name: str) -> str:
    return (PROJECT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    known: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page(name), re.MULTILINE | re.DOTALL):
        exec(compile(block, name, "exec"), known)
    return known


def test_the_example_of_a_survey_holds_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = run("sampling", tmp_path, monkeypatch)
    answer, there = known["answer"], sum(known["there"].values())
    assert there == known["cameras"].num_rows == 223
    assert answer["low"] <= there <= answer["high"]
    assert 0.7 < answer["detection"]["seen_share"] < 0.95
    said = capsys.readouterr().out
    assert "223 are there" in said
    assert "an image shows 25.8 m (standard error 0.3) of 21.1 km" in said
    assert "in front of the 175 cameras along them 19.2 m (0.6)" in said


def test_the_example_of_raters_holds_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = run("raters", tmp_path, monkeypatch)
    total, there = known["total"], known["there"].sum()
    assert total["low"] <= there <= total["high"]
    assert known["answer"]["sum_of_medians"] < 0.46 * there


def test_the_example_of_new_york_says_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, body = re.findall(r"^```csv file=(\S+)\n(.*?)^```", page("raters"), re.M | re.S)[0]
    (tmp_path / name).write_text(body, encoding="utf-8")
    command, said = re.findall(r"\$ sousveil (raters new_york.*)\n((?:.*\n)*?)```", page("raters"))[
        0
    ]
    done = CliRunner().invoke(app, command.split())
    assert done.stdout == said


def test_the_command_of_the_page_says_what_the_page_says() -> None:
    command, said = re.findall(r"\$ sousveil (sample .*)\n(.*)\n", page("sampling"))[0]
    done = CliRunner().invoke(app, command.split())
    assert done.stdout.splitlines()[0] == said


def test_files_and_columns_are_explained() -> None:
    text = page("sampling")
    for name in (*FILES.values(), "walker-1.gpx"):
        assert f"`{name}`" in text or name == FILES["attribution"], name
    for column in _forms.COLUMNS[5:]:
        assert f"`{column}`" in text, column


def test_the_numbers_of_the_method_are_those_of_the_program() -> None:
    text = page("sampling")
    assert f"about {_frame.STRETCH_M:.0f} m" in text
    assert f"as of {_frame.LEAST_SIZE_M:.0f} m" in text
    assert (
        f"{_routes.COUNTING_KM_H} km/h along a stretch, {_routes.WRITING_MIN:.0f} minutes" in text
    )
    assert f"{_routes.WALKING_KM_H} km/h between" in text
    assert _drawing.LEAST_OF_STRATUM == 4
    assert "four each at least" in text
    assert _estimating.NEIGHBOURHOOD == 8
    assert "seven drawn nearest" in text
    assert f"within {_forms.SAME_CAMERA_M:.0f} m" in text
    about = page("raters")
    assert f"{OWN_RATINGS} ratings or more" in about
    assert MOST_OWN == 8
    assert "up to eight such raters" in about
    assert "25,532" in about
    assert "22,133 on buildings + 3,317 on street furniture" in about


def test_figures_that_are_measured_stand_in_the_table_of_benchmarks() -> None:
    table = (PROJECT / "bench" / "README.md").read_text(encoding="utf-8")
    covered = re.search(r"95 % intervals cover ([\d.]+) to\s+([\d.]+) %", table)
    assert covered is not None
    assert f"{covered[1]} to {covered[2]} %" in page("sampling")


def test_the_table_of_raters_is_that_of_the_benchmark() -> None:
    table = (PROJECT / "bench" / "README.md").read_text(encoding="utf-8")
    measured = table.split("<!-- raters -->")[1].split("<!-- /raters -->")[0]
    rows = re.findall(r"^\| [a-z].*\|$", measured, re.MULTILINE)[1:]
    shown = page("raters").split("## Measured")[1]
    said = [line.split(" | ") for line in re.findall(r"^\| [a-z].*\|$", shown, re.MULTILINE)[1:]]
    assert len(rows) == len(said) == 6
    for row, cells in zip(rows, said, strict=True):
        _, medians, model, covers, width = row.strip("| ").split(" | ")
        assert cells[1:3] == [medians, model]
        assert cells[3] == f"{float(covers):.0f} %"
        assert cells[4].strip(" |") == width
