"""What `capture` does, step by step: open, count, estimate, choose."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sousveil._words import plural
from sousveil.capture import _choosing, _methods, _reading
from sousveil.capture._averaging import weights
from sousveil.capture._histories import Array, Histories, Index, from_table, to_table
from sousveil.capture._linkage import (
    Linked,
    described,
    draw,
    histories_of,
    in_the_order_of_rates,
    is_certain,
    list_names,
    read_links,
    two_list_rates,
)
from sousveil.capture._loglinear import Terms
from sousveil.capture._methods import Estimate, Found
from sousveil.capture._pooling import Mixture, Spread, pooled
from sousveil.capture._repeated import models_of_histories, models_of_times
from sousveil.capture._simple import Linkage
from sousveil.errors import UnusableInput
from sousveil.overlap import comparable

_WORTH_DRAWING: Final = 1e-3  # least weight of a model that is fitted again to every draw
_LATENT_DRAWS: Final = 5
_ENOUGH: Final = 0.8  # share of the draws in which an estimate must exist
_BY_CAMERAS: Final = (
    "no observations.parquet lies beside the links: which kinds each list holds was taken from the "
    "joined cameras, so that one wrong link can make a list hold what it does not; link again"
)


class Asked(NamedTuple):
    """The arguments of `capture`."""

    model: str | None
    covariates: tuple[str, ...]
    linkage: Linkage | None
    rates: pa.Table | None
    lists: tuple[str, ...] | None
    cameras: pa.Table | None
    observations: pa.Table | None
    repeated: bool
    occasions: int | None
    imputations: int
    seed: int


class Task(NamedTuple):
    """What is to be estimated from.

    draws: histories as they could be, if links are uncertain; alphas: the chance of a link by list
    that they were drawn with, where it is known. times: how many were seen how often.
    cells, weight, x: of each row its history, its cameras and its covariates.
    """

    table: pa.Table
    lists: tuple[str, ...]
    observed: int
    histories: Histories | None = None
    linkage: Linkage | None = None
    draws: tuple[Histories, ...] = ()
    alphas: Mapping[int, float] = MappingProxyType({})
    times: tuple[Array, int] | None = None
    repeated: bool = False
    rows: tuple[Index, Array, Array] | None = None


class Outcome(NamedTuple):
    """Estimates, the one to quote, those that the ensemble mixes, and what there is to say."""

    estimates: list[Estimate]
    recommended: dict[str, Any]
    ensemble: dict[str, float | None]
    members: tuple[str, ...]
    identifiable: bool
    warnings: list[str]


def opened(source: pa.Table | str | Path) -> _reading.Opened:
    """Return a table with its name for messages, and what lies beside it."""
    return (
        _reading.Opened(source, "table") if isinstance(source, pa.Table) else _reading.read(source)
    )


class Common(NamedTuple):
    """What all lists could hold, in words, and what was left out for that."""

    which: str = "cameras"
    warnings: tuple[str, ...] = ()


def on_common_ground(source: _reading.Opened, asked: Asked) -> tuple[_reading.Opened, Common]:
    """Leave out of links whatever not all lists could hold, where it is known what they hold.

    Raises UnusableInput where nothing is left.
    """
    if not _reading.is_links(source.table):
        return source, Common()
    links, placed = _placed(source, asked)
    if placed is None:
        return source, Common()
    of_list = np.array(list_names(links) if asked.lists is None else links["source_id"].to_pylist())
    if len(set(of_list.tolist())) < 2:
        return source, Common()
    lon, lat = (np.array(placed[name].to_pylist(), dtype=float) for name in ("lon", "lat"))
    kept, which = comparable(lon, lat, placed["kind"].to_pylist(), of_list)
    if not kept.any():
        raise UnusableInput(
            f"{source.name}: the lists have no kind of camera and no ground in common, so nothing "
            "can be estimated; link lists of one place"
        )
    left = links.num_rows - int(kept.sum())
    said = [
        f"left out: {left:,} of {plural(links.num_rows, 'entry', 'entries')}, of kinds or on "
        "ground that not all lists hold; what they leave unseen is not estimated"
    ] if left else []  # fmt: skip
    said += [_BY_CAMERAS] if asked.observations is None else []
    return source._replace(table=links.filter(pa.array(kept))), Common(
        f"{which}, on the ground that all lists look at,", tuple(said)
    )


def _placed(source: _reading.Opened, asked: Asked) -> tuple[pa.Table, pa.Table | None]:
    """Return the links that count, and kind, lon and lat of each as its own list has it.

    Links count whose camera is one, of the lists that were asked for. Without observations it is
    what their cameras say: the same for all lists of a camera. None where neither is known.
    """
    links = source.table
    if asked.cameras is not None:
        links = links.filter(pc.is_in(links["camera_id"], asked.cameras["camera_id"]))
    if asked.lists is not None:
        links = links.filter(pc.is_in(links["source_id"], pa.array(asked.lists, pa.string())))
    table, key = asked.observations, "observation_id"
    if table is None:
        table, key = asked.cameras, "camera_id"
        if table is None or not {"lon", "lat", "kind"} <= set(table.column_names):
            return links, None
    row = pc.index_in(links[key].combine_chunks(), table[key].combine_chunks())
    if row.null_count:
        lost = links[key].filter(pc.is_null(row))[0].as_py()
        raise UnusableInput(f"{source.name}: {lost} is not among the observations; link again")
    return links, table.select(["lon", "lat", "kind"]).take(row)


def links_taken_as_right(source: _reading.Opened, asked: Asked) -> list[str]:
    """Return the warning that with covariates the errors of links are not carried on."""
    if not asked.covariates or not _reading.is_links(source.table):
        return []
    return [
        "with covariates the links are taken as right: the interval knows nothing of false or "
        "missed links; compare it with the estimate without --covariates"
    ]


def prepared(source: _reading.Opened, asked: Asked) -> Task:
    """Count the histories, and draw them where links are uncertain. Raises UnusableInput."""
    table, name = source.table, source.name
    if _reading.is_links(table) and not asked.covariates:
        linked = read_links(table, lists=asked.lists, rates=asked.rates)
        if len(linked.lists) == 2 and set(linked.lists) <= set(table["source_id"].to_pylist()):
            order = in_the_order_of_rates(linked.lists, asked.rates)
            linked = read_links(table, lists=order, rates=asked.rates)
        return _from_links(linked, asked, name)
    if _reading.is_links(table):
        if asked.cameras is None:
            raise UnusableInput(f"{name}: no cameras.parquet beside it to take covariates from")
        linked = read_links(table, lists=asked.lists)
        table = described(linked, asked.cameras, asked.covariates)
    elif asked.lists is not None:
        raise UnusableInput(f"{name}: is no table of links, which --lists is for; remove columns")
    if {"times", "count"} <= set(table.column_names):
        times, occasions = _reading.times_seen(table, occasions=asked.occasions, name=name)
        if sum(times[1:]) == 0:
            raise UnusableInput(f"{name}: nobody was seen twice; nothing can be estimated")
        seen = round(times.sum())
        return Task(table, ("times",), seen, times=(times, occasions), repeated=True)
    counted, cells = from_table(table, name=name, ignore=asked.covariates)
    _check_linkage(asked.linkage, counted, name)
    if asked.linkage is not None and asked.covariates:
        raise UnusableInput(
            f"{name}: the estimate with covariates takes links as right; leave out --covariates, "
            "or --alpha and --beta"
        )
    rows = None
    if asked.covariates:
        weight = (
            np.array([float(n) for n in table["count"].to_pylist()])
            if "count" in table.column_names
            else np.ones(table.num_rows)
        )
        rows = cells, weight, _reading.covariates(table, asked.covariates, name=name)
    task = _task(counted, asked)
    return task._replace(linkage=asked.linkage, rows=rows)


def _task(counted: Histories, asked: Asked) -> Task:
    table = to_table(counted)
    return Task(table, counted.lists, counted.observed, counted, repeated=asked.repeated)


def _check_linkage(linkage: Linkage | None, counted: Histories, name: str) -> None:
    if linkage is None:
        return
    if len(counted.lists) > 2:
        raise UnusableInput(
            f"{name}: {len(counted.lists)} lists; alpha and beta are for two. For more, give the "
            "links with their probabilities (the directory that `sousveil link` wrote)"
        )
    if not 0 <= linkage.beta < linkage.alpha <= 1:
        raise UnusableInput("alpha and beta: needs 0 <= beta < alpha <= 1")


def _from_links(linked: Linked, asked: Asked, name: str) -> Task:
    counted = histories_of(linked)
    _check_linkage(asked.linkage, counted, name)
    linkage = asked.linkage
    draws: list[Histories] = []
    if len(linked.lists) == 2 and linkage is None and asked.rates is not None:
        linkage = two_list_rates(asked.rates, linked.lists)
    if linkage is None and not is_certain(linked):
        draws = draw(linked, n=asked.imputations, seed=asked.seed)
    return _task(counted, asked)._replace(linkage=linkage, draws=tuple(draws), alphas=linked.alpha)


def run(task: Task, asked: Asked, progress: Callable[[str], None]) -> Outcome:
    """Estimate with every method that was asked for, choose one, and compare them."""
    found = _repeated(task) if task.repeated else _of_lists(task, asked, progress)
    estimates = found.estimates
    chosen = _choosing.recommended(estimates, asked.model)
    identifiable = _choosing.is_bounded(chosen)
    compared = _choosing.members(estimates, chosen) if identifiable else []
    compared = [row for row in compared if _choosing.is_bounded(row)]
    members = [row for row in compared if row.sound]
    at_least = float(task.observed)
    nothing: dict[str, float | None] = {"estimate": None, "low": at_least, "high": None}
    warnings = [*found.warnings, *_choosing.disagreements(compared)]
    if not identifiable:
        warnings.insert(0, f"{_why_unbounded(chosen, task)}: at least {task.observed:,}")
    elif asked.model is None:
        warnings += _choosing.below_the_bound(chosen, estimates)
    quoted = _quoted(chosen, at_least, identifiable)
    rule = _choosing.RULES.get(quoted["name"] or "", "")
    rule = f"asked for: {asked.model}" if asked.model else rule
    ensemble = _choosing.ensemble(members) if members else nothing
    assumes = _choosing.ASSUMES.get(quoted["name"] or "", "")
    quoted |= {"rule": rule, "assumes": assumes.replace("{links}", _of_links(task))}
    mixed = tuple(_choosing.label(row) for row in members)
    return Outcome(estimates, quoted, ensemble, mixed, identifiable, warnings)


def _why_unbounded(chosen: Estimate | None, task: Task) -> str:
    if task.histories is not None and task.histories.counts[-1] == task.observed:
        return "the lists agree wholly, which tells nothing of what all of them missed"
    if chosen is None or not np.isfinite(chosen.estimate) or chosen.high > chosen.low:
        return "the data cannot bound the total"
    if len(task.lists) == 2 and not task.repeated:
        return (
            "every camera of one list is in the other, so that the overlap leaves none unseen and "
            "tells nothing of what both missed"
        )
    return f"{chosen.name} leaves no camera unseen, and its interval has no width"


def _of_links(task: Task) -> str:
    """Say what is assumed of the links."""
    if task.linkage is not None:
        return "links err as often as alpha and beta say"
    if task.draws:
        return "links err as their probabilities say"
    return _choosing.RIGHT


def linkage_used(task: Task, asked: Asked) -> dict[str, Any] | None:
    """Return with which errors of linkage the estimates were made, None where with none.

    {"from", "alpha", "beta", "alpha_se", "beta_se", "second", "draws"}: two lists have alpha and
    beta, which is about the list "second"; of links that were drawn anew alpha is by list.
    """
    if task.linkage is not None:
        given = "the options" if asked.linkage is not None else "rates.csv"
        return {"from": given, **task.linkage._asdict(), "second": task.lists[1], "draws": None}
    if task.draws:
        nothing = dict.fromkeys(("beta", "alpha_se", "beta_se", "second"))
        known = {task.lists[i]: alpha for i, alpha in task.alphas.items() if alpha < 1}
        return {"from": "the probabilities of the links", "alpha": known or None, **nothing,
                "draws": len(task.draws)}  # fmt: skip
    return None


def _quoted(chosen: Estimate | None, at_least: float, identifiable: bool) -> dict[str, Any]:
    if chosen is None:
        unknown = Estimate("", (), np.nan, np.nan, at_least, np.nan, at_least)
        return _choosing.as_row(unknown) | {"name": None}
    row = _choosing.as_row(chosen)
    return row if identifiable else row | {"estimate": None, "se": None, "high": None}


def _repeated(task: Task) -> Found:
    if task.times is not None:
        return _methods.repeated(
            models_of_times(task.times[0], occasions=task.times[1]), task.observed
        )
    assert task.histories is not None  # noqa: S101  # a task has either times or histories
    counts = task.histories.counts
    if not task.histories.times()[1:].sum():
        return Found([], ["nobody was seen twice"])
    return _methods.repeated(models_of_histories(counts), task.observed)


def _of_lists(task: Task, asked: Asked, progress: Callable[[str], None]) -> Found:
    assert task.histories is not None  # noqa: S101
    histories = task.histories
    if not histories.times()[1:].sum():
        return Found([], ["no camera stands in two lists: their overlap is all that tells"])
    wanted = _wanted(asked, histories, task.linkage)
    progress("Estimating by formula and by log-linear models")
    models = _methods.log_linear(histories) if wanted & _LOG_LINEAR else None
    if task.draws:
        found = [_over_draws(task, wanted, models, asked.seed, progress)]
    else:
        found = [_fast(histories, task.linkage, wanted, models, asked.seed)]
    if "latent-class" in wanted:
        progress("Sampling the latent-class model")
        tables = task.draws[:_LATENT_DRAWS] or [histories]
        found.append(_methods.latent_class(tables, seed=asked.seed))
    if task.rows is not None and "doubly-robust" in wanted:
        progress("Estimating with covariates")
        cells, weight, x = task.rows
        found.append(_methods.doubly_robust(histories.lists, cells, weight, x, seed=asked.seed))
    return _together(found)


def _together(found: Sequence[Found]) -> Found:
    return Found(
        [row for one in found for row in one.estimates],
        [said for one in found for said in one.warnings],
    )


_LOG_LINEAR: Final = frozenset({"loglinear", "loglinear-average"})
_TWO_LISTS: Final = frozenset({"lincoln-petersen", "chapman"})
_MORE_LISTS: Final = frozenset({"sample-coverage", "loglinear-average", "latent-class"})


def _wanted(asked: Asked, histories: Histories, linkage: Linkage | None) -> frozenset[str]:
    """Return the methods that apply and were asked for. Raises UnusableInput."""
    k = len(histories.lists)
    fit = _TWO_LISTS if k == 2 else _MORE_LISTS
    fit |= {"doubly-robust"} if asked.covariates else frozenset()
    # Of the others nothing is known of how errors of linkage move them.
    fit |= {"chao", "loglinear"} if linkage is None else frozenset()
    if asked.model is None:
        return fit
    if asked.model not in fit:
        why = {"doubly-robust": "needs --covariates", "repeated": "needs --repeated"}
        lists = f"does not apply to {k} lists" + (" with alpha and beta" if linkage else "")
        raise UnusableInput(f"--model {asked.model}: {why.get(asked.model, lists)}")
    return frozenset({asked.model})


def _fast(table: Histories, linkage: Linkage | None, wanted: frozenset[str],
          models: _methods.LogLinear | None, seed: int) -> Found:  # fmt: skip
    """Return what takes no sampling: made anew for every draw of the links."""
    found = []
    if wanted & _TWO_LISTS:
        both = _methods.two_lists(table, linkage)
        found.append(Found([r for r in both.estimates if r.name in wanted], both.warnings))
    if "chao" in wanted:
        found.append(_methods.chao(table))
    if "sample-coverage" in wanted:
        found.append(_methods.sample_coverage(table, seed=seed))
    if models is not None:
        singles = _methods.log_linear_models(models, table)
        found.append(singles if "loglinear" in wanted else Found([], singles.warnings))
    if models is not None and "loglinear-average" in wanted:
        found += [_methods.log_linear_averages(models, table), _methods.decomposable(table)]
    return _together(found)


def _over_draws(task: Task, wanted: frozenset[str], models: _methods.LogLinear | None, seed: int,
                progress: Callable[[str], None]) -> Found:  # fmt: skip
    among = None if models is None else _worth_drawing(models)
    per_draw = []
    for n, table in enumerate(task.draws, 1):
        progress(f"Drawing the links, {n} of {len(task.draws)}")
        drawn = None if among is None else _methods.log_linear(table, among=among)
        per_draw.append(_fast(table, None, wanted, drawn, seed))
    return _pooled(per_draw)


def _worth_drawing(models: _methods.LogLinear) -> list[Terms]:
    """Return the models that any average gives weight to."""
    fitted = models.fitted.models
    if not fitted:
        return []
    best = np.max([weights(fitted, criterion) for criterion in ("bic", "aicc")], axis=0)
    return [model.terms for model, weight in zip(fitted, best, strict=True)
            if weight >= _WORTH_DRAWING]  # fmt: skip


def _pooled(per_table: Sequence[Found]) -> Found:
    """Pool the estimates over draws: Rubin's rules, intervals of the mixed curves."""
    rows: dict[tuple[str, tuple[str, ...]], list[Estimate]] = defaultdict(list)
    for one in per_table:
        for row in one.estimates:
            if np.isfinite(row.estimate):
                rows[row.name, row.terms].append(row)
    found = []
    for (name, terms), group in rows.items():
        if len(group) < _ENOUGH * len(per_table):
            continue
        estimate, se = pooled([r.estimate for r in group], [r.se for r in group])
        mixture = Mixture.of(
            [Spread(min(max(r.estimate, r.low), r.high), r.low, r.high, r.at_least) for r in group]
        )
        low, high = mixture.quantile(0.025), mixture.quantile(0.975)
        at_least = float(np.mean([r.at_least for r in group]))
        found.append(Estimate(name, terms, estimate, se, low, high, at_least))
    said = sorted({said for one in per_table for said in one.warnings if "models have" not in said})
    carried = f"the uncertainty of the links is in the intervals: {len(per_table)} draws of them"
    return Found(found, [*said[:3], carried])


def population(lists: tuple[str, ...], *, repeated: bool, which: str = "cameras") -> str:
    """Say which cameras are counted if nobody says it better: those that any list could hold."""
    if repeated:
        return "cameras that could have been seen on any occasion"
    from sousveil.sources import catalogue

    known = {name: spec.covers for name, spec in catalogue.all_specs().items()}
    told = [f"{name} ({known[name]})" if name in known else name for name in lists]
    return f"{which} that each of the lists could hold: {', '.join(told)}"
