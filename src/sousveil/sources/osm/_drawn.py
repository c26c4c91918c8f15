"""Ways of an unpacked block drawn into Arrow batches: streets, buildings, and lines kept apart."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.records import BUILDINGS, STREETS
from sousveil.sources.osm import _outlines
from sousveil.sources.osm._block import (
    CODES,
    COLUMNS,
    Block,
    Objects,
    Unfit,
    codes_of,
    positions,
)
from sousveil.sources.osm._features import BUILDING_KEYS, STREET_KEYS, Batch, valid
from sousveil.sources.osm._kernels import ID, REFS, TIME, Array
from sousveil.sources.osm._outlines import (
    BUILDING,
    HEAD_BYTES,
    LINE,
    NODE_BYTES,
    PARTIAL,
    STREET,
    TRIAL,
    UNDRAWN,
)

_STREET_COLUMNS: Final = [COLUMNS.index(key) for key in ("highway", *STREET_KEYS)]
_BUILDING_COLUMNS: Final = [COLUMNS.index(key) for key in ("building", *BUILDING_KEYS)]
_PREFIX: Final = np.frombuffer(b"way/", np.uint8)
_DIGITS: Final = 19  # of the largest id
_LARGEST_BUFFER: Final = (1 << 31) - 1  # what offsets of 32 bits reach


class Index(NamedTuple):
    """Where the nodes of a file are."""

    ids: Array  # ascending
    places: Array  # lon and lat in units of 1e-7 degrees, NOWHERE for none
    shift: int
    buckets: Array  # how many ids come before each multiple of 1 << shift


def index_of(ids: Array, places: Array) -> Index:
    """Return an index with about as many buckets as there are nodes."""
    largest = int(ids[-1]) if len(ids) else 0
    shift = max(0, largest.bit_length() - max(len(ids), 1).bit_length())
    buckets = np.empty((largest >> shift) + 2, np.int32)
    _outlines.fill_buckets(ids, shift, buckets)
    return Index(ids, places, shift, buckets)


class Drawn(NamedTuple):
    """What the ways of a block come to."""

    streets: Batch
    buildings: Batch
    undrawn: int  # streets, buildings and ways asked for of which the file lacks nodes
    newest_edit: int  # of those drawn, in seconds
    lines: dict[int, bytes]  # WKB by id
    partial: set[int]  # ways in lines that lack some of their nodes


def draw(block: Block, ways: Objects, index: Index, wanted: Array) -> Drawn:
    """Draw streets and buildings, and of the wanted ways and of what matches the lines.

    wanted: ids in ascending order.
    """
    table, values = ways.table, ways.values
    asked_for = np.zeros(len(table), np.bool_)
    asked_for[positions(table[:, ID], wanted)] = True
    street = values[:, COLUMNS.index("highway")] >= 0
    tagged = values[:, COLUMNS.index("building")] >= 0
    building = tagged & (codes_of(block, values[:, COLUMNS.index("building")]) != CODES["no"])
    counted = street | tagged | asked_for
    flags = (
        street * STREET + building * BUILDING + (asked_for | ways.matches) * LINE + counted * TRIAL
    ).astype(np.uint8)
    outs, ends, states, proved = _outlined(block, table, flags, index)
    there = states != UNDRAWN
    closed = building & there & (flags & BUILDING > 0)
    lines = there & (flags & LINE > 0)
    undrawn = int((counted & ~there).sum() + (building & there & ~closed).sum())
    ids = table[:, ID]
    kept = _geometries(outs[2], ends[2][: lines.sum()]).to_pylist()
    return Drawn(
        _streets(block, ids, values, street & there, _geometries(outs[0], ends[0])),
        _buildings(block, ids, values, closed, _geometries(outs[1], ends[1]), proved),
        undrawn,
        int(table[counted & there, TIME].max(initial=0)),
        dict(zip(ids[lines].tolist(), kept, strict=True)),
        set(ids[lines & (states == PARTIAL)].tolist()),
    )


def _outlined(
    block: Block, table: Array, flags: Array, index: Index
) -> tuple[list[Array], list[Array], Array, Array]:
    """Return WKB and its ends for streets, buildings and lines, states, and proofs."""
    sizes = np.where(flags > 0, table[:, REFS + 1] - table[:, REFS], 0)  # a node takes a byte
    shapes = (STREET, BUILDING, LINE)
    room = [int((HEAD_BYTES + NODE_BYTES * sizes)[flags & shape > 0].sum()) + 8 for shape in shapes]
    if max(room) > _LARGEST_BUFFER:
        raise Unfit
    outs = tuple(np.empty(size, np.uint8) for size in room)
    ends = tuple(np.zeros(int((flags & shape > 0).sum()), np.int32) for shape in shapes)
    states = np.zeros(len(table), np.uint8)
    proved = np.zeros(len(ends[1]), np.bool_)
    scratch = np.empty((3, int(sizes.max(initial=0)) + 1), np.int64)
    if not _outlines.draw(block.data, table, flags, *index, outs, ends, states, proved, scratch):
        raise Unfit
    there = states != UNDRAWN
    written = [int((there & (flags & shape > 0)).sum()) for shape in shapes]
    return (
        list(outs),
        [one[:count] for one, count in zip(ends, written, strict=True)],
        states,
        proved[: written[1]],
    )


def _streets(block: Block, ids: Array, values: Array, mask: Array, lines: pa.Array) -> Batch:
    columns = [_texts(block, values[mask, column]) for column in _STREET_COLUMNS]
    columns = [_way_ids(ids[mask]), *columns, lines]
    return Batch(pa.RecordBatch.from_arrays(columns, schema=STREETS), 0, 0)


def _buildings(
    block: Block, ids: Array, values: Array, mask: Array, polygons: pa.Array, proved: Array
) -> Batch:
    mended, repaired, usable = _mended(polygons, proved)
    columns = [_texts(block, values[mask, column]) for column in _BUILDING_COLUMNS]
    columns = [_way_ids(ids[mask]), *columns, mended]
    batch = pa.RecordBatch.from_arrays(columns, schema=BUILDINGS)
    if usable is not None:
        batch = batch.filter(pa.array(usable))
    return Batch(batch, repaired, len(polygons) - batch.num_rows)


def _mended(polygons: pa.Array, proved: Array) -> tuple[pa.Array, int, Array | None]:
    """Like _features.valid, of which only polygons have need that are not known to be simple."""
    doubtful = np.flatnonzero(~proved)
    if not len(doubtful):
        return polygons, 0, None
    mended, repaired, usable = valid(polygons.take(pa.array(doubtful)))
    if usable is None:
        return polygons, 0, None
    everywhere = np.ones(len(polygons), np.bool_)
    everywhere[doubtful] = usable
    return pc.replace_with_mask(polygons, pa.array(~proved), mended), repaired, everywhere


def _way_ids(ids: Array) -> pa.Array:
    offsets = np.zeros(len(ids) + 1, np.int32)
    out = np.empty(len(ids) * (len(_PREFIX) + _DIGITS), np.uint8)
    _outlines.write_ids(_PREFIX, ids, offsets[1:], out)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]].copy())]
    return pa.Array.from_buffers(pa.string(), len(ids), buffers)


def _geometries(out: Array, ends: Array) -> pa.Array:
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    content = out[: offsets[-1]].copy()  # without the room that was left
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(content)]
    return pa.Array.from_buffers(pa.binary(), len(ends), buffers)


def _texts(block: Block, texts: Array) -> pa.Array:
    """Return texts by their numbers as a column, null for -1; Unfit if one is not UTF-8."""
    known = texts >= 0
    if not known.any():
        return pa.nulls(len(texts), pa.string())
    sizes = np.zeros(len(texts), np.int64)
    sizes[known] = block.lengths[texts[known]]
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    if offsets[-1] > _LARGEST_BUFFER:
        raise Unfit
    out = np.empty(offsets[-1], np.uint8)
    _outlines.copy_texts(block.data, block.starts, block.lengths, texts, offsets, out)
    present = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    buffers = [present, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(out)]
    column = pa.Array.from_buffers(pa.string(), len(texts), buffers)
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raise Unfit from None
    return column
