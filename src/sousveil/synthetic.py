"""Places made up, with the truth known: cameras along streets, and lists that describe them badly.

For measuring what linking and estimating can do. Nothing here describes a real place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil.records import OBSERVATIONS

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

MUNICH_SPACING_M: Final = (12.0, 22.0)
"""Distance from pole to pole along a street in the core of Munich, shortest and longest."""

CAMERAS: Final = pa.schema(
    [
        pa.field("camera", pa.string(), nullable=False),
        pa.field("pole", pa.int64(), nullable=False),
        pa.field("lon", pa.float64(), nullable=False),
        pa.field("lat", pa.float64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("housing", pa.string(), nullable=False),
        pa.field("bearing_deg", pa.float64()),  # null for a dome, which looks everywhere
        pa.field("mount", pa.string(), nullable=False),
        pa.field("operator", pa.string(), nullable=False),
        pa.field("purpose", pa.string(), nullable=False),
    ]
)
"""What is really there, one row a camera."""

TRUTH: Final = pa.schema(
    [
        pa.field("observation_id", pa.string(), nullable=False),
        pa.field("cameras", pa.list_(pa.string()), nullable=False),  # more than one for a site
    ]
)
"""Which real cameras each observation stands for."""

_METRES_PER_DEGREE: Final = 111_195.0
_KINDS: Final = (("camera", 0.8), ("alpr", 0.08), ("traffic", 0.12))
_HOUSINGS: Final = (("fixed", 0.6), ("dome", 0.3), ("panning", 0.1))
_MOUNTS: Final = (("pole", 0.5), ("wall", 0.35), ("street_lamp", 0.15))
_PURPOSES: Final = (("crime prevention", 0.5), ("traffic", 0.3), ("property", 0.2))
_OPERATOR_WORDS: Final = (
    *("Nord", "Süd", "Ost", "West", "Alpha", "Linden"),
    *("Markt", "Hafen", "Berg", "Tal", "Stern", "Rosen"),
)
_OPERATOR_FORMS: Final = ("Verkehrsbetrieb", "Stadtwerk", "Kaufhaus", "Parkhaus", "Bank")
_OPERATOR_DECORATIONS: Final = ("", "", " GmbH", " AG", " (Zentrale)")
_LOCAL_OPERATOR_SHARE: Final = 0.6  # of cameras belong to the main operator of their street
_POLES_PER_STRETCH: Final = 8


@dataclass(frozen=True, kw_only=True)
class ListModel:
    """How one list describes the cameras of a place.

    error_m: standard deviation of its positions, each axis. missed: share of cameras it lacks.
    duplicated: share of its rows that it holds twice, each with its own errors. wrong and unknown:
    share of attribute values that are false and that are empty. bearing_error_deg: standard
    deviation of its bearings. sites: whether it has one row a pole, with a count, instead of one
    row a camera. states_error: whether it says how accurate its positions are.
    """

    source_id: str
    error_m: float = 10.0
    missed: float = 0.2
    duplicated: float = 0.0
    wrong: float = 0.1
    unknown: float = 0.3
    bearing_error_deg: float = 15.0
    sites: bool = False
    states_error: bool = True
    seen_on: date = date(2025, 1, 1)


class Synthetic(NamedTuple):
    """Lists of a made-up place: records.OBSERVATIONS of all of them, and TRUTH."""

    observations: pa.Table
    truth: pa.Table


def street_grid(
    *, blocks: int, block_m: float = 100.0, lonlat: tuple[float, float] = (11.57, 48.14)
) -> list[shapely.LineString]:
    """Return the streets of a square town of `blocks` by `blocks`, south-west corner at lonlat."""
    ends = np.arange(blocks + 1) * block_m
    east = np.array([[(0.0, y), (ends[-1], y)] for y in ends])
    north = east[:, :, ::-1]
    return [
        shapely.LineString(_to_degrees(line, np.array(lonlat))) for line in np.vstack([east, north])
    ]


def cameras(
    streets: Sequence[shapely.LineString],
    *,
    spacing_m: tuple[float, float] = MUNICH_SPACING_M,
    on_one_pole: Sequence[float] = (0.9, 0.07, 0.03),
    seed: int = 0,
) -> pa.Table:
    """Put cameras on poles along streets.

    streets: lines in longitude and latitude. spacing_m: from pole to pole, drawn evenly between
    the two. on_one_pole: share of poles with 1, 2, 3, ... cameras. Returns CAMERAS.
    """
    rng = np.random.default_rng(seed)
    stretch, lonlat = _poles(streets, spacing_m, rng)
    held = rng.choice(len(on_one_pole), size=len(lonlat), p=np.asarray(on_one_pole)) + 1
    pole = np.repeat(np.arange(len(lonlat)), held)
    n = len(pole)
    housing = _draw(_HOUSINGS, n, rng)
    return pa.table(
        {
            "camera": [f"c{i}" for i in range(n)],
            "pole": pole,
            "lon": lonlat[pole, 0],
            "lat": lonlat[pole, 1],
            "kind": _draw(_KINDS, n, rng),
            "housing": housing,
            "bearing_deg": pa.array(rng.uniform(0, 360, n), mask=housing == "dome"),
            "mount": _draw(_MOUNTS, len(lonlat), rng)[pole],
            "operator": _operators(stretch[pole], rng),
            "purpose": _draw(_PURPOSES, n, rng),
        },
        schema=CAMERAS,
    )


def lists(cameras: pa.Table, models: Sequence[ListModel], *, seed: int = 0) -> Synthetic:
    """Describe the cameras by one list a model, each with its own misses, errors and duplicates.

    cameras: CAMERAS. The same seed gives the same lists, and a list does not change when models
    are added after it.
    """
    made = [
        _list(cameras, model, np.random.default_rng([seed, position]))
        for position, model in enumerate(models)
    ]
    return Synthetic(
        observations=pa.concat_tables([one.observations for one in made]),
        truth=pa.concat_tables([one.truth for one in made]),
    )


def _poles(
    streets: Sequence[shapely.LineString], spacing_m: tuple[float, float], rng: np.random.Generator
) -> tuple[Index, Array]:
    """Return the stretch of street each pole stands on and its longitude and latitude."""
    stretches: list[Index] = []
    points: list[Array] = []
    n_stretches = 0
    for street in streets:
        degrees = shapely.get_coordinates(street)
        line = shapely.LineString(_to_metres(degrees, degrees[0]))
        gaps = rng.uniform(*spacing_m, size=int(line.length / spacing_m[0]) + 1)
        along = np.cumsum(gaps)
        along = along[along < line.length]
        metres = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
        points.append(_to_degrees(metres, degrees[0]))
        stretches.append(n_stretches + np.arange(len(along)) // _POLES_PER_STRETCH)
        n_stretches += len(along) // _POLES_PER_STRETCH + 1
    return np.concatenate(stretches), np.vstack(points)


def _operators(stretch: Index, rng: np.random.Generator) -> npt.NDArray[np.object_]:
    """Return operators such that neighbours often share theirs."""
    names = np.array(
        [f"{form} {word}" for form in _OPERATOR_FORMS for word in _OPERATOR_WORDS], dtype=object
    )
    local = rng.integers(len(names), size=int(stretch.max(initial=0)) + 1)[stretch]
    any_other = rng.integers(len(names), size=len(stretch))
    is_local = rng.random(len(stretch)) < _LOCAL_OPERATOR_SHARE
    return names[np.where(is_local, local, any_other)]


def _list(cameras: pa.Table, model: ListModel, rng: np.random.Generator) -> Synthetic:
    seen = np.flatnonzero(rng.random(cameras.num_rows) >= model.missed)
    stands_for = _by_pole(cameras, seen) if model.sites else [[i] for i in seen.tolist()]
    first = np.array([members[0] for members in stands_for], dtype=np.int64)
    twice = np.flatnonzero(rng.random(len(first)) < model.duplicated)
    rows = rng.permutation(np.concatenate([np.arange(len(first)), twice]))
    count = np.array([len(members) for members in stands_for], dtype=np.int32)[rows]
    observations = _observations(cameras.take(first[rows]), count, model, rng)
    names = cameras["camera"].to_pylist()
    truth = pa.table(
        {
            "observation_id": observations["observation_id"],
            "cameras": [[names[i] for i in stands_for[row]] for row in rows],
        },
        schema=TRUTH,
    )
    return Synthetic(observations, truth)


def _by_pole(cameras: pa.Table, seen: Index) -> list[list[int]]:
    members: dict[int, list[int]] = {}
    for camera, pole in zip(seen.tolist(), cameras["pole"].to_numpy()[seen].tolist(), strict=True):
        members.setdefault(pole, []).append(camera)
    return list(members.values())


def _observations(
    really: pa.Table, count: npt.NDArray[np.int32], model: ListModel, rng: np.random.Generator
) -> pa.Table:
    """Return records.OBSERVATIONS: the truth, row by row, as the list has it."""
    n = really.num_rows
    native = [f"r{i}" for i in range(n)]
    lonlat = np.column_stack([really["lon"].to_numpy(), really["lat"].to_numpy()])
    lonlat = lonlat + rng.normal(0, model.error_m, (n, 2)) / _metres_per_degree(lonlat[:, 1])
    columns = {
        "observation_id": [f"{model.source_id}/{name}" for name in native],
        "source_id": pa.repeat(model.source_id, n),
        "native_id": native,
        "seen_on": pa.repeat(model.seen_on, n),
        "seen_by": pa.repeat("edit", n),
        "lon": lonlat[:, 0],
        "lat": lonlat[:, 1],
        "accuracy_m": pa.repeat(model.error_m if model.states_error else None, n),
        "count": count,
        "kind": _worsened(really["kind"], _KINDS, model, rng),
        "housing": _worsened(really["housing"], _HOUSINGS, model, rng),
        "bearings": _bearings(really["bearing_deg"], model, rng),
        "mount": _worsened(really["mount"], _MOUNTS, model, rng),
        "operator": _misnamed(really["operator"], model, rng),
        "operator_class": pa.repeat("unknown", n),
        "operator_class_rule": pa.repeat("none", n),
        "private_home": pa.repeat(False, n),
        "purpose": _worsened(really["purpose"], _PURPOSES, model, rng),
    }
    missing = {f.name: pa.nulls(n, f.type) for f in OBSERVATIONS if f.name not in columns}
    return pa.table(columns | missing, schema=OBSERVATIONS)


def _worsened(
    values: pa.ChunkedArray,
    vocabulary: Sequence[tuple[str, float]],
    model: ListModel,
    rng: np.random.Generator,
) -> pa.Array:
    """Return attribute values as a list has them: some replaced by a draw, some null."""
    n = len(values)
    drawn = _draw(vocabulary, n, rng)
    told = np.where(rng.random(n) < model.wrong, drawn, values.to_numpy(zero_copy_only=False))
    return pa.array(told, pa.string(), mask=rng.random(n) < model.unknown)


def _misnamed(values: pa.ChunkedArray, model: ListModel, rng: np.random.Generator) -> pa.Array:
    """Return operators, some false, some in capitals, with a legal form or with a letter lost."""
    names = values.to_numpy(zero_copy_only=False)
    n = len(names)
    told = np.where(rng.random(n) < model.wrong, names[rng.permutation(n)], names)
    decoration = np.array(_OPERATOR_DECORATIONS, dtype=object)
    told = told + decoration[rng.integers(len(decoration), size=n)]
    told = np.where(rng.random(n) < 0.2, np.array([name.upper() for name in told], object), told)
    lost = np.where(rng.random(n) < 0.1, rng.integers(1, 8, size=n), -1).tolist()
    told = np.array(
        [x if i < 0 else x[:i] + x[i + 1 :] for x, i in zip(told, lost, strict=True)], object
    )
    return pa.array(told, pa.string(), mask=rng.random(n) < model.unknown)


def _bearings(values: pa.ChunkedArray, model: ListModel, rng: np.random.Generator) -> pa.Array:
    degrees = values.to_numpy(zero_copy_only=False)
    n = len(degrees)
    told = degrees + rng.normal(0, model.bearing_error_deg, n)
    told = np.where(rng.random(n) < model.wrong, rng.uniform(0, 360, n), told) % 360
    unknown = np.isnan(told) | (rng.random(n) < model.unknown)
    offsets = np.concatenate([[0], np.cumsum(~unknown)]).astype(np.int32)
    kept = pa.ListArray.from_arrays(offsets, told[~unknown])
    return pa.ListArray.from_arrays(offsets, kept.values, mask=pa.array(unknown))


def _draw(
    vocabulary: Sequence[tuple[str, float]], n: int, rng: np.random.Generator
) -> npt.NDArray[np.object_]:
    words, shares = zip(*vocabulary, strict=True)
    return np.array(words, dtype=object)[rng.choice(len(words), size=n, p=shares)]


def _metres_per_degree(lat: Array) -> Array:
    east = _METRES_PER_DEGREE * np.cos(np.radians(lat))
    return np.stack([east, np.full_like(lat, _METRES_PER_DEGREE)], axis=-1)


def _to_degrees(metres: Array, origin: Array) -> Array:
    return origin + metres / _metres_per_degree(origin[1:])


def _to_metres(degrees: Array, origin: Array) -> Array:
    return (degrees - origin) * _metres_per_degree(origin[1:])
