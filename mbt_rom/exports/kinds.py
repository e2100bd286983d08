"""The kinds of file that are taken in, told by what is in them and never by their names.

Belongs here: the list, its order, and what is in an archive. Does not belong here: reading a kind (a module each), the size of a file
(`detection.read_grids`), which survey tool wrote it (`dialects`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace

from mbt_rom.exports.delimited import read_delimited
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.fhir import read_fhir
from mbt_rom.exports.fhir_json import is_fhir
from mbt_rom.exports.sheets import Grid, Recogniser
from mbt_rom.exports.spss import is_spss, read_spss
from mbt_rom.exports.workbook import (
    data_members,
    is_old_workbook,
    is_zip,
    only_member,
    open_archive,
    read_old_workbook,
    read_zipped_workbook,
    workbook_kind,
)


@dataclass(frozen=True)
class Reading:
    """What a reader may need beside the bytes. `is_packed`: the bytes came out of an archive."""

    largest_bytes: int
    recognise: Recogniser
    is_packed: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of file: whether bytes are of it, and their sheets. A new kind is a line in `KINDS`."""

    name: str
    fits: Callable[[bytes], bool]
    read: Callable[[bytes, Reading], list[Grid]]


def read_kind(data: bytes, reading: Reading) -> list[Grid]:
    """The sheets of bytes of any kind. Raises `ExportError` file_empty, file_unreadable, file_unpacks_too_large."""
    return next(kind for kind in KINDS if kind.fits(data)).read(data, reading)


def _read_archive(data: bytes, reading: Reading) -> list[Grid]:
    """A workbook, or the one file in a zip, of whatever kind that is."""
    archive = open_archive(data, largest_bytes=reading.largest_bytes)
    if (workbook := workbook_kind(archive)) is not None:
        return read_zipped_workbook(data, archive, workbook)
    if reading.is_packed:
        raise ExportError("file_unreadable", "the zip holds another zip; put each export into the inbox unzipped")
    if names := _with_repeats(archive):
        return [_sheet(archive, name, i, reading) for i, name in enumerate(names, start=1)]
    return read_kind(_member(archive), replace(reading, is_packed=True))


def _with_repeats(archive: zipfile.ZipFile) -> list[str]:
    """The CSV files of one form and of its repeats ('rom.csv', 'rom-weeks.csv'), as ODK zips them; none for any other archive."""
    names = sorted((name for name in data_members(archive) if not name.startswith("media/")), key=len)
    if len(names) < 2 or not all(name.endswith(".csv") for name in names):
        return []
    begin = names[0].removesuffix(".csv") + "-"
    return names if all(name.startswith(begin) for name in names[1:]) else []


def _sheet(archive: zipfile.ZipFile, name: str, number: int, reading: Reading) -> Grid:
    return replace(read_delimited(archive.read(name), reading.recognise), number=number, name=name.removesuffix(".csv"))


def _member(archive: zipfile.ZipFile) -> bytes:
    data = only_member(archive)
    if not data:
        raise ExportError("file_empty", "the file in the zip has 0 bytes")
    return data


#: In the order in which they are tried; text is what nothing else is.
KINDS: tuple[Kind, ...] = (
    Kind("archive", is_zip, _read_archive),
    Kind("xls", is_old_workbook, lambda data, reading: read_old_workbook(data)),
    Kind("spss", is_spss, lambda data, reading: read_spss(data)),
    Kind("fhir", is_fhir, lambda data, reading: read_fhir(data)),
    Kind("text", lambda data: True, lambda data, reading: [read_delimited(data, reading.recognise)]),
)
