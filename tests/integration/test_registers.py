"""Registers on the whole way: from a file in the inbox to the table, and what a home that has none of them pays."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from assets.home import Home
from assets.state import State
from mbt_rom.registers import CORE, REGISTERS
from pipelines.definitions import build_defs
from pipelines.nightly import run
from tests.integration.conftest import AS_OF, NOW


def _state(root: Path) -> State:
    return State(Home.open(root), AS_OF)


def test_only_registers_that_somebody_delivered_are_computed(undisturbed: Path, home: Path) -> None:
    state = _state(undisturbed)
    used = CORE | {"permissions"}
    assert state.used_registers() == used
    assert not any(state.warehouse.has(state.catalogue[f"reference/{name}"]) for name in set(REGISTERS) - used)
    graph = build_defs(root=undisturbed, as_of=AS_OF).resolve_asset_graph()
    made = {name for name in REGISTERS if graph.get(dg.AssetKey(["reference", name])).is_materializable}
    assert made == used

    (home / "inbox" / "alpha" / "fasen.csv").write_text(
        "patientnummer,fase,vanaf,tot\n200100,wachtlijst,2025-06-01,2025-09-30\n200100,mbt,2025-10-01,\n"
    )
    assert run(home, as_of=AS_OF, now=NOW).failures == []
    state = _state(home)
    assert state.used_registers() == used | {"spells"}
    spells = state.read("reference/spells", columns=["programme_id", "phase", "from_on", "until_on"])
    assert spells["phase"].tolist() == ["main", "waiting"]
    assert spells["from_on"].dt.strftime("%Y-%m-%d").tolist() == ["2025-10-01", "2025-06-01"]
    assert spells["until_on"].isna().tolist() == [True, False]
    assert state.has_register("spells", "alpha")
    assert not state.has_register("spells", "beta")
    assert not state.has_register("contacts", "alpha")
    assert state.read("reference/contacts").empty
    assert run(home, as_of=AS_OF, now=NOW).n_runs == 0
