"""Answers: each rule fires where it must and not beside it."""

import time
from datetime import date

import pandas as pd
import pytest

from expectations.items import summary, validate_items
from mbt_rom.acceptance import dispositions
from mbt_rom.findings import RULES, as_findings
from mbt_rom.registry import instrument
from mbt_rom.tables import findings_table, items_table

AS_OF = date(2024, 6, 1)


def broken(found):
    """(row, item, rule) of each finding."""
    return [(r.row_id, r.item if isinstance(r.item, str) else None, r.rule) for r in found.itertuples()]


def test_good_forms_have_no_findings(phq9, forms, patients):
    found = validate_items(phq9, forms({}, {}, {}), patients=patients, as_of=AS_OF)
    assert found.empty
    assert found.dtypes.equals(findings_table("phq9").empty().dtypes)


def test_no_forms_have_no_findings(phq9, forms, patients):
    assert validate_items(phq9, forms({}).head(0), patients=patients, as_of=AS_OF).empty


@pytest.mark.parametrize("answer", [4, -1, 127])
def test_an_answer_outside_its_bounds_is_found(phq9, forms, patients, answer):
    found = validate_items(phq9, forms({}, {"phq9_03": answer}, {}), patients=patients, as_of=AS_OF)
    assert broken(found) == [("r1", "phq9_03", "answer_out_of_range")]
    assert found.loc[0, ["programme_id", "delivery_id", "sheet", "severity", "detail"]].tolist() == [
        "north", "d1", "May", "error", "0 to 3",
    ]  # fmt: skip
    assert found.loc[0, "source_row"] == 3


@pytest.mark.parametrize("answer", [0, 3, None])
def test_bounds_themselves_and_missing_answers_are_good(phq9, forms, patients, answer):
    assert validate_items(phq9, forms({"phq9_03": answer}), patients=patients, as_of=AS_OF).empty


def test_every_wrong_answer_of_a_form_is_named(phq9, forms, patients):
    wrong = forms({"phq9_01": 9, "phq9_10": 7}, {}, {"phq9_01": 9})
    found = validate_items(phq9, wrong, patients=patients, as_of=AS_OF)
    assert broken(found) == [
        ("r0", "phq9_01", "answer_out_of_range"),
        ("r0", "phq9_10", "answer_out_of_range"),
        ("r2", "phq9_01", "answer_out_of_range"),
    ]


def test_many_wrong_answers_to_one_item_are_called_a_pattern(phq9, forms, patients):
    wrong = forms({"phq9_01": 9}, {"phq9_01": 9}, {"phq9_01": 9, "phq9_02": 5}, {})
    found = validate_items(phq9, wrong, patients=patients, as_of=AS_OF).set_index("item")["detail"]
    assert set(found["phq9_01"]) == {"0 to 3; 3 of 4 answers to this item lie outside"}
    assert found["phq9_02"] == "0 to 3"


def test_items_judged_by_their_own_bounds(patients, forms):
    """EQ-5D-3L: dimensions run from 1 to 3, the thermometer from 0 to 100."""
    eq5d = instrument("eq5d3l")
    form = {i.id: i.max for i in eq5d.items}
    base = forms({})[["programme_id", "row_id", "delivery_id", "received_at", "patient_id", "administered_on"]]
    good = items_table(eq5d).conform(base.assign(source_row=2, block=0, **form))
    assert validate_items(eq5d, good, patients=patients, as_of=AS_OF).empty
    zero = good.assign(**{eq5d.item_ids[0]: 0})
    found = validate_items(eq5d, items_table(eq5d).conform(zero), patients=patients, as_of=AS_OF)
    assert found[["item", "detail"]].values.tolist() == [["eq5d3l_mo", "1 to 3"]]


def test_cells_that_were_no_codes_are_found_per_item(phq9, forms, patients):
    unread = forms({"phq9_01": None, "phq9_04": None, "unreadable_items": "phq9_01 phq9_04"}, {})
    found = validate_items(phq9, unread, patients=patients, as_of=AS_OF)
    assert broken(found) == [("r0", "phq9_01", "answer_not_a_code"), ("r0", "phq9_04", "answer_not_a_code")]
    assert found["detail"].tolist() == ["0 to 3", "0 to 3"]


def test_numbers_too_large_to_store_are_found_per_item(phq9, forms, patients):
    unread = forms({"phq9_01": None, "out_of_range_items": "phq9_01", "unreadable_items": "phq9_02"}, {})
    found = validate_items(phq9, unread, patients=patients, as_of=AS_OF)
    assert broken(found) == [("r0", "phq9_01", "answer_out_of_range"), ("r0", "phq9_02", "answer_not_a_code")]


def test_findings_of_several_programmes_come_from_one_call(phq9, forms, patients):
    both = forms({"phq9_01": 9}, {"programme_id": "south", "phq9_02": 9, "row_id": "r0"})
    found = validate_items(phq9, both, patients=patients, as_of=AS_OF)
    assert sorted(map(tuple, found[["programme_id", "rule"]].values)) == [
        ("north", "answer_out_of_range"),
        ("south", "answer_out_of_range"),
        ("south", "no_patient_register"),
    ]


def test_a_corrected_and_a_repeated_row_are_not_judged_again(phq9, forms, patients):
    bad = {"phq9_01": 9, "patient_id": "p_1", "response_id": "x"}
    later = {"patient_id": "p_1", "response_id": "x", "received_at": pd.Timestamp("2024-05-01", tz="UTC")}
    assert validate_items(phq9, forms(bad, later), patients=patients, as_of=AS_OF).empty
    twice = validate_items(phq9, forms(bad, {**bad, "source_row": 9}), patients=patients, as_of=AS_OF)
    assert broken(twice) == [("r0", "phq9_01", "answer_out_of_range")]


def test_rows_of_a_refused_delivery_are_not_judged(phq9, forms, patients):
    fatal = as_findings(
        [{"programme_id": "north", "delivery_id": "d2", "rule": "edition_contradicted"}], source="deliveries"
    )
    rows = forms({}, {"phq9_01": 9, "delivery_id": "d2"}, {"patient_id": "p_0", "phq9_01": 0, "delivery_id": "d2"})
    found = validate_items(phq9, rows, patients=patients, as_of=AS_OF, delivery_findings=fatal)
    assert found.empty
    assert dispositions(rows, found, fatal).tolist() == ["accepted", "set_aside", "set_aside"]


def test_a_finding_holds_no_answer(phq9, forms, patients):
    found = validate_items(phq9, forms({"phq9_01": 77}, {"patient_id": "p_canary"}), patients=patients, as_of=AS_OF)
    assert set(found["rule"]) == {"answer_out_of_range", "patient_unknown"}
    text = found.to_csv()
    assert "77" not in text
    assert "canary" not in text


def test_the_summary_has_the_extremes_of_each_item(phq9, forms):
    facts = summary(phq9, forms({"phq9_01": 3}, {"phq9_01": 0}, {"phq9_01": None, "phq9_02": None})).set_index("item")
    columns = ["lowest", "highest", "minimum", "maximum", "n_answered"]
    assert facts.loc["phq9_01", columns].tolist() == [0, 3, 0, 3, 2]
    assert facts.loc["phq9_02", "n_answered"] == 2
    nobody = summary(phq9, forms(dict.fromkeys(phq9.item_ids))).set_index("item")
    assert nobody.loc["phq9_01", ["lowest", "highest"]].isna().all()
    assert nobody.loc["phq9_01", "n_answered"] == 0


def test_every_rule_that_is_found_is_in_the_catalogue(phq9, forms, patients):
    worst = {"phq9_01": 9, "patient_id": "p_99", "administered_on": "2040-01-01", "moment_given": "t1"}
    found = validate_items(phq9, forms(worst), patients=patients, as_of=AS_OF)
    assert set(found["rule"]) == {"answer_out_of_range", "patient_unknown", "date_in_future", "moment_unknown"}
    assert set(found["rule"]) <= set(RULES)


def test_a_programme_of_ordinary_size_costs_little(phq9, forms, patients):
    """About 70 patients at seven moments: the goal is well under half a second; the limit leaves room for a busy machine."""
    rows = forms(
        *(
            {"patient_id": f"p_{n % 10}", "administered_on": f"20{10 + n // 10 % 14}-0{1 + n // 140}-01"}
            for n in range(490)
        )
    )
    validate_items(phq9, rows.head(10), patients=patients, as_of=AS_OF)
    began = time.process_time()
    assert validate_items(phq9, rows, patients=patients, as_of=AS_OF).empty
    assert time.process_time() - began < 2
