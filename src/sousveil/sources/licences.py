"""Licences of sources, and the notice that every set of results must carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sousveil.sources import Source, _gate

LICENCE_URLS: Final = {
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
}
"""Where to read the licences that sources name, by SPDX identifier."""


def attribution(sources: Sequence[Source], *, also: Sequence[tuple[str, str]] = ()) -> str:
    """Return ATTRIBUTION.md: who is to be named, under which licence, for which file.

    also: further (attribution, SPDX licence) pairs, such as that of a population figure.
    """
    lines = [
        "# Attribution",
        "",
        "Whoever publishes these results, or anything made from them, must name these sources",
        "and keep to their licences.",
        "",
    ]
    for source in sources:
        date = f", as of {source.seen_on.isoformat()}" if source.seen_on else ""
        lines.append(f"- {source.attribution}, {linked(source.licence)}: {source.name}{date}")
    lines.extend(f"- {notice}, {linked(licence)}" for notice, licence in also)
    kept = _gate.refusals(sources)
    if kept:
        lines += ["", "These files stay on this machine: not all sources may be passed on.", ""]
        lines += [f"- {name}: {reason}" for name, reason in kept.items()]
    if any(source.licence == "ODbL-1.0" for source in sources):
        lines += [
            "",
            "The tables here are a derivative database of OpenStreetMap: share them, if you do,",
            "under the ODbL as well. Pictures and reports made from them need the attribution.",
        ]
    return "\n".join(lines) + "\n"


def linked(licence: str) -> str:
    """Return a licence as a Markdown link where its text has a known address."""
    url = LICENCE_URLS.get(licence)
    return f"[{licence}]({url})" if url else licence


def described(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """Return what sources.json says: each source with its licence, date and row counts."""
    return [
        {
            "id": source.source_id,
            "file": source.name,
            "format": source.format,
            "publisher": source.publisher,
            "licence": source.licence,
            "licence_url": LICENCE_URLS.get(source.licence),
            "attribution": source.attribution,
            "seen_on": source.seen_on,
            "rows": source.rows,
            "observations": source.observations.num_rows,
            "quarantined": source.rows - source.observations.num_rows,
        }
        for source in sources
    ]
