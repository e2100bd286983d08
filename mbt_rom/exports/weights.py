"""Answers as a tool stores them, and the scores that the tool itself gives to them (FHIR `ordinalValue`, `itemWeight`).

Belongs here: putting the score, or the label, in the place of a code that means nothing by itself. Does not belong here: what
labels and numbers mean to an instrument (`codings`, `answers`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mbt_rom.exports.codings import label_key
from mbt_rom.exports.sheets import ColumnFacts
from mbt_rom.pseudonyms import map_unique


def weighed(cells: pd.Series, facts: ColumnFacts, labels: Mapping[str, int]) -> pd.Series:
    """The cells as answers. `labels`: what labels mean to the item, which goes before any score.

    A code that is no answer by itself becomes its score, or its label where it has none. Nothing is left to chance: a label whose
    score contradicts its meaning, and a number without a score beside numbers that have another, come out as no answer.

    >>> facts = ColumnFacts(scores={"1": "0", "2": "1", "a-lot": "3"}, answers={"none": "Not at all"})
    >>> weighed(pd.Series(["1", "2", "a-lot", "none", "3", ""]), facts, {"not at all": 0}).tolist()
    ['0', '1', '3', 'Not at all', '[3]', '']
    """
    if not facts.scores and not facts.answers:
        return cells
    scores = {label_key(code): score for code, score in (facts.scores or {}).items()}
    shown = {label_key(code): label for code, label in (facts.answers or {}).items()}
    changes = any(code.isdigit() and code != score for code, score in scores.items())

    def one(text: str) -> str:
        key = label_key(text)
        if key in labels:
            return text if scores.get(key, str(labels[key])) == str(labels[key]) else f"[{text}]"
        if key in scores:
            return scores[key]
        if key.lstrip("-").isdigit():
            return f"[{text}]" if changes else text
        return shown.get(key, text)

    return map_unique(cells, one).astype("str")
