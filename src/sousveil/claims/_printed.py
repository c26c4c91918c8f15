"""Figures as they are printed: 350 M, 54 %, 1,393,000,000, and arithmetic between such figures.

A printed figure stands for an interval, half a unit of its last digit to either side. Whole numbers
printed in full are counts and exact.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_UNITS: Final = {
    "k": 1e3, "thousand": 1e3, "tsd": 1e3,
    "m": 1e6, "mn": 1e6, "mio": 1e6, "mil": 1e6, "million": 1e6, "millions": 1e6,
    "b": 1e9, "bn": 1e9, "mrd": 1e9, "billion": 1e9, "billions": 1e9,
    "lakh": 1e5, "crore": 1e7, "万": 1e4, "만": 1e4, "亿": 1e8, "億": 1e8, "억": 1e8,
    "%": 0.01, "percent": 0.01, "per cent": 0.01,
}  # fmt: skip
_NUMBER: Final = r"\d[\d,.'’\u202f\u00a0 ]*\d|\d"
_UNIT: Final = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_FIGURE: Final = re.compile(rf"({_NUMBER})\s*({_UNIT})?(?![^\W\d_])", re.IGNORECASE)
_BEFORE: Final = re.compile(
    r"^(?:about|around|over|more than|nearly|almost|some|c\.|ca\.?|[~≈><≥≤+])\s*", re.IGNORECASE
)
_ONE_PER: Final = re.compile(
    r"^(?:1|one)\s*(?:camera)?\s*(?:per|in|for every|for|:|/)\s*(?:every)?\s*", re.IGNORECASE
)
_TIMES: Final = {"x": "*", "×": "*", "*": "*", "·": "*", "of": "*", "/": "/", "÷": "/"}


class Figure(NamedTuple):
    """A figure with what its printed digits leave open, low <= value <= high.

    step: one unit of the last printed digit, 0 for what was worked out.
    """

    value: float
    low: float
    high: float
    step: float = 0.0

    @property
    def printed_low(self) -> float:
        """The least value that would be printed like this."""
        return self.value - self.step / 2

    @property
    def printed_high(self) -> float:
        """The greatest value that would be printed like this."""
        return self.value + self.step / 2


def exact(value: float) -> Figure:
    """Return a figure that leaves nothing open."""
    return Figure(value, value, value)


def read(text: str, *, measured: bool = False) -> Figure | None:
    """Return the figure that a text prints, None where it prints none or more than one.

    measured: a whole number stands for what was measured, not counted, and so for an interval.
    """
    rest = _BEFORE.sub("", text.strip())
    match = _FIGURE.fullmatch(rest.strip().rstrip("+"))
    return None if match is None else _figure(match, measured=measured)


def read_ratio(text: str) -> Figure | None:
    """Return the 4.1 of "4.1", "1 per 4.1" or "1 for every 4.1 people"."""
    rest = re.sub(r"\s*(people|persons|inhabitants)\s*$", "", text.strip(), flags=re.IGNORECASE)
    return read(_ONE_PER.sub("", rest), measured=True)


def _figure(match: re.Match[str], *, measured: bool = False) -> Figure | None:
    digits, decimals = _plain(match[1])
    if not re.fullmatch(r"\d+(\.\d+)?", digits):
        return None
    unit = _UNITS[match[2].lower()] if match[2] else 1.0
    value, step = float(digits) * unit, unit * 10.0**-decimals
    counted = decimals == 0 and not match[2] and not measured
    half = 0.0 if counted else step / 2
    return Figure(value, value - half, value + half, step)


def _plain(text: str) -> tuple[str, int]:
    """Return the digits with a point for the decimals, and how many decimals there are."""
    bare = re.sub(r"['’\s\u202f\u00a0]", "", text)
    marks = [mark for mark in bare if mark in ",."]
    grouped = re.fullmatch(r"\d{1,3}(?:([,.])\d{3})(?:\1\d{3})*", bare)
    if len(set(marks)) == 2:
        last = marks[-1]
        bare = bare.replace("." if last == "," else ",", "").replace(last, ".")
    elif grouped and (grouped[1] == "," or len(marks) > 1):
        bare = bare.replace(grouped[1], "")
    else:
        bare = bare.replace(",", ".")
    return bare, len(bare.partition(".")[2])


def multiply(left: Figure, right: Figure) -> Figure:
    """Return the product, with what both factors leave open."""
    ends = [a * b for a in (left.low, left.high) for b in (right.low, right.high)]
    return Figure(left.value * right.value, min(ends), max(ends))


def divide(left: Figure, right: Figure) -> Figure | None:
    """Return the quotient, None where the divisor may be nought."""
    if right.low <= 0 <= right.high:
        return None
    inverse = Figure(1 / right.value, *sorted((1 / right.low, 1 / right.high)))
    return multiply(left, inverse)


def add(left: Figure, right: Figure, sign: int = 1) -> Figure:
    """Return the sum, or with sign -1 the difference."""
    low, high = sorted((sign * right.low, sign * right.high))
    return Figure(left.value + sign * right.value, left.low + low, left.high + high)


def evaluate(text: str) -> Figure | None:
    """Return what arithmetic between printed figures comes to, as "54 % of 770 M".

    Knows + - x / "of" and brackets. None for what it cannot read.
    """
    tokens = _tokens(text)
    if not tokens or not any(isinstance(token, str) for token in tokens):
        return None
    value, rest = _sum(tokens)
    return None if rest else value


def _tokens(text: str) -> list[Figure | str] | None:
    found: list[Figure | str] = []
    at = 0
    sign = re.compile(r"\s*(of\b|[-+−x×*·/÷()])", re.IGNORECASE)
    while at < len(text.rstrip()):
        at += len(text[at:]) - len(text[at:].lstrip())
        match = _FIGURE.match(text, at)
        if match and (figure := _figure(match)):
            found.append(figure)
            at = match.end()
        elif mark := sign.match(text, at):
            found.append(mark[1].lower().replace("−", "-"))
            at = mark.end()
        else:
            return None
    return found


_Parsed = tuple[Figure | None, list[Figure | str]]


def _sum(tokens: list[Figure | str]) -> _Parsed:
    value, rest = _product(tokens)
    while value and rest and rest[0] in ("+", "-"):
        sign = 1 if rest[0] == "+" else -1
        right, rest = _product(rest[1:])
        value = add(value, right, sign) if right else None
    return value, rest


def _product(tokens: list[Figure | str]) -> _Parsed:
    value, rest = _atom(tokens)
    while value and rest and isinstance(rest[0], str) and rest[0] in _TIMES:
        right, after = _atom(rest[1:])
        if right is None:
            return None, after
        value = multiply(value, right) if _TIMES[rest[0]] == "*" else divide(value, right)
        rest = after
    return value, rest


def _atom(tokens: list[Figure | str]) -> _Parsed:
    if not tokens:
        return None, []
    first, rest = tokens[0], tokens[1:]
    if isinstance(first, Figure):
        return first, rest
    if first == "(":
        value, rest = _sum(rest)
        return (value, rest[1:]) if rest and rest[0] == ")" else (None, rest)
    return None, rest
