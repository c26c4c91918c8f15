"""Bayesian average over decomposable graphical models of the lists.

Madigan and York 1997 (Biometrika 84), as in the R package dga.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from scipy.special import gammaln

from sousveil.capture._histories import Array

MOST_LISTS: Final = 6
"""Above, there are more than 600,000 decomposable graphs."""

_GRID: Final = 6000
_AT_ONCE: Final = 256
"""Graphs whose posterior is worked out at a time, for memory."""
_FARTHEST: Final = 50
"""Times the cameras seen up to which the unseen are looked for."""


class Graph(NamedTuple):
    """A decomposable graph: cliques and the separators between them, as sets of lists (bits)."""

    cliques: tuple[int, ...]
    separators: tuple[int, ...]


class Average(NamedTuple):
    """The posterior of the total.

    totals and probability: its distribution, averaged over graphs; each total stands for the
    `width` whole numbers around it. by_graph: the posterior probability of each of `graphs`.
    """

    graphs: tuple[Graph, ...]
    totals: Array
    probability: Array
    by_graph: Array
    width: Array

    def quantile(self, share: float) -> float:
        """Return the total below which so much of the probability lies."""
        edges = self.totals + self.width / 2
        return float(np.round(np.interp(share, np.cumsum(self.probability), edges)))

    def moments(self) -> tuple[float, float]:
        """Return mean and standard deviation."""
        mean = float(self.probability @ self.totals)
        return mean, float(np.sqrt(self.probability @ (self.totals - mean) ** 2))


@cache
def graphs(k: int) -> tuple[Graph, ...]:
    """Return all decomposable (chordal) graphs on k lists: 8, 61, 822, 18,154 for 3, 4, 5, 6.

    The complete one, of which the data say nothing of the unseen, is among them as in the paper.
    """
    pairs = list(itertools.combinations(range(k), 2))
    found = []
    for chosen in range(1 << len(pairs)):
        neighbours = [0] * k
        for bit, (i, j) in enumerate(pairs):
            if chosen >> bit & 1:
                neighbours[i] |= 1 << j
                neighbours[j] |= 1 << i
        graph = _decomposed(neighbours)
        if graph is not None:
            found.append(graph)
    return tuple(found)


def _decomposed(neighbours: list[int]) -> Graph | None:
    """Return cliques and separators by eliminating simplicial vertices; None if none is left."""
    left = (1 << len(neighbours)) - 1
    cliques: Counter[int] = Counter()
    separators: Counter[int] = Counter()
    while left:
        for vertex in range(len(neighbours)):
            around = neighbours[vertex] & left
            if left >> vertex & 1 and _is_clique(around, neighbours):
                break
        else:
            return None
        clique = around | 1 << vertex
        cliques[clique] += 1
        separators[around] += 1 if around else 0
        left &= ~(1 << vertex)
    # A set that is not maximal stands on both sides and cancels.
    return Graph(tuple((cliques - separators).elements()), tuple((separators - cliques).elements()))


def _is_clique(members: int, neighbours: list[int]) -> bool:
    return all(
        members & ~(neighbours[v] | 1 << v) == 0 for v in range(len(neighbours)) if members >> v & 1
    )


def average(
    counts: Array,
    *,
    delta: float | None = None,
    log_prior: Array | None = None,
    unseen: Array | None = None,
    among: Sequence[Graph] | None = None,
) -> Average:
    """Return the posterior of the total, averaged over graphs that are equally likely before.

    counts: of all 2^k cells. delta: the hyper-Dirichlet prior count of a cell, 2^-k by default.
    unseen: numbers of unseen cameras, whole; by default a grid that is finer near 0. log_prior:
    of each total, by default proportional to 1 / N. among: these graphs, by default all.
    """
    k = (len(counts) - 1).bit_length()
    delta = 2.0**-k if delta is None else delta
    unseen, width = _grid(counts.sum()) if unseen is None else (unseen, np.ones(len(unseen)))
    totals = counts.sum() + unseen
    prior = -np.log(totals) if log_prior is None else log_prior
    common = gammaln(totals + 1) - gammaln(unseen + 1) + prior + np.log(width)
    by_set = _set_likelihoods(counts, unseen, delta, k)
    tried = graphs(k) if among is None else tuple(among)
    factors = _factors(tried, k)
    tops, of_graph, of_total = [], [], []
    for start in range(0, len(tried), _AT_ONCE):
        log_weight = factors[start : start + _AT_ONCE] @ by_set + common
        tops.append(log_weight.max())
        weight = np.exp(log_weight - tops[-1])
        of_graph.append(weight.sum(axis=1))
        of_total.append(weight.sum(axis=0))
    scale = np.exp(np.array(tops) - max(tops))
    by_total = scale @ np.array(of_total)
    by_graph = np.concatenate([share * one for share, one in zip(scale, of_graph, strict=True)])
    whole = by_total.sum()
    return Average(tried, totals, by_total / whole, by_graph / whole, width)


def _factors(chosen: Sequence[Graph], k: int) -> Array:
    """Return (graphs, 2^k sets) how often the likelihood of a set of lists is a factor.

    Cliques count up, separators down. The empty set holds what is left over: once a part of the
    graph that hangs together, the constant of the Dirichlet-multinomial.
    """
    factors = np.zeros((len(chosen), 1 << k))
    for row, graph in zip(factors, chosen, strict=True):
        for clique in graph.cliques:
            row[clique] += 1
        for separator in graph.separators:
            row[separator] -= 1
        row[0] = len(graph.cliques) - len(graph.separators)
    return factors


def _grid(seen: float) -> tuple[Array, Array]:
    """Return numbers of unseen cameras, and how many each stands for."""
    top = max(_FARTHEST * seen, 300)
    edges = np.unique(np.round(np.geomspace(1, top, _GRID)) - 1)
    edges = edges if top > _GRID else np.arange(top)
    width = np.diff(edges, append=2 * edges[-1] - edges[-2])
    return edges + (width - 1) / 2, width


def _set_likelihoods(counts: Array, unseen: Array, delta: float, k: int) -> Array:
    """Return (2^k sets, totals) logarithms of Dirichlet-multinomials of margins over lists.

    Without their constant, which is in the first row.
    """
    whole = len(counts) * delta
    rows = [gammaln(whole) - gammaln(counts.sum() + unseen + whole)]
    for members in range(1, 1 << k):
        cells = np.arange(len(counts)) & members
        margin = np.bincount(cells, weights=np.where(np.arange(len(counts)) > 0, counts, 0.0))
        kinds = np.unique(cells)
        prior = delta * 2.0 ** (k - members.bit_count())
        likelihood = gammaln(margin[0] + unseen + prior) - len(kinds) * gammaln(prior)
        rows.append(likelihood + gammaln(margin[kinds[1:]] + prior).sum())
    return np.array(rows)
