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
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import shapely
from osmium.filter import TagFilter
from osmium.io import Header
from osmium.osm import NODE, OBJECT, RELATION, WAY

from sousveil.sources.osm import _boundaries
from sousveil.sources.osm._contents import Contents
from sousveil.sources.osm._drawing import Drawing
from sousveil.sources.osm._features import BUILDING_KEYS, Collector, Features, Row, no_features
from sousveil.sources.osm._geometry import (
    Position,
    area_within,
    line_through,
    representative_point,
    whole_of,
)
from sousveil.sources.osm._objects import (
    INSTALLATION_TAGS,
    Found,
    Key,
    ObjectType,
    is_enforcement,
    is_installation,
    known_time,
    newest,
    numbered,
)
from sousveil.sources.osm._passes import (
    Input,
    box,
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
_ENTITIES: Final = {"node": NODE, "way": WAY, "relation": RELATION}
_ENFORCEMENT: Final = ("type", "enforcement")
_MULTIPOLYGON: Final = ("type", "multipolygon")


class Disordered(Exception):
    """The file holds nodes after the ways that need them."""


class _Building(NamedTuple):
    """A building drawn as a relation: its tags in the order of a row, and its ways."""

    id: int
    tags: Row
    ways: list[int]


@dataclass
class _Findings:
    """What the objects that passed the filters say; grows as they are taken."""

    found: list[Found] = field(default_factory=list)
    lines: dict[int, shapely.Geometry] = field(default_factory=dict)  # by id of the way
    nodes: dict[int, Position] = field(default_factory=dict)
    unlocated: dict[int, list[int]] = field(default_factory=dict)  # nodes of ways without a line
    members: dict[int, list[Key]] = field(default_factory=dict)  # of the relations in found
    devices: dict[Key, str] = field(default_factory=dict)  # with the value of `enforcement`
    buildings: list[_Building] = field(default_factory=list)

    def take(self, obj: Any) -> None:
        """Take what matters of one object of a pass."""
        kind = _NAMES[obj.type_str()]
        if kind == "relation":
            self._take_relation(obj)
        if not is_installation(obj.tags) and (kind, obj.id) not in self.devices:
            return
        lon, lat = _position(obj) if kind == "node" else (None, None)
        tags = {tag.k: tag.v for tag in obj.tags}
        edited_at = known_time(obj.timestamp)
        self.found.append(Found(kind, obj.id, obj.version, lon, lat, tags, edited_at))
        if kind == "way":
            self._take_way(obj)

    def _take_relation(self, relation: Any) -> None:
        tags = relation.tags
        if is_installation(tags):
            self.members[relation.id] = [(_NAMES[m.type], m.ref) for m in relation.members]
        if is_enforcement(tags):
            value = tags.get("enforcement", "")
            devices = [m for m in relation.members if m.role == "device"]
            self.devices |= {(_NAMES[m.type], m.ref): value for m in devices}
        if tags.get("type") == "multipolygon" and tags.get("building", "no") != "no":
            row = (tags.get("building"), *map(tags.get, BUILDING_KEYS))
            ways = [m.ref for m in relation.members if m.type == "w"]
            self.buildings.append(_Building(relation.id, row, ways))

    def _take_way(self, way: Any) -> None:
        line = line_through(runs_of(way))
        if line is None:
            self.unlocated[way.id] = [node.ref for node in way.nodes]
        else:
            self.lines[way.id] = line

    def member_ids(self, kind: ObjectType) -> set[int]:
        """Return the ids of the members, of one kind, of the relations that were found."""
        return {i for members in self.members.values() for k, i in members if k == kind}


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
    found = {key: _placed(one, findings) for key, one in newest(findings.found).items()}
    edits = [one.edited_at for one in found.values()] + [newest_edit]
    return Contents(
        objects=numbered(found, findings.devices),
        # Where the header does not date the file: the newest edit of what was kept of it.
        content_date=content_date(head) or _latest(edits),
        header_box=box(head),
        streets=features.streets,
        buildings=features.buildings,
        notes=notes,
    )


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
        drawn = list(_drawn_buildings(findings.buildings, whole))
        features = collector.finish(drawn)
    for way in members & drawing.lines.keys():
        findings.lines[way] = shapely.from_wkb(drawing.lines[way])
    for node in findings.member_ids("node"):
        if (position := drawing.position(node)) is not None:
            findings.nodes[node] = position
    findings.unlocated.clear()  # of ways whose nodes were looked for in vain
    undrawn = drawing.undrawn + len(findings.buildings) - len(drawn)
    return features, known_time(drawing.newest_edit), features.notes(undrawn)


def _drawn_buildings(buildings: Iterable[_Building], lines: Mapping[int, str]) -> Iterator[Row]:
    """Yield a row for every building drawn as a relation all of whose ways are in the file."""
    for building in buildings:
        if not building.ways or not all(way in lines for way in building.ways):
            continue
        area = area_within(shapely.from_wkb([lines[way] for way in building.ways]))
        if area is not None:
            yield (building.id, shapely.to_wkb(area, hex=True, byte_order=1), *building.tags)


def _find_devices(source: Input, findings: _Findings) -> None:
    """Take the devices of enforcement relations that no tag of their own gave away."""
    missing = findings.devices.keys() - {(one.type, one.id) for one in findings.found}
    for kind, entity in _ENTITIES.items():
        _take_all(findings, pick(source, entity, [i for k, i in missing if k == kind]))


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


def _placed(one: Found, findings: _Findings) -> Found:
    """Give a way or relation the position of its geometry, as far as that is known."""
    if one.type == "node":
        return one
    if one.type == "way":
        geometry = findings.lines.get(one.id)
    else:
        members = findings.members.get(one.id, [])
        geometry = whole_of(
            [findings.lines[i] for kind, i in members if kind == "way" and i in findings.lines],
            [findings.nodes[i] for kind, i in members if kind == "node" and i in findings.nodes],
        )
    lon, lat = representative_point(geometry) or (None, None)
    return one._replace(lon=lon, lat=lat)


def _position(node: Any) -> tuple[float | None, float | None]:
    return (node.lon, node.lat) if node.location.valid() else (None, None)


def _latest(moments: Iterable[datetime | None]) -> date | None:
    return max((moment.date() for moment in moments if moment), default=None)
