"""LimeSurvey: codes, codes and texts, texts; answers as codes and in full; states; VV files. All data are invented but the last."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from invented import ANSWERS, NONE, column, counts, days, deliver, patient, rules, text

from mbt_rom.acceptance import dispositions
from mbt_rom.findings import findings_table

OWN = ["id", "submitdate", "lastpage", "startlanguage", "seed", "startdate", "datestamp", "token", "ipaddr", "refurl"]
OWN_TEXTS = [
    "Response ID", "Date submitted", "Last page", "Start language", "Seed", "Date started", "Date last action", "Access code",
    "IP address", "Referrer URL",
]  # fmt: skip
ITEMS = [f"phq9[SQ00{i}]" for i in range(1, 10)]
ASKED = ["patientnummer", *ITEMS]
LABELS = ["Not at all", "Several days", "More than half the days", "Nearly every day"]


def response(
    answers: list[str], *, id: str = "1", submitted: str = "2026-01-05 10:06:00", seed: str = "771", started: str = "2026-01-04 23:50:00",
    last: str = "2026-01-05 10:06:00",
) -> list[str]:  # fmt: skip
    return [id, submitted, "3", "nl", seed, started, last, "tok", "192.0.2.1", "", *answers]


def with_texts(codes: list[str]) -> list[str]:
    return [
        f"{code}. {said}"
        for code, said in zip([*OWN, *codes], [*OWN_TEXTS, *[f"About mood [{c}]" for c in codes]], strict=True)
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("head", [[*OWN, *ASKED], with_texts(ASKED)], ids=["code", "code and text"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
def test_codes_as_headings(delimiter: str, head: list[str], mark: bytes) -> None:
    rows = [
        response(["P1", *ANSWERS]),
        response(["P2", *ANSWERS[:4], *[""] * 5], id="2", submitted="", last="2026-01-06 09:00:00"),
    ]
    got = deliver(mark + text(head, *rows, delimiter=delimiter))
    items = got.items["phq9"]
    assert (got.dialect, got.refused_for, counts(got)) == ("limesurvey", None, (2, 0, 2))
    assert items["patient_id"].tolist() == [patient("P1"), patient("P2")]
    assert days(items) == ["2026-01-05", "2026-01-06"]
    assert items["is_complete"].tolist() == [True, False]
    assert items["submitted_at"].isna().tolist() == [False, True]
    assert items["language"].tolist() == ["nl", "nl"]
    assert items["phq9_04"].tolist() == [3, 3]
    assert items["source_row"].tolist() == [2, 3]


def test_form_that_was_opened_and_left_empty_stays() -> None:
    got = deliver(text([*OWN, *ASKED], response(["P1", *NONE], submitted="", last="")))
    items = got.items["phq9"]
    assert counts(got) == (1, 0, 1)
    assert (items["is_complete"].tolist(), days(items)) == ([False], ["2026-01-04"])


def test_answers_in_full_with_markup() -> None:
    answers = [f'<div><span style="color:#2ecc71">{LABELS[int(a)]}</span></div>' for a in ANSWERS]
    got = deliver(text(with_texts(ASKED), response(["P1", *answers]), response(["P2", *["N/A"] * 9], id="2", seed="8")))
    items = got.items["phq9"]
    assert items[[f"phq9_0{i}" for i in range(1, 10)]].iloc[0].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert items["phq9_01"].isna().tolist() == [False, True]
    assert items["unreadable_items"].isna().all()


def test_codes_of_answers_that_say_nothing_are_no_answers() -> None:
    """A1 may be the answer worth 0 or the one worth 1: the row is kept and its answers are called unreadable."""
    got = deliver(text([*OWN, *ASKED], response(["P1", *[f"A{a}" for a in ANSWERS]])))
    items = got.items["phq9"]
    assert items[[f"phq9_0{i}" for i in range(1, 10)]].isna().all(axis=None)
    assert items["unreadable_items"].str.split().str.len().tolist() == [9]


def test_responses_of_two_surveys_with_the_same_ids_are_two() -> None:
    one = deliver(text([*OWN, *ASKED], response(["P1", *ANSWERS])))
    other = deliver(text([*OWN, *ASKED], response(["P2", *ANSWERS], seed="99", started="2026-01-04 11:00:00")))
    items = pd.concat([one.items["phq9"], other.items["phq9"]], ignore_index=True)
    assert dispositions(items, findings_table("phq9").empty()).tolist() == ["accepted", "accepted"]


def test_response_finished_later_supersedes() -> None:
    first = response(["P1", *ANSWERS[:4], *[""] * 5], submitted="", last="2026-01-05 00:10:00")
    one = deliver(text([*OWN, *ASKED], first))
    other = deliver(text([*OWN, *ASKED], response(["P1", *ANSWERS])))
    items = pd.concat([one.items["phq9"], other.items["phq9"]], ignore_index=True)
    assert dispositions(items, findings_table("phq9").empty()).tolist() == ["superseded", "accepted"]


def test_without_seed_and_start_no_response_is_named() -> None:
    head = ["id", "submitdate", "lastpage", "startlanguage", *ASKED]
    got = deliver(text(head, ["1", "2026-01-05 10:06:00", "3", "nl", "P1", *ANSWERS]))
    assert got.dialect == "limesurvey"
    assert got.items["phq9"]["response_id"].isna().all()


def test_survey_that_keeps_no_times() -> None:
    got = deliver(
        text([*OWN, *ASKED], response(["P1", *ANSWERS], submitted="1980-01-01 00:00:00", started="", last=""))
    )
    items = got.items["phq9"]
    assert (items["is_complete"].tolist(), days(items)) == ([True], [None])


def test_day_that_was_asked_goes_before_the_day_of_typing_in() -> None:
    got = deliver(text([*OWN, "invuldatum", *ASKED], response(["2025-12-20", "P1", *ANSWERS])))
    assert days(got.items["phq9"]) == ["2025-12-20"]


def test_token_is_not_the_patient() -> None:
    got = deliver(text([*OWN, *ITEMS], response(ANSWERS)))
    assert got.refused_for == "columns_unknown"


def test_token_is_the_patient_where_a_mapping_says_so() -> None:
    mapping = """\
name: tokens
matches: {columns: [token, submitdate, "phq9[SQ001]"]}
patient: {column: token}
date: {column: (date)}
response_id: (response)
forms:
  - {instrument: phq9, prefix: phq9, complete: {column: (complete), values: ["yes"]}}
"""
    got = deliver(text([*OWN, *ITEMS], response(ANSWERS), response(ANSWERS, id="2", submitted="")), mapping=mapping)
    items = got.items["phq9"]
    assert items["patient_id"].tolist() == [patient("tok")] * 2
    assert (days(items)[0], items["is_complete"].tolist()) == ("2026-01-05", [True, False])


def test_token_is_the_response_where_there_is_no_id() -> None:
    head, row = [*OWN, *ASKED][1:], response(["P1", *ANSWERS])[1:]
    got = deliver(text(head, row, [*row[:6], "other", *row[7:9], "P2", *row[10:]]))
    assert got.items["phq9"]["response_id"].nunique() == 2


@pytest.mark.parametrize("group", ["stemming", "G01Q01", "q"])
def test_numbers_under_a_code_that_names_no_instrument_are_no_items(group: str) -> None:
    codes = ["patientnummer", *[f"{group}[SQ00{i}]" for i in range(1, 10)]]
    got = deliver(text([*OWN, *codes], response(["P1", *ANSWERS])))
    assert (got.dialect, got.refused_for) == ("limesurvey", "file_to_confirm")


def test_two_dimensions_are_no_items() -> None:
    codes = ["patientnummer", *[f"phq9[SQ001_SQ00{i}]" for i in range(1, 10)]]
    assert deliver(text([*OWN, *codes], response(["P1", *ANSWERS]))).refused_for == "file_to_confirm"


def test_texts_alone_hold_items_only_where_they_name_instrument_and_number() -> None:
    for name, refused in (("PHQ-9 item", None), ("Item", "columns_unknown")):
        head = [*OWN_TEXTS, "Patientnummer", *[f"{name} {i}" for i in range(1, 10)]]
        got = deliver(text(head, response(["P1", *ANSWERS])))
        assert (got.dialect, got.n_rows, got.refused_for) == ("limesurvey", 1, refused)


def test_free_text_times_and_people() -> None:
    codes = [*ASKED, "leefvorm", "leefvorm[other]", "phq9[SQ001comment]", "interviewtime", "groupTime12", "phq9Time"]
    own = [*with_texts(codes)[:-1], "phq9Time. Question time: phq9"]
    answers = ["P1", *ANSWERS, "-oth-", "with a friend", "since the move", "310.2", "80.1", "60.4"]
    got = deliver(text([*own, "lastname. Last name"], [*response(answers), "Doe"]))
    told = {c["column"]: c["reason"] for c in got.understood}
    assert told["leefvorm[other]. About mood [leefvorm[other]]"] == "free text"
    assert told["phq9[SQ001comment]. About mood [phq9[SQ001comment]]"] == "free text"
    technical = {told[own[i]] for i in (-1, -2, -3)} | {told["lastname. Last name"], told["ipaddr. IP address"]}
    assert technical == {"kept by the survey tool for itself"}
    assert rules(got)["column_not_taken_in"] >= 2
    assert counts(got) == (1, 0, 1)


def test_question_about_bedtime_is_no_timing() -> None:
    got = deliver(text([*OWN, "bedTime", *ASKED], response(["eleven", "P1", *ANSWERS])))
    assert column(got, "bedTime")["reason"] == "not recognised"


def test_vv_file() -> None:
    """Two rows of headings: texts, and codes below them."""
    codes = ["patientnummer", *[f"phq9_SQ00{i}" for i in range(1, 10)], "slot"]
    texts = [*OWN_TEXTS, *[f"About mood {c}" for c in codes]]
    row = response(["P1", *ANSWERS, "{question_not_shown}"])
    got = deliver(text(texts, [*OWN, *codes], row, delimiter="\t"))
    assert (got.dialect, got.n_rows, counts(got)) == ("limesurvey", 1, (1, 0, 1))
    assert got.items["phq9"]["source_row"].tolist() == [3]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "n"), [("results-survey_first.csv", 3), ("results-survey_third.csv", 2)])
def test_real_exports_are_recognised_and_hold_no_instrument(name: str, n: int, shared_data: Path) -> None:
    file = shared_data / "data" / "limesurvey_export" / name
    if not file.is_file():
        pytest.skip("the real exports of LimeSurvey are not there; set MBT_ROM_SHARED to their folder")
    got = deliver(file.read_bytes())
    assert (got.dialect, got.n_rows, got.refused_for, got.items) == ("limesurvey", n, "columns_unknown", {})
