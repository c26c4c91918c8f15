"""Reading one value of a tag: from text to a value in a known unit, or the reason why not.

Every function here is pure, takes the text of one value and returns a pair: the value, or None
where there is none to use, and None or the reason, in plain words, for putting the text aside.
A value with a reason beside it is used, but the text says more than the value holds.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

MOST_BEARINGS: Final = 32  # no installation has more; a longer list is a mistake
HIGHEST_M: Final = 300.0
MOST_DEVICES: Final = 1_000
LONGEST_WORD: Final = 40
EARLIEST_YEAR: Final = 1940  # video surveillance began in 1942
LATEST_YEAR: Final = 2100
FEWEST_PIXELS, MOST_PIXELS = 64, 20_000
LONGEST_RETENTION_DAYS: Final = 3_660.0
FULL_CIRCLE_DEG: Final = 359.0  # a range at least this wide looks all round


class Looks(NamedTuple):
    """Where a camera looks: bearings clockwise from north, and how wide each view is."""

    bearings: tuple[float, ...]
    hfov_deg: float | None


@lru_cache(maxsize=8192)
def directions(text: str) -> tuple[Looks | None, str | None]:
    """Read ``camera:direction`` or ``direction``: ``45``, ``NNW``, ``239-284``, ``90;270``.

    A range runs clockwise and is the edges of what the camera sees (for a panning camera, of all
    that it can turn to see): its middle is the bearing, its width the field of view. A range of
    the whole circle gives a field of view of 360 degrees and no bearing. Negative degrees down
    to -360 are the same angle counted anticlockwise; 360 is 0; more than 360 is no bearing.
    Several values stand between semicolons, or commas (a comma and one digit is a decimal).
    Format: OpenStreetMap wiki, Key:camera:direction and Key:direction.
    """
    parts = [part for part in _SEVERAL.split(text.translate(_DASHES).strip()) if part]
    if len(parts) > MOST_BEARINGS:
        return None, f"more than {MOST_BEARINGS} bearings"
    if not parts:
        return None, "not a bearing"
    views: list[tuple[float | None, float | None]] = []
    for part in parts:
        view, reason = _view(part.strip())
        if view is None:
            return None, reason
        views.append(view)
    bearings = tuple(dict.fromkeys(bearing for bearing, _ in views if bearing is not None))
    widths = {width for _, width in views}
    if len(widths) == 1:
        return Looks(bearings, widths.pop()), None
    return Looks(bearings, None), "fields of view of different width: only the bearings are used"


_SEVERAL = re.compile(r"\s*[;|]\s*|,\s+|,(?!\d(?!\d))")
_DASHES = str.maketrans("–—−‐‑", "-----")
_DEGREES = r"([+-]?\d{1,6}(?:[.,]\d{1,9})?)\s*(?:[°º]|deg(?:rees?)?|grad)?"
_BEARING = re.compile(_DEGREES, re.IGNORECASE)
_RANGE = re.compile(rf"{_DEGREES}\s*(?:-|\.\.|to|bis)\s*{_DEGREES}", re.IGNORECASE)
_POINTS_RANGE = re.compile(r"([a-z]{1,5})\s*(?:-|\.\.|\bto\b)\s*([a-z]{1,5})", re.IGNORECASE)

_POINTS = (
    "n nbe nne nebn ne nebe ene ebn e ebs ese sebe se sebs sse sbe "
    "s sbw ssw swbs sw swbw wsw wbs w wbn wnw nwbw nw nwbn nnw nbw"
)
_COMPASS = {point: index * 11.25 for index, point in enumerate(_POINTS.split())}
_NAMED_POINTS = {
    0.0: "north nord norden norte noord norr pohjoinen",
    45.0: "northeast nordost nordosten nordest noreste nordeste noordoost",
    90.0: "east ost osten est este leste oost oster ita",
    135.0: "southeast sudost sudosten sudest sureste sudeste zuidoost sydost",
    180.0: "south sud suden sur sul zuid syd etela",
    225.0: "southwest sudwest sudwesten sudouest sudovest suroeste sudoeste zuidwest sydvest",
    270.0: "west westen ouest ovest oeste vast vest lansi",
    315.0: "northwest nordwest nordwesten nordouest nordovest noroeste noordwest nordvast nordvest",
}
_WORDS = {word: degrees for degrees, words in _NAMED_POINTS.items() for word in words.split()}
# The O of "NO" and "SO" is east (Ost) in German and west (ouest, ovest, oeste) elsewhere.
_AMBIGUOUS = frozenset({"o", "no", "so", "nno", "ono", "oso", "sso"})
_RELATIVE = re.compile(
    "(?:for|back|up|down|in|out)(?:wards?)?|both|(?:anti|counter)?clockwise|left|right|straight|"
    "front|entrance"
)
_ALL_ROUND = frozenset({"all", "allaround", "allround", "360degrees", "everywhere"})


def _view(part: str) -> tuple[tuple[float | None, float | None] | None, str | None]:
    """One bearing or one range: (bearing, width) in degrees."""
    word = re.sub(r"[\s_-]+", "", fold(part))
    if word in _ALL_ROUND:
        return (None, 360.0), None
    if _RELATIVE.fullmatch(word):
        return None, "relative to a road or a wall, not a bearing"
    if match := _BEARING.fullmatch(part):
        bearing, reason = _bearing(match[1])
        return (None, reason) if bearing is None else ((bearing, None), None)
    if match := _RANGE.fullmatch(part):
        return _range(match[1], match[2])
    if part.lower() in _COMPASS:
        return (_COMPASS[part.lower()], None), None
    if match := _POINTS_RANGE.fullmatch(part):
        edges = [_COMPASS.get(match[side].lower()) for side in (1, 2)]
        if edges[0] is not None and edges[1] is not None:
            return _range(str(edges[0]), str(edges[1]))
    if word in _WORDS:
        return (_WORDS[word], None), None
    if word in _AMBIGUOUS:
        return None, "ambiguous: O is east in German and west in French, Italian and Spanish"
    return None, "not a bearing"


def _bearing(digits: str) -> tuple[float | None, str | None]:
    degrees = float(digits.replace(",", "."))
    if not -360.0 <= degrees <= 360.0:
        return None, "not a bearing: outside -360 to 360 degrees"
    return degrees % 360.0 + 0.0, None  # adding 0.0 makes -0.0 plain


def _range(first: str, last: str) -> tuple[tuple[float | None, float | None] | None, str | None]:
    start, reason = _bearing(first)
    end, other_reason = _bearing(last)
    if start is None or end is None:
        return None, reason or other_reason
    width = (end - start) % 360.0
    whole = abs(float(last.replace(",", ".")) - float(first.replace(",", "."))) == 360.0
    if whole or width >= FULL_CIRCLE_DEG:
        return (None, 360.0), None
    if width == 0.0:
        return None, "a range without width"
    return ((start + width / 2) % 360.0, width), None


@lru_cache(maxsize=4096)
def field_of_view(text: str) -> tuple[float | None, str | None]:
    """Degrees of a horizontal field of view, above 0 and up to 360."""
    degrees = _degrees(text)
    if degrees is None or not 0.0 < degrees <= 360.0:
        return None, "not a field of view between 0 and 360 degrees"
    return degrees, None


@lru_cache(maxsize=4096)
def tilt(text: str) -> tuple[float | None, str | None]:
    """Degrees of ``camera:angle`` or ``camera:tilt``, the inclination to the horizontal.

    Not a field of view, though some mappers use it so (values such as 120 and 360 occur).
    ``camera:angle`` counts downwards (Surveillance under Surveillance), ``camera:tilt`` upwards.
    """
    degrees = _degrees(text)
    if degrees is None or not -90.0 <= degrees <= 90.0:
        return None, "not a tilt between -90 and 90 degrees"
    return degrees, None


def _degrees(text: str) -> float | None:
    match = _BEARING.fullmatch(text.translate(_DASHES).strip())
    return float(match[1].replace(",", ".")) if match else None


@lru_cache(maxsize=4096)
def height_m(text: str) -> tuple[float | None, str | None]:
    """Metres above ground: ``3``, ``3,5``, ``3 m``, ``~4m``, ``350 cm``, ``12 ft``, ``10'6"``."""
    plain = (
        text.strip()
        .lower()
        .replace("′", "'")
        .replace("’", "'")
        .replace("″", '"')
        .replace("''", '"')
    )
    if match := _FEET_AND_INCHES.fullmatch(plain):
        metres = float(match[1]) * 0.3048 + float(match[2]) * 0.0254
    elif match := _LENGTH.fullmatch(plain):
        if re.search(r",\d{3}$", match[1]):
            return None, "ambiguous: a comma before three digits"
        metres = float(match[1].replace(",", ".")) * _METRES[match[2] or "m"]
    else:
        return None, "not a height"
    if not 0.0 <= metres <= HIGHEST_M:
        return None, f"not a height between 0 and {HIGHEST_M:.0f} m"
    return round(metres, 4), None


_METRES = {
    **dict.fromkeys(("m", "mt", "mtr", "mts", "meter", "meters", "metre", "metres", "metri"), 1.0),
    **dict.fromkeys(("ft", "feet", "foot", "'"), 0.3048),
    **dict.fromkeys(("in", "inch", "inches", '"'), 0.0254),
    "cm": 0.01,
}
_UNITS = "|".join(sorted(_METRES, key=len, reverse=True))
_LENGTH = re.compile(
    rf"(?:~|ca\.?|approx\.?|about)?\s*(\d{{1,6}}(?:[.,]\d{{1,9}})?)\s*({_UNITS})?\.?"
)
_FEET_AND_INCHES = re.compile(
    r"(\d{1,5})\s*(?:'|ft|feet)\s*(\d{1,5}(?:\.\d{1,5})?)\s*(?:\"|in|inches)?"
)


@lru_cache(maxsize=1024)
def devices(text: str) -> tuple[int | None, str | None]:
    """How many devices stand there: a whole number from 1 to 1,000."""
    digits = text.strip()
    if not re.fullmatch(r"\d{1,9}", digits) or not 1 <= int(digits) <= MOST_DEVICES:
        return None, f"not a whole number from 1 to {MOST_DEVICES:,}"
    return int(digits), None


@lru_cache(maxsize=8192)
def day(text: str) -> tuple[date | None, str | None]:
    """A date to the day; a year or a month gives its first day.

    Read: ``2019``, ``2019-05``, ``2019-05-03`` (with a time or not, with slashes), ``3.5.2019``.
    ``~2015``, ``C20`` and ``before 2010`` are no dates to build on; ``03/05/2019`` is two.
    """
    plain = text.strip()
    if match := _YEAR_FIRST.fullmatch(plain):
        year, month, number = match[1], match[2] or match[3] or "1", match[4] or "1"
    elif match := _DAY_FIRST.fullmatch(plain):
        year, month, number = match[3], match[2], match[1]
    else:
        return None, "not an exact date, month or year"
    if not EARLIEST_YEAR <= int(year) <= LATEST_YEAR:
        return None, f"not a year from {EARLIEST_YEAR} to {LATEST_YEAR}"
    try:
        return date(int(year), int(month), int(number)), None
    except ValueError:
        return None, "no such day in the calendar"


_YEAR_FIRST = re.compile(
    r"(\d{4})(?:-(\d{1,2})|[-/](\d{1,2})[-/](\d{1,2})(?:[T ][\d:.,+Z-]{0,30})?)?"
)
_DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")


@lru_cache(maxsize=4096)
def word(text: str) -> tuple[str | None, str | None]:
    """One free word of a tag, small letters with underscores; of several, the first."""
    several = words(text)
    if not several:
        return None, "not a word"
    if any(len(one) > LONGEST_WORD or not _WORD.fullmatch(one) for one in several):
        return None, "not a word"
    return several[0], "several values: the first is used" if len(several) > 1 else None


@lru_cache(maxsize=8192)
def words(text: str) -> tuple[str, ...]:
    """The words of a list such as ``camera;ALPR``: small letters with underscores."""
    parts = (re.sub(r"[\s_-]+", "_", part.strip().lower()) for part in re.split(r"[;,|/]", text))
    return tuple(part for part in parts if part)


_WORD = re.compile(r"[^\W\d_][\w:]*")


@lru_cache(maxsize=1024)
def pixels(text: str) -> tuple[int | None, str | None]:
    """Pixels across the picture: ``1920x1080``, ``1080p`` (16:9), never from megapixels."""
    plain = text.strip().lower().replace("×", "x").replace("*", "x")
    if match := re.fullmatch(r"(\d{2,6})\s*x\s*(\d{2,6})\s*(?:px|pixels?)?", plain):
        across = int(match[1])
    elif match := re.fullmatch(r"(720|1080|1440|2160)\s*p", plain):
        across = int(match[1]) * 16 // 9
    else:
        return None, "does not say how many pixels the picture is wide"
    if not FEWEST_PIXELS <= across <= MOST_PIXELS:
        return None, f"not a width from {FEWEST_PIXELS} to {MOST_PIXELS:,} pixels"
    return across, None


@lru_cache(maxsize=1024)
def retention_days(text: str) -> tuple[float | None, str | None]:
    """Days that recordings are kept: ``30``, ``72 h``, ``2 weeks``, ``P30D``."""
    match = _DURATION.fullmatch(text.strip().lower())
    if not match:
        return None, "not a number of days"
    days = float(match[1].replace(",", ".")) * _DAYS[match[2] or "d"]
    if days > LONGEST_RETENTION_DAYS:
        return None, f"longer than {LONGEST_RETENTION_DAYS:,.0f} days"
    return days, None


_DAYS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunden"), 1 / 24),
    **dict.fromkeys(("d", "day", "days", "tage", "tag", "jours", "giorni", "dias"), 1.0),
    **dict.fromkeys(("w", "week", "weeks", "wochen"), 7.0),
    **dict.fromkeys(("month", "months", "monate"), 30.0),
}
_DURATION = re.compile(
    rf"p?(\d{{1,6}}(?:[.,]\d{{1,6}})?)\s*({'|'.join(sorted(_DAYS, key=len, reverse=True))})?"
)


def fold(text: str) -> str:
    """Small letters without accents, so that words compare across spellings."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return unicodedata.normalize("NFC", _ACCENTS.sub("", plain))


_ACCENTS = re.compile("[\u0300-\u036f\u064b-\u0652]")
_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
