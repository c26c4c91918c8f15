"""Which cameras the rows of a new list speak of; merges and splits, recorded, never overwritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sousveil import store
from sousveil.records import LINKS
from sousveil.store._editions import MOVED_PROBABILITY
from sousveil.store._file import reading
from tests.registers import add, ask, camera, camera_of, cameras, links


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "register.duckdb"


# --- one camera in several sources ---------------------------------------------------------------


def test_the_same_object_keeps_its_camera_whatever_the_order(register: Path) -> None:
    later = add(register, "2024-01-01", [camera(1), camera(2)])
    earlier = add(register, "2020-01-01", [camera(2), camera(3)])
    assert (later.known, earlier.known) == (0, 1)
    assert camera_of(register, "2024-01-01/node/2") == camera_of(register, "2020-01-01/node/2")


def test_ids_of_two_lists_are_not_mixed_up(register: Path) -> None:
    row = camera(1, native_id="1")
    add(register, "2024-01-01", [row], series="a")
    added = add(register, "2024-02-01", [row], series="b")
    assert (added.known, added.cameras) == (0, 2)


def test_a_list_that_is_numbered_anew_is_matched_by_place(register: Path) -> None:
    add(register, "2024-01-01", [camera(i, native_id=str(i)) for i in range(8)], series="a")
    anew = [camera(i, native_id=str(7 - i)) for i in range(8)]
    added = add(register, "2024-02-01", anew, series="a")
    assert (added.known, added.cameras) == (8, 8)
    for i in range(8):
        assert camera_of(register, f"02-01/{7 - i}") == camera_of(register, f"01-01/{i}")
    kept = add(register, "2024-03-01", [camera(1, native_id="5")], series="a", has_ids=True)
    assert camera_of(register, "03-01/5") == camera_of(register, "02-01/5")
    assert kept.known == 1


def test_the_same_numbers_in_another_town_are_other_cameras(register: Path) -> None:
    add(register, "2024-01-01", [camera(i, native_id=str(i)) for i in range(3)], series="a")
    elsewhere = [camera(i, native_id=str(i), lat=48.9) for i in range(3)]
    added = add(register, "2024-02-01", elsewhere, series="a", area=None)
    assert (added.known, added.cameras) == (0, 6)
    assert len(set(cameras(register))) == 6


def row(number: int, *, at: int = 1, **known: Any) -> dict[str, Any]:
    """Return a row without a lasting id, at a place of that number."""
    return camera(at, native_id=f"row-{number}", **known)


def test_rows_without_ids_are_paired_off_by_all_that_they_say(register: Path) -> None:
    old = [row(1, operator="A", bearings=[10.0]), row(2, operator="A", bearings=[90.0]),
           row(3, operator="B")]  # fmt: skip
    new = [row(4, operator="B", bearings=[5.0]), row(5, operator="C", bearings=[10.0]),
           row(6, operator="A", bearings=[90.0])]  # fmt: skip
    add(register, "2024-01-01", old, series="a")
    assert add(register, "2024-02-01", new, series="a").known == 3
    pairs = {1: 5, 2: 6, 3: 4}  # the direction first, then the operator, then the place alone
    for before, after in pairs.items():
        assert camera_of(register, f"row-{before}") == camera_of(register, f"row-{after}")


def test_rows_that_say_the_same_are_paired_one_to_one(register: Path) -> None:
    add(register, "2024-01-01", [row(i) for i in range(2)], series="a", is_whole_list=True)
    added = add(register, "2024-02-01", [row(i) for i in range(5, 8)], series="a",
                is_whole_list=True)  # fmt: skip
    assert (added.known, added.cameras, added.changes["vanished"]) == (2, 3, 0)


@pytest.mark.parametrize(("metres", "is_same"), [(24.0, True), (26.0, False)])
@pytest.mark.parametrize("latitude", [0.0001, 48.1, -69.5])
def test_a_row_that_moved_a_little_is_the_same(
    register: Path, metres: float, is_same: bool, latitude: float
) -> None:
    degrees = metres / 111_194.9  # of latitude: 6,371,008.8 m * pi / 180
    add(register, "2024-01-01", [row(1, lat=latitude, operator="A")], series="a")
    moved = [row(2, lat=latitude - degrees, operator="A")]
    added = add(register, "2024-02-01", moved, series="a")
    assert added.known == is_same
    [(probability,)] = ask(
        register, "select probability from links order by since_run desc limit 1"
    )
    assert probability == (MOVED_PROBABILITY if is_same else 1.0)


def test_a_row_that_moved_is_the_nearest_of_its_operator(register: Path) -> None:
    step = 5 / 111_194.9
    old = [row(1, lat=48.1, operator="A"), row(2, lat=48.1 + 3 * step, operator="B")]
    new = [row(3, lat=48.1 + 2 * step, operator="A"), row(4, lat=48.1 + 4 * step, operator="A")]
    add(register, "2024-01-01", old, series="a")
    add(register, "2024-02-01", new, series="a")
    assert camera_of(register, "row-3") == camera_of(register, "row-1")
    assert camera_of(register, "row-4") not in {camera_of(register, f"row-{i}") for i in (1, 2, 3)}


def test_a_row_that_was_away_for_an_edition_is_known_again(register: Path) -> None:
    for day, rows in (("2024-01-01", [row(1)]), ("2024-02-01", []), ("2024-03-01", [row(1)])):
        added = add(register, day, rows, series="a", is_whole_list=True, format="CSV")
    assert added.known == 1
    assert added.changes["returned"] == 1


# --- merges and splits ---------------------------------------------------------------------------


def two_lists(register: Path) -> tuple[str, str]:
    """Add a camera twice, as two; return their ids, the older first."""
    add(register, "2020-01-01", [camera(1)])
    add(register, "2021-01-01", [camera(1, native_id="7")], series="city")
    return camera_of(register, "node/1"), camera_of(register, "/7")


def relink(register: Path, groups: dict[str, list[str]]) -> dict[str, int]:
    with reading(register) as connection:
        rows = connection.sql("from observations").to_arrow_table()
    return store.relink(register, links(groups, rows))


def test_a_merge_keeps_the_older_id_and_the_other_resolves(register: Path) -> None:
    old, young = two_lists(register)
    changes = relink(register, {"x": ["node/1", "7"]})
    assert (changes["merge"], changes["vanished"], changes["new"]) == (1, 0, 0)
    assert cameras(register) == [old]
    assert store.resolve(register, young) == [old] == store.resolve(register, old)
    assert store.resolve(register, "cam-never") == []
    assert ask(register, "select from_ids, to_ids from camera_changes where kind = 'merge'") == [
        (sorted([old, young]), [old])
    ]
    [camera_row] = ask(register, "select sources, link_probability from cameras")
    assert camera_row == (["2020-01-01", "2021-01-01"], 0.8)


def test_a_split_gives_a_new_id_and_forgets_nothing(register: Path) -> None:
    old, young = two_lists(register)
    relink(register, {"x": ["node/1", "7"]})
    changes = relink(register, {})
    assert (changes["split"], changes["new"], changes["vanished"]) == (1, 0, 0)
    now = cameras(register)
    assert old in now
    assert len(now) == 2
    assert young not in now  # an id that was given up is not given again
    assert set(store.resolve(register, old)) == set(now)
    assert store.resolve(register, old)[0] == old
    assert store.resolve(register, young) == [other for other in now if other != old]
    kinds = [one["kind"] for one in store.history(register, old)["changes"]]
    assert kinds == ["new", "merge", "split"]


def test_links_are_closed_never_overwritten(register: Path) -> None:
    _, young = two_lists(register)
    relink(register, {"x": ["node/1", "7"]})
    sql = (
        "select camera_id, since_run, until_run from links where native_id = '7' order by since_run"
    )
    first, second = ask(register, sql)
    assert first == (young, 2, 3)
    assert second[1:] == (3, None)


def test_a_new_source_can_show_that_two_cameras_are_one(register: Path) -> None:
    old, young = two_lists(register)
    third = {"series": "police", "linker": lambda rows: links({"x": ["node/1", "7", "9"]}, rows)}
    added = add(register, "2022-01-01", [camera(1, native_id="9")], **third)
    assert (added.changes["merge"], added.changes["new"], added.cameras) == (1, 0, 1)
    assert camera_of(register, "/9") == old
    assert store.resolve(register, young) == [old]


def test_a_new_source_can_show_that_one_camera_is_two(register: Path) -> None:
    two_lists(register)
    relink(register, {"x": ["node/1", "7"]})
    third = {"series": "police", "linker": lambda rows: links({"x": ["7", "9"]}, rows)}
    added = add(register, "2022-01-01", [camera(1, native_id="9")], **third)
    assert (added.changes["split"], added.cameras) == (1, 2)
    assert camera_of(register, "/9") == camera_of(register, "/7")
    assert camera_of(register, "/9") != camera_of(register, "node/1")


def test_a_new_source_leaves_cameras_alone_that_it_does_not_touch(register: Path) -> None:
    two_lists(register)
    relink(register, {"x": ["node/1", "7"]})
    third = {"series": "police", "linker": lambda rows: links({}, rows)}
    added = add(register, "2022-01-01", [camera(1, native_id="9")], **third)
    assert (added.changes["split"], added.cameras) == (0, 2)


def test_editions_of_a_list_are_shown_to_the_linker_as_one_list(register: Path) -> None:
    seen: list[dict[str, Any]] = []

    def spy(rows: pa.Table) -> pa.Table:
        seen.extend(rows.to_pylist())
        return LINKS.empty_table()

    add(register, "2020-01-01", [camera(1, mount="wall"), camera(2), camera(3), camera(900)])
    add(
        register,
        "2021-01-01",
        [camera(1, mount="pole"), camera(3, not_camera="guard"), camera(900)],
    )
    add(register, "2022-01-01", [camera(1, native_id="7")], series="city", linker=spy)
    told = [(one["source_id"], one["native_id"], one["mount"]) for one in seen]
    # node/2 has vanished, node/3 is a guard, node/900 is 65 km away
    assert told == [("city", "7", None), ("osm", "node/1", "pole")]


def test_two_editions_of_a_list_alone_are_not_linked(register: Path) -> None:
    def never(_: pa.Table) -> pa.Table:
        raise AssertionError

    add(register, "2020-01-01", [camera(1)], linker=never)
    add(register, "2021-01-01", [camera(1), camera(2)], linker=never)
