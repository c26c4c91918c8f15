"""The catalogue of lists: one TOML file a list, and which of them fits a file."""

from __future__ import annotations

import fnmatch
import re
from functools import cache
from importlib import resources
from pathlib import Path

from sousveil.errors import UnusableInput
from sousveil.sources.tabular._peek import Peek, peek
from sousveil.sources.tabular._readers import files_in
from sousveil.sources.tabular._spec import Spec
from sousveil.sources.tabular._toml import parse


@cache
def all_specs() -> dict[str, Spec]:
    """Return every description of the catalogue by its id, in the order of their ids."""
    folder = resources.files(__name__)
    files = sorted(item.name for item in folder.iterdir() if item.name.endswith(".toml"))
    specs = []
    for name in files:
        with resources.as_file(folder / name) as path:
            specs.append(parse(path))
    return {spec.spec_id: spec for spec in specs}


def load(path_or_id: str | Path) -> Spec:
    """Return a description by its id in the catalogue, or from a TOML file.

    Raises UnusableInput that names the file, the key and the mend.
    """
    spec = all_specs().get(str(path_or_id))
    if spec is not None:
        return spec
    path = Path(path_or_id)
    if not path.exists() and not path.suffix:
        raise UnusableInput(
            f"{path_or_id}: no such file and no such list; known are {', '.join(all_specs())}"
        )
    return parse(path)


def match(path: Path) -> Spec | None:
    """Return the description that fits a file or a directory, None where none does.

    Of several that fit, the one that asks for most is taken.
    Raises UnusableInput for a directory whose files are of several lists.
    """
    found = {spec.spec_id: spec for spec in map(_match_file, files_in(path)) if spec is not None}
    if len(found) > 1:
        raise UnusableInput(
            f"{path}: holds files of several lists ({', '.join(found)}); give one file at a time"
        )
    return next(iter(found.values()), None)


def fits(path: Path, spec: Spec) -> bool:
    """Return whether a file is the list that a description describes."""
    seen = _peek(path)
    return seen is not None and _fits(path.name, seen, spec)


def _match_file(path: Path) -> Spec | None:
    seen = _peek(path)
    if seen is None:
        return None
    fitting = [spec for spec in all_specs().values() if _fits(path.name, seen, spec)]
    return max(fitting, key=_demands, default=None)


def _peek(path: Path) -> Peek | None:
    try:
        return peek(path)
    except UnusableInput:
        return None


def _demands(spec: Spec) -> tuple[int, int, int]:
    wanted = spec.match
    return len(wanted.columns), len(wanted.values or ()), len(wanted.names)


def _fits(name: str, seen: Peek, spec: Spec) -> bool:
    wanted = spec.match
    if not wanted.columns and not wanted.names:
        return False
    if spec.file.formats and seen.format not in spec.file.formats:
        return False
    if wanted.names and not any(fnmatch.fnmatch(name.lower(), one) for one in wanted.names):
        return False
    columns, rows = seen.under(spec.file)
    if not set(wanted.columns) <= set(columns):
        return False
    if wanted.exactly and set(columns) != set(wanted.columns):
        return False
    return all(
        column in columns and _all_match(rows, columns.index(column), pattern)
        for column, pattern in (wanted.values or {}).items()
    )


def _all_match(rows: list[list[str | None]], at: int, pattern: re.Pattern[str]) -> bool:
    cells = [cell for row in rows for cell in row[at : at + 1] if cell]
    return bool(cells) and all(map(pattern.fullmatch, cells))
