"""Files that are damaged, hostile or something else: one line of refusal, or a correct reading."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import osmium
import pytest

from sousveil.errors import UnusableInput
from sousveil.sources import osm
from sousveil.sources.osm import _xml_guard
from tests.osm_files import (
    CAMERA,
    empty_extract,
    node,
    overpass,
    save,
    small_town,
    write,
    xml,
    xml_camera,
)


def refused(path: Path, *words: str) -> None:
    """Check that reading is refused in one line that names the file and says the words."""
    for read in (read_all, read_alone, osm.list_boundaries):
        with pytest.raises(UnusableInput) as error:
            read(path)
        message = str(error.value)
        assert message.startswith(f"{path}: "), message
        assert "\n" not in message
        for word in words:
            assert word in message, message


def read_all(path: Path) -> osm.Source:
    return osm.read(path, source_id="x")


def read_alone(path: Path) -> osm.Source:
    return osm.read(path, source_id="x", context=False)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty", "OpenStreetMap data"]),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ["PNG picture"]),
        (b"<!DOCTYPE html><html><body>504 Gateway Timeout</body></html>", ["web page"]),
        (b"lat,lon\n1,2\n", ["no OpenStreetMap file"]),
        (b'{"type": "FeatureCollection", "features": []}', ["JSON, but no Overpass answer"]),
        (b"PK\x03\x04" + bytes(50), ["ZIP archive"]),
        (b'<?xml version="1.0"?><gpx version="1.1"></gpx>', ["no OpenStreetMap file"]),
        (b'<?xml version="1.0"?><osmChange version="0.6"></osmChange>', ["no OpenStreetMap file"]),
        (gzip.compress(b"lat,lon\n", mtime=0), ["no OpenStreetMap file"]),
        (gzip.compress(b"", mtime=0), ["empty"]),
        (os.urandom(1000), ["no OpenStreetMap file"]),
    ],
)
@pytest.mark.parametrize("name", ["a.osm.pbf", "a.osm", "a.osm.gz", "a.json"])
def test_something_else(tmp_path: Path, name: str, content: bytes, words: list[str]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, *words)


def test_missing_and_directory(tmp_path: Path) -> None:
    refused(tmp_path / "missing.osm.pbf", "no such file")
    (tmp_path / "folder.osm.pbf").mkdir()
    refused(tmp_path / "folder.osm.pbf", "is a directory")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = small_town(tmp_path / "a.osm.pbf")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("whoever runs this may read everything")
    refused(path, "may not be read", "permissions")


def test_a_file_that_may_not_be_read_even_by_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small_town(tmp_path / "a.osm.pbf")

    def forbidden(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", forbidden)
    refused(path, "may not be read", "permissions")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "town.osm.pbf")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_pbf(town: Path, tmp_path: Path, share: float) -> None:
    content = town.read_bytes()
    path = tmp_path / "a.osm.pbf"
    path.write_bytes(content[: int(len(content) * share)])
    refused(path, "damaged or incomplete", "again")


def flips(size: int, count: int, seed: int) -> Iterator[tuple[int, int]]:
    draw = random.Random(seed)
    for _ in range(count):
        yield draw.randrange(size), 1 << draw.randrange(8)


# Run apart: a crash of the C++ beneath would end the process, not the test.
FLIPPING = """
import faulthandler, sys
from pathlib import Path
from sousveil.errors import UnusableInput
from sousveil.sources import osm

faulthandler.dump_traceback_later(100, exit=True)
content, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
read = refused = 0
for flip in sys.argv[3:]:
    position, bit = map(int, flip.split(":"))
    damaged = bytearray(content)
    damaged[position] ^= bit
    path.write_bytes(damaged)
    for context in (True, False):
        try:
            source = osm.read(path, source_id="x", context=context)
            whole = source.quarantine.num_rows - sum(source.quarantine["kept"].to_pylist())
            assert source.rows == source.observations.num_rows + whole
            read += 1
        except UnusableInput as error:
            assert str(error).startswith(str(path)) and chr(10) not in str(error)
            refused += 1
print(read, refused)
"""


@pytest.mark.parametrize("compression", ["zlib", "none"])
def test_a_flipped_byte_is_refused_or_read(town: Path, tmp_path: Path, compression: str) -> None:
    # Without compression there is no checksum: a flip then changes a value, or breaks the form.
    source = tmp_path / "source.osm.pbf"
    with osmium.SimpleWriter(
        osmium.io.File(str(source), f"pbf,pbf_compression={compression}")
    ) as writer:
        osmium.apply(str(town), writer)
    size = source.stat().st_size
    drawn = [f"{position}:{bit}" for position, bit in flips(size, 150, seed=20261123)]
    command = [sys.executable, "-c", FLIPPING, source, tmp_path / "flipped.osm.pbf", *drawn]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    read, refused = map(int, done.stdout.split())
    assert read + refused == 300
    assert refused > 30
    if compression == "zlib":
        assert refused > 250


def test_a_node_without_coordinates_goes_to_quarantine(tmp_path: Path) -> None:
    path = write(tmp_path / "a.osm.pbf", node(1, None, None, tags=CAMERA), node(2, 1.0, 1.0))
    for source in (read_all(path), read_alone(path)):
        assert (source.rows, source.observations.num_rows) == (1, 0)
        [row] = source.quarantine.to_pylist()
        assert (row["native_id"], row["reason"]) == ("node/1", "no coordinates")
    beyond = xml(xml_camera(1, 1, 1), '<node id="2" lon="200" lat="95">', "</node>")
    assert read_all(save(tmp_path / "a.osm", beyond)).rows == 1


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(10))


@pytest.mark.parametrize(
    "doctype",
    [
        f"<!DOCTYPE osm [{LAUGHS}]>",
        '<!DOCTYPE osm [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE osm [<!ENTITY % l9 SYSTEM "http://127.0.0.1:9/x.dtd"> %l9;]>',
    ],
)
@pytest.mark.parametrize("name", ["a.osm", "a.osm.gz"])
def test_entities_are_refused(tmp_path: Path, name: str, doctype: str) -> None:
    camera = xml_camera(1, 1, 1, '<tag k="name" v="&l9;"/>')
    head = f'<?xml version="1.0"?>{doctype}'
    refused(save(tmp_path / name, xml(camera, head=head)), "entities are not supported")


@pytest.mark.parametrize("name", ["a.osm", "a.osm.gz", "a.osm.bz2"])
@pytest.mark.parametrize(
    "content",
    [
        xml(xml_camera(1, 1, 1))[:-8],
        xml("<node id='1' lat='1' lon='1'><tag k='a'></node>"),
        xml("<node id='x' lat='1' lon='1'/>"),
        xml("<node id='1' lat='abc' lon='1'/>"),
        xml(xml_camera(1, 1, 1)).replace('version="0.6"', 'version="0.5"'),
        xml("<node id='1' lat='1' lon='1'><tag k='a' v='\x01'/></node>"),
        xml("<way id='1'><nd ref='a'/></way>"),
    ],
)
def test_broken_xml(tmp_path: Path, name: str, content: str) -> None:
    refused(save(tmp_path / name, content), "damaged or incomplete")


@pytest.mark.parametrize("suffix", [".gz", ".bz2"])
@pytest.mark.parametrize("kind", ["osm", "json"])
def test_truncated_and_damaged_streams(tmp_path: Path, kind: str, suffix: str) -> None:
    lines = [xml_camera(i, 1, random.Random(i).random()) for i in range(2000)]
    elements = [{"type": "node", "id": i, "lat": random.Random(i).random()} for i in range(2000)]
    whole = xml(*lines) if kind == "osm" else overpass(*elements)
    packed = save(tmp_path / f"whole.{kind}{suffix}", whole).read_bytes()
    path = tmp_path / f"a.{kind}{suffix}"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    refused(path)
    path.write_bytes(packed[:-8] + bytes(8))
    refused(path)


@pytest.mark.parametrize("remark", ['runtime error: Query timed out in "query" at line 3.'])
def test_an_answer_that_was_broken_off(tmp_path: Path, remark: str) -> None:
    camera = {"type": "node", "id": 1, "lat": 1, "lon": 1, "tags": CAMERA}
    words = ["download is incomplete", "timed out", "run the query again"]
    for path in (
        save(tmp_path / "a.json", overpass(camera, remark=remark)),
        save(tmp_path / "a.osm", xml(xml_camera(1, 1, 1), f"<remark> {remark} </remark>")),
    ):
        for read in (read_all, read_alone):
            with pytest.raises(UnusableInput) as error:
                read(path)
            assert all(word in str(error.value) for word in words), error.value
    kind = save(tmp_path / "b.json", overpass(camera, remark="runtime remark: slow"))
    assert read_all(kind).rows == 1


@pytest.mark.parametrize(
    "content",
    [
        '{"elements": [{"type": "node", "id": 1',
        '{"elements": [{"type": "node", "id": 1, "lat": 1 "lon": 2}]}',
        '{"elements": [{"type": "node", "id": 1}, {"type": "way", "id": ' + "[" * 99_999,
        '{"elements": [{"type": "node", "id": 1, "tags": {"a": "\\ud8"}}]}',
        '[{"type": "node", "id": 1, "lat": 1, "lon": 1}',
    ],
)
def test_broken_json(tmp_path: Path, content: str) -> None:
    refused(save(tmp_path / "a.json", content), "damaged or incomplete")


def test_an_extract_without_a_camera(tmp_path: Path) -> None:
    assert read_all(empty_extract(tmp_path / "a.osm.pbf")).rows == 0
    assert read_all(save(tmp_path / "b.osm", xml())).rows == 0


def test_a_text_that_is_too_long_does_not_cost_the_file(tmp_path: Path) -> None:
    for quote in "\"'":
        long = f"<tag k={quote}note{quote} v={quote}{1025 * 'x'}{quote}/>"
        fits = f"<tag k={quote}inscription{quote} v={quote}{1024 * 'y'}{quote}/>"
        content = xml(
            xml_camera(1, 1.0, 1.0, long, fits, '<tag k="height" v="3"/>').replace('"', quote),
            xml_camera(2, 2.0, 1.0).replace('"', quote),
            f"<way id='7' user='{2000 * 'u'}'><nd ref='1'/><nd ref='2'/>"
            "<tag k='highway' v='path'/></way>",
            f"<relation id='8'><member type='node' ref='1' role='{2000 * 'r'}'/></relation>",
        )
        source = read_all(save(tmp_path / "a.osm", content))
        assert source.observations["native_id"].to_pylist() == ["node/1", "node/2"]
        assert source.observations["height_m"].to_pylist() == [3.0, None]
        assert 900 * "y" in source.observations["raw"][0].as_py()  # cut later, for other reasons
        assert source.streets.num_rows == 1
        rows = [r for r in source.quarantine.to_pylist() if "longer than 1,024" in r["reason"]]
        aside = [(r["native_id"], r["row"], r["field"], r["kept"]) for r in rows]
        assert aside == [
            ("node/1", 1, "note", True),
            ("way/7", 0, "user", True),
            ("relation/8", 0, "role", True),
        ]


def test_a_long_text_of_short_letters_is_no_excess(tmp_path: Path) -> None:
    # 250 letters of six bytes each in the file, one each when read.
    value = 250 * "&quot;"
    path = save(tmp_path / "a.osm", xml(xml_camera(1, 1, 1, f'<tag k="note" v="{value}"/>')))
    source = read_all(path)
    assert json.loads(source.observations["raw"][0].as_py())["note"] == 250 * '"'
    assert source.quarantine.num_rows == 0


@pytest.mark.parametrize("chunk_bytes", [1, 7, 100, 1 << 20])
def test_what_is_regular_is_copied_as_it_is(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    with gzip.open(shared_data / "osm" / "monaco_2012-07.osm.gz") as stream:
        content = stream.read(300 * min(chunk_bytes, 10_000))
    monkeypatch.setattr(_xml_guard, "_CHUNK_BYTES", chunk_bytes)
    copy = io.BytesIO()
    assert _xml_guard.sanitise(io.BytesIO(content), copy) == []
    assert copy.getvalue() == content
    assert not _xml_guard.survey(io.BytesIO(content)).excess


@pytest.mark.parametrize("chunk_bytes", [50, 333, 4096, 1 << 20])
def test_an_object_too_large_keeps_what_comes_first(
    monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr(_xml_guard, "_CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(_xml_guard, "OBJECT_BYTES", 1000)
    tags = [f'<tag k="k{i}" v="v"/>' for i in range(200)]
    content = xml(xml_camera(1, 1, 1), xml_camera(2, 1, 1, *tags), xml_camera(3, 1, 1)).encode()
    if chunk_bytes <= 1000:
        assert _xml_guard.survey(io.BytesIO(content)).excess
    copy = io.BytesIO()
    [left_out] = _xml_guard.sanitise(io.BytesIO(content), copy)
    assert left_out.native_id == "node/2"
    text = copy.getvalue().decode()
    object_bytes = text.index("</node>", text.index('id="2"')) - text.index('id="2"')
    assert 950 < object_bytes < 1100
    assert text.startswith(xml(xml_camera(1, 1, 1))[:-8])
    assert text.endswith(xml_camera(3, 1, 1) + "\n</osm>\n")


# Streams of which the pieces repeat pack into little; what counts is the memory of reading them.
MEASURING = """
import json, re, sys
from pathlib import Path
from sousveil.sources import osm

source = osm.read(Path(sys.argv[1]), source_id="x")
rows = [r for r in source.quarantine.to_pylist()]
# Not ru_maxrss: that begins at what the process which started this one held.
peak_kb = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
json.dump({
    "peak_mb": int(peak_kb) / 1024,
    "ids": source.observations["native_id"].to_pylist(),
    "rows": source.rows,
    "aside": [[r["native_id"], r["field"], r["kept"]] for r in rows][:20],
}, sys.stdout)
"""


def bomb(path: Path, head: str, piece: Callable[[int], str], tail: str, size: int) -> Path:
    """Write a stream of `size` bytes once unpacked: head, pieces, tail; packed as it is made."""
    block = "".join(piece(i) for i in range(300)).encode()
    packer = zlib.compressobj(wbits=31)
    with path.open("wb") as file:
        file.write(packer.compress(head.encode()))
        for _ in range(size // len(block)):
            file.write(packer.compress(block))
        file.write(packer.compress(tail.encode()) + packer.flush())
    return path


BOMBS: dict[str, tuple[str, Callable[[int], str], str]] = {
    "tags.osm.gz": (
        xml(xml_camera(1, 1, 1), xml_camera(2, 1, 1))[: -len("</node>\n</osm>\n")],
        lambda i: f'<tag k="key{i}" v="value"/>\n',
        f"</node>{xml_camera(3, 1, 1)}</osm>",
    ),
    "text.osm.gz": (
        xml(xml_camera(1, 1, 1), xml_camera(2, 1, 1))[: -len("</node>\n</osm>\n")]
        + '<tag k="note" v="',
        lambda i: f"word {i} ",
        f'"/></node>{xml_camera(3, 1, 1)}</osm>',
    ),
    "nodes.osm.gz": (
        xml(xml_camera(1, 1, 1), xml_camera(3, 1, 1))[: -len("</osm>\n")] + '<way id="2">',
        lambda i: f'<nd ref="{i}"/>',
        '<tag k="highway" v="path"/></way></osm>',
    ),
    "comment.osm.gz": (
        xml(xml_camera(1, 1, 1))[: -len("</osm>\n")] + "<!-- ",
        lambda i: f"word {i} ",
        f"-->{xml_camera(3, 1, 1)}</osm>",
    ),
    "tags.json.gz": (
        overpass({"type": "node", "id": 1, "lat": 1, "lon": 1, "tags": CAMERA})[: -len("\n ]\n}")]
        + ',{"type": "node", "id": 2, "lat": 1, "lon": 1, "tags": {"man_made": "surveillance"',
        lambda i: f', "key{i}": "value"',
        '}},{"type": "node", "id": 3, "lat": 1, "lon": 1, "tags": {"man_made": "surveillance"}}]}',
    ),
    "text.json.gz": (
        '[{"type": "node", "id": 1, "lat": 1, "lon": 1, "tags": {"man_made": "surveillance"}},'
        '{"type": "node", "id": 2, "lat": 1, "lon": 1, "tags": {"note": "',
        lambda i: f"word {i} ",
        '"}},{"type": "node", "id": 3, "lat": 1, "lon": 1, "tags": {"man_made": "surveillance"}}]',
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_memory_is_bounded_and_nothing_else_is_lost(tmp_path: Path, name: str) -> None:
    size = int(os.environ.get("SOUSVEIL_BOMB_MB", "120")) * 1_000_000
    path = bomb(tmp_path / name, *BOMBS[name], size)
    assert path.stat().st_size < size / 50
    done = subprocess.run([sys.executable, "-c", MEASURING, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert result["peak_mb"] < 400
    assert {"node/1", "node/3"} <= set(result["ids"])
    if name == "comment.osm.gz":
        return
    if name.endswith("json.gz"):
        assert result["ids"] == ["node/1", "node/3"]
        assert ["node/2", None, False] in result["aside"]
        assert result["rows"] == 3
    else:
        broken = "way/2" if name.startswith("nodes") else "node/2"
        assert any(row[0] == broken and row[2] for row in result["aside"])
        assert broken.startswith("way") or broken in result["ids"]
