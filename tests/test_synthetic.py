"""Places made up: do they have the errors that were asked for?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sousveil import synthetic
from sousveil.records import OBSERVATIONS
from sousveil.synthetic import ListModel

METRES_PER_DEGREE = 111_195.0


@pytest.fixture(scope="module")
def town() -> pa.Table:
    return synthetic.cameras(synthetic.street_grid(blocks=12), seed=3)


def metres(table: pa.Table) -> np.ndarray:
    lat = table["lat"].to_numpy()
    return np.column_stack([table["lon"].to_numpy() * np.cos(np.radians(lat)), lat]) * (
        METRES_PER_DEGREE
    )


def truth_of(made: synthetic.Synthetic, town: pa.Table) -> pa.Table:
    """The real camera of each observation, the first where it stands for several."""
    first = pc.list_element(made.truth["cameras"], 0)
    return town.take(pc.index_in(first.combine_chunks(), town["camera"].combine_chunks()))


def test_poles_stand_as_far_apart_as_asked() -> None:
    [street] = synthetic.street_grid(blocks=1)[:1]
    poles = metres(synthetic.cameras([street], on_one_pole=[1.0]))
    gaps = np.hypot(*np.diff(poles, axis=0).T)
    assert gaps.min() > 11.9
    assert gaps.max() < 22.1


def test_the_grid_is_as_long_as_its_blocks(town: pa.Table) -> None:
    # 26 streets of 1,200 m with a pole every 17 m on average, 1.13 cameras on each.
    assert town.num_rows == pytest.approx(26 * 1200 / 17 * 1.13, rel=0.05)


def test_the_same_seed_gives_the_same_lists_and_another_does_not(town: pa.Table) -> None:
    models = [ListModel(source_id="a"), ListModel(source_id="b", sites=True)]
    first = synthetic.lists(town, models, seed=1)
    assert first.observations.equals(synthetic.lists(town, models, seed=1).observations)
    assert not first.observations.equals(synthetic.lists(town, models, seed=2).observations)


def test_a_list_stays_as_it_is_when_another_is_added(town: pa.Table) -> None:
    alone = synthetic.lists(town, [ListModel(source_id="a")])
    both = synthetic.lists(town, [ListModel(source_id="a"), ListModel(source_id="b")])
    assert both.observations.slice(0, alone.observations.num_rows).equals(alone.observations)


def test_lists_are_observations_with_one_row_of_truth_each(town: pa.Table) -> None:
    made = synthetic.lists(town, [ListModel(source_id="a", duplicated=0.1)])
    assert made.observations.schema.equals(OBSERVATIONS)
    assert made.truth.schema.equals(synthetic.TRUTH)
    assert made.truth["observation_id"].equals(made.observations["observation_id"])
    assert len(set(made.observations["observation_id"].to_pylist())) == made.truth.num_rows


@pytest.mark.parametrize("error_m", [0.0, 5.0, 20.0])
def test_positions_err_by_what_was_asked(town: pa.Table, error_m: float) -> None:
    made = synthetic.lists(town, [ListModel(source_id="a", error_m=error_m)])
    off = metres(made.observations) - metres(truth_of(made, town))
    assert off.std(axis=0) == pytest.approx([error_m] * 2, rel=0.06, abs=0.001)
    assert off.mean(axis=0) == pytest.approx([0, 0], abs=0.06 * error_m + 0.001)


def test_cameras_are_missed_and_rows_doubled_as_often_as_asked(town: pa.Table) -> None:
    made = synthetic.lists(town, [ListModel(source_id="a", missed=0.3, duplicated=0.2)])
    named = made.truth["cameras"].to_pylist()
    distinct = {cameras[0] for cameras in named}
    assert len(distinct) == pytest.approx(0.7 * town.num_rows, rel=0.05)
    assert len(named) == pytest.approx(1.2 * len(distinct), rel=0.05)


def test_attributes_are_wrong_and_unknown_as_often_as_asked(town: pa.Table) -> None:
    made = synthetic.lists(town, [ListModel(source_id="a", wrong=0.2, unknown=0.4)])
    told, really = made.observations["mount"], truth_of(made, town)["mount"]
    assert told.null_count / len(told) == pytest.approx(0.4, abs=0.04)
    # A wrong value is drawn anew, so it is right again by chance: 0.5² + 0.35² + 0.15² = 0.395.
    assert pc.mean(pc.equal(told, really)).as_py() == pytest.approx(1 - 0.2 * 0.605, abs=0.04)


def test_a_dome_has_no_bearing(town: pa.Table) -> None:
    made = synthetic.lists(town, [ListModel(source_id="a", unknown=0.0, wrong=0.0)])
    dome = pc.equal(made.observations["housing"], "dome")
    assert pc.all(pc.equal(dome, pc.is_null(made.observations["bearings"]))).as_py()


def test_sites_count_the_cameras_of_a_pole(town: pa.Table) -> None:
    made = synthetic.lists(town, [ListModel(source_id="a", sites=True, missed=0.0)])
    assert pc.sum(made.observations["count"]).as_py() == town.num_rows
    assert made.observations.num_rows == pc.count_distinct(town["pole"]).as_py()
    sizes = [len(cameras) for cameras in made.truth["cameras"].to_pylist()]
    assert sizes == made.observations["count"].to_pylist()
