"""`rom deliveries` and `rom load --draft`: from a file that nobody named to a mapping that is reused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import rom

HEADER = "Nr,Invuldatum,Q1,Q2,Q3,Q4,Q5,Q6,Q7,Q8,Q9"


def called(*arguments: object) -> Result:
    return CliRunner().invoke(rom, [str(a) for a in arguments])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    assert called("init", "--home", made).exit_code == 0
    return made


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "q.csv"
    path.write_text(f"{HEADER}\n00101,2026-03-02,1,0,3,2,1,0,3,2,1\n")
    return path


def test_a_confirmed_draft_is_used_for_the_next_file_of_the_same_shape(
    home: Path, export: Path, tmp_path: Path
) -> None:
    drafted = tmp_path / "intake.yaml"
    told = called("load", export, "-p", "our_programme", "--home", home, "--draft", drafted)
    assert told.exit_code == 0
    assert "11 lines are to be confirmed" in told.output
    assert called("load", export, "-p", "our_programme", "--home", home, "--draft", drafted).exit_code == 2
    loaded = called("load", export, "-p", "our_programme", "--home", home, "--mapping", drafted)
    assert "mapping 'intake'" in loaded.output
    later = tmp_path / "later.csv"
    later.write_text(f"{HEADER}\n00102,2026-04-02,1,0,3,2,1,0,3,2,1\n")
    assert "mapping 'intake'" in called("load", later, "-p", "our_programme", "--home", home).output


def test_a_delivery_that_was_not_understood_can_be_shown_and_drafted_later(
    home: Path, export: Path, tmp_path: Path
) -> None:
    assert called("load", export, "-p", "our_programme", "--home", home).exit_code == 1
    listed = called("deliveries", "--home", home).output
    assert "our_programme/q.csv: export, csv, 1 rows, taken_in" in listed
    shown = called("deliveries", "show", listed[:8], "--home", home).output
    assert shown.count("TO CONFIRM") == 11
    assert "00101" not in shown
    drafted = tmp_path / "from_ledger.yaml"
    assert called("deliveries", "draft", listed[:8], "-o", drafted, "--home", home).exit_code == 0
    assert 'phq9_09: "Q9"  # confirm' in drafted.read_text()


def test_an_unknown_delivery_is_wrong_use(home: Path) -> None:
    refused = called("deliveries", "show", "ffff", "--home", home)
    assert refused.exit_code == 2
    assert "no delivery with an id that begins so" in refused.output
