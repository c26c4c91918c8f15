"""The console, CSV and Python blocks of a page of the docs, run as they stand there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from sousveil.cli import app
from tests.conftest import PROJECT


def run(page: str, folder: Path) -> int:
    """Write the CSV blocks of a page to a folder, run its other blocks, compare what is printed.

    The working directory must be where the page's commands find their files. Returns how many
    commands and blocks of Python ran.
    """
    text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    for name, body in re.findall(r"^```csv file=(\S+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(body, encoding="utf-8")
    ran = 0
    for body in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for example in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, printed = example.partition("\n")
            words = shlex.split(command)
            assert words[0] == "sousveil"
            result = CliRunner().invoke(app, words[1:])
            assert result.exit_code == 0, result.output
            assert result.stdout == printed, command
            ran += 1
    known: dict[str, Any] = {}
    for body in re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        exec(compile(body, page, "exec"), known)
        ran += 1
    return ran
