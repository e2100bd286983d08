"""Who is due: states, working days, order and minutes, counted on a calendar by hand.

November 2026: the 25th is a Wednesday. December 2026: the 25th is a Friday; 2027 begins on a Friday.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from mbt_rom import due, eligibility, stops
from mbt_rom.registry import instruments
from mbt_rom.settings import parse_settings
from mbt_rom.tables import EPISODES, EXPECTED

AS_OF = date(2026, 11, 25)
SETTINGS = parse_settings("""
name: Two
issuers: {north: {}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9, bsi]}
  closed:
    {name: Closed, issuer: north, instruments: [phq9], closures: [{from: 2026-12-21, until: 2027-01-01}]}
""")
KNOWN = instruments()
NO_STOPS = stops.stops({}, programme="alpha", people={})
OPEN, CLOSE = "2026-10-06", "2027-01-04"


def form(patient="p_1", instrument="phq9", moment="m6", due_on="2026-11-20", **more):
    row = {"programme_id": "alpha", "patient_id": patient, "episode_id": f"e_{patient}", "instrument": instrument}
    row |= {"moment": moment, "requirement": "required", "status": "open"}
    return row | {"opens_on": OPEN, "due_on": due_on, "closes_on": CLOSE} | more


def listed(*forms, episodes=(), stopped=NO_STOPS, as_of=AS_OF, **more) -> pd.DataFrame:
    known = EPISODES.conform(pd.DataFrame(episodes)) if episodes else EPISODES.empty()
    ends = eligibility.ends(known, as_of=as_of)
    rows = EXPECTED.conform(pd.DataFrame(forms))
    return due.sittings(
        rows, known, stops=stopped, ends=ends, definitions=KNOWN, settings=SETTINGS, as_of=as_of, **more
    )


def test_all_forms_of_one_moment_of_one_patient_are_one_sitting() -> None:
    found = listed(form(), form(instrument="bsi", status="to_be_finished"), form(moment="m12", opens_on="2026-11-01"))
    assert found["moment"].tolist() == ["m12", "m6"]
    sitting = found[found["moment"] == "m6"].iloc[0]
    assert (sitting["instruments"], sitting["to_be_finished"], sitting["mode"]) == ("BSI, PHQ-9", "BSI", "self_report")


@pytest.mark.parametrize(
    ("due_on", "closes_on", "state"),
    [
        ("2026-11-25", CLOSE, "due"),  # today
        ("2026-12-04", CLOSE, "due"),
        ("2026-11-24", CLOSE, "overdue"),
        ("2026-11-20", "2026-12-09", "closing_soon"),  # ten working days left
        ("2026-11-20", "2026-12-10", "overdue"),  # eleven
        ("2026-11-20", "2026-11-25", "closing_soon"),  # the last day
    ],
)
def test_the_state_of_an_open_window(due_on: str, closes_on: str, state: str) -> None:
    assert listed(form(due_on=due_on, closes_on=closes_on))["state"].tolist() == [state]


@pytest.mark.parametrize(
    "more",
    [
        {"status": "received"},
        {"status": "unscheduled"},
        {"status": "weekly"},
        {"closes_on": "2026-11-24", "status": "missed"},
        {"opens_on": "2026-11-26", "due_on": "2026-12-20", "status": "not_yet_due"},
    ],
)
def test_what_is_answered_closed_or_ahead_is_not_on_the_list(more: dict[str, str]) -> None:
    assert listed(form(**more)).empty


@pytest.mark.parametrize("status", ["died", "withdrawn"])
def test_whoever_died_or_withdrew_is_asked_for_nothing_of_any_moment(status: str) -> None:
    later = form(moment="m12", due_on="2027-05-20", status=status)
    assert listed(form(), later).empty
    assert listed(form(), later | {"patient_id": "p_2"})["patient_id"].tolist() == ["p_1"]


def test_a_death_in_the_register_counts_though_a_window_was_open_before_it() -> None:
    died = {"programme_id": "alpha", "patient_id": "p_1", "episode_id": "e_other", "end_reason": "died"}
    died |= {"row_id": "r", "delivery_id": "d", "ended_on": "2026-11-23"}
    assert listed(form(status="missed"), episodes=[died]).empty


def test_leaving_treatment_ends_nothing() -> None:
    left = {"programme_id": "alpha", "patient_id": "p_1", "episode_id": "e_p_1", "end_reason": "dropped_out"}
    left |= {"row_id": "r", "delivery_id": "d", "ended_on": "2026-09-01"}
    assert listed(form(), episodes=[left])["has_left"].tolist() == [True]
    assert listed(form(), episodes=[left | {"ended_on": None}])["has_left"].tolist() == [False]


# ---- working days --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("programme", "closes_on", "last_on", "days_left"),
    [
        ("alpha", "2026-11-27", "2026-11-27", 2),  # Friday: Thursday and Friday
        ("alpha", "2026-11-29", "2026-11-27", 2),  # Sunday: chased by Friday
        ("alpha", "2026-12-28", "2026-12-28", 23),
        ("closed", "2026-12-28", "2026-12-18", 17),  # a window that closes while the programme is closed
        ("closed", "2027-01-03", "2026-12-18", 17),  # and the weekend after it
        ("closed", "2027-01-04", "2027-01-04", 18),
    ],
)
def test_last_days_are_working_days_and_days_left_count_them(
    programme: str, closes_on: str, last_on: str, days_left: int
) -> None:
    found = listed(form(programme_id=programme, closes_on=closes_on)).iloc[0]
    assert (str(found["last_on"].date()), found["days_left"]) == (last_on, days_left)


def test_a_due_date_on_a_closed_day_moves_to_the_next_open_one() -> None:
    found = listed(form(programme_id="closed", due_on="2026-12-25", closes_on="2027-02-08"), as_of=date(2026, 12, 28))
    assert (str(found["due_on"].iloc[0].date()), found["state"].iloc[0]) == ("2027-01-04", "due")


def test_days_of_a_closure_make_nothing_older() -> None:
    old = form(programme_id="closed", due_on="2026-12-17", closes_on="2027-02-01")
    days = [date(2026, 12, 18), date(2026, 12, 19), date(2027, 1, 3), date(2027, 1, 4)]
    assert [listed(old, as_of=day)["days_overdue"].iloc[0] for day in days] == [1, 1, 1, 2]


def test_on_a_closed_day_the_next_working_days_are_still_left() -> None:
    """Looked at on Saturday the 28th: Monday and Tuesday are left, and what was due on Friday is no working day too late."""
    found = listed(form(due_on="2026-11-27", closes_on="2026-12-01"), as_of=date(2026, 11, 28)).iloc[0]
    assert (found["days_left"], found["days_overdue"]) == (2, 0)


def test_a_window_that_lies_within_a_closure_keeps_its_own_last_day() -> None:
    days = {"opens_on": "2026-12-22", "due_on": "2026-12-24", "closes_on": "2026-12-30"}
    found = listed(form(programme_id="closed", **days), as_of=date(2026, 12, 23)).iloc[0]
    assert (str(found["last_on"].date()), found["days_left"]) == ("2026-12-30", 0)


# ---- order ---------------------------------------------------------------------------------------------------------------


def test_the_order_is_days_left_then_required_then_baseline() -> None:
    forms = [
        form("p_a", moment="m6", requirement="desired"),
        form("p_b", moment="m6"),
        form("p_c", moment="baseline"),
        form("p_d", moment="m12", requirement="desired", closes_on="2026-11-30"),
        form("p_e", moment="rebaseline", requirement="desired"),
    ]
    assert listed(*forms)["patient_id"].tolist() == ["p_d", "p_c", "p_b", "p_e", "p_a"]
    rng = np.random.default_rng(5)
    for _ in range(5):
        shuffled = [forms[i] for i in rng.permutation(len(forms))]
        pd.testing.assert_frame_equal(listed(*shuffled), listed(*forms))


def test_a_sitting_is_required_where_one_of_its_forms_is() -> None:
    found = listed(form(requirement="desired"), form(instrument="bsi"))
    assert found["requirement"].tolist() == ["required"]


# ---- minutes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "minutes"),
    [
        ("ticp", (9, False)),  # stated
        ("bsi", (8, True)),  # 53 questions
        ("mmpi2rf", (49, True)),  # 338 questions, of which exports hold scores only
        ("scid2", (None, False)),  # an interview
        ("rmet", (None, False)),  # a test
    ],
)
def test_minutes_are_stated_estimated_or_unknown(instrument: str, minutes: tuple[int | None, bool]) -> None:
    assert due.minutes_of(KNOWN[instrument]) == minutes


def test_a_sitting_adds_them_up_and_says_of_what_nobody_knows() -> None:
    found = listed(form(instrument="ticp"), form(instrument="bsi"), form(instrument="scid2")).iloc[0]
    assert (found["minutes"], found["is_estimated"], found["not_stated"]) == (17, True, "SCID-II")
    assert found["mode"] == "both"


def test_the_burden_of_a_moment_counts_answered_forms_too_and_tells_when_it_is_long() -> None:
    forms = [form(instrument=i, status="received") for i in ("mmpi2rf", "bsi", "scid2")] + [form(moment="baseline")]
    table = due.burden(EXPECTED.conform(pd.DataFrame(forms)), KNOWN).set_index("moment")
    assert table.loc["m6", ["n_forms", "minutes", "n_not_stated", "is_long"]].tolist() == [3, 57, 1, False]
    more = [*forms, form(instrument="rfq54", status="missed")]
    table = due.burden(EXPECTED.conform(pd.DataFrame(more)), KNOWN).set_index("moment")
    assert table.loc["m6", ["minutes", "is_long"]].tolist() == [65, True]
    assert not table.loc["baseline", "is_long"]


# ---- who asks ------------------------------------------------------------------------------------------------------------


def _allocated(*rows: tuple[str, str, str | None, str | None, str | None]) -> pd.DataFrame:
    names = ["staff_id", "function", "deputy_id", "from_on", "until_on"]
    frame = pd.DataFrame(list(rows), columns=names).assign(programme_id="alpha", patient_id="p_1")
    return frame.astype({"from_on": "datetime64[s]", "until_on": "datetime64[s]", "deputy_id": "str"})


def _staff(*rows: tuple[str, str | None, str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["staff_id", "from_on", "until_on", "deputy_id"])
    frame = frame.assign(programme_id="alpha", function="individual")
    return frame.astype({"from_on": "datetime64[s]", "until_on": "datetime64[s]", "deputy_id": "str"})


PATIENT = pd.DataFrame({"programme_id": ["alpha"], "patient_id": ["p_1"]}, index=[7])
THERE = ("t_1", "2020-01-01", None, "t_9")
GONE = ("t_1", "2020-01-01", "2026-11-24", "t_9")
DEPUTY_GONE = ("t_5", "2020-01-01", "2026-10-31", None)
USUAL = ("t_1", "individual", None, "2026-01-01", None)


@pytest.mark.parametrize(
    ("allocated", "staff", "asks"),
    [
        ([USUAL], [THERE], ("t_1", None)),
        ([USUAL], [], ("t_1", None)),  # nobody says otherwise
        ([USUAL], [GONE], ("t_1", "t_9")),
        ([("t_1", "individual", "t_5", "2026-01-01", None)], [GONE], ("t_1", "t_5")),
        ([("t_1", "individual", "t_5", "2026-01-01", None)], [GONE, DEPUTY_GONE], ("t_1", "t_9")),  # left as well
        ([USUAL], [GONE, ("t_9", "2020-01-01", "2026-10-31", None)], ("t_1", None)),
        (
            [USUAL, ("t_2", "group", None, "2026-01-01", None)],  # nobody stands in, and somebody else is there
            [GONE, ("t_9", "2020-01-01", "2026-10-31", None)],
            ("t_2", None),
        ),
        ([("t_1", "individual", None, "2026-01-01", "2026-11-24")], [THERE], (None, None)),  # no longer theirs
        ([USUAL, ("t_2", "research_assistant", None, "2026-01-01", None)], [THERE], ("t_2", None)),
        ([USUAL, ("t_2", "individual", None, "2026-06-01", None)], [THERE], ("t_2", None)),  # allocated last
        ([USUAL, ("t_2", "group", None, "2026-01-01", None)], [("t_1", None, "2026-11-01", None)], ("t_2", None)),
    ],
)
def test_who_asks_and_who_does_it_instead(allocated, staff, asks) -> None:
    found = due.askers(PATIENT, _allocated(*allocated), _staff(*staff), as_of=AS_OF)
    told = found.astype(object).where(found.notna(), None)
    assert found.index.tolist() == [7]
    assert tuple(told.iloc[0]) == asks


# ---- calendar ------------------------------------------------------------------------------------------------------------


def test_the_calendar_counts_what_is_due_on_a_day_and_closes_in_its_week() -> None:
    forms = [
        form("p_1", due_on="2026-12-01", closes_on="2026-12-03"),
        form("p_2", due_on="2026-12-01"),
        form("p_3", due_on="2026-11-20", closes_on="2026-12-04"),
        form("p_4", opens_on="2026-12-24", due_on="2027-02-05", closes_on="2027-03-22"),
    ]
    days = due.calendar_days(listed(*forms, ahead_days=90), as_of=AS_OF, n_days=90)
    told = {str(r.on.date()): (r.n_due, r.n_closing, r.n_overdue) for r in days.itertuples()}
    assert told == {
        "2026-11-25": (0, 0, 1),
        "2026-12-01": (2, 2, 0),
        "2026-12-03": (0, 2, 0),
        "2026-12-04": (0, 1, 0),
        "2027-01-04": (0, 1, 0),
        "2027-02-05": (1, 0, 0),
    }
