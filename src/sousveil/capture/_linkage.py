"""Capture histories from links: as they stand, and as they could be if the links are uncertain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from sousveil.capture._histories import MOST_LISTS, Array, Histories, Index
from sousveil.capture._simple import Linkage
from sousveil.errors import UnusableInput

_CERTAIN: Final = 1 - 1e-9


class Linked(NamedTuple):
    """Links by camera and list: the camera, the list's number and the probability of each.

    A camera's anchor, which a link ties the others to, has the probability 1. alpha holds for two
    lists (i, j), i before j, the chance that a camera of both is linked.
    """

    lists: tuple[str, ...]
    camera: Index
    of_list: Index
    probability: Array
    n_cameras: int
    alpha: Mapping[tuple[int, int], float]


def read_links(links: pa.Table, *, lists: Sequence[str] | None = None,
               rates: pa.Table | None = None) -> Linked:  # fmt: skip
    """Prepare links (records.LINKS) for counting; rates: linking.RATES, for links that were missed.

    lists: sources in the order wanted, by default all, by name. Raises UnusableInput.
    """
    sources = np.array(links["source_id"].to_pylist(), dtype=object)
    names = tuple(lists) if lists is not None else tuple(sorted(set(sources.tolist())))
    missing = [name for name in names if name not in set(sources.tolist())]
    if missing:
        raise UnusableInput(f"links: no observation of the list {missing[0]}; see source_id")
    if not 2 <= len(names) <= MOST_LISTS:
        raise UnusableInput(
            f"links: observations of {len(names)} lists; from 2 to {MOST_LISTS} are needed"
        )
    kept = np.isin(sources, names)
    cameras, camera = np.unique(
        np.array(links["camera_id"].to_pylist(), dtype=object)[kept].astype(str),
        return_inverse=True,
    )
    number = {name: i for i, name in enumerate(names)}
    of_list = np.array([number[name] for name in sources[kept]], dtype=np.int64)
    probability = np.clip(links["probability"].to_numpy()[kept], 0.0, 1.0)
    return Linked(
        names,
        *_one_a_list(camera, of_list, probability, len(names)),
        len(cameras),
        _alphas(rates, number),
    )


def _one_a_list(camera: Index, of_list: Index, probability: Array, k: int,
                ) -> tuple[Index, Index, Array]:  # fmt: skip
    """Keep, of the observations of one list at one camera, the most certain; set the anchors."""
    key = camera * k + of_list
    order = np.lexsort((-probability, key))
    first = np.unique(key[order], return_index=True)[1]
    rows = order[first]
    camera, of_list, probability = camera[rows], of_list[rows], probability[rows].copy()
    # A link notes its probability at both ends: the anchor is one of an equal pair, if any.
    paired = np.zeros(len(rows), bool)
    by_value = np.lexsort((probability, camera))
    same = (np.diff(camera[by_value]) == 0) & (np.diff(probability[by_value]) == 0)
    paired[by_value[:-1][same]] = True
    by_anchor = np.lexsort((of_list, -probability, ~paired, camera))
    anchors = by_anchor[np.unique(camera[by_anchor], return_index=True)[1]]
    probability[anchors] = 1.0
    return camera, of_list, probability


def _alphas(rates: pa.Table | None, number: dict[str, int]) -> dict[tuple[int, int], float]:
    found = {}
    for row in [] if rates is None else rates.to_pylist():
        ends = number.get(row["source_l"]), number.get(row["source_r"])
        if None not in ends and row["alpha"]:
            i, j = sorted(end for end in ends if end is not None)
            found[i, j] = min(float(row["alpha"]), 1.0)
    return found


def histories_of(linked: Linked) -> Histories:
    """Count the histories with every link taken as right."""
    masks = np.bincount(
        linked.camera, weights=1 << linked.of_list, minlength=linked.n_cameras
    ).astype(np.int64)
    return _counted(masks, linked.lists)


def is_certain(linked: Linked) -> bool:
    """Return whether no link can be wrong, and none missing."""
    missed = any(alpha < _CERTAIN for alpha in linked.alpha.values())
    return not missed and bool((linked.probability > _CERTAIN).all())


def draw(linked: Linked, *, n: int, seed: int) -> list[Histories]:
    """Draw capture histories as they could be: multiple imputation of the links.

    Each link holds with its probability, else its observation is a camera of its own. Where alpha
    is known, as many links between two lists as were then missed (a negative binomial number) are
    made between cameras that could be one, drawn at random.
    """
    seeds = np.random.SeedSequence(seed).spawn(n)
    return [_draw(linked, np.random.default_rng(one)) for one in seeds]


def _draw(linked: Linked, rng: np.random.Generator) -> Histories:
    holds = rng.random(len(linked.probability)) < linked.probability
    bits = 1 << linked.of_list
    masks = np.bincount(
        linked.camera[holds], weights=bits[holds], minlength=linked.n_cameras
    ).astype(np.int64)
    masks = np.concatenate([masks[masks > 0], bits[~holds]])
    pairs = list(linked.alpha.items())
    shared = {ends: int(((masks & _both(ends)) == _both(ends)).sum()) for ends, _ in pairs}
    for index in rng.permutation(len(pairs)):
        ends, alpha = pairs[index]
        missed = rng.negative_binomial(shared[ends], alpha) if shared[ends] and alpha < 1 else 0
        now = int(((masks & _both(ends)) == _both(ends)).sum())
        masks = _joined(masks, ends, shared[ends] + missed - now, rng)
    return _counted(masks, linked.lists)


def _both(ends: tuple[int, int]) -> int:
    return 1 << ends[0] | 1 << ends[1]


def _joined(masks: Index, ends: tuple[int, int], n: int, rng: np.random.Generator) -> Index:
    """Join n cameras of one list with as many of another, of those that share no list."""
    one, other = (1 << end for end in ends)
    left = rng.permutation(np.flatnonzero((masks & one > 0) & (masks & other == 0)))
    right = rng.permutation(np.flatnonzero((masks & other > 0) & (masks & one == 0)))
    size = min(len(left), len(right))
    fits = np.flatnonzero(masks[left[:size]] & masks[right[:size]] == 0)[: max(n, 0)]
    masks = masks.copy()
    masks[left[fits]] |= masks[right[fits]]
    return np.delete(masks, right[fits])


def _counted(masks: Index, lists: tuple[str, ...]) -> Histories:
    counts = np.bincount(masks, minlength=1 << len(lists)).astype(float)
    counts[0] = 0
    return Histories(lists, counts)


def two_list_rates(rates: pa.Table, lists: Sequence[str]) -> Linkage | None:
    """Return alpha and beta of two lists from linking.RATES, None where they are not known.

    Their standard errors are binomial, from as many cameras as they were learnt from.
    """
    for row in rates.to_pylist():
        if {row["source_l"], row["source_r"]} == set(lists) and row["alpha"] is not None:
            alpha, beta = float(row["alpha"]), float(row["beta"] or 0.0)
            linked, others = max(row["linked"], 1), max(row["n_r"] - row["linked"], 1)
            return Linkage(
                alpha,
                beta,
                float(np.sqrt(alpha * (1 - alpha) / linked)),
                float(np.sqrt(beta * (1 - beta) / others)),
            )
    return None
