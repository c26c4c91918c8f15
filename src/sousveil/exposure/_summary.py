"""The JSON object of an exposure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from sousveil import track as tracks
from sousveil.exposure import _totals
from sousveil.exposure._along import Tally
from sousveil.exposure._between import Found
from sousveil.exposure._register import Register
from sousveil.records import LEVELS
from sousveil.track._matching import Matched
from sousveil.undercount import Missing

PRIVATE: Final = (
    "This is your own way. It was read and kept on this machine only; nothing was sent anywhere."
)
PLANNED: Final = (
    "This is a way of your own plan. It was reckoned and kept on this machine only; nothing was "
    "sent anywhere."
)
QUESTIONS: Final = {
    "could": "A camera could be turned to where you were, and nothing stood in between.",
    "probability": "You were in a picture at a random moment, given what is unknown of the camera.",
}
QUESTIONS_PLANNED: Final = {
    "could": "A camera could be turned to where you are, and nothing stands in between.",
    "probability": "You are in a picture at a random moment, given what is unknown of the camera.",
}
NO_PROMISE: Final = (
    "No way is promised to be unseen: there are cameras that no source has, and it is not known "
    "which cameras {were} on."
)


def of_track(
    way: tracks.Track,
    matched: Matched,
    moments: pa.Table,
    watchful: pa.Table,
    passes: pa.Table,
    tally: Tally,
    cameras: pa.Table,
    there: Register,
    began: datetime | None,
    **asked: int,
) -> dict[str, Any]:
    """Return what a track comes to."""
    known_s = pc.sum(pc.subtract(moments["end_s"], moments["start_s"])).as_py() or 0.0
    whole_s = float(matched.time_s[-1])
    return {
        "kind": "track",
        "private": PRIVATE,
        "track": {
            "name": way.name,
            "format": way.format,
            "points": way.points.num_rows + len(way.set_aside),
            "set_aside": len(way.set_aside),
            "has_times": way.has_times,
            "timezone": str(way.zone),
            "start": _totals.clock(began, 0.0),
            "end": _totals.clock(began, whole_s),
            "duration_s": whole_s,
            "gaps": int(matched.leg[-1]),
            "gap_s": max(0.0, whole_s - known_s),
            "outside_s": _outside_s(moments),
            "length_m": float(pc.sum(moments["length_m"]).as_py() or 0.0),
            "on_street_share": matched.on_street_share,
        },
        "parts": _totals.parts(watchful, moments, whole_s, LEVELS[0]),
        "questions": QUESTIONS,
        "no_promise": NO_PROMISE.format(were="were"),
        **_common(moments, watchful, passes, tally, cameras, there, began, asked),
        "files": {},
    }


def of_ways(
    found: Found,
    watchful: pa.Table,
    passes: pa.Table,
    tally: Tally,
    cameras: pa.Table,
    there: Register,
    *,
    level: str,
    **asked: int,
) -> dict[str, Any]:
    """Return what the ways between two points come to; the main figures are of the shortest."""
    told, missing = [], _near(there, cameras)
    for row in found.table.drop_columns(["geometry"]).to_pylist():
        mine = _of_way(tally, row["way"])
        numbers = _totals.cameras_by_level(mine, cameras, missing, seed=asked["seed"])
        told.append(row | {"cameras": numbers})
    moments, watchful, passes = (
        t.filter(pc.equal(t["way"], 0)) for t in (found.moments, watchful, passes)
    )
    shortest = _of_way(tally, 0)
    return {
        "kind": "ways",
        "private": PLANNED,
        "from": list(found.start),
        "to": list(found.goal),
        "level": level,
        "m_per_s": tracks.WALKING_M_PER_S,
        "ways": told,
        "parts": _totals.parts(watchful, moments, float(moments["end_s"][-1].as_py()), level),
        "questions": QUESTIONS_PLANNED,
        "no_promise": NO_PROMISE.format(were="are"),
        **_common(moments, watchful, passes, shortest, cameras, there, None, asked, level),
        "files": {},
    }


def _near(there: Register, cameras: pa.Table) -> Missing | None:
    """Return what is on no record, of the cameras near the way."""
    if there.missing is None:
        return None
    row = pc.index_in(cameras["camera_id"], there.cameras["camera_id"]).to_numpy()
    return there.missing._replace(like=there.missing.like[row])


def _factors(there: Register) -> tuple[float, float, float] | None:
    return there.missing and there.missing.per(there.cameras.num_rows)


def _outside_s(moments: pa.Table) -> float:
    """Return the seconds outside what the sources map, of which nothing is known."""
    there = moments.filter(pc.invert(moments["covered"]))
    return float(pc.sum(pc.subtract(there["end_s"], there["start_s"])).as_py() or 0.0)


def _of_way(tally: Tally, way: int) -> Tally:
    mine = tally.way == way
    return Tally(tally.camera[mine], tally.way[mine], tally.best[mine])


def _common(
    moments: pa.Table,
    watchful: pa.Table,
    passes: pa.Table,
    tally: Tally,
    cameras: pa.Table,
    there: Register,
    began: datetime | None,
    asked: dict[str, int],
    level: str = LEVELS[0],
) -> dict[str, Any]:
    """Return what a track and a planned way both have; unseen stretches are those at a level."""
    could = watchful["could"].to_numpy()[LEVELS.index(level) :: len(LEVELS)]
    best = watchful["probability"].to_numpy()[LEVELS.index("identify") :: len(LEVELS)]
    unseen = (could == 0) & moments["covered"].to_numpy(zero_copy_only=False)
    operators = _totals.operators(tally, cameras)
    return {
        "on": there.on.isoformat(),
        "country": there.country,
        "sources": there.sources,
        "attribution": there.attribution,
        "undercount": there.missing and there.missing.told(),
        **asked,
        "cameras": _totals.cameras_by_level(
            tally, cameras, _near(there, cameras), seed=asked["seed"]
        ),
        "passes": int(pc.count_distinct(passes["pass"]).as_py() or 0),
        "time": _totals.seconds(watchful, moments, _factors(there)),
        "identified": _totals.stretches(best >= _totals.LEAST_TOLD, moments, began, best),
        "unseen": _totals.stretches(unseen, moments, began),
        "named_operators": sum(one["named"] for one in operators),
        "operators": operators,
    }
