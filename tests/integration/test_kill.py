"""Killed at any moment and started again, a night ends with the tables and the site of an undisturbed one.

Each test runs the night in a process of its own, in which one function of ours is replaced by one that does its work (or
half of it) and then kills its own process with SIGKILL: nothing can be tidied up. Then the night is run again.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assets.home import Home
from assets.lock import holder
from assets.state import State
from pipelines.instance import left_behind, open_instance
from pipelines.nightly import run

AS_OF = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 2, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow

BEGIN = """
import os, signal, sys
from datetime import UTC, date, datetime
from pathlib import Path

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def dies_after(owner, name, when=lambda *a, **k: True):
    real = getattr(owner, name)
    def replaced(*a, **k):
        result = real(*a, **k)
        if when(*a, **k):
            die()
        return result
    setattr(owner, name, replaced)
"""
END = """
from pipelines.nightly import run
run(Path(sys.argv[1]), as_of=date(2026, 6, 30), now=datetime(2026, 6, 30, 2, 0, tzinfo=UTC))
"""
MOMENTS = {
    "after the archive": """
from assets.archive import Archive
dies_after(Archive, "store")
""",
    "after the ledger": """
from assets.warehouse import Warehouse
dies_after(Warehouse, "replace", lambda self, table, *a, **k: table.name == "deliveries/ledger")
""",
    "while files leave the inbox": """
from assets import intake
dies_after(intake, "remove")
""",
    "inside a table write": """
import pyarrow as pa
from assets import warehouse
real = warehouse._to_arrow
def half(table, frame):
    whole = real(table, frame)
    if table.name != "scores/phq9":
        return whole
    def batches():
        yield from whole.slice(0, len(whole) // 2).to_batches()
        die()
    return pa.RecordBatchReader.from_batches(whole.schema, batches())
warehouse._to_arrow = half
""",
    "between two tables": """
from assets.warehouse import Warehouse
dies_after(Warehouse, "replace", lambda self, table, *a, **k: table.name == "findings/phq9")
""",
    "before the contributions are compared": """
from assets.warehouse import Warehouse
dies_after(Warehouse, "replace", lambda self, table, *a, **k: table.name == "contributions/outcomes")
""",
    "while the site is written": """
from assets import site
dies_after(site, "_inside")
""",
    "between the site and its rename": """
from assets import site
site._point = die
""",
    "after the site was published": """
from assets import site
dies_after(site, "_point")
""",
}


def _killed(root: Path, moment: str) -> None:
    script = BEGIN + MOMENTS[moment] + END
    done = subprocess.run([sys.executable, "-c", script, str(root)], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()[-2000:]


#: What every run of the tests tries: one moment of each kind; the long tests try the others, too.
DAILY = ("after the ledger", "while files leave the inbox", "inside a table write", "between the site and its rename")


@pytest.mark.parametrize(
    "moment", [moment if moment in DAILY else pytest.param(moment, marks=pytest.mark.long) for moment in MOMENTS]
)
def test_a_killed_night_is_made_good_by_the_next(
    home: Path, moment: str, same_tables: Callable[[Path], None], undisturbed: Path
) -> None:
    _killed(home, moment)
    assert holder(home) is None
    summary = run(home, as_of=AS_OF, now=NOW)
    assert summary.failures == []
    same_tables(home)
    opened, other = Home.open(home), Home.open(undisturbed)
    assert set(State(opened, AS_OF).archive) == set(State(other, AS_OF).archive)
    assert [p for p in opened.inbox.rglob("*") if p.is_file()] == []
    assert list(opened.published.rglob("*.part")) == []
    with open_instance(opened) as instance:
        assert left_behind(instance) == []


def test_a_site_that_is_there_is_shown_until_the_next_one_is_whole(undisturbed: Path, tmp_path: Path) -> None:
    import shutil

    root = Path(shutil.copytree(undisturbed, tmp_path / "home", symlinks=True))
    before = (root / "published" / "site" / "index.html").read_bytes()
    text = (root / "consortium.yaml").read_text()
    (root / "consortium.yaml").write_text(text.replace("Small consortium", "Renamed consortium"))
    _killed(root, "while the site is written")
    assert (root / "published" / "site" / "index.html").read_bytes() == before
    run(root, as_of=AS_OF, now=NOW)
    assert b"Renamed consortium" in (root / "published" / "site" / "index.html").read_bytes()
