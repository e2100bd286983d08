"""The lock files: every package pinned and hashed, no address of an index, in step with pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ["requirements.lock", "requirements-dev.lock"]


def _entries(lock: Path) -> list[str]:
    """One text per requirement, its hashes included."""
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def _pins(lock: Path) -> set[tuple[str, str]]:
    """Name and version of every pinned package; a package may be pinned differently per Python."""
    pairs = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", entry) for entry in _entries(lock))
    return {(canonicalize_name(pair[1]), pair[2]) for pair in pairs if pair}


def _wanted(root: Path, lock: str) -> list[Requirement]:
    whole = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = whole["project"]["dependencies"] + whole["dependency-groups"]["build"]
    if lock == "requirements-dev.lock":
        wanted += whole["project"]["optional-dependencies"]["dev"]
    return [Requirement(text) for text in wanted]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pinned_package_with_hashes_of_several_files(lock: str, project_root: Path) -> None:
    entries = _entries(project_root / lock)
    assert [e for e in entries if not re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==\S+( ; [^-]+)? +--hash=sha256:", e)] == []
    assert len(entries) > 50


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_is_in_the_file(lock: str, project_root: Path) -> None:
    text = (project_root / lock).read_text(encoding="utf-8")
    assert re.findall(r"://|--index|--extra-index|--find-links|--trusted| @ |/", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_what_pyproject_asks_for_is_in_the_lock(lock: str, project_root: Path) -> None:
    pins = _pins(project_root / lock)
    unmet = [
        str(wanted)
        for wanted in _wanted(project_root, lock)
        if not [v for name, v in pins if name == canonicalize_name(wanted.name) and wanted.specifier.contains(v)]
    ]
    assert unmet == [], "run `make lock`"


def test_the_tests_run_on_what_is_shipped(project_root: Path) -> None:
    assert _pins(project_root / "requirements.lock") <= _pins(project_root / "requirements-dev.lock")


def test_what_only_tests_use_is_not_shipped(project_root: Path) -> None:
    shipped = {name for name, _ in _pins(project_root / "requirements.lock")}
    assert (
        shipped & {"polars", "pingouin", "statsmodels", "pytest", "hypothesis", "matplotlib", "mypy", "ruff"} == set()
    )
