"""An undercount that a person states: cameras there are for each one on the lists."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from sousveil.errors import UnusableInput
from sousveil.undercount._missing import Missing

MOST_FOR_ONE: Final = 100.0
"""Unlisted cameras for each listed one: an interval that reaches further bounds nothing."""

_RATIO: Final = re.compile(r"[^/]*/[^/]*/[^/]*")

Stated = str | tuple[float, float, float]


def is_stated(given: Stated) -> bool:
    """Tell whether something is meant as three numbers."""
    return not isinstance(given, str) or bool(_RATIO.fullmatch(given))


def stated(given: Stated, n_cameras: int) -> Missing:
    """Return an undercount of so many listed cameras, given as numbers or as "1.8/1.4/2.6".

    Raises UnusableInput for what is none.
    """
    try:
        parts = given.split("/") if isinstance(given, str) else given
        estimate, low, high = (float(part) for part in parts)
    except ValueError:
        raise UnusableInput(
            f"--undercount {given}: write it as estimate/low/high, such as 1.8/1.4/2.6; or give a "
            "result of census, link or capture, prior, or none"
        ) from None
    if not 1 <= low <= estimate <= high < float("inf"):
        raise UnusableInput(
            f"--undercount {given}: cameras for each one on record, so at least 1, in the order "
            "estimate/low/high"
        )
    if high > MOST_FOR_ONE + 1:
        raise UnusableInput(
            f"--undercount {given}: more than {MOST_FOR_ONE:.0f} cameras for each listed one bound "
            "nothing; give a narrower estimate, or none"
        )
    more, least, most = ((x - 1) * n_cameras for x in (estimate, low, high))
    return Missing(
        basis="stated",
        like=evenly(np.ones(n_cameras, bool)),
        listed=n_cameras,
        estimate=more,
        low=least,
        high=most,
        definition="cameras like those listed",
        method="stated",
        note=f"That there are {estimate:g} ({low:g} to {high:g}) cameras for each listed one was "
        "stated by whoever asked, as a ratio, not measured here"
        + (
            f": beside {n_cameras:,} listed ones {more:,.0f} ({least:,.0f} to {most:,.0f}) more."
            if n_cameras
            else "."
        )
        + " Those like listed ones indoors see no street.",
    )


def evenly(
    which: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the same share for each camera that counts."""
    return which / max(int(which.sum()), 1)
