"""The register's file: one DuckDB database that is whole at every moment, whoever is killed.

DuckDB locks its file for one writing process or for several that read. A reader would shut an
import out, and an import all readers for as long as it takes. So an import works on a copy beside
the file, which takes the file's place in one step: readers never wait and never see half of it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from sousveil import __version__
from sousveil.errors import UnusableInput
from sousveil.records import CAMERAS, LINKS, OBSERVATIONS, QUARANTINE
from sousveil.sources._evidence import EVIDENCE

Connection = duckdb.DuckDBPyConnection

MEMORY: Final = "800MB"
"""What DuckDB may hold in memory; what is more goes to a directory of temporary files."""
LOCKED_S: Final = 3.0
"""How long a reader waits for another program that has the file open for writing."""

_NO_ROOM: Final = ("Could not write", "No space left", "Out of Memory", "Out of memory")
"""How DuckDB says that a disk or the memory is full, in errors of several classes."""

_TYPES: Final = {
    pa.string(): "varchar",
    pa.float64(): "double",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.list_(pa.string()): "varchar[]",
    pa.list_(pa.float64()): "double[]",
}


def _create(name: str, schema: pa.Schema, *more: str) -> str:
    columns = [
        f'"{field.name}" {_TYPES[field.type]}{"" if field.nullable else " not null"}'
        for field in schema
    ]
    return f"create table {name} ({', '.join([*columns, *more])})"


SCHEMA: Final = (
    # What one list said on one day. extent: what is known of the area it speaks for, "list" all
    # that its series ever holds, "area" the area (WKB, in the box), "unknown" nothing.
    """create table sources (
        source_id varchar not null, series varchar not null, namespace varchar not null,
        dated date not null, name varchar not null, format varchar not null,
        publisher varchar not null, licence varchar not null, attribution varchar not null,
        "rows" bigint not null, observations bigint not null, quarantined bigint not null,
        evidence bigint not null, links_dropped bigint not null,
        url varchar not null, covers varchar not null, counts varchar not null,
        has_duplicates boolean, redistributable boolean, notes varchar[] not null,
        extent varchar not null, area blob, west double, south double, east double, north double,
        fingerprint varchar not null, run_id integer not null
    )""",
    _create("observations", OBSERVATIONS),
    _create("quarantine", QUARANTINE),
    _create("evidence", EVIDENCE),
    # A link that a later run changed is closed, never overwritten.
    _create("links", LINKS, "since_run integer not null", "until_run integer"),
    # What is known now; every earlier state follows from the other tables.
    _create("cameras", CAMERAS),
    """create table camera_changes (
        run_id integer not null, kind varchar not null,
        from_ids varchar[] not null, to_ids varchar[] not null
    )""",
    """create table runs (
        run_id integer not null, action varchar not null, source_id varchar,
        started_at timestamp not null, finished_at timestamp not null,
        version varchar not null, cameras bigint not null
    )""",
    "create table about (format varchar not null, made_by varchar not null)",
)
"""The tables of a register; times are UTC."""

FORMAT: Final = hashlib.sha256("\n".join(SCHEMA).encode()).hexdigest()[:12]
"""Changes with every change of a column, so that no register is read with other columns."""


def one(connection: Connection, sql: str, parameters: Any = None) -> tuple[Any, ...] | None:
    """Return the first row of an answer, None where it has none."""
    rows = connection.execute(sql, parameters).fetchall()  # fetchone would leave it open
    return rows[0] if rows else None


@contextmanager
def reading(path: Path) -> Iterator[Connection]:
    """Open a register for reading; what is read is one whole state, even while imports go on.

    Raises UnusableInput where there is no register or the file is damaged.
    """
    if not path.is_file():
        raise UnusableInput(
            f"{path}: no such register; make one with: sousveil register add FILE --register {path}"
        )
    spill = Path(tempfile.gettempdir()) / f"sousveil-{secrets.token_hex(8)}"  # made when needed
    # A database in memory of its own: DuckDB would hand out a connection to the file that this
    # process opened earlier, and with it the state of then.
    connection = duckdb.connect(":memory:", config=_config(spill))
    try:
        _attach(connection, path)
        _refuse_other_format(connection, path)
        yield connection
    except duckdb.Error as error:
        if "Corrupt" in str(error) or "Could not read" in str(error):
            raise _damaged(path, error) from error
        raise
    finally:
        connection.close()
        _remove(spill)


def _attach(connection: Connection, path: Path) -> None:
    quoted = str(path).replace("'", "''")
    deadline = time.monotonic() + LOCKED_S
    wait_s = 0.01
    while True:
        try:
            connection.execute(f"attach '{quoted}' as register (read_only)")
            connection.execute("use register")
            return
        except duckdb.Error as error:
            if "Could not set lock" not in str(error):
                raise _damaged(path, error) from error
            if time.monotonic() > deadline:
                raise _locked(path) from error
        time.sleep(wait_s)
        wait_s *= 2


def _refuse_other_format(connection: Connection, path: Path) -> None:
    try:
        [(found, version)] = connection.execute("select format, made_by from about").fetchall()
    except (duckdb.CatalogException, ValueError):
        raise UnusableInput(f"{path}: a DuckDB file, but no register; name another file") from None
    if found != FORMAT:
        raise UnusableInput(
            f"{path}: made by sousveil {version} with other columns than those of {__version__}; "
            "use that version, or add the files to a new register"
        )


@contextmanager
def writing_alone(path: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Keep other imports out until the block is done; wait for one that is under way.

    The lock is on the directory: it leaves no file behind, and the system frees it with the
    process. Removes what killed imports left.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"Waiting for another import in {path.parent}")
            fcntl.flock(folder, fcntl.LOCK_EX)
        for left in path.parent.iterdir():
            if left.name.startswith(f".{path.name}.partial-"):
                _remove(left)
        yield
    finally:
        os.close(folder)


@contextmanager
def changing(path: Path) -> Iterator[Connection]:
    """Open a copy of a register (a new one where there is none) that takes its place at the end.

    Whatever is interrupted, the register is as it was before. Only inside `writing_alone`.
    """
    partial = path.with_name(f".{path.name}.partial-{secrets.token_hex(4)}")
    spill = path.with_name(f"{partial.name}-spill")
    try:
        _copy(path, partial)
        # Held open so that no other program can open it for writing and lose what it wrote.
        with reading(path) if path.exists() else nullcontext():
            with _open_for_writing(partial, spill, is_new=not path.exists()) as connection:
                yield connection
            _flush(partial)
            partial.replace(path)
            _flush(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    except duckdb.Error as error:
        if not any(sign in str(error) for sign in _NO_ROOM):
            raise
        raise UnusableInput(
            f"{path}: cannot be written ({_first_line(error)}); make room or name another place, "
            "the register is as it was"
        ) from error
    finally:
        for left in (partial, partial.with_name(f"{partial.name}.wal"), spill):
            _remove(left)


@contextmanager
def _open_for_writing(partial: Path, spill: Path, *, is_new: bool) -> Iterator[Connection]:
    # Each statement commits at once: the copy is nobody else's, and inside a long transaction
    # DuckDB 2.0.0 reads nothing of a bulk insert that follows an insert of no rows.
    connection = duckdb.connect(str(partial), config=_config(spill))
    try:
        if is_new:
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute("insert into about values (?, ?)", [FORMAT, __version__])
        yield connection
        connection.execute("checkpoint")
    finally:
        connection.close()


def _copy(path: Path, partial: Path) -> None:
    if not path.exists():
        return
    if path.with_name(f"{path.name}.wal").exists():
        raise UnusableInput(
            f"{path}.wal: another program changed this register and did not finish; open the "
            "register once with that program, close it, and run this again"
        )
    with path.open("rb") as source, partial.open("wb") as target:
        left = os.fstat(source.fileno()).st_size
        try:  # in the kernel, and on some file systems without copying a byte
            while left > 0:
                left -= os.copy_file_range(source.fileno(), target.fileno(), left)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
            source.seek(0)
            target.seek(0)
            shutil.copyfileobj(source, target, 1 << 20)


def _config(spill: Path) -> dict[str, Any]:
    return {"threads": 2, "memory_limit": MEMORY, "temp_directory": str(spill)}


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _damaged(path: Path, error: Exception) -> UnusableInput:
    with path.open("rb") as file:
        is_database = file.read(12)[8:] == b"DUCK"
    if not is_database:
        return UnusableInput(
            f"{path}: is no register; name one, or make it with: sousveil register add FILE "
            "--register NAME.duckdb"
        )
    return UnusableInput(
        f"{path}: not a register, or damaged ({_first_line(error)}); name another file, or "
        "restore it from a copy"
    )


def _locked(path: Path) -> UnusableInput:
    return UnusableInput(f"{path}: another program has it open for writing; close it there")


def _unwritable(path: Path, error: OSError) -> UnusableInput:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnusableInput(
            f"{path}: the disk is full; make room or name another place, the register is as it was"
        )
    reason = (error.strerror or str(error)).lower()
    return UnusableInput(f"{path}: cannot be written ({reason}); name a place where you may write")
