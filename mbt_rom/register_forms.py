"""The columns of the workbook into which a register is typed, and what whoever types is told.

Belongs here: which columns, what may stand in them, the note in English and Dutch. Does not belong here: writing the workbook
(`pipelines.register_book`), reading it back (`exports.register_book`), what registers there are (`registers`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mbt_rom.entry_forms import EntryColumn
from mbt_rom.registers import Register, RegisterColumn

MOMENTS = ("baseline", "m6", "m12", "m18", "m24", "m30", "m36", "end", "rebaseline")
MOST_PRESENT = 999
_NOTE = {
    "en": (
        "Every sheet is one register. Type below the names of the columns, one row per thing; delete nothing above them.",
        "Dates as 2026-03-31. Patient numbers and staff codes as the programme writes them; they are replaced by pseudonyms when the file is taken in.",
        "The first and the last day both count; without a last day it still holds. Never type names or free text.",
        "A sheet that you leave empty says nothing. Columns marked * must be filled in.",
        "Then: rom load WORKBOOK --programme P. Type later changes in the same workbook and load it again: the last one counts.",
    ),
    "nl": (
        "Elk blad is één register. Typ onder de namen van de kolommen, één rij per gegeven; haal daarboven niets weg.",
        "Datums als 2026-03-31. Patiëntnummers en codes van medewerkers zoals het programma ze schrijft; bij het inlezen worden het pseudoniemen.",
        "De eerste en de laatste dag tellen beide mee; zonder laatste dag loopt het nog. Typ nooit namen of vrije tekst.",
        "Een blad dat u leeg laat zegt niets. Kolommen met een * moeten worden ingevuld.",
        "Daarna: rom load WERKMAP --programme P. Typ latere wijzigingen in dezelfde werkmap en laad die opnieuw: de laatste telt.",
    ),
}


def register_columns(register: Register) -> list[EntryColumn]:
    """The columns to type into, called as those of the table.

    >>> from mbt_rom.registers import REGISTERS
    >>> [column.header for column in register_columns(REGISTERS["medication"])]
    ['patient_id', 'medicine', 'from_on', 'until_on']
    """
    return [_column(column) for column in register.columns]


def _column(column: RegisterColumn) -> EntryColumn:
    needed = "* " if column.is_required else ""
    said = column.meaning.removeprefix("keyed pseudonym, as therapist_id: ").replace("keyed pseudonym", "number")
    told = f"{needed}{said} / {column.meaning_nl}"
    if column.kind == "count":
        return EntryColumn(column.name, told, least=0, most=MOST_PRESENT, is_item=True)
    return EntryColumn(column.name, told, choices=choices(column), is_date=column.kind == "date")


def choices(column: RegisterColumn) -> tuple[str, ...]:
    """The only texts that may be typed into a column; none where that cannot be told beforehand."""
    if column.kind == "boolean":
        return ("yes", "no")
    return MOMENTS if column.kind == "moment" else tuple(column.codes)


def note(registers: Iterable[Register], language: Literal["en", "nl"]) -> str:
    """What the workbook says of itself: how it is used, and of each register what it is for and what may stand in its columns."""
    parts = ["\n".join(_NOTE[language])]
    for register in registers:
        title, meaning, without = (
            (register.title, register.meaning, register.without)
            if language == "en"
            else (register.title_nl, register.meaning_nl, register.without_nl)
        )
        missing = "Without it no data on" if language == "en" else "Zonder dit register geen gegevens over"
        lines = [f"{register.name} ({title}): {meaning} {missing}: {without}."]
        lines += [f"  {column.name}: {_codes(column, language)}" for column in register.columns if column.codes]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _codes(column: RegisterColumn, language: Literal["en", "nl"]) -> str:
    """The codes of a column; in Dutch with the words by which they are read, too."""
    if language == "en":
        return ", ".join(column.codes)
    return "; ".join(f"{code} ({', '.join(words.split()[1:])})" for code, words in column.codes.items())
