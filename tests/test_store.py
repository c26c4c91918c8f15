"""The register on disk: what an import does to it, and that nothing is lost or overwritten."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil import linking, store, timeline
from sousveil import register as building
from sousveil.errors import BrokenInvariant, UnusableInput
from sousveil.records import CAMERAS
from sousveil.sources import quarantine
from sousveil.sources._evidence import EVIDENCE
from sousveil.store._file import reading
from tests.registers import SQUARE, add, ask, camera, camera_of, cameras, links, source
from tests.tables import observations


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "register.duckdb"


# --- an import -----------------------------------------------------------------------------------


def test_the_tables_hold_what_was_added(register: Path) -> None:
    added = add(register, "2024-01-01", [camera(1), camera(2, mount="pole")])
    assert (added.status, added.rows, added.observations) == ("added", 2, 2)
    assert (added.known, added.cameras) == (0, 2)
    assert added.changes == {"new": 2, "returned": 0, "vanished": 0, "merge": 0, "split": 0}
    with reading(register) as connection:
        table = connection.sql("from cameras").to_arrow_table()
    assert table.schema.names == CAMERAS.names
    assert ask(register, "select source_id, native_id, mount from observations") == [
        ("2024-01-01", "node/1", None),
        ("2024-01-01", "node/2", "pole"),
    ]
    [told] = store.show(register)["sources"]
    assert (told["id"], told["series"], told["dated"]) == ("2024-01-01", "osm", date(2024, 1, 1))
    assert (told["rows"], told["observations"], told["quarantined"]) == (2, 2, 0)


def test_cameras_have_the_ids_that_a_census_gives(register: Path) -> None:
    add(register, "2024-01-01", [camera(1), camera(2)])
    table = observations(camera(1), camera(2))
    assert cameras(register) == sorted(linking.by_identity(table)["camera_id"].to_pylist())


def test_the_same_file_twice_changes_nothing(register: Path, tmp_path: Path) -> None:
    once = source(tmp_path, "2024-01-01", [camera(1)])
    store.add(register, once)
    before = register.read_bytes()
    again = store.add(register, once)
    assert (again.status, again.source_id, again.run_id) == ("unchanged", "2024-01-01", 1)
    assert register.read_bytes() == before
    assert store.holds(register, store.fingerprint(once.path)) == again


def test_another_description_of_the_same_file_is_another_source(
    register: Path, tmp_path: Path
) -> None:
    once, spec = source(tmp_path, "2024-01-01", [camera(1)]), tmp_path / "spec.toml"
    spec.write_text("a = 1")
    store.add(register, once, spec=spec)
    assert store.add(register, once, spec=spec).status == "unchanged"
    spec.write_text("a = 2")
    again = store.add(register, once, spec=spec)
    assert (again.status, again.source_id) == ("added", "2024-01-01-2")


def test_a_directory_is_known_by_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "a.csv").write_text("a")
    alone = store.fingerprint(tmp_path / "lists")
    (tmp_path / "lists" / "b.csv").write_text("b")
    assert store.fingerprint(tmp_path / "lists") != alone


def test_a_new_edition_under_the_old_name_gets_a_number(register: Path, tmp_path: Path) -> None:
    for day in ("2024-01-01", "2024-02-01", "2024-03-01"):
        store.add(register, source(tmp_path, day, [camera(1)], source_id="monaco"))
    ids = ask(register, "select source_id from sources order by dated")
    assert ids == [("monaco",), ("monaco-2",), ("monaco-3",)]
    assert ask(register, "select distinct observation_id from observations order by 1") == [
        ("monaco-2/node/1",), ("monaco-3/node/1",), ("monaco/node/1",)
    ]  # fmt: skip


def test_a_lost_row_is_a_fault_and_leaves_the_register_alone(
    register: Path, tmp_path: Path
) -> None:
    add(register, "2024-01-01", [camera(1)])
    before = register.read_bytes()
    with pytest.raises(BrokenInvariant, match="3 rows"):
        store.add(register, source(tmp_path, "2024-02-01", [camera(1)], rows=3))
    with pytest.raises(BrokenInvariant, match="one id"):
        add(register, "2024-02-01", [camera(1), camera(1)])
    assert register.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_rows_set_aside_and_evidence_are_kept_and_counted(register: Path, tmp_path: Path) -> None:
    aside = quarantine.set_aside(source_id="x", row=2, reason="no place")
    evidence = {"source_id": "x", "row": 3, "native_id": "3", "subject": "agency",
                "operator_class": "public", "operator_class_rule": "list"}  # fmt: skip
    told = source(
        tmp_path,
        "2024-01-01",
        [camera(1)],
        rows=3,
        quarantine=quarantine.table([aside]),
        evidence=pa.Table.from_pylist([evidence], schema=EVIDENCE),
    )
    added = store.add(register, told)
    assert (added.rows, added.observations, added.quarantined) == (3, 1, 1)
    assert ask(register, "select source_id, reason from quarantine") == [("2024-01-01", "no place")]
    assert ask(register, "select subject from evidence") == [("agency",)]
    assert store.show(register)["quarantined"] == {"no place": 1}


def test_a_list_can_come_in_parts(register: Path, tmp_path: Path) -> None:
    class Part:
        def __init__(self, number: int) -> None:
            self.records = observations({"source_id": "x"} | camera(number))
            self.quarantine = quarantine.table(
                [quarantine.set_aside(source_id="x", row=number, reason="no place")]
            )
            self.rows, self.links = 2, 1

    told = source(tmp_path, "2024-01-01")
    added = store.add(register, told, map(Part, range(5)))
    assert (added.rows, added.observations, added.quarantined) == (10, 5, 5)
    assert ask(register, "select links_dropped from sources") == [(5,)]
    assert ask(register, "select count(*) from cameras") == [(5,)]


def test_many_rows_after_none_are_all_read_again(register: Path, tmp_path: Path) -> None:
    # DuckDB 2.0.0 loses sight of more than a row group that follows an insert of no rows
    # inside one transaction; the insert of an empty table comes first here.
    n = 130_000
    base = observations(camera(1)).to_pylist()[0]
    table = pa.Table.from_pylist([base], schema=observations().schema)
    many = table.take(pa.array([0] * n)).set_column(
        2, "native_id", pa.array([f"node/{i}" for i in range(n)])
    )

    class Part:
        rows, records, quarantine, links = n, many.cast(table.schema), quarantine.table([]), 0

    added = store.add(register, source(tmp_path, "2024-01-01"), [Part()])
    assert (added.observations, added.cameras, added.changes["new"]) == (n, n, n)
    assert ask(register, "select count(*) from cameras where mount is null") == [(n,)]


def test_a_source_without_a_date_is_refused_until_it_gets_one(
    register: Path, tmp_path: Path
) -> None:
    undated = source(tmp_path, None, [camera(1)])
    with pytest.raises(UnusableInput, match="--dated"):
        store.add(register, undated)
    assert not register.exists()
    assert store.add(register, undated, dated=date(2020, 1, 1)).dated == date(2020, 1, 1)
    newest = source(tmp_path, None, [camera(1, seen_on=date(2021, 5, 1))], source_id="rows")
    assert store.add(register, newest).dated == date(2021, 5, 1)


def test_an_extract_without_cameras_is_of_the_series_of_extracts(register: Path) -> None:
    assert add(register, "2024-01-01").series == "osm"
    table = add(register, "2024-02-01", format="CSV", source_id="empty")
    assert table.series == "A city"


# --- what vanishes -------------------------------------------------------------------------------


def test_what_a_later_extract_of_the_place_lacks_has_vanished(register: Path) -> None:
    add(register, "2020-01-01", [camera(1), camera(2)])
    added = add(register, "2024-01-01", [camera(2)])
    assert (added.cameras, added.changes["vanished"]) == (1, 1)
    gone = camera_of(register, "2020-01-01/node/1")
    assert ask(register, "select from_ids, to_ids from camera_changes where kind = 'vanished'") == [
        ([gone], [])
    ]
    assert store.resolve(register, gone) == [gone]  # its id stays what it was


@pytest.mark.parametrize(
    "options",
    [
        {"area": None},
        {"area": shapely.box(0, 0, 1, 1)},
        {"series": "another list"},
        {"area": SQUARE - shapely.box(11.4, 48.05, 11.6, 48.15)},  # the place lies in a hole
    ],
)
def test_nothing_vanishes_by_a_source_that_does_not_tell_of_its_place(
    register: Path, options: dict[str, Any]
) -> None:
    add(register, "2020-01-01", [camera(1)])
    assert add(register, "2024-01-01", **options).cameras == 1


def test_nothing_vanishes_by_an_older_source_or_one_of_the_same_day(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)])
    add(register, "2019-01-01", [camera(2)], source_id="older")
    assert add(register, "2020-01-01", [], source_id="same").cameras == 1  # 2 has, 1 has not


def test_the_whole_of_a_list_needs_no_area(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)], series="a", area=None)
    added = add(register, "2024-01-01", [], series="a", area=None, is_whole_list=True)
    assert added.changes["vanished"] == 1


def test_a_camera_is_there_while_one_list_holds_it(register: Path) -> None:
    def together(rows: pa.Table) -> pa.Table:
        return links({"x": ["node/1", "7"]}, rows)

    add(register, "2020-01-01", [camera(1)])
    add(register, "2021-01-01", [camera(1, native_id="7")], series="city", linker=together)
    assert len(cameras(register)) == 1
    assert add(register, "2022-01-01", []).cameras == 1
    assert add(register, "2023-01-01", [], series="city", format="CSV").cameras == 0


def test_what_is_said_to_be_removed_has_vanished(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)])
    added = add(register, "2024-01-01", [camera(1, lifecycle="removed")])
    assert (added.cameras, added.changes["vanished"]) == (0, 1)


def test_what_is_planned_is_there_once_a_later_source_is_past_that_day(register: Path) -> None:
    planned = camera(1, installed=date(2025, 1, 1))
    assert add(register, "2024-01-01", [planned]).cameras == 0
    later = add(register, "2025-06-01", [], area=shapely.box(0, 0, 1, 1), series="elsewhere")
    assert (later.cameras, later.changes["new"]) == (1, 1)


# --- invariants ----------------------------------------------------------------------------------


ROWS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.sampled_from([None, "removed", "planned"]),
        st.sampled_from([None, date(2021, 6, 1), date(2023, 6, 1)]),
        st.sampled_from(["pole", "wall", None]),
    ),
    unique_by=lambda one: one[0],
)
EDITIONS = st.lists(st.tuples(st.integers(2019, 2024), ROWS, st.booleans()), min_size=1, max_size=4)


@settings(max_examples=10, deadline=None)
@given(editions=EDITIONS)
def test_cameras_are_what_all_sources_tell_in_whatever_order_they_came(
    editions: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tables = []
    for order in (editions, editions[::-1]):
        register = tmp_path_factory.mktemp("r") / "register.duckdb"
        for year, rows, is_covered in order:
            told = [camera(n, lifecycle=life, installed=day, mount=mount)
                    for n, life, day, mount in rows]  # fmt: skip
            name = f"{year}-{editions.index((year, rows, is_covered))}"
            add(register, f"{year}-01-01", told, source_id=name,
                area=SQUARE if is_covered else None)  # fmt: skip
        with reading(register) as connection:
            stored = connection.sql("from cameras order by camera_id").to_arrow_table()
            [(newest,)] = connection.sql("select max(dated) from sources").fetchall()
        state = timeline.at(register, newest)
        assert stored.cast(CAMERAS).to_pylist() == state.cameras.sort_by("camera_id").to_pylist()
        tables.append(stored.to_pylist())
    assert tables[0] == tables[1]


def test_a_single_source_comes_to_what_a_census_makes_of_it(register: Path) -> None:
    rows = [camera(i, mount="pole", operator=f"o{i}", bearings=[float(i)]) for i in range(9)]
    add(register, "2024-01-01", rows, source_id="s")
    table = observations(*({"source_id": "s"} | row for row in rows))
    built = building.build(table, linking.by_identity(table)).cameras.sort_by("camera_id")
    with reading(register) as connection:
        stored = connection.sql("from cameras order by camera_id").to_arrow_table()
    assert stored.cast(CAMERAS).to_pylist() == built.to_pylist()


# --- what it shows -------------------------------------------------------------------------------


def test_show_is_json_and_says_what_there_is(register: Path) -> None:
    from sousveil.export import dumps

    add(register, "2020-01-01", [camera(1, count=3), camera(2, kind="alpr")])
    add(register, "2021-01-01", [camera(1, count=3)])
    told = json.loads(dumps(store.show(register)))
    assert told["cameras"]["records"] == 1
    assert told["cameras"]["devices"] == 3
    assert told["cameras"]["by_kind"] == {"camera": 1}
    assert told["changes"] == {"new": 2, "vanished": 1}
    assert [run["cameras"] for run in told["runs"]] == [2, 1]
    assert told["links"] == {"now": 3, "earlier": 0}
