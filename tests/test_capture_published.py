"""Every figure of published capture-recapture analyses, to the digits that were printed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import gammaln, xlogy

from sousveil.capture import Linkage, capture, check
from sousveil.capture import _averaging as averaging
from sousveil.capture import _decomposable as decomposable
from sousveil.capture import _latent as latent
from sousveil.capture import _loglinear as loglinear
from sousveil.capture import _repeated as repeated
from sousveil.capture import _search as search
from sousveil.capture import _simple as simple
from sousveil.capture._histories import Array, Histories, to_table
from tests.capture_tables import (
    COTTONTAIL,
    HARE,
    HEPATITIS,
    HIV,
    KOSOVO,
    MADIGAN_YORK,
    NEW_ORLEANS,
    UK,
    arrow,
)


def printed(value: float, text: str) -> None:
    """Assert that a value rounds to what was printed."""
    digits = len(text.partition(".")[2])
    assert f"{value:,.{digits}f}" == text


def row_of(models: list[averaging.Model], *generators: str, lists: str) -> averaging.Model:
    names = tuple(lists.split())
    found = [m for m in models if set(loglinear.named(m.terms, names)) == set(generators)]
    assert len(found) == 1
    return found[0]


# ---- repeated counts, against Rcapture 1.4-4


@pytest.mark.parametrize(
    ("name", "n", "se", "deviance", "df", "aic", "bic"),
    [
        ("M0", "75.4", "3.5", "68.516", 61, "154.707", "159.146"),
        ("Mt", "75.1", "3.4", "58.314", 56, "154.505", "170.041"),
        ("Mh Chao", "79.8", "6.4", "58.023", 58, "150.214", "161.311"),
        ("Mth Chao", "79.6", "6.3", "47.115", 52, "151.305", "175.720"),
        ("Mth Poisson2", "81.1", "5.6", "48.137", 55, "146.327", "164.083"),
        ("Mth Darroch", "90.5", "11.7", "50.706", 55, "148.896", "166.652"),
    ],
)
def test_snowshoe_hares(
    name: str, n: str, se: str, deviance: str, df: int, aic: str, bic: str
) -> None:
    rows = capture(to_table(HARE), repeated=True).models.to_pylist()
    row = next(row for row in rows if row["terms"] == [name])
    assert row["name"] == "repeated"
    assert row["df"] == df
    for value, text in zip(
        (row["estimate"], row["se"], row["deviance"], row["aic"], row["bic"]),
        (n, se, deviance, aic, bic),
        strict=True,
    ):
        printed(value, text)


def test_snowshoe_hares_by_profile_likelihood() -> None:
    models = {one.name: one.profiles for one in repeated.models_of_histories(HARE.counts)}
    for name, texts in {
        "Mth Poisson2": ("80.1", "71.8", "93.8"),
        "Mt": ("74.3", "69.3", "82.4"),
    }.items():
        for value, text in zip(models[name], texts, strict=True):
            printed(float(value[0]), text)


def test_cottontail_rabbits() -> None:
    times = np.array(COTTONTAIL, float)
    models = {one.name: one for one in repeated.models_of_times(times, occasions=18)}
    for name, n, se in (
        ("M0", "97.2", "7.0"),
        ("Mh Chao", "130.6", "22.8"),
        ("Mh Darroch", "125.0", "15.4"),
    ):
        estimate, error = loglinear.total(models[name].fits, 76)
        printed(float(estimate[0]), n)
        printed(float(error[0]), se)
    for value, text in zip(models["Mh Chao"].profiles, ("127.8", "97.1", "191.9"), strict=True):
        printed(float(value[0]), text)
    printed(simple.lower_bound(43, 16, 76).estimate, "133.78")
    printed(simple.lower_bound(43, 16, 76, 18, corrected=True).estimate, "126.17")
    printed(simple.lower_bound(43, 16, 76, 18).estimate, "130.6")


# ---- hierarchical log-linear models, against Rcapture


def test_how_many_hierarchical_models_there_are() -> None:
    assert [sum(1 for _ in loglinear.hierarchical(k)) for k in (3, 4, 5)] == [8, 113, 6893]


def test_hiv_in_rome() -> None:
    assert HIV.observed == 1896
    models = averaging.fit_all(HIV).models
    independent = row_of(models, "1", "2", "3", "4", lists="1 2 3 4")
    for value, text in zip(
        (independent.estimate, independent.se, independent.deviance, independent.aic,
         independent.bic),
        ("11,124.6", "904.8", "13.026", "90.062", "117.800"),
        strict=True,
    ):  # fmt: skip
        printed(value, text)
    assert independent.df == 10
    pair = row_of(models, "1:2", "3", "4", lists="1 2 3 4")
    for value, text in zip(
        (pair.estimate, pair.se, pair.deviance, pair.aic, pair.centre, pair.low, pair.high),
        ("12,318.5", "1,188.7", "7.614", "86.650", "12,308", "10,266", "14,992"),
        strict=True,
    ):
        printed(value, text)
    assert pair.df == 9


def test_the_average_over_the_models_of_hiv_in_rome() -> None:
    fitted = averaging.fit_all(HIV)
    # Two of the 113 have no finite unique maximum; with all of them the figure is the same.
    assert (len(fitted.models), len(fitted.failed)) == (111, 2)
    printed(averaging.averaged(fitted.models, 1896, criterion="bic").estimate, "11,412.2")


def test_killings_in_kosovo() -> None:
    assert KOSOVO.observed == 4400
    lists = "1 2 3 4"
    models = averaging.fit_all(KOSOVO).models
    assert len(models) == 113
    independent = row_of(models, *lists.split(), lists=lists)
    printed(independent.estimate, "7,394.6")
    printed(independent.se, "129.6")
    best = min(models, key=lambda model: model.bic)
    assert best is row_of(models, "1:2:3", "1:4", "3:4", lists=lists)
    for value, text in zip(
        (best.bic, best.estimate, best.se, best.deviance, best.centre, best.low, best.high),
        ("203.03", "10,356.5", "785.9", "9.323", "10,334.5", "8,994", "12,110"),
        strict=True,
    ):
        printed(value, text)
    assert best.df == 4
    by_aic = min(models, key=lambda model: model.aic)
    assert by_aic is row_of(models, "1:2:3", "1:3:4", lists=lists)
    printed(by_aic.aic, "126.441")
    printed(by_aic.estimate, "12,741")
    printed(by_aic.se, "1,601")
    printed(averaging.averaged(models, 4400, criterion="bic").estimate, "13,183.7")


# ---- sparse tables, against SparseMSE 2.0.1


def test_slavery_in_the_uk() -> None:
    assert UK.observed == 2744
    main = search.fit_one(tuple(1 << i for i in range(6)), UK.counts)
    printed(float(loglinear.total(main, 2744)[0][0]), "12,214.0")
    for threshold in (0.05, search.ENTERS_BELOW):
        terms = search.stepwise(UK.counts, enters_below=threshold)
        assert [":".join(UK.lists[i] for i in range(6) if t >> i & 1) for t in terms[6:]] == [
            *("PF:NCA", "LA:NG", "NG:GP", "LA:PF", "PF:GP", "GO:GP"),
            "NG:GO",
        ]
    model = averaging.fit_models([terms], UK.counts).models[0]
    for value, text in zip(
        (model.estimate, model.se, model.deviance, model.aic, model.bic, model.low, model.high),
        ("11,418", "809", "22.994", "162.659", "245.499", "9,982", "13,182"),
        strict=True,
    ):
        printed(value, text)
    assert model.df == 49


def as_glm_in_r(design: Array, counts: Array) -> tuple[Array, Array]:
    """Fit a Poisson regression as R's glm does: its stopping rule, its covariance.

    It stops when the deviance changes by less than 1e-8 of itself and takes the covariance at the
    weights of the step before; on tables as sparse as this both show in the fifth digit.
    """
    mu = counts + 0.1
    eta, before = np.log(mu), np.inf
    while True:
        covariance = np.linalg.inv(design.T @ (design * mu[:, None]))
        beta = covariance @ (design.T @ (mu * (eta + (counts - mu) / mu)))
        eta = design @ beta
        mu = np.exp(eta)
        ratio = np.where(counts > 0, counts, 1) / mu
        deviance = 2 * (xlogy(counts, ratio) - (counts - mu)).sum()
        if abs(deviance - before) / (abs(deviance) + 0.1) < 1e-8:
            return beta, covariance
        before = deviance


def test_trafficking_in_new_orleans() -> None:
    assert NEW_ORLEANS.observed == 185
    counts = NEW_ORLEANS.counts
    main = tuple(1 << i for i in range(8))
    terms = search.stepwise(counts)
    assert [t for t in terms if t not in main] == [0b11000]  # D:E
    for model, texts in (
        (main, ("996.66", "644.89", "1,617.53")),
        (terms, ("1,183.69", "720.92", "2,046.06")),
    ):
        fits = search.fit_one(model, counts)
        printed(float(loglinear.total(fits, 185)[0][0]), texts[0])
        beta, covariance = as_glm_in_r(loglinear.design_of([model], 8)[0], counts[1:])
        reach = loglinear.NORMAL_95 * covariance[0, 0] ** 0.5
        for value, text in zip((-reach, reach), texts[1:], strict=True):
            printed(185 + float(np.exp(beta[0] + value)), text)
        # The interval at the true maximum: the printed one is off it in the fifth digit.
        exact = np.sqrt(fits.covariance[0, 0, 0]) * loglinear.NORMAL_95
        at_maximum = 185 + np.exp(fits.coefficients[0, 0] + np.array([-exact, exact]))
        stopped = 185 + np.exp(beta[0] + np.array([-reach, reach]))
        assert at_maximum == pytest.approx(stopped, rel=5e-5)


def test_existence_and_identifiability() -> None:
    table = arrow("100:40 010:30 001:20 110:6", "A B C")
    assert check(table, ["A:B", "A:C", "B:C"]) == 2
    assert check(table, ["A:B"]) == 1
    assert check(table, ["A:C", "B:C"]) == 0


# ---- Bayesian averages


def madigan_york_posterior(*among: decomposable.Graph) -> decomposable.Average:
    unseen = np.arange(1, 301.0)
    total = unseen + MADIGAN_YORK.observed
    a, b = 13.14, 55.17
    prior = (
        total * np.log(b) - (total + a) * np.log1p(b) + gammaln(total + a) - gammaln(total + 1)
        - gammaln(a)
    )  # fmt: skip
    # The published table is indexed with its first list changing fastest.
    counts = np.array([0, 60, 49, 4, 247, 112, 142, 12.0])
    assert (counts == MADIGAN_YORK.counts).all()
    return decomposable.average(counts, delta=1.0, log_prior=prior, unseen=unseen,
                                among=among or None)  # fmt: skip


def test_madigan_and_york() -> None:
    posterior = madigan_york_posterior()
    best = int(posterior.by_graph.argmax())
    top = madigan_york_posterior(posterior.graphs[best]).probability
    assert MADIGAN_YORK.observed == 626
    printed(float(posterior.by_graph[best]), "0.37")

    def estimate(p: Array) -> float:
        return float((p / posterior.totals).mean() / (p / posterior.totals**2).mean())

    printed(estimate(top), "731")
    assert posterior.totals[top.argmax()] == 729
    printed(estimate(posterior.probability), "731")
    assert posterior.totals[posterior.probability.argmax()] == 728
    assert (posterior.quantile(0.025), posterior.quantile(0.975)) == (682, 797)


def test_how_many_decomposable_graphs_there_are() -> None:
    # Labelled chordal graphs, A058862 of the On-Line Encyclopedia of Integer Sequences.
    assert [len(decomposable.graphs(k)) for k in range(1, 7)] == [1, 2, 8, 61, 822, 18154]


def test_decomposable_graphs_of_kosovo() -> None:
    posterior = decomposable.average(KOSOVO.counts)
    assert [posterior.quantile(q) for q in (0.5, 0.025, 0.975)] == [12595, 9827, 16544]


def joined(histories: Histories, first: str, second: str) -> Histories:
    """Return histories in which two lists are one, as the five-list table of the UK is made."""
    a, b = (histories.lists.index(name) for name in (first, second))
    others = [i for i in range(len(histories.lists)) if i not in (a, b)]
    member = histories.in_lists()
    rows = np.column_stack([member[:, a] | member[:, b], member[:, others]])
    counts = np.bincount(rows @ (1 << np.arange(rows.shape[1])), weights=histories.counts)
    return Histories((first + second, *(histories.lists[i] for i in others)), counts)


def test_decomposable_graphs_of_the_uk() -> None:
    # "dga gives 20,000-23,000": dga knows five lists at most, and those who printed it joined the
    # two that share most, PF and NCA (Silverman 2020, table UKdat_5 of SparseMSE).
    five = joined(UK, "PF", "NCA")
    assert (five.lists, five.observed) == (("PFNCA", "LA", "NG", "GO", "GP"), 2744)
    posterior = decomposable.average(five.counts)
    quantiles = [posterior.quantile(q) for q in (0.5, 0.025, 0.975)]
    assert quantiles == [22990, 10387, 33510]  # exact sums, the same on any machine
    assert 20_000 <= quantiles[0] <= 23_000
    # The prior decides: so much of a person in each cell.
    for delta, middle in ((2**-4, 21302), (2**-3, 11733)):
        assert decomposable.average(five.counts, delta=delta).quantile(0.5) == middle
    # The grid of the published script: 1,000 totals up to 40,000.
    coarse = decomposable.average(five.counts, unseen=np.linspace(0, 40_000 - 2744, 1000))
    assert 20_000 <= np.interp(0.5, np.cumsum(coarse.probability), coarse.totals) <= 23_000


def test_six_lists_of_the_uk_say_something_else_than_five() -> None:
    posterior = decomposable.average(UK.counts)
    # Two heaps, around 12,000 and 22,000. With PF and NCA apart the lower one is the likelier, so
    # what is printed for five lists does not hold for six.
    assert [posterior.quantile(q) for q in (0.5, 0.025, 0.975)] == [12315, 10233, 26195]
    lower = posterior.probability[posterior.totals < 16_000].sum()
    assert lower == pytest.approx(0.81, abs=0.005)

    def of_graph(*cliques: str) -> tuple[float, float]:
        """Return the probability of a graph, and its median."""
        wanted = {sum(1 << UK.lists.index(n) for n in c.split()) for c in cliques}
        at = next(i for i, g in enumerate(posterior.graphs) if set(g.cliques) == wanted)
        alone = decomposable.average(UK.counts, among=[posterior.graphs[at]])
        return float(posterior.by_graph[at]), alone.quantile(0.5)

    low = of_graph("LA NG GP", "LA PF GP", "GO GP", "PF NCA")
    high = of_graph("LA NG PF", "PF GO", "NG GP", "PF NCA")
    assert low == pytest.approx((0.397, 12_163), rel=0.01)
    assert high == pytest.approx((0.102, 22_291), rel=0.01)


def test_latent_classes_of_kosovo() -> None:
    # Printed: medians 10,407 to 10,599 over runs, intervals about 9,050 to 14,800. Two runs of
    # ours differ by as much as theirs, so the bounds are theirs with that difference on top.
    posterior = latent.sample(KOSOVO.counts, seed=1, thinning=20)
    middle, low, high = np.quantile(posterior.totals, [0.5, 0.025, 0.975])
    assert 10_300 <= middle <= 10_700
    assert 7_700 <= low <= 9_400
    assert 13_300 <= high <= 15_500
    assert posterior.r_hat < 1.1


# ---- formulas


def test_sample_coverage_of_hepatitis() -> None:
    # Chao, Tsay, Lin, Shau and Chao 2001 (Statistics in Medicine 20): C 51.3 %, 407, 971, 508.
    printed(simple.coverage(HEPATITIS.counts), "0.513")
    for value, text in zip(
        simple.coverage_estimates(HEPATITIS.counts), ("407", "508", "971"), strict=True
    ):
        printed(value, text)
    found = simple.sample_coverage(HEPATITIS)
    assert found is not None
    printed(found.estimate, "508")
    assert found.se == pytest.approx(44, abs=6)  # printed 40 to 48 by 200 resamples


def test_chapman_by_hand() -> None:
    lists = simple.two_lists(Histories(("a", "b"), np.array([0, 40, 50, 10.0])))
    found = simple.chapman(lists)
    assert found.estimate == pytest.approx(51 * 61 / 11 - 1)
    assert found.se**2 == pytest.approx(51 * 61 * 40 * 50 / (11**2 * 12))
    low, high = simple.log_interval(*found)
    unseen = found.estimate - 100
    factor = np.exp(loglinear.NORMAL_95 * np.sqrt(np.log(1 + found.se**2 / unseen**2)))
    assert (low, high) == pytest.approx((100 + unseen / factor, 100 + unseen * factor))


# ---- errors of linkage


@pytest.mark.parametrize(
    ("alpha", "beta", "naive", "corrected"),
    [(0.9, 0.0, 11_117, 10_005), (0.9, 0.02, 10_572, 10_009), (1.0, 0.05, 8_957, 10_003)],
)
def test_errors_of_linkage_are_corrected(
    alpha: float, beta: float, naive: float, corrected: float
) -> None:
    # The printed figures are means over simulations; so are these, with their own error.
    rng = np.random.default_rng(0)
    found = []
    for _ in range(400):
        first, second = rng.random(10_000) < 0.3, rng.random(10_000) < 0.4
        both, only = int((first & second).sum()), int((second & ~first).sum())
        linked = rng.binomial(both, alpha) + rng.binomial(only, beta)
        n1, n2 = int(first.sum()), int(second.sum())
        counts = np.array([0, n1 - linked, n2 - linked, linked], float)
        histories = Histories(("a", "b"), counts)
        plain = simple.lincoln_petersen(simple.two_lists(histories))
        mended = simple.lincoln_petersen(simple.two_lists(histories, Linkage(alpha, beta)))
        found.append((plain.estimate, mended.estimate, mended.se))
    means = np.mean(found, axis=0)
    error = np.std(found, axis=0)[:2] / np.sqrt(len(found))
    assert means[0] == pytest.approx(naive, abs=4 * error[0] + 5)
    assert means[1] == pytest.approx(corrected, abs=4 * error[1] + 5)
    assert means[2] == pytest.approx(np.std(found, axis=0)[1], rel=0.1)
