"""A guard before the XML reader: no object and no text in a file may take memory without bound.

libosmium gives up a whole file for one text longer than 1,024 bytes, and holds an object in memory
however large it is. So the bytes of a file are looked over first: where all is well, and it always
is in what OpenStreetMap hands out, nothing more happens. Otherwise a copy is made without the
excess, which is reported; everything else stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from sousveil.sources.osm._contents import SetAside

OBJECT_BYTES: Final = 8 << 20
"""What the tags, nodes and members of one object may take; the largest real ones take 2 MB."""
TEXT_BYTES: Final = 1024
"""What one text may take in UTF-8: the limit of libosmium. OpenStreetMap's is 255 characters."""

_CHUNK_BYTES: Final = 1 << 20
_TOKEN_BYTES: Final = 1 << 16  # what one element of markup may take; ours take some hundred
_HEAD_BYTES: Final = 4096  # what is kept of a larger one
_STARTS: Final = (b"<node", b"<way", b"<relation")
_GONE: Final = (b'visible="false"', b"visible='false'")
_REMARK: Final = re.compile(rb"<remark>\s*([^<]{0,300})")
_TOKEN: Final = re.compile(rb"<[^<]*")
_NAME: Final = re.compile(rb"<(/?\w+)")
_ATTRIBUTE: Final = re.compile(rb"""\s([\w:.-]+)\s*=\s*("[^"]*"|'[^']*')""")
_OBJECTS: Final = {b"node", b"way", b"relation"}
_PARTS: Final = {b"tag", b"nd", b"member"}
_NEEDED: Final = {b"id", b"version", b"timestamp", b"visible", b"lat", b"lon"}


class Survey(NamedTuple):
    """What a look over the bytes of an XML file found."""

    excess: bool  # an object or a text larger than may be read
    irregular: bool  # deleted objects, or nodes after ways: to be put in order first
    remark: str | None  # what Overpass says went wrong


def survey(stream: BinaryIO) -> Survey:
    """Look over the bytes of an XML file, in memory that does not grow with it."""
    excess = irregular = way_seen = False
    remark: str | None = None
    quote = b'"'
    since_quote = since_start = 0
    before = b""
    while chunk := stream.read(_CHUNK_BYTES):
        if not before:
            quote = b'"' if chunk.count(b'="') >= chunk.count(b"='") else b"'"
        text_bytes, since_quote = _longest_gap(chunk, quote, since_quote)
        since_start = _since_last_start(chunk, since_start)
        excess |= text_bytes > TEXT_BYTES or since_start > OBJECT_BYTES
        joined = before + chunk
        first_way = 0 if way_seen else joined.find(b"<way ")
        way_seen = first_way >= 0
        irregular |= way_seen and joined.find(b"<node ", first_way) >= 0
        irregular |= any(word in joined for word in _GONE)
        if remark is None and (found := _REMARK.search(joined)):
            remark = found[1].decode("utf-8", "replace").strip()
        before = chunk[-32:]
    return Survey(excess, irregular, remark)


def sanitise(stream: BinaryIO, copy: BinaryIO) -> list[SetAside]:
    """Copy an XML file without what is larger than may be read; return what was left out."""
    copier = _Copier(copy)
    rest = b""
    while chunk := stream.read(_CHUNK_BYTES):
        rest = copier.take(rest + chunk)
    copier.take(rest, last=True)
    return copier.left_out


def _longest_gap(chunk: bytes, mark: bytes, since: int) -> tuple[int, int]:
    """Return the longest run of bytes without a mark, and the run that the chunk ends with."""
    marks = np.flatnonzero(np.frombuffer(chunk, np.uint8) == mark[0])
    if not marks.size:
        return since + len(chunk), since + len(chunk)
    longest = max(since + int(marks[0]), int(np.diff(marks).max(initial=0)) - 1)
    return longest, len(chunk) - 1 - int(marks[-1])


def _since_last_start(chunk: bytes, since: int) -> int:
    last = max(chunk.rfind(start) for start in _STARTS)
    return since + len(chunk) if last < 0 else len(chunk) - last


class _Copier:
    """Copies markup piece by piece; a state machine, because an excess may span any chunk."""

    def __init__(self, copy: BinaryIO) -> None:
        self.left_out: list[SetAside] = []
        self._copy = copy
        self._object = b""  # node, way or relation that is open or was last
        self._native_id: str | None = None
        self._part_bytes = 0
        self._skip_to = b""  # what ends the stretch that is being left out
        self._head = b""  # beginning of a piece of markup that is too large, while it is skipped

    def take(self, data: bytes, *, last: bool = False) -> bytes:
        """Copy what is complete; return the bytes that have to come again with the next."""
        while True:
            if self._skip_to:
                end = data.find(self._skip_to)
                if end < 0:
                    return data[-64:]
                if self._head:
                    self._shorten(self._head, data[max(0, end - 64) : end])
                data, self._skip_to, self._head = data[end:], b"", b""
            data, done = self._write_tokens(data, last=last)
            if done:
                return data

    def _write_tokens(self, data: bytes, *, last: bool) -> tuple[bytes, bool]:
        position = data.find(b"<")
        if position < 0:
            return b"", True
        for token in _TOKEN.finditer(data, position):
            if token.end() == len(data) and not last:
                break
            self._write(token[0])
            position = token.end()
            if self._skip_to:
                return data[position:], False
        rest = data[position:]
        if len(rest) > _TOKEN_BYTES:
            self._head, self._skip_to = rest[:_HEAD_BYTES], b"<"
            return rest[1:], False
        return rest, True

    def _write(self, token: bytes) -> None:
        named = _NAME.match(token)
        name = named[1] if named else b""
        if name in _OBJECTS:
            self._open(name, token)
        elif name in _PARTS:
            self._part_bytes += len(token)
            if self._part_bytes > OBJECT_BYTES:
                self._skip_to = b"</" + self._object
                limit = f"{OBJECT_BYTES >> 20} MB"
                self._report("object", None, f"larger than {limit}: what follows is left out")
                return
        if len(token) > TEXT_BYTES:
            token = self._without_long_texts(name, token)
        self._copy.write(token)

    def _open(self, name: bytes, token: bytes) -> None:
        identity = next((v for k, v in _attributes(token) if k == b"id"), b"")
        self._object = name
        self._native_id = f"{name.decode()}/{identity.decode('utf-8', 'replace')}"
        self._part_bytes = 0

    def _without_long_texts(self, name: bytes, token: bytes) -> bytes:
        long = [(key, value) for key, value in _attributes(token) if _is_long(value)]
        for key, value in long:
            field = _key_of_tag(token) if name == b"tag" else key.decode()
            self._report(field, value, f"longer than {TEXT_BYTES:,} bytes")
        if long and name == b"tag":
            return b""
        for key, _ in long:
            token = re.sub(rb"""\s%s\s*=\s*("[^"]*"|'[^']*')""" % re.escape(key), b"", token)
        return token if name != b"member" or b" role=" in token else _with_role(token)

    def _shorten(self, head: bytes, tail: bytes) -> None:
        """Write what can be used of a piece of markup that is too large as a whole."""
        named = _NAME.match(head)
        name = named[1] if named else b""
        reason = f"longer than {_TOKEN_BYTES >> 10} KB"
        if name in _OBJECTS:
            self._open(name, head)
            kept = b"".join(
                b' %s="%s"' % (key, value) for key, value in _attributes(head) if key in _NEEDED
            )
            end = b"/>" if tail.rstrip().endswith(b"/>") else b">"
            self._copy.write(b"<" + name + kept + end)
            self._report("attributes", head, reason)
        elif name in _PARTS:
            self._report(_key_of_tag(head) if name == b"tag" else name.decode(), None, reason)

    def _report(self, field: str, value: bytes | None, reason: str) -> None:
        shown = None if value is None else unescape(value[:400].decode("utf-8", "replace"))
        self.left_out.append(SetAside(self._native_id, field, shown, reason))


def _attributes(token: bytes) -> Iterator[tuple[bytes, bytes]]:
    for found in _ATTRIBUTE.finditer(token):
        yield found[1], found[2][1:-1]


def _is_long(value: bytes) -> bool:
    if len(value) <= TEXT_BYTES:
        return False
    return len(unescape(value.decode("utf-8", "replace")).encode()) > TEXT_BYTES


def _key_of_tag(token: bytes) -> str:
    key = next((value for name, value in _attributes(token[:_HEAD_BYTES]) if name == b"k"), b"?")
    return unescape(key[:200].decode("utf-8", "replace"))


def _with_role(member: bytes) -> bytes:
    return member.replace(b"<member", b'<member role=""', 1)
