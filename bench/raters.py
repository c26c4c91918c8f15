"""Several raters a site, rehearsed where the truth is known: the model against the median.

python bench/raters.py [REPETITIONS]
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from _measure import write_section
from sousveil.raters import _model
from sousveil.raters._rehearsal import Crossings, crossings

SETTINGS: dict[str, dict[str, Any]] = {
    "as in New York": {},
    "raters very unlike": {"unlike": 1.3},
    "few can be found": {"findable": 0.45},
    "many false reports": {"false": 0.15},
    "strong clumps": {"clump": 0.3},
    "expert at 30 crossings": {"n_expert": 30},
}
CROSSINGS = 800


def data(made: Crossings) -> _model.Data:
    """Return the crossings as the model takes them, all volunteers as one group."""
    rows = np.column_stack([np.sort(made.reported, axis=1), made.expert])
    rows, weight = np.unique(rows, axis=0, return_counts=True)
    return _model.Data(
        rater=np.zeros((len(rows), 3), dtype=np.int64),
        reported=rows[:, :3].copy(),
        expert=rows[:, 3].copy(),
        design=np.zeros(len(rows), dtype=np.int64),
        weight=weight.astype(float),
        covariates=np.ones((1, 1)),
        n_groups=1,
        most=_model.most_cameras(int(rows.max())),
    )


def study(name: str, repetitions: int) -> dict[str, Any]:
    """Return the row of one setting."""
    covered, found, medians, widths = 0, [], [], []
    for seed in range(repetitions):
        random = np.random.default_rng(seed)
        made = crossings(CROSSINGS, random, **SETTINGS[name])
        low, middle, high = np.quantile(_model.fit(data(made), random).total, [0.025, 0.5, 0.975])
        truth = made.there.sum()
        covered += bool(low <= truth <= high)
        found.append(middle / truth)
        widths.append((high - low) / truth)
        medians.append(np.median(made.reported, axis=1).sum() / truth)
    return {
        "volunteers": name,
        "sum of medians / truth": float(np.mean(medians)),
        "model / truth": float(np.mean(found)),
        "covers %": f"{100 * covered / repetitions:.1f}",
        "median width": float(np.median(widths)),
    }


def main() -> None:
    """Run the study and leave its table in bench/README.md."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with ProcessPoolExecutor(2) as pool:
        rows = list(pool.map(study, SETTINGS, [repetitions] * len(SETTINGS)))
    write_section(
        "raters",
        rows,
        f"`python bench/raters.py`: {repetitions:,} towns of {CROSSINGS} crossings, three of 60 "
        "volunteers at each, an expert at 104 of them. Means over the towns; 95 % intervals.",
    )
    for row in rows:
        print(*row.values(), sep=" | ")


if __name__ == "__main__":
    main()
