"""Coordinates: what is used, and in plain words why the others are not."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyproj
import pytest

from sousveil.sources.tabular import _coordinates
from sousveil.sources.tabular._coordinates import Located, locate
from tests.lists import spec


def place(
    folder: Path, lat: str | None, lon: str | None, *, crs: str | None = None, file: str = "",
    accept_swapped: bool = False, ruined: bool = False,
) -> tuple[float, float, str]:  # fmt: skip
    """Longitude, latitude and reason of one row of a list of Munich."""
    found: Located = locate(
        pa.array([lon], pa.string()),
        pa.array([lat], pa.string()),
        None,
        spec=spec(folder, file=file),
        crs=crs,
        accept_swapped=accept_swapped,
        ruined=ruined,
    )
    return found.lon[0], found.lat[0], found.reasons.legend[found.reasons.codes[0]]


@pytest.mark.parametrize(("lat", "lon"), [("48.13", "11.57"), ("+48.13", "1.157e1"), ("48.", "11")])
def test_a_place_inside_is_used(tmp_path: Path, lat: str, lon: str) -> None:
    area = "11.3" if lon == "11" else lon
    found = place(tmp_path, lat, area)
    assert found == (float(area), float(lat), "")


@pytest.mark.parametrize(
    ("lat", "lon", "reason"),
    [
        (None, "11.57", "no coordinates"),
        ("48.13", None, "no coordinates"),
        ("0", "0.0", "the coordinates are 0, 0"),
        ("48,13", "11,57", "the coordinates are not numbers"),
        ("nan", "inf", "the coordinates are not numbers"),
        ("N 48.13", "11.57", "the coordinates are not numbers"),
        ("481.351.253", "115.819.806", "the coordinates are ruined by thousands separators"),
        ("48.13", "115.819.806", "the coordinates are ruined by thousands separators"),
        ("48,135,125", "11.57", "the coordinates are ruined by thousands separators"),
        ("11.57", "48.13", _coordinates.SWAPPED),
        ("48.13", "48.13", "latitude and longitude are the same number"),
        ("481.3", "11.57", "no such place on Earth"),
        ("52.52", "13.40", "outside Munich"),
        ("-48.13", "11.57", "outside Munich"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, lat: str | None, lon: str | None, reason: str
) -> None:
    x, y, said = place(tmp_path, lat, lon)
    assert said == reason
    assert math.isnan(x)  # nothing is guessed
    assert math.isnan(y)


def test_swapped_coordinates_are_used_only_when_asked_for(tmp_path: Path) -> None:
    assert place(tmp_path, "11.57", "48.13", accept_swapped=True) == (11.57, 48.13, "")
    assert place(tmp_path, "52.52", "13.40", accept_swapped=True)[2] == "outside Munich"


def test_a_list_with_ruined_numbers_is_not_trusted_where_a_number_may_be_one(
    tmp_path: Path,
) -> None:
    """48.135 is a place in Munich, or 48135 with its thousands separated."""
    assert place(tmp_path, "48.135", "11.571")[2] == ""
    assert place(tmp_path, "48.135", "11.571", ruined=True)[2] == _coordinates.MAY_BE_RUINED
    assert place(tmp_path, "48.1351", "11.5712", ruined=True)[2] == ""


def test_a_decimal_comma_is_read_where_the_description_says_so(tmp_path: Path) -> None:
    assert place(tmp_path, "48,13", "11,57", file='[file]\ndecimal = ","') == (11.57, 48.13, "")


def test_projected_coordinates_come_to_degrees(tmp_path: Path) -> None:
    """Marienplatz in UTM zone 32: there and back by pyproj agrees to a millimetre."""
    to_utm = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:25832", always_xy=True)
    east, north = to_utm.transform(11.575448, 48.137154)
    lon, lat, reason = place(tmp_path, f"{north:.4f}", f"{east:.4f}", crs="EPSG:25832")
    assert (lon, lat) == (pytest.approx(11.575448, abs=1e-8), pytest.approx(48.137154, abs=1e-8))
    assert reason == ""


def test_coordinates_off_a_projection_are_no_place(tmp_path: Path) -> None:
    assert place(tmp_path, "1e30", "1e30", crs="EPSG:25832")[2] == (
        "no such place in the list's reference system"
    )
