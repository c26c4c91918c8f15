"""The private page in a real browser: it asks for nothing and everyone can use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

import sousveil as sv
from sousveil.exposure import Exposure
from sousveil.report.exposure import _from_to, _tables, duration, render
from tests.osm_files import CAMERA, node, way, write
from tests.test_exposure import along_street
from tests.test_report_browser import SERIOUS, chromium
from tests.towns import SOUTH, STEP, WEST, small_town

__all__ = ["chromium"]

HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=2>"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Exposure:
    folder = tmp_path_factory.mktemp("page")
    return sv.exposure(
        along_street(folder / "way.gpx"), small_town(folder / "town.osm.pbf"), draws=40
    )


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Open a page; when the test ends, check that it asked for nothing and had no error."""
    faults: list[str] = []
    opened: list[Page] = []

    def show(found: Exposure, **how: Any) -> Page:
        path = tmp_path / "report.html"
        path.write_text(render(found), encoding="utf-8")
        page = browser.new_context(
            **({"viewport": {"width": 1200, "height": 900}} | how)
        ).new_page()
        page.on("console", lambda m: faults.append(m.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: faults.append(r.url) if _outside(r.url, path) else None)
        page.goto(path.as_uri())
        opened.append(page)
        return page

    yield show
    for page in opened:
        page.context.close()
    assert faults == []


def _outside(url: str, path: Path) -> bool:
    return not url.startswith("data:") and url != path.as_uri()


def test_it_says_first_that_it_is_private(open_page: Any, walked: Exposure) -> None:
    page = open_page(walked)
    first = page.locator("main p").first.inner_text()
    assert first.startswith("Private. This is your own way. It was read and kept on this machine")
    assert page.locator("svg#way-map .dot").count() == len(
        {r["camera_id"] for r in walked.passes.to_pylist()}
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(open_page: Any, walked: Exposure, scheme: str) -> None:
    page = open_page(walked, color_scheme=scheme)
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate(SERIOUS, {}) == []


def test_a_phone_never_scrolls_sideways(open_page: Any, walked: Exposure) -> None:
    page = open_page(walked, viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_has_height_on_a_phone(open_page: Any, walked: Exposure, scheme: str) -> None:
    page = open_page(walked, viewport={"width": 390, "height": 844}, has_touch=True,
                     is_mobile=True, color_scheme=scheme)  # fmt: skip
    box = page.locator("svg#way-map").bounding_box()
    assert box["width"] > 340
    assert box["height"] == pytest.approx(box["width"], abs=2)
    assert box["height"] < 0.6 * 844  # the page can still be scrolled beside it
    streets = page.evaluate(
        "(() => { const all = [...document.querySelectorAll('#way-map .street')]"
        ".map(s => s.getBoundingClientRect());"
        "return [Math.min(...all.map(r => r.top)), Math.max(...all.map(r => r.bottom))]; })()"
    )
    assert streets[0] <= box["y"] + 0.1 * box["height"]
    assert streets[1] >= box["y"] + 0.9 * box["height"]
    width = "getComputedStyle(document.querySelector('#way-map .trace')).strokeWidth"
    assert float(page.evaluate(width).removesuffix("px")) * box["width"] / 1000 >= 3
    assert page.locator("svg#way-map text.scale:visible").count() == 1


def test_the_map_is_printed(open_page: Any, walked: Exposure) -> None:
    page = open_page(walked)
    page.emulate_media(media="print")
    assert page.locator("svg#way-map").is_visible()


def test_the_keyboard_moves_along_the_way_and_tells_its_figures(
    open_page: Any, walked: Exposure
) -> None:
    page = open_page(walked)
    page.locator("#moment").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    told = page.locator("#told").inner_text()
    row = walked.watchful.slice(12 * 4, 1).to_pylist()[0]
    moment = walked.moments.slice(12, 1).to_pylist()[0]
    seen = re.search(r": seen (under 1|\d+)%, could be seen (under 1|\d+)%", told)
    assert seen is not None
    for text, value in zip(seen.groups(), (row["probability"], row["could"]), strict=True):
        assert 0 < value < 0.01 if text == "under 1" else abs(int(text) - 100 * value) <= 0.51
    # The walk begins at 7:30 UTC; the clock is that of Helsinki.
    minute, second = divmod(round(moment["start_s"]), 60)
    assert told.startswith(f"09:{30 + minute:02d}:{second:02d}")
    page.locator("#closer").click()
    assert page.locator("svg#way-map").get_attribute("viewBox").split()[2] == "500.0"
    page.locator("#whole").click()
    assert page.locator("svg#way-map").get_attribute("viewBox").split()[2] == "1000.0"


def test_on_a_phone_each_value_has_the_name_of_its_column(open_page: Any, walked: Exposure) -> None:
    page = open_page(walked, viewport={"width": 390, "height": 844})
    shown = page.evaluate(
        "[...document.querySelectorAll('#tables td')].map((cell) => "
        "[getComputedStyle(cell, '::before').content, getComputedStyle(cell).display])"
    )
    heads = {head.strip('"') for head, _ in shown}
    assert {"Cameras that could", "Kept for", "Could"} <= heads
    assert "" not in heads
    assert "none" not in heads


def test_rows_of_cameras_that_do_not_count_are_marked(walked: Exposure) -> None:
    (table,) = [t for t in _tables(walked) if t["caption"].startswith("When each camera")]
    ids = [r["camera_id"] for r in walked.passes.to_pylist() if r["level"] == "detect"]
    counted = walked.summary["cameras"]["detect"]["could"]
    marked = [row for row in table["rows"] if row[-1].endswith("not counted")]
    assert (len(set(ids)) > counted) == bool(marked)
    assert ("Not counted" in table["note"]) == bool(marked)
    for row in table["rows"]:
        start, _, end = row[0].partition(" – ")
        assert start != end


@pytest.mark.parametrize(
    ("start_s", "end_s", "clock", "since"),
    [
        (5, 25, "17:11:05 – 17:11:25", "5 s – 25 s"),
        (5, 5, "17:11:05", "5 s"),
        (50, 130, "17:11 – 17:13", "1 min – 2 min"),
    ],
)
def test_a_time_within_a_minute_has_seconds(
    start_s: float, end_s: float, clock: str, since: str
) -> None:
    began = datetime(2026, 11, 24, 17, 11, tzinfo=UTC)
    assert _from_to(began, start_s, end_s) == clock
    assert _from_to(None, start_s, end_s) == since


def test_without_scripts_all_figures_are_there(open_page: Any, walked: Exposure) -> None:
    page = open_page(walked, java_script_enabled=False)
    text = page.locator("main").inner_text()
    told = walked.summary["cameras"]["detect"]
    assert f"{told['could']} cameras on record" in text
    assert f"({told['low']} to {told['high']})" in text
    assert page.locator("svg#way-map path.trace").count() > 1


def test_names_with_scripts_are_text(open_page: Any, tmp_path: Path) -> None:
    source = write(
        tmp_path / "hostile.osm.pbf",
        node(1, WEST, SOUTH),
        node(2, WEST + 6 * STEP, SOUTH),
        node(9, WEST + 3 * STEP, SOUTH + 0.0001,
             tags=CAMERA | {"operator": HOSTILE, "camera:direction": "180"}),
        way(1, [1, 2], tags={"highway": "residential", "name": HOSTILE}),
    )  # fmt: skip
    found = sv.exposure(along_street(tmp_path / "way.gpx", row=0), source, draws=20)
    page = open_page(found)
    page.locator("#moment").focus()
    page.keyboard.press("End")
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("img").count() == 0
    assert HOSTILE in page.locator("#told").inner_text()


def test_planned_ways_have_their_numbers_on_the_map(open_page: Any, tmp_path: Path) -> None:
    town = small_town(tmp_path / "town.osm.pbf")
    start, goal = (WEST + 0.2 * STEP, SOUTH), (WEST + 5.7 * STEP, SOUTH + 6 * STEP)
    found = sv.ways(start, goal, town, draws=20)
    page = open_page(found)
    assert found.ways is not None
    numbers = page.locator("svg#way-map text.many").all_text_contents()
    assert numbers == [str(n + 1) for n in range(found.ways.num_rows)]
    assert page.locator("table").first.locator("tbody tr").count() == found.ways.num_rows


def test_the_page_holds_only_what_may_be_in_it(walked: Exposure) -> None:
    html = render(walked)
    data = json.loads(re.findall(r'id="way-data">(.*?)</script>', html, re.DOTALL)[0])
    assert len(data["start"]) == walked.moments.num_rows
    policy = re.findall(r'Content-Security-Policy" content="(.*?)"', html)[0]
    assert policy.startswith("default-src &#39;none&#39;")
    assert "http:" not in html.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (45.4, "45 s"), (89, "89 s"), (90, "2 min"), (3599, "1 h"), (3900, "1 h 5 min")],
)
def test_times_are_written_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said
