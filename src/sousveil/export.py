"""Tables to files: GeoParquet 1.1, GeoJSON, CSV and JSON, as programs outside read them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import shapely

_BBOX: Final = pa.struct([(side, pa.float64()) for side in ("xmin", "ymin", "xmax", "ymax")])

# Spreadsheets run a cell that starts like this as a formula; names in open data can be anything.
_FORMULA: Final = r"^[=+\-@\t\r]"


def points(table: pa.Table) -> pa.Table:
    """Return a table of records with lon and lat with its points as a column `geometry` (WKB)."""
    geometry = shapely.to_wkb(shapely.points(table["lon"].to_numpy(), table["lat"].to_numpy()))
    return table.append_column(
        pa.field("geometry", pa.binary(), nullable=False), pa.array(geometry, pa.binary())
    )


def write_geoparquet(table: pa.Table, path: Path) -> None:
    """Write a table whose column `geometry` holds WKB in longitude, latitude as GeoParquet.

    Source of the format: GeoParquet specification 1.1.0, with the bounding box of each row as its
    `covering`, so that a reader can skip what lies elsewhere.
    """
    shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    boxes = pa.StructArray.from_arrays([pa.array(side) for side in bounds.T], fields=list(_BBOX))
    described = table.append_column(pa.field("bbox", _BBOX), boxes)
    metadata = {b"geo": json.dumps(_geo_metadata(shapes, bounds)).encode()}
    pq.write_table(described.replace_schema_metadata(metadata), path, compression="zstd")


def _geo_metadata(shapes: Any, bounds: Any) -> dict[str, Any]:
    names = {shapely.GeometryType(t).name for t in np.unique(shapely.get_type_id(shapes))}
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(_GEOJSON_NAMES[name] for name in names),
        "covering": {"bbox": {side: ["bbox", side] for side in _BBOX.names}},
    }
    if len(shapes):
        column["bbox"] = [*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0)]
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


_GEOJSON_NAMES: Final = {
    "POINT": "Point",
    "LINESTRING": "LineString",
    "POLYGON": "Polygon",
    "MULTILINESTRING": "MultiLineString",
    "MULTIPOLYGON": "MultiPolygon",
}


def write_geojson(table: pa.Table, path: Path) -> None:
    """Write records with lon and lat as a GeoJSON FeatureCollection (RFC 7946), one a line."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for i, row in enumerate(table.to_pylist()):
            lon, lat = row.pop("lon"), row.pop("lat")
            feature = {
                "type": "Feature",
                "id": row.get("camera_id"),
                "geometry": {"type": "Point", "coordinates": [lon, lat]},
                "properties": row,
            }
            file.write((",\n" if i else "\n") + dumps(feature))
        file.write("\n]}\n")


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table as CSV (RFC 4180, UTF-8); a list becomes its values joined by semicolons.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    columns = {name: _flat(table[name]) for name in table.column_names}
    pa.csv.write_csv(pa.table(columns), path)


def _flat(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_list(column.type):
        values = [None if v is None else ";".join(_text(x) for x in v) for v in column.to_pylist()]
        column = pa.chunked_array([pa.array(values, pa.string())])
    if pa.types.is_string(column.type):
        return pc.if_else(
            pc.match_substring_regex(column, _FORMULA),
            pc.binary_join_element_wise("'", column, ""),
            column,
        )
    return column


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def write_json(value: Any, path: Path) -> None:
    """Write a value as indented JSON (UTF-8, dates as ISO 8601)."""
    path.write_text(dumps(value, indent=2) + "\n", encoding="utf-8")


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return JSON text; dates become ISO 8601 and a number that is not finite is an error."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_iso, indent=indent)


def _iso(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
