"""Downloads, against a server on this machine that also fails, stalls, truncates and changes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import resource
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from sousveil import __version__
from sousveil.errors import UnusableInput
from sousveil.sources.download import Extract, _checksums, _transfer, cache_folder, fetch
from tests.download_server import HALF, MODIFIED, NEWER_PBF, PATH, PBF, Server

QUICK = _transfer.Patience(
    connect_s=0.5, stall_s=0.15, attempts=3, first_wait_s=0.001, longest_wait_s=0.02
)


@pytest.fixture
def server() -> Iterator[Server]:
    site = Server()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    resolve = socket.getaddrinfo

    def local(host: Any, *args: Any, **named: Any) -> Any:
        assert host == "127.0.0.1", f"a test asked for {host}"
        return resolve(host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", local)


@pytest.fixture
def get(server: Server, tmp_path: Path) -> Callable[..., Path]:
    """Fetch the server's file into a cache of the test, with little patience."""

    def fetch_it(**changed: Any) -> Path:
        options = {"cache": tmp_path, "patience": QUICK, "say": lambda _: None, **changed}
        return fetch(options.pop("extract", monaco(server)), **options)

    return fetch_it


def monaco(server: Server, source: Any = "Geofabrik") -> Extract:
    return Extract(
        name="Monaco", id="europe/monaco", url=server.url + PATH, source=source, size_bytes=None
    )


def refused(get: Callable[..., Path], **changed: Any) -> str:
    with pytest.raises(UnusableInput) as caught:
        get(**changed)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUSVEIL_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SOUSVEIL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "sousveil"


# Downloads that work.


def test_a_file_comes_whole_with_progress(server: Server, get: Callable[..., Path]) -> None:
    server.state_md5(PBF)
    seen: list[tuple[int, int | None]] = []
    path = get(progress=lambda have, total: seen.append((have, total)))
    assert path.read_bytes() == PBF
    assert path.name == "monaco.osm.pbf"
    assert seen[0] == (0, len(PBF))
    assert seen[-1] == (len(PBF), len(PBF))
    assert [have for have, _ in seen] == sorted(have for have, _ in seen)
    assert server.of_file()[0].headers["User-Agent"].startswith(f"sousveil/{__version__} ")


def test_nothing_lies_in_its_place_before_it_is_whole_and_checked(
    server: Server, get: Callable[..., Path], tmp_path: Path
) -> None:
    def look(have: int, total: int | None) -> None:
        assert not list(tmp_path.rglob("monaco.osm.pbf"))

    path = get(progress=look)
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "monaco.osm.pbf",
        "monaco.osm.pbf.json",
        "monaco.osm.pbf.lock",
    ]


def test_a_young_file_is_used_without_a_request(server: Server, get: Callable[..., Path]) -> None:
    get()
    asked = len(server.requests)
    assert get().read_bytes() == PBF
    assert len(server.requests) == asked


def test_an_old_file_is_used_when_the_server_has_no_newer(
    server: Server, get: Callable[..., Path]
) -> None:
    _grow_old(get(), days=8)
    assert get().read_bytes() == PBF
    again = server.of_file()[-1].headers
    assert (again["If-None-Match"], again["If-Modified-Since"]) == ('"1"', MODIFIED)
    asked = len(server.requests)
    get()  # confirmed just now
    assert len(server.requests) == asked


def test_an_old_file_is_replaced_by_a_newer(server: Server, get: Callable[..., Path]) -> None:
    _grow_old(get(), days=8)
    server.files[PATH], server.etag = NEWER_PBF, '"2"'
    assert get().read_bytes() == NEWER_PBF


def test_a_file_that_was_tampered_with_is_downloaded_again(
    server: Server, get: Callable[..., Path]
) -> None:
    get().write_bytes(PBF[:HALF])
    assert get().read_bytes() == PBF


def test_a_file_from_another_address_is_not_taken_for_this_one(
    server: Server, get: Callable[..., Path]
) -> None:
    get()
    server.files["/mirror/m.osm.pbf"] = NEWER_PBF
    moved = dataclasses.replace(monaco(server), url=f"{server.url}/mirror/m.osm.pbf")
    assert get(extract=moved).read_bytes() == NEWER_PBF


def test_two_at_once_download_once(server: Server, get: Callable[..., Path]) -> None:
    server.troubles = ["slow"]
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(get().read_bytes())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [PBF] * 4
    assert len(server.of_file()) == 1


def test_a_redirect_is_followed_and_what_broke_off_continued_there(
    server: Server, get: Callable[..., Path]
) -> None:
    server.files["/mirror/m.osm.pbf"] = PBF
    to_mirror = "redirect /mirror/m.osm.pbf"
    server.troubles = [to_mirror, "cut", to_mirror]
    assert get().read_bytes() == PBF
    assert server.of_file()[-1] == (
        "/mirror/m.osm.pbf",
        server.of_file()[-1].headers | {"Range": f"bytes={HALF}-"},
    )


def test_a_server_that_does_not_say_the_length(server: Server, get: Callable[..., Path]) -> None:
    server.troubles = ["no length"]
    seen: list[tuple[int, int | None]] = []
    assert get(progress=lambda *now: seen.append(now)).read_bytes() == PBF
    assert seen[-1] == (len(PBF), None)
    get()
    assert len(server.of_file()) == 1  # its length is known now: whole, so used again


# Faults that pass.


def test_a_busy_server_is_asked_again(server: Server, get: Callable[..., Path]) -> None:
    server.troubles = ["503", "500"]
    said: list[str] = []
    assert get(say=said.append).read_bytes() == PBF
    assert len(server.of_file()) == 3
    assert ["503" in said[0], "500" in said[1]] == [True, True]


@pytest.mark.parametrize("trouble", ["stall", "cut"])
def test_what_broke_off_is_continued(
    trouble: str, server: Server, get: Callable[..., Path]
) -> None:
    server.state_md5(PBF)
    server.troubles = [trouble]
    assert get().read_bytes() == PBF
    assert [request.headers.get("Range") for request in server.of_file()] == [
        None,
        f"bytes={HALF}-",
    ]


def test_many_breaks_are_no_reason_to_give_up_while_bytes_arrive(
    server: Server, get: Callable[..., Path]
) -> None:
    server.breaks_at = 20_000
    server.troubles = ["cut"] * 10  # more than QUICK.attempts
    assert get().read_bytes() == PBF
    assert len(server.of_file()) == 11


def test_a_download_that_was_interrupted_is_continued_by_the_next(
    server: Server, get: Callable[..., Path]
) -> None:
    def interrupt(have: int, total: int | None) -> None:
        if have > HALF:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(progress=interrupt)
    assert get().read_bytes() == PBF
    start = int(server.of_file()[-1].headers["Range"].removeprefix("bytes=").removesuffix("-"))
    assert start > HALF


def test_a_download_that_cannot_be_continued_now_is_kept(
    server: Server, get: Callable[..., Path]
) -> None:
    server.troubles = ["cut", *["503"] * QUICK.attempts]
    assert "what has arrived is kept" in refused(get)
    server.troubles = ["503"] * QUICK.attempts
    asked = len(server.requests)
    assert "what has arrived is kept" in refused(get)
    assert len(server.requests) == asked + QUICK.attempts
    assert get().read_bytes() == PBF
    assert server.of_file()[-1].headers["Range"] == f"bytes={HALF}-"


def test_a_server_without_ranges_starts_again(server: Server, get: Callable[..., Path]) -> None:
    server.troubles = ["cut", "no ranges"]
    assert get().read_bytes() == PBF


@pytest.mark.parametrize("newer", [NEWER_PBF, NEWER_PBF[: len(PBF)]], ids=["longer", "as long"])
@pytest.mark.parametrize("trouble", ["", "no If-Range"])
def test_a_file_that_changed_between_two_attempts_is_not_mixed(
    trouble: str, newer: bytes, server: Server, get: Callable[..., Path]
) -> None:
    server.troubles = ["cut", trouble]

    def change(_: str) -> None:
        server.files[PATH], server.etag, server.modified = newer, '"2"', None

    assert get(say=change).read_bytes() == newer


def test_a_server_may_give_less_than_the_range(server: Server, get: Callable[..., Path]) -> None:
    server.troubles = ["cut", "short", "wrong range"]
    assert get().read_bytes() == PBF


def test_without_a_validator_nothing_is_continued(server: Server, get: Callable[..., Path]) -> None:
    server.etag = server.modified = None
    server.troubles = ["cut"]
    assert get().read_bytes() == PBF
    assert server.of_file()[-1].headers.get("Range") is None


def test_a_weak_etag_does_not_pin_a_version(server: Server, get: Callable[..., Path]) -> None:
    server.etag = 'W/"1"'
    server.troubles = ["cut"]
    assert get().read_bytes() == PBF
    assert server.of_file()[-1].headers["If-Range"] == MODIFIED


def test_a_whole_file_of_unknown_length_is_not_continued_for_ever(
    server: Server, get: Callable[..., Path]
) -> None:
    def interrupt(have: int, total: int | None) -> None:
        if have == len(PBF):
            raise KeyboardInterrupt

    server.troubles = ["no length"]
    with pytest.raises(KeyboardInterrupt):
        get(progress=interrupt)
    assert get().read_bytes() == PBF  # the server answers 416 to the range, then gives it all


@pytest.mark.parametrize(
    ("header", "least_s"),
    [("2", 2), ("in 600 s", 590)],
)
def test_the_server_says_how_long_to_wait(
    header: str,
    least_s: float,
    server: Server,
    get: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if header == "in 600 s":
        header = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    server.headers, server.troubles = {"Retry-After": header}, ["429"]
    assert get(patience=_patient()).read_bytes() == PBF
    assert least_s <= max(waited) <= least_s + 20


def _patient() -> _transfer.Patience:
    return _transfer.Patience(first_wait_s=0.001, longest_wait_s=3600)


# Faults that do not pass.


def test_a_server_that_asks_for_too_long_a_wait(server: Server, get: Callable[..., Path]) -> None:
    server.headers, server.troubles = {"Retry-After": "3600"}, ["429"]
    assert "asks to wait 3600 s" in refused(get)
    assert len(server.requests) == 1


def test_a_server_that_stays_broken(server: Server, get: Callable[..., Path]) -> None:
    server.troubles = ["503"] * 9
    message = refused(get)
    assert server.url in message
    assert "503" in message
    assert len(server.requests) == QUICK.attempts


def test_a_server_that_always_breaks_off_at_the_same_place(
    server: Server, get: Callable[..., Path]
) -> None:
    server.etag = server.modified = None  # so every attempt starts again
    server.troubles = ["cut"] * 9
    assert "what has arrived is kept" in refused(get)
    assert len(server.requests) == QUICK.attempts + 1  # the first brought something new


def test_no_server(server: Server, get: Callable[..., Path]) -> None:
    server.close()
    assert "refused" in refused(get)


def test_no_server_but_a_file_in_the_cache(server: Server, get: Callable[..., Path]) -> None:
    _grow_old(get(), days=400)
    server.close()
    said: list[str] = []
    assert get(say=said.append).read_bytes() == PBF
    assert "Using the copy of 2026-11-20" in said[-1]  # its Last-Modified
    assert len(said) == 2  # tried twice, not as often as without a file to fall back on


def test_no_such_file(server: Server, get: Callable[..., Path]) -> None:
    server.files.clear()
    message = refused(get)
    assert f"{server.url}{PATH}: there is no such file on the server (404)" in message
    assert len(server.requests) == 1


def test_redirects_in_a_circle(server: Server, get: Callable[..., Path]) -> None:
    server.troubles = [f"redirect {PATH}"] * 9
    assert "redirect" in refused(get)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x.osm.pbf", "http://127.0.0.1:port/x.osm.pbf"])
def test_an_address_that_is_none(url: str, get: Callable[..., Path]) -> None:
    extract = Extract(name="x", id="x", url=url, source="Geofabrik")
    assert "no http address" in refused(get, extract=extract)


def test_https_is_not_left_by_a_redirect() -> None:
    plain = httpx.Response(200, request=httpx.Request("GET", "http://example.org/x.osm.pbf"))
    with pytest.raises(UnusableInput, match="without https"):
        _transfer._refuse(plain, "https://example.org/x.osm.pbf")
    _transfer._refuse(plain, "http://example.org/x.osm.pbf")


def test_a_web_page_instead_of_a_file(server: Server, get: Callable[..., Path]) -> None:
    server.files[PATH] = b"<html>Please log in to this network</html>"
    assert "no OpenStreetMap PBF" in refused(get)


def test_an_id_cannot_lead_out_of_the_cache(server: Server, get: Callable[..., Path]) -> None:
    extract = Extract(name="x", id="../../x", url=server.url + PATH, source="Geofabrik")
    assert "no id" in refused(get, extract=extract)


def test_a_full_disk_is_noticed_before_the_download(
    server: Server, get: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert "are free; make room" in refused(get)


def test_a_disk_that_fills_up_on_the_way(server: Server, get: Callable[..., Path]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, hard))
    try:
        assert "cannot be written (file too large); make room" in refused(get)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert get().read_bytes() == PBF


def test_a_cache_that_cannot_be_made(get: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "SOUSVEIL_CACHE" in refused(get, cache=tmp_path / "file")


# Checksums.


def test_a_wrong_file_is_downloaded_once_more(server: Server, get: Callable[..., Path]) -> None:
    server.state_md5(NEWER_PBF)
    server.files[PATH] = PBF

    def publish(have: int, total: int | None) -> None:
        if len(server.of_file()) == 2:
            server.state_md5(PBF)

    assert get(progress=publish).read_bytes() == PBF
    assert len(server.of_file()) == 2


def test_a_file_that_stays_wrong_is_refused_and_not_kept(
    server: Server, get: Callable[..., Path], tmp_path: Path
) -> None:
    server.state_md5(NEWER_PBF)
    message = refused(get)
    assert hashlib.md5(PBF).hexdigest() in message
    assert hashlib.md5(NEWER_PBF).hexdigest() in message
    assert len(server.of_file()) == 2
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.stat().st_size]


def test_a_checksum_that_cannot_be_had_leaves_the_download_for_the_next_time(
    server: Server, get: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(line: Any, url: str) -> str:
        raise UnusableInput(f"{url}: no answer")

    with monkeypatch.context() as patch:
        patch.setattr(_transfer, "read_small", broken)
        assert ".md5" in refused(get)
    assert get().read_bytes() == PBF
    assert len(server.of_file()) == 1


def test_bbbike_has_one_list_for_the_folder(server: Server, get: Callable[..., Path]) -> None:
    other, ours = "0" * 32, hashlib.md5(NEWER_PBF).hexdigest()
    server.files["/europe/CHECKSUM.txt"] = (
        f"{other}  monaco-latest.osm.gz\n{ours}  monaco-latest.osm.pbf\n".encode()
    )
    assert ours in refused(get, extract=monaco(server, "BBBike"))


MD5, SHA256 = "0123456789abcdef" * 2, "fedcba9876543210" * 4


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (f"{MD5}  a.osm.pbf\n", ("md5", MD5)),  # md5sum
        (f"{MD5.upper()} *a.osm.pbf\r\n", ("md5", MD5)),  # md5sum --binary on Windows
        (f"MD5 (a.osm.pbf) = {MD5}\n", ("md5", MD5)),  # md5 of BSD
        (f"{MD5}  a.osm.pbf\n{SHA256}  a.osm.pbf\n", ("sha256", SHA256)),
        (f"{MD5}  b-a.osm.pbf\n", None),
        ("<html>not found</html>", None),
        ("", None),
    ],
)
def test_lists_of_checksums(text: str, stated: tuple[str, str] | None) -> None:
    assert _checksums.stated(text, "https://example.org/x/a.osm.pbf") == stated


def _grow_old(path: Path, *, days: float) -> None:
    notes = path.with_name(f"{path.name}.json")
    content = json.loads(notes.read_text())
    content["confirmed_at"] = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    notes.write_text(json.dumps(content))
