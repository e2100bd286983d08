"""Registers on the whole way: from a file in the inbox to the table, and what a home that has none of them pays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pandas as pd
from click.testing import CliRunner

from assets.home import Home
from assets.state import State
from mbt_rom.registers import CORE, REGISTERS
from pipelines.cli import rom
from pipelines.definitions import build_defs
from pipelines.nightly import run
from tests.integration.conftest import AS_OF, NOW
from tests.mbt_rom.test_registers import TYPED, Row, expected, filled, in_order


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
    assert set(spells["programme_id"]) == {"alpha"}
    assert state.read("reference/contacts").empty
    assert run(home, as_of=AS_OF, now=NOW).n_runs == 0


def _called(*arguments: object) -> str:
    result = CliRunner().invoke(rom, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def _typed() -> dict[str, list[Row]]:
    """What is typed in these tests, of a patient of the small consortium."""
    return {
        name: [row | {"patient_id": "200100"} if "patient_id" in row else row for row in rows]
        for name, rows in TYPED.items()
    }


def test_every_register_from_the_template_to_its_table(home: Path, tmp_path: Path) -> None:
    blank, typed = tmp_path / "registers.xlsx", tmp_path / "typed.xlsx"
    assert "spells, allocations, permissions" in _called("template", "registers", "-o", blank)
    typed.write_bytes(filled(blank.read_bytes(), _typed()))
    for file in (home / "inbox").rglob("*.*"):
        file.unlink()
    told = _called("load", typed, "--programme", "alpha", "--home", home)
    assert "0 not taken in" in told
    summary = run(home, as_of=AS_OF, now=NOW)
    assert summary.failures == []
    state = _state(home)
    assert state.used_registers() == set(REGISTERS)
    assert all(set(state.read(f"reference/{name}")["programme_id"]) == {"alpha"} for name in REGISTERS)
    assert state.read("findings/registers").empty
    here = {"pseudonyms": state.pseudonyms, "issuer": "north", "programme": "alpha"}
    for name, rows in _typed().items():
        pd.testing.assert_frame_equal(
            in_order(name, state.read(f"reference/{name}")), expected(name, rows, **here), obj=name
        )


def _phases(root: Path) -> list[list[str]]:
    rows = _state(root).read("reference/spells")
    told = rows.assign(**{c: rows[c].dt.strftime("%Y-%m-%d").fillna("") for c in ("from_on", "until_on")})
    return told[["phase", "from_on", "until_on"]].to_numpy().tolist()


def _night(root: Path, rows: Sequence[str], *, days: int) -> dict[str, int]:
    """One more delivery of the register of phases, the night after it, and its open findings counted by rule."""
    text = "patient_id,phase,from_on,until_on\n" + "\n".join(rows) + "\n"
    (root / "inbox" / "alpha" / "spells.csv").write_text(text)
    assert run(root, as_of=AS_OF, now=NOW + pd.Timedelta(days=days)).failures == []
    return dict(_state(root).read("findings/registers")["rule"].value_counts())


def test_of_each_key_the_row_delivered_last_counts_and_bad_rows_are_set_aside(home: Path) -> None:
    first = ["200100,waiting,2025-01-01,", "200101,waiting,2025-03-01,2025-02-01", "999999,main,2025-01-01,"]
    assert _night(home, first, days=0) == {"patient_unknown": 1, "register_until_before_from": 1}
    assert _phases(home) == [["waiting", "2025-01-01", ""]]
    # The wait ended, and the wrong last day was corrected; nothing asks for anything any more but the unknown patient.
    second = ["200100,waiting,2025-01-01,2025-05-31", "200100,main,2025-06-01,", "200101,waiting,2025-03-01,2025-04-01"]
    assert _night(home, second, days=1) == {"patient_unknown": 1, "register_updated": 2}
    assert sorted(_phases(home)) == [
        ["main", "2025-06-01", ""],
        ["waiting", "2025-01-01", "2025-05-31"],
        ["waiting", "2025-03-01", "2025-04-01"],
    ]
    # The first day was wrong, too: the earlier row gives way.
    third = ["200100,waiting,2025-01-08,2025-05-31"]
    assert _night(home, third, days=2)["register_row_replaced"] == 1
    assert ["waiting", "2025-01-08", "2025-05-31"] in _phases(home)
    assert ["waiting", "2025-01-01", "2025-05-31"] not in _phases(home)
