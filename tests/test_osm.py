"""Reading OpenStreetMap files: which objects, which streets and buildings, and where they are."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely

from sousveil import records
from sousveil.errors import UnusableInput
from sousveil.sources import Source, osm
from sousveil.sources.osm import _passes
from tests.osm_files import (
    CAMERA,
    empty_extract,
    node,
    relation,
    ring,
    save,
    square,
    way,
    write,
    xml,
    xml_camera,
)

# Data README: objects with man_made=surveillance, and those of them with a direction; beside them
# highway=speed_camera, counted with `osmium tags-filter -R FILE highway=speed_camera`.
COUNTS = {
    "munich_2020-07.osm.pbf": (209, 59, 2),
    "helsinki_centre_2019-04.osm.pbf": (397, 0, 2),
    "frankfurt_darmstadt_2024-03.osm.pbf": (134, 31, 0),
    "darmstadt_hbf_2026-02.osm.pbf": (59, 12, 0),
    "london_2020-07.osm.pbf": (23, 0, 1),
    "porto_2020-07.osm.pbf": (17, 3, 0),
    "boston_north_2020-08.osm.pbf": (15, 0, 0),
    "monaco_2012-07.osm.gz": (0, 0, 0),
    "monaco_2020-07.osm.pbf": (10, 3, 0),
    "monaco_2021-04.osm.pbf": (10, 3, 0),
    "monaco_2022-07.osm.pbf": (10, 3, 0),
    "monaco_2023-11.osm.pbf": (14, 3, 0),
    "monaco_2023-12.osm.pbf": (14, 3, 0),
    "monaco_nice_panopticity_2025-02.osm.pbf": (16, 3, 4),
}

# Data README: buildings that are ways, and highways, of extracts that hold the nodes of all ways.
DRAWN = {
    "munich_2020-07.osm.pbf": (2372, 2959),
    "porto_2020-07.osm.pbf": (11353, 4656),
    "boston_north_2020-08.osm.pbf": (444, 260),
}


def tags_of(source: Source) -> list[dict[str, str]]:
    return [json.loads(raw) for raw in source.observations["raw"].to_pylist()]


def is_surveillance(tags: dict[str, str]) -> bool:
    return tags.get("man_made") == "surveillance"


def shapes(source: Source, table: str) -> dict[str, shapely.Geometry]:
    rows = getattr(source, table)
    return dict(
        zip(rows.column(0).to_pylist(), shapely.from_wkb(rows["geometry"].to_pylist()), strict=True)
    )


@pytest.fixture(scope="module")
def munich(shared_data: Path) -> Source:
    return osm.read(shared_data / "osm" / "munich_2020-07.osm.pbf", source_id="munich")


@pytest.mark.parametrize("name", COUNTS)
def test_objects_of_real_extracts(shared_data: Path, name: str) -> None:
    source = osm.read(shared_data / "osm" / name, source_id="x", context=False)
    surveillance, directed, speed = COUNTS[name]
    tags = tags_of(source)
    assert sum(map(is_surveillance, tags)) == surveillance
    assert sum(t.get("highway") == "speed_camera" for t in tags) == speed
    bearings = source.observations["bearings"].to_pylist()
    pairs = zip(tags, bearings, strict=True)
    assert sum(bool(b) for t, b in pairs if is_surveillance(t)) == directed
    assert source.rows == source.observations.num_rows == surveillance + speed


def test_attributes_of_munich(munich: Source) -> None:
    # The issue: 209 objects, 200 of type camera, 59 with a direction, 45 with a height.
    tags = [t for t in tags_of(munich) if is_surveillance(t)]
    assert len(tags) == 209
    assert sum(t.get("surveillance:type") == "camera" for t in tags) == 200
    assert sum("height" in t for t in tags) == 45


def test_header_and_publisher_of_munich(munich: Source) -> None:
    # As `osmium fileinfo` prints the header.
    assert munich.seen_on == date(2020, 7, 20)
    assert munich.header_box == pytest.approx((11.5656571, 48.1314385, 11.5861277, 48.143394))
    assert munich.format == "OpenStreetMap PBF"
    assert munich.licence == "ODbL-1.0"
    assert munich.attribution == "© OpenStreetMap contributors"


@pytest.mark.parametrize("name", DRAWN)
def test_streets_and_buildings_are_counted_as_elsewhere(shared_data: Path, name: str) -> None:
    source = osm.read(shared_data / "osm" / name, source_id="x")
    ways = [i for i in source.buildings["building_id"].to_pylist() if i.startswith("way/")]
    assert (len(ways), source.streets.num_rows) == DRAWN[name]


class Plain(osmium.SimpleHandler):
    """Streets and buildings as pyosmium's manual reads them: by Python, with osmium's areas."""

    def __init__(self) -> None:
        super().__init__()
        self.streets: dict[str, tuple[dict[str, str], list[tuple[float, float]]]] = {}
        self.cut: set[str] = set()  # streets of which the extract lacks nodes
        self.buildings: dict[str, tuple[dict[str, str], shapely.Geometry]] = {}

    def way(self, w: osmium.osm.Way) -> None:
        if "highway" in w.tags:
            points = [(n.lon, n.lat) for n in w.nodes if n.location.valid()]
            if len(set(points)) > 1:
                self.streets[f"way/{w.id}"] = (dict(w.tags), points)
                if len(points) < len(w.nodes):
                    self.cut.add(f"way/{w.id}")

    def area(self, a: osmium.osm.Area) -> None:
        if a.tags.get("building", "no") != "no":
            kind = "way" if a.from_way() else "relation"
            outer = [[(n.lon, n.lat) for n in r] for r in a.outer_rings()]
            inner = [
                [[(n.lon, n.lat) for n in i] for i in a.inner_rings(r)] for r in a.outer_rings()
            ]
            area = shapely.MultiPolygon(list(zip(outer, inner, strict=True)))
            self.buildings[f"{kind}/{a.orig_id()}"] = (dict(a.tags), area)


@pytest.mark.parametrize("name", ["munich_2020-07", "helsinki_centre_2019-04", "london_2020-07"])
def test_streets_and_buildings_as_read_independently(shared_data: Path, name: str) -> None:
    path = shared_data / "osm" / f"{name}.osm.pbf"
    plain = Plain()
    plain.apply_file(str(path), locations=True)
    source = osm.read(path, source_id="x")

    streets = shapes(source, "streets")
    assert streets.keys() == plain.streets.keys()
    for id_, (_, points) in plain.streets.items():
        ours = shapely.get_coordinates(streets[id_])
        if id_ in plain.cut:  # ours lacks single nodes between two gaps
            known = {(round(x, 7), round(y, 7)) for x, y in points}
            assert set(map(tuple, ours.round(7).tolist())) <= known
        else:
            once = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
            assert ours == pytest.approx(np.array(once), abs=1e-7), id_

    buildings = shapes(source, "buildings")
    assert buildings.keys() == plain.buildings.keys()
    assert any(id_.startswith("relation/") for id_ in buildings)
    for id_, (_, area) in plain.buildings.items():
        assert buildings[id_].is_valid
        assert shapely.hausdorff_distance(buildings[id_], area) < 1e-7, id_
        assert buildings[id_].area == pytest.approx(area.area, rel=1e-9), id_

    for row in source.streets.drop_columns("geometry").to_pylist():
        tags, _ = plain.streets[row.pop("street_id")]
        assert row == {key: tags.get(key) for key in row}
    keys = {"levels": "building:levels", "min_level": "building:min_level"}
    for row in source.buildings.drop_columns("geometry").to_pylist():
        tags, _ = plain.buildings[row.pop("building_id")]
        assert row == {key: tags.get(keys.get(key, key)) for key in row}


@pytest.mark.parametrize(
    "name",
    ["munich_2020-07.osm.pbf", "helsinki_centre_2019-04.osm.pbf", "monaco_2012-07.osm.gz",
     "monaco_nice_panopticity_2025-02.osm.pbf"],
)  # fmt: skip
def test_cameras_alone_are_the_same_cameras(shared_data: Path, name: str) -> None:
    path = shared_data / "osm" / name
    whole = osm.read(path, source_id="x")
    alone = osm.read(path, source_id="x", context=False)
    assert alone.observations.equals(whole.observations)
    assert alone.quarantine.equals(whole.quarantine)
    assert (alone.streets.num_rows, alone.buildings.num_rows) == (0, 0)
    assert alone.streets.schema == records.STREETS
    assert whole.streets.schema == records.STREETS
    assert whole.buildings.schema == alone.buildings.schema == records.BUILDINGS


def test_every_kind_of_object_and_each_once(tmp_path: Path) -> None:
    camera = {"highway": "speed_camera"}
    path = write(
        tmp_path / "a.osm.pbf",
        node(1, 1.0, 2.0, tags=CAMERA),
        node(2, 1.1, 2.0, tags=camera),
        node(3, 1.2, 2.0, tags={"removed:man_made": "surveillance"}),
        node(4, 1.3, 2.0, tags={"construction:highway": "speed_camera"}),
        node(5, 1.4, 2.0),  # a device only by its relation
        node(6, 1.5, 2.0, tags={"man_made": "mast"}),
        *square(10, 1.0, 2.0),
        way(1, ring(10), tags=CAMERA | {"building": "yes"}),
        relation(1, [("n", 5, "device"), ("n", 2, "device"), ("n", 6, "from")],
                 tags={"type": "enforcement", "enforcement": "maxspeed"}),
        relation(2, [("n", 1, "camera"), ("w", 1, "area")], tags={"type": "surveillance"}),
        relation(3, [("n", 1, ""), ("n", 2, "")], tags=CAMERA),
    )  # fmt: skip
    for context in (True, False):
        source = osm.read(path, source_id="x", context=context)
        assert source.observations["native_id"].to_pylist() == [
            "node/1", "node/2", "node/3", "node/4", "node/5", "way/1", "relation/3",
        ]  # fmt: skip
        assert source.rows == 7
        device = source.observations.to_pylist()[4]
        assert (device["kind"], device["lon"], device["lat"]) == ("speed", 1.4, 2.0)


def test_rows_are_counted_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.osm.pbf",
        node(1, 1.0, 2.0, tags=CAMERA),
        node(2, None, None, tags=CAMERA),
        way(1, [8, 9], tags=CAMERA),
        relation(1, [("w", 7, "")], tags=CAMERA),
    )
    source = osm.read(path, source_id="x")
    aside = [(r["row"], r["native_id"], r["kept"]) for r in source.quarantine.to_pylist()]
    assert aside == [(2, "node/2", False), (3, "way/1", False), (4, "relation/1", False)]
    assert source.rows == 4


@pytest.mark.parametrize("context", [True, False])
def test_position_of_ways_and_relations(tmp_path: Path, context: bool) -> None:
    corner = [node(20, 5.0, 5.0), node(21, 5.002, 5.0), node(22, 5.002, 5.002)]
    path = write(
        tmp_path / "a.osm.pbf",
        *square(10, 1.0, 2.0),
        *corner,
        way(1, ring(10), tags=CAMERA),
        way(2, [20, 21, 22], tags=CAMERA),
        way(3, ring(10)),
        relation(1, [("w", 3, "outer")], tags=CAMERA | {"type": "multipolygon"}),
        relation(2, [("n", 20, ""), ("n", 77, "")], tags=CAMERA),
    )
    observed = osm.read(path, source_id="x", context=context).observations.to_pylist()
    place = {o["native_id"]: shapely.Point(o["lon"], o["lat"]) for o in observed}
    assert place["way/1"].within(shapely.box(1.0, 2.0, 1.001, 2.001))
    assert place["way/2"].distance(shapely.Point(5.002, 5.0)) < 1e-9  # half way along both legs
    assert place["relation/1"].within(shapely.box(1.0, 2.0, 1.001, 2.001))
    assert place["relation/2"] == shapely.Point(5.0, 5.0)


def test_a_street_with_a_gap_is_not_drawn_across_it(tmp_path: Path) -> None:
    nodes = [node(i, i / 1000, 0.0) for i in (1, 2, 4, 5)]
    path = write(
        tmp_path / "a.osm.pbf",
        *nodes,
        way(1, [1, 2, 3, 4, 5], tags={"highway": "path"}),
        way(2, [1, 3], tags={"highway": "path"}),
        way(3, [1, 2, 3, 1], tags={"building": "yes"}),
    )
    said: list[str] = []
    source = osm.read(path, source_id="x", progress=said.append)
    assert shapes(source, "streets") == {
        "way/1": shapely.MultiLineString([[(0.001, 0), (0.002, 0)], [(0.004, 0), (0.005, 0)]])
    }
    assert source.buildings.num_rows == 0
    assert any(line.startswith("2 streets and buildings left out") for line in said)


def test_buildings_are_closed_and_have_an_area(tmp_path: Path) -> None:
    nodes = [*square(10, 0.0, 0.0), *square(20, 0.0, 1.0), *square(30, 0.0003, 1.0003, 0.0003)]
    path = write(
        tmp_path / "a.osm.pbf",
        *nodes,
        way(1, ring(10), tags={"building": "house", "building:levels": "2"}),
        way(2, ring(10), tags={"building": "no"}),
        way(3, [10, 11, 12], tags={"building": "yes"}),
        way(4, [10, 12, 11, 13, 10], tags={"building": "bow-tie"}),
        way(5, [10, 11, 10, 11, 10], tags={"building": "flat"}),
        way(6, [20, 21, 22]),
        way(7, [22, 23, 20]),
        way(8, ring(30)),
        relation(1, [("w", 6, "outer"), ("w", 7, "outer"), ("w", 8, "inner")],
                 tags={"type": "multipolygon", "building": "court"}),
        relation(2, [("w", 6, "outer"), ("w", 99, "outer")],
                 tags={"type": "multipolygon", "building": "cut"}),
    )  # fmt: skip
    said: list[str] = []
    buildings = shapes(osm.read(path, source_id="x", progress=said.append), "buildings")
    area = {id_: shape.area * 1e6 for id_, shape in buildings.items()}
    # A square of 0.001 degrees is 1; the bow-tie two triangles of 1/4; the court lacks 0.3 x 0.3.
    assert area == pytest.approx({"way/1": 1.0, "way/4": 0.5, "relation/1": 0.91})
    assert "1 buildings mended, because their walls cross" in said
    assert "1 buildings left out, because they enclose no area" in said
    assert any(line.startswith("2 streets and buildings left out") for line in said)


def test_ways_that_carry_their_own_positions(tmp_path: Path) -> None:
    plain = write(
        tmp_path / "plain.osm.pbf",
        *square(10, 1.0, 2.0),
        way(1, ring(10), tags={"building": "yes"}),
        way(2, ring(10), tags=CAMERA),
    )
    located = tmp_path / "located.osm.pbf"
    index = osmium.NodeLocationsForWays(osmium.index.create_map("flex_mem"))
    output = osmium.io.File(str(located), "pbf,locations_on_ways=true")
    with osmium.SimpleWriter(output) as writer, osmium.io.Reader(str(plain)) as reader:
        only_ways = osmium.filter.EntityFilter(osmium.osm.WAY)
        osmium.apply(reader, index, only_ways, writer)
    one, two = (osm.read(path, source_id="x") for path in (plain, located))
    assert two.buildings.num_rows == 1
    assert two.observations.num_rows == 1
    assert two.buildings.equals(one.buildings)
    assert two.observations.equals(one.observations)
    alone = osm.read(located, source_id="x", context=False)
    assert alone.observations.equals(one.observations)


def history(path: Path) -> Path:
    return save(
        path,
        xml(
            '<node id="1" version="1" visible="true" lon="1" lat="1">'
            '<tag k="man_made" v="surveillance"/></node>',
            '<node id="1" version="2" visible="false"/>',
            '<node id="2" version="1" visible="true" lon="2" lat="2">'
            '<tag k="man_made" v="surveillance"/></node>',
            '<node id="2" version="2" visible="true" lon="3" lat="2">'
            '<tag k="man_made" v="surveillance"/><tag k="height" v="4"/></node>',
            '<node id="3" version="1" visible="true" lon="4" lat="2">'
            '<tag k="man_made" v="surveillance"/></node>',
            '<node id="3" version="2" visible="true" lon="4" lat="2">'
            '<tag k="man_made" v="mast"/></node>',
        ),
    )


@pytest.mark.parametrize("name", ["h.osm", "h.osm.gz", "h.osm.bz2", "h.osh.pbf", "h.osm.pbf"])
def test_of_a_history_only_what_stands_now(tmp_path: Path, name: str) -> None:
    path = history(tmp_path / name)
    if name.endswith("pbf"):
        path = tmp_path / name
        output = osmium.io.File(str(path), "pbf,history=true")
        source = osmium.io.File(str(history(tmp_path / "plain.osm")), "osm")
        path.unlink(missing_ok=True)
        with osmium.SimpleWriter(output) as writer:
            osmium.apply(source, writer)
    for context in (True, False):
        [one] = osm.read(path, source_id="x", context=context).observations.to_pylist()
        assert (one["native_id"], one["lon"], one["height_m"]) == ("node/2", 3.0, 4.0)


def test_an_object_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    street = {"highway": "path"}
    nodes = [node(1, 0.0, 0.0), node(2, 0.001, 0.0)]
    path = write(
        tmp_path / "a.osm.pbf",
        *nodes,
        node(3, 1.0, 1.0, tags=CAMERA, version=2),
        node(3, 2.0, 1.0, tags=CAMERA, version=1),
        way(1, [1, 2], tags=street | {"name": "old"}),
        way(1, [1, 2], tags=street | {"name": "new"}),
    )
    source = osm.read(path, source_id="x")
    assert source.observations["lon"].to_pylist() == [1.0]
    assert source.streets["name"].to_pylist() == ["new"]
    assert source.rows == 1


@pytest.mark.parametrize("name", ["a.osm.pbf", "a.osm"])
def test_nodes_after_the_ways_that_need_them(tmp_path: Path, name: str) -> None:
    path = write(
        tmp_path / name,
        way(1, [1, 2], tags={"highway": "path"}),
        way(2, ring(10), tags={"building": "yes"} | CAMERA),
        node(1, 0.0, 0.0),
        node(2, 0.001, 0.0),
        *square(10, 1.0, 2.0),
        timestamp="2024-05-06T00:00:00Z",
    )
    for context in (True, False):
        source = osm.read(path, source_id="x", context=context)
        assert source.observations["native_id"].to_pylist() == ["way/2"]
        assert source.streets.num_rows == source.buildings.num_rows == int(context)
    assert source.seen_on == date(2024, 5, 6) or name == "a.osm"


def test_the_day_of_a_file(tmp_path: Path) -> None:
    camera = node(1, 1.0, 1.0, tags=CAMERA)  # edited on 2024-05-06
    dated = write(tmp_path / "a.osm.pbf", camera, timestamp="2025-01-02T23:00:00Z")
    undated = write(tmp_path / "b.osm.pbf", camera)
    nothing = write(tmp_path / "c.osm.pbf", node(1, 1.0, 1.0, tags=CAMERA, timestamp=None))
    assert osm.read(dated, source_id="x").seen_on == date(2025, 1, 2)
    assert osm.read(undated, source_id="x").seen_on == date(2024, 5, 6)
    empty = osm.read(nothing, source_id="x")
    assert empty.seen_on is None
    assert empty.observations["seen_on"].to_pylist() == [None]


def test_without_a_camera_there_are_no_rows(tmp_path: Path) -> None:
    source = osm.read(empty_extract(tmp_path / "a.osm.pbf"), source_id="x")
    assert source.rows == source.observations.num_rows == source.quarantine.num_rows == 0
    assert source.observations.schema == records.OBSERVATIONS
    assert (source.streets.num_rows, source.buildings.num_rows) == (1, 1)


@pytest.mark.parametrize("name", ["a.osm", "a.osm.gz", "a.osm.bz2", "named_wrongly.osm.pbf"])
def test_xml_however_it_is_packed_or_named(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, xml(xml_camera(1, 1.5, 2.5)))
    source = osm.read(path, source_id="x")
    assert source.observations["lon"].to_pylist() == [1.5]
    assert source.format == "OpenStreetMap XML"
    assert osm.is_osm(path)


def test_is_osm_by_content_and_by_name(tmp_path: Path, shared_data: Path) -> None:
    lists = shared_data / "lists"
    assert osm.is_osm(lists / "switzerland_man_made_surveillance_2023-03.json")
    for other in ("perth_cameras_2025-10.json", "us_west_surveillance_2026-01.json",
                  "osm_italy_surveillance_2026-08.geojson", "baltimore_cctv_2014.csv"):  # fmt: skip
        assert not osm.is_osm(lists / other), other
    assert osm.is_osm(save(tmp_path / "without_suffix", xml(xml_camera(1, 1.5, 2.5))))
    assert osm.is_osm(save(tmp_path / "broken.osm.pbf", b"\x89PNG"))
    assert osm.is_osm(tmp_path / "missing.osm.gz")
    assert not osm.is_osm(tmp_path / "missing.json")


def test_progress_is_told_of_every_step(tmp_path: Path) -> None:
    said: list[str] = []
    osm.read(empty_extract(tmp_path / "a.osm.pbf"), source_id="x", progress=said.append)
    assert said == ["Reading relations", "Reading cameras, streets and buildings"]


def test_sets_of_ids_are_asked_for_in_bounded_blocks() -> None:
    # A set of osmium takes 4 MB for every 2**25 ids that one of its members falls into.
    ids = [*range(0, 12_000_000_000, 10_000_000), -5, 1 << 60]
    batches = list(_passes._batches(ids))
    assert [i for batch in batches for i in batch] == ids[:-2]
    assert max(len({i >> 25 for i in batch}) for batch in batches) <= 32


def boundary_file(path: Path) -> Path:
    city = {"boundary": "administrative", "admin_level": "8", "name": "Altstadt"}
    return write(
        path,
        *square(10, 11.0, 48.0, 0.01),
        *square(20, 11.2, 48.0, 0.01),
        way(1, [10, 11, 12]),
        way(2, [12, 13, 10]),
        way(3, ring(20)),
        relation(100, [("w", 1, "outer"), ("w", 2, "outer"), ("n", 10, "label")],
                 tags=city | {"name:fr": "Vieille Ville", "official_name": "Stadt Altstadt"}),
        relation(101, [("w", 3, "outer")], tags=city | {"name": "Neustadt", "admin_level": "9"}),
        relation(102, [("w", 3, "outer")], tags=city | {"name": "Neustadt"}),
        relation(103, [("w", 1, "outer"), ("w", 77, "outer"), ("w", 78, "outer")],
                 tags=city | {"name": "Umland"}),
        relation(104, [("w", 3, "outer")], tags={"type": "multipolygon", "name": "Wald"}),
    )  # fmt: skip


@pytest.mark.parametrize(
    "wanted",
    ["Altstadt", "altstadt ", "VIEILLE VILLE", "Stadt Altstadt", "100", "r100", "relation/100"],
)
def test_boundary_by_name_and_id(tmp_path: Path, wanted: str) -> None:
    name, area = osm.read_boundary(boundary_file(tmp_path / "a.osm.pbf"), wanted)
    assert name == "Altstadt"
    assert area.equals(shapely.box(11.0, 48.0, 11.01, 48.01))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("Alstadt", ["no boundary 'Alstadt' among its 4", "did you mean Altstadt"]),
        ("Wald", ["no boundary 'Wald'"]),
        ("999", ["no boundary '999'"]),
        ("Neustadt", ["2 boundaries", "relation/101 (level 9)", "relation/102 (level 8)", "id"]),
        ("Pari", ["complete in it are Altstadt", "Neustadt"]),
        ("Umland", ["relation/103", "1 of its 3 ways are in the file", "--within"]),
    ],
)
def test_boundary_that_cannot_be_given(tmp_path: Path, wanted: str, words: list[str]) -> None:
    path = boundary_file(tmp_path / "a.osm.pbf")
    with pytest.raises(UnusableInput) as refused:
        osm.read_boundary(path, wanted)
    message = str(refused.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words:
        assert word in message


def test_no_boundary_at_all(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no administrative boundary"):
        osm.read_boundary(empty_extract(tmp_path / "a.osm.pbf"), "Altstadt")


def test_boundaries_are_listed(tmp_path: Path) -> None:
    rows = osm.list_boundaries(boundary_file(tmp_path / "a.osm.pbf"))
    assert [tuple(row) for row in rows] == [
        (100, "Altstadt", "8", True),
        (102, "Neustadt", "8", True),
        (103, "Umland", "8", False),
        (101, "Neustadt", "9", True),
    ]


def test_boundaries_as_osmium_draws_them(shared_data: Path) -> None:
    path = shared_data / "osm" / "monaco_2023-12.osm.pbf"
    drawn = {}
    factory = osmium.geom.WKBFactory()
    for obj in osmium.FileProcessor(str(path)).with_areas():
        if obj.is_area() and obj.tags.get("boundary") == "administrative" and not obj.from_way():
            drawn[obj.orig_id()] = shapely.from_wkb(factory.create_multipolygon(obj))
    complete = [one for one in osm.list_boundaries(path) if one.complete]
    assert {one.id for one in complete} == drawn.keys()
    for one in complete:
        name, area = osm.read_boundary(path, one.name)
        assert name == one.name
        assert area.equals(drawn[one.id])
    # 22 of its 25 ways are there, and the country bears the same name.
    with pytest.raises(UnusableInput, match=r"2 boundaries are called 'Monaco'.*2220322"):
        osm.read_boundary(path, "Monaco")
    with pytest.raises(UnusableInput, match="22 of its 25 ways are in the file"):
        osm.read_boundary(path, "2220322")
