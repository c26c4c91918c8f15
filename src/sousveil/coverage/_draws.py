"""What is unknown of cameras, drawn: random numbers that depend on nothing but seed and camera.

Each number is a hash of the camera, the view, the quantity and the draw's stream. So a camera's
draws are the same in any tile, order or company; and a sensitivity analysis can hold one quantity
while it redraws the others.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from sousveil import priors as prior_table
from sousveil.coverage._views import Prior, Views
from sousveil.optics import LEVELS_PX_PER_M, blind_m, distance_m, reach_m, upper_edge_m, vfov_deg
from sousveil.records import LEVELS

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

QUANTITIES: Final = (
    "direction",
    "hfov_deg",
    "pixels_h",
    "height_m",
    "tilt_deg",
    "quality",
    "exists",
    "loss_per_year",
    "age_years",
    "unlisted",
)
"""What is drawn; `direction` is facing_deg for a camera on a wall."""

FACTORS: Final[dict[str, tuple[str, ...]]] = {
    "direction": ("direction",),
    "field of view": ("hfov_deg",),
    "pixels and picture quality": ("pixels_h", "quality"),
    "height and tilt": ("height_m", "tilt_deg"),
    "existence": ("exists", "loss_per_year", "age_years"),
    "cameras that no list has": ("unlisted",),
}
"""The quantities by what a person could go and find out."""

_PX_PER_M: Final = np.array([LEVELS_PX_PER_M["2014"][level] for level in LEVELS])


class Plan(NamedTuple):
    """How draws are made: for each quantity, a stream a draw; and the streams of what is shared.

    A stream of 0 stands for the middle of the distribution instead of a draw.
    """

    streams: dict[str, Words]
    shared: dict[str, Words]
    stratified: bool = False  # directions evenly around instead of drawn

    @property
    def n(self) -> int:
        """Return the number of draws."""
        return len(self.streams["direction"])

    def part(self, first: int, last: int) -> Plan:
        """Return the draws from one to before another."""
        streams, shared = (
            {quantity: words[first:last] for quantity, words in every.items()}
            for every in (self.streams, self.shared)
        )
        if self.stratified:
            raise ValueError("draws that are spread evenly belong together")
        return Plan(streams, shared)


def plan(draws: int, seed: int, *, groups: int, vary: Collection[str] = QUANTITIES) -> Plan:
    """Return a plan of independent draws; those of a group have in common what cameras share."""
    number = np.arange(draws, dtype=np.uint64)
    group = (np.arange(draws) * groups // max(draws, 1)).astype(np.uint64)
    streams, shared = {}, {}
    for i, quantity in enumerate(QUANTITIES):
        nothing = np.zeros(draws, np.uint64)
        mine = mixed(np.uint64(seed) + np.uint64(7919 * (i + 1)))
        streams[quantity] = mixed(mine ^ mixed(number)) | np.uint64(1)
        shared[quantity] = mixed(~mine ^ mixed(group)) | np.uint64(1)
        if quantity not in vary:
            streams[quantity] = shared[quantity] = nothing
    return Plan(streams, shared)


def middle(directions: int = 72) -> Plan:
    """Return the plan without chance: middles of all priors, unknown directions evenly around."""
    nothing = {q: np.zeros(directions, np.uint64) for q in QUANTITIES}
    return Plan(nothing, nothing, stratified=True)


def mixed(word: Words | np.uint64) -> Words:
    """Scramble 64-bit words (the finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        word = np.asarray(word, np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(word ^ (word >> np.uint64(31)), np.uint64)


def uniform(word: Words) -> Floats:
    return ((word >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


class Drawn(NamedTuple):
    """Views by draws (float32, n views x n draws) as the kernel takes them."""

    east: npt.NDArray[np.float32]  # the direction
    north: npt.NDArray[np.float32]
    cos_half: npt.NDArray[np.float32]  # of half the field of view
    blind_m: npt.NDArray[np.float32]
    upper_m: npt.NDArray[np.float32]
    reach_m: npt.NDArray[np.float32]  # n levels x n views x n draws
    exists: npt.NDArray[np.bool_]  # n cameras x n draws


def draw(views: Views, draws: Plan, presence: Floats | None = None) -> Drawn:
    """Draw what is not stated of views.

    presence: for each draw, below which of their random numbers candidates for unlisted cameras are
    there (`_unlisted.Unlisted.presence`).
    """
    of = views.camera
    key = mixed(views.key[of] ^ mixed(views.number.astype(np.uint64)))
    hfov = _values(views, draws, "hfov_deg", views.hfov_deg, key, of)
    pixels = _values(views, draws, "pixels_h", views.pixels_h, key, of)
    tilt = _values(views, draws, "tilt_deg", views.tilt_deg, key, of)
    quality = _values(views, draws, "quality", views.quality, key, of)
    height = _values(views, draws, "height_m", views.height_m, views.key, None)[of]
    bearing = np.radians(_bearings(views, draws, key))
    vertical = vfov_deg(hfov)
    slant = quality * distance_m(pixels, hfov, _PX_PER_M[:, None, None], form="auto")
    single = np.float32
    half = np.minimum(hfov / 2.0, 180.0)
    # A hair wider, so that a whole circle has no seam in single precision.
    cos_half = np.where(half >= 179.99, -2.0, np.cos(np.radians(half)))
    return Drawn(
        np.sin(bearing).astype(single),
        np.cos(bearing).astype(single),
        cos_half.astype(single),
        blind_m(height, tilt, vertical).astype(single),
        upper_edge_m(height, tilt, vertical).astype(single),
        reach_m(slant, height).astype(single),
        _existing(views, draws, presence),
    )


def _chances(draws: Plan, quantity: str, key: Words, shared: float) -> Floats:
    """Return probabilities (n x draws), correlated between cameras by `shared`."""
    stream = draws.streams[quantity]
    own = uniform(mixed(key[:, None] ^ stream[None, :]))
    if shared > 0:
        common = ndtri(uniform(mixed(draws.shared[quantity])))
        own = ndtr(np.sqrt(1 - shared) * ndtri(own) + np.sqrt(shared) * common[None, :])
    return np.where(stream[None, :] == 0, 0.5, own)


def _values(
    views: Views,
    draws: Plan,
    quantity: str,
    stated: Floats,
    key: Words,
    of: npt.NDArray[np.int64] | None,
) -> Floats:
    """Return what is stated, else what is drawn, for each view or (of=None) each camera."""
    values = np.repeat(stated[:, None], draws.n, axis=1)
    prior = views.priors[quantity]
    index = prior.holds if of is None else prior.holds[of]
    for i in np.unique(index):
        mine = np.flatnonzero((index == i) & np.isnan(stated))
        row = prior.rows[i]
        chances = _chances(draws, quantity, key[mine], row.shared)
        values[mine] = prior_table.quantile(row, chances)
    return values


def _bearings(views: Views, draws: Plan, key: Words) -> Floats:
    if draws.stratified:
        chance = np.broadcast_to((np.arange(draws.n) + 0.5) / draws.n, (len(key), draws.n))
    else:
        chance = _chances(draws, "direction", key, 0.0)
    bearings = np.array(360.0 * chance)
    facing = views.facing_deg[views.camera]
    prior: Prior = views.priors["facing_deg"]
    for i in np.unique(prior.holds):
        mine = np.flatnonzero((prior.holds[views.camera] == i) & np.isfinite(facing))
        aside = prior_table.quantile(prior.rows[i], chance[mine])
        bearings[mine] = facing[mine, None] + aside
    return np.where(np.isnan(views.bearing_deg)[:, None], bearings, views.bearing_deg[:, None])


def _existing(views: Views, draws: Plan, presence: Floats | None) -> npt.NDArray[np.bool_]:
    loss = _loss_per_year(views, draws)
    age = _values(views, draws, "age_years", views.age_years, views.key, None)
    survival = np.exp(np.log1p(-np.minimum(loss, 0.999)) * age)
    chance = _chances(draws, "exists", mixed(views.key), 0.0)
    still = np.where(draws.streams["exists"][None, :] == 0, survival > 0.5, chance < survival)
    exists: npt.NDArray[np.bool_] = still | views.certain[:, None]
    if presence is not None:
        drawn = _chances(draws, "unlisted", mixed(~views.key), 0.0)
        exists = np.where(views.listed[:, None], exists, drawn < presence[None, :])
    return exists & ~views.indoor[:, None]


def _loss_per_year(views: Views, draws: Plan) -> Floats:
    """Return the yearly loss: fully shared by all cameras that a row of the table holds for."""
    prior = views.priors["loss_per_year"]
    common = uniform(mixed(draws.shared["loss_per_year"]))
    common = np.where(draws.shared["loss_per_year"] == 0, 0.5, common)
    rows = [prior_table.quantile(row, common) for row in prior.rows]
    return np.array(rows)[prior.holds]


def survival(views: Views) -> Floats:
    """Return the probability that each camera is still there, at the middle of the priors."""
    ages = _values(views, middle(1), "age_years", views.age_years, views.key, None)[:, 0]
    loss = _loss_per_year(views, middle(1))[:, 0]
    found: Floats = np.where(views.certain, 1.0, (1.0 - np.minimum(loss, 0.999)) ** ages)
    return found


def found_on_site(views: Views, factor: str, mine: npt.NDArray[np.bool_], seed: int) -> Views:
    """Return views with one way that a factor's unknowns may turn out, for some of them.

    factor: "direction" or "height and tilt". mine: which views.
    """
    chance = plan(1, seed, groups=1)
    key = mixed(views.key[views.camera] ^ mixed(views.number.astype(np.uint64)))
    if factor == "direction":
        bearing = np.where(mine, _bearings(views, chance, key)[:, 0], views.bearing_deg)
        return views._replace(bearing_deg=bearing)
    tilt = _values(views, chance, "tilt_deg", views.tilt_deg, key, views.camera)[:, 0]
    height = _values(views, chance, "height_m", views.height_m, views.key, None)[:, 0]
    known = np.zeros(len(views.camera_id), bool)
    known[views.camera[mine]] = True
    return views._replace(
        tilt_deg=np.where(mine, tilt, views.tilt_deg),
        height_m=np.where(known, height, views.height_m),
    )
