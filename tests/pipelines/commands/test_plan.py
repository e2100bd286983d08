"""`rom plan`, as it is typed: the table of Appendix 1 of the manual, of the smallest set, and what a programme changed in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets.home import create
from pipelines.cli import rom

SETTINGS = """
name: Two programmes
issuers: {north: {length: 6}}
windows: {later: [-30, 30]}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [bsi, dappsf, phq9]}
  beta:
    {name: Beta, issuer: north, plan: minimal, instruments: [bsi, eq5d5l, phq9, rfq8], weekly: [phq9], anchor: referred_on,
     closures: [{from: 2026-12-21, until: 2027-01-01}]}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return create(tmp_path / "home", SETTINGS).root


def told(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(rom, ["plan", "--home", str(home), *arguments])


def marks(lines: list[str], instrument: str) -> list[str]:
    return next(line for line in lines if line.startswith(instrument)).split()[1:]


def test_the_table_of_appendix_1(home: Path) -> None:
    """Manual, Appendix 1: BSI X X X X (X) (X) X; DAPP X at the start, at 18 and at 36 months and nowhere else."""
    lines = told(home, "-p", "alpha").output.splitlines()
    assert lines[1].split() == ["instrument", "baseline", "m6", "m12", "m18", "m24", "m30", "m36", "minutes"]
    assert marks(lines, "bsi")[:7] == ["X", "X", "X", "X", "(X)", "(X)", "X"]
    assert marks(lines, "dappsf")[:3] == ["X", "X", "X"]
    assert "other months -30 to +30" in lines[-1]
    assert "the manual prints none" in lines[-1]


def test_the_smallest_set_asks_two_and_says_what_it_leaves_out(home: Path) -> None:
    result = told(home)
    lines = result.output.splitlines()
    beta = lines[lines.index("") + 1 :]
    assert beta[0] == "Beta (beta): plan minimal; month 0 is the date of referral"
    assert marks(beta, "eq5d5l")[:7] == ["X"] * 7
    assert "Every week of treatment: phq9" in beta
    assert "Closed from 2026-12-21 until 2027-01-01" in beta
    assert "Listed and not asked by this plan: rfq8; their forms are kept as unscheduled" in beta
    assert result.exit_code == 0


def test_minutes_that_are_ours_are_marked(home: Path) -> None:
    """53 questions at 7 a minute are 8 minutes."""
    assert marks(told(home).output.splitlines(), "bsi")[-1] == "~8"


def test_a_programme_that_is_none_is_wrong_use(home: Path) -> None:
    result = told(home, "-p", "gamma")
    assert result.exit_code == 2
    assert "alpha, beta" in result.output
