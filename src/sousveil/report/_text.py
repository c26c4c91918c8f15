"""The sentences of the report: the answer and the main figures, worded by the numbers.

Sentences may hold ``**figure**``; the template prints that in bold and escapes all the rest.
"""

from __future__ import annotations

from typing import Any, Final

from sousveil.report._words import KINDS, SETTINGS, day, listed, number, of_all, percent, plural

Summary = dict[str, Any]

_KIND_PHRASES: Final = {
    "camera": ("is an ordinary surveillance camera", "are ordinary surveillance cameras"),
    "alpr": ("reads number plates", "read number plates"),
    "speed": ("measures speed", "measure speed"),
    "red_light": ("watches a red light", "watch red lights"),
    "traffic": ("watches traffic", "watch traffic"),
    "other_camera": ("is of another kind", "are of another kind"),
}
_SETTING_PHRASES: Final = {
    "public": ("watches public space", "watch public space"),
    "outdoor": ("is tagged outdoor", "are tagged outdoor"),
    "indoor": ("hangs indoors", "hang indoors"),
}


def answer(summary: Summary) -> str:
    """Return the one sentence that answers the question of the title."""
    n = summary["cameras"]["records"]
    where = _where(summary)
    when = _when(summary)
    aside = summary["quarantine"]["rows_set_aside"]
    if not n and aside:
        return (
            f"**No camera** could be placed {where}: {plural(aside, 'row')} of the sources could "
            "not be used. Each is listed with its reason in quarantine.csv."
        )
    if not n:
        return (
            f"**No camera** is {_entered(summary)} {where}{when}. "
            "That does not mean that there is none: it means that nobody has entered one."
        )
    verb = "camera is" if n == 1 else "cameras are"
    devices = summary["cameras"]["devices"]
    hang = f" **{devices:,}** devices hang there." if devices != n else ""
    return f"At least **{n:,}** {verb} {_entered(summary)} {where}{when}.{hang}"


def _when(summary: Summary) -> str:
    if not summary["warnings"]:
        return f" as of {day(summary['on'])}" if summary["dated"] else ", in a list without a date"
    of = f" as of {day(data)}" if (data := summary["data_on"]) else ", in a list without a date"
    asked = day(summary["on"])
    return f"{of}; those recorded as installed after {asked} or removed by then are left out"


def _entered(summary: Summary) -> str:
    return "mapped" if all(source["list"] == "osm" for source in summary["sources"]) else "listed"


def figures(summary: Summary) -> list[str]:
    """Return the main figures, one sentence each, most important first."""
    if not summary["cameras"]["records"]:
        return []
    return [
        _capitalised(sentence)
        for sentence in (
            _rates(summary),
            _owners(summary),
            _kinds(summary),
            _settings(summary),
            _directions(summary),
            _ages(summary),
        )
        if sentence
    ]


def definitions(summary: Summary) -> list[tuple[str, str]]:
    """Return what the figures mean: pairs of a term and its definition."""
    cameras = summary["cameras"]
    devices = ""
    if cameras["devices"] != cameras["records"]:
        devices = (
            f" Where the list says how many devices hang there, that makes "
            f"{cameras['devices']:,} devices in all."
        )
    pairs = [
        (
            "Camera",
            "One installation that takes pictures of a place, as somebody has mapped it: "
            "surveillance, speed, red-light and traffic cameras and number-plate readers. "
            "Planned, disused and removed ones are not counted." + _untyped(cameras) + devices,
        ),
        ("At least", "What a list holds is a lower bound: nobody knows what it misses."),
        ("As of", _date(summary)),
        ("Area", f"{_km2(summary['area_km2'])}. {_units(summary['boundary']['note'])}"),
        ("Street", _streets(summary)),
    ]
    population, note = summary["population"], _units(summary["population_note"])
    if population:
        source = summary["population_source"].rstrip(".")
        pairs.append(("People", f"{population:,}, {source}. {note}".strip()))
    elif note:
        pairs.append(("People", f"No figure. {note}"))
    return pairs


def _date(summary: Summary) -> str:
    if summary["dated"]:
        newest = max((s["seen_on"] or "" for s in summary["sources"]), default="")
        if newest == summary["on"]:
            return f"{day(newest)}, the date of the data, not of this report."
        data = f"of {day(newest)}" if newest else "without a date"
        return f"{day(summary['on'])}, as asked for; the data is {data} and knows no other day."
    return f"Not known: the sources bear no date. Ages are counted to {day(summary['on'])}."


def _untyped(cameras: dict[str, Any]) -> str:
    untyped = cameras["untyped"]
    if not untyped:
        return ""
    are = "is" if untyped == 1 else "are"
    return (
        f" {untyped:,} {are} mapped as surveillance without a word on the type, "
        "and counted as cameras."
    )


def population_known(summary: Summary) -> bool:
    """Return whether the report can say anything per 1,000 people."""
    return summary["rates"]["per_1000"] is not None


def _where(summary: Summary) -> str:
    place = summary["place"]
    size = f" ({_km2(summary['area_km2'])})" if summary["area_km2"] else ""
    if summary["boundary"]["kind"] == "covered" and size:
        return f"in the part of {place} that the data covers{size}"
    return f"in {place}{size}"


def _km2(area_km2: float | None) -> str:
    return f"{number(area_km2)} km²" if area_km2 else "Unknown"


def _streets(summary: Summary) -> str:
    if not summary["street_km"]:
        return "No figure: the sources hold no streets."
    return (
        f"{number(summary['street_km'])} km of street, pedestrian streets among them, measured "
        f"along the centre line; {number(summary['footway_km'])} km of paths for people on foot "
        "are left out."
    )


def _units(note: str | None) -> str:
    text = (note or "").strip().replace("km2", "km²")
    return text if not text or text.endswith(".") else f"{text}."


def _capitalised(sentence: str) -> str:
    start = 2 if sentence.startswith("**") else 0
    return sentence[:start] + sentence[start : start + 1].upper() + sentence[start + 1 :]


def _rates(summary: Summary) -> str:
    n, rates = summary["cameras"]["records"], summary["rates"]
    parts = []
    if rates["per_street_km"]:
        parts.append(f"one for every **{number(round(1000 / rates['per_street_km']))} metres** "
                     "of street")  # fmt: skip
    if rates["per_km2"]:
        parts.append(f"**{number(rates['per_km2'])}** per km²")
    if rates["per_1000"]:
        parts.append(f"**{number(rates['per_1000'])}** per 1,000 people")
    if not parts:
        return ""
    return f"{'That is' if n > 1 else 'It makes'} at least {listed(parts)}."


def _owners(summary: Summary) -> str:
    n, by = summary["cameras"]["records"], summary["cameras"]["by_operator_class"]
    public, private, unknown = (by.get(name, 0) for name in ("public", "private", "unknown"))
    if unknown == n:
        return "Nobody has recorded who runs **any of them**."
    known = (
        f"{_share(public, n)} {_are(public)} run by public bodies, {_share(private, n)} privately"
    )
    if not unknown:
        return f"{known}."
    known = f"as far as recorded, {known}{_judged(summary, private)}"
    return f"{known}; of {_share(unknown, n)} nobody has recorded who runs them."


def _judged(summary: Summary, private: int) -> str:
    """Say so when most of what counts as private is concluded from what it watches."""
    rule = summary["operator_rules"].get("zone", {"cameras": 0})
    return " (mostly judged from what they watch)" if 2 * rule["cameras"] > private > 0 else ""


def _share(part: int, whole: int) -> str:
    return f"**{percent(part, whole)}**" if part else "**none**"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _kinds(summary: Summary) -> str:
    return _counted(summary, "by_kind", list(KINDS), _KIND_PHRASES, "the kind")


def _settings(summary: Summary) -> str:
    return _counted(summary, "by_setting", list(SETTINGS), _SETTING_PHRASES, "the setting")


def _counted(
    summary: Summary,
    column: str,
    order: list[str],
    phrases: dict[str, tuple[str, str]],
    what: str,
) -> str:
    n, by = summary["cameras"]["records"], summary["cameras"][column]
    unknown = by.get("unknown", 0)
    if unknown == n:
        return ""
    parts = [
        f"**{_counted_share(by[value], n)}** {phrases[value][by[value] > 1]}"
        for value in sorted(by, key=lambda v: (-by[v], order.index(v)))
        if value in phrases
    ]
    sentence = listed(parts)
    return f"{sentence}; of {unknown:,} {what} is not recorded." if unknown else f"{sentence}."


def _counted_share(part: int, whole: int) -> str:
    return of_all(part, whole) if part * 100 >= whole else f"{part:,}"


def _directions(summary: Summary) -> str:
    n, share = summary["cameras"]["records"], summary["attributes_known"]["bearings"]
    known = round(share * n)
    if not known:
        return "For **none** of them has anybody recorded the direction in which it looks."
    return f"For **{of_all(known, n)}** the direction in which it looks is recorded."


def _ages(summary: Summary) -> str:
    n, ages = summary["cameras"]["records"], summary["ages"]
    if ages["median_years"] is None:
        return _no_ages(summary)
    years, checked = number(ages["median_years"]), ages["checked"]
    confirmed = (
        f"**{plural(checked, 'entry', 'entries')}** {_are(checked)} marked as checked"
        if checked
        else "none is marked as checked"
    )
    if ages["later"]:
        touched = n - ages["unknown"] - ages["later"]
        return (
            f"**{of_all(touched, n)}** {_were(touched)} last checked or edited by "
            f"{day(summary['on'])}, half of them **{years} years** before or earlier; {confirmed} "
            f"on the ground. **{ages['later']:,}** {_were(ages['later'])} touched after that day."
        )
    if not ages["unknown"]:
        return (
            f"Half of the entries had not been touched for **{years} years** or longer; "
            f"{confirmed} on the ground."
        )
    return (
        f"Of **{of_all(n - ages['unknown'], n)}** it is known when they were last edited or "
        f"checked, half of them **{years} years** before or earlier; {confirmed} on the ground."
    )


def _no_ages(summary: Summary) -> str:
    n, ages = summary["cameras"]["records"], summary["ages"]
    if ages["later"]:
        return (
            f"**None** of them is known to have been checked or edited by {day(summary['on'])}; "
            f"**{of_all(ages['later'], n)}** {_were(ages['later'])} touched after that day."
        )
    why = ": the only date is that of their list" if ages["listed"] == n else ""
    return f"Of **none** of them is it known when somebody last looked{why}."


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def map_intro(summary: Summary, shown: int, *, has_background: bool) -> str:
    """Return what the map shows and what it leaves out."""
    cameras = summary["cameras"]
    homes = cameras["records"] - shown
    private = max(0, cameras["by_operator_class"].get("private", 0) - homes)
    parts = [f"The map shows {plural(shown, 'camera')}."]
    if private:
        which = "it is" if private == 1 else "they are"
        parts.append(
            f"{private:,} of them {_are(private)} run privately: {which} drawn to the nearest 100 "
            "metres or so."
        )
    if homes:
        of_homes = plural(homes, "camera of a private home", "cameras of private homes")
        parts.append(f"{of_homes} {_are(homes)} left out.")
    if not has_background:
        parts.append("The sources hold no streets to draw beneath them.")
    return " ".join(parts)
