"""Whether a downloaded file is what its publisher meant to give."""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from sousveil.sources.download._index import Publisher

_ALGORITHMS: Final = {32: "md5", 64: "sha256", 128: "sha512"}  # by digits of the digest
_PBF_START: Final = b"\x0a\x09OSMHeader"  # after four bytes of length


class Checksum(NamedTuple):
    """A digest as its publisher states it."""

    algorithm: str
    digest: str


def address(publisher: Publisher, url: str) -> str:
    """Return where a publisher states the checksum of the file at `url`.

    Geofabrik has one beside every file, BBBike one list in every folder.
    """
    return f"{url}.md5" if publisher == "Geofabrik" else urljoin(url, "CHECKSUM.txt")


def stated(text: str, url: str) -> Checksum | None:
    """Return the strongest checksum that a list states for the file at `url`.

    Both forms in use are read: "<digest>  <file>" and "MD5 (<file>) = <digest>".
    """
    name = urlsplit(url).path.rsplit("/", 1)[-1]
    words = (re.split(r"[\s()=*]+", line) for line in text.splitlines())
    digests = [word.lower() for line in words if name in line for word in line if _is_digest(word)]
    if not digests:
        return None
    strongest = max(digests, key=len)
    return Checksum(_ALGORITHMS[len(strongest)], strongest)


def fault(path: Path, checksum: Checksum | None) -> str | None:
    """Return what is wrong with a downloaded file, None if nothing is."""
    with path.open("rb") as file:
        if file.read(4 + len(_PBF_START))[4:] != _PBF_START:
            return "what came is no OpenStreetMap PBF"
        if checksum is None:
            return None
        file.seek(0)
        new = functools.partial(hashlib.new, checksum.algorithm, usedforsecurity=False)
        digest = hashlib.file_digest(file, new).hexdigest()
    if digest != checksum.digest:
        return f"its {checksum.algorithm} is {digest}, not {checksum.digest} as its publisher says"
    return None


def _is_digest(word: str) -> bool:
    return len(word) in _ALGORITHMS and re.fullmatch(r"[0-9a-fA-F]+", word) is not None
