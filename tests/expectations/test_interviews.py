"""Interviews and counts: who held them, whether that person knew the treatment, and counts that are worth a second look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from expectations.items import validate_items
from mbt_rom.acceptance import dispositions
from mbt_rom.registry import instrument
from mbt_rom.tables import items_table

AS_OF = date(2024, 6, 1)
SSHI = instrument("sshi")
Forms = Callable[..., pd.DataFrame]


@pytest.fixture
def interviews(forms: Forms) -> Forms:
    """`interviews({...})`: an items table of the SSHI; each form 1 suicidal act, 2 self-harm acts, all of it stated."""

    def make(*changes: dict[str, object]) -> pd.DataFrame:
        base = forms(*({} for _ in changes))
        base = base[[c for c in base.columns if not c.startswith("phq9")]].dropna(axis=1, how="all")
        answers = {"sshi_suicidal_acts": 1, "sshi_self_harm_acts": 2, "interviewer": "t_1", "is_blind": True}
        rows = [{**row, **answers, **change} for row, change in zip(base.to_dict("records"), changes, strict=True)]
        return items_table(SSHI).conform(pd.DataFrame(rows))

    return make


def judged(rows: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    return validate_items(SSHI, rows, patients=patients, as_of=AS_OF)


def told(found: pd.DataFrame) -> list[tuple[str, ...]]:
    columns = ["delivery_id", "row_id", "item", "rule", "severity", "detail"]
    return [tuple(row) for row in found[columns].fillna("").to_numpy()]


def test_interviews_that_say_it_all_have_no_finding(interviews: Forms, patients: pd.DataFrame) -> None:
    assert judged(interviews({}, {"is_blind": False}), patients).empty


def test_one_interview_among_others_is_named(interviews: Forms, patients: pd.DataFrame) -> None:
    rows = interviews({}, {"interviewer": None}, {"is_blind": None}, {"interviewer": None, "is_blind": None})
    assert told(judged(rows, patients)) == [
        ("d1", row, item, "interviewer_not_stated", "notice", "")
        for row, item in (("r1", "interviewer"), ("r2", "is_blind"), ("r3", "interviewer"), ("r3", "is_blind"))
    ]


def test_a_delivery_that_says_it_nowhere_has_one_notice(interviews: Forms, patients: pd.DataFrame) -> None:
    other = {"delivery_id": "d2", "received_at": pd.Timestamp("2024-05-01", tz="UTC"), "is_blind": None}
    rows = interviews({"interviewer": None}, {"interviewer": None}, other)
    assert told(judged(rows, patients)) == [
        ("d1", "", "interviewer", "interviewer_not_stated", "notice", "in none of 2 interviews"),
        ("d2", "r2", "is_blind", "interviewer_not_stated", "notice", ""),
    ]


def test_where_nobody_says_it_there_is_nothing_else(interviews: Forms, patients: pd.DataFrame) -> None:
    rows = interviews({"interviewer": None, "is_blind": None}, {"interviewer": None, "is_blind": None})
    assert told(judged(rows, patients)) == [
        ("d1", "", item, "interviewer_not_stated", "notice", "in none of 2 interviews")
        for item in ("interviewer", "is_blind")
    ]
    assert judged(rows, patients)["programme_id"].notna().all()


def test_an_interview_without_answers_and_a_questionnaire_need_no_interviewer(
    interviews: Forms, forms: Forms, patients: pd.DataFrame
) -> None:
    nothing = {"sshi_suicidal_acts": None, "sshi_self_harm_acts": None, "interviewer": None}
    assert [rule for *_, rule, _, _ in told(judged(interviews(nothing), patients))] == ["form_empty"]
    assert validate_items(instrument("phq9"), forms({}, {}), patients=patients, as_of=AS_OF).empty


@pytest.mark.parametrize(("count", "is_told"), [(183, False), (184, True), (32_767, True)])
def test_a_count_that_is_unusually_high_counts_all_the_same(
    interviews: Forms, patients: pd.DataFrame, count: int, is_told: bool
) -> None:
    """The SSHI asks for six months: 183 is one a day."""
    rows = interviews({}, {"sshi_self_harm_acts": count})
    found = judged(rows, patients)
    wanted = ("d1", "r1", "sshi_self_harm_acts", "count_unusually_high", "notice", "usually 183 at most")
    assert told(found) == ([wanted] if is_told else [])
    assert dispositions(rows, found).tolist() == ["accepted", "accepted"]


def test_a_negative_count_is_out_of_range(interviews: Forms, patients: pd.DataFrame) -> None:
    rows = interviews({}, {"sshi_self_harm_acts": -1}, {"sshi_suicidal_acts": 500})
    assert [(row, rule, detail) for _, row, _, rule, _, detail in told(judged(rows, patients))] == [
        ("r1", "answer_out_of_range", "0 or more"),
        ("r2", "count_unusually_high", "usually 183 at most"),
    ]


def test_counts_make_a_form_as_answers_do(interviews: Forms, patients: pd.DataFrame) -> None:
    """Two interviews of one patient and day that differ only in a count contradict each other; equal ones are one."""
    same, other = {"patient_id": "p_0"}, {"patient_id": "p_0", "sshi_self_harm_acts": 300}
    assert set(judged(interviews(same, other), patients)["rule"]) == {"same_day_conflict", "count_unusually_high"}
    rows = interviews(same, same)
    assert dispositions(rows, judged(rows, patients)).tolist() == ["accepted", "duplicate"]
