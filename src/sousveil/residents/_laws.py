"""How residents compare with what is known of how people move."""

from __future__ import annotations

from typing import Any

import numpy as np

from sousveil.residents._parameters import GATE
from sousveil.residents._people import People
from sousveil.residents._plans import DAY_S, Trips
from sousveil.residents._town import Town
from sousveil.residents._ways import Passed

RANKS = 8
"""Places that a resident needs for the fall of visits by rank."""


def laws(town: Town, people: People, trips: Trips, passed: Passed, days: int) -> dict[str, Any]:
    """Return figures of residents that studies of real mobility publish too.

    trips_per_day; walked_m: median and 90th percentile of a trip; at_home: share of all time;
    radius_of_gyration_m: median over residents, by their visits (González, Hidalgo & Barabási,
    Nature 453, 2008); places: median of different places; rank_exponent: z of visits ~ rank^-z over
    a resident's places (Song et al. 2010), None if nobody has RANKS of them; left_area: share of
    trips to or from a gate. None is what trips say without any.
    """
    n, n_trips = people.n, len(trips.resident)
    home = people.home[people.household]
    arrive = trips.depart_s + passed.length_m / people.speed_m_s[trips.resident]
    away_s = _away_s(people, trips, home, arrive, days)
    gates = np.zeros(len(town.node), bool)
    gates[town.of[GATE]] = True
    visits = _visits(trips, town)
    return {
        "trips_per_day": n_trips / n / days,
        "walked_m": {
            "median": float(np.median(passed.length_m)) if n_trips else None,
            "p90": float(np.percentile(passed.length_m, 90)) if n_trips else None,
        },
        "at_home": 1.0 - float(away_s.sum() / (n * days * DAY_S)),
        "radius_of_gyration_m": float(np.median(_gyration_m(town, trips, n))),
        "places": float(np.median(np.bincount(visits[0], minlength=n))),
        "rank_exponent": _rank_exponent(*visits),
        "left_area": float((gates[trips.origin] | gates[trips.destination]).mean())
        if n_trips
        else None,
    }


def _away_s(people: People, trips: Trips, home: Any, arrive: Any, days: int) -> Any:
    """Return the seconds that each resident is out of home."""
    leaves = trips.origin == home[trips.resident]
    comes = trips.destination == home[trips.resident]
    away = np.zeros(people.n)
    np.add.at(away, trips.resident[leaves], -trips.depart_s[leaves].astype(float))
    np.add.at(away, trips.resident[comes], arrive[comes])
    last = np.append(trips.resident[1:] != trips.resident[:-1], True)
    still_out = trips.resident[last & ~comes]
    np.add.at(away, still_out, float(days * DAY_S))
    return away


def _gyration_m(town: Town, trips: Trips, n: int) -> Any:
    x, y = town.x_m[trips.destination], town.y_m[trips.destination]
    number = np.maximum(np.bincount(trips.resident, minlength=n), 1)
    mean_x = np.bincount(trips.resident, x, n) / number
    mean_y = np.bincount(trips.resident, y, n) / number
    away = (x - mean_x[trips.resident]) ** 2 + (y - mean_y[trips.resident]) ** 2
    return np.sqrt(np.bincount(trips.resident, away, n) / number)


def _visits(trips: Trips, town: Town) -> tuple[Any, Any]:
    """Return resident and number of visits of every place that a resident went to."""
    code = trips.resident.astype(np.int64) * len(town.node) + trips.destination
    codes, times = np.unique(code, return_counts=True)
    return codes // len(town.node), times


def _rank_exponent(resident: Any, times: Any) -> float | None:
    """Return z of the mean share of visits by rank ~ rank^-z, for residents with RANKS places."""
    order = np.lexsort((-times, resident))
    resident, times = resident[order], times[order]
    first = np.flatnonzero(np.append(True, resident[1:] != resident[:-1]))
    rank = np.arange(len(resident)) - np.repeat(first, np.diff(np.append(first, len(resident))))
    enough = np.bincount(resident)[resident] >= RANKS
    chosen = enough & (rank < RANKS)
    if not chosen.any():
        return None
    total = np.bincount(resident, times)[resident]
    share = np.bincount(rank[chosen], (times / total)[chosen]) / np.bincount(rank[chosen])
    slope = np.polyfit(np.log(np.arange(1, RANKS + 1)), np.log(share), 1)[0]
    return float(-slope)
