"""A therapist leaves, or goes on holiday: what is left to hand over, and when it is empty."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from mbt_rom.handover import Handover, is_known, still_to_hand_over

DAY = date(2026, 6, 15)
SITTINGS = pd.DataFrame(
    [("alpha", "p_1", "t_1", None), ("alpha", "p_2", "t_1", "t_9"), ("alpha", "p_3", "t_2", None)],
    columns=["programme_id", "patient_id", "staff_id", "deputy_id"],
)


def allocations(*rows: tuple[str, str, str, str | None, str, str | None]) -> pd.DataFrame:
    names = ["patient_id", "staff_id", "function", "deputy_id", "from_on", "until_on"]
    frame = pd.DataFrame(list(rows), columns=names).assign(programme_id="alpha")
    return frame.astype({"from_on": "datetime64[s]", "until_on": "datetime64[s]", "deputy_id": "str"})


def staff(*rows: tuple[str, str, str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["staff_id", "function", "until_on", "deputy_id"]).assign(
        programme_id="alpha"
    )
    frame = frame.assign(from_on="2020-01-01")
    return frame.astype({"from_on": "datetime64[s]", "until_on": "datetime64[s]", "deputy_id": "str"})


MINE = ("p_1", "t_1", "individual", None, "2026-01-01", None)
THERAPIST = staff(("t_1", "individual", None, None), ("t_2", "individual", None, None))


def left(rows: pd.DataFrame, people: pd.DataFrame = THERAPIST, *, is_only_away: bool = False, asked=None) -> Handover:
    sittings = SITTINGS.iloc[:0] if asked is None else asked
    return still_to_hand_over(
        "t_1", allocations=rows, staff=people, sittings=sittings, day=DAY, is_only_away=is_only_away
    )


ENDING = ("p_1", "t_1", "individual", None, "2026-01-01", "2026-06-30")


@pytest.mark.parametrize(
    ("rows", "n"),
    [
        ([MINE], 1),
        ([ENDING], 1),  # an end, and nobody after it
        ([ENDING, ("p_1", "t_2", "individual", None, "2026-07-01", None)], 0),
        ([ENDING, ("p_1", "t_2", "individual", None, "2026-06-01", None)], 0),  # has the patient already
        ([ENDING, ("p_1", "t_2", "individual", None, "2026-07-06", None)], 1),  # five days with nobody
        ([ENDING, ("p_1", "t_2", "group", None, "2026-07-01", None)], 1),  # not that function
        ([ENDING, ("p_2", "t_2", "individual", None, "2026-07-01", None)], 1),  # not that patient
        ([MINE, ("p_1", "t_2", "individual", None, "2026-01-01", None)], 1),  # no end stated
        ([("p_1", "t_1", "individual", "t_2", "2026-01-01", None)], 1),  # a deputy is no successor
        ([("p_1", "t_1", "individual", None, "2026-01-01", "2026-06-14")], 0),  # over
        ([("p_1", "t_1", "individual", None, "2026-07-01", None)], 1),  # begins when the person is gone
    ],
)
def test_a_patient_is_handed_over_when_somebody_with_the_same_function_has_the_day_after(rows, n: int) -> None:
    found = left(allocations(*rows))
    assert len(found.patients) == n
    assert found.is_empty == (n == 0)


@pytest.mark.parametrize(
    ("rows", "people", "n"),
    [
        ([MINE], THERAPIST, 1),
        ([("p_1", "t_1", "individual", "t_2", "2026-01-01", None)], THERAPIST, 0),
        ([MINE], staff(("t_1", "individual", None, "t_2")), 0),  # the deputy stated with the person
        (
            [MINE],
            staff(("t_1", "individual", None, "t_2"), ("t_2", "individual", "2026-05-31", None)),
            1,
        ),  # who has left
        ([("p_1", "t_1", "individual", None, "2026-07-01", None)], THERAPIST, 0),  # the person is back by then
    ],
)
def test_on_holiday_a_deputy_is_enough(rows, people, n: int) -> None:
    assert len(left(allocations(*rows), people, is_only_away=True).patients) == n


def test_sittings_of_these_patients_that_nobody_else_asks_for() -> None:
    rows = [
        MINE,
        ("p_2", "t_1", "individual", None, "2026-01-01", None),
        ("p_3", "t_1", "group", None, "2026-01-01", None),
    ]
    assert left(allocations(*rows), asked=SITTINGS).sittings["patient_id"].tolist() == ["p_1"]
    handed_over = [ENDING, ("p_1", "t_2", "individual", None, "2026-07-01", None)]
    assert left(allocations(*handed_over), asked=SITTINGS).is_empty


def test_whoever_leaves_is_nobodys_deputy_any_more() -> None:
    rows = allocations(
        ("p_5", "t_2", "group", "t_1", "2026-01-01", None), ("p_6", "t_2", "group", "t_1", "2026-01-01", None)
    )
    people = staff(("t_1", "individual", None, None), ("t_3", "nurse", None, "t_1"))
    assert left(rows, people).deputises["staff_id"].tolist() == ["t_2", "t_3"]
    assert left(rows, people, is_only_away=True).is_empty


@pytest.mark.parametrize(
    ("people", "n"),
    [
        (staff(("t_1", "research_assistant", None, None)), 1),
        (staff(("t_1", "research_assistant", None, None), ("t_2", "research_assistant", "2026-06-14", None)), 1),
        (staff(("t_1", "research_assistant", None, None), ("t_2", "research_assistant", None, None)), 0),
        (staff(("t_1", "manager", "2026-06-01", None)), 1),  # gone, and nobody since
        (staff(("t_1", "individual", None, None)), 0),  # no findings go with that
    ],
)
def test_what_belongs_to_a_role_needs_somebody_in_it(people: pd.DataFrame, n: int) -> None:
    assert len(left(allocations(), people).roles) == n


def test_who_is_known() -> None:
    rows = allocations(("p_5", "t_2", "group", "t_7", "2026-01-01", None))
    assert [is_known(s, allocations=rows, staff=THERAPIST) for s in ("t_1", "t_2", "t_7", "t_8")] == [
        True,
        True,
        True,
        False,
    ]
