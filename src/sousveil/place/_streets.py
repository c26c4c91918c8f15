"""How long the streets of a place are, along their centre lines."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.place._geodesy import line_lengths_m

STREET_CLASSES: Final = frozenset(
    {
        *("motorway", "trunk", "primary", "secondary", "tertiary"),
        *("motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link"),
        *("unclassified", "residential", "living_street", "pedestrian", "service", "road"),
        *("busway", "bus_guideway"),
    }
)
"""Values of `highway` whose length counts as street: all that vehicles or, in a pedestrian street,
everybody may use. Includes service ways such as drives and the aisles of car parks."""

FOOTWAY_CLASSES: Final = frozenset(
    {"footway", "path", "steps", "cycleway", "bridleway", "corridor", "platform"}
)
"""Values of `highway` for people on foot, on a bicycle or on a horse, counted apart."""

TRACK_CLASSES: Final = frozenset({"track"})
"""Ways of farms and forests: counted by class, but neither streets nor footways.

What is not in the three sets (proposed, construction, abandoned, raceway, ...) is not counted.
"""

_Ints = npt.NDArray[np.int64]

_COUNTED: Final = STREET_CLASSES | FOOTWAY_CLASSES | TRACK_CLASSES


def lengths_km(
    streets: pa.Table, lines: npt.NDArray[Any], boundary: shapely.Geometry
) -> dict[str, float]:
    """Return km of centre line inside a boundary by value of `highway`, the longest first.

    streets: records.STREETS. lines: their geometries. See place.street_lengths_km.
    """
    counted = pc.is_in(streets["highway"], value_set=pa.array(sorted(_COUNTED)))
    is_area = pc.fill_null(pc.equal(streets["area"], "yes"), False)
    usable = pc.and_not(counted, is_area).to_numpy() & _first_of_its_id(streets)
    chosen = np.flatnonzero(usable)
    pieces, way = _clipped(lines[chosen], boundary)
    highway = streets["highway"].combine_chunks().dictionary_encode()
    kind = highway.indices.to_numpy()[chosen[way]]
    length_km = np.bincount(kind, line_lengths_m(pieces) / 1000.0, len(highway.dictionary))
    names = highway.dictionary.to_pylist()
    return {names[i]: float(length_km[i]) for i in np.argsort(-length_km) if length_km[i] > 0}


def _first_of_its_id(streets: pa.Table) -> npt.NDArray[np.bool_]:
    ids = streets["street_id"].combine_chunks().dictionary_encode()
    first = np.zeros(streets.num_rows, dtype=np.bool_)
    first[np.unique(ids.indices.to_numpy(), return_index=True)[1]] = True
    return first


def _clipped(lines: npt.NDArray[Any], boundary: shapely.Geometry) -> tuple[npt.NDArray[Any], _Ints]:
    """Return the pieces of lines inside a boundary, and of which line each is a piece.

    Lines across the boundary are cut edge by edge: a line cut as one would lose what it runs along
    twice, and few edges ever need the slow intersection.
    """
    shapely.prepare(boundary)
    whole, across = _inside_and_across(lines, boundary)
    edges, of_across = _edges(lines[across])
    inner, crossing = _inside_and_across(edges, boundary)
    cut, of_crossing = shapely.get_parts(
        shapely.intersection(edges[crossing], boundary), return_index=True
    )
    of_edge = across[of_across]
    return (
        np.concatenate([lines[whole], edges[inner], cut]),
        np.concatenate([whole, of_edge[inner], of_edge[crossing[of_crossing]]]),
    )


def _inside_and_across(lines: npt.NDArray[Any], boundary: shapely.Geometry) -> tuple[_Ints, _Ints]:
    inside = shapely.covers(boundary, lines)
    across = shapely.intersects(boundary, lines) & ~inside
    return np.flatnonzero(inside), np.flatnonzero(across)


def _edges(lines: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], _Ints]:
    """Return each edge of lines as a line of its own, and of which line it is."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    start = np.flatnonzero(line[1:] == line[:-1])
    edges = shapely.linestrings(np.stack([points[start], points[start + 1]], axis=1))
    return edges, line[start]
