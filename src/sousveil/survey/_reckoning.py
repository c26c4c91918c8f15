"""The result of a survey, from its plan and what the walkers wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sousveil.survey import _detection, _estimating, _forms, _frame
from sousveil.survey._estimating import Draw, Frame, Seen, Totals

Floats = npt.NDArray[np.float64]

_NONE_SEEN: Final = float(-np.log(0.025))
"""Poisson mean above which no camera at all would be seen less than once in forty times."""


class Walked(NamedTuple):
    """What walkers brought, by drawn stretch, before anything is made of it."""

    found: Floats  # different cameras seen
    walked: npt.NDArray[np.bool_]
    observers: list[tuple[int, ...]]  # numbers of the walkers of each stretch
    walkers: list[str]
    pairs: list[_forms.Pair]


class Corrected(NamedTuple):
    """Cameras of each stretch with those nobody saw, and how sure that correction is."""

    seen: Seen
    detection: _detection.Detection | None
    share: Floats  # chance that a camera of a stretch was seen
    share_draws: dict[tuple[int, ...], Floats]


def layout(plan: Mapping[str, Any]) -> tuple[Frame, list[Draw]]:
    """Return the drawn stretches of a plan and its draws, as arrays over the drawn stretches."""
    rows = plan["stretches"]
    strata = [row["stratum"] for row in plan["frame"]["strata"]]
    to_m = _frame.metric(*plan["projection"])
    x, y = to_m.transform([row["lon"] for row in rows], [row["lat"] for row in rows])
    frame = Frame(
        stratum=np.array([strata.index(row["stratum"]) for row in rows], dtype=np.int64),
        size=np.array([row["size_m"] for row in rows]),
        points=np.column_stack([x, y]),
        n_strata=len(strata),
    )
    ids = [row["stretch_id"] for row in rows]
    draws = []
    for draw in plan["draws"]:
        probability = np.array([draw["probability"].get(name, 0.0) for name in ids])
        before = set(draw["settled"])
        draws.append(Draw(probability, probability > 0, np.array([i in before for i in ids])))
    return frame, draws


def collect(plan: Mapping[str, Any], entries: Sequence[_forms.Entry]) -> Walked:
    """Return what the entries say of each drawn stretch."""
    number = {row["stretch_id"]: i for i, row in enumerate(plan["stretches"])}
    walkers = sorted({entry.walker for entry in entries})
    found = np.zeros(len(number))
    observers: list[tuple[int, ...]] = [()] * len(number)
    for entry in entries:
        i = number[entry.stretch]
        found[i] += entry.cameras
        observers[i] = tuple(sorted((*observers[i], walkers.index(entry.walker))))
    pairs = _forms.pairs(entries)
    for pair in pairs:
        found[number[pair.stretch]] -= pair.both
    walked = np.array([bool(who) for who in observers])
    return Walked(found, walked, observers, walkers, pairs)


def correct(walked: Walked, random: np.random.Generator) -> Corrected:
    """Return the cameras of each stretch corrected for detection, where it could be estimated."""
    cells = [
        _detection.Cells(
            walked.walkers.index(pair.first),
            walked.walkers.index(pair.second),
            pair.only_first,
            pair.only_second,
            pair.both,
        )
        for pair in walked.pairs
    ]
    n = len(walked.walkers)
    detection = _detection.estimate(cells, n, random) if cells else None
    used = detection or _detection.perfect(n)
    chances = {who: used.seen_by(who) for who in set(walked.observers) if who}
    share = np.array([chances[who][0] if who else 1.0 for who in walked.observers])
    seen = Seen(
        cameras=walked.found / share,
        noise=walked.found * (1 - share) / share**2,
        walked=walked.walked,
    )
    return Corrected(seen, detection, share, {who: draws for who, (_, draws) in chances.items()})


def reckon(
    plan: Mapping[str, Any], entries: Sequence[_forms.Entry], random: np.random.Generator
) -> dict[str, Any]:
    """Return the JSON object of `survey estimate`."""
    frame, draws = layout(plan)
    walked = collect(plan, entries)
    corrected = correct(walked, random)
    by_stratum = _estimating.totals(frame, draws, corrected.seen)
    relative = of_detection(walked, corrected, by_stratum.weight)
    known = by_stratum.walked > 0
    km = np.array([row["street_km"] for row in plan["frame"]["strata"]])
    size = np.array([row["size_m"] for row in plan["frame"]["strata"]])
    looked_m = frame.size * walked.walked * corrected.share
    walked_m = np.asarray(
        np.bincount(frame.stratum, looked_m, minlength=frame.n_strata), dtype=np.float64
    )
    answer = _figures(
        by_stratum, np.flatnonzero(known), relative=relative, size=size, walked_m=walked_m
    )
    answer["low"] = max(answer["low"], float(walked.found.sum()))
    street_km = float(km[known].sum())
    answer |= {
        "per_km": answer["total"] / street_km,
        "per_km_low": answer["low"] / street_km,
        "per_km_high": answer["high"] / street_km,
        "street_km": street_km,
        "definition": _definition(corrected),
        "seen": int(walked.found.sum()),
        "stretches": {
            "of": plan["frame"]["stretches"],
            "drawn": len(plan["stretches"]),
            "surveyed": int(walked.walked.sum()),
            "not_surveyed": int((~walked.walked).sum()),
        },
        "detection": _detection_row(walked, corrected),
        "strata": [],
    }
    for h, row in enumerate(plan["frame"]["strata"]):
        own: dict[str, Any] = dict.fromkeys(("total", "se", "low", "high"))
        if known[h]:
            own = _figures(
                by_stratum, np.array([h]), relative=relative, size=size, walked_m=walked_m
            )
        if by_stratum.walked[h] < 2:  # one stretch shows no spread
            own |= {"se": None, "low": None, "high": None}
        own.pop("level", None)
        answer["strata"].append(
            {
                "stratum": row["stratum"],
                "street_km": row["street_km"],
                "surveyed": int(by_stratum.walked[h]),
                **own,
            }
        )
    if not known.all():
        # What was not walked holds none at least: the figure is of the rest and has no upper end.
        answer |= {"high": None, "per_km_high": None}
    answer["worth"] = worth(plan, frame, draws, corrected.seen)
    answer["warnings"] = _warnings(plan, walked, corrected, known)
    return answer


def _figures(
    found: Totals, strata: npt.NDArray[np.int64], *, relative: float, size: Floats, walked_m: Floats
) -> dict[str, Any]:
    total = float(found.total[strata].sum())
    variance, unevenness = found.variance[strata].sum(), found.unevenness[strata].sum()
    if total <= 0:
        scale = size[strata].sum() / walked_m[strata].sum()
        low, high = 0.0, _NONE_SEEN * float(scale)
    else:
        low, high = _estimating.interval(
            total, float(variance), float(unevenness), relative_variance=relative
        )
    return {
        "total": total,
        "se": math.sqrt(variance + relative * total**2),
        "low": low,
        "high": high,
        "level": _estimating.LEVEL,
    }


def of_detection(walked: Walked, corrected: Corrected, weight: Floats) -> float:
    """Return what detection adds to variance / total^2: the variance of the log of the total."""
    if corrected.detection is None or not walked.found.any():
        return 0.0
    sums: dict[tuple[int, ...], float] = {}
    for who, expanded in zip(walked.observers, weight * walked.found, strict=True):
        if who:
            sums[who] = sums.get(who, 0.0) + float(expanded)
    drawn = np.sum([total / corrected.share_draws[who] for who, total in sums.items()], axis=0)
    return float(np.log(drawn).var())


def _definition(corrected: Corrected) -> str:
    if corrected.detection is None:
        return "cameras that a walker sees from the street; who looks longer may see more"
    return "cameras that can be seen from the street, with those that the walkers missed"


def _detection_row(walked: Walked, corrected: Corrected) -> dict[str, Any] | None:
    if corrected.detection is None:
        return None
    each = []
    for i, walker in enumerate(walked.walkers):
        low, high = np.quantile(corrected.detection.draws[:, i], [0.025, 0.975])
        p = float(corrected.detection.p[i])
        # Who missed nothing may see all: the exact interval of a share ends at 1 there too.
        each.append({"walker": walker, "p": p,
                     "low": min(float(low), p), "high": max(float(high), p)})  # fmt: skip
    expanded = float(corrected.seen.cameras.sum())
    return {
        "walkers": each,
        "seen_share": float(walked.found.sum()) / expanded if expanded else None,
        "stretches_walked_twice": len(walked.pairs),
        "both": sum(pair.both for pair in walked.pairs),
        "one_alone": sum(pair.only_first + pair.only_second for pair in walked.pairs),
    }


def worth(
    plan: Mapping[str, Any], frame: Frame, draws: Sequence[Draw], seen: Seen
) -> list[dict[str, Any]]:
    """Return what one more hour of one person in each stratum does to the width of the interval.

    From the spread that each stratum showed, shrunk towards that of the place; the share is
    Neyman's, the mix of further stretches that narrows the interval most. Best first.
    """
    rows = plan["frame"]["strata"]
    size = np.array([row["size_m"] for row in rows])
    deviation = _estimating.deviations(frame, draws, seen)
    n = np.bincount(frame.stratum[seen.walked], minlength=frame.n_strata).astype(float)
    all_ = np.array([row["stretches"] for row in rows], dtype=float)
    spread = (size * deviation) ** 2
    more = np.minimum(plan["stretches_an_hour"], np.maximum(all_ - n, 0.0))

    def variance(walked: Floats) -> Floats:
        return np.asarray(spread / np.maximum(walked, 1.0) * (1 - np.minimum(walked / all_, 1.0)))

    now, then = variance(n), variance(n + more)
    left = np.where(all_ > n, size * deviation, 0.0)
    whole = now.sum()
    found = [
        {
            "stratum": row["stratum"],
            "share_of_more": float(left[h] / left.sum()) if left.sum() else 0.0,
            "share_of_variance": float(now[h] / whole) if whole else 0.0,
            "stretches_more": float(more[h]),
            "narrows_by": float(1 - math.sqrt((whole - now[h] + then[h]) / whole))
            if whole
            else 0.0,
        }
        for h, row in enumerate(rows)
    ]
    return sorted(found, key=lambda row: -float(row["narrows_by"]))


def _warnings(
    plan: Mapping[str, Any],
    walked: Walked,
    corrected: Corrected,
    known: npt.NDArray[np.bool_],
) -> list[str]:
    said = []
    missing = int((~walked.walked).sum())
    if missing:
        said.append(
            f"{missing} of {len(walked.walked)} drawn stretches were not surveyed; the others of "
            "their stratum count for more, which is right if what kept walkers away has nothing "
            "to do with cameras"
        )
    for h in np.flatnonzero(~known):
        row = plan["frame"]["strata"][h]
        said.append(
            f"no stretch of {row['stratum']} was surveyed: its {row['street_km']:.1f} km are not "
            "in the figures, so the total is at least so many"
        )
    if not walked.pairs:
        said.append(
            "no stretch was walked by two people, so cameras that walkers overlook are not in the "
            "figures; plan with --double 0.3 to know how many those are"
        )
    elif corrected.detection is None:
        said.append("nothing was seen by both walkers: detection cannot be estimated")
    elif sum(pair.both for pair in walked.pairs) < 10:
        said.append("fewer than 10 cameras were seen by both walkers: detection is hardly known")
    if walked.walked.sum() < 30:
        said.append("fewer than 30 stretches: an interval of cameras in clumps may be too narrow")
    if 0 < (walked.found > 0).sum() < 10:
        said.append("cameras stood on fewer than 10 stretches: the interval is a rough one")
    return said
