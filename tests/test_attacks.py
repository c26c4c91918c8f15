"""The worst-case attacks against the published tables, and against brute force."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sousveil.retrace._attacks import Traces, home_work_risk, traces, worst_case_risk

# Published with the toy trajectories of scikit-mobility: number of residents who match, by attack.
TABLE = {
    ("location", 2): [3, 2, 3, 3, 4, 4, 2],
    ("location", 3): [2, 1, 2, 3, 3, 4, 1],
    ("location_sequence", 2): [2, 2, 1, 2, 1, 3, 2],
    ("location_time_hour", 2): [1, 1, 1, 1, 1, 2, 1],
    ("location_time_month", 2): [3, 2, 3, 3, 4, 4, 2],
    ("unique_location", 2): [3, 4, 3, 3, 4, 4, 4],
}


@pytest.fixture(scope="module")
def toy(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "mobility" / "privacy_toy.csv").open() as file:
        rows = list(csv.DictReader(file))
    return sorted(rows, key=lambda row: (int(row["uid"]), row["datetime"]))


def numbered(values: list[Any]) -> list[int]:
    order = {value: i for i, value in enumerate(sorted(set(values)))}
    return [order[value] for value in values]


def toy_traces(
    toy: list[dict[str, str]], when: Callable[[datetime], Any] | None = None, *, once: bool = False
) -> Traces:
    keys = [
        (
            float(row["lat"]),
            float(row["lng"]),
            when(datetime.fromisoformat(row["datetime"])) if when else None,
        )
        for row in toy
    ]
    plain = [key[:2] for key in keys] if when is None else keys
    return traces(7, [int(row["uid"]) - 1 for row in toy], numbered(plain), once=once)


@pytest.mark.parametrize(("attack", "k"), list(TABLE))
def test_the_published_table_is_reproduced(toy: list[dict[str, str]], attack: str, k: int) -> None:
    when = {
        "location_time_hour": lambda t: (t.year, t.month, t.day, t.hour),
        "location_time_month": lambda t: (t.year, t.month),
    }.get(attack)
    known = toy_traces(toy, when, once=attack == "unique_location")
    risk = worst_case_risk(known, k, in_order=attack == "location_sequence")
    assert risk == pytest.approx([1 / n for n in TABLE[attack, k]], abs=0)


def test_the_published_home_and_work_are_the_two_places_visited_least(
    toy: list[dict[str, str]],
) -> None:
    assert home_work_risk(toy_traces(toy)) == pytest.approx([1 / 4] * 4 + [1, 1, 1], abs=0)


def test_the_hour_of_the_package_is_its_day_which_the_table_does_not_show(
    toy: list[dict[str, str]],
) -> None:
    # scikit-mobility 1.3.1 writes the month where the hour should be; on the toy both agree.
    by_day = toy_traces(toy, lambda t: (t.year, t.month, t.day))
    assert worst_case_risk(by_day, 2) == pytest.approx([1, 1, 1, 1, 1, 1 / 2, 1], abs=0)


def by_definition(rows: list[list[int]], k: int, *, in_order: bool) -> list[float]:
    """Return the risks as they are defined, one comparison after the other."""

    def fits(trace: list[int], known: tuple[int, ...]) -> bool:
        if in_order:
            left = iter(trace)
            return all(any(key == one for one in left) for key in known)
        return not Counter(known) - Counter(trace)

    return [
        max(
            1 / sum(fits(other, known) for other in rows)
            for known in combinations(trace, min(k, len(trace)))
        )
        for trace in rows
    ]


@pytest.mark.parametrize("in_order", [False, True])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_generated_traces_agree_with_the_definition(k: int, in_order: bool) -> None:
    draw = np.random.default_rng(k)
    rows = [list(map(int, draw.zipf(1.6, draw.integers(1, 8)) % 12)) for _ in range(60)]
    resident = [i for i, row in enumerate(rows) for _ in row]
    known = traces(len(rows), resident, [key for row in rows for key in row])
    risk = worst_case_risk(known, k, in_order=in_order)
    assert risk == pytest.approx(by_definition(rows, k, in_order=in_order), abs=0)
    some = worst_case_risk(known, k, [3, 50], in_order=in_order)
    assert list(some) == [risk[3], risk[50]]


def test_a_resident_without_records_is_at_no_risk() -> None:
    assert list(worst_case_risk(traces(3, [0, 0], [0, 1]), 2)) == [1, 0, 0]
