"""Which observations speak of the same camera, and how sure that is."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.records import LINKS

if TYPE_CHECKING:
    from sousveil.linking._joining import Joined, Scored

UNCERTAIN: Final = pa.schema(
    [
        pa.field("observation_id_l", pa.string(), nullable=False),
        pa.field("observation_id_r", pa.string(), nullable=False),
        pa.field("probability", pa.float64(), nullable=False),  # of being one camera
        pa.field("distance_m", pa.float64(), nullable=False),
        pa.field("linked", pa.bool_(), nullable=False),
    ]
)
"""Pairs of observations that a person may want to look at, the least certain first."""

RATES: Final = pa.schema(
    [
        pa.field("source_l", pa.string(), nullable=False),
        pa.field("source_r", pa.string(), nullable=False),
        pa.field("n_l", pa.int64(), nullable=False),  # cameras of each list, its duplicates joined
        pa.field("n_r", pa.int64(), nullable=False),
        pa.field("linked", pa.int64(), nullable=False),
        pa.field("alpha", pa.float64()),  # chance that one of r that l also holds is linked
        pa.field("beta", pa.float64()),  # chance that one of r that l does not hold is linked
    ]
)
"""How well each two lists were linked; what capture-recapture with linkage errors asks for."""

REVIEWED: Final = pa.schema(
    [
        pa.field("observation_id_l", pa.string(), nullable=False),
        pa.field("observation_id_r", pa.string(), nullable=False),
        pa.field("answer", pa.string()),  # same | different, null for not answered
    ]
)
"""What a person found who looked at uncertain pairs."""

UNCERTAIN_BAND: Final = (0.1, 0.9)
"""Probabilities between which a pair is for a person to decide."""

_DUPLICATE_FROM: Final = 0.5
_EARTH_RADIUS_M: Final = 6_371_008.8
_OSM_OBJECT: Final = re.compile(r"(node|way|relation)/(\d+)")
_OSM_TYPES: Final = {"node": 0, "way": 1, "relation": 2}

_Index = npt.NDArray[np.int64]
_Array = npt.NDArray[np.float64]


class Linked(NamedTuple):
    """Links, and how far to trust them.

    links: records.LINKS, one row an observation, in its order. pairs_compared: pairs near enough
    to be looked at. expected_precision: expected share of the links between lists that are right;
    expected_recall: expected share of right ones that were found; null without any link, or any
    hope of one. uncertain: UNCERTAIN. rates: RATES. n_links, expected_links: links between lists
    that were made, and those that there are by expectation.
    """

    links: pa.Table
    pairs_compared: int
    expected_precision: float | None
    expected_recall: float | None
    uncertain: pa.Table
    rates: pa.Table
    n_links: int
    expected_links: float


def by_identity(observations: pa.Table) -> pa.Table:
    """Link observations that carry the same OpenStreetMap object.

    Extracts of different days or neighbouring areas repeat an object under the same id; such
    links are certain. Returns records.LINKS, one row an observation, in its order.
    """
    native_ids = observations["native_id"].to_pylist()
    return pa.table(
        {
            "observation_id": observations["observation_id"],
            "source_id": observations["source_id"],
            "native_id": observations["native_id"],
            "camera_id": [_camera_id(native_id) for native_id in native_ids],
            "probability": [1.0] * len(native_ids),
        },
        schema=LINKS,
    )


def all_have_identity(observations: pa.Table) -> bool:
    """Tell whether all observations are objects of OpenStreetMap, which need only be compared."""
    native = pc.match_substring_regex(observations["native_id"], f"^{_OSM_OBJECT.pattern}$")
    return bool(pc.all(native, min_count=0).as_py())


def link(
    observations: pa.Table,
    *,
    threshold: float | None = None,
    seed: int = 0,
    reviewed: pa.Table | None = None,
) -> Linked:
    """Link the observations of several lists that speak of one camera.

    The same object of OpenStreetMap is certain; so is what `reviewed` (REVIEWED) says. All else is
    compared by position and attributes (Splink), with parameters learnt from the lists themselves,
    and linked so that no camera is taken twice by one list: see docs/linking.md.

    observations: records.OBSERVATIONS. threshold: the least probability of a link; by default the
    one, list by list, that promises the best F1. seed: of the sample learnt from, in large lists.
    The same observations in any order get the same links. What is no camera is only linked by
    identity.
    """
    if not observations.num_rows:
        nothing = (schema.empty_table() for schema in (LINKS, UNCERTAIN, RATES))
        return Linked(next(nothing), 0, None, None, next(nothing), next(nothing), 0, 0.0)
    from sousveil.linking import _linkage  # takes a while to load, and a census does without

    by_name = [("source_id", "ascending"), ("observation_id", "ascending")]
    order = pc.sort_indices(observations, by_name)
    found = _linkage.link(
        observations.take(order),
        same=_reviewed(reviewed, "same"),
        different=_reviewed(reviewed, "different"),
        threshold=threshold,
        duplicate_from=max(threshold or 0.0, _DUPLICATE_FROM),
        rng=np.random.default_rng(seed),
    )
    back = np.argsort(order.to_numpy())
    between = found.joined.scored
    taken, probability = between.taken, between.probability
    right = float(probability[taken].sum()) + found.certain
    links, hoped = int(taken.sum()) + found.certain, found.joined.expected_links + found.certain
    return Linked(
        links=_links(observations, found.camera[back], found.probability[back]),
        pairs_compared=found.pairs_compared,
        expected_precision=right / links if links else None,
        expected_recall=right / hoped if hoped else None,
        uncertain=_uncertain(observations.take(order), found.scored),
        rates=_rates(found.joined, found.sources),
        n_links=links,
        expected_links=hoped,
    )


def _links(observations: pa.Table, camera: _Index, probability: _Array) -> pa.Table:
    return pa.table(
        {
            "observation_id": observations["observation_id"],
            "source_id": observations["source_id"],
            "native_id": observations["native_id"],
            "camera_id": _camera_ids(observations, camera),
            "probability": probability,
        },
        schema=LINKS,
    )


def _uncertain(observations: pa.Table, scored: Scored) -> pa.Table:
    low, high = UNCERTAIN_BAND
    rows = np.flatnonzero((scored.probability >= low) & (scored.probability <= high))
    rows = rows[np.argsort(np.abs(scored.probability[rows] - 0.5), kind="stable")]
    left, right = scored.left[rows], scored.right[rows]
    ids = observations["observation_id"]
    return pa.table(
        {
            "observation_id_l": ids.take(pa.array(left)),
            "observation_id_r": ids.take(pa.array(right)),
            "probability": scored.probability[rows],
            "distance_m": _distance_m(observations, left, right),
            "linked": scored.taken[rows],
        },
        schema=UNCERTAIN,
    )


def _distance_m(observations: pa.Table, left: _Index, right: _Index) -> _Array:
    lon, lat = (np.radians(observations[name].to_numpy()) for name in ("lon", "lat"))
    east = (lon[right] - lon[left] + np.pi) % (2 * np.pi) - np.pi
    distance: _Array = _EARTH_RADIUS_M * np.hypot(east * np.cos(lat[left]), lat[right] - lat[left])
    return distance


def _rates(joined: Joined, sources: list[str]) -> pa.Table:
    names = [
        {"source_l": sources[r.source_l], "source_r": sources[r.source_r]} for r in joined.rates
    ]
    rows = [rates._asdict() | name for rates, name in zip(joined.rates, names, strict=True)]
    return pa.Table.from_pylist(rows, schema=RATES)


def _reviewed(reviewed: pa.Table | None, answer: str) -> list[tuple[str, str]]:
    if reviewed is None:
        return []
    chosen = reviewed.filter(pc.equal(reviewed["answer"], answer))
    left, right = chosen["observation_id_l"].to_pylist(), chosen["observation_id_r"].to_pylist()
    return list(zip(left, right, strict=True))


def _camera_ids(observations: pa.Table, camera: _Index) -> pa.Array:
    """Return the id of each observation's camera, made from the oldest key among its observations.

    Objects of OpenStreetMap come first, the smallest number (the oldest) before others, so that
    an id stays when other lists, or later objects, join the camera.
    """
    sources, natives = observations["source_id"].to_pylist(), observations["native_id"].to_pylist()
    keys = [_key(*ids) for ids in zip(sources, natives, strict=True)]
    first: dict[int, tuple[int, int, str]] = {}
    for number, key in zip(camera.tolist(), keys, strict=True):
        if number not in first or key < first[number]:
            first[number] = key
    ids = {number: _camera_id(key[2]) for number, key in first.items()}
    return pa.array([ids[number] for number in camera.tolist()], pa.string())


def _key(source_id: str, native_id: str) -> tuple[int, int, str]:
    match = _OSM_OBJECT.fullmatch(native_id)
    if match:
        return _OSM_TYPES[match[1]], int(match[2]), native_id
    return len(_OSM_TYPES), 0, f"{source_id}/{native_id}"


def _camera_id(native_id: str) -> str:
    digest = hashlib.blake2b(f"osm:{native_id}".encode(), digest_size=8).hexdigest()
    return f"cam-{digest}"
