"""What the claims of a place come to: one row a definition, with an interval or with its reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sousveil._words import plural
from sousveil.claims import _places
from sousveil.claims._model import (
    BASE,
    MODELLED_SCOPES,
    Claimed,
    Posterior,
    Priors,
    Wanted,
    fit,
)
from sousveil.claims._reading import Read, modelled

METHOD: Final = "hierarchical model of claims"
LOWER: Final = "lower bound (claims)"
NOTHING: Final = "none"
FACTORS: Final = {"half": 0.5, "stated": 1.0, "double": 2.0}
"""By what the standard deviations of the priors are multiplied to show their influence."""

_AT_LEAST: Final = {
    "part": "one network is a part of all cameras",
    "visible": "what the street shows is a part of all cameras, and the survey missed some",
}


def scopes_with_claims(place: str, reads: Sequence[Read]) -> dict[str, list[Read]]:
    """Return the independent claims of a place that the model takes, by definition."""
    of_place = [read for read in reads if read.stands_for == place and modelled(read)]
    found = {scope: [r for r in of_place if r.claim["scope"] == scope] for scope in MODELLED_SCOPES}
    return {scope: claims for scope, claims in found.items() if claims}


def modelled_rows(
    place: str,
    reads: Sequence[Read],
    claims: Sequence[Claimed],
    *,
    year: int | None,
    level: float,
    priors: Priors,
) -> list[dict[str, Any]]:
    """Return an estimate for each definition that an independent claim of the place has.

    year: of all estimates; without it that of the latest claim of each definition. A year after
    that is forecast, as `forecasts` does it.
    """
    scopes = scopes_with_claims(place, reads)
    wanted = [
        Wanted(place, scope, year or max(r.claim["year"] for r in own))
        for scope, own in scopes.items()
    ]
    if not wanted:
        return []
    posteriors = {
        name: fit(claims, wanted, priors.widened(factor)) for name, factor in FACTORS.items()
    }
    rows = []
    for i, (want, own) in enumerate(zip(wanted, scopes.values(), strict=True)):
        tops = _ceilings(want, own, priors)
        ranges = {name: _range(p, i, want, level, tops) for name, p in posteriors.items()}
        rows.append(_row(want, own, ranges, level))
    return rows


def _ceilings(want: Wanted, own: Sequence[Read], priors: Priors) -> npt.NDArray[np.float64] | None:
    """Return the ceilings that hold after the latest claim of a definition, None up to then."""
    return priors.ceilings() if want.year > max(r.claim["year"] for r in own) else None


def _range(
    posterior: Posterior,
    i: int,
    want: Wanted,
    level: float,
    ceilings: npt.NDArray[np.float64] | None = None,
) -> dict[str, float]:
    people = _places.people(_places.place_of(want.place), want.year)
    whole = people.people if people else math.nan
    p = {"estimate": 0.5, "low": (1 - level) / 2, "high": (1 + level) / 2}
    return {name: math.exp(posterior.quantile(i, at, ceilings)) * whole for name, at in p.items()}


def _row(
    want: Wanted, own: list[Read], ranges: dict[str, dict[str, float]], level: float
) -> dict[str, Any]:
    people = _places.people(_places.place_of(want.place), want.year)
    stated = ranges["stated"]
    return {
        "place": want.place,
        "definition": f"{want.scope} in {want.year}",
        "method": METHOD,
        **stated,
        "level": level,
        "n_observed": len(own),
        "lists": len({read.claim["publisher"] for read in own}),
        "sources": sorted({read.claim["publisher"] for read in own}),
        "note": _note(want, own),
        "scope": want.scope,
        "year": want.year,
        "people_per_camera": _per_person(stated, people.people if people else None),
        "people": people.people if people else None,
        "people_year": people.year if people else None,
        "prior_influence": {name: ranges[name] for name in ("half", "double")},
    }


def _per_person(stated: dict[str, float], people: float | None) -> dict[str, float] | None:
    if people is None:
        return None
    names = {"estimate": "estimate", "low": "high", "high": "low"}
    return {name: people / stated[other] for name, other in names.items()}


def _note(want: Wanted, own: list[Read]) -> str:
    latest = max(read.claim["year"] for read in own)
    said = []
    if len(own) == 1:
        said.append(
            "rests on one claim: how wide the interval is comes from the priors and other places"
        )
    elif len({read.claim["publisher"] for read in own}) == 1:
        said.append("all claims are of one publisher: a fault that they share does not show")
    if want.year > latest:
        said.append(
            f"a forecast, {plural(want.year - latest, 'year')} past the latest claim, if growth "
            "goes on and slows"
        )
    if all(read.claim["grade"] in "CD" for read in own):
        said.append("no claim is of grade A or B")
    return "; ".join(said)


def lower_bounds(place: str, reads: Sequence[Read]) -> list[dict[str, Any]]:
    """Return what the claims only bound from below, and what they cannot say at all."""
    of_place = [read for read in reads if read.stands_for == place]
    rows = []
    for role, why in _AT_LEAST.items():
        found = [read for read in of_place if read.role == role and read.number]
        if found:
            rows.append(_at_least(place, max(found, key=_size), why))
    counted = [r for r in of_place if modelled(r) and r.claim["scope"] != BASE
               and r.claim["basis"] == "count"]  # fmt: skip
    if counted and BASE not in scopes_with_claims(place, reads):
        why = f"those of {counted[0].claim['scope']} alone; no claim counts all cameras"
        rows.append(_at_least(place, max(counted, key=_size), why, definition=BASE))
    unsaid = [read for read in of_place if read.role == "no definition"]
    if unsaid and not rows and not scopes_with_claims(place, reads):
        rows.append(_nothing(place, unsaid))
    return rows


def _size(read: Read) -> float:
    return read.number or 0.0


def _at_least(place: str, read: Read, why: str, definition: str | None = None) -> dict[str, Any]:
    number, claim = _size(read), read.claim
    scope = definition or claim["scope"]
    return _plain_row(place, f"{scope} in {claim['year']}", LOWER, scope, claim["year"]) | {
        "estimate": number,
        "low": number,
        "n_observed": 1,
        "lists": 1,
        "sources": [claim["publisher"]],
        "note": f"at least {number:,.0f} by {claim['publisher']}: {why}",
    }


def _nothing(place: str, unsaid: list[Read]) -> dict[str, Any]:
    publishers = sorted({read.claim["publisher"] for read in unsaid})
    return _plain_row(place, "not stated", NOTHING, "unstated", None) | {
        "n_observed": len(unsaid),
        "lists": len(publishers),
        "sources": publishers,
        "note": f"no estimate: {' and '.join(publishers)} did not say what was counted, so there "
        "is nothing that the figures are an estimate of",
    }


def _plain_row(
    place: str, definition: str, method: str, scope: str, year: int | None
) -> dict[str, Any]:
    return {
        "place": place,
        "definition": definition,
        "method": method,
        "estimate": None,
        "low": None,
        "high": None,
        "level": None,
        "scope": scope,
        "year": year,
        "people_per_camera": None,
        "people": None,
        "people_year": None,
        "prior_influence": None,
    }


def forecasts(
    place: str,
    reads: Sequence[Read],
    claims: Sequence[Claimed],
    *,
    this_year: int,
    tested_years: int,
    level: float,
    priors: Priors,
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return each definition in the next year and in five years, and why others have no forecast.

    The growth of the past goes on and slows, give or take, up to an unknown ceiling of cameras per
    person (Priors.damping and .ceiling), which a year that has a claim does not need;
    "prior_influence" has the answer without each, and with all standard deviations halved and
    doubled. One claim shows no growth, so it gives no forecast. tested_years: the longest time
    ahead that earlier forecasts could be tested over.
    """
    scopes = scopes_with_claims(place, reads)
    growing = {s: own for s, own in scopes.items() if len({r.claim["year"] for r in own}) > 1}
    refused = [
        {"definition": scope, "why": "one claim shows no growth"}
        for scope in scopes
        if scope not in growing
    ]
    wanted = [Wanted(place, scope, this_year + ahead) for scope in growing for ahead in (1, 5)]
    if not wanted:
        return [], refused
    ways = {
        "stated": priors,
        "half": priors.widened(FACTORS["half"]),
        "double": priors.widened(FACTORS["double"]),
        "no_ceiling": priors._replace(ceiling=math.inf),
        "straight_line": priors.straight(),
    }
    found = {name: (fit(claims, wanted, way), way) for name, way in ways.items()}
    rows = []
    for i, want in enumerate(wanted):
        ranges = {
            name: _range(p, i, want, level, _ceilings(want, growing[want.scope], way))
            for name, (p, way) in found.items()
        }
        past = want.year - max(r.claim["year"] for r in growing[want.scope])
        people = _places.people(_places.place_of(place), want.year)
        rows.append(
            {
                "place": place,
                "definition": want.scope,
                "year": want.year,
                **ranges.pop("stated"),
                "level": level,
                "prior_influence": ranges,
                "years_past_latest_claim": past,
                "beyond_record": past > tested_years,
                "people_year": people.year if people else None,
            }
        )
    return rows, refused
