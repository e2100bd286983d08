"""Reader of delimited text: bytes in, a grid of text cells out.

Belongs here: delimiter, quoting, row numbers. Does not belong here: encodings (`encodings`), what a column means.

Comma, semicolon, tab and bar are told apart by what they make of the first rows. A first line `sep=` is believed for any sign, and
is the only way for others: a caret or a colon is text in most files, and no tool that we know of writes one unasked.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from mbt_rom.exports.encodings import decode
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.sheets import HEADER_WITHIN, Grid, Recogniser

DELIMITERS = (",", ";", "\t", "|")
_DECLARED = re.compile(r"""[ ]*"?sep=([^\w\s"']|\t)"?[ ]*(?:\r?\n|\r|$)""", re.IGNORECASE)
_SAMPLE = 1 << 17
_BATCH = 20_000
_LARGEST_CELL = 1 << 20
_MOST_COLUMNS = 20_000
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"PAR1", "a Parquet file; export it as CSV"),
    (b"{\\rtf", "a text document (RTF)"),
)


def read_delimited(data: bytes, recognise: Recogniser) -> Grid:
    """The cells of a delimited text file.

    Raises `ExportError` file_empty when there is no character in it, file_unreadable when it is not text or a quote is
    opened and never closed.

    >>> grid = read_delimited(b"patient;phq9_1\\n0012;'3'\\n", lambda cells: len(cells))
    >>> grid.delimiter, grid.row_texts(1), grid.rows.tolist()
    (';', ['0012', "'3'"], [1, 2])
    """
    _refuse_other_formats(data)
    text, encoding = decode(data)
    if not text.strip():
        raise ExportError("file_empty", "the file holds nothing but white space" if text else "the file has 0 bytes")
    delimiter = _declared_delimiter(text) or _best_delimiter(text, recognise)
    table = _read_fast(text, delimiter)
    if table is None:
        table, n_cells = _read_carefully(text, delimiter)
    else:
        n_cells = np.full(table.num_rows, table.num_columns, dtype=np.int32)
    cells = table.to_pandas()
    cells.columns = pd.RangeIndex(cells.shape[1])
    rows = np.arange(1, len(cells) + 1, dtype=np.int32)
    return Grid(1, None, cells, rows, n_cells, "csv", encoding, delimiter)


def _refuse_other_formats(data: bytes) -> None:
    for signature, what in _SIGNATURES:
        if data.startswith(signature):
            raise ExportError("file_unreadable", f"this is {what}")
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"<table", b"<?xml")):
        raise ExportError("file_unreadable", "this is a web page or XML, not delimited text; export it as CSV or XLSX")


def _declared_delimiter(text: str) -> str | None:
    """Excel understands a first line 'sep=;'."""
    found = _DECLARED.match(text)
    return found.group(1) if found else None


def _best_delimiter(text: str, recognise: Recogniser) -> str:
    """The delimiter with which most names are recognised in a row; then the one that gives most rows the same width."""
    return max(DELIMITERS, key=lambda d: _fitness(text, d, recognise))


def _fitness(text: str, delimiter: str, recognise: Recogniser) -> tuple[int, int]:
    records = _first_records(text[:_SAMPLE], delimiter)
    if not records:
        return 0, 0
    recognised = max(recognise(record) for record in records)
    widths = [len(record) for record in records]
    return recognised, max(w * widths.count(w) for w in set(widths)) if max(widths) > 1 else 0


def _first_records(sample: str, delimiter: str) -> list[list[str]]:
    """The first records of a sample, whose last one may be cut off inside quotes."""
    records = []
    try:
        for record in islice(_records(sample, delimiter), HEADER_WITHIN):
            records.append(record)
    except ExportError:
        return records
    return records


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    # The limit is the csv module's own, for the whole process; a cell beyond a megabyte is a quote that was never closed.
    csv.field_size_limit(_LARGEST_CELL)
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for record in reader:
            _refuse_open_quote(lines, delimiter)
            lines.taken.clear()
            yield record
    except csv.Error:
        raise ExportError(
            "file_unreadable", f"a quote is opened near line {reader.line_num} and never closed"
        ) from None


class _Lines:
    """The lines of a text, remembering those that the record being read has used so far."""

    def __init__(self, text: str) -> None:
        self._source = io.StringIO(text, newline="")
        self.taken: list[str] = []
        self.is_at_end = False

    def __iter__(self) -> Iterator[str]:
        for line in self._source:
            self.taken.append(line)
            yield line
        self.is_at_end = True


def _refuse_open_quote(lines: _Lines, delimiter: str) -> None:
    """The csv module takes a text that ends inside quotes as if they were closed: then rows were swallowed."""
    if not lines.is_at_end:
        return
    try:
        list(csv.reader(lines.taken, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise ExportError(
                "file_unreadable",
                f"a quote is opened and never closed; the last {len(lines.taken)} lines ran into one cell",
            ) from None


def _read_fast(text: str, delimiter: str) -> pa.Table | None:
    """All cells with the fast parser, or None when a row has another width or a quote is left open."""
    if text.count('"') % 2:
        return None
    try:
        width = len(next(_records(text, delimiter)))
    except (ExportError, StopIteration):
        return None
    if not 1 <= width <= _MOST_COLUMNS:
        return None
    names = [f"f{i}" for i in range(width)]
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(text.encode("utf-8", "surrogatepass")),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=_block_size(text)),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table


def _block_size(text: str) -> int:
    """A record must fit into one block: one block for small files, 8 MB for large ones."""
    return max(min(4 * len(text) + 16, 1 << 23), 1 << 16)


def _read_carefully(text: str, delimiter: str) -> tuple[pa.Table, np.ndarray]:
    """All cells, whatever the width of each row; short rows are filled up, and how many cells each had is told."""
    batches, counts = [], []
    records = _records(text, delimiter)
    while batch := list(islice(records, _BATCH)):
        counts.append(np.fromiter((len(record) for record in batch), dtype=np.int32, count=len(batch)))
        batches.append(batch)
    n_cells = np.concatenate(counts)
    width = int(n_cells.max(initial=1)) or 1
    if width > _MOST_COLUMNS:
        raise ExportError("file_unreadable", f"a row has {width} cells; at most {_MOST_COLUMNS} are taken in")
    return pa.concat_tables([_table(batch, width) for batch in batches]), n_cells


def _table(batch: list[list[str]], width: int) -> pa.Table:
    padded: Iterable[list[str]] = (record + [""] * (width - len(record)) for record in batch)
    columns = [pa.array(column, type=pa.string()) for column in zip(*padded, strict=True)]
    return pa.table(columns, names=[f"f{i}" for i in range(width)])
