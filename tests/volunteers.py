"""Volunteers made up after those of Decode Surveillance NYC: they see a third of what is there."""

from __future__ import annotations

from pathlib import Path
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
    there = random.negative_binomial(clump, clump / (clump + mean), n)
    can_be_found = random.binomial(there, findable)
    logit = np.log(finds / (1 - finds)) + unlike * random.standard_normal(n_volunteers)
    volunteer = np.array([random.choice(n_volunteers, 3, replace=False) for _ in range(n)])
    chance = 1 / (1 + np.exp(-logit[volunteer]))
    reported = random.binomial(can_be_found[:, None], chance) + random.poisson(false, (n, 3))
    expert = np.full(n, -1)
    looked = random.choice(n, n_expert, replace=False)
    expert[looked] = there[looked]
    return Crossings(there, reported, volunteer, expert)


def write(made: Crossings, path: Path) -> Path:
    """Write the crossings as a long table with the expert as a column."""
    lines = ["site,rater,count,expert"]
    for i, (reported, volunteer) in enumerate(zip(made.reported, made.volunteer, strict=True)):
        expert = "" if made.expert[i] < 0 else str(made.expert[i])
        lines += [
            f"x{i},v{who},{count},{expert}" for who, count in zip(volunteer, reported, strict=True)
        ]
    path.write_text("\n".join(lines) + "\n")
    return path
