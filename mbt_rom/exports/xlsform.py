"""The XLSForm of a project, as a codebook: its questions, their labels and choices (sheets `survey` and `choices`).

Belongs here: telling an XLSForm and reading it. Does not belong here: the submissions of the project (`kobo`).

A question is called by its name, and by the groups around it with '/' between: two groups may hold questions of one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.markup import plain_text
from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.sheets import ColumnFacts, Grid

NAME = "kobo"
_SURVEY, _CHOICES = "survey", "choices"
_HEADER_WITHIN = 3
_TECHNICAL = {
    "start", "end", "today", "deviceid", "subscriberid", "simserial", "phonenumber", "username", "email", "audit", "note", "geopoint",
    "geotrace", "geoshape", "start-geopoint", "image", "audio", "video", "file", "background-audio", "acknowledge", "barcode",
}  # fmt: skip
_NAMES = Vocabulary({})


def codebook(grids: Sequence[Grid]) -> Codebook | None:
    """The codebook that the sheets of a file are; None when they are no XLSForm."""
    survey = _table(grids, _SURVEY, {"type", "name"})
    if survey is None:
        return None
    return Codebook(NAME, dict(_columns(survey, _lists(_table(grids, _CHOICES, {"list_name", "name"}) or []))))


def _table(grids: Sequence[Grid], name: str, needed: set[str]) -> list[dict[str, str]] | None:
    """The rows of the sheet of that name, as heading -> cell; None when there is no such sheet."""
    for grid in grids:
        if (grid.name or "").strip().casefold() != name:
            continue
        for position in range(min(_HEADER_WITHIN, len(grid.cells))):
            headings = [_heading(cell) for cell in grid.row_texts(position)]
            if needed <= set(headings):
                rows = (grid.row_texts(i) for i in range(position + 1, len(grid.cells)))
                return [_cells(headings, row) for row in rows]
    return None


def _cells(headings: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """The first column of each heading: of labels in several languages the first one that is filled."""
    found: dict[str, str] = {}
    for heading, cell in zip(headings, row, strict=True):
        if cell.strip():
            found.setdefault(heading, cell.strip())
    return found


def _heading(cell: str) -> str:
    """A heading without its language: 'label::English (en)' is 'label'."""
    return cell.strip().casefold().split("::")[0].strip().replace(" ", "_")


def _lists(choices: Sequence[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    lists: dict[str, dict[str, str]] = {}
    for row in choices:
        if row.get("list_name") and row.get("name"):
            lists.setdefault(row["list_name"], {})[_whole(row["name"])] = plain_text(row.get("label", row["name"]))
    return lists


def _whole(code: str) -> str:
    """A code as it is stored: a spreadsheet may show 1 as 1.0."""
    return code.removesuffix(".0") if code.removesuffix(".0").isdigit() else code


def _columns(
    survey: Sequence[Mapping[str, str]], lists: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, ColumnFacts]]:
    groups: list[str] = []
    found: dict[str, list[ColumnFacts]] = {}
    for row in survey:
        kind, name = " ".join(row.get("type", "").replace("_", " ").split()), row.get("name", "")
        if kind.startswith("begin"):
            groups.append(name)
        elif kind.startswith("end ") and groups:
            groups.pop()
        elif name:
            facts = _facts(name, row.get("type", "").split(), row.get("label"), lists)
            found.setdefault(name, []).append(facts)
            if groups:
                yield "/".join([*groups, name]), facts
    yield from ((name, facts[0]) for name, facts in found.items() if len(facts) == 1)


def _facts(name: str, kind: Sequence[str], label: str | None, lists: Mapping[str, Mapping[str, str]]) -> ColumnFacts:
    is_named = bool(_NAMES.meanings(name))
    first = kind[0].casefold() if kind else ""
    role = {"text": "free_text", "select_multiple": "multiple_choice"}.get(first)
    if first in _TECHNICAL:
        role = "technical"
    answers = lists.get(kind[1]) if first in ("select_one", "select_multiple") and len(kind) > 1 else None
    return ColumnFacts(name, plain_text(label or "") or None, answers, role=None if is_named else role)
