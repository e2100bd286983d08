"""The work list: its words, and what a returned one says."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest
import python_calamine
import xlsxwriter

from mbt_rom.exports.detection import read_grids
from mbt_rom.worklist import (
    CellKey,
    Problem,
    Returned,
    ReturnedCell,
    column_of,
    in_words,
    may_be_returned,
    parse_key,
    returned,
)
from pipelines.work_list_book import workbook

Typed = dict[tuple[str, int], tuple[object, object]]
FIRST, SECOND = CellKey("alpha", "ab" * 32, None, 4, "Q1"), CellKey("alpha", "ab" * 32, "May", 5, "Q2")


def filled(book: bytes, typed: Typed, *, edit: Callable[[str, list[list[object]]], None] | None = None) -> bytes:
    """The list as a spreadsheet saves it after (correct value, reason) were typed in rows: sheet and number of the row -> both.

    `edit` changes the cells of a sheet further.
    """
    read = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book))
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"}) as target:
        for name in read.sheet_names:
            cells = [list(row) for row in read.get_sheet_by_name(name).to_python(skip_empty_area=False)]
            for row in cells:
                if pair := typed.get((name, int(row[0]))) if row and isinstance(row[0], float) else None:
                    row[-3:-1] = pair
            if edit is not None:
                edit(name, cells)
            sheet = target.add_worksheet(name)
            for r, row in enumerate(cells):
                for c, cell in enumerate(row):
                    if cell != "":
                        sheet.write(r, c, cell)
    return out.getvalue()


def rows(*keys: CellKey | None) -> pd.DataFrame:
    """Rows of a list, one per cell."""
    each = [
        {
            "number": n,
            "programme": "alpha",
            "file": "may.csv",
            "sheet": None if key is None else key.sheet,
            "row": None if key is None else key.row,
            "column": None if key is None else key.column,
            "item": "phq9_01",
            "rule": "answer_out_of_range",
            "severity": "error",
            "owner": "research_assistant",
            "detail": "0 to 3",
            "received": date(2026, 6, 1),
            "days": 29,
            "key": None if key is None else key.text(),
        }
        for n, key in enumerate(keys, start=1)
    ]
    return pd.DataFrame(each).astype({"row": "Int64", "days": "Int64"})


@pytest.fixture
def book() -> bytes:
    return workbook(rows(FIRST, SECOND, None), rows(FIRST).head(0), day=date(2026, 6, 30))


def read(data: bytes) -> Returned:
    assert may_be_returned(data)
    found = returned(read_grids(data, file_name="x", largest_bytes=10**6, recognise=lambda cells: 0))
    assert found is not None
    return found


def test_both_sheets_have_the_same_rows_in_their_own_words() -> None:
    english, dutch = in_words(rows(FIRST), "en"), in_words(rows(FIRST), "nl")
    assert english.columns.tolist() == [
        "number", "programme", "file", "sheet", "row", "column", "item", "what is wrong", "how to mend it", "rule",
        "severity", "owner", "received", "days set aside",
    ]  # fmt: skip
    assert dutch.columns.tolist() == [
        "nummer", "programma", "bestand", "blad", "rij", "kolom", "vraag", "wat is er mis", "wat te doen", "regel",
        "ernst", "wie", "ontvangen", "dagen apart gezet",
    ]  # fmt: skip
    assert english.loc[0, "what is wrong"] == "the answer lies outside the range of this item (0 to 3)"
    assert english.loc[0, ["severity", "owner"]].tolist() == ["error", "research assistant"]
    assert dutch.loc[0, "wat is er mis"] == "het antwoord ligt buiten het bereik van deze vraag (0 to 3)"
    assert dutch.loc[0, ["ernst", "wie"]].tolist() == ["fout", "onderzoeksassistent"]


def test_the_workbook_has_its_sheets_and_a_hidden_key(book: bytes) -> None:
    read = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book))
    assert read.sheet_names == ["Work list", "Werklijst", "Quiet programmes - Stil", "Read me - Lees mij"]
    cells = read.get_sheet_by_name("Werklijst").to_python(skip_empty_area=False)
    assert cells[2][-3:] == ["juiste waarde", "reden", "sleutel (niet wijzigen)"]
    assert [parse_key(str(row[-1])) for row in cells[3:]] == [FIRST, SECOND, None]


def test_quiet_programmes_stand_on_a_sheet_of_their_own() -> None:
    quiet = rows(None).assign(rule="programme_quiet", detail="last heard of: 90 days ago")
    book = workbook(rows(FIRST), quiet, day=date(2026, 6, 30))
    read = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book))
    [english, first, _, dutch, second] = read.get_sheet_by_name("Quiet programmes - Stil").to_python()
    assert (english[0], dutch[0]) == ("programme", "programma")
    assert (first[0], second[0]) == ("alpha", "alpha")
    assert str(first[1]).endswith("(last heard of: 90 days ago)")


def test_an_untouched_list_corrects_nothing(book: bytes) -> None:
    assert read(book) == Returned((), ())


def test_what_was_typed_is_read_from_either_sheet(book: bytes) -> None:
    data = filled(book, {("Work list", 1): (2, "on paper"), ("Werklijst", 2): ("007", "nagebeld")})
    assert read(data).problems == ()
    assert set(read(data).cells) == {
        ReturnedCell(FIRST, "2", "on paper", "Work list", 4),
        ReturnedCell(SECOND, "007", "nagebeld", "Werklijst", 5),
    }


def test_a_date_cell_is_a_date(book: bytes) -> None:
    [cell] = read(filled(book, {("Work list", 1): (date(2026, 5, 1), "on paper")})).cells
    assert cell.value == "2026-05-01"


@pytest.mark.parametrize("word", ["(empty)", "(leeg)", "(Leeg)"])
def test_a_cell_can_be_emptied_by_saying_so(book: bytes, word: str) -> None:
    [cell] = read(filled(book, {("Work list", 1): (word, "not answered")})).cells
    assert cell.value == ""


def test_the_same_in_both_sheets_counts_once_and_different_values_are_told(book: bytes) -> None:
    same = read(filled(book, {("Work list", 1): (2, "paper"), ("Werklijst", 1): (2, "papier")}))
    assert [c.value for c in same.cells] == ["2"]
    assert same.problems == ()
    other = read(filled(book, {("Work list", 1): (2, "paper"), ("Werklijst", 1): (3, "papier")}))
    assert other.problems == (
        Problem("worklist_value_twice", "Werklijst", 4, "juiste waarde", "see sheet Work list, row 4"),
    )


def test_a_value_needs_a_reason_a_reason_needs_a_value_and_a_row_needs_its_key(book: bytes) -> None:
    typed: Typed = {("Work list", 1): (2, ""), ("Werklijst", 2): ("", "geen"), ("Work list", 3): (1, "no cell")}
    assert set(read(filled(book, typed)).problems) == {
        Problem("worklist_reason_missing", "Work list", 4, "reason"),
        Problem("worklist_value_missing", "Werklijst", 5, "juiste waarde"),
        Problem("worklist_damaged", "Work list", 6, "key (do not change)", "no cell of a file belongs to this row"),
    }


def test_rows_may_be_sorted_and_deleted(book: bytes) -> None:
    def turn(name: str, cells: list[list[object]]) -> None:
        if name == "Work list":
            cells[3:] = cells[4:2:-1]

    [cell] = read(filled(book, {("Work list", 2): (2, "paper")}, edit=turn)).cells
    assert (cell.key, cell.row) == (SECOND, 4)


def test_a_lost_column_is_told(book: bytes) -> None:
    def lose(name: str, cells: list[list[object]]) -> None:
        for row in cells:
            del row[-1:]

    assert {p.rule for p in read(filled(book, {}, edit=lose)).problems} == {"worklist_damaged"}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 cut off", b"patient,phq9_01\n1,2\n"])
def test_other_files_are_no_list(data: bytes) -> None:
    assert not may_be_returned(data)


def test_another_workbook_that_speaks_of_the_list_is_none() -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as target:
        sheet = target.add_worksheet()
        sheet.write_row(0, 0, ["comment", "see the MBT-ROM work list"])
    assert may_be_returned(out.getvalue())
    grids = read_grids(out.getvalue(), file_name="x", largest_bytes=10**6, recognise=lambda cells: 0)
    assert returned(grids) is None


UNDERSTOOD = [
    {"sheet": None, "column": "client", "role": "patient", "item": None, "block": None},
    {"sheet": None, "column": "t0_q1", "role": "item", "item": "phq9_01", "block": "t0"},
    {"sheet": None, "column": "t1_q1", "role": "item", "item": "phq9_01", "block": "t1"},
    {"sheet": None, "column": "born", "role": "patients: birth_year", "item": None, "block": None},
    {"sheet": "B", "column": "other", "role": "date", "item": None, "block": None},
]


@pytest.mark.parametrize(
    ("finding", "column"),
    [
        ({"rule": "x", "source_column": "Q9"}, "Q9"),
        ({"rule": "patient_missing"}, "client"),
        ({"rule": "date_unreadable"}, None),
        ({"rule": "date_unreadable", "sheet": "B"}, "other"),
        ({"rule": "answer_out_of_range", "item": "phq9_01", "row_id": "ab-1-4-t1"}, "t1_q1"),
        ({"rule": "answer_out_of_range", "item": "phq9_01"}, None),
        ({"rule": "birth_year_implausible", "item": "birth_year"}, "born"),
        ({"rule": "row_ragged"}, None),
    ],
)
def test_the_column_of_a_finding_is_the_one_that_was_understood(finding: dict[str, str], column: str | None) -> None:
    empty = {"item": None, "sheet": None, "source_column": None, "row_id": None}
    assert column_of({**empty, **finding}, UNDERSTOOD) == column


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "1", '["a","b",null,"4","c"]', '["a",1,null,4,"c"]', '["a","b",null,true,"c"]']
)
def test_what_is_no_key_is_none(text: str) -> None:
    assert parse_key(text) is None
