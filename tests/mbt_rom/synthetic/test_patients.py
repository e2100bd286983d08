"""People, and which of their forms came: what is missing must not be missing at random."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import statsmodels.api as sm

from mbt_rom.synthetic import make_consortium
from mbt_rom.synthetic.patients import people
from mbt_rom.synthetic.plans import plans

AS_OF = date(2026, 11, 22)


def with_latent(made) -> pd.DataFrame:
    """Episodes with the patient's severity."""
    keys = ["programme_id", "number"]
    return made.truth["episodes"].merge(made.truth["latent"][[*keys, "severity"]], on=keys)


def test_drop_outs_were_more_severe_at_the_start():
    large = make_consortium(programmes=4, patients=2000, as_of=AS_OF)
    ended = with_latent(large).dropna(subset=["ended_on"])
    severity = ended.groupby("end_reason")["severity"].mean()
    assert severity["dropped_out"] > severity["completed"] + 0.3
    # 9 % early drop-out (Laurenssen 2018), 32 % within two years (Jorgensen 2013)
    assert 0.10 < (ended["end_reason"] == "dropped_out").mean() < 0.35


def test_dates_of_an_episode_follow_each_other(made):
    episodes = made.truth["episodes"]
    today = pd.Timestamp(AS_OF)
    in_order = [
        "referred_on",
        "first_assessment_on",
        "first_introductory_on",
        "started_on",
        "ended_on",
        "last_followup_on",
    ]
    for before, after in pairwise(in_order):
        both = episodes.dropna(subset=[before, after])
        assert (both[before] < both[after]).all(), after
    assert (episodes["planned_end_on"].dropna() > episodes["started_on"].dropna()).all()
    assert (episodes[["ended_on", "last_followup_on"]].max() <= today).all()
    assert episodes["ended_on"].isna().equals(episodes["end_reason"].isna())
    age = (today - episodes["started_on"].dropna()).dt.days
    assert age.min() >= 10
    assert 3.5 * 365 < age.max() <= 4 * 365 + 3


def test_waits_run_from_weeks_to_a_year(made):
    episodes = made.truth["episodes"]
    wait = (episodes["started_on"] - episodes["referred_on"]).dt.days.dropna()
    assert wait.min() >= 14
    assert 300 < wait.max() <= 370
    assert 0.2 < (wait > 120).mean() < 0.5


def test_some_come_back_and_some_of_them_still_wait(made):
    episodes = made.truth["episodes"].sort_values("episode")
    again = episodes[episodes.duplicated(["programme_id", "number"])]
    assert 10 <= len(again) <= 25
    first = episodes.drop_duplicates(["programme_id", "number"]).set_index(["programme_id", "number"])["ended_on"]
    before = first.reindex(pd.MultiIndex.from_frame(again[["programme_id", "number"]])).to_numpy()
    assert (again["referred_on"].to_numpy() > before).all()
    assert 2 <= again["started_on"].isna().sum() < len(again)
    assert "linge" not in set(again["programme_id"])


def test_some_came_from_another_programme_of_the_hospital_within_sixty_days(made):
    patients, episodes = made.truth["patients"], made.truth["episodes"]
    twice = patients[patients.duplicated(["issuer", "number"], keep=False)]
    assert twice["programme_id"].nunique() >= 3
    for (issuer, number), two in twice.groupby(["issuer", "number"]):
        own = episodes[(episodes["issuer"] == issuer) & (episodes["number"] == number)].sort_values("started_on")
        assert len(two) == 2
        gap = own["started_on"].iloc[1] - own["ended_on"].iloc[0]
        assert 14 <= gap.days <= 60
        assert own["referred_on"].iloc[1] == own["ended_on"].iloc[0]
        assert own["end_reason"].iloc[0] in ("dropped_out", "referred_on")


def test_ages_fit_the_programme(made):
    first = made.truth["episodes"].drop_duplicates(["programme_id", "number"])
    people = made.truth["patients"].merge(first, on=["programme_id", "number"])
    age = people["started_on"].dt.year - people["birth_year"]
    is_adolescent = people["programme_id"] == "linge"
    assert age[is_adolescent].between(14, 17).all()
    assert age[~is_adolescent].between(18, 58).all()


def test_those_who_left_answer_less_but_do_answer():
    large = make_consortium(programmes=3, patients=1500, as_of=AS_OF)
    rows = large.truth["expected"].merge(large.truth["episodes"], on=["programme_id", "number", "episode"])
    rows = rows[(rows["due_on"] > rows["ended_on"]) & rows["status"].isin(["received", "missed"])]
    rows = rows[(rows["programme_id"] != "ijssel") & (rows["instrument"] == "bsi")]
    share = (rows["status"] == "received").groupby(rows["end_reason"]).mean()
    assert share["dropped_out"] < share["completed"] - 0.15
    assert share["dropped_out"] > 0.1


def test_some_forms_are_late_and_fit_no_moment(made):
    forms = made.truth["forms"]
    late = forms[forms["is_late"] & forms["has_date"]]
    assert 0.02 < len(late) / len(forms) < 0.09
    merged = late.merge(made.truth["expected"], on=["programme_id", "number", "instrument", "moment"])
    # the form is late for the moment of one episode; the person's other episode has moments of its own
    assert (
        ((merged["administered_on"] - merged["due_on"]).dt.days.between(15, 90)).groupby(merged["form_id"]).any().all()
    )


def test_weekly_forms_are_phq9_of_the_first_twelve_weeks_in_two_programmes(made):
    first = made.truth["episodes"].drop_duplicates(["programme_id", "number"])
    weekly = made.truth["forms"].query("moment == 'weekly'").merge(first, on=["programme_id", "number"])
    assert set(weekly["instrument"]) == {"phq9"}
    assert set(weekly["programme_id"]) == {"maas", "vecht"}
    assert (weekly["administered_on"] - weekly["started_on"]).dt.days.between(7, 84).all()


def test_the_late_programme_has_registers_and_no_form_of_the_last_ninety_days(made):
    newest = made.truth["forms"].groupby("programme_id")["administered_on"].max()
    silence = (pd.Timestamp(AS_OF) - newest).dt.days
    assert silence["ijssel"] > 90
    assert (silence.drop("ijssel") < 60).all()
    assert "inbox/ijssel/registers.xlsx" in made.files


def test_first_people_are_the_same_whatever_their_number():
    few, many = (people(plans(programmes=1, patients=n)[0], seed=1, as_of=AS_OF) for n in (50, 80))
    columns = ["started_on", "referred_on"]
    assert few.episodes[columns].equals(many.episodes[columns].head(50))
    assert np.array_equal(few.latent["severity"], many.latent["severity"].head(50))


def test_the_sooner_a_form_comes_is_told_by_severity_attendance_and_drop_out():
    """A logistic model of who answered finds the signs and about the size of what the truth says made them answer."""
    made = make_consortium(programmes=2, patients=3000, as_of=AS_OF)
    rows = made.truth["expected"].query("instrument == 'bsi' and moment != 'baseline'")
    rows = rows[rows["status"].isin(["received", "missed"])].drop_duplicates(["programme_id", "number", "moment"])
    rows = rows.merge(made.truth["latent"], on=["programme_id", "number"])
    rows = rows.merge(made.truth["episodes"], on=["programme_id", "number", "episode"])
    dropped = (rows["end_reason"] == "dropped_out") & (rows["ended_on"] < rows["due_on"])
    terms = pd.DataFrame(
        {"severity": rows["severity"], "attendance": rows["attendance"], "dropped_out": dropped.astype(float)}
    )
    found = sm.Logit((rows["status"] == "received").astype(float), sm.add_constant(terms)).fit(disp=0).params
    true = made.truth["response_model"].set_index("term")["coefficient"]
    # what the model does not know (liking for forms, distress of the day) draws the coefficients towards zero
    assert found["severity"] < -0.15
    assert 0.5 * true["attendance"] < found["attendance"] < true["attendance"] + 0.1
    assert true["dropped_out"] - 0.2 < found["dropped_out"] < 0.5 * true["dropped_out"]
