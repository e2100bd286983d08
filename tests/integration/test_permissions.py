"""A permission on the whole way: who has none is not compared, and who withdraws is gone from every file of the comparison."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from assets.home import Home
from assets.state import State
from pipelines.nightly import run
from tests.integration.conftest import AS_OF, N_PATIENTS, NOW, permissions

pytestmark = pytest.mark.slow

WITHDRAWS = "200103"
TOMORROW = AS_OF + timedelta(days=1)


def _state(root: Path, as_of: date = AS_OF) -> State:
    return State(Home.open(root), as_of)


def _compared(root: Path) -> dict[str, int]:
    rows = (
        _state(root).read("benchmarks/programmes").query("instrument == 'phq9' and scale == 'total' and moment == 'm6'")
    )
    return dict(zip(rows["programme_id"], rows["n_pairs"], strict=True))


def _second_pseudonym(root: Path, number: str, issuer: str = "north") -> str:
    pseudonyms = _state(root).pseudonyms
    return str(pseudonyms.contribution(pseudonyms.of_numbers(issuer, pd.Series([number], dtype="str"))).iloc[0])


def _files_with(root: Path, word: str) -> list[str]:
    """Every file below the tables of the comparison that holds the word: rows of all versions, logs, whatever else lies there."""
    found = []
    for stage in ("contributions", "benchmarks"):
        for path in (root / "warehouse" / stage).rglob("*"):
            if path.is_file() and (word.encode() in path.read_bytes() or word in _cells(path)):
                found.append(path.relative_to(root).as_posix())
    return found


def _cells(path: Path) -> set[str]:
    if path.suffix != ".parquet":
        return set()
    columns = pq.read_table(path, use_threads=False).to_pydict().values()
    return {str(cell) for column in columns for cell in column}


def test_who_has_no_permission_is_in_no_comparison_and_is_counted(undisturbed: Path) -> None:
    assert _compared(undisturbed) == {"alpha": N_PATIENTS - 1, "beta": N_PATIENTS - 1}
    contributed = _state(undisturbed).read("contributions/outcomes")
    assert _second_pseudonym(undisturbed, "200113") not in set(contributed["contribution_id"])
    assert contributed.groupby("programme_id")["contribution_id"].nunique().to_dict() == {"alpha": 13, "beta": 13}
    counts = ["start_year", "has_register", "n_started", "n_permitted", "n_never_recorded", "n_withdrawn"]
    found = _state(undisturbed).read("contributions/inclusion")
    assert found[counts].to_numpy().tolist() == [[2025, True, 14, 13, 1, 0]] * 2
    change = _state(undisturbed).read("outcomes/change", columns=["programme_id", "patient_id"])
    assert change["patient_id"].nunique() == 2 * N_PATIENTS, "inside the programme everybody is still there"


def test_a_withdrawal_leaves_nothing_of_the_patient_in_the_comparison(undisturbed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(undisturbed, tmp_path / "home", symlinks=True))
    person = _second_pseudonym(root, WITHDRAWS)
    assert _files_with(root, person) != []
    (root / "inbox" / "alpha" / "toestemmingen.csv").write_bytes(permissions(until={WITHDRAWS: "2026-06-30"}))

    summary = run(root, as_of=AS_OF, now=NOW + timedelta(hours=1))
    assert (summary.failures, summary.computed) == ([], ["alpha"])
    assert _compared(root) == {"alpha": N_PATIENTS - 1, "beta": N_PATIENTS - 1}, (
        "it holds until the end of its last day"
    )

    summary = run(root, as_of=TOMORROW, now=NOW + timedelta(days=1))
    assert summary.failures == []
    assert _compared(root) == {"alpha": N_PATIENTS - 2, "beta": N_PATIENTS - 1}
    assert _files_with(root, person) == []
    inclusion = _state(root).read("contributions/inclusion", programmes=["alpha"])
    assert inclusion[["n_started", "n_permitted", "n_never_recorded", "n_withdrawn"]].to_numpy().tolist() == [
        [14, 12, 1, 1]
    ]
    assert run(root, as_of=TOMORROW, now=NOW + timedelta(days=2)).n_runs == 0


def test_what_a_killed_night_left_of_a_withdrawal_is_gone_after_the_next(undisturbed: Path, tmp_path: Path) -> None:
    """The new rows were written, and the night died before the old ones were deleted; nothing is out of date the next night."""
    root = Path(shutil.copytree(undisturbed, tmp_path / "home", symlinks=True))
    person = _second_pseudonym(root, WITHDRAWS)
    state = _state(root)
    table = state.catalogue["contributions/outcomes"]
    rows = state.read("contributions/outcomes")
    state.warehouse.replace(
        table, rows[rows["contribution_id"] != person], programmes=["alpha", "beta"],
        fingerprints=state.warehouse.fingerprints(table),
    )  # fmt: skip
    assert _files_with(root, person) != []
    run(root, as_of=AS_OF, now=NOW + timedelta(days=1))
    assert _files_with(root, person) == []


def test_without_a_register_of_permissions_nobody_is_compared_and_the_pages_say_so(
    blank_home: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(blank_home, tmp_path / "home", symlinks=True))
    for name in ("alpha", "beta"):
        (root / "inbox" / name / "permissions.csv").unlink()
    assert run(root, as_of=AS_OF, now=NOW).failures == []
    assert _state(root).read("contributions/outcomes").empty
    assert _state(root).read("benchmarks/programmes").empty
    found = _state(root).read("benchmarks/inclusion")
    assert (
        found[["has_register", "n_started", "n_permitted", "n_never_recorded"]].to_numpy().tolist()
        == [[False, 14, 0, 14]] * 2
    )
    for page in ("expert-centre.html", "programmes/alpha.html"):
        text = (root / "published" / "site" / page).read_text()
        assert "No permission has been recorded" in text


@pytest.mark.parametrize("last_day", ["31-02-2026", "2025-08-01"])
def test_a_withdrawal_that_cannot_be_read_does_not_leave_the_older_permission_standing(
    undisturbed: Path, tmp_path: Path, last_day: str
) -> None:
    """A day that does not exist, and one before the permission began: the row is set aside and waits in the work list."""
    root = Path(shutil.copytree(undisturbed, tmp_path / "home", symlinks=True))
    (root / "inbox" / "alpha" / "toestemmingen.csv").write_bytes(permissions(until={WITHDRAWS: last_day}))
    assert run(root, as_of=AS_OF, now=NOW + timedelta(hours=1)).failures == []
    assert _compared(root) == {"alpha": N_PATIENTS - 2, "beta": N_PATIENTS - 1}
    assert _files_with(root, _second_pseudonym(root, WITHDRAWS)) == []
    (root / "inbox" / "alpha" / "mended.csv").write_bytes(permissions(until={WITHDRAWS: "2026-12-31"}))
    assert run(root, as_of=AS_OF, now=NOW + timedelta(hours=2)).failures == []
    assert _compared(root) == {"alpha": N_PATIENTS - 1, "beta": N_PATIENTS - 1}
