"""Who lives in a town: households in its dwellings, with their work and schools."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil.residents._chance import keyed, share
from sousveil.residents._parameters import (
    GATE,
    HOME,
    PUPILS_INSIDE,
    SCHOOL,
    SPEED,
    SPREAD,
    WORK,
    Parameters,
)
from sousveil.residents._streets import Ints
from sousveil.residents._town import Town, any_of, choice, chosen

Floats32 = npt.NDArray[np.float32]
_CHUNK = 4096


class People(NamedTuple):
    """Residents, numbered in the order of their households.

    The members of household h are residents first[h] to first[h + 1] - 1. work and school are
    places of the town, -1 where a resident has none.
    """

    first: Ints
    home: Ints  # by household: a dwelling
    household: Ints  # by resident
    person_type: npt.NDArray[np.int8]  # by resident, 1 to 8 as in the parameters
    work: Ints
    school: Ints
    speed_m_s: Floats32

    @property
    def n(self) -> int:
        """Return the number of residents."""
        return len(self.household)


def people(town: Town, parameters: Parameters, n: int, seed: int) -> People:
    """Return n residents in households that are drawn from the parameters."""
    draw = np.random.default_rng([seed, 1])
    first, person_type = _households(parameters, n, draw)
    n_households = len(first) - 1
    weight = town.weight[HOME]
    dwelling = draw.choice(len(weight), n_households, p=weight / weight.sum())
    home = town.of[HOME][dwelling]
    household = np.repeat(np.arange(n_households, dtype=np.int32), np.diff(first))
    cells = town.cell[home][household]
    rates = parameters.rates
    mean, spread = rates.scalars[SPEED], rates.scalars[SPREAD]
    speed = np.clip(draw.normal(mean, spread, n), 0.5 * mean, 1.6 * mean)
    work, school = _assigned(
        np.uint64(seed), cells, person_type, choice(town),
        rates.work, rates.school, rates.inside[:2], rates.scalars[PUPILS_INSIDE],
    )  # fmt: skip
    return People(first, home, household, person_type, work, school, speed.astype(np.float32))


def _households(
    parameters: Parameters, n: int, draw: np.random.Generator
) -> tuple[Ints, npt.NDArray[np.int8]]:
    """Draw households until n people are together; the last one is cut to fit."""
    weight = parameters.weight / parameters.weight.sum()
    sizes = np.array([len(one) for one in parameters.members])
    drawn = np.empty(0, np.int64)
    while sizes[drawn].sum() < n:
        drawn = np.concatenate([drawn, draw.choice(len(sizes), _CHUNK, p=weight)])
    ends = np.cumsum(sizes[drawn])
    n_households = int(np.searchsorted(ends, n)) + 1
    types = "".join(parameters.members[i] for i in drawn[:n_households])[:n]
    first = np.concatenate([[0], np.minimum(ends[:n_households], n)]).astype(np.int32)
    return first, np.frombuffer(types.encode(), np.uint8).astype(np.int8) - np.int8(48)


@numba.njit(cache=True)
def _assigned(
    seed: Any, cells: Any, person_type: Any, where: Any,
    works: Any, learns: Any, inside: Any, pupils_inside: float,
) -> Any:  # fmt: skip
    """Give everybody who works or learns a place inside, or the gate they leave through."""
    n = len(cells)
    work, school = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    for i in range(n):
        kind = person_type[i] - 1
        if works[kind] > 0:
            stays = share(keyed(seed, i, 21, 0)) < inside[0] and any_of(where, WORK)
            p = WORK if stays else GATE
            work[i] = chosen(where, p, cells[i], share(keyed(seed, i, 21, 1)))
        if learns[kind] > 0:
            chance = pupils_inside if kind >= 6 else inside[1]
            stays = share(keyed(seed, i, 22, 0)) < chance and any_of(where, SCHOOL)
            p = SCHOOL if stays else GATE
            school[i] = chosen(where, p, cells[i], share(keyed(seed, i, 22, 1)))
    return work, school
