"""Every instrument that monitors outcome, through a whole night: exports in, scores and findings out, no table failed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from assets.home import Home
from assets.state import State
from mbt_rom.registry import outcome_instruments
from mbt_rom.scoring import NO_FORMULA, NO_KEY
from pipelines.cli import rom
from pipelines.nightly import run

AS_OF = date(2026, 6, 30)
KEYS_OF_OTHERS = {"dappsf", "rfq54", "sipp118"}

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("every") / "home"
    further = [option for i in outcome_instruments() for option in ("--with", i)]
    made = CliRunner().invoke(
        rom, ["demo", "--home", str(root), "--programmes", "1", "--patients", "30", "--as-of", str(AS_OF), *further]
    )
    assert made.exit_code == 0, made.output
    summary = run(root, as_of=AS_OF, now=datetime(2026, 6, 30, 3, 0, tzinfo=UTC))
    assert summary.failures == []
    return root


@pytest.mark.parametrize("instrument_id", sorted(outcome_instruments()))
def test_every_true_form_is_accepted_and_scored_or_says_why_not(home: Path, instrument_id: str) -> None:
    state = State(Home.open(home), AS_OF)
    truth = pd.read_csv(home / "truth" / f"answers_{instrument_id}.csv")
    scores = state.read(f"scores/{instrument_id}")
    assert scores["row_id"].nunique() == len(truth) > 30
    unscored = scores[scores["score"].isna()]
    assert unscored["unscored_because"].notna().all()
    waits_for_a_key = unscored["unscored_because"].isin([NO_KEY, NO_FORMULA])
    assert waits_for_a_key.any() == (instrument_id in KEYS_OF_OTHERS)
    assert scores["score"].notna().any() or instrument_id in KEYS_OF_OTHERS
