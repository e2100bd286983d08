"""Every planted fault is in the bytes, at the place that the list names; and nothing else is wrong."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest

from mbt_rom.synthetic import SyntheticConsortium

EXPECTED_RULES = {
    "bad_cell": {"answer_not_a_code"},
    "out_of_range": {"answer_out_of_range"},
    "future_date": {"date_in_future"},
    "before_birth": {"date_before_birth"},
    "formula_in_comment": {"column_not_taken_in"},
    "formula_in_register": {"cell_like_formula", "code_not_understood"},
    "leading_zeros_eaten": {"patient_form", "leading_zeros_restored"},
    "exact_duplicate": {""},
    "conflicting_pair": {"same_day_conflict"},
    "unknown_patient": {"patient_unknown"},
    "sixty_columns": {"item_count_wrong"},
    "citizen_number": {"citizen_number_elsewhere"},
    "finished_later": {""},
    "truncated_workbook": {"file_unreadable"},
    "late_programme": {"programme_quiet"},
    "unknown_programme": {"programme_unknown"},
}


def lines(made: SyntheticConsortium, path: str) -> list[dict[str, str]]:
    """Rows of a CSV export; row numbers of the truth are two more than positions."""
    dutch = path.startswith("inbox/maas/")
    text = made.files[path].decode("cp1252" if dutch else "utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if dutch else ","))


def planted(made: SyntheticConsortium, fault: str) -> list:
    """The rows of the list of faults for one fault; at least one."""
    rows = list(made.truth["faults"].query("fault == @fault").itertuples())
    assert rows, fault
    return rows


def cell(made: SyntheticConsortium, fault) -> str:
    """What stands in the cell that a fault names."""
    return lines(made, fault.file)[fault.row - 2][fault.column]


def test_every_fault_is_planted_and_names_its_rule(made):
    faults = made.truth["faults"]
    assert faults.groupby("fault")["rule"].agg(set).to_dict() == EXPECTED_RULES
    assert set(faults["file"]) <= set(made.files)


def test_cells_that_are_wrong(made):
    assert cell(made, *planted(made, "bad_cell")) == "often"
    assert cell(made, *planted(made, "out_of_range")) == "7"
    assert cell(made, *planted(made, "future_date")) == "2027-01-21"
    assert cell(made, *planted(made, "before_birth")).startswith("19")
    assert cell(made, *planted(made, "formula_in_comment")).startswith("=")
    assert cell(made, planted(made, "formula_in_register")[0]).startswith("=")


def test_the_date_before_birth_is_before_that_patient_was_born(made):
    (fault,) = planted(made, "before_birth")
    number = lines(made, fault.file)[fault.row - 2]["patient_id"]
    patients = made.truth["patients"].query("programme_id == 'amstel'").set_index("number")
    assert int(cell(made, fault)[:4]) < patients.loc[number, "birth_year"]


def test_eaten_zeros_leave_four_digits_of_six(made):
    for fault in planted(made, "leading_zeros_eaten"):
        assert re.fullmatch(r"1\d{3}", cell(made, fault))


def test_the_citizen_number_passes_the_eleven_test_by_hand(made):
    (fault,) = planted(made, "citizen_number")
    (number,) = re.findall(r"\d{9}", cell(made, fault))
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    assert sum(w * int(d) for w, d in zip(weights, number, strict=True)) % 11 == 0


def test_the_duplicate_is_the_same_row_again_in_a_later_file(made):
    (fault,) = planted(made, "exact_duplicate")
    form = made.truth["forms"].set_index("form_id").loc[fault.form_id]
    assert form["file"] < fault.file
    assert lines(made, fault.file)[fault.row - 2] == lines(made, form["file"])[form["row"] - 2]


def test_the_conflicting_pair_agrees_in_patient_and_date_only(made):
    one, other = (lines(made, f.file)[f.row - 2] for f in planted(made, "conflicting_pair"))
    assert (one["patient_id"], one["date"]) == (other["patient_id"], other["date"])
    assert one["response_id"] != other["response_id"]
    assert any(one[c] != other[c] for c in one if c.startswith("phq9_"))


def test_the_form_finished_later_has_one_response_id_and_more_answers(made):
    first, later = planted(made, "finished_later")
    before, after = (lines(made, f.file)[f.row - 2] for f in (first, later))
    assert first.file < later.file
    assert before["Response ID"] == after["Response ID"]
    assert (before["Voltooid"], after["Voltooid"]) == ("nee", "ja")
    questions = [c for c in before if c.startswith("PHQ-9 vraag")]
    assert sum(bool(before[c]) for c in questions) < sum(bool(after[c]) for c in questions)


def test_the_unknown_patient_is_in_no_register(made):
    (fault,) = planted(made, "unknown_patient")
    assert cell(made, fault) not in set(made.truth["patients"]["number"])


def test_the_unknown_programme_is_in_no_mapping(made):
    for fault in planted(made, "unknown_programme"):
        assert cell(made, fault) == "ZZ"
        assert "ZZ" not in made.mappings["regional_survey.yaml"]


def test_the_long_form_has_sixty_columns(made):
    (fault,) = planted(made, "sixty_columns")
    header = lines(made, fault.file)[0]
    assert sum(column.startswith("bsi_") for column in header) == 60


def test_the_truncated_workbook_cannot_be_opened_and_the_others_can(made):
    (fault,) = planted(made, "truncated_workbook")
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(made.files[fault.file]))
    for path in made.files:
        if path.endswith(".xlsx") and path != fault.file:
            assert zipfile.ZipFile(io.BytesIO(made.files[path])).testzip() is None


def test_forms_that_a_fault_costs_are_not_among_the_accepted(made):
    faults, forms = made.truth["faults"], made.truth["forms"]
    lost = set(faults.query("disposition == 'set_aside' and form_id != ''")["form_id"])
    kept = set(faults.query("disposition == 'accepted' and form_id != ''")["form_id"])
    assert len(lost) == 8
    assert not lost & set(forms["form_id"])
    assert kept <= set(forms["form_id"])
