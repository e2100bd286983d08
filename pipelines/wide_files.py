"""Wide files of an analyst (CSV, Parquet), read and written with every cell as it was.

Belongs here: encoding, delimiter, quoting, row numbers, writing without leaving half a file. Does not belong here: what a
column means. Programmes' exports are read by `mbt_rom.exports`, which is more forgiving; a file here must be rectangular.

Nothing here may import pandas, which would double the time a command needs to start: Arrow's own conversions from and to
Python objects do (`pa.array`, `to_numpy`, `pa.scalar`), so arrays cross over as buffers.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

DELIMITERS = ",;\t|"
ROWS_PER_PIECE = 1 << 16
_FORMULA = b"=+-@\t\r"
_NUMBER = r"^[-+]?[0-9][0-9 .,]*([eE][-+]?[0-9]+)?$|^[-+]+$"
_ARROW: dict[str, pa.DataType] = {
    "float64": pa.float64(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
}


class UnreadableError(Exception):
    """The file cannot be used; the message says where and why, and what to do."""


class AttentionError(Exception):
    """The data in the file need attention; one line per thing wrong, never with an answer in it."""


@dataclass(frozen=True)
class WideFile:
    """Columns in order under their names, which may repeat; text files hold text only.

    `row_numbers` gives, for rows counted from 0, their number as a spreadsheet shows it (the header is row 1).
    """

    names: list[str]
    columns: list[pa.ChunkedArray]
    n_rows: int
    row_numbers: Callable[[Sequence[int]], list[int]]
    delimiter: str = ","
    newline: str = "\n"
    mark: bytes = b""


def read_wide(path: Path) -> WideFile:
    """The table in a CSV or Parquet file.

    Raises UnreadableError when it is empty, no table, or its rows differ in their number of cells.
    """
    return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)


def _read_parquet(path: Path) -> WideFile:
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pa.ArrowInvalid, OSError):
        raise UnreadableError("it is not a Parquet file, or it is cut off; export it again") from None
    return WideFile(table.column_names, table.columns, table.num_rows, lambda rows: [row + 1 for row in rows])


def _read_csv(path: Path) -> WideFile:
    mark, data = _as_utf8(path.read_bytes())
    if not data.strip():
        raise UnreadableError("it is empty; export it again")
    delimiter, header_at = _delimiter(data)
    body = data[header_at:]
    names, n_lines = _header(body, delimiter)
    table = _cells(body, len(names), delimiter=delimiter, n_header_lines=n_lines)
    newline = "\r\n" if b"\r\n" in data[: data.find(b"\n") + 1] else "\n"
    row_numbers = partial(_spreadsheet_rows, body, delimiter)
    return WideFile(names, table.columns, table.num_rows, row_numbers, delimiter, newline, mark)


def _as_utf8(data: bytes) -> tuple[bytes, bytes]:
    """The byte order mark and the text behind it, as UTF-8; Windows-1252 where it is no UTF-8."""
    if data.startswith(b"PK\x03\x04"):
        raise UnreadableError("it is a workbook; save the sheet as CSV")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.BOM_UTF8, data.decode("utf-16", "replace").encode()
    if b"\0" in data[: 1 << 16]:
        raise UnreadableError("it is no text; save the table as CSV")
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    data = data[len(mark) :]
    if data.isascii():
        return mark, data
    try:
        data.decode()
    except UnicodeDecodeError:
        return mark, data.decode("cp1252", "replace").encode()
    return mark, data


def _delimiter(data: bytes) -> tuple[str, int]:
    """The delimiter, and where the header begins: behind Excel's first line 'sep=;' where there is one."""
    if declared := re.match(rb'"?sep=([,;\t|])"?\r?\n', data, re.IGNORECASE):
        return declared.group(1).decode(), declared.end()
    sample = data[: 1 << 16].decode("utf-8", "ignore")
    return max(DELIMITERS, key=lambda d: len(_first_record(sample, d)[0])), 0


def _first_record(text: str, delimiter: str) -> tuple[list[str], int]:
    """The first record and the number of lines it takes; records in which nothing stands are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        record = next((record for record in reader if record), [])
    except csv.Error:
        return [], 0
    return record, reader.line_num


def _header(data: bytes, delimiter: str) -> tuple[list[str], int]:
    names, n_lines = _first_record(data[: 1 << 20].decode("utf-8", "ignore"), delimiter)
    if not names:
        raise UnreadableError("its first row cannot be read; is a quote opened there and never closed?")
    return names, n_lines


def _below(data: bytes, n_lines: int) -> bytes:
    """What stands below the first lines."""
    ends = re.finditer(rb"\r\n|\n|\r", data)
    last = next(islice(ends, n_lines - 1, None), None)
    return data[last.end() :] if last else b""


def _cells(data: bytes, n_columns: int, *, delimiter: str, n_header_lines: int) -> pa.Table:
    """All cells below the header as text, exactly as they stand there."""
    names = [f"c{i}" for i in range(n_columns)]
    below = _below(data, n_header_lines)
    if not below.strip():
        return pa.table([pa.chunked_array([], pa.string())] * n_columns, names=names)
    uneven: list[int] = []

    def note_uneven(row: Any) -> str:
        uneven.append(row.actual_columns)
        return "skip"

    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(below),
            read_options=pyarrow.csv.ReadOptions(
                column_names=names, block_size=min(max(len(below) + 16, 1 << 16), 1 << 21)
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=b'"' in below, invalid_row_handler=note_uneven
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        raise UnreadableError("it cannot be read as CSV; is a quote opened and never closed?") from None
    if uneven:
        raise UnreadableError(_about_uneven_rows(data, delimiter, n_columns))
    return table


def _about_uneven_rows(data: bytes, delimiter: str, n_columns: int) -> str:
    rows = [number for number, record in _records(data, delimiter) if record and len(record) != n_columns]
    listed = ", ".join(map(str, rows[:10])) + (" ..." if len(rows) > 10 else "")
    return f"row {listed}: not {n_columns} cells as in the header; put quotes around cells that hold a '{delimiter}'"


def _records(data: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every record with its row number, counted from 1 and blank ones included."""
    csv.field_size_limit(1 << 24)
    yield from enumerate(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter), start=1)


def _spreadsheet_rows(data: bytes, delimiter: str, rows: Sequence[int]) -> list[int]:
    """Row numbers of the spreadsheet for rows of the table; only asked for when something is wrong with them."""
    filled = [number for number, record in _records(data, delimiter) if record]
    return [filled[row + 1] for row in rows]


# --- arrays without pandas ----------------------------------------------------------------------------------------------


def arrow_of(values: NDArray[Any]) -> pa.Array:
    """A numpy array of numbers as an Arrow array that shares its memory; `nan` becomes missing."""
    values = np.ascontiguousarray(values)
    is_number = np.isnan(values).any() and pa.py_buffer(np.packbits(~np.isnan(values), bitorder="little"))
    return pa.Array.from_buffers(_ARROW[values.dtype.name], len(values), [is_number or None, pa.py_buffer(values)])


def repeated_text(value: str, n: int) -> pa.Array:
    """A column with the same text in every row."""
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(len(value.encode()))
    return pa.Array.from_buffers(pa.string(), n, [None, pa.py_buffer(offsets), pa.py_buffer(value.encode() * n)])


def text_where(value: str, where: NDArray[np.bool_]) -> pa.Array:
    """A column with the same text in those rows, and nothing in the others."""
    return texts_of([value], np.where(where, 0, -1))


def texts_of(texts: Sequence[str], which: NDArray[np.integer[Any]]) -> pa.Array:
    """A column that has in each row the text of that number, and nothing where the number is -1."""
    encoded = [text.encode() for text in (*texts, "")]
    data = b"".join(encoded[number] for number in which.tolist())
    length = np.array([len(text) for text in encoded], dtype=np.int32)[which]
    offsets = np.concatenate([np.zeros(1, dtype=np.int32), np.cumsum(length, dtype=np.int32)])
    is_there = pa.py_buffer(np.packbits(which >= 0, bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(which), [is_there, pa.py_buffer(offsets), pa.py_buffer(data)])


def text_of(value: str) -> pa.Scalar:
    """A text as an Arrow scalar."""
    return repeated_text(value, 1)[0]


def _text_buffers(cells: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Where each cell begins, and the bytes of all cells."""
    if len(cells) == 0:
        return np.zeros(1, dtype=np.int32), np.zeros(0, dtype=np.uint8)
    _, offsets, data = cells.buffers()
    begins = np.frombuffer(offsets, dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1]
    return begins, np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, dtype=np.uint8)


def _first_bytes(begins: NDArray[np.int32], data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The first byte of each cell; 0 for an empty one."""
    first = np.zeros(len(begins) - 1, dtype=np.uint8)
    filled = np.diff(begins) > 0
    first[filled] = data[begins[:-1][filled]]
    return first


def code_cells(column: pa.ChunkedArray, meaning: Callable[[str], int]) -> NDArray[np.int16]:
    """The number that `meaning` gives to each cell's text; it is asked about texts that stand there, once per chunk."""
    codes = [_coded(chunk, meaning) for chunk in column.cast(pa.string()).chunks]
    return np.concatenate([np.zeros(0, dtype=np.int16), *codes])


def _coded(cells: pa.StringArray, meaning: Callable[[str], int]) -> NDArray[np.int16]:
    """Codes of one chunk. Nearly all answers are one character: one look into a small table covers them."""
    cells = pc.coalesce(cells, text_of("")) if cells.null_count else cells
    begins, data = _text_buffers(cells)
    length = np.diff(begins)
    first = _first_bytes(begins, data)
    longer = np.flatnonzero(length > 1)
    codes = _short_codes(first, first[longer], meaning)[first]
    codes[length == 0] = meaning("")
    if len(longer):
        encoded = cells.take(arrow_of(longer)).dictionary_encode()
        known = np.array([meaning(text.as_py()) for text in encoded.dictionary], dtype=np.int16)
        codes[longer] = known[np.frombuffer(encoded.indices.buffers()[1], dtype=np.int32)[: len(longer)]]
    return codes


def _short_codes(
    first: NDArray[np.uint8], of_longer: NDArray[np.uint8], meaning: Callable[[str], int]
) -> NDArray[np.int16]:
    """Byte -> code of the cells that consist of it alone; 0 for bytes of which there is no such cell."""
    n_alone = np.bincount(first, minlength=256) - np.bincount(of_longer, minlength=256)
    codes = np.zeros(256, dtype=np.int16)
    for byte in np.flatnonzero(n_alone[1:128]) + 1:
        codes[byte] = meaning(chr(byte))
    return codes


# --- writing ------------------------------------------------------------------------------------------------------------


def write_wide(
    path: Path, names: Sequence[str], columns: Sequence[pa.ChunkedArray | pa.Array], *, like: WideFile
) -> int:
    """Writes a table to a CSV or Parquet file, whole or not at all; how many cells were kept from being formulas.

    A CSV has the delimiter and line ends of the file it is `like`. In it a cell that begins with =, +, -, @, a tab or a line
    end and is no plain number gets an apostrophe in front: a spreadsheet would run it as a formula.
    """
    unfinished = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix.lower() == ".parquet":
            n_shielded = _write_parquet(unfinished, names, columns)
        else:
            n_shielded = _write_csv(unfinished, names, columns, like=like)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return n_shielded


def _write_parquet(path: Path, names: Sequence[str], columns: Sequence[pa.ChunkedArray | pa.Array]) -> int:
    from pyarrow import parquet

    parquet.write_table(pa.table(list(columns), names=list(names)), path)
    return 0


def _write_csv(
    path: Path, names: Sequence[str], columns: Sequence[pa.ChunkedArray | pa.Array], *, like: WideFile
) -> int:
    n_shielded = 0
    table = pa.table(list(columns), names=[f"c{i}" for i in range(len(columns))])
    with path.open("wb") as file:
        file.write(like.mark)
        file.write(_header_line(names, like).encode())
        for batch in table.to_batches(max_chunksize=ROWS_PER_PIECE):
            cells, n = _prepared(batch.columns, like.delimiter)
            file.write(_lines(cells, like))
            n_shielded += n
        file.flush()
        os.fsync(file.fileno())
    return n_shielded


def _header_line(names: Iterable[str], like: WideFile) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=like.delimiter, lineterminator=like.newline).writerow([_shielded(n) for n in names])
    return line.getvalue()


def _shielded(text: str) -> str:
    starts = text[:1].encode() in {bytes([byte]) for byte in _FORMULA}
    return f"'{text}" if starts and not re.match(_NUMBER, text) else text


def _prepared(columns: Iterable[pa.Array], delimiter: str) -> tuple[list[pa.StringArray], int]:
    """The cells as they are written, and how many were kept from being formulas."""
    prepared, n_shielded = [], 0
    for column in columns:
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        cells = _plain_text(column)
        if is_text:
            cells, n = _shield(cells)
            n_shielded += n
            cells = _quote(cells, delimiter)
        prepared.append(cells)
    return prepared, n_shielded


def _plain_text(column: pa.Array) -> pa.StringArray:
    """Cells as text: nothing for a missing one, numbers as short as they can be."""
    cells = column.cast(pa.string())
    return pc.coalesce(cells, text_of("")) if cells.null_count else cells


def _shield(cells: pa.StringArray) -> tuple[pa.StringArray, int]:
    begins, data = _text_buffers(cells)
    dangerous = np.zeros(256, dtype=bool)
    dangerous[list(_FORMULA)] = True
    if not dangerous[_first_bytes(begins, data)].any():
        return cells, 0
    starts = pc.match_substring_regex(cells, pattern=r"^[=+\-@\t\r]")
    is_formula = pc.and_(starts, pc.invert(pc.match_substring_regex(cells, pattern=_NUMBER)))
    shielded = pc.binary_join_element_wise(text_of("'"), cells, text_of(""))
    return pc.if_else(is_formula, shielded, cells), int(pc.sum(is_formula).as_py())


def _quote(cells: pa.StringArray, delimiter: str) -> pa.StringArray:
    begins, data = _text_buffers(cells)
    special = np.zeros(256, dtype=bool)
    special[list(f'"\r\n{delimiter}'.encode())] = True
    if not special[data[begins[0] : begins[-1]]].any():
        return cells
    doubled = pc.replace_substring(cells, pattern='"', replacement='""')
    quoted = pc.binary_join_element_wise(text_of('"'), doubled, text_of('"'), text_of(""))
    return pc.if_else(pc.match_substring_regex(cells, pattern=f'["\r\n{re.escape(delimiter)}]'), quoted, cells)


def _lines(columns: Sequence[pa.StringArray], like: WideFile) -> memoryview:
    """The bytes of all lines: cells joined by the delimiter, each line closed."""
    ended = pc.binary_join_element_wise(columns[-1], text_of(like.newline), text_of(""))
    joined = pc.binary_join_element_wise(*columns[:-1], ended, text_of(like.delimiter))
    begins, data = _text_buffers(joined)
    return memoryview(data[begins[0] : begins[-1]])  # type: ignore[arg-type]
