"""Filled forms: which stretches were walked, and what each walker saw there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from sousveil._rows import Row, read_rows
from sousveil._words import plural
from sousveil.errors import UnusableInput

COLUMNS: Final = (
    *("stretch_id", "walker", "order", "street", "length_m"),
    *("surveyed", "cameras", "both", "positions", "note"),
)
"""Columns of a form; the first five are filled in when it is made."""

SAME_CAMERA_M: Final = 15.0
"""Two walkers' notes further apart along a stretch are not of one camera."""

_YES: Final = frozenset({"yes", "y", "1", "true", "x", "ja", "oui", "si"})
_NO: Final = frozenset({"no", "n", "0", "false", "nein", "non"})
_POSITION: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s*m?\s*([lr])", re.IGNORECASE)


class Entry(NamedTuple):
    """What one walker saw on one stretch."""

    row: Row
    stretch: str
    walker: str
    cameras: int
    both: int | None  # of them, how many the other walker saw as well
    positions: tuple[tuple[float, str], ...] | None  # metres from A, side as walked from A


class Pair(NamedTuple):
    """What two walkers saw on a stretch that both walked."""

    stretch: str
    first: str
    second: str
    only_first: int
    only_second: int
    both: int


def read(paths: Sequence[Path], lengths_m: Mapping[str, float]) -> list[Entry]:
    """Return the entries of filled forms; rows without a count were not surveyed.

    lengths_m: of the drawn stretches by id. Raises UnusableInput that names file and row.
    """
    entries: list[Entry] = []
    taken: dict[tuple[str, str], Row] = {}
    for path in paths:
        _, rows = read_rows(path, needed=["stretch_id", "cameras"])
        for row in rows:
            entry = _entry(row, lengths_m)
            if entry is None:
                continue
            before = taken.setdefault((entry.stretch, entry.walker), row)
            if before is not row:
                raise row.refuse(
                    "stretch_id",
                    f"has a second count of {entry.walker}, after {before.path} row "
                    f"{before.number}; keep one, or name the other walker in column walker",
                )
            entries.append(entry)
    if not entries:
        named = ", ".join(str(path) for path in paths)
        raise UnusableInput(f"{named}: no stretch has a number of cameras; fill in column cameras")
    return entries


def _entry(row: Row, lengths_m: Mapping[str, float]) -> Entry | None:
    stretch = row.text("stretch_id")
    if stretch not in lengths_m:
        raise row.refuse("stretch_id", "is no stretch of this plan; use the form that came with it")
    cameras = row.number_of("cameras", least=0, most=10_000, whole=True)
    surveyed = row.text("surveyed").lower()
    if surveyed and surveyed not in _YES | _NO:
        raise row.refuse("surveyed", "is neither yes nor no")
    if cameras is None:
        if surveyed in _YES:
            raise row.refuse("cameras", "is empty; write 0 where the stretch has none")
        return None
    if surveyed in _NO and cameras:
        raise row.refuse("surveyed", "says no, but cameras were counted; mend one of the two")
    if surveyed in _NO:
        return None
    both = row.number_of("both", least=0, whole=True)
    if both is not None and both > cameras:
        raise row.refuse("both", f"is more than the {plural(int(cameras), 'camera')} of this row")
    return Entry(
        row=row,
        stretch=stretch,
        walker=row.text("walker") or row.path.stem,
        cameras=int(cameras),
        both=None if both is None else int(both),
        positions=_positions(row, int(cameras), lengths_m[stretch]),
    )


def _positions(row: Row, cameras: int, length_m: float) -> tuple[tuple[float, str], ...] | None:
    text = row.text("positions")
    if not text:
        return None
    found = _POSITION.findall(text)
    if re.sub(r"[\s;/|]", "", _POSITION.sub("", text)):
        raise row.refuse("positions", "is not understood; write metres and side, as in 12L 40R")
    if len(found) != cameras:
        raise row.refuse(
            "positions", f"names {len(found)} for {plural(cameras, 'camera')}; name each one"
        )
    positions = tuple((float(m.replace(",", ".")), side.upper()) for m, side in found)
    if max((m for m, _ in positions), default=0.0) > length_m + SAME_CAMERA_M:
        raise row.refuse("positions", f"lies beyond the {length_m:.0f} m of the stretch")
    return positions


def pairs(entries: Sequence[Entry]) -> list[Pair]:
    """Return what two walkers saw, for each stretch that two walked.

    How many cameras both saw is what they wrote in `both`, else what their positions tell.
    Raises UnusableInput where neither does, and where more than two walked a stretch.
    """
    by_stretch: dict[str, list[Entry]] = {}
    for entry in entries:
        by_stretch.setdefault(entry.stretch, []).append(entry)
    found = []
    for stretch, group in by_stretch.items():
        if len(group) == 1:
            if group[0].both is not None:
                raise group[0].row.refuse(
                    "both", "is filled in, but no other form has this stretch; give that form too"
                )
            continue
        if len(group) > 2:
            raise group[2].row.refuse("stretch_id", "was walked by more than two; keep two")
        first, second = sorted(group, key=lambda entry: entry.walker)
        both = _both(first, second)
        found.append(
            Pair(
                stretch,
                first.walker,
                second.walker,
                first.cameras - both,
                second.cameras - both,
                both,
            )
        )
    return found


def _both(first: Entry, second: Entry) -> int:
    said = {entry.both for entry in (first, second)} - {None}
    if len(said) == 2:
        raise second.row.refuse(
            "both", f"differs from the {first.both} of {first.row.path} row {first.row.number}"
        )
    if said:
        both = said.pop()
        if both is not None and both <= min(first.cameras, second.cameras):
            return both
        less = min((first, second), key=lambda entry: entry.cameras)
        raise less.row.refuse("both", f"{both} were seen by both, but {less.cameras} here")
    if not min(first.cameras, second.cameras):
        return 0
    if first.positions is None or second.positions is None:
        lacking = first if first.positions is None else second
        raise lacking.row.refuse(
            "both", "two walked this stretch; write how many both saw, or all positions"
        )
    return _matched(first.positions, second.positions)


def _matched(first: Sequence[tuple[float, str]], second: Sequence[tuple[float, str]]) -> int:
    """Return how many pairs of notes are of one camera: one to one, same side, near enough."""
    apart = np.array(
        [[abs(a - b) if x == y else np.inf for b, y in second] for a, x in first], dtype=float
    )
    near = apart <= SAME_CAMERA_M
    rows, columns = linear_sum_assignment(near.astype(float), maximize=True)
    return int(near[rows, columns].sum())
