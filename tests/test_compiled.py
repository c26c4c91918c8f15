"""The compiled reader of PBF against osmium's: the same tables, and nothing worse from damage."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
import shapely

from sousveil.sources import Source, osm
from sousveil.sources.osm import _compiled, _outlines
from sousveil.sources.osm._contents import Contents
from sousveil.sources.osm._drawn import index_of
from sousveil.sources.osm._formats import Format
from sousveil.sources.osm._passes import Input
from tests.osm_files import CAMERA, node, relation, ring, square, way, write

BUILDING = {"building": "yes"}
PROTOTYPE = {"type": "multipolygon", "building": "church", "name": "Dom"}
FILES = [
    "munich_2020-07.osm.pbf",
    "helsinki_centre_2019-04.osm.pbf",  # buildings whose walls cross, ways cut off
    "monaco_nice_panopticity_2025-02.osm.pbf",
    "frankfurt_darmstadt_2024-03.osm.pbf",
]


def compiled(path: Path, *, context: bool = True) -> Contents | None:
    """Read a file with the compiled reader alone, None if it leaves the file to osmium."""
    return _compiled.read(Input(path, Format("pbf", "")), context=context, progress=lambda _: None)


def both(path: Path, monkeypatch: pytest.MonkeyPatch, *, context: bool) -> list[Source]:
    """Read a file with each reader."""
    assert compiled(path, context=context) is not None
    sources = []
    for size in (0, path.stat().st_size + 1):
        monkeypatch.setattr(osm, "COMPILED_FROM_BYTES", size)
        sources.append(osm.read(path, source_id="x", context=context))
    return sources


def assert_same(one: Source, other: Source) -> None:
    for table in ("observations", "quarantine", "streets", "buildings"):
        assert getattr(one, table).equals(getattr(other, table)), table
    rest = ("rows", "seen_on", "header_box", "links_dropped")
    assert [getattr(one, key) for key in rest] == [getattr(other, key) for key in rest]


@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_real_extracts(
    shared_data: Path, name: str, context: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = both(shared_data / "osm" / name, monkeypatch, context=context)
    assert one.rows > 0
    assert_same(one, other)


def odd_town(path: Path, **head: Any) -> Path:
    """Write all that is rare in one orderly file."""
    deep = {f"key:{i}": "x" * 200 for i in range(40)}
    return write(
        path,
        node(1, 0.0, 0.0),
        node(2, 0.001, 0.0),
        node(3, 0.002, 0.0),
        node(5, 0.004, 0.0),
        node(6, 0.005, 0.0),
        node(7, None, None, tags=CAMERA),
        node(8, 0.5, 0.5, tags={"highway": "traffic_signals"}),  # a device by its relation alone
        node(9, 0.6, 0.5, tags=CAMERA | deep, timestamp=None),
        *square(10, 1.0, 2.0),
        *square(20, 1.0002, 2.0002, 0.0004),  # a hole in that
        *square(30, -179.9999, -89.9999),
        node(40, 2.0, 2.0, tags={"removed:man_made": "surveillance"}),
        node(1 << 40, 3.0, 3.0),
        way(1, [1, 2, 3, 4, 5, 6], tags={"highway": "path", "name": "Gasse ß"}),  # 4 is not there
        way(2, [1, 4, 2], tags={"highway": "path"}),
        way(3, ring(10), tags=BUILDING | CAMERA | {"height": "9", "building:levels": "3"}),
        way(4, ring(20)),
        way(5, [30, 32, 31, 33, 30], tags=BUILDING),  # walls that cross
        way(6, [30, 31, 30, 31, 30], tags=BUILDING),  # no area
        way(7, [10, 11, 12], tags=BUILDING),
        way(8, [*ring(10), 99], tags=BUILDING | {"highway": "pedestrian"}),
        way(9, [1, 1, 2, 2], tags={"highway": "service", "building": "no"}),
        way(11, [1, 4, 5], tags={"barrier": "gate"}),  # a device, with a gap
        way(12, [1, 1], tags={"highway": "steps"}),
        way(13, [], tags={"highway": "steps"}),
        way(14, [1, 4, 5, 6], tags=CAMERA),
        way(15, ring(30), tags={"building": "no"}),
        relation(1, [("w", 3, "outer"), ("w", 4, "inner")], tags=PROTOTYPE),
        relation(2, [("w", 3, "outer"), ("w", 77, "outer")], tags=PROTOTYPE),  # incomplete
        relation(3, [], tags=PROTOTYPE),
        relation(4, [("w", 4, ""), ("n", 2, "label"), ("r", 1, "")], tags=CAMERA),
        relation(5, [("n", 8, "device"), ("w", 11, "device"), ("r", 6, "device"), ("n", 77, "to")],
                 tags={"type": "enforcement", "enforcement": "maxspeed"}),
        relation(6, [("n", 1, "")], tags={"type": "site"}),
        relation(7, [("w", 4, "")], tags={"type": "multipolygon", "building": "no"}),
        **head,
    )  # fmt: skip


@pytest.mark.parametrize("context", [True, False])
@pytest.mark.parametrize("timestamp", ["2025-01-02T23:00:00Z", None])
def test_whatever_is_rare(
    tmp_path: Path, context: bool, timestamp: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = odd_town(tmp_path / "a.osm.pbf", timestamp=timestamp, box=(-1.0, -2.0, 3.0, 4.0))
    one, other = both(path, monkeypatch, context=context)
    assert one.rows == 9
    assert one.streets.num_rows == (3 if context else 0)
    assert_same(one, other)


def copied(path: Path, copy: Path, form: str) -> Path:
    with osmium.SimpleWriter(osmium.io.File(str(copy), form), overwrite=True) as writer:
        for obj in osmium.FileProcessor(str(path)):
            writer.add(obj)
    return copy


def test_what_is_not_for_it_is_left_to_osmium(tmp_path: Path) -> None:
    path = odd_town(tmp_path / "a.osm.pbf")
    assert compiled(copied(path, tmp_path / "raw.osm.pbf", "pbf,pbf_compression=none"))
    for form in ("pbf,pbf_dense_nodes=false", "pbf,pbf_compression=lz4", "pbf,history=true"):
        try:
            copy = copied(path, tmp_path / "copy.osm.pbf", form)
        except (RuntimeError, ValueError):
            assert "lz4" in form  # which this build of osmium may lack
            continue
        assert compiled(copy) is None, form
    nodes = [node(1, 0.0, 0.0, tags=CAMERA), node(2, 0.001, 0.0)]
    street = way(1, [1, 2], tags={"highway": "path"})
    for disorder in (
        [*nodes[::-1], street],
        [street, *nodes],
        [nodes[0], nodes[0], nodes[1], street],
        [node(-1, 0.0, 0.0), *nodes],
        [*nodes, relation(1, [], tags=CAMERA), street],
    ):
        copy = write(tmp_path / "copy.osm.pbf", *disorder)
        assert compiled(copy) is None
        assert compiled(copy, context=False) is None


def test_the_same_from_the_fallback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osm, "COMPILED_FROM_BYTES", 0)
    nodes = [node(1, 0.0, 0.0, tags=CAMERA), node(2, 0.001, 0.0)]
    path = write(tmp_path / "a.osm.pbf", way(1, [1, 2], tags={"highway": "path"}), *nodes)
    source = osm.read(path, source_id="x")
    assert (source.rows, source.streets.num_rows) == (1, 1)


def test_damage_gives_tables_or_nothing(tmp_path: Path) -> None:
    """Flipped bytes of a file that is not packed, so that no checksum keeps them from a kernel."""
    whole = odd_town(tmp_path / "a.osm.pbf")
    content = copied(whole, tmp_path / "raw.osm.pbf", "pbf,pbf_compression=none").read_bytes()
    path, draw, read = tmp_path / "damaged.osm.pbf", random.Random(5), 0
    for _ in range(150):
        damaged = bytearray(content)
        at = draw.randrange(len(content))
        damaged[at : at + draw.choice((1, 1, 8))] = draw.choice(
            (b"\xff", b"\x80", b"\x00", b"\x7f")
        )
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        read += compiled(path) is not None
    assert 0 < read < 150


def test_rings_that_are_proved_simple_are_valid() -> None:
    draw = np.random.default_rng(7)
    proved, wrong = 0, 0
    for _ in range(4000):
        corners = draw.integers(0, draw.choice([4, 12, 100_000]), (2, draw.integers(3, 9)))
        corners += np.array([[1_700_000_000], [600_000_000]])
        closed = np.concatenate([corners, corners[:, :1]], axis=1)
        simple = _outlines.is_simple(np.concatenate([closed, closed[:1]]), closed.shape[1])
        valid = bool(shapely.is_valid(shapely.Polygon(closed.T / 1e7)))
        assert valid or not simple
        proved, wrong = proved + simple, wrong + (not valid)
    assert proved > 1000
    assert wrong > 1000


def test_nodes_are_found_and_no_others() -> None:
    draw = np.random.default_rng(3)
    for size, largest in ((0, 1), (1, 1), (7, 9), (1000, 1200), (1000, 1 << 44)):
        ids = np.unique(draw.integers(0, largest, size))
        places = np.stack([ids, ids], axis=1).astype(np.int32)
        index = index_of(ids, places)
        known = set(ids.tolist())
        for wanted in [*ids.tolist(), *draw.integers(0, largest + 9, 50).tolist(), -1, 1 << 62]:
            near = int(draw.integers(0, len(ids) + 1))
            at = _outlines.find(ids, index.shift, index.buckets, wanted, near)
            assert (at >= 0) == (wanted in known)
            assert at < 0 or ids[at] == wanted
