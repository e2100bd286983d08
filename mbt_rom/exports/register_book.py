"""The workbook into which a register is typed (`rom template`), read back.

Belongs here: recognising one of its sheets and what its columns are. Does not belong here: making it (`pipelines.register_book`), what
registers there are (`mbt_rom.registers`).

Each sheet says itself, in its first cell, which register it holds, and its columns are called as those of the table. A sheet that was left
empty says nothing: it is not taken as a register without rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.register_columns import stated_role
from mbt_rom.exports.sheets import ColumnFacts, Grid
from mbt_rom.registers import REGISTERS, Register

NAME = "register"
#: The first cell of every sheet begins so; behind it stands the name of the register.
MARKER = "MBT-ROM register"
#: A column that may be added where one file holds several programmes.
PROGRAMME = "programme_id"
_TITLE = re.compile(rf"{MARKER}: (\w+)")
_HEADER_WITHIN = 8


def title(register: Register) -> str:
    """The first cell of the sheet of a register.

    >>> title(REGISTERS["spells"])
    'MBT-ROM register: spells (Phases of treatment - Fasen van de behandeling)'
    """
    return f"{MARKER}: {register.name} ({register.title} - {register.title_nl})"


def _register(grid: Grid) -> Register | None:
    found = _TITLE.match(str(grid.cells.iat[0, 0])) if len(grid.cells) else None
    return REGISTERS.get(found.group(1)) if found is not None else None


def header(grid: Grid) -> int | None:
    """Position of the header, where the first cell says which register the sheet holds."""
    register = _register(grid)
    if register is None:
        return None
    near = range(min(_HEADER_WITHIN, len(grid.cells)))
    named = [{text.strip() for text in grid.row_texts(i)} for i in near]
    return next((i for i, names in enumerate(named) if set(register.required) <= names), None)


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The sheet with what its columns are."""
    register = _register(grid)
    if register is None:
        return grid
    facts = tuple(ColumnFacts(role=_role(register, name.strip())) for name in grid.row_texts(position))
    return replace(grid, dialect=NAME, header=position, facts=facts)


def _role(register: Register, name: str) -> str | None:
    if name == "patient_id" and register.has_patients:
        return "patient"
    if name == PROGRAMME:
        return "programme"
    return stated_role(register.name, name) if name in register.column_names else None


DIALECT = Dialect(NAME, header, read)
