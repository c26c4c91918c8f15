"""Which OpenStreetMap format a file is in, told by its first bytes and not by its name."""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from pathlib import Path
from typing import BinaryIO, Final, Literal, NamedTuple, cast

from sousveil.errors import UnusableInput

Kind = Literal["pbf", "xml", "json"]
Compression = Literal["", "gz", "bz2"]

TITLES: Final = {
    "pbf": "OpenStreetMap PBF",
    "xml": "OpenStreetMap XML",
    "json": "Overpass JSON",
}

# What a reader of compressed bytes raises for a stream that is damaged or ends too soon.
BROKEN_STREAM: Final = (OSError, EOFError, zlib.error)

_HEAD_BYTES = 65_536  # room for a declaration, a document type and comments ahead of <osm>
_NAMES = re.compile(r"\.(osm|osh)(\.(pbf|gz|bz2))?$|\.pbf$", re.IGNORECASE)
_PBF = re.compile(rb"....[\x0a]\x09OSMHeader", re.DOTALL)
_XML = re.compile(rb"<osm[\s/>]")
_ANSWER = re.compile(rb'"elements"\s*:\s*\[')
_ELEMENT_TYPE = re.compile(rb'"type"\s*:\s*"(?:node|way|relation)"')
_ELEMENT_ID = re.compile(rb'"id"\s*:\s*-?\d+\s*[,}]')
_OTHERS: Final = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"SQLite format 3", "an SQLite or GeoPackage file"),
    (b"PAR1", "a Parquet file"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<osmchange", "a file of changes, not an extract"),
    (b"{", "JSON, but no Overpass answer"),
    (b"[", "JSON, but no Overpass answer"),
)


class Format(NamedTuple):
    """The format of a file and how its bytes are packed."""

    kind: Kind
    compression: Compression


def is_osm(path: Path) -> bool:
    """Tell whether a file is OpenStreetMap data by its content, or claims to be by its name.

    A file that is only named like one counts, so that its reader can say what is wrong with it.
    Never raises: a file that cannot be read is judged by its name.
    """
    if _NAMES.search(path.name):
        return True
    try:
        return sniff(path) is not None
    except OSError:
        return False


def required(path: Path) -> Format:
    """Return the format of a file, or raise UnusableInput that says what the file is instead."""
    if path.is_dir():
        raise UnusableInput(f"{path}: is a directory; name a file in it")
    try:
        found = sniff(path)
        if found is None:
            raise UnusableInput(
                f"{path}: is {_other(path)}; give OpenStreetMap data "
                "(.osm.pbf, .osm, .osm.gz, .osm.bz2 or Overpass JSON)"
            )
    except FileNotFoundError:
        raise UnusableInput(f"{path}: no such file; check the path") from None
    except PermissionError:
        raise UnusableInput(f"{path}: may not be read; check its permissions") from None
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read ({error.strerror or error})") from None
    return found


def sniff(path: Path) -> Format | None:
    """Return the format of a file by its content, None if it is no OpenStreetMap data."""
    compression = _compression(path)
    head = _head(path, compression)
    if _PBF.match(head) and not compression:
        return Format("pbf", "")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<") and _XML.search(text):
        return Format("xml", compression)
    if text.startswith(b"{") and _ANSWER.search(text):
        return Format("json", compression)
    if text.startswith(b"[") and _ELEMENT_TYPE.search(text) and _ELEMENT_ID.search(text):
        return Format("json", compression)
    return None


def open_bytes(path: Path, compression: Compression) -> BinaryIO:
    """Open a file for reading its bytes as they are after decompression."""
    if compression == "gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    if compression == "bz2":
        return cast(BinaryIO, bz2.open(path, "rb"))
    return path.open("rb")


def incomplete_download(path: Path, remark: str) -> UnusableInput:
    """Return the error for an answer that Overpass broke off, with what Overpass said."""
    said = " ".join(remark.split())[:200]
    return UnusableInput(
        f"{path}: the download is incomplete, Overpass says: {said}; run the query again with a "
        "longer timeout or for a smaller area"
    )


def _compression(path: Path) -> Compression:
    with path.open("rb") as file:
        magic = file.read(3)
    if magic.startswith(b"\x1f\x8b"):
        return "gz"
    return "bz2" if magic == b"BZh" else ""


def _head(path: Path, compression: Compression) -> bytes:
    with open_bytes(path, compression) as file:
        if not compression:
            return file.read(_HEAD_BYTES)
        head = b""
        try:
            # By pieces: a stream that breaks off later still shows what it is.
            while len(head) < _HEAD_BYTES and (piece := file.read(1024)):
                head += piece
        except BROKEN_STREAM:
            pass
        return head


def _other(path: Path) -> str:
    compression = _compression(path)
    head = _head(path, compression)
    if not head:
        return "empty" if not compression else "empty or damaged"
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, name in _OTHERS:
        if start.startswith(magic.lower()):
            return name
    return "no OpenStreetMap file"
