"""Random numbers that depend on what they are for and on nothing else.

A draw is a hash of the seed and of whom and what it decides, so that the same resident does the
same on the same day whatever else is drawn, in whatever order: runs repeat bit by bit on any
number of cores, and two scenarios differ only where their rules do (common random numbers).
Method: splitmix64 (Steele, Lea & Flood, OOPSLA 2014), the finaliser as hash.
"""

from __future__ import annotations

import os
from typing import Any

import numba
import numpy as np


def cores() -> int:
    """Return how many threads to compute with."""
    return max(1, os.cpu_count() or 1)


@numba.njit(cache=True)
def mixed(x: Any) -> Any:
    """Return 64 bits that look random for 64 bits that do not."""
    x = np.uint64(x) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@numba.njit(cache=True)
def keyed(seed: Any, a: int, b: int, c: int) -> Any:
    """Return 64 bits for a seed and three whole numbers."""
    x = mixed(np.uint64(seed) ^ np.uint64(a))
    x = mixed(x ^ (np.uint64(b) + np.uint64(0x632BE59BD9B4E019)))
    return mixed(x ^ (np.uint64(c) + np.uint64(0xD1B54A32D192ED03)))


@numba.njit(cache=True)
def share(bits: Any) -> Any:
    """Return a number from 0 to below 1 for 64 bits."""
    return (np.uint64(bits) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@numba.njit(cache=True)
def uniform(state: np.ndarray) -> float:
    """Return the next number of a stream; state: one uint64, changed."""
    state[0] = state[0] + np.uint64(0x9E3779B97F4A7C15)
    return float(share(mixed(state[0])))


@numba.njit(cache=True)
def pick(u: float, cumulated: np.ndarray) -> int:
    """Return the index that a share falls to; cumulated: weights summed up, any total."""
    target = u * cumulated[-1]
    low, high = 0, len(cumulated) - 1
    while low < high:
        middle = (low + high) // 2
        if cumulated[middle] > target:
            high = middle
        else:
            low = middle + 1
    return low
