"""Charts drawn by hand where Vega has no mark for them: parts of SVG, scales and axes.

All colours are those of the page's CSS, so that light, dark and print need one drawing.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

WIDTH: Final = 370
"""Units of a chart from left to right, as of the bar charts."""

WIDE: Final = 1040
"""Units of a chart that fills a wide screen."""

INK: Final = "var(--ink)"
MUTED: Final = "var(--muted)"
LINE: Final = "var(--line)"
FIRST: Final = "var(--bar)"
SECOND: Final = "var(--owner-private)"
FAINT: Final = "var(--bar-unknown)"

Scale = Callable[[float], float]


class Figure(NamedTuple):
    """A drawing as the template prints it: text is the drawing in words, note what is not in it."""

    name: str
    title: str
    svg: str
    text: str
    note: str = ""
    wide_svg: str = ""  # the same for a wide screen


def svg(height: float, parts: Iterable[str], *, width: float = WIDTH) -> str:
    """Return a drawing, WIDTH units wide by default; its figure names and describes it."""
    wide = ' class="wide"' if width > WIDTH else ""
    return (
        f'<svg{wide} viewBox="0 0 {width:.0f} {height:.0f}" xmlns="http://www.w3.org/2000/svg" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def text(
    x: float, y: float, words: str, *, anchor: str = "start", fill: str = MUTED, size: float = 12
) -> str:
    """Return a line of text whose base line starts, ends or has its middle at x, y."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" '
        f'fill="{fill}">{html.escape(words)}</text>'
    )


def rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a filled rectangle."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" '
        f'height="{max(height, 0):.1f}" fill="{fill}"/>'
    )


def line(points: Sequence[tuple[float, float]], stroke: str, *, width: float = 1.0,
         dashes: str = "") -> str:  # fmt: skip
    """Return a line through points."""
    d = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{d}" fill="none" stroke="{stroke}" stroke-width="{width:g}"{dashed}/>'


def area(points: Sequence[tuple[float, float]], fill: str) -> str:
    """Return a pale area inside points."""
    d = "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<path d="M{d}z" fill="{fill}" fill-opacity="0.18"/>'


def circle(x: float, y: float, radius: float, fill: str) -> str:
    """Return a filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{fill}"/>'


def scale(low: float, high: float, start: float, end: float) -> Scale:
    """Return the linear scale from values to units; a single value stands in the middle."""
    if high <= low:
        return lambda _: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def ticks(top: float, most: int = 4, *, whole: bool = True) -> list[float]:
    """Return round values from 0 to at least top, about as many as `most` steps."""
    rough = max(top, 1e-9) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = min(f * power for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
    step = max(step, 1.0) if whole else step
    return [i * step for i in range(math.ceil(top / step - 1e-9) + 1)] if top > 0 else [0.0, step]


def levels(
    values: Iterable[float],
    y: Scale,
    left: float,
    words: Callable[[float], str],
    *,
    width: float = WIDTH,
) -> str:
    """Return the horizontal lines of an axis with their values at its left."""
    return "".join(
        line([(left, y(v)), (width, y(v))], LINE) + text(left - 6, y(v) + 4, words(v), anchor="end")
        for v in values
    )


def days(first: date, last: date, x: Scale, y: float, *, width: float = WIDTH) -> str:
    """Return the marks of a time axis below y: years, or both ends where it is shorter than two."""
    years = list(range(first.year + (first > date(first.year, 1, 1)), last.year + 1))
    if len(years) < 2:
        ends = [first] if first == last else [first, last]
        anchors = ["middle"] if first == last else ["start", "end"]
        return "".join(
            text(x(day.toordinal()), y + 17, day.isoformat(), anchor=anchor)
            for day, anchor in zip(ends, anchors, strict=True)
        )
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100) if len(years) / s <= 7)
    return "".join(
        line([(at, y), (at, y + 4)], MUTED) + text(at, y + 17, str(year), anchor="middle")
        for year in years
        if year % step == 0
        for at in [min(x(date(year, 1, 1).toordinal()), width - 14)]
    )


def legend(entries: Sequence[tuple[str, str, str]], y: float) -> str:
    """Return what colours mean, one a line from y on: pairs of fill, dashes and words."""
    return "".join(
        line([(2, y + 18 * i - 4), (22, y + 18 * i - 4)], fill, width=4, dashes=dashes)
        + text(30, y + 18 * i, words)
        for i, (fill, dashes, words) in enumerate(entries)
    )
