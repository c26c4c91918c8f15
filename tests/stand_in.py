"""A coverage made of distances alone, for tests that are not about what a camera sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from sousveil.records import SEEN

REACH_M = {"detect": 50.0, "observe": 25.0, "recognise": 15.0, "identify": 8.0}


def seen_at(cameras: pa.Table, buildings: pa.Table, lon: Any, lat: Any, **_: Any) -> pa.Table:
    """Return who sees which point: each camera a third of the circle around it."""
    scale = np.array([111_195 * np.cos(np.radians(np.mean(lat))), 111_195.0])
    points = np.column_stack([lon, lat]) * scale
    at = np.column_stack([cameras["lon"], cameras["lat"]]) * scale
    rows: list[tuple[Any, ...]] = []
    for i, camera_id in enumerate(cameras["camera_id"].to_pylist()):
        away_m = np.hypot(*(points - at[i]).T)
        for level, reach_m in REACH_M.items():
            rows += [
                (int(p), camera_id, level, 0.33, 0.33) for p in np.flatnonzero(away_m < reach_m)
            ]
    columns = list(zip(*rows, strict=True)) if rows else [[]] * 5
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SEEN, strict=True)], schema=SEEN)
