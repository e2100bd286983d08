"""Which encoding bytes of text are in, and the text.

Belongs here: byte order marks, and telling encodings apart by what stands in words. Does not belong here: delimiters and rows
(`delimited`).

A byte order mark decides (UTF-8, UTF-16, UTF-32); otherwise the zeros of UTF-16 and UTF-32; otherwise strict UTF-8. What remains has
one byte per character, and nothing in it says which of a dozen tables was used. Windows-1252 is the default, and stays it unless
the words say otherwise: read so, there must be characters that no word of our languages has ('patiŽnt', 'z³oœæ'), and in another
encoding none. Where two others would do, `charset-normalizer` chooses between them by what languages look like. Alone it is no
judge: of short texts it takes a third wrongly (tests hold the table). Where it cannot be told ('imiê', Polish read as
Windows-1252) it stays Windows-1252. Every encoding that is tried has the digits, the signs and the letters without accents in the same
places: a wrong guess may spoil an accent in a name, and never changes a number.
"""

from __future__ import annotations

import codecs
import re
from itertools import pairwise

import charset_normalizer

from mbt_rom.exports.errors import ExportError

DEFAULT = "cp1252"
_WEST = "äëïöüáéíóúàèìòùâêîôûñçßœ"
_NORTH = "æøå"
#: Encoding that may be told -> the letters beyond ASCII that words of its languages have.
_LETTERS = {
    DEFAULT: _WEST + _NORTH,
    "mac_roman": _WEST,
    "cp850": _WEST,
    "cp1250": "äöüßéąćęłńóśźżáčďěíňřšťúůýž",
    "cp1254": _WEST + _NORTH + "ğışİ",
}
_OTHERS = tuple(name for name in _LETTERS if name != DEFAULT)
#: Signs that stand beside or inside words.
_SIGNS = frozenset("‘’“”„–—…€°§«»´·•£©®™½¼\u00a0\u00ad")
_SAMPLE = 1 << 16
_AROUND = 40
_HIGH = re.compile(rb"[\x80-\xff]")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SURROUNDED = re.compile(r"(?<=[^\W\d_])[^\w\s'’´­.,;:/|()\-–](?=[^\W\d_])")
_BESIDE_DIGITS = re.compile(r"[²³¹](?=[^\W\d_])|(?<=[^\W\d_])[³¹]")


def decode(data: bytes) -> tuple[str, str]:
    """The text and the name of the encoding it was found to have. Raises `ExportError` file_unreadable.

    >>> decode("ë".encode("cp1252"))
    ('ë', 'cp1252')
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strict(data, encoding)
    if b"\0" in data:
        return _strict(data, _by_zeros(data))
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _of_one_byte(data)


def _strict(data: bytes, encoding: str) -> tuple[str, str]:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ExportError(
            "file_unreadable", f"byte {error.start} does not fit the encoding {encoding} that the file begins with"
        ) from None
    if "\0" in text:
        raise ExportError("file_unreadable", "the file holds bytes that no text holds (NUL)")
    return text, encoding


def _by_zeros(data: bytes) -> str:
    """UTF-16 or UTF-32 without a mark: of Western text most bytes in some places are zero."""
    sample = data[:4096]
    n_zeros = [sample[i::4].count(0) / max(len(sample[i::4]), 1) for i in range(4)]
    if all(share > 0.9 for share in n_zeros[1:]) and n_zeros[0] < 0.1:
        return "utf-32-le"
    if all(share > 0.9 for share in n_zeros[:3]) and n_zeros[3] < 0.1:
        return "utf-32-be"
    if n_zeros[1] + n_zeros[3] > 1.4:
        return "utf-16-le"
    if n_zeros[0] + n_zeros[2] > 1.4:
        return "utf-16-be"
    raise ExportError("file_unreadable", "the file is not text: it holds bytes that no text holds (NUL)")


def _of_one_byte(data: bytes) -> tuple[str, str]:
    encoding = _told_by_words(data)
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _told_by_words(data: bytes) -> str:
    """The encoding in which the words are words: Windows-1252 unless that is ruled out and another is not."""
    sample = _telling(data)
    if not _oddities(sample, DEFAULT):
        return DEFAULT
    fitting = [encoding for encoding in _OTHERS if _oddities(sample, encoding) == 0]
    if len({sample.decode(encoding, errors="replace") for encoding in fitting}) > 1:
        best = charset_normalizer.from_bytes(sample, cp_isolation=fitting).best()
        return best.encoding if best is not None and best.encoding in fitting and best.coherence > 0 else DEFAULT
    return fitting[0] if fitting else DEFAULT


def _telling(data: bytes) -> bytes:
    """The words around the bytes that differ between encodings, from the beginning on, as many as are needed."""
    pieces, until, size = [], 0, 0
    for found in _HIGH.finditer(data):
        if found.start() < until:
            continue
        piece = data[max(until, found.start() - _AROUND) : found.start() + _AROUND]
        until = found.start() + _AROUND
        pieces.append(piece)
        if (size := size + len(piece)) > _SAMPLE:
            break
    return b"\n".join(pieces)


def _oddities(sample: bytes, encoding: str) -> int:
    """How many characters no word has when the bytes are read so."""
    text = sample.decode(encoding, errors="replace")
    allowed = _LETTERS[encoding]
    odd_letters = sum(
        c.lower() not in allowed and c not in allowed and c not in _SIGNS for c in text if not c.isascii()
    )
    capitals_inside = sum(b.isupper() and not b.isascii() and a.islower() for a, b in pairwise(text))
    return capitals_inside + odd_letters + len(_SURROUNDED.findall(text)) + len(_BESIDE_DIGITS.findall(text))
