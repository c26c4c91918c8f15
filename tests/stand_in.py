"""A coverage made of distances alone, for tests that are not about what a camera sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from sousveil.records import WATCHED

REACH_M = {"detect": 50.0, "observe": 25.0, "recognise": 15.0, "identify": 8.0}


def watched(
    cameras: pa.Table, streets: pa.Table, buildings: pa.Table, **_: Any
) -> tuple[pa.Table, pa.Table]:
    """Return stretches of about 10 m and who watches them: all around a camera, a third of it."""
    lines = shapely.get_parts(shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False)))
    fine = shapely.segmentize(lines, 1e-4)
    points, line = shapely.get_coordinates(fine, return_index=True)
    edge = np.flatnonzero(line[1:] == line[:-1])
    pairs = np.stack([points[edge], points[edge + 1]], axis=1)
    middle = pairs.mean(axis=1)
    scale = np.array([111_195 * np.cos(np.radians(middle[:, 1].mean())), 111_195.0])
    at = np.column_stack([cameras["lon"], cameras["lat"]]) * scale
    rows: list[tuple[Any, ...]] = []
    for i, camera_id in enumerate(cameras["camera_id"].to_pylist()):
        away_m = np.hypot(*(middle * scale - at[i]).T)
        for level, reach_m in REACH_M.items():
            rows += [
                (int(s), camera_id, level, 0.33, 0.33) for s in np.flatnonzero(away_m < reach_m)
            ]
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 5
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, WATCHED, strict=True)],
                     schema=WATCHED)  # fmt: skip
    stretches = pa.table(
        {"stretch_id": np.arange(len(edge)), "geometry": shapely.to_wkb(shapely.linestrings(pairs))}
    )
    return stretches, table
