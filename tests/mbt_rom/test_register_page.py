"""The page about the registers: everything that is declared stands there, and its examples can be loaded as they are."""

from __future__ import annotations

import pytest

from mbt_rom.register_forms import choices, note
from mbt_rom.register_page import example, registers_page
from mbt_rom.registers import REGISTERS
from tests.mbt_rom.test_registers import deliver

PAGE = registers_page()


def test_every_register_and_column_stands_on_the_page() -> None:
    for register in REGISTERS.values():
        section = PAGE.split(f"\n## `{register.name}`\n")[1].split("\n## ")[0]
        assert register.without in section
        missing = [c.name for c in register.columns if f"| `{c.name}` |" not in section]
        assert missing == []


@pytest.mark.parametrize("name", REGISTERS)
def test_the_example_of_a_register_is_read_as_it_stands(name: str) -> None:
    got = deliver(example(REGISTERS[name]) + "\n")
    assert got.findings.empty
    assert list(got.registers) == [name]
    row = got.registers[name].iloc[0]
    assert row.notna().all()
    for column in REGISTERS[name].columns:
        if column.codes:
            assert row[column.name] == next(iter(column.codes))


def test_the_note_of_the_workbook_is_there_in_both_languages() -> None:
    english, dutch = note(REGISTERS.values(), "en"), note(REGISTERS.values(), "nl")
    for register in REGISTERS.values():
        assert register.meaning in english
        assert register.meaning_nl in dutch
    assert "wachtlijst" in dutch
    # A text box of a spreadsheet holds no more than 32,767 characters.
    assert max(len(english), len(dutch)) < 32_000


def test_a_drop_down_fits_into_a_spreadsheet() -> None:
    """A list of allowed words may have 255 characters; longer ones are silently left out by the writer."""
    lists = [choices(column) for register in REGISTERS.values() for column in register.columns]
    assert max(len(",".join(one)) for one in lists) <= 255
