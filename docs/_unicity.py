"""Draws docs/retrace-unicity.svg: `python docs/_unicity.py`; some minutes of computing."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

PICTURE = Path(__file__).with_name("retrace-unicity.svg")
sys.path.insert(0, str(PICTURE.parents[1] / "bench"))

from retrace import fitted, scaled  # noqa: E402

LEFT, TOP, WIDTH, HEIGHT = 48, 14, 640, 300
MUTED = "#8a8f94"
LINES = {4: "#c2702f", 10: "#3d78a6"}


def main() -> None:
    """Draw unicity by four and ten points as resolution falls, beside the published law."""
    table, _, _ = scaled()
    parts = [*_axes()]
    for k, colour in LINES.items():
        vh, eps = np.array(table[k]).T
        beta, alpha, _ = fitted(vh, eps)
        start = float(np.mean([e for x, e in table[k] if x == 1]))
        parts += [
            f'<circle cx="{_x(x):.1f}" cy="{_y(e):.1f}" r="4" fill="{colour}"/>'
            for x, e in table[k]
        ]
        parts.append(_curve(alpha, beta, f'stroke="{colour}" stroke-width="2"'))
        published = 0.157 - 0.007 * k
        style = f'stroke="{colour}" stroke-width="1.5" stroke-dasharray="5 5"'
        parts.append(_curve(start + 1.0, published, style))
    PICTURE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 370" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12"><title>{_TITLE}</title>'
        f"{''.join(parts)}</svg>\n",
        encoding="utf-8",
    )


_TITLE = "Share of residents singled out by four and by ten points, as resolution falls"


def _x(vh: float) -> float:
    return LEFT + WIDTH * float(np.log2(vh)) / 8


def _y(share: float) -> float:
    return TOP + HEIGHT * (1.0 - share)


def _curve(alpha: float, beta: float, style: str) -> str:
    vh = np.geomspace(1, 256, 60)
    line = " ".join(
        f"{_x(x):.1f},{_y(e):.1f}"
        for x in vh
        for e in [min(1.0, max(0.0, alpha - x**beta))]
    )  # fmt: skip
    return f'<polyline points="{line}" fill="none" {style}/>'


def _axes() -> list[str]:
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _y(share)
        parts.append(
            f'<path d="M{LEFT},{y}H{LEFT + WIDTH}" stroke="{MUTED}" stroke-opacity=".35"/>'
            f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end" fill="{MUTED}">{share:.0%}</text>'
        )
    parts += [
        f'<text x="{_x(vh):.0f}" y="{TOP + HEIGHT + 18}" text-anchor="middle" '
        f'fill="{MUTED}">{vh}</text>'
        for vh in (1, 4, 16, 64, 256)
    ]
    parts.append(
        f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle" '
        f'fill="{MUTED}">how many times coarser in space and time together</text>'
    )
    return parts


if __name__ == "__main__":
    main()
