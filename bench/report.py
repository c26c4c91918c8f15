"""How soon the report of a large place stands in the browser, and how smoothly its map moves.

A made-up town of 10,000 cameras and 100,000 streets and buildings; Chromium draws without a
graphics card, so a reader's machine is faster.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.report_census import town

from _measure import machine, write_section
from sousveil.report import render

CAMERAS = 10_000
BLOCKS = 180
RUNS = 5
OPEN = """() => new Promise((done, fail) => {
  setTimeout(() => fail(new Error("no map within a minute")), 60_000);
  const look = () => {
    const map = window.sousveil?.map;
    if (!map) { setTimeout(look, 5); return; }
    const idle = () => done(performance.now());
    if (map.loaded() && map.areTilesLoaded()) idle(); else map.once("idle", idle);
  };
  look();
})"""
# The work of the page's own thread in each frame: what is left to us where a graphics card draws.
PAN = """async () => {
  const map = window.sousveil.map;
  map.jumpTo({ zoom: map.getZoom() + 1 });
  await new Promise((done) => map.once("idle", done));
  const work = [];
  const draw = map._render.bind(map);
  map._render = (time) => {
    const start = performance.now();
    const drawn = draw(time);
    work.push(performance.now() - start);
    return drawn;
  };
  for (const x of [300, 300, -300, -300]) {
    map.panBy([x, x / 2], { duration: 700 });
    await new Promise((done) => map.once("moveend", done));
  }
  return work;
}"""


def main() -> None:
    census = town(CAMERAS, BLOCKS, buildings_per_block=1)
    start = time.perf_counter()
    html = render(census)
    render_s = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        path.write_text(html, encoding="utf-8")
        opened, frames = _in_browser(path)
    frames.sort()
    features = census.streets.num_rows + census.buildings.num_rows
    figures = {
        "render the page, s": (render_s, ""),
        "size of the page, MB": (len(html.encode()) / 1e6, ""),
        "open, median s": (statistics.median(opened) / 1000, "2"),
        "open, lowest s": (min(opened) / 1000, ""),
        "our work in a frame while panning, median ms": (statistics.median(frames), ""),
        "the same, 95th percentile ms": (frames[int(0.95 * len(frames))], ""),
    }
    rows = [{"figure": n, "measured": float(v), "bar": bar} for n, (v, bar) in figures.items()]
    note = (
        f"{machine()}. A made-up town of {CAMERAS:,} cameras, {features:,} streets and buildings; "
        f"Chromium without a graphics card, {RUNS} runs."
    )
    write_section("report", rows, note)


def _in_browser(path: Path) -> tuple[list[float], list[float]]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("bench/report.py: no chromium; install it (apt install chromium)")
    arguments = ["--no-sandbox", "--headless=new", "--use-gl=angle", "--use-angle=swiftshader",
                 "--enable-unsafe-swiftshader"]  # fmt: skip
    opened: list[float] = []
    frames: list[float] = []
    with sync_playwright() as playwright:
        for _ in range(RUNS):
            # A browser each: without a graphics card, frames of the last page hold up the next.
            browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
            page: Any = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri(), wait_until="commit")
            opened.append(page.evaluate(OPEN))
            frames += page.evaluate(PAN)
            browser.close()
    return opened, frames


if __name__ == "__main__":
    main()
