"""The codings of answers: which one holds for an item, what its labels mean, and when one must be declared.

Belongs here: everything about `Coding` that reading an export needs. Does not belong here: reading cells (`answers`).

What is never guessed is which of two codings holds where both give possible answers; evidence against the canonical one refuses
the file and says what to declare. Labels that are no numbers (`not at all`, `1a`, `LA6568-5`) leave nothing to guess.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from mbt_rom.exports.errors import ExportError
from mbt_rom.model import Coding, Instrument, Item

Integers = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
#: Under an undeclared coding at least this many answers, and this share outside the canonical range, are evidence.
EVIDENCE_ANSWERS = 20
EVIDENCE_SHARE = 0.01
#: Whether items are stored turned round is judged from at least this many forms of which at least this share was answered ...
REVERSED_FORMS = 30
REVERSED_ANSWERED = 0.8
#: ... and held against the file when these items correlate less than this with the others: see `item_rest_correlation`.
REVERSED_CORRELATION = -0.2
NUMBER = re.compile(r"(-?\d{1,9})(?:[.,]0*)?", re.ASCII)


def label_key(text: str) -> str:
    """A label or code as labels are compared: without regard to case and repeated spaces, '03' and '3.0' as '3'.

    >>> label_key(" Not  at ALL "), label_key("3,0")
    ('not at all', '3')
    """
    text = " ".join(unicodedata.normalize("NFKC", text).split()).casefold()
    found = NUMBER.fullmatch(text)
    return str(int(found.group(1))) if found else text


# Which coding ---------------------------------------------------------------------------------------------------------


def declared_codings(instrument: Instrument, coding: str | Sequence[str] | None) -> tuple[Coding, ...]:
    """The codings of these names. Raises `ExportError` as `mbt_rom.exports.answers.read_answers`."""
    names = () if coding is None else (coding,) if isinstance(coding, str) else tuple(coding)
    known = {candidate.id: candidate for candidate in instrument.codings}
    if unknown := [name for name in names if name not in known]:
        have = ", ".join(known)
        raise ExportError("mapping_invalid", f"{instrument.name} has no coding '{unknown[0]}'; it has {have}")
    chosen = tuple(known[name] for name in names)
    _refuse_two_for_one_item(instrument, chosen)
    if not chosen and instrument.coding_must_be_stated:
        raise undeclared(instrument, instrument.codings, "nothing in the answers tells the codings apart")
    return chosen


def _refuse_two_for_one_item(instrument: Instrument, chosen: Sequence[Coding]) -> None:
    for at, one in enumerate(chosen):
        for other in chosen[at + 1 :]:
            if set(one.items) & set(other.items) or not (one.items or other.items):
                raise ExportError(
                    "mapping_invalid",
                    f"{instrument.name}: the codings '{one.id}' and '{other.id}' are about the same items",
                )


def coding_of(item: Item, declared: Sequence[Coding]) -> Coding | None:
    """The declared coding of an item: the one that names it goes before one that names none; None: the canonical one."""
    named = [coding for coding in declared if item.id in coding.items]
    return next(iter([*named, *(coding for coding in declared if not coding.items)]), None)


def undeclared(instrument: Instrument, codings: Iterable[Coding], why: str) -> ExportError:
    """The error that one of these codings must be declared."""
    named = " or ".join(f"'coding: {coding.id}'" for coding in codings)
    return ExportError(
        "coding_undeclared", f"{why}: state {named} for {instrument.name} in a mapping, as the survey tool stores it"
    )


# What a coding says ---------------------------------------------------------------------------------------------------


def is_of_labels(coding: Coding) -> bool:
    """True when the coding can be told by its labels: some are no numbers, and those that are stand for themselves.

    >>> from mbt_rom.registry import instrument
    >>> [coding.id for coding in instrument("bdi2").codings if is_of_labels(coding)]
    ['lettered']
    """
    numbers = {label: value for label, value in (coding.map or {}).items() if NUMBER.fullmatch(label)}
    stand_for_themselves = all(int(label_key(label)) == value for label, value in numbers.items())
    return coding.map is not None and len(numbers) < len(coding.map) and stand_for_themselves


def labels_of(coding: Coding) -> dict[str, int]:
    """Label, as labels are compared, -> answer."""
    return {label_key(label): value for label, value in (coding.map or {}).items()}


def labels_told(instrument: Instrument, item: Item) -> tuple[dict[str, int], dict[str, tuple[str, ...]]]:
    """What labels mean in an item without a declared coding, and for those that mean several answers in which codings."""
    meant: dict[str, dict[int, list[str]]] = {}
    for coding in instrument.codings:
        if is_of_labels(coding) and holds_for(coding, item):
            for label, value in labels_of(coding).items():
                meant.setdefault(label, {}).setdefault(value, []).append(coding.id)
    sure = {label: next(iter(values)) for label, values in meant.items() if len(values) == 1}
    unsure = {label: tuple(chain(*values.values())) for label, values in meant.items() if len(values) > 1}
    return sure, unsure


def right_and_wrong(instrument: Instrument, item: Item) -> dict[str, int]:
    """Answers that stand for right (1) and wrong (0): the keyed place, and the place after it (the first after the last).

    >>> from mbt_rom.registry import instrument
    >>> rmet = instrument("rmet")
    >>> right_and_wrong(rmet, rmet.item("rmet_01")), right_and_wrong(rmet, rmet.item("rmet_09"))
    ({'1': 1, '0': 2}, {'1': 4, '0': 1})
    """
    right = instrument.right_answers.get(item.id)
    if right is None:
        raise ExportError("mapping_invalid", f"{instrument.name} has no right answer to item '{item.number}'")
    return {"1": right, "0": right + 1 if right < item.largest else item.min}


def holds_for(coding: Coding, item: Item) -> bool:
    """Whether the coding is about that item."""
    return not coding.items or item.id in coding.items


def offset_of(coding: Coding, item: Item) -> int:
    """What is added to the numbers of an item. Only ranges of the coding's width are shifted: a 0-100 scale stays."""
    if coding.min is None or coding.max is None or not holds_for(coding, item):
        return 0
    return coding.offset if coding.max - coding.min == item.largest - item.min else 0


# Evidence that another coding holds -----------------------------------------------------------------------------------


def refuse_other_coding(instrument: Instrument, answers: Mapping[str, Integers]) -> None:
    """Raises `ExportError` coding_undeclared for answers that fit a coding of numbers and not the canonical one.

    `answers`: item id -> the numbers that were read as answers, of needed items only judged.
    """
    for coding in instrument.codings:
        items = [instrument.item(i) for i in instrument.needed_items if i in answers]
        reached = [item for item in items if holds_for(coding, item) and _changes(coding, item)]
        numbers = np.concatenate([answers[item.id] for item in reached] or [np.zeros(0, dtype=np.int32)])
        if len(numbers) and len({(item.min, item.largest) for item in reached}) == 1:
            _refuse_numbers(instrument, coding, reached[0], numbers)


def _changes(coding: Coding, item: Item) -> bool:
    """Whether the coding gives other answers to an item for the same numbers."""
    return offset_of(coding, item) != 0 or coding.is_scored or (coding.map is not None and not is_of_labels(coding))


def _refuse_numbers(instrument: Instrument, coding: Coding, item: Item, numbers: Integers) -> None:
    theirs = _numbers(coding)
    if np.isin(numbers, theirs).all() and _is_evidence(coding, item, numbers):
        raise ExportError(
            "coding_undeclared",
            f"answers run from {numbers.min()} to {numbers.max()}: if this export counts from {theirs[0]} to "
            f"{theirs[-1]}, declare 'coding: {coding.id}' in a mapping; otherwise correct the answers outside "
            f"{instrument.name}'s range, or declare 'coding: canonical'",
        )


def _is_evidence(coding: Coding, item: Item, numbers: Integers) -> bool:
    """Whether numbers that all fit the coding speak against the canonical one.

    A shift needs answers outside the canonical range, and many answers. A map gives the same number another meaning: there a
    few answers are enough, or that none is one of those which only the canonical coding has.
    """
    n_outside = int(((numbers < item.min) | (numbers > item.largest)).sum())
    is_outside = n_outside > 0 and n_outside >= EVIDENCE_SHARE * len(numbers)
    if coding.map is None:
        return is_outside and len(numbers) >= EVIDENCE_ANSWERS
    return is_outside or not set(range(item.min, item.largest + 1)) <= set(_numbers(coding))


def _numbers(coding: Coding) -> list[int]:
    if coding.map is not None:
        return sorted(int(label_key(label)) for label in coding.map)
    return list(range(coding.min, coding.max + 1)) if coding.min is not None and coding.max is not None else []


def refuse_reversed(instrument: Instrument, answers: Mapping[str, Floats]) -> None:
    """Raises `ExportError` coding_undeclared where some items seem to be stored turned round, and nobody said whether they are.

    `answers`: item id -> one answer per form, `nan` where there is none within the bounds.
    """
    for coding in instrument.codings:
        if not coding.reversed_items or not set(coding.reversed_items) & set(instrument.primary.items):
            continue
        if item_rest_correlation(answers, instrument, questioned=coding.reversed_items) < REVERSED_CORRELATION:
            raise undeclared(
                instrument,
                [coding, *(c for c in instrument.codings if c.id == "canonical")],
                f"the {len(coding.reversed_items)} items that '{coding.id}' turns round run against all others",
            )


def item_rest_correlation(
    answers: Mapping[str, Floats], instrument: Instrument, *, questioned: Collection[str]
) -> float:
    """Mean correlation of the `questioned` items with the mean of all others of the primary scale, read as canonical.

    `answers`: item id -> one answer per form, canonical coding as ticked, `nan` where there is none. The items that the scale
    reverses are turned round, so that every item points in the direction of the scale. As in a corrected item-rest correlation,
    an item is no part of what it is correlated with; nor is another questioned one, since they are stored right or wrong together.

    Forms of which less than `REVERSED_ANSWERED` was answered are left out, and so are forms with the same answer
    everywhere: after turning, these run against themselves in honest data. NaN where fewer than `REVERSED_FORMS` are left.

    Where items share 0.4 with what the scale measures, honest files lie around 0.36 and files stored turned round around -0.36.
    Yea-saying pulls both down, since it makes opposite items agree. In simulated honest files of 30 forms whose questioned items
    share only 0.3, with yea-saying of 0.3 SD, the mean falls below -0.2 about once in a thousand; without yea-saying (0.4) files
    stored turned round are found 98 times in 100. The test simulates both.
    """
    items = [i for i in instrument.primary.items if i in answers]
    is_asked = np.array([i in questioned for i in items], dtype=bool)
    if not is_asked.any() or is_asked.all():
        return float("nan")
    forms = _telling_forms(np.column_stack([answers[i] for i in items]))
    if len(forms) < REVERSED_FORMS:
        return float("nan")
    keyed = np.column_stack([_keyed(instrument, i, forms[:, place]) for place, i in enumerate(items)])
    rest = np.nanmean(keyed[:, ~is_asked], axis=1)
    return float(np.mean([_correlation(column, rest) for column in keyed[:, is_asked].T]))


def _telling_forms(forms: Floats) -> Floats:
    """Rows that were answered for the most part, and not with the same answer everywhere."""
    told = forms[(~np.isnan(forms)).mean(axis=1) >= REVERSED_ANSWERED]
    is_varied = np.nanmax(told, axis=1, initial=-np.inf) > np.nanmin(told, axis=1, initial=np.inf)
    varied: Floats = told[is_varied]
    return varied


def _keyed(instrument: Instrument, item_id: str, answers: Floats) -> Floats:
    item = instrument.item(item_id)
    return item.min + item.largest - answers if item_id in instrument.primary.reverse else answers


def _correlation(one: Floats, other: Floats) -> float:
    """Correlation of two columns over the rows that have both; 0 where one of them does not vary: it says nothing."""
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 2 or np.ptp(one[both]) == 0 or np.ptp(other[both]) == 0:
        return 0.0
    return float(np.corrcoef(one[both], other[both])[0, 1])
