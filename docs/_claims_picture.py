"""Draws docs/claims-china.svg, the picture of docs/claims.md: `python docs/_claims_picture.py`."""

from __future__ import annotations

import re
from datetime import date
from importlib import resources
from pathlib import Path

from sousveil.claims import _chart, claims

OUT = Path(__file__).with_name("claims-china.svg")


def render() -> str:
    """Return the picture with the light colours of the page in place of its variables."""
    style = (resources.files("sousveil.claims") / "templates" / "claims.css").read_text("utf-8")
    light = style.partition("@media")[0]
    colours = dict(re.findall(r"(--\w+): (#\w+)", light))
    svg = _chart.timeline(claims("China", on=date(2026, 11, 25)).summary)
    svg = re.sub(r"var\((--\w+)\)", lambda match: colours[match[1]], svg)
    return re.sub(
        r"(<svg [^>]*>)", r'\1<rect width="100%" height="100%" fill="#fcfbf8"/>', svg, count=1
    )


if __name__ == "__main__":
    OUT.write_text(render() + "\n", encoding="utf-8")
