"""No link to a live feed survives reading, and no text from the wild breaks what we write."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sousveil.sources._links import OBJECT_BYTES, OBJECT_TAGS, REMOVED, clean_tags, safe_text, tidy

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates too
HOSTS = st.sampled_from(["cam.example.com", "10.0.0.7", "meteo.ch", "kamera.lan", "[fe80::1]"])
PATHS = st.sampled_from(["/live", "/axis-cgi/mjpg/video.cgi?x=1", ":8080/stream.m3u8", "/#/"])
SCHEMES = st.sampled_from(
    [
        "http://",
        "https://",
        "HTTP://",
        "rtsp://",
        "rtsp://user:word@",
        "rtmp://",
        "hTTps:",
        "//",
        "http:/",
    ]
)
LINK = re.compile(r"(?i)(?:https?|rtsp|rtmp)\s*:|www\.|[/]live|mjpg|m3u8|cam\.example|meteo\.ch")


def clean(tags: dict[str, str]) -> dict[str, str]:
    return clean_tags(tags, matters=lambda key: True).tags


@given(
    SCHEMES,
    HOSTS,
    PATHS,
    ANY_TEXT,
    ANY_TEXT,
    st.sampled_from(["note", "fixme", "source", "operator", "x"]),
)
def test_no_link_survives_in_any_tag(
    scheme: str, host: str, path: str, before: str, after: str, key: str
) -> None:
    link = f"{scheme}{host}{path}"
    if scheme == "//":
        before = before + " "  # "//host" needs to begin a word
    found = clean_tags({key: f"{before}{link} {after}"}, matters=lambda key: True)
    assert found.links >= 1
    kept = json.dumps(found.tags, ensure_ascii=False)
    assert host not in kept
    assert not LINK.search(kept.replace(after, "").replace(tidy(after), ""))


@given(st.text("abw.:/htps%3A2F-_ \u200b\u202e\x00", max_size=60))
def test_no_address_can_be_put_together_from_odd_pieces(text: str) -> None:
    assert not re.search(r"(?i)https?:/|www\.\S", clean({"note": text}).get("note", ""))


LINK_KEYS = (
    "contact:webcam webcam url website website:webcam contact:website image image:0 stream "
    "stream:hls webcam_url Webcam source:url contact:youtube"
)


@pytest.mark.parametrize("key", LINK_KEYS.split())
def test_a_key_that_announces_a_link_is_dropped_whatever_it_holds(key: str) -> None:
    found = clean_tags({key: "channel 5", "man_made": "surveillance"}, matters=bool)
    assert found.tags == {"man_made": "surveillance"}
    assert found.links == 1


def test_a_plain_answer_in_such_a_key_is_no_link() -> None:
    found = clean_tags({"webcam": "yes"}, matters=bool)
    assert found.tags == {"webcam": "yes"}
    assert found.links == 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Der URL http://www.wipkingen.net/webcam1/ fehlt", f"Der URL {REMOVED} fehlt"),
        ("see www.meteo.ch", f"see {REMOVED}"),
        ("siehe...meteo.ch/cam", f"siehe...{REMOVED}"),
        ("live on foto-webcam.eu", f"live on {REMOVED}"),
        ("camera 10.0.0.1:554", f"camera {REMOVED}"),
        ("http%3A%2F%2Fcam.example.com", REMOVED),
        ("ht\u200btp://cam.example.com", REMOVED),
        ("Mo-Fr 08:00-18:30; Sa 08:00-15:00", "Mo-Fr 08:00-18:30; Sa 08:00-15:00"),
        ("Stadt St.Gallen/Wil, Kt.SG", "Stadt St.Gallen/Wil, Kt.SG"),
        ("Bund vom 26.10.2013", "Bund vom 26.10.2013"),
        ("FI:363[30]", "FI:363[30]"),
        ("90.5;180.2", "90.5;180.2"),
    ],
)
def test_links_are_removed_and_other_text_is_not(text: str, kept: str) -> None:
    assert safe_text(text) == kept


def test_a_firm_that_is_called_like_its_host_keeps_its_name() -> None:
    assert clean({"operator": "foto-webcam.eu"}) == {"operator": "foto-webcam.eu"}
    assert clean({"operator": "foto-webcam.eu/webcam/zugspitze"}) == {"operator": REMOVED}


def test_a_link_in_a_key_drops_the_tag() -> None:
    found = clean_tags({"http://cam.example.com": "yes"}, matters=bool)
    assert found.tags == {}
    assert found.links == 1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        ("a\x00b\x07c", "abc"),
        ("line\nbreak\ttab", "line break tab"),
        ("\u202eexe.gpj", "exe.gpj"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("u\u0308ber", "über"),
        ("\ufeffbom\u200b", "bom"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # the zero-width non-joiner is spelling, not decoration
    ],
)
def test_control_characters_go_and_spelling_stays(text: str, kept: str) -> None:
    assert tidy(text) == kept


@given(st.text(st.characters(exclude_categories=())))
def test_tidy_text_can_always_be_written(text: str) -> None:
    kept = tidy(text)
    kept.encode("utf-8")
    assert kept == tidy(kept)
    assert not re.search("[\x00-\x1f\u202a-\u202e\u2066-\u2069]", kept)


def test_a_long_value_is_cut_and_noted() -> None:
    found = clean_tags({"note": "x" * 1001, "name": "y" * 1000}, matters=bool)
    assert found.tags == {"note": "x" * 1000, "name": "y" * 1000}
    assert [(field, reason) for field, _, reason in found.cuts] == [
        ("note", "longer than 1,000 characters: cut")
    ]


def test_an_object_with_far_too_many_tags_keeps_those_that_matter() -> None:
    tags = {f"a{index}": "filling" * 20 for index in range(50_000)}
    tags["man_made"] = "surveillance"
    found = clean_tags(tags, matters=lambda key: key == "man_made")
    assert found.tags["man_made"] == "surveillance"
    assert len(json.dumps(found.tags).encode()) <= OBJECT_BYTES
    assert found.cuts[-1][0] == "*"


def test_too_many_small_tags_are_bounded_too() -> None:
    found = clean_tags({f"a{index}": "1" for index in range(5_000)}, matters=bool)
    assert len(found.tags) == OBJECT_TAGS
    assert found.cuts[-1][:2] == ("*", "5,000 tags")


def test_of_a_large_object_short_tags_come_before_long_ones() -> None:
    tags = {f"long{index}": "x" * 1_000 for index in range(100)} | {"z": "short"}
    assert "z" in clean_tags(tags, matters=lambda key: False).tags


def test_a_hostile_value_is_cleaned_in_linear_time() -> None:
    start = time.perf_counter()
    for piece in ("a.", "1.", "a-", "ab.cd/", "http", ":[", "a+"):
        clean({f"k{index}{piece}": piece * 500 for index in range(20)})
    assert time.perf_counter() - start < 2.0
