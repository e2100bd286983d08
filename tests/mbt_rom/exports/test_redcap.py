"""REDCap exports: raw and with labels, with and without the dictionary, events, repeats, states of forms. All data are invented."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from invented import ANSWERS, EQ5D, NONE, PHQ9, column, counts, days, deliver, patient, rules, text

from mbt_rom.acceptance import conservation, dispositions
from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.redcap_dictionary import choices
from mbt_rom.findings import findings_table

DICTIONARY_HEADER = [
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?",
]  # fmt: skip
API_HEADER = [
    "field_name", "form_name", "section_header", "field_type", "field_label", "select_choices_or_calculations", "field_note",
    "text_validation_type_or_show_slider_number", "text_validation_min", "text_validation_max", "identifier",
]  # fmt: skip
FREQUENCY = "0, Never | 1, Some days, or so | 2, Most days | 3, Nearly always"


def dictionary(*fields: Sequence[str], header: Sequence[str] = DICTIONARY_HEADER, delimiter: str = ",") -> Codebook:
    """Fields are written as name, form, type, label, choices, validation, identifier; the last ones may be left out."""
    rows = []
    for field in fields:
        name, form, kind, label, listed, validation, identifier = [*field, *[""] * 7][:7]
        rows.append([name, form, "", kind, label, listed, "", validation, "", "", identifier])
    found = deliver(text(header, *rows, delimiter=delimiter)).codebook
    assert found is not None
    return found


# ---- raw, longitudinal --------------------------------------------------------------------------------------------------

LONGITUDINAL = ["record_id", "redcap_event_name", "phq9_date", *PHQ9, "phq9_complete"]


def test_events_are_moments_and_rows_are_responses() -> None:
    got = deliver(
        text(
            LONGITUDINAL,
            ["1", "intake_arm_1", "2026-01-05", *ANSWERS, "2"],
            ["1", "6_maanden_arm_1", "2026-07-06", *ANSWERS, "1"],
            ["2", "T0_arm_2", "2026-02-01", *ANSWERS, "0"],
            ["2", "week_3_arm_2", "2026-02-20", *ANSWERS, "2"],
        )
    )
    items = got.items["phq9"]
    assert got.dialect == "redcap"
    assert got.refused_for is None
    assert items["moment_given"].fillna("").tolist() == ["baseline", "m6", "baseline", ""]
    assert items["patient_id"].tolist() == [patient("1"), patient("1"), patient("2"), patient("2")]
    assert days(items) == ["2026-01-05", "2026-07-06", "2026-02-01", "2026-02-20"]
    assert items["is_complete"].tolist() == [True, False, False, True]
    assert items["phq9_04"].tolist() == [3, 3, 3, 3]
    assert items["response_id"].nunique() == 4
    assert items["source_row"].tolist() == [2, 3, 4, 5]
    assert counts(got) == (4, 0, 4)


def test_event_that_is_no_moment_is_a_finding_where_no_date_stands_beside_it() -> None:
    rows = [["1", "week_3_arm_1", "", *ANSWERS, "2"], ["1", "m6_arm_1", "", *ANSWERS, "2"]]
    got = deliver(text(LONGITUDINAL, *rows))
    found = got.findings[got.findings["rule"] == "moment_unknown"]
    assert found["source_row"].tolist() == [2]


def test_rows_of_other_events_are_blank_and_opened_forms_are_not() -> None:
    """Three events without the form: not in that event, never opened (REDCap writes 0), and opened but left empty."""
    got = deliver(
        text(
            LONGITUDINAL,
            ["1", "intake_arm_1", "2026-01-05", *ANSWERS, "2"],
            ["1", "week_1_arm_1", "", *NONE, ""],
            ["1", "week_2_arm_1", "", *NONE, "0"],
            ["1", "m6_arm_1", "", *NONE, "2"],
            ["2", "m6_arm_1", "2026-07-01", *NONE, "0"],
        )
    )
    assert counts(got) == (5, 2, 3)
    assert got.items["phq9"]["source_row"].tolist() == [2, 5, 6]
    assert got.items["phq9"]["phq9_01"].isna().tolist() == [False, True, True]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters(delimiter: str) -> None:
    rows = [["1", "intake_arm_1", "2026-01-05", *ANSWERS, "2"], ["2", "m6_arm_1", "2026-07-05", *ANSWERS, "2"]]
    got = deliver(text(LONGITUDINAL, *rows, delimiter=delimiter))
    assert (got.dialect, counts(got)) == ("redcap", (2, 0, 2))


def test_later_export_of_the_same_record_supersedes() -> None:
    first = deliver(text(LONGITUDINAL, ["1", "intake_arm_1", "2026-01-05", *ANSWERS[:5], *[""] * 4, "0"]))
    second = deliver(text(LONGITUDINAL, ["1", "intake_arm_1", "2026-01-06", *ANSWERS, "2"]))
    items = pd.concat([first.items["phq9"], second.items["phq9"]], ignore_index=True)
    assert len(set(items["response_id"])) == 1
    assert dispositions(items, findings_table("phq9").empty()).tolist() == ["superseded", "accepted"]


# ---- states and times of forms -------------------------------------------------------------------------------------------


def test_state_and_time_belong_to_the_form_whatever_it_is_called() -> None:
    """Two forms, called other than their instruments; the state of the one says nothing of the other."""
    header = ["record_id", "redcap_event_name", "redcap_survey_identifier"]
    header += ["stemming_timestamp", *PHQ9, "stemming_complete", "gezondheid_timestamp", *EQ5D, "gezondheid_complete"]
    eq = ["1", "1", "2", "1", "1", "80"]
    got = deliver(
        text(
            header,
            ["7", "intake_arm_1", "x", "2026-01-05 10:00", *ANSWERS, "2", "[not completed]", *eq, "0"],
            ["7", "m6_arm_1", "x", "[not completed]", *NONE, "0", "2026-07-05 09:30", *eq, "2"],
        )
    )
    phq9, eq5d = got.items["phq9"], got.items["eq5d3l"]
    assert phq9["is_complete"].tolist() == [True, False]
    assert eq5d["is_complete"].tolist() == [False, True]
    assert days(phq9) == ["2026-01-05", None]
    assert days(eq5d) == [None, "2026-07-05"]
    assert str(phq9["submitted_at"][0]) == "2026-01-05 09:00:00+00:00"
    assert phq9["date_problem"].isna().all()
    assert counts(got) == (2, 0, 2)  # the survey of the second row was opened: an empty form, no blank row


def test_a_field_of_another_form_between_two_forms_does_not_lend_its_date() -> None:
    header = ["record_id", "redcap_event_name", "datum", *PHQ9, "stemming_complete", *EQ5D, "gezondheid_complete"]
    got = deliver(text(header, ["1", "m6_arm_1", "2026-01-05", *ANSWERS, "2", "1", "1", "1", "1", "1", "90", "2"]))
    assert days(got.items["phq9"]) == ["2026-01-05"]
    assert days(got.items["eq5d3l"]) == [None]


def test_date_of_the_visit_holds_for_every_form_of_the_row() -> None:
    header = ["record_id", "redcap_event_name", "visit_date", "visit_complete", *PHQ9, "stemming_complete"]
    got = deliver(text(header, ["1", "m6_arm_1", "2026-01-05", "2", *ANSWERS, "2"]))
    assert days(got.items["phq9"]) == ["2026-01-05"]


def test_one_form_with_two_instruments() -> None:
    header = ["record_id", "redcap_event_name", *PHQ9, *EQ5D, "vragenlijsten_complete"]
    got = deliver(
        text(
            header, ["1", "intake_arm_1", *ANSWERS, *[""] * 6, "1"], ["1", "m6_arm_1", *ANSWERS, *["1"] * 5, "70", "2"]
        )
    )
    assert got.items["phq9"]["is_complete"].tolist() == [False, True]
    assert got.items["eq5d3l"]["is_complete"].tolist() == [True]
    assert counts(got, "eq5d3l") == (2, 1, 1)


def test_codes_for_missing_data_are_no_answers() -> None:
    got = deliver(text(LONGITUDINAL, ["1", "intake_arm_1", "UNK", "NASK", "NI", *ANSWERS[2:], "2"]))
    items = got.items["phq9"]
    assert items[["phq9_01", "phq9_02"]].isna().all(axis=None)
    assert items["unreadable_items"].isna().all()
    assert items["date_problem"].isna().all()


def test_number_codes_for_missing_data_are_left_to_a_mapping() -> None:
    """A project may use any: nobody tells us, so they are findings and never silently empty."""
    got = deliver(text(LONGITUDINAL, ["1", "intake_arm_1", "2026-01-05", "-99", *ANSWERS[1:], "2"]))
    assert got.items["phq9"]["phq9_01"].tolist() == [-99]


# ---- repeats ---------------------------------------------------------------------------------------------------------------

REPEATS = [
    "record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "birth_year",
    "demographics_complete", "phq9_date", *PHQ9, "phq9_complete",
]  # fmt: skip


def test_mixed_repeats_lose_no_row() -> None:
    """The form repeats in one event and not in another; an event repeats as a whole; other rows do not hold it at all."""
    got = deliver(
        text(
            REPEATS,
            ["1", "intake_arm_1", "", "", "1990", "2", "2026-01-05", *ANSWERS, "2"],
            ["1", "therapy_arm_1", "", "", "", "0", "", *NONE, ""],
            ["1", "therapy_arm_1", "phq9", "1", "", "", "2026-02-05", *ANSWERS, "2"],
            ["1", "therapy_arm_1", "phq9", "2", "", "", "2026-02-12", *ANSWERS, "2"],
            ["1", "therapy_arm_1", "phq9", "3", "", "", "", *NONE, "1"],
            ["1", "crisis_arm_1", "", "1", "", "", "2026-03-01", *ANSWERS, "2"],
            ["1", "crisis_arm_1", "", "2", "", "", "2026-03-09", *ANSWERS, "2"],
        )
    )
    items = got.items["phq9"]
    assert counts(got) == (7, 1, 6)
    assert items["source_row"].tolist() == [2, 4, 5, 6, 7, 8]
    assert items["response_id"].nunique() == 6
    empty = findings_table("phq9").empty()
    law = conservation(got.contents, {"phq9": items}, {"phq9": empty}, got.findings)
    assert law["is_conserved"].all()
    assert law[["n_offered", "n_blank"]].to_numpy().tolist() == [[7, 1]]


def test_repeats_without_events() -> None:
    header = ["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", *PHQ9, "phq9_complete"]
    got = deliver(
        text(header, ["1", "", "", *NONE, ""], ["1", "phq9", "1", *ANSWERS, "2"], ["1", "phq9", "2", *ANSWERS, "2"])
    )
    assert counts(got) == (3, 1, 2)
    assert got.items["phq9"]["response_id"].nunique() == 2


# ---- whose form it is ------------------------------------------------------------------------------------------------------


def test_record_is_not_the_patient_where_a_number_is() -> None:
    """The number stands on one event of each record; a record with two numbers is left as it is."""
    header = ["record_id", "redcap_event_name", "patient_number", *PHQ9, "phq9_complete"]
    got = deliver(
        text(
            header,
            ["1", "intake_arm_1", "A17", *ANSWERS, "2"],
            ["1", "m6_arm_1", "", *ANSWERS, "2"],
            ["2", "intake_arm_1", "A18", *ANSWERS, "2"],
            ["2", "m6_arm_1", "A19", *ANSWERS, "2"],
            ["2", "m12_arm_1", "", *ANSWERS, "2"],
        )
    )
    ids = got.items["phq9"]["patient_id"]
    assert ids[:4].tolist() == [patient("A17"), patient("A17"), patient("A18"), patient("A19")]
    assert pd.isna(ids[4])
    assert column(got, "record_id")["role"] == "not_taken_in"


@pytest.mark.parametrize("first", ["dossier", "record_id", "onderzoeksnummer"])
def test_first_column_is_the_patient_whatever_its_name(first: str) -> None:
    got = deliver(text([first, *LONGITUDINAL[1:]], ["P1", "intake_arm_1", "2026-01-05", *ANSWERS, "2"]))
    assert got.items["phq9"]["patient_id"].tolist() == [patient("P1")]


def test_two_sure_patient_columns_are_refused() -> None:
    header = ["patient_id", "redcap_event_name", "client_number", *PHQ9, "phq9_complete"]
    assert deliver(text(header, ["1", "m6_arm_1", "2", *ANSWERS, "2"])).refused_for == "column_twice"


def test_access_groups_are_programmes_in_a_shared_file() -> None:
    header = ["record_id", "redcap_event_name", "redcap_data_access_group", *PHQ9, "phq9_complete"]
    rows = [[str(i), "m6_arm_1", group, *ANSWERS, "2"] for i, group in enumerate(["north", "south", "elsewhere"])]
    got = deliver(text(header, *rows), programme=None)
    assert got.items["phq9"]["programme_id"].tolist() == ["north", "south"]
    assert rules(got) == {"programme_unknown": 1}


# ---- columns that are no items ---------------------------------------------------------------------------------------------


def test_boxes_of_multiple_choice_are_no_items() -> None:
    header = ["record_id", "redcap_event_name", *PHQ9, "phq9_9___1", "phq9_9____99", "phq9_complete"]
    got = deliver(text(header, ["1", "m6_arm_1", *ANSWERS, "1", "0", "2"], ["1", "m12_arm_1", *NONE, "0", "0", "0"]))
    assert got.refused_for is None
    assert column(got, "phq9_9___1")["reason"] == "one box of a question with several answers"
    assert counts(got) == (2, 1, 1)


# ---- classic projects -------------------------------------------------------------------------------------------------------


def test_classic_project() -> None:
    header = ["record_id", "patient_number", "phq9_date", *PHQ9, "phq9_complete"]
    rows = [
        ["1", "A1", "2026-01-05", *ANSWERS, "2"],
        ["2", "A2", "2026-01-06", *ANSWERS, "1"],
        ["3", "", "", *NONE, "0"],
    ]
    got = deliver(text(header, *rows))
    assert got.dialect == "redcap"
    assert got.items["phq9"]["is_complete"].tolist() == [True, False]
    assert counts(got) == (3, 1, 2)


def test_other_tables_are_not_taken_for_a_classic_project() -> None:
    """Where no form is complete (2), 1 may as well mean yes: the file is read as any other."""
    got = deliver(text(["record_id", "date", *PHQ9, "phq9_complete"], ["1", "2026-01-05", *ANSWERS, "1"]))
    assert got.dialect == "csv"
    assert got.items["phq9"]["is_complete"].tolist() == [True]


# ---- the dictionary ---------------------------------------------------------------------------------------------------------

FIELDS = [
    ["record_id", "registratie", "text", "Record ID"],
    ["patient_number", "registratie", "text", "Patient <b>number</b>", "", "", "y"],
    ["mail", "registratie", "text", "E-mail address", "", "email"],
    ["sex", "registratie", "radio", "Sex", "1, Vrouw | 2, Man"],
    ["birth_year", "registratie", "text", "Year of birth", "", "integer"],
    ["start_stemming", "stemming", "text", "Date of today", "", "date_dmy"],
    *[[field, "stemming", "radio", f"Question about topic {i}", FREQUENCY] for i, field in enumerate(PHQ9, start=1)],
    ["why", "stemming", "notes", "Remarks"],
    ["help", "stemming", "checkbox", "Who helped?", "1, Nobody | -99, Not asked"],
    ["start_gezondheid", "gezondheid", "text", "Date of today", "", "date_dmy"],
    *[[field, "gezondheid", "radio", f"Level {field[-2:]}", "1, None | 2, Some | 3, Much"] for field in EQ5D[:5]],
    ["eq5d3l_vas", "gezondheid", "slider", "Health today", "Worst | | Best", "number"],
]
LABELS = ["Record ID", "Event Name", "Patient number", "E-mail address", "Sex", "Year of birth", "Complete?"]
LABELS += ["Survey Timestamp", "Date of today", *[f"Question about topic {i}" for i in range(1, 10)], "Remarks"]
LABELS += ["Who helped? (choice=Nobody)", "Who helped? (choice=Not asked)", "Complete?"]
LABELS += ["Date of today", *[f"Level {field[-2:]}" for field in EQ5D[:5]], "Health today", "Complete?"]
WORDS = ["Never", "Some days, or so", "Most days", "Nearly always", "Never", "Some days, or so", "Most days"]
WORDS += ["Nearly always", "Never"]
_FIRST = ["1", "Intake (Arm 1: Day hospital)", "A17", "a@example.org", "Vrouw", "1990", "Complete", "2026-01-05 10:00"]
_SECOND = ["1", "6 maanden (Arm 1: Day hospital)", *[""] * 5, "[not completed]", "", *NONE, "", "", "", "Incomplete"]
_OF_FIRST = ["2026-01-05", *WORDS, "nothing", "Checked", "Unchecked", "Complete"]
LABELLED = [
    [*_FIRST, *_OF_FIRST, "2026-01-04", *["Some"] * 5, "70", "Unverified"],
    [*_SECOND, "2026-07-04", *["None"] * 5, "90", "Complete"],
]


@pytest.mark.parametrize(
    ("header", "delimiter"), [(DICTIONARY_HEADER, ","), (API_HEADER, ","), (DICTIONARY_HEADER, ";")]
)
def test_dictionary_is_a_codebook(header: Sequence[str], delimiter: str) -> None:
    book = dictionary(*FIELDS, header=header, delimiter=delimiter)
    assert book.tool == "redcap"
    assert book.columns["phq9_1"].answers == {
        "0": "Never",
        "1": "Some days, or so",
        "2": "Most days",
        "3": "Nearly always",
    }
    assert book.columns["phq9_1"].text == "Question about topic 1"
    assert book.columns["phq9_1"].form == "stemming"
    assert book.columns["stemming_complete"].role == "complete"
    assert (book.columns["help___1"].role, book.columns["help____99"].role) == ("multiple_choice", "multiple_choice")
    assert (book.columns["why"].role, book.columns["mail"].role) == ("free_text", "identifying")
    assert book.columns["patient_number"].role is None


def test_choices_keep_commas_of_labels() -> None:
    assert choices("1, a, b | 2,c|-1, d") == {"1": "a, b", "2": "c", "-1": "d"}


def test_dictionary_says_which_form_a_field_belongs_to_in_any_order_of_columns() -> None:
    """A report with the state of a form before its fields, and that of the other form not in it at all."""
    book = dictionary(*FIELDS)
    header = ["record_id", "redcap_event_name", "stemming_complete", *EQ5D, *PHQ9, "patient_number"]
    rows = [["1", "m6_arm_1", "2", "1", "1", "1", "1", "1", "70", *ANSWERS, "A17"]]
    got = deliver(text(header, *rows), book)
    assert got.items["phq9"]["is_complete"].tolist() == [True]
    assert got.items["eq5d3l"]["is_complete"].isna().tolist() == [True]
    assert got.items["phq9"]["patient_id"].tolist() == [patient("A17")]


def test_labelled_export_is_led_back_by_the_dictionary() -> None:
    got = deliver(text(LABELS, *LABELLED), dictionary(*FIELDS))
    assert got.refused_for is None
    phq9, eq5d = got.items["phq9"], got.items["eq5d3l"]
    assert phq9[[f"phq9_0{i}" for i in range(1, 10)]].to_numpy().tolist()[0] == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert eq5d["eq5d3l_mo"].tolist() == [2, 1]
    assert phq9["is_complete"].tolist() == [True, False]
    assert eq5d["is_complete"].tolist() == [False, True]
    assert phq9["moment_given"].tolist() == ["baseline", "m6"]
    assert phq9["patient_id"].tolist() == [patient("A17")] * 2
    assert days(phq9) == ["2026-01-05", None]
    assert column(got, "Remarks")["reason"] == "free text"
    assert column(got, "E-mail address")["reason"] == "marked as identifying in the survey tool"


def test_labelled_and_raw_export_of_one_record_are_one_response() -> None:
    labelled = deliver(text(LABELS, *LABELLED), dictionary(*FIELDS)).items["eq5d3l"]
    raw_header = ["record_id", "redcap_event_name", "patient_number", *EQ5D, "gezondheid_complete"]
    raw = deliver(text(raw_header, ["1", "intake_arm_1", "A17", "2", "2", "2", "2", "2", "70", "2"])).items["eq5d3l"]
    assert raw["response_id"].tolist() == labelled["response_id"].tolist()[:1]


def test_labelled_export_without_dictionary_is_refused() -> None:
    got = deliver(text(LABELS[:19], *[row[:19] for row in LABELLED]))
    assert got.items == {}
    assert all(entry["role"] != "item" for entry in got.understood)


def test_label_of_two_codes_says_neither() -> None:
    fields = [["record_id", "f", "text", "Record ID"]]
    fields += [
        [field, "f", "radio", f"Topic {i}", "0, Never | 1, Some | 2, Some | 3, All"] for i, field in enumerate(PHQ9)
    ]
    rows = [["1", *["Never"] * 8, "Some", "Complete"], ["2", *["All"] * 9, "Complete"]]
    got = deliver(text(["Record ID", *[f"Topic {i}" for i in range(9)], "Complete?"], *rows), dictionary(*fields))
    assert got.items["phq9"]["unreadable_items"].fillna("").tolist() == ["phq9_09", ""]
    assert got.items["phq9"]["phq9_01"].tolist() == [0, 3]


def test_label_of_two_fields_of_one_form_is_unknown() -> None:
    fields = [["record_id", "f", "text", "Record ID"]]
    fields += [[field, "f", "radio", "The same" if i < 2 else f"Topic {i}", FREQUENCY] for i, field in enumerate(PHQ9)]
    header = ["Record ID", "The same", "The same", *[f"Topic {i}" for i in range(2, 9)], "Complete?"]
    got = deliver(text(header, ["1", *["Never"] * 9, "Complete"]), dictionary(*fields))
    assert got.refused_for == "item_count_wrong"
    assert "phq9_01" in str(got.findings["detail"][0])


def test_sex_and_birth_of_a_record_are_one_row_of_the_register() -> None:
    header = ["record_id", "redcap_event_name", "patient_number", "sex", "birth_year", "registratie_complete"]
    rows = [["1", "intake_arm_1", "A17", "1", "1990", "2"], ["1", "m6_arm_1", "", "", "", ""]]
    got = deliver(text(header, *rows), dictionary(*FIELDS))
    register = got.registers["patients"]
    assert register[["patient_id", "birth_year", "sex"]].to_numpy().tolist() == [[patient("A17"), 1990, "female"]]


# ---- with a mapping ---------------------------------------------------------------------------------------------------------


def test_mapping_finds_the_columns_as_they_are_in_the_file() -> None:
    mapping = """\
name: weekly
matches: {columns: [record_id, redcap_event_name, q1]}
patient: {column: record_id}
response_id: (response)
forms:
  - instrument: phq9
    items: {1: q1, 2: q2, 3: q3, 4: q4, 5: q5, 6: q6, 7: q7, 8: q8, 9: q9}
    moment: {column: redcap_event_name, map: {a_arm_1: baseline, b_arm_1: m6}}
    complete: {column: f_complete, values: ["2"]}
"""
    header = ["record_id", "redcap_event_name", *[f"q{i}" for i in range(1, 10)], "f_complete"]
    rows = [["1", "a_arm_1", *ANSWERS, "2"], ["1", "b_arm_1", *NONE, ""], ["2", "b_arm_1", *ANSWERS, "1"]]
    got = deliver(text(header, *rows), mapping=mapping)
    assert got.refused_for is None
    assert counts(got) == (3, 1, 2)
    assert got.items["phq9"]["is_complete"].tolist() == [True, False]
    assert got.items["phq9"]["response_id"].notna().all()


def test_rows_that_are_too_long_or_short_are_told_as_they_are_in_the_file() -> None:
    data = text(LONGITUDINAL, *[["1", f"m{m}_arm_1", "2026-01-05", *ANSWERS, "2"] for m in (6, 12, 18)])
    data += b"2,m6_arm_1,2026-01-05,1\n3,m6_arm_1,2026-01-05,0,0,0,0,0,0,0,0,0,2,9\n"
    found = deliver(data).findings
    assert found.loc[found["rule"] == "row_ragged", "detail"].tolist() == [
        "the header has 13 cells, the row 4",
        "the header has 13 cells, the row 14",
    ]


# ---- real files --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def projects(shared_data: Path) -> Path:
    folder = shared_data / "data" / "redcap_longitudinal"
    if not folder.is_dir():
        pytest.skip("the real data sets are not there; set MBT_ROM_SHARED to their folder")
    return folder


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("project", "n_fields", "n_rows", "n_people"),
    [
        ("longitudinal", 115, 18, 3),
        ("arm-single-longitudinal", 4, 9, 0),
        ("repeating-instruments", 11, 6, 2),
        ("dag", 15, 3, 3),
    ],
)
@pytest.mark.parametrize("with_dictionary", [True, False])
def test_demo_projects(
    projects: Path, project: str, n_fields: int, n_rows: int, n_people: int, *, with_dictionary: bool
) -> None:
    """They hold no instrument of ours; where they have a year of birth or sex, they are a register of patients."""
    book = deliver((projects / project / "dictionary.csv").read_bytes()).codebook
    assert book is not None
    fields = [fact for fact in book.columns.values() if fact.role not in ("complete", "submitted_at")]
    assert len(fields) == n_fields
    got = deliver((projects / project / "data.csv").read_bytes(), *([book] if with_dictionary else []))
    assert got.dialect == "redcap"
    assert got.items == {}
    assert got.n_rows == n_rows
    assert got.refused_for == (None if n_people else "columns_unknown")
    assert len(got.registers.get("patients", [])) == n_people
    assert all(entry["role"] != "item" for entry in got.understood)
