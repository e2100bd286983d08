"""Who answers: which rows are behind the model, when it is not estimated, and the differences. Other software: tests/reference."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from mbt_rom import permissions, registry, responders
from mbt_rom.tables import BALANCE, EPISODES, EXPECTED, PATIENTS, RESPONDERS, TRAJECTORIES

PHQ = {"phq9": registry.instrument("phq9")}
NO_CONTACTS = pd.DataFrame(
    {c: pd.Series(dtype=t) for c, t in {"programme_id": "str", "patient_id": "str", "contact_on": "datetime64[s]",
     "attendance": "str", "row_id": "str", "delivery_id": "str"}.items()}
)  # fmt: skip


def asked(**columns):
    base = {
        "programme_id": "berk",
        "instrument": "phq9",
        "status": "received",
        "moment": "m6",
        "due_on": pd.Timestamp(2024, 8, 1),
    }
    frame = pd.DataFrame(base | columns)
    return EXPECTED.conform(
        frame.assign(episode_id="e_" + frame["patient_id"], due_on=frame["due_on"].astype("datetime64[s]"))
    )


def scores(**by_patient):
    frame = pd.DataFrame({"patient_id": pd.Series(list(by_patient), dtype="str"), "score": list(by_patient.values())})
    return TRAJECTORIES.conform(frame.assign(
        programme_id="berk", episode_id="e_" + frame["patient_id"], row_id="r", instrument="phq9", moment="baseline",
        scale=PHQ["phq9"].primary.id, is_provisional=False,
    ))  # fmt: skip


def episodes(ended_on, reason, patient="p"):
    frame = pd.DataFrame({"patient_id": [patient], "ended_on": pd.to_datetime([ended_on]).astype("datetime64[s]")})
    return EPISODES.conform(
        frame.assign(programme_id="berk", episode_id="e_" + patient, end_reason=reason, row_id="r", delivery_id="d")
    )


def permitting(patients):
    """These adults of one programme permit that models are fitted on their data."""
    given = pd.DataFrame(
        {"patient_id": patients, "purpose": "model_fitting", "given_by": "patient", "from_on": "2020-01-01"}
    )
    given = given.assign(programme_id="berk", until_on=pd.NaT).astype(
        dict.fromkeys(("from_on", "until_on"), "datetime64[s]")
    )
    known = pd.DataFrame({"programme_id": "berk", "patient_id": patients, "birth_year": 1990})
    return permissions.holds(given, known, purpose="model_fitting", on=date(2024, 12, 1))


def rows_of(expected, *, baseline=None, ended=None, contacts=NO_CONTACTS, patients=None, refusing=()):
    everybody = [p for p in expected["patient_id"].unique() if p not in refusing]
    return responders.response_rows(
        expected, scores(**(baseline or {})), EPISODES.empty() if ended is None else ended,
        PATIENTS.empty() if patients is None else patients, contacts, permitted=permitting(everybody), definitions=PHQ,
    )  # fmt: skip


def test_there_is_no_row_of_people_who_do_not_permit_model_fitting():
    expected = asked(patient_id=list("abc"), status=["received", "missed", "received"])
    assert rows_of(expected, refusing="b")["patient_id"].tolist() == ["a", "c"]


def test_the_severity_of_others_does_not_rest_on_people_who_do_not_permit_model_fitting():
    """Scores 10, 14, 18 have mean 14 and SD 4; with the 30 of who refuses they would have 18 and 8.64."""
    expected = asked(patient_id=list("abcd"))
    found = rows_of(expected, baseline={"a": 10.0, "b": 14.0, "c": 18.0, "d": 30.0}, refusing="d")
    assert found["baseline_severity"].tolist() == [-1.0, 0.0, 1.0]


def test_rows_are_the_forms_that_should_have_come_after_the_start():
    expected = asked(patient_id=list("abcdef"), status=["received", "missed", "open", "died", "received", "unscheduled"],
                     moment=["m6", "m6", "m6", "m6", "baseline", "unscheduled"])  # fmt: skip
    found = rows_of(expected)
    assert found[["patient_id", "is_received", "years_since_start"]].values.tolist() == [["a", 1, 0.5], ["b", 0, 0.5]]


def test_severity_is_in_sds_of_the_programmes_baselines():
    found = rows_of(asked(patient_id=["a", "b", "c"]), baseline={"a": 10.0, "b": 20.0})
    # mean 15, SD 7.0711
    assert found["baseline_severity"].tolist() == pytest.approx([-0.70711, 0.70711, np.nan], abs=1e-5, nan_ok=True)


@pytest.mark.parametrize(
    ("ended_on", "reason", "left"),
    [
        ("2024-07-31", "dropped_out", 1),
        ("2024-07-31", "completed", 1),
        ("2024-08-01", "dropped_out", 0),
        ("2024-07-31", "died", 0),
    ],
)
def test_who_left_before_the_moment_was_due_had_left(ended_on, reason, left):
    assert rows_of(asked(patient_id=["p"]), ended=episodes(ended_on, reason))["left_treatment"].tolist() == [left]


def test_attendance_of_who_left_is_that_of_the_last_months_in_treatment():
    days = pd.to_datetime(["2024-03-04", "2024-03-11"]).astype("datetime64[s]")
    came = pd.DataFrame({"programme_id": "berk", "patient_id": "p", "contact_on": days, "attendance": ["attended", "no_show"],
                         "row_id": "r", "delivery_id": "d"})  # fmt: skip
    stayed = rows_of(asked(patient_id=["p"]), contacts=came)
    left = rows_of(asked(patient_id=["p"]), contacts=came, ended=episodes("2024-03-12", "dropped_out"))
    assert (stayed["attendance"].isna().item(), left["attendance"].item()) == (True, 0.5)


def model_rows(n, *, seed=0, separated=False):
    rng = np.random.default_rng(seed)
    severity = rng.normal(size=n)
    chance = 1 / (1 + np.exp(-(1 - 0.8 * severity)))
    came = severity < 0 if separated else rng.uniform(size=n) < chance
    return pd.DataFrame({
        "programme_id": "berk", "instrument": "phq9", "moment": "m6", "patient_id": [f"p{i // 2}" for i in range(n)],
        "is_received": came.astype(int), "baseline_severity": severity, "attendance": np.nan,
        "left_treatment": (rng.uniform(size=n) < 0.3).astype(float), "years_since_start": np.where(np.arange(n) % 2, 1.0, 0.5),
        "age": 30.0, "is_female": np.nan,
    })  # fmt: skip


def test_a_term_of_which_nothing_is_known_is_left_out_and_named():
    found = responders.responders(model_rows(400)).set_index("term")
    assert found["reason"].to_dict()["attendance"] == "no_data"
    assert found.drop(index="attendance")["coefficient"].notna().all()
    severity = found.loc["baseline_severity"]
    assert severity["lower_95"] < -0.8 < severity["upper_95"]
    assert severity["upper_95"] < 0
    assert severity["n_patients"] == 200


def test_a_term_that_is_mostly_unknown_is_left_out_and_not_the_forms():
    rows = model_rows(400)
    rows.loc[:99, "attendance"] = np.linspace(0, 1, 100)
    found = responders.responders(rows).set_index("term")
    assert found.loc["attendance", "reason"] == "mostly_unknown"
    assert set(found["n_left_out"]) == {0}
    assert (
        responders.responders(rows.assign(left_treatment=1.0)).set_index("term").loc["left_treatment", "reason"]
        == "no_spread"
    )


def test_too_few_missed_forms_or_a_term_that_tells_all_apart_give_no_estimate():
    few = responders.responders(model_rows(60)).set_index("term")["reason"]
    apart = responders.responders(model_rows(400, separated=True)).set_index("term")["reason"]
    assert (few["intercept"], apart["baseline_severity"], apart["attendance"]) == (
        "too_few_events",
        "separation",
        "no_data",
    )


def test_what_is_not_known_of_a_row_leaves_it_out_and_counts_it():
    rows = model_rows(400)
    rows.loc[:9, "baseline_severity"] = np.nan
    assert set(responders.responders(rows)["n_left_out"]) == {10}


def test_standardised_differences_by_hand():
    # means 3 and 5, both variances 2.5: -2 / 1.5811
    assert responders.standardised_difference([1, 2, 3, 4, 5], [3, 4, 5, 6, 7], is_share=False) == pytest.approx(
        -1.26491, abs=1e-5
    )
    # shares 0.6 and 0.2: 0.4 / sqrt((0.24 + 0.16) / 2)
    assert responders.standardised_difference([1, 1, 1, 0, 0], [1, 0, 0, 0, 0], is_share=True) == pytest.approx(
        0.894427, abs=1e-6
    )


def test_balance_names_why_there_is_no_difference():
    rows = model_rows(400)
    rows.loc[rows["is_received"] == 0, "age"] = np.nan
    found = responders.balance(rows).set_index("variable")
    assert found["reason"].fillna("").to_dict() == {
        "baseline_severity": "", "left_treatment": "", "attendance": "no_data", "is_female": "no_data", "age": "too_few_persons",
    }  # fmt: skip
    assert found.loc["baseline_severity", "difference"] < 0
    assert found.loc["baseline_severity", ["n_responders", "n_others"]].sum() == 400


def test_nothing_gives_empty_tables():
    rows = rows_of(EXPECTED.empty())
    assert responders.responders(rows).equals(RESPONDERS.empty())
    assert responders.balance(rows).equals(BALANCE.empty())
