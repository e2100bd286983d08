"""Who may import whom: the contracts in pyproject.toml hold, and each heavy library stays in its own rooms."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

#: Library and the rooms that may import it. The files of `assets` that stand below Dagster are listed by themselves.
ROOMS = {
    "dagster": ("assets/", "pipelines/"),
    "great_expectations": ("expectations/",),
    "plotly": ("dashboards/",),
    "dash": ("dashboards/app.py", "dashboards/pages/"),
    "jinja2": ("dashboards/",),
    "deltalake": ("assets/",),
    "click": ("pipelines/",),
    "polars": (),
    "statsmodels": (),
    "pingouin": (),
    "requests": (),
    "urllib.request": (),
    "http.client": (),
}
#: Where the package is called otherwise than the module.
MODULES = {"pyyaml": "yaml", "fhir.resources": "fhir"}
#: A program that `make dev` starts; the script that pages carry along; data that the standard library reads.
USED_WITHOUT_IMPORT = {"dagster-webserver", "plotly", "tzdata"}
BELOW_DAGSTER = ("assets/home.py", "assets/lock.py", "assets/archive.py", "assets/vault.py", "assets/warehouse.py")


def _is_of(name: str, library: str) -> bool:
    return name == library or name.startswith(f"{library}.")


def test_the_import_contracts_hold(project_root: Path) -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("library", ROOMS)
def test_a_library_is_imported_in_its_own_rooms_only(library: str, sources: list[Any]) -> None:
    strangers = [
        f"{source.path}:{line}"
        for source in sources
        for line, name in source.imports
        if _is_of(name, library) and not source.path.startswith(ROOMS[library])
    ]
    assert strangers == []


def test_the_stores_know_nothing_of_dagster(sources: list[Any]) -> None:
    stores = [source for source in sources if source.path in BELOW_DAGSTER]
    assert [s.path for s in stores if any(_is_of(name, "dagster") for _, name in s.imports)] == []
    assert sorted(s.path for s in stores) == sorted(BELOW_DAGSTER)


def test_only_the_registry_reads_the_definitions(sources: list[Any]) -> None:
    readers = [s.path for s in sources if any(_is_of(name, "instruments") for _, name in s.imports)]
    assert set(readers) <= {"mbt_rom/registry.py"}


def test_figures_do_not_read_tables_from_disk(sources: list[Any]) -> None:
    drawn = [s for s in sources if s.path.startswith("dashboards/figures/")]
    assert [
        s.path for s in drawn if any(_is_of(name, "pyarrow") or _is_of(name, "sqlite3") for _, name in s.imports)
    ] == []


def test_every_runtime_dependency_is_imported_somewhere(sources: list[Any], project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[<>=\[ ]", text)[0] for text in project["dependencies"]} - USED_WITHOUT_IMPORT
    imported = {name.split(".")[0] for source in sources for _, name in source.imports}
    assert {name for name in named if MODULES.get(name, name.replace("-", "_")) not in imported} == set()


def test_every_dependency_is_accounted_for(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    page = (project_root / "docs" / "dependencies.md").read_text(encoding="utf-8")
    listed = {
        name for row in page.splitlines() if row.startswith("| ") for name in row.split("|")[1].strip().split(", ")
    }
    assert {re.split(r"[<>=\[ ]", text)[0] for text in wanted} - listed == set()
