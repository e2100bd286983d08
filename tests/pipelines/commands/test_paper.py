"""`rom template` and `rom compare` as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mbt_rom import registry
from pipelines.cli import rom
from pipelines.commands.template import workbook
from tests.mbt_rom.test_entry_forms import typed

FORM = {"patient": "17", "date_completed": "2026-03-01", "phq9_01": 1, "phq9_09": 2}


def called(*arguments: object) -> Result:
    return CliRunner().invoke(rom, [str(a) for a in arguments])


@pytest.fixture
def entries(tmp_path: Path) -> tuple[Path, Path]:
    made = tmp_path / "first.xlsx", tmp_path / "second.xlsx"
    for path, row in zip(made, (FORM, FORM | {"phq9_01": 3}), strict=True):
        path.write_bytes(typed(workbook(registry.instrument("phq9")), [row]))
    return made


def test_a_template_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "phq9.xlsx"
    assert called("template", "PHQ-9", "-o", path).exit_code == 0
    again = called("template", "PHQ-9", "-o", path)
    assert again.exit_code == 2
    assert "somebody may have typed into it" in again.output


def test_differences_are_told_without_an_answer(entries: tuple[Path, Path]) -> None:
    told = called("compare", *entries)
    assert told.exit_code == 1
    assert (
        "first.xlsx row 5 and second.xlsx row 5, column phq9_01: the two entries differ; look at the paper form"
        in told.output
    )
    assert "1 forms in the first entry, 1 in the second, 1 differences" in told.output


def test_equal_entries_are_fine(entries: tuple[Path, Path]) -> None:
    assert called("compare", entries[0], entries[0]).exit_code == 0


def test_something_else_is_refused(tmp_path: Path, entries: tuple[Path, Path]) -> None:
    other = tmp_path / "other.csv"
    other.write_text("patient,phq9_01\n1,1\n")
    refused = called("compare", entries[0], other)
    assert refused.exit_code == 2
    assert "no workbook of `rom template`" in refused.output


def test_loading_a_typed_risk_answer_says_to_report_it_today(tmp_path: Path, entries: tuple[Path, Path]) -> None:
    home = tmp_path / "home"
    assert called("init", "--home", home).exit_code == 0
    told = called("load", entries[0], "-p", "our_programme", "--home", home).output
    assert "1 risk answers were typed. Risk answer: tell the treating team today" in told
    harmless = tmp_path / "harmless.xlsx"
    harmless.write_bytes(typed(workbook(registry.instrument("phq9")), [FORM | {"phq9_09": 0, "phq9_02": 1}]))
    assert "risk answer" not in called("load", harmless, "-p", "our_programme", "--home", home).output.casefold()
