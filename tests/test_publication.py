"""What may be published: the charter's rules on homes and private operators."""

from __future__ import annotations

import json
import math
from typing import Any

from sousveil import export, linking, publication, register
from sousveil.records import PUBLISHED
from tests.tables import observations

SHOP = {
    "native_id": "node/1",
    "lon": 11.57654321,
    "lat": 48.13712345,
    "operator": "Kaufhaus",
    "operator_class": "private",
    "raw": json.dumps({"addr:street": "Weinstraße"}),
}
HOME = {"native_id": "node/2", "private_home": True, "operator_class": "private"}
POLICE = {"native_id": "node/3", "lon": 11.57111111, "lat": 48.1311, "operator_class": "public"}
NOBODY = {"native_id": "node/4", "lon": 11.57222222, "lat": 48.1322}


def published(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    table = observations(*rows)
    shown = publication.publish(register.build(table, linking.by_identity(table)).cameras)
    assert shown.schema == PUBLISHED
    rows_out: list[dict[str, Any]] = shown.to_pylist()
    return rows_out


def test_private_homes_are_never_listed() -> None:
    assert [row["native_ids"] for row in published(HOME, POLICE)] == [["node/3"]]


def test_private_coordinates_are_rounded_and_nothing_leads_back_to_them() -> None:
    [row] = published(SHOP)
    assert (row["lon"], row["lat"]) == (11.577, 48.137)
    assert row["coordinates"] == "rounded"
    assert row["native_ids"] == []
    assert row["raw"] is None
    written = export.dumps(row)
    assert "57654" not in written
    assert "Weinstraße" not in written
    assert "node/1" not in written


def test_the_id_of_a_rounded_camera_does_not_follow_from_its_object() -> None:
    # Two objects that are published alike: their ids may not tell which is which.
    twin = SHOP | {"native_id": "node/9", "lon": 11.57655555}
    pair, swapped = published(SHOP, twin), published(twin, SHOP)
    assert {row["camera_id"] for row in pair} == {row["camera_id"] for row in swapped}
    assert len({row["camera_id"] for row in pair}) == 2
    hashed = linking.by_identity(observations(SHOP, twin))["camera_id"].to_pylist()
    assert not {row["camera_id"] for row in pair} & set(hashed)
    [police] = published(POLICE)
    assert police["camera_id"] == linking.by_identity(observations(POLICE))["camera_id"][0].as_py()


def test_stated_accuracy_covers_the_rounding() -> None:
    half = publication.ROUNDED_TO_DEG / 2
    north_m = math.radians(half) * 6_399_594  # largest radius of curvature of WGS 84, at the poles
    east_m = math.radians(half) * 6_378_137  # equator
    assert math.hypot(north_m, east_m) <= publication.ROUNDED_ACCURACY_M


def test_public_and_unknown_operators_are_published_as_they_are() -> None:
    rows = published(POLICE, NOBODY)
    assert [(r["lon"], r["lat"]) for r in rows] == [(11.57111111, 48.1311), (11.57222222, 48.1322)]
    assert {r["coordinates"] for r in rows} == {"exact"}
    assert [r["native_ids"] for r in rows] == [["node/3"], ["node/4"]]


def test_an_empty_register_publishes_nothing() -> None:
    assert published() == []
