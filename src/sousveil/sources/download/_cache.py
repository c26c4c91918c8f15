"""Downloaded files on disk: where they lie, which version each is, and one writer at a time."""

from __future__ import annotations

import email.utils
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from sousveil.errors import UnusableInput
from sousveil.sources.download._index import Extract


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a file on a server; None is what the server does not say."""

    url: str
    etag: str | None
    last_modified: str | None
    size_bytes: int | None

    @property
    def validator(self) -> str | None:
        """What pins a continued transfer to this version (RFC 9110, section 13.1.5)."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified


class Kept(NamedTuple):
    """A complete file in the cache."""

    version: Version
    confirmed_at: datetime  # when the server last said that there is no newer one

    def is_fresh(self, max_age_days: float) -> bool:
        """Tell whether the file may be used without asking the server."""
        age_s = (datetime.now(UTC) - self.confirmed_at).total_seconds()
        return 0 <= age_s < max_age_days * 86_400

    def as_of(self) -> date:
        """Return the date of the file, as far as the server told it."""
        try:
            return email.utils.parsedate_to_datetime(self.version.last_modified or "").date()
        except ValueError:
            return self.confirmed_at.date()


def place(extract: Extract, cache: Path) -> Path:
    """Return where the file of an extract belongs in a cache."""
    parts = extract.id.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise UnusableInput(f"{extract.id!r} is no id of an extract; use one that find() returns")
    if parts[0] != extract.source.lower():
        parts.insert(0, extract.source.lower())
    return cache.joinpath("extracts", *parts[:-1], f"{parts[-1]}.osm.pbf")


def kept(target: Path, url: str) -> Kept | None:
    """Return what the cache holds at `target` if it is a complete file from `url`."""
    try:
        notes = json.loads(_notes(target).read_text(encoding="utf-8"))
        version = Version(**notes["version"])
        confirmed_at = datetime.fromisoformat(notes["confirmed_at"])
        whole = target.stat().st_size == version.size_bytes
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return Kept(version, confirmed_at) if whole and version.url == url else None


def keep(part: Path, target: Path, version: Version) -> None:
    """Put a complete file in its place, in one step that survives a loss of power."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    size_bytes = part.stat().st_size
    part.replace(target)
    confirm(target, replace(version, size_bytes=size_bytes))


def confirm(target: Path, version: Version) -> None:
    """Note that the file at `target` is the newest version as of now."""
    notes = {"version": asdict(version), "confirmed_at": datetime.now(UTC).isoformat()}
    beside = _notes(target).with_suffix(".new")
    beside.write_text(json.dumps(notes), encoding="utf-8")
    beside.replace(_notes(target))


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Wait until no other process or thread brings the same file, and keep them waiting."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file closes, even if we are killed
        yield


def _notes(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")
