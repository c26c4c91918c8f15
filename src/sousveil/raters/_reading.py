"""Counts of several raters at the same sites, from a long or a wide table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sousveil._rows import Row, read_rows
from sousveil.errors import UnusableInput

Floats = npt.NDArray[np.float64]

_MOST: float = 500  # cameras at one site; more is no count of a site


class Counts(NamedTuple):
    """What was counted: for each site what each rater saw, and what is known of the site.

    ratings: of each site, (number of the rater, count). expert: counts of the expert, -1 where
    none. group: name of each site's group ("" without --by). covariates: sites x columns.
    texts: columns of a wide table without any number, which are no raters.
    """

    sites: list[str]
    raters: list[str]
    ratings: list[list[tuple[int, int]]]
    expert: npt.NDArray[np.int64]
    group: list[str]
    covariates: Floats
    covariate_names: list[str]
    texts: list[str]


def read(path: Path, *, expert: str | None, by: str | None, covariates: Sequence[str]) -> Counts:
    """Read a table of counts.

    Long: columns site, rater, count and a row for each rating. Wide: a column site and one for
    each rater. expert: the column, or in a long table the rater, whose counts are the truth.
    by, covariates: columns that describe sites. Raises UnusableInput that names file and row.
    """
    header, rows = read_rows(path, needed=["site"])
    expert, by = _name(expert), _name(by)
    covariates = [_name(name) or "" for name in covariates]
    long = "rater" in header and "count" in header
    for name in (*covariates, *([by] if by else [])):
        if name not in header:
            raise UnusableInput(f"{path}: row 1: no column {name}; name one that the file has")
    if not rows:
        raise UnusableInput(f"{path}: holds no counts; it needs a row for each")
    if expert and expert not in header and not (long and _has_rater(rows, expert)):
        raise UnusableInput(f"{path}: no column and no rater {expert}; name one with --expert")
    described = {"site", *covariates} | {name for name in (by, expert) if name}
    columns = [name for name in header if name and name not in described]
    texts = [] if long else [name for name in columns if _is_text(rows, name)]
    columns = [name for name in columns if name not in texts]
    reader = _Reader(path, expert=expert, by=by, covariates=covariates)
    for row in rows:
        reader.site(row)
        if long:
            reader.long(row)
        else:
            reader.wide(row, columns)
    return reader.counts(texts)


def _has_rater(rows: Sequence[Row], name: str) -> bool:
    return any(_name(row.text("rater")) == name for row in rows)


def _is_text(rows: Sequence[Row], column: str) -> bool:
    """Say whether a column has values and none of them is a number, so that no rater wrote it."""
    said = [row.text(column) for row in rows if row.text(column)]
    return bool(said) and not any(_is_number(text) for text in said)


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _name(name: str | None) -> str | None:
    return None if name is None else name.strip().lower().replace(" ", "_")


class _Reader:
    """Collects rows by site."""

    def __init__(
        self, path: Path, *, expert: str | None, by: str | None, covariates: Sequence[str]
    ) -> None:
        self._path, self._expert, self._by, self._covariates = path, expert, by, covariates
        self._sites: dict[str, int] = {}
        self._raters: dict[str, int] = {}
        self._ratings: list[dict[int, int]] = []
        self._truth: list[int] = []
        self._group: list[str] = []
        self._values: list[list[float]] = []

    def site(self, row: Row) -> None:
        """Take what a row says of its site."""
        name = row.text("site")
        if not name:
            raise row.refuse("site", "is empty; name the site")
        group = row.text(self._by) if self._by else ""
        values = [_number(row, column) for column in self._covariates]
        if name not in self._sites:
            self._sites[name] = len(self._sites)
            self._ratings.append({})
            self._truth.append(-1)
            self._group.append(group)
            self._values.append(values)
        at = self._sites[name]
        if group != self._group[at] and self._by:
            raise row.refuse(self._by, f"differs from an earlier row of site {name}")
        if values != self._values[at]:
            raise row.refuse(self._covariates[0], f"differs from an earlier row of site {name}")
        if self._expert:
            self._true(row, row.number_of(self._expert, least=0, most=_MOST, whole=True))

    def _true(self, row: Row, count: float | None) -> None:
        at = self._sites[row.text("site")]
        if count is None:
            return
        if self._truth[at] not in (-1, int(count)):
            raise row.refuse(self._expert or "", "differs from an earlier row of the site")
        self._truth[at] = int(count)

    def long(self, row: Row) -> None:
        """Take the rating in a row."""
        rater, count = row.text("rater"), row.number_of("count", least=0, most=_MOST, whole=True)
        if not rater:
            raise row.refuse("rater", "is empty; name the rater")
        if count is None:
            raise row.refuse("count", "is empty; write 0 where the rater saw none")
        if self._expert and _name(rater) == self._expert:
            self._true(row, count)
        else:
            self._add(row, rater, int(count))

    def wide(self, row: Row, columns: Sequence[str]) -> None:
        """Take the ratings in a row, one a column."""
        if self._ratings[self._sites[row.text("site")]]:
            raise row.refuse("site", "has a second row; give each site one")
        for column in columns:
            count = row.number_of(column, least=0, most=_MOST, whole=True)
            if count is not None:
                self._add(row, column, int(count))

    def _add(self, row: Row, rater: str, count: int) -> None:
        number = self._raters.setdefault(rater, len(self._raters))
        ratings = self._ratings[self._sites[row.text("site")]]
        if number in ratings:
            raise row.refuse("rater", "has a second count of this site; keep one")
        ratings[number] = count

    def counts(self, texts: list[str]) -> Counts:
        """Return what was collected. texts: columns that were left out."""
        if not self._raters:
            raise UnusableInput(
                f"{self._path}: no rater; it needs columns rater and count, or one for each rater"
            )
        return Counts(
            list(self._sites),
            list(self._raters),
            [sorted(ratings.items()) for ratings in self._ratings],
            np.array(self._truth, dtype=np.int64),
            self._group,
            np.array(self._values, dtype=np.float64).reshape(len(self._sites), -1),
            list(self._covariates),
            texts,
        )


def _number(row: Row, column: str) -> float:
    value = row.number_of(column)
    if value is None:
        raise row.refuse(column, "is empty; give a number for every site")
    return value
