"""The register: importing and comparing the planet's plate readers, and ten million rows."""

from __future__ import annotations

import gzip
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from _measure import DATA, machine, measure, write_section
from sousveil import store, timeline
from sousveil.records import BUILDINGS, OBSERVATIONS, QUARANTINE, STREETS
from sousveil.sources import Source

EDITIONS = {
    date(2026, 7, day): DATA / "lists" / f"osm_alpr_planet_2026-07-{day}.tsv.gz" for day in (13, 21)
}
ROWS = 10_000_000
BATCH = 100_000
BARS = {"import": "5 s", "next edition": "", "diff": "10 s", "ten million": "2,000 MB"}

# The file has no header: lat, lon, operator and, in the later edition, direction. All rows are
# kept, also those that say the same.
_READ = """
    with lines as (
        select row_number() over () as row, string_split(line, chr(9)) as said
        from read_csv($path, columns = {line: varchar}, delim = chr(1), quote = '', header = false)
    )
    select 'row-' || row as native_id, said[2]::double as lon, said[1]::double as lat,
           nullif(said[3], '') as operator,
           [try_cast(nullif(said[4], '') as double)] as bearings
    from lines
"""
_PLAIN = {
    "observation_id": "",
    "source_id": "",
    "count": 1,
    "kind": "alpr",
    "operator_class": "unknown",
    "operator_class_rule": "none",
    "private_home": False,
    "raw": "{}",
}


class Part(NamedTuple):
    """Some rows, as sources.tabular would yield them."""

    rows: int
    records: pa.Table
    quarantine: pa.Table
    links: int


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
                    "seconds": said["seconds"],
                    "peak MB": round(peak_mb),
                    "bar": BARS[step],
                    "outcome": said["outcome"],
                }
            )
            print(rows[-1], file=sys.stderr)
    note = (
        f"{machine()}. Time of the step alone, rows read before; peak memory of the whole process, "
        "reading included. One run."
    )
    write_section("register", rows, note)


def import_planet(told: Path) -> None:
    """Import the later edition into a new register."""
    source = _edition(date(2026, 7, 21))
    register = told.with_name("first.duckdb")
    start = time.perf_counter()
    added = store.add(register, source, series="planet", is_whole_list=True)
    _tell(told, start, f"{added.rows:,} rows, {added.cameras:,} cameras")


def import_next_edition(told: Path) -> None:
    """Import the earlier edition and then, timed, the later one."""
    register = told.with_name("planet.duckdb")
    earlier, later = (_edition(day) for day in EDITIONS)
    store.add(register, earlier, series="planet", is_whole_list=True)
    start = time.perf_counter()
    added = store.add(register, later, series="planet", is_whole_list=True)
    _tell(told, start, f"{added.known:,} known, {added.changes['vanished']:,} vanished")


def compare_editions(told: Path) -> None:
    """Compare the two editions in the register that the step before left, and check the answer."""
    register = told.with_name("planet.duckdb")
    start = time.perf_counter()
    found = timeline.diff(register, *EDITIONS).summary
    seconds = time.perf_counter()
    before, after = (Counter(_places(path)) for path in EDITIONS.values())
    gone, new = (before - after).total(), (after - before).total()
    # Every place that only one file has was left, entered, or moved from or to.
    assert found["cameras"] == {"from": before.total(), "to": after.total()}
    assert gone - found["vanished"] == new - found["appeared"] >= found["moved"]["cameras"]
    told.write_text(
        json.dumps(
            {
                "seconds": seconds - start,
                "outcome": f"{found['appeared']:,} appeared, {found['vanished']:,} vanished, "
                f"{found['moved']['cameras']:,} moved; agrees with the lines of the files",
            }
        )
    )


def import_many(told: Path) -> None:
    """Import a list of ten million rows part by part."""
    path = told.with_name("many.txt")
    path.write_text("a list that is made as it is read")
    register = told.with_name("many.duckdb")
    start = time.perf_counter()
    added = store.add(register, _source(path, date(2026, 1, 1)), _many(), series="many")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size_mb = register.stat().st_size / 1e6
    assert added.cameras == ROWS
    assert peak_mb < 2000
    _tell(told, start, f"{added.cameras:,} cameras, a register of {size_mb:,.0f} MB")


STEPS: dict[str, Callable[[Path], None]] = {
    "import": import_planet,
    "next edition": import_next_edition,
    "diff": compare_editions,
    "ten million": import_many,
}


def _edition(day: date) -> Source:
    with duckdb.connect() as connection:
        rows = connection.sql(_READ, params={"path": str(EDITIONS[day])}).to_arrow_table()
    return _source(EDITIONS[day], day, _observations(rows))


def _observations(known: pa.Table) -> pa.Table:
    """Return records.OBSERVATIONS with these columns, and the others plain or unknown."""
    columns: list[Any] = []
    for field in OBSERVATIONS:
        if field.name in known.column_names:
            columns.append(known[field.name].cast(field.type))
        else:
            value = pa.scalar(_PLAIN.get(field.name), field.type)
            columns.append(pa.repeat(value, known.num_rows))
    return pa.table(columns, schema=OBSERVATIONS)


def _source(path: Path, day: date, rows: pa.Table | None = None) -> Source:
    table = OBSERVATIONS.empty_table() if rows is None else rows
    return Source(
        source_id=path.name,
        path=str(path),
        format="CSV",
        publisher="bench",
        licence="ODbL-1.0",
        attribution="© OpenStreetMap contributors",
        seen_on=day,
        rows=table.num_rows,
        links_dropped=0,
        header_box=None,
        observations=table,
        quarantine=QUARANTINE.empty_table(),
        streets=STREETS.empty_table(),
        buildings=BUILDINGS.empty_table(),
    )


def _many() -> Iterator[Part]:
    draw = np.random.default_rng(1)
    operators = pa.array([f"Operator {i}" for i in range(500)])
    for start in range(0, ROWS, BATCH):
        known = pa.table(
            {
                "native_id": pa.array(np.arange(start, start + BATCH)).cast(pa.string()),
                "lon": draw.uniform(-10, 30, BATCH),
                "lat": draw.uniform(35, 60, BATCH),
                "operator": operators.take(pa.array(draw.integers(0, 500, BATCH))),
                "raw": pa.array([f'{{"row": {i}}}' for i in range(start, start + BATCH)]),
            }
        )
        yield Part(BATCH, _observations(known), QUARANTINE.empty_table(), 0)


def _places(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            lat, lon, *_ = line.split("\t")
            yield lat, lon


def _tell(told: Path, start: float, outcome: str) -> None:
    seconds = time.perf_counter() - start
    told.write_text(json.dumps({"seconds": seconds, "outcome": outcome}))


if __name__ == "__main__":
    main()
