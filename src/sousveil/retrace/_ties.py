"""Who belongs together, read from a record: people who are again and again seen at once.

After Crandall et al., Inferring social ties from geographic coincidences, PNAS 107 (2010): a very
small number of meetings at different times and places already makes a tie likely.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil.residents._people import People

Ints = npt.NDArray[np.int32]


class Ties(NamedTuple):
    """Pairs that a record suggests, against the households that the residents live in.

    recall: of all pairs of a target and another member of its household; recall_of_met: of those
    pairs that went anywhere together.
    """

    suggested: int
    right: int
    household_pairs: int
    met_pairs: int

    @property
    def precision(self) -> float | None:
        """Return the share of suggested pairs that share a household, None without any."""
        return self.right / self.suggested if self.suggested else None

    @property
    def recall(self) -> float | None:
        """Return the share of household pairs that are suggested."""
        return self.right / self.household_pairs if self.household_pairs else None

    @property
    def recall_of_met(self) -> float | None:
        """Return the same of pairs that went somewhere together."""
        return self.right / self.met_pairs if self.met_pairs else None


def ties(
    people: People, targets: Any, resident: Any, camera: Any, time_s: Any, met_pairs: int, *,
    together_s: float, meetings: int, places: int,
) -> Ties:  # fmt: skip
    """Return the ties of targets that passages of named residents suggest.

    A meeting: both pass a camera within together_s. A pair is suggested by meetings in at least so
    many different hours, and at so many different cameras.
    """
    # Sorted by camera, time and resident as one number, which is several times faster than lexsort.
    span = np.int64(time_s.max()) + 1 if len(time_s) else np.int64(1)
    key = np.sort((camera.astype(np.int64) * span + time_s) * people.n + resident)
    key, resident = np.divmod(key, people.n)
    camera, time_s = (part.astype(np.int32) for part in np.divmod(key, span))
    resident = resident.astype(np.int32)
    first = np.searchsorted(camera, np.arange(int(camera.max()) + 2 if len(camera) else 1))
    of_target = np.zeros(people.n, bool)
    of_target[targets] = True
    rows = np.flatnonzero(of_target[resident])
    rows = rows[np.argsort(resident[rows], kind="stable")]
    suggested, right = _ties(
        resident, camera, time_s, first, rows, people.household, int(together_s), meetings, places
    )
    size = np.diff(people.first)[people.household[targets]]
    return Ties(int(suggested), int(right), int((size - 1).sum()), met_pairs)


@numba.njit(cache=True, nogil=True)
def _ties(
    resident: Any, camera: Any, time_s: Any, first: Any, rows: Any, household: Any,
    together_s: int, meetings: int, places: int,
) -> tuple[int, int]:  # fmt: skip
    suggested, right = 0, 0
    met = np.empty(1024, np.int64)
    a = 0
    while a < len(rows):
        target, n = resident[rows[a]], 0
        while a < len(rows) and resident[rows[a]] == target:
            r = rows[a]
            c, when = camera[r], time_s[r]
            for step in (-1, 1):
                j = r + step
                while first[c] <= j < first[c + 1] and abs(time_s[j] - when) <= together_s:
                    if resident[j] != target:
                        if n == len(met):
                            larger = np.empty(2 * n, np.int64)
                            larger[:n] = met
                            met = larger
                        met[n] = (
                            (np.int64(resident[j]) << 32)
                            | (np.int64(when // 3600) << 18)
                            | np.int64(c)
                        )
                        n += 1
                    j += step
            a += 1
        s, w = _suggested(np.sort(met[:n]), household, household[target], meetings, places)
        suggested += s
        right += w
    return suggested, right


@numba.njit(cache=True, nogil=True)
def _suggested(met: Any, household: Any, mine: int, meetings: int, places: int) -> tuple[int, int]:
    """Count those met in enough hours at enough cameras, and how many of them live with one."""
    suggested, right, a = 0, 0, 0
    while a < len(met):
        other, hours, b = met[a] >> 32, 0, a
        before = np.int64(-1)
        while b < len(met) and met[b] >> 32 == other:
            hour = met[b] >> 18
            hours += hour != before
            before = hour
            b += 1
        if hours >= meetings:
            cameras = np.unique(met[a:b] & 0x3FFFF)
            if len(cameras) >= places:
                suggested += 1
                right += household[other] == mine
        a = b
    return suggested, right
