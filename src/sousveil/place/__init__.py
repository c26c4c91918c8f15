"""The place of a census: its boundary, area, street length and population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil.errors import UnusableInput
from sousveil.place import _covered, _geodesy, _geonames, _outline, _streets
from sousveil.place._covered import area_for_people
from sousveil.place._geodesy import Floats, area_km2
from sousveil.place._streets import FOOTWAY_CLASSES, STREET_CLASSES, TRACK_CLASSES
from sousveil.sources import Box

__all__ = [
    "FOOTWAY_CLASSES",
    "GEONAMES_ATTRIBUTION",
    "GEONAMES_LICENCE",
    "STREET_CLASSES",
    "TRACK_CLASSES",
    "Place",
    "area_km2",
    "covered_area",
    "describe",
    "from_geojson",
    "inside",
    "population_attribution",
    "street_lengths_km",
]

GEONAMES_ATTRIBUTION: Final = _geonames.ATTRIBUTION
GEONAMES_LICENCE: Final = _geonames.LICENCE

WELL_COVERED: Final = 0.75
"""Share of a given boundary that must hold streets or buildings; below, the note says so."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place as measured; lengths, areas and people refer to the inside of the boundary.

    area_km2 is None if no boundary was given and there is nothing to tell it from. Street lengths
    are of centre lines: each way once, whatever its lanes and directions. The two carriageways of
    a divided road are two ways, and count as two; areas open to traffic have no length.
    """

    name: str
    boundary: shapely.Geometry  # (Multi)Polygon in longitude, latitude
    boundary_kind: str  # "file" | "relation" | "covered"
    boundary_note: str
    area_km2: float | None
    street_km: float
    footway_km: float
    street_km_by_class: dict[str, float]  # of all three sets of classes, the longest first
    population: int | None
    population_source: str | None
    population_note: str | None
    country: str | None  # ISO 3166-1 alpha-2
    uses_geonames: bool = False  # whether GeoNames was asked for the population


def describe(
    *,
    name: str,
    name_is_certain: bool = False,
    streets: pa.Table,
    buildings: pa.Table,
    cameras_lonlat: Floats,
    header_boxes: Sequence[Box | None] = (),
    boundary: shapely.Geometry | None = None,
    boundary_kind: str = "covered",
    population: int | None = None,
) -> Place:
    """Measure a place.

    name_is_certain: whether the name is that of the place, not one made up from a file's.
    streets: records.STREETS. buildings: records.BUILDINGS. cameras_lonlat: n x 2 degrees.
    header_boxes: one for each source, None where a source has none.
    boundary: without it, the area that the data covers. boundary_kind: "file" or "relation".
    population: people in the place; without it, those of the GeoNames city that is the place.

    Raises UnusableInput for a population that is no positive whole number and for a boundary that
    no street, building or camera touches.
    """
    _check_population(population)
    lines, corners = _lines(streets), _corners(buildings)
    cameras = np.asarray(cameras_lonlat, dtype=np.float64).reshape(-1, 2)
    is_known = boundary is not None or len(lines) + len(corners) > 0
    if boundary is None:
        boundary, note = _covered_area(lines, corners, cameras, header_boxes)
        boundary_kind = "covered"
    else:
        note = _note_on_given(boundary, boundary_kind)
        boundary = _outline.mended(boundary)
        _check_touches(boundary, name, lines, np.concatenate([corners, cameras]))
        note += _note_on_gaps(boundary, lines, corners)
    size_km2 = area_km2(boundary) if is_known else None
    km_by_class = _streets.lengths_km(streets, lines, boundary)
    people = _people(population, boundary, size_km2, name, name_is_certain=name_is_certain)
    return Place(
        name=name,
        boundary=boundary,
        boundary_kind=boundary_kind,
        boundary_note=note,
        area_km2=size_km2,
        street_km=sum(km for way, km in km_by_class.items() if way in STREET_CLASSES),
        footway_km=sum(km for way, km in km_by_class.items() if way in FOOTWAY_CLASSES),
        street_km_by_class=km_by_class,
        population=people.population,
        population_source=people.source,
        population_note=people.note,
        country=people.country,
        uses_geonames=population is None,
    )


def from_geojson(path: str | Path) -> tuple[str | None, shapely.Geometry]:
    """Return the name and the (multi)polygon that a GeoJSON file holds.

    The outline is the union of all polygons of a geometry, Feature or FeatureCollection, cut at
    the antimeridian. The name is the property "name" on which the features agree. An outline that
    crosses itself is mended, with a warning in the log. Raises UnusableInput for a file that holds
    no polygon, or whose coordinates are no longitudes and latitudes.
    """
    return _outline.read(Path(path))


def covered_area(
    streets: pa.Table,
    buildings: pa.Table,
    points: Floats,
    header_boxes: Sequence[Box | None] = (),
) -> tuple[shapely.Geometry, str]:
    """Return the area that the data covers and a sentence that says what it is.

    points: n x 2 degrees, the cameras; each lies in the answer. The area is where streets and
    buildings stand close together, with gaps of up to 100 m and small holes (parks, water), without
    ways that stick out, cut to the header boxes if every source has one and they hold most of it.
    """
    return _covered_area(_lines(streets), _corners(buildings), points, header_boxes)


def street_lengths_km(streets: pa.Table, boundary: shapely.Geometry) -> dict[str, float]:
    """Return km of centre line inside a boundary by value of `highway`, the longest first.

    streets: records.STREETS. Only the classes of STREET_CLASSES, FOOTWAY_CLASSES and TRACK_CLASSES.
    Ways with area=yes have no length, and one that several extracts hold counts once. Lengths are
    geodesic (Karney 2013); ways are cut at the boundary.
    """
    return _streets.lengths_km(streets, _lines(streets), boundary)


def inside(lon: Floats, lat: Floats, boundary: shapely.Geometry) -> npt.NDArray[np.bool_]:
    """Return which of n points lie in a (multi)polygon; its edge belongs to it."""
    boundary = _outline.mended(boundary)
    shapely.prepare(boundary)
    return np.asarray(shapely.intersects_xy(boundary, lon, lat), dtype=np.bool_)


def population_attribution(place: Place) -> list[tuple[str, str]]:
    """Return whom to name for the population, as (attribution, SPDX licence) pairs."""
    return [(GEONAMES_ATTRIBUTION, GEONAMES_LICENCE)] if place.uses_geonames else []


def _lines(streets: pa.Table) -> npt.NDArray[Any]:
    return np.asarray(shapely.from_wkb(streets["geometry"].to_numpy()))


def _corners(buildings: pa.Table) -> Floats:
    """Return the corners of all buildings, n x 2 degrees."""
    chunks = buildings.select(["geometry"]).to_batches(max_chunksize=_geodesy.CHUNK)
    return np.concatenate(
        [
            np.empty((0, 2)),
            *(shapely.get_coordinates(shapely.from_wkb(c["geometry"].to_pylist())) for c in chunks),
        ]
    )


def _covered_area(
    lines: npt.NDArray[Any],
    corners: Floats,
    points: Floats,
    header_boxes: Sequence[Box | None],
) -> tuple[shapely.Geometry, str]:
    boxes = [box for box in header_boxes if box is not None]
    # A source without a box may reach anywhere, so the boxes of others cannot bound the data.
    boxes = boxes if len(boxes) == len(header_boxes) else []
    area, words = _covered.covered(lines, corners, points, boxes)
    if not len(lines) + len(corners):
        return area, (
            "No boundary was given and the sources hold no streets or buildings, so the area is "
            "not known: give a boundary with --within."
        )
    return area, f"No boundary was given: the area is what the data covers, {words}."


def _note_on_given(boundary: shapely.Geometry, kind: str) -> str:
    what = "the outline in the file" if kind == "file" else "that of the relation in the data"
    crossing = "" if shapely.is_valid(boundary) else ", mended because it crosses itself"
    return f"The boundary is {what} that was given{crossing}."


def _note_on_gaps(boundary: shapely.Geometry, lines: npt.NDArray[Any], corners: Floats) -> str:
    whole_km2 = area_km2(boundary)
    data = _covered.extent(lines, corners, np.empty((0, 2)))
    held_km2 = area_km2(_geodesy.polygons_of(shapely.intersection(boundary, data)))
    if held_km2 >= WELL_COVERED * whole_km2:
        return ""
    return (
        f" The streets and buildings in the sources fill {area_for_people(held_km2)} of its "
        f"{area_for_people(whole_km2)}: if the sources hold only a part of the place, rates are "
        f"too low."
    )


def _check_touches(
    boundary: shapely.Geometry, name: str, lines: npt.NDArray[Any], points: Floats
) -> None:
    if not len(lines) + len(points) or _touches(boundary, lines, points):
        return
    swapped = shapely.transform(boundary, lambda xy: xy[:, ::-1])
    mend = "give the boundary of the place that the sources hold"
    if _touches(swapped, lines, points):
        mend = "its latitudes and longitudes are swapped, GeoJSON has the longitude first"
    data = np.concatenate([shapely.get_coordinates(lines), points])
    raise UnusableInput(
        f"--within: the boundary does not touch the data of {name}: it spans "
        f"{_span(shapely.get_coordinates(boundary))}, the data {_span(data)}; {mend}"
    )


def _touches(boundary: shapely.Geometry, lines: npt.NDArray[Any], points: Floats) -> bool:
    shapely.prepare(boundary)
    on_points = shapely.intersects_xy(boundary, points).any()
    return bool(on_points or shapely.intersects(boundary, lines).any())


def _span(points: Floats) -> str:
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return f"longitude {west:.4f} to {east:.4f} and latitude {south:.4f} to {north:.4f}"


def _check_population(population: int | None) -> None:
    if population is None:
        return
    is_whole = isinstance(population, int) and not isinstance(population, bool)
    if not is_whole or population < 1:
        raise UnusableInput(
            f"--population {population}: is no number of people; give a whole number above 0"
        )


def _people(
    population: int | None,
    boundary: shapely.Geometry,
    size_km2: float | None,
    name: str,
    *,
    name_is_certain: bool,
) -> _geonames.People:
    found = _geonames.people(boundary, size_km2 or 0.0, name, name_is_certain=name_is_certain)
    if population is None:
        return found
    note = None
    if size_km2 and population / size_km2 > _geonames.MOST_PER_KM2:
        note = (
            f"That is {population / size_km2:,.0f} people per km2, more than nearly any city has: "
            f"check that it is the number for this area of {area_for_people(size_km2)}."
        )
    return _geonames.People(population, "given with --population", note, found.country)
