"""sousveil raters: several people counted the same sites."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sousveil.cli._common import Json, Quiet, errors_in_one_line

EXAMPLES = """
**Examples**

- `sousveil raters counts.csv` : columns site, rater, count
- `sousveil raters counts.csv --expert truth --by stratum` : an expert counted some of the sites
- `sousveil raters published.csv` : columns group, medians, share_low, share_high
"""


def raters(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV: site, rater, count; or site and a column for each rater; or, of sums alone, "
            "group, medians, share_low, share_high.",
            show_default=False,
        ),
    ],
    expert: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column, or rater, whose counts are the truth at some of the sites.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that groups the sites; each group gets its own mean and total.",
            show_default=False,
        ),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Column of numbers that the mean depends on; may be given several times.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the draws.")] = 0,
) -> None:
    """Estimate the cameras at sites that several people counted.

    Raters overlook cameras, so that the sum of their medians falls short. Repeated counts tell
    what each rater finds; what none of them can find, only an expert at some of the sites tells.
    """
    with errors_in_one_line():
        from sousveil.raters import raters as estimate

        answer = estimate(file, expert=expert, by=by, covariates=covariate or [], seed=seed)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(answer))
    elif "method" in answer:
        _tell_sums(answer, quiet=quiet)
    else:
        _tell(answer, quiet=quiet)


def _tell(answer: dict[str, Any], *, quiet: bool) -> None:
    total, findable = answer["total"], answer["findable"]
    if not answer["sum_of_maxima"] and not (answer["expert"] or {"cameras": 0})["cameras"]:
        high, which = total["high"], ""
        if high is None:
            high, which = findable["high"], " that raters can find at all"
        typer.echo(
            f"Nobody saw a camera at {answer['sites']:,} sites; up to {high:,.0f}{which} cannot "
            "be ruled out (95 %)."
        )
    elif total["high"] is None:
        typer.echo(
            f"At least {total['low']:,.0f} cameras at {answer['sites']:,} sites; of those that "
            f"raters can find at all there are {findable['estimate']:,.0f}, 95 % interval "
            f"{findable['low']:,.0f} to {findable['high']:,.0f}."
        )
    else:
        typer.echo(
            f"{total['estimate']:,.0f} cameras at {answer['sites']:,} sites, 95 % interval "
            f"{total['low']:,.0f} to {total['high']:,.0f}."
        )
    typer.echo(f"The sum of medians is {answer['sum_of_medians']:,.0f}.")
    for row in answer["raters"]:
        seen = row["detection"]
        typer.echo(
            f"{row['rater']}: {seen['estimate']:.0%} ({seen['low']:.0%} to {seen['high']:.0%}) "
            f"found, {row['false_positives_per_site']['estimate']:.3f} a site that are none."
        )
    for row in answer["by"]:
        own = row["total"]
        typer.echo(
            f"{row['group'] or '(no group)'}: {own['estimate']:,.0f} ({own['low']:,.0f} to "
            f"{own['high']:,.0f}){'' if total['high'] is not None else ' that can be found'} at "
            f"{row['sites']:,} sites, {row['sum_of_medians']:,.0f} by medians."
        )
    for warning in [] if quiet else answer["warnings"]:
        typer.echo(f"Note: {warning}.", err=True)


def _tell_sums(answer: dict[str, Any], *, quiet: bool) -> None:
    total = answer["total"]
    if total["estimate"]:
        typer.echo(
            f"{total['estimate']:,.0f} cameras, 95 % interval {total['low']:,.0f} to "
            f"{total['high']:,.0f}; the sum of medians is {answer['sum_of_medians']:,.0f}."
        )
    else:
        typer.echo(
            f"No cameras by medians where it was checked; up to {total['high']:,.0f} cannot be "
            "ruled out (95 %)."
        )
    for row in answer["by"]:
        own = row["total"]
        if not row["share"]:
            found = f"at least {own['low']:,.0f}, not checked and in no total"
        elif row["sum_of_medians"]:
            found = f"{own['estimate']:,.0f} ({own['low']:,.0f} to {own['high']:,.0f})"
        else:
            found = f"up to {own['high']:,.0f} cannot be ruled out"
        typer.echo(f"{row['group']}: {row['sum_of_medians']:,.0f} by medians, {found}.")
    for warning in [] if quiet else answer["warnings"]:
        typer.echo(f"Note: {warning}.", err=True)
