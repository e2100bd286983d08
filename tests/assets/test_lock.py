"""One process writes at a time, and the second is told who does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assets.lock import LockedError, holder, writing

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
HOLD = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from assets.lock import writing
with writing(Path(sys.argv[1]), who="rom nightly", now=datetime(2026, 11, 22, 3, tzinfo=UTC)):
    print("held", flush=True)
    sys.stdin.readline()
"""


def _holding(root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_lock_and_gets_it_afterwards(tmp_path: Path) -> None:
    process = _holding(tmp_path)
    told = rf"rom nightly \(process {process.pid}, since 2026-11-22T03:00"
    with pytest.raises(LockedError, match=told), writing(tmp_path, who="rom load", now=NOW):
        pass
    assert "rom nightly" in str(holder(tmp_path))
    process.communicate("\n")
    with writing(tmp_path, who="rom load", now=NOW, wait_seconds=5):
        assert str(holder(tmp_path)).startswith(f"rom load (process {os.getpid()}")
    assert holder(tmp_path) is None


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    process = _holding(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with writing(tmp_path, who="rom load", now=NOW):
        assert "rom load" in str(holder(tmp_path))


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    process = _holding(tmp_path)
    assert process.stdin is not None
    subprocess.Popen(["sleep", "0.5"]).wait()
    process.stdin.write("\n")
    process.stdin.flush()
    with writing(tmp_path, who="rom load", now=NOW, wait_seconds=20):
        assert "rom load" in str(holder(tmp_path))
    process.communicate()


def test_within_one_process_the_lock_may_be_taken_again(tmp_path: Path) -> None:
    with writing(tmp_path, who="outer", now=NOW):
        with writing(tmp_path, who="inner", now=NOW):
            assert "outer" in str(holder(tmp_path))
        assert "outer" in str(holder(tmp_path))
    assert holder(tmp_path) is None


def test_an_error_inside_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing(tmp_path, who="rom load", now=NOW):
        _ = 1 / 0
    assert holder(tmp_path) is None
