"""Results of formr: sessions, windows open twice, expired surveys, items stored turned round. All data are invented but the last."""

from __future__ import annotations

from pathlib import Path

import pytest
from invented import ANSWERS, NONE, PHQ9, column, counts, days, deliver, patient, rules, text

from mbt_rom.acceptance import conservation, dispositions
from mbt_rom.findings import findings_table

HEADER = ["session", "created", "modified", "ended", "expired", *PHQ9]
OTHER = ["1", *ANSWERS[1:]]


def row(session: str, created: str, modified: str, ended: str, answers: list[str], expired: str = "") -> list[str]:
    return [session, *[f"2026-01-{t}" if t else "" for t in (created, modified, ended, expired)], *answers]


def test_results_of_a_survey() -> None:
    got = deliver(
        text(
            HEADER,
            row("abc", "05 10:00:00", "05 10:04:00", "05 10:05:10", ANSWERS),
            row("abc", "12 10:00:00", "12 10:04:00", "12 10:05:00", ANSWERS),
            row("def", "06 23:58:00", "07 00:01:00", "", [*ANSWERS[:4], *[""] * 5], expired="08 00:00:00"),
            row("ghi", "09 08:00:00", "", "", NONE),
        )
    )
    items = got.items["phq9"]
    assert (got.dialect, got.refused_for) == ("formr", None)
    assert items["patient_id"].tolist() == [patient(s) for s in ("abc", "abc", "def", "ghi")]
    assert days(items) == ["2026-01-05", "2026-01-12", "2026-01-07", "2026-01-09"]
    assert items["is_complete"].tolist() == [True, True, False, False]
    assert str(items["submitted_at"][0]) == "2026-01-05 09:05:10+00:00"
    assert items["submitted_at"].isna().tolist() == [False, False, True, True]
    assert items["response_id"].nunique() == 4
    assert counts(got) == (4, 0, 4)


def fate(*rows: list[str]) -> list[str]:
    """What becomes of the rows, and that none is lost."""
    got = deliver(text(HEADER, *rows))
    items = got.items["phq9"]
    empty = findings_table("phq9").empty()
    assert conservation(got.contents, {"phq9": items}, {"phq9": empty}, got.findings)["is_conserved"].tolist() == [True]
    return dispositions(items, empty).tolist()


def test_two_windows_one_finished() -> None:
    """The second window was opened while the first was being filled in: one sitting, and the finished one counts."""
    left = row("abc", "05 10:00:00", "05 10:03:00", "", [*OTHER[:4], *[""] * 5])
    finished = row("abc", "05 10:01:00", "05 10:06:00", "05 10:06:00", ANSWERS)
    assert fate(left, finished) == ["superseded", "accepted"]
    assert fate(finished, left) == ["accepted", "superseded"]


def test_two_windows_both_finished_alike() -> None:
    first = row("abc", "05 10:00:00", "05 10:05:00", "05 10:05:00", ANSWERS)
    second = row("abc", "05 10:01:00", "05 10:06:00", "05 10:06:00", ANSWERS)
    assert sorted(fate(first, second)) == ["accepted", "duplicate"]


def test_two_windows_both_finished_with_other_answers_stay_two_responses() -> None:
    """Nobody knows which is right: the rule about two forms of one day sets both aside."""
    first = row("abc", "05 10:00:00", "05 10:05:00", "05 10:05:00", ANSWERS)
    second = row("abc", "05 10:01:00", "05 10:06:00", "05 10:06:00", OTHER)
    got = deliver(text(HEADER, first, second)).items["phq9"]
    assert got["response_id"].nunique() == 2


def test_sittings_after_each_other_and_of_other_people_stay_apart() -> None:
    rows = [
        row("abc", "05 10:00:00", "05 10:05:00", "", [*ANSWERS[:4], *[""] * 5]),
        row("abc", "05 11:00:00", "05 11:05:00", "", [*ANSWERS[:4], *[""] * 5]),
        row("def", "05 10:02:00", "05 10:06:00", "", [*ANSWERS[:4], *[""] * 5]),
    ]
    assert deliver(text(HEADER, *rows)).items["phq9"]["response_id"].nunique() == 3


def test_columns_of_the_run_and_a_number_that_was_asked_for() -> None:
    """The number was asked in one of the rows of the session."""
    header = ["run_name", "unit_session_id", "iteration", "patient_number", *HEADER]
    rows = [
        ["rom", "1", "1", "A17", *row("abc", "05 10:00:00", "05 10:04:00", "05 10:05:00", ANSWERS)],
        ["rom", "2", "2", "", *row("abc", "12 10:00:00", "12 10:04:00", "12 10:05:00", ANSWERS)],
    ]
    got = deliver(text(header, *rows))
    assert got.items["phq9"]["patient_id"].tolist() == [patient("A17")] * 2
    assert column(got, "session")["role"] == "not_taken_in"
    assert column(got, "unit_session_id")["reason"] == "kept by the survey tool for itself"


@pytest.mark.parametrize("name", ["phq9_3R", "phq9_3r"])
def test_item_stored_turned_round_is_never_scored_silently(name: str) -> None:
    header = [name if cell == "phq9_3" else cell for cell in HEADER]
    got = deliver(text(header, row("abc", "05 10:00:00", "05 10:04:00", "05 10:05:00", ANSWERS)))
    assert got.items == {}
    assert rules(got) == {"item_count_wrong": 1}
    detail = str(got.findings["detail"][0])
    assert "phq9_03" in detail
    assert f"Stored turned round, by their names, and therefore not taken: {name}" in detail


@pytest.mark.real_data
def test_real_results(shared_data: Path) -> None:
    """28 answers to a questionnaire that is not ours, with means of its scales."""
    file = shared_data / "data" / "formr_export" / "bfi.csv"
    if not file.is_file():
        pytest.skip("the real results of formr are not there; set MBT_ROM_SHARED to their folder")
    got = deliver(file.read_bytes())
    assert (got.dialect, got.n_rows, got.refused_for) == ("formr", 28, "columns_unknown")
    assert got.items == {}
