"""The checks that one definition gives rise to, as sentences: what `rom rules --instrument` lists.

Belongs here: which bounds of which rule a definition states. Does not belong here: the rules themselves (`findings`), carrying
them out (`expectations`, `careless`, `plausibility`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from mbt_rom import careless
from mbt_rom.form_states import asked_of_all
from mbt_rom.model import Instrument
from mbt_rom.plausibility import EARLY_DAYS, LARGEST_SWING, SWING_DAYS
from mbt_rom.stored_totals import MIN_ITEMS

Check = tuple[str, str]


def checks_of(definition: Instrument) -> list[Check]:
    """Rule and what it asks of this instrument, in the order in which forms are judged.

    >>> from mbt_rom.registry import instrument
    >>> checks_of(instrument("phq9"))[0]
    ('answer_out_of_range', 'phq9_01 to phq9_10: 0 to 3')
    """
    return [check for part in _PARTS for check in part(definition)]


def _bounds(definition: Instrument) -> Iterator[Check]:
    for bounds, items in groupby(definition.items, key=lambda item: item.bounds):
        yield "answer_out_of_range", f"{_span(item.id for item in items)}: {bounds}"


def _unusual(definition: Instrument) -> Iterator[Check]:
    for item in definition.items:
        if item.unusual_above is not None:
            yield "count_unusually_high", f"{item.id}: more than {item.unusual_above}"


def _counts(definition: Instrument) -> Iterator[Check]:
    n = len(definition.needed_items)
    if n:
        yield "item_count_wrong", f"a file must have {_span(definition.needed_items)} ({n} in all)"
    for wrong, why in sorted(definition.wrong_counts.items()):
        yield "item_count_wrong", f"{wrong} items: {why}"


def _state(definition: Instrument) -> Iterator[Check]:
    asked = asked_of_all(definition)
    if asked:
        yield "form_state", f"partial when the survey tool says so and one of these is not answered: {_span(asked)}"


def _interview(definition: Instrument) -> Iterator[Check]:
    if definition.kind == "interview":
        yield "interviewer_not_stated", "each interview says who held it and whether that person knew the treatment"


def _totals(definition: Instrument) -> Iterator[Check]:
    scale = definition.primary
    if scale.items and scale.method not in ("value_set", "profile", "not_published"):
        items = "the answer" if len(scale.items) == 1 else f"the sum or the mean of the {len(scale.items)} items"
        yield "total_contradicted", f"a stored total of a complete form is {items} of '{scale.id}', or our score"
    if len(definition.needed_items) >= MIN_ITEMS:
        yield (
            "coding_contradicted_by_totals",
            f"totals are not off by {len(definition.needed_items)}, one point an item",
        )


def _careless(definition: Instrument) -> Iterator[Check]:
    read = careless.reading(definition)
    if careless.ALL_EQUAL in read.rules:
        yield careless.ALL_EQUAL, f"at least {read.least_equal} answers, all the same"
    if careless.ONE_LONG_STRING in read.rules:
        yield careless.ONE_LONG_STRING, f"the same answer {read.longest_string} times in a row"
    if careless.REPEAT_A_PATTERN in read.rules:
        longest = min(read.longest_pattern.values())
        yield careless.REPEAT_A_PATTERN, f"a sequence that goes on for {longest} items or more"


def _interval(definition: Instrument) -> Iterator[Check]:
    days = definition.manual.every_days
    if days is not None:
        yield (
            "weekly_more_than_once",
            f"every {days} days: two forms of a patient less than {days - EARLY_DAYS} days apart",
        )


def _swing(definition: Instrument) -> Iterator[Check]:
    low, high = definition.primary.limits
    if high - low < float("inf"):
        bound = LARGEST_SWING * (high - low)
        yield "change_implausible", f"'{definition.primary.id}' changes by more than {bound:g} within {SWING_DAYS} days"


_PARTS = (_bounds, _unusual, _counts, _state, _interview, _totals, _careless, _interval, _swing)


def _span(items: Iterable[str]) -> str:
    """Items as a list, the many of a row by its ends."""
    names = list(items)
    return f"{names[0]} to {names[-1]}" if len(names) > 3 else ", ".join(names)
