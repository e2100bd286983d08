"""formr: results of a survey, a row per time that it was opened, with or without the columns of the run it belongs to.

Belongs here: the layout of formr's results. Does not belong here: any other tool's.

- `session` is the key of the person: the patient where the survey does not ask for a number. It comes back whenever the person fills
  in another survey, or the same one again, so that the response is the session together with the time at which the survey was opened.
- A survey open in two windows leaves two records of one sitting. Where at most one of them was finished they are states of one
  response, and the finished one counts; where both were, they stay two: if their answers differ, nobody knows which is right.
- `ended` is the time of submission. What has none was not finished, expired or not: its date is that of the last answer.
- An item whose name ends in a number and R ('mood_3R') is stored turned round by formr's own conventions, or will be by its R package.
  Which of the two a file holds it does not say: such a column is never taken for an item without a mapping.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.records import filled_down, with_patient
from mbt_rom.exports.sheets import ColumnFacts, Grid, with_columns

NAME = "formr"
SESSION, CREATED, MODIFIED, ENDED, EXPIRED = "session", "created", "modified", "ended", "expired"
_NEEDED = {SESSION, CREATED, MODIFIED, ENDED}
_TECHNICAL = (
    CREATED, MODIFIED, EXPIRED, "iteration", "study_id", "survey_id", "survey_name", "session_id", "run_session",
    "run_session_id", "unit_session_id", "run_name", "run_id", "unit_id", "unit_name", "position", "shuffle_group",
    "current_position", "deactivated", "last_access", "testing",
)  # fmt: skip
_REVERSED = re.compile(r".*\d[rR]")
_HEADER_WITHIN = 3


def header(grid: Grid) -> int | None:
    """Position of the header, where formr wrote the grid."""
    near = range(min(_HEADER_WITHIN, len(grid.cells)))
    return next((i for i in near if {cell.strip() for cell in grid.row_texts(i)} >= _NEEDED), None)


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The grid with the roles of formr's own columns, and columns for the response, its date and whether it was finished."""
    names = [cell.strip() for cell in grid.row_texts(position)]
    below = grid.cells.iloc[position + 1 :].reset_index(drop=True)
    own = {name: below.iloc[:, names.index(name)].str.strip() for name in (*_NEEDED, EXPIRED) if name in names}
    facts = with_patient(names, [_facts(name) for name in names], record=names.index(SESSION))
    cells = grid.cells.copy()
    for i, fact in enumerate(facts):
        if fact.role == "patient" and names[i] != SESSION:
            cells.iloc[position + 1 :, i] = filled_down(below.iloc[:, i], own[SESSION]).to_numpy()
    plain = replace(grid, cells=cells, dialect=NAME, header=position, facts=tuple(facts))
    ended, modified, created = own[ENDED], own[MODIFIED], own[CREATED]
    finished = (ended != "").map({True: "yes", False: "no"}).where(own[SESSION] != "", "")
    last = ended.mask(ended == "", modified)
    return with_columns(
        plain,
        {
            "(date)": (last.mask(last == "", created), ColumnFacts(role="date", is_derived=True)),
            "(complete)": (finished, ColumnFacts(role="complete", is_derived=True)),
            "(response)": (responses(own[SESSION], created, modified, ended), _RESPONSE),
        },
    )


_RESPONSE = ColumnFacts(role="response_id", is_derived=True)


def _facts(name: str) -> ColumnFacts:
    if name in _TECHNICAL:
        return ColumnFacts(role="technical")
    if name == ENDED:
        return ColumnFacts(role="submitted_at")
    return ColumnFacts(role="reversed" if _REVERSED.fullmatch(name) else None)


def responses(session: pd.Series, created: pd.Series, modified: pd.Series, ended: pd.Series) -> pd.Series:
    """Session and time of opening; records of one session that were open at the same time share that of the first.

    >>> one, day = pd.Series(["a", "a"]), "2026-01-05 "
    >>> times = [pd.Series([day + t for t in ts]) for ts in (("10:00:00", "10:01:00"), ("10:05:00", "10:09:00"))]
    >>> responses(one, *times, pd.Series(["", day + "10:09:00"])).tolist()
    ['a|2026-01-05 10:00:00', 'a|2026-01-05 10:00:00']
    """
    frame = pd.DataFrame({"session": session, "created": created, "is_ended": ended != ""})
    start = pd.to_datetime(created, errors="coerce", format="ISO8601", utc=True)
    ends = [pd.to_datetime(times, errors="coerce", format="ISO8601", utc=True) for times in (modified, ended)]
    frame["start"], frame["end"] = start, pd.concat([start, *ends], axis=1).max(axis=1)
    frame = frame.sort_values(["session", "start"], kind="stable")
    latest = frame.groupby("session")["end"].cummax()
    before = latest.groupby(frame["session"]).shift()
    is_new = ~(frame["start"] <= before)  # also where a time is not known
    sitting = is_new.cumsum()
    is_one = frame.groupby(sitting)["is_ended"].transform("sum") <= 1
    first = frame.groupby(sitting)["created"].transform("first")
    keys = frame["session"] + "|" + first.where(is_one, frame["created"])
    return keys.where(frame["session"] != "", "").sort_index().astype("str")


DIALECT = Dialect(NAME, header, read)
