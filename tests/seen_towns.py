"""Small towns made up for coverage: streets between blocks, cameras, priors that are certain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from shapely import box

from sousveil import priors
from sousveil.records import BUILDINGS, CAMERAS, STREETS
from sousveil.visibility import Plane

PLANE = Plane(11.0, 48.0)
HEADER = ",".join(priors.COLUMNS)

CERTAIN = {
    "pixels_h": "value,1920,0",
    "hfov_deg": "value,90,0",
    "height_m": "value,3,0",
    "tilt_deg": "value,20,0",
    "facing_deg": "value,0,0",
    "quality": "value,1,0",
    "loss_per_year": "value,0,0",
    "age_years": "value,0,0",
}
"""Priors without chance: distribution, values, shared."""


def prior_table(folder: Path, **rows: str) -> priors.Priors:
    """Return a table of priors that are certain but for those given."""
    lines = []
    for quantity, cells in (CERTAIN | rows).items():
        distribution, values, shared = cells.split(",")
        lines.append(f"{quantity},,,,,,,,,{distribution},{values},{shared},a test")
    path = folder / "priors.csv"
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    return priors.read(path)


def wkb(shape: Any) -> bytes:
    return bytes(shapely.to_wkb(PLANE.round(np.array([shape]))[0]))


def _table(schema: pa.Schema, rows: list[dict[str, Any]]) -> pa.Table:
    blank = dict.fromkeys(schema.names)
    return pa.Table.from_pylist([blank | row for row in rows], schema=schema)


def streets(*lines: Any, **more: Any) -> pa.Table:
    rows = [
        {"street_id": f"way/{i}", "highway": "residential", "name": f"Street {i}",
         "geometry": wkb(line)} | more
        for i, line in enumerate(lines)
    ]  # fmt: skip
    return _table(STREETS, rows)


def buildings(*shapes: Any, kind: str = "apartments") -> pa.Table:
    rows = [
        {"building_id": f"way/b{i}", "building": kind, "geometry": wkb(shape)}
        for i, shape in enumerate(shapes)
    ]
    return _table(BUILDINGS, rows)


def cameras(*rows: dict[str, Any]) -> pa.Table:
    """Return cameras at x, y in metres; everything else as in records.CAMERAS."""
    made = []
    for i, row in enumerate(rows):
        known = dict(row)
        x, y = known.pop("x"), known.pop("y")
        (lon, lat), *_ = PLANE.to_lonlat(np.array([[x, y]], float)).tolist()
        usual = {
            "camera_id": f"cam-{i}", "lon": lon, "lat": lat, "count": 1, "kind": "camera",
            "housing": "fixed", "operator_class": "unknown", "operator_class_rule": "none",
            "private_home": False, "sources": ["a"], "n_sources": 1, "link_probability": 1.0,
            "native_ids": [], "mount": "pole",
        }  # fmt: skip
        made.append(usual | known)
    return _table(CAMERAS, made)


def grid(blocks: int = 3, block_m: float = 60.0, street_m: float = 16.0) -> tuple[Any, Any]:
    """Return the streets and the blocks of houses of a town, as shapes in metres."""
    step = block_m + street_m
    houses = [
        box(i * step, j * step, i * step + block_m, j * step + block_m)
        for i in range(blocks) for j in range(blocks)
    ]  # fmt: skip
    ends = -street_m, blocks * step
    at = [i * step - street_m / 2 for i in range(blocks + 1)]
    lines = [shapely.LineString([(x, ends[0]), (x, ends[1])]) for x in at]
    lines += [shapely.LineString([(ends[0], y), (ends[1], y)]) for y in at]
    return lines, houses


def on_streets(rng: np.random.Generator, n: int, blocks: int = 3) -> list[dict[str, float]]:
    """Return places for cameras at random along the streets of `grid`, beside the middle."""
    lines, _ = grid(blocks)
    length = np.array([line.length for line in lines])
    chosen = rng.choice(len(lines), n, p=length / length.sum())
    places = []
    for k in chosen:
        at = lines[k].interpolate(rng.uniform(0, lines[k].length))
        aside = rng.uniform(-6, 6)
        vertical = lines[k].bounds[0] == lines[k].bounds[2]
        places.append(
            {"x": at.x + (aside if vertical else 0), "y": at.y + (0 if vertical else aside)}
        )
    return places
