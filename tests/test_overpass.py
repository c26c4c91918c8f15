"""Reading answers of Overpass, as nodes, with centres, with geometry, or with nodes recursed."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from sousveil.errors import UnusableInput
from sousveil.sources import osm
from sousveil.sources.osm import _json_elements
from sousveil.sources.osm._json_elements import Answer, TooLarge
from tests.osm_files import CAMERA, overpass, save

STREET = {"highway": "residential", "name": "A"}


def at(lon: float, lat: float) -> dict[str, float]:
    return {"lat": lat, "lon": lon}


def camera(id: int, lon: float = 1.0, lat: float = 2.0, **more: Any) -> dict[str, Any]:
    return {"type": "node", "id": id, **at(lon, lat), "tags": CAMERA, **more}


def corners(lon: float, lat: float, side: float = 0.001) -> list[dict[str, float]]:
    there = [(lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side), (lon, lat)]
    return [at(*corner) for corner in there]


def answer(path: Path, *elements: dict[str, Any], **frame: Any) -> Path:
    return save(path, overpass(*elements, **frame))


def drawn(source: Any, table: str) -> dict[str, shapely.Geometry]:
    rows = getattr(source, table)
    shapes = shapely.from_wkb(rows["geometry"].to_pylist())
    return dict(zip(rows.column(0).to_pylist(), shapes, strict=True))


def test_the_swiss_list(shared_data: Path) -> None:
    # Data README: 2,144 nodes, 529 with a direction; a bare list of elements.
    path = shared_data / "lists" / "switzerland_man_made_surveillance_2023-03.json"
    source = osm.read(path, source_id="ch")
    assert source.rows == source.observations.num_rows == 2144
    assert sum(map(bool, source.observations["bearings"].to_pylist())) == 529
    assert source.format == "Overpass JSON"
    assert source.seen_on is None
    elements = {f"node/{e['id']}": e for e in json.loads(path.read_text())}
    assert elements.keys() == set(source.observations["native_id"].to_pylist())
    for row in source.observations.select(["native_id", "lon", "lat"]).to_pylist():
        element = elements[row["native_id"]]
        assert (row["lon"], row["lat"]) == (element["lon"], element["lat"])


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.json.bz2"])
def test_packed_and_dated(tmp_path: Path, name: str) -> None:
    base = {"timestamp_osm_base": "2026-04-05T06:07:08Z"}
    source = osm.read(answer(tmp_path / name, camera(1), osm3s=base), source_id="x")
    assert source.observations["native_id"].to_pylist() == ["node/1"]
    assert source.seen_on == date(2026, 4, 5)


def test_without_a_date_the_newest_edit_counts(tmp_path: Path) -> None:
    path = answer(
        tmp_path / "a.json",
        camera(1, timestamp="2020-01-02T03:04:05Z"),
        camera(2, timestamp="2021-01-02T03:04:05Z", version=3),
        camera(3, timestamp="nonsense"),
    )
    assert osm.read(path, source_id="x").seen_on == date(2021, 1, 2)


def test_geometry_in_the_answer(tmp_path: Path) -> None:
    path = answer(
        tmp_path / "a.json",
        {"type": "way", "id": 1, "tags": STREET, "geometry": [at(0, 0), at(0.001, 0)]},
        {"type": "way", "id": 2, "tags": {"building": "yes"} | CAMERA, "geometry": corners(1, 1)},
        {"type": "way", "id": 3, "tags": STREET,
         "geometry": [at(0, 0), at(1, 0), None, at(3, 0), at(4, 0)]},
        {"type": "relation", "id": 1, "tags": {"type": "multipolygon", "building": "court"},
         "members": [
             {"type": "way", "ref": 8, "role": "outer", "geometry": corners(2, 2)},
             {"type": "way", "ref": 9, "role": "inner",
              "geometry": corners(2.0003, 2.0003, 0.0003)},
         ]},
        {"type": "relation", "id": 2, "tags": {"type": "multipolygon", "building": "cut"},
         "members": [{"type": "way", "ref": 7, "role": "outer",
                      "geometry": [*corners(3, 3)[:3], None, at(3, 3)]}]},
    )  # fmt: skip
    source = osm.read(path, source_id="x")
    streets, buildings = drawn(source, "streets"), drawn(source, "buildings")
    assert streets == {
        "way/1": shapely.LineString([(0, 0), (0.001, 0)]),
        "way/3": shapely.MultiLineString([[(0, 0), (1, 0)], [(3, 0), (4, 0)]]),
    }
    areas = {id_: shape.area * 1e6 for id_, shape in buildings.items()}
    assert areas == pytest.approx({"way/2": 1.0, "relation/1": 0.91})
    [seen] = source.observations.to_pylist()
    assert buildings["way/2"].contains(shapely.Point(seen["lon"], seen["lat"]))
    alone = osm.read(path, source_id="x", context=False)
    assert alone.observations.equals(source.observations)
    assert alone.streets.num_rows == alone.buildings.num_rows == 0


def test_nodes_that_come_after_their_ways(tmp_path: Path) -> None:
    nodes = [{"type": "node", "id": 10 + i, **corner} for i, corner in enumerate(corners(1, 1)[:4])]
    path = answer(
        tmp_path / "a.json",
        {"type": "way", "id": 1, "nodes": [10, 11, 12, 13, 10], "tags": {"building": "yes"}},
        {"type": "way", "id": 2, "nodes": [10, 11, 99, 12, 13], "tags": STREET},
        {"type": "way", "id": 3, "nodes": [98, 99], "tags": STREET},
        *nodes,
    )
    said: list[str] = []
    source = osm.read(path, source_id="x", progress=said.append)
    assert drawn(source, "buildings")["way/1"].equals(shapely.box(1, 1, 1.001, 1.001))
    assert drawn(source, "streets").keys() == {"way/2"}
    assert drawn(source, "streets")["way/2"].geom_type == "MultiLineString"
    assert any(line.startswith("1 streets and buildings left out") for line in said)


def test_centres_stand_in_for_geometry(tmp_path: Path) -> None:
    path = answer(
        tmp_path / "a.json",
        {"type": "way", "id": 1, "center": at(5, 6), "nodes": [1, 2], "tags": CAMERA},
        {"type": "relation", "id": 1, "center": at(7, 8), "tags": CAMERA},
        {"type": "relation", "id": 2, "tags": CAMERA},
    )
    source = osm.read(path, source_id="x")
    places = {o["native_id"]: (o["lon"], o["lat"]) for o in source.observations.to_pylist()}
    assert places == {"way/1": (5.0, 6.0), "relation/1": (7.0, 8.0)}
    [aside] = source.quarantine.to_pylist()
    assert (aside["row"], aside["native_id"], aside["reason"]) == (
        3,
        "relation/2",
        "no coordinates",
    )
    assert source.rows == 3


def test_devices_of_enforcement_relations(tmp_path: Path) -> None:
    tags = {"type": "enforcement", "enforcement": "traffic_signals"}
    members = [
        {"type": "node", "ref": 1, "role": "device"},
        {"type": "node", "ref": 2, "role": "from"},
        {"type": "node", "ref": 3, "role": "device"},
        {"type": "node", "ref": 4, "role": "device"},
    ]
    path = answer(
        tmp_path / "a.json",
        {"type": "node", "id": 1, **at(1, 1), "tags": {"operator": "Stadt"}},
        {"type": "node", "id": 2, **at(1, 2), "tags": {"a": "b"}},
        {"type": "node", "id": 3, **at(1, 3), "tags": {"highway": "speed_camera"}},
        {"type": "node", "id": 4, **at(1, 4)},
        {"type": "relation", "id": 5, "members": members, "tags": tags},
    )
    source = osm.read(path, source_id="x")
    assert source.observations["native_id"].to_pylist() == ["node/1", "node/3", "node/4"]


def test_an_object_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    path = answer(
        tmp_path / "a.json",
        camera(1, 1.0, version=1),
        camera(1, 2.0, version=2),
        {"type": "node", "id": 1, **at(2.0, 2.0)},
        camera(2, visible=False),
    )
    source = osm.read(path, source_id="x")
    assert source.observations["lon"].to_pylist() == [2.0]
    assert source.rows == 1


def test_odd_elements_are_set_aside_and_no_row_is_lost(tmp_path: Path) -> None:
    path = answer(
        tmp_path / "a.json",
        camera(1),
        {"type": "node", "id": 2, "lat": "north", "lon": 1, "tags": CAMERA},
        {"type": "node", "id": 3, "lat": 10**400, "lon": 1, "tags": CAMERA},
        {"type": "node", "id": 10**30, **at(1, 1), "tags": CAMERA},
        {"id": 5},
        {"type": "count", "id": 0, "tags": {"nodes": "4"}},
        {"type": "node", "id": 6, **at(1, 1), "tags": {"man_made": "surveillance", "height": 5}},
        {"type": "way", "id": 7, "nodes": "none", "geometry": 3, "tags": STREET},
        {"type": "relation", "id": 8, "members": [None, {"type": "way"}], "tags": CAMERA},
    )
    source = osm.read(path, source_id="x")
    assert source.observations["native_id"].to_pylist() == ["node/1", "node/6"]
    assert source.observations["height_m"].to_pylist() == [None, 5.0]
    whole = [row for row in source.quarantine.to_pylist() if not row["kept"]]
    assert source.rows == 2 + len(whole) == 7
    assert [row["native_id"] for row in whole] == ["node/2", "node/3", "relation/8", None, None]
    assert sorted(row["row"] for row in whole) == [2, 3, 5, 6, 7]


def test_an_answer_without_elements(tmp_path: Path) -> None:
    assert osm.read(answer(tmp_path / "a.json"), source_id="x").rows == 0


def test_boundary_from_an_answer(tmp_path: Path) -> None:
    tags = {"boundary": "administrative", "admin_level": "8", "name": "Altstadt"}
    half = corners(1, 1)
    path = answer(
        tmp_path / "a.json",
        {"type": "relation", "id": 3, "tags": tags, "members": [
            {"type": "way", "ref": 1, "role": "outer", "geometry": half[:3]},
            {"type": "way", "ref": 2, "role": "outer", "geometry": half[2:]},
        ]},
        {"type": "relation", "id": 4, "tags": tags | {"name": "Umland"}, "members": [
            {"type": "way", "ref": 5, "role": "outer", "geometry": [*half[:3], None]},
        ]},
    )  # fmt: skip
    name, area = osm.read_boundary(path, "altstadt")
    assert name == "Altstadt"
    assert area.equals(shapely.box(1, 1, 1.001, 1.001))
    with pytest.raises(UnusableInput, match="0 of its 1 ways"):
        osm.read_boundary(path, "Umland")
    assert [one.complete for one in osm.list_boundaries(path)] == [True, False]


TEXTS = [
    '{"elements": []}',
    '{"a": {"b": [1, "]"]}, "elements" : [ {"a": 1} , {"b": [[]]}], "remark": "x"}',
    '[{"a": "quote \\" bracket ] brace } backslash \\\\"}, {"b": "\\\\\\""}]',
    '[{"a": "\\u00e9 é \\\\\\\\"}]',
    '[{"long": "' + 300 * "]}" + '"}, {"a": {"b": {"c": [1, 2, {"d": null}]}}}]',
    " [ ] ",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 64, 1 << 20])
def test_cutting_is_parsing(text: str, chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_json_elements, "_CHUNK_BYTES", chunk_bytes)
    parsed = json.loads(text)
    cut = Answer(io.BytesIO(text.encode()))
    elements = list(cut)
    if isinstance(parsed, dict):
        assert elements == parsed["elements"]
        assert cut.frame == {**parsed, "elements": []}
    else:
        assert elements == parsed


def test_cutting_real_data_is_parsing_it(shared_data: Path) -> None:
    path = shared_data / "lists" / "switzerland_man_made_surveillance_2023-03.json"
    with path.open("rb") as stream:
        assert list(Answer(stream)) == json.loads(path.read_text())


@pytest.mark.parametrize(
    "text",
    [
        '{"elements": [{"a": 1}',
        '{"elements": [{"a": 1}]',
        '{"elements": [{"a": 1}, {"b": "unclosed}]}',
        '{"elements": [{"a": 1} "b", {"c": 2}]}',
        '{"elements": [1, 2]}',
        '{"elements": [{"a": 1}]} more',
        '{"elements": [{"a": 1]}]}',
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_text_that_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(Answer(io.BytesIO(text.encode())))


@pytest.mark.parametrize("chunk_bytes", [64, 1000])
def test_an_element_too_large_is_passed_over(
    chunk_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_json_elements, "_CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(_json_elements, "ELEMENT_BYTES", 2000)
    large = {"type": "node", "id": 2, "tags": {"note": 3000 * "]"}}
    small = {"type": "node", "id": 3}
    one, two, three = Answer(io.BytesIO(json.dumps([small, large, small]).encode()))
    assert one == three == small
    assert isinstance(two, TooLarge)
    assert two.head.startswith(b'{"type": "node", "id": 2')
