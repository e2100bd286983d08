"""Flow: at any time each case is in exactly one state, and every count adds up, whatever the registers hold."""

from datetime import date, timedelta

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom import flow
from mbt_rom.tables import EPISODES

START = date(2023, 1, 1)
DAY = st.none() | st.integers(0, 1500).map(lambda n: pd.Timestamp(START + timedelta(days=n)))
PEOPLE = st.sampled_from(["p", "q", "r", "s"])
PROGRAMMES = st.sampled_from(["amstel", "berk"])
REASONS = st.sampled_from([None, "completed", "dropped_out", "referred_on", "died"])
EPISODE = st.tuples(PROGRAMMES, PEOPLE, DAY, DAY, DAY, REASONS)
SPELL = st.tuples(PROGRAMMES, PEOPLE, st.sampled_from(["waiting", "introductory", "main", "follow_up"]), DAY, DAY)
REFERRAL = st.tuples(
    PROGRAMMES, PEOPLE, DAY, DAY, st.sampled_from([None, "accepted", "declined", "withdrawn", "elsewhere"])
)


def frame(rows, columns):
    dates = [c for c in columns if c.endswith("_on") and c != "referred_on_"]
    return pd.DataFrame(rows, columns=columns).astype({c: "datetime64[s]" if c in dates else "str" for c in columns})


@given(
    st.lists(EPISODE, max_size=12), st.lists(SPELL, max_size=12), st.lists(REFERRAL, max_size=8), st.integers(0, 1600)
)
def test_states_are_exhaustive_and_counts_add_up(episodes, spells, referrals, days):
    rows = frame(episodes, ["programme_id", "patient_id", "referred_on", "started_on", "ended_on", "end_reason"])
    known = EPISODES.conform(rows.assign(episode_id=[f"e{i}" for i in range(len(rows))], row_id="r", delivery_id="d"))
    running = frame(spells, ["programme_id", "patient_id", "phase", "from_on", "until_on"])
    asked = frame(referrals, ["programme_id", "patient_id", "referred_on", "decided_on", "decision"])
    as_of = START + timedelta(days=days)
    found = flow.states(known, running, asked, as_of=as_of)
    assert found["state"].isin(flow.EVERY_STATE).all()
    assert found["episode_id"].dropna().sort_values().tolist() == sorted(known["episode_id"])
    assert found.groupby(["programme_id", "patient_id"])["is_first"].sum().eq(1).all()
    figures = flow.flow(found, as_of=as_of, with_referrals=["amstel", "berk"])
    ends = figures[["n_in_treatment", *(f"n_{end}" for end in flow.ENDS)]].sum(axis=1)
    assert (ends == figures["n_started"]).all()
    total = figures[figures["cohort"] == "all"].set_index("programme_id")
    years = figures[figures["cohort"] != "all"].groupby("programme_id")
    for column in ("n_referred", "n_waiting", "n_started", "n_completed", "n_re_entries"):
        pd.testing.assert_series_equal(years[column].sum().reindex(total.index, fill_value=0), total[column])
    before = ["n_not_taken_on", "n_undecided", "n_waiting", "n_introductory", "n_left_before_start"]
    began = found[found["is_first"] & found["started_on"].notna()].groupby("programme_id").size()
    assert (total[before].fillna(0).sum(axis=1) + began.reindex(total.index, fill_value=0) == total["n_referred"]).all()
