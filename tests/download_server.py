"""A server on this machine that serves files, and also fails, stalls, truncates and changes."""

from __future__ import annotations

import hashlib
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PBF = b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + random.Random(1).randbytes(300_000)
NEWER_PBF = b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + random.Random(2).randbytes(310_000)
HALF = len(PBF) // 2
MODIFIED = "Fri, 20 Nov 2026 10:00:00 GMT"
PATH = "/europe/monaco-latest.osm.pbf"


class Request(NamedTuple):
    path: str
    headers: dict[str, str]


class Server:
    """Files to serve, and what goes wrong with each request to come for a PBF, in order."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {PATH: PBF}
        self.etag: str | None = '"1"'
        self.modified: str | None = MODIFIED
        self.troubles: list[str] = []
        self.breaks_at = HALF
        self.headers: dict[str, str] = {}
        self.requests: list[Request] = []
        self.over = threading.Event()
        handler = type("Handler", (_Handler,), {"site": self})
        self._http = _QuietServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def of_file(self) -> list[Request]:
        return [request for request in self.requests if request.path.endswith(".pbf")]

    def state_md5(self, content: bytes) -> None:
        digest = hashlib.md5(content).hexdigest()
        self.files[f"{PATH}.md5"] = f"{digest}  monaco-latest.osm.pbf\n".encode()

    def close(self) -> None:
        if not self.over.is_set():
            self.over.set()
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        pass  # clients that hang up are what these tests are about


class _Handler(BaseHTTPRequestHandler):
    site: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.site.requests.append(Request(self.path, dict(self.headers)))
        is_file = self.path.endswith(".pbf")
        trouble = self.site.troubles.pop(0) if is_file and self.site.troubles else ""
        if trouble.isdecimal():
            self._answer(int(trouble), b"", self.site.headers)
        elif trouble.startswith("redirect "):
            self._answer(302, b"", {"Location": trouble.removeprefix("redirect ")})
        elif self.path not in self.site.files:
            self._answer(404, b"nothing here", {})
        elif is_file:
            self._serve(self.site.files[self.path], trouble)
        else:
            self._answer(200, self.site.files[self.path], {})

    def _serve(self, content: bytes, trouble: str) -> None:
        validators = {"ETag": self.site.etag, "Last-Modified": self.site.modified}
        headers = {name: value for name, value in validators.items() if value}
        if self.site.etag and self.headers["If-None-Match"] == self.site.etag:
            return self._answer(304, b"", headers)
        start = self._start(trouble)
        if start >= len(content):
            return self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if trouble == "wrong range":
            headers["Content-Range"] = f"bytes 7-{len(content) - 1}/{len(content)}"
        end = start + 1000 if trouble == "short" else len(content)
        return self._answer(206 if start else 200, content[start:end], headers, trouble)

    def _start(self, trouble: str) -> int:
        asked = self.headers["Range"]
        pinned = self.headers["If-Range"] in (self.site.etag, self.site.modified)
        if asked is None or trouble == "no ranges" or not (pinned or trouble == "no If-Range"):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _answer(self, status: int, body: bytes, headers: dict[str, str], trouble: str = "") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if trouble == "no length":
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if trouble in ("cut", "stall"):
            self.wfile.write(body[: self.site.breaks_at])
            self.wfile.flush()
            self.close_connection = True
            if trouble == "stall":
                self.site.over.wait(3)
        else:
            if trouble == "slow":
                self.site.over.wait(0.1)
            self.wfile.write(body)
