"""Residents of a place who do not exist: where they live and go, and the ways that they walk.

Households live in real dwellings, work, learn, buy and meet in real places, by the rates of a
survey, and walk on the real streets. Nothing here reads anything about a real person: residents are
drawn from rates, and their numbers are made in the same run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from sousveil.errors import UnusableInput
from sousveil.residents import _plans, _ways
from sousveil.residents._parameters import PURPOSES, Parameters, read_parameters
from sousveil.residents._people import People, people
from sousveil.residents._plans import DAY_S, Trips
from sousveil.residents._streets import Floats, Network, network
from sousveil.residents._town import Town, town
from sousveil.residents._ways import Marks, Passed, no_marks

__all__ = [
    "DAY_S",
    "PURPOSES",
    "Marks",
    "Network",
    "Parameters",
    "Passed",
    "People",
    "Residents",
    "Town",
    "Trips",
    "no_marks",
    "populate",
    "read_parameters",
    "some",
    "streets_of",
    "walk",
]

MOST_DAYS = 365


class Residents(NamedTuple):
    """A town, the people in it and what they do on so many days, the first a Monday."""

    parameters: Parameters
    town: Town
    people: People
    trips: Trips
    days: int
    seed: int
    seeming_m: Floats  # how long each edge seems, by the opinion that a trip takes


def streets_of(streets: pa.Table) -> Network:
    """Return the network of what may be walked in records.STREETS.

    Raises UnusableInput where there are no streets to walk.
    """
    return network(streets)


def populate(
    net: Network,
    buildings: pa.Table,
    places: pa.Table,
    *,
    residents: int,
    days: int,
    seed: int = 0,
    parameters: str | Path | None = None,
) -> Residents:
    """Return synthetic residents of a place with their trips.

    net: of streets_of; buildings: records.BUILDINGS; places: records.PLACES. parameters: a TOML
    file of rates; without it those of San Francisco that come with the package. The same seed gives
    the same residents, bit by bit; more days or residents leave the first ones as they are, but for
    the household that is cut to make the number.

    Raises UnusableInput for parameters that cannot be used, and where nobody can live.
    """
    if residents < 1:
        raise UnusableInput(f"--residents {residents}: give a number above 0")
    if not 1 <= days <= MOST_DAYS:
        raise UnusableInput(f"--days {days}: give a number from 1 to {MOST_DAYS}")
    rates = read_parameters(None if parameters is None else Path(parameters))
    place = town(net, buildings, places, rates.reach_m)
    who = people(place, rates, residents, seed)
    return Residents(
        parameters=rates,
        town=place,
        people=who,
        trips=_plans.trips(place, who, rates, days, seed),
        days=days,
        seed=seed,
        seeming_m=_ways.seeming_m(net, rates, seed),
    )


def walk(residents: Residents, marks: Marks | None = None, *, every: bool = False) -> Passed:
    """Follow all trips past what is marked on the edges, in the order of trips and of the way.

    every: return each mark that is passed, and not the best of each group.
    """
    place = residents.town
    marked = marks or no_marks(place.network)
    return _ways.follow(place, residents.trips, marked, residents.seeming_m, every=every)


def some(residents: Residents, n: int) -> Residents:
    """Return the first n residents, to the end of the household; all if there are no more.

    Households are drawn independently, so that the first ones are a random sample.
    """
    who = residents.people
    if n >= who.n:
        return residents
    last = int(np.searchsorted(who.first, n))
    n = int(who.first[last])
    chosen = residents.trips.resident < n
    people: Any = [column[:n] for column in who[2:]]
    trips: Any = [column[chosen] for column in residents.trips]
    return residents._replace(
        people=People(who.first[: last + 1], who.home[:last], *people), trips=Trips(*trips)
    )
