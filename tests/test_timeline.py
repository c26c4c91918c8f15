"""The register through time: against cases worked out by hand, a textbook, and raw files."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely
from scipy.spatial import cKDTree

from sousveil import store, timeline
from sousveil.census import as_of
from sousveil.errors import UnusableInput
from sousveil.export import dumps
from sousveil.store import _export
from sousveil.store._editions import MOVED_WITHIN_M
from sousveil.store._reading import add_file
from sousveil.timeline._survival import kaplan_meier
from tests.registers import SQUARE, add, camera, camera_of, links, source
from tests.tables import observations


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "register.duckdb"


def day(text: str) -> date:
    return date.fromisoformat(text)


def count(register: Path, on: str) -> int:
    return int(timeline.at(register, day(on)).summary["cameras"]["records"])


# --- at --------------------------------------------------------------------------------------


def test_what_is_known_on_a_day_comes_from_sources_of_that_day_or_before(register: Path) -> None:
    add(register, "2020-01-01", [camera(1), camera(2)])
    add(register, "2022-01-01", [camera(2), camera(3), camera(4)])
    assert [count(register, d) for d in ("2020-01-01", "2021-12-31", "2022-01-01")] == [2, 2, 3]
    state = timeline.at(register, day("2022-06-01"))
    assert state.summary["sources"] == ["2020-01-01", "2022-01-01"]
    assert state.summary["vanished"] == 1
    with pytest.raises(UnusableInput, match="2020-01-01"):
        timeline.at(register, day("2019-12-31"))


def test_attributes_are_those_of_the_day(register: Path) -> None:
    add(register, "2020-01-01", [camera(1, mount="pole")])
    add(register, "2022-01-01", [camera(1, mount="wall")])
    for on, mount in (("2021-01-01", "pole"), ("2023-01-01", "wall")):
        assert timeline.at(register, day(on)).cameras["mount"].to_pylist() == [mount]


def test_a_camera_can_be_away_and_come_back(register: Path) -> None:
    for year, rows in ((2020, [camera(1)]), (2021, []), (2022, [camera(1)])):
        add(register, f"{year}-01-01", rows)
    assert [count(register, f"{year}-07-01") for year in (2020, 2021, 2022)] == [1, 0, 1]


def test_installed_and_removed_count_as_a_census_counts_them(register: Path) -> None:
    rows = [camera(1, installed=day("2021-01-01")), camera(2, removed=day("2021-01-01")),
            camera(3, installed=day("2020-02-01"), lifecycle="disused")]  # fmt: skip
    add(register, "2020-01-01", rows)
    for on in ("2020-01-01", "2020-12-31", "2021-01-01"):
        state = timeline.at(register, day(on))
        expected = as_of(observations(*rows), day(on))["lifecycle"].to_pylist()
        assert state.cameras.num_rows == expected.count(None)
        told = {value: expected.count(value) for value in set(expected) - {None}}
        assert state.summary["lifecycle"] == told


def test_a_day_can_be_seen_as_it_was_recorded_then(
    register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import datetime

    def together(rows: pa.Table) -> pa.Table:
        return links({"x": ["node/1", "7", "9"]}, rows)

    for year, options in (
        (2030, {"series": "osm"}),
        (2031, {"series": "city"}),
        (2032, {"series": "police", "linker": together}),
    ):
        monkeypatch.setattr(
            "sousveil.store._intake.now", lambda year=year: datetime(year, 5, 1, 23)
        )
        native = {2030: "node/1", 2031: "7", 2032: "9"}[year]
        add(register, "2020-01-01", [camera(1, native_id=native)], source_id=f"s{year}", **options)
    seen = [
        timeline.at(register, day("2020-01-01"), recorded_by=day(by)).summary["cameras"]["records"]
        for by in ("2030-05-01", "2031-04-30", "2031-05-01", "2032-05-01")
    ]
    assert seen == [1, 1, 2, 1]  # the third run found that all three are one
    assert count(register, "2020-01-01") == 1
    with pytest.raises(UnusableInput, match="2030-04-30"):
        timeline.at(register, day("2020-01-01"), recorded_by=day("2030-04-30"))


# --- diff ------------------------------------------------------------------------------------

NEIGHBOUR = shapely.box(12.0, 48.0, 13.0, 49.0)


def test_each_camera_that_entered_or_left_is_told_why(register: Path) -> None:
    add(register, "2019-01-01", [camera(5)])
    add(register, "2020-01-01", [camera(1), camera(2)])
    add(register, "2022-01-01", [camera(2), camera(3), camera(5), camera(600)],
        area=SQUARE.union(NEIGHBOUR))  # fmt: skip
    found = timeline.diff(register, day("2020-06-01"), day("2022-06-01"))
    told = {row["camera_id"]: row["change"] for row in found.changes.to_pylist()}
    assert told == {
        camera_of(register, "node/1"): "vanished",
        camera_of(register, "node/3"): "appeared",
        camera_of(register, "2022-01-01/node/5"): "returned",
        camera_of(register, "node/600"): "newly_covered",
    }
    assert found.summary["cameras"] == {"from": 2, "to": 4}
    assert [found.summary[name] for name in ("appeared", "vanished", "returned")] == [1, 1, 1]


def test_what_was_edited_before_a_list_that_lacks_it_was_outside_that_list(register: Path) -> None:
    add(register, "2020-01-01")
    old = camera(1, seen_on=day("2019-06-01"), seen_by="edit")
    young = camera(2, seen_on=day("2021-06-01"), seen_by="edit")
    add(register, "2022-01-01", [old, young])
    found = timeline.diff(register, day("2020-01-01"), day("2022-01-01"))
    told = {row["camera_id"]: row["change"] for row in found.changes.to_pylist()}
    assert told == {
        camera_of(register, "node/1"): "newly_covered",
        camera_of(register, "node/2"): "appeared",
    }
    between = timeline.diff(register, "2020-01-01", "2022-01-01").summary
    assert (between["appeared"], between["newly_covered"]) == (1, 1)


def test_changed_attributes_are_named_with_their_values(register: Path) -> None:
    before = camera(1, mount="pole", operator="A", bearings=[10.0], height_m=4.0)
    after = camera(1, mount="wall", operator="A", bearings=[20.0], housing="dome", height_m=None)
    add(register, "2020-01-01", [before, camera(2)])
    add(register, "2022-01-01", [after, camera(2)])
    found = timeline.diff(register, day("2020-01-01"), day("2022-01-01"))
    rows = [(row["attribute"], row["before"], row["after"]) for row in found.changes.to_pylist()]
    assert rows == [
        ("bearings", "[10.0]", "[20.0]"),
        ("housing", None, "dome"),
        ("mount", "pole", "wall"),
    ]
    assert found.summary["changed"] == 1
    assert found.summary["attributes"] == {
        "bearings": {"changed": 1}, "housing": {"stated": 1}, "mount": {"changed": 1}
    }  # fmt: skip
    between = timeline.diff(register, "2020-01-01", "2022-01-01").summary
    assert between["attributes"]["height_m"] == {"withdrawn": 1}  # the register keeps what it knew


@pytest.mark.parametrize(("metres", "moved"), [(0.5, 0), (1.5, 1), (20.0, 1)])
def test_a_camera_that_moved_is_told_how_far(register: Path, metres: float, moved: int) -> None:
    lon, lat, _ = pyproj.Geod(ellps="sphere").fwd(11.501, 48.1, 60.0, metres)
    add(register, "2020-01-01", [camera(1)])
    add(register, "2022-01-01", [camera(1, lon=lon, lat=lat)])
    told = timeline.diff(register, day("2020-01-01"), day("2022-01-01")).summary
    assert told["moved"]["cameras"] == moved
    if moved:  # pyproj's sphere has a radius of 6,370,997 m, ours one of 6,371,008.8 m
        assert told["moved"]["max_m"] == pytest.approx(metres, rel=1e-5)
    assert (told["changed"], told["appeared"], told["vanished"]) == (0, 0, 0)


def test_two_sources_are_compared_where_both_tell(register: Path) -> None:
    add(register, "2020-01-01", [camera(1), camera(2), camera(600)], area=SQUARE.union(NEIGHBOUR))
    add(register, "2022-01-01", [camera(2), camera(3)])
    told = timeline.diff(register, "2020-01-01", "2022-01-01").summary
    assert (told["appeared"], told["vanished"], told["not_covered"]) == (1, 1, 1)
    back = timeline.diff(register, "2022-01-01", "2020-01-01").summary
    assert (back["appeared"], back["vanished"], back["newly_covered"]) == (1, 1, 1)


def test_cameras_of_private_homes_are_counted_not_shown(register: Path) -> None:
    add(register, "2020-01-01", [camera(1, private_home=True), camera(2, mount="pole")])
    add(register, "2022-01-01", [camera(2, mount="wall", private_home=True)])
    found = timeline.diff(register, day("2020-01-01"), day("2022-01-01"))
    assert (found.summary["vanished"], found.summary["changed"]) == (1, 1)
    assert found.changes.num_rows == 0


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (day("2022-01-01"), day("2020-01-01"), "earlier day first"),
        (day("2019-01-01"), day("2020-01-01"), "first is of 2020-01-01"),
        ("2020-01-01", "nothing", "no such source"),
        ("2020-01-01", day("2020-01-01"), "two days or two sources"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    register: Path, before: Any, after: Any, message: str
) -> None:
    add(register, "2020-01-01", [camera(1)])
    with pytest.raises(UnusableInput, match=message):
        timeline.diff(register, before, after)


def test_states_of_many_chunks_are_as_of_one(
    register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(register, "2020-01-01", [camera(i, mount="pole") for i in range(40)])
    add(register, "2022-01-01", [camera(i, mount="wall") for i in range(20, 60)])
    days = day("2020-01-01"), day("2022-01-01")
    whole = timeline.diff(register, *days), timeline.timeline(register)
    monkeypatch.setattr("sousveil.store._presence.CHUNK", 30)
    parts = timeline.diff(register, *days), timeline.timeline(register)
    assert parts[0].summary == whole[0].summary
    assert parts[0].changes.equals(whole[0].changes)
    assert parts[1] == whole[1]
    assert whole[0].summary["changed"] == 20


# --- timeline --------------------------------------------------------------------------------


def test_the_dates_of_sources_make_the_timeline(register: Path) -> None:
    add(register, "2020-01-01", [camera(1), camera(2)])
    add(register, "2022-01-01", [camera(2), camera(3)])
    add(register, "2022-01-01", [camera(600)], area=NEIGHBOUR, source_id="neighbour")
    add(register, "2024-01-01", [camera(1), camera(2)])
    rows = timeline.timeline(register)["dates"]
    names = ("cameras", "appeared", "newly_covered", "returned", "vanished")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (2, 0, 2, 0, 0),
        (3, 1, 1, 0, 1),
        (3, 0, 0, 1, 1),
    ]
    assert rows[1]["sources"] == ["2022-01-01", "neighbour"]
    assert json.loads(dumps(timeline.timeline(register)))["dates"][0]["dated"] == "2020-01-01"


def test_installations_are_counted_by_month(register: Path) -> None:
    rows = [camera(1, installed=day("2018-05-01"), count=3), camera(2, installed=day("2018-05-31")),
            camera(3, installed=day("2019-01-01")), camera(4),
            camera(5, installed=day("2027-01-01"))]  # fmt: skip
    add(register, "2020-01-01", rows)
    assert timeline.timeline(register)["installed"] == {
        "by_month": [
            {"month": "2018-05", "cameras": 2, "devices": 4},
            {"month": "2019-01", "cameras": 1, "devices": 1},
        ],
        "unknown": 1,  # that of 2027 is planned, and not there yet
    }


# 21 patients given 6-mercaptopurine, weeks in remission, + censored: E. J. Freireich et al. (1963),
# Blood 21, 699-716; the curve as printed by D. R. Cox and D. Oakes (1984), Analysis of Survival
# Data, and the interval as Stata's sts list gives it for the same data.
REMISSION = [(6, 1), (6, 1), (6, 1), (6, 0), (7, 1), (9, 0), (10, 1), (10, 0), (11, 0), (13, 1),
             (16, 1), (17, 0), (19, 0), (20, 0), (22, 1), (23, 1), (25, 0), (32, 0), (32, 0),
             (34, 0), (35, 0)]  # fmt: skip
PRINTED = [
    (6, 21, 3, 0.857, 0.0764, 0.6197, 0.9516),
    (7, 17, 1, 0.807, 0.0869, 0.5631, 0.9228),
    (10, 15, 1, 0.753, 0.0963, 0.5032, 0.8894),
    (13, 12, 1, 0.690, 0.1068, 0.4316, 0.8491),
    (16, 11, 1, 0.627, 0.1141, 0.3675, 0.8049),
    (22, 7, 1, 0.538, 0.1282, 0.2678, 0.7468),
    (23, 6, 1, 0.448, 0.1346, 0.1881, 0.6801),
]


def test_the_survival_curve_is_that_of_the_textbook() -> None:
    weeks, ended = (np.array(column, dtype=float) for column in zip(*REMISSION, strict=True))
    curve, median = kaplan_meier(weeks, ended.astype(bool))
    for row, printed in zip(curve.to_pylist(), PRINTED, strict=True):
        assert (row["years"], row["at_risk"], row["vanished"]) == printed[:3]
        assert row["survival"] == pytest.approx(printed[3], abs=5e-4)
        assert (row["se"], row["low"], row["high"]) == pytest.approx(printed[4:], abs=5e-5)
    assert median == 23


def test_who_is_watched_from_later_on_is_at_risk_from_then_on() -> None:
    durations, since = np.array([5.0, 6.0, 7.0, 8.0, 1.0]), np.array([0.0, 5.5, 2.0, 3.0, 1.0])
    ended = np.array([True, True, False, True, False])
    curve, _ = kaplan_meier(durations, ended, since=since)
    # By hand: at 5 three are at risk (not the second), at 6 three, at 8 the last; the fifth was
    # watched for no time.
    assert curve["at_risk"].to_pylist() == [3, 3, 1]
    assert curve["survival"].to_pylist() == pytest.approx([2 / 3, 4 / 9, 0.0])
    assert curve["high"].to_pylist()[-1] is None


def test_nothing_that_ended_has_no_curve() -> None:
    curve, median = kaplan_meier(np.array([1.0, 2.0]), np.array([False, False]))
    assert (curve.num_rows, median) == (0, None)


def test_lifetimes_run_from_and_to_the_middle_of_what_lists_leave_open(register: Path) -> None:
    add(register, "2020-01-01", [camera(1), camera(2)])
    edited = camera(4, seen_on=day("2020-07-01"), seen_by="edit")
    add(register, "2021-01-01", [camera(1), camera(3), edited])
    add(register, "2023-01-01", [camera(1)])
    lives = timeline.timeline(register)["lifetimes"]
    entered, there = lives["entered"], lives["already_there"]
    assert (entered["cameras"], entered["vanished"]) == (2, 2)
    # 366 days of 2020 and 730 of 2021 and 2022: camera 3 was born on day 183 and died on 366 + 365,
    # 4 was born between day 0 and its edit on day 182.
    days = [row["years"] * 365.2425 for row in entered["curve"]]
    assert days == pytest.approx([731 - 183, 731 - 91])
    assert [row["at_risk"] for row in entered["curve"]] == [2, 1]
    assert entered["median_years_open"] * 365.2425 == pytest.approx((366 + 182) / 2)
    # 2 was there on day 0 and not on day 366; 1 is there still.
    assert (there["cameras"], there["vanished"]) == (2, 1)
    [row] = there["curve"]
    assert row["years"] * 365.2425 == pytest.approx(183)
    assert (row["at_risk"], row["survival"]) == (2, 0.5)


def test_a_camera_lives_while_one_list_holds_it(register: Path) -> None:
    def together(rows: pa.Table) -> pa.Table:
        return links({"x": ["node/1", "7"]}, rows)

    add(register, "2020-01-01", [camera(1)])
    add(register, "2021-01-01", [camera(1, native_id="7")], series="city", linker=together)
    add(register, "2022-01-01")
    assert timeline.timeline(register)["lifetimes"]["already_there"]["vanished"] == 0
    add(register, "2023-01-01", [], series="city", format="CSV")
    there = timeline.timeline(register)["lifetimes"]["already_there"]
    assert (there["cameras"], there["vanished"]) == (1, 1)
    assert there["curve"][0]["years"] == pytest.approx((366 + 365) / 365.2425)


# --- real data -------------------------------------------------------------------------------


def test_the_monaco_series_gives_its_curve(
    register: Path, shared_data: Path, tmp_path: Path
) -> None:
    for path in sorted((shared_data / "osm").glob("monaco*")):
        add_file(register, path)
    told = timeline.timeline(register)
    kinds = [
        timeline.at(register, row["dated"]).summary["cameras"]["by_kind"].get("camera", 0)
        for row in told["dates"]
    ]
    # The table of the data's README: 0, 10, 10, 10, 14, 14, and 16 in the larger area of 2025
    assert kinds == [0, 10, 10, 10, 14, 14, 16]
    assert [row["vanished"] for row in told["dates"]] == [0] * 7
    assert [row["appeared"] + row["newly_covered"] for row in told["dates"][1:6]] == [
        10,
        0,
        0,
        4,
        0,
    ]
    # Both cameras that only the extract of 2025 has were edited last in 2019 and 2022: the smaller
    # extracts of 2020 to 2023 did not reach that far.
    assert (told["dates"][6]["appeared"], told["dates"][6]["newly_covered"]) == (0, 6)
    assert told["lifetimes"]["entered"]["vanished"] == 0
    files = _export.write_timeline(register, tmp_path / "times", told)
    page = Path(files["page"]).read_text(encoding="utf-8")
    assert "went from <strong>0</strong> to <strong>20</strong>" in page
    assert page.count("© OpenStreetMap contributors") == 7


def test_busan_gives_its_installations_by_month(register: Path, shared_data: Path) -> None:
    path = shared_data / "lists" / "busan_cctv_standard_data.csv"
    added = add_file(register, path)
    told = timeline.timeline(register)["installed"]
    months = Counter(line.split(",")[9] for line in path.read_text().splitlines()[1:])
    by_month = {row["month"]: row["cameras"] for row in told["by_month"]}
    # Rows in quarantine (without a place) are missing from the months of the raw file.
    assert sum(by_month.values()) + told["unknown"] == added.cameras
    stated = Counter({month: n for month, n in months.items() if len(month) == 7})
    assert not Counter(by_month) - stated
    assert 0 < (stated - Counter(by_month)).total() <= added.quarantined  # 2027-02 among them


def lines(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        for line in file:
            row = line.rstrip("\n").split("\t")
            if float(row[1]) > -30.0:  # east of the Atlantic: 4,000 of 128,773
                yield [*row, ""][:4]


def list_of(rows: list[list[str]]) -> list[dict[str, Any]]:
    return [
        {
            "native_id": f"row-{i}",
            "lon": float(lon),
            "lat": float(lat),
            "operator": operator or None,
            "bearings": [float(bearing)] if bearing.isdecimal() else None,
            "seen_on": None,
            "seen_by": None,
        }
        for i, (lat, lon, operator, bearing) in enumerate(rows)
    ]


def test_the_diff_of_a_list_without_ids_is_that_of_its_lines(
    register: Path, shared_data: Path
) -> None:
    files = [shared_data / "lists" / f"osm_alpr_planet_2026-07-{d}.tsv.gz" for d in ("13", "21")]
    before, after = (list(lines(path)) for path in files)
    for name, rows in (("2026-07-13", before), ("2026-07-21", after)):
        add(register, name, list_of(rows), series="planet", is_whole_list=True)
    told = timeline.diff(register, day("2026-07-13"), day("2026-07-21")).summary

    places = [Counter((row[0], row[1]) for row in rows) for rows in (before, after)]
    gone, new = places[0] - places[1], places[1] - places[0]
    moved = moves(leftover(before, gone), leftover(after, new))
    assert told["cameras"] == {"from": len(before), "to": len(after)}
    assert told["vanished"] == gone.total() - moved
    assert told["appeared"] == new.total() - moved
    assert told["moved"]["cameras"] <= moved  # some by less than MOVED_M
    assert told["newly_covered"] == told["returned"] == 0
    assert new.total() > 50  # there is something to find


def leftover(rows: list[list[str]], places: Counter[tuple[str, str]]) -> list[list[str]]:
    return [row for row in rows if places[row[0], row[1]]]


def moves(gone: list[list[str]], new: list[list[str]]) -> int:
    """Count the pairs of one operator that are each other's nearest, within the limit."""
    pairs = 0
    for operator in {row[2] for row in gone} & {row[2] for row in new}:
        xyz = [_on_sphere([row for row in rows if row[2] == operator]) for rows in (gone, new)]
        there, nearest = cKDTree(xyz[1]).query(xyz[0])
        _, back = cKDTree(xyz[0]).query(xyz[1])
        mutual = back[nearest] == np.arange(len(nearest))
        pairs += int((mutual & (there <= MOVED_WITHIN_M)).sum())
    return pairs


def _on_sphere(rows: list[list[str]]) -> Any:
    lat, lon = np.radians(np.array([row[:2] for row in rows], dtype=float)).T
    unit = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    return 6_371_008.8 * unit


# --- files -----------------------------------------------------------------------------------


def test_a_register_is_exported_as_a_census_is(register: Path, tmp_path: Path) -> None:
    rows = [camera(1, operator_class="public"), camera(2, private_home=True),
            camera(3, operator_class="private", operator="Shop", raw='{"a": 1}')]  # fmt: skip
    add(register, "2020-01-01", rows)
    add(register, "2022-01-01", [camera(1, operator_class="public"), camera(4)])
    out = tmp_path / "out"
    files = _export.write_register(register, out, on=day("2021-01-01"))
    assert sorted(path.name for path in out.iterdir()) == sorted(_export.FILES.values())
    assert set(files) == set(_export.FILES)
    assert pq.read_table(out / "cameras.parquet").num_rows == 3
    published = json.loads((out / "cameras.geojson").read_text())["features"]
    assert len(published) == 2  # not the home
    [shop] = [f for f in published if f["properties"]["operator"] == "Shop"]
    assert shop["properties"]["coordinates"] == "rounded"
    assert shop["properties"]["native_ids"] == []
    assert pq.read_table(out / "links.parquet").num_rows == 3
    [told] = json.loads((out / "sources.json").read_text())
    assert (told["id"], told["rows"], told["observations"]) == ("2020-01-01", 3, 3)
    assert "© somebody" in (out / "ATTRIBUTION.md").read_text()
    history = (out / "camera_changes.csv").read_text()
    assert camera_of(register, "2020-01-01/node/1") in history
    assert camera_of(register, "node/2") not in history


def test_what_may_not_be_passed_on_is_not_exported(register: Path, tmp_path: Path) -> None:
    store.add(register, source(tmp_path, "2020-01-01", [camera(1)], licence="unknown"))
    with pytest.raises(UnusableInput, match="2020-01-01"):
        _export.write_register(register, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    found = timeline.diff(register, "2020-01-01", "2020-01-01")
    with pytest.raises(UnusableInput, match="--local-only"):
        _export.write_difference(register, tmp_path / "out", found)
    _export.write_timeline(register, tmp_path / "times", timeline.timeline(register))
    _export.write_register(register, tmp_path / "out", local_only=True)
    assert (tmp_path / "out" / "cameras.csv").exists()


def test_a_difference_and_a_timeline_are_written_whole(register: Path, tmp_path: Path) -> None:
    add(register, "2020-01-01", [camera(1), camera(2, mount="pole")])
    add(register, "2022-01-01", [camera(2, mount="wall", installed=day("2021-03-01"))])
    found = timeline.diff(register, day("2020-01-01"), day("2022-01-01"))
    _export.write_difference(register, tmp_path / "diff", found)
    changes = (tmp_path / "diff" / "changes.csv").read_text().splitlines()
    assert len(changes) == 1 + 3  # vanished, mount, installed
    told = timeline.timeline(register)
    _export.write_timeline(register, tmp_path / "times", told)
    names = {path.name for path in (tmp_path / "times").iterdir()}
    assert names == set(_export.TIMELINE_FILES.values())
    assert (tmp_path / "times" / "installed.csv").read_text().splitlines()[1:] == ['"2021-03",1,1']
    assert len((tmp_path / "times" / "lifetimes.csv").read_text().splitlines()) == 2


def test_the_area_of_an_extract_is_told_without_its_edge(shared_data: Path) -> None:
    from sousveil import place
    from sousveil.sources import osm

    extract = osm.read(shared_data / "osm" / "monaco_2023-12.osm.pbf", source_id="m")
    inner = store.area_told(extract)
    points = np.column_stack([extract.observations["lon"], extract.observations["lat"]])
    whole, _ = place.covered_area(extract.streets, extract.buildings, points, [extract.header_box])
    assert inner is not None
    assert inner.within(whole)
    geod = pyproj.Geod(ellps="WGS84")
    for x, y in shapely.get_coordinates(inner)[::20]:
        edge = shapely.shortest_line(shapely.Point(x, y), whole.boundary)
        (ax, ay), (bx, by) = shapely.get_coordinates(edge)
        assert geod.inv(ax, ay, bx, by)[2] >= 0.95 * store.EDGE_M * np.cos(np.radians(y))
    assert store.area_told(source(Path("/tmp"), "2020-01-01")) is None
