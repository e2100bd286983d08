"""What the cells of item columns say: answers in canonical coding, row by row, or what has to be mended first.

Belongs here: reading every cell of a wide file, a column of profiles, ages, the list of cells that cannot be used. Does not
belong here: what one cell says (`mbt_rom.exports.cells`), finding columns (`item_columns`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mbt_rom.exports import cells, codings
from mbt_rom.exports.cells import CellReader, cell_reader, is_blank, state_digits
from mbt_rom.exports.errors import ExportError
from mbt_rom.model import Coding, Instrument, Item
from mbt_rom.scoring import MISSING
from mbt_rom.valuation import no_adult_value_set
from pipelines.item_columns import ItemColumns
from pipelines.wide_files import AttentionError, WideFile, code_cells

#: Problems that are listed one by one.
LISTED = 20
#: Stand among the answers, which are counts from 0 or small numbers, for what cannot be used.
_UNREADABLE, _OUTSIDE = -30_000, -30_001
#: So many forms are enough to see that items are stored turned round.
_ENOUGH_FORMS = 2_000
_OLDEST = 130

Codes = NDArray[np.int16]
Answers = dict[str, NDArray[np.signedinteger[Any]]]
#: Row, column and item of a cell that cannot be used, and what is wrong with it.
Wrong = tuple[int, int, Item, int]


@dataclass(frozen=True)
class ItemAnswers:
    """Answers per item, as `mbt_rom.scoring.scale_scores` takes them. `labels_of`: undeclared codings whose labels were met."""

    answers: Answers
    labels_of: tuple[str, ...]


def read_answers(
    definition: Instrument,
    wide: WideFile,
    columns: ItemColumns,
    *,
    declared: Sequence[Coding],
    missing: Collection[str],
) -> ItemAnswers:
    """Answers of every item that a score rests on; one without a column is missing everywhere.

    Without a declared coding answers are canonical, or labels that are no numbers. Raises AttentionError naming row, column and
    rule of every cell that is neither an answer nor a code for none, with the remedy; and where the answers of a file that
    declares no coding speak for another one.
    """
    reading = _Reading(definition, wide, columns, frozenset(missing))
    codes, wrong, labels = reading.under(declared)
    if wrong.n:
        raise AttentionError("\n".join(reading.complaints(wrong, declared)))
    if not declared:
        _refuse_other_coding(definition, codes)
    return ItemAnswers(_typed(definition, codes, wide.n_rows), () if declared else _codings_with(definition, labels))


def _used_items(definition: Instrument) -> list[Item]:
    """Items that a score rests on, and the questions before them."""
    used = {item for scale in definition.scales for item in definition.items_of(scale)}
    used |= {str(item.gate) for item in definition.items if item.id in used and item.gate}
    return [item for item in definition.items if item.id in used]


def _typed(definition: Instrument, codes: dict[str, Codes], n_rows: int) -> Answers:
    types = {item.id: np.int16 if item.is_wide else np.int8 for item in _used_items(definition)}
    return {i: codes[i].astype(t) if i in codes else np.full(n_rows, MISSING, dtype=t) for i, t in types.items()}


def _codings_with(definition: Instrument, labels: set[str]) -> tuple[str, ...]:
    return tuple(
        c.id for c in definition.codings if codings.is_of_labels(c) and labels & set(codings.labels_of(c)) - _NUMBERS
    )


#: Labels that are numbers: they tell no coding.
_NUMBERS = frozenset(map(str, range(100)))


@dataclass(frozen=True)
class _WrongCells:
    """How many cells cannot be used, and the first of them by row."""

    n: int
    first: list[Wrong]


@dataclass(frozen=True)
class _Reading:
    """One file that is to be read as forms of one instrument."""

    definition: Instrument
    wide: WideFile
    columns: ItemColumns
    missing: frozenset[str]

    def under(self, declared: Sequence[Coding]) -> tuple[dict[str, Codes], _WrongCells, set[str]]:
        """Codes per item in these codings, the cells that cannot be used, and the labels that were met."""
        labels: set[str] = set()
        codes = self._profile(declared) | {
            item.id: self._column(item, declared, labels)
            for item in _used_items(self.definition)
            if item.id in self.columns.positions
        }
        return codes, self._wrong(codes), labels

    def _wrong(self, codes: dict[str, Codes]) -> _WrongCells:
        n = 0
        first: list[Wrong] = []
        for position, item_id in {self.columns.position(item_id): item_id for item_id in codes}.items():
            column, item = codes[item_id], self.definition.item(item_id)
            rows = np.flatnonzero(column <= _UNREADABLE)
            n += len(rows)
            first += [(row, position, item, int(column[row])) for row in rows[:LISTED].tolist()]
        return _WrongCells(n, sorted(first, key=lambda wrong: wrong[0])[:LISTED])

    def _column(self, item: Item, declared: Sequence[Coding], labels: set[str]) -> Codes:
        column = self.wide.columns[self.columns.positions[item.id]]
        reader = cell_reader(self.definition, item, declared, self.missing)
        if not reader.labels:
            return code_cells(column, lambda text: _number_of(reader, text))
        texts: set[str] = set()

        def meaning(text: str) -> int:
            texts.add(text)
            return _number_of(reader, text)

        codes = code_cells(column, meaning)
        labels |= {codings.label_key(text) for text in texts}
        knowing = reader.for_column(texts)
        return codes if knowing is reader else code_cells(column, lambda text: _number_of(knowing, text))

    def _profile(self, declared: Sequence[Coding]) -> dict[str, Codes]:
        """Levels of the items whose levels stand in one column, as the digits of a number such as 11232."""
        if self.columns.profile is None:
            return {}
        items = self.columns.profile_items
        readers = [cell_reader(self.definition, self.definition.item(i), declared, self.missing) for i in items]
        no_answer = frozenset(map(codings.label_key, self.missing))
        states: dict[tuple[int, ...], int] = {}

        def meaning(text: str) -> int:
            digits = state_digits(text, len(items), no_answer)
            if digits:
                state = tuple(_number_of(reader, digit) for reader, digit in zip(readers, digits, strict=True))
                state = state if min(state) > _UNREADABLE else (min(state),) * len(items)
            else:
                state = (_UNREADABLE if digits is None else int(MISSING),) * len(items)
            return states.setdefault(state, len(states))

        which = code_cells(self.wide.columns[self.columns.profile], meaning)
        table = np.array(list(states), dtype=np.int16)
        return {item: table[which, place] for place, item in enumerate(items)}

    # --- what is said about cells that cannot be used ---------------------------------------------------------------------

    def complaints(self, wrong: _WrongCells, declared: Sequence[Coding]) -> Iterator[str]:
        """One line per cell, as far as they are listed, and the remedy."""
        numbers = self.wide.row_numbers([row for row, *_ in wrong.first])
        for number, (_, position, item, what) in zip(numbers, wrong.first, strict=True):
            rule = "answer_not_a_code" if what == _UNREADABLE else "answer_out_of_range"
            yield f"row {number}, column '{self.wide.names[position]}': {self._what(item, declared, position, what)} ({rule})"
        if wrong.n > LISTED:
            yield f"and {wrong.n - LISTED:,} cells more"
        yield (
            f"remedy: correct these cells, or declare their codes with --missing.{self._other_codings(declared)} Many at once: "
            f"is this another coding or another edition than the {self.definition.name}? Nothing was written."
        )

    def _what(self, item: Item, declared: Sequence[Coding], position: int, what: int) -> str:
        coding = codings.coding_of(item, declared)
        if position == self.columns.profile:
            levels = f"from {item.min} to {item.max}" if coding is None else f"in the coding {coding.id}"
            return f"not {len(self.columns.profile_items)} digits that are levels {levels}"
        if coding is not None and coding.id != "canonical":
            return f"not one of the answers in the coding {coding.id}"
        if what == _OUTSIDE:
            return f"not one of the answers {item.min}..{item.max}"
        if cell_reader(self.definition, item).labels:
            return "neither a whole number nor a label; the two do not stand in one column"
        return "not a whole number" + (" written without separators" if item.is_wide else "")

    def _other_codings(self, declared: Sequence[Coding]) -> str:
        """Codings in which every cell can be read; they are named and not used, since numbers are never guessed."""
        if declared:
            return ""
        fitting = [
            c.id for c in self.definition.codings if (c.offset or c.map or c.is_scored) and self.under([c])[1].n == 0
        ]
        if not fitting:
            return ""
        return (
            f" All of them are answers in the coding {' or '.join(fitting)}: if the file writes them so, say "
            f"--coding {fitting[0]}."
        )


def _number_of(reader: CellReader, text: str) -> int:
    code, what = reader.cell(text)
    if what == cells.MISSING:
        return int(MISSING)
    if what == cells.UNREADABLE:
        return _UNREADABLE
    return code if what == cells.ANSWER and reader.item.allows(code) else _OUTSIDE


# --- answers that speak for another coding --------------------------------------------------------------------------------


def _refuse_other_coding(definition: Instrument, codes: dict[str, Codes]) -> None:
    """Raises AttentionError where all answers could be canonical and yet speak for another coding that nobody declared.

    Answers outside the range are refused before. What is left are codings that give the same numbers another meaning.
    """
    for coding in definition.codings:
        alone = definition.model_copy(update={"codings": (coding,)})
        try:
            if is_map := coding.map is not None and not codings.is_of_labels(coding):
                codings.refuse_other_coding(alone, {i: c[c != MISSING].astype(np.int32) for i, c in codes.items()})
            if coding.reversed_items:
                codings.refuse_reversed(alone, _as_floats(codes))
        except ExportError:
            turned, other = (
                "the items that it turns round run against all others",
                "all of them are numbers that it has",
            )
            raise AttentionError(
                f"columns of the items: the answers may be in the coding {coding.id}, since {other if is_map else turned} "
                "(coding_undeclared)\n"
                f"remedy: find out how the survey tool stores them, and say --coding {coding.id} or --coding canonical. Nothing "
                "was written."
            ) from None


def _as_floats(codes: dict[str, Codes]) -> dict[str, NDArray[np.float64]]:
    columns = {item: column[:_ENOUGH_FORMS].astype(np.float64) for item, column in codes.items()}
    return {item: np.where(column == MISSING, np.nan, column) for item, column in columns.items()}


# --- ages -----------------------------------------------------------------------------------------------------------------


def are_minors(wide: WideFile, position: int, *, missing: Collection[str]) -> NDArray[np.bool_]:
    """True for the rows whose age, in years in that column, is known and too low for a value set of adults.

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
    return no_adult_value_set(np.where(codes < 0, np.nan, codes))


def _age(text: str, missing: Collection[str]) -> int:
    """Whole years; -1 where nothing stands."""
    text = text.strip().casefold()
    found = re.fullmatch(r"([0-9]{1,3})(?:[.,][0-9]*)?", text, re.ASCII)
    if found and int(found.group(1)) <= _OLDEST:
        return int(found.group(1))
    return -1 if is_blank(text) or text in missing else _UNREADABLE
