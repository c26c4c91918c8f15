"""Several raters a site: the model against enumeration, and coverage where the median fails."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import sousveil
from sousveil.cli import app
from sousveil.errors import UnusableInput
from sousveil.raters import PRIORS, _model
from sousveil.raters._rehearsal import Crossings, crossings


def write(made: Crossings, path: Path) -> Path:
    """Write the crossings as a long table with the expert as a column."""
    lines = ["site,rater,count,expert"]
    for i, (reported, volunteer) in enumerate(zip(made.reported, made.volunteer, strict=True)):
        expert = "" if made.expert[i] < 0 else str(made.expert[i])
        lines += [
            f"x{i},v{who},{count},{expert}" for who, count in zip(volunteer, reported, strict=True)
        ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_totals_of_new_york_disagree_by_four() -> None:
    """Amnesty International 2022: 25,532 by borough, but by type 22,133 + 3,317 + 86."""
    by_type = 22_133 + 3_317 + 86
    assert by_type == 25_536
    assert by_type - 25_532 == 4


def published(folder: Path) -> Path:
    """Write the printed totals of New York and the check of its experts."""
    path = folder / "new_york.csv"
    path.write_text(
        "group,medians,share_low,share_high\non buildings,22133,0.24,0.46\n"
        "on street furniture,3317,0.23,1.00\nother,86,,\n"
    )
    return path


def test_printed_sums_are_corrected_by_the_printed_check(tmp_path: Path) -> None:
    """The ends of a group follow by division; those of the total by integrating a convolution."""
    answer = sousveil.raters(published(tmp_path))
    assert answer["sum_of_medians"] == 25_536
    assert answer["unchecked"] == 86
    buildings, furniture, other = answer["by"]
    assert buildings["total"]["low"] == pytest.approx(22_133 / 0.46)
    assert buildings["total"]["high"] == pytest.approx(22_133 / 0.24)
    assert furniture["total"]["estimate"] == pytest.approx(3_317 / np.sqrt(0.23 * 1.00))
    assert other["total"] == {"estimate": None, "low": 86, "high": None}

    def of(medians: int, low: float, high: float) -> stats.rv_continuous:
        sd = np.log(high / low) / (2 * stats.norm.ppf(0.975))
        return stats.lognorm(sd, scale=medians / np.sqrt(low * high))

    first, second = of(22_133, 0.24, 0.46), of(3_317, 0.23, 1.00)
    at = second.ppf((np.arange(4_000) + 0.5) / 4_000)
    for key, p in (("low", 0.025), ("estimate", 0.5), ("high", 0.975)):
        assert first.cdf(answer["total"][key] - at).mean() == pytest.approx(p, abs=0.002)


def test_the_made_up_volunteers_are_like_those_of_new_york() -> None:
    """As many crossings give about as many medians, inside the printed check of the experts."""
    made = crossings(43_406, np.random.default_rng(1))
    medians = np.median(made.reported, axis=1).sum()
    assert medians == pytest.approx(25_536, rel=0.06)
    assert 0.24 < medians / made.there.sum() < 0.46


def test_the_command_for_printed_sums(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["raters", str(published(tmp_path))])
    assert done.stdout.startswith("74,046 cameras, 95 % interval 54,736 to 100,238;")
    assert "other: 86 by medians, at least 86" in done.stdout


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,10,0.5,0.2\n", "row 2, column share_low: '0.5' and share_high are no interval"),
        ("a,10,,\n", "no group has share_low and share_high"),
        ("a,,0.2,0.5\n", "row 2, column medians: is empty"),
        ("a,10,0.2,\n", "no interval"),
    ],
)
def test_printed_sums_that_cannot_be_used(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "sums.csv"
    path.write_text("group,medians,share_low,share_high\n" + rows)
    with pytest.raises(UnusableInput, match=message):
        sousveil.raters(path)


def test_the_likelihood_is_that_of_the_model() -> None:
    """Against sums over scipy's distributions, site by site."""
    data = _model.Data(
        rater=np.array([[0, 1, 1], [0, -1, -1], [1, 1, -1], [0, 1, 1]]),
        reported=np.array([[0, 2, 1], [3, 0, 0], [0, 0, 0], [1, 0, 2]]),
        expert=np.array([-1, -1, -1, 4]),
        design=np.array([0, 0, 1, 1]),
        weight=np.ones(4),
        covariates=np.array([[1.0, 0.0], [1.0, 1.0]]),
        n_groups=2,
        most=50,
    )
    p = _model._Parameters(
        mean=np.array([0.9, 1.2]),
        dispersion=0.9,
        q=np.array([0.6, 0.35]),
        f=np.array([0.05, 0.2]),
        rho=0.15,
        phi=0.7,
    )

    def reports(group: int, y: int, m: int) -> float:
        scale = (1 - p.rho) / p.rho
        right = stats.betabinom(m, p.q[group] * scale, (1 - p.q[group]) * scale)
        x = np.arange(y + 1)
        return float((right.pmf(x) * stats.poisson(p.f[group]).pmf(y - x)).sum())

    def negative_binomial(mean: float) -> stats.rv_discrete:
        return stats.nbinom(p.dispersion, p.dispersion / (p.dispersion + mean))

    expected, cameras = [], []
    for i in range(4):
        mean = p.mean[data.design[i]]
        joint = np.zeros((51, 51))  # N x M
        there = negative_binomial(mean / p.phi).pmf(np.arange(51))
        for n in range(51) if data.expert[i] < 0 else [data.expert[i]]:
            m = np.arange(n + 1)
            joint[n, : n + 1] = there[n] * stats.binom(n, p.phi).pmf(m)
        for group, y in zip(data.rater[i], data.reported[i], strict=True):
            if group >= 0:
                joint *= np.array([reports(group, y, m) for m in range(51)])
        expected.append(np.log(joint.sum()))
        n = joint.sum(axis=1) / joint.sum()
        first = n @ np.arange(51)
        cameras.append((first, n @ np.arange(51) ** 2 - first**2))
    likely, _, _, mean_n, variance_n = _model._sums(data, p)
    assert likely == pytest.approx(expected, rel=1e-5)
    assert list(zip(mean_n, variance_n, strict=True)) == [
        pytest.approx(known, rel=1e-4, abs=1e-9) for known in cameras
    ]


def test_raters_who_see_everything_give_what_they_report(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    there = random.poisson(2.0, 150)
    path = tmp_path / "wide.csv"
    path.write_text("site,a,b\n" + "".join(f"{i},{n},{n}\n" for i, n in enumerate(there)))
    answer = sousveil.raters(path)
    assert answer["findable"]["estimate"] == pytest.approx(there.sum(), rel=0.05)
    assert answer["findable"]["low"] <= there.sum() * 1.02
    assert min(row["detection"]["estimate"] for row in answer["raters"]) > 0.93


def test_the_model_recovers_what_the_median_loses() -> None:
    """20 towns of 500 crossings with the bias of section 2: medians find 0.24 to 0.46 of it."""
    covered, shares, errors = 0, [], []
    for seed in range(20):
        random = np.random.default_rng(seed)
        made = crossings(500, random)
        data = pooled(made.reported, made.expert)
        found = _model.fit(data, random)
        low, middle, high = np.quantile(found.total, [0.025, 0.5, 0.975])
        truth = made.there.sum()
        covered += low <= truth <= high
        errors.append(middle / truth - 1)
        shares.append(np.median(made.reported, axis=1).sum() / truth)
        assert made.there.sum() > 1.5 * np.median(made.reported, axis=1).sum()
    assert covered >= 17  # of 20; at 95 % fewer than 17 have a chance of 1 in 60
    assert abs(np.mean(errors)) < 0.06
    assert 0.24 < np.mean(shares) < 0.46


def pooled(reported: np.ndarray, expert: np.ndarray) -> _model.Data:
    rows = np.column_stack([np.sort(reported, axis=1), expert])
    rows, weight = np.unique(rows, axis=0, return_counts=True)
    n = len(rows)
    return _model.Data(
        rater=np.zeros((n, reported.shape[1]), dtype=np.int64),
        reported=rows[:, :-1].copy(),
        expert=rows[:, -1].copy(),
        design=np.zeros(n, dtype=np.int64),
        weight=weight.astype(float),
        covariates=np.ones((1, 1)),
        n_groups=1,
        most=_model.most_cameras(int(rows.max())),
    )


def test_resampling_the_raters_does_not_mend_the_median() -> None:
    """As many crossings as in New York: the interval misses its own estimate, as published."""
    random = np.random.default_rng(7)
    made = crossings(43_406, random)
    again = random.integers(3, size=(60, 43_406, 3))
    medians = [
        np.median(np.take_along_axis(made.reported, drawn, axis=1), axis=1).sum() for drawn in again
    ]
    low, high = np.quantile(medians, [0.025, 0.975])
    point = np.median(made.reported, axis=1).sum()
    assert point < low
    assert made.there.sum() > 2 * high


def test_long_and_wide_tables_give_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    reported = random.binomial(random.poisson(3.0, 60)[:, None], [0.8, 0.6])
    long = "Site;Rater;Count\n" + "".join(
        f"s{i};{name};{row[j]}\n" for i, row in enumerate(reported) for j, name in enumerate("ab")
    )
    wide = "site,a,b\n" + "".join(f"s{i},{a},{b}\n" for i, (a, b) in enumerate(reported))
    (tmp_path / "long.csv").write_text(long)
    (tmp_path / "wide.csv").write_text(wide)
    first, second = (sousveil.raters(tmp_path / f"{form}.csv") for form in ("long", "wide"))
    assert first == second
    assert [row["rater"] for row in first["raters"]] == ["a", "b"]
    a, b = (row["detection"]["estimate"] for row in first["raters"])
    assert a > b
    assert first["model"]["priors"].keys() == PRIORS.keys()


def test_without_an_expert_the_total_is_at_least(tmp_path: Path) -> None:
    made = crossings(300, np.random.default_rng(3))
    path = write(made._replace(expert=np.full(300, -1)), tmp_path / "counts.csv")
    path.write_text(path.read_text().replace(",expert\n", ",\n"))
    answer = sousveil.raters(path)
    assert answer["identifiable"] == "findable"
    assert (answer["total"]["estimate"], answer["total"]["high"]) == (None, None)
    assert answer["total"]["low"] == answer["findable"]["low"] < made.there.sum()
    assert "at least" in answer["definition"]
    said = CliRunner().invoke(app, ["raters", str(path)])
    assert said.stdout.startswith("At least")


def test_the_command_with_an_expert_and_groups(tmp_path: Path) -> None:
    made = crossings(400, np.random.default_rng(5))
    path = write(made, tmp_path / "counts.csv")
    lines = path.read_text().splitlines()
    half = [f"{lines[0]},kind"] + [
        f"{line},{'busy' if int(line.split(',')[0][1:]) % 2 else 'calm'}" for line in lines[1:]
    ]
    path.write_text("\n".join(half) + "\n")
    done = CliRunner().invoke(
        app, ["raters", str(path), "--expert", "expert", "--by", "kind", "--json"]
    )
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    truth = made.there.sum()
    assert answer["total"]["low"] <= truth <= answer["total"]["high"]
    assert answer["sum_of_medians"] == np.median(made.reported, axis=1).sum()
    assert answer["expert"]["sites"] == 104
    assert answer["expert"]["cameras"] == made.there[made.expert >= 0].sum()
    by = answer["by"]
    assert [row["group"] for row in by] == ["busy", "calm"]
    assert sum(row["sites"] for row in by) == 400
    assert sum(row["total"]["estimate"] for row in by) == pytest.approx(
        answer["total"]["estimate"], rel=0.03
    )
    assert answer == sousveil.raters(path, expert="expert", by="kind")


def test_an_expert_may_be_one_of_the_raters(tmp_path: Path) -> None:
    rows = "".join(f"s{i},a,1\ns{i},b,1\ns{i},expert,2\n" for i in range(40))
    path = tmp_path / "counts.csv"
    path.write_text("site,rater,count\n" + rows)
    answer = sousveil.raters(path, expert="expert")
    assert answer["total"]["estimate"] == pytest.approx(80, abs=1)
    assert answer["expert"] == {"sites": 40, "cameras": 80, "medians_there": 40}


def test_a_covariate_moves_the_mean(tmp_path: Path) -> None:
    random = np.random.default_rng(9)
    lanes = random.integers(1, 6, 200)
    there = random.poisson(np.exp(0.4 * lanes - 1))
    reported = random.binomial(there[:, None], [0.8, 0.8])
    path = tmp_path / "counts.csv"
    path.write_text(
        "site,lanes,a,b\n"
        + "".join(f"{i},{lanes[i]},{a},{b}\n" for i, (a, b) in enumerate(reported))
    )
    answer = sousveil.raters(path, covariates=["lanes"])
    plain = sousveil.raters(path)
    found, base = (x["model"]["dispersion"]["estimate"] for x in (answer, plain))
    assert found > 2 * base  # what lanes explain is no clumping
    # The covariate column is no rater in either reading of the file.
    assert [row["rater"] for row in answer["raters"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("site,rater,count\na,x,1\nb,x,2\n", {}, "no site was counted twice"),
        ("site,rater,count\na,x,one\n", {}, "row 2, column count: 'one' is no number"),
        ("site,rater,count\na,x,1\na,x,2\n", {}, "row 3, column rater: 'x' has a second count"),
        ("site,rater,count\na,,1\n", {}, "row 2, column rater: is empty"),
        ("site,rater,count\na,x,\n", {}, "row 2, column count: is empty"),
        ("site,rater,count\n,x,1\n", {}, "row 2, column site: is empty"),
        ("site,rater,count\na,x,1.5\n", {}, "is no whole number"),
        ("site,x,y\na,1,2\na,1,2\n", {}, "row 3, column site: 'a' has a second row"),
        ("site\na\n", {}, "no rater"),
        ("site,x,y\n", {}, "holds no counts"),
        ("place,x,y\na,1,2\n", {}, "no column site"),
        ("site,x,y\na,1,2\n", {"expert": "z"}, "no column and no rater z"),
        ("site,x,y\na,1,2\n", {"by": "kind"}, "no column kind"),
        ("site,x,y,w\na,1,2,\n", {"covariates": ["w"]}, "row 2, column w: is empty"),
        ("site,rater,count,e\na,x,1,2\na,y,1,3\n", {"expert": "e"}, "differs from an earlier"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_row(
    tmp_path: Path, text: str, options: dict[str, object], words: str
) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=words) as caught:
        sousveil.raters(path, **options)
    assert "\n" not in str(caught.value)


def told(folder: Path, text: str, *options: str) -> str:
    file = folder / "counts.csv"
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["raters", str(file), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_nothing_seen_is_neither_negative_nor_surely_none(tmp_path: Path) -> None:
    table = "site,a,b\n" + "".join(f"s{i},0,0\n" for i in range(200))
    first = told(tmp_path, table, "-q").splitlines()[0]
    assert first.startswith("Nobody saw a camera at 200 sites; up to ")
    answer = sousveil.raters(tmp_path / "counts.csv")
    for key in ("total", "findable"):
        assert answer[key]["low"] >= 0
        assert np.copysign(1, answer[key]["low"]) == 1
    assert 0.1 < answer["findable"]["high"] < 60
    sums = "group,medians,share_low,share_high\non buildings,0,0.24,0.46\n"
    assert "up to 12 cannot be ruled out" in told(tmp_path, sums, "-q")
    total = sousveil.raters(tmp_path / "counts.csv")["total"]
    # The chance that none of so many is found, each with the least share, is 5 %.
    assert np.exp(-total["high"] * 0.24) == pytest.approx(0.05, rel=1e-6)


def test_what_the_expert_counted_is_there_at_least(tmp_path: Path) -> None:
    table = "site,a,b,e\n" + "".join(f"s{i},0,0,{'' if i > 9 else i % 2}\n" for i in range(60))
    told(tmp_path, table, "--expert", "e", "-q")
    assert sousveil.raters(tmp_path / "counts.csv", expert="e")["total"]["low"] >= 5


def test_a_drawn_sum_has_the_mean_and_variance_of_its_sites() -> None:
    z = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    weight, mean, variance = np.array([3.0, 2.0, 4.0]), np.array([0.1, 5, 2]), np.array([0.2, 0, 3])
    sums = np.array([_model.drawn(weight, mean, variance, one) for one in z])
    assert sums.mean() == pytest.approx(weight @ mean, rel=1e-3)
    assert sums.var() == pytest.approx(weight @ variance, rel=5e-3)
    assert sums.min() >= 10  # what has no variance is sure


def test_groups_are_told_and_text_is_no_rater(tmp_path: Path) -> None:
    made = np.random.default_rng(3).binomial(4, 0.5, (40, 2))
    table = "site,type,remark,a,b\n" + "".join(
        f"s{i},{'pole' if i % 2 else 'wall'},dark,{one},{two}\n"
        for i, (one, two) in enumerate(made)
    )
    said = told(tmp_path, table, "--by", "type")
    answer = sousveil.raters(tmp_path / "counts.csv", by="type")
    assert [row["rater"] for row in answer["raters"]] == ["a", "b"]
    assert any("remark" in warning for warning in answer["warnings"])
    for row in answer["by"]:
        assert f"{row['group']}: {row['total']['estimate']:,.0f} (" in said
        assert row["total"]["low"] <= row["total"]["estimate"] <= row["total"]["high"]
    with pytest.raises(UnusableInput, match="no column and no rater nope"):
        sousveil.raters(tmp_path / "counts.csv", expert="nope")
