"""The page of a coverage: a map of what is seen of the streets, and the figures in tables."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil import __version__
from sousveil._words import plural
from sousveil.coverage._picture import COLOURS, MEANING, svg
from sousveil.records import LEVELS
from sousveil.report import _environment, _maplibre, _policy, _template
from sousveil.report._map import safe_json
from sousveil.report._tiles import background

if TYPE_CHECKING:
    from sousveil.coverage import Coverage

SHOWN: Final = {
    "could": "Could be seen, by any camera",
    "probability": "Seen at a random moment, by any camera",
    "public": "Seen at a random moment, by cameras known to be public",
    "private": "Seen at a random moment, by cameras known to be private",
    "unknown": "Seen at a random moment, by cameras of unknown owner",
}
"""What the map can show: columns of records.STRETCHES and how the page calls them."""

_LEAST: Final = 0.01
_MOST_STREETS: Final = 200
_MOST_TO_MAP: Final = 100
_TEXTS: Final = {"ways": {"streets": "Streets", "footways": "Footways"}, "question": {
    "could": "could be seen", "moment": "seen at a random moment"}, "by": {
    "any": "any camera", "public": "cameras known to be public",
    "private": "cameras known to be private",
    "unknown": "cameras of unknown owner"}}  # fmt: skip
_BOUNDED: Final = ("public", "private")


def render(result: Coverage) -> str:
    """Return the page as HTML that loads nothing and sends nothing.

    It shows streets, and the places of cameras that are not private.
    """
    streets, buildings = result.background
    tiles = background(streets, buildings)
    payload = {
        "levels": list(LEVELS),
        "colours": COLOURS,
        "shown": SHOWN,
        "stretches": stretches(result.streets),
        "cameras": _dots(result.views),
        "view": _view(result, streets),
        "tiles": None if tiles is None else tiles._replace(data="")._asdict(),
    }
    style = _maplibre("maplibre-gl.css") + _template("report.css") + _template("coverage.css")
    scripts = [_maplibre("maplibre-gl.js"), _script()]
    summary = result.summary
    return _environment().get_template("coverage.html.jinja").render(
        version=__version__,
        policy=_policy(scripts, style),
        style=style,
        title=f"What do cameras see of the streets of {summary['place'] or 'this place'}?",
        answer=answer(summary),
        living=living(summary),
        summary=summary,
        drivers=summary["drivers"],
        shares=share_rows(summary),
        shares_note=shares_note(summary),
        streets=street_rows(result.streets),
        most_streets=_MOST_STREETS,
        to_map=_to_map(result),
        levels={level: (COLOURS[level], MEANING[level]) for level in LEVELS},
        shown=SHOWN,
        still=svg(result, legend=False),
        data=safe_json(payload),
        tiles_data=tiles.data if tiles else "",
        scripts=scripts,
    )  # fmt: skip


def answer(summary: dict[str, Any]) -> str:
    """Return the main figures as one sentence, with **figures** marked."""
    could, moment = (_row(summary, q) for q in ("could", "moment"))
    whole, hidden = summary["street_km"], summary["hidden_km"]["streets"]
    streets = f"{whole + hidden:,.1f} km of street"
    if f"{whole + hidden:,.1f}" != f"{whole:,.1f}":
        streets += f" (without tunnels and ways inside buildings {whole:,.1f} km)"
    text = (
        f"Of {streets} {_share(summary, could)} could be seen by "
        f"{plural(summary['cameras']['used'], 'listed camera')}"
    )
    if summary["cameras"]["indoor"]:
        text += " outdoors"
    more = (summary["undercount"] or {}).get("unlisted_used")
    if more:
        text += (
            f" and {more['estimate']:,.0f} ({more['low']:,.0f} to {more['high']:,.0f}) that "
            "no list has"
        )
    return f"{text}, and {_share(summary, moment)} is seen at a random moment."


_HOMES: Final = {
    "flats": "flats, as far as the map tells them",
    "addresses": "addresses",
    "floor area": "floor area of houses that people live in",
}


def living(summary: dict[str, Any]) -> list[str]:
    """Return a sentence on dwellings and one on people of a file, as far as they are known."""
    said, level = [], LEVELS[0]
    homes, people = summary["homes"], summary["residents"]
    if homes is not None:
        share = _of_question(homes, "share_at_a_seen_place", "could")
        text = f"Of the {_HOMES[homes['basis']]} {_share(summary, share)} lie at a street where "
        text += "somebody at the door could be seen"
        if homes["population"]:
            text += f", about {homes['people']['could'][level]:,} people"
        said.append(f"{text}.")
    if people is not None:
        text = f"Of {people['people']:,.0f} people in {people['file']}"
        if people["placed"] < people["people"]:
            text += f" ({people['placed']:,.0f} of them near a street here)"
        if "share" in people:
            share = _of_question(people, "share", "could")
            text += f" {_share(summary, share)} live where somebody at the door could be seen"
        else:
            text += " nobody lives near a street here"
        said.append(f"{text}.")
    return said


def _of_question(figures: dict[str, Any], name: str, question: str) -> dict[str, Any]:
    ends = {"share": "", "low": "_low", "high": "_high"}
    return {end: figures[name + tail][question][LEVELS[0]] for end, tail in ends.items()}


def _share(summary: dict[str, Any], row: dict[str, Any]) -> str:
    interval = f" ({row['low']:.1%} to {row['high']:.1%})" if summary["draws"] else ""
    return f"**{row['share']:.1%}**{interval}"


def _row(summary: dict[str, Any], question: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        row for row in summary["seen"]
        if (row["ways"], row["question"], row["by"], row["level"])
        == ("streets", question, "any", LEVELS[0])
    )  # fmt: skip
    return found


def stretches(stretches: pa.Table) -> dict[str, Any]:
    """Return the stretches that are seen, as GeoJSON with percentages by figure and level."""
    n = len(LEVELS)
    seen = stretches["could"].to_numpy()[::n] >= _LEAST
    first = np.flatnonzero(seen) * n
    lines = shapely.from_wkb(
        stretches["geometry"].take(pa.array(first)).to_numpy(zero_copy_only=False)
    )
    figures = {
        f"{column}_{level}": np.round(stretches[column].to_numpy()[first + i] * 100).astype(int)
        for column in SHOWN for i, level in enumerate(LEVELS)
    }  # fmt: skip
    names = stretches["name"].take(pa.array(first)).to_pylist()
    features = []
    for k, line in enumerate(shapely.to_geojson(shapely.set_precision(lines, 1e-6))):
        properties: dict[str, Any] = {name: int(v[k]) for name, v in figures.items() if v[k]}
        properties["name"] = names[k]
        features.append({"type": "Feature", "properties": properties,
                         "geometry": json.loads(line)})  # fmt: skip
    return {"type": "FeatureCollection", "features": features}


def _dots(views: pa.Table) -> list[list[float]]:
    shown = pc.and_(pc.equal(views["sight"], "street"), pc.equal(views["view"], 0))
    shown = pc.and_(shown, pc.not_equal(views["operator_class"], "private"))
    chosen = views.filter(shown)
    return np.round(np.column_stack([chosen["lon"], chosen["lat"]]), 6).tolist()  # type: ignore[no-any-return]


def _view(result: Coverage, streets: pa.Table) -> list[float]:
    lon, lat = result.views["lon"].to_numpy(), result.views["lat"].to_numpy()
    if not len(lon):
        shapes = shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False))
        return [round(float(v), 6) for v in shapely.total_bounds(shapes)]
    box = np.r_[np.quantile(lon, 0.01), np.quantile(lat, 0.01),
                np.quantile(lon, 0.99), np.quantile(lat, 0.99)]  # fmt: skip
    return [round(float(v), 6) for v in box]


def share_rows(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row a kind of way, question and class, with a cell a level."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in summary["seen"]:
        if row["ways"] == "all":
            continue
        key = row["ways"], row["question"], row["by"]
        words = " · ".join(_TEXTS[k][row[k]] for k in ("ways", "question", "by"))
        cell = f"{row['share']:.1%}"
        if summary["draws"]:
            cell += f" ({row['low']:.1%} to {row['high_known']:.1%})"
        if row["by"] in _BOUNDED:
            cell += f"; up to {row['high']:.1%}"
        rows.setdefault(key, {"name": words, "cells": []})["cells"].append(cell)
    return list(rows.values())


def shares_note(summary: dict[str, Any]) -> str:
    """Return how the cells of `share_rows` are to be read."""
    mean = "In brackets the middle 95% of the draws. " if summary["draws"] else ""
    return f"{mean}Up to: as if every camera of unknown owner were public, or private, too."


def street_rows(stretches: pa.Table) -> list[dict[str, Any]]:
    """Return named streets with the share of their length that is seen, most seen first."""
    named = stretches.filter(pc.is_valid(stretches["name"]))
    if not named.num_rows:
        return []
    name = named["name"].combine_chunks().dictionary_encode()
    key, n = name.indices.to_numpy(), len(name.dictionary)
    length = named["length_m"].to_numpy()
    level = np.array(named["level"].to_pylist())
    first = level == LEVELS[0]
    total = np.bincount(key[first], length[first], minlength=n)

    def along(column: str, which: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        return np.bincount(key[which], (named[column].to_numpy() * length)[which], minlength=n)

    could, moment, number = (along(c, first) for c in ("could", "probability", "expected"))
    identify = along("could", level == LEVELS[-1])
    order = [i for i in np.argsort(-could, kind="stable") if could[i] / total[i] >= _LEAST]
    return [
        {
            "name": name.dictionary[int(i)].as_py(),
            "cells": [f"{total[i]:,.0f}", f"{could[i] / total[i]:.0%}",
                      f"{moment[i] / total[i]:.0%}", f"{identify[i] / total[i]:.0%}",
                      f"{number[i] / total[i]:.2f}"],
        }
        for i in order[:_MOST_STREETS]
    ]  # fmt: skip


def _to_map(result: Coverage) -> list[dict[str, Any]]:
    """Return the cameras worth a visit that are not private, with their places."""
    drivers = result.summary["drivers"]
    if not drivers or not drivers["cameras_to_map"]:
        return []
    views = result.views.filter(pc.equal(result.views["view"], 0)).to_pylist()
    place = {v["camera_id"]: v for v in views if v["operator_class"] != "private"}
    return [
        {"id": i, "lat": f"{place[i]['lat']:.5f}", "lon": f"{place[i]['lon']:.5f}"}
        for i in drivers["cameras_to_map"] if i in place
    ][:_MOST_TO_MAP]  # fmt: skip


@cache
def _script() -> str:
    return f'(() => {{\n"use strict";\n{_template("bands.js")}\n{_template("coverage.js")}}})();\n'
