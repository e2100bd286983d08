"""What speaks for and against the meaning of a column, how much each counts, and from where on a column is taken in.

Belongs here: the threshold, the scores and their reasons, in one place. Does not belong here: finding the evidence (`shapes`,
`answer_lists`, `names`) and deciding about a file (`detection`). The page `docs/understanding.md` tells the same to people.

Scores are weights by judgement and no probabilities: they order columns for the person who confirms them. What they decide is
fixed by three rules: a name of its own lifts a column above the threshold; without one nothing does, whatever else speaks for
it; and one contradiction puts it below, whatever speaks for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType

#: From here on a column is taken in as what it is called. Below, a person must confirm it.
THRESHOLD = 0.75
#: What no evidence without a name of its own exceeds: order, position, siblings and values never say which item a column is.
WITHOUT_A_NAME = 0.70
#: What a column cannot exceed when something in the file contradicts its name.
CONTRADICTED = 0.30
#: Nobody confirmed it: certain is only what a person states in a mapping file.
MOST_UNCONFIRMED = 0.99


@dataclass(frozen=True)
class Evidence:
    """One kind of evidence. `is_name`: it names what the column is."""

    score: float
    is_name: bool
    why: str


KINDS: Mapping[str, Evidence] = MappingProxyType(
    {
        "tool": Evidence(0.95, True, "the survey tool itself states what it keeps the column for"),
        "name": Evidence(0.90, True, "instrument and item, or a usual name of the field: written by somebody who knew"),
        "other_name": Evidence(0.80, True, "a name that exports use for this field, and sometimes for another one"),
        "name_in_text": Evidence(
            0.80, True, "the question text names instrument and item; texts are edited by more people"
        ),
        "siblings": Evidence(0.50, False, "all items that the instrument needs are there, each once"),
        "answer_list": Evidence(0.50, False, "the answer list of the file is that of the instrument"),
        "values": Evidence(0.30, False, "the cells hold such values; many other columns do, too"),
        "text": Evidence(0.45, False, "the question text or its section names the instrument, not the item"),
        "stem": Evidence(0.40, False, "as many columns of one stem as an instrument has items"),
        "part_of_name": Evidence(0.40, False, "a part of its name is a usual word for the field"),
    }
)


def confidence(kinds: Collection[str], *, is_contradicted: bool = False) -> float:
    """How much speaks for a meaning, from 0 to 1: what is left when every kind of evidence takes its share of the doubt.

    >>> confidence(["name"]), confidence(["name", "siblings", "values"]), confidence(["stem", "text", "values", "answer_list"])
    (0.9, 0.96, 0.7)
    >>> confidence(["name", "siblings"], is_contradicted=True), confidence([])
    (0.3, 0.0)
    """
    known = [KINDS[kind] for kind in dict.fromkeys(kinds)]
    reached = 1.0 - prod(1.0 - kind.score for kind in known)
    limit = MOST_UNCONFIRMED if any(kind.is_name for kind in known) else WITHOUT_A_NAME
    return round(min(reached, limit, CONTRADICTED if is_contradicted else 1.0), 2)


def is_sure(value: float) -> bool:
    """Whether a column of that confidence is taken in without being confirmed."""
    return value >= THRESHOLD
