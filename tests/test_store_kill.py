"""A register whose import is killed, at whatever moment, holds the state before or after.

All the while another process reads it, and must never be refused, wait, or see half an import.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

KILLS = 50
CAMERAS = 300

# Run apart, so that the children fork from a process without threads; each opens DuckDB itself.
FORKING = f"""
import json, os, random, signal, sys, time
from pathlib import Path
from sousveil import _engine, linking, register, store, timeline
from sousveil.store._file import reading
from tests.registers import SQUARE, camera, source

file, kills = Path(sys.argv[1]), int(sys.argv[2])

def listed(i):
    # a third of each list is new, a third of the one before is gone
    numbers = range(100 * i, 100 * i + {CAMERAS})
    return [camera(n, lon=11.01 + n % 9000 / 10000) for n in numbers]

def day(i):
    return f"20{{i // 12 + 10}}-{{i % 12 + 1:02}}-01"

sources = [source(file.parent, day(i), listed(i)) for i in range(kills + 2)]

def fork(work):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            sys.stdout.flush()
            os._exit(status)
    return child

def whole():
    with reading(file) as connection:
        ask = lambda sql: connection.sql(sql).fetchall()
        names = [name for name, in ask("select source_id from sources order by run_id")]
        assert ask("select count(*) from runs") == [(len(names),)]
        assert ask("select count(*) from observations") == [({CAMERAS} * len(names),)]
        assert ask('''select count(*) from observations o join links l using (observation_id)
                      where until_run is null''') == [({CAMERAS} * len(names),)]
        assert ask("select count(*), count(distinct camera_id) from cameras") == [
            ({CAMERAS}, {CAMERAS})]
        assert ask("select cameras from runs order by run_id desc limit 1") == [({CAMERAS},)]
        [(new, gone)] = ask('''select count(*) filter (kind in ('new', 'returned')),
                               count(*) filter (kind = 'vanished') from camera_changes''')
        assert new - gone == {CAMERAS}
        last = names[-1]
        assert ask(f'''select count(*) from cameras
                       where list_contains(sources, '{{last}}')''') == [({CAMERAS},)]
        return names

def read_on():
    seen, slowest = [], 0.0
    while not (file.parent / "stop").exists():
        start = time.monotonic()
        seen.append(len(whole()))
        slowest = max(slowest, time.monotonic() - start)
    print(json.dumps({{"seen": seen, "slowest_s": slowest}}), flush=True)

def add(i):
    assert store.add(file, sources[i], area=SQUARE).status == "added"

assert os.waitpid(fork(lambda: add(0)), 0)[1] == 0
reader = fork(read_on)
start = time.monotonic()
assert os.waitpid(fork(lambda: add(1)), 0)[1] == 0
duration = time.monotonic() - start
draw = random.Random(20261123)
for i in range(2, kills + 2):
    child = fork(lambda: add(i))
    time.sleep(draw.uniform(0, 1.1 * duration))
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    # follows a machine that grows faster or slower: about three of four are killed
    duration *= 1.05 if status else 0.85
    print(json.dumps({{"source": day(i), "status": status}}), flush=True)
    assert os.waitpid(fork(lambda: print(json.dumps({{"now": whole()}}))), 0)[1] == 0
(file.parent / "stop").touch()
assert os.waitpid(reader, 0)[1] == 0
"""


def test_fifty_kills_under_the_eyes_of_a_reader(tmp_path: Path) -> None:
    file = tmp_path / "register.duckdb"
    command = [sys.executable, "-c", FORKING, str(file), str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *told, last = map(json.loads, done.stdout.splitlines())
    attempts, states = told[::2], [one["now"] for one in told[1::2]]
    assert len(attempts) == len(states) == KILLS
    before = ["2010-01-01", "2010-02-01"]
    for attempt, now in zip(attempts, states, strict=True):
        assert now in (before, [*before, attempt["source"]])
        assert attempt["status"] == 9 or now != before  # who was not killed is on the register
        before = now
    killed = [attempt["status"] for attempt in attempts].count(9)
    assert killed >= KILLS // 2
    assert 0 < len(before) - 2 < KILLS  # some died before the change, some after or not at all
    assert last["seen"] == sorted(last["seen"])  # a reader never goes back
    assert len(last["seen"]) >= KILLS // 2
    left = [path.name for path in tmp_path.glob(".*")]
    assert len(left) <= 3  # of the last one killed: the copy, its log, its spill
