"""What share of an official register another list holds: by kind, by area, with its interval.

The register is taken for complete. Where it gives positions, its rows are linked one by one with
the list (sousveil.linking); where it gives totals by area, those are carried on to the day of the
list by a model of growth, and the share is of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil import linking
from sousveil._words import plural
from sousveil.completeness import _totals
from sousveil.errors import UnusableInput
from sousveil.records import OBSERVATIONS
from sousveil.sources import Source, reading
from sousveil.sources.tabular._coordinates import SWAPPED

LEVEL: Final = 0.95
DRAWS: Final = 20_000
MARGIN_M: Final = 500.0
"""How far around the register the list is looked at."""
CELL_RESOLUTION: Final = 6
"""Of the H3 cells that stand for areas, about 36 km2 each."""

MEASURED: Final = ((42, 213),)
"""Places with a register, for `prior`: rows that OpenStreetMap holds, of all. Milan, the gates of
both zones (docs/completeness.md)."""

_METRES_PER_DEGREE: Final = 111_195.0
_SERIES: Final = re.compile(r"[-_:/. ]*\d+$")
_MOST_SERIES: Final = 20

_Array = npt.NDArray[np.float64]


class Matched(NamedTuple):
    """The rows of a register, each with whether the list holds it too.

    found: linked to a row of the list. probability: that the link is right, 0 where there is none.
    alpha, beta: chances that one is linked that the list holds, and that one is that it does not.
    """

    found: npt.NDArray[np.bool_]
    probability: _Array
    alpha: float
    beta: float


def completeness(
    register: str | Path,
    held_by: str | Path,
    *,
    threshold: float | None = None,
    accept_swapped: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return what share of an official register a list holds.

    register: a list that is taken for complete, with positions or with totals by area. held_by:
    the list that is measured, an extract of OpenStreetMap or any other. threshold: the least
    probability of a link, see `linking.link`. accept_swapped: use rows whose latitude and longitude
    are swapped. seed: of the linking and of the draws.

    Returns the JSON object of the command, see docs/completeness.md. Raises UnusableInput for what
    cannot be read, and for two lists that do not overlap.
    """
    told = reading.Told(progress)
    located = reading.locate([register, held_by], told, one_each=True)
    official, held = (
        reading.read(one, accept_swapped=accept_swapped, told=told) for one in located
    )
    if not held.observations.num_rows:
        raise UnusableInput(f"{held.path}: places no camera; name a list or an extract second")
    if official.evidence.num_rows:
        return _described(official, held, _totals.against(official, held, seed=seed))
    near = _near(official.observations, held.observations)
    if not near.num_rows:
        raise UnusableInput(
            f"{held.path}: holds nothing within {MARGIN_M:.0f} m of {official.path}; name lists of "
            "one place"
        )
    progress(f"Linking {official.observations.num_rows:,} with {near.num_rows:,} observations")
    matched = match(official.observations, near, threshold=threshold, seed=seed)
    measured = _by_position(official.observations, near, matched, seed)
    return _described(official, held, measured)


def match(
    official: pa.Table, held: pa.Table, *, threshold: float | None = None, seed: int = 0
) -> Matched:
    """Link the rows of a register with those of a list (records.OBSERVATIONS both)."""
    linked = linking.link(pa.concat_tables([official, held]), threshold=threshold, seed=seed)
    links = linked.links.slice(0, official.num_rows)
    others = linked.links.slice(official.num_rows)
    chance = dict(zip(others["camera_id"].to_pylist(), others["probability"].to_pylist(),
                      strict=True))  # fmt: skip
    cameras = links["camera_id"].to_pylist()
    found = np.array([camera in chance for camera in cameras])
    # A link's probability stands at the row that joined the other's camera, whichever that was.
    probability = np.array(
        [min(own, chance.get(camera, 0.0)) for own, camera in
         zip(links["probability"].to_pylist(), cameras, strict=True)]
    )  # fmt: skip
    alpha, beta = _error_rates(linked, official["source_id"][0].as_py())
    return Matched(found, np.where(found, probability, 0.0), alpha, beta)


def _error_rates(linked: linking.Linked, register_id: str) -> tuple[float, float]:
    """Return alpha and beta for the rows of the register, whichever list was joined first.

    The rates are of the second list of the pair; where that is the measured one, what is linked of
    it is turned round: missed and false links are the same links seen from the other side.
    """
    rates = linked.rates.to_pylist()
    if not rates:
        return 1.0, 0.0
    row = rates[0]
    alpha, beta = row["alpha"], row["beta"]
    if alpha is None:
        return 1.0, 0.0
    if row["source_r"] == register_id:
        return alpha, beta or 0.0
    n_both = max((row["linked"] - (beta or 0.0) * row["n_r"]) / max(alpha - (beta or 0.0), 1e-9), 0)
    false = (beta or 0.0) * max(row["n_r"] - n_both, 0)
    return alpha, false / max(row["n_l"] - n_both, 1.0)


def share(
    found: npt.NDArray[np.bool_],
    probability: _Array,
    alpha: float,
    beta: float,
    *,
    dispersion: float = 1.0,
    seed: int = 0,
) -> dict[str, Any]:
    """Return which share of a register's rows a list holds, with its intervals.

    found and probability: by row, see Matched. "linked" is the plain share with its exact interval
    (Clopper & Pearson 1934), as if no link were wrong. "share" is corrected for the links: each is
    right with its probability, and of the rows without link some are missed. Its interval has two
    readings: "of_this_register" leaves only the links uncertain, as the register is all there is;
    "low" and "high" are for cameras like these, drawn from Jeffreys' posterior given the number
    that is really held. Expected wrong and missed links come from the linkage itself. dispersion:
    how much more areas differ than by chance; the second reading then rests on n / dispersion rows.
    """
    n, n_linked = len(found), int(found.sum())
    low, high = clopper_pearson(n_linked, n)
    rng = np.random.default_rng(seed)
    held = _held(found, probability, alpha, rng)
    drawn = rng.beta(held / dispersion + 0.5, (n - held) / dispersion + 0.5)
    this = np.quantile(held / n, [0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2])
    like = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {
        "n": n,
        "n_linked": n_linked,
        "linked": {"estimate": n_linked / n, "low": low, "high": high},
        "share": {
            "estimate": float(held.mean() / n),
            "low": float(like[0]),
            "high": float(like[1]),
            "level": LEVEL,
        },
        "of_this_register": {
            "estimate": float(this[0]), "low": float(this[1]), "high": float(this[2]),
        },
        "by_error_rates": _by_rates(n_linked / n, alpha, beta),
    }  # fmt: skip


def dispersion(found: npt.NDArray[np.bool_], labels: Sequence[str | None]) -> float:
    """Return how much more the share varies between groups than by chance, at least 1.

    Pearson's statistic over its degrees of freedom (McCullagh & Nelder 1989, 4.5.2).
    """
    groups = np.array([label or "" for label in labels])
    p = found.mean()
    names = np.unique(groups)
    if len(names) < 2 or p in (0.0, 1.0):
        return 1.0
    sizes = np.array([(groups == name).sum() for name in names])
    held = np.array([found[groups == name].sum() for name in names])
    statistic = float((((held - sizes * p) ** 2) / (sizes * p * (1 - p))).sum())
    return max(1.0, statistic / (len(names) - 1))


def _held(
    found: npt.NDArray[np.bool_], probability: _Array, alpha: float, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw how many rows are really held: right links, and those that were missed."""
    right = np.zeros(DRAWS, dtype=np.int64)
    for p in probability[found]:
        right += rng.random(DRAWS) < p
    room = len(found) - int(found.sum())
    odds_missed = (1 - alpha) / max(alpha, 1e-9)
    missed = rng.poisson(odds_missed * np.maximum(right, 0))
    held: npt.NDArray[np.int64] = right + np.minimum(missed, room)
    return held


def _by_rates(linked: float, alpha: float, beta: float) -> float | None:
    """Return the share by alpha and beta alone, as capture-recapture corrects for linkage."""
    if alpha <= beta:
        return None
    return float(min(max((linked - beta) / (alpha - beta), 0.0), 1.0))


def clopper_pearson(found: int, of: int, level: float = LEVEL) -> tuple[float, float]:
    """Return the exact interval of a proportion (Clopper & Pearson 1934)."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, found, of - found + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, of - found)) if found < of else 1.0
    return low, high


def prior(measured: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Return what to expect of a place that was not measured: a Beta distribution of its share.

    measured: of each measured place how many of how many were held. Places differ, so the log-odds
    of their shares are normal with unknown mean (prior normal, 0 and 1.5) and spread (prior
    half-normal, 1); the Beta distribution has the mean and variance of what that predicts for one
    more place. With one place measured the spread rests on its prior, and the result is wide.
    """
    from scipy.special import expit
    from scipy.stats import beta as beta_distribution

    if not measured:
        raise UnusableInput("no measured place; measure one with `sousveil completeness`")
    mean, spread = (grid.ravel() for grid in np.meshgrid(
        np.linspace(-6, 6, 81), np.linspace(0.05, 3.0, 40), indexing="ij"))  # fmt: skip
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(24)
    p = np.clip(expit(mean[:, None] + spread[:, None] * nodes[None, :]), 1e-12, 1 - 1e-12)
    node_weights = node_weights / node_weights.sum()
    log_posterior = -0.5 * (mean / 1.5) ** 2 - 0.5 * spread**2
    for found, of in measured:
        log_like = found * np.log(p) + (of - found) * np.log1p(-p)
        top = log_like.max(axis=1)
        log_posterior += top + np.log(np.exp(log_like - top[:, None]) @ node_weights)
    weights = np.exp(log_posterior - log_posterior.max())
    weights /= weights.sum()
    first = float(weights @ (p @ node_weights))
    variance = float(weights @ (p**2 @ node_weights)) - first**2
    size = first * (1 - first) / variance - 1
    a, b = first * size, (1 - first) * size
    low, high = beta_distribution.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], a, b)
    return {
        "alpha": a,
        "beta": b,
        "mean": first,
        "low": float(low),
        "high": float(high),
        "level": LEVEL,
        "places_measured": len(measured),
        "note": "a prior for places without a register, not a measurement of any",
    }


def _by_position(official: pa.Table, near: pa.Table, matched: Matched, seed: int) -> dict[str, Any]:
    cells = _cells(official)
    spread = dispersion(matched.found, cells)
    whole = share(*matched, dispersion=spread, seed=seed)
    groups: dict[str, list[str | None]] = {
        "by_kind": official["kind"].to_pylist(),
        "by_series": _series(official),
        "by_area": cells,
    }
    grouped = {name: _grouped(values, cells, matched, seed) for name, values in groups.items()}
    grouped["by_area"] = [_placed(row) for row in grouped["by_area"]]
    return {
        "method": "linked one by one",
        **whole,
        "near": near.num_rows,
        "alpha": matched.alpha,
        "beta": matched.beta,
        "dispersion": spread,
        **grouped,
        "prior": prior([(whole["n_linked"], whole["n"])]),
        "notes": [
            "the register is taken for complete: what the list has beyond it is not judged",
            "one place was measured: its share says little of others, see the width of the prior",
        ],
    }


def _grouped(
    values: Iterable[str | None], cells: Sequence[str | None], matched: Matched, seed: int
) -> list[dict[str, Any]]:
    labels = np.array([value or "unknown" for value in values])
    areas = np.array(cells)
    rows = []
    for label in sorted(set(labels.tolist())):
        own = labels == label
        found = matched.found[own]
        measured = share(
            found,
            matched.probability[own],
            matched.alpha,
            matched.beta,
            dispersion=dispersion(found, areas[own].tolist()),
            seed=seed,
        )
        rows.append({"group": str(label)} | measured)
    return rows


def _placed(row: dict[str, Any]) -> dict[str, Any]:
    """Add the middle of a cell to what was measured in it."""
    import h3

    lat, lon = h3.cell_to_latlng(row["group"])
    return {"group": row["group"], "lat": round(lat, 4), "lon": round(lon, 4)} | row


def _series(official: pa.Table) -> list[str | None]:
    """Return the part of the register that its own ids name, such as "areab" of "areab:12"."""
    names = [_SERIES.sub("", native) for native in official["native_id"].to_pylist()]
    return [None] * len(names) if len(set(names)) > _MOST_SERIES else [*names]


def _cells(official: pa.Table) -> list[str | None]:
    import h3

    places = zip(official["lat"].to_pylist(), official["lon"].to_pylist(), strict=True)
    return [h3.latlng_to_cell(lat, lon, CELL_RESOLUTION) for lat, lon in places]


def _near(official: pa.Table, held: pa.Table) -> pa.Table:
    """Return the rows of the list that are cameras, in the box around the register."""
    lon, lat = (official[name].to_numpy() for name in ("lon", "lat"))
    if not len(lon):
        raise UnusableInput("the register places no camera; name a list with positions or totals")
    north = MARGIN_M / _METRES_PER_DEGREE
    east = north / max(np.cos(np.radians(np.abs(lat).max())), 0.01)
    inside = pc.and_(
        pc.and_(pc.greater(held["lon"], lon.min() - east), pc.less(held["lon"], lon.max() + east)),
        pc.and_(pc.greater(held["lat"], lat.min() - north),
                pc.less(held["lat"], lat.max() + north)),
    )  # fmt: skip
    exists = pc.and_(pc.is_null(held["not_camera"]), pc.is_null(held["lifecycle"]))
    return held.filter(pc.and_(inside, exists)).select(OBSERVATIONS.names)


def _described(official: Source, held: Source, measured: dict[str, Any]) -> dict[str, Any]:
    """Return what was measured with where it is from, and a note where rows were set aside."""
    aside = [said for one in (official, held) if (said := _set_aside(one))]
    return {
        "register": _source(official),
        "list": _source(held),
        **measured,
        "notes": [*measured["notes"], *aside],
    }


def _aside(source: Source) -> tuple[int, int]:
    """Return how many rows were not used, and how many of them for swapped coordinates."""
    rows = source.quarantine.filter(pc.invert(source.quarantine["kept"]))
    return rows.num_rows, rows["reason"].to_pylist().count(SWAPPED)


def _set_aside(source: Source) -> str:
    n, swapped = _aside(source)
    if not n:
        return ""
    said = f"{source.name}: {n:,} of {plural(source.rows, 'row')} set aside and not used"
    if swapped:
        said += f", {swapped:,} for swapped latitude and longitude, which --accept-swapped uses"
    return said + "; `sousveil sources check` names each"


def _source(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "publisher": source.publisher,
        "licence": source.licence,
        "seen_on": source.seen_on,
        "covers": source.covers,
        "rows": source.rows,
        "set_aside": _aside(source)[0],
        "swapped": _aside(source)[1],
    }
