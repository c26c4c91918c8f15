"""What the cameras record of the residents' trips, and whom a search would name in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil.residents import DAY_S, Passed, Residents
from sousveil.residents._chance import keyed, share
from sousveil.retrace._network import Cameras, Floats, Ints
from sousveil.retrace._powers import Powers

MISSED, SEEN, NAMED = 0, 1, 2


class Record(NamedTuple):
    """Passages of residents by cameras, in the order of trips and of the way.

    Those of trip t are start[t]:start[t + 1]. level: 1 to 4 for
    records.LEVELS, 0 for missed; state: MISSED (the
    camera looked elsewhere), SEEN, or NAMED. wrong_*: passages filed under a resident who was not
    there, in the order of these residents and of time, those of resident i from wrong_start[i].
    """

    start: npt.NDArray[np.int64]
    camera: Ints
    level: npt.NDArray[np.int8]
    time_s: Ints
    at_m: npt.NDArray[np.float32]
    state: npt.NDArray[np.int8]
    wrong_start: npt.NDArray[np.int64]
    wrong_camera: Ints
    wrong_time_s: Ints


def record(
    residents: Residents, passed: Passed, cameras: Cameras, attends: Floats, powers: Powers, *,
    seed: int, world: int,
) -> Record:  # fmt: skip
    """Return what cameras record. passed: of residents.walk with the marks of the same world.

    A draw depends on whom and what it decides alone, so that two choices of powers differ only in
    what the powers change.
    """
    n = len(passed.group)
    time_s, levels, state = np.empty(n, np.int32), np.empty(n, np.int8), np.empty(n, np.int8)
    wrong = np.full(n, -1, np.int32)
    by_level = np.concatenate([[0.0], powers.recognised])
    _record(
        np.uint64(seed), world, residents.people.n, passed.start, passed.group, passed.rank,
        passed.at_m, residents.trips.resident, residents.trips.depart_s,
        residents.people.speed_m_s, attends, cameras.sees_faces, by_level, powers.false_match,
        powers.at_night, powers.dark_hours[0] * 3600.0, powers.dark_hours[1] * 3600.0,
        powers.recorded_hours[0] * 3600.0, powers.recorded_hours[1] * 3600.0,
        time_s, levels, state, wrong,
    )  # fmt: skip
    rows = np.flatnonzero(wrong >= 0)
    rows = rows[np.lexsort((time_s[rows], wrong[rows]))]
    number = np.bincount(wrong[rows], minlength=residents.people.n)
    return Record(
        start=passed.start,
        camera=passed.group,
        level=levels,
        time_s=time_s,
        at_m=passed.at_m,
        state=state,
        wrong_start=np.concatenate([[0], np.cumsum(number)]).astype(np.int64),
        wrong_camera=passed.group[rows],
        wrong_time_s=time_s[rows],
    )


@numba.njit(cache=True, nogil=True)
def _record(
    seed: Any, world: int, n_residents: int, start: Any, camera: Any, level: Any, at_m: Any,
    resident: Any, depart_s: Any, speed: Any, attends: Any, sees_faces: Any, by_level: Any,
    false_match: float, at_night: float, dusk_s: float, dawn_s: float,
    starts_s: float, stops_s: float,
    time_s: Any, levels: Any, state: Any, wrong: Any,
) -> None:  # fmt: skip
    for t in range(len(resident)):
        i = resident[t]
        for j in range(start[t], start[t + 1]):
            c = camera[j]
            when = depart_s[t] + int(at_m[j] / speed[i])
            time_s[j] = when
            # Those who pass together find the camera turned the same way.
            u = share(keyed(seed, c, when // 20, world * 8 + 1))
            clock = when % DAY_S
            reached = level[j] if starts_s <= clock < stops_s else 0
            while reached > 0 and u >= attends[c, reached - 1]:
                reached -= 1
            levels[j] = reached
            if reached == 0:
                state[j] = MISSED
                continue
            state[j] = SEEN
            if not sees_faces[c]:
                continue
            factor = at_night if clock >= dusk_s or clock < dawn_s else 1.0
            bits = keyed(seed, i, c, when * 64 + world)
            if share(bits) < by_level[reached] * factor:
                state[j] = NAMED
            elif reached >= 3 and share(keyed(bits, 71, 0, 0)) < false_match:
                wrong[j] = int(share(keyed(bits, 72, 0, 0)) * n_residents)
