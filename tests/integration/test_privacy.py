"""Canaries: a patient number, a name and an answer text planted in the exports come out nowhere.

Each is driven through the ways in which things go wrong: a bad cell, a bad file, a crash while computing, while writing and
while publishing, a crash of the command line. Then everything that was printed, logged, stored by Dagster or published is
searched for them.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NUMBER, NAME, TEXT = "739184", "Wilhelmina-Canary", "rather-not-say-canary"
CANARIES = (NUMBER, NAME, TEXT)

pytestmark = pytest.mark.slow

FAULTS = {
    "nothing else goes wrong": "",
    "an instrument cannot be scored": """
from mbt_rom import scoring
def score(definition, items, **named):
    raise ValueError(f"cannot score {items.to_dict('records')} of CANARIES")
scoring.score = score
""",
    "pandas tells a value in its message": """
import pandas as pd
from mbt_rom import schedule
def expected(forms, episodes, **named):
    return pd.Series(["CANARIES"]).astype("Int8")
schedule.expected = expected
""",
    "a table cannot be written": """
from assets import warehouse
real = warehouse._to_arrow
def to_arrow(table, frame):
    if table.name == "items/phq9":
        raise OSError("CANARIES")
    return real(table, frame)
warehouse._to_arrow = to_arrow
""",
    "an error has a cause that tells a value": """
from mbt_rom import contributions
def outcomes(*given, **named):
    try:
        {}["CANARIES"]
    except KeyError as error:
        raise RuntimeError("CANARIES") from error
contributions.contributions = outcomes
""",
    "the site cannot be drawn": """
from dashboards import site
def draw(data):
    raise KeyError("CANARIES")
site.site = draw
""",
    "a file crashes its reader": """
from mbt_rom import conform
def deliver(data, **named):
    raise UnicodeError("CANARIES" + data.decode(errors="replace"))
conform.deliver = deliver
""",
}
RUN = """
import sys
from pipelines.cli import main
main(["nightly", "--home", sys.argv[1], "--as-of", "2026-06-30"])
"""


def _plant(home: Path) -> None:
    header = "patient_id,date,therapist,remarks," + ",".join(f"phq9_{i:02d}" for i in range(1, 10))
    rows = [
        f"{NUMBER},2025-09-30,{NAME},{TEXT},1,1,1,1,1,1,1,1,1",
        f"{NUMBER},2026-04-01,{NAME},{TEXT},1,1,{TEXT},1,1,1,1,1,1",
        f"{NUMBER}{NAME},2026-04-01,{NAME},{TEXT},1,1,1,1,1,1,1,1,1",
        f"{NUMBER},{NAME},{NAME},{TEXT},1,1,1,1,1,1,1,1,77777",
    ]
    (home / "inbox" / "alpha" / "canaries.csv").write_text("\n".join([header, *rows]) + "\n")


def _searched(home: Path) -> dict[str, bytes]:
    """Everything that people or Dagster can read: all but the archive and vault (encrypted) and the inbox itself."""
    found = {}
    for path in home.rglob("*"):
        inside = path.relative_to(home).parts
        if path.is_file() and inside[0] not in ("archive", "vault", "inbox", "secrets"):
            data = path.read_bytes()
            found["/".join(inside)] = gzip.decompress(data) if path.suffix == ".gz" else data
    return found


@pytest.mark.parametrize("fault", list(FAULTS))
def test_no_canary_comes_out(home: Path, fault: str) -> None:
    _plant(home)
    script = FAULTS[fault].replace("CANARIES", " ".join(CANARIES)) + RUN
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(home)], cwd=home, env=environment, capture_output=True, check=False
    )
    told = done.stdout + done.stderr
    assert done.returncode == 1, told.decode()
    assert b"Nightly run as of 2026-06-30" in told
    assert b"Traceback" not in told
    places = {**_searched(home), "(printed)": told}
    assert "dagster/history/runs.db" in places
    assert [(p, c) for p, data in places.items() for c in CANARIES if c.encode() in data] == []


def test_the_work_list_names_row_and_column_and_no_value(home: Path, tmp_path: Path) -> None:
    _plant(home)
    rom = [sys.executable, "-m", "pipelines.cli", "--home", str(home)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*rom, "nightly", "--as-of", "2026-06-30"], env=environment, capture_output=True, check=False)
    done = subprocess.run(
        [*rom, "findings", "--all", "-o", str(tmp_path / "list.csv")], env=environment, capture_output=True, check=False
    )
    shown = subprocess.run([*rom, "findings", "--all"], env=environment, capture_output=True, check=False, text=True)
    assert (done.returncode, shown.returncode) == (1, 1)
    assert "alpha: canaries.csv, row 3, column phq9_03" in shown.stdout
    assert "beta: cut_off.xlsx" in shown.stdout
    everything = shown.stdout + shown.stderr + (tmp_path / "list.csv").read_text(encoding="utf-8-sig")
    assert [c for c in CANARIES if c in everything] == []
    pages = "".join(p.read_text() for p in (home / "published" / "site").rglob("*.html"))
    assert "canaries.csv" not in pages
    assert "p_" not in {word[:2] for word in pages.split() if len(word) == 22}


def test_answers_cannot_be_read_from_the_archive_or_the_vault(home: Path) -> None:
    _plant(home)
    rom = [sys.executable, "-m", "pipelines.cli", "--home", str(home), "nightly", "--as-of", "2026-06-30"]
    subprocess.run(rom, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    sealed = [p.read_bytes() for f in ("archive", "vault") for p in (home / f).rglob("*") if p.is_file()]
    assert len(sealed) == 7 + 2  # different files; drop folders
    assert [c for c in CANARIES for data in sealed if c.encode() in data] == []
