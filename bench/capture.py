"""Capture-recapture measured: how fast, and how often its 95 % intervals hold the truth.

python bench/capture.py                  both tables
python bench/capture.py speed            how fast, against statsmodels
python bench/capture.py coverage [RUNS]  the share of intervals that hold the truth, and the width;
                                         RUNS each, more where the share is close to the bar
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from _measure import BENCH, machine, write_section
from sousveil.capture import Capture, Linkage, _latent, capture
from sousveil.capture._histories import Histories, to_table
from sousveil.records import LINKS

KOSOVO = (0, 1131, 845, 177, 936, 228, 217, 181, 306, 106, 31, 18, 123, 42, 32, 27)
LISTED = (0.45, 0.35, 0.3, 0.25, 0.4)  # share of the cameras that each list holds
RUNS = 120
MORE_RUNS = 600
SIZES = (300, 1500)
CLEAR = 0.95
"""Where the assumptions hold and the share of the first runs is less, there are MORE_RUNS."""
ENSEMBLE_RUNS = 20
SHORT_CHAINS = {"WARM_UP": 1000, "SAMPLES": 1000, "THINNING": 5}
"""Of the latent classes, for the ensemble: a twentieth of what the command takes."""
REPEATS = 3


# ---- speed: each task in a process of its own, which times the work without its start


def kosovo() -> Histories:
    return Histories(("EXH", "ABA", "OSCE", "HRW"), np.array(KOSOVO, float))


def five_lists() -> Histories:
    return lists_of(2000, 5, np.random.default_rng(1))


def all_models(histories: Histories) -> int:
    from sousveil.capture._averaging import fit_all

    return len(fit_all(histories).models)


def statsmodels_glm(histories: Histories) -> int:
    """Fit the same models one by one, without profile intervals."""
    import statsmodels.api as sm

    from sousveil.capture._loglinear import design_of, hierarchical

    k = len(histories.lists)
    models = list(hierarchical(k))
    for terms in models:
        design = design_of([terms], k)[0]
        sm.GLM(histories.counts[1:], design, family=sm.families.Poisson()).fit()
    return len(models)


def latent_class(histories: Histories) -> int:
    from sousveil.capture._latent import sample

    return sample(histories.counts).totals.size


TASKS: dict[str, tuple[str, Callable[[], int], float | None]] = {
    "four": ("113 models of four lists, profile intervals", lambda: all_models(kosovo()), 1.0),
    "four-glm": ("the same 113 by statsmodels GLM, no profiles", lambda: statsmodels_glm(kosovo()),
                 None),
    "five": ("6,893 models of five lists, profile intervals", lambda: all_models(five_lists()),
             60.0),
    "five-glm": ("the same 6,893 by statsmodels GLM, no profiles",
                 lambda: statsmodels_glm(five_lists()), None),
    "latent": ("latent classes, 4 chains of 110,000 steps, diagnostics",
               lambda: latent_class(kosovo()), 60.0),
}  # fmt: skip


def work(name: str) -> None:
    """Do one task and print what it took; the first time compiles and loads, and is not counted."""
    if name == "latent":
        from sousveil.capture._latent import sample

        sample(kosovo().counts, warm_up=10, samples=10)
    elif name.endswith("glm"):
        import statsmodels.api  # noqa: F401
    else:
        all_models(lists_of(500, 3, np.random.default_rng(0)))
    start, cpu = time.perf_counter(), time.process_time()
    n = TASKS[name][1]()
    figures = {
        "wall_s": time.perf_counter() - start,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "n": n,
    }
    print(json.dumps(figures))


def speed() -> None:
    """Measure every task in turn and write the table."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in TASKS}
    for _ in range(REPEATS):
        for name in TASKS:
            command = [sys.executable, str(BENCH / "capture.py"), "work", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            taken[name].append(json.loads(done.stdout))
    rows = []
    for name, (label, _, bar) in TASKS.items():
        middle = {
            key: float(np.median([one[key] for one in taken[name]])) for key in taken[name][0]
        }
        walls = [one["wall_s"] for one in taken[name]]
        rows.append(
            {
                "task": label,
                "wall s": middle["wall_s"],
                "lowest to highest s": f"{min(walls):.2f} to {max(walls):.2f}",
                "cpu s": middle["cpu_s"],
                "peak MB": round(middle["peak_mb"]),
                "bar s": "" if bar is None else f"{bar:g}",
            }
        )
    note = f"{machine()}. Median of {REPEATS} runs in turn, the work alone, without loading. "
    note += "Where wall is far above cpu, others used the machine at the same time."
    write_section("capture", rows, note)


# ---- coverage


def lists_of(n: int, k: int, rng: np.random.Generator, *, spread: float = 0.0,
             classes: bool = False, chain: float = 0.0, links: int = 1) -> Histories:  # fmt: skip
    """Make up lists: cameras differently visible (`spread`, or two classes), lists that depend.

    chain: logit by which being in a list helps to be in the next, for so many `links` of lists.
    """
    share = np.array(LISTED[:k])
    base = np.log(share / (1 - share))
    visible = spread * rng.normal(size=n)
    if classes:
        visible = np.where(rng.random(n) < 0.3, 1.5, -0.5)
    held = np.zeros((n, k), int)
    for i in range(k):
        shift = chain * (held[:, i - 1] - share[i - 1]) if 1 <= i <= links else 0.0
        held[:, i] = rng.random(n) < 1 / (1 + np.exp(-(base[i] + visible + shift)))
    counts = np.bincount(held @ (1 << np.arange(k)), minlength=1 << k).astype(float)
    counts[0] = 0
    return Histories(tuple("abcde"[:k]), counts)


def linked_badly(n: int, rng: np.random.Generator, alpha: float, beta: float) -> Histories:
    first, second = rng.random(n) < LISTED[0], rng.random(n) < LISTED[1]
    both, only = int((first & second).sum()), int((second & ~first).sum())
    linked = rng.binomial(both, alpha) + rng.binomial(only, beta)
    counts = [0, first.sum() - linked, second.sum() - linked, linked]
    return Histories(("a", "b"), np.array(counts, float))


def links_missed(n: int, rng: np.random.Generator, missed: float) -> pa.Table:
    """Make up links of three lists, of which so many were missed."""
    held = rng.random((n, 3)) < LISTED[:3]
    rows = []
    for camera in range(n):
        for position, i in enumerate(np.flatnonzero(held[camera])):
            alone = position > 0 and rng.random() < missed
            rows.append(("abc"[i], f"{camera}-{i}" if alone else str(camera)))
    return pa.Table.from_pylist(
        [{"observation_id": f"{s}/{n}", "source_id": s, "native_id": str(n), "camera_id": camera,
          "probability": 1.0} for n, (s, camera) in enumerate(rows)], schema=LINKS,
    )  # fmt: skip


def three_rates(alpha: float) -> pa.Table:
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    return pa.Table.from_pylist(
        [{"source_l": a, "source_r": b, "linked": 100, "alpha": alpha} for a, b in pairs]
    )


def covariate_lists(n: int, rng: np.random.Generator) -> pa.Table:
    """The design of Das, Kennedy and Jewell: independent only among cameras alike in x."""
    x = rng.normal(2, 1, (n, 3))
    chances = [1 / (1 + np.exp(-(-0.6 + slope * x).sum(axis=1))) for slope in (0.4, 0.3)]
    a, b = (rng.random(n) < chance for chance in chances)
    seen = a | b
    columns = {"a": a[seen].astype(int), "b": b[seen].astype(int)}
    return pa.table(columns | {f"x{i}": x[seen, i] for i in range(3)})


class Setting(NamedTuple):
    """A way to make up a table of so many cameras, and how to ask for the recommended estimate.

    assumptions: whether those of the estimate hold, fail, or nearly do. Nearly: the average has
    models of heterogeneity, but none for a normal spread. how: arguments of `capture`.
    """

    label: str
    assumptions: str
    made: Callable[[int, np.random.Generator], pa.Table]
    model: str
    how: Mapping[str, Any] = MappingProxyType({})


def of_lists(label: str, assumptions: str, k: int, **made: Any) -> Setting:
    model = "loglinear-average" if k > 2 else "chapman"
    return Setting(label, assumptions, lambda n, rng: to_table(lists_of(n, k, rng, **made)), model)


def settings() -> list[Setting]:
    """Return the settings of the study."""
    found = [
        of_lists("2 lists, independent", "hold", 2),
        of_lists("2 lists, one helps the other (logit 1)", "fail", 2, chain=1.0),
        of_lists("2 lists, cameras differ (sd 1)", "fail", 2, spread=1.0),
    ]
    for alpha, beta in ((0.85, 0.0), (0.9, 0.03)):
        errors = f"2 lists, alpha {alpha}, beta {beta}"

        def made(n: int, rng: np.random.Generator, a: float = alpha, b: float = beta) -> pa.Table:
            return to_table(linked_badly(n, rng, a, b))

        known = {"linkage": Linkage(alpha, beta)}
        found += [
            Setting(f"{errors}, corrected", "hold", made, "chapman", known),
            Setting(f"{errors}, ignored", "fail", made, "chapman"),
        ]
    for k in (3, 4):
        found += [
            of_lists(f"{k} lists, independent", "hold", k),
            of_lists(f"{k} lists, two dependent (logit 1)", "hold", k, chain=1.0),
            of_lists(f"{k} lists, two avoid each other (logit -1)", "hold", k, chain=-1.0),
            of_lists(f"{k} lists, a chain of three (logit 1)", "hold", k, chain=1.0, links=2),
            of_lists(f"{k} lists, cameras differ (sd 0.5)", "nearly", k, spread=0.5),
            of_lists(f"{k} lists, cameras differ (sd 1)", "nearly", k, spread=1.0),
            of_lists(f"{k} lists, two classes of cameras", "fail", k, classes=True),
        ]

    def missed(n: int, rng: np.random.Generator) -> pa.Table:
        return links_missed(n, rng, 0.15)

    drawn = {"rates": three_rates(0.85), "imputations": 10}
    described = {"covariates": ["x0", "x1", "x2"]}
    return [
        *found,
        Setting("3 lists, 15 % of links missed, drawn", "hold", missed, "loglinear-average", drawn),
        Setting("3 lists, 15 % of links missed, ignored", "fail", missed, "loglinear-average"),
        Setting("2 lists, covariates (doubly robust)", "hold", covariate_lists, "doubly-robust",
                described),
    ]  # fmt: skip


def one_run(setting: Setting, n: int, seed: int, *, everything: bool = False) -> Capture:
    """Make up a table and estimate from it: what is recommended alone, or with every method."""
    table = setting.made(n, np.random.default_rng([seed, n]))
    return capture(table, model=None if everything else setting.model, **setting.how)


def holds(interval: Mapping[str, Any], truth: int) -> bool:
    """Return whether an interval holds the truth; one without an upper end may."""
    high = interval["high"]
    return bool(interval["low"] <= truth and (high is None or truth <= high))


def of_recommended(setting: Setting, n: int, runs: int) -> dict[str, Any]:
    """Return how often the recommended interval holds the truth, and how wide it is."""
    found = [one_run(setting, n, seed).recommended for seed in range(runs)]
    share = np.mean([holds(one, n) for one in found])
    if setting.assumptions == "hold" and share < CLEAR:
        found += [one_run(setting, n, seed).recommended for seed in range(runs, MORE_RUNS)]
    held = [holds(one, n) for one in found]
    ratios = [(one["estimate"] or np.inf) / n for one in found]
    widths = [((one["high"] or np.inf) - one["low"]) / n for one in found]
    return {
        f"held, {n}": f"{np.mean(held):.1%}",
        f"of runs, {n}": len(found),
        f"median estimate, {n}": f"{np.median(ratios):.2f}",
        f"median width, {n}": f"{np.median(widths):.2f}",
    }


def of_ensemble(setting: Setting, n: int, runs: int) -> dict[str, Any]:
    """Return how often the interval of all methods mixed holds the truth, and how wide it is."""
    found = [one_run(setting, n, seed, everything=True).ensemble for seed in range(runs)]
    held = [holds(one, n) for one in found]
    widths = [((one["high"] or np.inf) - (one["low"] or 0.0)) / n for one in found]
    return {
        f"ensemble held, {n}": f"{np.mean(held):.0%}",
        f"ensemble width, {n}": f"{np.median(widths):.2f}",
    }


def coverage(runs: int) -> None:
    """Count how often intervals hold the truth, of two numbers of cameras, and write it."""
    for name, value in SHORT_CHAINS.items():
        setattr(_latent, name, value)
    rows = []
    for setting in settings():
        row: dict[str, Any] = {"setting": setting.label, "assumptions": setting.assumptions}
        for n in SIZES:
            row |= of_recommended(setting, n, runs) | of_ensemble(setting, n, ENSEMBLE_RUNS)
        rows.append(row)
        print(" | ".join(map(str, row.values())), file=sys.stderr, flush=True)
    write_section("capture-coverage", rows, coverage_note(runs))


def coverage_note(runs: int) -> str:
    errors = [f"{100 * (0.9 * 0.1 / n) ** 0.5:.1f}" for n in (runs, MORE_RUNS, ENSEMBLE_RUNS)]
    return (
        f"{runs} runs each with 300 and with 1,500 cameras, {MORE_RUNS} where the assumptions hold "
        f"and fewer than {CLEAR:.0%} of the first {runs} held; lists hold 45, 35, 30 and 25 % of "
        "them. Held: the recommended interval; ensemble: that of all methods mixed, "
        f"{ENSEMBLE_RUNS} runs with short chains of the latent classes. Estimate and width are in "
        f"shares of the truth. Of a rate of 90 % the standard error is {errors[0]} points with "
        f"{runs} runs, {errors[1]} with {MORE_RUNS}, {errors[2]} with {ENSEMBLE_RUNS}."
    )


def main(command: str = "", argument: str = "") -> None:
    """Run one of the measurements, or both."""
    if command == "work":
        work(argument)
    if command in ("", "speed"):
        speed()
    if command in ("", "coverage"):
        coverage(int(argument or RUNS))


if __name__ == "__main__":
    main(*sys.argv[1:])
