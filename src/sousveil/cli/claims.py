"""sousveil claims: what was published of a place, and what it comes to; tables worked out again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from sousveil._words import plural
from sousveil.cli._common import Json, Quiet, day, errors_in_one_line, progress_on_stderr

if TYPE_CHECKING:
    from sousveil.claims import Answer

_MOST_NAMED = 10

EXAMPLES = """
**Examples**

- `sousveil claims China` : what was claimed, what is a copy, and what it comes to
- `sousveil claims 韓国 --json` : for programs, in any of several languages
- `sousveil claims UK -o uk --year 2020` : a page with the picture, and tables
- `sousveil claims China --evidence mine.csv` : with claims of your own
- `sousveil claims check figures.csv` : which rows of a published table do not hold
"""


class _PlaceFirst(TyperGroup):
    """Takes `claims China` for `claims place China`: a place is what most people ask for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "--help", "-h"}:
            args = ["place", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_PlaceFirst,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="What was published of how many cameras a place has, and what that comes to.",
    epilog=EXAMPLES,
)


@app.command("place", epilog=EXAMPLES)
def place(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="PLACE",
            help="A country, a city or the world, in any of several languages; the word place "
            "before it may be left out.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory for the page and the tables; an earlier answer there is replaced.",
            show_default=False,
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Claims of your own, a CSV file with the columns of the evidence.",
            show_default=False,
        ),
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(
            metavar="YEAR",
            help="Year of the estimates; after the latest claim of a definition, a forecast. "
            "Default: that of the latest claim of each definition.",
            show_default=False,
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="The day from which forecasts count, by what was written until then (claims have "
            "a year of writing). Estimates take all claims. Default: today.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the draws behind the ranks.")] = 0,
) -> None:
    """Say what was claimed of a place, which claims are copies, and what they come to.

    DIR gets a page that opens offline (report.html), the claims and estimates as CSV, and the JSON
    object.
    """
    name = " ".join(words)
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.claims import claims

        progress.step(f"Reading what was claimed of {name}")
        answer = claims(name, evidence=evidence, year=year, on=day("--on", on), seed=seed)
        if output is not None:
            progress.step("Writing the page")
            answer = answer.write(output)
    tell(answer, as_json=as_json)


def tell(answer: Answer, *, as_json: bool) -> None:
    """Print an answer from claims."""
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(answer.summary))
        return
    from sousveil.cli._claims_table import claims_table

    typer.echo(claims_table(answer.summary["claims"]) + "\n")
    for sentence in answer.sentences():
        typer.echo(sentence)
    if answer.summary["files"]:
        typer.echo(f"\nPage: {answer.summary['files']['report']}")


@app.command("check")
def check(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A CSV file of published figures.", show_default=False),
    ],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Work out again the ratios, shares, sums and arithmetic of any table of published figures.

    Columns are known by their names: cameras, people, per_1000, people_per_camera, share and of,
    formula and result, total. What does not hold is named by its line.
    """
    del quiet
    with errors_in_one_line():
        from sousveil.claims import check as test

        result = test(file)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(result))
    else:
        _tell_check(result)


def _tell_check(result: dict[str, Any]) -> None:
    typer.echo(f"{result['hold']:,} of {result['figures']:,} figures hold.")
    for item in result["wrong"]:
        typer.echo(f"Wrong: {item['says']}.")
    for item in result["within_rounding"]:
        typer.echo(f"Only within rounding: {item['says']}.")
    idle = result["not_tested"]
    if idle:
        named = [f"line {row['line']}, {row['name']}" for row in idle[:_MOST_NAMED]]
        more = len(idle) - len(named)
        named += [f"and {more:,} more, see --json"] if more else []
        typer.echo(f"Nothing to work out in {plural(len(idle), 'row')}: {'; '.join(named)}.")
