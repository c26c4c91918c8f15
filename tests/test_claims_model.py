"""The model of claims: exact cases, an independent computation, and coverage when it is true."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, truncnorm

from sousveil.claims import _model
from sousveil.claims._model import BASE, Claimed, Priors, Wanted, fit, predict, prior_draw

ONE_TERM = Priors(
    level=1e-9, growth=1e-9, growth_of_place=1e-9, walk=1e-9, definition=1e-9,
    definition_of_place=1e-9, publisher=1e-9, publisher_of_place=1e-9,
)  # fmt: skip


@pytest.fixture
def one_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_model, "GRID_STEPS", (0,))


def says(place: str, year: int, rate: float, *, publisher: str = "P", grade: str = "B",
         scope: str = BASE) -> Claimed:  # fmt: skip
    return Claimed(place, scope, year, publisher, math.log(rate), grade, 0.0)


@pytest.mark.usefixtures("one_scale")
def test_one_claim_of_one_place_is_shrunk_as_the_formula_says() -> None:
    """Normal with known variances: the weight of the claim is tau2 / (tau2 + sigma2)."""
    found = fit([says("A", 2018, 0.2)], [Wanted("A", BASE, 2018)], ONE_TERM)
    weight = 1.0 / (1.0 + 0.15**2)
    mean = weight * math.log(0.2) + (1 - weight) * math.log(1 / 20)
    assert found.means[0, 0] == pytest.approx(mean, abs=1e-6)
    assert found.covariances[0, 0, 0] == pytest.approx(weight * 0.15**2, rel=1e-6)
    assert found.quantile(0, 0.975) == pytest.approx(
        mean + norm.ppf(0.975) * math.sqrt(weight) * 0.15, abs=1e-6
    )


@pytest.mark.usefixtures("one_scale")
def test_two_equal_claims_of_one_publisher_tell_less_than_those_of_two() -> None:
    wanted = [Wanted("A", BASE, 2018)]
    one = fit([says("A", 2018, 0.2), says("A", 2018, 0.2)], wanted)
    two = fit([says("A", 2018, 0.2), says("A", 2018, 0.2, publisher="Q")], wanted)
    assert two.covariances[0, 0, 0] < 0.8 * one.covariances[0, 0, 0]


@pytest.mark.usefixtures("one_scale")
def test_the_posterior_is_that_of_a_regression_with_every_term_written_out() -> None:
    """Independent way: the normal equations of a linear model with one column a term."""
    priors = Priors()
    claims = [says("A", 2014, 0.1), says("A", 2018, 0.2), says("B", 2018, 0.15, publisher="Q"),
              says("B", 2016, 0.02, scope="public bodies", grade="C")]  # fmt: skip
    # Columns: level, growth, A, B, growth of A, of B, drift of A at -4, of B at -2, definition,
    # definition in B, publishers P and Q, P in A, P in B, Q in B. B's drift at -2 is in one claim.
    t, rows = [-4, 0, 0, -2], np.zeros((4, 15))
    rows[:, 0], rows[:, 1] = 1, t
    rows[0, [2, 4, 6, 10, 12]] = [1, -4, 1, 1, 1]
    rows[1, [2, 4, 10, 12]] = [1, 0, 1, 1]
    rows[2, [3, 5, 11, 14]] = [1, 0, 1, 1]
    rows[3, [3, 5, 7, 8, 9, 10, 13]] = [1, -2, 1, 1, 1, 1, 1]
    sds = np.array([1.5, 0.1, 1, 1, 0.05, 0.05, 0.2, 0.1 * 2**0.5, 1, 0.5, 0.2, 0.2, 0.1, 0.1, 0.1])
    means = np.zeros(15)
    means[[0, 1, 8]] = [priors.level_mean, priors.growth_mean, priors.definition_mean]
    precision = np.diag(1 / np.array([0.15, 0.15, 0.15, 0.35]) ** 2)
    y = np.array([claim.log_rate for claim in claims])
    covariance = np.linalg.inv(rows.T @ precision @ rows + np.diag(1 / sds**2))
    mean = means + covariance @ rows.T @ precision @ (y - rows @ means)
    wanted = np.zeros((2, 15))
    wanted[0, [0, 2]] = 1  # A in 2018
    wanted[1, [0, 3]] = 1  # B in 2018
    found = fit(claims, [Wanted("A", BASE, 2018), Wanted("B", BASE, 2018)], priors)
    assert found.means[0] == pytest.approx(wanted @ mean, abs=1e-8)
    assert found.covariances[0] == pytest.approx(wanted @ covariance @ wanted.T, abs=1e-8)


@pytest.mark.usefixtures("one_scale")
@pytest.mark.parametrize(("damping", "left"), [(0.8, 0.8 + 0.64 + 0.512), (1.0, 3.0)])
def test_after_the_last_claim_growth_fades_as_the_formula_says(damping: float, left: float) -> None:
    """Gardner and McKenzie's sum of damping^1 + ... + damping^h; before the claim none is lost."""
    priors = ONE_TERM._replace(damping=(damping,))
    wanted = [Wanted("A", BASE, year) for year in (2016, 2018, 2021)]
    before, then, after = fit([says("A", 2018, 0.2)], wanted, priors).means[0]
    assert before == pytest.approx(then - 0.2, abs=1e-6)
    assert after == pytest.approx(then + 0.1 * left, abs=1e-6)


@pytest.mark.usefixtures("one_scale")
def test_each_place_slows_after_its_own_last_claim() -> None:
    claims = [says("A", 2012, 0.1), says("B", 2018, 0.1)]
    wanted = [Wanted(place, BASE, 2018) for place in ("A", "B", "of no claim")]
    priors = Priors(damping=(0.5,))
    slowed, straight = (fit(claims, wanted, p).means[0] for p in (priors, priors.straight()))
    assert slowed[0] < straight[0] - 0.2
    assert slowed[1:] == pytest.approx(straight[1:])


@pytest.mark.usefixtures("one_scale")
def test_the_dampings_are_equally_likely() -> None:
    claims, wanted = [says("A", 2015, 0.1), says("A", 2018, 0.2)], [Wanted("A", BASE, 2028)]
    both = fit(claims, wanted, Priors(damping=(0.8, 0.95)))
    alone = [fit(claims, wanted, Priors(damping=(d,))) for d in (0.8, 0.95)]
    middle = both.quantile(0, 0.5)
    below = [
        norm.cdf(middle, found.means[0, 0], math.sqrt(found.covariances[0, 0, 0]))
        for found in alone
    ]
    assert sum(below) / 2 == pytest.approx(0.5, abs=1e-6)
    assert below[0] > 0.5 > below[1]


@pytest.mark.usefixtures("one_scale")
def test_under_one_ceiling_it_is_the_truncated_normal_distribution() -> None:
    found = fit([says("A", 2018, 0.2)], [Wanted("A", BASE, 2028)])
    found = found._replace(
        weights=np.ones(1), means=found.means[:1], covariances=found.covariances[:1]
    )
    mean, sd = found.means[0, 0], math.sqrt(found.covariances[0, 0, 0])
    top = mean + 0.5 * sd
    wanted = truncnorm.ppf([0.025, 0.5, 0.975], -np.inf, 0.5, mean, sd)
    assert [found.quantile(0, p, np.array([top])) for p in (0.025, 0.5, 0.975)] == pytest.approx(
        wanted, abs=1e-6
    )
    assert found.log_density(0, 0.3) == pytest.approx(norm.logpdf(0.3, mean, sd))


def test_ceilings_are_those_of_the_stated_distribution() -> None:
    tops = Priors(ceiling=2.0, ceiling_sd=0.5).ceilings()
    assert np.median(tops) == pytest.approx(math.log(2.0))
    assert tops.std() == pytest.approx(0.5, rel=0.05)
    assert np.isinf(Priors().straight().ceilings()).all()


def test_the_scales_are_weighed_by_how_well_they_explain() -> None:
    """Places that differ a hundredfold speak for the wide scale, places that are alike against."""
    wanted = [Wanted("A", BASE, 2018)]

    def share_of_wide(rates: list[float]) -> float:
        claims = [says(f"place {i}", 2018, rate, grade="A") for i, rate in enumerate(rates)]
        scales = [scaled.place for _, scaled in _model._scales(Priors())]
        return float(fit(claims, wanted).weights[np.array(scales) == max(scales)].sum())

    assert share_of_wide([0.001, 0.01, 0.1, 0.5, 0.002]) > 0.5
    assert share_of_wide([0.1, 0.1, 0.11, 0.1, 0.09]) < 0.1


def test_a_prediction_of_a_claim_is_wider_than_the_truth() -> None:
    claims = [says("A", 2015, 0.1), says("A", 2017, 0.14)]
    new = says("A", 2019, 0.2, publisher="Q", grade="D")
    truth = fit(claims, [Wanted("A", BASE, 2019)])
    claimed = predict(claims, [new])
    assert claimed.covariances[0, 0, 0] >= truth.covariances[0, 0, 0] + 0.35**2


def test_intervals_cover_when_the_model_is_true() -> None:
    """250 made-up worlds drawn from the priors: 95 % intervals hold the truth 92 to 98 % of times.

    Two truths a world; the bounds are about three standard errors of 500 trials.
    """
    rng = np.random.default_rng(7)
    layout = [
        says("A", 2014, 1), says("A", 2016, 1), says("A", 2018, 1, publisher="Q", grade="D"),
        says("B", 2018, 1), says("B", 2015, 1, scope="public bodies", grade="A"),
    ]  # fmt: skip
    wanted = [Wanted("A", BASE, 2020), Wanted("B", BASE, 2018)]
    inside = 0
    for _ in range(250):
        values, truth = prior_draw(layout, wanted, Priors(), rng)
        claims = [c._replace(log_rate=v) for c, v in zip(layout, values.tolist(), strict=True)]
        found = fit(claims, wanted)
        for i in range(2):
            inside += found.quantile(i, 0.025) <= truth[i] <= found.quantile(i, 0.975)
    assert 0.92 <= inside / 500 <= 0.98


def test_draws_have_the_quantiles_of_the_mixture() -> None:
    found = fit([says("A", 2014, 0.1)], [Wanted("A", BASE, 2018), Wanted("B", BASE, 2018)])
    draws = found.draw(40_000, np.random.default_rng(1))
    for i in range(2):
        for p in (0.1, 0.5, 0.9):
            below = (draws[:, i] < found.quantile(i, p)).mean()
            assert below == pytest.approx(p, abs=0.01)
