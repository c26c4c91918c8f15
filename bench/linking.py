"""Linking measured where the truth is known: F1 against fixed radii, calibration, speed.

python bench/linking.py grid [SEEDS]    F1 by error, density, misses and attributes; calibration
python bench/linking.py real            two extracts of Darmstadt with the ids hidden
python bench/linking.py speed [N]       N observations (a million) of five lists, in a process
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from scipy.spatial import cKDTree

from _measure import BENCH, DATA, measure
from sousveil import synthetic
from sousveil.linking import link
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


def ours(made: Town) -> tuple[float, list[tuple[float, bool]]]:
    """F1 of `link` with nothing set, and each link's probability with whether it is true."""
    links = link(made.observations).links
    n_left = len(made.real[0])
    by_camera = defaultdict(list)
    for row, camera in enumerate(links["camera_id"].to_pylist()):
        by_camera[camera].append(row)
    pairs = [
        (i, j - n_left)
        for rows in by_camera.values()
        for i, j in itertools.combinations(rows, 2)
        if i < n_left <= j
    ]
    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    probability = links["probability"].to_numpy()[left]
    true = made.real[0][left] == made.real[1][right]
    return made.f1(left, right), list(zip(probability.tolist(), true.tolist(), strict=True))


def best_radius(made: Town) -> tuple[float, str]:
    """The best F1 of linking all, or the nearest first, within any of the fixed radii."""
    trees = _trees(made)
    found = []
    for radius in RADII_M:
        near = trees[0].sparse_distance_matrix(trees[1], radius, output_type="coo_matrix")
        left, right = near.row, near.col
        found.append((made.f1(left, right), f"{radius} m, all"))
        order = np.argsort(near.data, kind="stable")
        used: tuple[set[int], set[int]] = set(), set()
        kept = []
        for pair in order.tolist():
            if left[pair] not in used[0] and right[pair] not in used[1]:
                used[0].add(left[pair])
                used[1].add(right[pair])
                kept.append(pair)
        found.append((made.f1(left[kept], right[kept]), f"{radius} m, nearest"))
    return max(found)


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


def ceiling(made: Town) -> float:
    """What our model reaches if all its parameters, and the cut, are taken from the truth."""
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
        kept = assign(slots.edges, probability - threshold)
        found.append(made.f1(pairs.left[kept], pairs.right[kept]))
    return max(found)


def _trees(made: Town) -> list[cKDTree]:
    east = np.cos(np.radians(made.sides[0].points.lat.mean()))
    degrees = (side.points for side in made.sides)
    return [cKDTree(np.column_stack([p.lon * east, p.lat]) * 111_195.0) for p in degrees]


def grid(seeds: int) -> None:
    """Print F1 at every setting, where ours is not above the best radius, and the calibration."""
    told: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    behind = []
    print("| attributes | density | missed | error | ours | fixed radius | positions | ceiling |")
    print("|---|---|---|---|---|---|---|---|")
    for setting in itertools.product(ATTRIBUTES, SPACINGS_M, MISSED, ERRORS_M):
        attributes, spacing, missed, error_m = setting
        scores = []
        for seed in range(seeds):
            made = town(error_m=error_m, spacing=spacing, missed=missed, attributes=attributes,
                        seed=seed)  # fmt: skip
            f1, links = ours(made)
            told[attributes] += links
            radius = best_radius(made)
            scores.append((f1, radius[0], position_ceiling(made, error_m), ceiling(made)))
        mean = np.mean(scores, axis=0)
        behind += [setting] if mean[0] <= mean[1] else []
        cells = [attributes, spacing, f"{missed:.0%}", f"{error_m:g} m"]
        cells += [
            f"{mean[0]:.3f}",
            f"{mean[1]:.3f} ({radius[1]})",
            f"{mean[2]:.3f}",
            f"{mean[3]:.3f}",
        ]
        print("| " + " | ".join(cells) + " |", flush=True)
    print(f"\nnot above the best fixed radius: {behind or 'nowhere'}\n")
    _print_calibration(told | {"all": [x for links in told.values() for x in links]})


def _print_calibration(told: dict[str, list[tuple[float, bool]]]) -> None:
    print("| attributes | given | links | mean given | true |\n|---|---|---|---|---|")
    for name, links in told.items():
        given, true = np.array(links, float).T
        for low in np.arange(0.05, 1.0, 0.1):
            chosen = (given >= low) & (given < low + 0.1)
            if chosen.sum() >= 50:
                cells = [name, f"{low:.2f}-{min(low + 0.1, 1):.2f}", f"{chosen.sum()}"]
                cells += [f"{given[chosen].mean():.3f}", f"{true[chosen].mean():.3f}"]
                print("| " + " | ".join(cells) + " |")


def real() -> None:
    """Print precision and recall on two extracts of Darmstadt whose object ids were hidden."""
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
    print(
        f"shared objects {len(true)}, links {len(said)}, right {right}: "
        f"precision {right / len(said):.3f}, recall {right / len(true):.3f}; "
        f"expected {linked.expected_precision:.3f}, {linked.expected_recall:.3f}"
    )


def _hidden(table: pa.Table, name: str) -> pa.Table:
    order = np.random.default_rng(0).permutation(table.num_rows)
    ids = [f"row {i}" for i in order]
    table = table.set_column(table.schema.get_field_index("native_id"), "native_id", pa.array(ids))
    full = pa.array([f"{name}/{x}" for x in ids])
    return table.set_column(0, "observation_id", full)


def million(n: int) -> None:
    """Link about n observations of five lists and print what that took."""
    blocks = round((n / 53.6) ** 0.5)
    cameras = synthetic.cameras(synthetic.street_grid(blocks=blocks))
    errors_m = {"a": 5.0, "b": 10.0, "c": 10.0, "d": 10.0, "e": 15.0}
    models = [ListModel(source_id=name, error_m=error_m) for name, error_m in errors_m.items()]
    observations = synthetic.lists(cameras, models).observations
    made_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, cpu = time.perf_counter(), time.process_time()
    linked = link(observations)
    figures = {
        "observations": observations.num_rows,
        "wall_s": round(time.perf_counter() - start, 1),
        "cpu_s": round(time.process_time() - cpu, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "peak_before_mb": round(made_mb),
        "pairs_compared": linked.pairs_compared,
        "expected_precision": round(linked.expected_precision or 0, 3),
    }
    print(json.dumps(figures), file=sys.stderr)


def main(command: str, *arguments: str) -> None:
    """Run one of the measurements."""
    if command == "grid":
        grid(int(arguments[0]) if arguments else 2)
    elif command == "real":
        real()
    elif command == "million":
        million(int(arguments[0]))
    else:
        n = arguments[0] if arguments else "1000000"
        print(measure([sys.executable, str(BENCH / "linking.py"), "million", n]))


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["grid"]))
