"""The pass over nodes and ways that draws streets and buildings, the costly part of reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import osmium
import shapely
from osmium.geom import WKBFactory
from osmium.index import create_map
from osmium.osm import NODE, WAY

from sousveil.sources.osm._features import BUILDING_KEYS, STREET_KEYS, Collector, as_polygon
from sousveil.sources.osm._geometry import Position, line_through
from sousveil.sources.osm._passes import Input, each, runs_of

_NO_TAGS: Final = (None,) * len(BUILDING_KEYS)

_MISSED_NODES: Final = 1000


class Drawing:
    """One pass over nodes and ways: streets and buildings go to a collector, cameras are yielded.

    ways: ids of those whose lines are kept, as the members of relations. dated: the day of the
    file is known, so that nobody needs the newest edit.
    """

    def __init__(self, collector: Collector, *, ways: set[int], dated: bool) -> None:
        self.lines: dict[int, str] = {}  # WKB in hexadecimal by id of the way
        self.partial: set[int] = set()  # ways drawn without some of their nodes
        self.undrawn = 0  # streets and buildings of which the file lacks nodes
        self.newest_edit: datetime | None = None
        self._wanted = ways
        self._missed: list[int] = []  # some of the nodes that ways were drawn without
        self._index = create_map("flex_mem")
        # osmium calls this for every way that does not pass the filter of `objects`.
        self.way = self._way_handler(collector, dated=dated)

    def objects(self, source: Input, wanted: Any, *, located: bool) -> Iterator[Any]:
        """Yield nodes and ways that pass the filter `wanted`; every way is drawn on the way.

        located: the ways of the file carry positions themselves.
        """
        locate = osmium.NodeLocationsForWays(self._index)
        locate.ignore_errors()
        locate.apply_nodes_to_ways = not located
        for obj in each(source, NODE | WAY, locate, wanted, remainder=self):
            yield obj
            if obj.is_way():
                self.way(obj)

    def position(self, node: int) -> Position | None:
        """Return where a node of the file lies, None if the file does not say."""
        if node < 0:  # which the index has no place for
            return None
        try:
            location = self._index.get(node)
        except KeyError:
            return None
        return (location.lon, location.lat) if location.valid() else None

    def nodes_came_late(self) -> bool:
        """Tell whether a node that a way was drawn without came after it: to ask in the end."""
        return any(self.position(node) is not None for node in self._missed)

    def _way_handler(self, collector: Collector, *, dated: bool) -> Callable[[Any], None]:
        # A closure: what is looked up once here would be looked up once per way in a method.
        linestring = WKBFactory().create_linestring
        add_street, add_building = collector.add_street, collector.add_building
        lines, wanted = self.lines, self._wanted

        def way(obj: Any) -> None:
            tags = obj.tags
            get = tags.get
            highway, building = get("highway"), get("building")
            id_ = obj.id
            if highway is None and building is None and id_ not in wanted:
                return
            line: str | None
            try:
                line = linestring(obj)
            except (osmium.InvalidLocationError, RuntimeError):
                line = self._partial_line(obj)
            if line is None:
                self.undrawn += 1
                return
            if highway is not None:
                add_street((id_, line, highway, *map(get, STREET_KEYS)))
            if building is not None and building != "no":
                polygon = as_polygon(line)
                if polygon is None:
                    self.undrawn += 1
                else:
                    others = map(get, BUILDING_KEYS) if len(tags) > 1 else _NO_TAGS
                    add_building((id_, polygon, building, *others))
            if id_ in wanted:
                lines[id_] = line
            if not dated:
                edited = obj.timestamp
                if self.newest_edit is None or edited > self.newest_edit:
                    self.newest_edit = edited

        return way

    def _partial_line(self, way: Any) -> str | None:
        """Return the line through the nodes of a way that the file holds."""
        self.partial.add(way.id)
        if len(self._missed) < _MISSED_NODES:
            self._missed += [node.ref for node in way.nodes if not node.location.valid()]
        line = line_through(runs_of(way))
        return None if line is None else str(shapely.to_wkb(line, hex=True, byte_order=1))
