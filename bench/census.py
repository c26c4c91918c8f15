"""The whole census of Munich, and the start of the command line."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _measure import DATA, in_turn, machine, write_section

RUNS = 5
BARS_S = {"sousveil --help": 0.4, "sousveil census munich": 5.0}


def main() -> None:
    """Measure both and write their table."""
    sousveil = str(Path(sys.executable).with_name("sousveil"))
    munich = str(DATA / "osm" / "munich_2020-07.osm.pbf")
    with tempfile.TemporaryDirectory() as folder:
        measured = in_turn(
            {
                "sousveil --help": [sousveil, "--help"],
                "sousveil census munich": [sousveil, "census", munich, "-o", f"{folder}/out", "-q"],
            },
            RUNS,
        )
    rows = [
        {
            "command": name,
            "wall s": one["wall_s"],
            "lowest to highest s": f"{one['lowest_s']:.2f} to {one['highest_s']:.2f}",
            "cpu s": one["cpu_s"],
            "peak MB": round(one["peak_mb"]),
            "bar s": BARS_S[name],
        }
        for name, one in measured.items()
    ]
    write_section("census", rows, f"{machine()}. Median of {RUNS} runs, whole processes.")


if __name__ == "__main__":
    main()
