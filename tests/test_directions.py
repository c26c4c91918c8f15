"""Korean words for where a camera looks, as they stand in the real lists of the standard."""

from __future__ import annotations

import pytest

from sousveil.sources.tabular._directions import View, korean


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("360도전방면", View(hfov_deg=360.0)),  # the example of the national standard
        ("360도 전방면", View(hfov_deg=360.0)),
        ("360도다방면", View(hfov_deg=360.0)),
        ("360도 전방향", View(hfov_deg=360.0)),
        ("360", View(hfov_deg=360.0)),
        ("90도 정면", View(hfov_deg=90.0)),
        ("90도 전방", View(hfov_deg=90.0)),
        ("60도단방향", View(hfov_deg=60.0)),
        ("고정", View(housing="fixed")),
        ("학교주변고정", View(housing="fixed")),
        ("회전", View(housing="panning")),
        ("회전(열화상)", View(housing="panning")),
        ("영주아파트 앞 골목(동쪽) 방면", View((90.0,))),
        ("남동향", View((135.0,))),
        ("북측", View((0.0,))),
        ("서방향", View((270.0,))),
        ("정남쪽", View((180.0,))),
        ("동", View((90.0,))),
        ("북서쪽 60도 단방향", View((315.0,), 60.0)),
    ],
)
def test_a_text_that_says_where_or_how_a_camera_looks(text: str, view: View) -> None:
    assert korean(text) == (view, None)


def test_sides_beside_an_all_round_camera_leave_the_width_open() -> None:
    view, reason = korean("360도 전방면/보수사거리 동쪽도로 방면/보수사거리 서쪽도로 방면")
    assert view == View((90.0, 270.0))
    assert reason == "views of different width: their width is left out"


@pytest.mark.parametrize(
    "text",
    [
        "130",  # a bearing or an angle of view
        "170도 방면",  # towards 170 degrees, or 170 degrees wide
        "방범-2023-용호-387-3",  # the number of a camera
        "창선동우체국 방면",  # towards a post office in a quarter whose name ends in "east"
        "동구청 앞",  # a district
        "남문 방면",  # a gate
        "101동 앞",  # a house
        "우회전 차로",  # a lane that turns right
        "회전교차로",  # a roundabout
        "400도 단방향",
    ],
)
def test_what_says_neither_is_set_aside(text: str) -> None:
    view, reason = korean(text)
    assert view is None
    assert reason
