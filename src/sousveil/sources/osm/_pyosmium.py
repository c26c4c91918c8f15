"""Objects of interest, streets and buildings of a PBF or XML file, read with pyosmium.

What decides the speed, measured on 100 MB of real extracts: filters run in C++, so that Python
sees ways and cameras and never one of the millions of other nodes; of a street or a building only
the tags that are kept are read; geometry is made by osmium as WKB. What decides the memory: the
positions of nodes cost 16 bytes a node while the file is read, and sets of ids are never handed to
osmium without thought: its own sets take 4 MB for every 33 million ids that one of theirs falls
into, 1.4 GB for a thousand nodes from all years.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import shapely
from osmium.filter import TagFilter
from osmium.io import Header
from osmium.osm import NODE, OBJECT, RELATION, WAY

from sousveil.sources.osm import _boundaries
from sousveil.sources.osm._contents import Contents
from sousveil.sources.osm._drawing import Drawing
from sousveil.sources.osm._features import Collector, Features, no_features
from sousveil.sources.osm._findings import Findings
from sousveil.sources.osm._geometry import line_through
from sousveil.sources.osm._objects import (
    INSTALLATION_TAGS,
    Found,
    ObjectType,
    is_installation,
    known_time,
)
from sousveil.sources.osm._passes import (
    Input,
    content_date,
    each,
    header,
    pick,
    runs_of,
    ways_are_located,
)
from sousveil.sources.osm._pbf_blobs import Blob

Progress = Callable[[str], None]

WORDS: Final = tuple({value.encode() for _, value in INSTALLATION_TAGS} | {b"enforcement"})
"""A blob that holds none of these among its texts holds nothing that is looked for."""

_NAMES: Final[Mapping[str, ObjectType]] = {"n": "node", "w": "way", "r": "relation"}
_ENTITIES: Final[Mapping[ObjectType, Any]] = {"node": NODE, "way": WAY, "relation": RELATION}
_ENFORCEMENT: Final = ("type", "enforcement")
_MULTIPOLYGON: Final = ("type", "multipolygon")


class Disordered(Exception):
    """The file holds nodes after the ways that need them."""


@dataclass
class _Findings(Findings):
    """What the objects that passed the filters say; grows as they are taken."""

    unlocated: dict[int, list[int]] = field(default_factory=dict)  # nodes of ways without a line

    def take(self, obj: Any) -> None:
        """Take what matters of one object of a pass."""
        kind = _NAMES[obj.type_str()]
        if kind == "relation":
            members = [(_NAMES[m.type], m.ref, m.role) for m in obj.members]
            self.take_relation(obj.id, obj.tags, members)
        if not is_installation(obj.tags) and (kind, obj.id) not in self.devices:
            return
        lon, lat = _position(obj) if kind == "node" else (None, None)
        tags = {tag.k: tag.v for tag in obj.tags}
        edited_at = known_time(obj.timestamp)
        self.found.append(Found(kind, obj.id, obj.version, lon, lat, tags, edited_at))
        if kind == "way":
            self._take_way(obj)

    def _take_way(self, way: Any) -> None:
        line = line_through(runs_of(way))
        if line is None:
            self.unlocated[way.id] = [node.ref for node in way.nodes]
        else:
            self.lines[way.id] = line


def read(source: Input, *, context: bool, progress: Progress) -> Contents:
    """Read one file; context: its streets and buildings too.

    The file holds every object once and none that was deleted (`newest_versions` sees to that).
    Raises Disordered for a file that has to be put in order first, and for damaged files what
    pyosmium raises: RuntimeError, ValueError, MemoryError and its own InvalidLocationError.
    """
    head = header(source)
    findings = _Findings()
    if context:
        progress("Reading relations")
        wanted = TagFilter(*INSTALLATION_TAGS, _ENFORCEMENT, _MULTIPOLYGON)
        _take_all(findings, each(source, RELATION, wanted, where=_has_relations))
        progress("Reading cameras, streets and buildings")
        features, newest_edit, notes = _draw(source, head, findings)
    else:
        progress("Reading cameras")
        wanted = TagFilter(*INSTALLATION_TAGS, _ENFORCEMENT)
        _take_all(findings, each(source, OBJECT, wanted, where=lambda blob: blob.spoken))
        features, newest_edit, notes = no_features(), None, []
    _find_devices(source, findings)
    _look_up_places(source, findings, members=not context)
    return findings.contents(head, features, newest_edit, notes)


def boundaries(source: Input) -> Iterator[_boundaries.Boundary]:
    """Yield the administrative boundaries of a file."""
    wanted = TagFilter(("boundary", "administrative"))
    for relation in each(source, RELATION, wanted, where=_has_relations):
        tags = {tag.k: tag.v for tag in relation.tags}
        ways = [member.ref for member in relation.members if member.type == "w"]
        yield _boundaries.boundary(relation.id, tags, ways)


def _has_relations(blob: Blob) -> bool:
    return "relation" in blob.kinds


def _take_all(findings: _Findings, objects: Iterable[Any]) -> None:
    for obj in objects:
        findings.take(obj)


def _draw(
    source: Input, head: Header, findings: _Findings
) -> tuple[Features, datetime | None, list[str]]:
    """Take cameras, streets and buildings in one pass; relations have been taken before."""
    outlines = {way for building in findings.buildings for way in building.ways}
    members = findings.member_ids("way")
    with Collector() as collector:
        drawing = Drawing(collector, ways=outlines | members, dated=content_date(head) is not None)
        located = ways_are_located(head)
        cameras = TagFilter(*INSTALLATION_TAGS)
        _take_all(findings, drawing.objects(source, cameras, located=located))
        if drawing.nodes_came_late():
            raise Disordered
        whole = {way: line for way, line in drawing.lines.items() if way not in drawing.partial}
        drawn = findings.drawn_buildings(whole)
        features = collector.finish(drawn)
    for way in members & drawing.lines.keys():
        findings.lines[way] = shapely.from_wkb(drawing.lines[way])
    for node in findings.member_ids("node"):
        if (position := drawing.position(node)) is not None:
            findings.nodes[node] = position
    findings.unlocated.clear()  # of ways whose nodes were looked for in vain
    undrawn = drawing.undrawn + len(findings.buildings) - len(drawn)
    return features, known_time(drawing.newest_edit), features.notes(undrawn)


def _find_devices(source: Input, findings: _Findings) -> None:
    """Take the devices of enforcement relations that no tag of their own gave away."""
    missing = {kind: findings.missing_devices(kind) for kind in _ENTITIES}
    for kind, entity in _ENTITIES.items():
        _take_all(findings, pick(source, entity, missing[kind]))


def _look_up_places(source: Input, findings: _Findings, *, members: bool) -> None:
    """Find the lines and nodes that place ways, and relations by their members if asked to."""
    nodes_of = dict(findings.unlocated)
    ways = findings.member_ids("way") - findings.lines.keys() if members else set()
    for way in pick(source, WAY, ways):
        nodes_of[way.id] = [node.ref for node in way.nodes]
    wanted = {node for nodes in nodes_of.values() for node in nodes}
    wanted |= findings.member_ids("node") if members else set()
    for node in pick(source, NODE, wanted):
        if node.location.valid():
            findings.nodes[node.id] = (node.lon, node.lat)
    for way, nodes in nodes_of.items():
        known = [findings.nodes[node] for node in nodes if node in findings.nodes]
        line = line_through([known])
        if line is not None:
            findings.lines[way] = line


def _position(node: Any) -> tuple[float | None, float | None]:
    return (node.lon, node.lat) if node.location.valid() else (None, None)
