"""SPSS files (`.sav`, `.zsav`, `.por`): told by their first bytes, read into one sheet below a header of variable names.

Belongs here: telling them. Does not belong here: calling the library (`foreign`, in a process of its own: `apart`), what a variable
measures.

Cells are codes, never labels: value labels are in the facts of the columns, and so is the label of the variable, as the text of the
question. System-missing values are empty, and so are those that the file itself declares missing, one by one or as a range. Dates
are ISO. Cases are numbered as rows below a header in row 1, as they would be in the same data saved as CSV.
"""

from __future__ import annotations

from mbt_rom.exports.apart import read_apart
from mbt_rom.exports.sheets import Grid

NAME = "spss"
_SYSTEM_FILE = (b"$FL2", b"$FL3")
_PORTABLE = b"SPSSPORT"
#: A portable file says what it is behind 200 bytes for the operator and a table of 256 characters.
_PORTABLE_STANDS = slice(400, 600)


def is_spss(data: bytes) -> bool:
    """True for a system file, compressed or not, and for a portable one.

    >>> is_spss(b"$FL3@(#) SPSS DATA FILE"), is_spss(b"patient,SPSSPORT")
    (True, False)
    """
    return data.startswith(_SYSTEM_FILE) or _is_portable(data)


def read_spss(data: bytes) -> list[Grid]:
    """The cases, one row each. Raises `ExportError` file_unreadable, file_unpacks_too_large."""
    return read_apart(data, "por" if _is_portable(data) else "sav", dialect=NAME)


def _is_portable(data: bytes) -> bool:
    without_line_ends = data[:1024].replace(b"\r", b"").replace(b"\n", b"")
    return _PORTABLE in without_line_ends[_PORTABLE_STANDS]
