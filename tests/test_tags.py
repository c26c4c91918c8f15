"""Interpreting whole objects: every object becomes one observation or one row set aside."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import osmium
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil.records import (
    CAPABILITIES,
    HOUSINGS,
    KINDS,
    LIFECYCLES,
    NOT_CAMERAS,
    OBSERVATIONS,
    OPERATOR_CLASSES,
    QUARANTINE,
    SETTINGS,
)
from sousveil.sources._owners import RULES
from sousveil.sources.osm._tags import CHUNK, Interpreted, RawObject, interpret

EDITED = date(2022, 6, 1)


def thing(tags: dict[str, str], **changes: Any) -> RawObject:
    whole = {"man_made": "surveillance", **tags} if changes.pop("camera", True) else tags
    return RawObject(1, "node/1", 11.5, 48.1, whole, EDITED, None)._replace(**changes)


def read(*objects: RawObject, country: str | None = "DE") -> Interpreted:
    return interpret(iter(objects), source_id="test", country=country)


def one(tags: dict[str, str], **changes: Any) -> dict[str, Any]:
    """The one observation of a surveillance node with these tags."""
    (row,) = read(thing(tags, **changes)).observations.to_pylist()
    return dict(row)


def aside(tags: dict[str, str], **changes: Any) -> list[tuple[str, str]]:
    """Field and value of what goes to quarantine; the object itself always stays."""
    result = read(thing(tags, **changes))
    assert result.observations.num_rows == 1
    rows = result.quarantine.to_pylist()
    assert all(row["kept"] and row["reason"] and row["row"] == 1 for row in rows)
    return [(row["field"], row["value"]) for row in rows]


def test_a_bare_camera_is_known_by_its_place_and_nothing_else() -> None:
    row = one({})
    told = {key: value for key, value in row.items() if value is not None}
    assert told == {
        "observation_id": "test/node/1",
        "source_id": "test",
        "native_id": "node/1",
        "seen_on": EDITED,
        "seen_by": "edit",
        "lon": 11.5,
        "lat": 48.1,
        "count": 1,
        "kind": "camera",
        "operator_class": "unknown",
        "operator_class_rule": "none",
        "private_home": False,
        "raw": '{"man_made": "surveillance"}',
    }


def test_a_full_camera_is_read_whole() -> None:
    row = one(
        {
            "surveillance": "public",
            "surveillance:type": "camera",
            "surveillance:zone": "Town",
            "surveillance:purpose": "crime prevention",
            "camera:type": "ptz",
            "camera:mount": "Lamp post",
            "camera:direction": "239-284",
            "camera:count": "2",
            "camera:height": "12 ft",
            "height": "9",
            "camera:resolution": "1920x1080",
            "surveillance:retention": "72 h",
            "camera:features": "face_recognition",
            "operator": "Stadt München",
            "start_date": "2019-05",
            "check_date": "2022-05-03",
            "ref": "K-7",
        }
    )
    assert row["setting"] == "public"
    assert row["zone"] == "town"
    assert row["purpose"] == "crime prevention"
    assert row["housing"] == "panning"
    assert row["mount"] == "street_lamp"
    assert row["bearings"] == [261.5]
    assert row["hfov_deg"] == 45.0
    assert row["count"] == 2
    assert row["height_m"] == pytest.approx(3.6576)  # 12 international feet
    assert row["pixels_h"] == 1920
    assert row["retention_days"] == 3.0
    assert row["capabilities"] == ["face_recognition"]
    assert (row["operator"], row["operator_class"]) == ("Stadt München", "public")
    assert row["installed"] == date(2019, 5, 1)
    assert (row["seen_on"], row["seen_by"]) == (date(2022, 5, 3), "check")
    assert json.loads(row["raw"])["ref"] == "K-7"


ABSURD = {
    "camera:direction": "nonsense",
    "camera:angle": "400",
    "camera:fov": "0",
    "camera:type": "flying saucer",
    "camera:mount": "<img src=x onerror=alert(1)>",
    "camera:height": "-3",
    "camera:count": "0",
    "camera:resolution": "very high",
    "surveillance": "everything",
    "surveillance:type": "crystal ball",
    "surveillance:zone": "12345",
    "surveillance:retention": "forever",
    "operator:type": "aliens",
    "ownership": "mine",
    "start_date": "yesterday",
    "end_date": "2019-02-30",
    "check_date": "9999-99-99",
    "survey:date": "31.02.2019",
    "direction": "361",
    "height": "9999 m",
    "est_height": "tall",
    "count": "many",
}


@pytest.mark.parametrize(("key", "value"), ABSURD.items())
def test_an_absurd_value_is_set_aside_and_the_camera_stays(key: str, value: str) -> None:
    ((field, shown),) = aside({key: value})
    assert field == key
    assert shown.lower() == value.lower().replace(" ", "_" if key == "surveillance:type" else " ")
    told = {k for k, v in one({key: value}).items() if v is not None}
    assert told == {k for k, v in one({}).items() if v is not None}


def test_all_absurd_values_at_once_are_all_set_aside() -> None:
    assert {field for field, _ in aside(ABSURD)} == ABSURD.keys()
    assert one(ABSURD)["count"] == 1


NO_PLACES = [
    (None, 48.0, "no coordinates"),
    (11.0, None, "no coordinates"),
    (None, None, "no coordinates"),
    (math.nan, 48.0, "no coordinates"),
    (11.0, math.inf, "no coordinates"),
    (181.0, 0.0, "coordinates outside the world"),
    (11.0, -90.5, "coordinates outside the world"),
    (0.0, 0.0, "null island: coordinates exactly 0, 0"),
    (-0.0, 0.0, "null island: coordinates exactly 0, 0"),
]


@pytest.mark.parametrize(("lon", "lat", "reason"), NO_PLACES)
def test_an_object_without_a_place_is_set_aside_whole(
    lon: float | None, lat: float | None, reason: str
) -> None:
    result = read(thing({}, lon=lon, lat=lat, row=7))
    assert result.observations.num_rows == 0
    (row,) = result.quarantine.to_pylist()
    assert (row["row"], row["field"], row["kept"]) == (7, None, False)
    assert row["reason"] == reason
    assert row["native_id"] == "node/1"


def test_the_edges_of_the_world_are_in_it() -> None:
    edges = [(180.0, -90.0), (-180.0, 90.0), (0.0, 51.5), (8.5, 0.0)]
    result = read(*(thing({}, lon=lon, lat=lat) for lon, lat in edges))
    assert result.observations.num_rows == len(edges)


def test_an_object_that_is_no_surveillance_object_is_set_aside_whole() -> None:
    result = read(thing({"amenity": "bench"}, camera=False))
    assert result.observations.num_rows == 0
    assert result.quarantine["kept"].to_pylist() == [False]


def test_a_device_of_an_enforcement_relation_needs_no_tags() -> None:
    row = one({}, camera=False, enforcement="traffic_signals")
    assert (row["kind"], row["purpose"]) == ("red_light", "red light enforcement")


@pytest.mark.parametrize(
    ("tags", "bearings", "hfov"),
    [
        ({"camera:direction": "90", "direction": "45"}, [90.0], None),
        ({"camera:direction": "nonsense", "direction": "45"}, [45.0], None),
        ({"direction": "NNW"}, [337.5], None),
        ({"camera:direction": "350-20"}, [5.0], 30.0),
        ({"camera:direction": "350-20", "camera:fov": "70"}, [5.0], 70.0),
        ({"camera:direction": "90", "camera:angle": "15"}, [90.0], None),
        ({"camera:direction": "0-360"}, None, 360.0),
        ({"camera:direction": "360"}, [0.0], None),
        ({"camera:direction": "360", "camera:type": "fixed"}, [0.0], None),
        ({"camera:direction": "360", "camera:type": "dome"}, [0.0], 360.0),
        ({"direction": "360°", "camera:type": "panning"}, [0.0], 360.0),
        ({"camera:direction": "0", "camera:type": "dome"}, [0.0], None),
    ],
)
def test_where_a_camera_looks(
    tags: dict[str, str], bearings: list[float] | None, hfov: float | None
) -> None:
    row = one(tags)
    assert (row["bearings"], row["hfov_deg"]) == (bearings, hfov)


@pytest.mark.parametrize(
    ("tags", "height"),
    [
        ({"height": "3,5"}, 3.5),
        ({"camera:height": "4", "height": "9"}, 4.0),
        ({"camera:height": "nonsense", "height": "9"}, 9.0),
        ({"est_height": "5"}, 5.0),
        ({"height": "20", "building": "yes"}, None),
        ({"height": "20", "building": "yes", "camera:height": "4"}, 4.0),
        ({"ele": "3"}, None),
    ],
)
def test_how_high_it_hangs(tags: dict[str, str], height: float | None) -> None:
    assert one(tags)["height_m"] == height


@pytest.mark.parametrize(
    ("value", "housing"),
    [
        ("fixed", "fixed"),
        ("Dome", "dome"),
        ("bullet", "fixed"),
        ("PTZ", "panning"),
        ("dome;fixed", None),
        ("ptz;panning", "panning"),
    ],
)
def test_housing(value: str, housing: str | None) -> None:
    assert one({"camera:type": value})["housing"] == housing


def test_several_housings_are_told_from_no_housing() -> None:
    reasons = [
        read(thing({"camera:type": value})).quarantine["reason"][0].as_py()
        for value in ("dome;fixed", "360")
    ]
    assert reasons == ["several housings", "not fixed, dome or panning"]


def test_a_revolving_camera_is_panning() -> None:
    assert one({"revolving": "yes"})["housing"] == "panning"
    assert one({"revolving": "yes", "camera:type": "dome"})["housing"] == "dome"


@pytest.mark.parametrize("value", ["webcam", "traffic", "camera", "cctv", "maxspeed", "yes"])
def test_a_setting_that_says_something_else_is_no_fault(value: str) -> None:
    assert one({"surveillance": value})["setting"] is None
    assert aside({"surveillance": value}) == []


@pytest.mark.parametrize("value", ["private", "fake", "indoor/outdoor", "no"])
def test_a_setting_of_no_known_word_is_set_aside(value: str) -> None:
    assert one({"surveillance": value})["setting"] is None
    assert aside({"surveillance": value}) == [("surveillance", value)]


@pytest.mark.parametrize(
    ("tags", "edited", "seen"),
    [
        ({"check_date": "2021-05"}, EDITED, (date(2021, 5, 1), "check")),
        ({"check_date": "2020", "survey:date": "2021-07-02"}, EDITED, (date(2021, 7, 2), "check")),
        ({"check_date:surveillance": "2021-07-02"}, EDITED, (date(2021, 7, 2), "check")),
        ({"check_date": "2022-06-02"}, EDITED, (date(2022, 6, 2), "check")),
        ({"check_date": "2022-06-03"}, EDITED, (EDITED, "edit")),
        ({"check_date": "2022-06-03"}, None, (date(2022, 6, 3), "check")),
        ({"check_date:opening_hours": "2021-07-02"}, EDITED, (EDITED, "edit")),
        ({}, None, (None, None)),
        ({"check_date": "2022"}, date.max, (date(2022, 1, 1), "check")),
    ],
)
def test_when_it_was_last_seen(
    tags: dict[str, str], edited: date | None, seen: tuple[date | None, str | None]
) -> None:
    row = one(tags, edited_on=edited)
    assert (row["seen_on"], row["seen_by"]) == seen


@pytest.mark.parametrize(
    ("tags", "installed", "removed"),
    [
        ({"start_date": "2019", "end_date": "2021-03-04"}, date(2019, 1, 1), date(2021, 3, 4)),
        ({"start_date": "2023-06-02"}, date(2023, 6, 2), None),
        ({"start_date": "2023-06-03"}, None, None),
        ({"start_date": "~2015"}, None, None),
        ({"start_date": "2019", "end_date": "2018"}, date(2019, 1, 1), None),
    ],
)
def test_when_it_was_installed_and_removed(
    tags: dict[str, str], installed: date | None, removed: date | None
) -> None:
    row = one(tags)
    assert (row["installed"], row["removed"]) == (installed, removed)


def test_what_is_planned_may_start_in_years_to_come() -> None:
    tags = {"planned:man_made": "surveillance", "start_date": "2030"}
    assert one(tags, camera=False)["installed"] == date(2030, 1, 1)


def test_a_removed_camera_is_read_by_its_prefixed_tags_before_the_plain_ones() -> None:
    tags = {
        "removed:man_made": "surveillance",
        "removed:camera:type": "dome",
        "camera:type": "fixed",
        "camera:mount": "wall",
        "removed:camera:direction": "nonsense",
        "end_date": "2021",
    }
    row = one(tags, camera=False)
    assert (row["lifecycle"], row["housing"], row["mount"]) == ("removed", "dome", "wall")
    assert row["removed"] == date(2021, 1, 1)
    assert aside(tags, camera=False) == [("removed:camera:direction", "nonsense")]
    assert json.loads(row["raw"]) == tags


def test_of_several_zones_the_first_is_kept_and_said_so() -> None:
    assert one({"surveillance:zone": "area,street"})["zone"] == "area"
    assert aside({"surveillance:zone": "area,street"}) == [("surveillance:zone", "area,street")]


def test_a_private_home_names_nobody_in_any_output() -> None:
    tags = {
        "surveillance:zone": "house",
        "operator": "Erika Muster",
        "name": "Muster",
        "height": "x",
    }
    result = read(thing(tags))
    (row,) = result.observations.to_pylist()
    assert row["private_home"]
    assert row["operator"] is None
    assert "Muster" not in row["raw"]
    (kept,) = result.quarantine.to_pylist()
    assert kept["native_id"] is None  # or the quarantine would publish homes one by one


def test_links_are_dropped_and_counted() -> None:
    tags = {
        "contact:webcam": "https://cam.example.com/live",
        "note": "see http://cam.example.com/a and rtsp://10.0.0.1/b",
        "camera:direction": "http://cam.example.com/c",
    }
    result = read(thing(tags))
    assert result.links_dropped == 4
    everything = str(result.observations.to_pylist()) + str(result.quarantine.to_pylist())
    assert "example" not in everything
    assert "10.0.0.1" not in everything


def test_names_with_html_are_text() -> None:
    name = "<script>alert('x')</script> & Söhne GmbH"
    row = one({"operator": name})
    assert row["operator"] == name
    assert json.loads(row["raw"])["operator"] == name


def test_huge_tags_stay_bounded() -> None:
    tags = {f"note{index}": "x" * 10_000 for index in range(1_000)} | {"height": "4"}
    row = one(tags)
    assert row["height_m"] == 4.0
    assert len(row["raw"].encode()) <= 65_536
    assert "*" in {field for field, _ in aside(tags)}


def test_what_matters_is_read_among_far_too_many_tags() -> None:
    tags = {f"a{index}": "1" for index in range(10_000)} | {"camera:direction": "90"}
    assert one(tags)["bearings"] == [90.0]


def test_more_objects_than_one_batch_are_all_there() -> None:
    count = CHUNK + 3
    objects = (thing({}, row=n, native_id=f"node/{n}") for n in range(1, count + 1))
    result = interpret(objects, source_id="test", country=None)
    assert result.observations.num_rows == count
    assert result.observations["native_id"][count - 1].as_py() == f"node/{count}"


def test_no_objects_give_empty_tables() -> None:
    result = read()
    assert result.observations.schema.equals(OBSERVATIONS)
    assert result.quarantine.schema.equals(QUARANTINE)
    assert result.observations.num_rows == result.quarantine.num_rows == 0


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)  # lone surrogates too
KEYS = st.sampled_from([*ABSURD, "man_made", "highway", "removed:man_made", "disused", "operator"])
VALUES = st.sampled_from(
    ["surveillance", "speed_camera", "ALPR", "guard", "yes", "90;180", "2019-05", "house"]
)
NUMBERS = st.none() | st.floats() | st.sampled_from([0.0, 8.5, 47.0])
OBJECTS = st.builds(
    RawObject,
    row=st.integers(1, 10**9),
    native_id=st.just("node/1"),
    lon=NUMBERS,
    lat=NUMBERS,
    tags=st.dictionaries(KEYS | ANY_TEXT, VALUES | ANY_TEXT, max_size=8),
    edited_on=st.none() | st.dates(),
    enforcement=st.none() | VALUES | ANY_TEXT,
)


@settings(deadline=None)
@given(st.lists(OBJECTS, max_size=5), st.sampled_from([None, "CH", "JP"]))
def test_no_object_is_ever_lost_and_no_tags_break_it(
    objects: list[RawObject], country: str | None
) -> None:
    result = interpret(iter(objects), source_id="test", country=country)
    kept = result.quarantine["kept"].to_pylist()
    assert result.observations.num_rows + kept.count(False) == len(objects)
    result.observations.validate(full=True)
    for row in result.observations.to_pylist():
        assert (row["kind"] is None) == (row["not_camera"] is not None)
        assert row["kind"] in (None, *KINDS)
        assert row["not_camera"] in (None, *NOT_CAMERAS)
        assert row["housing"] in (None, *HOUSINGS)
        assert row["setting"] in (None, *SETTINGS)
        assert row["lifecycle"] in (None, *LIFECYCLES)
        assert row["operator_class"] in OPERATOR_CLASSES
        assert row["operator_class_rule"] in RULES
        assert set(row["capabilities"] or ()) <= set(CAPABILITIES)
        assert all(0 <= bearing < 360 for bearing in row["bearings"] or ())
        assert row["hfov_deg"] is None or 0 < row["hfov_deg"] <= 360
        assert row["height_m"] is None or 0 <= row["height_m"] <= 300
        assert 1 <= row["count"] <= 1000
        assert isinstance(json.loads(row["raw"]), dict)


def _objects_of_extract(path: Path) -> Iterator[RawObject]:
    found = 0
    for o in osmium.FileProcessor(path, osmium.osm.NODE):
        if o.tags.get("man_made") == "surveillance":
            found += 1
            yield RawObject(
                found, f"node/{o.id}", o.lon, o.lat, dict(o.tags), o.timestamp.date(), None
            )


def _known(result: Interpreted, column: str) -> int:
    return int(result.observations.num_rows - result.observations[column].null_count)


def test_munich_2020(shared_data: Path) -> None:
    # expected: the counts by tag that ../shared/data/README.md and the issue give
    path = shared_data / "osm" / "munich_2020-07.osm.pbf"
    result = interpret(_objects_of_extract(path), source_id="munich", country="DE")
    assert result.observations.num_rows == 209
    assert _known(result, "bearings") == 59
    assert _known(result, "height_m") == 45
    raw = [json.loads(text) for text in result.observations["raw"].to_pylist()]
    assert Counter(tags.get("surveillance:type") for tags in raw)["camera"] == 200
    assert Counter(result.observations["setting"].to_pylist())["indoor"] == 89


def test_switzerland_2023(shared_data: Path) -> None:
    path = shared_data / "lists" / "switzerland_man_made_surveillance_2023-03.json"
    elements = json.loads(path.read_text(encoding="utf-8"))
    objects = (
        RawObject(n, f"node/{e['id']}", e["lon"], e["lat"], e["tags"], None, None)
        for n, e in enumerate(elements, start=1)
    )
    result = interpret(objects, source_id="swiss", country="CH")
    assert result.observations.num_rows == 2144
    # by tag 529 nodes carry a direction, and every one of them can be read
    assert _known(result, "bearings") == 529
    assert Counter(result.observations["not_camera"].to_pylist())["guard"] == 2
    by_tag = [e["tags"] for e in elements]
    links = sum("://" in value for tags in by_tag for value in tags.values())
    assert result.links_dropped >= links
    text = " ".join(result.observations["raw"].to_pylist())
    assert "http" not in text
    assert "www." not in text
    assert len(result.quarantine) < 0.02 * len(elements)
