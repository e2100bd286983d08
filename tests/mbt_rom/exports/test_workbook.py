"""Workbooks: cells as text, true rows, and archives that must not be opened."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date, datetime

import pytest
import xlsxwriter

from mbt_rom.exports.detection import read_grids
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.sheets import Grid
from mbt_rom.exports.workbook import open_archive

MB = 1 << 20


def workbook(sheets: dict[str, list[list[object]]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    as_date = book.add_format({"num_format": "dd-mm-yyyy"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if isinstance(cell, date | datetime):
                    sheet.write_datetime(r, c, cell, as_date)
                elif cell is not None:
                    sheet.write(r, c, cell)
    book.close()
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def grids(data: bytes, *, largest_bytes: int = 100 * MB, name: str = "x.xlsx") -> list[Grid]:
    return read_grids(data, file_name=name, largest_bytes=largest_bytes, recognise=lambda cells: 0)


def refusal(data: bytes, *, largest_bytes: int = 100 * MB, name: str = "x.xlsx") -> ExportError:
    with pytest.raises(ExportError) as caught:
        grids(data, largest_bytes=largest_bytes, name=name)
    return caught.value


def test_cells_as_text_and_sheets_in_order() -> None:
    rows = [["a"], [3], [0.5], [date(2026, 1, 31)], [True], [None], ["007"], [123456782], [1.5e15]]
    first, second = grids(workbook({"One": rows, "Two": [["b"]]}))
    assert [first.row_texts(i)[0] for i in range(9)] == [
        "a", "3", "0.5", "2026-01-31", "1", "", "007", "123456782", "1500000000000000.0",
    ]  # fmt: skip
    assert (first.name, first.number, second.name, second.number) == ("One", 1, "Two", 2)


def test_rows_keep_their_numbers_below_empty_ones() -> None:
    grid = grids(workbook({"S": [[], [], [None, "x"]]}))[0]
    assert grid.row_texts(2) == ["", "x"]
    assert grid.rows.tolist() == [1, 2, 3]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated_workbook(share: float) -> None:
    data = workbook({"S": [["a", 1]] * 50})
    assert refusal(data[: int(len(data) * share)]).rule == "file_unreadable"


def test_text_called_workbook_is_read_as_the_text_it_is() -> None:
    assert grids(b"a,b\n1,2\n")[0].row_texts(1) == ["1", "2"]


def test_damaged_part_is_unreadable() -> None:
    data = zipped({"xl/worksheets/sheet1.xml": b"<worksheet", "xl/workbook.xml": b"?"})
    assert refusal(data).rule == "file_unreadable"


def test_bomb_is_refused_before_it_is_opened() -> None:
    data = zipped({"xl/worksheets/sheet1.xml": b"0" * (30 * MB)})
    assert len(data) < MB
    assert refusal(data).rule == "file_unpacks_too_large"


def test_unpacked_size_is_limited_whatever_the_ratio() -> None:
    data = zipped({"xl/worksheets/sheet1.xml": bytes(range(256)) * 400})
    assert refusal(data, largest_bytes=len(data) + 1000, name="x.xlsx").rule == "file_unpacks_too_large"


def test_size_that_an_archive_states_about_itself_is_not_believed() -> None:
    data = bytearray(zipped({"xl/worksheets/sheet1.xml": b"0" * (30 * MB)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        assert struct.unpack_from("<I", data, at)[0] == 30 * MB
        struct.pack_into("<I", data, at, 100)
    assert refusal(bytes(data)).rule == "file_unpacks_too_large"


def test_too_many_parts() -> None:
    data = zipped({f"part{i}": b"" for i in range(2_001)})
    assert refusal(data).rule == "file_unpacks_too_large"


def test_two_cells_far_apart_are_no_seventeen_billion_cells() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write(0, 0, "a")
    sheet.write(1_048_575, 16_383, "b")
    book.close()
    assert refusal(buffer.getvalue()).rule == "file_unpacks_too_large"


def test_zip_with_one_text_file_is_read_without_the_by_products() -> None:
    data = zipped({"export.csv": b"a,b\n1,2\n", "__MACOSX/._export.csv": b"\0\0"})
    assert grids(data, name="export.zip")[0].row_texts(0) == ["a", "b"]


def test_zip_with_two_files_is_refused() -> None:
    error = refusal(zipped({"a.csv": b"a\n1\n", "b.csv": b"b\n1\n"}), name="export.zip")
    assert (error.rule, "2 files" in error.detail) == ("file_unreadable", True)


def test_file_larger_than_allowed() -> None:
    assert refusal(b"a,b\n" * 100, largest_bytes=399).rule == "file_too_large"


def test_measuring_leaves_the_archive_readable() -> None:
    archive = open_archive(zipped({"a": b"abc"}), largest_bytes=MB)
    assert archive.read("a") == b"abc"
