"""Attendance: what counts as offered, the interval over patients, and when absence opens a review."""

from datetime import date

import pandas as pd
import pytest

from mbt_rom import attendance
from mbt_rom.settings import Nonattendance
from mbt_rom.tables import ATTENDANCE, ATTENDANCE_BY_MONTH

AS_OF = date(2026, 3, 31)


def contacts(*rows, programme_id="berk"):
    """Rows of patient, day and attendance."""
    frame = pd.DataFrame(rows, columns=["patient_id", "contact_on", "attendance"]).astype({"attendance": "str"})
    return frame.astype({"contact_on": "datetime64[s]"}).assign(
        programme_id=programme_id, row_id=[f"r{i}" for i in range(len(frame))], delivery_id="d", kind="individual"
    )


def weekly(patient, came, *, first="2026-02-02"):
    """One contact a week: + attended, - no show, c cancelled by the patient, x by the programme, o closed, ? not recorded."""
    words = {
        "+": "attended",
        "-": "no_show",
        "c": "cancelled_by_patient",
        "x": "cancelled_by_programme",
        "o": "closed",
        "?": None,
    }
    days = pd.date_range(first, periods=len(came), freq="7D")
    return [(patient, day, words[sign]) for day, sign in zip(days, came, strict=True)]


def opened(came, **options):
    found = attendance.absences(contacts(*weekly("p", came)), as_of=AS_OF, **options)
    return found["because"].tolist()


def test_only_what_the_patient_could_come_to_is_offered():
    found = attendance.per_patient(contacts(*weekly("p", "++-cxo?")), as_of=AS_OF).set_index("month_on")
    february, march = (found.loc[pd.Timestamp(2026, month, 1)] for month in (2, 3))
    names = ["n_offered", "n_attended", "n_no_show", "n_cancelled_by_patient", "n_not_offered", "n_not_recorded"]
    assert february[names].tolist() == [4, 2, 1, 1, 0, 0]
    assert march[names].tolist() == [0, 0, 0, 0, 2, 1]


def test_appointments_are_no_contacts_yet():
    found = attendance.per_patient(contacts(*weekly("p", "++++")), as_of=date(2026, 2, 9))
    assert found["n_offered"].tolist() == [2]


def test_a_day_on_which_the_programme_was_closed_counts_for_nothing():
    closures = {"berk": [(date(2026, 2, 9), date(2026, 2, 15))], "amstel": [(date(2026, 2, 1), date(2026, 2, 28))]}
    found = attendance.per_patient(contacts(*weekly("p", "+-+-")), as_of=AS_OF, closures=closures)
    assert found[["n_offered", "n_attended", "n_not_offered"]].values.tolist() == [[3, 2, 1]]


@pytest.mark.parametrize(
    ("came", "because"),
    [
        ("+++---", ["in_a_row"]),
        ("+++--", []),
        ("++-x-o-", ["in_a_row"]),  # what the programme cancelled or closed neither breaks nor adds to the run
        ("---+", []),  # they came again, and one in four of the last six weeks is the other reason: see below
        ("++c-c", ["in_a_row"]),
        ("++--?-", ["in_a_row"]),
    ],
)
def test_three_missed_in_a_row_open_a_review(came, because):
    assert opened(came, rule=Nonattendance(share=0)) == because


@pytest.mark.parametrize(("came", "because"), [("-+--+-+-", ["share"]), ("-+-+-+-+", []), ("-+-", []), ("xxx-+-", [])])
def test_less_than_half_in_six_weeks_opens_a_review_once_enough_was_offered(came, because):
    """Until 31 March the last six weeks hold the contacts from 18 February on: all but the first three of eight."""
    assert opened(came) == because


def test_a_review_that_was_held_closes_it_and_later_absence_opens_it_again():
    reviews = pd.DataFrame({"programme_id": "berk", "patient_id": "p", "reviewed_on": pd.to_datetime(["2026-03-12"])})
    assert opened("+++---", reviews=reviews) == []
    assert opened("+++----", reviews=reviews) == ["in_a_row"]
    planned = reviews.assign(reviewed_on=pd.to_datetime(["2027-01-04"]))
    assert opened("+++---", reviews=planned) == ["in_a_row"]


def test_a_treatment_that_ended_opens_none():
    others = pd.DataFrame({"programme_id": ["berk"], "patient_id": ["q"]})
    assert opened("---", in_treatment=others) == []
    assert opened("---", in_treatment=others.assign(patient_id="p")) == ["in_a_row"]


def test_the_share_of_a_programme_has_an_interval_over_patients():
    """Eleven patients with 2 offered: 6 came twice, 5 never. p = 12/22; a - 2p = 0.909 (6 times), -1.091 (5 times).

    Sum of squares 6 x 0.8264 + 5 x 1.1901 = 10.909; x 11/10 = 12; root 3.4641; / 22 = 0.15746; x 1.96 = 0.30862.
    """
    rows = [row for i in range(11) for row in weekly(f"p{i:02}", "++" if i < 6 else "--")]
    found = attendance.per_programme(attendance.per_patient(contacts(*rows), as_of=AS_OF)).iloc[0]
    assert (found["n_patients"], found["n_offered"], found["n_attended"]) == (11, 22, 12)
    assert found["attended_share"] == pytest.approx(12 / 22)
    assert found["lower_95"] == pytest.approx(12 / 22 - 0.30862, abs=1e-5)
    assert found["upper_95"] == pytest.approx(12 / 22 + 0.30862, abs=1e-5)


def test_few_patients_give_a_share_without_interval():
    found = attendance.per_programme(attendance.per_patient(contacts(*weekly("p", "++-")), as_of=AS_OF))
    assert found["attended_share"].tolist() == pytest.approx([2 / 3])
    assert found["lower_95"].isna().all()


def test_attendance_before_a_day_leaves_that_day_and_what_is_long_ago_out():
    asked = pd.DataFrame(
        {"programme_id": "berk", "patient_id": ["p", "q"], "due_on": pd.to_datetime(["2026-02-23"] * 2)}
    )
    found = attendance.share_before(asked, contacts(*weekly("p", "+-+-")), on="due_on", days=14)
    assert found.iloc[0] == 0.5
    assert pd.isna(found.iloc[1])


def test_nothing_gives_empty_tables():
    found = attendance.per_patient(contacts(), as_of=AS_OF)
    assert found.equals(ATTENDANCE.empty())
    assert attendance.per_programme(found).equals(ATTENDANCE_BY_MONTH.empty())
    assert attendance.absences(contacts(), as_of=AS_OF).empty
