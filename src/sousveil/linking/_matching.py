"""Who belongs to whom when nobody may be taken twice: link probabilities and best assignments."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, min_weight_full_bipartite_matching

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_MOST_SLOTS: Final = 12
_TOLERANCE: Final = 1e-4
_LINKS_AT_ONCE: Final = 4_000
_ROUNDS_TO_BEST_THRESHOLD: Final = 12
_FIRST_THRESHOLD: Final = 0.25
_NEGLIGIBLE: Final = 0.02


class Edges(NamedTuple):
    """Possible links: positions among n_left and n_right, at most one link may touch either."""

    left: Index
    right: Index
    n_left: int
    n_right: int


class Slots(NamedTuple):
    """Links between slots: a site with several devices takes as many single ones.

    edges: between slots; pair: of each edge, the pair it stands for.
    """

    edges: Edges
    pair: Index
    n_pairs: int


def slots(left: Index, right: Index, count_left: Index, count_right: Index) -> Slots:
    """Give every site as many slots as it has devices, and every pair its possible slots.

    left and right: positions of the ends of each pair; counts: devices at each end. A single
    camera may take any slot of a site; two sites, like two single cameras, only the first.
    """
    sizes = [np.clip(count, 1, _MOST_SLOTS) for count in (count_left, count_right)]
    first = [np.cumsum(size) - size for size in sizes]
    single = [sizes[0][left] == 1, sizes[1][right] == 1]
    spread = [
        np.where(single[1], sizes[0][left], 1),
        np.where(single[0], sizes[1][right], 1),
    ]
    copies = np.maximum(*spread)
    pair = np.repeat(np.arange(len(left)), copies)
    turn = np.arange(len(pair)) - np.repeat(np.cumsum(copies) - copies, copies)
    edges = Edges(
        first[0][left][pair] + np.where(spread[0][pair] > 1, turn, 0),
        first[1][right][pair] + np.where(spread[1][pair] > 1, turn, 0),
        int(sizes[0].sum()),
        int(sizes[1].sum()),
    )
    return Slots(edges, pair, len(left))


def by_pair(slots: Slots, probability: Array) -> Array:
    """Return the probability of each pair: its slots exclude each other."""
    return np.bincount(slots.pair, probability, slots.n_pairs).astype(np.float64)


def marginals(
    edges: Edges, odds: Array, *, messages: Array | None = None, rounds: int = 200
) -> tuple[Array, Array]:
    """Return the probability of each link given that links exclude each other, and messages.

    odds: of each link against none, were it alone. A set of links that touches nothing twice has
    a probability proportional to the product of its odds; these are the marginals of that
    distribution by belief propagation, exact where the possible links form a tree and convergent
    always (Williams & Lau 2014, doi:10.1109/TAES.2014.120568). `messages` of an earlier call with
    similar odds shorten the work.
    """
    to_left = np.ones_like(odds) if messages is None else messages
    for _ in range(rounds):
        before = to_left
        offered = odds * to_left
        rivals = np.maximum(_sum_at(edges.left, offered, edges.n_left) - offered, 0)
        to_right = odds / (1 + rivals)
        rivals = np.maximum(_sum_at(edges.right, to_right, edges.n_right) - to_right, 0)
        to_left = 1 / (1 + rivals)
        if np.abs(to_left - before).max(initial=0) < _TOLERANCE:
            break
    offered = odds * to_left
    return offered / (1 + _sum_at(edges.left, offered, edges.n_left)), to_left


def log_weight(edges: Edges, odds: Array, messages: Array) -> float:
    """Return the logarithm of the summed weight of all sets of links, from converged messages.

    Bethe's approximation, exact where the possible links form a tree.
    """
    offered = odds * messages
    at_left = np.bincount(edges.left, offered, edges.n_left)
    to_right = odds / (1 + np.maximum(at_left[edges.left] - offered, 0))
    at_right = np.bincount(edges.right, to_right, edges.n_right)
    both = np.log1p(at_left).sum() + np.log1p(at_right).sum()
    return float(both - np.log1p(to_right * messages).sum())


def assign(edges: Edges, gain: Array) -> Index:
    """Return the positions of the links with the greatest sum of gains that exclude each other.

    Exact: connected components, many small ones at a time, are solved by the Jonker-Volgenant
    algorithm for sparse costs. Links without gain are not taken. No two links may join the same
    two ends.
    """
    worth = np.flatnonzero(gain > 0)
    of_component = _components(edges, worth)
    order = np.argsort(of_component, kind="stable")
    starts = np.flatnonzero(np.diff(of_component[order], prepend=-1))
    batch = np.diff(starts // _LINKS_AT_ONCE, prepend=0) > 0
    groups = np.split(worth[order], starts[batch])
    taken = [links[_assign_few(edges, links, gain[links])] for links in groups if len(links)]
    return np.sort(np.concatenate(taken)) if taken else np.empty(0, np.int64)


def best_threshold(edges: Edges, probability: Array, *, expected_links: float) -> float:
    """Return the probability from which on links are taken so that the expected F1 is greatest.

    At the best value the threshold is half the F1 it reaches; the steps are Dinkelbach's (1967).
    expected_links: how many true links there are, those that are no candidates included.
    """
    threshold = _FIRST_THRESHOLD
    probability = np.where(probability < _NEGLIGIBLE, 0.0, probability)
    for _ in range(_ROUNDS_TO_BEST_THRESHOLD):
        taken = assign(edges, probability - threshold)
        f1 = 2 * probability[taken].sum() / max(len(taken) + expected_links, 1e-12)
        if abs(f1 / 2 - threshold) < 1e-3:
            break
        threshold = f1 / 2
    return float(threshold)


def best_pair_threshold(probability: Array, *, expected_links: float) -> float:
    """Return the probability from which on to take pairs, however many touch one camera.

    All pairs from half the best F1 up are the set of pairs whose expected F1 is greatest (Lipton,
    Elkan & Naryanaswamy 2014, doi:10.1007/978-3-662-44851-9_15), so no assignment and no radius
    promises more. expected_links: as in `best_threshold`.
    """
    best_first = np.sort(probability)[::-1]
    taken = np.arange(1, len(best_first) + 1)
    f1 = 2 * np.cumsum(best_first) / np.maximum(taken + expected_links, 1e-12)
    return float(best_first[np.argmax(f1)]) if len(f1) else 1.0


def _sum_at(node: Index, value: Array, n: int) -> Array:
    total: Array = np.bincount(node, value, n).astype(np.float64, copy=False)
    return total[node]


def _components(edges: Edges, chosen: Index) -> Index:
    """Return the connected component of each chosen link."""
    n = edges.n_left + edges.n_right
    left, right = edges.left[chosen], edges.right[chosen] + edges.n_left
    graph = coo_array((np.ones(len(chosen), np.int8), (left, right)), shape=(n, n))
    label: Index = connected_components(graph, directed=False)[1].astype(np.int64)
    return label[left]


def _assign_few(edges: Edges, links: Index, gain: Array) -> Index:
    """Return which of the links are taken, by position."""
    left, row = np.unique(edges.left[links], return_inverse=True)
    right, column = np.unique(edges.right[links], return_inverse=True)
    n_left, n_right = len(left), len(right)
    # Each left end may also stay alone, at no gain; costs must be positive to be seen as entries.
    costs = csr_array(
        (
            np.concatenate([2 - gain, np.full(n_left, 2.0)]),
            (
                np.concatenate([row, np.arange(n_left)]),
                np.concatenate([column, n_right + np.arange(n_left)]),
            ),
        ),
        shape=(n_left, n_right + n_left),
    )
    rows, columns = min_weight_full_bipartite_matching(costs)
    chosen = np.full(n_left, -1)
    chosen[rows] = columns
    return np.flatnonzero(chosen[row] == column)
