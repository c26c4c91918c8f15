"""What a list said, kept beside what was made of it: one JSON object a row, made safe first."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sousveil.sources._links import REMOVED, VALUE_LENGTH, clean_tags, safe_text

# Texts that need a look: control characters, or what may be part of a link. Numbers never do.
_SUSPICIOUS: Final = (
    r"[\x00-\x1f\x7f-\x9f\x{ad}\x{61c}\x{180e}\x{200b}\x{200e}\x{200f}\x{2028}-\x{202e}"
    r"\x{2060}-\x{2069}\x{feff}\x{fff9}-\x{ffff}:%.]"
)
_NUMBER: Final = r"^[+-]?\d{0,30}\.?\d{0,30}$"


class Raw(NamedTuple):
    """The rows of a batch as JSON, and how many links were dropped on the way."""

    texts: pa.Array
    links: int


def tidied(table: pa.Table) -> pa.Table:
    """Return a batch with all its texts trimmed and in normal form C, empty ones null."""
    return pa.table({name: _tidy(table[name]) for name in table.column_names})


def _tidy(text: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(text)
    if not pc.all(pc.string_is_ascii(text)).as_py():
        text = pc.utf8_normalize(text, form="NFC")
    return pc.if_else(pc.equal(text, ""), None, text)


def build(table: pa.Table, *, drop: Collection[str], documents: Collection[str] = ()) -> Raw:
    """Return each row as a JSON object of its filled cells.

    Left out are the columns in `drop`, columns whose name announces a link, and what stands for
    a geometry. Links inside other cells are replaced, cells cut to 1,000 characters.
    documents: columns of links that are kept elsewhere, and so do not count as dropped.
    """
    links = 0
    pieces: list[pa.Array] = []
    for name in table.column_names:
        if name.startswith("@"):
            continue
        if name in documents:
            continue
        if name in drop or announces_link(name):
            links += int(announces_link(name)) * (table.num_rows - table[name].null_count)
            continue
        cells, found = safe(table[name].combine_chunks())
        links += found
        pieces.append(_piece(name, cells))
    if not pieces:
        return Raw(pa.repeat(pa.scalar("{}"), table.num_rows), links)
    joined = pc.binary_join_element_wise(*pieces, "")
    body = pc.utf8_slice_codeunits(joined, 1)  # without the first comma
    return Raw(pc.binary_join_element_wise("{", body, "}", ""), links)


@lru_cache(maxsize=4096)
def announces_link(name: str) -> bool:
    """Whether the name of a column says that it holds links, such as VideoUrl or image_url."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return clean_tags({words: "x"}, matters=lambda _: False).links > 0


def safe(cells: pa.Array) -> tuple[pa.Array, int]:
    """Return texts without links and control characters, and how many links they held."""
    number = pc.match_substring_regex(cells, _NUMBER)
    if pc.all(number).as_py():
        return cells, 0
    cells = pc.utf8_slice_codeunits(cells, 0, VALUE_LENGTH)
    suspicious = pc.and_not(pc.match_substring_regex(cells, _SUSPICIOUS), number)
    suspicious = pc.fill_null(suspicious, False)
    if not pc.any(suspicious).as_py():
        return cells, 0
    encoded = cells.filter(suspicious).dictionary_encode()
    before = encoded.dictionary.to_pylist()
    after = [safe_text(text) for text in before]
    found = pa.array(
        [b.count(REMOVED) - a.count(REMOVED) for a, b in zip(before, after, strict=True)]
    )
    links = pc.sum(found.take(encoded.indices)).as_py() or 0
    mended = pa.array(after, pa.string()).take(encoded.indices)
    return pc.replace_with_mask(cells, suspicious, mended), int(links)


def _piece(name: str, cells: pa.Array) -> pa.Array:
    """A cell as `,"name":"text"`, nothing where it is empty."""
    text = cells
    for letter in ("\\", '"'):
        if pc.any(pc.match_substring(text, letter)).as_py():
            text = pc.replace_substring(text, letter, f"\\{letter}")
    opening = "," + json.dumps(name, ensure_ascii=False) + ':"'
    whole = pc.binary_join_element_wise(opening, text, '"', "")
    return pc.fill_null(whole, "")
