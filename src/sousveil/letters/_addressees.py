"""Who a letter goes to: a name or only a description, and whether it is a competent authority."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

from sousveil.letters import _words
from sousveil.sources._values import fold

_ANYBODY: Final = "operator"  # the kind of words that say nothing but that somebody runs it
_LONGEST: Final = 4


class Authority(NamedTuple):
    """A competent authority of Directive (EU) 2016/680, and the rule that found it."""

    kind: str  # police | customs | prosecutor | prison
    rule: str
    sure: bool  # whether the sources call it public


def description(name: str) -> str | None:
    """Return the kind (of words.toml) that a value describes, None where it is a name.

    A value is a description if all its words are generic ones, in whatever languages, and all of
    them of one kind: "hotel", "the private bank" and "Polizei" are none of anybody's names; "City
    Hotel", "Bundespolizei" and "Hotel Adler" are.
    """
    kinds: set[str] | None = None
    for phrase in _phrases(_split(name)):
        found = _generic().get(phrase)
        if found is None:
            return None
        if found != {_ANYBODY}:
            kinds = found if kinds is None else kinds & found
    if kinds is None:
        return _ANYBODY
    return min(kinds, default=None)


def authority(name: str, operator_class: str) -> Authority | None:
    """Return what authority a name speaks of; one that the sources call private is none."""
    if operator_class == "private":
        return None
    text = " ".join(_all_words(name))
    for kind, language, word, pattern in _authorities():
        if pattern.search(text):
            sure = operator_class == "public"
            owner = "a public body" if sure else "neither public nor private"
            rule = f"“{word}” ({language}) is a word for {kind}; the sources call it {owner}"
            return Authority(kind, rule, sure)
    return None


def matches(name: str, words: list[str]) -> bool:
    """Return whether one of some words of laws.toml stands in a name."""
    text = " ".join(_all_words(name))
    return any(_pattern(word).search(text) for word in words)


def bare(text: str) -> str:
    """Return a value of the sources in one line and without [brackets], which mean a gap here."""
    return " ".join(text.split()).replace("[", "(").replace("]", ")")


def _all_words(text: str) -> list[str]:
    return [word for word in re.split(r"[\W_]+", fold(text)) if word]


def _split(text: str) -> tuple[str, ...]:
    return tuple(word for word in _all_words(text) if word not in _small())


def _phrases(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the longest known phrases from the left, an unknown word alone."""
    at = 0
    while at < len(words):
        lengths = range(min(_LONGEST, len(words) - at), 0, -1)
        size = next((n for n in lengths if words[at : at + n] in _generic()), 1)
        yield words[at : at + size]
        at += size


@cache
def _small() -> frozenset[str]:
    return frozenset(
        fold(word) for language in _words.languages() for word in _words.words_of(language)["small"]
    )


@cache
def _generic() -> dict[tuple[str, ...], set[str]]:
    found: dict[tuple[str, ...], set[str]] = {}
    for language in _words.languages():
        for kind, (_, *values) in _words.words_of(language)["generic"].items():
            for value in values:
                found.setdefault(_split(value), set()).add(kind)
    return found


@cache
def _authorities() -> list[tuple[str, str, str, re.Pattern[str]]]:
    return [
        (kind, language, word, _pattern(word))
        for kind, languages in _words.authorities().items()
        for language, words in languages.items()
        for word in words
    ]


@cache
def _pattern(word: str) -> re.Pattern[str]:
    plain = re.escape(fold(word)).replace(r"\*", r"\w*").replace(r"\ ", " ")
    return re.compile(rf"(?<!\w){plain}(?!\w)")
