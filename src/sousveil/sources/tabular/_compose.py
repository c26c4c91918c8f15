"""The rows of a batch that are used, field by field, to observations or to evidence."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sousveil.records import OBSERVATIONS
from sousveil.sources._evidence import EVIDENCE
from sousveil.sources._owners import PERSON, owner_of
from sousveil.sources.tabular import _fields, _raw
from sousveil.sources.tabular._fields import Column
from sousveil.sources.tabular._spec import Field, Spec, Total

CATALOGUE_RULE: Final = "catalogue"
OWNER_RULES: Final = {CATALOGUE_RULE: "the list's own publisher says who runs its cameras"}
"""The rule of an owner that a list's description states, to stand beside _owners.RULES."""

_LOCATING: Final = ("native_id", "lon", "lat")


class Kept(NamedTuple):
    """The rows of a batch that are used."""

    table: pa.Table  # texts
    rows: npt.NDArray[np.int64]
    ids: pa.Array
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    accuracy_m: npt.NDArray[np.float64]  # of points that stand for an area, else NaN


class Fault(NamedTuple):
    """Texts of one field that are set aside while their rows are used."""

    field: str
    at: npt.NDArray[np.int64]  # positions among the kept rows
    texts: pa.Array
    reasons: pa.Array


class Composed(NamedTuple):
    """The rows of a batch as records, what was set aside of them, and the links dropped."""

    records: pa.Table  # records.OBSERVATIONS, or _evidence.EVIDENCE for agencies and areas
    faults: list[Fault]
    links: int


class _Owners(NamedTuple):
    names: pa.Array
    classes: pa.Array
    rules: pa.Array
    homes: pa.Array
    persons: pa.Array  # true where what stands for the operator may name a person


def compose(
    kept: Kept, *, source_id: str, spec: Spec, listed_on: date | None, latest: date
) -> Composed:
    """Read every field of the rows and put the records together.

    listed_on: the date of the list, for rows without a date of their own. latest: nothing can
    have been seen or installed after this day.
    """
    n = kept.table.num_rows
    read = {
        target: _fields.read(kept.table, target, field)
        for target, field in spec.fields.items()
        if target not in _LOCATING
    }
    faults = [_fault(target, column) for target, column in read.items() if len(column.faults)]
    values: dict[str, pa.Array] = {target: column.values for target, column in read.items()}
    seen_on = _not_after(values, "seen_on", latest, faults)
    seen_on = pc.coalesce(seen_on, pa.scalar(listed_on, pa.date32()))
    installed = _not_after(values, "installed", latest, faults)
    faults += _unequal_totals(kept.table, spec, values)
    owners = _owners(read.get("operator"), values.get("operator_class"), spec, n)
    documents = spec.fields["evidence_url"].columns if "evidence_url" in spec.fields else ()
    raw = _raw.build(
        _without_persons(kept.table, owners, spec), drop=spec.drop, documents=documents
    )
    values |= {
        "source_id": pa.repeat(source_id, n),
        "native_id": kept.ids,
        "seen_on": seen_on,
        "installed": installed,
        "operator": owners.names,
        "operator_class": owners.classes,
        "operator_class_rule": owners.rules,
        "raw": raw.texts,
    }
    records = (
        _evidence(values, kept, spec)
        if spec.is_evidence
        else _observations(values, kept, owners, spec)
    )
    return Composed(records, faults, raw.links)


def _fault(target: str, column: Column) -> Fault:
    return Fault(target, column.faults, column.texts, column.reasons)


def _observations(values: dict[str, pa.Array], kept: Kept, owners: _Owners, spec: Spec) -> pa.Table:
    n = kept.table.num_rows
    views = values.pop("bearings", None)
    if views is not None:
        values["bearings"] = pc.struct_field(views, "bearings")
        for name in ("hfov_deg", "housing"):
            found = pc.struct_field(views, name)
            values[name] = pc.coalesce(values[name], found) if name in values else found
    stand_in_m = pa.array(kept.accuracy_m, from_pandas=True)
    values |= {
        "observation_id": pc.binary_join_element_wise(values["source_id"], kept.ids, "/"),
        "lon": pa.array(kept.lon),
        "lat": pa.array(kept.lat),
        "accuracy_m": pc.max_element_wise(stand_in_m, values.get("accuracy_m", stand_in_m)),
        "count": pc.fill_null(values["count"], 1) if "count" in values else pa.repeat(1, n),
        "private_home": owners.homes,
        "seen_by": pc.if_else(pc.is_valid(values["seen_on"]), spec.seen_by, None),
    }
    return _in_shape(values, OBSERVATIONS, n)


def _evidence(values: dict[str, pa.Array], kept: Kept, spec: Spec) -> pa.Table:
    n = kept.table.num_rows
    subject = "total" if spec.counts == "totals" else "agency"
    values |= {"row": pa.array(kept.rows), "subject": pa.repeat(subject, n)}
    return _in_shape(values, EVIDENCE, n)


def _in_shape(values: dict[str, pa.Array], schema: pa.Schema, n: int) -> pa.Table:
    columns = [_column(values.get(field.name), field.type, n) for field in schema]
    return pa.table(columns, schema=schema)


def _column(values: pa.Array | pa.Scalar | None, kind: pa.DataType, n: int) -> pa.Array:
    if values is None:
        return pa.nulls(n, kind)
    return pa.repeat(values.cast(kind), n) if isinstance(values, pa.Scalar) else values.cast(kind)


def _not_after(
    values: dict[str, pa.Array], target: str, latest: date, faults: list[Fault]
) -> pa.Array:
    """A field of dates without those that lie after a day, which are set aside."""
    days = values.get(target)
    if days is None:
        return pa.scalar(None, pa.date32())
    later = pc.fill_null(pc.greater(days, latest), False)
    at = np.flatnonzero(later.to_numpy(zero_copy_only=False))
    if len(at):
        reasons = pa.repeat("in the future when the list was made", len(at))
        faults.append(Fault(target, at, pc.cast(days.take(at), pa.string()), reasons))
    return pc.if_else(later, pa.scalar(None, pa.date32()), days)


def _unequal_totals(table: pa.Table, spec: Spec, values: dict[str, pa.Array]) -> list[Fault]:
    """Printed totals that are not the sum of their parts; neither is then believed."""
    if spec.total is None or "count" not in values:
        return []
    printed, summed = totals(table, spec.total)
    differ = pc.fill_null(pc.not_equal(printed, summed), False)
    at = np.flatnonzero(differ.to_numpy(zero_copy_only=False))
    values["count"] = pc.if_else(differ, pa.scalar(None, pa.int32()), values["count"])
    texts = pa.array(
        [f"{p.as_py():,} printed, {s.as_py():,} summed"
         for p, s in zip(printed.take(at), summed.take(at), strict=True)], pa.string()
    )  # fmt: skip
    reasons = pa.repeat("the printed total is not the sum of its parts", len(at))
    return [Fault("count", at, texts, reasons)] if len(at) else []


def totals(table: pa.Table, total: Total) -> tuple[pa.Array, pa.Array]:
    """Return the printed totals of the rows and the sums of their parts."""
    printed = Field(columns=(total.column,), sum=True)
    parts = Field(columns=total.parts, sum=True)
    return (
        _fields.read(table, "count", printed).values,
        _fields.read(table, "count", parts).values,
    )


def _owners(operator: Column | None, stated: pa.Array | None, spec: Spec, n: int) -> _Owners:
    """Who runs each camera: the class that the catalogue states, else what the name says."""
    encoded = (operator.values if operator else pa.nulls(n, pa.string())).dictionary_encode()
    known = [
        owner_of({"operator": name}, country=spec.area.country)
        for name in encoded.dictionary.to_pylist()
    ]
    drops_makers = operator is not None and spec.fields["operator"].makers == "drop"
    hidden = ("maker_name",) if drops_makers else ()

    def spread(found: list[Any], kind: pa.DataType, otherwise: Any) -> pa.Array:
        values = pa.array(found, kind).take(encoded.indices)
        return values if otherwise is None else pc.fill_null(values, otherwise)

    names = spread([None if o.rule in hidden else o.name for o in known], pa.string(), None)
    classes = spread([o.operator_class for o in known], pa.string(), "unknown")
    rules = spread([o.rule for o in known], pa.string(), "none")
    homes = spread([o.private_home for o in known], pa.bool_(), False)
    persons = spread([o.private_home and o.name is None for o in known], pa.bool_(), False)
    if stated is not None:
        says = pc.is_valid(stated)
        classes = pc.coalesce(stated, classes)
        rules = pc.if_else(says, CATALOGUE_RULE, rules)
        homes = pc.and_not(homes, pc.fill_null(pc.equal(stated, "public"), False))
    return _Owners(names, classes, rules, homes, persons)


def _without_persons(table: pa.Table, owners: _Owners, spec: Spec) -> pa.Table:
    """The texts without the names of persons that stand where an operator should."""
    if "operator" in spec.fields and pc.any(owners.persons).as_py():
        for name in spec.fields["operator"].columns:
            if name in table.column_names:
                hidden = pc.if_else(owners.persons, PERSON, table[name])
                table = table.set_column(table.schema.get_field_index(name), name, hidden)
    return table
