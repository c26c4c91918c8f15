"""What the tags of one OpenStreetMap object say about an installation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

import pyarrow as pa

from sousveil.records import OBSERVATIONS, SETTINGS
from sousveil.sources import _values, quarantine
from sousveil.sources._links import REMOVED, clean_tags
from sousveil.sources._owners import PERSON, owner_of
from sousveil.sources.osm._kinds import (
    CAPABILITY_KEYS,
    LIFECYCLE_WORDS,
    MAIN_TAGS,
    TYPES,
    Standing,
    capabilities,
    standing,
    what,
)

T = TypeVar("T")
Aside = list[tuple[str, str, str]]  # field, value, reason
Parser = Callable[[str], tuple[T | None, str | None]]

CHUNK: Final = 16384  # objects turned into one Arrow batch: bounds what Python holds


class RawObject(NamedTuple):
    """One object of a source that may be a camera, as its reader found it."""

    row: int  # 1-based ordinal among the objects of interest in the file
    native_id: str  # "node/123", "way/123", "relation/123"
    lon: float | None
    lat: float | None
    tags: dict[str, str]
    edited_on: date | None
    enforcement: str | None  # value of `enforcement` of the relation that has it as a device


class Interpreted(NamedTuple):
    """What the objects of one source say."""

    observations: pa.Table  # records.OBSERVATIONS
    quarantine: pa.Table  # records.QUARANTINE
    links_dropped: int  # links to possible live feeds


def interpret(objects: Iterable[RawObject], *, source_id: str, country: str | None) -> Interpreted:
    """Turn the objects of one OpenStreetMap source into observations.

    Each object becomes exactly one observation, or one row of the quarantine set aside whole: no
    coordinates, coordinates outside the world or exactly at 0, 0, or no tag and no enforcement
    relation that makes it a surveillance object. A value that cannot be used leaves its field
    null and goes to quarantine (``kept`` is true); the quarantine of a private home names no
    object. ``country`` (ISO 3166-1 alpha-2, or None) chooses the languages that owners are read in.
    """
    stream = iter(objects)
    batches: list[pa.RecordBatch] = []
    aside: list[dict[str, Any]] = []
    links = 0
    while chunk := list(islice(stream, CHUNK)):
        rows: list[tuple[Any, ...]] = []
        for obj in chunk:
            row, links_here, notes = _interpret_one(obj, source_id, country)
            links += links_here
            if row is not None:
                rows.append(row)
            aside += notes
        batches.append(_batch(rows))
    return Interpreted(
        pa.Table.from_batches(batches, schema=OBSERVATIONS), quarantine.table(aside), links
    )


def _batch(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else ([] for _ in OBSERVATIONS)
    arrays = [
        pa.array(column, field.type) for column, field in zip(columns, OBSERVATIONS, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=OBSERVATIONS)


def _interpret_one(
    obj: RawObject, source_id: str, country: str | None
) -> tuple[tuple[Any, ...] | None, int, list[dict[str, Any]]]:
    """The observation of one object (None if set aside whole), its links, its quarantine."""
    clean = clean_tags(obj.tags, matters=_matters)
    stands = standing(clean.tags)
    fault = _fault(obj, stands)
    if fault is not None:
        value, reason = fault
        whole = quarantine.set_aside(
            source_id=source_id, row=obj.row, value=value, reason=reason, native_id=obj.native_id
        )
        return None, clean.links, [whole]
    notes: Aside = clean.cuts
    tags = _without_prefix(clean.tags, stands.prefix)
    attributes = _observe(obj, tags, clean.tags, stands, country, notes)
    home = attributes[_PRIVATE_HOME]
    row = (f"{source_id}/{obj.native_id}", source_id, obj.native_id, *attributes)
    return (
        row,
        clean.links,
        [
            quarantine.set_aside(
                source_id=source_id,
                row=obj.row,
                field=stands.prefix + field if stands.prefix + field in clean.tags else field,
                value=value,
                reason=reason,
                native_id=None if home else obj.native_id,
            )
            for field, value, reason in notes
        ],
    )


def _fault(obj: RawObject, stands: Standing) -> tuple[str | None, str] | None:
    """Why an object cannot be an observation at all: the value and the reason."""
    if obj.lon is None or obj.lat is None:
        return None, "no coordinates"
    place = f"{obj.lon}, {obj.lat}"
    if not (math.isfinite(obj.lon) and math.isfinite(obj.lat)):
        return place, "no coordinates"
    if not (-180.0 <= obj.lon <= 180.0 and -90.0 <= obj.lat <= 90.0):
        return place, "coordinates outside the world"
    if obj.lon == 0.0 and obj.lat == 0.0:
        return place, "null island: coordinates exactly 0, 0"
    if not (stands.surveillance or stands.speed_camera) and obj.enforcement is None:
        return None, "no tag says that it is a surveillance object"
    return None


def _observe(
    obj: RawObject,
    tags: Mapping[str, str],
    said: dict[str, str],
    stands: Standing,
    country: str | None,
    notes: Aside,
) -> tuple[Any, ...]:
    """Every column of records.OBSERVATIONS after the three identifiers, in its order."""
    thing = what(tags, stands=stands, enforcement=obj.enforcement)
    if thing.unread:
        notes.append(("surveillance:type", thing.unread, "not a known type: kept as a camera"))
    owner = owner_of(tags, country=country)
    notes += [(field, value, "not a known kind of owner") for field, value in owner.unread]
    seen_on, seen_by = _seen(tags, obj.edited_on, notes)
    installed, removed = _lifetime(tags, stands.lifecycle, obj.edited_on, notes)
    housing = _housing(tags, notes)
    bearings, hfov_deg = _looks(tags, housing, notes)
    _first(tags, _TILT_KEYS, _values.tilt, notes)
    return (
        seen_on,
        seen_by,
        obj.lon,
        obj.lat,
        None,  # accuracy_m: OpenStreetMap states none
        _first(tags, ("camera:count", "count"), _values.devices, notes) or 1,
        thing.kind,
        housing,
        bearings,
        hfov_deg,
        _height(tags, notes),
        _mount(tags, notes),
        _setting(tags, notes),
        _first(tags, ("surveillance:zone",), _values.word, notes),
        owner.name,
        owner.operator_class,
        owner.rule,
        owner.private_home,
        _purpose(tags) or thing.purpose,
        capabilities(tags, thing.kind),
        _first(tags, _RESOLUTION_KEYS, _values.pixels, notes),
        _first(tags, _RETENTION_KEYS, _values.retention_days, notes),
        installed,
        removed,
        None,  # evidence_url: every link is dropped
        _raw(said, hide_names=owner.private_home),
        thing.not_camera,
        stands.lifecycle,
    )


_PRIVATE_HOME: Final = OBSERVATIONS.get_field_index("private_home") - 3

_DIRECTION_KEYS: Final = ("camera:direction", "direction")
_FOV_KEYS: Final = ("camera:hfov", "camera:fov", "camera:field_of_view")
_TILT_KEYS: Final = ("camera:angle", "camera:tilt")
_RESOLUTION_KEYS: Final = ("camera:resolution", "surveillance:resolution")
_RETENTION_KEYS: Final = (
    "surveillance:retention",
    "surveillance:retention_days",
    "camera:retention",
)
_PURPOSE_KEYS: Final = ("surveillance:purpose", "purpose", "surveillance:reason")
_CHECK_KEYS: Final = frozenset(
    {
        "check_date",
        "check_date:camera",
        "check_date:highway",
        "check_date:man_made",
        "check_date:surveillance",
        "last_checked",
        "lastcheck",
        "source:date",
        "survey:date",
        "survey_date",
    }
)
# The first word of the keys that are read: they stay where an object has too many tags.
_READ: Final = frozenset(
    key.split(":")[0]
    for key in (
        *MAIN_TAGS,
        *LIFECYCLE_WORDS,
        *CAPABILITY_KEYS,
        *_DIRECTION_KEYS,
        *_PURPOSE_KEYS,
        *_CHECK_KEYS,
        *("surveillance", "camera", "revolving", "height", "est_height", "building", "count"),
        *(
            "operator",
            "operator_type",
            "owner",
            "ownership",
            "brand",
            "manufacturer",
            "enforcement",
        ),
        *("start_date", "end_date"),
    )
)


def _matters(key: str) -> bool:
    return key.partition(":")[0] in _READ


def _without_prefix(tags: dict[str, str], prefix: str) -> dict[str, str]:
    """The tags of an object that no longer stands, read as if it did: prefixed before plain."""
    if not prefix:
        return tags
    prefixed = {
        key.removeprefix(prefix): value for key, value in tags.items() if key.startswith(prefix)
    }
    return {**tags, **prefixed}


def _first(
    tags: Mapping[str, str], keys: Iterable[str], parse: Parser[T], notes: Aside
) -> T | None:
    """The first of the keys whose value can be read; what cannot be read is noted."""
    for key in keys:
        text = tags.get(key)
        if text is None:
            continue
        value, reason = parse(text)
        if reason is not None:
            notes.append((key, text, reason))
        if value is not None:
            return value
    return None


_HOUSINGS: Final = {
    **dict.fromkeys(("fixed", "static", "bullet", "box", "turret"), "fixed"),
    **dict.fromkeys(("dome", "mini_dome", "minidome"), "dome"),
    **dict.fromkeys(("panning", "pan", "ptz", "pan_tilt_zoom", "rotating", "revolving"), "panning"),
}


def _housing(tags: Mapping[str, str], notes: Aside) -> str | None:
    text = tags.get("camera:type")
    if text is not None:
        found = {_HOUSINGS.get(word) for word in _values.words(text)}
        if len(found) == 1 and None not in found:
            return found.pop()
        several = len(found) > 1 and None not in found
        reason = "several housings" if several else "not fixed, dome or panning"
        notes.append(("camera:type", text, reason))
    return "panning" if tags.get("revolving") == "yes" else None


def _looks(
    tags: Mapping[str, str], housing: str | None, notes: Aside
) -> tuple[list[float] | None, float | None]:
    """Bearings and field of view.

    A dome or panning camera directed to exactly 360 looks all round: mappers write 0 for north
    (in real data 47 of 108 directed dome and panning cameras say 360, of 522 fixed ones none).
    """
    looks = _first(tags, _DIRECTION_KEYS, _values.directions, notes)
    stated_deg = _first(tags, _FOV_KEYS, _values.field_of_view, notes)
    if looks is None:
        return None, stated_deg
    hfov_deg = looks.hfov_deg
    if hfov_deg is None and housing in ("dome", "panning"):
        given = tags.get("camera:direction", tags.get("direction", ""))
        hfov_deg = 360.0 if given.strip().rstrip("°") == "360" else None
    return list(looks.bearings) or None, stated_deg or hfov_deg


def _height(tags: Mapping[str, str], notes: Aside) -> float | None:
    """Metres above ground; on a building ``height`` is the building's, not the camera's."""
    keys = ("camera:height",) if "building" in tags else ("camera:height", "height", "est_height")
    return _first(tags, keys, _values.height_m, notes)


_MOUNTS: Final = {
    **dict.fromkeys(("facade", "house_wall", "building_wall"), "wall"),
    **dict.fromkeys(("post", "column"), "pole"),
    **dict.fromkeys(
        ("lamp", "lamp_post", "lamppost", "lamp_pole", "streetlamp", "street_light", "lantern"),
        "street_lamp",
    ),
    **dict.fromkeys(("rooftop", "roof_top"), "roof"),
    **dict.fromkeys(("traffic_signal", "traffic_light", "traffic_lights"), "traffic_signals"),
}


def _mount(tags: Mapping[str, str], notes: Aside) -> str | None:
    mount = _first(tags, ("camera:mount",), _values.word, notes)
    return _MOUNTS.get(mount, mount) if mount else None


def _setting(tags: Mapping[str, str], notes: Aside) -> str | None:
    text = tags.get("surveillance")
    if text is None:
        return None
    stated = _values.words(text)
    found = {word for word in stated if word in SETTINGS}
    if len(found) == 1 and len(stated) == 1:
        return found.pop()
    if not stated or not TYPES.keys() >= set(stated):  # "traffic", "webcam": read elsewhere
        reason = "several values" if len(found) > 1 else "not public, outdoor or indoor"
        notes.append(("surveillance", text, reason))
    return None


def _purpose(tags: Mapping[str, str]) -> str | None:
    for key in _PURPOSE_KEYS:
        if purpose := " ".join(tags.get(key, "").replace(REMOVED, " ").split()):
            return purpose
    return None


def _seen(
    tags: Mapping[str, str], edited_on: date | None, notes: Aside
) -> tuple[date | None, str | None]:
    """The newest stated check on the ground, else the last edit, and which of the two it is."""
    checks = []
    for key in () if _CHECK_KEYS.isdisjoint(tags) else sorted(_CHECK_KEYS):
        checked = _first(tags, (key,), _values.day, notes)
        if checked is None:
            continue
        if edited_on is not None and (checked - edited_on).days > 1:
            notes.append((key, tags[key], f"after the last edit on {edited_on}"))
        else:
            checks.append(checked)
    if checks:
        return max(checks), "check"
    return edited_on, None if edited_on is None else "edit"


def _lifetime(
    tags: Mapping[str, str], lifecycle: str | None, edited_on: date | None, notes: Aside
) -> tuple[date | None, date | None]:
    """When it was installed and removed; what is not yet there may start in any year to come."""
    installed = _first(tags, ("start_date",), _values.day, notes)
    coming = lifecycle in ("planned", "construction")
    if installed and edited_on and not coming and (installed - edited_on).days > 366:
        notes.append(
            ("start_date", tags["start_date"], f"a year after the last edit on {edited_on}")
        )
        installed = None
    removed = _first(tags, ("end_date",), _values.day, notes)
    if installed and removed and removed < installed:
        notes.append(("end_date", tags["end_date"], f"before start_date {installed}"))
        removed = None
    return installed, removed


_to_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode


def _raw(said: dict[str, str], *, hide_names: bool) -> str:
    """What was said as JSON; at a private home without the names that may be a person's."""
    if hide_names:
        names = [key for key in said if not _NAMES.isdisjoint(key.split(":"))]
        said = {**said, **dict.fromkeys(names, PERSON)}
    return _to_json(said)


_NAMES: Final = frozenset({"operator", "owner", "name"})
