"""What the cells of item columns say: answers in canonical coding, row by row, or what has to be mended first.

Belongs here: reading every cell under the coding of the file, recognising labels, a column of profiles, ages, the list of cells
that cannot be used. Does not belong here: what one cell says (`mbt_rom.exports.codings`), finding columns (`item_columns`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mbt_rom.exports.codings import Cell, cell_reader, is_blank, label_codings
from mbt_rom.model import ADULT, Coding, Instrument, Item
from mbt_rom.scoring import MISSING
from pipelines.item_columns import ItemColumns
from pipelines.wide_files import AttentionError, WideFile, code_cells

#: Problems that are listed one by one.
LISTED = 20
#: Stand among the answers, which are counts from 0 or small numbers, for what cannot be used.
_UNREADABLE, _OUTSIDE = -30_000, -30_001
_WRONG = {"unreadable": _UNREADABLE, "outside": _OUTSIDE}
_OLDEST = 130

Codes = NDArray[np.int16]
Answers = dict[str, NDArray[np.signedinteger[Any]]]
#: Row, column and item of a cell that cannot be used, and what is wrong with it.
Wrong = tuple[int, int, Item, int]


@dataclass(frozen=True)
class _WrongCells:
    """How many cells cannot be used, how many of these cannot even be read, and the first of them by row."""

    n: int
    n_unreadable: int
    first: list[Wrong]


@dataclass(frozen=True)
class ItemAnswers:
    """Answers per item, as `mbt_rom.scoring.scale_scores` takes them, and the coding they were read in (None: canonical).

    `is_recognised`: nobody named the coding; the file holds its labels.
    """

    answers: Answers
    coding: Coding | None
    is_recognised: bool


def read_answers(
    definition: Instrument, wide: WideFile, columns: ItemColumns, *, coding: Coding | None, missing: Collection[str]
) -> ItemAnswers:
    """Answers of every item that a score rests on; one without a column is missing everywhere.

    Without a coding answers are canonical, or labels that are no numbers. Raises AttentionError naming row, column and rule of
    every cell that is neither an answer nor a code for none, with the remedy.
    """
    reading = _Reading(definition, wide, columns, frozenset(missing))
    chosen, codes, wrong = coding, *reading.under(coding)
    if coding is None and wrong.n_unreadable:
        for candidate in label_codings(definition):
            others = reading.under(candidate)
            if others[1].n < wrong.n:
                chosen, (codes, wrong) = candidate, others
    if wrong.n:
        raise AttentionError("\n".join(reading.complaints(wrong, chosen, is_stated=coding is not None)))
    return ItemAnswers(_typed(definition, codes, wide.n_rows), chosen, coding is None and chosen is not None)


def _used_items(definition: Instrument) -> list[Item]:
    """Items that a score rests on, and the questions before them."""
    used = {item for scale in definition.scales for item in definition.items_of(scale)}
    used |= {str(item.gate) for item in definition.items if item.id in used and item.gate}
    return [item for item in definition.items if item.id in used]


def _typed(definition: Instrument, codes: dict[str, Codes], n_rows: int) -> Answers:
    types = {item.id: np.int16 if item.is_wide else np.int8 for item in _used_items(definition)}
    return {i: codes[i].astype(t) if i in codes else np.full(n_rows, MISSING, dtype=t) for i, t in types.items()}


@dataclass(frozen=True)
class _Reading:
    """One file that is to be read as forms of one instrument."""

    definition: Instrument
    wide: WideFile
    columns: ItemColumns
    missing: frozenset[str]

    def under(self, coding: Coding | None) -> tuple[dict[str, Codes], _WrongCells]:
        """Codes per item in that coding, and the cells that cannot be used."""
        codes = self._profile(coding) | {
            item.id: code_cells(self.wide.columns[self.columns.positions[item.id]], self._meaning(item, coding))
            for item in _used_items(self.definition)
            if item.id in self.columns.positions
        }
        return codes, self._wrong(codes)

    def _wrong(self, codes: dict[str, Codes]) -> _WrongCells:
        n = n_unreadable = 0
        first: list[Wrong] = []
        for position, item_id in {self.columns.position(item_id): item_id for item_id in codes}.items():
            column, item = codes[item_id], self.definition.item(item_id)
            rows = np.flatnonzero(column <= _UNREADABLE)
            n += len(rows)
            n_unreadable += int((column[rows] == _UNREADABLE).sum())
            first += [(row, position, item, int(column[row])) for row in rows[:LISTED].tolist()]
        return _WrongCells(n, n_unreadable, sorted(first, key=lambda wrong: wrong[0])[:LISTED])

    def _meaning(self, item: Item, coding: Coding | None) -> Callable[[str], int]:
        read = cell_reader(self.definition, item, coding=coding, missing=self.missing)
        return lambda text: _number_of(read(text))

    def _profile(self, coding: Coding | None) -> dict[str, Codes]:
        """Levels of the items whose levels stand in one column, as the digits of a number such as 11232."""
        if self.columns.profile is None:
            return {}
        items = self.columns.profile_items
        levels = [self._meaning(self.definition.item(item), coding) for item in items]
        digits = re.compile(rf"([0-9]{{{len(items)}}})(?:[.,]0*)?", re.ASCII)
        states: dict[tuple[int, ...], int] = {}

        def meaning(text: str) -> int:
            found = digits.fullmatch(text.strip())
            if found:
                state = tuple(level(digit) for level, digit in zip(levels, found.group(1), strict=True))
                worst = min(state)
                state = state if worst > _UNREADABLE else (worst,) * len(items)
            else:
                no_answer = is_blank(text) or text.strip().casefold() in self.missing
                state = (int(MISSING) if no_answer else _UNREADABLE,) * len(items)
            return states.setdefault(state, len(states))

        which = code_cells(self.wide.columns[self.columns.profile], meaning)
        table = np.array(list(states), dtype=np.int16)
        return {item: table[which, place] for place, item in enumerate(items)}

    # --- what is said about cells that cannot be used ---------------------------------------------------------------------

    def complaints(self, wrong: _WrongCells, coding: Coding | None, *, is_stated: bool) -> Iterator[str]:
        """One line per cell, as far as they are listed, and the remedy."""
        numbers = self.wide.row_numbers([row for row, *_ in wrong.first])
        for number, (_, position, item, what) in zip(numbers, wrong.first, strict=True):
            rule = "answer_not_a_code" if what == _UNREADABLE else "answer_out_of_range"
            yield f"row {number}, column '{self.wide.names[position]}': {self._what(item, coding, position, what)} ({rule})"
        if wrong.n > LISTED:
            yield f"and {wrong.n - LISTED:,} cells more"
        named = f" They were read in the coding {coding.id}." if coding is not None else ""
        yield (
            f"remedy: correct these cells, or declare their codes with --missing.{named}{self._other_codings(coding, is_stated)} "
            f"Many at once: is this another coding or another edition than the {self.definition.name}? Nothing was written."
        )

    def _what(self, item: Item, coding: Coding | None, position: int, what: int) -> str:
        if position == self.columns.profile:
            levels = f"from {item.min} to {item.max}" if coding is None else f"in the coding {coding.id}"
            return f"not {len(self.columns.profile_items)} digits that are levels {levels}"
        if what == _OUTSIDE:
            return f"not one of the answers {item.min}..{item.max}" if coding is None else "not one of the answers"
        if coding is not None and coding.map and (not coding.items or item.id in coding.items):
            return f"not one of the codes of {coding.id}"
        return "not a whole number" + (" written without separators" if item.is_wide else "")

    def _other_codings(self, coding: Coding | None, is_stated: bool) -> str:
        """Codings in which every cell can be read; they are named and not tried, since numbers are never guessed."""
        if is_stated:
            return ""
        others = [c for c in self.definition.codings if c != coding and (c.offset or c.map)]
        fitting = [c.id for c in others if self.under(c)[1].n == 0]
        if not fitting:
            return ""
        return f" All of them are answers in the coding {' or '.join(fitting)}: if the file counts so, say --coding {fitting[0]}."


def _number_of(cell: Cell) -> int:
    return int(MISSING) if cell.kind == "missing" else _WRONG.get(cell.kind, cell.code)


# --- ages -----------------------------------------------------------------------------------------------------------------


def are_minors(wide: WideFile, position: int, *, missing: Collection[str]) -> NDArray[np.bool_]:
    """True for the rows whose age, in years in that column, is known and below 18.

    Raises AttentionError naming the rows where it is neither an age nor empty.
    """
    codes = code_cells(wide.columns[position], lambda text: _age(text, missing))
    rows = np.flatnonzero(codes == _UNREADABLE).tolist()
    if rows:
        listed = ", ".join(map(str, wide.row_numbers(rows[:LISTED]))) + (" ..." if len(rows) > LISTED else "")
        raise AttentionError(
            f"row {listed}, column '{wide.names[position]}': not an age in years from 0 to {_OLDEST}\n"
            "remedy: correct these cells, empty them, or declare their codes with --missing. Nothing was written."
        )
    return (codes >= 0) & (codes < ADULT)


def _age(text: str, missing: Collection[str]) -> int:
    """Whole years; -1 where nothing stands."""
    text = text.strip().casefold()
    found = re.fullmatch(r"([0-9]{1,3})(?:[.,][0-9]*)?", text, re.ASCII)
    if found and int(found.group(1)) <= _OLDEST:
        return int(found.group(1))
    return -1 if is_blank(text) or text in missing else _UNREADABLE
