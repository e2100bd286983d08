"""The survey tools whose exports are known, and the one step that tells which of them wrote a sheet.

Belongs here: the list, its order, and trying them one after the other. Does not belong here: what a tool writes (one module
each), kinds of file (`detection.read_grids`), what a column measures (`names`).

A dialect takes the grid of a sheet and gives it back as a plain one: one header row, one row per form, no cells that only the
tool needs, the columns' own names, texts and answer lists beside it. Rows keep their numbers. It drops no row of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.sheets import Grid


def _no_codebook(grid: Grid) -> Codebook | None:
    return None


@dataclass(frozen=True)
class Dialect:
    """One survey tool. `header`: position of its header when the tool wrote the grid, else None.

    `read`: the plain grid, from the grid, the position of its header and the codebooks delivered to the same folder.
    `codebook`: the codebook that a grid holds, else None.
    """

    name: str
    header: Callable[[Grid], int | None]
    read: Callable[[Grid, int, Sequence[Codebook]], Grid]
    codebook: Callable[[Grid], Codebook | None] = _no_codebook


#: In the order in which they are tried: those that are told by more come first.
DIALECTS: tuple[Dialect, ...] = ()


def plain(grid: Grid, codebooks: Sequence[Codebook] = ()) -> Grid:
    """The grid as its tool's dialect reads it; unchanged where no tool is recognised or its header is known already."""
    if grid.header is not None:
        return grid
    for dialect in DIALECTS:
        if (header := dialect.header(grid)) is not None:
            return dialect.read(grid, header, codebooks)
    return grid


def codebook_of(grids: Sequence[Grid]) -> Codebook | None:
    """The codebook that a file is, where it is one."""
    found = [book for dialect in DIALECTS for grid in grids if (book := dialect.codebook(grid)) is not None]
    return found[0] if found else None
