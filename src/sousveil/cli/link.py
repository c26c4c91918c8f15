"""sousveil link: which observations of several lists speak of the same camera."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sousveil._words import plural
from sousveil.cli._common import Json, Quiet, errors_in_one_line, progress_on_stderr

if TYPE_CHECKING:
    from sousveil.review import LinkedLists

EXAMPLES = """
**Examples**

- `sousveil link town.csv monaco.osm.pbf -o linked` : two lists of one place
- `sousveil link a.csv b.csv -o linked --threshold 0.9` : only links that are nearly certain
- `sousveil link a.csv b.csv -o linked --reviewed answers.csv` : again, with what a person decided
"""


def link(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Lists and OpenStreetMap extracts, as for census; spec=FILE after a list says "
            "how to read it.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory of the results; an earlier linkage there is replaced.",
            show_default=False,
        ),
    ],
    reviewed: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answers of a person: review.csv filled in, or what review.html saved.",
            show_default=False,
        ),
    ] = None,
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
        int, typer.Option(metavar="N", help="Seed of the sample that large lists are learnt from.")
    ] = 0,
) -> None:
    """Link the observations of several lists that speak of the same camera.

    DIR gets the links with their probabilities (links.parquet), what each list itself says of
    kind and place (observations.parquet), the cameras they come to (cameras.parquet), every pair
    that may be one camera (pairs.parquet), how well each two lists were linked (rates.csv), and
    the pairs that a person should look at (review.csv, and review.html with maps).
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.census import read_sources
        from sousveil.review import link_lists, summary, write

        result = link_lists(
            read_sources(files),
            threshold=threshold,
            reviewed=reviewed,
            seed=seed,
            progress=progress.step,
        )
        progress.step("Writing the results")
        paths = write(result, output)
    if as_json:
        from sousveil.export import dumps

        typer.echo(dumps(summary(result) | {"files": paths}))
    else:
        _tell(result, paths["review_page"], paths["pairs"])


def _tell(result: LinkedLists, review_page: str, pairs: str) -> None:
    linked = result.linked
    n, n_cameras = result.observations.num_rows, result.cameras.num_rows
    come = "comes" if n == 1 else "come"
    typer.echo(f"{plural(n, 'observation')} {come} to {plural(n_cameras, 'camera')}.")
    if linked.expected_precision is not None and linked.expected_recall is not None:
        typer.echo(
            f"Of the {plural(linked.n_links, 'link')} between lists "
            f"{linked.expected_precision:.0%} are right, and {linked.expected_recall:.0%} of the "
            "right ones were found, by expectation."
        )
    if linked.expected_precision_of_joins is not None:
        typer.echo(
            f"Of the {plural(linked.n_joined, 'join')} of two rows inside one list, as duplicates, "
            f"{linked.expected_precision_of_joins:.0%} are right, by expectation."
        )
    if linked.better == "pairs":
        typer.echo(
            f"The pairs marked best_f1 in {pairs} promise an F1 of "
            f"{linked.expected_f1_of_pairs:.2f}, the links {linked.expected_f1 or 0:.2f}; "
            "they may take a camera many times."
        )
    uncertain = linked.uncertain.num_rows
    are = "is" if uncertain == 1 else "are"
    typer.echo(f"{plural(uncertain, 'pair')} {are} worth a look: {review_page}")
