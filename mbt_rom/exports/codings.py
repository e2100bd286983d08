"""What the text of one answer cell says: an answer in canonical coding, no answer, or nothing that can be used.

Belongs here: codes, labels, missing codes, and the codings in which exports write them (shifted, mapped, turned round, marked as
right or wrong). Does not belong here: columns and frames (`answers`, `pipelines`), findings. Imports no pandas, so that
`rom score` starts at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Literal, NamedTuple

from mbt_rom.model import Coding, Instrument, Item

#: What exports write where a cell is empty.
BLANK_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none", "."})
#: From here on a point or comma before three zeros may part thousands: 1.000 is no 1, and not surely 1000.
_THOUSAND = 1000
_CODE = re.compile(r"(-?\d{1,9})(?:[.,](0*))?", re.ASCII)


class Cell(NamedTuple):
    """What a cell says. `code`: of an answer, the answer; of one that is outside the item's range, what it would be."""

    kind: Literal["answer", "missing", "outside", "unreadable"]
    code: int = 0


def is_blank(text: str) -> bool:
    """True for an empty cell and for the words that exports write instead of leaving one empty (NA, NaN, null, '.').

    >>> is_blank(" NA "), is_blank("0")
    (True, False)
    """
    return text.strip().casefold() in BLANK_WORDS


def coding_of(definition: Instrument, coding_id: str) -> Coding:
    """The coding of that id; KeyError, naming those that exist, when there is none."""
    for coding in definition.codings:
        if coding.id == coding_id:
            return coding
    have = ", ".join(coding.id for coding in definition.codings)
    raise KeyError(f"{definition.name} has no coding '{coding_id}'; it has {have}")


def label_codings(definition: Instrument) -> list[Coding]:
    """The codings whose labels are no numbers; where such labels stand, nothing is left to guess."""
    return [c for c in definition.codings if c.map and not any(_CODE.fullmatch(label) for label in c.map)]


def cell_reader(
    definition: Instrument, item: Item, *, coding: Coding | None = None, missing: Collection[str] = ()
) -> Callable[[str], Cell]:
    """A function that says what the text of a cell of that item means. No coding: the canonical one.

    '3', '3.0' and '3,0' are the code 3, '1,5' is none. Labels are compared without regard to case and repeated spaces; beside
    the labels of a coding nothing else is an answer. Missing codes are those of the definition and `missing`; one that is also
    an answer of the item is an answer (9 on a scale from 0 to 100). An item that the coding does not speak of is canonical.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> read = cell_reader(phq9, phq9.items[0], coding=coding_of(phq9, "one_based"), missing=["9"])
    >>> read("4,0"), read("9"), read("5"), read("often")
    (Cell(kind='answer', code=3), Cell(kind='missing', code=0), Cell(kind='outside', code=4), Cell(kind='unreadable', code=0))
    """
    labels = _labels(item, coding)
    canonical = _translation(definition, item, coding)
    no_answer = {_key(code) for code in (*definition.missing_codes, *missing)}

    def read(text: str) -> Cell:
        key = _key(text)
        if key in labels:
            return Cell("answer", labels[key])
        if key in BLANK_WORDS:
            return Cell("missing")
        number = None if labels else _number(text.strip(), item)
        code = None if number is None else canonical(number)
        if code is not None and item.allows(code):
            return Cell("answer", code)
        if key in no_answer:
            return Cell("missing")
        return Cell("unreadable") if code is None else Cell("outside", code)

    return read


def _key(text: str) -> str:
    """A code or label as it is compared: `9.0` like `9`, without regard to case and repeated spaces."""
    text = " ".join(text.split()).casefold()
    found = _CODE.fullmatch(text)
    return str(int(found.group(1))) if found else text


def _number(text: str, item: Item) -> int | None:
    found = _CODE.fullmatch(text)
    if found is None or (found.group(2) == "000" and item.largest >= _THOUSAND):
        return None
    return int(found.group(1))


def _speaks_of(coding: Coding, item: Item) -> bool:
    return not coding.items or item.id in coding.items


def _labels(item: Item, coding: Coding | None) -> dict[str, int]:
    if coding is None or coding.map is None or not _speaks_of(coding, item):
        return {}
    return {_key(label): code for label, code in coding.map.items()}


def _translation(definition: Instrument, item: Item, coding: Coding | None) -> Callable[[int], int | None]:
    """From the number in a cell to the canonical code; None where the coding has no such number."""
    if coding is None or not _speaks_of(coding, item):
        return lambda number: number
    if coding.is_scored and (right := _right_answer(definition, item)) is not None:
        wrong = right + 1 if item.allows(right + 1) else item.min
        return {1: right, 0: wrong}.get
    if item.id in coding.reversed_items:
        return lambda number: item.min + item.largest - number
    offset = _offset(item, coding)
    return lambda number: number + offset


def _right_answer(definition: Instrument, item: Item) -> int | None:
    return next((s.answer_key[item.id] for s in definition.scales if item.id in s.answer_key), None)


def _offset(item: Item, coding: Coding) -> int:
    """A coding shifts the items whose range has its width; a scale from 0 to 100 beside them stays as it is."""
    if coding.min is None or coding.max is None:
        return 0
    return coding.offset if coding.max - coding.min == item.largest - item.min else 0
