"""sousveil letters: ask operators for recordings of oneself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sousveil.cli._common import Json, Quiet, day, errors_in_one_line, progress_on_stderr

EXAMPLES = """
**Examples**

- `sousveil letters mine -o mine-letters` : after `sousveil exposure way.gpx city.osm.pbf -o mine`
- `sousveil letters mine -o mine-letters --language en` : in English
"""

Language = Annotated[
    str | None,
    typer.Option(
        metavar="LANG",
        help="Language of the letters: en, de, fr, it, es, pt or fi. Default: that of the country.",
        show_default=False,
    ),
]


def letters(
    exposure: Annotated[
        Path,
        typer.Argument(
            metavar="EXPOSURE_DIR",
            help="The directory that sousveil exposure wrote.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory of the letters; earlier letters there are replaced.",
            show_default=False,
        ),
    ],
    language: Language = None,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="The day of the letters, as 2026-11-23. Default: today.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write letters to those whose cameras could have recorded you: drafts, no legal advice.

    A request for access to each operator that a source names or describes, the most urgent first,
    and a request for records to each public body, as text, Markdown and PDF. They hold your own
    way: they stay in DIR.
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.letters import letters as write
        from sousveil.letters import said

        told = write(
            exposure, output, language=language, on=day("--on", on), progress=progress.step
        )
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(told))
        return
    for sentence in said(told):
        typer.echo(sentence)
    typer.echo(f"\nStart with: {told['files']['index']}")
