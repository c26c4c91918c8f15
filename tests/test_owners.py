"""Who runs a camera: decisions checked against owners that people know."""

from __future__ import annotations

import csv
import json
import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sousveil.records import OPERATOR_CLASSES
from sousveil.sources._owners import RULES, owner_of

PUBLIC = """
CH: Stadt Winterthur | SBB | Kt AG Abt Tiefbau | Einwohnergemeinde Brienz | Ville de Genève
CH: MeteoSchweiz | Die Post | Kantonspolizei St. Gallen | Polizia cantonale | ASTRA
DE: police | Bundespolizei | Deutsche Bahn AG | Stadtwerke München GmbH | Polizei Brandenburg
DE: Landkreis Mühldorf a. Inn | Landeshauptstadt München | Bürgermeisteramt Heidelberg
FI: Eduskunta | Presidentinlinna | Helsingin kaupunki | Helsingin poliisilaitos
GB: City of London Police | Sheffield City Council | Transport for London | NHS Lothian
IT: Comune di Bolzano - Stadtgemeinde Bozen | Polizia Locale | Arma dei Carabinieri | ANAS
FR: Mairie de Toulouse | Ville de Lyon | Gendarmerie nationale | Hôtel de Ville | SNCF
MC: Sûreté publique | Mairie de Monaco
ES: Ayuntamiento de Santander | Guardia Civil | Mossos d'Esquadra | Antzuolako Udala
PT: Câmara Municipal do Porto | PSP | Polícia de Segurança Pública
NL: Gemeente Amsterdam | Nationale Politie | ProRail B.V.
BE: Stad Gent | Ville de Namur | Politiezone KLM | Koninklijke Marechaussee
SE: Stockholms stad | Polismyndigheten | Trafikverket
NO: Oslo kommune | Statens vegvesen | Fjellinjen AS
DK: Rigspolitiet | Københavns Kommune | Sund & Bælt
PL: Urząd Miasta Krakowa | Straż Miejska | Komenda Powiatowa Policji
CZ: Městská policie Brno | Město Písek
RU: ГИБДД | Администрация города
UA: Київська міська рада
TR: Karayolları Genel Müdürlüğü (KGM) | İstanbul Büyükşehir Belediyesi
GR: Δήμος Αθηναίων | Ελληνική Αστυνομία
JP: 横浜市 | 警視庁
KR: 서울특별시 | 부산지방경찰청
CN: 北京市公安局
EG: وزارة الداخلية
US: BPD - Downtown | Commonwealth of Massachusetts | Trophy Club PD | [LVMPD] | NYC D.O.T
US: UNC Chapel Hill Police Department | King George Sherrif's Office | Alamogordo, City of
"""

PRIVATE = """
CH: Migros | UBS | Thurgauer Kantonalbank | Allresto GmbH | Härdi Holding AG | Thai Bistro
CH: Banque Cantonale Vaudoise | Schiessverein Buchtalen | Victoria Brezelbäckerei | Sporthotel
DE: hotel | private | Sparkasse Darmstadt | ParkDepot GmbH | Siedlerverein e.V.
FI: Asunto Oy Kruununhaka | Nordea | Ravintola Savoy
GB: Change Hospitality | Tesco | Parking Eye Ltd
IT: Merlo SPA | Azienda Agricola Canneti | Parth & Co. S.A.S. | Condominio Aurora
FR: Carrefour | Boulangerie Paul | Copropriété Les Lilas
US: Lowe's | Simon Property Group | Harbour View HOA | Boulder Holdings, Inc.
PL: Spółdzielnia Mieszkaniowa | Żabka | Firma X Sp. z o.o.
RU: ООО Ромашка | Магазин Продукты
JP: 株式会社ローソン | 三井住友銀行
KR: 주식회사 우리 | 국민은행
CZ: Kaufland Česká republika | Firma s.r.o.
NO: Narvesen AS
AT: Hotel Stadt Wien
"""

# Names that must stay undecided: a guess would be wrong as often as right.
UNDECIDED = """
US: Flock Safety -> maker_name | Motorola Solutions -> maker_name | Verkada Inc. -> maker_name
US: Boulder City, NV -> none | Stanford University -> none | Culver City -> none
US: Walmart/Germantown Police Department -> name_conflict | unknown -> none
CH: Roundshot -> none | Museum zu Allerheiligen -> none | Hotel Astra -> name_conflict
CH: Stadt Apotheke Bern -> name_conflict
IT: A2A -> none
DE: Siemens AG -> maker_name
"""


def _each(block: str) -> list[tuple[str, str]]:
    lines = [line.partition(":") for line in block.strip().splitlines()]
    return [(country, name.strip()) for country, _, names in lines for name in names.split(" | ")]


@pytest.mark.parametrize(("country", "name"), _each(PUBLIC))
def test_a_public_body_is_known_by_its_name(country: str, name: str) -> None:
    owner = owner_of({"operator": name}, country=country)
    assert (owner.operator_class, owner.rule) == ("public", "operator_name")
    assert not owner.private_home


@pytest.mark.parametrize(("country", "name"), _each(PRIVATE))
def test_a_private_operator_is_known_by_its_name(country: str, name: str) -> None:
    owner = owner_of({"operator": name}, country=country)
    assert (owner.operator_class, owner.rule) == ("private", "operator_name")
    assert not owner.private_home


@pytest.mark.parametrize(
    ("country", "name", "rule"),
    [(country, *said.split(" -> ")) for country, said in _each(UNDECIDED)],
)
def test_a_name_that_does_not_tell_decides_nothing(country: str, name: str, rule: str) -> None:
    owner = owner_of({"operator": name}, country=country)
    assert (owner.operator_class, owner.rule) == ("unknown", rule)


def test_words_of_a_language_that_is_not_spoken_there_do_not_count() -> None:
    assert owner_of({"operator": "Gemeente Amsterdam"}, country="NL").operator_class == "public"
    assert owner_of({"operator": "Gemeente Amsterdam"}, country="JP").operator_class == "unknown"
    assert owner_of({"operator": "Police"}, country=None).operator_class == "public"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"operator:type": "public"}, ("public", "operator_type")),
        ({"operator:type": "Government"}, ("public", "operator_type")),
        ({"operator:type": "private"}, ("private", "operator_type")),
        ({"operator_type": "business"}, ("private", "operator_type")),
        ({"owner:type": "municipal"}, ("public", "owner_type")),
        ({"ownership": "private"}, ("private", "ownership")),
        ({"ownership": "public_private"}, ("unknown", "none")),
        ({"operator:type": "public;private"}, ("unknown", "none")),
        ({"operator:type": "private", "operator": "Police"}, ("private", "operator_type")),
        ({"operator:type": "private", "ownership": "public"}, ("private", "operator_type")),
        ({"owner": "Andermatt Swiss Alps AG"}, ("private", "owner_name")),
        ({"operator": "Flock Safety", "owner": "Stadt Bern"}, ("public", "owner_name")),
        ({"operator": "Roundshot", "surveillance:zone": "bank"}, ("private", "zone")),
        ({"operator": "Polizei", "surveillance:zone": "bank"}, ("public", "operator_name")),
        ({"surveillance:zone": "bank"}, ("private", "zone")),
        ({"surveillance:zone": "Shop"}, ("private", "zone")),
        ({"surveillance:zone": "shopping_mall"}, ("private", "zone")),
        ({"surveillance:zone": "police"}, ("public", "zone")),
        ({"surveillance:zone": "police;shop"}, ("unknown", "none")),
        ({}, ("unknown", "none")),
    ],
)
def test_the_first_rule_that_applies_decides(
    tags: dict[str, str], expected: tuple[str, str]
) -> None:
    owner = owner_of(tags, country="CH")
    assert (owner.operator_class, owner.rule) == expected


@pytest.mark.parametrize(
    "zone", ["town", "street", "public", "traffic", "parking", "building", "entrance", "area"]
)
def test_what_anyone_may_film_is_no_evidence_of_ownership(zone: str) -> None:
    owner = owner_of({"surveillance:zone": zone, "surveillance": "public"}, country="CH")
    assert (owner.operator_class, owner.rule) == ("unknown", "none")


def test_an_unknown_kind_of_owner_is_given_back() -> None:
    owner = owner_of({"operator:type": "aliens", "owner:type": "school"}, country="CH")
    assert owner.unread == (("operator:type", "aliens"),)
    assert owner.operator_class == "unknown"
    assert owner_of({"ownership": ";"}, country="CH").unread == (("ownership", ";"),)


HOMES: list[dict[str, str]] = [
    {"surveillance:zone": "house"},
    {"surveillance:zone": "street;garden"},
    {"surveillance:zone": "private_home"},
    {"camera:mount": "doorbell"},
    {"brand": "Ring"},
    {"manufacturer": "eufy"},
    {"operator": "Familie Muster"},
    {"operator": "Privatperson"},
    {"owner": "particulier"},
    {"operator": "Muster family", "operator:type": "private"},
    {"operator:type": "individual"},
    {"operator:type": "private", "operator": "A. Muster", "surveillance:zone": "house"},
    {"operator": "A. Muster", "surveillance:zone": "apartment"},
    {"operator": "private", "surveillance:zone": "residential", "operator:type": "private"},
]


@pytest.mark.parametrize("tags", HOMES)
def test_a_private_home_is_private_and_names_nobody(tags: dict[str, str]) -> None:
    owner = owner_of(tags, country="CH")
    assert owner.private_home
    assert owner.operator_class == "private"
    assert owner.name is None


@pytest.mark.parametrize(
    "tags",
    [
        {"surveillance:zone": "residential", "operator": "Stadt Bern"},
        {"surveillance:zone": "house", "operator:type": "public"},
        {"brand": "Ring", "operator": "Polizei"},
        {"camera:mount": "doorbell", "operator": "Hotel Adler"},
        {"operator": "Fam. Muster Weingut GmbH"},
        {"operator": "private"},
        {"operator:type": "private"},
        {"surveillance:zone": "entrance"},
    ],
)
def test_what_is_no_stated_home_is_none(tags: dict[str, str]) -> None:
    assert not owner_of(tags, country="CH").private_home


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        ({"operator": "Stadt  Bern "}, "Stadt Bern"),
        ({"operator": "police"}, "police"),
        ({"operator": "private", "owner": "Hotel Adler"}, "Hotel Adler"),
        ({"operator": "unknown"}, None),
        ({"operator": "privat"}, None),
        ({"operator": "public"}, None),
        ({"operator": "[link removed]"}, None),
        ({"operator": "Panomax [link removed]"}, "Panomax"),
        ({"operator": "?"}, None),
        ({"operator": "Ring", "operator:type": "public"}, "Ring"),
    ],
)
def test_a_class_is_no_name(tags: dict[str, str], name: str | None) -> None:
    assert owner_of(tags, country="DE").name == name


def test_the_real_owners_of_baltimore_are_police(shared_data: Path) -> None:
    with (shared_data / "lists/baltimore_cctv_2014.csv").open(encoding="utf-8") as file:
        owners = [row["Owner"] for row in csv.DictReader(file)]
    classes = Counter(
        owner_of({"operator": owner}, country="US").operator_class for owner in owners
    )
    assert len(owners) == 614
    assert classes == {"public": 614}  # all 26 owners are "BPD - ...", Baltimore Police Department


def test_the_real_owners_of_italy(shared_data: Path) -> None:
    path = shared_data / "lists/osm_italy_surveillance_2026-08.geojson"
    titles = [f["properties"]["title"] for f in json.loads(path.read_text())["features"]]
    suffix = " surveillance camera"
    names = [title.removesuffix(suffix) for title in titles if title.endswith(suffix)]
    decided = {name: owner_of({"operator": name}, country="IT").operator_class for name in names}
    # by hand: every name with "Comune" is a municipality, and no other word of the name disagrees
    assert all(decided[name] == "public" for name in decided if "comune" in name.lower())
    counts = Counter(decided[name] for name in names)
    assert counts["public"] > 0.9 * len(names)
    assert counts["unknown"] < 0.05 * len(names)


@given(
    st.dictionaries(
        st.sampled_from(
            ["operator", "owner", "operator:type", "ownership", "surveillance:zone", "brand"]
        ),
        st.text(max_size=50)
        | st.sampled_from(["Stadt", "GmbH", "private", "Familie", "bank;police"]),
    ),
    st.sampled_from([None, "CH", "US", "JP", "BG"]),
)
def test_every_answer_is_one_of_the_known(tags: dict[str, str], country: str | None) -> None:
    owner = owner_of(tags, country=country)
    assert owner.operator_class in OPERATOR_CLASSES
    assert owner.rule in RULES
    assert owner.operator_class == "private" or not owner.private_home
    assert (owner.operator_class == "unknown") == (
        owner.rule in ("none", "name_conflict", "maker_name")
    )


def _book() -> dict[str, Any]:
    path = resources.files("sousveil.sources").joinpath("owners.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_book_of_words_covers_the_languages_asked_for() -> None:
    asked = "en de fr it es pt nl fi sv no da pl cs ru uk tr el ja ko zh ar"
    book = _book()["language"]
    for language in asked.split():
        assert len(book[language]["public"]) >= 10, language
        assert len(book[language]["private"]) >= 10, language


def test_no_word_is_both_public_and_private() -> None:
    for language, words in _book()["language"].items():
        both = set(words["public"]) & set(words.get("private", ()))
        assert not both, (language, both)
    for table in ("stated", "generic", "zones"):
        words = [word for group in _book()[table].values() for word in group]
        assert len(words) == len(set(words)), [w for w, n in Counter(words).items() if n > 1]
