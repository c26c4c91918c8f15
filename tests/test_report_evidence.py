"""What several lists, or several editions of one, add to the report: sentences, plots, tables."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from sousveil.export import dumps
from sousveil.report import _drawing, _lists, _timeline, render, timeline_html
from tests.report_census import ON, history, town, with_history, with_lists

HOSTILE = "</text></svg><script>alert(1)</script>\"&'"
RECT = re.compile(r'<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)" '
                  r'fill="([^"]+)"/>')  # fmt: skip
CIRCLE = re.compile(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="([\d.]+)" fill="([^"]+)"/>')


def _lists_of(summary: dict[str, Any]) -> _lists.Section:
    section = _lists.section(summary)
    assert section is not None
    return section


def _timeline_of(told: dict[str, Any]) -> _timeline.Section:
    section = _timeline.section(told)
    assert section is not None
    return section


def _bars(svg: str, fill: str) -> list[tuple[float, float, float, float]]:
    """Return x, y, width, height of the rectangles of a colour."""
    found = [(*map(float, match[:4]), match[4]) for match in RECT.findall(svg)]
    return [(x, y, w, h) for x, y, w, h, colour in found if colour == fill]


def _path(svg: str, stroke: str, width: str = "2") -> list[tuple[float, float]]:
    [d] = re.findall(rf'd="M([^"z]+)" fill="none" stroke="{re.escape(stroke)}" '
                     rf'stroke-width="{width}"', svg)  # fmt: skip
    return [(float(x), float(y)) for x, y in (point.split(",") for point in d.split("L"))]


# Lists


@pytest.mark.parametrize("told", [None, {"each": []}, {"each": [{"list": "osm"}]}])
def test_a_single_list_has_no_section(told: Any) -> None:
    summary = town(3, 2).summary
    assert _lists.section({k: v for k, v in summary.items() if k != "lists"}) is None
    assert _lists.section(summary | {"lists": told}) is None


def test_the_report_holds_the_sections_only_where_there_is_evidence() -> None:
    plain = town(10, 2)
    bare = replace(plain, summary={k: v for k, v in plain.summary.items() if k != "timeline"}
                   | {"lists": None})  # fmt: skip
    for anchor in ("lists", "timeline"):
        assert f'id="{anchor}"' not in render(bare)
        assert f'id="{anchor}"' in (full := render(with_history(with_lists(town()))))
        assert f'href="#{anchor}"' in full


def test_each_list_is_told_with_its_share_and_what_only_it_holds() -> None:
    sentences = _lists_of(with_lists(town()).summary).sentences
    assert sentences == [
        "OpenStreetMap holds **44 (73%)** of the 60 cameras; **25** stand on no other list.",
        "Register of the town's own cameras holds **24 (40%)** of the 60 cameras; **9** stand on "
        "no other list.",
        "Survey holds **12 (20%)** of the 60 cameras; **7** stand on no other list.",
        "**19 (32%)** stand on more than one list.",
        "Lists that describe the same camera differ most often in one attribute, “public or "
        "private”: **4 of 16**.",
        "Which entries are one camera was judged from 412 pairs, **98.1%** of the links between "
        "lists are expected to be right, **94.4%** of the true ones to be found and 3 pairs could "
        "be either.",
        "**2 rows** were taken for duplicates of another row of the same list and joined to it, so "
        "that there are 2 fewer cameras than rows; **61.2%** of such joins are expected to be "
        "right.",
    ]


def test_lists_without_overlap_link_or_camera_are_told_too() -> None:
    summary = with_lists(town()).summary
    told = summary["lists"] | {"linkage": None, "disagreements": []}
    told["each"] = [one | {"cameras": 0, "alone": 0} for one in told["each"][:2]]
    told["overlaps"] = []
    section = _lists_of(summary | {"lists": told})
    assert section.sentences[0] == "OpenStreetMap holds **none** of the 60 cameras."
    assert section.figures == []
    assert [table.caption for table in section.tables] == ["What each list holds"]


def test_the_columns_of_the_upset_plot_are_the_overlaps() -> None:
    summary = with_lists(town()).summary
    overlaps = summary["lists"]["overlaps"]
    svg = _lists.upset(summary["lists"], 60).svg
    heights = [h for *_, h in _bars(svg, "var(--bar)")]
    expected = [one["cameras"] / overlaps[0]["cameras"] for one in overlaps]
    assert [h / heights[0] for h in heights] == pytest.approx(expected, abs=0.001)
    columns: dict[str, list[str]] = {}
    for x, _, _, fill in CIRCLE.findall(svg):
        columns.setdefault(x, []).append(fill)
    each = [one["list"] for one in summary["lists"]["each"]]
    assert [
        [name for name, fill in zip(each, dots, strict=True) if fill == "var(--bar)"]
        for dots in columns.values()
    ] == [one["lists"] for one in overlaps]


def test_more_combinations_than_columns_are_named_and_none_is_lost() -> None:
    summary = with_lists(town()).summary
    many = [{"lists": ["osm"], "cameras": 20 - i} for i in range(13)]
    figure = _lists.upset(summary["lists"] | {"overlaps": many}, 60)
    assert len(_bars(figure.svg, "var(--bar)")) == 10
    assert figure.note == "3 smaller combinations in the table: 27 cameras."  # 10 + 9 + 8
    table = _lists_of(summary | {"lists": summary["lists"] | {"overlaps": many}}).tables[1]
    assert len(table.rows) == 13


def test_the_tables_hold_shares_overlaps_and_disagreements() -> None:
    shares, overlaps, disagreements = _lists_of(with_lists(town()).summary).tables
    assert shares.rows[1] == ["Register of the town's own cameras", "cameras run by the town",
                              "24", "40%", "9"]  # fmt: skip
    assert sum(int(row[1]) for row in overlaps.rows) == 60
    assert overlaps.rows[0][0] == "OpenStreetMap only"
    assert overlaps.rows[-1][0].endswith("and Survey")  # on all three: nothing is left out
    assert disagreements.rows == [
        ["Kind", "19", "1", "5%"],
        ["Public or private", "16", "4", "25%"],
    ]


def test_the_title_of_a_list_is_text() -> None:
    census = with_lists(town())
    census.summary["lists"]["each"][0]["title"] = HOSTILE
    html = render(census)
    assert HOSTILE not in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;" in html


# Timeline


@pytest.mark.parametrize("told", [None, {"dates": []}])
def test_no_history_has_no_section(told: Any) -> None:
    assert _timeline.section(told) is None


def test_the_history_is_told_in_sentences() -> None:
    section = _timeline_of(history())
    assert section.intro.startswith("Mapping dates are not installation dates.")
    assert section.sentences[:2] == [
        "From 1 March 2016 to 1 March 2025 the number of cameras on lists went from **40** to "
        "**84**.",
        # The 40 of the first list did not come: they were there.
        "In that time **53** appeared, **22** vanished, 1 came back and 12 stand where no list had "
        "looked before and may be old.",
    ]
    assert 40 + 53 + 1 + 12 - 22 == 84
    assert section.sentences[-1] == (
        "Of **90 cameras** a list says when it was installed, from January 2012 to November 2016; "
        "of 12 none does."
    )


def test_json_tells_the_same_as_the_records() -> None:
    told = history()
    assert _timeline.section(json.loads(dumps(told))) == _timeline.section(told)


def test_the_curve_stands_at_the_days_and_numbers() -> None:
    dates = history()["dates"]
    svg = _timeline.by_date(dates).svg
    points = _path(svg, "var(--bar)")
    (x0, y0), (x1, y1) = points[0], points[-1]
    days = [one["dated"].toordinal() for one in dates]
    for (x, y), day, one in zip(points, days, dates, strict=True):
        assert (x - x0) / (x1 - x0) == pytest.approx(
            (day - days[0]) / (days[-1] - days[0]), abs=0.001
        )
        assert (y - y0) / (y1 - y0) == pytest.approx((one["cameras"] - 40) / (84 - 40), abs=0.01)
    gone = [h for *_, h in _bars(svg, "var(--owner-private)")]
    came = [h for *_, h in _bars(svg, "var(--bar)")]
    unit = _timeline._STEPS / 41  # 28 appeared, 1 came back, 12 newly covered in 2023
    assert gone == pytest.approx([2 * unit, 8 * unit, 6 * unit, 6 * unit], abs=0.06)
    assert came == pytest.approx([20 * unit, 5 * unit, 29 * unit], abs=0.06)


def test_the_survival_curve_is_drawn_at_its_values_with_its_interval() -> None:
    lifetimes = history()["lifetimes"]
    figure = _timeline.survival(lifetimes)
    assert figure is not None
    for name, stroke in (("entered", "var(--bar)"), ("already_there", "var(--owner-private)")):
        curve = lifetimes[name]["curve"]
        stairs = _path(figure.svg, stroke)
        (x0, top), (last_x, last_y) = stairs[0], stairs[-1]
        height = _timeline._CURVE
        assert last_y == pytest.approx(top + height * (1 - curve[-1]["survival"]), abs=0.06)
        per_year = (last_x - x0) / curve[-1]["years"]
        for row in curve:
            assert (
                pytest.approx((x0 + per_year * row["years"], top + height * (1 - row["survival"])),
                              abs=0.3) in stairs
            )  # fmt: skip
    assert figure.svg.count("fill-opacity") == 2
    assert "Of those that entered a list," in figure.text


def test_a_curve_of_very_many_steps_stays_small() -> None:
    n = 20_000
    rows = [{"years": 10 * (i + 1) / n, "at_risk": n - i, "vanished": 1,
             "survival": 1 - (i + 1) / n, "se": None, "low": None, "high": None}
            for i in range(n)]  # fmt: skip
    lifetimes = history()["lifetimes"]
    figure = _timeline.survival({**lifetimes, "entered": lifetimes["entered"] | {"curve": rows}})
    assert figure is not None
    assert len(figure.svg) < 60_000
    assert _path(figure.svg, "var(--bar)")[-1][1] == pytest.approx(12 + _timeline._CURVE)


def test_nothing_vanished_is_a_sentence_and_no_curve() -> None:
    told = history()
    for name in ("entered", "already_there"):
        told["lifetimes"][name] |= {"vanished": 0, "median_years": None, "curve": []}
    told["installed"] = {"by_month": [], "unknown": 9}
    section = _timeline_of(told)
    assert [figure.name for figure in section.figures] == ["by-date"]
    assert (
        "Of the 60 cameras that entered a list, **none** has vanished since." in section.sentences
    )
    assert section.sentences[-1] == "Of **none** of them does a list say when it was installed."


def test_a_curve_that_does_not_reach_the_half_is_told_with_its_interval() -> None:
    told = history()
    row = {"years": 3.2, "survival": 0.8, "se": 0.05, "low": 0.7, "high": 0.88}
    told["lifetimes"]["entered"] |= {"median_years": None, "curve": [row]}
    assert (
        "Of the 60 cameras that entered a list, **80%** are there still after 3.2 years "
        "(70% to 88%, 95% interval)." in _timeline_of(told).sentences
    )


def test_one_date_is_a_point() -> None:
    told = history() | {"dates": history()["dates"][:1]}
    section = _timeline_of(told)
    assert section.sentences[0] == "On 1 March 2016 the lists held **40 cameras**."
    assert section.figures[0].svg.count("<circle") == 1
    assert "2016-03-01" in section.figures[0].svg


def test_installations_are_bars_by_month_and_rows_by_year() -> None:
    told = history()["installed"]
    figure = _timeline.installed(told)
    assert figure is not None
    bars = _bars(figure.svg, "var(--bar)")
    assert len(bars) == len(told["by_month"])
    tallest = max(h for *_, h in bars)
    for (_, _, _, h), one in zip(bars, told["by_month"], strict=True):
        assert h / tallest == pytest.approx(one["cameras"] / 5, abs=0.01)
    months = [x for x, *_ in bars]
    steps = [b - a for a, b in itertools.pairwise(months)]
    assert max(steps) - min(steps) < 0.3  # every second month
    table = _timeline._months(told)
    assert table.caption.startswith("Installations by year")
    assert sum(int(row[1]) for row in table.rows) == sum(m["cameras"] for m in told["by_month"])
    few = _timeline._months({"by_month": told["by_month"][:3], "unknown": 0})
    assert few.rows[0] == ["January 2012", "1", "2"]


def _stated(stated: int) -> Any:
    """Return a town of 50 cameras of which so many say when they were installed."""
    days = {i: {"installed": date(2019, 1 + i % 3, 1)} for i in range(stated)}
    none = {i: {"installed": None} for i in range(stated, 50)}
    return town(50, 2, changes=days | none)


def test_a_census_draws_when_its_cameras_were_installed_if_a_fifth_say_so() -> None:
    census = _stated(10)
    assert census.summary["installed"] == {
        "by_month": [
            {"month": "2019-01", "cameras": 4, "devices": 4},
            {"month": "2019-02", "cameras": 3, "devices": 3},
            {"month": "2019-03", "cameras": 3, "devices": 3},
        ],
        "unknown": 40,
    }
    html = render(census)
    assert html.count('id="chart-installed"') == 1
    assert "Not stated of 40 cameras, 80%." in html
    assert "January 2019: 4; February 2019: 3; March 2019: 3" in html
    assert 'id="chart-installed"' not in render(_stated(9))
    told = replace(census, summary=census.summary | {"timeline": history()})
    assert render(told).count('id="chart-installed"') == 1  # of the section on time, not twice


def test_the_page_of_a_timeline_allows_no_script_and_no_request() -> None:
    source = town(2, 2).sources[0]
    html = timeline_html(history(), register=HOSTILE, sources=[source])
    assert HOSTILE not in html
    assert "script-src &#39;none&#39;" in html
    assert "<script" not in html
    assert "© OpenStreetMap contributors" in html
    assert f"as of {ON.day} May {ON.year}" in html
    nothing = timeline_html(history() | {"dates": []}, register="r", sources=[])
    assert "The register holds no source" in nothing
    recorded = timeline_html(
        history() | {"recorded_by": date(2026, 1, 2)}, register="r", sources=[]
    )
    assert "recorded by the end of 2 January 2026" in recorded


# Axes


@pytest.mark.parametrize(
    ("top", "values"),
    [(0, [0, 1]), (1, [0, 1]), (3, [0, 1, 2, 3]), (20, [0, 5, 10, 15, 20]), (90, [0, 50, 100]),
     (128_773, [0, 50_000, 100_000, 150_000])],
)  # fmt: skip
def test_the_values_of_an_axis_are_round_and_reach_the_top(top: int, values: list[float]) -> None:
    assert _drawing.ticks(top) == values


def test_a_time_axis_names_years_or_both_ends() -> None:
    def named(first: date, last: date) -> list[str]:
        x = _drawing.scale(first.toordinal(), last.toordinal(), 40, 360)
        return re.findall(r">([^<]+)</text>", _drawing.days(first, last, x, 0))

    assert named(date(2012, 6, 29), date(2025, 2, 7)) == ["2014", "2016", "2018", "2020", "2022",
                                                          "2024"]  # fmt: skip
    assert named(date(2026, 7, 13), date(2026, 7, 21)) == ["2026-07-13", "2026-07-21"]


def test_a_page_of_a_register_says_which_and_draws_wide() -> None:
    html = timeline_html(history(), register="monaco.duckdb", sources=[])
    assert '<h1 id="title">Cameras through time: monaco</h1>' in html
    assert html.count('<svg class="wide"') == 1  # the curve, once more for a wide screen


def test_options_never_break_across_lines() -> None:
    plain = town()
    told = {"population": None, "population_note": "Give --population N or <b>--within</b>."}
    html = render(replace(plain, summary=plain.summary | told))
    assert "<code>--population N</code> or &lt;b&gt;<code>--within</code>&lt;/b&gt;." in html
    assert "code { white-space: nowrap; }" in html
