"""The laws by country, the shared words by language, and the templates of the letters."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2

_ELSEWHERE: Final = {"law": "plain", "language": "en"}


@cache
def _table(name: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tomllib.loads(text)


def law_of(country: str | None) -> dict[str, Any]:
    """Return the row of laws.toml for a country (ISO 3166-1 alpha-2), a plain one elsewhere."""
    found: dict[str, Any] = _table("laws.toml").get(country or "", _ELSEWHERE)
    return found


def worded(law: dict[str, Any], language: str) -> dict[str, Any]:
    """Return a row of laws.toml for letters in a language: its English wording for a foreign one.

    A German provision inside an English sentence would be read by nobody.
    """
    english = law.get("en")
    if english is None or language == law["language"]:
        return law
    police = {"police": law["police"] | english["police"]} if "police" in english else {}
    worded: dict[str, Any] = law | english | police
    return worded


def words_of(language: str) -> dict[str, Any]:
    """Return the words of a language."""
    found: dict[str, Any] = _table("words.toml")[language]
    return found


def languages() -> list[str]:
    """Return the languages that there are words for."""
    return list(_table("words.toml"))


def authorities() -> dict[str, dict[str, list[str]]]:
    """Return the words for competent authorities, by kind and language."""
    return _table("authorities.toml")


def day(when: date, language: str) -> str:
    """Return a day as the language writes it: 5 May 2024, 5. Mai 2024, 1er mai 2024."""
    words = words_of(language)
    form: str = words["date_first" if when.day == 1 else "date"]
    return form.format(day=when.day, month=words["months"][when.month - 1], year=when.year)


@cache
def _environment() -> jinja2.Environment:
    # The letters are text, not HTML: nothing is to be escaped in it.
    return jinja2.Environment(
        loader=jinja2.PackageLoader(str(__package__)),
        autoescape=False,  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def template(kind: str, language: str) -> jinja2.Template:
    """Return the template of a kind of letter (access, records) in a language."""
    return _environment().get_template(f"{kind}.{language}.md.jinja")
