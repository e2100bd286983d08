"""The rule catalogue: complete, in words that people can act on, and rendered without values."""

import re
from pathlib import Path

import pandas as pd
import pytest

from mbt_rom.findings import CONSEQUENCES, RULES, as_findings, combined, message, rule, rules_page
from mbt_rom.tables import findings_table

ROOT = Path(__file__).resolve().parents[2]
ROW = {"programme_id": "north", "delivery_id": "d1", "row_id": "d1-0-14-0", "source_row": 14}


def test_the_page_of_rules_is_current():
    assert (ROOT / "docs/rules.md").read_text(encoding="utf-8") == rules_page(), (
        "docs/rules.md is out of date; write mbt_rom.findings.rules_page() to it"
    )


@pytest.mark.parametrize("one", RULES.values(), ids=RULES)
def test_a_rule_reads_as_a_sentence_and_a_remedy(one):
    assert one.severity in CONSEQUENCES
    assert re.match(r"[a-z0-9]", one.sentence), "a sentence continues a line: lower case"
    assert re.match(r"[A-Z`]", one.remedy), "a remedy begins a sentence"
    assert not one.sentence.endswith(".")
    assert not one.remedy.endswith(".")
    assert len(one.remedy.split()) >= 5, "a remedy says what to do"


def test_every_rule_of_the_issue_has_the_severity_that_was_agreed():
    severities = {r.severity: {i for i, o in RULES.items() if o.severity == r.severity} for r in RULES.values()}
    assert {"file_empty", "columns_unknown", "edition_contradicted", "patient_column_citizen_numbers"} <= severities[
        "fatal"
    ]
    assert {"patient_unknown", "date_in_future", "answer_out_of_range", "same_day_conflict"} <= severities["error"]
    assert {"form_empty", "no_patient_register", "cell_like_formula", "register_updated"} <= severities["notice"]


def test_an_unknown_rule_is_named():
    with pytest.raises(KeyError, match="no rule 'date_wrong'; `rom rules` lists them"):
        rule("date_wrong")
    with pytest.raises(KeyError, match="date_wrong"):
        as_findings([{**ROW, "rule": "date_wrong"}], source="bsi")


def test_findings_take_their_severity_from_the_catalogue():
    found = as_findings([{**ROW, "rule": "form_empty"}, {**ROW, "rule": "date_missing"}], source="bsi")
    assert found["severity"].tolist() == ["notice", "error"]
    assert found.dtypes.equals(findings_table("bsi").empty().dtypes)


def test_no_other_column_of_a_row_slips_into_a_finding():
    with pytest.raises(ValueError, match="has no column \\['answer'\\]"):
        as_findings([{**ROW, "rule": "answer_out_of_range", "answer": 77}], source="bsi")


def test_findings_of_several_makers_stand_in_the_order_of_the_file():
    late = as_findings([{**ROW, "source_row": 30, "rule": "date_missing"}], source="bsi")
    early = as_findings([{**ROW, "source_row": 4, "rule": "form_empty"}], source="bsi")
    both = combined([late, findings_table("bsi").empty(), early], source="bsi")
    assert both["source_row"].tolist() == [4, 30]
    assert combined([], source="bsi").empty


def test_a_message_names_file_sheet_row_column_rule_and_remedy():
    found = as_findings(
        [{**ROW, "sheet": "May", "item": "bsi_05", "rule": "answer_out_of_range", "detail": "0 to 4"}], source="bsi"
    )
    assert message(found.iloc[0], "may.xlsx") == (
        "may.xlsx, sheet May, row 14, column bsi_05: the answer lies outside the range of this item (0 to 4). "
        "Correct the answer from the original form; if many rows are wrong, check coding, edition and missing codes."
    )


def test_a_message_about_a_whole_file_names_no_row():
    found = as_findings([{"programme_id": "north", "delivery_id": "d1", "rule": "file_empty"}], source="deliveries")
    assert message(found.iloc[0], "may.csv") == (
        "may.csv: the file is empty. Make the export again and deliver the new file."
    )


def test_the_header_in_the_file_goes_before_our_own_name_of_the_item():
    line = message({"rule": "answer_not_a_code", "source_column": "Q5", "item": "bsi_05"}, "may.csv")
    assert line.startswith("may.csv, column Q5: ")


def test_an_empty_list_is_an_empty_table():
    assert as_findings([], source="phq9").columns.tolist() == findings_table("phq9").column_names
    assert as_findings(pd.DataFrame(), source="phq9").empty
