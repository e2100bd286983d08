"""No road past the gate: what leaves a programme, and what is fitted on people, goes through `mbt_rom.permissions`."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from mbt_rom import contributions

#: What estimates a model's coefficients, as it is called in the libraries at hand.
FITS = {"curve_fit", "fit", "lstsq", "minimize", "polyfit", "solve"}


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def test_only_the_gate_says_who_is_permitted(sources: list[Any]) -> None:
    makers = {source.path for source in sources for node in ast.walk(source.tree) if _called(node) == "Permitted"}
    assert makers == {"mbt_rom/permissions.py"}


def test_nothing_is_contributed_without_being_told_who_permits_it() -> None:
    public = {
        name: inspect.signature(made).parameters
        for name, made in inspect.getmembers(contributions, inspect.isfunction)
        if made.__module__ == contributions.__name__ and not name.startswith("_")
    }
    frames = {name for name, takes in public.items() if {"expected", "episodes"} & set(takes)}
    assert frames == {"contributions", "inclusion"}
    for name in frames:
        assert public[name]["permitted"].default is inspect.Parameter.empty, name


def test_only_the_boundary_writes_tables_of_contributions(sources: list[Any]) -> None:
    """Tables beyond the boundary are declared in one place and filled by the two modules that take a `Permitted`."""
    users = {s.path for s in sources if any(n == "mbt_rom.tables.CONTRIBUTIONS" for _, n in s.imports)}
    assert users == {"mbt_rom/contributions.py"}
    callers = {s.path for s in sources if any(n == "mbt_rom.contributions" for _, n in s.imports)}
    assert callers == {"assets/contributions.py"}


def test_what_is_fitted_on_people_asks_for_the_gate(sources: list[Any]) -> None:
    """A module of the core that estimates coefficients takes a `Permitted`, or its caller cannot have asked."""
    fitting = [
        source
        for source in sources
        if source.path.startswith("mbt_rom/") and any(_called(node) in FITS for node in ast.walk(source.tree))
    ]
    asks = [s.path for s in fitting if any(n == "mbt_rom.permissions.Permitted" for _, n in s.imports)]
    assert [s.path for s in fitting] == asks


def test_whoever_asks_the_gate_in_a_home_tells_it_who_withdrew_by_a_stop(sources: list[Any]) -> None:
    asking = [
        {keyword.arg for keyword in node.keywords}
        for source in sources
        if source.path.startswith(("assets/", "pipelines/"))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and _called(node) == "holds" and any(k.arg == "purpose" for k in node.keywords)
    ]
    assert asking
    assert all("withdrew" in names for names in asking)
