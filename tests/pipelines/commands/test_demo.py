"""`rom demo`: writes a home once, does nothing new the second time, and never touches a home that is not its own."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets.home import HomeError, create
from mbt_rom.settings import parse_settings
from mbt_rom.synthetic import make_consortium
from pipelines.commands.demo import demo

SMALL = ["--programmes", "2", "--patients", "30", "--as-of", "2026-06-01"]
REAL = """\
name: A real one
issuers: {hospital: {}}
programmes: {ours: {name: Ours, issuer: hospital, instruments: [bsi]}}
"""


def run(home: Path, *options: str) -> Result:
    """The command in this process."""
    return CliRunner().invoke(demo, ["--home", str(home), *options])


def contents(home: Path) -> dict[str, bytes]:
    """Every file of the home that the demo is about."""
    folders = ("inbox", "mappings", "truth")
    return {
        str(path.relative_to(home)): path.read_bytes()
        for folder in folders
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    }


def test_demo_writes_what_make_consortium_makes(tmp_path):
    result = run(tmp_path / "home", *SMALL)
    assert result.exit_code == 0, result.output
    made = make_consortium(programmes=2, patients=30, as_of=date(2026, 6, 1))
    written = contents(tmp_path / "home")
    assert {p: d for p, d in written.items() if p.startswith("inbox/")} == dict(made.files)
    assert {p for p in written if p.startswith("mappings/")} == {f"mappings/{name}" for name in made.mappings}
    assert (tmp_path / "home" / "consortium.yaml").read_text(encoding="utf-8") == made.settings
    with (tmp_path / "home" / "truth" / "patients.csv").open(newline="", encoding="utf-8") as stream:
        assert len(list(csv.DictReader(stream))) == 30


def test_demo_says_synthetic_and_names_the_next_command(tmp_path):
    output = run(tmp_path / "home", *SMALL).output
    assert "SYNTHETIC" in output
    assert "2 programmes, 30 invented patients" in output
    assert f"rom nightly --home {tmp_path / 'home'} --as-of 2026-06-01" in output


def test_the_same_demo_again_writes_the_same_and_keeps_its_day(tmp_path):
    run(tmp_path / "home", *SMALL)
    before = contents(tmp_path / "home")
    (tmp_path / "home" / "inbox" / "amstel" / "patients.csv").unlink()
    again = run(tmp_path / "home", *SMALL[:4])
    assert again.exit_code == 0, again.output
    assert "as of 2026-06-01" in again.output
    assert contents(tmp_path / "home") == before


@pytest.mark.parametrize("other", [["--seed", "2"], ["--patients", "31"], ["--as-of", "2026-06-02"]])
def test_another_demo_does_not_go_into_the_same_home(tmp_path, other):
    run(tmp_path / "home", *SMALL)
    before = contents(tmp_path / "home")
    result = run(tmp_path / "home", *SMALL, *other)
    assert isinstance(result.exception, HomeError)
    assert "holds another demo" in str(result.exception)
    assert contents(tmp_path / "home") == before


def test_a_real_home_is_left_alone(tmp_path):
    create(tmp_path / "home", REAL)
    assert not parse_settings(REAL).is_synthetic
    before = contents(tmp_path / "home")
    result = run(tmp_path / "home", *SMALL)
    assert isinstance(result.exception, HomeError)
    assert "not synthetic" in str(result.exception)
    assert contents(tmp_path / "home") == before


def test_what_cannot_be_made_is_wrong_use(tmp_path):
    result = run(tmp_path / "home", "--programmes", "6", "--patients", "3")
    assert result.exit_code == 2
    assert "ask for 6 to" in result.output
    assert not (tmp_path / "home").exists()
