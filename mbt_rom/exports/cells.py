"""What the text of one cell says: an answer in canonical coding, no answer, a health state, or nothing that can be used.

Belongs here: single cells. Does not belong here: which coding holds (`codings`), columns and frames (`answers`), whether an answer
is within its range. Imports no pandas, so that `rom score` reads cells as exports do and still starts at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mbt_rom.exports import codings
from mbt_rom.exports.codings import NUMBER, label_key
from mbt_rom.model import LARGEST_COUNT, Coding, Instrument, Item

#: What exports write where a cell is empty.
BLANK_WORDS = frozenset({"", "na", "n/a", "nan", "null", "none", "."})
#: What a cell is.
ANSWER, MISSING, UNREADABLE, TOO_LARGE = range(4)
#: Where counts reach a thousand, 1.000 and 1,000 are one or a thousand, depending on the country.
_THOUSANDS = re.compile(r"-?\d{1,3}[.,]000", re.ASCII)


def is_blank(text: str) -> bool:
    """True for an empty cell and for the words that exports write instead of leaving one empty (NA, NaN, null, '.').

    >>> is_blank(" NA "), is_blank("0")
    (True, False)
    """
    return text.strip().casefold() in BLANK_WORDS


@dataclass(frozen=True)
class CellReader:
    """How the cells of one item are read. `is_closed`: nothing but the labels (and missing codes) may stand there.

    `unsure`: labels that mean one answer in one coding and another in the next -> these codings.
    """

    item: Item
    labels: Mapping[str, int]
    missing: frozenset[str]
    unsure: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    offset: int = 0
    is_reversed: bool = False
    is_closed: bool = False

    def cell(self, text: str) -> tuple[int, int]:
        """The answer and what the cell is; 0 where it is no answer. An answer may lie outside the range of the item."""
        key = label_key(text)
        if key in self.labels:
            return self.labels[key], ANSWER
        if key in BLANK_WORDS:
            return 0, MISSING
        if self.is_closed or NUMBER.fullmatch(key) is None or self._may_be_thousands(text):
            return 0, MISSING if key in self.missing else UNREADABLE
        return self._number(int(key) + self.offset, key in self.missing)

    def for_column(self, texts: Iterable[str]) -> CellReader:
        """The reader for a column of these texts: beside labels that are no numbers a number may count from 0 or from 1.

        >>> from mbt_rom.registry import instrument
        >>> reader = cell_reader(instrument("phq9"), instrument("phq9").items[0])
        >>> [reader.for_column(texts).cell("1") for texts in (["1", "2"], ["not at all", "1"])] == [(1, ANSWER), (0, UNREADABLE)]
        True
        """
        if self.is_closed or not self.labels:
            return self
        holds_labels = any(key in self.labels and NUMBER.fullmatch(key) is None for key in map(label_key, texts))
        return replace(self, is_closed=True) if holds_labels else self

    def _may_be_thousands(self, text: str) -> bool:
        return self.item.largest >= 1000 and _THOUSANDS.fullmatch(text.strip()) is not None

    def _number(self, code: int, is_missing: bool) -> tuple[int, int]:
        if self.item.allows(code):
            return self.item.min + self.item.largest - code if self.is_reversed else code, ANSWER
        if is_missing:
            return 0, MISSING
        return (code, ANSWER) if code in _storable(self.item) else (0, TOO_LARGE)


def _storable(item: Item) -> range:
    return range(-128, (LARGEST_COUNT if item.is_wide else 127) + 1)


def cell_reader(
    instrument: Instrument, item: Item, declared: Sequence[Coding] = (), missing: Collection[str] = ()
) -> CellReader:
    """The reader of an item's cells under the declared codings. `missing`: codes for no answer, beside the instrument's.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> one_based = cell_reader(phq9, phq9.items[0], codings.declared_codings(phq9, "one_based"), missing=["9"])
    >>> [one_based.cell(text)[0] for text in ("4", "4,0", "several days")], one_based.cell("9") == (0, MISSING)
    ([3, 3, 1], True)
    """
    no_answer = frozenset(label_key(code) for code in (*missing, *instrument.missing_codes))
    coding = codings.coding_of(item, declared)
    told, unsure = codings.labels_told(instrument, item)
    if coding is None:
        return CellReader(item, told, no_answer, unsure)
    if coding.is_scored:
        return CellReader(item, codings.right_and_wrong(instrument, item), no_answer, is_closed=True)
    own = codings.labels_of(coding)
    return CellReader(
        item,
        told | own,
        no_answer,
        {label: among for label, among in unsure.items() if label not in own},
        offset=codings.offset_of(coding, item),
        is_reversed=item.id in coding.reversed_items,
        is_closed=coding.map is not None and not codings.is_of_labels(coding),
    )


def state_digits(text: str, n_dimensions: int, no_answer: Collection[str] = ()) -> str | None:
    """The digits of a health state ('11232', in a spreadsheet '11232.0'); '' for no answer, None for anything else.

    `no_answer`: codes that say so, as `codings.label_key` writes them.

    >>> state_digits("11232.0", 5), state_digits("NA", 5), state_digits("1123", 5)
    ('11232', '', None)
    """
    key = label_key(text)
    if key in BLANK_WORDS or key in no_answer:
        return ""
    return key if len(key) == n_dimensions and key.isascii() and key.isdigit() else None
