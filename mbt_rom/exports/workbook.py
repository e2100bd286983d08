"""Workbooks (XLSX, XLSB, ODS, XLS) and the archives in which they come: opened only after they were measured.

Belongs here: telling the kinds of workbook, opening safely. Does not belong here: the cells (`apart`), what a column means.

Before anything is unpacked the archive is measured by inflating it into nothing, because the sizes that it states about
itself may be false; and the extent of each sheet is measured, because two cells far apart make a reader lay out billions.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
import zlib

from mbt_rom.exports.apart import LIMITS, read_apart
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.sheets import Grid

#: An honest workbook of answers unpacks to 5-20 times its size.
LARGEST_RATIO = 200
RATIO_COUNTS_FROM = 10 << 20
UNPACKED_PER_LARGEST = 4
MOST_MEMBERS = 2_000
MOST_CELLS = LIMITS.cells
_CHUNK = 1 << 18
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\br=["'](\d{1,7})["']""")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_BINARY_SHEET = re.compile(r"xl/worksheets/[^/]+\.bin", re.IGNORECASE)
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCKED = "the workbook has a password; save it without one"


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
    names = data_members(archive)
    if len(names) != 1:
        raise ExportError(
            "file_unreadable", f"the zip holds {len(names)} files; put each export into the inbox unzipped"
        )
    return archive.read(names[0])


def data_members(archive: zipfile.ZipFile) -> list[str]:
    """Names of the data files in a zip: no folders, and no by-products of macOS."""
    return [name for name in archive.namelist() if not name.endswith("/") and not _is_by_product(name)]


def _is_by_product(name: str) -> bool:
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith("._") or parts[-1] in {".DS_Store", "Thumbs.db"}


def workbook_kind(archive: zipfile.ZipFile) -> str | None:
    """The name of the kind of workbook that an archive is: `xlsx` (XLSM as well), `xlsb`, `ods`; None for any other archive."""
    names = archive.namelist()
    if any(_SHEET.fullmatch(name) for name in names):
        return "xlsx"
    if any(_BINARY_SHEET.fullmatch(name) for name in names):
        return "xlsb"
    return "ods" if {"content.xml", "META-INF/manifest.xml"} <= set(names) else None


def read_zipped_workbook(data: bytes, archive: zipfile.ZipFile, kind: str) -> list[Grid]:
    """One grid per sheet, hidden ones too, in the order of the workbook; numbers without '.0', dates as ISO text.

    Merged cells: the text stands in the first of them, the others are empty. A link to another workbook is never followed: its
    cells are what they were when the file was saved. Raises `ExportError` file_unreadable, file_unpacks_too_large.
    """
    if kind == "ods" and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise ExportError("file_unreadable", _LOCKED)
    _refuse_vast_sheets(archive)
    return read_apart(data, "workbook", dialect=kind)


def is_old_workbook(data: bytes) -> bool:
    """True for the container of old Excel workbooks (.xls), in which new ones with a password lie as well."""
    return data.startswith(_COMPOUND)


def read_old_workbook(data: bytes) -> list[Grid]:
    """As `read_zipped_workbook`, of an XLS workbook."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise ExportError("file_unreadable", _LOCKED)
    return read_apart(data, "workbook", dialect="xls")


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
