"""Compiles a survey of tours and trips into the parameters of residents.

Run as `python -m sousveil.residents._compile FOLDER > san_francisco.toml`, where FOLDER holds the
tables of the example that comes with the PyPI package activitysim: survey_households.csv,
survey_persons.csv, survey_tours.csv and survey_trips.csv.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

HEAD: Final = """\
# How residents spend a weekday: shares and times of a synthetic survey of San Francisco.
# Compiled by sousveil.residents._compile; do not edit by hand. A copy with other figures is used
# with --parameters FILE.
# Source: the example survey of ActivitySim 1.6.0 (2,000 households, 5,778 tours, 14,352 trips).
# Copyright (c) 2014-2024, Association of Metropolitan Planning Organizations and contributors;
# BSD 3-Clause License: redistribution and use are permitted with this notice, without warranty;
# the names of the copyright holders may not be used to endorse what is derived from it.

name = "San Francisco (ActivitySim example survey)"
source = "ActivitySim 1.6.0, example survey, PyPI package activitysim"
licence = "BSD-3-Clause"
"""

ASSUMED: Final = """\
# What the survey does not say. weekend_*: how often on a Saturday or Sunday against a weekday.
# pupils_inside: share of pupils whose school is in the place; of everybody else, who walks or
# cycles by the survey (on_foot) stays inside, and the others leave through a stop or the edge.
# speed_m_s, spread_m_s: comfortable walking (Bohannon, Age and Ageing 26, 1997, 15-19: means from
# 1.27 to 1.46 m/s by age and sex, indoors; a little less on streets and with children).
# reach_m: places are chosen with a chance that falls by exp(-distance / reach_m).
# explore, rank_exponent: chance of a place that is none of the resident's own, and how visits fall
# with the rank of a place (Song et al., Nature Physics 6, 2010: 0.6 S^-0.21 at S = 20; 1.2).
# detour: spread of the logarithm of how long a stretch of street seems, so that not everybody
# takes the shortest way. joins: chance of each further member to come when a household goes out.
# awake_hours: when people are taken as awake (about 8 hours of sleep, OECD time use).
[assumed]
weekend_work = 0.25
weekend_school = 0.0
weekend_free = 1.3
pupils_inside = 0.8
speed_m_s = 1.3
spread_m_s = 0.15
reach_m.work = 900
reach_m.school = 500
reach_m.shop = 350
reach_m.eat = 450
reach_m.errand = 500
reach_m.social = 600
reach_m.leisure = 600
reach_m.gate = 400
explore = 0.32
rank_exponent = 1.2
own_places = 8
detour = 0.15
joins = 0.8
awake_hours = [7, 23]
"""

PURPOSES: Final = ("home", "work", "school", "shop", "eat", "errand", "social", "leisure", "escort")
_FREE: Final = ("shop", "eat", "errand", "social", "leisure")
_NAMES: Final = {
    "Home": "home", "work": "work", "Work": "work", "school": "school", "univ": "school",
    "shopping": "shop", "eatout": "eat", "eat": "eat", "othmaint": "errand", "maint": "errand",
    "business": "work", "social": "social", "othdiscr": "leisure", "escort": "escort",
    "atwork": "eat",
}  # fmt: skip
_TYPES: Final = range(1, 9)
_MOST_STOPS: Final = 3
_ON_FOOT: Final = ("WALK", "BIKE")


def compile_survey(folder: Path) -> str:
    """Return the parameters as TOML text."""
    persons = pd.read_csv(folder / "survey_persons.csv")
    tours = pd.read_csv(folder / "survey_tours.csv")
    trips = pd.read_csv(folder / "survey_trips.csv")
    tours["purpose"] = tours["tour_type"].map(_NAMES)
    tours["hours"] = (tours["end"] - tours["start"]).clip(0, 18).astype(int)
    tours = tours.merge(persons[["person_id", "ptype"]], on="person_id")
    parts = [
        HEAD,
        _households(persons),
        _day(persons, tours),
        _times(tours),
        _stops(tours, trips),
        ASSUMED,
    ]
    return "\n".join(parts)


def _households(persons: pd.DataFrame) -> str:
    """Return who lives together: a digit a person, its person type, and how often that occurs."""
    codes = persons.sort_values(["household_id", "ptype"]).groupby("household_id")["ptype"]
    members = codes.apply(lambda types: "".join(map(str, types)))
    counts = members[members.str.len() <= 8].value_counts()
    counts = counts[counts >= 2].sort_index()
    return _section("households", {"members": list(counts.index), "weight": counts.tolist()})


def _day(persons: pd.DataFrame, tours: pd.DataFrame) -> str:
    n = persons.groupby("ptype").size().reindex(_TYPES)
    own = tours[tours["tour_category"] != "joint"]
    main = own[own["tour_category"] == "mandatory"]
    free = own[(own["tour_category"] == "non_mandatory") & (own["purpose"] != "escort")]
    atwork = own[own["tour_category"] == "atwork"]
    people = main.groupby(["ptype", "purpose"])["person_id"].nunique().unstack().reindex(_TYPES)
    working = (main["purpose"] == "work").sum()
    joint_in = tours[tours["tour_category"] == "joint"]["household_id"].nunique()
    together = (persons.groupby("household_id").size() >= 2).sum()
    lessons = main[main["ptype"].isin([7, 8])]
    escorted = lessons["tour_mode"].str.startswith("SHARED").groupby(lessons["ptype"]).mean()
    shares = pd.crosstab(free["ptype"], free["purpose"]).reindex(_TYPES)[list(_FREE)].fillna(0)
    values: dict[str, Any] = {
        "work": _rounded((people["work"] / n).fillna(0)),
        "school": _rounded((people["school"] / n).fillna(0)),
        "break_at_work": round(float(len(atwork) / working), 4),
        "break_is_meal": round(float((atwork["purpose"] == "eat").mean()), 4),
        "free_tours_when_out": _numbers_of_tours(persons, main, free, busy=True),
        "free_tours_else": _numbers_of_tours(persons, main, free, busy=False),
        "free_purposes": [_rounded(row / row.sum()) for row in shares.to_numpy()],
        "joint": round(float(joint_in / together), 4),
        "escorted": _rounded(escorted),
    }
    note = (
        "# By person type: 1 full-time worker, 2 part-time worker, 3 student, 4 at home, 5 retired,"
        "\n# 6 pupil who drives, 7 pupil, 8 preschool. Chances a weekday; free tours 0, 1, 2, 3.\n"
        f"# free_purposes in the order {', '.join(_FREE)}; escorted: share of pupils and of\n"
        "# preschool children who are taken to school by somebody (ridden with, in the survey).\n"
    )
    return note + _section("day", values)


def _numbers_of_tours(
    persons: pd.DataFrame, main: pd.DataFrame, free: pd.DataFrame, *, busy: bool
) -> list[list[float]]:
    is_out = persons["person_id"].isin(main["person_id"])
    chosen = persons[is_out if busy else ~is_out]
    taken = free.groupby("person_id").size().reindex(chosen["person_id"]).fillna(0).clip(upper=3)
    table = pd.crosstab(chosen["ptype"].to_numpy(), taken.astype(int).to_numpy())
    table = table.reindex(index=_TYPES, columns=range(4)).fillna(0)
    return [_rounded(row / row.sum()) if row.sum() else [1.0, 0, 0, 0] for row in table.to_numpy()]


def _times(tours: pd.DataFrame) -> str:
    """Return by purpose when tours start, how many hours they last, and how many go on foot."""
    sections = []
    for purpose in PURPOSES[1:-1]:
        taken = tours[tours["purpose"] == purpose]
        taken = taken[taken["tour_category"] != "atwork"] if purpose in ("work", "eat") else taken
        start = np.bincount(taken["start"].astype(int), minlength=24)
        hours = np.bincount(taken["hours"], minlength=19)
        values = {
            "start_hour": _rounded(start / start.sum()),
            "hours": _rounded(hours / hours.sum()),
            "on_foot": round(float(taken["tour_mode"].isin(_ON_FOOT).mean()), 4),
        }
        sections.append(_section(f"tour.{purpose}", values))
    return "\n".join(sections)


def _stops(tours: pd.DataFrame, trips: pd.DataFrame) -> str:
    """Return how many stops there are on the way out and back, and what for."""
    legs = trips.merge(tours[["tour_id", "purpose", "tour_category"]], on="tour_id",
                       suffixes=("", "_of_tour"))  # fmt: skip
    legs = legs[legs["tour_category"] != "atwork"]
    size = legs.groupby(["tour_id", "outbound", "purpose_of_tour"]).size().sub(1)
    values: dict[str, Any] = {}
    for way, word in ((True, "out"), (False, "back")):
        counts = size[size.index.get_level_values("outbound") == way].clip(upper=_MOST_STOPS)
        for kind, is_main in (("main", True), ("free", False)):
            purposes = counts.index.get_level_values("purpose_of_tour")
            chosen = counts[purposes.isin(["work", "school"]) == is_main]
            share = np.bincount(chosen.to_numpy(), minlength=_MOST_STOPS + 1) / len(chosen)
            values[f"{word}_{kind}"] = _rounded(share)
    last = legs.groupby(["tour_id", "outbound"])["trip_id"].transform("max")
    between = legs[legs["trip_id"] != last]["purpose"].map(_NAMES)
    shares = between[between.isin(_FREE)].value_counts(normalize=True).reindex(_FREE).fillna(0)
    values["purposes"] = _rounded(shares)
    return _section("stops", values)


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 4) for value in values]


def _section(name: str, values: dict[str, Any]) -> str:
    lines = [f"[{name}]"]
    for key, value in values.items():
        text = str(value).replace("'", '"')
        lines.append(f"{key} = {text}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(compile_survey(Path(sys.argv[1])))
