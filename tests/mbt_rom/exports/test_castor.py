"""Castor EDC exports: study data, repeating data and surveys. All data are invented."""

from __future__ import annotations

import pandas as pd
import pytest
from invented import ANSWERS, EQ5D, NONE, PHQ9, column, counts, days, deliver, patient, rules, text

from mbt_rom.acceptance import conservation, dispositions
from mbt_rom.findings import findings_table

SURVEY = [
    "Castor Participant ID", "Participant Status", "Site Abbreviation", "Survey Instance ID", "Survey Creation Date",
    "Survey Sent Date", "Survey Progress", "Survey Completed On", "Survey Parent", "Survey Package Name", "Survey Package ID",
]  # fmt: skip
OLD_SURVEY = [
    "Castor Record ID", "Record Status", "Institute Abbreviation", "Survey Instance ID", "Survey Creation Date",
    "Survey Sent On", "Survey Progress", "Survey Completed On", "Survey Parent", "Survey Package Name", "Survey Package ID",
]  # fmt: skip


def survey(number: str, instance: str, progress: str, completed: str, parent: str, answers: list[str]) -> list[str]:
    sent = "03-02-2026 08:00:00"
    return [number, "Not set", "north", instance, sent, sent, progress, completed, parent, "ROM", "P-1", *answers]


@pytest.mark.parametrize("header", [SURVEY, OLD_SURVEY])
def test_survey_export(header: list[str]) -> None:
    rows = [
        survey("110001", "I-1", "100", "04-02-2026 10:12:44", "Baseline", ANSWERS),
        survey("110001", "I-2", "100", "05-08-2026 09:00:00", "6 maanden", ANSWERS),
        survey("110002", "I-3", "33", "", "T0", [*ANSWERS[:3], *[""] * 6]),
        survey("110003", "I-4", "0", "", "T0", NONE),
        survey("110004", "I-5", "11", "", "No parent", NONE),
    ]
    got = deliver(text([*header, *PHQ9], *rows, delimiter=";"))
    items = got.items["phq9"]
    assert (got.dialect, got.refused_for) == ("castor", None)
    assert counts(got) == (5, 1, 4)  # the survey that was sent and not opened
    assert items["patient_id"].tolist() == [patient(n) for n in ("110001", "110001", "110002", "110004")]
    assert days(items) == ["2026-02-04", "2026-08-05", None, None]
    assert items["moment_given"].fillna("").tolist() == ["baseline", "m6", "baseline", ""]
    assert items["is_complete"].tolist() == [True, True, False, False]
    assert str(items["submitted_at"][0]) == "2026-02-04 09:12:44+00:00"
    assert items["phq9_04"].fillna(-1).tolist() == [3, 3, -1, -1]
    assert items["response_id"].nunique() == 4
    law = conservation(got.contents, {"phq9": items}, {"phq9": findings_table("phq9").empty()}, got.findings)
    assert law["is_conserved"].tolist() == [True]


def test_survey_that_was_finished_later_supersedes() -> None:
    header = [*SURVEY, *PHQ9]
    first = deliver(text(header, survey("110001", "I-1", "33", "", "T0", [*ANSWERS[:3], *[""] * 6]), delimiter=";"))
    second = deliver(text(header, survey("110001", "I-1", "100", "04-02-2026 10:12", "T0", ANSWERS), delimiter=";"))
    items = pd.concat([first.items["phq9"], second.items["phq9"]], ignore_index=True)
    assert dispositions(items, findings_table("phq9").empty()).tolist() == ["superseded", "accepted"]


@pytest.mark.parametrize(
    "code", ["-95", "-96", "-97", "-98", "-99", "-95.0", "##USER_MISSING_95##", "##USER_MISSING_99##"]
)
def test_fields_marked_as_missing_are_empty(code: str) -> None:
    got = deliver(
        text([*SURVEY, *PHQ9], survey("1", "I-1", "100", "04-02-2026", "T0", [code, *ANSWERS[1:]]), delimiter=";")
    )
    items = got.items["phq9"]
    assert items["phq9_01"].isna().tolist() == [True]
    assert items["unreadable_items"].isna().all()
    assert items["phq9_02"].tolist() == [1]


STUDY = ["Participant Id", "Participant Status", "Site Abbreviation", "Randomization Id", "Participant Creation Date"]


@pytest.mark.parametrize("day", ["01-01-2995", "01-01-2999", "31-12-2999", "01-01-2996 00:00"])
def test_placeholder_dates_are_empty(day: str) -> None:
    rows = [["1", "", "north", "", "02-02-2026", d, *ANSWERS] for d in (day, "03-02-2026")]
    got = deliver(text([*STUDY, "phq9_date", *PHQ9], *rows, delimiter=";"))
    assert days(got.items["phq9"]) == [None, "2026-02-03"]
    assert got.items["phq9"]["date_problem"].isna().all()


def test_study_data_of_both_names() -> None:
    """A row per participant; the day that the participant was created is no day of a form, and rows without the form are blank."""
    old = ["Record Id", "Institute Abbreviation", "Randomization Id", "Randomized On", "Record Creation Date"]
    for header in (STUDY, old):
        rows = [["1", "", "north", "", "02-02-2026", *ANSWERS, "1"], ["2", "", "north", "", "09-02-2026", *NONE, "0"]]
        if header is old:
            rows = [[row[0], "north", "", "", *row[4:]] for row in rows]
        got = deliver(text([*header, *PHQ9, "help#Nobody at all"], *rows, delimiter=";"))
        assert got.dialect == "castor"
        assert days(got.items["phq9"]) == [None]
        assert counts(got) == (2, 1, 1)
        assert column(got, "help#Nobody at all")["reason"] == "one box of a question with several answers"


def test_number_of_the_patient_beside_that_of_the_participant() -> None:
    rows = [["110001", "", "north", "", "02-02-2026", "A17", *ANSWERS]]
    got = deliver(text([*STUDY, "patient_number", *PHQ9], *rows, delimiter=";"))
    assert got.items["phq9"]["patient_id"].tolist() == [patient("A17")]


REPEATING = ["Participant Id", "Participant Status", "Site Abbreviation", "Repeating data Creation Date"]
REPEATING += ["Repeating data Name Custom", "Repeating data Parent"]
REPORT = ["Record Id", "Record Status", "Institute Abbreviation", "Report Creation Date", "Report Name Custom"]
REPORT += ["Report Parent"]


@pytest.mark.parametrize("header", [REPEATING, REPORT])
def test_repeating_data(header: list[str]) -> None:
    first = [
        "1",
        "",
        "north",
        "02-02-2026 09:00:00",
        "Weekly - 02-02-2026 09:00:00",
        "No parent",
        "02-02-2026",
        *ANSWERS,
    ]
    second = ["1", "", "north", "09-02-2026 09:00:00", "Weekly - 09-02-2026 09:00:00", "m6", "09-02-2026", *ANSWERS]
    got = deliver(text([*header, "phq9_date", *PHQ9], first, second, delimiter=";"))
    items = got.items["phq9"]
    assert items["moment_given"].fillna("").tolist() == ["", "m6"]
    assert items["response_id"].nunique() == 2
    assert days(items) == ["2026-02-02", "2026-02-09"]
    assert rules(got) == {}


def test_sites_are_programmes_in_a_shared_file() -> None:
    rows = [
        survey("1", "I-1", "100", "04-02-2026", "T0", ANSWERS),
        survey("2", "I-2", "100", "04-02-2026", "T0", ANSWERS),
    ]
    rows[1][2] = "south"
    got = deliver(text([*SURVEY, *PHQ9], *rows, delimiter=";"), programme=None)
    assert got.items["phq9"]["programme_id"].tolist() == ["north", "south"]


def test_questionnaires_under_names_with_a_suffix_need_a_mapping() -> None:
    header = [*STUDY, *[f"{name}_t0" for name in PHQ9], *[f"{name}_t0" for name in EQ5D]]
    got = deliver(text(header, ["1", "", "north", "", "02-02-2026", *ANSWERS, *["1"] * 6], delimiter=";"))
    assert got.refused_for == "file_to_confirm"
    assert got.items == {}


def test_table_with_a_participant_alone_is_not_castor() -> None:
    got = deliver(text(["participant_id", "date", *PHQ9], ["1", "2026-02-04", *ANSWERS]))
    assert got.dialect == "csv"
