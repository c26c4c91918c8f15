"""Writes docs/commands.md from the command line itself: `python docs/_commands.py`."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Any

import typer

from sousveil.cli import app

PAGE = Path(__file__).with_name("commands.md")

INTRODUCTION = """\
<!-- Made by docs/_commands.py from the commands themselves: change those, then run it. -->

# Commands

`sousveil COMMAND --help` says the same at the terminal.

What all commands share:

- **Streams.** The answer goes to the standard output, progress and messages to the error stream.
  With `--json` the output is one JSON object and nothing else.
- **Exit status.** 0: done. 2: the input or the arguments cannot be used; one line on the error
  stream names the file, the place in it and what to do. 1: a fault of ours; please report it.
- **Files.** Nothing is written but the directory that you name and the cache of downloads. That
  directory is complete or absent: a run that is interrupted leaves an earlier result as it was.
"""


def render() -> str:
    """Return the page: one section a command, with its arguments, options and examples."""
    group: Any = typer.main.get_command(app)
    sections = [_section(f"{group.name} {name}", command) for name, command in commands(group)]
    return "\n".join([INTRODUCTION, _whole(group), *sections])


def commands(group: Any) -> list[tuple[str, Any]]:
    """Return the commands of a group with their names, those of groups within it spelled out."""
    found: list[tuple[str, Any]] = []
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            found += [(f"{name} {inner}", deeper) for inner, deeper in commands(command)]
        else:
            found.append((name, command))
    return found


def _whole(group: Any) -> str:
    return f"## {group.name}\n\n{_text(group.help)}\n\n{_options(group)}"


def _section(name: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join([name, *map(_argument, arguments), "[OPTIONS]"])
    parts = [f"## {name}", f"```text\n{usage}\n```", _text(command.help)]
    if arguments:
        rows = [f"| `{_argument(p)}` | {_cell(p)} |" for p in arguments]
        parts.append("\n".join(["| argument | meaning |", "| --- | --- |", *rows]))
    parts += [_options(command), _text(command.epilog)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    name += "..." if parameter.nargs == -1 else ""
    return name if parameter.required else f"[{name}]"


def _options(command: Any) -> str:
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    rows = [f"| {_spellings(p)} | {_cell(p)} |" for p in options]
    help_row = "| `-h`, `--help` | Show the help and exit. |"
    return "\n".join(["| option | meaning |", "| --- | --- |", *rows, help_row])


def _spellings(option: Any) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    spelled = sorted([*option.opts, *option.secondary_opts], key=len)
    return ", ".join(f"`{name}{value if name == spelled[-1] else ''}`" for name in spelled)


def _cell(parameter: Any) -> str:
    meaning = parameter.help or ""
    if parameter.param_type_name == "option" and parameter.required:
        meaning += " Required."
    elif parameter.show_default and parameter.default not in (None, False, ""):
        meaning += f" Default: {parameter.default}."
    return meaning.replace("|", "\\|")


def _text(text: str | None) -> str:
    return re.sub(r"\n{3,}", "\n\n", inspect.cleandoc(text or ""))


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
