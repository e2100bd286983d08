"""A drafted mapping: what is sure stands there, what is probable is marked, and the draft is a mapping that reads the file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mbt_rom import registry
from mbt_rom.conform import Conformed, deliver
from mbt_rom.exports.drafting import CONFIRM, draft
from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import parse_settings

SETTINGS = parse_settings(
    "name: x\nissuers: {clinic: {form: digits}}\n"
    "programmes: {north: {name: North, issuer: clinic, instruments: [phq9]}}\n"
)
HEADER = "Nr,Invuldatum,Q1,Q2,Q3,Q4,Q5,Q6,Q7,Q8,Q9,opm"
UNNAMED = f"{HEADER}\n101,2026-03-02,1,0,3,2,1,0,3,2,1,fine\n102,2026-03-04,0,0,1,1,2,2,3,3,0,\n".encode()


def delivered(data: bytes, **more: Any) -> Conformed:
    return deliver(
        data,
        file_name="q.csv",
        programme_id="north",
        delivery_id="d" * 64,
        received_at=datetime(2026, 4, 1, tzinfo=UTC),
        settings=SETTINGS,
        instruments={i: d for i, d in registry.instruments().items() if d.monitors == "outcome"},
        pseudonyms=Pseudonyms(b"k" * 32),
        **more,
    )


def test_a_file_without_names_is_read_by_its_confirmed_draft() -> None:
    first = delivered(UNNAMED)
    assert first.refused_for == "file_to_confirm"
    text = draft(first.understood, name="intake", file_name="q.csv")
    assert text.count(CONFIRM) == 11  # nine questions, the number and the date
    second = delivered(UNNAMED, mappings=[parse_mapping(text, file="intake.yaml")])
    assert second.refused_for is None
    forms = second.items["phq9"]
    assert forms[[f"phq9_0{n}" for n in range(1, 10)]].to_numpy().tolist() == [
        [1, 0, 3, 2, 1, 0, 3, 2, 1],
        [0, 0, 1, 1, 2, 2, 3, 3, 0],
    ]
    assert forms["administered_on"].dt.strftime("%Y-%m-%d").tolist() == ["2026-03-02", "2026-03-04"]


def test_the_draft_fits_files_of_the_same_shape_and_no_other() -> None:
    mapping = parse_mapping(draft(delivered(UNNAMED).understood, name="intake", file_name="q.csv"), file="x.yaml")
    later = UNNAMED.replace(b",opm", b"").replace(b",fine", b"").replace(b"0,\n", b"0\n")
    assert delivered(later, mappings=[mapping]).mapping == "intake"
    other = UNNAMED.replace(b"Q9", b"Q10")
    assert delivered(other, mappings=[mapping]).mapping != "intake"


def test_what_is_sure_is_not_marked_and_no_cell_stands_in_the_draft() -> None:
    named = b"patient_id,date,remarks,phq9_1,phq9_2,phq9_3,phq9_4,phq9_5,phq9_6,phq9_7,phq9_8,phq9_9\n"
    read = delivered(named + b"4711,2026-03-02,lonely at night,1,0,3,2,1,0,3,2,1\n")
    text = draft(read.understood, name="intake", file_name="q.csv")
    assert CONFIRM not in text
    assert "lonely" not in text
    assert "4711" not in text
    assert parse_mapping(text, file="x.yaml").forms[0].instrument == "phq9"


def test_headers_that_yaml_would_read_otherwise_come_back_as_they_are() -> None:
    told = {"sheet": None, "role": "item", "block": 0, "coding": "one_based", "proposal": None, "instrument": "phq9"}
    odd = 'On: "x" # 1, {é}'
    columns = [
        told | {"column": odd, "item": "phq9_01"},
        {**told, "role": "patient", "column": "No", "item": None, "instrument": None},
    ]
    mapping = parse_mapping(draft(columns, name="odd", file_name="q.csv"), file="x.yaml")
    assert mapping.forms[0].items == {"phq9_01": odd}
    assert mapping.forms[0].codings == ("one_based",)
    assert mapping.patient is not None
    assert mapping.patient.column == "No"


def test_nothing_to_draft() -> None:
    with pytest.raises(ValueError, match="no column"):
        draft([], name="x", file_name="q.csv")
