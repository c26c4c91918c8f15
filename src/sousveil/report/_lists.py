"""The section on lists: what each holds of the cameras, what they share, where they disagree."""

from __future__ import annotations

import textwrap
from typing import Any, Final, NamedTuple

from sousveil.report import _drawing as draw
from sousveil.report import _words
from sousveil.report._drawing import Figure
from sousveil.report._tables import Table, heads
from sousveil.report._text import Summary

_MOST_COLUMNS: Final = 10
_LABEL_UNITS: Final = 128
_LABEL_LETTERS: Final = 19  # in each of two lines
_BARS: Final = 120  # height of the longest bar
_ROW: Final = 30


class Section(NamedTuple):
    """A section as the template prints it; sentences may hold ``**figures**``."""

    name: str
    title: str
    intro: str
    sentences: list[str]
    figures: list[Figure]
    tables: list[Table]


def section(summary: Summary) -> Section | None:
    """Return the section on lists, None where the summary tells of fewer than two."""
    told = summary.get("lists")
    if not told or len(told["each"]) < 2:
        return None
    n = summary["cameras"]["records"]
    names = {one["list"]: one["title"] or one["list"] for one in told["each"]}
    made = [_shares(told["each"], n), _overlaps(told["overlaps"], names, n)]
    disagreements = _disagreements(told["disagreements"])
    return Section(
        name="lists",
        title="Lists",
        intro=(
            "Shares are of the cameras that any of these lists holds, not of all that there are."
        ),
        sentences=[*_sentences(told, n), *_missed(summary.get("undercount"))],
        figures=[upset(told, n)] if told["overlaps"] else [],
        tables=[table for table in (*made, disagreements) if table.rows],
    )


def _sentences(told: dict[str, Any], n: int) -> list[str]:
    sentences = [_of_list(one, n) for one in told["each"]]
    several = sum(o["cameras"] for o in told["overlaps"] if len(o["lists"]) > 1)
    on = "stands" if several == 1 else "stand"
    if n:
        sentences.append(f"**{_words.of_all(several, n)}** {on} on more than one list.")
    differing = [d for d in told["disagreements"] if d["differ"]]
    if differing:
        most = max(differing, key=lambda d: d["differ"] / d["compared"])
        name = _words.label(most["attribute"], _words.ATTRIBUTES).lower()
        sentences.append(
            f"Lists that describe the same camera differ most often in one attribute, “{name}”: "
            f"**{most['differ']:,} of {most['compared']:,}**."
        )
    return [*sentences, *_linkage(told["linkage"])]


def _missed(told: dict[str, Any] | None) -> list[str]:
    """Return what the overlap tells of cameras that no list holds."""
    if told is None:
        return []
    if told["reason"] is not None:
        return [f"How many cameras no list holds cannot be said: {told['reason']}."]
    if told["estimate"] is None or told["high"] is None:
        return [
            "How many cameras no list holds cannot be said: the overlap bounds no total, there "
            f"are at least **{told['observed']:,}** {told['definition']}."
        ]
    return [
        f"From their overlap there are about **{told['estimate']:,.0f}** (95 % interval "
        f"{told['low']:,.0f} to {told['high']:,.0f}) {told['definition']}; {told['observed']:,} of "
        "them stand on a list. That holds if the lists found their cameras independently of each "
        "other; lists that look at the same places make it too low."
    ]


def _of_list(one: dict[str, Any], n: int) -> str:
    title, cameras, alone = one["title"] or one["list"], one["cameras"], one["alone"]
    of_all = f"of the {_words.plural(n, 'camera')}"
    holds = f"{title.replace('*', '')} holds **{_words.of_all(cameras, n)}** {of_all}"
    if not cameras:
        return f"{title.replace('*', '')} holds **none** {of_all}."
    if not alone:
        return f"{holds}; all of these stand on another list too."
    stands = "stands" if alone == 1 else "stand"
    return f"{holds}; **{alone:,}** {stands} on no other list."


def _linkage(linkage: dict[str, Any] | None) -> list[str]:
    if not linkage or not linkage["pairs_compared"]:
        return []
    pairs = _words.plural(linkage["pairs_compared"], "pair")
    parts = [f"Which entries are one camera was judged from {pairs}"]
    if linkage["expected_precision"] is not None:
        parts.append(
            f"**{linkage['expected_precision']:.1%}** of the links between lists are expected to "
            "be right"
        )
    if linkage["expected_recall"] is not None:
        parts.append(f"**{linkage['expected_recall']:.1%}** of the true ones to be found")
    if linkage["uncertain"]:
        parts.append(f"{_words.plural(linkage['uncertain'], 'pair')} could be either")
    return [f"{_words.listed(parts)}.", *_joins(linkage)]


def _joins(linkage: dict[str, Any]) -> list[str]:
    """Return why a list comes to fewer cameras than it has rows."""
    n = linkage.get("joins", 0)
    if not n:
        return []
    were = "was taken for a duplicate" if n == 1 else "were taken for duplicates"
    return [
        f"**{_words.plural(n, 'row')}** {were} of another row of the same list and joined to it, "
        f"so that there are {n:,} fewer cameras than rows; "
        f"**{linkage['expected_precision_of_joins']:.1%}** of such joins are expected to be right."
    ]


def _shares(each: list[dict[str, Any]], n: int) -> Table:
    rows = [
        [
            one["title"] or one["list"],
            one["covers"] or "–",
            f"{one['cameras']:,}",
            _words.percent(one["share"], 1) if n else "–",
            f"{one['alone']:,}",
        ]
        for one in each
    ]
    names = ("List", "What it covers", "#Cameras", "#Share", "#On no other list")
    return Table("What each list holds", heads(*names), rows)


def _overlaps(overlaps: list[dict[str, Any]], names: dict[str, str], n: int) -> Table:
    rows = [
        [
            _words.listed([names.get(name, name) for name in one["lists"]])
            + (" only" if len(one["lists"]) < len(names) else ""),
            f"{one['cameras']:,}",
            _words.percent(one["cameras"], n),
        ]
        for one in overlaps
    ]
    return Table("Cameras by the lists that hold them", heads("On", "#Cameras", "#Share"), rows)


def _disagreements(found: list[dict[str, Any]]) -> Table:
    rows = [
        [
            _words.label(one["attribute"], _words.ATTRIBUTES),
            f"{one['compared']:,}",
            f"{one['differ']:,}",
            _words.percent(one["differ"], one["compared"]),
        ]
        for one in found
        if one["compared"]
    ]
    return Table(
        "Where lists disagree",
        heads("Attribute", "#Stated by several", "#Differ", "#Share"),
        rows,
        "Cameras of which at least two lists state the attribute.",
    )


def upset(told: dict[str, Any], n: int) -> Figure:
    """Return the exclusive overlaps as an UpSet plot: a column each, its lists as joined dots.

    Method: A. Lex et al. (2014), UpSet: visualization of intersecting sets, IEEE TVCG 20(12).
    """
    each, overlaps = told["each"], told["overlaps"][:_MOST_COLUMNS]
    more = told["overlaps"][_MOST_COLUMNS:]
    names = {one["list"]: one["title"] or one["list"] for one in each}
    top, rows_from = 22.0, 22.0 + _BARS + 22
    step = min(44.0, (draw.WIDTH - _LABEL_UNITS - 8) / len(overlaps))
    largest = max(one["cameras"] for one in overlaps) or 1
    order = {one["list"]: rows_from + _ROW * i for i, one in enumerate(each)}
    parts = [_rows(each, order)]
    for i, one in enumerate(overlaps):
        x = _LABEL_UNITS + step * (i + 0.5)
        height = _BARS * one["cameras"] / largest
        parts.append(
            draw.rect(x - step * 0.3, top + _BARS - height, step * 0.6, height, draw.FIRST)
        )
        parts.append(
            draw.text(
                x, top + _BARS - height - 5, f"{one['cameras']:,}", anchor="middle", fill=draw.INK
            )
        )
        parts.append(_column(x, one["lists"], order))
    told_in_words = "; ".join(
        f"{_words.listed([names.get(name, name) for name in one['lists']])}: "
        f"{_words.of_all(one['cameras'], n)}"
        for one in told["overlaps"]
    )
    note = (
        f"{_words.plural(len(more), 'smaller combination')} in the table: "
        f"{_words.plural(sum(one['cameras'] for one in more), 'camera')}."
        if more
        else ""
    )
    picture = draw.svg(rows_from + _ROW * len(each) - 6, parts)
    return Figure("upset", "Cameras by list", picture, told_in_words, note)


def _rows(each: list[dict[str, Any]], order: dict[str, float]) -> str:
    return "".join(
        (
            f'<rect x="0" y="{order[one["list"]] - _ROW / 2:.1f}" width="{draw.WIDTH}" '
            f'height="{_ROW}" fill="var(--raised)"/>'
            if i % 2 == 0
            else ""
        )
        + _label(one["title"] or one["list"], order[one["list"]])
        for i, one in enumerate(each)
    )


def _label(title: str, y: float) -> str:
    lines = textwrap.wrap(title, _LABEL_LETTERS, max_lines=2, placeholder="…") or [title]
    size = 12.5 if len(lines) == 1 else 11.5
    first = y + 4.5 - 6.5 * (len(lines) - 1)
    return "".join(
        draw.text(_LABEL_UNITS - 8, first + 13 * i, words, anchor="end", fill=draw.INK, size=size)
        for i, words in enumerate(lines)
    )


def _column(x: float, lists: list[str], order: dict[str, float]) -> str:
    held = [order[name] for name in lists if name in order]
    dots = [draw.circle(x, y, 5.5, draw.FIRST if y in held else draw.LINE) for y in order.values()]
    joined = draw.line([(x, min(held)), (x, max(held))], draw.FIRST, width=2.5) if held else ""
    return "".join(dots) + joined
