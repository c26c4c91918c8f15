"""How likely a camera is on a list, by where it is and what it is like.

Two lists, independent among cameras alike: logistic regressions fitted to what is seen at all, each
camera standing for 1 / p others (Huggins 1989; Alho 1990). With the few hundred cameras that lists
of a place share, the one-step estimator of `sousveil.capture` is the less stable of the two.

A list finds some cameras more easily than others, and those that no list has are like the ones
that lists seldom find: a camera whose like is listed with chance p stands for (1 - p) / p others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil.place import FOOTWAY_CLASSES, STREET_CLASSES

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

ATTRIBUTES: Final = ("kind", "housing", "operator_class", "setting")
STREET: Final = "class of street"
PLACE: Final = "place"

_MAIN: Final = ("motorway", "trunk", "primary", "secondary", "tertiary")
_KNOWN: Final = 0.95
_LEAST_SHARED: Final = 20
_LEAST_SHARE: Final = 0.05  # of a value, else it is put with the others
_DEG_M: Final = 111_195.0
_RIDGE: Final = 1.0  # on the squared coefficients of standardised covariates
_STEPS: Final = 100
_LEAST_CHANCE: Final = 0.01


class Listing(NamedTuple):
    """The chance of being on a list for each camera, and the total that follows from it."""

    chance: Floats
    estimate: float
    low: float
    high: float
    covariates: tuple[str, ...]


def street_groups(highways: Sequence[str]) -> Ints:
    """Return the group of each value of `highway`: 0 main street, 1 other street, 2 for walking."""
    return np.array(
        [0 if h.removesuffix("_link") in _MAIN else 2 if h in FOOTWAY_CLASSES else 1
         for h in highways], np.int64
    )  # fmt: skip


def listing(
    cameras: pa.Table,
    held: Bools,
    *,
    streets: pa.Table | None = None,
    linkage: Any = None,
) -> Listing | None:
    """Estimate the chances from two lists, which are independent only among cameras alike.

    cameras: records.CAMERAS. held: cameras x 2, whether either list holds each; a camera of further
    lists may be on neither. streets: records.STREETS. linkage: capture.Linkage; its beta is about
    the second list. An attribute is used only if each list states it of nearly all its cameras:
    where one does not, "unknown" would mean "not on the other". None where too few cameras are on
    both lists.
    """
    from sousveil.capture._simple import log_interval

    if int(held.all(axis=1).sum()) < _LEAST_SHARED:
        return None
    names, x = _covariates(cameras, held, streets)
    found = _fitted(_standardised(x), held.astype(np.float64), linkage)
    if found is None:
        return None
    chance, unlisted, se = found
    n = float(held.shape[0])
    low, high = log_interval(n + unlisted, se, n)
    return Listing(chance, n + unlisted, low, high, names)


def _fitted(x: Floats, y: Floats, linkage: Any) -> tuple[Floats, float, float] | None:
    """Return the chance of being on either list, how many are on neither, and its error."""
    seen = y.any(axis=1)
    beta, covariance = _maximum(x[seen], y[seen])
    if covariance is None:
        return None
    k = x.shape[1]
    first, second = _logistic(x @ beta[:k]), _logistic(x @ beta[k:])
    more_variance = 0.0
    distinct = np.ones(len(y))
    if linkage is not None:
        # Links missed and false make the overlap what it is not: Ding and Fienberg 1994.
        gap, false = linkage.alpha - linkage.beta, linkage.beta
        both = (y[:, 0] * y[:, 1] - false * y[:, 1]) / gap
        distinct = np.where(seen, y.sum(axis=1) - both, 1.0)
        ratio = y[:, 1].sum() / max(y[:, 0].sum(), 1.0)
        first = np.clip((first - false) / gap, _LEAST_CHANCE, 1.0)
        second = np.clip((second - false * ratio) / gap, _LEAST_CHANCE, 1.0)
        more_variance = _of_linkage(y, linkage)
    chance = np.maximum(first + second - first * second, _LEAST_CHANCE)
    missed = 1 - chance
    slope = -np.concatenate([
        (distinct * missed * first / chance**2) @ x, (distinct * missed * second / chance**2) @ x
    ])  # fmt: skip
    total = float((distinct / chance).sum())
    variance = float((missed / chance**2).sum() + slope @ covariance @ slope)
    # Rows that should have been linked are listed as two cameras: they are none of the unlisted.
    unlisted = total - float(len(y))
    return chance, unlisted, float(np.sqrt(variance + total**2 * more_variance))


def _maximum(x: Floats, y: Floats) -> tuple[Floats, Floats | None]:
    """Maximise the penalised likelihood of the lists that hold each camera, given that one does."""
    k = x.shape[1]
    beta, penalty = np.zeros(2 * k), np.tile(np.r_[1e-3, np.full(k - 1, _RIDGE)], 2)
    for _ in range(_STEPS):
        first, second = _logistic(x @ beta[:k]), _logistic(x @ beta[k:])
        chance = first + second - first * second
        score = np.concatenate(
            [x.T @ (y[:, 0] - first / chance), x.T @ (y[:, 1] - second / chance)]
        )
        own = [p * (1 - p) * q / chance**2 for p, q in ((first, second), (second, first))]
        both = first * (1 - first) * second * (1 - second) / chance**2
        cross = -(x * both[:, None]).T @ x
        information = np.block([[(x * own[0][:, None]).T @ x, cross],
                                [cross.T, (x * own[1][:, None]).T @ x]])  # fmt: skip
        information += np.diag(penalty)
        step = np.linalg.solve(information, score - penalty * beta)
        size = float(np.abs(step).max())
        beta += step * min(1.0, 2.0 / max(size, 1e-12))
        if size < 1e-8:
            return beta, np.linalg.inv(information)
    return beta, None


def _logistic(eta: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-eta)))


def _of_linkage(y: Floats, linkage: Any) -> float:
    """Return the relative variance of the total that errors of linkage make."""
    from sousveil.capture._histories import Histories
    from sousveil.capture._simple import two_lists

    counts = np.bincount((y @ [1, 2]).astype(np.int64), minlength=4).astype(np.float64)
    found = two_lists(Histories(("a", "b"), counts), linkage)
    return float(found.shared_variance / max(found.shared, 1.0) ** 2)


def _standardised(x: Floats) -> Floats:
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    columns: Floats = np.column_stack([np.ones(len(x)), z])
    return columns


def _covariates(
    cameras: pa.Table, held: Bools, streets: pa.Table | None
) -> tuple[tuple[str, ...], Floats]:
    lon, lat = cameras["lon"].to_numpy(), cameras["lat"].to_numpy()
    flat = np.array([np.cos(np.radians(lat.mean())), 1.0]) * _DEG_M
    xy = np.column_stack([lon, lat]) * flat
    names, columns = [PLACE], [xy - xy.mean(axis=0)]
    if streets is not None and streets.num_rows:
        group = _nearest_group(xy, streets, flat)
        dummies = _dummies(group.astype(str).tolist())
        if dummies.shape[1]:
            names.append(STREET)
            columns.append(dummies)
    for name in ATTRIBUTES:
        values = ["unknown" if v is None else v for v in cameras[name].to_pylist()]
        dummies = _dummies(values)
        if dummies.shape[1] and _stated_by_both(values, held):
            names.append(name)
            columns.append(dummies)
    return tuple(names), np.column_stack(columns)


def _stated_by_both(values: Sequence[str], held: Bools) -> bool:
    known = np.array([value != "unknown" for value in values])
    alone = [held[:, i] & ~held[:, 1 - i] for i in range(2)]
    return all(known[mine].mean() >= _KNOWN for mine in alone if mine.any())


def _dummies(values: Sequence[str]) -> Floats:
    """Return a column of 0 and 1 for each frequent value but the most frequent."""
    names, number = np.unique(np.array(values, dtype=str), return_counts=True)
    order = np.argsort(-number, kind="stable")
    kept = [names[i] for i in order[1:] if number[i] >= _LEAST_SHARE * len(values)]
    said = np.array(values, dtype=str)
    columns: Floats = (said[:, None] == np.array(kept, dtype=str)[None, :]).astype(np.float64)
    return columns


def _nearest_group(xy: Floats, streets: pa.Table, flat: Floats) -> Ints:
    """Return the group of the street nearest to each camera."""
    highway = np.array(streets["highway"].to_pylist(), dtype=object).astype(str)
    chosen = np.flatnonzero(np.isin(highway, sorted(STREET_CLASSES | FOOTWAY_CLASSES)))
    if not len(chosen):
        return np.zeros(len(xy), np.int64)
    lines = shapely.from_wkb(
        streets["geometry"].take(pa.array(chosen)).to_numpy(zero_copy_only=False)
    )
    tree = shapely.STRtree(shapely.transform(lines, lambda p: p * flat))
    groups: Ints = street_groups(highway[chosen].tolist())
    return np.asarray(groups[tree.nearest(shapely.points(xy))], np.int64)
