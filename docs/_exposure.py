"""Writes what the examples of docs/exposure.md and letters.md print: `python docs/_exposure.py`.

They change with the priors of what is unknown of cameras. Needs the real extracts, see bench/.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.test_exposure_docs import DOCS, EXTRACT, make_track, run

PROJECT = DOCS.parent
DATA = Path(os.environ.get("SOUSVEIL_DATA") or PROJECT.parent / "shared" / "data")
EXAMPLE = re.compile(r"(<!-- example -->\n```console\n)(.*?)(```\n<!-- /example -->)", re.DOTALL)


def fresh(example: re.Match[str]) -> str:
    """Return the example with what its commands print now."""
    said = []
    for command in re.findall(r"\$ sousveil (.*)", example[2]):
        said.append(f"$ sousveil {command}\n{run(command)}\n")
        if "--from" in command:
            make_track()
    return example[1] + "".join(said) + example[3]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path(EXTRACT).symlink_to(DATA.resolve() / "osm" / EXTRACT)
        for name in ("exposure.md", "letters.md"):
            page = DOCS / name
            page.write_text(EXAMPLE.sub(fresh, page.read_text(encoding="utf-8")), encoding="utf-8")
        os.chdir(PROJECT)
