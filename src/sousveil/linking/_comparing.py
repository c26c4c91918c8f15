"""How alike two observations are, attribute by attribute: the comparisons, run by Splink.

This is the one place that knows Splink and the engine it runs on (DuckDB).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import splink.comparison_level_library as levels
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.comparison_library import CustomComparison

from sousveil.linking._blocking import Array, Index, Pairs
from sousveil.linking._features import WORDS, Features, near_bits

Vectors = npt.NDArray[np.int8]


class Comparison(NamedTuple):
    """An attribute and how alike two values of it can be.

    unknown: when it cannot be compared (SQL). levels: from the most alike down, what each means
    and its condition (SQL); what fits none differs. usual: share of each level, and last of
    "differ", between descriptions of one camera, to begin learning with.
    """

    name: str
    unknown: str
    levels: tuple[tuple[str, str], ...]
    usual: tuple[float, ...]

    @property
    def n_levels(self) -> int:
        """Number of levels, "differ" included, "unknown" not."""
        return len(self.levels) + 1


def _same(name: str) -> Comparison:
    unknown = f"{name}_l is null or {name}_r is null"
    return Comparison(name, unknown, (("same", f"{name}_l = {name}_r"),), (0.85, 0.15))


def _alike(name: str) -> Comparison:
    likeness = f"jaro_winkler_similarity({name}_l, {name}_r)"
    levels = (
        ("same name", f"{name}_l = {name}_r"),
        ("nearly the same name", f"{likeness} >= 0.93"),
        ("similar name", f"{likeness} >= 0.85"),
    )
    unknown = f"{name}_l is null or {name}_r is null"
    return Comparison(name, unknown, levels, (0.7, 0.1, 0.05, 0.15))


# Sectors apart, and what that is in degrees on average.
_BEARING_LEVELS: Final = (
    (2, "within 15°"),
    (4, "within 27°"),
    (8, "within 51°"),
    (15, "within 93°"),
)

COMPARISONS: Final = (
    Comparison(
        "bearing",
        "bearing_l = 0 or bearing_r = 0",
        tuple((label, f"(bearing_l & bearing_{k}_r) <> 0") for k, label in _BEARING_LEVELS),
        (0.55, 0.2, 0.1, 0.05, 0.1),
    ),
    Comparison(
        "kind",
        "kind_l is null or kind_r is null",
        (
            ("the same special kind", "kind_l = kind_r and kind_l <> 'camera'"),
            ("both merely a camera", "kind_l = kind_r"),
            ("one merely a camera", "kind_l = 'camera' or kind_r = 'camera'"),
        ),
        (0.2, 0.6, 0.15, 0.05),
    ),
    _same("housing"),
    _same("mount"),
    _alike("operator"),
    _alike("purpose"),
    Comparison(
        "devices",
        "devices_l = 1 and devices_r = 1",
        (
            ("the same number", "devices_l = devices_r"),
            ("one of them 1", "least(devices_l, devices_r) = 1"),
        ),
        (0.5, 0.4, 0.1),
    ),
)
"""The comparisons besides distance, in the order of the columns of `vectors`."""

_PAIRS_AT_ONCE: Final = 2_000_000


def vectors(left: Features, right: Features, pairs: Pairs) -> Vectors:
    """Return the level of likeness of each pair, one column a comparison.

    0 is "differ", higher is more alike, -1 is unknown.
    """
    settings = _settings([_as_splink(c) for c in COMPARISONS], keep_levels=True)
    columns = [f"gamma_{c.name}::tinyint" for c in COMPARISONS]
    return np.column_stack(_predicted(left, right, pairs, settings, columns)).astype(np.int8)


def evidence(
    left: Features, right: Features, pairs: Pairs, m: Sequence[Array], u: Sequence[Array]
) -> Array:
    """Return the log of how much more likely each pair's likeness is for one camera than for two.

    m and u, one array a comparison: the probabilities of its levels, "differ" first, for the same
    camera and for different ones.
    """
    weighed = [_as_splink(*of_one) for of_one in zip(COMPARISONS, m, u, strict=True)]
    settings = _settings(weighed, keep_levels=False)
    bits: Array = _predicted(left, right, pairs, settings, ["match_weight"])[0]
    told: Array = bits * np.log(2)
    return told


def _predicted(
    left: Features, right: Features, pairs: Pairs, settings: SettingsCreator, columns: list[str]
) -> list[npt.NDArray[Any]]:
    """Return columns of Splink's predictions for the pairs, in their order."""
    table = pa.concat_tables([_table(left, 0), _table(right, len(left.devices))])
    right_ids = pairs.right + len(left.devices)
    made = []
    for start in range(0, max(len(right_ids), 1), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        with duckdb.connect(":memory:", config={"threads": 2}) as connection:
            ids = pairs.left[part], right_ids[part]
            made.append(_predicted_part(connection, table, ids, settings, columns))
    return [np.concatenate(column) for column in zip(*made, strict=True)]


def _predicted_part(
    connection: duckdb.DuckDBPyConnection,
    table: pa.Table,
    ids: tuple[Index, Index],
    settings: SettingsCreator,
    columns: list[str],
) -> list[npt.NDArray[Any]]:
    api = DuckDBAPI(connection)
    linker = Linker(api.register(table), settings, log_level=None, validate_settings=False)
    zeros = pa.repeat("0", len(ids[0]))
    blocked = pa.table({"join_key_l": ids[0], "join_key_r": ids[1], "match_key": zeros})
    linker.table_management.register_blocked_pairs_for_predict(api.register(blocked))
    predicted = linker.inference.predict(warning_mode="never")
    names = ", ".join(["unique_id_l", "unique_id_r", *columns])
    relation = connection.sql(f"select {names} from {predicted.physical_name}")  # noqa: S608
    left, right, *found = (column.to_numpy() for column in relation.to_arrow_table().columns)
    # The engine answers in an order of its own.
    asked = np.argsort(ids[0] * table.num_rows + ids[1])
    place = np.empty_like(asked)
    place[asked] = np.argsort(left * table.num_rows + right)
    return [column[place] for column in found]


def _settings(comparisons: list[CustomComparison], *, keep_levels: bool) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[*comparisons],
        blocking_rules_to_generate_predictions=[block_on("unique_id")],
        probability_two_random_records_match=0.5,
        retain_matching_columns=keep_levels,
    )


def _as_splink(
    comparison: Comparison, m: Array | None = None, u: Array | None = None
) -> CustomComparison:
    sql = [
        *(levels.CustomLevel(sql, label_for_charts=x) for x, sql in comparison.levels),
        levels.ElseLevel(),
    ]
    if m is not None and u is not None:
        shares = zip(m[::-1].tolist(), u[::-1].tolist(), strict=True)
        sql = [
            level.configure(m_probability=same, u_probability=other)
            for level, (same, other) in zip(sql, shares, strict=True)
        ]
    unknown = levels.CustomLevel(comparison.unknown).configure(is_null_level=True)
    return CustomComparison(output_column_name=comparison.name, comparison_levels=[unknown, *sql])


def _table(features: Features, first_id: int) -> pa.Table:
    known = {
        name: pa.array(features.words[name], pa.string()).take(
            pa.array(features.codes[name], mask=features.codes[name] < 0)
        )
        for name in WORDS
    }
    near = {f"bearing_{k}": near_bits(features.bearings, k) for k, _ in _BEARING_LEVELS}
    fixed = {
        "unique_id": np.arange(first_id, first_id + len(features.devices)),
        "devices": features.devices,
        "bearing": features.bearings,
    }
    return pa.table(fixed | near | known)
