"""sousveil exposure: which cameras could have recorded me on my own way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sousveil.cli._common import Json, Quiet, day, errors_in_one_line, progress_on_stderr
from sousveil.cli.letters import Language

if TYPE_CHECKING:
    from sousveil.exposure import Exposure

EXAMPLES = """
**Examples**

- `sousveil exposure way.gpx munich.osm.pbf -o mine` : what could have recorded me on this way
- `sousveil exposure way.gpx munich.osm.pbf -o mine --letters` : with letters to the operators
- `sousveil exposure --from 11.558,48.140 --to 11.576,48.137 munich.osm.pbf -o plan` : ways on foot
"""


def exposure(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACK SOURCE",
            help="Your track (.gpx, .kml, .geojson, .csv, .fit), then files with the cameras and "
            "streets of the place as in sousveil census; with --from and --to only the latter.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory of the results, which are yours alone; an earlier one is replaced.",
            show_default=False,
        ),
    ],
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="LON,LAT",
            help="Plan a way on foot from here: longitude first, then latitude, in degrees, as "
            "11.558,48.140 for Munich or -0.128,51.508 for London.",
            show_default=False,
        ),
    ] = None,
    goal: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="LON,LAT", help="Plan it to here, as --from.", show_default=False
        ),
    ] = None,
    level: Annotated[
        str,
        typer.Option(
            metavar="LEVEL",
            help="Level that a planned way avoids: detect, observe, recognise or identify.",
        ),
    ] = "detect",
    undercount: Annotated[
        str | None,
        typer.Option(
            metavar="U",
            help="Cameras there are for each one on record: estimate, low and high, as "
            "1.8/1.4/2.6; or as in `sousveil coverage`. Default: what the overlap of several "
            "sources tells, else not known, so that figures are lower bounds.",
            show_default=False,
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Time zone of clock times, as Europe/Berlin. Default: that of the nearest city.",
            show_default=False,
        ),
    ] = None,
    letters: Annotated[
        bool,
        typer.Option("--letters", help="Also write letters to the operators, in DIR/letters."),
    ] = False,
    language: Language = None,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="The day that the cameras stand for, as 2026-11-23. Default: that of the source.",
            show_default=False,
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=10, metavar="N", help="Draws of what is unknown of cameras.")
    ] = 200,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the draws.")] = 0,
) -> None:
    """Say which cameras could have recorded you, when, how well, and who runs them.

    Your track is read on this machine and goes nowhere else: no request is made, and nothing is
    written but DIR, which gets a page that opens offline (report.html), tables and a summary.
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil import exposure as module
        from sousveil.cli._exposure import between, sources_only, track_and_sources

        how: dict[str, Any] = {"undercount": undercount, "on": day("--on", on), "draws": draws}
        ends = between(start, goal)
        if ends is None:
            track, sources = track_and_sources(files)
            found = module(
                track, sources, timezone=timezone, seed=seed, progress=progress.step, **how
            )
        else:
            from sousveil.exposure import ways

            found = ways(
                *ends, sources_only(files), level=level, seed=seed, progress=progress.step, **how
            )
        progress.step("Writing the results")
        found = found.write(output, letters=letters, **({"language": language} if letters else {}))
    _print(found, as_json=as_json)


def _print(found: Exposure, *, as_json: bool) -> None:
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(found.summary))
        return
    from sousveil.report.exposure import sentences

    for sentence in sentences(found.summary):
        typer.echo(sentence)
    typer.echo(f"\nYour report, for you alone: {found.summary['files']['report']}")
    if found.letters is not None:
        from sousveil.letters import said

        for sentence in said(found.letters):
            typer.echo(sentence)
        typer.echo(f"Letters, start with: {found.summary['files']['letters']}/index.md")
