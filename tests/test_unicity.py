"""Unicity against all sets of points, one after the other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from sousveil.retrace._unicity import Points, days_until_unique, points, unicity


@pytest.fixture(scope="module")
def crowd() -> tuple[list[set[tuple[int, int]]], Points]:
    draw = np.random.default_rng(5)
    rows = [
        (i, int(draw.zipf(1.5) % 6), int(draw.integers(0, 30)))
        for i in range(80)
        for _ in range(draw.integers(0, 9))
    ]
    who, place, hour = (np.array(column) for column in zip(*rows, strict=True))
    had: list[set[tuple[int, int]]] = [set() for _ in range(80)]
    for i, p, h in rows:
        had[i].add((h, p))
    return had, points(80, who, place, hour)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_unicity_is_the_share_over_all_sets_of_points(
    crowd: tuple[list[set[tuple[int, int]]], Points], k: int
) -> None:
    had, indexed = crowd
    exact = [
        np.mean([sum(set(known) <= other for other in had) == 1 for known in combinations(mine, k)])
        for mine in had
        if len(mine) >= k
    ]
    found = unicity(indexed, np.arange(80), k, draws=400, seed=1)
    assert found == pytest.approx(np.mean(exact), abs=0.012)


def test_the_day_that_singles_out_is_the_first_such_day(
    crowd: tuple[list[set[tuple[int, int]]], Points],
) -> None:
    had, indexed = crowd
    expected = []
    for mine in had:
        day = 0
        for d in range(1, 4):
            so_far = {point for point in mine if point[0] < d * 10}
            if so_far and sum(so_far <= other for other in had) == 1:
                day = d
                break
        expected.append(day)
    assert list(days_until_unique(indexed, np.arange(80), 10)) == expected
