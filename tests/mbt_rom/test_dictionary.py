"""The data dictionary says of every table what `tables` declares, and nothing can break its layout."""

from __future__ import annotations

from mbt_rom.dictionary import data_dictionary
from mbt_rom.registry import instruments
from mbt_rom.tables import Catalogue, Column, Table

CATALOGUE = Catalogue(tuple(instruments().values()))
PAGE = data_dictionary(CATALOGUE)


def _section(name: str) -> str:
    return PAGE.split(f"\n## `{name}`\n")[1].split("\n## ")[0]


def test_every_table_has_a_section_and_a_line_in_the_overview() -> None:
    overview = PAGE.split("\n## ")[0]
    headings = [line for line in PAGE.splitlines() if line.startswith("## ")]
    assert sorted(headings) == sorted(f"## `{name}`" for name in CATALOGUE.tables)
    assert [name for name in CATALOGUE.tables if f"`{name}`" not in overview] == []


def test_stages_stand_in_the_order_in_which_the_data_pass_them() -> None:
    places = [PAGE.index(f"\n## `{name}`") for name in ("deliveries/ledger", "items/bsi", "scores/bsi")]
    assert places == sorted(places)
    assert PAGE.index("\n## `contributions/outcomes`") < PAGE.index("\n## `benchmarks/programmes`")


def test_a_column_is_listed_with_type_presence_and_meaning() -> None:
    assert "| `programme_id` | `str` | always | " in _section("scores/bsi")
    assert "| `score` | `float64` |  | score in the unit of the scale; missing when not scorable |" in _section(
        "scores/bsi"
    )


def test_every_item_of_an_instrument_is_a_column_of_its_items_table() -> None:
    assert _section("items/bsi").count("| `bsi_") == 53


def test_a_bar_in_a_meaning_does_not_end_its_cell() -> None:
    class OneTable(Catalogue):
        def __post_init__(self) -> None:
            column = Column("a", "str", "one | two")
            object.__setattr__(self, "tables", {"x/y": Table("x/y", "three | four", ("a",), (column,))})

    lines = data_dictionary(OneTable(())).splitlines()
    assert "| `a` | `str` |  | one \\| two |" in lines
    assert "| **x** | [`x/y`](#xy) | three \\| four |" in lines
