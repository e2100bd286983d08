"""People, and which of their forms came: what is missing must not be missing at random."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

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
    assert (episodes["referred_on"] < episodes["started_on"]).all()
    assert (episodes["ended_on"].dropna() > episodes.loc[episodes["ended_on"].notna(), "started_on"]).all()
    assert (episodes["ended_on"].dropna() <= today).all()
    assert episodes["ended_on"].isna().equals(episodes["end_reason"].isna())
    age = (today - episodes["started_on"]).dt.days
    assert age.min() >= 10
    assert 3.5 * 365 < age.max() <= 4 * 365 + 3


def test_ages_fit_the_programme(made):
    people = made.truth["patients"].merge(made.truth["episodes"], on=["programme_id", "number"])
    age = people["started_on"].dt.year - people["birth_year"]
    is_adolescent = people["programme_id"] == "linge"
    assert age[is_adolescent].between(14, 17).all()
    assert age[~is_adolescent].between(18, 54).all()


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
    assert ((merged["administered_on"] - merged["due_on"]).dt.days > 14).all()


def test_weekly_forms_are_phq9_of_the_first_twelve_weeks_in_two_programmes(made):
    weekly = (
        made.truth["forms"].query("moment == 'weekly'").merge(made.truth["episodes"], on=["programme_id", "number"])
    )
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
