"""How often the intervals of reconciled claims hold the truth, where the assumptions do and do not.

python bench/claims.py [WORLDS]

Made-up worlds have the claims of the real evidence (places, definitions, years, publishers, grades)
with values drawn from the model, or from one that differs from it as the row says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from _measure import machine, write_section
from sousveil.claims import evidence
from sousveil.claims._model import BASE, Claimed, Priors, Wanted, fit, prior_draw
from sousveil.claims._reading import for_model, modelled, read_all

ESTIMATES = [
    Wanted("China", BASE, 2019),
    Wanted("United States", BASE, 2018),
    Wanted("United Kingdom", BASE, 2018),
    Wanted("South Korea", "public bodies", 2018),
]
FORECASTS = [Wanted("China", BASE, 2027), Wanted("United States", BASE, 2027)]
FULL_IN = 2020
STATED = Priors()

Change = Callable[[list[Claimed]], list[Claimed]]


class Setting(NamedTuple):
    """What a world is drawn from, and what is done to its claims before the fit."""

    name: str
    drawn_from: Priors
    change: Change = list
    full: bool = False  # no growth from FULL_IN on


def with_copies(claims: list[Claimed]) -> list[Claimed]:
    """Return the claims with three copies of each about China, as if each were independent."""
    copies = [
        claim._replace(publisher=f"{claim.publisher} {i}", grade="B")
        for claim in claims
        if claim.place == "China"
        for i in range(3)
    ]
    return claims + copies


SETTINGS = (
    Setting("as assumed", STATED),
    Setting("publishers twice as coloured", STATED._replace(
        publisher=2 * STATED.publisher, publisher_of_place=2 * STATED.publisher_of_place)),
    Setting("errors of claims twice as large", STATED._replace(error=2.0)),
    Setting("places drift three times as much", STATED._replace(walk=3 * STATED.walk)),
    Setting("no growth after 2020", STATED, full=True),
    Setting("growth never slows, no ceiling", STATED.straight()),
    Setting("copies about China counted as independent", STATED, with_copies),
)  # fmt: skip


def main(worlds: int) -> None:
    """Run the study and write its table to bench/README.md."""
    layout = [for_model(read) for read in read_all(evidence()) if modelled(read)]
    rows = [study(setting, layout, worlds) for setting in SETTINGS]
    write_section(
        "claims",
        rows,
        f"{machine()}. {worlds} worlds a row, {len(layout)} claims each; share of 95 % intervals "
        "that hold the truth: of four estimates, of China's alone, of two forecasts for 2027; "
        "width: upper over lower end of China's estimate, median.",
    )


def study(setting: Setting, layout: list[Claimed], worlds: int) -> dict[str, object]:
    rng = np.random.default_rng(11)
    held, widths = [], []
    for world in range(worlds):
        print(f"\r{setting.name}: {world + 1} of {worlds} ", end="", file=sys.stderr)
        inside, width = one_world(setting, layout, rng)
        held.append(inside)
        widths.append(width)
    print(file=sys.stderr)
    inside = np.array(held)
    n = len(ESTIMATES)
    return {
        "worlds": setting.name,
        "estimates": f"{inside[:, :n].mean():.3f}",
        "China": f"{inside[:, 0].mean():.3f}",
        "forecasts": f"{inside[:, n:].mean():.3f}",
        "width": f"{np.median(widths):.2f}",
    }


def one_world(
    setting: Setting, layout: list[Claimed], rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], float]:
    wanted = ESTIMATES + FORECASTS
    drawn = wanted
    if setting.full:
        drawn = ESTIMATES + [want._replace(year=FULL_IN) for want in FORECASTS]
    values, truth = draw(layout, drawn, setting.drawn_from, rng)
    claims = [c._replace(log_rate=v) for c, v in zip(layout, values.tolist(), strict=True)]
    posterior = fit(setting.change(claims), wanted)
    tops = [None] * len(ESTIMATES) + [STATED.ceilings()] * len(FORECASTS)
    ends = [[posterior.quantile(i, p, top) for p in (0.025, 0.975)] for i, top in enumerate(tops)]
    inside = np.array([low <= true <= high for (low, high), true in zip(ends, truth, strict=True)])
    return inside, float(np.exp(ends[0][1] - ends[0][0]))


def draw(
    layout: list[Claimed], drawn: list[Wanted], priors: Priors, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return claims and truths of a world in which no forecast passes the ceiling of that world."""
    while True:
        values, truth = prior_draw(layout, drawn, priors, rng)
        if (truth[len(ESTIMATES) :] < rng.choice(priors.ceilings())).all():
            return values, truth


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
