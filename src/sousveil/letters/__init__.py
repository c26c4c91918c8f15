"""Letters: to ask operators for recordings of oneself, and public bodies about their cameras.

Drafts in the language of the country, as text, Markdown and PDF, from templates that a lawyer can
read and change (templates/, words.toml, laws.toml). No legal advice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from sousveil._output import complete_directory
from sousveil.errors import UnusableInput
from sousveil.export import write_json
from sousveil.letters import _addressees, _index, _pages, _places, _words
from sousveil.letters._grounds import Ground, ground_of, reminder

__all__ = ["LANGUAGES", "Letter", "described", "drafts", "letters", "said", "write_letters"]

Progress = Callable[[str], None]

LANGUAGES: Final = ("en", "de", "fr", "it", "es", "pt", "fi")

ASSUMED_RETENTION_DAYS: Final = 3.0
"""Taken where nobody says how long recordings are kept: the EDPB's guidelines 3/2019 on video
devices (paragraph 121) call for a justification of anything beyond 72 hours."""

MARKER: Final = "letters.json"


_PLACEHOLDER: Final = re.compile(r"\[[^\[\]\n]*\]")


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One draft.

    send_by: when the first of the recordings may be deleted; None for records.
    remind_on: from when an answer is overdue, if the letter is sent on its day.
    """

    name: str  # of its files, without ending
    kind: str  # access | records
    operator: str  # as the sources have it
    addressee: str  # the same, or [brackets] where that is a description and no name
    description: str | None  # the kind that it describes, None for a name
    language: str
    ground: Ground
    contact: dict[str, str]
    send_by: date | None
    remind_on: date
    retention_is_stated: bool
    markdown: str

    @property
    def to_fill_in(self) -> list[str]:
        """What stands in [brackets], below the line on top that says what the letter is."""
        _, _, text = self.markdown.partition("\n")
        return _PLACEHOLDER.findall(text)


def letters(
    exposure: str | Path,
    directory: str | Path,
    *,
    language: str | None = None,
    on: date | None = None,
    pdf: bool = True,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Write the letters for an exposure to a directory of the user's own, all of them or none.

    exposure: the directory that `exposure` wrote. language: one of LANGUAGES; by default that of
    the country. on: the day of the letters; by default today. pdf: also as PDF.
    Returns the JSON object of the command.
    Raises UnusableInput for a directory that holds no exposure, or an unknown language.
    """
    source = Path(exposure)
    try:
        summary = json.loads((source / "exposure.json").read_text(encoding="utf-8"))
        passes = pq.read_table(source / "exposure.parquet")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UnusableInput(
            f"{source}: holds no result of sousveil exposure; run that first and name its directory"
        ) from error
    if "named_operators" not in summary or "near_street" not in passes.column_names:
        raise UnusableInput(f"{source}: made by an earlier Sousveil; run sousveil exposure again")
    _check_language(language)
    progress("Writing the letters")
    with complete_directory(Path(directory), marker=MARKER) as folder:
        told = write_letters(summary, passes, folder, language=language, on=on, pdf=pdf)
    files = {name: str(Path(directory) / file) for name, file in told["files"].items()}
    return told | {"files": files}


def write_letters(
    summary: dict[str, Any],
    passes: pa.Table,
    folder: Path,
    *,
    language: str | None = None,
    on: date | None = None,
    pdf: bool = True,
) -> dict[str, Any]:
    """Write letters, index and letters.json into a folder; parameters as in `letters`.

    summary: the JSON object of an exposure; passes: its records.PASSES.
    """
    _check_language(language)
    on = on or date.today()
    made = drafts(summary, passes, language=language, on=on)
    folder.mkdir(parents=True, exist_ok=True)
    for letter in made:
        (folder / f"{letter.name}.md").write_text(letter.markdown, encoding="utf-8")
        (folder / f"{letter.name}.txt").write_text(_pages.plain(letter.markdown), encoding="utf-8")
        if pdf:
            page = _pages.pdf(letter.markdown, language=letter.language)
            (folder / f"{letter.name}.pdf").write_bytes(page)
    told = _told(made, summary, passes, on)
    (folder / "index.md").write_text(_index.render(made, told, on), encoding="utf-8")
    write_json(told, folder / MARKER)
    return told


def drafts(
    summary: dict[str, Any], passes: pa.Table, *, language: str | None = None, on: date
) -> list[Letter]:
    """Return the letters, the most urgent first, then the requests for records.

    One request for access for each operator that is named, where the track says when; one request
    for records for each public body. Where the sources only describe an operator ("hotel"), one
    for each site. Nobody's private home gets a letter.
    """
    law = _words.law_of(summary.get("country"))
    language = language or (law["language"] if law["language"] in LANGUAGES else "en")
    law = _words.worded(law, language)
    may_ask = no_access(summary, on) is None
    access: list[Letter] = []
    records: list[Letter] = []
    for operator in summary["operators"]:
        if not operator["named"]:
            continue
        for addressed in _addressed(operator, passes, law, language, on):
            if may_ask:
                access.append(_access(addressed, summary["track"]["timezone"]))
            if operator["operator_class"] == "public":
                records.append(_records(addressed, law))
    access.sort(key=lambda one: (one.send_by or date.max, one.operator))
    return _numbered([*access, *records])


def no_access(summary: dict[str, Any], on: date) -> str | None:
    """Return why a day's letters hold no request for access whoever runs the cameras, or None."""
    if summary["kind"] == "ways":
        return "the way is a planned one, and nobody can have recorded you on it yet"
    track = summary["track"]
    if not track["has_times"]:
        return "the track has no times, so no recording can be named"
    start = track.get("start")
    if start is not None and datetime.fromisoformat(start).date() > on:
        walked = _words.day(datetime.fromisoformat(start).date(), "en")
        return (
            f"the way begins on {walked}, after the day of the letters ({_words.day(on, 'en')}), "
            "and nothing of it can be recorded yet"
        )
    return None


def said(told: dict[str, Any]) -> list[str]:
    """Return how many letters there are, to whom, and why some are not, as sentences.

    told: the JSON object of the letters.
    """
    n, described = told["named_operators"], told["described_operators"]
    lines = [
        f"Requests for access: {len(told['access'])}, for records: {len(told['records'])}; "
        f"operators that sources name: {n - described}, or only describe: {described}."
    ]
    if told["no_access"]:
        lines.append(f"There is no request for access: {told['no_access']}.")
    gaps = sum(len(one["to_fill_in"]) for one in (*told["access"], *told["records"]))
    if gaps:
        lines.append(
            f"They are drafts, with {gaps} [brackets] to fill in: read them before you send them."
        )
    return lines


@dataclass(frozen=True, kw_only=True)
class _Addressed:
    """An operator at the places that one letter is about."""

    operator: dict[str, Any]
    places: list[_places.Seen]
    addressee: str
    description: str | None
    contact: dict[str, str]
    ground: Ground
    language: str
    on: date

    def told(self) -> dict[str, Any]:
        """Return what all templates may use."""
        words = _words.words_of(self.language)
        contact = [_addressees.bare(value) for value in self.contact.values()]
        return {
            "draft": words["draft"],
            "operator": self.addressee,
            "contact": "\n".join(contact) or words["address"],
            "date": _words.day(self.on, self.language),
            "law": self.ground.law,
            "enforcement": self.ground.enforcement,
            "authority": self.ground.authority,
        }


def _addressed(
    operator: dict[str, Any], passes: pa.Table, law: dict[str, Any], language: str, on: date
) -> list[_Addressed]:
    """Return the letters' subjects for an operator: one, or one a site where it has no name."""
    name = operator["operator"]
    seen = _places.of_operator(passes, operator)
    described = _addressees.description(name)
    sites = [seen] if described is None else _places.sites(seen)
    words = _words.words_of(language)
    found = []
    for places in filter(None, sites):
        addressee = _addressees.bare(name)
        if described is not None:
            addressee = words["name_of"].format(
                what=words["generic"][described][0], place=_places.where(places[0], language)
            )
        found.append(
            _Addressed(
                operator=operator,
                places=places,
                addressee=addressee,
                description=described,
                # Which of several hotels a contact belongs to is not known.
                contact=operator["contact"] if len(sites) == 1 else {},
                ground=ground_of(name, operator["operator_class"], law, language, on),
                language=language,
                on=on,
            )
        )
    return found


def _access(addressed: _Addressed, timezone: str) -> Letter:
    ground, language = addressed.ground, addressed.language
    kept_days = addressed.operator["retention_days"]
    if kept_days is None:
        kept_days = ASSUMED_RETENTION_DAYS
    text = _words.template("access", language).render(
        addressed.told(),
        places=_places.lines(addressed.places, timezone, language, with_times=True),
        timezone=timezone,
        basis=ground.basis,
        regulation=ground.regulation,
        within=ground.within,
        indirect=ground.indirect,
    )
    first = min(one.end for one in addressed.places if one.end is not None)
    send_by = (first + timedelta(days=kept_days)).date()
    return _letter("access", addressed, text, send_by, ground.remind_on)


def _records(addressed: _Addressed, law: dict[str, Any]) -> Letter:
    days, language = law.get("records_days"), addressed.language
    words = _words.words_of(language)
    text = _words.template("records", language).render(
        addressed.told(),
        places=_places.lines(addressed.places, "UTC", language, with_times=False),
        records=law.get("records") or words["records"],
        within=words["within"]["days"].format(n=days) if days else "",
    )
    return _letter("records", addressed, text, None, reminder(addressed.on, days))


def _letter(
    kind: str, addressed: _Addressed, text: str, send_by: date | None, remind_on: date
) -> Letter:
    return Letter(
        name=kind,
        kind=kind,
        operator=addressed.operator["operator"],
        addressee=addressed.addressee,
        description=addressed.description,
        language=addressed.language,
        ground=addressed.ground,
        contact=addressed.contact,
        send_by=send_by,
        remind_on=remind_on,
        retention_is_stated=addressed.operator["retention_days"] is not None,
        markdown=_pages.tidy(text),
    )


def _numbered(made: list[Letter]) -> list[Letter]:
    named = []
    for kind in ("access", "records"):
        mine = [one for one in made if one.kind == kind]
        for number, letter in enumerate(mine, start=1):
            name = f"{kind}-{number:02d}-{_slug(letter.operator)}"
            named.append(Letter(**{**letter.__dict__, "name": name}))
    return named


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:40] or "operator"


def _check_language(language: str | None) -> None:
    if language is not None and language not in LANGUAGES:
        raise UnusableInput(f"--language {language}: unknown; use one of {', '.join(LANGUAGES)}")


def _told(
    made: list[Letter], summary: dict[str, Any], passes: pa.Table, on: date
) -> dict[str, Any]:
    def entry(letter: Letter) -> dict[str, Any]:
        return {
            "name": letter.name,
            "operator": letter.operator,
            "addressee": letter.addressee,
            "description": letter.description,
            "language": letter.language,
            "law": letter.ground.law,
            "enforcement": letter.ground.enforcement,
            "enforcement_rule": letter.ground.rule,
            "basis": letter.ground.basis if letter.kind == "access" else None,
            "send_by": letter.send_by and letter.send_by.isoformat(),
            "remind_on": letter.remind_on.isoformat(),
            "retention_is_stated": letter.retention_is_stated,
            "contact": letter.contact,
            "to_fill_in": letter.to_fill_in,
        }

    vague = [o["operator"] for o in summary["operators"] if described(o["operator"])]
    homes = [o for o in summary["operators"] if o["private_homes"]]
    unknown = [o for o in summary["operators"] if not o["named"] and not o["private_homes"]]
    n_unknown = sum(o["cameras"] for o in unknown)
    return {
        "on": on.isoformat(),
        "country": summary.get("country"),
        "kind": summary["kind"],
        "named_operators": summary["named_operators"],
        "described_operators": len(vague),
        "descriptions": vague,
        "no_access": _why_none(summary, on),
        "access": [entry(one) for one in made if one.kind == "access"],
        "records": [entry(one) for one in made if one.kind == "records"],
        "without_contact": sorted({one.operator for one in made if not one.contact}),
        "unknown_operator": {
            "cameras": n_unknown,
            "places": _unknown(_places.of_unknown(passes, n_unknown), summary),
        },
        "private_homes": sum(o["cameras"] for o in homes),
        "files": {"index": "index.md", "letters": MARKER},
    }


def described(operator: str | None) -> bool:
    """Return whether what sources call an operator is a description ("hotel") and no name."""
    return operator is not None and _addressees.description(operator) is not None


def _why_none(summary: dict[str, Any], on: date) -> str | None:
    if not any(one["named"] for one in summary["operators"]):
        return "no source says who runs any of the cameras"
    return no_access(summary, on)


def _unknown(places: list[_places.Seen], summary: dict[str, Any]) -> list[dict[str, Any]]:
    timezone = (summary.get("track") or {}).get("timezone", "UTC")
    return [
        {
            "street": one.street,
            "near_street": one.near_street,
            "near_street_m": one.near_street_m,
            "where": _places.where(one, "en"),
            "lon": one.lon,
            "lat": one.lat,
            "when": _places.when(one, timezone, "en"),
            "probability": one.probability,
        }
        for one in places
    ]
