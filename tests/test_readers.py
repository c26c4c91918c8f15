"""Files of every format become rows of text, each with the number that a person sees."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from sousveil.errors import UnusableInput
from sousveil.sources.tabular._files import format_of
from sousveil.sources.tabular._readers import GEOMETRY, LAT, LON, flat, open_directory, open_rows
from sousveil.sources.tabular._spec import FileSpec
from tests.lists import csv_file, xlsx_file

POINTS = [(11.57, 48.13), (11.58, 48.14)]


def rows_of(path: Path, file: FileSpec | None = None) -> list[dict[str, Any]]:
    opened = open_rows(path, file or FileSpec())
    return [
        {"row": int(row), **cells}
        for batch in opened.batches()
        for row, cells in zip(batch.rows, batch.table.to_pylist(), strict=True)
    ]


def test_a_workbook_gives_texts_as_a_person_sees_them(tmp_path: Path) -> None:
    path = xlsx_file(
        tmp_path / "list.xlsx",
        [["id", "lat", "n"], ["007", 48.13, 3.0], [None, None, None], ["008", 48.14, None]],
    )
    assert rows_of(path) == [
        {"row": 2, "id": "007", "lat": "48.13", "n": "3"},
        {"row": 4, "id": "008", "lat": "48.14", "n": None},
    ]


def test_rows_above_the_header_are_skipped_and_counted(tmp_path: Path) -> None:
    path = xlsx_file(tmp_path / "list.xlsx", [["Cameras of the city"], ["id", "n"], ["1", "x"]])
    assert rows_of(path, FileSpec(skip_rows=1)) == [{"row": 3, "id": "1", "n": "x"}]
    lines = csv_file(tmp_path, "Cameras of the city", "id,n", "1,x")
    assert rows_of(lines, FileSpec(skip_rows=1, delimiter=",")) == [{"row": 3, "id": "1", "n": "x"}]


def test_an_old_workbook_is_read(shared_data: Path) -> None:
    """Population of Seoul, first quarter of 2017: the row of all districts and its total."""
    path = shared_data / "lists/seoul_districts/population_in_Seoul_2017Q1.xls"
    rows = rows_of(path, FileSpec(skip_rows=2))
    assert rows[0]["row"] == 4
    assert (rows[0]["자치구"], rows[0]["계"]) == ("합계", "10197604")


def test_json_objects_become_columns_with_inner_keys_after_a_point() -> None:
    record = {
        "id": 7,
        "on": True,
        "owner": {"organisation": "Stad", "contact": {"phone": "1"}},
        "tags": ["a", "b"],
        "none": None,
        "empty": [],
    }
    assert flat(record) == {
        "id": "7",
        "on": "true",
        "owner.organisation": "Stad",
        "owner.contact.phone": "1",
        "tags": '["a", "b"]',
        "none": None,
        "empty": None,
    }


@pytest.mark.parametrize("shape", ["[%s]", '{"count": 2, "data": [%s]}', '{"a": {"items": [%s]}}'])
def test_the_array_of_objects_is_found_wherever_it_stands(tmp_path: Path, shape: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(shape % '{"id": 1, "lat": 48.130}, {"id": 2, "more": "x"}')
    assert rows_of(path) == [
        {"row": 1, "id": "1", "lat": "48.130", "more": None},
        {"row": 2, "id": "2", "lat": None, "more": "x"},
    ]


def test_an_array_is_read_by_name_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text('{"first": [{"a": 1}], "second": [{"b": 2}]}')
    assert rows_of(path, FileSpec(records="second")) == [{"row": 1, "b": "2"}]


def test_what_is_no_object_in_an_array_is_a_row_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text('[{"a": 1}, 7, {"a": 2}]')
    batch = next(open_rows(path, FileSpec()).batches())
    assert batch.rows.tolist() == [1, 3]
    assert batch.broken == [(2, "7", "not a JSON object")]


def feature(at: list[float] | None, kind: str = "Point", **properties: object) -> dict[str, Any]:
    geometry = None if at is None else {"type": kind, "coordinates": at}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def test_geojson_gives_points_and_names_other_shapes(tmp_path: Path) -> None:
    path = tmp_path / "list.geojson"
    features = [
        feature([11.5700001, 48.13], name="a", type="camera"),
        feature([[11, 48], [12, 49]], "LineString", name="b"),
        feature(None, name="c"),
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    rows = rows_of(path)
    assert [(row["name"], row[GEOMETRY], row[LON], row[LAT]) for row in rows] == [
        ("a", "Point", "11.5700001", "48.13"),
        ("b", "LineString", None, None),
        ("c", None, None, None),
    ]
    assert rows[0]["type"] == "camera"


def test_parquet_gives_texts_and_the_points_of_its_geometry(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    geometry = shapely.to_wkb(shapely.points(POINTS))
    table = pa.table({"id": [1, 2], "tags": [["a"], []], "geometry": list(geometry)})
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {}}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    assert rows_of(path) == [
        {"row": 1, "id": "1", "tags": '["a"]', GEOMETRY: "Point", LON: "11.57", LAT: "48.13"},
        {"row": 2, "id": "2", "tags": None, GEOMETRY: "Point", LON: "11.58", LAT: "48.14"},
    ]


def layer(path: Path, crs: str, driver: str, points: list[tuple[float, float]]) -> Path:
    geopandas = pytest.importorskip("geopandas")
    frame = geopandas.GeoDataFrame(
        {"id": ["1", "2"]}, geometry=list(shapely.points(points)), crs=crs
    )
    frame.to_file(path, driver=driver, engine="pyogrio")
    return path


def test_a_geopackage_says_its_reference_system(tmp_path: Path) -> None:
    path = layer(tmp_path / "list.gpkg", "EPSG:25832", "GPKG", [(691_000, 5_334_000)] * 2)
    opened = open_rows(path, FileSpec())
    assert opened.format == "GeoPackage"
    assert opened.crs is not None
    assert "UTM zone 32N" in opened.crs
    assert [float(row[LON]) for row in rows_of(path)] == [691_000.0, 691_000.0]


def test_a_shapefile_is_read_from_its_zip(tmp_path: Path) -> None:
    layer(tmp_path / "list.shp", "EPSG:4326", "ESRI Shapefile", POINTS)
    with zipfile.ZipFile(tmp_path / "list.zip", "w") as archive:
        for part in tmp_path.glob("list.*"):
            if part.suffix != ".zip":
                archive.write(part, part.name)
    assert format_of(tmp_path / "list.zip") == "shapefile"
    assert open_rows(tmp_path / "list.zip", FileSpec()).crs is None
    assert [(row["row"], row["id"], row[LAT]) for row in rows_of(tmp_path / "list.zip")] == [
        (1, "1", "48.13"),
        (2, "2", "48.14"),
    ]


def test_a_directory_is_read_file_by_file(tmp_path: Path) -> None:
    files = [csv_file(tmp_path, "a,b", "1,x", name=name) for name in ("one.csv", "two.csv")]
    opened = open_directory(tmp_path, FileSpec(delimiter=","), files, careful=False)
    batches = list(opened.batches())
    assert opened.format == "CSV, 2 files"
    assert [(batch.file, batch.rows.tolist()) for batch in batches] == [
        ("one.csv", [2]),
        ("two.csv", [2]),
    ]


@pytest.mark.parametrize(
    ("data", "mend"),
    [
        (b"", "is empty"),
        (b"   \n", "is empty"),
        (b"<!doctype html><html></html>", "web page or XML"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is none of"),
        (b"PK\x03\x04 broken", "the zip file is damaged"),
        (b"PAR1 broken", "Parquet file is damaged"),
        (b"\xd0\xcf\x11\xe0 broken", "no sheet can be read"),
        (b"SQLite format 3\0 broken", "no layer can be read"),
        (b'[{"a": 1}, {"a": ', "not valid JSON"),
        (b'{"a": 1}', "holds no array of objects"),
        (b"\x1f\x8b\x08\0 broken", "damaged or cut off"),
        (b"<?xml version='1.0'?>\n<osm version='0.6'>", "OpenStreetMap data, not a list"),
    ],
)
def test_what_cannot_be_read_is_one_line_about_the_file(
    tmp_path: Path, data: bytes, mend: str
) -> None:
    path = tmp_path / "list.bin"
    path.write_bytes(data)
    with pytest.raises(UnusableInput, match=rf"^{path}: .*{mend}"):
        rows_of(path)


def test_a_missing_file_and_a_format_that_was_not_promised(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no such file or directory"):
        rows_of(tmp_path / "absent.csv")
    with pytest.raises(UnusableInput, match="is CSV, its description says JSON"):
        rows_of(csv_file(tmp_path, "a,b", "1,2"), FileSpec(formats=("json",)))
