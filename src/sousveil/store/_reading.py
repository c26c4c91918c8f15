"""A file onto a register: extracts of OpenStreetMap whole, other lists part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely

from sousveil import store
from sousveil.records import BUILDINGS, OBSERVATIONS, QUARANTINE, STREETS
from sousveil.sources import Source, osm, reading, tabular
from sousveil.sources.tabular._observe import Part
from sousveil.sources.tabular._spec import Spec
from sousveil.store import Added, Linker

Progress = Callable[[str], None]


def add_file(
    register: Path,
    path: Path,
    *,
    spec: str | None = None,
    series: str | None = None,
    dated: date | None = None,
    area: shapely.Geometry | None = None,
    is_whole_list: bool = False,
    has_ids: bool | None = None,
    link: Linker | None = None,
    accept_swapped: bool = False,
    progress: Progress = lambda _: None,
) -> Added:
    """Add a file, or a directory of files of one list, to a register; see `store.add`.

    spec: a description (a TOML file, or an id in the catalogue); by default one of the catalogue
    that fits, else the file is read as OpenStreetMap data. area: by default, for an extract of
    OpenStreetMap, what it tells of (`store.area_told`). A file that is on the register already is
    not read. Raises UnusableInput for what cannot be read.
    """
    described = reading.description(path, spec)
    spec_file = None if described is None else Path(described.path)
    held = store.holds(register, store.fingerprint(path, spec=spec_file))
    if held:
        return held
    options: dict[str, Any] = {
        "dated": dated,
        "is_whole_list": is_whole_list,
        "has_ids": has_ids,
        "linker": link,
        "progress": progress,
    }
    if described is None:
        reading.refuse_unknown_list(path)
        source = osm.read(path, source_id=reading.stem(path), progress=progress)
        area = store.area_told(source) if area is None else area
        return store.add(register, source, series=series, area=area, **options)
    source, parts = _list(path, described, accept_swapped=accept_swapped, progress=progress)
    return store.add(
        register,
        source,
        parts,
        series=series or described.spec_id,
        area=area,
        spec=spec_file,
        **options,
    )


def linker(observations: pa.Table) -> pa.Table:
    """Find the same cameras in several lists, for `add_file`: records.OBSERVATIONS to LINKS."""
    from sousveil import linking  # takes a while, and most files meet no other list

    return linking.link(observations).links


def _list(
    path: Path, spec: Spec, *, accept_swapped: bool, progress: Progress
) -> tuple[Source, Iterable[Part]]:
    """Return a list without its rows, and the parts that hold them."""
    scanned = tabular.scan(
        path,
        source_id=reading.stem(path),
        spec=spec,
        accept_swapped=accept_swapped,
        progress=progress,
    )
    source = Source(
        source_id=scanned.source_id,
        path=str(path),
        format=scanned.format,
        publisher=spec.publisher,
        licence=spec.licence,
        attribution=spec.attribution,
        seen_on=scanned.seen_on,
        rows=0,
        links_dropped=0,
        header_box=None,
        observations=OBSERVATIONS.empty_table(),
        quarantine=QUARANTINE.empty_table(),
        streets=STREETS.empty_table(),
        buildings=BUILDINGS.empty_table(),
        list_id=spec.list_id,
        url=spec.url,
        covers=spec.covers,
        counts=spec.counts,
        has_duplicates=spec.has_duplicates,
        redistributable=spec.redistributable,
        notes=scanned.notes,
    )
    return source, scanned.parts
