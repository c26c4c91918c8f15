"""Exposure: exact cases, the draws looked through by hand, intervals that hold, and no network."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely
from typer.testing import CliRunner

import sousveil as sv
from sousveil import track as tracks
from sousveil import undercount as undercounts
from sousveil.cli import app
from sousveil.coverage import seen_at
from sousveil.errors import UnusableInput
from sousveil.exposure import FILES, Exposure, _along, _totals, _ways
from sousveil.exposure._register import register_of
from sousveil.records import LEVELS, MOMENTS, PASSES, WATCHFUL, WAYS
from sousveil.report.exposure import sentences
from sousveil.visibility import plane_around
from tests.osm_files import CAMERA, node, way, write
from tests.towns import BLOCKS, SOUTH, STEP, WEST, small_town
from tests.tracks import gpx


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "town.osm.pbf")


def along_street(path: Path, *, row: int = 2, timed: bool = True) -> Path:
    """Write a walk from west to east along one of the town's streets, a point every 2 m."""
    lon = np.linspace(WEST + 0.0002, WEST + (BLOCKS - 0.2) * STEP, 160)
    lat = np.full(len(lon), SOUTH + row * STEP)
    return gpx(path, np.column_stack([lon, lat]), 1.5 * np.arange(len(lon)) if timed else None)


@pytest.fixture(scope="module")
def walked(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Exposure:
    return sv.exposure(along_street(tmp_path_factory.mktemp("way") / "way.gpx"), town)


def test_tables_are_those_that_the_records_name(walked: Exposure) -> None:
    assert walked.moments.schema.names == MOMENTS.names
    assert walked.passes.schema == PASSES
    assert walked.watchful.schema == WATCHFUL
    assert walked.watchful.num_rows == walked.moments.num_rows * len(LEVELS)


def test_moments_are_seen_as_coverage_sees_their_places(walked: Exposure, town: Path) -> None:
    there = register_of(town, on=None, progress=lambda _: None)
    where = _along.places(walked.moments)
    seen = seen_at(walked.cameras, there.buildings, where.lon, where.lat, streets=there.streets,
                   on=there.on)  # fmt: skip
    for level in LEVELS:
        rows = seen.filter(pc.equal(seen["level"], level))
        none = np.ones(len(where.lon))
        for point, p in zip(
            rows["point"].to_pylist(), rows["probability"].to_pylist(), strict=True
        ):
            none[point] *= 1.0 - p
        told = walked.watchful.filter(pc.equal(walked.watchful["level"], level))
        assert np.allclose(told["probability"], 1.0 - none[where.of], atol=1e-6)


def test_a_pass_is_what_its_draws_say_moment_by_moment(walked: Exposure, town: Path) -> None:
    """Look through every draw of every pass by hand, in plain loops over the drawn values."""
    there = register_of(town, on=None, progress=lambda _: None)
    where = _along.places(walked.moments)
    seen = _look(walked.cameras, there, where)
    pairs = _along.pairs(seen, where)
    number = _along._numbered(pairs, walked.moments)
    d = seen.drawn
    firsts = walked.passes.filter(pc.equal(walked.passes["level"], "detect")).to_pylist()
    assert len(firsts) > 5
    for row in firsts[:8]:
        hit = np.zeros(seen.n_draws, bool)
        for pair in np.unique(pairs.sighting[number == row["pass"]]):
            camera = seen.drawn_camera[pair]
            dx, dy = seen.offset[pair]
            g = np.hypot(dx, dy)
            for v in range(seen.first_view[camera], seen.first_view[camera + 1]):
                cosine = (d.east[v] * dx + d.north[v] * dy) / g
                inside = (g <= d.reach_m[0, v]) & (g >= d.blind_m[v]) & (g <= d.upper_m[v])
                hit |= inside & (cosine >= d.cos_half[v]) & d.exists[camera]
        assert row["probability"] == pytest.approx(hit.mean(), abs=0.011)


def _look(cameras: pa.Table, there: Any, where: _along.Places) -> Any:
    from sousveil.coverage import sightings

    return sightings(cameras, there.buildings, where.lon, where.lat, streets=there.streets,
                     on=there.on)  # fmt: skip


def test_a_pass_is_likelier_than_its_moments_and_less_than_what_could_be(walked: Exposure) -> None:
    probability, could = walked.passes["probability"].to_numpy(), walked.passes["could"].to_numpy()
    assert np.all(probability <= could)
    assert could.max() > 0.2
    by_level = {level: walked.passes.filter(pc.equal(walked.passes["level"], level))
                for level in LEVELS}  # fmt: skip
    for wide, narrow in pairwise(LEVELS):
        outer = dict(zip(by_level[wide]["pass"].to_pylist(),
                         by_level[wide]["probability"].to_pylist(), strict=True))  # fmt: skip
        for row in by_level[narrow].to_pylist():
            assert row["probability"] <= outer[row["pass"]]


def single(path: Path, **tags: str) -> Path:
    """Write one long street to the east, and a camera 12 m north of its middle."""
    stated = {"camera:type": "fixed", "height": "3", "camera:fov": "60"} | tags
    return write(
        path,
        node(1, WEST, SOUTH),
        node(2, WEST + 6 * STEP, SOUTH),
        node(9, WEST + 3 * STEP, SOUTH + 12 / 111_320, tags=CAMERA | stated),
        way(1, [1, 2], tags={"highway": "residential", "name": "Katu"}),
    )


def long_walk(path: Path) -> Path:
    lon = np.linspace(WEST, WEST + 6 * STEP, 167)
    return gpx(path, np.column_stack([lon, np.full(len(lon), SOUTH)]), 1.5 * np.arange(len(lon)))


def test_a_camera_that_looks_away_sees_nobody(tmp_path: Path) -> None:
    source = single(tmp_path / "a.osm.pbf", **{"camera:direction": "0"})
    found = sv.exposure(long_walk(tmp_path / "way.gpx"), source)
    assert found.passes.num_rows == 0
    assert found.summary["cameras"]["detect"]["could"] == 0
    assert len(found.summary["unseen"]) == 1
    assert found.summary["unseen"][0]["streets"] == ["Katu"]


def test_a_camera_that_looks_at_the_street_sees_what_lies_in_its_angle(tmp_path: Path) -> None:
    source = single(tmp_path / "b.osm.pbf", **{"camera:direction": "180"})
    found = sv.exposure(long_walk(tmp_path / "way.gpx"), source)
    first = found.passes.filter(pc.equal(found.passes["level"], "detect")).to_pylist()
    assert len(first) == 1
    where = found.moments.to_pylist()
    seen = [m for m in where if first[0]["start_s"] <= m["start_s"] < first[0]["end_s"]]
    plane = plane_around([WEST], [SOUTH])
    lon, lat = first[0]["lon"], first[0]["lat"]
    camera = plane.to_xy([lon], [lat])[0]
    xy = plane.to_xy([m["lon"] for m in seen], [m["lat"] for m in seen]) - camera
    aside = np.degrees(np.arctan2(np.abs(xy[:, 0]), -xy[:, 1]))
    assert aside.max() <= 30.5  # 60 degrees of view, half on each side
    assert aside.max() > 20
    assert first[0]["probability"] > 0.5
    assert first[0]["start"].astimezone().tzinfo is not None


def test_nobodys_home_is_named_or_shown(tmp_path: Path) -> None:
    source = single(tmp_path / "c.osm.pbf", **{"camera:direction": "180",
                    "surveillance:zone": "home", "operator": "Matti Meikäläinen"})  # fmt: skip
    found = sv.exposure(long_walk(tmp_path / "way.gpx"), source).write(tmp_path / "o")
    if not any(found.cameras["private_home"].to_pylist()):
        pytest.fail("the reader no longer takes this for a home: choose other tags")
    row = found.passes.to_pylist()[0]
    assert row["camera_id"] == "home-1"
    assert [row[k] for k in ("lon", "lat", "operator")] == [None] * 3
    assert found.summary["operators"][0]["private_homes"] is True
    told = "".join(p.read_text(errors="ignore") for p in (tmp_path / "o").rglob("*") if p.is_file())
    assert "Meikäläinen" not in told
    assert 'class="dot' not in (tmp_path / "o" / "report.html").read_text()


def simulated(rng: np.random.Generator, n: int, draws: int) -> Any:
    """Draw cameras that share an unknown: one common chance a draw, as their survival does."""
    base = rng.uniform(0.05, 0.6, n)
    common = rng.beta(12, 4, draws)
    sees = rng.random((n, draws)) < base[:, None] * common[None, :]
    return base, sees


def test_intervals_hold_what_they_promise() -> None:
    rng = np.random.default_rng(11)
    cameras = pa.table({"operator_class": ["public"] * 20})
    more = undercounts.stated("1.8/1.4/2.6", 20)
    inside, inside_all, runs = 0, 0, 300
    for run in range(runs):
        base, sees = simulated(rng, 20, 200)
        best = np.zeros((20, 2, 200), np.uint8)
        best[:, 0] = best[:, 1] = sees
        told = _totals.cameras_by_level(
            _along.Tally(np.arange(20), np.zeros(20, np.int64), best), cameras, more, seed=run
        )["detect"]
        truth = int((rng.random(20) < base * rng.beta(12, 4)).sum())
        inside += told["low"] <= truth <= told["high"]
        more_each = 0.8 * np.exp(np.log(2) / 1.96 * rng.standard_normal())
        others = rng.poisson(more_each * (base * 0.75).sum())
        inside_all += told["all"]["low"] <= truth + others <= told["all"]["high"]
    assert 0.93 <= inside / runs <= 1.0
    assert 0.93 <= inside_all / runs <= 1.0


def test_a_camera_passed_twice_counts_once() -> None:
    best = np.zeros((2, 2, 4), np.uint8)
    best[0, :] = [1, 0, 0, 4]
    best[1, :] = [0, 2, 0, 4]
    tally = _along.Tally(np.array([0, 0]), np.zeros(2, np.int64), best)
    cameras = pa.table({"operator_class": ["private"]})
    told = _totals.cameras_by_level(tally, cameras, None, seed=0)
    assert told["detect"]["expected"] == 0.75
    assert told["observe"]["expected"] == 0.5
    assert told["identify"]["expected"] == 0.25
    assert told["detect"]["by_operator_class"]["private"]["could"] == 1
    assert told["detect"]["all"] is None


def test_time_is_the_sum_of_its_moments(walked: Exposure) -> None:
    told = walked.summary["time"]
    length = walked.moments["end_s"].to_numpy() - walked.moments["start_s"].to_numpy()
    assert told["known_s"] == 238  # a point every 1.5 s, written in whole seconds
    seen = walked.watchful.filter(pc.equal(walked.watchful["level"], "detect"))
    assert told["detect"]["seen_s"] == pytest.approx(
        (length * seen["probability"].to_numpy()).sum()
    )
    unseen = sum(one["end_s"] - one["start_s"] for one in walked.summary["unseen"])
    assert unseen == pytest.approx(length[seen["could"].to_numpy() == 0].sum())


def test_the_parts_of_the_time_sum_to_the_whole(walked: Exposure, planned: Exposure) -> None:
    for found in (walked, planned):
        parts = dict(found.summary["parts"])
        total = parts.pop("total_s")
        assert sum(parts.values()) == total
        moments = found.moments.filter(pc.equal(found.moments["way"], 0))
        seen = found.watchful.filter(
            pc.and_(pc.equal(found.watchful["level"], "detect"), pc.equal(found.watchful["way"], 0))
        ).to_pylist()
        by_hand = {"likely_s": 0.0, "possible_s": 0.0, "none_s": 0.0}
        for moment, row in zip(moments.to_pylist(), seen, strict=True):
            name = "possible_s" if row["could"] > 0 else "none_s"
            name = "likely_s" if row["probability"] >= 0.5 else name
            by_hand[name] += moment["end_s"] - moment["start_s"]
        assert total == round(sum(by_hand.values()))
        for name, seconds in by_hand.items():
            assert abs(parts[name] - seconds) < 1, name
        unseen = sum(one["end_s"] - one["start_s"] for one in found.summary["unseen"])
        assert abs(parts["none_s"] - unseen) < 1


def parts_of(lengths: list[float], chances: list[tuple[float, float, bool]], whole_s: float) -> Any:
    """Divide a made-up way; a chance is (seen, could, inside what is mapped)."""
    end = np.cumsum(lengths)
    moments = pa.table(
        {"start_s": end - lengths, "end_s": end, "covered": [inside for _, _, inside in chances]}
    )
    rows = len(LEVELS) * [None]
    watchful = pa.table(
        {
            "probability": [p for p, _, _ in chances for _ in rows],
            "could": [c for _, c, _ in chances for _ in rows],
        }
    )
    return _totals.parts(watchful, moments, whole_s, "detect")


def test_parts_sum_whatever_the_fractions_are() -> None:
    told = parts_of([10.0, 20.0, 30.0, 40.0],
                    [(0.5, 1.0, True), (0.49, 0.5, True), (0.0, 0.0, True), (0.9, 1.0, False)],
                    111.0)  # fmt: skip
    assert told == {"likely_s": 10, "possible_s": 20, "none_s": 30, "outside_s": 40,
                    "silent_s": 11, "total_s": 111}  # fmt: skip
    thirds = parts_of([1 / 3] * 3, [(0.6, 1, True), (0.1, 1, True), (0, 0, True)], 1.0)
    assert sum(thirds.values()) - thirds["total_s"] == thirds["total_s"] == 1
    rng = np.random.default_rng(5)
    for _ in range(200):
        n = int(rng.integers(1, 30))
        chances = [(float(p), float(max(p, c)), bool(k)) for p, c, k in
                   zip(rng.random(n), rng.integers(0, 2, n) * rng.random(n),
                       rng.random(n) < 0.8, strict=True)]  # fmt: skip
        lengths = rng.exponential(3.0, n).tolist()
        whole_s = sum(lengths) + float(rng.integers(0, 2) * rng.exponential(50.0))
        told = parts_of(lengths, chances, whole_s)
        assert sum(told.values()) == 2 * told["total_s"]
        assert told["total_s"] == round(whole_s)


def test_operators_are_those_of_the_cameras_that_could(walked: Exposure, planned: Exposure) -> None:
    for found in (walked, planned):
        rows = found.summary["operators"]
        told = found.summary["cameras"]["detect"]
        assert sum(one["cameras"] for one in rows) == told["could"] > 0
        names = [one["operator"] for one in rows if one["named"]]
        assert len(names) == len(set(names)) == found.summary["named_operators"]
        assert all(one["operator"] is None for one in rows if not one["named"])


def test_an_operator_is_one_row_whatever_its_cameras_say() -> None:
    best = np.zeros((5, 2, 100), np.uint8)
    best[:, 1] = 1
    best[0, 0, :50] = 1
    best[4, 1, 4:] = 0  # could in 4 of 100 draws: under what is told
    raw = json.dumps({"operator:email": "post@town.example"})
    cameras = pa.table(
        {
            "operator": ["Town", "Town", "Town", None, "Never"],
            "operator_class": ["unknown", "public", "public", "private", "private"],
            "private_home": [False, False, False, True, False],
            "retention_days": pa.array([None, 3.0, 2.0, None, 1.0], pa.float64()),
            "raw": [None, raw, None, None, None],
        }
    )
    tally = _along.Tally(np.arange(5), np.zeros(5, np.int64), best)
    town, home = _totals.operators(tally, cameras)
    assert (town["operator"], town["operator_class"], town["cameras"]) == ("Town", "public", 3)
    assert (town["expected"], town["passes"], town["retention_days"]) == (0.5, 3, 2.0)
    assert town["contact"] == {"email": "post@town.example"}
    assert (home["operator"], home["private_homes"], home["contact"]) == (None, True, {})


def test_the_same_seed_gives_the_same_result(town: Path, tmp_path: Path) -> None:
    path = along_street(tmp_path / "way.gpx")
    first, second, other = (sv.exposure(path, town, draws=40, seed=s) for s in (3, 3, 4))
    assert first.passes == second.passes
    assert first.summary == second.summary
    assert first.passes != other.passes


def grid_net(rng: np.random.Generator) -> tuple[_ways.Net, Any]:
    """Make a grid of 4 by 4 junctions with random exposures."""
    graph = nx.grid_2d_graph(4, 4)
    number = {n: i for i, n in enumerate(graph.nodes)}
    ends = np.array([[number[a], number[b]] for a, b in graph.edges])
    length = rng.uniform(80, 120, len(ends))
    lines = np.array([shapely.LineString([a, b]) for a, b in graph.edges], dtype=object)
    net = _ways.Net(ends[:, 0], ends[:, 1], length, lines, 16, 0, 15)
    return net, length * rng.uniform(0, 1, len(ends)) ** 3


def test_ways_are_all_those_on_the_hull_of_every_possible_way() -> None:
    """Independent: list every simple way of a small grid and keep the lower left hull."""
    for seed in range(4):
        net, exposed = grid_net(np.random.default_rng(seed))
        graph = nx.Graph()
        for a, b, m, x in zip(net.a, net.b, net.length_m, exposed, strict=True):
            graph.add_edge(int(a), int(b), m=m, x=x)
        sums = []
        for nodes in nx.all_simple_paths(graph, 0, 15):
            steps = [graph.edges[s] for s in pairwise(nodes)]
            sums.append((sum(s["m"] for s in steps), sum(s["x"] for s in steps)))
        hull = lower_hull(sums)
        shortest = hull[0][0]
        limit = _ways.DETOUR * shortest + 100
        found = _ways.trade_offs(net, exposed, most=50)
        told = [(way.length_m, way.exposed_m) for way in found]
        wanted = [p for p in hull if p[0] <= limit]
        assert len(told) >= 2
        for point in told:
            assert any(np.allclose(point, other) for other in wanted)
        distinct = [wanted[0]]
        for point in wanted[1:]:
            if point[1] < distinct[-1][1] - 0.5:
                distinct.append(point)
        assert len(told) == len(distinct)


def lower_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the corners of the lower left hull, the shortest way first."""
    best = min(points)
    hull = [best]
    while True:
        x, y = hull[-1]
        later = [p for p in points if p[1] < y - 1e-9]
        if not later:
            return hull
        hull.append(min(later, key=lambda p: ((p[1] - y) / max(p[0] - x, 1e-12), p[0])))


@pytest.fixture(scope="module")
def planned(town: Path) -> Exposure:
    start = (WEST + 0.2 * STEP, SOUTH)
    goal = (WEST + 5.7 * STEP, SOUTH + 6 * STEP)
    return sv.ways(start, goal, town, undercount=(1.5, 1.2, 2.0))


def test_a_planned_way_trades_length_for_exposure(planned: Exposure) -> None:
    assert planned.ways is not None
    assert planned.ways.schema == WAYS
    length, seen = planned.ways["length_m"].to_numpy(), planned.ways["seen_m"].to_numpy()
    assert len(length) >= 2
    assert np.all(np.diff(length) > 0)
    assert np.all(np.diff(seen) < 0)
    assert np.all(planned.ways["seen_m_high"].to_numpy() >= seen)
    line = shapely.from_wkb(planned.ways["geometry"][0].as_py())
    plane = plane_around([WEST], [SOUTH])
    flat = shapely.length(plane.flat(np.array([line]))[0])
    assert flat == pytest.approx(length[0], rel=1e-3)
    corner = plane.to_xy([WEST + 0.2 * STEP, WEST + 5.7 * STEP], [SOUTH, SOUTH + 6 * STEP])
    # In a grid no way on the streets is shorter than across and up.
    assert length[0] == pytest.approx(np.abs(np.diff(corner, axis=0)).sum(), rel=0.01)
    assert "No way is promised to be unseen" in planned.summary["no_promise"]
    assert planned.summary["cameras"]["detect"]["all"] is not None


def test_what_cannot_be_planned_is_said_in_one_line(town: Path) -> None:
    with pytest.raises(UnusableInput, match="--from: no way on foot within 250 m"):
        sv.ways((WEST - 1, SOUTH), (WEST, SOUTH), town)
    with pytest.raises(UnusableInput, match="--level see: unknown; use detect"):
        sv.ways((WEST, SOUTH), (WEST, SOUTH), town, level="see")
    with pytest.raises(UnusableInput, match=r"--undercount 0\.5/0\.4/2: cameras for each one"):
        sv.ways((WEST, SOUTH), (WEST, SOUTH), town, undercount="0.5/0.4/2")


def test_points_in_the_wrong_order_are_named_with_the_mend(town: Path, tmp_path: Path) -> None:
    args = ["exposure", "--from", f"{SOUTH},{WEST}", "--to", f"{WEST},{SOUTH}", str(town),
            "-o", str(tmp_path / "o"), "--quiet"]  # fmt: skip
    run = CliRunner().invoke(app, args)
    assert run.exit_code == 2
    assert run.stderr.count("\n") == 1
    assert f"longitude comes first: write --from {WEST},{SOUTH}" in run.stderr
    with pytest.raises(UnusableInput, match=f"write --to {WEST},{SOUTH}"):
        sv.ways((WEST, SOUTH), (SOUTH, WEST), town)
    # Nothing is said of an order where neither lies there, or where the point is no point at all.
    with pytest.raises(UnusableInput, match="no way on foot within 250 m"):
        sv.ways((10.0, 20.0), (WEST, SOUTH), town)
    with pytest.raises(UnusableInput, match=r"--from 48\.0,100\.0: is no longitude and latitude"):
        sv.ways((48.0, 100.0), (WEST, SOUTH), town)
    # Where swapping makes a longitude of what is no latitude (San Francisco), it is seen too.
    west = write(tmp_path / "sf.osm.pbf", node(1, -122.42, 37.77), node(2, -122.41, 37.77),
                 node(3, -122.415, 37.7701, tags=CAMERA),
                 way(1, [1, 2], tags={"highway": "residential"}))  # fmt: skip
    with pytest.raises(UnusableInput, match=r"write --from -122\.42,37\.77"):
        sv.ways((37.77, -122.42), (-122.41, 37.77), west)


def test_a_swapped_track_and_what_is_not_both_are_named_with_the_mend(
    town: Path, tmp_path: Path
) -> None:
    right, swapped = tmp_path / "right.csv", tmp_path / "swapped.csv"
    rows = [f"2026-11-24T07:30:{i:02}Z,{WEST + i * STEP / 20},{SOUTH}" for i in range(9)]
    right.write_text("\n".join(["time,lon,lat", *rows]))
    swapped.write_text("\n".join(["time,lat,lon", *rows]))
    assert sv.exposure(right, town, draws=10).summary["track"]["points"] == 9
    here, there = f"{WEST},{SOUTH}", f"{WEST + STEP},{SOUTH}"
    for args, said in (
        ([str(swapped)], "are swapped: exchange the names of the two columns"),
        ([str(tmp_path / "walk.gpx"), "--from", here, "--to", there],
         "walk.gpx: is a track; give either a track or --from and --to"),
        (["--from", here, "--to", here], "are the same point; give two that lie apart"),
    ):  # fmt: skip
        run = CliRunner().invoke(
            app, ["exposure", *args, str(town), "-o", str(tmp_path / "o"), "--quiet"]
        )
        assert run.exit_code == 2
        assert run.stderr.count("\n") == 1
        assert said in run.stderr


def test_figures_of_a_planned_way_are_at_the_level_asked_for(town: Path) -> None:
    """The lengths against an independent sum over the moments, and no word of the past."""
    start, goal = (WEST + 0.2 * STEP, SOUTH), (WEST + 5.7 * STEP, SOUTH + 6 * STEP)
    for level in ("detect", "recognise"):
        found = sv.ways(start, goal, town, level=level, draws=60)
        assert found.ways is not None
        assert set(found.ways["level"].to_pylist()) == {level}
        moments = found.moments.filter(pc.equal(found.moments["way"], 0))
        watchful = found.watchful.filter(
            pc.and_(pc.equal(found.watchful["way"], 0), pc.equal(found.watchful["level"], level))
        )
        length_m = moments["length_m"].to_numpy()
        for column, of in (("seen_m", "probability"), ("could_m", "could")):
            by_moments = float((length_m * watchful[of].to_numpy()).sum())
            assert found.ways[column][0].as_py() == pytest.approx(by_moments, rel=0.15, abs=2)
        (answer, time, expected, *_) = said = sentences(found.summary)
        for sentence in (answer, time, expected):
            assert ("at the level recognise" in sentence) is (level == "recognise")
        told = found.summary["cameras"][level]
        assert f"{told['could'] or 'No'} camera" in answer
        page = found.to_html()
        for past in ("could have", " did", "were on", "you were", "may have been"):
            assert past not in page, past
            assert not any(past in sentence for sentence in said)
        assert ("level recognise" in page) is (level == "recognise")
    first, *others = found.summary["ways"]
    one = sentences(found.summary | {"ways": [first, others[0]]})
    assert any("; another is " in sentence for sentence in one)


def test_streets_near_cameras_are_the_nearest_with_a_name(walked: Exposure, town: Path) -> None:
    plane = plane_around([WEST], [SOUTH])
    streets = walked.streets.filter(pc.is_valid(walked.streets["name"]))
    lines = plane.flat(shapely.from_wkb(streets["geometry"].to_numpy(zero_copy_only=False)))
    names = np.array(streets["name"].to_pylist())
    told = 0
    for row in walked.passes.to_pylist():
        if row["private_home"]:
            assert row["near_street"] is None
            assert row["near_street_m"] is None
        elif len(names):
            point = shapely.points(plane.to_xy([row["lon"]], [row["lat"]]))[0]
            away_m = shapely.distance(point, lines)
            assert row["near_street_m"] == pytest.approx(away_m.min(), abs=0.5)
            assert row["near_street"] in names[away_m < away_m.min() + 0.5]
            told += 1
    assert told > 5 or not len(names)


def test_an_empty_track_is_said_in_one_clear_line(town: Path, tmp_path: Path) -> None:
    for name in ("a.gpx", "a.kml", "a.geojson", "a.csv", "a.fit"):
        path = tmp_path / name
        path.write_bytes(b"")
        run = CliRunner().invoke(
            app, ["exposure", str(path), str(town), "-o", str(tmp_path / "o"), "--quiet"]
        )
        assert run.exit_code == 2
        assert run.stderr.strip() == f"sousveil: {path}: is empty; export the track again"


def test_both_points_may_lie_on_one_street(town: Path) -> None:
    found = sv.ways((WEST + 0.2 * STEP, SOUTH), (WEST + 0.6 * STEP, SOUTH), town, draws=20)
    assert found.ways is not None
    plane = plane_around([WEST], [SOUTH])
    ends = plane.to_xy([WEST + 0.2 * STEP, WEST + 0.6 * STEP], [SOUTH, SOUTH])
    assert found.ways["length_m"][0].as_py() == pytest.approx(float(np.ptp(ends[:, 0])), rel=1e-3)


def test_a_place_is_not_downloaded_for_a_track(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="Monaco: no such file; no place is downloaded here"):
        sv.exposure(along_street(tmp_path / "way.gpx"), "Monaco")


def test_a_track_without_times_is_walked_at_an_even_pace(town: Path, tmp_path: Path) -> None:
    found = sv.exposure(along_street(tmp_path / "way.gpx", timed=False), town, draws=20)
    track = found.summary["track"]
    assert track["has_times"] is False
    assert track["start"] is None
    assert track["duration_s"] == pytest.approx(
        track["length_m"] / tracks.WALKING_M_PER_S, rel=0.01
    )
    assert found.passes["start"].null_count == found.passes.num_rows > 0


NO_NETWORK = """
import sys
def refuse(event, arguments):
    if event.startswith("socket.") and event not in ("socket.gethostname",):
        print("NETWORK", event, arguments, file=sys.stderr)
        raise SystemExit(97)
sys.addaudithook(refuse)
from sousveil.cli import main
sys.argv = ["sousveil", *sys.argv[1:]]
main()
"""


def test_no_socket_is_opened_and_nothing_is_written_elsewhere(town: Path, tmp_path: Path) -> None:
    """The whole command in a process of its own that dies at the first socket."""
    home = tmp_path / "home"
    home.mkdir()
    track = along_street(tmp_path / "way.gpx")
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    done = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, "exposure", str(track), str(town), "-o",
         str(tmp_path / "mine"), "--letters", "--quiet", "--json", "--draws", "20"],
        capture_output=True, text=True, cwd=home,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home),
             "PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "NETWORK" not in done.stderr
    told = json.loads(done.stdout)
    assert told["track"]["points"] == 160
    written = {p for p in tmp_path.rglob("*") if p.is_file()} - set(before)
    assert [path for path in written if tmp_path / "mine" not in path.parents] == []
    proof = subprocess.run(
        [sys.executable, "-c", NO_NETWORK.split("from sousveil")[0] +
         "import socket; socket.create_connection(('127.0.0.1', 9))"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert proof.returncode == 97  # the hook does stop what it should


def test_the_command_says_the_same_as_the_function(town: Path, tmp_path: Path) -> None:
    track = along_street(tmp_path / "way.gpx")
    out = tmp_path / "out"
    run = CliRunner().invoke(app, ["exposure", str(track), str(town), "-o", str(out), "--json",
                                   "--quiet"])  # fmt: skip
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    found = sv.exposure(track, town)
    assert told | {"files": {}} == json.loads(json.dumps(found.summary))
    assert pq.read_table(out / FILES["passes"]).num_rows == found.passes.num_rows
    names = {path.name for path in out.iterdir()}
    assert names == {name for key, name in FILES.items() if key != "ways"}
    assert "© OpenStreetMap contributors" in (out / FILES["attribution"]).read_text("utf-8")


def test_the_command_plans_and_says_what_is_wrong(town: Path, tmp_path: Path) -> None:
    ends = ["--from", f"{WEST},{SOUTH}", "--to", f"{WEST + 3 * STEP},{SOUTH + 2 * STEP}"]
    args = ["exposure", *ends, str(town), "-o", str(tmp_path / "o"), "--quiet", "--draws", "20"]
    run = CliRunner().invoke(app, args)
    assert run.exit_code == 0, run.output
    assert "On the shortest way" in run.stdout
    assert (tmp_path / "o" / FILES["ways"]).exists()
    for wrong, said in (
        (["--from", "1,2", str(town)], "--from and --to: give both"),
        (["--from", "1;2", "--to", "1,2", str(town)], "--from 1;2: write it as LON,LAT"),
        ([str(town)], "TRACK SOURCE: give your track and at least one file"),
    ):
        run = CliRunner().invoke(app, ["exposure", *wrong, "-o", str(tmp_path / "p"), "--quiet"])
        assert run.exit_code == 2
        assert said in run.stderr
        assert not (tmp_path / "p").exists()


def test_where_nothing_is_mapped_nothing_is_said(town: Path, tmp_path: Path) -> None:
    """Half of the walk leads out of the town, where no camera on record is no finding."""
    lon = np.linspace(WEST + 3 * STEP, WEST + 40 * STEP, 900)
    path = gpx(tmp_path / "way.gpx", np.column_stack([lon, np.full(len(lon), SOUTH + 2 * STEP)]),
               np.arange(len(lon)))  # fmt: skip
    found = sv.exposure(path, town, draws=20)
    track, time = found.summary["track"], found.summary["time"]
    assert track["outside_s"] > 500
    assert time["known_s"] + track["outside_s"] == pytest.approx(899)
    covered = found.moments["covered"].to_numpy(zero_copy_only=False)
    edge = WEST + BLOCKS * STEP
    metres = (found.moments["lon"].to_numpy() - edge) * 111_320 * np.cos(np.radians(SOUTH))
    assert not covered[metres > 300].any()
    assert covered[metres < 100].all()
    unseen = sum(one["end_s"] - one["start_s"] for one in found.summary["unseen"])
    assert unseen < time["known_s"]
    with pytest.raises(UnusableInput, match=r"far.gpx: lies outside what the sources map"):
        sv.exposure(along_street(tmp_path / "far.gpx", row=400), town)
