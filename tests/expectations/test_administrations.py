"""Patient, date, moment and forms of the same day: each rule fires where it must and not beside it."""

from datetime import date

import pandas as pd
import pytest

from expectations.items import validate_items
from mbt_rom.acceptance import dispositions
from mbt_rom.tables import EPISODES

AS_OF = date(2024, 6, 1)


@pytest.fixture
def rules(phq9, patients):
    """`rules(items)`: the rules that each row broke, by row; rows without findings are left out."""

    def judge(items, **settings):
        found = validate_items(phq9, items, **{"patients": patients, "as_of": AS_OF, **settings})
        return found.groupby("row_id")["rule"].agg(sorted).to_dict()

    return judge


def test_a_patient_who_is_not_in_the_register_is_unknown(rules, forms):
    assert rules(forms({}, {"patient_id": "p_77"})) == {"r1": ["patient_unknown"]}


def test_a_patient_of_another_programme_is_unknown(rules, forms, patients):
    south = patients.head(1).assign(programme_id="south", patient_id="p_77")
    register = pd.concat([patients, south], ignore_index=True)
    rows = forms({"programme_id": "south", "patient_id": "p_77"}, {"programme_id": "north", "patient_id": "p_77"})
    assert rules(rows, patients=register) == {"r1": ["patient_unknown"]}


def test_without_a_register_patients_are_not_looked_up_and_one_notice_says_so(phq9, forms, patients):
    south = [{"programme_id": "south", "delivery_id": f"d{n}", "patient_id": "p_77"} for n in (1, 2)]
    later = {"received_at": pd.Timestamp("2024-05-01", tz="UTC"), "administered_on": "2024-04-09"}
    found = validate_items(phq9, forms({}, south[0], {**south[1], **later}), patients=patients, as_of=AS_OF)
    assert found[["programme_id", "delivery_id", "rule", "severity"]].values.tolist() == [
        ["south", "d2", "no_patient_register", "notice"]
    ]
    assert found["row_id"].isna().all()
    nobody = validate_items(phq9, forms({}, {}), patients=None, as_of=AS_OF)
    assert nobody["rule"].tolist() == ["no_patient_register"]


def test_a_patient_number_that_could_not_be_read_is_found_under_its_own_rule(rules, forms):
    rows = forms(
        {"patient_id": None, "patient_problem": "patient_form"},
        {"patient_id": None, "patient_problem": "patient_missing"},
        {"patient_id": None},
        {},
    )
    assert rules(rows) == {"r0": ["patient_form"], "r1": ["patient_missing"], "r2": ["patient_missing"]}


def test_a_date_that_could_not_be_read_is_found_under_its_own_rule(rules, forms):
    rows = forms(
        {"administered_on": None, "date_problem": "date_unreadable"},
        {"administered_on": None, "date_problem": "date_ambiguous"},
        {},
    )
    assert rules(rows) == {"r0": ["date_unreadable"], "r1": ["date_ambiguous"]}


def test_a_form_needs_a_date_or_a_moment(rules, forms):
    rows = forms({"administered_on": None}, {"administered_on": None, "moment_given": "m12"}, {"moment_given": "m12"})
    assert rules(rows) == {"r0": ["date_missing"]}


def test_today_is_not_the_future(rules, forms):
    rows = forms({"administered_on": "2024-06-01"}, {"administered_on": "2024-06-02"})
    assert rules(rows) == {"r1": ["date_in_future"]}


def test_the_year_of_birth_is_not_before_birth(rules, forms):
    rows = forms({"administered_on": "1990-01-01"}, {"administered_on": "1989-12-31"})
    assert rules(rows) == {"r1": ["date_before_birth"]}


def test_without_a_year_of_birth_any_date_may_be(rules, forms, patients):
    rows = forms({"administered_on": "1901-01-01"})
    assert rules(rows, patients=patients.assign(birth_year=pd.array([None] * 10, dtype="Int16"))) == {}


@pytest.mark.parametrize("moment", ["baseline", "m6", "m36", "unscheduled"])
def test_moments_of_any_plan_are_known(rules, forms, moment):
    assert rules(forms({"moment_given": moment})) == {}


@pytest.mark.parametrize("moment", ["T1", "6 months", "M6", "m06", "m", "baseline2"])
def test_other_words_for_moments_are_unknown(rules, forms, moment):
    assert rules(forms({"moment_given": moment})) == {"r0": ["moment_unknown"]}


def test_a_plan_states_its_own_moments(rules, forms):
    rows = forms({"moment_given": "m6"}, {"moment_given": "m7"})
    assert rules(rows, moments=["baseline", "m6"]) == {"r1": ["moment_unknown"]}


def test_a_form_without_answers_is_noticed_and_one_with_unreadable_answers_is_not_empty(rules, forms, phq9):
    blank = dict.fromkeys(phq9.item_ids)
    rows = forms(blank, {**blank, "unreadable_items": "phq9_01"}, {**blank, "phq9_01": 0})
    assert rules(rows) == {"r0": ["form_empty"], "r1": ["answer_not_a_code"]}


def test_two_rows_with_one_row_id_are_both_found(phq9, forms, patients):
    rows = forms({}, {"row_id": "r0", "administered_on": "2024-03-09"}, {})
    found = validate_items(phq9, rows, patients=patients, as_of=AS_OF)
    assert found[["row_id", "source_row", "rule"]].values.tolist() == [
        ["r0", 2, "row_id_twice"],
        ["r0", 3, "row_id_twice"],
    ]


def test_one_row_id_in_two_programmes_is_no_fault(phq9, forms, patients):
    rows = forms({}, {"row_id": "r0", "programme_id": "south"})
    assert validate_items(phq9, rows, patients=patients, as_of=AS_OF)["rule"].tolist() == ["no_patient_register"]


# Forms of the same day ---------------------------------------------------------------------------------------------------


def test_two_different_forms_of_one_patient_and_day_are_both_set_aside(phq9, forms, patients):
    rows = forms({"patient_id": "p_1"}, {"patient_id": "p_1", "phq9_01": 3}, {})
    found = validate_items(phq9, rows, patients=patients, as_of=AS_OF)
    assert found[["row_id", "rule", "detail"]].values.tolist() == [
        ["r0", "same_day_conflict", "2 different forms"],
        ["r1", "same_day_conflict", "2 different forms"],
    ]
    assert dispositions(rows, found).tolist() == ["set_aside", "set_aside", "accepted"]


@pytest.mark.parametrize(
    "other",
    [
        {"patient_id": "p_1", "phq9_01": 3, "administered_on": "2024-03-02"},
        {"patient_id": "p_2", "phq9_01": 3},
        {"patient_id": "p_1"},
    ],
    ids=["another day", "another patient", "an exact duplicate"],
)
def test_beside_a_conflict_there_is_none(rules, forms, other):
    assert rules(forms({"patient_id": "p_1"}, other)) == {}


def test_two_moments_without_dates_are_no_conflict_and_one_moment_twice_is(rules, forms):
    undated = {"patient_id": "p_1", "administered_on": None}
    before, after = {**undated, "moment_given": "baseline"}, {**undated, "moment_given": "m6", "phq9_01": 3}
    assert rules(forms(before, after)) == {}
    again = {**undated, "moment_given": "m6", "phq9_01": 2}
    assert rules(forms(before, after, again)) == {"r1": ["same_day_conflict"], "r2": ["same_day_conflict"]}


def test_a_later_state_of_the_same_response_is_no_conflict(rules, forms):
    begun = {"patient_id": "p_1", "response_id": "x", "is_complete": False, "phq9_02": None}
    assert rules(forms(begun, {"patient_id": "p_1", "response_id": "x", "is_complete": True})) == {}


def test_a_bad_row_does_not_drag_the_good_one_of_its_day_along(rules, forms):
    rows = forms({"patient_id": "p_1", "phq9_01": 9}, {"patient_id": "p_1"})
    assert rules(rows) == {"r0": ["answer_out_of_range"]}


def test_a_form_that_contradicts_the_registered_year_of_birth_is_set_aside(rules, forms):
    rows = forms(*({"birth_year_given": year} for year in (1990, 1991, None)))
    assert rules(rows) == {"r1": ["birth_year_contradicts_register"]}
    assert rules(rows, patients=None) == {}


def test_another_sex_than_the_registered_one_is_a_notice_and_nothing_more(phq9, forms, patients):
    register = patients.assign(sex=["female", "male", "other", None, "female", *["male"] * 5])
    rows = forms(*({"sex_given": s} for s in ("male", "male", "male", "male", "other", None)))
    found = validate_items(phq9, rows, patients=register, as_of=AS_OF)
    assert found[["row_id", "rule", "severity"]].values.tolist() == [["r0", "sex_contradicts_register", "notice"]]
    assert set(dispositions(rows, found)) == {"accepted"}


def test_a_form_dated_after_the_patients_death_is_set_aside(rules, forms):
    ends = [
        ("p_0", "died", "2024-02-29"),
        ("p_1", "died", "2024-03-01"),
        ("p_2", "completed", "2024-02-01"),
        ("p_3", "died", None),
    ]
    frame = pd.DataFrame(ends, columns=["patient_id", "end_reason", "ended_on"])
    ids = [f"e{n}" for n in range(4)]
    known = EPISODES.conform(frame.assign(programme_id="north", episode_id=ids, row_id=ids, delivery_id="d0"))
    rows = forms({}, {}, {}, {}, {})
    assert rules(rows, episodes=known) == {"r0": ["form_after_death"]}
    assert rules(rows, episodes=known.assign(programme_id="south")) == {}
