"""The coverage in one object: the JSON of the command."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.coverage import _living, _sensitivity
from sousveil.coverage._living import QUESTIONS
from sousveil.coverage._seeing import Seen
from sousveil.records import LEVELS
from sousveil.undercount import Missing

if TYPE_CHECKING:
    from sousveil.coverage import Scene

Floats = npt.NDArray[np.float64]

BY: Final = ("any", "public", "private", "unknown")
"""Whose cameras see; the classes of _kernel.N_CLASSES, without the two that bound the others."""

MAYBE: Final = {"public": 4, "private": 5}
"""The class of cameras that are or may be such: what bounds the share from above."""
WAYS: Final = ("streets", "footways", "all")


def summarise(
    scene: Scene,
    seen: Seen,
    *,
    views: pa.Table,
    place: str,
    on: date | None,
    draws: int,
    seed: int,
    undercount: Missing | None,
    drivers: _sensitivity.Drivers | None,
    buildings: pa.Table,
    homes: pa.Table | None,
    people: _living.People | None,
    population: int | None,
    homes_left_out: int,
    hidden_km: tuple[float, float],
) -> dict[str, Any]:
    """Return the summary; every value can be written as JSON."""
    length_km = np.bincount(scene.points.kind, scene.points.length_mm / 1e6, minlength=2)
    lived_in = _living.dwellings(scene, buildings, homes)
    listed = scene.views.listed
    indoor = int((scene.views.indoor & listed).sum())
    moved = int(((scene.views.moved_m > 0) & listed & ~scene.views.indoor).sum())
    return {
        "place": place,
        "on": on and on.isoformat(),
        "radius_m": scene.radius_m,
        "draws": draws,
        "seed": seed,
        "cameras": {
            "listed": int(listed.sum()),
            "indoor": indoor,
            "used": int(listed.sum()) - indoor,
            "private_homes_left_out": homes_left_out,
            "views": views.num_rows,
            "moved_out_of_buildings": moved,
            "direction_stated": int(np.isfinite(scene.views.bearing_deg).sum()),
        },
        "undercount": undercount and undercount.told() | _in_sight(scene, undercount),
        "street_km": round(float(length_km[0]), 6),
        "footway_km": round(float(length_km[1]), 6),
        "hidden_km": {"streets": round(hidden_km[0], 6), "footways": round(hidden_km[1], 6)},
        "seen": _shares(seen, length_km),
        "homes": _living.told(scene, seen, lived_in, population),
        "residents": _living.told_people(scene, seen, lived_in, people),
        "drivers": _sensitivity.as_json(drivers),
        "notes": _notes(undercount, draws, drivers, homes_left_out),
    }


def _shares(seen: Seen, length_km: npt.NDArray[Any]) -> list[dict[str, Any]]:
    rows = []
    km = seen.sums / 1e6
    for w, ways in enumerate(WAYS):
        total = length_km.sum() if ways == "all" else length_km[w]
        for q, question in enumerate(QUESTIONS):
            for k, by in enumerate(BY):
                for i, level in enumerate(LEVELS):
                    drawn = _drawn(km[q, k, :, i], w)
                    low, known = np.quantile(drawn, [0.025, 0.975])
                    high = known
                    if by in MAYBE:
                        high = np.quantile(_drawn(km[q, MAYBE[by], :, i], w), 0.975)
                    share = [x / total if total else 0.0 for x in (drawn.mean(), low, high, known)]
                    rows.append(
                        {
                            "ways": ways,
                            "question": question,
                            "by": by,
                            "level": level,
                            "km": round(float(drawn.mean()), 6),
                            "share": round(float(share[0]), 6),
                            "low": round(float(share[1]), 6),
                            "high": round(float(share[2]), 6),
                            "high_known": round(float(share[3]), 6),
                        }
                    )
    return rows


def _in_sight(scene: Scene, undercount: Missing) -> dict[str, Any]:
    """Return how many of the unlisted cameras may see streets: outdoors, not of private homes."""
    if scene.unlisted is None or not undercount.known:
        return {"unlisted_used": None}
    share = scene.unlisted.share
    found = (undercount.estimate, undercount.low, undercount.high)
    names = ("estimate", "low", "high")
    used = {
        name: round(max(n or 0.0, 0.0) * share, 3) for name, n in zip(names, found, strict=True)
    }
    return {"unlisted_used": used}


def _drawn(km: Floats, ways: int) -> Floats:
    """Return the kilometres of a kind of way (of WAYS) in each draw; km: kinds x draws."""
    total: Floats = km.sum(axis=0) if WAYS[ways] == "all" else km[ways]
    return total


_AT_LEAST: Final = "Cameras that no list has are not in the figures, which are therefore at least."


def _notes(
    undercount: Missing | None,
    draws: int,
    drivers: _sensitivity.Drivers | None,
    homes_left_out: int,
) -> list[str]:
    notes = [
        "Seen means that the pixels would allow it in good light; nobody need look.",
        "Seen at a random moment: with cameras that turn looking one way. Could be seen: if they "
        "were turned there.",
        "Public and private: the share and its interval are by cameras known to be such; “up to” "
        "is as if every camera of unknown owner were such, too. What those see is told as unknown.",
    ]
    if undercount is None or not undercount.known or draws == 0:
        notes.append((undercount and not undercount.known and undercount.note) or _AT_LEAST)
    elif undercount.note:
        notes.append(undercount.note)
    if homes_left_out:
        homes, where = (
            ("1 camera of a private home is", "what it sees would show where it is")
            if homes_left_out == 1
            else (f"{homes_left_out:,} cameras of private homes are",
                  "what they see would show where they are")
        )  # fmt: skip
        notes.append(f"{homes} left out: {where}.")
    if draws == 0:
        notes.append("No draws: the middle of every prior stands for what is unknown, unknown "
                     "directions are spread evenly, and there are no intervals.")  # fmt: skip
    elif drivers is None:
        notes.append("What drives the uncertainty was not computed: nothing varies, or SALib is "
                     "not installed (pip install 'sousveil[sensitivity]').")  # fmt: skip
    return notes
