"""Whole processes measured from outside, and the table of figures in bench/README.md."""

from __future__ import annotations

import os
import platform
import re
import shlex
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent
README = BENCH / "README.md"
DATA = Path(os.environ.get("SOUSVEIL_DATA") or BENCH.parent.parent / "shared" / "data")


def measure(command: Sequence[str] | str) -> dict[str, float]:
    """Run a command (a string goes through the shell) and return wall_s, cpu_s and peak_mb.

    peak_mb is that of the largest single process among those it started.
    """
    arguments = ["sh", "-ec", command] if isinstance(command, str) else list(command)
    start = time.perf_counter()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    if status:
        raise RuntimeError(f"{arguments} ended with {status}: {errors.decode()[-500:]}")
    return {
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def in_turn(commands: Mapping[str, Sequence[str] | str], runs: int) -> dict[str, dict[str, float]]:
    """Measure commands in turn, A B C A B C ..., so that all share what else the machine does.

    Returns the median of each figure by name, and "lowest_s" and "highest_s" of the wall time.
    """
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(measure(command))
    return {name: _middle(figures) for name, figures in taken.items()}


def _middle(figures: list[dict[str, float]]) -> dict[str, float]:
    walls = [one["wall_s"] for one in figures]
    middle = {key: statistics.median(one[key] for one in figures) for key in figures[0]}
    return middle | {"lowest_s": min(walls), "highest_s": max(walls)}


def version(command: str) -> str:
    """Return the first version number that a command prints of itself."""
    said = subprocess.run(shlex.split(command), capture_output=True, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)?", said.stdout + said.stderr)
    return found[0] if found else "?"


def machine() -> str:
    """Return the machine and the system in one line."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    cores = os.cpu_count()
    return (
        f"{model[1] if model else platform.machine()}, {cores} cores, {memory_gib:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def write_section(name: str, rows: Sequence[Mapping[str, Any]], note: str) -> None:
    """Replace the section of bench/README.md between the marks of a name with a table."""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(_cell(row[key]) for key in head) + " |" for row in rows]
    section = f"<!-- {name} -->\n{note}\n\n" + "\n".join(lines) + f"\n<!-- /{name} -->"
    text = README.read_text(encoding="utf-8")
    marked = re.compile(rf"<!-- {name} -->.*<!-- /{name} -->", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"{README} has no section {name}")
    README.write_text(marked.sub(lambda _: section, text), encoding="utf-8")


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
