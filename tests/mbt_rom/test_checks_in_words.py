"""The checks that a definition gives rise to, against what the definitions say."""

import pytest

from mbt_rom.checks_in_words import checks_of
from mbt_rom.findings import RULES
from mbt_rom.registry import instrument, outcome_instruments


def asked(name):
    return checks_of(instrument(name))


def test_the_phq9():
    """Ten items of 0 to 3, nine of them in the score: 27 points, of which 80 % are 21.6."""
    assert asked("phq9") == [
        ("answer_out_of_range", "phq9_01 to phq9_10: 0 to 3"),
        ("item_count_wrong", "a file must have phq9_01 to phq9_09 (9 in all)"),
        ("form_state", "partial when the survey tool says so and one of these is not answered: phq9_01 to phq9_09"),
        (
            "total_contradicted",
            "a stored total of a complete form is the sum or the mean of the 9 items of 'total', or our score",
        ),
        ("coding_contradicted_by_totals", "totals are not off by 9, one point an item"),
        ("weekly_more_than_once", "every 7 days: two forms of a patient less than 5 days apart"),
        ("change_implausible", "'total' changes by more than 21.6 within 14 days"),
    ]


def test_items_of_other_ranges_counts_and_interviews_have_their_own():
    assert any(text.endswith(": 0 to 100") for rule, text in asked("eq5d5l") if rule == "answer_out_of_range")
    rules = [rule for rule, _ in asked("sshi")]
    assert rules.count("count_unusually_high") == 4
    assert "interviewer_not_stated" in rules
    assert "coding_contradicted_by_totals" not in rules  # one item
    assert "total_contradicted" not in [rule for rule, _ in asked("eq5d5l")]  # a utility
    assert ("answers_all_equal", "at least 18 answers, all the same") in asked("bsi")


@pytest.mark.parametrize("name", sorted(outcome_instruments()))
def test_every_check_is_a_rule_or_the_state_of_a_form(name):
    found = asked(name)
    assert {rule for rule, _ in found} <= {*RULES, "form_state"}
    assert found[0][0] == "answer_out_of_range"
