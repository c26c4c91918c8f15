"""sousveil survey: count on foot, on streets drawn by chance."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sousveil.cli._common import Json, Quiet, errors_in_one_line, progress_on_stderr

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Count on foot, on streets drawn by chance.",
)

PLAN_EXAMPLES = """
**Examples**

- `sousveil survey plan munich.osm.pbf --hours 3 --people 4 -o walk` : as many stretches as fit
- `sousveil survey plan munich.osm.pbf --hours 3 --people 4 --double 0.3 -o walk` : three in ten
  walked by two people, for the chance of seeing a camera
- `sousveil survey plan munich.osm.pbf --hours 1 --add walk --form filled.csv -o more` : more
  stretches, where one more hour narrows the interval most
"""

ESTIMATE_EXAMPLES = """
**Examples**

- `sousveil survey estimate walk form.csv` : one filled form
- `sousveil survey estimate walk anna.csv ben.csv` : two walkers, some stretches in both
"""

Seed = Annotated[int, typer.Option(metavar="N", help="Seed of the draw.")]


@app.command("plan", epilog=PLAN_EXAMPLES)
def plan(
    source: Annotated[
        str,
        typer.Argument(help="Extract of OpenStreetMap with the streets.", show_default=False),
    ],
    hours: Annotated[
        float, typer.Option(metavar="H", help="Hours of each person.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory of the plan; one that holds a plan already is refused.",
            show_default=False,
        ),
    ],
    people: Annotated[int, typer.Option(metavar="P", help="People who walk.")] = 1,
    within: Annotated[
        str | None,
        typer.Option(
            metavar="BOUNDARY",
            help="GeoJSON file, or name or id of an administrative relation in the source.",
            show_default=False,
        ),
    ] = None,
    footways: Annotated[
        bool,
        typer.Option("--footways", help="Footways, paths and steps are stretches of their own."),
    ] = False,
    double: Annotated[
        float,
        typer.Option(metavar="SHARE", help="Share of the stretches that two people walk."),
    ] = 0.0,
    add: Annotated[
        Path | None,
        typer.Option(
            metavar="EARLIER",
            help="Directory of an earlier plan of the same streets that this one adds to.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A filled form of the earlier plan; may be given several times.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Seed = 0,
) -> None:
    """Draw street stretches to walk, and lay the routes.

    DIR gets sheets to print (sheets.pdf), a form to fill in (form.csv), a track for each walker
    (walker-1.gpx, ...), the drawn stretches (stretches.geojson), all stretches with their
    probabilities (stretches.parquet), and plan.json, which the estimate reads.
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.survey import survey_plan

        made = survey_plan(
            source,
            hours=hours,
            people=people,
            within=within,
            footways=footways,
            double=double,
            add=add,
            forms=form or [],
            seed=seed,
            progress=progress.step,
        )
        progress.step("Writing the sheets")
        made = made.write(output)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(made.summary))
    else:
        _tell_plan(made.summary)


@app.command("estimate", epilog=ESTIMATE_EXAMPLES)
def estimate(
    plan: Annotated[
        Path, typer.Argument(metavar="PLAN", help="Directory of the plan.", show_default=False)
    ],
    forms: Annotated[
        list[Path],
        typer.Argument(metavar="FORM...", help="Filled forms, CSV.", show_default=False),
    ],
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the draws of detection.")] = 0,
) -> None:
    """Estimate the cameras of the place from what walkers wrote down.

    A stretch in the forms of two walkers tells the chance of seeing a camera, and the total is
    corrected for it. Stretches that nobody walked are said and made up for.
    """
    with errors_in_one_line():
        from sousveil.survey import survey_estimate

        answer = survey_estimate(plan, forms, seed=seed)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(answer))
    else:
        _tell_estimate(answer, quiet=quiet)


def _tell_plan(summary: dict[str, Any]) -> None:
    stretches = summary["stretches"]
    typer.echo(
        f"{stretches['drawn']:,} of {stretches['of']:,} stretches "
        f"({summary['street_km']:,.1f} km of street) are to be walked."
    )
    for walker in summary["walkers"]:
        typer.echo(
            f"{walker['walker']}: {walker['stretches']} stretches, {walker['walk_km']:.1f} km "
            f"between them, about {walker['minutes'] / 60:.1f} hours."
        )
    for row in [row for row in summary.get("worth", [])[:1] if row["narrows_by"] >= 0.0005]:
        typer.echo(
            f"One more hour narrows the interval most on {row['stratum']} streets, "
            f"by {row['narrows_by']:.1%}; the best mix gives them {row['share_of_more']:.0%}."
        )
    typer.echo(f"To print: {summary['files']['sheets']}")
    typer.echo(f"To fill in: {summary['files']['form']}")


def _tell_estimate(answer: dict[str, Any], *, quiet: bool) -> None:
    if answer["high"] is None:
        typer.echo(f"At least {answer['low']:,.0f} cameras.")
    else:
        typer.echo(
            f"{answer['total']:,.0f} cameras, 95 % interval {answer['low']:,.0f} to "
            f"{answer['high']:,.0f}; {answer['per_km']:.2f} a km of {answer['street_km']:,.1f} km."
        )
    typer.echo(f"Counted are {answer['definition']}.")
    stretches = answer["stretches"]
    typer.echo(
        f"{answer['seen']:,} were seen on {stretches['surveyed']:,} of {stretches['of']:,} "
        "stretches."
    )
    for walker in (answer["detection"] or {}).get("walkers", []):
        typer.echo(
            f"{walker['walker']} saw {walker['p']:.0%} ({walker['low']:.0%} to "
            f"{walker['high']:.0%}) of what is there."
        )
    best = answer["worth"][0]
    if best["narrows_by"] >= 0.0005:
        typer.echo(
            f"One more hour narrows the interval most on {best['stratum']} streets, "
            f"by {best['narrows_by']:.1%}."
        )
    for warning in [] if quiet else answer["warnings"]:
        typer.echo(f"Note: {warning}.", err=True)
