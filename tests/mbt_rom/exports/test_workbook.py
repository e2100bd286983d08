"""Workbooks: cells as text, true rows, and archives that must not be opened."""

from __future__ import annotations

import io
import socket
import struct
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
import xlsxwriter
import xlwt

from mbt_rom.exports.apart import LIMITS, read_apart
from mbt_rom.exports.detection import read_grids
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.foreign import Limits
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


def old_workbook(rows: list[list[object]], *, hidden: list[list[object]] | None = None) -> bytes:
    """An XLS workbook, with a second sheet that is hidden."""
    book = xlwt.Workbook()
    as_date = xlwt.easyxf(num_format_str="dd-mm-yyyy")
    for name, cells in (("One", rows), ("Two", hidden or [])):
        sheet = book.add_sheet(name)
        sheet.visibility = 0 if name == "One" else 1
        for r, row in enumerate(cells):
            for c, cell in enumerate(row):
                sheet.write(r, c, cell, as_date if isinstance(cell, date) else xlwt.easyxf())
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


_NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
)


def ods(*sheets: str, manifest: str = "", prologue: str = "") -> bytes:
    """An ODS document of sheets written as `table:table-row` elements."""
    tables = "".join(f'<table:table table:name="S{i}">{rows}</table:table>' for i, rows in enumerate(sheets, start=1))
    body = f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    listed = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    return zipped(
        {
            "mimetype": kind.encode(),
            "META-INF/manifest.xml": f"{listed}{manifest}</manifest:manifest>".encode(),
            "content.xml": f"{prologue}<office:document-content {_NAMESPACES}>{body}</office:document-content>".encode(),
        }
    )


def row(*cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


def cell(text: str = "", kind: str = "string", **attributes: Any) -> str:
    """A cell with the text that is shown; `value`, `date_value` ... are what it is, `repeated` how often it stands there."""
    repeated = attributes.pop("repeated", 1)
    stated = "".join(f' office:{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    typed = f' office:value-type="{kind}"' if text or attributes else ""
    shown = f"<text:p>{text}</text:p>" if text else ""
    return f'<table:table-cell{typed}{stated} table:number-columns-repeated="{repeated}">{shown}</table:table-cell>'


def texts(grid: Grid) -> list[list[str]]:
    return [grid.row_texts(i) for i in range(len(grid.cells))]


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


# Other workbooks ------------------------------------------------------------------------------------------------------


def test_old_workbook() -> None:
    first, second = grids(old_workbook([["a", 3, 0.5, date(2026, 1, 31), True], [None, "007"]], hidden=[["b"]]))
    assert texts(first) == [["a", "3", "0.5", "2026-01-31", "1"], ["", "007", "", "", ""]]
    assert (texts(second), second.name, first.dialect, first.has_serials) == ([["b"]], "Two", "xls", True)


def test_open_document() -> None:
    rows = [
        row(cell("a"), cell("b &amp; c"), cell(repeated=16382)),
        row(cell("3", "float", value="3"), cell("31-01-26", "date", date_value="2026-01-31")),
        row(cell("soon", "date", date_value="2026-01-31T12:30:05"), cell("WAAR", "boolean", boolean_value="true")),
        row(cell(repeated=2), repeated=2),
        row(cell("x", repeated=2), repeated=2),
        row(cell(repeated=16384), repeated=1_048_569),
    ]
    first, second = grids(ods("".join(rows), row(cell("z"))))
    assert texts(first) == [
        ["a", "b & c"],
        ["3", "2026-01-31"],
        ["2026-01-31 12:30:05", "1"],
        ["", ""],
        ["", ""],
        ["x", "x"],
        ["x", "x"],
    ]
    assert (first.rows.tolist(), first.dialect, texts(second)) == ([1, 2, 3, 4, 5, 6, 7], "ods", [["z"]])


@pytest.mark.parametrize(
    "rows",
    [
        row(cell("a", repeated=16384), repeated=1_048_576),
        row(cell(repeated=16383), cell("a")) + row(cell(), repeated=1_048_574) + row(cell("a")),
        row(cell("a"), repeated=2_000_000_000),
        row(cell(repeated=2_000_000_000), cell("a")),
    ],
)
def test_open_document_that_repeats_itself_without_end(rows: str) -> None:
    assert refusal(ods(rows)).rule == "file_unpacks_too_large"


def test_long_text_a_million_times_is_not_written_out() -> None:
    with pytest.raises(ExportError) as caught:
        read_apart(ods(row(cell("x" * 1000), repeated=100_000)), "workbook", dialect="ods", limits=FEW_CHARACTERS)
    assert caught.value.rule == "file_unpacks_too_large"


FEW_CHARACTERS = Limits(cells=LIMITS.cells, characters=10 * MB, memory=LIMITS.memory, seconds=60)


def test_reader_that_needs_too_much_memory_is_stopped() -> None:
    little = Limits(cells=LIMITS.cells, characters=LIMITS.characters, memory=120 * MB, seconds=60)
    with pytest.raises(ExportError) as caught:
        read_apart(ods(row(cell("x", repeated=10), repeated=1_000_000)), "workbook", dialect="ods", limits=little)
    assert caught.value.rule in {"file_unpacks_too_large", "file_unreadable"}


def test_reader_that_never_ends_is_stopped() -> None:
    short = Limits(cells=LIMITS.cells, characters=LIMITS.characters, memory=LIMITS.memory, seconds=1)
    with pytest.raises(ExportError) as caught:
        read_apart(ods(row(cell("x", repeated=30), repeated=1_000_000)), "workbook", dialect="ods", limits=short)
    assert caught.value.rule == "file_unreadable"


def test_open_document_that_expands_entities() -> None:
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    assert refusal(ods(row(cell("&b;")), prologue=bomb)).rule == "file_unreadable"


def test_open_document_with_a_password() -> None:
    entry = '<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    assert "password" in refusal(ods(row(cell("a")), manifest=entry)).detail


def test_new_workbook_with_a_password() -> None:
    """Excel puts it into the container of old workbooks, in a stream of this name."""
    data = old_workbook([["a"]]) + "EncryptedPackage".encode("utf-16-le")
    assert "password" in refusal(data).detail


def test_old_workbook_with_a_password() -> None:
    data = old_workbook([["a"]])
    at = data.index(b"\xe1\x00\x02\x00\xb0\x04")  # a record of the writer becomes the one that announces a password
    assert "password" in refusal(data[:at] + b"\x2f\x00" + data[at + 2 :]).detail


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7])
def test_truncated_old_workbook(share: float) -> None:
    data = old_workbook([["a" * 50, 1]] * 500)
    assert refusal(data[: int(len(data) * share)]).rule == "file_unreadable"


def test_merged_cells_stand_in_the_first() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 1, 1, "both")
    sheet.write(2, 1, "x")
    book.close()
    assert texts(grids(buffer.getvalue())[0]) == [["both", ""], ["", ""], ["", "x"]]


def test_hidden_sheets_are_read() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    book.add_worksheet("A").write(0, 0, "a")
    hidden = book.add_worksheet("B")
    hidden.write(0, 0, "b")
    hidden.hide()
    book.close()
    assert [(g.name, texts(g)) for g in grids(buffer.getvalue())] == [("A", [["a"]]), ("B", [["b"]])]


def test_link_to_another_host_is_not_followed() -> None:
    """Somebody listens where the links of the workbook lead; nobody calls."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        where = f"http://127.0.0.1:{listener.getsockname()[1]}/other.xlsx"
        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer)
        sheet = book.add_worksheet()
        sheet.write_url(0, 0, where, string="link")
        sheet.write_formula(1, 0, f"='{where}'!A1", value="7")
        sheet.write_formula(2, 0, f'=WEBSERVICE("{where}")', value="8")
        book.close()
        source = f'<table:table-source xlink:href="{where}" xmlns:xlink="http://www.w3.org/1999/xlink"/>'
        assert texts(grids(buffer.getvalue())[0]) == [["link"], ["7"], ["8"]]
        assert texts(grids(ods(source + row(cell("9"))))[0]) == [["9"]]
        with pytest.raises(TimeoutError):
            listener.accept()


def test_zip_holds_any_kind_of_file_but_no_other_zip() -> None:
    book = workbook({"S": [["a"]]})
    assert texts(grids(zipped({"export.xlsx": book}))[0]) == [["a"]]
    assert texts(grids(zipped({"export.xls": old_workbook([["a"]])}))[0]) == [["a"]]
    assert refusal(zipped({"inner.zip": zipped({"a.csv": b"a\n1\n"})})).rule == "file_unreadable"
    assert refusal(zipped({"a.csv": b""})).rule == "file_empty"


def test_kind_is_told_by_contents_whatever_the_name() -> None:
    assert grids(old_workbook([["a"]]), name="export.csv")[0].dialect == "xls"
    assert grids(b"a,b\n1,2\n", name="export.sav")[0].dialect == "csv"


def binary_workbook(rows: list[list[str | float]]) -> bytes:
    """An XLSB workbook of one sheet, as [MS-XLSB] numbers its records; no library at hand writes one."""

    def record(number: int, content: bytes = b"") -> bytes:
        name = bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7])
        return name + bytes([len(content)]) + content

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    cells = b""
    for r, row in enumerate(rows):
        cells += record(0, struct.pack("<IIHHBI", r, 0, 300, 0, 0, 0))
        for c, value in enumerate(row):
            place = struct.pack("<II", c, 0)
            cells += (
                record(6, place + wide(value))
                if isinstance(value, str)
                else record(5, place + struct.pack("<d", value))
            )
    extent = struct.pack("<IIII", 0, len(rows) - 1, 0, len(rows[0]) - 1)
    sheet = record(129) + record(148, extent) + record(145) + cells + record(146) + record(130)
    bundle = record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Forms"))
    relation = '<Relationship Id="rId1" Type="worksheet" Target="worksheets/sheet1.bin"/>'
    return zipped(
        {
            "xl/workbook.bin": record(131) + record(143) + bundle + record(144) + record(132),
            "xl/_rels/workbook.bin.rels": f"<Relationships>{relation}</Relationships>".encode(),
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def test_binary_workbook() -> None:
    (grid,) = grids(binary_workbook([["patient", "phq9_1"], ["0012", 3.0], ["13", 0.5]]))
    assert texts(grid) == [["patient", "phq9_1"], ["0012", "3"], ["13", "0.5"]]
    assert (grid.name, grid.dialect, grid.has_serials) == ("Forms", "xlsb", True)
