"""What each view sees, drawn: from what is stated, and the middle of the priors for the rest."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil import visibility
from sousveil.coverage._draws import survival
from sousveil.coverage._views import CLASSES, Views
from sousveil.coverage._views import Prior as _Prior
from sousveil.optics import LEVELS_PX_PER_M, blind_m, distance_m, reach_m, upper_edge_m, vfov_deg
from sousveil.records import LEVELS, VIEWS, VISIBLE

Floats = npt.NDArray[np.float64]

_LEAST_M: Final = 0.1
_CHUNK: Final = 4096  # views

STORED_WITHIN_M: Final = 0.01
"""Arcs of stored regions are thinned out to so much, for room; areas are of the whole."""


def view_table(views: Views, obstacles: visibility.Obstacles, radius_m: float) -> pa.Table:
    """Return records.VIEWS."""
    of = views.camera
    hfov, pixels, tilt, quality, height = (
        _middle(views, q) for q in ("hfov_deg", "pixels_h", "tilt_deg", "quality", "height_m")
    )
    vertical = vfov_deg(hfov)
    lonlat = obstacles.plane.to_lonlat(views.xy)
    upper = np.where(views.turns, np.inf, upper_edge_m(height, tilt, vertical))
    blind = np.where(views.turns, 0.0, blind_m(height, tilt, vertical))
    reach = {}
    for level in LEVELS:
        slant = quality * distance_m(pixels, hfov, LEVELS_PX_PER_M["2014"][level], form="auto")
        on_ground = np.minimum(np.minimum(reach_m(slant, height), upper), radius_m)
        reach[f"{level}_m"] = np.where(on_ground > blind, on_ground, 0.0)
    columns: dict[str, Any] = {
        "camera_id": [views.camera_id[i] for i in of],
        "view": views.number,
        "lon": lonlat[of, 0],
        "lat": lonlat[of, 1],
        "moved_m": views.moved_m[of],
        "sight": np.where(views.indoor[of], "indoor", "street"),
        "bearing_deg": pa.array(views.bearing_deg, from_pandas=True),
        "turns": views.turns,
        "hfov_deg": hfov,
        "pixels_h": pixels,
        "height_m": height,
        "blind_m": np.minimum(blind, 1e6),
        **reach,
        "exists_probability": survival(views)[of],
        "operator_class": [CLASSES[views.operator_class[i]] for i in of],
        "stated": _stated(views),
    }
    arrays = [pa.array(columns[f.name]).cast(f.type) for f in VIEWS]
    return pa.Table.from_arrays(arrays, schema=VIEWS)


def _middle(views: Views, quantity: str) -> Floats:
    """Return what is stated of each view, else the middle of its prior."""
    from sousveil.priors import quantile

    stated: Floats = getattr(views, quantity)
    prior: _Prior = views.priors[quantity]
    usual = np.array([float(quantile(row, 0.5)) for row in prior.rows])[prior.holds]
    if quantity == "height_m":
        return np.where(np.isnan(stated), usual, stated)[views.camera]
    return np.where(np.isnan(stated), usual[views.camera], stated)


def _stated(views: Views) -> list[list[str]]:
    known = {
        "bearing_deg": np.isfinite(views.bearing_deg),
        "hfov_deg": np.isfinite(views.hfov_deg),
        "pixels_h": np.isfinite(views.pixels_h),
        "height_m": np.isfinite(views.height_m)[views.camera],
    }
    return [[name for name, is_known in known.items() if is_known[i]]
            for i in range(len(views.camera))]  # fmt: skip


def flat_regions(
    views: pa.Table, obstacles: visibility.Obstacles
) -> tuple[npt.NDArray[np.int64], list[str], npt.NDArray[Any]]:
    """Return rows of records.VIEWS, levels, and the regions that are seen, in metres."""
    xy = obstacles.plane.to_xy(views["lon"].to_numpy(), views["lat"].to_numpy())
    outside = np.array(views["sight"].to_pylist()) == "street"
    bearing = views["bearing_deg"].to_numpy(zero_copy_only=False)
    blind = views["blind_m"].to_numpy()
    hfov = np.where(np.isnan(bearing), 360.0, views["hfov_deg"].to_numpy())
    rows, levels, shapes = [np.zeros(0, np.int64)], [], [np.zeros(0, dtype=object)]
    for level in LEVELS:
        reach = views[f"{level}_m"].to_numpy()
        mine = np.flatnonzero(outside & (reach > _LEAST_M))
        region = visibility.regions(
            xy[mine], obstacles, radius_m=reach[mine],
            bearing_deg=np.nan_to_num(bearing[mine]), hfov_deg=hfov[mine],
        )  # fmt: skip
        near = np.flatnonzero(blind[mine] > _LEAST_M)
        disc = shapely.buffer(shapely.points(xy[mine[near]]), blind[mine[near]], quad_segs=90)
        region[near] = shapely.difference(region[near], disc)
        rows.append(mine)
        levels += [level] * len(mine)
        shapes.append(region)
    return np.concatenate(rows), levels, np.concatenate(shapes)


def visible_table(views: pa.Table, obstacles: visibility.Obstacles) -> pa.Table:
    """Return records.VISIBLE for records.VIEWS, in chunks: shapes take far more room than WKB."""
    chunks = [
        _visible_chunk(views.slice(at, _CHUNK), obstacles)
        for at in range(0, views.num_rows, _CHUNK)
    ]
    return pa.concat_tables(chunks) if chunks else VISIBLE.empty_table()


def _visible_chunk(views: pa.Table, obstacles: visibility.Obstacles) -> pa.Table:
    rows, levels, flat = flat_regions(views, obstacles)
    area = shapely.area(flat)
    kept = np.flatnonzero(area > 0)
    kept = kept[np.argsort(rows[kept], kind="stable")]  # by view, its levels in their order
    chosen = views.take(pa.array(rows[kept]))
    columns = {
        "camera_id": chosen["camera_id"],
        "view": chosen["view"],
        "level": np.array(levels, dtype=object)[kept],
        "directed": np.isfinite(chosen["bearing_deg"].to_numpy(zero_copy_only=False)),
        "area_m2": area[kept],
        "geometry": shapely.to_wkb(obstacles.plane.round(_thinned(flat[kept]))),
    }
    return pa.table(columns).select(VISIBLE.names).cast(VISIBLE)


def _thinned(regions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    thin = shapely.simplify(regions, STORED_WITHIN_M, preserve_topology=False)
    good = shapely.is_valid(thin) & ~shapely.is_empty(thin)
    return np.where(good, thin, regions)
