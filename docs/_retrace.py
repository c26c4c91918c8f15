"""Draws docs/retrace.svg: `python docs/_retrace.py`."""

from __future__ import annotations

from pathlib import Path

import sousveil
from sousveil.retrace._charts import named_map

PICTURE = Path(__file__).with_name("retrace.svg")
_STYLE = """<style>
path { fill: none; stroke-linecap: round }
.way { stroke: #cfc8b8; stroke-width: 1.2 }
.named { stroke-width: 4.5 }
.n0 { stroke: #e9b08a } .n1 { stroke: #dd8248 } .n2 { stroke: #b4470a } .n3 { stroke: #7a2c00 }
</style><rect x="-10" y="-10" width="100%" height="100%" fill="#ffffff"/>"""


def render() -> str:
    """Return the streets of the Helsinki sample by the chance of being named on them."""
    found = sousveil.retrace("helsinki", residents=100, draws=4)
    svg = named_map(found.lines, found.named_at)
    head, _, rest = svg.partition(">")
    return f"{head}>{_STYLE}{rest}\n"


if __name__ == "__main__":
    PICTURE.write_text(render(), encoding="utf-8")
