"""What buildings change: how many cameras a walker meets at which reach, with and without them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sousveil import visibility
from sousveil.coverage import _streets, _views
from sousveil.coverage._seeing import Points, _Tile
from sousveil.priors import read
from sousveil.records import CAMERAS

REACHES_M = (10.0, 20.0, 30.0, 40.0, 60.0, 80.0, 100.0, 150.0)

MEETINGS = pa.schema(
    [
        pa.field("reach_m", pa.float64(), nullable=False),
        pa.field("free", pa.float64(), nullable=False),  # cameras within reach of a walker, mean
        pa.field("in_sight", pa.float64(), nullable=False),  # of them with no building between
        pa.field("kept", pa.float64(), nullable=False),  # in_sight / free
        pa.field("free_km", pa.float64(), nullable=False),  # of ways with a camera within reach
        pa.field("in_sight_km", pa.float64(), nullable=False),
        pa.field("kept_km", pa.float64(), nullable=False),
    ]
)


def what_walkers_meet(
    cameras: pa.Table,
    streets: pa.Table,
    buildings: pa.Table,
    *,
    reaches_m: Sequence[float] = REACHES_M,
) -> pa.Table:
    """Return, for each reach, how many cameras a walker meets, with and without buildings.

    Cameras look all around and always as far as the reach, so that nothing but the buildings
    differs; indoor ones are left out. The walker walks every street and footway once.
    """
    plane = visibility.plane_around(cameras["lon"].to_numpy(), cameras["lat"].to_numpy())
    blocks = visibility.obstacles(plane, buildings, streets)
    ways = _streets.walkable(streets)
    pieces = _streets.cut(ways, plane)
    views = _views.views_of(cameras.cast(CAMERAS), blocks, read())
    views = _views.select(views, np.flatnonzero(~views.indoor))
    points = Points(pieces.xy, np.zeros(len(pieces.xy), np.int64), pieces.length_mm)
    rows = []
    everywhere = np.arange(len(pieces.xy))
    for reach in reaches_m:
        nothing = visibility.of_footprints(np.array([], dtype=object), plane)
        found = [
            _Tile(points, everywhere, views, around, reach).which[:, 0]
            for around in (nothing, blocks)
        ]
        metres = pieces.length_mm / 1000.0
        met = [float(metres[which].sum() / metres.sum()) for which in found]
        km = [float(metres[np.unique(which)].sum() / 1000) for which in found]
        rows.append(
            {"reach_m": reach, "free": met[0], "in_sight": met[1], "kept": _share(met),
             "free_km": km[0], "in_sight_km": km[1], "kept_km": _share(km)}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=MEETINGS)


def _share(pair: list[float]) -> float:
    return pair[1] / pair[0] if pair[0] else 1.0
