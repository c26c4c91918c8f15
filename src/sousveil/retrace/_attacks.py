"""Worst-case chance that somebody who knows k records of a resident finds that resident.

risk(u) = the largest, over all sets of k records of u, of 1 / the number of residents whose records
match the set. The attacks are those of scikit-mobility (Pappalardo et al., Journal of Statistical
Software 103, 2022; Pellungrini et al., ACM TIST 9, 2018), reproduced to the last case:

- location: the k places, as often as they are known; location_sequence: in this order;
  location_time: in these intervals of time (the place and interval are one key here);
  unique_location: k different places;
- home_work: the first two places by *rising* number of visits, as the package sorts them, ties in
  the order of the keys. These are the two that are visited least; the published figures follow from
  this and not from home and work.

Here the numbers of synthetic residents and of cameras or places go in, and nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Traces(NamedTuple):
    """Records of residents in order of time: of resident i, key[start[i]:start[i + 1]].

    Keys are whole numbers from 0 on. holder[at[p]:at[p + 1]] are the residents who have key p,
    rising, and times how often each has it.
    """

    start: Ints
    key: Ints
    at: Ints
    holder: Ints
    times: Ints


def traces(n_residents: int, resident: Any, key: Any, *, once: bool = False) -> Traces:
    """Return traces of records in order of time. once: keep each key once a resident, by key."""
    resident, key = np.asarray(resident, np.int64), np.asarray(key, np.int64)
    n_keys = int(key.max()) + 1 if len(key) else 0
    both, times = np.unique(key * n_residents + resident, return_counts=True)
    keys, holder = np.divmod(both, n_residents)
    if once:
        order = np.lexsort((keys, holder))
        resident, key = holder[order], keys[order]
    else:
        order = np.argsort(resident, kind="stable")
        resident, key = resident[order], key[order]
    return Traces(
        start=np.searchsorted(resident, np.arange(n_residents + 1)),
        key=key,
        at=np.searchsorted(keys, np.arange(n_keys + 1)),
        holder=holder,
        times=times.astype(np.int64),
    )


def worst_case_risk(
    known: Traces, k: int, targets: Any = None, *, in_order: bool = False
) -> Floats:
    """Return the risk of each target (all residents by default) if k records are known.

    Who has fewer than k records is known by all of them. in_order: the order is known too.
    """
    if targets is None:
        targets = np.arange(len(known.start) - 1)
    return np.asarray(_risks(*known, np.asarray(targets, np.int64), k, in_order))


def home_work_risk(known: Traces) -> Floats:
    """Return the risk of all residents if the first two places by rising visits are known."""
    n = len(known.start) - 1
    holder, times = known.holder, known.times
    key = np.repeat(np.arange(len(known.at) - 1), np.diff(known.at))
    order = np.lexsort((key, times, holder))
    first = np.searchsorted(holder[order], np.arange(n))
    pair = np.full((n, 2), -1, np.int64)
    for side in range(2):
        row = np.minimum(first + side, len(order) - 1)
        mine = holder[order[row]] == np.arange(n)
        pair[mine, side] = key[order[row[mine]]]
    pair.sort(axis=1)
    n_keys = len(known.at)
    kinds, kind, number = np.unique(
        pair[:, 0] * n_keys + pair[:, 1], return_inverse=True, return_counts=True
    )
    matching = number.astype(np.float64)
    first_key, second_key = np.divmod(kinds, n_keys)
    for i in np.flatnonzero(first_key < 0):  # who has one place is matched by all who have it too
        shared = (first_key >= 0) & ((first_key == second_key[i]) | (second_key == second_key[i]))
        matching[i] += number[shared].sum()
    return np.asarray(1.0 / matching[kind])


@numba.njit(cache=True, nogil=True)
def _risks(
    start: Any, key: Any, at: Any, holder: Any, times: Any, targets: Any, k: int, in_order: bool
) -> Any:
    out = np.zeros(len(targets))
    for a in range(len(targets)):
        low, high = start[targets[a]], start[targets[a] + 1]
        if low == high:
            continue
        size = min(k, high - low)
        chosen = np.arange(size)
        known = np.empty(size, np.int64)
        fewest = len(start)
        while True:
            for j in range(size):
                known[j] = key[low + chosen[j]]
            n = _matching(known, start, key, at, holder, times, in_order, fewest)
            fewest = min(fewest, n)
            if fewest == 1 or not _next(chosen, high - low):
                break
        out[a] = 1.0 / fewest
    return out


@numba.njit(cache=True, nogil=True)
def _next(chosen: Any, n: int) -> bool:
    """Go on to the next combination of n in the order of itertools; False after the last."""
    k = len(chosen)
    i = k - 1
    while i >= 0 and chosen[i] == n - k + i:
        i -= 1
    if i < 0:
        return False
    chosen[i] += 1
    for j in range(i + 1, k):
        chosen[j] = chosen[j - 1] + 1
    return True


@numba.njit(cache=True, nogil=True)
def _matching(
    known: Any, start: Any, key: Any, at: Any, holder: Any, times: Any, in_order: bool, enough: int
) -> int:
    """Count the residents whose records match what is known, up to `enough`."""
    rarest = 0
    for j in range(1, len(known)):
        if at[known[j] + 1] - at[known[j]] < at[known[rarest] + 1] - at[known[rarest]]:
            rarest = j
    found = 0
    for a in range(at[known[rarest]], at[known[rarest] + 1]):
        i = holder[a]
        fits = True
        for j in range(len(known)):
            asked = 0
            for b in range(len(known)):
                asked += known[b] == known[j]
            if _times(holder, times, at[known[j]], at[known[j] + 1], i) < asked:
                fits = False
                break
        if fits and in_order:
            j = 0
            for r in range(start[i], start[i + 1]):
                if key[r] == known[j]:
                    j += 1
                    if j == len(known):
                        break
            fits = j == len(known)
        found += fits
        if found >= enough:
            break
    return found


@numba.njit(cache=True, nogil=True)
def _times(holder: Any, times: Any, low: int, high: int, i: int) -> int:
    end = high
    while low < high:
        middle = (low + high) // 2
        if holder[middle] < i:
            low = middle + 1
        else:
            high = middle
    return times[low] if low < end and holder[low] == i else 0
