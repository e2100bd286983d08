"""What the site is told of forms that changed: numbers per programme, and no small ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from assets.home import create
from assets.publication import n_changed
from assets.state import State
from mbt_rom.tables import REVISIONS

SETTINGS = """
name: Two programmes
issuers: {north: {length: 6}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9]}
  beta: {name: Beta, issuer: north, instruments: [phq9]}
  gamma: {name: Gamma, issuer: north, instruments: [phq9]}
"""


def test_forms_changed_in_the_last_30_days_are_counted_once(tmp_path: Path) -> None:
    """alpha: 12 forms, two of them twice, beside one of 31 days before; beta: 9; gamma: none. Ten may be told."""

    def changed(programme: str, row: int, on: str, before: str = "x") -> dict[str, object]:
        at = pd.Timestamp(f"{on}T12:00", tz="UTC")
        base = {"programme_id": programme, "instrument": "phq9", "row_id": f"r{row}", "row_id_before": before}
        return {**base, "changed_at": at, "how": "corrected"}

    rows = [changed("alpha", i, "2026-05-31") for i in range(12)]
    rows += [changed("alpha", i, "2026-06-30", before="y") for i in range(2)] + [changed("alpha", 99, "2026-05-30")]
    rows += [changed("beta", i, "2026-06-30") for i in range(9)]
    state = State(create(tmp_path / "home", SETTINGS), date(2026, 6, 30))
    table = REVISIONS.conform(pd.DataFrame(rows))
    assert n_changed(table, state) == {"alpha": 12, "beta": None, "gamma": None}
