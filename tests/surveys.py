"""Surveys for tests: the ground of a real place, and forms filled from a truth."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from sousveil.sources import osm
from sousveil.survey import _planning, _rehearsal


@cache
def ground(path: Path) -> tuple[_planning.Ground, npt.NDArray[np.int64]]:
    """Return the ground of an extract and how many of its cameras stand at each stretch."""
    source = osm.read(path, source_id="place")
    where = _planning.ground(source.streets, boundary=None, footways=False)
    lon, lat = (source.observations[name].to_numpy() for name in ("lon", "lat"))
    return where, _rehearsal.mapped(where, lon, lat)


def fill(
    plan: Path, truth: npt.NDArray[np.int64], target: Path, *, sees: float, seed: int = 0
) -> list[dict[str, Any]]:
    """Fill the form of a plan: each walker sees each camera with some chance; return the rows."""
    ids = pq.read_table(plan / "stretches.parquet")["stretch_id"].to_pylist()
    there = dict(zip(ids, truth.tolist(), strict=True))
    with (plan / "form.csv").open(encoding="utf-8") as file:
        rows: list[dict[str, Any]] = list(csv.DictReader(file))
    random = np.random.default_rng(seed)
    by_stretch: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_stretch.setdefault(row["stretch_id"], []).append(row)
    for stretch, walks in by_stretch.items():
        seen = random.random((len(walks), there[stretch])) < sees
        for row, own in zip(walks, seen, strict=True):
            row |= {"surveyed": "yes", "cameras": int(own.sum())}
            if len(walks) == 2:
                row["both"] = int(seen.all(axis=0).sum())
    write(target, rows)
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
