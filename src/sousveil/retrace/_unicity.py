"""How few points of a record single out one resident.

Method: de Montjoye, Hidalgo, Verleysen & Blondel, Unique in the Crowd, Scientific Reports 3 (2013)
1376. A point is a place and an interval of time; a resident is unique by some points if no other
resident's record holds all of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil.residents._chance import keyed, share

Ints = npt.NDArray[np.int32]


class Points(NamedTuple):
    """Who was where and when: each resident's points once, in order of time, and the reverse.

    Resident i has point[start[i]:start[i + 1]]; point p was had by who[at[p]:at[p + 1]], rising.
    hour: interval of each point, by its number.
    """

    start: npt.NDArray[np.int64]
    point: Ints
    at: npt.NDArray[np.int64]
    who: Ints
    hour: Ints


def points(n_residents: int, resident: Any, place: Any, interval: Any) -> Points:
    """Return the points of passages: arrays of the same length, of whole numbers from 0 on."""
    n_places = int(place.max()) + 1 if len(place) else 1
    code = interval.astype(np.int64) * n_places + place
    codes, point = np.unique(code, return_inverse=True)
    both = np.sort(resident.astype(np.int64) * max(len(codes), 1) + point)
    both = both[np.append(True, both[1:] != both[:-1])] if len(both) else both
    resident, point = np.divmod(both, max(len(codes), 1))
    start = np.searchsorted(resident, np.arange(n_residents + 1))
    by_point = np.argsort(point, kind="stable")
    at = np.searchsorted(point[by_point], np.arange(len(codes) + 1))
    return Points(
        start=start.astype(np.int64),
        point=point.astype(np.int32),
        at=at.astype(np.int64),
        who=resident[by_point].astype(np.int32),
        hour=(codes // n_places).astype(np.int32),
    )


def unicity(had: Points, targets: Any, k: int, *, draws: int = 1, seed: int = 0) -> float:
    """Return the share of targets that k of their points, drawn at random, single out.

    Only those who have k points count; NaN if nobody does. draws: for each target.
    """
    alone, tried = _unicity(
        had.start, had.point, had.at, had.who, np.asarray(targets, np.int64), k, draws,
        np.uint64(seed),
    )  # fmt: skip
    return alone / tried if tried else float("nan")


def days_until_unique(had: Points, targets: Any, intervals_per_day: int) -> Ints:
    """Return on which day (1, 2, ...) the record so far singles each target out, 0 for never."""
    return np.asarray(
        _days(
            had.start, had.point, had.at, had.who, had.hour, np.asarray(targets, np.int64),
            intervals_per_day,
        )
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _unicity(
    start: Any, point: Any, at: Any, who: Any, targets: Any, k: int, draws: int, seed: Any
) -> tuple[int, int]:
    alone, tried = 0, 0
    chosen = np.empty(k, np.int64)
    for target in targets:
        n = start[target + 1] - start[target]
        if n < k:
            continue
        mine = point[start[target] : start[target + 1]].copy()
        for draw in range(draws):
            for j in range(k):  # without replacement, by the first steps of a shuffle
                r = j + int(share(keyed(seed, target, draw, j)) * (n - j))
                mine[j], mine[r] = mine[r], mine[j]
                chosen[j] = mine[j]
            tried += 1
            alone += _others(chosen, at, who, target, 1) == 0
    return alone, tried


@numba.njit(cache=True, nogil=True)
def _others(chosen: Any, at: Any, who: Any, target: int, enough: int) -> int:
    """Count other residents that have all the chosen points, up to `enough`."""
    rarest = 0
    for j in range(1, len(chosen)):
        c, r = chosen[j], chosen[rarest]
        if at[c + 1] - at[c] < at[r + 1] - at[r]:
            rarest = j
    found = 0
    for a in range(at[chosen[rarest]], at[chosen[rarest] + 1]):
        other = who[a]
        if other == target:
            continue
        has_all = True
        for j in range(len(chosen)):
            if j != rarest and not _has(who, at, chosen[j], other):
                has_all = False
                break
        found += has_all
        if found >= enough:
            break
    return found


@numba.njit(cache=True, nogil=True)
def _has(who: Any, at: Any, p: int, i: int) -> bool:
    low, high = at[p], at[p + 1]
    while low < high:
        middle = (low + high) // 2
        if who[middle] < i:
            low = middle + 1
        else:
            high = middle
    return bool(low < at[p + 1] and who[low] == i)


@numba.njit(cache=True, nogil=True)
def _days(start: Any, point: Any, at: Any, who: Any, hour: Any, targets: Any, per_day: int) -> Any:
    days = np.zeros(len(targets), np.int32)
    for a in range(len(targets)):
        target = targets[a]
        begin, end = start[target], start[target + 1]
        if begin == end:
            continue
        p = point[begin]
        left = who[at[p] : at[p + 1]].copy()
        n = len(left)
        for j in range(begin, end):
            p, kept = point[j], 0
            for b in range(n):
                if j == begin or _has(who, at, p, left[b]):
                    left[kept] = left[b]
                    kept += 1
            n = kept
            if n == 1:
                days[a] = hour[p] // per_day + 1
                break
    return days
