"""Published sums of medians, corrected by what an expert's check says they hold of the truth.

For a survey of which only summary figures are known. A check gives the 95 % interval of the share
medians / expert in each group; that share is taken as log-normal and groups as independent.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import norm

from sousveil._rows import Row, read_rows
from sousveil.errors import UnusableInput

COLUMNS: Final = ("group", "medians", "share_low", "share_high")
LEVEL: Final = 0.95
DRAWS: Final = 200_000
NONE_SEEN: Final = -math.log(1 - LEVEL)
"""As many expected and none found has a chance of 5 % (the "rule of three")."""

METHOD: Final = "sums of medians over what an expert's check found them to hold"
_ENDS: Final = {"estimate": 0, "low": -1, "high": 1}
WARNINGS: Final = (
    "raw counts say more: which sites the cameras are at, and how unlike the raters are",
    "the check is taken for all sites of its group: those it looked at were drawn by chance",
)

NONE_WARNING: Final = (
    "medians of 0 are no proof of none: as many cameras are allowed for as would be overlooked in "
    "5 % of cases if each is found with the least share of the check"
)


def is_summary(file: Path) -> bool:
    """Say whether a file holds sums by group instead of counts by rater."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace") as lines:
            names = [
                name.strip(' "') for name in re.split(r"[,;\t]", lines.readline().lower().strip())
            ]
    except OSError:
        return False  # the reader says what is wrong
    return "medians" in names and "site" not in names


def corrected(file: Path, *, seed: int = 0) -> dict[str, Any]:
    """Return what sums of medians come to, group by group and in all.

    file: CSV with the columns group, medians, share_low and share_high; a group without a share
    was not checked, so its sum is a lower bound and in no total. Raises UnusableInput with the row.
    """
    _, rows = read_rows(file, needed=COLUMNS)
    rng = np.random.default_rng(seed)
    groups, total = [], np.zeros(DRAWS)
    for row in rows:
        medians, share = _medians(row), _share(row)
        if share is not None:
            total += medians * np.exp(-rng.normal(*share, DRAWS))
        groups.append(_group(row.text("group"), medians, share))
    checked = [group for group in groups if group["share"] is not None]
    if not checked:
        raise UnusableInput(f"{file}: no group has share_low and share_high; give the check of one")
    low, middle, high = np.quantile(total, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
    none = [group for group in checked if not group["sum_of_medians"]]
    high += sum(group["total"]["high"] for group in none)
    return {
        "method": METHOD,
        "sum_of_medians": sum(group["sum_of_medians"] for group in groups),
        "total": {
            "estimate": float(middle),
            "low": float(low),
            "high": float(high),
            "level": LEVEL,
        },
        "unchecked": sum(g["sum_of_medians"] for g in groups if g["share"] is None),
        "by": groups,
        "warnings": list(WARNINGS) + ([NONE_WARNING] if none else []),
    }


def _medians(row: Row) -> float:
    value = row.number_of("medians", least=0, whole=True)
    if value is None:
        raise row.refuse("medians", "is empty; give the sum of the medians of its sites")
    return value


def _share(row: Row) -> tuple[float, float] | None:
    """Return mean and standard deviation of the logarithm of a share, None without a check."""
    low, high = (row.number_of(name, least=0.001, most=10) for name in ("share_low", "share_high"))
    if low is None and high is None:
        return None
    if low is None or high is None or low >= high:
        raise row.refuse("share_low", "and share_high are no interval; give both, the lower first")
    z = float(norm.ppf((1 + LEVEL) / 2))
    return (math.log(low) + math.log(high)) / 2, (math.log(high) - math.log(low)) / (2 * z)


def _group(name: str, medians: float, share: tuple[float, float] | None) -> dict[str, Any]:
    """Return a group with its total: the sum over each end of the share, as one is the other."""
    if share is None:
        total: dict[str, float | None] = {"estimate": None, "low": medians, "high": None}
        return {"group": name, "sum_of_medians": medians, "share": None, "total": total}
    mean, sd = share
    reach = float(norm.ppf((1 + LEVEL) / 2)) * sd
    ends = {name: math.exp(mean + k * reach) for name, k in _ENDS.items()}
    return {
        "group": name,
        "sum_of_medians": medians,
        "share": ends,
        "total": {
            "estimate": medians / ends["estimate"],
            "low": medians / ends["high"],
            "high": medians / ends["low"] if medians else NONE_SEEN / ends["low"],
        },
    }
