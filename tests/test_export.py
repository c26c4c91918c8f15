"""Files that other programs read, checked with readers that are not ours."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from sousveil import export, linking, publication, register
from sousveil.records import BUILDINGS, CAMERAS
from tests.tables import observations

ROWS: list[dict[str, Any]] = [
    {
        "native_id": "node/1",
        "lon": -70.1,
        "lat": -33.9,
        "bearings": [90.0, 270.5],
        "operator": '=HYPERLINK("http://x")',
        "zone": "two\nlines, and a comma",
        "operator_class": "public",
        "capabilities": ["alpr", "audio"],
    },
    {"native_id": "node/2", "lon": 11.57, "lat": 48.13, "operator": "München ☂"},
]


@pytest.fixture
def cameras() -> pa.Table:
    table = observations(*ROWS)
    return register.build(table, linking.by_identity(table)).cameras


def test_geoparquet_opens_elsewhere_with_the_same_values(cameras: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "cameras.parquet"
    export.write_geoparquet(export.points(cameras), path)
    frame = geopandas.read_parquet(path)
    assert frame.crs == "OGC:CRS84"
    assert [(p.x, p.y) for p in frame.geometry] == [(-70.1, -33.9), (11.57, 48.13)]
    assert frame["camera_id"].tolist() == cameras["camera_id"].to_pylist()
    east = geopandas.read_parquet(path, bbox=(0, 0, 90, 90))  # by the covering of each row
    assert east["operator"].tolist() == ["München ☂"]


def test_geoparquet_says_what_the_specification_asks(cameras: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "cameras.parquet"
    export.write_geoparquet(export.points(cameras), path)
    stored = pq.read_schema(path)
    assert stored.names == [*CAMERAS.names, "geometry", "bbox"]
    geo = json.loads(stored.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    column = geo["columns"][geo["primary_column"]]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Point"]
    assert column["bbox"] == [-70.1, -33.9, 11.57, 48.13]
    assert column["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]


def test_geoparquet_of_nothing_and_of_mixed_shapes(tmp_path: Path) -> None:
    path = tmp_path / "buildings.parquet"
    export.write_geoparquet(BUILDINGS.empty_table(), path)
    assert len(geopandas.read_parquet(path)) == 0
    square = shapely.box(0, 0, 1, 1)
    rows = [
        {"building_id": f"way/{i}", "building": "yes", "geometry": shapely.to_wkb(shape)}
        for i, shape in enumerate([square, shapely.MultiPolygon([square])])
    ]
    export.write_geoparquet(pa.Table.from_pylist(rows, schema=BUILDINGS), path)
    assert geopandas.read_parquet(path).geom_type.tolist() == ["Polygon", "MultiPolygon"]


def test_geojson_has_one_feature_a_camera(cameras: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "cameras.geojson"
    export.write_geojson(publication.publish(cameras), path)
    collection = json.loads(path.read_text(encoding="utf-8"))
    first = collection["features"][0]
    assert first["geometry"] == {"type": "Point", "coordinates": [-70.1, -33.9]}
    assert first["properties"]["bearings"] == [90.0, 270.5]
    assert first["properties"]["last_seen"] == "2024-01-01"
    assert first["id"] == first["properties"]["camera_id"]
    assert len(geopandas.read_file(path)) == 2


def test_csv_keeps_every_text_and_runs_no_formula(cameras: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "cameras.csv"
    export.write_csv(cameras, path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["operator"] == "'" + ROWS[0]["operator"]
    assert rows[0]["zone"] == ROWS[0]["zone"]
    assert rows[0]["bearings"] == "90;270.5"
    assert float(rows[0]["lon"]) == -70.1  # a negative number is no formula
    assert rows[1]["operator"] == "München ☂"
    assert rows[1]["bearings"] == ""


def test_json_refuses_what_json_cannot_say() -> None:
    assert export.dumps({"day": date(2024, 2, 29)}) == '{"day": "2024-02-29"}'
    with pytest.raises(ValueError, match="JSON"):
        export.dumps(float("nan"))
