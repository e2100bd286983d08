"""Flow: hand-worked cases. Reference numbers of the estimators are in tests/reference."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from mbt_rom import flow
from mbt_rom.tables import EPISODES, FLOW, FLOW_CURVES, STATES

AS_OF = date(2026, 6, 30)
SPELLS = ["programme_id", "patient_id", "phase", "from_on", "until_on"]
REFERRALS = ["programme_id", "patient_id", "referred_on", "decided_on", "decision"]
DATES = ["referred_on", "started_on", "ended_on", "from_on", "until_on", "decided_on"]


def dated(rows, columns):
    frame = pd.DataFrame(rows, columns=columns).astype({c: "datetime64[s]" for c in columns if c in DATES})
    return frame.astype({c: "str" for c in columns if c not in DATES})


def episodes(*rows):
    """Rows of patient, referral, start, end and reason, in the programme `berk`."""
    columns = ["patient_id", "referred_on", "started_on", "ended_on", "end_reason"]
    frame = dated(list(rows), columns)
    numbered = frame.assign(
        programme_id="berk", episode_id=[f"e{i}" for i in range(len(frame))], row_id="r", delivery_id="d"
    )
    return EPISODES.conform(numbered)


def spells(*rows):
    return dated([("berk", *row) for row in rows], SPELLS)


def referrals(*rows):
    return dated([("berk", *row) for row in rows], REFERRALS)


def states(found, *, of=(), by=(), as_of=AS_OF, deaths=None):
    return flow.states(found, spells(*of), referrals(*by), as_of=as_of, deaths=deaths)


def test_a_death_that_the_register_of_episodes_does_not_tell_yet_ends_what_is_open():
    """p1 in treatment for 31 days, p2 waiting, p3 completed before, p4 not taken on before; of p5 nobody knows the day."""
    found = episodes(
        ("p1", "2026-01-01", "2026-03-01", None, None),
        ("p2", "2026-01-01", None, None, None),
        ("p3", "2024-01-01", "2024-02-01", "2025-08-01", "completed"),
        ("p5", "2026-01-01", "2026-03-01", None, None),
    )
    dead = pd.DataFrame(
        {"programme_id": "berk", "patient_id": ["p1", "p2", "p3", "p4", "p5"], "ended_on": "2026-04-01"}
    )
    dead.loc[4, "ended_on"] = "1900-01-01"
    gone = states(
        found, by=[("p4", "2026-01-01", "2026-02-01", "declined")], deaths=dead.astype({"ended_on": "datetime64[s]"})
    )
    rows = gone.set_index("patient_id")
    assert rows["state"].to_dict() == {
        "p1": "died",
        "p2": "died",
        "p3": "completed",
        "p4": "not_taken_on",
        "p5": "died",
    }
    assert rows["days_in_treatment"].dropna().to_dict()["p1"] == 31
    assert rows["ended_on"].isna()["p5"]
    row = flow.flow(gone, as_of=AS_OF).set_index("cohort").loc["all"]
    assert row[["n_started", "n_in_treatment", "n_died", "n_left_before_start"]].tolist() == [3, 0, 2, 1]


def test_episodes_alone_tell_who_waits_is_treated_and_has_ended():
    found = states(
        episodes(
            ("p1", "2026-05-01", None, None, None),
            ("p2", "2025-01-01", "2025-03-02", None, None),
            ("p3", "2024-01-01", "2024-02-01", "2025-08-01", "completed"),
            ("p4", "2024-01-01", "2024-02-01", "2024-06-01", "dropped_out"),
            ("p5", "2024-01-01", "2024-02-01", "2024-06-01", None),
            ("p6", None, None, None, None),
            ("p7", "2026-01-01", "2026-08-01", None, None),
        )
    ).set_index("patient_id")
    assert found["state"].to_dict() == {
        "p1": "referred", "p2": "main", "p3": "completed", "p4": "dropped_out", "p5": "ended", "p6": "not_yet", "p7": "referred",
    }  # fmt: skip
    assert found["days_waiting"].to_dict()["p2"] == 60  # 1 January to 2 March 2025: 31 + 28 + 1
    assert found["days_in_treatment"].to_dict()["p4"] == 121  # 1 February to 1 June 2024: 29 + 31 + 30 + 31
    assert found["days_introductory"].isna().all(), "without a register of spells it is not known"


def test_what_is_dated_after_the_day_has_not_happened():
    one = episodes(("p", "2024-01-01", "2024-02-01", "2025-08-01", "completed"))
    seen = [states(one, as_of=day)["state"].item() for day in (date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 1))]
    assert seen == ["not_yet", "referred", "main"]
    assert states(one, as_of=date(2025, 7, 31))["end_reason"].isna().all()
    assert states(one, as_of=date(2025, 8, 1))["state"].item() == "completed"


def test_spells_tell_the_phase_before_the_start_and_after_the_end():
    waiting = ("p", "waiting", "2026-01-10", "2026-03-31")
    introductory = ("p", "introductory", "2026-04-01", None)
    before = episodes(("p", "2026-01-01", None, None, None))
    assert states(before, of=[waiting, introductory], as_of=date(2026, 3, 31))["state"].item() == "waiting"
    assert states(before, of=[waiting, introductory], as_of=date(2026, 4, 1))["state"].item() == "introductory"
    after = episodes(("p", "2024-01-01", "2024-02-01", "2026-05-31", "completed"))
    found = states(after, of=[("p", "follow_up", "2026-06-01", None)])
    assert (found["state"].item(), found["end_reason"].item(), found["days_follow_up"].item()) == (
        "follow_up",
        "completed",
        30,
    )


def test_a_start_that_only_the_spells_know_counts():
    found = states(episodes(("p", "2026-01-01", None, None, None)), of=[("p", "main", "2026-03-01", None)])
    assert (found["state"].item(), found["days_waiting"].item()) == ("main", 59)


@pytest.mark.parametrize(
    ("decided_on", "decision", "state"),
    [
        (None, None, "referred"),
        ("2026-03-01", "accepted", "waiting"),
        ("2026-03-01", "declined", "not_taken_on"),
        ("2026-07-01", "declined", "referred"),
    ],
)
def test_a_referral_without_episode_is_a_case_in_the_state_that_its_decision_gives(decided_on, decision, state):
    found = states(episodes(), by=[("p", "2026-02-01", decided_on, decision)])
    assert found[["patient_id", "state"]].values.tolist() == [["p", state]]


def test_a_referral_belongs_to_the_episode_that_followed_it_and_makes_no_second_case():
    found = states(episodes(("p", None, "2026-04-01", None, None)), by=[("p", "2026-02-01", "2026-02-15", "accepted")])
    assert len(found) == 1
    assert (found["state"].item(), found["days_waiting"].item()) == ("main", 59)


def test_death_goes_before_everything():
    found = states(
        episodes(("p", "2024-01-01", "2024-02-01", "2026-05-31", "died")), of=[("p", "follow_up", "2026-06-01", None)]
    )
    assert found["state"].item() == "died"


def test_a_second_treatment_is_a_reentry_and_a_person_counts_once():
    two = episodes(
        ("p", "2023-01-01", "2023-02-01", "2023-08-01", "dropped_out"),
        ("p", "2025-01-01", "2025-02-01", None, None),
        ("q", "2023-01-01", "2023-02-01", "2024-08-01", "completed"),
    )
    found = states(two)
    assert found["is_re_entry"].tolist() == [False, True, False]
    row = flow.flow(found, as_of=AS_OF).set_index("cohort").loc["all"]
    assert (row["n_started"], row["n_dropped_out"], row["n_completed"], row["n_re_entries"]) == (2, 1, 1, 1)
    by_year = flow.flow(found, as_of=AS_OF).set_index("cohort")
    assert by_year["n_started"].to_dict() == {"2023": 2, "2025": 0, "all": 2}
    assert by_year["n_re_entries"].to_dict() == {"2023": 0, "2025": 1, "all": 1}


def test_the_caseload_counts_who_waits_for_a_second_treatment():
    found = states(
        episodes(("p", "2023-01-01", "2023-02-01", "2023-08-01", "completed"), ("p", "2026-05-01", None, None, None)),
        of=[("p", "waiting", "2026-05-01", None)],
    )
    row = flow.flow(found, as_of=AS_OF).set_index("cohort").loc["all"]
    assert row[["n_referred", "n_waiting", "n_cases_waiting", "n_cases_in_treatment"]].tolist() == [1, 0, 1, 0]


def test_who_left_before_a_first_start_counts_with_the_second_case_among_those_who_started():
    found = states(
        episodes(("p", "2023-01-01", None, "2023-03-01", "dropped_out"), ("p", "2024-01-01", "2024-02-01", None, None))
    )
    row = flow.flow(found, as_of=AS_OF).set_index("cohort").loc["all"]
    assert row[["n_not_taken_on", "n_waiting", "n_introductory"]].isna().all(), "no register tells, so it is no zero"
    assert row[["n_referred", "n_left_before_start", "n_started", "n_re_entries"]].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(("started_on", "n"), [("2024-08-30", 1), ("2024-10-01", 0)])
def test_who_starts_elsewhere_within_sixty_days_was_transferred(started_on, n):
    """From 1 August it is 29 days to 30 August, and 61 to 1 October."""
    both = episodes(("p", None, "2023-02-01", "2024-08-01", "referred_on"), ("p", None, started_on, None, None)).assign(
        programme_id=["berk", "amstel"]
    )
    found = flow.transfers(both, as_of=AS_OF)
    assert found.to_numpy().tolist() == [["amstel", "berk", 2024, 1]][:n]


def test_who_left_two_programmes_came_from_the_last():
    left = [("p", None, "2023-02-01", day, "referred_on") for day in ("2024-08-01", "2024-08-20")]
    three = episodes(*left, ("p", None, "2024-08-30", None, None)).assign(programme_id=["berk", "eem", "amstel"])
    assert flow.transfers(three, as_of=AS_OF).to_numpy().tolist() == [["amstel", "eem", 2024, 1]]
    assert flow.transfers(three, as_of=date(2024, 8, 29)).empty


def cohort():
    """Twelve people of 2024: hand-worked below."""
    ends = [
        ("2024-05-01", "dropped_out"), ("2024-07-01", "dropped_out"), ("2025-07-01", "completed"), ("2025-07-01", "completed"),
        ("2025-07-01", "completed"), ("2025-07-01", "completed"), ("2025-01-01", "referred_on"), ("2025-03-01", "died"),
    ]  # fmt: skip
    rows = [(f"p{i}", "2024-01-01", "2024-02-01", *end) for i, end in enumerate(ends)]
    rows += [(f"q{i}", "2024-01-01", "2024-02-01", None, None) for i in range(4)]
    return episodes(*rows)


def test_the_figures_of_a_cohort_add_up_and_carry_their_intervals():
    row = flow.flow(states(cohort()), as_of=AS_OF).set_index("cohort").loc["2024"]
    parts = ["n_in_treatment", "n_completed", "n_dropped_out", "n_referred_on", "n_died", "n_ended"]
    assert row[parts].tolist() == [4, 4, 2, 1, 1, 0]
    assert row["completed_share"] == pytest.approx(0.5)
    # Wilson, 4 of 8: (0.5 + 1.9208/8 -/+ 1.96 sqrt(0.25/8 + 3.8416/256)) / 1.4802
    assert row[["completed_lower_95", "completed_upper_95"]].tolist() == pytest.approx([0.2152, 0.7848], abs=1e-4)
    assert (row["n_wait"], row["wait_mean"]) == (12, 31)
    # Those who ended: 90, 151, 335, 394 days and four times 516; half of twelve are left after the eighth.
    assert row["stay_mean"] == pytest.approx(3034 / 8)
    assert row["stay_median"] == pytest.approx((394 + 516) / 2)
    assert row["stay_km_median"] == 516
    assert row["complete_on"] == pd.Timestamp("2026-06-30")
    assert row["is_complete"]


def test_ends_that_rule_each_other_out_add_up_with_those_who_stay():
    found = flow.curves(states(cohort()))
    month = found[(found["cohort"] == "2024") & (found["month"] == 12)].set_index("outcome")
    # nobody was censored before day 365, so the shares are plain: 2, 1 of 12, nobody died or completed yet
    assert month["share"].loc[
        ["dropped_out", "referred_on", "died", "completed", "in_treatment"]
    ].tolist() == pytest.approx([2 / 12, 1 / 12, 0, 0, 9 / 12])
    months = found[(found["cohort"] == "2024") & found["curve"].isin(["stay", "end"]) & found["share"].notna()]
    assert months.groupby("month")["share"].sum().to_numpy() == pytest.approx(1)


def test_few_people_give_no_curve_and_say_why():
    found = flow.curves(states(cohort().head(flow.FEWEST - 1)))
    assert found["share"].isna().all()
    assert set(found["reason"]) == {"too_few_persons"}
    assert flow.flow(states(cohort().head(flow.FEWEST - 1)), as_of=AS_OF)["stay_km_median"].isna().all()


def test_no_curve_runs_past_the_last_day_on_which_anybody_was_seen():
    found = flow.curves(states(cohort()))
    stay = found[(found["cohort"] == "all") & (found["curve"] == "stay")].set_index("month")
    # 1 February 2024 to 30 June 2026 are 880 days: 28.9 months
    assert stay["share"].notna().tolist() == [month <= 28 for month in flow.MONTHS]
    assert set(stay["reason"].dropna()) == {"not_followed_so_long"}


def test_nothing_gives_empty_tables():
    found = states(episodes())
    assert list(found.columns) == STATES.column_names
    assert flow.flow(found, as_of=AS_OF).equals(FLOW.empty())
    assert flow.curves(found).equals(FLOW_CURVES.empty())
    assert np.shape(found) == (0, len(STATES.columns))
