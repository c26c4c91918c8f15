"""Tracks of sports watches: FIT, decoded by the package fitdecode (an extra)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final

from sousveil.errors import UnusableInput
from sousveil.track._raw import Raw

_SEMICIRCLE_DEG: Final = 180.0 / 2**31


def fit(path: Path) -> list[Raw]:
    """Return the records that have a position; times in FIT are UTC."""
    if importlib.util.find_spec("fitdecode") is None:
        raise UnusableInput(
            f"{path}: reading FIT needs the package fitdecode: pip install 'sousveil[fit]', or "
            "export the track as GPX"
        )
    import fitdecode

    found: list[Raw] = []
    try:
        with fitdecode.FitReader(path) as frames:
            for frame in frames:
                if not isinstance(frame, fitdecode.FitDataMessage) or frame.name != "record":
                    continue
                lon, lat, time, accuracy = (
                    frame.get_value(name, fallback=None)
                    for name in ("position_long", "position_lat", "timestamp", "gps_accuracy")
                )
                if lon is None or lat is None:
                    continue  # a watch also records where it has no position yet
                where = f"record {len(found) + 1}"
                found.append(
                    Raw(where, 0, lon * _SEMICIRCLE_DEG, lat * _SEMICIRCLE_DEG, time, accuracy)
                )
    except (fitdecode.FitError, OSError, ValueError) as error:
        raise UnusableInput(
            f"{path}: record {len(found) + 1}: is damaged or no FIT file ({error}); export it again"
        ) from error
    return found
