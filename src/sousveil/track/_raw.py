"""What a reader of tracks hands on: points as the file has them, not yet checked."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Raw(NamedTuple):
    """One point of a file. A time without a zone is naive; what is missing is None."""

    where: str  # "point 17", "line 12": its place in the file
    part: int
    lon: str | float | None
    lat: str | float | None
    time: str | datetime | None = None
    accuracy_m: str | float | None = None
