"""Lists of cameras in tables, read by their description: CSV, spreadsheets, JSON, GeoPackage...

A list is read twice: once for what only the whole of it shows (rows that repeat, points that stand
for an area, ruined numbers), once to turn its rows into records, batch by batch, so that memory
does not grow with the list but for some 40 bytes a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from sousveil._words import plural
from sousveil.errors import BrokenInvariant, UnusableInput
from sousveil.records import BUILDINGS, OBSERVATIONS, QUARANTINE, STREETS
from sousveil.sources import Source, catalogue
from sousveil.sources._evidence import EVIDENCE, NO_EVIDENCE
from sousveil.sources.tabular import _checks
from sousveil.sources.tabular._csv import Irregular
from sousveil.sources.tabular._observe import Part, Whole, filled, observe
from sousveil.sources.tabular._readers import Rows, files_in, open_directory, open_rows
from sousveil.sources.tabular._spec import Spec
from sousveil.sources.tabular._survey import Progress, Survey, report, survey


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A list that has been looked over and is ready to be read.

    parts yields its rows batch by batch as records and quarantine; it can be read once.
    """

    source_id: str
    path: Path
    spec: Spec
    format: str  # for people: "CSV", "GeoJSON", ...
    encoding: str | None  # of delimited text
    seen_on: date | None  # the date of the list
    notes: tuple[str, ...]
    parts: Iterator[Part]


def read(
    path: Path,
    *,
    source_id: str,
    spec: Spec,
    accept_swapped: bool = False,
    progress: Progress | None = None,
) -> Source:
    """Read a list, or a directory of its files, whole.

    source_id: its name in all tables. spec: its description, from `catalogue.load` or `match`.
    accept_swapped: use rows whose latitude and longitude are swapped the other way round; they
        are named in the quarantine all the same.
    progress: called with a line of text now and then.

    Raises UnusableInput, in one line, for a file that cannot be read as described.
    """
    reading = scan(
        path, source_id=source_id, spec=spec, accept_swapped=accept_swapped, progress=progress
    )
    parts = list(reading.parts)
    schema = EVIDENCE if spec.is_evidence else OBSERVATIONS
    records = pa.concat_tables([schema.empty_table(), *(part.records for part in parts)])
    return Source(
        source_id=source_id,
        path=str(path),
        format=reading.format,
        publisher=spec.publisher,
        licence=spec.licence,
        attribution=spec.attribution,
        seen_on=reading.seen_on,
        rows=sum(part.rows for part in parts),
        links_dropped=sum(part.links for part in parts),
        header_box=None,
        observations=OBSERVATIONS.empty_table() if spec.is_evidence else records,
        quarantine=pa.concat_tables(
            [QUARANTINE.empty_table(), *(part.quarantine for part in parts)]
        ),
        streets=STREETS.empty_table(),
        buildings=BUILDINGS.empty_table(),
        evidence=records if spec.is_evidence else NO_EVIDENCE,
        list_id=spec.list_id,
        url=spec.url,
        area=spec.area.name,
        country=spec.area.country,
        covers=spec.covers,
        counts=spec.counts,
        has_duplicates=spec.has_duplicates,
        redistributable=spec.redistributable,
        notes=reading.notes,
    )


def scan(
    path: Path,
    *,
    source_id: str,
    spec: Spec,
    accept_swapped: bool = False,
    progress: Progress | None = None,
) -> Reading:
    """Look a list over and return it ready to be read part by part, in bounded memory.

    Parameters and errors as in `read`. Every part holds as many records and rows set aside as it
    has rows; anything else raises BrokenInvariant.
    """
    files = _files(path, spec)
    latest = _latest(path, spec)
    try:
        rows = _opened(path, files, spec, careful=False)
        found = survey(path, rows, spec, latest=latest, progress=progress)
    except Irregular:
        rows = _opened(path, files, spec, careful=True)
        found = survey(path, rows, spec, latest=latest, progress=progress)
    named = period_in(path.name)
    seen_on = found.newest or spec.date or (named[0] if named else None)
    whole = Whole(
        source_id=source_id,
        spec=spec,
        crs=spec.file.crs or rows.crs,
        several_files=len(files) > 1,
        accept_swapped=accept_swapped,
        ruined=found.ruined > 0,
        listed_on=seen_on,
        latest=found.newest or latest,
        marks=found.marks,
    )
    return Reading(
        source_id=source_id,
        path=path,
        spec=spec,
        format=rows.format,
        encoding=rows.encoding,
        seen_on=seen_on,
        notes=(*spec.notes, *_notes(found)),
        parts=_parts(path, rows, whole, found.rows, progress),
    )


def _files(path: Path, spec: Spec) -> list[Path]:
    """The files to read: of a directory those that the description fits, or all of them."""
    files = files_in(path)
    if path.is_dir() and (spec.match.columns or spec.match.names):
        files = [one for one in files if catalogue.fits(one, spec)]
    if not files:
        raise UnusableInput(f"{path}: holds no file of {spec.title}; check the directory")
    return files


def _opened(path: Path, files: list[Path], spec: Spec, *, careful: bool) -> Rows:
    if path.is_dir():
        return open_directory(path, spec.file, files, careful=careful)
    return open_rows(path, spec.file, careful=careful)


def _parts(
    path: Path, rows: Rows, whole: Whole, expected: int, progress: Progress | None
) -> Iterator[Part]:
    start = 0
    for batch in map(filled, rows.batches()):
        part = observe(batch, start, whole)
        start += batch.table.num_rows
        kept = pc.sum(part.quarantine["kept"]).as_py() or 0
        set_aside = part.quarantine.num_rows - kept
        if part.rows != part.records.num_rows + set_aside:
            raise BrokenInvariant(
                f"{path}: of {part.rows} rows {part.records.num_rows} were used and {set_aside} "
                "set aside"
            )
        report(progress, "Reading", start, batch.table.num_rows)
        yield part
    if start != expected:
        raise BrokenInvariant(f"{path}: {expected} rows at first, then {start}")


def _latest(path: Path, spec: Spec) -> date:
    """The last day that a list can speak of, by its description, its name, or the calendar."""
    named = period_in(path.name)
    return spec.date or (named[1] if named else date.today())


_DAY_IN_NAME: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_](\d\d)(?:[-_](\d\d))?(?!\d)")
_YEAR_IN_NAME: Final = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")


def period_in(name: str) -> tuple[date, date] | None:
    """Return the first and last day of the day, month or year that a file's name states, if any.

    Read: list_2026-08-05.csv, list_2026_08_05.csv, list_2026-08.csv and list_2026.csv, but no
    year to come.
    """
    for year, month, day in _DAY_IN_NAME.findall(name):
        try:
            first = date(int(year), int(month), int(day or 1))
        except ValueError:
            continue
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        return first, first if day else after - timedelta(days=1)
    years = [int(year) for year in _YEAR_IN_NAME.findall(name) if int(year) <= date.today().year]
    return (date(years[-1], 1, 1), date(years[-1], 12, 31)) if years else None


def _notes(found: Survey) -> list[str]:
    """What a person should know of the list, in sentences."""
    marks = found.marks
    again, crowded = len(marks.again[0]), len(marks.stand_in[0])
    sentences = {
        f"{plural(marks.alike, 'row repeats', 'rows repeat')} an earlier row in all but their "
        "number.": marks.alike,
        f"{plural(again, 'row has', 'rows have')} an id that an earlier row has.": again,
        f"{crowded:,} rows share a point with {_checks.STAND_IN_ROWS} or more: it stands for an "
        "address, and their accuracy says so.": crowded,
        f"Thousands separators have ruined the coordinates of {plural(found.ruined, 'row')}; get "
        "the list in another format.": found.ruined,
        f"The printed totals add up to {found.printed:,}, their parts to "
        f"{found.summed:,}.": found.printed != found.summed,
    }
    return [sentence for sentence, holds in sentences.items() if holds]
