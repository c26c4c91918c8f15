"""What a network of cameras could learn about a week, measured on residents who do not exist.

No track, no name and no picture of anybody goes in: the residents are made in the same run, walk
past the cameras of a place, and are then looked for in what these would have recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sousveil import linking, register
from sousveil._output import complete_directory
from sousveil.coverage import seen_at
from sousveil.errors import UnusableInput
from sousveil.records import CAMERAS, RETRACED, RULES
from sousveil.residents import Residents, populate, some, streets_of, walk
from sousveil.residents._laws import RANKS, laws
from sousveil.retrace import _rules, _summary, _trying
from sousveil.retrace._measures import everything, measure
from sousveil.retrace._network import (
    PRIVATE,
    PUBLIC,
    UNKNOWN,
    Cameras,
    Watch,
    cameras_of,
    levels,
    marks,
    spots,
    watch,
)
from sousveil.retrace._powers import Ranges, read_powers
from sousveil.retrace._recording import record
from sousveil.sources import Source, licences, osm, reading

Progress = Callable[[str], None]

FILES: Final = {
    "report": "report.html",
    "summary": "retrace.json",
    "residents": "residents.parquet",
    "rules": "rules.csv",
    "attribution": "ATTRIBUTION.md",
}


@dataclass(frozen=True, kw_only=True)
class Retraced:
    """What the cameras of a place could learn of its synthetic residents.

    summary is the JSON object of the command; its "files" is empty until `write`. also: whom to
    name besides the source, for cameras of a census: attribution and licence of its sources.
    """

    summary: dict[str, Any]
    source: Source
    cameras: pa.Table  # records.CAMERAS
    residents: pa.Table  # records.RETRACED
    rules: pa.Table  # records.RULES
    named_at: np.ndarray[Any, Any]  # by edge of the network: chance that a passage is named there
    lines: np.ndarray[Any, Any]  # of these edges, longitude and latitude
    also: tuple[tuple[str, str], ...] = ()

    def to_html(self) -> str:
        """Return the report: one HTML page that needs nothing but itself."""
        from sousveil.retrace._page import render

        return render(self)

    def write(self, directory: str | Path) -> Retraced:
        """Write report and tables to a directory, all of them or none.

        Returns the result with the summary's "files" filled in. Raises UnusableInput where nothing
        can be written.
        """
        from sousveil import export

        directory = Path(directory)
        html = self.to_html()
        with complete_directory(directory, marker=FILES["summary"]) as partial:
            (partial / FILES["report"]).write_text(html, encoding="utf-8")
            export.write_json(self.summary | {"files": {}}, partial / FILES["summary"])
            pq.write_table(self.residents, partial / FILES["residents"], compression="zstd")
            export.write_csv(self.rules, partial / FILES["rules"])
            text = licences.attribution([self.source], also=[*_ALSO, *self.also])
            (partial / FILES["attribution"]).write_text(text, encoding="utf-8")
        files = {name: str(directory / file) for name, file in FILES.items()}
        return replace(self, summary=self.summary | {"files": files})


def retrace(
    source: str | Path,
    *,
    residents: int = 10_000,
    days: int = 7,
    cameras: str | Path | None = None,
    planned: str | Path | None = None,
    parameters: str | Path | None = None,
    powers: str | Path | None = None,
    what_if: bool = False,
    draws: int = 24,
    seed: int = 0,
    progress: Progress = lambda _: None,
    on_download: Callable[[int, int | None], None] | None = None,
) -> Retraced:
    """Let synthetic residents live some days in a place, and read what its cameras make of it.

    source: OpenStreetMap data with streets, buildings and cameras: a file, "helsinki", or the name
        of a place to download.
    residents, days: how many, the first day a Monday.
    cameras: the cameras.parquet of a census, instead of those in the source; planned: that of a
        list of cameras that do not stand yet, which the rule "planned" adds.
    parameters: a TOML file of how residents spend their days; powers: one of what operators can do.
    what_if: try rules against each other too; without it a given planned list is tried alone.
    draws: of all that is not known, for the intervals.

    Raises UnusableInput, in one line, for anything the user can mend.
    """
    if draws < 4:
        raise UnusableInput(f"--draws {draws}: give 4 or more, intervals need them")
    ranges = read_powers(None if powers is None else Path(powers))
    told = reading.Told(progress, on_download)
    found = reading.locate([source], told, one_each=True)[0]
    read = _read(found, told)
    progress("Reading shops, schools and stops")
    places = osm.read_places(found.path)
    network = streets_of(read.streets)
    progress(f"Letting {residents:,} residents live {days} days")
    town = populate(
        network, read.buildings, places,
        residents=residents, days=days, seed=seed, parameters=parameters,
    )  # fmt: skip
    table, ahead = _cameras(read, cameras, planned)
    if planned is not None and not ahead.any():
        raise UnusableInput(f"{planned}: holds no camera that does not stand already")
    known = cameras_of(table, network, ahead)
    progress(f"Looking where {table.num_rows:,} cameras look")
    places_seen = spots(network)
    # Apart, since the plane that seen_at computes in lies around its cameras: those that are
    # planned must change nothing about the others.
    seen = pa.concat_tables(
        seen_at(
            table.filter(pa.array(some_of)), read.buildings, places_seen.lon, places_seen.lat,
            streets=read.streets, seed=seed,
        )
        for some_of in ([~ahead, ahead] if ahead.any() else [~ahead])
    )  # fmt: skip
    watching = watch(network, known, places_seen, seen)
    drawn = _trying.Drawn(town, known, watching, ranges, draws, seed)
    tried: _trying.Which = "all" if what_if else "now" if planned is None else "planned"
    result = _retraced(read, _title(found), table, drawn, tried=tried, progress=progress)
    files = [Path(file) for file in (cameras, planned) if file is not None]
    return replace(result, also=tuple(dict.fromkeys(x for file in files for x in _credits(file))))


def _read(found: reading.Located, told: reading.Told) -> Source:
    if not osm.is_osm(found.path):
        raise UnusableInput(
            f"{found.path}: is no OpenStreetMap data, which has the streets and buildings that "
            "residents need; give an extract, and other cameras with --cameras"
        )
    return reading.read(found, told=told)


def _title(found: reading.Located) -> str:
    words = re.sub(r"([-_. ](latest|\d[\d-]*))+$", "", found.source_id)
    words = re.sub(r"[-_ ]+", " ", words).strip() or found.source_id
    return found.place or (words.title() if words.islower() else words)


def _cameras(
    read: Source, file: str | Path | None, planned: str | Path | None
) -> tuple[pa.Table, Any]:
    """Return the cameras, planned ones last, and which are planned."""
    table, ahead = (
        _standing(read) if file is None else (_from_census(Path(file)), CAMERAS.empty_table())
    )
    if planned is not None:
        ahead = pa.concat_tables([ahead, _from_census(Path(planned))])
    ahead = ahead.filter(pc.invert(pc.is_in(ahead["camera_id"], value_set=table["camera_id"])))
    every = pa.concat_tables([table, ahead])
    return every, np.arange(every.num_rows) >= table.num_rows


def _standing(read: Source) -> tuple[pa.Table, pa.Table]:
    """Return the cameras of the source that stand, and those that are planned or being built."""
    seen = read.observations
    built = register.build(seen, linking.by_identity(seen))
    ahead = pc.is_in(seen["lifecycle"], value_set=pa.array(["planned", "construction"]))
    ahead = seen.filter(pc.and_(ahead, pc.is_null(seen["not_camera"])))
    position = ahead.schema.get_field_index("lifecycle")
    there = ahead.set_column(position, ahead.schema.field("lifecycle"),
                             pa.nulls(ahead.num_rows, pa.string()))  # fmt: skip
    return built.cameras, register.build(there, linking.by_identity(there)).cameras


def _from_census(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file)
        return table.select(CAMERAS.names).cast(CAMERAS)
    except (OSError, pa.ArrowInvalid, KeyError, ValueError):
        if not file.exists():
            raise UnusableInput(f"{file}: no such file; check the path") from None
        said = _how_to(file)
        raise UnusableInput(f"{file}: is no cameras.parquet of a census{said}") from None


def _credits(file: Path) -> list[tuple[str, str]]:
    """Return attribution and licence of the sources that a census wrote beside its cameras."""
    try:
        sources = json.loads((file.parent / "sources.json").read_text(encoding="utf-8"))
        return [(one["attribution"], one["licence"]) for one in sources]
    except (OSError, ValueError, KeyError, TypeError):
        return [(f"The sources of {file.name}, which no sources.json beside it names", "unknown")]


def _how_to(file: Path) -> str:
    """Return how to make a cameras.parquet of a file that is none."""
    if file.suffix.lower() == ".parquet":
        return "; give the one that sousveil census -o DIR wrote"
    return (
        f"; make one: sousveil census {file} -o DIR, and give DIR/cameras.parquet (sousveil "
        "sources new describes a list that census does not know)"
    )


def _retraced(
    read: Source,
    place: str,
    table: pa.Table,
    drawn: _trying.Drawn,
    *,
    tried: _trying.Which,
    progress: Progress,
) -> Retraced:
    town, known, watching = drawn.residents, drawn.cameras, drawn.watch
    net, seed = town.town.network, drawn.seed
    progress("Walking")
    passed = walk(town, marks(watching, net, levels(watching, seed=seed, world=0)))
    middle = drawn.ranges.middle
    owned = known._replace(owner=_rules.owners(known, None))
    progress("Recording, and reading the record")
    held = record(town, passed, owned, watching.attends, middle, seed=seed, world=0)
    since = _rules.since_s(known, town.days, middle.retention_days)
    reach = everything(known)._replace(since_s=since)
    measured = measure(town, passed, held, owned, reach, middle)
    passages = _summary.named(town, held, reach)
    followed = _summary.followed(town, held, reach)
    progress("Drawing what is not known of cameras")
    world = _rules.World(0, passed, owned, middle, held)
    came = _trying.attempt(drawn, world, which=tried, progress=progress)
    met = _summary.met(town)
    summary: dict[str, Any] = {
        "place": place,
        "on": read.seen_on,
        "residents": town.people.n,
        "households": len(town.people.home),
        "days": town.days,
        "seed": seed,
        "draws": drawn.draws,
        "covers": _summary.covers(drawn.draws),
        "parameters": town.parameters.name,
        "trips": len(town.trips.resident),
        "cameras": _counts(known, watching),
        "passages": {"seen": len(followed[0]), "named": len(passages[0])},
        "measures": _summary.distributions(measured, came.means, came.anew, came.of),
        "unique": _unique(town, passages, came.by_day[:, 0], seed),
        "unique_if_followed": _unique(town, followed, came.by_day[:, 1], seed),
        "ties": _ties(town, passages, middle, met, came.ties[:, 0]),
        "ties_if_followed": _ties(town, followed, middle, met, came.ties[:, 1]),
        "curves": came.curves,
        "rules": came.rules,
        "singled_out": came.singled_out,
        "plausibility": laws(town.town, town.people, town.trips, passed, town.days),
        "powers": _told_powers(drawn.ranges),
        "notes": [],
        "source": {"id": read.source_id, "licence": read.licence, "seen_on": read.seen_on},
        "files": {},
    }
    summary["notes"] = _notes(summary)
    return Retraced(
        summary=summary,
        source=read,
        cameras=table,
        residents=_table(town, measured),
        rules=pa.Table.from_pylist(came.rules, schema=RULES),
        named_at=_named_at(_shown(watching, table, known.planned), net, drawn.ranges),
        lines=net.lines,
    )


def _unique(town: Residents, passages: _summary.Passages, by_day: Any, seed: int) -> dict[str, Any]:
    """Return who is unique. by_day: of the sample, worlds x days."""
    n, days = some(town, _trying.SAMPLE).people.n, town.days
    had = _summary.points(town.people.n, passages)
    whole = _summary.unique_by_day(had, days)
    part = _summary.unique_by_day(_summary.points(n, _summary.first(passages, n)), days)
    worlds = _trying.carried_over(by_day, part, whole)
    return _summary.uniqueness(had, passages, seed) | _summary.singled_out(worlds, whole)


def _ties(
    town: Residents, passages: _summary.Passages, powers: Any, met: _summary.Met, worlds: Any
) -> dict[str, Any]:
    """Return which household ties show. worlds: share of pairs that met that other households of
    the kind of the sample would show."""
    ties = _summary.household_ties(town, passages, powers, met, _summary.TARGETS)
    low, high = _summary.around(ties["recall_of_met"], worlds)
    return ties | {"recall_of_met_low": low, "recall_of_met_high": high}


def _notes(summary: dict[str, Any]) -> list[str]:
    """Return why figures are missing (null), as clauses."""
    days = "on this day" if summary["days"] == 1 else "in these days"
    said = []
    if not summary["trips"]:
        said.append(f"nobody went out {days}, so nothing can be said of trips")
    elif summary["plausibility"]["rank_exponent"] is None:
        said.append(
            f"nobody went to {RANKS} places or more {days}, so how visits fall by rank is unknown"
        )
    if summary["trips"] and not summary["passages"]["named"]:
        said.append(f"nobody was named {days} with middle powers")
    if not next(r for r in summary["measures"] if r["name"] == "work_found")["residents"]:
        said.append("nobody works in the area, so nothing can be said of places of work")
    return said


def _counts(known: Cameras, watching: Watch) -> dict[str, int]:
    there = ~known.planned
    owner, n = known.owner[there], int(there.sum())
    n_watching = int(there[np.unique(watching.camera)].sum())
    return {
        "records": n,
        "planned": len(there) - n,
        "watching": n_watching,
        "public": int((owner == PUBLIC).sum()),
        "private": int((owner == PRIVATE).sum()),
        "unknown": int((owner == UNKNOWN).sum()),
        "without_view_of_a_street": n - n_watching,
    }


def _told_powers(ranges: Ranges) -> dict[str, Any]:
    return {
        name: {
            "recognised": [float(x) for x in powers.recognised],
            "false_match": powers.false_match,
            "at_night": powers.at_night,
            "retention_days": powers.retention_days,
        }
        for name, powers in ranges._asdict().items()
    }


def _table(town: Residents, measured: Any) -> pa.Table:
    values = _rules.shares(measured)
    columns: dict[str, Any] = {
        "resident": np.arange(town.people.n, dtype=np.int32),
        "household": town.people.household,
        "person_type": town.people.person_type.astype(np.int32),
        "trips": measured[:, 0].astype(np.int32),
        "places": measured[:, 3].astype(np.int32),
    } | values
    arrays = [pa.array(columns[field.name], field.type, from_pandas=True) for field in RETRACED]
    return pa.table(arrays, schema=RETRACED)


def _shown(watching: Watch, table: pa.Table, planned: Any) -> Watch:
    """Leave out what does not stand yet, and private homes, which no picture may show."""
    home = table["private_home"].to_numpy(zero_copy_only=False).astype(bool)
    kept = ~(home | planned)[watching.camera]
    return watching._replace(
        edge=watching.edge[kept],
        at_m=watching.at_m[kept],
        camera=watching.camera[kept],
        could=watching.could[kept],
        angle=watching.angle[kept],
    )


def _named_at(watching: Watch, net: Any, ranges: Ranges) -> Any:
    """Return by edge the chance that who walks along it is named there, with middle powers."""
    steps = np.diff(ranges.middle.recognised, prepend=0.0)
    chance = (watching.could * watching.attends[watching.camera] * steps).sum(axis=1)
    pair = watching.edge.astype(np.int64) * len(watching.attends) + watching.camera
    pairs, row = np.unique(pair, return_inverse=True)
    best = np.zeros(len(pairs))
    np.maximum.at(best, row, chance)
    missed = np.zeros(len(net.ends))
    np.add.at(missed, pairs // max(len(watching.attends), 1), np.log1p(-np.minimum(best, 0.999)))
    return 1.0 - np.exp(missed)


_ALSO: Final = [
    (
        "How residents spend their days: example survey of ActivitySim 1.6.0, © 2014–2024 "
        "Association of Metropolitan Planning Organizations and contributors",
        "BSD-3-Clause",
    )
]
