"""What cameras see along a way: from points to passes, and to what all together see at a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.records import LEVELS, PASSES, WATCHFUL
from sousveil.visibility import plane_around

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CELL_M: Final = 2.0
"""Moments in one cell of this size are looked at once: less than a point errs by."""

PASS_GAP_S: Final = 60.0
"""A camera that does not see a person for longer starts a new pass."""

_ALMOST: Final = 1.0 - 1e-12


class Places(NamedTuple):
    """The distinct places of moments: their coordinates, and which one each moment is at."""

    lon: Floats
    lat: Floats
    of: Ints


class Pairs(NamedTuple):
    """Rows of cameras by moments and levels; could is never less than probability."""

    camera: Ints  # row of the table of cameras
    moment: Ints  # row of the table of moments
    level: Ints  # index in LEVELS
    probability: Floats
    could: Floats


def places(moments: pa.Table) -> Places:
    """Return the distinct places of moments (records.MOMENTS)."""
    lon, lat = moments["lon"].to_numpy(), moments["lat"].to_numpy()
    cell = np.floor(plane_around(lon, lat).to_xy(lon, lat) / CELL_M).astype(np.int64)
    _, first, of = np.unique(
        cell[:, 0] * (1 << 32) + cell[:, 1], return_index=True, return_inverse=True
    )
    return Places(lon[first], lat[first], of.ravel().astype(np.int64))


def pairs(seen: pa.Table, cameras: pa.Table, where: Places) -> Pairs:
    """Return what is seen at places (records.SEEN) for each moment that is at them."""
    ids = cameras["camera_id"].combine_chunks()
    camera = _codes(seen["camera_id"], ids)
    level = _codes(seen["level"], pa.array(LEVELS))
    place = seen["point"].to_numpy()
    by_place = np.argsort(where.of, kind="stable")
    first = np.searchsorted(where.of[by_place], np.arange(len(where.lon) + 1))
    times = np.diff(first)[place]
    row = np.repeat(np.arange(len(place)), times)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    moment = by_place[first[place[row]] + nth]
    probability, could = seen["probability"].to_numpy()[row], seen["could"].to_numpy()[row]
    return Pairs(camera[row], moment, level[row], probability, np.maximum(could, probability))


def _codes(column: pa.ChunkedArray, values: pa.Array) -> Ints:
    encoded = column.combine_chunks().dictionary_encode()
    place_of = {value: i for i, value in enumerate(values.to_pylist())}
    code = np.array([place_of[v] for v in encoded.dictionary.to_pylist()], np.int64)
    found: Ints = code[encoded.indices.to_numpy()] if len(code) else np.zeros(0, np.int64)
    return found


def passes(
    seen: Pairs, moments: pa.Table, cameras: pa.Table, *, began: datetime | None
) -> pa.Table:
    """Return when each camera could have recorded the person, as records.PASSES.

    cameras: records.CAMERAS. began: the time of 0 s, None for a track without times.
    The probability of a pass is that of its best moment: a camera's direction and lens stay as
    they are while one walks by, so moments are no independent chances. It is the least that the
    pass as a whole can have.
    """
    number = _numbered(seen, moments)
    key = number * len(LEVELS) + seen.level
    order = np.lexsort((seen.moment, key))
    sorted_key = key[order]
    first = np.flatnonzero(np.concatenate([[True], sorted_key[1:] != sorted_key[:-1]]))
    first = first if len(key) else np.zeros(0, np.int64)
    last = np.concatenate([first[1:], [len(order)]])[: len(first)] - 1
    start_s, end_s = moments["start_s"].to_numpy(), moments["end_s"].to_numpy()
    moment = seen.moment[order]
    seconds = np.add.reduceat((end_s - start_s)[moment], first) if len(first) else np.zeros(0)
    found = {
        "pass": number[order][first],
        "level": pa.array([LEVELS[i] for i in seen.level[order][first]], pa.string()),
        "start_s": start_s[moment[first]],
        "end_s": end_s[moment[last]],
        "seconds": seconds,
        "probability": _most(seen.probability[order], first),
        "could": _most(seen.could[order], first),
    }
    ways = moments["way"].to_numpy()[moment[first]]
    streets = moments["street"].take(pa.array(_best(seen, order, first, last)))
    found |= {"way": ways, "street": streets}
    found |= _times(found["start_s"], found["end_s"], began)
    return _described(found, cameras.take(pa.array(seen.camera[order][first])))


def _most(values: Floats, first: Ints) -> Floats:
    return np.maximum.reduceat(values, first) if len(first) else np.zeros(0)


def _best(seen: Pairs, order: Ints, first: Ints, last: Ints) -> Ints:
    """Return the moment at which each group is seen best."""
    likely = seen.probability[order] + 1e-6 * seen.could[order]
    group = np.repeat(np.arange(len(first)), last - first + 1)
    by = np.lexsort((-likely, group))
    moment: Ints = seen.moment[order][by[first]]
    return moment


def _numbered(seen: Pairs, moments: pa.Table) -> Ints:
    """Return the pass of each row, whatever its level; passes are numbered by their start."""
    start_s, end_s = moments["start_s"].to_numpy(), moments["end_s"].to_numpy()
    trip = moments["way"].to_numpy().astype(np.int64) * (1 << 20) + moments["leg"].to_numpy()
    order = np.lexsort((seen.moment, seen.camera))
    camera, moment = seen.camera[order], seen.moment[order]
    anew = np.ones(len(order), bool)
    anew[1:] = (
        (camera[1:] != camera[:-1])
        | (trip[moment[1:]] != trip[moment[:-1]])
        | (start_s[moment[1:]] - end_s[moment[:-1]] > PASS_GAP_S)
    )
    group = np.cumsum(anew) - 1
    opening = np.flatnonzero(anew)
    rank = np.empty(len(opening), np.int64)
    rank[np.lexsort((camera[opening], moment[opening]))] = np.arange(len(opening))
    number = np.empty(len(order), np.int64)
    number[order] = rank[group] if len(order) else group
    return number


def _times(start_s: Floats, end_s: Floats, began: datetime | None) -> dict[str, Any]:
    kind = pa.timestamp("ms", tz="UTC")
    if began is None:
        return {"start": pa.nulls(len(start_s), kind), "end": pa.nulls(len(start_s), kind)}
    zero = round(1000 * began.timestamp())
    return {
        name: pa.array((zero + np.round(1000 * s)).astype(np.int64), kind)
        for name, s in (("start", start_s), ("end", end_s))
    }


def _described(found: dict[str, Any], cameras: pa.Table) -> pa.Table:
    """Add what is known of the cameras; where a private home has its camera is not told."""
    home = cameras["private_home"].to_numpy(zero_copy_only=False)
    columns = {name: cameras[name] for name in (
        "camera_id", "operator", "operator_class", "private_home", "kind", "retention_days")}  # fmt: skip
    columns["operator"] = pa.array(
        [
            None if h else name
            for h, name in zip(home, columns["operator"].to_pylist(), strict=True)
        ],
        pa.string(),
    )
    for axis in ("lon", "lat"):
        columns[axis] = pa.array(cameras[axis].to_numpy(), mask=home)
    columns["camera_id"] = _nameless(columns["camera_id"].to_pylist(), home.tolist())
    table = pa.table({name: (found | columns)[name] for name in PASSES.names}, schema=PASSES)
    return table.sort_by([("way", "ascending"), ("pass", "ascending")])


def _nameless(ids: list[str], home: list[bool]) -> pa.Array:
    """Number the cameras of private homes: their ids would lead to the map's own object."""
    number: dict[str, str] = {}
    return pa.array(
        [number.setdefault(i, f"home-{len(number) + 1}") if h else i
         for i, h in zip(ids, home, strict=True)], pa.string()
    )  # fmt: skip


def watchful(seen: Pairs, moments: pa.Table, cameras: pa.Table) -> pa.Table:
    """Return what all cameras together see at each moment, as records.WATCHFUL.

    Cameras are taken as independent; a moment that nobody sees has rows of zeros.
    """
    classes = np.array(cameras["operator_class"].to_pylist(), dtype=str)[seen.camera]
    n = moments.num_rows * len(LEVELS)
    row = seen.moment * len(LEVELS) + seen.level

    def any_of(chance: Floats, chosen: npt.NDArray[np.bool_] | None = None) -> Floats:
        log = np.log1p(-np.minimum(chance, _ALMOST))
        here = row if chosen is None else row[chosen]
        none = np.bincount(here, log if chosen is None else log[chosen], n)
        return np.asarray(-np.expm1(none), np.float64)

    return pa.table(
        {
            "way": np.repeat(moments["way"].to_numpy(), len(LEVELS)),
            "moment": np.repeat(moments["moment"].to_numpy(), len(LEVELS)),
            "level": pa.array(list(LEVELS) * moments.num_rows, pa.string()),
            "probability": any_of(seen.probability),
            "could": any_of(seen.could),
            "public": any_of(seen.probability, classes == "public"),
            "private": any_of(seen.probability, classes == "private"),
            "expected": np.bincount(row, seen.probability, n),
        },
        schema=WATCHFUL,
    )
