"""OpenStreetMap data read into a source: cameras, and the streets and buildings around them."""

from __future__ import annotations

import statistics
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa
import shapely
from osmium import InvalidLocationError

from sousveil.errors import UnusableInput
from sousveil.sources import Source, quarantine
from sousveil.sources._country import country_at
from sousveil.sources.osm import _formats, _homes, _overpass, _places, _pyosmium
from sousveil.sources.osm._boundaries import Boundary, Listed, choose, draw, listed, matching
from sousveil.sources.osm._contents import Contents, SetAside
from sousveil.sources.osm._formats import Format, is_osm
from sousveil.sources.osm._passes import Input, header, lines_of, newest_versions
from sousveil.sources.osm._pbf_blobs import survey as survey_blobs
from sousveil.sources.osm._tags import Interpreted, RawObject, interpret
from sousveil.sources.osm._xml_guard import sanitise, survey

__all__ = ["is_osm", "list_boundaries", "read", "read_boundary", "read_homes", "read_places"]

Progress = Callable[[str], None]
Lines = dict[int, shapely.Geometry]

PUBLISHER: Final = "OpenStreetMap contributors"
LICENCE: Final = "ODbL-1.0"
ATTRIBUTION: Final = "© OpenStreetMap contributors"

COMPILED_FROM_BYTES: Final = 20_000_000
"""From this size on the compiled reader is tried: see `_compiled` for the times behind it."""

# What pyosmium, zlib, gzip, bz2 and json raise for bytes that are not what they should be.
_DAMAGE: Final = (
    RuntimeError,
    ValueError,
    OverflowError,
    MemoryError,
    EOFError,
    OSError,
    zlib.error,
    InvalidLocationError,
)


def read(
    path: Path,
    *,
    source_id: str,
    context: bool = True,
    progress: Progress | None = None,
) -> Source:
    """Read one file of OpenStreetMap data: PBF, XML (plain, gzip, bzip2) or Overpass JSON.

    source_id: stands before the id of every observation. context: read streets and buildings too;
    without them their tables are empty and reading is faster. progress: called with a line of text
    at every step.

    rows counts the objects of interest: nodes, ways and relations that are, were or will be an
    installation by their own tags, and devices of enforcement relations, each once. Streets are
    lines, or several where the file lacks nodes in between; buildings are closed ways and
    multipolygon relations, mended where their walls cross.

    Raises UnusableInput for anything that cannot be read in full.
    """
    path, say = Path(path), progress or _silent
    form = _formats.required(path)
    with _refusing_damage(path):
        contents = _contents(path, form, context=context, progress=say)
    for note in contents.notes:
        say(note)
    interpreted = interpret(
        contents.objects, source_id=source_id, country=_country(contents.objects)
    )
    whole = [one for one in contents.set_aside if one.field is None]
    return Source(
        source_id=source_id,
        path=str(path),
        format=_formats.TITLES[form.kind],
        publisher=PUBLISHER,
        licence=LICENCE,
        attribution=ATTRIBUTION,
        seen_on=contents.content_date,
        rows=len(contents.objects) + len(whole),
        links_dropped=interpreted.links_dropped,
        header_box=contents.header_box,
        observations=interpreted.observations,
        quarantine=_with_set_aside(interpreted, contents, source_id),
        streets=contents.streets,
        buildings=contents.buildings,
    )


def read_boundary(path: Path, wanted: str) -> tuple[str, shapely.Geometry]:
    """Return name and (multi)polygon, in longitude and latitude, of an administrative relation.

    wanted: its id ("62428", "r62428", "relation/62428"), or its name in any language and form,
    whatever the case of the letters.

    Raises UnusableInput if there is none or more than one, or if the file does not hold all of it.
    """
    path = Path(path)
    found, lines = _boundaries_in(path, lambda found: _ways_meant(wanted, found))
    chosen = choose(path, wanted, found, lines)
    return chosen.name, draw(path, chosen, lines)


def list_boundaries(path: Path) -> list[Listed]:
    """Return the administrative relations of a file by level and name, and if they are complete."""
    found, lines = _boundaries_in(Path(path), _ways_of)
    return listed(found, lines)


def read_homes(path: Path) -> pa.Table:
    """Return what a file says of where people live as records.HOMES: flats and addresses.

    Nodes and ways; relations are left out. Raises UnusableInput for a file that cannot be read.
    """
    return _read_apart(path, _homes)


def read_places(path: Path) -> pa.Table:
    """Return what people go to in a file as records.PLACES: shops, schools, offices, stops, ...

    Nodes and ways; relations are left out. Raises UnusableInput for a file that cannot be read.
    """
    return _read_apart(path, _places)


def _read_apart(path: Path, reader: Any) -> pa.Table:
    path = Path(path)
    form = _formats.required(path)
    found: pa.Table
    with _refusing_damage(path):
        if form.kind == "json":
            found = reader.read_json(path, form)
        else:
            with _safe_file(path, form) as (file, _):
                found = reader.read(file)
    return found


def _ways_of(found: Iterable[Boundary]) -> set[int]:
    return {way for one in found for way in one.ways}


def _ways_meant(wanted: str, found: Sequence[Boundary]) -> set[int]:
    """Return the ways of the boundary that is meant; of all, to say what there is, if none is."""
    meant = matching(wanted, found)
    return _ways_of(meant if len(meant) == 1 else found)


def _silent(_: str) -> None:
    pass


@contextmanager
def _refusing_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise UnusableInput(
            f"{path}: is damaged or incomplete ({said[:200]}); download or export it again"
        ) from error


def _contents(path: Path, form: Format, *, context: bool, progress: Progress) -> Contents:
    if form.kind == "json":
        return _overpass.read(path, form, context=context, progress=progress)
    if form.kind == "pbf" and path.stat().st_size >= COMPILED_FROM_BYTES:
        contents = _compiled_contents(Input(path, form), context=context, progress=progress)
        if contents is not None:
            return contents
    with _safe_file(path, form) as (file, left_out):
        try:
            contents = _pyosmium.read(file, context=context, progress=progress)
        except _pyosmium.Disordered:
            progress("Putting the file in order")
            with newest_versions(file) as ordered:
                contents = _pyosmium.read(ordered, context=context, progress=progress)
    return replace(contents, set_aside=left_out)


def _compiled_contents(file: Input, *, context: bool, progress: Progress) -> Contents | None:
    """Return what the compiled reader finds, None for a file that is not for it."""
    try:
        from sousveil.sources.osm import _compiled
    except RuntimeError:  # numba finds no folder where it may keep what it compiles
        return None
    return _compiled.read(file, context=context, progress=progress)


@contextmanager
def _safe_file(path: Path, form: Format) -> Iterator[tuple[Input, list[SetAside]]]:
    """Give a file for pyosmium: bounded, each object once, and what was left out for that."""
    file, irregular = Input(path, form), False
    left_out: list[SetAside] = []
    with ExitStack() as kept:
        if form.kind == "xml":
            with _formats.open_bytes(path, form.compression) as stream:
                found = survey(stream)
            if found.remark and "error" in found.remark.casefold():
                raise _formats.incomplete_download(path, found.remark)
            irregular = found.irregular
            if found.excess:
                folder = Path(kept.enter_context(TemporaryDirectory(prefix="sousveil-")))
                file, left_out = _sanitised(path, form, folder / "sanitised.osm")
        else:
            file = Input(path, form, survey_blobs(path, _pyosmium.WORDS))
        if irregular or header(file).has_multiple_object_versions:
            file = kept.enter_context(newest_versions(file))
        yield file, left_out


def _sanitised(path: Path, form: Format, copy: Path) -> tuple[Input, list[SetAside]]:
    with _formats.open_bytes(path, form.compression) as stream, copy.open("wb") as out:
        left_out = sanitise(stream, out)
    return Input(copy, Format("xml", "")), left_out


def _boundaries_in(
    path: Path, ways: Callable[[Sequence[Boundary]], Collection[int]]
) -> tuple[list[Boundary], Lines]:
    """Return the boundaries of a file, and the complete lines of the ways that are asked for."""
    form = _formats.required(path)
    with _refusing_damage(path):
        if form.kind == "json":
            return _overpass.boundaries(path, form)
        with _safe_file(path, form) as (file, _):
            found = list(_pyosmium.boundaries(file))
            return found, lines_of(file, ways(found))


def _country(objects: Sequence[RawObject]) -> str | None:
    """Return the country that most of the objects are in, which their owners' names depend on."""
    places = [(one.lon, one.lat) for one in objects if one.lon is not None and one.lat is not None]
    if not places:
        return None
    return country_at(*(statistics.median(axis) for axis in zip(*places, strict=True)))


def _with_set_aside(interpreted: Interpreted, contents: Contents, source_id: str) -> pa.Table:
    """Add what the reader left out to the quarantine.

    A part of an object that is no row of the list, such as a street, stands at row 0; an element
    that nothing is known of comes after all rows. No private home is named.
    """
    seen = interpreted.observations
    homes = set(seen.filter(seen["private_home"])["native_id"].to_pylist())
    rows = {one.native_id: one.row for one in contents.objects}
    beyond = count(len(contents.objects) + 1)
    extra = [
        quarantine.set_aside(
            source_id=source_id,
            row=next(beyond) if one.field is None else rows.get(one.native_id or "", 0),
            field=one.field,
            value=one.value,
            reason=one.reason,
            native_id=None if one.native_id in homes else one.native_id,
        )
        for one in contents.set_aside
    ]
    return pa.concat_tables([interpreted.quarantine, quarantine.table(extra)])
