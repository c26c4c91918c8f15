"""Small lists for tests: a description and a file of the wanted kind, made on the spot."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from sousveil.sources import Source, tabular
from sousveil.sources.tabular._spec import Spec
from sousveil.sources.tabular._toml import parse

HEAD = """
title = "A list"
publisher = "A city"
licence = "CC0-1.0"
attribution = "A city"
covers = "cameras of a city"
counts = "devices"
"""
AREA = """
[area]
name = "Munich"
country = "DE"
box = [11.3, 48.0, 11.8, 48.3]
"""
PLACES = """
[fields]
native_id = "id"
lat = "lat"
lon = "lon"
"""


def spec(
    folder: Path, *, top: str = "", area: str = AREA, fields: str = "", file: str = ""
) -> Spec:
    """Write a description and read it: its places stand in the columns id, lat and lon."""
    path = folder / "a_list.toml"
    path.write_text(f"{HEAD}{top}\n{file}\n{area}\n{PLACES}{fields}", encoding="utf-8")
    return parse(path)


def csv_file(folder: Path, *lines: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
    return path


def read(path: Path, described: Spec, **options: Any) -> Source:
    """Read a list and make sure that no row of it is lost."""
    source = tabular.read(path, source_id="s", spec=described, **options)
    aside = [row for row in source.quarantine.to_pylist() if not row["kept"]]
    assert source.rows == source.observations.num_rows + source.evidence.num_rows + len(aside)
    return source


def set_aside(source: Source, *, kept: bool = False) -> list[tuple[Any, ...]]:
    """Rows of the quarantine: (row, reason) of whole rows, (row, field, reason) of fields."""
    rows = [row for row in source.quarantine.to_pylist() if row["kept"] == kept]
    names = ("row", "field", "reason") if kept else ("row", "reason")
    return [tuple(row[name] for name in names) for row in rows]


def xlsx_file(path: Path, rows: Sequence[Sequence[str | float | None]]) -> Path:
    """Write the least that is an Excel workbook (ECMA-376): one sheet, texts inline."""

    def cell(value: str | float | None) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        return f"<c><v>{value!r}</v></c>"

    data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Cameras" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path
