"""What a file is before it is read: its format by its first bytes, its encoding, its bytes."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from sousveil.errors import UnusableInput

FORMAT_NAMES: Final = {
    "csv": "CSV",
    "xlsx": "spreadsheet",
    "json": "JSON",
    "geojson": "GeoJSON",
    "gpkg": "GeoPackage",
    "shapefile": "Shapefile",
    "parquet": "Parquet",
}
_CHUNK: Final = 1 << 20
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def opened(path: Path) -> BinaryIO:
    """Open a file for its plain bytes, unpacking gzip whatever the name says.

    Raises UnusableInput where it cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error
    if file.peek(2)[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    return file


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong while bytes are read into one line about the file."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnusableInput(f"{path}: the gzip file is damaged or cut off; get it again") from error
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> UnusableInput:
    """Return the error for a file that the system would not give us."""
    reason = (error.strerror or str(error)).lower()
    return UnusableInput(f"{path}: cannot be read ({reason}); check the path")


def format_of(path: Path) -> str:
    """Return the format of a file by its first bytes: a key of FORMAT_NAMES, or "osm".

    Raises UnusableInput for an empty file and for what no reader here reads.
    """
    with opened(path) as file, reading(path):
        head = file.read(4096)
    if not head.strip():
        raise UnusableInput(f"{path}: is empty; get the file again")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SQLite format 3\0"):
        return "gpkg"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "xlsx"
    if head.startswith(b"PK\x03\x04"):
        return _packed(path)
    plain = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if plain[:1] in (b"[", b"{"):
        return "geojson" if re.search(rb'"type"\s*:\s*"Feature(Collection)?"', head) else "json"
    if b"OSMHeader" in head[:64] or re.match(rb"(<\?xml[^>]*>\s*)?<osm", plain):
        return "osm"
    if plain.startswith(b"<"):
        raise UnusableInput(f"{path}: is a web page or XML; save the list itself as CSV or JSON")
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnusableInput(f"{path}: is none of {', '.join(FORMAT_NAMES.values())}; convert it")
    return "csv"


def _packed(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.lower() for name in archive.namelist()]
    except (zipfile.BadZipFile, OSError) as error:
        raise UnusableInput(f"{path}: the zip file is damaged; get it again") from error
    if any(name.endswith(".shp") for name in names):
        return "shapefile"
    if any(name in ("xl/workbook.xml", "xl/workbook.bin", "content.xml") for name in names):
        return "xlsx"
    raise UnusableInput(
        f"{path}: the zip file holds neither a Shapefile nor a spreadsheet; unpack it first"
    )


def encoding_of(path: Path) -> str:
    """Return the encoding of a text file: UTF-8 where all of it is, else UTF-16, CP949 or CP1252.

    Of the single- and double-byte encodings only these two are told apart, CP949 by most of its
    letters being Hangul; any other must be stated.
    """
    marked = marked_encoding(path)
    if marked:
        return marked
    with opened(path) as file, reading(path):
        decoder = codecs.getincrementaldecoder("utf-8")()
        sample = chunk = file.read(_CHUNK)
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(_CHUNK)
                sample = _more(sample, chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _legacy(_more(sample, file.read(_CHUNK)))
    return "utf-8"


def marked_encoding(path: Path) -> str | None:
    """Return the encoding that a byte order mark at the start of a file states, if one does."""
    with opened(path) as file, reading(path):
        head = file.read(4)
    return next((name for bom, name in _BOMS if head.startswith(bom)), None)


def _more(sample: bytes, chunk: bytes) -> bytes:
    """The bytes to judge an encoding by: the first that are not plain ASCII."""
    return sample if not sample.isascii() else chunk


def _legacy(sample: bytes) -> str:
    text = sample.decode("cp949", errors="ignore")
    letters = [letter for letter in text if ord(letter) > 0x7F]
    hangul = sum("\uac00" <= letter <= "\ud7a3" for letter in letters)
    return "cp949" if letters and hangul > 0.8 * len(letters) else "cp1252"


def text_of(path: Path, encoding: str) -> io.TextIOWrapper:
    """Open a file as text with its line ends as they are (\\n, \\r\\n or \\r alone)."""
    return io.TextIOWrapper(opened(path), encoding=encoding, errors="strict", newline="")


class Utf8(io.RawIOBase):
    """The bytes of a text file as UTF-8 without byte order mark, whatever its encoding."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._file = opened(path)
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._plain = encoding == "utf-8"

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, about as many as asked for; none at the end."""
        while True:
            chunk = self._file.read(size)
            if self._plain:
                return chunk
            text = self._decoder.decode(chunk, final=not chunk).encode()
            if text or not chunk:
                return text

    def close(self) -> None:
        """Close the file beneath."""
        self._file.close()
        super().close()
