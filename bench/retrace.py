"""A synthetic week: what it costs, who computes risks faster, and how residents compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from _measure import DATA, machine, measure, write_section
from sousveil.residents import DAY_S, Residents, populate, streets_of, walk
from sousveil.residents._laws import laws
from sousveil.retrace._attacks import home_work_risk, traces, worst_case_risk
from sousveil.retrace._unicity import points, unicity
from sousveil.sources import osm

CITIES = {
    "Munich": DATA / "osm" / "munich_2020-07.osm.pbf",
    "Helsinki": DATA / "osm" / "helsinki_centre_2019-04.osm.pbf",
}
SIZES = (12_500, 25_000, 50_000, 100_000, 200_000)
# A Python that has scikit-mobility 1.3, which needs numpy below 2, pandas below 2, shapely below 2.
PEER = os.environ.get("SKMOB_PYTHON", "")
TARGETS = 6
HOUR_S = 3600

_PEER = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd, skmob
from skmob.privacy import attacks
rows = pd.read_csv(sys.argv[1])
columns = {"latitude": "lat", "longitude": "lng", "datetime": "datetime", "user_id": "uid"}
table = skmob.TrajDataFrame(rows, **columns)
targets = json.loads(sys.argv[2])
told = {}
for name, attack in {
    "location": attacks.LocationAttack(knowledge_length=2),
    "location_sequence": attacks.LocationSequenceAttack(knowledge_length=2),
    "location_time": attacks.LocationTimeAttack(knowledge_length=2, time_precision="Day"),
    "unique_location": attacks.UniqueLocationAttack(knowledge_length=2),
    "home_work": attacks.HomeWorkAttack(),
}.items():
    start = time.process_time()
    risks = attack.assess_risk(table, targets=targets)
    seconds = time.process_time() - start
    risk = dict(zip(map(int, risks["uid"]), map(float, risks["risk"])))
    told[name] = {"seconds": seconds, "risk": [risk[t] for t in targets]}
rows = rows.assign(day=rows["datetime"].str[:10]).drop_duplicates(["uid", "lat", "lng", "day"])
table = skmob.TrajDataFrame(rows.drop(columns="day"), **columns)
attack = attacks.LocationTimeAttack(knowledge_length=2, time_precision="Day")
size = rows.groupby("uid").size()
few = [t for t in targets if len(targets) < 8 and size[t] <= 5][:2] or targets
start = time.process_time()
found = attack.assess_risk(table, targets=few, force_instances=True)
seconds = time.process_time() - start
each = found.groupby(["uid", "instance"])["prob"].first()
share = (each == 1).groupby("uid").mean()
told["unicity"] = {"seconds": seconds, "n": len(each)}
told["unicity"] |= {"targets": few, "risk": [float(share[t]) for t in few]}
print(json.dumps(told))
"""


def main() -> None:
    """Measure each part and write its section; name parts to measure only those."""
    parts = {
        "speed": speed,
        "attacks": attacks,
        "unicity": scaling,
        "laws": plausibility,
    }
    for name in sys.argv[1:] or parts:
        parts[name]()


def speed() -> None:
    """Measure whole runs of the command, and how their cost grows with the residents."""
    rows = []
    for city, path in CITIES.items():
        for n in SIZES if city == "Munich" else (100_000,):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-m", "sousveil", "retrace", str(path), "-o",
                           f"{folder}/week", "--residents", str(n), "--quiet"]  # fmt: skip
                figures = measure(command)
            rows.append(
                {
                    "place": city,
                    "residents": f"{n:,}",
                    "wall s": round(figures["wall_s"], 1),
                    "cpu s": round(figures["cpu_s"], 1),
                    "peak MB": round(figures["peak_mb"]),
                    "bar": "60 s, 4,000 MB" if n == 100_000 else "",
                }
            )
            print(rows[-1], file=sys.stderr, flush=True)
    munich = [row for row in rows if row["place"] == "Munich"]
    n = np.array([float(str(row["residents"]).replace(",", "")) for row in munich])
    cpu = np.array([float(row["cpu s"]) for row in munich])
    slope, base = np.polyfit(n, cpu, 1)
    off = np.abs(cpu - (base + slope * n)).max() / cpu.max()
    note = (
        f"{machine()}. `sousveil retrace`, seven days, 24 draws, with record, risks, page and "
        "tables; one run each, compiled before. Others worked on the machine (load average "
        f"{os.getloadavg()[2]:.0f} on two cores): the CPU time is what counts. In Munich it is "
        f"{base:.1f} s + {1e5 * slope:.1f} s for "
        f"every 100,000 residents, at most {off:.0%} off that line."
    )
    write_section("retrace", rows, note)


def residents_of(city: str, n: int, days: int, seed: int = 0) -> Residents:
    """Return residents of a city."""
    path = CITIES[city]
    source = osm.read(path, source_id=city)
    places = osm.read_places(path)
    net = streets_of(source.streets)
    return populate(net, source.buildings, places, residents=n, days=days, seed=seed)


def attacks() -> None:
    """Compare the worst-case attacks with scikit-mobility on the toy and on 1,000 traces."""
    toy = pd.read_csv(DATA / "mobility" / "privacy_toy.csv")
    rows = []
    for name, table, targets in (
        ("toy, 7 traces", toy, sorted(map(int, toy["uid"].unique()))),
        ("1,000 traces", generated(1000), some_of(generated(1000))),
    ):
        ours = our_risks(table, targets)
        theirs = peer_risks(table, targets)
        for attack, (seconds, risk) in ours.items():
            peer = theirs.get(attack)
            row: dict[str, Any] = {
                "traces": name,
                "attack": attack,
                "targets": len(targets),
                "sousveil ms": f"{1000 * seconds:.3f}",
                "scikit-mobility ms": f"{1000 * peer['seconds']:,.0f}" if peer else "not there",
                "times faster": f"{peer['seconds'] / seconds:,.0f}" if peer else "",
                "same risks": "yes" if peer and np.allclose(risk, peer["risk"], 0, 1e-12)
                else "NO" if peer else "",
            }  # fmt: skip
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
        if theirs:
            rows.append(compared_unicity(name, table, theirs["unicity"]))
            print(rows[-1], file=sys.stderr, flush=True)
    note = (
        "CPU time of the attack alone, two known records, on traces of places by the day (about "
        f"{len(generated(1000)) / 1000:.0f} records each). scikit-mobility 1.3.1 in a Python of "
        "its own (numpy 1, pandas 1.5, shapely 1.8; with newer ones it does not load), for "
        f"{TARGETS} residents of the 1,000, which is all that it does in minutes; ours for the "
        "same ones, the index over all traces included (that of a pair of points is not: it serves "
        "all pairs). Bar: 1,000 times faster, same risks."
    )
    write_section("retrace-attacks", rows, note)


def some_of(table: pd.DataFrame) -> list[int]:
    """Return residents with as many records as most, spread over all."""
    size = table.groupby("uid").size()
    usual = size[size.between(4, 10)].index
    return [int(uid) for uid in usual[:: len(usual) // TARGETS][:TARGETS]]


def compared_unicity(name: str, table: pd.DataFrame, peer: dict[str, Any]) -> dict[str, Any]:
    """Compare unicity by two points: theirs over all pairs, ours over 2,000 random ones each."""
    day = pd.to_datetime(table["datetime"]).dt.date
    place = table.groupby(["lat", "lng"]).ngroup().to_numpy()
    had = points(int(table["uid"].max()), table["uid"].to_numpy() - 1, place, day.map(
        {one: i for i, one in enumerate(sorted(set(day)))}).to_numpy())  # fmt: skip
    unicity(had, [0], 2)
    draws, targets = 2000, peer["targets"]
    start = time.process_time()
    ours = [unicity(had, [t - 1], 2, draws=draws) for t in targets]
    each_s = (time.process_time() - start) / draws / len(targets)
    theirs_s = peer["seconds"] / peer["n"]
    return {
        "traces": name,
        "attack": "unicity, a pair of points",
        "targets": len(targets),
        "sousveil ms": f"{1000 * each_s:.5f}",
        "scikit-mobility ms": f"{1000 * theirs_s:,.0f}",
        "times faster": f"{theirs_s / each_s:,.0f}",
        "same risks": "yes, within 0.04" if np.abs(np.array(ours) - peer["risk"]).max() < 0.04
        else "NO",
    }  # fmt: skip


def generated(n: int) -> pd.DataFrame:
    """Return the places that residents of Munich went to, as a table for scikit-mobility."""
    who = residents_of("Munich", n, 7)
    trips, town = who.trips, who.town
    at = town.network.frame
    return pd.DataFrame(
        {
            "lat": at.lat + town.y_m[trips.destination] / 111_195.0,
            "lng": at.lon + town.x_m[trips.destination] / (111_195.0 * np.cos(np.radians(at.lat))),
            "datetime": pd.Timestamp("2026-11-02") + pd.to_timedelta(trips.depart_s, unit="s"),
            "uid": trips.resident + 1,
        }
    ).query("datetime < '2026-11-05'")


def our_risks(table: pd.DataFrame, targets: list[int]) -> dict[str, tuple[float, Any]]:
    """Return seconds and risks of every attack, its index included, the best of 20 runs."""
    table = table.assign(datetime=pd.to_datetime(table["datetime"])).sort_values(
        ["uid", "datetime"]
    )
    place = table.groupby(["lat", "lng"]).ngroup().to_numpy()
    day = table.groupby(["lat", "lng", table["datetime"].dt.date]).ngroup().to_numpy()
    who, n = table["uid"].to_numpy() - 1, int(table["uid"].max())
    chosen = np.array(targets) - 1
    runs = {
        "location": lambda: worst_case_risk(traces(n, who, place), 2, chosen),
        "location_sequence": lambda: worst_case_risk(
            traces(n, who, place), 2, chosen, in_order=True
        ),
        "location_time": lambda: worst_case_risk(traces(n, who, day), 2, chosen),
        "unique_location": lambda: worst_case_risk(traces(n, who, place, once=True), 2, chosen),
        "home_work": lambda: home_work_risk(traces(n, who, place))[chosen],
    }
    found = {}
    for name, run in runs.items():
        run()
        taken = []
        for _ in range(20):
            start = time.perf_counter()
            risk = run()
            taken.append(time.perf_counter() - start)
        found[name] = (min(taken), risk)
    return found


def peer_risks(table: pd.DataFrame, targets: list[int]) -> dict[str, Any]:
    """Return what scikit-mobility makes of the same table, nothing if it is not there."""
    if not PEER:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "traces.csv"
        table.to_csv(file, index=False)
        done = subprocess.run(
            [PEER, "-c", _PEER, str(file), json.dumps(targets)],
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def seen_by_antennas(who: Residents, antennas: int, hours: int, seed: int) -> tuple[Any, Any, Any]:
    """Return resident, antenna and interval of calls: where residents are at random hours.

    Each resident has some calls a day, as in the data of de Montjoye et al. (an average of 114
    interactions a month), each at the antenna nearest to where the resident is.
    """
    draw = np.random.default_rng(seed)
    trips, town, n = who.trips, who.town, who.people.n
    calls = draw.poisson(114 / 30 * who.days, n)
    resident = np.repeat(np.arange(n), calls)
    # More by day than by night, as people are awake.
    when = draw.integers(0, who.days, len(resident)) * DAY_S
    when = when + (7 + 16 * draw.beta(1.6, 1.3, len(resident))) * HOUR_S
    key = trips.resident.astype(np.float64) * 1e9 + trips.depart_s
    last = np.searchsorted(key, resident * 1e9 + when) - 1
    out = (last >= 0) & (trips.resident[np.maximum(last, 0)] == resident)
    home = who.people.home[who.people.household]
    place = np.where(out, trips.destination[np.maximum(last, 0)], home[resident])
    masts = draw.choice(len(town.network.x_m), antennas, replace=False)
    gap = (town.x_m[:, None] - town.network.x_m[masts]) ** 2 + (
        town.y_m[:, None] - town.network.y_m[masts]
    ) ** 2
    return resident, gap.argmin(axis=1)[place], (when // (hours * HOUR_S)).astype(np.int64)


def scaling() -> None:
    """Fit unicity against resolution, eps = alpha - (v h)^beta, at several numbers of points."""
    who = residents_of("Munich", 20_000, 28)
    targets = np.arange(2000)
    rows, most, few = [], 600, (4, 6, 8, 10)
    coarse = (1, 2, 4, 8, 16)
    table = {k: [] for k in few}  # type: ignore[var-annotated]
    for v in coarse:
        for h in coarse:
            had = points(who.people.n, *seen_by_antennas(who, most // v, h, 0))
            for k in few:
                table[k].append((v * h, unicity(had, targets, k, draws=2)))
    had = points(who.people.n, *seen_by_antennas(who, most, 1, 0))
    at_two, at_four = (unicity(had, targets, k, draws=4) for k in (2, 4))
    for k, values in table.items():
        vh, eps = np.array(values).T
        beta, alpha, left = fitted(vh, eps)
        halved = [
            1 - e2 / e1 for x1, e1 in values for x2, e2 in values if x2 == 2 * x1 and e1 > 0.05
        ]
        rows.append(
            {
                "points": k,
                "unicity, 600 antennas, hourly": f"{dict(values)[1]:.3f}",
                "at 1/16": f"{np.mean([e for x, e in values if x == 16]):.3f}",
                "alpha": f"{alpha:.2f}",
                "beta": f"{beta:.3f}",
                "beta, de Montjoye et al.": f"{0.157 - 0.007 * k:.3f}",
                "left unexplained": f"{left:.3f}",
                "halving costs": f"{np.mean(halved):.1%}",
                "halving costs, de Montjoye et al.": {4: "9.3 %", 10: "6.2 %"}.get(k, ""),
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
    note = (
        "20,000 residents of Munich for four weeks, seen by 600 random antennas at 114 calls a "
        f"month. Two points single out {at_two:.0%}, four {at_four:.0%} (de Montjoye et al., 1.5 "
        "million people, 6,500 antennas: more than half, and 95 %). alpha, beta of eps = alpha - "
        "(v h)^beta over v, h = 1, 2, 4, 8, 16, with v merging antennas and h hours; root mean "
        "square of what is left."
    )
    write_section("retrace-unicity", rows, note)


def fitted(vh: Any, eps: Any) -> tuple[float, float, float]:
    """Return beta, alpha and the error of eps = alpha - vh^beta, by least squares."""
    best = min(
        ((float(np.std(eps + vh**b)), b) for b in np.linspace(0.001, 0.6, 600)), key=lambda x: x[0]
    )
    return best[1], float(np.mean(eps + vh ** best[1])), best[0]


def plausibility() -> None:
    """Compare residents with published figures of how people move."""
    rows = []
    known = {
        "trips_per_day": "3.3 on a weekday in the survey that the rates are from",
        "walked_m": "median 800 m, mean 1,100 m (walked trips in the USA, Yang & Diez-Roux 2012)",
        "at_home": "0.69 (USA, all ages: Klepeis et al. 2001)",
        "radius_of_gyration_m": "kilometres (González et al. 2008): whole countries, all modes",
        "places": "25 in the long run (Alessandretti et al. 2018)",
        "rank_exponent": "1.2 (González et al. 2008, Song et al. 2010)",
        "left_area": "0.8 of tours are not walked or cycled, in the survey",
    }
    told = {}
    for city in CITIES:
        who = residents_of(city, 20_000, 7)
        told[city] = laws(who.town, who.people, who.trips, walk(who), 7)
    for name, published in known.items():
        row: dict[str, Any] = {"figure": name}
        for city in CITIES:
            value = told[city][name]
            row[city] = (
                f"{value['median']:.0f}, 90th percentile {value['p90']:.0f}"
                if isinstance(value, dict)
                else f"{value:.3g}"
            )
        rows.append(row | {"published": published})
    write_section("retrace-laws", rows, "20,000 residents for a week.")


if __name__ == "__main__":
    main()
