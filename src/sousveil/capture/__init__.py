"""How many cameras there are, from lists that each know some: capture-recapture.

Multiple lists are taken as in multiple systems estimation, see docs/capture.md: what each method
assumes, and where it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from sousveil.capture._choosing import as_row
from sousveil.capture._histories import Histories, from_table, to_table
from sousveil.capture._simple import Linkage
from sousveil.errors import UnusableInput
from sousveil.records import CAPTURE_MODELS

__all__ = ["IMPUTATIONS", "MODELS", "Capture", "Linkage", "capture", "check", "histories"]

MODELS: Final = (
    "lincoln-petersen",
    "chapman",
    "chao",
    "sample-coverage",
    "loglinear",
    "loglinear-average",
    "latent-class",
    "doubly-robust",
    "repeated",
)
"""The methods by name."""

IMPUTATIONS: Final = 20
"""How often uncertain links are drawn."""


class Capture(NamedTuple):
    """What lists tell of how many cameras there are.

    histories: one 0/1 column a list and `count`. models: records.CAPTURE_MODELS. recommended: a
    row of them with `rule`, why it was chosen, `assumes`, what it stands and falls with, and
    `population_of`, what was counted; estimate is null where the data only say "at least" its
    `low`. ensemble: estimate, low, high; ensemble_of: what it mixes. identifiable: whether the
    recommended estimate exists, and its interval has a width and an end. linkage: with which errors
    of links it was made, `from` where, None where with none.
    """

    histories: pa.Table
    observed: int
    lists: tuple[str, ...]
    models: pa.Table
    recommended: dict[str, Any]
    ensemble: dict[str, float | None]
    identifiable: bool
    warnings: list[str]
    population_of: str
    ensemble_of: tuple[str, ...] = ()
    linkage: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object of the command."""
        return {
            "observed": self.observed,
            "lists": list(self.lists),
            "models": self.models.to_pylist(),
            "recommended": self.recommended,
            "ensemble": self.ensemble,
            "ensemble_of": list(self.ensemble_of),
            "linkage": self.linkage,
            "identifiable": self.identifiable,
            "warnings": self.warnings,
        }


def capture(
    source: pa.Table | str | Path,
    *,
    model: str | None = None,
    covariates: Sequence[str] = (),
    linkage: Linkage | None = None,
    rates: pa.Table | None = None,
    lists: Sequence[str] | None = None,
    cameras: pa.Table | None = None,
    observations: pa.Table | None = None,
    repeated: bool = False,
    occasions: int | None = None,
    imputations: int = IMPUTATIONS,
    population_of: str | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Capture:
    """Estimate how many cameras there are from which lists hold which.

    source: a table, or a CSV or Parquet file, with one 0/1 column a list and `count`; or links
    (records.LINKS, or the directory that `sousveil link` wrote), whose uncertainty is carried into
    the interval; or, for repeated counts, `times` and `count` with `occasions`.

    model: one of MODELS, else all that apply. covariates: columns for the doubly robust estimate.
    linkage: of two lists, how well they were linked; rates: linking.RATES, the same for links.
    lists: which sources of links to use; cameras: records.CAMERAS of the links, from which
    covariates are taken. observations: records.OBSERVATIONS of the links: only cameras that all
    lists could hold are counted (`overlap.comparable`: kinds that each has, on the ground that all
    look at); without them that is judged by the cameras, less well. repeated: the columns are
    occasions of one count, not lists. imputations: draws of uncertain links. population_of: in
    words, which cameras the lists can hold at all. seed: for everything random. Raises
    UnusableInput.
    """
    from sousveil.capture import _running

    if model is not None and model not in MODELS:
        raise UnusableInput(f"--model {model}: not a method; choose one of {', '.join(MODELS)}")
    opened = _running.opened(source)
    asked = _running.Asked(
        model,
        tuple(covariates),
        linkage,
        opened.rates if rates is None else rates,
        None if lists is None else tuple(lists),
        opened.cameras if cameras is None else cameras,
        opened.observations if observations is None else observations,
        repeated,
        occasions,
        imputations,
        seed,
    )
    opened, common = _running.on_common_ground(opened, asked)
    task = _running.prepared(opened, asked)
    outcome = _running.run(task, asked, progress)
    outcome.warnings.extend(_running.links_taken_as_right(opened, asked))
    outcome.warnings.extend(common.warnings)
    population = population_of or _running.population(
        task.lists, repeated=task.repeated, which=common.which
    )
    return Capture(
        task.table,
        task.observed,
        task.lists,
        pa.Table.from_pylist([as_row(row) for row in outcome.estimates], schema=CAPTURE_MODELS),
        outcome.recommended | {"population_of": population},
        outcome.ensemble,
        outcome.identifiable,
        outcome.warnings,
        population,
        outcome.members,
        _running.linkage_used(task, asked),
    )


def histories(links: pa.Table, *, lists: Sequence[str] | None = None) -> pa.Table:
    """Return the table of capture histories of links (records.LINKS), each taken as right.

    lists: which sources, in which order; by default all, by name. Columns: one 0/1 a list, `count`.
    """
    from sousveil.capture._linkage import histories_of, read_links

    return to_table(histories_of(read_links(links, lists=lists)))


def check(table: pa.Table, terms: Sequence[str]) -> int:
    """Return whether a log-linear model of a table can be estimated at all.

    table: one 0/1 column a list and `count`. terms: interactions as "A:B"; the lists themselves,
    and what lies inside a term, are always in the model. 0: a finite, unique maximum; 1: no finite
    one; 2: not identifiable; 3: both. Terms whose lists share no camera are minus infinity and left
    out with their cells. Source: Fienberg and Rinaldo 2012; Chan, Silverman and Vincent 2021.
    """
    from sousveil.capture import _existence

    counted, _ = from_table(table)
    return _existence.check(_parsed(terms, counted), counted.counts)


def _parsed(terms: Sequence[str], counted: Histories) -> tuple[int, ...]:
    found = {1 << i for i in range(len(counted.lists))}
    for term in terms:
        names = term.split(":")
        unknown = [name for name in names if name not in counted.lists]
        if unknown:
            raise UnusableInput(f"term {term}: no list {unknown[0]}; write A:B")
        whole = sum(1 << counted.lists.index(name) for name in set(names))
        found |= {part for part in range(1, whole + 1) if part & ~whole == 0}
    return tuple(sorted(found, key=lambda t: (t.bit_count(), t)))
