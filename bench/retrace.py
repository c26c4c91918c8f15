"""A synthetic week: what it costs, how unique residents are, and how they compare with people."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import numpy as np

from _measure import DATA, machine, measure, write_section
from sousveil.residents import DAY_S, Residents, populate, streets_of, walk
from sousveil.residents._laws import laws
from sousveil.retrace._unicity import points, unicity
from sousveil.sources import osm

CITIES = {
    "Munich": DATA / "osm" / "munich_2020-07.osm.pbf",
    "Helsinki": DATA / "osm" / "helsinki_centre_2019-04.osm.pbf",
}
SIZES = (12_500, 25_000, 50_000, 100_000, 200_000)
HOUR_S = 3600


def main() -> None:
    """Measure each part and write its section; name parts to measure only those."""
    parts = {
        "speed": speed,
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


def scaled() -> tuple[dict[int, list[tuple[int, float]]], float, float]:
    """Return (v h, unicity) by number of points, and unicity by two and four at full resolution."""
    who = residents_of("Munich", 20_000, 28)
    targets = np.arange(2000)
    most, few = 600, (4, 6, 8, 10)
    coarse = (1, 2, 4, 8, 16)
    table: dict[int, list[tuple[int, float]]] = {k: [] for k in few}
    for v in coarse:
        for h in coarse:
            had = points(who.people.n, *seen_by_antennas(who, most // v, h, 0))
            for k in few:
                table[k].append((v * h, unicity(had, targets, k, draws=2)))
    had = points(who.people.n, *seen_by_antennas(who, most, 1, 0))
    return table, unicity(had, targets, 2, draws=4), unicity(had, targets, 4, draws=4)


def scaling() -> None:
    """Fit unicity against resolution, eps = alpha - (v h)^beta, at several numbers of points."""
    table, at_two, at_four = scaled()
    rows = []
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
        "walked_m": "median 800 m, mean 1,100 m, 18 % above 1,600 m (walked trips in the USA, Yang "
        "& Diez-Roux 2012)",
        "at_home": "0.69 in a residence (USA, all ages: Klepeis et al. 2001)",
        "radius_of_gyration_m": "kilometres (González et al. 2008): a whole country, all modes",
        "places": "25 in the long run (Alessandretti et al. 2018)",
        "rank_exponent": "about 1 (González et al. 2008), 1.2 (Song et al. 2010)",
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
