"""What all commands share: their common options, one-line errors, and progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sousveil.errors import SousveilError, UnusableInput

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on the error stream.")]

LocalOnly = Annotated[
    bool,
    typer.Option(
        "--local-only",
        help="Also write records that their licence does not let you pass on; they stay here.",
    ),
]


def day(option: str, text: str | None) -> date | None:
    """Return the day that an option names, None where it was not given."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise UnusableInput(f"{option} {text}: not a day; write it as 2026-11-23") from None


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End with 2 and one line for what the user can mend, with 1 for a fault of ours."""
    try:
        yield
    except UnusableInput as error:
        typer.echo(f"sousveil: {_one_line(error)}", err=True)
        raise typer.Exit(2) from None
    except SousveilError as error:
        typer.echo(f"sousveil: a fault of ours: {_one_line(error)}", err=True)
        raise typer.Exit(1) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Progress(NamedTuple):
    """What a command may tell of its work: the step it is at, and how far a download is."""

    step: Callable[[str], None]
    download: Callable[[int, int | None], None] | None


@contextmanager
def progress_on_stderr(quiet: bool) -> Iterator[Progress]:
    """Yield what shows the work of a command on the error stream: live there, or line by line."""
    if quiet:
        yield Progress(lambda _: None, None)
        return
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _live(console) as progress:
            yield progress
    else:
        yield Progress(lambda text: console.print(text, markup=False, highlight=False), None)


@contextmanager
def _live(console: Console) -> Iterator[Progress]:
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars

    steps = Bars(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True)
    bars = Bars(BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(),
                console=console, transient=True)  # fmt: skip
    from rich.console import Group
    from rich.live import Live

    step = steps.add_task("Starting")
    bar = bars.add_task("", visible=False)

    def download(done: int, total: int | None) -> None:
        bars.update(bar, completed=done, total=total, visible=done != total)

    with Live(Group(steps, bars), console=console, transient=True):
        yield Progress(lambda text: steps.update(step, description=escape(text)), download)
