"""A directory of results is complete or absent, and nothing of others is ever touched."""

from __future__ import annotations

import errno
import importlib
import re
from pathlib import Path

import pytest

from sousveil import _output
from sousveil._output import complete_directory
from sousveil.errors import UnusableInput

MARKER = "sources.json"


def write(target: Path, text: str) -> None:
    with complete_directory(target, marker=MARKER) as partial:
        (partial / MARKER).write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_results_appear_at_once_and_replace_earlier_ones(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    write(target, "first")
    write(target, "second")
    assert (target / MARKER).read_text() == "second"
    assert names(target.parent) == ["out"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out"

    def fail() -> None:
        with complete_directory(target, marker=MARKER) as partial:
            (partial / MARKER).write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fail()
    assert names(tmp_path) == []
    write(target, "first")
    with pytest.raises(RuntimeError):
        fail()
    assert (target / MARKER).read_text() == "first"
    assert names(tmp_path) == ["out"]


def test_without_an_atomic_exchange_the_old_result_steps_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_output, "_exchange", lambda first, second: False)
    write(tmp_path / "out", "first")
    write(tmp_path / "out", "second")
    assert (tmp_path / "out" / MARKER).read_text() == "second"
    assert names(tmp_path) == ["out"]


def test_other_peoples_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UnusableInput, match="no result of sousveil"):
        write(tmp_path, "x")
    (tmp_path / "links.parquet").touch()
    with pytest.raises(UnusableInput, match=r"result of another sousveil .*links\.parquet"):
        write(tmp_path, "x")
    (tmp_path / "links.parquet").unlink()
    assert names(tmp_path) == ["thesis.txt"]
    with pytest.raises(UnusableInput, match="not a directory"):
        write(tmp_path / "thesis.txt", "x")


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", "first")
    assert (tmp_path / "out" / MARKER).read_text() == "first"


def test_what_killed_runs_left_is_swept_but_not_a_running_one(tmp_path: Path) -> None:
    dead = tmp_path / ".out.partial-999999999-0123abcd"
    alive = tmp_path / ".out.partial-1-0123abcd"
    other = tmp_path / ".out.partial-notes"
    for folder in (dead, alive, other):
        folder.mkdir()
    write(tmp_path / "out", "x")
    assert names(tmp_path) == [alive.name, other.name, "out"]


def test_a_result_set_aside_by_a_killed_run_comes_back(tmp_path: Path) -> None:
    aside = tmp_path / ".out.partial-999999999-0123abcd-old"
    aside.mkdir()
    (aside / MARKER).write_text("old")
    with (
        pytest.raises(RuntimeError),
        complete_directory(tmp_path / "out", marker=MARKER),
    ):
        raise RuntimeError
    assert (tmp_path / "out" / MARKER).read_text() == "old"


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "cannot be written")]
)
def test_trouble_with_the_disk_is_one_line(tmp_path: Path, number: int, words: str) -> None:
    target = tmp_path / "out"
    with (
        pytest.raises(UnusableInput, match=words) as caught,
        complete_directory(target, marker=MARKER),
    ):
        raise OSError(number, "x")
    assert str(target) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


def test_every_result_is_known_by_its_marker() -> None:
    """What names a marker to complete_directory is known to the message about other results."""
    sources = (Path(_output.__file__).parent).rglob("*.py")
    calls = "".join(path.read_text(encoding="utf-8") for path in sources)
    modules = "census claims coverage._files exposure retrace review store._export survey._files"
    files = [importlib.import_module(f"sousveil.{name}").FILES for name in modules.split()]
    keys = ("plan", "sources", "summary", "links")
    found = {next(one[key] for key in keys if key in one) for one in files}
    found.add(importlib.import_module("sousveil.letters").MARKER)
    assert found == _output.MARKERS
    assert len(re.findall(r"with complete_directory\(", calls)) == 9
