"""The data dictionary of a REDCap project, as a codebook: its fields, forms, labels and choices.

Belongs here: telling a dictionary and reading it. Does not belong here: the exports of the project (`redcap`).

Two headings of the same columns are in use: that of the download ('Variable / Field Name', 'Form Name' ...) and that of the API
('field_name', 'form_name' ...). The first field of a dictionary is the record id. REDCap adds to every form a field for its state and,
for surveys, one for the time of submission; to the field of a checkbox one column per choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.markup import plain_text
from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.sheets import ColumnFacts, Grid

NAME = "redcap"
#: States of a form by the code that REDCap stores.
STATES: Mapping[str, str] = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
COMPLETE, TIMESTAMP = "_complete", "_timestamp"
_HEADINGS = {
    "variable / field name": "field",
    "field_name": "field",
    "form name": "form",
    "form_name": "form",
    "field type": "type",
    "field_type": "type",
    "field label": "label",
    "field_label": "label",
    "choices, calculations, or slider labels": "choices",
    "choices or calculations": "choices",
    "select_choices_or_calculations": "choices",
    "text validation type or show slider number": "validation",
    "text_validation_type_or_show_slider_number": "validation",
    "identifier?": "identifier",
    "identifier": "identifier",
}
_NEEDED = {"field", "form", "type", "label"}
_HEADER_WITHIN = 5
_CHOSEN = {"radio", "dropdown", "select"}
_FIXED: dict[str, dict[str, str]] = {
    "yesno": {"1": "Yes", "0": "No"},
    "truefalse": {"1": "True", "0": "False"},
}
_NEVER_TAKEN = {"notes": "free_text", "textarea": "free_text", "file": "technical", "descriptive": "technical"}
_IDENTIFYING = ("email", "phone", "postalcode", "zipcode", "ssn", "mrn")
_ROLES = Vocabulary({})


def codebook(grid: Grid) -> Codebook | None:
    """The codebook that a sheet is; None when it is no data dictionary."""
    for position in range(min(_HEADER_WITHIN, len(grid.cells))):
        places = _places(grid.row_texts(position))
        if places.keys() >= _NEEDED:
            rows = (grid.row_texts(i) for i in range(position + 1, len(grid.cells)))
            fields = [{name: row[at].strip() for name, at in places.items()} for row in rows]
            return Codebook(NAME, dict(_columns([field for field in fields if field["field"]])))
    return None


def _places(cells: list[str]) -> dict[str, int]:
    """What a column of the dictionary holds -> its position."""
    named = [(_HEADINGS.get(cell.strip().strip("\ufeff").casefold()), i) for i, cell in enumerate(cells)]
    return {name: i for name, i in reversed(named) if name is not None}


def _columns(fields: list[dict[str, str]]) -> Iterator[tuple[str, ColumnFacts]]:
    """The columns of an export, in its order: those of every form, its state behind them."""
    for place, field in enumerate(fields):
        yield from _of_field(field, is_record=place == 0)
    for form in dict.fromkeys(field["form"] for field in fields):
        yield form + COMPLETE, state_facts(form)
        yield form + TIMESTAMP, ColumnFacts(code=form + TIMESTAMP, form=form, role="submitted_at")


def _of_field(field: dict[str, str], *, is_record: bool) -> Iterator[tuple[str, ColumnFacts]]:
    name, text, kind = field["field"], plain_text(field["label"]), field["type"].casefold()
    listed = choices(field.get("choices", "")) if kind in _CHOSEN | {"checkbox"} else _FIXED.get(kind)
    if kind == "checkbox":
        for code, label in (listed or {}).items():
            box = checkbox(name, code)
            facts = ColumnFacts(box, f"{text} (choice={label})", form=field["form"], role="multiple_choice")
            yield box, facts
        return
    form = None if is_record else field["form"]
    yield name, ColumnFacts(name, text, listed, form, None if is_record else _role(field, kind))


def _role(field: dict[str, str], kind: str) -> str | None:
    """Why a field is never taken in; None for all others. What an identifying field is needed for, its name says."""
    if kind in _NEVER_TAKEN:
        return _NEVER_TAKEN[kind]
    is_marked = field.get("identifier", "").casefold() == "y"
    is_contact = field.get("validation", "").casefold().startswith(_IDENTIFYING)
    return "identifying" if (is_marked or is_contact) and not _ROLES.meanings(field["field"]) else None


def state_facts(form: str) -> ColumnFacts:
    """What is known of the column that holds the state of a form."""
    return ColumnFacts(code=form + COMPLETE, answers=STATES, form=form, role="complete")


def choices(text: str) -> dict[str, str]:
    """The choices of a field: code -> label.

    >>> choices("0, Not at all | 1, Several days, or so | -99, Not asked")
    {'0': 'Not at all', '1': 'Several days, or so', '-99': 'Not asked'}
    """
    pairs = [part.split(",", 1) for part in re.split(r"[|\n]", text) if "," in part]
    return {code.strip(): plain_text(label) for code, label in pairs}


def checkbox(field: str, code: str) -> str:
    """The column of one choice of a checkbox.

    >>> checkbox("meds", "1"), checkbox("meds", "-99"), checkbox("meds", "A.1")
    ('meds___1', 'meds____99', 'meds___a_1')
    """
    return f"{field}___{re.sub(r'[^a-z0-9]', '_', code.casefold())}"
