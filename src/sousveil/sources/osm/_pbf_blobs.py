"""The blobs of a PBF file: which of them hold what, looked at before osmium reads them.

A PBF file is a row of blobs of some thousand objects, each packed on its own and with its own table
of texts. A look at the tables, at the speed of zlib, tells which blobs can hold a camera at all and
which hold relations, so that osmium need not read the others for that. It also refuses the one kind
of damage that was found to crash osmium 4.3: a text with a zero byte in it. A flipped bit does that
where a blob is not packed, for then no checksum guards it.

Source of the format: https://wiki.openstreetmap.org/wiki/PBF_Format
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple

from isal import isal_zlib  # twice as fast as Python's zlib

Kind = Literal["node", "way", "relation", "changeset"]

_HEAD_BYTES: Final = 64 << 10  # limits of the format
_BLOB_BYTES: Final = 32 << 20
_AT_ONCE: Final = 8  # blobs in memory while they are looked at
_SLICE_BYTES: Final = 1 << 22  # osmium moves all of a slice for every blob that it takes from it
_THREADS: Final = os.cpu_count() or 1

# Fields of the messages, by the numbers that the format gives them.
_HEAD_TYPE, _HEAD_SIZE = 1, 3
_RAW, _RAW_SIZE, _ZLIB = 1, 2, 3
_TEXTS, _GROUP = 1, 2
_GROUPS: Final[dict[int, Kind]] = {
    1: "node",
    2: "node",
    3: "way",
    4: "relation",
    5: "changeset",
}
_TEXT_TAG: Final = 0x0A

Field = tuple[int, int | memoryview]


class Blob(NamedTuple):
    """Where a blob stands in its file, head included, and what it holds."""

    start: int
    size: int
    kinds: frozenset[Kind]
    spoken: bool  # one of the words asked for is among its texts


class Place(NamedTuple):
    """Where a blob stands in its file, head included, as the heads alone tell."""

    start: int
    size: int
    kind: bytes  # OSMHeader, OSMData
    body_bytes: int  # at its end


class _Packed(NamedTuple):
    start: int
    size: int
    kind: bytes
    body: bytes


def survey(path: Path, words: Collection[bytes]) -> list[Blob]:
    """Look at every blob of a file; the first is the header, which is always spoken.

    Raises ValueError, with the place, for a file that osmium could not read either, for a text
    with a zero byte, and for packing that Python cannot look into.
    """
    look = _looker(words)
    blobs: list[Blob] = []
    with path.open("rb") as file, ThreadPoolExecutor(_THREADS) as pool:
        packed = _packed(file)
        while some := list(islice(packed, _AT_ONCE)):
            blobs += pool.map(look, some)
    return blobs


def slices(path: Path, blobs: Iterable[Blob]) -> Iterator[bytes]:
    """Yield the bytes of some blobs of a file, a piece at a time and each a file of its own."""
    with path.open("rb") as file:
        head, piece = b"", b""
        for blob in blobs:
            file.seek(blob.start)
            content = file.read(blob.size)
            head = head or content
            if piece and len(piece) + len(content) > _SLICE_BYTES:
                yield piece
                piece = head
            piece += content
        yield piece


def places(path: Path) -> list[Place]:
    """Return where the blobs of a file stand, without reading them; ValueError if they do not."""
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size
        found = []
        for place in _places(file):
            if place.start + place.size > end:
                raise ValueError(f"ends in the middle of the blob at byte {place.start:,}")
            found.append(place)
            file.seek(place.body_bytes, os.SEEK_CUR)
    return found


def content(file: int, place: Place) -> bytes | memoryview:
    """Read and unpack one blob of an open file, which other threads may read at the same time."""
    body = os.pread(file, place.body_bytes, place.start + place.size - place.body_bytes)
    return _unpacked(_Packed(place.start, place.size, place.kind, body))


def _packed(file: BinaryIO) -> Iterator[_Packed]:
    """Read the blobs of a file as they are."""
    for start, size, kind, body_bytes in _places(file):
        body = file.read(body_bytes)
        if len(body) < body_bytes:
            raise ValueError(f"ends in the middle of the blob at byte {start:,}")
        yield _Packed(start, size, kind, body)


def _places(file: BinaryIO) -> Iterator[Place]:
    """Read the heads of blobs, each from where the file stands then."""
    start = 0
    while size := file.read(4):
        head_bytes = int.from_bytes(size, "big")
        if len(size) < 4 or head_bytes > _HEAD_BYTES:
            raise ValueError(f"no head of a blob at byte {start:,}")
        head = _message(file.read(head_bytes), start)
        kind, body_bytes = head.get(_HEAD_TYPE), head.get(_HEAD_SIZE)
        if not isinstance(kind, memoryview) or not isinstance(body_bytes, int):
            raise ValueError(f"no head of a blob at byte {start:,}")
        if body_bytes > _BLOB_BYTES:
            raise ValueError(f"a blob larger than the format allows at byte {start:,}")
        if bytes(kind) != (b"OSMData" if start else b"OSMHeader"):
            raise ValueError(f"a blob of unknown type at byte {start:,}")
        yield Place(start, 4 + head_bytes + body_bytes, bytes(kind), body_bytes)
        start += 4 + head_bytes + body_bytes


def _looker(words: Collection[bytes]) -> Callable[[_Packed], Blob]:
    def look(packed: _Packed) -> Blob:
        content = _unpacked(packed)
        kinds: set[Kind] = set()
        spoken = packed.kind == b"OSMHeader"
        if not spoken:
            for number, value in fields(content, packed.start):
                if number == _GROUP and isinstance(value, memoryview) and value:
                    kinds.add(_GROUPS.get(value[0] >> 3, "changeset"))
                elif number == _TEXTS and isinstance(value, memoryview):
                    texts = bytes(value)
                    _refuse_zero_bytes(texts, packed.start)
                    spoken = spoken or any(word in texts for word in words)
        return Blob(packed.start, packed.size, frozenset(kinds), spoken)

    return look


def _unpacked(packed: _Packed) -> bytes | memoryview:
    blob = _message(packed.body, packed.start)
    if isinstance(raw := blob.get(_RAW), memoryview):
        return raw
    if not isinstance(zipped := blob.get(_ZLIB), memoryview):
        raise ValueError(
            f"blob at byte {packed.start:,} is packed in a way other than zlib; "
            "`osmium cat -o copy.osm.pbf` makes a copy that can be read"
        )
    unpacker = isal_zlib.decompressobj()
    try:
        content = unpacker.decompress(zipped, _BLOB_BYTES)
    except isal_zlib.error:  # type: ignore[misc]  # the package's types call it a value
        raise ValueError(f"blob at byte {packed.start:,} does not unpack") from None
    if not unpacker.eof or len(content) != blob.get(_RAW_SIZE):
        raise ValueError(f"blob at byte {packed.start:,} has not the size that it states")
    return content


def _refuse_zero_bytes(texts: bytes, start: int) -> None:
    """Raise ValueError if a text holds a zero byte; the length of an empty one is no such byte."""
    zero_bytes = texts.count(0)
    if zero_bytes == 1 and texts.startswith(b"\n\x00"):
        return  # the empty text that every table begins with
    empty = position = 0
    while zero_bytes and position < len(texts):
        length = texts[position + 1] if position + 1 < len(texts) else 0
        if length < 128:
            body = position + 2
        else:
            length, body = _varint(texts, position + 1, start)
        if texts[position] != _TEXT_TAG:
            raise ValueError(f"blob at byte {start:,} has a damaged table of texts")
        empty += not length
        position = body + length
    if empty != zero_bytes:
        raise ValueError(f"blob at byte {start:,} has a zero byte in a text")


def _message(data: bytes, start: int) -> dict[int, int | memoryview]:
    return dict(fields(data, start))


def fields(data: bytes | memoryview, start: int) -> Iterator[Field]:
    """Yield number and value of the fields of a protobuf message; fixed-width ones are skipped."""
    view = memoryview(data)
    position = 0
    while position < len(view):
        key, position = _varint(view, position, start)
        wire = key & 7
        if wire == 0:
            value, position = _varint(view, position, start)
            yield key >> 3, value
        elif wire == 2:
            length, position = _varint(view, position, start)
            if position + length > len(view):
                raise ValueError(f"blob at byte {start:,} is cut short")
            yield key >> 3, view[position : position + length]
            position += length
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        else:
            raise ValueError(f"blob at byte {start:,} is damaged")


def _varint(data: bytes | memoryview, position: int, start: int) -> tuple[int, int]:
    value = 0
    for i in range(10):
        if position + i >= len(data):
            break
        byte = data[position + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, position + i + 1
    raise ValueError(f"blob at byte {start:,} is damaged")
