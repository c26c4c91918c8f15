"""What scikit-mobility makes of a table of traces, one target after the other; run by attacks.py.

Runs in a Python of its own, which needs scikit-mobility 1.3 and nothing of ours:
`_skmob_risks.py TABLE.csv RESULTS.jsonl JOBS.json`. A job is [attack, k, target, whole]; each
becomes a line of the results as soon as it is done, and those that are there are not done again.

Not a line of scikit-mobility is changed. It compares every instance of what is known with every
resident of the table that it is given. Unless `whole`, that table holds only who has at least as
many of the target's records as are known; all others can match no instance.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
from skmob import TrajDataFrame
from skmob.privacy import attacks

ATTACKS = {
    "location": lambda k: attacks.LocationAttack(k),
    "location_sequence": lambda k: attacks.LocationSequenceAttack(k),
    "location_time": lambda k: attacks.LocationTimeAttack(k, time_precision="Day"),
    "unique_location": lambda k: attacks.UniqueLocationAttack(k),
    "home_work": lambda k: attacks.HomeWorkAttack(),
    "unicity": lambda k: attacks.LocationTimeAttack(k, time_precision="Day"),
}
BY_PLACE = ("unique_location", "home_work")


def main() -> None:
    """Do the jobs that have no line yet."""
    warnings.filterwarnings("ignore")
    table, results, jobs = sys.argv[1:]
    rows = pd.read_csv(table, parse_dates=["datetime"])
    rows.index += 1_000_000  # force_instances fails where instances have the numbers of rows
    day = rows["datetime"].dt.date
    once = rows[~rows.assign(day=day).duplicated(["uid", "lat", "lng", "day"])]
    path = Path(results)
    done = {
        tuple(json.loads(line)["job"])
        for line in (path.read_text().splitlines() if path.exists() else [])
    }
    held = {uid: list(zip(g["lat"], g["lng"])) for uid, g in rows.groupby("uid")}  # noqa: B905
    with path.open("a") as out:
        for job in json.loads(Path(jobs).read_text()):
            if tuple(job) not in done:
                line = _done(job, once if job[0] == "unicity" else rows, held)
                out.write(json.dumps(line) + "\n")
                out.flush()


def _done(job: list[Any], rows: pd.DataFrame, held: dict[int, Any]) -> dict[str, Any]:
    name, k, target, whole = job
    near = sorted(held) if whole else _able(target, k, held, once=name in BY_PLACE)
    table = TrajDataFrame(
        rows[rows["uid"].isin(near)],
        latitude="lat", longitude="lng", datetime="datetime", user_id="uid",
    )  # fmt: skip
    attack = ATTACKS[name](k)
    start = time.process_time()
    told = attack.assess_risk(table, targets=[target], force_instances=name == "unicity")
    seconds = time.process_time() - start
    line = {"job": job, "seconds": seconds, "against": len(near)}
    if name != "unicity":
        return line | {"risk": float(told["risk"].iloc[0])}
    each = told.groupby("instance")["prob"].first()
    return line | {"alone": int((each == 1).sum()), "instances": len(each)}


def _able(target: int, k: int, held: dict[int, Any], *, once: bool) -> list[int]:
    """Return who has at least k of the target's places, or all if there are fewer."""
    count = (lambda places: Counter(set(places))) if once else Counter
    mine = count(held[target])
    least = min(k, sum(mine.values()))
    return [uid for uid, places in held.items() if sum((mine & count(places)).values()) >= least]


if __name__ == "__main__":
    main()
