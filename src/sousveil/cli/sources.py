"""sousveil sources: the lists that are known, what a file comes to, a draft for a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sousveil._words import plural
from sousveil.cli._common import Json, Quiet, errors_in_one_line, progress_on_stderr

if TYPE_CHECKING:
    from sousveil.sources import Source
    from sousveil.sources.tabular._spec import Spec

EXAMPLES = """
**Examples**

- `sousveil sources list` : the lists that are known
- `sousveil sources check busan.csv` : what would be read of a file
- `sousveil sources new cameras.csv > cameras.toml` : a draft to finish
- `sousveil sources check cameras.csv spec=cameras.toml` : what it then comes to
"""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Lists of cameras: which are known, what would be read of a file, a draft for a new one.",
    epilog=EXAMPLES,
)

_File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="The list, or a directory of its files.",
                   show_default=False),
]  # fmt: skip
_SpecArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="spec=FILE",
        help="The description to read it by: a TOML file or the id of a known list. Default: the "
        "known list that fits.",
        show_default=False,
    ),
]


@app.command("list")
def list_sources(as_json: Json = False) -> None:
    """List the lists that are known: id, title, licence, whether it may be passed on."""
    with errors_in_one_line():
        from sousveil.sources.catalogue import all_specs

        specs = all_specs()
    if as_json:
        _print_json({"sources": [_described(spec) for spec in specs.values()]})
        return
    width = max(map(len, specs))
    for name, spec in specs.items():
        typer.echo(f"{name:<{width}}  {spec.title}; {spec.licence}{_passing_on(spec)}")


@app.command("show")
def show(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="The id of a known list, or a TOML file.",
                       show_default=False),
    ],
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show one description: who published the list, and what becomes of its columns."""
    with errors_in_one_line():
        from sousveil.sources.catalogue import load

        spec = load(source)
    if as_json:
        _print_json(_described(spec))
        return
    typer.echo(Path(spec.path).read_text(encoding="utf-8").rstrip())


@app.command("check")
def check(
    file: _File,
    spec: _SpecArgument = None,
    accept_swapped: Annotated[
        bool,
        typer.Option(
            "--accept-swapped",
            help="Use rows whose latitude and longitude are swapped the other way round.",
        ),
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what would be read of a file: rows used, rows set aside and why, what is known of them.

    OpenStreetMap data needs no description. Nothing is written.
    """
    with errors_in_one_line(), progress_on_stderr(quiet) as progress:
        from sousveil.sources import osm, tabular

        if spec is None and file.is_file() and osm.is_osm(file):
            chosen = None
            source = osm.read(file, source_id="osm", progress=progress.step)
        else:
            chosen = _chosen(file, spec)
            source = tabular.read(
                file,
                source_id=chosen.spec_id,
                spec=chosen,
                accept_swapped=accept_swapped,
                progress=progress.step,
            )
    result = _checked(source, chosen)
    if as_json:
        _print_json(result)
        return
    for line in _sentences(result):
        typer.echo(line)


@app.command("new")
def new(file: _File, as_json: Json = False) -> None:
    """Draft the description of a list by looking at it, for a person to finish.

    The draft goes to the standard output; a warning says why the list cannot be read as it is.
    """
    with errors_in_one_line():
        from sousveil.sources.draft import draft

        made = draft(file)
    if as_json:
        _print_json(
            {
                "file": str(file),
                "findings": made.findings,
                "warning": made.warning,
                "toml": made.toml,
            }
        )
    else:
        typer.echo(made.toml, nl=False)
    if made.warning:
        typer.echo(f"sousveil: warning: {file}: {made.warning}", err=True)


def _chosen(file: Path, argument: str | None) -> Spec:
    from sousveil.errors import UnusableInput
    from sousveil.sources.catalogue import load, match
    from sousveil.sources.tabular._files import format_of

    if argument is not None:
        return load(argument.removeprefix("spec="))
    if not file.exists():
        raise UnusableInput(f"{file}: no such file; check the path")
    found = match(file)
    if found is None:
        if file.is_file():
            format_of(file)  # an empty file, or one that nothing reads, needs no description
        raise UnusableInput(
            f"{file}: fits no known list; draft its description with: sousveil sources new {file}"
        )
    return found


def _described(spec: Spec) -> dict[str, Any]:
    return {
        "id": spec.spec_id,
        "title": spec.title,
        "publisher": spec.publisher,
        "url": spec.url,
        "documentation": spec.documentation,
        "licence": spec.licence,
        "redistributable": _in_words(spec.redistributable),
        "attribution": spec.attribution,
        "covers": spec.covers,
        "counts": spec.counts,
        "has_duplicates": _in_words(spec.has_duplicates),
        "date": spec.date,
        "area": {"name": spec.area.name, "country": spec.area.country, "box": spec.area.box},
        "fields": {target: list(field.columns) for target, field in spec.fields.items()},
        "notes": list(spec.notes),
        "path": spec.path,
    }


def _checked(source: Source, spec: Spec | None) -> dict[str, Any]:
    """What a file comes to, as the JSON of the command; spec: None for OpenStreetMap data."""
    import pyarrow.compute as pc

    from sousveil.sources._gate import refusal
    from sousveil.summary import tally

    is_evidence = spec is not None and spec.is_evidence
    records = source.evidence if is_evidence else source.observations
    redistributable = source.redistributable if spec is None else spec.redistributable
    not_cameras = {} if is_evidence else tally(records["not_camera"], unknown=None)
    lifecycle = {} if is_evidence else tally(records["lifecycle"], unknown=None)
    whole = source.quarantine.filter(pc.invert(source.quarantine["kept"]))
    fields = source.quarantine.filter(source.quarantine["kept"])
    named = pc.binary_join_element_wise(fields["field"], fields["reason"], ": ")
    return {
        "file": source.path,
        "spec": spec and spec.spec_id,
        "title": "OpenStreetMap data, which needs no description" if spec is None else spec.title,
        "format": source.format,
        "seen_on": source.seen_on,
        "rows": source.rows,
        "used": records.num_rows,
        "devices": pc.sum(records["count"]).as_py(),
        "cameras": 0 if is_evidence else _cameras(records),
        "not_cameras": not_cameras,
        "lifecycle": lifecycle,
        "evidence": source.evidence.num_rows,
        "quarantined": whole.num_rows,
        "by_reason": tally(whole["reason"]),
        "fields_quarantined": fields.num_rows,
        "fields_by_reason": tally(named),
        "known": _known(records),
        "links_dropped": source.links_dropped,
        "covers": source.covers,
        "licence": source.licence,
        "redistributable": _in_words(redistributable),
        "publishing_stops": refusal(source.licence, redistributable),
        "notes": list(source.notes),
    }


def _cameras(observations: Any) -> int:
    """How many observations are of something that is a camera and stands there."""
    import pyarrow.compute as pc

    there = pc.and_(observations["not_camera"].is_null(), observations["lifecycle"].is_null())
    return pc.sum(there).as_py() or 0


_BOOKKEEPING = ("observation_id", "source_id", "row", "private_home", "operator_class_rule", "raw")


def _known(records: Any) -> dict[str, float]:
    """The share of the rows used of which each field is known."""
    n = records.num_rows
    known = {
        name: (n - records[name].null_count) / n if n else 0.0
        for name in records.column_names
        if name not in _BOOKKEEPING
    }
    unknown = sum(value == "unknown" for value in records["operator_class"].to_pylist())
    known["operator_class"] = 1 - unknown / n if n else 0.0
    return {name: share for name, share in known.items() if share}


def _sentences(result: dict[str, Any]) -> list[str]:
    day = f", as of {result['seen_on'].isoformat()}" if result["seen_on"] else ""
    lines = [
        f"{Path(result['file']).name}: {result['title']}"
        + (f" ({result['spec']})" if result["spec"] else ""),
        f"{result['format']}{day}",
        f"{plural(result['rows'], 'row')} = {result['used']:,} used + "
        f"{result['quarantined']:,} set aside",
    ]
    lines += [f"  {n:>9,}  {reason}" for reason, n in result["by_reason"].items()]
    if result["fields_by_reason"]:
        fields = plural(result["fields_quarantined"], "field is", "fields are")
        lines.append(f"Of the rows used, {fields} set aside:")
        lines += [f"  {n:>9,}  {reason}" for reason, n in result["fields_by_reason"].items()]
    others = result["not_cameras"] | result["lifecycle"]
    if others:
        apart = ", ".join(f"{n:,} {word.replace('_', ' ')}" for word, n in others.items())
        are = plural(result["cameras"], "is a camera", "are cameras")
        lines.append(f"Of the rows used, {are}; the others are counted apart: {apart}.")
    elif result["spec"] is None:
        lines.append("All of the rows used are cameras.")
    if result["evidence"]:
        lines.append("They place no camera and are kept as evidence about agencies and areas.")
    lines.append("Known of the rows used:")
    lines += [f"  {share:>8.1%}  {name}" for name, share in result["known"].items()]
    if result["links_dropped"]:
        lines.append(f"{plural(result['links_dropped'], 'link was', 'links were')} dropped.")
    lines.append(f"Licence: {result['licence']}.")
    if result["publishing_stops"]:
        lines.append(f"Publishing its records stops: {result['publishing_stops']}.")
    return lines + list(result["notes"])


def _passing_on(spec: Spec) -> str:
    from sousveil.sources._gate import refusal

    return "" if refusal(spec.licence, spec.redistributable) is None else " (not to be passed on)"


def _in_words(value: bool | None) -> bool | str:
    return "unknown" if value is None else value


def _print_json(value: dict[str, Any]) -> None:
    from sousveil.export import dumps

    typer.echo(dumps(value))
