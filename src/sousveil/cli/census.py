"""sousveil census: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sousveil.cli import claims
from sousveil.cli._common import Json, Quiet, day, errors_in_one_line, progress_on_stderr

if TYPE_CHECKING:
    from sousveil.census import Census

EXAMPLES = """
**Examples**

- `sousveil census helsinki -o out` : the sample that comes with the package
- `sousveil census munich.osm.pbf -o out` : an extract of OpenStreetMap
- `sousveil census bavaria.osm.pbf --within München -o out` : one city of it, by name
- `sousveil census Monaco -o out` : an extract downloaded by the name of the place
- `sousveil census China -o out` : a country, answered from what was claimed of it
- `sousveil census perth.osm.pbf perth_cameras.json -o out` : the map and the city's list, linked
- `sousveil census munich.osm.pbf -o out --coverage` : and which streets the cameras see
- `sousveil census munich.osm.pbf -o out --json | jq .cameras` : for programs
"""


def census(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="OpenStreetMap files (.osm.pbf, .osm, .osm.gz, .osm.bz2, Overpass JSON) or a "
            "directory of them, other lists of cameras (CSV, spreadsheet, GeoJSON ...; spec=FILE "
            "behind one says how to read it), a place to download, a country of which claims are "
            "known, or helsinki for the sample.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory of the results; an earlier census there is replaced.",
            show_default=False,
        ),
    ],
    within: Annotated[
        str | None,
        typer.Option(
            metavar="BOUNDARY",
            help="Count only inside: a GeoJSON file, or the name or id of an administrative "
            "relation in the source.",
            show_default=False,
        ),
    ] = None,
    population: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="People living there. Default: the GeoNames city that matches, if one does.",
            show_default=False,
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="The day the census stands for, as 2026-11-23. Default: that of the source.",
            show_default=False,
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="P",
            help="Least probability at which entries of two lists are one camera. Default: what "
            "promises the best F1.",
            show_default=False,
        ),
    ] = None,
    accept_swapped: Annotated[
        bool,
        typer.Option("--accept-swapped", help="Use rows with latitude and longitude swapped."),
    ] = False,
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            help="Also tell which stretches of street the cameras see, as `sousveil coverage`: on "
            "the map and in tables of the report, with its files in DIR/coverage.",
        ),
    ] = False,
    draws: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Draws of what is unknown, for --coverage; 0 takes the middle. Default: 200.",
            show_default=False,
        ),
    ] = None,
    undercount: Annotated[
        str | None,
        typer.Option(
            metavar="U",
            help="Cameras that no list has, for --coverage, as in `sousveil coverage`.",
            show_default=False,
        ),
    ] = None,
    local_only: Annotated[
        bool,
        typer.Option(
            "--local-only",
            help="Also write records that their licence does not let you pass on; they stay here.",
        ),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[
        int,
        typer.Option(
            metavar="N", help="Seed of the sample that long lists are linked from, and of --draws."
        ),
    ] = 0,
) -> None:
    """Count the cameras of a place, and say who runs them and how sure that is.

    The name of a country alone is answered from what was published of it, as by `sousveil claims`.

    DIR gets a report that opens offline (report.html), the register (cameras.parquet, .geojson,
    .csv), estimates, what could not be used and why (quarantine.csv), and the sources with their
    licences; with --coverage also the folder coverage, as `sousveil coverage` writes it.
    """
    if within is None and population is None and not coverage and _is_claimed_country(sources):
        claims.place(sources, output, on=on, as_json=as_json, quiet=quiet, seed=seed)
        return
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.census import census as count

        result = count(
            sources,
            within=within,
            population=population,
            on=day("--on", on),
            threshold=threshold,
            accept_swapped=accept_swapped,
            coverage=coverage,
            draws=draws,
            undercount=undercount,
            seed=seed,
            progress=progress.step,
            on_download=progress.download,
        )
        progress.step("Writing the report")
        result = result.write(output, local_only=local_only)
    for warning in result.summary["warnings"]:
        typer.echo(f"Warning: {warning}", err=True)
    _print(result, as_json=as_json)


def _is_claimed_country(sources: list[str]) -> bool:
    if len(sources) != 1 or Path(sources[0]).exists():
        return False
    from sousveil.claims import is_country

    return is_country(sources[0])


def _print(result: Census, *, as_json: bool) -> None:
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(result.summary))
        return
    from sousveil.report import main_sentences

    for sentence in main_sentences(result):
        typer.echo(sentence)
    typer.echo(f"\nReport: {result.summary['files']['report']}")
