"""sousveil register: every list of a place in one file, with its history."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sousveil._words import plural
from sousveil.cli._common import Json, Quiet, day, errors_in_one_line, progress_on_stderr

if TYPE_CHECKING:
    from sousveil.store import Added

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Keep every list of a place in one file, with its history.",
)

Register = Annotated[
    Path,
    typer.Option(
        "--register",
        "-r",
        metavar="FILE",
        envvar="SOUSVEIL_REGISTER",
        help="The register, one DuckDB file.",
    ),
]
RecordedBy = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="As the register was at the end of this day (UTC), instead of as it is.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="DIR",
        help="Directory for the tables; earlier ones there are replaced.",
        show_default=False,
    ),
]
LocalOnly = Annotated[
    bool,
    typer.Option(
        "--local-only",
        help="Also write records that their licence does not let you pass on; they stay here.",
    ),
]
DEFAULT = Path("register.duckdb")


@app.command()
def add(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE [spec=SPEC]...",
            help="Lists and extracts of OpenStreetMap; spec=SPEC behind a list names its "
            "description, where none of the catalogue fits.",
            show_default=False,
        ),
    ],
    register: Register = DEFAULT,
    dated: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="The day of the content. Default: what the file says.",
            show_default=False,
        ),
    ] = None,
    series: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The list of which the files are editions. Default: osm, or the list's "
            "description.",
            show_default=False,
        ),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="The file holds its whole list: what an earlier edition held and it does not "
            "has vanished.",
        ),
    ] = False,
    complete_within: Annotated[
        Path | None,
        typer.Option(
            metavar="BOUNDARY",
            help="As --complete, but only inside a GeoJSON file. Default for an extract of "
            "OpenStreetMap: where it has streets and buildings.",
            show_default=False,
        ),
    ] = None,
    lasting_ids: Annotated[
        bool | None,
        typer.Option(
            "--lasting-ids/--passing-ids",
            help="Whether rows keep their id from edition to edition. Default: look.",
            show_default=False,
        ),
    ] = None,
    link: Annotated[
        bool,
        typer.Option(help="Look for the same cameras in the other lists."),
    ] = True,
    accept_swapped: Annotated[
        bool,
        typer.Option("--accept-swapped", help="Use rows with latitude and longitude swapped."),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add lists to the register, each as one transaction; make the register where there is none.

    A file that is on the register already changes nothing. Killed at any moment the register is as
    it was before or as it is afterwards; who reads it meanwhile is never kept waiting.
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.sources.reading import with_specs
        from sousveil.store._reading import add_file, linker

        area = _area(complete_within)
        added = [
            add_file(
                register,
                Path(path),
                spec=spec,
                series=series,
                dated=day("--dated", dated),
                area=area,
                is_whole_list=complete,
                has_ids=lasting_ids,
                link=linker if link else None,
                accept_swapped=accept_swapped,
                progress=progress.step,
            )
            for path, spec in with_specs(files)
        ]
    told = {"register": str(register), "added": [asdict(one) for one in added]}
    lines = [_sentence(one) for one in added]
    if any(one.compared for one in added):
        lines.append(_COMPARED)
    _print(told, lines, as_json=as_json)


def _area(boundary: Path | None) -> Any:
    if boundary is None:
        return None
    from sousveil import place  # takes a while, and most imports do without

    return place.from_geojson(boundary)[1]


_COMPARED = (
    "Entries were compared only where lists meet, within about 5 km, so that ids elsewhere stay. "
    "`link` and `census` look at whole lists and also join more of the duplicates inside one list: "
    "they can come to fewer cameras."
)


def _sentence(one: Added) -> str:
    if one.status == "unchanged":
        return f"{one.source_id}: is on the register already; nothing changed."
    changes = ", ".join(f"{n:,} {_WORDS[kind]}" for kind, n in one.changes.items() if n)
    return (
        f"{one.source_id} ({one.series}, {one.dated}): {plural(one.rows, 'row')}, "
        f"{one.observations:,} used, {one.quarantined:,} in quarantine; "
        f"{one.known:,} of cameras known before. "
        f"{f'{one.compared:,} entries near other lists compared. ' if one.compared else ''}"
        f"{plural(one.cameras, 'camera')} now"
        f"{f' ({changes})' if changes else ''}."
    )


_WORDS = {
    "new": "new",
    "returned": "back again",
    "vanished": "vanished",
    "merge": "merged",
    "split": "split",
}


@app.command()
def show(
    register: Register = DEFAULT,
    camera: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Show what became of this camera instead: ids of any age resolve.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is on the register: sources with their dates and rows, cameras, runs."""
    with errors_in_one_line():
        from sousveil import store
        from sousveil.errors import UnusableInput

        if camera is not None:
            told = store.history(register, camera)
            if not told["now"]:
                raise UnusableInput(f"--camera {camera}: {register} never had this id")
            _print(told, _history_lines(told), as_json=as_json)
            return
        told = store.show(register)
    _print(told, _show_lines(told), as_json=as_json)


def _show_lines(told: dict[str, Any]) -> list[str]:
    cameras = told["cameras"]
    lines = [f"{plural(cameras['records'], 'camera')} ({plural(cameras['devices'], 'device')})"]
    lines += [
        f"  {one['dated']}  {one['id']} ({one['series']}): {plural(one['rows'], 'row')}, "
        f"{one['observations']:,} used, {one['quarantined']:,} in quarantine"
        for one in told["sources"]
    ]
    changes = ", ".join(f"{n:,} {_WORDS[kind]}" for kind, n in told["changes"].items())
    lines.append(f"{plural(len(told['runs']), 'run')}{f': {changes}' if changes else ''}")
    return lines


def _history_lines(told: dict[str, Any]) -> list[str]:
    return [f"{told['camera_id']} is now {', '.join(told['now'])}"] + [
        f"  run {one['run_id']} ({one['recorded_on']}): {one['kind']} "
        f"{', '.join(one['from_ids'])} -> {', '.join(one['to_ids'])}"
        for one in told["changes"]
    ]


@app.command()
def at(
    on: Annotated[str, typer.Argument(metavar="DATE", show_default=False)],
    register: Register = DEFAULT,
    recorded_by: RecordedBy = None,
    as_json: Json = False,
) -> None:
    """Count the cameras as the lists dated up to a day tell of them.

    A camera is there if a list of that day or before holds it and no later one of its series up to
    that day, which covers its place, lacks it. `export --on` writes them.
    """
    with errors_in_one_line():
        from sousveil import timeline

        state = timeline.at(
            register, _day(on), recorded_by=day("--recorded-by", recorded_by)
        ).summary
    cameras = state["cameras"]
    lines = [
        f"{plural(cameras['records'], 'camera')} ({plural(cameras['devices'], 'device')}) on {on}, "
        f"by {plural(len(state['sources']), 'source')}; {state['vanished']:,} had vanished by then."
    ]
    _print(state, lines, as_json=as_json)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", show_default=False)],
    after: Annotated[str, typer.Argument(metavar="B", show_default=False)],
    register: Register = DEFAULT,
    recorded_by: RecordedBy = None,
    output: Output = None,
    local_only: LocalOnly = False,
    as_json: Json = False,
) -> None:
    """Say what appeared, vanished, changed and moved from A to B, two days or two sources.

    DIR gets changes.csv, one row a change, without the cameras of private homes.
    """
    with errors_in_one_line():
        from sousveil import timeline
        from sousveil.store import _export

        found = timeline.diff(
            register,
            _day_or_name(before),
            _day_or_name(after),
            recorded_by=day("--recorded-by", recorded_by),
        )
        write = _export.write_difference
        files = write(register, output, found, local_only=local_only) if output else {}
    _print(found.summary | {"files": files}, _diff_lines(found.summary), as_json=as_json)


def _diff_lines(told: dict[str, Any]) -> list[str]:
    moved = told["moved"]
    far = f", by {moved['median_m']:.1f} m in the median" if moved["cameras"] else ""
    lines = [
        f"{plural(told['cameras']['from'], 'camera')} in {told['from']}, "
        f"{told['cameras']['to']:,} in {told['to']}.",
        f"  appeared {told['appeared']:,}, vanished {told['vanished']:,}, back again "
        f"{told['returned']:,}",
        f"  in places that only one of them covers: {told['newly_covered']:,} newly, "
        f"{told['not_covered']:,} no more",
        f"  moved {moved['cameras']:,}{far}; other attributes changed of {told['changed']:,}",
    ]
    lines += [
        f"    {name}: {', '.join(f'{n:,} {how}' for how, n in counts.items())}"
        for name, counts in told["attributes"].items()
    ]
    return lines + _unsaid(told)


def _unsaid(told: dict[str, Any]) -> list[str]:
    """Say what the lists leave open that do not claim to hold everything of their area."""
    open_, silent = [], []
    for side, is_open, what in (
        ("to", not told["vanished"], "whether any vanished"),
        ("from", told["newly_covered"] > 0, "whether those newly covered are new"),
    ):
        if is_open and told["extent_unknown"][side]:
            open_.append(what)
            silent += told["extent_unknown"][side]
    if not open_:
        return []
    claim = f"{silent[0]} does" if len(silent) == 1 else f"{len(silent)} sources do"
    return [
        f"  {' and '.join(open_)} cannot be said: {claim} not claim to hold everything of an area; "
        "where that is so, make the register anew and add them with --complete"
    ]


@app.command()
def timeline(
    register: Register = DEFAULT,
    recorded_by: RecordedBy = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Count the cameras at the date of every source, and say how long they stay on lists.

    DIR gets timeline.html (the charts, for reading offline), dates.csv, lifetimes.csv,
    installed.csv and timeline.json.
    """
    with errors_in_one_line():
        from sousveil.store import _export
        from sousveil.timeline import timeline as tell

        told = tell(register, recorded_by=day("--recorded-by", recorded_by))
        files = _export.write_timeline(register, output, told) if output else {}
    _print(told | {"files": files}, _timeline_lines(told), as_json=as_json)


def _timeline_lines(told: dict[str, Any]) -> list[str]:
    lines = [
        f"{one['dated']}  {one['cameras']:>9,} {'camera' if one['cameras'] == 1 else 'cameras'}: "
        f"{one['appeared']:,} appeared, "
        f"{one['newly_covered']:,} newly covered, {one['returned']:,} back again, "
        f"{one['vanished']:,} vanished"
        for one in told["dates"]
    ]
    for name, words in (("entered", "entered a list"), ("already_there", "were there already")):
        group = told["lifetimes"][name]
        lines.append(f"{group['cameras']:,} {words}: {_lasting(group)}")
    lines.append(told["lifetimes"]["note"])
    months = told["installed"]["by_month"]
    if months:
        lines.append(
            f"Installed {months[0]['month']} to {months[-1]['month']}: "
            f"{plural(sum(one['cameras'] for one in months), 'camera')}; not stated of "
            f"{told['installed']['unknown']:,}"
        )
    return lines


def _lasting(group: dict[str, Any]) -> str:
    if not group["vanished"]:
        return "none has vanished"
    if group["median_years"] is not None:
        return f"half have vanished after {group['median_years']:.1f} years"
    last = group["curve"][-1]
    return (
        f"after {last['years']:.1f} years {last['survival']:.1%} are there still "
        f"({last['low']:.1%} to {last['high']:.1%})"
    )


@app.command()
def export(
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="Directory for the tables; earlier ones there are replaced.",
            show_default=False,
        ),
    ],
    register: Register = DEFAULT,
    on: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="As the lists dated up to this day tell. Default: all lists.",
            show_default=False,
        ),
    ] = None,
    local_only: LocalOnly = False,
    as_json: Json = False,
) -> None:
    """Write the register's tables, as a census does: what is published keeps to its rules."""
    with errors_in_one_line():
        from sousveil.store import _export

        files = _export.write_register(register, output, on=day("--on", on), local_only=local_only)
    _print({"files": files}, [f"Register: {output}"], as_json=as_json)


def _day(text: str) -> Any:
    return day("DATE", text)


def _day_or_name(text: str) -> Any:
    """Return a day, or the id of a source: whatever is not written like a day."""
    if len(text) == 10 and text[:4].isdecimal() and text[4] == text[7] == "-":
        return _day(text)
    return text


def _print(told: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        from sousveil.export import dumps

        lines = [dumps(told)]
    for line in lines:
        typer.echo(line)
