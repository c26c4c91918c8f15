"""The words and numbers of the report: what the vocabularies mean, how figures are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sousveil._words import MONTHS as MONTHS
from sousveil._words import day as day
from sousveil._words import listed as listed
from sousveil._words import plural as plural

KINDS: Final = {
    "camera": "Surveillance camera",
    "alpr": "Number-plate reader",
    "speed": "Speed camera",
    "red_light": "Red-light camera",
    "traffic": "Traffic camera",
    "other_camera": "Other camera",
    "unknown": "Not recorded",
}
OWNERS: Final = {"public": "Public body", "private": "Private", "unknown": "Not recorded"}
SETTINGS: Final = {
    "public": "Public space",
    "outdoor": "Tagged outdoor",
    "indoor": "Indoors",
    "unknown": "Not recorded",
}
HOUSINGS: Final = {
    "fixed": "Fixed",
    "dome": "Dome",
    "panning": "Panning",
    "unknown": "Not recorded",
}
NOT_CAMERAS: Final = {
    "guard": "guards",
    "gunshot_detector": "gunshot detectors",
    "other_sensor": "other sensors",
}
LIFECYCLES: Final = {
    "planned": "planned",
    "construction": "under construction",
    "disused": "out of use",
    "removed": "removed",
}
ATTRIBUTES: Final = {
    "kind": "Kind",
    "housing": "Housing",
    "bearings": "Direction",
    "hfov_deg": "Field of view",
    "height_m": "Height",
    "mount": "Mount",
    "setting": "Setting",
    "zone": "Zone",
    "operator": "Name of the operator",
    "operator_class": "Public or private",
    "purpose": "Purpose",
    "capabilities": "Capabilities",
    "pixels_h": "Resolution",
    "retention_days": "Days kept",
    "installed": "Date installed",
    "last_seen": "Last check or edit",
}
AGES: Final = {
    "under 1 year": "Under 1 year",
    "1 to 2 years": "1 to 2 years",
    "2 to 5 years": "2 to 5 years",
    "5 to 10 years": "5 to 10 years",
    "10 years or more": "10 years or more",
    "later": "Touched after that day",
    "unknown": "Not recorded",
}
LICENCES: Final = {
    "ODbL-1.0": "Open Database License 1.0 (ODbL)",
    "CC-BY-4.0": "Creative Commons Attribution 4.0 (CC BY)",
}


def label(value: str, labels: Mapping[str, str] | None = None) -> str:
    """Return how a value of a vocabulary, or a free OpenStreetMap value, is written for people."""
    if labels and value in labels:
        return labels[value]
    if value == "unknown":
        return "Not recorded"
    words = value.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def number(value: float) -> str:
    """Return a number as it stands in a sentence: two significant digits, whole from 10 on."""
    if value == int(value) or abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 1 else f"{value:.2g}"


def precise(value: float) -> str:
    """Return a number as it stands in a table: at least four significant digits."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def percent(part: float, whole: float) -> str:
    """Return a share in whole per cent; never 0% for some nor 100% for less than all."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "under 1%"
    if 99 < share < 100:
        return "over 99%"
    return f"{share:.0f}%"


def of_all(part: int, whole: int) -> str:
    """Return a count with its share: ``87 (41%)``."""
    return f"{part:,} ({percent(part, whole)})"
