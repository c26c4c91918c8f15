"""The census as a whole, on real extracts and on made ones."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path

import geopandas
import pyarrow.parquet as pq
import pytest

import sousveil as sv
from sousveil.census import FILES, as_of
from sousveil.records import CAMERAS
from tests.tables import observations
from tests.towns import small_town


@pytest.fixture(scope="session")
def munich(shared_data: Path) -> sv.Census:
    return sv.census(shared_data / "osm" / "munich_2020-07.osm.pbf")


# man_made=surveillance as the data's own description counts them; speed cameras by osmium
# tags-filter EXTRACT highway=speed_camera.
@pytest.mark.parametrize(
    ("extract", "surveillance", "speed", "not_cameras"),
    [
        ("munich_2020-07", 209, 2, {}),
        ("helsinki_centre_2019-04", 397, 2, {}),
        ("frankfurt_darmstadt_2024-03", 133, 0, {"guard": 1}),
        ("monaco_2020-07", 10, 0, {}),
        ("monaco_2023-12", 14, 0, {}),
        ("boston_north_2020-08", 15, 0, {}),
    ],
)
def test_counts_of_real_extracts(
    shared_data: Path, extract: str, surveillance: int, speed: int, not_cameras: dict[str, int]
) -> None:
    summary = sv.census(shared_data / "osm" / f"{extract}.osm.pbf").summary
    kinds = summary["cameras"]["by_kind"]
    assert kinds.get("speed", 0) == speed
    assert sum(kinds.values()) - kinds.get("speed", 0) == surveillance
    assert summary["cameras"]["records"] == surveillance + speed
    assert summary["not_cameras"] == not_cameras
    [source] = summary["sources"]
    assert source["rows"] == source["observations"] + source["quarantined"]


def test_the_contract_of_the_json(munich: sv.Census) -> None:
    summary = munich.summary
    assert summary["on"] == "2020-07-20"  # osmosis_replication_timestamp of the extract
    assert summary["cameras"]["records"] == summary["estimates"][0]["estimate"] == 211
    assert summary["cameras"]["untyped"] == 209 - 200  # surveillance:type=camera on 200 of 209
    known = summary["attributes_known"]
    assert known["bearings"] == pytest.approx(59 / 211, abs=1e-9)
    assert known["height_m"] == pytest.approx(45 / 211, abs=1e-9)
    rates = summary["rates"]
    assert rates["per_km2"] == pytest.approx(211 / summary["area_km2"])
    assert rates["per_street_km"] == pytest.approx(211 / summary["street_km"])
    assert summary["population"] is None  # GeoNames' Munich is far larger than the extract
    assert rates["per_1000"] is None
    assert sum(rule["cameras"] for rule in summary["operator_rules"].values()) == 211
    ages = summary["ages"]
    assert sum(ages["classes"].values()) + ages["unknown"] == 211


def test_a_list_without_a_date_claims_none(shared_data: Path) -> None:
    swiss = sv.census(shared_data / "lists" / "switzerland_man_made_surveillance_2023-03.json")
    assert swiss.cameras.num_rows + sum(swiss.summary["not_cameras"].values()) == 2144
    assert not swiss.summary["dated"]
    assert "in a list without a date" in swiss.to_html()
    assert sv.census(swiss.sources[0].path, on=date(2023, 3, 1)).summary["dated"]


def test_estimates_say_at_least(munich: sv.Census) -> None:
    for row in munich.estimates.to_pylist():
        assert row["high"] is None
        assert row["low"] == row["estimate"]
        assert row["note"].startswith("at least")
        assert row["sources"] == ["munich_2020-07"]


def test_written_files_agree_with_each_other(munich: sv.Census, tmp_path: Path) -> None:
    written = munich.write(tmp_path / "out").summary
    assert set(written["files"]) == set(FILES)
    assert all(Path(path).is_file() for path in written["files"].values())
    register = pq.read_table(tmp_path / "out" / "cameras.parquet")
    assert register.schema.names[: len(CAMERAS)] == CAMERAS.names
    assert register.num_rows == 211
    published = 211 - written["cameras"]["private_homes"]
    assert len(geopandas.read_file(tmp_path / "out" / "cameras.geojson")) == published
    with (tmp_path / "out" / "cameras.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == published
    assert json.loads((tmp_path / "out" / "estimates.json").read_text()) == written["estimates"]
    with (tmp_path / "out" / "quarantine.csv").open(newline="", encoding="utf-8") as file:
        kept = [row["kept"] for row in csv.DictReader(file)]
    assert len(kept) == sum(s["quarantined"] + s["fields_quarantined"] for s in written["sources"])
    notice = (tmp_path / "out" / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert "© OpenStreetMap contributors" in notice
    assert "ODbL-1.0" in notice


def test_no_link_to_a_live_feed_leaves(munich: sv.Census, tmp_path: Path) -> None:
    # The extract has two cameras with contact:webcam, at muenchen.de and stories.ludwigbeck.de.
    assert munich.summary["links_dropped"] >= 2
    munich.write(tmp_path / "out")
    for path in (tmp_path / "out").iterdir():
        content = path.read_bytes()
        assert b"muenchen.de/sehenswuerdigkeiten/webcam" not in content, path.name
        assert b"stories.ludwigbeck.de" not in content, path.name
    assert "ludwigbeck.de" not in str(munich.cameras["raw"].to_pylist())


def test_the_same_census_twice_is_the_same_bytes(shared_data: Path, tmp_path: Path) -> None:
    extract = shared_data / "osm" / "boston_north_2020-08.osm.pbf"
    for out in ("a", "b"):
        sv.census(extract).write(tmp_path / out)
    for name in FILES.values():
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_two_extracts_of_one_place_join_by_object(shared_data: Path) -> None:
    osm = shared_data / "osm"
    old, new = osm / "frankfurt_darmstadt_2024-03.osm.pbf", osm / "darmstadt_hbf_2026-02.osm.pbf"
    joined = sv.census([old, new])
    # 21 node ids stand in both (the data's description), one of them the guard: 133 + 58 - 20.
    both = [n for n in joined.cameras["n_sources"].to_pylist() if n == 2]
    apart = joined.summary["not_cameras"]["guard"]
    assert len(both) + apart == 21 or len(both) == 21
    assert joined.cameras.num_rows == (
        sv.census(old).cameras.num_rows + sv.census(new).cameras.num_rows - len(both)
    )
    assert joined.on == date(2026, 3, 2)
    ids = joined.streets["street_id"].to_pylist()
    assert len(ids) == len(set(ids))


def test_a_boundary_by_the_name_of_its_relation(shared_data: Path) -> None:
    extract = shared_data / "osm" / "monaco_2023-12.osm.pbf"
    summary = sv.census(extract, within="monte-carlo").summary
    assert summary["place"] == "Monte-Carlo"
    assert summary["boundary"]["kind"] == "relation"
    # osmium getid -r ... r5986438; osmium extract -p ...; osmium tags-filter man_made=surveillance
    assert (summary["cameras"]["records"], summary["cameras"]["outside"]) == (5, 9)
    with pytest.raises(sv.UnusableInput, match="relation/1124039"):
        sv.census(extract, within="Monaco")  # the country and its one municipality


def test_the_report_names_the_command_that_makes_it_again(tmp_path: Path) -> None:
    town = small_town(tmp_path / "town.osm.pbf")
    asked = sv.census(town, population=36_000, on=date(2024, 2, 29))
    words = "sousveil census town.osm.pbf --population 36000 --on 2024-02-29 -o DIR"
    assert words in asked.to_html()
    assert str(tmp_path) not in asked.to_html()
    assert "sousveil census helsinki -o DIR" in sv.census("helsinki").to_html()


def test_a_list_of_another_publisher_is_a_source_like_any(shared_data: Path) -> None:
    # rows, cameras and sites with coordinates outside Busan as the data's own description has them
    busan = sv.census(shared_data / "lists" / "busan_cctv_standard_data.csv")
    [source] = busan.summary["sources"]
    assert source["rows"] == 15_737 == source["observations"] + source["quarantined"]
    assert source["quarantined"] >= 6
    assert busan.cameras.num_rows == source["observations"]
    assert busan.summary["cameras"]["untyped"] == 0  # which is a word for OpenStreetMap
    assert busan.summary["operator_rules"]["catalogue"]["cameras"] == busan.cameras.num_rows
    assert (
        busan.estimates["definition"][0].as_py().startswith("surveillance cameras in the list of")
    )
    assert "listed in" in busan.to_html()


def test_lists_are_linked_and_compared(shared_data: Path, tmp_path: Path) -> None:
    lists = shared_data / "lists"
    italy = sv.census(
        [lists / "osm_italy_surveillance_2026-08.geojson",
         lists / "milano_official_gates_2026-08.geojson"]
    )  # fmt: skip
    told = italy.summary["lists"]
    assert [one["list"] for one in told["each"]] == ["osm", "milan_gates"]
    assert sum(one["cameras"] for one in told["overlaps"]) == italy.cameras.num_rows
    both = next(one["cameras"] for one in told["overlaps"] if len(one["lists"]) == 2)
    osm, gates = (one["cameras"] for one in told["each"])
    assert gates == 213
    assert osm + gates - both == italy.cameras.num_rows
    # nearest first and one to one, computed apart: 29 pairs within 15 m, 40 in 25 m, 43 in 50 m
    assert 29 <= both <= 43
    first = italy.estimates.to_pylist()[0]
    assert (first["lists"], first["method"]) == (2, "lower bound (lists joined)")
    assert first["low"] <= first["estimate"] == italy.cameras.num_rows
    with pytest.raises(sv.UnusableInput, match=r"milano.*--local-only"):
        italy.write(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    html = italy.write(tmp_path / "out", local_only=True).to_html()
    assert "for use on this machine only" in html
    notice = (tmp_path / "out" / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert all(s.attribution in notice and s.licence in notice for s in italy.sources)


def test_lists_beside_an_extract_count_where_it_is(shared_data: Path) -> None:
    extract = shared_data / "osm" / "munich_2020-07.osm.pbf"
    perth = shared_data / "lists" / "perth_cameras_2025-10.json"
    joined = sv.census([extract, perth])
    assert joined.summary["place"] == "Munich"
    assert joined.cameras.num_rows == 211
    assert joined.summary["cameras"]["outside"] == 762
    assert joined.place.area_km2 == pytest.approx(sv.census(extract).place.area_km2, rel=1e-6)
    assert joined.summary["lists"]["linkage"] is None  # nothing was there to be linked
    assert "holds **none**" not in joined.to_html()
    assert "City of Perth" in joined.to_html()


def test_the_sample_and_places_are_not_hidden_by_a_result_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "helsinki").mkdir()
    (tmp_path / "helsinki" / "sources.json").write_text("[]")
    assert sv.census("helsinki").cameras.num_rows > 200


def test_totals_and_ruined_rows_are_no_answer(shared_data: Path) -> None:
    lists = shared_data / "lists"
    with pytest.raises(sv.UnusableInput, match=r"CCTV_in_Seoul.*totals.*places no camera"):
        sv.census(lists / "seoul_districts" / "CCTV_in_Seoul_2016.csv")
    ruined = sv.census(lists / "cameras_GE_2023-08_broken_coords.csv")
    assert ruined.cameras.num_rows == 0
    assert "could be placed" in ruined.to_html()


def test_the_day_of_a_list_is_no_look_at_a_camera(shared_data: Path) -> None:
    ages = sv.census(shared_data / "lists" / "baltimore_cctv_2014.csv").summary["ages"]
    assert ages["median_years"] is None
    assert ages["checked"] == ages["edited"] == 0
    assert ages["unknown"] == ages["listed"] == 614


def test_the_date_of_a_list_is_nowhere_called_a_check_or_an_edit(shared_data: Path) -> None:
    baltimore = sv.census(shared_data / "lists" / "baltimore_cctv_2014.csv")
    assert set(baltimore.cameras["seen_by"].to_pylist()) == {"list"}
    assert baltimore.summary["attributes_known"]["last_seen"] == 0
    html = baltimore.to_html()
    assert re.search(r'<th scope="row">Last check or edit</th><td class="number">0</td>', html)
    assert "614 (100%)</strong> it is known when" not in html
    assert "Of 614 (100%) it is not known when anybody last edited or checked them" in html
    assert '{ name: "Last record", value: lastRecord' in html
    assert baltimore.summary["place"] == "Baltimore"  # as its description says


def test_a_day_before_the_data_is_answered_with_what_they_can_tell(shared_data: Path) -> None:
    extract, day = shared_data / "osm" / "munich_2020-07.osm.pbf", date(2015, 1, 1)
    census = sv.census(extract, on=day)
    seen = [one for one in census.cameras["last_seen"].to_pylist() if one]
    ages = census.summary["ages"]
    assert ages["later"] == sum(one > day for one in seen) > 0
    assert sum(ages["classes"].values()) == sum(one <= day for one in seen) > 0
    assert sum(ages["classes"].values()) + ages["later"] + ages["unknown"] == 211
    [warning] = census.summary["warnings"]
    assert "data are of 20 July 2020 and cannot tell what stood on 1 January 2015" in warning
    html = census.to_html()
    assert html.index(warning) < html.index('id="words"')
    assert "as of 1 January 2015" not in html
    assert "of data as of 20 July 2020, asked for 1 January 2015. Data:" in html
    assert "Touched after that day" in html
    assert not sv.census(extract, on=date(2020, 8, 1)).summary["warnings"]


def test_what_may_not_be_passed_on_says_so_beside_the_headline(shared_data: Path) -> None:
    gates = sv.census(shared_data / "lists" / "milano_official_gates_2026-08.geojson")
    html = gates.to_html()
    assert html.index("for use on this machine only") < html.index('id="words"')
    assert "sousveil census milano_official_gates_2026-08.geojson --local-only -o DIR" in html


def test_a_list_that_nothing_describes_says_how_to_describe_it(tmp_path: Path) -> None:
    unknown = tmp_path / "cams.csv"
    unknown.write_text("where,x,y\nhere,11.5,48.1\n")
    with pytest.raises(sv.UnusableInput, match=r"cams\.csv.*sousveil sources new cams\.csv"):
        sv.census(unknown)
    spec = tmp_path / "cams.toml"
    spec.write_text(
        'title = "Cams"\npublisher = "Town"\nurl = "https://town.example"\n'
        'documentation = "https://town.example"\nlicence = "CC0-1.0"\nredistributable = true\n'
        'attribution = "Town"\ncovers = "cameras of the town"\ncounts = "devices"\n'
        '[area]\nname = "Town"\n[fields]\nlon = "x"\nlat = "y"\n'
    )
    assert sv.census([unknown, f"spec={spec}"]).cameras.num_rows == 1


def test_editions_of_one_list_make_a_timeline(shared_data: Path) -> None:
    osm = shared_data / "osm"
    dates = ["2020-07", "2021-04", "2022-07", "2023-11", "2023-12"]
    told = sv.census([osm / f"monaco_{day}.osm.pbf" for day in dates]).summary["timeline"]
    assert [one["cameras"] for one in told["dates"]] == [10, 10, 10, 14, 14]
    assert sv.census(osm / "monaco_2020-07.osm.pbf").summary["timeline"] is None


def test_what_lies_outside_the_boundary_is_counted_apart(tmp_path: Path) -> None:
    town = small_town(tmp_path / "town.osm.pbf")
    everything = sv.census(town)
    west, south, east, north = everything.place.boundary.bounds
    middle = (west + east) / 2
    half = [[west, south], [middle, south], [middle, north], [west, north], [west, south]]
    boundary = tmp_path / "half.geojson"
    boundary.write_text(json.dumps({"type": "Polygon", "coordinates": [half]}))
    inside = sv.census(town, within=boundary)
    lons = everything.cameras["lon"].to_pylist()
    assert inside.cameras.num_rows == sum(lon < middle for lon in lons) > 0
    assert inside.summary["cameras"]["outside"] == sum(lon > middle for lon in lons) > 0


def test_the_day_decides_what_is_planned_and_what_is_removed() -> None:
    table = observations(
        {"native_id": "node/1", "installed": date(2021, 1, 1)},
        {"native_id": "node/2", "removed": date(2020, 6, 1)},
        {"native_id": "node/3"},
        {"native_id": "node/4", "lifecycle": "disused", "installed": date(2030, 1, 1)},
    )
    assert as_of(table, date(2020, 6, 1))["lifecycle"].to_pylist() == [
        "planned",
        "removed",
        None,
        "disused",
    ]
    assert as_of(table, date(2021, 1, 1))["lifecycle"].to_pylist()[0] is None
    assert as_of(table, date(2020, 5, 31))["lifecycle"].to_pylist()[1] is None


def test_the_function_survives_the_import_of_its_module() -> None:
    import sousveil.census

    assert callable(sousveil.census)
    assert sousveil.census is sv.census
