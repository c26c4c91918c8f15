"""sousveil completeness: what share of an official register a list holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sousveil.cli._common import Json, Quiet, errors_in_one_line, progress_on_stderr

EXAMPLES = """
**Examples**

- `sousveil completeness city_gates.geojson italy.osm.pbf` : how much of a city's list is mapped
- `sousveil completeness totals_by_district.csv cameras.csv --json` : against totals by area
"""


def completeness(
    register: Annotated[
        Path,
        typer.Argument(
            metavar="REGISTER",
            help="An official list, taken for complete: with positions, or totals by area.",
            show_default=False,
        ),
    ],
    held_by: Annotated[
        Path,
        typer.Argument(
            metavar="LIST",
            help="The list that is measured: an extract of OpenStreetMap, or any other.",
            show_default=False,
        ),
    ],
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            metavar="P",
            help="Least probability of a link. Default: what promises the best F1.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Seed of the linking and of the draws.")
    ] = 0,
) -> None:
    """Say what share of an official register another list holds, by kind and area.

    Nothing but counts leaves this command, so no licence stands in its way.
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.completeness import completeness as measure

        result = measure(register, held_by, threshold=threshold, seed=seed, progress=progress.step)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(result))
    else:
        _tell(result)


def _tell(result: dict[str, Any]) -> None:
    if result["method"] == "linked one by one":
        typer.echo(_line(f"{result['list']['name']} of {result['register']['name']}", result))
        for name in ("by_kind", "by_series", "by_area"):
            if len(result[name]) > 1:
                typer.echo(name.replace("_", " ").capitalize() + ":")
                for row in result[name]:
                    typer.echo("  " + _line(row["group"], row))
        expected = result["prior"]
        typer.echo(
            f"For a place without a register, by this one alone: {expected['low']:.0%} to "
            f"{expected['high']:.0%} (a prior, no measurement)."
        )
    else:
        for row in result["by_area"]:
            official = f"{row['official_low']:,}"
            if row["official_high"] != row["official_low"]:
                official += f" or {row['official_high']:,}"
            typer.echo(f"  {row['area']}: {row['devices']:,} in the list, {official} official")
    for note in result["notes"]:
        typer.echo(f"Note: {note}.")


def _line(name: str, row: dict[str, Any]) -> str:
    found = row["share"]
    return (
        f"{name}: {found['estimate']:.1%} ({found['low']:.1%} to {found['high']:.1%}); "
        f"{row['n_linked']:,} of {row['n']:,} linked."
    )
