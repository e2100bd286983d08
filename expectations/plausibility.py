"""What fits together: episodes, plan, forms of one patient, and a delivery beside those before it.

Belongs here: the suites about facts of several tables, and `validate_plausibility`. Does not belong here: the facts
(`mbt_rom.plausibility`). Every rule here is a notice: these findings set nothing aside.
"""

from __future__ import annotations

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations.context import failures
from mbt_rom import drift, plausibility
from mbt_rom.findings import as_findings, combined
from mbt_rom.plausibility import LARGEST_SWING, LONGEST_SITTING_DAYS, PLACE, SWING_DAYS, Known

SOURCE = "plausibility"
_DELIVERY = ["programme_id", "delivery_id"]


def episode_suite() -> list[Expectation]:
    """The rules about treatment episodes."""
    return [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="started_on",
            column_B="referred_on",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            meta={"rule": "treatment_before_intake"},
        ),
        gxe.ExpectColumnValuesToBeBetween(column="n_unfinished", max_value=0, meta={"rule": "episodes_overlap"}),
        gxe.ExpectColumnValuesToBeInSet(
            column="therapist", value_set=["allocated"], meta={"rule": "therapist_not_allocated"}
        ),
    ]


def attendance_suite() -> list[Expectation]:
    """The rule about contacts that were offered: absence beyond what the programme lets pass."""
    return [
        gxe.ExpectColumnValuesToBeInSet(
            column="attends", value_set=["enough"], meta={"rule": "review_after_nonattendance"}
        )
    ]


def plan_suite() -> list[Expectation]:
    """The rule about instruments: the programme plans to use what it delivers."""
    return [
        gxe.ExpectColumnValuesToBeInSet(column="plans", value_set=["planned"], meta={"rule": "instrument_not_planned"})
    ]


def interval_suite() -> list[Expectation]:
    """The rule about forms that may be filled in every so many days."""
    return [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="days_since",
            column_B="fewest_days",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            meta={"rule": "weekly_more_than_once"},
        )
    ]


def swing_suite() -> list[Expectation]:
    """The rule about changes between forms that follow each other closely."""
    return [
        gxe.ExpectColumnValuesToBeBetween(column="swing", max_value=LARGEST_SWING, meta={"rule": "change_implausible"})
    ]


def sitting_suite() -> list[Expectation]:
    """The rule about forms that answer one moment."""
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="days_apart", max_value=LONGEST_SITTING_DAYS, meta={"rule": "forms_far_apart"}
        )
    ]


def number_suite() -> list[Expectation]:
    """The rule about forms that fit no moment of their patient."""
    return [
        gxe.ExpectColumnValuesToBeInSet(column="number", value_set=["stays"], meta={"rule": "number_one_digit_away"})
    ]


def drift_suite() -> list[Expectation]:
    """The rules about a delivery beside those before it."""
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="p_value", min_value=drift.ALPHA, strict_min=True, meta={"rule": "answers_drifted"}
        ),
        gxe.ExpectColumnValuesToBeBetween(column="gain", max_value=drift.SWAP_GAIN, meta={"rule": "items_swapped"}),
    ]


def validate_plausibility(known: Known) -> pd.DataFrame:
    """Everything that does not fit together, as the findings table of `plausibility`. No finding holds an answer or a number."""
    forms = known.forms
    found = [
        _episodes(known),
        _absent(plausibility.absence_facts(known)),
        _planned(plausibility.plan_facts(forms, known.settings)),
        _forms(plausibility.interval_facts(forms, known.definitions), interval_suite()),
        _swings(forms, plausibility.swing_facts(known.trajectories, known.definitions)),
        _sittings(forms, plausibility.sitting_facts(known.expected)),
        _forms(plausibility.stray_forms(known), number_suite()),
        _drift(plausibility.drift_facts(known)),
    ]
    return combined([as_findings(f, source=SOURCE) for f in found], source=SOURCE)


def _broken(facts: pd.DataFrame, suite: list[Expectation]) -> pd.DataFrame:
    """The facts that break a rule, with the rule; a fact that breaks two stands twice."""
    numbered = facts.reset_index(drop=True).rename_axis("at").reset_index()
    found = failures(numbered, suite, index_columns=["at"])
    at = found["at"].astype("int64")
    return numbered.iloc[at].reset_index(drop=True).assign(rule=found["rule"].array)


def _episodes(known: Known) -> pd.DataFrame:
    columns = {
        "treatment_before_intake": "started_on",
        "episodes_overlap": "started_on",
        "therapist_not_allocated": "therapist_id",
    }
    rows = _broken(plausibility.episode_facts(known.episodes, known.therapists), episode_suite())
    why = rows["therapist"].map({"unknown": "not in the register", "not_in_service": "not in service at the start"})
    detail = why.where(rows["rule"] == "therapist_not_allocated").astype("str")
    place = ["programme_id", "delivery_id", "row_id", "source_row"]
    return rows[[*place, "rule"]].assign(item=rows["rule"].map(columns).astype("str"), detail=detail)


def _absent(facts: pd.DataFrame) -> pd.DataFrame:
    rows = _broken(facts, attendance_suite())
    return rows[["programme_id", "delivery_id", "row_id", "source_row", "rule"]].assign(item="attendance")


def _planned(facts: pd.DataFrame) -> pd.DataFrame:
    rows = _broken(facts, plan_suite())
    return rows[[*_DELIVERY, "rule"]].assign(item=rows["instrument"], detail=_counted(rows, "{} forms", "n_forms"))


def _counted(rows: pd.DataFrame, words: str, *columns: str) -> pd.Series:
    told = [words.format(*counts) for counts in rows[list(columns)].itertuples(index=False, name=None)]
    return pd.Series(told, index=rows.index, dtype="str")


def _forms(facts: pd.DataFrame, suite: list[Expectation]) -> pd.DataFrame:
    rows = _broken(facts, suite)
    return rows[[*PLACE, "rule"]].assign(item=rows["instrument"])


def _swings(forms: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    rows = _broken(facts, swing_suite()).drop(columns=["at", "swing"])
    placed = rows.merge(forms[[*PLACE, "instrument"]], on=["programme_id", "instrument", "row_id"], how="inner")
    detail = f"more than {LARGEST_SWING:.0%} of the scale within {SWING_DAYS} days"
    return placed[[*PLACE, "rule"]].assign(item=placed["instrument"] + " " + placed["scale"], detail=detail)


def _sittings(forms: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    rows = _broken(facts, sitting_suite()).drop(columns=["at"])
    placed = rows.merge(forms[[*PLACE, "instrument"]], on=["programme_id", "instrument", "row_id"], how="inner")
    told = _counted(placed, "{}: {} days after the first form", "moment", "days_apart")
    return placed[[*PLACE, "rule"]].assign(item=placed["instrument"], detail=told)


def _drift(facts: pd.DataFrame) -> pd.DataFrame:
    rows = _broken(facts, drift_suite())
    compared = _counted(rows, "{} new patients beside {} before", "n_new", "n_past")
    detail = compared.where(rows["rule"] == "answers_drifted", rows["swapped"])
    return rows[[*_DELIVERY, "rule"]].assign(item=rows["instrument"], detail=detail.astype("str"))
