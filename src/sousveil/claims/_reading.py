"""What each claim says when it is read with care: the people then, its role, whether it adds up."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import pyarrow as pa

from sousveil.claims import _places, _printed
from sousveil.claims._evidence import role, root
from sousveil.claims._found import compare
from sousveil.claims._model import MODELLED_SCOPES, Claimed
from sousveil.claims._places import ClaimPlace, People

_BASES: Final = {"people_per_camera": None, "per_100": 100.0, "per_1000": 1000.0}
_SD_PER_RANGE: Final = 2 * 1.96  # a publisher's range is taken for a 95 % interval


class Read(NamedTuple):
    """A claim with what it means.

    claim: a row of records.CLAIMS; number: cameras, worked back from the ratio where the claim has
    only that; rate: cameras per person then, None where the people are not known.
    """

    claim: dict[str, Any]
    role: str
    root: str
    stands_for: str
    people: People | None
    number: float | None
    rate: float | None


def read_all(evidence: pa.Table) -> list[Read]:
    """Return all claims as read, in the order of the evidence (records.CLAIMS)."""
    claims = evidence.to_pylist()
    by_id = {claim["claim_id"]: claim for claim in claims}
    return [_read(claim, by_id) for claim in claims]


def _read(claim: dict[str, Any], by_id: dict[str, dict[str, Any]]) -> Read:
    place = _places.place_of(claim["place"])
    people = _people(claim, place)
    number = claim["number"]
    if number is None and people is not None:
        number = _number_of_ratio(claim, people.people)
    return Read(
        claim=claim,
        role=role(claim),
        root=root(claim["claim_id"], by_id),
        stands_for=place.stands_for,
        people=people,
        number=number,
        rate=number / people.people if number and people else None,
    )


def _people(claim: dict[str, Any], place: ClaimPlace) -> People | None:
    """Return the people of the place then; of a city those that the claim itself counts with.

    What belongs to a city is a matter of outline, so the publisher's own figure fits its cameras
    better than any other; for countries the World Bank's series is the same for all claims.
    """
    stated = claim["people"]
    if stated and place.kind in ("city", "other"):
        return People(stated, claim["year"], "as the claim states", "", None)
    return _places.people(place, claim["year"])


def _number_of_ratio(claim: dict[str, Any], people: float) -> float | None:
    if claim["ratio"] is None:
        return None
    base = _BASES[claim["ratio_unit"]]
    value: float = people / claim["ratio"] if base is None else claim["ratio"] * people / base
    return value


def modelled(read: Read) -> bool:
    """Say whether a claim enters the model: independent, of a known definition, with its people."""
    return (
        read.role == "independent"
        and read.claim["scope"] in MODELLED_SCOPES
        and read.rate is not None
    )


def for_model(read: Read) -> Claimed:
    """Return a claim as the model takes it."""
    claim, rate = read.claim, read.rate
    if rate is None:
        raise ValueError(claim["claim_id"])
    low, high = claim["number_low"], claim["number_high"]
    return Claimed(
        place=read.stands_for,
        scope=claim["scope"],
        year=claim["year"],
        publisher=claim["publisher"],
        log_rate=math.log(rate),
        grade=claim["grade"],
        log_range_sd=math.log(high / low) / _SD_PER_RANGE if low and high else 0.0,
        counted=claim["basis"] == "count",
    )


def as_dict(read: Read) -> dict[str, Any]:
    """Return a claim for the JSON object: its row, and what it comes to."""
    people = read.people
    return read.claim | {
        "number": read.number,
        "number_is_worked_back": read.claim["number"] is None,
        "role": read.role,
        "used": modelled(read),
        "people_then": people.people if people else None,
        "people_year": people.year if people else None,
        "people_source": people.source if people else None,
        "people_note": people.note if people else None,
        "people_per_camera": 1 / read.rate if read.rate else None,
        "stated_ratio": _stated(read),
    }


def _stated(read: Read) -> dict[str, Any] | None:
    """Return whether the ratio that was published follows from the number and the people.

    Not where the only people known are of no year: the publisher will have used others.
    """
    claim = read.claim
    if claim["ratio"] is None or claim["number"] is None or read.people is None:
        return None
    if claim["people"] is None and read.people.year is None:
        return None
    people = claim["people"] or read.people.people
    base = _BASES[claim["ratio_unit"]]
    computed = people / claim["number"] if base is None else base * claim["number"] / people
    printed = _printed.read(f"{claim['ratio']:g}", measured=True)
    if printed is None:
        return None
    found = compare(0, claim["claim_id"], "", "ratio", printed, _printed.exact(computed))
    return {
        "printed": claim["ratio"],
        "unit": claim["ratio_unit"],
        "computed": found.computed,
        "people": people,
        "people_implied": _implied(claim, base),
        "people_from": "the claim" if claim["people"] else read.people.source,
        "status": found.status,
    }


def _implied(claim: dict[str, Any], base: float | None) -> float:
    """Return the people that number and ratio of a claim come to."""
    if base is None:
        return float(claim["number"] * claim["ratio"])
    return float(base * claim["number"] / claim["ratio"])
