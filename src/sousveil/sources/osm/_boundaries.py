"""Administrative boundaries in OpenStreetMap data, chosen by name or id."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import shapely

from sousveil.errors import UnusableInput
from sousveil.sources.osm._geometry import area_within

_NAME_KEY: Final = re.compile(
    r"(name|official_name|int_name|alt_name|short_name|loc_name|nat_name)(:[\w-]+)?"
)
_ID: Final = re.compile(r"(?:relation/|relation |r)?(\d+)", re.IGNORECASE)
_SHOWN: Final = 5


class Boundary(NamedTuple):
    """An administrative relation of a file."""

    id: int
    name: str  # as on the map, "relation/1" without one
    names: frozenset[str]  # in all languages and forms, casefolded
    level: str  # admin_level, "" without one
    ways: tuple[int, ...]


class Listed(NamedTuple):
    """What can be said of a boundary before it is chosen."""

    id: int
    name: str
    level: str
    complete: bool


def is_boundary(tags: Mapping[str, str] | Any) -> bool:
    """Tell whether a relation bounds an administrative area."""
    return tags.get("boundary") == "administrative"


def boundary(id_: int, tags: Mapping[str, str], ways: Iterable[int]) -> Boundary:
    """Take what matters of a relation; ways: its members that are ways, in order."""
    names = (value for key, value in tags.items() if _NAME_KEY.fullmatch(key))
    parts = (part.strip().casefold() for value in names for part in (value, *value.split(";")))
    name = tags.get("name") or f"relation/{id_}"
    level = tags.get("admin_level", "")
    return Boundary(id_, name, frozenset(filter(None, parts)), level, tuple(dict.fromkeys(ways)))


def matching(wanted: str, found: Iterable[Boundary]) -> list[Boundary]:
    """Return the boundaries that an id or a name may mean."""
    by_id = _ID.fullmatch(wanted.strip())
    if by_id:
        return [one for one in found if one.id == int(by_id[1])]
    return [one for one in found if wanted.strip().casefold() in one.names]


def choose(
    path: Path, wanted: str, found: Sequence[Boundary], lines: Mapping[int, shapely.Geometry]
) -> Boundary:
    """Return the one boundary that is meant, or raise UnusableInput that helps to name it.

    lines: of the ways of all boundaries, unless one is meant for certain.
    """
    meant = matching(wanted, found)
    if len(meant) == 1:
        return meant[0]
    if not found:
        raise UnusableInput(
            f"{path}: holds no administrative boundary; give one as GeoJSON with --within"
        )
    if meant:
        rows = ", ".join(
            f"relation/{one.id} (level {one.level or '?'}{'' if one.complete else ', incomplete'})"
            for one in listed(meant, lines)
        )
        raise UnusableInput(
            f"{path}: {len(meant)} boundaries are called {wanted!r}: {rows}; give the id of one"
        )
    raise UnusableInput(
        f"{path}: no boundary {wanted!r} among its {len(found)}; {_advice(wanted, found, lines)}"
    )


def draw(path: Path, chosen: Boundary, lines: Mapping[int, shapely.Geometry]) -> shapely.Geometry:
    """Return the (multi)polygon of a boundary from the complete lines of its ways."""
    there = [lines[way] for way in chosen.ways if way in lines]
    area = area_within(there) if there and len(there) == len(chosen.ways) else None
    if area is None:
        raise UnusableInput(
            f"{path}: the boundary of {chosen.name} (relation/{chosen.id}) is incomplete here, "
            f"{len(there)} of its {len(chosen.ways)} ways are in the file; "
            "give a boundary as GeoJSON with --within"
        )
    return area


def listed(found: Iterable[Boundary], lines: Mapping[int, shapely.Geometry]) -> list[Listed]:
    """Return the boundaries by level and name, and whether their lines are complete."""
    rows = [
        Listed(one.id, one.name, one.level, bool(one.ways) and all(w in lines for w in one.ways))
        for one in found
    ]
    return sorted(rows, key=lambda row: (row.level.zfill(2), row.name, row.id))


def _advice(wanted: str, found: Sequence[Boundary], lines: Mapping[int, shapely.Geometry]) -> str:
    names = {name: one for one in found for name in one.names}
    near = difflib.get_close_matches(wanted.strip().casefold(), names, n=_SHOWN, cutoff=0.6)
    meant = dict.fromkeys(names[name].name for name in near)
    complete = dict.fromkeys(one.name for one in listed(found, lines) if one.complete)
    said = [f"did you mean {' or '.join(meant)}?"] if meant else []
    if complete:
        verb = "is" if len(complete) == 1 else "are"
        said.append(f"complete in it {verb} {', '.join([*complete][:_SHOWN])}")
    else:
        said.append("none is complete; give one as GeoJSON with --within")
    return " ".join(said)
