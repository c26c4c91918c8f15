"""Repeated counts of one closed population: M0, Mt, Mh and Mth as log-linear models.

Cormack 1989 (Biometrics 45), Rivest and Baillargeon 2007 (Biometrics 63), as in Rcapture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.special import gammaln

from sousveil.capture._existence import FINE, check_design
from sousveil.capture._histories import Array, in_lists
from sousveil.capture._loglinear import Fits, Profiles, fit, profile, without_negative

HETEROGENEITY: Final = ("Chao", "Poisson2", "Darroch")
"""How much more the often seen are seen: lower bound, tau (2^x - 1), tau x^2 / 2."""


class Repeated(NamedTuple):
    """A fitted model of repeated counts: each of `fits` and `profiles` holds one row."""

    name: str
    fits: Fits
    profiles: Profiles
    df: int


def models_of_histories(counts: Array, *, only: Sequence[str] = ()) -> list[Repeated]:
    """Fit M0, Mt, Mh and Mth to the counts of all 2^t cells of t occasions.

    only: kinds of HETEROGENEITY; then no more than Mth with these.
    """
    t = (len(counts) - 1).bit_length()
    member = in_lists(t)[1:].astype(float)
    times = member.sum(axis=1)
    offset = np.zeros(len(times))
    if only:
        return _heterogeneous("Mth", member, times, t, counts[1:], offset, only)
    models = [("M0", times[:, None]), ("Mt", member)]
    plain = [_fitted(name, columns, 0, counts[1:], offset) for name, columns in models]
    found = [one for one in plain if one is not None]
    if t < 3:
        return found
    for base, columns in (("Mh", times[:, None]), ("Mth", member)):
        found += _heterogeneous(base, columns, times, t, counts[1:], offset)
    return found


def models_of_times(times_seen: Array, *, occasions: int) -> list[Repeated]:
    """Fit M0 and Mh to how many were seen exactly 1, 2, ... times on so many occasions."""
    counts = np.zeros(occasions)
    counts[: len(times_seen)] = times_seen
    times = np.arange(1, occasions + 1.0)
    offset = gammaln(occasions + 1) - gammaln(times + 1) - gammaln(occasions - times + 1)
    plain = _fitted("M0", times[:, None], 0, counts, offset)
    found = [] if plain is None else [plain]
    if occasions > 2:
        found += _heterogeneous("Mh", times[:, None], times, occasions, counts, offset)
    return found


def _heterogeneous(base: str, columns: Array, times: Array, t: int, counts: Array,
                   offset: Array, kinds: Sequence[str] = HETEROGENEITY,
                   ) -> list[Repeated]:  # fmt: skip
    added = {
        "Chao": np.maximum(times[:, None] - np.arange(2, t), 0),
        "Poisson2": (2.0**times - 1)[:, None],
        "Darroch": (times**2 / 2)[:, None],
    }
    found = [
        _fitted(
            f"{base} {name}",
            np.column_stack([columns, added[name]]),
            added[name].shape[1] if name == "Chao" else 0,
            counts,
            offset,
        )
        for name in kinds
    ]
    return [one for one in found if one is not None]


def _fitted(
    name: str, columns: Array, n_bounded: int, counts: Array, offset: Array
) -> Repeated | None:
    """Fit a model; its last `n_bounded` coefficients are dropped one by one while negative.

    Negative ones would say that the often seen are seen less often than chance has it. None where
    what is left has no finite maximum.
    """
    design = np.column_stack([np.ones(len(columns)), columns])
    design = (design / np.abs(design).max(axis=0))[None]  # powers of two would be ill-conditioned
    kept, _ = without_negative(design, counts[None], offset, n_bounded)
    if check_design(kept[0], counts) != FINE:
        return None
    fits = fit(kept, counts, offset=offset)
    profiles = profile(design, counts, fits, offset=offset, n_bounded=n_bounded)
    return Repeated(name, fits, profiles, len(counts) - kept.shape[2])
