"""sousveil coverage: which streets the cameras of a place see."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sousveil.cli._common import Json, LocalOnly, Quiet, day, errors_in_one_line, progress_on_stderr

EXAMPLES = """
**Examples**

- `sousveil coverage munich.osm.pbf -o seen` : tables, a map and a picture to print
- `sousveil coverage munich.osm.pbf -o seen --undercount 1.8/1.3/2.6` : with cameras no list has
- `sousveil coverage perth.osm.pbf perth_cameras.json -o seen` : two lists, and what both miss
- `sousveil coverage munich.osm.pbf -o seen --draws 0` : the middle of what is unknown, no intervals
- `sousveil coverage munich.osm.pbf -o seen --priors mine.csv` : with priors of your own
"""


def coverage(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE", help="Files or places, as for census.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory of the results; an earlier coverage there is replaced.",
            show_default=False,
        ),
    ],
    within: Annotated[
        str | None,
        typer.Option(
            metavar="BOUNDARY",
            show_default=False,
            help="GeoJSON file, or name or id of an administrative relation.",
        ),
    ] = None,
    radius: Annotated[
        float, typer.Option(metavar="M", help="Nothing counts as seen beyond so many metres.")
    ] = 150.0,
    draws: Annotated[
        int,
        typer.Option(metavar="N", help="Draws of what is unknown; 0 takes the middle of it."),
    ] = 1000,
    undercount: Annotated[
        str | None,
        typer.Option(
            metavar="U",
            show_default=False,
            help="Cameras that no list has: for each listed one as estimate/low/high, such as "
            "1.8/1.3/2.6; or a result of census, link or capture (directory or JSON); or prior; or "
            "none. Default: what the overlap of several lists tells; of one list nothing, and the "
            "figures are at least.",
        ),
    ] = None,
    priors: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Table in place of our priors for what lists do not say.",
        ),
    ] = None,
    population: Annotated[
        int | None,
        typer.Option(metavar="N", show_default=False, help="People who live in the place."),
    ] = None,
    residents: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Points or cells with people (GeoJSON, GeoPackage, CSV with lon and lat).",
        ),
    ] = None,
    residents_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", show_default=False, help="Column of people in --residents."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            show_default=False,
            help="The day it stands for. Default: that of the newest source.",
        ),
    ] = None,
    local_only: LocalOnly = False,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the draws.")] = 0,
) -> None:
    """Tell which stretches of street are seen by cameras, at which level, and how likely.

    DIR gets coverage.html (a map and tables), coverage.svg and coverage.png (to print),
    streets.parquet (a row a stretch and level), views.parquet and visible.parquet (what each camera
    sees) and summary.json.
    """  # fmt: skip
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.coverage import coverage as compute

        result = compute(
            sources,
            within=within,
            on=day("--on", on),
            radius_m=radius,
            draws=draws,
            seed=seed,
            priors=priors,
            undercount=undercount,
            population=population,
            residents=residents,
            residents_column=residents_column,
            progress=progress.step,
        )
        progress.step("Writing the results")
        result = result.write(output, local_only=local_only)
    for warning in result.summary["warnings"]:
        typer.echo(f"Warning: {warning}", err=True)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(result.summary))
    else:
        _tell(result.summary)


def _tell(summary: dict[str, Any]) -> None:
    from sousveil.report._coverage import answer, living

    for sentence in (answer(summary), *living(summary)):
        typer.echo(sentence.replace("**", ""))
    if summary["drivers"]:
        typer.echo(summary["drivers"]["sentence"])
    typer.echo(f"Map and tables: {summary['files']['page']}")
