"""Checks of a list as a whole, on cases whose answer is exact."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sousveil.sources.tabular import _checks
from sousveil.sources.tabular._checks import Keys, marks, points, within
from tests.lists import csv_file, read, set_aside, spec

METRES_A_DEGREE = 111_195.0


def keys(
    says: list[int],
    ids: list[int] | None = None,
    at: list[tuple[float, float]] | None = None,
    group: list[int] | None = None,
) -> Keys:
    n = len(says)
    lon, lat = np.array(at if at else [(math.nan, math.nan)] * n, float).T
    return Keys(
        np.arange(2, n + 2),
        np.array(says, np.uint64),
        np.array(ids if ids is not None else range(n), np.uint64),
        points(lon, lat),
        np.array(group if group else [-1] * n, np.int32),
    )


def test_a_row_that_repeats_id_and_all_is_found_with_the_first_that_says_so() -> None:
    found = marks(keys([5, 6, 5, 5, 7], [1, 2, 1, 1, 3]))
    assert found.same[0].tolist() == [2, 3]
    assert found.same[1].tolist() == [2, 2]  # the number of the first row with it
    assert found.alike == 0


def test_rows_alike_but_for_their_number_are_only_counted() -> None:
    found = marks(keys([5, 5, 5, 6], [1, 2, 3, 4]))
    assert found.same[0].tolist() == []
    assert found.alike == 2


def test_an_id_that_stands_again_is_numbered_in_the_order_of_the_rows() -> None:
    found = marks(keys([1, 2, 3, 4, 5, 3], [9, 8, 9, 8, 9, 9]))
    assert found.same[0].tolist() == [5]  # says what row 3 says, with its id
    assert dict(zip(*map(np.ndarray.tolist, found.again), strict=True)) == {2: 2, 3: 2, 4: 3}


def test_what_is_known_of_a_batch_is_counted_from_its_start() -> None:
    mark = (np.array([3, 7, 8, 20]), np.array([1.0, 2.0, 3.0, 4.0]))
    at, values = within(mark, 7, 20)
    assert at.tolist() == [0, 1]
    assert values.tolist() == [2.0, 3.0]


def lattice(n: int, spacing_m: float, lat: float = 48.1) -> list[tuple[float, float]]:
    north = spacing_m / METRES_A_DEGREE
    east = north / math.cos(math.radians(lat))
    side = math.isqrt(n - 1) + 1
    return [(11.5 + east * (i % side), lat + north * (i // side)) for i in range(n)]


def test_a_point_for_hundreds_of_rows_gets_the_accuracy_of_the_area_they_would_fill() -> None:
    """300 installations spaced 200 m apart fill a circle of sqrt(300 / pi) x 200 = 1,954 m."""
    at = [*lattice(400, 200.0), *[(11.55, 48.15)] * 300]
    found = marks(keys(list(range(700)), at=at))
    assert found.stand_in[0].tolist() == list(range(400, 700))
    assert found.stand_in[1] == pytest.approx(math.sqrt(300 / math.pi) * 200.0, rel=0.01)


def test_a_stand_in_is_never_taken_for_better_than_a_hundred_metres() -> None:
    found = marks(keys(list(range(100)), at=[(11.5, 48.1)] * 100))
    assert set(found.stand_in[1].tolist()) == {_checks.STAND_IN_LEAST_M}


def test_fewer_rows_at_a_point_are_cameras_on_a_pole() -> None:
    n = _checks.STAND_IN_ROWS - 1
    assert not len(marks(keys(list(range(n)), at=[(11.5, 48.1)] * n)).stand_in[0])


def test_points_a_centimetre_apart_are_two() -> None:
    lon, lat = np.array([11.5, 11.5000002, 11.5]), np.array([48.1, 48.1, np.nan])
    one, other, nowhere = points(lon, lat)
    assert one != other
    assert nowhere == -1


def test_the_corners_of_the_earth_have_points_of_their_own() -> None:
    lon = np.array([-180.0, 180.0, -180.0, 180.0])
    lat = np.array([-90.0, -90.0, 90.0, 90.0])
    assert len(set(points(lon, lat).tolist())) == 4
    assert (points(lon, lat) >= 0).all()


def test_a_row_far_from_its_group_is_found_with_its_distance() -> None:
    at = [*lattice(50, 100.0), (11.5, 49.1), *lattice(50, 100.0, 52.5)]
    found = marks(keys(list(range(101)), at=at, group=[0] * 51 + [1] * 50))
    assert found.far[0].tolist() == [50]
    assert found.far[1][0] == pytest.approx(METRES_A_DEGREE, rel=0.01)


def test_groups_too_small_or_rows_only_a_little_off_are_left_alone() -> None:
    small = marks(keys(list(range(5)), at=[*lattice(4, 100.0), (11.5, 49.1)], group=[0] * 5))
    near = marks(keys(list(range(51)), at=[*lattice(50, 100.0), (11.5, 48.13)], group=[0] * 51))
    assert not len(small.far[0])
    assert not len(near.far[0])


def test_the_same_row_twice_is_set_aside_with_the_row_that_it_repeats(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, "id,lat,lon,n", "1,48.1,11.5,x", "2,48.1,11.5,x", "1,48.1,11.5,x", "2,48.1,11.5,y"
    )
    source = read(path, spec(tmp_path))
    assert set_aside(source) == [(4, "says the same as an earlier row")]
    assert source.quarantine["value"].to_pylist() == ["row 2"]
    assert source.observations["native_id"].to_pylist() == ["1", "2", "2#2"]
    assert source.notes == (
        "1 row repeats an earlier row in all but their number.",
        "1 row has an id that an earlier row has.",
    )


def test_a_stand_in_keeps_its_rows_and_gets_its_accuracy(tmp_path: Path) -> None:
    lines = [f"{n},48.1,11.5" for n in range(60)] + ["60,48.2,11.6"]
    source = read(csv_file(tmp_path, "id,lat,lon", *lines), spec(tmp_path))
    accuracy = source.observations["accuracy_m"].to_pylist()
    assert accuracy == [100.0] * 60 + [None]
    assert any("it stands for an address" in note for note in source.notes)


def test_a_row_far_from_those_of_its_agency_is_set_aside(tmp_path: Path) -> None:
    lines = [f"{n},{48.1 + n / 1e4},11.5,West" for n in range(20)] + ["20,48.25,11.7,West"]
    area = '[area]\nname = "Munich"\nbox = [11.3, 48.0, 11.8, 48.3]\nnear = "agency"'
    source = read(csv_file(tmp_path, "id,lat,lon,agency", *lines), spec(tmp_path, area=area))
    assert set_aside(source) == [(22, "far from the other rows of the same agency")]
