"""Which state of a form stood before, until when and why it changed: every expected row is read off the states by hand."""

import pandas as pd
import pytest

from mbt_rom.registry import instrument
from mbt_rom.revisions import revisions
from mbt_rom.tables import REVISIONS, items_table

PHQ9 = instrument("phq9")
MAY, JUNE, JULY = (pd.Timestamp(f"2024-0{month}-01", tz="UTC") for month in (5, 6, 7))


def form(row_id, *, at, answers=(1,) * 9, patient="p_1", response="r_1", **more):
    base = {
        "programme_id": "north",
        "row_id": row_id,
        "delivery_id": f"d-{row_id}",
        "received_at": at,
        "source_row": 2,
        "block": 0,
        "patient_id": patient,
        "response_id": response,
        "administered_on": "2024-03-01",
    }
    return base | dict(zip(PHQ9.item_ids, answers, strict=False)) | more


def told(*forms, linked=None):
    table = revisions("phq9", items_table(PHQ9).conform(pd.DataFrame(list(forms))), linked=linked)
    assert list(table.columns) == REVISIONS.column_names
    return table[["row_id", "row_id_before", "changed_at", "how"]].to_numpy().tolist()


def test_a_form_that_never_changed_has_no_history():
    assert told(form("a", at=MAY), form("again", at=JUNE)) == []


def test_a_form_that_was_finished_and_one_whose_answer_changed():
    assert told(form("a", at=MAY, answers=(1, 1)), form("b", at=JUNE)) == [["b", "a", JUNE, "finished_later"]]
    assert told(form("a", at=MAY), form("b", at=JUNE, answers=(2,) * 9)) == [["b", "a", JUNE, "exported_again"]]


@pytest.mark.parametrize(("patient", "how"), [("p_1", "corrected"), ("p_2", "moved")])
@pytest.mark.parametrize("response", ["r_1", None])
def test_a_corrected_and_a_moved_form(patient, how, response):
    rows = (
        form("a", at=MAY, response=response),
        form("b", at=JUNE, answers=(2,) * 9, patient=patient, response=response, corrects="a"),
        form("repeat of a", at=JULY, response=response),
    )
    assert told(*rows) == [["b", "a", JUNE, how]]


def test_every_state_before_is_told_with_what_took_its_place():
    rows = (
        form("a", at=MAY, answers=(1, 1)),
        form("b", at=JUNE, answers=(1, 2), corrects="a"),
        form("c", at=JULY),
    )
    assert told(*rows) == [["c", "a", JUNE, "corrected"], ["c", "b", JULY, "finished_later"]]


def test_an_undone_correction_changed_the_form_when_it_was_undone():
    assert told(form("a", at=MAY), form("b", at=JUNE, answers=(2,) * 9, corrects="a", undone_at=JULY)) == [
        ["a", "b", JULY, "undone"]
    ]


def test_an_older_state_that_came_later_never_stood():
    assert told(form("a", at=MAY), form("b", at=JUNE, answers=(1, 1))) == []


def test_a_linked_form_is_told_with_the_day_of_the_link():
    assert told(form("a", at=MAY), linked={"a": JULY}) == [["a", "a", JULY, "linked"]]
