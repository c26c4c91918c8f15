"""The page that stands before the letters: what to send first, and what to do if nobody answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sousveil.letters import _words

if TYPE_CHECKING:
    from sousveil.letters import Letter


def render(made: list[Letter], told: dict[str, Any], on: date) -> str:
    """Return the page as Markdown. told: the JSON object of the letters."""
    tells = _TELLS["ways" if told["kind"] == "ways" else "track"]
    parts = [
        _WHAT.format(day=_words.day(on, "en"), tells=tells),
        _counts(made, told),
        _access(made, told, on),
    ]
    parts += [_records(made, told), _authorities(made), _missing(told), _ignored(made, told)]
    return "\n".join(part for part in parts if part)


_WHAT = """# Letters of {day}

**These pages are yours alone.** {tells} They were made on this machine
and sent to nobody; keep them, or delete them.

**No legal advice.** The letters are drafts made by a program. Languages other than English have not
been checked by native speakers, nor any of them by a lawyer. Read a letter, fill in what stands in
[brackets], take out what does not fit, and only then send it. Whether a camera recorded you is
not known: the letters ask.
"""

_TELLS = {
    "track": "They say where you were and when.",
    "ways": "They say which way you mean to take.",
}


def _counts(made: list[Letter], told: dict[str, Any]) -> str:
    gaps = sum(len(one.to_fill_in) for one in made)
    lines = [
        "Operators that a source names or describes, as the report counts them: "
        f"{told['named_operators']}. "
        f"Letters: {len(told['access'])} for access, {len(told['records'])} for records, with "
        f"{gaps} [brackets] to fill in."
    ]
    if told["descriptions"]:
        names = ", ".join(f"“{_cell(name)}”" for name in sorted(told["descriptions"]))
        lines.append(
            f"Of {told['described_operators']} the sources have a description and no name "
            f"({names}): there is a letter for each site, and the name is yours to fill in."
        )
    return "\n".join([*lines, ""])


def _access(made: list[Letter], told: dict[str, Any], on: date) -> str:
    rows = [one for one in made if one.kind == "access"]
    if not rows:
        return f"There is no request for access: {told['no_access']}.\n"
    lines = ["## Send these first: requests for access", "",
             "Sorted by the day from which recordings may be gone.", "",
             "| recordings may be gone | how that is known | operator in the sources | letter | "
             "to fill in | contact | remind from |",
             "| --- | --- | --- | --- | --- | --- | --- |"]  # fmt: skip
    for one in rows:
        known = "stated" if one.retention_is_stated else "not stated: 72 hours assumed"
        lines.append(
            f"| {_when(one.send_by, on)} | {known} | {_cell(one.operator)} | {one.name} | "
            f"{len(one.to_fill_in)} | {_cell(', '.join(one.contact.values()) or 'not known')} | "
            f"{_words.day(one.remind_on, 'en')} |"
        )
    return "\n".join([*lines, "", _REMIND, ""])


_REMIND = (
    "A deadline runs from the day on which a letter arrives. “Remind from” is the end of the "
    "deadline plus a week for delivery, if you send the letter on its day; before it no answer is "
    "overdue."
)


def _when(day: date | None, on: date) -> str:
    if day is None:
        return ""
    told = _words.day(day, "en")
    if day < on:
        return f"{told}, already past: ask all the same, some keep them longer"
    return f"**{told}, urgent**" if (day - on).days <= 7 else told


def _records(made: list[Letter], told: dict[str, Any]) -> str:
    rows = [one for one in made if one.kind == "records"]
    if not rows:
        return ""
    lines = [
        "## Requests for records of public bodies",
        "",
        "Anybody may send these, at any time.",
        "",
    ]
    lines += [
        f"- {one.operator}: {one.name}, {len(one.to_fill_in)} to fill in, remind from "
        f"{_words.day(one.remind_on, 'en')}"
        for one in rows
    ]
    note = _words.law_of(told["country"]).get("records_note")
    return "\n".join([*lines, "", *([note, ""] if note else [])])


def _authorities(made: list[Letter]) -> str:
    """Return what to look at in requests to police and the like: which law holds is not plain."""
    rows = [one for one in made if one.kind == "access" and one.ground.rule]
    if not rows:
        return ""
    lines = ["## Police and other competent authorities", "", _TWO_LAWS, ""]
    for one in rows:
        ground = one.ground
        lines.append(f"- **{one.operator}** ({one.name}): {ground.rule}.")
        if not ground.is_sure:
            lines.append("  - Uncertain: it may be no authority at all. Check before you send it.")
        if not ground.enforcement:
            lines.append("  - No law on authorities is known here for this country: the letter "
                         "leaves the law to you.")  # fmt: skip
            continue
        lines += [
            f"  - The letter rests on: {ground.basis}.",
            f"  - Read of it: {ground.checked}." if ground.checked
            else "  - This law was not looked up: check it before you send the letter.",
            "  - Deadline: without undue delay"
            + (
                f", at the latest within {ground.deadline}."
                if ground.deadline
                else "; the law states no other as far as we know, and the letter asks for a month."
            ),
            "  - If it is refused, the right can be exercised through: "
            f"{ground.indirect_in_english} (Article 17 of the directive, or a law of the country).",
        ]  # fmt: skip
        if ground.note:
            lines.append(f"  - {ground.note}")
    return "\n".join([*lines, ""])


_TWO_LAWS = (
    "Which law holds depends on what a camera is for. For the prevention and prosecution of crime "
    "it is a national law (in the EU under Directive (EU) 2016/680, in the United Kingdom Part 3 "
    "of the Data Protection Act 2018), with more grounds for refusal; for a camera that guards the "
    "authority's own door it is the GDPR. From outside one cannot tell, so the letters name both, "
    "the national law first. The same is true of a town whose cameras the police uses: the letter "
    "to the town rests on the GDPR. No lawyer has checked this."
)


def _missing(told: dict[str, Any]) -> str:
    lines: list[str] = []
    if told["without_contact"]:
        lines += ["## Operators without a contact", "",
                  "No source says how to reach them, and none was made up. The sign at the camera, "
                  "or their web site, should.", ""]  # fmt: skip
        lines += [f"- {name}" for name in told["without_contact"]] + [""]
    unknown = told["unknown_operator"]
    if unknown["cameras"]:
        lines += ["## Cameras whose operator no source names", "",
                  "A sign there should say who is responsible (in the EU: Article 13 GDPR). With "
                  "that name, any of the letters can be filled in.", ""]  # fmt: skip
        lines += [
            f"- {row['where']}" + (f", {row['when']}" if row["when"] else "")
            for row in unknown["places"]
        ] + [""]
    if told["private_homes"]:
        lines += [f"Cameras of private homes on the way: {told['private_homes']}. They are counted "
                  "and not listed, and no letter goes to them.", ""]  # fmt: skip
    return "\n".join(lines)


def _ignored(made: list[Letter], told: dict[str, Any]) -> str:
    law = _words.worded(_words.law_of(told["country"]), "en")
    authority = law.get("authority") or _words.words_of("en")["none"]
    lines = ["## If nobody answers", ""]
    if law["law"] == "plain":
        lines.append(
            f"Write once more with a deadline of two weeks, then complain to {authority}, or ask "
            "an organisation for digital rights."
        )
    else:
        lines.append(
            "An answer is due within one month of receipt; it may be extended by two months if the "
            "operator tells you why within the first (Article 12(3)). After that, write once more "
            f"with a deadline of two weeks, then complain to {authority} (Article 77; it costs "
            "nothing), or go to court (Article 79)."
        )
    if any(one.kind == "records" for one in made):
        lines.append(
            "For records: ask for a review or for the mediation that the law there provides, named "
            "in the refusal."
        )
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
