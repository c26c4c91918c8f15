"""The licence gate: closed unless somebody said that data may be passed on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sousveil.errors import UnusableInput
from sousveil.sources import Source
from sousveil.sources._gate import check_gate, refusal, refusals
from tests.lists import csv_file, read, spec


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return read(csv_file(tmp_path, "id,lat,lon", "1,48.1,11.5"), spec(tmp_path))


@pytest.mark.parametrize(
    ("licence", "redistributable", "opens"),
    [
        ("ODbL-1.0", None, True),  # what OpenStreetMap sources say
        ("CC0-1.0", None, True),
        ("CC-BY-4.0", True, True),
        ("City terms", True, True),
        ("City terms", None, False),
        ("", None, False),
        ("not stated", None, False),
        ("CC-BY-4.0", False, False),
        ("CC-BY-ND-4.0", True, False),
        ("CC BY-NC-ND 4.0", True, False),
        ("CC-BY-NC-ND-4.0", None, False),
        ("Free, but no derivatives", True, False),
    ],
)
def test_the_gate_opens_only_for_what_may_be_passed_on(
    licence: str, redistributable: bool | None, opens: bool
) -> None:
    assert (refusal(licence, redistributable) is None) == opens


def test_no_derivatives_is_not_read_into_other_words() -> None:
    """The ND of the Netherlands' neighbours, brands and islands is no licence term."""
    assert refusal("Land Niedersachsen open data", True) is None
    assert refusal("NDR terms", True) is None


def test_a_closed_gate_names_each_source_and_the_way_round(source: Source) -> None:
    closed = replace(source, licence="City terms", redistributable=None, path="/x/one.csv")
    barred = replace(source, licence="CC-BY-ND-4.0", path="/x/two.csv")
    with pytest.raises(UnusableInput) as stopped:
        check_gate([source, closed, barred], local_only=False)
    said = str(stopped.value)
    assert "one.csv: nobody has said that its licence (City terms) allows passing it on" in said
    assert "two.csv: its licence (CC-BY-ND-4.0) allows no derivatives" in said
    assert "list.csv" not in said
    assert "--local-only" in said
    assert "\n" not in said
    assert list(refusals([source, closed, barred])) == ["one.csv", "two.csv"]


def test_local_results_pass_and_so_do_open_sources(source: Source) -> None:
    check_gate([replace(source, redistributable=False)], local_only=True)
    check_gate([source], local_only=False)
