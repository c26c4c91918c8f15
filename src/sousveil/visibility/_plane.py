"""A flat map in metres around a place, and back to longitude and latitude."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

Floats = npt.NDArray[np.float64]


class Plane(NamedTuple):
    """A transverse Mercator map: x east and y north in metres of a central point.

    Angles are true; lengths are within 0.0002 % up to 12 km east or west of the centre, within
    0.1 % up to 280 km. North is within half a degree of y up to 35 km at 50 degrees of latitude.
    """

    lon: float
    lat: float

    def to_xy(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Floats:
        """Return points (n x 2) in metres."""
        return np.column_stack(_map(self).transform(np.asarray(lon), np.asarray(lat)))

    def to_lonlat(self, xy: Floats) -> Floats:
        """Return points (n x 2) in degrees of longitude and latitude."""
        there = _map(self).transform(xy[:, 0], xy[:, 1], direction="INVERSE")
        return np.column_stack(there)

    def flat(self, shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return geometries of degrees in metres."""
        flat: npt.NDArray[Any] = shapely.transform(shapes, lambda p: self.to_xy(p[:, 0], p[:, 1]))
        return flat

    def round(self, shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return geometries of metres in degrees."""
        degrees: npt.NDArray[Any] = shapely.transform(shapes, self.to_lonlat)
        return degrees


def around(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Plane:
    """Return the map in the middle of the box around points; the box must not cross 180 degrees."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if not lon.size:
        return Plane(0.0, 0.0)
    # Rounded, so that a camera more or less on the edge does not shift every coordinate.
    return Plane(round((lon.min() + lon.max()) / 2, 2), round((lat.min() + lat.max()) / 2, 2))


_made: dict[Plane, pyproj.Transformer] = {}


def _map(plane: Plane) -> pyproj.Transformer:
    if plane not in _made:
        here = f"+proj=tmerc +lat_0={plane.lat} +lon_0={plane.lon} +ellps=WGS84 +units=m"
        _made[plane] = pyproj.Transformer.from_crs("EPSG:4326", here, always_xy=True)
    return _made[plane]
