"""sousveil sample: how many cameras a sample of street-level images comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sousveil.cli._common import Json, Quiet, errors_in_one_line

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Estimate cameras from a sample of street-level images.",
)

EXAMPLES = """
**Examples**

- `sousveil sample estimate --images 100000 --detections 400 --metres-per-image 25 --recall 0.63
  --street-km 10000` : the published estimator
- `sousveil sample estimate --counts images.csv --metres-per-image 25 --metres-per-image-se 1.5
  --recall-found 63 --recall-of 100 --street-km 10000` : with the uncertainty of all of it
- `sousveil sample estimate --counts images.csv --zones zones.csv --recall-found 63
  --recall-of 100` : by zone
"""


@app.callback()
def _sample() -> None:
    """Estimate cameras from a sample of street-level images."""


@app.command("estimate", epilog=EXAMPLES)
def estimate(
    images: Annotated[
        int | None, typer.Option(metavar="N", help="Images looked at.", show_default=False)
    ] = None,
    detections: Annotated[
        int | None, typer.Option(metavar="N", help="Cameras detected in them.", show_default=False)
    ] = None,
    metres_per_image: Annotated[
        float | None,
        typer.Option(
            metavar="M", help="Metres of one side of the street in an image.", show_default=False
        ),
    ] = None,
    recall: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="Share of the cameras detected, taken as exact.", show_default=False
        ),
    ] = None,
    street_km: Annotated[
        float | None, typer.Option(metavar="KM", help="Length of the streets.", show_default=False)
    ] = None,
    recall_found: Annotated[
        int | None,
        typer.Option(metavar="K", help="Validated cameras that were detected.", show_default=False),
    ] = None,
    recall_of: Annotated[
        int | None, typer.Option(metavar="N", help="Cameras validated.", show_default=False)
    ] = None,
    metres_per_image_se: Annotated[
        float, typer.Option(metavar="M", help="Standard error of the metres per image.")
    ] = 0.0,
    fov_deg: Annotated[
        float,
        typer.Option(metavar="DEG", help="Field of view; the metres are stated for 90 degrees."),
    ] = 90.0,
    fov_se_deg: Annotated[
        float, typer.Option(metavar="DEG", help="Standard error of the field of view.")
    ] = 0.0,
    counts: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV with a row for each image: cameras, optionally zone.",
            show_default=False,
        ),
    ] = None,
    zones: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="CSV with a row for each zone: zone, street_km, and what differs there.",
            show_default=False,
        ),
    ] = None,
    road_length: Annotated[
        str,
        typer.Option(
            metavar="WHICH", help="What the street km are the length of: directed or centre-line."
        ),
    ] = "directed",
    two_way_share: Annotated[
        float | None,
        typer.Option(
            metavar="P",
            help="Share of the centre lines that are two-way: adds the total along them.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the draws.")] = 0,
) -> None:
    """Estimate the cameras along streets from those detected in sampled images.

    Every number given as exact makes the interval narrower than it should be; validation counts
    and standard errors are carried into it.
    """
    with errors_in_one_line():
        from sousveil.sampling import sample_estimate

        answer = sample_estimate(
            images=images,
            detections=detections,
            metres_per_image=metres_per_image,
            street_km=street_km,
            recall=recall,
            recall_found=recall_found,
            recall_of=recall_of,
            metres_per_image_se=metres_per_image_se,
            fov_deg=fov_deg,
            fov_se_deg=fov_se_deg,
            counts=counts,
            zones=zones,
            road_length=road_length,
            two_way_share=two_way_share,
            seed=seed,
        )
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(answer))
    else:
        _tell(answer, quiet=quiet)


def _tell(answer: dict[str, Any], *, quiet: bool) -> None:
    typer.echo(
        f"{answer['total']:,.0f} cameras, 95 % interval {answer['low']:,.0f} to "
        f"{answer['high']:,.0f}; {answer['per_km']:.3f} a km."
    )
    typer.echo(f"Street km are {answer['road_length']['note']}.")
    if "centre_line" in answer:
        along = answer["centre_line"]
        typer.echo(
            f"Along {along['street_km']:,.0f} km of centre lines: {along['total']:,.0f} cameras, "
            f"95 % interval {along['low']:,.0f} to {along['high']:,.0f}."
        )
    for warning in [] if quiet else answer["warnings"]:
        typer.echo(f"Note: {warning}.", err=True)
