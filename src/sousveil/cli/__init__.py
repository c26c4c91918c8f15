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
app.command("census", epilog=census.EXAMPLES)(census.census)
app.add_typer(sources.app, name="sources")
app.command("link", epilog=link.EXAMPLES)(link.link)
app.add_typer(register.app, name="register")
app.command("retrace", epilog=retrace.EXAMPLES)(retrace.retrace)
app.add_typer(claims.app, name="claims")
app.command("completeness", epilog=completeness.EXAMPLES)(completeness.completeness)
app.command("capture", epilog=capture.EXAMPLES)(capture.capture)
app.add_typer(sample.app, name="sample")
app.add_typer(survey.app, name="survey")
app.command("raters", epilog=raters.EXAMPLES)(raters.raters)
app.command("coverage", epilog=coverage.EXAMPLES)(coverage.coverage)
app.command("optics", epilog=optics.EXAMPLES)(optics.optics)


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
