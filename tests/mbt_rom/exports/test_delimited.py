"""Delimited text: encodings, delimiters, quotes, row numbers."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

import pytest

from mbt_rom.exports.delimited import read_delimited
from mbt_rom.exports.encodings import decode
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.sheets import find_header, with_header

NAMES = {"patient", "phq9_1", "datum", "naam"}


def recognise(cells: Sequence[str]) -> int:
    return sum(cell.strip() in NAMES for cell in cells)


def refusal(data: bytes) -> ExportError:
    with pytest.raises(ExportError) as caught:
        read_delimited(data, recognise)
    return caught.value


@pytest.mark.parametrize(
    ("encoding", "mark", "named"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("cp1252", b"", "cp1252"),
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16"),
        ("utf-16-le", b"", "utf-16-le"),
    ],
)
def test_encodings(encoding: str, mark: bytes, named: str) -> None:
    text = "patient;naam\r\n1001;Zoë €\r\n" if encoding != "utf-16-le" or mark else "patient;naam\n1001;Zoe\n"
    grid = read_delimited(mark + text.encode(encoding), recognise)
    assert grid.encoding == named
    assert grid.row_texts(0) == ["patient", "naam"]
    assert grid.row_texts(1)[1].startswith("Zo")


def test_byte_that_windows_1252_does_not_have_is_read_as_latin_1() -> None:
    assert decode(b"a\x81\xeb") == ("a\x81ë", "latin-1")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    rows = [["patient", "phq9_1"], ["1001", "2"], ["1002", "3"]]
    grid = read_delimited("\n".join(delimiter.join(row) for row in rows).encode(), recognise)
    assert grid.delimiter == delimiter
    assert [grid.row_texts(i) for i in range(3)] == rows


def test_decimal_commas_do_not_make_a_comma_file() -> None:
    grid = read_delimited(b"patient;phq9_1\n1;3,0\n2;1,0\n3;2,0\n", recognise)
    assert grid.delimiter == ";"
    assert grid.row_texts(1) == ["1", "3,0"]


def test_excel_hint_is_believed() -> None:
    grid = read_delimited(b"sep=|\npatient|phq9_1\n1|2\n", recognise)
    assert grid.delimiter == "|"
    assert with_header(grid, find_header(grid, recognise)).headers == ("patient", "phq9_1")


@pytest.mark.parametrize("sign", ["^", "\t", "~", ";"])
def test_sign_that_is_declared_is_believed_whatever_it_is(sign: str) -> None:
    grid = read_delimited(f"SEP={sign}\r\npatient{sign}phq9_1\r\n1{sign}2\r\n".encode(), recognise)
    assert (grid.delimiter, grid.row_texts(2)) == (sign, ["1", "2"])


def test_caret_is_not_guessed() -> None:
    assert read_delimited(b"patient^phq9_1\n1^2\n", recognise).row_texts(0) == ["patient^phq9_1"]


def test_quoted_line_breaks_are_one_row_and_blank_lines_count() -> None:
    data = b'patient,naam\n1,"two\nlines, and a comma"\n\n3,x\n'
    sheet = with_header(read_delimited(data, recognise), 0)
    assert sheet.frame[1].tolist() == ["two\nlines, and a comma", "x"]
    assert sheet.rows.tolist() == [2, 4]


def test_titles_above_the_header_and_true_row_numbers() -> None:
    data = b"Export of the clinic\n\npatient;phq9_1\n1;2\n"
    grid = read_delimited(data, recognise)
    sheet = with_header(grid, find_header(grid, recognise))
    assert (sheet.header_row, sheet.rows.tolist(), sheet.headers) == (3, [4], ("patient", "phq9_1"))


def test_rows_of_another_width_are_kept_and_marked() -> None:
    sheet = with_header(read_delimited(b"patient,phq9_1\n1,2\n2\n3,4,5\n4,5,\n", recognise), 0)
    assert sheet.frame[0].tolist() == ["1", "2", "3", "4"]
    assert sheet.ragged.tolist() == [False, True, True, False]
    assert sheet.too_long.tolist() == [False, False, True, False]


def test_column_without_a_name_is_no_ragged_row() -> None:
    sheet = with_header(read_delimited(b"patient,phq9_1,\n1,2,note\n", recognise), 0)
    assert sheet.headers == ("patient", "phq9_1", "")
    assert not sheet.ragged.any()


def test_old_line_ends() -> None:
    assert read_delimited(b"patient,phq9_1\r1,2\r3,4", recognise).row_texts(2) == ["3", "4"]


def test_quote_that_is_never_closed_is_refused_because_rows_ran_into_it() -> None:
    error = refusal(b'patient,phq9_1\n1,"2\n2,3\n3,1\n')
    assert error.rule == "file_unreadable"
    assert "never closed" in error.detail


def test_inch_mark_inside_a_cell_is_no_open_quote() -> None:
    grid = read_delimited(b'patient,naam\n1,a 5" cut\n2,y\n', recognise)
    assert [grid.row_texts(i)[1] for i in (1, 2)] == ['a 5" cut', "y"]


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", codecs.BOM_UTF8])
def test_nothing_in_it(data: bytes) -> None:
    assert refusal(data).rule == "file_empty"


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"PAR1rest", "Parquet"),
        (b"%PDF-1.7", "PDF"),
        (b"<html><table><tr><td>1</td></tr></table></html>", "web page"),
        (b"\x00\x01\x02\x03binary", "not text"),
    ],
)
def test_other_formats_are_named(data: bytes, word: str) -> None:
    error = refusal(data)
    assert error.rule == "file_unreadable"
    assert word in error.detail


def test_fast_and_careful_reading_agree() -> None:
    rows = [["patient", "naam"], ["1", 'say "x"'], ["", "a,b"], ["007", " y "]]
    body = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    fast = read_delimited(body.encode(), recognise)
    careful = read_delimited((body + "\nonly one cell\n").encode(), recognise)
    assert [fast.row_texts(i) for i in range(4)] == rows
    assert [careful.row_texts(i) for i in range(4)] == rows
