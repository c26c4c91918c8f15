"""The section on time: cameras by date, how long they stay on lists, when they were installed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any, Final

from sousveil.report import _drawing as draw
from sousveil.report import _words
from sousveil.report._drawing import Figure
from sousveil.report._lists import Section
from sousveil.report._tables import Table, heads

_LEFT: Final = 44  # room for the numbers of the vertical axis
_CURVE: Final = 130
_STEPS: Final = 44  # height of the longest bar of what appeared or vanished
_MOST_MONTHS: Final = 24  # in the table; more are given by year
_GROUPS: Final = {
    "entered": ("entered a list", draw.FIRST, ""),
    "already_there": ("were on the first list of their place", draw.SECOND, "6 4"),
}
ENOUGH: Final = 0.2
"""The share of cameras whose installation a census must know to draw when that was."""

_PLAIN: Final = "Mapping dates are not installation dates."


def section(told: dict[str, Any] | None) -> Section | None:
    """Return the section of `timeline.timeline`'s answer, None without one."""
    if not told or not told["dates"]:
        return None
    figures = [by_date(told["dates"]), survival(told["lifetimes"]), installed(told["installed"])]
    tables = [_dates(told["dates"]), _lifetimes(told["lifetimes"]), _months(told["installed"])]
    return Section(
        name="timeline",
        title="Timeline",
        intro=f"{_PLAIN} {told['lifetimes']['note']}",
        sentences=_sentences(told),
        figures=[figure for figure in figures if figure is not None],
        tables=[table for table in tables if table.rows],
    )


def _sentences(told: dict[str, Any]) -> list[str]:
    return [
        *_change(told["dates"]),
        *(
            sentence
            for name, (words, _, _) in _GROUPS.items()
            if (sentence := _lasting(told["lifetimes"][name], words))
        ),
        *_known(told["installed"]),
    ]


def _change(dates: list[dict[str, Any]]) -> list[str]:
    first, last = dates[0], dates[-1]
    if len(dates) == 1:
        return [
            f"On {_words.day(first['dated'])} the lists held "
            f"**{_words.plural(first['cameras'], 'camera')}**."
        ]
    steps = {
        name: sum(one[name] for one in dates[1:])
        for name in ("appeared", "newly_covered", "returned", "vanished")
    }
    sentence = (
        f"From {_words.day(first['dated'])} to {_words.day(last['dated'])} the number of cameras "
        f"on lists went from **{first['cameras']:,}** to **{last['cameras']:,}**."
    )
    parts = [f"**{steps['appeared']:,}** appeared", f"**{steps['vanished']:,}** vanished"]
    if steps["returned"]:
        parts.append(f"{steps['returned']:,} came back")
    if steps["newly_covered"]:
        stand = "stands" if steps["newly_covered"] == 1 else "stand"
        parts.append(
            f"{steps['newly_covered']:,} {stand} where no list had looked before and may be old"
        )
    moves = _words.listed(parts)
    return [sentence, f"In that time {moves}."]


def _lasting(group: dict[str, Any], words: str) -> str:
    n = group["cameras"]
    if not n:
        return ""
    which = f"Of the {_words.plural(n, 'camera')} that {words if n > 1 else _singular(words)}"
    if not group["curve"]:
        return f"{which}, **none** has vanished since."
    median = group["median_years"]
    if median is not None:
        return f"{which}, half had vanished after **{_words.number(median)} years**."
    last = group["curve"][-1]
    return (
        f"{which}, **{_share(last['survival'])}** are there still after "
        f"{_words.number(last['years'])} years{_interval(last)}."
    )


def _singular(words: str) -> str:
    return words.replace("were ", "was ", 1).replace("their", "its")


def _interval(row: dict[str, Any]) -> str:
    if row["low"] is None:
        return ""
    return f" ({_share(row['low'])} to {_share(row['high'])}, 95% interval)"


def _share(value: float) -> str:
    return _words.percent(value, 1)


def _known(told: dict[str, Any]) -> list[str]:
    months = told["by_month"]
    if not months:
        return ["Of **none** of them does a list say when it was installed."]
    n = sum(one["cameras"] for one in months)
    return [
        f"Of **{_words.plural(n, 'camera')}** a list says when it was installed, from "
        f"{_month(months[0]['month'])} to {_month(months[-1]['month'])}; of {told['unknown']:,} "
        "none does."
    ]


def _month(iso: str) -> str:
    return f"{_words.MONTHS[int(iso[5:7]) - 1]} {iso[:4]}"


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def by_date(dates: list[dict[str, Any]]) -> Figure:
    """Return the number of cameras at each date, and below it what came and what went."""
    words = "; ".join(
        f"{_words.day(one['dated'])}: {_words.plural(one['cameras'], 'camera')}" for one in dates
    )
    narrow, wide = (_by_date(dates, width) for width in (draw.WIDTH, draw.WIDE))
    return Figure("by-date", "Cameras by date of the list", narrow, words, wide_svg=wide)


def _by_date(dates: list[dict[str, Any]], width: int) -> str:
    days = [_day(one["dated"]) for one in dates]
    x = draw.scale(days[0].toordinal(), days[-1].toordinal(), _LEFT + 6, width - 8)
    values = draw.ticks(max(one["cameras"] for one in dates))
    y = draw.scale(0, values[-1], 12 + _CURVE, 12)
    points = [(x(day.toordinal()), y(one["cameras"])) for day, one in zip(days, dates, strict=True)]
    parts = [draw.levels(values, y, _LEFT, "{:,.0f}".format, width=width)]
    if len(points) > 1:
        parts.append(draw.line(points, draw.FIRST, width=2))
    parts += [draw.circle(*point, 3.5, draw.FIRST) for point in points]
    bars, bottom = _came_and_went(x, days, dates, 12.0 + _CURVE + 24, width)
    parts += [
        bars,
        draw.days(days[0], days[-1], x, bottom + 4, width=width),
        draw.legend(
            [
                (draw.FIRST, "", "cameras on lists; below: appeared, or came back"),
                (draw.FAINT, "", "in places that no list had covered"),
                (draw.SECOND, "", "vanished"),
            ],
            bottom + 46,
        ),
    ]
    return draw.svg(bottom + 46 + 2 * 18 + 8, parts, width=width)


def _came_and_went(
    x: draw.Scale, days: list[date], dates: list[dict[str, Any]], top: float, width: int
) -> tuple[str, float]:
    """Return bars, up for what came and down for what went, and where they end."""
    steps = list(zip(days, dates, strict=True))[1:]
    up = max((one["appeared"] + one["returned"] + one["newly_covered"] for _, one in steps),
             default=0)  # fmt: skip
    down = max((one["vanished"] for _, one in steps), default=0)
    high = draw.scale(0, max(up, down, 1), 0, _STEPS)
    middle = top + high(up)
    parts = [draw.line([(_LEFT, middle), (width, middle)], draw.MUTED)]
    parts += [
        draw.text(_LEFT - 6, at + 4, words, anchor="end")
        for at, words in ((top, f"+{up:,}"), (middle, "0"), (middle + high(down), f"−{down:,}"))
        if words == "0" or abs(at - middle) >= 12
    ]
    for day, one in steps:
        left = x(day.toordinal()) - 3.5
        came = high(one["appeared"] + one["returned"])
        covered, gone = high(one["newly_covered"]), high(one["vanished"])
        for from_y, height, fill in (
            (middle - came, came, draw.FIRST),
            (middle - came - covered, covered, draw.FAINT),
            (middle, gone, draw.SECOND),
        ):
            if height:
                parts.append(draw.rect(left, from_y, 7, height, fill))
    return "".join(parts), middle + high(down)


def survival(lifetimes: dict[str, Any]) -> Figure | None:
    """Return the Kaplan-Meier curves with their intervals, None where nothing has vanished."""
    curves = {name: lifetimes[name]["curve"] for name in _GROUPS if lifetimes[name]["curve"]}
    if not curves:
        return None
    years = draw.ticks(max(curve[-1]["years"] for curve in curves.values()), 5, whole=False)
    x = draw.scale(0, years[-1], _LEFT + 2, draw.WIDTH - 14)
    y = draw.scale(0, 1, 12 + _CURVE, 12)
    base = 12.0 + _CURVE
    parts = [draw.levels((0, 0.25, 0.5, 0.75, 1), y, _LEFT, "{:.0%}".format)]
    parts += [draw.text(x(v), base + 17, f"{v:g}", anchor="middle") for v in years]
    parts.append(draw.text(draw.WIDTH, base + 34, "years", anchor="end"))
    for name, curve in curves.items():
        _, colour, dashes = _GROUPS[name]
        drawn = _apart(curve, x)
        low, high = ([_bound(row, side) for row in drawn] for side in ("low", "high"))
        at = [row["years"] for row in drawn]
        band = _staircase(at, high, x, y) + _staircase(at, low, x, y)[::-1]
        parts.append(draw.area(band, colour))
        stairs = _staircase(at, [row["survival"] for row in drawn], x, y)
        parts.append(draw.line(stairs, colour, width=2, dashes=dashes))
    legend = [(_GROUPS[name][1], _GROUPS[name][2], f"those that {_GROUPS[name][0]}")
              for name in curves]  # fmt: skip
    parts.append(draw.legend(legend, base + 56))
    return Figure(
        "lifetimes",
        "How many are still on a list",
        draw.svg(base + 56 + 18 * (len(curves) - 1) + 8, parts),
        "; ".join(_curve_in_words(name, curve) for name, curve in curves.items()),
        "Kaplan-Meier estimate with its 95% interval, drawn as far as anything has vanished.",
    )


def _apart(curve: list[dict[str, Any]], x: draw.Scale) -> list[dict[str, Any]]:
    """Return the steps that can be told apart in the picture: the last of each half unit."""
    return list({round(2 * x(row["years"])): row for row in curve}.values())


def _bound(row: dict[str, Any], side: str) -> float:
    value = row[side]
    return float(row["survival"] if value is None else value)


def _staircase(
    at: list[float], values: list[float], x: draw.Scale, y: draw.Scale
) -> list[tuple[float, float]]:
    points = [(x(0), y(1))]
    for where, value in zip(at, values, strict=True):
        points += [(x(where), points[-1][1]), (x(where), y(value))]
    return points


def _curve_in_words(name: str, curve: list[dict[str, Any]]) -> str:
    last = curve[-1]
    return (
        f"Of those that {_GROUPS[name][0]}, {_share(last['survival'])} are left after "
        f"{_words.number(last['years'])} years{_interval(last)}"
    )


def installed(told: dict[str, Any]) -> Figure | None:
    """Return the installations by month, None where no list tells of any."""
    months = told["by_month"]
    if not months:
        return None
    index = [_index(one["month"]) for one in months]
    width = (draw.WIDTH - _LEFT - 8) / (index[-1] - index[0] + 1)
    values = draw.ticks(max(one["cameras"] for one in months))
    y = draw.scale(0, values[-1], 12 + _CURVE, 12)
    base = 12.0 + _CURVE
    parts = [draw.levels(values, y, _LEFT, "{:,.0f}".format)]
    for i, one in zip(index, months, strict=True):
        left = _LEFT + 4 + width * (i - index[0])
        bar = min(width * 0.8, 24)
        parts.append(draw.rect(left + (width - bar) / 2, y(one["cameras"]), bar,
                               base - y(one["cameras"]), draw.FIRST))  # fmt: skip
    first, last = (date.fromisoformat(f"{months[k]['month']}-01") for k in (0, -1))
    x = draw.scale(first.toordinal(), last.toordinal(), _LEFT + 4, draw.WIDTH - 4 - width)
    parts.append(draw.days(first, last, x, base + 4))
    words = "; ".join(f"{label}: {n:,}" for label, n, _ in _periods(months))
    unknown = told["unknown"]
    share = _words.percent(unknown, unknown + sum(one["cameras"] for one in months))
    note = f"Not stated of {_words.plural(unknown, 'camera')}, {share}." if unknown else ""
    return Figure("installed", "Installations by month", draw.svg(base + 30, parts), words, note)


def installed_of_census(summary: dict[str, Any]) -> list[Figure]:
    """Return the installations by month if they are stated of enough of the cameras of a census.

    Nothing where the section on time shows them, or where lists tell of less than ENOUGH of them.
    """
    told, n = summary["installed"], summary["cameras"]["records"]
    stated = n - told["unknown"]
    if section(summary.get("timeline")) or not stated or stated < ENOUGH * n:
        return []
    drawn = installed(told)
    return [] if drawn is None else [drawn]


def _index(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])


def _periods(months: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Return name, cameras and devices of each month, or of each year where there are many."""
    if len(months) <= _MOST_MONTHS:
        return [(_month(one["month"]), one["cameras"], one["devices"]) for one in months]
    cameras: Counter[str] = Counter()
    devices: Counter[str] = Counter()
    for one in months:
        cameras[one["month"][:4]] += one["cameras"]
        devices[one["month"][:4]] += one["devices"]
    return [(year, cameras[year], devices[year]) for year in sorted(cameras)]


def _dates(dates: list[dict[str, Any]]) -> Table:
    names = ("cameras", "appeared", "newly_covered", "returned", "vanished")
    rows = [
        [
            _words.day(one["dated"]).replace(" ", "\u00a0"),
            ", ".join(one["sources"]),
            *(f"{one[n]:,}" for n in names),
        ]
        for one in dates
    ]
    columns = heads("Date", "Sources", "#Cameras", "#Appeared", "#Newly covered", "#Came back",
                    "#Vanished")  # fmt: skip
    return Table("Cameras by date of the list", columns, rows)


def _lifetimes(lifetimes: dict[str, Any]) -> Table:
    rows = [
        [
            f"That {words}",
            f"{lifetimes[name]['cameras']:,}",
            f"{lifetimes[name]['vanished']:,}",
            _years(lifetimes[name]),
        ]
        for name, (words, _, _) in _GROUPS.items()
        if lifetimes[name]["cameras"]
    ]
    columns = heads("Cameras", "#Number", "#Vanished", "#Years until half had vanished")
    return Table("How long cameras stay on lists", columns, rows)


def _years(group: dict[str, Any]) -> str:
    if group["median_years"] is not None:
        return f"{group['median_years']:.1f}"
    return "not reached"


def _months(told: dict[str, Any]) -> Table:
    periods = _periods(told["by_month"])
    by = "year" if len(told["by_month"]) > _MOST_MONTHS else "month"
    rows = [[label, f"{n:,}", f"{devices:,}"] for label, n, devices in periods]
    columns = heads(by.capitalize(), "#Cameras", "#Devices")
    return Table(f"Installations by {by}, where lists tell", columns, rows)
