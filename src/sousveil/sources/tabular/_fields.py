"""From the texts of a list to values of ours, each distinct text read once.

A text that cannot be read leaves the value unknown and is set aside with its reason; the row stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.records import OBSERVATIONS
from sousveil.sources import _values
from sousveil.sources._links import safe_text
from sousveil.sources.tabular._directions import View, korean
from sousveil.sources.tabular._raw import safe
from sousveil.sources.tabular._spec import VOCABULARIES, Field
from sousveil.sources.tabular._toml import split

Result = tuple[Any, str | None]  # a value or None, and why (also) something is set aside

_READER_OF: Final = {
    "accuracy_m": "number",
    "bearings": "directions",
    "capabilities": "words",
    "count": "devices",
    "evidence_url": "document",
    "height_m": "height_m",
    "hfov_deg": "field_of_view",
    "installed": "day",
    "mount": "words",
    "pixels_h": "pixels",
    "removed": "day",
    "retention_days": "retention_days",
    "seen_on": "day",
    "zone": "words",
}
_VIEW: Final = pa.struct(
    [("bearings", pa.list_(pa.float64())), ("hfov_deg", pa.float64()), ("housing", pa.string())]
)


_NO_FAULTS: Final = (np.array([], np.int64), pa.array([], pa.string()), pa.array([], pa.string()))


class Column(NamedTuple):
    """One field of a batch: its values, and the texts that were set aside."""

    values: pa.Array  # of the field's type; of bearings a struct of bearings, hfov_deg, housing
    faults: npt.NDArray[np.int64]  # positions of the rows whose text is set aside
    texts: pa.Array  # of those rows
    reasons: pa.Array  # of those rows


def read(table: pa.Table, target: str, field: Field) -> Column:
    """Read one field of a batch of texts."""
    kind = _type(target)
    if field.sum:
        return _added(table, field, kind)
    texts = text_of(table, field)
    if _is_plain_text(target, field):
        core, _ = safe(_stripped(field, texts))
        return Column(pc.binary_join_element_wise(field.prefix, core, ""), *_NO_FAULTS)
    encoded = _stripped(field, texts).dictionary_encode()
    results = [_result(target, field, text) for text in encoded.dictionary.to_pylist()]
    values = pa.array([value for value, _ in results], kind).take(encoded.indices)
    if field.empty is not None:
        filler = pa.scalar(_plain(target, field.empty)[0], kind)
        values = pc.if_else(pc.is_null(texts), filler, values)
    reasons = pa.array([reason for _, reason in results], pa.string()).take(encoded.indices)
    at = np.flatnonzero(pc.is_valid(reasons).to_numpy(zero_copy_only=False))
    return Column(values, at, texts.take(at), reasons.take(at))


def text_of(table: pa.Table, field: Field) -> pa.Array:
    """Return the text of a field for each row: of its columns the first that is filled."""
    if field.value is not None:
        return pa.repeat(pa.scalar(field.value, pa.string()), table.num_rows)
    columns = [table[name] for name in field.columns if name in table.column_names]
    if not columns:
        return pa.nulls(table.num_rows, pa.string())
    if len(columns) == 1:
        text = columns[0]
    elif field.join is not None:
        text = pc.binary_join_element_wise(*columns, field.join, null_handling="skip")
        text = pc.if_else(pc.equal(text, ""), None, text)
    else:
        text = pc.coalesce(*columns)
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def none_counted(table: pa.Table, field: Field) -> npt.NDArray[np.bool_]:
    """Return which rows count no device at all: a zero, or a sum of zeros."""
    counted = _added(table, field, pa.int64()).values
    return np.asarray(pc.fill_null(pc.equal(counted, 0), False).to_numpy(zero_copy_only=False))


def _type(target: str) -> pa.DataType:
    if target == "bearings":
        return _VIEW
    return OBSERVATIONS.field(target).type if target in OBSERVATIONS.names else pa.string()


def _added(table: pa.Table, field: Field, kind: pa.DataType) -> Column:
    """The sum of several columns of whole numbers; none where none of them is filled."""
    total = pa.nulls(table.num_rows, pa.int64())
    unread = np.zeros(table.num_rows, dtype=bool)
    for name in field.columns:
        text = text_of(table, Field(columns=(name,)))
        is_whole = pc.match_substring_regex(text, r"^\d{1,8}(\.0)?$")
        number = pc.cast(pc.cast(pc.if_else(is_whole, text, None), pa.float64()), pa.int64())
        total = pc.if_else(pc.is_null(total), number, pc.add(total, pc.fill_null(number, 0)))
        unread |= pc.fill_null(pc.invert(is_whole), False).to_numpy(zero_copy_only=False)
    total = pc.if_else(pa.array(unread), None, total)
    at = np.flatnonzero(unread)
    said = text_of(table, replace(field, sum=False, join="; ")).take(at)
    return Column(total.cast(kind), at, said, pa.repeat("not whole numbers", len(at)))


def _result(target: str, field: Field, text: str | None) -> Result:
    """The value of one distinct text."""
    if text is None:
        return None, None
    core = _core(field, text)
    if core is None:
        return None, None
    if field.zero and re.fullmatch(r"0+(\.0+)?", core):
        return None, None
    if target == "capabilities":
        return _capabilities(field, core)
    if field.map is not None or target in VOCABULARIES:
        return _mapped(target, field, core)
    return _read_plain(target, field, f"{field.prefix}{core}")


def plain(table: pa.Table, field: Field) -> pa.Array:
    """Return the texts of a field as its description cuts them, not yet read."""
    texts = _stripped(field, text_of(table, field))
    if field.pattern is None:
        return texts
    encoded = texts.dictionary_encode()
    cores = [text and _core(field, text) for text in encoded.dictionary.to_pylist()]
    return pa.array(cores, pa.string()).take(encoded.indices)


def _is_plain_text(target: str, field: Field) -> bool:
    """Whether texts are taken as they are, so that they need not be read one by one."""
    if target in VOCABULARIES:
        return False
    reader = field.read or _READER_OF.get(target, "text")
    return reader == "text" and not (field.map or field.pattern or field.zero or field.empty)


def _stripped(field: Field, texts: pa.Array) -> pa.Array:
    """Texts without what their description takes off their front and end."""
    if field.strip:
        without = pc.utf8_slice_codeunits(texts, len(field.strip))
        texts = pc.if_else(pc.starts_with(texts, field.strip), without, texts)
    if field.suffix:
        without = pc.utf8_slice_codeunits(texts, 0, -len(field.suffix))
        texts = pc.if_else(pc.ends_with(texts, field.suffix), without, texts)
    return pc.utf8_trim_whitespace(texts) if field.strip or field.suffix else texts


def _core(field: Field, text: str) -> str | None:
    if field.pattern is None:
        return text or None
    match = field.pattern.search(text)
    return ((match[1] or "").strip() if match else "") or None


def _mapped(target: str, field: Field, core: str) -> Result:
    known = (
        {word: word for word in VOCABULARIES.get(target, ())} if field.map is None else field.map
    )
    words = {word.casefold(): meaning for word, meaning in known.items()}
    meaning = words.get(core.casefold(), field.other)
    if meaning is None:
        return None, "a word that the list's description does not know"
    return _plain(target, meaning)


def _plain(target: str, meaning: str) -> Result:
    """A meaning as the catalogue states it, already in our words."""
    if not meaning:
        return None, None
    if target in VOCABULARIES or target in ("zone", "mount", "purpose", "operator", "technology"):
        return meaning, None
    return _read_plain(target, Field(), meaning)


def _capabilities(field: Field, core: str) -> Result:
    if field.read == "json":
        try:
            words = [str(word) for word in json.loads(core)]
        except (ValueError, TypeError):
            return None, "not a JSON array"
    else:
        words = [core] if field.map is not None else split(core)
    found: list[str] = []
    reason = None
    for word in words:
        meaning, fault = _mapped("capabilities", field, word)
        found.extend(split(meaning or ""))
        reason = reason or fault
    return list(dict.fromkeys(found)) or None, reason


def _text(text: str) -> Result:
    return safe_text(text) or None, None


def _number(text: str) -> Result:
    try:
        return float(text), None
    except ValueError:
        return None, "not a number"


def _devices(text: str) -> Result:
    return _values.devices(text.removesuffix(".0"))


def _day(text: str, formats: tuple[str, ...] = ()) -> Result:
    for layout in formats:
        try:
            found = datetime.strptime(text, layout).date()
        except ValueError:
            continue
        return _values.day(found.isoformat())
    return _values.day(text)


def _epoch_ms(text: str, formats: tuple[str, ...] = ()) -> Result:
    if re.fullmatch(r"\d{12,14}", text):
        return _values.day(datetime.fromtimestamp(int(text) / 1000, UTC).date().isoformat())
    return _day(text, formats)


def _directions(text: str) -> Result:
    looks, reason = _values.directions(text)
    return (None if looks is None else _view(View(*looks))), reason


def _korean(text: str) -> Result:
    view, reason = korean(text)
    return (None if view is None else _view(view)), reason


def _view(view: View) -> dict[str, Any]:
    return {**view._asdict(), "bearings": list(view.bearings) or None}


# What in an address leads to pictures instead of to a document.
_FEED: Final = re.compile(
    r"(?:^|[\W\d_])(?:(?:web|live|ip)?cams?|live|(?:live)?streams?|feeds?|snapshots?|hls)(?:[\W\d_]|$)"
    r"|youtu\.?be|twitch|vimeo|rtsp|rtmp|\.(?:jpe?g|png|gif|webp|mp4|webm|m3u8|mjpe?g|ts)(?:[?#]|$)",
    re.IGNORECASE,
)


def _document(text: str) -> Result:
    """A link to a document that the catalogue names as evidence, and to nothing that shows."""
    if not re.fullmatch(r"https?://[^\s<>\"]{4,500}", text):
        return None, "not a link to a document"
    if _FEED.search(text):
        return None, "may lead to pictures instead of a document"
    return text, None


_READERS: Final[dict[str, Callable[[str], Result]]] = {
    "text": _text,
    "words": _values.word,
    "json": _text,
    "number": _number,
    "devices": _devices,
    "directions": _directions,
    "korean_directions": _korean,
    "field_of_view": _values.field_of_view,
    "height_m": _values.height_m,
    "pixels": _values.pixels,
    "retention_days": _values.retention_days,
    "document": _document,
}
_DATES: Final = {"day": _day, "epoch_ms": _epoch_ms}


def _read_plain(target: str, field: Field, text: str) -> Result:
    name = field.read or _READER_OF.get(target, "text")
    return _DATES[name](text, field.formats) if name in _DATES else _READERS[name](text)
