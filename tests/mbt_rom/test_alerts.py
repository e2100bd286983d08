"""Risk answers and the list each is on. Every expected list is read off the rules in the module's docstring by hand."""

import time

import numpy as np
import pandas as pd
import pytest

from mbt_rom.alerts import LISTS, NOT_WATCHED, alerts
from mbt_rom.findings import as_findings
from mbt_rom.model import RiskRule
from mbt_rom.registry import instrument, instruments
from mbt_rom.tables import ALERTS, findings_table, items_table

PHQ9, SSHI, BSI, BDI2, OQ45 = (instrument(i) for i in ("phq9", "sshi", "bsi", "bdi2", "oq45"))
NEW, KNOWN, OLD = "new_or_worse", "unchanged_known", "old"


def form(row_id, on, answer=None, *, at=None, patient="p_1", definition=PHQ9, **more):
    """One form. `answer` is that to PHQ-9 item 9; it arrives at noon (UTC) of the day it was answered, or of `at`."""
    base = {
        "programme_id": "north",
        "row_id": row_id,
        "delivery_id": "d1",
        "received_at": pd.Timestamp(f"{at or on}T12:00", tz="UTC"),
        "source_row": 2,
        "block": 0,
        "patient_id": patient,
        "administered_on": on,
        "edition": definition.edition,
    }
    given = {} if answer is None else {"phq9_09": answer, "phq9_01": 1}
    return base | given | more


def table(*forms, definition=PHQ9):
    return items_table(definition).conform(pd.DataFrame(list(forms)))


def found(*forms, findings=None, deliveries=None, definition=PHQ9, timezone="Europe/Amsterdam"):
    """The rows for these forms of one instrument."""
    errors = findings_table(definition.id).empty() if findings is None else findings
    items = {definition.id: table(*forms, definition=definition)}
    return alerts(
        items, {definition.id: errors}, deliveries, definitions={definition.id: definition}, timezone=timezone
    )


def listed(*forms, **named):
    """row_id -> list."""
    rows = found(*forms, **named)
    return dict(zip(rows["row_id"], rows["list"], strict=True))


def error(row_id, rule):
    return as_findings([{"programme_id": "north", "delivery_id": "d1", "row_id": row_id, "rule": rule}], source="phq9")


# ---- which answers ------------------------------------------------------------------------------------------------------


def test_the_highest_level_that_is_met_holds_and_every_rule_met_is_named():
    rows = found(*(form(f"r{n}", f"2026-03-0{n + 1}", n) for n in range(4)))
    told = rows[["row_id", "answer", "level", "rule", "origin", "confidence"]].to_numpy().tolist()
    assert told == [
        ["r1", 1, "alert", "item_9_alert", "published", "single_source"],
        ["r2", 2, "high", "item_9_high item_9_alert", "project_rule", "memory"],
        ["r3", 3, "high", "item_9_high item_9_alert", "project_rule", "memory"],
    ]
    assert set(rows["about"]) == {"thoughts of death or self-harm"}


def test_an_item_that_is_blank_or_below_its_rule_gives_no_row():
    assert found(form("zero", "2026-03-01", 0), form("blank", "2026-03-02", phq9_01=3)).empty
    assert found().equals(ALERTS.empty())


def test_each_item_of_a_form_has_its_own_row():
    """BSI items 9 (from 1), 39 and 40 (from 2): this form meets the first and the last."""
    rows = found(form("a", "2026-03-01", definition=BSI, bsi_09=1, bsi_39=1, bsi_40=2), definition=BSI)
    assert rows[["item", "level", "about"]].to_numpy().tolist() == [
        ["bsi_09", "alert", "suicidal thoughts"],
        ["bsi_40", "alert", "urge to harm others"],
    ]


#: Per instrument an answer that meets each rule and the largest that meets none, read off the published thresholds.
THRESHOLDS = {
    "phq9_09": 1, "bsi_09": 1, "bsi_39": 2, "bsi_40": 2, "bsi18_17": 1, "bdi2_09": 1, "bdi2_02": 2, "oq45_08": 1,
    "oq45_11": 1, "oq45_26": 1, "oq45_32": 1, "oq45_44": 1, "paibor_17": 2, "sshi_suicidal_acts": 1,
    "sshi_self_harm_acts": 1, "scid2_bpd_5": 3, "mmpi2rf_sui": 65,
}  # fmt: skip


def test_the_rules_of_every_outcome_instrument_are_applied_from_their_threshold_on():
    asked = {}
    for definition in instruments().values():
        for item in {r.item for r in definition.risk if definition.monitors == "outcome"}:
            at, below = (
                found(form("a", "2026-03-01", definition=definition, **{item: n}), definition=definition)
                for n in (THRESHOLDS[item], THRESHOLDS[item] - 1)
            )
            asked[item] = (at["item"].tolist() == [item], below.empty)
    assert asked == dict.fromkeys(THRESHOLDS, (True, True))


def test_instruments_without_rules_give_nothing():
    rfq8 = instrument("rfq8")
    assert found(form("a", "2026-03-01", definition=rfq8, rfq8_01=7), definition=rfq8).empty


def test_the_first_rule_of_the_level_decides_where_several_of_it_are_met():
    base = {"item": "phq9_09", "value": 1, "level": "alert", "confidence": "verified"}
    first = RiskRule(id="one", about="first", origin="published", **base)
    second = RiskRule(id="two", about="second", origin="project_rule", **base)
    mine = PHQ9.model_copy(update={"risk": (second, first)})
    [row] = found(form("a", "2026-03-01", 1), definition=mine).to_dict("records")
    assert (row["rule"], row["about"], row["origin"]) == ("two one", "second", "project_rule")


# ---- new or worse, unchanged --------------------------------------------------------------------------------------------

WEEKS = ["2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23"]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([1], NEW),  # nothing before it
        ([0, 1], NEW),
        ([1, 1], KNOWN),  # the only one before it was as bad
        ([2, 1], KNOWN),
        ([1, 2], NEW),
        ([1, 1, 1], KNOWN),
        ([0, 1, 1], NEW),  # worse than one of the last two
        ([1, 0, 1], NEW),
        ([2, 2, 1], KNOWN),
        ([1, 2, 2], NEW),
        ([0, 1, 1, 1], KNOWN),  # the third last is not asked
        ([3, 3, 0, 1], NEW),
    ],
)
def test_an_answer_is_held_against_the_patients_own_last_two(answers, expected):
    forms = [form(f"r{n}", day, answer) for n, (day, answer) in enumerate(zip(WEEKS, answers, strict=False))]
    assert listed(*forms)[f"r{len(answers) - 1}"] == expected


def test_forms_that_leave_the_item_blank_are_passed_over():
    forms = form("a", WEEKS[0], 1), form("b", WEEKS[1], phq9_01=2), form("c", WEEKS[2], 1)
    assert listed(*forms) == {"a": NEW, "c": KNOWN}


def test_other_patients_programmes_instruments_and_items_are_not_asked():
    before = form("a", WEEKS[0], 3)
    assert listed(before, form("b", WEEKS[1], 1, patient="p_2"))["b"] == NEW
    assert listed(before, form("b", WEEKS[1], 1, programme_id="south"))["b"] == NEW
    assert listed(before, form("b", WEEKS[1], 1, edition="another"))["b"] == NEW
    both = {"oq45": table(form("o", WEEKS[0], definition=OQ45, oq45_08=4), definition=OQ45), "phq9": table(before)}
    rows = alerts(
        both,
        {i: findings_table(i).empty() for i in both},
        definitions={"oq45": OQ45, "phq9": PHQ9},
        timezone="Europe/Amsterdam",
    )
    assert dict(zip(rows["item"], rows["list"], strict=True)) == {"oq45_08": NEW, "phq9_09": NEW}
    substances = [form("a", WEEKS[0], definition=OQ45, oq45_11=4), form("b", WEEKS[1], definition=OQ45, oq45_26=1)]
    assert listed(*substances, definition=OQ45) == {"a": NEW, "b": NEW}


def test_patients_whose_number_is_not_known_are_not_taken_for_one():
    rows = found(*(form(f"r{n}", day, 2, patient=None) for n, day in enumerate(WEEKS)))
    assert rows["list"].tolist() == [NEW] * 4
    assert rows["patient_id"].isna().all()


def test_counts_are_compared_as_counts():
    """Three acts after five are fewer, two after one are more; a blank is no count and never zero."""
    counts = [("a", WEEKS[0], 5), ("b", WEEKS[1], 3), ("c", WEEKS[2], 1), ("d", WEEKS[3], 2)]
    forms = [form(r, on, definition=SSHI, sshi_self_harm_acts=n) for r, on, n in counts]
    forms += [form("e", "2026-03-30", definition=SSHI, sshi_months_covered=6)]
    rows = found(*forms, definition=SSHI)
    assert dict(zip(rows["row_id"], rows["list"], strict=True)) == {"a": NEW, "b": KNOWN, "c": KNOWN, "d": NEW}
    assert rows["answer"].tolist() == [5, 3, 1, 2]
    assert rows["level"].tolist() == ["alert"] * 4
    large = found(form("a", WEEKS[0], definition=SSHI, sshi_suicidal_acts=300), definition=SSHI)
    assert large[["answer", "level"]].to_numpy().tolist() == [[300, "high"]]


def test_where_a_rule_names_one_answer_its_level_is_compared():
    """0 means that no crisis plan is there; a second 0 after it is known, and a 0 after a 1 is new."""
    rule = RiskRule(
        id="no_plan", item="phq9_09", about="none", op="==", value=0, level="alert", origin="project_rule",
        confidence="verified",
    )  # fmt: skip
    mine = PHQ9.model_copy(update={"risk": (rule,)})
    forms = [form(f"r{n}", day, a) for n, (day, a) in enumerate(zip(WEEKS, [0, 0, 1, 0], strict=True))]
    assert listed(*forms, definition=mine) == {"r0": NEW, "r1": KNOWN, "r3": NEW}


def test_a_second_episode_goes_on_from_the_first_for_it_is_the_same_patient():
    first = form("a", "2024-01-01", 2), form("b", "2024-06-01", 2)
    assert listed(*first, form("c", "2026-03-01", 2)) == {"a": NEW, "b": KNOWN, "c": KNOWN}
    assert listed(*first, form("c", "2026-03-01", 3))["c"] == NEW


# ---- order --------------------------------------------------------------------------------------------------------------


def test_answers_are_ordered_by_their_dates_and_not_by_their_arrival():
    late = form("march 2", WEEKS[0], 0, at="2026-03-23"), form("march 9", WEEKS[1], 1, at="2026-03-23")
    assert listed(form("march 16", WEEKS[2], 1, at="2026-03-23"), *late)["march 16"] == NEW


def test_what_arrives_later_does_not_make_an_answer_known_that_was_new_when_it_was_seen():
    seen = form("seen", WEEKS[2], 2)
    late = form("late", WEEKS[0], 3, at="2026-03-30")
    assert listed(seen, late) == {"seen": NEW, "late": OLD}
    after = form("after", "2026-04-01", 2)
    assert listed(seen, late, after)["after"] == KNOWN
    passed_over = [form(f"x{n}", f"2026-03-0{n + 3}", 0, at="2026-03-30") for n in range(3)]
    assert listed(form("first", WEEKS[0], 2), *passed_over, seen)["seen"] == KNOWN


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"submitted_at": "2026-03-02T08:00Z"}, {"submitted_at": "2026-03-02T09:00Z"}),
        ({"received_at": "2026-03-02T12:00Z"}, {"received_at": "2026-03-03T12:00Z"}),
        ({}, {}),  # nothing but the row ids tells them apart
    ],
    ids=["submitted", "received", "row"],
)
def test_forms_of_one_day_have_an_order(first, second):
    def made(*pairs):
        return [form(r, WEEKS[0], n, **{k: pd.Timestamp(v) for k, v in more.items()}) for r, n, more in pairs]

    one, two = ("z", "b") if first else ("a", "b")
    for falling in (made((one, 2, first), (two, 1, second)), made((two, 1, second), (one, 2, first))):
        assert listed(*falling) == {one: NEW, two: KNOWN}
    assert listed(*made((one, 1, first), (two, 2, second))) == {one: NEW, two: NEW}


# ---- old ----------------------------------------------------------------------------------------------------------------


def test_an_answer_is_old_from_the_eighth_day_on():
    rows = found(
        form("a", "2026-03-01", 1, at="2026-03-08"), form("b", "2026-03-01", 1, at="2026-03-09", patient="p_2")
    )
    assert rows[["row_id", "age_days", "list"]].to_numpy().tolist() == [["a", 7, NEW], ["b", 8, OLD]]


def test_the_day_of_arrival_is_that_of_the_home():
    """23:30 UTC on 8 March is half past midnight on the 9th in Amsterdam (UTC+1) and still the 8th in Lisbon (UTC)."""
    late = form("a", "2026-03-01", 1, received_at=pd.Timestamp("2026-03-08T23:30", tz="UTC"))
    assert found(late, timezone="Europe/Amsterdam")[["age_days", "list"]].to_numpy().tolist() == [[8, OLD]]
    assert found(late, timezone="Europe/Lisbon")[["age_days", "list"]].to_numpy().tolist() == [[7, NEW]]


def test_an_old_answer_still_counts_as_one_before_the_next():
    assert listed(form("a", "2026-02-01", 2, at=WEEKS[0]), form("b", WEEKS[0], 2)) == {"a": OLD, "b": KNOWN}


def test_without_a_date_nobody_can_say_that_it_is_old_nor_what_came_before():
    before = form("a", "2025-01-01", 3)
    [_, row] = found(before, form("b", None, 1, at="2026-03-09")).to_dict("records")
    assert (row["row_id"], row["list"]) == ("b", NEW)
    assert pd.isna(row["age_days"])
    assert pd.isna(row["answered_on"])
    undated_first = form("a", None, 3, at="2026-01-01"), form("b", "2026-03-09", 1)
    assert listed(*undated_first)["b"] == NEW


@pytest.mark.parametrize("rule", ["date_in_future", "date_before_birth"])
def test_a_date_that_a_finding_calls_wrong_is_shown_and_not_trusted(rule):
    rows = found(form("a", "1926-03-01", 2, at="2026-03-01"), findings=error("a", rule))
    assert rows[["list", "form_status"]].to_numpy().tolist() == [[NEW, "set_aside"]]
    assert rows["age_days"].isna().all()
    assert rows["answered_on"].dt.year.tolist() == [1926]


def test_a_date_after_its_own_arrival_is_not_trusted():
    rows = found(form("a", "2026-03-20", 2, at="2026-03-01"))
    assert rows["age_days"].isna().all()
    assert rows["list"].tolist() == [NEW]


# ---- what became of the form --------------------------------------------------------------------------------------------


def test_answers_on_forms_that_were_set_aside_are_there_and_say_so():
    both = form("a", WEEKS[0], 2, patient=None, patient_problem="patient_form"), form("b", WEEKS[0], 1, patient="p_2")
    rows = found(*both, findings=error("a", "patient_form"))
    assert rows[["row_id", "form_status"]].to_numpy().tolist() == [["a", "set_aside"], ["b", "accepted"]]
    read = found(form("a", WEEKS[0], 2), deliveries=error("a", "row_ragged"))
    assert read["form_status"].tolist() == ["set_aside"]


def test_a_form_that_was_set_aside_can_make_an_answer_new_and_never_known():
    aside, after = form("aside", WEEKS[1], 3), form("after", WEEKS[2], 2)
    assert listed(aside, after, findings=error("aside", "answer_not_a_code"))["after"] == NEW
    before = form("before", WEEKS[0], 2)
    assert listed(before, after)["after"] == KNOWN
    assert listed(before, aside, after, findings=error("aside", "answer_not_a_code"))["after"] == KNOWN
    milder = form("aside", WEEKS[1], 0)
    assert listed(before, milder, after, findings=error("aside", "answer_not_a_code"))["after"] == NEW


def test_a_contradiction_of_the_day_loses_neither_answer():
    forms = form("a", WEEKS[0], 1), form("b", WEEKS[0], 3)
    conflict = pd.concat([error("a", "same_day_conflict"), error("b", "same_day_conflict")])
    rows = found(*forms, findings=conflict)
    assert rows[["row_id", "level", "form_status"]].to_numpy().tolist() == [
        ["a", "alert", "set_aside"],
        ["b", "high", "set_aside"],
    ]


def test_an_answer_out_of_its_range_is_shown_and_makes_no_later_one_known():
    """An export counted from 1 writes 4 for the worst answer: lost, if only answers in range were shown."""
    outside = form("a", WEEKS[0], 4)
    rows = found(outside, findings=error("a", "answer_out_of_range"))
    assert rows[["answer", "level", "list", "form_status"]].to_numpy().tolist() == [[4, "high", NEW, "set_aside"]]
    assert listed(outside, form("b", WEEKS[1], 3), findings=error("a", "answer_out_of_range"))["b"] == NEW


def test_the_same_form_delivered_again_is_no_new_answer():
    first, again = form("a", WEEKS[0], 2), form("b", WEEKS[0], 2, at=WEEKS[1], delivery_id="d2")
    rows = found(again, first)
    assert rows[["row_id", "age_days", "list"]].to_numpy().tolist() == [["a", 0, NEW]]


def states(*answers, **last):
    """States of one response, a week apart, the last one finished; more answers each time."""
    made = []
    for n, answer in enumerate(answers):
        more = {f"phq9_0{i}": 1 for i in range(2, 3 + n)}
        is_last = n == len(answers) - 1
        made.append(
            form(f"s{n}", WEEKS[0], answer, at=WEEKS[n], response_id="x", is_complete=is_last, **more)
            | (last if is_last else {})
        )
    return made


def test_an_earlier_state_of_a_form_is_no_answer_of_its_own():
    rows = found(*states(3, 2))
    assert rows[["row_id", "answer", "list"]].to_numpy().tolist() == [["s1", 2, NEW]]


def test_an_answer_became_visible_with_the_first_state_in_which_it_stood():
    """Delivered on 2, 9 and 16 March; the answer 2 stood there from the 9th on, 7 days after the form was begun."""
    rows = found(*states(None, 2, 2))
    assert rows["row_id"].tolist() == ["s2"]
    assert rows["received_at"].tolist() == [pd.Timestamp("2026-03-09T12:00", tz="UTC")]
    assert rows[["age_days", "list"]].to_numpy().tolist() == [[7, NEW]]
    assert found(*states(None, 2, 2, 2))["age_days"].tolist() == [7]
    changed = found(*states(1, 1, 2))
    assert changed[["age_days", "list"]].to_numpy().tolist() == [[14, OLD]]
    other = [one | {"row_id": f"o{n}", "response_id": None} for n, one in enumerate(states(2, 2)[:1])]
    alone = found(*other, form("later", WEEKS[1], 2, response_id="y"))
    assert alone["received_at"].dt.day.tolist() == [9, 2]


def test_a_form_that_is_finished_on_a_later_day_was_new_when_it_became_visible():
    rows = found(*states(2, 2, administered_on=WEEKS[1]))
    assert rows[["age_days", "list"]].to_numpy().tolist() == [[0, NEW]]


# ---- the table ----------------------------------------------------------------------------------------------------------


def test_the_table_is_as_declared_and_its_key_is_unique():
    forms = [form(f"r{n}", day, definition=BSI, bsi_09=2, bsi_39=3, bsi_40=4) for n, day in enumerate(WEEKS)]
    rows = found(*forms, definition=BSI)
    pd.testing.assert_frame_equal(rows, ALERTS.conform(rows))
    assert not rows.duplicated(list(ALERTS.key)).any()
    assert len(rows) == 12
    assert rows[[c.name for c in ALERTS.columns if c.is_required]].notna().all(axis=None)
    assert ALERTS.is_person_level
    assert not ALERTS.tells_its_size


def test_the_frames_that_are_given_are_left_as_they_were():
    items, findings = table(form("a", WEEKS[0], 2)), findings_table("phq9").empty()
    before = items.copy(deep=True)
    alerts({"phq9": items}, {"phq9": findings}, definitions={"phq9": PHQ9}, timezone="UTC")
    pd.testing.assert_frame_equal(items, before)


def test_every_list_has_words_and_the_sentence_is_there_in_both_languages():
    assert list(LISTS) == [NEW, KNOWN, OLD]
    assert NOT_WATCHED["en"] == "This is not watched day and night. No answer here is a safe sign either."
    assert set(NOT_WATCHED) == {"en", "nl"}


def test_a_hundred_thousand_forms_of_one_week_that_arrive_backwards_take_seconds():
    """200 forms of each of 500 patients, typed in from the newest to the oldest: none had arrived before the one after it."""
    n, n_patients = 100_000, 500
    who, visit = np.arange(n) % n_patients, np.arange(n) // n_patients
    frame = {
        "programme_id": "north", "row_id": [f"r{i:06}" for i in range(n)], "delivery_id": "d1", "source_row": 2, "block": 0,
        "patient_id": [f"p_{i}" for i in who], "administered_on": np.datetime64("2026-01-01", "s") + visit // 30 * 86_400,
        "received_at": pd.Timestamp("2026-01-08T12:00", tz="UTC") - pd.to_timedelta(visit, unit="min"), "phq9_09": 2,
        "submitted_at": pd.Timestamp("2025-12-01", tz="UTC") + pd.to_timedelta(visit, unit="h"),
        **{f"phq9_0{i + 1}": visit // 4**i % 4 for i in range(4)},  # no two forms of a patient are equal
    }  # fmt: skip
    items = items_table(PHQ9).conform(pd.DataFrame(frame))
    began = time.monotonic()
    rows = alerts({"phq9": items}, {"phq9": findings_table("phq9").empty()}, definitions={"phq9": PHQ9}, timezone="UTC")
    assert time.monotonic() - began < 20
    assert len(rows) == n
    assert set(rows["list"]) == {NEW}
