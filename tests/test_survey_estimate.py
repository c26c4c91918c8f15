"""From filled forms to a total: exact cases, coverage on real streets, and bad forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sousveil.errors import UnusableInput
from sousveil.survey import _detection, _estimating, _forms, _rehearsal
from sousveil.survey._detection import Cells
from sousveil.survey._estimating import Draw, Frame, Seen
from tests.surveys import ground

NO = np.zeros(6, dtype=bool)
FRAME = Frame(
    stratum=np.array([0, 0, 0, 1, 1, 1]),
    size=np.array([50.0, 100.0, 50.0, 100.0, 100.0, 100.0]),
    points=np.arange(12.0).reshape(6, 2),
    n_strata=2,
)


def seen(*cameras: float, walked: str = "yyyyyy") -> Seen:
    there = np.array([letter == "y" for letter in walked])
    return Seen(np.array(cameras) * there, np.zeros(6), there)


def test_horvitz_and_thompson_by_hand() -> None:
    """Stratum 0: 1/0.5 + 3/1; stratum 1: 2/0.4."""
    draw = Draw(
        np.array([0.5, 1.0, 0.5, 0.4, 0.4, 0.4]), np.array([1, 1, 0, 1, 0, 0], dtype=bool), NO
    )
    found = _estimating.totals(FRAME, [draw], seen(1, 3, 9, 2, 9, 9))
    assert found.total == pytest.approx([5.0, 5.0])
    assert found.walked.tolist() == [2, 1]


def test_a_whole_count_has_no_variance() -> None:
    draw = Draw(np.ones(6), np.ones(6, dtype=bool), NO)
    found = _estimating.totals(FRAME, [draw], seen(1, 3, 0, 2, 0, 5))
    assert found.total == pytest.approx([4, 7])
    assert found.variance == pytest.approx([0, 0])


def test_stretches_not_walked_are_made_up_for_inside_their_stratum() -> None:
    """Stratum 0 lost 100 of its 200 m, so what is left counts twice."""
    draw = Draw(np.ones(6), np.ones(6, dtype=bool), NO)
    found = _estimating.totals(FRAME, [draw], seen(1, 3, 2, 2, 0, 5, walked="ynyyyy"))
    assert found.total == pytest.approx([6, 7])
    none = _estimating.totals(FRAME, [draw], seen(1, 3, 2, 2, 0, 5, walked="nnnyyy"))
    assert none.walked.tolist() == [0, 3]
    assert none.total[0] == 0


def test_the_local_variance_by_hand() -> None:
    """Two stretches, probability 1/2: 2/1 (1 - 1/2) sum of (z - mean)^2 = 2 0.5 (1 + 1)."""
    draw = Draw(np.full(6, 0.5), np.array([1, 1, 0, 0, 0, 0], dtype=bool), NO)
    found = _estimating.totals(FRAME, [draw], seen(0, 1, 9, 9, 9, 9))
    assert found.variance[0] == pytest.approx(2.0)


def test_what_was_not_walked_of_a_whole_count_is_a_random_sample_of_it() -> None:
    """All drawn, 4 of 5 walked: N^2 (1 - n/N) s^2 / n of simple random sampling, s^2 = 5/3."""
    frame = Frame(np.zeros(5, dtype=np.int64), np.ones(5), np.arange(10.0).reshape(5, 2), 1)
    draw = Draw(np.ones(5), np.ones(5, dtype=bool), np.zeros(5, dtype=bool))
    walked = np.array([1, 1, 1, 1, 0], dtype=bool)
    found = _estimating.totals(
        frame, [draw], Seen(np.array([1.0, 3, 0, 2, 0]), np.zeros(5), walked)
    )
    assert found.total[0] == pytest.approx(6 * 5 / 4)
    assert found.variance[0] == pytest.approx(25 * (1 - 4 / 5) * (5 / 3) / 4)


def test_later_draws_keep_what_earlier_ones_settled() -> None:
    """Stratum 1: first draw 2 / 0.5 = 4; second 2 settled + 5 / 0.25 = 22; averaged 1 : 1."""
    first = Draw(np.full(6, 0.5), np.array([1, 0, 0, 1, 0, 0], dtype=bool), NO)
    settled = np.array([1, 0, 0, 1, 0, 0], dtype=bool)
    second = Draw(np.full(6, 0.25), np.array([0, 1, 0, 0, 0, 1], dtype=bool), settled)
    found = _estimating.totals(FRAME, [first, second], seen(1, 3, 0, 2, 0, 5, walked="yynyny"))
    assert found.total[1] == pytest.approx((4 + 22) / 2)
    assert found.total[0] == pytest.approx((2 + 1 + 12) / 2)
    assert found.weight @ np.array([1, 3, 0, 2, 0, 5]) == pytest.approx(found.total.sum())


def test_strata_with_one_stretch_share_their_variance() -> None:
    """One of two in each stratum: 1 and 2 expanded to 2 and 4, mean 3: 2 x 0.5 (1 + 1)."""
    draw = Draw(np.full(6, 0.5), np.array([1, 0, 0, 1, 0, 0], dtype=bool), NO)
    found = _estimating.totals(FRAME, [draw], seen(1, 9, 9, 2, 9, 9))
    assert found.total == pytest.approx([2, 4])
    assert found.variance.sum() == pytest.approx(2.0)


def test_the_interval_is_log_normal_where_the_variance_is_known() -> None:
    low, high = _estimating.interval(200.0, 900.0, 0.0)
    factor = math.exp(stats.norm.ppf(0.975) * math.sqrt(math.log1p(900 / 200**2)))
    assert (low, high) == (pytest.approx(200 / factor), pytest.approx(200 * factor))


def test_two_walkers_are_lincoln_and_petersen() -> None:
    """40 and 50 seen, 30 by both, 60 different ones: Chapman's 41 x 51 / 31 - 1 = 66.5."""
    found = _detection.estimate([Cells(0, 1, 10, 20, 30)], 2, np.random.default_rng(0))
    assert found is not None
    assert found.p == pytest.approx([31 / 51, 31 / 41])
    either, draws = found.seen_by([0, 1])
    assert 60 / either == pytest.approx(41 * 51 / 31 - 1, rel=0.003)
    # Seber's variance of Chapman's estimator, 41 51 10 20 / (31^2 32): its square root is 3.69.
    seber = math.sqrt(41 * 51 * 10 * 20 / (31**2 * 32))
    spread = float(np.log(draws).std()) * 66.5
    # Less the chance of whom the two see, which is counted with the stretches: N (1 - p) / p.
    assert math.hypot(spread, math.sqrt(66.5 * (1 - either) / either)) == pytest.approx(
        seber, rel=0.15
    )


def test_cells_of_the_same_pair_are_pooled_whatever_their_order() -> None:
    random = np.random.default_rng
    whole = _detection.estimate([Cells(0, 1, 10, 20, 30)], 2, random(0))
    parts = _detection.estimate([Cells(0, 1, 4, 20, 10), Cells(1, 0, 0, 6, 20)], 2, random(0))
    assert whole is not None
    assert parts is not None
    assert parts.p == pytest.approx(whole.p)


def test_who_missed_nothing_has_an_interval_that_ends_at_all() -> None:
    found = _detection.estimate([Cells(0, 1, 4, 0, 6)], 2, np.random.default_rng(0))
    assert found is not None
    assert found.p[0] == 1
    assert 0.5 < found.p[1] < 0.8


def test_nothing_seen_by_both_tells_nothing() -> None:
    assert _detection.estimate([Cells(0, 1, 5, 6, 0)], 2, np.random.default_rng(0)) is None


def test_three_walkers_get_a_chance_each_and_a_fourth_the_mean() -> None:
    cells = [Cells(0, 1, 40, 90, 360), Cells(1, 2, 60, 70, 280), Cells(0, 2, 50, 100, 400)]
    found = _detection.estimate(cells, 4, np.random.default_rng(0))
    assert found is not None
    assert found.p[0] == pytest.approx(0.8, abs=0.02)
    assert found.p[1] == pytest.approx(0.85, abs=0.05)
    assert min(found.p[:3]) < found.p[3] < max(found.p[:3])
    assert found.draws[:, 3].std() >= 0.9 * found.draws[:, :3].std(axis=0).max()


@pytest.mark.parametrize(
    ("place", "survey"),
    [
        ("munich_2020-07", {"n": 100}),
        ("munich_2020-07", {"n": 120, "sees": (0.8, 0.7)}),
        ("helsinki_centre_2019-04", {"n": 120, "sees": (0.8, 0.7), "double": 0.5}),
        ("helsinki_centre_2019-04", {"n": 120, "skipped": 0.2}),
        ("helsinki_centre_2019-04", {"n": 80, "more": 60}),
    ],
)
def test_surveys_of_real_streets_are_unbiased_and_cover(
    shared_data: Path, place: str, survey: dict[str, float]
) -> None:
    """200 surveys of the cameras that are mapped; bench/survey.py has more, and more cases."""
    where, cameras = ground(shared_data / "osm" / f"{place}.osm.pbf")
    random = np.random.default_rng(11)
    results = [_rehearsal.rehearse(where, cameras, random=random, **survey) for _ in range(200)]
    told = [result for result in results if result is not None]
    assert len(told) >= 198
    truth = cameras.sum()
    totals = np.array([result.total for result in told])
    assert abs(totals.mean() - truth) < 3 * totals.std() / math.sqrt(len(told))
    covered = np.mean([result.low <= truth <= result.high for result in told])
    # 93 to 97 % are asked for; 200 repetitions add +- 3.1 of it.
    assert 0.9 <= covered <= 0.995


def test_without_correction_what_walkers_overlook_is_lost(shared_data: Path) -> None:
    where, cameras = ground(shared_data / "osm" / "helsinki_centre_2019-04.osm.pbf")
    random = np.random.default_rng(4)
    seen_once = random.binomial(cameras, 0.6)
    result = _rehearsal.rehearse(where, seen_once, 872, random)
    assert result is not None
    assert result.total == pytest.approx(seen_once.sum())
    assert result.high < cameras.sum()


LENGTHS = {"s1": 100.0, "s2": 80.0}


def read(tmp_path: Path, *texts: str) -> list[_forms.Entry]:
    paths = []
    for name, text in zip(("anna.csv", "ben.csv", "cleo.csv"), texts, strict=False):
        paths.append(tmp_path / name)
        paths[-1].write_text(text, encoding="utf-8")
    return _forms.read(paths, LENGTHS)


def test_forms_of_two_walkers_are_matched(tmp_path: Path) -> None:
    one = "stretch_id;cameras;positions\ns1;3;10L 40R 90l\ns2;0;\n"
    two = "Stretch ID,surveyed,cameras,positions\ns1,yes,2,18L; 95L\ns2,no,,\n"
    entries = read(tmp_path, one, two)
    assert [entry.walker for entry in entries] == ["anna", "anna", "ben"]
    (pair,) = _forms.pairs(entries)
    assert pair == _forms.Pair("s1", "anna", "ben", 1, 0, 2)


def test_what_walkers_agreed_on_stands_before_positions(tmp_path: Path) -> None:
    one = "stretch_id,cameras,both,positions\ns1,2,1,10L 40R\n"
    two = "stretch_id,cameras,both,positions\ns1,2,,10L 40R\n"
    (pair,) = _forms.pairs(read(tmp_path, one, two))
    assert (pair.only_first, pair.only_second, pair.both) == (1, 1, 1)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["stretch_id,cameras\ns9,1\n"], r"row 2, column stretch_id: 's9' is no stretch"),
        (["stretch_id,cameras\ns1,1\ns2,x\n"], "row 3, column cameras: 'x' is no number"),
        (["stretch_id,cameras\ns1,-1\n"], "row 2, column cameras: '-1' is out of range"),
        (["stretch_id,cameras\ns1,1.5\n"], "is no whole number"),
        (["stretch_id,surveyed,cameras\ns1,yes,\n"], "write 0 where the stretch has none"),
        (["stretch_id,surveyed,cameras\ns1,maybe,1\n"], "neither yes nor no"),
        (["stretch_id,surveyed,cameras\ns1,no,1\n"], "says no, but cameras were counted"),
        (["stretch_id,cameras\ns1,1\ns1,2\n"], "second count of anna"),
        (["stretch_id,cameras\ns1,\n"], "no stretch has a number of cameras"),
        (["stretch_id,cameras,positions\ns1,2,5L\n"], "names 1 for 2 cameras"),
        (["stretch_id,cameras,positions\ns1,1,left\n"], "is not understood"),
        (["stretch_id,cameras,positions\ns1,1,300L\n"], "lies beyond the 100 m"),
        (["stretch_id,cameras,both\ns1,1,2\n"], "is more than the 1 camera of"),
        (["stretch_id,cameras,both\ns1,1,1\n"], "no other form has this stretch"),
        (["stretch_id,cameras\ns1,1\n"] * 2, "write how many both saw"),
        (["stretch_id,cameras\ns1,1\n"] * 3, "more than two"),
        (
            ["stretch_id,cameras,both\ns1,2,1\n", "stretch_id,cameras,both\ns1,2,2\n"],
            r"ben.csv: row 2, column both: '2' differs from the 1 of .*anna.csv row 2",
        ),
        (["stretch_id,cameras,both\ns1,3,2\n", "stretch_id,cameras\ns1,1\n"], "but 1 here"),
        (["stretch,cameras\ns1,1\n"], "no column stretch_id"),
        (["stretch_id,cameras\ns1,1,extra\n"], "row 2: has 3 values for 2 columns"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, texts: list[str], words: str) -> None:
    with pytest.raises(UnusableInput, match=words) as caught:
        _forms.pairs(read(tmp_path, *texts))
    assert "\n" not in str(caught.value)
