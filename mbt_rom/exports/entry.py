"""The workbook into which forms from paper are typed (`rom template`), read back.

Belongs here: recognising it and what its own columns are for. Does not belong here: making it (`entry_forms`,
`pipelines.commands.template`).

It says itself what it is, in its first cell. Its item columns are called by item id whatever the order of the printed form, and
answers are typed as the published codes, so neither an order nor a coding need be declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.sheets import ColumnFacts, Grid

NAME = "entry"
#: The first cell of every entry workbook begins so.
MARKER = "MBT-ROM entry form"
PATIENT, COMPLETED, ENTERED, INITIALS = "patient", "date_completed", "date_entered", "initials"
LANGUAGE, MODE = "language", "mode"
_ROLES = {PATIENT: "patient", COMPLETED: "date", ENTERED: "technical", INITIALS: "technical"}
_ROLES |= {LANGUAGE: "language", MODE: "mode"}
_HEADER_WITHIN = 8


def header(grid: Grid) -> int | None:
    """Position of the header, where the first cell says that this is an entry workbook."""
    if not len(grid.cells) or not str(grid.cells.iat[0, 0]).startswith(MARKER):
        return None
    near = range(min(_HEADER_WITHIN, len(grid.cells)))
    return next((i for i in near if str(grid.cells.iat[i, 0]).strip() == PATIENT), None)


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The sheet with its roles; a form whose mode was left empty is one of paper."""
    names = [name.strip() for name in grid.row_texts(position)]
    cells = grid.cells
    if MODE in names:
        at = names.index(MODE)
        typed = (cells != "").any(axis=1).to_numpy().copy()
        typed[: position + 1] = False
        cells = cells.copy()
        cells[cells.columns[at]] = cells[cells.columns[at]].mask(typed & (cells[cells.columns[at]] == ""), "paper")
    facts = tuple(ColumnFacts(role=_ROLES.get(name)) for name in names)
    return replace(grid, cells=cells, dialect=NAME, header=position, facts=facts)


DIALECT = Dialect(NAME, header, read)
