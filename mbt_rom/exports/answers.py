"""Answer cells of one form: text in, whole numbers in canonical coding out, with what could not be read.

Belongs here: the columns of a form, health profiles in one column, orders of items, what is said of a wrong number of columns.
Does not belong here: what one cell says (`cells`), which coding holds (`codings`), whether an answer is within its range
(`expectations`); only the wrong edition, which no single row shows, is judged here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.exports import codings
from mbt_rom.exports.cells import (
    ANSWER,
    MISSING,
    TOO_LARGE,
    UNREADABLE,
    CellReader,
    cell_reader,
    state_digits,
)
from mbt_rom.exports.codings import label_key
from mbt_rom.exports.errors import ExportError
from mbt_rom.model import Instrument, Item
from mbt_rom.pseudonyms import map_unique
from mbt_rom.valuation import DIMENSIONS

Flags = npt.NDArray[np.bool_]
#: Stands in the cells of a profile that could not be split. No coding has such a label.
_NO_PROFILE = "no profile"


@dataclass(frozen=True)
class Answers:
    """Answers of one form on every row. `codes`: columns are items, Int8 or Int16, missing where there is no answer.

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
    coding: str | Sequence[str] | None = None,
    missing: Collection[str] = (),
) -> Answers:
    """Answers of one form. `cells`: item id -> text cells; items of the instrument that are not in it become missing.

    '3', '3.0' and '3,0' are the code 3; '1,5' is no code. Labels of a coding are compared without regard to case and repeated
    spaces; those that are no numbers are understood without being declared, in whatever language and in whichever items they
    stand, and where they stand a plain number is no answer. `coding` names the declared codings (several where each is about other items). `missing` are codes for no answer,
    beside those of the instrument; one inside the range of an item is an answer there (9 on a scale from 0 to 100).

    Raises `ExportError` mapping_invalid for a coding that the instrument does not have or two for one item, coding_undeclared
    as its sentence says.

    >>> from mbt_rom.registry import instrument
    >>> read = read_answers({"phq9_01": pd.Series(["3,0", "9", "1.5"])}, instrument("phq9"), missing=["9"])
    >>> read.codes["phq9_01"].tolist(), read.unreadable.tolist(), read.is_blank.tolist()
    ([3, <NA>, <NA>], [nan, nan, 'phq9_01'], [False, True, False])
    >>> read_answers({"bdi2_16": pd.Series(["1a", "2B", "0"])}, instrument("bdi2")).codes["bdi2_16"].tolist()
    [1, 2, 0]
    """
    declared = codings.declared_codings(instrument, coding)
    read = {
        item.id: _read(cells[item.id], cell_reader(instrument, item, declared, missing))
        for item in instrument.items
        if item.id in cells
    }
    if not declared:
        _refuse_contradictions(instrument, read)
    return _assembled(instrument, read, index=next(iter(cells.values())).index)


# Cells ----------------------------------------------------------------------------------------------------------------


Read = Mapping[str, tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]]


def _read(column: pd.Series, reader: CellReader) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int8]]:
    """Per row the code and what it is; every different text is read once."""
    codes, unique = pd.factorize(column.fillna(""))
    texts = [str(text) for text in unique]
    _refuse_unsure(texts, reader)
    reader = reader.for_column(texts)
    read = [reader.cell(text) for text in texts]
    values = np.array([value for value, _ in read] or [0], dtype=np.int32)
    kinds = np.array([kind for _, kind in read] or [0], dtype=np.int8)
    return values[codes], kinds[codes]


def _refuse_unsure(texts: Sequence[str], reader: CellReader) -> None:
    if reader.unsure and (among := sorted({c for text in texts for c in reader.unsure.get(label_key(text), ())})):
        raise ExportError(
            "coding_undeclared",
            f"labels of this column mean one answer in one coding and another in the next; declare {' or '.join(among)}",
            column=reader.item.id,
        )


def _assembled(instrument: Instrument, read: Read, *, index: pd.Index) -> Answers:
    n = len(index)
    absent = (np.zeros(n, dtype=np.int32), np.full(n, MISSING, dtype=np.int8))
    columns = {}
    for item in instrument.items:
        values, kinds = read.get(item.id, absent)
        stored: npt.NDArray[np.integer[Any]] = values.astype(np.int16 if item.is_wide else np.int8)
        columns[item.id] = pd.arrays.IntegerArray(stored, kinds != ANSWER)
    blank = np.ones(n, dtype=bool)
    for _, kinds in read.values():
        blank &= kinds == MISSING
    return Answers(
        pd.DataFrame(columns, index=index),
        _names(read, UNREADABLE, index),
        _names(read, TOO_LARGE, index),
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


def with_constants(answers: Answers, constants: Mapping[str, int]) -> Answers:
    """Answers with the same answer to some items on every row that holds any: the months that every interview covered.

    A row without any answer stays one. `constants`: item id -> answer, in canonical coding.

    >>> from mbt_rom.registry import instrument
    >>> read = read_answers({"sshi_suicidal_acts": pd.Series(["2", ""])}, instrument("sshi"))
    >>> with_constants(read, {"sshi_months_covered": 6}).codes["sshi_months_covered"].tolist()
    [6, <NA>]
    """
    codes = answers.codes
    constant = {item: codes[item].mask(~answers.is_blank, value) for item, value in constants.items()}
    return replace(answers, codes=codes.assign(**constant)) if constants else answers


# Health profiles ------------------------------------------------------------------------------------------------------


def profile_cells(profile: pd.Series, instrument: Instrument, *, missing: Collection[str] = ()) -> dict[str, pd.Series]:
    """A column of health states ('11232') as text cells of the five dimensions, by item id, for `read_answers`.

    A spreadsheet's '11232.0' is read as well. What is neither empty, nor a code of `missing`, nor five digits is no answer to
    any dimension. Which edition it is (3L, 5L) does not follow from the digits: nobody may have ticked 4 or 5.

    Raises `ExportError` mapping_invalid for an instrument that has no such dimensions.

    >>> from mbt_rom.registry import instrument
    >>> cells = profile_cells(pd.Series(["11232", "1123"]), instrument("eq5d5l"))
    >>> [str(cells[item][0]) for item in cells]
    ['1', '1', '2', '3', '2']
    >>> read_answers(cells, instrument("eq5d5l")).unreadable[1]
    'eq5d5l_mo eq5d5l_sc eq5d5l_ua eq5d5l_pd eq5d5l_ad'
    """
    dimensions = profile_items(instrument)
    no_answer = {label_key(code) for code in (*missing, *instrument.missing_codes)}

    def state(text: str) -> str:
        digits = state_digits(text, len(dimensions), no_answer)
        return _NO_PROFILE if digits is None else digits

    states = map_unique(profile, state).astype("str")
    is_split = ~states.isin(["", _NO_PROFILE])
    return {item: states.str[place].where(is_split, states) for place, item in enumerate(dimensions)}


def profile_items(instrument: Instrument) -> tuple[str, ...]:
    """Ids of the items whose levels make up a health state, in order. Raises `ExportError` as `profile_cells`."""
    by_number = {item.number: item.id for item in instrument.items}
    if absent := [dimension for dimension in DIMENSIONS if dimension not in by_number]:
        raise ExportError("mapping_invalid", f"{instrument.name} has no profile: it has no item '{absent[0]}'")
    return tuple(by_number[dimension] for dimension in DIMENSIONS)


# Which item stands where, and how many there are ----------------------------------------------------------------------


def items_in_order(instrument: Instrument, order: str | None = None) -> dict[str, str]:
    """Printed number -> item id, for files in which items are found by their number alone; `order` as the instrument names it.

    Raises `ExportError` order_undeclared where the instrument is printed in several orders and none is named, mapping_invalid
    for an order that it does not have.

    >>> from mbt_rom.registry import instrument
    >>> items_in_order(instrument("ecrr"), "alternating")["1"], items_in_order(instrument("phq9"))["1"]
    ('ecrr_19', 'phq9_01')
    """
    if order is None:
        if instrument.order_must_be_stated:
            known = " and ".join(f"'{name}'" for name in instrument.orders)
            raise ExportError("order_undeclared", f"the orders of {instrument.name} are {known}")
        return {item.number: item.id for item in instrument.items}
    if order not in instrument.orders:
        have = ", ".join(instrument.orders) or "only the usual one"
        raise ExportError("mapping_invalid", f"{instrument.name} has no order '{order}'; it has {have}")
    return {str(place): item for place, item in enumerate(instrument.orders[order], start=1)}


def about_count(instrument: Instrument, n_columns: int) -> str:
    """What is said of a file that has `n_columns` columns for the instrument where that is not its number of items.

    >>> from mbt_rom.registry import instrument
    >>> about_count(instrument("bsi"), 60)[:56]
    'The MBT quality manual prints 60 items for the BSI, the '
    >>> about_count(instrument("phq9"), 7), about_count(instrument("sshi"), 1)
    ('The PHQ-9 has 9 items.', 'The SSHI needs at least: suicidal_acts.')
    """
    numbers = [instrument.item(item).number for item in instrument.needed_items]
    is_numbered = all(number.isdigit() for number in numbers)
    said = f"has {len(numbers)} items" if is_numbered else f"needs at least: {', '.join(numbers)}"
    return instrument.wrong_counts.get(n_columns, f"The {instrument.name} {said}.").strip()


# Contradictions that no single row shows ------------------------------------------------------------------------------


def _refuse_contradictions(instrument: Instrument, read: Read) -> None:
    codings.refuse_other_coding(instrument, {i: values[kinds == ANSWER] for i, (values, kinds) in read.items()})
    if any(coding.reversed_items for coding in instrument.codings):
        items = [item for item in instrument.items if item.id in read]
        codings.refuse_reversed(instrument, {item.id: _as_floats(item, *read[item.id]) for item in items})


def _as_floats(item: Item, values: npt.NDArray[np.int32], kinds: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    is_answer = (kinds == ANSWER) & (values >= item.min) & (values <= item.largest)
    return np.where(is_answer, values, np.nan)


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
