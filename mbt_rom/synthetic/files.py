"""A synthetic export before it is bytes: sheets of text cells, and how they are written, the same bytes every time.

Belongs here: CSV and XLSX as bytes. Does not belong here: which columns a survey tool has (`exports`), faults (`faults`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pandas as pd
import xlsxwriter

#: Columns whose name begins so are never written; they hold the form_id of the form in that row, per instrument.
HIDDEN = "#"
#: Fixed: a creation time taken from the clock would make every run write other bytes.
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 -- a label inside the workbook, no moment in time
_WORKBOOK_DATE = "dd-mm-yyyy"


@dataclass
class Sheet:
    """Rows of text cells under a header. `titles`: rows above the header. `dates`, `numbers`: columns typed in workbooks."""

    name: str
    frame: pd.DataFrame
    titles: tuple[str, ...] = ()
    dates: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()

    @property
    def first_row(self) -> int:
        """Row of the first data row as a spreadsheet shows it."""
        return len(self.titles) + 2

    @property
    def columns(self) -> list[str]:
        """Columns that are written."""
        return [c for c in self.frame.columns if not c.startswith(HIDDEN)]

    def append(self, rows: pd.DataFrame) -> list[int]:
        """Adds rows at the end; returns their positions."""
        n = len(self.frame)
        self.frame = pd.concat([self.frame, rows], ignore_index=True)
        return list(range(n, len(self.frame)))


@dataclass
class ExportFile:
    """One file of the inbox: `path` begins with the drop folder. A CSV file has one sheet."""

    path: str
    sheets: list[Sheet]
    kind: Literal["csv", "xlsx"] = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    keep_share: float = field(default=1.0)

    def sheet(self, name: str = "") -> Sheet:
        """The sheet of that name, or the only one."""
        return next(s for s in self.sheets if name in ("", s.name))

    def data(self) -> bytes:
        """The bytes of the file; cut off where `keep_share` is below 1."""
        if self.kind == "xlsx":
            content = _workbook(self.sheets)
        else:
            content = _delimited(self.sheets[0], self.delimiter).encode(self.encoding)
        return content[: int(len(content) * self.keep_share)]


def _delimited(sheet: Sheet, delimiter: str) -> str:
    return sheet.frame[sheet.columns].to_csv(sep=delimiter, index=False, lineterminator="\r\n")


def _workbook(sheets: Sequence[Sheet]) -> bytes:
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": _CREATED})
        date_format = book.add_format({"num_format": _WORKBOOK_DATE})
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.name), sheet, date_format)
    return buffer.getvalue()


def _write_sheet(target: xlsxwriter.worksheet.Worksheet, sheet: Sheet, date_format: xlsxwriter.format.Format) -> None:
    for row, title in enumerate(sheet.titles):
        target.write_string(row, 0, title)
    top = len(sheet.titles)
    for column, name in enumerate(sheet.columns):
        target.write_string(top, column, name)
        write = _writer(target, sheet, name, date_format)
        for row, text in enumerate(sheet.frame[name].tolist(), start=top + 1):
            if text:
                write(row, column, text)


def _writer(
    target: xlsxwriter.worksheet.Worksheet, sheet: Sheet, name: str, date_format: xlsxwriter.format.Format
) -> Callable[[int, int, str], object]:
    """How a cell of that column is written: dates and numbers as such where the text is one, everything else as text."""

    def date(row: int, column: int, text: str) -> None:
        target.write_datetime(row, column, datetime.fromisoformat(text), date_format)

    def number(row: int, column: int, text: str) -> None:
        (target.write_number(row, column, int(text)) if text.isdigit() else target.write_string(row, column, text))

    if name in sheet.dates:
        return date
    if name in sheet.numbers:
        return number
    return lambda row, column, text: target.write_string(row, column, text)
