"""`rom template`: the workbooks into which forms from paper, and registers, are typed."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    from mbt_rom.entry_forms import EntryColumn
    from mbt_rom.model import Instrument

#: What is written for all registers together.
ALL_REGISTERS = "registers"
_ROWS = 300
_ALLOWED_ROW, _HEADER_ROW = 2, 3
_README = (
    "One row per form. Type the code of each answer as the row above the names allows; leave a cell empty where nothing was answered.",
    "patient: the number as it stands on the form. date_completed: the day on which the form was filled in, not the day of typing.",
    "date_entered and initials stay in the file: they are not taken in.",
    "A cell turns red when a risk answer is typed. {report_en}",
    "A second person types the same forms into a second workbook without looking at this one; then: rom compare FIRST SECOND",
    "Load only one of the two: rom load FILE --programme P",
    "",
    "Eén rij per formulier. Typ de code van elk antwoord zoals de rij boven de namen aangeeft; laat leeg wat niet is beantwoord.",
    "patient: het nummer zoals het op het formulier staat. date_completed: de dag van invullen, niet die van het intypen.",
    "date_entered en initials blijven in het bestand: ze worden niet ingelezen.",
    "Een cel wordt rood als een risico-antwoord is getypt. {report_nl}",
    "Een tweede persoon typt dezelfde formulieren in een tweede werkmap zonder naar deze te kijken; daarna: rom compare EERSTE TWEEDE",
    "Laad maar één van beide: rom load BESTAND --programme P",
)


@click.command(name="template")
@click.argument("name")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Workbook to write (NAME_entry.xlsx)."
)
@click.option("--order", help="Printed order of the form in hand, where the instrument has several.")
@home_option
def template(name: str, output: Path | None, order: str | None, home: Path) -> None:
    """Write a workbook for typing in forms from paper, or a register.

    NAME is an instrument (item numbers, allowed codes, language, mode, dates, initials), a register such as spells or permissions
    (see docs/registers.md), or 'registers': all of them, a sheet each.

    A cell that is not allowed is refused while typing; a risk answer turns red and says to tell the team the same day.

    \b
    Example:
      rom template phq9 -o phq9_may.xlsx
      rom load phq9_may.xlsx --programme our_programme
    """
    from mbt_rom.registers import REGISTERS

    chosen = list(REGISTERS.values()) if name == ALL_REGISTERS else [REGISTERS[name]] if name in REGISTERS else []
    if chosen:
        if order is not None:
            raise click.BadParameter("a register has no printed order", param_hint="--order")
        from pipelines import register_book

        path = _written(output or Path(f"{name}_entry.xlsx"), lambda: register_book.workbook(chosen))
        names = ", ".join(register.name for register in chosen)
        click.echo(f"{path}: {names}; type from row {register_book.HEADER_ROW + 2} on")
        return
    from pipelines.named_instruments import named_instrument

    definition = named_instrument(name, home=home)
    path = _written(
        output or Path(f"{definition.id}_entry.xlsx"), lambda: workbook(definition, order=_order(definition, order))
    )
    click.echo(f"{path}: {len(definition.items)} items of {definition.name}; type from row {_HEADER_ROW + 2} on")


def _written(path: Path, make: Callable[[], bytes]) -> Path:
    """The path, after the workbook was written there; what exists is never written over."""
    from assets.home import write_atomically

    if path.suffix != ".xlsx":
        raise click.BadParameter("the ending of --output must be .xlsx")
    if path.exists():
        raise click.UsageError(
            f"{path} exists; somebody may have typed into it. Remove it yourself or choose another name"
        )
    write_atomically(path, make())
    return path


def _order(definition: Instrument, order: str | None) -> str | None:
    known = ", ".join(definition.orders)
    if order is None and definition.order_must_be_stated:
        raise click.UsageError(f"{definition.name} is printed in several orders; say which with --order: {known}")
    if order is not None and order not in definition.orders:
        raise click.BadParameter(f"{definition.name} has no order '{order}'; it has {known or 'only the usual one'}")
    return order


def workbook(definition: Instrument, *, order: str | None = None) -> bytes:
    """The entry workbook as the bytes of an XLSX file."""
    import xlsxwriter

    from mbt_rom.entry_forms import REPORT_TODAY, entry_columns
    from mbt_rom.exports.entry import MARKER

    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet(definition.id)
        columns = entry_columns(definition, order=order)
        sheet.write_string(
            0, 0, f"{MARKER}: {definition.name} ({definition.id})", book.add_format({"bold": True, "font_size": 14})
        )
        _column_heads(book, sheet, columns)
        for place, column in enumerate(columns):
            _validate(book, sheet, place, column)
        _warn(book, sheet, columns)
        sheet.freeze_panes(_HEADER_ROW + 1, 2)
        notes = book.add_worksheet("Read me - Lees mij")
        # A box, no cells: a sheet without cells is no sheet of data when the workbook is loaded.
        text = "\n".join(_README).format(report_en=REPORT_TODAY["en"], report_nl=REPORT_TODAY["nl"])
        notes.insert_textbox(0, 0, text, {"width": 900, "height": 420})
    return buffer.getvalue()


def _column_heads(book: Any, sheet: Any, columns: list[EntryColumn]) -> None:
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#e8eef4"})
    risky = book.add_format({"bold": True, "bottom": 1, "bg_color": "#f6d5d0"})
    told = book.add_format({"italic": True, "text_wrap": True, "valign": "top", "font_size": 9})
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.set_row(_ALLOWED_ROW, 48)
    for place, column in enumerate(columns):
        sheet.write_string(_ALLOWED_ROW, place, column.allowed, told)
        sheet.write_string(_HEADER_ROW, place, column.header, risky if column.risk else head)
        cells = day if column.is_date else None if column.is_item else text
        sheet.set_column(place, place, 13, cells)


def _validate(book: Any, sheet: Any, place: int, column: EntryColumn) -> None:
    """What a spreadsheet refuses while it is typed, and what it says."""
    from datetime import date

    from mbt_rom.entry_forms import REPORT_TODAY

    rule: dict[str, Any] | None = None
    if column.is_item:
        rule = {"validate": "integer", "criteria": "between", "minimum": column.least, "maximum": column.most}
        rule |= {"error_title": "Not allowed", "error_message": f"{column.header}: {column.allowed}"[:255]}
    elif column.is_date:
        rule = {"validate": "date", "criteria": "between", "minimum": date(1990, 1, 1), "maximum": date(2100, 1, 1)}
        rule |= {"error_title": "No date", "error_message": f"{column.header}: a date such as 2026-03-31"}
    elif column.choices:
        rule = {"validate": "list", "source": list(column.choices)}
    if rule is None:
        return
    if column.risk:
        rule |= {"input_title": "Risk answer", "input_message": f"{REPORT_TODAY['en']}\n{REPORT_TODAY['nl']}"[:255]}
    sheet.data_validation(_HEADER_ROW + 1, place, _HEADER_ROW + _ROWS, place, rule)


def _warn(book: Any, sheet: Any, columns: list[EntryColumn]) -> None:
    """Red cells, and a line above the names, once a risk answer stands in the sheet."""
    from xlsxwriter.utility import xl_range

    from mbt_rom.entry_forms import REPORT_TODAY, least_risk

    red = book.add_format({"bg_color": "#c0392b", "font_color": "#ffffff", "bold": True})
    counted = []
    for place, column in enumerate(columns):
        least = least_risk(column)
        if least is None:
            continue
        cells = (_HEADER_ROW + 1, place, _HEADER_ROW + _ROWS, place)
        sheet.conditional_format(*cells, {"type": "cell", "criteria": ">=", "value": least, "format": red})
        counted.append(f'COUNTIF({xl_range(*cells)},">={least}")')
    if counted:
        said = f"{REPORT_TODAY['en']} / {REPORT_TODAY['nl']}"
        sheet.write_formula(
            1,
            0,
            f'=IF({"+".join(counted)}>0,"{said}","")',
            book.add_format({"bold": True, "font_color": "#c0392b"}),
            "",
        )
