"""A dialect: how the exports of one survey tool are told and read. Each module of a tool defines one.

Belongs here: the shape. Does not belong here: which tools there are (`dialects`), what any of them writes.

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


def _apart(grids: Sequence[Grid]) -> list[Grid]:
    return list(grids)


def _none_of_sheets(grids: Sequence[Grid]) -> Codebook | None:
    return None


@dataclass(frozen=True)
class Dialect:
    """One survey tool. `header`: position of its header when the tool wrote the grid, else None.

    `read`: the plain grid, from the grid, the position of its header and the codebooks delivered to the same folder.
    `codebook`: the codebook that a grid holds, else None; `codebook_of_sheets`: that which all sheets of a file are together.
    `joined`: the plain grids of a file, those that belong together with what they have from each other.
    """

    name: str
    header: Callable[[Grid], int | None]
    read: Callable[[Grid, int, Sequence[Codebook]], Grid]
    codebook: Callable[[Grid], Codebook | None] = _no_codebook
    codebook_of_sheets: Callable[[Sequence[Grid]], Codebook | None] = _none_of_sheets
    joined: Callable[[Sequence[Grid]], list[Grid]] = _apart
