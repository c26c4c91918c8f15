"""Coverage: plain geometry where all is known, and honest chance where it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely
from shapely import LineString, box

from sousveil import priors as prior_module
from sousveil import undercount as undercounts
from sousveil.coverage import (
    _draws,
    _seeing,
    _unlisted,
    _views,
    of_tables,
    read_people,
    seen_at,
    watched,
)
from sousveil.errors import UnusableInput
from sousveil.optics import blind_m, distance_m, reach_m, upper_edge_m, vfov_deg
from sousveil.records import HOMES, LEVELS, SEEN, STRETCHES, VIEWS, VISIBLE, WATCHED
from sousveil.report._coverage import living
from sousveil.sources import osm
from sousveil.sources.osm import _homes
from sousveil.visibility import obstacles
from tests import seen_towns as towns
from tests.visibility_truth import by_differences

PX = dict(zip(LEVELS, (25, 62.5, 125, 250), strict=True))


def row_of(summary: dict[str, Any], level: str, question: str = "moment", by: str = "any",
           ways: str = "streets") -> dict[str, Any]:  # fmt: skip
    return next(
        r for r in summary["seen"]
        if (r["level"], r["question"], r["by"], r["ways"]) == (level, question, by, ways)
    )  # fmt: skip


def known_town(rng: np.random.Generator, n: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    lines, houses = towns.grid()
    rows = [
        place | {"bearings": [float(rng.uniform(0, 360))], "hfov_deg": float(rng.uniform(20, 110)),
                 "pixels_h": int(rng.choice([1280, 1920, 3840])),
                 "height_m": float(rng.uniform(2.5, 7)), "last_seen": date(2026, 1, 1),
                 "operator_class": str(rng.choice(["public", "private", "unknown"]))}
        for place in towns.on_streets(rng, n)
    ]  # fmt: skip
    return towns.cameras(*rows), towns.streets(*lines), towns.buildings(*houses)


def plain_geometry(cameras: pa.Table, tilt: float = 20.0) -> dict[str, Any]:
    """Return what cameras see at each level: shadows subtracted one by one, in metres."""
    _, houses = towns.grid()
    footprints = np.array(houses, dtype=object)
    seen: dict[str, list[Any]] = {level: [] for level in LEVELS}
    for row in cameras.to_pylist():
        point = towns.PLANE.to_xy([row["lon"]], [row["lat"]])[0]
        hfov, height = row["hfov_deg"], row["height_m"]
        vertical = vfov_deg(hfov)
        near = float(blind_m(height, tilt, vertical))
        far = float(upper_edge_m(height, tilt, vertical))
        for level in LEVELS:
            reach = float(reach_m(distance_m(row["pixels_h"], hfov, PX[level]), height))
            reach = min(reach, far, 150.0)
            if reach <= near:
                continue
            region = by_differences(point, footprints, reach, row["bearings"][0], hfov)
            blind = shapely.buffer(shapely.Point(point), near, quad_segs=256)
            seen[level].append(region.difference(blind))
    return {level: shapely.union_all(shapes) for level, shapes in seen.items()}


def test_without_chance_it_is_plain_geometry(tmp_path: Path) -> None:
    cameras, streets, buildings = known_town(np.random.default_rng(3), 14)
    result = of_tables(cameras, streets, buildings, draws=0, priors=towns.prior_table(tmp_path))
    truth = plain_geometry(cameras)
    lines, _ = towns.grid()
    for level in LEVELS:
        km = sum(line.intersection(truth[level]).length for line in lines) / 1000
        for question in ("moment", "could"):
            ours = row_of(result.summary, level, question)
            assert ours["km"] == pytest.approx(km, abs=2e-4 * max(km, 1), rel=1e-3), level
            assert ours["low"] == ours["high"] == ours["share"]
    _owners_are_bounded(result, cameras)
    for column in ("probability", "could", "public", "private", "unknown"):
        assert set(np.round(result.streets[column].to_numpy(), 6)) <= {0.0, 1.0}
    _stretches_are_as_drawn(result.streets, truth)


def _owners_are_bounded(result: Any, cameras: pa.Table) -> None:
    """By geometry again: what known owners see, and what they and all of unknown owner see."""
    lines, _ = towns.grid()
    owner = np.array(cameras["operator_class"].to_pylist())
    for by, level in (("public", "detect"), ("private", "observe"), ("unknown", "detect")):
        said = row_of(result.summary, level, by=by)
        known = plain_geometry(cameras.filter(pa.array(owner == by)))[level]
        such = (owner == by) | (owner == "unknown")
        may_be = plain_geometry(cameras.filter(pa.array(such)))[level]
        km, most = (sum(line.intersection(x).length for line in lines) / 1000
                    for x in (known, may_be))  # fmt: skip
        assert said["km"] == pytest.approx(km, abs=2e-4)
        share = most / result.summary["street_km"]
        assert said["high"] == pytest.approx(share, abs=3e-4)


def _stretches_are_as_drawn(streets: pa.Table, truth: dict[str, Any]) -> None:
    for row in streets.to_pylist():
        line = towns.PLANE.flat(np.array([shapely.from_wkb(row["geometry"])]))[0]
        inside = line.intersection(truth[row["level"]]).length
        if row["probability"] > 0.5:
            assert inside > row["length_m"] - 0.1
        else:
            assert inside < 0.1


def test_draws_of_nothing_unknown_are_the_same_as_none(tmp_path: Path) -> None:
    cameras, streets, buildings = known_town(np.random.default_rng(4), 14)
    table = towns.prior_table(tmp_path)
    plain = of_tables(cameras, streets, buildings, draws=0, priors=table).summary
    drawn = of_tables(cameras, streets, buildings, draws=20, priors=table).summary
    for level in LEVELS:
        ours, theirs = row_of(drawn, level), row_of(plain, level)
        assert ours["low"] == ours["high"]
        assert ours["km"] == pytest.approx(theirs["km"], abs=0.02)  # pieces of 5 m, not cut
    assert drawn["drivers"] is None


def unknown_town(rng: np.random.Generator, n: int) -> tuple[pa.Table, pa.Table, pa.Table]:
    lines, houses = towns.grid()
    rows = [
        place | {"operator_class": str(rng.choice(["public", "private"])),
                 "housing": str(rng.choice(["fixed", "fixed", "dome", "panning"])),
                 "mount": str(rng.choice(["pole", "wall"])), "last_seen": date(2024, 1, 1)}
        for place in towns.on_streets(rng, n)
    ]  # fmt: skip
    return towns.cameras(*rows), towns.streets(*lines), towns.buildings(*houses)


def test_the_result_does_not_depend_on_the_tiling() -> None:
    town = unknown_town(np.random.default_rng(5), 25)
    made = [
        of_tables(*town, draws=50, seed=3, tile=tile, sensitivity=False,
                  undercount=undercounts.stated("1.5/1.2/2", 25))
        for tile in (5, 9, 11)
    ]  # fmt: skip
    assert made[0].streets.equals(made[1].streets)
    assert made[0].streets.equals(made[2].streets)
    assert np.array_equal(made[0].share_km, made[2].share_km)
    assert made[0].summary == made[2].summary


def test_the_seed_decides_and_nothing_else() -> None:
    town = unknown_town(np.random.default_rng(6), 15)
    one, again, other = (of_tables(*town, draws=40, seed=s, sensitivity=False) for s in (1, 1, 2))
    assert one.streets.equals(again.streets)
    assert one.summary == again.summary
    assert not one.streets.equals(other.streets)


def test_a_cameras_draws_do_not_depend_on_its_company() -> None:
    cameras, _, buildings = unknown_town(np.random.default_rng(7), 12)
    blocks = obstacles(towns.PLANE, buildings)
    table = prior_module.read()
    plan = _draws.plan(30, 5, groups=6)
    on = date(2026, 1, 1)
    all_ = _draws.draw(_views.views_of(cameras, blocks, table, on), plan)
    few = _draws.draw(_views.views_of(cameras.take([7, 2]), blocks, table, on), plan)
    for name in _draws.Drawn._fields:
        a, b = getattr(all_, name), getattr(few, name)
        axis = 1 if name == "reach_m" else 0
        assert np.array_equal(np.take(a, [7, 2], axis=axis), b), name


def test_a_camera_on_a_wall_looks_away_from_it() -> None:
    _, houses = towns.grid()
    wall = [{"x": 30.0, "y": 61.0, "mount": "wall"}, {"x": 30.0, "y": 59.0, "mount": None}]
    pole = [{"x": 30.0, "y": 61.0, "mount": "pole"}]
    blocks = obstacles(towns.PLANE, towns.buildings(*houses))
    views = _views.views_of(towns.cameras(*wall, *pole), blocks, prior_module.read())
    drawn = _draws.draw(views, _draws.plan(400, 0, groups=10))
    assert drawn.north[:2].min() > np.cos(np.radians(80)) - 1e-6  # the wall faces north
    assert drawn.north[2].min() < -0.9  # a pole may look anywhere
    assert abs(float(np.degrees(np.arctan2(drawn.east[0], drawn.north[0])).mean())) < 8


def test_what_is_drawn_has_the_priors_distribution(tmp_path: Path) -> None:
    rows = [{"x": float(i), "y": 0.0} for i in range(200)]
    table = towns.prior_table(tmp_path, hfov_deg="uniform,40 80,0.3", height_m="uniform,2 6,0")
    views = _views.views_of(towns.cameras(*rows), obstacles(towns.PLANE, towns.buildings()), table)
    drawn = _draws.draw(views, _draws.plan(500, 1, groups=500))
    hfov = np.degrees(2 * np.arccos(drawn.cos_half.astype(float)))
    assert np.quantile(hfov, [0.1, 0.5, 0.9]) == pytest.approx([44, 60, 76], abs=0.8)
    score = (hfov - 60) / 40
    together = np.corrcoef(score[:60])[np.triu_indices(60, 1)].mean()
    assert together == pytest.approx(0.29, abs=0.03)  # rank correlation of normal scores of 0.3
    bearing = np.degrees(np.arctan2(drawn.east, drawn.north)) % 360
    assert np.quantile(bearing, [0.25, 0.5, 0.75]) == pytest.approx([90, 180, 270], abs=4)


def test_the_shares_of_owners_hold_whoever_owns_the_unknown_ones() -> None:
    cameras, streets, buildings = unknown_town(np.random.default_rng(16), 30)
    rng = np.random.default_rng(0)
    hidden = np.where(rng.random(30) < 0.6, "unknown", cameras["operator_class"].to_pylist())
    place = cameras.schema.get_field_index("operator_class")
    told = cameras.set_column(place, "operator_class", pa.array(hidden.tolist()))
    really, said = (of_tables(c, streets, buildings, draws=80, sensitivity=False)
                    for c in (cameras, told))  # fmt: skip
    for by in ("public", "private"):
        true, ours = (row_of(made.summary, "detect", by=by) for made in (really, said))
        assert ours["share"] < true["share"]  # at least
        assert ours["high"] > true["high"]  # and at most
        mine, wide = (made.streets for made in (really, said))
        assert said.summary["street_km"] == really.summary["street_km"]
        # streets are joined differently, so by length
        seen = [pc.sum(pc.multiply(t[by], t["length_m"])).as_py() for t in (mine, wide)]
        most = pc.sum(pc.multiply(wide[f"{by}_high"], wide["length_m"])).as_py()
        assert seen[1] < seen[0] < most
    assert any("as if every camera of unknown owner" in note for note in said.summary["notes"])


def test_existence_fades_with_the_last_confirmation(tmp_path: Path) -> None:
    rows = [{"x": float(i), "y": 0.0, "last_seen": date(2026 - 5 * (i % 2), 1, 1)}
            for i in range(100)]  # fmt: skip
    table = towns.prior_table(tmp_path, loss_per_year="value,0.1,0")
    views = _views.views_of(towns.cameras(*rows), obstacles(towns.PLANE, towns.buildings()), table,
                            date(2026, 1, 1))  # fmt: skip
    there = _draws.draw(views, _draws.plan(400, 0, groups=1)).exists.mean(axis=1)
    assert there[::2].min() == 1.0
    assert there[1::2].mean() == pytest.approx(0.9**5, abs=0.01)


def test_a_camera_that_turns_could_see_more_than_it_sees(tmp_path: Path) -> None:
    street = towns.streets(LineString([(-100, 0), (100, 0)]))
    table = towns.prior_table(tmp_path)
    turning = towns.cameras({"x": 0.0, "y": 3.0, "housing": "panning"})
    result = of_tables(turning, street, towns.buildings(), draws=400, priors=table)
    could, moment = (row_of(result.summary, "detect", q)["km"] for q in ("could", "moment"))
    reach = np.sqrt(38.4**2 - 1.4**2)  # 1920 pixels, 90 degrees, 3 m high
    assert could == pytest.approx(2 * np.sqrt(reach**2 - 9) / 1000, abs=0.005)
    assert moment == pytest.approx(could / 4, rel=0.15)  # it looks at a quarter at a time
    still = towns.cameras({"x": 0.0, "y": 3.0, "bearings": [90.0]})
    fixed = of_tables(still, street, towns.buildings(), draws=20, priors=table).summary
    assert row_of(fixed, "detect", "could") == row_of(fixed, "detect") | {"question": "could"}


def test_indoor_cameras_and_homes_see_no_street(tmp_path: Path) -> None:
    street = towns.streets(LineString([(-100, 0), (100, 0)]))
    known = {"y": 3.0, "bearings": [90.0]}
    rows = [{"x": -20.0, "setting": "indoor"} | known, {"x": 20.0, "private_home": True} | known]
    made = of_tables(towns.cameras(*rows), street, towns.buildings(), draws=5,
                     priors=towns.prior_table(tmp_path))  # fmt: skip
    assert row_of(made.summary, "detect")["km"] == 0
    assert made.summary["cameras"]["indoor"] == 1
    assert made.summary["cameras"]["private_homes_left_out"] == 1
    assert made.visible.num_rows == 0
    assert made.views["sight"].to_pylist() == ["indoor"]
    assert any("1 camera of a private home is" in note for note in made.summary["notes"])


def test_figures_are_in_order() -> None:
    made = of_tables(*unknown_town(np.random.default_rng(8), 30), draws=100, sensitivity=False)
    table = made.streets
    assert table.schema.equals(STRETCHES)
    assert made.views.schema.equals(VIEWS)
    assert made.visible.schema.equals(VISIBLE)
    for name in ("could", "public", "private", "unknown", "expected"):
        low, value, high = (table[name + end].to_numpy() for end in ("_low", "", "_high"))
        assert np.all(low <= value + 1e-6)
        assert np.all(value <= high + 1e-6)
    probability = table["probability"].to_numpy()
    assert np.all(table["low"].to_numpy() <= probability + 1e-6)
    assert np.all(probability <= table["could"].to_numpy() + 1e-6)
    assert np.all(table["public"].to_numpy() <= probability + 1e-6)
    assert np.all(probability <= table["expected"].to_numpy() + 1e-6)
    by_level = probability.reshape(-1, len(LEVELS))
    assert np.all(np.diff(by_level, axis=1) <= 1e-6)  # what identifies also detects
    km = made.summary["street_km"]
    first = pc.equal(table["level"], "detect")
    assert pc.sum(table.filter(first)["length_m"]).as_py() == pytest.approx(km * 1000, rel=1e-6)
    expected = sum(probability.reshape(-1, 4)[:, 0] * table["length_m"].to_numpy()[::4]) / 1000
    assert row_of(made.summary, "detect")["km"] == pytest.approx(expected, rel=1e-3)


def test_watched_adds_up_to_the_expected_number() -> None:
    town = unknown_town(np.random.default_rng(9), 20)
    made = of_tables(*town, draws=60, seed=4, sensitivity=False)
    stretches, pairs = watched(*town, draws=60, seed=4)
    assert pairs.schema.equals(WATCHED)
    assert stretches["stretch_id"].to_pylist() == list(range(stretches.num_rows))
    assert stretches["length_m"].to_pylist() == made.streets["length_m"].to_pylist()[::4]
    for i, level in enumerate(LEVELS):
        mine = pairs.filter(pc.equal(pairs["level"], level))
        total = np.bincount(mine["stretch_id"].to_numpy(), mine["probability"].to_numpy(),
                            minlength=stretches.num_rows)  # fmt: skip
        assert total == pytest.approx(made.streets["expected"].to_numpy()[i::4], abs=2e-5)
        alone = np.zeros(stretches.num_rows)
        np.maximum.at(alone, mine["stretch_id"].to_numpy(), mine["probability"].to_numpy())
        assert np.all(alone <= made.streets["probability"].to_numpy()[i::4] + 1e-5)


def test_points_are_seen_by_whom_geometry_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    cameras, _, buildings = known_town(rng, 12)
    points = rng.uniform(-20, 240, (400, 2))
    lonlat = towns.PLANE.to_lonlat(points)
    table = seen_at(cameras, buildings, *lonlat.T, draws=2, priors=towns.prior_table(tmp_path))
    assert table.schema.equals(SEEN)
    ours = {(r["point"], r["camera_id"], r["level"]) for r in table.to_pylist()}
    assert set(table["probability"].to_pylist()) <= {1.0}
    wrong = n = 0
    for row in cameras.to_pylist():
        one = plain_geometry(pa.Table.from_pylist([row], schema=cameras.schema))
        for level, region in one.items():
            inside = shapely.contains_xy(region, points)
            edge = shapely.distance(shapely.boundary(region), shapely.points(points)) < 0.02
            for i in np.flatnonzero(~edge):
                wrong += ((int(i), row["camera_id"], level) in ours) != inside[i]
                n += inside[i]
    assert n > 50
    assert wrong == 0


def drawn_truth(
    rng: np.random.Generator, cameras: pa.Table, *, shared: float, loss: float
) -> pa.Table:
    """Draw what is really there from the priors of the test, by other means than the product's."""
    from scipy.stats import norm

    n = cameras.num_rows
    common = rng.standard_normal(2)
    score = np.sqrt(shared) * common[:, None] + np.sqrt(1 - shared) * rng.standard_normal((2, n))
    chance = norm.cdf(score)
    hfov, pixels = 40 + 50 * chance[0], np.where(chance[1] < 0.5, 1280, 2560)
    rows = []
    for i, row in enumerate(cameras.to_pylist()):
        age = (date(2026, 1, 1) - row["last_seen"]).days / 365.2425
        if rng.random() < (1 - loss) ** age:
            rows.append(row | {"bearings": [float(rng.uniform(0, 360))], "hfov_deg": float(hfov[i]),
                               "pixels_h": int(pixels[i]),
                               "height_m": float(rng.uniform(2, 6))})  # fmt: skip
    return pa.Table.from_pylist(rows, schema=cameras.schema)


def true_towns(
    rng: np.random.Generator,
    places: list[dict[str, float]],
    n: int,
    priors: Any,
    *,
    extra: Any = None,
) -> tuple[np.ndarray, Any, np.ndarray]:
    """Return what is really seen in n towns that differ in what lists do not say.

    All stand on one map, 600 m apart. Returns kilometres (n x levels), a tree of the stretches that
    are seen at the first level, and how far each town is moved.
    """  # fmt: skip
    lines, houses = towns.grid()
    listed = towns.cameras(*[at | {"last_seen": date(2020, 1, 1)} for at in places])
    width = int(np.ceil(np.sqrt(n)))
    shift = np.array([[600.0 * (i % width), 600.0 * (i // width)] for i in range(n)])
    rows = []
    for move in shift:
        real = drawn_truth(rng, listed, shared=0.3, loss=0.08).to_pylist()
        at = [places[int(row["camera_id"][4:])] for row in real]
        if extra is not None:
            more = extra(rng)
            new = towns.cameras(*[p | {"last_seen": date(2026, 1, 1)} for p in more])
            real += drawn_truth(rng, new, shared=0.3, loss=0.0).to_pylist()
            at += more
        known = ("bearings", "hfov_deg", "pixels_h", "height_m")
        rows += [
            {"x": p["x"] + move[0], "y": p["y"] + move[1]} | {k: row[k] for k in known}
            for p, row in zip(at, real, strict=True)
        ]  # fmt: skip

    def moved(shapes: list[Any]) -> list[Any]:
        return [shapely.transform(s, lambda xy, m=m: xy + m) for m in shift for s in shapes]

    made = of_tables(towns.cameras(*rows), towns.streets(*moved(lines)),
                     towns.buildings(*moved(houses)), draws=0, priors=priors).streets  # fmt: skip
    town = np.array([int(i[4:]) for i in made["street_id"].to_pylist()]) // len(lines)
    seen_m = made["probability"].to_numpy() * made["length_m"].to_numpy()
    km = np.zeros((n, len(LEVELS)))
    for i in range(len(LEVELS)):
        km[:, i] = np.bincount(town[i::4], seen_m[i::4], minlength=n) / 1000
    first = made.take(pa.array(np.arange(0, made.num_rows, 4)))
    first = first.filter(pc.greater(first["probability"], 0.5))
    shapes = towns.PLANE.flat(shapely.from_wkb(first["geometry"].to_numpy(zero_copy_only=False)))
    return km, shapely.STRtree(shapes), shift


def uncertain_table(folder: Path) -> Any:
    return towns.prior_table(
        folder, hfov_deg="uniform,40 90,0.3", pixels_h="choice,1280 1 2560 1,0.3",
        height_m="uniform,2 6,0", loss_per_year="value,0.08,0",
    )  # fmt: skip


def test_intervals_cover_the_truth_of_generated_places(tmp_path: Path) -> None:
    uncertain, certain = uncertain_table(tmp_path), towns.prior_table(tmp_path)
    lines, houses = towns.grid()
    held, told, found = [], [], []
    for place in range(4):
        rng = np.random.default_rng(100 + place)
        places = towns.on_streets(rng, 12)
        listed = towns.cameras(*[at | {"last_seen": date(2020, 1, 1)} for at in places])
        made = of_tables(listed, towns.streets(*lines), towns.buildings(*houses), draws=2000,
                         seed=place, priors=uncertain, on=date(2026, 1, 1),
                         sensitivity=False)  # fmt: skip
        km, tree, shift = true_towns(rng, places, 50, certain)
        for i, level in enumerate(("detect", "observe")):
            said = row_of(made.summary, level)
            share = km[:, i] / made.summary["street_km"]
            held += list((share >= said["low"] - 1e-6) & (share <= said["high"] + 1e-6))
        first = made.streets.take(pa.array(np.arange(0, made.streets.num_rows, 4)))
        line = shapely.from_wkb(first["geometry"].to_numpy(zero_copy_only=False))
        middle = shapely.get_coordinates(
            shapely.line_interpolate_point(towns.PLANE.flat(line), 0.5, normalized=True)
        )
        points = shapely.points((middle[None] + shift[:, None]).reshape(-1, 2))
        hit = np.zeros(len(points), bool)
        hit[tree.query(points, predicate="dwithin", distance=0.01)[0]] = True
        told.append(first["probability"].to_numpy())
        found.append(hit.reshape(len(shift), -1).mean(axis=0))
    assert 0.92 < np.mean(held) < 0.985  # 400 intervals of 95 %
    probability, seen = np.concatenate(told), np.concatenate(found)
    for low, high in ((0.02, 0.08), (0.08, 0.14), (0.14, 0.3)):
        mine = (probability >= low) & (probability < high)
        assert mine.sum() > 15
        # A bin's truth comes from 200 towns whose cameras are alike in part.
        assert seen[mine].mean() == pytest.approx(probability[mine].mean(), abs=0.04)


def test_what_no_list_has_is_added_by_the_undercount() -> None:
    town = unknown_town(np.random.default_rng(11), 30)
    listed = of_tables(*town, draws=100, sensitivity=False)
    more = of_tables(*town, draws=100, sensitivity=False,
                     undercount=undercounts.stated("2/1.6/2.5", 30))  # fmt: skip
    a, b = (row_of(made.summary, "detect")["km"] for made in (listed, more))
    assert 1.3 * a < b < 2.2 * a
    told = more.summary["undercount"]
    assert (told["estimate"], told["low"], told["high"]) == (2.0, 1.6, 2.5)
    assert told["unlisted"] == {"estimate": 30.0, "low": 18.0, "high": 45.0}
    assert any("at least" in note for note in listed.summary["notes"])
    assert not any("at least" in note for note in more.summary["notes"])
    assert more.views.num_rows == listed.views.num_rows  # nobody is made up one by one


def test_as_many_unlisted_cameras_as_the_undercount_says() -> None:
    cameras, streets, buildings = unknown_town(np.random.default_rng(12), 40)
    del streets
    blocks = obstacles(towns.PLANE, buildings)
    views = _views.views_of(cameras, blocks, prior_module.read())
    undercount = undercounts.stated("1.8/1.4/2.4", 40)
    plan = _draws.plan(2000, 0, groups=2000)
    at = np.random.default_rng(0).uniform(0, 200, (300, 2))
    more, unlisted = _unlisted.candidates(
        views, at, np.ones(300), np.zeros(300, np.int64), blocks, undercount, 0
    )
    number = unlisted.numbers(plan)
    # 40 listed: 16, 32 and 56 others
    many = unlisted.numbers(_draws.plan(20_000, 0, groups=20_000))
    assert np.quantile(many, [0.025, 0.5, 0.975]) == pytest.approx([16, 32, 56], abs=1)
    there = unlisted.presence(plan)
    drawn = _draws.draw(_views.concatenated(views, more), plan, there).exists[40:]
    assert drawn.sum(axis=0).tolist() == number.tolist()
    assert drawn.mean(axis=1).std() < 0.02  # each as likely as the others


def test_intervals_hold_the_truth_where_lists_find_some_cameras_more_easily(
    tmp_path: Path,
) -> None:
    certain = towns.prior_table(tmp_path, pixels_h="value,1280,0")
    held, errors, plain = [], [], []
    for seed in range(10):
        town = towns.surveyed(np.random.default_rng([seed, 2]), 220, blocks=6)
        real = of_tables(town.really, town.streets, town.buildings, draws=0, priors=certain)
        truth = row_of(real.summary, "detect")["share"]
        for missing, found in ((town.missing(), errors), (town.by_one_factor(), plain)):
            made = of_tables(town.listed, town.streets, town.buildings, draws=60, seed=seed,
                             priors=certain, sensitivity=False, undercount=missing)  # fmt: skip
            said = row_of(made.summary, "detect")
            found.append(said["share"] - truth)
            if missing.covariates:
                held.append(said["low"] <= truth <= said["high"])
    assert len(held) == 10
    assert sum(held) >= 7  # at 95 %: fewer in 1 of 1,000 such studies (binomial)
    assert abs(np.mean(errors)) < 0.6 * abs(np.mean(plain))
    assert np.mean(plain) < 0


def test_unlisted_cameras_stay_within_the_population_of_the_estimate() -> None:
    lines, houses = towns.grid(6)
    rng = np.random.default_rng(1)
    rows = [
        p | {"kind": "alpr" if p["x"] < 200 else "camera"} for p in towns.on_streets(rng, 60, 6)
    ]
    ground = shapely.from_wkb(towns.wkb(box(-50, -50, 200, 500)))
    cameras = towns.cameras(*rows)
    mine = np.array([kind == "alpr" for kind in cameras["kind"].to_pylist()])
    missing = undercounts.Missing("lists", mine / mine.sum(), int(mine.sum()), 50.0, 40.0, 60.0,
                                  ground)  # fmt: skip
    blocks = obstacles(towns.PLANE, towns.buildings(*houses))
    views = _views.views_of(cameras, blocks, prior_module.read())
    at = np.concatenate([shapely.get_coordinates(line.segmentize(5)) for line in lines])
    more, _ = _unlisted.candidates(views, at, np.ones(len(at)), np.zeros(len(at), np.int64), blocks,
                                   missing, 0)  # fmt: skip
    assert len(more.camera_id) == 110
    assert more.xy[:, 0].max() < 213  # 12 m beside a street
    assert len({more.priors["pixels_h"].rows[i].source for i in more.priors["pixels_h"].holds}) == 1


def test_without_draws_nothing_is_made_up() -> None:
    town = unknown_town(np.random.default_rng(14), 10)
    many = undercounts.stated("2/1.6/2.5", 10)
    plain = of_tables(*town, draws=0)
    made = of_tables(*town, draws=0, undercount=many)
    assert made.summary["seen"] == plain.summary["seen"]
    assert any("at least" in note for note in made.summary["notes"])


def test_many_candidates_are_drawn_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    town = unknown_town(np.random.default_rng(15), 20)
    more = undercounts.stated("2/1.6/2.5", 20)
    whole = of_tables(*town, draws=60, sensitivity=False, undercount=more)
    monkeypatch.setattr(_seeing, "_AT_ONCE", 500)
    monkeypatch.setattr(_unlisted, "_AT_ONCE", 100)
    parts = of_tables(*town, draws=60, sensitivity=False, undercount=more)
    assert whole.streets.equals(parts.streets)
    assert whole.summary == parts.summary


def test_where_only_directions_are_unknown_they_are_what_matters(tmp_path: Path) -> None:
    lines, houses = towns.grid()
    rng = np.random.default_rng(13)
    rows = [place | {"last_seen": date(2026, 1, 1)} for place in towns.on_streets(rng, 20)]
    rows += [place | {"bearings": [10.0]} for place in towns.on_streets(rng, 5)]
    made = of_tables(towns.cameras(*rows), towns.streets(*lines), towns.buildings(*houses),
                     draws=50, priors=towns.prior_table(tmp_path))  # fmt: skip
    drivers = made.summary["drivers"]
    shares = drivers["shares_of_variance"]
    assert next(iter(shares)) == "direction"
    assert shares["direction"] > 0.9
    assert sum(v for k, v in shares.items() if k != "direction") < 0.05
    assert drivers["sentence"].startswith("Not knowing directions costs most")
    assert "would halve the interval" in drivers["sentence"]
    assert 3 <= len(drivers["cameras_to_map"]) <= 20
    assert drivers["width_once_mapped"] <= 0.5
    unknown = {f"cam-{i}" for i in range(20)}
    assert set(drivers["cameras_to_map"]) <= unknown


def test_mapping_the_cameras_named_halves_the_interval(tmp_path: Path) -> None:
    """By doing it: these cameras get true directions, drawn here, and the rest is run again."""
    lines, houses = towns.grid()
    rng = np.random.default_rng(21)
    rows = [at | {"last_seen": date(2026, 1, 1)} for at in towns.on_streets(rng, 24)]
    table = towns.prior_table(tmp_path, height_m="uniform,2 6,0")
    town = towns.streets(*lines), towns.buildings(*houses)

    def width(rows: list[dict[str, Any]], *, ask: bool) -> tuple[float, dict[str, Any]]:
        made = of_tables(towns.cameras(*rows), *town, draws=600, priors=table, sensitivity=ask)
        said = row_of(made.summary, "detect")
        return said["high"] - said["low"], made.summary["drivers"]

    before, drivers = width(rows, ask=True)
    assert drivers["to_map"] == "direction"
    assert drivers["directions"]["cameras_to_map"] == drivers["cameras_to_map"]
    chosen = {int(name[4:]) for name in drivers["cameras_to_map"]}
    assert 5 <= len(chosen) < 24

    def after(of: set[int]) -> float:
        """Return the width once the directions of some are mapped: the mean of eight truths."""
        ways = []
        for truth in rng.uniform(0, 360, (8, len(rows))):
            known = [row | ({"bearings": [float(b)]} if i in of else {})
                     for i, (row, b) in enumerate(zip(rows, truth, strict=True))]  # fmt: skip
            ways.append(width(known, ask=False)[0])
        return float(np.mean(ways))

    assert after(chosen) / before == pytest.approx(drivers["width_once_mapped"], abs=0.1)
    assert after(chosen) / before < 0.6
    others = set(range(24)) - chosen
    if len(others) >= len(chosen) // 2:  # as many of the others do less
        assert after(set(sorted(others)[: len(chosen)])) > after(chosen)


def test_what_directions_would_give_is_said_where_something_else_matters_more(
    tmp_path: Path,
) -> None:
    lines, houses = towns.grid()
    rows: list[dict[str, Any]] = [
        {**at, "last_seen": date(2026, 1, 1)} | ({} if i < 4 else {"bearings": [37.0 * i % 360]})
        for i, at in enumerate(towns.on_streets(np.random.default_rng(22), 20))
    ]
    table = towns.prior_table(tmp_path, height_m="uniform,2 35,0", tilt_deg="uniform,5 65,0.5")
    made = of_tables(towns.cameras(*rows), towns.streets(*lines), towns.buildings(*houses),
                     draws=60, priors=table)  # fmt: skip
    drivers = made.summary["drivers"]
    assert drivers["to_map"] == "height and tilt"
    assert set(drivers["directions"]["cameras_to_map"]) <= {f"cam-{i}" for i in range(4)}
    assert drivers["directions"]["cameras_where_unknown"] == 4
    assert drivers["sentence"].count(". Mapping the directions of ") == 1


def test_homes_are_counted_at_their_doorstep(tmp_path: Path) -> None:
    street = towns.streets(LineString([(-200, 0), (200, 0)]))
    houses = towns.buildings(box(-15, 8, 15, 18), box(150, 8, 180, 18))
    known = {"x": 20.0, "y": 0.0, "bearings": [270.0], "height_m": 3.0}
    made = of_tables(towns.cameras(known), street, houses, draws=0, population=100,
                     priors=towns.prior_table(tmp_path))  # fmt: skip
    homes = made.summary["homes"]
    assert homes["basis"] == "floor area"
    assert homes["share_at_a_seen_place"]["moment"]["detect"] == pytest.approx(0.5)
    assert homes["people"]["moment"]["detect"] == 50
    (said,) = living(made.summary)
    assert said == (
        "Of the floor area of houses that people live in **50.0%** lie at a street where somebody "
        "at the door could be seen, about 50 people."
    )
    assert "about 50 people" in made.to_html()


def lived_in(tmp_path: Path, **how: Any) -> dict[str, Any]:
    """Return the summary of a street with two houses of 300 m2, of which one is before a camera."""
    street = towns.streets(LineString([(-200, 0), (200, 0)]))
    houses = towns.buildings(box(-15, 8, 15, 18), box(150, 8, 180, 18))
    known = {"x": 20.0, "y": 0.0, "bearings": [270.0], "height_m": 3.0}
    return of_tables(towns.cameras(known), street, houses, draws=0, **how,
                     priors=towns.prior_table(tmp_path)).summary  # fmt: skip


def homes(*rows: tuple[str, float, float, int | None, bool]) -> pa.Table:
    named = [towns.PLANE.to_lonlat(np.array([[x, y]]))[0] for _, x, y, _, _ in rows]
    return pa.Table.from_pylist(
        [{"home_id": name, "lon": at[0], "lat": at[1], "flats": n, "address": a}
         for (name, _, _, n, a), at in zip(rows, named, strict=True)], schema=HOMES
    )  # fmt: skip


def test_flats_count_where_they_are_tagged(tmp_path: Path) -> None:
    # way/b0 is seen and says 12 flats; way/b1 has two entrances of 2 and 1; one flat stands alone
    table = homes(("way/b0", 0, 13, 12, False), ("node/1", 160, 10, 2, True),
                  ("node/2", 170, 10, 1, True), ("node/3", -100, 5, 5, True))  # fmt: skip
    told = lived_in(tmp_path, dwellings=table)["homes"]
    assert told["basis"] == "flats"
    assert told["flats_tagged"] == {"buildings": 3, "flats": 20}
    assert told["share_at_a_seen_place"]["moment"]["detect"] == pytest.approx(12 / 20)
    # half of the floor area named: the other house has as many for its area
    half = lived_in(tmp_path, dwellings=table.slice(0, 1))["homes"]
    assert half["basis"] == "flats"
    assert half["share_at_a_seen_place"]["moment"]["detect"] == pytest.approx(12 / 24)


def test_addresses_count_where_there_are_no_flats(tmp_path: Path) -> None:
    table = homes(("node/1", 0, 10, None, True), ("node/2", 160, 10, None, True),
                  ("node/3", 165, 10, None, True), ("node/4", 165, 90, None, True))  # fmt: skip
    told = lived_in(tmp_path, dwellings=table)["homes"]
    assert (told["basis"], told["addresses"]) == ("addresses", 4)
    assert told["placed"] == pytest.approx(3 / 4)  # one is 90 m off every street
    assert told["share_at_a_seen_place"]["moment"]["detect"] == pytest.approx(1 / 3)


def test_people_of_a_file_live_in_the_dwellings_of_their_cell(tmp_path: Path) -> None:
    cell = shapely.from_wkb(towns.wkb(box(-50, -50, 200, 50)))
    empty = shapely.from_wkb(towns.wkb(box(-20, -20, 20, 5)))
    far = shapely.from_wkb(towns.wkb(box(900, 900, 920, 920)))
    shapes = [(cell, 60), (empty, 10), (far, 30)]
    features = [{"type": "Feature", "properties": {"POPULATION": n, "id": i},
                 "geometry": json.loads(shapely.to_geojson(shape))}
                for i, (shape, n) in enumerate(shapes)]  # fmt: skip
    path = tmp_path / "grid.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    told = lived_in(tmp_path, people=read_people(path))["residents"]
    assert (told["file"], told["column"], told["people"]) == ("grid.geojson", "POPULATION", 100)
    assert told["placed"] == 70
    # 30 of the two houses are at the seen one, and 10 at the place before it
    assert told["seen"]["moment"]["detect"] == 40
    assert told["seen_low"]["moment"]["detect"] == 40
    (lon, lat), *_ = towns.PLANE.to_lonlat(np.array([[0.0, 2.0]])).tolist()
    points = tmp_path / "points.csv"
    points.write_text(f"lon,lat,who\n{lon},{lat},7\n")
    told = lived_in(tmp_path, people=read_people(points, "who"))["residents"]
    assert told["seen"]["moment"]["detect"] == 7
    for file, said in ((points, "no column"), (tmp_path / "no.csv", "cannot be read"),
                       (tmp_path / "no.gpkg", "cannot be read")):  # fmt: skip
        with pytest.raises(UnusableInput, match=f"^--residents .*{said}"):
            read_people(file)


@pytest.mark.parametrize(
    ("text", "n"), [("12", 1), ("1-12", 12), ("1;2;5-7", 5), ("A;B", 2), ("", None), ("7-3", 1)]
)
def test_flats_that_an_entrance_names(text: str, n: int | None) -> None:
    assert _homes.flats(text) == n


def test_homes_of_a_file(tmp_path: Path) -> None:
    tags = [{"building": "apartments", "building:flats": "9"}, {"addr:housenumber": "3"},
            {"addr:housenumber": "5", "shop": "bakery"},
            {"addr:housenumber": "7", "addr:flats": "1-4"}]  # fmt: skip
    nodes = "".join(
        f'<node id="{i}" lat="48.0" lon="11.{i}" version="1" timestamp="2026-01-01T00:00:00Z">'
        + "".join(f'<tag k="{k}" v="{v}"/>' for k, v in one.items()) + "</node>"
        for i, one in enumerate(tags, 1)
    )  # fmt: skip
    (tmp_path / "town.osm").write_text(f'<osm version="0.6">{nodes}</osm>', encoding="utf-8")
    elements = [{"type": "node", "id": i, "lat": 48.0, "lon": 11 + i / 10, "tags": one}
                for i, one in enumerate(tags, 1)]  # fmt: skip
    (tmp_path / "town.json").write_text(json.dumps({"elements": elements}), encoding="utf-8")
    for file in ("town.osm", "town.json"):
        found = osm.read_homes(tmp_path / file)
        assert found.schema == HOMES
        assert found["home_id"].to_pylist() == ["node/1", "node/2", "node/4"]
        assert found["flats"].to_pylist() == [9, None, 4]
        assert found["address"].to_pylist() == [False, True, True]


MAP = """<osm version="0.6">
<bounds minlat="48.0" minlon="11.0" maxlat="48.01" maxlon="11.01"/>
<node id="1" lat="48.001" lon="11.001" version="1" timestamp="2026-01-01T00:00:00Z">
 <tag k="man_made" v="surveillance"/><tag k="camera:direction" v="90"/>
 <tag k="surveillance" v="public"/><tag k="camera:type" v="fixed"/>
 <tag k="operator" v="Polizei"/></node>
<node id="5" lat="48.0012" lon="11.003" version="1" timestamp="2025-01-01T00:00:00Z">
 <tag k="man_made" v="surveillance"/><tag k="surveillance" v="public"/></node>
<node id="2" lat="48.001" lon="11.0" version="1" timestamp="2026-01-01T00:00:00Z"/>
<node id="3" lat="48.001" lon="11.005" version="1" timestamp="2026-01-01T00:00:00Z"/>
<way id="4" version="1" timestamp="2026-01-01T00:00:00Z"><nd ref="2"/><nd ref="3"/>
 <tag k="highway" v="residential"/><tag k="name" v="A &lt;b&gt; Street"/></way>
</osm>
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sousveil", "coverage", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_writes_what_it_promises(tmp_path: Path) -> None:
    (tmp_path / "town.osm").write_text(MAP, encoding="utf-8")
    out = tmp_path / "out"
    done = run(tmp_path / "town.osm", "-o", out, "--draws", "60", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    summary = json.loads(done.stdout)
    assert summary["street_km"] == pytest.approx(0.373, abs=0.01)
    assert {Path(f).name for f in summary["files"].values()} == {f.name for f in out.iterdir()}
    streets = pq.read_table(out / "streets.parquet")
    assert set(STRETCHES.names) <= set(streets.column_names)
    assert b"geo" in streets.schema.metadata
    visible = pq.read_table(out / "visible.parquet")
    assert {"camera_id", "view", "level", "geometry", "area_m2"} <= set(visible.column_names)
    assert pq.read_table(out / "views.parquet").num_rows == 2
    assert (out / "coverage.png").read_bytes()[:4] == b"\x89PNG"
    page = (out / "coverage.html").read_text(encoding="utf-8")
    assert "A &lt;b&gt; Street" in page
    assert "<b> Street" not in page
    assert "default-src &#39;none&#39;" in page
    assert "OpenStreetMap" in (out / "ATTRIBUTION.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--radius", "0"], "--radius 0"),
        (["--radius", "9999"], "--radius 9999"),
        (["--draws", "-1"], "--draws -1"),
        (["--undercount", "3"], "--undercount 3"),
        (["--priors", "none.csv"], "none.csv"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "town.osm").write_text(MAP, encoding="utf-8")
    done = run(tmp_path / "town.osm", "-o", tmp_path / "out", "--quiet", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_place_without_cameras_or_streets(tmp_path: Path) -> None:
    lines, houses = towns.grid()
    nobody = towns.cameras()
    made = of_tables(nobody, towns.streets(*lines), towns.buildings(*houses), draws=20)
    assert row_of(made.summary, "detect")["share"] == 0
    assert made.streets["probability"].to_pylist() == [0.0] * made.streets.num_rows
    made.write(tmp_path / "empty")
    somebody = towns.cameras({"x": 0.0, "y": 0.0})
    made = of_tables(somebody, towns.streets(), towns.buildings(), draws=20)
    assert made.streets.num_rows == 0
    assert made.summary["street_km"] == 0
    made.write(tmp_path / "streetless")
    assert seen_at(nobody, towns.buildings(), [11.0], [48.0]).num_rows == 0
    assert seen_at(somebody, towns.buildings(), [], []).num_rows == 0
