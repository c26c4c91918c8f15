"""The report of a census: one HTML page that holds all it needs and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2
import numpy as np
import shapely
from markupsafe import Markup

from sousveil import __version__
from sousveil.errors import BrokenInvariant
from sousveil.place import covered_area, population_attribution
from sousveil.report import _limits, _lists, _map, _static, _tables, _text, _timeline, _words
from sousveil.report._charts import charts
from sousveil.report._tiles import Tiles, background
from sousveil.sources.licences import LICENCE_URLS

if TYPE_CHECKING:
    from sousveil.census import Census
    from sousveil.sources import Source

_EDGES: Final = {"covered": "edge of the area that the data covers"}
# The map's worker reads its script beside us while the rest of the page is read and painted.
_WORKER: Final = {"maplibre-gl.js": "maplibregl.prewarm();\n"}
_SCRIPTS: Final = ("core", "signs", "details", "table", "filters", "map", "start")


def render(census: Census) -> str:
    """Return the report of a census as HTML.

    The page holds map, background, script and style; its content security policy forbids every
    request and every script but its own. Only what may be published is in it.
    Raises UnusableInput where no temporary file can be written for the background of the map.
    """
    shown = census.published.num_rows > 0
    seen = _seen(census)
    with ThreadPoolExecutor(max_workers=1) as pool:
        tiles = pool.submit(background, census.streets, census.buildings) if shown else None
        drawn = [*charts(census.summary), *_timeline.installed_of_census(census.summary)]
        context = _words_context(census.summary) | {
            "charts": drawn,
            "evidence": seen["sections"] + _evidence(census.summary),
            "layers": seen["layers"] if shown else None,
            "tables": _tables.tables(census.summary, census.published),
            "credits": _credits(census),
            "shown": shown,
        }
        if tiles is not None:
            context |= _map_context(census, tiles.result()) | seen["parts"]
    return _page(context)


def _seen(census: Census) -> dict[str, Any]:
    """Return what a coverage adds to the report: sections, layers of the map, script and style."""
    if census.coverage is None:
        return {"sections": [], "layers": None, "parts": {}}
    from sousveil.report import _layers  # slow to load, and of use to few

    style = _template("coverage.css") + _layers.colours() + _template("layers.css")
    return {
        "sections": [_layers.section(census.coverage)],
        "layers": _layers.layers(census.coverage),
        "parts": {"script": _script("bands", "layers"), "more_style": style},
    }


def summary_html(census: Census) -> str:
    """Return the main figures as a small HTML fragment for notebooks, without script or style."""
    summary = census.summary
    by_owner = summary["cameras"]["by_operator_class"]
    return _environment().get_template("summary.html.jinja").render(
        title=summary["place"],
        answer=_text.answer(summary),
        figures=_text.figures(summary),
        rows=[(name, by_owner.get(value, 0)) for value, name in _words.OWNERS.items()],
        credits=[source["attribution"] for source in summary["sources"]],
    )  # fmt: skip


def timeline_html(told: dict[str, Any], *, register: str, sources: Sequence[Source]) -> str:
    """Return the history of a register as a page of its own, which loads nothing and has no script.

    told: what `timeline.timeline` returns; register: its name; sources: those that it tells of.
    """
    style = _template("report.css")
    recorded_by = told["recorded_by"]
    return _environment().get_template("timeline.html.jinja").render(
        version=__version__,
        register=register,
        place=_place_of(register, sources),
        recorded_by=recorded_by and _words.day(recorded_by),
        evidence=_timeline.section(told),
        credits=_source_credits(sources),
        style=style,
        policy=_policy([], style),
    )  # fmt: skip


def _place_of(register: str, sources: Sequence[Source]) -> str:
    """Return what a register is called: by its file, else (as by default) by what it holds."""
    stem = Path(register).stem
    if stem != "register":
        return stem
    files = [re.split(r"[_-]?\d{4}|\.", source.name)[0] for source in sources]
    return ", ".join(dict.fromkeys(file.replace("_", " ") for file in files if file))


def main_sentences(census: Census) -> list[str]:
    """Return the answer and the main figures as plain sentences, the answer first."""
    sentences = [_text.answer(census.summary), *_text.figures(census.summary)]
    if census.coverage is not None:
        from sousveil.report._coverage import answer

        sentences.append(answer(census.coverage.summary))
    return [_plain(sentence) for sentence in sentences]


def _evidence(summary: _text.Summary) -> list[_lists.Section]:
    """Return the sections that only several lists, or several editions of one, give rise to."""
    found = _lists.section(summary), _timeline.section(summary.get("timeline"))
    return [section for section in found if section is not None]


def _words_context(summary: _text.Summary) -> dict[str, Any]:
    cameras = summary["cameras"]
    return {
        "version": __version__,
        "title": f"How many cameras watch {summary['place']}?",
        "data_date": _limits.data_date(summary),
        "cautions": _limits.cautions(summary),
        "records": f"{cameras['records']:,}",
        "answer": _text.answer(summary),
        "figures": _text.figures(summary),
        "definitions": _text.definitions(summary),
        "method": _limits.method(summary),
        "limits": _limits.limits(summary),
        "set_aside": _limits.set_aside(summary),
        "reasons": _tables.reasons(summary),
        "files": _limits.files(summary),
        "command": _limits.command(summary),
        "citation": _limits.citation(summary, __version__),
        "attribution": _attribution(summary),
        "odbl": any(source["licence"] == "ODbL-1.0" for source in summary["sources"]),
    }


def _map_context(census: Census, tiles: Tiles | None) -> dict[str, Any]:
    published, summary = census.published, census.summary
    outline = _outline(census)
    view = _map.view(published, outline, tiles)
    payload = {
        "cameras": _map.cameras(published),
        "words": {
            "codes": _map.vocabularies(),
            "rules": {name: rule["meaning"] for name, rule in summary["operator_rules"].items()},
            "months": _words.MONTHS,
            "edge": _EDGES.get(census.place.boundary_kind, "boundary of the count"),
        },
        "view": view,
        "boundary": _map.boundary(outline),
        "tiles": None if tiles is None else tiles._replace(data="")._asdict(),
        "credit": _attribution(summary),
    }
    return {
        "map_intro": _text.map_intro(summary, published.num_rows, has_background=tiles is not None),
        "still": _static.picture(published, census.streets, outline, view),
        "cameras_json": _map.safe_json(payload),
        "tiles_data": tiles.data if tiles else "",
        "maplibre_script": _maplibre("maplibre-gl.js"),
        "script": _script(),
    }


def _outline(census: Census) -> shapely.Geometry:
    """Return the boundary as it may be shown.

    That of the area which the data covers has a square around each camera outside it, whose middle
    would give away cameras of homes and of private operators: it is drawn without them.
    """
    if census.place.boundary_kind != "covered":
        return census.place.boundary
    boxes = [source.header_box for source in census.sources]
    return covered_area(census.streets, census.buildings, np.empty((0, 2)), boxes)[0]


def _page(context: dict[str, Any]) -> str:
    shown = context["shown"]
    style = (_maplibre("maplibre-gl.css") if shown else "") + _template("report.css")
    style += context.get("more_style", "")
    contents = [
        ("words", "Meaning"),
        *([("map-section", "Map"), ("list", "List")] if shown else []),
        *([("charts", "Charts")] if context["charts"] else []),
        *((section.name, section.title) for section in context["evidence"]),
        ("tables", "Tables"),
        ("method", "Method"),
        ("limits", "Limits"),
        ("sources", "Sources"),
    ]
    scripts = [context["maplibre_script"], context["script"]] if shown else []
    return _environment().get_template("report.html.jinja").render(
        context,
        contents=contents,
        style=style,
        policy=_policy(scripts, style),
    )  # fmt: skip


def _policy(scripts: list[str], style: str) -> str:
    """Return the content security policy: our scripts and style by their hash, nothing else."""
    allowed = " ".join(_hash(script) for script in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; "
        "worker-src blob:; child-src blob:; img-src data: blob:; connect-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _attribution(summary: _text.Summary) -> str:
    return ", ".join(dict.fromkeys(source["attribution"] for source in summary["sources"]))


def _credits(census: Census) -> list[dict[str, str | None]]:
    people = [_credit(*pair) for pair in population_attribution(census.place)]
    made = _source_credits(census.sources)
    return made + [credit | {"detail": "Number of inhabitants."} for credit in people]


def _source_credits(sources: Iterable[Source]) -> list[dict[str, str | None]]:
    return [
        _credit(source.attribution, source.licence)
        | {"detail": f"File {source.name}, as of {_words.day(source.seen_on)}."}
        for source in sources
    ]


def _credit(attribution: str, licence: str) -> dict[str, str | None]:
    return {
        "attribution": attribution,
        "licence": _words.label(licence, _words.LICENCES),
        "url": LICENCE_URLS.get(licence),
    }


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__name__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["parts"] = _parts
    environment.filters["plain"] = _plain
    environment.filters["options"] = _options
    return environment


_OPTION: Final = re.compile(r"(?<![\w-])(--[a-z][a-z-]+(?: [A-Z]+\b)?)")


def _options(text: str) -> Markup:
    """Mark options of the command line as code, which never breaks across lines."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else part
        for at, part in enumerate(_OPTION.split(text))
    )


def _parts(sentence: str) -> list[str]:
    """Split a sentence at its ``**figures**``: text and figures by turns, text first."""
    return re.split(r"\*\*(.+?)\*\*", sentence)


def _plain(sentence: str) -> str:
    return "".join(_parts(sentence))


@cache
def _template(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _script(*more: str) -> str:
    parts = "\n".join(_template(f"{name}.js") for name in (*_SCRIPTS, *more))
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


@cache
def _maplibre(name: str) -> str:
    """Return a file of MapLibre GL JS as the package `maplibre` carries it.

    The package is found, not imported: importing it is slow. Its pointer to a source map goes,
    because a browser's tools would request that.
    """
    found = importlib.util.find_spec("maplibre")
    if found is None or not found.origin:
        raise BrokenInvariant("the package maplibre is not installed")
    text = Path(found.origin).with_name("srcjs").joinpath(name).read_text(encoding="utf-8")
    return re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE) + _WORKER.get(
        name, ""
    )
