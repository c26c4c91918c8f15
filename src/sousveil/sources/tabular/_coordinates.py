"""Texts to longitude and latitude, and in plain words what is wrong where that cannot be.

Nothing is repaired: a pair that is wrong is set aside with its reason. The one exception is asked
for: latitude and longitude that were swapped are used the other way round with accept_swapped.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.sources import Box
from sousveil.sources.tabular._spec import Spec

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# 461.993.881: what a spreadsheet makes of 46.1993881 where a point separates thousands.
RUINED_NUMBER: Final = r"^[+-]?\d{1,3}([.,]\d{3}){2,}$"
# In a list with ruined numbers these may be ruined as well: 46.199 may have been 46199.
_SUSPECT: Final = r"^[+-]?\d{1,3}[.,]\d{3}$|^[+-]?\d+$"
_GLOBE: Final = (-180.0, -90.0, 180.0, 90.0)
RUINED: Final = "the coordinates are ruined by thousands separators"
SWAPPED: Final = "latitude and longitude are swapped; --accept-swapped uses them"
MAY_BE_RUINED: Final = "the coordinates may be ruined by thousands separators, as others here are"
_NUMBER: Final = r"^[+-]?(\d{1,10}\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"


class Reasons:
    """Why rows are set aside, as one code a row: the first reason that is found stands."""

    def __init__(self, rows: int) -> None:
        self.codes = np.zeros(rows, dtype=np.int16)  # 0: none
        self.legend = [""]

    def say(self, where: Bools, text: str) -> None:
        """State a reason for those rows that have none yet."""
        if where.any():
            self.codes[where & (self.codes == 0)] = len(self.legend)
            self.legend.append(text)

    def include(self, others: Reasons) -> None:
        """State the reasons of another check of the same rows where there are none yet."""
        for code, text in enumerate(others.legend[1:], start=1):
            self.say(others.codes == code, text)

    def count(self, text: str) -> int:
        """Return for how many rows this reason stands."""
        return int(
            sum((self.codes == code).sum() for code, one in enumerate(self.legend) if one == text)
        )

    @property
    def none(self) -> Bools:
        """The rows for which nothing was said."""
        unsaid: Bools = self.codes == 0
        return unsaid


class Located(NamedTuple):
    """Where the rows of a batch lie; longitude and latitude are NaN where there is a reason."""

    lon: Floats
    lat: Floats
    reasons: Reasons
    texts: pa.Array  # "37.5, 127.0" as the list has it, latitude first
    swapped: Bools  # used the other way round


def locate(
    lon: pa.Array,
    lat: pa.Array,
    shapes: pa.ChunkedArray | None,
    *,
    spec: Spec,
    crs: str | None,
    accept_swapped: bool,
    ruined: bool,
) -> Located:
    """Read the coordinates of a batch and check them against the list's area.

    shapes: the type of each geometry, where the file has geometries.
    crs: the reference system of the numbers; None for longitude and latitude.
    ruined: the list holds numbers ruined by thousands separators, so that none of its numbers
        that could be one of them is trusted.
    """
    pair = [_points(column, spec.file.decimal) for column in (lon, lat)]
    x, y = (_numbers(column) for column in pair)
    why = Reasons(len(x))
    for kind in pc.unique(shapes).to_pylist() if shapes is not None else ():
        if kind not in (None, "Point"):
            why.say(_holds(pc.equal(shapes, kind)), f"a {kind}, not a point")
    why.say(_absent(pair), "no coordinates")
    unread = np.isnan(x) | np.isnan(y)
    if (unread & why.none).any():
        why.say(_either(pair, RUINED_NUMBER), RUINED)
        why.say(unread, "the coordinates are not numbers")
    if ruined:
        why.say(_either(pair, _SUSPECT), MAY_BE_RUINED)
    why.say((x == 0) & (y == 0), "the coordinates are 0, 0")
    if crs is not None:
        x, y = _unprojected(x, y, crs)
        why.say(~(np.isfinite(x) & np.isfinite(y)), "no such place in the list's reference system")
    swapped = _check_area(x, y, why, spec, accept_swapped)
    x, y = np.where(swapped, y, x), np.where(swapped, x, y)
    texts = pc.binary_join_element_wise(pc.fill_null(lat, ""), pc.fill_null(lon, ""), ", ")
    return Located(
        np.where(why.none, x, np.nan), np.where(why.none, y, np.nan), why, texts, swapped
    )


def inside(x: Floats, y: Floats, box: Box) -> Bools:
    """Whether points lie in a box (west, south, east, north)."""
    west, south, east, north = box
    held: Bools = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    return held


def _check_area(x: Floats, y: Floats, why: Reasons, spec: Spec, accept_swapped: bool) -> Bools:
    """Say what lies off the globe or outside the area; return what is used swapped."""
    box = spec.area.box or _GLOBE
    fits = inside(x, y, box)
    other_way = ~fits & inside(y, x, box)
    swapped = other_way & why.none & accept_swapped
    if not accept_swapped:
        why.say(other_way, SWAPPED)
    why.say(~fits & (x == y), "latitude and longitude are the same number")
    why.say(~inside(x, y, _GLOBE) & ~swapped, "no such place on Earth")
    why.say(~fits & ~swapped, f"outside {spec.area.name}")
    return swapped


def _points(column: pa.Array, decimal: str) -> pa.Array:
    return pc.replace_substring(column, ",", ".") if decimal == "," else column


def _numbers(column: pa.Array) -> Floats:
    """The numbers that texts are, NaN for every other text."""
    numeric = pc.fill_null(pc.match_substring_regex(column, _NUMBER), False)
    plain = pc.if_else(numeric, column, None)
    values: Floats = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def _either(pair: list[pa.Array], pattern: str) -> Bools:
    one, other = (_holds(pc.match_substring_regex(column, pattern)) for column in pair)
    return one | other


def _absent(pair: list[pa.Array]) -> Bools:
    one, other = (_holds(pc.is_null(column)) for column in pair)
    return one | other


def _holds(mask: Any) -> Bools:
    return np.asarray(pc.fill_null(mask, False).to_numpy(zero_copy_only=False), dtype=bool)


def _unprojected(x: Floats, y: Floats, crs: str) -> tuple[Floats, Floats]:
    import pyproj

    transformer = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = transformer.transform(x, y)
    return np.asarray(lon), np.asarray(lat)
