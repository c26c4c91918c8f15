"""Ranks of countries as probabilities: how often each comes first, second, ... in the draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from sousveil.claims import _places
from sousveil.claims._model import BASE, Claimed, Posterior, Priors, Wanted, fit

DRAWS: Final = 20_000


def rank(
    place: str,
    claims: Sequence[Claimed],
    *,
    spoken_of: Iterable[str],
    seed: int,
    priors: Priors | None = None,
) -> dict[str, Any]:
    """Return the probability of each rank of a country, by cameras per person and by cameras.

    Compared are the countries with an independent claim of the installed base; the others have
    nothing to compare them by. spoken_of: the countries of the evidence. All are put at the year
    that most of their latest claims are of.
    """
    latest = {
        claim.place: max(c.year for c in claims if c.place == claim.place and c.scope == BASE)
        for claim in claims
        if claim.scope == BASE and _places.place_of(claim.place).kind == "country"
    }
    others = sorted({name for name in spoken_of if name not in latest})
    if place not in latest:
        why = f"no independent claim says how large the installed base of {place} is"
        return {"possible": False, "why": why, "among": sorted(latest)}
    if len(latest) < 2:
        why = "no other country has a claim of its installed base"
        return {"possible": False, "why": why, "among": sorted(latest)}
    year = min(Counter(latest.values()).most_common(), key=lambda item: (-item[1], -item[0]))[0]
    countries = sorted(latest)
    posterior = fit(claims, [Wanted(country, BASE, year) for country in countries], priors)
    per_person, total = _draws(posterior, countries, year, seed)
    return {
        "possible": True,
        "definition": BASE,
        "year": year,
        "among": countries,
        "not_compared": others,
        "per_person": _table(place, countries, per_person),
        "total": _table(place, countries, total),
        "draws": DRAWS,
        "seed": seed,
    }


def _draws(posterior: Posterior, countries: list[str], year: int, seed: int) -> tuple[Any, Any]:
    log_rate = posterior.draw(DRAWS, np.random.default_rng(seed))
    people = [_places.people(_places.place_of(country), year) for country in countries]
    log_people = np.log([found.people if found else np.nan for found in people])
    return log_rate, log_rate + log_people


def _table(place: str, countries: list[str], draws: Any) -> dict[str, Any]:
    ranks = (-draws).argsort(axis=1).argsort(axis=1)
    shares = {
        country: {str(r + 1): float((ranks[:, i] == r).mean()) for r in range(len(countries))}
        for i, country in enumerate(countries)
    }
    own = shares[place]
    return {
        "probabilities": own,
        "most_likely": int(max(own, key=lambda r: own[r])),
        "first": own["1"],
        "all": shares,
    }
