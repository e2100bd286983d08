"""Survey tools that keep records of their own: which column is the patient then, and what holds for a whole record.

Belongs here: what the dialects of such tools share. Does not belong here: the layout of any of them.

A record of a tool has a number of its own. It is the patient's where nothing else in the file is; where a project keeps the patient's
number in a field beside it, that field is the patient and the record is no more than a key of the tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.sheets import ColumnFacts

_ROLES = Vocabulary({})


def with_patient(codes: Sequence[str], facts: Sequence[ColumnFacts], *, record: int) -> list[ColumnFacts]:
    """The facts with the role of the patient: on the column `record`, or on those of the surest name among the others.

    Where the record has a sure name too, nobody can tell which it is: both are left to their names, and the file is refused.

    >>> nothing = [ColumnFacts(), ColumnFacts()]
    >>> [fact.role for fact in with_patient(["record_id", "client_number"], nothing, record=0)]
    ['technical', 'patient']
    >>> [fact.role for fact in with_patient(["dossier", "phq9_1"], nothing, record=0)]
    ['patient', None]
    """
    ranks = {i: min(found) for i, code in enumerate(codes) if facts[i].role is None if (found := _patient_ranks(code))}
    others = {i: rank for i, rank in ranks.items() if i != record}
    if others and ranks.get(record) == 0:
        return list(facts)
    told = dict.fromkeys((i for i, rank in others.items() if rank == min(others.values())), "patient")
    told[record] = "technical" if others else "patient"
    return [replace(fact, role=told.get(i, fact.role)) for i, fact in enumerate(facts)]


def _patient_ranks(code: str) -> list[int]:
    return [meaning.rank for meaning in _ROLES.meanings(code) if meaning.role == "patient"]


def filled_down(cells: pd.Series, record: pd.Series) -> pd.Series:
    """The one value that stands in a record on all its rows. Records with several, and rows without a record, stay as they are.

    >>> filled_down(pd.Series(["A", "", "B", "C", ""]), pd.Series(["1", "1", "2", "2", "2"])).tolist()
    ['A', 'A', 'B', 'C', '']
    """
    filled = cells.where(cells.str.strip() != "")
    by_record = filled.groupby(record)
    is_sole = (by_record.transform("nunique") == 1) & (record.str.strip() != "")
    return cells.mask(filled.isna() & is_sole, by_record.transform("first")).astype("str")
