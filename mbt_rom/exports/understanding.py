"""How a sheet is understood: which column is what, by whose word. The shapes that `detection` and mappings fill in.

Belongs here: the plan of a sheet. Does not belong here: making it, or carrying it out (`conform`).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
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

    `profile` is the position of a column of health states; `constants` are answers that hold for every row. `coding`: the names
    of the declared codings, none when nobody declared one and no answer list tells it. `total`: a total of the primary scale that the file
    holds beside the items: it is compared with them and never scored. `opened`: a filled cell says that the form was opened on that
    row; with it, a row that holds neither that nor an answer does not hold the form.
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
    constants: Dict[str, int] = field(default_factory=dict)
    opened: Source | None = None
    total: Source | None = None


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
    """The plan of one sheet. `columns` says per column its role, instrument, item, block, coding, how sure that is and why, and of a
    column that is not taken in what it probably is (`described`); no values.

    `birth_year` and `sex` stand beside forms to be held against the register. `patient` None with `is_surrogate` False: the sheet names no patients (a register of therapists).
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
NOT_TAKEN_IN = "not_taken_in"
_HASH_LENGTH = 12


def described(
    sheet: RawSheet, roles: Dict[int, Dict[str, Any]], reasons: Dict[int, str] | None = None
) -> list[dict[str, Any]]:
    """One entry per column of the sheet.

    `column` (header), `position`, `role`, `instrument`, `item`, `block`, `coding`, `confidence` (0 to 1), `reason`, `proposal`: what a
    column that is not taken in probably is (role, instrument, item, moment, coding), or None. Where the file states them, `code`
    is its tool's own name, and `text` and `answers` are hashes of the question text and of the label of each code: enough to
    see that one changed, without keeping the wording.
    """
    blank = {
        "role": NOT_TAKEN_IN,
        "instrument": None,
        "item": None,
        "block": None,
        "coding": None,
        "confidence": 0.0,
        "proposal": None,
    }
    return [
        {
            "sheet": sheet.name,
            "column": header,
            "position": i,
            **blank,
            "reason": (reasons or {}).get(i, WHY_NOT.get(sheet.fact(i).role or "", "not recognised")),
            **roles.get(i, {}),
            **_wording(sheet, i),
        }
        for i, header in enumerate(sheet.headers)
    ]


def _wording(sheet: RawSheet, position: int) -> dict[str, Any]:
    """What later files of the folder are compared with: the tool's code, and hashes of text and answer list."""
    fact = sheet.fact(position)
    told: dict[str, Any] = {"is_derived": True} if fact.is_derived else {}
    if fact.code is not None and fact.code != sheet.headers[position]:
        told["code"] = fact.code
    if fact.text:
        told["text"] = wording_hash(fact.text)
    if fact.answers:
        told["answers"] = {code: wording_hash(label) for code, label in fact.answers.items()}
    return told


def wording_hash(text: str) -> str:
    """Twelve hexadecimal digits of a text, without regard to case, spaces, punctuation and markup.

    >>> wording_hash("Trouble with  sleep?") == wording_hash("<b>trouble with sleep</b>") != wording_hash("no trouble")
    True
    """
    plain = re.sub(r"<[^<>]*>|&nbsp;", " ", text)
    letters = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", plain).casefold()).strip()
    return hashlib.sha256(letters.encode()).hexdigest()[:_HASH_LENGTH]
