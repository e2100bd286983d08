"""Canaries: a patient number, a name, an answer text and a risk answer planted in the exports come out nowhere.

Each is driven through the ways in which things go wrong: a bad cell, a bad file, a crash while computing, while writing and
while publishing, a crash of the command line. Then everything that was printed, logged, stored by Dagster or published is
searched for them.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from assets.home import Home
from assets.state import State

ROOT = Path(__file__).resolve().parents[2]
NUMBER, NAME, TEXT = "739184", "Wilhelmina-Canary", "rather-not-say-canary"
CANARIES = (NUMBER, NAME, TEXT)
#: A number of acts of self-harm that nothing else counts, and how it would stand in a text.
ACTS = 31847
_ACTS = re.compile(rb"(?<![\w.])31847(?![\w])")

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
    "risk answers cannot be found": """
from mbt_rom import alerts
def found(items, findings, *given, **named):
    raise ValueError(f"{items['sshi'].to_dict('records')} of CANARIES")
alerts.alerts = found
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
    counts = ("suicidal_acts", "self_harm_acts", "hospital_admissions", "emergency_contacts", "months_covered")
    risky = f"patient_id,date,{','.join(f'sshi_{c}' for c in counts)}\n{NUMBER},2026-06-25,0,{ACTS},0,0,6\n"
    (home / "inbox" / "alpha" / "sshi.csv").write_text(risky)


def _searched(home: Path) -> dict[str, bytes]:
    """Everything that people or Dagster can read: all but the archive and vault (encrypted) and the inbox itself."""
    found = {}
    for path in home.rglob("*"):
        inside = path.relative_to(home).parts
        if path.is_file() and inside[0] not in ("archive", "vault", "inbox", "secrets"):
            data = path.read_bytes()
            found["/".join(inside)] = gzip.decompress(data) if path.suffix == ".gz" else data
    return found


#: What every run of the tests tries; the long tests try the others, too.
DAILY = (
    "nothing else goes wrong",
    "pandas tells a value in its message",
    "an error has a cause that tells a value",
    "a file crashes its reader",
)


@pytest.mark.parametrize(
    "fault", [fault if fault in DAILY else pytest.param(fault, marks=pytest.mark.long) for fault in FAULTS]
)
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
    _no_risk_answer_comes_out(home, places)
    if fault in ("nothing else goes wrong", "an instrument cannot be scored"):
        alerts = _state(home).read("outcomes/alerts").query("item == 'sshi_self_harm_acts'")
        assert alerts[["answer", "form_status"]].to_numpy().tolist() == [[ACTS, "set_aside"]]
        assert b"alert" not in told.lower(), "others read the summary of a night"
        assert b"risk" not in told.lower()


def _state(home: Path) -> State:
    return State(Home.open(home), pd.Timestamp("2026-06-30").date())


def _no_risk_answer_comes_out(home: Path, places: dict[str, bytes]) -> None:
    """Neither the answer, nor whose it is, nor the word for it on any page."""
    assert [p for p, data in places.items() if _ACTS.search(data)] == []
    assert _ACTS.search(f'{{"n": {ACTS}, "at": 1}}'.encode())
    [whose] = _state(home).pseudonyms.of_numbers("north", pd.Series([NUMBER]))
    outside = {p: data for p, data in places.items() if not p.startswith("warehouse/")}
    assert [p for p, data in outside.items() if whose.encode() in data] == []
    pages = b"".join(data for p, data in places.items() if p.startswith("published/"))
    assert b"new_or_worse" not in pages
    assert b"suicidal thoughts" not in pages
    contributed = _state(home).read("contributions/outcomes")
    assert not contributed.eq(whose).any(axis=None)


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
    assert "alpha: canaries.csv: " in shown.stdout
    assert "row 3, column phq9_03" in shown.stdout
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
    assert len(sealed) == 9 + 4  # different files; patients and staff of two drop folders
    assert [c for c in CANARIES for data in sealed if c.encode() in data] == []
