"""Files of capture histories, of links, and of how often cameras were seen."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from sousveil.capture._histories import Array
from sousveil.errors import UnusableInput

_LINKS: Final = {"observation_id", "source_id", "camera_id", "probability"}
_MOST_CATEGORIES: Final = 20


class Opened(NamedTuple):
    """A table, and what lies beside it where it is one of links.

    rates: linking.RATES. cameras: records.CAMERAS. observations: review.OBSERVED.
    """

    table: pa.Table
    name: str
    rates: pa.Table | None = None
    cameras: pa.Table | None = None
    observations: pa.Table | None = None


def read(path: str | Path) -> Opened:
    """Return the table of a CSV or Parquet file, or those of a directory of `sousveil link`.

    Raises UnusableInput.
    """
    place = Path(path)
    if place.is_dir():
        if (place / "estimates.json").is_file():
            raise UnusableInput(_of_census(place))
        if not (place / "links.parquet").is_file():
            raise UnusableInput(
                f"{place}: this directory holds no links.parquet; make one with `sousveil link A B "
                "-o DIR` and name DIR, or name a CSV of capture histories"
            )
        place = place / "links.parquet"
    if not place.is_file():
        raise UnusableInput(
            f"{place}: no such file; name a CSV of capture histories, or the directory that "
            "`sousveil link A B -o DIR` wrote"
        )
    try:
        if place.suffix.lower() != ".parquet":
            return Opened(_read_csv(place), str(place))
        opened = Opened(pq.read_table(place), str(place))
        if not is_links(opened.table):
            return opened
        rates = place.with_name("rates.csv")
        return opened._replace(
            rates=pyarrow.csv.read_csv(rates) if rates.is_file() else None,
            cameras=_beside(place, "cameras.parquet"),
            observations=_beside(place, "observations.parquet"),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise UnusableInput(
            f"{place}: cannot be read ({reason}); it must be a CSV with a header, or Parquet"
        ) from error


def _read_csv(path: Path) -> pa.Table:
    """Read a CSV file whose cells are apart by commas, semicolons or tabs, as its first line is."""
    with path.open("rb") as file:
        head = file.readline()
    separator = max(b",;\t", key=head.count)
    options = pyarrow.csv.ParseOptions(delimiter=chr(separator))
    return pyarrow.csv.read_csv(path, parse_options=options)


def _of_census(place: Path) -> str:
    """Say where a census has its estimate, and how to get every method for its lists."""
    try:
        sources = json.loads((place / "sources.json").read_text(encoding="utf-8"))
        files = " ".join(
            shlex.quote(str(one["file"])) for one in sources if one.get("observations")
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        files = ""
    return (
        f"{place}: is a census; what its lists miss stands in its estimates.json. For every method "
        f"link its lists, `sousveil link {files or 'A B'} -o linked`, and name that directory"
    )


def _beside(place: Path, name: str) -> pa.Table | None:
    path = place.with_name(name)
    return pq.read_table(path) if path.is_file() else None


def is_links(table: pa.Table) -> bool:
    """Return whether a table is one of links (records.LINKS)."""
    return set(table.column_names) >= _LINKS


def covariates(table: pa.Table, columns: Sequence[str], *, name: str) -> Array:
    """Return columns as numbers: text becomes one column of 0 and 1 for each value but the first.

    Raises UnusableInput for a missing column, a missing value, or too many values.
    """
    found: list[Any] = []
    for column in columns:
        if column not in table.column_names:
            raise UnusableInput(f"{name}: no column {column}; see --covariates")
        values = table[column].to_pylist()
        for row, value in enumerate(values, 1):
            if value is None or value == "":
                raise UnusableInput(
                    f"{name}: {column}: row {row} is empty; fill it in or leave the covariate out"
                )
        if all(isinstance(value, int | float) for value in values):
            found.append(np.array(values, float))
            continue
        kinds = sorted({str(value) for value in values})
        if len(kinds) > _MOST_CATEGORIES:
            raise UnusableInput(
                f"{name}: {column}: {len(kinds)} different values; a covariate of words may have "
                f"{_MOST_CATEGORIES}"
            )
        found += [np.array([str(value) == kind for value in values], float) for kind in kinds[1:]]
    return np.column_stack(found) if found else np.zeros((table.num_rows, 0))


def times_seen(table: pa.Table, *, occasions: int | None, name: str) -> tuple[Array, int]:
    """Return how many were seen 1, 2, ... times (columns times and count), and the occasions."""
    try:
        pairs = [
            (int(row["times"]), int(row["count"]))
            for row in table.select(["times", "count"]).to_pylist()
        ]
    except (TypeError, ValueError) as error:
        raise UnusableInput(f"{name}: times and count must be whole numbers") from error
    most = max((times for times, _ in pairs), default=0)
    if occasions is None:
        raise UnusableInput(
            f"{name}: says how often each was seen, not on how many occasions one looked; add "
            "--occasions"
        )
    wrong = next(
        (row for row, (t, n) in enumerate(pairs, 1) if not 1 <= t <= occasions or n < 0), 0
    )
    if wrong:
        raise UnusableInput(
            f"{name}: row {wrong} is outside 1 to {occasions} times, or its count is below 0"
        )
    counts = np.zeros(max(most, 1))
    for times, count in pairs:
        counts[times - 1] += count
    if not counts.sum():
        raise UnusableInput(f"{name}: holds no camera; every count is 0")
    return counts, occasions
