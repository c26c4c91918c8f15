"""Several people counted the same sites: how many cameras there are, and what each person sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sousveil.errors import UnusableInput
from sousveil.raters import _checked, _model, _reading

__all__ = ["PRIORS", "raters"]

PRIORS: Final = _model.PRIORS

OWN_RATINGS: Final = 25
"""A rater with as many ratings gets a detection and false positives of their own."""

MOST_OWN: Final = 8
"""With more such raters, all are one group whose detection varies from rating to rating."""

_LEVEL: Final = 0.95
_FEW: Final = 100  # effective draws

Floats = npt.NDArray[np.float64]


def raters(
    file: str | Path,
    *,
    expert: str | None = None,
    by: str | None = None,
    covariates: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, Any]:
    """Estimate the cameras at sites that several raters counted.

    file: CSV with the columns site, rater and count, or with site and a column for each rater; or,
        where only sums are known, with group, medians, share_low and share_high (see _checked).
    expert: the column (or rater) whose counts are taken as the truth, at some of the sites drawn
        by chance. by: a column that groups sites; each group gets a mean and a total of its own.
        covariates: columns of numbers that the mean depends on, on the log scale.
    seed: of the draws that carry the uncertainty.

    A hierarchical latent-count model (see docs/raters.md): what raters report is what they find of
    the cameras that can be found, and some that are none. Repeated counts tell how much of what
    can be found each rater finds; what no rater can find, only an expert tells, so without one
    the total is "at least" and its high is None. Raises UnusableInput that names file and row.
    """
    if _checked.is_summary(Path(file)):
        return _checked.corrected(Path(file), seed=seed)
    counts = _reading.read(Path(file), expert=expert, by=by, covariates=covariates)
    most_ratings = max(len(ratings) for ratings in counts.ratings)
    if most_ratings < 2 and (counts.expert < 0).all():
        raise UnusableInput(
            f"{file}: no site was counted twice and no expert is named, so detection and numbers "
            "cannot be told apart; add second counts, or an expert's with --expert"
        )
    names, group_of = _groups(counts)
    data, row_of = _data(counts, group_of, len(names))
    found = _model.fit(data, np.random.default_rng(seed))
    answer = _answer(counts, found, data)
    answer |= {
        "raters": _rater_rows(counts, found, names, group_of),
        "by": _by_rows(counts, found, row_of, np.random.default_rng([seed, 1])) if by else [],
        "model": {
            "priors": {name: list(prior) for name, prior in PRIORS.items()},
            "dispersion": _interval(found.dispersion),
            "spread_of_detection": _interval(found.rho),
            "findable_share": _interval(found.phi) if data.has_expert else None,
            "effective_draws": found.effective,
        },
        "warnings": _warnings(counts, found, data),
    }
    return answer


def _groups(counts: _reading.Counts) -> tuple[list[str], list[int]]:
    """Return the names of the groups of raters, and the group of each rater."""
    ratings = np.bincount(
        [number for site in counts.ratings for number, _ in site], minlength=len(counts.raters)
    )
    own = [i for i, n in enumerate(ratings) if n >= OWN_RATINGS]
    if len(own) > MOST_OWN:
        own = []
    names = [counts.raters[i] for i in own]
    others = len(own)
    if len(own) < len(counts.raters):
        names.append("the others" if own else "all raters")
    return names, [own.index(i) if i in own else others for i in range(len(counts.raters))]


def _data(
    counts: _reading.Counts, group_of: list[int], n_groups: int
) -> tuple[_model.Data, npt.NDArray[np.int64]]:
    """Return the model's data, and the row of each site: sites that differ in nothing share it."""
    n, width = len(counts.sites), max(len(site) for site in counts.ratings)
    table = np.full((n, 2 * width + 2), -1, dtype=np.int64)
    covariates, design = np.unique(_design(counts), axis=0, return_inverse=True)
    for i, site in enumerate(counts.ratings):
        ordered = sorted((group_of[rater], count) for rater, count in site)
        for j, (group, count) in enumerate(ordered):
            table[i, j], table[i, width + j] = group, count
    table[:, -2], table[:, -1] = counts.expert, design.ravel()
    rows, row_of, weight = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    largest = int(max(table[:, width : 2 * width].max(), counts.expert.max(), 1))
    data = _model.Data(
        rater=np.ascontiguousarray(rows[:, :width]),
        reported=np.ascontiguousarray(np.maximum(rows[:, width : 2 * width], 0)),
        expert=np.ascontiguousarray(rows[:, -2]),
        design=np.ascontiguousarray(rows[:, -1]),
        weight=weight.astype(np.float64),
        covariates=covariates,
        n_groups=n_groups,
        most=_model.most_cameras(largest),
    )
    return data, row_of.ravel()


def _design(counts: _reading.Counts) -> Floats:
    """Return an intercept, groups against their mean, and covariates in standard deviations."""
    columns = [np.ones(len(counts.sites))]
    groups = sorted(set(counts.group))
    if len(groups) > 1:
        columns += [np.array([name == group for name in counts.group]) * 1.0 for group in groups]
    for values in counts.covariates.T:
        spread = values.std()
        columns.append((values - values.mean()) / (spread if spread else 1.0))
    return np.column_stack(columns)


def _interval(draws: Floats) -> dict[str, float]:
    low, middle, high = np.quantile(draws, [(1 - _LEVEL) / 2, 0.5, (1 + _LEVEL) / 2])
    return {"estimate": float(middle), "low": float(low), "high": float(high)}


def _answer(counts: _reading.Counts, found: _model.Fit, data: _model.Data) -> dict[str, Any]:
    findable, total = _interval(found.findable), _interval(found.total)
    medians = sum(_median(site) for site in counts.ratings)
    known = counts.expert >= 0
    if not data.has_expert:
        total = {"estimate": None, "low": findable["low"], "high": None}  # type: ignore[dict-item]
    return {
        "sites": len(counts.sites),
        "ratings": sum(len(site) for site in counts.ratings),
        "total": total | {"level": _LEVEL},
        "findable": findable | {"level": _LEVEL},
        "definition": "cameras at the sites, as the expert counts them"
        if data.has_expert
        else "at least so many: cameras at the sites that raters can find at all",
        "identifiable": "total" if data.has_expert else "findable",
        "sum_of_medians": medians,
        "sum_of_maxima": sum(max((count for _, count in site), default=0)
                             for site in counts.ratings),
        "expert": {
            "sites": int(known.sum()),
            "cameras": int(counts.expert[known].sum()),
            "medians_there": sum(
                _median(site) for site, there in zip(counts.ratings, known, strict=True) if there
            ),
        }
        if known.any()
        else None,
    }  # fmt: skip


def _median(site: list[tuple[int, int]]) -> float:
    return float(np.median([count for _, count in site])) if site else 0.0


def _rater_rows(
    counts: _reading.Counts, found: _model.Fit, names: list[str], group_of: list[int]
) -> list[dict[str, Any]]:
    """Return what each group finds of what is there (of what can be found, without an expert)."""
    rows = []
    for g, name in enumerate(names):
        members = [i for i, group in enumerate(group_of) if group == g]
        rows.append(
            {
                "rater": name,
                "raters": len(members),
                "ratings": sum(number in members for site in counts.ratings for number, _ in site),
                "detection": _interval(found.q[:, g] * found.phi),
                "false_positives_per_site": _interval(found.f[:, g]),
            }
        )
    return rows


def _by_rows(
    counts: _reading.Counts,
    found: _model.Fit,
    row_of: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> list[dict[str, Any]]:
    """Return by group the sites, the sum of medians and the cameras."""
    rows = []
    for name in sorted(set(counts.group)):
        here = np.array([group == name for group in counts.group])
        weight = np.bincount(row_of[here], minlength=found.by_row.shape[1]).astype(np.float64)
        z = random.standard_normal(len(found.by_row))
        draws = zip(found.by_row, found.spread, z, strict=True)
        sums = np.array([_model.drawn(weight, *draw) for draw in draws])
        rows.append(
            {
                "group": name,
                "sites": int(here.sum()),
                "sum_of_medians": sum(
                    _median(site) for site, own in zip(counts.ratings, here, strict=True) if own
                ),
                "total": _interval(sums),
            }
        )
    return rows


def _warnings(counts: _reading.Counts, found: _model.Fit, data: _model.Data) -> list[str]:
    said = []
    if not data.has_expert:
        said.append(
            "what no rater can find is not in the figures: let an expert count some sites drawn "
            "by chance, and name the column with --expert"
        )
        said.append(
            "detection follows from how much repeated counts agree, which is fragile where raters "
            "overlook the same cameras"
        )
    elif (counts.expert >= 0).sum() < min(30, len(counts.expert)):
        said.append("the expert counted fewer than 30 sites: the share that can be found is vague")
    if counts.texts:
        said.append(f"no numbers in {', '.join(counts.texts)}: left out, nobody counted there")
    alone = sum(len(site) == 1 for site in counts.ratings)
    if alone:
        said.append(f"{alone} sites were counted by one rater only")
    unrated = sum(not site for site in counts.ratings)
    if unrated:
        said.append(f"{unrated} sites were counted by no rater: they get the mean of the others")
    if found.effective < _FEW:
        said.append(f"the draws are worth {found.effective:.0f} only: the interval is a rough one")
    return said
