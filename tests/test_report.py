"""The report as a page of text: its words, what it holds and, above all, what it must not hold."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pytest
import shapely

from sousveil.census import FILES, Census
from sousveil.records import STREETS
from sousveil.report import (
    _charts,
    _labels,
    _limits,
    _map,
    _static,
    _text,
    _tiles,
    _words,
    main_sentences,
    render,
    summary_html,
)
from tests.report_census import BLOCK_DEG, SOUTH_WEST, renamed, town, without_cameras

HOSTILE = """</script><script>alert(1)</script><img src=x onerror=alert(2)>"&'\u2028"""


class _Page(HTMLParser):
    """Collects scripts, styles, text and the attributes that could load something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.loads: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.policy = ""
        self.text = ""
        self._inside: tuple[str, dict[str, str | None]] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [found["id"] or ""] if "id" in found else []
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""
        self.loads += [(tag, found[a] or "") for a in ("src", "href") if a in found and tag != "a"]
        self._inside = (tag, found) if tag in ("script", "style") else None

    def handle_endtag(self, tag: str) -> None:
        self._inside = None

    def handle_data(self, data: str) -> None:
        match self._inside:
            case ("script", attrs):
                self.scripts.append((attrs, data))
            case ("style", _):
                self.styles.append(data)
            case _:
                self.text += data

    def json(self) -> dict[str, Any]:
        [found] = [text for attrs, text in self.scripts if attrs.get("id") == "cameras-data"]
        answer: dict[str, Any] = json.loads(found)
        return answer


@pytest.fixture(scope="module")
def census() -> Census:
    return town(
        60,
        changes={
            0: {"operator": HOSTILE, "operator_class": "public", "raw": json.dumps({HOSTILE: "x"})},
            1: {
                "operator_class": "private",
                "lon": 11.5012345,
                "lat": 48.1012345,
                "bearings": [9.0],
            },
            2: {"private_home": True, "operator_class": "private", "operator": "Anna Privatfrau"},
        },
    )


@pytest.fixture(scope="module")
def html(census: Census) -> str:
    return render(census)


@pytest.fixture(scope="module")
def page(html: str) -> _Page:
    return _Page(html)


def test_the_answer_and_the_rates_are_worded_by_the_numbers(census: Census, page: _Page) -> None:
    summary = census.summary
    assert _text.answer(summary) == (
        f"At least **60** cameras are mapped in the part of Exampleton that the data covers "
        f"({summary['area_km2']:.2g} km²) as of 1 May 2026."
    )
    metres = round(1000 * summary["street_km"] / 60)
    rates = _text.figures(summary)[0]
    assert f"one for every **{metres} metres** of street" in rates
    assert f"**{60 / summary['area_km2']:.0f}** per km²" in rates
    assert "**2.4** per 1,000 people" in rates  # 60 of 25,000
    assert rates.startswith("That is at least")
    sentences = main_sentences(census)
    assert sentences[0].startswith("At least 60 cameras are mapped")
    assert len(sentences) == 7
    for sentence in sentences:
        assert "**" not in sentence
        assert sentence in page.text


def test_owners_are_never_called_absent_but_not_recorded() -> None:
    of_four = town(4, changes={i: {"operator_class": c} for i, c in enumerate(
        ("private", "private", "private", "unknown"))})  # fmt: skip
    assert _text.figures(of_four.summary)[1] == (
        "As far as recorded, **none** are run by public bodies, **75%** privately; "
        "of **25%** nobody has recorded who runs them."
    )
    unknown = town(3, changes={i: {"operator_class": "unknown"} for i in range(3)})
    assert _text.figures(unknown.summary)[1] == "Nobody has recorded who runs **any of them**."


@pytest.mark.parametrize(
    ("part", "whole", "written"),
    [(1, 1000, "under 1%"), (999, 1000, "over 99%"), (0, 5, "0%"), (5, 5, "100%"), (1, 3, "33%"),
     (0, 0, "–")],
)  # fmt: skip
def test_shares_never_turn_some_into_none_or_all(part: int, whole: int, written: str) -> None:
    assert _words.percent(part, whole) == written


@pytest.mark.parametrize(
    ("value", "sentence", "table"),
    [(1234.5, "1,234", "1,234"), (77.92, "78", "77.92"), (2.7078, "2.7", "2.708"), (3.0, "3", "3"),
     (0.0314, "0.031", "0.0314"), (2.04, "2", "2.04")],
)  # fmt: skip
def test_numbers_are_short_in_sentences_and_full_in_tables(
    value: float, sentence: str, table: str
) -> None:
    assert (_words.number(value), _words.precise(value)) == (sentence, table)


def test_dates_and_lists_read_as_english() -> None:
    assert _words.day(date(2020, 7, 20)) == "20 July 2020"
    assert _words.listed(["a", "b", "c"]) == "a, b and c"
    assert _words.listed(["a"]) == "a"


def test_limits_and_method_stand_in_the_page(census: Census, page: _Page) -> None:
    for heading, text in _limits.limits(census.summary) + _limits.method(census.summary):
        assert heading in page.text
        assert text in page.text
    unknown = census.summary["cameras"]["by_operator_class"]["unknown"]
    assert f"Of {_words.of_all(unknown, 60)} nobody has recorded the operator" in page.text
    assert "Every row could be used; 1 value of cameras that are counted" in page.text
    assert "no direction" in page.text  # the reason in the quarantine


def test_limits_know_all_and_none() -> None:
    def headings(owner: str) -> dict[str, str]:
        changes = {i: {"operator_class": owner, "bearings": [1.0]} for i in range(3)}
        return dict(_limits.limits(town(3, 2, changes=changes).summary))

    assert "Nobody has recorded" in headings("unknown")["Who runs them"]
    assert "can err" in headings("public")["Who runs them for certain"]
    assert headings("public")["Where they look"].startswith("Domes")


def test_files_are_those_that_the_census_writes(page: _Page) -> None:
    assert set(_limits.FILES) == set(FILES.values())
    assert all(name in page.text for name in FILES.values())


def test_the_page_allows_no_request_and_no_script_but_its_own(page: _Page) -> None:
    directives = dict(part.strip().split(" ", 1) for part in page.policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in page.policy
    assert "http" not in page.policy

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    run = [text for attrs, text in page.scripts if "type" not in attrs]
    assert directives["script-src"].split() == [digest(text) for text in run]
    assert directives["style-src"].split() == [digest(text) for text in page.styles]
    assert page.loads == [("link", "data:,")]
    assert not any("sourceMappingURL" in text for text in run)


def test_names_are_text_and_cannot_end_the_data(html: str, page: _Page) -> None:
    assert HOSTILE not in html
    assert "<img src=x" not in html
    words = page.json()["cameras"]["texts"]["operator"]["words"]
    assert HOSTILE in words
    assert HOSTILE in page.text  # in the table of operators, escaped
    assert HOSTILE in page.json()["cameras"]["tags"]["words"]
    hostile = render(renamed(town(1, 2), HOSTILE))
    assert HOSTILE not in hostile
    assert HOSTILE in _Page(hostile).text


def test_homes_and_exact_places_of_private_operators_are_not_in_the_page(
    html: str, page: _Page, census: Census
) -> None:
    assert "Anna Privatfrau" not in html
    cameras = page.json()["cameras"]
    assert cameras["n"] == census.published.num_rows == 59
    assert "11501234" not in html
    assert 11_501_000 in cameras["lon"]
    assert "node/1001" not in html  # the private one
    assert "node/1002" not in html  # the private home
    assert "1 camera of a private home is left out" in page.text


def test_the_outline_gives_no_private_camera_away() -> None:
    # Outside the covered area the census adds a square around each camera, centred on it.
    lon, lat = 11.4901234, 48.0951234
    away = town(30, 4, changes={0: {"lon": lon, "lat": lat, "operator_class": "private"}})
    camera = shapely.Point(lon, lat)
    assert away.place.boundary.contains(camera)
    shown = shapely.geometry.shape(_Page(render(away)).json()["boundary"])
    assert shown.area > 0
    assert shown.distance(camera) > 0.001


def test_the_columns_of_the_page_are_the_published_cameras(page: _Page, census: Census) -> None:
    payload = page.json()
    cameras, codes = payload["cameras"], payload["words"]["codes"]
    for i, row in enumerate(census.published.to_pylist()):
        assert cameras["lon"][i] == pytest.approx(row["lon"] * 1e6, abs=0.51)
        assert cameras["lat"][i] == pytest.approx(row["lat"] * 1e6, abs=0.51)
        kind = codes["kind"][cameras["codes"]["kind"][i]]
        assert kind == _words.KINDS[row["kind"] or "unknown"]
        owner = codes["operator_class"][cameras["codes"]["operator_class"][i]]
        assert owner == _words.OWNERS[row["operator_class"]]
        zone = cameras["texts"]["zone"]
        place = zone["rows"][i]
        assert (zone["words"][place - 1] if place else None) == row["zone"]
        assert (cameras["bearings"][i] or None) == row["bearings"]
        assert cameras["objects"][i] == " ".join(row["native_ids"])
        assert cameras["rounded"][i] == (row["coordinates"] == "rounded")


def test_objects_that_are_not_of_openstreetmap_are_no_links() -> None:
    assert _map._objects(["node/12", "javascript:alert(1)", "row 7", "way/3"]) == "node/12 way/3"


def test_no_camera_is_said_plainly(tmp_path: Path) -> None:
    html = render(without_cameras())
    page = _Page(html)
    assert "No camera is mapped in the part of Exampleton" in page.text
    assert "That does not mean that there is none" in page.text
    assert "<svg" not in html
    assert "map-section" not in page.ids
    assert "charts" not in page.ids
    assert not page.scripts
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    assert "No camera" in summary_html(without_cameras())


def test_cameras_of_which_none_may_be_shown_still_count() -> None:
    homes = town(2, 2, changes={i: {"private_home": True} for i in range(2)})
    page = _Page(render(homes))
    assert "At least 2 cameras are mapped" in page.text
    assert "map-section" not in page.ids
    assert "charts" in page.ids


def test_the_same_census_is_the_same_page(census: Census, html: str) -> None:
    assert render(census) == html


def test_ids_are_unique(page: _Page) -> None:
    assert len(page.ids) == len(set(page.ids))


def test_the_fragment_for_notebooks_holds_the_figures_and_no_script(census: Census) -> None:
    fragment = summary_html(renamed(census, HOSTILE))
    parsed = _Page(fragment)
    assert not parsed.scripts
    assert not parsed.styles
    assert HOSTILE in parsed.text
    assert "At least 60 cameras" in parsed.text
    assert len(fragment) < 5_000


# Charts


def test_charts_take_their_colours_from_the_page(census: Census) -> None:
    for chart in _charts.charts(census.summary):
        assert 'fill="var(--' in chart.svg
        assert not re.search(r'fill="(#|rgb|black|white)', chart.svg)
        assert "clip-path" not in chart.svg  # its ids would clash between charts


def test_bars_are_as_long_as_their_numbers() -> None:
    bars = [_charts.Bar("<b>one</b>", 30), _charts.Bar("other", 15), _charts.Bar("other", 0)]
    svg = _charts._svg(bars, 60)
    widths = [float(w) for w in re.findall(r'd="M0,[\d.]+h([\d.]+)v15', svg)]
    assert widths[:2] == pytest.approx([_charts._BAR_PX, _charts._BAR_PX / 2])
    assert "&lt;b&gt;one&lt;/b&gt;" in svg
    assert "30 · 50%" in svg


def test_a_chart_of_which_nothing_is_known_is_a_sentence() -> None:
    bare = town(2, 2, changes={i: {"mount": None} for i in range(2)})
    mount = next(chart for chart in _charts.charts(bare.summary) if chart.name == "mount")
    assert mount.svg == ""
    assert mount.note == "Not recorded of any camera."


def test_rare_values_are_joined_and_none_is_lost() -> None:
    counts = {f"zone_{i}": 20 - i for i in range(15)} | {"unknown": 7}
    bars = _charts._bars(counts)
    assert len(bars) == 10
    assert bars[-2] == _charts.Bar("7 others", sum(20 - i for i in range(8, 15)))
    assert sum(bar.n for bar in bars) == sum(counts.values())


# Background


def test_tiles_hold_every_street_and_building(census: Census, tmp_path: Path) -> None:
    tiles = _tiles.background(census.streets, census.buildings)
    assert tiles is not None
    found: dict[str, int] = {"streets": 0, "buildings": 0}
    for i in range(0, len(tiles.places), 5):
        z, x, y, offset, length = tiles.places[i : i + 5]
        if z != _tiles.MAX_ZOOM:
            continue
        pbf = tmp_path / f"{x}-{y}.pbf"
        pbf.write_bytes(gzip.decompress(base64.b64decode(tiles.data[offset : offset + length])))
        for layer in found:
            # GDAL's reader of vector tiles: coordinates of 4,096 units a tile, from its south.
            shapes = geopandas.read_file(pbf, layer=layer).geometry
            inside = shapes.centroid.x.between(0, 4096) & shapes.centroid.y.between(0, 4096)
            found[layer] += int(inside.sum())
    assert found["buildings"] == census.buildings.num_rows
    # Streets that cross the edge of a tile are cut in two.
    assert found["streets"] >= census.streets.num_rows


def test_nothing_to_draw_makes_no_tiles(census: Census) -> None:
    assert _tiles.background(census.streets.slice(0, 0), census.buildings.slice(0, 0)) is None


def test_lesser_streets_go_first_when_there_are_too_many(
    census: Census, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_tiles, "MAX_STREETS", 12)
    classes = _tiles.street_class(census.streets)
    kept, kept_classes = _tiles._greatest_streets(census.streets, classes)
    assert kept.num_rows == 12
    assert set(kept_classes) == {0}  # the twelve pieces of the two primary streets


def _streets(*lines: tuple[str, list[tuple[float, float]]]) -> pa.Table:
    rows = [
        {
            "street_id": f"way/{i}",
            "highway": "residential",
            "name": name,
            "geometry": shapely.to_wkb(shapely.LineString(line)),
        }
        for i, (name, line) in enumerate(lines)
    ]
    return pa.Table.from_pylist(rows, schema=STREETS)


def test_names_stand_in_the_middle_of_the_joined_street_and_upright() -> None:
    # On the equator a degree is 111,319 m on both axes of Web Mercator.
    d = 0.001
    streets = _streets(
        ("East", [(0, 0), (d, 0)]),
        ("East", [(2 * d, 0), (d, 0)]),  # mapped the other way round
        ("North", [(1, 0), (1, 2 * d)]),
        ("Diagonal", [(3, 2 * d), (3 + 2 * d, 0)]),
    )
    labels = _labels.street_labels(streets, rank=np.zeros(4, dtype=np.int64))
    by_name = {label["name"]: label for label in labels}
    assert len(labels) == 3
    assert by_name["East"]["lon"] == pytest.approx(d)
    assert by_name["East"]["angle"] == 0
    assert abs(by_name["North"]["angle"]) == 90
    assert by_name["Diagonal"]["angle"] == 45  # falls to the south-east: clockwise


def test_a_name_waits_for_the_zoom_at_which_it_fits() -> None:
    # 222 m at zoom z are 222 / 40,075,017 x 512 x 2^z pixels.
    d = 0.002
    for name in ("Elm", "A street with quite a long name"):
        [label] = _labels.street_labels(
            _streets((name, [(0, 0), (d, 0)])), rank=np.zeros(1, dtype=np.int64)
        )
        pixels = d / 360 * 512 * 2.0 ** label["zoom"]
        needed = _labels._width_px(name)
        assert pixels >= needed > pixels / 2


def test_unnamed_streets_have_no_label() -> None:
    streets = _streets(("", [(0, 0), (0.01, 0)]))
    assert _labels.street_labels(streets, rank=np.zeros(1, dtype=np.int64)) == []


# The still picture


def test_the_picture_shows_each_place_and_no_direction_of_a_rounded_camera(
    census: Census,
) -> None:
    published = census.published
    view = _map.view(published, census.place.boundary, None)
    svg = _static.picture(published, census.streets, census.place.boundary, view)
    rows = published.to_pylist()
    assert svg.count("<circle") <= len(rows)
    wedges = sum(
        path.count("M") for path in re.findall(r'<path class="wedge \w+" d="([^"]*)"', svg)
    )
    exact = [r for r in rows if r["coordinates"] == "exact"]
    assert wedges == sum(len(r["bearings"] or []) for r in exact)
    assert 'class="wedge private"' not in svg


def test_many_cameras_become_cells_that_hold_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_static, "MOST_CAMERAS", 10)
    many = town(200, 3)
    view = _map.view(many.published, None, None)
    svg = _static.picture(many.published, many.streets, None, view)
    assert 'class="dot' not in svg
    assert 0 < svg.count('class="cell') < 200


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    # A view of 2 km at the equator; 1 degree is 111,320 m.
    side = 1000 / 111_320
    frame = _static.frame_of([-side, -side, side, side])
    bar = _static.scale_bar(frame)
    [label] = re.findall(r">(\d+) m<", bar)
    [units] = re.findall(r"v8h(\d+)v-8", bar)
    metres_per_unit = 2000 / ((side * 2) * frame.x_per_deg)
    assert int(units) * metres_per_unit == pytest.approx(int(label), rel=0.02)


def test_a_camera_far_away_does_not_shrink_the_map() -> None:
    far = town(200, 4, changes={0: {"lon": 12.9, "operator_class": "public"}})
    west, _, east, _ = _map.view(far.published, None, None) or []
    assert east - west <= 4 * BLOCK_DEG + 0.001  # some are rounded to that
    assert west >= SOUTH_WEST[0] - 0.001


def test_a_real_census_stays_small(shared_data: Path) -> None:
    import sousveil as sv

    html = render(sv.census(shared_data / "osm" / "munich_2020-07.osm.pbf"))
    assert len(html.encode()) < 3_000_000
