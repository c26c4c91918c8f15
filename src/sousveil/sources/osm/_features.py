"""Streets and buildings on their way into Arrow: many rows at a time, geometry in binary.

A row is a plain tuple (id, geometry as WKB in hexadecimal, main tag, other tags in the order of
STREET_KEYS or BUILDING_KEYS): the cheapest thing to make once per way in a loop over millions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.records import BUILDINGS, STREETS

Row = tuple[Any, ...]

STREET_KEYS: Final = tuple(STREETS.names[2:-1])
"""Tags of a street besides `highway`."""
BUILDING_KEYS: Final = (
    "name",
    "height",
    "building:levels",
    "min_height",
    "building:min_level",
    "layer",
    "location",
)
"""Tags of a building besides `building`, in the order of the columns of records.BUILDINGS."""

ROWS_PER_BATCH: Final = 16_384

_LINE_HEAD = "0102000000"  # little-endian line string; the number of points follows
_POLYGON_HEAD = "010300000001000000"  # little-endian polygon of one ring; the same follows
_POINT_DIGITS = 32  # two float64 in hexadecimal
_COUNT_DIGITS = 8


class Features(NamedTuple):
    """Streets and buildings of one file, and how many buildings were mended or have no area."""

    streets: pa.Table  # records.STREETS
    buildings: pa.Table  # records.BUILDINGS
    repaired: int
    without_area: int

    def notes(self, undrawn: int) -> list[str]:
        """Say for people what was left out or mended; undrawn: features not handed over at all."""
        counts = {
            "streets and buildings left out, because the file lacks nodes or ways of them": undrawn,
            "buildings left out, because they enclose no area": self.without_area,
            "buildings mended, because their walls cross": self.repaired,
        }
        return [f"{count:,} {what}" for what, count in counts.items() if count]


def no_features() -> Features:
    """Return tables without rows."""
    return Features(STREETS.empty_table(), BUILDINGS.empty_table(), 0, 0)


class Batch(NamedTuple):
    """Rows of records.STREETS or BUILDINGS, and how many were mended or have no area."""

    table: pa.RecordBatch
    repaired: int
    without_area: int


def features_of(streets: Sequence[Batch], buildings: Sequence[Batch]) -> Features:
    """Join batches."""
    return Features(
        streets=pa.Table.from_batches([b.table for b in streets], STREETS),
        buildings=pa.Table.from_batches([b.table for b in buildings], BUILDINGS),
        repaired=sum(b.repaired for b in buildings),
        without_area=sum(b.without_area for b in buildings),
    )


def as_polygon(line: str) -> str | None:
    """Return the polygon inside a closed line, both WKB in hexadecimal; None if it is not closed.

    A polygon's one ring is written exactly like a line string, so only the head changes.
    """
    start = len(_LINE_HEAD) + _COUNT_DIGITS
    closed = line[start : start + _POINT_DIGITS] == line[-_POINT_DIGITS:]
    if not closed or len(line) < start + 4 * _POINT_DIGITS or not line.startswith(_LINE_HEAD):
        return None
    return _POLYGON_HEAD + line[len(_LINE_HEAD) :]


class Collector:
    """Takes rows one by one and turns them into Arrow batches in a thread beside the reading.

    Decoding geometry and testing it happens in C without Python's lock, so that on two cores it
    costs the reading next to nothing.
    """

    def __init__(self) -> None:
        self._streets: list[Row] = []
        self._buildings: list[Row] = []
        self._done: dict[str, list[Future[Batch]]] = {"street": [], "building": []}
        self._worker = ThreadPoolExecutor(max_workers=1)

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.shutdown(wait=True, cancel_futures=True)

    def add_street(self, row: Row) -> None:
        """Take one street: ("way/1" as 1, line, highway, *STREET_KEYS)."""
        self._streets.append(row)
        if len(self._streets) == ROWS_PER_BATCH:
            self._flush("street", self._streets, street_batch)
            self._streets = []

    def add_building(self, row: Row) -> None:
        """Take one building that is a way: (id, polygon, building, *BUILDING_KEYS)."""
        self._buildings.append(row)
        if len(self._buildings) == ROWS_PER_BATCH:
            self._flush("building", self._buildings, way_building_batch)
            self._buildings = []

    def finish(self, relations: Sequence[Row]) -> Features:
        """Return everything taken, with the buildings that are relations, each object once."""
        self._flush("street", self._streets, street_batch)
        self._flush("building", self._buildings, way_building_batch)
        self._flush("building", relations, relation_building_batch)
        streets = [job.result() for job in self._done["street"]]
        buildings = [job.result() for job in self._done["building"]]
        features = features_of(streets, buildings)
        return features._replace(
            streets=_once(features.streets), buildings=_once(features.buildings)
        )

    def _flush(self, name: str, rows: Sequence[Row], make: Callable[..., Batch]) -> None:
        if rows:
            self._done[name].append(self._worker.submit(make, rows))


def street_batch(rows: Sequence[Row]) -> Batch:
    """Turn rows of streets into a batch of records.STREETS."""
    ids, geometry, *tags = zip(*rows, strict=True)
    texts = (pa.array(column, pa.string()) for column in tags)
    columns = [_ids("way/", ids), *texts, _binary(geometry)]
    return Batch(pa.RecordBatch.from_arrays(columns, schema=STREETS), 0, 0)


def way_building_batch(rows: Sequence[Row]) -> Batch:
    """Turn rows of buildings drawn as ways into a batch of records.BUILDINGS."""
    return _building_batch("way/", rows)


def relation_building_batch(rows: Sequence[Row]) -> Batch:
    """Turn rows of buildings drawn as relations into a batch of records.BUILDINGS."""
    return _building_batch("relation/", rows)


def _building_batch(prefix: str, rows: Sequence[Row]) -> Batch:
    ids, geometry, *tags = zip(*rows, strict=True)
    polygons, repaired, usable = valid(_binary(geometry))
    columns = [_ids(prefix, ids), *(pa.array(c, pa.string()) for c in tags), polygons]
    if usable is not None:
        mask = pa.array(usable)
        columns = [column.filter(mask) for column in columns]
    batch = pa.RecordBatch.from_arrays(columns, schema=BUILDINGS)
    return Batch(batch, repaired, len(rows) - batch.num_rows)


def _ids(prefix: str, ids: Sequence[int]) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pa.array(ids, pa.int64()).cast(pa.string()), "")


def _binary(hexadecimal: Sequence[str]) -> pa.Array:
    """Decode all geometries of a batch in one go."""
    lengths = np.fromiter(map(len, hexadecimal), np.int32, len(hexadecimal)) // 2
    offsets = np.zeros(len(hexadecimal) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    content = pa.py_buffer(bytes.fromhex("".join(hexadecimal)))
    return pa.Array.from_buffers(
        pa.binary(), len(hexadecimal), [None, pa.py_buffer(offsets), content]
    )


def valid(encoded: pa.Array) -> tuple[pa.Array, int, np.ndarray | None]:
    """Mend polygons that cross or touch themselves: the building stands there all the same.

    Returns the polygons, how many were mended, and which of them have an area (None: all).
    """
    shapes = shapely.from_wkb(encoded.to_numpy(zero_copy_only=False), on_invalid="fix")
    wrong = ~shapely.is_valid(shapes)
    if not wrong.any():
        return encoded, 0, None
    shapes[wrong] = [_polygons_of(shape) for shape in shapely.make_valid(shapes[wrong])]
    usable = ~shapely.is_empty(shapes)
    mended = pa.array(list(shapely.to_wkb(shapes)), pa.binary())
    return mended, int((wrong & usable).sum()), usable


def _polygons_of(shape: shapely.Geometry) -> shapely.Geometry:
    parts = [
        part
        for part in shapely.get_parts(shapely.get_parts(shape))
        if part.geom_type == "Polygon" and part.area > 0
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _once(table: pa.Table) -> pa.Table:
    """Keep the last row of every object that a file holds more than once."""
    key = table.schema.names[0]
    if pc.count_distinct(table[key]).as_py() == table.num_rows:
        return table
    numbered = table.select([key]).append_column("row", pa.array(np.arange(table.num_rows)))
    last = numbered.group_by(key).aggregate([("row", "max")])["row_max"]
    return table.take(last.take(pc.sort_indices(last)))
