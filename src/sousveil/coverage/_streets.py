"""Streets as short pieces, each seen from its middle; and pieces that are alike as stretches."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.place import FOOTWAY_CLASSES, STREET_CLASSES
from sousveil.visibility import Plane

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PIECE_M: Final = 5.0
"""Longest piece of a street that is looked at by its middle alone."""

ALIKE: Final = 0.01
"""Pieces in a row become one stretch while no figure of theirs differs by more."""


class Pieces(NamedTuple):
    """Pieces of streets in order along each: lines in metres of a plane."""

    street: Ints  # row of the table of streets
    xy: Floats  # the middle
    length_mm: Ints  # whole millimetres, so that sums do not depend on their order
    lines: npt.NDArray[Any]  # of the streets, not of the pieces
    start_m: Floats  # along its line
    end_m: Floats


def walkable(streets: pa.Table) -> pa.Table:
    """Return the streets and footways that people use under the sky or a roof.

    streets: records.STREETS. Left out are areas, tracks, and what `hidden` returns.
    """
    return streets.filter(pc.and_not(_counted(streets), _is_hidden(streets)))


def hidden(streets: pa.Table) -> pa.Table:
    """Return the streets and footways that no camera outdoors sees: in tunnels other than passages
    through buildings, and inside buildings."""
    return streets.filter(pc.and_(_counted(streets), _is_hidden(streets)))


def _counted(streets: pa.Table) -> pa.Array:
    """Return which ways have a length: those that `place` measures as streets or footways."""
    kept = pc.is_in(
        streets["highway"], value_set=pa.array(sorted(STREET_CLASSES | FOOTWAY_CLASSES))
    )
    return pc.and_not(kept, pc.fill_null(pc.equal(streets["area"], "yes"), False))


def _is_hidden(streets: pa.Table) -> pa.Array:
    tunnel = pc.is_in(streets["tunnel"], value_set=pa.array(["yes", "culvert", "flooded"]))
    indoor = pc.fill_null(pc.not_equal(streets["indoor"], "no"), False)
    corridor = pc.equal(streets["highway"], "corridor")
    return pc.or_(tunnel, pc.or_(indoor, corridor))


def is_street(streets: pa.Table) -> npt.NDArray[np.bool_]:
    """Return which ways are streets; the others are footways."""
    highway = np.array(streets["highway"].to_pylist(), dtype=object).astype(str)
    return np.isin(highway, sorted(STREET_CLASSES))


def lengths_km(streets: pa.Table, plane: Plane, within: Any = None) -> tuple[float, float]:
    """Return the kilometres of streets and of footways."""
    pieces = cut(streets, plane, within)
    km = np.bincount(np.where(is_street(streets)[pieces.street], 0, 1), pieces.length_mm / 1e6,
                     minlength=2)  # fmt: skip
    return float(km[0]), float(km[1])


def cut(streets: pa.Table, plane: Plane, within: Any = None, at: Any = None) -> Pieces:
    """Cut streets into pieces.

    within: a polygon in degrees that streets are clipped to. at: polygons in metres at whose
    borders streets are cut besides.
    """
    lines = shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False))
    if within is not None:
        shapely.prepare(within)
        lines = shapely.intersection(lines, within)
    lines, rows = shapely.get_parts(lines, return_index=True)
    is_line = shapely.get_type_id(lines) == 1
    lines, rows = lines[is_line], rows[is_line]
    flat = plane.flat(lines)
    length = shapely.length(flat)
    flat, rows, length = flat[length > 0], rows[length > 0], length[length > 0]
    n = np.ceil(length / PIECE_M).astype(np.int64)
    of = np.repeat(np.arange(len(flat)), n)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(n) - n, n)
    ends = (nth + 1) * (length / n)[of]
    if at is not None:
        of, ends = _with_crossings(flat, of, ends, at)
    first = np.r_[True, of[1:] != of[:-1]] if len(of) else np.zeros(0, bool)
    starts = np.where(first, 0.0, np.r_[0.0, ends[:-1]] if len(ends) else ends)
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(flat[of], (starts + ends) / 2)
    ).reshape(-1, 2)
    mm = np.round(ends * 1000).astype(np.int64) - np.round(starts * 1000).astype(np.int64)
    return Pieces(rows[of], middle, mm, flat[of], starts, ends)


def _with_crossings(lines: Any, of: Ints, ends: Floats, at: Any) -> tuple[Ints, Floats]:
    borders = shapely.boundary(at)
    line, border = shapely.STRtree(borders).query(lines, predicate="intersects")
    meeting = shapely.intersection(lines[line], borders[border])
    points, index = shapely.get_coordinates(meeting, return_index=True)
    along = shapely.line_locate_point(lines[line[index]], shapely.points(points))
    of = np.concatenate([of, line[index]])
    ends = np.concatenate([ends, along])
    order = np.lexsort((ends, of))
    of, ends = of[order], ends[order]
    real = ends > 1e-6
    of, ends = of[real], ends[real]
    new = np.r_[True, (of[1:] != of[:-1]) | (np.diff(ends) > 1e-6)]
    return of[new], ends[new]


def stretches(pieces: Pieces, figures: npt.NDArray[np.float32]) -> Ints:
    """Return the stretch of each piece, numbered from 0: neighbours whose figures are alike.

    figures: a row a piece. A stretch is alike all along: every piece is compared with its first.
    """
    number = np.zeros(len(pieces.street), np.int64)
    if not len(number):
        return number
    touching = np.r_[
        False,
        (pieces.street[1:] == pieces.street[:-1]) & (pieces.start_m[1:] == pieces.end_m[:-1]),
    ]
    # Where nothing changes from piece to piece, which is nearly everywhere, no loop is needed.
    same = np.r_[False, np.all(figures[1:] == figures[:-1], axis=1)] & touching
    first = -1
    count = -1
    for i in np.flatnonzero(~same).tolist():
        alike = touching[i] and np.abs(figures[i] - figures[first]).max() <= ALIKE
        if not alike:
            first, count = i, count + 1
            number[i] = 1
    return np.cumsum(number) - 1


def geometry(pieces: Pieces, stretch: Ints, plane: Plane) -> npt.NDArray[Any]:
    """Return the line of each stretch in degrees."""
    first = np.flatnonzero(np.r_[True, stretch[1:] != stretch[:-1]]) if len(stretch) else stretch
    last = np.r_[first[1:], len(stretch)] - 1 if len(stretch) else stretch
    lines = [
        _part(line, start, end)
        for line, start, end in zip(
            pieces.lines[first], pieces.start_m[first], pieces.end_m[last], strict=True
        )
    ]
    return plane.round(np.array(lines, dtype=object))


def _part(line: Any, start: float, end: float) -> Any:
    from shapely.ops import substring

    if start == 0.0 and end >= line.length - 1e-9:
        return line
    return substring(line, start, end)
