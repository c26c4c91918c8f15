"""Free text about where a Korean camera looks (촬영방면정보): bearings, field of view, housing.

Read, by the real values of the national standard: 360도 전방면, 360도다방면 and a bare 360 (all
round), 90도 정면 and 60도 단방향 (an angle of view to one side), 회전 (turns), 고정 (fixed), and
compass words that stand for a side (동쪽, 남동향, 북측, 서방향). Not read: names of places towards
which a camera looks (우체국 방면), numbers of cameras, a bare 130, and 170도 방면, which may be an
angle of view or a bearing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple


class View(NamedTuple):
    """Where an installation looks, as far as its list says."""

    bearings: tuple[float, ...] = ()
    hfov_deg: float | None = None
    housing: str | None = None


_COMPASS: Final = {
    "북": 0.0,
    "북동": 45.0,
    "동북": 45.0,
    "동": 90.0,
    "남동": 135.0,
    "동남": 135.0,
    "남": 180.0,
    "남서": 225.0,
    "서남": 225.0,
    "서": 270.0,
    "북서": 315.0,
    "서북": 315.0,
}
_ALL_ROUND: Final = re.compile(
    r"(?<!\d)360(?:도|°)?\s*(?:전방면|전방향|전방위|다방면|다방향)|전방위|^360도?$"
)
_ANGLE: Final = re.compile(r"(?<!\d)(\d{2,3})(?:도|°)\s*(?:정면|전방(?![면향위])|단방향|단방면)")
# A side, not part of a name: 동쪽, but not 동구 (a district), 남문 (a gate) or 101동 (a house).
_SIDE: Final = re.compile(
    r"(?<!\w)정?([동서남북]{1,2})(?:쪽|측|향(?!\w)|방향|방면)|(?<!\w)([동서남북]{1,2})(?!\w)"
)
_TURNS: Final = re.compile(r"(?<![좌우유])회전(?!교차로|문)")  # not a turn, a roundabout, a door
_FIXED: Final = re.compile("고정")


@lru_cache(maxsize=65_536)
def korean(text: str) -> tuple[View | None, str | None]:
    """Read one text; None and the reason where it says neither a bearing nor how a camera looks."""
    plain = text.strip()
    sides = [one or other for one, other in _SIDE.findall(plain)]
    bearings = tuple(dict.fromkeys(_COMPASS[side] for side in sides if side in _COMPASS))
    angles = {float(match) for match in _ANGLE.findall(plain)}
    if any(angle > 360.0 for angle in angles):
        return None, "not a field of view between 0 and 360 degrees"
    if _ALL_ROUND.search(plain):
        angles.add(360.0)
    housing = _housing(plain)
    if not bearings and not angles and housing is None:
        return None, "no bearing, angle of view or housing in it"
    if len(angles) > 1 or (bearings and 360.0 in angles):
        return View(bearings, None, housing), "views of different width: their width is left out"
    return View(bearings, angles.pop() if angles else None, housing), None


def _housing(text: str) -> str | None:
    fixed, turns = bool(_FIXED.search(text)), bool(_TURNS.search(text))
    return None if fixed == turns else "fixed" if fixed else "panning"
