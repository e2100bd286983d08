"""A consortium small enough to run in seconds: two programmes, PHQ-9 and EQ-5D-5L, registers, one patient
without a permission, one bad cell, one bad file.

Belongs here: the home that the tests of the whole way share, and what two homes are compared by.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

AS_OF = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 2, 0, tzinfo=UTC)
SETTINGS = """
name: Small consortium
is_synthetic: true
roles: [programme, consortium]
settle_seconds: 0
issuers: {north: {length: 6}, south: {length: 6}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9, eq5d5l], format: outpatient}
  beta: {name: Beta, issuer: south, instruments: [phq9], format: outpatient}
"""
N_PATIENTS = 14


def _numbers(n: int = N_PATIENTS) -> list[str]:
    return [f"{200100 + i}" for i in range(n)]


def _csv(header: list[str], rows: list[list[object]]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]).encode() + b"\n"


def phq9(*, day: str, answer: int, numbers: list[str] | None = None) -> bytes:
    """Everybody's PHQ-9 of one day, every answer the same."""
    header = ["patient_id", "date", *(f"phq9_{i:02d}" for i in range(1, 11))]
    return _csv(header, [[n, day, *[answer] * 10] for n in numbers or _numbers()])


def _registers() -> dict[str, bytes]:
    patients = _csv(["patient_id", "birth_year", "sex"], [[n, 1990, "female"] for n in _numbers()])
    header = ["episode_id", "patient_id", "therapist_id", "referred_on", "started_on", "ended_on", "end_reason"]
    episodes = _csv(header, [[f"E{n}", n, "T1", "2025-09-01", "2025-10-01", "", ""] for n in _numbers()])
    return {"patients.csv": patients, "episodes.csv": episodes, "permissions.csv": permissions()}


def permissions(*, until: dict[str, str] | None = None) -> bytes:
    """Everybody but the last permits the comparison; those of whom `until` tells the last day withdrew."""
    header = ["patient_id", "purpose", "basis", "given_by", "from_on", "until_on"]
    rows = [
        [n, "consortium_benchmark", "consent", "patient", "2025-09-01", (until or {}).get(n, "")] for n in _numbers()
    ]
    return _csv(header, rows[:-1])


def eq5d5l() -> bytes:
    """Everybody's EQ-5D-5L at baseline, with one cell that is no answer code (row 4)."""
    header = ["patient_id", "date", *(f"eq5d5l_{d}" for d in ("mo", "sc", "ua", "pd", "ad", "vas"))]
    rows: list[list[object]] = [[n, "2025-09-30", 1, 2, 3, 4, 5, 60] for n in _numbers()]
    rows[2][2] = "severe"
    return _csv(header, rows)


def deliver_all(inbox: Path) -> None:
    """Puts every export of the small consortium into the inbox."""
    for folder in ("alpha", "beta"):
        for name, data in _registers().items():
            (inbox / folder / name).write_bytes(data)
        (inbox / folder / "phq9_baseline.csv").write_bytes(phq9(day="2025-09-30", answer=2))
        (inbox / folder / "phq9_month_6.csv").write_bytes(phq9(day="2026-04-01", answer=1))
    (inbox / "alpha" / "eq5d5l.csv").write_bytes(eq5d5l())
    (inbox / "beta" / "cut_off.xlsx").write_bytes(b"PK\x03\x04 this was a workbook once")


@pytest.fixture(scope="session")
def blank_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which nothing has run; the same keys in every copy of it."""
    from assets.home import create

    home = create(tmp_path_factory.mktemp("blank") / "home", SETTINGS)
    deliver_all(home.inbox)
    return home.root


@pytest.fixture
def home(blank_home: Path, tmp_path: Path) -> Path:
    """A copy of the home in which nothing has run."""
    return Path(shutil.copytree(blank_home, tmp_path / "home", symlinks=True))


def all_tables(root: Path) -> dict[str, pd.DataFrame]:
    """Every table of a home."""
    from assets.home import Home
    from assets.state import State

    state = State(Home.open(root), AS_OF)
    return {name: state.read(name) for name in state.catalogue.tables}


@pytest.fixture(scope="session")
def undisturbed(blank_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one night ran from end to end. Read it only."""
    from pipelines.nightly import run

    root = Path(shutil.copytree(blank_home, tmp_path_factory.mktemp("undisturbed") / "home", symlinks=True))
    summary = run(root, as_of=AS_OF, now=NOW)
    assert summary.failures == []
    return root


@pytest.fixture
def same_tables(undisturbed: Path) -> Callable[[Path], None]:
    """Asserts that a home has the tables and the site of the undisturbed one."""

    def compare(root: Path) -> None:
        expected, found = all_tables(undisturbed), all_tables(root)
        assert expected.keys() == found.keys()
        for name, table in expected.items():
            pd.testing.assert_frame_equal(found[name], table, obj=name)
        assert _site(root) == _site(undisturbed)

    return compare


def _site(root: Path) -> dict[str, bytes]:
    site = root / "published" / "site"
    return {p.relative_to(site).as_posix(): p.read_bytes() for p in sorted(site.rglob("*")) if p.is_file()}
