"""Assets of the outcomes called by themselves: what they hand to the core, which no test of the core can see."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from assets import outcomes
from assets.home import create
from assets.state import State
from mbt_rom.tables import EPISODES, EXPECTED, REGISTERS
from tests.small_homes import ONE_PROGRAMME

AS_OF = date(2024, 7, 29)  # a Monday, four weeks after the first main session
PERSON = {"programme_id": "alpha", "patient_id": "p_1", "row_id": "r", "delivery_id": "d"}
DEATH = {**PERSON, "event_on": "2024-07-14", "kind": "death"}
WITHDRAWAL = {**PERSON, "purpose": "own_care", "given_by": "patient", "from_on": "2024-01-01", "until_on": "2024-07-14"}


@pytest.mark.parametrize(("events", "permissions", "n_weeks"), [([], [], 4), ([DEATH], [], 2), ([], [WITHDRAWAL], 2)])
def test_no_week_is_due_after_a_death_or_a_withdrawal_that_a_register_tells(
    tmp_path: Path, events: list[dict[str, str]], permissions: list[dict[str, str]], n_weeks: int
) -> None:
    settings = ONE_PROGRAMME.replace("[phq9],", "[phq9], weekly: [phq9],")
    state = State(create(tmp_path / "home", settings), AS_OF)
    episodes = EPISODES.conform(pd.DataFrame([{**PERSON, "episode_id": "e_1", "started_on": "2024-07-01"}]))
    weekly = outcomes.weekly.op.compute_fn.decorated_fn
    (row,) = weekly(
        SimpleNamespace(partition_keys=["alpha"]),
        rom=SimpleNamespace(state=state),
        expected=EXPECTED.empty(),
        episodes=episodes,
        events=REGISTERS["events"].conform(pd.DataFrame(events, columns=list(DEATH))),
        permissions=REGISTERS["permissions"].conform(pd.DataFrame(permissions, columns=list(WITHDRAWAL))),
    ).itertuples()
    assert row.n_weeks_due == n_weeks
