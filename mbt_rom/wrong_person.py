"""Forms under a number that exists and is wrong: which numbers are one slip of the finger away.

Belongs here: neighbours of a number, and forms that would fit such a neighbour. Does not belong here: numbers in any result; a
form that contradicts the register of patients (`expectations.administrations`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

Number = tuple[str, str]


class _Slot(NamedTuple):
    """A moment that is due and unanswered: from its first to its last day."""

    opens_on: pd.Timestamp
    closes_on: pd.Timestamp


def neighbours(number: str, alphabet: str = "0123456789") -> set[str]:
    """Numbers that one slip turns into `number` or back: one character replaced, two neighbours exchanged, one missing or too many.

    >>> found = neighbours("1001")
    >>> {"1002", "0101", "101", "11001"} <= found, {"1001", "1010", "1100", "1221"} & found
    (True, {'1010'})
    """
    cuts = [(number[:i], number[i:]) for i in range(len(number) + 1)]
    replaced = {a + c + b[1:] for a, b in cuts if b for c in alphabet}
    exchanged = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    missing = {a + b[1:] for a, b in cuts if b}
    added = {a + c + b for a, b in cuts for c in alphabet}
    return (replaced | exchanged | missing | added) - {number, ""}


def one_slip_away(forms: pd.DataFrame, expected: pd.DataFrame, *, numbers: Mapping[str, Number]) -> pd.Series:
    """Whether each form would fit a patient whose number is one slip away (bool, index of `forms`).

    `forms`: forms that fit no moment of their patient, with programme_id, patient_id, instrument, administered_on.
    `expected`: rows of `outcomes/expected`; a moment counts where it was due and has no form. `numbers`: pseudonym -> issuer and
    number. Only numbers of the same issuer are neighbours.
    """
    slots = _open_slots(expected)
    people: dict[Number, list[str]] = {}
    for patient, number in numbers.items():
        people.setdefault(number, []).append(patient)
    columns = ["programme_id", "patient_id", "instrument", "administered_on"]
    found = [
        number is not None and not pd.isna(day) and _fits(programme, instrument, day, number, people, slots)
        for programme, patient, instrument, day in forms[columns].itertuples(index=False, name=None)
        for number in [None if pd.isna(patient) else numbers.get(patient)]
    ]
    return pd.Series(found, index=forms.index, dtype=bool)


def _open_slots(expected: pd.DataFrame) -> dict[tuple[str, str, str], list[_Slot]]:
    rows = expected[expected["status"].isin(["open", "missed"]) & expected["row_id"].isna()]
    slots: dict[tuple[str, str, str], list[_Slot]] = {}
    columns = ["programme_id", "patient_id", "instrument", "opens_on", "closes_on"]
    for programme, patient, instrument, opens, closes in rows[columns].itertuples(index=False, name=None):
        slots.setdefault((programme, patient, instrument), []).append(_Slot(opens, closes))
    return slots


def _fits(
    programme: str,
    instrument: str,
    day: pd.Timestamp,
    number: Number,
    people: Mapping[Number, list[str]],
    slots: Mapping[tuple[str, str, str], list[_Slot]],
) -> bool:
    issuer, text = number
    alphabet = "".join(sorted(set("0123456789") | set(text)))
    return any(
        slot.opens_on <= day <= slot.closes_on
        for other in neighbours(text, alphabet)
        for patient in people.get((issuer, other), [])
        for slot in slots.get((programme, patient, instrument), [])
    )
