"""Review: the pairs for a person to decide, as a table and as a page, and the answers back."""

from __future__ import annotations

import csv
import importlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from playwright.sync_api import Page, sync_playwright
from typer.testing import CliRunner

from sousveil import review, synthetic
from sousveil.cli import link as link_command
from sousveil.errors import UnusableInput
from sousveil.linking import UNCERTAIN, link
from sousveil.records import BUILDINGS, CAMERAS, LINKS, QUARANTINE, STREETS
from sousveil.sources import Source
from sousveil.synthetic import ListModel
from tests.tables import observations

HOSTILE = '=HYPERLINK("https://x.example")<script>alert(1)</script>'


@pytest.fixture(scope="module")
def table() -> pa.Table:
    cameras = synthetic.cameras(synthetic.street_grid(blocks=4))
    return synthetic.lists(cameras, [ListModel(source_id=name) for name in "ab"]).observations


@pytest.fixture(scope="module")
def uncertain(table: pa.Table) -> pa.Table:
    return link(table).uncertain


def pair(**changes: Any) -> tuple[pa.Table, pa.Table]:
    """Two observations and the one pair of them."""
    both = observations(
        {"source_id": "a", "native_id": "1", "accuracy_m": 5.0, "bearings": [90.0]},
        {"source_id": "b", "native_id": "1", "lon": 11.5002} | changes,
    )
    row = {"observation_id_l": "a/1", "observation_id_r": both["observation_id"][1].as_py()}
    row |= {"probability": 0.42, "distance_m": 14.85, "linked": True}
    return pa.Table.from_pylist([row], schema=UNCERTAIN), both


def test_the_table_says_of_both_ends_what_their_lists_say(
    table: pa.Table, uncertain: pa.Table
) -> None:
    said = review.table(uncertain, table).to_pylist()[0]
    by_id = {row["observation_id"]: row for row in table.to_pylist()}
    for side in ("l", "r"):
        end = by_id[said[f"observation_id_{side}"]]
        for name in ("source_id", "lon", "operator", "bearings"):
            assert said[f"{name}_{side}"] == end[name]
    assert said["answer"] is None


def test_answers_come_back_as_they_were_filled_in(
    table: pa.Table, uncertain: pa.Table, tmp_path: Path
) -> None:
    file = tmp_path / "review.csv"
    review.write_table(uncertain, table, file)
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row, answer in zip(rows, ("same", " Different ", "unsure"), strict=False):
        row["answer"] = answer
    with file.open("w", newline="", encoding="utf-8-sig") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    answers = review.read_answers(file)
    assert answers["answer"].to_pylist() == ["same", "different"]
    for name in ("observation_id_l", "observation_id_r"):
        assert answers[name].to_pylist() == uncertain[name].to_pylist()[:2]


def test_answers_change_the_links(table: pa.Table, uncertain: pa.Table) -> None:
    said = uncertain.select(["observation_id_l", "observation_id_r"])
    opposite = ["different" if x else "same" for x in uncertain["linked"].to_pylist()]
    few = slice(0, 3)
    reviewed = said.append_column("answer", pa.array(opposite)).slice(few.start, few.stop)
    links = link(table, reviewed=reviewed).links
    camera = dict(
        zip(links["observation_id"].to_pylist(), links["camera_id"].to_pylist(), strict=True)
    )
    for row in reviewed.to_pylist():
        same = camera[row["observation_id_l"]] == camera[row["observation_id_r"]]
        assert same == (row["answer"] == "same")


def test_an_id_that_a_spreadsheet_would_run_comes_back_whole(tmp_path: Path) -> None:
    uncertain, both = pair(observation_id="=b/1")
    file = tmp_path / "review.csv"
    review.write_table(uncertain, both, file)
    text = file.read_text()
    assert "'=b/1" in text
    file.write_text(text.replace("\n,", "\nsame,"))
    assert review.read_answers(file)["observation_id_r"].to_pylist() == ["=b/1"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("answer,observation_id_l\nsame,a\n", "line 1 has no column observation_id_r"),
        (
            "answer,observation_id_l,observation_id_r\nsame,a,b\nperhaps,a,c\n",
            "line 3: answer 'perhaps'; write same or different or nothing",
        ),
        ("", "line 1 has no column observation_id_l"),
        (b"\xff\xfe\x00", "cannot be read as CSV"),
        (None, "cannot be read as CSV"),
    ],
)
def test_an_unusable_file_of_answers_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes | None, complaint: str
) -> None:
    file = tmp_path / "answers.csv"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UnusableInput, match=re.escape(complaint)) as refused:
        review.read_answers(file)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


# The page


def test_the_page_shows_names_as_text() -> None:
    html = review.page(*pair(operator=HOSTILE), threshold=None)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_the_page_names_no_server() -> None:
    html = review.page(*pair(), threshold=None)
    assert not re.search(r"(src|href)=|url\(|@import|https?:", html.replace("link.href", ""))
    assert "default-src 'none'" in html


def test_the_page_shows_some_pairs_and_says_how_many_there_are(
    table: pa.Table, uncertain: pa.Table
) -> None:
    many = pa.concat_tables([uncertain] * 2)
    html = review.page(many, table, threshold=None)
    assert html.count("<article") == review.MOST_ON_PAGE
    assert f"{many.num_rows} pairs" in html
    assert review.page(uncertain.slice(0, 1), table, threshold=0.9).count("<article") == 1
    assert "nothing to review" in review.page(uncertain.slice(0, 0), table, threshold=None)


def test_a_pair_inside_one_list_is_told_as_such() -> None:
    between = review.page(*pair(), threshold=None)
    assert "one list" not in between
    assert "both in" not in between
    within = review.page(*pair(source_id="a", native_id="2"), threshold=None)
    assert "whether that list holds one camera twice" in within
    assert "linked; both in a</h3>" in within


def test_the_map_is_true_to_scale() -> None:
    # 0.0002 degrees of longitude at 48.1 N: 0.0002 x 111,195 m x cos(48.1) = 14.85 m, due east.
    html = review.page(*pair(), threshold=None)
    [bar] = re.findall(r'class="bar" d="M10 [\d.]+v6h([\d.]+)v-6"', html)
    [metres] = re.findall(r">(\d+) m</text>", html)
    _, (x, y) = re.findall(r'<circle class="end-0" cx="([\d.]+)" cy="([\d.]+)"', html)
    _, (left, top) = re.findall(r'<rect class="end-1" x="([\d.]+)" y="([\d.]+)" w', html)
    per_m = float(bar) / float(metres)
    assert (float(left) + 5.5 - float(x)) / per_m == pytest.approx(14.85, abs=0.2)
    assert float(top) + 5.5 == pytest.approx(float(y), abs=0.2)
    [radius] = re.findall(r'class="accuracy line-0"[^>]* r="([\d.]+)"', html)
    assert float(radius) / per_m == pytest.approx(5.0, abs=0.1)
    # The first one looks east: its line goes to the right, on one height.
    [(x1, y1, x2, y2)] = re.findall(
        r'line class="line-0" x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"', html
    )
    assert float(x2) > float(x1)
    assert y1 == y2


def test_what_differs_is_marked_and_what_is_unknown_is_not() -> None:
    html = review.page(*pair(housing="dome", operator="CITY Ltd"), threshold=None)
    assert "≠" not in html  # the other end knows neither
    both = review.page(*pair(kind="alpr"), threshold=None)
    assert both.count("≠") == 1


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        message = "no chromium: apt install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_answers_given_on_the_page_are_saved_and_read_back(
    browser_page: Page, table: pa.Table, uncertain: pa.Table, tmp_path: Path
) -> None:
    asked: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    browser_page.on("console", lambda message: complaints.append(message.text))
    html = tmp_path / "review.html"
    html.write_text(review.page(uncertain, table, threshold=None), encoding="utf-8")
    browser_page.goto(html.as_uri())
    browser_page.check("input[name=pair-1][value=different]")
    browser_page.check("input[name=pair-3][value=same]")
    assert browser_page.inner_text("#count").startswith("2 of")
    with browser_page.expect_download() as download:
        browser_page.click("#save")
    download.value.save_as(tmp_path / "answers.csv")
    answers = review.read_answers(tmp_path / "answers.csv")
    assert answers["answer"].to_pylist() == ["different", "same"]
    expected = uncertain["observation_id_l"].to_pylist()
    assert answers["observation_id_l"].to_pylist() == [expected[0], expected[2]]
    assert {url.split(":")[0] for url in asked} <= {"file", "blob"}
    assert complaints == []


# The command


def source(table: pa.Table, name: str) -> Source:
    rows = table.filter(pa.compute.equal(table["source_id"], name))
    return Source(
        source_id=name,
        path=f"{name}.csv",
        format="CSV",
        publisher="a city",
        licence="CC-BY-4.0",
        attribution=f"City {name}",
        seen_on=date(2025, 1, 1),
        rows=rows.num_rows,
        links_dropped=0,
        header_box=None,
        observations=rows,
        quarantine=QUARANTINE.empty_table(),
        streets=STREETS.empty_table(),
        buildings=BUILDINGS.empty_table(),
    )


@pytest.fixture
def run(table: pa.Table, monkeypatch: pytest.MonkeyPatch) -> Any:
    def read(files: list[str], **_: object) -> list[Source]:
        return [source(table, Path(file).stem) for file in files]

    census = importlib.import_module("sousveil.census")
    monkeypatch.setattr(census, "read_sources", read, raising=False)
    app = typer.Typer()
    app.command()(link_command.link)
    return lambda *arguments: CliRunner().invoke(app, [str(x) for x in arguments])


def test_the_command_writes_links_cameras_and_review(run: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("a.csv", "b.csv", "-o", out, "--json", "--quiet")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    links, cameras = pq.read_table(out / "links.parquet"), pq.read_table(out / "cameras.parquet")
    assert links.schema.names == LINKS.names
    assert set(CAMERAS.names) < set(cameras.schema.names)
    assert told["observations"] == links.num_rows
    assert told["cameras"] == cameras.num_rows == len(set(links["camera_id"].to_pylist()))
    assert told["pairs_compared"] > told["observations"]
    assert 0.5 < told["expected_precision"] < 1
    assert 0.5 < told["expected_recall"] < 1
    assert {x.name for x in out.iterdir()} == set(review.FILES.values())
    assert "City a" in (out / "ATTRIBUTION.md").read_text()


def test_the_command_takes_answers(run: Any, tmp_path: Path) -> None:
    first = json.loads(run("a.csv", "b.csv", "-o", tmp_path / "1", "--json", "-q").stdout)
    filled = tmp_path / "answers.csv"
    text = (tmp_path / "1" / "review.csv").read_text()
    filled.write_text(text.replace("\n,", "\ndifferent,"))
    again = run("a.csv", "b.csv", "-o", tmp_path / "2", "--json", "-q", "--reviewed", filled)
    second = json.loads(again.stdout)
    assert second["cameras"] > first["cameras"]
    assert second["expected_precision"] > first["expected_precision"]
    refused = run("a.csv", "b.csv", "-o", tmp_path / "3", "--reviewed", tmp_path / "none.csv")
    assert refused.exit_code == 2
    assert not (tmp_path / "3").exists()


def test_the_command_says_in_words_what_came_out(run: Any, tmp_path: Path) -> None:
    result = run("a.csv", "b.csv", "-o", tmp_path / "out", "--quiet")
    assert re.search(r"\d+ observations come to \d+ cameras\.", result.stdout)
    assert "pairs are worth a look" in result.stdout


def test_duplicates_inside_a_list_are_told_apart_from_links(
    shared_data: Path, tmp_path: Path
) -> None:
    """Of each join one row less is a camera; the mean of the links says nothing of them."""
    app = typer.Typer()
    app.command()(link_command.link)
    files = ("milano_official_gates_2026-08.geojson", "osm_italy_surveillance_2026-08.geojson")
    lists = [str(shared_data / "lists" / name) for name in files]
    done = CliRunner().invoke(app, [*lists, "-o", str(tmp_path / "o"), "--json", "-q"])
    told = json.loads(done.stdout)
    assert told["observations"] - told["cameras"] == told["links"] + told["joins"] == 60
    pairs = pq.read_table(tmp_path / "o" / "pairs.parquet").to_pandas()
    for name, one_list in (("", False), ("_of_joins", True)):
        taken = pairs[pairs.linked & (pairs.one_list == one_list)]
        assert len(taken) == told["joins" if one_list else "links"]
        assert told[f"expected_precision{name}"] == pytest.approx(taken.probability.mean())
    assert told["expected_precision_of_joins"] < 0.75 < told["expected_precision"]
    words = CliRunner().invoke(app, [*lists, "-o", str(tmp_path / "o"), "-q"]).stdout
    assert "Of the 42 links between lists 95% are right" in words
    assert "Of the 18 joins of two rows inside one list, as duplicates, 67% are right" in words


def test_pairs_between_lists_come_first_and_say_what_is_joined_elsewhere() -> None:
    rows = [{"source_id": name, "native_id": str(n)} for n, name in enumerate("aab")]
    known = observations(*rows)
    ids = known["observation_id"].to_pylist()
    both = [(0, 1), (0, 2)]
    pairs = pa.Table.from_pylist(
        [
            {"observation_id_l": ids[left], "observation_id_r": ids[right], "probability": 0.5,
             "distance_m": 1.0, "linked": left + right == 1}
            for left, right in both
        ],
        schema=UNCERTAIN,
    )  # fmt: skip
    links = pa.Table.from_pylist(
        [
            {"observation_id": one, "source_id": "s", "native_id": one, "camera_id": camera,
             "probability": p}
            for one, camera, p in zip(ids, "xxy", (0.6, 0.6, 1.0), strict=True)
        ],
        schema=LINKS,
    )  # fmt: skip
    html = review.page(pairs, known, threshold=None, links=links)
    assert html.index("Between lists</h2>") < html.index("Inside one list</h2>")
    first, second = html.split("<article")[1:]
    assert f'data-right="{ids[2]}"' in first
    assert "the first is joined to another at 0.60" in first
    assert "joined to another" not in second
    named = review.page(pairs, observations(*[row | {"operator": "city_of-a.b"} for row in rows]),
                        threshold=None)  # fmt: skip
    assert "city_<wbr>of-<wbr>a.<wbr>b" in named
