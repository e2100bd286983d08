"""Risk answers of generated deliveries, held against a plain reading of the rules, form by form.

The second opinion knows no frames: it walks over the forms of one patient in Python. It is told what became of each form by
`mbt_rom.acceptance`, whose own properties stand in `test_conservation.py`.
"""

from datetime import date, timedelta

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom.acceptance import dispositions
from mbt_rom.alerts import alerts
from mbt_rom.findings import as_findings
from mbt_rom.model import RiskRule
from mbt_rom.registry import instrument
from mbt_rom.tables import findings_table, items_table

RISKY = {"phq9_09": (1, 2), "phq9_01": (1, None), "phq9_02": (3, None)}  # alert from, high from
MORE = {"level": "alert", "origin": "project_rule", "confidence": "memory"}
PHQ9 = instrument("phq9").model_copy(
    update={
        "risk": (
            *instrument("phq9").risk,
            RiskRule(id="one", item="phq9_01", about="one", value=1, **MORE),
            RiskRule(id="two", item="phq9_02", about="two", value=3, **MORE),
        )
    }
)
FIRST = date(2026, 3, 1)
ERRORS = (None, None, None, None, "answer_not_a_code", "patient_form", "date_before_birth", "row_ragged")


@st.composite
def forms(draw):
    """Forms of a few patients in two programmes, with the finding each has; some copies, earlier states and odd dates."""
    made = []
    for n in range(draw(st.integers(1, 10))):
        answered = FIRST + timedelta(days=draw(st.integers(0, 12)))
        arrived = answered + timedelta(days=draw(st.sampled_from([-1, 0, 0, 1, 7, 8, 20])))
        wrong = draw(st.sampled_from(ERRORS))
        form = {"programme_id": draw(st.sampled_from(["north", "south"])), "source_row": n + 2, "block": 0}
        form |= {"patient_id": None if wrong == "patient_form" else draw(st.sampled_from(["p_1", "p_2"]))}
        form |= {"administered_on": draw(st.sampled_from([answered, answered, answered, None])), "wrong": wrong}
        form |= {"received_at": pd.Timestamp(f"{arrived}T12:00", tz="UTC"), "delivery_id": f"d{arrived}"}
        form |= {"response_id": draw(st.sampled_from([None, None, "x", "y"])), "edition": PHQ9.edition}
        form |= {item: draw(st.sampled_from([None, 0, 1, 2, 3])) for item in RISKY}
        made.append(form | {"phq9_03": draw(st.integers(0, 3)), "row_id": f"r{n:02}"})
    return made


def table(made):
    frame = pd.DataFrame(made).drop(columns="wrong")
    return items_table(PHQ9).conform(frame)


def judged(made):
    keys = ("programme_id", "delivery_id", "row_id")
    rows = [{k: f[k] for k in keys} | {"rule": f["wrong"]} for f in made if f["wrong"]]
    return as_findings(rows, source="phq9") if rows else findings_table("phq9").empty()


def rows_of(made):
    return alerts(
        {"phq9": table(made)}, {"phq9": judged(made)}, definitions={"phq9": PHQ9}, timezone="Europe/Amsterdam"
    )


# ---- the second opinion -------------------------------------------------------------------------------------------------


def visible(form, item, states):
    """The first arrival of a state of the same response with the same answer, or that of the form itself."""
    same = [
        s["received_at"]
        for s in states
        if form["response_id"] is not None
        and (s["programme_id"], s["response_id"], s[item]) == (form["programme_id"], form["response_id"], form[item])
    ]
    return min([*same, form["received_at"]])


def is_dated(form):
    day = form["administered_on"]
    return day is not None and form["wrong"] != "date_before_birth" and day <= form["received_at"].date()


def place(form):
    return (form["administered_on"], form["received_at"], form["row_id"])


def before(form, item, standing, states):
    """Answers of the same patient that come before this one and had arrived by then, the last first."""
    earlier = [
        f
        for f in standing
        if (f["programme_id"], f["patient_id"]) == (form["programme_id"], form["patient_id"])
        and f[item] is not None
        and is_dated(f)
        and place(f) < place(form)
        and visible(f, item, states) <= visible(form, item, states)
    ]
    return [f[item] for f in sorted(earlier, key=place, reverse=True)]


def expected_list(form, item, standing, states):
    seen = visible(form, item, states)
    if is_dated(form) and (seen.date() - form["administered_on"]).days > 7:
        return "old"
    if form["patient_id"] is None or not is_dated(form):
        return "new_or_worse"
    accepted = [f for f in standing if not f["wrong"]]
    two = [before(form, item, pool, states)[:2] for pool in (standing, accepted)]
    is_known = all(some and all(answer >= form[item] for answer in some) for some in two)
    return "unchanged_known" if is_known else "new_or_worse"


def second_opinion(made):
    fate = dispositions(table(made), judged(made)).to_dict()
    standing = [f for f in made if fate[f["row_id"]] in ("accepted", "set_aside")]
    states = [f for f in made if fate[f["row_id"]] == "superseded"]
    told = {}
    for form in standing:
        for item, (alert, high) in RISKY.items():
            if form[item] is not None and form[item] >= alert:
                level = "high" if high is not None and form[item] >= high else "alert"
                status = "set_aside" if form["wrong"] else "accepted"
                key = (form["programme_id"], form["row_id"], item)
                told[key] = (form[item], level, expected_list(form, item, standing, states), status)
    return told


@given(forms())
def test_every_risk_answer_of_a_form_that_stands_is_there_once_and_on_its_list(made):
    rows = rows_of(made)
    keys = list(zip(rows["programme_id"], rows["row_id"], rows["item"], strict=True))
    told = list(zip(rows["answer"], rows["level"], rows["list"], rows["form_status"], strict=True))
    assert len(keys) == len(set(keys))
    assert dict(zip(keys, told, strict=True)) == second_opinion(made)


@given(forms(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(made, random):
    shuffled = made.copy()
    random.shuffle(shuffled)
    pd.testing.assert_frame_equal(rows_of(made), rows_of(shuffled))


@given(forms())
def test_delivering_everything_again_adds_nothing(made):
    """But for forms that nobody can recognise: those without a patient or a date."""
    given_once = [
        f | {"response_id": None} for f in made if f["patient_id"] and f["administered_on"] and not f["wrong"]
    ]
    later = {"received_at": pd.Timestamp("2026-09-01T12:00", tz="UTC"), "delivery_id": "d9"}
    again = [f | later | {"row_id": f"again-{f['row_id']}"} for f in given_once]
    if given_once:
        pd.testing.assert_frame_equal(rows_of(given_once), rows_of(given_once + again))
