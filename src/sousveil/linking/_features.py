"""What linking looks at in an observation: arrays fit for comparing, one entry an observation."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sousveil.linking._blocking import Array, Index, Points, select_points

WORDS: Final = ("kind", "housing", "mount", "purpose", "operator")
"""Attributes compared by their words, each held as the code of a word, -1 where unknown."""

SECTORS: Final = 60
"""Bearings are held as bits, one a sector of 6 degrees, so that several compare at once."""

DEFAULT_ACCURACY_M: Final = {"osm": 5.0, "list": 10.0}
"""Where a source says nothing: mappers place a camera on imagery, registers often on an address."""

_LEAST_ACCURACY_M: Final = 0.5
_OSM_OBJECT: Final = re.compile(r"(node|way|relation)/\d+")
_LEGAL_FORMS: Final = frozenset(
    {
        *("gmbh", "mbh", "ag", "kg", "ohg", "kgaa", "ev", "ltd", "limited", "llc", "inc", "corp"),
        *("plc", "co", "company", "sa", "sas", "sarl", "spa", "srl", "bv", "nv", "oy", "oyj"),
        *("ab", "as", "asa", "aps"),
    }
)


class Features(NamedTuple):
    """What is compared, as aligned arrays; `words` gives the word of each code by attribute."""

    points: Points
    sort: Index  # camera or what else; only things of one sort can be the same
    devices: Index
    bearings: Index  # bits, 0 where unknown
    codes: dict[str, Index]
    words: dict[str, list[str]]


def describe(observations: pa.Table) -> Features:
    """Return the features of records.OBSERVATIONS, one entry a row."""
    codes, words = {}, {}
    for name in WORDS:
        codes[name], words[name] = _encoded(observations[name], is_name=name == "operator")
    return Features(
        points=Points(
            observations["lon"].to_numpy(), observations["lat"].to_numpy(), _accuracy(observations)
        ),
        sort=_encoded(observations["not_camera"].fill_null("camera"))[0],
        devices=observations["count"].to_numpy().astype(np.int64),
        bearings=_bearing_bits(observations["bearings"]),
        codes=codes,
        words=words,
    )


def take(features: Features, rows: Index) -> Features:
    """Return the features of some rows."""
    return features._replace(
        points=select_points(features.points, rows),
        sort=features.sort[rows],
        devices=features.devices[rows],
        bearings=features.bearings[rows],
        codes={name: code[rows] for name, code in features.codes.items()},
    )


def join(features: Features, group: Index, n_groups: int) -> Features:
    """Return one entry a group: its mean position, weighted by accuracy, and first known values.

    group: of each row, 0 to n_groups - 1. Of numbers of devices the greatest stands.
    """
    points = features.points
    weight = points.accuracy_m**-2.0
    total = np.bincount(group, weight, n_groups)
    first = np.unique(group, return_index=True)[1]
    lon_0 = points.lon[first]
    east = (points.lon - lon_0[group] + 180) % 360 - 180
    devices = np.zeros(n_groups, np.int64)
    np.maximum.at(devices, group, features.devices)
    return features._replace(
        points=Points(
            lon_0 + np.bincount(group, weight * east, n_groups) / total,
            np.bincount(group, weight * points.lat, n_groups) / total,
            np.sqrt(1 / total),
        ),
        sort=features.sort[first],
        devices=devices,
        bearings=_first(features.bearings, features.bearings != 0, group, n_groups, unknown=0),
        codes={
            name: _first(code, code >= 0, group, n_groups, unknown=-1)
            for name, code in features.codes.items()
        },
    )


def near_bits(bearings: Index, sectors: int) -> Index:
    """Return the bits of all sectors at most so many away from those given."""
    everything = (1 << SECTORS) - 1
    near = bearings.copy()
    for turn in range(1, sectors + 1):
        near |= (bearings << turn) & everything | bearings >> (SECTORS - turn)
        near |= bearings >> turn | (bearings << (SECTORS - turn)) & everything
    return near


def normal_name(name: str) -> str:
    """Return the name of an organisation without case, accents, legal form and punctuation."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = unicodedata.normalize("NFC", plain)
    plain = re.sub(r"\([^)]*\)", " ", plain)
    words = re.sub(r"\W+", " ", plain.replace(".", "")).split()
    return " ".join([word for word in words if word not in _LEGAL_FORMS] or words)


def is_osm_object(native_id: str) -> bool:
    """Return whether an id names an object of OpenStreetMap."""
    return _OSM_OBJECT.fullmatch(native_id) is not None


def _encoded(values: pa.ChunkedArray, *, is_name: bool = False) -> tuple[Index, list[str]]:
    encoded = values.combine_chunks().dictionary_encode()
    normal = [
        normal_name(w) if is_name else w.strip().casefold() for w in encoded.dictionary.to_pylist()
    ]
    words = sorted(set(normal) - {""})
    position = {word: code for code, word in enumerate(words)}
    recoded = np.array([position.get(word, -1) for word in normal] + [-1], np.int64)
    code: Index = recoded[encoded.indices.fill_null(len(normal)).to_numpy(zero_copy_only=False)]
    return code, words


def _accuracy(observations: pa.Table) -> Array:
    stated = observations["accuracy_m"].to_numpy(zero_copy_only=False).astype(np.float64)
    ids = observations["native_id"].to_pylist()
    of_osm = np.fromiter((is_osm_object(x) for x in ids), bool, len(ids))
    usual: Array = np.where(of_osm, DEFAULT_ACCURACY_M["osm"], DEFAULT_ACCURACY_M["list"])
    return np.maximum(np.where(np.isnan(stated), usual, stated), _LEAST_ACCURACY_M)


def _bearing_bits(bearings: pa.ChunkedArray) -> Index:
    lists = bearings.combine_chunks()
    degrees = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    owner = lists.value_parent_indices().to_numpy()[~np.isnan(degrees)]
    degrees = degrees[~np.isnan(degrees)]
    sector = (degrees % 360 // (360 / SECTORS)).astype(np.int64) % SECTORS
    bits = np.zeros(len(lists), np.int64)
    np.bitwise_or.at(bits, owner, np.int64(1) << sector)
    return bits


def _first(
    value: Index, known: npt.NDArray[np.bool_], group: Index, n_groups: int, *, unknown: int
) -> Index:
    first = np.full(n_groups, len(value))
    np.minimum.at(first, group[known], np.flatnonzero(known))
    chosen: Index = np.append(value, unknown)[first]
    return chosen
