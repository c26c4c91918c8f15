"""Boundaries from GeoJSON files: every shape that is usable, and one line for each that is not."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import shapely

from sousveil.errors import UnusableInput
from sousveil.place import from_geojson
from sousveil.place._outline import mended

RING = [[11.5, 48.1], [11.6, 48.1], [11.6, 48.2], [11.5, 48.2], [11.5, 48.1]]
SQUARE = shapely.box(11.5, 48.1, 11.6, 48.2)
POLYGON = {"type": "Polygon", "coordinates": [RING]}
POINT = {"type": "Point", "coordinates": [11.5, 48.1]}


def polygon(*ring: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [list(ring)]}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def read(folder: Path, document: Any) -> tuple[str | None, shapely.Geometry]:
    path = folder / "place.geojson"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return from_geojson(path)


@pytest.mark.parametrize(
    "document",
    [
        POLYGON,
        {"type": "MultiPolygon", "coordinates": [[RING]]},
        {"type": "GeometryCollection", "geometries": [POLYGON, POINT]},
        polygon(*([*point, 520.0] for point in RING)),
        polygon(*RING[::-1]),
        feature(POLYGON),
        {"type": "Feature", "properties": None, "geometry": POLYGON},
        collection(feature(POLYGON), feature(POINT), feature(None)),
        {
            **POLYGON,
            "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        },
        {**POLYGON, "crs": None},
        "\ufeff" + json.dumps(POLYGON),
    ],
)
def test_the_outline_of_every_kind_of_document(tmp_path: Path, document: Any) -> None:
    name, outline = read(tmp_path, document)
    assert name is None
    assert shapely.equals(outline, SQUARE)


def test_the_polygons_of_a_collection_are_united(tmp_path: Path) -> None:
    east = polygon(*([lon + 0.05, lat] for lon, lat in RING))
    far = polygon(*([lon + 1, lat] for lon, lat in RING))
    _, outline = read(tmp_path, collection(feature(POLYGON), feature(east), feature(far)))
    assert outline.geom_type == "MultiPolygon"
    assert outline.area == pytest.approx(0.015 + 0.01)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (feature(POLYGON, name="München"), "München"),
        (feature(POLYGON, NAME=" Munich "), "Munich"),
        (feature(POLYGON, name=5), None),
        (feature(POLYGON, name="  "), None),
        (collection(feature(POLYGON, name="A"), feature(POLYGON, name="A")), "A"),
        (collection(feature(POLYGON, name="A"), feature(POLYGON, name="B")), None),
        ({**collection(feature(POLYGON)), "name": "layer_1"}, None),
        ({"type": "Feature", "properties": [1], "geometry": POLYGON}, None),
    ],
)
def test_the_name_on_which_features_agree(
    tmp_path: Path, document: Any, expected: str | None
) -> None:
    assert read(tmp_path, document)[0] == expected


def test_an_outline_that_crosses_itself_is_mended_and_said_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bow_tie = polygon([0, 0], [1, 1], [1, 0], [0, 1], [0, 0])
    with caplog.at_level(logging.WARNING):
        _, outline = read(tmp_path, bow_tie)
    assert shapely.is_valid(outline)
    assert outline.area == pytest.approx(0.5)
    assert "place.geojson: the outline was mended (Self-intersection[0.5 0.5])" in caplog.text


def test_a_usable_outline_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    read(tmp_path, POLYGON)
    assert not caplog.records


def test_mended_leaves_what_is_valid() -> None:
    assert mended(SQUARE) is SQUARE


@pytest.mark.parametrize("east", [-179, 181])
def test_an_outline_across_the_antimeridian_is_cut(tmp_path: Path, east: int) -> None:
    _, outline = read(
        tmp_path, polygon([179, -17], [east, -17], [east, -16], [179, -16], [179, -17])
    )
    assert shapely.bounds(outline).tolist() == [-180, -17, 180, -16]
    assert outline.area == pytest.approx(2.0)


UTM = polygon([691607, 5334760], [691707, 5334760], [691707, 5334860], [691607, 5334760])
SWAPPED = polygon([48.1, 111.5], [48.1, 111.6], [48.2, 111.6], [48.1, 111.5])
EPSG = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::25832"}}
UNUSABLE = {
    "empty": ("", "the file is empty; give a GeoJSON file with a polygon"),
    "blank": (" \n", "the file is empty"),
    "no JSON": ('{"type": "Polygon",\n oops}', "line 2, column 2 is no JSON"),
    "deep": ("[" * 200_000, "nested too deeply"),
    "a number": (5, 'no GeoJSON (no "type")'),
    "a list": ([POLYGON], 'no GeoJSON (no "type")'),
    "odd type": ({"type": 7}, 'no GeoJSON (no "type")'),
    "TopoJSON": ({"type": "Topology"}, 'type "Topology" is no GeoJSON; convert TopoJSON'),
    "other JSON": ({"type": "census"}, 'type "census" is no GeoJSON'),
    "no features": ({"type": "FeatureCollection"}, '"features" is no list of features'),
    "bad features": (collection(1), '"features" is no list of features'),
    "empty collection": (collection(), "holds no polygon with an area (no geometry)"),
    "a line": ({"type": "LineString", "coordinates": RING}, "with an area (LineString); give the"),
    "a point": (feature(POINT), "holds no polygon with an area (Point)"),
    "no rings": ({"type": "Polygon", "coordinates": []}, "holds no polygon with an area"),
    "flat": (polygon([0, 0], [1, 1], [2, 2], [0, 0]), "holds no polygon with an area"),
    "unclosed": (polygon(*RING[:-1]), "feature 1 has no readable geometry (a ring does not end"),
    "text": (polygon(["11.5", "48.1"]), "feature 1 has no readable geometry (its coordinates are"),
    "null": (polygon([None, 1], [1, 2], [2, 3], [None, 1]), "feature 1 has no readable geometry"),
    "NaN": ('{"type": "Polygon", "coordinates": [[[NaN, 1]]]}', "has no readable geometry"),
    "no lists": ({"type": "Polygon", "coordinates": 11}, "feature 1 has no readable geometry"),
    "no coordinates": ({"type": "Polygon"}, "feature 1 has no readable geometry"),
    "odd geometry": (collection(feature(POLYGON), feature("x")), "feature 2 has no readable geom"),
    "metres": (UTM, "feature 1: 691607, 5.33476e+06 is no longitude, latitude; write it as"),
    "swapped": (SWAPPED, "feature 1: 48.1, 111.5 is no longitude, latitude; GeoJSON has the long"),
    "other crs": (
        {**POLYGON, "crs": EPSG},
        '"crs" says its coordinates are urn:ogc:def:crs:EPSG::2',
    ),
}


@pytest.mark.parametrize(("document", "says"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_files_say_where_and_what_to_do(tmp_path: Path, document: Any, says: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        read(tmp_path, document)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'place.geojson'}: ")
    assert says in message
    assert "\n" not in message
    assert ";" in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=r"none\.geojson: .*no such file .*check the path"):
        from_geojson(tmp_path / "none.geojson")
    with pytest.raises(UnusableInput, match="is a directory"):
        from_geojson(tmp_path)
    (tmp_path / "binary").write_bytes(b"PK\x03\xff")
    with pytest.raises(UnusableInput, match="byte 3 is not UTF-8 text"):
        from_geojson(tmp_path / "binary")
