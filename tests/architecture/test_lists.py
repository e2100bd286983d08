"""The chasing list knows no answers: nothing that it is made from can see a score, a forecast or an alert."""

from __future__ import annotations

from typing import Any

#: Modules that hold or compute what patients answered.
ANSWERS = (
    "scoring", "valuation", "change", "trajectories", "alerts", "norms", "reliability", "common_metric", "careless", "item_moments",
    "plausibility", "benchmarks", "contributions", "stored_totals",
)  # fmt: skip
LISTS = ("mbt_rom/due.py", "mbt_rom/handover.py", "mbt_rom/stops.py", "mbt_rom/calendars.py")
#: Tables from which the lists are gathered.
READ = {"EXPECTED", "EPISODES"}


def _reached(path: str, sources: list[Any]) -> set[str]:
    """Modules of the core that a module imports, directly or through others."""
    of = {s.path.removesuffix(".py").replace("/", "."): s for s in sources}
    found: set[str] = set()
    ahead = [path.removesuffix(".py").replace("/", ".")]
    while ahead:
        name = ahead.pop()
        names = {n for _, n in of[name].imports if n.startswith("mbt_rom")}
        known = {n if n in of else n.rpartition(".")[0] for n in names} & set(of)
        ahead += sorted(known - found)
        found |= known
    return found


def test_the_lists_import_nothing_that_knows_answers(sources: list[Any]) -> None:
    seen = {path: sorted(_reached(path, sources) & {f"mbt_rom.{name}" for name in ANSWERS}) for path in LISTS}
    assert seen == {path: [] for path in LISTS}


def test_modules_that_know_answers_are_recognised(sources: list[Any]) -> None:
    assert "mbt_rom.scoring" in _reached("mbt_rom/worked_examples.py", sources)
    assert {f"mbt_rom.{name}" for name in ANSWERS} <= {s.path.removesuffix(".py").replace("/", ".") for s in sources}


def test_the_lists_are_gathered_from_the_plan_and_the_registers_only(sources: list[Any]) -> None:
    (gathered,) = (s for s in sources if s.path == "assets/lists.py")
    tables = {name.rpartition(".")[2] for _, name in gathered.imports if name.startswith("mbt_rom.tables.")}
    assert tables == READ
