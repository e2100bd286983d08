"""Worked examples of an instrument: forms with the scores that they should have, and where a definition differs from them.

A file of examples is a CSV: `case` names the form, `source` says where its scores come from, then follow a column per item and one
per scale (`index@uk_1997`: the scale with that value set). An empty answer is missing; a score may be a fraction (`28/53`) and is
empty where the form cannot be scored. Semicolons between the cells are understood too, since spreadsheets in some countries write
them. The answers are made up, so a message may show them.

Belongs here: reading such a file, comparing, what it must cover. Does not belong here: computing a score (`scoring`), files on
disk, any example.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from mbt_rom.model import Instrument, Item, Scale
from mbt_rom.scoring import MISSING, Integers, scale_scores
from mbt_rom.valuation import ValueSet

#: A file holds at least so many forms.
FEWEST_FORMS = 12
_ABOUT = ("case", "source")
#: Rows are numbered as a spreadsheet shows them: the header is row 1.
_FIRST_ROW = 2
Form = Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One thing wrong with a file of examples, or one score that differs. `row` and `column` are None where it has none."""

    file: str
    says: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        """The sentence with its place: `tiny.csv, row 3, column total: expected 4, got 5`."""
        place = [self.file, f"row {self.row}" if self.row else "", f"column {self.column}" if self.column else ""]
        return f"{', '.join(filter(None, place))}: {self.says}"


def differences(
    definition: Instrument, text: str, *, file: str, value_sets: Mapping[str, ValueSet] | None = None
) -> list[Difference]:
    """Everything in which the file of examples is not right, in the order of its rows; nothing when all is.

    Asked are: a column for every item and every scale that can be scored, answers that the items allow, a source for each form,
    the scores, and that the forms cover what a fixture has to: see `FEWEST_FORMS` and the sentences in this module.

    >>> from mbt_rom.registry import instrument
    >>> header = "case,source,sds_01,sds_02,sds_03,total,work,social,family"
    >>> found = differences(instrument("sds"), f"{header}\\nall 1,by hand,1,1,1,4,1,1,1\\n", file="sds.csv")
    >>> str(found[0])
    'sds.csv, row 2, column total: expected 4, got 3'
    """
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header else ",")
    forms, columns = list(reader), list(reader.fieldnames or ())
    sets = value_sets or {}
    if wrong := list(_about_columns(definition, columns, file=file, value_sets=sets)):
        return wrong
    if wrong := list(_about_cells(definition, forms, columns, file=file)):
        return wrong
    scores = list(_about_scores(definition, forms, columns, file=file, value_sets=sets))
    return [*scores, *(Difference(file, says) for says in _uncovered(definition, forms))]


# --- the file ------------------------------------------------------------------------------------------------------------


def _about_columns(
    definition: Instrument, columns: Sequence[str], *, file: str, value_sets: Mapping[str, ValueSet]
) -> Iterator[Difference]:
    scales = {scale.id for scale in definition.scales}
    needed = [*_ABOUT, *definition.item_ids, *(scale.id for scale in scorable(definition))]
    for column in needed:
        if column not in columns:
            yield Difference(file, "the column is not there; add it", row=1, column=column)
    for column in columns:
        scale, at, chosen = column.partition("@")
        if column not in needed and scale not in scales:
            yield Difference(file, "is neither an item nor a scale of the definition", row=1, column=column)
        elif at and chosen not in value_sets:
            known = ", ".join(value_sets) or "none"
            yield Difference(file, f"no such value set; there are: {known}", row=1, column=column)
        elif columns.count(column) > 1:
            yield Difference(file, "stands twice", row=1, column=column)


def scorable(definition: Instrument) -> list[Scale]:
    """The scales that can have a score: the formula is public, and the key is known, as is that of the scales it is made of."""
    return [scale for scale in definition.scales if _is_scorable(definition, scale)]


def _is_scorable(definition: Instrument, scale: Scale) -> bool:
    parts = [] if scale.items else [definition.scale(part) for part in scale.scales]
    return scale.is_keyed and all(_is_scorable(definition, part) for part in parts)


def _about_cells(
    definition: Instrument, forms: Sequence[Form], columns: Sequence[str], *, file: str
) -> Iterator[Difference]:
    expected = [column for column in columns if column not in (*_ABOUT, *definition.item_ids)]
    for row, form in enumerate(forms, start=_FIRST_ROW):
        if None in form or None in form.values():
            yield Difference(file, "has more or fewer cells than the header", row=row)
            continue
        if not form["source"].strip():
            yield Difference(file, "say where the scores come from", row=row, column="source")
        for item in definition.items:
            if form[item.id] and not _is_answer(form[item.id], item):
                says = f"{form[item.id]!r} is no answer; answers are {item.bounds}, or empty"
                yield Difference(file, says, row=row, column=item.id)
        for column in expected:
            if form[column] and _fraction(form[column]) is None:
                says = f"{form[column]!r} is no number; write 4, 4.5 or 9/2, or leave it empty"
                yield Difference(file, says, row=row, column=column)


def _is_answer(text: str, item: Item) -> bool:
    try:
        return item.allows(int(text))
    except ValueError:
        return False


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None


# --- the scores ----------------------------------------------------------------------------------------------------------


def _about_scores(
    definition: Instrument,
    forms: Sequence[Form],
    columns: Sequence[str],
    *,
    file: str,
    value_sets: Mapping[str, ValueSet],
) -> Iterator[Difference]:
    computed = dict(_computed(definition, forms, columns, value_sets))
    for at, form in enumerate(forms):
        for column, scores in computed.items():
            if says := _differs(form[column], scores[at]):
                yield Difference(file, says, row=at + _FIRST_ROW, column=column)


def _computed(
    definition: Instrument, forms: Sequence[Form], columns: Sequence[str], value_sets: Mapping[str, ValueSet]
) -> Iterator[tuple[str, list[float]]]:
    """Column -> the score of each form."""
    answers = {item.id: _answers(item, forms) for item in definition.items}
    by_set: dict[str, list[tuple[str, str]]] = {}
    for column in columns:
        if column not in (*_ABOUT, *definition.item_ids):
            scale, _, chosen = column.partition("@")
            by_set.setdefault(chosen, []).append((column, scale))
    for chosen, wanted in by_set.items():
        scores = scale_scores(definition, answers, value_set=value_sets.get(chosen)).scores
        yield from ((column, scores[scale].tolist()) for column, scale in wanted)


def _answers(item: Item, forms: Iterable[Form]) -> Integers:
    given = [int(form[item.id]) if form[item.id] else int(MISSING) for form in forms]
    return np.array(given, dtype=np.int16 if item.is_wide else np.int8)


def _differs(expected: str, got: float) -> str | None:
    """What is said when they differ; None when they are equal, but for the last digits that floating point loses."""
    wanted = _fraction(expected) if expected else None
    if math.isnan(got):
        return None if wanted is None else f"expected {expected}, got no score"
    if wanted is None:
        return f"expected no score, got {got:.10g}"
    if math.isclose(float(wanted), got, rel_tol=1e-12, abs_tol=1e-12):
        return None
    digits = len(expected.partition(".")[2])
    hint = "" if round(got, digits) != float(wanted) or not digits else "; write it as a fraction, such as 45/7"
    return f"expected {expected}, got {got:.10g}{hint}"


# --- what the forms cover ------------------------------------------------------------------------------------------------


def _uncovered(definition: Instrument, forms: Sequence[Form]) -> Iterator[str]:
    """What the forms leave out, as sentences."""
    if len(forms) < FEWEST_FORMS:
        yield f"holds {len(forms)} forms and needs at least {FEWEST_FORMS}"
    for scale in scorable(definition):
        has_score = {bool(form[scale.id]) for form in forms}
        if True not in has_score:
            yield f"no form has a score on {scale.id}; add one"
        if False not in has_score:
            yield f"no form lacks a score on {scale.id}; add one with too many answers missing"
    items = [item for item in definition.items if item.id in definition.needed_items]
    given = [[form[item.id] for item in items] for form in forms]
    if len(items) > 1 and not any("" in answers and any(answers) for answers in given):
        yield "no form has some answers and lacks others; add one with a missing answer"
    for end, name in (("min", "lowest"), ("max", "highest")):
        if not any(_is_end(items, answers, end) for answers in given):
            yield f"no form has the {name} answer everywhere; add one"


def _is_end(items: Sequence[Item], answers: Sequence[str], end: str) -> bool:
    """Whether every answer is the lowest or the highest; a count without a limit must be too large for eight bits once."""
    limits = [str(getattr(item, end)) if getattr(item, end) is not None else None for item in items]
    limited = all(answer == limit for answer, limit in zip(answers, limits, strict=True) if limit is not None)
    counts = [int(answer or 0) for answer, limit in zip(answers, limits, strict=True) if limit is None]
    return limited and (not counts or max(counts) > np.iinfo(np.int8).max)
