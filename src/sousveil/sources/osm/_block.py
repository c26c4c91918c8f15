"""One block of a PBF file, unpacked: its texts, and its nodes, ways or relations as arrays.

Whatever the kernels do not know raises Unfit: then the file is osmium's to read, or to refuse.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from sousveil.sources.osm import _kernels
from sousveil.sources.osm._features import BUILDING_KEYS, STREET_KEYS
from sousveil.sources.osm._kernels import ID, KEYS, REFS, ROLES, TYPES, VALUES, Array
from sousveil.sources.osm._objects import INSTALLATION_TAGS
from sousveil.sources.osm._outlines import join_places
from sousveil.sources.osm._pbf_blobs import fields

Pair = tuple[str, str]
Group = tuple[int, int, Array]  # begin and end, how many objects by number of the field

_TEXTS, _GROUP, _GRANULARITY, _TIME_UNIT, _LAT_FROM, _LON_FROM = 1, 2, 17, 18, 19, 20
_USUAL: Final = {_GRANULARITY: 100, _TIME_UNIT: 1000, _LAT_FROM: 0, _LON_FROM: 0}

NODE, WAY, RELATION = 2, 3, 4  # fields of a group
_KNOWN: Final = {NODE, WAY, RELATION}

OTHER_PAIRS: Final = (("type", "enforcement"), ("type", "multipolygon"))
COLUMNS: Final = ("highway", "building", "type", *dict.fromkeys((*STREET_KEYS, *BUILDING_KEYS)))
"""Keys that get a column when tags are read."""

_ALL_WORDS: Final = sorted(
    {text for pair in (*INSTALLATION_TAGS, *OTHER_PAIRS) for text in pair} | {*COLUMNS, "no"},
    key=lambda word: (len(word), word),
)
CODES: Final = {word: code for code, word in enumerate(_ALL_WORDS, start=1)}
_WORDS: Final = np.frombuffer("".join(_ALL_WORDS).encode(), np.uint8)
_LENGTHS: Final = np.array([len(word) for word in _ALL_WORDS])
_WORD_ENDS: Final = np.cumsum(_LENGTHS)
_BY_LENGTH: Final = np.searchsorted(_LENGTHS, np.arange(_LENGTHS.max() + 2))
_SPEAKING: Final = np.array([CODES[v] for v in {value for _, value in INSTALLATION_TAGS}], np.int16)

_COLUMN_OF: Final = np.full(len(CODES) + 1, -1, np.int64)
for _at, _key in enumerate(COLUMNS):
    _COLUMN_OF[CODES[_key]] = _at


class Unfit(Exception):
    """The file holds what the compiled reader does not know, or is damaged."""


class Block(NamedTuple):
    """An unpacked block."""

    data: Array  # uint8
    starts: Array  # of the texts, int32
    lengths: Array
    codes: Array  # of CODES, 0 for any other text
    groups: list[Group]

    def text(self, number: int) -> str:
        """Return a text by its number."""
        start = self.starts[number]
        return self.data[start : start + self.lengths[number]].tobytes().decode()

    def speaks(self) -> bool:
        """Tell whether an installation may be among the objects, by the texts alone."""
        return bool(np.isin(self.codes, _SPEAKING).any())

    def kinds(self) -> list[int]:
        """Return which kinds of objects the block holds, in its order."""
        return [kind for _, _, counts in self.groups for kind in np.flatnonzero(counts).tolist()]


class Nodes(NamedTuple):
    """Nodes of a block; tags of node i: keys and values in tags[keys[i] : keys[i + 1] - 1]."""

    ids: Array
    places: Array  # lon and lat in units of 1e-7 degrees, NOWHERE for none; or no rows at all
    matches: Array  # whether the tags make it an installation, as far as asked for
    keys: Array
    tags: Array
    times: Array | None  # of the last edit, in seconds, None where the block has none


class Objects(NamedTuple):
    """Ways or relations of a block."""

    table: Array  # of _kernels
    values: Array  # texts by row and COLUMNS, -1 for none
    matches: Array  # whether the tags make it an installation


def pair_table(pairs: Iterable[Pair]) -> Array:
    """Return a table of tags by the codes of key and value."""
    table = np.zeros((len(CODES) + 1, len(CODES) + 1), np.bool_)
    for key, value in pairs:
        table[CODES[key], CODES[value]] = True
    return table


def opened(content: bytes | memoryview) -> Block:
    """Take an unpacked block to pieces."""
    data = np.frombuffer(content, np.uint8)
    view, base = memoryview(content), data.ctypes.data
    texts: tuple[int, int] | None = None
    groups: list[Group] = []
    for number, value in fields(view, 0):
        if isinstance(value, int):
            if _USUAL.get(number, value) != value:
                raise Unfit
            continue
        start = np.frombuffer(value, np.uint8).ctypes.data - base if len(value) else 0
        if number == _TEXTS:
            if texts is not None:
                raise Unfit
            texts = start, start + len(value)
        elif number == _GROUP:
            counts = np.zeros(_kernels.KINDS, np.int64)
            if not _kernels.count_kinds(data, start, start + len(value), counts):
                raise Unfit
            if not _KNOWN.issuperset(np.flatnonzero(counts).tolist()) or counts[NODE] > 1:
                raise Unfit
            groups.append((start, start + len(value), counts))
    return Block(data, *_texts(data, *(texts or (0, 0))), groups)


def _texts(data: Array, start: int, stop: int) -> tuple[Array, Array, Array]:
    count = _kernels.count_texts(data, start, stop)
    if count < 0:
        raise Unfit
    starts, lengths = np.empty(count, np.int32), np.empty(count, np.int32)
    codes = np.empty(count, np.int16)
    if not _kernels.find_texts(
        data, start, stop, starts, lengths, _WORDS, _WORD_ENDS, _BY_LENGTH, codes
    ):
        raise Unfit
    return starts, lengths, codes


def nodes(block: Block, group: Group, pairs: Array, wanted: Array, *, all_places: bool) -> Nodes:
    """Read the nodes of a group.

    wanted: ids, ascending, of nodes that count as matches. all_places: places are read even where
    nothing matches.
    """
    found = np.empty(10, np.int64)
    if not _kernels.find_dense(block.data, group[0], group[1], found):
        raise Unfit
    ids = _unpacked(block, *found[0:2], sums=True)
    _require_order(ids)
    matches = np.zeros(len(ids), np.bool_)
    matches[positions(ids, wanted)] = True
    tags, keys, times = np.empty(0, np.int64), np.zeros(len(ids) + 1, np.int64), None
    if block.speaks() or matches.any():
        tags = _unpacked(block, *found[6:8])
        if len(tags) and not _kernels.dense_tags(tags, block.codes, pairs, keys, matches):
            raise Unfit
        if found[8] >= 0:
            times = _unpacked(block, *found[8:10], sums=True)
            if len(times) != len(ids):
                raise Unfit
    places = np.empty((0, 2), np.int32)
    if all_places or matches.any():
        places = np.empty((len(ids), 2), np.int32)
        lats, lons = (_coordinates(block, found[at], found[at + 1], len(ids)) for at in (2, 4))
        join_places(lons, lats, places)
    return Nodes(ids, places, matches, keys, tags, times)


def positions(ids: Array, wanted: Array) -> Array:
    """Return where wanted ids stand among ids, both ascending; those that do not are left out."""
    if not len(ids) or not len(wanted):
        return np.empty(0, np.int64)
    low, high = np.searchsorted(wanted, ids[0]), np.searchsorted(wanted, ids[-1], "right")
    near = wanted[low:high]
    at: Array = np.searchsorted(ids, near)
    found: Array = at[ids[at] == near]
    return found


def objects(block: Block, group: Group, kind: int, pairs: Array) -> Objects:
    """Read the ways or relations of a group."""
    table = np.empty((group[2][kind], _kernels.COLUMNS), np.int64)
    if not _kernels.find_objects(block.data, group[0], group[1], kind, table):
        raise Unfit
    _require_order(table[:, ID])
    values = np.full((len(table), len(COLUMNS)), -1, np.int32)
    matches = np.zeros(len(table), np.bool_)
    if not _kernels.object_tags(block.data, table, block.codes, pairs, _COLUMN_OF, values, matches):
        raise Unfit
    return Objects(table, values, matches)


def tag_pairs(block: Block, texts: Iterable[int]) -> list[Pair]:
    """Return tags as they stand, repeats included; texts: key, value, key, value..."""
    words = [block.text(number) for number in texts]
    return list(zip(words[::2], words[1::2], strict=True))


def row_tags(block: Block, rows: Array) -> list[list[Pair]]:
    """Return the tags of ways or relations."""
    keys, values = (_row_texts(block, rows, column) for column in (KEYS, VALUES))
    return [list(zip(*both, strict=True)) for both in zip(keys, values, strict=True)]


def row_refs(block: Block, rows: Array) -> list[list[int]]:
    """Return the nodes of ways, or the ids of the members of relations."""
    return _unpacked_rows(block, rows, REFS, sums=True)


def row_members(block: Block, rows: Array) -> list[list[tuple[int, int, str]]]:
    """Return the members of relations: type (0 node, 1 way, 2 relation), id, role."""
    types, roles = _unpacked_rows(block, rows, TYPES), _row_texts(block, rows, ROLES)
    members = zip(types, row_refs(block, rows), roles, strict=True)
    if not {0, 1, 2}.issuperset(kind for some in types for kind in some):
        raise Unfit
    return [list(zip(*each, strict=True)) for each in members]


def _row_texts(block: Block, rows: Array, column: int) -> list[list[str]]:
    numbers = _unpacked_rows(block, rows, column)
    used = {number for some in numbers for number in some}
    if used and not 0 <= min(used) <= max(used) < len(block.starts):
        raise Unfit
    texts = {number: block.text(number) for number in used}
    return [[texts[number] for number in some] for some in numbers]


def _unpacked_rows(
    block: Block, rows: Array, column: int, *, sums: bool = False
) -> list[list[int]]:
    ends = np.empty(len(rows), np.int64)
    if not _kernels.count_rows(block.data, rows, column, ends):
        raise Unfit
    out = np.empty(ends[-1] if len(rows) else 0, np.int64)
    if not _kernels.unpack_rows(block.data, rows, column, sums, ends, out):
        raise Unfit
    flat, starts = out.tolist(), [0, *ends.tolist()]
    return [flat[start:end] for start, end in pairwise(starts)]


def codes_of(block: Block, texts: Array) -> Array:
    """Return the codes of texts by their numbers, 0 for -1."""
    known = texts >= 0
    codes = np.zeros(len(texts), np.int16)
    codes[known] = block.codes[texts[known]]
    return codes


def _unpacked(block: Block, start: int, stop: int, *, sums: bool = False) -> Array:
    count = _kernels.count(block.data, start, stop) if start >= 0 else 0
    out = np.empty(max(count, 0), np.int64)
    if count < 0 or (count and not _kernels.unpack(block.data, start, stop, sums, out)):
        raise Unfit
    return out


def _require_order(ids: Array) -> None:
    """Ids ascend, and so stand once each: what the whole reading relies on."""
    if len(ids) and (ids[0] < 0 or (ids[1:] <= ids[:-1]).any()):
        raise Unfit


def _coordinates(block: Block, start: int, stop: int, count: int) -> Array:
    out = _unpacked(block, start, stop, sums=True)
    limits = np.iinfo(np.int32)
    if len(out) != count or (count and not limits.min <= out.min() <= out.max() <= limits.max):
        raise Unfit
    return out
