"""sousveil retrace: what a network of cameras could learn about a week."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sousveil.cli._common import Json, Quiet, errors_in_one_line, progress_on_stderr

if TYPE_CHECKING:
    from sousveil.retrace import Retraced

EXAMPLES = """
**Examples**

- `sousveil retrace helsinki -o week` : the sample that comes with the package
- `sousveil retrace munich.osm.pbf -o week --residents 100000 --days 7` : a larger town
- `sousveil retrace munich.osm.pbf -o week --what-if` : which rules would change it, and how much
- `sousveil retrace munich.osm.pbf -o week --cameras out/cameras.parquet` : the cameras of a census
"""


def retrace(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="OpenStreetMap data with streets and buildings: a file, a place to download, or "
            "helsinki for the sample.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory of the results; earlier ones there are replaced.",
            show_default=False,
        ),
    ],
    residents: Annotated[
        int, typer.Option(metavar="N", help="Synthetic residents to make.")
    ] = 10_000,
    days: Annotated[int, typer.Option(metavar="D", help="Days to simulate, from a Monday on.")] = 7,
    what_if: Annotated[
        bool, typer.Option("--what-if", help="Try rules for the cameras against each other.")
    ] = False,
    cameras: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The cameras.parquet of a census, instead of the cameras in SOURCE.",
            show_default=False,
        ),
    ] = None,
    planned: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The cameras.parquet of a census of cameras that do not stand yet: what adding "
            "them changes.",
            show_default=False,
        ),
    ] = None,
    parameters: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="How residents spend their days (TOML). Default: San Francisco.",
            show_default=False,
        ),
    ] = None,
    powers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What operators can do (TOML): recognition, false matches, retention.",
            show_default=False,
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(metavar="N", help="Draws of what is not known, for the intervals.")
    ] = 24,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of all that is drawn.")] = 0,
) -> None:
    """Measure on synthetic residents what the cameras of a place could retrace of a week.

    Nobody real goes in: residents are made, walk the streets, and are looked for in what the
    cameras would have recorded. DIR gets a page that opens offline (report.html), the figures
    (retrace.json), a row a resident (residents.parquet) and the rules tried (rules.csv).
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.retrace import retrace as run

        result = run(
            source,
            residents=residents,
            days=days,
            cameras=cameras,
            planned=planned,
            parameters=parameters,
            powers=powers,
            what_if=what_if,
            draws=draws,
            seed=seed,
            progress=progress.step,
            on_download=progress.download,
        )
        progress.step("Writing the report")
        result = result.write(output)
    _print(result, as_json=as_json, quiet=quiet)


def _print(result: Retraced, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(result.summary))
        return
    from sousveil.retrace._page import sentences

    for sentence in sentences(result.summary):
        typer.echo(sentence)
    for note in [] if quiet else result.summary["notes"]:
        typer.echo(f"Note: {note}.", err=True)
    typer.echo(f"\nReport: {result.summary['files']['report']}")
