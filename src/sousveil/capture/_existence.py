"""Whether a log-linear model has a finite, unique maximum: asked before it is fitted.

Fienberg and Rinaldo 2012 (Annals of Statistics 40): a maximum exists if and only if some table
without a zero has the same sufficient statistics, a linear programme. Chan, Silverman and Vincent
2021 (Journal of Survey Statistics and Methodology) for terms whose lists share no camera: their
parameter is minus infinity, so that the term and the cells it reaches are left out first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sousveil.capture._histories import Array, Index
from sousveil.capture._loglinear import Terms, design_of

FINE: Final = 0
NO_MAXIMUM: Final = 1
NOT_IDENTIFIABLE: Final = 2

MEANING: Final = {
    FINE: "a finite, unique maximum",
    NO_MAXIMUM: "no finite maximum",
    NOT_IDENTIFIABLE: "not identifiable",
    NO_MAXIMUM + NOT_IDENTIFIABLE: "no finite maximum, and not identifiable",
}
"""What the answers of `check` mean."""


class Reduced(NamedTuple):
    """What is fitted of a model: the terms that are finite, and the cells that they leave.

    cells are positions among the 2^k - 1 that can be seen.
    """

    terms: Terms
    cells: Index
    zero_terms: Terms


def reduce(terms: Terms, counts: Array) -> Reduced:
    """Leave out terms whose lists share no camera, and the cells where they apply.

    counts: of all 2^k cells.
    """
    codes = np.arange(len(counts))
    zero = tuple(t for t in terms if not counts[codes & t == t].sum())
    kept = np.ones(len(counts), bool)
    for term in zero:
        kept &= codes & term != term
    return Reduced(tuple(t for t in terms if t not in zero), np.flatnonzero(kept[1:]), zero)


def check(terms: Terms, counts: Array) -> int:
    """Return 0 for a finite and unique maximum, 1 without, 2 not identifiable, 3 both.

    counts: of all 2^k cells, the unseen one ignored.
    """
    reduced = reduce(terms, counts)
    design = design_of([reduced.terms], (len(counts) - 1).bit_length())[0][reduced.cells]
    return check_design(design, counts[1:][reduced.cells])


def check_design(design: Array, counts: Array) -> int:
    """Return the same as `check` for any design matrix: (cells, parameters)."""
    deficient = np.linalg.matrix_rank(design) < design.shape[1]
    finite = bool((counts > 0).all()) or _has_positive_table(design, counts)
    return NO_MAXIMUM * (not finite) + NOT_IDENTIFIABLE * bool(deficient)


def _has_positive_table(design: Array, counts: Array) -> bool:
    """Return whether a table without zeros has the same sufficient statistics."""
    from scipy.optimize import linprog

    # The table sought is the least of its cells everywhere, and something above it.
    n = len(counts)
    scale = max(counts.max(), 1.0)
    found = linprog(
        c=np.append(np.zeros(n), -1.0),
        A_eq=np.column_stack([design.T, design.sum(axis=0)]),
        b_eq=design.T @ counts / scale,
        bounds=[(0, None)] * n + [(0, 1)],
        method="highs",
    )
    return bool(found.status == 0 and -found.fun > 1e-9 / scale)


def check_all(models: Sequence[Terms], counts: Array) -> list[int]:
    """Return the answers of `check` for many models of one table.

    Of models that leave the same terms out, a part of a model that is fine is fine, so that few
    linear programmes answer for many.
    """
    answers: dict[Terms, int] = {}
    fine: dict[Terms, list[int]] = {}
    zero_of = _zero_terms(counts)
    for terms in sorted(models, key=len, reverse=True):
        zero = tuple(t for t in terms if t in zero_of)
        mask = sum(1 << t for t in terms)
        group = fine.setdefault(zero, [])
        if any(mask & ~larger == 0 for larger in group):
            answers[terms] = FINE
            continue
        answers[terms] = check(terms, counts)
        if answers[terms] == FINE:
            group.append(mask)
    return [answers[terms] for terms in models]


def _zero_terms(counts: Array) -> set[int]:
    codes = np.arange(len(counts))
    return {int(t) for t in codes[1:] if not counts[codes & t == t].sum()}
