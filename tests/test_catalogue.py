"""The catalogue: every description is whole, known files are known, and errors name their key."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sousveil.errors import UnusableInput
from sousveil.sources import Source, catalogue
from sousveil.sources._gate import refusal
from sousveil.sources.tabular._spec import Spec
from tests.conftest import PROJECT
from tests.lists import AREA, HEAD, PLACES, csv_file, read, set_aside, xlsx_file

PAGE = (PROJECT / "docs" / "sources.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", catalogue.all_specs().values(), ids=lambda spec: spec.spec_id)
def test_every_description_says_where_what_it_knows_comes_from(spec: Spec) -> None:
    assert spec.documentation.startswith("https://")
    assert spec.url.startswith("https://")
    assert spec.match.columns or spec.match.names
    assert spec.area.box or spec.is_evidence or spec.area.name == "the Earth"


def test_what_may_be_passed_on_is_as_their_licences_say() -> None:
    """Nobody has said so of these; see the licence in each file."""
    closed = {s.spec_id for s in catalogue.all_specs().values()
              if refusal(s.licence, s.redistributable)}  # fmt: skip
    assert closed == {
        "baltimore", "mapillary", "milan_gates", "new_york_511", "new_york_city_dot"
    }  # fmt: skip


FILES = {
    "baltimore_cctv_2014.csv": "baltimore",
    "busan_cctv_standard_data.csv": "korea_standard",
    "busan_cctv_standard_data.xlsx": "korea_standard",
    "cameras_GE_2023-08_broken_coords.csv": "geneva_2023",
    "geneva_canton_boundary.zip": None,
    "milano_official_gates_2026-08.geojson": "milan_gates",
    "osm_alpr_planet_2026-07-13.tsv.gz": "osm_plate_readers",
    "osm_alpr_planet_2026-07-21.tsv.gz": "osm_plate_readers",
    "osm_italy_surveillance_2026-08.geojson": "osm_italy",
    "perth_cameras_2025-10.json": "perth",
    "seoul_ansimi_cctv_2021.csv": "seoul_points",
    "switzerland_man_made_surveillance_2023-03.json": None,  # Overpass: the OSM reader's
    "us_west_surveillance_2026-01.json": "osm_us_west",
    "seoul_districts": "seoul_totals",
    "seoul_districts/CCTV_result.csv": None,
    "seoul_districts/crime_in_Seoul.csv": None,
}


@pytest.mark.parametrize(("name", "spec_id"), FILES.items())
def test_a_known_file_is_known(shared_data: Path, name: str, spec_id: str | None) -> None:
    found = catalogue.match(shared_data / "lists" / name)
    assert (found.spec_id if found else None) == spec_id


def test_osm_extracts_and_what_is_no_list_fit_nothing(shared_data: Path, tmp_path: Path) -> None:
    assert catalogue.match(shared_data / "osm/boston_north_2020-08.osm.pbf") is None
    assert catalogue.match(csv_file(tmp_path, "a,b", "1,2")) is None
    assert catalogue.match(tmp_path / "absent.csv") is None


def test_a_directory_of_several_lists_is_refused(shared_data: Path) -> None:
    with pytest.raises(UnusableInput, match="holds files of several lists"):
        catalogue.match(shared_data / "lists")


MISTAKES: dict[str, tuple[str, str]] = {
    "not TOML": ("title = ", "not TOML"),
    "no licence": (HEAD.replace('licence = "CC0-1.0"', "") + AREA + PLACES, "licence: is missing"),
    "unknown key": (HEAD + 'license = "x"\n' + AREA + PLACES, "license: no such key"),
    "unknown field": (HEAD + AREA + PLACES + 'colour = "c"', "fields.colour: no such field"),
    "unknown field key": (
        HEAD + AREA + PLACES + 'kind = { column = "k", maps = {} }',
        "fields.kind.maps: no such key",
    ),
    "no place": (HEAD + AREA + '[fields]\nlon = "x"', "fields.lat: is missing"),
    "column and value": (
        HEAD + AREA + PLACES + 'kind = { column = "k", value = "camera" }',
        "fields.kind: needs either a column or a value",
    ),
    "foreign word": (
        HEAD + AREA + PLACES + 'kind = { column = "k", map = { a = "webcam" } }',
        "fields.kind: 'webcam' is none of camera, alpr",
    ),
    "bad counts": (HEAD.replace("devices", "cameras") + AREA + PLACES, "counts: is none of"),
    "bad box": (HEAD + "[area]\nbox = [12, 48, 11, 49]\n" + PLACES, "area.box: is not a box"),
    "bad date": (HEAD + 'date = "2026"\n' + AREA + PLACES, "date: is not a date"),
    "bad truth": (HEAD + 'redistributable = "yes"\n' + AREA + PLACES, 'none of true, false, "un'),
    "bad encoding": (HEAD + AREA + '[file]\nencoding = "utf-9"\n' + PLACES, "no such encoding"),
    "bad system": (HEAD + AREA + '[file]\ncrs = "EPSG:1"\n' + PLACES, "no such reference system"),
    "bad pattern": (
        HEAD + AREA + PLACES + 'operator = { column = "o", pattern = "(" }',
        "fields.operator.pattern: is not a regular expression",
    ),
    "no group": (
        HEAD + AREA + PLACES + 'operator = { column = "o", pattern = "x" }',
        "fields.operator.pattern: needs one group",
    ),
    "no names": (HEAD + AREA + "[file]\nheader = false\n" + PLACES, "file.columns: is missing"),
    "half a total": (HEAD + AREA + '[total]\ncolumn = "n"\n' + PLACES, "total.parts: is missing"),
}


@pytest.mark.parametrize(("text", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line_with_the_file_and_the_key(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UnusableInput) as refused:
        catalogue.load(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="no such list; known are amsterdam_sensors, baltim"):
        catalogue.load("busan")
    with pytest.raises(UnusableInput, match=r"absent\.toml: cannot be read"):
        catalogue.load(tmp_path / "absent.toml")


# --- The page about lists -------------------------------------------------------------------------


def test_the_page_names_every_list_and_whether_it_may_be_passed_on() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    said = {
        name: row[4].strip()
        for row in rows
        for name in re.findall("`([a-z0-9_]+)`", row[1])
        if name in catalogue.all_specs()
    }
    assert said == {
        s.spec_id: "not known" if refusal(s.licence, s.redistributable) else "yes"
        for s in catalogue.all_specs().values()
    }


def test_the_page_says_of_korean_purposes_what_the_description_says() -> None:
    fields = catalogue.load("korea_standard").fields
    purposes, kinds = fields["purpose"].map or {}, fields["kind"].map or {}
    rows = re.findall(r"^\| ([가-힣]+) \| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert len(rows) > 10
    for word, purpose, kind in rows[1:]:  # below the header
        assert (purposes[word], kinds.get(word, "camera")) == (purpose, kind)


def test_the_example_on_the_page_is_a_description(tmp_path: Path) -> None:
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")
    assert catalogue.load(path).fields["kind"].map == {"Blitzer": "speed", "Kennzeichen": "alpr"}


# --- Lists known from their public documentation, on files written for the purpose -------------


def json_file(folder: Path, value: Any, name: str = "list.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def known(path: Path, spec_id: str) -> Source:
    found = catalogue.match(path)
    assert found is not None
    assert found.spec_id == spec_id
    source = read(path, found)
    for table in (source.observations, source.evidence):
        raw = "".join(table["raw"].to_pylist())
        assert "http" not in raw
        assert "m3u8" not in raw
    return source


def test_mapillary_cameras_and_nothing_else_that_pictures_show(tmp_path: Path) -> None:
    """Map features as GET /map_features answers, documented at mapillary.com/developer."""

    def feature(number: str, value: str, seen: Any) -> dict[str, Any]:
        return {
            "id": number,
            "object_value": value,
            "object_type": "point",
            "first_seen_at": "2019-05-14T12:27:05+0000",
            "last_seen_at": seen,
            "aligned_direction": 12.5,
            "geometry": {"type": "Point", "coordinates": [11.57, 48.13]},
            "images": {"data": [{"id": "1"}]},
        }

    features = [
        feature("1", "object--cctv-camera", "2023-08-02T10:00:00+0000"),
        feature("2", "object--cctv-camera", 1690970400000),  # tiles count milliseconds
        feature("3", "object--bench", "2023-08-02T10:00:00+0000"),
    ]
    source = known(json_file(tmp_path, {"data": features}), "mapillary")
    assert source.observations["native_id"].to_pylist() == ["1", "2"]
    assert source.observations["seen_on"].to_pylist() == [date(2023, 8, 2)] * 2
    assert set(source.observations["seen_by"].to_pylist()) == {"check"}
    assert source.observations["bearings"].null_count == 2
    assert "images" not in source.observations["raw"][0].as_py()
    [(row, reason)] = set_aside(source)
    assert row == 3
    assert "object_value is none of object--cctv-camera" in reason


def test_amsterdam_sensors_that_are_cameras_and_the_others(tmp_path: Path) -> None:
    """Devices as the register's own program writes them (github.com/Amsterdam/iot-api)."""

    def device(number: int, kind: str, until: str) -> dict[str, Any]:
        return {
            "id": number,
            "reference": f"ref-{number}",
            "type": kind,
            "datastream": "Tellen van mensen",
            "contains_pi_data": True,
            "active_until": until,
            "owner": {"name": "J. Jansen", "email": "j@example.org", "organisation": "GVB"},
            "location": {"latitude": 52.37, "longitude": 4.9},
            "location_description": "",
            "observation_goals": [{"privacy_declaration": "https://example.org/p"}],
            "themes": ["Mobiliteit: auto"],
            "regions": None,
            "project_paths": None,
        }

    devices = [
        device(1, "Optische / camera sensor", "2050-01-01"),
        device(2, "Geluidsensor", "2022-01-01"),
    ]
    source = known(json_file(tmp_path, devices), "amsterdam_sensors")
    camera, other = source.observations.to_pylist()
    assert (camera["kind"], camera["not_camera"]) == ("camera", None)
    assert (other["kind"], other["not_camera"]) == (None, "other_sensor")
    assert camera["operator"] == "GVB"
    assert camera["purpose"] == "Tellen van mensen"
    assert other["removed"] == date(2022, 1, 1)
    assert "Jansen" not in camera["raw"]
    assert "example.org" not in camera["raw"]


def test_zurich_counts_every_camera_of_a_site(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        '"standort_beschreibung","adresse_beschreibung","lat","lon","anzahl_kameras_aussen",'
        '"anzahl_kameras_innen","anzahl_kameras_gsa","bereich_detail_beschreibung",'
        '"aufbewahrungsdauer","verantwortliche_da","rechtsgrundlage_url"',
        '"Unterwerk","Weg 21","47.41234","8.570868","1","0","1","Tor","15","Elektrizitätswerk",'
        '"https://example.ch/reglement.pdf"',
        '"Schulhaus","Weg 3","47.38","8.53","0","0","0","","15","Schulamt",""',
        '"Stadthaus","Weg 4","47.37","8.54","2","","","Eingang ""Nord""","15","Stadtpolizei",""',
        encoding="utf-8-sig",
    )
    source = known(path, "zurich")
    first, third = source.observations.to_pylist()
    assert (first["count"], third["count"]) == (2, 2)
    assert first["operator"] == "Elektrizitätswerk"
    assert (first["operator_class"], first["operator_class_rule"]) == ("public", "catalogue")
    assert first["evidence_url"] == "https://example.ch/reglement.pdf"
    assert first["retention_days"] is None  # the unit is not stated
    assert third["purpose"] == 'Eingang "Nord"'
    assert set_aside(source) == [(3, "counts no camera")]


def test_the_atlas_of_surveillance_is_evidence_about_agencies(tmp_path: Path) -> None:
    """Columns of atlasofsurveillance.org/download.csv; agencies have no coordinates."""
    head = (
        '"AOSNUMBER","NEWAOSNUMBER (ORI9)","City","County","State","Agency","Type of LEA",'
        '"Summary","Type of Juris","Technology","TECH ABV","Vendor","Link 1","Link 1 Snapshot",'
        '"Link 1 Source","Link 1 Type","Link 1 Date","Other Links"'
    )
    row = (
        '"AOS{0}","TX{0}","Austin","Travis County","TX","Austin Police Department","Police",'
        '"Chief Jane Doe bought it.","Municipal","{1}","X","Maker","https://example.org/{0}",'
        '"","News","Web","01/15/2021",""'
    )
    technologies = ("Automated License Plate Readers", "Face Recognition", "Gunshot Detection")
    lines = [row.format(n, technology) for n, technology in enumerate(technologies, start=1)]
    source = known(csv_file(tmp_path, head, *lines), "eff_atlas")
    assert source.observations.num_rows == 0
    plates, faces, shots = source.evidence.to_pylist()
    assert plates["place"] == "Austin, Travis County, TX"
    assert plates["operator"] == "Austin Police Department"
    assert (plates["kind"], plates["capabilities"]) == ("alpr", ["alpr"])
    assert faces["capabilities"] == ["face_recognition"]
    assert (shots["not_camera"], shots["capabilities"]) == ("gunshot_detector", ["audio"])
    assert plates["evidence_url"] == "https://example.org/1"
    assert plates["seen_on"] == date(2021, 1, 15)
    assert "Jane" not in plates["raw"]


def test_new_york_state_keeps_no_link_to_a_feed(tmp_path: Path) -> None:
    """GET getcameras of 511NY, documented at 511ny.org/developers/help."""
    camera = {
        "ID": "Skyline-1",
        "Name": "I-90 at Exit 24",
        "DirectionOfTravel": "Westbound",
        "RoadwayName": "I-90",
        "Latitude": 42.69,
        "Longitude": -73.85,
        "Url": "https://511ny.org/map/Cctv/1",
        "VideoUrl": "https://s51.nysdot.skyvdn.com/rtplive/R1/playlist.m3u8",
        "Disabled": False,
        "Blocked": False,
    }
    source = known(json_file(tmp_path, [camera]), "new_york_511")
    [row] = source.observations.to_pylist()
    assert (row["kind"], row["operator_class"], row["bearings"]) == ("traffic", "public", None)
    assert source.links_dropped == 2


def test_new_york_city_keeps_no_link_to_a_feed(tmp_path: Path) -> None:
    camera = {
        "id": "5d055599-875a-4010-991f-e7e454889052",
        "name": "6 Ave @ 42 St",
        "latitude": 40.755,
        "longitude": -73.984,
        "area": "Manhattan",
        "isOnline": "true",
        "imageUrl": "https://webcams.nyctmc.org/api/cameras/5d05/image",
    }
    source = known(json_file(tmp_path, [camera]), "new_york_city_dot")
    [row] = source.observations.to_pylist()
    assert row["operator"] == "New York City Department of Transportation"
    assert source.links_dropped == 1


def test_the_korean_standard_is_known_by_its_columns_in_any_city(tmp_path: Path) -> None:
    """A file of 2026 with management numbers, compact dates and no direction, in CP949."""
    cells = {
        "개방자치단체코드": "3000000",
        "관리번호": "202630000000800991",
        "관리기관명": "서울특별시 종로구청",
        "소재지도로명주소": "숭인동2길 30",
        "설치목적구분": "차량방범",
        "카메라대수": "3",
        "카메라화소수": "200",
        "촬영방면정보": "",
        "보관일수": "30일",
        "설치연월": "201312",
        "WGS84위도": "37.57814",
        "WGS84경도": "127.0202",
        "데이터기준일자": "20260518",
    }
    header, row = list(cells), list(cells.values())
    lines = [",".join(header), ",".join(row)]
    sheet = xlsx_file(tmp_path / "list.xlsx", [header, row])
    for path in (csv_file(tmp_path, *lines, encoding="cp949"), sheet):
        source = known(path, "korea_standard")
        [camera] = source.observations.to_pylist()
        assert camera["native_id"] == "202630000000800991"
        assert (camera["kind"], camera["capabilities"], camera["count"]) == ("alpr", ["alpr"], 3)
        assert camera["retention_days"] == 30.0
        assert camera["installed"] == date(2013, 12, 1)
        assert camera["seen_on"] == date(2026, 5, 18)
        assert camera["pixels_h"] is None
