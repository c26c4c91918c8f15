"""The command line: parse, call, print; no logic of its own."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sousveil import __version__
from sousveil.cli import (
    capture,
    census,
    claims,
    completeness,
    coverage,
    exposure,
    letters,
    link,
    optics,
    raters,
    register,
    retrace,
    sample,
    sources,
    survey,
)

app = typer.Typer(
    name="sousveil",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How many cameras watch a place, who runs them, and how sure are we?",
    epilog="Counts cameras, never people. Nothing but tables about cameras is read.",
)
COUNT, HOW_MANY = "Count what is listed", "Estimate how many there are"
SEE, LEARN = "Tell what they see", "Tell what they could learn"

app.command("census", epilog=census.EXAMPLES, rich_help_panel=COUNT)(census.census)
app.add_typer(sources.app, name="sources", rich_help_panel=COUNT)
app.command("link", epilog=link.EXAMPLES, rich_help_panel=COUNT)(link.link)
app.add_typer(register.app, name="register", rich_help_panel=COUNT)
app.command("capture", epilog=capture.EXAMPLES, rich_help_panel=HOW_MANY)(capture.capture)
app.add_typer(sample.app, name="sample", rich_help_panel=HOW_MANY)
app.add_typer(survey.app, name="survey", rich_help_panel=HOW_MANY)
app.command("raters", epilog=raters.EXAMPLES, rich_help_panel=HOW_MANY)(raters.raters)
app.add_typer(claims.app, name="claims", rich_help_panel=HOW_MANY)
app.command("completeness", epilog=completeness.EXAMPLES, rich_help_panel=HOW_MANY)(
    completeness.completeness
)
app.command("optics", epilog=optics.EXAMPLES, rich_help_panel=SEE)(optics.optics)
app.command("coverage", epilog=coverage.EXAMPLES, rich_help_panel=SEE)(coverage.coverage)
app.command("exposure", epilog=exposure.EXAMPLES, rich_help_panel=LEARN)(exposure.exposure)
app.command("letters", epilog=letters.EXAMPLES, rich_help_panel=LEARN)(letters.letters)
app.command("retrace", epilog=retrace.EXAMPLES, rich_help_panel=LEARN)(retrace.retrace)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sousveil {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    del version  # handled by its callback


def main() -> None:
    """Run the command line."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
