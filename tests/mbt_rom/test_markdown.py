"""Markdown of the generated pages: cells stay cells, and nothing that people write becomes a mark."""

from __future__ import annotations

import pytest

from mbt_rom.markdown import code, codes, paragraph, plain, section, section_body, table


def test_a_bar_and_a_line_break_do_not_end_a_cell() -> None:
    assert table(["a", "b"], [["x | y", "two\nlines"]])[-1] == "| x \\| y | two lines |"


def test_a_column_without_any_content_is_left_out_and_a_table_without_rows_too() -> None:
    assert table(["a", "b"], [["", "x"], ["", "y"]]) == ["| b |", "|---|", "| x |", "| y |"]
    assert table(["a", "b"], []) == []


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2 * 3 * 4", "2 \\* 3 \\* 4"),
        ("a <b> c", "a \\<b> c"),
        ("[1]", "\\[1]"),
        (None, ""),
        ("snake_case", "snake_case"),
    ],
)
def test_marks_that_nobody_meant_are_escaped(written: str | None, shown: str) -> None:
    assert plain(written) == shown


def test_paragraphs_and_sections_leave_out_what_is_not_there() -> None:
    assert paragraph("One.", None, "Two.") == ["One. Two.", ""]
    assert paragraph(None) == []
    assert section("Empty", []) == []
    assert section("Full", ["x"]) == ["## Full", "", "x", ""]


def test_parts_of_a_section_have_one_blank_line_between_them() -> None:
    assert section_body(["a", ""], [], ["b"], ["", ""]) == ["a", "", "b"]
    assert section_body() == []


def test_ids_are_code_and_none_is_nothing() -> None:
    assert (code("gsi"), code(None), codes(["a", "b"])) == ("`gsi`", "", "`a`, `b`")
