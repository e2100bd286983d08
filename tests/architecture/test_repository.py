"""What lies in the repository: nothing large, no address of a registry or a machine, no patients' data, links that lead somewhere."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from mbt_rom.registry import instrument_ids
from pipelines.cli import COMMANDS

LARGEST = 500_000
# Written in two halves, so that this file does not hold what it forbids.
REGISTRIES = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "crates" + ".io", "conda" + ".anaconda.org"]
REGISTRIES += ["deb" + ".debian.org", "rubygems" + ".org"]
MACHINE = re.compile(r"(?<![\w.$}])/(?:" + "work/|root/|" + "tmp/|" + "opt/|" + "home/[a-z])")
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "GLOSSARY.md", "docs"]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _named(paths: list[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def _pages(root: Path) -> list[Path]:
    places = [root / name for name in DOCUMENTS]
    return [page for place in places for page in (sorted(place.glob("**/*.md")) if place.is_dir() else [place])]


def test_no_file_is_large(tracked: list[Path], project_root: Path) -> None:
    assert _named([path for path in tracked if path.stat().st_size > LARGEST], project_root) == []


def test_no_file_names_a_package_registry(tracked: list[Path], project_root: Path) -> None:
    assert _named([path for path in tracked if any(host in _text(path) for host in REGISTRIES)], project_root) == []


def test_no_file_names_a_folder_of_somebodys_machine(tracked: list[Path], project_root: Path) -> None:
    assert _named([path for path in tracked if MACHINE.search(_text(path))], project_root) == []


@pytest.mark.parametrize("path", ["/wo" + "rk/main", "/ro" + "ot/x", "cd /tm" + "p/x", "'/ho" + "me/anna"])
def test_a_folder_of_a_machine_is_recognised(path: str) -> None:
    assert MACHINE.search(path)


@pytest.mark.parametrize(
    "path", ["teamwo" + "rk/main", "$HO" + "ME/home/anna", "docs/wo" + "rk/", "{home}/ho" + "me/x"]
)
def test_a_relative_folder_is_let_through(path: str) -> None:
    assert not MACHINE.search(path)


def test_no_export_no_home_and_no_workbook_is_tracked(tracked: list[Path], project_root: Path) -> None:
    """The corpus of the fuzz tests holds some, which a script there makes; a test there knows each of them by name."""
    suffixes = {".xlsx", ".xls", ".ods", ".sav", ".zsav", ".por", ".parquet", ".sqlite", ".db", ".key", ".enc"}
    corpus = project_root / "tests" / "fuzz" / "corpus"
    others = [path for path in tracked if corpus not in path.parents]
    assert _named([p for p in others if p.suffix.lower() in suffixes or "rom-home" in p.parts], project_root) == []


def test_links_between_the_pages_lead_somewhere(project_root: Path) -> None:
    dead = [
        f"{page.relative_to(project_root)}: {target}"
        for page in _pages(project_root)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", _text(page))
        if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists()
    ]
    assert dead == []


def test_every_make_target_that_the_pages_name_exists(project_root: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text(project_root / "Makefile"), flags=re.MULTILINE))
    named = {t for page in _pages(project_root) for t in re.findall(r"`make ([a-z-]+)", _text(page))}
    assert named - targets == set()
    assert {"run", "test"} <= named


def test_every_command_that_the_pages_name_exists(project_root: Path) -> None:
    quoted = [_text(page) for page in _pages(project_root) if page.name != "architecture.md"]
    named = {c for text in quoted for c in re.findall(r"(?:`|\n|bin/)rom ([a-z]+)(?=[ `\n])", text)}
    assert named - set(COMMANDS) == set()
    assert {"nightly", "findings", "load"} <= named


def test_the_readme_names_the_pythons_that_the_package_accepts(project_root: Path) -> None:
    project = tomllib.loads(_text(project_root / "pyproject.toml"))["project"]
    versions = [c.rpartition(" ")[2] for c in project["classifiers"] if "Python :: 3." in c]
    major, minor = versions[-1].split(".")
    assert project["requires-python"] == f">={versions[0]},<{major}.{int(minor) + 1}"
    assert [v for v in versions if v not in _text(project_root / "README.md")] == []


def test_generated_pages_are_current(project_root: Path, tmp_path: Path, python: str) -> None:
    subprocess.run(
        ["sh", "scripts/generate", str(tmp_path)],
        cwd=project_root,
        env={"PYTHON": python, "PATH": "/usr/bin:/bin"},
        check=True,
    )
    made = [path.relative_to(tmp_path) for path in sorted(tmp_path.rglob("*")) if path.is_file()]
    stale = [str(name) for name in made if _text(tmp_path / name) != _text(project_root / name)]
    assert stale == [], "run `make docs` and commit what it writes"
    assert len(made) >= 2


def test_every_instrument_has_a_page_and_every_page_an_instrument(project_root: Path) -> None:
    pages = {path.name for path in (project_root / "docs" / "instruments").iterdir()}
    assert pages == {"index.md", *(f"{i}.md" for i in instrument_ids())}
