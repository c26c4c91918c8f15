"""Lists read by their description: the real files, and each rule on a small one."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil.errors import UnusableInput
from sousveil.records import OBSERVATIONS, QUARANTINE
from sousveil.sources import Source, catalogue, tabular
from sousveil.sources.tabular import _csv, period_in
from sousveil.sources.tabular._coordinates import MAY_BE_RUINED, RUINED, SWAPPED
from tests.lists import csv_file, read, set_aside, spec


@cache
def known(shared_data: Path, name: str, *, accept_swapped: bool = False) -> Source:
    """One real file, read once for all tests of it."""
    path = shared_data / "lists" / name
    found = catalogue.match(path)
    assert found is not None
    return read(path, found, accept_swapped=accept_swapped)


def reasons(source: Source, *, kept: bool = False) -> Counter[str]:
    return Counter(row[-1] for row in set_aside(source, kept=kept))


# --- The real files, with the numbers that their README states -----------------------------------


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_busan_in_both_formats(shared_data: Path, ending: str) -> None:
    """15,737 rows; six places outside the city, one of them 0, 0; one month of 2027.

    Two more rows lie in the sea: a school street of Geumjeong, in the north, at the latitude of
    the southernmost island. Only their distance from the other rows of Geumjeong gives them away.
    """
    source = known(shared_data, f"busan_cctv_standard_data.{ending}")
    assert source.rows == 15_737
    assert {row for row, _ in set_aside(source)} == {
        714, 3237, 6940, 8928, 9110, 14068, 15411, 15412
    }  # fmt: skip
    assert reasons(source) == {
        "far from the other rows of the same 관리기관명": 6,
        "the coordinates are 0, 0": 1,
        "outside Korea": 1,
    }
    future = [row for row in source.quarantine.to_pylist() if row["field"] == "installed"]
    assert [(row["native_id"], row["value"]) for row in future] == [("33", "2027-02-01")]
    cameras = source.observations
    assert pc.sum(cameras["count"]).as_py() == 20_526 - 15  # the eight rows set aside
    assert source.seen_on == date(2024, 12, 6)
    assert pc.min(cameras["installed"]).as_py() == date(2003, 12, 1)
    assert cameras["installed"].null_count == 8_675 + 1 - 4  # four of those set aside had none
    assert set(cameras["retention_days"].to_pylist()) == {None, 30.0}
    assert Counter(cameras["kind"].to_pylist())["alpr"] == 9
    assert "2,319 rows repeat an earlier row in all but their number." in source.notes


def test_busan_keeps_what_its_words_mean(shared_data: Path) -> None:
    cameras = known(shared_data, "busan_cctv_standard_data.csv").observations.to_pylist()
    first = cameras[0]
    assert first["purpose"] == "several purposes"
    assert first["operator"] == "부산광역시 중구청"
    assert (first["operator_class"], first["operator_class_rule"]) == ("public", "catalogue")
    assert (first["hfov_deg"], first["bearings"]) == (360.0, None)
    assert first["pixels_h"] is None
    said = json.loads(first["raw"])
    assert said["카메라화소수"] == "200"
    assert said["촬영방면정보"] == "360도 전방면"


def test_seoul_says_which_coordinates_are_swapped(shared_data: Path) -> None:
    """126 of 37,340 rows lie outside the city; 110 of them swapped, one has one number twice."""
    source = known(shared_data, "seoul_ansimi_cctv_2021.csv")
    assert source.rows == 37_340
    assert reasons(source) == {
        "says the same as an earlier row": 407,
        SWAPPED: 110,
        "outside Seoul": 15,
        "latitude and longitude are the same number": 1,
    }
    accepted = known(shared_data, "seoul_ansimi_cctv_2021.csv", accept_swapped=True)
    assert accepted.observations.num_rows == source.observations.num_rows + 110
    assert reasons(accepted, kept=True) == {
        "latitude and longitude were swapped: used the other way round": 110
    }
    row_1396 = [row for row in accepted.quarantine.to_pylist() if row["row"] == 1396]
    assert row_1396[0]["value"] == "127.1619754, 37.56104768"
    west, south, east, north = catalogue.load("seoul_points").area.box or ()
    assert pc.all(pc.and_(pc.greater_equal(accepted.observations["lon"], west),
                          pc.less_equal(accepted.observations["lon"], east))).as_py()  # fmt: skip
    assert south < pc.min(accepted.observations["lat"]).as_py() < north


def test_seoul_totals_are_evidence_and_none_of_them_adds_up(shared_data: Path) -> None:
    source = known(shared_data, "seoul_districts")
    assert (source.rows, source.evidence.num_rows, source.observations.num_rows) == (25, 25, 0)
    assert reasons(source, kept=True) == {"the printed total is not the sum of its parts": 25}
    assert source.evidence["count"].null_count == 25
    assert source.quarantine["value"][0].as_py() == "2,780 printed, 3,238 summed"
    assert source.notes == ("The printed totals add up to 29,477, their parts to 37,883.",)


def test_geneva_has_not_one_place_left_to_guess(shared_data: Path) -> None:
    source = known(shared_data, "cameras_GE_2023-08_broken_coords.csv")
    assert source.observations.num_rows == 0
    assert reasons(source) == {RUINED: 609, "no coordinates": 7, MAY_BE_RUINED: 6}


def test_perth(shared_data: Path) -> None:
    source = known(shared_data, "perth_cameras_2025-10.json")
    assert source.observations.num_rows == source.rows == 762
    kinds = Counter(source.observations["kind"].to_pylist())
    assert kinds == {"camera": 711, "red_light": 33, "speed": 10, "other_camera": 8}
    assert Counter(map(str, source.observations["capabilities"].to_pylist())) == {
        "None": 754,
        "['behaviour']": 8,
    }
    assert source.observations["hfov_deg"].null_count == 762  # "coverage 360" is a filler
    assert source.seen_on == date(2025, 10, 28)


def test_milan(shared_data: Path) -> None:
    source = known(shared_data, "milano_official_gates_2026-08.geojson")
    assert source.observations.num_rows == source.rows == 213
    assert set(source.observations["kind"].to_pylist()) == {"alpr"}
    assert source.observations["native_id"][0].as_py() == "milano:areac:57"
    assert source.seen_on == date(2026, 8, 1)


def test_italy_bears_the_ids_of_openstreetmap(shared_data: Path) -> None:
    source = known(shared_data, "osm_italy_surveillance_2026-08.geojson")
    cameras = source.observations
    assert cameras.num_rows == source.rows == 7_048
    assert cameras.num_rows - cameras["bearings"].null_count == 2_762
    assert cameras["native_id"][0].as_py() == "node/1333948395"
    assert Counter(cameras["housing"].to_pylist()) == {
        "fixed": 3_952, None: 1_477 + 278, "dome": 1_171, "panning": 170
    }  # fmt: skip
    milan = pc.equal(cameras["operator"], "Polizia locale di Milano")
    assert pc.sum(milan).as_py() == 78
    assert set(cameras.filter(milan)["operator_class"].to_pylist()) == {"public"}


def test_the_western_states_with_their_classes(shared_data: Path) -> None:
    source = known(shared_data, "us_west_surveillance_2026-01.json")
    rows = source.observations.to_pylist()
    assert Counter((row["kind"], row["not_camera"]) for row in rows) == {
        ("alpr", None): 10_255,
        ("camera", None): 5_668,
        ("traffic", None): 1_765,
        ("speed", None): 243,
        ("red_light", None): 7,
        (None, "gunshot_detector"): 128,
        (None, "other_sensor"): 12,
    }
    assert rows[0]["native_id"] == "node/33219729"


@pytest.mark.parametrize(
    ("day", "rows", "repeated", "directed"), [(13, 124_406, 875, False), (21, 128_773, 609, True)]
)
def test_the_plate_readers_of_the_planet(
    shared_data: Path, day: int, rows: int, repeated: int, directed: bool
) -> None:
    """Lines that are the same, letter by letter: 124,406 - 123,531 and 128,773 - 128,164."""
    source = known(shared_data, f"osm_alpr_planet_2026-07-{day}.tsv.gz")
    assert source.rows == rows
    assert reasons(source) == {"says the same as an earlier row": repeated}
    bearings = source.observations["bearings"]
    assert (bearings.null_count < len(bearings)) == directed
    assert source.seen_on == date(2026, 7, day)
    assert len(set(source.observations["observation_id"].to_pylist())) == rows - repeated
    operators = set(source.observations["operator"].to_pylist())
    assert "Nationale Politie" in operators
    assert "Flock Safety" not in operators  # the maker, for want of an operator


def test_the_same_place_has_the_same_id_eight_days_later(shared_data: Path) -> None:
    one, other = (
        set(known(shared_data, f"osm_alpr_planet_2026-07-{day}.tsv.gz")
            .observations["native_id"].to_pylist())
        for day in (13, 21)
    )  # fmt: skip
    assert len(one & other) > 0.95 * len(one)


def test_baltimore(shared_data: Path) -> None:
    source = known(shared_data, "baltimore_cctv_2014.csv")
    assert source.observations.num_rows == source.rows == 614
    assert len(set(source.observations["operator"].to_pylist())) == 26
    assert source.seen_on == date(2014, 10, 22)


# --- Each rule on a small list ------------------------------------------------------------------


def one(tmp_path: Path, header: str, row: str, **described: str) -> tuple[dict[str, Any], Source]:
    path = csv_file(tmp_path, f"id,lat,lon,{header}", f"1,48.1,11.5,{row}")
    source = read(path, spec(tmp_path, **described))
    [camera] = source.observations.to_pylist()
    return camera, source


def test_an_observation_has_every_column_and_says_what_it_does_not_know(tmp_path: Path) -> None:
    camera, source = one(tmp_path, "name", "x")
    assert source.observations.schema.equals(OBSERVATIONS)
    assert source.quarantine.schema.equals(QUARANTINE)
    filled = {name for name, value in camera.items() if value is not None}
    assert filled == {
        "observation_id", "source_id", "native_id", "lon", "lat", "count", "operator_class",
        "operator_class_rule", "private_home", "raw",
    }  # fmt: skip
    assert camera["observation_id"] == "s/1"
    assert json.loads(camera["raw"]) == {"id": "1", "lat": "48.1", "lon": "11.5", "name": "x"}


def test_the_words_of_a_list_come_to_ours_and_strange_ones_are_set_aside(tmp_path: Path) -> None:
    fields = '[fields.kind]\ncolumn = "art"\nmap = { Blitzer = "speed" }\n'
    assert one(tmp_path, "art", "BLITZER", fields=fields)[0]["kind"] == "speed"
    camera, source = one(tmp_path, "art", "Webcam", fields=fields)
    assert camera["kind"] is None
    assert set_aside(source, kept=True) == [
        (2, "kind", "a word that the list's description does not know")
    ]
    assert source.quarantine["value"].to_pylist() == ["Webcam"]


def test_words_of_ours_need_no_map_and_others_are_not_let_in(tmp_path: Path) -> None:
    fields = 'kind = "n"\ncapabilities = "m"'
    camera, source = one(tmp_path, "n,m", "Speed,audio;alpr", fields=fields)
    assert (camera["kind"], camera["capabilities"]) == ("speed", ["audio", "alpr"])
    camera, source = one(tmp_path, "n,m", "webcam,audio;telepathy", fields=fields)
    assert (camera["kind"], camera["capabilities"]) == (None, ["audio"])
    assert [field for _, field, _ in set_aside(source, kept=True)] == ["kind", "capabilities"]


def test_counts_are_added_up_and_what_is_no_number_is_not_passed_over(tmp_path: Path) -> None:
    fields = 'count = { column = ["n", "m"], sum = true }'
    assert one(tmp_path, "n,m", "2,3", fields=fields)[0]["count"] == 5
    assert one(tmp_path, "n,m", "2,", fields=fields)[0]["count"] == 2
    camera, source = one(tmp_path, "n,m", "2,some", fields=fields)
    assert camera["count"] == 1
    assert set_aside(source, kept=True) == [(2, "count", "not whole numbers")]
    assert source.quarantine["value"].to_pylist() == ["2; some"]


def test_other_and_empty_stand_in_where_the_description_says_so(tmp_path: Path) -> None:
    fields = '[fields.kind]\ncolumn = "art"\nother = "other_camera"\nempty = "camera"\nmap = {}\n'
    assert one(tmp_path, "art", "Webcam", fields=fields)[0]["kind"] == "other_camera"
    assert one(tmp_path, "art", "", fields=fields)[0]["kind"] == "camera"


@pytest.mark.parametrize(
    ("line", "text", "field", "value"),
    [
        ('count = "n"', "3", "count", 3),
        ('count = "n"', "", "count", 1),
        ('retention_days = { column = "n", zero = "unknown" }', "0", "retention_days", None),
        ('retention_days = "n"', "72 h", "retention_days", 3.0),
        ('retention_days = { column = "n", suffix = "일" }', "30일", "retention_days", 30.0),
        ('height_m = "n"', "350 cm", "height_m", 3.5),
        ('bearings = "n"', "NNW", "bearings", [337.5]),
        ('bearings = "n"', "360", "bearings", [0.0]),
        ('hfov_deg = "n"', "90", "hfov_deg", 90.0),
        ('pixels_h = "n"', "1920x1080", "pixels_h", 1920),
        ('accuracy_m = "n"', "12.5", "accuracy_m", 12.5),
        ('installed = "n"', "2019-05", "installed", date(2019, 5, 1)),
        ('installed = { column = "n", formats = ["%d/%m/%y"] }', "03/05/19", "installed",
         date(2019, 5, 3)),
        ('seen_on = { column = "n", read = "epoch_ms" }', "1690970400000", "seen_on",
         date(2023, 8, 2)),
        ('operator = { column = "n", prefix = "Stadt " }', "Köln", "operator", "Stadt Köln"),
        ('operator = { column = "n", strip = "by " }', "by GVB", "operator", "GVB"),
        ('operator = { column = "n", pattern = "^(.+) GmbH$" }', "Rose GmbH", "operator", "Rose"),
        ('mount = { column = ["m", "n"] }', "wall", "mount", "wall"),
        ('capabilities = { value = "alpr;audio" }', "", "capabilities", ["alpr", "audio"]),
    ],
)  # fmt: skip
def test_a_text_becomes_a_value(
    tmp_path: Path, line: str, text: str, field: str, value: object
) -> None:
    camera, source = one(tmp_path, "n", text, fields=line)
    assert camera[field] == value
    assert source.quarantine.num_rows == 0


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        ('count = "n"', "many", "not a whole number from 1 to 1,000"),
        ('bearings = "n"', "400", "bearing"),
        ('height_m = "n"', "tall", "not a height"),
        ('installed = "n"', "03/05/2019", "not an exact date"),
        ('installed = "n"', "2099-01-01", "in the future when the list was made"),
        ('seen_on = "n"', "2099-01-01", "in the future when the list was made"),
        ('evidence_url = "n"', "https://a.example/live/cam.m3u8", "pictures instead of a document"),
        ('evidence_url = "n"', "see the page", "not a link to a document"),
    ],
)
def test_what_cannot_be_read_is_set_aside_and_the_row_stays(
    tmp_path: Path, line: str, text: str, reason: str
) -> None:
    camera, source = one(tmp_path, "n", text, fields=line)
    field = line.split(" ")[0]
    assert camera[field] == (1 if field == "count" else None)
    [(row, named, said)] = set_aside(source, kept=True)
    assert (row, named) == (2, field)
    assert reason in said


def test_no_link_survives_and_each_is_counted(tmp_path: Path) -> None:
    camera, source = one(
        tmp_path, "name,videoUrl,note", "Gate,rtsp://10.0.0.1/live,see http://a.example/cam.mjpg"
    )
    assert json.loads(camera["raw"])["note"] == "see [link removed]"
    assert "videoUrl" not in camera["raw"]
    assert source.links_dropped == 2


def test_the_quarantine_shows_no_link_either(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,lat,lon", "1,http://a.example/live.m3u8,11.5")
    source = read(path, spec(tmp_path))
    assert source.quarantine["value"].to_pylist() == ["[link removed] 11.5"]


def test_a_person_is_never_an_operator(tmp_path: Path) -> None:
    camera, _ = one(tmp_path, "owner", "Familie Huber", fields='operator = "owner"')
    assert camera["operator"] is None
    assert (camera["operator_class"], camera["private_home"]) == ("private", True)
    assert "Huber" not in camera["raw"]


def test_the_publisher_says_who_runs_its_cameras_before_the_words_do(tmp_path: Path) -> None:
    fields = 'operator = "owner"\n'
    words, _ = one(tmp_path, "owner", "Polizei", fields=fields)
    assert (words["operator_class"], words["operator_class_rule"]) == ("public", "operator_name")
    fields += 'operator_class = { value = "public" }'
    said, _ = one(tmp_path, "owner", "Amt 3", fields=fields)
    assert (said["operator_class"], said["operator_class_rule"]) == ("public", "catalogue")


def test_rows_without_an_id_get_one_from_what_tells_them_apart(tmp_path: Path) -> None:
    top = 'identity = ["lat", "lon"]'
    path = csv_file(tmp_path, "id,lat,lon,n", ",48.1,11.5,x", ",48.2,11.5,x", ",48.1,11.5,y")
    first, other, second = read(path, spec(tmp_path, top=top)).observations["native_id"].to_pylist()
    assert first.startswith("row-")
    assert second == f"{first}#2"
    assert other != first
    again = csv_file(tmp_path, "id,lat,lon,n", ",48.1,11.5,changed", name="later.csv")
    assert read(again, spec(tmp_path, top=top)).observations["native_id"].to_pylist() == [first]


def test_a_row_of_a_directory_is_told_by_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    csv_file(folder, "id,lat,lon", "1,48.1,11.5", "2,0,0", name="a.csv")
    csv_file(folder, "id,lat,lon", "3,48.1,11.6", "1,48.1,11.5", name="b.csv")
    source = read(folder, spec(tmp_path, file='[file]\ndelimiter = ","'))
    assert source.rows == 4
    assert source.format == "CSV, 2 files"
    assert set_aside(source) == [
        (3, "the coordinates are 0, 0 (in a.csv)"),
        (3, "says the same as an earlier row (in b.csv)"),
    ]


def test_lines_that_cannot_be_read_are_rows_set_aside(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,lat,lon", "1,48.1,11.5", '2,"48.1,11.5', "3,48.1", "4,48.2,11.6")
    source = read(path, spec(tmp_path))
    assert source.rows == 4
    assert source.observations["native_id"].to_pylist() == ["1", "4"]
    assert set_aside(source) == [
        (3, "a quote that is never closed"),
        (4, "2 cells where there should be 3"),
    ]


def test_a_list_read_part_by_part_is_the_list_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_csv, "_BLOCK_BYTES", 1 << 16)
    lines = [f"{n},{48.1 + n / 1e6:.6f},{11.4 + n / 1e6:.6f}" for n in range(15_000)]
    path, described = csv_file(tmp_path, "id,lat,lon", *lines), spec(tmp_path)
    parts = list(tabular.scan(path, source_id="s", spec=described).parts)
    assert len(parts) > 1
    whole = read(path, described)
    assert pa.concat_tables([part.records for part in parts]).equals(whole.observations)
    assert whole.observations["native_id"][-1].as_py() == "14999"
    assert whole.observations["lon"][-1].as_py() == 11.414999


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet='id,latlon\n\r"; 1.48é\t', max_size=200).map(str.encode),
        st.text(alphabet='id,latlon\n\r"; 1.48é\t', max_size=200).map(
            lambda text: b"id,lat,lon\n" + text.encode("cp1252")
        ),
        st.text(alphabet='[]{}":,latid1. ', max_size=120).map(str.encode),
    )
)
@settings(deadline=None, max_examples=150)
def test_whatever_the_bytes_a_list_is_read_whole_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    path = folder / "list.csv"
    path.write_bytes(data)
    try:
        read(path, spec(folder))  # which asserts that no row is lost
    except UnusableInput as error:
        said = str(error)
    else:
        said = str(path)
    assert "\n" not in said
    assert str(path) in said


def test_a_list_of_nothing_but_a_header_is_empty(tmp_path: Path) -> None:
    source = read(csv_file(tmp_path, "id,lat,lon"), spec(tmp_path))
    assert (source.rows, source.observations.num_rows, source.quarantine.num_rows) == (0, 0, 0)


def test_a_file_without_the_columns_of_its_description_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "id,breite,laenge", "1,48.1,11.5")
    with pytest.raises(UnusableInput, match=r"list\.csv: has no column lon.*mend .*a_list\.toml"):
        read(path, spec(tmp_path))


def test_a_place_can_stand_in_one_column(tmp_path: Path) -> None:
    described = spec(tmp_path)
    text = Path(described.path).read_text(encoding="utf-8")
    text = text.replace('lat = "lat"', "lat = { column = \"at\", pattern = '^(\\S+),' }")
    text = text.replace('lon = "lon"', "lon = { column = \"at\", pattern = ', (\\S+)$' }")
    Path(described.path).write_text(text, encoding="utf-8")
    path = csv_file(tmp_path, "id;at", "1;48.1, 11.5", "2;somewhere")
    source = read(path, catalogue.load(described.path))
    assert source.observations["lat"].to_pylist() == [48.1]
    assert set_aside(source) == [(3, "no coordinates")]


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("list_2026-08-05.csv", (date(2026, 8, 5), date(2026, 8, 5))),
        ("list_2026_08.geojson", (date(2026, 8, 1), date(2026, 8, 31))),
        ("list_2023-12.csv", (date(2023, 12, 1), date(2023, 12, 31))),
        ("2026-13_2024-02.csv", (date(2024, 2, 1), date(2024, 2, 29))),
        ("list_2021.csv", (date(2021, 1, 1), date(2021, 12, 31))),
        ("epsg_2056.csv", None),  # a year to come
        ("1234-5678.csv", None),
    ],
)
def test_the_date_in_a_name(name: str, period: tuple[date, date] | None) -> None:
    assert period_in(name) == period
