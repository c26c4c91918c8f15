"""The elements of an Overpass answer, one by one and each bounded, however large the answer is.

The answer is cut into elements by its brackets, a megabyte at a time and in C, and each element is
parsed on its own: faster than a parser of events, and an element or a text of a gigabyte is passed
over without being held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

ELEMENT_BYTES: Final = 8 << 20
"""What one element may take; the largest real relations, with geometry, take about 4 MB."""

_CHUNK_BYTES: Final = 1 << 20
_FRAME_BYTES: Final = 1 << 20  # what the answer may hold besides its elements
_ARRAY: Final = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*(?:\[|\{.*?"elements"\s*:\s*\[)', re.DOTALL)


class TooLarge(NamedTuple):
    """An element that was passed over: how it begins, and its number in the answer, from 1."""

    head: bytes
    number: int


class Answer:
    """Iterates over the elements of an answer; `frame` is the rest of it, once that is done.

    Raises ValueError, with the number of the element, where the text is no JSON or ends too soon.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.frame: dict[str, Any] = {}
        self._stream = stream

    def __iter__(self) -> Iterator[Any]:
        head, data = self._opening()
        cutter = _Cutter()
        number = 0
        while not cutter.finished:
            for piece in cutter.cut(data):
                number += 1
                yield TooLarge(piece.head, number) if piece.head else _parsed(piece.text, number)
            if not cutter.finished and not (data := self._read()):
                raise ValueError(f"ends in the middle, after element {number:,}")
        self._close(head, cutter.rest)

    def _opening(self) -> tuple[bytes, bytes]:
        data = b""
        while (found := _ARRAY.match(data)) is None:
            more = self._read()
            if not more or len(data) > _FRAME_BYTES:
                raise ValueError("no list of elements in it")
            data += more
        return data[: found.end()], data[found.end() :]

    def _close(self, head: bytes, tail: bytes) -> None:
        tail += self._stream.read(_FRAME_BYTES)
        if self._stream.read(1):
            raise ValueError("goes on after its elements without end")
        frame = _loaded(head + tail)
        self.frame = frame if isinstance(frame, dict) else {}

    def _read(self) -> bytes:
        """Read a chunk that does not end between a backslash and what it escapes."""
        chunk = self._stream.read(_CHUNK_BYTES)
        while (len(chunk) - len(chunk.rstrip(b"\\"))) % 2:
            more = self._stream.read(1)
            if not more:
                break
            chunk += more
        return chunk


class _Piece(NamedTuple):
    text: bytes
    head: bytes  # how the element begins, if it is too large to be held


class _Cutter:
    """Cuts the text of a JSON array into its elements; remembers an element across chunks."""

    def __init__(self) -> None:
        self.finished = False
        self.rest = b""  # from the bracket that closes the array
        self._depth = 0  # brackets open within the array
        self._in_string = False
        self._pending = b""
        self._head = b""

    def cut(self, data: bytes) -> Iterator[_Piece]:
        """Yield the elements that end in a stretch of text."""
        positions, depths = self._brackets(data)
        open_from = 0  # the element that the last chunk left open goes on at its start
        inside = self._depth > 0
        for position, depth in zip(positions, depths, strict=True):
            if depth == 1 and not inside:
                self._check_gap(data[open_from:position])
                open_from, inside = position, True
            elif depth == 0:
                yield self._closed(data[open_from : position + 1])
                open_from, inside = position + 1, False
            elif depth < 0:
                self._check_gap(data[open_from:position])
                self.finished, self.rest = True, data[position:]
                return
        self._depth = depths[-1] if depths else self._depth
        if inside:
            self._hold(data[open_from:])
        else:
            self._check_gap(data[open_from:])

    def _brackets(self, data: bytes) -> tuple[list[int], list[int]]:
        """Return where an element opens or closes, and the depth after it."""
        plain = data.replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
        chars = np.frombuffer(plain, np.uint8)
        in_string = np.bitwise_xor.accumulate(chars == ord('"')) ^ self._in_string
        self._in_string = bool(in_string[-1]) if data else self._in_string
        opens = (chars == ord("{")) | (chars == ord("["))
        closes = (chars == ord("}")) | (chars == ord("]"))
        positions = np.flatnonzero((opens | closes) & ~in_string)
        steps = np.where(opens[positions], 1, -1)
        depths = self._depth + np.cumsum(steps)
        outer = (depths < 1) | ((depths == 1) & (steps > 0))
        if positions.size and not outer[-1]:
            outer[-1] = True  # the depth that the chunk ends with
        return positions[outer].tolist(), depths[outer].tolist()

    def _hold(self, text: bytes) -> None:
        if not self._head and len(self._pending) + len(text) > ELEMENT_BYTES:
            self._head, self._pending = (self._pending + text[:4096])[:4096], b""
        if not self._head:
            self._pending += text

    def _closed(self, text: bytes) -> _Piece:
        self._hold(text)
        piece = _Piece(self._pending, self._head)
        self._pending = self._head = b""
        return piece

    @staticmethod
    def _check_gap(text: bytes) -> None:
        if text.strip(b" \t\r\n,"):
            raise ValueError(f"something that is no element: {text.strip()[:40]!r}")


def _parsed(text: bytes, number: int) -> Any:
    try:
        return _loaded(text)
    except ValueError as error:
        raise ValueError(f"element {number:,}: {error}") from None


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
