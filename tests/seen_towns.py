"""Small towns made up for coverage: streets between blocks, cameras, priors that are certain."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import shapely
from shapely import box

from sousveil import priors, undercount
from sousveil.overlap import Listed
from sousveil.records import BUILDINGS, CAMERAS, LINKS, STREETS
from sousveil.visibility import Plane
from tests.tables import observations

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


LISTS = [Listed(name, name, "", (name,)) for name in ("a", "b", "c")]

# Chance that each list holds a camera on a main street and on another, where chances differ.
UNLIKE = {"a": (0.75, 0.35), "b": (0.65, 0.3), "c": (0.6, 0.3)}


class Surveyed(NamedTuple):
    """A town, every camera in it, those that lists hold, and what their overlap tells."""

    streets: pa.Table
    buildings: pa.Table
    really: pa.Table
    listed: pa.Table
    lists: list[Listed]
    told: dict[str, Any]

    def missing(self, given: str | None = None) -> undercount.Missing:
        return undercount.missing(given, self.listed, lists=self.lists, told=self.told,
                                  streets=self.streets)  # fmt: skip

    def by_one_factor(self) -> undercount.Missing:
        """Return the same as if lists found all cameras alike."""
        alike = undercount.missing(None, self.listed, lists=self.lists, told=self.told)
        plain = {k: self.told[k] - self.told["observed"] for k in ("estimate", "low", "high")}
        n = self.listed.num_rows
        return alike._replace(covariates=(), like=np.full(n, 1 / n), **plain)


def surveyed(
    rng: np.random.Generator, n: int, *, lists: int = 2, blocks: int = 9, main_share: float = 0.4
) -> Surveyed:
    """Return a town whose lists find cameras on main streets (those east to west) more easily."""
    lines, houses = grid(blocks)
    main = np.array([line.bounds[1] == line.bounds[3] for line in lines])
    kinds = ["primary" if is_main else "residential" for is_main in main]
    town = streets(*lines)
    place = town.schema.get_field_index("highway")
    town = town.set_column(place, STREETS.field("highway"), pa.array(kinds))
    where, on_main = _beside(rng, n, lines, main, main_share)
    bearing = rng.uniform(0, 360, n)
    rows = [p | {"bearings": [float(b)]} for p, b in zip(where, bearing, strict=True)]
    really = cameras(*rows)
    chance = np.array([np.where(on_main, *UNLIKE[one.list_id]) for one in LISTS[:lists]]).T
    held = rng.random((n, lists)) < chance
    known = np.flatnonzero(held.any(axis=1))
    names = [[one.list_id for one, has in zip(LISTS, row, strict=False) if has] for row in held]
    unknown = cameras(
        *(where[i] | {"camera_id": f"cam-{i}", "sources": names[i]} for i in known.tolist())
    )
    told = _told(unknown, LISTS[:lists])
    return Surveyed(town, buildings(*houses), really, unknown, LISTS[:lists], told)


def _beside(
    rng: np.random.Generator, n: int, lines: list[Any], main: Any, main_share: float
) -> tuple[list[dict[str, float]], Any]:
    on_main = rng.random(n) < main_share
    places = []
    for is_main in on_main:
        line = lines[int(rng.choice(np.flatnonzero(main == is_main)))]
        blocks = round((line.length - 16) / 76)  # before a house, not on a crossing
        along = 16 + 76 * rng.integers(blocks) + rng.uniform(0, 60)
        at, aside = line.interpolate(along), rng.uniform(-6, 6)
        places.append(
            {"x": at.x + (0 if is_main else aside), "y": at.y + (aside if is_main else 0)}
        )
    return places, on_main


def _told(listed: pa.Table, lists: list[Listed]) -> dict[str, Any]:
    """Return what a census says of the overlap of lists that were linked without error."""
    rows = [
        {"source_id": one, "native_id": f"{one}-{row['camera_id']}", "lon": row["lon"],
         "lat": row["lat"], "camera": row["camera_id"]}
        for row in listed.to_pylist() for one in row["sources"]
    ]  # fmt: skip
    table = observations(*({k: v for k, v in row.items() if k != "camera"} for row in rows))
    columns = {name: table[name] for name in ("observation_id", "source_id", "native_id")}
    columns |= {"camera_id": [row["camera"] for row in rows], "probability": [1.0] * len(rows)}
    links = pa.table(columns, schema=LINKS)
    found = undercount.estimate(listed, table, links, lists=lists, rates=None, place="Town")
    assert found is not None
    return found.told
