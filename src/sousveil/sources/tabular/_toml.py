"""Reading the description of a list from its TOML file, and saying exactly what is wrong with it.

Every key that a file may hold stands in the tables at the end; anything else is refused by name,
so that a misspelt key can never pass for a statement left out. In the functions here `where`
names the file and the key, as the errors show it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from sousveil.errors import UnusableInput
from sousveil.sources import Box
from sousveil.sources.tabular._spec import (
    COUNTS,
    EVIDENCE_COUNTS,
    FORMATS,
    READERS,
    TARGETS,
    VOCABULARIES,
    Area,
    Field,
    FileSpec,
    Match,
    Spec,
    Total,
)

_Read = Callable[[str, Any], Any]


def parse(path: Path) -> Spec:
    """Read and check one TOML file; its name without ending becomes the id.

    Raises UnusableInput that names the file, the key and the mend.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableInput(f"{path}: cannot be read ({reason}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path}: not TOML: {error}; mend it there") from error
    where = f"{path}:"
    top = _table(where, content, _TOP)
    _refuse_missing(where, top)
    area = {"name": "its area", **_table(_at(where, "area"), top.pop("area", {}), _AREA)}
    spec = Spec(
        spec_id=path.stem,
        path=str(path),
        file=FileSpec(**_table(_at(where, "file"), top.pop("file", {}), _FILE)),
        match=Match(**_table(_at(where, "match"), top.pop("match", {}), _MATCH)),
        area=Area(**area),
        total=_total(_at(where, "total"), top.pop("total", None)),
        fields=_fields(_at(where, "fields"), top.pop("fields")),
        **{**_DEFAULTS, **top},
    )
    _agree(where, spec)
    return spec


def _refuse_missing(where: str, top: dict[str, Any]) -> None:
    """Refuse a description that lacks what it needs, with all that it lacks at once."""
    missing = [key for key in _NEEDED if not top.get(key)]
    fields = top.get("fields")
    if isinstance(fields, dict) and top.get("counts") not in EVIDENCE_COUNTS:
        missing += [f"fields.{axis}" for axis in ("lon", "lat") if not fields.get(axis)]
    if missing:
        mend = "is missing; state it" if len(missing) == 1 else "are missing; state them"
        raise _refuse(_at(where, ", ".join(missing)), mend)


def _agree(where: str, spec: Spec) -> None:
    """Refuse what no single key shows: columns without names."""
    if not spec.file.header and not spec.file.columns:
        raise _refuse(_at(where, "file.columns"), "is missing; the file itself names none")


def _table(where: str, content: object, known: Mapping[str, _Read]) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise _refuse(where, "is not a table")
    read: dict[str, Any] = {}
    for key, value in content.items():
        if key not in known:
            raise _refuse(_at(where, key), f"no such key; known are {', '.join(known)}")
        read[key] = known[key](_at(where, key), value)
    return read


def _total(where: str, content: object) -> Total | None:
    if content is None:
        return None
    read = _table(where, content, _TOTAL)
    for key in _TOTAL:
        if not read.get(key):
            raise _refuse(_at(where, key), "is missing; state it")
    return Total(**read)


def _fields(where: str, content: object) -> dict[str, Field]:
    if not isinstance(content, dict):
        raise _refuse(where, "is not a table")
    unknown = [target for target in content if target not in TARGETS]
    if unknown:
        raise _refuse(_at(where, unknown[0]), f"no such field; known are {', '.join(TARGETS)}")
    return {target: _field(_at(where, target), target, item) for target, item in content.items()}


def _field(where: str, target: str, content: object) -> Field:
    """Read one field; a plain text or list of texts names its columns and says no more."""
    if isinstance(content, str | list):
        content = {"column": content}
    read = _table(where, content, _FIELD)
    columns = read.pop("column", ())
    if bool(columns) == ("value" in read):
        raise _refuse(where, "needs either a column or a value")
    field = Field(columns=columns, **read)
    vocabulary = VOCABULARIES.get(target)
    for stated in filter(None, (field.value, field.other, field.empty, *_mapped(field))):
        strange = [word for word in split(stated) if word not in (vocabulary or (word,))]
        if strange:
            raise _refuse(where, f"{strange[0]!r} is none of {', '.join(vocabulary or ())}")
    return field


def _mapped(field: Field) -> tuple[str, ...]:
    return tuple((field.map or {}).values())


def split(text: str) -> list[str]:
    """Return the parts of a text that stand between semicolons."""
    return [part.strip() for part in text.split(";") if part.strip()]


def _at(where: str, key: str) -> str:
    return f"{where} {key}" if where.endswith(":") else f"{where}.{key}"


def _refuse(where: str, mend: str) -> UnusableInput:
    return UnusableInput(f"{where.removesuffix(':')}: {mend}")


def _text(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise _refuse(where, "is not a text; put it in quotes")
    return value


def _texts(where: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _refuse(where, "is neither a text nor a list of texts")
    return tuple(value)


def _truth(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse(where, "is neither true nor false")
    return value


def _truth_or_unknown(where: str, value: object) -> bool | None:
    if value == "unknown":
        return None
    if not isinstance(value, bool):
        raise _refuse(where, 'is none of true, false, "unknown"')
    return value


def _whole(where: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _refuse(where, "is not a whole number")
    return value


def _date(where: str, value: object) -> date:
    if type(value) is not date:
        raise _refuse(where, "is not a date; write it as 2026-11-23, without quotes")
    return value


def _box(where: str, value: object) -> Box:
    if isinstance(value, list) and len(value) == 4 and all(map(_is_number, value)):
        west, south, east, north = map(float, value)
        if -180 <= west < east <= 180 and -90 <= south < north <= 90:
            return west, south, east, north
    raise _refuse(where, "is not a box; write [west, south, east, north] in degrees")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(words: tuple[str, ...]) -> _Read:
    def read(where: str, value: object) -> str:
        if value not in words:
            raise _refuse(where, f"is none of {', '.join(words)}")
        return str(value)

    return read


def _some_of(words: tuple[str, ...]) -> _Read:
    def read(where: str, value: object) -> tuple[str, ...]:
        chosen = _texts(where, value)
        if not set(chosen) <= set(words):
            raise _refuse(where, f"may only hold {', '.join(words)}")
        return chosen

    return read


def _pattern(where: str, value: object) -> re.Pattern[str]:
    try:
        return re.compile(_text(where, value))
    except re.error as error:
        raise _refuse(where, f"is not a regular expression: {error}") from error


def _grouped(where: str, value: object) -> re.Pattern[str]:
    pattern = _pattern(where, value)
    if pattern.groups != 1:
        raise _refuse(where, "needs one group in brackets, which is the text to read")
    return pattern


def _each(read: _Read) -> _Read:
    def table(where: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _refuse(where, "is not a table")
        return {name: read(_at(where, name), item) for name, item in value.items()}

    return table


def _crs(where: str, value: object) -> str:
    import pyproj

    text = _text(where, value)
    try:
        pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError as error:
        raise _refuse(where, f"no such reference system: {text}") from error
    return text


def _encoding(where: str, value: object) -> str:
    text = _text(where, value)
    try:
        "".encode(text)
    except LookupError as error:
        raise _refuse(where, f"no such encoding: {text}") from error
    return text


def _as_it_is(where: str, value: object) -> object:
    del where  # checked one level down
    return value


_NEEDED: Final = ("title", "publisher", "licence", "attribution", "covers", "counts", "fields")
_DEFAULTS: Final[dict[str, Any]] = {
    "url": "",
    "documentation": "",
    "redistributable": None,
    "has_duplicates": None,
    "date": None,
    "seen_by": "list",
    "identity": (),
    "drop": (),
    "only": {},
    "notes": (),
}
_TOP: Final[dict[str, _Read]] = {
    "title": _text,
    "publisher": _text,
    "url": _text,
    "documentation": _text,
    "licence": _text,
    "redistributable": _truth_or_unknown,
    "attribution": _text,
    "covers": _text,
    "counts": _one_of(COUNTS),
    "has_duplicates": _truth_or_unknown,
    "date": _date,
    "seen_by": _one_of(VOCABULARIES["seen_by"]),
    "identity": _texts,
    "drop": _texts,
    "only": _each(_texts),
    "notes": _texts,
    "total": _as_it_is,
    "file": _as_it_is,
    "match": _as_it_is,
    "area": _as_it_is,
    "fields": _as_it_is,
}
_FILE: Final[dict[str, _Read]] = {
    "formats": _some_of(FORMATS),
    "encoding": _encoding,
    "delimiter": _text,
    "header": _truth,
    "columns": _texts,
    "skip_rows": _whole,
    "sheet": _text,
    "layer": _text,
    "records": _text,
    "decimal": _one_of((".", ",")),
    "crs": _crs,
}
_MATCH: Final[dict[str, _Read]] = {
    "columns": _texts,
    "exactly": _truth,
    "names": _texts,
    "values": _each(_pattern),
}
_AREA: Final[dict[str, _Read]] = {"name": _text, "country": _text, "box": _box, "near": _text}
_TOTAL: Final[dict[str, _Read]] = {"column": _text, "parts": _texts}
_FIELD: Final[dict[str, _Read]] = {
    "column": _texts,
    "value": _text,
    "map": _each(_text),
    "other": _text,
    "empty": _text,
    "zero": _one_of(("unknown",)),
    "read": _one_of(READERS),
    "formats": _texts,
    "suffix": _text,
    "prefix": _text,
    "strip": _text,
    "pattern": _grouped,
    "sum": _truth,
    "join": _text,
    "makers": _one_of(("drop",)),
}
