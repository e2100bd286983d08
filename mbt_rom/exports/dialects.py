"""The survey tools whose exports are known, and the one step that tells which of them wrote a sheet.

Belongs here: the list, its order, and trying them one after the other. Does not belong here: what a tool writes (one module
each), kinds of file (`detection.read_grids`), what a column measures (`names`).
"""

from __future__ import annotations

from collections.abc import Sequence

from mbt_rom.exports import castor, entry, fhir, formr, kobo, limesurvey, qualtrics, redcap, register_book
from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.sheets import Grid

#: In the order in which they are tried: those that are told by more come first.
DIALECTS: tuple[Dialect, ...] = (
    fhir.DIALECT,
    entry.DIALECT,
    register_book.DIALECT,
    redcap.DIALECT,
    castor.DIALECT,
    formr.DIALECT,
    qualtrics.DIALECT,
    limesurvey.DIALECT,
    kobo.DIALECT,
)


def plain(grid: Grid, codebooks: Sequence[Codebook] = ()) -> Grid:
    """The grid as its tool's dialect reads it; unchanged where no tool is recognised or its header is known already."""
    if grid.header is not None:
        return grid
    for dialect in DIALECTS:
        if (header := dialect.header(grid)) is not None:
            return dialect.read(grid, header, codebooks)
    return grid


def plain_sheets(grids: Sequence[Grid], codebooks: Sequence[Codebook] = ()) -> list[Grid]:
    """The sheets of one file as their tools' dialects read them, those that belong together joined."""
    found = [plain(grid, codebooks) for grid in grids]
    for dialect in DIALECTS:
        found = dialect.joined(found)
    return found


def codebook_of(grids: Sequence[Grid]) -> Codebook | None:
    """The codebook that a file is, where it is one."""
    found = [book for dialect in DIALECTS for grid in grids if (book := dialect.codebook(grid)) is not None]
    found += [book for dialect in DIALECTS if (book := dialect.codebook_of_sheets(grids)) is not None]
    return found[0] if found else None
