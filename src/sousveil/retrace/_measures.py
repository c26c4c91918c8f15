"""What a record tells of each resident: trips, places, time, home and work."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil.residents import PURPOSES, Passed, Residents
from sousveil.residents._chance import cores
from sousveil.retrace._network import Bools, Cameras, Ints
from sousveil.retrace._powers import Powers
from sousveil.retrace._recording import Record

COLUMNS: Final = (
    "trips", "trips_seen", "trips_named", "places", "places_retraced", "waking_s",
    "waking_retraced_s", "home_found", "works", "work_found", "passages", "passages_named",
    "days_named",
)  # fmt: skip
(
    TRIPS, TRIPS_SEEN, TRIPS_NAMED, PLACES, PLACES_RETRACED, WAKING, WAKING_RETRACED, HOME_FOUND,
    WORKS, WORK_FOUND, PASSAGES, PASSAGES_NAMED, DAYS_NAMED,
) = range(13)  # fmt: skip

_GATE: Final = PURPOSES.index("gate")
_PARTS: Final = 8
_DAY_BREAKS_S: Final = 4 * 3600  # a day of the record is from four in the morning on


class Reach(NamedTuple):
    """Which part of a record somebody holds: by camera, whether and since when."""

    on: Bools
    since_s: Ints
    least_level: int = 1  # 1 to 4: passages below it are not recorded at all


def everything(cameras: Cameras) -> Reach:
    """Return the reach of who holds all that was ever recorded by cameras that exist."""
    n = len(cameras.camera_id)
    return Reach(~cameras.planned, np.zeros(n, np.int32))


def measure(
    residents: Residents, passed: Passed, held: Record, cameras: Cameras, reach: Reach,
    powers: Powers,
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Return by resident (rows) what COLUMNS name.

    A trip is seen if one camera saw any of it, named if one put the resident's name to it. A place
    other than home, inside the area, is retraced if the resident was named within near_m of its
    door, on the way, when coming or leaving. The waking time inside the area is retraced from where
    a trip was first named to where it was last, and while at a place if the resident was named
    within near_m of its door both on coming and on leaving. Home and work are guesses from the
    record alone (_guess), right if the camera is within near_m of the door.
    """
    trips, people, town = residents.trips, residents.people, residents.town
    first = np.searchsorted(trips.resident, np.arange(people.n + 1)).astype(np.int64)
    out = np.zeros((people.n, len(COLUMNS)), np.float32)
    awake = np.array(residents.parameters.awake_hours) * 3600.0
    inside = np.ones(len(town.node), bool)
    inside[town.of[_GATE]] = False
    home = people.home[people.household]
    work = np.where((people.work >= 0) & inside[people.work], people.work, -1)
    bounds = np.linspace(0, people.n, _PARTS + 1).astype(np.int64)

    def part(k: int) -> None:
        _measure(
            bounds[k], bounds[k + 1], first, trips.origin, trips.destination, trips.depart_s,
            passed.length_m, people.speed_m_s, home, work, inside, town.x_m, town.y_m,
            held.start, held.camera, held.level, held.time_s, held.at_m, held.state,
            held.wrong_start, held.wrong_camera, held.wrong_time_s,
            reach.on, reach.since_s, reach.least_level, cameras.x_m, cameras.y_m,
            residents.days, awake, powers.near_m, powers.longest_gap_h * 3600.0, out,
        )  # fmt: skip

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(part, range(_PARTS)))
    return out


@numba.njit(cache=True, nogil=True)
def _measure(
    begin: int, end: int, first: Any, origin: Any, destination: Any, depart_s: Any, length_m: Any,
    speed: Any, home: Any, work: Any, inside: Any, x_m: Any, y_m: Any,
    start: Any, camera: Any, level: Any, time_s: Any, at_m: Any, state: Any,
    wrong_start: Any, wrong_camera: Any, wrong_time_s: Any,
    on: Any, since_s: Any, least_level: int, camera_x: Any, camera_y: Any,
    days: int, awake: Any, near_m: float, gap_s: float, out: Any,
) -> None:  # fmt: skip
    n_cameras = len(on)
    counts = np.zeros(n_cameras, np.int32)
    cameras, times = np.empty(256, np.int32), np.empty(256, np.int32)
    places, known = np.empty(512, np.int32), np.empty(512, np.bool_)
    for i in range(begin, end):
        k, n_places, at = 0, 0, home[i]
        came_s, was_near, last_day = 0, False, -1
        for t in range(first[i], first[i + 1]):
            leave = depart_s[t]
            arrive = leave + int(length_m[t] / speed[i])
            seen, named = False, False
            from_s, to_s, near_start, near_end = -1, -1, False, False
            for j in range(start[t], start[t + 1]):
                c = camera[j]
                if not on[c] or time_s[j] < since_s[c] or state[j] == 0 or level[j] < least_level:
                    continue
                seen = True
                out[i, 10] += 1
                if state[j] != 2:
                    continue
                named = True
                out[i, 11] += 1
                if k == len(cameras):
                    cameras, times = _longer(cameras), _longer(times)
                cameras[k], times[k] = c, time_s[j]
                k += 1
                near_start |= at_m[j] <= near_m
                near_end |= length_m[t] - at_m[j] <= near_m
                from_s = time_s[j] if from_s < 0 else from_s
                to_s = time_s[j]
            out[i, 0] += 1
            out[i, 1] += seen
            out[i, 2] += named
            if named and leave // 86_400 != last_day:
                last_day = leave // 86_400
                out[i, 12] += 1
            if inside[at]:
                awake_s = _awake(came_s, leave, awake, at == home[i])
                out[i, 5] += awake_s
                out[i, 6] += awake_s if was_near and near_start else 0
            out[i, 5] += arrive - leave
            out[i, 6] += to_s - from_s if named else 0
            n_places = _visit(places, known, n_places, at, home[i], inside, near_start)
            at, came_s, was_near = destination[t], arrive, near_end
            n_places = _visit(places, known, n_places, at, home[i], inside, near_end)
        if inside[at]:
            out[i, 5] += _awake(came_s, days * 86_400, awake, at == home[i])
        out[i, 3] = n_places
        for j in range(n_places):
            out[i, 4] += known[j]
        for j in range(wrong_start[i], wrong_start[i + 1]):
            c = wrong_camera[j]
            if on[c] and wrong_time_s[j] >= since_s[c]:
                if k == len(cameras):
                    cameras, times = _longer(cameras), _longer(times)
                cameras[k], times[k] = c, wrong_time_s[j]
                k += 1
        out[i, 8] = work[i] >= 0
        guess_home, guess_work = _guess(cameras, times, k, counts, gap_s)
        if guess_home >= 0:
            out[i, 7] = _is_near(guess_home, home[i], camera_x, camera_y, x_m, y_m, near_m)
        if guess_work >= 0 and work[i] >= 0:
            out[i, 9] = _is_near(guess_work, work[i], camera_x, camera_y, x_m, y_m, near_m)


@numba.njit(cache=True, nogil=True)
def _longer(array: Any) -> Any:
    larger = np.empty(2 * len(array), array.dtype)
    larger[: len(array)] = array
    return larger


@numba.njit(cache=True, nogil=True)
def _visit(
    places: Any, known: Any, n: int, place: int, home: int, inside: Any, is_near: bool
) -> int:
    """Enter a place among those that a resident visited, known or not; return their number."""
    if place == home or not inside[place]:
        return n
    for j in range(n):
        if places[j] == place:
            known[j] |= is_near
            return n
    if n < len(places):
        places[n], known[n] = place, is_near
        return n + 1
    return n


@numba.njit(cache=True, nogil=True)
def _awake(from_s: int, to_s: int, awake: Any, at_home: bool) -> float:
    """Return the seconds awake from one time to another; out of home everybody is."""
    if to_s <= from_s:
        return 0.0
    if not at_home:
        return to_s - from_s
    return float(_awake_until(to_s, awake) - _awake_until(from_s, awake))


@numba.njit(cache=True, nogil=True)
def _awake_until(when_s: int, awake: Any) -> float:
    day, clock = when_s // 86_400, when_s % 86_400
    today = min(max(clock - awake[0], 0.0), awake[1] - awake[0])
    return float(day * (awake[1] - awake[0]) + today)


@numba.njit(cache=True, nogil=True)
def _guess(cameras: Any, times: Any, k: int, counts: Any, gap_s: float) -> tuple[int, int]:
    """Guess the cameras at home and at work from a resident's passages, -1 for no guess.

    Home: the camera that most often has the first or the last passage of a day. Work: of all
    others, the one that most often stands at either end of a gap of some hours inside a weekday.
    """
    if k == 0:
        return -1, -1
    order = np.argsort(times[:k], kind="mergesort")
    for j in range(k):
        day = (times[order[j]] - _DAY_BREAKS_S) // 86_400
        if j == 0 or (times[order[j - 1]] - _DAY_BREAKS_S) // 86_400 != day:
            counts[cameras[order[j]]] += 1
        if j == k - 1 or (times[order[j + 1]] - _DAY_BREAKS_S) // 86_400 != day:
            counts[cameras[order[j]]] += 1
    home = _most(cameras, k, counts, -1)
    for j in range(1, k):
        before, after = times[order[j - 1]], times[order[j]]
        day = (before - _DAY_BREAKS_S) // 86_400
        if after - before >= gap_s and (after - _DAY_BREAKS_S) // 86_400 == day and day % 7 < 5:
            counts[cameras[order[j - 1]]] += 1
            counts[cameras[order[j]]] += 1
    return home, _most(cameras, k, counts, home)


@numba.njit(cache=True, nogil=True)
def _most(cameras: Any, k: int, counts: Any, but: int) -> int:
    """Return the camera with most counts and clear them all; of several the first."""
    best, most = -1, 0
    for j in range(k):
        c = cameras[j]
        if c != but and (counts[c] > most or (counts[c] == most and most > 0 and c < best)):
            best, most = c, counts[c]
    for j in range(k):
        counts[cameras[j]] = 0
    return best


@numba.njit(cache=True, nogil=True)
def _is_near(
    c: int, place: int, camera_x: Any, camera_y: Any, x_m: Any, y_m: Any, near_m: float
) -> bool:
    return bool(np.hypot(camera_x[c] - x_m[place], camera_y[c] - y_m[place]) <= near_m)
