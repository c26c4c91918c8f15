"""What a reader of PBF or XML has found so far, and the contents of the file made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, NamedTuple

import shapely
from osmium.io import Header

from sousveil.sources.osm._contents import Contents
from sousveil.sources.osm._features import BUILDING_KEYS, Features, Row
from sousveil.sources.osm._geometry import (
    Position,
    areas_within,
    representative_point,
    whole_of,
)
from sousveil.sources.osm._objects import (
    Found,
    Key,
    ObjectType,
    is_enforcement,
    is_installation,
    newest,
    numbered,
)
from sousveil.sources.osm._passes import box, content_date


class Building(NamedTuple):
    """A building drawn as a relation: its tags in the order of a row, and its ways."""

    id: int
    tags: Row
    ways: list[int]


@dataclass
class Findings:
    """Objects of interest, and what places them."""

    found: list[Found] = field(default_factory=list)
    lines: dict[int, shapely.Geometry] = field(default_factory=dict)  # by id of the way
    nodes: dict[int, Position] = field(default_factory=dict)
    members: dict[int, list[Key]] = field(default_factory=dict)  # of the relations in found
    devices: dict[Key, str] = field(default_factory=dict)  # with the value of `enforcement`
    buildings: list[Building] = field(default_factory=list)

    def take_relation(
        self,
        id_: int,
        tags: Mapping[str, str],
        members: Sequence[tuple[ObjectType, int, str]],
    ) -> None:
        """Take what a relation says of other objects, and a building; members: type, id, role."""
        if is_installation(tags):
            self.members[id_] = [(kind, i) for kind, i, _ in members]
        if is_enforcement(tags):
            value = tags.get("enforcement", "")
            self.devices |= {(kind, i): value for kind, i, role in members if role == "device"}
        if tags.get("type") == "multipolygon" and tags.get("building", "no") != "no":
            row = (tags.get("building"), *map(tags.get, BUILDING_KEYS))
            ways = [i for kind, i, _ in members if kind == "way"]
            self.buildings.append(Building(id_, row, ways))

    def member_ids(self, kind: ObjectType) -> set[int]:
        """Return the ids of the members, of one kind, of the relations that were found."""
        return {i for members in self.members.values() for k, i in members if k == kind}

    def missing_devices(self, kind: ObjectType) -> list[int]:
        """Return the ids of devices, of one kind, that are not among what was found."""
        missing = self.devices.keys() - {(one.type, one.id) for one in self.found}
        return [i for k, i in missing if k == kind]

    def drawn_buildings(self, lines: Mapping[int, Any]) -> list[Row]:
        """Return a row for every building drawn as a relation all of whose ways are there.

        lines: WKB, as bytes or in hexadecimal, by id of the way.
        """
        complete = [
            building
            for building in self.buildings
            if building.ways and all(way in lines for way in building.ways)
        ]
        encoded = [lines[way] for building in complete for way in building.ways]
        shapes = iter(shapely.from_wkb(encoded).tolist() if encoded else [])
        areas = areas_within([list(islice(shapes, len(one.ways))) for one in complete])
        drawn = [(one, area) for one, area in zip(complete, areas, strict=True) if area is not None]
        polygons = shapely.to_wkb([area for _, area in drawn], hex=True, byte_order=1).tolist()
        return [
            (one.id, polygon, *one.tags) for (one, _), polygon in zip(drawn, polygons, strict=True)
        ]

    def contents(
        self, head: Header, features: Features, newest_edit: datetime | None, notes: list[str]
    ) -> Contents:
        """Return the contents of a file; newest_edit: of its streets and buildings, if asked for.

        Where the header does not date the file, the newest edit of what was kept of it does.
        """
        found = {key: self._placed(one) for key, one in newest(self.found).items()}
        edits = [one.edited_at for one in found.values()] + [newest_edit]
        return Contents(
            objects=numbered(found, self.devices),
            content_date=content_date(head) or _latest(edits),
            header_box=box(head),
            streets=features.streets,
            buildings=features.buildings,
            notes=notes,
        )

    def _placed(self, one: Found) -> Found:
        """Give a way or relation the position of its geometry, as far as that is known."""
        if one.type == "node":
            return one
        if one.type == "way":
            geometry = self.lines.get(one.id)
        else:
            members = self.members.get(one.id, [])
            geometry = whole_of(
                [self.lines[i] for kind, i in members if kind == "way" and i in self.lines],
                [self.nodes[i] for kind, i in members if kind == "node" and i in self.nodes],
            )
        lon, lat = representative_point(geometry) or (None, None)
        return one._replace(lon=lon, lat=lat)


def _latest(moments: Iterable[datetime | None]) -> date | None:
    return max((moment.date() for moment in moments if moment), default=None)
