"""Sources as a person names them: files, lists with a description, places, the sample."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow.compute as pc

from sousveil.errors import BrokenInvariant, UnusableInput
from sousveil.sources import Source, catalogue, download, osm, tabular
from sousveil.sources.tabular._files import format_of
from sousveil.sources.tabular._readers import files_in
from sousveil.sources.tabular._spec import Spec

Progress = Callable[[str], None]

_SPEC: Final = "spec="
_ENDINGS: Final = (
    ".pbf", ".osm", ".gz", ".bz2", ".zip", ".json", ".geojson", ".csv", ".tsv", ".txt", ".xlsx",
    ".xls", ".ods", ".gpkg", ".parquet", ".shp",
)  # fmt: skip
_PACKING: Final = re.compile(
    r"(\.osm|\.geojson)?(\.(pbf|osm|json|geojson|csv|tsv|txt|xlsx?|ods|gpkg|parquet|shp|zip|gz|bz2))*$",
    re.IGNORECASE,
)


class Told(NamedTuple):
    """Who is told of the work: of every step, and of how far a download is."""

    step: Progress = lambda _: None
    download: Callable[[int, int | None], None] | None = None


class Located(NamedTuple):
    """A source on this machine; place: the name of the place where it was asked for by that."""

    source_id: str
    path: Path
    place: str | None
    spec: str | None  # the description that was asked for
    folder: str | None = None  # the name of the directory of which it is one source of several


def with_specs(arguments: Sequence[str | Path]) -> list[tuple[str | Path, str | None]]:
    """Return sources, each with the description that "spec=..." behind it names, if any."""
    found: list[tuple[str | Path, str | None]] = []
    for argument in arguments:
        if not str(argument).startswith(_SPEC):
            found.append((argument, None))
        elif found and found[-1][1] is None:
            found[-1] = found[-1][0], str(argument).removeprefix(_SPEC)
        else:
            raise UnusableInput(f"{argument}: stands behind no file; write FILE {argument}")
    return found


def locate(arguments: Sequence[str | Path], told: Told, *, one_each: bool = False) -> list[Located]:
    """Return where each source lies; a place that is named is downloaded.

    arguments: files, directories of files of one list, directories of OpenStreetMap data (each
    file a source), "spec=FILE" behind one of those, "helsinki", or names of places. one_each:
    refuse a directory that holds several sources.
    Raises UnusableInput for what is none of them.
    """
    if not arguments:
        raise UnusableInput("no source given; name a file, a place to download, or helsinki")
    located: list[Located] = []
    for source, spec in with_specs(arguments):
        path, place = _path(source, told)
        paths = [path] if spec else _sources_in(path)
        if one_each and len(paths) > 1:
            raise UnusableInput(f"{path}: is a directory of {len(paths)} sources; name one of them")
        folder = path.resolve().name if len(paths) > 1 else None
        for one in paths:
            located.append(Located(_free_id(stem(one), located), one, place, spec, folder))
    return located


def _sources_in(path: Path) -> list[Path]:
    """Return the OpenStreetMap files of a directory, and itself if it also holds a known list.

    Itself alone where there are none, or for what is no directory.
    """
    if not path.is_dir():
        return [path]
    extracts = [one for one in files_in(path) if osm.is_osm(one)]
    if extracts and catalogue.match(path) is None:
        return extracts
    return [*extracts, path]


def stem(path: Path) -> str:
    """Return the name of a file without what says only how it is packed."""
    return _PACKING.sub("", path.name) or path.name


def read(found: Located, *, accept_swapped: bool = False, told: Told) -> Source:
    """Read one source: a list by its description, OpenStreetMap data otherwise.

    accept_swapped: use rows of a list whose latitude and longitude are swapped.
    Raises UnusableInput for what cannot be read, BrokenInvariant if a row were lost.
    """
    told.step(f"Reading {found.path.name}")
    spec = description(found.path, found.spec)
    if spec is None:
        refuse_unknown_list(found.path)
        source = osm.read(found.path, source_id=found.source_id, progress=told.step)
    else:
        source = tabular.read(
            found.path,
            source_id=found.source_id,
            spec=spec,
            accept_swapped=accept_swapped,
            progress=told.step,
        )
    set_aside = pc.sum(pc.invert(source.quarantine["kept"])).as_py() or 0
    used = source.observations.num_rows + source.evidence.num_rows
    if source.rows != used + set_aside:
        raise BrokenInvariant(
            f"{found.path}: {source.rows} rows, but {used} used and {set_aside} in quarantine"
        )
    return source


def description(path: Path, asked: str | None) -> Spec | None:
    """Return the description that a list is read by, None for OpenStreetMap data.

    asked: a TOML file, or an id of the catalogue; without it the one of the catalogue that fits.
    """
    if asked is not None:
        return catalogue.load(asked)
    if path.is_file() and osm.is_osm(path):
        return None
    return catalogue.match(path)


def refuse_unknown_list(path: Path) -> None:
    """Raise UnusableInput for an empty file and for a list that no description fits."""
    if path.is_dir():
        raise UnusableInput(
            f"{path}: is a directory that holds neither OpenStreetMap data nor a list that a known "
            "description fits; name a file, or put spec=list.toml behind the directory"
        )
    if not path.is_file() or osm.is_osm(path):
        return
    if not path.stat().st_size:
        raise UnusableInput(f"{path}: is empty; get the file again")
    try:
        is_list = format_of(path) != "osm"
    except (OSError, UnusableInput):
        return  # the reader of OpenStreetMap data says what it is
    if is_list:
        raise UnusableInput(
            f"{path}: is a list that no known description fits; draft one with `sousveil sources "
            f"new {path.name} > list.toml`, finish it, and put spec=list.toml behind the file"
        )


def _free_id(wanted: str, located: Sequence[Located]) -> str:
    pattern = rf"{re.escape(wanted)}(-\d+)?"
    taken = sum(re.fullmatch(pattern, one.source_id) is not None for one in located)
    return f"{wanted}-{taken + 1}" if taken else wanted


def _path(source: str | Path, told: Told) -> tuple[Path, str | None]:
    path = Path(source)
    is_result = path.is_dir() and (path / "sources.json").is_file()  # of an earlier census
    if isinstance(source, Path) or (path.exists() and not is_result):
        return path, None
    if source.casefold() == "helsinki":
        return download.sample(), "Helsinki"
    if source.startswith(("/", ".", "~")) or path.suffix.lower() in _ENDINGS:
        raise UnusableInput(f"{source}: no such file; check the path")
    extract = download.find(source)
    told.step(f"Fetching {extract.name} from {extract.source}")
    return download.fetch(extract, progress=told.download, say=told.step), extract.name
