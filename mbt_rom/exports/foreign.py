"""The program that reads workbooks and SPSS files with libraries in C and Rust. `apart` runs it in a process of its own.

Belongs here: calling these libraries, and their cells as text. Does not belong here: recognising a kind of file (`kinds`), measuring
archives (`workbook`), grids (`apart`). It imports nothing of this package, so that it can be run as a file, and starts fast.

Bytes come in at the standard input. Lines of JSON go out: `{"sheet": ...}` begins a sheet, a list is a block of its rows, column by
column; `{"end": true}` is the last line, and a file whose reading ended without one was not read whole. `{"refused": ...}` says why
a file is not read.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any
from xml.parsers import expat

_ROWS_OF_BLOCK = 5_000
_SPSS_EPOCH = datetime(1582, 10, 14)  # noqa: DTZ001  dates of SPSS have no zone
_SPSS_DATES = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR")
_SPSS_MOMENTS = ("DATETIME", "YMDHMS")
_SPSS_SPANS = ("TIME", "DTIME", "MTIME")
#: What older SPSS for Windows wrote without saying so.
_SPSS_FALLBACK = "WINDOWS-1252"
_ODS_ROWS, _ODS_COLUMNS = 1 << 20, 1 << 14
_DAMAGED = "the file is damaged or cut off; open it in the program that it came from and save it again"
_NO_WORKBOOK = (
    "the workbook is damaged, cut off or has a password; open it and save it again as .xlsx without a password"
)


class RefusedError(Exception):
    """The file is not read: rule of the catalogue and what is wrong."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(rule)
        self.rule, self.detail = rule, detail


@dataclass(frozen=True)
class Limits:
    """How much is read at most: cells of one sheet, characters of the whole file, bytes of memory, seconds of computing."""

    cells: int
    characters: int
    memory: int
    seconds: int


def main(arguments: Sequence[str]) -> None:
    """Reads the standard input as the kind that the first argument names, within the limits that the others state."""
    kind, *numbers = arguments
    limits = Limits(*(int(number) for number in numbers))
    _limit(limits)
    out = _Writer(limits.characters)
    try:
        _READERS[kind](sys.stdin.buffer.read(), out, limits)
    except RefusedError as refusal:
        out.line({"refused": refusal.rule, "detail": refusal.detail})
    except MemoryError:
        out.line({"refused": "file_unpacks_too_large", "detail": _too_much_memory(limits)})
    out.line({"end": True})
    sys.stdout.flush()


def _limit(limits: Limits) -> None:
    """No core dump: it would hold the answers of patients. Memory cannot be limited on every system."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for what, most in ((resource.RLIMIT_AS, limits.memory), (resource.RLIMIT_CPU, limits.seconds)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _too_much_memory(limits: Limits) -> str:
    return f"reading it takes more than {limits.memory >> 20:,} MB of memory; a file of answers does not"


class _Writer:
    """Writes lines, and refuses a file that says more than a file of answers does (one long text in a million cells)."""

    def __init__(self, most: int) -> None:
        self.most, self.written = most, 0

    def line(self, said: object) -> None:
        sys.stdout.write(json.dumps(said, separators=(",", ":")) + "\n")

    def blocks(self, rows: Iterable[Sequence[object]], text: Callable[[object], str]) -> None:
        """Rows of cells, in blocks."""
        remaining = iter(rows)
        while block := list(islice(remaining, _ROWS_OF_BLOCK)):
            self.block([[text(cell) for cell in column] for column in zip(*block, strict=True)], len(block))

    def block(self, columns: list[list[str]], n_rows: int) -> None:
        self.written += sum(len(cell) for column in columns for cell in column) + n_rows
        if self.written > self.most:
            raise RefusedError(
                "file_unpacks_too_large", f"its cells hold more than {self.most >> 20:,} million characters"
            )
        self.line({"rows": n_rows, "columns": columns})


# Workbooks ------------------------------------------------------------------------------------------------------------


def _workbook(data: bytes, out: _Writer, limits: Limits) -> None:
    import python_calamine

    _refuse_vast_repeats(data, limits)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        wanted = [s.name for s in book.sheets_metadata if s.typ == python_calamine.SheetTypeEnum.WorkSheet]
        for name in wanted:
            _sheet(book.get_sheet_by_name(name), name, out, limits)
    except (RefusedError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except python_calamine.PasswordError:
        raise RefusedError("file_unreadable", "the workbook has a password; save it without one") from None
    except BaseException:  # the reader's own panic is no Exception
        raise RefusedError("file_unreadable", _NO_WORKBOOK) from None


def _sheet(sheet: Any, name: str, out: _Writer, limits: Limits) -> None:
    last_row, last_column = sheet.end or (0, 0)
    if (n_cells := (last_row + 1) * (last_column + 1)) > limits.cells:
        raise RefusedError("file_unpacks_too_large", _vast(n_cells, limits))
    out.line({"sheet": name})
    if sheet.start is None:
        return
    left = [""] * sheet.start[1]
    out.blocks(([*left, *row] for row in sheet.iter_rows()), cell_text)


def _vast(n_cells: int, limits: Limits) -> str:
    return f"a sheet spans {n_cells:,} cells; at most {limits.cells:,} are read"


def cell_text(cell: object) -> str:
    """A typed cell as text: 3.0 is '3', a date is ISO, true and false are 1 and 0.

    >>> cell_text(3.0), cell_text(0.1), cell_text(date(2026, 1, 31)), cell_text(True)
    ('3', '0.1', '2026-01-31', '1')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return number_text(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return "" if cell is None else str(cell)


def number_text(number: float) -> str:
    """A number as it is typed: whole ones without a decimal point.

    >>> number_text(3.0), number_text(-0.5), number_text(1.5e15)
    ('3', '-0.5', '1500000000000000.0')
    """
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _refuse_vast_repeats(data: bytes, limits: Limits) -> None:
    """An ODS file says 'this row a million times' in one word; the empty rest of a sheet is written so, and does not count."""
    if not data.startswith(b"PK"):
        return
    with contextlib.suppress(zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError, OSError):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            content = archive.read("content.xml")
        extent = _OdsExtent()
        try:
            extent.parser.Parse(content, True)
        except expat.ExpatError:
            raise RefusedError("file_unreadable", _DAMAGED) from None
        if extent.most_cells > limits.cells:
            raise RefusedError("file_unpacks_too_large", _vast(extent.most_cells, limits))


class _OdsExtent:
    """How many cells the largest sheet of an ODS document spans, from its top left to its last filled cell."""

    def __init__(self) -> None:
        self.most_cells = self.rows = self.columns = self.row_start = 0
        self.row_repeats = self.cell_repeats = self.column = self.last_filled = 0
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.EntityDeclHandler = self._entity

    def _entity(self, *_: object) -> None:
        raise RefusedError("file_unreadable", "the document declares entities, as no spreadsheet program does")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "table":
            self.rows = self.columns = self.row_start = 0
        elif local == "table-row":
            self.row_repeats = _repeats(attributes, "table:number-rows-repeated")
            self.column = self.last_filled = 0
        elif local in ("table-cell", "covered-table-cell"):
            self.column += _repeats(attributes, "table:number-columns-repeated")
            if any(
                key.startswith(("office:value", "office:date", "office:time", "office:boolean")) for key in attributes
            ):
                self.last_filled = self.column
        elif local == "p":
            self.last_filled = self.column

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] != "table-row":
            return
        self.row_start += self.row_repeats
        if self.last_filled:
            self.rows, self.columns = self.row_start, max(self.columns, self.last_filled)
            self.most_cells = max(self.most_cells, self.rows * self.columns)
            if self.rows > _ODS_ROWS or self.columns > _ODS_COLUMNS:
                detail = "a cell stands beyond the last row or column that a sheet has"
                raise RefusedError("file_unpacks_too_large", detail)


def _repeats(attributes: Mapping[str, str], name: str) -> int:
    text = attributes.get(name, "1")
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise RefusedError("file_unreadable", _DAMAGED)
    return int(text)


# SPSS -----------------------------------------------------------------------------------------------------------------


def _sav(data: bytes, out: _Writer, limits: Limits) -> None:
    import pyreadstat

    try:
        _spss(data, out, limits, pyreadstat.read_sav, {"user_missing": True})
    except UnicodeError:
        _spss(data, out, limits, pyreadstat.read_sav, {"user_missing": True, "encoding": _SPSS_FALLBACK})


def _por(data: bytes, out: _Writer, limits: Limits) -> None:
    import pyreadstat

    _spss(data, out, limits, pyreadstat.read_por, {})


def _spss(
    data: bytes, out: _Writer, limits: Limits, read: Callable[..., tuple[Any, Any]], how: Mapping[str, object]
) -> None:
    """The variables, what the file says of each, and the cases. The library is given memory to read, never a file."""
    _, told = _called(read, data, metadataonly=True, **how)
    width = sum(max(int(size), 8) for size in told.variable_storage_width.values()) or 1
    n_columns = len(told.column_names)
    if not n_columns:
        raise RefusedError("file_unreadable", "the file holds no variable")
    most = min(limits.cells // n_columns, limits.characters // width + 1)
    if (told.number_rows or 0) > most:
        raise RefusedError("file_unpacks_too_large", f"it states {told.number_rows:,} cases of {n_columns:,} variables")
    missing = told.missing_ranges
    values_only = {**how, "user_missing": False} if "user_missing" in how else how
    columns, _ = _called(read, data, row_limit=most + 1, **values_only)
    cells = [columns[name] for name in told.column_names]
    if (n_rows := len(cells[0])) > most:
        raise RefusedError("file_unpacks_too_large", f"it holds more than {most:,} cases of {n_columns:,} variables")
    if told.number_rows not in (None, n_rows):
        raise RefusedError("file_unreadable", f"it states {told.number_rows:,} cases and holds {n_rows:,}")
    texts = [_Variable(told.original_variable_types.get(name) or "").text for name in told.column_names]
    facts = [
        {
            "text": told.column_names_to_labels.get(name) or None,
            "answers": _answers(told.variable_value_labels.get(name, {}), missing.get(name, []), texts[i]),
        }
        for i, name in enumerate(told.column_names)
    ]
    out.line({"sheet": None, "columns": told.column_names, "facts": facts, "encoding": told.file_encoding})
    for start in range(0, n_rows, _ROWS_OF_BLOCK):
        stop = min(start + _ROWS_OF_BLOCK, n_rows)
        block = [[text(cell) for cell in _plain(column[start:stop])] for column, text in zip(cells, texts, strict=True)]
        out.block(block, stop - start)


def _called(read: Callable[..., tuple[Any, Any]], data: bytes, **how: object) -> tuple[Any, Any]:
    """The library's answer; whatever it says against the file is its damage, except an encoding that does not fit."""
    try:
        return read(io.BytesIO(data), output_format="dict", disable_datetime_conversion=True, **how)
    except (UnicodeError, MemoryError):
        raise
    except Exception as error:
        if "requested encoding" in str(error):
            raise UnicodeError from None
        if "allocate memory" in str(error):
            raise MemoryError from None
        raise RefusedError("file_unreadable", _DAMAGED) from None


def _plain(column: Any) -> list[Any]:
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _answers(
    labels: Mapping[Any, str], missing: Sequence[Mapping[str, Any]], text: Callable[[Any], str]
) -> dict[str, str] | None:
    """Value labels by the code as the cells write it; those of missing values have no cells and are left out."""
    kept = {text(code): label for code, label in labels.items() if not _is_missing(code, missing)}
    return kept or None


def _is_missing(code: Any, missing: Sequence[Mapping[str, Any]]) -> bool:
    for bounds in missing:
        with contextlib.suppress(TypeError):
            if bounds["lo"] <= code <= bounds["hi"]:
                return True
    return False


class _Variable:
    """How one variable's values are written, by its print format ('DATE11', 'F8.2', 'A40')."""

    def __init__(self, print_format: str) -> None:
        self.format = print_format.rstrip("0123456789.").upper()

    def text(self, cell: Any) -> str:
        """One value as text; '' for a missing one."""
        if cell is None or cell != cell:
            return ""
        if not isinstance(cell, int | float):
            return str(cell)
        return self._moment(float(cell)) or number_text(float(cell))

    def _moment(self, seconds: float) -> str | None:
        try:
            if self.format in _SPSS_DATES:
                return (_SPSS_EPOCH + timedelta(seconds=seconds)).date().isoformat()
            if self.format in _SPSS_MOMENTS:
                return (_SPSS_EPOCH + timedelta(seconds=seconds)).isoformat(sep=" ", timespec="seconds")
        except (OverflowError, ValueError):
            return None
        return _span(seconds) if self.format in _SPSS_SPANS and 0 <= seconds < 1e9 else None


def _span(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


_READERS: dict[str, Callable[[bytes, _Writer, Limits], None]] = {"workbook": _workbook, "sav": _sav, "por": _por}

if __name__ == "__main__":
    main(sys.argv[1:])
