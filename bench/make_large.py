"""A large extract for measuring: copies of the real ones under new ids at new places.

Every copy of every extract moves as a block: its ids by a constant, its places to the east. So ids
stay in the neighbourhoods that editing has given them and spread over the whole range that
OpenStreetMap uses, as those of any real city do. Ids packed closely together would flatter tools
that keep sets of ids as bitmaps: osmium takes 1 GB for the real extract of Munich, of 0.8 MB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import osmium
from osmium.osm.mutable import Node, Relation, Way

from _measure import BENCH, DATA

COPIES = 10
LARGE = BENCH / "data" / "large.osm.pbf"
DATE = "2026-07-01T00:00:00Z"  # real extracts say in their header how new they are

ID_RANGE = {"n": 13_000_000_000, "w": 1_400_000_000, "r": 19_000_000}  # in use in November 2026
MISSING_ID = {"n": 14_000_000_000, "w": 1_500_000_000, "r": 20_000_000}  # what an extract cut off
EAST_DEG, NORTH_DEG = 2.0, 0.05  # between copies, and between extracts that show the same place


class Extract(NamedTuple):
    """The objects of one real extract by kind, each with its id and the rest."""

    objects: dict[str, list[tuple[int, dict[str, Any]]]]


class Copy(NamedTuple):
    """One copy of an extract: the new ids by the old ones, and how far it moves."""

    extract: Extract
    ids: dict[str, dict[int, int]]
    east_deg: float
    north_deg: float


def make(path: Path = LARGE, copies: int = COPIES) -> Path:
    """Write the large extract unless it is there, and return its path."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    extracts = [_read(file) for file in sorted((DATA / "osm").glob("*.osm.pbf"))]
    unsorted = path.with_name(f"unsorted-{path.name}")
    with osmium.SimpleWriter(str(unsorted), overwrite=True) as writer:
        for copy in _copies(extracts, copies):
            for made in _made(copy):
                writer.add(made)
    partial = path.with_name(f"partial-{path.name}")
    merged = osmium.MergeInputReader()
    merged.add_file(str(unsorted))
    header = osmium.io.Header()
    for key in ("timestamp", "osmosis_replication_timestamp"):
        header.set(key, DATE)
    with osmium.SimpleWriter(str(partial), header=header, overwrite=True) as writer:
        merged.apply(writer, simplify=False)
    unsorted.unlink()
    partial.rename(path)
    return path


def _read(file: Path) -> Extract:
    objects: dict[str, list[tuple[int, dict[str, Any]]]] = {"n": [], "w": [], "r": []}
    for obj in osmium.FileProcessor(str(file)):
        common = {"version": obj.version, "timestamp": obj.timestamp, "tags": dict(obj.tags)}
        if obj.is_node():
            common["location"] = (obj.lon, obj.lat) if obj.location.valid() else None
        elif obj.is_way():
            common["nodes"] = [node.ref for node in obj.nodes]
        else:
            common["members"] = [(m.type, m.ref, m.role) for m in obj.members]
        objects[obj.type_str()].append((obj.id, common))
    return Extract(objects)


def _copies(extracts: list[Extract], copies: int) -> Iterator[Copy]:
    plan = [(copy, i) for copy in range(copies) for i in range(len(extracts))]
    old = {
        kind: [np.array([id for id, _ in e.objects[kind]], np.int64) for e in extracts]
        for kind in ID_RANGE
    }
    new = {kind: _spread([old[kind][i] for _, i in plan], kind) for kind in ID_RANGE}
    for at, (copy, i) in enumerate(plan):
        ids = {
            kind: dict(zip(old[kind][i].tolist(), new[kind][at].tolist(), strict=True))
            for kind in ID_RANGE
        }
        yield Copy(extracts[i], ids, copy * EAST_DEG, i * NORTH_DEG)


def _spread(blocks: list[np.ndarray], kind: str) -> list[np.ndarray]:
    """Move each block of ids by its own part of the range, and give no id twice."""
    step = ID_RANGE[kind] // len(blocks)
    moved = np.concatenate([(ids + i * step) % ID_RANGE[kind] + 1 for i, ids in enumerate(blocks)])
    order = np.argsort(moved, kind="stable")
    # Where two blocks meet on an id, the later one takes the next that is free.
    counted = np.arange(len(moved))
    moved[order] = np.maximum.accumulate(moved[order] - counted) + counted
    return np.split(moved, np.cumsum([len(ids) for ids in blocks])[:-1])


def _made(copy: Copy) -> Iterator[Any]:
    def new_id(kind: str, old: int) -> int:
        found = copy.ids[kind].get(old)
        return MISSING_ID[kind] + old % 1_000_000 if found is None else found

    for old, fields in copy.extract.objects["n"]:
        place = fields["location"]
        there = place and (place[0] + copy.east_deg, place[1] + copy.north_deg)
        yield Node(**{**fields, "id": new_id("n", old), "location": there})
    for old, fields in copy.extract.objects["w"]:
        nodes = [new_id("n", ref) for ref in fields["nodes"]]
        yield Way(**{**fields, "id": new_id("w", old), "nodes": nodes})
    for old, fields in copy.extract.objects["r"]:
        members = [(kind, new_id(kind, ref), role) for kind, ref, role in fields["members"]]
        yield Relation(**{**fields, "id": new_id("r", old), "members": members})


if __name__ == "__main__":
    made = make()
    print(f"{made}: {made.stat().st_size / 1e6:.0f} MB", file=sys.stderr)
