"""Stored totals: one form that contradicts its answers, and a delivery that computes them otherwise."""

from datetime import date

import pandas as pd
import pytest

from expectations.items import validate_items
from mbt_rom.acceptance import dispositions


@pytest.fixture
def judge(phq9, patients):
    """Findings about the rows, as (row, rule, detail)."""

    def findings(items):
        found = validate_items(phq9, items, patients=patients, as_of=date(2024, 6, 1))
        return found[["row_id", "rule", "detail"]].astype(object).where(found.notna(), None).values.tolist()

    return findings


def test_one_form_of_many_that_contradicts_its_total_is_set_aside(judge, forms, phq9):
    """Every answer is 1: nine points."""
    rows = forms(*[{"total_given": 9.0}] * 4, {"total_given": 10.0}, {})
    assert judge(rows) == [["r4", "total_contradicted", None]]
    found = validate_items(phq9, rows, as_of=date(2024, 6, 1))
    assert dispositions(rows, found).tolist() == [*["accepted"] * 4, "set_aside", "accepted"]


def test_of_two_forms_each_is_told(judge, forms):
    assert [f[:2] for f in judge(forms({"total_given": 12.0}, {"total_given": 14.0}))] == [
        ["r0", "total_contradicted"],
        ["r1", "total_contradicted"],
    ]


def test_most_forms_of_a_delivery_are_no_slips_and_all_count(judge, forms):
    other = {"delivery_id": "d2", "total_given": 30.0}
    rows = forms(*[{"total_given": t} for t in (40.0, 50.0, 9.0)], other, {**other, "total_given": 9.0})
    assert judge(rows) == [[None, "totals_disagree", "2 of 3 totals"], ["r3", "total_contradicted", None]]


def test_exactly_half_are_slips(judge, forms):
    rows = forms(*[{"total_given": t} for t in (40.0, 50.0, 9.0, 9.0)])
    assert [f[:2] for f in judge(rows)] == [["r0", "total_contradicted"], ["r1", "total_contradicted"]]


def test_incomplete_forms_are_not_compared(judge, forms):
    assert judge(forms({"phq9_03": None, "total_given": 20.0})) == []


def test_a_delivery_is_judged_by_all_of_its_rows(judge, forms):
    """Three of four forms disagree; two of them came again in a later file. What is said of the first file stays the same."""
    first = [{"total_given": t} for t in (40.0, 50.0, 60.0, 9.0)]
    rows = forms(*first)
    again = forms(*first[:2]).assign(delivery_id="d2", row_id=["again0", "again1"])
    again["received_at"] += pd.Timedelta(days=1)
    both = pd.concat([rows, again], ignore_index=True)
    assert judge(rows) == [[None, "totals_disagree", "3 of 4 totals"]]
    assert judge(both) == judge(rows)
