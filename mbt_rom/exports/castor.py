"""Castor EDC: exports of study data, of repeating data and of surveys, as CSV (with semicolons) or as sheets of a workbook.

Belongs here: the layout of a Castor export. Does not belong here: any other tool's.

Supported are the three layouts that Castor's manual describes, under the names of today (Participant, Site, Repeating data) and of
before (Record, Institute, Report). The files that come beside them (variables, field options, comments, queries) hold no forms.

- Study data: one row per participant, in columns that Castor names uniquely in a study. Questionnaires asked at several visits are
  there under names with a suffix of the study's own; those a mapping must name.
- Repeating data and surveys: one row per instance. The visit or phase an instance hangs on ('Survey Parent') is its moment.
- A survey is complete at a progress of 100; the time of completion is empty before that. One that was sent and not opened is blank.
- Fields that were marked as missing (-95 ... -99, in texts ##USER_MISSING_95## ..., in dates a day in the years 2995 ... 2999) are empty.
- The boxes of a question with several answers are columns 'field#label': never items.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.names import normalised
from mbt_rom.exports.records import filled_down, with_patient
from mbt_rom.exports.sheets import ColumnFacts, Grid, with_columns

NAME = "castor"
_PARTICIPANT = ("castor_participant_id", "castor_record_id", "participant_id", "record_id")
_INSTANCE, _PROGRESS, _COMPLETED = "survey_instance_id", "survey_progress", "survey_completed_on"
_CREATED = ("repeating_data_creation_date", "report_creation_date", "report_creating_date")
_CUSTOM = ("repeating_data_name_custom", "report_name_custom")
_MOMENTS = ("survey_parent", "repeating_data_parent", "report_parent")
_SITES = ("site_abbreviation", "institute_abbreviation")
_TECHNICAL = (
    "participant_status", "record_status", "randomization_id", "randomization_group", "randomized_on",
    "participant_creation_date", "record_creation_date", *_CREATED, *_CUSTOM, "survey_creation_date", "survey_sent_date",
    "survey_sent_on", "survey_package_name", "survey_package_id", "survey_name", "archived",
)  # fmt: skip
#: Columns that Castor writes, and what they are.
_ROLES: dict[str, str] = {
    **dict.fromkeys(_TECHNICAL, "technical"),
    **dict.fromkeys(_SITES, "programme"),
    **dict.fromkeys(_MOMENTS, "moment"),
    _INSTANCE: "response_id",
    _COMPLETED: "submitted_at",
    _PROGRESS: "complete",
}
#: Beside the participant one of these tells that Castor wrote the sheet.
_TELLING = frozenset(
    [
        "participant_status", "participant_creation_date", "record_creation_date", *_SITES, *_CREATED, *_CUSTOM, _INSTANCE,
        "survey_parent", "survey_package_id", "survey_package_name",
    ]
)  # fmt: skip
_FINISHED = {"100": "complete", "100%": "complete"}
_MISSING = re.compile(
    r"-9[5-9](?:[.,]0+)?|##USER_MISSING_9[5-9]##"
    r"|Missing \((?:measurement failed|not applicable|not asked|asked but unknown|not done)\)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"(?:\d{1,2}-\d{1,2}-299[5-9]|299[5-9]-\d{1,2}-\d{1,2})(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?")
_NO_PARENT = "no parent"
_HEADER_WITHIN = 5


def header(grid: Grid) -> int | None:
    """Position of the header, where Castor wrote the grid."""
    for position in range(min(_HEADER_WITHIN, len(grid.cells))):
        names = {normalised(cell) for cell in grid.row_texts(position)}
        if names & set(_PARTICIPANT) and names & _TELLING:
            return position
    return None


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The grid without signs of missing data, with the role of what Castor wrote and the response of every row."""
    headers = [cell.strip() for cell in grid.row_texts(position)]
    names = [normalised(cell) for cell in headers]
    record = next(names.index(name) for name in _PARTICIPANT if name in names)
    facts = with_patient(names, [_facts(*both) for both in zip(names, headers, strict=True)], record=record)
    below = grid.cells.iloc[position + 1 :].reset_index(drop=True)
    cells = grid.cells.copy()
    for i, fact in enumerate(facts):
        before = below.iloc[:, i]
        after = _cleaned(before, fact, names[i])
        after = filled_down(after, below.iloc[:, record]) if fact.role == "patient" and i != record else after
        if after is not before:
            cells.iloc[position + 1 :, i] = after.to_numpy()
    plain = replace(grid, cells=cells, dialect=NAME, header=position, facts=tuple(facts))
    return with_columns(plain, _derived(names, below, record))


def _facts(name: str, header: str) -> ColumnFacts:
    if name == _PROGRESS:
        return ColumnFacts(role="complete", answers=_FINISHED)
    return ColumnFacts(role=_ROLES.get(name) or ("multiple_choice" if "#" in header else None))


def _cleaned(cells: pd.Series, fact: ColumnFacts, name: str) -> pd.Series:
    """The cells without signs of missing data; the very same where there are none."""
    if fact.role == "moment":
        is_sign = cells.str.strip().str.casefold() == _NO_PARENT
    elif fact.role is None or name == _COMPLETED:
        texts = [str(text) for text in cells.unique()]
        is_sign = cells.isin([t for t in texts if _MISSING.fullmatch(t.strip()) or _PLACEHOLDER.fullmatch(t.strip())])
    else:
        return cells
    return cells.mask(is_sign, "") if is_sign.any() else cells


def _derived(names: list[str], below: pd.DataFrame, record: int) -> dict[str, tuple[pd.Series, ColumnFacts]]:
    """What follows from several columns: the response where no column is it, and whether a form was opened."""
    derived = {}
    if _INSTANCE not in names:
        key = below.iloc[:, record].str.strip()
        parts = [below.iloc[:, names.index(name)].str.strip() for name in (*_CREATED, *_CUSTOM) if name in names]
        joined = key
        for part in parts:
            joined = joined + "|" + part
        responses = (joined + "|").where(key != "", "").astype("str")
        derived["(response)"] = (responses, ColumnFacts(role="response_id", is_derived=True))
    if not set(names) & {*_CREATED, *_CUSTOM}:  # an instance of repeating data is there because somebody opened it
        derived["(opened)"] = (_opened(names, below), ColumnFacts(role="opened", is_derived=True))
    return derived


def _opened(names: list[str], below: pd.DataFrame) -> pd.Series:
    """'yes' for surveys that were begun. Of a form in the study data nobody can tell that it was opened and left empty."""
    is_opened = pd.Series(data=False, index=below.index)
    if _PROGRESS in names:
        is_opened |= ~below.iloc[:, names.index(_PROGRESS)].str.strip().isin(["", "0", "0%"])
    if _COMPLETED in names:
        is_opened |= below.iloc[:, names.index(_COMPLETED)].str.strip() != ""
    return is_opened.map({True: "yes", False: ""}).astype("str")


DIALECT = Dialect(NAME, header, read)
