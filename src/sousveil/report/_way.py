"""A way as pictures: on the map by how much it is seen, and along the time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial import cKDTree

from sousveil.records import LEVELS
from sousveil.report import _static

Floats = npt.NDArray[np.float64]

SHADES: Final = (
    ("none", "no camera on record could see you"),
    ("could", "one could, but hardly: under 5%"),
    ("s1", "5 to 20%"),
    ("s2", "20 to 50%"),
    ("s3", "50% and more"),
    ("outside", "outside what the sources map"),
)
"""How a moment is drawn: classes of the style sheet, and what they mean."""

_BOUNDS: Final = (0.05, 0.2, 0.5)
_MARGIN: Final = 0.06
_TALL: Final = 220
_TIMELINE: Final = 1000
_MOST_STEPS: Final = 1500


def shade(
    probability: Floats, could: Floats, covered: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Return which of SHADES each moment is drawn in."""
    seen = np.where(could > 0, 1 + np.searchsorted(_BOUNDS, probability, side="right"), 0)
    return np.where(covered, seen, len(SHADES) - 1)


def frame(moments: pa.Table) -> _static.Frame:
    """Return the picture that holds all moments, with some room around."""
    lon, lat = moments["lon"].to_numpy(), moments["lat"].to_numpy()
    wide, high = max(np.ptp(lon), 0.002) * _MARGIN, max(np.ptp(lat), 0.001) * _MARGIN
    return _static.frame_of(
        [lon.min() - wide, lat.min() - high, lon.max() + wide, lat.max() + high]
    )


def picture(
    moments: pa.Table, watchful: pa.Table, passes: pa.Table, streets: pa.Table, on: _static.Frame
) -> str:
    """Return the map as SVG: streets, ways, and the cameras that could see them.

    It holds a square. A wide screen shows the middle of it, a phone all (see way.css).
    """
    around = max(_static.WIDTH - on.height, 0) / 2
    return (
        f'<svg id="way-map" class="still way" viewBox="0 0 {_static.WIDTH} {on.height}" '
        f'data-box="0 0 {_static.WIDTH} {on.height}" role="img" '
        'aria-label="Your way, coloured by how likely you are seen, and the cameras along it" '
        'xmlns="http://www.w3.org/2000/svg">'
        f"{_static.street_paths(streets, on, around=around)}{_ways(moments, watchful, on)}"
        f"{_cameras(passes, on)}{_numbers(moments, on)}"
        f'<circle id="here" r="9" cx="-99" cy="-99"/>'
        f'<g class="on-wide">{_static.scale_bar(on)}</g>'
        f'<g class="on-phone">{_static.scale_bar(on, below=around)}</g></svg>'
    )


def _ways(moments: pa.Table, watchful: pa.Table, on: _static.Frame) -> str:
    xy = on.xy(np.column_stack([moments["lon"].to_numpy(), moments["lat"].to_numpy()]))
    seen, could = (watchful[n].to_numpy()[:: len(LEVELS)] for n in ("probability", "could"))
    shades = shade(seen, could, moments["covered"].to_numpy(zero_copy_only=False))
    trip = moments["way"].to_numpy().astype(np.int64) * (1 << 20) + moments["leg"].to_numpy()
    drawn = []
    for way in np.unique(moments["way"].to_numpy()).tolist():
        mine = moments["way"].to_numpy() == way
        for k, (name, _) in enumerate(SHADES):
            path = _path(xy, mine & (shades == k), trip)
            if path:
                drawn.append(f'<path class="trace {name} w{way}" d="{path}"/>')
    return "".join(drawn)


def _numbers(moments: pa.Table, on: _static.Frame) -> str:
    """Return the number of each of several ways, where it is farthest from all others."""
    ways = moments["way"].to_numpy()
    if not ways.any():
        return ""
    xy = on.xy(np.column_stack([moments["lon"].to_numpy(), moments["lat"].to_numpy()]))
    told = []
    for way in np.unique(ways).tolist():
        away, _ = cKDTree(xy[ways != way]).query(xy[ways == way])
        x, y = xy[ways == way][np.argmax(away)]
        told.append(f'<text class="many" x="{x:.0f}" y="{y - 12:.0f}">{way + 1}</text>')
    return "".join(told)


def _path(xy: Floats, chosen: npt.NDArray[np.bool_], trip: npt.NDArray[np.int64]) -> str:
    """Return runs of chosen moments as one path, each run up to half way to its neighbours."""
    middle = (xy[1:] + xy[:-1]) / 2
    whole = np.concatenate([[False], trip[1:] == trip[:-1], [False]])
    parts: list[str] = []
    for i in np.flatnonzero(chosen).tolist():
        if not (i and chosen[i - 1] and whole[i]):
            x, y = middle[i - 1] if whole[i] else xy[i]
            parts.append(f"M{x:.1f},{y:.1f}")
        parts.append(f"L{xy[i, 0]:.1f},{xy[i, 1]:.1f}")
        if whole[i + 1]:
            parts.append(f"L{middle[i, 0]:.1f},{middle[i, 1]:.1f}")
    return "".join(parts)


def _cameras(passes: pa.Table, on: _static.Frame) -> str:
    """Return the cameras as dots; those of private homes have no place and are left out."""
    first = passes.filter(pc.and_(pc.equal(passes["level"], LEVELS[0]), pc.is_valid(passes["lon"])))
    rows = {row["camera_id"]: row for row in first.to_pylist()}.values()
    if not rows:
        return ""
    xy = on.xy(np.array([[row["lon"], row["lat"]] for row in rows]))
    return "".join(
        f'<circle class="dot {row["operator_class"]}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        for row, (x, y) in zip(rows, xy, strict=True)
    )


def timeline(moments: pa.Table, watchful: pa.Table) -> str:
    """Return the time line of the first way as SVG: could be seen, is seen, identified."""
    mine = moments["way"].to_numpy() == 0
    start, end = (moments[n].to_numpy()[mine] for n in ("start_s", "end_s"))
    whole = max(float(end[-1]), 1.0)
    # A day has more moments than a screen has columns: each column shows its most exposed moment.
    column = np.minimum((start / whole * _MOST_STEPS).astype(int), _MOST_STEPS - 1)
    last = np.minimum((end / whole * _MOST_STEPS).astype(int), _MOST_STEPS - 1)
    areas = []
    for name, values, level in (("could", "could", 0), ("seen", "probability", 0),
                                ("identify", "probability", LEVELS.index("identify"))):  # fmt: skip
        value = watchful[values].to_numpy()[level :: len(LEVELS)][mine]
        height = np.zeros(_MOST_STEPS)
        for a, b, v in zip(column.tolist(), last.tolist(), value.tolist(), strict=True):
            height[a : b + 1] = np.maximum(height[a : b + 1], v)
        areas.append(f'<path class="area {name}" d="{_area(height)}"/>')
    rules = "".join(
        f'<path class="rule" d="M0,{y}H{_TIMELINE}"/>' for y in (0.5, _TALL / 2, _TALL - 0.5)
    )
    return (
        f'<svg id="timeline" viewBox="0 0 {_TIMELINE} {_TALL}" preserveAspectRatio="none" '
        'role="img" aria-label="How likely you are seen along the time" '
        f'xmlns="http://www.w3.org/2000/svg">{rules}{"".join(areas)}'
        f'<path id="cursor" d="M0,0V{_TALL}"/></svg>'
    )


def _area(height: Floats) -> str:
    edge = np.flatnonzero(np.diff(height, prepend=-1.0))
    steps = [
        f"H{i * _TIMELINE / _MOST_STEPS:.1f}V{_TALL * (1 - height[i]):.1f}" for i in edge.tolist()
    ]
    return "".join([f"M0,{_TALL}", *steps, f"H{_TIMELINE}V{_TALL}z"])


def payload(
    moments: pa.Table, watchful: pa.Table, passes: pa.Table, on: _static.Frame,
    began: datetime | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what the page's script needs of the first way."""
    mine = moments["way"].to_numpy() == 0
    xy = on.xy(np.column_stack([moments["lon"].to_numpy(), moments["lat"].to_numpy()]))[mine]
    names = pc.fill_null(moments["street"], "").filter(pa.array(mine)).combine_chunks()
    words = names.dictionary_encode()

    def per_cent(name: str, level: int) -> list[float]:
        return [round(100 * v, 1) for v in watchful[name].to_numpy()[level :: len(LEVELS)][mine]]

    first = passes.filter(
        pc.and_(pc.equal(passes["way"], 0), pc.equal(passes["level"], LEVELS[0]))
    ).to_pylist()
    return {
        "began": began and began.isoformat(),
        "start": [round(v, 1) for v in moments["start_s"].to_numpy()[mine]],
        "end": [round(v, 1) for v in moments["end_s"].to_numpy()[mine]],
        "x": [round(v, 1) for v in xy[:, 0]],
        "y": [round(v, 1) for v in xy[:, 1]],
        "names": words.dictionary.to_pylist(),
        "street": words.indices.to_pylist(),
        "seen": per_cent("probability", 0),
        "could": per_cent("could", 0),
        "identify": per_cent("probability", LEVELS.index("identify")),
        "passes": [
            [round(r["start_s"], 1), round(r["end_s"], 1), round(100 * r["probability"])]
            for r in first
        ],
    }
