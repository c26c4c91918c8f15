"""One file over HTTP: continued after every break, started again when it has changed."""

from __future__ import annotations

import email.utils
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import httpx
import tenacity

from sousveil import __version__
from sousveil.errors import UnusableInput
from sousveil.sources.download._cache import Version

USER_AGENT: Final = f"sousveil/{__version__} (+https://sousveil.example/docs)"

_CONTENT_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")

Progress = Callable[[int, int | None], None]
Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for a server, and how often to come back."""

    connect_s: float = 10.0
    stall_s: float = 30.0  # without a byte
    attempts: int = 4  # in a row that bring nothing new
    first_wait_s: float = 1.0  # doubled after every attempt
    longest_wait_s: float = 60.0


class _Passing(Exception):
    """A fault that may be gone the next time."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Line(NamedTuple):
    """A client with how it behaves; see `line`."""

    http: httpx.Client
    patience: Patience
    say: Say


@contextmanager
def line(patience: Patience, say: Say) -> Iterator[Line]:
    """Yield an HTTP client that follows redirects, says who we are and never waits for ever."""
    with httpx.Client(
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(patience.stall_s, connect=patience.connect_s),
        follow_redirects=True,
        max_redirects=5,
    ) as http:
        yield Line(http, patience, say)


def bring(
    line: Line, url: str, part: Path, *, known: Version | None, progress: Progress
) -> Version:
    """Bring the file at `url` to `part` and return its version; `known` if that is the newest.

    What an earlier call left in `part` is continued if the server confirms that it is of the same
    version. Raises UnusableInput when the server refuses, cannot be reached or keeps breaking
    off, or when the disk has no room; what has arrived then stays in `part`.
    """
    return _patiently(
        lambda: _attempt(line.http, url, part, known, progress),
        line,
        url,
        arrived=lambda: _length(part),
    )


def read_small(line: Line, url: str) -> str:
    """Return the start (64 KiB) of a text on the server, "" where there is no such file."""

    def attempt() -> str:
        with line.http.stream("GET", url) as response:
            if response.status_code in (403, 404, 410):
                return ""
            _refuse(response, url)
            return next(response.iter_bytes(1 << 16), b"").decode("utf-8", errors="replace")

    return _patiently(attempt, line, url, arrived=lambda: 0)


def forget(part: Path) -> None:
    """Remove what has arrived of a file, and what was known of it."""
    part.unlink(missing_ok=True)
    _notes(part).unlink(missing_ok=True)


def _patiently(attempt: Callable[[], T], line: Line, url: str, *, arrived: Callable[[], int]) -> T:
    """Return attempt(), made again while it fails for reasons that may pass.

    It is given up after `patience.attempts` in a row without a new byte.
    """
    patience = line.patience
    most, idle = arrived(), 0

    def is_hopeless(state: tenacity.RetryCallState) -> bool:
        nonlocal most, idle
        idle = 0 if arrived() > most else idle + 1
        most = max(most, arrived())
        return idle >= patience.attempts or _fault(state).wait_s > patience.longest_wait_s

    backing_off = tenacity.wait_exponential(
        multiplier=patience.first_wait_s, max=patience.longest_wait_s
    ) + tenacity.wait_random(0, patience.first_wait_s)
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_Passing),
        stop=is_hopeless,
        wait=lambda state: max(backing_off(state), _fault(state).wait_s),
        before_sleep=lambda state: line.say(f"{url}: {_fault(state)}; trying again"),
        reraise=True,
    )
    try:
        result: T = retrying(_http_faults, attempt, url, patience)
        return result
    except _Passing as fault:
        kept = "; what has arrived is kept" if arrived() else ""
        raise UnusableInput(f"{url}: {fault}; check the connection and try later{kept}") from fault


def _fault(state: tenacity.RetryCallState) -> _Passing:
    fault = state.outcome.exception() if state.outcome else None
    return fault if isinstance(fault, _Passing) else _Passing("")


def _http_faults(attempt: Callable[[], T], url: str, patience: Patience) -> T:
    """Return attempt(), telling faults of the network that may pass from those that do not."""
    try:
        return attempt()
    except httpx.ConnectTimeout as error:
        raise _Passing(f"no connection within {patience.connect_s:g} s") from error
    except httpx.TimeoutException as error:
        raise _Passing(f"no byte for {patience.stall_s:g} s") from error
    except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise UnusableInput(f"{url}: is no http address; mend it") from error
    except httpx.TransportError as error:
        raise _Passing(re.sub(r"^\[Errno -?\d+\] ", "", str(error)) or "broke off") from error
    except httpx.RequestError as error:
        raise UnusableInput(f"{url}: {error}; try later, or name a file that exists") from error


def _attempt(
    http: httpx.Client, url: str, part: Path, known: Version | None, progress: Progress
) -> Version:
    begun = _begun(part, url)
    have = _length(part) if begun else 0
    if begun and have == begun.size_bytes:
        return begun
    headers = _rest_of(begun, have) if begun and have else _unless(known)
    with http.stream("GET", url, headers=headers) as response:
        _refuse(response, url)
        if response.status_code == httpx.codes.NOT_MODIFIED and known:
            return known
        if response.status_code == httpx.codes.OK:
            begun, have = _begin(part, response, url), 0
        elif begun is None or not _continues(response, begun, have):
            forget(part)
            raise _Passing("the file has changed on the server")
        _refuse_full_disk(part, begun, have)
        _receive(response, part, have, begun.size_bytes, progress)
    return begun


def _begun(part: Path, url: str) -> Version | None:
    """Return the version that `part` holds the beginning of, if it can be continued."""
    try:
        version = Version(**json.loads(_notes(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return version if version.url == url and version.validator else None


def _begin(part: Path, response: httpx.Response, url: str) -> Version:
    length = response.headers.get("Content-Length", "")
    version = Version(
        url=url,
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        size_bytes=int(length) if length.isdecimal() else None,
    )
    # The old bytes go before the new notes come: notes must never describe other bytes.
    part.write_bytes(b"")
    _notes(part).write_text(json.dumps(asdict(version)), encoding="utf-8")
    return version


def _rest_of(version: Version, have: int) -> dict[str, str]:
    return {"Range": f"bytes={have}-", "If-Range": version.validator or ""}


def _unless(known: Version | None) -> dict[str, str]:
    if known is None:
        return {}
    conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {header: value for header, value in conditions.items() if value}


def _continues(response: httpx.Response, begun: Version, have: int) -> bool:
    """Tell whether a partial answer is the rest of what we have, whatever the server ignored."""
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or response.status_code != httpx.codes.PARTIAL_CONTENT:
        return False
    same_size = match[2] == "*" or begun.size_bytes in (None, int(match[2]))
    same_etag = response.headers.get("ETag") in (None, begun.etag)
    same_date = response.headers.get("Last-Modified") in (None, begun.last_modified)
    return int(match[1]) == have and same_size and same_etag and same_date


def _receive(
    response: httpx.Response, part: Path, have: int, total: int | None, progress: Progress
) -> None:
    with part.open("ab") as file:
        progress(have, total)
        for chunk in response.iter_raw():
            file.write(chunk)
            have += len(chunk)
            progress(have, total)
    if total is not None and have != total:
        raise _Passing(f"{have} bytes came of {total}")


def _refuse_full_disk(part: Path, version: Version, have: int) -> None:
    missing = (version.size_bytes or 0) - have
    free = shutil.disk_usage(part.parent).free
    if missing > free:
        raise UnusableInput(
            f"{part.parent}: {missing / 1e6:,.0f} MB are still to come and {free / 1e6:,.0f} MB "
            "are free; make room, or set SOUSVEIL_CACHE to another folder"
        )


def _refuse(response: httpx.Response, url: str) -> None:
    status = response.status_code
    if url.startswith("https:") and response.url.scheme != "https":
        raise UnusableInput(f"{url}: leads to an address without https; name a file that you have")
    if status in (200, 206, 304, 416):
        return
    answer = f"the server answers {status} ({response.reason_phrase or 'no reason given'})"
    if status in (408, 425, 429) or status >= 500:
        wait_s = _retry_after_s(response.headers.get("Retry-After", ""))
        raise _Passing(f"{answer}{f' and asks to wait {wait_s:.0f} s' if wait_s else ''}", wait_s)
    if status in (404, 410):
        answer = f"there is no such file on the server ({status})"
    raise UnusableInput(f"{url}: {answer}; name another place, or a file that you have")


def _retry_after_s(header: str) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110, section 10.2.3)."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _notes(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")
