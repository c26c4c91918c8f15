"""The report in a real browser: it opens from disk, asks for nothing, and everyone can use it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

from sousveil.census import Census
from sousveil.report import render, timeline_html
from tests.report_census import history, town, with_history, with_lists, without_cameras

HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=2>"
SOFTWARE_GL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
READY = """() => {
  const map = window.sousveil?.map;
  return Boolean(map && map.loaded() && map.areTilesLoaded() && !map.isMoving());
}"""
SHOWN_ON_MAP = """() => window.sousveil.map
  .queryRenderedFeatures({ layers: ["marks", "rings"] })
  .map(({ properties: { i, cluster_id, n } }) => [`${i} ${cluster_id}`, n])
  .reduce((found, [key, n]) => found.set(key, n), new Map())  // a tile's edge repeats a feature
  .values().reduce((sum, n) => sum + n, 0)"""
SERIOUS = """async (rules) => (await axe.run(rules)).violations
  .filter((v) => ["serious", "critical"].includes(v.impact))
  .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join("; ")}`)"""
EVERY_RULE: dict[str, Any] = {}
CONTRAST = {"runOnly": ["color-contrast"]}  # all that the colours of the dark page can break

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        message = "no chromium: apt install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--headless=new", *SOFTWARE_GL]
        started = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="module")
def census() -> Census:
    # Two at one place, of which one bears a name that tries to be a script.
    same = {"lon": 11.5006, "lat": 48.1012, "operator_class": "public"}
    hostile = same | {"operator": HOSTILE, "zone": HOSTILE, "raw": f'{{"{HOSTILE}": "{HOSTILE}"}}'}
    return town(60, changes={0: hostile, 1: same})


@pytest.fixture(scope="module")
def report(census: Census, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(census), encoding="utf-8")
    return path


@pytest.fixture
def open_report(browser: Browser, report: Path) -> Iterator[Open]:
    """Open a report; when the test ends, check that it asked for nothing and had no error."""
    pages: list[Page] = []
    faults: list[str] = []

    def opened(
        path: Path = report, *, script: str = "", map_ready: bool = True, **how: Any
    ) -> Page:
        context = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | how))
        page = context.new_page()
        pages.append(page)
        page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else 0)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: faults.append(r.url) if _is_outside(r.url, path) else None)
        if script:
            page.add_init_script(script)
        page.goto(path.as_uri())
        if map_ready:
            _wait(page, READY)
        return page

    yield opened
    for page in pages:
        page.context.close()
    assert faults == []


def _is_outside(url: str, path: Path) -> bool:
    return not url.startswith(("data:", "blob:")) and url != path.as_uri()


def _wait(page: Page, condition: str) -> None:
    # Not page.wait_for_function, which evaluates a string, as the page's policy forbids.
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def test_it_opens_from_disk_and_shows_every_camera(open_report: Open, census: Census) -> None:
    page = open_report()
    assert page.evaluate(SHOWN_ON_MAP) == census.published.num_rows
    assert page.locator("#status").inner_text() == "All 60 cameras shown"
    buildings = 'window.sousveil.map.querySourceFeatures("background", {sourceLayer: "buildings"})'
    page.evaluate("window.sousveil.map.jumpTo({zoom: 15})")
    _wait(page, READY)
    assert page.evaluate(f"{buildings}.length") > 0
    assert "OpenStreetMap" in page.locator(".credit").inner_text()


def test_axe_finds_no_serious_fault_by_day_and_by_night(open_report: Open, census: Census) -> None:
    page = open_report(color_scheme="light")
    page.locator("#cameras-table tbody button").first.click()
    page.locator(".camera").wait_for()
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate(SERIOUS, EVERY_RULE) == []
    land = "window.sousveil.map.getPaintProperty('land', 'background-color')"
    light = page.evaluate(land)
    page.emulate_media(color_scheme="dark")
    _wait(page, f"() => {land} !== '{light}'")
    assert page.evaluate(SERIOUS, CONTRAST) == []
    page.locator("#reset").click()
    _wait(page, f"() => ({SHOWN_ON_MAP})() === {census.published.num_rows}")


def test_lists_and_timeline_are_for_everyone(open_report: Open, tmp_path: Path) -> None:
    paths = [tmp_path / "report.html", tmp_path / "timeline.html"]
    several = with_history(with_lists(town(12, 2)))
    paths[0].write_text(render(several), encoding="utf-8")
    page_of_a_register = timeline_html(history(), register="r", sources=several.sources)
    paths[1].write_text(page_of_a_register, encoding="utf-8")
    for path in paths:
        page = open_report(path, map_ready=False, viewport={"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.evaluate(AXE_SCRIPT)
        assert page.evaluate(SERIOUS, EVERY_RULE) == []
        page.emulate_media(color_scheme="dark")
        assert page.evaluate(SERIOUS, CONTRAST) == []
        page.emulate_media(media="print")
        shown = [drawing.is_visible() for drawing in page.locator("#chart-by-date svg").all()]
        assert shown == [True, False]  # the wide one is for wide screens


def test_a_phone_never_scrolls_sideways(open_report: Open) -> None:
    page = open_report(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator(".filter-box summary").click()
    page.locator("#cameras-table tbody button").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_keyboard_alone_is_enough(open_report: Open) -> None:
    page = open_report()
    focused = "(selector) => document.activeElement.matches(selector)"

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(focused, selector):
                return
        raise AssertionError(f"the keyboard does not reach {selector}")

    tab_to("input[data-facet=kind]")
    page.keyboard.press("Space")
    status = page.locator("#status").inner_text()
    assert status.endswith("of 60 cameras shown")
    tab_to("canvas.maplibregl-canvas")
    page.keyboard.press("Enter")
    _wait(page, READY)  # a group opens by coming closer, a camera by telling of itself
    tab_to("#cameras-table tbody button")
    page.keyboard.press("Enter")
    assert page.locator(".camera h3").is_visible()
    assert page.evaluate("document.activeElement.closest('.maplibregl-popup') !== null")
    page.keyboard.press("Escape")
    assert page.locator(".maplibregl-popup").count() == 0
    assert page.evaluate(focused, "#cameras-table tbody button")


def test_directions_are_drawn_close_by_from_the_start_or_after_zooming(
    open_report: Open, census: Census, tmp_path: Path
) -> None:
    drawn = """() => new Set(window.sousveil.map.queryRenderedFeatures({ layers: ["wedges"] })
      .map(({ geometry }) => geometry.coordinates.join(" "))).size"""
    few = tmp_path / "few.html"
    exact = {"operator_class": "public", "bearings": [90.0]}
    few.write_text(render(town(4, 2, changes=dict.fromkeys(range(4), exact))), encoding="utf-8")
    _wait(open_report(few), f"() => ({drawn})() === 4")
    page = open_report()
    page.evaluate("window.sousveil.map.jumpTo({zoom: 5})")
    _wait(page, READY)
    assert page.evaluate(drawn) == 0
    [i, *_] = [
        row
        for row in census.published.to_pylist()
        if row["bearings"] and row["coordinates"] == "exact"
    ]
    page.evaluate(f"window.sousveil.map.jumpTo({{zoom: 18, center: [{i['lon']}, {i['lat']}]}})")
    _wait(page, f"() => ({drawn})() > 0")
    page.emulate_media(color_scheme="dark")
    _wait(page, READY)
    _wait(page, f"() => ({drawn})() > 0")


def test_filters_search_and_order_agree_with_the_register(
    open_report: Open, census: Census
) -> None:
    page = open_report()
    rows = census.published.to_pylist()
    public = page.locator("label", has_text="Public body").locator("input")
    public.uncheck()
    left = [row for row in rows if row["operator_class"] != "public"]
    assert page.locator("#status").inner_text() == f"{len(left)} of 60 cameras shown"
    assert page.locator("#page").inner_text().endswith(f"of {len(left)}")
    _wait(page, f"() => ({SHOWN_ON_MAP})() === {len(left)}")
    page.locator("#search").fill("shop")
    found = [r for r in left if "shop" in f"{r['operator']} {r['zone']}".lower()]
    _wait(
        page, f'() => document.getElementById("status").textContent.startsWith("{len(found)} of")'
    )
    page.locator("#clear").click()
    assert page.locator("#status").inner_text() == "All 60 cameras shown"
    page.locator("#cameras-table thead button", has_text="Height").click()
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Height")
    heights = page.locator("#cameras-table tbody td:nth-child(7)").all_inner_texts()
    known = sorted(h for h in census.published["height_m"].to_pylist() if h is not None)
    assert heights == [f"{h:g} m" for h in known[: len(heights)]]


def test_names_with_scripts_are_text_also_where_cameras_share_a_place(open_report: Open) -> None:
    page = open_report()
    page.evaluate("window.sousveil.map.jumpTo({center: [11.5006, 48.1012], zoom: 18})")
    _wait(page, READY)
    page.locator("#map canvas").click()  # in its middle
    assert page.locator(".which").inner_text().replace("\n", " ").strip() == "‹ 1 of 2 here ›"
    seen = {page.locator(".camera a").get_attribute("href")}
    page.locator(".which button").last.click()
    seen.add(page.locator(".camera a").get_attribute("href"))
    assert seen == {f"https://www.openstreetmap.org/node/{n}" for n in (1000, 1001)}
    page.locator("#search").fill("pwned")
    _wait(page, '() => document.getElementById("status").textContent.startsWith("1 of")')
    page.locator("#cameras-table tbody button").first.click()
    page.locator(".camera summary").click()
    assert page.locator(".camera dd", has_text=HOSTILE).count() >= 2
    assert page.locator("img").count() == 0
    assert page.evaluate("window.pwned === undefined")


def test_print_has_the_still_picture_and_no_controls(open_report: Open) -> None:
    page = open_report()
    page.emulate_media(media="print")
    assert page.locator("svg.still").is_visible()
    for hidden in ("#map", ".controls", "#list", ".masthead nav"):
        assert not page.locator(hidden).is_visible(), hidden
    for shown in ("#charts", "#tables", "#method", "#limits", "#sources"):
        assert page.locator(shown).is_visible(), shown


def test_without_webgl_the_still_picture_stands_in(open_report: Open) -> None:
    no_webgl = """
      const real = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind.startsWith("webgl") ? null : real.call(this, kind, ...rest);
      };"""
    page = open_report(script=no_webgl, map_ready=False)
    page.locator("#cameras-table tbody button").first.click()
    assert page.locator("svg.still").is_visible()
    assert not page.locator("#map").is_visible()
    assert page.locator("dialog .camera h3").is_visible()


def test_a_report_without_cameras_has_no_empty_parts(open_report: Open, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text(render(without_cameras()), encoding="utf-8")
    page = open_report(path, map_ready=False)
    assert "No camera is mapped" in page.locator(".answer").inner_text()
    assert page.locator("canvas, svg, #map-section, #charts").count() == 0
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate(SERIOUS, EVERY_RULE) == []
