"""Codes of staff are kept as numbers of patients are: encrypted, apart from these, and by pseudonym."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from assets import intake
from assets.home import create
from assets.state import State
from assets.vault import staff_file
from tests.small_homes import ONE_PROGRAMME

HEAD = "episode_id,patient_id,therapist_id,referred_on,started_on,ended_on,end_reason"
ROWS = ["E1,200101, TH01,2025-12-01,2026-01-08,,", "E2,200102,th01,2025-12-01,2026-01-08,,", "E3,200103,,2025-12-01,,,"]


def test_a_register_leaves_the_codes_of_its_staff_in_the_vault(tmp_path: Path) -> None:
    state = State(create(tmp_path / "home", ONE_PROGRAMME), date(2026, 6, 30))
    path = tmp_path / "episodes.csv"
    path.write_text("\n".join([HEAD, *ROWS, ""]))
    taken = intake.take_in_file(state, path, folder="alpha", now=datetime(2026, 6, 30, tzinfo=UTC), by="ra")
    assert taken.outcome == "taken_in"
    staff = state.vault.numbers(staff_file("alpha"))
    name = state.pseudonyms.therapist("north", pd.Series(["TH01"], dtype="str")).iloc[0]
    assert {p: (issuer, code.upper()) for p, (issuer, code) in staff.items()} == {name: ("north", "TH01")}
    assert {number for _, number in state.vault.numbers("alpha").values()} == {"200101", "200102", "200103"}
    kept = [p.read_bytes() for p in state.home.root.rglob("*") if p.is_file()]
    assert [data for data in kept if b"TH01" in data] == []
