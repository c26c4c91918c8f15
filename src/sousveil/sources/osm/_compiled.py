"""Objects of interest, streets and buildings of a large, orderly PBF file, with compiled kernels.

The second reader beside osmium's, for its speed: it hands over the same (`bench/reading.py` has the
times of both). What osmium decodes has to become Python objects, one by one, before anything can be
asked of it; here the blocks of a file become arrays, without Python's lock and so on all cores, and
only what is kept is looked at further.

It is for the common case alone: PBF packed with zlib, nodes, ways and relations in that order and
each by id, as every extract on offer is. Anything else, damage too, is left to osmium, which knows
all forms and how to refuse the rest. So are small files: compiling the kernels takes about ten
seconds of processor time, once after installing, and loading them most of one each time. That is
lost on the extract of a city, which osmium reads in less; of 20 MB on a file is read two seconds
sooner each time, of 100 MB more than ten.

Relations are read first, as they say which ways and nodes are needed beside those with tags of
their own. Memory: 16 bytes for each node and 2 to 8 to find it while streets are drawn, beside
what is kept.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import numpy as np
import shapely

from sousveil.sources.osm import _block
from sousveil.sources.osm._block import (
    CODES,
    COLUMNS,
    RELATION,
    WAY,
    Block,
    Group,
    Pair,
    Unfit,
    opened,
    pair_table,
    positions,
)
from sousveil.sources.osm._contents import Contents
from sousveil.sources.osm._drawn import Drawn, Index, draw, index_of
from sousveil.sources.osm._features import (
    Features,
    features_of,
    no_features,
    relation_building_batch,
)
from sousveil.sources.osm._findings import Findings
from sousveil.sources.osm._geometry import Position, line_through
from sousveil.sources.osm._kernels import ID, TIME, Array
from sousveil.sources.osm._objects import (
    INSTALLATION_TAGS,
    Found,
    ObjectType,
    is_installation,
    known_time,
)
from sousveil.sources.osm._outlines import NOWHERE, UNITS_PER_DEGREE
from sousveil.sources.osm._passes import Input, header, ways_are_located
from sousveil.sources.osm._pbf_blobs import Place, content, places

T = TypeVar("T")
Progress = Callable[[str], None]
Member = tuple[ObjectType, int, str]

_LARGEST_ID: Final = (1 << 63) - 1
_THREADS: Final = os.cpu_count() or 1
_TYPES: Final[tuple[ObjectType, ...]] = ("node", "way", "relation")
_INSTALLATIONS: Final = pair_table(INSTALLATION_TAGS)
_RELATIONS: Final = pair_table((*INSTALLATION_TAGS, ("type", "enforcement")))
_NO_IDS: Final = np.empty(0, np.int64)


class _Hit(NamedTuple):
    """An object that may be wanted; tags as they stand, repeats included."""

    kind: ObjectType
    id: int
    tags: list[Pair]
    edited_s: int
    lon: float | None = None
    lat: float | None = None
    refs: Sequence[int] = ()  # nodes of a way
    matches: bool = False  # a way: a tag of its own makes it an installation
    members: Sequence[Member] = ()


@dataclass
class _File:
    """An open file, and what kinds of objects its blobs were found to hold."""

    descriptor: int
    blobs: list[Place]  # without the header
    kinds: dict[int, list[int]] = field(default_factory=dict)

    def block(self, number: int) -> Block:
        """Unpack one blob."""
        found = opened(content(self.descriptor, self.blobs[number]))
        self.kinds[number] = found.kinds()
        return found

    def first(self, kind: int) -> int:
        """Return the first blob that holds this kind or a later one, if all is in order."""

        def last_kind(number: int) -> int:
            if number not in self.kinds:
                self.block(number)
            return max(self.kinds[number], default=0)

        return bisect_left(range(len(self.blobs)), kind, key=last_kind)

    def each(self, numbers: Iterable[int], work: Callable[[Block], T]) -> Iterator[T]:
        """Yield what becomes of blobs, in their order; some are worked on at the same time."""
        with ThreadPoolExecutor(_THREADS) as pool:
            waiting: deque[Future[T]] = deque()
            for number in numbers:
                waiting.append(pool.submit(lambda at: work(self.block(at)), number))
                if len(waiting) > 2 * _THREADS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def require_order(self) -> None:
        """Raise Unfit unless all blobs were seen, and nodes come before ways before relations."""
        kinds = [kind for at in range(len(self.blobs)) for kind in self.kinds.get(at, [0])]
        if kinds != sorted(kinds) or 0 in kinds:
            raise Unfit


def read(source: Input, *, context: bool, progress: Progress) -> Contents | None:
    """Read one file; context: its streets and buildings too.

    Returns None for a file that osmium has to read, or to refuse.
    """
    try:
        return _read(source, context=context, progress=progress)
    except (Unfit, ValueError, RuntimeError, OSError):  # not in order, unknown to us, or damaged
        return None


def _read(source: Input, *, context: bool, progress: Progress) -> Contents:
    head = header(source)
    if head.has_multiple_object_versions or ways_are_located(head):
        raise Unfit
    findings, features, newest_edit, notes = Findings(), no_features(), None, list[str]()
    with _opened(source.path) as file:
        ways_from, relations_from = file.first(WAY), file.first(RELATION)
        relations = range(relations_from, len(file.blobs))
        ways = range(ways_from, min(relations_from + 1, len(file.blobs)))
        nodes = range(min(ways_from + 1, len(file.blobs)))
        if context:
            progress("Reading relations")
        _take_relations(file, relations, findings)
        progress("Reading cameras, streets and buildings" if context else "Reading cameras")
        if context:
            index = _index(file, nodes, findings)
            features, newest_edit, notes = _draw(file, ways, findings, index)
        else:
            _take_cameras(file, nodes, ways, findings)
        file.require_order()
    return findings.contents(head, features, newest_edit, notes)


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    _, *rest = places(path)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield _File(descriptor, rest)
    finally:
        os.close(descriptor)


def _take_relations(file: _File, numbers: range, findings: Findings) -> None:
    hits = _relations(file, numbers, _NO_IDS)
    for hit in hits:
        findings.take_relation(hit.id, _first(hit.tags), hit.members)
        if is_installation(_first(hit.tags)):
            findings.found.append(_found(hit))
    if devices := findings.missing_devices("relation"):
        there = _relations(file, numbers, _sorted(devices))
        findings.found += [_found(hit) for hit in there if hit.id in set(devices)]


def _relations(file: _File, numbers: range, wanted: Array) -> list[_Hit]:
    """Return the relations that say something of what is looked for, and those with wanted ids."""

    def work(block: Block) -> list[tuple[Array, list[_Hit]]]:
        return [_relation_hits(block, group, wanted) for group in block.groups]

    return _in_order(part for parts in file.each(numbers, work) for part in parts)


def _relation_hits(block: Block, group: Group, wanted: Array) -> tuple[Array, list[_Hit]]:
    found = _block.objects(block, group, RELATION, _RELATIONS)
    types = _block.codes_of(block, found.values[:, COLUMNS.index("type")])
    buildings = found.values[:, COLUMNS.index("building")] >= 0
    hits = found.matches | (buildings & (types == CODES["multipolygon"]))
    hits[positions(found.table[:, ID], wanted)] = True
    rows = np.ascontiguousarray(found.table[hits])
    return _ends(found.table[:, ID]), [
        _Hit("relation", id_, tags, edited_s, members=[(_TYPES[t], i, role) for t, i, role in some])
        for id_, edited_s, tags, some in zip(
            rows[:, ID].tolist(),
            rows[:, TIME].tolist(),
            _block.row_tags(block, rows),
            _block.row_members(block, rows),
            strict=True,
        )
    ]


def _index(file: _File, numbers: range, findings: Findings) -> Index:
    """Take cameras that are nodes, and return the places of all nodes."""
    devices = _sorted(findings.missing_devices("node"))

    def work(block: Block) -> list[tuple[tuple[Array, Array], list[_Hit]]]:
        read = [
            _block.nodes(block, group, _INSTALLATIONS, devices, all_places=True)
            for group in block.groups
        ]
        return [((one.ids, one.places), _node_hits(block, one)) for one in read]

    ids, places = [_NO_IDS], [np.empty((0, 2), np.int32)]
    for (some_ids, some_places), hits in (one for some in file.each(numbers, work) for one in some):
        _take(findings, hits)
        ids.append(some_ids)
        places.append(some_places)
    _require_ascending(*ids)
    index = index_of(_joined(ids), _joined(places))
    findings.nodes |= _placed(index, findings.member_ids("node"))
    return index


def _joined(column: list[Array]) -> Array:
    """Join arrays and let go of them, so that no more than one column is there twice."""
    joined = np.concatenate(column)
    column.clear()
    return joined


def _node_hits(block: Block, nodes: _block.Nodes) -> list[_Hit]:
    hits = []
    for i in np.flatnonzero(nodes.matches).tolist():
        numbers = nodes.tags[nodes.keys[i] : max(nodes.keys[i + 1] - 1, nodes.keys[i])]
        lon, lat = nodes.places[i].tolist()
        position = lon / UNITS_PER_DEGREE, lat / UNITS_PER_DEGREE
        hits.append(
            _Hit(
                "node",
                int(nodes.ids[i]),
                _block.tag_pairs(block, numbers.tolist()),
                0 if nodes.times is None else int(nodes.times[i]),
                *(position if lon != NOWHERE else (None, None)),
            )
        )
    return hits


def _draw(
    file: _File, numbers: range, findings: Findings, index: Index
) -> tuple[Features, datetime | None, list[str]]:
    """Take cameras that are ways, and draw streets and buildings."""
    members = findings.member_ids("way")
    outlines = {way for building in findings.buildings for way in building.ways}
    wanted = _sorted(outlines | members)
    devices = _sorted(findings.missing_devices("way"))

    def work(block: Block) -> list[tuple[Drawn, list[_Hit], Array]]:
        done = []
        for group in block.groups:
            ways = _block.objects(block, group, WAY, _INSTALLATIONS)
            hits = _way_hits(block, ways, devices)
            done.append((draw(block, ways, index, wanted), hits, _ends(ways.table[:, ID])))
        return done

    parts = [part for some in file.each(numbers, work) for part in some]
    _require_ascending(*(ends for _, _, ends in parts))
    drawn = [part for part, _, _ in parts]
    hits = [hit for _, some, _ in parts for hit in some]
    lines = {way: line for part in drawn for way, line in part.lines.items()}
    partial = {way for part in drawn for way in part.partial}
    whole = {way: line for way, line in lines.items() if way not in partial}
    rows = findings.drawn_buildings(whole)
    batches = [part.buildings for part in drawn]
    features = features_of(
        [part.streets for part in drawn],
        [*batches, relation_building_batch(rows)] if rows else batches,
    )
    _take(findings, hits)
    cameras = {hit.id for hit in hits if hit.matches}
    for way in (members | cameras) & lines.keys():
        findings.lines[way] = shapely.from_wkb(lines[way])
    refs = {hit.id: hit.refs for hit in hits if not hit.matches}
    placed = _placed(index, {ref for some in refs.values() for ref in some})
    _join_lines(findings, refs, placed)
    undrawn = sum(part.undrawn for part in drawn) + len(findings.buildings) - len(rows)
    newest_edit = max((part.newest_edit for part in drawn), default=0)
    return features, _moment(newest_edit), features.notes(undrawn)


def _way_hits(block: Block, ways: _block.Objects, wanted: Array) -> list[_Hit]:
    asked_for = np.zeros(len(ways.table), np.bool_)
    asked_for[positions(ways.table[:, ID], wanted)] = True
    hits = ways.matches | asked_for
    rows = np.ascontiguousarray(ways.table[hits])
    return [
        _Hit("way", id_, tags, edited_s, refs=refs, matches=matches)
        for id_, edited_s, tags, refs, matches in zip(
            rows[:, ID].tolist(),
            rows[:, TIME].tolist(),
            _block.row_tags(block, rows),
            _block.row_refs(block, rows),
            ways.matches[hits].tolist(),
            strict=True,
        )
    ]


def _take_cameras(file: _File, nodes: range, ways: range, findings: Findings) -> None:
    """Take cameras that are nodes or ways, and what places ways and relations."""
    wanted_ways = _sorted({*findings.missing_devices("way"), *findings.member_ids("way")})

    def work_ways(block: Block) -> list[tuple[Array, list[_Hit]]]:
        read = [_block.objects(block, group, WAY, _INSTALLATIONS) for group in block.groups]
        return [(_ends(one.table[:, ID]), _way_hits(block, one, wanted_ways)) for one in read]

    drawn = _in_order(part for parts in file.each(ways, work_ways) for part in parts)
    refs = {hit.id: hit.refs for hit in drawn}
    wanted = {node for some in refs.values() for node in some} | findings.member_ids("node")
    wanted_nodes = _sorted({*findings.missing_devices("node"), *wanted})

    def work_nodes(block: Block) -> list[tuple[Array, list[_Hit]]]:
        read = [
            _block.nodes(block, group, _INSTALLATIONS, wanted_nodes, all_places=False)
            for group in block.groups
        ]
        return [(_ends(one.ids), _node_hits(block, one)) for one in read]

    hits = _in_order(part for parts in file.each(nodes, work_nodes) for part in parts)
    _take(findings, hits + drawn)
    placed = {
        hit.id: (hit.lon, hit.lat)
        for hit in hits
        if hit.id in wanted and hit.lon is not None and hit.lat is not None
    }
    findings.nodes |= placed
    _join_lines(findings, refs, placed)


def _join_lines(
    findings: Findings, refs: Mapping[int, Sequence[int]], placed: Mapping[int, Position]
) -> None:
    """Draw ways through those of their nodes that have a place."""
    for way, nodes in refs.items():
        line = line_through([[placed[node] for node in nodes if node in placed]])
        if line is not None:
            findings.lines[way] = line


def _take(findings: Findings, hits: Iterable[_Hit]) -> None:
    findings.found += [
        _found(hit)
        for hit in hits
        if is_installation(_first(hit.tags)) or (hit.kind, hit.id) in findings.devices
    ]


def _found(hit: _Hit) -> Found:
    version = 0  # of no matter where ids stand once
    tags = dict(hit.tags)
    return Found(hit.kind, hit.id, version, hit.lon, hit.lat, tags, _moment(hit.edited_s))


def _first(tags: Iterable[Pair]) -> dict[str, str]:
    """Return tags by key; of a key that stands twice the first value, as osmium looks them up."""
    found: dict[str, str] = {}
    for key, value in tags:
        found.setdefault(key, value)
    return found


def _placed(index: Index, wanted: Iterable[int]) -> dict[int, Position]:
    """Return the places of some nodes, of those that have one."""
    ids = _sorted(wanted)
    at = positions(index.ids, ids)
    at = at[index.places[at, 0] != NOWHERE]
    places_deg = (index.places[at] / UNITS_PER_DEGREE).tolist()
    return dict(zip(index.ids[at].tolist(), map(tuple, places_deg), strict=True))


def _in_order(parts: Iterable[tuple[Array, list[_Hit]]]) -> list[_Hit]:
    """Join hits of blocks, which come with their _ends; Unfit unless ids ascend over all."""
    read = list(parts)
    _require_ascending(*(ends for ends, _ in read))
    return [hit for _, hits in read for hit in hits]


def _ends(ids: Array) -> Array:
    """Return the first and last of ids, and let go of the rest."""
    return ids[[0, -1]] if len(ids) else _NO_IDS


def _require_ascending(*ids: Array) -> None:
    """Raise Unfit unless ids ascend over blocks; within each they do."""
    ends = [(int(some[0]), int(some[-1])) for some in ids if len(some)]
    if any(before[1] >= after[0] for before, after in pairwise(ends)):
        raise Unfit


def _sorted(ids: Iterable[int]) -> Array:
    return np.array(sorted(i for i in set(ids) if 0 <= i <= _LARGEST_ID), np.int64)


def _moment(edited_s: int) -> datetime | None:
    if not 0 <= edited_s < 1 << 32:
        raise Unfit
    return known_time(datetime.fromtimestamp(edited_s, UTC))
