"""A letter from Markdown to plain text and to PDF."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_SPECIAL: Final = re.compile(r"([\\#$*_`<>@=~\[\]/\-+'\"])")

_HEAD: Final = """#set page(paper: "a4", margin: (x: 25mm, y: 22mm))
#set text(lang: "{language}", size: 10.5pt)
#set par(justify: false, leading: 0.62em, spacing: 1em)
#show heading: set text(size: 12pt)
#show heading: set block(above: 1.2em, below: 1em)
"""


def tidy(text: str) -> str:
    """Return Markdown with single empty lines, and hard breaks where lines follow each other."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    broken = [
        f"{line}\\" if line and i + 1 < len(kept) and _continues(line, kept[i + 1]) else line
        for i, line in enumerate(kept)
    ]
    return "\n".join(broken) + "\n"


def _continues(line: str, after: str) -> bool:
    return bool(after) and not line.startswith(("#", "-", ">")) and not after.startswith("-")


def plain(markdown: str) -> str:
    """Return a letter as text that can go into an e-mail."""
    lines = []
    for line in markdown.splitlines():
        bare = re.sub(r"^(# |> )", "", line)
        lines.append(bare.removesuffix("\\"))
    return "\n".join(lines) + "\n"


def pdf(markdown: str, *, language: str) -> bytes:
    """Return a letter as PDF (typst, which reads and loads nothing but this text)."""
    import typst

    source = (_HEAD.format(language=language) + _typst(markdown)).encode()
    epoch = datetime(2026, 1, 1, tzinfo=UTC)  # the same letter is the same file
    made: bytes = typst.compile(source, format="pdf", timestamp=epoch)
    return made


def _typst(markdown: str) -> str:
    lines = []
    for line in markdown.splitlines():
        hard = line.endswith("\\")
        text = line.removesuffix("\\")
        if text.startswith("# "):
            lines.append(f"= {_escaped(text[2:])}")
        elif text.startswith("> "):
            lines.append(f"#text(fill: luma(110), size: 9pt)[{_escaped(text[2:])}]")
        elif text.startswith("- "):
            lines.append(f"- {_escaped(text[2:])}")
        else:
            lines.append(_escaped(text) + (" \\" if hard else ""))
    return "\n".join(lines)


def _escaped(text: str) -> str:
    # A line that begins with "1." would be a numbered list.
    return re.sub(r"^(\d+)\.", r"\1\\.", _SPECIAL.sub(r"\\\1", text))
