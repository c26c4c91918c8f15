"""What a request for access rests on: the law of the country, for an authority that of its kind."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from sousveil.letters import _addressees, _words

DELIVERY: Final = timedelta(days=7)


class Ground(NamedTuple):
    """The law of one request. within: the deadline in words, None for "without undue delay"."""

    law: str  # gdpr | uk | plain
    enforcement: bool  # whether it rests on the law of competent authorities
    basis: str
    regulation: str  # what the GDPR is called there
    authority: str  # to complain to
    indirect: str  # who exercises the right where it is refused; "" without enforcement
    indirect_in_english: str  # the same, for the index
    deadline: str | None  # as laws.toml has it
    within: str | None
    remind_on: date  # before it no answer is overdue
    rule: str | None  # why the operator is taken for a competent authority; None: it is not
    is_sure: bool  # whether nothing speaks against that rule
    note: str | None
    checked: str | None  # what was read of the provision


def ground_of(
    name: str, operator_class: str, law: dict[str, Any], language: str, on: date
) -> Ground:
    """Return the ground for an operator. law: the row of laws.toml for its country."""
    words = _words.words_of(language)
    found = _addressees.authority(name, operator_class)
    police = law.get("police")
    kind = law["law"]
    usual = Ground(
        law=kind,
        enforcement=False,
        basis=words["basis"][kind],
        regulation=words["regulation"]["uk" if kind == "uk" else "gdpr"],
        authority=law.get("authority") or words["none"],
        indirect="",
        indirect_in_english="",
        deadline=None if kind == "plain" else "1 month",
        within=None if kind == "plain" else words["within"]["month"],
        remind_on=reminder(on),
        rule=found and found.rule,
        is_sure=found is None or found.sure,
        note=None,
        checked=None,
    )
    if found is None or police is None:
        return usual
    federal = _addressees.matches(name, police.get("federal", []))
    provision = police["federal_law"] if federal else police["law"]
    within, remind_on = _deadline(police.get("deadline"), words, on)
    return usual._replace(
        enforcement=True,
        basis=words["basis"]["police_uk" if kind == "uk" else "police"].format(law=provision),
        authority=police["federal_authority"] if federal else usual.authority,
        indirect=_indirect(law, federal=federal),
        indirect_in_english=_indirect(_words.worded(law, "en"), federal=federal),
        deadline=police.get("deadline"),
        within=within,
        remind_on=remind_on,
        note=police.get("note"),
        checked=police.get("checked"),
    )


def _indirect(law: dict[str, Any], *, federal: bool) -> str:
    through: str = law["police"]["federal_authority" if federal else "indirect"]
    return through


def _deadline(stated: str | None, words: dict[str, Any], on: date) -> tuple[str | None, date]:
    """Return a deadline in words, and from when to remind; a month where the law states none."""
    if stated is None:
        return None, reminder(on)
    number, unit = stated.split()
    if unit == "month":
        return words["within"]["month"], reminder(on)
    return words["within"]["days"].format(n=number), reminder(on, int(number))


def reminder(on: date, days: int | None = None) -> date:
    """Return from when an answer to a letter of a day is overdue; by default after a month.

    A deadline runs from the receipt, which is not known: a week is left for delivery.
    """
    due = month_later(on) if days is None else on + timedelta(days=days)
    return due + DELIVERY


def month_later(day: date) -> date:
    """Return the same day of the next month, or its last one."""
    month = day.month % 12 + 1
    year = day.year + day.month // 12
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
