"""What the passes of a way come to: numbers of cameras, seconds, stretches, operators."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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
    order = np.argsort(tally.camera, kind="stable")
    mine = tally.camera[order]
    first = np.flatnonzero(np.concatenate([[True], mine[1:] != mine[:-1]])) if len(mine) else mine
    best = np.maximum.reduceat(tally.best[order], first, axis=0) if len(mine) else tally.best
    if missing is not None:
        missing = missing._replace(like=missing.like[mine[first]])
    classes = np.array(cameras["operator_class"].to_pylist(), dtype=str)[mine[first]]
    return {
        level: _told(best > i, classes, missing, np.random.default_rng(seed + i))
        for i, level in enumerate(LEVELS)
    }


def _told(
    sees: npt.NDArray[np.bool_],
    classes: npt.NDArray[np.str_],
    missing: Missing | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return the numbers of one level. sees: cameras x question x draws."""
    number = sees[:, 0].sum(axis=0)
    could = sees[:, 1].mean(axis=1) >= LEAST_TOLD
    told: dict[str, Any] = {"could": int(could.sum()), **_interval(number)}
    told["all"] = None if missing is None else _interval(_with_others(sees[:, 0], missing, rng))
    told["by_operator_class"] = {
        name: {
            "could": int(could[classes == name].sum()),
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


def operators(passes: pa.Table, cameras: pa.Table) -> list[dict[str, Any]]:
    """Return who could have recorded the person, the likeliest first.

    Nobody's private home is named: they are one row, by number of passes alone.
    """
    rows = passes.filter(
        pc.and_(pc.equal(passes["level"], LEVELS[0]), pc.greater_equal(passes["could"], LEAST_TOLD))
    ).to_pylist()
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
