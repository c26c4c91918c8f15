"""sousveil optics: up to which distance a camera's pixels allow what."""

from __future__ import annotations

from typing import Annotated

import typer

from sousveil.cli._common import Json, errors_in_one_line

EXAMPLES = """
**Examples**

- `sousveil optics --pixels 1920 --hfov 90` : a usual camera with a wide lens
- `sousveil optics --pixels 3840 --sensor 1/2.8 --lens 6` : from what the data sheet says
- `sousveil optics --pixels 1920 --hfov 90 --height 8` : along the ground, from a high pole
"""


def optics(
    pixels: Annotated[
        float, typer.Option(metavar="N", help="Width of the picture in pixels.", show_default=False)
    ],
    hfov: Annotated[
        float | None,
        typer.Option(metavar="DEGREES", help="Horizontal field of view.", show_default=False),
    ] = None,
    sensor: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Instead of --hfov: nominal size of the sensor in inches, such as 1/2.8.",
            show_default=False,
        ),
    ] = None,
    lens: Annotated[
        float | None,
        typer.Option(metavar="MM", help="With --sensor: focal length.", show_default=False),
    ] = None,
    height: Annotated[
        float | None,
        typer.Option(
            metavar="M",
            help="Height of the camera: distances are then along the ground to a face at 1.6 m.",
            show_default=False,
        ),
    ] = None,
    edition: Annotated[
        str, typer.Option(metavar="YEAR", help="Of IEC 62676-4: 2014 or 2025.")
    ] = "2014",
    form: Annotated[
        str, typer.Option(help="flat: a plane across the view. arc: the older form, for fisheyes.")
    ] = "flat",
    as_json: Json = False,
) -> None:
    """Tell up to which distance a camera's pixels allow to detect, recognise or identify somebody.

    The levels are those of the standard IEC 62676-4. They say what the pixels would allow with a
    sharp picture in good light: never that somebody is recognised.
    """
    with errors_in_one_line():
        from sousveil.optics import along_the_ground, field_of_view
        from sousveil.optics import optics as levels_of

        answer = levels_of(pixels, field_of_view(hfov, sensor, lens), edition=edition, form=form)
        if height is not None:
            answer = along_the_ground(answer, height)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(answer))
        return
    for level in answer["levels"]:
        name, density, distance = level["name"], level["px_per_m"], level["distance_m"]
        reach = f"up to {distance:8.2f} m" if distance else "not at all"
        typer.echo(f"{name:<12} {density:>6g} px/m  {reach}")
