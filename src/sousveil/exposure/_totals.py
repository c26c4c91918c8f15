"""What the passes of a way come to: numbers of cameras, seconds, stretches, operators."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.exposure._along import Tally
from sousveil.records import LEVELS, OPERATOR_CLASSES
from sousveil.undercount import Missing

Floats = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.95

LEAST_TOLD: Final = 0.05
"""From this probability on a camera counts as one that could have seen the person, and a moment as
one of being identified: less would depend on how many draws were made."""

_CONTACTS: Final = {
    "email": ("operator:email", "contact:email", "email"),
    "phone": ("operator:phone", "contact:phone", "phone"),
    "website": ("operator:website", "contact:website", "website"),
    "address": ("operator:addr", "operator:address"),
}


def cameras_by_level(
    tally: Tally, cameras: pa.Table, missing: Missing | None, *, seed: int
) -> dict[str, Any]:
    """Return for each level how many cameras could have seen the person, and how many did.

    could: those that with at least LEAST_TOLD could have been turned to the person.
    expected, low, high: of the cameras on record, from the draws (95 %); they hold what cameras
    share. all: with those not on record, which are taken to lie as the others do and to be Poisson;
    null where their number is not known, and then there are "at least low".
    A camera that was passed several times counts once.
    """
    by_camera = _by_camera(tally)
    if missing is not None:
        missing = missing._replace(like=missing.like[by_camera.camera])
    classes = np.array(cameras["operator_class"].to_pylist(), dtype=str)[by_camera.camera]
    return {
        level: _told(by_camera.best > i, classes, missing, np.random.default_rng(seed + i))
        for i, level in enumerate(LEVELS)
    }


class _ByCamera(NamedTuple):
    """The cameras of a tally: each once, with its best level in each draw over all its passes."""

    camera: npt.NDArray[np.int64]  # row of the table of cameras
    best: npt.NDArray[np.uint8]  # cameras x question x draws

    @property
    def could(self) -> npt.NDArray[np.bool_]:
        """Whether each counts as one that could have seen the person at all."""
        return could(self.best > 0)


def could(sees: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which cameras count as ones that could have seen: cameras x question x draws."""
    return np.asarray(sees[:, 1].mean(axis=1) >= LEAST_TOLD)


def _by_camera(tally: Tally) -> _ByCamera:
    order = np.argsort(tally.camera, kind="stable")
    mine = tally.camera[order]
    if not len(mine):
        return _ByCamera(mine, tally.best)
    first = np.flatnonzero(np.concatenate([[True], mine[1:] != mine[:-1]]))
    return _ByCamera(mine[first], np.maximum.reduceat(tally.best[order], first, axis=0))


def _told(
    sees: npt.NDArray[np.bool_],
    classes: npt.NDArray[np.str_],
    missing: Missing | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return the numbers of one level. sees: cameras x question x draws."""
    number = sees[:, 0].sum(axis=0)
    counts = could(sees)
    told: dict[str, Any] = {"could": int(counts.sum()), **_interval(number)}
    told["all"] = None if missing is None else _interval(_with_others(sees[:, 0], missing, rng))
    told["by_operator_class"] = {
        name: {
            "could": int(counts[classes == name].sum()),
            **_interval(sees[classes == name, 0].sum(axis=0)),
        }
        for name in OPERATOR_CLASSES
    }
    return told


def _interval(number: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return mean and 95 % interval of a number from its draws."""
    tail = (1.0 - CONFIDENCE) / 2.0
    low = np.quantile(number, tail, method="lower")
    high = np.quantile(number, 1.0 - tail, method="higher")
    return {"expected": float(number.mean()), "low": int(low), "high": int(high)}


def _with_others(
    sees: npt.NDArray[np.bool_], missing: Missing, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Add to each draw (sees: cameras x draws) the cameras not on record, each like one that is."""
    number = sees.sum(axis=0)
    of_one = float(missing.like @ sees.mean(axis=1))
    others = rng.poisson(missing.numbers(rng.standard_normal(len(number))) * of_one)
    return np.asarray(number + others, np.int64)


def seconds(
    watchful: pa.Table, moments: pa.Table, factors: tuple[float, float, float] | None
) -> dict[str, Any]:
    """Return for each level the seconds seen at a random moment, and that could be seen.

    factors: cameras there are for each one on record, estimate, low and high. all: with the cameras
    not on record, null where their number is not known.
    """
    covered = moments["covered"].to_numpy(zero_copy_only=False)
    length_s = (moments["end_s"].to_numpy() - moments["start_s"].to_numpy()) * covered
    told: dict[str, Any] = {"known_s": float(length_s.sum())}
    for i, level in enumerate(LEVELS):
        seen, could, public, private = (
            watchful[name].to_numpy()[i :: len(LEVELS)]
            for name in ("probability", "could", "public", "private")
        )

        def total(chance: Floats) -> float:
            return float((length_s * chance).sum())

        all_of = None
        if factors is not None:
            names = ("estimate", "low", "high")
            all_of = {n: total(more(seen, k)) for n, k in zip(names, factors, strict=True)}
        told[level] = {
            "seen_s": total(seen),
            "could_s": total(could),
            "public_s": total(public),
            "private_s": total(private),
            "all": all_of,
        }
    return told


PARTS: Final = ("likely", "possible", "none", "outside", "silent")
"""What a moment can be: seen with LIKELY or more; some chance; no camera on record could see it in
any draw; outside what the sources map; in a gap of the track."""

LIKELY: Final = 0.5


def parts(watchful: pa.Table, moments: pa.Table, whole_s: float, level: str) -> dict[str, int]:
    """Return the whole time in whole seconds, each second in just one of PARTS.

    Fractions are rounded by largest remainder, so that the parts sum to the total, which is the
    time rounded. Seen is meant at the level.
    """
    rows = slice(LEVELS.index(level), None, len(LEVELS))
    seen, could = (watchful[n].to_numpy()[rows] for n in ("probability", "could"))
    covered = moments["covered"].to_numpy(zero_copy_only=False)
    part = np.where(seen >= LIKELY, 0, np.where(could > 0, 1, 2))
    length_s = moments["end_s"].to_numpy() - moments["start_s"].to_numpy()
    exact = np.bincount(np.where(covered, part, 3), length_s, len(PARTS))
    exact[PARTS.index("silent")] = max(whole_s - exact.sum(), 0.0)
    whole = np.floor(exact).astype(np.int64)
    total = max(round(exact.sum()), int(whole.sum()))
    fullest = np.argsort(whole - exact, kind="stable")
    whole[fullest[: total - int(whole.sum())]] += 1
    told = {f"{name}_s": int(n) for name, n in zip(PARTS, whole, strict=True)}
    return told | {"total_s": total}


def more(probability: Floats, times: float) -> Floats:
    """Return the probability of being seen by at least one of `times` as many cameras."""
    return np.asarray(-np.expm1(times * np.log1p(-np.minimum(probability, 1.0 - 1e-12))))


def stretches(
    chosen: npt.NDArray[np.bool_],
    moments: pa.Table,
    began: datetime | None,
    chance: Floats | None = None,
) -> list[dict[str, Any]]:
    """Return the unbroken runs of chosen moments along the way, each with its best chance."""
    trip = moments["way"].to_numpy().astype(np.int64) * (1 << 20) + moments["leg"].to_numpy()
    edge = np.ones(len(chosen), bool)
    edge[1:] = (chosen[1:] != chosen[:-1]) | (trip[1:] != trip[:-1])
    first = np.flatnonzero(edge)
    last = np.concatenate([first[1:], [len(chosen)]])[: len(first)] - 1
    start_s, end_s = moments["start_s"].to_numpy(), moments["end_s"].to_numpy()
    along = np.concatenate([[0.0], np.cumsum(moments["length_m"].to_numpy())])
    names = moments["street"].to_pylist()
    found = []
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        if chosen[a]:
            best: dict[str, Any] = (
                {} if chance is None else {"probability": float(chance[a : b + 1].max())}
            )
            found.append(
                best
                | {
                    "start": clock(began, start_s[a]),
                    "end": clock(began, end_s[b]),
                    "start_s": float(start_s[a]),
                    "end_s": float(end_s[b]),
                    "length_m": float(along[b + 1] - along[a]),
                    "streets": list(dict.fromkeys(n for n in names[a : b + 1] if n)),
                }
            )
    return found


def clock(began: datetime | None, seconds: float) -> str | None:
    """Return the time after so many seconds in the zone of the beginning (ISO 8601)."""
    if began is None:
        return None
    moment = datetime.fromtimestamp(began.timestamp() + round(seconds), began.tzinfo)
    return moment.isoformat(timespec="seconds")


def operators(tally: Tally, cameras: pa.Table) -> list[dict[str, Any]]:
    """Return who could have recorded the person, the likeliest first: one row for each name.

    The cameras are those that `cameras_by_level` counts as "could" for the lowest level, so the
    rows sum to that number. Cameras whose operator no source names are one row for each kind of
    operator; private homes are one row, which names nobody. An operator whose cameras are of
    several kinds in the sources is of the commonest, public first.
    """
    by_camera = _by_camera(tally)
    groups: dict[tuple[bool, str | None, str], list[int]] = defaultdict(list)
    names, owners, homes = (
        cameras[c].to_pylist() for c in ("operator", "operator_class", "private_home")
    )
    for i, camera in enumerate(by_camera.camera.tolist()):
        if by_camera.could[i]:
            home = bool(homes[camera])
            name = None if home else names[camera]
            groups[home, name, owners[camera] if name is None else ""].append(i)
    told = []
    for (home, name, _), rows in groups.items():
        mine = by_camera.camera[rows].tolist()
        told.append(
            {
                "operator": name,
                "named": name is not None,
                "operator_class": _commonest([owners[camera] for camera in mine]),
                "private_homes": home,
                "cameras": len(rows),
                "expected": float(by_camera.best[rows, 0].astype(bool).mean(axis=1).sum()),
                "passes": int(np.isin(tally.camera, mine).sum()),
                "retention_days": _shortest(cameras, mine),
                "contact": {} if home or name is None else _contact(cameras, mine),
            }
        )
    return sorted(told, key=lambda one: (-one["expected"], str(one["operator"])))


def _commonest(owners: list[str]) -> str:
    return max(OPERATOR_CLASSES, key=lambda one: (owners.count(one), one == "public"))


def _shortest(cameras: pa.Table, mine: list[int]) -> float | None:
    kept = cameras["retention_days"].take(pa.array(mine)).to_pylist()
    return min((days for days in kept if days is not None), default=None)


def _contact(cameras: pa.Table, mine: list[int]) -> dict[str, str]:
    """Return how an operator can be reached, as far as its own cameras say; nothing is made up."""
    found: dict[str, str] = {}
    for raw in cameras["raw"].take(pa.array(mine)).to_pylist():
        tags = json.loads(raw) if raw else {}
        for kind, keys in _CONTACTS.items():
            value = next((tags[key] for key in keys if isinstance(tags.get(key), str)), None)
            if value:
                found.setdefault(kind, value)
    return found
