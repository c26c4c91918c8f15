"""Claims: what was published of how many cameras a place has, and what that comes to.

See docs/claims.md for the method.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from sousveil.claims import _estimates, _places, _ranks, _reading, _record
from sousveil.claims._check import check
from sousveil.claims._evidence import evidence
from sousveil.claims._model import Priors
from sousveil.claims._reading import Read
from sousveil.claims._series import counted
from sousveil.errors import UnusableInput
from sousveil.records import CLAIMS, ESTIMATES

__all__ = ["FILES", "Answer", "Priors", "check", "claims", "counted", "evidence", "is_country"]

LEVEL: Final = 0.95

FILES: Final = {
    "report": "report.html",
    "json": "claims.json",
    "claims": "claims.csv",
    "estimates": "estimates.json",
    "estimates_csv": "estimates.csv",
    "sources": "sources.json",
    "attribution": "ATTRIBUTION.md",
}
"""The files of an answer by what they are for."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was claimed of a place and what it comes to.

    summary is the JSON object of the command, described in docs/claims.md; its "files" is empty
    until `write`. claims: records.CLAIMS of the place; estimates: records.ESTIMATES.
    """

    summary: dict[str, Any]
    claims: pa.Table
    estimates: pa.Table

    def sentences(self) -> list[str]:
        """Return the answer in words."""
        from sousveil.claims._words import sentences

        return sentences(self.summary)

    def to_html(self) -> str:
        """Return the answer as one HTML page that needs nothing but itself."""
        from sousveil.claims._page import render

        return render(self.summary)

    def write(self, directory: str | Path) -> Answer:
        """Write page and tables to a directory, all of them or none.

        Returns the answer with the summary's "files" filled in. Raises UnusableInput where nothing
        can be written.
        """
        return _write(self, Path(directory))


def claims(
    place: str,
    *,
    evidence: str | Path | None = None,
    year: int | None = None,
    on: date | None = None,
    seed: int = 0,
    priors: Priors | None = None,
) -> Answer:
    """Say what was claimed of a place, what each claim is worth, and what they come to.

    place: a country, a city or the world, by a name in any of several languages.
    evidence: a CSV file with claims of your own, see docs/claims.md.
    year: of the estimates; without it that of the latest claim of each definition.
    on: the day from which the forecasts count, with nothing but what was written by then: of a
    claim only the year of writing is known, so those of earlier years, and of the same year on its
    last day. Without it today, and all claims. Estimates take all claims in any case.
    seed: of the draws behind the ranks; everything else is exact.

    Raises UnusableInput where the evidence holds nothing of the place, or cannot be read.
    """
    if year is not None and not 1990 <= year <= 2100:
        raise UnusableInput(f"--year {year}: lies outside 1990 to 2100; give another year")
    table = _evidence_table(evidence)
    reads = _reading.read_all(table)
    name = _find(place, reads)
    own = [read for read in reads if name in (read.claim["place"], read.stands_for)]
    priors = priors or Priors()
    used = [_reading.for_model(read) for read in reads if _reading.modelled(read)]
    stands_for = _places.place_of(name).stands_for
    rows = _estimates.modelled_rows(
        stands_for, reads, used, year=year, level=LEVEL, priors=priors
    ) + _estimates.lower_bounds(stands_for, reads)
    summary = {
        "place": name,
        "kind": _places.place_of(name).kind,
        "claims": [_reading.as_dict(read) for read in own],
        "copies": _copies(own),
        "origins": _origins(own, reads),
        "per_person": _per_person(own),
        "estimates": rows,
        "rank": _rank(stands_for, reads, used, seed, priors),
        "forecast": _forecast(stands_for, reads, on, priors),
        "priors": _priors(priors, rows),
        "population": _population(own),
        "evidence": {
            "claims": table.num_rows,
            "independent": len(used),
            "added": None if evidence is None else Path(evidence).name,
        },
        "seed": seed,
        "files": {},
    }
    return Answer(
        summary=summary,
        claims=pa.Table.from_pylist([read.claim for read in own], schema=CLAIMS),
        estimates=pa.Table.from_pylist(
            [{key: row[key] for key in ESTIMATES.names} for row in rows], schema=ESTIMATES
        ),
    )


def is_country(name: str) -> bool:
    """Say whether a name is that of a country, or the world, of which the evidence holds claims.

    Such a name is answered from claims; other countries are places to download.
    """
    found = _places.find(name)
    return found is not None and _places.place_of(found).kind in ("country", "group", "world")


_evidence_table = evidence  # the argument of `claims` has the name that users write


def _find(place: str, reads: Sequence[Read]) -> str:
    there = {read.claim["place"] for read in reads}
    found = _places.find(place, frozenset(there))
    if found is None or found not in there | {read.stands_for for read in reads}:
        raise UnusableInput(
            f"{place}: the evidence holds no claim about it; it has {_listed(sorted(there))}; "
            "add your own with --evidence FILE.csv"
        )
    return found


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]


def _copies(own: Iterable[Read]) -> list[dict[str, Any]]:
    return [
        {
            "claim_id": read.claim["claim_id"],
            "copy_of": read.claim["copy_of"],
            "first": read.root,
            "publisher": read.claim["publisher"],
            "number": read.number,
            "year": read.claim["year"],
            "note": read.claim["note"],
        }
        for read in own
        if read.role == "copy"
    ]


def _origins(own: Sequence[Read], reads: Sequence[Read]) -> dict[str, Any]:
    """Return the graph of who took a figure from whom; an arrow points to where it came from."""
    edges = []
    for read in own:
        claim = read.claim
        if claim["copy_of"]:
            edges.append({"from": claim["claim_id"], "to": claim["copy_of"], "kind": "copy"})
        edges += [
            {"from": claim["claim_id"], "to": other, "kind": "arithmetic"}
            for other in claim["derived_from"]
        ]
    named = {read.claim["claim_id"] for read in own} | {edge["to"] for edge in edges}
    nodes = [
        {"claim_id": read.claim["claim_id"], "role": read.role, "place": read.claim["place"]}
        for read in reads
        if read.claim["claim_id"] in named
    ]
    return {
        "nodes": nodes,
        "edges": edges,
        "independent": [n["claim_id"] for n in nodes if n["role"] == "independent"],
    }


def _per_person(own: Iterable[Read]) -> list[dict[str, Any]]:
    return [
        {
            "claim_id": read.claim["claim_id"],
            "year": read.claim["year"],
            "cameras": read.number,
            "people": read.people.people if read.people else None,
            "people_per_camera": 1 / read.rate if read.rate else None,
            "cameras_per_1000": 1000 * read.rate if read.rate else None,
        }
        for read in own
    ]


def _rank(
    place: str, reads: Sequence[Read], used: Sequence[Any], seed: int, priors: Priors
) -> dict[str, Any]:
    if _places.place_of(place).kind != "country":
        return {"possible": False, "why": f"{place} is not a country", "among": []}
    countries = {
        read.stands_for for read in reads if _places.place_of(read.stands_for).kind == "country"
    }
    return _ranks.rank(place, used, spoken_of=countries, seed=seed, priors=priors)


def _forecast(place: str, reads: Sequence[Read], on: date | None, priors: Priors) -> dict[str, Any]:
    known = [read for read in reads if on is None or date(read.claim["made_in"], 12, 31) <= on]
    record = _record.back_tests(known, level=LEVEL, priors=priors)
    rows, refused = _estimates.forecasts(
        place,
        known,
        [_reading.for_model(read) for read in known if _reading.modelled(read)],
        this_year=(on or date.today()).year,
        tested_years=max((row["years_ahead"] for row in record["rows"]), default=0),
        level=LEVEL,
        priors=priors,
    )
    told = _estimates.scopes_with_claims(place, known)
    refused += [
        {"definition": scope, "why": f"no claim was certainly written by {on}"}
        for scope in _estimates.scopes_with_claims(place, reads)
        if scope not in told
    ]
    return {
        "on": on and on.isoformat(),
        "written_later": len(reads) - len(known),
        "rows": rows,
        "not_forecast": refused,
        "record": record,
        "published": _record.published_forecasts(known),
    }


def _priors(priors: Priors, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    influence = [
        {
            "definition": row["definition"],
            "stated": {k: row[k] for k in ("estimate", "low", "high")},
        }
        | row["prior_influence"]
        for row in rows
        if row["prior_influence"]
    ]
    return {"values": priors._asdict(), "influence": influence}


def _population(own: Iterable[Read]) -> list[dict[str, str]]:
    found = {(r.people.source, r.people.licence) for r in own if r.people and r.people.licence}
    return [{"source": source, "licence": licence} for source, licence in sorted(found)]


def _write(answer: Answer, directory: Path) -> Answer:
    from sousveil import export
    from sousveil._output import complete_directory

    files = {name: str(directory / file) for name, file in FILES.items()}
    html = answer.to_html()
    # The marker is that of a census: the answer about a country may take the place of one.
    with complete_directory(directory, marker=FILES["sources"]) as partial:
        path = {name: partial / file for name, file in FILES.items()}
        path["report"].write_text(html, encoding="utf-8")
        export.write_json(answer.summary | {"files": files}, path["json"])
        export.write_csv(answer.claims, path["claims"])
        export.write_json(answer.summary["estimates"], path["estimates"])
        export.write_csv(answer.estimates, path["estimates_csv"])
        export.write_json(_sources(answer.summary), path["sources"])
        path["attribution"].write_text(_attribution(answer.summary), encoding="utf-8")
    return replace(answer, summary=answer.summary | {"files": files})


def _sources(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pages that quote the claims, and where the people are from."""
    pages: dict[str, list[str]] = {}
    for claim in summary["claims"]:
        pages.setdefault(claim["quoted_by"], []).append(claim["claim_id"])
    quoted = [{"source": page, "licence": None, "claims": ids} for page, ids in pages.items()]
    return [*summary["population"], *quoted]


def _attribution(summary: dict[str, Any]) -> str:
    lines = [
        f"- {found['source']} ({found['licence']})"
        if found["licence"]
        else f"- figures quoted by {found['source']}"
        for found in _sources(summary)
    ]
    return "# Where these figures are from\n\n" + "\n".join(lines) + "\n"
