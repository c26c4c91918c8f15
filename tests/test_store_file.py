"""The register's file: whole for every reader, whatever interrupts a writer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sousveil import store
from sousveil.errors import UnusableInput
from sousveil.store._file import changing, reading, writing_alone
from tests.registers import add, ask, camera, cameras, source


@pytest.fixture
def register(tmp_path: Path) -> Path:
    return tmp_path / "register.duckdb"


def test_a_reader_sees_one_state_while_others_write(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)])
    with reading(register) as before:
        assert before.sql("select count(*) from cameras").fetchall() == [(1,)]
        add(register, "2021-01-01", [camera(1), camera(2)])
        assert before.sql("select count(*) from cameras").fetchall() == [(1,)]
        assert ask(register, "select count(*) from cameras") == [(2,)]


def test_an_interrupted_import_leaves_nothing(register: Path, tmp_path: Path) -> None:
    def fail(_: pa.Table) -> pa.Table:
        raise KeyboardInterrupt

    add(register, "2020-01-01", [camera(1)])
    before = register.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        add(register, "2021-01-01", [camera(1, native_id="7")], series="city", linker=fail)
    assert register.read_bytes() == before
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_what_a_killed_import_left_is_swept_away(register: Path) -> None:
    left = register.with_name(f".{register.name}.partial-0123abcd")
    left.write_text("half")
    other = register.with_name(".other.duckdb.partial-0123abcd")
    other.write_text("not ours")
    add(register, "2020-01-01", [camera(1)])
    assert not left.exists()
    assert other.exists()


def test_imports_wait_for_each_other(register: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from sousveil.store._file import writing_alone\n"
        "with writing_alone(Path(sys.argv[1]), print):\n"
        "    print('in', flush=True); time.sleep(0.5); print('out', flush=True)\n"
    )
    command = [sys.executable, "-c", script, str(register)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "in\n"
        said: list[str] = []
        with writing_alone(register, said.append):
            assert first.stdout.readline() == "out\n"
    assert said == [f"Waiting for another import in {register.parent}"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such register"), (b"", "is no register"), (b"x" * 9000, "is no register")],
)
def test_what_is_no_register_is_refused(
    register: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        register.write_bytes(content)
    with pytest.raises(UnusableInput, match=message):
        store.show(register)
    if content is not None:
        with pytest.raises(UnusableInput, match=message):
            add(register, "2020-01-01", [camera(1)])
        assert register.read_bytes() == content


def test_a_damaged_register_is_refused(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)])
    whole = bytearray(register.read_bytes())
    register.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnusableInput, match="damaged"):
        store.show(register)
    for position in range(12_300, len(whole), 262_144):  # in every block
        whole[position] ^= 0xFF
    register.write_bytes(whole)
    with pytest.raises(UnusableInput, match="damaged"):
        store.show(register)


def test_a_database_of_others_is_refused_and_left_alone(register: Path) -> None:
    with duckdb.connect(str(register)) as connection:
        connection.execute("create table t as select 1 as a")
    before = register.read_bytes()
    with pytest.raises(UnusableInput, match="no register"):
        add(register, "2020-01-01", [camera(1)])
    assert register.read_bytes() == before


def test_a_register_with_other_columns_is_refused(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)])
    with duckdb.connect(str(register)) as connection:
        connection.execute("update about set format = 'older', made_by = '0.0.9'")
    with pytest.raises(UnusableInput, match=r"made by sousveil 0\.0\.9"):
        store.show(register)


WRITING = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1])
connection.execute("create table mine as select 1 as a")
print("open", flush=True)
sys.stdin.readline()
"""


def test_another_program_that_writes_is_waited_for_then_named(
    register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sousveil.store._file.LOCKED_S", 0.2)
    add(register, "2020-01-01", [camera(1)])
    command = [sys.executable, "-c", WRITING, str(register)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        assert it.stdout.readline() == "open\n"
        with pytest.raises(UnusableInput, match="open for writing"):
            store.show(register)
        with pytest.raises(UnusableInput, match="open for writing"):
            add(register, "2021-01-01", [camera(1)])
        it.communicate("done\n")
    assert add(register, "2021-01-01", [camera(1)]).status == "added"


def test_no_other_program_can_write_while_an_import_is_under_way(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)])
    script = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    command = [sys.executable, "-c", script, str(register)]
    with writing_alone(register, print), changing(register):
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Could not set lock" in refused.stderr
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_what_another_program_did_not_finish_is_not_lost(register: Path) -> None:
    add(register, "2020-01-01", [camera(1)])
    killed = WRITING.replace("sys.stdin.readline()", "import os; os.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, "-c", killed, str(register)], check=False, capture_output=True)
    assert register.with_name(f"{register.name}.wal").exists()
    assert ask(register, "select a from mine") == [(1,)]  # readers are not bothered
    with pytest.raises(UnusableInput, match=r"did not finish"):
        add(register, "2021-01-01", [camera(1)])


FULL = """
import os, resource, sys; from pathlib import Path
from sousveil import store
from sousveil.errors import UnusableInput
from tests.registers import ask, cameras, camera_of, add, camera, source
register = Path(sys.argv[1])
add(register, "2020-01-01", [camera(1)])
more = source(
    register.parent, "2021-01-01", [camera(i, raw=os.urandom(500).hex()) for i in range(4000)]
)
size = register.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, size + 300_000))
try:
    store.add(register, more)
except UnusableInput as error:
    print(error)
"""


def test_a_full_disk_leaves_the_register_as_it_was(register: Path) -> None:
    # A limit on the size of files stands for the full disk.
    command = [sys.executable, "-c", FULL, str(register)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "cannot be written" in said
    assert len(said.splitlines()) == 1
    assert ask(register, "select count(*) from cameras") == [(1,)]
    assert [path.name for path in register.parent.glob(".*")] == []


def test_a_register_cannot_be_made_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot be written"):
        store.add(tmp_path / "none" / "r.duckdb", source(tmp_path, "2020-01-01", [camera(1)]))


def test_a_quote_in_the_name_of_the_register_is_a_letter(tmp_path: Path) -> None:
    register = tmp_path / "l'été [1].duckdb"
    add(register, "2020-01-01", [camera(1)])
    assert len(cameras(register)) == 1


def test_changing_is_all_or_nothing_for_any_error(register: Path) -> None:
    def fail() -> None:
        with changing(register) as connection:
            connection.execute("insert into runs values (1, 'x', null, now(), now(), '', 0)")
            raise RuntimeError

    with writing_alone(register, print), pytest.raises(RuntimeError):
        fail()
    assert not register.exists()
