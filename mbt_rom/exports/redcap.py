"""REDCap: exports with field names or with labels, of classic and longitudinal projects, with repeats, arms and access groups.

Belongs here: the layout of a REDCap export. Does not belong here: the data dictionary (`redcap_dictionary`).

- One row per record, event and instance of what repeats. All rows stay, also where some forms repeat and some do not: a row that does
  not hold a form is told by a derived column per form, which says where it was opened.
- The state of a form ('<form>_complete': 0 incomplete, 1 unverified, 2 complete) and the time of its submission ('<form>_timestamp') are
  those of its form alone. 0 without anything else in the form says nothing: REDCap writes it for forms that were never opened,
  unless the export asks for blanks.
- Which form a field belongs to the data dictionary says; without one the order of columns: in an export of all data the fields of a form
  stand together, its state behind them. In a report with chosen fields that need not hold: deliver the dictionary.
- The first column is the record, whatever its name; whether it is the patient, `records` says. A patient's number, year of birth and
  sex stand on one row of a record (of one event) and hold for all its rows: they are filled down within the record.
- The response is record, event, repeating form and instance together: what is exported again supersedes.
- With labels the dictionary leads back to fields and codes. A label that several fields share is told by the form in which it stands;
  where that does not decide, the column stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from mbt_rom.exports.codebook import Codebook, fitting
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.markup import plain_text
from mbt_rom.exports.names import Vocabulary, normalised
from mbt_rom.exports.records import filled_down, with_patient
from mbt_rom.exports.redcap_dictionary import COMPLETE, NAME, STATES, TIMESTAMP, codebook, state_facts
from mbt_rom.exports.sheets import ColumnFacts, Grid, with_columns

EVENT, INSTRUMENT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
#: Columns that REDCap adds behind the record id, and what they are.
STRUCTURE: dict[str, str] = {
    EVENT: "moment",
    INSTRUMENT: "technical",
    INSTANCE: "technical",
    "redcap_data_access_group": "programme",
    "redcap_survey_identifier": "technical",
}
#: The same columns in an export with labels.
_LABELS = dict(
    zip(
        ("Event Name", "Repeat Instrument", "Repeat Instance", "Data Access Group", "Survey Identifier"),
        STRUCTURE,
        strict=True,
    )
)
_STATE_LABEL, _TIMESTAMP_LABEL = "Complete?", "Survey Timestamp"
_NOT_COMPLETED = "[not completed]"
_BOX_LABEL = re.compile(r".+\(choice=.*\)", re.DOTALL)
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
#: REDCap proposes these codes for missing data (the null flavours of ISO 21090); a project may have others, which nobody tells us.
_MISSING = ("NI", "INV", "UNK", "NASK", "ASKU", "NAV", "MSK", "NA", "NAVU", "NP", "UNC")
_OPENED = {"1", "2", STATES["1"], STATES["2"]}
_LONGEST_EVENT = 18
_ROLES = Vocabulary({})


# Recognising ----------------------------------------------------------------------------------------------------------


def header(grid: Grid) -> int | None:
    """Position of the header, where REDCap wrote the grid: always the first row that holds anything."""
    position = next((i for i in range(min(3, len(grid.cells))) if any(c.strip() for c in grid.row_texts(i))), None)
    if position is None:
        return None
    names = _headers(grid, position)
    is_ours = bool(set(names) & STRUCTURE.keys()) or _is_labelled(names) or _is_classic(grid, position, names)
    return position if is_ours else None


def _headers(grid: Grid, position: int) -> list[str]:
    return [cell.strip().strip("\ufeff") for cell in grid.row_texts(position)]


def _is_labelled(names: Sequence[str]) -> bool:
    return _STATE_LABEL in names[1:] or len(set(names[1:]) & _LABELS.keys()) > 1


def _is_record(name: str) -> bool:
    """Whether a name is one of a record's or person's number that says nothing of a patient."""
    return any(m.role == "patient" and m.rank > 0 for m in _ROLES.meanings(name))


def _is_classic(grid: Grid, position: int, names: Sequence[str]) -> bool:
    """A project without events or repeats: a record id first, the state of the last form last, and some form complete."""
    filled = [name for name in names if name]
    if not _is_record(filled[0]) or not filled[-1].endswith(COMPLETE):
        return False
    states = [_filled(_body(grid, position, i)) for i, name in enumerate(names) if name.endswith(COMPLETE)]
    is_named = all(_FIELD.fullmatch(name) for name in filled)
    return is_named and all(cells <= STATES.keys() for cells in states) and any("2" in cells for cells in states)


def _body(grid: Grid, position: int, column: int) -> pd.Series:
    """Cells of a column below the header."""
    return grid.cells.iloc[position + 1 :, column].reset_index(drop=True)


def _filled(cells: pd.Series) -> set[str]:
    return {str(text).strip() for text in cells.unique()} - {""}


# Reading --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Columns:
    """What is known of the columns: `codes` are the names of fields ('' where unknown), `facts` what there is to say of each."""

    codes: list[str]
    facts: list[ColumnFacts]

    def at(self, code: str) -> int | None:
        """Position of a column."""
        return self.codes.index(code) if code in self.codes else None


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The grid with what is known of its columns, and columns for the response and for the forms that were opened."""
    names = _headers(grid, position)
    columns = _by_label(names, codebooks) if _is_labelled(names) else _by_name(grid, position, names, codebooks)
    columns = _with_patient(columns)
    cells = grid.cells.copy()
    body = slice(position + 1, None)
    opened = {form: _opened(grid, position, columns, form) for form in _forms(columns)}
    derived = {f"(opened {form})": (flags, _opened_facts(form)) for form, flags in opened.items()}
    if not derived:
        nothing = pd.Series("", index=range(len(grid.cells) - position - 1), dtype="str")
        derived["(opened)"] = (nothing, _opened_facts(None))
    derived["(response)"] = (_responses(grid, position, columns), ColumnFacts(role="response_id", is_derived=True))
    is_labelled = _holds_labels(grid, position, columns)
    for i, (code, told) in enumerate(zip(columns.codes, columns.facts, strict=True)):
        before, fact = _body(grid, position, i), replace(told, code=told.code or code)
        after = _cleaned(before, fact, record=_body(grid, position, 0), is_labelled=is_labelled)
        if code and after is not before:
            cells.iloc[body, i] = after.to_numpy()
    facts = tuple(columns.facts)
    return with_columns(replace(grid, cells=cells, dialect=NAME, header=position, facts=facts), derived)


def _forms(columns: _Columns) -> list[str]:
    return list(dict.fromkeys(fact.form for fact in columns.facts if fact.form is not None))


def _opened_facts(form: str | None) -> ColumnFacts:
    return ColumnFacts(role="opened", form=form, is_derived=True)


# What the columns are -------------------------------------------------------------------------------------------------


def _by_name(grid: Grid, position: int, names: list[str], codebooks: Sequence[Codebook]) -> _Columns:
    """The columns of an export whose header holds the names of fields."""
    book = fitting(codebooks, NAME, names)
    known = dict(book.columns) if book is not None else _by_position(grid, position, names)
    return _Columns(names, [_structural(name) or known.get(name) or _unknown(name) for name in names])


def _structural(name: str) -> ColumnFacts | None:
    return ColumnFacts(code=name, role=STRUCTURE[name]) if name in STRUCTURE else None


def _unknown(name: str) -> ColumnFacts:
    return ColumnFacts(role="multiple_choice" if "___" in name else None)


def _by_position(grid: Grid, position: int, names: list[str]) -> dict[str, ColumnFacts]:
    """Without a dictionary: the fields before the state of a form are its own."""
    known: dict[str, ColumnFacts] = {}
    waiting: list[str] = []
    for i, name in enumerate(names[1:], start=1):
        if name.endswith(COMPLETE) and _filled(_body(grid, position, i)) <= {*STATES, *STATES.values()}:
            form = name.removesuffix(COMPLETE)
            known |= {field: replace(_unknown(field), form=form) for field in waiting}
            known[name] = state_facts(form)
            if form + TIMESTAMP in waiting:
                known[form + TIMESTAMP] = ColumnFacts(form=form, role="submitted_at")
            waiting = []
        elif name and name not in STRUCTURE:
            waiting.append(name)
    return known


def _with_patient(columns: _Columns) -> _Columns:
    """The first column is the record."""
    facts = with_patient(columns.codes, columns.facts, record=0)
    return _Columns(columns.codes, [replace(facts[0], form=None), *facts[1:]])


# Labels ---------------------------------------------------------------------------------------------------------------


def _by_label(names: list[str], codebooks: Sequence[Codebook]) -> _Columns:
    """The columns of an export whose header holds labels."""
    fields = _fields_by_label(names, codebooks)
    parts = _parts(names)
    forms = {part: _form_of(part, names, parts, fields) for part in set(parts)}
    codes, facts = [], []
    for i, name in enumerate(names):
        code, fact = _labelled(i, name, forms[parts[i]], names, parts, fields)
        codes.append(code)
        facts.append(fact)
    return _Columns(codes, facts)


def _fields_by_label(names: list[str], codebooks: Sequence[Codebook]) -> dict[str, list[ColumnFacts]]:
    """Label -> the fields that have it, of the dictionary that knows most of them."""
    best: dict[str, list[ColumnFacts]] = {}
    n_best = 0
    for book in (b for b in codebooks if b.tool == NAME):
        fields: dict[str, list[ColumnFacts]] = {}
        for fact in book.columns.values():
            if fact.text:
                fields.setdefault(_label_key(fact.text), []).append(fact)
        if (n := sum(_label_key(name) in fields for name in names)) and n >= n_best:
            best, n_best = fields, n
    return best


def _label_key(label: str) -> str:
    return plain_text(label).replace('"', "'").casefold()


def _parts(names: Sequence[str]) -> list[int]:
    """For every column the number of the form it stands in: the column of its state is the last of each."""
    parts, part = [], 1
    for name in names:
        parts.append(part)
        part += name == _STATE_LABEL
    return parts


def _form_of(part: int, names: list[str], parts: list[int], fields: Mapping[str, list[ColumnFacts]]) -> str | None:
    """The form that a part of the columns is: the one of all fields in it that are sure. Without a dictionary its number."""
    if not fields:
        return f"form {part}" if _STATE_LABEL in names else None
    inside = [fields.get(_label_key(name), []) for name, own in zip(names, parts, strict=True) if own == part]
    forms = {found[0].form for found in inside if len(found) == 1} - {None}
    return forms.pop() if len(forms) == 1 else None


def _labelled(
    i: int, name: str, form: str | None, names: list[str], parts: list[int], fields: Mapping[str, list[ColumnFacts]]
) -> tuple[str, ColumnFacts]:
    """Name of the field and facts of one column; the label itself stands for the name where the field is unknown."""
    if (structural := _LABELS.get(name)) is not None and i > 0:
        return structural, ColumnFacts(code=structural, role=STRUCTURE[structural])
    if name == _STATE_LABEL:
        return name, ColumnFacts(form=form, role="complete" if form else "technical")
    if name == _TIMESTAMP_LABEL:
        return name, ColumnFacts(form=form, role="submitted_at" if form else "technical")
    found = fields.get(_label_key(name), [])
    if len(found) > 1 and sum(n == name and p == parts[i] for n, p in zip(names, parts, strict=True)) == 1:
        found = [fact for fact in found if fact.form == form] if form else []
    if len(found) == 1 and (len(fields[_label_key(name)]) > 1 or names.count(name) == 1):
        return str(found[0].code), found[0]
    role = "multiple_choice" if _BOX_LABEL.fullmatch(name) else None
    return name, ColumnFacts(role=role, form=form if not fields and i > 0 else None)


def _holds_labels(grid: Grid, position: int, columns: _Columns) -> bool:
    """Whether cells hold labels instead of codes: the states of forms say so."""
    states = [_filled(_body(grid, position, i)) for i, f in enumerate(columns.facts) if f.role == "complete"]
    return any(cells & set(STATES.values()) for cells in states)


# Cells ----------------------------------------------------------------------------------------------------------------


def _cleaned(cells: pd.Series, fact: ColumnFacts, *, record: pd.Series, is_labelled: bool) -> pd.Series:
    """The cells of a column: labels as codes, no signs of missing data; the very same where nothing changes."""
    if fact.role == "patient" or _is_of_record(fact):
        return filled_down(_as_codes(cells, fact) if is_labelled else cells, record)
    if fact.role == "submitted_at":
        return cells.mask(cells == _NOT_COMPLETED, "") if (cells == _NOT_COMPLETED).any() else cells
    if fact.role is not None or fact.form is None:
        return cells
    if is_labelled:
        return _as_codes(cells, fact)
    is_missing = cells.isin([code for code in _MISSING if code not in (fact.answers or {})])
    return cells.mask(is_missing, "") if is_missing.any() else cells


def _as_codes(cells: pd.Series, fact: ColumnFacts) -> pd.Series:
    """Labels of a field with choices as their codes. Words for sex and the like stay: they are understood as they are."""
    labels = [_label_key(label) for label in (fact.answers or {}).values()]
    codes = {
        label: code
        for label, code in zip(labels, fact.answers or {}, strict=True)
        if labels.count(label) == 1  # a label of two codes says neither
    }
    if not codes or _ROLES.meanings(fact.code or ""):
        return cells
    return cells.map({text: codes.get(_label_key(str(text)), text) for text in cells.unique()}).astype("str")


def _is_of_record(fact: ColumnFacts) -> bool:
    """True for a field that says something of the person, not of the event in which it was asked."""
    return fact.role is None and any(m.role in ("birth_year", "sex") for m in _ROLES.meanings(fact.code or ""))


def _opened(grid: Grid, position: int, columns: _Columns, form: str) -> pd.Series:
    """'yes' where the form was opened: something stands in it, it was submitted, or its state is more than incomplete."""
    is_opened = pd.Series(data=False, index=range(len(grid.cells) - position - 1))
    for i, fact in enumerate(columns.facts):
        if fact.form != form or fact.role == "multiple_choice":
            continue
        cells = _body(grid, position, i)
        is_opened |= cells.isin(_OPENED) if fact.role == "complete" else cells != ""
    return is_opened.map({True: "yes", False: ""}).astype("str")


def _responses(grid: Grid, position: int, columns: _Columns) -> pd.Series:
    """Record, event, repeating form and instance of every row; nothing where there is no record."""
    record = _body(grid, position, 0).str.strip()
    joined = record
    for code in (EVENT, INSTRUMENT, INSTANCE):
        at = columns.at(code)
        part = pd.Series("", index=record.index, dtype="str") if at is None else _body(grid, position, at).str.strip()
        if code == EVENT:
            part = part.map({text: _event_key(str(text)) for text in part.unique()}).astype("str")
        joined = joined + "|" + part
    return joined.where(record != "", "").astype("str")


def _event_key(event: str) -> str:
    """An event, the same from its unique name and from its label: REDCap makes the one from the other.

    >>> _event_key("6_maanden_arm_1"), _event_key("6 maanden"), _event_key("6 maanden (Arm 2: klinisch)")
    ('6_maanden 1', '6_maanden 1', '6_maanden 2')
    """
    name = normalised(event)
    arm = re.search(r"_arm_(\d+[a-z]?)(?:_\w*)?$", name)
    stem = (name[: arm.start()] if arm else name)[:_LONGEST_EVENT].strip("_")
    return f"{stem} {arm.group(1) if arm else 1}" if name else ""


DIALECT = Dialect(NAME, header, read, codebook)
