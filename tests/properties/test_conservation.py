"""The conservation law, from a known truth: nothing is lost, nothing is counted twice, and what is accepted is the truth.

A generated truth (forms as they were filled in, one per patient and day) is delivered the way programmes deliver: some
forms twice, some in an earlier state first, some contradicted by a second form of the day, some with a fault, and in any
order. Each administration that is made up knows what must become of it.
"""

from dataclasses import dataclass
from datetime import date

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.items import validate_items
from mbt_rom.acceptance import accept, conservation, dispositions, forms_of_the_day, open_rows, withdrawn_rows
from mbt_rom.findings import as_findings
from mbt_rom.registry import instrument
from mbt_rom.tables import CONTENTS, PATIENTS, items_table

PHQ9 = instrument("phq9")
AS_OF = date(2024, 6, 1)
DAYS = pd.date_range("2022-01-01", periods=4, freq="180D")
PATIENTS_OF = {programme: [f"p_{programme}_{n}" for n in range(4)] for programme in ("north", "south")}
REGISTER = PATIENTS.conform(
    pd.DataFrame(
        [{"programme_id": p, "patient_id": i, "birth_year": 1990} for p, ids in PATIENTS_OF.items() for i in ids]
    )
)
ANSWERS = st.lists(st.one_of(st.integers(0, 3), st.none()), min_size=10, max_size=10).filter(
    lambda given: any(answer is not None for answer in given)
)

#: What is delivered instead of, or beside, a form that was filled in; `good` forms come as they are.
FATES = ("good", "twice", "thrice", "begun first", "contradicted", "bad answer", "unreadable", "no patient", "future")
FAULTS = {
    "bad answer": {"phq9_01": 9},
    "unreadable": {"phq9_01": None, "unreadable_items": "phq9_01"},
    "no patient": {"patient_id": None, "patient_problem": "patient_missing"},
    "future": {"administered_on": pd.Timestamp("2031-01-01")},
}


@dataclass(frozen=True)
class Delivered:
    """Rows of a delivered file, and what must become of each."""

    rows: tuple[dict, ...]
    due: tuple[str, ...]


def _delivered(form, fate, with_response_id):
    form = form | ({"response_id": f"x-{form['patient_id']}-{form['administered_on']}"} if with_response_id else {})
    later = {"received_at": form["received_at"] + pd.Timedelta(days=30), "delivery_id": "d2"}
    if fate in FAULTS:
        return Delivered((form | FAULTS[fate],), ("set_aside",))
    if fate == "twice":
        return Delivered((form, form | later), ("accepted", "duplicate"))
    if fate == "thrice":
        return Delivered((form | later, form | later, form), ("duplicate", "duplicate", "accepted"))
    if fate == "begun first" and with_response_id:
        begun = form | dict.fromkeys(PHQ9.item_ids[1:]) | {"phq9_01": 3 - (form["phq9_01"] or 0), "is_complete": False}
        return Delivered((begun, form | later | {"is_complete": True}), ("superseded", "accepted"))
    if fate == "contradicted":
        other = form | later | {"response_id": None, "phq9_01": 3 - (form["phq9_01"] or 0)}
        return Delivered((form, other), ("set_aside", "set_aside"))
    return Delivered((form,), ("accepted",))


@st.composite
def deliveries(draw):
    """Items as delivered, in any order; what must become of each row; and how many blanks the reader passed over."""
    places = [(p, i, day) for p, ids in PATIENTS_OF.items() for i in ids for day in DAYS]
    chosen = draw(st.lists(st.sampled_from(places), unique=True, min_size=1, max_size=12))
    rows, due = [], []
    for programme, patient, day in chosen:
        form = {"programme_id": programme, "patient_id": patient, "administered_on": day, "block": 0}
        form |= {"received_at": pd.Timestamp("2024-01-01", tz="UTC"), "delivery_id": "d1"}
        form |= dict(zip(PHQ9.item_ids, draw(ANSWERS), strict=True))
        made = _delivered(form, draw(st.sampled_from(FATES)), draw(st.booleans()))
        rows += made.rows
        due += made.due
    numbered = [row | {"row_id": f"r{n}", "source_row": n + 2} for n, row in enumerate(rows)]
    order = draw(st.permutations(range(len(numbered))))
    items = items_table(PHQ9).conform(pd.DataFrame([numbered[n] for n in order]))
    expected = pd.Series(due, index=[f"r{n}" for n in range(len(due))])
    return items, expected, draw(st.integers(0, 3)), draw(st.integers(0, 3))


def _judged(items):
    """What `validate_items` finds in these rows, without the cost of the validation engine; a test below compares them."""
    rows = open_rows(items)
    rules = {
        "answer_out_of_range": rows["phq9_01"] == 9,
        "answer_not_a_code": rows["unreadable_items"].notna(),
        "patient_missing": rows["patient_id"].isna(),
        "date_in_future": rows["administered_on"] > pd.Timestamp(AS_OF),
    }
    own = pd.concat([rows.loc[broken.fillna(False)].assign(rule=rule) for rule, broken in rules.items()])
    good = rows.loc[~rows["row_id"].isin(own["row_id"])]
    conflicts = good.loc[(forms_of_the_day(good) > 1).fillna(False)].assign(rule="same_day_conflict")
    named = pd.concat([own, conflicts])[["programme_id", "delivery_id", "row_id", "source_row", "rule"]]
    return as_findings(named, source="phq9")


@settings(max_examples=8)
@given(deliveries())
def test_the_findings_are_those_of_the_expectations(delivered):
    items, _, _, _ = delivered
    found = validate_items(PHQ9, items, patients=REGISTER, as_of=AS_OF)
    key = ["row_id", "rule"]
    assert sorted(found[key].values.tolist()) == sorted(_judged(items)[key].values.tolist())


def _contents(items, n_blank, n_left_out):
    counted = items.groupby("programme_id", as_index=False).size().rename(columns={"size": "n_rows"})
    counted["n_rows"] += n_blank + n_left_out
    return CONTENTS.conform(counted.assign(delivery_id="d1", instrument="phq9", n_blank=n_blank, n_left_out=n_left_out))


@given(deliveries())
def test_every_row_has_the_disposition_that_the_truth_asks_for(delivered):
    items, expected, _, _ = delivered
    disposition = dispositions(items, _judged(items))
    assert disposition.index.is_unique
    assert disposition.reindex(expected.index).to_dict() == expected.to_dict()


@given(deliveries())
def test_the_law_holds_and_accepted_rows_are_the_truth(delivered):
    items, expected, n_blank, n_left_out = delivered
    findings = _judged(items)
    disposition = dispositions(items, findings)
    law = conservation(_contents(items, n_blank, n_left_out), {"phq9": items}, {"phq9": findings})
    assert law["is_conserved"].all()
    n_truth = expected.value_counts()
    for name in ("accepted", "set_aside", "duplicate", "superseded"):
        assert law[f"n_{name}"].sum() == n_truth.get(name, 0)
    kept = accept(items, disposition)
    assert set(kept["row_id"]) == set(expected.index[expected == "accepted"])
    assert not kept.duplicated(["programme_id", "patient_id", "administered_on"]).any(), "one form per patient and day"


@given(deliveries())
def test_a_row_that_the_reader_lost_breaks_the_law(delivered):
    items, _, n_blank, n_left_out = delivered
    contents = _contents(items, n_blank, n_left_out)
    lost = items.iloc[1:].reset_index(drop=True)
    law = conservation(contents, {"phq9": lost}, {"phq9": _judged(lost)}).set_index("programme_id")
    assert not law.loc[items.loc[0, "programme_id"], "is_conserved"]
    assert law.drop(index=items.loc[0, "programme_id"])["is_conserved"].all()


@given(deliveries(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(delivered, random):
    items, _, _, _ = delivered
    order = list(range(len(items)))
    random.shuffle(order)
    shuffled = items.iloc[order].reset_index(drop=True)
    first, second = dispositions(items, _judged(items)), dispositions(shuffled, _judged(shuffled))
    assert second.reindex(first.index).equals(first)


@given(deliveries())
def test_delivering_everything_again_accepts_nothing_new(delivered):
    items, expected, _, _ = delivered
    again = items.assign(
        row_id="again-" + items["row_id"], delivery_id="d9", received_at=items["received_at"] + pd.Timedelta(days=90)
    )
    both = pd.concat([items, again], ignore_index=True)
    disposition = dispositions(both, _judged(both))
    # A form without a patient number stays a fault each time it comes; every other row becomes a duplicate or superseded.
    assert disposition.reindex(expected.index).eq("accepted").equals(expected.eq("accepted"))
    assert not disposition[disposition.index.str.startswith("again-")].eq("accepted").any()


def _exported_again(items, kept):
    """Everything delivered, and a later export of the same name that holds the accepted rows alone; the files of both."""
    again = items.loc[items["row_id"].isin(kept)].assign(
        row_id=lambda rows: "again-" + rows["row_id"],
        delivery_id="d9",
        received_at=lambda rows: rows["received_at"] + pd.Timedelta(days=90),
    )
    both = pd.concat([items, again], ignore_index=True)
    came = both.groupby("delivery_id", as_index=False)["received_at"].max()
    return both, came.assign(folder="_shared", file_name="export.csv", shape="one")


@given(deliveries())
def test_a_mended_export_leaves_nothing_set_aside_and_the_law_holds(delivered):
    items, expected, n_blank, n_left_out = delivered
    accepted = expected.index[expected == "accepted"]
    both, files = _exported_again(items, accepted)
    judged = _judged(both)
    is_open = both["row_id"].isin(open_rows(both)["row_id"])
    gone = withdrawn_rows(both, files, is_open=is_open, is_broken=both["row_id"].isin(judged["row_id"]))
    withdrew = as_findings(
        both.loc[gone.index, ["programme_id", "delivery_id", "row_id"]].assign(rule="withdrawn_at_source"),
        source="phq9",
    )
    findings = pd.concat([judged.loc[~judged["row_id"].isin(withdrew["row_id"])], withdrew], ignore_index=True)
    disposition = dispositions(both, findings)
    heard_of = both.loc[both["delivery_id"] == "d9", "programme_id"].unique()
    told = (
        both.assign(is_set_aside=disposition.eq("set_aside").to_numpy()).groupby("programme_id")["is_set_aside"].any()
    )
    assert not told.reindex(heard_of).any(), "every bad row is gone where the programme exported again"
    assert set(disposition.index[disposition == "accepted"]) == set(accepted), "and no row counts that did not before"
    law = conservation(_contents(both, n_blank, n_left_out), {"phq9": both}, {"phq9": findings})
    assert law["is_conserved"].all()
