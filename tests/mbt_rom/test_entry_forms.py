"""Forms from paper: what may be typed, what comes out of a typed workbook, and how two entries differ."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime

import pandas as pd
import pytest
import python_calamine
import xlsxwriter

from mbt_rom import registry
from mbt_rom.conform import Conformed, deliver
from mbt_rom.entry_forms import differences, entry_columns, least_risk
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import parse_settings
from pipelines.commands.template import workbook

SETTINGS = parse_settings(
    "name: x\nissuers: {clinic: {form: digits}}\n"
    "programmes: {north: {name: North, issuer: clinic, instruments: [phq9]}}\n"
)


def typed(template: bytes, rows: list[dict[str, object]]) -> bytes:
    """The template with rows typed below its header, as a spreadsheet saves it."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(template))
    cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    headers = cells[3]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as target:
        sheet = target.add_worksheet(book.sheet_names[0])
        for r, row in enumerate([*cells, *([row.get(h, "") for h in headers] for row in rows)]):
            for c, cell in enumerate(row):
                if cell != "":
                    sheet.write(r, c, cell)
    return out.getvalue()


def delivered(data: bytes, instrument: Instrument) -> Conformed:
    return deliver(
        data,
        file_name="typed.xlsx",
        programme_id="north",
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 4, 1, tzinfo=UTC),
        settings=SETTINGS,
        instruments={instrument.id: instrument},
        pseudonyms=Pseudonyms(b"k" * 32),
    )


@pytest.mark.parametrize("instrument_id", registry.instrument_ids())
def test_a_typed_form_of_every_instrument_comes_back_as_typed(instrument_id: str) -> None:
    instrument = registry.instrument(instrument_id)
    order = next(iter(instrument.orders)) if instrument.order_must_be_stated else None
    answers = {
        item.id: item.min + (place % 2 if item.allows(item.min + 1) else 0)
        for place, item in enumerate(instrument.items)
    }
    row = {"patient": "0017", "date_completed": "2026-03-01", "initials": "=ab", "language": "nl", **answers}
    read = delivered(typed(workbook(instrument, order=order), [row]), instrument)
    assert read.refused_for is None, read.findings[["rule", "detail"]].values.tolist()
    form = read.items[instrument.id].iloc[0]
    assert {item: form[item] for item in answers} == answers
    assert (form["mode"], form["language"], form["source_row"]) == ("paper", "nl", 5)
    assert form["administered_on"] == pd.Timestamp("2026-03-01")


def test_an_empty_template_is_refused_as_empty() -> None:
    phq9 = registry.instrument("phq9")
    assert delivered(workbook(phq9), phq9).refused_for == "file_header_only"


def test_initials_and_day_of_typing_are_not_taken_in() -> None:
    phq9 = registry.instrument("phq9")
    read = delivered(typed(workbook(phq9), [{"patient": "17", "date_completed": "2026-03-01", "phq9_01": 1}]), phq9)
    roles = {column["column"]: column["role"] for column in read.understood}
    assert (roles["initials"], roles["date_entered"], roles["mode"]) == ("not_taken_in", "not_taken_in", "mode")


def test_the_columns_follow_the_printed_order() -> None:
    ecrr = registry.instrument("ecrr")
    headers = [c.header for c in entry_columns(ecrr, order="alternating") if c.is_item]
    assert headers == list(ecrr.orders["alternating"]) != list(ecrr.item_ids)
    assert sorted(headers) == sorted(ecrr.item_ids)


def test_the_ninth_question_of_the_phq9_is_a_risk_answer_from_one_on() -> None:
    columns = {c.header: least_risk(c) for c in entry_columns(registry.instrument("phq9"))}
    assert columns["phq9_09"] == 1
    assert columns["phq9_08"] is None


FIRST = pd.DataFrame(
    {
        "row": [5, 6, 7],
        "patient": ["17", "18", "19"],
        "date_completed": ["2026-03-01"] * 3,
        "initials": ["ab"] * 3,
        "phq9_01": ["1", "", "2"],
        "phq9_02": ["0", "3", "3"],
    }
)


def test_two_equal_entries_in_another_order_do_not_differ() -> None:
    second = FIRST.iloc[::-1].assign(row=[5, 6, 7], initials="cd", phq9_02=["3.0", "3", "0"])
    assert differences(FIRST, second).empty


def test_differences_name_both_rows_and_the_column() -> None:
    second = pd.DataFrame(
        {
            "row": [5, 6, 7],
            "patient": ["18", "17", "20"],
            "date_completed": ["2026-03-01"] * 3,
            "initials": ["cd"] * 3,
            "phq9_01": ["1", "1", "2"],
            "phq9_02": ["3", "0", "3"],
        }
    )
    found = differences(FIRST, second).astype(object).where(lambda f: f.notna(), None)
    assert found.to_numpy().tolist() == [
        ["differs", 6, 5, "phq9_01"],
        ["only_in_first", 7, None, ""],
        ["only_in_second", None, 7, ""],
    ]


def test_two_forms_of_one_day_are_compared_one_by_one() -> None:
    twice = FIRST.head(1)
    first = pd.concat([twice, twice.assign(row=6, phq9_01="3")])
    second = pd.concat([twice, twice.assign(row=6, phq9_01="2")])
    assert differences(first, second).to_numpy().tolist() == [["differs", 6, 6, "phq9_01"]]
