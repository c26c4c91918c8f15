"""Who runs a camera: public, private or unknown, by stated rules, and whether it guards a home.

The words that decide are data: ``owners.toml``, by language and country. The rules are tried in
the order of RULES, and the first that decides gives its name to the answer.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple

from sousveil.sources._country import languages_of
from sousveil.sources._values import fold

RULES: Final[dict[str, str]] = {
    "operator_type": "operator:type says so",
    "owner_type": "owner:type says so",
    "ownership": "ownership says so",
    "operator_name": "a word of the operator's name says so (police, city of, GmbH, hotel...)",
    "owner_name": "a word of the owner's name says so",
    "private_home": "a home, a person or a doorbell is stated, and no public operator",
    "zone": "what it watches belongs to its operator (a bank, a shop, a police station)",
    "name_conflict": "the operator's or owner's name speaks for both, so for neither",
    "maker_name": "only the maker or supplier is named, who serves public and private alike",
    "none": "nothing is stated that would tell",
}
PERSON: Final = "[private person]"


class Owner(NamedTuple):
    """What the tags say about who runs a camera."""

    name: str | None  # of an organisation, never of a person: None at a private home
    operator_class: str  # records.OPERATOR_CLASSES
    rule: str  # a key of RULES
    private_home: bool
    unread: tuple[tuple[str, str], ...]  # (field, value) of a stated class that is no known word


def owner_of(tags: Mapping[str, str], *, country: str | None) -> Owner:
    """Decide who runs the camera with these tags, in the languages of ``country``.

    ``country`` is an ISO 3166-1 alpha-2 code, or None where English alone is read. Public is an
    authority or a body in public ownership with a public task; private is everyone else.
    A private home is stated by a person as operator, or, where no type or name decides
    otherwise, by the zone (house, garden...), a doorbell or a brand sold for homes.
    """
    return _owner(tuple(map(tags.get, _KEYS)), country)


_KEYS: Final = (
    "operator:type",
    "operator_type",
    "owner:type",
    "ownership",
    "operator",
    "owner",
    "surveillance:zone",
    "camera:mount",
    "brand",
    "manufacturer",
)
_STATED: Final = {
    "operator:type": "operator_type",
    "operator_type": "operator_type",
    "owner:type": "owner_type",
    "ownership": "ownership",
}
_NAMED: Final = {"operator": "operator_name", "owner": "owner_name"}


@lru_cache(maxsize=65536)
def _owner(values: tuple[str | None, ...], country: str | None) -> Owner:
    stated = {key: value for key, value in zip(_KEYS, values, strict=True) if value}
    verdicts: list[tuple[str, str]] = []  # (rule, public | private | person | conflict | maker)
    unread: list[tuple[str, str]] = []
    name: str | None = None
    for key, rule in _STATED.items():
        if key in stated:
            verdict = _stated_class(stated[key])
            if verdict is None:
                unread.append((key, stated[key]))
            elif verdict != "neither":
                verdicts.append((rule, verdict))
    for key, rule in _NAMED.items():
        if key in stated:
            verdict, is_name = _class_of_name(stated[key], country)
            name = name or (_as_name(stated[key]) if is_name else None)
            if verdict:
                verdicts.append((rule, verdict))
    operator_class, rule, home = _first_rule(verdicts, stated)
    shown = None if home else name  # whoever is named at a home may be a person
    return Owner(shown, operator_class, rule, home, tuple(unread))


def _first_rule(
    verdicts: list[tuple[str, str]], stated: Mapping[str, str]
) -> tuple[str, str, bool]:
    """Class, rule and private home: stated types and names first, then home, then zone."""
    zones = {_plain(zone) for zone in _split(stated.get("surveillance:zone", ""))}
    at_home = _is_home(zones, stated)
    person = any(verdict == "person" for _, verdict in verdicts)
    for rule, verdict in verdicts:
        if verdict == "public":
            return "public", rule, False
        if verdict == "private":
            return "private", rule, person or (at_home and rule not in _NAMED.values())
        if verdict == "person":
            return "private", rule, True
    if at_home:
        return "private", "private_home", True
    words = _book()["zones"]
    public, private = not zones.isdisjoint(words["public"]), not zones.isdisjoint(words["private"])
    if public != private:
        return ("public" if public else "private"), "zone", False
    undecided = {verdict for _, verdict in verdicts}
    if "conflict" in undecided:
        return "unknown", "name_conflict", False
    return "unknown", "maker_name" if "maker" in undecided else "none", False


def _is_home(zones: set[str], stated: Mapping[str, str]) -> bool:
    if not zones.isdisjoint(_book()["zones"]["home"]):
        return True
    if "doorbell" in stated.get("camera:mount", "").lower():
        return True
    brands = {_plain(stated[key]) for key in ("brand", "manufacturer", "operator") if key in stated}
    return not brands.isdisjoint(_book()["brands"]["home"])


def _stated_class(value: str) -> str | None:
    """The class that ``operator:type`` and its like state; several must agree."""
    found = {_lookup("stated", _plain(part)) for part in _split(value)}
    if None in found or not found:
        return None
    return found.pop() if len(found) == 1 else "neither"


def _class_of_name(value: str, country: str | None) -> tuple[str | None, bool]:
    """The verdict on the name of an operator or owner, and whether it is a name to show."""
    generic = _lookup("generic", _plain(value))
    if generic or not _plain(value):
        return (None if generic == "unknown" else generic), False
    if _plain(value) in _book()["brands"]["home"]:
        return None, True
    verdict = _verdict(value, country)
    return verdict, verdict != "person"


def _verdict(name: str, country: str | None) -> str | None:
    """What the words of a name say; a part for each side of " - ", " / ", ";" and brackets."""
    words = _words(country)
    found: set[str] = set()
    for part in _PARTS.split(name):
        found.update(_verdicts(_plain(part), words))
    if {"public", "private"} <= found:
        return "conflict"
    return next((v for v in ("public", "private", "person", "maker") if v in found), None)


def _verdicts(part: str, words: Mapping[str, re.Pattern[str]]) -> set[str]:
    """What one part of a name says: any of public, private, person, maker."""
    if words["makers"].search(part):
        return {"maker"}
    if words["heads"].search(part):
        return {"public"}
    rest = words["bodies"].sub(" ", part)
    says = {verdict for verdict in ("public", "private") if words[verdict].search(rest)}
    if rest != part:
        says.add("public")
    if words["persons"].search(part):
        says.add("person")
    if "public" not in says and words["forms"].search(rest):
        says.add("private")
    return says


_PARTS = re.compile(r"\s+[-–—/]\s+|(?<=\w\w)/(?=\w\w)|[;|()\[\]]")


def _split(value: str) -> list[str]:
    return [part for part in re.split(r"[;,|]", value) if part.strip()]


def _as_name(value: str) -> str | None:
    """The name to show: without removed links and doubled spaces, None if nothing is left."""
    return " ".join(value.replace("[link removed]", " ").split()) or None


def _plain(text: str) -> str:
    """Folded words with single spaces: "S.p.A." is "spa", "Lowe's" is "lowes"."""
    plain = re.sub(r"['’`´]s\b", "s", fold(text))
    plain = re.sub(r"\b(\w)\.(?=\w\b)|\b(\w)\.(?=\W|$)", r"\1\2", plain)
    return " ".join(re.split(r"[\W_]+", plain)).strip()


@cache
def _book() -> dict[str, Any]:
    text = resources.files("sousveil.sources").joinpath("owners.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _tables() -> dict[str, dict[str, str]]:
    return {
        table: {
            word: verdict
            for verdict, words in _book()[table].items()
            for word in map(_plain, words)
        }
        for table in ("stated", "generic")
    }


def _lookup(table: str, word: str) -> str | None:
    return _tables()[table].get(word)


@cache
def _words(country: str | None) -> dict[str, re.Pattern[str]]:
    """One pattern for each kind of word, for the languages spoken in a country."""
    book = _book()
    spoken = [book["language"][code] for code in languages_of(country) if code in book["language"]]

    def of(kind: str) -> list[str]:
        return [word for words in spoken for word in words.get(kind, ())]

    bodies = [*of("bodies"), *book["country"].get(country, {}).get("public", ())]
    return {
        "heads": _pattern(of("heads")),
        "bodies": _pattern(bodies),
        "public": _pattern(of("public")),
        "private": _pattern([*of("private"), *book["brands"]["private"]]),
        "persons": _pattern(of("persons")),
        "makers": _pattern(book["brands"]["makers"]),
        "forms": _pattern([*of("forms"), *book["everywhere"]["forms"]]),
    }


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(_expression, dict.fromkeys(words))) or r"(?!)")


def _expression(word: str) -> str:
    """The regular expression for one word of owners.toml, see the top of that file."""
    core = word.removeprefix("^").removesuffix("$")
    body = r"\w*".join(re.escape(fold(piece)) for piece in core.split("*"))
    edge = ("", "") if _UNSPACED.search(core) else (r"(?<!\w)", r"(?!\w)")
    return ("^" if word[0] == "^" else edge[0]) + body + ("$" if word[-1] == "$" else edge[1])


_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
