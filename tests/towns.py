"""Whole small extracts for tests of the census: the streets and cameras of a made-up town."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.osm_files import node, way, write

WEST, SOUTH, STEP = 24.94, 60.17, 0.001  # degrees; a step is about 110 m north, 55 m east
BLOCKS = 6


def small_town(path: Path) -> Path:
    """Write a grid of streets with a building and a camera in each block, and return the path."""
    corners = [
        node(1 + row * (BLOCKS + 1) + column, WEST + column * STEP, SOUTH + row * STEP)
        for row in range(BLOCKS + 1)
        for column in range(BLOCKS + 1)
    ]
    ids = [list(range(1 + r * (BLOCKS + 1), 1 + (r + 1) * (BLOCKS + 1))) for r in range(BLOCKS + 1)]
    lines = [*ids, *([row[c] for row in ids] for c in range(BLOCKS + 1))]
    streets = [way(i, line, tags={"highway": "residential"}) for i, line in enumerate(lines, 1)]
    cameras = [
        node(
            1000 + i,
            WEST + (i % BLOCKS + 0.3) * STEP,
            SOUTH + (i // BLOCKS + 0.3) * STEP,
            tags={"man_made": "surveillance", "surveillance:type": "camera", **_more(i)},
            timestamp=datetime(2019 + i % 5, 1, 1, tzinfo=UTC),
        )
        for i in range(BLOCKS * BLOCKS)
    ]
    return write(path, *corners, *cameras, *streets)


def _more(i: int) -> dict[str, str]:
    return [
        {"operator": "Helsingin kaupunki", "camera:direction": str(10 * i)},
        {"surveillance:zone": "shop", "camera:mount": "wall"},
        {},
    ][i % 3]


def empty_extract(path: Path) -> Path:
    """Write an extract with a street and no camera, and return the path."""
    ends = [node(1, WEST, SOUTH), node(2, WEST + STEP, SOUTH)]
    return write(path, *ends, way(1, [1, 2], tags={"highway": "residential"}))
