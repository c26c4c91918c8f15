"""Letters: to ask operators for recordings of oneself, and public bodies about their cameras.

Drafts in the language of the country, as text, Markdown and PDF, from templates that a lawyer can
read and change (templates/, words.toml, laws.toml). No legal advice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from sousveil._output import complete_directory
from sousveil.errors import UnusableInput
from sousveil.export import write_json
from sousveil.letters import _index, _pages, _places, _words

__all__ = ["LANGUAGES", "Letter", "drafts", "letters", "write_letters"]

Progress = Callable[[str], None]

LANGUAGES: Final = ("en", "de", "fr", "it", "es", "pt", "fi")

ASSUMED_RETENTION_DAYS: Final = 3.0
"""Taken where nobody says how long recordings are kept: the EDPB's guidelines 3/2019 on video
devices (paragraph 121) call for a justification of anything beyond 72 hours."""

MARKER: Final = "letters.json"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One draft. send_by: when the first of the recordings may be deleted; None for records."""

    name: str  # of its files, without ending
    kind: str  # access | records
    operator: str
    language: str
    law: str  # gdpr | uk | plain
    authority: str
    contact: dict[str, str]
    send_by: date | None
    retention_is_stated: bool
    markdown: str


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
    for records for each public body. Nobody's private home gets a letter.
    """
    law = _words.law_of(summary.get("country"))
    language = language or (law["language"] if law["language"] in LANGUAGES else "en")
    words = _words.words_of(language)
    access: list[Letter] = []
    records: list[Letter] = []
    for operator in summary["operators"]:
        if operator["private_homes"] or operator["operator"] is None:
            continue
        mine = _places.of_operator(passes, operator)
        if not mine:
            continue
        context = {"operator": operator["operator"], "language": language, "law": law["law"]}
        context |= {"draft": words["draft"], "date": on.isoformat()}
        context["contact"] = "\n".join(operator["contact"].values()) or words["address"]
        context["authority"] = law.get("authority") or words["none"]
        if summary["kind"] == "track" and summary["track"]["has_times"]:
            access.append(_access(operator, mine, context, words, summary["track"]["timezone"], on))
        if operator["operator_class"] == "public":
            records.append(_records(operator, mine, context, words, law, on))
    access.sort(key=lambda one: (one.send_by or date.max, one.operator))
    return _numbered([*access, *records])


def _access(
    operator: dict[str, Any],
    places: list[_places.Seen],
    context: dict[str, Any],
    words: dict[str, Any],
    timezone: str,
    on: date,
) -> Letter:
    stated = operator["retention_days"] is not None
    kept_days = operator["retention_days"] if stated else ASSUMED_RETENTION_DAYS
    basis = words["basis"].get(context["law"], words["basis"]["gdpr"])
    text = _words.template("access", context["language"]).render(
        context,
        places=_places.lines(places, timezone, with_times=True),
        timezone=timezone,
        basis=basis,
        answer_by=_month_later(on).isoformat(),
    )
    first = min(one.end for one in places if one.end is not None)
    return Letter(
        name="access",
        kind="access",
        operator=operator["operator"],
        language=context["language"],
        law=context["law"],
        authority=context["authority"],
        contact=operator["contact"],
        send_by=(first + timedelta(days=kept_days)).date(),
        retention_is_stated=stated,
        markdown=_pages.tidy(text),
    )


def _records(
    operator: dict[str, Any],
    places: list[_places.Seen],
    context: dict[str, Any],
    words: dict[str, Any],
    law: dict[str, Any],
    on: date,
) -> Letter:
    days = law.get("records_days")
    text = _words.template("records", context["language"]).render(
        context,
        places=_places.lines(places, "UTC", with_times=False),
        records=law.get("records") or words["records"],
        answer_by=(on + timedelta(days=days)).isoformat() if days else None,
    )
    return Letter(
        name="records",
        kind="records",
        operator=operator["operator"],
        language=context["language"],
        law=context["law"],
        authority=context["authority"],
        contact=operator["contact"],
        send_by=None,
        retention_is_stated=operator["retention_days"] is not None,
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


def _month_later(day: date) -> date:
    """Return the same day of the next month, or its last one."""
    month = day.month % 12 + 1
    year = day.year + day.month // 12
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


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
            "language": letter.language,
            "law": letter.law,
            "send_by": letter.send_by and letter.send_by.isoformat(),
            "retention_is_stated": letter.retention_is_stated,
            "contact": letter.contact,
        }

    homes = [o for o in summary["operators"] if o["private_homes"]]
    unknown = [o for o in summary["operators"] if o["operator"] is None and not o["private_homes"]]
    return {
        "on": on.isoformat(),
        "country": summary.get("country"),
        "access": [entry(one) for one in made if one.kind == "access"],
        "records": [entry(one) for one in made if one.kind == "records"],
        "without_contact": sorted({one.operator for one in made if not one.contact}),
        "unknown_operator": {
            "cameras": sum(o["cameras"] for o in unknown),
            "places": _places.of_unknown(passes, summary),
        },
        "private_homes": sum(o["cameras"] for o in homes),
        "files": {"index": "index.md", "letters": MARKER},
    }
