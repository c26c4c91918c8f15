"""The network of cameras as residents pass it: who watches which edge, at which level.

What is not known of a camera (which way it looks, mostly) is drawn once for a world and holds for
all who pass in it. A camera of which nothing is known but that it sees each place around it with
the same chance then sees one sector of a circle, and not a patchwork.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.records import LEVELS
from sousveil.residents import Marks, Network, Passed
from sousveil.residents._chance import keyed, share

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

SPACING_M = 10.0
_NO_FACES = ("alpr", "speed", "red_light")
PUBLIC, PRIVATE, UNKNOWN = 1, 0, -1


class Cameras(NamedTuple):
    """What matters of cameras, by their number."""

    camera_id: npt.NDArray[np.object_]
    x_m: Floats
    y_m: Floats
    owner: npt.NDArray[np.int8]  # PUBLIC, PRIVATE, UNKNOWN
    operator: Ints  # the same number for the same named operator
    retention_days: Floats  # NaN: not stated
    sees_faces: Bools
    planned: Bools


class Watch(NamedTuple):
    """Which places on the edges cameras watch: a row for a place and a camera.

    could: chance that the camera can be looking there at all, by level, n x 4, falling.
    attends: by camera and level, chance that it does so at the moment when somebody passes, since
    it may turn or have zoomed in elsewhere; the same for all places that it watches.
    angle: of the place as the camera sees it, in turns.
    """

    edge: Ints
    at_m: npt.NDArray[np.float32]
    camera: Ints
    could: Floats
    angle: Floats
    attends: Floats


def cameras_of(table: pa.Table, network: Network, planned: Bools | None = None) -> Cameras:
    """Return records.CAMERAS as arrays. A camera without a named operator is alone."""
    n = table.num_rows
    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    x_m, y_m = network.frame.xy(lon, lat)
    owners = {"public": PUBLIC, "private": PRIVATE, "unknown": UNKNOWN}
    owner = np.array([owners[one] for one in table["operator_class"].to_pylist()], np.int8)
    named = [one or f"\0{i}" for i, one in enumerate(table["operator"].to_pylist())]
    _, operator = np.unique(np.array(named, dtype=str), return_inverse=True)
    retention = table["retention_days"].to_numpy(zero_copy_only=False).astype(np.float64)
    faces = [kind not in _NO_FACES for kind in table["kind"].to_pylist()]
    return Cameras(
        camera_id=np.array(table["camera_id"].to_pylist(), dtype=object),
        x_m=x_m,
        y_m=y_m,
        owner=owner,
        operator=operator.astype(np.int32),
        retention_days=retention,
        sees_faces=np.array(faces, bool),
        planned=np.zeros(n, bool) if planned is None else planned,
    )


class Spots(NamedTuple):
    """Places along the edges of a network, at most SPACING_M apart."""

    edge: Ints
    at_m: npt.NDArray[np.float32]
    lon: Floats
    lat: Floats


def spots(network: Network) -> Spots:
    """Return the places at which edges are looked at: the middles of equal parts of them."""
    parts = np.maximum(1, np.ceil(network.length_m / SPACING_M)).astype(np.int64)
    edge = np.repeat(np.arange(len(parts)), parts)
    number = np.arange(len(edge)) - np.repeat(np.cumsum(parts) - parts, parts)
    along = (number + 0.5) / parts[edge]
    points = shapely.line_interpolate_point(network.lines[edge], along, normalized=True)
    lonlat = shapely.get_coordinates(points)
    at_m = along * network.length_m[edge]
    return Spots(edge.astype(np.int32), at_m.astype(np.float32), lonlat[:, 0], lonlat[:, 1])


def watch(network: Network, cameras: Cameras, spots: Spots, seen: pa.Table) -> Watch:
    """Return who watches the edges. seen: records.SEEN of the spots, by coverage.seen_at."""
    number = {name: i for i, name in enumerate(cameras.camera_id)}
    camera = np.array([number[c] for c in seen["camera_id"].to_pylist()], np.int64)
    n, n_levels = len(cameras.camera_id), len(LEVELS)
    pair, row = np.unique(seen["point"].to_numpy() * max(n, 1) + camera, return_inverse=True)
    level = pc.index_in(seen["level"], pa.array(LEVELS)).to_numpy()
    could, sees = np.zeros((2, len(pair), n_levels))
    could[row, level], sees[row, level] = seen["could"].to_numpy(), seen["probability"].to_numpy()
    for table in (could, sees):  # who could be recognised there could be detected there
        table[:] = np.maximum.accumulate(table[:, ::-1], axis=1)[:, ::-1]
    place, camera = np.divmod(pair, max(n, 1))
    x_m, y_m = network.frame.xy(spots.lon[place], spots.lat[place])
    away = np.arctan2(x_m - cameras.x_m[camera], y_m - cameras.y_m[camera])
    return Watch(
        edge=spots.edge[place],
        at_m=spots.at_m[place],
        camera=camera.astype(np.int32),
        could=could,
        angle=away / (2 * np.pi) % 1.0,
        attends=_attends(camera, could, sees, n),
    )


def _attends(camera: Any, could: Floats, sees: Floats, n: int) -> Floats:
    chance = np.ones((n, len(LEVELS)))
    for level in range(len(LEVELS)):
        sum_could = np.bincount(camera, could[:, level], n)
        sum_sees = np.bincount(camera, sees[:, level], n)
        np.divide(sum_sees, sum_could, out=chance[:, level], where=sum_could > 0)
    return np.minimum.accumulate(np.clip(chance, 0.0, 1.0), axis=1)


def levels(watch: Watch, *, seed: int, world: int) -> npt.NDArray[np.int8]:
    """Draw one world: by row of a Watch the level, 1 for LEVELS[0] to 4, 0 for none."""
    turn = _turns(seed, world, len(watch.attends))
    u = (watch.angle + turn[watch.camera]) % 1.0
    return np.asarray((u[:, None] < watch.could).sum(axis=1).astype(np.int8))


def marks(watch: Watch, network: Network, level: npt.NDArray[np.int8]) -> Marks:
    """Return what there is to pass in a world: the best place of each camera on each edge.

    level: of levels. The rank of a mark is its level; the group is the camera.
    """
    order = np.lexsort((-level, watch.camera, watch.edge))
    order = order[level[order] > 0]
    edge, camera = watch.edge[order], watch.camera[order]
    is_best = np.ones(len(order), bool)
    is_best[1:] = (edge[1:] != edge[:-1]) | (camera[1:] != camera[:-1])
    return _marks(watch, network, order[is_best], watch.camera, level)


def all_marks(watch: Watch, network: Network) -> Marks:
    """Return every row of a Watch as a mark whose group is the row, for any number of worlds."""
    rows = np.argsort(watch.edge, kind="stable")
    return _marks(
        watch, network, rows, np.arange(len(rows), dtype=np.int32), np.ones(len(rows), np.int8)
    )


def _marks(watch: Watch, network: Network, rows: Any, group: Any, rank: Any) -> Marks:
    per_edge = np.bincount(watch.edge[rows], minlength=len(network.ends))
    return Marks(
        start=np.concatenate([[0], np.cumsum(per_edge)]).astype(np.int32),
        group=group[rows],
        rank=rank[rows],
        at_m=watch.at_m[rows],
    )


def in_world(passed: Passed, watch: Watch, level: npt.NDArray[np.int8]) -> Passed:
    """Return what was passed of all_marks as it is in one world: each camera once a trip."""
    start, group, rank, at_m = _in_world(
        passed.start, passed.group, passed.at_m, watch.camera, level, len(watch.attends)
    )
    return Passed(start, group, rank, at_m, passed.length_m)


@numba.njit(cache=True, nogil=True)
def _in_world(start: Any, row: Any, at_m: Any, camera: Any, level: Any, n_cameras: int) -> Any:
    where = np.full(n_cameras, -1, np.int64)
    new_start = np.zeros(len(start), np.int64)
    group, rank = np.empty(len(row), np.int32), np.empty(len(row), np.int8)
    metres = np.empty(len(row), np.float32)
    k = 0
    for t in range(len(start) - 1):
        begin = k
        for j in range(start[t], start[t + 1]):
            c, seen = camera[row[j]], level[row[j]]
            if seen == 0:
                continue
            if where[c] < begin:
                where[c] = k
                group[k], rank[k], metres[k] = c, seen, at_m[j]
                k += 1
            elif rank[where[c]] < seen:
                rank[where[c]], metres[where[c]] = seen, at_m[j]
        for i in range(begin + 1, k):  # the better view of a camera may come after another's
            while i > begin and metres[i - 1] > metres[i]:
                where[group[i]], where[group[i - 1]] = i - 1, i
                group[i - 1], group[i] = group[i], group[i - 1]
                rank[i - 1], rank[i] = rank[i], rank[i - 1]
                metres[i - 1], metres[i] = metres[i], metres[i - 1]
                i -= 1
        new_start[t + 1] = k
    return new_start, group[:k].copy(), rank[:k].copy(), metres[:k].copy()


@numba.njit(cache=True)
def _turns(seed: int, world: int, n: int) -> Floats:
    turn = np.empty(n)
    for camera in range(n):
        turn[camera] = share(keyed(np.uint64(seed), world, camera, 61))
    return turn
