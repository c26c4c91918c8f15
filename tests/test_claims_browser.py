"""The page of claims in a real browser: it asks for nothing, and everyone can use it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, sync_playwright

from sousveil.claims import claims

VIOLATIONS = """async () => (await axe.run()).violations
  .map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join("; ")}`)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        message = "no chromium: apt install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def page_of_china(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("claims") / "china"
    claims("China", on=date(2026, 11, 25)).write(folder)
    return folder / "report.html"


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 390), ("light", 1200)])
def test_everyone_can_use_the_page(
    browser: Browser, page_of_china: Path, scheme: str, width: int
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        bypass_csp=True,  # for axe alone
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_of_china.as_uri())
    assert asked == [page_of_china.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.evaluate(AXE_SCRIPT)
    assert page.evaluate(VIOLATIONS) == []
    context.close()


LABELS = """() => [...document.querySelectorAll("figure .role-axis-label text")]
  .filter((text) => text.textContent && text.checkVisibility()
    && getComputedStyle(text).opacity !== "0")
  .map((text) => {
    const box = text.getBoundingClientRect();
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    return {size, left: box.left, right: box.right, top: box.top, bottom: box.bottom};
  })"""


@pytest.mark.parametrize("width", [320, 390, 760, 1200])
def test_the_labels_of_the_picture_can_be_read(
    browser: Browser, page_of_china: Path, width: int
) -> None:
    """Letters of 11 px or more, none of them over another."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(page_of_china.as_uri())
    labels = page.evaluate(LABELS)
    assert len(labels) >= 9
    assert min(label["size"] for label in labels) >= 11
    for i, one in enumerate(labels):
        for other in labels[:i]:
            assert (
                one["left"] >= other["right"]
                or other["left"] >= one["right"]
                or one["top"] >= other["bottom"]
                or other["top"] >= one["bottom"]
            )
    page.close()


def test_the_picture_is_drawn_in_the_colours_of_the_scheme(
    browser: Browser, page_of_china: Path
) -> None:
    inks = set()
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(page_of_china.as_uri())
        mark = page.locator("figure .wide .mark-symbol path").first
        inks.add(mark.evaluate("(e) => getComputedStyle(e).stroke"))
        context.close()
    assert inks == {"rgb(106, 79, 179)", "rgb(183, 163, 245)"}  # --c6 of claims.css
