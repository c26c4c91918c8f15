"""Which stretches of street the cameras see, at which level, with which probability.

Two questions have two answers, and every figure says which it answers. *Is seen at a random
moment*: a camera that turns looks one way at a time. *Could be seen*: it could be turned there.
For a camera that does not turn both are the same.

What is unknown of a camera (direction, lens, pixels, height, tilt, whether it is still there) is
drawn many times from `sousveil.priors`; what no list has, from `sousveil.undercount`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil import priors as prior_table
from sousveil import undercount as undercounts
from sousveil import visibility
from sousveil.coverage import _regions, _seeing, _sightings, _streets, _unlisted, _views
from sousveil.coverage._draws import Plan, middle, plan
from sousveil.coverage._living import People, read_people
from sousveil.coverage._seeing import Points, Seen
from sousveil.coverage._sightings import Sightings, levels_by_draw
from sousveil.coverage._views import Views
from sousveil.errors import UnusableInput
from sousveil.priors import Priors
from sousveil.records import LEVELS, SEEN, STRETCHES, WATCHED
from sousveil.undercount import Missing, Stated, street_groups

if TYPE_CHECKING:
    from sousveil.census import Census

__all__ = [
    "Coverage",
    "Sightings",
    "coverage",
    "levels_by_draw",
    "of_census",
    "of_tables",
    "read_people",
    "seen_at",
    "sightings",
    "watched",
]

Floats = npt.NDArray[np.float64]
Progress = Callable[[str], None]

RADIUS_M: Final = 150.0
"""How far we follow a line of sight unless asked otherwise; nothing counts as seen beyond."""

GROUP: Final = 4
"""So many draws in a row have in common what cameras share: what they differ in is chance."""

_MOST_RADIUS_M: Final = 2000.0


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What the cameras of a place see, in tables, and what it comes to.

    share_km: for each question, class, kind of way and level, the kilometres seen in each draw.
    withheld: sources whose licence does not let their records be passed on, with the reason.
    """

    summary: dict[str, Any]
    views: pa.Table  # records.VIEWS
    visible: pa.Table  # records.VISIBLE
    streets: pa.Table  # records.STRETCHES
    cameras: pa.Table  # records.CAMERAS
    background: tuple[pa.Table, pa.Table]  # records.STREETS and BUILDINGS, to draw a map with
    share_km: Floats
    attribution: str
    withheld: dict[str, str] = field(default_factory=dict)

    def to_html(self) -> str:
        """Return the page: map, tables and notes in one HTML file that needs nothing else."""
        from sousveil.report._coverage import render

        return render(self)

    def write(self, directory: str | Path, *, local_only: bool = False) -> Coverage:
        """Write tables, picture and page to a directory, all of them or none.

        local_only: also with `withheld` sources; the results then have to stay here. Raises
        UnusableInput where nothing can be written, or may not be.
        """
        from sousveil.coverage._files import write
        from sousveil.sources._gate import stop_at

        stop_at(self.withheld, local_only=local_only)
        return write(self, Path(directory))


class Scene(NamedTuple):
    """Cameras and streets on one flat map, ready to be drawn."""

    views: Views
    obstacles: visibility.Obstacles
    streets: pa.Table
    pieces: _streets.Pieces
    points: Points
    unlisted: _unlisted.Unlisted | None
    plan: Plan
    groups: int
    radius_m: float


def coverage(
    sources: str | Path | Sequence[str | Path],
    *,
    within: str | Path | None = None,
    on: date | None = None,
    radius_m: float = RADIUS_M,
    draws: int = 1000,
    seed: int = 0,
    priors: str | Path | None = None,
    undercount: Stated | Path | None = None,
    population: int | None = None,
    residents: str | Path | None = None,
    residents_column: str | None = None,
    progress: Progress = lambda _: None,
) -> Coverage:
    """Tell which streets of a place the cameras on lists see, and how sure that is.

    sources, within, on, population: as for `census`. radius_m: nothing is seen farther away.
    draws: 0 takes the middle of every prior. priors: a table in place of the one of the package.
    undercount: cameras that no list has, as for `undercount.missing`: cameras for each listed one
    as "estimate/low/high", a result of census, link or capture, "prior" or "none". Without it they
    follow from the overlap of the sources, where several lists are given that can bound it; else
    none are added, and the figures are "at least". residents: a GeoJSON, GeoPackage or CSV file of
    points or cells with people; residents_column: the one of their number. Raises UnusableInput for
    anything the user can mend.
    """
    from sousveil.census import census

    table = prior_table.read(priors)
    _check(radius_m, draws)
    undercounts.check(undercount)
    people = read_people(residents, residents_column) if residents else None
    counted = census(sources, within=within, on=on, population=population, progress=progress)
    return of_census(
        counted, radius_m=radius_m, draws=draws, seed=seed, priors=table, undercount=undercount,
        people=people, progress=progress,
    )  # fmt: skip


def of_census(
    counted: Census,
    *,
    radius_m: float = RADIUS_M,
    draws: int = 1000,
    seed: int = 0,
    priors: Priors | None = None,
    undercount: Stated | Path | None = None,
    people: People | None = None,
    progress: Progress = lambda _: None,
) -> Coverage:
    """Do the work of `coverage` on a census that has been taken. people: of `read_people`."""
    from sousveil.overlap import lists
    from sousveil.sources import licences, osm
    from sousveil.sources._gate import refusals

    if not counted.streets.num_rows:
        raise UnusableInput(
            f"{counted.sources[0].path}: has no streets, which is where people are seen; add an "
            "extract of OpenStreetMap of the place"
        )
    progress("Reading where people live")
    # A census may have been made of tables, or its files be gone since.
    extracts = [Path(s.path) for s in counted.sources if s.streets.num_rows]
    homes = [osm.read_homes(path) for path in extracts if path.is_file()]
    more = undercounts.missing(undercount, counted.cameras, lists=lists(counted.sources),
                               told=counted.summary["undercount"],
                               streets=counted.streets, seed=seed)  # fmt: skip
    seen = of_tables(
        counted.cameras,
        counted.streets,
        counted.buildings,
        boundary=counted.place.boundary,
        place=counted.place.name,
        population=counted.place.population,
        on=counted.on,
        radius_m=radius_m,
        draws=draws,
        seed=seed,
        priors=priors,
        undercount=more,
        attribution=licences.attribution(counted.sources),
        dwellings=_once(homes),
        people=people,
        progress=progress,
    )
    warnings = counted.summary["warnings"]
    notes = {"warnings": warnings, "notes": warnings + seen.summary["notes"]}
    withheld = refusals(counted.sources)
    return replace(seen, summary=seen.summary | notes, withheld=withheld)


def _once(homes: list[pa.Table]) -> pa.Table | None:
    """Join what several extracts say of homes; of one that several hold the first stands."""
    if not homes:
        return None
    joined = pa.concat_tables(homes)
    first = np.unique(np.array(joined["home_id"].to_pylist(), dtype=str), return_index=True)[1]
    return joined.take(pa.array(np.sort(first)))


def of_tables(
    cameras: pa.Table,
    streets: pa.Table,
    buildings: pa.Table,
    *,
    boundary: shapely.Geometry | None = None,
    place: str = "",
    population: int | None = None,
    on: date | None = None,
    radius_m: float = RADIUS_M,
    draws: int = 1000,
    seed: int = 0,
    priors: Priors | None = None,
    undercount: Missing | None = None,
    attribution: str = "",
    dwellings: pa.Table | None = None,
    people: People | None = None,
    tile: int = _seeing.TILE,
    sensitivity: bool = True,
    progress: Progress = lambda _: None,
) -> Coverage:
    """Do the work of `coverage` on tables: records.CAMERAS, STREETS and BUILDINGS.

    Cameras of private homes are left out, and counted: what they see would show where they are.
    undercount: of these cameras; None adds none. With draws=0 none are added either: where they
    hang is chance. dwellings: records.HOMES. people: of `read_people`. tile: resolution of the h3
    cells that are worked on one by one; no result depends on it.
    """
    from sousveil.coverage import _sensitivity, _summary

    at_home = cameras["private_home"].to_numpy(zero_copy_only=False).astype(bool)
    at_homes, cameras = int(at_home.sum()), cameras.filter(pa.array(~at_home))
    if undercount is not None:
        undercount = undercount._replace(like=undercount.like[~at_home])
    progress("Placing cameras and walls")
    priors = priors or prior_table.read()
    scene = _scene(cameras, streets, buildings, boundary=boundary, on=on, radius_m=radius_m,
                   draws=draws, seed=seed, priors=priors,
                   undercount=undercount if draws else None)  # fmt: skip
    listed = _views.select(scene.views, np.flatnonzero(scene.views.listed))
    views = _regions.view_table(listed, scene.obstacles, radius_m)
    visible = _regions.visible_table(views, scene.obstacles)
    if draws == 0:
        scene = _cut_where_it_changes(scene, views, boundary)
    doing = "Drawing what is unknown" if draws else "Looking along the streets"
    progress(doing + _unlisted.slowly(scene.views, "fewer --draws are faster"))
    seen = see(scene, tile=tile)
    progress("Joining pieces of street")
    stretches = _stretch_table(scene, seen)
    drivers = None
    if draws and sensitivity and len(seen.near):
        progress("Finding what drives the uncertainty" + _unlisted.slowly(scene.views))
        drivers = _sensitivity.drivers(scene, seed)
    share_km = seen.sums / 1e6
    summary = _summary.summarise(
        scene, seen, views=views, place=place, on=on, draws=draws, seed=seed,
        undercount=undercount, drivers=drivers, buildings=buildings, homes=dwellings, people=people,
        population=population, homes_left_out=at_homes,
        hidden_km=_streets.lengths_km(_streets.hidden(streets), scene.obstacles.plane, boundary),
    )  # fmt: skip
    return Coverage(
        summary=summary,
        views=views,
        visible=visible,
        streets=stretches,
        cameras=cameras,
        background=(streets, buildings),
        share_km=share_km,
        attribution=attribution,
    )


def watched(
    cameras: pa.Table,
    streets: pa.Table,
    buildings: pa.Table,
    *,
    draws: int = 200,
    seed: int = 0,
    priors: Priors | None = None,
    radius_m: float = RADIUS_M,
    on: date | None = None,
    boundary: shapely.Geometry | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return the stretches of street, and which camera sees which of them how likely.

    Returns a table of one row a stretch (columns of records.STRETCHES from stretch_id to length_m,
    and geometry), and records.WATCHED. A stretch's probability is the mean along it.
    """
    scene = _scene(cameras, streets, buildings, boundary=boundary, on=on, radius_m=radius_m,
                   draws=draws, seed=seed, priors=priors or prior_table.read(),
                   undercount=None)  # fmt: skip
    seen = see(scene)
    number = _streets.stretches(scene.pieces, _figures(scene, seen))
    found = _seeing.pairs(scene.points, scene.views, scene.obstacles, scene.plan,
                          radius_m=radius_m)  # fmt: skip
    length_m = scene.points.length_mm / 1000.0
    of_stretch = np.bincount(number, length_m, minlength=int(number.max(initial=-1)) + 1)
    key = number[found.point] * len(scene.views.camera_id) + found.camera
    pair, inverse = np.unique(key, return_inverse=True)
    stretch, camera = np.divmod(pair, max(len(scene.views.camera_id), 1))
    weight = length_m[found.point]
    probability = np.zeros((len(pair), 2, len(LEVELS)))
    for question in range(2):
        for level in range(len(LEVELS)):
            value = found.probability[:, question, level] * weight
            total = np.bincount(inverse, value, minlength=len(pair))
            probability[:, question, level] = np.minimum(total / of_stretch[stretch], 1.0)
    ids = np.array(scene.views.camera_id, dtype=object)
    return (
        _bare_stretches(scene, number),
        _long(WATCHED, "stretch_id", stretch, ids[camera], probability),
    )


def seen_at(
    cameras: pa.Table,
    buildings: pa.Table,
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    *,
    streets: pa.Table | None = None,
    draws: int = 200,
    seed: int = 0,
    priors: Priors | None = None,
    radius_m: float = RADIUS_M,
    on: date | None = None,
) -> pa.Table:
    """Return records.SEEN: which camera sees which of some points, at which level, how likely.

    lon, lat: WGS 84 degrees, one for each point. streets: records.STREETS, for passages through
    buildings. A point inside a building, or in none's sight, has no row.
    """
    _check(radius_m, draws)
    lon, lat = np.asarray(lon, np.float64).ravel(), np.asarray(lat, np.float64).ravel()
    around = np.r_[cameras["lon"].to_numpy(), lon], np.r_[cameras["lat"].to_numpy(), lat]
    obstacles = visibility.obstacles(visibility.plane_around(*around), buildings, streets)
    views = _views.views_of(cameras, obstacles, priors or prior_table.read(), on)
    xy = obstacles.plane.to_xy(lon, lat)
    points = Points(xy, np.zeros(len(xy), np.int64), np.zeros(len(xy), np.int64))
    draws_made, _ = _plan(draws, seed)
    found = _seeing.pairs(points, views, obstacles, draws_made, radius_m=radius_m)
    ids = np.array(views.camera_id, dtype=object)
    return _long(SEEN, "point", found.point, ids[found.camera], found.probability)


def sightings(
    cameras: pa.Table,
    buildings: pa.Table,
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    *,
    streets: pa.Table | None = None,
    draws: int = 200,
    seed: int = 0,
    priors: Priors | None = None,
    radius_m: float = RADIUS_M,
    on: date | None = None,
) -> Sightings:
    """Return what `seen_at` does as arrays, with its draws: points can be taken together."""
    _check(radius_m, draws)
    lon, lat = np.asarray(lon, np.float64).ravel(), np.asarray(lat, np.float64).ravel()
    around = np.r_[cameras["lon"].to_numpy(), lon], np.r_[cameras["lat"].to_numpy(), lat]
    obstacles = visibility.obstacles(visibility.plane_around(*around), buildings, streets)
    views = _views.views_of(cameras, obstacles, priors or prior_table.read(), on)
    xy = obstacles.plane.to_xy(lon, lat)
    points = Points(xy, np.zeros(len(xy), np.int64), np.zeros(len(xy), np.int64))
    return _sightings.find(points, views, obstacles, _plan(draws, seed)[0], radius_m=radius_m)


def see(scene: Scene, *, tile: int = _seeing.TILE) -> Seen:
    """Return what the draws of a scene come to."""
    presence = scene.unlisted and scene.unlisted.presence(scene.plan)
    return _seeing.see(
        scene.points, scene.views, scene.obstacles, scene.plan,
        radius_m=scene.radius_m, groups=scene.groups, presence=presence, tile=tile,
    )  # fmt: skip


def _scene(
    cameras: pa.Table, streets: pa.Table, buildings: pa.Table, *, boundary: Any, on: date | None,
    radius_m: float, draws: int, seed: int, priors: Priors, undercount: Missing | None,
) -> Scene:  # fmt: skip
    _check(radius_m, draws)
    corners = shapely.get_coordinates(
        shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False))
    )
    lonlat = np.column_stack([cameras["lon"], cameras["lat"]]) if cameras.num_rows else corners
    plane = visibility.plane_around(*lonlat.T)
    obstacles = visibility.obstacles(plane, buildings, streets)
    ways = _streets.walkable(streets)
    pieces = _streets.cut(ways, plane, boundary)
    points = _points(ways, pieces)
    views = _views.views_of(cameras, obstacles, priors, on)
    made, groups = _plan(draws, seed)
    unlisted = None
    if undercount is not None and undercount.known:
        groups_of = street_groups(ways["highway"].to_pylist())[pieces.street]
        more, unlisted = _unlisted.candidates(views, points.xy, points.length_mm / 1e3, groups_of,
                                              obstacles, undercount, seed)  # fmt: skip
        views = _views.concatenated(views, more)
    return Scene(views, obstacles, ways, pieces, points, unlisted, made, groups, radius_m)


def _plan(draws: int, seed: int) -> tuple[Plan, int]:
    if draws == 0:
        return middle(), 1
    groups = draws // GROUP if draws >= 10 * GROUP else draws
    return plan(draws, seed, groups=groups), groups


def _check(radius_m: float, draws: int) -> None:
    if not 1 <= radius_m <= _MOST_RADIUS_M:
        raise UnusableInput(
            f"--radius {radius_m:g}: give metres from 1 to {_MOST_RADIUS_M:g}; beyond, no face has "
            "pixels enough"
        )
    if draws < 0:
        raise UnusableInput(f"--draws {draws}: give 0 or more")


def _points(streets: pa.Table, pieces: _streets.Pieces) -> Points:
    kind = np.where(_streets.is_street(streets)[pieces.street], 0, 1).astype(np.int64)
    return Points(pieces.xy, kind, pieces.length_mm)


def _cut_where_it_changes(scene: Scene, views: pa.Table, boundary: Any) -> Scene:
    """Cut streets at the borders of what is seen, so that plain geometry is exact."""
    _, _, regions = _regions.flat_regions(views, scene.obstacles)
    pieces = _streets.cut(scene.streets, scene.obstacles.plane, boundary, at=regions)
    return scene._replace(pieces=pieces, points=_points(scene.streets, pieces))


def _figures(scene: Scene, seen: Seen) -> npt.NDArray[np.float32]:
    """Return the figures of every piece: a row of all figures at all levels."""
    width = len(_seeing.FIGURES) * len(LEVELS)
    figures = np.zeros((len(scene.points.xy), width), np.float32)
    figures[seen.near] = seen.figures[..., 0].reshape(-1, width)
    return figures


def _stretch_table(scene: Scene, seen: Seen) -> pa.Table:
    """Return records.STRETCHES."""
    number = _streets.stretches(scene.pieces, _figures(scene, seen))
    bare = _bare_stretches(scene, number)
    n, n_levels = bare.num_rows, len(LEVELS)
    weight = scene.points.length_mm.astype(np.float64)
    total = np.maximum(np.bincount(number, weight, minlength=n), 1e-9)
    figures = seen.figures.reshape(-1, len(_seeing.FIGURES) * n_levels * 3)
    of, mine = number[seen.near], weight[seen.near]
    means = np.zeros((n, figures.shape[1]))
    for k in range(figures.shape[1]):
        means[:, k] = np.bincount(of, figures[:, k] * mine, minlength=n) / total
    means = means.reshape(n, len(_seeing.FIGURES), n_levels, 3)
    columns: dict[str, Any] = {
        name: bare[name].take(pa.array(np.repeat(np.arange(n), n_levels)))
        for name in bare.column_names
    }
    columns["level"] = pa.array(list(LEVELS) * n, pa.string())
    for i, figure in enumerate(_seeing.FIGURES):
        names = [figure, f"{figure}_low", f"{figure}_high"]
        if figure == "probability":
            names = ["probability", "low", "high"]
        for k, name in enumerate(names):
            columns[name] = pa.array(means[:, i, :, k].ravel())
    for owner in ("public", "private"):  # at most, all of unknown owner are such
        columns[f"{owner}_high"] = columns[f"maybe_{owner}_high"]
    return pa.table(columns).select(STRETCHES.names).cast(STRETCHES)


def _bare_stretches(scene: Scene, number: npt.NDArray[np.int64]) -> pa.Table:
    n = int(number.max(initial=-1)) + 1
    first = np.searchsorted(number, np.arange(n))
    rows = scene.streets.take(pa.array(scene.pieces.street[first]))
    lines = _streets.geometry(scene.pieces, number, scene.obstacles.plane)
    length = np.bincount(number, scene.points.length_mm / 1e3, minlength=n)
    columns = {
        "stretch_id": pa.array(np.arange(n)),
        "street_id": rows["street_id"],
        "highway": rows["highway"],
        "name": rows["name"],
        "is_street": pa.array(scene.points.kind[first] == 0),
        "length_m": pa.array(length),
        "geometry": pa.array(shapely.to_wkb(lines), pa.binary()),
    }
    return pa.table(columns)


def _long(
    schema: pa.Schema, name: str, key: npt.NDArray[np.int64], ids: Any, probability: Any
) -> pa.Table:
    """Return one row a pair and level at which it is more than never; question 1 is the wider."""
    pair, level = np.nonzero(probability[:, 1] > 0)
    columns = {
        name: pa.array(key[pair]),
        "camera_id": pa.array(ids[pair].tolist(), pa.string()),
        "level": pa.array(np.array(LEVELS, dtype=object)[level].tolist(), pa.string()),
        "probability": pa.array(probability[pair, 0, level].astype(np.float64)),
        "could": pa.array(probability[pair, 1, level].astype(np.float64)),
    }
    return pa.table(columns).cast(schema)
