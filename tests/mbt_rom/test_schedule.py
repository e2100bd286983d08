"""The plan: due dates, windows, matching, statuses and response, each on a case small enough to count by hand."""

from datetime import date

import pandas as pd
import pytest

from mbt_rom import registry, schedule
from mbt_rom.response import response
from mbt_rom.settings import Consortium
from mbt_rom.tables import EPISODES

AS_OF = date(2024, 3, 1)


def consortium(**changes):
    programmes = {
        "a": {"name": "A", "issuer": "h", "instruments": ["bsi", "eq5d5l"]},
        "b": {"name": "B", "issuer": "h", "instruments": ["bsi"], "anchor": "referred_on"},
    }
    return Consortium.model_validate(
        {"name": "test", "issuers": {"h": {}}, "programmes": programmes, "months": [0, 6, 12]} | changes
    )


def episodes(*rows):
    """Rows of (programme, episode, patient, started_on) and, optionally, ended_on, end_reason and referred_on."""
    names = ["programme_id", "episode_id", "patient_id", "started_on", "ended_on", "end_reason", "referred_on"]
    frame = pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows], columns=names)
    for column in ("started_on", "ended_on", "referred_on"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[s]")
    return EPISODES.conform(frame.assign(row_id="r", delivery_id="d"))


def forms(*rows):
    """Rows of (row_id, patient, date) and, optionally, moment_given, instrument, programme, is_complete and form_state."""
    names = ["row_id", "patient_id", "administered_on", "moment_given", "instrument", "programme_id", "is_complete"]
    names.append("form_state")
    frame = pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows], columns=names)
    frame = frame.astype({"row_id": "str", "patient_id": "str", "moment_given": "str", "is_complete": "boolean"})
    frame["administered_on"] = pd.to_datetime(frame["administered_on"]).astype("datetime64[s]")
    return frame.assign(instrument=frame["instrument"].fillna("bsi"), programme_id=frame["programme_id"].fillna("a"))


def matched(given, of=None, **changes):
    """Moment and status of every form, by row_id."""
    of = episodes(("a", "e1", "p1", "2023-01-10")) if of is None else of
    rows = schedule.expected(given, of, settings=consortium(**changes), definitions=registry.instruments(), as_of=AS_OF)
    rows = rows[rows["row_id"].notna()].set_index("row_id")
    return {row_id: (row.moment, row.status) for row_id, row in rows.iterrows()}


def test_every_episode_is_asked_every_instrument_of_its_programme_at_every_month():
    of = episodes(("a", "e1", "p1", "2023-08-31"), ("b", "e2", "p2", None, None, None, "2022-02-28"))
    rows = schedule.expected(forms(), of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF)
    assert len(rows) == 2 * 3 + 1 * 3
    bsi = rows[rows["instrument"] == "bsi"].set_index(["programme_id", "moment"])
    assert bsi["due_on"].dt.strftime("%Y-%m-%d").to_dict() == {
        ("a", "baseline"): "2023-08-31",
        ("a", "m6"): "2024-02-29",
        ("a", "m12"): "2024-08-31",
        ("b", "baseline"): "2022-02-28",
        ("b", "m6"): "2022-08-28",
        ("b", "m12"): "2023-02-28",
    }
    assert bsi.loc[("a", "baseline"), "opens_on"] == pd.Timestamp("2023-07-02")
    assert bsi.loc[("a", "baseline"), "closes_on"] == pd.Timestamp("2023-09-14")
    assert bsi["status"].to_dict() == {
        ("a", "baseline"): "missed",
        ("a", "m6"): "open",
        ("a", "m12"): "not_yet_due",
        ("b", "baseline"): "missed",
        ("b", "m6"): "missed",
        ("b", "m12"): "missed",
    }


@pytest.mark.parametrize(
    ("filled_in", "moment"),
    [
        ("2022-11-10", "unscheduled"),
        ("2022-11-11", "baseline"),
        ("2023-01-24", "baseline"),
        ("2023-01-25", "unscheduled"),
        ("2023-05-25", "unscheduled"),
        ("2023-05-26", "m6"),
        ("2023-08-24", "m6"),
        ("2023-08-25", "unscheduled"),
    ],
)
def test_a_window_holds_its_first_and_its_last_day(filled_in, moment):
    """Anchor 2023-01-10: baseline -60/+14 days; month 6 is due on 2023-07-10, +/- 45 days."""
    assert matched(forms(("r1", "p1", filled_in)))["r1"][0] == moment


def test_the_nearest_form_answers_and_the_other_is_unscheduled_at_its_own_date():
    assert matched(forms(("r1", "p1", "2023-07-01"), ("r2", "p1", "2023-07-12"))) == {
        "r1": ("unscheduled", "unscheduled"),
        "r2": ("m6", "received"),
    }


def test_of_two_forms_equally_near_the_earlier_answers():
    assert matched(forms(("r2", "p1", "2023-07-05"), ("r1", "p1", "2023-07-15")))["r2"] == ("m6", "received")


def test_the_last_form_before_treatment_is_the_baseline_even_when_one_after_its_start_is_nearer():
    given = forms(("r1", "p1", "2022-12-01"), ("r2", "p1", "2022-12-20"), ("r3", "p1", "2023-01-11"))
    assert {row for row, (moment, _) in matched(given).items() if moment == "baseline"} == {"r2"}
    assert matched(given[given["row_id"] == "r3"]) == {"r3": ("baseline", "received")}


def test_an_incomplete_form_answers_only_where_no_complete_one_does():
    whole = ("r1", "p1", "2023-06-20", None, None, None, True)
    broken_off = ("r2", "p1", "2023-07-10", None, None, None, False)
    assert matched(forms(whole, broken_off))["r1"] == ("m6", "received")
    assert matched(forms(broken_off))["r2"] == ("m6", "received")


def test_overlapping_windows_answer_as_many_moments_as_possible():
    """Windows of +/- 120 days. Both forms are nearest to month 6 (due 07-10); the later one also fits month 12 (due 01-10)."""
    given = forms(("r1", "p1", "2023-06-01"), ("r2", "p1", "2023-09-20"))
    windows = {"baseline": [-60, 14], "later": [-120, 120]}
    assert matched(given, windows=windows) == {"r1": ("m6", "received"), "r2": ("m12", "received")}


def test_a_form_belongs_to_the_episode_whose_window_takes_it():
    of = episodes(("a", "e1", "p1", "2023-01-10"), ("a", "e2", "p1", "2023-08-01"))
    given = forms(("r1", "p1", "2023-07-08"), ("r2", "p1", "2023-07-25"))
    rows = schedule.expected(given, of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF)
    rows = rows[rows["row_id"].notna()].set_index("row_id")
    assert rows.loc[["r1", "r2"], ["episode_id", "moment"]].values.tolist() == [["e1", "m6"], ["e2", "baseline"]]


def test_an_unscheduled_form_belongs_to_the_episode_during_which_it_was_filled_in():
    of = episodes(("a", "e1", "p1", "2020-01-10"), ("a", "e2", "p1", "2023-01-10"))
    given = forms(
        ("r1", "p1", "2019-01-01"), ("r2", "p1", "2020-04-10"), ("r3", "p1", "2023-04-10"), ("r4", "p1", None)
    )
    rows = schedule.expected(given, of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF)
    rows = rows[rows["row_id"].notna()].set_index("row_id")
    assert rows["episode_id"].fillna("none").to_dict() == {"r1": "e1", "r2": "e1", "r3": "e2", "r4": "none"}


def test_death_ends_eligibility_from_the_next_moment_on_in_all_episodes():
    of = episodes(
        ("a", "e1", "p1", "2023-01-10", "2023-07-20", "died"),
        ("a", "e2", "p1", "2022-06-01", "2022-12-01", "completed"),
        ("a", "e3", "p3", "2023-01-10", "2023-07-20", "dropped_out"),
    )
    given = forms(("r1", "p1", "2023-01-02"))
    rows = schedule.expected(given, of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF)
    bsi = rows[rows["instrument"] == "bsi"].set_index(["episode_id", "moment"])["status"]
    assert bsi["e1"].to_dict() == {"baseline": "received", "m6": "missed", "m12": "died"}
    assert bsi["e2"].to_dict() == {"baseline": "missed", "m6": "missed", "m12": "missed"}
    assert bsi["e3"].to_dict() == {"baseline": "missed", "m6": "missed", "m12": "missed"}


def test_nobody_who_died_is_ever_open_and_a_death_without_a_date_stops_everything_unanswered():
    of = episodes(("a", "e1", "p1", "2023-08-20", "2024-02-25", "died"), ("a", "e2", "p2", "2023-01-10", None, "died"))
    rows = schedule.expected(
        forms(("r1", "p2", "2023-01-02")), of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF
    )
    bsi = rows[rows["instrument"] == "bsi"].set_index(["episode_id", "moment"])["status"]
    assert bsi["e1"].to_dict() == {"baseline": "missed", "m6": "missed", "m12": "died"}
    assert bsi["e2"].to_dict() == {"baseline": "received", "m6": "died", "m12": "died"}


def test_a_death_after_the_day_that_is_looked_at_is_not_yet_known():
    of = episodes(("a", "e1", "p1", "2023-08-20", "2024-03-02", "died"))
    rows = schedule.expected(forms(), of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF)
    assert set(rows["status"]) == {"missed", "open", "not_yet_due"}


def test_without_a_register_forms_count_for_the_moment_they_state_and_nothing_is_expected():
    given = forms(
        ("r1", "p1", None, "baseline"), ("r2", "p1", None, "m6"), ("r3", "p1", None, "m6"), ("r4", "p1", None, "m7")
    )
    rows = schedule.expected(
        given, episodes(), settings=consortium(), definitions=registry.instruments(), as_of=AS_OF
    ).set_index("row_id")
    assert rows["moment"].to_dict() == {"r1": "baseline", "r2": "m6", "r3": "unscheduled", "r4": "unscheduled"}
    assert rows["episode_id"].isna().all()
    assert rows["due_on"].isna().all()


def test_a_stated_moment_fills_a_moment_of_the_only_episode_where_no_dated_form_did():
    given = forms(("r1", "p1", "2023-07-10"), ("r2", "p1", None, "m6"), ("r3", "p1", None, "m12"))
    assert matched(given) == {
        "r1": ("m6", "received"),
        "r2": ("unscheduled", "unscheduled"),
        "r3": ("m12", "received"),
    }


def test_the_date_of_a_form_overrules_the_moment_it_states():
    assert matched(forms(("r1", "p1", "2023-07-10", "m12")))["r1"] == ("m6", "received")


def test_forms_without_a_patient_are_kept_and_never_matched():
    given = forms(("r1", None, None, "baseline"), ("r2", None, "2023-01-10", None))
    assert matched(given) == {"r1": ("unscheduled", "unscheduled"), "r2": ("unscheduled", "unscheduled")}


def test_same_patient_number_in_two_programmes_is_two_people():
    of = episodes(("a", "e1", "p1", "2023-01-10"), ("b", "e2", "p1", None, None, None, "2023-01-10"))
    rows = schedule.expected(
        forms(("r1", "p1", "2023-01-10")), of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF
    )
    assert rows.loc[rows["row_id"].notna(), "programme_id"].tolist() == ["a"]


def test_an_episode_whose_month_0_is_not_recorded_has_no_due_dates():
    of = episodes(("b", "e1", "p1", "2023-01-10", None, None, None))
    rows = schedule.expected(
        forms(("r1", "p1", "2023-01-10", None, "bsi", "b")),
        of,
        settings=consortium(),
        definitions=registry.instruments(),
        as_of=AS_OF,
    )
    assert rows["moment"].tolist() == ["unscheduled"]


def test_response_counts_each_status_once():
    of = episodes(
        ("a", "e1", "p1", "2023-01-10"),
        ("a", "e2", "p2", "2023-01-10"),
        ("a", "e3", "p3", "2023-01-10", "2023-02-01", "died"),
        ("a", "e4", "p4", "2023-09-10"),
        ("a", "e5", "p5", "2024-02-01"),
    )
    given = forms(("r1", "p1", "2023-07-01"), ("r2", "p1", "2023-04-01"), ("r3", "p4", "2024-02-20"))
    rows = response(
        schedule.expected(given, of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF),
        episodes=of,
    )
    m6 = rows[(rows["instrument"] == "bsi") & (rows["moment"] == "m6")].iloc[0]
    counts = ["n_started", "n_not_yet_due", "n_not_eligible", "n_eligible", "n_received"]
    assert m6[counts].tolist() == [5, 1, 1, 3, 2]
    # Wilson for 2 of 3, from statsmodels 0.14: 0.2077, 0.9385
    assert m6[["response_share", "lower_95", "upper_95"]].astype(float).round(4).tolist() == [0.6667, 0.2077, 0.9385]
    assert rows["moment"].tolist() == ["baseline", "m6", "m12"] * 2


def test_without_a_register_eligible_is_no_data_and_not_zero():
    given = forms(("r1", "p1", None, "baseline"), ("r2", "p2", None, "baseline"))
    (row,) = response(
        schedule.expected(given, episodes(), settings=consortium(), definitions=registry.instruments(), as_of=AS_OF),
        episodes=episodes(),
    ).itertuples()
    assert row.n_received == 2
    assert pd.isna(row.n_eligible)
    assert pd.isna(row.n_started)
    assert pd.isna(row.response_share)


def test_nothing_in_gives_nothing_out():
    rows = schedule.expected(
        forms(), episodes(), settings=consortium(), definitions=registry.instruments(), as_of=AS_OF
    )
    assert len(rows) == 0
    assert len(response(rows, episodes=episodes())) == 0


# ---- forms that were begun ----------------------------------------------------------------------------------------------------


def begun(row_id, on, state="partial"):
    return (row_id, "p1", on, None, "bsi", "a", None, state)


@pytest.mark.parametrize("state", ["opened", "partial"])
def test_a_form_that_was_only_begun_is_to_be_finished_while_its_window_is_open(state):
    """Started on 10 September 2023: six months later is 10 March 2024, open from 25 January to 24 April."""
    of = episodes(("a", "e1", "p1", "2023-09-10"))
    rows = forms(begun("r1", "2024-02-20", state), ("r0", "p1", "2023-09-01"))
    assert matched(rows, of) == {"r1": ("m6", "to_be_finished"), "r0": ("baseline", "received")}
    for as_of, status in (("2024-04-24", "to_be_finished"), ("2024-04-25", "received")):
        found = schedule.expected(
            rows, of, settings=consortium(), definitions=registry.instruments(), as_of=date.fromisoformat(as_of)
        )
        assert found.set_index("row_id").loc["r1", "status"] == status


def test_a_finished_form_goes_before_one_that_was_begun():
    of = episodes(("a", "e1", "p1", "2023-09-10"))
    rows = forms(begun("r1", "2024-03-01"), ("r2", "p1", "2024-02-01"))
    assert matched(rows, of) == {"r2": ("m6", "received"), "r1": ("unscheduled", "unscheduled")}


def test_nobody_waits_for_the_dead_to_finish_a_form():
    of = episodes(("a", "e1", "p1", "2023-09-10", "2024-02-25", "died"))
    assert matched(forms(begun("r1", "2024-02-20")), of) == {"r1": ("m6", "received")}


def test_a_form_to_be_finished_counts_as_not_yet_due():
    of = episodes(("a", "e1", "p1", "2023-09-10"), ("a", "e2", "p2", "2023-09-10"))
    rows = forms(begun("r1", "2024-02-20"), ("r2", "p2", "2024-02-20"))
    table = response(
        schedule.expected(rows, of, settings=consortium(), definitions=registry.instruments(), as_of=AS_OF), episodes=of
    )
    m6 = table[(table["instrument"] == "bsi") & (table["moment"] == "m6")].iloc[0]
    counts = ["n_started", "n_not_yet_due", "n_not_eligible", "n_eligible", "n_received"]
    assert m6[counts].tolist() == [2, 1, 0, 1, 1]


# ---- end of treatment, re-baseline, late baseline, withdrawal, weekly series -----------------------------------------------------


def planned(given, of, *, as_of=AS_OF, ends=None, **programme):
    """Rows of the BSI of programme a, whose settings are changed so, by moment."""
    settings = consortium(programmes={"a": {"name": "A", "issuer": "h", "instruments": ["bsi"], **programme}})
    rows = schedule.expected(given, of, settings=settings, definitions=registry.instruments(), as_of=as_of, ends=ends)
    return rows.set_index("moment")


def days_of(row):
    return [row[name].strftime("%Y-%m-%d") for name in ("due_on", "opens_on", "closes_on")]


def test_the_end_of_treatment_is_due_within_six_weeks_after_the_last_main_session():
    of = episodes(("a", "e1", "p1", "2022-03-10", "2023-07-20", "dropped_out"))
    rows = planned(forms(("r1", "p1", "2023-08-31"), ("r2", "p1", "2023-09-01")), of, has_end_of_treatment=True)
    assert days_of(rows.loc["end"]) == ["2023-07-20", "2023-07-20", "2023-08-31"]
    assert rows.loc["end", ["status", "row_id"]].tolist() == ["received", "r1"]
    assert rows.loc["unscheduled", "row_id"] == "r2"


@pytest.mark.parametrize("ended", [(None, None), ("2024-02-20", "died"), ("2024-03-02", "completed")])
def test_there_is_no_end_of_treatment_before_it_is_known_nor_after_a_death(ended):
    rows = planned(forms(), episodes(("a", "e1", "p1", "2023-01-10", *ended)), has_end_of_treatment=True)
    assert list(rows.index) == ["baseline", "m6", "m12"]


def test_a_form_without_a_date_is_not_lost_where_the_moment_that_it_states_is_none_of_the_episode():
    of = episodes(("a", "e1", "p1", "2023-01-10"))  # nobody knows yet when the treatment ends
    rows = planned(forms(("r1", "p1", None, "end")), of, has_end_of_treatment=True)
    assert rows.loc[rows["row_id"].eq("r1"), "status"].tolist() == ["unscheduled"]


def test_a_form_that_fits_a_month_and_the_end_answers_the_month_and_a_second_one_the_end():
    """Month 6 is due on 10 July 2023; the treatment ended on the 20th."""
    of = episodes(("a", "e1", "p1", "2023-01-10", "2023-07-20", "completed"))
    one, both = ("r1", "p1", "2023-07-20"), ("r2", "p1", "2023-07-25")
    assert planned(forms(one), of, has_end_of_treatment=True)["row_id"].dropna().to_dict() == {"m6": "r1"}
    rows = planned(forms(one, both), of, has_end_of_treatment=True)["row_id"].dropna()
    assert set(rows.index) == {"m6", "end"}
    assert rows.nunique() == 2


def test_a_long_wait_makes_a_rebaseline_due_before_the_main_phase_and_a_short_one_does_not():
    """Referred on 10 January 2023, windows of 60 days: 12 March is 61 days later, 11 March 60."""
    long, short = (episodes(("a", "e1", "p1", on, None, None, "2023-01-10")) for on in ("2023-03-12", "2023-03-11"))
    rows = planned(forms(("r1", "p1", "2023-01-12"), ("r2", "p1", "2023-03-01")), long, anchor="referred_on")
    # the window of the baseline holds until 24 January
    assert days_of(rows.loc["rebaseline"]) == ["2023-03-12", "2023-01-25", "2023-03-12"]
    assert rows["row_id"].dropna().to_dict() == {"baseline": "r1", "rebaseline": "r2"}
    assert rows["requirement"].tolist() == ["required"] * 4
    assert "rebaseline" not in planned(forms(), short, anchor="referred_on").index


def test_a_rebaseline_is_not_due_where_nobody_knows_when_the_main_phase_begins():
    of = episodes(("a", "e1", "p1", None, None, None, "2023-01-10"))
    assert list(planned(forms(), of, anchor="referred_on").index) == ["baseline", "m6", "m12"]


@pytest.mark.parametrize(("on", "is_late"), [("2023-01-10", False), ("2023-01-11", True)])
def test_a_baseline_after_the_first_main_session_is_late_and_stays_received(on, is_late):
    row = planned(forms(("r1", "p1", on)), episodes(("a", "e1", "p1", "2023-01-10"))).loc["baseline"]
    assert row[["status", "is_late_baseline"]].tolist() == ["received", is_late]


def test_whether_a_baseline_is_late_is_no_data_where_the_first_main_session_is_not_recorded():
    of = episodes(("a", "e1", "p1", None, None, None, "2023-01-10"))
    rows = planned(forms(("r1", "p1", "2023-01-12"), ("r2", "p1", "2023-07-12")), of, anchor="referred_on")
    assert pd.isna(rows.loc["baseline", "is_late_baseline"])
    assert not rows.loc["m6", "is_late_baseline"]


def test_a_withdrawal_takes_what_was_not_yet_due_and_nobody_is_open_after_it():
    gone = {"programme_id": ["a"], "patient_id": ["p1"], "ended_on": [pd.Timestamp("2024-01-10")], "why": ["withdrew"]}
    ends = pd.DataFrame(gone).astype({"ended_on": "datetime64[s]"})
    rows = planned(forms(("r1", "p1", "2023-01-05")), episodes(("a", "e1", "p1", "2023-01-10")), ends=ends)
    assert rows["status"].to_dict() == {"baseline": "received", "m6": "missed", "m12": "missed"}
    ends["ended_on"] = ends["ended_on"] - pd.Timedelta(days=1)
    rows = planned(forms(), episodes(("a", "e1", "p1", "2023-01-10")), ends=ends)
    assert rows["status"].to_dict() == {"baseline": "missed", "m6": "missed", "m12": "withdrawn"}


def test_a_form_of_a_weekly_series_may_answer_a_moment_and_is_weekly_otherwise():
    of = episodes(("a", "e1", "p1", "2023-01-10"))
    given = forms(("r1", "p1", "2023-07-10"), ("r2", "p1", "2023-09-10"), ("r3", None, "2023-09-10"))
    rows = planned(given, of, weekly=["bsi"]).reset_index().dropna(subset=["row_id"]).set_index("row_id")
    assert rows["status"].to_dict() == {"r1": "received", "r2": "weekly", "r3": "unscheduled"}


def test_windows_may_be_those_of_the_programme():
    rows = planned(forms(), episodes(("a", "e1", "p1", "2023-01-10")), windows={"later": [-7, 14]})
    assert days_of(rows.loc["m6"]) == ["2023-07-10", "2023-07-03", "2023-07-24"]


@pytest.mark.parametrize("anchor", ["referred_on", "first_assessment_on", "first_introductory_on", "started_on"])
def test_the_anchor_of_the_programme_is_month_0_and_stands_on_every_row(anchor):
    dates = ["referred_on", "first_assessment_on", "first_introductory_on", "started_on"]
    of = episodes(("a", "e1", "p1", None))
    for day, name in enumerate(dates, start=1):
        of[name] = pd.Timestamp(2023, 1, day).as_unit("s")
    rows = planned(forms(("r1", "p1", "2021-01-01")), of, anchor=anchor)
    assert rows.loc["baseline", "due_on"].day == dates.index(anchor) + 1
    assert set(rows["anchor"]) == {anchor}
