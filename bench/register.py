"""The register: importing and comparing plate readers of the planet, and ten million rows."""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np

from _measure import DATA, machine, measure, write_section
from sousveil import timeline
from sousveil.store._reading import add_file

EDITIONS = {
    date(2026, 7, day): DATA / "lists" / f"osm_alpr_planet_2026-07-{day}.tsv.gz" for day in (13, 21)
}
ROWS = 10_000_000
BATCH = 100_000
BARS = {"import": "5 s", "next edition": "", "diff": "10 s", "ten million": "2,000 MB"}
SPEC = """
title = "Many"
publisher = "bench"
url = "https://example.org"
documentation = "https://example.org"
licence = "CC0-1.0"
redistributable = true
attribution = "bench"
covers = "made up"
counts = "devices"
date = 2026-01-01
[fields]
native_id = "id"
lon = "lon"
lat = "lat"
operator = "operator"
kind = { value = "alpr" }
"""


def main() -> None:
    """Measure each step in a process of its own and write the table."""
    if len(sys.argv) > 1:
        STEPS[sys.argv[1]](Path(sys.argv[2]))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for step in STEPS:
            told = Path(folder) / f"{step}.json"
            peak_mb = measure([sys.executable, __file__, step, str(told)])["peak_mb"]
            said = json.loads(told.read_text())
            rows.append(
                {
                    "step": step,
                    "wall s": said["wall_s"],
                    "cpu s": said["cpu_s"],
                    "peak MB": round(peak_mb),
                    "bar": BARS[step],
                    "outcome": said["outcome"],
                }
            )
            print(rows[-1], file=sys.stderr)
    note = f"{machine()}. From the file to the register; peak memory of the whole process. One run."
    write_section("register", rows, note)


def import_planet(told: Path) -> None:
    """Import the later edition into a new register."""
    with _timed(told) as clock:
        added = add_file(told.with_name("first.duckdb"), EDITIONS[date(2026, 7, 21)])
        clock.says(f"{added.rows:,} rows, {added.cameras:,} cameras")


def import_next_edition(told: Path) -> None:
    """Import the earlier edition and then, timed, the later one."""
    register = told.with_name("planet.duckdb")
    earlier, later = EDITIONS.values()
    add_file(register, earlier, is_whole_list=True)
    with _timed(told) as clock:
        added = add_file(register, later, is_whole_list=True)
        clock.says(f"{added.known:,} known, {added.changes['vanished']:,} vanished")


def compare_editions(told: Path) -> None:
    """Compare the two editions in the register that the step before left, and check the answer."""
    register = told.with_name("planet.duckdb")
    with _timed(told) as clock:
        found = timeline.diff(register, *EDITIONS).summary
        clock.says(
            f"{found['appeared']:,} appeared, {found['vanished']:,} vanished, "
            f"{found['moved']['cameras']:,} moved; agrees with the lines of the files"
        )
    before, after = (_places(path) for path in EDITIONS.values())
    gone, new = (before - after).total(), (after - before).total()
    # Every place that only one file has was left, entered, or moved from or to.
    assert found["cameras"] == {"from": before.total(), "to": after.total()}
    assert gone - found["vanished"] == new - found["appeared"] >= found["moved"]["cameras"]


def import_many(told: Path) -> None:
    """Import a CSV file of ten million rows."""
    path, spec = told.with_name("many.csv"), told.with_name("many.toml")
    spec.write_text(SPEC)
    _write_many(path)
    register = told.with_name("many.duckdb")
    with _timed(told) as clock:
        added = add_file(register, path, spec=str(spec))
        size_mb = register.stat().st_size / 1e6
        clock.says(f"{added.cameras:,} cameras, a register of {size_mb:,.0f} MB")
    assert added.cameras == ROWS


STEPS: dict[str, Callable[[Path], None]] = {
    "import": import_planet,
    "next edition": import_next_edition,
    "diff": compare_editions,
    "ten million": import_many,
}


class _timed:  # noqa: N801
    """Times a block and writes how long it took and what it says of its outcome."""

    def __init__(self, told: Path) -> None:
        self._told, self._outcome = told, ""

    def __enter__(self) -> _timed:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def says(self, outcome: str) -> None:
        self._outcome = outcome

    def __exit__(self, *_: object) -> None:
        figures = {
            "wall_s": time.perf_counter() - self._wall,
            "cpu_s": time.process_time() - self._cpu,
            "outcome": self._outcome,
        }
        self._told.write_text(json.dumps(figures))


def _write_many(path: Path) -> None:
    draw = np.random.default_rng(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("id,lon,lat,operator\n")
        for start in range(0, ROWS, BATCH):
            lon, lat = draw.uniform(-10, 30, BATCH), draw.uniform(35, 60, BATCH)
            operator = draw.integers(0, 500, BATCH)
            file.writelines(
                f"{start + i},{lon[i]:.6f},{lat[i]:.6f},Operator {operator[i]}\n"
                for i in range(BATCH)
            )


def _places(path: Path) -> Counter[tuple[str, str]]:
    """Count the places of a file; of lines that say the same, one stands."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        lines = dict.fromkeys(line.rstrip("\n") for line in file)
    return Counter((lat, lon) for lat, lon, *_ in (line.split("\t") for line in lines))


if __name__ == "__main__":
    main()
