"""Fixtures shared by all tests: where the real data is, and small sources made on the spot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: ``$SOUSVEIL_DATA`` or ``../shared/data`` beside the project."""
    folder = Path(os.environ.get("SOUSVEIL_DATA") or PROJECT.parent / "shared" / "data")
    if (folder / "osm").is_dir():
        return folder
    message = f"no real data at {folder}: set SOUSVEIL_DATA to the folder with osm/ and lists/"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
