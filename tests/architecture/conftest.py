"""The project's own source as the architecture tests read it: tracked files, and modules as syntax trees."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("instruments", "mbt_rom", "expectations", "dashboards", "assets", "pipelines")


@dataclass(frozen=True, repr=False)
class Source:
    """One module: where it stands (with `/`, from the root of the project) and its syntax tree."""

    path: str
    tree: ast.Module

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """Line and full name of everything that is imported, at the top or inside a function."""
        return [(node.lineno, name) for node in ast.walk(self.tree) for name in _imported(node)]

    def __repr__(self) -> str:
        """The path, so that a failing test does not print syntax trees."""
        return self.path


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every module of the system's own packages."""
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return [Source(f.relative_to(ROOT).as_posix(), ast.parse(f.read_text(encoding="utf-8"))) for f in files]


@pytest.fixture(scope="session")
def tracked(project_root: Path) -> list[Path]:
    """Every file that git tracks and that exists; skips where the project is no git checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=project_root, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of tracked files")
    return [path for name in listed.stdout.split("\0") if name and (path := project_root / name).is_file()]
