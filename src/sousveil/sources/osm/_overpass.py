"""Objects of interest, streets and buildings of an Overpass answer in JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, cast

import shapely

from sousveil.sources.osm._boundaries import Boundary, boundary, is_boundary
from sousveil.sources.osm._contents import Contents, SetAside
from sousveil.sources.osm._features import (
    BUILDING_KEYS,
    STREET_KEYS,
    Collector,
    Features,
    Row,
    as_polygon,
    no_features,
)
from sousveil.sources.osm._formats import Format, incomplete_download, open_bytes
from sousveil.sources.osm._geometry import (
    Position,
    area_within,
    line_through,
    representative_point,
    whole_of,
)
from sousveil.sources.osm._json_elements import ELEMENT_BYTES, Answer, TooLarge
from sousveil.sources.osm._objects import (
    Found,
    Key,
    ObjectType,
    is_enforcement,
    is_installation,
    known_time,
    newest,
    numbered,
)

Tags = dict[str, str]
Progress = Callable[[str], None]

_TYPES: Final = ("node", "way", "relation")
_TYPE: Final = re.compile(rb'"type"\s*:\s*"(node|way|relation)"')
_ID: Final = re.compile(rb'"id"\s*:\s*(-?\d{1,19})\b')


@dataclass
class _Answer:
    """What an answer says, as far as it matters; grows as elements are taken."""

    found: list[Found] = field(default_factory=list)
    nodes: dict[int, Position] = field(default_factory=dict)
    tagged: dict[Key, Found] = field(default_factory=dict)  # may turn out to be devices
    lines: dict[int, shapely.Geometry] = field(default_factory=dict)  # of ways with geometry
    partial: set[int] = field(default_factory=set)  # ways whose line lacks positions
    refs: dict[int, list[int]] = field(default_factory=dict)  # nodes of ways without geometry
    relations: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    drawn: dict[int, Tags] = field(default_factory=dict)  # streets and buildings that are ways
    devices: dict[Key, str] = field(default_factory=dict)
    set_aside: list[SetAside] = field(default_factory=list)
    newest_edit: datetime | None = None

    def take(self, element: Any) -> None:
        """Take what matters of one element."""
        if isinstance(element, TooLarge):
            self.set_aside.append(_passed_over(element))
            return
        kind, id_ = _identity(element)
        if kind not in _TYPES or element.get("visible") is False:
            if kind is None:
                shown = str(element)[:200]
                self.set_aside.append(SetAside(None, None, shown, "an element without type and id"))
            return
        key = (cast(ObjectType, kind), id_)
        tags = _tags(element)
        edited_at = _time(element.get("timestamp"))
        self.newest_edit = max(filter(None, (self.newest_edit, edited_at)), default=None)
        one = Found(*key, _version(element), *_place(element), tags, edited_at)
        if is_installation(tags):
            self.found.append(one)
        elif tags and kind != "relation":
            self.tagged[key] = one
        self._take_geometry(key, element, tags)

    def _take_geometry(self, key: Key, element: Mapping[str, Any], tags: Tags) -> None:
        kind, id_ = key
        if kind == "node":
            if (position := _position(element)) is not None:
                self.nodes[id_] = position
        elif kind == "way":
            if "highway" in tags or tags.get("building", "no") != "no":
                self.drawn[id_] = tags
            if not self._draw(id_, element.get("geometry")):
                self.refs[id_] = [ref for ref in _list(element.get("nodes")) if _is_id(ref)]
        else:
            if is_installation(tags) or _is_drawn(tags) or is_boundary(tags):
                self.relations[id_] = element
                self._take_members(element)
            if is_enforcement(tags):
                devices = (m for m in _members(element) if m.get("role") == "device")
                value = tags.get("enforcement", "")
                self.devices |= {(m["type"], m["ref"]): value for m in devices}

    def _take_members(self, relation: Mapping[str, Any]) -> None:
        """Take what the answer says of the members within the relation itself."""
        for member in _members(relation):
            if member["type"] == "way" and member["ref"] not in self.lines:
                self._draw(member["ref"], member.get("geometry"))
            elif (position := _position(member)) is not None:
                self.nodes.setdefault(member["ref"], position)

    def draw_by_nodes(self) -> None:
        """Draw the ways that came without geometry through the nodes that came somewhere else."""
        for way, refs in self.refs.items():
            if way not in self.lines:
                self._draw_through(way, [self.nodes.get(ref) for ref in refs])

    def devices_found(self) -> Iterator[Found]:
        """Yield the devices of enforcement relations that the answer holds, tagged or not."""
        for key in self.devices:
            kind, id_ = key
            if key in self.tagged:
                yield self.tagged[key]
            elif kind == "node" and id_ in self.nodes:
                yield Found(*key, -1, *self.nodes[id_], {}, None)

    def whole_lines(self) -> dict[int, shapely.Geometry]:
        """Return the lines that lack no position."""
        return {way: line for way, line in self.lines.items() if way not in self.partial}

    def _draw(self, way: int, geometry: Any) -> bool:
        points = (point if isinstance(point, dict) else {} for point in _list(geometry))
        return self._draw_through(way, [_position(point) for point in points])

    def _draw_through(self, way: int, positions: Sequence[Position | None]) -> bool:
        """Draw what is known of a way, in runs between the positions that are not known."""
        runs: list[list[Position]] = [[]]
        for position in positions:
            if position is None:
                runs.append([])
            else:
                runs[-1].append(position)
        line = line_through(runs)
        if line is not None:
            self.lines[way] = line
            (self.partial.add if None in positions else self.partial.discard)(way)
        return line is not None


def read(path: Path, form: Format, *, context: bool, progress: Progress) -> Contents:
    """Read one answer; context: its streets and buildings too.

    Raises UnusableInput for an answer that Overpass broke off, ValueError for broken JSON.
    """
    progress("Reading the Overpass answer")
    answer = _Answer()
    with open_bytes(path, form.compression) as stream:
        elements = Answer(stream)
        for element in elements:
            answer.take(element)
    remark = str(elements.frame.get("remark", ""))
    if "error" in remark.casefold():
        raise incomplete_download(path, remark)
    answer.draw_by_nodes()
    features, notes = _draw(answer) if context else (no_features(), [])
    found = newest([*answer.found, *answer.devices_found()])
    placed = {key: _placed(one, answer) for key, one in found.items()}
    return Contents(
        objects=numbered(placed, answer.devices),
        content_date=_base_date(elements.frame) or _date(answer.newest_edit),
        header_box=None,
        streets=features.streets,
        buildings=features.buildings,
        set_aside=answer.set_aside,
        notes=notes,
    )


def boundaries(path: Path, form: Format) -> tuple[list[Boundary], dict[int, shapely.Geometry]]:
    """Return the administrative boundaries of an answer and the complete lines of all ways."""
    answer = _Answer()
    with open_bytes(path, form.compression) as stream:
        for element in Answer(stream):
            answer.take(element)
    answer.draw_by_nodes()
    found = []
    for id_, relation in answer.relations.items():
        if is_boundary(tags := _tags(relation)):
            ways = [member["ref"] for member in _members(relation) if member["type"] == "way"]
            found.append(boundary(id_, tags, ways))
    return found, answer.whole_lines()


def _draw(answer: _Answer) -> tuple[Features, list[str]]:
    undrawn = 0
    with Collector() as collector:
        for id_, tags in answer.drawn.items():
            line = answer.lines.get(id_)
            undrawn += line is None or not _draw_way(collector, id_, _hex(line), tags)
        relations = list(_drawn_relations(answer))
        features = collector.finish(relations)
    undrawn += sum(_is_drawn(_tags(r)) for r in answer.relations.values()) - len(relations)
    return features, features.notes(undrawn)


def _draw_way(collector: Collector, id_: int, line: str, tags: Tags) -> bool:
    """Hand a way over as street, building or both; False for a building that is not closed."""
    if "highway" in tags:
        collector.add_street((id_, line, tags["highway"], *map(tags.get, STREET_KEYS)))
    if tags.get("building", "no") == "no":
        return True
    polygon = as_polygon(line)
    if polygon is not None:
        row = (id_, polygon, tags["building"], *map(tags.get, BUILDING_KEYS))
        collector.add_building(row)
    return polygon is not None


def _drawn_relations(answer: _Answer) -> Iterator[Row]:
    whole = answer.whole_lines()
    for id_, relation in answer.relations.items():
        tags = _tags(relation)
        ways = [m["ref"] for m in _members(relation) if m["type"] == "way"]
        if not _is_drawn(tags) or not all(way in whole for way in ways):
            continue
        area = area_within([whole[way] for way in ways])
        if area is not None:
            yield (id_, _hex(area), tags["building"], *map(tags.get, BUILDING_KEYS))


def _placed(one: Found, answer: _Answer) -> Found:
    """Give a way or relation the position of its geometry; else its centre, if that was asked."""
    if one.type == "node":
        return one
    geometry = answer.lines.get(one.id)
    if one.type == "relation":
        members = [(m["type"], m["ref"]) for m in _members(answer.relations.get(one.id, {}))]
        geometry = whole_of(
            [answer.lines[i] for kind, i in members if kind == "way" and i in answer.lines],
            [answer.nodes[i] for kind, i in members if kind == "node" and i in answer.nodes],
        )
    point = representative_point(geometry)
    return one if point is None else one._replace(lon=point[0], lat=point[1])


def _is_drawn(tags: Mapping[str, str]) -> bool:
    return tags.get("type") == "multipolygon" and tags.get("building", "no") != "no"


def _passed_over(element: TooLarge) -> SetAside:
    kind, id_ = _TYPE.search(element.head), _ID.search(element.head)
    native_id = f"{kind[1].decode()}/{id_[1].decode()}" if kind and id_ else None
    return SetAside(native_id, None, None, f"larger than {ELEMENT_BYTES >> 20} MB")


def _identity(element: Any) -> tuple[str | None, int]:
    if not isinstance(element, dict):
        return None, 0
    kind, id_ = element.get("type"), element.get("id")
    if not isinstance(kind, str) or (kind in _TYPES and not _is_id(id_)):
        return None, 0
    return kind, cast(int, id_) if _is_id(id_) else 0


def _tags(element: Mapping[str, Any]) -> Tags:
    tags = element.get("tags")
    if not isinstance(tags, dict):
        return {}
    return {k: str(v) for k, v in tags.items() if isinstance(v, str | int | float)}


def _members(element: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        member
        for member in _list(element.get("members"))
        if isinstance(member, dict) and member.get("type") in _TYPES and _is_id(member.get("ref"))
    ]


def _place(element: Mapping[str, Any]) -> tuple[float | None, float | None]:
    center = element.get("center")
    return (
        _position(element)
        or (_position(center) if isinstance(center, dict) else None)
        or (
            None,
            None,
        )
    )


def _position(where: Mapping[str, Any]) -> Position | None:
    lon, lat = _degrees(where.get("lon")), _degrees(where.get("lat"))
    return None if lon is None or lat is None else (lon, lat)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63


def _degrees(value: Any) -> float | None:
    # By size and not by math.isfinite, which fails on an integer of 400 digits.
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6:
        return float(value)
    return None


def _version(element: Mapping[str, Any]) -> int:
    version = element.get("version")
    return version if isinstance(version, int) else 0


def _time(text: Any) -> datetime | None:
    try:
        return known_time(datetime.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def _date(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _base_date(frame: Mapping[str, Any]) -> date | None:
    about = frame.get("osm3s")
    return _date(_time(about.get("timestamp_osm_base"))) if isinstance(about, dict) else None


def _hex(geometry: shapely.Geometry) -> str:
    return str(shapely.to_wkb(geometry, hex=True, byte_order=1))
