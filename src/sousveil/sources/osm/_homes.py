"""Where people live, as far as the map says it: numbers of flats, and addresses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from sousveil.records import HOMES
from sousveil.sources.osm import _places
from sousveil.sources.osm._formats import Format, open_bytes
from sousveil.sources.osm._passes import Input

KEYS: Final = ("building:flats", "addr:flats", "addr:housenumber")

_RANGE: Final = re.compile(r"(\d+)\s*-\s*(\d+)")
_MOST_FLATS: Final = 2000


def read(source: Input) -> pa.Table:
    """Return records.HOMES of a PBF or XML file: nodes, and ways by the middle of their nodes."""
    return _table(_places.located(source, *KEYS))


def read_json(path: Path, form: Format) -> pa.Table:
    """Return records.HOMES of an Overpass answer."""
    with open_bytes(path, form.compression) as file:
        answer = json.load(file)
    elements = answer.get("elements", []) if isinstance(answer, dict) else answer
    return _table(_places.located_in(elements))


def flats(text: str | None) -> int | None:
    """Return how many flats a tag names: "12", or a list of their names, such as "1-4;6"."""
    if not text:
        return None
    n = 0
    for part in filter(None, (one.strip() for one in text.split(";"))):
        match = _RANGE.fullmatch(part)
        n += int(match[2]) - int(match[1]) + 1 if match and int(match[2]) >= int(match[1]) else 1
    return n if 1 <= n <= _MOST_FLATS else None


def _table(found: Iterable[tuple[str, Any, float, float]]) -> pa.Table:
    return pa.Table.from_pylist(list(_rows(found)), schema=HOMES)


def _rows(found: Iterable[tuple[str, Any, float, float]]) -> Iterator[dict[str, Any]]:
    for name, tags, lon, lat in found:
        if any(tags.get(key) for key in _places.KEYS):
            continue  # the address of a shop, an office or a school
        whole = tags.get("building:flats") or ""
        n = int(whole) if whole.isdigit() and 1 <= int(whole) <= _MOST_FLATS else None
        n = flats(tags.get("addr:flats")) if n is None else n
        if n is not None or tags.get("addr:housenumber"):
            yield {"home_id": name, "lon": lon, "lat": lat, "flats": n,
                   "address": bool(tags.get("addr:housenumber"))}  # fmt: skip
