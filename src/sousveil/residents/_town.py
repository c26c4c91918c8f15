"""The place that residents live in: dwellings, and where they work, learn, buy, eat and leave."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from scipy.spatial import ConvexHull, cKDTree

from sousveil.errors import UnusableInput
from sousveil.residents._chance import pick
from sousveil.residents._parameters import (
    EAT,
    ERRAND,
    GATE,
    HOME,
    LEISURE,
    PURPOSES,
    SCHOOL,
    SHOP,
    SOCIAL,
    WORK,
)
from sousveil.residents._streets import Floats, Frame, Ints, Network

CELL_M: Final = 200.0
"""Residents of one square of this size choose among places with the same chances."""

DWELLINGS: Final = {
    "apartments": 1.0, "residential": 1.0, "house": 1.0, "detached": 1.0, "terrace": 1.0,
    "semidetached_house": 1.0, "bungalow": 1.0, "dormitory": 1.0, "block": 0.8, "yes": 0.6,
}  # fmt: skip
"""Share of the floors that people live on, by value of `building`; all others are no dwellings."""

_FLOORS: Final = {"house": 2, "detached": 2, "semidetached_house": 2, "terrace": 2, "bungalow": 1}
_USUAL_FLOORS: Final = 4.0  # of all others, where the extract knows too few
_STOREY_M: Final = 3.2
_LEAST_M2: Final = 35.0
_JOB_M2: Final = 30.0  # floor of a building of work per person there

_WORKPLACES: Final = frozenset(
    {"commercial", "office", "retail", "industrial", "public", "civic", "hospital", "school",
     "university", "college", "hotel", "government", "warehouse", "train_station", "museum",
     "kindergarten", "supermarket", "service", "public_building"}
)  # fmt: skip

_RULES: Final = (
    (SCHOOL, r"amenity=(school|kindergarten|university|college|music_school|language_school)"),
    (SHOP, r"shop=(?!vacant)|amenity=(marketplace|pharmacy)"),
    (EAT, r"amenity=(restaurant|cafe|fast_food|bar|pub|biergarten|ice_cream|food_court)"),
    (ERRAND, r"amenity=(bank|post_office|doctors|dentist|clinic|hospital|townhall|library|"
             r"veterinary|courthouse|police)|healthcare=|craft=|office=(government|insurance|lawyer)"),
    (LEISURE, r"leisure=(park|fitness_centre|sports_centre|playground|garden|swimming_pool|pitch|"
              r"stadium|dance)|amenity=(theatre|cinema|arts_centre|nightclub|community_centre|"
              r"place_of_worship|social_centre)|tourism=(museum|gallery|attraction|zoo)"),
    (WORK, r"office=|shop=(?!vacant)|craft=|healthcare=|tourism=(hotel|hostel|museum)|"
           r"amenity=(restaurant|cafe|fast_food|bar|pub|bank|post_office|doctors|dentist|clinic|"
           r"hospital|townhall|library|school|kindergarten|university|college|theatre|cinema|"
           r"courthouse|police|embassy|pharmacy|parking)"),
    (GATE, r"highway=bus_stop|railway=(station|halt|subway_entrance|tram_stop)|"
           r"public_transport=station"),
)  # fmt: skip
_JOBS: Final = {"office": 12.0, "hospital": 60.0, "school": 25.0, "university": 60.0}
_GATE_PULL: Final = {"station": 6.0, "subway_entrance": 4.0, "halt": 3.0}


class Town(NamedTuple):
    """Streets and places. Places are numbered, the dwellings first.

    of[p], weight[p]: the places for purpose p of PURPOSES and how much they draw; near[p]: by cell,
    the chances of these places, cumulated.
    """

    network: Network
    place_id: npt.NDArray[np.object_]
    x_m: Floats
    y_m: Floats
    node: Ints
    cell: Ints
    of: list[Ints]
    weight: list[Floats]
    near: list[npt.NDArray[np.float32]]


class Choice(NamedTuple):
    """What there is to choose among, in flat arrays for compiled code.

    The n = start[p + 1] - start[p] places for purpose p are place[start[p]:start[p + 1]]; the
    cumulated chances of a cell are the n at chance[at[p] + cell * n].
    """

    x_m: Floats
    y_m: Floats
    cell: Ints
    start: npt.NDArray[np.int64]
    place: Ints
    at: npt.NDArray[np.int64]
    chance: npt.NDArray[np.float32]


def choice(town: Town) -> Choice:
    """Return the places of a town as flat arrays."""
    near = [table[:, : len(of)].ravel() for table, of in zip(town.near, town.of, strict=True)]
    sizes = np.cumsum([0, *(len(one) for one in town.of)])
    at = np.cumsum([0, *(len(one) for one in near)])
    return Choice(
        town.x_m, town.y_m, town.cell, sizes, np.concatenate(town.of), at, np.concatenate(near)
    )


@numba.njit(cache=True)
def any_of(where: Any, purpose: int) -> bool:
    """Tell whether a Choice holds a place for a purpose."""
    return bool(where.start[purpose + 1] > where.start[purpose])


@numba.njit(cache=True)
def chosen(where: Any, purpose: int, cell: int, u: float) -> int:
    """Return the place for a purpose that a share falls to, for who starts in a cell."""
    n = where.start[purpose + 1] - where.start[purpose]
    low = where.at[purpose] + cell * n
    i = pick(u, where.chance[low : low + n])
    return int(where.place[where.start[purpose] + i])


def town(
    network: Network, buildings: pa.Table, places: pa.Table, reach_m: dict[str, float]
) -> Town:
    """Return the town of streets, records.BUILDINGS and records.PLACES.

    Where a kind of place is missing, residents leave the area for it. Raises UnusableInput where
    nobody can live.
    """
    homes = _dwellings(buildings)
    if homes.num_rows == 0:
        raise UnusableInput("the source holds no dwellings; give an extract with buildings")
    parts = [homes, _workplaces(buildings), _known(places), _edges(network)]
    all_places = pa.concat_tables(parts)
    all_places = all_places.filter(pa.array(_near_streets(network, all_places)))
    x_m, y_m = network.frame.xy(all_places["lon"].to_numpy(), all_places["lat"].to_numpy())
    of, weight = _by_purpose(all_places)
    if not len(of[HOME]):
        raise UnusableInput("the source holds no dwellings near its streets; give a larger extract")
    _, node = cKDTree(np.column_stack([network.x_m, network.y_m])).query(
        np.column_stack([x_m, y_m])
    )
    cell, middle = _cells(x_m, y_m)
    near = [
        _chances(middle, x_m[of[p]], y_m[of[p]], weight[p], reach_m.get(name, 500.0))
        for p, name in enumerate(PURPOSES)
    ]
    return Town(
        network=network,
        place_id=np.array(all_places["place_id"].to_pylist(), dtype=object),
        x_m=x_m,
        y_m=y_m,
        node=node.astype(np.int32),
        cell=cell,
        of=of,
        weight=weight,
        near=near,
    )


_PLACED: Final = pa.schema(
    [("place_id", pa.string()), ("purpose", pa.int64()), ("weight", pa.float64()),
     ("lon", pa.float64()), ("lat", pa.float64())]
)  # fmt: skip
_NEAR_M: Final = 150.0


def _placed(ids: Any, purpose: Any, weight: Any, lon: Any, lat: Any) -> pa.Table:
    columns = [ids, purpose, weight, lon, lat]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, _PLACED, strict=True)],
                    schema=_PLACED)  # fmt: skip


def _floors_m2(buildings: pa.Table) -> tuple[Floats, Floats, Floats]:
    """Return the floor space of buildings, and where they are."""
    shapes = shapely.from_wkb(buildings["geometry"].to_numpy(zero_copy_only=False))
    points = shapely.get_coordinates(shapely.point_on_surface(shapes)).reshape(-1, 2)
    scale = 111_195.0**2 * np.cos(np.radians(points[:, 1]))
    ground_m2 = shapely.area(shapes) * scale
    floors = np.array([_number(v) for v in buildings["levels"].to_pylist()])
    height = np.array([_number(v) for v in buildings["height"].to_pylist()])
    floors = np.where(np.isnan(floors), np.round(height / _STOREY_M), floors)
    known = floors[np.isfinite(floors)]
    usual = float(np.median(known)) if len(known) >= 20 else _USUAL_FLOORS
    by_kind = [float(_FLOORS.get(kind, usual)) for kind in buildings["building"].to_pylist()]
    floors = np.where(np.isnan(floors), by_kind, np.clip(floors, 1.0, 60.0))
    floor_m2 = np.where(ground_m2 >= _LEAST_M2, ground_m2 * floors, 0.0)
    return floor_m2, points[:, 0], points[:, 1]


def _number(text: str | None) -> float:
    found = re.match(r"\s*(\d+(\.\d+)?)", text or "")
    return float(found[1]) if found else np.nan


def _dwellings(buildings: pa.Table) -> pa.Table:
    floor_m2, lon, lat = _floors_m2(buildings)
    lived = np.array([DWELLINGS.get(kind, 0.0) for kind in buildings["building"].to_pylist()])
    weight = floor_m2 * lived
    chosen = weight > 0
    n = int(chosen.sum())
    ids = np.array(buildings["building_id"].to_pylist(), dtype=object)[chosen]
    return _placed(ids, np.full(n, HOME), weight[chosen], lon[chosen], lat[chosen])


def _workplaces(buildings: pa.Table) -> pa.Table:
    floor_m2, lon, lat = _floors_m2(buildings)
    is_work = np.array([kind in _WORKPLACES for kind in buildings["building"].to_pylist()], bool)
    chosen = is_work & (floor_m2 > 0)
    ids = np.array(buildings["building_id"].to_pylist(), dtype=object)[chosen]
    jobs = floor_m2[chosen] / _JOB_M2
    return _placed(ids, np.full(len(jobs), WORK), jobs, lon[chosen], lat[chosen])


def _known(places: pa.Table) -> pa.Table:
    """Return the places of a file once for each purpose that they serve."""
    parts = []
    tags = np.array(places["tag"].to_pylist(), dtype=object)
    ids = np.array(places["place_id"].to_pylist(), dtype=object)
    lon, lat = places["lon"].to_numpy(), places["lat"].to_numpy()
    for purpose, rule in _RULES:
        rows = np.array([re.match(rule, tag) is not None for tag in tags], dtype=bool)
        weight = [_pull(purpose, tag) for tag in tags[rows]]
        n = int(rows.sum())
        parts.append(_placed(ids[rows], np.full(n, purpose), weight, lon[rows], lat[rows]))
    return pa.concat_tables(parts)


def _pull(purpose: int, tag: str) -> float:
    key, value = tag.split("=", 1)
    if purpose == WORK:
        return _JOBS.get(value, _JOBS.get(key, 5.0))
    if purpose == GATE:
        return _GATE_PULL.get(value, 1.0)
    return 4.0 if value in ("supermarket", "mall", "department_store") else 1.0


def _edges(network: Network) -> pa.Table:
    """Return the dead ends of streets at the rim of the extract: where it goes on outside."""
    points = np.column_stack([network.x_m, network.y_m])
    if len(points) < 4 or np.ptp(points, axis=0).min() < 1.0:
        ends = np.array([0])
    else:
        hull = ConvexHull(points)
        depth_m = -(points @ hull.equations[:, :2].T + hull.equations[:, 2]).max(axis=1)
        dead = np.diff(network.start) == 1
        ends = np.flatnonzero(dead & (depth_m < 0.05 * np.sqrt(hull.volume)))
        ends = ends if len(ends) else hull.vertices
    frame: Frame = network.frame
    lat = frame.lat + network.y_m[ends] / 111_195.0
    lon = frame.lon + network.x_m[ends] / (111_195.0 * np.cos(np.radians(frame.lat)))
    ids = [f"edge/{i}" for i in ends]
    return _placed(ids, np.full(len(ends), GATE), np.full(len(ends), 0.5), lon, lat)


def _near_streets(network: Network, places: pa.Table) -> npt.NDArray[np.bool_]:
    x_m, y_m = network.frame.xy(places["lon"].to_numpy(), places["lat"].to_numpy())
    tree = cKDTree(np.column_stack([network.x_m, network.y_m]))
    away_m, _ = tree.query(np.column_stack([x_m, y_m]))
    return np.asarray(away_m <= _NEAR_M)


_MOST_FRIENDS: Final = 400


def _by_purpose(places: pa.Table) -> tuple[list[Ints], list[Floats]]:
    purpose, weight = places["purpose"].to_numpy(), places["weight"].to_numpy()
    of = [np.flatnonzero(purpose == p).astype(np.int32) for p in range(len(PURPOSES))]
    # Friends live in dwellings, and a few hundred homes of friends are enough for variety.
    homes = of[HOME]
    step = max(1, -(-len(homes) // _MOST_FRIENDS))
    of[SOCIAL] = homes[::step].copy()
    return of, [weight[one] for one in of]


def _cells(x_m: Floats, y_m: Floats) -> tuple[Ints, Floats]:
    square = np.floor(np.column_stack([x_m, y_m]) / CELL_M).astype(np.int64)
    squares, cell = np.unique(square, axis=0, return_inverse=True)
    middle = np.asarray((squares + 0.5) * CELL_M, np.float64)
    return cell.ravel().astype(np.int32), middle


def _chances(
    middle: Floats, x_m: Floats, y_m: Floats, weight: Floats, reach_m: float
) -> npt.NDArray[np.float32]:
    """Return by cell the cumulated weights of places, falling by exp(-distance / reach)."""
    if not len(x_m):
        return np.zeros((len(middle), 1), np.float32)
    away_m = np.hypot(middle[:, :1] - x_m, middle[:, 1:] - y_m)
    nearest = away_m.min(axis=1, keepdims=True)  # so that the weights of far cells do not vanish
    return np.cumsum(weight * np.exp(-(away_m - nearest) / reach_m), axis=1).astype(np.float32)
