"""What an object is by its tags, and whether it still stands."""

from __future__ import annotations

import pytest

from sousveil.records import LIFECYCLES
from sousveil.sources.osm._kinds import (
    LIFECYCLE_WORDS,
    TAGS_OF_INTEREST,
    Standing,
    capabilities,
    standing,
    what,
)

SURVEILLANCE = Standing(True, False, None, "")
SPEED_CAMERA = Standing(False, True, None, "")
DEVICE = Standing(False, False, None, "")


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({}, "camera"),
        ({"surveillance:type": "camera"}, "camera"),
        ({"surveillance:type": "Webcam"}, "camera"),
        ({"surveillance:type": "ALPR"}, "alpr"),
        ({"surveillance:type": "alpr"}, "alpr"),
        ({"surveillance:type": "ANPR"}, "alpr"),
        ({"surveillance:type": "camera;ALPR"}, "alpr"),
        ({"surveillance:type": "ALPR", "surveillance": "traffic"}, "alpr"),
        ({"surveillance:ALPR": "yes"}, "alpr"),
        ({"surveillance:type": "camera", "surveillance": "traffic"}, "traffic"),
        ({"surveillance": "traffic"}, "traffic"),
        ({"surveillance:type": "traffic"}, "traffic"),
        ({"surveillance:type": "camera", "surveillance:zone": "traffic"}, "camera"),
        ({"surveillance": "maxspeed"}, "speed"),
        ({"surveillance": "red_light", "surveillance:type": "camera"}, "red_light"),
        ({"enforcement": "traffic_signals"}, "red_light"),
        ({"surveillance:type": "camera;guard"}, "camera"),
        ({"surveillance:type": "camera;microphone"}, "camera"),
        ({"surveillance:type": "camera", "surveillance": "guard"}, "camera"),
        ({"surveillance": "guard", "camera:type": "fixed"}, "camera"),
        ({"surveillance:type": "something new"}, "camera"),
    ],
)
def test_the_kind_of_a_camera(tags: dict[str, str], kind: str) -> None:
    thing = what(tags, stands=SURVEILLANCE, enforcement=None)
    assert (thing.kind, thing.not_camera) == (kind, None)


@pytest.mark.parametrize(
    ("tags", "not_camera"),
    [
        ({"surveillance:type": "guard"}, "guard"),
        ({"surveillance": "guard"}, "guard"),
        ({"surveillance:type": "guard", "surveillance": "guard"}, "guard"),
        ({"surveillance:type": "gunshot_detector"}, "gunshot_detector"),
        ({"surveillance:type": "Gunshot Detector"}, "gunshot_detector"),
        ({"surveillance:type": "microphone"}, "other_sensor"),
        ({"surveillance:type": "wifi;bluetooth"}, "other_sensor"),
    ],
)
def test_guards_and_sensors_are_no_cameras(tags: dict[str, str], not_camera: str) -> None:
    thing = what(tags, stands=SURVEILLANCE, enforcement=None)
    assert (thing.kind, thing.not_camera) == (None, not_camera)


def test_an_unknown_type_is_given_back() -> None:
    tags = {"surveillance:type": "camera;Telescreen"}
    assert what(tags, stands=SURVEILLANCE, enforcement=None).unread == "telescreen"
    tags = {"surveillance:type": "camera"}
    assert what(tags, stands=SURVEILLANCE, enforcement=None).unread is None


@pytest.mark.parametrize(
    ("enforcement", "kind", "purpose"),
    [
        (None, "speed", "speed enforcement"),
        ("", "speed", "speed enforcement"),
        ("maxspeed", "speed", "speed enforcement"),
        ("average_speed", "speed", "speed enforcement"),
        ("traffic_signals", "red_light", "red light enforcement"),
        ("traffic_signals;maxspeed", "speed", "speed enforcement"),
        ("mindistance", "other_camera", "distance enforcement"),
        ("toll", "other_camera", "toll enforcement"),
    ],
)
def test_a_speed_camera_is_what_its_relation_enforces(
    enforcement: str | None, kind: str, purpose: str
) -> None:
    thing = what({}, stands=SPEED_CAMERA, enforcement=enforcement)
    assert (thing.kind, thing.purpose) == (kind, purpose)


@pytest.mark.parametrize(
    ("enforcement", "kind"),
    [
        ("maxspeed", "speed"),
        ("traffic_signals", "red_light"),
        ("access", "other_camera"),
        ("brand_new_law", "other_camera"),
        ("", "other_camera"),
    ],
)
def test_a_device_without_tags_is_what_its_relation_enforces(enforcement: str, kind: str) -> None:
    assert what({}, stands=DEVICE, enforcement=enforcement).kind == kind


def test_a_plate_reader_stays_one_in_an_enforcement_relation() -> None:
    thing = what({"surveillance:type": "ALPR"}, stands=SURVEILLANCE, enforcement="access")
    assert (thing.kind, thing.purpose) == ("alpr", "access enforcement")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"man_made": "surveillance"}, SURVEILLANCE),
        ({"highway": "speed_camera"}, SPEED_CAMERA),
        ({"man_made": "surveillance", "disused": "yes"}, (True, False, "disused", "")),
        ({"man_made": "surveillance", "removed": "YES"}, (True, False, "removed", "")),
        ({"man_made": "surveillance", "disused": "no"}, SURVEILLANCE),
        ({"man_made": "surveillance", "was:man_made": "tower"}, SURVEILLANCE),
        ({"man_made": "surveillance", "removed:highway": "speed_camera"}, SURVEILLANCE),
        ({"removed:man_made": "surveillance"}, (True, False, "removed", "removed:")),
        ({"demolished:man_made": "surveillance"}, (True, False, "removed", "demolished:")),
        ({"was:highway": "speed_camera"}, (False, True, "removed", "was:")),
        ({"abandoned:man_made": "surveillance"}, (True, False, "disused", "abandoned:")),
        ({"disused:highway": "speed_camera"}, (False, True, "disused", "disused:")),
        ({"planned:man_made": "surveillance"}, (True, False, "planned", "planned:")),
        ({"proposed:man_made": "surveillance"}, (True, False, "planned", "proposed:")),
        ({"construction:man_made": "surveillance"}, (True, False, "construction", "construction:")),
        (
            {"man_made": "construction", "construction": "surveillance"},
            (True, False, "construction", "construction:"),
        ),
        (
            {"highway": "proposed", "proposed": "speed_camera"},
            (False, True, "planned", "proposed:"),
        ),
        ({"man_made": "tower", "surveillance": "public"}, DEVICE),
        ({"removed:man_made": "tower"}, DEVICE),
        ({}, DEVICE),
    ],
)
def test_whether_it_stands(
    tags: dict[str, str], expected: tuple[bool, bool, str | None, str]
) -> None:
    assert standing(tags) == expected


def test_every_state_is_of_the_vocabulary() -> None:
    assert set(LIFECYCLE_WORDS.values()) == set(LIFECYCLES)


def test_a_reader_that_filters_by_the_tags_of_interest_misses_nothing() -> None:
    for key, value in TAGS_OF_INTEREST:
        if key in ("man_made", "highway") or ":" in key:
            found = standing({key: value})
            assert found.surveillance or found.speed_camera, (key, value)
    assert ("construction", "surveillance") in TAGS_OF_INTEREST
    assert ("removed:highway", "speed_camera") in TAGS_OF_INTEREST


@pytest.mark.parametrize(
    ("tags", "kind", "expected"),
    [
        ({}, "camera", None),
        ({}, "alpr", ["alpr"]),
        ({"surveillance:type": "camera;microphone"}, "camera", ["audio"]),
        ({"camera:features": "nightvision;webcam"}, "camera", None),
        ({"camera:features": "facial_recognition"}, "camera", ["face_recognition"]),
        ({"camera:features": "face_detection"}, "camera", None),
        (
            {"surveillance:features": "people counting;age"},
            "camera",
            ["demographics", "people_counting"],
        ),
        ({"microphone": "yes"}, "camera", ["audio"]),
        ({"microphone": "no"}, "camera", None),
        ({"face_recognition": "yes"}, "alpr", ["alpr", "face_recognition"]),
    ],
)
def test_capabilities_are_what_is_stated(
    tags: dict[str, str], kind: str, expected: list[str] | None
) -> None:
    assert capabilities(tags, kind) == expected
