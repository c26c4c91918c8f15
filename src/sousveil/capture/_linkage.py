"""Capture histories from links: as they stand, and as they could be if the links are uncertain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from sousveil._words import plural
from sousveil.capture._histories import MOST_LISTS, Array, Histories, Index
from sousveil.capture._simple import Linkage
from sousveil.errors import UnusableInput

_CERTAIN: Final = 1 - 1e-9
_OSM: Final = re.compile(r"(node|way|relation)/\d+")


class Linked(NamedTuple):
    """Links by camera and list: the camera, the list's number and the probability of each.

    A camera's anchor, which a link ties the others to, has the probability 1. alpha: of each list
    in the order in which they were linked, the chance that a camera it shares with the lists before
    it was linked to them; 1 for the first; empty where that is not known.
    """

    lists: tuple[str, ...]
    camera: Index
    of_list: Index
    probability: Array
    camera_ids: tuple[str, ...]
    alpha: Mapping[int, float]


def read_links(links: pa.Table, *, lists: Sequence[str] | None = None,
               rates: pa.Table | None = None) -> Linked:  # fmt: skip
    """Prepare links (records.LINKS) for counting; rates: linking.RATES, for links that were missed.

    lists: sources in the order wanted, by default all, by name; then all extracts and editions of
    OpenStreetMap count as one list, `osm`, as they are not made independently. Raises
    UnusableInput.
    """
    sources = np.array(
        links["source_id"].to_pylist() if lists is not None else list_names(links),
        dtype=object,
    )
    names = tuple(lists) if lists is not None else tuple(sorted(set(sources.tolist())))
    missing = [name for name in names if name not in set(sources.tolist())]
    if missing:
        raise UnusableInput(f"links: no observation of the list {missing[0]}; see source_id")
    if not 2 <= len(names) <= MOST_LISTS:
        raise UnusableInput(
            f"links: observations of {plural(len(names), 'list')}; from 2 to {MOST_LISTS} are "
            "needed (all extracts of OpenStreetMap are one)"
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
        tuple(cameras.tolist()),
        _alphas(rates, number),
    )


def list_names(links: pa.Table) -> list[str]:
    """Return the list of each observation, several of OpenStreetMap joined into one."""
    sources, natives = links["source_id"].to_pylist(), links["native_id"].to_pylist()
    other = {s for s, native in zip(sources, natives, strict=True) if not _OSM.fullmatch(native)}
    editions = set(sources) - other
    return ["osm" if s in editions and len(editions) > 1 else s for s in sources]


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


def _alphas(rates: pa.Table | None, number: dict[str, int]) -> dict[int, float]:
    """Return alpha of each list against those before it, in the order of linking."""
    rows = [
        row
        for row in ([] if rates is None else rates.to_pylist())
        if row["source_l"] in number and row["source_r"] in number
    ]
    later: dict[int, list[tuple[float, float]]] = {i: [] for i in number.values()}
    for row in rows:
        if row["alpha"]:
            alpha, linked = min(float(row["alpha"]), 1.0), float(row["linked"])
            later[number[row["source_r"]]].append((alpha, max(linked, 1.0)))
    if not any(later.values()):
        return {}
    order = sorted(later, key=lambda i: sum(row["source_r"] == _name(number, i) for row in rows))
    return {
        i: float(np.average([a for a, _ in later[i]], weights=[w for _, w in later[i]]))
        if later[i]
        else 1.0
        for i in order
    }


def _name(number: dict[str, int], wanted: int) -> str:
    return next(name for name, i in number.items() if i == wanted)


def histories_of(linked: Linked) -> Histories:
    """Count the histories with every link taken as right."""
    masks = np.bincount(
        linked.camera, weights=1 << linked.of_list, minlength=len(linked.camera_ids)
    ).astype(np.int64)
    return _counted(masks, linked.lists)


def described(linked: Linked, cameras: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Return one row a camera: 0 or 1 for each list, and what is known of it (records.CAMERAS).

    Links are taken as right. Of words, unknown is a value of its own. Raises UnusableInput for a
    column that cameras do not have, or a camera that is not described.
    """
    missing = [column for column in columns if column not in cameras.column_names]
    if missing:
        raise UnusableInput(f"cameras: no column {missing[0]}; see --covariates")
    row_of = {camera: row for row, camera in enumerate(cameras["camera_id"].to_pylist())}
    lost = [camera for camera in linked.camera_ids if camera not in row_of]
    if lost:
        raise UnusableInput(f"cameras: {lost[0]} of the links is not among them; link again")
    held = np.zeros((len(linked.camera_ids), len(linked.lists)), np.int64)
    held[linked.camera, linked.of_list] = 1
    chosen = cameras.take([row_of[camera] for camera in linked.camera_ids])
    found = {name: pa.array(held[:, i]) for i, name in enumerate(linked.lists)}
    for column in columns:
        values = chosen[column]
        found[column] = values.fill_null("unknown") if pa.types.is_string(values.type) else values
    return pa.table(found)


def is_certain(linked: Linked) -> bool:
    """Return whether no link can be wrong, and none missing."""
    missed = any(alpha < _CERTAIN for alpha in linked.alpha.values())
    return not missed and bool((linked.probability > _CERTAIN).all())


def draw(linked: Linked, *, n: int, seed: int) -> list[Histories]:
    """Draw capture histories as they could be: multiple imputation of the links.

    Each link holds with its probability, else its observation is a camera of its own. Where alpha
    is known, links that were missed are made, list by list: a negative binomial number of cameras
    that stand in one list alone join others, of such histories as those that were linked have.
    """
    seeds = np.random.SeedSequence(seed).spawn(n)
    return [_draw(linked, np.random.default_rng(one)) for one in seeds]


def _draw(linked: Linked, rng: np.random.Generator) -> Histories:
    holds = rng.random(len(linked.probability)) < linked.probability
    bits = 1 << linked.of_list
    masks = np.bincount(
        linked.camera[holds], weights=bits[holds], minlength=len(linked.camera_ids)
    ).astype(np.int64)
    masks = np.concatenate([masks[masks > 0], bits[~holds]])
    counts = np.bincount(masks, minlength=1 << len(linked.lists)).astype(np.int64)
    before = 0
    for i, alpha in linked.alpha.items():
        _join_missed(counts, 1 << i, before, alpha, rng)
        before |= 1 << i
    counts[0] = 0
    return Histories(linked.lists, counts.astype(float))


def _join_missed(counts: Index, one: int, before: int, alpha: float,
                 rng: np.random.Generator) -> None:  # fmt: skip
    """Join cameras of one list alone to cameras of lists before it, as many as were missed.

    Each history that holds the list and an earlier one was reached with the chance alpha, so that
    as many more of it, on average (1 - alpha) / alpha, were broken into the list and the rest.
    """
    codes = np.arange(len(counts))
    for history in codes[(codes & one > 0) & (codes & before > 0)]:
        reached = counts[history]
        if not reached or alpha >= 1:
            continue
        missed = rng.negative_binomial(reached, alpha)
        n = min(missed, counts[one], counts[history & ~one])
        counts[history] += n
        counts[one] -= n
        counts[history & ~one] -= n


def _counted(masks: Index, lists: tuple[str, ...]) -> Histories:
    counts = np.bincount(masks, minlength=1 << len(lists)).astype(float)
    counts[0] = 0
    return Histories(lists, counts)


def in_the_order_of_rates(lists: Sequence[str], rates: pa.Table | None) -> tuple[str, ...]:
    """Return two lists so that the second is the one that beta is about, if rates name them."""
    for row in [] if rates is None else rates.to_pylist():
        if {row["source_l"], row["source_r"]} == set(lists):
            return row["source_l"], row["source_r"]
    return tuple(lists)


def two_list_rates(rates: pa.Table, lists: Sequence[str]) -> Linkage | None:
    """Return alpha and beta of two lists from linking.RATES, None where they are not known.

    beta is about the second list. The standard errors are binomial, from as many cameras as the
    rates were learnt from.
    """
    for row in rates.to_pylist():
        if [row["source_l"], row["source_r"]] == [*lists] and row["alpha"] is not None:
            alpha, beta = float(row["alpha"]), float(row["beta"] or 0.0)
            linked, others = max(row["linked"], 1), max(row["n_r"] - row["linked"], 1)
            return Linkage(
                alpha,
                beta,
                float(np.sqrt(alpha * (1 - alpha) / linked)),
                float(np.sqrt(beta * (1 - beta) / others)),
            )
    return None
