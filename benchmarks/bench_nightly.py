"""The nightly run on the default demonstration: everything new, nothing new, the day after, one programme changed.

Each night runs in a process of its own, start-up included, as the scheduler would start it. What is promised is a ratio:
one changed programme costs less than everything, although some seven seconds of either are starting Python, Dagster and
Great Expectations. The seconds of the issue (60 and 10 on two idle cores) are printed
beside, to be looked at. In the same run the results are held together: the home in which one programme changed ends with the
tables of a home that took in everything in one night.

    python -m benchmarks.bench_nightly            full size
    python -m benchmarks.bench_nightly --quick    120 patients; ratios are printed and not judged
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from assets.home import Home
from assets.state import State
from pipelines import clock

ROOT = Path(__file__).resolve().parent.parent
#: The demonstration ends before the nights begin, as real forms do: judging them then depends on no night's date.
DEMO = "2026-06-30"
TONIGHT = clock.today("Europe/Amsterdam")
TOMORROW = TONIGHT + timedelta(days=1)
LATE = "linge"
MOST_FOR_ONE = 0.8


def rom(*arguments: str | Path) -> tuple[float, str]:
    """Seconds and output of a command of `rom`; CalledProcessError when it was used wrongly."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pipelines.cli", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return time.perf_counter() - began, done.stdout


def night(home: Path, label: str, *, as_of: date = TONIGHT) -> float:
    """Runs one night and prints what it cost."""
    seconds, told = rom("nightly", "--home", home, "--as-of", as_of.isoformat())
    counted = re.search(r"(\d+) runs, (\d+) Dagster events", told)
    runs, events = counted.groups() if counted else ("?", "?")
    print(f"  {label:<38} {seconds:6.1f} s   {runs:>2} runs {events:>5} events", flush=True)
    return seconds


def disagreeing(one: Path, other: Path) -> list[str]:
    """Names of the tables in which two homes differ in anything but the time of receipt."""
    states = [State(Home.open(home), TOMORROW) for home in (one, other)]
    differing = []
    for name in states[0].catalogue.tables:
        first, second = (s.read(name).drop(columns="received_at", errors="ignore") for s in states)
        if not first.equals(second):
            differing.append(name)
    return differing


def main(arguments: list[str]) -> int:
    """Exit status: 0 when the ratio holds and both homes agree."""
    quick = "--quick" in arguments
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = Path(folder, "whole"), Path(folder, "parts")
        patients = ["--patients", "120"] if quick else []
        rom("demo", "--home", whole, "--as-of", DEMO, *patients)
        shutil.copytree(whole, parts, symlinks=True)
        late = Path(folder, "late")
        shutil.move(parts / "inbox" / LATE, late)
        everything = night(whole, "everything is new")
        nothing = night(whole, "nothing is new")
        night(whole, "nothing is new, the day after", as_of=TOMORROW)
        night(parts, f"everything but {LATE}")
        shutil.move(late, parts / "inbox" / LATE)
        one = night(parts, f"one changed programme ({LATE})")
        night(parts, "the same, the day after", as_of=TOMORROW)
        differing = disagreeing(whole, parts)
    print(
        f"  nothing new / everything: {nothing / everything:.2f}   one programme / everything: {one / everything:.2f}"
    )
    print("  both homes have the same tables" if not differing else f"  DIFFERENT: {', '.join(differing)}")
    return 0 if not differing and (quick or one <= MOST_FOR_ONE * everything) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
