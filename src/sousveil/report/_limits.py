"""Method and limits of a census in words: how it was counted and what it cannot say."""

from __future__ import annotations

import shlex
from typing import Final

from sousveil.report._text import Summary, population_known
from sousveil.report._words import day, listed, of_all, percent, plural

Paragraph = tuple[str, str]  # heading and text

FILES: Final = {
    "report.html": "this page",
    "cameras.parquet": "every camera with all that is known of it; not for publication",
    "cameras.geojson": "the cameras that may be published, for maps",
    "cameras.csv": "the same as a table",
    "streets.parquet": "the streets (GeoParquet)",
    "buildings.parquet": "the buildings (GeoParquet)",
    "estimates.json": "the figures with definition, method and interval",
    "estimates.csv": "the same as a table",
    "quarantine.csv": "everything that was set aside, with the reason",
    "sources.json": "the sources with licence, date and number of rows",
    "ATTRIBUTION.md": "whom to name when you publish any of this",
}
"""The files that stand beside the report and what is in them."""

_COVERAGE_FILES: Final = {
    "coverage/coverage.html": "what the cameras see, as a page of its own; coverage.svg and "
    "coverage.png are its picture, summary.json its figures",
    "coverage/*.parquet": "the stretches of street (streets), and what each camera sees (views, "
    "visible): with every camera's place, not for publication",
}


def files(summary: Summary) -> dict[str, str]:
    """Return the files that stand beside the report of a census and what is in them."""
    return FILES | (_COVERAGE_FILES if summary.get("coverage") else {})


def method(summary: Summary) -> list[Paragraph]:
    """Return how the figures came about, as pairs of a heading and its text."""
    homes = summary["cameras"]["private_homes"]
    return [
        (
            "What was read",
            "Every object of the sources that is tagged as a surveillance device, a speed camera "
            "or a device of an enforcement point was read, each object once. Guards, gunshot "
            "detectors and other sensors are counted apart. Links to live pictures are dropped "
            f"on reading ({summary['links_dropped']:,} here).",
        ),
        (
            "What was set aside",
            "Nothing is lost: a row that cannot be used, or a value that cannot be right, is set "
            "aside with its reason. A camera with an impossible value stays, without that value.",
        ),
        (
            "Public or private",
            "Who runs a camera is decided by fixed rules, in this order: what is said outright, "
            "then the name of the owner or operator, then the zone that the camera watches. "
            "Each camera carries the rule that decided; the table of rules counts them. "
            "Where no rule applies the answer is “not recorded”.",
        ),
        (
            "Area and streets",
            "The area is measured on the ellipsoid. Streets are measured along the centre line as "
            "mapped, a two-way street once; footpaths, cycle paths and steps are measured apart.",
        ),
        (
            "What is shown of whom",
            "Cameras of public bodies, and those of unknown operators, are shown where they are "
            "mapped. Those of private operators are rounded to about 100 metres and come without "
            "their original tags. Those of private homes are counted and never shown one by one"
            + (f": {homes:,} here." if homes else "; there are none here."),
        ),
        *_looking(summary),
    ]


def limits(summary: Summary) -> list[Paragraph]:
    """Return what the report cannot say, as pairs of a heading and its text."""
    n = summary["cameras"]["records"]
    return [
        *_withheld(summary),
        (
            "How many cameras there are",
            f"{_lists(summary)} Mapping depends on volunteers: a street without a camera on this "
            "map may be a street that nobody has walked.",
        ),
        *([] if not n else [_unknown_owners(summary), _unknown_directions(summary), _age(summary)]),
        _sight(summary),
        (
            "Whether a camera works, records or is watched",
            "The sources say that a device hangs there. Dummies, broken and switched-off cameras "
            "look the same on a map.",
        ),
        (
            "Streets with two carriageways",
            "Where the map draws each carriageway as a line of its own, both are measured. That "
            "makes streets longer, and the rate per kilometre lower, than if they were counted "
            "once.",
        ),
        _edge(summary),
        (
            "Anything about people",
            "Cameras are counted here, never people. The rate per 1,000 people "
            + (
                "uses those who live in the place, not those who pass through it."
                if population_known(summary)
                else "is not given, because no number of residents belongs to exactly this area."
            ),
        ),
    ]


def _looking(summary: Summary) -> list[Paragraph]:
    """Return how it was found what the cameras see, where that was asked for."""
    seen = summary.get("coverage")
    if not seen:
        return []
    unknown = (
        f"is drawn {seen['draws']:,} times from a table of assumptions, and intervals hold the "
        "middle 95% of the draws."
        if seen["draws"]
        else "is taken from the middle of a table of assumptions."
    )
    return [
        (
            "What the cameras see",
            "Streets are cut into pieces of at most 5 metres. A camera sees a piece if it hangs "
            "outside, no building stands between, and the piece lies in its field of view and near "
            f"enough for the level, at most {seen['radius_m']:g} metres. What no list says of a "
            f"camera (direction, lens, pixels, height, whether it is still there) {unknown}",
        )
    ]


def _sight(summary: Summary) -> Paragraph:
    if not summary.get("coverage"):
        return (
            "What the cameras see",
            "Coverage is not computed here. A wedge on the map shows the direction that somebody "
            "has recorded; its length says nothing about how far the camera sees, and walls do "
            "not stop it.",
        )
    return (
        "What the cameras really see",
        "What they see of the streets is computed, not observed, and holds where the assumptions "
        "on lenses and pixels do. Buildings block the view; trees, walls and vehicles, which are "
        "not in the data, do not. A wedge on the map shows a recorded direction alone: how far a "
        "camera sees is in the bands along the streets.",
    )


def _withheld(summary: Summary) -> list[Paragraph]:
    if not summary["withheld"]:
        return []
    said = "; ".join(f"{name}: {reason}" for name, reason in summary["withheld"].items())
    return [("To be passed on", f"This report is for use on this machine only. {said}.")]


def set_aside(summary: Summary) -> str:
    """Return what lies in quarantine, in one or two sentences."""
    quarantine = summary["quarantine"]
    rows, fields = quarantine["rows_set_aside"], quarantine["fields_set_aside"]
    if not rows and not fields:
        return "Nothing had to be set aside: every row and every value could be used."
    dropped = f"{plural(rows, 'row')} could not be used" if rows else "Every row could be used"
    unusual = (
        f"{plural(fields, 'value')} of cameras that are counted could not be right"
        if fields
        else "no other value had to be set aside"
    )
    return f"{dropped}; {unusual}. Each is listed with its reason in quarantine.csv."


def command(summary: Summary) -> str:
    """Return the command that makes this report again from the same files."""
    asked = summary["asked"]
    words = ["sousveil", "census", *asked["sources"]]
    for option in ("within", "population", "on", "threshold"):
        if asked[option] is not None:
            words += [f"--{option}", str(asked[option])]
    words += ["--accept-swapped"] if asked["accept_swapped"] else []
    seen = summary.get("coverage")
    if seen:
        words += ["--coverage", "--draws", str(seen["draws"])]
        words += ["--undercount", asked["undercount"]] if asked["undercount"] else []
    if seen or asked["seed"]:
        words += ["--seed", str(asked["seed"])]
    words += ["--local-only"] if summary["withheld"] else []
    return shlex.join(words) + " -o DIR"


def citation(summary: Summary, version: str) -> str:
    """Return how to cite the report."""
    credits = listed(sorted({source["attribution"] for source in summary["sources"]}))
    return (
        f"Cameras in {summary['place']}. Census by Sousveil {version} of {data_date(summary)}. "
        f"Data: {credits}."
    )


def data_date(summary: Summary) -> str:
    """Return of which day the data are, and for which day they were asked if that is another."""
    data, on = summary["data_on"], summary["on"]
    of = f"data as of {day(data)}" if data else "data without a date"
    return f"{of}, asked for {day(on)}" if summary["dated"] and on != data else of


def cautions(summary: Summary) -> list[str]:
    """Return what belongs beside the headline: what the data cannot answer, and who may see it."""
    return [*summary["warnings"], *(text for _, text in _withheld(summary))]


def _lists(summary: Summary) -> str:
    sources, lists = summary["sources"], summary["lists"]
    if lists:
        return (
            f"All figures are lower bounds. They rest on {len(lists['each'])} lists that were "
            "linked: a camera that several of them hold counts once, as far as that was found. "
            "What their overlap tells of cameras that none of them holds stands under Lists."
        )
    if len(sources) == 1:
        return (
            "All figures are lower bounds: they rest on one list, which cannot show what it "
            "misses, so no interval is given."
        )
    return (
        f"All figures are lower bounds. They rest on {len(sources)} files that do not count "
        "independently of each other, so no interval is given."
    )


def _unknown_owners(summary: Summary) -> Paragraph:
    n, by = summary["cameras"]["records"], summary["cameras"]["by_operator_class"]
    unknown = by.get("unknown", 0)
    if not unknown:
        return (
            "Who runs them for certain",
            "For every camera a rule says whether a public body or somebody else runs it; rules "
            "that go by names and zones can err.",
        )
    if unknown == n:
        return "Who runs them", "Nobody has recorded an operator in a way that any rule could use."
    return (
        "Who runs most of them" if 2 * unknown > n else "Who runs all of them",
        f"Of {of_all(unknown, n)} nobody has recorded the operator in a way that any rule could "
        "use. The shares of public and private bodies are therefore shares of what is known "
        "to be theirs, and each could be larger.",
    )


def _unknown_directions(summary: Summary) -> Paragraph:
    n = summary["cameras"]["records"]
    unknown = n - round(summary["attributes_known"]["bearings"] * n)
    fact = f"Of {of_all(unknown, n)} the direction is not recorded. " if unknown else ""
    return (
        "Where they look",
        f"{fact}Domes and panning cameras turn: a single direction, where one is given, is not all "
        "that they see.",
    )


def _age(summary: Summary) -> Paragraph:
    n, ages = summary["cameras"]["records"], summary["ages"]
    old = sum(count for _, count in list(ages["classes"].items())[2:])
    unknown = ages["unknown"]
    facts = [f"{of_all(old, n)} were last edited or checked two years or more before "
             f"{day(summary['on'])}."] if old else []  # fmt: skip
    if unknown:
        facts.append(_undated(unknown, ages["listed"], n))
    if ages["later"]:
        after = "was" if ages["later"] == 1 else "were"
        facts.append(
            f"{of_all(ages['later'], n)} {after} touched after {day(summary['on'])}: whether they "
            "stood on that day is not known."
        )
    facts.append(
        "An edit is no check: somebody may have moved the point or corrected a word. "
        + _checks(ages["checked"], n)
    )
    return "Whether they are still there", " ".join(facts)


def _undated(unknown: int, listed_alone: int, n: int) -> str:
    if not listed_alone:
        return f"Of {of_all(unknown, n)} it is not known when anybody last edited or checked them."
    which = "all of these" if listed_alone == unknown else f"{listed_alone:,} of these"
    return (
        f"Of {of_all(unknown, n)} it is not known when anybody last edited or checked them; of "
        f"{which} only the date of their list is known."
    )


def _checks(checked: int, n: int) -> str:
    if not checked:
        return "No entry says that anybody has looked again."
    return f"Only {percent(checked, n)} of the entries say when somebody has looked again."


def _edge(summary: Summary) -> Paragraph:
    if not summary["area_km2"]:
        return ("How densely they stand", "The sources hold no area, so there are no rates.")
    if summary["boundary"]["kind"] == "covered":
        return (
            "Anything about the whole of the place",
            f"The figures hold for the area that the data covers, not for {summary['place']} as a "
            "whole. The edge of that area is drawn around the mapped streets and buildings; "
            "another way to draw it gives another rate.",
        )
    outside = summary["cameras"]["outside"]
    beyond = f" ({plural(outside, 'camera')} of the sources lie there)" if outside else ""
    return (
        "Anything beyond the boundary",
        f"Cameras outside the boundary are not counted{beyond}, even where they look into it.",
    )
