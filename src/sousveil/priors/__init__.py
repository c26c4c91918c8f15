"""What a camera is like where no source says so: one table of distributions, each with its source.

A row of the table holds for the cameras that meet its conditions; an empty condition is met by
all, several words are divided by "|". Of the rows of a quantity that hold, the one with most
conditions counts, the first of several. Users replace the table with one of the same columns.

`shared` says how much cameras are alike in a quantity beyond what the table knows: the
correlation (0 to 1) of the normal scores of any two cameras. It is what makes the uncertainty of a
whole city larger than that of many independent cameras.
"""

from __future__ import annotations

import csv
import math
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.errors import UnusableInput
from sousveil.records import HOUSINGS, KINDS, OPERATOR_CLASSES, SETTINGS

Floats = npt.NDArray[np.float64]

QUANTITIES: Final = {
    "pixels_h": (1.0, 100_000.0),
    "hfov_deg": (0.1, 360.0),
    "height_m": (0.0, 300.0),
    "tilt_deg": (-90.0, 90.0),
    "facing_deg": (-180.0, 180.0),
    "quality": (0.01, 2.0),
    "loss_per_year": (0.0, 1.0),
    "age_years": (0.0, 100.0),
}
"""What the table must tell, with the least and greatest value that makes sense.

facing_deg: bearing of a camera on a wall from straight away from it. quality: the share of the
distance that the pixels would allow. loss_per_year: share of cameras that go in a year.
"""

_CONDITIONS: Final[dict[str, tuple[str, ...] | None]] = {
    "housing": HOUSINGS,
    "mount": None,  # free text in the records
    "zone": None,
    "kind": KINDS,
    "operator_class": OPERATOR_CLASSES,
    "setting": SETTINGS,
}
_YEARS: Final = ("installed_from", "installed_to")
COLUMNS: Final = ("quantity", *_CONDITIONS, *_YEARS, "distribution", "values", "shared", "source")

_QUANTILES: Final = np.array([0.05, 0.25, 0.5, 0.75, 0.95])


class Row(NamedTuple):
    """One row of the table."""

    quantity: str
    conditions: dict[str, frozenset[str]]
    years: tuple[int | None, int | None]
    distribution: str
    values: tuple[float, ...]
    shared: float
    source: str


Priors = tuple[Row, ...]


def read(path: str | Path | None = None) -> Priors:
    """Read a table of priors (CSV, UTF-8), the one that comes with the package if None.

    Raises UnusableInput, with file and line, for anything that is not as described above.
    """
    if path is None:
        text = resources.files("sousveil.priors").joinpath("priors.csv").read_text("utf-8")
        return _parsed(text, "priors.csv")
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path}: cannot be read ({error}); give a CSV file") from error
    return _parsed(text, str(path))


def _parsed(text: str, name: str) -> Priors:
    reader = csv.DictReader(text.splitlines())
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise UnusableInput(
            f"{name}: line 1: no column {missing[0]}; copy the header of priors.csv"
        )
    rows = tuple(_row(row, f"{name}: line {reader.line_num}") for row in reader)
    for quantity in QUANTITIES:
        if not any(r.quantity == quantity and not _n_conditions(r) for r in rows):
            raise UnusableInput(
                f"{name}: no row without conditions for {quantity}; add one, it holds for the rest"
            )
    return rows


def _row(cells: dict[str, str | None], where: str) -> Row:
    given = {column: (cells.get(column) or "").strip() for column in COLUMNS}
    if given["quantity"] not in QUANTITIES:
        known = ", ".join(QUANTITIES)
        raise UnusableInput(f"{where}: quantity {given['quantity']!r} is unknown; use {known}")
    if not given["source"]:
        raise UnusableInput(f"{where}: no source; say where the values are from")
    conditions = {}
    for column, words in _CONDITIONS.items():
        meant = frozenset(filter(None, (word.strip() for word in given[column].split("|"))))
        unknown = sorted(meant - set(words)) if words else []
        if unknown:
            raise UnusableInput(
                f"{where}: {column} {unknown[0]!r} is unknown; use {', '.join(words or ())}"
            )
        if meant:
            conditions[column] = meant
    values = tuple(_number(v, where, "values") for v in given["values"].split())
    _check_distribution(given["quantity"], given["distribution"], values, where)
    shared = _number(given["shared"] or "0", where, "shared")
    if not 0 <= shared <= 1:
        raise UnusableInput(f"{where}: shared {shared:g}: give a correlation from 0 to 1")
    first, last = (int(_number(given[y], where, y)) if given[y] else None for y in _YEARS)
    return Row(given["quantity"], conditions, (first, last), given["distribution"], values, shared,
               given["source"])  # fmt: skip


def _number(text: str, where: str, column: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnusableInput(f"{where}: {column}: {text!r} is no number")
    return value


_FORMS: Final = {
    "value": "one number",
    "uniform": "least, greatest",
    "triangular": "least, likeliest, greatest",
    "normal": "mean, standard deviation, least, greatest",
    "quantiles": "5, 25, 50, 75 and 95 %",
    "choice": "value weight value weight ...",
}


def _check_distribution(
    quantity: str, distribution: str, values: tuple[float, ...], where: str
) -> None:
    if distribution not in _FORMS:
        raise UnusableInput(
            f"{where}: distribution {distribution!r} is unknown; use {', '.join(_FORMS)}"
        )
    n = {"value": 1, "uniform": 2, "triangular": 3, "normal": 4, "quantiles": 5}
    right = len(values) == n.get(distribution, len(values)) and len(values) > 0
    ends: tuple[float, ...] = values
    if distribution == "choice":
        weights = values[1::2]
        right = right and len(values) % 2 == 0 and min(weights) >= 0 and sum(weights) > 0
        ends = values[::2]
    elif distribution == "normal":
        right = right and values[1] > 0 and values[2] < values[3]
        ends = values[2:]
    else:
        right = right and list(values) == sorted(values)
    if not right:
        raise UnusableInput(f"{where}: {distribution} takes values: {_FORMS[distribution]}")
    least, greatest = QUANTITIES[quantity]
    if min(ends) < least or max(ends) > greatest:
        raise UnusableInput(f"{where}: {quantity} must lie from {least:g} to {greatest:g}")


def _n_conditions(row: Row) -> int:
    return len(row.conditions) + sum(year is not None for year in row.years)


def chosen(priors: Priors, quantity: str, cameras: pa.Table) -> tuple[list[Row], Any]:
    """Return the rows of a quantity, and for each camera which of them holds for it.

    cameras: records.CAMERAS.
    """
    rows = [row for row in priors if row.quantity == quantity]
    columns = {name: np.array(cameras[name].to_pylist(), dtype=object) for name in _CONDITIONS}
    year = np.array([d.year if d else 0 for d in cameras["installed"].to_pylist()], np.int64)
    best = np.full(cameras.num_rows, -1)
    index = np.zeros(cameras.num_rows, np.int64)
    for i, row in enumerate(rows):
        holds = np.ones(cameras.num_rows, bool)
        for name, words in row.conditions.items():
            holds &= np.isin(columns[name].astype(str), sorted(words))
        first, last = row.years
        holds &= (year >= first) if first is not None else True
        holds &= ((year > 0) & (year <= last)) if last is not None else True
        better = holds & (_n_conditions(row) > best)
        index[better], best[better] = i, _n_conditions(row)
    return rows, index


def quantile(row: Row, probability: npt.ArrayLike) -> Floats:
    """Return the values of a row's distribution at probabilities from 0 to 1."""
    p = np.asarray(probability, np.float64)
    v = row.values
    if row.distribution == "value":
        return np.full(p.shape, v[0])
    if row.distribution == "uniform":
        return v[0] + p * (v[1] - v[0])
    if row.distribution == "triangular":
        return _triangular(v, p)
    if row.distribution == "quantiles":
        return np.interp(p, _QUANTILES, v)
    if row.distribution == "choice":
        weight = np.cumsum(v[1::2])
        place = np.searchsorted(weight / weight[-1], p, side="left")
        return np.array(v[::2])[np.minimum(place, len(weight) - 1)]
    from scipy.special import ndtr, ndtri

    low, high = ndtr((np.array(v[2:]) - v[0]) / v[1])
    values: Floats = v[0] + v[1] * ndtri(low + p * (high - low))
    return np.clip(values, v[2], v[3])


def _triangular(v: tuple[float, ...], p: Floats) -> Floats:
    low, mode, high = v
    if high == low:
        return np.full(p.shape, low)
    turn = (mode - low) / (high - low)
    rising = low + np.sqrt(np.maximum(p * (high - low) * (mode - low), 0.0))
    falling = high - np.sqrt(np.maximum((1 - p) * (high - low) * (high - mode), 0.0))
    return np.where(p < turn, rising, falling)
