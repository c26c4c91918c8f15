"""What each list holds of the cameras of a place, where lists overlap and where they disagree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from sousveil.sources import Source

OSM: Final = "osm"
"""The list that all data of OpenStreetMap is part of, whoever extracted it and when."""

COMPARED: Final = ("kind", "housing", "mount", "setting", "operator_class", "operator")
"""Attributes of which it is said how often lists disagree; unknown says nothing."""

GROUND_M: Final = 200.0
"""How far around its outermost entries a list is taken to look."""

_UNKNOWN: Final = (None, "unknown")
_DEG_M: Final = 111_195.0  # a degree of latitude on the sphere of the Earth's mean radius
_KIND_WORDS: Final = {
    "camera": "ordinary cameras",
    "alpr": "number-plate readers",
    "speed": "speed cameras",
    "red_light": "red-light cameras",
    "traffic": "traffic cameras",
    "other_camera": "other cameras",
}


class Listed(NamedTuple):
    """One list of a place: the sources that are editions or extracts of it."""

    list_id: str
    title: str
    covers: str
    sources: tuple[str, ...]


def lists(sources: Sequence[Source]) -> list[Listed]:
    """Return the lists that sources come from, in the order given.

    Extracts and editions of one list do not count independently of each other, so they are one.
    """
    grouped: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        if not source.evidence.num_rows:
            grouped[source.list_id].append(source)
    return [
        Listed(
            list_id=list_id,
            title="OpenStreetMap" if list_id == OSM else group[0].publisher or group[0].name,
            covers="; ".join(dict.fromkeys(one.covers for one in group if one.covers)),
            sources=tuple(one.source_id for one in group),
        )
        for list_id, group in grouped.items()
    ]


def compare(
    cameras: pa.Table, observations: pa.Table, links: pa.Table, sources: Sequence[Source]
) -> dict[str, Any] | None:
    """Return what each list holds and where they overlap and disagree; None for a single list.

    cameras: records.CAMERAS. observations: records.OBSERVATIONS. links: records.LINKS, one row an
    observation. JSON: {"each": [{"list", "title", "sources", "covers", "cameras", "share",
    "alone"}], "overlaps": [{"lists", "cameras"}], the cameras that exactly these lists hold,
    "disagreements": [{"attribute", "compared", "differ"}], the cameras of which at least two lists
    know an attribute and say different things, "linkage": None until the links were judged}.
    """
    named = lists(sources)
    if len(named) < 2:
        return None
    held = _held(cameras, named)
    together = Counter(frozenset(one) for one in held)
    return {
        "each": [_each(one, together, cameras.num_rows) for one in named],
        "overlaps": [
            {"lists": [one.list_id for one in named if one.list_id in group], "cameras": n}
            for group, n in sorted(together.items(), key=lambda item: (-item[1], sorted(item[0])))
        ],
        "disagreements": _disagreements(cameras, held, observations, links, named),
        "linkage": None,
    }


def comparable(
    lon: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
    kinds: Sequence[str | None],
    list_ids: npt.NDArray[np.str_],
) -> tuple[npt.NDArray[np.bool_], str]:
    """Return which entries all lists could hold, and in words of which kinds they are.

    All arguments have one value an entry; list_ids says on which list it stands. Kept are entries
    of kinds that each list has, on the ground that all look at: the convex hulls of their entries,
    GROUND_M wider.
    """
    found = common(lon, lat, kinds, list_ids)
    if found is None:
        return np.zeros(len(kinds), dtype=bool), "no cameras"
    words = [_KIND_WORDS[one] for one in _KIND_WORDS if one in found.kinds]
    return found.holds(lon, lat, kinds), (
        "cameras" if len(words) == len(_KIND_WORDS) else ", ".join(words)
    )


class Common(NamedTuple):
    """What several lists could all hold: kinds of cameras, and the ground of each list."""

    kinds: frozenset[str]
    grounds: tuple[shapely.Geometry, ...]  # in longitude and latitude

    def holds(
        self,
        lon: npt.NDArray[np.float64],
        lat: npt.NDArray[np.float64],
        kinds: Sequence[str | None],
    ) -> npt.NDArray[np.bool_]:
        """Return which of some cameras all the lists could hold."""
        kind = np.array([one or "camera" for one in kinds], dtype=object).astype(str)
        kept: npt.NDArray[np.bool_] = np.isin(kind, sorted(self.kinds))
        for ground in self.grounds:
            kept &= shapely.intersects_xy(ground, lon, lat)
        return kept

    @property
    def ground(self) -> shapely.Geometry:
        """The ground that all the lists look at, in longitude and latitude."""
        return shapely.intersection_all(list(self.grounds))


def common(
    lon: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
    kinds: Sequence[str | None],
    list_ids: npt.NDArray[np.str_],
) -> Common | None:
    """Return what all lists could hold, by their entries as for `comparable`; None for nothing."""
    kind = np.array([one or "camera" for one in kinds])
    names = sorted(set(list_ids.tolist()))
    shared = set.intersection(*(set(kind[list_ids == name].tolist()) for name in names))
    of_kind = np.isin(kind, sorted(shared))
    grounds = []
    for name in names:
        own = of_kind & (list_ids == name)
        if not own.any():
            return None
        grounds.append(_ground(lon[own], lat[own]))
    return Common(frozenset(shared), tuple(grounds))


def _ground(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> shapely.Geometry:
    """Return the convex hull of points, GROUND_M wider; prepared for queries."""
    east = max(float(np.cos(np.radians(lat.mean()))), 0.01)
    hull = shapely.convex_hull(shapely.multipoints(np.column_stack([lon * east, lat]) * _DEG_M))
    wide = shapely.buffer(hull, GROUND_M)
    ground = shapely.transform(wide, lambda xy: xy / [east * _DEG_M, _DEG_M])
    shapely.prepare(ground)
    return ground


def _held(cameras: pa.Table, named: Iterable[Listed]) -> list[set[str]]:
    """Return for each camera the lists that hold it."""
    list_of = {source: one.list_id for one in named for source in one.sources}
    return [{list_of[source] for source in held} for held in cameras["sources"].to_pylist()]


def _each(one: Listed, together: Counter[frozenset[str]], n_cameras: int) -> dict[str, Any]:
    held = sum(n for group, n in together.items() if one.list_id in group)
    return {
        "list": one.list_id,
        "title": one.title,
        "sources": list(one.sources),
        "covers": one.covers,
        "cameras": held,
        "share": held / n_cameras if n_cameras else 0.0,
        "alone": together[frozenset({one.list_id})],
    }


def _disagreements(
    cameras: pa.Table,
    held: Sequence[set[str]],
    observations: pa.Table,
    links: pa.Table,
    named: Iterable[Listed],
) -> list[dict[str, Any]]:
    list_of = {source: one.list_id for one in named for source in one.sources}
    ids = cameras["camera_id"].to_pylist()
    shared = [camera for camera, by in zip(ids, held, strict=True) if len(by) > 1]
    chosen = links.filter(pc.is_in(links["camera_id"], pa.array(shared, pa.string())))
    camera_of = dict(
        zip(chosen["observation_id"].to_pylist(), chosen["camera_id"].to_pylist(), strict=True)
    )
    said = observations.filter(pc.is_in(observations["observation_id"], chosen["observation_id"]))
    said = said.select(["observation_id", "source_id", "seen_on", *COMPARED])
    newest: dict[tuple[str, str, str], Any] = {}  # by camera, attribute and list
    for row in sorted(said.to_pylist(), key=lambda row: str(row["seen_on"] or "")):
        for attribute in COMPARED:
            if row[attribute] not in _UNKNOWN:
                key = camera_of[row["observation_id"]], attribute, list_of[row["source_id"]]
                newest[key] = _plain(row[attribute])
    values: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for (camera, attribute, _), value in newest.items():
        values[attribute, camera].append(value)
    return [_counted(attribute, values) for attribute in COMPARED]


def _counted(attribute: str, values: dict[tuple[str, str], list[Any]]) -> dict[str, Any]:
    known = [said for (what, _), said in values.items() if what == attribute and len(said) > 1]
    differ = sum(len(set(said)) > 1 for said in known)
    return {"attribute": attribute, "compared": len(known), "differ": differ}


def _plain(value: Any) -> Any:
    return " ".join(value.casefold().split()) if isinstance(value, str) else value
