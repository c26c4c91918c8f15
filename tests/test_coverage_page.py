"""The page on coverage: its example and its figures, on the real extracts that it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sousveil.census import census
from sousveil.coverage._buildings import what_walkers_meet
from sousveil.records import STRETCHES, VIEWS, VISIBLE
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "coverage.md").read_text(encoding="utf-8")


def test_the_example_gives_what_it_says(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "munich_2020-07.osm.pbf").symlink_to(shared_data / "osm/munich_2020-07.osm.pbf")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(example, "coverage.md", "exec"), {})
    said = re.search(r"# (\d+%)", example)
    assert said is not None
    assert capsys.readouterr().out.splitlines()[0] == said[1]
    assert (tmp_path / "seen" / "coverage.html").is_file()


@pytest.mark.parametrize(
    ("column", "extract"), [(1, "munich_2020-07"), (2, "helsinki_centre_2019-04")]
)
def test_what_buildings_leave_of_the_cameras_met(
    shared_data: Path, column: int, extract: str
) -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) % \| (\d+) % \|$", PAGE, re.MULTILINE)
    assert len(rows) == 7
    chosen = [row for row in rows if row[0] in ("20", "60", "150")]
    counted = census(shared_data / "osm" / f"{extract}.osm.pbf")
    met = what_walkers_meet(counted.cameras, counted.streets, counted.buildings,
                            reaches_m=[float(row[0]) for row in chosen])  # fmt: skip
    ours = [round(100 * kept) for kept in met["kept"].to_pylist()]
    assert ours == [int(row[column]) for row in chosen]


def test_columns_and_keys_are_explained() -> None:
    code = set(re.findall(r"`([^`\n]+)`", PAGE))
    reach = {f"{level}_m" for level in ("detect", "observe", "recognise", "identify")}
    usual = {"camera_id", "view", "lon", "lat", "operator_class"} | reach
    for schema in (STRETCHES, VIEWS, VISIBLE):
        ends = {n for n in schema.names if n.endswith(("_low", "_high"))}
        assert set(schema.names) - usual - ends - code == set()
