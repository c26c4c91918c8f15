"""Estimates of earlier runs: what census, link and capture wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sousveil.errors import UnusableInput

_KEYS: Final = ("estimate", "low", "high", "observed", "definition", "method")


class Earlier(NamedTuple):
    """An estimate; with the cameras that it is about and the list of each entry, where known.

    told: {"estimate", "low", "high", "observed", "definition", "method"}; high null where the
    lists bound no total. entries: camera_id and list of each entry of cameras.
    """

    name: str
    told: dict[str, Any]
    cameras: pa.Table | None = None
    entries: tuple[list[str], list[str]] | None = None
    streets: pa.Table | None = None


def read(path: Path, *, seed: int) -> Earlier:
    """Read the directory of a census or a linkage, or a JSON file of census or capture.

    Raises UnusableInput for anything else, and where there is no estimate from several lists.
    """
    if path.is_dir():
        if (path / "links.parquet").is_file():
            return _of_link(path, seed)
        if (path / "estimates.json").is_file():
            return _of_census(path)
        raise UnusableInput(f"--undercount {path}: is no result of sousveil census or link")
    return Earlier(str(path), _of_json(_loaded(path), str(path)))


def _loaded(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:120]
        raise UnusableInput(
            f"--undercount {path}: cannot be read ({said}); give what census, link or capture wrote"
        ) from None


def _of_json(found: Any, name: str) -> dict[str, Any]:
    if isinstance(found, list):
        rows = [row for row in found if isinstance(row, dict) and (row.get("lists") or 0) >= 2]
        rows = [row for row in rows if str(row.get("method")).startswith("capture-recapture")]
        if rows:
            return _checked(rows[0] | {"observed": rows[0].get("n_observed")}, name)
    if isinstance(found, dict) and isinstance(found.get("recommended"), dict):
        best = found["recommended"]
        told = {"observed": found.get("observed"), "definition": best.get("population_of"),
                "method": f"capture-recapture ({best.get('name')})"}  # fmt: skip
        return _checked(best | told, name)
    if isinstance(found, dict) and isinstance(found.get("undercount"), dict):
        told = found["undercount"]
        if told.get("reason"):
            raise UnusableInput(f"--undercount {name}: holds no estimate: {told['reason']}")
        return _checked(told, name)
    raise UnusableInput(
        f"--undercount {name}: holds no estimate of what several lists miss; take a census of two "
        "lists or more, or give estimate/low/high"
    )


def _checked(row: dict[str, Any], name: str) -> dict[str, Any]:
    told = {key: row.get(key) for key in _KEYS}
    numbers = [told[key] for key in ("estimate", "low", "high", "observed")]
    wrong = [x for x in numbers if x is not None and not isinstance(x, int | float)]
    if wrong or told["observed"] is None:
        raise UnusableInput(f"--undercount {name}: its estimate is no number; write it anew")
    return told


def _of_census(path: Path) -> Earlier:
    rows = _loaded(path / "estimates.json")
    told = _of_json(rows, str(path))
    cameras, streets = _table(path / "cameras.parquet"), _table(path / "streets.parquet")
    pairs = [
        (camera, source)
        for camera, held in zip(
            cameras["camera_id"].to_pylist(), cameras["sources"].to_pylist(), strict=True
        )
        for source in held
    ]
    ids, sources = ([pair[i] for pair in pairs] for i in range(2))
    return Earlier(str(path), told, cameras, (ids, sources), streets)


def _of_link(path: Path, seed: int) -> Earlier:
    from sousveil.capture import capture
    from sousveil.capture._linkage import list_names

    found = capture(path, seed=seed)
    links, cameras = _table(path / "links.parquet"), _table(path / "cameras.parquet")
    entries = links["camera_id"].to_pylist(), list_names(links)
    return Earlier(str(path), _of_json(found.as_json(), str(path)), cameras, entries)


def _table(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        said = " ".join(str(error).split())[:120]
        raise UnusableInput(f"--undercount {path}: cannot be read ({said})") from None


def held_by(earlier: Earlier) -> tuple[list[str], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return the lists, and for each camera of an earlier result which of them hold it."""
    if earlier.cameras is None or earlier.entries is None:
        return [], np.zeros((0, 0), bool)
    ids, names = earlier.entries
    lists = sorted(set(names))
    row = {camera: i for i, camera in enumerate(earlier.cameras["camera_id"].to_pylist())}
    held = np.zeros((len(row), len(lists)), bool)
    for camera, name in zip(ids, names, strict=True):
        if camera in row:
            held[row[camera], lists.index(name)] = True
    return lists, held
