"""A first draft of a list's description, made by looking at the file, for a person to finish."""

from __future__ import annotations

import json
import re
import statistics
from collections import Counter
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from sousveil._words import plural
from sousveil.errors import UnusableInput
from sousveil.sources import _values
from sousveil.sources._crs import Likely, likely
from sousveil.sources._links import tidy
from sousveil.sources.tabular._coordinates import RUINED_NUMBER
from sousveil.sources.tabular._files import FORMAT_NAMES
from sousveil.sources.tabular._peek import Peek, peek
from sousveil.sources.tabular._readers import LAT, LON
from sousveil.sources.tabular._spec import FileSpec

_LOOKED_AT: Final = 2_000
_MOSTLY: Final = 0.9
_REACH: Final = 20.0  # places so many times the median distance from the middle are far off
_LEAST_REACH_DEG: Final = 0.5
_DATE_LAYOUTS: Final = (
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %I:%M:%S %p",
    "%d-%m-%Y",
    "%Y%m%d",
    "%Y%m",
)
_MOST_WORDS: Final = 30  # a column with more distinct texts is no vocabulary

# Names that columns have and that say nothing to us.
_NAMES: Final = (
    "name|street|strasse|address|adres|indirizzo|direccion|city|town|district|location|ort$|"
    "label|descri|comment|remark|note|title|url|website|brand|model|maker|manufactur"
)
_PLAIN_NAME: Final = re.compile(r"[^\W\d]\w{0,39}")

# Parts of the names of columns, folded, that say what they hold; the first that fits counts.
_HINTS: Final = {
    "lat": "^lat|latitud|breite|위도|緯度|^y$|_y$|^y_|northing|hochwert|^y.?coord"
    "|y.?좌표|좌표[^a-z]*y",
    "lon": "^lon|^lng|longitud|lange|laenge|경도|経度|^x$|_x$|^x_|easting|rechtswert|^x.?coord"
    "|x.?좌표|좌표[^a-z]*x",
    "native_id": "^id$|_id$|^id_|nummer|number|번호|^ref|code|^nr|objectid|uuid|gid",
    "count": "count|anzahl|대수|quantit|nombre|numero_cam|qty|^cameras$",
    "operator": "operator|owner|betreiber|eigent|agency|기관명|gestore|exploitant|verantwort",
    "installed": "instal|설치연월|설치년월|inbetrieb|commission|aufgestellt|startdat",
    "seen_on": "updat|기준일|stand|last_|listed|modified|datum",
    "bearings": "direction|bearing|azimut|richtung|heading|orient|방면",
    "height_m": "height|hohe|hoehe|altezza|hauteur|hoogte|altura",
    "retention_days": "retention|aufbewahr|보관|bewaartermijn|conserva",
    "purpose": "purpose|zweck|목적|scopo|finalit|doel|proposito",
    "kind": "^type|kind|^art|tipo|soort|categor|class",
    "mount": "mount|montage|befestig",
}


class Draft(NamedTuple):
    """The draft and what was seen; warning: why the list cannot be read as it is."""

    toml: str
    findings: list[str]
    warning: str | None


class _Column(NamedTuple):
    name: str
    texts: list[str]  # those that are filled
    numbers: list[float]
    distinct: int


class _Guess(NamedTuple):
    column: _Column
    target: str
    why: str


class _Looks(NamedTuple):
    """All that was made out about a file."""

    path: Path
    seen: Peek
    header: bool
    columns: list[str]
    pair: tuple[_Column, _Column] | None
    ruined: list[str]  # columns of coordinates that thousands separators have ruined
    points: list[tuple[float, float]]  # rows with a longitude and a latitude
    systems: list[Likely]
    chosen: dict[str, _Column]
    guesses: list[_Guess]


def draft(path: Path) -> Draft:
    """Look at a file and draft its description.

    The draft lacks what no file says (licence, publisher), so that it is refused until a person
    has filled it in. Raises UnusableInput for a file that cannot be read.
    """
    seen = peek(path, rows=_LOOKED_AT)
    if seen.format == "osm":
        raise UnusableInput(f"{path}: is OpenStreetMap data; it needs no description")
    header = seen.names is not None or _has_header(seen.rows)
    columns, rows = seen.under(FileSpec(header=header))
    profiles = [_profile(name, [row[n] if n < len(row) else None for row in rows])
                for n, name in enumerate(columns)]  # fmt: skip
    pair = _coordinates(profiles)
    ruined = [column.name for column in pair or () if _is_ruined(column)]
    projected = pair is not None and not ruined and _is_projected(pair)
    systems = _systems(path, pair, profiles) if pair and projected else []
    points = [] if pair is None or ruined or projected else _points(columns, rows, pair)
    chosen = _chosen(profiles, pair, len(rows))
    taken = {column.name for column in (*(pair or ()), *chosen.values())}
    guesses = _guesses(profiles, taken)
    looks = _Looks(path, seen, header, columns, pair, ruined, points, systems, chosen, guesses)
    findings = _findings(looks)
    return Draft(_toml(looks, findings), findings, _warning(looks))


def _warning(looks: _Looks) -> str | None:
    if looks.pair is None:
        return (
            "no columns of coordinates were recognised; name them as lon and lat under [fields], "
            "or add them to the list: it cannot be read without"
        )
    return f"{_ruined(looks)}; get the list in another format" if looks.ruined else None


def _ruined(looks: _Looks) -> str:
    names = " and ".join(sorted(looks.ruined))
    return f"{names} {'are' if len(looks.ruined) > 1 else 'is'} ruined by thousands separators"


def _has_header(rows: list[list[str | None]]) -> bool:
    """Whether the first row names columns.

    It does where it holds no number and others do. Where none does, as in a list of streets, its
    cells have to look like names of columns and none may stand below in its own column again.
    """
    if not rows:
        return True
    if any(_number(cell) is not None for cell in rows[0]):
        return False
    if len(rows) < 2 or any(_number(cell) is not None for row in rows[1:20] for cell in row):
        return True
    names = [(at, cell.strip()) for at, cell in enumerate(rows[0]) if cell and cell.strip()]
    recurs = any(len(row) > at and row[at] == name for row in rows[1:] for at, name in names)
    if recurs or not names or len({name for _, name in names}) < len(names):
        return False
    if all(_PLAIN_NAME.fullmatch(name) for _, name in names):
        return True
    known = "|".join((_NAMES, *_HINTS.values()))
    return all(len(name) <= 40 and re.search(known, _values.fold(name)) for _, name in names)


def _profile(name: str, cells: list[str | None]) -> _Column:
    texts = [cell.strip() for cell in cells if cell and cell.strip()]
    numbers = [number for number in map(_number, texts) if number is not None]
    return _Column(name, texts, numbers, len(set(texts)))


def _number(text: str | None) -> float | None:
    if not text or not re.fullmatch(r"[+-]?\d{1,10}([.,]\d+)?", text.strip()):
        return None
    return float(text.strip().replace(",", "."))


def _hinted(column: _Column, target: str) -> bool:
    return re.search(_HINTS[target], _values.fold(column.name)) is not None


def _is_numeric(column: _Column) -> bool:
    return bool(column.texts) and len(column.numbers) >= _MOSTLY * len(column.texts)


def _coordinates(columns: list[_Column]) -> tuple[_Column, _Column] | None:
    """The columns of longitude (or easting) and latitude (or northing)."""
    by_name = {column.name: column for column in columns}
    if LON in by_name:
        return by_name[LON], by_name[LAT]
    numeric = [column for column in columns if _is_numeric(column)]
    empty_or_ruined = [column for column in columns if not column.texts or _is_ruined(column)]
    for candidates in (numeric, [*numeric, *empty_or_ruined]):
        lon = next((column for column in candidates if _hinted(column, "lon")), None)
        lat = next((column for column in candidates if _hinted(column, "lat")), None)
        if lon and lat:
            return lon, lat
    exact = [column for column in numeric if _decimals(column) >= 4]
    for one, other in pairwise(exact):
        for lon, lat in ((one, other), (other, one)):
            if max(map(abs, lat.numbers)) <= 90 < max(map(abs, lon.numbers)) <= 180:
                return lon, lat
    return (exact[1], exact[0]) if len(exact) == 2 else None


def _is_ruined(column: _Column) -> bool:
    ruined = sum(re.match(RUINED_NUMBER, text) is not None for text in column.texts)
    return ruined > len(column.texts) / 2


def _points(
    columns: list[str], rows: list[list[str | None]], pair: tuple[_Column, _Column]
) -> list[tuple[float, float]]:
    """Return the places of those rows that name one on Earth, without 0, 0."""
    at = [columns.index(column.name) for column in pair]
    places = [[_number(row[n]) if n < len(row) else None for n in at] for row in rows]
    return [
        (lon, lat)
        for lon, lat in places
        if lon is not None and lat is not None
        if abs(lon) <= 180 and abs(lat) <= 90 and (lon, lat) != (0, 0)
    ]


def _decimals(column: _Column) -> float:
    return statistics.median(len(re.split(r"[.,]", text)[-1]) if re.search(r"[.,]", text) else 0
                             for text in column.texts)  # fmt: skip


def _is_projected(pair: tuple[_Column, _Column]) -> bool:
    return any(abs(statistics.median(column.numbers)) > 180 for column in pair if column.numbers)


def _systems(path: Path, pair: tuple[_Column, _Column], columns: list[_Column]) -> list[Likely]:
    words = [path.stem, *(text for column in columns for text in column.texts[:50])]
    first, second = (statistics.median(column.numbers) for column in pair)
    return likely(first, second, words)


def _chosen(
    columns: list[_Column], pair: tuple[_Column, _Column] | None, rows: int
) -> dict[str, _Column]:
    """For each field of ours the first column whose name and content fit."""
    chosen: dict[str, _Column] = {}
    taken = {column.name for column in pair or ()}
    for target in _HINTS:
        if target in ("lat", "lon"):
            continue
        for column in columns:
            if column.name in taken or not column.texts or not _hinted(column, target):
                continue
            if _fits(target, column, rows):
                chosen[target] = column
                taken.add(column.name)
                break
    return chosen


def _fits(target: str, column: _Column, rows: int) -> bool:
    if target == "native_id":
        return len(column.texts) == rows == column.distinct
    if target == "count":
        return _is_numeric(column) and all(n == int(n) and 0 <= n <= 1000 for n in column.numbers)
    if target in ("installed", "seen_on"):
        return _date_layout(column) is not None
    if target in ("height_m", "retention_days"):
        return _is_numeric(column)
    if target == "kind":
        return column.distinct <= _MOST_WORDS
    return True


def _date_layout(column: _Column) -> str | None:
    """How the dates of a column are written: "" where they are read without being told."""
    sample = column.texts[:200]
    if sum(_values.day(text)[0] is not None for text in sample) >= _MOSTLY * len(sample):
        return ""
    for layout in _DATE_LAYOUTS:
        if sum(_is_date(text, layout) for text in sample) >= _MOSTLY * len(sample):
            return layout
    return None


def _is_date(text: str, layout: str) -> bool:
    try:
        datetime.strptime(text, layout)
    except ValueError:
        return False
    return True


def _findings(looks: _Looks) -> list[str]:
    seen, header, pair, systems, chosen = (
        looks.seen, looks.header, looks.pair, looks.systems, looks.chosen
    )  # fmt: skip
    looked_at = len(seen.rows) - (seen.names is None and header)
    found = [f"{FORMAT_NAMES[seen.format]}, looked at {plural(looked_at, 'row')}"]
    if seen.encoding:
        found.append(f"encoding {seen.encoding}, cells cut at {json.dumps(seen.delimiter)}")
    if seen.names is None and not header:
        found.append("no header: give the columns names")
    if pair is None:
        found.append("no columns of coordinates were recognised")
    elif looks.ruined:
        found.append(_ruined(looks))
    elif not any(column.texts for column in pair):
        found.append("lon and lat by the names of their columns alone, which are empty")
    elif systems:
        best = systems[0]
        found.append(
            f"projected coordinates, most likely {best.code} ({best.name}): near {best.place}"
        )
    elif _is_projected(pair):
        found.append("projected coordinates of no reference system that is known here")
    found += [f"{target} from {column.name}" for target, column in chosen.items()]
    return found + [f"{guess.column.name}: {guess.why}" for guess in looks.guesses]


def _guesses(columns: list[_Column], taken: set[str]) -> list[_Guess]:
    """Columns whose numbers look like something although their names do not say it."""
    found = []
    for column in columns:
        if column.name in taken or not _is_numeric(column) or column.distinct < 3:
            continue
        low, high = min(column.numbers), max(column.numbers)
        if not all(number.is_integer() for number in column.numbers):
            continue
        if low >= 1 and high <= 1000 and statistics.median(column.numbers) <= 5:
            found.append(_Guess(column, "count", f"whole numbers from {low:.0f} to {high:.0f}, "
                                "perhaps a count of cameras"))  # fmt: skip
        elif low >= 0 and 270 <= high <= 360 and column.distinct > 8:
            found.append(_Guess(column, "bearings", "numbers up to 360, perhaps bearings"))
    return found


def _toml(looks: _Looks, findings: list[str]) -> str:
    path, pair, systems, chosen, guesses = (
        looks.path, looks.pair, looks.systems, looks.chosen, looks.guesses
    )  # fmt: skip
    lines = [
        f"# A draft for {tidy(path.name)}, made by looking at it, for a person to finish.",
        *(f"# Seen: {finding}." for finding in map(tidy, findings)),
        f"title = {_quoted(path.stem)}",
        'publisher = ""        # who publishes the list',
        'url = ""              # where',
        'documentation = ""    # the page that says what its columns mean',
        'licence = ""          # SPDX identifier, or its name in plain words',
        'redistributable = "unknown"  # true or false once the licence says so',
        'attribution = ""      # how the publisher wants to be named',
        'covers = ""           # which cameras can stand in it: "cameras of public bodies", ...',
        f"counts = {_quoted('sites' if 'count' in chosen else 'devices')}",
        'has_duplicates = "unknown"',
        "# date = 2026-01-01   # of the content, where no column and no file name states it",
        "",
        "[file]",
        *_file_lines(looks),
        "",
        "[match]  # by what such a file is known",
        _match_line(looks),
        "",
        "[area]",
        'name = ""',
        *_box_lines(looks.points),
        "",
        "[fields]",
        *_place_lines(pair, systems),
        *(_field_line(target, column) for target, column in chosen.items() if target != "kind"),
        *(f"# {guess.target} = {_quoted(guess.column.name)}" for guess in guesses),
        *_kind_lines(chosen.get("kind")),
    ]
    return "\n".join(lines) + "\n"


def _match_line(looks: _Looks) -> str:
    named = [column for column in looks.columns if not column.startswith("@")]
    if looks.header:
        return f"columns = {_quoted(named)}"
    return f"names = {_quoted(['*' + ''.join(looks.path.suffixes)])}  # say more than the ending"


def _file_lines(looks: _Looks) -> list[str]:
    seen, header, columns, pair, systems = (
        looks.seen, looks.header, looks.columns, looks.pair, looks.systems
    )  # fmt: skip
    lines = [f"formats = {_quoted([seen.format])}"]
    if seen.encoding:
        lines += [f"encoding = {_quoted(seen.encoding)}", f"delimiter = {_quoted(seen.delimiter)}"]
    if not header:
        lines += ["header = false", f"columns = {_quoted(columns)}"]
    if pair and not looks.ruined and any("," in text for column in pair for text in column.texts):
        lines.append('decimal = ","')
    for rank, one in enumerate(systems):
        where = f"{one.name}: near {one.place}, {one.apart_km:.0f} km"
        lines.append(f"{'# ' if rank else ''}crs = {_quoted(one.code)}  # {where}")
    return lines


def _box_lines(points: list[tuple[float, float]]) -> list[str]:
    """Return the box of all but the outermost places; a few that lie far off do not widen it."""
    if not points:
        return ["# box = [west, south, east, north]"]
    middle = [statistics.median(side) for side in zip(*points, strict=True)]
    apart = [[abs(value - mid) for value in side]
             for side, mid in zip(zip(*points, strict=True), middle, strict=True)]  # fmt: skip
    reach = [max(_LEAST_REACH_DEG, _REACH * statistics.median(side)) for side in apart]
    near = [point for point, *far in zip(points, *apart, strict=True)
            if all(one <= most for one, most in zip(far, reach, strict=True))]  # fmt: skip
    sides = [sorted(side) for side in zip(*near, strict=True)]
    inner = [(side[len(side) // 50], side[-1 - len(side) // 50]) for side in sides]
    (west, east), (south, north) = ((low - 0.1, high + 0.1) for low, high in inner)
    return [
        f"# box = [{west:.2f}, {south:.2f}, {east:.2f}, {north:.2f}]"
        "  # where nearly all rows lie; take the area's own"
    ]


def _place_lines(pair: tuple[_Column, _Column] | None, systems: list[Likely]) -> list[str]:
    if pair is None:
        return ['lon = ""  # the column', 'lat = ""  # the column']
    lon, lat = reversed(pair) if systems and systems[0].north_first else pair
    return [f"lon = {_quoted(lon.name)}", f"lat = {_quoted(lat.name)}"]


def _field_line(target: str, column: _Column) -> str:
    layout = _date_layout(column) if target in ("installed", "seen_on") else ""
    if layout:
        return f"{target} = {{ column = {_quoted(column.name)}, formats = {_quoted([layout])} }}"
    return f"{target} = {_quoted(column.name)}"


def _kind_lines(column: _Column | None) -> list[str]:
    if column is None:
        return ['kind = { value = "camera" }']
    words = [word for word, _ in Counter(column.texts).most_common()]
    return [
        "",
        "[fields.kind]",
        f"column = {_quoted(column.name)}",
        '# to camera, alpr, speed, red_light, traffic, other_camera; "" where it is not known',
        "[fields.kind.map]",
        *(f'{_quoted(word)} = ""' for word in words),
    ]


def _quoted(value: Any) -> str:
    """A text or a list of texts as TOML; JSON writes them the same way."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
