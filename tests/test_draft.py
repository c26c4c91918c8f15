"""Drafts of descriptions: what looking at a file tells, and what it leaves to a person."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil.errors import UnusableInput
from sousveil.sources import catalogue
from sousveil.sources._crs import likely
from sousveil.sources.draft import draft
from tests.lists import csv_file, read, xlsx_file


def drafted(path: Path) -> dict[str, Any]:
    return tomllib.loads(draft(path).toml)


def finished(path: Path, folder: Path) -> Path:
    """The draft with what only a person can know filled in."""
    text = draft(path).toml
    for key in ("publisher", "licence", "attribution", "covers"):
        text = text.replace(f'{key} = ""', f'{key} = "x"')
    made = folder / "made.toml"
    made.write_text(text, encoding="utf-8")
    return made


def test_a_draft_is_refused_until_a_person_has_finished_it(
    shared_data: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.toml"
    made.write_text(draft(shared_data / "lists/baltimore_cctv_2014.csv").toml, encoding="utf-8")
    with pytest.raises(UnusableInput, match=r"publisher, licence, .*, covers: are missing; state"):
        catalogue.load(made)


@pytest.mark.parametrize(
    ("name", "rows", "used"),
    [
        ("baltimore_cctv_2014.csv", 614, 614),
        ("busan_cctv_standard_data.xlsx", 15_737, 15_737),  # 0, 0 and the sea without a box
        ("milano_official_gates_2026-08.geojson", 213, 213),
        ("perth_cameras_2025-10.json", 762, 762),
    ],
)
def test_a_finished_draft_reads_the_real_file(
    shared_data: Path, tmp_path: Path, name: str, rows: int, used: int
) -> None:
    path = shared_data / "lists" / name
    source = read(path, catalogue.load(finished(path, tmp_path)))
    zero = sum(row["reason"] == "the coordinates are 0, 0" for row in source.quarantine.to_pylist())
    assert (source.rows, source.observations.num_rows + zero) == (rows, used)


def test_columns_are_known_by_name_and_content(shared_data: Path) -> None:
    fields = drafted(shared_data / "lists/busan_cctv_standard_data.csv")["fields"]
    assert fields["lat"] == "WGS84위도"
    assert fields["lon"] == "WGS84경도"
    assert fields["native_id"] == "번호"
    assert fields["count"] == "카메라대수"
    assert fields["operator"] == "관리기관명"
    assert fields["installed"] == "설치연월"
    assert fields["seen_on"] == "데이터기준일자"
    assert fields["retention_days"] == "보관일수"


def test_dates_written_the_american_way_get_their_layout(shared_data: Path) -> None:
    fields = drafted(shared_data / "lists/baltimore_cctv_2014.csv")["fields"]
    assert fields["seen_on"] == {"column": "ListedDate", "formats": ["%m/%d/%Y %I:%M:%S %p"]}


def test_a_file_without_header_is_told_by_its_numbers(shared_data: Path) -> None:
    made = draft(shared_data / "lists/seoul_ansimi_cctv_2021.csv")
    content = tomllib.loads(made.toml)
    assert content["file"]["header"] is False
    assert (content["fields"]["lat"], content["fields"]["lon"]) == ("column 3", "column 4")
    assert '# count = "column 5"' in made.toml
    assert any("perhaps a count of cameras" in finding for finding in made.findings)


def test_encoding_delimiter_and_decimal_comma_are_written_down(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "straße;breite;länge", "Köln;50,9375;6,9603", "Bonn;50,7374;7,0982",
                    encoding="cp1252")  # fmt: skip
    content = drafted(path)
    assert content["file"] == {
        "formats": ["csv"],
        "encoding": "cp1252",
        "delimiter": ";",
        "decimal": ",",
    }
    assert (content["fields"]["lat"], content["fields"]["lon"]) == ("breite", "länge")


@pytest.mark.parametrize(
    ("code", "lon", "lat", "city"),
    [
        ("EPSG:28992", 4.90, 52.37, "Amsterdam"),
        ("EPSG:2056", 8.54, 47.37, "Zürich"),
        ("EPSG:25832", 11.57, 48.14, "Munich"),
        ("EPSG:27700", -0.10, 51.50, "London"),
        ("EPSG:5179", 129.05, 35.15, "Busan"),
        ("EPSG:2248", -76.61, 39.29, "Baltimore"),
    ],
)
def test_the_system_of_projected_coordinates_is_found(
    tmp_path: Path, code: str, lon: float, lat: float, city: str
) -> None:
    """The coordinates of a city in its own grid, by pyproj, come back as that grid."""
    x, y = pyproj.Transformer.from_crs("EPSG:4326", code, always_xy=True).transform(lon, lat)
    best = likely(x, y, [])[0]
    assert (best.code, best.place, best.north_first) == (code, city, False)


def test_a_projected_list_is_drafted_with_its_system_and_read(tmp_path: Path) -> None:
    """Swiss surveyors call the easting y and the northing x; the order of the columns tells."""
    to_swiss = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:2056", always_xy=True)
    rows: list[list[str | float]] = [["standort", "y_koord", "x_koord"]]
    for n in range(30):
        east, north = to_swiss.transform(8.54 + n / 1e3, 47.37)
        rows.append([f"Zürich {n}", east, north])
    path = xlsx_file(tmp_path / "kameras.xlsx", rows)
    content = drafted(path)
    assert content["file"]["crs"] == "EPSG:2056"
    assert (content["fields"]["lon"], content["fields"]["lat"]) == ("y_koord", "x_koord")
    source = read(path, catalogue.load(finished(path, tmp_path)))
    assert source.observations["lon"][3].as_py() == pytest.approx(8.543, abs=1e-7)
    assert source.observations["lat"][3].as_py() == pytest.approx(47.37, abs=1e-7)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
@pytest.mark.parametrize(
    ("x", "y"), [("X좌표", "Y좌표"), ("좌표정보(x)", "좌표정보(y)"), ("X 좌표", "Y 좌표")]
)
def test_korean_names_of_projected_coordinates(
    tmp_path: Path, x: str, y: str, encoding: str
) -> None:
    to_korean = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:5179", always_xy=True)
    rows = []
    for n in range(30):  # the floor has decimals too, so that only the names tell
        east, north = to_korean.transform(129.05 + n / 1e3, 35.15)
        rows.append(f"{n},중앙대로 {n},{n}.12345,{east:.4f},{north:.4f}")
    content = drafted(csv_file(tmp_path, f"번호,설치장소,층,{x},{y}", *rows, encoding=encoding))
    assert content["file"]["encoding"] == encoding
    assert content["file"]["crs"] == "EPSG:5179"
    assert (content["fields"]["lon"], content["fields"]["lat"]) == (x, y)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_korean_names_of_degrees(tmp_path: Path, encoding: str) -> None:
    path = csv_file(tmp_path, "위치,층,위도,경도", "부산,1.12345,35.1501,129.0512",
                    "부산,2.12345,35.1502,129.0513", encoding=encoding)  # fmt: skip
    fields = drafted(path)["fields"]
    assert (fields["lon"], fields["lat"]) == ("경도", "위도")


def test_words_of_a_kind_are_listed_for_a_person_to_translate(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,lat,lon,typ,art", "1,48.1355,11.5712,a,Dom", "2,48.2,11.6,b,Dom")
    content = drafted(path)
    assert content["fields"]["kind"] == {"column": "art", "map": {"Dom": ""}}


def test_a_file_without_coordinates_says_so(shared_data: Path) -> None:
    made = draft(shared_data / "lists/seoul_districts/crime_in_Seoul.csv")
    assert "no columns of coordinates were recognised" in made.findings
    assert tomllib.loads(made.toml)["file"]["encoding"] == "cp949"


def test_openstreetmap_data_needs_no_description(shared_data: Path) -> None:
    with pytest.raises(UnusableInput, match="is OpenStreetMap data; it needs no description"):
        draft(shared_data / "osm/boston_north_2020-08.osm.pbf")


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='id,latlon\n\r"; 1.48é\x7f\t', max_size=200).map(str.encode),
        st.text(alphabet="0123456789.,;\n-", max_size=200).map(str.encode),
    )
)
@settings(deadline=None, max_examples=100)
def test_whatever_the_bytes_a_draft_is_toml_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "list.csv"
    path.write_bytes(data)
    try:
        text = draft(path).toml
    except UnusableInput:
        return
    assert "fields" in tomllib.loads(text)


def test_a_header_is_told_by_its_names_where_no_column_holds_numbers(tmp_path: Path) -> None:
    with_names = csv_file(tmp_path, "name,street", "A,Main St", "B,2nd St")
    assert "CSV, looked at 2 rows" in draft(with_names).findings
    assert "header" not in drafted(with_names)["file"]
    spaced = csv_file(tmp_path, "Camera name,Street address", "A,Main St", "B,2nd St")
    assert "header" not in drafted(spaced)["file"]
    for lines in (["A,Main St", "B,2nd St"], ["cam,north", "cam,south", "pole,east"], ["1,2"]):
        without = csv_file(tmp_path, *lines)
        assert drafted(without)["file"]["header"] is False


def test_a_file_of_names_alone_has_its_coordinates_recognised(tmp_path: Path) -> None:
    made = draft(csv_file(tmp_path, "id,lat,lon"))
    fields = tomllib.loads(made.toml)["fields"]
    assert (fields["lon"], fields["lat"], made.warning) == ("lon", "lat", None)


def test_a_few_bad_rows_do_not_widen_the_box(tmp_path: Path) -> None:
    good = [f"{n},{48.1 + n / 100},{11.5 + n / 100}" for n in range(8)]
    bad = ["20,999,48.1", "21,0,0", "22,11.5,48.1", "23,,11.5"]
    text = draft(csv_file(tmp_path, "id,lat,lon", *good, *bad)).toml
    assert "# box = [11.40, 48.00, 11.67, 48.27]" in text  # 0.1 degrees around the good rows


def test_ruined_coordinates_are_said(shared_data: Path) -> None:
    made = draft(shared_data / "lists/cameras_GE_2023-08_broken_coords.csv")
    assert made.warning
    assert made.warning.startswith("lat and lon are ruined by thousands separators")
    assert "lat and lon are ruined by thousands separators" in made.findings
    assert tomllib.loads(made.toml)["fields"]["lat"] == "lat"
