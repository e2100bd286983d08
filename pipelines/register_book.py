"""The workbook into which registers are typed: a sheet each, with drop-downs for codes and checks of dates.

Belongs here: how the sheets look. Does not belong here: which columns there are and what is said (`mbt_rom.register_forms`), reading it back
(`mbt_rom.exports.register_book`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any

from mbt_rom.exports.register_book import title
from mbt_rom.register_forms import note, register_columns

if TYPE_CHECKING:
    from mbt_rom.entry_forms import EntryColumn
    from mbt_rom.registers import Register

ROWS = 2000
TOLD_ROW, HEADER_ROW = 2, 3
_NOTE_WIDTH, _LINE_HEIGHT, _LETTERS_PER_LINE = 760, 17, 105
_SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def workbook(registers: Sequence[Register]) -> bytes:
    """The workbook of these registers as the bytes of an XLSX file."""
    import xlsxwriter

    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, _SAFE) as book:
        for register in registers:
            _sheet(book, register)
        notes = book.add_worksheet("Read me - Lees mij")
        # Boxes, no cells: a sheet without cells is no sheet of data when the workbook is loaded.
        for place, language in ((0, "en"), (12, "nl")):
            text = note(registers, language)  # type: ignore[arg-type]
            notes.insert_textbox(0, place, text, {"width": _NOTE_WIDTH, "height": _height(text)})
    return buffer.getvalue()


def _height(text: str) -> int:
    lines = sum(1 + len(line) // _LETTERS_PER_LINE for line in text.splitlines())
    return 40 + _LINE_HEIGHT * lines


def _sheet(book: Any, register: Register) -> None:
    sheet = book.add_worksheet(register.name)
    sheet.write_string(0, 0, title(register), book.add_format({"bold": True, "font_size": 14}))
    sheet.set_row(TOLD_ROW, 62)
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#e8eef4"})
    told = book.add_format({"italic": True, "text_wrap": True, "valign": "top", "font_size": 9})
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
    for place, column in enumerate(register_columns(register)):
        sheet.write_string(TOLD_ROW, place, column.allowed, told)
        sheet.write_string(HEADER_ROW, place, column.header, head)
        sheet.set_column(place, place, 22, day if column.is_date else None if column.is_item else text)
        if (rule := _rule(column)) is not None:
            sheet.data_validation(HEADER_ROW + 1, place, HEADER_ROW + ROWS, place, rule)
    sheet.freeze_panes(HEADER_ROW + 1, 1)


def _rule(column: EntryColumn) -> dict[str, Any] | None:
    """What a spreadsheet refuses while it is typed, and what it says."""
    if column.is_date:
        rule: dict[str, Any] = {"validate": "date", "criteria": "between"}
        rule |= {"minimum": date(1900, 1, 1), "maximum": date(2100, 1, 1)}
        said = "a date such as 2026-03-31 / een datum zoals 2026-03-31"
    elif column.is_item:
        rule = {"validate": "integer", "criteria": "between", "minimum": column.least, "maximum": column.most}
        said = "a whole number / een heel getal"
    elif column.choices:
        rule, said = {"validate": "list", "source": list(column.choices)}, "choose from the list / kies uit de lijst"
    else:
        return None
    return rule | {"error_title": "Not allowed - Niet toegestaan", "error_message": f"{column.header}: {said}"[:255]}
