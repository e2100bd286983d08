"""What the answer list of a column (code -> label, as a survey tool or SPSS states it) says about its coding.

Belongs here: holding answer lists against the codings of an instrument, and the cells against all of them. Does not belong
here: reading cells (`cells`), deciding about a file (`detection`).

Labels that a definition knows decide what the codes mean. Labels that it does not know say nothing by their wording but for
the ends of the list ('never' ... 'always'); there the codes must be the published ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mbt_rom.exports import codings
from mbt_rom.exports.cells import ANSWER, MISSING, CellReader, cell_reader
from mbt_rom.exports.codings import NUMBER, label_key
from mbt_rom.exports.shapes import MOST, share
from mbt_rom.model import Coding, Instrument, Item

#: Fewer filled cells than this contradict no item.
FEWEST_ANSWERS = 8
#: An item with more answers than this is a scale between two ends, or a count: its list names only some of them.
_MOST_LISTED = 12
#: Labels of no answer. A code with such a label is none of the answers.
_NO_ANSWER = re.compile(
    r"missing|refus|weiger|unknown|onbekend|weet (?:ik )?niet|don.?t know|geen antwoord|no answer|n\.?v\.?t|not applicable"
    r"|niet van toepassing|niet ingevuld|prefer not|overgeslagen|skipped|not asked|niet gevraagd"
)
#: Codes that surveys use for no answer, where they lie outside the range of the item.
_MISSING_CODES = frozenset({7, 8, 9, 77, 88, 97, 98, 99, 777, 888, 999, 9999})
#: Words of the lowest and of the highest answer. Every shipped instrument counts from the first towards the second.
_LOWEST = frozenset(
    [
        "not at all",
        "never",
        "nooit",
        "helemaal niet",
        "geheel niet",
        "none",
        "no problems",
        "geen problemen",
        "strongly disagree",
        "disagree strongly",
        "completely disagree",
        "helemaal mee oneens",
        "geheel mee oneens",
        "helemaal oneens",
        "zeer oneens",
        "rarely or never",
    ]
)
_HIGHEST = frozenset(
    [
        "always",
        "altijd",
        "nearly every day",
        "bijna elke dag",
        "extremely",
        "heel erg",
        "zeer veel",
        "very much",
        "almost always",
        "bijna altijd",
        "strongly agree",
        "agree strongly",
        "completely agree",
        "helemaal mee eens",
        "geheel mee eens",
        "helemaal eens",
        "zeer eens",
    ]
)
_RIGHT = frozenset(["right", "correct", "goed", "juist", "richtig"])
_WRONG = frozenset(["wrong", "incorrect", "fout", "onjuist", "falsch"])


@dataclass(frozen=True)
class Judgement:
    """What an answer list says. `codings`: names of those under which codes and known labels agree; None: it decides nothing.

    `against`: what contradicts the item, as the second half of a sentence. `suggested`: the coding that its codes fit. `fits`: the list
    is one of the instrument's.
    """

    codings: frozenset[str] | None = None
    against: str | None = None
    suggested: str | None = None
    fits: bool = False


def judged(instrument: Instrument, item: Item, answers: Mapping[str, str], texts: Sequence[str]) -> Judgement:
    """What the answer list of an item says. `texts`: some of its cells.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> listed = {"1": "Not at all", "2": "Several days", "3": "More than half the days", "4": "Nearly every day"}
    >>> sorted(judged(phq9, phq9.items[0], listed, ["1", "4"]).codings)
    ['one_based']
    >>> judged(phq9, phq9.items[0], {"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"}, []).against
    'its answer list has 5 answers (0 to 4) and PHQ-9 has 4 (0 to 3)'
    """
    if item.largest - item.min >= _MOST_LISTED:
        return Judgement()
    listed = {
        code.strip(): _plain(code, label) for code, label in answers.items() if not _is_no_answer(code, label, item)
    }
    if len(listed) < 2:
        return Judgement()
    if scored := _scored(instrument, item, listed):
        return Judgement(frozenset([scored]), fits=True)
    told, _ = codings.labels_told(instrument, item)
    known = {code: told[label_key(label)] for code, label in listed.items() if label_key(label) in told}
    known = {code: value for code, value in known.items() if NUMBER.fullmatch(label_key(listed[code])) is None}
    if _holds_labels(texts, listed):
        return Judgement(against=_too_many(instrument, item, listed), fits=len(known) == len(listed))
    numbered = {code: value for code, value in known.items() if NUMBER.fullmatch(label_key(code)) is not None}
    if numbered:
        return _by_labels(instrument, item, listed, numbered)
    if known:  # codes that mean nothing by themselves are read as their labels (`weights`)
        return Judgement(against=_too_many(instrument, item, listed), fits=len(known) == len(listed))
    return _by_codes(instrument, item, listed)


def _scored(instrument: Instrument, item: Item, listed: Mapping[str, str]) -> str | None:
    """The coding of answers stored as right and wrong, where the list says that 1 is right and 0 is wrong."""
    words = {label_key(code): label_key(label) for code, label in listed.items()}
    if set(words) != {"0", "1"} or words["1"] not in _RIGHT or words["0"] not in _WRONG:
        return None
    return next((c.id for c in instrument.codings if c.is_scored and codings.holds_for(c, item)), None)


def _plain(code: str, label: str) -> str:
    """The label without its own code before it: '0 = not at all', '(0) not at all'."""
    return re.sub(rf"^\(?{re.escape(code.strip())}\)?\s*[=.:)\-]?\s+", "", label.strip()) or label


def _is_no_answer(code: str, label: str, item: Item) -> bool:
    key = label_key(code)
    if _NO_ANSWER.search(label.casefold()) or not key:
        return True
    is_outside = NUMBER.fullmatch(key) is not None and not item.allows(int(key))
    return is_outside and (int(key) < 0 or (int(key) in _MISSING_CODES and int(key) > item.largest + 2))


def _holds_labels(texts: Sequence[str], listed: Mapping[str, str]) -> bool:
    """Whether the cells hold the labels and not the codes."""
    codes, labels = {label_key(c) for c in listed}, {label_key(label) for label in listed.values()}
    return share([label_key(t) in labels and label_key(t) not in codes for t in texts]) > MOST


def _by_labels(instrument: Instrument, item: Item, listed: Mapping[str, str], known: Mapping[str, int]) -> Judgement:
    fitting = [c for c in instrument.codings if not c.is_scored and _agrees(instrument, item, c, known)]
    if not fitting:
        turned = all(label_key(code) == str(item.min + item.largest - value) for code, value in known.items())
        said = "runs the other way round" if turned else "gives the codes other meanings than any coding"
        return Judgement(
            against=f"its answer list {said} of {instrument.name}".replace("round of", "round than that of")
        )
    if against := _too_many(instrument, item, listed):
        return Judgement(against=against)
    return Judgement(frozenset(c.id for c in fitting), fits=True)


def _agrees(instrument: Instrument, item: Item, coding: Coding, known: Mapping[str, int]) -> bool:
    reader = cell_reader(instrument, item, (coding,))
    return all(reader.cell(code) == (value, ANSWER) for code, value in known.items())


def _too_many(instrument: Instrument, item: Item, listed: Mapping[str, str]) -> str | None:
    n = item.largest - item.min + 1
    told, _ = codings.labels_told(instrument, item)
    spellings = {told.get(label_key(label), label_key(label)) for label in listed.values()}
    return _wrong_number(instrument, item, listed) if len(spellings) > n else None


def _wrong_number(instrument: Instrument, item: Item, listed: Mapping[str, str]) -> str:
    return (
        f"its answer list has {len(listed)} answers{_range_of(listed)} and {instrument.name} has "
        f"{item.largest - item.min + 1} ({item.bounds})"
    )


def _range_of(listed: Mapping[str, str]) -> str:
    numbers = _numbers(listed)
    return f" ({min(numbers)} to {max(numbers)})" if numbers else ""


def _numbers(listed: Mapping[str, str]) -> set[int]:
    keys = [label_key(code) for code in listed]
    return {int(k) for k in keys} if all(NUMBER.fullmatch(k) for k in keys) else set()


def _by_codes(instrument: Instrument, item: Item, listed: Mapping[str, str]) -> Judgement:
    numbers = _numbers(listed)
    if not numbers:
        told, _ = codings.labels_told(instrument, item)
        fits = all(label_key(code) in told for code in listed)
        return Judgement(fits=fits, against=None if fits else _too_many(instrument, item, listed))
    if _runs_backwards(listed):
        return Judgement(against=f"its answer list runs the other way round than that of {instrument.name}")
    span = set(range(item.min, item.largest + 1))
    has_both_ends = {item.min, item.largest} <= numbers
    if numbers <= span and (has_both_ends or len(numbers) < 3):
        return Judgement(fits=numbers == span)
    other = next((c.id for c in instrument.codings if _range(c, item) == numbers), None)
    hint = f"; if it counts so, state 'coding: {other}' in a mapping file" if other else ""
    return Judgement(against=_wrong_number(instrument, item, listed) + hint, suggested=other)


def _range(coding: Coding, item: Item) -> set[int]:
    if not codings.holds_for(coding, item):
        return set()
    if coding.map is not None:
        keys = [label_key(label) for label in coding.map]
        return {int(k) for k in keys} if all(NUMBER.fullmatch(k) for k in keys) else set()
    return set(range(coding.min, coding.max + 1)) if coding.min is not None and coding.max is not None else set()


def _runs_backwards(listed: Mapping[str, str]) -> bool:
    """Whether the first answer stands at the highest number, or the last at the lowest."""
    by_number = sorted(listed, key=lambda code: int(label_key(code)))
    first, last = label_key(listed[by_number[0]]), label_key(listed[by_number[-1]])
    return first in _HIGHEST or last in _LOWEST


# Cells ----------------------------------------------------------------------------------------------------------------


def against_cells(instrument: Instrument, item: Item, texts: Sequence[str]) -> str | None:
    """What in the cells contradicts the item under every coding that the instrument has; None when nothing does.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> against_cells(phq9, phq9.items[0], ["7"] * 8), against_cells(phq9, phq9.items[0], ["4"] * 8)
    ('most of its cells hold no answer that PHQ-9 has (0 to 3)', None)
    """
    if len(texts) < FEWEST_ANSWERS or share(_readable(instrument, item, texts)) >= 1 - MOST:
        return None
    return f"most of its cells hold no answer that {instrument.name} has ({item.bounds})"


def other_coding(instrument: Instrument, item: Item, texts: Sequence[str]) -> str | None:
    """The only coding of numbers that all cells fit where they do not fit the published one; None elsewhere.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> other_coding(phq9, phq9.items[0], ["1", "4"]), other_coding(phq9, phq9.items[0], ["1", "3"])
    ('one_based', None)
    """
    keys = {label_key(text) for text in texts}
    if not keys or fit_cells(item, texts) or not all(NUMBER.fullmatch(key) for key in keys):
        return None
    fitting = [c.id for c in instrument.codings if {int(key) for key in keys} <= _range(c, item)]
    return fitting[0] if len(fitting) == 1 else None


def all_readable(instrument: Instrument, item: Item, texts: Sequence[str]) -> bool:
    """Whether every cell is an answer of the item, under one or another of the codings that the instrument has."""
    return all(_readable(instrument, item, texts))


def _readable(instrument: Instrument, item: Item, texts: Sequence[str]) -> list[bool]:
    readers = [cell_reader(instrument, item), *(cell_reader(instrument, item, (c,)) for c in instrument.codings)]
    kinds = {text: any(_reads(reader, text) for reader in readers) for text in set(texts)}
    return [kinds[text] for text in texts]


def fit_cells(item: Item, texts: Sequence[str]) -> bool:
    """Whether the cells hold answers of the item, in the published coding."""
    keys = {label_key(text) for text in texts}
    return bool(keys) and all(NUMBER.fullmatch(key) is not None and item.allows(int(key)) for key in keys)


def _reads(reader: CellReader, text: str) -> bool:
    value, kind = reader.cell(text)
    return kind == MISSING or (kind == ANSWER and reader.item.allows(value))
