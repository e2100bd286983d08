"""Qualtrics: exports of responses as CSV, TSV or workbook, of today (three header rows) and of before (two).

Belongs here: the layout of a Qualtrics export. Does not belong here: any other tool's.

- Row 1 holds the names of questions, row 2 their texts (in the language of the account), row 3 of today's exports the ids within
  Qualtrics, and the time zone of the account behind its dates. Before, the columns of Qualtrics' own were called V1, V2 ... in row 1 and by
  name in row 2. Rows 2 and 3 hold no answers, and somebody may have deleted them.
- Previews and tests of a survey are exported like any response; `Status` tells them apart, in words or as the sum of 1 (preview),
  2 (test), 4 (imported), 8 (spam), 16 (offline), 32 (employees). No patient filled them in: they are left out and counted.
- `EndDate` is the last time something was answered. An unfinished response is recorded later, when Qualtrics closes it.
- -99 stands for a question that was seen and not answered, if that was asked for at the export.
- `ExternalReference` is the patient where no other column is. Names, addresses and places of recipients are never taken in.
- The turns of a loop are columns '1_Q1', '2_Q1': whose answers these are, or of when, only a mapping can say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pandas as pd

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.markup import plain_text
from mbt_rom.exports.names import Vocabulary, normalised
from mbt_rom.exports.sheets import ColumnFacts, Grid, RowFault
from mbt_rom.pseudonyms import is_blank, map_unique

NAME = "qualtrics"
_STATUS, _FINISHED, _PROGRESS, _CHANNEL = "status", "finished", "progress", "distributionchannel"
_RESPONSE, _ENDED, _RECORDED, _STARTED = "responseid", "enddate", "recordeddate", "startdate"
_REFERENCE = ("externalreference", "externaldatareference")
_TIMES = (_STARTED, _ENDED, _RECORDED)
#: Columns of Qualtrics' own that tell that it wrote a sheet: so many of them must be there.
_TELLING = frozenset(
    [
        _RESPONSE, _STARTED, _ENDED, _RECORDED, _STATUS, _PROGRESS, _FINISHED, _CHANNEL, *_REFERENCE, "ipaddress",
        "duration_in_seconds", "userlanguage", "recipientlastname", "recipientfirstname", "recipientemail", "responseset",
        "locationlatitude", "locationlongitude",
    ]
)  # fmt: skip
_ENOUGH = 4
_TECHNICAL = _TELLING | {"name", "emailaddress", "locationaccuracy"}
_ROLES: dict[str, str] = {_RESPONSE: "response_id", "userlanguage": "language"}
_LEGACY_NAME = re.compile(r"V\d+")
_IMPORT_ID = re.compile(r"""["']ImportId["']\s*:\s*["']([^"']*)["']""")
_ZONE = re.compile(r"""["']timeZone["']\s*:\s*["']([^"']*)["']""")
_LOOP = re.compile(r"\d+_\w.*")
#: Columns that Qualtrics adds to a question, or to a survey, for its own use.
_ADDED = re.compile(
    r".*_(?:DO(?:_.*)?|First Click|Last Click|Page Submit|Click Count|Browser|Version|Operating System|Resolution)"
    r"|.* - (?:Topics|Parent Topics|Topic Hierarchy Level \d+|Sentiment.*)|Q_\w+",
    re.IGNORECASE,
)
_UPLOAD = re.compile(r".*_FILE_(?:ID|NAME|SIZE|TYPE)")
_OTHER_TEXT = re.compile(r".*_TEXT", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_LOCAL_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?")
_SEEN = re.compile(r"-99(?:[.,]0+)?")
_DIGIT = re.compile(r"\d")
_WITH_DIGITS = (_RESPONSE, *_TIMES, _PROGRESS, "duration_in_seconds", "ipaddress")
_PREVIEW_OR_TEST = 3
#: Words of `Status`, in English, Dutch, German, French and Spanish: of previews and tests, and of all others.
_TRIAL_WORDS = re.compile(r"preview|\btests?\b|voorbeeld|voorvertoning|vorschau|aper[çc]u|vista previa", re.IGNORECASE)
_REAL_WORDS = re.compile(
    r"ip[ -]?(?:address|adres|adresse)|adresse ip|direcci[óo]n ip|import|ge[ïi]mporteerd|spam|offline", re.IGNORECASE
)
#: Words of `Finished` that are no Dutch or English: those are understood as they are.
_FINISHED_WORDS = {
    "wahr": "yes", "falsch": "no", "vrai": "yes", "faux": "no", "verdadero": "yes", "falso": "no", "vero": "yes",
    "oui": "yes", "non": "no", "nein": "no", "si": "yes",
}  # fmt: skip
_HEADER_WITHIN = 3
_NAMES = Vocabulary({})


# Recognising ----------------------------------------------------------------------------------------------------------


def header(grid: Grid) -> int | None:
    """Position of the row with names, where Qualtrics wrote the grid."""
    for position in range(min(_HEADER_WITHIN, len(grid.cells))):
        if len(_TELLING & set(_own_names(grid, position))) >= _ENOUGH:
            return position
    return None


def _headers(grid: Grid, position: int) -> list[str]:
    return [cell.strip().strip("\ufeff") for cell in grid.row_texts(position)]


def _own_names(grid: Grid, position: int) -> list[str]:
    """The names of columns, in small letters; of V1, V2 ... what stands below them."""
    headers = _headers(grid, position)
    is_legacy = _LEGACY_NAME.fullmatch(headers[0] if headers else "") and position + 1 < len(grid.cells)
    below = _headers(grid, position + 1) if is_legacy else headers
    return [normalised(b if _LEGACY_NAME.fullmatch(h) else h) for h, b in zip(headers, below, strict=True)]


# Reading --------------------------------------------------------------------------------------------------------------


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The grid without the rows for texts and ids, and with what Qualtrics says of its columns and of each response."""
    names = _own_names(grid, position)
    texts, ids = _rows_below(grid, position, names)
    after = position + 1 + len([row for row in (texts, ids) if row])
    kept = [*range(position + 1), *range(after, len(grid.cells))]
    cells = grid.cells.iloc[kept].reset_index(drop=True)
    rows, n_cells = grid.rows[kept], grid.n_cells[kept]
    below = cells.iloc[position + 1 :]
    facts = _facts(_headers(grid, position), names, texts, ids, below)
    for i, fact in enumerate(facts):
        before = below.iloc[:, i]
        cleaned = _cleaned(before, fact, names[i], ids[i] if ids else "")
        if cleaned is not before:
            cells.iloc[position + 1 :, i] = cleaned.to_numpy()
    faults = _kinds(below, names)
    by_row = {int(rows[i]): fault for i, fault in faults.items()}
    plain = replace(grid, cells=cells, rows=rows, n_cells=n_cells, faults={**grid.faults, **by_row})
    return replace(plain, dialect=NAME, header=position, facts=tuple(facts))


def _rows_below(grid: Grid, position: int, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The row of texts and the row of ids below the names, each empty where it is not there."""
    texts: list[str] = []
    ids: list[str] = []
    for i in range(position + 1, min(position + 3, len(grid.cells))):
        row = grid.row_texts(i)
        if not ids and any(_IMPORT_ID.search(cell) for cell in row):
            ids = row
        elif not texts and not ids and _is_of_texts(row, names):
            texts = row
        else:
            break
    return texts, ids


def _is_of_texts(row: Sequence[str], names: Sequence[str]) -> bool:
    """Whether a row holds what columns are called: words without any digit where every response has an id, a time or a number."""
    told = [cell.strip() for cell, name in zip(row, names, strict=True) if name in _WITH_DIGITS and cell.strip()]
    return bool(told) and not any(cell.startswith("R_") or _DIGIT.search(cell) for cell in told)


# What the columns are -------------------------------------------------------------------------------------------------


def _facts(
    headers: Sequence[str], names: Sequence[str], texts: Sequence[str], ids: Sequence[str], below: pd.DataFrame
) -> list[ColumnFacts]:
    roles = {**_ROLES, **_times_and_state(names)}
    facts = []
    for i, (written, name) in enumerate(zip(headers, names, strict=True)):
        found = _IMPORT_ID.search(ids[i]) if ids else None
        code = name if _LEGACY_NAME.fullmatch(written) else None
        role = roles.get(name) or ("technical" if name in _TECHNICAL or code else None)
        role = role or _added(written, found.group(1) if found else "", below.iloc[:, i])
        answers = {"100": "complete"} if name == _PROGRESS and role == "complete" else None
        facts.append(ColumnFacts(code, plain_text(texts[i]) or None if texts else None, answers, role=role))
    return _with_reference(facts, names, below)


def _times_and_state(names: Sequence[str]) -> dict[str, str]:
    """The columns that say when a response ended and whether it was finished: the best one of each."""
    told = {}
    if time := next((name for name in (_ENDED, _RECORDED) if name in names), None):
        told[time] = "submitted_at"
    if state := next((name for name in (_FINISHED, _PROGRESS) if name in names), None):
        told[state] = "complete"
    return told


def _added(written: str, import_id: str, cells: pd.Series) -> str | None:
    """Why a column that is no answer to a question is not taken in; None for all others."""
    if _ADDED.fullmatch(written) or _UPLOAD.fullmatch(import_id):
        return "technical"
    if _OTHER_TEXT.fullmatch(written):
        return "free_text"
    if _LOOP.fullmatch(written):
        return "loop"
    is_typed = import_id.endswith("_TEXT") and not _NAMES.meanings(written)
    return "free_text" if is_typed and not _holds_numbers(cells) else None


def _holds_numbers(cells: pd.Series) -> bool:
    texts = [str(text).strip() for text in cells.unique()]
    return all(_NUMBER.fullmatch(text) for text in texts if text)


def _with_reference(facts: list[ColumnFacts], names: Sequence[str], below: pd.DataFrame) -> list[ColumnFacts]:
    """The external reference is the patient where it is filled and no column is named for one."""
    is_named = any(
        fact.role is None and any(m.role == "patient" for m in _NAMES.meanings(name))
        for fact, name in zip(facts, names, strict=True)
    )
    filled = [i for i, name in enumerate(names) if name in _REFERENCE and not below.iloc[:, i].map(is_blank).all()]
    if is_named or len(filled) != 1:
        return facts
    return [replace(fact, role="patient") if i == filled[0] else fact for i, fact in enumerate(facts)]


# Cells ----------------------------------------------------------------------------------------------------------------


def _cleaned(cells: pd.Series, fact: ColumnFacts, name: str, told: str) -> pd.Series:
    """The cells of a column: times with their zone, no sign of unanswered questions; the very same where nothing changes."""
    if name in _TIMES and (zone := _zone(told)) is not None:
        return map_unique(cells, lambda text: _in_zone(text, zone)).astype("str")
    if name == _FINISHED:
        return map_unique(cells, lambda text: _FINISHED_WORDS.get(normalised(text), text)).astype("str")
    if fact.role is None:
        is_sign = cells.isin([text for text in map(str, cells.unique()) if _SEEN.fullmatch(text.strip())])
        return cells.mask(is_sign, "") if is_sign.any() else cells
    return cells


def _zone(told: str) -> tzinfo | None:
    """The zone that the row of ids states for a column of times; None where it states none that is known."""
    found = _ZONE.search(told)
    if found is None:
        return None
    if found.group(1) in ("Z", "UTC"):
        return UTC
    try:
        return ZoneInfo(found.group(1))
    except (ValueError, OSError, KeyError):
        return None


def _in_zone(text: str, zone: tzinfo) -> str:
    """A time without a zone, as one with it; anything else as it is.

    >>> _in_zone("2026-07-01 23:30:00", ZoneInfo("America/New_York")), _in_zone("soon", UTC)
    ('2026-07-01 23:30:00-04:00', 'soon')
    """
    if not _LOCAL_TIME.fullmatch(text.strip()):
        return text
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=zone).isoformat(sep=" ")
    except ValueError:
        return text


# Previews and tests ---------------------------------------------------------------------------------------------------


def _kinds(below: pd.DataFrame, names: Sequence[str]) -> Mapping[int, RowFault]:
    """Position of a row -> that it is a preview or a test, or that nobody can tell."""
    faults: dict[int, RowFault] = {}
    for name, judge in ((_STATUS, _of_status), (_CHANNEL, _of_channel)):
        for i in [at for at, own in enumerate(names) if own == name]:
            told = {text: judge(str(text).strip()) for text in below.iloc[:, i].unique()}
            for position, text in below.iloc[:, i].items():
                if (rule := told[text]) is not None:
                    faults[int(str(position))] = RowFault(rule, "")
    return faults


def _of_status(status: str) -> str | None:
    """The rule for a kind of response.

    >>> [_of_status(s) for s in ("0", "17", "IP Address", "Umfragevorschau", "Anketa")]
    [None, 'response_of_a_trial', None, 'response_of_a_trial', 'response_kind_unknown']
    """
    if number := re.fullmatch(r"(\d{1,3})(?:[.,]0+)?", status):
        return "response_of_a_trial" if int(number.group(1)) & _PREVIEW_OR_TEST else None
    if is_blank(status):
        return None
    if _TRIAL_WORDS.search(status):
        return "response_of_a_trial"
    return None if _REAL_WORDS.search(status) else "response_kind_unknown"


def _of_channel(channel: str) -> str | None:
    return "response_of_a_trial" if channel.casefold() in ("preview", "test") else None


DIALECT = Dialect(NAME, header, read)
