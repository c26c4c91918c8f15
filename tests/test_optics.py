"""Optics against the printed table, the standard's figures, and plain geometry."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sousveil.cli import app
from sousveil.errors import UnusableInput
from sousveil.optics import (
    LEVELS_PX_PER_M,
    SENSOR_WIDTHS_MM,
    along_the_ground,
    blind_m,
    distance_m,
    hfov_deg,
    optics,
    px_per_m,
    reach_m,
    slant_m,
    upper_edge_m,
    vfov_deg,
)

# pixels, HFOV, then metres at 12.5 25 62.5 125 250 1000 px/m, the arc form at 25, and
# 20 40 80 500 1500 px/m: arithmetic from the definitions of IEC 62676-4, rounded to centimetres.
TABLE = """
1920 90  76.80  38.40 15.36  7.68  3.84 0.96  48.89  48.00 24.00 12.00 1.92 0.64
1920 60 133.02  66.51 26.60 13.30  6.65 1.66  73.34  83.14 41.57 20.78 3.33 1.11
1920 30 286.62 143.31 57.32 28.66 14.33 3.58 146.68 179.14 89.57 44.78 7.17 2.39
3840 60 266.04 133.02 53.21 26.60 13.30 3.33 146.68 166.28 83.14 41.57 6.65 2.22
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_the_printed_distances(line: str) -> None:
    pixels, hfov, *printed = line.split()
    flat = [12.5, 25, 62.5, 125, 250, 1000]
    ours = [float(distance_m(int(pixels), int(hfov), density)) for density in flat]
    ours.append(float(distance_m(int(pixels), int(hfov), 25, form="arc")))
    ours += [float(distance_m(int(pixels), int(hfov), d)) for d in (20, 40, 80, 500, 1500)]
    # Half a unit of the last printed digit; 83.135 and its like may be printed either way.
    assert np.abs(np.array(ours) - np.array(printed, float)).max() <= 0.005 + 1e-9


def test_lenses_before_a_sensor() -> None:
    ours = hfov_deg(SENSOR_WIDTHS_MM["1/2.8"], [2.8, 4, 6, 12])
    assert [f"{value:.1f}" for value in ours] == ["87.6", "67.7", "48.2", "25.2"]


def test_the_levels_of_both_editions() -> None:
    assert list(LEVELS_PX_PER_M["2014"].values()) == [12.5, 25, 62.5, 125, 250, 1000]
    assert list(LEVELS_PX_PER_M["2025"].values()) == [20, 40, 80, 125, 250, 500, 1500]
    levels = optics(1920, 90, edition="2025")["levels"]
    assert levels[0] == {"name": "overview", "px_per_m": 20.0, "distance_m": pytest.approx(48)}
    assert [level["name"] for level in levels][-1] == "scrutinise"


def test_the_arc_form_is_the_only_one_above_180_degrees() -> None:
    assert optics(3000, 360, form="arc")["levels"][1]["distance_m"] == pytest.approx(
        3000 / (2 * np.pi * 25)
    )
    with pytest.raises(UnusableInput, match="--form arc"):
        optics(3000, 200)
    assert np.isnan(distance_m(3000, 180, 25))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pixels": 0, "hfov_deg": 90}, "--pixels 0"),
        ({"pixels": 1920, "hfov_deg": 0}, "--hfov 0"),
        ({"pixels": 1920, "hfov_deg": 361, "form": "arc"}, "--hfov 361"),
        ({"pixels": 1920, "hfov_deg": 90, "edition": "2020"}, "--edition 2020"),
        ({"pixels": 1920, "hfov_deg": 90, "form": "round"}, "--form round"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(UnusableInput, match=said):
        optics(**arguments)  # type: ignore[arg-type]


def test_height_shortens_the_reach_and_never_lengthens_it() -> None:
    assert reach_m(5.0, 4.6) == pytest.approx(4.0)  # a right triangle of 3, 4, 5
    assert reach_m(2.0, 4.6) == 0.0
    assert slant_m(4.0, 4.6) == pytest.approx(5.0)


@given(st.floats(0.1, 300), st.floats(1.6, 50), st.floats(0, 50))
def test_higher_is_shorter(slant: float, height: float, more: float) -> None:
    low, high = reach_m(slant, height), reach_m(slant, height + more)
    assert high <= low <= slant
    assert slant_m(low, height) == pytest.approx(max(slant, height - 1.6))


def test_the_edges_of_the_picture_on_the_ground() -> None:
    # 3 m above the face, the axis 45 degrees down, 30 degrees high: edges at 60 and 30 degrees.
    assert blind_m(4.6, 45, 30) == pytest.approx(3 / np.tan(np.radians(60)))
    assert upper_edge_m(4.6, 45, 30) == pytest.approx(3 / np.tan(np.radians(30)))
    assert blind_m(4.6, 80, 30) == 0  # it sees straight down
    assert np.isinf(upper_edge_m(4.6, 10, 30))  # it sees the horizon
    assert np.isinf(blind_m(4.6, -20, 30))  # it looks up
    assert np.isinf(upper_edge_m(1.0, 0, 30))


def test_the_vertical_field_of_view_of_a_wide_picture() -> None:
    assert vfov_deg(90) == pytest.approx(2 * np.degrees(np.arctan(9 / 16)))
    assert vfov_deg(360) == 180


def test_densities_and_distances_are_inverse() -> None:
    hfov = np.linspace(10, 170, 17)
    for form in ("flat", "arc", "auto"):
        at = distance_m(1920, hfov, 125, form=form)
        assert px_per_m(1920, hfov, at, form=form) == pytest.approx(np.full(17, 125))


def test_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sousveil", "optics", "--pixels", "1920", "--hfov", "90", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    assert list(answer) == ["levels", "blind_m", "upper_edge_m"]
    assert answer["blind_m"] is None
    assert answer["upper_edge_m"] is None
    assert answer["levels"][4] == {"name": "identify", "px_per_m": 250.0,
                                   "distance_m": pytest.approx(3.84)}  # fmt: skip


def test_a_tilted_camera_sees_faces_between_the_edges_of_its_picture() -> None:
    # 90 degrees wide at 16:9 is 2 atan(9/16) high. Looking down by atan(1/2), tangents add up to
    # (1/2 + 9/16) / (1 - 9/32) = 34/23 for the lower edge; the upper one lies above the horizon.
    # 4 m above the face that is 4 * 23/34 m; 1920 pixels reach 3.84 m for identify: not at all,
    # and 7.68 m for recognise: sqrt(7.68^2 - 4^2) = 6.556 m along the ground.
    levels = optics(1920, 90)
    told = along_the_ground(levels, 5.6, float(np.degrees(np.arctan(0.5))), hfov=90)
    assert told["blind_m"] == pytest.approx(4 * 23 / 34)
    assert told["upper_edge_m"] is None
    reach = {level["name"]: level["distance_m"] for level in told["levels"]}
    assert reach["identify"] == 0
    assert reach["recognise"] == pytest.approx(6.5561, abs=1e-4)
    # By 45 degrees: tangents (1 + 9/16) / (1 - 9/16) = 25/7 and, of the upper edge, 7/25.
    told = along_the_ground(levels, 5.6, 45, hfov=90)
    assert told["blind_m"] == pytest.approx(4 * 7 / 25)
    assert told["upper_edge_m"] == pytest.approx(4 * 25 / 7)
    reach = {level["name"]: level["distance_m"] for level in told["levels"]}
    assert reach["detect"] == reach["monitor"] == told["upper_edge_m"]
    assert along_the_ground(levels, 5.6, hfov=90)["blind_m"] is None


def test_what_is_nearer_than_the_blind_zone_reaches_nobody() -> None:
    # Level, 4 m above the face: blind up to 4 * 16/9 = 7.11 m, more than the 6.56 m of recognise.
    told = along_the_ground(optics(1920, 90), 5.6, 0, hfov=90)
    assert told["blind_m"] == pytest.approx(4 * 16 / 9)
    assert [level["distance_m"] > 0 for level in told["levels"]] == [True] * 3 + [False] * 3


@pytest.mark.parametrize(("height", "tilt"), [(None, 30), (5, -1), (5, 91), (-1, None)])
def test_a_tilt_needs_a_height_and_both_must_be_possible(
    height: float | None, tilt: float | None
) -> None:
    with pytest.raises(UnusableInput, match="--tilt" if tilt is not None else "--height"):
        along_the_ground(optics(1920, 90), height, tilt, hfov=90)


def test_the_command_says_what_is_not_in_view() -> None:
    said = [sys.executable, "-m", "sousveil", "optics", "--pixels", "1920", "--hfov", "90"]
    said += ["--height", "5.6", "--tilt", "45"]
    lines = subprocess.run(said, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[4].split(maxsplit=3) == ["identify", "250", "px/m", "not at all"]
    assert lines[6:] == [
        "blind zone   a face nearer than 1.12 m is not in view",
        "upper edge   nor is one beyond 14.29 m",
    ]


def test_what_no_pixel_reaches_is_not_given_as_a_distance() -> None:
    done = CliRunner().invoke(app, ["optics", "--pixels", "1920", "--hfov", "90", "--height", "8"])
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines["identify"].endswith("not at all")
    assert lines["detect"].endswith(" m")
    assert " 0.00 m" not in done.stdout
