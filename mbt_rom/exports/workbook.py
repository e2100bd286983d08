"""Reader of XLSX workbooks (and of a zip that holds one text file): bytes in, grids of text cells out.

Belongs here: opening safely, one grid per sheet, cells as text. Does not belong here: what a column means.

Before anything is unpacked the archive is measured by inflating it into nothing, because the sizes that it states about
itself may be false; and the extent of each sheet is measured, because two cells far apart make a reader lay out billions.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import python_calamine

from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.sheets import Grid

#: An honest workbook of answers unpacks to 5-20 times its size.
LARGEST_RATIO = 200
RATIO_COUNTS_FROM = 10 << 20
UNPACKED_PER_LARGEST = 4
MOST_MEMBERS = 2_000
MOST_CELLS = 60_000_000
_CHUNK = 1 << 18
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br=["'](\d{1,7})["']""")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


def is_zip(data: bytes) -> bool:
    """True when the bytes begin as a zip archive does."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def open_archive(data: bytes, *, largest_bytes: int) -> zipfile.ZipFile:
    """The archive, after it was found to be whole and to unpack to a bearable size.

    Raises `ExportError` file_unpacks_too_large or file_unreadable (truncated, damaged, with a password).
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise ExportError("file_unpacks_too_large", f"the archive has {len(members)} parts; at most {MOST_MEMBERS}")
        _measure(archive, members, len(data), UNPACKED_PER_LARGEST * largest_bytes)
    except ExportError:
        raise
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        LookupError,
    ):
        raise ExportError(
            "file_unreadable", "the archive is damaged, cut off or locked with a password; export it again"
        ) from None
    return archive


def _measure(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], packed: int, limit: int) -> None:
    total = 0
    for member in members:
        stated = copy.copy(member)
        stated.file_size = limit + 2 * _CHUNK  # inflate to the end of the stream, whatever size is stated
        with archive.open(stated) as stream:
            while chunk := stream.read(_CHUNK):
                total += len(chunk)
                too_dense = total > RATIO_COUNTS_FROM and total > LARGEST_RATIO * packed
                if total > limit or too_dense:
                    raise ExportError(
                        "file_unpacks_too_large",
                        f"{packed:,} bytes unpack to more than {total // (1 << 20)} MB; a workbook of answers does not",
                    )


def only_member(archive: zipfile.ZipFile) -> bytes:
    """The contents of the one data file in a zip (folders and macOS by-products do not count).

    Raises `ExportError` file_unreadable when there is not exactly one.
    """
    names = [n for n in archive.namelist() if not n.endswith("/") and not _is_by_product(n)]
    if len(names) != 1:
        raise ExportError(
            "file_unreadable", f"the zip holds {len(names)} files; put each export into the inbox unzipped"
        )
    return archive.read(names[0])


def _is_by_product(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] in {".DS_Store", "Thumbs.db"}


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """True for an XLSX (or XLSM) workbook."""
    return any(_SHEET.fullmatch(name) for name in archive.namelist())


def read_workbook(data: bytes, archive: zipfile.ZipFile) -> list[Grid]:
    """One grid per sheet, in the order of the workbook; numbers without '.0', dates as ISO text.

    Raises `ExportError` file_unreadable, file_unpacks_too_large.
    """
    _refuse_vast_sheets(archive)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        named = [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in _sheet_names(book)]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # the reader's own panic is no Exception
        raise ExportError("file_unreadable", "the workbook is damaged; open it and save it again as .xlsx") from None
    return [_grid(i, name, rows) for i, (name, rows) in enumerate(named, start=1)]


def _sheet_names(book: python_calamine.CalamineWorkbook) -> list[str]:
    kinds = python_calamine.SheetTypeEnum
    return [sheet.name for sheet in book.sheets_metadata if sheet.typ == kinds.WorkSheet]


def _refuse_vast_sheets(archive: zipfile.ZipFile) -> None:
    for name in archive.namelist():
        if _SHEET.fullmatch(name) and (cells := _extent(archive.read(name))) > MOST_CELLS:
            raise ExportError(
                "file_unpacks_too_large", f"a sheet spans {cells:,} cells; at most {MOST_CELLS:,} are read"
            )


def _extent(xml: bytes) -> int:
    """Rows x columns that the cells of a sheet span; references are read only where the rows alone cannot tell."""
    last_row = max((int(row) for row in _ROW.findall(xml)), default=0)
    if last_row * 702 <= MOST_CELLS and not re.search(rb"""\br=["'][A-Z]{3}\d""", xml):
        return 0
    references = _REFERENCE.findall(xml)
    last_column = max((_column_number(letters) for letters, _ in references), default=0)
    return max(last_row, max((int(row) for _, row in references), default=0)) * last_column


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _grid(number: int, name: str, rows: Sequence[Sequence[object]]) -> Grid:
    columns = {i: _texts(column) for i, column in enumerate(zip(*rows, strict=True))}
    cells = pd.DataFrame(columns, index=pd.RangeIndex(len(rows)), dtype="str")
    numbers = np.arange(1, len(rows) + 1, dtype=np.int32)
    return Grid(number, name, cells, numbers, np.full(len(rows), cells.shape[1], dtype=np.int32), "xlsx")


def _texts(column: tuple[object, ...]) -> list[str]:
    return [cell if isinstance(cell, str) else cell_text(cell) for cell in column]


def cell_text(cell: object) -> str:
    """A typed cell as text: 3.0 is '3', a date is ISO, true and false are 1 and 0.

    >>> cell_text(3.0), cell_text(0.1), cell_text(date(2026, 1, 31)), cell_text(True)
    ('3', '0.1', '2026-01-31', '1')
    """
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return "" if cell is None else str(cell)
