"""Reading single values of tags: bearings, heights, dates, counts and the like."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import osmium
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sousveil.sources import _values
from sousveil.sources._values import Looks, directions

SIXTEEN_POINTS = "N NNE NE ENE E ESE SE SSE S SSW SW WSW W WNW NW NNW"

DIRECTIONS = {
    "45": ((45.0,), None),
    "45.5": ((45.5,), None),
    "12,5": ((12.5,), None),
    " 45 ": ((45.0,), None),
    "45°": ((45.0,), None),
    "45 deg": ((45.0,), None),
    "0": ((0.0,), None),
    "360": ((0.0,), None),
    "-20": ((340.0,), None),
    "-360": ((0.0,), None),
    "-0": ((0.0,), None),
    "N": ((0.0,), None),
    "nnw": ((337.5,), None),
    "NbE": ((11.25,), None),
    "SWbW": ((236.25,), None),
    "South": ((180.0,), None),
    "south-west": ((225.0,), None),
    "Süden": ((180.0,), None),
    "Nordost": ((45.0,), None),
    "ouest": ((270.0,), None),
    "oeste": ((270.0,), None),
    "239-284": ((261.5,), 45.0),
    "239–284": ((261.5,), 45.0),
    "239°-284°": ((261.5,), 45.0),
    "350-20": ((5.0,), 30.0),
    "190-100": ((325.0,), 270.0),
    "-20-20": ((0.0,), 40.0),
    "270-90": ((0.0,), 180.0),
    "N-E": ((45.0,), 90.0),
    "E-W": ((180.0,), 180.0),
    "0-360": ((), 360.0),
    "0-359": ((), 360.0),
    "all": ((), 360.0),
    "90;270": ((90.0, 270.0), None),
    "180, 270": ((180.0, 270.0), None),
    "90,270": ((90.0, 270.0), None),
    "90;90": ((90.0,), None),
    "90;": ((90.0,), None),
    "0-90;180-270": ((45.0, 225.0), 90.0),
    "N;E;S;W": ((0.0, 90.0, 180.0, 270.0), None),
}

NO_DIRECTIONS = [
    "361",
    "719",
    "-361",
    "99999999999",
    "1e3",
    "nan",
    "inf",
    "",
    "  ",
    ";",
    "forward",
    "backward",
    "clockwise",
    "down",
    "NO",
    "O",
    "SSO",
    "90-90",
    "N-XYZ",
    "45-90-135",
    "90;nonsense",
    "east of the church",
    "<script>",
    ";".join(map(str, range(33))),
]


@pytest.mark.parametrize(("text", "expected"), DIRECTIONS.items())
def test_a_direction_is_read(text: str, expected: tuple[tuple[float, ...], float | None]) -> None:
    assert directions(text) == (Looks(*expected), None)


@pytest.mark.parametrize("text", NO_DIRECTIONS)
def test_what_is_no_direction_has_a_reason(text: str) -> None:
    value, reason = directions(text)
    assert value is None
    assert reason


def test_thirty_two_bearings_are_still_read() -> None:
    looks, reason = directions(";".join(map(str, range(32))))
    assert looks is not None
    assert len(looks.bearings) == 32
    assert reason is None


def test_fields_of_view_of_different_width_keep_the_bearings_only() -> None:
    looks, reason = directions("90;180-270")
    assert looks == Looks((90.0, 225.0), None)
    assert reason is not None


def test_the_32_points_of_the_compass_are_evenly_spaced_and_named_once() -> None:
    # the sixteen that the wiki lists, by their published degrees (Key:direction, compass rose)
    for index, point in enumerate(SIXTEEN_POINTS.split()):
        degrees = 22.5 * index
        assert directions(point) == (Looks((degrees,), None), None)
    assert sorted(_values._COMPASS.values()) == [11.25 * index for index in range(32)]


@given(st.floats(0, 359.99), st.floats(1, 358))
def test_a_range_is_symmetric_about_its_bearing(start: float, width: float) -> None:
    start, width = round(start, 2), round(width, 2)
    end = round((start + width) % 360, 2)
    looks, _ = directions(f"{start}-{end}")
    assert looks is not None
    (bearing,), hfov = looks.bearings, looks.hfov_deg
    assert hfov == pytest.approx(width, abs=0.02)
    assert (bearing - start) % 360 == pytest.approx(width / 2, abs=0.02)


@given(st.text(max_size=60))
def test_no_text_breaks_a_reader(text: str) -> None:
    readers = (
        _values.directions,
        _values.field_of_view,
        _values.tilt,
        _values.height_m,
        _values.devices,
        _values.day,
        _values.word,
        _values.pixels,
        _values.retention_days,
    )
    for reader in readers:
        value, reason = reader(text)
        assert (value is None) <= (reason is not None)


def _plain_reading(text: str) -> tuple[float, ...] | None:
    """An independent reading of the plain forms: numbers, sixteen points, words, one range."""
    points = SIXTEEN_POINTS.split()
    words = {"north": 0.0, "east": 90.0, "south": 180.0, "west": 270.0}
    found = []
    for part in re.split("[;,]", text):
        part = part.strip()
        if part in points:
            found.append(points.index(part) * 22.5)
        elif part in words:
            found.append(words[part])
        elif re.match(r"^\d+-\d+$", part):
            first, last = map(int, part.split("-"))
            found.append(((first + (last - first) % 360 / 2) + 360) % 360)
        else:
            try:
                found.append(float(part) % 360)
            except ValueError:
                return None
    return tuple(dict.fromkeys(found))


def _real_directions(folder: Path) -> list[str]:
    swiss = json.loads(
        (folder / "lists/switzerland_man_made_surveillance_2023-03.json").read_text()
    )
    tags = [element["tags"] for element in swiss]
    for path in sorted((folder / "osm").glob("*.osm.pbf")):
        processor = osmium.FileProcessor(path, osmium.osm.NODE).with_filter(
            osmium.filter.KeyFilter("man_made")
        )
        tags += [dict(o.tags) for o in processor if o.tags.get("man_made") == "surveillance"]
    return [text for t in tags if (text := t.get("camera:direction") or t.get("direction"))]


def test_every_real_direction_reads_as_an_independent_reading_has_it(shared_data: Path) -> None:
    real = _real_directions(shared_data)
    assert len(real) > 650
    for text in real:
        looks, reason = directions(text)
        assert looks is not None, (text, reason)
        assert looks.bearings == pytest.approx(_plain_reading(text)), text


HEIGHTS = {
    "3": 3.0,
    "3.5": 3.5,
    "3,5": 3.5,
    "3 m": 3.0,
    "11m": 11.0,
    "3 metres": 3.0,
    "~4": 4.0,
    "ca. 4 m": 4.0,
    "350 cm": 3.5,
    "10 ft": 3.048,
    "10'": 3.048,
    "10'6\"": 3.2004,
    "10 ft 6 in": 3.2004,
    "0": 0.0,
    "300": 300.0,
}


@pytest.mark.parametrize(("text", "metres"), HEIGHTS.items())
def test_a_height_is_read_in_metres(text: str, metres: float) -> None:
    # 1 ft = 0.3048 m and 1 in = 0.0254 m exactly (international yard, 1959)
    value, reason = _values.height_m(text)
    assert value == pytest.approx(metres, abs=1e-4)
    assert reason is None


@pytest.mark.parametrize(
    "text", ["-3", "301", "1000 ft", "3-4", "1,200", "high", "3 km", "", "1e2"]
)
def test_an_absurd_height_has_a_reason(text: str) -> None:
    value, reason = _values.height_m(text)
    assert value is None
    assert reason


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("4", 4), (" 2 ", 2), ("1000", 1000)])
def test_devices_are_counted(text: str, count: int) -> None:
    assert _values.devices(text) == (count, None)


@pytest.mark.parametrize("text", ["0", "-1", "1001", "2.5", "two", "", "9" * 50])
def test_an_absurd_count_has_a_reason(text: str) -> None:
    value, reason = _values.devices(text)
    assert value is None
    assert reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019", date(2019, 1, 1)),
        ("2019-05", date(2019, 5, 1)),
        ("2019-05-03", date(2019, 5, 3)),
        ("2019-5-3", date(2019, 5, 3)),
        ("2019/05/03", date(2019, 5, 3)),
        ("2019-05-03T10:00:00Z", date(2019, 5, 3)),
        ("3.5.2019", date(2019, 5, 3)),
        ("2024-02-29", date(2024, 2, 29)),
    ],
)
def test_a_date_is_read(text: str, expected: date) -> None:
    assert _values.day(text) == (expected, None)


NO_DATES = (
    "~2015|C20|before 2010|2010s|03/05/2019|2023-02-29|2019-13-01|1066|9999-01-01|2019..2020|"
)


@pytest.mark.parametrize("text", [*NO_DATES.split("|"), "2019-05-03 or later, who knows, perhaps"])
def test_what_is_no_exact_date_has_a_reason(text: str) -> None:
    value, reason = _values.day(text)
    assert value is None
    assert reason


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Town", "town"),
        ("street lamp", "street_lamp"),
        ("wall", "wall"),
        ("Bürgersteig", "bürgersteig"),
    ],
)
def test_a_word_is_small_with_underscores(text: str, word: str) -> None:
    assert _values.word(text) == (word, None)


def test_of_several_words_the_first_is_used_and_said_so() -> None:
    value, reason = _values.word("area,street")
    assert value == "area"
    assert reason == "several values: the first is used"


@pytest.mark.parametrize("text", ["", ";", "360", "<b>wall</b>", "w" * 41, "who? me"])
def test_what_is_no_word_has_a_reason(text: str) -> None:
    value, reason = _values.word(text)
    assert value is None
    assert reason


@pytest.mark.parametrize(
    ("text", "across"),
    [("1920x1080", 1920), ("2560 × 1440", 2560), ("1080p", 1920), ("720p", 1280)],
)
def test_pixels_across_the_picture(text: str, across: int) -> None:
    assert _values.pixels(text) == (across, None)


@pytest.mark.parametrize("text", ["4K", "5MP", "HD", "1x1", "999999x1", ""])
def test_no_width_is_made_of_what_does_not_say_it(text: str) -> None:
    assert _values.pixels(text)[0] is None


@pytest.mark.parametrize(
    ("text", "days"), [("30", 30), ("72 h", 3), ("2 weeks", 14), ("P30D", 30), ("7 days", 7)]
)
def test_retention_is_read_in_days(text: str, days: float) -> None:
    assert _values.retention_days(text) == (days, None)


@pytest.mark.parametrize("text", ["forever", "-1", "99999", ""])
def test_an_absurd_retention_has_a_reason(text: str) -> None:
    assert _values.retention_days(text)[0] is None


def test_a_tilt_is_no_field_of_view() -> None:
    assert _values.tilt("15°") == (15.0, None)
    assert _values.tilt("-90") == (-90.0, None)
    assert _values.tilt("120")[0] is None  # mappers who mean the field of view
    assert _values.field_of_view("120") == (120.0, None)
    assert _values.field_of_view("0")[0] is None
    assert _values.field_of_view("361")[0] is None


def test_folding_makes_spellings_meet() -> None:
    assert _values.fold("Übergröße ØSTŁÍ") == "ubergrosse ostli"
    assert _values.fold("İstanbul") == "istanbul"
    assert _values.fold("서울특별시") == "서울특별시"
