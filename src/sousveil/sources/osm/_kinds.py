"""What an object is by its tags: which kind of camera, or no camera, and whether it stands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from sousveil.records import KINDS, NOT_CAMERAS
from sousveil.sources._values import words

MAIN_TAGS: Final = {"man_made": "surveillance", "highway": "speed_camera"}

# Words before a main key (removed:man_made=surveillance), beside it (man_made=surveillance and
# disused=yes) or in its place (man_made=construction and construction=surveillance), and the state
# they mean; the first that applies counts. "was" is a thing of the past and so removed; "abandoned"
# still stands but is not used, as the wiki has it (Lifecycle prefix), and so disused.
LIFECYCLE_WORDS: Final = {
    "removed": "removed",
    "demolished": "removed",
    "razed": "removed",
    "destroyed": "removed",
    "dismantled": "removed",
    "was": "removed",
    "disused": "disused",
    "abandoned": "disused",
    "construction": "construction",
    "planned": "planned",
    "proposed": "planned",
}

# Every (key, value) that makes an object one of ours; what a reader filters by.
TAGS_OF_INTEREST: Final = frozenset(
    (key, value)
    for main, value in MAIN_TAGS.items()
    for key in (main, *LIFECYCLE_WORDS, *(f"{word}:{main}" for word in LIFECYCLE_WORDS))
)


class Standing(NamedTuple):
    """Which main tag an object has, and whether it stands."""

    surveillance: bool  # man_made=surveillance in some state
    speed_camera: bool  # highway=speed_camera in some state
    lifecycle: str | None  # records.LIFECYCLES, None for what exists
    prefix: str  # "removed:" where the tags of the object carry it, else ""


_NOTHING = Standing(False, False, None, "")
_YES = frozenset({"yes", "true", "1", *MAIN_TAGS.values()})


def standing(tags: Mapping[str, str]) -> Standing:
    """Whether the object is a surveillance object, and in which state of its life."""
    surveillance = tags.get("man_made") == "surveillance"
    speed_camera = tags.get("highway") == "speed_camera"
    if surveillance or speed_camera:
        if LIFECYCLE_WORDS.keys().isdisjoint(tags):
            return Standing(surveillance, speed_camera, None, "")
        said = (s for word, s in LIFECYCLE_WORDS.items() if tags.get(word, "").lower() in _YES)
        return Standing(surveillance, speed_camera, next(said, None), "")
    for word, state in LIFECYCLE_WORDS.items():
        surveillance, speed_camera = (
            value in (tags.get(f"{word}:{key}"), tags.get(word)) for key, value in MAIN_TAGS.items()
        )
        if surveillance or speed_camera:
            return Standing(surveillance, speed_camera, state, f"{word}:")
    return _NOTHING


# What surveillance:type and surveillance say is there.
TYPES: Final = {
    word: kind
    for kind, names in {
        "camera": "camera cameras cam cctv webcam video video_camera security_camera ip_camera "
        "ipcam camara kamera telecamera videocamera surveillance_camera dome fixed panning ptz "
        "thermal thermal_camera infrared doorbell yes",
        "alpr": "alpr anpr lpr aplr apnr anlpr alr license_plate_reader licence_plate_reader "
        "number_plate_recognition license_plate_recognition",
        "speed": "speed speed_camera maxspeed average_speed section_control speedcam",
        "red_light": "red_light red_light_camera redlight traffic_signals red_light_cam",
        "traffic": "traffic traffic_camera traffic_cam traffic_monitoring",
        "other_camera": "wildlife_camera wildlife wildlife_cam trail_camera toll toll_camera",
        "guard": "guard guards security_guard security_guards",
        "gunshot_detector": "gunshot_detector gunshot gunshot_detection shotspotter gunshot_sensor "
        "acoustic_gunshot_detector",
        "other_sensor": "microphone audio acoustic sound noise noise_sensor wifi wi_fi bluetooth "
        "radar sensor motion_sensor motion_detector laser lidar seismic imsi_catcher rfid "
        "drone_detector people_counter traffic_counter counter alarm",
    }.items()
    for word in names.split()
}

# What the relation or the tag `enforcement` makes of its device, and for what purpose.
_ENFORCED: Final = {
    "maxspeed": ("speed", "speed enforcement"),
    "average_speed": ("speed", "speed enforcement"),
    "traffic_signals": ("red_light", "red light enforcement"),
    "mindistance": ("other_camera", "distance enforcement"),
    "access": ("other_camera", "access enforcement"),
    "toll": ("other_camera", "toll enforcement"),
    "maxheight": ("other_camera", "height enforcement"),
    "maxweight": ("other_camera", "weight enforcement"),
    "check": ("other_camera", "traffic checks"),
}
_OTHER_ENFORCEMENT: Final = ("other_camera", None)


class What(NamedTuple):
    """What an object is; exactly one of kind and not_camera is set."""

    kind: str | None  # records.KINDS
    not_camera: str | None  # records.NOT_CAMERAS
    purpose: str | None  # as far as the kind states it
    unread: str | None  # the words of surveillance:type that are not known


def what(tags: Mapping[str, str], *, stands: Standing, enforcement: str | None) -> What:
    """Decide what an object is.

    A speed camera by its own tag is what its enforcement relation says, else a speed camera.
    Any other object is the most specific camera among ``surveillance:type``, the enforcement
    relation that has it as a device, and ``surveillance`` (``traffic``, ``maxspeed``...);
    ``surveillance:zone`` says what is watched and decides nothing here. Without a camera among
    its types it is a guard or a sensor if it says so, and a camera if it says nothing.
    """
    return _what(
        tags.get("surveillance:type"),
        tags.get("surveillance"),
        tags.get("surveillance:ALPR", tags.get("surveillance:alpr")) == "yes",
        "camera:type" in tags,
        stands.speed_camera,
        stands.surveillance,
        tags.get("enforcement") if enforcement is None else enforcement,
    )


@lru_cache(maxsize=8192)
def _what(
    stated_type: str | None,
    watched: str | None,
    reads_plates: bool,
    is_camera: bool,
    speed_camera: bool,
    surveillance: bool,
    enforcement: str | None,
) -> What:
    types = words(stated_type or "")
    unread = ";".join(word for word in types if word not in TYPES) or None
    found = [TYPES[word] for word in types if word in TYPES]
    if not types and not is_camera:
        found = [TYPES[word] for word in words(watched or "") if word in TYPES]
    enforced, purpose = _enforced(enforcement)
    if speed_camera:
        return What(enforced or "speed", None, purpose or "speed enforcement", unread)
    if found and not enforced and all(kind in NOT_CAMERAS for kind in found):
        return What(None, min(found, key=NOT_CAMERAS.index), None, unread)
    hints = [TYPES.get(word, "camera") for word in words(watched or "")]
    candidates = ["alpr"] if reads_plates else []
    candidates += [*found, *([enforced] if enforced else []), *hints]
    plain = "camera" if surveillance else "other_camera"  # a device of we know not what
    kind = next((kind for kind in candidates if kind in KINDS and kind != "camera"), plain)
    return What(kind, None, purpose, unread)


def _enforced(enforcement: str | None) -> tuple[str | None, str | None]:
    """Kind and purpose of a device of enforcement; of several, speed first."""
    if not words(enforcement or ""):
        return None, None
    known = [_ENFORCED[word] for word in words(enforcement or "") if word in _ENFORCED]
    return min(known, key=lambda one: one[0] != "speed", default=_OTHER_ENFORCEMENT)


_CAPABILITIES: Final = {
    word: capability
    for capability, names in {
        "face_recognition": "face_recognition facial_recognition frt",
        "alpr": "alpr anpr lpr license_plate_recognition licence_plate_recognition "
        "number_plate_recognition",
        "audio": "audio microphone mic sound two_way_audio",
        "people_counting": "people_counting people_counter person_counting crowd_counting footfall",
        "demographics": "demographics age gender age_estimation",
        "behaviour": "behaviour behavior behaviour_detection behavior_detection behaviour_analysis "
        "behavioural_analysis violence_detection loitering_detection",
    }.items()
    for word in names.split()
}
_FEATURE_KEYS: Final = (
    "camera:features",
    "surveillance:features",
    "surveillance:capabilities",
    "camera:capabilities",
)
_YES_NO_KEYS: Final = {
    "microphone": "audio",
    "audio": "audio",
    "camera:audio": "audio",
    "camera:microphone": "audio",
    "surveillance:audio": "audio",
    "face_recognition": "face_recognition",
    "facial_recognition": "face_recognition",
    "surveillance:face_recognition": "face_recognition",
    "surveillance:facial_recognition": "face_recognition",
    "people_counting": "people_counting",
    "surveillance:people_counting": "people_counting",
}
CAPABILITY_KEYS: Final = frozenset({*_FEATURE_KEYS, *_YES_NO_KEYS})


def capabilities(tags: Mapping[str, str], kind: str | None) -> list[str] | None:
    """What the system can learn, as far as the tags state it; None where they state nothing."""
    found = {"alpr"} if kind == "alpr" else set()
    stated = words(tags.get("surveillance:type", ""))
    if not CAPABILITY_KEYS.isdisjoint(tags):
        stated += tuple(word for key in _FEATURE_KEYS for word in words(tags.get(key, "")))
        found.update(able for key, able in _YES_NO_KEYS.items() if tags.get(key) == "yes")
    found.update(_CAPABILITIES[word] for word in stated if word in _CAPABILITIES)
    return sorted(found) or None
