"""What the cameras see of the streets, as layers of the map and a section of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sousveil.coverage._picture import COLOURS, MEANING
from sousveil.records import LEVELS
from sousveil.report import _coverage
from sousveil.report._lists import Section
from sousveil.report._map import safe_json
from sousveil.report._tables import Table, heads
from sousveil.report._text import Summary
from sousveil.report._words import plural

if TYPE_CHECKING:
    from sousveil.coverage import Coverage

_STREET_HEADS: Final = (
    "Street",
    "#Metres",
    "#Could be seen",
    "#Seen at a random moment",
    "#Could be identified",
    "#Cameras at once, on average",
)


def layers(result: Coverage) -> dict[str, Any]:
    """Return what the map needs to show what is seen, and the words of its switch and legend."""
    payload = {
        "levels": list(LEVELS),
        "shown": _coverage.SHOWN,
        "stretches": _coverage.stretches(result.streets),
    }
    return {
        "shown": _coverage.SHOWN,
        "levels": {level: MEANING[level] for level in LEVELS},
        "json": safe_json(payload),
    }


def colours() -> str:
    """Return the colours of the levels by day, as properties of the page."""
    return "".join(f":root {{ --seen-{level}: {COLOURS[level]}; }}\n" for level in LEVELS)


def section(result: Coverage) -> Section:
    """Return the section that says what the cameras see."""
    seen = result.summary
    drivers = seen["drivers"]
    shares = Table(
        "Share of the length that is seen",
        heads("What", *(f"#{level}" for level in LEVELS)),
        [[row["name"], *row["cells"]] for row in _coverage.share_rows(seen)],
        _coverage.shares_note(seen),
    )
    streets = Table(
        "Streets by name",
        heads(*_STREET_HEADS),
        [[row["name"], *row["cells"]] for row in _coverage.street_rows(result.streets)],
        "Share of each street's length, at the level detect unless said; those most seen first.",
    )
    return Section(
        name="seen",
        title="What they see",
        intro=" ".join(_caveats(seen)),
        sentences=[
            _coverage.answer(seen),
            *_coverage.living(seen),
            *([drivers["sentence"]] if drivers else []),
        ],
        figures=[],
        tables=[table for table in (shares, streets) if table.rows],
    )


def _unlisted(seen: Summary) -> str:
    """Say whether cameras that no list has are in the figures, and how many these are."""
    told = seen["undercount"]
    if told is None or (told["unlisted"] and not seen["draws"]):
        return "Cameras that no list has are not in these figures, which are therefore at least."
    return str(told["note"])


def _caveats(seen: Summary) -> list[str]:
    said = [
        "Seen means that the pixels would allow it in good light; nobody need look. A camera that "
        "turns looks one way at a time: at a random moment it counts with the share of directions "
        "it shows, while “could be seen” asks where it could be turned.",
        _unlisted(seen),
    ]
    homes = seen["cameras"]["private_homes_left_out"]
    if homes:
        said.append(
            f"{plural(homes, 'camera of a private home', 'cameras of private homes')} "
            f"{'is' if homes == 1 else 'are'} left out: what is seen would show the place."
        )
    if not seen["draws"]:
        said.append("The middle of every assumption stands for what is unknown: no intervals.")
    return said
