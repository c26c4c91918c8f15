"""The example of the pages on exposure and letters gives what they say, on the real extract."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import shapely
from typer.testing import CliRunner

from sousveil.cli import app
from tests.conftest import PROJECT
from tests.tracks import stroll

DOCS = PROJECT / "docs"
EXTRACT = "munich_2020-07.osm.pbf"
REFRESH = "run: python docs/_exposure.py"


def commands(page: str) -> list[tuple[str, str]]:
    """Return the commands of a page's example, each with what it prints."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (block,) = re.findall(r"<!-- example -->\n```console\n(.*?)```", text, re.DOTALL)
    found = re.findall(r"\$ sousveil (.*?)\n(.*?)(?=\$ |\Z)", block, re.DOTALL)
    return [(command, said.strip()) for command, said in found]


def python(page: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(block)


def test_the_examples_give_what_they_say(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / EXTRACT).symlink_to(shared_data / "osm" / EXTRACT)
    plan, mine = commands("exposure.md")
    (post,) = commands("letters.md")
    assert run(plan[0]) == plan[1], REFRESH
    make_track()
    assert run(mine[0]) == mine[1], REFRESH
    assert run(post[0]) == post[1], REFRESH
    shutil.rmtree("post")
    known: dict[str, Any] = {}
    exec(compile(python("exposure.md"), "exposure.md", "exec"), known)
    assert known["plan"].ways.num_rows >= 2
    exec(compile(python("letters.md"), "letters.md", "exec"), known)
    assert {one["operator"] for one in known["told"]["access"]} == {"hotel", "police"}


def make_track() -> None:
    """Write the track of the example: along the shortest way that was planned."""
    shortest = shapely.from_wkb(pq.read_table("plan/ways.parquet")["geometry"][0].as_py())
    stroll(Path("way.gpx"), shortest, seed=9)


def run(command: str) -> str:
    done = CliRunner().invoke(app, [*command.split(), "--quiet"])
    assert done.exit_code == 0, done.stderr
    return re.sub(r"\n{2,}", "\n", done.stdout).strip()
