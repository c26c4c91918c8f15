"""Volunteers made up after those of Decode Surveillance NYC, who see a third of what is there.

For measuring whether the estimates are right. Nothing here describes real counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Crossings(NamedTuple):
    """What stands at each crossing, what three volunteers reported, where an expert looked."""

    there: Ints
    reported: Ints  # crossings x 3
    volunteer: Ints  # crossings x 3
    expert: Ints  # -1 where none looked


def crossings(
    n: int,
    random: np.random.Generator,
    *,
    mean: float = 1.6,
    clump: float = 0.8,
    findable: float = 0.7,
    finds: float = 0.5,
    unlike: float = 0.8,
    false: float = 0.03,
    n_volunteers: int = 60,
    n_expert: int = 104,
) -> Crossings:
    """Return crossings of which each volunteer finds findable x finds, about.

    unlike: standard deviation of volunteers on the logit scale. The 104 crossings of the expert
    are as many as in New York.
    """
    there = np.asarray(random.negative_binomial(clump, clump / (clump + mean), n))
    can_be_found = random.binomial(there, findable)
    logit = np.log(finds / (1 - finds)) + unlike * random.standard_normal(n_volunteers)
    volunteer = np.array([random.choice(n_volunteers, 3, replace=False) for _ in range(n)])
    chance = 1 / (1 + np.exp(-logit[volunteer]))
    reported = random.binomial(can_be_found[:, None], chance) + random.poisson(false, (n, 3))
    expert = np.full(n, -1)
    looked = random.choice(n, n_expert, replace=False)
    expert[looked] = there[looked]
    return Crossings(there, reported, volunteer, expert)
