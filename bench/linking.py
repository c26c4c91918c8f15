"""Linking measured where the truth is known: F1 against fixed radii, calibration, speed.

python bench/linking.py                 all of it, written to bench/README.md
python bench/linking.py grid [SEEDS]    F1 by error, density, misses and attributes; calibration
python bench/linking.py real            two extracts of Darmstadt with the ids hidden
python bench/linking.py million N FILE  N observations of five lists in this process
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial import cKDTree

from _measure import DATA, machine, measure, write_section
from sousveil import synthetic
from sousveil.linking import Linked, link
from sousveil.linking._chance import surroundings
from sousveil.linking._features import describe, take
from sousveil.linking._learning import (
    _LEARNING_REACH,
    Listing,
    Model,
    _known,
    _maximised,
    _start,
    candidates,
    learn_chance,
    nearby,
    probabilities,
    vectors,
)
from sousveil.linking._matching import Edges, assign, by_pair
from sousveil.synthetic import ListModel

RADII_M = (10, 15, 25, 50, 75)
ERRORS_M = (0.0, 5.0, 10.0, 20.0)
SPACINGS_M = {"dense": synthetic.MUNICH_SPACING_M, "sparse": (30.0, 60.0)}
MISSED = (0.1, 0.4)
ATTRIBUTES = {"none": (0.0, 1.0), "poor": (0.1, 0.3), "good": (0.05, 0.1)}  # wrong, unknown
CAMERAS = 1500  # about, a town
THRESHOLDS = np.arange(0.02, 0.6, 0.02)


class Town(NamedTuple):
    """Two lists of a made-up town: features and the number of each row's real camera."""

    observations: pa.Table
    sides: tuple[Any, Any]
    real: tuple[np.ndarray, np.ndarray]
    n_true: int

    def f1(self, left: np.ndarray, right: np.ndarray) -> float:
        true = int((self.real[0][left] == self.real[1][right]).sum())
        return 2 * true / max(len(left) + self.n_true, 1)


def town(
    *, error_m: float, spacing: str, missed: float, attributes: str, seed: int, states: bool = False
) -> Town:
    wrong, unknown = ATTRIBUTES[attributes]
    blocks = 10 if spacing == "dense" else 17
    cameras = synthetic.cameras(
        synthetic.street_grid(blocks=blocks), spacing_m=SPACINGS_M[spacing], seed=seed
    )
    models = [
        ListModel(source_id=name, error_m=error_m, missed=missed, wrong=wrong, unknown=unknown,
                  states_error=states)
        for name in "ab"
    ]  # fmt: skip
    made = synthetic.lists(cameras, models, seed=seed)
    real = np.array([int(names[0][1:]) for names in made.truth["cameras"].to_pylist()])
    is_left = np.array(made.observations["source_id"].to_pylist()) == "a"
    features = describe(made.observations)
    rows = np.flatnonzero(is_left), np.flatnonzero(~is_left)
    n_true = len(np.intersect1d(real[is_left], real[~is_left]))
    sides = take(features, rows[0]), take(features, rows[1])
    return Town(made.observations, sides, (real[rows[0]], real[rows[1]]), n_true)


class Told(NamedTuple):
    """Pairs of rows of both lists with the probability given and whether they are one camera."""

    left: np.ndarray
    right: np.ndarray
    probability: np.ndarray
    true: np.ndarray


class Found(NamedTuple):
    """What `link` finds with nothing set: F1 of its links, of its pairs with the best expected F1,
    of what it promises more of, which is that, and all probabilities that it gives."""

    links: float
    pairs: float
    ours: float
    better: str
    told: dict[str, Told]


def ours(made: Town) -> Found:
    linked = link(made.observations)
    links, pairs = _links(made, linked), _pairs(made, linked)
    of_links = made.f1(links.left, links.right)
    best = _between(linked)["best_f1"].to_numpy()
    of_pairs = made.f1(pairs.left[best], pairs.right[best])
    better = of_pairs if linked.better == "pairs" else of_links
    return Found(of_links, of_pairs, better, linked.better, {"links": links, "pairs": pairs})


def _links(made: Town, linked: Linked) -> Told:
    n_left = len(made.real[0])
    by_camera = defaultdict(list)
    for row, camera in enumerate(linked.links["camera_id"].to_pylist()):
        by_camera[camera].append(row)
    pairs = [
        (i, j - n_left)
        for rows in by_camera.values()
        for i, j in itertools.combinations(rows, 2)
        if i < n_left <= j
    ]
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    return _told(made, left, right, linked.links["probability"].to_numpy()[left])


def _pairs(made: Town, linked: Linked) -> Told:
    pairs, ids = _between(linked), made.observations["observation_id"].combine_chunks()
    ends = [pc.index_in(pairs[f"observation_id_{end}"], ids).to_numpy() for end in "lr"]
    left, right = np.sort(ends, axis=0)  # the rows of the left list come first
    return _told(made, left, right - len(made.real[0]), pairs["probability"].to_numpy())


def _between(linked: Linked) -> pa.Table:
    return linked.pairs.filter(pc.invert(linked.pairs["one_list"]))


def _told(made: Town, left: np.ndarray, right: np.ndarray, probability: np.ndarray) -> Told:
    return Told(left, right, probability, made.real[0][left] == made.real[1][right])


def best_radii(made: Town) -> dict[str, float]:
    """The best F1 within any of the fixed radii: of linking all, and the nearest first."""
    trees = _trees(made)
    found = defaultdict(list)
    for radius in RADII_M:
        near = trees[0].sparse_distance_matrix(trees[1], radius, output_type="coo_matrix")
        left, right = near.row, near.col
        found["all in a radius"].append(made.f1(left, right))
        order = np.argsort(near.data, kind="stable")
        used: tuple[set[int], set[int]] = set(), set()
        kept = []
        for pair in order.tolist():
            if left[pair] not in used[0] and right[pair] not in used[1]:
                used[0].add(left[pair])
                used[1].add(right[pair])
                kept.append(pair)
        found["nearest in a radius"].append(made.f1(left[kept], right[kept]))
    return {way: max(tried) for way, tried in found.items()}


def position_ceiling(made: Town, error_m: float) -> float:
    """The best one-to-one assignment by distance alone, with the true error and the best cut."""
    trees = _trees(made)
    spread = max(error_m * np.sqrt(2), 0.3)
    near = trees[0].sparse_distance_matrix(trees[1], max(4 * spread, 2.0), output_type="coo_matrix")
    edges = Edges(near.row.astype(np.int64), near.col.astype(np.int64), *map(len, made.real))
    found = []
    for cut in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0):
        kept = assign(edges, (cut - (near.data / spread) ** 2 / 2) / 10)
        found.append(made.f1(edges.left[kept], edges.right[kept]))
    return max(found)


def ceilings(made: Town) -> tuple[float, float]:
    """What links and pairs reach if all parameters of our model, and the cut, are the true ones."""
    left, right = (Listing(side, surroundings(side.points)) for side in made.sides)
    rng = np.random.default_rng(0)
    points = left.features.points, right.features.points
    chance = learn_chance(*points, left.around, right.around, reach_m=100.0, rng=rng)
    pairs = nearby(*points, _LEARNING_REACH)
    known, alike = (
        _known(left, right, pairs, chance),
        vectors(left.features, right.features, pairs),
    )
    true = (made.real[0][pairs.left] == made.real[1][pairs.right]).astype(np.float64)
    model: Model = _maximised(known, alike, _start(known, alike, chance, 1.0), true, learn_u=True)
    pairs = candidates(left, right, model)
    slots, by_slot = probabilities(left, right, pairs, model)
    probability = by_pair(slots, by_slot)
    found = []
    for threshold in THRESHOLDS:
        kept = assign(slots.edges, by_slot - threshold)
        likely = probability >= threshold
        found.append(
            (
                made.f1(pairs.left[kept], pairs.right[kept]),
                made.f1(pairs.left[likely], pairs.right[likely]),
            )
        )
    links, of_pairs = np.max(found, axis=0)
    return float(links), float(of_pairs)


def _trees(made: Town) -> list[cKDTree]:
    east = np.cos(np.radians(made.sides[0].points.lat.mean()))
    degrees = (side.points for side in made.sides)
    return [cKDTree(np.column_stack([p.lon * east, p.lat]) * 111_195.0) for p in degrees]


def grid(seeds: int) -> None:
    """Write F1 at every setting, where ours is not above the best radius, and the calibration."""
    told: dict[tuple[str, str], list[Told]] = defaultdict(list)
    behind, rows = [], []
    for setting in itertools.product(ATTRIBUTES, SPACINGS_M, MISSED, ERRORS_M):
        attributes, spacing, missed, error_m = setting
        scores, ways = [], set()
        for seed in range(_towns(seeds, attributes)):
            made = town(error_m=error_m, spacing=spacing, missed=missed, attributes=attributes,
                        seed=seed)  # fmt: skip
            found, (links_at_most, pairs_at_most) = ours(made), ceilings(made)
            for what, of_one in found.told.items():
                told[what, attributes].append(of_one)
                told[what, "all"].append(of_one)
            ways.add(found.better)
            radii = best_radii(made)
            scores.append(
                radii
                | {
                    "ours": found.ours,
                    "fixed radius": max(radii.values()),
                    "links": found.links,
                    "pairs": found.pairs,
                    "best positions": position_ceiling(made, error_m),
                    "links at most": links_at_most,
                    "pairs at most": pairs_at_most,
                }
            )
        mean = {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}
        behind += [setting] if mean["ours"] <= mean["fixed radius"] else []
        rows.append(_row(setting, mean, " and ".join(sorted(ways))))
        print(rows[-1], file=sys.stderr, flush=True)
    said = "; ".join(f"{a}, {d}, missed {m:.0%}, {e:g} m" for a, d, m, e in behind) or "nowhere"
    note = (
        f"F1, mean of {seeds} made-up towns a row, of {_towns(seeds, 'none')} without attributes. "
        f"Not above the best fixed radius: {said}."
    )
    write_section("linking-grid", rows, note)
    write_section("linking-calibration", _calibration(told), "Of those given so much, so many are.")


def _towns(seeds: int, attributes: str) -> int:
    """How many towns to make: more where little tells cameras apart, and the rest is luck."""
    return 4 * seeds if attributes == "none" else seeds


def _row(setting: tuple[str, str, float, float], mean: dict[str, float], better: str) -> Any:
    attributes, spacing, missed, error_m = setting
    f1 = {name: f"{value:.3f}" for name, value in mean.items()}
    return {
        "attributes": attributes,
        "density": spacing,
        "missed": f"{missed:.0%}",
        "error": f"{error_m:g} m",
        "ours": f"{f1['ours']} ({better})",
        "fixed radius": f1["fixed radius"],
        "links": f1["links"],
        "nearest in a radius": f1["nearest in a radius"],
        "best positions": f1["best positions"],
        "links at most": f1["links at most"],
        "pairs": f1["pairs"],
        "all in a radius": f1["all in a radius"],
        "pairs at most": f1["pairs at most"],
    }


def _calibration(told: dict[tuple[str, str], list[Told]]) -> list[dict[str, Any]]:
    rows = []
    for (what, attributes), parts in sorted(told.items()):
        given = np.concatenate([part.probability for part in parts])
        true = np.concatenate([part.true for part in parts])
        for low in np.arange(0.05, 1.0, 0.1):
            chosen = (given >= low) & (given < low + 0.1)
            if chosen.sum() >= 50:
                rows.append(
                    {
                        "of": what,
                        "attributes": attributes,
                        "given": f"{low:.2f}-{min(low + 0.1, 1):.2f}",
                        "number": int(chosen.sum()),
                        "mean given": f"{given[chosen].mean():.3f}",
                        "true": f"{true[chosen].mean():.3f}",
                    }
                )
    return rows


def real() -> str:
    """Return precision and recall on two extracts of Darmstadt whose object ids were hidden."""
    from sousveil.sources import osm

    names = "frankfurt_darmstadt_2024-03", "darmstadt_hbf_2026-02"
    tables = [osm.read(DATA / "osm" / f"{n}.osm.pbf", source_id=n).observations for n in names]
    objects = [table["native_id"].to_pylist() for table in tables]
    hidden = pa.concat_tables([_hidden(table, n) for table, n in zip(tables, names, strict=True)])
    linked = link(hidden)
    camera = linked.links["camera_id"].to_pylist()
    ends = camera[: len(objects[0])], camera[len(objects[0]) :]
    said = {(i, j) for i, a in enumerate(ends[0]) for j, b in enumerate(ends[1]) if a == b}
    true = {(i, j) for i, a in enumerate(objects[0]) for j, b in enumerate(objects[1]) if a == b}
    right = len(true & said)
    return (
        f"Darmstadt 2024 against 2026, ids hidden: shared objects {len(true)}, links {len(said)}, "
        f"right {right}: precision {right / len(said):.3f}, recall {right / len(true):.3f}; "
        f"expected {linked.expected_precision:.3f}, {linked.expected_recall:.3f}."
    )


def _hidden(table: pa.Table, name: str) -> pa.Table:
    order = np.random.default_rng(0).permutation(table.num_rows)
    ids = [f"row {i}" for i in order]
    table = table.set_column(table.schema.get_field_index("native_id"), "native_id", pa.array(ids))
    full = pa.array([f"{name}/{x}" for x in ids])
    return table.set_column(0, "observation_id", full)


def million(n: int, told: Path) -> None:
    """Link about n observations of five lists and write what that took."""
    blocks = round((n / 53.6) ** 0.5)
    cameras = synthetic.cameras(synthetic.street_grid(blocks=blocks))
    errors_m = {"a": 5.0, "b": 10.0, "c": 10.0, "d": 10.0, "e": 15.0}
    models = [ListModel(source_id=name, error_m=error_m) for name, error_m in errors_m.items()]
    observations = synthetic.lists(cameras, models).observations
    start, cpu = time.perf_counter(), time.process_time()
    linked = link(observations)
    figures = {
        "observations": f"{observations.num_rows:,}",
        "pairs compared": f"{linked.pairs_compared:,}",
        "wall s": time.perf_counter() - start,
        "cpu s": time.process_time() - cpu,
    }
    told.write_text(json.dumps(figures))


def speed(n: int = 1_000_000) -> None:
    """Link n observations in a process of its own, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        peak_mb = measure([sys.executable, __file__, "million", str(n), str(told)])["peak_mb"]
        figures = json.loads(told.read_text()) | {"peak MB": round(peak_mb)}
    bars = {"bars": "180 s, 6,000 MB"}
    write_section("linking", [figures | bars], f"{machine()}. One run. {real()}")


def main(command: str = "all", *arguments: str) -> None:
    """Run one of the measurements, or all."""
    if command == "million":
        million(int(arguments[0]), Path(arguments[1]))
        return
    if command == "real":
        print(real())
    if command in ("all", "speed"):
        speed()
    if command in ("all", "grid"):
        grid(int(arguments[0]) if arguments else 2)


if __name__ == "__main__":
    main(*sys.argv[1:])
