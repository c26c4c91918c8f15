"""Letters: every language and law, urgent ones first, nothing invented, nobody's home."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

import sousveil as sv
from sousveil.cli import app
from sousveil.errors import UnusableInput
from sousveil.letters import LANGUAGES, _pages, _words, drafts, write_letters
from sousveil.records import PASSES
from tests.test_exposure import along_street
from tests.towns import small_town

DAY = date(2026, 11, 25)
HOSTILE = '#panic("x") *b* _i_ [l](http://x) $m$ <a> \\ @r'


def a_pass(number: int, **said: Any) -> dict[str, Any]:
    row = {
        "way": 0, "pass": number, "camera_id": f"cam-{number}", "level": "detect",
        "start": datetime(2026, 11, 24, 7, 30 + number, tzinfo=UTC),
        "end": datetime(2026, 11, 24, 7, 31 + number, tzinfo=UTC),
        "start_s": 60.0 * number, "end_s": 60.0 * number + 60, "seconds": 60.0,
        "probability": 0.4, "could": 0.6, "street": "Rosenstraße", "operator": "Stadtwerke",
        "operator_class": "public", "private_home": False, "kind": "camera",
        "retention_days": None, "lon": 11.5761, "lat": 48.1371,
    }  # fmt: skip
    return row | said


def an_operator(name: str | None, owner: str, **said: Any) -> dict[str, Any]:
    return {
        "operator": name, "operator_class": owner, "private_homes": False, "cameras": 1,
        "expected": 0.4, "passes": 1, "retention_days": None, "contact": {},
    } | said  # fmt: skip


def a_summary(
    *operators: dict[str, Any], country: str | None = "DE", **track: Any
) -> dict[str, Any]:
    return {
        "kind": "track",
        "country": country,
        "track": {"has_times": True, "timezone": "Europe/Berlin"} | track,
        "operators": list(operators),
    }


def passes(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=PASSES)


ONE = passes(a_pass(1))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("country", ["DE", "GB", "US", None])
def test_every_language_says_all_under_every_law(language: str, country: str | None) -> None:
    told = a_summary(an_operator("Stadtwerke", "public"), country=country)
    access, records = drafts(told, ONE, language=language, on=DAY)
    for letter in (access, records):
        assert "{" not in letter.markdown
        assert letter.markdown.startswith(f"> {_words.words_of(language)['draft']}")
        assert "Rosenstraße (48.13710, 11.57610)" in letter.markdown
        assert "Stadtwerke" in letter.markdown
    assert "2026-11-24 08:30 – 08:33" in access.markdown  # the clock of the place, a minute around
    assert "2026-12-25" in access.markdown  # one month
    law = _words.law_of(country)
    assert law.get("authority", _words.words_of(language)["none"]) in access.markdown
    basis = {"gdpr": "GDPR", "uk": "UK GDPR", "plain": ""}[law["law"]]
    if language == "en":
        assert basis in access.markdown
        assert ("Article 12(3)" in access.markdown) is (law["law"] != "plain")
    if law["law"] == "gdpr":
        assert any(word in access.markdown for word in ("GDPR", "DSGVO", "RGPD"))


def test_the_language_is_that_of_the_country_else_english() -> None:
    told = a_summary(an_operator("Stadtwerke", "public"))
    spoken = {"DE": "de", "AT": "de", "FR": "fr", "IT": "it", "ES": "es", "PT": "pt", "FI": "fi",
              "GB": "en", "PL": "en", "KR": "en", None: "en"}  # fmt: skip
    for country, language in spoken.items():
        assert drafts(told | {"country": country}, ONE, on=DAY)[0].language == language
    with pytest.raises(UnusableInput, match="--language eo: unknown; use one of en, de"):
        write_letters(told, ONE, Path("nowhere"), language="eo", on=DAY)


def test_laws_and_templates_are_complete() -> None:
    for country in _words._table("laws.toml").values():
        assert country["law"] in ("gdpr", "uk", "plain")
        assert country["language"] in LANGUAGES
        assert country["law"] == "plain" or country["authority"]
    assert set(_words._table("words.toml")) == set(LANGUAGES)
    for language in LANGUAGES:
        for kind in ("access", "records"):
            assert _words.template(kind, language)


def test_what_is_deleted_first_comes_first() -> None:
    rows = passes(
        a_pass(1, operator="Kino", operator_class="private", retention_days=30.0),
        a_pass(2, operator="Bank", operator_class="private", retention_days=1.0),
        a_pass(3, operator="Museum", operator_class="public"),
    )
    told = a_summary(
        an_operator("Kino", "private", retention_days=30.0),
        an_operator("Bank", "private", retention_days=1.0),
        an_operator("Museum", "public"),
    )
    made = drafts(told, rows, on=DAY)
    first = [(one.operator, one.send_by, one.retention_is_stated) for one in made[:3]]
    assert first == [
        ("Bank", date(2026, 11, 25), True),
        ("Museum", date(2026, 11, 27), False),  # 72 hours assumed
        ("Kino", date(2026, 12, 24), True),
    ]
    assert [one.name for one in made] == [
        "access-01-bank", "access-02-museum", "access-03-kino", "records-01-museum"]  # fmt: skip


def test_a_contact_is_told_and_none_is_invented(tmp_path: Path) -> None:
    rows = passes(a_pass(1), a_pass(2, operator="Bank", operator_class="private"))
    told = a_summary(
        an_operator("Stadtwerke", "public", contact={"email": "post@stadtwerke.example"}),
        an_operator("Bank", "private"),
    )
    summary = write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    assert summary["without_contact"] == ["Bank"]
    by_name = {path.stem: path.read_text() for path in tmp_path.glob("*.txt")}
    assert "post@stadtwerke.example" in by_name["access-02-stadtwerke"]
    assert "@" not in by_name["access-01-bank"]
    assert "[Anschrift, vom Schild an der Kamera]" in by_name["access-01-bank"]
    index = (tmp_path / "index.md").read_text()
    assert "- Bank" in index.split("## Operators without a contact")[1]
    assert "No legal advice" in index
    assert "Datenschutzaufsichtsbehörde des Landes" in index.split("## If nobody answers")[1]


def test_homes_and_unknown_operators_get_no_letter(tmp_path: Path) -> None:
    home = {"operator": None, "operator_class": "private", "private_home": True, "lon": None,
            "lat": None, "camera_id": "home-1"}  # fmt: skip
    rows = passes(a_pass(1, **home), a_pass(2, operator=None, operator_class="unknown", lat=48.2))
    told = a_summary(an_operator(None, "private", private_homes=True), an_operator(None, "unknown"))
    summary = write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    assert summary["access"] == summary["records"] == []
    assert summary["private_homes"] == 1
    assert [p["lat"] for p in summary["unknown_operator"]["places"]] == [48.2]
    assert {path.name for path in tmp_path.iterdir()} == {"index.md", "letters.json"}


def test_without_times_only_records_are_asked_for() -> None:
    rows = passes(a_pass(1, start=None, end=None))
    told = a_summary(an_operator("Stadtwerke", "public"), has_times=False)
    made = drafts(told, rows, on=DAY)
    assert [one.kind for one in made] == ["records"]
    planned = told | {"kind": "ways"}
    assert [one.kind for one in drafts(planned, rows, on=DAY)] == ["records"]


def test_a_name_cannot_write_into_the_page(tmp_path: Path) -> None:
    rows = passes(a_pass(1, operator=HOSTILE, operator_class="private"))
    told = a_summary(an_operator(HOSTILE, "private"))
    write_letters(told, rows, tmp_path, on=DAY)
    (pdf,) = tmp_path.glob("*.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")
    again = tmp_path / "again"
    write_letters(told, rows, again, on=DAY)
    assert next(again.glob("*.pdf")).read_bytes() == pdf.read_bytes()
    assert HOSTILE in next(tmp_path.glob("access*.txt")).read_text()


def test_text_is_the_letter_without_marks() -> None:
    (letter, *_) = drafts(a_summary(an_operator("Stadtwerke", "public")), ONE, on=DAY)
    text = _pages.plain(letter.markdown)
    lines = text.splitlines()
    assert not any(line.startswith(("# ", "> ")) or line.endswith("\\") for line in lines)
    assert "[Ihr Name]" in lines
    assert "Antrag auf Auskunft über meine personenbezogenen Daten: Videoaufnahmen" in lines


@pytest.mark.parametrize(
    ("day", "later"),
    [("2026-11-25", "2026-12-25"), ("2026-12-31", "2027-01-31"), ("2027-01-31", "2027-02-28")],
)
def test_a_month_ends_with_its_last_day(day: str, later: str) -> None:
    from sousveil.letters import _month_later

    assert _month_later(date.fromisoformat(day)).isoformat() == later


def test_the_command_writes_letters_for_an_exposure(tmp_path: Path) -> None:
    town = small_town(tmp_path / "town.osm.pbf")
    track = along_street(tmp_path / "way.gpx")
    sv.exposure(track, town, draws=20).write(tmp_path / "mine")
    args = ["letters", str(tmp_path / "mine"), "-o", str(tmp_path / "post"), "--on", "2026-11-25",
            "--json", "--quiet"]  # fmt: skip
    run = CliRunner().invoke(app, args)
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    assert told["country"] == "FI"
    assert [one["operator"] for one in told["records"]] == ["Helsingin kaupunki"]
    names = {path.suffix for path in (tmp_path / "post").glob("access*")}
    assert names == {".md", ".txt", ".pdf"}
    assert "tietosuojavaltuutetun toimisto" in (tmp_path / "post" / "index.md").read_text()
    again = sv.letters(tmp_path / "mine", tmp_path / "post", on=DAY, language="en", pdf=False)
    assert {one["language"] for one in again["access"]} == {"en"}
    run = CliRunner().invoke(app, ["letters", str(tmp_path), "-o", str(tmp_path / "x"), "--quiet"])
    assert run.exit_code == 2
    assert "holds no result of sousveil exposure; run that first" in run.stderr
