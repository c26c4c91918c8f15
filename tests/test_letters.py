"""Letters: every language and law, urgent ones first, nothing invented, nobody's home."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import sousveil as sv
from sousveil.cli import app
from sousveil.errors import UnusableInput
from sousveil.letters import LANGUAGES, Letter, _addressees, _pages, _words, drafts, write_letters
from sousveil.letters import said as said_of
from sousveil.records import PASSES
from sousveil.report.exposure import _tables, sentences
from tests.osm_files import CAMERA, node, way, write
from tests.test_exposure import along_street
from tests.towns import SOUTH, STEP, WEST, small_town
from tests.tracks import gpx

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
        "operator": name, "named": name is not None, "operator_class": owner,
        "private_homes": False, "cameras": 1, "expected": 0.4, "passes": 1,
        "retention_days": None, "contact": {},
    } | said  # fmt: skip


def a_summary(
    *operators: dict[str, Any], country: str | None = "DE", **track: Any
) -> dict[str, Any]:
    return {
        "kind": "track",
        "country": country,
        "track": {"has_times": True, "timezone": "Europe/Berlin"} | track,
        "named_operators": sum(one["named"] for one in operators),
        "operators": list(operators),
    }


def passes(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=PASSES)


ONE = passes(a_pass(1))


GAP = re.compile(r"\[[^\[\]\n]+\]")
ISO = re.compile(r"\d{4}-\d\d-\d\d")
COUNTRIES = [*_words._table("laws.toml"), None]


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("name", ["Stadtwerke", "Polizei Beispielstadt", "hotel"])
def test_every_country_language_and_kind_is_a_whole_letter(name: str, country: str | None) -> None:
    """Nothing unfilled, no code of the template, no day but in the way of the language."""
    rows = passes(a_pass(1, operator=name))
    for language in LANGUAGES:
        law = _words.worded(_words.law_of(country), language)
        words = _words.words_of(language)
        told = a_summary(an_operator(name, "public"), country=country)
        access, records = drafts(told, rows, language=language, on=DAY)
        for letter in (access, records):
            text = letter.markdown
            assert not re.search(r"[{}]|\bNone\b|\bTrue\b|\bFalse\b|undefined", text)
            assert not ISO.search(text), "a day stands as the language writes it"
            assert text.startswith(f"> {words['draft']}\n")
            assert text.count("[") == text.count("]") == len(GAP.findall(text))
            assert letter.to_fill_in == GAP.findall(text.partition("\n")[2])
            assert "Rosenstraße (48.13710, 11.57610)" in text
            assert f"{_words.day(DAY, language)}\n" in text
        police = name.startswith("Polizei") and "police" in law
        assert access.ground.enforcement is police
        expected = law["police"]["law"] if police else words["basis"][law["law"]]
        assert expected in access.markdown
        assert access.ground.authority in access.markdown
        assert (law.get("records") or words["records"]) in records.markdown
        lines = [line.removesuffix("\\") for line in access.markdown.splitlines()]
        assert access.addressee in lines
        assert (access.addressee == name) is (name != "hotel")


def test_a_letter_says_all(tmp_path: Path) -> None:
    told = a_summary(an_operator("Stadtwerke", "public"), country="GB")
    access, records = drafts(told, ONE, on=DAY)
    for said in ("Rosenstraße (48.13710, 11.57610): 24 November 2026, 08:30 – 08:33",
                 "at the latest within one month of receipt",
                 "On the basis of Article 15 of the UK GDPR I ask",
                 "Article 12(3) and (5) UK GDPR",
                 "Information Commissioner's Office"):  # fmt: skip
        assert said in access.markdown
    assert "within 28 days of receipt" in records.markdown
    german = drafts(told | {"country": "DE"}, ONE, on=DAY)[0].markdown
    for said in ("[Ort], 25. November 2026",
                 "- Rosenstraße (48.13710, 11.57610): 24. November 2026, 08:30 – 08:33",
                 "innerhalb eines Monats nach Eingang", "Art. 12 Abs. 3 und 5 DSGVO",
                 "[die Datenschutzaufsichtsbehörde des Landes]"):  # fmt: skip
        assert said in german


@pytest.mark.parametrize(
    ("language", "fifth", "first"),
    [
        ("en", "5 May 2024", "1 May 2024"),
        ("de", "5. Mai 2024", "1. Mai 2024"),
        ("fr", "5 mai 2024", "1er mai 2024"),
        ("it", "5 maggio 2024", "1º maggio 2024"),
        ("es", "5 de mayo de 2024", "1 de mayo de 2024"),
        ("pt", "5 de maio de 2024", "1 de maio de 2024"),
        ("fi", "5. toukokuuta 2024", "1. toukokuuta 2024"),
    ],
)
def test_days_are_written_as_the_language_does(language: str, fifth: str, first: str) -> None:
    assert _words.day(date(2024, 5, 5), language) == fifth
    assert _words.day(date(2024, 5, 1), language) == first


def test_months_are_those_of_the_locale() -> None:
    """Independent: the long dates of Unicode's CLDR, where babel is installed."""
    dates = pytest.importorskip("babel.dates")
    for language in LANGUAGES:
        for month in range(1, 13):
            ours = _words.day(date(2024, month, 14), language)
            assert ours == dates.format_date(date(2024, month, 14), "long", locale=language
                                             if language != "en" else "en_GB")  # fmt: skip


def test_a_description_is_no_name() -> None:
    for value in ("hotel", "Hotel", "The Hotel", "Bank", "private", "yes", "Polizei", "police",
                  "le restaurant", "private bank", "city council", "l'hôtel", "Camara Municipal",
                  "Ayuntamiento", "polizia locale", "Gemeinde", "no", "store owner"):  # fmt: skip
        assert _addressees.description(value) is not None, value
    for value in ("Hotel Adler", "Deutsche Bank", "City Hotel", "Bundespolizei", "Stadtwerke",
                  "City of London Police", "Bank of England", "Polizei Bayern", "S-Bahn München",
                  "Helsingin kaupunki", "REWE", "Gemeinde Grünwald", "PSP",
                  "Guardia Civil", "Carabinieri", "Zoll", "Police nationale"):  # fmt: skip
        assert _addressees.description(value) is None, value
    assert _addressees.description("The Hotel") == "hotel"
    assert _addressees.description("private bank") == "bank"
    assert _addressees.description("yes") == "operator"


def test_every_description_has_words_in_every_language() -> None:
    kinds = {language: set(_words.words_of(language)["generic"]) for language in LANGUAGES}
    assert len({frozenset(found) for found in kinds.values()}) == 1
    assert _addressees._ANYBODY in kinds["en"]
    for phrase, found in _addressees._generic().items():
        assert phrase, found
        assert _addressees.description(" ".join(phrase)) in found


def test_two_hotels_get_two_letters(tmp_path: Path) -> None:
    rows = passes(
        a_pass(1, operator="hotel", operator_class="private"),
        a_pass(2, operator="hotel", operator_class="private", lat=48.1376),  # 56 m away
        a_pass(3, operator="hotel", operator_class="private", lat=48.1471, street="Tal"),
    )
    told = a_summary(
        an_operator("hotel", "private", cameras=3, contact={"email": "a@hotel.example"})
    )
    made = drafts(told, rows, on=DAY)
    assert [one.addressee for one in made] == [
        "[Name des Hotels, Rosenstraße (48.13710, 11.57610)]",
        "[Name des Hotels, Tal (48.14710, 11.57610)]",
    ]
    assert all(one.contact == {} for one in made)  # whose it is, is not known
    assert "48.14710" not in made[0].markdown
    told = write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    assert told["named_operators"] == 1
    assert [one["description"] for one in told["access"]] == ["hotel", "hotel"]
    index = (tmp_path / "index.md").read_text()
    assert "as the report counts them: 1. Letters: 2 for access" in index
    assert "Of 1 the sources have a description and no name (“hotel”)" in index
    assert told["described_operators"] == 1
    one_site = drafts(
        a_summary(an_operator("hotel", "private", contact={"email": "a@hotel.example"})),
        rows.slice(0, 1), on=DAY,
    )  # fmt: skip
    assert "a@hotel.example" in one_site[0].markdown


@pytest.mark.parametrize(
    ("name", "owner", "kind", "is_sure"),
    [
        ("Polizeipräsidium München", "public", "police", True),
        ("City of London Police", "public", "police", True),
        ("Guardia Civil", "unknown", "police", False),
        ("Poliisilaitos", "public", "police", True),
        ("Préfecture de police", "public", "police", True),
        ("Hauptzollamt Rosenheim", "public", "customs", True),
        ("Procura della Repubblica", "public", "prosecutor", True),
        ("HMP Belmarsh", "public", "prison", True),
        ("Rigspolitiet", "unknown", "police", False),
        ("Bundesgrenzschutz", "public", "customs", True),
    ],
)
def test_authorities_are_known_by_their_names(
    name: str, owner: str, kind: str, is_sure: bool
) -> None:
    found = _addressees.authority(name, owner)
    assert found is not None
    assert (found.kind, found.sure) == (kind, is_sure)
    assert kind in found.rule


def test_others_are_no_authorities() -> None:
    for name, owner in (("Police Credit Union", "private"), ("Stadtwerke", "public"),
                        ("Metropolis Kino", "unknown"), ("Politeknik", "public"),
                        ("City of London", "public"), ("Zollstock", "unknown"),
                        ("Political Museum", "public")):  # fmt: skip
        assert _addressees.authority(name, owner) is None, name


def of_police(
    name: str, country: str, owner: str = "public", language: str | None = None
) -> Letter:
    rows = passes(a_pass(1, operator=name, operator_class=owner))
    told = a_summary(an_operator(name, owner), country=country)
    return drafts(told, rows, on=DAY, language=language)[0]


def test_police_is_asked_under_its_own_law() -> None:
    """The provisions that laws.toml says were read, each in its country's letter."""
    for country, name, provision, deadline in (
        ("IT", "Questura di Roma", "art. 11 del d.lgs. 18 maggio 2018, n. 51", None),
        ("ES", "Policía Nacional", "artículo 22 de la Ley Orgánica 7/2021", "1 month"),
        ("PT", "Polícia de Segurança Pública", "artigo 15.º da Lei n.º 59/2019", "30 days"),
        ("AT", "Landespolizeidirektion Wien", "§ 44 des Datenschutzgesetzes", "1 month"),
        ("FI", "Helsingin poliisilaitos", "(1054/2018) 23 §", None),
        ("FR", "Police nationale de Lyon", "article 105 de la loi n° 78-17", None),
        ("GB", "British Transport Police", "section 45 of the Data Protection Act 2018", "1 month"),
    ):
        letter = of_police(name, country)
        assert letter.ground.enforcement
        assert letter.ground.deadline == deadline
        assert provision in letter.markdown
        assert letter.ground.indirect in letter.markdown
        assert re.search(r"2016/680|other purposes than law enforcement", letter.markdown)
        assert "15" in letter.ground.basis  # the regulation, for what is no law enforcement
        assert not re.search(r"(Art\w*\.?|artículo|articolo|artigo) 18\b", letter.markdown)
    assert "8 de agosto" in of_police("PSP", "PT").markdown
    assert "no prazo de 30 dias a contar da receção" in of_police("PSP", "PT").markdown


def test_the_federations_police_has_the_federations_law() -> None:
    federal, land = (of_police(n, "DE") for n in ("Bundespolizei", "Polizeipräsidium München"))
    assert "§ 57 des Bundesdatenschutzgesetzes" in federal.markdown
    assert "(BfDI)" in federal.ground.authority
    english = of_police("Bundespolizei", "DE", language="en").markdown
    assert "section 57 of the Federal Data Protection Act (BDSG)" in english
    assert "the Federal Commissioner for Data Protection" in english
    assert "§ 57" not in land.markdown
    assert "[das Datenschutz- oder Polizeigesetz des Landes]" in land.to_fill_in


def test_the_index_says_what_is_uncertain_of_an_authority(tmp_path: Path) -> None:
    rows = passes(
        a_pass(1, operator="Policía Local", operator_class="public"),
        a_pass(2, operator="Guardia Civil", operator_class="unknown"),
        a_pass(3, operator="Museo", operator_class="public"),
    )
    told = a_summary(
        an_operator("Policía Local", "public"), an_operator("Guardia Civil", "unknown"),
        an_operator("Museo", "public"), country="ES",
    )  # fmt: skip
    told = write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    index = (
        (tmp_path / "index.md").read_text().split("## Police and other competent authorities")[1]
    )
    assert "From outside one cannot tell" in index
    assert "“policia” (es) is a word for police; the sources call it a public body" in index
    assert "Uncertain: it may be no authority at all" in index
    assert "at the latest within 1 month" in index
    assert "Read of it: articles 20.4 and 22" in index
    assert "counts as refused (article 20.4)" in index
    assert "Museo" not in index.split("## ")[0]
    by_name = {one["operator"]: one for one in told["access"]}
    assert [by_name[n]["enforcement"] for n in ("Policía Local", "Guardia Civil", "Museo")] == [
        True, True, False]  # fmt: skip
    assert by_name["Museo"]["enforcement_rule"] is None
    plain = tmp_path / "plain"
    write_letters(
        a_summary(an_operator("Metropolitan Police", "public"), country="US"),
        passes(a_pass(1, operator="Metropolitan Police")), plain, on=DAY, pdf=False,
    )  # fmt: skip
    assert "leaves the law to you" in (plain / "index.md").read_text()
    unread = tmp_path / "unread"
    write_letters(
        a_summary(an_operator("Politi Oslo", "public"), country="NO"),
        passes(a_pass(1, operator="Politi Oslo")), unread, on=DAY, pdf=False,
    )  # fmt: skip
    assert "This law was not looked up" in (unread / "index.md").read_text()


def test_the_index_counts_what_is_to_fill_in(tmp_path: Path) -> None:
    rows = passes(a_pass(1), a_pass(2, operator="hotel", operator_class="private"))
    told = a_summary(an_operator("Stadtwerke", "public"), an_operator("hotel", "private"))
    told = write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    made = [*told["access"], *told["records"]]
    for one in made:
        text = (tmp_path / f"{one['name']}.txt").read_text()
        # The first line speaks of [brackets] and is to be deleted.
        assert len(GAP.findall(text)) - 1 == len(one["to_fill_in"])
    index = (tmp_path / "index.md").read_text()
    assert f"with {sum(len(one['to_fill_in']) for one in made)} [brackets] to fill in" in index
    assert f"| hotel | access-02-hotel | {len(told['access'][1]['to_fill_in'])} |" in index


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
        assert country["law"] == "plain" or (country["authority"] and country["police"]["law"])
        police = country.get("police", {})
        assert set(police) <= {"law", "federal", "federal_law", "federal_authority", "deadline",
                               "indirect", "note", "checked"}  # fmt: skip
        assert "deadline" not in police or "checked" in police, "no deadline was made up"
    assert set(_words._table("words.toml")) == set(LANGUAGES)
    for language in LANGUAGES:
        for kind in ("access", "records"):
            assert _words.template(kind, language)


def test_what_is_deleted_first_comes_first() -> None:
    rows = passes(
        a_pass(1, operator="Arri Kino", operator_class="private", retention_days=30.0),
        a_pass(2, operator="Stadtbank", operator_class="private", retention_days=1.0),
        a_pass(3, operator="Lenbachhaus", operator_class="public"),
    )
    told = a_summary(
        an_operator("Arri Kino", "private", retention_days=30.0),
        an_operator("Stadtbank", "private", retention_days=1.0),
        an_operator("Lenbachhaus", "public"),
    )
    made = drafts(told, rows, on=DAY)
    first = [(one.operator, one.send_by, one.retention_is_stated) for one in made[:3]]
    assert first == [
        ("Stadtbank", date(2026, 11, 25), True),
        ("Lenbachhaus", date(2026, 11, 27), False),  # 72 hours assumed
        ("Arri Kino", date(2026, 12, 24), True),
    ]
    assert [one.name for one in made] == [
        "access-01-stadtbank", "access-02-lenbachhaus", "access-03-arri-kino",
        "records-01-lenbachhaus"]  # fmt: skip


def test_a_contact_is_told_and_none_is_invented(tmp_path: Path) -> None:
    rows = passes(a_pass(1), a_pass(2, operator="Stadtbank", operator_class="private"))
    told = a_summary(
        an_operator("Stadtwerke", "public", contact={"email": "post@stadtwerke.example"}),
        an_operator("Stadtbank", "private"),
    )
    summary = write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    assert summary["without_contact"] == ["Stadtbank"]
    by_name = {path.stem: path.read_text() for path in tmp_path.glob("*.txt")}
    assert "post@stadtwerke.example" in by_name["access-02-stadtwerke"]
    assert "@" not in by_name["access-01-stadtbank"]
    assert "[Anschrift, vom Schild an der Kamera]" in by_name["access-01-stadtbank"]
    index = (tmp_path / "index.md").read_text()
    assert "- Stadtbank" in index.split("## Operators without a contact")[1]
    assert "No legal advice" in index
    assert "[the data protection authority of the Land]" in index.split("## If nobody answers")[1]


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


def test_the_index_says_why_there_is_no_request_for_access(tmp_path: Path) -> None:
    told = a_summary(an_operator("Stadtwerke", "public"))
    later = told | {"track": told["track"] | {"start": "2026-11-26T08:00:00+01:00"}}
    today = told | {"track": told["track"] | {"start": "2026-11-25T08:00:00+01:00"}}
    for summary, why, tells in (
        (told | {"kind": "ways"}, "the way is a planned one", "which way you mean to take"),
        (a_summary(an_operator("Stadtwerke", "public"), has_times=False),
         "the track has no times", "where you were and when"),
        (a_summary(an_operator(None, "public")), "no source says who runs any of the cameras",
         "where you were and when"),
        (later, "begins on 26 November 2026, after the day of the letters (25 November 2026)",
         "where you were and when"),
    ):  # fmt: skip
        made = write_letters(summary, ONE, tmp_path / "post", on=DAY, pdf=False)
        index = (tmp_path / "post" / "index.md").read_text()
        assert made["access"] == []
        assert why in made["no_access"]
        assert f"There is no request for access: {made['no_access']}." in index
        assert tells in index
        assert ("where you were" in index) is (summary["kind"] == "track")
        assert any(why in line for line in said_of(made))
    made = write_letters(today, ONE, tmp_path / "now", on=DAY, pdf=False)
    assert len(made["access"]) == 1
    assert made["no_access"] is None


@pytest.mark.parametrize("country", [c for c in COUNTRIES if c is not None])
def test_an_english_letter_is_all_english(country: str) -> None:
    """No article of another language stands outside the (name) that a law or authority has."""
    foreign = re.compile(
        r"\b(die|der|das|des|dem|und|le|la|les|du|el|il|lo|de|da|zákon|laki|lain)\b"
    )
    for name in ("Stadtwerke", "Polizei Beispielstadt", "Bundespolizei"):
        told = a_summary(an_operator(name, "public"), country=country)
        for letter in drafts(told, passes(a_pass(1, operator=name)), language="en", on=DAY):
            text = re.sub(r"\([^()]*\)", "", letter.markdown)
            assert not foreign.findall(text), letter.markdown


def test_no_letter_names_a_day_before_its_deadline(tmp_path: Path) -> None:
    """A deadline runs from the receipt: only the index has a day, with a week for delivery."""
    told = a_summary(an_operator("Stadtwerke", "public"), an_operator("Polizei", "public"))
    rows = passes(a_pass(1), a_pass(2, operator="Polizei"))
    for language in LANGUAGES:
        for letter in drafts(told, rows, language=language, on=DAY):
            days = re.findall(r"20\d\d\b", re.sub(r"20\d\d(?=/)", "", letter.markdown))
            places = 2 * letter.markdown.count("48.13710")
            assert len(days) <= 1 + places, letter.markdown
            december = _words.words_of(language)["months"][11]
            assert december not in letter.markdown
    made = write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    assert [one["remind_on"] for one in made["access"]] == ["2027-01-01"] * 2  # 1 month, 1 week
    assert [one["remind_on"] for one in made["records"]] == ["2027-01-01"] * 2  # 30 days, 1 week
    index = (tmp_path / "index.md").read_text()
    assert "| not known | 1 January 2027 |" in index


def test_a_camera_away_from_streets_is_near_one(tmp_path: Path) -> None:
    away = {"street": None, "near_street": "Neuhauser Straße", "near_street_m": 12.4}
    rows = passes(a_pass(1, **away), a_pass(2, operator=None, operator_class="unknown", **away))
    told = a_summary(an_operator("Stadtwerke", "public"), an_operator(None, "unknown"))
    (german, _) = drafts(told, rows, on=DAY)
    assert "- nahe Neuhauser Straße, 12 m (48.13710, 11.57610): 24. Nov" in german.markdown
    write_letters(told, rows, tmp_path, on=DAY, pdf=False)
    index = (tmp_path / "index.md").read_text()
    assert "- near Neuhauser Straße, 12 m (48.13710, 11.57610), 24 Nov" in index


def test_places_are_those_of_the_cameras_that_the_exposure_counts() -> None:
    rows = passes(
        a_pass(1, could=0.04, camera_id="a", street="Eins"),  # twice a little is enough to count
        a_pass(2, could=0.03, camera_id="a", street="Zwei"),
        a_pass(3, could=0.02, camera_id="b", street="Drei"),  # too unlikely to be counted
        a_pass(4, could=0.90, camera_id="c", street="Vier", way=1),  # on another planned way
        a_pass(5, could=0.90, camera_id="d", street="Fünf", level="observe"),
    )
    (letter, _) = drafts(a_summary(an_operator("Stadtwerke", "public", cameras=1)), rows, on=DAY)
    assert re.findall(r"^- (\w+) \(", letter.markdown, re.MULTILINE) == ["Eins"]


def test_a_name_cannot_write_into_the_page(tmp_path: Path) -> None:
    rows = passes(a_pass(1, operator=HOSTILE, operator_class="private"))
    told = a_summary(an_operator(HOSTILE, "private"))
    write_letters(told, rows, tmp_path, on=DAY)
    (pdf,) = tmp_path.glob("*.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")
    again = tmp_path / "again"
    write_letters(told, rows, again, on=DAY)
    assert next(again.glob("*.pdf")).read_bytes() == pdf.read_bytes()
    text = next(tmp_path.glob("access*.txt")).read_text()
    # Square brackets mean a gap to fill in, so those of a source become round ones.
    assert HOSTILE.replace("[l]", "(l)") in text
    assert (
        "(l)" not in json.loads((tmp_path / "letters.json").read_text())["access"][0]["to_fill_in"]
    )


def test_a_number_at_the_beginning_of_a_line_is_no_list() -> None:
    assert _pages._typst("1. FC Beispiel\\\nStraße") == "1\\. FC Beispiel \\\nStraße"
    for language in LANGUAGES:
        (access, _) = drafts(
            a_summary(an_operator("Stadtwerke", "public")), ONE, language=language, on=DAY
        )
        assert not re.search(r"^(- )?\d+\. ", access.markdown, re.MULTILINE)


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
    from sousveil.letters._grounds import month_later

    assert month_later(date.fromisoformat(day)).isoformat() == later


def test_the_command_writes_letters_for_an_exposure(tmp_path: Path) -> None:
    town = small_town(tmp_path / "town.osm.pbf")
    track = along_street(tmp_path / "way.gpx")
    found = sv.exposure(track, town, draws=20).write(tmp_path / "mine")
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
    assert told["described_operators"] == 0
    again = sv.letters(tmp_path / "mine", tmp_path / "post", on=DAY, language="en", pdf=False)
    assert {one["language"] for one in again["access"]} == {"en"}
    run = CliRunner().invoke(app, ["letters", str(tmp_path), "-o", str(tmp_path / "x"), "--quiet"])
    assert run.exit_code == 2
    assert "holds no result of sousveil exposure; run that first" in run.stderr
    summary = {k: v for k, v in found.summary.items() if k != "named_operators"}
    (tmp_path / "mine" / "exposure.json").write_text(json.dumps(summary))
    with pytest.raises(UnusableInput, match="made by an earlier Sousveil; run sousveil exposure"):
        sv.letters(tmp_path / "mine", tmp_path / "old", on=DAY)


def test_report_summary_and_letters_count_the_same_operators(tmp_path: Path) -> None:
    """The same cameras by five operators: two of one name, a description, a home, nobody."""
    tags = [
        {"operator": "Helsingin kaupunki"},
        {"operator": "Helsingin kaupunki", "operator:type": "private"},
        {"operator": "hotel"},
        {"operator": "Kauppa Virtanen Oy"},
        {"surveillance:zone": "house"},
        {},
    ]
    cameras = [
        node(100 + i, WEST + (i + 0.5) * 8 * STEP, SOUTH + 0.0001,
             tags=CAMERA | more | {"camera:direction": "180"})
        for i, more in enumerate(tags)
    ]  # fmt: skip
    ends = [node(1, WEST, SOUTH), node(2, WEST + 48 * STEP, SOUTH)]
    street = way(1, [1, 2], tags={"highway": "residential", "name": "Katu"})
    town = write(tmp_path / "town.osm.pbf", *ends, *cameras, street)
    lon = np.linspace(WEST, WEST + 48 * STEP, 1600)
    track = gpx(tmp_path / "way.gpx", np.column_stack([lon, np.full(len(lon), SOUTH)]),
                1.5 * np.arange(len(lon)))  # fmt: skip
    found = sv.exposure(track, town, draws=40).write(tmp_path / "mine")
    told = sv.letters(tmp_path / "mine", tmp_path / "post", on=DAY, pdf=False)
    # One number of operators: in both files, in the sentences, the table and the index.
    summary = json.loads((tmp_path / "mine" / "exposure.json").read_text())
    n = summary["named_operators"]
    addressed = {one["operator"] for one in told["access"]}
    assert n == told["named_operators"] == len(addressed) == 3
    assert addressed == {one["operator"] for one in summary["operators"] if one["named"]}
    said = [s for s in sentences(summary) if f"Sources name or describe {n} operators" in s]
    assert len(said) == 1
    assert "2 by name, 1 only by a description" in said[0]
    assert told["described_operators"] == 1
    (table,) = [t for t in _tables(found) if t["caption"] == "Who could have recorded you"]
    assert {row[0] for row in table["rows"]} - {"Not named", "Private homes"} == addressed
    index = (tmp_path / "post" / "index.md").read_text()
    assert f"names or describes, as the report counts them: {n}." in index
    unnamed = [o for o in summary["operators"] if not o["named"] and not o["private_homes"]]
    assert told["unknown_operator"]["cameras"] == sum(o["cameras"] for o in unnamed)
    assert told["private_homes"] == 1
    assert sum(o["cameras"] for o in summary["operators"]) == len(tags)
    assert len(told["unknown_operator"]["places"]) == told["unknown_operator"]["cameras"]
