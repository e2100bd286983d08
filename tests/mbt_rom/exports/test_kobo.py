"""KoboToolbox and ODK: groups, labels with an XLSForm, several answers, repeats, what was judged. All data are invented."""

from __future__ import annotations

import io
import zipfile

import pytest
from invented import ANSWERS, PHQ9, column, counts, days, deliver, patient, rules, text, workbook

from mbt_rom.exports.codebook import Codebook

TAIL = [
    "_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by", "__version__", "_tags", "_index",
]  # fmt: skip
ASKED = ["patient_id", *PHQ9]


def submission(
    answers: list[str], *, id: str = "501", status: str = "", index: str = "1", day: str = "2026-01-05", today: str = "",
) -> list[str]:  # fmt: skip
    phone = [f"{day}T09:58:00.123+01:00", f"{day}T10:06:00.000+01:00", today or day]
    return [
        *phone,
        *answers,
        id,
        f"uuid-{id}",
        f"{day}T23:30:00",
        status,
        "",
        "submitted_via_web",
        "jo",
        "v1",
        "",
        index,
    ]


HEAD = ["start", "end", "today"]


@pytest.mark.parametrize("mark", ["/", "-", "."])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_groups_before_the_names(mark: str, delimiter: str) -> None:
    names = [f"visit{mark}about{mark}patient_id", *[f"visit{mark}phq9_group{mark}{q}" for q in PHQ9]]
    rows = [submission(["P1", *ANSWERS]), submission(["P2", *ANSWERS], id="502", index="2", day="2026-01-06")]
    got = deliver(text([*HEAD, *names, *TAIL], *rows, delimiter=delimiter))
    items = got.items["phq9"]
    assert (got.dialect, got.refused_for, counts(got)) == ("kobo", None, (2, 0, 2))
    assert items["patient_id"].tolist() == [patient("P1"), patient("P2")]
    assert days(items) == ["2026-01-05", "2026-01-06"]
    assert str(items["submitted_at"][0]) == "2026-01-05 09:06:00+00:00"
    assert items["phq9_04"].tolist() == [3, 3]
    assert items["response_id"].nunique() == 2


def test_names_without_groups_and_numbers_within_one() -> None:
    plain = deliver(text([*HEAD, *ASKED, *TAIL], submission(["P1", *ANSWERS])))
    within = deliver(
        text([*HEAD, "patient_id", *[f"phq9/q{i}" for i in range(1, 10)], *TAIL], submission(["P1", *ANSWERS]))
    )
    elsewhere = deliver(
        text([*HEAD, "patient_id", *[f"mood/q{i}" for i in range(1, 10)], *TAIL], submission(["P1", *ANSWERS]))
    )
    assert plain.items["phq9"]["phq9_03"].tolist() == within.items["phq9"]["phq9_03"].tolist() == [2]
    assert (elsewhere.dialect, elsewhere.refused_for) == ("kobo", "file_to_confirm")


def test_one_question_in_two_groups_is_refused() -> None:
    names = ["patient_id", *[f"first/{q}" for q in PHQ9], *[f"second/{q}" for q in PHQ9]]
    assert deliver(text([*HEAD, *names, *TAIL], submission(["P1", *ANSWERS, *ANSWERS]))).refused_for == "column_twice"


def test_time_of_the_server_is_utc() -> None:
    """Half past eleven in the evening in Greenwich is the next day in Amsterdam."""
    got = deliver(text([*ASKED, *TAIL], submission(["P1", *ANSWERS])[3:]))
    items = got.items["phq9"]
    assert str(items["submitted_at"][0]) == "2026-01-05 23:30:00+00:00"
    assert days(items) == ["2026-01-06"]


def test_day_that_was_asked_goes_before_the_day_of_typing_in() -> None:
    got = deliver(text([*HEAD, "visit/invuldatum", *ASKED, *TAIL], submission(["2025-12-20", "P1", *ANSWERS])))
    assert days(got.items["phq9"]) == ["2025-12-20"]


@pytest.mark.parametrize(
    ("status", "n"),
    [
        ("validation_status_not_approved", 1), ("Not Approved", 1), ("validation_status_on_hold", 1), ("On Hold", 1),
        ("validation_status_approved", 0), ("Approved", 0), ("", 0),
    ],
)  # fmt: skip
def test_what_was_not_approved_is_said_and_counts(status: str, n: int) -> None:
    rows = [submission(["P1", *ANSWERS]), submission(["P2", *ANSWERS], id="502", status=status)]
    got = deliver(text([*HEAD, *ASKED, *TAIL], *rows))
    found = got.findings[got.findings["rule"] == "response_not_approved"]
    assert found["source_row"].tolist() == [3] * n
    assert counts(got) == (2, 0, 2)


def test_several_answers_free_text_and_what_the_tool_keeps() -> None:
    names = ["help", "help/family", "help/gp", "group/help_other", *ASKED]
    row = submission(["family gp", "1", "1", "a neighbour and his dog", "P1", *ANSWERS])
    got = deliver(text([*HEAD, *names, *TAIL], row))
    assert {column(got, c)["reason"] for c in names[:3]} == {"one box of a question with several answers"}
    assert column(got, "group/help_other")["reason"] == "free text"
    assert column(got, "_submitted_by")["reason"] == "kept by the survey tool for itself"
    assert "column_not_taken_in" in rules(got)


def test_choices_called_by_numbers_are_no_items() -> None:
    names = ["patient_id", *[f"phq9/{i}" for i in range(1, 10)]]
    got = deliver(text([*HEAD, *names, *TAIL], submission(["P1", *["1"] * 9])))
    assert got.refused_for == "columns_unknown"


# ---- XLSForm -------------------------------------------------------------------------------------------------------------


def form(*, codes: tuple[str, ...] = ("0", "1", "2", "3"), first: str = "label::English (en)") -> Codebook:
    labels = ["Not at all", "Several days", "More than half the days", "Nearly every day"]
    survey = [
        ["type", "name", first, "label::Nederlands (nl)"],
        ["start", "start", "", ""],
        ["begin_group", "mood", "Mood", ""],
    ]
    survey += [["text", "patient_id", "Number on the letter", ""], ["text", "remarks", "Anything else?", ""]]
    survey += [["select_one often", q, f"<b>Question</b> {q[-1]}", f"Vraag {q[-1]}"] for q in PHQ9]
    survey += [["end_group", "", "", ""]]
    choices = [["list_name", "name", first], *[["often", c, label] for c, label in zip(codes, labels, strict=True)]]
    got = deliver(workbook({"survey": survey, "choices": choices, "settings": [["form_title"], ["ROM"]]}))
    assert got.codebook is not None
    return got.codebook


LABELLED = ["Number on the letter", "Anything else?", *[f"Question {i}" for i in range(1, 10)]]
WORDS = ["Not at all", "Several days", "More than half the days", "Nearly every day"]


def test_form_is_a_codebook() -> None:
    book = form()
    assert (book.tool, book.columns["phq9_1"].text, book.columns["mood/phq9_1"].code) == (
        "kobo",
        "Question 1",
        "phq9_1",
    )
    assert book.columns["phq9_1"].answers == {"0": WORDS[0], "1": WORDS[1], "2": WORDS[2], "3": WORDS[3]}
    assert (book.columns["remarks"].role, book.columns["patient_id"].role) == ("free_text", None)


def test_labels_without_the_form_hold_no_items_and_with_it_do() -> None:
    row = submission(["P1", "tired", *[WORDS[int(a)] for a in ANSWERS]])
    data = text([*HEAD, *LABELLED, *TAIL], row)
    assert deliver(data).refused_for == "columns_unknown"
    items = deliver(data, form()).items["phq9"]
    assert items["patient_id"].tolist() == [patient("P1")]
    assert items[["phq9_01", "phq9_02", "phq9_03", "phq9_04"]].iloc[0].tolist() == [0, 1, 2, 3]


def test_labels_hold_items_only_where_they_name_instrument_and_number() -> None:
    for name, refused in (("PHQ-9 item", None), ("Item", "columns_unknown")):
        names = ["Patient nummer", *[f"{name} {i}" for i in range(1, 10)]]
        assert deliver(text([*HEAD, *names, *TAIL], submission(["P1", *ANSWERS]))).refused_for == refused


def test_names_of_choices_become_their_labels() -> None:
    """'often_c' says nothing to an instrument; what it is called in the form does."""
    book = form(codes=("often_a", "often_b", "often_c", "often_d"))
    row = submission(["P1", "tired", *[f"often_{'abcd'[int(a)]}" for a in ANSWERS]])
    got = deliver(text([*HEAD, "mood/patient_id", "mood/remarks", *[f"mood/{q}" for q in PHQ9], *TAIL], row), book)
    assert got.items["phq9"][["phq9_01", "phq9_02", "phq9_03", "phq9_04"]].iloc[0].tolist() == [0, 1, 2, 3]
    assert column(got, "mood/remarks")["reason"] == "free text"


# ---- repeats -------------------------------------------------------------------------------------------------------------

REPEAT_TAIL = ["_index", "_parent_table_name", "_parent_index", "_submission__id", "_submission__submission_time"]


def test_repeats_are_joined_to_their_submission() -> None:
    main = [[*HEAD, "patient_id", *TAIL], submission(["P1"]), submission(["P2"], id="502", index="2", day="2026-02-01")]
    weeks = [
        [*PHQ9, *REPEAT_TAIL],
        [*ANSWERS, "1", "ROM", "1", "501", "2026-01-05T23:30:00"],
        [*ANSWERS, "2", "ROM", "1", "501", "2026-01-05T23:30:00"],
        [*ANSWERS, "3", "ROM", "2", "502", "2026-02-01T23:30:00"],
        [*ANSWERS, "4", "ROM", "9", "509", "2026-02-01T23:30:00"],
    ]
    got = deliver(workbook({"ROM": main, "weeks": weeks}))
    items = got.items["phq9"]
    assert (got.dialect, got.refused_for, counts(got)) == ("kobo", None, (4, 0, 4))
    assert items["patient_id"].fillna("").tolist() == [patient("P1"), patient("P1"), patient("P2"), ""]
    assert days(items) == ["2026-01-05", "2026-01-05", "2026-02-01", None]
    assert items["response_id"].nunique() == 3
    assert items["sheet"].unique().tolist() == ["weeks"]


def test_repeats_within_repeats() -> None:
    main = [[*HEAD, "patient_id", *TAIL], submission(["P1"])]
    weeks = [
        ["week", "invuldatum", *REPEAT_TAIL[:3]],
        ["1", "2026-01-12", "1", "ROM", "1"],
        ["2", "2026-01-19", "2", "ROM", "1"],
    ]
    forms = [[*PHQ9, *REPEAT_TAIL[:3]], [*ANSWERS, "1", "weeks", "2"], [*ANSWERS, "2", "weeks", "1"]]
    got = deliver(workbook({"forms": forms, "ROM": main, "weeks": weeks}))
    items = got.items["phq9"]
    assert items["patient_id"].tolist() == [patient("P1")] * 2
    assert days(items) == ["2026-01-19", "2026-01-12"]
    assert items["response_id"].nunique() == 2


def test_repeats_without_their_submissions_are_refused() -> None:
    rows = [[*PHQ9, *REPEAT_TAIL], [*ANSWERS, "1", "ROM", "1", "501", "2026-01-05T23:30:00"]]
    assert deliver(text(*rows)).refused_for == "columns_unknown"


# ---- ODK -----------------------------------------------------------------------------------------------------------------

ODK = [
    "KEY",
    "SubmitterID",
    "SubmitterName",
    "AttachmentsPresent",
    "AttachmentsExpected",
    "Status",
    "ReviewState",
    "DeviceID",
]


def odk(answers: list[str], *, key: str = "uuid:1", state: str = "") -> list[str]:
    return ["2026-01-05T09:10:00.000Z", *answers, key, key, "12", "Jo", "0", "0", "", state, "phone", "0", "3"]


ODK_HEAD = [
    "SubmissionDate",
    "about-patient_id",
    *[f"mood-{q}" for q in PHQ9],
    "meta-instanceID",
    *ODK,
    "Edits",
    "FormVersion",
]


def test_odk_central() -> None:
    rows = [odk(["P1", *ANSWERS]), odk(["P2", *ANSWERS], key="uuid:2", state="rejected")]
    got = deliver(text(ODK_HEAD, *rows))
    items = got.items["phq9"]
    assert (got.dialect, got.refused_for, counts(got)) == ("kobo", None, (2, 0, 2))
    assert items["patient_id"].tolist() == [patient("P1"), patient("P2")]
    assert (days(items)[0], str(items["submitted_at"][0])) == ("2026-01-05", "2026-01-05 09:10:00+00:00")
    assert items["response_id"].nunique() == 2
    assert rules(got)["response_not_approved"] == 1
    assert column(got, "SubmitterName")["reason"] == "kept by the survey tool for itself"


def test_odk_repeats_in_a_workbook() -> None:
    main = [
        ["SubmissionDate", "patient_id", "meta-instanceID", "KEY"],
        ["2026-01-05T09:10:00.000Z", "P1", "uuid:1", "uuid:1"],
    ]
    weeks = [[*PHQ9, "PARENT_KEY", "KEY"], *[[*ANSWERS, "uuid:1", f"uuid:1/weeks[{i}]"] for i in (1, 2)]]
    items = deliver(workbook({"rom": main, "rom-weeks": weeks})).items["phq9"]
    assert items["patient_id"].tolist() == [patient("P1")] * 2
    assert days(items) == ["2026-01-05", "2026-01-05"]
    assert items["response_id"].nunique() == 2


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_odk_repeats_as_they_are_downloaded() -> None:
    """One CSV per form and repeat in a zip, beside the pictures of the form."""
    main = text(
        ["SubmissionDate", "patient_id", "meta-instanceID", "KEY"],
        ["2026-01-05T09:10:00.000Z", "P1", "uuid:1", "uuid:1"],
        ["2026-01-06T09:10:00.000Z", "P2", "uuid:2", "uuid:2"],
    )
    weeks = text([*PHQ9, "PARENT_KEY", "KEY"], *[[*ANSWERS, f"uuid:{i}", f"uuid:{i}/weeks[1]"] for i in (2, 1)])
    got = deliver(zipped({"rom-weeks.csv": weeks, "rom.csv": main, "media/1.jpg": b"x"}))
    items = got.items["phq9"]
    assert (got.dialect, items["sheet"].tolist(), items["source_row"].tolist()) == ("kobo", ["rom-weeks"] * 2, [2, 3])
    assert items["patient_id"].tolist() == [patient("P2"), patient("P1")]
    assert days(items) == ["2026-01-06", "2026-01-05"]
    assert items["row_id"].is_unique


def test_other_zips_of_several_files_are_refused() -> None:
    data = text(ASKED, ["P1", *ANSWERS])
    assert deliver(zipped({"north.csv": data, "south.csv": data})).refused_for == "file_unreadable"
    assert deliver(zipped({"rom.csv": data, "rom-weeks.pdf": b"%PDF"})).refused_for == "file_unreadable"
