"""Tracks are read whatever they are written in, errors say where, and streets are found again."""

from __future__ import annotations

import json
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from sousveil import track as tracks
from sousveil.errors import UnusableInput
from sousveil.place._geodesy import line_lengths_m
from sousveil.records import MOMENTS, TRACK
from sousveil.sources import Source, osm
from sousveil.visibility import plane_around
from tests.tracks import PACE, START, gpx, noisy, walk

PLACES = [(11.5700, 48.1370), (11.5701, 48.1372), (11.5703, 48.1373)]
STAMPS = ["2026-11-24T07:30:00Z", "2026-11-24T07:30:10Z", "2026-11-24T07:30:20Z"]


def as_gpx() -> str:
    points = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"><time>{t}</time><hdop>1.2</hdop></trkpt>'
        for (lon, lat), t in zip(PLACES, STAMPS, strict=True)
    )
    return (
        f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'
    )


def as_kml() -> str:
    when = "".join(f"<when>{t}</when>" for t in STAMPS)
    coord = "".join(f"<gx:coord>{lon} {lat} 500</gx:coord>" for lon, lat in PLACES)
    return (
        '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">'
        f"<Placemark><gx:Track>{when}{coord}</gx:Track></Placemark></kml>"
    )


def as_geojson() -> str:
    line = {"type": "LineString", "coordinates": [list(p) for p in PLACES]}
    return json.dumps({"type": "Feature", "geometry": line, "properties": {"coordTimes": STAMPS}})


def as_points() -> str:
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": list(p)},
         "properties": {"Time": t, "accuracy": 6}}
        for p, t in zip(PLACES, STAMPS, strict=True)
    ]  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": features})


def as_csv() -> str:
    rows = [f"{t};{lat};{lon}" for (lon, lat), t in zip(PLACES, STAMPS, strict=True)]
    return "\n".join(["Time;Latitude;Longitude", *rows])


def as_seconds() -> str:
    rows = [f"{1795505400 + 10 * i},{lat},{lon}" for i, (lon, lat) in enumerate(PLACES)]
    return "\n".join(["timestamp,lat,lon", *rows])


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        ("gpx", as_gpx()),
        ("kml", as_kml()),
        ("geojson", as_geojson()),
        ("json", as_points()),
        ("csv", as_csv()),
        ("txt", as_seconds()),
    ],
)
def test_every_format_says_the_same(tmp_path: Path, ending: str, text: str) -> None:
    path = tmp_path / f"way.{ending}"
    path.write_text(text, encoding="utf-8")
    read = tracks.read(path)
    assert read.points.schema == TRACK
    assert (
        list(zip(*read.points.select(["lon", "lat"]).to_pydict().values(), strict=True)) == PLACES
    )
    assert read.points["time"][0].as_py() == datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    assert read.points["time"][2].as_py() == datetime(2026, 11, 24, 7, 30, 20, tzinfo=UTC)
    assert str(read.zone) == "Europe/Berlin"
    assert read.set_aside == []


def test_accuracy_is_read_where_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.gpx").write_text(as_gpx())
    (tmp_path / "b.json").write_text(as_points())
    assert tracks.read(tmp_path / "a.gpx").points["accuracy_m"].to_pylist() == [6.0] * 3
    assert tracks.read(tmp_path / "b.json").points["accuracy_m"].to_pylist() == [6.0] * 3


def _crc(data: bytes) -> int:
    """CRC-16 of the FIT protocol (its document, section 3.3.2)."""
    table = [0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
             0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400]  # fmt: skip
    crc = 0
    for byte in data:
        for part in (byte & 0xF, byte >> 4):
            crc = ((crc >> 4) & 0x0FFF) ^ table[crc & 0xF] ^ table[part]
    return crc


def as_fit() -> bytes:
    """Write records of message 20: timestamp (253), position_lat (0), position_long (1)."""
    body = struct.pack("<BBBHB", 0x40, 0, 0, 20, 3)
    body += bytes([253, 4, 0x86, 0, 4, 0x85, 1, 4, 0x85])
    epoch = datetime(1989, 12, 31, tzinfo=UTC)
    for (lon, lat), stamp in zip(PLACES, STAMPS, strict=True):
        seconds = int((datetime.fromisoformat(stamp) - epoch).total_seconds())
        body += struct.pack("<BIii", 0, seconds, round(lat / 180 * 2**31), round(lon / 180 * 2**31))
    head = struct.pack("<BBHI4s", 14, 0x10, 2132, len(body), b".FIT")
    head += struct.pack("<H", _crc(head))
    return head + body + struct.pack("<H", _crc(head + body))


def test_a_sports_watch_says_the_same(tmp_path: Path) -> None:
    pytest.importorskip("fitdecode")
    (tmp_path / "way.fit").write_bytes(as_fit())
    read = tracks.read(tmp_path / "way.fit")
    assert np.allclose(read.points["lon"], [p[0] for p in PLACES], atol=1e-7)
    assert np.allclose(read.points["lat"], [p[1] for p in PLACES], atol=1e-7)
    assert read.points["time"][1].as_py() == datetime(2026, 11, 24, 7, 30, 10, tzinfo=UTC)
    (tmp_path / "cut.fit").write_bytes(as_fit()[:-9])
    with pytest.raises(UnusableInput, match=r"cut.fit: record \d: is damaged"):
        tracks.read(tmp_path / "cut.fit")


def test_clock_times_are_those_of_the_place_or_of_the_zone_named(tmp_path: Path) -> None:
    path = tmp_path / "way.csv"
    path.write_text(as_csv().replace("Z", ""))
    assert tracks.read(path).points["time"][0].as_py().hour == 6  # 7:30 in Munich's winter
    read = tracks.read(path, timezone="America/New_York")
    assert read.points["time"][0].as_py().hour == 12
    with pytest.raises(UnusableInput, match="--timezone Mars: unknown; give an IANA name"):
        tracks.read(path, timezone="Mars")


def test_what_cannot_be_used_is_set_aside_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "way.csv"
    rows = [*as_csv().split("\n"), "2026-11-24T07:30:30Z;91;11", "2026-11-24T07:30:40Z;x;11",
            ";48.1370;11.5700", "2026-11-24T07:30:50Z;48.9;11.57",
            "2026-11-24T07:31:00Z;48.1375;11.5703", "soon;48.1375;11.5703"]  # fmt: skip
    path.write_text("\n".join(rows))
    read = tracks.read(path)
    assert read.points.num_rows == 4
    assert [(one.where, one.reason) for one in read.set_aside] == [
        ("line 5", "no place on the Earth"),
        ("line 6", "no longitude and latitude"),
        ("line 7", "no time, where others have one"),
        ("line 10", "is no time"),
        ("line 8", "farther than anything moves in that time"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.gpx", "<gpx><trk>", r"a.gpx: line 1, column 10: is no XML .*; export the track again"),
        ("b.gpx", '<!DOCTYPE x [<!ENTITY a "b">]><gpx/>', r"b.gpx: line 1: declares a document"),
        ("c.gpx", "<gpx/>", r"c.gpx: holds no point of a track"),
        ("d.geojson", "{", r"d.geojson: is no JSON"),
        ("e.csv", "a,b\n1,2", r"e.csv: line 1: no column of the longitude"),
        ("f.csv", "time,lat,lon\nsoon,48,11\n", r"f.csv: line 2: 'soon' is no time, and"),
        ("g.csv", "lat,lon\n48,11\n", r"g.csv: fewer than two usable points"),
        ("h.doc", "", r"h.doc: not a kind of track that is known; give one of .gpx"),
    ],
)  # fmt: skip
def test_errors_are_one_line_with_the_place(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UnusableInput, match=said) as error:
        tracks.read(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_track_is_only_read_from_a_file() -> None:
    with pytest.raises(UnusableInput, match="is an address; a track is only read from a file"):
        tracks.read("https://example.org/way.gpx")
    with pytest.raises(UnusableInput, match=r"away.gpx: no such file"):
        tracks.read("away.gpx")


@pytest.fixture(scope="module")
def munich(shared_data: Path) -> Source:
    return osm.read(shared_data / "osm" / "munich_2020-07.osm.pbf", source_id="munich")


@pytest.fixture(scope="module")
def graph(munich: Source) -> tracks.Graph:
    seen = munich.observations
    return tracks.graph(
        munich.streets, plane_around(seen["lon"].to_numpy(), seen["lat"].to_numpy())
    )


def test_the_graph_has_the_length_of_its_streets(munich: Source, graph: tracks.Graph) -> None:
    lines = shapely.from_wkb(munich.streets["geometry"].to_numpy(zero_copy_only=False))
    usable = np.isin(np.arange(len(lines)), graph.street)
    assert graph.length_m.sum() == pytest.approx(line_lengths_m(lines[usable]).sum(), rel=1e-4)


def _matched(graph: tracks.Graph, points: Any, seconds: Any, folder: Path) -> tracks.Matched:
    lonlat = graph.plane.to_lonlat(points)
    read = tracks.read(gpx(folder / "way.gpx", lonlat, seconds))
    return tracks.match(read, graph, m_per_s=PACE)


def test_the_way_is_found_again_through_the_errors_of_a_phone(
    graph: tracks.Graph, munich: Source, tmp_path: Path
) -> None:
    for seed in (1, 2):
        points, seconds, edges = walk(graph, seed=seed, least_m=4000)
        matched = _matched(graph, noisy(points, seed=seed, sigma_m=5.0), seconds, tmp_path)
        found = set(matched.edge[matched.edge >= 0].tolist())
        length = graph.length_m
        missed = length[sorted(set(edges) - found)].sum() / length[sorted(set(edges))].sum()
        assert missed < 0.1
        moments = tracks.moments(matched, graph, munich.streets)
        middle = (moments["start_s"].to_numpy() + moments["end_s"].to_numpy()) / 2
        true = np.column_stack([np.interp(middle, seconds, points[:, k]) for k in (0, 1)])
        away = np.hypot(*(graph.plane.to_xy(moments["lon"], moments["lat"]) - true).T)
        raw = np.hypot(*(noisy(points, seed=seed, sigma_m=5.0) - points).T)
        assert np.median(away) < 0.75 * np.median(raw)


def test_without_errors_the_way_is_the_very_one(
    graph: tracks.Graph, munich: Source, tmp_path: Path
) -> None:
    # One shortest way, which turns back nowhere: points near the turn would be left out.
    points, seconds, edges = walk(graph, seed=5, least_m=300)
    matched = _matched(graph, points, seconds, tmp_path)
    moments = tracks.moments(matched, graph, munich.streets)
    walked = graph.length_m[edges].sum()  # but for the part of a second after the last point
    assert sum(moments["length_m"].to_pylist()) == pytest.approx(walked, abs=PACE)
    assert matched.on_street_share == 1
    assert set(matched.edge.tolist()) - {-1} >= set(edges[1:-1])


def test_moments_cover_the_time_once_and_are_short(
    graph: tracks.Graph, munich: Source, tmp_path: Path
) -> None:
    points, seconds, _ = walk(graph, seed=3, least_m=2000, pauses=3)
    matched = _matched(graph, noisy(points, seed=3), seconds, tmp_path)
    moments = tracks.moments(matched, graph, munich.streets)
    assert moments.schema.names == MOMENTS.names
    start, end = moments["start_s"].to_numpy(), moments["end_s"].to_numpy()
    assert start[0] == 0
    assert end[-1] == pytest.approx(seconds[-1])
    assert np.allclose(start[1:], end[:-1])
    assert moments["length_m"].to_numpy().max() <= 5.0 + 1e-6


def test_a_silence_is_a_gap_of_which_nothing_is_said(
    graph: tracks.Graph, munich: Source, tmp_path: Path
) -> None:
    points, seconds, _ = walk(graph, seed=4, least_m=1500)
    half = len(points) // 2
    later = seconds + np.where(np.arange(len(seconds)) >= half, 3600.0, 0.0)
    matched = _matched(graph, points, later, tmp_path)
    assert matched.leg[-1] == 1
    moments = tracks.moments(matched, graph, munich.streets)
    known = moments["end_s"].to_numpy() - moments["start_s"].to_numpy()
    assert known.sum() == pytest.approx(seconds[-1] - 1, abs=1e-6)


def test_away_from_streets_the_points_stay_where_they_are(
    graph: tracks.Graph, munich: Source, tmp_path: Path
) -> None:
    far = graph.node_xy.max(axis=0) + 2000.0
    line = far + np.column_stack([np.arange(0.0, 200.0, PACE), np.zeros(150)])
    matched = _matched(graph, line, np.arange(150.0), tmp_path)
    assert matched.on_street_share == 0
    moments = tracks.moments(matched, graph, munich.streets)
    assert not any(moments["on_street"].to_pylist())
    assert sum(moments["length_m"].to_pylist()) == pytest.approx(149 * PACE, rel=0.01)
    assert START.tzinfo is UTC


def test_out_at_sea_the_clock_is_utc(tmp_path: Path) -> None:
    path = tmp_path / "sea.csv"
    path.write_text("time,lat,lon\n2026-11-24T12:00:00,0.1,-30\n2026-11-24T12:00:10,0.1001,-30\n")
    assert str(tracks.read(path).zone) == "UTC"
    path.write_text(
        "time,lat,lon\n2026-11-24T12:00:00,-17.1,179.9\n2026-11-24T12:00:10,-17.1,179.9\n"
    )
    assert str(tracks.read(path).zone) == "Pacific/Fiji"
