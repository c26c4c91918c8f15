"""Writes small OpenStreetMap files for tests, in any of the formats, from plain objects."""

from __future__ import annotations

import bz2
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import osmium
from osmium.osm.mutable import Node, Relation, Way

DAY = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
CAMERA = {"man_made": "surveillance", "surveillance:type": "camera"}


def node(id: int, lon: float | None, lat: float | None, /, **kwargs: Any) -> Node:
    """Make a node; lon and lat None: one without coordinates. tags, version, timestamp as named."""
    location = None if lon is None else (lon, lat)
    return Node(id=id, location=location, **_defaults(kwargs))


def way(id: int, nodes: list[int], /, **kwargs: Any) -> Way:
    """Make a way through nodes."""
    return Way(id=id, nodes=nodes, **_defaults(kwargs))


def relation(id: int, members: list[tuple[str, int, str]], /, **kwargs: Any) -> Relation:
    """Make a relation of members ("n" | "w" | "r", id, role)."""
    return Relation(id=id, members=members, **_defaults(kwargs))


def square(first: int, lon: float, lat: float, side: float = 0.001) -> list[Node]:
    """Make the four corners of a square, counter-clockwise, with ids from `first`."""
    corners = [(lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side)]
    return [node(first + i, *corner) for i, corner in enumerate(corners)]


def ring(first: int) -> list[int]:
    """List the nodes of a way around the square that begins with a node."""
    return [first, first + 1, first + 2, first + 3, first]


def write(
    path: Path, *objects: Any, timestamp: str | None = None, box: tuple[float, ...] | None = None
) -> Path:
    """Write objects in the order given; the format follows the name (.osm.pbf, .osm, .opl ...)."""
    header = osmium.io.Header()
    if timestamp:
        header.set("timestamp", timestamp)
        header.set("osmosis_replication_timestamp", timestamp)
    if box:
        header.add_box(osmium.osm.Box(*box))
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for obj in objects:
            writer.add(obj)
    return path


def xml(*lines: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    """Frame lines of XML as an OpenStreetMap file."""
    return "\n".join([head, '<osm version="0.6" generator="test">', *lines, "</osm>\n"])


def xml_tags(tags: dict[str, str]) -> str:
    """Write tags as XML."""
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


def xml_camera(id: int, lon: float, lat: float, *more: str) -> str:
    """Write a camera as XML; more: further XML inside it."""
    tags = xml_tags(CAMERA) + "".join(more)
    return f'<node id="{id}" version="1" lon="{lon}" lat="{lat}">{tags}</node>'


def save(path: Path, content: str | bytes) -> Path:
    """Write text or bytes, compressed if the name ends in .gz or .bz2."""
    data = content.encode() if isinstance(content, str) else content
    packed = {".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix)
    path.write_bytes(packed(data) if packed else data)
    return path


def overpass(*elements: dict[str, Any], **frame: Any) -> str:
    """Frame elements as an answer of Overpass."""
    answer = {"version": 0.6, "generator": "Overpass API 0.7.62", **frame, "elements": [*elements]}
    remark = answer.pop("remark", None)
    return json.dumps(answer | ({"remark": remark} if remark else {}), indent=1)


def _defaults(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "timestamp": DAY, "visible": True, "tags": {}} | kwargs


def small_town(path: Path) -> Path:
    """Write a town of 25 blocks with a street around each, a building in each, and 10 cameras."""
    lon, lat, step = 11.0, 48.0, 0.002
    crossings = {(i, j): 1 + 6 * i + j for i in range(6) for j in range(6)}
    objects: list[Any] = [
        node(id, lon + i * step, lat + j * step) for (i, j), id in crossings.items()
    ]
    streets = [[crossings[i, j] for j in range(6)] for i in range(6)]
    streets += [[crossings[i, j] for i in range(6)] for j in range(6)]
    ways = [
        way(1 + n, nodes, tags={"highway": "residential", "name": f"Street {n}"})
        for n, nodes in enumerate(streets)
    ]
    for block in range(25):
        first, (i, j) = 1000 + 4 * block, divmod(block, 5)
        objects += square(first, lon + (i + 0.25) * step, lat + (j + 0.25) * step, step / 2)
        ways.append(way(100 + block, ring(first), tags={"building": "yes"}))
    objects += [
        node(5000 + n, lon + (0.1 + n) * step / 2, lat + 0.1 * step, tags=CAMERA) for n in range(10)
    ]
    return write(path, *objects, *ways, timestamp="2024-05-06T00:00:00Z")


def empty_extract(path: Path) -> Path:
    """Write an extract with a street and a building and not one camera."""
    street = way(1, [1, 2], tags={"highway": "residential"})
    building = way(2, ring(10), tags={"building": "yes"})
    nodes = [node(1, 11.0, 48.0), node(2, 11.002, 48.0), *square(10, 11.0, 48.0005)]
    return write(path, *nodes, street, building, timestamp="2024-05-06T00:00:00Z")
