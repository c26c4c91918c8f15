"""The quarantine keeps what could not be used, and lets no link out."""

from __future__ import annotations

from sousveil.records import QUARANTINE
from sousveil.sources import quarantine


def test_a_field_set_aside_keeps_its_row_and_a_row_set_aside_does_not() -> None:
    rows = [
        quarantine.set_aside(
            source_id="s", row=1, field="height", value="tall", reason="not a height"
        ),
        quarantine.set_aside(source_id="s", row=2, reason="no coordinates", native_id="node/2"),
    ]
    table = quarantine.table(rows)
    assert table.schema.equals(QUARANTINE)
    assert table["kept"].to_pylist() == [True, False]
    assert table["field"].to_pylist() == ["height", None]
    assert table["native_id"].to_pylist() == [None, "node/2"]


def test_an_empty_quarantine_has_the_schema() -> None:
    assert quarantine.table([]).schema.equals(QUARANTINE)


def test_rows_may_leave_out_what_they_do_not_know() -> None:
    table = quarantine.table([{"source_id": "s", "row": 1, "reason": "why", "kept": False}])
    assert table.to_pylist()[0]["value"] is None


def test_values_are_cut_and_made_safe() -> None:
    values = ["x" * 10_000, "a\x00b\ud800", "live: rtsp://10.0.0.1/stream", 461.5, None]
    rows = [
        {"source_id": "s", "row": n, "field": "f", "value": value, "reason": "why", "kept": True}
        for n, value in enumerate(values, start=1)
    ]
    assert quarantine.table(rows)["value"].to_pylist() == [
        "x" * 200,
        "ab",
        "live: [link removed]",
        "461.5",
        None,
    ]
