"""What public bodies of a country counted of their own cameras, year by year."""

from __future__ import annotations

from sousveil.claims import _places
from sousveil.claims._evidence import evidence, role


def counted(country: str) -> dict[int, float]:
    """Return the official count of public cameras of a country by year, {} where there is none.

    country: ISO 3166-1 alpha-2. Copies, compilations and estimates of others are left out.
    """
    return {
        claim["year"]: claim["number"]
        for claim in evidence().to_pylist()
        if claim["scope"] == "public bodies"
        and claim["basis"] == "count"
        and role(claim) == "independent"
        and claim["number"]
        and _places.place_of(claim["place"]).iso2 == (country,)
    }
