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
    accept_swapped: Annotated[
        bool,
        typer.Option("--accept-swapped", help="Use rows with latitude and longitude swapped."),
    ] = False,
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

        result = measure(
            register,
            held_by,
            threshold=threshold,
            accept_swapped=accept_swapped,
            seed=seed,
            progress=progress.step,
        )
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(result))
    else:
        _tell(result)


def _tell(result: dict[str, Any]) -> None:
    register, held = (_title(result[key]["name"]) for key in ("register", "list"))
    if result["method"] == "linked one by one":
        typer.echo(f"Of {register}, {held} holds {_measured(result)}; {_CORRECTED}.")
        for name, title in _GROUPS.items():
            if len(result[name]) > 1:
                typer.echo(f"{title}, corrected alike:")
                for row in result[name]:
                    typer.echo(f"  {_group(row)}: {_measured(row)}.")
        expected = result["prior"]
        typer.echo(
            f"For a place without a register, by this one alone: {expected['low']:.0%} to "
            f"{expected['high']:.0%} (a prior, no measurement)."
        )
    else:
        typer.echo(f"{register}, and what {held} has:")
        carried = result["carried"]
        for row in (*result["by_area"], *([result["whole"]] if carried else [])):
            typer.echo("  " + _compared(row, carried))
    for note in result["notes"]:
        typer.echo(f"Note: {note}.")


_CORRECTED = "share corrected for the chance that a link is wrong or missed"
_GROUPS = {
    "by_kind": "By kind",
    "by_series": "By series of its ids",
    "by_area": "By area (cells of about 36 km², by their middle)",
}


def _title(name: str) -> str:
    """Return a file's name as words: "milano official gates 2026-08"."""
    stem = Path(name).name.partition(".")[0]
    return stem.replace("_", " ").strip() or name


def _group(row: dict[str, Any]) -> str:
    if "lat" not in row:
        return _title(row["group"])
    north, east = ("N" if row["lat"] >= 0 else "S"), ("E" if row["lon"] >= 0 else "W")
    return f"around {abs(row['lat']):.2f} {north} {abs(row['lon']):.2f} {east}"


def _measured(row: dict[str, Any]) -> str:
    found = row["share"]
    return (
        f"{found['estimate']:.1%} ({found['low']:.1%} to {found['high']:.1%}); "
        f"{row['n_linked']:,} of {row['n']:,} linked"
    )


def _compared(row: dict[str, Any], carried: dict[str, Any] | None) -> str:
    """Return an area of a register of totals: both numbers, and the share if there is one."""
    official = f"{row['official_low']:,}"
    if row["official_high"] != row["official_low"]:
        official += f" or {row['official_high']:,}"
    line = f"{row['area']}: {row['devices']:,} in the list, {official} official"
    if carried is None:
        return line
    share = row["share"]
    line += (
        f" in {carried['from_year']}; {share['estimate']:.0%} ({share['low']:.0%} to "
        f"{share['high']:.0%}) of the total carried to {carried['to_year']}"
    )
    return line + (", more than it would have grown to" if share["low"] > 1 else "")
