"""Every module says what it is, those of the core also what belongs in them; every public function there says what it means."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "tools", "base"}


def _public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Public classes, functions and methods, with their dotted names."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, f"{prefix}{node.name}.")


def test_no_module_is_named_after_nothing(sources: list[Any]) -> None:
    assert [s.path for s in sources if set(PurePosixPath(s.path).with_suffix("").parts) & NAMELESS] == []


def _docstring(source: Any) -> str:
    return " ".join((ast.get_docstring(source.tree) or "").split())


def test_every_module_says_what_it_is(sources: list[Any]) -> None:
    assert [source.path for source in sources if len(_docstring(source)) < 20] == []


def test_every_module_of_the_core_says_what_belongs_in_it(sources: list[Any]) -> None:
    core = [s for s in sources if s.path.startswith("mbt_rom/") and not s.path.endswith("__init__.py")]
    assert [s.path for s in core if "elongs here" not in _docstring(s) and "not belong" not in _docstring(s)] == []
    assert len(core) > 20


def test_every_public_function_of_the_core_says_what_it_means(sources: list[Any]) -> None:
    silent = [
        f"{source.path}: {name}"
        for source in sources
        if source.path.startswith("mbt_rom/")
        for name, node in _public(source.tree.body)
        if not ast.get_docstring(node)  # type: ignore[arg-type]
    ]
    assert silent == []


def test_the_core_prints_nothing_outside_its_page_generators(sources: list[Any]) -> None:
    calls = [
        source.path
        for source in sources
        if source.path.startswith(("mbt_rom/", "expectations/", "dashboards/"))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert set(calls) <= {"mbt_rom/dictionary.py", "mbt_rom/register_page.py"}
