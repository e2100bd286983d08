"""What fits together only between tables: each rule fires where it must, not beside it, and sets nothing aside."""

from datetime import date

import pandas as pd
import pytest

from expectations.plausibility import validate_plausibility
from mbt_rom import registry, schedule
from mbt_rom.findings import RULES
from mbt_rom.plausibility import Known
from mbt_rom.registry import instrument
from mbt_rom.scoring import score
from mbt_rom.settings import Consortium
from mbt_rom.tables import EPISODES, PATIENTS, THERAPISTS, findings_table, items_table
from mbt_rom.trajectories import trajectories

PHQ9, BSI = instrument("phq9"), instrument("bsi")
SETTINGS = Consortium.model_validate(
    {
        "name": "x",
        "issuers": {"h": {}},
        "programmes": {"north": {"name": "N", "issuer": "h", "instruments": ["bsi"]}},
        "months": [0, 6],
    }
)
AS_OF = date(2024, 12, 31)


def form(definition, row_id, patient, on, *, answer=1, **more):
    return {
        "programme_id": "north",
        "row_id": row_id,
        "delivery_id": "d1",
        "received_at": pd.Timestamp("2024-12-01", tz="UTC"),
        "sheet": "S",
        "source_row": 2,
        "block": 0,
        "patient_id": patient,
        "administered_on": on,
        "form_state": "complete",
        **dict.fromkeys(definition.item_ids, answer),
        **more,
    }


def episodes(*rows):
    """Rows of (episode, patient, started_on) and, optionally, ended_on, referred_on and therapist_id."""
    names = ["episode_id", "patient_id", "started_on", "ended_on", "referred_on", "therapist_id"]
    frame = pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows], columns=names)
    for column in ("started_on", "ended_on", "referred_on"):
        frame[column] = pd.to_datetime(frame[column]).astype("datetime64[s]")
    rows_of = [f"d0-1-{n + 2}-e" for n in range(len(frame))]
    return EPISODES.conform(frame.assign(programme_id="north", row_id=rows_of, delivery_id="d0"))


def found(forms=(), of=None, *, therapists=(), patients=(), numbers=None, settings=SETTINGS, ends=None, **known_too):
    """Findings as (rule, row_id, item, detail)."""
    of = episodes() if of is None else of
    items = {
        d.id: items_table(d).conform(
            pd.DataFrame([f for f in forms if d.item_ids[0] in f]).reindex(columns=items_table(d).column_names)
        )
        for d in (PHQ9, BSI)
    }
    scores = pd.concat([score(d, items[d.id], software_version="x") for d in (PHQ9, BSI)], ignore_index=True)
    told = scores.drop_duplicates(["programme_id", "instrument", "row_id"], ignore_index=True)
    # A form of a patient who is in no register is set aside, so the plan never sees it.
    known_ones = told["patient_id"].isin(list(patients)) if patients else pd.Series(True, index=told.index)
    expected = schedule.expected(
        told[known_ones], of, settings=settings, definitions=registry.instruments(), as_of=AS_OF, ends=ends
    )
    ids = [f"q{n}" for n in range(len(patients))]
    register = PATIENTS.conform(
        pd.DataFrame(
            {
                "programme_id": "north",
                "patient_id": list(patients),
                "birth_year": 1990,
                "row_id": ids,
                "delivery_id": "d0",
            }
        )
    )
    staff = pd.DataFrame(list(therapists), columns=["therapist_id", "started_on", "ended_on"])
    for column in ("started_on", "ended_on"):
        staff[column] = pd.to_datetime(staff[column]).astype("datetime64[s]")
    known = Known(
        definitions={"phq9": PHQ9, "bsi": BSI},
        settings=settings,
        items=items,
        expected=expected,
        trajectories=trajectories(scores, expected, of, settings=settings),
        episodes=of,
        therapists=THERAPISTS.conform(staff.assign(programme_id="north", row_id="t", delivery_id="d0")),
        patients=register,
        delivery_findings=findings_table("deliveries").empty(),
        numbers=numbers or {},
        **known_too,
    )
    rows = validate_plausibility(known)
    assert set(rows["severity"]) <= {"notice"}
    told_of = rows[["rule", "row_id", "item", "detail"]].astype(object)
    return told_of.where(told_of.notna(), None).values.tolist()


def test_nothing_at_all_has_no_findings():
    assert found() == []


def contacts(*came):
    days = pd.date_range("2024-03-04", periods=len(came), freq="7D").astype("datetime64[s]")
    rows = pd.DataFrame(
        {"contact_on": days, "attendance": list(came), "row_id": [f"d0-1-{n + 2}-c" for n in range(len(came))]}
    )
    return rows.assign(programme_id="north", patient_id="p1", delivery_id="d0").astype({"attendance": "str"})


@pytest.mark.parametrize(("ended_on", "is_opened"), [(None, True), ("2024-03-20", False)])
def test_absence_in_treatment_opens_a_review_and_tells_nothing_but_its_place(ended_on, is_opened):
    of = episodes(("e1", "p1", "2024-02-01", ended_on, "2024-01-02"))
    told_of = found(
        of=of,
        contacts=contacts("attended", "no_show", "no_show", "cancelled_by_patient"),
        judged_on={"north": date(2024, 4, 1)},
    )
    assert told_of == ([["review_after_nonattendance", "d0-1-5-c", "attendance", None]] if is_opened else [])


def test_the_absence_of_somebody_whose_death_an_event_tells_opens_nothing():
    of = episodes(("e1", "p1", "2024-02-01", None, "2024-01-02"))
    died = {"programme_id": ["north"], "patient_id": ["p1"], "ended_on": [pd.Timestamp("2024-03-06")], "why": ["died"]}
    came = contacts("attended", "no_show", "no_show", "no_show")
    assert found(of=of, ends=pd.DataFrame(died), contacts=came, judged_on={"north": date(2024, 4, 1)}) == []


def test_absence_after_the_day_on_which_contacts_were_known_is_none():
    of = episodes(("e1", "p1", "2024-02-01", None, "2024-01-02"))
    came = contacts("attended", "no_show", "no_show", "no_show")
    assert found(of=of, contacts=came, judged_on={"north": date(2024, 3, 20)}) == []


# ---- episodes -------------------------------------------------------------------------------------------------------------------


def test_treatment_starts_after_the_referral():
    of = episodes(("e1", "p1", "2024-02-01", None, "2024-02-02"), ("e2", "p2", "2024-02-01", None, "2024-02-01"))
    assert found(of=of) == [["treatment_before_intake", "d0-1-2-e", "started_on", None]]


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        (("2023-01-01", "2024-01-01"), ("2024-01-01", None), False),
        (("2023-01-01", "2024-01-02"), ("2024-01-01", None), True),
        (("2023-01-01", None), ("2024-01-01", None), True),
        (("2024-01-01", None), ("2023-01-01", "2023-06-01"), False),
        ((None, None), ("2024-01-01", None), False),
    ],
)
def test_an_episode_starts_when_the_one_before_has_ended(first, second, overlap):
    rules = [f[0] for f in found(of=episodes(("e1", "p1", *first), ("e2", "p1", *second)))]
    assert rules == ["episodes_overlap"] * overlap
    assert found(of=episodes(("e1", "p1", *first), ("e2", "p2", *second))) == []


def test_a_therapist_is_in_the_register_and_in_service():
    of = episodes(
        *((f"e{n}", f"p{n}", "2024-03-01", None, None, t) for n, t in enumerate(("t1", "t2", "t3", "t9", None)))
    )
    staff = [("t1", None, None), ("t2", "2024-03-02", None), ("t3", "2020-01-01", "2024-02-29")]
    assert found(of=of, therapists=staff) == [
        ["therapist_not_allocated", "d0-1-3-e", "therapist_id", "not in service at the start"],
        ["therapist_not_allocated", "d0-1-4-e", "therapist_id", "not in service at the start"],
        ["therapist_not_allocated", "d0-1-5-e", "therapist_id", "not in the register"],
    ]
    # without a register nobody can tell
    assert found(of=of) == []


# ---- forms ----------------------------------------------------------------------------------------------------------------------


def test_an_instrument_that_the_programme_does_not_plan_is_told_once_per_delivery():
    forms = [form(PHQ9, f"r{n}", f"p{n}", "2024-03-01") for n in range(3)] + [form(BSI, "b", "p1", "2024-03-01")]
    assert found(forms) == [["instrument_not_planned", None, "phq9", "3 forms"]]


@pytest.mark.parametrize(("on", "too_soon"), [("2024-03-05", True), ("2024-03-06", False), ("2024-03-08", False)])
def test_a_weekly_form_comes_once_a_week_give_or_take_two_days(on, too_soon):
    forms = [form(PHQ9, "r1", "p1", "2024-03-01"), form(PHQ9, "r2", "p1", on), form(PHQ9, "r3", "p2", on)]
    rules = [f[:3] for f in found(forms) if f[0] != "instrument_not_planned"]
    assert rules == [["weekly_more_than_once", "r2", "phq9"]] * too_soon


@pytest.mark.parametrize(("last", "days"), [("2024-01-25", None), ("2024-01-26", 31)])
def test_forms_of_one_moment_lie_at_most_thirty_days_apart(last, days):
    """Started on 20 January 2024; the first form came on 26 December 2023, 30 days before 25 January."""
    of = {"name": "N", "issuer": "h", "instruments": ["bsi", "phq9"]}
    settings = Consortium.model_validate({"name": "x", "issuers": {"h": {}}, "programmes": {"north": of}})
    given = [form(BSI, "r1", "p1", "2023-12-26"), form(PHQ9, "r2", "p1", last)]
    told = [["forms_far_apart", "r2", "phq9", f"baseline: {days} days after the first form"]]
    assert found(given, episodes(("e1", "p1", "2024-01-20")), settings=settings) == (told if days else [])


def test_what_is_no_weekly_form_may_come_at_any_time():
    assert found([form(BSI, "r1", "p1", "2024-03-01"), form(BSI, "r2", "p1", "2024-03-02")]) == []


@pytest.mark.parametrize(
    ("answer", "on", "is_told"), [(4, "2024-03-15", True), (4, "2024-03-16", False), (3, "2024-03-02", False)]
)
def test_a_change_over_most_of_the_scale_within_two_weeks_is_worth_a_look(answer, on, is_told):
    """From 0 to 4 is the whole range of the BSI, from 0 to 3 three quarters of it."""
    forms = [form(BSI, "r1", "p1", "2024-03-01", answer=0), form(BSI, "r2", "p1", on, answer=answer)]
    detail = "more than 80% of the scale within 14 days"
    assert found(forms) == [["change_implausible", "r2", "bsi gsi", detail]] * is_told


# ---- a number that was mistyped ---------------------------------------------------------------------------------------------------

NUMBERS = {"p1": ("h", "1234"), "p2": ("h", "1243"), "p9": ("h", "12433")}
#: p1 started in 2022; p2 in January 2024, with six months on 10 July.
BOTH = episodes(("e1", "p1", "2022-01-10"), ("e2", "p2", "2024-01-10"))
ANSWERED = [form(BSI, "a", "p1", "2022-01-01"), form(BSI, "b", "p1", "2022-07-10")]


def near(forms, **more):
    return [f[:3] for f in found([*ANSWERED, *forms], BOTH, numbers=NUMBERS, **more) if f[0] == "number_one_digit_away"]


def test_a_form_that_fits_only_the_neighbouring_number_is_worth_a_look():
    assert near([form(BSI, "x", "p1", "2024-07-12")]) == [["number_one_digit_away", "x", "bsi"]]
    # the neighbour has that form
    assert near([form(BSI, "x", "p1", "2024-07-12"), form(BSI, "y", "p2", "2024-07-01")]) == []
    # the year of birth beside the form is that of its patient
    assert near([form(BSI, "x", "p1", "2024-07-12", birth_year_given=1990)], patients=["p1", "p2"]) == []
    assert len(near([form(BSI, "x", "p1", "2024-07-12", birth_year_given=1991)], patients=["p1", "p2"])) == 1


def test_a_form_that_came_late_is_the_patients_own():
    """Nearest to it lies the patient's own moment, which has no form."""
    assert found([form(BSI, "x", "p2", "2024-09-10")], BOTH, numbers=NUMBERS) == []


def test_a_number_that_no_register_knows_may_be_one_slip_away():
    assert near([form(BSI, "x", "p9", "2024-07-12")], patients=["p1", "p2"]) == [["number_one_digit_away", "x", "bsi"]]
    assert near([form(BSI, "x", "p9", "2024-10-12")], patients=["p1", "p2"]) == []


def test_no_finding_names_a_number():
    rows = found([*ANSWERED, form(BSI, "x", "p1", "2024-07-12")], BOTH, numbers=NUMBERS)
    assert "1234" not in str(rows)
    assert "1243" not in str(rows)


# ---- a delivery against the past ---------------------------------------------------------------------------------------------------


def test_a_delivery_in_which_everything_changed_is_told_with_the_numbers_of_patients():
    later = {"delivery_id": "d2", "received_at": pd.Timestamp("2024-12-20", tz="UTC")}
    before = [form(BSI, f"r{n}", f"p{n}", "2024-03-01", answer=n % 2) for n in range(40)]
    after = [form(BSI, f"s{n}", f"q{n}", "2024-12-01", answer=3 + n % 2, **later) for n in range(20)]
    assert found([*before, *after]) == [["answers_drifted", None, "bsi", "20 new patients beside 40 before"]]
    assert found([*before, *after[:19]]) == []
    same = [form(BSI, f"s{n}", f"q{n}", "2024-12-01", answer=n % 2, **later) for n in range(20)]
    assert found([*before, *same]) == []


def test_every_rule_of_this_source_sets_nothing_aside_and_speaks_dutch():
    own = {
        "treatment_before_intake", "episodes_overlap", "therapist_not_allocated", "instrument_not_planned",
        "weekly_more_than_once", "forms_far_apart", "change_implausible", "answers_drifted", "items_swapped", "number_one_digit_away",
    }  # fmt: skip
    assert {RULES[r].severity for r in own} == {"notice"}
    assert all(RULES[r].sentence_nl and RULES[r].remedy_nl for r in own)
