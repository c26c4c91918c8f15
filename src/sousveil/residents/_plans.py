"""What residents do: their trips, day by day, as a survey says that days look like."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil.residents._chance import cores, keyed, pick, share, uniform
from sousveil.residents._parameters import (
    BREAK,
    BREAK_MEAL,
    EAT,
    EXPLORE,
    GATE,
    HOME,
    JOINS,
    JOINT,
    OWN,
    RANK,
    SCHOOL,
    SHOP,
    WEEKEND_FREE,
    WEEKEND_SCHOOL,
    WEEKEND_WORK,
    WORK,
    Parameters,
    packed,
)
from sousveil.residents._people import People
from sousveil.residents._streets import Ints
from sousveil.residents._town import Choice, Town, any_of, choice, chosen

DAY_S = 86_400
_MOST_TRIPS = 24  # of a resident a day
_MOST_TOURS = 10
_MOST_MEMBERS = 8
_DETOUR = 1.5  # what a way is taken to be longer than the straight line, to plan the time for it
_HOUR = 3600
_CHUNK = 2048  # households at a time


class Trips(NamedTuple):
    """Trips in the order of residents and of time.

    depart_s: seconds since the Monday that the simulation starts with. origin and destination are
    places of the town, purpose is that of the destination. key: which of the ways is taken; those
    who walk together share it.
    """

    resident: Ints
    origin: Ints
    destination: Ints
    depart_s: Ints
    purpose: npt.NDArray[np.int8]
    key: npt.NDArray[np.uint32]
    together: npt.NDArray[np.bool_]


class _Who(NamedTuple):
    """A household on a day; row: of its first member in the output, the next is `days` later."""

    seed: int
    household: int
    first: int
    size: int
    home: int
    day: int
    row: int
    days: int


def trips(town: Town, people: People, parameters: Parameters, days: int, seed: int) -> Trips:
    """Return the trips of all residents on so many days, the first a Monday."""
    rates, where = packed(parameters.rates), choice(town)
    own = np.cumsum(np.arange(1, int(rates["scalars"][OWN]) + 1) ** -rates["scalars"][RANK])
    n_households = len(people.first) - 1
    with ThreadPoolExecutor(cores()) as pool:
        parts = list(
            pool.map(
                lambda begin: _planned(
                    begin, min(begin + _CHUNK, n_households), where, people, rates, own, days, seed
                ),
                range(0, n_households, _CHUNK),
            )
        )
    return Trips(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _planned(
    begin: int, end: int, where: Choice, people: People, rates: Any, own: Any, days: int, seed: int
) -> list[Any]:
    low, high = people.first[begin], people.first[end]
    shape = ((high - low) * days, _MOST_TRIPS)
    depart, places = np.empty(shape, np.int32), np.empty((*shape, 2), np.int32)
    purpose, together = np.empty(shape, np.int8), np.empty(shape, np.bool_)
    key, number = np.empty(shape, np.uint32), np.zeros(shape[0], np.int32)
    _plan(
        np.uint64(seed), begin, end, days, people.first, people.home, people.person_type,
        people.work, people.school, people.speed_m_s, where, rates, own,
        depart, places, purpose, together, key, number,
    )  # fmt: skip
    used = np.arange(_MOST_TRIPS) < number[:, None]
    resident = np.repeat(np.repeat(np.arange(low, high, dtype=np.int32), days), number)
    origin, destination = places[..., 0][used], places[..., 1][used]
    return [resident, origin, destination, depart[used], purpose[used], key[used], together[used]]


@numba.njit(cache=True, nogil=True)
def _plan(
    seed: Any, begin: int, end: int, days: int, first: Any, home: Any, person_type: Any,
    work: Any, school: Any, speed: Any, where: Any, rates: Any, own: Any,
    depart: Any, places: Any, purpose: Any, together: Any, key: Any, number: Any,
) -> None:  # fmt: skip
    low = first[begin]
    for h in range(begin, end):
        out = (depart, places, purpose, together, key, number)
        size = first[h + 1] - first[h]
        for day in range(days):
            state = np.empty(1, np.uint64)
            state[0] = keyed(seed, h, day, 31)
            row = (first[h] - low) * days + day  # of the first member; the next is `days` later
            book = np.zeros((_MOST_MEMBERS, _MOST_TOURS, 2), np.int64)
            taken = np.zeros(_MOST_MEMBERS, np.int64)
            who = _Who(seed, h, first[h], size, home[h], day, row, days)
            _go_to_school(
                state, who, where, rates, own, school, person_type, speed, out, book, taken
            )
            _go_to_work(state, who, where, rates, own, work, person_type, speed, out, book, taken)
            _go_out_together(state, who, where, rates, own, person_type, speed, out, book, taken)
            _go_out(state, who, where, rates, own, person_type, speed, out, book, taken)
            for m in range(size):
                _sort(row + m * days, out, home[h])


@numba.njit(cache=True)
def _go_to_school(
    state: Any, who: Any, where: Any, rates: Any, own: Any, school: Any, person_type: Any,
    speed: Any, out: Any, book: Any, taken: Any,
) -> None:  # fmt: skip
    first, size, day = who.first, who.size, who.day
    factor = rates.scalars[WEEKEND_SCHOOL] if day % 7 >= 5 else 1.0
    for m in range(size):
        i = first + m
        kind = person_type[i] - 1
        if school[i] < 0 or uniform(state) >= rates.school[kind] * factor:
            continue
        start, end = _times(state, rates, 1)
        end = max(end, start + 2 * _HOUR)
        escorted = kind >= 6 and uniform(state) < rates.escorted[kind - 6]
        leave = _tour(state, who, where, rates, own, m, int(school[i]), SCHOOL, 0, start, end,
                      speed, out, book, taken, escorted, -1.0)  # fmt: skip
        if escorted:
            _escort(who, where, m, school[i], start, leave, person_type, speed, out, book, taken)


@numba.njit(cache=True)
def _escort(
    who: Any, where: Any, child: int, place: int, start: int, leave: int, person_type: Any,
    speed: Any, out: Any, book: Any, taken: Any,
) -> None:  # fmt: skip
    """Let an adult of the household walk along, and fetch the child if there is time."""
    first, size, home, row, days = who.first, who.size, who.home, who.row, who.days
    for m in range(size):
        if person_type[first + m] > 5:
            continue
        walk = _walk_s(where, home, place, speed[first])
        if not _is_free(book, taken, m, start, start + 2 * walk + 300):
            continue
        _emit(out, who, m, start, home, place, SCHOOL, True)
        _emit(out, who, m, start + walk + 300, place, home, HOME, False)
        _enter(book, taken, m, start, start + 2 * walk + 300)
        _share_last_leg(out, row + child * days, start)
        if leave > 0 and _is_free(book, taken, m, leave - walk - 300, leave + walk):
            _emit(out, who, m, leave - walk - 300, home, place, SCHOOL, False)
            _emit(out, who, m, leave, place, home, HOME, True)
            _enter(book, taken, m, leave - walk - 300, leave + walk)
            _share_last_leg(out, row + child * days, leave)
        return


@numba.njit(cache=True)
def _go_to_work(
    state: Any, who: Any, where: Any, rates: Any, own: Any, work: Any, person_type: Any,
    speed: Any, out: Any, book: Any, taken: Any,
) -> None:  # fmt: skip
    first, size, day = who.first, who.size, who.day
    factor = rates.scalars[WEEKEND_WORK] if day % 7 >= 5 else 1.0
    for m in range(size):
        i = first + m
        if work[i] < 0 or uniform(state) >= rates.work[person_type[i] - 1] * factor:
            continue
        start, end = _times(state, rates, 0)
        for b in range(taken[m]):  # after the child was taken to school
            if book[m, b, 0] <= start + 1800 and start < book[m, b, 1]:
                start = book[m, b, 1] + 60
        for b in range(taken[m]):  # home before the child is fetched
            if book[m, b, 0] > start and book[m, b, 0] < end:
                end = book[m, b, 0] - 60
        if end < start + _HOUR:
            continue
        has_break = _noon(state, rates) if uniform(state) < rates.scalars[BREAK] else -1.0
        _tour(state, who, where, rates, own, m, int(work[i]), WORK, 0, start, end, speed,
              out, book, taken, False, has_break)  # fmt: skip


@numba.njit(cache=True)
def _noon(state: Any, rates: Any) -> float:
    return (11.25 + 2.5 * uniform(state)) * _HOUR


@numba.njit(cache=True)
def _go_out_together(
    state: Any, who: Any, where: Any, rates: Any, own: Any, person_type: Any, speed: Any,
    out: Any, book: Any, taken: Any,
) -> None:  # fmt: skip
    first, size, home, day = who.first, who.size, who.home, who.day
    factor = rates.scalars[WEEKEND_FREE] if day % 7 >= 5 else 1.0
    if size < 2 or uniform(state) >= rates.scalars[JOINT] * factor:
        return
    p = pick(uniform(state), rates.free_purposes[person_type[first] - 1])
    place, purpose = _where_to(state, who, where, rates, own, home, p, first)
    comes = np.zeros(_MOST_MEMBERS, np.bool_)
    for m in range(size):
        comes[m] = m == 0 or uniform(state) < rates.scalars[JOINS]
    if comes.sum() < 2:
        comes[1] = True
    for _ in range(8):
        start, end = _times(state, rates, p + 2)
        all_free = True
        for m in range(size):
            all_free &= not comes[m] or _is_free(book, taken, m, start, end)
        if all_free:
            walk = _walk_s(where, home, place, speed[first])
            leave = max(end - walk, start + walk + 600)
            for m in range(size):
                if comes[m]:
                    _emit(out, who, m, start, home, place, purpose, True)
                    _emit(out, who, m, leave, place, home, HOME, True)
                    _enter(book, taken, m, start, max(end, leave + walk))
            return


@numba.njit(cache=True)
def _go_out(
    state: Any, who: Any, where: Any, rates: Any, own: Any, person_type: Any, speed: Any,
    out: Any, book: Any, taken: Any,
) -> None:  # fmt: skip
    first, size, home, day = who.first, who.size, who.home, who.day
    factor = rates.scalars[WEEKEND_FREE] if day % 7 >= 5 else 1.0
    for m in range(size):
        kind = person_type[first + m] - 1
        chances = rates.free_when_out[kind] if taken[m] > 0 else rates.free_else[kind]
        n_tours = pick(uniform(state), chances)
        if uniform(state) < factor - 1.0:
            n_tours += 1
        for _ in range(n_tours):
            p = pick(uniform(state), rates.free_purposes[kind])
            place, purpose = _where_to(state, who, where, rates, own, home, p, first + m)
            for _ in range(6):
                start, end = _times(state, rates, p + 2)
                if _is_free(book, taken, m, start, end):
                    _tour(state, who, where, rates, own, m, place, purpose, 1, start, end, speed,
                          out, book, taken, False, -1.0)  # fmt: skip
                    break


@numba.njit(cache=True)
def _times(state: Any, rates: Any, tour: int) -> tuple[int, int]:
    """Draw when a tour starts and ends, in seconds of the day; tour: index of TOURS."""
    start = (pick(uniform(state), rates.start_hour[tour]) + uniform(state)) * _HOUR
    hours = pick(uniform(state), rates.hours[tour])
    lasts = (
        (hours - 0.5 + uniform(state)) * _HOUR if hours else (0.4 + 0.4 * uniform(state)) * _HOUR
    )
    return int(start), int(min(start + max(lasts, 1200.0), 26.0 * _HOUR))


@numba.njit(cache=True)
def _where_to(
    state: Any, who: Any, where: Any, rates: Any, own: Any, origin: int, p: int, key: int
) -> tuple[int, int]:
    """Draw the place of a free tour: one of the resident's own, a new one, or out of the area."""
    purpose = SHOP + p
    if not any_of(where, purpose) or uniform(state) >= rates.inside[p + 2]:
        purpose = GATE
    return _own_or_new(state, who, where, rates, own, origin, purpose, key), purpose


@numba.njit(cache=True)
def _own_or_new(
    state: Any, who: Any, where: Any, rates: Any, own: Any, origin: int, purpose: int, key: int
) -> int:
    bits = keyed(who.seed, key, purpose, 41)
    if uniform(state) < rates.scalars[EXPLORE]:
        u = uniform(state)
    else:
        u = share(keyed(bits, pick(uniform(state), own), 0, 0))
    return chosen(where, purpose, where.cell[origin], u)


@numba.njit(cache=True)
def _walk_s(where: Any, a: int, b: int, speed: float) -> int:
    away_m = np.hypot(where.x_m[a] - where.x_m[b], where.y_m[a] - where.y_m[b])
    return int(_DETOUR * away_m / speed) + 30


@numba.njit(cache=True)
def _tour(
    state: Any, who: Any, where: Any, rates: Any, own: Any, m: int, place: int, purpose: int,
    is_free: int, start: int, end: int, speed: Any, out: Any, book: Any, taken: Any,
    is_direct: bool, noon: float,
) -> int:  # fmt: skip
    """Write the trips of one resident from home to a place and back, with stops on the way.

    Returns when the place is left.
    """
    first, home = who.first, who.home
    pace = speed[first + m]
    at, now = home, start
    n_out, n_back = pick(uniform(state), rates.stops[is_free]), 0
    for _ in range(0 if is_direct else n_out):
        at, now = _stop(state, who, where, rates, own, m, at, now, pace, out)
    _emit(out, who, m, now, at, place, purpose, False)
    now += _walk_s(where, at, place, pace) + 180
    if not is_direct:
        n_back = pick(uniform(state), rates.stops[2 + is_free])
    leave = max(now + 300, end - _walk_s(where, place, home, pace) - n_back * 1200)
    if noon >= 0 and purpose == WORK and now < noon - 600 and leave > noon + 2 * _HOUR:
        _have_a_break(state, who, where, rates, own, m, place, int(noon), pace, out)
    at, now = place, leave
    for _ in range(n_back):
        at, now = _stop(state, who, where, rates, own, m, at, now, pace, out)
    _emit(out, who, m, now, at, home, HOME, False)
    _enter(book, taken, m, start, now + _walk_s(where, at, home, pace) + 60)
    return leave


@numba.njit(cache=True)
def _stop(
    state: Any, who: Any, where: Any, rates: Any, own: Any, m: int, at: int, now: int,
    pace: float, out: Any,
) -> tuple[int, int]:  # fmt: skip
    purpose = SHOP + pick(uniform(state), rates.stop_purposes)
    if not any_of(where, purpose):
        return at, now
    place = _own_or_new(state, who, where, rates, own, at, purpose, who.first + m)
    if place == at:
        return at, now
    _emit(out, who, m, now, at, place, purpose, False)
    stay = int((8 + 25 * uniform(state)) * 60)
    return place, now + _walk_s(where, at, place, pace) + stay


@numba.njit(cache=True)
def _have_a_break(
    state: Any, who: Any, where: Any, rates: Any, own: Any, m: int, place: int, noon: int,
    pace: float, out: Any,
) -> None:  # fmt: skip
    purpose = EAT if uniform(state) < rates.scalars[BREAK_MEAL] else SHOP
    if not any_of(where, purpose):
        return
    to = _own_or_new(state, who, where, rates, own, place, purpose, who.first + m)
    if to == place:
        return
    walk = _walk_s(where, place, to, pace)
    if walk > 1500:
        return
    _emit(out, who, m, noon, place, to, purpose, False)
    _emit(out, who, m, noon + walk + int((20 + 20 * uniform(state)) * 60), to, place, WORK, False)


@numba.njit(cache=True)
def _emit(
    out: Any, who: Any, m: int, when: int, a: int, b: int, purpose: int, together: bool
) -> None:
    depart, places, purposes, shared, key, number = out
    seed, h, day = who.seed, who.household, who.day
    r = who.row + m * who.days
    j = number[r]
    if j == _MOST_TRIPS or a == b:
        return
    depart[r, j] = day * DAY_S + when
    places[r, j, 0], places[r, j, 1] = a, b
    purposes[r, j] = purpose
    shared[r, j] = together
    # Of the household and not of the resident, so that those who walk together take one way; the
    # last digits change it now and then, most days it is the usual one.
    usual = keyed(seed, h, min(a, b), max(a, b)) >> np.uint64(32)
    varied = keyed(seed, h, day, when) >> np.uint64(32)
    key[r, j] = usual if varied & np.uint64(7) else varied
    number[r] = j + 1


@numba.njit(cache=True)
def _share_last_leg(out: Any, r: int, when: int) -> None:
    """Mark the trip of a child that an adult walks along with."""
    depart, _, _, together, _, number = out
    for j in range(number[r]):
        if depart[r, j] % DAY_S == when % DAY_S:
            together[r, j] = True


@numba.njit(cache=True)
def _is_free(book: Any, taken: Any, m: int, start: int, end: int) -> bool:
    if taken[m] == _MOST_TOURS:
        return False
    for b in range(taken[m]):
        if start < book[m, b, 1] + 120 and book[m, b, 0] < end + 120:
            return False
    return True


@numba.njit(cache=True)
def _enter(book: Any, taken: Any, m: int, start: int, end: int) -> None:
    if taken[m] < _MOST_TOURS:
        book[m, taken[m], 0], book[m, taken[m], 1] = start, end
        taken[m] += 1


@numba.njit(cache=True)
def _sort(r: int, out: Any, home: int) -> None:
    """Put the trips of a resident's day in order of time; there are few, so by insertion."""
    depart, places, purpose, together, key, number = out
    for j in range(1, number[r]):
        k = j
        while k > 0 and depart[r, k - 1] > depart[r, k]:
            _swap(depart, r, k)
            _swap(purpose, r, k)
            _swap(together, r, k)
            _swap(key, r, k)
            _swap(places[:, :, 0], r, k)
            _swap(places[:, :, 1], r, k)
            k -= 1
    _chain(r, out, home)


@numba.njit(cache=True)
def _chain(r: int, out: Any, home: int) -> None:
    """Let each trip start where the one before ended: who is late goes on from there."""
    depart, places, purpose, together, key, number = out
    at, kept = home, 0
    for j in range(number[r]):
        if places[r, j, 1] == at:
            continue
        depart[r, kept], purpose[r, kept] = depart[r, j], purpose[r, j]
        together[r, kept], key[r, kept] = together[r, j], key[r, j]
        places[r, kept, 0], places[r, kept, 1] = at, places[r, j, 1]
        at = places[r, kept, 1]
        kept += 1
    number[r] = kept


@numba.njit(cache=True)
def _swap(column: Any, r: int, k: int) -> None:
    before = column[r, k - 1]
    column[r, k - 1] = column[r, k]
    column[r, k] = before
