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
    files = paths(directory)
    with complete_directory(directory, marker=FILES["summary"]) as partial:
        fill(result, partial, files)
    return replace(result, summary=result.summary | {"files": files})


def paths(directory: Path) -> dict[str, str]:
    """Return where each file of a coverage stands in a directory."""
    return {name: str(directory / file) for name, file in FILES.items()}


def fill(result: Coverage, folder: Path, files: dict[str, str]) -> None:
    """Write all files to an empty folder; `files`: where they will stand in the end."""
    path = {name: folder / file for name, file in FILES.items()}
    svg = _picture.svg(result)
    path["page"].write_text(result.to_html(), encoding="utf-8")
    path["svg"].write_text(svg, encoding="utf-8")
    path["png"].write_bytes(_picture.png(svg))
    export.write_geoparquet(export.points(result.views), path["views"])
    export.write_geoparquet(result.visible, path["visible"])
    export.write_geoparquet(result.streets, path["streets"])
    export.write_json(result.summary | {"files": files}, path["summary"])
    path["attribution"].write_text(result.attribution, encoding="utf-8")
