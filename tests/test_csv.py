"""Delimited text: every encoding and line end, and not a row lost where quotes are broken."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sousveil.errors import UnusableInput
from sousveil.sources.tabular import _csv
from sousveil.sources.tabular._csv import IRREGULAR, LITERAL, REGULAR, Irregular, Layout
from sousveil.sources.tabular._files import encoding_of
from sousveil.sources.tabular._spec import FileSpec

Read = tuple[list[tuple[int, ...]], list[tuple[int, str]]]


def rows_of(path: Path, seen: Layout) -> Read:
    kept, broken = [], []
    for batch in _csv.batches(path, seen):
        cells = zip(*batch.table.to_pydict().values(), strict=True)
        kept += [(int(row), *values) for row, values in zip(batch.rows, cells, strict=True)]
        broken += [(row, reason) for row, _, reason in batch.broken]
    return [row for row in kept if any(row[1:])], broken


def read(path: Path, file: FileSpec | None = None) -> Read:
    seen = _csv.layout(path, file or FileSpec())
    try:
        return rows_of(path, seen)
    except Irregular:
        return rows_of(path, seen._replace(quotes=IRREGULAR))


def written(folder: Path, data: bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


TEXT = "번호,기관\n1,부산광역시 중구청\n2,서구청\n"
WEST = "id,ort\n1,Königsplatz\n2,Straße\n"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (TEXT, "utf-8", "utf-8"),
        (TEXT, "utf-8-sig", "utf-8-sig"),
        (TEXT, "utf-16", "utf-16"),
        (TEXT, "cp949", "cp949"),
        (WEST, "cp1252", "cp1252"),
        (WEST, "latin-1", "cp1252"),
    ],
)
def test_the_encoding_is_found_and_the_texts_are_right(
    tmp_path: Path, text: str, encoding: str, found: str
) -> None:
    path = written(tmp_path, text.encode(encoding))
    assert encoding_of(path) == found
    rows, broken = read(path)
    assert [row[1:] for row in rows] == [tuple(line.split(",")) for line in text.splitlines()[1:]]
    assert not broken


def test_a_byte_order_mark_is_no_part_of_the_first_cell(tmp_path: Path) -> None:
    path = written(tmp_path, "1,x\n".encode("utf-8-sig"))
    headless = FileSpec(encoding="utf-8", header=False, columns=("id", "name"))
    assert read(path, headless)[0] == [(1, "1", "x")]


def test_a_letter_outside_ascii_after_the_first_megabyte_decides_the_encoding(
    tmp_path: Path,
) -> None:
    plain = b"a,b\n" + b"1,2\n" * 600_000
    assert encoding_of(written(tmp_path, plain + "é,3\n".encode("cp1252"))) == "cp1252"
    assert encoding_of(written(tmp_path, plain + "é,3\n".encode())) == "utf-8"


def test_a_letter_cut_by_the_edge_of_a_block_stays_whole(tmp_path: Path) -> None:
    line = "서울특별시,한강로\n"
    path = written(tmp_path, ("가,나\n" + line * 200_000).encode("utf-16"))
    rows, _ = read(path)
    assert len(rows) == 200_000
    assert {row[1:] for row in rows} == {("서울특별시", "한강로")}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(tmp_path: Path, end: str) -> None:
    data = end.join(["a;b", "1;x", "2;y"]).encode()
    rows, broken = read(written(tmp_path, data))
    assert (rows, broken) == ([(2, "1", "x"), (3, "2", "y")], [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    lines = [["id", "name"], ["1", 'said "a, b; c"'], ["2", "x"]]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(lines)
    rows, _ = read(written(tmp_path, out.getvalue().encode()))
    assert rows[0][1:] == ("1", 'said "a, b; c"')


def test_gzip_is_unpacked_whatever_the_name(tmp_path: Path) -> None:
    rows, _ = read(written(tmp_path, gzip.compress(b"a,b\n1,2\n"), "list.csv"))
    assert rows == [(2, "1", "2")]


def test_a_gzip_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    data = gzip.compress(b"a,b\n" + b"1,2\n" * 10_000)[:-20]
    with pytest.raises(UnusableInput, match=r"list\.csv.*cut off"):
        read(written(tmp_path, data))


def test_rows_bear_the_numbers_of_a_spreadsheet(tmp_path: Path) -> None:
    """Row 1 is the header, an empty row counts, a cell with a line break is one row."""
    path = written(tmp_path, b'a,b\n1,x\n\n2,"two\nlines"\n,\n3,z\n')
    expected = [(2, "1", "x"), (4, "2", "two\nlines"), (6, "3", "z")]
    seen = _csv.layout(path, FileSpec())
    assert seen.quotes == REGULAR
    assert rows_of(path, seen) == (expected, [])
    assert rows_of(path, seen._replace(quotes=IRREGULAR)) == (expected, [])


def test_a_file_without_header_starts_with_row_one(tmp_path: Path) -> None:
    path = written(tmp_path, b"1,x,k\n2,y,l\n")
    rows, _ = read(path, FileSpec(header=False, columns=("id", "name")))
    assert rows == [(1, "1", "x", "k"), (2, "2", "y", "l")]
    assert _csv.layout(path, FileSpec(header=False, columns=("id", "name"))).columns == [
        "id",
        "name",
        "column 3",
    ]


def test_a_quote_that_is_never_closed_loses_no_other_row(tmp_path: Path) -> None:
    path = written(tmp_path, b'a,b\n1,x\n2,"open\n3,y\n4,z\n')
    assert _csv.layout(path, FileSpec()).quotes == IRREGULAR
    rows, broken = read(path)
    assert rows == [(2, "1", "x"), (4, "3", "y"), (5, "4", "z")]
    assert broken == [(3, "a quote that is never closed")]


def test_two_open_quotes_do_not_swallow_the_rows_between(tmp_path: Path) -> None:
    rows, broken = read(written(tmp_path, b'a,b\n1,"open\n2,y\n3,"open\n4,z\n'))
    assert [row[0] for row in rows] == [3, 5]
    assert [row for row, _ in broken] == [2, 4]


def test_a_cell_of_very_many_lines_was_never_closed(tmp_path: Path) -> None:
    """The closing quote of a later cell ends it by the letter of RFC 4180, 150 rows on."""
    lines = [b"a,b", b'1,"', *(b"%d,x" % n for n in range(2, 150)), b'150,"', b"151,z"]
    path = written(tmp_path, b"\n".join(lines) + b"\n")
    assert _csv.layout(path, FileSpec()).quotes == REGULAR
    rows, broken = read(path)
    assert len(rows) == 149
    assert [row for row, _ in broken] == [2, 151]


def test_quotes_that_open_no_cell_are_letters(tmp_path: Path) -> None:
    path = written(tmp_path, b'a\tb\n1\tBar "Rose"\n2\t5" pipe\n')
    assert _csv.layout(path, FileSpec()).quotes == LITERAL
    assert read(path)[0] == [(2, "1", 'Bar "Rose"'), (3, "2", '5" pipe')]


def test_rows_of_the_wrong_length_are_set_aside_and_empty_ends_forgiven(tmp_path: Path) -> None:
    rows, broken = read(written(tmp_path, b"a,b\n1,x\n2\n3,y,,\n4,z,more\n5,w\n"))
    assert rows == [(2, "1", "x"), (4, "3", "y"), (6, "5", "w")]
    assert broken == [
        (3, "1 cells where there should be 2"),
        (5, "3 cells where there should be 2"),
    ]


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    seen = _csv.layout(written(tmp_path, b"a,a,,a\n1,2,3,4\n"), FileSpec())
    assert seen.columns == ["a", "a (2)", "column 3", "a (4)"]


def test_a_stated_encoding_that_is_wrong_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.encode("cp949"))
    with pytest.raises(UnusableInput, match=r"list\.csv: is not utf-8"):
        read(path, FileSpec(encoding="utf-8"))


def test_a_line_without_end_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="line 2 is longer than 10 million"):
        read(written(tmp_path, b'a,b\n1,"x\n'.replace(b"x", b"x" * 11_000_000)))


cells = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters='"\n\r,'),
    max_size=12,
)


@given(table=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_what_pythons_writer_writes_is_read_back_both_ways(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str]]
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("a", "b", "c"), *table])
    path = written(tmp_path_factory.mktemp("csv"), out.getvalue().encode())
    seen = _csv.layout(path, FileSpec(delimiter=",", encoding="utf-8"))
    expected = [tuple(cell or None for cell in row) for row in table]
    expected = [row for row in expected if any(row)]
    for quotes in (seen.quotes, IRREGULAR):
        rows, broken = rows_of(path, seen._replace(quotes=quotes))
        assert [row[1:] for row in rows] == expected
        assert not broken
