"""Small sources for the register, each with a file of its own so that no two are the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely

from sousveil import store
from sousveil.records import BUILDINGS, STREETS
from sousveil.sources import Source, quarantine
from sousveil.store._file import reading
from tests.tables import observations

SQUARE = shapely.box(11.0, 48.0, 12.0, 49.0)  # holds the place of tests.tables


def camera(number: int = 1, **known: Any) -> dict[str, Any]:
    """Return one row of a list, as tests.tables takes it; its date is that of its source."""
    return {
        "native_id": f"node/{number}",
        "lon": 11.5 + number / 1000,
        "seen_on": None,
        "seen_by": None,
    } | known


def source(
    folder: Path, dated: str | None, listed: Iterable[dict[str, Any]] = (), **told: Any
) -> Source:
    """Return a source of that day, in a file named after it, that lists these rows."""
    name = told.pop("source_id", dated or "undated")
    table = observations(*({"source_id": name} | row for row in listed))
    path = folder / f"{name}.txt"
    path.write_text(f"{name} {dated} {told} {table.to_pylist()}")
    return Source(
        **{
            "source_id": name,
            "path": str(path),
            "format": "OpenStreetMap PBF",
            "publisher": "A city",
            "licence": "ODbL-1.0",
            "attribution": "© somebody",
            "seen_on": date.fromisoformat(dated) if dated else None,
            "rows": table.num_rows,
            "links_dropped": 0,
            "header_box": None,
            "observations": table,
            "quarantine": quarantine.table([]),
            "streets": STREETS.empty_table(),
            "buildings": BUILDINGS.empty_table(),
        }
        | told
    )


def add(
    register: Path, dated: str, listed: Iterable[dict[str, Any]] = (), **options: Any
) -> store.Added:
    """Add a source of that day to a register; it tells of all of SQUARE unless told otherwise."""
    told = {name: options.pop(name) for name in ("source_id", "format") if name in options}
    options = {"area": SQUARE} | options
    return store.add(register, source(register.parent, dated, listed, **told), **options)


def ask(register: Path, sql: str) -> list[Any]:
    """Return the rows of a query."""
    with reading(register) as connection:
        return connection.sql(sql).fetchall()


def cameras(register: Path) -> list[str]:
    """Return the ids of the cameras on a register."""
    return [row[0] for row in ask(register, "select camera_id from cameras order by camera_id")]


def camera_of(register: Path, end: str) -> str:
    """Return the camera of the one observation whose id ends so."""
    sql = f"select camera_id from links where until_run is null and observation_id like '%{end}'"
    [(camera_id,)] = ask(register, sql)
    return str(camera_id)


def links(groups: dict[str, list[str]], table: pa.Table) -> pa.Table:
    """Return records.LINKS that put observations into groups, by the end of their ids."""
    group = {end: name for name, ends in groups.items() for end in ends}
    ids = table["observation_id"].to_pylist()
    return pa.table(
        {
            "observation_id": ids,
            "source_id": table["source_id"],
            "native_id": table["native_id"],
            "camera_id": [group.get(i.split("/", 1)[1], i) for i in ids],
            "probability": [0.8] * len(ids),
        }
    )
