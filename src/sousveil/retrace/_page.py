"""The report of a retraced week: one HTML page that holds all it needs and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import jinja2
import numpy as np

from sousveil import __version__
from sousveil.retrace import _charts
from sousveil.retrace._charts import Row
from sousveil.sources.licences import LICENCE_URLS

if TYPE_CHECKING:
    from sousveil.retrace import Retraced

Summary = dict[str, Any]

_LABELS: Final = {
    "trips_seen": "Trips seen by a camera",
    "trips_named": "Trips put to a name",
    "places_retraced": "Places visited, given away",
    "time_retraced": "Waking time accounted for",
    "home_found": "Homes found",
    "work_found": "Places of work found",
}
_RULES: Final = {
    "as_it_is": "As it is: all searched together",
    "retention_3": "Deleted after 3 days",
    "retention_30": "Deleted after 30 days",
    "retention_90": "Deleted after 90 days",
    "public_only": "Private operators share nothing",
    "each_alone": "Nobody shares",
    "no_recognition": "No face search",
    "no_school": "No cameras within 100 m of a school",
    "no_school_way": "No cameras on any way to school",
    "half": "Half of the cameras",
    "planned": "Planned cameras added",
}
_POWERS: Final = {
    "cameras": ("How many of the cameras stand", "{:.0%}"),
    "level": ("The least level of detail that is recorded", ""),
    "recognition": ("How well faces are recognised", ""),
    "retention_days": ("How long recordings are kept", "{:.0f} days"),
}
_STEPS: Final = {
    ("level", "1"): "all, from detect on",
    ("level", "2"): "observe and better",
    ("level", "3"): "recognise and better",
    ("level", "4"): "identify alone",
    ("retention_days", "1"): "1 day",
}


def sentences(summary: Summary) -> list[str]:
    """Return what was found as plain sentences."""
    return [re.sub(r"\*\*", "", sentence) for sentence in _sentences(summary)]


def render(result: Retraced) -> str:
    """Return the report as HTML; its content security policy forbids every request and script."""
    summary = result.summary
    style = _template("retrace.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__name__.rpartition(".")[0]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["parts"] = lambda text: re.split(r"\*\*(.+?)\*\*", text)
    return environment.get_template("retrace.html.jinja").render(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'",
        style=style,
        version=__version__,
        title=f"What could the cameras of {summary['place']} learn about a week?",
        answer=_answer(summary),
        sentences=_sentences(summary)[1:],
        figures=_figures(result),
        map=_charts.named_map(result.lines, result.named_at),
        shades=_charts.steps_of_map(),
        rules=_rule_table(summary),
        steps=_step_table(summary),
        covers=_covers(summary),
        powers=summary["powers"],
        summary=summary,
        attribution=result.source.attribution,
        also=[": ".join(pair) for pair in result.also],
        licence=result.source.licence,
        licence_url=LICENCE_URLS.get(result.source.licence),
    )


def _template(name: str) -> str:
    return resources.files("sousveil.retrace").joinpath("templates", name).read_text("utf-8")


def _answer(summary: Summary) -> str:
    rows = _by_name(summary)
    if not summary["cameras"]["watching"]:
        return f"No camera that is known in {summary['place']} sees a street."
    return (
        f"Of what residents do on the streets of {summary['place']} that the data holds, "
        "the cameras that are listed see "
        f"**{_share(rows['trips_seen'])}** of the trips, and can put a name to "
        f"**{_share(rows['trips_named'])}** if faces are searched; all cameras together at least "
        "as much."
    )


def _sentences(summary: Summary) -> list[str]:
    rows, said = _by_name(summary), [_answer(summary)]
    if not summary["cameras"]["watching"]:
        return said
    said.append(
        f"Such a record gives away **{_share(rows['places_retraced'])}** of the places that they "
        f"visit, and accounts for **{_share(rows['time_retraced'])}** of their waking time in the "
        "area."
    )
    home, work = rows["home_found"], rows["work_found"]
    text = f"It gives away where they live for **{_share(home)}** of the {_count(home)} residents"
    if work["mean"] is not None:
        text += (
            f", and where they work for **{_share(work)}** of the {_count(work)} who work in the "
            "area"
        )
    said.append(f"{text}.")
    for key, which in (("unique", "named"), ("unique_if_followed", "seen")):
        one = summary[key]
        text = (
            f"With numbers instead of names, the passages that are {which} are like nobody else's "
            f"for **{_between(one['share'], one['low'], one['high'])}** of the residents by the end"
        )
        if one["median_day"] is not None:
            text += f", and for half of them by day **{one['median_day']}**{_days(one)}"
        said.append(f"{text}.")
    ties = summary["ties_if_followed"]
    if ties["suggested"]:
        together = _between(ties["precision"], ties["precision_low"], ties["precision_high"])
        met = _between(
            ties["recall_of_met"] or 0.0, ties["recall_of_met_low"], ties["recall_of_met_high"]
        )
        pairs = "one pair" if ties["suggested"] == 1 else f"{ties['suggested']:,} pairs"
        said.append(
            f"Looking for {ties['residents']:,} residents in all that is seen, {pairs} of people "
            f"pass cameras side by side again and again; **{together}** of them live together. "
            f"That finds **{met}** of those who live together and went out together."
        )
    said += _rule_sentences(summary)
    return said


def _count(row: dict[str, Any]) -> str:
    return f"{row['residents']:,}"


def _days(one: dict[str, Any]) -> str:
    low, high = one["median_day_low"], one["median_day_high"]
    if low == high == one["median_day"]:
        return ""
    return f" ({low} to {high})" if high is not None else f" ({low} at the soonest, or never)"


def _rule_sentences(summary: Summary) -> list[str]:
    rows = {row["rule"]: row for row in summary["rules"] if row["measure"] == "trips_named"}
    told = {
        "retention_3": "Deleting recordings after 3 days",
        "public_only": "Private operators sharing nothing",
        "no_school": "Having no cameras within 100 m of a school",
        "half": "Taking down half of the cameras",
    }
    parts = [
        f"{text} takes away **{_less(rows[name])}** of the trips that could be named"
        for name, text in told.items()
        if name in rows and rows[name]["reduced"] is not None
    ]
    if "planned" in rows:
        parts.append(_planned(rows["as_it_is"], rows["planned"], summary["cameras"]["planned"]))
    return [f"{part}." for part in parts]


def _planned(now: dict[str, Any], then: dict[str, Any], n: int) -> str:
    cameras = "the planned camera" if n == 1 else f"the {n:,} planned cameras"
    if then["mean"] is None or now["mean"] is None:
        return f"What adding {cameras} would change is unknown"
    text = (
        f"Adding {cameras} raises the trips that could be named from "
        f"{_charts.percent(now['mean'])} to **{_share(then)}**"
    )
    if then["reduced"] is None:
        return text
    less = (then["reduced"], then["reduced_low"], then["reduced_high"])
    more, *bounds = (abs(value) for value in less)
    low, high = min(more, *bounds), max(more, *bounds)
    return f"{text}, by **{more:.1%} ({low:.1%} to {high:.1%})** of what they are now"


def _less(row: dict[str, Any]) -> str:
    return f"{row['reduced']:.0%} ({row['reduced_low']:.0%} to {row['reduced_high']:.0%})"


def _by_name(summary: Summary) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in summary["measures"]}


def _share(row: dict[str, Any]) -> str:
    if row["mean"] is None:
        return "an unknown share"
    return _between(row["mean"], row["low"], row["high"])


def _between(share: float, low: float | None, high: float | None) -> str:
    text = _charts.percent(share)
    if low is None or high is None:
        return text
    bounds = _charts.percent(low), _charts.percent(high)
    return text if bounds == (text, text) else f"{text} ({bounds[0]} to {bounds[1]})"


def _figures(result: Retraced) -> list[dict[str, str]]:
    summary = result.summary
    trips = result.residents["trips_named"].to_numpy(zero_copy_only=False).astype(np.float64)
    found = [
        _figure(
            "What a network with these powers would hold",
            "Mean over so many residents. The line is the interval over what is not known: "
            "which way cameras look, how well faces are recognised, and who lives here. "
            f"{_covers(summary)} It rests on "
            f"{_by_name(summary)['trips_seen']['sample']:,} residents, for places of work on "
            f"{_by_name(summary)['work_found']['sample']:,} of them.",
            _charts.rows_chart(_measure_rows(summary)),
            "; ".join(f"{row.label}: {row.mean:.1%}" for row in _measure_rows(summary)),
        ),
        _figure(
            "It does not strike all the same",
            "Residents by the share of their trips that are put to their name.",
            _charts.histogram(trips, "trips named"),
            "A histogram of residents by the share of their trips that are named.",
        ),
        _figure(
            "A number in place of the name hides nobody for long",
            "Residents whose record, of cameras and hours alone, is nobody else's: if passages are "
            "named (in front), or if everybody who is seen is known again (behind). Lines are "
            "intervals as above.",
            _charts.days_chart(summary["unique"], summary["unique_if_followed"]),
            "; ".join(
                f"day {i + 1}: {v:.0%}" for i, v in enumerate(summary["unique"]["until_day"])
            ),
        ),
    ]
    steps = [
        row
        for row in summary["curves"]
        if row["of"] == "cameras" and row["measure"] == "trips_named" and row["mean"] is not None
    ]
    if steps:
        found.append(
            _figure(
                "How it grows with the number of cameras",
                "Trips put to a name if only so many of the cameras stood, taken at random.",
                _charts.steps_chart(steps, "share of the cameras"),
                "; ".join(
                    f"{float(r['value']):.0%} of the cameras: {r['mean']:.0%}" for r in steps
                ),
            )
        )
    if summary["rules"]:
        found.append(_rules_figure(summary))
    return found


def _rules_figure(summary: Summary) -> dict[str, str]:
    left = [
        Row(_RULES[row["rule"]], row["mean"] or 0.0, row["low"] or 0.0, row["high"] or 0.0,
            "var(--accent)" if row["rule"] == "as_it_is" else "var(--bar)")
        for row in summary["rules"] if row["measure"] == "trips_named"
    ]  # fmt: skip
    return _figure(
        "What rules would leave of it",
        "Trips of the week put to a name under each rule, in the same draws.",
        _charts.rows_chart(left, most=max(0.05, *(row.high for row in left))),
        "; ".join(f"{row.label}: {row.mean:.1%}" for row in left),
    )


def _measure_rows(summary: Summary) -> list[Row]:
    return [
        Row(
            _LABELS[row["name"]],
            row["mean"],
            row["mean"] if row["low"] is None else row["low"],
            row["mean"] if row["high"] is None else row["high"],
            note=f" of {row['residents']:,}",
        )
        for row in summary["measures"]
        if row["mean"] is not None
    ]


def _figure(title: str, note: str, svg: str, text: str) -> dict[str, str]:
    return {"title": title, "note": note, "svg": svg, "text": text}


def _rule_table(summary: Summary) -> list[dict[str, str]]:
    rules: dict[str, dict[str, Any]] = {}
    for row in summary["rules"]:
        rules.setdefault(row["rule"], {})[row["measure"]] = row
    singled = {row["rule"]: row for row in summary["singled_out"] if "rule" in row}
    return [
        {
            "name": _RULES[name],
            "trips": _cell(_change(rows["trips_named"])),
            "places": _cell(_change(rows["places_retraced"])),
            "homes": _cell(_change(rows["home_found"])),
            "unique": _cell(_unique(singled[name])),
            "days": f"{rows['days_held']['mean']:.1f}",
        }
        for name, rows in rules.items()
    ]


def _step_table(summary: Summary) -> list[dict[str, Any]]:
    """Return what is found as one power grows step by step, one part a power."""
    steps: dict[tuple[str, str], dict[str, Any]] = {}
    for row in summary["curves"]:
        steps.setdefault((row["of"], row["value"]), {})[row["measure"]] = row
    singled = {(row["of"], row["value"]): row for row in summary["singled_out"] if "of" in row}
    return [
        {
            "title": title,
            "rows": [
                {
                    "name": _STEPS.get((of, value), text.format(float(value)))
                    if of != "recognition"
                    else value,
                    "trips": _cell(_share(rows["trips_named"])),
                    "homes": _cell(_share(rows["home_found"])),
                    "unique": _cell(_unique(singled[of, value])),
                }
                for (of, value), rows in steps.items()
                if of == one
            ],
        }
        for one, (title, text) in _POWERS.items()
        if any(of == one for of, _ in steps)
    ]


def _cell(text: str) -> str:
    """Let a cell break before its interval only."""
    value, bracket, bounds = text.partition(" (")
    return value.replace(" ", "\u00a0") + bracket + bounds.replace(" ", "\u00a0")


def _covers(summary: Summary) -> str:
    return (
        "Such an interval holds a further draw of what is not known in about "
        f"{10 * summary['covers']:.0f} of 10 cases."
    )


def _unique(row: dict[str, Any]) -> str:
    return _between(row["unique"], row["unique_low"], row["unique_high"])


def _change(row: dict[str, Any]) -> str:
    if row["rule"] == "as_it_is":
        return "–" if row["mean"] is None else f"now {row['mean']:.1%}"
    if row["reduced"] is None:
        return "–"
    low, high = sorted((row["reduced_low"], row["reduced_high"]))
    if round(low, 2) == round(high, 2) == 0:
        return "no change"
    text = f"{-row['reduced']:+.0%}"
    if round(low, 2) != round(high, 2):
        text += f" ({-high:+.0%} to {-low:+.0%})"
    return text.replace("-", "−")
