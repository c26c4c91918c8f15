"""The worst-case attacks and unicity against scikit-mobility: every risk, and the time it takes.

`SKMOB_PYTHON=... python bench/attacks.py [FOLDER [told]]`, with a Python that has scikit-mobility
1.3 (numpy 1, pandas 1.5 and shapely 1.8 with it; the attacks do without its igraph). What it
answers is kept in FOLDER as it comes, so that a run that was broken off goes on where it was; all
of it takes half an hour of computing. `told` compares what is there and asks for no more.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from _measure import BENCH, DATA, machine, write_section
from retrace import residents_of
from sousveil.retrace._attacks import home_work_risk, traces, worst_case_risk
from sousveil.retrace._unicity import points, unicity

PEER = os.environ.get("SKMOB_PYTHON", "")
TRACES = 1000
RECORDS = (3, 5)
CELL_M = 150.0
WHOLE = 3
KINDS = ("location", "location_sequence", "location_time", "unique_location")
DRAWS = 4000


def main() -> None:
    """Ask scikit-mobility, compare every answer with ours, and write the section."""
    if not PEER:
        print("no SKMOB_PYTHON: the comparison stays as it is", file=sys.stderr)
        return
    folder = Path(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    toy = pd.read_csv(DATA / "mobility" / "privacy_toy.csv", parse_dates=["datetime"])
    short = short_traces(TRACES)
    rows = [
        row
        for name, stem, table, jobs in (
            ("toy, 7 traces", "toy", toy, jobs_of(toy, (2, 3), whole=True)),
            ("1,000 traces", "all", short, jobs_of(short, (2,), whole=False)),
            (f"{WHOLE} of 1,000, whole table", "whole", short,
             jobs_of(short, (2,), whole=True, only=WHOLE)),
        )
        for row in compared(name, table, asked(folder / stem, table, jobs))
    ]  # fmt: skip
    write_section("retrace-attacks", rows, note(short))


def note(short: pd.DataFrame) -> str:
    """Return what the table holds, in words."""
    return (
        f"{machine()}. Generated: {TRACES:,} traces of {RECORDS[0]} to {RECORDS[1]} records, "
        f"{len(short):,} in all: where residents of Munich go, in cells of {CELL_M:.0f} m. "
        "k records are known; time by the day. scikit-mobility 1.3.1 in a Python of its own "
        "(numpy 1, pandas 1.5, shapely 1.8: with newer ones it does not load), no line of it "
        "changed. For the 1,000 traces it is given, for each target, the table of those who have "
        "at least k of the target's records, since all others match nothing; for "
        f"{WHOLE} targets the whole table as well, as a check. CPU time of the attack alone, ours "
        "with the index over all traces and always against all of them: the ratio of the 1,000 is "
        "too low, that of the whole table is the fair one. Equal: targets whose risk is the same "
        "to the last bit; of unicity, whose number of pairs that single out is the same (ours are "
        f"{DRAWS:,} random draws, rounded to whole pairs). Found for sure: targets with a risk of "
        "1; of unicity, pairs that single out. Bar: all equal, 1,000 times faster."
    )


def short_traces(n: int) -> pd.DataFrame:
    """Return traces of a few records: the first of residents of Munich, in coarse places."""
    low, high = RECORDS
    who = residents_of("Munich", 2 * n, 7)
    trips, town = who.trips, who.town
    number = np.random.default_rng(6).integers(low, high + 1, who.people.n)
    first = np.searchsorted(trips.resident, np.arange(who.people.n))
    rank = np.arange(len(trips.resident)) - first[trips.resident]
    enough = np.bincount(trips.resident, minlength=who.people.n) >= low
    chosen = np.flatnonzero(enough)[:n]
    kept = np.isin(trips.resident, chosen) & (rank < number[trips.resident])
    place, frame = trips.destination[kept], town.network.frame
    north_m, east_m = (np.floor(m[place] / CELL_M) * CELL_M for m in (town.y_m, town.x_m))
    table = pd.DataFrame(
        {
            "lat": np.round(frame.lat + north_m / 111_195.0, 6),
            "lng": np.round(
                frame.lon + east_m / (111_195.0 * np.cos(np.radians(frame.lat))), 6
            ),
            "datetime": pd.Timestamp("2026-11-02")
            + pd.to_timedelta(trips.depart_s[kept], unit="s"),
            "uid": np.searchsorted(chosen, trips.resident[kept]) + 1,
        }
    )  # fmt: skip
    return table.reset_index(drop=True)


def jobs_of(
    table: pd.DataFrame, known: tuple[int, ...], *, whole: bool, only: int | None = None
) -> list[list[Any]]:
    """Return [attack, k, target, whole] of all that is to be asked, the slowest last."""
    return [
        [name, k, int(uid), whole]
        for k in known
        for names in ((*KINDS, "home_work"), ("unicity",))
        for uid in table["uid"].unique()[:only]
        for name in names
        if name != "home_work" or k == 2
    ]


def asked(stem: Path, table: pd.DataFrame, jobs: list[list[Any]]) -> list[dict[str, Any]]:
    """Return scikit-mobility's answers, from where they were left."""
    file, results, wanted = (stem.with_suffix(end) for end in (".csv", ".jsonl", ".json"))
    table.to_csv(file, index=False)
    wanted.write_text(json.dumps(jobs))
    script = str(BENCH / "_skmob_risks.py")
    if "told" not in sys.argv[2:]:
        subprocess.run([PEER, script, str(file), str(results), str(wanted)], check=True)
    told = [json.loads(line) for line in results.read_text().splitlines()]
    return [line for line in told if line["job"] in jobs]


def compared(name: str, table: pd.DataFrame, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row an attack: how many targets, how many equal, and both times."""
    rows = []
    for attack, k in dict.fromkeys((line["job"][0], line["job"][1]) for line in told):
        theirs = [line for line in told if line["job"][:2] == [attack, k]]
        targets = np.array([line["job"][2] for line in theirs]) - 1
        if attack == "unicity":
            seconds, equal = our_unicity(table, k, targets, theirs)
            sure = sum(line["alone"] for line in theirs) / sum(line["instances"] for line in theirs)
        else:
            seconds, risk = timed(our_attack(table, attack, k, targets))
            equal = int((risk == np.array([line["risk"] for line in theirs])).sum())
            sure = float(np.mean(risk == 1))
        peer_s = sum(line["seconds"] for line in theirs)
        rows.append(
            {
                "traces": name,
                "attack": attack,
                "k": "" if attack == "home_work" else k,
                "targets": f"{len(theirs):,}",
                "equal": f"{equal:,}",
                "found for sure": f"{sure:.0%}",
                "sousveil ms": f"{1000 * seconds:.3f}",
                "scikit-mobility s": f"{peer_s:,.1f}",
                "times faster": f"{peer_s / seconds:,.0f}",
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def our_attack(table: pd.DataFrame, attack: str, k: int, targets: Any) -> Callable[[], Any]:
    """Return one of our attacks, its index included, ready to run."""
    table = table.sort_values(["uid", "datetime"], kind="stable")
    place = table.groupby(["lat", "lng"]).ngroup().to_numpy()
    day = table.groupby(["lat", "lng", table["datetime"].dt.date]).ngroup().to_numpy()
    who, n = table["uid"].to_numpy() - 1, int(table["uid"].max())
    return {
        "location": lambda: worst_case_risk(traces(n, who, place), k, targets),
        "location_sequence": lambda: worst_case_risk(
            traces(n, who, place), k, targets, in_order=True
        ),
        "location_time": lambda: worst_case_risk(traces(n, who, day), k, targets),
        "unique_location": lambda: worst_case_risk(traces(n, who, place, once=True), k, targets),
        "home_work": lambda: home_work_risk(traces(n, who, place))[targets],
    }[attack]


def our_unicity(
    table: pd.DataFrame, k: int, targets: Any, theirs: list[dict[str, Any]]
) -> tuple[float, int]:
    """Return the seconds for as many sets of points as theirs, and of how many targets all agree.

    A target with fewer than k points has no set for us; scikit-mobility takes what there is.
    """
    place = table.groupby(["lat", "lng"]).ngroup().to_numpy()
    day = (table["datetime"].dt.normalize() - table["datetime"].min().normalize()).dt.days
    had = points(int(table["uid"].max()), table["uid"].to_numpy() - 1, place, day.to_numpy())
    size = np.diff(had.start)[targets]
    equal = 0
    unicity(had, targets[:1], 2)
    start = time.process_time()
    shares = [unicity(had, [t], min(k, n), draws=DRAWS) for t, n in zip(targets, size, strict=True)]
    each_s = (time.process_time() - start) / DRAWS / len(targets)
    for one, line in zip(shares, theirs, strict=True):
        equal += round(one * line["instances"]) == line["alone"]
    return each_s * sum(line["instances"] for line in theirs), equal


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return CPU seconds and result, the best of 20 runs after one that compiles."""
    run()
    taken = []
    for _ in range(20):
        start = time.process_time()
        found = run()
        taken.append(time.process_time() - start)
    return min(taken), found


if __name__ == "__main__":
    main()
