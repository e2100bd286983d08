"""Response: late forms, who left, reasons and years of start, each on rows small enough to count by hand."""

from datetime import date

import pandas as pd

from mbt_rom import registry, response, schedule
from mbt_rom.settings import Consortium
from mbt_rom.tables import EPISODES

AS_OF = date(2024, 3, 1)
SETTINGS = Consortium.model_validate(
    {
        "name": "x",
        "issuers": {"h": {}},
        "programmes": {"a": {"name": "A", "issuer": "h", "instruments": ["bsi", "sds"]}},
        "months": [0, 6, 12],
    }
)


def dated(rows, names, dates):
    frame = pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows], columns=names)
    for name in dates:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return frame.assign(programme_id="a")


def episodes(*rows):
    names = ["episode_id", "patient_id", "started_on", "ended_on", "end_reason"]
    return EPISODES.conform(dated(rows, names, ["started_on", "ended_on"]).assign(row_id="r", delivery_id="d"))


def expected(of, *rows):
    """`rows`: (patient, date) of BSI forms."""
    frame = dated(rows, ["patient_id", "administered_on"], ["administered_on"])
    frame = frame.assign(instrument="bsi", moment_given=None, row_id=[f"r{k}" for k in range(len(rows))])
    return schedule.expected(frame, of, settings=SETTINGS, definitions=registry.instruments(), as_of=AS_OF)


def row_of(table, moment="m6", instrument="bsi"):
    return table[(table["moment"] == moment) & (table["instrument"] == instrument)].iloc[0]


def test_a_form_between_two_windows_makes_the_missed_month_before_it_late():
    """Started on 10 January 2023: the window of month 6 closes on 24 August, that of month 12 opens on 26 November."""
    of = episodes(
        ("e1", "p1", "2023-01-10"), ("e2", "p2", "2023-01-10"), ("e3", "p3", "2023-01-10"), ("e4", "p4", "2023-01-10")
    )
    rows = expected(of, ("p1", "2023-08-25"), ("p2", "2023-11-26"), ("p3", "2023-08-24"), ("p3", "2023-08-26"))
    table = response.response(rows, episodes=of)
    assert row_of(table)[["n_eligible", "n_received", "n_late"]].tolist() == [4, 1, 1]
    assert row_of(table, "m12")[["n_received", "n_late"]].tolist() == [1, 0]
    assert row_of(table, instrument="sds")["n_late"] == 0


def test_a_late_baseline_is_received_and_counted():
    of = episodes(("e1", "p1", "2023-01-10"), ("e2", "p2", "2023-01-10"))
    table = response.response(expected(of, ("p1", "2023-01-12"), ("p2", "2023-01-09")), episodes=of)
    assert row_of(table, "baseline")[["n_received", "n_late_baseline"]].tolist() == [2, 1]


def test_who_left_stays_eligible_and_is_counted_apart_from_who_completed():
    of = episodes(
        ("e1", "p1", "2023-01-10", "2023-03-01", "dropped_out"),
        ("e2", "p2", "2023-01-10", "2023-03-01", "referred_on"),
        ("e3", "p3", "2023-01-10", "2023-03-01", "completed"),
        ("e4", "p4", "2023-01-10", "2023-07-10", "dropped_out"),  # on the day of month 6: not before it
    )
    table = response.response(expected(of, ("p1", "2023-07-10"), ("p3", "2023-07-10")), episodes=of)
    counts = ["n_eligible", "n_received", "n_left_eligible", "n_left_received"]
    assert row_of(table)[counts].tolist() == [4, 2, 2, 1]
    assert row_of(table, "baseline")[counts].tolist() == [4, 0, 0, 0]


def test_reasons_are_those_of_the_form_or_else_of_the_whole_sitting_and_only_of_what_is_missed():
    of = episodes(("e1", "p1", "2023-01-10"), ("e2", "p2", "2023-01-10"), ("e3", "p3", "2023-01-10"))
    names = ["patient_id", "moment", "instrument", "reason"]
    reasons = dated(
        [
            ("p1", "m6", None, "moved"),
            ("p1", "m6", "bsi", "refused"),
            ("p2", "m6", None, "closed"),
            ("p3", "m6", None, "moved"),
        ],
        names,
        [],
    )
    rows = expected(of, ("p3", "2023-07-10"))
    table = response.response(rows, episodes=of, nonresponse=reasons)
    counts = ["n_refused", "n_moved", "n_closed", "n_language"]
    assert row_of(table)[counts].tolist() == [1, 0, 1, 0]
    assert row_of(table, instrument="sds")[counts].tolist() == [0, 2, 1, 0]
    assert row_of(table, "baseline")[counts].tolist() == [0, 0, 0, 0]


def test_without_a_register_of_reasons_there_are_none_and_not_zero():
    of = episodes(("e1", "p1", "2023-01-10"))
    table = response.response(expected(of), episodes=of)
    assert table[["n_refused", "n_closed"]].isna().all(axis=None)
    assert table["n_late"].notna().all()


def test_a_period_is_the_year_of_month_0_and_says_when_it_will_be_complete():
    of = episodes(("e1", "p1", "2023-12-31"), ("e2", "p2", "2023-01-10"), ("e3", "p3", "2024-01-01"))
    rows = expected(of, ("p2", "2023-07-10"))
    table = response.response_by_period(rows, episodes=of, settings=SETTINGS)
    m6 = table[(table["moment"] == "m6") & (table["instrument"] == "bsi")].set_index("start_year")
    assert m6[["n_started", "n_not_yet_due", "n_eligible", "n_received"]].values.tolist() == [
        [2, 1, 1, 1],
        [1, 1, 0, 0],
    ]
    # month 6 of 31 December 2023 is 30 June 2024, and 45 days later it closes
    assert m6["complete_on"].dt.strftime("%Y-%m-%d").tolist() == ["2024-08-14", "2024-08-15"]
    assert set(table["anchor"]) == {"started_on"}
