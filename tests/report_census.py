"""A made-up town with its census, for tests of the report and for measuring it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from sousveil import estimates, linking, overlap, place, publication, register, summary
from sousveil.census import Census
from sousveil.records import BUILDINGS, OBSERVATIONS, QUARANTINE, STREETS
from sousveil.sources import Source

ON = date(2026, 5, 1)
SOUTH_WEST = (11.50, 48.10)
BLOCK_DEG = 0.0012  # a block of the town's grid, about 90 by 130 m
KINDS = ("camera", "alpr", "speed", "traffic", None)
OWNERS = (
    ("public", "operator_name", "Town police"),
    ("private", "zone", "Corner shop"),
    ("unknown", "none", None),
)


def town(
    cameras: int = 60,
    blocks: int = 6,
    *,
    buildings_per_block: int = 4,
    seed: int = 1,
    name: str = "Exampleton",
    changes: dict[int, dict[str, Any]] | None = None,
) -> Census:
    """Return the census of a town of blocks x blocks, the same for the same seed.

    changes: by number of the camera, what to say of it instead.
    """
    random = np.random.default_rng(seed)
    rows = [_camera(i, blocks, random) | (changes or {}).get(i, {}) for i in range(cameras)]
    observations = pa.Table.from_pylist(rows, schema=OBSERVATIONS)
    return census_of(
        Source(
            source_id="town",
            path="/somewhere/town.osm.pbf",
            format="OpenStreetMap PBF",
            publisher="OpenStreetMap",
            licence="ODbL-1.0",
            attribution="© OpenStreetMap contributors",
            seen_on=ON,
            rows=cameras,
            links_dropped=1,
            header_box=None,
            observations=observations,
            quarantine=_quarantine(),
            streets=_streets(blocks),
            buildings=_buildings(blocks, buildings_per_block),
        ),
        name=name,
    )


def census_of(source: Source, *, name: str) -> Census:
    """Return the census of one source, by the steps of the real one."""
    links = linking.by_identity(source.observations)
    built = register.build(source.observations, links)
    measured = place.describe(
        name=name,
        streets=source.streets,
        buildings=source.buildings,
        cameras_lonlat=np.column_stack([built.cameras["lon"], built.cameras["lat"]]),
        population=25_000,
    )
    estimated = estimates.at_least(built.cameras, measured, lists=overlap.lists([source]))
    counted = summary.summarise(
        place=measured,
        on=ON,
        dated=True,
        asked=summary.asked([source.name], None, None, None),
        sources=[source],
        register=built,
        estimated=estimated,
        outside=0,
    )
    return Census(
        summary=counted,
        place=measured,
        on=ON,
        sources=[source],
        observations=source.observations,
        links=links,
        cameras=built.cameras,
        apart=built.apart,
        published=publication.publish(built.cameras),
        estimates=estimated,
        quarantine=source.quarantine,
        streets=source.streets,
        buildings=source.buildings,
    )


def without_cameras() -> Census:
    """Return the census of a town in which nobody has mapped a camera."""
    return town(0, 3)


def renamed(census: Census, name: str) -> Census:
    """Return a census of a place of another name."""
    return replace(census, summary=census.summary | {"place": name})


def _camera(i: int, blocks: int, random: np.random.Generator) -> dict[str, Any]:
    column, row = random.integers(0, blocks, 2)
    along = random.random() * BLOCK_DEG
    operator_class, rule, operator = OWNERS[random.integers(0, len(OWNERS))]
    known = random.random(3) < 0.5
    lon = SOUTH_WEST[0] + column * BLOCK_DEG + along
    lat = SOUTH_WEST[1] + row * BLOCK_DEG
    tags = {"man_made": "surveillance", "ref": str(i)}
    return {
        "observation_id": f"town/node/{1000 + i}",
        "source_id": "town",
        "native_id": f"node/{1000 + i}",
        "seen_on": ON - timedelta(days=int(random.integers(30, 4000))),
        "seen_by": "check" if i % 9 == 0 else "edit",
        "lon": round(lon, 7),
        "lat": round(lat, 7),
        "count": 1,
        "kind": KINDS[random.integers(0, len(KINDS))],
        "housing": ("fixed", "dome", None)[random.integers(0, 3)],
        "bearings": [float(random.integers(0, 360))] if known[0] else None,
        "height_m": float(random.integers(3, 9)) if known[1] else None,
        "mount": ("wall", "pole", "street_lamp", None)[random.integers(0, 4)],
        "setting": ("public", "outdoor", "indoor", None)[random.integers(0, 4)],
        "zone": ("traffic", "town", "shop", None)[random.integers(0, 4)],
        "operator": operator if known[2] else None,
        "operator_class": operator_class,
        "operator_class_rule": rule,
        "private_home": False,
        "raw": json.dumps(tags),
    }


def _streets(blocks: int) -> pa.Table:
    west, south = SOUTH_WEST
    extent = blocks * BLOCK_DEG
    rows = []
    for i in range(blocks + 1):
        for j in range(blocks):
            start, end, fixed = j * BLOCK_DEG, (j + 1) * BLOCK_DEG, i * BLOCK_DEG
            for axis, line in (
                ("East", [(west + start, south + fixed), (west + end, south + fixed)]),
                ("North", [(west + fixed, south + start), (west + fixed, south + end)]),
            ):
                rows.append(
                    {
                        "street_id": f"way/{len(rows) + 1}",
                        "highway": "primary" if i == 0 else "residential",
                        "name": f"{axis} {i} Street",
                        "geometry": shapely.to_wkb(shapely.LineString(line)),
                    }
                )
    diagonal = shapely.LineString([(west, south), (west + extent, south + extent)])
    rows.append({"street_id": "way/0", "highway": "footway", "geometry": shapely.to_wkb(diagonal)})
    return pa.Table.from_pylist(rows, schema=STREETS)


def _buildings(blocks: int, per_block: int) -> pa.Table:
    side = max(1, round(per_block**0.5))
    corners = (np.arange(blocks)[:, None] + np.linspace(0.15, 0.75, side)[None, :]).ravel()
    x, y = (grid.ravel() * BLOCK_DEG for grid in np.meshgrid(corners, corners))
    west, south = x + SOUTH_WEST[0], y + SOUTH_WEST[1]
    size = BLOCK_DEG * 0.45 / side
    shapes = shapely.to_wkb(shapely.box(west, south, west + size, south + size))
    n = len(shapes)
    columns = {
        "building_id": [f"way/{100_000 + i}" for i in range(n)],
        "building": ["yes"] * n,
        "geometry": shapes.tolist(),
    }
    return pa.table(
        [pa.array(columns.get(f.name, [None] * n), f.type) for f in BUILDINGS], schema=BUILDINGS
    )


def _quarantine() -> pa.Table:
    row = {
        "source_id": "town",
        "row": 3,
        "field": "camera:direction",
        "value": "towards the door",
        "reason": "no direction",
        "kept": True,
        "native_id": "node/1002",
    }
    return pa.Table.from_pylist([row], schema=QUARANTINE)


def with_lists(census: Census) -> Census:
    """Return a census as of three lists, of which one disagrees with the others here and there."""
    titles = {
        "osm": "OpenStreetMap",
        "city": "Register of the town's own cameras",
        "walk": "Survey",
    }
    overlaps = [(["osm"], 25), (["osm", "city"], 14), (["city"], 9), (["walk"], 7),
                (["osm", "walk"], 4), (["osm", "city", "walk"], 1)]  # fmt: skip
    n = census.summary["cameras"]["records"]
    each = []
    for name, title in titles.items():
        held = sum(k for lists, k in overlaps if name in lists)
        [alone] = [k for lists, k in overlaps if lists == [name]]
        each.append(
            {
                "list": name,
                "title": title,
                "sources": [name],
                "covers": "cameras run by the town" if name == "city" else "",
                "cameras": held,
                "share": held / n,
                "alone": alone,
            }
        )
    lists = {
        "each": each,
        "overlaps": [{"lists": names, "cameras": k} for names, k in overlaps],
        "disagreements": [
            {"attribute": "kind", "compared": 19, "differ": 1},
            {"attribute": "operator_class", "compared": 16, "differ": 4},
            {"attribute": "height_m", "compared": 0, "differ": 0},
        ],
        "linkage": {
            "expected_precision": 0.981,
            "expected_recall": 0.944,
            "joins": 2,
            "expected_precision_of_joins": 0.612,
            "pairs_compared": 412,
            "uncertain": 3,
        },
    }
    return replace(census, summary=census.summary | {"lists": lists})


def history() -> dict[str, Any]:
    """Return a timeline as `timeline.timeline` tells it, of five editions of one list."""
    from sousveil.timeline._survival import kaplan_meier

    random = np.random.default_rng(3)
    groups = {}
    for name, n, years in (("entered", 60, 9.0), ("already_there", 40, 5.0)):
        lives = random.exponential(years, n).round(1) + 0.1
        watched = random.uniform(1, 8, n).round(1)
        is_over = lives <= watched
        curve, median = kaplan_meier(np.minimum(lives, watched), is_over)
        groups[name] = {
            "cameras": n,
            "vanished": int(is_over.sum()),
            "median_years": median,
            "curve": curve.to_pylist(),
        }
    counts = [(40, 0, 40, 0, 0), (58, 20, 0, 0, 2), (55, 5, 0, 0, 8), (90, 28, 12, 1, 6),
              (84, 0, 0, 0, 6)]  # fmt: skip
    names = ("cameras", "appeared", "newly_covered", "returned", "vanished")
    dates = [
        {
            "dated": date(year, 3, 1),
            "sources": [f"town_{year}"],
            **dict(zip(names, row, strict=True)),
        }
        for year, row in zip((2016, 2018, 2020, 2023, 2025), counts, strict=True)
    ]
    months = [
        {"month": f"{2012 + i // 12}-{i % 12 + 1:02}", "cameras": 1 + i % 5, "devices": 2 + i % 5}
        for i in range(0, 60, 2)
    ]
    return {
        "recorded_by": None,
        "dates": dates,
        "lifetimes": {"note": "A camera is born here when it enters a list.", **groups},
        "installed": {"by_month": months, "unknown": 12},
    }


def with_history(census: Census) -> Census:
    """Return a census as of several editions of one list."""
    return replace(census, summary=census.summary | {"timeline": history()})
