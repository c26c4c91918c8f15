"""Run every benchmark, one process each, and leave the figures in bench/README.md."""

from __future__ import annotations

import subprocess
import sys

from _measure import BENCH, README

SCRIPTS = (
    "census.py",
    "reading.py",
    "report.py",
    "linking.py",
    "register.py",
    "claims.py",
    "capture.py",
    "survey.py",
    "raters.py",
    "visibility.py",
    "seeing.py",
    "exposure.py",
    "peers.py",
    "retrace.py",
    "attacks.py",
)


def main() -> None:
    """Run the scripts one after the other, then print the tables."""
    for script in SCRIPTS:
        print(f"bench/{script}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, str(BENCH / script)], check=True)
    print(README.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
