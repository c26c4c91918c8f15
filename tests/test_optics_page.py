"""The page on optics: its example runs, its picture is what the code draws."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

from tests.conftest import PROJECT

PAGE = PROJECT / "docs" / "optics.md"


def test_the_example_gives_what_it_says(capsys: Any) -> None:
    (example,) = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    exec(compile(example, PAGE.name, "exec"), {})
    said = re.search(r"# ([\d.]+):", example)
    assert said is not None
    assert capsys.readouterr().out.strip() == said[1]


def test_the_picture_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("_optics", PROJECT / "docs" / "_optics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    drawn = (PROJECT / "docs" / "optics.svg").read_text(encoding="utf-8")
    assert module.render() == drawn, "run: python docs/_optics.py"
