"""Cameras as views: one row a direction, with what is stated and the prior of what is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil import priors as prior_table
from sousveil.priors import Priors, Row
from sousveil.visibility import Obstacles, place

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

WALL_MOUNTS: Final = frozenset({"wall", "building", "doorbell"})
"""Values of `mount` of a camera that looks away from its wall."""

ALL_ROUND_DEG: Final = 350.0
"""A dome that is said to see this much and more is taken as one that can look anywhere: the tag
`camera:direction=0-360` is the usual way to say so, and few domes are panoramic."""

_MOST_VIEWS: Final = 24
_DAYS_PER_YEAR: Final = 365.2425
CLASSES: Final = ("public", "private", "unknown")

PER_VIEW: Final = ("direction", "hfov_deg", "pixels_h", "tilt_deg", "quality")
PER_CAMERA: Final = ("height_m", "exists", "age_years")


class Prior(NamedTuple):
    """The rows of the table for one quantity, and which of them holds for each camera."""

    rows: Sequence[Row]
    holds: Ints


class Views(NamedTuple):
    """Views of cameras in metres of a plane; stated values are NaN where nothing is stated.

    The first block has a row a camera, the second a row a view (`camera` says whose).
    """

    camera_id: list[str]
    key: npt.NDArray[np.uint64]  # of the camera's random numbers, whatever others there are
    xy: Floats
    moved_m: Floats
    facing_deg: Floats  # of the wall it hangs on, NaN if it hangs on none
    height_m: Floats
    age_years: Floats
    certain: Bools  # exists for sure: generated places, and cameras that a list of today shows
    operator_class: Ints  # index in CLASSES
    indoor: Bools
    listed: Bools  # false: one of those that no list has
    priors: dict[str, Prior]

    camera: Ints
    number: Ints
    bearing_deg: Floats
    turns: Bools
    hfov_deg: Floats
    pixels_h: Floats
    tilt_deg: Floats
    quality: Floats


def views_of(
    cameras: pa.Table, obstacles: Obstacles, priors: Priors, on: date | None = None
) -> Views:
    """Return the views of cameras (records.CAMERAS) before obstacles.

    A camera of several devices has as many views; those beyond the stated bearings look anywhere.
    on: the day that existence is asked for; without it the newest `last_seen`.
    """
    plane = obstacles.plane
    lon, lat = cameras["lon"].to_numpy(), cameras["lat"].to_numpy()
    placed = place(plane.to_xy(lon, lat), obstacles)
    housing = cameras["housing"].to_pylist()
    mount = cameras["mount"].to_pylist()
    on_wall = np.array(
        [m in WALL_MOUNTS or (m is None and d > 0)
         for m, d in zip(mount, placed.moved_m, strict=True)], bool
    )  # fmt: skip
    bearings = [_whole(b) for b in cameras["bearings"].to_pylist()]
    devices = np.array(
        [min(max(n or 1, len(b)), _MOST_VIEWS)
         for n, b in zip(cameras["count"].to_pylist(), bearings, strict=True)], np.int64
    )  # fmt: skip
    camera = np.repeat(np.arange(len(devices)), devices)
    number = np.arange(len(camera)) - np.repeat(np.cumsum(devices) - devices, devices)
    stated = np.array(
        [bearings[c][k] if k < len(bearings[c]) else np.nan
         for c, k in zip(camera, number, strict=True)], np.float64
    )  # fmt: skip
    kind = np.array([housing[c] or "" for c in camera], dtype=object)
    hfov = _numbers(cameras, "hfov_deg")[camera]
    turns = (kind == "panning") | ((kind == "dome") & np.isnan(stated))
    hfov = np.where(turns & (hfov >= ALL_ROUND_DEG), np.nan, hfov)
    tables = {q: Prior(*prior_table.chosen(priors, q, cameras)) for q in prior_table.QUANTITIES}
    ids = cameras["camera_id"].to_pylist()
    return Views(
        camera_id=ids,
        key=np.array([_key(i) for i in ids], np.uint64),
        xy=placed.xy,
        moved_m=placed.moved_m,
        facing_deg=np.where(on_wall, placed.facing_deg, np.nan),
        height_m=_numbers(cameras, "height_m"),
        age_years=_ages(cameras, on),
        certain=np.zeros(len(ids), bool),
        operator_class=np.array([CLASSES.index(c) for c in cameras["operator_class"].to_pylist()],
                                np.int64),
        indoor=np.array([s == "indoor" for s in cameras["setting"].to_pylist()], bool),
        listed=np.ones(len(ids), bool),
        priors=tables,
        camera=camera,
        number=number,
        bearing_deg=np.where(turns, np.nan, stated),
        turns=turns,
        hfov_deg=hfov,
        pixels_h=_numbers(cameras, "pixels_h")[camera],
        tilt_deg=np.full(len(camera), np.nan),
        quality=np.full(len(camera), np.nan),
    )  # fmt: skip


def select(views: Views, cameras: Ints) -> Views:
    """Return the views of some cameras, in the order given."""
    place_of = np.full(len(views.camera_id), -1)
    place_of[cameras] = np.arange(len(cameras))
    rows = np.flatnonzero(place_of[views.camera] >= 0)
    rows = rows[np.argsort(place_of[views.camera[rows]], kind="stable")]
    chosen: dict[str, Any] = {}
    for name in Views._fields:
        value = getattr(views, name)
        if name == "priors":
            chosen[name] = {q: Prior(p.rows, p.holds[cameras]) for q, p in value.items()}
        elif name == "camera_id":
            chosen[name] = [value[i] for i in cameras.tolist()]
        elif name in _BY_VIEW:
            chosen[name] = value[rows]
        else:
            chosen[name] = value[cameras]
    return Views(**chosen | {"camera": place_of[views.camera[rows]]})


_BY_VIEW: Final = Views._fields[Views._fields.index("camera") :]


def concatenated(first: Views, second: Views) -> Views:
    """Return the views of two sets of cameras that were given priors from one table."""
    joined: dict[str, Any] = {}
    for name in Views._fields:
        a, b = getattr(first, name), getattr(second, name)
        if name == "priors":
            joined[name] = {q: Prior(a[q].rows, np.concatenate([a[q].holds, b[q].holds]))
                            for q in a}  # fmt: skip
        elif name == "camera_id":
            joined[name] = a + b
        else:
            joined[name] = np.concatenate([a, b])
    joined["camera"][len(first.camera) :] += len(first.camera_id)
    return Views(**joined)


def _whole(bearings: list[float] | None) -> list[float]:
    return [b for b in bearings or [] if b is not None and np.isfinite(b)]


def _numbers(cameras: pa.Table, name: str) -> Floats:
    values = [np.nan if v is None else v for v in cameras[name].to_pylist()]
    return np.array(values, np.float64)


def _ages(cameras: pa.Table, on: date | None) -> Floats:
    seen = cameras["last_seen"].to_pylist()
    known = [day for day in seen if day]
    on = on or max(known, default=None)
    return np.array(
        [np.nan if day is None or on is None else max((on - day).days, 0) / _DAYS_PER_YEAR
         for day in seen], np.float64
    )  # fmt: skip


def _key(text: str) -> int:
    """Return the same 64 bits for the same text on every machine (FNV-1a)."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value
