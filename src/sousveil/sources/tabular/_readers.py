"""Files of every format to batches of rows, all of them text, each with its number in the file.

A row's number is what a person sees: in delimited text and spreadsheets the row that a
spreadsheet shows, headers counted; in the other formats the first row is 1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.errors import UnusableInput
from sousveil.sources.tabular import _csv
from sousveil.sources.tabular._csv import BATCH_ROWS, Batch, as_table
from sousveil.sources.tabular._files import FORMAT_NAMES, format_of, opened, reading, unreadable
from sousveil.sources.tabular._spec import FileSpec

LON, LAT, GEOMETRY = "@lon", "@lat", "@geometry"
"""Columns that stand for a geometry: its coordinates, and its type as GeoJSON names it."""

DEEPEST: Final = 4  # levels of a JSON object that become columns; what lies deeper stays JSON


class Rows(NamedTuple):
    """A file opened for reading: its batches can be had more than once."""

    format: str  # a value of FORMAT_NAMES
    encoding: str | None
    crs: str | None  # of its geometries, where it is not longitude and latitude
    batches: Callable[[], Iterator[Batch]]


def open_rows(path: Path, file: FileSpec, *, careful: bool = False) -> Rows:
    """Open a list for reading.

    careful: read delimited text line by line, as must be done where `batches` raised Irregular.
    Raises UnusableInput where the file is not of a format that is read here.
    """
    found = format_of(path)
    if found == "osm":
        raise UnusableInput(f"{path}: is OpenStreetMap data, not a list; give it without spec=")
    if file.formats and found not in file.formats:
        names = " or ".join(FORMAT_NAMES[name] for name in file.formats)
        raise UnusableInput(
            f"{path}: is {FORMAT_NAMES[found]}, its description says {names}; check both"
        )
    return _OPENERS[found](path, file, careful)


def _open_csv(path: Path, file: FileSpec, careful: bool) -> Rows:
    seen = _csv.layout(path, file)
    seen = seen._replace(quotes=_csv.IRREGULAR) if careful else seen
    return Rows(FORMAT_NAMES["csv"], seen.encoding, None, lambda: _csv.batches(path, seen))


def _open_sheet(path: Path, file: FileSpec, careful: bool) -> Rows:
    del careful
    cells = sheet_rows(path, file)[file.skip_rows :]
    header = cells.pop(0) if file.header and cells else []
    columns = list(file.columns) or _csv.names_of(header)
    if not columns:
        raise UnusableInput(f"{path}: the sheet is empty; name another with file.sheet")
    numbered = enumerate(cells, start=file.skip_rows + file.header + 1)
    return _held(path, "xlsx", columns, [(n, _fitted(r, columns)) for n, r in numbered if any(r)])


def sheet_rows(path: Path, file: FileSpec, *, most: int | None = None) -> list[list[str | None]]:
    """Return the cells of a spreadsheet from its first row on, at `most` so many rows."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        sheet = book.get_sheet_by_name(file.sheet or book.sheet_names[0])
        rows = sheet.to_python(skip_empty_area=False, nrows=most)
    except (python_calamine.CalamineError, python_calamine.WorksheetNotFound, IndexError) as error:
        raise UnusableInput(f"{path}: no sheet can be read ({error}); check the file") from error
    return [[_cell(cell) for cell in row] for row in rows]


def _fitted(row: list[str | None], columns: list[str]) -> list[str | None]:
    return [*row, *[None] * (len(columns) - len(row))][: len(columns)]


def _cell(value: object) -> str | None:
    """The text of a spreadsheet's cell: whole numbers without a point, dates as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return (value.date() if value.time() == datetime.min.time() else value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value) if value not in ("", None) else None


def _open_json(path: Path, file: FileSpec, careful: bool) -> Rows:
    del careful
    rows, records, broken = json_rows(path, file)
    columns = sorted({name for record in records for name in record})
    cells = [[record.get(name) for name in columns] for record in records]
    found = "geojson" if GEOMETRY in columns else "json"
    return _held(path, found, columns, list(zip(rows, cells, strict=True)), broken)


def json_rows(
    path: Path, file: FileSpec, *, most: int | None = None
) -> tuple[list[int], list[dict[str, str | None]], list[tuple[int, str, str]]]:
    """Return the rows of a JSON array, at `most` so many: numbers, cells, and what is no object."""
    rows: list[int] = []
    records: list[dict[str, str | None]] = []
    broken: list[tuple[int, str, str]] = []
    for row, record in enumerate(islice(_records(path, file.records), most), start=1):
        if isinstance(record, dict):
            rows.append(row)
            records.append(flat(record))
        else:
            broken.append((row, json.dumps(record, default=str), "not a JSON object"))
    return rows, records, broken


def _records(path: Path, where: str | None) -> Iterator[Any]:
    import ijson

    with reading(path):
        try:
            if where is None:
                where = _array(path)
            with opened(path) as file:
                yield from ijson.items(file, f"{where}.item" if where else "item")
        except ijson.JSONError as error:
            reason = " ".join(str(error).split())[:120]
            raise UnusableInput(f"{path}: not valid JSON ({reason}); get it again") from error


def _array(path: Path) -> str:
    """Where the first array of objects stands in a JSON file: "" for the file itself."""
    import ijson

    with opened(path) as file:
        started: str | None = None
        for prefix, event, _ in ijson.parse(file):
            if event == "start_array":
                started = prefix
            elif event in ("start_map", "end_array") and started is not None:
                if prefix in (f"{started}.item" if started else "item", started):
                    return str(started)
                started = None
    raise UnusableInput(f"{path}: holds no array of objects; name it with file.records")


def flat(record: Mapping[str, Any], prefix: str = "", depth: int = 1) -> dict[str, str | None]:
    """Return one JSON object as columns of text: inner keys after a point, arrays as JSON.

    The properties of a GeoJSON feature become columns without prefix, its point LON and LAT.
    """
    cells: dict[str, str | None] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if key == "geometry" and (value is None or isinstance(value, dict)) and depth == 1:
            cells |= _point(value or {})
        elif isinstance(value, dict) and depth < DEEPEST:
            inner = "" if name == "properties" and record.get("type") == "Feature" else f"{name}."
            cells |= flat(value, inner, depth + 1)
        elif not (name == "type" and value == "Feature"):
            cells[name] = _scalar(value)
    return cells


def _point(geometry: Mapping[str, Any]) -> dict[str, str | None]:
    kind, at = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point" and isinstance(at, list) and len(at) >= 2:
        return {GEOMETRY: "Point", LON: _scalar(at[0]), LAT: _scalar(at[1])}
    return {GEOMETRY: _scalar(kind), LON: None, LAT: None}


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str) if value else None
    return str(value)


def _held(
    path: Path,
    found: str,
    columns: list[str],
    numbered: list[tuple[int, list[str | None]]],
    broken: list[tuple[int, str, str]] | None = None,
) -> Rows:
    """Rows that are held in memory whole, as these formats give them."""
    table = as_table(columns, [cells for _, cells in numbered])
    rows = np.array([row for row, _ in numbered], np.int64)

    def batches() -> Iterator[Batch]:
        for start in range(0, max(len(rows), 1), BATCH_ROWS):
            part = slice(start, start + BATCH_ROWS)
            unread = (broken or []) if start == 0 else []
            yield Batch(table.slice(start, BATCH_ROWS), rows[part], unread, path.name)

    return Rows(FORMAT_NAMES[found], None, None, batches)


def _open_parquet(path: Path, file: FileSpec, careful: bool) -> Rows:
    del file, careful
    import pyarrow.parquet as pq

    try:
        geo = json.loads((pq.read_schema(path).metadata or {}).get(b"geo", b"{}"))
    except (OSError, pa.ArrowException) as error:
        raise UnusableInput(f"{path}: the Parquet file is damaged; get it again") from error
    column = geo.get("primary_column", "")
    crs = geo.get("columns", {}).get(column, {}).get("crs")

    def tables() -> Iterator[pa.Table]:
        with pq.ParquetFile(path) as parquet:
            for chunk in parquet.iter_batches(BATCH_ROWS):
                yield pa.Table.from_batches([chunk])

    return Rows("Parquet", None, _projected(crs), lambda: _from_tables(path, tables(), column))


def _open_layer(path: Path, file: FileSpec, careful: bool) -> Rows:
    del careful
    import pyogrio  # type: ignore[import-untyped,unused-ignore]

    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        if not file.layer and len(layers) > 1:
            raise UnusableInput(
                f"{path}: has the layers {', '.join(layers)}; name one with file.layer"
            )
        layer = file.layer or layers[0]
        about = pyogrio.read_info(path, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, IndexError) as error:
        raise UnusableInput(f"{path}: no layer can be read ({error}); check the file") from error

    def tables() -> Iterator[pa.Table]:
        with pyogrio.open_arrow(path, layer=layer, batch_size=BATCH_ROWS) as (_, stream):
            for chunk in pa.RecordBatchReader.from_stream(stream):
                yield pa.Table.from_batches([chunk])

    column = about["geometry_name"] or "wkb_geometry"
    found = "gpkg" if about["driver"] == "GPKG" else "shapefile"
    crs = _projected(about["crs"])
    return Rows(FORMAT_NAMES[found], None, crs, lambda: _from_tables(path, tables(), column))


def _projected(crs: Any) -> str | None:
    """The reference system, None for longitude and latitude on WGS 84."""
    import pyproj

    if crs is None:
        return None
    system = pyproj.CRS.from_user_input(crs)
    known = system.equals(pyproj.CRS("EPSG:4326"), ignore_axis_order=True) or system.equals(
        pyproj.CRS("OGC:CRS84"), ignore_axis_order=True
    )
    return None if known else system.to_wkt()


def _from_tables(path: Path, tables: Iterator[pa.Table], geometry: str) -> Iterator[Batch]:
    row = 1
    for typed in tables:
        columns = {
            name: texts(typed[name])
            for name in typed.column_names
            if not pa.types.is_binary(typed[name].type)
            and not pa.types.is_large_binary(typed[name].type)
        }
        if geometry in typed.column_names:
            columns |= _points(typed[geometry])
        rows = np.arange(row, row + typed.num_rows)
        row += typed.num_rows
        yield Batch(pa.table(columns), rows, [], path.name)


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of any type as text: lists and structs as JSON, dates as ISO 8601."""
    kind = column.type
    if pa.types.is_nested(kind):
        return pa.chunked_array([pa.array(map(_scalar, column.to_pylist()), pa.string())])
    if pa.types.is_null(kind) or not pa.types.is_string(kind):
        column = column.cast(pa.string())
    return pc.if_else(pc.equal(column, ""), None, column)


def _points(column: pa.ChunkedArray) -> dict[str, pa.Array]:
    import shapely

    shapes = shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
    return {
        GEOMETRY: pa.array([shape and shape.geom_type for shape in shapes], pa.string()),
        LON: _number_texts(shapely.get_x(shapes)),
        LAT: _number_texts(shapely.get_y(shapes)),
    }


def _number_texts(values: Any) -> pa.Array:
    return pc.cast(pa.array(values, from_pandas=True), pa.string())


_OPENERS: Final[dict[str, Callable[[Path, FileSpec, bool], Rows]]] = {
    "csv": _open_csv,
    "xlsx": _open_sheet,
    "json": _open_json,
    "geojson": _open_json,
    "gpkg": _open_layer,
    "shapefile": _open_layer,
    "parquet": _open_parquet,
}


def open_directory(path: Path, file: FileSpec, files: list[Path], *, careful: bool) -> Rows:
    """Open several files of one list as one; each row keeps its number in its own file."""
    parts = [open_rows(one, file, careful=careful) for one in files]
    if len({part.crs for part in parts}) > 1:
        raise UnusableInput(
            f"{path}: its files differ in their reference system; give one at a time"
        )

    def batches() -> Iterator[Batch]:
        for part in parts:
            yield from part.batches()

    formats = " and ".join(dict.fromkeys(part.format for part in parts))
    return Rows(f"{formats}, {len(files)} files", parts[0].encoding, parts[0].crs, batches)


def files_in(path: Path) -> list[Path]:
    """Return the files that a path stands for: itself, or those of a directory by name."""
    if not path.is_dir():
        return [path]
    try:
        return sorted(one for one in path.iterdir() if one.is_file() and one.name[0] != ".")
    except OSError as error:
        raise unreadable(path, error) from error
