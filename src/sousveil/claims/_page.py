"""The answer of `claims` as one page that opens offline."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any, Final

import jinja2

from sousveil.claims import _chart, _words

_PRIORS: Final = {
    "level": "log cameras per person of an average place in 2018 (mean 1 per 20)",
    "growth": "growth a year, of all places together (mean 10 %)",
    "growth_of_place": "growth a year, difference of a place",
    "place": "difference of a place",
    "walk": "drift of a place, per square root of a year",
    "definition": "difference of a definition (mean: a part, e to the power of -1)",
    "definition_of_place": "the same, from place to place",
    "publisher": "colour of a publisher",
    "publisher_of_place": "the same, from place to place",
    "publisher_that_counted": "factor on both for who counts its own cameras",
    "error": "factor on the errors by grade (A 3 %, B 15 %, C 35 %, D 70 %)",
    "damping": "what is left of growth each year after the last claim, equally likely",
    "ceiling": "cameras per person that no place passes, of forecasts alone: median",
    "ceiling_sd": "the same, standard deviation of its logarithm",
}


def render(summary: dict[str, Any]) -> str:
    """Return the page of an answer (the JSON object of the command)."""
    style = _file("claims.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    claims = sorted(summary["claims"], key=lambda claim: (claim["year"] or 9999, claim["claim_id"]))
    return _template().render(
        summary=summary,
        claims=claims,
        sentences=_words.sentences(summary),
        picture=_chart.timeline(summary),
        narrow_picture=_chart.timeline(summary, narrow=True),
        picture_in_words=_chart.in_words(summary),
        key=_chart.key(summary),
        roles=_words.ROLES,
        prior_names=_PRIORS,
        edges=_edges(summary),
        style=style,
        style_hash=digest,
    )


def _edges(summary: dict[str, Any]) -> list[dict[str, str]]:
    """Return who took a figure from whom, in words, the claims of one origin together."""
    verbs = {"copy": "copies", "arithmetic": "is worked out from"}
    edges = [edge | {"verb": verbs[edge["kind"]]} for edge in summary["origins"]["edges"]]
    return sorted(edges, key=lambda edge: (edge["to"], edge["from"]))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"cameras": _words.number, "per_camera": _words.per_camera}
    return environment.from_string(_file("claims.html.jinja"))


def _file(name: str) -> str:
    path = resources.files("sousveil.claims") / "templates" / name
    return path.read_text(encoding="utf-8")
