"""A printed figure against what it was worked out to be."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sousveil.claims._printed import Figure

EXACT: Final = "holds"
ROUNDED: Final = "holds within rounding"
WRONG: Final = "does not hold"


class Found(NamedTuple):
    """One figure worked out again. line: 1-based, as the file counts."""

    line: int
    name: str
    check: str
    column: str
    printed: float
    computed: float
    low: float
    high: float
    status: str


def compare(
    line: int, name: str, check_name: str, column: str, printed: Figure, computed: Figure
) -> Found:
    """Return a figure against what it was worked out to be.

    It holds where the value computed from the figures as printed is what would be printed like
    this, and within rounding where some value that those figures leave open would.
    """
    slack = 1e-9 * max(abs(printed.value), abs(computed.value))
    low, high = printed.printed_low - slack, printed.printed_high + slack
    if low <= computed.value <= high:
        status = EXACT
    elif computed.low <= high and computed.high >= low:
        status = ROUNDED
    else:
        status = WRONG
    return Found(
        line=line,
        name=name,
        check=check_name,
        column=column,
        printed=_rounded(printed.value),
        computed=_rounded(computed.value),
        low=_rounded(computed.low),
        high=_rounded(computed.high),
        status=status,
    )


def _rounded(value: float) -> float:
    """Return a value without the last digits of binary arithmetic."""
    return float(f"{value:.12g}")


def as_dict(item: Found) -> dict[str, Any]:
    open_ = f" (between {_text(item.low)} and {_text(item.high)})" if item.low < item.high else ""
    joint = "and" if item.status == EXACT else "but"
    says = (
        f"line {item.line}, {item.name}: {item.column} is printed as {_text(item.printed)}, "
        f"{joint} {item.check} comes to {_text(item.computed)}{open_}"
    )
    return item._asdict() | {"difference": item.printed - item.computed, "says": says}


def _text(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 10_000 else f"{value:,.4g}"
