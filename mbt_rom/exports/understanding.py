"""How a sheet is understood: which column is what, by whose word. The shapes that `detection` and mappings fill in.

Belongs here: the plan of a sheet. Does not belong here: making it, or carrying it out (`conform`).
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Any

from mbt_rom.exports.sheets import RawSheet


@dataclass(frozen=True)
class Source:
    """Where a value comes from: a column by position, or a constant; `codes` translates what stands there.

    `yes` lists the codes of a yes/no column that mean yes, where a mapping states them.
    """

    column: int | None = None
    constant: str | None = None
    codes: Dict[str, str] | None = None
    format: str | None = None
    yes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class FormPlan:
    """One form of one instrument on each row; `items` are positions of columns by item id.

    `profile` is the position of a column of health states; `total` is where the survey tool stored a total; `constants` are answers
    that hold for every row. `coding`: the names of the declared codings, none when nobody declared one. `opened`: a filled cell says that the form was opened on that row; with
    it, a row that holds neither that nor an answer does not hold the form.
    """

    instrument: str
    block: int
    items: dict[str, int]
    edition: str
    moment: Source | None = None
    date: Source | None = None
    submitted_at: Source | None = None
    complete: Source | None = None
    coding: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    interviewer: Source | None = None
    is_blind: Source | None = None
    profile: int | None = None
    total: Source | None = None
    constants: Dict[str, int] = field(default_factory=dict)
    opened: Source | None = None


@dataclass(frozen=True)
class RegisterPlan:
    """One register in the sheet: where each of its columns comes from; the patient is that of the whole sheet."""

    register: str
    columns: dict[str, Source]


@dataclass(frozen=True)
class Condition:
    """Rows whose cell is not among `values` (None: whose cell is empty) are left out."""

    column: int
    values: frozenset[str] | None


@dataclass(frozen=True)
class Understanding:
    """The plan of one sheet. `columns` says per column its role, instrument, item, block and the reason; no values.

    `patient` None with `is_surrogate` False: the sheet names no patients (a register of therapists).
    """

    sheet: RawSheet
    mapping: str | None = None
    mapping_hash: str | None = None
    patient: Source | None = None
    is_surrogate: bool = False
    programme: Source | None = None
    response_id: Source | None = None
    language: Source | None = None
    mode: Source | None = None
    respondent: Source | None = None
    assisted: Source | None = None
    birth_year: Source | None = None
    sex: Source | None = None
    only: tuple[Condition, ...] = ()
    forms: tuple[FormPlan, ...] = ()
    registers: tuple[RegisterPlan, ...] = ()
    columns: list[dict[str, Any]] = field(default_factory=list)

    @property
    def takes_something(self) -> bool:
        """True when the sheet holds at least one form or register."""
        return bool(self.forms or self.registers)

    @property
    def left_columns(self) -> list[int]:
        """Positions of the columns that are not taken in."""
        return [column["position"] for column in self.columns if column["role"] == "not_taken_in"]


#: Roles of columns that are never taken in -> why.
WHY_NOT = {
    "technical": "kept by the survey tool for itself",
    "free_text": "free text",
    "multiple_choice": "one box of a question with several answers",
    "opened": "says on which rows a form was opened",
    "loop": "one turn of a loop: a mapping must say whose answers, or of when, these are",
    "question_text": "its heading is the text of the question, not its code: export with codes as headings",
    "reversed": "its name says that it is stored turned round: a mapping must say what it holds",
    "identifying": "marked as identifying in the survey tool",
}


def described(
    sheet: RawSheet, roles: Dict[int, Dict[str, Any]], reasons: Dict[int, str] | None = None
) -> list[dict[str, Any]]:
    """One entry per column of the sheet: header, position, role, instrument, item, block, reason."""
    blank = {"role": "not_taken_in", "instrument": None, "item": None, "block": None}
    return [
        {
            "sheet": sheet.name,
            "column": header,
            "position": i,
            **blank,
            "reason": (reasons or {}).get(i, WHY_NOT.get(sheet.fact(i).role or "", "not recognised")),
            **roles.get(i, {}),
        }
        for i, header in enumerate(sheet.headers)
    ]
