"""What the lists of a census miss: of which cameras it is said, and how often it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sousveil import register, undercount
from sousveil.overlap import Listed, comparable
from sousveil.records import LINKS
from tests.tables import observations

LISTS = [
    Listed("osm", "OpenStreetMap", "", ("osm_2020", "osm_2021")),
    Listed("city", "The city", "cameras of the city", ("city",)),
]


def told(rows: list[dict[str, Any]]) -> undercount.Undercount | None:
    """Estimate from observations, each with `camera`, the camera that it speaks of."""
    table = observations(*({k: v for k, v in row.items() if k != "camera"} for row in rows))
    links = pa.table(
        {
            "observation_id": table["observation_id"],
            "source_id": table["source_id"],
            "native_id": table["native_id"],
            "camera_id": [f"cam-{row['camera']}" for row in rows],
            "probability": [1.0] * len(rows),
        },
        schema=LINKS,
    )
    cameras = register.build(table, links).cameras
    return undercount.estimate(cameras, table, links, lists=LISTS, rates=None, place="Town", seed=1)


def seen(camera: int, source: str, **said: Any) -> dict[str, Any]:
    where = np.random.default_rng(camera).uniform(0, 0.02, 2)
    place = {"lon": 11.5 + where[0], "lat": 48.1 + where[1]}
    return {"camera": camera, "source_id": source, "native_id": f"{source}-{camera}"} | place | said


def town(n: int, seed: int, *, osm: float = 0.5, city: float = 0.4) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    rows = []
    for camera in range(n):
        if random.random() < osm:
            rows.append(seen(camera, "osm_2020"))
            if random.random() < 0.5:
                rows.append(seen(camera, "osm_2021"))
        if random.random() < city:
            rows.append(seen(camera, "city"))
    return rows


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    # 95 % of 100: between 89 and 99 in 99 of 100 such studies (binomial)
    held = 0
    for seed in range(100):
        found = told(town(300, seed))
        assert found is not None
        held += found.told["low"] <= 300 <= found.told["high"]
    assert 89 <= held <= 100


def test_editions_of_one_list_are_one_list() -> None:
    rows = town(300, 1)
    found = told(rows)
    alone = told([row for row in rows if row["source_id"] != "osm_2021"])
    assert found is not None
    assert alone is not None
    assert found.told["estimate"] == pytest.approx(alone.told["estimate"])
    [row] = found.estimates.to_pylist()
    assert row["lists"] == 2
    assert row["low"] < row["estimate"] < row["high"]
    # Chapman by hand
    held = {name: {r["camera"] for r in rows if r["source_id"].startswith(name)} for name in
            ("osm", "city")}  # fmt: skip
    n1, n2, m = len(held["osm"]), len(held["city"]), len(held["osm"] & held["city"])
    assert row["estimate"] == pytest.approx((n1 + 1) * (n2 + 1) / (m + 1) - 1)


def test_only_what_both_lists_can_hold_is_counted() -> None:
    rows = town(300, 2)
    first = told(rows)
    far = [seen(1000 + i, "osm_2020", lon=13.0, lat=52.0) for i in range(200)]
    readers = [seen(2000 + i, "osm_2020", kind="alpr") for i in range(200)]
    both = told(rows + far + readers)
    assert first is not None
    assert both is not None
    assert both.told["estimate"] == pytest.approx(first.told["estimate"], rel=0.01)
    assert "ordinary cameras" in both.told["definition"]
    assert "cameras of the city" in both.told["definition"]


def test_without_overlap_there_is_a_reason_or_a_bound_but_no_number() -> None:
    rows = [row for row in town(300, 3) if row["source_id"] == "osm_2020" or row["camera"] < 3]
    few = told(rows)
    assert few is not None
    assert "The city holds fewer than 10" in few.told["reason"]
    assert few.estimates.num_rows == 0
    apart = [row for row in town(300, 4) if (row["source_id"] == "city") == (row["camera"] % 2)]
    bound = told(apart)
    assert bound is not None
    assert bound.told["estimate"] is None
    [row] = bound.estimates.to_pylist()
    assert (row["high"], row["note"].split(":")[0]) == (None, f"at least {row['n_observed']}")


def test_the_ground_of_all_lists_does_not_depend_on_their_order() -> None:
    random = np.random.default_rng(5)
    wide = random.uniform(0, 1, (400, 2))
    small = random.uniform(0.4, 0.6, (100, 2))
    lon, lat = np.concatenate([wide, small]).T
    kinds = ["alpr"] * 400 + ["alpr"] * 60 + ["speed"] * 40
    for names in (("a", "b"), ("b", "a")):
        of_list = np.array([names[0]] * 400 + [names[1]] * 100)
        kept, which = comparable(lon, lat, kinds, of_list)
        assert which == "number-plate readers"
        assert kept[400:].tolist() == [True] * 60 + [False] * 40
        inside = (np.abs(wide - 0.5) < 0.06).all(axis=1)
        outside = (np.abs(wide - 0.5) > 0.11).any(axis=1)
        assert kept[:400][inside].all()
        assert not kept[:400][outside].any()
