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
    from sousveil.linking._linkage import Linkage

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

PAIRS: Final = pa.schema(
    [
        *UNCERTAIN,
        pa.field("best_f1", pa.bool_(), nullable=False),  # of the pairs with the best expected F1
        pa.field("one_list", pa.bool_(), nullable=False),  # one camera twice in one list, if at all
    ]
)
"""Every pair that may be one camera, the likeliest first, whether linked or not.

What was linked to a camera that several lists hold stands once, with its first observation.
"""

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

LEAST_IN_PAIRS: Final = 0.01
"""Pairs less likely than that are not told."""

_DUPLICATE_FROM: Final = 0.5
_SAME_F1: Final = 0.002  # the threshold of links is found to 0.001, half of that
_EARTH_RADIUS_M: Final = 6_371_008.8
_OSM_OBJECT: Final = re.compile(r"(node|way|relation)/(\d+)")
_OSM_TYPES: Final = {"node": 0, "way": 1, "relation": 2}

_Index = npt.NDArray[np.int64]
_Array = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]


class Linked(NamedTuple):
    """Links, and how far to trust them.

    links: records.LINKS, one row an observation, in its order. pairs_compared: pairs near enough
    to be looked at. expected_precision: expected share of the links between lists that are right;
    expected_recall: expected share of right ones that were found; null without any link, or any
    hope of one. pairs: PAIRS. expected_f1 and expected_f1_of_pairs: of the links, and of all pairs
    marked `best_f1`, which may touch a camera many times. rates: RATES. n_links, expected_links:
    links between lists that were made, and those that there are by expectation.
    """

    links: pa.Table
    pairs_compared: int
    expected_precision: float | None
    expected_recall: float | None
    expected_f1: float | None
    expected_f1_of_pairs: float | None
    pairs: pa.Table
    rates: pa.Table
    n_links: int
    expected_links: float

    @property
    def uncertain(self) -> pa.Table:
        """The pairs that a person may want to look at: UNCERTAIN."""
        low, high = UNCERTAIN_BAND
        given = self.pairs["probability"]
        within = pc.and_(pc.greater_equal(given, low), pc.less_equal(given, high))
        band = self.pairs.filter(within).select(UNCERTAIN.names)
        order = np.argsort(np.abs(band["probability"].to_numpy() - 0.5), kind="stable")
        return band.take(pa.array(order))

    @property
    def n_joined(self) -> int:
        """How many joins of two rows of one list were made, as that list's duplicates."""
        n: int = self._joined.num_rows
        return n

    @property
    def expected_precision_of_joins(self) -> float | None:
        """The expected share of the joins inside one list that are right, null without any."""
        mean: float | None = pc.mean(self._joined["probability"]).as_py()
        return mean

    @property
    def _joined(self) -> pa.Table:
        return self.pairs.filter(pc.and_(self.pairs["one_list"], self.pairs["linked"]))

    @property
    def better(self) -> str:
        """Which promises the better F1: "pairs", or "links" (also where they promise the same)."""
        links, pairs = self.expected_f1 or 0.0, self.expected_f1_of_pairs or 0.0
        return "pairs" if pairs > links + _SAME_F1 else "links"


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
        links, pairs, rates = (schema.empty_table() for schema in (LINKS, PAIRS, RATES))
        return Linked(links, 0, None, None, None, None, pairs, rates, 0, 0.0)
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
    right, links, hoped = _counts(found, found.between.taken)
    best = _best_pairs(found, hoped)
    return Linked(
        links=_links(observations, found.camera[back], found.probability[back]),
        pairs_compared=found.pairs_compared,
        expected_precision=right / links if links else None,
        expected_recall=right / hoped if hoped else None,
        expected_f1=_f1(right, links, hoped),
        expected_f1_of_pairs=_f1(*_counts(found, best)),
        pairs=_pairs(observations.take(order), found, best),
        rates=_rates(found),
        n_links=links,
        expected_links=hoped,
    )


def _counts(found: Linkage, taken: _Mask) -> tuple[float, int, float]:
    """Return how many of the pairs taken between lists are right by expectation, all, and hoped."""
    n_certain = len(found.certain)
    right = float(found.between.probability[taken].sum()) + n_certain
    return right, int(taken.sum()) + n_certain, found.expected_links + n_certain


def _f1(right: float, taken: int, hoped: float) -> float | None:
    return 2 * right / (taken + hoped) if taken + hoped else None


def _best_pairs(found: Linkage, hoped: float) -> _Mask:
    """Return which pairs between lists promise the best F1, with all that are certain."""
    from sousveil.linking._matching import best_pair_threshold

    probability = found.between.probability
    with_certain = np.concatenate([np.ones(len(found.certain)), probability])
    best: _Mask = probability >= best_pair_threshold(with_certain, expected_links=hoped)
    return best


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


def _pairs(observations: pa.Table, found: Linkage, best: _Mask) -> pa.Table:
    """Return PAIRS. best: which of those between lists promise the best F1."""
    certain, doubles, between = found.certain, found.doubles, found.between
    n_certain, n_doubles = len(certain), len(doubles.left)
    probability = np.concatenate([np.ones(n_certain), doubles.probability, between.probability])
    order = np.argsort(-probability, kind="stable")
    left = np.concatenate([certain[:, 0], doubles.left, between.left])[order]
    right = np.concatenate([certain[:, 1], doubles.right, between.right])[order]
    surely, ids = np.ones(n_certain, np.bool_), observations["observation_id"].combine_chunks()
    within = (np.arange(len(order)) >= n_certain) & (np.arange(len(order)) < n_certain + n_doubles)
    return pa.table(
        {
            "observation_id_l": ids.take(pa.array(left)),
            "observation_id_r": ids.take(pa.array(right)),
            "probability": probability[order],
            "distance_m": _distance_m(observations, left, right),
            "linked": np.concatenate([surely, doubles.taken, between.taken])[order],
            "best_f1": np.concatenate([surely, doubles.taken, best])[order],
            "one_list": within[order],
        },
        schema=PAIRS,
    )


def _distance_m(observations: pa.Table, left: _Index, right: _Index) -> _Array:
    lon, lat = (np.radians(observations[name].to_numpy()) for name in ("lon", "lat"))
    east = (lon[right] - lon[left] + np.pi) % (2 * np.pi) - np.pi
    distance: _Array = _EARTH_RADIUS_M * np.hypot(east * np.cos(lat[left]), lat[right] - lat[left])
    return distance


def _rates(found: Linkage) -> pa.Table:
    sources = found.sources
    names = [
        {"source_l": sources[r.source_l], "source_r": sources[r.source_r]} for r in found.rates
    ]
    rows = [rates._asdict() | name for rates, name in zip(found.rates, names, strict=True)]
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
