"""The command line as programs and people meet it: exit codes, streams, one-line errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sousveil import __version__
from tests.towns import empty_extract, small_town


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sousveil", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Assert that a command ended with 2 and one line that holds the words."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("sousveil: ")
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in last


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "town.osm.pbf")


def test_json_alone_stands_on_stdout(town: Path, tmp_path: Path) -> None:
    done = run("census", town, "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["cameras"]["records"] > 0
    assert Path(summary["files"]["report"]).is_file()
    assert "Reading town.osm.pbf" in done.stderr  # progress goes to the other stream


def test_quiet_says_nothing_but_the_answer(town: Path, tmp_path: Path) -> None:
    done = run("census", town, "-o", tmp_path / "out", "--quiet")
    assert done.stderr == ""
    assert "At least" in done.stdout
    assert str(tmp_path / "out" / "report.html") in done.stdout


def test_an_extract_without_a_camera_is_an_answer(tmp_path: Path) -> None:
    done = run("census", empty_extract(tmp_path / "e.osm.pbf"), "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cameras"]["records"] == 0
    assert (tmp_path / "out" / "report.html").stat().st_size > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.osm.pbf"], ["missing.osm.pbf", "no such file"]),
        (["."], ["directory"]),
        (["Atlantis"], ["Atlantis"]),
        (["TOWN", "--on", "yesterday"], ["--on yesterday", "2026-11-23"]),
        (["TOWN", "--on", "2999-01-01"], ["--on 2999-01-01", "lies ahead"]),
        (["TOWN", "--population", "0"], ["population"]),
        (["TOWN", "--within", "nowhere.geojson"], ["nowhere.geojson"]),
        (
            ["TOWN", "--within", "Gotham"],
            ["town.osm.pbf", "no administrative boundary", "--within"],
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(
    town: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    given = [str(town) if a == "TOWN" else a for a in arguments]
    refused(run("census", *given, "-o", tmp_path / "out"), *words)
    assert not (tmp_path / "out").exists()


def test_a_missing_option_is_named() -> None:
    done = run("census", "helsinki")
    assert done.returncode == 2
    assert "--output" in done.stderr


def test_output_that_cannot_be_written(town: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    refused(run("census", town, "-o", file), str(file), "not a directory")
    refused(run("census", town, "-o", file / "deeper"), str(file))
    refused(run("census", town, "-o", "/proc/out"), "/proc/out", "cannot be written")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_leaves_nothing_half_done(town: Path, tiny_disk: Path) -> None:
    refused(run("census", town, "-o", tiny_disk / "out"), "disk is full")
    assert list(tiny_disk.iterdir()) == []


def test_help_is_quick_to_load_and_shows_examples() -> None:
    done = run("census", "--help")
    assert done.returncode == 0
    assert "sousveil census helsinki -o out" in done.stdout
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sousveil", "--help"],
        capture_output=True,
        text=True,
    ).stderr
    for heavy in ("pyarrow", "duckdb", "shapely", "numpy", "osmium", "pandas"):
        assert f" {heavy}\n" not in loaded, f"--help loads {heavy}"


def test_version_and_shell_completion() -> None:
    assert run("--version").stdout.strip() == f"sousveil {__version__}"
    script = run("--show-completion", "bash")
    assert "sousveil" in script.stdout
