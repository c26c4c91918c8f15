"""Who lives where it is seen: dwellings as far as the map tells them, people where a file does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from scipy.spatial import cKDTree

from sousveil.coverage._seeing import Seen
from sousveil.errors import UnusableInput
from sousveil.records import LEVELS

if TYPE_CHECKING:
    from sousveil.coverage import Scene

Floats = npt.NDArray[np.float64]

QUESTIONS: Final = ("moment", "could")

RESIDENTIAL: Final = frozenset(
    {"apartments", "residential", "house", "detached", "semidetached_house", "terrace", "dormitory",
     "bungalow", "farm"}
)  # fmt: skip
"""Values of `building` of what people live in."""

DOORSTEP_M: Final = 50.0
"""People are counted at the nearest place on a street within this distance of their house."""

ENOUGH: Final = 0.5
"""Flats count where buildings with this share of the floor area name theirs, addresses where there
are as many as this share of the buildings that people live in."""

COUNTS: Final = ("population", "people", "residents", "inhabitants", "pop", "count", "value")
"""Columns of a file of people that are looked for, in this order, whatever their case."""


class Dwellings(NamedTuple):
    """Places where people live in metres, how much each weighs, and where that is from."""

    basis: str  # flats | addresses | floor area
    xy: Floats
    weight: Floats
    buildings: int
    told: dict[str, Any]  # what was tagged


class People(NamedTuple):
    """Points or cells with their people, in longitude and latitude."""

    file: str
    column: str
    shapes: npt.NDArray[Any]
    number: Floats


def dwellings(scene: Scene, buildings: pa.Table, homes: pa.Table | None) -> Dwellings | None:
    """Return where people live; None where nothing tells it.

    buildings: records.BUILDINGS. homes: records.HOMES, None for not read. Numbers of flats are
    used where most buildings name theirs (by floor area; the others have as many for their floor
    area as these), else addresses where most have one, else floor area.
    """
    plane = scene.obstacles.plane
    kind = np.array(buildings["building"].to_pylist(), dtype=object).astype(str)
    lived_in = buildings.filter(pa.array(np.isin(kind, sorted(RESIDENTIAL))))
    shapes = plane.flat(shapely.from_wkb(lived_in["geometry"].to_numpy(zero_copy_only=False)))
    floors = np.array([_storeys(v) for v in lived_in["levels"].to_pylist()])
    area = shapely.area(shapes) * floors
    middle = shapely.get_coordinates(shapely.point_on_surface(shapes)).reshape(-1, 2)
    flats, others = _flats(lived_in, shapes, homes, plane)
    address = np.zeros((0, 2))
    if homes is not None:
        chosen = homes.filter(homes["address"])
        address = plane.to_xy(chosen["lon"].to_numpy(), chosen["lat"].to_numpy()).reshape(-1, 2)
    tagged = flats > 0
    told = {
        "flats_tagged": {"buildings": int(tagged.sum()) + len(others[1]),
                         "flats": int(flats.sum() + others[1].sum())},
        "addresses": len(address),
    }  # fmt: skip
    n = len(middle)
    if tagged.any() and area[tagged].sum() >= ENOUGH * area.sum():
        each = np.where(tagged, flats, area * flats.sum() / area[tagged].sum())
        xy, weight = np.concatenate([middle, others[0]]), np.concatenate([each, others[1]])
        return Dwellings("flats", xy, weight, n, told)
    if len(address) and len(address) >= ENOUGH * n:
        return Dwellings("addresses", address, np.ones(len(address)), n, told)
    return Dwellings("floor area", middle, area, n, told) if n else None


def _flats(
    lived_in: pa.Table, shapes: npt.NDArray[Any], homes: pa.Table | None, plane: Any
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Return the flats of each building, and places and flats of what lies in none of them."""
    flats = np.zeros(len(shapes))
    if homes is None or not homes.num_rows:
        return flats, (np.zeros((0, 2)), np.zeros(0))
    named = homes.filter(homes["flats"].is_valid())
    row_of = {name: i for i, name in enumerate(lived_in["building_id"].to_pylist())}
    number = named["flats"].to_numpy().astype(np.float64)
    row = np.array([row_of.get(name, -1) for name in named["home_id"].to_pylist()], np.int64)
    whole = row >= 0
    flats[row[whole]] = number[whole]
    xy = plane.to_xy(named["lon"].to_numpy(), named["lat"].to_numpy()).reshape(-1, 2)
    point, building = shapely.STRtree(shapes).query(shapely.points(xy), predicate="intersects")
    row[point] = np.where(row[point] >= 0, row[point], building)
    # Entrances add up, unless the building itself says how many flats it has.
    inside = (row >= 0) & ~whole
    entrances = np.bincount(row[inside], number[inside], minlength=len(flats))
    flats = np.where(flats > 0, flats, entrances)
    return flats, (xy[row < 0], number[row < 0])


def told(
    scene: Scene, seen: Seen, found: Dwellings | None, population: int | None
) -> dict[str, Any] | None:
    """Return the share of dwellings whose nearest place on a street is seen; None without any."""
    if found is None or not len(scene.points.xy):
        return None
    share, placed = _share(scene, seen, found.xy, found.weight)
    if share is None:
        return None
    answer: dict[str, Any] = {
        "basis": found.basis,
        **found.told,
        "buildings": found.buildings,
        "placed": round(placed, 6),
        **_by_level("share_at_a_seen_place", share, 1.0, 6),
        "population": population,
    }
    if population:
        answer |= _by_level("people", share, population, 0)
    return answer


def told_people(
    scene: Scene, seen: Seen, found: Dwellings | None, people: People | None
) -> dict[str, Any] | None:
    """Return how many people of a file live where it is seen.

    People of a cell live in its dwellings, as many as each weighs; in a cell without any, and at a
    point, at the place on a street that is nearest.
    """
    if people is None or not len(scene.points.xy):
        return None
    xy, number = _spread(scene, found, people)
    share, placed = _share(scene, seen, xy, number)
    total = float(people.number.sum())
    answer: dict[str, Any] = {
        "file": people.file,
        "column": people.column,
        "people": round(total, 3),
        "placed": round(placed * total, 3),
    }
    if share is not None:
        answer |= _by_level("seen", share, placed * total, 0)
        answer |= _by_level("share", share, 1.0, 6)
    return answer


def _spread(scene: Scene, found: Dwellings | None, people: People) -> tuple[Floats, Floats]:
    shapes = scene.obstacles.plane.flat(people.shapes)
    xy = shapely.get_coordinates(shapely.point_on_surface(shapes)).reshape(-1, 2)
    number = people.number.copy()
    places, shares = [xy], [number]
    is_cell = shapely.area(shapes) > 0
    if found is not None and is_cell.any():
        cells = np.flatnonzero(is_cell)
        cell, home = shapely.STRtree(shapely.points(found.xy)).query(
            shapes[cells], predicate="intersects"
        )
        cell, weight = cells[cell], found.weight[home]
        total = np.bincount(cell, weight, minlength=len(shapes))
        usable = total[cell] > 0
        cell, home, weight = cell[usable], home[usable], weight[usable]
        places.append(found.xy[home])
        shares.append(people.number[cell] * weight / total[cell])
        number[np.unique(cell)] = 0.0
    return np.concatenate(places), np.concatenate(shares)


def _share(scene: Scene, seen: Seen, xy: Floats, weight: Floats) -> tuple[Floats | None, float]:
    """Return the share that is seen, by question, level and (mean, low, high); and what is placed.

    The ends are means of those of the places: as if all were high or low together.
    """
    far, nearest = cKDTree(scene.points.xy).query(xy)
    near = far <= DOORSTEP_M
    total = float(weight.sum())
    if total <= 0 or weight[near].sum() <= 0:
        return None, 0.0
    figures = np.zeros((len(scene.points.xy), 2, len(LEVELS), 3))
    figures[seen.near] = seen.figures[:, :2]
    mine = weight[near]
    share: Floats = np.einsum("iqlk,i->qlk", figures[nearest[near]], mine) / mine.sum()
    return share, float(mine.sum() / total)


def _by_level(name: str, share: Floats, times: float, digits: int) -> dict[str, Any]:
    def figure(x: float) -> float:
        return round(float(x * times), digits) if digits else round(float(x * times))

    return {
        name + end: {
            q: {level: figure(share[k, i, e]) for i, level in enumerate(LEVELS)}
            for k, q in enumerate(QUESTIONS)
        }
        for e, end in enumerate(("", "_low", "_high"))
    }


def _storeys(text: str | None) -> float:
    try:
        return min(max(float((text or "").replace(",", ".")), 1.0), 200.0)
    except ValueError:
        return 2.0


def read_people(path: str | Path, column: str | None = None) -> People:
    """Read points or cells with people: GeoJSON, GeoPackage, or a CSV with lon and lat.

    column: of the number of people, else the first of COUNTS. Raises UnusableInput.
    """
    file = Path(path)
    names, columns, shapes = _csv(file) if file.suffix.lower() == ".csv" else _layer(file)
    plain = {name.lower(): name for name in reversed(names)}
    chosen = column or next((plain[name] for name in COUNTS if name in plain), None)
    if chosen is None or chosen not in names:
        raise UnusableInput(
            f"--residents {path}: no column {column or ' or '.join(COUNTS)}; name that of people "
            f"with --residents-column (there are {', '.join(names[:12])})"
        )
    try:
        number = np.array([float(x) if x not in (None, "") else 0.0 for x in columns[chosen]])
    except (TypeError, ValueError):
        number = np.array([np.nan])
    if not np.all(np.isfinite(number) & (number >= 0)):
        raise UnusableInput(f"--residents {path}: {chosen} holds what is no number of people")
    return People(file.name, chosen, shapes, number)


def _layer(file: Path) -> tuple[list[str], dict[str, Any], npt.NDArray[Any]]:
    import pyogrio
    import pyproj

    try:
        about, _, geometry, data = pyogrio.raw.read(file)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        said = " ".join(str(error).split())[:120]
        raise UnusableInput(f"--residents {file}: cannot be read ({said})") from None
    shapes = shapely.from_wkb(geometry)
    if about["crs"] and about["crs"] != "EPSG:4326":
        to = pyproj.Transformer.from_crs(about["crs"], "EPSG:4326", always_xy=True)
        shapes = shapely.transform(shapes, lambda p: np.column_stack(to.transform(*p.T)))
    kept = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    names = [str(name) for name in about["fields"]]
    columns = {n: np.asarray(d)[kept].tolist() for n, d in zip(names, data, strict=True)}
    return names, columns, shapes[kept]


def _csv(file: Path) -> tuple[list[str], dict[str, Any], npt.NDArray[Any]]:
    import pyarrow.csv

    try:
        table = pyarrow.csv.read_csv(file)
        lon, lat = (
            np.array(table[name].cast(pa.float64()).to_pylist(), np.float64)
            for name in ("lon", "lat")
        )
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        said = " ".join(str(error).split())[:120]
        raise UnusableInput(
            f"--residents {file}: cannot be read ({said}); a CSV needs columns lon, lat and people"
        ) from None
    return table.column_names, table.to_pydict(), shapely.points(lon, lat)
