"""Answer cells of one form: text in, whole numbers in canonical coding out, with what could not be read.

Belongs here: the columns of a form. Does not belong here: what one cell says (`codings`), whether an answer is within its range
(`expectations`); only contradictions that no single row shows are judged here: the wrong edition, a coding that nobody declared.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.exports.codings import Cell, cell_reader, coding_of, label_codings
from mbt_rom.exports.errors import ExportError
from mbt_rom.model import LARGEST_COUNT, Coding, Instrument, Item

Flags = npt.NDArray[np.bool_]
#: Under an undeclared coding at least this many answers, and this share outside the canonical range, are evidence.
EVIDENCE_ANSWERS = 20
EVIDENCE_SHARE = 0.01
_ANSWER, _MISSING, _UNREADABLE, _TOO_LARGE = range(4)


@dataclass(frozen=True)
class Answers:
    """Answers of one form on every row. `codes`: columns are items, Int8, missing where there is no answer.

    `unreadable` and `too_large` name items per row, separated by spaces (missing where there are none); `is_blank` marks
    rows without any answer: every cell empty or a declared missing code.
    """

    codes: pd.DataFrame
    unreadable: pd.Series
    too_large: pd.Series
    is_blank: Flags


def read_answers(
    cells: Mapping[str, pd.Series],
    instrument: Instrument,
    *,
    coding: str | None = None,
    missing: Collection[str] = (),
) -> Answers:
    """Answers of one form. `cells`: item id -> text cells; items of the instrument that are not in it become missing.

    '3', '3.0' and '3,0' are the code 3; '1,5' is no code. A missing code inside the range of an item is an answer there
    (9 on a scale from 0 to 100). An item without a column has no answers. Raises `ExportError` mapping_invalid for a
    coding that the instrument does not have, edition_contradicted and coding_undeclared as their sentences say.

    >>> from mbt_rom.registry import instrument
    >>> read = read_answers({"phq9_01": pd.Series(["3,0", "9", "1.5"])}, instrument("phq9"), missing=["9"])
    >>> read.codes["phq9_01"].tolist(), read.unreadable.tolist(), read.is_blank.tolist()
    ([3, <NA>, <NA>], [nan, nan, 'phq9_01'], [False, True, False])
    """
    chosen = _coding(instrument, coding, cells, missing)
    items = [item for item in instrument.items if item.id in cells]
    read = {item.id: _read(cells[item.id], instrument, item, chosen, missing) for item in items}
    if chosen is None:
        _refuse_contradictions(instrument, read)
    return _assembled(instrument, read, index=next(iter(cells.values())).index)


def _coding(
    instrument: Instrument, coding: str | None, cells: Mapping[str, pd.Series], missing: Collection[str]
) -> Coding | None:
    if coding is None:
        return _coding_of_labels(instrument, cells, missing)
    try:
        return coding_of(instrument, coding)
    except KeyError as error:
        raise ExportError("mapping_invalid", str(error.args[0])) from None


def _coding_of_labels(
    instrument: Instrument, cells: Mapping[str, pd.Series], missing: Collection[str]
) -> Coding | None:
    """The coding whose labels are all that the cells hold: labels that are no numbers leave nothing to guess."""
    candidates = label_codings(instrument)
    if not candidates:
        return None
    found = {item: {str(text) for text in column.dropna().unique()} for item, column in cells.items()}
    return next((c for c in candidates if _explains(c, instrument, found, missing)), None)


def _explains(coding: Coding, instrument: Instrument, found: Mapping[str, set[str]], missing: Collection[str]) -> bool:
    """Whether some cells hold labels of the coding and no cell of the items it speaks of holds anything else."""
    spoken_of = [i for i in instrument.items if i.id in found and (not coding.items or i.id in coding.items)]
    kinds: set[str] = set()
    for item in spoken_of:
        read = cell_reader(instrument, item, coding=coding, missing=missing)
        kinds |= {read(text).kind for text in found[item.id]}
    return "answer" in kinds and kinds <= {"answer", "missing"}


def _read(
    column: pd.Series, instrument: Instrument, item: Item, coding: Coding | None, missing: Collection[str]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Per row the code and what it is; -1 codes where there is none."""
    codes, unique = pd.factorize(column.fillna(""))
    read_cell = cell_reader(instrument, item, coding=coding, missing=missing)
    read = [_kept(read_cell(str(text)), item) for text in unique]
    values = np.array([value for value, _ in read] or [0], dtype=np.int32)
    kinds = np.array([kind for _, kind in read] or [0], dtype=np.int8)
    return values[codes], kinds[codes]


def _kept(cell: Cell, item: Item) -> tuple[int, int]:
    """The code and what it is; one outside the item's range is kept as long as it can be stored."""
    if cell.kind == "missing":
        return 0, _MISSING
    if cell.kind == "unreadable":
        return 0, _UNREADABLE
    return (cell.code, _ANSWER) if cell.code in _storable(item) else (0, _TOO_LARGE)


def _storable(item: Item) -> range:
    return range(-128, (LARGEST_COUNT if item.is_wide else 127) + 1)


Read = Mapping[str, tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]]


def _assembled(instrument: Instrument, read: Read, *, index: pd.Index) -> Answers:
    n = len(index)
    absent = (np.zeros(n, dtype=np.int32), np.full(n, _MISSING, dtype=np.int8))
    columns = {}
    for item in instrument.items:
        values, kinds = read.get(item.id, absent)
        stored: npt.NDArray[np.integer[Any]] = values.astype(np.int16 if item.is_wide else np.int8)
        columns[item.id] = pd.arrays.IntegerArray(stored, kinds != _ANSWER)
    blank = np.ones(n, dtype=bool)
    for _, kinds in read.values():
        blank &= kinds == _MISSING
    return Answers(
        pd.DataFrame(columns, index=index),
        _names(read, _UNREADABLE, index),
        _names(read, _TOO_LARGE, index),
        blank,
    )


def _names(read: Read, kind: int, index: pd.Index) -> pd.Series:
    """Per row the items of that kind, separated by spaces; only rows that have some are touched."""
    named: dict[int, list[str]] = {}
    for item_id, (_, kinds) in read.items():
        for position in np.flatnonzero(kinds == kind):
            named.setdefault(int(position), []).append(item_id)
    names = pd.Series(pd.NA, index=range(len(index)), dtype="str")
    if named:
        names.loc[list(named)] = [" ".join(items) for items in named.values()]
    return names.set_axis(index)


def _refuse_contradictions(instrument: Instrument, read: Read) -> None:
    primary = [item for item in instrument.items if item.id in read and item.id in instrument.primary.items]
    answers = [read[item.id][0][read[item.id][1] == _ANSWER] for item in primary]
    codes = np.concatenate(answers) if answers else np.zeros(0, dtype=np.int32)
    if not len(codes) or len({(item.min, item.largest) for item in primary}) != 1:
        return
    outside = codes[(codes < primary[0].min) | (codes > primary[0].largest)]
    if len(outside) < EVIDENCE_SHARE * len(codes) or len(codes) < EVIDENCE_ANSWERS or not len(outside):
        return
    for coding in instrument.codings:
        if coding.map is None and coding.offset and coding.min is not None and coding.max is not None:
            _refuse_coding(instrument, coding, int(codes.min()), int(codes.max()))


def _refuse_coding(instrument: Instrument, coding: Coding, lowest: int, highest: int) -> None:
    if coding.min is not None and coding.max is not None and coding.min <= lowest and highest <= coding.max:
        raise ExportError(
            "coding_undeclared",
            f"answers run from {lowest} to {highest}: if this export counts from {coding.min} to {coding.max}, declare "
            f"'coding: {coding.id}' in a mapping; otherwise correct the answers outside {instrument.name}'s range",
        )


def refuse_other_edition(answers: Answers, instrument: Instrument, instruments: Mapping[str, Instrument]) -> None:
    """Raises `ExportError` edition_contradicted when answers fit another edition of the instrument and not this one.

    Another edition is an instrument that shares a name (prefix) and whose items have the same numbers.
    """
    for other in instruments.values():
        if other.id != instrument.id and set(other.prefixes) & set(instrument.prefixes):
            _refuse_edition(answers, instrument, other)


def _refuse_edition(answers: Answers, instrument: Instrument, other: Instrument) -> None:
    theirs = {item.number: item for item in other.items}
    for item in instrument.items:
        if (their := theirs.get(item.number)) is None or their.largest <= item.largest:
            continue
        codes = answers.codes[item.id].to_numpy(dtype="int64", na_value=item.min)
        if ((codes > item.largest) & (codes <= their.largest)).any():
            highest = int(codes[codes <= their.largest].max())
            raise ExportError(
                "edition_contradicted",
                f"answers run to {highest}: is this the {other.edition} version? {instrument.name} allows "
                f"{item.bounds}",
                column=item.id,
            )
