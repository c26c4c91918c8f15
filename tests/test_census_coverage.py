"""A census that also says what its cameras see: the same figures, on the map and in tables."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page
from typer.testing import CliRunner

import sousveil as sv
from sousveil.census import FILES, _covered
from sousveil.cli import app
from sousveil.coverage import Coverage
from sousveil.coverage._files import FILES as COVERAGE_FILES
from sousveil.errors import UnusableInput
from sousveil.records import LEVELS
from sousveil.report import _layers, _limits, render
from tests.osm_files import CAMERA, node, write
from tests.report_census import town
from tests.test_report_browser import (
    CONTRAST,
    EVERY_RULE,
    READY,
    SERIOUS,
    Open,
    _wait,
    browser,
    chromium,
    open_report,
)
from tests.towns import small_town

__all__ = ["browser", "chromium", "open_report"]

HOW: dict[str, Any] = {"draws": 12, "seed": 3}
QUIET = lambda _: None  # noqa: E731


@pytest.fixture(scope="module")
def extract(shared_data: Path) -> Path:
    return shared_data / "osm" / "munich_2020-07.osm.pbf"


@pytest.fixture(scope="module")
def munich(extract: Path) -> sv.Census:
    return sv.census(extract, coverage=True, **HOW)


@pytest.fixture(scope="module")
def alone(extract: Path) -> Coverage:
    """What the command for coverage alone says of the same source."""
    return sv.coverage(extract, **HOW)


@pytest.fixture(scope="module")
def html(munich: sv.Census) -> str:
    return munich.to_html()


def text_of(html: str) -> str:
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", shown.replace("</t", " </t"))).split())


def cells(html: str, caption: str) -> dict[str, list[str]]:
    """Return a table of the report: the cells of each row by its head."""
    [body] = re.findall(rf'aria-label="{caption}">.*?<tbody>(.*?)</tbody>', html, flags=re.DOTALL)
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>")]
    return {unescape(row[0]): row[1:] for row in rows if row}


def stretches(html: str) -> dict[str, Any]:
    [data] = re.findall(r'id="stretches-data">(.*?)</script>', html)
    found: dict[str, Any] = json.loads(data)
    return found


def test_it_says_what_the_command_for_coverage_says(munich: sv.Census, alone: Coverage) -> None:
    assert munich.coverage is not None
    assert munich.coverage.summary == alone.summary == munich.summary["coverage"]
    assert json.loads(json.dumps(munich.summary["coverage"])) == munich.summary["coverage"]
    for name in ("streets", "views", "visible"):
        assert getattr(munich.coverage, name).equals(getattr(alone, name)), name
    assert np.array_equal(munich.coverage.share_km, alone.share_km)


def test_streets_are_as_long_as_the_census_says(munich: sv.Census) -> None:
    assert munich.coverage is not None
    seen = munich.coverage.summary
    for ways, whole in (("street", munich.place.street_km), ("footway", munich.place.footway_km)):
        ours = seen[f"{ways}_km"] + seen["hidden_km"][f"{ways}s"]
        assert ours == pytest.approx(whole, rel=5e-4)
    said = text_of(munich.to_html())
    assert f"Of {munich.summary['street_km']:,.1f} km of street (without tunnels" in said


def test_the_report_shows_those_figures(html: str, alone: Coverage) -> None:
    shares = cells(html, "Share of the length that is seen")
    words = {"moment": "seen at a random moment", "could": "could be seen"}
    by = {"any": "any camera", "public": "cameras known to be public",
          "private": "cameras known to be private",
          "unknown": "cameras of unknown owner"}  # fmt: skip
    checked = 0
    for row in alone.summary["seen"]:
        if row["ways"] == "all":
            continue
        name = f"{row['ways'].title()} · {words[row['question']]} · {by[row['by']]}"
        said = shares[name][LEVELS.index(row["level"])]
        most = f"; up to {row['high']:.1%}" if row["by"] in ("public", "private") else ""
        assert row["low"] <= row["high_known"] <= row["high"]
        assert bool(most) or row["high_known"] == row["high"]
        assert said == f"{row['share']:.1%} ({row['low']:.1%} to {row['high_known']:.1%}){most}"
        checked += 1
    assert checked == sum(map(len, shares.values())) == 2 * 2 * 4 * 4


def test_tables_and_map_are_those_of_the_stretches(html: str, alone: Coverage) -> None:
    # Added up from streets.parquet, without the code that makes the page.
    table = alone.streets.to_pandas()
    detect = table[table["level"] == "detect"]
    ways = detect[detect["is_street"]]
    share = (ways["could"] * ways["length_m"]).sum() / ways["length_m"].sum()
    said = cells(html, "Share of the length that is seen")["Streets · could be seen · any camera"][
        0
    ]
    assert float(said.split("%")[0]) == pytest.approx(100 * share, abs=0.06)
    streets = cells(html, "Streets by name")
    assert len(streets) > 50
    for name in ("Marienplatz", "Kaufingerstraße", *list(streets)[:3]):
        of_name = detect[detect["name"] == name]
        along = (of_name["could"] * of_name["length_m"]).sum() / of_name["length_m"].sum()
        assert streets[name][0] == f"{of_name['length_m'].sum():,.0f}"
        assert streets[name][1] == f"{along:.0%}"
    features = stretches(html)["stretches"]["features"]
    assert len(features) == (detect["could"] >= 0.01).sum()
    columns = ("could", "probability", "public", "private", "unknown")
    shown = {f"{column}_{level}" for column in columns for level in LEVELS}
    first = detect[detect["could"] >= 0.01].iloc[0]
    assert features[0]["properties"]["name"] == first["name"]
    assert features[0]["properties"]["could_detect"] == round(100 * first["could"])
    assert {key for f in features for key in f["properties"]} - {"name"} <= shown


def test_the_words_change_with_it(munich: sv.Census, html: str) -> None:
    text = text_of(html)
    assert "Coverage is not computed here" not in text
    assert "computed, not observed" in text
    assert "is drawn 12 times from a table of assumptions" in text
    seen = munich.summary["coverage"]
    assert _limits.command(munich.summary).endswith("--coverage --draws 12 --seed 3 -o DIR")
    assert "coverage/coverage.html" in text
    homes = seen["cameras"]["private_homes_left_out"]
    assert homes == munich.summary["cameras"]["private_homes"] == 1
    assert "1 camera of a private home is left out: what is seen would show the place." in text


def test_the_rest_of_the_census_is_the_same_with_and_without(
    extract: Path, munich: sv.Census
) -> None:
    plain = sv.census(extract, seed=HOW["seed"])
    assert plain.coverage is None
    assert plain.summary["coverage"] is None
    assert munich.summary | {"coverage": None} == plain.summary
    html = plain.to_html()
    assert "Coverage is not computed here" in html
    for mark in ("stretches-data", 'id="seen', "cover-", "describeStretch", "--seen-"):
        assert mark not in html, mark


def test_files_stand_in_a_folder_of_their_own_and_go_with_it(
    seen_town: sv.Census, tmp_path: Path
) -> None:
    plain = replace(seen_town, coverage=None, summary=seen_town.summary | {"coverage": None})
    written = seen_town.write(tmp_path / "out").summary["files"]
    kept = {file: (tmp_path / "out" / file).read_bytes() for file in FILES.values()}
    assert set(written) == {*FILES, "coverage"}
    _files_of_the_coverage_stand_there(
        written["coverage"], seen_town, tmp_path / "out" / "coverage"
    )
    assert set(plain.write(tmp_path / "out").summary["files"]) == set(FILES)
    assert not (tmp_path / "out" / "coverage").exists()
    for file in set(FILES.values()) - {"report.html"}:
        assert kept[file] == (tmp_path / "out" / file).read_bytes(), file


def _files_of_the_coverage_stand_there(
    files: dict[str, str], census: sv.Census, folder: Path
) -> None:
    assert census.coverage is not None
    assert files == {name: str(folder / file) for name, file in COVERAGE_FILES.items()}
    assert {path.name for path in folder.iterdir()} == set(COVERAGE_FILES.values())
    said = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert said == census.coverage.summary | {"files": files}
    table = pq.read_table(folder / "streets.parquet")
    assert table["could"].equals(census.coverage.streets["could"])


def test_without_the_flag_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, sousveil as sv\n"
        f"sv.census({str(small_town(tmp_path / 'town.osm.pbf'))!r}).to_html()\n"
        "print([m for m in ('numba', 'SALib', 'sousveil.coverage') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_command_writes_it_and_tells_of_it(tmp_path: Path) -> None:
    source = str(small_town(tmp_path / "town.osm.pbf"))
    asked = ["census", source, "-o", str(tmp_path / "out"), "--quiet"]
    told = CliRunner().invoke(app, [*asked, "--coverage"])
    assert told.exit_code == 0, told.output
    assert "could be seen by" in told.stdout
    written = json.loads((tmp_path / "out" / "coverage" / "summary.json").read_text())
    assert written["draws"] == 200
    assert CliRunner().invoke(app, [*asked, "--draws", "4"]).exit_code == 2


def test_what_cannot_be_done_is_said_in_one_line(tmp_path: Path) -> None:
    source = small_town(tmp_path / "town.osm.pbf")
    with pytest.raises(UnusableInput, match="--draws 5: is of --coverage"):
        sv.census(source, draws=5)
    with pytest.raises(UnusableInput, match="--draws -1: give 0 or more"):
        sv.census(source, coverage=True, draws=-1)
    no_streets = write(tmp_path / "cameras.osm", node(1, 11.5, 48.1, tags=CAMERA))
    with pytest.raises(UnusableInput, match="--coverage: no source has streets"):
        sv.census(no_streets, coverage=True)
    with pytest.raises(UnusableInput, match=r"cameras\.osm: has no streets"):
        sv.coverage(no_streets)


def test_a_list_that_may_not_be_passed_on_stops_the_files(
    tmp_path: Path, seen_town: sv.Census
) -> None:
    seen = seen_town.coverage
    assert seen is not None
    assert not seen.withheld
    seen = replace(seen, withheld={"a list": "nobody has said that its licence allows it"})
    with pytest.raises(UnusableInput, match=r"^a list: nobody has said .*--local-only"):
        seen.write(tmp_path / "out")
    assert not (tmp_path / "out").exists()
    seen.write(tmp_path / "out", local_only=True)
    assert (tmp_path / "out" / "coverage.html").is_file()


@pytest.fixture(scope="module")
def seen_town() -> sv.Census:
    home = {"private_home": True, "operator_class": "private"}
    return _covered(town(40, 4, changes={0: home}), 8, 0, QUIET)


def test_a_town_in_which_nobody_has_mapped_a_camera_has_a_report() -> None:
    census = _covered(town(0, 3), 4, 0, QUIET)
    text = text_of(census.to_html())
    assert "0.0% (0.0% to 0.0%) could be seen by 0 listed cameras" in text
    assert "stretches-data" not in census.to_html()  # no camera, no map


def test_the_middle_of_what_is_unknown_has_no_intervals() -> None:
    census = _covered(town(20, 3), 0, 0, QUIET)
    text = text_of(census.to_html())
    assert "from the middle of a table of assumptions" in text
    shares = cells(census.to_html(), "Share of the length that is seen")
    assert len(shares) == 16
    assert not any("(" in cell for row in shares.values() for cell in row)


def test_what_the_lists_miss_is_added_and_said(seen_town: sv.Census) -> None:
    assert seen_town.coverage is not None
    intro = _layers.section(seen_town.coverage).intro
    assert "at least" in intro
    more = _covered(seen_town, 8, 0, QUIET, "1.5/1.2/2")
    assert more.coverage is not None
    section = _layers.section(more.coverage)
    assert "1.5 (1.2 to 2) cameras for each listed one was stated" in section.intro
    # Listed and unlisted ones are told on one basis: outdoors, and not of homes.
    used, listed = more.coverage.summary["cameras"]["used"], more.cameras.num_rows
    assert used < listed
    low, high = 0.2 * used, 1.0 * used
    said = f"{used} listed cameras outdoors and {0.5 * used:,.0f} ({low:,.0f} to {high:,.0f}) that"
    assert said in section.sentences[0]


@pytest.fixture(scope="module")
def report(seen_town: sv.Census, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seen") / "report.html"
    path.write_text(render(seen_town), encoding="utf-8")
    return path


BANDS = """() => window.sousveil.map.queryRenderedFeatures(
  { layers: ["detect", "observe", "recognise", "identify"].map((level) => `band-${level}`) })"""


def opened(open_report: Open, **how: Any) -> Page:
    page = open_report(**({"viewport": {"width": 800, "height": 640}} | how))
    _wait(page, "() => !document.getElementById('seen-controls').hidden")
    _wait(page, READY)
    return page


def test_the_switch_shows_one_figure_or_none(open_report: Open, seen_town: sv.Census) -> None:
    page = opened(open_report)
    select = page.locator("#seen-figure")
    assert select.locator("option").count() == 6
    assert page.evaluate(f"({BANDS})().length") > 0
    colour = "window.sousveil.map.getPaintProperty('band-detect', 'line-color')"
    by_day = page.evaluate(colour)
    assert seen_town.coverage is not None
    for figure in ("private", "public", "probability"):
        select.select_option(figure)
        _wait(page, READY)
        drawn = page.evaluate(f"({BANDS})().map(({{properties: p, layer: l}}) => "
                              f"p['{figure}_' + l.id.slice(5)] ?? 0)")  # fmt: skip
        assert min(drawn) > 0
    assert page.locator("#seen-legend").is_visible()
    select.focus()
    page.keyboard.press("Home")  # by the keyboard alone
    _wait(page, f"() => ({BANDS})().length === 0")
    assert not page.locator("#seen-legend").is_visible()
    page.emulate_media(color_scheme="dark")
    _wait(page, f"() => {colour} && {colour} !== '{by_day}'")
    select.select_option("could")
    _wait(page, f"() => ({BANDS})().length > 0")


def test_a_stretch_tells_of_itself_to_mouse_and_keyboard(open_report: Open) -> None:
    page = opened(open_report)
    page.evaluate("window.sousveil.map.jumpTo({zoom: 17})")
    _wait(page, READY)
    page.locator("canvas.maplibregl-canvas").focus()
    page.keyboard.press("s")
    said = page.locator(".cover-popup")
    assert "Could be seen, by any camera" in said.inner_text()
    assert re.search(r"detect\s+\d+%", said.inner_text())
    page.keyboard.press("Escape")
    assert said.count() == 0
    at = page.evaluate(f"""() => {{
      const {{map}} = window.sousveil;
      const box = map.getCanvas().getBoundingClientRect();
      for (const {{geometry: g}} of ({BANDS})()) {{
        const line = g.type === "LineString" ? g.coordinates : g.coordinates[0];
        const {{x, y}} = map.project(line[0]);
        const clear = map.queryRenderedFeatures([[x - 9, y - 9], [x + 9, y + 9]],
          {{layers: ["marks", "rings"]}}).length === 0;
        if (clear && x > 60 && y > 60 && x < box.width - 60 && y < box.height - 60) return {{x, y}};
      }}
      return null;
    }}""")
    page.locator("canvas.maplibregl-canvas").click(position=at)
    said.wait_for()
    page.locator("#seen-figure").select_option("off")
    assert said.count() == 0


def test_the_page_of_the_coverage_draws_the_same_bands(
    open_report: Open, seen_town: sv.Census, tmp_path: Path
) -> None:
    assert seen_town.coverage is not None
    path = tmp_path / "coverage.html"
    path.write_text(seen_town.coverage.to_html(), encoding="utf-8")
    page = open_report(path, viewport={"width": 800, "height": 640}, color_scheme="dark")
    _wait(page, f"() => ({BANDS})().length > 0")
    page.locator("#cover-figure").select_option("private")
    _wait(page, READY)
    drawn = page.evaluate(f"({BANDS})().map(({{properties: p, layer: l}}) => "
                          "p['private_' + l.id.slice(5)] ?? 0)")  # fmt: skip
    assert min(drawn) > 0


def test_the_page_of_the_coverage_on_a_telephone_and_without_a_map(
    open_report: Open, seen_town: sv.Census, tmp_path: Path
) -> None:
    assert seen_town.coverage is not None
    path = tmp_path / "coverage.html"
    path.write_text(seen_town.coverage.to_html(), encoding="utf-8")
    page = open_report(path, script="HTMLCanvasElement.prototype.getContext = () => null;",
                       map_ready=False, viewport={"width": 390, "height": 844})  # fmt: skip
    assert page.locator("#cover-still svg").first.is_visible()
    assert not page.locator("#cover-map").is_visible()
    right = "() => Math.max(...[...document.querySelectorAll('td')].map(cell => {"
    right += "const range = document.createRange(); range.selectNodeContents(cell);"
    assert page.evaluate(right + "return range.getBoundingClientRect().right; }))") <= 390


def test_everyone_can_use_it(open_report: Open) -> None:
    page = opened(open_report, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("canvas.maplibregl-canvas").focus()
    page.keyboard.press("s")
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate(SERIOUS, EVERY_RULE) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(SERIOUS, CONTRAST) == []
    page.emulate_media(media="print")
    assert not page.locator("#seen-controls").is_visible()
    assert page.locator("#seen table").first.is_visible()
