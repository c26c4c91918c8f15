"""A census that is killed, at whatever moment, leaves its directory complete or absent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from sousveil.census import FILES
from tests.towns import small_town

KILLS_WHILE_WRITING = 44
KILLS_OF_WHOLE_RUNS = 6

# Run apart so that the children fork from a process without threads of other tests. Nothing is
# written before the report is made, so most kills are aimed at the short time after that.
FORKING = """
import os, random, signal, sys, time
from pathlib import Path
from sousveil.census import Census, census

source, results = sys.argv[1], Path(sys.argv[2])
whole_runs, writing = map(int, sys.argv[3:])

def whole(out):
    census(source).write(out)

def fork(work, out):
    child = os.fork()
    if child == 0:
        work(out)
        os._exit(0)
    return child

def duration(work, out):
    start = time.monotonic()
    os.waitpid(fork(work, out), 0)
    return time.monotonic() - start

def kill(work, longest, numbers):
    for i in numbers:
        child = fork(work, results / f"killed-{i}")
        time.sleep(draw.uniform(0, 1.1 * longest))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        # follows a machine that grows faster or slower: about three of four are killed
        longest *= 1.05 if status else 0.85
        print(status)

draw = random.Random(20261123)
kill(whole, duration(whole, results / "whole"), range(whole_runs))
result = census(source)
html = result.to_html()
Census.to_html = lambda self: html
longest = duration(result.write, results / "written")
kill(result.write, longest, range(whole_runs, whole_runs + writing))
"""


def assert_complete(out: Path) -> None:
    for name in FILES.values():
        assert (out / name).stat().st_size > 0, name
    json.loads((out / FILES["sources"]).read_text())
    assert (out / FILES["report"]).read_text().rstrip().endswith("</html>")


def test_fifty_kills(tmp_path: Path) -> None:
    source = small_town(tmp_path / "town.osm.pbf")
    command = [sys.executable, "-m", "sousveil", "census", source, "-o", tmp_path / "old"]
    subprocess.run(command, check=True, capture_output=True)
    before = (tmp_path / "old" / FILES["report"]).read_bytes() + b"<!-- before --></html>"
    (tmp_path / "old" / FILES["report"]).write_bytes(before)
    kills = KILLS_OF_WHOLE_RUNS + KILLS_WHILE_WRITING
    replaced = [f"killed-{i}" for i in range(0, kills, 2)]  # every other run had a result already
    for name in replaced:
        shutil.copytree(tmp_path / "old", tmp_path / name)
    counts = map(str, (KILLS_OF_WHOLE_RUNS, KILLS_WHILE_WRITING))
    command = [sys.executable, "-c", FORKING, source, tmp_path, *counts]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    ended = [int(status) for status in done.stdout.split()]
    assert len(ended) == kills
    assert ended.count(9) >= kills // 2  # most were alive to be killed

    assert_complete(tmp_path / "whole")
    kept = 0
    for i in range(kills):
        out = tmp_path / f"killed-{i}"
        if out.name in replaced:
            assert_complete(out)
            kept += (out / FILES["report"]).read_bytes() == before
        elif out.exists():
            assert_complete(out)
    assert 0 < kept < len(replaced)  # some were killed before the change, some after
