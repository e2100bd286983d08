"""What `make bench` runs: every benchmark of this folder, one after the other, each in a process of its own.

A fresh process gives each benchmark its own peak of memory and no caches of the one before. Belongs here: the order and
the closing line. Does not belong here: any measurement.

    python -m benchmarks.run              all
    python -m benchmarks.run scoring      only bench_scoring
"""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMPARED = ("numpy", "pandas", "polars", "pyarrow", "great-expectations", "dagster", "deltalake")


def names() -> list[str]:
    """Names of all benchmarks (`scoring` for `bench_scoring.py`), sorted."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def run(wanted: Sequence[str]) -> list[str]:
    """Runs the benchmarks of those names; the names of those that failed."""
    failed = []
    for name in wanted:
        print(f"\n== {name} ==", flush=True)
        done = subprocess.run([sys.executable, "-m", f"benchmarks.bench_{name}"], cwd=HERE.parent, check=False)
        if done.returncode != 0:
            failed.append(name)
    return failed


def surroundings() -> str:
    """One line that says on what the numbers were measured."""
    return f"Python {platform.python_version()}; " + ", ".join(f"{name} {_version(name)}" for name in COMPARED)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 when every benchmark ran and its results agreed, 1 when one failed, 2 for an unknown name."""
    wanted = list(arguments) or names()
    if unknown := sorted(set(wanted) - set(names())):
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    print(surroundings())
    failed = run(wanted)
    print(f"\n{len(wanted) - len(failed)} of {len(wanted)} benchmarks ran and agreed" + _named(failed))
    return 1 if failed else 0


def _named(failed: Sequence[str]) -> str:
    return f"; failed: {', '.join(failed)}" if failed else ""


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
