"""The rule catalogue: complete, in words that people can act on, and rendered without values."""

import re
from pathlib import Path

import pandas as pd
import pytest

from mbt_rom.findings import (
    CONSEQUENCES,
    LANGUAGES,
    RULES,
    WORDS,
    as_findings,
    by_id,
    combined,
    consequences,
    message,
    rule,
    rules_page,
)
from mbt_rom.tables import findings_table

ROOT = Path(__file__).resolve().parents[2]
ROW = {"programme_id": "north", "delivery_id": "d1", "row_id": "d1-0-14-0", "source_row": 14}


@pytest.mark.parametrize(("language", "page"), [("en", "rules.md"), ("nl", "rules.nl.md")])
def test_the_page_of_rules_is_current(language, page):
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == rules_page(language=language), (
        f"docs/{page} is out of date; run scripts/generate"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule_id", RULES)
def test_a_rule_reads_as_a_sentence_and_a_remedy(rule_id, language):
    one = rule(rule_id, language=language)
    assert one.severity in CONSEQUENCES
    assert re.match(r"[a-zé0-9]", one.sentence), "a sentence continues a line: lower case"
    assert re.match(r"[A-Z`]", one.remedy), "a remedy begins a sentence"
    assert not one.sentence.endswith(".")
    assert not one.remedy.endswith(".")
    assert len(one.remedy.split()) >= 5, "a remedy says what to do"


@pytest.mark.parametrize("one", RULES.values(), ids=RULES)
def test_both_languages_name_the_same_commands_files_and_keys(one):
    technical = (
        r"`[^`]+`|\w+\.yaml|'(?:format|coding|order|items|matches|values|map|instruments|largest_file_mb)'|dd/mm/yyyy"
    )
    assert one.sentence != one.sentence_nl
    assert one.remedy != one.remedy_nl
    assert sorted(re.findall(technical, one.remedy)) == sorted(re.findall(technical, one.remedy_nl))


@pytest.mark.parametrize("one", RULES.values(), ids=RULES)
def test_the_dutch_addresses_nobody(one):
    """One style for all rules: an imperative, neither 'u' nor 'je'."""
    assert not re.search(r"\b(u|uw|je|jij|jouw)\b", f"{one.sentence_nl} {one.remedy_nl}", re.IGNORECASE)


def test_a_rule_that_stands_twice_is_refused():
    twice = [RULES["file_empty"], RULES["date_ambiguous"], RULES["file_empty"]]
    with pytest.raises(ValueError, match="'file_empty' stands twice"):
        by_id(twice)
    assert by_id(twice[:2]) == {"file_empty": twice[0], "date_ambiguous": twice[1]}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_severity_and_every_owner_has_a_word(language):
    used = {r.severity for r in RULES.values()} | {r.owner for r in RULES.values()}
    assert used <= WORDS[language].keys()
    assert list(consequences(language)) == ["fatal", "error", "notice"]


def test_a_rule_in_dutch_keeps_its_severity_and_owner():
    dutch = rule("patient_missing", language="nl")
    assert (dutch.id, dutch.severity, dutch.owner) == ("patient_missing", "error", "research_assistant")
    assert dutch.sentence == "de rij heeft geen patiëntnummer"
    assert dutch.remedy == "Vul het patiëntnummer in het vragenlijstsysteem in en exporteer opnieuw"


def test_a_message_in_dutch_names_the_place_in_dutch():
    found = as_findings([{**ROW, "sheet": "Mei", "source_column": "Q5", "rule": "date_in_future"}], source="bsi")
    assert message(found.iloc[0], "mei.xlsx", language="nl") == (
        "mei.xlsx, blad Mei, rij 14, kolom Q5: de datum ligt na de dag van deze verwerking. "
        "Verbeter de datum; let op een verwisselde dag en maand, of een verkeerd jaar."
    )


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
