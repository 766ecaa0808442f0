"""What the documents say exists does: paths, links, commands, and the names of the parts."""

import re
import tomllib
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.source import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
TOP = {path.name for path in ROOT.iterdir()}

# `billing/api/`, `pyproject.toml`, `.ci/run`: begins with something that stands at the top, and is nothing but a path.
_PATH = re.compile(r"`([\w.][\w./-]*)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")
_MAKE = re.compile(r"(?:^\$ |`)make ([\w-]+)", re.MULTILINE)
_COMMAND = re.compile(r"manage\.py ([a-z]\w+)")


def paths_in(page: Path) -> set[str]:
    """Return what a page names as paths of the project, its drawings left out."""
    return {
        name
        for name in _PATH.findall(page.read_text())
        if name.split("/")[0] in TOP and ("/" in name or "." in name.lstrip("."))
    }


def test_pages_are_found_and_name_paths() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "names.md", "architecture.md"} <= {
        page.name for page in PAGES
    }
    assert len(paths_in(ROOT / "README.md")) > 15
    assert len(paths_in(ROOT / "docs/names.md")) > 25


@EVERY_PAGE
def test_every_path_exists(page: Path) -> None:
    missing = {name for name in paths_in(page) if not (ROOT / name).exists() and not name.startswith(".local")}

    assert missing == set()


@EVERY_PAGE
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = {target for target, _ in _LINK.findall(page.read_text()) if "://" not in target}

    assert {target for target in targets if not (page.parent / target).exists()} == set()


@EVERY_PAGE
def test_every_command_exists(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(_MAKE.findall(text)) - targets == set()
    assert set(_COMMAND.findall(text)) - set(get_commands()) == set()


def test_every_name_has_a_place() -> None:
    rows = [line for line in (ROOT / "docs/names.md").read_text().splitlines() if line.startswith("| ")]
    named = [row for row in rows if not row.startswith(("| Name |", "| Word |", "|---"))]

    assert [row for row in named if not _PATH.search(row.rsplit("|", 2)[1])] == []


def test_the_map_names_every_package() -> None:
    """A part that stands and is not on the map would not be found; one that is gone would be looked for."""
    text = (ROOT / "docs/architecture.md").read_text()
    drawing = text.split("```")[1]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    drawn = set(re.findall(r"^(\w+)/ ", drawing, re.MULTILINE))

    assert drawn == packages


def test_every_file_on_the_map_stands_where_it_says() -> None:
    drawing = (ROOT / "docs/architecture.md").read_text().split("```")[1]
    missing, package = [], ""
    for line in drawing.splitlines():
        if found := re.match(r"(\w+)/ ", line):
            package = found.group(1)
        elif line.strip():
            names = re.split(r"\s{3,}|  (?=\S* ?[a-z])", line.strip())[0].split()
            missing += [f"{package}/{name}" for name in names if re.fullmatch(r"[\w.]+(\.py|/)", name)
                        and not (ROOT / package / name).exists()]  # fmt: skip

    assert missing == []


def test_the_licence_is_the_one_that_is_named() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
