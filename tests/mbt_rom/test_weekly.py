"""Weeks of a weekly series, counted on the fingers."""

from datetime import date

import pandas as pd
import pytest

from mbt_rom import eligibility
from mbt_rom.settings import Consortium
from mbt_rom.tables import EPISODES, EXPECTED
from mbt_rom.weekly import weekly


def settings(**programme):
    of = {"name": "A", "issuer": "h", "instruments": ["bsi", "phq9"], "weekly": ["phq9"], **programme}
    return Consortium.model_validate({"name": "x", "issuers": {"h": {}}, "programmes": {"a": of}})


def counted(*days, as_of=date(2024, 7, 29), ended=None, ends=None, **programme):
    """Monday 1 July 2024 is the first main session; `days` of July have a form."""
    dates = {"started_on": pd.Timestamp("2024-07-01"), "ended_on": pd.Timestamp(ended) if ended else pd.NaT}
    of = EPISODES.conform(
        pd.DataFrame(
            [{"programme_id": "a", "episode_id": "e1", "patient_id": "p1", **dates, "row_id": "r", "delivery_id": "d"}]
        )
    )
    rows = EXPECTED.conform(
        pd.DataFrame(
            {
                "programme_id": "a",
                "patient_id": "p1",
                "episode_id": "e1",
                "instrument": "phq9",
                "moment": "unscheduled",
                "status": "weekly",
                "row_id": [f"r{k}" for k in range(len(days))],
                "administered_on": pd.to_datetime([f"2024-07-{day:02d}" for day in days]).astype("datetime64[s]"),
            }
        )
    )
    known = eligibility.ends(of, as_of=as_of) if ends is None else ends
    (row,) = weekly(rows, of, settings=settings(**programme), as_of=as_of, ends=known).itertuples()
    last = None if pd.isna(row.last_answered_on) else row.last_answered_on.day
    return row.n_weeks_due, row.n_weeks_answered, row.n_weeks_closed, last


def test_a_week_is_due_once_it_is_over_and_two_forms_answer_it_once():
    """On Monday the 29th four weeks are over; the forms lie in the first week (two) and in the third."""
    assert counted(1, 7, 15) == (4, 2, 0, 15)
    assert counted(1, 7, 15, as_of=date(2024, 7, 28)) == (3, 2, 0, 15)


def test_a_week_whose_working_days_were_all_closed_is_a_gap():
    closures = [{"from": "2024-07-08", "until": "2024-07-12"}, {"from": "2024-07-16", "until": "2024-07-21"}]
    assert counted(1, 9, closures=closures) == (3, 1, 1, 9)


@pytest.mark.parametrize(("ended", "weeks"), [("2024-07-14", 2), ("2024-07-13", 1), ("2024-12-31", 4)])
def test_the_series_ends_with_the_treatment(ended, weeks):
    assert counted(ended=ended)[0] == weeks


def test_nothing_is_due_after_a_withdrawal_and_a_form_outside_the_series_is_none_of_it():
    rows = {"programme_id": ["a"], "patient_id": ["p1"], "ended_on": [pd.Timestamp("2024-07-09")], "why": ["withdrew"]}
    gone = pd.DataFrame(rows).astype({"ended_on": "datetime64[s]"})
    assert counted(3, 22, ends=gone) == (1, 1, 0, 3)
