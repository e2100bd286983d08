"""The work list: what is wrong, as rows for a research assistant in two languages, and the same list returned with corrections.

Belongs here: its columns and words, the cell that a finding is about, and reading a returned list. Does not belong here: which
findings there are (`findings`), writing the workbook (`pipelines.work_list_book`), recording what was returned (`assets.worklists`).

A returned list says itself what it is, in the first cell of its sheets; each row carries the key of its cell, so that rows may be
sorted, filtered and deleted.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pandas as pd

from mbt_rom.exports.sheets import Grid, RawSheet
from mbt_rom.findings import LANGUAGES, WORDS, Language, rule
from mbt_rom.registers import REGISTERS
from mbt_rom.sheet_rows import short

#: The first cell of every sheet with rows begins so.
MARKER = "MBT-ROM work list"
#: What is typed where the cell should be empty.
EMPTY = ("(empty)", "(leeg)")
#: Row of the column names in the sheets, counted from 0.
HEADER = 2
SHEETS: dict[Language, str] = {"en": "Work list", "nl": "Werklijst"}
VALUE, REASON, KEY = "value", "reason", "key"
#: Columns of the list and what they are called.
COLUMNS: dict[str, tuple[str, str]] = {
    "number": ("number", "nummer"),
    "programme": ("programme", "programma"),
    "file": ("file", "bestand"),
    "sheet": ("sheet", "blad"),
    "row": ("row", "rij"),
    "column": ("column", "kolom"),
    "item": ("item", "vraag"),
    "what": ("what is wrong", "wat is er mis"),
    "remedy": ("how to mend it", "wat te doen"),
    "rule": ("rule", "regel"),
    "severity": ("severity", "ernst"),
    "owner": ("owner", "wie"),
    "received": ("received", "ontvangen"),
    "days": ("days set aside", "dagen apart gezet"),
}
#: Only where values were asked for.
SECRET: dict[str, tuple[str, str]] = {
    "patient_number": ("patient number", "patiëntnummer"),
    "present": ("present value", "huidige waarde"),
}
#: Filled in by the person who mends.
TYPED: dict[str, tuple[str, str]] = {
    VALUE: ("correct value", "juiste waarde"),
    REASON: ("reason", "reden"),
    KEY: ("key (do not change)", "sleutel (niet wijzigen)"),
}
_PARTS = ("xl/sharedStrings.xml", "xl/worksheets/sheet", "content.xml")
_CHUNK, _MOST = 1 << 20, 64 << 20
_HEADERS = 40


@dataclass(frozen=True)
class CellKey:
    """A cell of a delivered file: `folder` is the drop folder, `column` a header, `row` as a spreadsheet shows it."""

    folder: str
    delivery_id: str
    sheet: str | None
    row: int
    column: str

    def text(self) -> str:
        """The key as it stands in the workbook.

        >>> parse_key(CellKey("alpha", "ab12", None, 4, "Q1").text())
        CellKey(folder='alpha', delivery_id='ab12', sheet=None, row=4, column='Q1')
        """
        return json.dumps([self.folder, self.delivery_id, self.sheet, self.row, self.column], ensure_ascii=False)


@dataclass(frozen=True)
class ReturnedCell:
    """A corrected cell, and why. `sheet` and `row`: where it stands in the returned list."""

    key: CellKey
    value: str
    reason: str
    sheet: str
    row: int


@dataclass(frozen=True)
class Problem:
    """A row of a returned list that cannot be recorded: a rule of the catalogue, and where. No value."""

    rule: str
    sheet: str
    row: int
    column: str
    detail: str = ""


@dataclass(frozen=True)
class Returned:
    """What a returned list holds. Where there are problems nothing of it may be recorded."""

    cells: tuple[ReturnedCell, ...]
    problems: tuple[Problem, ...]


def parse_key(text: str) -> CellKey | None:
    """The key that the text is; None where it is none."""
    try:
        folder, delivery_id, sheet, row, column = json.loads(text)
    except (ValueError, TypeError):
        return None
    texts = [folder, delivery_id, column, "" if sheet is None else sheet]
    is_key = all(isinstance(t, str) for t in texts) and type(row) is int
    return CellKey(folder, delivery_id, sheet, row, column) if is_key else None


# The list ---------------------------------------------------------------------------------------------------------------


def column_of(finding: Mapping[str, Any], understood: Iterable[Mapping[str, Any]]) -> str | None:
    """Header of the column that a finding about a row means: as it says, or as the file was understood; None where not one alone.

    >>> found = {"rule": "patient_form", "item": None, "sheet": None, "source_column": None, "row_id": "ab-1-4-0"}
    >>> column_of(found, [{"sheet": None, "column": "client", "role": "patient", "item": None, "block": None}])
    'client'
    """
    if stated := finding.get("source_column"):
        return str(stated)
    here = [c for c in understood if c.get("sheet") == finding.get("sheet")]
    item = finding.get("item")
    if item:
        roles = {f"{register}: {name}" for register in REGISTERS for name in (item, item.rsplit("_", 1)[0])}
        found = [c for c in here if c.get("item") == item or c.get("role") in roles]
    else:
        role = str(finding["rule"]).partition("_")[0]
        found = [c for c in here if c.get("role") == role] if role in ("patient", "date") else []
    if len(found) > 1:
        block = str(finding.get("row_id") or "").rpartition("-")[2]
        found = [c for c in found if str(c.get("block")) == block]
    return str(found[0]["column"]) if len(found) == 1 else None


def in_words(rows: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Rows of the list with the rule, the severity and the owner in words; columns `COLUMNS`, and `SECRET` where they are there."""
    words, at = WORDS[language], LANGUAGES.index(language)
    rules = {name: rule(str(name), language=language) for name in rows["rule"].unique()}
    detail = rows["detail"].map(lambda d: f" ({d})", na_action="ignore").fillna("").astype("str")
    told = rows.assign(
        what=rows["rule"].map({n: r.sentence for n, r in rules.items()}).astype("str") + detail,
        remedy=rows["rule"].map({n: r.remedy for n, r in rules.items()}).astype("str"),
        owner=rows["rule"].map({n: words[r.owner] for n, r in rules.items()}).astype("str"),
        severity=rows["severity"].map(words).astype("str"),
    )
    names = {**COLUMNS, **{k: v for k, v in SECRET.items() if k in rows}}
    return told[list(names)].rename(columns={k: v[at] for k, v in names.items()})


def present_text(sheets: Iterable[RawSheet], key: CellKey) -> str | None:
    """What the cell of that key holds in a delivered file; None where the file does not have it, or has it twice."""
    for sheet in sheets:
        if sheet.name == key.sheet:
            rows = [i for i, row in enumerate(sheet.rows) if row == key.row]
            columns = [i for i, h in enumerate(sheet.headers) if key.column in (h, short(h))]
            if len(rows) == 1 and len(columns) == 1:
                return str(sheet.frame.iloc[rows[0], columns[0]])
    return None


# The list returned ------------------------------------------------------------------------------------------------------


def may_be_returned(data: bytes) -> bool:
    """Whether the bytes are a workbook in which the words of the marker stand: cheap, and to be confirmed by `returned`."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = [i.filename for i in archive.infolist() if i.filename.startswith(_PARTS)]
            return any(_mentions(archive, name) for name in names[:8])
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, zlib.error):
        return False


def _mentions(archive: zipfile.ZipFile, name: str) -> bool:
    marker, before = MARKER.encode(), b""
    with archive.open(name) as stream:
        for _ in range(_MOST // _CHUNK):
            chunk = stream.read(_CHUNK)
            if not chunk or marker in before + chunk:
                return bool(chunk)
            before = chunk[-len(marker) :]
    return False


def returned(grids: Iterable[Grid]) -> Returned | None:
    """The corrections that a returned list holds; None where the sheets are something else."""
    lists = [grid for grid in grids if len(grid.cells) and str(grid.cells.iloc[0, 0]).startswith(MARKER)]
    if not lists:
        return None
    rows = [row for grid in lists for row in _rows(grid)]
    problems = [row for row in rows if isinstance(row, Problem)]
    kept, contradicted = _once(row for row in rows if isinstance(row, ReturnedCell))
    return Returned(tuple(kept), (*problems, *contradicted))


def _rows(grid: Grid) -> list[ReturnedCell | Problem]:
    """The rows of one sheet into which something was typed."""
    sheet = grid.name or SHEETS["en"]
    near = range(min(_HEADERS, len(grid.cells)))
    at = next((i for i in near if len(_places(grid.row_texts(i))) == len(TYPED)), None)
    if at is None:
        return [Problem("worklist_damaged", sheet, HEADER + 1, TYPED[KEY][0], "a column of the list is missing")]
    places = _places(grid.row_texts(at))
    names = {key: grid.row_texts(at)[place].strip() for key, place in places.items()}
    found: list[ReturnedCell | Problem] = []
    for i in range(at + 1, len(grid.cells)):
        texts = grid.row_texts(i)
        value, reason, key = (texts[places[name]].strip() for name in (VALUE, REASON, KEY))
        if value or reason:
            found.append(_cell(value, reason, parse_key(key), sheet, int(grid.rows[i]), names))
    return found


def _places(texts: Sequence[str]) -> dict[str, int]:
    names = [text.strip() for text in texts]
    return {key: names.index(name) for key, both in TYPED.items() for name in both if name in names}


def _cell(
    value: str, reason: str, key: CellKey | None, sheet: str, row: int, names: Mapping[str, str]
) -> ReturnedCell | Problem:
    if not value:
        return Problem("worklist_value_missing", sheet, row, names[VALUE])
    if key is None:
        return Problem("worklist_damaged", sheet, row, names[KEY], "no cell of a file belongs to this row")
    if not reason:
        return Problem("worklist_reason_missing", sheet, row, names[REASON])
    return ReturnedCell(key, "" if value.casefold() in EMPTY else value, reason, sheet, row)


def _once(cells: Iterable[ReturnedCell]) -> tuple[list[ReturnedCell], list[Problem]]:
    """Each cell once, and the places where two rows say different things of one cell."""
    first: dict[CellKey, ReturnedCell] = {}
    problems = []
    for cell in cells:
        known = first.setdefault(cell.key, cell)
        if known.value != cell.value:
            detail = f"see sheet {known.sheet}, row {known.row}"
            at = 1 if cell.sheet == SHEETS["nl"] else 0
            problems.append(Problem("worklist_value_twice", cell.sheet, cell.row, TYPED[VALUE][at], detail))
    return list(first.values()), problems
