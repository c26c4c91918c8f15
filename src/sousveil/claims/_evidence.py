"""The table of claims: read, checked row by row, and completed with the roles that claims play."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, Final, TextIO

import pyarrow as pa

from sousveil.errors import UnusableInput
from sousveil.records import CLAIM_BASES, CLAIM_GRADES, CLAIM_RATIO_UNITS, CLAIM_SCOPES, CLAIMS

_REQUIRED: Final = [field.name for field in CLAIMS if not field.nullable]
_NUMBERS: Final = ("number", "number_low", "number_high", "people", "ratio")
_YEARS: Final = ("year", "made_in")
_VOCABULARIES: Final = {
    "scope": CLAIM_SCOPES,
    "basis": CLAIM_BASES,
    "grade": CLAIM_GRADES,
    "ratio_unit": CLAIM_RATIO_UNITS,
}
_FIRST_YEAR: Final = 1942  # the first cameras that watched anything, at Peenemünde
_LAST_YEAR: Final = 2100


def evidence(extra: str | Path | None = None) -> pa.Table:
    """Return the claims that come with the package and, after them, those of a file.

    extra: a CSV file with the columns of records.CLAIMS; columns that may be empty may be left
    out, and a claim_id that the package has takes its place. Returns records.CLAIMS.
    Raises UnusableInput that names the line, the column and the mend.
    """
    own = (resources.files("sousveil.claims") / "evidence.csv").read_text(encoding="utf-8")
    rows = _read(io.StringIO(own), "evidence.csv")
    if extra is not None:
        added = _read_file(Path(extra))
        replaced = {row["claim_id"] for row in added}
        rows = [row for row in rows if row["claim_id"] not in replaced] + added
    _check_references(rows, str(extra or "evidence.csv"))
    return pa.Table.from_pylist([_plain(row) for row in rows], schema=CLAIMS)


def _read_file(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return _read(lines, str(path))
    except UnicodeDecodeError as error:
        raise UnusableInput(f"{path}: is not in UTF-8; save it as CSV in UTF-8") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableInput(f"{path}: cannot be read ({reason}); check the path") from error
    except csv.Error as error:
        raise UnusableInput(f"{path}: is no CSV ({error}); mend it") from error


def _read(lines: TextIO, name: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(lines)
    columns = reader.fieldnames or []
    missing = [column for column in _REQUIRED if column not in columns and column != "derived_from"]
    if missing:
        needed = ", ".join(column for column in _REQUIRED if column != "derived_from")
        raise UnusableInput(f"{name}: line 1 has no column {missing[0]}; claims need {needed}")
    unknown = [column for column in columns if column not in CLAIMS.names]
    if unknown:
        raise UnusableInput(
            f"{name}: line 1: no column of claims is called {unknown[0]!r}; "
            f"they are {', '.join(CLAIMS.names)}"
        )
    rows = [_row(row, f"{name}: line {reader.line_num}") for row in reader]
    _check_unique(rows, name)
    return rows


def _row(row: dict[str, Any], at: str) -> dict[str, Any]:
    if None in row:
        raise UnusableInput(f"{at}: has more cells than line 1; put texts with commas in quotes")
    cells = {name: (row.get(name) or "").strip() for name in CLAIMS.names}
    for name in _REQUIRED:
        if not cells[name] and name != "derived_from":
            raise UnusableInput(f"{at}: {name} is empty; give it a value")
    for name, words in _VOCABULARIES.items():
        if cells[name] and cells[name] not in words:
            raise UnusableInput(f"{at}: {name} {cells[name]!r}; write one of {', '.join(words)}")
    numbers = {name: _number(cells[name], name, at) for name in _NUMBERS}
    years = {name: _year(cells[name], name, at) for name in _YEARS}
    _check_row(cells, numbers, at)
    derived = [part.strip() for part in cells["derived_from"].split(";") if part.strip()]
    return {"at": at, **cells, **numbers, **years, "derived_from": derived}


def _number(text: str, name: str, at: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        raise UnusableInput(f"{at}: {name} {text!r} is no number; write 350000000") from None
    if not 0 < value < 1e15:
        raise UnusableInput(f"{at}: {name} {text!r} is not above nought; write a number of cameras")
    return value


def _year(text: str, name: str, at: str) -> int | None:
    if not text:
        return None
    if not text.isdigit() or not _FIRST_YEAR <= int(text) <= _LAST_YEAR:
        raise UnusableInput(f"{at}: {name} {text!r} is no year; write it as 2018")
    return int(text)


def _check_row(cells: dict[str, str], numbers: dict[str, float | None], at: str) -> None:
    if numbers["number"] is None and numbers["ratio"] is None:
        raise UnusableInput(f"{at}: has neither number nor ratio; give one of them")
    if (numbers["ratio"] is None) != (not cells["ratio_unit"]):
        raise UnusableInput(f"{at}: ratio and ratio_unit belong together; give both or neither")
    if numbers["number"] is None and not cells["year"]:
        raise UnusableInput(f"{at}: a ratio without number needs a year; give the year")
    low, number, high = (numbers[name] for name in ("number_low", "number", "number_high"))
    if (low is None) != (high is None):
        raise UnusableInput(f"{at}: number_low and number_high belong together; give both")
    if low is not None and high is not None and number is not None and not low <= number <= high:
        raise UnusableInput(f"{at}: number is not between number_low and number_high; mend them")


def _check_unique(rows: Iterable[dict[str, Any]], name: str) -> None:
    seen: set[str] = set()
    for row in rows:
        if row["claim_id"] in seen:
            raise UnusableInput(f"{row['at']}: claim_id {row['claim_id']!r} stands twice; rename")
        seen.add(row["claim_id"])
    if not seen:
        raise UnusableInput(f"{name}: holds no claim; write one a line below the column names")


def _check_references(rows: list[dict[str, Any]], name: str) -> None:
    by_id = {row["claim_id"]: row for row in rows}
    for row in rows:
        for other in [row["copy_of"], *row["derived_from"]]:
            if other and other not in by_id:
                raise UnusableInput(f"{row['at']}: no claim {other!r} in {name}; check the id")
        seen, at = {row["claim_id"]}, row
        while at["copy_of"]:
            at = by_id[at["copy_of"]]
            if at["claim_id"] in seen:
                raise UnusableInput(f"{row['at']}: copies itself through copy_of; name the first")
            seen.add(at["claim_id"])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] if row[name] != "" else None for name in CLAIMS.names}


def root(claim_id: str, by_id: dict[str, dict[str, Any]]) -> str:
    """Return the claim that a chain of copies ends in."""
    while by_id[claim_id]["copy_of"]:
        claim_id = by_id[claim_id]["copy_of"]
    return claim_id


def role(claim: dict[str, Any]) -> str:
    """Return the part that a claim plays, the first of these that fits.

    copy | derived (arithmetic on other claims) | forecast | undated | no definition (what was
    counted is not stated) | part (one network of several) | visible (only what the street shows)
    | independent. Only the last enters the model.
    """
    if claim["copy_of"]:
        return "copy"
    if claim["basis"] == "derived" or claim["derived_from"]:
        return "derived"
    if claim["basis"] == "forecast":
        return "forecast"
    if claim["year"] is None:
        return "undated"
    return _BY_SCOPE.get(claim["scope"], "independent")


_BY_SCOPE: Final = {
    "unstated": "no definition",
    "one network": "part",
    "visible from the street": "visible",
}
