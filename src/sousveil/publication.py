"""What of the register may leave this machine: homes withheld, private coordinates rounded."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.records import PUBLISHED

ROUNDED_TO_DEG: Final = 0.001
"""Grid to which the coordinates of private operators are rounded; about 111 m north to south."""

ROUNDED_ACCURACY_M: Final = 80.0
"""Half the diagonal of a cell of that grid at the equator, where it is largest."""

_TELLING: Final = ("raw", "evidence_url")  # would give away what the rounding hides


def publish(cameras: pa.Table) -> pa.Table:
    """Return the cameras that may be published one by one.

    Cameras of private homes are left out (they stay in every count). Coordinates of private
    operators are rounded to ROUNDED_TO_DEG, and what would lead back to the exact place (the
    object's own id, its raw tags) is emptied, their camera_id replaced. Other rows are unchanged.

    cameras: records.CAMERAS. Returns records.PUBLISHED.
    """
    shown = cameras.filter(pc.invert(cameras["private_home"]))
    private = pc.equal(shown["operator_class"], "private").to_numpy(zero_copy_only=False)
    columns = {name: shown[name] for name in shown.column_names}
    for axis in ("lon", "lat"):
        exact = shown[axis].to_numpy()
        columns[axis] = pa.array(np.where(private, _rounded(exact), exact), pa.float64())
    columns["accuracy_m"] = pc.if_else(private, ROUNDED_ACCURACY_M, shown["accuracy_m"])
    for name in _TELLING:
        columns[name] = pc.if_else(private, pa.scalar(None, pa.string()), shown[name])
    columns["native_ids"] = pa.array(
        [
            [] if hide else ids
            for hide, ids in zip(private, shown["native_ids"].to_pylist(), strict=True)
        ],
        pa.list_(pa.string()),
    )
    columns["coordinates"] = pa.array(np.where(private, "rounded", "exact"), pa.string())
    return _renamed(pa.table(columns, schema=PUBLISHED))


def _renamed(published: pa.Table) -> pa.Table:
    """Replace the ids of rounded cameras: the register's is a hash of the object it came from.

    Whoever hashes all objects of the map would find it. The id in its place is made from what is
    published alone, numbered where several rows are alike.
    """
    alike: Counter[str] = Counter()
    ids = []
    for row in published.to_pylist():
        if row["coordinates"] == "rounded":
            row["camera_id"] = ""
            said = repr(sorted(row.items()))
            alike[said] += 1
            digest = hashlib.blake2b(f"{alike[said]}:{said}".encode(), digest_size=8).hexdigest()
            row["camera_id"] = f"pub-{digest}"
        ids.append(row["camera_id"])
    return published.set_column(0, published.schema.field(0), pa.array(ids, pa.string()))


def _rounded(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.round(np.round(degrees / ROUNDED_TO_DEG) * ROUNDED_TO_DEG, 6)
