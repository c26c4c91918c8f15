"""The report of an exposure: one private HTML page that holds all it needs and loads nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow.compute as pc

from sousveil import __version__, report
from sousveil.letters import described
from sousveil.records import LEVELS
from sousveil.report import _map, _way, _words

if TYPE_CHECKING:
    from sousveil.exposure import Exposure

_LEVELS: Final = {
    "detect": ("Detect", "that somebody is there"),
    "observe": ("Observe", "what somebody looks like and does"),
    "recognise": ("Recognise", "that it is a person known before"),
    "identify": ("Identify", "who it is, beyond doubt, also a stranger"),
}
_MOST_ROWS: Final = 60
_LEAST: Final = "5%"  # exposure._totals.LEAST_TOLD

Summary = dict[str, Any]


def render(exposure: Exposure) -> str:
    """Return the page as HTML; its content policy forbids every request and foreign script."""
    summary = exposure.summary
    began = _began(summary)
    on = _way.frame(exposure.moments)
    data = _way.payload(exposure.moments, exposure.watchful, exposure.passes, on, began)
    style = report._template("report.css") + report._template("way.css")
    script = f'(() => {{\n"use strict";\n{report._template("way.js")}}})();\n'
    return report._environment().get_template("way.html.jinja").render(
        version=__version__,
        title=_title(summary),
        private=summary["private"],
        answer=_answer(summary),
        figures=_figures(summary),
        picture=_way.picture(exposure.moments, exposure.watchful, exposure.passes,
                             exposure.streets, on),
        timeline=_way.timeline(exposure.moments, exposure.watchful),
        shades=_way.SHADES,
        last=len(data["start"]) - 1,
        data=_map.safe_json(data),
        tables=_tables(exposure),
        questions=summary["questions"],
        no_promise=summary["no_promise"],
        is_planned=_is_planned(summary),
        level=_level(summary),
        on=_words.day(summary["on"]),
        credits=", ".join(summary["attribution"]),
        style=style,
        script=script,
        policy=report._policy([script], style),
    )  # fmt: skip


def sentences(summary: Summary) -> list[str]:
    """Return the answer and the main figures as plain sentences."""
    return [report._plain(s) for s in (_answer(summary), *_figures(summary))]


def _began(summary: Summary) -> datetime | None:
    start = summary.get("track", {}).get("start")
    return None if start is None else datetime.fromisoformat(start)


def _title(summary: Summary) -> str:
    if _is_planned(summary):
        return "Ways on foot, and the cameras along them"
    return "Which cameras could have recorded me?"


def _is_planned(summary: Summary) -> bool:
    return bool(summary["kind"] == "ways")


def _level(summary: Summary) -> str:
    """Return the level of the main figures: that which a planned way avoids, else the lowest."""
    return str(summary.get("level", LEVELS[0]))


def _at_level(summary: Summary) -> str:
    """Return words that name the level of the main figures, where it is not the lowest."""
    level = _level(summary)
    return "" if level == LEVELS[0] else f" at the level {level}"


def _answer(summary: Summary) -> str:
    told, planned = summary["cameras"][_level(summary)], _is_planned(summary)
    could, level = _words.plural(told["could"], "camera"), _at_level(summary)
    which = "the shortest way" if planned else "this way"
    if not told["could"]:
        return (
            f"No camera on record could see you on {which}{level}. Cameras that are on no record "
            "may."
        )
    did = "would, if they run" if planned else "did, if they ran"
    tail = "How many more there are is not known."
    if told["all"] is not None:
        tail = f"With those that no source has, they are **{_span(told['all'])}**."
    have = "could see" if planned else "could have seen"
    return (
        f"On {which} **{could}** on record {have} you{level}, and an expected **{_span(told)}** "
        f"{did}. {tail}"
    )


def _figures(summary: Summary) -> list[str]:
    time, levels, level = summary["time"], summary["cameras"], _level(summary)
    owners = levels["detect"]["by_operator_class"]
    which = "could" if level == LEVELS[0] else "could see you at any level"
    found = [
        _time(summary),
        f"Expected in all: **{duration(time[level]['seen_s'])}** seen{_at_level(summary)}. That "
        "adds up the chance of each moment, so it is no further part of the time.",
        f"Sharp enough to identify a stranger: an expected **{_span(levels['identify'])}** "
        f"cameras, for an expected {duration(time['identify']['seen_s'])}; "
        f"cameras that could, with a chance of {_LEAST} or more: "
        f"**{levels['identify']['could']}**.",
        f"Of the cameras that {which}: **{owners['public']['could']}** of public bodies, "
        f"**{owners['private']['could']}** private, **{owners['unknown']['could']}** of "
        f"unknown kind. {_named(summary)}",
    ]
    if level == "identify":
        del found[2]  # the answer has said it
    if _is_planned(summary) and len(summary["ways"]) > 1:
        first, *others = summary["ways"]
        told = _words.listed(
            [f"{w['length_m']:,.0f} m long and seen on {_metres(w['seen_m'])}" for w in others[:3]]
        )
        found.append(
            f"The shortest is {first['length_m']:,.0f} m long and seen on an expected "
            f"**{_metres(first['seen_m'])}**{_at_level(summary)}; "
            f"{'another is' if len(others) == 1 else 'others are'} {told}."
        )
    return found


_PARTS: Final = {
    "likely": ("likely seen", "Likely seen: at 50% or more"),
    "possible": ("possibly seen", "Possibly seen: some chance, under 50%"),
    "none": ("that no camera on record could see, which is no promise",
             "No camera on record could see you. That is no promise."),
    "outside": ("outside what the sources map", "Outside what the sources map: nothing is known"),
    "silent": ("of which the track is silent", "The track is silent: nothing is known"),
}  # fmt: skip


def _time(summary: Summary) -> str:
    """Return the parts of the time; they sum to the whole."""
    parts = summary["parts"]
    told = [
        f"**{exactly(parts[f'{name}_s'])}** {said}"
        for name, (said, _) in _PARTS.items()
        if parts[f"{name}_s"] or name in ("likely", "possible", "none")
    ]
    which = "the shortest way" if _is_planned(summary) else "the way"
    return f"Of the {exactly(parts['total_s'])} of {which}{_at_level(summary)}: {'; '.join(told)}."


def _named(summary: Summary) -> str:
    """Return who can be written to, as the letters count them."""
    operators = summary["operators"]
    named = sum(one["cameras"] for one in operators if one["named"])
    homes = sum(one["cameras"] for one in operators if one["private_homes"])
    others = sum(one["cameras"] for one in operators) - named - homes
    vague = [f"“{o['operator']}”" for o in operators if described(o["operator"])]
    n, how = summary["named_operators"], ""
    if vague:
        how = f": {n - len(vague)} by name, {len(vague)} only by a description ("
        how += ", ".join(vague[:3]) + ", …" * (len(vague) > 3) + ")"
    rest = [f"of {_words.plural(others, 'camera')} they name none"] if others else []
    if homes:
        rest.append(f"{_words.plural(homes, 'is', 'are')} of private homes")
    return (
        "; ".join(
            [
                f"Sources name or describe **{_words.plural(n, 'operator')}** "
                f"({_words.plural(named, 'camera')}){how}",
                *rest,
            ]
        )
        + "."
    )


def exactly(seconds: int) -> str:
    """Return a time to the second, so that parts sum as they are read: ``12 min 5 s``."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    told = [f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if n]
    return " ".join(told) or "0 s"


def _metres(length_m: float) -> str:
    return f"{length_m:,.0f} m" if length_m >= 1 else "under 1 m"


def _span(told: dict[str, Any]) -> str:
    if told["low"] == told["high"]:
        return f"{told['low']}"
    return f"{_words.number(told['expected'])} ({told['low']} to {told['high']})"


def _with_others(told: dict[str, Any]) -> str:
    """Return the number with the cameras on no record: a bound where theirs is not known."""
    return _span(told["all"]) if told["all"] else f"at least {told['low']}"


def duration(seconds: float) -> str:
    """Return a time for people: ``45 s``, ``9 min``, ``1 h 5 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min".removesuffix(" 0 min")


def _table(caption: str, heads: list[str], rows: list[list[str]], note: str = "") -> dict[str, Any]:
    numbers = [heads.index(h) for h in heads if h.startswith("#")]
    return {
        "caption": caption,
        "note": note,
        "heads": [{"name": h.removeprefix("#"), "number": i in numbers}
                  for i, h in enumerate(heads)],
        "rows": rows,
    }  # fmt: skip


def _tables(exposure: Exposure) -> list[dict[str, Any]]:
    summary = exposure.summary
    tables = [_parts(summary), _levels(summary), _operators(summary)]
    if _is_planned(summary):
        tables.insert(0, _ways(summary))
    if summary["identified"]:
        rows = [
            [_when(one), ", ".join(one["streets"]) or "away from streets",
             _per_cent(one["probability"])]
            for one in sorted(summary["identified"], key=lambda one: -one["probability"])
        ]  # fmt: skip
        tables.append(_table("Moments at which you may be identified" if _is_planned(summary)
                             else "Moments at which you may have been identified",
                             ["When", "Where", "#Probability"], rows[:_MOST_ROWS]))  # fmt: skip
    tables.append(_passes(exposure))
    unseen = sorted(summary["unseen"], key=lambda one: one["start_s"] - one["end_s"])
    rows = [
        [_when(one), ", ".join(one["streets"][:4]) or "away from streets",
         exactly(round(one["end_s"] - one["start_s"])), f"{one['length_m']:,.0f} m"]
        for one in unseen[:10]
    ]  # fmt: skip
    if rows:
        tables.append(_table("Longest stretches that no camera on record could see"
                             + _at_level(summary),
                             ["When", "Where", "#Time", "#Length"], rows))  # fmt: skip
    return tables


def _parts(summary: Summary) -> dict[str, Any]:
    parts = summary["parts"]
    rows = [
        [meaning, exactly(parts[f"{name}_s"])]
        for name, (_, meaning) in _PARTS.items()
        if name != "silent" or not _is_planned(summary)
    ]
    rows.append(["All of it", exactly(parts["total_s"])])
    expected = duration(summary["time"][_level(summary)]["seen_s"])
    return _table(
        f"How the time divides{_at_level(summary)}", ["Part", "#Time"], rows,
        f"The parts sum to the whole. The expected {expected} seen are the chances of all moments "
        "added up: they lie within the first two parts.",
    )  # fmt: skip


def _levels(summary: Summary) -> dict[str, Any]:
    rows = []
    for level, (name, meaning) in _LEVELS.items():
        told, time = summary["cameras"][level], summary["time"][level]
        rows.append(
            [f"{name}: {meaning}", f"{told['could']}", _span(told),
             _with_others(told), duration(time["could_s"]), duration(time["seen_s"])]
        )  # fmt: skip
    did = "would" if _is_planned(summary) else "did"
    return _table(
        "By level of IEC 62676-4",
        ["Enough pixels to see", "#Cameras that could", f"#That {did}, expected",
         "#With those on no record", "#Expected time: could", f"#Expected time: {did}"],
        rows, f"A camera counts as one that could from a chance of {_LEAST} on; the expected "
        "numbers add up the chances of all, with 95% intervals, so they may lie on either side. "
        "Times are chances added up, no parts of a whole.",
    )  # fmt: skip


def _operators(summary: Summary) -> dict[str, Any]:
    rows = []
    for one in summary["operators"]:
        name = "Private homes" if one["private_homes"] else one["operator"] or "Not named"
        kept = one["retention_days"]
        rows.append(
            [name, _words.OWNERS[one["operator_class"]], f"{one['cameras']}",
             _words.number(one["expected"]), "not stated" if kept is None else f"{kept:g} days"]
        )  # fmt: skip
    who = "Who could record you" if _is_planned(summary) else "Who could have recorded you"
    return _table(who,
                  ["Operator", "Kind", "#Cameras that could", "#Expected", "#Kept for"],
                  rows[:_MOST_ROWS])  # fmt: skip


def _ways(summary: Summary) -> dict[str, Any]:
    level = _level(summary)
    rows = [
        [f"{one['way'] + 1}", f"{one['length_m']:,.0f} m", f"{one['minutes']:.0f} min",
         _metres(one["seen_m"]), _metres(one["could_m"]),
         _span(one["cameras"][level]), f"{one['cameras'][level]['could']}"]
        for one in summary["ways"]
    ]  # fmt: skip
    return _table(
        ",".join(["The ways, the shortest first", _at_level(summary)]).rstrip(","),
        ["Way", "#Length", "#Time", "#Seen, expected", "#Could be seen", "#Cameras that see you",
         "#That could"],
        rows,
    )  # fmt: skip


def _passes(exposure: Exposure) -> dict[str, Any]:
    began = _began(exposure.summary)
    rows: list[list[str]] = []
    mine = exposure.passes.filter(pc.equal(exposure.passes["way"], 0)).to_pylist()
    by_pass: dict[int, dict[str, Any]] = {}
    for row in mine:
        by_pass.setdefault(row["pass"], {})[row["level"]] = row
    likely = sorted(by_pass.values(), key=lambda levels: -levels["detect"]["probability"])
    counted, aside = _counted(mine, exposure.summary["cameras"][LEVELS[0]]["could"]), 0
    for levels in likely[:_MOST_ROWS]:
        row = levels["detect"]
        is_counted = row["camera_id"] in counted
        aside += not is_counted
        best = [_per_cent(levels[n]["probability"] if n in levels else 0.0) for n in LEVELS]
        who = "a private home" if row["private_home"] else row["operator"] or "not named"
        rows.append([_from_to(began, row["start_s"], row["end_s"]), _where(row), who, *best,
                     _per_cent(row["could"]) + ", not counted" * (not is_counted)])  # fmt: skip
    names = [f"#{_LEVELS[level][0]}" for level in LEVELS]
    note = f"The likeliest {_MOST_ROWS} of {len(by_pass)}. " if len(by_pass) > _MOST_ROWS else ""
    note += "A camera that is passed again has a row for each time."
    if aside:
        note += f" Not counted: cameras with a chance under {_LEAST} that they could."
    have = "could record" if _is_planned(exposure.summary) else "could have recorded"
    return _table(f"When each camera {have} you",
                  ["When", "Where", "Operator", *names, "#Could"], rows, note)  # fmt: skip


def _counted(rows: list[dict[str, Any]], number: int) -> set[str]:
    """Return the ids of the cameras that count as ones that could: so many, the likeliest."""
    best: dict[str, float] = {}
    for row in rows:
        if row["level"] == LEVELS[0]:
            best[row["camera_id"]] = max(row["could"], best.get(row["camera_id"], 0.0))
    return set(sorted(best, key=lambda camera: -best[camera])[:number])


def _where(row: dict[str, Any]) -> str:
    if row["street"]:
        return str(row["street"])
    if row["near_street"]:
        return f"near {row['near_street']}, {row['near_street_m']:.0f} m"
    return "away from streets"


def _when(one: dict[str, Any]) -> str:
    if one["start"] is None:
        return _from_to(None, one["start_s"], one["end_s"])
    return _span_of_clock(one["start"][11:19], one["end"][11:19])


def _from_to(began: datetime | None, start_s: float, end_s: float) -> str:
    """Return from when to when: to the minute, or to the second within one minute."""
    if began is not None:
        first, last = (
            datetime.fromtimestamp(began.timestamp() + s, began.tzinfo) for s in (start_s, end_s)
        )
        return _span_of_clock(f"{first:%H:%M:%S}", f"{last:%H:%M:%S}")
    told = [clock(None, start_s), clock(None, end_s)]
    if told[0] == told[1]:
        told = [exactly(round(start_s)), exactly(round(end_s))]
    return " – ".join(dict.fromkeys(told))


def _span_of_clock(start: str, end: str) -> str:
    if start[:5] != end[:5]:
        start, end = start[:5], end[:5]
    return " – ".join(dict.fromkeys([start, end]))


def clock(began: datetime | None, seconds: float) -> str:
    """Return a clock time, or the time since the start where there is no clock."""
    if began is None:
        return f"{seconds / 60:.0f} min"
    moment = datetime.fromtimestamp(began.timestamp() + seconds, began.tzinfo)
    return f"{moment:%H:%M}"


def _per_cent(chance: float) -> str:
    return _words.percent(chance, 1.0)
