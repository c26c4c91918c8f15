"""A Bayesian latent-class model of the lists: classes of cameras that are seen differently often.

Manrique-Vallier 2016 (Biometrics 72), a truncated Dirichlet process, as in the R package LCMCR;
R-hat and effective sample size after Vehtari et al. 2021 (split chains, ranks).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from sousveil.capture._histories import Array, Index, in_lists

CLASSES: Final = 10
CHAINS: Final = 4
WARM_UP: Final = 10_000
SAMPLES: Final = 2_500
THINNING: Final = 40

_THREADS: Final = 2
_PRIOR_SHAPE: Final = 0.25
_PRIOR_RATE: Final = 0.25
_MOST_UNSEEN: Final = 20
"""Times the cameras seen above which a draw is made again, as in LCMCR."""


class Posterior(NamedTuple):
    """Draws of the total (chains, samples) and how well the chains agree.

    r_hat is 1 where they do; effective is the number of independent draws they are worth.
    """

    totals: Array
    r_hat: float
    effective: float


def sample(
    counts: Array,
    *,
    seed: int = 0,
    classes: int = CLASSES,
    chains: int = CHAINS,
    warm_up: int = WARM_UP,
    samples: int = SAMPLES,
    thinning: int = THINNING,
) -> Posterior:
    """Draw the total from the posterior of the latent-class model by Gibbs sampling.

    counts: of all 2^k cells. The concentration of the classes has a Gamma(0.25, 0.25) prior, each
    list's chance of holding a camera of a class a uniform one, the total one of 1 / N.
    """
    k = (len(counts) - 1).bit_length()
    seen = np.flatnonzero(counts[1:] > 0) + 1
    member = in_lists(k)[seen].astype(np.int64)
    number = counts[seen].round().astype(np.int64)
    seeds = np.random.SeedSequence(seed).generate_state(chains)

    def chain(chain_seed: int) -> Index:
        drawn: Index = _chain(member, number, classes, warm_up, samples, thinning, chain_seed)
        return drawn

    # A chain holds no lock, and every thread has a generator of random numbers of its own.
    with ThreadPoolExecutor(max_workers=_THREADS) as threads:
        draws = list(threads.map(chain, seeds.tolist()))
    totals = np.array(draws, float) + number.sum()
    return Posterior(totals, r_hat(totals), effective_size(totals))


@numba.njit(cache=True, nogil=True)
def _chain(member: Index, number: Index, classes: int, warm_up: int, samples: int, thinning: int,
           seed: int) -> Index:  # fmt: skip
    np.random.seed(seed)
    n_cells, k = member.shape
    seen = number.sum()
    log_in = np.empty((k, classes))
    log_out = np.empty((k, classes))
    for j in range(k):
        share = (member[:, j] * number).sum() / seen
        share = min(max(share, 1e-6), 1 - 1e-6)
        # Classes that start a little apart leave the symmetric start sooner.
        for c in range(classes):
            own = min(max(share * np.random.uniform(0.5, 1.5), 1e-6), 1 - 1e-6)
            log_in[j, c], log_out[j, c] = np.log(own), np.log1p(-own)
    log_weight = np.full(classes, -np.log(classes))
    concentration = 0.3
    unseen_by_class = np.zeros(classes, np.int64)
    by_class = np.zeros((n_cells, classes), np.int64)
    chance = np.empty(classes)
    kept = np.empty(samples, np.int64)
    for step in range(warm_up + samples * thinning):
        for m in range(n_cells):
            for c in range(classes):
                chance[c] = log_weight[c]
                for j in range(k):
                    chance[c] += log_in[j, c] if member[m, j] else log_out[j, c]
            _split(number[m], chance, by_class[m])
        _draw_lists(member, by_class, unseen_by_class, log_in, log_out)
        in_class = unseen_by_class.copy()
        for m in range(n_cells):
            in_class += by_class[m]
        _draw_weights(in_class, concentration, log_weight)
        for c in range(classes):
            chance[c] = log_weight[c]
            for j in range(k):
                chance[c] += log_out[j, c]
        unseen = _draw_unseen(seen, np.exp(chance).sum())
        _split(unseen, chance, unseen_by_class)
        rate = _PRIOR_RATE - log_weight[classes - 1]
        concentration = np.random.gamma(_PRIOR_SHAPE + classes - 1, 1 / rate)
        if step >= warm_up and (step - warm_up) % thinning == thinning - 1:
            kept[(step - warm_up) // thinning] = unseen
    return kept


@numba.njit(cache=True)
def _split(n: int, log_chance: Array, into: Index) -> None:
    """Draw a multinomial of n over the classes."""
    chance = np.exp(log_chance - log_chance.max())
    left, room = n, chance.sum()
    for c in range(len(chance)):
        if left == 0 or room <= 0:
            into[c] = 0
            continue
        share = min(chance[c] / room, 1.0)
        into[c] = left if c == len(chance) - 1 else np.random.binomial(left, share)
        left -= into[c]
        room -= chance[c]
    into[len(chance) - 1] += left if room <= 0 else 0


@numba.njit(cache=True)
def _log_gamma_draw(shape: float) -> float:
    """Return the logarithm of a gamma variate; small shapes underflow without it."""
    return float(np.log(np.random.gamma(shape + 1, 1.0)) + np.log(np.random.random()) / shape)


@numba.njit(cache=True)
def _draw_lists(member: Index, by_class: Index, unseen: Index, log_in: Array,
                log_out: Array) -> None:  # fmt: skip
    n_cells, k = member.shape
    for j in range(k):
        for c in range(len(unseen)):
            inside, outside = 1.0, 1.0 + unseen[c]
            for m in range(n_cells):
                if member[m, j]:
                    inside += by_class[m, c]
                else:
                    outside += by_class[m, c]
            a, b = _log_gamma_draw(inside), _log_gamma_draw(outside)
            both = np.logaddexp(a, b)
            log_in[j, c], log_out[j, c] = a - both, b - both


@numba.njit(cache=True)
def _draw_weights(in_class: Index, concentration: float, log_weight: Array) -> None:
    """Draw the sticks of the Dirichlet process."""
    later = in_class.sum()
    left = 0.0
    last = len(in_class) - 1
    for c in range(last):
        later -= in_class[c]
        a = _log_gamma_draw(1.0 + in_class[c])
        b = _log_gamma_draw(concentration + later)
        both = np.logaddexp(a, b)
        log_weight[c] = a - both + left
        left += b - both
    log_weight[last] = left


@numba.njit(cache=True)
def _draw_unseen(seen: int, p_unseen: float) -> int:
    """Draw failures before `seen` successes, by a Poisson of a gamma variate."""
    odds = min(p_unseen, 1 - 1e-12) / max(1 - p_unseen, 1e-12)
    for _ in range(1000):
        drawn = np.random.poisson(min(np.random.gamma(seen, odds), 1e12))
        if drawn <= _MOST_UNSEEN * seen:
            return int(drawn)
    return int(_MOST_UNSEEN * seen)


def r_hat(draws: Array) -> float:
    """Return split R-hat of ranks of draws (chains, samples): of bulk or tail, the larger."""
    halves = _halves(draws)
    folded = np.abs(halves - np.median(halves))
    return max(_r_hat(_normalised(halves)), _r_hat(_normalised(folded)))


def _halves(draws: Array) -> Array:
    n = draws.shape[1] // 2
    return np.concatenate([draws[:, :n], draws[:, -n:]])


def _normalised(draws: Array) -> Array:
    from scipy.stats import norm, rankdata

    rank = rankdata(draws, method="average").reshape(draws.shape)
    scores: Array = norm.ppf((rank - 0.375) / (draws.size + 0.25))
    return scores


def _r_hat(draws: Array) -> float:
    n = draws.shape[1]
    within = draws.var(axis=1, ddof=1).mean()
    between = n * draws.mean(axis=1).var(ddof=1)
    if within <= 0:
        return 1.0
    return float(np.sqrt(((n - 1) / n * within + between / n) / within))


def effective_size(draws: Array) -> float:
    """Return how many independent draws the chains are worth (Geyer's initial sequence)."""
    halves = _normalised(_halves(draws))
    m, n = halves.shape
    covariance = np.mean([_autocovariance(chain) for chain in halves], axis=0)
    within = covariance[0] * n / (n - 1)
    pooled = within * (n - 1) / n + halves.mean(axis=1).var(ddof=1)
    if pooled <= 0:
        return float(m * n)
    correlation = 1 - (within - covariance * n / (n - 1)) / pooled
    correlation[0] = 1
    pairs = correlation[: n - n % 2].reshape(-1, 2).sum(axis=1)
    stop = int(np.argmax(pairs < 0)) if (pairs < 0).any() else len(pairs)
    falling = np.minimum.accumulate(pairs[: max(stop, 1)])
    return float(
        min(m * n / max(2 * falling.sum() - 1, 1 / np.log10(m * n)), m * n * np.log10(m * n))
    )


def _autocovariance(chain: npt.NDArray[np.float64]) -> Array:
    n = len(chain)
    centred = np.fft.rfft(chain - chain.mean(), 2 * n)
    covariance: Array = np.fft.irfft(centred * centred.conj())[:n] / n
    return covariance
