"""How many cameras there are for each one on record."""

from __future__ import annotations

from typing import NamedTuple

from sousveil.errors import UnusableInput


class Undercount(NamedTuple):
    """Cameras for each one on record: estimate and 95 % interval, as `coverage` has it."""

    estimate: float
    low: float
    high: float


def checked(given: Undercount | tuple[float, float, float] | str | None) -> Undercount | None:
    """Return an undercount given as numbers or as text ("1.8/1.4/2.6").

    Raises UnusableInput for what is none.
    """
    if given is None:
        return None
    try:
        parts = given.split("/") if isinstance(given, str) else given
        estimate, low, high = (float(part) for part in parts)
    except ValueError:
        raise UnusableInput(
            f"--undercount {given}: write it as estimate/low/high, such as 1.8/1.4/2.6"
        ) from None
    if not 1 <= low <= estimate <= high < float("inf"):
        raise UnusableInput(
            f"--undercount {given}: cameras for each one on record, so at least 1, in the order "
            "estimate/low/high"
        )
    return Undercount(estimate, low, high)
