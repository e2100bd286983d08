"""The whole way, exports to site, on a small consortium with one bad cell and one bad file."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assets.home import Home, create
from assets.state import State
from pipelines.nightly import run, stale_across, stale_tables
from tests.small_homes import ONE_PROGRAMME

AS_OF = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 2, 0, tzinfo=UTC)
N_PATIENTS = 14

pytestmark = pytest.mark.slow


def _state(root: Path, as_of: date = AS_OF) -> State:
    return State(Home.open(root), as_of)


def _copy(root: Path, to: Path) -> Path:
    return Path(shutil.copytree(root, to / "home", symlinks=True))


def test_everything_good_is_scored_and_compared(undisturbed: Path) -> None:
    """14 patients answer 2 nine times (18 points) at baseline and 1 (9 points) at month 6: 9 points down for everybody."""
    state = _state(undisturbed)
    change = state.read("outcomes/change").query("instrument == 'phq9' and scale == 'total'")
    assert change.groupby("programme_id").size().to_dict() == {"alpha": N_PATIENTS, "beta": N_PATIENTS}
    assert set(change["baseline_score"]) == {18.0}
    assert set(change["change"]) == {-9.0}
    benchmark = state.read("benchmarks/programmes").query(
        "instrument == 'phq9' and scale == 'total' and moment == 'm6'"
    )
    assert benchmark["mean_change"].tolist() == [-9.0, -9.0]
    assert benchmark["n_pairs"].tolist() == [N_PATIENTS - 1, N_PATIENTS - 1], "one of each has no permission"


def test_one_bad_cell_sets_one_form_aside_and_no_other(undisturbed: Path) -> None:
    state = _state(undisturbed)
    findings = state.read("findings/eq5d5l")
    assert findings[["programme_id", "source_row", "rule"]].to_numpy().tolist() == [["alpha", 4, "answer_not_a_code"]]
    assert state.read("scores/eq5d5l")["row_id"].nunique() == N_PATIENTS - 1
    law = state.read("deliveries/conservation").set_index(["programme_id", "instrument"])
    assert law["is_conserved"].all()
    assert law.loc[("alpha", "eq5d5l"), ["n_offered", "n_accepted", "n_set_aside"]].tolist() == [14, 13, 1]


def test_one_bad_file_stops_nothing(undisturbed: Path) -> None:
    state = _state(undisturbed)
    fatal = state.read("findings/deliveries").query("severity == 'fatal'")
    assert fatal[["programme_id", "rule"]].to_numpy().tolist() == [["beta", "file_unreadable"]]
    assert state.ledger["status"].eq("taken_in").all()
    assert state.read("scores/phq9")["programme_id"].value_counts().to_dict() == {"alpha": 56, "beta": 56}


def test_every_risk_answer_is_there_with_its_age(undisturbed: Path) -> None:
    """Item 9 is answered 2 (high) on 30 September and 1 (alert) on 1 April; both files came on 30 June: 273 and 90 days."""
    rows = _state(undisturbed).read("outcomes/alerts")
    found = rows.groupby(["programme_id", "answered_on", "level", "age_days", "list", "form_status"]).size()
    assert {(p, str(on.date()), *rest): n for (p, on, *rest), n in found.items()} == {
        (programme, day, level, age, "old", "accepted"): N_PATIENTS
        for programme in ("alpha", "beta")
        for day, level, age in (("2025-09-30", "high", 273), ("2026-04-01", "alert", 90))
    }
    assert set(rows["item"]) == {"phq9_09"}


def test_the_inbox_is_empty_and_every_file_is_in_the_archive(undisturbed: Path) -> None:
    state = _state(undisturbed)
    assert [p for p in state.home.inbox.rglob("*") if p.is_file()] == []
    assert set(state.archive) == set(state.ledger["delivery_id"])
    assert len(state.ledger) == 12


def test_the_site_is_there_and_says_synthetic(undisturbed: Path) -> None:
    site = undisturbed / "published" / "site"
    pages = sorted(p.relative_to(site).as_posix() for p in site.rglob("*.html"))
    assert pages == [
        "data-quality.html",
        "expert-centre.html",
        "flow/alpha.html",
        "flow/beta.html",
        "index.html",
        "programmes/alpha.html",
        "programmes/beta.html",
    ]
    assert all("synthetic" in (site / p).read_text().lower() for p in pages)


def test_a_second_night_computes_nothing(
    undisturbed: Path, tmp_path: Path, same_tables: Callable[[Path], None]
) -> None:
    root = _copy(undisturbed, tmp_path)
    summary = run(root, as_of=AS_OF, now=NOW + timedelta(days=1))
    assert (summary.n_runs, summary.computed, summary.published) == (0, [], False)
    assert not summary.needs_attention
    same_tables(root)


def test_the_same_file_again_changes_nothing(
    undisturbed: Path, tmp_path: Path, same_tables: Callable[[Path], None], blank_home: Path
) -> None:
    root = _copy(undisturbed, tmp_path)
    again = root / "inbox" / "alpha" / "renamed.csv"
    shutil.copy(blank_home / "inbox" / "alpha" / "phq9_baseline.csv", again)
    summary = run(root, as_of=AS_OF, now=NOW + timedelta(days=1))
    assert [t.outcome for t in summary.taken] == ["known"]
    assert summary.n_runs == 0
    assert not again.exists()
    same_tables(root)


def test_one_new_file_computes_its_programme_and_no_other(undisturbed: Path, tmp_path: Path, blank_home: Path) -> None:
    root = _copy(undisturbed, tmp_path)
    before = _state(root).warehouse.fingerprints(_state(root).catalogue["scores/phq9"])
    text = (blank_home / "inbox" / "alpha" / "phq9_month_6.csv").read_text().replace("2026-04-01", "2026-06-28")
    (root / "inbox" / "beta" / "late.csv").write_text(text)
    summary = run(root, as_of=AS_OF, now=NOW + timedelta(days=1))
    assert (summary.computed, summary.n_runs) == (["beta"], 2)
    after = _state(root).warehouse.fingerprints(_state(root).catalogue["scores/phq9"])
    assert {p for p in after if after[p] != before[p]} == {"beta"}
    assert _state(root).read("scores/phq9")["programme_id"].value_counts().to_dict() == {"alpha": 56, "beta": 84}
    # Everybody's risk answer is 1, three days old, after 1 and 2 before.
    lists = _state(root).read("outcomes/alerts").value_counts(["programme_id", "list"]).to_dict()
    assert lists == {("alpha", "old"): 28, ("beta", "old"): 28, ("beta", "unchanged_known"): 14}


def test_another_date_computes_what_is_due_and_nothing_before_it(undisturbed: Path) -> None:
    later = _state(undisturbed, date(2026, 7, 1))
    stale = stale_tables(later)
    assert set(stale) == {"alpha", "beta"}
    assert {t.split("/")[0] for tables in stale.values() for t in tables} == {"outcomes", "contributions"}
    assert "outcomes/alerts" not in stale["alpha"], "a risk answer is as old as it was when it arrived"
    assert "published/site" in stale_across(later)


def test_a_failing_programme_does_not_stop_the_other(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mbt_rom import schedule

    real = schedule.expected

    def expected(forms: pd.DataFrame, episodes: pd.DataFrame, **named: Any) -> pd.DataFrame:
        if (episodes["programme_id"] == "alpha").any():
            raise ValueError("patient 200100 answered 3")
        return real(forms, episodes, **named)

    monkeypatch.setattr(schedule, "expected", expected)
    summary = run(home, as_of=AS_OF, now=NOW)
    assert summary.computed == ["beta"]
    assert [f.split(":")[0] for f in summary.failures] == ["alpha"]
    assert "ValueError" in summary.failures[0]
    assert "200100" not in summary.failures[0]
    assert summary.published
    assert set(_state(home).read("outcomes/change")["programme_id"]) == {"beta"}
    assert set(_state(home).read("outcomes/alerts")["programme_id"]) == {"alpha", "beta"}
    monkeypatch.undo()
    mended = run(home, as_of=AS_OF, now=NOW)
    assert (mended.computed, mended.failures) == (["alpha"], [])


def test_a_programme_that_leaves_takes_its_rows_along_and_brings_them_back(
    undisturbed: Path, tmp_path: Path, same_tables: Callable[[Path], None]
) -> None:
    root = _copy(undisturbed, tmp_path)
    settings = root / "consortium.yaml"
    text = settings.read_text()
    settings.write_text("\n".join(line for line in text.splitlines() if not line.startswith("  beta:")))
    run(root, as_of=AS_OF, now=NOW)
    assert set(_state(root).read("contributions/outcomes")["programme_id"]) == {"alpha"}
    assert not (root / "published" / "site" / "programmes" / "beta.html").exists()
    settings.write_text(text)
    run(root, as_of=AS_OF, now=NOW)
    same_tables(root)


def test_files_that_are_not_to_be_touched_are_left_where_they_are(
    undisturbed: Path, tmp_path: Path, blank_home: Path
) -> None:
    root = _copy(undisturbed, tmp_path)
    (root / "consortium.yaml").write_text((root / "consortium.yaml").read_text().replace("seconds: 0", "seconds: 3600"))
    data = (blank_home / "inbox" / "alpha" / "phq9_baseline.csv").read_bytes()
    inbox = root / "inbox"
    (inbox / "gamma").mkdir()
    for name in (
        "alpha/.hidden.csv",
        "alpha/~$open.xlsx",
        "alpha/half.csv.part",
        "alpha/being_written.csv",
        "gamma/x.csv",
    ):
        (inbox / name).write_bytes(data + name.encode())
    (inbox / "alpha" / "link.csv").symlink_to(blank_home / "inbox" / "alpha" / "phq9_baseline.csv")
    summary = run(root, as_of=AS_OF, now=datetime.fromtimestamp(time.time(), UTC))
    assert (summary.taken, summary.n_waiting) == ([], 2)
    later = run(root, as_of=AS_OF, now=datetime.fromtimestamp(time.time(), UTC) + timedelta(hours=2))
    assert {t.label: t.outcome for t in later.taken} == {
        "alpha/being_written.csv": "taken_in",
        "gamma/x.csv": "refused",
    }
    assert later.needs_attention
    assert later.failures == []
    left = {p.relative_to(inbox).as_posix() for p in inbox.rglob("*") if p.is_file() or p.is_symlink()}
    assert left == {"alpha/.hidden.csv", "alpha/~$open.xlsx", "alpha/half.csv.part", "alpha/link.csv", "gamma/x.csv"}
    rules = _state(root).read("findings/deliveries", programmes=["_shared"])["rule"].tolist()
    assert rules == ["programme_unknown_folder"]
    (inbox / "gamma" / "x.csv").unlink()
    run(root, as_of=AS_OF, now=datetime.fromtimestamp(time.time(), UTC) + timedelta(hours=3))
    assert _state(root).read("findings/deliveries", programmes=["_shared"]).empty


def test_a_home_to_which_nothing_came_yet_has_a_quiet_night(tmp_path: Path) -> None:
    root = create(tmp_path / "home", ONE_PROGRAMME).root
    summary = run(root, as_of=AS_OF, now=NOW)
    assert summary.failures == []
    assert _state(root).read("reference/programmes")["n_deliveries"].tolist() == [0]
    assert (root / "published" / "site" / "index.html").is_file()
