"""The page that shows pairs on maps and takes answers."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

import jinja2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from sousveil.linking._features import normal_name
from sousveil.review._answers import SHOWN, rows_of

MOST_ON_PAGE: Final = 200

_COMPARED: Final = frozenset(
    {"kind", "housing", "bearings", "mount", "operator", "purpose", "count"}
)

_MAP_PX: Final = 260.0
_METRES_PER_DEGREE: Final = 111_195.0
_SCALES_M: Final = (1, 2, 5, 10, 20, 50, 100)
_MOST_CONTEXT: Final = 60


def page(
    uncertain: pa.Table,
    observations: pa.Table,
    *,
    threshold: float | None,
    links: pa.Table | None = None,
) -> str:
    """Return a page that shows the pairs on maps, takes answers and saves them as CSV.

    The page asks nothing of any server. It shows exact positions: it is for work, not to publish.
    At most MOST_ON_PAGE pairs are shown, the first of the table: those of two lists, then those
    inside one list. links: records.LINKS, to say where an end of a pair is linked otherwise.
    """
    shown = _between_first(uncertain.slice(0, MOST_ON_PAGE), observations)
    joined = {} if links is None else _joined(shown, links)
    ends = [rows_of(shown, observations, side).to_pylist() for side in ("l", "r")]
    lon, lat = (observations[name].to_numpy() for name in ("lon", "lat"))
    said = [observations.take(pa.array(rows, pa.int64())).to_pylist() for rows in ends]
    pairs = [
        _pair(number, row, left, right, _Places(lon, lat, at))
        | {"elsewhere": _elsewhere(row, joined)}
        for number, (row, left, right, at) in enumerate(
            zip(shown.to_pylist(), *said, zip(*ends, strict=True), strict=True), start=1
        )
    ]
    style, script = _file("review.css"), _file("review.js")
    return _template().render(
        pairs=pairs,
        n_all=uncertain.num_rows,
        threshold=threshold,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        map_px=_MAP_PX,
    )


def _between_first(uncertain: pa.Table, observations: pa.Table) -> pa.Table:
    """Return the pairs with those of two lists before those inside one list."""
    sources = observations["source_id"].to_pylist()
    ends = [rows_of(uncertain, observations, side).to_pylist() for side in ("l", "r")]
    within = [sources[left] == sources[right] for left, right in zip(*ends, strict=True)]
    return uncertain.take(pa.array(np.argsort(within, kind="stable"), pa.int64()))


def _joined(shown: pa.Table, links: pa.Table) -> dict[str, float]:
    """Return the observations of pairs that are linked to another, with the probability of that."""
    ids = pa.concat_arrays(
        [shown[f"observation_id_{side}"].combine_chunks() for side in ("l", "r")]
    )
    cameras = links["camera_id"]
    counts = dict(zip(*pc.value_counts(cameras).flatten(), strict=True))
    chosen = links.filter(pc.is_in(links["observation_id"], ids)).to_pylist()
    several = {camera.as_py() for camera, n in counts.items() if n.as_py() > 1}
    return {
        row["observation_id"]: row["probability"] for row in chosen if row["camera_id"] in several
    }


def _elsewhere(row: dict[str, Any], joined: dict[str, float]) -> str | None:
    """Say which end of a pair that is not linked is linked to another observation."""
    ends = {"first": row["observation_id_l"], "second": row["observation_id_r"]}
    taken = {name: joined[end] for name, end in ends.items() if end in joined}
    if row["linked"] or not taken:
        return None
    return " and ".join(f"the {name} is joined to another at {p:.2f}" for name, p in taken.items())


class _Places(NamedTuple):
    """All positions in degrees, and the rows of the two that are shown."""

    lon: np.ndarray[Any, np.dtype[np.float64]]
    lat: np.ndarray[Any, np.dtype[np.float64]]
    ends: tuple[int, int]


def _pair(
    number: int, row: dict[str, Any], left: dict[str, Any], right: dict[str, Any], places: _Places
) -> dict[str, Any]:
    return row | {
        "number": number,
        "percent": f"{100 * row['probability']:.0f}",
        "apart": f"{row['distance_m']:.1f}",
        "within": left["source_id"] if left["source_id"] == right["source_id"] else None,
        "rows": [
            {"label": label, "values": values, "differs": _differ(name, left[name], right[name])}
            for name, label in SHOWN
            if (values := [_text(name, end[name]) for end in (left, right)]) != ["", ""]
        ],
        "map": _map(left, right, places),
    }


def _differ(name: str, left: Any, right: Any) -> bool:
    if name not in _COMPARED or left is None or right is None:
        return False
    if name == "operator":
        return normal_name(left) != normal_name(right)
    return bool(left != right)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "bearings":
        return ", ".join(f"{bearing:.0f}°" for bearing in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _map(left: dict[str, Any], right: dict[str, Any], places: _Places) -> dict[str, Any]:
    """Return what to draw, in pixels: both ends, their accuracy, other cameras, a scale bar."""
    lon_0, lat_0 = (left["lon"] + right["lon"]) / 2, (left["lat"] + right["lat"]) / 2
    east = _METRES_PER_DEGREE * math.cos(math.radians(lat_0))
    around_m = 15 + 0.75 * math.hypot(
        (left["lon"] - right["lon"]) * east, (left["lat"] - right["lat"]) * _METRES_PER_DEGREE
    )
    per_m = _MAP_PX / 2 / around_m
    x = _MAP_PX / 2 + (places.lon - lon_0) * east * per_m
    y = _MAP_PX / 2 - (places.lat - lat_0) * _METRES_PER_DEGREE * per_m
    inside = (np.abs(x - _MAP_PX / 2) < _MAP_PX / 2) & (np.abs(y - _MAP_PX / 2) < _MAP_PX / 2)
    inside[list(places.ends)] = False
    others = np.flatnonzero(inside)[:_MOST_CONTEXT]
    bar_m = max(scale for scale in _SCALES_M if scale * per_m <= _MAP_PX / 3 or scale == 1)
    return {
        "others": [(round(x[i], 1), round(y[i], 1)) for i in others],
        "ends": [
            _end(side, x[row], y[row], per_m)
            for side, row in zip((left, right), places.ends, strict=True)
        ],
        "bar_px": round(bar_m * per_m, 1),
        "bar_m": bar_m,
    }


def _end(observation: dict[str, Any], x: float, y: float, per_m: float) -> dict[str, Any]:
    length = _MAP_PX / 7
    rays = [
        (
            round(x + length * math.sin(math.radians(bearing)), 1),
            round(y - length * math.cos(math.radians(bearing)), 1),
        )
        for bearing in observation["bearings"] or []
        if bearing is not None
    ]
    accuracy_m = observation["accuracy_m"]
    return {
        "x": round(x, 1),
        "y": round(y, 1),
        "radius": round(accuracy_m * per_m, 1) if accuracy_m else None,
        "rays": rays,
    }


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["breakable"] = _breakable
    return environment.from_string(_file("review.html.jinja"))


def _breakable(text: str) -> Markup:
    """Let long names break behind their joints, never inside a word."""
    joints = re.split(r"(?<=[_/.\-])(?=\w)", text)
    return Markup("<wbr>").join(joints)


def _file(name: str) -> str:
    return (resources.files("sousveil") / "review" / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
