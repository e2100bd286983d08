"""Totals that a survey tool stored beside the answers: compared with the answers, never used.

Belongs here: whether a stored total follows from the answers of its form, and what it means when those of a whole delivery do
not. Does not belong here: what happens to the form (`expectations.totals`, `conform`).

A total is made by the tool, or typed by whoever added up the form, so it is a second reading of the same answers. Where one form
of many contradicts its answers, an answer or the total was typed wrongly. Where most forms of a delivery do, nobody mistyped:
either the tool computes its total in another way (a T-score, a percentage), or the answers were read in the wrong coding. The
second has a mark of its own: read as 1, 2, 3 what means 0, 1, 2, every item is one too high, and the sum by exactly the number
of items. Such a delivery must not count, however plausible each form looks.

Only complete forms are compared: an incomplete one has no total of ours, and tools disagree about what theirs means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.model import Instrument, Method, MissingItems
from mbt_rom.scoring import MISSING, Answers, answers_of, scale_scores

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: A total that was rounded to two decimals lies this near to the exact one.
ROUNDING = 0.005 + 1e-9
#: Fewest items of which a sum that is off by their number is no coincidence.
MIN_ITEMS = 3
#: Fewest complete forms with a total from which a delivery as a whole can be judged.
MIN_FORMS = 3
#: Scores that a tool cannot be expected to give: a utility depends on the tariff that a home chose, a profile is a name.
_NOT_COMPARED: frozenset[Method] = frozenset({"value_set", "profile", "not_published"})


@dataclass(frozen=True)
class Shift:
    """Totals of a delivery that differ from the sum (or mean) of their items by one point an item: `n` of `n_compared`."""

    n: int
    n_compared: int

    @property
    def is_systematic(self) -> bool:
        """Whether it is no coincidence: at least `MIN_FORMS` forms, and more than half of those that can be compared."""
        return self.n >= MIN_FORMS and 2 * self.n > self.n_compared


def shift(definition: Instrument, rows: pd.DataFrame) -> Shift:
    """How many stored totals are off by exactly one point an item, upwards or downwards, all in the same direction.

    `rows`: an items table of one delivery. It looks at nothing of the definition but the items without which a form is none.
    """
    given = rows["total_given"].notna()
    items = list(definition.needed_items)
    complete = rows.loc[given, [*items, "total_given"]].dropna()
    if complete.empty or len(items) < MIN_ITEMS:
        return Shift(0, 0)
    total, sums = complete["total_given"].to_numpy(dtype=float), complete[items].sum(axis=1).to_numpy(dtype=float)
    n = [
        int((_is_near(total, sums + way * len(items)) | _is_near(total, sums / len(items) + way)).sum())
        for way in (-1, 1)
    ]
    return Shift(max(n), len(complete))


def agreement(definition: Instrument, rows: pd.DataFrame) -> pd.Series:
    """Whether the stored total of each form follows from its answers (boolean, index of `rows`).

    It does where it is the sum or the mean of the items of the primary scale, as they were answered or turned round as the
    scale asks, or our own score; to two decimals. Missing where there is nothing to compare: no total, an item not answered
    or out of range, or a scale whose score no tool can be expected to give.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> rows = pd.DataFrame([dict.fromkeys(phq9.item_ids, 2)] * 4).astype("Int8").assign(total_given=[18.0, 2.0, 17.0, None])
    >>> agreement(phq9, rows).tolist()
    [True, True, False, <NA>]
    """
    told = pd.Series(pd.NA, index=rows.index, dtype="boolean")
    scale = definition.primary
    has_total = rows["total_given"].notna().to_numpy(dtype=bool)
    if not has_total.any() or not scale.items or scale.method in _NOT_COMPARED:
        return told
    forms = rows.loc[has_total]
    forms = forms.loc[_within_bounds(definition, forms)]
    # Complete forms only: how gaps are filled, and over which parts, does not matter.
    alone = definition.model_copy(update={"scales": (scale.model_copy(update={"missing": MissingItems()}),)})
    result = scale_scores(alone, answers_of(definition, forms))
    total = forms["total_given"].to_numpy(dtype=float)
    follows = np.zeros(len(forms), dtype=bool)
    for made in _totals(result.answers, list(scale.items), result.scores[scale.id]):
        follows |= _is_near(total, made)
    is_complete = result.n_missing(scale.id) == 0
    told.loc[forms.index[is_complete]] = follows[is_complete]
    return told


def _totals(answers: Answers, items: list[str], score: Floats) -> list[Floats]:
    """What a tool may store as the total of complete forms."""
    sums = np.sum([answers[item].astype(np.int64) for item in items], axis=0).astype(float)
    n = len(items)
    return [sums, sums / n, score, score / n, score * n]


def _is_near(total: Floats, made: Floats) -> Flags:
    return np.asarray(np.abs(total - made) <= ROUNDING)


def _within_bounds(definition: Instrument, rows: pd.DataFrame) -> Flags:
    """Rows without an answer out of range: the others cannot be scored."""
    fine = np.ones(len(rows), dtype=bool)
    answers = answers_of(definition, rows)
    for item in definition.items:
        column = answers[item.id]
        fine &= (column == MISSING) | ((column >= item.min) & (column <= item.largest))
    return fine
