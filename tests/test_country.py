"""In which country a point lies and which languages are spoken there."""

from __future__ import annotations

import math

import pytest

from sousveil.sources._country import country_at, languages_of


@pytest.mark.parametrize(
    ("lon", "lat", "country"),
    [
        (11.5755, 48.1374, "DE"),  # Munich, Marienplatz
        (24.9414, 60.1719, "FI"),  # Helsinki, railway station
        (7.4246, 43.7384, "MC"),  # Monaco, three kilometres from France on every side
        (6.1432, 46.2044, "CH"),  # Geneva
        (-0.1276, 51.5072, "GB"),
        (-76.6122, 39.2904, "US"),  # Baltimore
        (129.0756, 35.1796, "KR"),  # Busan
        (177.4419, -17.6103, "FJ"),  # Lautoka, beside the antimeridian
    ],
)
def test_the_nearest_place_gives_the_country(lon: float, lat: float, country: str) -> None:
    assert country_at(lon, lat) == country


@pytest.mark.parametrize(
    ("lon", "lat"), [(0.0, 0.0), (-140.0, -40.0), (0.0, 90.0), (math.nan, 48.0), (11.0, math.inf)]
)
def test_far_from_every_place_there_is_no_country(lon: float, lat: float) -> None:
    assert country_at(lon, lat) is None


def test_the_antimeridian_does_not_part_neighbours() -> None:
    # Taveuni (Fiji) lies on both sides of 180 degrees; Labasa, 75 km west, is the nearest place
    assert country_at(-179.99, -16.8) == country_at(179.99, -16.8)


def test_languages_of_a_country_begin_with_english() -> None:
    assert languages_of("CH") == ("en", "de", "fr", "it", "rm")
    assert languages_of("NO")[:2] == ("en", "no")
    assert languages_of(None) == ("en",)
    assert languages_of("XX") == ("en",)
