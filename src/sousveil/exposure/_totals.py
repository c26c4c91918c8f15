"""What the passes of a way come to: numbers of cameras, seconds, stretches, operators."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import poisson

from sousveil.records import LEVELS, OPERATOR_CLASSES

Floats = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.95

LIKELY: Final = 0.5
"""From this probability on a moment is told as one of being identified."""

_CONTACTS: Final = {
    "email": ("operator:email", "contact:email", "email"),
    "phone": ("operator:phone", "contact:phone", "phone"),
    "website": ("operator:website", "contact:website", "website"),
    "address": ("operator:addr", "operator:address"),
}


class Undercount(NamedTuple):
    """How many cameras there are for each one on record: between least and most."""

    least: float = 1.0
    most: float | None = None  # None: not known, so there are "at least" so many


def number_of_cameras(probability: Iterable[float], undercount: Undercount) -> dict[str, Any]:
    """Return expected number of cameras that saw the person, with a 95 % interval.

    probability: of each camera on record. Given these, cameras are independent, so their number is
    Poisson binomial; those not on record are taken to lie as those on it and to be Poisson. high is
    None without a bound for the undercount: then it is at least low.
    """
    chance = np.array([p for p in probability if p > 0], np.float64)
    expected = float(chance.sum())
    tail = (1.0 - CONFIDENCE) / 2.0
    low = _quantile(_of_record(chance), expected * (undercount.least - 1.0), tail)
    high = None
    if undercount.most is not None:
        high = _quantile(_of_record(chance), expected * (undercount.most - 1.0), 1.0 - tail)
    return {"expected": expected * undercount.least, "low": low, "high": high}


def _of_record(chance: Floats) -> Floats:
    """Return the distribution of how many of independent events happen."""
    mass = np.zeros(len(chance) + 1)
    mass[0] = 1.0
    for n, p in enumerate(chance, start=1):
        mass[1 : n + 1] = mass[1 : n + 1] * (1.0 - p) + mass[:n] * p
        mass[0] *= 1.0 - p
    return mass


def _quantile(mass: Floats, mean_of_others: float, at: float) -> int:
    if mean_of_others > 0:
        most = int(poisson.ppf(1 - 1e-9, mean_of_others)) + 1
        mass = np.convolve(mass, poisson.pmf(np.arange(most + 1), mean_of_others))
    return int(np.searchsorted(np.cumsum(mass), at - 1e-12))


def cameras_by_level(passes: pa.Table, undercount: Undercount) -> dict[str, Any]:
    """Return for each level how many cameras could have and did see the person, by operator class.

    A camera that was passed several times counts with its best pass.
    """
    best: dict[str, dict[str, tuple[float, float, str]]] = defaultdict(dict)
    names = ("level", "camera_id", "probability", "could", "operator_class")
    for level, camera, p, could, owner in zip(
        *(passes[name].to_pylist() for name in names), strict=True
    ):
        old = best[level].get(camera, (0.0, 0.0, owner))
        best[level][camera] = (max(p, old[0]), max(could, old[1]), owner)
    return {level: _told(best[level].values(), undercount) for level in LEVELS}


def _told(cameras: Iterable[tuple[float, float, str]], undercount: Undercount) -> dict[str, Any]:
    cameras = list(cameras)
    by_class = {}
    for name in OPERATOR_CLASSES:
        mine = [(p, c) for p, c, owner in cameras if owner == name]
        by_class[name] = {"could": len(mine), "expected": sum(p for p, _ in mine)}
    told = number_of_cameras([p for p, _, _ in cameras], undercount)
    return {"could": len(cameras), **told, "by_operator_class": by_class}


def seconds(watchful: pa.Table, moments: pa.Table, undercount: Undercount) -> dict[str, Any]:
    """Return for each level the seconds seen at a random moment, and that could be seen.

    seen_s_high counts in the cameras not on record, None where their number has no bound.
    """
    length_s = moments["end_s"].to_numpy() - moments["start_s"].to_numpy()
    told: dict[str, Any] = {"known_s": float(length_s.sum())}
    for i, level in enumerate(LEVELS):
        columns = {
            name: watchful[name].to_numpy()[i :: len(LEVELS)]
            for name in ("probability", "could", "public", "private")
        }
        seen = columns["probability"]
        high = None
        if undercount.most is not None:
            high = float((length_s * more(seen, undercount.most)).sum())
        told[level] = {
            "seen_s": float((length_s * more(seen, undercount.least)).sum()),
            "seen_s_high": high,
            "could_s": float((length_s * columns["could"]).sum()),
            "public_s": float((length_s * columns["public"]).sum()),
            "private_s": float((length_s * columns["private"]).sum()),
        }
    return told


def more(probability: Floats, times: float) -> Floats:
    """Return the probability of being seen by at least one of `times` as many cameras."""
    return np.asarray(-np.expm1(times * np.log1p(-np.minimum(probability, 1.0 - 1e-12))))


def stretches(
    chosen: npt.NDArray[np.bool_], moments: pa.Table, began: datetime | None
) -> list[dict[str, Any]]:
    """Return the unbroken runs of chosen moments, in the order of the way."""
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
            found.append(
                {
                    "first": a,
                    "last": b,
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


def operators(passes: pa.Table, cameras: pa.Table) -> list[dict[str, Any]]:
    """Return who could have recorded the person, the likeliest first.

    Nobody's private home is named: they are one row, by number of passes alone.
    """
    rows = passes.filter(pc.equal(passes["level"], LEVELS[0])).to_pylist()
    contacts = _contacts(cameras)
    groups: dict[tuple[bool, str | None, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        home = row["private_home"]
        groups[home, None if home else row["operator"], row["operator_class"]].append(row)
    told = [
        {
            "operator": name,
            "operator_class": owner,
            "private_homes": home,
            "cameras": len({row["camera_id"] for row in rows}),
            "expected": _expected(rows),
            "passes": len({row["pass"] for row in rows}),
            "retention_days": min(
                (r["retention_days"] for r in rows if r["retention_days"] is not None), default=None
            ),
            "contact": {} if home or name is None else contacts.get(name, {}),
        }
        for (home, name, owner), rows in groups.items()
    ]
    return sorted(told, key=lambda one: (-one["expected"], str(one["operator"])))


def _expected(rows: list[dict[str, Any]]) -> float:
    best: dict[str, float] = {}
    for row in rows:
        best[row["camera_id"]] = max(best.get(row["camera_id"], 0.0), row["probability"])
    return sum(best.values())


def _contacts(cameras: pa.Table) -> dict[str, dict[str, str]]:
    """Return how operators can be reached, as far as the sources say; nothing is made up."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, home, raw in zip(
        *(cameras[c].to_pylist() for c in ("operator", "private_home", "raw")), strict=True
    ):
        if name is None or home or not raw:
            continue
        tags = json.loads(raw)
        for kind, keys in _CONTACTS.items():
            value = next((tags[key] for key in keys if isinstance(tags.get(key), str)), None)
            if value:
                found[name].setdefault(kind, value)
    return dict(found)
