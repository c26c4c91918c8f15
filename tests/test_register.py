"""The register: what several observations of one camera come to."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from sousveil import linking, register
from sousveil.records import CAMERAS, OBSERVATIONS
from tests.tables import observations


def build(table: pa.Table) -> register.Register:
    return register.build(table, linking.by_identity(table))


def test_one_object_in_two_extracts_is_one_camera() -> None:
    old = {"source_id": "2020", "seen_on": date(2020, 5, 1)}
    new = {"source_id": "2023", "seen_on": date(2023, 5, 1)}
    cameras = build(observations(new, old)).cameras
    assert cameras.schema == CAMERAS
    [camera] = cameras.to_pylist()
    assert camera["sources"] == ["2020", "2023"]
    assert camera["n_sources"] == 2
    assert (camera["first_seen"], camera["last_seen"]) == (date(2020, 5, 1), date(2023, 5, 1))
    assert camera["link_probability"] == 1.0
    assert camera["native_ids"] == ["node/1"]


def test_the_newest_known_value_stands_whatever_the_order() -> None:
    old = {"source_id": "2020", "seen_on": date(2020, 5, 1), "mount": "pole", "height_m": 4.0}
    new = {"source_id": "2023", "seen_on": date(2023, 5, 1), "mount": "wall", "height_m": None}
    for table in (observations(old, new), observations(new, old)):
        [camera] = build(table).cameras.to_pylist()
        assert camera["mount"] == "wall"
        assert camera["height_m"] == 4.0


def test_a_value_without_a_date_yields_to_one_with_a_date() -> None:
    undated = {"source_id": "x", "seen_on": None, "seen_by": None, "zone": "bank"}
    dated = {"source_id": "y", "seen_on": date(1999, 1, 1), "zone": "town"}
    [camera] = build(observations(dated, undated)).cameras.to_pylist()
    assert camera["zone"] == "town"
    assert camera["first_seen"] == date(1999, 1, 1)


def test_class_of_operator_and_its_rule_come_from_the_same_observation() -> None:
    known = {
        "source_id": "2020",
        "seen_on": date(2020, 1, 1),
        "operator_class": "public",
        "operator_class_rule": "operator_type",
    }
    unknown = {"source_id": "2023", "seen_on": date(2023, 1, 1)}
    [camera] = build(observations(known, unknown)).cameras.to_pylist()
    assert (camera["operator_class"], camera["operator_class_rule"]) == ("public", "operator_type")


def test_a_private_home_stays_one_when_a_later_extract_forgets_it() -> None:
    home = {"source_id": "2020", "private_home": True}
    later = {"source_id": "2023", "seen_on": date(2025, 1, 1)}
    [camera] = build(observations(home, later)).cameras.to_pylist()
    assert camera["private_home"]


def test_what_the_newest_observation_calls_removed_is_kept_apart() -> None:
    old = {"source_id": "2020", "seen_on": date(2020, 1, 1)}
    gone = {"source_id": "2023", "seen_on": date(2023, 1, 1), "lifecycle": "removed"}
    guard = {"native_id": "node/2", "not_camera": "guard", "kind": None}
    built = build(observations(gone, old, guard))
    assert built.cameras.num_rows == 0
    assert built.apart.schema == OBSERVATIONS
    assert built.apart["observation_id"].to_pylist() == ["2023/node/1", "a/node/2"]


def test_every_observation_is_a_camera_or_apart_never_both() -> None:
    rows = [
        {"native_id": f"node/{i}", "lifecycle": [None, "planned", "disused"][i % 3]}
        for i in range(30)
    ]
    built = build(observations(*rows))
    assert built.cameras.num_rows == 10
    assert built.apart.num_rows == 20


def test_ids_of_cameras_do_not_depend_on_run_extract_or_neighbours() -> None:
    alone = build(observations({"source_id": "2020"})).cameras["camera_id"].to_pylist()
    among = build(observations({"source_id": "2023"}, {"native_id": "node/2"}))
    assert alone[0] in among.cameras["camera_id"].to_pylist()
    # python -c 'import hashlib; print(hashlib.blake2b(b"osm:node/1", digest_size=8).hexdigest())'
    assert alone == ["cam-dc70773a443d06e1"]
    assert len(set(among.cameras["camera_id"].to_pylist())) == 2


def test_no_observation_gives_an_empty_register() -> None:
    built = build(OBSERVATIONS.empty_table())
    assert built.cameras.schema == CAMERAS
    assert built.cameras.num_rows == built.apart.num_rows == 0
