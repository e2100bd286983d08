"""From bytes to sheets, and sheets understood by the names of their columns alone."""

from __future__ import annotations

import pytest

from mbt_rom import registry
from mbt_rom.exports.detection import read_export, understand
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.understanding import Understanding

VOCABULARY = Vocabulary(registry.instruments())
ITEMS = ",".join(f"phq9_{i}" for i in range(1, 10))


def understood(text: str) -> Understanding:
    sheets = read_export(text.encode(), file_name="x.csv", largest_bytes=10_000, recognise=VOCABULARY.recognised)
    return understand(sheets[0], VOCABULARY, registry.instruments(), usual=["phq9"])


def test_sheet_with_its_header_and_the_row_of_its_first_form() -> None:
    text = "The clinic\nmade on a Monday\npatient," + ITEMS + "\n1,0,0,0,0,0,0,0,0,0\n"
    sheet = read_export(text.encode(), file_name="x.csv", largest_bytes=10_000, recognise=VOCABULARY.recognised)[0]
    assert (sheet.header_row, sheet.first_row, sheet.headers[:2]) == (3, 4, ("patient", "phq9_1"))


@pytest.mark.parametrize(("text", "rule"), [("\n\n", "file_empty"), ("patient,date\n\n", "file_header_only")])
def test_nothing_below_the_header(text: str, rule: str) -> None:
    with pytest.raises(ExportError) as caught:
        read_export(text.encode(), file_name="x.csv", largest_bytes=10_000)
    assert caught.value.rule == rule


def test_every_column_is_told_with_its_role() -> None:
    plan = understood("remarks,patient,phq9_date," + ITEMS + "\nx,1,2026-01-02,0,0,0,0,0,0,0,0,0\n")
    told = {column["column"]: (column["role"], column["instrument"], column["item"]) for column in plan.columns}
    assert told["remarks"] == ("not_taken_in", None, None)
    assert told["patient"] == ("patient", None, None)
    assert told["phq9_date"] == ("date", "phq9", None)
    assert told["phq9_9"] == ("item", "phq9", "phq9_09")
    assert plan.left_columns == [0]


@pytest.mark.parametrize(("cell", "role"), [("2026-01-02", "date"), ("1", "not_taken_in"), ("ja", "not_taken_in")])
def test_column_called_completed_is_a_date_when_it_holds_dates(cell: str, role: str) -> None:
    plan = understood(f"patient,completed,{ITEMS}\n1,{cell},0,0,0,0,0,0,0,0,0\n")
    assert plan.columns[1]["role"] == role


@pytest.mark.parametrize(
    ("header", "register"),
    [
        ("patient,geboortejaar,naam", "patients"),
        ("therapist_id,functie", "therapists"),
        ("episode_id,patient,started_on", "episodes"),
    ],
)
def test_registers(header: str, register: str) -> None:
    plan = understood(f"{header}\n1,2,3\n" if header.count(",") == 2 else f"{header}\n1,2\n")
    assert [part.register for part in plan.registers] == [register]
    assert not plan.forms


def test_sheet_in_which_nothing_is_recognised_takes_nothing() -> None:
    assert not understood("colour,size\nred,3\n").takes_something
