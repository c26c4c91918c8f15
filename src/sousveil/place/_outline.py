"""The outline of a place from a GeoJSON file that somebody drew or exported."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from sousveil.errors import UnusableInput
from sousveil.place._geodesy import cut_at_antimeridian, polygons_of

_log = logging.getLogger(__name__)

_TO_WGS84 = "write it as longitude, latitude in WGS 84 (ogr2ogr -lco RFC7946=YES)"
_GEOMETRIES = {
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
    "GeometryCollection",
}


def read(path: Path) -> tuple[str | None, shapely.Geometry]:
    """Return the name and the outline that a GeoJSON file holds; see place.from_geojson."""
    document = _document(path)
    _check_crs(path, document)
    features = _features(path, document)
    read = [_shape(path, number, feature) for number, feature in enumerate(features, 1)]
    shapes = [shape for shape in read if shape is not None]
    outline = polygons_of(shapely.union_all([_polygons(path, shape) for shape in shapes]))
    if shapely.is_empty(outline):
        kinds = ", ".join(sorted({shape.geom_type for shape in shapes})) or "no geometry"
        raise UnusableInput(
            f"{path}: holds no polygon with an area ({kinds}); give the outline of the place as "
            f"Polygon or MultiPolygon"
        )
    return _name(features), outline


def mended(outline: shapely.Geometry) -> shapely.Geometry:
    """Return a (multi)polygon whose outline crosses itself as a valid one of the same extent."""
    if shapely.is_valid(outline):
        return outline
    return polygons_of(shapely.make_valid(outline, method="structure", keep_collapsed=False))


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(
            f"{path}: byte {error.start} is not UTF-8 text; give a GeoJSON file"
        ) from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UnusableInput(f"{path}: cannot be read ({why}); check the path") from error
    if not text.strip():
        raise UnusableInput(f"{path}: the file is empty; give a GeoJSON file with a polygon")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnusableInput(
            f"{path}: line {error.lineno}, column {error.colno} is no JSON ({error.msg}); "
            f"give a GeoJSON file"
        ) from error
    except RecursionError as error:
        raise UnusableInput(f"{path}: is nested too deeply; give a GeoJSON file") from error
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise UnusableInput(f'{path}: is JSON but no GeoJSON (no "type"); give a GeoJSON file')
    return document


def _check_crs(path: Path, document: dict[str, Any]) -> None:
    """Refuse the coordinate systems that GeoJSON could name before RFC 7946."""
    crs = document.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        return
    try:
        geographic = pyproj.CRS.from_user_input(name).is_geographic
    except pyproj.exceptions.CRSError:
        geographic = False
    if not geographic:
        raise UnusableInput(f'{path}: "crs" says its coordinates are {name}; {_TO_WGS84}')


def _features(path: Path, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the features of a document; a bare geometry as one without properties."""
    kind = document["type"]
    if kind == "FeatureCollection":
        features = document.get("features")
        if isinstance(features, list) and all(isinstance(f, dict) for f in features):
            return features
        raise UnusableInput(f'{path}: "features" is no list of features; give a GeoJSON file')
    if kind == "Feature":
        return [document]
    if kind in _GEOMETRIES:
        return [{"geometry": document}]
    hint = "convert TopoJSON to GeoJSON" if kind == "Topology" else "give a GeoJSON file"
    raise UnusableInput(f'{path}: type "{kind[:40]}" is no GeoJSON; {hint}')


def _shape(path: Path, number: int, feature: dict[str, Any]) -> shapely.Geometry | None:
    geometry = feature.get("geometry")
    if geometry is None:
        return None
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
    except (shapely.errors.GEOSException, ValueError) as error:
        unclosed = "closed linestring" in str(error)
        why = (
            "a ring does not end where it begins" if unclosed else "its coordinates are no numbers"
        )
        raise UnusableInput(
            f"{path}: feature {number} has no readable geometry ({why}); export it again"
        ) from error
    _check_degrees(path, number, shape)
    return shape


def _check_degrees(path: Path, number: int, shape: shapely.Geometry) -> None:
    points = shapely.get_coordinates(shape)
    # Longitudes up to 360 are how outlines run on across the antimeridian.
    wrong = ~((np.abs(points[:, 0]) <= 360.0) & (np.abs(points[:, 1]) <= 90.0))
    if not wrong.any():
        return
    x, y = points[int(np.argmax(wrong))]
    swapped = bool((np.abs(points[:, 1]) <= 180.0).all() and (np.abs(points[:, 0]) <= 90.0).all())
    mend = "GeoJSON has the longitude first: swap them" if swapped else _TO_WGS84
    raise UnusableInput(f"{path}: feature {number}: {x:g}, {y:g} is no longitude, latitude; {mend}")


def _polygons(path: Path, shape: shapely.Geometry) -> shapely.Geometry:
    outline = polygons_of(shape)
    if not shapely.is_valid(outline):
        why = shapely.is_valid_reason(outline)
        _log.warning("%s: the outline was mended (%s); check the area on the map", path, why)
    return cut_at_antimeridian(mended(outline))


def _name(features: list[dict[str, Any]]) -> str | None:
    """Return the name that the features agree on, None if there is none or there are several."""
    all_properties = [feature.get("properties") for feature in features]
    names = {
        value.strip()
        for properties in all_properties
        if isinstance(properties, dict)
        for key, value in properties.items()
        if key.casefold() == "name" and isinstance(value, str) and value.strip()
    }
    return names.pop() if len(names) == 1 else None
