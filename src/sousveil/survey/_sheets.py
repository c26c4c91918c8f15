"""Sheets to print for the walkers: their way, and a card with a map for each stretch."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
import typst

from sousveil import export
from sousveil.survey import _maps

RULES: Final = (
    "Walk each stretch from A to B and look at both sides. Count every camera that you can see "
    "from the street, also above you and behind glass; a dome is one, two heads on one arm two.",
    "A camera belongs to the stretch that it stands nearest to: at a crossing, count it once.",
    "Write 0 where there is none. Leave a stretch that you did not walk empty.",
    "Write the metres from A and the side as you walk from A: 12L 40R. With a second walker on the "
    "stretch, compare notes at the end and write how many cameras both of you saw.",
    "Doorbells and cameras of homes count, but write no name or house number. Take no pictures of "
    "people. Stay where everybody may walk.",
)
"""What walkers are told."""

_OVERVIEW: Final = (680, 560)
_CARD: Final = (340, 168)
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)  # the same plan gives the same file


def write(
    path: Path,
    *,
    title: str,
    attribution: str,
    walkers: Sequence[Mapping[str, Any]],
    ground: _maps.Base,
) -> None:
    """Write the sheets as PDF.

    walkers: with title, summary, route (n x 2 metres) and stretches, each with order, id, street,
    length, stratum, twice, line (metres) and forward.
    """
    template = resources.files("sousveil.survey").joinpath("sheets.typ").read_bytes()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sheets.typ").write_bytes(template)
        described = [_walker(folder, i, walker, ground) for i, walker in enumerate(walkers)]
        content = {
            "title": title,
            "attribution": attribution,
            "rules": list(RULES),
            "walkers": described,
        }
        export.write_json(content, folder / "sheets.json")
        typst.compile(
            str(folder / "sheets.typ"),
            output=str(path),
            format="pdf",
            ignore_system_fonts=True,
            timestamp=_EPOCH,
        )


def _walker(
    folder: Path, number: int, walker: Mapping[str, Any], ground: _maps.Base
) -> dict[str, Any]:
    lines = [stretch["line"] for stretch in walker["stretches"]]
    overview = f"walker-{number}.svg"
    (folder / overview).write_text(_overview(ground, walker["route"], lines), encoding="utf-8")
    cards = []
    for at, stretch in enumerate(walker["stretches"]):
        name = f"walker-{number}-{at}.svg"
        svg = _card(ground, stretch["line"], forward=stretch["forward"])
        (folder / name).write_text(svg, encoding="utf-8")
        known = ("order", "id", "street", "length", "stratum", "twice")
        cards.append({key: stretch[key] for key in known} | {"map": name})
    return {
        "title": walker["title"],
        "summary": walker["summary"],
        "map": overview,
        "stretches": cards,
    }


def _overview(ground: _maps.Base, route: npt.NDArray[np.float64], lines: Sequence[Any]) -> str:
    corners = np.concatenate([route, shapely.get_coordinates(lines)])
    width, height = _OVERVIEW
    at = _maps.view(corners, width=width, height=height, least_m=300, margin_m=40)
    return _maps.overview(ground, at, route, lines)


def _card(ground: _maps.Base, line: Any, *, forward: bool) -> str:
    width, height = _CARD
    points = shapely.get_coordinates(line)
    at = _maps.view(points, width=width, height=height, least_m=120, margin_m=25)
    return _maps.card(ground, at, line, forward=forward)
