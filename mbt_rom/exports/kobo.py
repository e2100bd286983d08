"""KoboToolbox and ODK (Central, Briefcase): submissions as CSV or as sheets of a workbook, with repeats as further sheets.

Belongs here: the layout of these exports. Does not belong here: the XLSForm of the project (`xlsform`), any other tool's.

- Groups stand before the name of a question: 'mood/phq9_1', 'mood-phq9_1' or 'mood.phq9_1'. The name counts, and where it says nothing the
  name together with its group: 'phq9/q1'.
- With labels as headings the XLSForm leads back to names; without it a label is a sentence, and nothing is taken for an item.
- A question with several answers is one column of codes and one per choice, 'question/choice': never items.
- The submission is `_id` (KoboToolbox; it stays when a submission is edited) or `KEY` (ODK). Only finished forms are ever submitted.
- Phones write their times with a zone. `_submission_time` is the server's, in UTC.
- What somebody judged as not approved, on hold or with issues is said, and counts.
- Repeats are joined to the submission they belong to: patient, day, time, programme, moment and language of it hold for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from mbt_rom.exports.codebook import Codebook, fitting
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.markup import plain_text
from mbt_rom.exports.names import Vocabulary, normalised
from mbt_rom.exports.sheets import ColumnFacts, Grid, RowFault, with_columns
from mbt_rom.exports.xlsform import NAME, codebook
from mbt_rom.pseudonyms import map_unique

_ID, _UUID, _SUBMISSION, _INDEX = "_id", "_uuid", "_submission_time", "_index"
_PARENT_TABLE, _PARENT_INDEX = "_parent_table_name", "_parent_index"
_KEY, _PARENT_KEY, _SUBMITTED = "KEY", "PARENT_KEY", "SubmissionDate"
_INSTANCE = ("instanceID", "meta/instanceID", "meta-instanceID", "meta.instanceID")
_STATUS = ("_validation_status", "_submission__validation_status", "ReviewState")
#: Columns of the tools' own: so many of them tell that one of them wrote a sheet.
_OF_KOBO = frozenset(
    [
        _ID, _UUID, _SUBMISSION, "_submitted_by", "_validation_status", "_notes", "_status", "_tags", _INDEX, "__version__",
        _PARENT_TABLE, _PARENT_INDEX, "_xform_id_string", "formhub/uuid",
    ]
)  # fmt: skip
_OF_ODK = frozenset(
    [
        _KEY, _PARENT_KEY, _SUBMITTED, *_INSTANCE, "SubmitterID", "SubmitterName", "AttachmentsPresent", "AttachmentsExpected",
        "ReviewState", "DeviceID", "Edits", "FormVersion",
    ]
)  # fmt: skip
_ENOUGH = 2
_OF_PHONE = frozenset(
    [
        "start", "end", "today", "deviceid", "subscriberid", "simserial", "simid", "devicephonenum", "phonenumber", "username",
        "email", "audit", "instanceName", "_version_", "_version", "_geolocation", "_attachments", "_bamboo_dataset_id", "Status",
        "background-audio", "start-geopoint",
    ]
)  # fmt: skip
_TECHNICAL = _OF_KOBO | _OF_ODK | _OF_PHONE
_TECHNICAL_PART = re.compile(r"(?:meta|__system|formhub)[/.\-].+|SET-OF-.+|_submission_\w*|_parent_\w+", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][\w.\-]*(?:/[\w.\-]+)*")
_FREE_TEXT = re.compile(
    r"\w+_(?:other|specify|comments?|remarks?|anders|namelijk|toelichting|opmerking(?:en)?)", re.IGNORECASE
)
_NO_ZONE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?")
_NOT_APPROVED = {
    "validation_status_not_approved", "validation_status_on_hold", "not_approved", "on_hold", "hasissues", "has_issues", "rejected",
}  # fmt: skip
#: What a repeat has from the submission it belongs to.
_INHERITED = ("patient", "date", "submitted_at", "programme", "moment", "language")
_HEADER_WITHIN = 3
_NAMES = Vocabulary({})


# Recognising ----------------------------------------------------------------------------------------------------------


def header(grid: Grid) -> int | None:
    """Position of the header, where KoboToolbox or ODK wrote the grid."""
    for position in range(min(_HEADER_WITHIN, len(grid.cells))):
        names = set(_headers(grid, position))
        if len(names & _OF_KOBO) >= _ENOUGH or (_KEY in names and len(names & _OF_ODK) >= _ENOUGH):
            return position
    return None


def _headers(grid: Grid, position: int) -> list[str]:
    return [cell.strip().strip("\ufeff") for cell in grid.row_texts(position)]


# Reading --------------------------------------------------------------------------------------------------------------


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The grid with the name and role of every column, and what was judged of each submission."""
    headers = _headers(grid, position)
    book = _book(headers, codebooks)
    boxes, below = _boxes(headers), grid.cells.iloc[position + 1 :]
    facts = _with_own_roles(headers, [_facts(h, boxes, book) for h in headers])
    cells = grid.cells.copy()
    for i, fact in enumerate(facts):
        told = _unless_numbers(fact, below.iloc[:, i])
        after = _cleaned(below.iloc[:, i], headers[i], told)
        facts[i] = told
        if after is not below.iloc[:, i]:
            cells.iloc[position + 1 :, i] = after.to_numpy()
    faults = {**grid.faults, **_judged(grid, position, headers)}
    return replace(grid, cells=cells, dialect=NAME, header=position, facts=tuple(facts), faults=faults)


# What the columns are -------------------------------------------------------------------------------------------------


def _book(headers: Sequence[str], codebooks: Sequence[Codebook]) -> Mapping[str, ColumnFacts]:
    """What the XLSForm says: by name and path, and by label where only one question has it."""
    widened = [Codebook(NAME, _by_label(book) | dict(book.columns)) for book in codebooks if book.tool == NAME]
    book = fitting(widened, NAME, [path for header in headers for path in _paths(header)])
    return book.columns if book is not None else {}


def _by_label(book: Codebook) -> dict[str, ColumnFacts]:
    by_label: dict[str, dict[str | None, ColumnFacts]] = {}
    for fact in book.columns.values():
        if fact.text:
            by_label.setdefault(fact.text, {})[fact.code] = fact
    return {label: next(iter(found.values())) for label, found in by_label.items() if len(found) == 1}


def _paths(header: str) -> list[str]:
    """How a column may be called: its name, then with one group more each; the heading as a label last.

    >>> _paths("visit/mood/phq9_1"), _paths("visit-phq9_1"), _paths("phq9-1")
    (['phq9_1', 'mood/phq9_1', 'visit/mood/phq9_1'], ['phq9_1', 'visit/phq9_1', 'visit-phq9_1'], ['phq9-1'])
    """
    parts = [part for part in re.split(r"[/.\-]", header) if part]
    is_path = len(parts) > 1 and _NAME.fullmatch(header) and all(re.match(r"[A-Za-z_]", part) for part in parts)
    told = ["/".join(parts[i:]) for i in reversed(range(len(parts)))] if is_path else []
    return list(dict.fromkeys([*told, plain_text(header)]))


def _facts(header: str, boxes: Collection[str], book: Mapping[str, ColumnFacts]) -> ColumnFacts:
    if header in _TECHNICAL or _TECHNICAL_PART.fullmatch(header):
        return ColumnFacts(role="technical")
    if header in boxes:
        return ColumnFacts(role="multiple_choice")
    names = _paths(header)
    known = next((book[name] for name in reversed(names) if name in book), None)
    if known is not None:
        return replace(known, others=tuple(names) if _NAME.fullmatch(header) else ())
    if not _NAME.fullmatch(header):
        return ColumnFacts(text=plain_text(header) or None, role="question_text")
    role = "free_text" if _FREE_TEXT.fullmatch(names[0]) else None
    return ColumnFacts(names[0], others=tuple(names[1:]), role=role)


def _boxes(headers: Sequence[str]) -> set[str]:
    """Questions with several answers, and the columns that are one choice of them."""
    known, boxes = set(headers), set()
    for header in headers:
        question, slash, choice = header.rpartition("/")
        if slash and (question in known or choice[:1].isdigit()):
            boxes |= {header, question}
    return boxes


def _with_own_roles(headers: Sequence[str], facts: list[ColumnFacts]) -> list[ColumnFacts]:
    """The facts with the columns of the tools' own that say which submission it is, when, and of which day."""
    roles = {}
    is_repeat = _PARENT_INDEX in headers
    if not is_repeat and (own := next((n for n in (_ID, _KEY, _UUID, *_INSTANCE) if n in headers), None)):
        roles[own] = "response_id"
    if time := next((n for n in ("end", _SUBMISSION, _SUBMITTED) if n in headers), None):
        roles[time] = "submitted_at"
    is_dated = any(fact.role is None and _role_of(fact) == "date" for fact in facts)
    if "today" in headers and not is_dated:
        roles["today"] = "date"
    return [replace(f, role=roles.get(h, f.role)) for h, f in zip(headers, facts, strict=True)]


def _role_of(fact: ColumnFacts) -> str | None:
    """The role that the tool states, or else the name of the column."""
    named = next((found for name in (fact.code or "", *fact.others) if (found := _NAMES.meanings(name))), ())
    return fact.role or (named[0].role if named else None)


def _unless_numbers(fact: ColumnFacts, cells: pd.Series) -> ColumnFacts:
    """A question for text whose every answer is a number holds no free text."""
    texts = [str(text).strip() for text in cells.unique()]
    is_typed = (
        fact.role == "free_text" and any(texts) and all(re.fullmatch(r"-?\d+(?:[.,]\d+)?", t) for t in texts if t)
    )
    return replace(fact, role=None) if is_typed else fact


# Cells ----------------------------------------------------------------------------------------------------------------


def _cleaned(cells: pd.Series, header: str, fact: ColumnFacts) -> pd.Series:
    """The cells of a column: the server's times with their zone, labels as the numbers of the XLSForm. Else the very same."""
    if header in (_SUBMISSION, _SUBMITTED):
        return map_unique(cells, lambda text: f"{text}+00:00" if _NO_ZONE.fullmatch(text) else text).astype("str")
    answers = fact.answers or {}
    if fact.role is not None or not answers or not all(re.fullmatch(r"-?\d+", code) for code in answers):
        return cells
    labels = list(answers.values())
    codes = {label: code for code, label in answers.items() if labels.count(label) == 1 and label not in answers}
    return map_unique(cells, lambda text: codes.get(plain_text(text), text)).astype("str") if codes else cells


def _judged(grid: Grid, position: int, headers: Sequence[str]) -> dict[int, RowFault]:
    """Row -> that somebody did not approve it."""
    faults: dict[int, RowFault] = {}
    for name in [name for name in _STATUS if name in headers]:
        cells = grid.cells.iloc[position + 1 :, headers.index(name)]
        is_bad = map_unique(cells, lambda text: normalised(text) in _NOT_APPROVED).astype("bool").to_numpy()
        faults |= {int(row): RowFault("response_not_approved", "") for row in grid.rows[position + 1 :][is_bad]}
    return faults


# Repeats --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Link:
    """How the rows of a repeat name the rows they belong to: columns by position, in the repeat and in its parent."""

    parent: Grid
    in_repeat: int
    in_parent: int


def joined(grids: Sequence[Grid]) -> list[Grid]:
    """The sheets of one file: every repeat with what it has from its submission."""
    done: dict[int, Grid] = {}
    for grid in grids:
        _join(grid, grids, done, ())
    return [done[grid.number] for grid in grids]


def _join(grid: Grid, grids: Sequence[Grid], done: dict[int, Grid], above: tuple[int, ...]) -> Grid:
    if grid.number not in done:
        link = None if grid.number in above else _link(grid, grids)
        if link is None:
            done[grid.number] = grid
        else:
            parent = _join(link.parent, grids, done, (*above, grid.number))
            done[grid.number] = _with_parent(grid, replace(link, parent=parent))
    return done[grid.number]


def _link(grid: Grid, grids: Sequence[Grid]) -> _Link | None:
    """The parent of a sheet; None where it is no repeat or its parent is not in the file."""
    names = _names(grid)
    others = [other for other in grids if other is not grid and other.dialect == NAME]
    if _PARENT_INDEX in names and _PARENT_TABLE in names:
        tables = set(_column(grid, names.index(_PARENT_TABLE)).unique()) - {""}
        found = [o for o in others if tables == {(o.name or "").strip()} and _INDEX in _names(o)]
        return _Link(found[0], names.index(_PARENT_INDEX), _names(found[0]).index(_INDEX)) if len(found) == 1 else None
    if _PARENT_KEY in names:
        wanted = set(_column(grid, names.index(_PARENT_KEY)).unique()) - {""}
        found = [o for o in others if _KEY in _names(o) and wanted <= set(_column(o, _names(o).index(_KEY)))]
        return _Link(found[0], names.index(_PARENT_KEY), _names(found[0]).index(_KEY)) if len(found) == 1 else None
    return None


def _names(grid: Grid) -> list[str]:
    return _headers(grid, grid.header) if grid.header is not None and grid.dialect == NAME else []


def _column(grid: Grid, position: int) -> pd.Series:
    """Cells of a column below the header."""
    return grid.cells.iloc[(grid.header or 0) + 1 :, position].str.strip().reset_index(drop=True)


def _with_parent(grid: Grid, link: _Link) -> Grid:
    keys, parents = _column(grid, link.in_repeat), _column(link.parent, link.in_parent)
    is_sole = ~parents.duplicated(keep=False) & (parents != "")
    own = {_role_of(fact) for fact in grid.facts}
    derived: dict[str, tuple[pd.Series, ColumnFacts]] = {}
    for role in (*_INHERITED, "response_id"):
        at = [i for i, fact in enumerate(link.parent.facts) if _role_of(fact) == role]
        if len(at) != 1 or role in own:
            continue
        told = dict(zip(parents[is_sole], _column(link.parent, at[0])[is_sole], strict=True))
        cells = keys.map(told).fillna("").astype("str")
        if role == "response_id":
            place = (cells.groupby([keys, cells]).cumcount() + 1).astype("str")
            cells = (cells + f"|{grid.name or ''}|" + place).where(cells != "", "").astype("str")
        derived[f"({role.removesuffix('_id').removesuffix('_at')})"] = (cells, ColumnFacts(role=role, is_derived=True))
    return with_columns(grid, derived) if derived else grid


DIALECT = Dialect(NAME, header, read, joined=joined, codebook_of_sheets=codebook)
