"""The work list as a workbook: the same rows in English and in Dutch, with two columns in which corrections are typed.

Belongs here: how the sheets look. Does not belong here: which rows there are (`assets.worklists`), words and columns, reading it back
(`mbt_rom.worklist`).
"""

from __future__ import annotations

import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from mbt_rom.findings import LANGUAGES, Language
from mbt_rom.worklist import HEADER, KEY, MARKER, REASON, SHEETS, TYPED, VALUE, in_words

if TYPE_CHECKING:
    import pandas as pd

_TITLES: dict[Language, str] = {
    "en": f"{MARKER} of {{day}}: type the correct value and the reason in the yellow cells, and load this workbook again",
    "nl": f"{MARKER} (werklijst) van {{day}}: typ de juiste waarde en de reden in de gele cellen, en laad deze werkmap opnieuw",
}
_SECRET_NOTES: dict[Language, str] = {
    "en": "This list holds answers and patient numbers: keep it inside the programme, and delete it when you are done.",
    "nl": "Deze lijst bevat antwoorden en patiëntnummers: houd hem binnen het programma, en verwijder hem als u klaar bent.",
}
_QUIET: dict[Language, tuple[str, ...]] = {
    "en": ("programme", "what", "what to do"),
    "nl": ("programma", "wat", "wat te doen"),
}
QUIET_SHEET = "Quiet programmes - Stil"
_WIDTHS = {
    "number": 8,
    "programme": 16,
    "file": 26,
    "sheet": 12,
    "row": 6,
    "column": 18,
    "item": 14,
    "what": 48,
    "remedy": 52,
}
_WIDTHS |= {"rule": 20, "severity": 9, "owner": 18, "received": 11, "days": 9, "patient_number": 15, "present": 20}
_COLOURS = {"fatal": "#f6d5d0", "error": "#fbe8cf", "notice": "#eef2f5"}
_SAFE = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_README = (
    "Each row is one thing to mend. The sheets 'Work list' and 'Werklijst' have the same rows; use one of them.",
    "Best: correct the form in the survey tool and export again. The row then disappears by itself.",
    "Or here: look the answer up, type it under 'correct value', and under 'reason' how you know it. Only yellow cells can be used.",
    "Type the value as the file should have it (the code of the answer; a date as 2026-03-31). Type (empty) where nothing was answered.",
    "You may sort, filter and delete rows. Do not change the hidden column at the right: it says which cell a row is about.",
    "Then: rom load WORKBOOK --programme P     or put the workbook into the inbox of the programme.",
    "The delivered file is kept as it came; who corrected what, when and why is recorded, and can be undone.",
    "",
    "Elke rij is één ding om te herstellen. De bladen 'Work list' en 'Werklijst' hebben dezelfde rijen; gebruik er één.",
    "Het liefst: verbeter het formulier in het vragenlijstsysteem en exporteer opnieuw. De rij verdwijnt dan vanzelf.",
    "Of hier: zoek het antwoord op, typ het onder 'juiste waarde', en onder 'reden' hoe u het weet. Alleen in gele cellen.",
    "Typ de waarde zoals die in het bestand hoort te staan (de code van het antwoord; een datum als 2026-03-31). Typ (leeg) waar niets is beantwoord.",
    "U mag rijen sorteren, filteren en verwijderen. Laat de verborgen kolom rechts zoals die is: daar staat over welke cel een rij gaat.",
    "Daarna: rom load WERKMAP --programme P     of zet de werkmap in de inbox van het programma.",
    "Het aangeleverde bestand blijft zoals het kwam; wie wat wanneer en waarom verbeterde wordt vastgelegd, en kan ongedaan worden gemaakt.",
)


def workbook(rows: pd.DataFrame, quiet: pd.DataFrame, *, day: datetime.date) -> bytes:
    """The workbook; `rows` and `quiet` are rows of `assets.worklists.work_list`, the second those of quiet programmes."""
    import xlsxwriter

    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, _SAFE) as book:
        for language in LANGUAGES:
            _sheet(book, rows, language, day)
        _quiet_programmes(book, quiet)
        notes = book.add_worksheet("Read me - Lees mij")
        notes.insert_textbox(0, 0, "\n".join(_README), {"width": 980, "height": 460})
    return buffer.getvalue()


def _sheet(book: Any, rows: pd.DataFrame, language: Language, day: datetime.date) -> None:
    sheet = book.add_worksheet(SHEETS[language])
    told = in_words(rows, language)
    names = [n for n in _WIDTHS if n in rows or n in ("what", "remedy")]
    at = LANGUAGES.index(language)
    headers = [*told.columns, *(TYPED[name][at] for name in TYPED)]
    bold = book.add_format({"bold": True, "font_size": 12})
    sheet.write_string(0, 0, _TITLES[language].format(day=day.isoformat()), bold)
    if "present" in rows:
        sheet.write_string(1, 0, _SECRET_NOTES[language], book.add_format({"bold": True, "font_color": "#c0392b"}))
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#e8eef4", "text_wrap": True, "valign": "top"})
    for place, header in enumerate(headers):
        sheet.write_string(HEADER, place, header, head)
    _cells(book, sheet, rows, told)
    for place, name in enumerate(names):
        sheet.set_column(place, place, _WIDTHS[name])
    sheet.set_column(len(names), len(names), 18)
    sheet.set_column(len(names) + 1, len(names) + 1, 34)
    sheet.set_column(len(headers) - 1, len(headers) - 1, 12, None, {"hidden": True})
    sheet.freeze_panes(HEADER + 1, 1)
    sheet.autofilter(HEADER, 0, HEADER + max(len(rows), 1), len(headers) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEADER)


def _cells(book: Any, sheet: Any, rows: pd.DataFrame, told: pd.DataFrame) -> None:
    """The rows, coloured by severity, and yellow cells where a correction can be typed."""
    wrapped = {"text_wrap": True, "valign": "top"}
    formats = {name: book.add_format({**wrapped, "bg_color": colour}) for name, colour in _COLOURS.items()}
    typed = book.add_format(
        {**wrapped, "num_format": "@", "bg_color": "#fffbd6", "border": 1, "border_color": "#d9d2a0"}
    )
    none = book.add_format({"bg_color": "#e3e3e3"})
    values = told.astype(object).where(told.notna(), None).to_numpy().tolist()
    for i, (cells, severity, key) in enumerate(zip(values, rows["severity"], rows["key"], strict=True)):
        line = HEADER + 1 + i
        for place, value in enumerate(cells):
            _write(sheet, line, place, value, formats[severity])
        at = len(cells)
        has_cell = isinstance(key, str)
        for place, _ in enumerate((VALUE, REASON)):
            sheet.write_blank(line, at + place, None, typed if has_cell else none)
        sheet.write_string(line, at + list(TYPED).index(KEY), key if has_cell else "")


def _write(sheet: Any, line: int, place: int, value: Any, form: Any) -> None:
    if value is None:
        sheet.write_blank(line, place, None, form)
    elif isinstance(value, int):
        sheet.write_number(line, place, value, form)
    else:
        sheet.write_string(line, place, str(value), form)


def _quiet_programmes(book: Any, quiet: pd.DataFrame) -> None:
    sheet = book.add_worksheet(QUIET_SHEET)
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#e8eef4"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    line = 0
    for language in LANGUAGES:
        for place, name in enumerate(_QUIET[language]):
            sheet.write_string(line, place, name, head)
        told = in_words(quiet, language).iloc[:, [1, 7, 8]].to_numpy().tolist()
        for cells in told:
            line += 1
            for place, text in enumerate(cells):
                sheet.write_string(line, place, str(text), wrapped)
        line += 2
    for place, width in enumerate((20, 60, 70)):
        sheet.set_column(place, place, width)
    sheet.freeze_panes(1, 0)
