"""Where people go: shops, schools, offices, stops and the like, for the synthetic residents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import osmium
import pyarrow as pa
from osmium.filter import KeyFilter
from osmium.index import create_map
from osmium.osm import NODE, WAY

from sousveil.records import PLACES
from sousveil.sources.osm._formats import Format, open_bytes
from sousveil.sources.osm._passes import Input, each, header, ways_are_located

KEYS: Final = (
    "amenity",
    "shop",
    "office",
    "leisure",
    "tourism",
    "craft",
    "healthcare",
    "railway",
    "public_transport",
)
"""Tags that make an object a place, the first that it has; and `highway=bus_stop`."""

_Found = tuple[str, str, float, float]


def read(source: Input) -> pa.Table:
    """Return records.PLACES of a PBF or XML file: nodes, and ways by the middle of their nodes."""
    return _table(_placed(source))


def read_json(path: Path, form: Format) -> pa.Table:
    """Return records.PLACES of an Overpass answer."""
    with open_bytes(path, form.compression) as file:
        answer = json.load(file)
    elements = answer.get("elements", []) if isinstance(answer, dict) else answer
    return _table(_of_elements(elements))


def _placed(source: Input) -> Iterator[_Found]:
    locate = osmium.NodeLocationsForWays(create_map("flex_mem"))
    locate.ignore_errors()
    locate.apply_nodes_to_ways = not ways_are_located(header(source))
    wanted = KeyFilter(*KEYS, "highway")
    for obj in each(source, NODE | WAY, locate, wanted):
        tag = _main_tag(obj.tags)
        if tag is None:
            continue
        if obj.is_node():
            where = [obj.location] if obj.location.valid() else []
        else:
            where = [node.location for node in obj.nodes if node.location.valid()]
        if where:
            lon = sum(one.lon for one in where) / len(where)
            lat = sum(one.lat for one in where) / len(where)
            yield f"{'node' if obj.is_node() else 'way'}/{obj.id}", tag, lon, lat


def _of_elements(elements: Any) -> Iterator[_Found]:
    positions = {
        one["id"]: (one["lon"], one["lat"])
        for one in elements
        if one.get("type") == "node" and "lon" in one and "lat" in one
    }
    for one in elements:
        tag = _main_tag(one.get("tags") or {})
        if tag is None or one.get("type") not in ("node", "way"):
            continue
        where = _positions(one, positions)
        if where:
            lon, lat = (sum(axis) / len(where) for axis in zip(*where, strict=True))
            yield f"{one['type']}/{one['id']}", tag, lon, lat


def _positions(one: Any, nodes: dict[int, tuple[float, float]]) -> list[tuple[float, float]]:
    if one["type"] == "node":
        return [nodes[one["id"]]] if one["id"] in nodes else []
    if "center" in one:
        return [(one["center"]["lon"], one["center"]["lat"])]
    drawn = [(p["lon"], p["lat"]) for p in one.get("geometry") or [] if p]
    return drawn or [nodes[node] for node in one.get("nodes", []) if node in nodes]


def _main_tag(tags: Any) -> str | None:
    if tags.get("highway") == "bus_stop":
        return "highway=bus_stop"
    for key in KEYS:
        value = tags.get(key)
        if value:
            return f"{key}={value}"
    return None


def _table(found: Iterator[_Found]) -> pa.Table:
    rows = [dict(zip(PLACES.names, row, strict=True)) for row in found]
    return pa.Table.from_pylist(rows, schema=PLACES)
