"""A directory of coverage: tables, a picture to print, and a page with a map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sousveil import export
from sousveil._output import complete_directory
from sousveil.coverage import _picture

if TYPE_CHECKING:
    from sousveil.coverage import Coverage

FILES: Final = {
    "page": "coverage.html",
    "views": "views.parquet",
    "visible": "visible.parquet",
    "streets": "streets.parquet",
    "svg": "coverage.svg",
    "png": "coverage.png",
    "summary": "summary.json",
    "attribution": "ATTRIBUTION.md",
}
"""The files of a coverage by what they are for."""


def write(result: Coverage, directory: Path) -> Coverage:
    """Write all files or none; return the coverage with the summary's "files" filled in."""
    files = {name: str(directory / file) for name, file in FILES.items()}
    svg = _picture.svg(result)
    page = result.to_html()
    with complete_directory(directory, marker=FILES["summary"]) as partial:
        path = {name: partial / file for name, file in FILES.items()}
        path["page"].write_text(page, encoding="utf-8")
        path["svg"].write_text(svg, encoding="utf-8")
        path["png"].write_bytes(_picture.png(svg))
        export.write_geoparquet(export.points(result.views), path["views"])
        export.write_geoparquet(result.visible, path["visible"])
        export.write_geoparquet(result.streets, path["streets"])
        export.write_json(result.summary | {"files": files}, path["summary"])
        path["attribution"].write_text(result.attribution, encoding="utf-8")
    return replace(result, summary=result.summary | {"files": files})
