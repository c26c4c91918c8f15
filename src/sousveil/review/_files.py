"""What `sousveil link` does: read lists, link them, write the links and what is to be reviewed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sousveil import export, linking, register
from sousveil._output import complete_directory
from sousveil._words import plural
from sousveil.review._answers import read_answers, write_table
from sousveil.review._page import page
from sousveil.sources import Source, licences

FILES: Final = {
    "links": "links.parquet",
    "observations": "observations.parquet",
    "cameras": "cameras.parquet",
    "pairs": "pairs.parquet",
    "rates": "rates.csv",
    "review": "review.csv",
    "review_page": "review.html",
    "attribution": "ATTRIBUTION.md",
}
"""The files of a linkage by what they are for."""

OBSERVED: Final = ("observation_id", "source_id", "kind", "lon", "lat")
"""The columns of observations.parquet: what each list itself says, before cameras are joined."""


class LinkedLists(NamedTuple):
    """Lists, the links between them, and the cameras they come to (records.CAMERAS)."""

    sources: list[Source]
    observations: pa.Table
    linked: linking.Linked
    cameras: pa.Table
    threshold: float | None


def link_lists(
    sources: Sequence[Source],
    *,
    threshold: float | None = None,
    reviewed: str | Path | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> LinkedLists:
    """Link the observations of lists; see `linking.link`.

    reviewed: a file of answers, read by `read_answers`. Raises UnusableInput where it
    cannot be used.
    """
    answers = None if reviewed is None else read_answers(reviewed)
    observations = pa.concat_tables([source.observations for source in sources])
    progress(
        f"Linking {plural(observations.num_rows, 'observation')} of {plural(len(sources), 'list')}"
    )
    linked = linking.link(observations, threshold=threshold, seed=seed, reviewed=answers)
    cameras = register.build(observations, linked.links).cameras
    return LinkedLists([*sources], observations, linked, cameras, threshold)


def summary(result: LinkedLists) -> dict[str, Any]:
    """Return the JSON object of the command."""
    return {
        "observations": result.observations.num_rows,
        "cameras": result.cameras.num_rows,
        "pairs_compared": result.linked.pairs_compared,
        "links": result.linked.n_links,
        "joins": result.linked.n_joined,
        "expected_precision_of_joins": result.linked.expected_precision_of_joins,
        "expected_precision": result.linked.expected_precision,
        "expected_recall": result.linked.expected_recall,
        "expected_f1": result.linked.expected_f1,
        "expected_f1_of_pairs": result.linked.expected_f1_of_pairs,
        "better": result.linked.better,
        "pairs": result.linked.pairs.num_rows,
        "uncertain": result.linked.uncertain.num_rows,
    }


def write(result: LinkedLists, directory: Path) -> dict[str, str]:
    """Write all tables and the page to a directory, all of them or none; return their paths.

    An earlier result at that place is replaced. Raises UnusableInput where nothing can be written.
    """
    linked, observations = result.linked, result.observations
    uncertain = linked.uncertain
    html = page(uncertain, observations, threshold=result.threshold, links=linked.links)
    with complete_directory(directory, marker=FILES["links"]) as partial:
        path = {name: partial / file for name, file in FILES.items()}
        pq.write_table(linked.links, path["links"], compression="zstd")
        pq.write_table(observations.select(OBSERVED), path["observations"], compression="zstd")
        export.write_geoparquet(export.points(result.cameras), path["cameras"])
        pq.write_table(linked.pairs, path["pairs"], compression="zstd")
        export.write_csv(linked.rates, path["rates"])
        write_table(uncertain, observations, path["review"])
        path["review_page"].write_text(html, encoding="utf-8")
        path["attribution"].write_text(licences.attribution(result.sources), encoding="utf-8")
    return {name: str(directory / file) for name, file in FILES.items()}
