"""A directory of results that is complete or absent, whatever happens while it is written."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sousveil.errors import UnusableInput

MARKERS: Final = frozenset(
    {
        "exposure.json",
        "letters.json",
        "links.parquet",
        "plan.json",
        "retrace.json",
        "sources.json",
        "summary.json",
    }
)
"""The files by which the results of all commands are known."""

_AT_FDCWD: Final = -100
_RENAME_EXCHANGE: Final = 2


@contextmanager
def complete_directory(target: Path, *, marker: str) -> Iterator[Path]:
    """Yield an empty directory beside `target` that takes its place once the block is done.

    Whatever is interrupted, `target` is then as it was before. A directory that already holds a
    result (it has the file `marker`) is replaced as a whole; one that holds anything else is
    never touched. Raises UnusableInput when the place cannot be written or the disk is full.
    """
    _refuse_foreign(target, marker)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        partial = target.with_name(f".{target.name}.partial-{os.getpid()}-{secrets.token_hex(4)}")
        partial.mkdir()
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield partial
        _put_in_place(partial, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _refuse_foreign(target: Path, marker: str) -> None:
    if target.is_dir():
        if any(target.iterdir()) and not (target / marker).is_file():
            raise UnusableInput(f"{target}: {_holds(target)}; name another directory")
    elif target.exists() or target.is_symlink():
        raise UnusableInput(f"{target}: is not a directory; name another place for the results")


def _holds(target: Path) -> str:
    other = next((name for name in sorted(MARKERS) if (target / name).is_file()), None)
    if other is None:
        return "holds files that are no result of sousveil"
    return f"holds the result of another sousveil command, by its {other}"


def _put_in_place(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
    elif not _exchange(partial, target):
        # Without an atomic exchange the old result steps aside first: for a moment the
        # directory is absent, never half written.
        aside = partial.with_name(f"{partial.name}-old")
        target.rename(aside)
        partial.rename(target)
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two directories in one step where the system can (Linux); say whether it did."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    paths = os.fsencode(first), os.fsencode(second)
    return bool(rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)


def _sweep(target: Path) -> None:
    """Remove what killed runs left beside `target`."""
    name = re.compile(rf"\.{re.escape(target.name)}\.partial-(\d+)-[0-9a-f]{{8}}(-old)?")
    for left in target.parent.iterdir():
        match = name.fullmatch(left.name)
        if match and not _is_running(int(match[1])):
            if match[2] and not target.exists():
                left.rename(target)  # the run died between its two renames
            else:
                shutil.rmtree(left, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _unwritable(target: Path, error: OSError) -> UnusableInput:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnusableInput(
            f"{target}: the disk is full; make room or name another place, nothing was kept"
        )
    reason = (error.strerror or str(error)).lower()
    return UnusableInput(
        f"{target}: cannot be written ({reason}); name a place where you may write"
    )
