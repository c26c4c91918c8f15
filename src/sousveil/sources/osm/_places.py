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
    for name, tags, lon, lat in located(source, *KEYS, "highway"):
        tag = _main_tag(tags)
        if tag is not None:
            yield name, tag, lon, lat


def located(source: Input, *keys: str) -> Iterator[tuple[str, Any, float, float]]:
    """Yield id, tags and middle of the nodes and ways that have any of some keys.

    The tags are to be read before the next is asked for.
    """
    locate = osmium.NodeLocationsForWays(create_map("flex_mem"))
    locate.ignore_errors()
    locate.apply_nodes_to_ways = not ways_are_located(header(source))
    for obj in each(source, NODE | WAY, locate, KeyFilter(*keys)):
        if obj.is_node():
            where = [obj.location] if obj.location.valid() else []
        else:
            where = [node.location for node in obj.nodes if node.location.valid()]
        if where:
            lon = sum(one.lon for one in where) / len(where)
            lat = sum(one.lat for one in where) / len(where)
            yield f"{'node' if obj.is_node() else 'way'}/{obj.id}", obj.tags, lon, lat


def _of_elements(elements: Any) -> Iterator[_Found]:
    for name, tags, lon, lat in located_in(elements):
        tag = _main_tag(tags)
        if tag is not None:
            yield name, tag, lon, lat


def located_in(elements: Any) -> Iterator[tuple[str, Any, float, float]]:
    """Yield id, tags and middle of the nodes and ways of an Overpass answer that have tags."""
    positions = {
        one["id"]: (one["lon"], one["lat"])
        for one in elements
        if one.get("type") == "node" and "lon" in one and "lat" in one
    }
    for one in elements:
        if not one.get("tags") or one.get("type") not in ("node", "way"):
            continue
        where = _positions(one, positions)
        if where:
            lon, lat = (sum(axis) / len(where) for axis in zip(*where, strict=True))
            yield f"{one['type']}/{one['id']}", one["tags"], lon, lat


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
