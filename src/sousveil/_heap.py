"""A binary heap of nodes by their distance, compiled: what searches for shortest ways wait in.

keys and nodes are arrays of the same length, of which the first `size` hold the heap, the least key
in front. Whoever calls keeps the size and the room.
"""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def push(keys: Any, nodes: Any, size: int, key: float, node: int) -> int:
    """Add a node; return the new size. There must be room for it."""
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if keys[parent] <= key:
            break
        keys[i], nodes[i] = keys[parent], nodes[parent]
        i = parent
    keys[i], nodes[i] = key, node
    return size + 1


@njit(cache=True, nogil=True)
def drop_least(keys: Any, nodes: Any, size: int) -> int:
    """Remove the node in front, the nearest; return the new size."""
    size -= 1
    key, node = keys[size], nodes[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[i], nodes[i] = keys[child], nodes[child]
        i = child
    keys[i], nodes[i] = key, node
    return size
