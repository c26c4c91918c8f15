"""One batch of a list's rows to records and quarantine: which rows are used, and why others not."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil import _engine
from sousveil.records import QUARANTINE
from sousveil.sources.quarantine import VALUE_LENGTH
from sousveil.sources.tabular import _checks, _fields, _raw
from sousveil.sources.tabular._compose import Fault, Kept, compose
from sousveil.sources.tabular._coordinates import Bools, Located, Reasons, locate
from sousveil.sources.tabular._csv import Batch
from sousveil.sources.tabular._readers import GEOMETRY
from sousveil.sources.tabular._spec import Field, Spec

SAME_ROW: Final = "says the same as an earlier row"


class Part(NamedTuple):
    """What a batch came to: rows = records + rows of the quarantine that are not kept."""

    rows: int
    records: pa.Table  # records.OBSERVATIONS, or _evidence.EVIDENCE for agencies and areas
    quarantine: pa.Table  # records.QUARANTINE
    links: int  # dropped


class Whole(NamedTuple):
    """What holds for every batch of a list."""

    source_id: str
    spec: Spec
    crs: str | None
    several_files: bool
    accept_swapped: bool
    ruined: bool  # see _coordinates.locate
    listed_on: date | None
    latest: date
    marks: _checks.Marks


def filled(batch: Batch) -> Batch:
    """Return a batch with its texts tidied and without the rows that say nothing at all."""
    table = _raw.tidied(batch.table)
    says = np.zeros(table.num_rows, dtype=bool)
    for name in table.column_names:
        says |= np.asarray(pc.is_valid(table[name]).to_numpy(zero_copy_only=False), dtype=bool)
    if says.all():
        return batch._replace(table=table)
    return batch._replace(table=table.filter(pa.array(says)), rows=batch.rows[says])


def place(
    table: pa.Table, spec: Spec, *, crs: str | None, accept_swapped: bool, ruined: bool
) -> Located:
    """Read the coordinates of a batch; all unknown for a list of agencies or areas."""
    if spec.is_evidence:
        n = table.num_rows
        nowhere = np.full(n, np.nan)
        return Located(
            nowhere, nowhere, Reasons(n), pa.nulls(n, pa.string()), np.zeros(n, dtype=bool)
        )
    lon, lat = (_fields.plain(table, spec.fields[axis]) for axis in ("lon", "lat"))
    shapes = table[GEOMETRY] if GEOMETRY in table.column_names else None
    return locate(
        lon, lat, shapes, spec=spec, crs=crs, accept_swapped=accept_swapped, ruined=ruined
    )


def identity(table: pa.Table, spec: Spec) -> pa.Table:
    """Return `says` (a hash of all but the id), `hash` and `native_id` of each row.

    Where the list gives no id, the columns that tell its rows apart are hashed to one.
    """
    alias = {name: f"c{position}" for position, name in enumerate(table.column_names)}
    columns = [name for name in alias if name not in spec.drop]
    ids = spec.fields.get("native_id", Field())
    own = [name for name in spec.identity if name in columns] or columns
    says = [name for name in columns if name not in ids.columns] or columns
    sql = f"""
        with named as (select *, coalesce(stated, {_HASHED.format(_listed(own, alias))}) as id
                       from batch)
        select hash({_listed(says, alias)}) as says, hash(id) as "hash", id as native_id from named
    """  # noqa: S608  (names of our own)
    schema = pa.schema([("says", pa.uint64()), ("hash", pa.uint64()), ("native_id", pa.string())])
    stated = _fields.read(table, "native_id", ids).values
    named = table.rename_columns(list(alias.values())).append_column("stated", stated)
    return _engine.query(sql, schema, batch=named)


_HASHED: Final = "'row-' || left(md5(concat_ws(chr(31), {})), 16)"


def _listed(names: list[str], alias: dict[str, str]) -> str:
    return ", ".join(alias[name] for name in names)


def observe(batch: Batch, start: int, whole: Whole) -> Part:
    """Turn the rows of a batch into records, and set the others aside with their reason.

    batch: as `filled` returns it. start: the position of its first row in the list.
    """
    table, spec = batch.table, whole.spec
    n = table.num_rows
    again = _checks.within(whole.marks.again, start, start + n)
    ids = _numbered(identity(table, spec)["native_id"].combine_chunks(), again)
    located = place(
        table, spec, crs=whole.crs, accept_swapped=whole.accept_swapped, ruined=whole.ruined
    )
    why, shown = _judged(table, located, start, whole)
    used = pa.array(why.none)
    kept = Kept(
        table.filter(used),
        batch.rows[why.none],
        ids.filter(used),
        located.lon[why.none],
        located.lat[why.none],
        _spread(_checks.within(whole.marks.stand_in, start, start + n), n)[why.none],
    )
    composed = compose(
        kept,
        source_id=whole.source_id,
        spec=spec,
        listed_on=whole.listed_on,
        latest=whole.latest,
    )
    where = f" (in {batch.file})" if whole.several_files else ""
    legend = pa.array([f"{reason}{where}" for reason in why.legend])
    aside = np.flatnonzero(~why.none)
    tables = [
        _unreadable(batch, whole.source_id, where),
        _table(whole.source_id, batch.rows[aside], None, shown.take(aside),
               legend.take(pa.array(why.codes[aside])), ids.take(aside)),
    ]  # fmt: skip
    faults = [*composed.faults, *_swapped(located, why)]
    for fault in faults:
        reasons = pc.binary_join_element_wise(fault.reasons, where, "")
        tables.append(
            _table(whole.source_id, kept.rows[fault.at], fault.field, fault.texts, reasons,
                   kept.ids.take(fault.at))
        )  # fmt: skip
    quarantine = pa.concat_tables(tables)
    return Part(n + len(batch.broken), composed.records, quarantine, composed.links)


def _numbered(ids: pa.Array, again: _checks.Mark) -> pa.Array:
    """Ids that stand once each: the second row with an id gets "#2" behind it."""
    at, nth = again
    if not len(at):
        return ids
    mask = np.zeros(len(ids), dtype=bool)
    mask[at] = True
    marked = pc.binary_join_element_wise(ids.take(at), pc.cast(pa.array(nth), pa.string()), "#")
    return pc.replace_with_mask(ids, pa.array(mask), marked)


def _judged(
    table: pa.Table, located: Located, start: int, whole: Whole
) -> tuple[Reasons, pa.Array]:
    """Why rows are not used, and for each the text that shows it."""
    n = table.num_rows
    spec, marks = whole.spec, whole.marks
    why, shown = Reasons(n), located.texts
    for name, values in spec.only.items():
        cells = _fields.text_of(table, Field(columns=(name,)))
        other = pc.invert(pc.fill_null(pc.is_in(cells, pa.array(values)), False))
        held = np.asarray(other.to_numpy(zero_copy_only=False), dtype=bool)
        shown = pc.if_else(pa.array(held & why.none), cells, shown)
        why.say(held, f"not what the list is read for: {name} is none of {', '.join(values)}")
    same, earlier = _checks.within(marks.same, start, start + n)
    repeated = _mask(same, n)
    if repeated.any():
        texts = np.full(n, None, dtype=object)
        texts[same] = [f"row {row}" for row in earlier]
        shown = pc.if_else(pa.array(repeated & why.none), pa.array(texts, pa.string()), shown)
        why.say(repeated, SAME_ROW)
    why.include(located.reasons)
    far, _ = _checks.within(marks.far, start, start + n)
    why.say(_mask(far, n), f"far from the other rows of the same {spec.area.near}")
    if "count" in spec.fields and not spec.is_evidence and not spec.fields["count"].zero:
        none = _fields.none_counted(table, spec.fields["count"])
        why.say(none, "counts no camera")
    return why, shown


def _mask(at: Any, n: int) -> Bools:
    mask = np.zeros(n, dtype=bool)
    mask[at] = True
    return mask


def _spread(mark: _checks.Mark, n: int) -> npt.NDArray[np.float64]:
    values = np.full(n, np.nan)
    values[mark[0]] = mark[1]
    return values


def _swapped(located: Located, why: Reasons) -> list[Fault]:
    """The rows whose coordinates are used the other way round, as was asked for."""
    used = located.swapped[why.none]
    if not used.any():
        return []
    at = np.flatnonzero(used)
    texts = located.texts.take(np.flatnonzero(located.swapped & why.none))
    reasons = pa.repeat("latitude and longitude were swapped: used the other way round", len(at))
    return [Fault("lat, lon", at, texts, reasons)]


def _unreadable(batch: Batch, source_id: str, where: str) -> pa.Table:
    rows = np.array([row for row, _, _ in batch.broken], np.int64)
    texts = pa.array([text for _, text, _ in batch.broken], pa.string())
    reasons = pa.array([f"{reason}{where}" for _, _, reason in batch.broken], pa.string())
    return _table(source_id, rows, None, texts, reasons, pa.nulls(len(rows), pa.string()))


def _table(
    source_id: str,
    rows: npt.NDArray[np.int64],
    field: str | None,
    texts: pa.Array,
    reasons: pa.Array,
    ids: pa.Array,
) -> pa.Table:
    """Rows of the quarantine, their texts made safe and cut."""
    shown, _ = _raw.safe(texts)
    n = len(rows)
    return pa.table(
        [
            pa.repeat(source_id, n),
            pa.array(rows),
            pa.repeat(pa.scalar(field, pa.string()), n),
            pc.utf8_slice_codeunits(shown, 0, VALUE_LENGTH),
            reasons,
            pa.repeat(field is not None, n),
            ids,
        ],
        schema=QUARANTINE,
    )
