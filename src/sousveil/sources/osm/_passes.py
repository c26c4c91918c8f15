"""Passes over an OpenStreetMap file with pyosmium: all of it, some objects by id, its header."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import osmium
import shapely
from osmium.filter import EntityFilter, IdFilter
from osmium.index import create_map
from osmium.io import File, FileBuffer, Header, Reader, ThreadPool
from osmium.osm import NODE, NOTHING, WAY

from sousveil.sources import Box
from sousveil.sources.osm._formats import Format
from sousveil.sources.osm._geometry import Position, line_through
from sousveil.sources.osm._pbf_blobs import Blob, slices

_THREADS: Final = max(2, (os.cpu_count() or 1) - 1)  # that unpack, beside the one that reads
_DATES: Final = ("osmosis_replication_timestamp", "timestamp")
_PBF: Final = Format("pbf", "")

# osmium keeps a set of ids as blocks of 4 MB, one for each run of this many ids that is touched.
_IDS_PER_BLOCK: Final = 1 << 25
_BLOCKS_AT_ONCE: Final = 32
_LARGEST_ID: Final = 1 << 40


class Input(NamedTuple):
    """A file for pyosmium, with the format that it was found to have, whatever its name says."""

    path: Path
    format: Format
    blobs: Sequence[Blob] = ()  # of a PBF file that has been surveyed

    @property
    def packing(self) -> str:
        """The format in the words of osmium."""
        kind, compression = self.format
        return "pbf" if kind == "pbf" else "osm" + (compression and f".{compression}")


def header(source: Input) -> Header:
    """Return the header of a file without reading further."""
    with Reader(File(str(source.path), source.packing), NOTHING) as reader:
        return reader.header()


def each(
    source: Input,
    entities: Any,
    *handlers: Any,
    remainder: Any = None,
    where: Callable[[Blob], bool] | None = None,
) -> Iterator[Any]:
    """Yield the objects that pass all filters; what does not pass goes to `remainder`.

    where: chooses the blobs to read, if the file is one of blobs. An object is valid only until
    the next one is asked for.
    """
    # Pool, handlers and reader are held here for as long as the iterator runs: osmium keeps no
    # hold on them itself and would crash.
    pool = ThreadPool(_THREADS)
    for part in _parts(source, where):
        with Reader(part, entities, thread_pool=pool) as reader:
            objects = osmium.OsmFileIterator(reader, *handlers)
            if remainder is not None:
                objects.set_filtered_handler(remainder)
            yield from objects


def _parts(source: Input, where: Callable[[Blob], bool] | None) -> Iterator[File | FileBuffer]:
    if where is None or not source.blobs:
        yield File(str(source.path), source.packing)
        return
    head, *rest = source.blobs
    for piece in slices(source.path, [head, *filter(where, rest)]):
        yield FileBuffer(piece, source.packing)


def pick(source: Input, entity: Any, ids: Iterable[int]) -> Iterator[Any]:
    """Yield the objects of one type that have these ids, in as many passes as memory asks for."""
    for batch in _batches(ids):
        yield from each(source, entity, IdFilter(batch))


def content_date(head: Header) -> date | None:
    """Return the day up to which a file holds edits, as its header states it."""
    for key in _DATES:
        try:
            return datetime.fromisoformat(head.get(key, "")).date()
        except ValueError:
            continue
    return None


def box(head: Header) -> Box | None:
    """Return the bounding box that a header states, None without a valid one."""
    stated = head.box()
    if not stated.valid():
        return None
    low, high = stated.bottom_left, stated.top_right
    return (low.lon, low.lat, high.lon, high.lat)


def ways_are_located(head: Header) -> bool:
    """Tell whether ways carry positions themselves, as `osmium add-locations-to-ways` writes."""
    return "LocationsOnWays" in (head.get(f"pbf_optional_feature_{i}", "") for i in range(8))


def runs_of(way: Any) -> list[list[Position]]:
    """Return the positions of the nodes of a way, in runs between nodes that have none."""
    runs: list[list[Position]] = [[]]
    for node in way.nodes:
        if node.location.valid():
            runs[-1].append((node.lon, node.lat))
        elif runs[-1]:
            runs.append([])
    return runs


def lines_of(source: Input, ways: Collection[int]) -> dict[int, shapely.Geometry]:
    """Return the lines of ways by id, of those that the file holds with all their nodes."""
    locate = osmium.NodeLocationsForWays(create_map("flex_mem"))
    locate.ignore_errors()
    locate.apply_nodes_to_ways = not ways_are_located(header(source))
    wanted = IdFilter([way for way in ways if 0 <= way < _LARGEST_ID])
    lines = {}
    for way in each(source, NODE | WAY, locate, EntityFilter(WAY), wanted):
        runs = runs_of(way)
        if len(runs) == 1 and len(runs[0]) == len(way.nodes):
            lines[way.id] = line_through(runs)
    return {way: line for way, line in lines.items() if line is not None}


@contextmanager
def newest_versions(source: Input) -> Iterator[Input]:
    """Give a copy of a file in order that holds the newest version of what still exists.

    The whole file is held in memory for it, which no other way of reading does.
    """
    with TemporaryDirectory(prefix="sousveil-") as folder:
        copy = Input(Path(folder) / "newest.osm.pbf", _PBF)
        merged = osmium.MergeInputReader()
        merged.add_buffer(source.path.read_bytes(), source.packing)
        with osmium.SimpleWriter(str(copy.path), header=_head_of_copy(source)) as writer:
            merged.apply(_Deleted(), writer, simplify=True)
        yield copy


def _head_of_copy(source: Input) -> Header:
    head, old = Header(), header(source)
    for key in _DATES:
        if stated := old.get(key, ""):
            head.set(key, stated)
    if old.box().valid():
        head.add_box(old.box())
    return head


class _Deleted:
    """A filter that drops what was deleted: osmium's copy would bring it back to life."""

    def node(self, obj: Any) -> bool:
        return bool(obj.deleted)

    way = relation = node


def _batches(ids: Iterable[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    blocks: set[int] = set()
    for one in sorted({i for i in ids if 0 <= i < _LARGEST_ID}):
        block = one // _IDS_PER_BLOCK
        if block not in blocks and len(blocks) == _BLOCKS_AT_ONCE:
            yield batch
            batch, blocks = [], set()
        batch.append(one)
        blocks.add(block)
    if batch:
        yield batch
